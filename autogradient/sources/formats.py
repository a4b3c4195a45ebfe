"""The one place that knows which formats an assignment can be written in, and which of them a path
is.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.errors import CourseError
from autogradient.model.assignment import Assignment
from autogradient.sources import foreign, messages, nbgrader_format, otter_format, source


def load_assignment(path: Path | str, seed: int = 0) -> Assignment:
    """Read an assignment: one of our sources, an nbgrader-format notebook, a folder with one of
    them, or an otter folder.

    Raises CourseError where `path` is none of them, SourceErrors with all mistakes of the one it
    is.
    """
    path = notebook = Path(path)
    if path.is_dir():
        with contextlib.suppress(CourseError):
            notebook = source.find_source(path)
    front = _front_matter(notebook)
    if front is not None and "assignment" in front:
        raise CourseError(messages.FOREIGN_RELEASE.format(path=errors.relative(path)))
    if front is None:
        if otter_format.is_otter(path):
            return otter_format.load(path, seed)
        if nbgrader_format.is_nbgrader(notebook):
            return nbgrader_format.load(notebook, seed)
        if foreign.raw_notebook(notebook) is not None:
            raise CourseError(messages.NOT_A_SOURCE.format(path=errors.relative(path)))
    return source.load(path, seed)  # which also says what is wrong with anything else


def _front_matter(path: Path) -> dict[str, Any] | None:
    """What a notebook says about itself as one of ours; None where it says nothing."""
    if path.suffix == ".py" and path.is_file():
        return (
            {} if source.is_source(path.read_text(encoding="utf-8-sig", errors="replace")) else None
        )
    metadata = (foreign.raw_notebook(path) or {}).get("metadata")
    front = metadata.get("autogradient") if isinstance(metadata, dict) else None
    return front if isinstance(front, dict) else None
