"""Results of a grader as untrusted data: what fits its assignment and what was collected is
accepted, what does not is refused with a sentence.

Whoever graded had student code on the machine. So nothing is believed that can be known otherwise:
students come from the roster, what can be earned from the assignment, commit and time of receipt
from what `collect` wrote, and points are added up anew.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autogradient import errors
from autogradient.course import times
from autogradient.course.config import Course
from autogradient.course.ledger import BY_HAND
from autogradient.course.marks import ADJUSTED, VOID
from autogradient.github import messages
from autogradient.github.attempt_folders import RECEIPT
from autogradient.github.pushes import Head
from autogradient.github.read_commit import shown
from autogradient.grading.find_submissions import student_folder
from autogradient.grading.read_notebook import MAX_MB
from autogradient.model.assignment import Assignment, Part
from autogradient.model.files import digest
from autogradient.model.result import NO_VERDICT, PartResult, Result, add_up, decimal

#: Bytes of a result and of a receipt, remarks in a result, attempts of one student that are read.
MAX_RESULT, MAX_RECEIPT, MAX_PROBLEMS, MAX_ATTEMPTS = 2_000_000, 100_000, 300, 1000
#: Folders of results/ that hold no results.
OTHERS = ("sheets",)
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_POINTS = ("earned", "possible", "ungraded", "bonus")
#: Points are written as the nearest decimal.
_NEAR = 1e-6


class _Refused(Exception):
    """Why a file is not believed."""


@dataclass(frozen=True)
class Origin:
    """Where an attempt came from, by the record of `collect`: `commit` and `repository` are ""
    where it was not pushed.
    """

    folder: Path
    received: str
    file: str = ""
    repository: str = ""
    commit: str = ""
    digest: str = ""

    def notebook(self, assignment: str) -> bytes | None:
        """What was handed in; None where it is not there as it was collected."""
        try:
            data = bounded(self.folder / f"{assignment}.ipynb", MAX_MB * 1_000_000)
        except _Refused:
            return None
        return data if digest(data) == self.digest else None


@dataclass
class Accepted:
    """What is believed: assignment → student → results of the attempts, and where each attempt came
    from; and a sentence for each file that is not.
    """

    results: dict[str, dict[str, list[Result]]] = field(default_factory=dict)
    origins: dict[tuple[str, str, int], Origin] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    #: Who has left the roster: they were collected from, and nothing of theirs is believed or
    #: refused.
    left: set[str] = field(default_factory=set)

    @property
    def remarks(self) -> list[str]:
        """One sentence about those who have left, none where nobody has."""
        return (
            [messages.RESULT_LEFT.format(students=", ".join(sorted(self.left)))]
            if self.left
            else []
        )


def accept(course: Course, assignments: Iterable[Assignment], students: Iterable[str]) -> Accepted:
    """Read results/ of some assignments. What is refused stops nobody else; of whoever has a
    refused attempt nothing is accepted for that assignment.
    """
    found, known = Accepted(), set(students)
    had = collected(course)
    for path in _inside(course.results):
        if path.name not in (*OTHERS, *course.names()) and _is_folder(path):
            found.refused.append(
                messages.RESULT_REFUSED.format(
                    file=_shown(path), reason=messages.RESULT_NO_ASSIGNMENT
                )
            )
    for assignment in assignments:
        of_one, held = found.results.setdefault(assignment.name, {}), set[str]()
        for path, student, attempt in _files(course.results / assignment.name, found.refused):
            try:
                if student not in known and student in had:
                    found.left.add(student)
                    continue
                if student not in known:
                    raise _Refused(messages.RESULT_STRANGER)
                result, origin = _accepted(course, assignment, path, student, attempt)
            except _Refused as reason:
                found.refused.append(
                    messages.RESULT_REFUSED.format(file=_shown(path), reason=reason)
                )
                held.add(student)
                continue
            of_one.setdefault(student, []).append(result)
            found.origins[assignment.name, student, attempt] = origin
        for student in held:  # else another attempt than theirs might seem to count
            of_one.pop(student, None)
        for results in of_one.values():
            results.sort(
                key=lambda result: (
                    result.submission.received_at or "",
                    result.submission.attempt or 0,
                )
            )
    return found


def collected(course: Course) -> set[str]:
    """The students of whom `collect` has a receipt: each was on the roster once, and no grader can
    write one.
    """
    folders = (
        path for path in _inside(course.submitted) if path.is_dir() and not path.is_symlink()
    )
    return {
        folder.name for folder in folders if next(folder.glob(f"*/*/{RECEIPT}"), None) is not None
    }


# ---- files ---------------------------------------------------------------------------------------


def bounded(path: Path, limit: int) -> bytes:
    """The bytes of an ordinary file that is no link and not too large."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise _Refused(messages.RESULT_GONE) from None
    except OSError:
        raise _Refused(messages.RESULT_NO_FILE) from None
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise _Refused(messages.RESULT_NO_FILE)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _Refused(messages.RESULT_LARGE.format(limit=limit))
    return data


