"""What a course has decided beforehand: deadlines, late work, which attempt counts, what is shown
of hidden tests. Read from course.toml.

Nothing of it is written into results; `marks` applies it when marks are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from autogradient import errors
from autogradient.course import times
from autogradient.errors import CourseError, nearest

Counts = Literal["last_on_time", "last", "best"]
Hidden = Literal["after_deadline", "count", "full"]
#: The keys of course.toml that are read here, with their types.
KEYS: dict[str, type] = {
    "timezone": str,
    "deadlines": dict,
    "late": dict,
    "counts": str,
    "attempts_per_day": int,
    "hidden_feedback": str,
}
LATE_KEYS = ("grace", "per_day", "at_most", "nothing_after")
DEADLINE_KEYS = ("due", "sections")
DAY = timedelta(days=1)
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": DAY}
_DURATION = re.compile(r"(\d{1,5}(?:\.\d{1,2})?) ?(m|min|minutes?|h|hours?|d|days?)")


@dataclass(frozen=True)
class Deadline:
    """Until when an assignment is to be handed in: everybody (None: no deadline but the sections'),
    and sections that have their own.
    """

    due: datetime | None
    sections: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Late:
    """What late work costs, as shares of what was earned: `per_day` for each day begun, `at_most`
    in all, everything after `nothing_after`.
    """

    grace: timedelta = timedelta(0)
    per_day: Fraction = Fraction(0)
    at_most: Fraction = Fraction(1)
    nothing_after: timedelta | None = None

    def share(self, late_by: timedelta) -> Fraction:
        """The share of what was earned that is taken off, from 0 to 1. Within the grace period
        nothing is; after it, days count from the deadline.
        """
        start = datetime(2000, 1, 1, tzinfo=UTC)
        return self.share_at(start, start + late_by, None)

    def share_at(self, due: datetime, came: datetime, zone: tzinfo | None) -> Fraction:
        """The same for work that came at a time: days, of the grace period and of `nothing_after`
        too, are those of the course's time zone.
        """
        if came <= max(due, times.later(due, self.grace, zone)):
            return Fraction(0)
        if self.nothing_after is not None and came > times.later(due, self.nothing_after, zone):
            return Fraction(1)
        return min(self.at_most, self.per_day * times.days_begun(due, came, zone))


@dataclass(frozen=True)
class Policy:
    """The policies of a course; without any, nothing is late, the last attempt counts and hidden
    tests are shown by name and hint.
    """

    timezone: str = ""
    deadlines: Mapping[str, Deadline] = field(default_factory=dict)
    late: Late = Late()
    counts: Counts = "last_on_time"
    hidden_feedback: Hidden = "full"
    attempts_per_day: int | None = None

    def due(self, assignment: str, section: str = "") -> datetime | None:
        """The deadline of an assignment for a section; None where there is none."""
        deadline = self.deadlines.get(assignment)
        return None if deadline is None else deadline.sections.get(section, deadline.due)

    def last_due(self, assignment: str) -> datetime | None:
        """The latest deadline that any section has."""
        deadline = self.deadlines.get(assignment)
        return (
            None
            if deadline is None
            else max(
                (moment for moment in (deadline.due, *deadline.sections.values()) if moment),
                default=None,
            )
        )

    def day_after(self, when: datetime) -> datetime:
        """When the day after a time begins, by the course's clock (UTC without one)."""
        zone = self.zone or UTC
        # no time of a course, and near the end of the calendar
        if when.year >= times.LAST_YEAR + 10:
            return datetime.max.replace(tzinfo=UTC)
        begins = datetime.combine(when.astimezone(zone).date() + DAY, time(0), zone)
        return begins.replace(tzinfo=timezone(begins.utcoffset() or timedelta(0)))

    def too_many(self, moments: Iterable[datetime]) -> list[bool]:
        """Whether each of some attempts came when as many of its day had come before as count; by
        the times of receipt, oldest first.
        """
        came: dict[datetime, int] = {}
        found = []
        for moment in moments:
            day = self.day_after(moment)
            came[day] = came.get(day, 0) + 1
            found.append(self.attempts_per_day is not None and came[day] > self.attempts_per_day)
        return found

    @property
    def zone(self) -> tzinfo | None:
        """The course's time zone, if it names one."""
        return ZoneInfo(self.timezone) if self.timezone else None

    def moment(self, text: str) -> datetime:
        """A point in time as people type it: `2026-10-12`, its end; `2026-10-12 18:00`; with or
        without an offset. Raises CourseError.
        """
        try:
            value = (
                date.fromisoformat(text.strip())
                if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip())
                else datetime.fromisoformat(text.strip())
            )
        except ValueError:
            raise CourseError(errors.BAD_MOMENT.format(text=text)) from None
        value = _in_reach(value)
        if problem := _no_moment(value, self.zone):
            raise CourseError(errors.MOMENT_IS_NONE.format(text=text.strip(), problem=problem))
        found = _with_zone(value, self.zone)
        if found is None:
            raise CourseError(errors.MOMENT_WITHOUT_ZONE.format(text=text))
        return found


