"""The notebooks in autograded/, as nbgrader's formgrader and feedback want them: the submission
with the release's marking put right.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode, from_dict
from nbformat import writes as write_notebook
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader import api
from nbgrader.utils import parse_utc

from autogradient.course.config import checked_student
from autogradient.coursework.gradebook import find_assignment, open_gradebook, url_of
from autogradient.feedback.notebooks import clean_notebook
from autogradient.model.files import write_atomically
from autogradient.model.result import Result

#: The file that says which of several attempts is shown.
ATTEMPT = "attempt.txt"


class Autograded:
    """The part of autograded/ that belongs to one assignment. Raises GradebookError where the
    gradebook does not know it.
    """

    def __init__(self, course_root: Path, assignment: str, gradebook_url: str = "") -> None:
        self.root, self.name = course_root / "autograded", assignment
        with open_gradebook(gradebook_url or url_of(course_root)) as book:
            self.known = _known_cells(book.db, find_assignment(book.db, assignment))

    def write(
        self,
        result: Result,
        notebook: Mapping[str, Any],
        answers: Mapping[str, int] | None = None,
        essays: Mapping[str, str] | None = None,
    ) -> list[Path]:
        """Write `{student}/{assignment}/{assignment}.ipynb`, where the formgrader and `nbgrader
        generate_feedback` read it.

        Cells get the release's nbgrader metadata back from the gradebook, locked cells their text;
        what the gradebook does not know is shown as plain cells, grade cells that are gone are put
        back, and active content is taken out, for staff open it with all their rights. `notebook`
        is the executed submission as it came (nbformat 4 data); `answers` says which of its cells
        (from 0) was graded as which grade_id, where an answer had lost its id, and `essays` what
        stands in the cell of one that was partly written elsewhere; a locked cell is known by its
        text, too. Of several cells with one id the last one that was changed is shown as the
        answer. Returns the paths, none for a missing submission. Raises GradebookError.
        """
        if result.outcome == "missing":
            return []
        students = [checked_student(student) for student in result.submission.students]
        text = write_notebook(
            _restored(self.known, notebook, answers or {}, essays or {}), version=4
        )
        paths = []
        for student in students:
            folder = self.root / student / self.name
            write_atomically(folder / f"{self.name}.ipynb", text)
            if result.submission.attempt is None:
                (folder / ATTEMPT).unlink(missing_ok=True)
            else:
                write_atomically(folder / ATTEMPT, f"{result.submission.attempt}\n")
            if result.submission.received_at:
                write_atomically(
                    folder / "timestamp.txt", f"{parse_utc(result.submission.received_at)} UTC\n"
                )
            paths.append(folder / f"{self.name}.ipynb")
        return paths


def _known_cells(db: Any, assignment: Any) -> dict[str, NotebookNode]:
    """The cells that the gradebook knows, in the release's order, with their text and nbgrader's
    metadata.
    """
    notebook = next(
        notebook for notebook in assignment.notebooks if notebook.name == assignment.name
    )
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
        known[source.name] = from_dict(
            {
                "cell_type": source.cell_type,
                "source": source.source,
                "metadata": {"nbgrader": marking},
            }
        )
    return known


def _restored(
    known: dict[str, NotebookNode],
    notebook: Mapping[str, Any],
    answers: Mapping[str, int],
    essays: Mapping[str, str],
) -> NotebookNode:
    """A copy of a submission in which the release's cells are marked as the release has them, and
    those that carry points are all there.
    """
    clean = clean_notebook(notebook)
    texts = {cell.source: name for name, cell in known.items() if cell.metadata.nbgrader.locked}
    place: dict[str, int] = {}
    for index, cell in enumerate(clean.cells):
        name = cell.metadata.pop("nbgrader", {}).get("grade_id") or texts.get(cell.source)
        if name in known and (name not in place or cell.source != known[name].source):
            place[name] = index
    claimed = {
        index: name
        for name, index in (
            place | {name: index for name, index in answers.items() if name in known}
        ).items()
    }
    cells = [
        _with_marking(cell, known[claimed[index]]) if index in claimed else cell
        for index, cell in enumerate(clean.cells)
    ]
    before = -1
    for name, release_cell in known.items():
        standing = [
            index
            for index, cell in enumerate(cells)
            if cell.metadata.get("nbgrader", {}).get("grade_id") == name
        ]
        if not standing and (
            release_cell.metadata.nbgrader.grade or release_cell.metadata.nbgrader.task
        ):
            standing = [before + 1]
            cells.insert(
                before + 1, _with_marking(NotebookNode(source=release_cell.source), release_cell)
            )
        before = standing[0] if standing else before
    _fill_in(cells, essays)
    clean.cells = cells
    return clean


def _fill_in(cells: list[NotebookNode], essays: Mapping[str, str]) -> None:
    """Put the whole text of an essay where it is marked, cleaned as all that a student wrote."""
    pictures = {
        name: picture for cell in cells for name, picture in cell.get("attachments", {}).items()
    }
    for cell in cells:
        text = essays.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
        if text is not None and not cell.metadata.nbgrader.locked:
            shown = {
                name: picture for name, picture in pictures.items() if f"attachment:{name}" in text
            }
            cell |= clean_notebook(
                {"cells": [{"cell_type": "markdown", "source": text, "attachments": shown}]}
            ).cells[0] | {
                "metadata": cell.metadata,
                "id": cell.id,
            }


def _with_marking(cell: NotebookNode, release_cell: NotebookNode) -> NotebookNode:
    make = new_code_cell if release_cell.cell_type == "code" else new_markdown_cell
    marking = release_cell.metadata.nbgrader
    made = make(
        source=release_cell.source if marking.locked else cell.source,
        metadata={"nbgrader": dict(marking)},
    )
    if cell.get("id"):
        made.id = cell.id
    for key in (
        {"outputs", "execution_count"} if release_cell.cell_type == "code" else {"attachments"}
    ):
        if key in cell:
            made[key] = cell[key]
    return made
