"""What grading anew would change, and whether a result can be had again from its receipt."""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.course.config import Course
from autogradient.course.ledger import BY_HAND, read
from autogradient.course.marks import Decisions, Marked, make
from autogradient.coursework import messages
from autogradient.coursework.grade_course import VERDICTS, without_newer
from autogradient.errors import CourseError, ResultError, SubmissionError
from autogradient.grading import batch, find_submissions, results_folder
from autogradient.grading.batch import Grader, Watcher
from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.grading.judge import gpu, has_gpu
from autogradient.grading.read_notebook import read_file
from autogradient.grading.verdict_cache import Verdicts
from autogradient.model.assignment import Assignment
from autogradient.model.environment import environment_digest
from autogradient.model.files import digest
from autogradient.model.points import show_points
from autogradient.model.result import CaseResult, Result, decimal


@dataclass
class Change:
    """A submission that comes out otherwise: points with all that was decided before (None where
    there was no result) and after, what differs case by case, and why.
    """

    student: str
    assignment: str
    before: Fraction | None
    after: Fraction
    possible: Fraction
    cases: list[str] = field(default_factory=list)
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        before = None if self.before is None else decimal(self.before)
        numbers = {
            "before": before,
            "after": decimal(self.after),
            "possible": decimal(self.possible),
        }
        return {
            "student": self.student,
            "assignment": self.assignment,
            **numbers,
            "why": self.why,
            "cases": self.cases,
        }

    @property
    def text(self) -> str:
        """One line, and one for each case."""
        before = "no result" if self.before is None else show_points(self.before)
        head = (
            f"{self.student}: {self.assignment}: {before} → {show_points(self.after)} of "
            f"{show_points(self.possible)} points ({self.why})"
        )
        return "\n".join([head, *(f"    {case}" for case in self.cases)])


def preview(
    course: Course, assignments: list[Assignment], grader: Grader, *, watcher: Watcher | None = None
) -> tuple[list[Change], int]:
    """What grading everything in submitted/ would change, and how many were looked at; no result,
    mark or gradebook is written.
    """
    items, _ = without_newer(
        course,
        find_submissions.submissions(course.submitted, assignments, course.policy.zone),
    )
    ledger, sections = read(course.ledger), course.sections()
    decisions = {
        assignment.name: Decisions(ledger, assignment.name, assignment.former)
        for assignment in assignments
    }
    verdicts = Verdicts(course.results / VERDICTS)
    whose = [(item.students[0], item.assignment.name) for item in items]
    changes: dict[tuple[str, str], Change | None] = dict.fromkeys(whose)
    left, anew = Counter(whose), defaultdict[tuple[str, str], dict[int | None, Result]](dict)
    with contextlib.closing(
        batch.grade_each(
            items, grader, results=course.results, verdicts=verdicts, write=False, watcher=watcher
        )
    ) as looked_at:
        for one in looked_at:
            student, name = key = one.item.students[0], one.item.assignment.name
            if one.again or one.moved:
                anew[key][one.item.attempt] = one.graded.result
            left[key] -= 1
            if not left[key] and key in anew:  # all attempts are there
                before = _before(course, name, student)
                rules = (student, course.policy, decisions[name], sections.get(student, ""))
                old, new = (
                    make(before, *rules) if before else None,
                    make(_after(before, anew.pop(key)), *rules),
                )
                changes[key] = _change(old, new, decisions[name].former)
    return [change for change in changes.values() if change], len(items)


def _before(course: Course, name: str, student: str) -> list[Result]:
    """The results that there are; none where one of them is damaged."""
    try:
        return results_folder.read_attempts(course.results, name, student)
    except ResultError:
        return []


def _after(before: list[Result], anew: dict[int | None, Result]) -> list[Result]:
    """The results of all attempts, in order, as they would be: attempts stand for a single
    submission from before there were any.
    """
    after: dict[int | None, Result] = {}
    if None not in anew:
        after.update(
            (result.submission.attempt, result)
            for result in before
            if result.submission.attempt is not None
        )
    after.update(anew)
    return [after[number] for number in sorted(after, key=lambda number: number or 0)]


def _change(
    old: Marked | None, new: Marked, former: Mapping[tuple[str, str], str]
) -> Change | None:
    cases = differences(old, new, former)
    if old is not None and old.submission.attempt != new.submission.attempt:
        cases.insert(
            0,
            f"attempt {new.submission.attempt} counts instead of attempt {old.submission.attempt}",
        )
    if not cases and old is not None and _total(old) == _total(new):
        return None
    return Change(
        new.student,
        new.assignment,
        _total(old) if old else None,
        _total(new),
        new.points.possible,
        cases,
        _why(old, new),
    )


def _total(result: Result) -> Fraction:
    return result.points.earned + result.points.bonus