def _inside(folder: Path) -> list[Path]:
    """What lies in a folder, in order; nothing where it is a link."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _is_folder(path: Path) -> bool:
    return path.is_symlink() or path.is_dir()


def _shown(path: Path) -> str:
    return shown(errors.relative(path))


def _files(folder: Path, refused: list[str]) -> Iterator[tuple[Path, str, int]]:
    """The results of an assignment: file, student and number of the attempt (0 where there is but
    one submission).
    """
    if folder.is_symlink():
        refused.append(
            messages.RESULT_REFUSED.format(file=_shown(folder), reason=messages.RESULT_NO_FILE)
        )
    attempts = {path.name: path for path in _inside(folder / "attempts")}
    for path in _inside(folder):
        if (
            path.name.endswith(".json")
            and not path.name.endswith(".staff.json")
            and path.stem not in attempts
        ):
            yield path, path.stem, 0
    for student, place in attempts.items():
        if place.is_symlink() or not place.is_dir():
            refused.append(
                messages.RESULT_REFUSED.format(file=_shown(place), reason=messages.RESULT_NO_FILE)
            )
        for path in _inside(place)[: 2 * MAX_ATTEMPTS]:
            if _NUMBER.fullmatch(path.stem) and path.name.endswith(".json"):
                yield path, student, int(path.stem)


# ---- what a file says ----------------------------------------------------------------------------


def _accepted(
    course: Course, assignment: Assignment, path: Path, student: str, attempt: int
) -> tuple[Result, Origin]:
    result = _read(bounded(path, MAX_RESULT))
    submission = result.submission
    if (result.assignment, submission.students, submission.attempt or 0) != (
        assignment.name,
        [student],
        attempt,
    ):
        raise _Refused(messages.RESULT_ELSEWHERE)
    if result.outcome == "missing":
        raise _Refused(messages.RESULT_MISSING)
    if len(result.problems) > MAX_PROBLEMS:
        raise _Refused(messages.RESULT_PROBLEMS.format(limit=MAX_PROBLEMS))
    _check_cases(assignment, result)
    origin = _origin(course, assignment.name, student, attempt)
    if result.outcome != "unreadable" and result.receipt.submission != origin.digest:
        raise _Refused(messages.RESULT_OTHER_NOTEBOOK)
    said, result.points = result.points, add_up(result.questions)
    if any(
        abs(float(getattr(said, name) - getattr(result.points, name))) > _NEAR for name in _POINTS
    ):
        raise _Refused(messages.RESULT_SUM)
    submission.commit, submission.received_at = origin.commit or None, origin.received
    return result, origin


def _read(data: bytes) -> Result:
    try:
        _check_points(json.loads(data))
        return Result.from_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise _Refused(
            messages.RESULT_SCHEMA.format(where=shown(where), problem=shown(first["type"]))
        ) from None
    except (ValueError, RecursionError, ArithmeticError):
        raise _Refused(messages.RESULT_NO_JSON) from None


def _check_points(data: Any) -> None:
    """Points must be numbers of a size that can be reckoned with."""
    todo = [data]
    while todo:
        one = todo.pop()
        if isinstance(one, dict):
            for key in _POINTS:
                value = one.get(key, 0)
                if (
                    isinstance(value, bool)
                    or not isinstance(value, (int, float))
                    or not abs(value) < 1e9
                ):
                    raise _Refused(messages.RESULT_POINTS)
            todo += one.values()
        elif isinstance(one, list):
            todo += one


def _check_cases(assignment: Assignment, result: Result) -> None:
    """Raise where questions, parts, cases or what they are worth are not those of the assignment,
    or more was earned than can be.
    """
    said = [
        (question.id, question.optional, [(part.id, part.kind) for part in question.parts])
        for question in result.questions
    ]
    if said != [
        (question.id, question.optional, [(part.id, part.kind) for part in question.parts])
        for question in assignment.questions
    ]:
        raise _Refused(messages.RESULT_PARTS)
    for part, given in zip(assignment.parts, result.parts, strict=True):
        if [(case.name, case.hidden, decimal(case.possible)) for case in given.cases] != _cases(
            part
        ):
            raise _Refused(messages.RESULT_CASES.format(part=part.id))
        _check_verdicts(part, given)


def _cases(part: Part) -> list[tuple[str, bool, int | float]]:
    """The cases of a part as a result has to list them."""
    if not part.cases:
        return [("marked by hand", False, decimal(part.points))]
    return [(case.title, case.hidden, decimal(case.points)) for case in part.cases]


def _check_verdicts(part: Part, given: PartResult) -> None:
    for case, own in zip(given.cases, part.cases or [None], strict=True):
        case.possible = own.points if own else part.points
        silent = case.outcome in NO_VERDICT
        if case.earned < 0 or float(case.earned - case.possible) > _NEAR:
            raise _Refused(messages.RESULT_EARNED.format(part=part.id))
        case.earned = min(case.earned, case.possible)
        if case.earned and (silent or case.outcome == "timed_out"):
            raise _Refused(messages.RESULT_EARNED.format(part=part.id))
        by_person = case.reason in (VOID, ADJUSTED) or (case.reason == BY_HAND and not silent)
        # one that was left blank has failed
        if by_person or (part.by_hand and not silent and (case.earned or case.outcome != "failed")):
            raise _Refused(messages.RESULT_BY_HAND.format(part=part.id))


def _origin(course: Course, assignment: str, student: str, attempt: int) -> Origin:
    """Where an attempt came from, by what `collect` wrote beside it."""
    folder = (
        student_folder(course.submitted, student)
        / assignment
        / (f"attempt-{attempt}" if attempt else "")
    )
    if any(place.is_symlink() for place in (folder, *folder.parents[:2])):
        raise _Refused(messages.RESULT_NO_RECEIPT)
    try:
        said = json.loads(bounded(folder / RECEIPT, MAX_RECEIPT))
        texts = {
            key: said.get(key, "")
            for key in ("received", "file", "repository", "commit", "digest", "source")
        }
        received = datetime.fromisoformat(texts["received"])
    except (_Refused, ValueError, TypeError, AttributeError, RecursionError):
        raise _Refused(messages.RESULT_NO_RECEIPT) from None
    if (
        received.tzinfo is None
        or times.known(received) is None
        or not all(isinstance(text, str) for text in texts.values())
    ):
        raise _Refused(messages.RESULT_NO_RECEIPT)
    pushed = texts["source"] in ("repository", "pull request")
    if pushed and not Head(texts["commit"], "", 0, None).commit_is_one:
        raise _Refused(messages.RESULT_NO_RECEIPT)
    return Origin(
        folder,
        received.astimezone(UTC).isoformat(timespec="seconds"),
        texts["file"],
        texts["repository"] if pushed else "",
        texts["commit"] if pushed else "",
        texts["digest"],
    )
