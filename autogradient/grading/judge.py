"""The grader's side of a verdict: has a judge try one part, and decides what each case comes to.

`Snapshot` is what a part's tests may look at. A judge's process (`trial`) holds the tests and asks
forks of the snapshot; what it reports is data (`case_results`). Every case of the part comes out
with an outcome, whatever the other sides do.
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
import time
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from autogradient.errors import WorkerError, WorkerTimeout
from autogradient.grading.case_results import (
    DIED,
    MISSING,
    OUT_OF_TIME,
    STOPPED,
    case_result,
    ended_early,
    from_report,
    staff_note,
    took_too_long,
)
from autogradient.grading.engine import JudgeProcess
from autogradient.grading.test_needs import demands, parameters
from autogradient.model import answer_kind, short_answers
from autogradient.model.assignment import Assignment, Case, Part
from autogradient.model.result import CaseOutcome, CaseResult
from autogradient.model.testcode import bound_names, class_members, without_magics
from autogradient.sandbox import Interpreter, card
from autogradient.sandbox.interpreter import HELLO_S
from autogradient.sources.foreign import prelude
from autogradient.sources.public_tests import given_source
from autogradient.wire import codec
from autogradient.wire.channel import END

NOT_FILLED = "Not attempted yet."
TOO_MUCH = "Your code's answer was more than the check could look at."
BY_HAND = "hand"


@dataclass
class Verdict:
    """The cases of one part with their outcomes, and what only staff may see (case name → error,
    output, seconds).

    `starved`: a case timed out while it hardly got a processor, or its process or the judge's was
    killed: which may say nothing about it. `gone`: the process it was judged on is, and `left` are
    the cases that should have been judged on it, too.
    """

    cases: list[CaseResult]
    staff: dict[str, Any] = field(default_factory=dict)
    starved: bool = False
    gone: bool = False
    left: list[Case] = field(default_factory=list)


@dataclass
class Snapshot:
    """What a part looks like at its place: a waiting process for code, a value's bytes for a short
    answer, nothing where neither could be had.

    `sources` are the cells that were run until there, `missing` the part's names that were not
    defined then. `unsafe`: the process had threads, so that no fork of it can be trusted to run.
    `quiet`: hidden inputs may have been in it already, so no text of it may be shown.
    """

    interpreter: Interpreter | None = None
    value: dict[str, Any] | None = None
    lost: str = ""
    sources: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unsafe: bool = False
    quiet: bool = False


def case_seed(seed: int, part: Part, case: str) -> int:
    """The seed of a case's `secret`: derived from the receipt's seed, the part and the case, so
    that a verdict can be repeated.

    The part's tests go in, too: who does not know the hidden ones cannot work it out.
    """
    return int.from_bytes(
        hashlib.sha256(f"{seed}/{part.id}/{case}/{part.tests}".encode()).digest()[:7]
    )


def has_gpu() -> bool:
    """Whether this machine has an NVIDIA card."""
    return card.is_there()


def gpu() -> str:
    """The card of this machine and its driver; "unknown" where the driver does not tell."""
    return card.describe() or "unknown"


def without_verdict(
    part: Part,
    outcome: CaseOutcome,
    reason: str | None,
    message: str = "",
    cases: list[Case] | None = None,
) -> Verdict:
    """Every case of the part, or every one of `cases`, with the same outcome and no points."""
    all_cases = cases or part.cases or (Case("marked by hand", "marked by hand", part.points),)
    return Verdict(
        [case_result(case, outcome, message=message, reason=reason) for case in all_cases]
    )


def out_of_time(
    assignment: Assignment, part: Part, snapshot: Snapshot, cases: list[Case] | None
) -> Verdict:
    """The verdict where the submission's time is over before a part, or some of its cases, could
    be looked at.
    """
    sentence = OUT_OF_TIME.format(seconds=assignment.limits.submission_s)
    return Verdict(
        [
            case_result(case, "timed_out", message=took_too_long(case, snapshot.quiet, sentence))
            for case in cases or part.cases
        ]
    )


def judge(
    assignment: Assignment,
    part: Part,
    snapshot: Snapshot,
    expected: Any,
    seed: int,
    judge_process: JudgeProcess,
    *,
    cases: list[Case] | None = None,
    expendable: Literal["", "rest fails", "rest is left"] = "",
    stop_at_failure: bool = False,
    until: float = math.inf,
) -> Verdict:
    """The verdict on one attempted part, or on some of its `cases`. `expected` is the reference's
    value of a short answer (ignored for code).

    At the moment `until`, of the monotonic clock, the submission's time is over: what has no
    verdict then timed out.

    With `expendable` the cases run in the snapshot itself and not in forks of it: what becomes of
    the rest where a case kills it. With `stop_at_failure` the cases after the first failing one are
    not run and count as failed.
    """
    if part.by_value:
        return _judge_value(assignment, part, snapshot, expected, judge_process)
    if snapshot.interpreter is None and snapshot.quiet:
        chosen = cases or part.cases
        return Verdict(
            [case_result(case, "failed", message=ended_early(case, True)) for case in chosen]
        )
    if snapshot.interpreter is None:
        return without_verdict(part, "failed", None, snapshot.lost or NOT_FILLED, cases)
    verdict = _judge_code(
        assignment,
        part,
        cases or list(part.cases),
        snapshot,
        seed,
        judge_process,
        expendable,
        stop_at_failure,
        until,
    )
    return verdict if cases else together(part, [verdict])


def together(part: Part, verdicts: list[Verdict]) -> Verdict:
    """Verdicts on some cases each as one on the part."""
    found = [case for verdict in verdicts for case in verdict.cases]
    staff = {title: note for verdict in verdicts for title, note in verdict.staff.items()}
    order = [(case.title, case.hidden) for case in part.cases]
    # stable: cases of one name keep their order
    cases = sorted(found, key=lambda case: order.index((case.name, case.hidden)) if order else 0)
    if part.all_or_nothing and any(case.outcome != "passed" for case in cases):
        for case in cases:
            case.earned = Fraction(0)
    return Verdict(cases, staff, any(verdict.starved for verdict in verdicts))


# ---- short answers -------------------------------------------------------------------------------


def _judge_value(
    assignment: Assignment,
    part: Part,
    snapshot: Snapshot,
    expected: Any,
    judge_process: JudgeProcess,
) -> Verdict:
    found = snapshot.value or {"missing": True}
    problem, right, slip, starved = "", False, "", False
    if isinstance(found.get("value"), bytes):
        job = {
            "do": "value",
            "value": found["value"],
            "expected": expected,
            "criteria": short_answers.criteria(part),
        }
        try:
            (report,) = judge_process.trial(codec.encode(job), None, assignment.limits.case_s)
            problem, right, slip = (
                str(report["problem"]),
                report["right"] is True,
                str(report["slip"]),
            )
        except (WorkerError, ValueError, KeyError) as error:
            problem, starved = (
                TOO_MUCH,
                isinstance(error, WorkerError) and not isinstance(error, WorkerTimeout),
            )
    elif "not_plain" in found:
        problem = f"This is {str(found['not_plain'])[:200]}; write a plain value."
    else:
        problem = MISSING.format(names=f"`{part.names[0]}`")
    out: list[CaseResult] = []
    for case in part.cases:
        if case.name == answer_kind.FORM_CASE:
            out.append(case_result(case, "failed" if problem else "passed", message=problem))
        elif problem:  # the form's case says what is wrong
            out.append(case_result(case, "failed"))
        else:
            out.append(
                case_result(
                    case,
                    "passed" if right else "failed",
                    message=""
                    if right
                    else f"Not quite: {slip}."
                    if slip
                    else case.failure_message,
                )
            )
    return Verdict(out, starved=starved)


# ---- code ----------------------------------------------------------------------------------------


def job_of(
    assignment: Assignment,
    part: Part,
    cases: list[Case],
    seed: int,
    sources: list[str],
    stop_at_failure: bool = False,
) -> dict[str, Any]:
    """What a judge needs for some cases of a part.

    `takes`, `changes`, `effects`, `libraries` (see `demands`), `setup` (texts run once), `given`
    (texts run afresh for each case), `given_names`, `tests` (text), `style`, `cases` ([function
    name, seed] …), `names` (what the part takes from the student), `classes` (the instructor's
    classes, with their words; None where nobody knows), `tables` (whether an answer may hold pandas
    objects), `sources` (the cells that were run), `limit` (seconds for each case), `stop` (after
    the first failure).
    """
    return {
        **standing(assignment, part),
        "do": "cases",
        "cases": [[case.name, case_seed(seed, part, case.name)] for case in cases],
        "sources": sources,
        "limit": assignment.limits.case_s,
        "stop": stop_at_failure,
    }


@functools.lru_cache(maxsize=1000)
def standing(assignment: Assignment, part: Part) -> dict[str, Any]:
    """What is the same in every job of a part."""
    own = assignment.format == "autogradient"
    given = [
        given_source(cell, assignment.seed)
        for cell in assignment.with_role("given")
        if own and cell.target in (part.question, part.id)
    ]
    setup = (
        [cell.source for role in ("setup", "helpers") for cell in assignment.with_role(role)]
        if own
        else [prelude(assignment, part)]
    )
    asked = demands(
        part.tests,
        part.style,
        [case.name for case in part.cases],
        part.names,
        [without_magics(text) for text in setup],
    )
    return {
        "takes": sorted(asked.takes),
        "changes": asked.changes,
        "effects": asked.effects,
        "libraries": asked.libraries,
        "setup": [without_magics(text) for text in setup],
        "given": [without_magics(text) for text in given],
        "given_names": [name for text in given for name in bound_names(text)],
        "tests": part.tests,
        "style": part.style,
        "names": list(part.names),
        "classes": _classes(assignment),
        "tables": not own or _uses_pandas(assignment),
    }


@functools.lru_cache(maxsize=100)
def _classes(assignment: Assignment) -> dict[str, list[str]] | None:
    """The names that the instructor's own answers and cells bind to classes, with the words of
    each; None where there are none to look at.
    """
    texts = [
        *assignment.reference.values(),
        *(cell.source for cell in assignment.cells if cell.kind == "code"),
    ]
    found: dict[str, set[str]] = {}
    for text in texts:
        for name, words in class_members(text).items():
            found.setdefault(name, set()).update(words)
    return {name: sorted(words) for name, words in sorted(found.items())} if texts else None


#: Pandas, and libraries or options that hand out its tables.
_PANDAS = re.compile(r"\b(pandas|pd|seaborn|sns|statsmodels|as_frame|fetch_openml)\b")


@functools.lru_cache(maxsize=100)
def _uses_pandas(assignment: Assignment) -> bool:
    """Whether anything of the instructor's could make a pandas object."""
    texts = [
        *assignment.reference.values(),
        *(part.tests for part in assignment.parts),
        *(cell.source for cell in assignment.cells if cell.kind == "code"),
    ]
    return any(_PANDAS.search(text) for text in texts)


