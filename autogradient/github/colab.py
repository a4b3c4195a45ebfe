"""Notebooks of the release repository that also work on Google Colab: a first cell that, there and
only there, installs otter and fetches the public tests.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from autogradient.github.settings import MAIN, Settings
from autogradient.model.assignment import Assignment
from autogradient.sources import release
from autogradient.sources.release import COLAB_CELL, Release

BADGE = (
    "[![Open in "
    "Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{repository}/blob/{branch}/{path})"
)
#: {otter} is the version that the course was made with, {base} where the assignment's files are,
#: {names} which of them are wanted.
SOURCE = """# Only on Google Colab: install what the checks need, and fetch them. Elsewhere this cell does nothing.
def _on_colab():
    try:
        import google.colab
    except ImportError:
        return
    import subprocess, sys, urllib.parse, urllib.request
    from importlib import metadata
    from pathlib import Path

    if [found.version for found in metadata.distributions(name="otter-grader")][:1] != ["{otter}"]:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "otter-grader=={otter}"], check=True)
    for name in {names}:
        path = Path(name)
        if not path.exists():
            with urllib.request.urlopen("{base}" + urllib.parse.quote(name), timeout=60) as answer:
                data = answer.read()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


_on_colab()
del _on_colab"""  # noqa: E501


def published(assignment: Assignment, settings: Settings | None) -> Release:
    """What students get of an assignment: the release, with the cell for Colab where the settings
    ask for it.
    """
    built = release.build(assignment)
    if settings is None or not settings.colab:
        return built
    notebook = release.load(built)
    names = sorted(name for name in built.files if name != f"{assignment.name}.ipynb")
    notebook["cells"].insert(0, _cell(source(assignment.name, names, settings)))
    data = (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
    return Release(built.name, built.files | {f"{assignment.name}.ipynb": data})


def source(name: str, names: list[str], settings: Settings) -> str:
    """The text of the cell."""
    base = f"{settings.raw.rstrip('/')}/{settings.organization}/{settings.release}/{MAIN}/{name}/"
    return SOURCE.format(
        otter=version("otter-grader"), base=base, names=json.dumps(names, ensure_ascii=False)
    )


def badge(name: str, settings: Settings) -> str:
    """A picture that opens an assignment's notebook on Colab."""
    return BADGE.format(
        repository=f"{settings.organization}/{settings.release}",
        branch=MAIN,
        path=f"{name}/{name}.ipynb",
    )


def _cell(text: str) -> dict[str, Any]:
    # no cell of nbgrader's: it grades nothing, and a gradebook need not know of it. The id is what
    # our grader knows it by, and leaves it out.
    locked = {"deletable": False, "editable": False, "jupyter": {"source_hidden": True}}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": COLAB_CELL,
        "metadata": locked,
        "outputs": [],
        "source": text,
    }
