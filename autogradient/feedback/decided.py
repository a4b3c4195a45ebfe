"""What people and policies decided about a submission, in words for its student."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction

from autogradient.marks import Lateness, Marked
from autogradient.testcode import show_points


def sentences(result: Marked) -> list[tuple[str, str]]:
    """A sentence for each decision on the whole submission, and why it was made ("" where a policy made it). Voided and adjusted parts speak for themselves."""
    found = []
    if result.attempts > 1:
        found.append((f"Of {result.attempts} attempts, attempt {result.submission.attempt} counts.", ""))
    for one in result.unread:
        found.append((f"Attempt {one.submission.attempt} could not be read.", " ".join(problem.message for problem in one.problems)))
    if result.extended and result.due is not None:
        found.append((f"Your deadline was extended to {moment(result.due)}.", ""))
    if result.late is not None:
        found.append((_late(result.late), ""))
    found += [
        (f"{change(Fraction(entry.points)).capitalize()}:" if entry.why else f"{change(Fraction(entry.points)).capitalize()}.", entry.why)
        for entry in result.whole
    ]
    if result.hides and any(case.hidden for part in result.parts for case in part.cases):
        later = f"; which ones, and hints, are shown after {moment(result.withheld)}" if result.withheld else ""
        found.append((f"Of hidden checks you see how many passed{later}.", ""))
    return found


def change(points: Fraction) -> str:
    """Points added or taken off, in words."""
    number = show_points(abs(points))
    return f"{number} {'point' if abs(points) == 1 else 'points'} {'taken off' if points < 0 else 'added'}"


def moment(when: datetime) -> str:
    """A point in time as people read it."""
    return when.strftime("%d %B %Y, %H:%M %Z").lstrip("0").rstrip()


def how_long(span: timedelta) -> str:
    """A length of time in its two largest units: "2 days 3 hours", "4 minutes"."""
    seconds = int(span.total_seconds())
    counts = [(seconds // 86400, "day"), (seconds // 3600 % 24, "hour"), (seconds // 60 % 60, "minute")]
    words = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in counts if count]
    return " ".join(words[:2]) or "less than a minute"


def _late(late: Lateness) -> str:
    came = f"Handed in {how_long(late.by)} after the deadline ({moment(late.due)})"
    if late.share == 1:
        return f"{came}: too late to count."
    if not late.share:
        return f"{came}; nothing is taken off for that."
    return f"{came}: {show_points(100 * late.share)} % of what was earned is taken off, {show_points(late.points)} {'point' if late.points == 1 else 'points'}."
