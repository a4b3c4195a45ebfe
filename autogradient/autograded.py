"""The notebooks in autograded/, as nbgrader's formgrader and feedback want them: the submission with the release's marking put right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat import writes as write_notebook
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader import api
from nbgrader.utils import parse_utc

from autogradient.feedback.sanitize import clean_notebook
from autogradient.gradebook import checked_student, find_assignment, open_gradebook, url_of
from autogradient.result import Result, write_atomically


def write_autograded(course_root: Path, result: Result, notebook: NotebookNode, gradebook_url: str = "") -> list[Path]:
    """Write `autograded/{student}/{assignment}/{assignment}.ipynb`, where the formgrader and `nbgrader generate_feedback` read it.

    Cells get the release's nbgrader metadata back from the gradebook, locked cells their text; what the gradebook does not know is shown as
    plain cells, grade cells that are gone are put back, and active content is taken out, for staff open it with all their rights.
    Returns the paths, none for a missing submission. Raises GradebookError.
    """
    if result.outcome == "missing":
        return []
    students = [checked_student(student) for student in result.submission.students]
    with open_gradebook(gradebook_url or url_of(course_root)) as book:
        row = find_assignment(book.db, result.assignment)
        text = write_notebook(_restored(_known_cells(book.db, row), notebook), version=4)
    paths = []
    for student in students:
        folder = course_root / "autograded" / student / result.assignment
        write_atomically(folder / f"{result.assignment}.ipynb", text)
        if result.submission.received_at:
            write_atomically(folder / "timestamp.txt", f"{parse_utc(result.submission.received_at)} UTC\n")
        paths.append(folder / f"{result.assignment}.ipynb")
    return paths


def _known_cells(db: Any, assignment: Any) -> dict[str, NotebookNode]:
    """The cells that the gradebook knows, in the release's order, with their text and nbgrader's metadata."""
    notebook = next(notebook for notebook in assignment.notebooks if notebook.name == assignment.name)
    kinds: dict[str, set[type]] = {}
    points: dict[str, float] = {}
    for cell in notebook._base_cells:
        kinds.setdefault(cell.name, set()).add(type(cell))
        if not isinstance(cell, api.SolutionCell):
            points[cell.name] = cell.max_score
    known = {}
    for source in db.query(api.SourceCell).filter_by(notebook_id=notebook.id):
        mine = kinds.get(source.name, set())
        marking: dict[str, Any] = {
            "schema_version": 3,
            "grade_id": source.name,
            "grade": api.GradeCell in mine,
            "solution": api.SolutionCell in mine,
            "task": api.TaskCell in mine,
            "locked": source.locked,
            "checksum": source.checksum,
            "cell_type": source.cell_type,
        }
        if source.name in points:
            marking["points"] = points[source.name]
        known[source.name] = from_dict({"cell_type": source.cell_type, "source": source.source, "metadata": {"nbgrader": marking}})
    return known


def _restored(known: dict[str, NotebookNode], notebook: NotebookNode) -> NotebookNode:
    """A copy of a submission in which every cell is what its nbgrader metadata says, as the release has it."""
    clean = clean_notebook(notebook)
    cells: list[NotebookNode] = []
    place: dict[str, int] = {}
    for cell in clean.cells:
        name = cell.metadata.pop("nbgrader", {}).get("grade_id")
        if isinstance(name, str) and name in known and name not in place:
            place[name] = len(cells)
            cell = _with_marking(cell, known[name])
        cells.append(cell)
    before = -1
    for name, release_cell in known.items():
        marking = release_cell.metadata.nbgrader
        if name not in place and (marking.grade or marking.task):
            cells.insert(before + 1, _with_marking(NotebookNode(id=None, source=release_cell.source), release_cell))
            place = {other: index + (index > before) for other, index in place.items()} | {name: before + 1}
        before = place.get(name, before)
    clean.cells = cells
    return clean


def _with_marking(cell: NotebookNode, release_cell: NotebookNode) -> NotebookNode:
    make = new_code_cell if release_cell.cell_type == "code" else new_markdown_cell
    marking = release_cell.metadata.nbgrader
    made = make(source=release_cell.source if marking.locked else cell.source, metadata={"nbgrader": dict(marking)})
    if cell.get("id"):
        made.id = cell.id
    for key in {"outputs", "execution_count"} if release_cell.cell_type == "code" else {"attachments"}:
        if key in cell:
            made[key] = cell[key]
    return made
