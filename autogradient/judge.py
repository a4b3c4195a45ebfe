"""The trusted side: decides, for one part, what each case comes to.

`Snapshot` is what a part's tests may look at. Short answers are judged on copies of values, here; code is judged by asking the snapshot to
run the cases, one report each. Every case of the part comes out with an outcome, whatever the other side does.
"""

from __future__ import annotations

import builtins
import hashlib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from autogradient import kinds
from autogradient.assignment import Assignment, Case, Part
from autogradient.errors import WorkerError, WorkerTimeout
from autogradient.release import given_source
from autogradient.result import CaseOutcome, CaseResult
from autogradient.sandbox import Interpreter
from autogradient.testcode import bound_names, without_magics

MISSING = "{names} is not defined when the check runs: the cell that defines it is missing, stands below the check, or stopped with an error."
NOT_FILLED = "Not attempted yet."
STOPPED = "It may take {seconds:g} s; look for a loop that never ends."
DIED = "The Python process ended while this check ran ({how})."
RAISED = "Your code raised {error}."
BROKEN = "The check itself could not be run; your instructor has been told."
BY_HAND, ON_GPU = "hand", "gpu"


@dataclass
class Verdict:
    """The cases of one part with their outcomes, and what only staff may see (case name → error, output, seconds)."""

    cases: list[CaseResult]
    staff: dict[str, Any] = field(default_factory=dict)


@dataclass
class Snapshot:
    """What a part looks like at its place: a waiting process for code, a copied value for a short answer, nothing where neither could be had."""

    interpreter: Interpreter | None = None
    value: dict[str, Any] | None = None
    lost: str = ""


def case_seed(seed: int, part: str, case: str) -> int:
    """The seed of a case's `secret`: derived from the receipt's seed, the part and the case, so that a verdict can be repeated."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{part}/{case}".encode()).digest()[:7])


def has_gpu() -> bool:
    """Whether this machine has an NVIDIA card."""
    return Path("/proc/driver/nvidia/gpus").is_dir()


def without_verdict(part: Part, outcome: CaseOutcome, reason: str | None, message: str = "") -> Verdict:
    """Every case of the part with the same outcome and no points."""
    cases = part.cases or (Case("marked by hand", "marked by hand", part.points),)
    return Verdict([_result(case, outcome, message=message, reason=reason) for case in cases])


def judge(
    assignment: Assignment, part: Part, snapshot: Snapshot, expected: Any, seed: int, *, expendable: bool = False, stop_at_failure: bool = False
) -> Verdict:
    """The verdict on one attempted part. `expected` is the reference's value of a short answer (ignored for code).

    With `expendable` the cases run in the snapshot itself and not in a fork of it: a case that kills it takes the rest along, as failed.
    With `stop_at_failure` the cases after the first failing one are not run and count as failed.
    """
    if part.is_short and part.kind != "formula":
        verdict = _judge_value(part, snapshot, expected)
    elif snapshot.interpreter is None:
        verdict = without_verdict(part, "failed", None, snapshot.lost or NOT_FILLED)
    elif part.style == "cell":
        verdict = _judge_cell(assignment, part, snapshot.interpreter)
    else:
        verdict = _judge_code(assignment, part, snapshot.interpreter, seed, expendable, stop_at_failure)
    if part.all_or_nothing and any(case.outcome != "passed" for case in verdict.cases):
        for case in verdict.cases:
            case.earned = Fraction(0)
    return verdict


def _result(
    case: Case, outcome: CaseOutcome, *, message: str = "", reason: str | None = None, seconds: float | None = None, earned: Fraction | None = None
) -> CaseResult:
    points = earned if earned is not None else case.points if outcome == "passed" else Fraction(0)
    visible_seconds = None if case.hidden or seconds is None else round(seconds, 4)
    return CaseResult(
        name=case.title, hidden=case.hidden, outcome=outcome, reason=reason, earned=points, possible=case.points, message=message, seconds=visible_seconds
    )


# ---- short answers ---------------------------------------------------------------------------------------------------


def _judge_value(part: Part, snapshot: Snapshot, expected: Any) -> Verdict:
    found = snapshot.value or {"missing": True}
    problem: str | None
    if "value" in found:
        try:
            problem = kinds.form_problem(part.kind, found["value"], kinds.form_of(part))
        except Exception:  # a value that breaks its own form check is no answer
            problem = "This is not a value that can be read; write it out plainly."
    elif "not_plain" in found:
        problem = f"This is {found['not_plain']}; write a plain value."
    else:
        problem = MISSING.format(names=f"`{part.names[0]}`")
    out: list[CaseResult] = []
    for case in part.cases:
        if case.name == kinds.FORM_CASE:
            out.append(_result(case, "failed" if problem else "passed", message=problem or ""))
        elif problem:  # the form's case says what is wrong
            out.append(_result(case, "failed"))
        else:
            try:
                right = kinds.is_right(part.kind, found["value"], expected, kinds.verdict_rules(part))
            except Exception:
                right = False
            out.append(_result(case, "passed" if right else "failed", message="" if right else _slip(part, found["value"]) or case.failure_message))
    return Verdict(out)


def _slip(part: Part, value: Any) -> str:
    """The listed slip that a wrong short answer is, as a sentence."""
    rules = kinds.verdict_rules(part)
    for text, slip in part.declaration.slips.items():
        try:
            wrong = kinds.slip_value(part, text)
            rules["accept"] = [[str(word)] for word in (wrong if isinstance(wrong, tuple) else (wrong,))]
            if kinds.is_right(part.kind, value, wrong, rules):
                return f"Not quite: {slip}."
        except Exception:
            continue
    return ""


# ---- code ------------------------------------------------------------------------------------------------------------


def job_of(assignment: Assignment, part: Part, cases: list[Case], seed: int) -> dict[str, Any]:
    """What the other side needs to run some cases of a part."""
    given = [given_source(cell, assignment.seed) for cell in assignment.with_role("given") if cell.target in (part.question, part.id)]
    return {
        "setup": [without_magics(cell.source) for role in ("setup", "helpers") for cell in assignment.with_role(role)]
        if assignment.format == "autogradient"
        else [],
        "given": [without_magics(text) for text in given] if assignment.format == "autogradient" else [],
        "given_names": [name for text in given for name in bound_names(text)],
        "tests": part.tests,
        "cases": [[case.name, case_seed(seed, part.id, case.name)] for case in cases],
    }


def _judge_code(assignment: Assignment, part: Part, snapshot: Interpreter, seed: int, expendable: bool, stop_at_failure: bool) -> Verdict:
    """Run the cases in forks of the snapshot: a new one after each case that hangs or dies."""
    limit = assignment.limits.case_s
    left = list(part.cases)
    done: dict[str, CaseResult] = {}
    staff: dict[str, Any] = {}
    while left:
        try:
            runner = snapshot if expendable else snapshot.fork()
        except WorkerError as error:
            for case in left:
                done[case.name] = _result(case, "failed", message=DIED.format(how=error))
            break
        try:
            for report in runner.cases(job_of(assignment, part, left, seed), limit):
                case = left.pop(0)
                done[case.name] = _from_report(case, report)
                staff[case.title] = {key: report.get(key) for key in ("error", "output", "seconds")}
                if not left or (stop_at_failure and done[case.name].outcome != "passed"):
                    break
            else:
                for case in left:  # the other side said "end" too early
                    done[case.name] = _result(case, "failed", message=DIED.format(how="it stopped answering"))
                left = []
        except WorkerTimeout:
            case = left.pop(0)
            done[case.name] = _result(case, "timed_out", message=STOPPED.format(seconds=limit))
        except WorkerError:
            case = left.pop(0)
            done[case.name] = _result(case, "failed", message=DIED.format(how=snapshot.session.how_it_ended(runner.pid)))
        finally:
            runner.kill()
        if expendable or (stop_at_failure and any(result.outcome != "passed" for result in done.values())):
            done |= {case.name: _result(case, "failed") for case in left}
            left = []
    return Verdict([done[case.name] for case in part.cases], staff)


def _from_report(case: Case, report: dict[str, Any]) -> CaseResult:
    """A case's result from what the other side says of it; a report that is none counts as failed."""
    seconds = report.get("seconds") if isinstance(report.get("seconds"), float) else None
    if report.get("passed") is True:
        return _result(case, "passed", seconds=seconds)
    if report.get("broken"):
        return _result(case, "grader_error", message=BROKEN)
    missing = report.get("missing")
    if isinstance(missing, list) and missing:
        return _result(case, "failed", message=MISSING.format(names=" and ".join(f"`{name}`" for name in missing)), seconds=seconds)
    error = report.get("error")
    error = error if isinstance(error, list) and len(error) > 1 else None
    return _result(case, "failed", message=" ".join(filter(None, [case.failure_message, _raised(case, error)])), seconds=seconds)


