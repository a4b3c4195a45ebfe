"""The one writer of nbgrader's gradebook.db: results and ledger in, so that nbgrader's formgrader,
feedback and export work on them.

Whatever is written, the marks that people gave in the formgrader are taken into the ledger first,
in the same transaction. To tell a new mark from one that we put there ourselves, a small table of
ours beside nbgrader's remembers each hand mark as we last saw it: what differs from it was done by
a person. Where the gradebook is lost or restored from a backup, that memory goes with it, and no
mark is misread.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from nbformat import NotebookNode, from_dict
from nbgrader import api
from nbgrader.utils import compute_checksum, is_grade, is_locked, is_solution, is_task, parse_utc
from sqlalchemy import Column, MetaData, String, Table, Text, delete, false, insert, or_, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autogradient import errors
from autogradient.course import ledger
from autogradient.course.config import checked_student
from autogradient.course.ledger import Mark
from autogradient.errors import GradebookError
from autogradient.feedback.sanitize import grade_id_of, text_of
from autogradient.model.assignment import Assignment
from autogradient.model.result import NO_VERDICT, PartResult, Result, decimal

_OURS = MetaData()
_SEEN = Table(
    "autogradient_hand_marks",
    _OURS,
    Column("notebook_id", String(32), primary_key=True),
    Column("cell", String(128), primary_key=True),
    Column("points", String(64)),
    Column("extra", String(64)),
    Column("comment", Text),
)


class _Hand(NamedTuple):
    """What a person entered for one cell of one submission."""

    points: Decimal | None = None
    extra: Decimal | None = None
    comment: str | None = None


class _Row(NamedTuple):
    """nbgrader's rows for one cell of one submission: a grade where it carries points, a comment
    where it holds an answer.
    """

    grade: Any = None
    comment: Any = None

    def hand(self) -> _Hand:
        """The hand mark that stands in the rows."""
        points, extra = (
            (self.grade.manual_score, self.grade.extra_credit)
            if self.grade is not None
            else (None, None)
        )
        comment = self.comment.manual_comment if self.comment is not None else None
        return _Hand(_exact(points), _exact(extra), comment or None)


def url_of(course_root: Path) -> str:
    """Where nbgrader looks for the gradebook of a course."""
    return f"sqlite:///{(course_root / 'gradebook.db').resolve()}"


def record_assignment(
    gradebook_url: str, assignment: Assignment, release: NotebookNode | None, ledger_path: Path
) -> None:
    """Write the rows of an assignment's cells from its released notebook (nbformat 4, nbgrader
    metadata; None for nbgrader's and otter's formats).

    What `nbgrader generate_assignment` would write, except that a changed release is no error:
    cells that remain keep their grades in all submissions, cells that are new wait to be graded,
    and marks of cells that are gone stay in the ledger. Raises GradebookError, LedgerError.
    """
    with open_gradebook(gradebook_url) as book:
        _take(book.db, ledger_path)
        _write_assignment(book.db, assignment, release or foreign_release(assignment))
        book.db.commit()


def record_result(
    gradebook_url: str,
    assignment: Assignment,
    result: Result,
    notebook: Mapping[str, Any] | None,
    ledger_path: Path,
) -> None:
    """Write one result: students, their submission, an automatic score for each grade cell, and the
    hand marks that the ledger has.

    `notebook` is the submission with the release's metadata; it is only asked which answers stand
    as released. See `record_results`.
    """
    record_results(gradebook_url, assignment, [(result, notebook)], ledger_path)


def record_results(
    gradebook_url: str,
    assignment: Assignment,
    results: Iterable[tuple[Result, Mapping[str, Any] | None]],
    ledger_path: Path,
) -> None:
    """Write many results of one assignment, each whole or not at all. A missing submission writes
    nothing.

    A cell without a verdict (not run, grader error, unreadable) gets no score and waits for a
    person. Every student of a team gets the submission. Raises GradebookError where the assignment
    was not recorded or the gradebook is in use, LedgerError.
    """
    with open_gradebook(gradebook_url) as book:
        for result, notebook in results:
            if result.outcome == "missing":
                continue
            for student in result.submission.students:
                _write_result(book.db, assignment, result, notebook, student, ledger_path)
                book.db.commit()


def take_hand_marks(gradebook_url: str, ledger_path: Path) -> list[Mark]:
    """Append to the ledger what people entered in the formgrader since we last looked (scores,
    extra credit, comments, marks cleared).

    Returns the new entries; none where there is no gradebook yet. Every function here that writes
    does this first. Raises GradebookError, LedgerError.
    """
    if not _exists(gradebook_url):
        return []
    with open_gradebook(gradebook_url) as book:
        found = _take(book.db, ledger_path)
        book.db.commit()
        return found


def recorded(gradebook_url: str, assignment: str) -> set[str]:
    """The students whose submission to an assignment is in the gradebook; none where there is no
    gradebook yet. Raises GradebookError.
    """
    if not _exists(gradebook_url):
        return set()
    with open_gradebook(gradebook_url) as book:
        row = book.db.query(api.Assignment).filter_by(name=assignment).one_or_none()
        return {submission.student_id for submission in row.submissions} if row else set()


def _exists(gradebook_url: str) -> bool:
    """Whether there is a gradebook, as far as that can be told without making one."""
    path = make_url(gradebook_url).database
    return not (
        path and make_url(gradebook_url).get_backend_name() == "sqlite" and not Path(path).exists()
    )


def rebuild(
    gradebook_url: str,
    releases: Iterable[tuple[Assignment, NotebookNode | None]],
    results: Iterable[Result],
    ledger_path: Path,
) -> None:
    """Make the gradebook anew from released notebooks, results and ledger alone; the old one is
    replaced when the new one is whole.

    Hand marks that stand only in the old gradebook are taken into the ledger first. Raises
    GradebookError, LedgerError.
    """
    take_hand_marks(gradebook_url, ledger_path)
    url = make_url(gradebook_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise GradebookError(errors.GRADEBOOK_NOT_A_FILE.format(url=gradebook_url))
    path = Path(url.database)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    by_assignment: dict[str, list[tuple[Result, None]]] = {}
    for result in results:
        by_assignment.setdefault(result.assignment, []).append((result, None))
    try:
        for assignment, release in releases:
            record_assignment(f"sqlite:///{fresh}", assignment, release, ledger_path)
            record_results(
                f"sqlite:///{fresh}",
                assignment,
                by_assignment.get(assignment.name, []),
                ledger_path,
            )
        if fresh.exists():
            os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


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


# ---- the database --------------------------------------------------------------------------------


@contextmanager
def open_gradebook(url: str) -> Iterator[Any]:
    """nbgrader's gradebook, made where there is none, locked against other writers until the caller
    commits.
    """
    path = os.environ.get("PATH", "")
    try:
        # nbgrader runs it by name to stamp a new database; it stands beside our interpreter
        if shutil.which("alembic") is None:
            os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
        book = api.Gradebook(url)
    except (SQLAlchemyError, ValueError) as error:
        raise GradebookError(errors.NO_GRADEBOOK.format(url=url, problem=_cause(error))) from error
    finally:
        os.environ["PATH"] = path
    try:
        _OURS.create_all(book.engine)
        yield book
    except DBAPIError as error:
        raise GradebookError(
            errors.GRADEBOOK_BUSY.format(url=url, problem=_cause(error))
        ) from error
    finally:
        book.close()


def _cause(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).split("\n")[0]


def _lock(db: Any) -> None:
    """Begin to write, so that nobody enters a mark between our looking and our writing. SQLite
    locks on the first writing statement.
    """
    db.execute(delete(_SEEN).where(false()))


def find_assignment(db: Any, assignment: str) -> Any:
    """nbgrader's row of an assignment; GradebookError where it was never recorded."""
    row = db.query(api.Assignment).filter_by(name=assignment).one_or_none()
    if row is None or not row.notebooks:
        raise GradebookError(errors.NOT_RECORDED.format(assignment=assignment))
    return row


