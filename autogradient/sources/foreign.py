"""What the readers of other graders' formats share: notebooks as they lie on disk and the files
beside them.
"""

from __future__ import annotations

import functools
import json
import re
import warnings
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import nbformat

from autogradient import errors
from autogradient.errors import Mistake, SourceErrors
from autogradient.model import testcode
from autogradient.model.assignment import Assignment, Cell, Part
from autogradient.sources import messages

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
#: Files beside a notebook that no student gets: tests, answers and what the graders need for
#: themselves.
PRIVATE_FILES = (
    "otter_config.json",
    "autotests.yml",
    "nbgrader_config.py",
    "gradebook.db",
    "proof.json",
)
MOST_FILES, MOST_BYTES = 2000, 200_000_000


def raw_notebook(path: Path) -> dict[str, Any] | None:
    """The JSON of a notebook file as it stands; None where `path` is no notebook."""
    if path.suffix != ".ipynb" or not path.is_file():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) else None


def read_notebook(path: Path) -> Any:
    """A Python notebook as nbformat 4 nodes. Raises SourceErrors where it cannot be read or is
    written in another language.
    """
    file = errors.relative(path)
    try:
        with warnings.catch_warnings():
            # about missing cell ids, which older notebooks do not have
            warnings.simplefilter("ignore")
            notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
        if not all({"cell_type", "source", "metadata"} <= set(cell) for cell in notebook.cells):
            raise ValueError("a cell lacks its type, source or metadata")
    except Exception as error:
        problem = str(error).strip().split("\n")[0] or type(error).__name__
        raise SourceErrors(
            [Mistake(file, 0, 0, messages.FOREIGN_UNREADABLE.format(problem=problem))]
        ) from error
    language = str((notebook.metadata.get("kernelspec") or {}).get("language", "python"))
    if language != "python":
        raise SourceErrors(
            [Mistake(file, 0, 0, messages.FOREIGN_NOT_PYTHON.format(language=language))]
        )
    return notebook


def kernelspec_of(notebook: Any) -> dict[str, str]:
    """The notebook's kernel, or the usual one where it names none."""
    return {
        str(key): str(value)
        for key, value in (notebook.metadata.get("kernelspec") or KERNELSPEC).items()
    }


def title_of(cells: Iterable[Cell], default: str) -> str:
    """The first heading of a notebook's Markdown, or `default`."""
    for cell in cells:
        match = (
            re.search(r"^#\s+(.+?)\s*$", cell.source, re.MULTILINE)
            if cell.kind == "markdown"
            else None
        )
        if match:
            return match.group(1)
    return default


def files_beside(folder: Path, skip_folders: Collection[str] = ()) -> dict[str, bytes]:
    """Data files and pictures of an assignment's folder (relative path → content): no notebooks,
    nothing hidden, nothing private.
    """
    found: dict[str, bytes] = {}
    size = 0
    for file in _walk(folder, {*skip_folders}):
        size += file.stat().st_size
        if len(found) == MOST_FILES or size > MOST_BYTES:
            limit = (
                f"{MOST_FILES} files"
                if len(found) == MOST_FILES
                else f"{MOST_BYTES // 1_000_000} MB"
            )
            raise SourceErrors(
                [
                    Mistake(
                        errors.relative(folder),
                        0,
                        0,
                        messages.FOREIGN_TOO_MUCH.format(folder=folder.resolve().name, limit=limit),
                    )
                ]
            )
        found[file.relative_to(folder).as_posix()] = file.read_bytes()
    return found


def _walk(folder: Path, skip_folders: set[str]) -> Iterable[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.is_dir() and not path.is_symlink():
            if path.name not in skip_folders:
                yield from _walk(path, set())
        elif (
            path.is_file()
            and path.suffix != ".ipynb"
            and path.name not in PRIVATE_FILES
            and not ("autograder" in path.name and path.suffix == ".zip")
        ):
            yield path


def prelude(assignment: Assignment, part: Part) -> str:
    """What a part's tests need of the instructor's notebook: imports, helpers and data above them,
    as the instructor wrote them.

    Left out is what depends on an answer: that is the student's. In otter's format, where nothing
    says which cells are answers, only imports are taken.
    """
    pool: list[testcode.Statement] = []
    theirs: set[str] = set(part.names) if assignment.format == "nbgrader" else set()
    for cell in assignment.cells:
        if cell.role == "check" and cell.target == part.id:
            break
        if cell.kind != "code":
            continue
        text = testcode.without_magics(cell.source)
        if cell.role == "answer":
            theirs |= set(testcode.bound_names(text))
        elif assignment.format == "otter":
            pool += [s for s in _statements(text) if s.source.startswith(("import ", "from "))]
        else:
            pool += [s for s in _statements(text) if s.binds or cell.role != "check"]
    grown = True
    while grown:
        grown = False
        for statement in pool:
            if statement.needs & theirs and not statement.binds <= theirs:
                theirs |= statement.binds
                grown = True
    pool = [s for s in pool if not (s.binds | s.needs) & theirs and (s.needs or s.binds)]
    try:
        wanted = testcode.needed_names(testcode.without_magics(part.tests)) | set(part.names)
    except SyntaxError:
        wanted = set(re.findall(r"[^\W\d]\w*", part.tests))
    kept = testcode.reachable(wanted, pool)
    known = {name for statement in kept for name in statement.binds}
    return "\n".join(s.source for s in pool if s in kept or (not s.binds and s.needs <= known))


@functools.lru_cache(maxsize=5000)
def _statements(text: str) -> list[testcode.Statement]:
    try:
        return testcode.statements(text)
    except SyntaxError:
        return []