def _raised(case: Case, error: list[Any] | None) -> str:
    """What the student may know of an exception: of a visible case its text, of a hidden one the name of a built-in type only."""
    if not error or error[0] == "AssertionError":
        if error and not case.hidden and error[1] and not case.failure_message:
            return str(error[1])
        return ""
    if case.hidden:
        known = isinstance(getattr(builtins, str(error[0]), None), type)
        return RAISED.format(error=f"{'an' if str(error[0])[:1] in 'AEIOU' else 'a'} {error[0]}" if known else "an error")
    return RAISED.format(error=f"{error[0]}: {error[1]}".rstrip(": "))


# ---- nbgrader's cells of asserts -------------------------------------------------------------------------------------


def _judge_cell(assignment: Assignment, part: Part, snapshot: Interpreter) -> Verdict:
    """One cell of asserts in the student's names: full points unless it raises; a number as its last value is partial credit, as in nbgrader."""
    case = part.cases[0]
    run = snapshot.run(part.tests, assignment.limits.case_s)
    staff = {case.title: {"error": list(run.error) if run.error else None, "seconds": run.seconds}}
    if run.status == "timed_out":
        return Verdict([_result(case, "timed_out", message=STOPPED.format(seconds=assignment.limits.case_s))], staff)
    if run.status == "killed":
        return Verdict([_result(case, "failed", message=DIED.format(how=run.how))], staff)
    if run.status == "error":
        return Verdict([_result(case, "failed", message=_raised(case, list(run.error or ())), seconds=run.seconds)], staff)
    earned = case.points
    for output in run.outputs:
        if output.get("output_type") == "execute_result":
            try:
                value = float(output["data"]["text/plain"])
                if 0 <= value <= case.points:
                    earned = Fraction(repr(value))
            except (KeyError, ValueError, TypeError):
                pass
            break
    return Verdict([_result(case, "passed" if earned == case.points else "failed", earned=earned, seconds=run.seconds)], staff)
