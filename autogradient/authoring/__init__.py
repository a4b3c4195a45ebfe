"""The IPython extension for authors: `%load_ext autogradient.authoring`."""

from autogradient.authoring.extension import load_ipython_extension, unload_ipython_extension

__all__ = ["load_ipython_extension", "unload_ipython_extension"]