def _why(old: Result | None, new: Result) -> str:
    """What the verdicts depend on and is another than before."""
    if old is None:
        return "graded for the first time"
    reasons = {
        "another notebook was handed in": old.receipt.submission != new.receipt.submission,
        "the assignment has changed": old.receipt.assignment != new.receipt.assignment,
        "the environment has changed": (old.receipt.environment, old.receipt.card)
        != (new.receipt.environment, new.receipt.card),
        "another time of receipt": old.submission.received_at != new.submission.received_at,
        "another seed": old.receipt.seed != new.receipt.seed,
    }
    return (
        ", ".join(reason for reason, is_so in reasons.items() if is_so)
        or "nothing has changed: the verdict depends on chance or on time"
    )


def differences(
    old: Result | None, new: Result, former: Mapping[tuple[str, str], str] | None = None
) -> list[str]:
    """What differs between two results of one submission, a sentence for each case; times aside,
    and that parts have other ids (`former`) now.
    """
    if old is None:
        return []
    found = []
    if old.outcome != new.outcome:
        found.append(f"{old.outcome} → {new.outcome}")
    was, now = _cases(old, former or {}), _cases(new, {})
    for key in [*was, *(key for key in now if key not in was)]:
        part, name, _, _ = key
        a, b = was.get(key), now.get(key)
        if a is None or b is None:
            found.append(f"{part}: '{name}' is {'gone' if b is None else 'new'} ({_points(a, b)})")
        elif (a.outcome, a.earned, a.possible) != (b.outcome, b.earned, b.possible):
            outcome = b.outcome if a.outcome == b.outcome else f"{a.outcome} → {b.outcome}"
            found.append(
                f"{part}: '{name}' {outcome} "
                f"({_points(a, b)}){' ' + b.message if b.message else ''}"
            )
        elif a.message != b.message and BY_HAND not in (a.reason, b.reason):
            found.append(f"{part}: '{name}' says “{b.message}” instead of “{a.message}”")
    return found


def _cases(
    result: Result, former: Mapping[tuple[str, str], str]
) -> dict[tuple[str, str, bool, int], CaseResult]:
    """Cases by part, name, whether they are hidden, and which one of that name it is."""
    found: dict[tuple[str, str, bool, int], CaseResult] = {}
    for part in result.parts:
        name = former.get((result.assignment, part.id), part.id)
        for case in part.cases:
            number = sum(key[:3] == (name, case.name, case.hidden) for key in found)
            found[name, case.name, case.hidden, number] = case
    return found


def _points(a: CaseResult | None, b: CaseResult | None) -> str:
    change = (b.earned if b else Fraction(0)) - (a.earned if a else Fraction(0))
    return f"{'+' if change > 0 else '−' if change < 0 else '±'}{show_points(abs(change))}"


@dataclass
class Verified:
    """Whether a result came out the same. `same` is None where it cannot be told; `sentences` say
    what differs, or why not.
    """

    same: bool | None
    sentences: list[str]


def all_paths(course: Course) -> list[Path]:
    """Every result of the course: those of attempts, or else of single submissions."""
    return [
        path
        for name in course.names()
        for student in results_folder.students(course.results, name)
        for path in results_folder.paths_of(course.results, name, student)
    ]


def verify(course: Course, path: Path, engine: Engine) -> Verified:
    """Grade again what a result's receipt names, and compare; nothing that is known already is
    believed. Raises CourseError, SubmissionError.
    """
    result = results_folder.read_result(path)
    if result is None:
        raise CourseError(messages.NO_RESULT.format(path=errors.relative(path)))
    if result.outcome == "missing" or not result.student:
        return Verified(None, [messages.NOTHING_TO_VERIFY.format(path=errors.relative(path))])
    assignment = course.assignment(result.assignment)
    data = _submitted(course, result)
    receipt = result.receipt
    other = []
    if receipt.assignment != assignment.digest:
        other.append(messages.OTHER_SOURCE.format(name=assignment.name))
    if receipt.environment not in ("", environment_digest(not engine.missing)):
        other.append(messages.OTHER_ENVIRONMENT)
    if receipt.card and (
        not has_gpu() or receipt.card != environment_digest(not engine.missing, gpu())
    ):
        other.append(messages.OTHER_CARD.format(gpu=receipt.gpu))
    new = grade_bytes(
        assignment,
        data,
        result.submission.file or path.name,
        engine,
        result.submission,
        seed=receipt.seed,
    ).result
    found = differences(result, new)
    if other:
        return Verified(None, [*other, *(found or ["nevertheless it came out the same"])])
    return Verified(not found, found)


def _submitted(course: Course, result: Result) -> bytes:
    """The file that a result was made from. Raises SubmissionError where nothing of that digest is
    in submitted/.
    """
    folder = find_submissions.student_folder(course.submitted, result.student) / result.assignment
    try:
        paths = find_submissions.find_notebooks(folder) if folder.is_dir() else []
    except SubmissionError:
        paths = []
    for path in paths:
        data = read_file(path)
        if digest(data) == result.receipt.submission:
            return data
    raise SubmissionError(
        messages.SUBMISSION_GONE.format(
            folder=errors.relative(folder), digest=result.receipt.submission[:19]
        )
    )
