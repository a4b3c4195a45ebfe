"""The cells of an assignment in nbgrader's gradebook: from its released notebook into their rows,
and a row for each in every submission.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

from nbformat import NotebookNode, from_dict
from nbgrader import api
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task
from sqlalchemy import delete, select

from autogradient.coursework.gradebook_hand_marks import forget
from autogradient.model.assignment import Assignment
from autogradient.model.result import decimal


def foreign_release(assignment: Assignment) -> NotebookNode:
    """The released notebook of an assignment in nbgrader's or otter's format, as far as the
    gradebook wants it: its cells with their marking.
    """
    parts = {part.id: part for part in assignment.parts}
    cells = []
    for cell in assignment.cells:
        part = parts.get(cell.grade_id)
        solution, task = (
            cell.role == "answer",
            part is not None and part.by_hand and cell.role == "text",
        )
        if part is not None and assignment.format == "otter":
            continue
        if cell.grade_id and (part is not None or solution or cell.role == "given"):
            text = str(cell.metadata.get("released", cell.source))
            flags = {
                "grade": part is not None and not task,
                "solution": solution,
                "task": task,
                "locked": not solution,
            }
            cells.append(
                _marked_cell(cell.kind, text, cell.grade_id, flags, part.points if part else None)
            )
    # checks have no ids of nbgrader's, so each part gets a cell for its visible points and one for
    # its hidden ones
    if assignment.format == "otter":
        flags = {"grade": True, "solution": False, "task": False, "locked": True}
        checks = {cell.grade_id: cell.source for cell in assignment.cells if cell.grade_id in parts}
        for part in assignment.parts:
            if part.visible_points:
                cells.append(
                    _marked_cell(
                        "code",
                        checks.get(part.id, f'grader.check("{part.id}")'),
                        part.id,
                        flags,
                        part.visible_points,
                    )
                )
            if part.hidden_points:
                cells.append(
                    _marked_cell(
                        "code",
                        f"# more of {part.id} is checked after you submit",
                        f"{part.id}-hidden",
                        flags,
                        part.hidden_points,
                    )
                )
    return from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": assignment.kernelspec},
            "cells": cells,
        }
    )


def _marked_cell(
    kind: str, source: str, grade_id: str, flags: dict[str, bool], points: Fraction | None
) -> NotebookNode:
    marking = {"schema_version": 3, "grade_id": grade_id, "cell_type": kind, **flags} | (
        {} if points is None else {"points": decimal(points)}
    )
    cell: NotebookNode = from_dict(
        {"cell_type": kind, "source": source, "metadata": {"nbgrader": marking}}
    )
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    return cell


def write_assignment(db: Any, assignment: Assignment, release: NotebookNode) -> None:
    """Write the rows of an assignment's cells, and those that its submissions lack."""
    row = db.query(api.Assignment).filter_by(name=assignment.name).one_or_none()
    if row is None:
        row = api.Assignment(name=assignment.name)
        db.add(row)
    notebook = next(
        (notebook for notebook in row.notebooks if notebook.name == assignment.name), None
    )
    if notebook is None:
        notebook = api.Notebook(name=assignment.name, assignment=row)
        db.add(notebook)
    notebook.kernelspec = json.dumps(release.metadata.get("kernelspec", {}))
    db.flush()
    _write_cells(db, notebook, release, _extra(assignment))
    db.expire_all()
    for submission in row.submissions:
        mirror(db, submission)


def _extra(assignment: Assignment) -> set[str]:
    """The cells of optional questions: what they earn is a bonus, which nbgrader knows as points
    above a maximum of 0.
    """
    parts = [
        part.id for question in assignment.questions if question.optional for part in question.parts
    ]
    return {name for part in parts for name in (part, f"{part}-hidden", f"{part}-answer")}


def _write_cells(db: Any, notebook: Any, release: NotebookNode, extra: set[str]) -> None:
    wanted: dict[tuple[type, str], dict[str, Any]] = {}
    sources = []
    for cell in release.cells:
        kinds = [
            kind
            for kind, test in (
                (api.GradeCell, is_grade),
                (api.SolutionCell, is_solution),
                (api.TaskCell, is_task),
            )
            if test(cell)
        ]
        if not kinds and not is_locked(cell):
            continue
        marking = cell.metadata.nbgrader
        for kind in kinds:
            most = 0.0 if marking["grade_id"] in extra else float(marking.get("points") or 0)
            wanted[kind, marking["grade_id"]] = (
                {} if kind is api.SolutionCell else {"max_score": most, "cell_type": cell.cell_type}
            )
        source = {
            "cell_type": cell.cell_type,
            "locked": bool(is_locked(cell)),
            "source": cell.source,
            "checksum": marking.get("checksum"),
        }
        sources.append(api.SourceCell(name=marking["grade_id"], notebook_id=notebook.id, **source))
    have = {(type(cell), cell.name): cell for cell in notebook._base_cells}
    for key, cell in have.items():
        if key not in wanted:
            _remove(db, cell)
    for (kind, name), columns in wanted.items():
        present = have.get((kind, name))
        if present is None:
            db.add(kind(name=name, notebook_id=notebook.id, **columns))
            continue
        for column, value in columns.items():
            setattr(present, column, value)
    # nothing refers to source cells, and nbgrader reads their order from the table: written anew,
    # they stand as in the notebook
    db.execute(delete(api.SourceCell).where(api.SourceCell.notebook_id == notebook.id))
    for source_cell in sources:
        db.add(source_cell)
        db.flush()


def _remove(db: Any, cell: Any) -> None:
    submissions = [notebook.id for notebook in cell.notebook.submissions]
    for kind in (api.Grade, api.Comment):
        db.execute(
            delete(kind)
            .where(kind.cell_id == cell.id)
            .execution_options(synchronize_session="fetch")
        )
    forget(db, cell.name, submissions)
    db.expire(cell)
    db.delete(cell)
    db.flush()


def mirror(db: Any, submission: Any) -> None:
    """Give a submission the rows that it lacks; nbgrader does so only when the
    submission is new.
    """
    for notebook in submission.assignment.notebooks:
        mine = next(
            (mine for mine in submission.notebooks if mine.notebook_id == notebook.id), None
        )
        if mine is None:
            mine = api.SubmittedNotebook(notebook_id=notebook.id, assignment_id=submission.id)
            db.add(mine)
            db.flush()
        graded = set(db.scalars(select(api.Grade.cell_id).where(api.Grade.notebook_id == mine.id)))
        commented = set(
            db.scalars(select(api.Comment.cell_id).where(api.Comment.notebook_id == mine.id))
        )
        for cell in notebook._base_cells:
            if not isinstance(cell, api.SolutionCell) and cell.id not in graded:
                db.add(api.Grade(cell_id=cell.id, notebook_id=mine.id))
            if not isinstance(cell, api.GradeCell) and cell.id not in commented:
                db.add(api.Comment(cell_id=cell.id, notebook_id=mine.id))
    db.flush()
    db.expire(submission)
