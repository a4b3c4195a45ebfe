"""The one writer of nbgrader's gradebook.db: results and ledger in, so that nbgrader's formgrader,
feedback and export work on them.

Whatever is written, the marks that people gave in the formgrader are taken into the ledger first,
in the same transaction.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nbformat import NotebookNode
from nbgrader import api
from nbgrader.utils import parse_utc
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from autogradient import errors
from autogradient.course import ledger
from autogradient.course.config import Course, address_of, checked_student
from autogradient.course.ledger import Mark
from autogradient.coursework import gradebook_file, messages
from autogradient.coursework.gradebook_cells import foreign_release, mirror, write_assignment
from autogradient.coursework.gradebook_hand_marks import OURS, Hand, exact, remember, take
from autogradient.errors import DamagedGradebookError, GradebookError
from autogradient.feedback.sanitize import grade_id_of, text_of
from autogradient.model.assignment import Assignment
from autogradient.model.result import NO_VERDICT, PartResult, Result

#: Seconds that a gradebook is waited for to which another program writes.
WAIT_S = 30.0


class _Row(NamedTuple):
    """nbgrader's rows for one cell of one submission: a grade where it carries points, a comment
    where it holds an answer.
    """

    grade: Any = None
    comment: Any = None

    def hand(self) -> Hand:
        """The hand mark that stands in the rows."""
        points, extra = (
            (self.grade.manual_score, self.grade.extra_credit)
            if self.grade is not None
            else (None, None)
        )
        comment = self.comment.manual_comment if self.comment is not None else None
        return Hand(exact(points), exact(extra), comment or None)


def url_of(course_root: Path) -> str:
    """Where nbgrader looks for the gradebook of a course."""
    return Course(course_root.resolve()).gradebook_url


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
        take(book.db, ledger_path)
        write_assignment(book.db, assignment, release or foreign_release(assignment))
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
        found = take(book.db, ledger_path)
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
    file = gradebook_file.file_of(gradebook_url)
    return file is None or not gradebook_file.is_empty(file)


@dataclass
class Rebuilt:
    """What became of the gradebook from before: the name under which it is kept (None where there
    was none), and how many hand marks were found in it though it was damaged.
    """

    kept: Path | None = None
    salvaged: int = 0


def rebuild(
    gradebook_url: str,
    releases: Iterable[tuple[Assignment, NotebookNode | None]],
    results: Iterable[Result],
    ledger_path: Path,
) -> Rebuilt:
    """Make the gradebook anew from released notebooks, results and ledger alone; the old one is
    replaced when the new one is whole, and kept under another name.

    Hand marks that stand only in the old gradebook are taken into the ledger first, those that
    people give meanwhile afterwards; of a damaged one those that can be read. Raises
    GradebookError, LedgerError.
    """
    path = gradebook_file.file_of(gradebook_url)
    if path is None:
        raise GradebookError(messages.GRADEBOOK_NOT_A_FILE.format(url=gradebook_url))
    rebuilt, damaged = Rebuilt(), False
    try:
        take_hand_marks(gradebook_url, ledger_path)
    except DamagedGradebookError:
        damaged, rebuilt.salvaged = True, _salvage(path, ledger_path)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    rows: dict[str, list[tuple[Result, None]]] = {}
    for result in results:
        rows.setdefault(result.assignment, []).append((result, None))
    assignments = {}
    try:
        for assignment, release in releases:
            assignments[assignment.name] = assignment
            record_assignment(address_of(fresh), assignment, release, ledger_path)
            found = rows.get(assignment.name, [])
            record_results(address_of(fresh), assignment, found, ledger_path)
        if not fresh.exists():
            return rebuilt
        rebuilt.kept = gradebook_file.keep(path)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    if rebuilt.kept and not damaged:
        late = take_hand_marks(address_of(rebuilt.kept), ledger_path)
        for name in {mark.assignment for mark in late} & assignments.keys():
            whose = {mark.student for mark in late if mark.assignment == name}
            again = [row for row in rows.get(name, []) if whose & set(row[0].submission.students)]
            record_results(gradebook_url, assignments[name], again, ledger_path)
    return rebuilt


def _salvage(path: Path, ledger_path: Path) -> int:
    """Append the hand marks that can be read in a damaged gradebook to the ledger, where that does
    not have them; returns how many those are.
    """
    entries, known = [], ledger.read(ledger_path)
    for (student, name, cell), (points, extra, comment) in gradebook_file.salvage(path).items():
        given = ledger.marks(known, name, [student])
        names = (cell, cell.removesuffix("-answer"), cell.removesuffix("-hidden"))
        newest = next((given[key] for key in names if key in given), None)
        hand = Hand(exact(points), exact(extra), comment or None)
        if newest is None or (newest.points, newest.extra, newest.comment or None) != hand:
            why = "found in a damaged gradebook"
            entries.append(
                Mark(
                    student=student,
                    assignment=name,
                    part=cell,
                    **hand._asdict(),
                    who="formgrader",
                    why=why,
                )
            )
    ledger.append(ledger_path, *entries)
    return len(entries)


# ---- the database --------------------------------------------------------------------------------


@contextmanager
def open_gradebook(url: str) -> Iterator[Any]:
    """nbgrader's gradebook, made where there is none, locked against other writers until the caller
    commits. Raises GradebookError, where others write to it for `WAIT_S` too.
    """
    file, address = gradebook_file.file_of(url), url
    if file is not None:
        with suppress(OSError):  # with the mode that the umask says; SQLite's own is narrower
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666))
        waits = make_url(url).update_query_dict({"timeout": f"{WAIT_S:g}"})
        address = waits.render_as_string(hide_password=False)
    path = os.environ.get("PATH", "")
    try:
        # nbgrader runs it by name to stamp a new database; it stands beside our interpreter
        if shutil.which("alembic") is None:
            os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
        book = api.Gradebook(address)
    except (SQLAlchemyError, ValueError) as error:
        raise _trouble(url, error) from error
    finally:
        os.environ["PATH"] = path
    try:
        OURS.create_all(book.engine)
        yield book
    except DBAPIError as error:
        raise _trouble(url, error) from error
    finally:
        book.close()


def _trouble(url: str, error: Exception) -> GradebookError:
    """What to say of a gradebook that did not do as it was told."""
    problem = str(getattr(error, "orig", None) or error).split("\n")[0]
    path = gradebook_file.file_of(url)
    told = {"file": errors.relative(path) if path else url, "problem": problem}
    if "malformed" in problem or "not a database" in problem:
        return DamagedGradebookError(messages.GRADEBOOK_DAMAGED.format(**told))
    if "locked" in problem:
        return GradebookError(messages.GRADEBOOK_BUSY.format(**told, seconds=WAIT_S))
    return GradebookError(messages.GRADEBOOK_NOT_WRITTEN.format(**told))


def find_assignment(db: Any, assignment: str) -> Any:
    """nbgrader's row of an assignment; GradebookError where it was never recorded."""
    row = db.query(api.Assignment).filter_by(name=assignment).one_or_none()
    if row is None or not row.notebooks:
        raise GradebookError(messages.NOT_RECORDED.format(assignment=assignment))
    return row


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
    mirror(db, submission)
    mine = next(
        mine
        for mine in submission.notebooks
        if mine.notebook_id == next(n.id for n in row.notebooks if n.name == assignment.name)
    )
    take(db, ledger_path, mine.id)
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
    if grade is not None and (exact(grade.manual_score), exact(grade.extra_credit)) != (
        mark.points,
        mark.extra,
    ):
        grade.manual_score = None if mark.points is None else float(mark.points)
        grade.extra_credit = None if mark.extra is None else float(mark.extra)
        grade.needs_manual_grade = grade.manual_score is None and grade.auto_score is None
    if comment is not None:
        comment.manual_comment = mark.comment
    remember(db, notebook_id, name, cells.hand())


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