def _judge_code(
    assignment: Assignment,
    part: Part,
    cases: list[Case],
    snapshot: Snapshot,
    seed: int,
    judge_process: JudgeProcess,
    expendable: str,
    stop_at_failure: bool,
    until: float,
) -> Verdict:
    """Have cases judged on forks of the snapshot: a new one after each case that hangs or dies."""
    assert snapshot.interpreter is not None
    limit = assignment.limits.case_s
    left = list(cases)
    done: dict[str, CaseResult] = {}
    verdict = Verdict([])
    in_place = bool(expendable) or snapshot.unsafe
    while left:
        if time.monotonic() >= until:
            late_ones = out_of_time(assignment, part, snapshot, left).cases
            done |= {case.name: found for case, found in zip(left, late_ones, strict=True)}
            break
        try:
            runner = (
                snapshot.interpreter
                if in_place
                else snapshot.interpreter.fork(min(HELLO_S, max(1.0, until - time.monotonic())))
            )
        except WorkerError as error:
            verdict.starved |= snapshot.interpreter.starved(error)
            verdict.staff["fork"] = {"error": ["WorkerError", str(error), []]}
            done |= {
                case.name: case_result(case, "failed", message=ended_early(case, snapshot.quiet))
                for case in left
            }
            break
        job = job_of(assignment, part, left, seed, snapshot.sources, stop_at_failure)
        before, ended, seen = len(left), not in_place, snapshot.quiet
        try:
            for report in judge_process.trial(codec.encode(job), runner, limit, until):
                if not left or report.get("case") != left[0].name:
                    raise WorkerError("a report on another case")
                case = left.pop(0)
                own = parameters(part.tests, part.style, case.name)
                gone = [name for name in snapshot.missing if name in own]
                done[case.name] = from_report(case, report, limit, seen, gone)
                verdict.staff[case.title] = staff_note(report)
                if report.get("late") is True:
                    ended = True
                    verdict.starved |= _starved(runner, limit)
                elif report.get("gone"):
                    ended = True
                    how = "it did not answer as it should"
                    if str(report["gone"]) == END:
                        verdict.starved |= runner.session.was_killed(runner.pid)
                        how = runner.session.how_it_ended(runner.pid)
                    done[case.name] = case_result(
                        case, "failed", message=ended_early(case, seen, DIED.format(how=how))
                    )
                seen |= case.hidden  # from now on the process may know a hidden input
        except WorkerError as error:  # the judge was stopped, or died, over what it was given
            ended = True
            if left:
                case = left.pop(0)
                late = isinstance(error, WorkerTimeout)
                verdict.starved |= not late
                verdict.staff[case.title] = {
                    "error": [
                        type(error).__name__,
                        f"the judge itself did not survive what the submission answered ({error})",
                        [],
                    ]
                }
                message = ended_early(case, seen, TOO_MUCH)
                if late:
                    over = time.monotonic() >= until
                    sentence = OUT_OF_TIME if over else STOPPED
                    seconds = assignment.limits.submission_s if over else limit
                    message = took_too_long(case, seen, sentence.format(seconds=seconds))
                done[case.name] = case_result(
                    case, "timed_out" if late else "failed", message=message
                )
        if ended:
            runner.kill()
        stopped = stop_at_failure and any(result.outcome != "passed" for result in done.values())
        verdict.gone = ended and in_place
        if ended and expendable == "rest is left":
            verdict.left, left = left, []
        if left and (stopped or len(left) == before or (in_place and ended)):
            done |= {
                case.name: case_result(
                    case, "failed", message="" if stopped else ended_early(case, seen)
                )
                for case in left
            }
            left = []
    verdict.cases = [done[case.name] for case in cases if case not in verdict.left]
    return verdict


def _starved(runner: Interpreter, limit: float) -> bool:
    """Whether a process that ran out of time spent much of it waiting for a processor."""
    _, waited = runner.usage()
    return waited > limit / 4
