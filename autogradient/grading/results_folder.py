"""`results/` on disk: where each result lies, and reading them."""

from __future__ import annotations

from pathlib import Path

from autogradient.model.assignment import Assignment
from autogradient.model.result import Result, SubmissionInfo, add_up


def result_path(results: Path, assignment: str, student: str, attempt: int | None = None) -> Path:
    """Where a result is kept."""
    folder = results / assignment
    return (
        folder / f"{student}.json"
        if attempt is None
        else folder / "attempts" / student / f"{attempt}.json"
    )


def read_result(path: Path) -> Result | None:
    """A result on disk; None where there is none that is valid."""
    try:
        return Result.from_json(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def read_results(results: Path, assignment: str) -> dict[str, list[Result]]:
    """All valid results of an assignment on disk: student → those of the attempts in order, or the
    one of a single submission.
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


def read_attempts(results: Path, assignment: str, student: str) -> list[Result]:
    """A student's valid results of an assignment: those of the attempts in the order in which they
    came, or else the one of a single submission.
    """
    numbers = sorted(
        int(path.stem)
        for path in (results / assignment / "attempts" / student).glob("*.json")
        if path.stem.isdigit()
    )
    paths = [result_path(results, assignment, student, number) for number in numbers] or [
        result_path(results, assignment, student)
    ]
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