def _exact(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(float(value))).normalize()


# ---- the assignment ------------------------------------------------------------------------------


def _write_assignment(db: Any, assignment: Assignment, release: NotebookNode) -> None:
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
        _mirror(db, submission)


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
    db.execute(delete(_SEEN).where(_SEEN.c.cell == cell.name, _SEEN.c.notebook_id.in_(submissions)))
    db.expire(cell)
    db.delete(cell)
    db.flush()


def _mirror(db: Any, submission: Any) -> None:
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


# ---- results -------------------------------------------------------------------------------------


def _write_result(
    db: Any,
    assignment: Assignment,
    result: Result,
    notebook: Mapping[str, Any] | None,
    student: str,
    ledger_path: Path,
) -> None:
    row = find_assignment(db, assignment.name)
    if db.get(api.Student, checked_student(student)) is None:
        db.add(api.Student(id=student))
    submission = (
        db.query(api.SubmittedAssignment)
        .filter_by(assignment_id=row.id, student_id=student)
        .one_or_none()
    )
    if submission is None:
        submission = api.SubmittedAssignment(assignment_id=row.id, student_id=student)
        db.add(submission)
    if result.submission.received_at:
        submission.timestamp = parse_utc(result.submission.received_at)
    db.flush()
    _mirror(db, submission)
    mine = next(
        mine
        for mine in submission.notebooks
        if mine.notebook_id == next(n.id for n in row.notebooks if n.name == assignment.name)
    )
    _take(db, ledger_path, mine.id)
    entries = ledger.as_graded(
        ledger.resolved(ledger.read(ledger_path), assignment.name, assignment.former),
        result,
        assignment.former,
    )
    given = ledger.marks(entries, assignment.name, result.submission.students)
    unanswered = _unanswered(db, mine.notebook_id, notebook)
    # of a file that nobody could read nothing is known, not even what is unanswered
    parts = [] if result.outcome == "unreadable" else result.parts
    for name, cells in _rows(db, mine.id).items():
        _score(name, cells, parts)
        found = ledger.locate(parts, name)
        if cells.comment is not None:
            silent = found is not None and not found[0].attempted or name in unanswered
            cells.comment.auto_comment = "No response." if silent else None
        _put_mark(db, mine.id, name, cells, found[0] if found else None, given)


