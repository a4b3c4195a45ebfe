"""What a verdict may depend on outside the notebooks, and its digest."""

from __future__ import annotations

import json
import os
import platform
import site
import sys
import sysconfig
from functools import cache
from importlib.metadata import distributions
from typing import Any

from autogradient import __version__
from autogradient.model.files import digest


@cache
def environment_digest(sealed: bool = True, gpu: str = "") -> str:
    """Digest of the environment."""
    return digest(json.dumps(environment(sealed, gpu), sort_keys=True).encode())


def environment(sealed: bool = True, gpu: str = "") -> dict[str, Any]:
    """What the verdict may depend on outside the notebooks: Python build, packages, threads, our
    version, the seal, and where a card was used, card and driver.

    Locale and time zone are always the same.
    """
    # not all of sys.path: the current folder, and what setuptools puts there once something imports
    # it, are not installed
    places = {
        *sysconfig.get_paths().values(),
        *site.getsitepackages(),
        *([site.getusersitepackages()] if site.ENABLE_USER_SITE else []),
    }
    packages = sorted(
        {
            f"{d.metadata['Name']}=={d.version}".lower()
            for d in distributions(path=sorted(places))
            if d.metadata["Name"]
        }
    )
    return {
        "python": sys.version,
        "platform": [platform.system(), platform.machine()],
        "packages": packages,
        "threads": 1,
        "autogradient": __version__,
        "sealed": sealed,
    } | ({"gpu": gpu} if gpu else {})


def cpu_count() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))
