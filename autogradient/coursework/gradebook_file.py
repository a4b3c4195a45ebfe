"""The file of nbgrader's gradebook: where it is, what it has as far as that can be told without
nbgrader, and who may replace it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

#: What the name of a gradebook is followed by that was replaced.
BEFORE = ".before-"
_RECORDED = """
    SELECT assignment.name, submitted_assignment.student_id FROM submitted_assignment
    JOIN assignment ON assignment.id = submitted_assignment.assignment_id
"""
_PENALTY = "SELECT 1 FROM submitted_notebook WHERE late_submission_penalty IS NOT NULL LIMIT 1"
_MARKS = """
    SELECT assignment.name, submitted_assignment.student_id, base_cell.name, {columns}
    FROM {table}
    JOIN base_cell ON base_cell.id = {table}.cell_id
    JOIN submitted_notebook ON submitted_notebook.id = {table}.notebook_id
    JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
    JOIN assignment ON assignment.id = submitted_assignment.assignment_id
    WHERE {which}
"""
_GRADES = _MARKS.format(
    table="grade",
    columns="grade.manual_score, grade.extra_credit",
    which="grade.manual_score IS NOT NULL OR grade.extra_credit IS NOT NULL",
)
_COMMENTS = _MARKS.format(
    table="comment", columns="comment.manual_comment", which="comment.manual_comment != ''"
)


def file_of(gradebook_url: str) -> Path | None:
    """The file that a gradebook is in; None where it is a database of another kind."""
    url = make_url(gradebook_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(url.database)


def is_empty(file: Path) -> bool:
    """Whether there is nothing: no file, or none of any length."""
    return not file.is_file() or file.stat().st_size == 0


def recorded(file: Path) -> set[tuple[str, str]] | None:
    """Whose submissions are in a gradebook, by assignment and student; None where that cannot be
    read.
    """
    rows, whole = _read(file, _RECORDED)
    return {(name, student) for name, student in rows} if whole else None


def has_penalties(file: Path) -> bool:
    """Whether some submission has a penalty for coming late."""
    return bool(_read(file, _PENALTY)[0])


def salvage(file: Path) -> dict[tuple[str, str, str], tuple[float | None, float | None, str]]:
    """What can be read of hand marks in a damaged gradebook: by student, assignment and cell, the
    points, the extra points and the comment.
    """
    found: dict[tuple[str, str, str], tuple[float | None, float | None, str]] = {}
    for name, student, cell, points, extra in _read(file, _GRADES)[0]:
        found[student, name, cell] = (points, extra, "")
    for name, student, cell, comment in _read(file, _COMMENTS)[0]:
        points, extra, _ = found.get((student, name, cell), (None, None, ""))
        found[student, name, cell] = (points, extra, comment)
    return found


def keep(file: Path) -> Path | None:
    """Give what a gradebook has now a second name, which tells when; returns that, None where there
    is nothing to keep. A journal goes with it, lest it be played into what takes its place.
    """
    if is_empty(file):
        return None
    now = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
    kept = file.with_name(f"{file.name}{BEFORE}{now}")
    try:
        os.link(file, kept)
    except OSError:  # a file system without a second name for a file
        shutil.copy2(file, kept)
    for ending in ("-journal", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{file}{ending}", f"{kept}{ending}")
    return kept


@contextlib.contextmanager
def held(results: Path) -> Iterator[None]:
    """Nobody else who holds it records results or replaces the gradebook meanwhile; waits for those
    who do.
    """
    results.mkdir(parents=True, exist_ok=True)
    handle = os.open(results / ".gradebook.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(file: Path, query: str) -> tuple[list[tuple[Any, ...]], bool]:
    """The rows of a query, up to where the file is damaged, and whether that was nowhere."""
    rows: list[tuple[Any, ...]] = []
    if is_empty(file):
        return rows, True
    with contextlib.suppress(sqlite3.Error, UnicodeError):
        address = f"{file.resolve().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            cursor = connection.execute(query)
            while (row := cursor.fetchone()) is not None:
                rows.append(row)
            return rows, True
    return rows, False
