"""Times as platforms, people and programs write them → a moment or None, and the one form in which
a moment is shown.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

#: Years that a time of a course may lie in; what lies elsewhere was never meant, and dates near the
#: ends of the calendar cannot be reckoned with.
FIRST_YEAR, LAST_YEAR = 1980, 2199
#: Bytes of a timestamp.txt that are read.
MAX_BYTES = 400
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
#: Abbreviations that mean one thing, in hours. Those that mean several (CST, IST, BST …) are read
#: where the course's own zone uses them.
_HOURS = {
    **dict.fromkeys(("Z", "UT", "UTC", "GMT", "WET"), 0.0),
    **dict.fromkeys(("CET", "MEZ", "WEST", "WAT"), 1.0),
    **dict.fromkeys(("CEST", "MESZ", "EET", "CAT", "SAST"), 2.0),
    **dict.fromkeys(("EEST", "MSK", "EAT", "TRT"), 3.0),
    "NPT": 5.75,
    "PKT": 5.0,
    "WIB": 7.0,
    "ICT": 7.0,
    "HKT": 8.0,
    "SGT": 8.0,
    "AWST": 8.0,
    "JST": 9.0,
    "KST": 9.0,
    "ACST": 9.5,
    "AEST": 10.0,
    "ACDT": 10.5,
    "AEDT": 11.0,
    "NZST": 12.0,
    "NZDT": 13.0,
    "BRT": -3.0,
    "ART": -3.0,
    "NST": -3.5,
    "NDT": -2.5,
    "ADT": -3.0,
    "EDT": -4.0,
    "EST": -5.0,
    "CDT": -5.0,
    "MST": -7.0,
    "MDT": -6.0,
    "PST": -8.0,
    "PDT": -7.0,
    "AKST": -9.0,
    "AKDT": -8.0,
    "HST": -10.0,
}
_MONTH = {
    **{name[:3].lower(): number for number, name in enumerate(MONTHS, 1)},
    "mär": 3,
    "mrz": 3,
    "mai": 5,
    "okt": 10,
    "dez": 12,
}
_CLOCK = re.compile(
    r"(?<![\d:.+-])(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,]\d{1,9})?)?)?(?![\d:])\s*(?P<half>[ap]\.?\s?m\b\.?)?",
    re.IGNORECASE,
)
_DATES = (
    (re.compile(r"(?<!\d)(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"), ""),
    (re.compile(r"(?<!\d)(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?!\d)"), ""),
    (re.compile(r"(?<!\d)(?P<one>\d{1,2})[-/](?P<two>\d{1,2})[-/](?P<year>\d{4})(?!\d)"), "either"),
    (
        re.compile(
            r"(?<![\d:])(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?[ "
            r"-](?P<name>[^\W\d_]{3,9})\.?,?[ -](?P<year>\d{4})(?!\d)"
        ),
        "name",
    ),
    (
        re.compile(
            r"(?<!\w)(?P<name>[^\W\d_]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? "
            r"(?P<year>\d{4})(?!\d)"
        ),
        "name",
    ),
    # as `date` prints it
    (
        re.compile(
            r"(?<!\w)(?P<name>[^\W\d_]{3,9}) (?P<day>\d{1,2}) (?P<rest>\d{1,2}:.*?) "
            r"(?P<year>\d{4})$"
        ),
        "name",
    ),
)
_WEEKDAY = re.compile(
    r"^(mon|tues?|wed(nes)?|thu(rs)?|fri|sat(ur)?|sun)(day)?[,.]?$", re.IGNORECASE
)
_OFFSET = re.compile(
    r"(?:(?:UTC|GMT)\s?)?(?P<sign>[+\u2212-])(?P<hours>\d{1,2}):?(?P<minutes>\d\d)?(?::?00)?"
)


def known(moment: datetime) -> datetime | None:
    """A moment with its zone if it can be reckoned with, else None."""
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


def from_seconds(seconds: float) -> datetime | None:
    """A file's time; None where it is none that a course could have. The year that archives write
    where they know no time is none either.
    """
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return known(moment) if moment.year > FIRST_YEAR else None


def decoded(data: bytes) -> str:
    """The text of a small file, whichever editor wrote it."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace").strip()
    return data.decode("utf-8-sig", "replace").strip()


