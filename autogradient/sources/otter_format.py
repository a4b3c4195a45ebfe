"""otter folder → Assignment: its test files, and the notebook beside them if there is one.

A question is a test file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from autogradient import errors
from autogradient.errors import Mistake, SourceErrors
from autogradient.model.assignment import Assignment, Cell, Part, Question
from autogradient.sources import foreign, messages
from autogradient.sources.otter_tests import Reader

_TEST_MARK = re.compile(r"^(OK_FORMAT\s*=|test\s*=\s*\{|\s*@(\w+\.)*test_case\b)", re.MULTILINE)
_CHECK = re.compile(r"\b\w+\.check\(\s*(['\"])(.+?)\1")


def is_otter(path: Path | str) -> bool:
    """Whether `path` is a folder whose tests/ holds otter test files."""
    return any(
        _TEST_MARK.search(file.read_text(encoding="utf-8", errors="replace"))
        for file in _test_files(Path(path))
    )


def load(path: Path | str, seed: int = 0) -> Assignment:
    """Read an otter folder. Raises SourceErrors with all mistakes."""
    path = Path(path)
    name = path.resolve().name
    mistakes: list[Mistake] = []
    parts: dict[str, Part] = {}
    first: dict[str, Path] = {}
    for file in _test_files(path):
        reader = Reader(file)
        part = reader.read()
        mistakes += reader.mistakes
        if part is None:
            continue
        if part.id in first:
            mistakes.append(
                Mistake(
                    reader.file,
                    reader.line_of("name"),
                    0,
                    messages.OTTER_SAME_TEST.format(name=part.id, first=first[part.id].name),
                )
            )
        first.setdefault(part.id, file)
        parts[file.stem] = part
    notebooks = sorted(file for file in path.glob("*.ipynb") if not file.name.startswith("."))
    if len(notebooks) > 1:
        names = ", ".join(file.name for file in notebooks)
        mistakes.append(
            Mistake(errors.relative(path), 0, 0, messages.OTTER_TWO_NOTEBOOKS.format(names=names))
        )
    notebook = None
    try:
        notebook = foreign.read_notebook(notebooks[0]) if len(notebooks) == 1 else None
    except SourceErrors as error:
        mistakes += error.mistakes
    if mistakes:
        raise SourceErrors(mistakes)
    cells = _cells(notebook, parts) if notebook else []
    return Assignment(
        name=name,
        title=foreign.title_of(cells, name),
        format="otter",
        cells=cells,
        # `was` is what a notebook's grader.check() calls the test: its file's stem
        questions=[
            Question(part.id, [part], was=(stem,), cell=part.cell) for stem, part in parts.items()
        ],
        path=path,
        seed=seed,
        files=foreign.files_beside(path, skip_folders=("tests",)),
        kernelspec=foreign.kernelspec_of(notebook) if notebook else dict(foreign.KERNELSPEC),
    )


def _test_files(path: Path) -> list[Path]:
    """The files that otter would take for tests."""
    return sorted(
        file
        for file in (path / "tests").glob("*.py")
        if file.is_file() and not file.name.startswith((".", "__")) and file.name != "conftest.py"
    )


def _cells(notebook: Any, parts: dict[str, Part]) -> list[Cell]:
    """The notebook's cells. A check names its test by the file's stem; the first of each part has
    the part's id, so that its place is known.
    """
    cells = []
    placed: set[str] = set()
    for number, node in enumerate(notebook.cells, start=1):
        kind: Literal["code", "markdown"] = "code" if node.cell_type == "code" else "markdown"
        role, target, grade_id = ("scratch" if kind == "code" else "text"), "", ""
        checked = (
            [match[2] for match in _CHECK.finditer(node.source) if match[2] in parts]
            if kind == "code"
            else []
        )
        if checked:
            part = parts[checked[0]]
            role, target, grade_id = "check", part.id, "" if part.id in placed else part.id
            part.cell = part.cell or number
            placed.add(part.id)
        cells.append(Cell(role, target, kind, node.source, number, grade_id=grade_id))
    return cells
