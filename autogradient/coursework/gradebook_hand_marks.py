"""Hand marks in nbgrader's gradebook: what people gave in the formgrader, told from what we put
there ourselves, and taken into the ledger.

A small table of ours beside nbgrader's remembers each hand mark as we last saw it: what differs
from it was done by a person. Where the gradebook is lost or restored from a backup, that memory
goes with it, and no mark is misread.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from nbgrader import api
from sqlalchemy import Column, MetaData, String, Table, Text, delete, false, insert, or_, select

from autogradient.course import ledger
from autogradient.course.ledger import Mark

#: Tables of ours in the gradebook.
OURS = MetaData()
_SEEN = Table(
    "autogradient_hand_marks",
    OURS,
    Column("notebook_id", String(32), primary_key=True),
    Column("cell", String(128), primary_key=True),
    Column("points", String(64)),
    Column("extra", String(64)),
    Column("comment", Text),
)


class Hand(NamedTuple):
    """What a person entered for one cell of one submission."""

    points: Decimal | None = None
    extra: Decimal | None = None
    comment: str | None = None


def exact(value: float | None) -> Decimal | None:
    """A score of nbgrader's as the number that was entered."""
    return None if value is None else Decimal(repr(float(value))).normalize()


def take(db: Any, ledger_path: Path, notebook_id: str | None = None) -> list[Mark]:
    """Append hand marks that differ from what we last saw to the ledger; of one submitted notebook,
    or of all.
    """
    _lock(db)
    now, seen = _hand_marks(db, notebook_id), _seen_marks(db, notebook_id)
    changed = {
        key: now.get(key, Hand())
        for key in sorted(now.keys() | seen.keys())
        if now.get(key, Hand()) != seen.get(key, Hand())
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
        why = "entered in the formgrader" if hand != Hand() else "cleared in the formgrader"
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
        remember(db, submitted, cell, hand)
    return entries


def _hand_marks(db: Any, notebook_id: str | None) -> dict[tuple[str, str], Hand]:
    """Every hand mark in the gradebook by (submitted notebook, cell)."""
    found: dict[tuple[str, str], Hand] = {}
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
        found[submitted, name] = Hand(exact(points), exact(extra))
    for submitted, name, text in db.execute(comments):
        found[submitted, name] = found.get((submitted, name), Hand())._replace(comment=text)
    return found


def _seen_marks(db: Any, notebook_id: str | None) -> dict[tuple[str, str], Hand]:
    """Every hand mark as we last saw it, of submissions that are still there."""
    query = select(_SEEN).join(
        api.SubmittedNotebook, api.SubmittedNotebook.id == _SEEN.c.notebook_id
    )
    if notebook_id is not None:
        query = query.where(_SEEN.c.notebook_id == notebook_id)
    return {
        (row.notebook_id, row.cell): Hand(
            None if row.points is None else Decimal(row.points),
            None if row.extra is None else Decimal(row.extra),
            row.comment,
        )
        for row in db.execute(query)
    }


def remember(db: Any, notebook_id: str, cell: str, hand: Hand) -> None:
    """Note the hand mark of a cell as it stands now."""
    db.execute(delete(_SEEN).where(_SEEN.c.notebook_id == notebook_id, _SEEN.c.cell == cell))
    if hand != Hand():
        points, extra = (None if value is None else str(value) for value in hand[:2])
        db.execute(
            insert(_SEEN).values(
                notebook_id=notebook_id, cell=cell, points=points, extra=extra, comment=hand.comment
            )
        )


def forget(db: Any, cell: str, notebook_ids: list[str]) -> None:
    """Forget what we last saw of a cell in these submitted notebooks."""
    db.execute(delete(_SEEN).where(_SEEN.c.cell == cell, _SEEN.c.notebook_id.in_(notebook_ids)))


def _lock(db: Any) -> None:
    """Begin to write, so that nobody enters a mark between our looking and our writing. SQLite
    locks on the first writing statement.
    """
    db.execute(delete(_SEEN).where(false()))