def _score(name: str, cells: _Row, parts: list[PartResult]) -> None:
    """Write the automatic score of a cell, None where a case of it has no verdict. An essay that
    nobody wrote is worth nothing, as nbgrader has it.
    """
    grade = cells.grade
    if grade is None:
        return
    found = ledger.locate(parts, name)
    before = grade.auto_score
    if found is None or not found[1]:
        score = None
    elif found[0].kind == "essay" and not found[0].attempted:
        score = 0.0
    else:
        score = (
            None
            if any(case.outcome in NO_VERDICT for case in found[1])
            else float(sum(case.earned for case in found[1]))
        )
    grade.auto_score = score
    if grade.manual_score is None:
        grade.needs_manual_grade = score is None
    elif score != before:  # a person spoke about another verdict: let them look again
        grade.needs_manual_grade = True


def _put_mark(
    db: Any,
    notebook_id: str,
    name: str,
    cells: _Row,
    part: PartResult | None,
    given: dict[str, Mark],
) -> None:
    """Write the ledger's newest mark for a cell into its rows, and remember what stands
    there now.
    """
    names = {name, part.id} if part is not None and part.kind == "essay" else {name}
    mark = next((given[key] for key in reversed(given) if key in names), None)
    if mark is None:
        return
    grade, comment = cells.grade, cells.comment
    if grade is not None and (_exact(grade.manual_score), _exact(grade.extra_credit)) != (
        mark.points,
        mark.extra,
    ):
        grade.manual_score = None if mark.points is None else float(mark.points)
        grade.extra_credit = None if mark.extra is None else float(mark.extra)
        grade.needs_manual_grade = grade.manual_score is None and grade.auto_score is None
    if comment is not None:
        comment.manual_comment = mark.comment
    _remember(db, notebook_id, name, cells.hand())


def _unanswered(db: Any, notebook_id: str, notebook: Mapping[str, Any] | None) -> set[str]:
    """The cells of a submission whose text stands as released, by grade_id; of several with one id,
    all must.
    """
    if notebook is None:
        return set()
    released = dict(
        db.execute(
            select(api.SourceCell.name, api.SourceCell.source).where(
                api.SourceCell.notebook_id == notebook_id
            )
        ).all()
    )
    cells = [
        (grade_id_of(cell), text_of(cell.get("source")))
        for cell in notebook.get("cells", [])
        if isinstance(cell, dict)
    ]
    changed = {name for name, text in cells if released.get(name) != text}
    return {name for name, _ in cells if name in released} - changed


