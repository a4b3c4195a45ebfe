"""What people and policies decided about a submission, in words for its student."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from autogradient.course import times
from autogradient.course.marks import Lateness, Marked, Over
from autogradient.model.points import show_points


def sentences(result: Marked) -> list[tuple[str, str]]:
    """A sentence for each decision on the whole submission, and why it was made ("" where a policy
    made it). Voided and adjusted parts speak for themselves.
    """
    found = [(sentence, "") for sentence in attempts(result)]
    for one in result.unread:
        found.append(
            (
                f"Attempt {one.submission.attempt} could not be read.",
                " ".join(problem.message for problem in one.problems),
            )
        )
    if result.extended and result.due is not None:
        found.append((f"Your deadline was extended to {moment(result.due)}.", ""))
    if result.late is not None:
        found.append((_late(result.late), ""))
    found += [
        (
            f"{change(Fraction(entry.points)).capitalize()}:"
            if entry.why
            else f"{change(Fraction(entry.points)).capitalize()}.",
            entry.why,
        )
        for entry in result.whole
    ]
    if result.hides and any(case.hidden for part in result.parts for case in part.cases):
        later = (
            f"; which ones, and hints, are shown after {moment(result.withheld)}"
            if result.withheld
            else ""
        )
        found.append((f"Of hidden checks you see how many passed{later}.", ""))
    return found


def attempts(result: Marked) -> list[str]:
    """Which of several attempts counts, and which do not because there were too many in a day: a
    sentence for each such day.
    """
    found = (
        [f"Of {result.attempts} attempts, attempt {result.submission.attempt} counts."]
        if result.attempts > 1
        else []
    )
    for until in dict.fromkeys(one.until for one in result.over):
        days = [one for one in result.over if one.until == until]
        numbers = [str(one.attempt) for one in days]
        who = (
            f"Attempt {numbers[0]} was"
            if len(numbers) == 1
            else f"Attempts {', '.join(numbers[:-1])} and {numbers[-1]} were"
        )
        found.append(
            f"{who} received and {'does' if len(numbers) == 1 else 'do'} not count: "
            f"{too_many(days[0])}."
        )
    return found


def too_many(over: Over) -> str:
    """Why an attempt does not count, and from when on one does."""
    return (
        f"{over.limit} "
        f"{'attempt a day counts' if over.limit == 1 else 'attempts a day count'}, the next "
        f"one from {moment(over.until)}"
    )


def change(points: Fraction) -> str:
    """Points added or taken off, in words."""
    number = show_points(abs(points))
    return (
        f"{number} {'point' if abs(points) == 1 else 'points'} "
        f"{'taken off' if points < 0 else 'added'}"
    )


def moment(when: datetime) -> str:
    """A point in time as people read it."""
    return times.shown(when)


def how_long(span: timedelta) -> str:
    """A length of time in its two largest units: "2 days 3 hours", "4 minutes"."""
    seconds = int(span.total_seconds())
    counts = [
        (seconds // 86400, "day"),
        (seconds // 3600 % 24, "hour"),
        (seconds // 60 % 60, "minute"),
    ]
    words = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counts if count]
    return " ".join(words[:2]) or "less than a minute"


def _late(late: Lateness) -> str:
    came = f"Handed in {how_long(late.by)} after the deadline ({moment(late.due)})"
    if late.share == 1:
        return f"{came}: too late to count."
    if not late.share:
        return f"{came}; nothing is taken off for that."
    return (
        f"{came}: {show_points(100 * late.share)} % of what was earned is taken off, "
        f"{show_points(late.points)} {'point' if late.points == 1 else 'points'}."
    )