def parse(text: str, zone: tzinfo | None = None) -> datetime | None:
    """A time with date and hour as nbgrader, Blackboard, Canvas, Moodle, `date` or a person writes
    it, in UTC; None where it cannot be told for certain.

    Without a zone it is UTC, as nbgrader has it. `zone` is the course's, in which abbreviations are
    understood first.
    """
    plain = re.sub(r"[\s\u202f\u00a0]+", " ", text.replace("\ufeff", "")).strip()
    if not plain or len(plain) > MAX_BYTES:
        return None
    rest = ""
    try:
        moment = datetime.fromisoformat(plain)
        if len(plain) < 15 or re.match(r"\d{4}-?W", plain):
            return None  # a date alone says no time
    except ValueError:
        numbers = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)[-_T ](\d\d)-(\d\d)(?:-(\d\d))?(.*)", plain)
        if numbers:
            day, rest = "-".join(numbers.groups()[:3]), numbers[7].strip()
            found = _read(f"{day} {numbers[4]}:{numbers[5]}:{numbers[6] or '00'}")
        else:
            found = _read(plain)
        if found is None:
            return None
        moment, rest = found[0], rest or found[1]
    try:
        if moment.tzinfo is None:
            offset = _offset(rest, moment, zone)
            if offset is None:
                return None
            moment = moment.replace(tzinfo=offset)
        return known(moment) and known(moment.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _read(text: str) -> tuple[datetime, str] | None:
    """A time on the clock, and what is left of the text: its zone."""
    text = re.sub(r"(\d)T(\d)", r"\1 \2", text)
    for pattern, kind in _DATES:
        match = pattern.search(text)
        if match is None:
            continue
        parts = match.groupdict()
        if kind == "name" and parts["name"][:3].lower() not in _MONTH:
            continue
        if kind == "either":
            one, two = int(parts["one"]), int(parts["two"])
            if (one > 12) == (two > 12) and one != two:
                return None  # a day and a month, and nobody says which is which
            month, day = (two, one) if one > 12 else (one, two)
        else:
            month, day = (
                _MONTH[parts["name"][:3].lower()] if kind == "name" else int(parts["month"]),
                int(parts["day"]),
            )
        left = text[: match.start()] + " " + parts.get("rest", "") + " " + text[match.end() :]
        clock = next(
            (each for each in _CLOCK.finditer(left) if each["minute"] or each["half"]), None
        )
        if clock is None:
            return None
        hour = int(clock["hour"])
        if clock["half"]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if clock["half"][0] in "pP" else 0)
        try:
            moment = datetime(
                int(parts["year"]),
                month,
                day,
                hour,
                int(clock["minute"] or 0),
                min(int(clock["second"] or 0), 59),
            )
        except ValueError:
            return None
        words = (
            (left[: clock.start()] + " " + left[clock.end() :])
            .replace("(", " ")
            .replace(")", " ")
            .split()
        )
        words = [
            word
            for word in words
            if word.strip(",.")
            and not _WEEKDAY.match(word)
            and word.lower().strip(",") not in ("at", "um", "uhr", "on")
        ]
        return moment, " ".join(words)
    return None


def _offset(words: str, moment: datetime, zone: tzinfo | None) -> tzinfo | None:
    """What a zone's name means at a time; None where that is not certain."""
    if not words:
        return UTC
    match = _OFFSET.fullmatch(words) or _OFFSET.match(words)
    # +0200, or +0200 CEST
    if match and (match.end() == len(words) or words[match.end() :].strip().isalpha()):
        hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
        if hours > 14 or minutes > 59:
            return None
        return timezone(
            timedelta(hours=hours, minutes=minutes) * (1 if match["sign"] == "+" else -1)
        )
    if zone is not None:
        for fold in (0, 1):
            local = moment.replace(tzinfo=zone, fold=fold)
            if local.tzname() == words.upper():
                return timezone(local.utcoffset() or timedelta(0))
    if words.upper() in _HOURS:
        return timezone(timedelta(hours=_HOURS[words.upper()]))
    if "/" in words and words in available_timezones():
        return ZoneInfo(words)
    return None


_IN_NAME = re.compile(
    r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)[-_T. ](?:at[-_. "
    r"])?(\d\d)[-_.:]?(\d\d)(?:[-_.:]?(\d\d))?(?!\d)"
)


def in_name(name: str) -> datetime | None:
    """The first time, with date and hour, in a file's name or path, as UTC; None where there is
    none.
    """
    for match in _IN_NAME.finditer(name):
        try:
            return known(datetime(*(int(number or 0) for number in match.groups()), tzinfo=UTC))  # type: ignore[misc, arg-type]
        except ValueError:
            continue
    return None


def shown(when: datetime, zone: tzinfo | None = None) -> str:
    """A moment as people read it, by the clock of `zone` if there is one: 12 October 2026, 23:59
    CEST.
    """
    with suppress(OverflowError):
        when = when.astimezone(zone) if zone is not None else when
    return (
        f"{when.day} {MONTHS[when.month - 1]} {when.year}, {when:%H:%M} {when.tzname() or ''}"
    ).rstrip()


def later(when: datetime, span: timedelta, zone: tzinfo | None) -> datetime:
    """A moment and a span of time: whole days by the clock on the wall of `zone`, where one may
    have 23 or 25 hours; the rest as it passes.

    Where the clock shows that time twice or not at all, the later of both readings.
    """
    days, rest = timedelta(days=span.days), span - timedelta(days=span.days)
    try:
        if zone is None or not days:
            return when + span
        wall = when.astimezone(zone).replace(tzinfo=None) + days
        return max(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)) + rest
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def days_begun(due: datetime, came: datetime, zone: tzinfo | None) -> int:
    """How many days of a zone had begun after a deadline when something came; 0 where it came in
    time.
    """
    if came <= due:
        return 0
    count = max(1, -((due - came) // timedelta(days=1)) - 1)
    while came > later(due, timedelta(days=count), zone):
        count += 1
    return count


def between(due: datetime, came: datetime, zone: tzinfo | None) -> timedelta:
    """How late something came, for people: where clocks were changed meanwhile, by the clock on the
    wall.
    """
    wall = (
        came - due
        if zone is None
        else came.astimezone(zone).replace(tzinfo=None) - due.astimezone(zone).replace(tzinfo=None)
    )
    return wall if wall > timedelta(0) else came - due


def twice_or_never(wall: datetime, zone: tzinfo) -> str:
    """Whether a time on a zone's clock is shown "twice" or "never", when clocks are changed; ""
    where neither.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return ""
    back = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    return "twice" if back == wall.replace(fold=0) or back == wall else "never"


def end_of_day(day: date, zone: tzinfo | None) -> datetime:
    """The last second of a day."""
    wall = datetime.combine(day, time(23, 59, 59))
    return (
        wall
        if zone is None
        else max(
            (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1)),
            key=lambda moment: moment.astimezone(UTC),
        )
    )
