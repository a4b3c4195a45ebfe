"""What grading one submission comes to: outcomes, exact points, the receipt, and the JSON they are
written as.

Points are `fractions.Fraction` inside and decimals in JSON; `add_up` is the one function that adds
them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from fractions import Fraction
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from autogradient import errors, visible

CaseOutcome = Literal["passed", "failed", "timed_out", "not_run", "grader_error"]
#: The number of the form in which results are written; an older one is read, too.
SCHEMA: Literal[1] = 1
SubmissionOutcome = Literal["graded", "unreadable", "missing", "grader_error"]
#: Reasons of `not_run`: it needs a card, or is judged on another machine than this one, which has
#: the card.
ON_GPU, ELSEWHERE = "gpu", "elsewhere"
#: Outcomes without a verdict: their points are ungraded, neither earned nor lost.
NO_VERDICT = ("not_run", "grader_error")


#: Characters of a message to a student, of one about the notebook, of a file's name; problems of a
#: notebook that are named.
MAX_MESSAGE, MAX_REMARK, MAX_NAME, MAX_PROBLEMS = 2000, 1000, 255, 100
#: Bytes of a result as it is written, and of what staff may see beside it.
MAX_BYTES, MAX_STAFF_BYTES = 2_000_000, 5_000_000


def short(text: str, most: int = MAX_MESSAGE) -> str:
    """The text, cut with a sign where it is too long."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _to_fraction(value: Any) -> Any:
    if isinstance(value, float):
        return Fraction(repr(value)) if value == value and abs(value) != float("inf") else value
    return (
        Fraction(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else value
    )


def decimal(points: Fraction) -> int | float:
    """Points at the edge: a whole number where it is one, else the nearest float."""
    return points.numerator if points.denominator == 1 else float(points)


Points = Annotated[
    Fraction,
    BeforeValidator(_to_fraction),
    PlainSerializer(decimal, return_type=int | float),
    WithJsonSchema({"type": "number", "minimum": 0}),
]


Message = Annotated[str, AfterValidator(short)]
Remark = Annotated[str, AfterValidator(partial(short, most=MAX_REMARK))]
FileName = Annotated[str, AfterValidator(lambda name: short(visible.line(name), MAX_NAME))]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class CaseResult(_Record):
    """The verdict on one case. `message` is for the student; times of hidden cases are left out
    (None).
    """

    name: str
    hidden: bool = False
    outcome: CaseOutcome
    reason: str | None = None
    earned: Points = Fraction(0)
    possible: Points
    message: Message = ""
    seconds: float | None = None


class PartResult(_Record):
    """The verdict on one part. `attempted` is false where the stub stands as released."""

    id: str
    kind: str
    attempted: bool = True
    earned: Points = Fraction(0)
    possible: Points
    cases: list[CaseResult] = Field(default_factory=list)


class QuestionResult(_Record):
    """The verdict on one question."""

    id: str
    optional: bool = False
    earned: Points = Fraction(0)
    possible: Points
    parts: list[PartResult] = Field(default_factory=list)


class Totals(_Record):
    """Points of a submission; `possible` never shrinks, `ungraded` is what has no verdict yet,
    `bonus` what optional questions earned.
    """

    earned: Points = Fraction(0)
    possible: Points = Fraction(0)
    ungraded: Points = Fraction(0)
    bonus: Points = Fraction(0)


class Problem(_Record):
    """Something about the submission that a person should know; `cell` is the 1-based number in the
    student's notebook, None for the file.
    """

    cell: int | None = None
    message: Remark


class SubmissionInfo(_Record):
    """Whose submission it is and where it came from."""

    students: list[str] = Field(default_factory=list)
    attempt: int | None = None
    commit: str | None = None
    received_at: str | None = None
    file: FileName | None = None


class Receipt(_Record):
    """Digests of all that the verdict depends on, and the seed. `card`: of the environment where
    questions that need a card were judged, with `gpu`, the card and its driver.
    """

    submission: str = ""
    assignment: str = ""
    environment: str = ""
    card: str = ""
    gpu: str = ""
    seed: int = 1

    @property
    def work(self) -> tuple[str, str]:
        """What was graded: which submission, by which version of the assignment."""
        return self.submission, self.assignment


class Result(_Record):
    """One graded submission. Everything in it is fit for the student's eyes once the course's
    policy lets it out.

    `proved`: whether the tests that graded it had a proof that holds for all of them; None where
    nobody looked, as in results of earlier versions.
    """

    schema_: Literal[1] = Field(default=SCHEMA, alias="schema")
    assignment: str
    release: str = ""
    submission: SubmissionInfo = Field(default_factory=SubmissionInfo)
    graded_at: str = ""
    sealed: bool = False
    replayed: bool = False
    proved: bool | None = None
    outcome: SubmissionOutcome
    points: Totals = Field(default_factory=Totals)
    questions: list[QuestionResult] = Field(default_factory=list)
    problems: list[Problem] = Field(default_factory=list)
    receipt: Receipt = Field(default_factory=Receipt)

    model_config = ConfigDict(extra="forbid", populate_by_name=True, arbitrary_types_allowed=True)

    def to_json(self) -> str:
        """The result as it is written to disk. Where that is more than MAX_BYTES,
        messages are cut.
        """
        data = self.model_dump(by_alias=True, mode="json")
        data["problems"] = data["problems"][: MAX_PROBLEMS + 1]
        return within(data, MAX_BYTES, keys=("message",))

    @classmethod
    def from_json(cls, text: str | bytes) -> Result:
        """Read and validate; raises `pydantic.ValidationError` (a ValueError) where it does not fit
        the schema.
        """
        return cls.model_validate_json(text)

    @property
    def student(self) -> str:
        """The (first) student's id, or ""."""
        return self.submission.students[0] if self.submission.students else ""

    @property
    def parts(self) -> list[PartResult]:
        """All parts in order."""
        return [part for question in self.questions for part in question.parts]


def first_of(problems: list[Problem]) -> list[Problem]:
    """Problems as a person can read them: of very many the first, and how many more there are."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    return [
        *problems[:MAX_PROBLEMS],
        Problem(message=errors.MORE_PROBLEMS.format(count=len(problems) - MAX_PROBLEMS)),
    ]


def within(data: Any, most: int, keys: Collection[str] = ()) -> str:
    """Data as JSON of at most so many bytes: where it is more, texts are cut (those under one of
    `keys`, or all), at last to nothing.
    """
    for length in (None, 5000, 1000, 200, 50, 0):
        text = (
            json.dumps(
                data if length is None else _cut_texts(data, length, keys),
                indent=1,
                ensure_ascii=False,
                default=str,
            )
            + "\n"
        )
        if len(text) <= most and len(text.encode("utf-8", "replace")) <= most:
            return text
    return text if keys else json.dumps({"left out": len(text)}) + "\n"


def _cut_texts(data: Any, length: int, keys: Collection[str], here: bool = False) -> Any:
    here = here or not keys
    if isinstance(data, str):
        return short(data, length) if here and length else "" if here else data
    if isinstance(data, dict):
        return {name: _cut_texts(value, length, keys, name in keys) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [
            _cut_texts(value, length, keys, here)
            for value in (data if keys else data[: max(length, 10)])
        ]
    return data


def add_up(
    questions: Iterable[QuestionResult],
    share: Fraction = Fraction(1),
    change: Fraction = Fraction(0),
) -> Totals:
    """Fill in the points of parts and questions from their cases and return the totals. The one
    place where points are added.

    A part marked by hand carries its points in a single case with outcome `not_run` until the mark
    is there. Where marks are made, `share` of what was earned counts (late work), then `change` is
    added; nobody ends below 0.
    """
    totals = Totals()
    for question in questions:
        for part in question.parts:
            part.earned = sum((case.earned for case in part.cases), Fraction(0))
            part.possible = sum((case.possible for case in part.cases), Fraction(0))
        question.earned = sum((part.earned for part in question.parts), Fraction(0))
        question.possible = sum((part.possible for part in question.parts), Fraction(0))
        if question.optional:
            totals.bonus += question.earned
            continue
        totals.earned += question.earned
        totals.possible += question.possible
        totals.ungraded += sum(
            (
                case.possible
                for part in question.parts
                for case in part.cases
                if case.outcome in NO_VERDICT
            ),
            Fraction(0),
        )
    totals.earned = max(Fraction(0), totals.earned * share + change)
    totals.bonus *= share
    return totals


def merged(first: Result, second: Result) -> Result:
    """Two results of one submission, from a machine with a card and from one without: `first`, and
    what it left to the other; the points added anew.

    Raises ValueError where they are of different submissions, or of different versions of the
    assignment.
    """
    if first.receipt.work != second.receipt.work:
        raise ValueError("the two results are of different submissions or assignments")
    both = first.model_copy(deep=True)
    others = {part.id: part for part in second.parts}
    for part in both.parts:
        if left_out(part) and not left_out(others[part.id]):
            part.cases = others[part.id].cases
    both.problems = first_of(
        both.problems + [problem for problem in second.problems if problem not in both.problems]
    )
    both.receipt.environment = first.receipt.environment or second.receipt.environment
    judged_there = first.receipt if first.receipt.card else second.receipt
    both.receipt.card, both.receipt.gpu = judged_there.card, judged_there.gpu
    both.proved = (
        second.proved if first.proved is None else first.proved and second.proved is not False
    )
    both.replayed, both.sealed = first.replayed or second.replayed, first.sealed and second.sealed
    if both.outcome in ("graded", "grader_error"):
        both.outcome = (
            "grader_error"
            if any(case.outcome == "grader_error" for part in both.parts for case in part.cases)
            else "graded"
        )
    both.points = add_up(both.questions)
    return both


def left_out(part: PartResult, reasons: Collection[str | None] = (ON_GPU, ELSEWHERE)) -> bool:
    """Whether a part has no verdict because another machine is to judge it."""
    return any(case.outcome == "not_run" and case.reason in reasons for case in part.cases)


def schema() -> dict[str, Any]:
    """The JSON schema of a result."""
    return Result.model_json_schema(by_alias=True, mode="serialization")