def _rows(db: Any, notebook_id: str) -> dict[str, _Row]:
    rows: dict[str, _Row] = {}
    for kind, field in ((api.Grade, "grade"), (api.Comment, "comment")):
        query = db.query(kind, api.BaseCell.name).join(
            api.BaseCell, api.BaseCell.id == kind.cell_id
        )
        for row, name in query.filter(kind.notebook_id == notebook_id):
            rows[name] = rows.get(name, _Row())._replace(**{field: row})
    return rows


# ---- hand marks ----------------------------------------------------------------------------------


def _take(db: Any, ledger_path: Path, notebook_id: str | None = None) -> list[Mark]:
    """Append hand marks that differ from what we last saw to the ledger; of one submitted notebook,
    or of all.
    """
    _lock(db)
    now, seen = _hand_marks(db, notebook_id), _seen_marks(db, notebook_id)
    changed = {
        key: now.get(key, _Hand())
        for key in sorted(now.keys() | seen.keys())
        if now.get(key, _Hand()) != seen.get(key, _Hand())
    }
    entries = []
    for (submitted, cell), hand in changed.items():
        student, assignment = db.execute(
            select(api.SubmittedAssignment.student_id, api.Assignment.name)
            .join(api.Assignment, api.Assignment.id == api.SubmittedAssignment.assignment_id)
            .join(
                api.SubmittedNotebook,
                api.SubmittedNotebook.assignment_id == api.SubmittedAssignment.id,
            )
            .where(api.SubmittedNotebook.id == submitted)
        ).one()
        why = "entered in the formgrader" if hand != _Hand() else "cleared in the formgrader"
        entries.append(
            Mark(
                student=student,
                assignment=assignment,
                part=cell,
                **hand._asdict(),
                who="formgrader",
                when=datetime.now(UTC).replace(microsecond=0),
                why=why,
            )
        )
    ledger.append(ledger_path, *entries)
    for (submitted, cell), hand in changed.items():
        _remember(db, submitted, cell, hand)
    return entries


def _hand_marks(db: Any, notebook_id: str | None) -> dict[tuple[str, str], _Hand]:
    """Every hand mark in the gradebook by (submitted notebook, cell)."""
    found: dict[tuple[str, str], _Hand] = {}
    grade, comment, cell = api.Grade, api.Comment, api.BaseCell
    grades = select(grade.notebook_id, cell.name, grade.manual_score, grade.extra_credit).join(
        cell, cell.id == grade.cell_id
    )
    grades = grades.where(or_(grade.manual_score.is_not(None), grade.extra_credit.is_not(None)))
    comments = (
        select(comment.notebook_id, cell.name, comment.manual_comment)
        .join(cell, cell.id == comment.cell_id)
        .where(comment.manual_comment != "")
    )
    if notebook_id is not None:
        grades, comments = (
            grades.where(grade.notebook_id == notebook_id),
            comments.where(comment.notebook_id == notebook_id),
        )
    for submitted, name, points, extra in db.execute(grades):
        found[submitted, name] = _Hand(_exact(points), _exact(extra))
    for submitted, name, text in db.execute(comments):
        found[submitted, name] = found.get((submitted, name), _Hand())._replace(comment=text)
    return found


def _seen_marks(db: Any, notebook_id: str | None) -> dict[tuple[str, str], _Hand]:
    """Every hand mark as we last saw it, of submissions that are still there."""
    query = select(_SEEN).join(
        api.SubmittedNotebook, api.SubmittedNotebook.id == _SEEN.c.notebook_id
    )
    if notebook_id is not None:
        query = query.where(_SEEN.c.notebook_id == notebook_id)
    return {
        (row.notebook_id, row.cell): _Hand(
            None if row.points is None else Decimal(row.points),
            None if row.extra is None else Decimal(row.extra),
            row.comment,
        )
        for row in db.execute(query)
    }


def _remember(db: Any, notebook_id: str, cell: str, hand: _Hand) -> None:
    db.execute(delete(_SEEN).where(_SEEN.c.notebook_id == notebook_id, _SEEN.c.cell == cell))
    if hand != _Hand():
        points, extra = (None if value is None else str(value) for value in hand[:2])
        db.execute(
            insert(_SEEN).values(
                notebook_id=notebook_id, cell=cell, points=points, extra=extra, comment=hand.comment
            )
        )
