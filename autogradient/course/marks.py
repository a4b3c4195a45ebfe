"""From results, ledger and policy to what a student gets for an assignment: the one place where
marks are made.

In this order: hand marks; voided parts; points added to or taken from a part; what late work costs,
as a share of what was earned by then; points added to or taken from the whole. Of several attempts
the one that counts is chosen last, since it may be the best. Results on disk stay as the grader
wrote them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from pydantic import Field

from autogradient.course import times
from autogradient.course.ledger import (
    Adjustment,
    Excuse,
    Extension,
    Void,
    apply_ledger,
    as_graded,
    marks,
    resolved,
)
from autogradient.course.policy import Policy
from autogradient.model.result import NO_VERDICT, CaseResult, PartResult, Result, add_up

#: The `reason` of a case of a part that was voided, and of the one that carries what was added to a
#: part or taken from it.
VOID, ADJUSTED = "void", "adjusted"
#: What hidden cases are called where they are not shown; a test's own name could tell what it
#: tests.
HIDDEN_CHECK = "hidden check"


@dataclass(frozen=True)
class Lateness:
    """A submission that came after its deadline and grace period: how late, which share that takes,
    and how many points that are.
    """

    due: datetime
    by: timedelta
    share: Fraction
    points: Fraction


@dataclass(frozen=True)
class Over:
    """An attempt that came when `limit` of its day had come before, so that it does not count; from
    `until` on the next one does.
    """

    attempt: int | None
    received: datetime
    limit: int
    until: datetime


class Marked(Result):
    """A result as it counts for one student, with what people and policies decided about it; never
    written to disk. `damaged` says what is wrong with its file, where that cannot be read: nothing
    is known of it then, and its outcome is `missing`.
    """

    damaged: str = ""
    team: list[str] = Field(default_factory=list)
    attempts: int = 1
    unread: list[Result] = Field(default_factory=list)
    over: list[Over] = Field(default_factory=list)
    excused: Excuse | None = None
    whole: list[Adjustment] = Field(default_factory=list)
    late: Lateness | None = None
    due: datetime | None = None
    extended: bool = False
    withheld: datetime | None = None
    hides: bool = False

    @property
    def counts_for_nothing(self) -> bool:
        """Whether there is no mark: the student is excused, the result is damaged, or nothing was
        handed in and nobody decided otherwise.
        """
        return self.excused is not None or self.outcome == "missing"


@dataclass
class Decisions:
    """The ledger's entries on one assignment, oldest first, found by student. `former`: what its
    parts were called before (`Course.former`).
    """

    entries: Iterable[Any]
    assignment: str
    former: Mapping[tuple[str, str], str] = field(default_factory=dict)
    _found: dict[str, list[tuple[int, Any]]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for number, entry in enumerate(resolved(self.entries, self.assignment, self.former)):
            self._found.setdefault(entry.student, []).append((number, entry))

    def of(self, students: Collection[str]) -> list[Any]:
        """Those for some students and those for everybody."""
        found = [pair for student in {"", *students} for pair in self._found.get(student, ())]
        return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]

    @property
    def last_extension(self) -> datetime | None:
        """The latest moment until which a student may hand in by an extension."""
        granted = {
            student: entry.until
            for student in self._found
            for _, entry in self._found[student]
            if isinstance(entry, Extension)
        }
        return max((until for until in granted.values() if until), default=None)


def make(
    attempts: Sequence[Result],
    student: str,
    policy: Policy,
    decisions: Decisions,
    section: str = "",
    *,
    now: datetime | None = None,
) -> Marked:
    """What `student` gets for an assignment, from the results of all attempts (oldest first; one
    where there is but one submission).

    With `now`, what the policy keeps from students at that time is left out of hidden cases: for
    what students read.
    """
    hides, until = (False, None) if now is None else hidden(policy, decisions, now)
    made = [_made(result, student, policy, decisions, section, hides, until) for result in attempts]
    over = over_a_day(attempts, policy)
    without = {one.attempt for one in over}
    chosen = _choose([one for one in made if one.submission.attempt not in without], policy)
    chosen.over = over
    chosen.attempts = len(made)
    chosen.unread = (
        []
        if chosen.outcome == "unreadable"
        else [one for one in attempts if one.outcome == "unreadable"]
    )
    return chosen


def counting(
    attempts: Sequence[Result],
    student: str,
    policy: Policy,
    decisions: Decisions,
    section: str = "",
) -> Result:
    """The result, as it was graded, of the attempt that counts."""
    if len(attempts) == 1:
        return attempts[0]
    number = make(attempts, student, policy, decisions, section).submission.attempt
    return next(result for result in attempts if result.submission.attempt == number)


def over_a_day(attempts: Iterable[Result], policy: Policy) -> list[Over]:
    """The attempts that are too many of their day, in the order in which they came.

    One that could not be read, or of which nobody knows when it came, is none of the day's.
    """
    timed = [
        (moment, result)
        for result in attempts
        if result.outcome not in ("unreadable", "missing")
        and (moment := received(result)) is not None
    ]
    timed.sort(key=lambda pair: pair[0])
    found = []
    for (moment, result), over in zip(
        timed, policy.too_many(moment for moment, _ in timed), strict=True
    ):
        if over:
            until = policy.day_after(moment)
            found.append(
                Over(
                    result.submission.attempt,
                    moment.astimezone(until.tzinfo),
                    policy.attempts_per_day or 0,
                    until,
                )
            )
    return found


def hidden(policy: Policy, decisions: Decisions, now: datetime) -> tuple[bool, datetime | None]:
    """Whether names and hints of hidden cases are kept from students at some time, and until when
    (None: nobody knows, or for good).
    """
    if policy.hidden_feedback == "full":
        return False, None
    if policy.hidden_feedback == "count":
        return True, None
    end = end_of_silence(policy, decisions)
    return (True, end) if end is None or now <= end else (False, None)


def end_of_silence(policy: Policy, decisions: Decisions) -> datetime | None:
    """When hidden cases may be shown: after the last deadline, extension and grace period. None
    where that is not decided by a time.
    """
    due = policy.last_due(decisions.assignment)
    if policy.hidden_feedback != "after_deadline" or due is None:
        return None
    return times.later(max(due, decisions.last_extension or due), policy.late.grace, policy.zone)


def due_of(
    policy: Policy, student: str, decisions: Decisions, section: str = ""
) -> tuple[datetime | None, bool]:
    """The deadline of a student, and whether it is an extension."""
    due = policy.due(decisions.assignment, section)
    extension = next(
        (entry for entry in reversed(decisions.of([student])) if isinstance(entry, Extension)), None
    )
    if due is None or extension is None or extension.until is None or extension.until <= due:
        return due, False
    return extension.until, True


def received(result: Result) -> datetime | None:
    """When a submission was received, if that is known."""
    try:
        moment = datetime.fromisoformat(result.submission.received_at or "")
    except ValueError:
        return None
    return times.known(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _made(
    result: Result,
    student: str,
    policy: Policy,
    decisions: Decisions,
    section: str,
    hides: bool,
    until: datetime | None,
) -> Marked:
    team = list(result.submission.students) or [student]
    given = as_graded(decisions.of(team), result, decisions.former)
    own = [entry for entry in given if entry.student in ("", student)]
    copy = apply_ledger(_without_hidden(result, until) if hides else result, given)
    _void(copy, [entry for entry in own if isinstance(entry, Void)])
    adjustments = [entry for entry in own if isinstance(entry, Adjustment)]
    whole = [entry for entry in adjustments if not entry.part]
    for part in copy.parts:
        _adjust(part, [entry for entry in adjustments if entry.part == part.id])
    due, extended = due_of(policy, student, decisions, section)
    moment = received(result)
    share = (
        policy.late.share_at(due, moment, policy.zone)
        if moment is not None and due is not None
        else Fraction(0)
    )
    before = add_up(copy.questions)
    copy.points = add_up(
        copy.questions, 1 - share, sum((Fraction(entry.points) for entry in whole), Fraction(0))
    )
    if copy.outcome in ("missing", "unreadable") and (
        adjustments
        or any(mark.points is not None for mark in marks(given, result.assignment, team).values())
    ):
        copy.outcome = "graded"  # by people
    copy.submission.students = [student]
    made = Marked.model_construct(
        **{name: getattr(copy, name) for name in Result.model_fields},
        team=team,
        whole=whole,
        due=due,
        extended=extended,
    )
    made.withheld, made.hides = until, hides
    if (
        due is not None
        and moment is not None
        and moment > max(due, times.later(due, policy.late.grace, policy.zone))
    ):
        made.late = Lateness(
            due,
            times.between(due, moment, policy.zone),
            share,
            (before.earned + before.bonus) * share,
        )
    excuse = next((entry for entry in reversed(own) if isinstance(entry, Excuse)), None)
    made.excused = excuse if excuse is not None and not excuse.undo else None
    return made


def _choose(made: Sequence[Marked], policy: Policy) -> Marked:
    """The attempt that counts. One that could not be read counts only where none could be, one of
    which nobody knows when it came only where that is so of all.
    """
    readable = [one for one in made if one.outcome not in ("unreadable", "missing")] or list(made)
    readable = [one for one in readable if received(one) is not None] or readable
    if policy.counts == "best":
        return max(
            enumerate(readable),
            key=lambda pair: (pair[1].points.earned + pair[1].points.bonus, pair[0]),
        )[1]
    if policy.counts == "last":
        return readable[-1]
    on_time = [one for one in readable if one.late is None]
    worth = [one for one in readable if one.late is not None and one.late.share < 1]
    return (on_time or worth or readable)[-1]


def _void(result: Result, voids: Sequence[Void]) -> None:
    newest = {entry.part: entry for entry in voids}
    for part in result.parts:
        entry = newest.get(part.id)
        if entry is None or entry.mode == "undo":
            continue
        if entry.mode == "drop":
            part.cases = [
                CaseResult(
                    name="not counted",
                    outcome="passed",
                    reason=VOID,
                    possible=Fraction(0),
                    message=entry.why,
                )
            ]
        for case in part.cases:
            case.outcome, case.reason, case.earned, case.message = (
                "passed",
                VOID,
                case.possible,
                entry.why,
            )


def _adjust(part: PartResult, adjustments: Sequence[Adjustment]) -> None:
    """Put what was added to a part, or taken from it, into a case of its own. A part is never worth
    less than nothing.
    """
    if not adjustments or is_dropped(part):
        return
    earned = sum((case.earned for case in part.cases), Fraction(0))
    change = max(sum((Fraction(entry.points) for entry in adjustments), Fraction(0)), -earned)
    why = "; ".join(dict.fromkeys(entry.why for entry in adjustments if entry.why))
    part.cases.append(
        CaseResult(
            name=ADJUSTED,
            outcome="passed",
            reason=ADJUSTED,
            earned=change,
            possible=Fraction(0),
            message=why,
        )
    )


def without_effect(one: Marked, part: str, decisions: Decisions) -> Fraction:
    """How many of the points that were taken off a part (the whole where `part` is "") have no
    effect, since nobody ends below 0.
    """
    entries = as_graded(decisions.of([one.student]), one, decisions.former)
    change = sum(
        (
            Fraction(entry.points)
            for entry in entries
            if isinstance(entry, Adjustment) and entry.part == part
        ),
        Fraction(0),
    )
    if not part:
        share = one.late.share if one.late else Fraction(0)
        return max(Fraction(0), -change - add_up(one.questions, 1 - share).earned)
    made = sum(
        (
            case.earned
            for each in one.parts
            if each.id == part
            for case in each.cases
            if case.reason == ADJUSTED
        ),
        Fraction(0),
    )
    return (
        max(Fraction(0), made - change)
        if any(each.id == part and not is_dropped(each) for each in one.parts)
        else Fraction(0)
    )


def is_void(part: PartResult) -> bool:
    """Whether a part was voided, in either way."""
    return bool(part.cases) and part.cases[0].reason == VOID


def is_dropped(part: PartResult) -> bool:
    """Whether a part was voided so that it does not count."""
    return is_void(part) and not any(case.possible for case in part.cases)


def _without_hidden(result: Result, until: datetime | None) -> Result:
    """A copy in which the hidden cases of each part are one that says how many passed; those
    without a verdict stay, without their names.
    """
    copy = result.model_copy(deep=True)
    for part in copy.parts:
        judged = [case for case in part.cases if case.hidden and case.outcome not in NO_VERDICT]
        silent = [case for case in part.cases if case.hidden and case.outcome in NO_VERDICT]
        for case in silent:
            case.name, case.message = HIDDEN_CHECK, ""
        passed = sum(case.outcome == "passed" for case in judged)
        together = CaseResult(
            name=f"{passed} of {len(judged)} {HIDDEN_CHECK}{'' if len(judged) == 1 else 's'} "
            "passed",
            hidden=True,
            outcome="passed" if passed == len(judged) else "failed",
            earned=sum((case.earned for case in judged), Fraction(0)),
            possible=sum((case.possible for case in judged), Fraction(0)),
        )
        part.cases = [
            *(case for case in part.cases if not case.hidden),
            *([together] if judged else []),
            *silent,
        ]
    return copy