def _in_reach(value: date) -> date:
    """A date or time; one that is meant as never, such as the year 9999, in the last year that can
    be reckoned with.
    """
    return (
        value.replace(year=times.LAST_YEAR, day=min(value.day, 28))
        if value.year > times.LAST_YEAR
        else value
    )


def _no_moment(value: date, zone: tzinfo | None) -> str:
    """Why a date or time is no moment that a course can reckon with; "" where it is one."""
    if not times.FIRST_YEAR <= value.year <= times.LAST_YEAR:
        return errors.YEAR_OUT_OF_RANGE.format(first=times.FIRST_YEAR, last=times.LAST_YEAR)
    if zone is None or (isinstance(value, datetime) and value.tzinfo is not None):
        return ""
    wall = value if isinstance(value, datetime) else datetime.combine(value, time(23, 59, 59))
    found = times.twice_or_never(wall, zone)
    if found == "never":
        return errors.NO_SUCH_HOUR.format(zone=zone)
    # of a day that ends twice, the second end is meant
    if found == "twice" and isinstance(value, datetime):
        one, two = (wall.replace(tzinfo=zone, fold=fold).isoformat() for fold in (0, 1))
        return errors.HOUR_TWICE.format(zone=zone, one=one, two=two)
    return ""


def _with_zone(value: date, zone: tzinfo | None) -> datetime | None:
    """A date or time with a time zone, its own or the course's; a date means the end of that day.
    None where neither says which zone.
    """
    moment = value if isinstance(value, datetime) else times.end_of_day(value, zone)
    if moment.tzinfo is None and zone is not None:
        moment = moment.replace(tzinfo=zone)
    if moment.tzinfo is None:
        return None
    # fixed to its offset: two times of one zone would be compared by the clock on the wall, which
    # is wrong in the night when clocks are changed
    return moment.replace(tzinfo=timezone(moment.utcoffset() or timedelta(0)))


