"""`results/` on disk: where each result lies, and reading them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path

from pydantic import ValidationError

from autogradient import errors
from autogradient.errors import ResultError, nearest
from autogradient.grading import messages
from autogradient.model.assignment import Assignment
from autogradient.model.result import SCHEMA, Result, SubmissionInfo, add_up

#: How a result begins; by that alone one of a newer version is known.
_SCHEMA = re.compile(rb"\A\s*\{\s*\"schema\"\s*:\s*(\d{1,9})\s*,")


def result_path(results: Path, assignment: str, student: str, attempt: int | None = None) -> Path:
    """Where a result is kept."""
    folder = results / assignment
    return (
        folder / f"{student}.json"
        if attempt is None
        else folder / "attempts" / student / f"{attempt}.json"
    )


def read_result(path: Path) -> Result | None:
    """A result on disk; None where there is none. Raises ResultError where it is damaged or of a
    newer version.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        if not path.is_symlink():
            return None
        raise _damaged(path, "a link that leads nowhere") from None
    except OSError as error:
        raise _damaged(path, error.strerror or str(error)) from None
    if sentence := newer(path):
        raise ResultError(sentence)
    try:
        return Result.from_json(data)
    except ValidationError as error:
        raise _damaged(path, _problem(data, error)) from None


def newer(path: Path) -> str:
    """A sentence where a later version wrote a result, else ""; without reading much of it."""
    try:
        with path.open("rb") as file:
            schema = _schema(file.read(100))
    except OSError:
        return ""
    if schema <= SCHEMA:
        return ""
    known = {"schema": schema, "known": SCHEMA}
    return messages.NEWER_RESULT.format(file=errors.relative(path), **known)


def set_aside(path: Path) -> Path:
    """Give a damaged result another name, under which nobody takes it for one; returns that."""
    number, kept = 1, path.with_name(f"{path.name}.damaged")
    while kept.is_symlink() or kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{number}")
    return path.rename(kept)


def _schema(data: bytes) -> int:
    match = _SCHEMA.match(data)
    return int(match.group(1)) if match else 0


def _damaged(path: Path, problem: str) -> ResultError:
    sentence = messages.DAMAGED_RESULT.format(file=errors.relative(path), problem=problem)
    return ResultError(sentence, problem)


def _problem(data: bytes, error: ValidationError) -> str:
    """What is wrong with the bytes of a result, for people."""
    if not data.strip(b"\0 \n"):
        return "it is empty" if not data else "it holds nothing"
    try:
        json.loads(data)
    except ValueError:
        return "it is no JSON, or breaks off"
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"


def stray(results: Path, assignments: Collection[str]) -> list[str]:
    """A sentence for each folder of results that belong to none of the assignments."""
    sentences = []
    for folder in sorted(results.glob("*")):
        name = folder.name
        if name.startswith(".") or name in assignments or not folder.is_dir():
            continue
        count = len(students(results, name))
        if count:
            sentences.append(
                messages.STRAY_RESULTS.format(
                    folder=errors.relative(folder),
                    count=count,
                    students="student" if count == 1 else "students",
                    name=name,
                    nearest=nearest(name, assignments),
                )
            )
    return sentences


def read_results(results: Path, assignment: str) -> dict[str, list[Result]]:
    """All results of an assignment on disk: student → those of the attempts in order, or the one of
    a single submission. Raises ResultError where one cannot be read.
    """
    return {
        student: found
        for student in students(results, assignment)
        if (found := read_attempts(results, assignment, student))
    }


def students(results: Path, assignment: str) -> list[str]:
    """Who has a result of an assignment on disk."""
    folder = results / assignment
    single = {path.stem for path in folder.glob("*.json") if not path.name.endswith(".staff.json")}
    return sorted(single | {path.name for path in folder.glob("attempts/*") if path.is_dir()})


def paths_of(results: Path, assignment: str, student: str) -> list[Path]:
    """Where a student's results of an assignment are: those of the attempts by their numbers, or
    else the one of a single submission.
    """
    numbers = sorted(
        int(path.stem)
        for path in (results / assignment / "attempts" / student).glob("*.json")
        if path.stem.isdigit()
    )
    return [result_path(results, assignment, student, number) for number in numbers] or [
        result_path(results, assignment, student)
    ]


def read_attempts(results: Path, assignment: str, student: str) -> list[Result]:
    """A student's results of an assignment: those of the attempts in the order in which they came,
    or else the one of a single submission. Raises ResultError where one cannot be read.
    """
    paths = paths_of(results, assignment, student)
    found = [result for path in paths if (result := read_result(path)) is not None]
    # a snapshot of an earlier time may have been collected later; those of which nobody knows when
    # they came stand first
    return sorted(found, key=lambda result: result.submission.received_at or "")


def missing(assignment: Assignment, student: str) -> Result:
    """The result of a student on the roster who handed nothing in."""
    from autogradient.grading.grade import unreadable  # which knows judges and interpreters

    result = unreadable(
        assignment, b"", "nothing was handed in", SubmissionInfo(students=[student])
    )
    result.outcome = "missing"
    result.points = add_up(result.questions)
    return result
