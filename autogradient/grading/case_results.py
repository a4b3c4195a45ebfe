"""What a judge reports of one case → the case's result: what students may read of it, and what only
staff may.

A report is data that a judge's process wrote, and a student's text may be in it. Of a hidden case
no more is told than that it passed, failed, came to no end or timed out.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from autogradient.model.assignment import Case
from autogradient.model.result import MAX_MESSAGE, CaseOutcome, CaseResult

MISSING = (
    "{names} is not defined when the check runs: the cell that defines it is missing, "
    "stands below the check, or stopped with an error."
)
STOPPED = "It may take {seconds:g} s; look for a loop that never ends."
OUT_OF_TIME = "The notebook took more than {seconds:g} s altogether, so this was not looked at."
#: All that is said of a hidden case that timed out: whether its own time was over or the whole
#: notebook's could tell of hidden inputs.
TOO_LONG = "It took too long; look for a loop that never ends."
DIED = "The Python process ended while this check ran ({how})."
RAISED = "Your code raised {error}."
#: All that is said of a hidden case that did not come to its end: which of these it was could tell
#: of hidden inputs.
NO_END = "Your code raised an error, or its process ended."
BROKEN = "The check itself could not be run; your instructor has been told."
#: Characters of what a case printed that are kept for staff.
MAX_NOTE = 5000


def case_result(
    case: Case,
    outcome: CaseOutcome,
    *,
    message: str = "",
    reason: str | None = None,
    seconds: float | None = None,
    earned: Fraction | None = None,
) -> CaseResult:
    """A case's result; points for one that passed, unless `earned` says otherwise."""
    points = earned if earned is not None else case.points if outcome == "passed" else Fraction(0)
    visible_seconds = None if case.hidden or seconds is None else round(seconds, 4)
    return CaseResult(
        name=case.title,
        hidden=case.hidden,
        outcome=outcome,
        reason=reason,
        earned=points,
        possible=case.points,
        message=message,
        seconds=visible_seconds,
    )


def from_report(
    case: Case, report: dict[str, Any], limit: float, quiet: bool, gone: list[str]
) -> CaseResult:
    """A case's result from what the judge says of it; a report that is none counts as failed.

    With `quiet` no text of the student's goes into it, and no time: hidden inputs of other cases
    may have been seen by then. Of a hidden case four things can be told apart: passed, failed, no
    end, timed out. `gone` are the names of the case's own that were missing before a hidden input
    was sent: of a hidden case that fails these are said, whatever is reported now.
    """
    seconds = (
        report.get("seconds") if isinstance(report.get("seconds"), float) and not quiet else None
    )
    if report.get("passed") is True:
        # a cell of asserts: its last value may be partial credit, as in nbgrader
        partial = report.get("earned")
        # nor is it where it is no number
        if isinstance(partial, float) and not partial >= case.points:
            # more digits could tell of hidden inputs
            some = round(Fraction(repr(partial)), 2) if partial > 0 else Fraction(0)
            return case_result(case, "failed", earned=some, seconds=seconds)
        return case_result(case, "passed", seconds=seconds)
    if report.get("late") is True:
        return case_result(
            case, "timed_out", message=took_too_long(case, quiet, STOPPED.format(seconds=limit))
        )
    if report.get("broken"):
        return case_result(case, "grader_error", message=BROKEN)
    # a process that has seen hidden inputs may take names away and give them back as it likes:
    # which of three are missing would be three bits
    missing = gone if case.hidden or quiet else report.get("missing")
    if isinstance(missing, list) and missing:
        return case_result(
            case,
            "failed",
            message=MISSING.format(names=" and ".join(f"`{name}`" for name in missing)),
            seconds=seconds,
        )
    error = report.get("error")
    error = error if isinstance(error, list) and len(error) > 1 else None
    return case_result(
        case,
        "failed",
        message=" ".join(
            filter(None, [case.failure_message, _raised(case, error, case.hidden or quiet)])
        ),
        seconds=seconds,
    )


def ended_early(
    case: Case, quiet: bool, sentence: str = DIED.format(how="it stopped answering")
) -> str:
    """What to say of a case that did not come to its end. Not how, of a hidden one: an exit code is
    eight bits of what the process has seen.
    """
    return (
        " ".join(filter(None, [case.failure_message, NO_END])) if case.hidden or quiet else sentence
    )


def took_too_long(case: Case, quiet: bool, sentence: str) -> str:
    """What to say of a case that timed out: of a hidden one always the same."""
    return TOO_LONG if case.hidden or quiet else sentence


def _raised(case: Case, error: list[Any] | None, quiet: bool) -> str:
    """What the student may know of an exception: of a visible case its text, of a hidden one only
    that there was one.
    """
    if not error or error[0] == "AssertionError":
        if error and not quiet and error[1] and not case.failure_message:
            return str(error[1])
        return ""
    if error[0] == "BoundaryError" and quiet:
        return ""
    if quiet:  # not even which: the choice of an error could tell of hidden inputs
        return NO_END
    if error[0] == "BoundaryError":
        return f"{str(error[1])[:1].upper()}{str(error[1])[1:]}."
    return RAISED.format(error=f"{error[0]}: {error[1]}".rstrip(": "))


def staff_note(report: dict[str, Any]) -> dict[str, Any]:
    """What staff may see of a report, cut."""
    found: Any = report.get("error")
    proper = isinstance(found, list) and len(found) == 3 and isinstance(found[2], list)
    error = (
        [
            str(found[0])[:200],
            str(found[1])[:MAX_MESSAGE],
            [str(line)[:500] for line in found[2][:20]],
        ]
        if proper
        else None
    )
    seconds = report.get("seconds") if isinstance(report.get("seconds"), float) else None
    return {
        "error": error,
        "output": str(report.get("output") or "")[:MAX_NOTE],
        "seconds": seconds,
        "gone": str(report.get("gone") or "")[:200],
    }