def read(data: Mapping[str, Any], bad: Callable[..., CourseError], known: Iterable[str]) -> Policy:
    """The policy in the data of a course.toml whose top-level types are right. `known` are the
    names a deadline may have.

    `bad(problem, *keys)` makes the error that names file and line. Raises CourseError.
    """
    zone = str(data.get("timezone", ""))
    if zone and zone not in available_timezones():
        raise bad(
            errors.BAD_TIMEZONE.format(zone=zone, nearest=nearest(zone, available_timezones())),
            "timezone",
        )
    chosen: dict[str, str] = {}
    for key, options in (("counts", get_args(Counts)), ("hidden_feedback", get_args(Hidden))):
        chosen[key] = data.get(key, getattr(Policy, key))
        if chosen[key] not in options:
            said = errors.NOT_A_CHOICE.format(
                key=key,
                value=chosen[key],
                options=", ".join(f'"{option}"' for option in options),
                nearest=nearest(chosen[key], options),
            )
            raise bad(said, key)
    a_day = data.get("attempts_per_day")
    if a_day is not None and (a_day < 1 or not zone):
        raise bad(
            errors.NOT_A_COUNT.format(key="attempts_per_day")
            if a_day < 1
            else errors.DAY_WITHOUT_ZONE,
            "attempts_per_day",
        )
    place = ZoneInfo(zone) if zone else None
    names = list(known)
    deadlines = {}
    for name, value in data.get("deadlines", {}).items():
        if names and name not in names:
            raise bad(
                errors.UNKNOWN_DEADLINE.format(name=name, nearest=nearest(name, names)),
                "deadlines",
                name,
            )
        deadlines[name] = _deadline(name, value, place, bad)
    late = _late(data.get("late", {}), bad)
    return Policy(zone, deadlines, late, attempts_per_day=a_day, **chosen)  # type: ignore[arg-type]


def _deadline(
    name: str, value: Any, zone: tzinfo | None, bad: Callable[..., CourseError]
) -> Deadline:
    def moment(value: Any, *keys: str) -> datetime:
        if not isinstance(value, date):
            raise bad(errors.NOT_A_MOMENT.format(key=".".join(keys)), *keys)
        value = _in_reach(value)
        if problem := _no_moment(value, zone):
            raise bad(
                errors.DEADLINE_IS_NONE.format(
                    key=".".join(keys), value=value.isoformat(), problem=problem
                ),
                *keys,
            )
        found = _with_zone(value, zone)
        if found is None:
            raise bad(
                errors.LOCAL_MOMENT.format(key=".".join(keys), value=value.isoformat()), *keys
            )
        return found

    if not isinstance(value, dict):
        return Deadline(moment(value, "deadlines", name))
    for key in value:
        if key not in DEADLINE_KEYS:
            raise bad(
                errors.UNKNOWN_KEY_IN.format(
                    key=key, table=f"deadlines.{name}", nearest=nearest(key, DEADLINE_KEYS)
                ),
                "deadlines",
                name,
                key,
            )
    sections = value.get("sections", {})
    if not isinstance(sections, dict) or not value:
        raise bad(errors.NOT_A_MOMENT.format(key=f"deadlines.{name}"), "deadlines", name)
    due = moment(value["due"], "deadlines", name, "due") if "due" in value else None
    return Deadline(
        due,
        {
            str(section): moment(when, "deadlines", name, "sections", section)
            for section, when in sections.items()
        },
    )


def _late(table: Mapping[str, Any], bad: Callable[..., CourseError]) -> Late:
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key not in LATE_KEYS:
            raise bad(
                errors.UNKNOWN_KEY_IN.format(
                    key=key, table="late", nearest=nearest(key, LATE_KEYS)
                ),
                "late",
                key,
            )
        found[key] = _duration(value) if key in ("grace", "nothing_after") else _share(value)
        if found[key] is None:
            said = (
                errors.NOT_A_DURATION if key in ("grace", "nothing_after") else errors.NOT_A_SHARE
            )
            raise bad(said.format(key=f"late.{key}"), "late", key)
    late = Late(**found)
    if late.nothing_after is not None and late.nothing_after < late.grace:
        raise bad(errors.NOTHING_BEFORE_GRACE, "late", "nothing_after")
    return late


def _duration(value: Any) -> timedelta | None:
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    unit = next(length for name, length in _UNITS.items() if name[0] == match[2][0])
    return unit * float(match[1])


def _share(value: Any) -> Fraction | None:
    match = (
        re.fullmatch(r"(\d{1,3}(?:\.\d{1,2})?) ?%", value.strip())
        if isinstance(value, str)
        else None
    )
    share = Fraction(Decimal(match[1])) / 100 if match else None
    return share if share is not None and share <= 1 else None
