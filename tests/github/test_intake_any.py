"""Properties of what comes in: whatever files, names, times and encodings, each file becomes an
attempt or stands in a sentence, and nothing ends a run.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import homework
import pytest
from commands import Ran
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packed import tarred, zipped
from proved import prove_cheaply

from autogradient.course import times
from autogradient.course.identity import AmbiguousName, People
from autogradient.course.policy import Late
from autogradient.course.roster import Member
from autogradient.errors import SubmissionError
from autogradient.github.archive import HandedIn, Placed, Sorter
from autogradient.github.platform_attempts import take
from autogradient.github.recognise import File, Found
from autogradient.grading.archives import Budget, LeftOut, Piece, notebooks
from autogradient.grading.file_kinds import kind, like_notebook

FIXED = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
BERLIN = ZoneInfo("Europe/Berlin")
MEMBERS = [
    Member("ada", name="Ada Lovelace", lms_id="17"),
    Member("jörg", name="Jörg Müller", email="j@uni.example"),
    Member("max1", name="Max Weber"),
    Member("max2", name="Max Weber"),
    Member("김민준"),
]
NOTEBOOKS = [f'{{"cells": [], "nbformat": 4, "n": {number}}}'.encode() for number in range(3)]


class Recogniser:
    """Takes what looks like a notebook for one of the assignment."""

    def look(self, file: File) -> Found | None:
        """As the real one, without a course."""
        if not like_notebook(file.data):
            raise SubmissionError(f"{file.path}: this is not a notebook")
        return Found("small", file, "its cells", frozenset({"a"}))


names = st.sampled_from(
    [
        "ada",
        "ADA",
        "17",
        "jörg",
        unicodedata.normalize("NFD", "jörg"),
        "김민준",
        unicodedata.normalize("NFD", "김민준"),
        "nobody",
        "Max Weber",
    ]
)
stamps = st.sampled_from(
    [
        "2026-10-12-18-58-01",
        "2026-10-12-18-58-02",
        "2026-13-45-99-99-99",
        "9999-12-31-23-59-59",
        "0000-00-00-00-00-00",
    ]
)
files = st.sampled_from(
    [
        "small.ipynb",
        "SMALL.IPYNB",
        "small.json",
        "a.txt",
        "b.pdf",
        "c.zip",
        "d.tar.gz",
        "e.rar",
        "f.7z",
        "g",
        "h.csv",
        "..",
        "x\\y.ipynb",
        "é.ipynb",
    ]
)
paths = st.one_of(
    st.builds("{}/{}".format, names, files),
    st.builds("{}/{}/{}".format, names, stamps, files),
    st.builds("Lab 1_{}_attempt_{}_{}".format, names, stamps, files),
    st.builds("{}_17_{}_{}".format, names, st.integers(0, 99), files),
    st.builds(
        "{}_{}_assignsubmission_file/{}".format,
        st.sampled_from(["Ada Lovelace", "Max Weber", "Müller Jörg", "X Y"]),
        st.integers(0, 99),
        files,
    ),
    st.text(min_size=1, max_size=20),
)


def kinds(notebooks: Sequence[bytes]) -> list[bytes]:
    """What a file may hold: three notebooks, other things, archives of both, in archives, cut."""
    plain = [
        *notebooks,
        notebooks[0].decode().encode("utf-16"),
        b"",
        b"x",
        b"{}",
        b"\xff\xfe",
        b"%PDF-1.4",
        b"Rar!\x1a\x07",
        b"PK\x03\x04",
        b"\x1f\x8b",
    ]
    flat = [
        pack(entries)
        for pack in (zipped, tarred)
        for entries in (
            {},
            {"small.ipynb": notebooks[0]},
            {"x/small.json": notebooks[1], "y.pdf": b"%PDF-"},
            {"x\\a.ipynb": notebooks[2], "w.txt": b"w", ".h": b""},
        )
    ]
    deep = [pack({"z.zip": inner, "a.csv": b"1"}) for pack in (zipped, tarred) for inner in flat]
    return [
        *plain,
        *flat,
        *deep,
        *(zipped({"again.zip": zipped({"more.zip": inner})}) for inner in deep),
        *(data[:-9] for data in flat),
    ]


contents = st.sampled_from(kinds(NOTEBOOKS))


def told(path: str, sentences: list[str]) -> bool:
    """Whether a path stands in a sentence, as such or as it is shown."""
    last = path.rpartition("/")[2]
    return any(last in sentence or path in sentence for sentence in sentences)


@settings(max_examples=1200, **FIXED)  # type: ignore[arg-type]
@given(
    st.dictionaries(
        st.builds(
            "{}{}".format,
            st.sampled_from(["", "a/", "b_attempt_2026-10-12-18-58-01_"]),
            files.filter(lambda name: name != ".."),
        ),
        st.tuples(contents, st.sampled_from(["", "one", "two"])),
        min_size=1,
        max_size=6,
    )
)
def test_each_file_of_a_student_is_an_attempt_or_stands_in_a_sentence(
    handed: dict[str, tuple[bytes, str]],
) -> None:
    moment = datetime(2026, 10, 12, tzinfo=UTC)
    placed = [
        Placed(
            path,
            lambda limit, data=data: data[:limit],
            moment,
            "its name",
            which,
            moment if which else None,
        )
        for path, (data, which) in handed.items()
    ]
    taken = take(HandedIn("ada", placed), Recogniser())  # type: ignore[arg-type]
    assert [
        one.placed.stated or datetime.min.replace(tzinfo=UTC) for one in taken.attempts
    ] == sorted(one.placed.stated or datetime.min.replace(tzinfo=UTC) for one in taken.attempts)
    sentences = [*taken.remarks, *taken.in_full, *(one.found.file.path for one in taken.attempts)]
    for path in handed:
        assert told(path, sentences), (path, sentences)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a zip is written again and again."""
    return tmp_path_factory.mktemp("intake")


@settings(max_examples=900, **FIXED)  # type: ignore[arg-type]
@given(
    entries=st.dictionaries(
        paths.filter(lambda path: "\x00" not in path and path.isprintable()),
        st.sampled_from(NOTEBOOKS),
        max_size=6,
    )
)
def test_each_file_of_a_zip_is_somebodys_or_stands_in_a_sentence(
    folder: Path, entries: dict[str, bytes]
) -> None:
    (folder / "week.zip").write_bytes(zipped(entries))
    files, left = [], []
    for handed in Sorter(MEMBERS, zone=BERLIN).students(folder / "week.zip"):
        files += [placed.path for placed in handed.files]
        left += [path for path, _ in handed.left_out]
        assert all(
            placed.received is None or 1980 <= placed.received.year <= 2199
            for placed in handed.files
        )
    hidden = [
        path
        for path in entries
        if path.replace("\\", "/").endswith("/")
        or any(
            part.startswith(".") and part not in (".", "..")
            for part in path.replace("\\", "/").split("/")
        )
    ]
    assert len(files) + len(left) == len(entries) - len(hidden)


@settings(max_examples=1000, **FIXED)  # type: ignore[arg-type]
@given(
    names.flatmap(
        lambda name: st.sampled_from(
            [name, unicodedata.normalize("NFD", name), name.upper(), f" {name} "]
        )
    )
    | st.text(max_size=30)
)
def test_a_name_is_one_student_however_its_letters_are_written(text: str) -> None:
    people = People(MEMBERS)

    def who(text: str) -> str | None:
        try:
            return people.by_id(text) or people.by_name(text)
        except AmbiguousName as error:
            return str(error)

    assert (
        who(unicodedata.normalize("NFD", text))
        == who(unicodedata.normalize("NFC", text))
        == who(f" {text} ")
    )
    assert len(people.nearest(text)) == 3


#: The seed of what thirty students hand in below, and how a platform names a file of theirs.
SEED = 7
NAMED = [
    "{who}/{file}",
    "{who}/2026-10-1{day}-18-58-01/{file}",
    "Lab 1_{who}_attempt_2026-10-1{day}-18-58-01_{file}",
    "{who}_17_9{day}_{file}",
    "Person {who}_4{day}_assignsubmission_file/{file}",
]
FILES = [
    "small.ipynb",
    "a.json",
    "SMALL.IPYNB",
    "b.pdf",
    "c.zip",
    "d.tar.gz",
    "e.rar",
    "f",
    "é.txt",
]


def handed_in(notebooks: Sequence[bytes]) -> dict[str, bytes]:
    """A zip in which thirty people, and some that nobody knows, have one to five files each."""
    chance, entries = random.Random(SEED), dict[str, bytes]()
    for who in [*(f"s{number:02}" for number in range(30)), "nobody"]:
        form = chance.choice(NAMED)
        for day in range(chance.randint(1, 5)):
            path = form.format(who=who, day=day, file=chance.choice(FILES))
            few = notebooks if chance.random() < 0.4 else kinds(notebooks)
            entries[path] = chance.choice(few)
    return entries


def test_of_thirty_students_files_each_is_graded_or_stands_in_a_sentence(
    course_root: Path, tmp_path: Path
) -> None:
    """And each attempt has a result, by the whole way: from the platform's zip to the report."""
    small = homework.assignment(course_root / "source")
    prove_cheaply(small)
    config = course_root / "grader_config"
    config.mkdir()
    (config / "course.toml").write_text("format = 1\n")
    rows = [f"s{number:02},Person s{number:02}" for number in range(30)]
    (config / "roster.csv").write_text("\n".join(["student,name", *rows]) + "\n")
    answers = [homework.ANSWERS, {"total": "total = 24"}, {"pick": 'larger = "b"'}]
    entries = handed_in([homework.Notebook(small, each).bytes() for each in answers])
    (tmp_path / "small.zip").write_bytes(zipped(entries, when=(2026, 10, 12, 12, 0, 0)))

    collected = Ran(course_root, "collect", "--from", str(tmp_path / "small.zip"))
    graded = Ran(course_root, "grade", "--all")
    assert (collected.code, graded.code) == (0, 0), (collected, graded)
    attempts = sorted((course_root / "submitted").glob("*/small/attempt-*"))
    known = [json.loads((attempt / "receipt.json").read_text())["file"] for attempt in attempts]
    in_full = course_root / "submitted" / "left-out.txt"
    sentences = [
        *collected.err.splitlines(),
        *(in_full.read_text().splitlines() if in_full.is_file() else []),
    ]
    for path in entries:
        is_kept = any(file == path or file.startswith(f"{path}/") for file in known)
        assert is_kept or any(path in sentence for sentence in sentences), (path, collected)
    assert f"{len(attempts)} graded" in graded.out, graded
    outcomes = {}
    for attempt in attempts:
        student, number = attempt.parts[-3], attempt.name.removeprefix("attempt-")
        result = course_root / "results" / "small" / "attempts" / student / f"{number}.json"
        outcomes[student, number] = json.loads(result.read_text())["outcome"]
    assert set(outcomes.values()) == {"graded", "unreadable"} and len(outcomes) >= 30

    lines = Ran(course_root, "report", "small").out.splitlines()[1:]
    cells = {line.split()[0]: line.split()[2] for line in lines}
    nothing = {who for who, cell in cells.items() if cell == "–"}
    assert nothing == set(cells) - {student for student, _ in outcomes}
    # who has nothing handed in nothing, or it is in a sentence why that could not be kept
    for who in nothing:
        assert not [path for path in entries if who in path], (who, collected)


# a day away from both ends: what is written with an offset is of the day before or after
dates = st.datetimes(min_value=datetime(1980, 1, 2), max_value=datetime(2199, 12, 30)).map(
    lambda moment: moment.replace(microsecond=0)
)
FORMS: list[Callable[[datetime], str]] = [
    lambda m: f"{m:%Y-%m-%d %H:%M:%S} UTC",
    lambda m: f"{m:%Y-%m-%d %I:%M:%S %p}",
    lambda m: f"\ufeff{m:%Y-%m-%dT%H:%M:%S}Z\r\n",
    lambda m: f"{times.MONTHS[m.month - 1]} {m.day}, {m.year} {m:%I:%M:%S %p} GMT",
    lambda m: f"{m.day}.{m.month}.{m.year} {m:%H:%M:%S}",
    lambda m: f"{m + timedelta(hours=2):%Y-%m-%d %H:%M:%S} CEST",
    lambda m: f"{m - timedelta(hours=4):%Y-%m-%d %H:%M:%S} EDT",
    lambda m: f"{m - timedelta(hours=4):%a, %d %b %Y %H:%M:%S} -0400",
    lambda m: f"{m:%Y-%m-%d-%H-%M-%S}",
]


@settings(max_examples=1000, **FIXED)  # type: ignore[arg-type]
@given(dates, st.sampled_from(FORMS))
def test_a_time_is_read_right_in_every_form(
    moment: datetime, form: Callable[[datetime], str]
) -> None:
    assert times.parse(form(moment), BERLIN) in (
        moment.replace(tzinfo=UTC),
        times.known(moment.replace(tzinfo=UTC)),
    )


@settings(max_examples=600, **FIXED)  # type: ignore[arg-type]
@given(
    st.text(max_size=40)
    | st.datetimes().map(str)
    | st.from_regex(
        r"\d{1,5}[-./ ]\d{1,2}[-./ ]\d{1,5}[ T]\d{1,2}:\d\d(:\d\d)?( ?[AaPp][Mm])?( [A-Z]{1,4})?",
        fullmatch=True,
    ),
    st.binary(max_size=60),
)
@example("9999-12-31 23:59:59 UTC", b"\xff\xfe\x00")
@example("0001-01-01 00:00:00 +1400", b"\xfe\xff")
def test_no_text_ends_a_run(text: str, data: bytes) -> None:
    for zone in (None, BERLIN):
        for found in (
            times.parse(text, zone),
            times.parse(times.decoded(data), zone),
            times.in_name(text),
        ):
            assert found is None or (found.tzinfo is not None and 1980 <= found.year <= 2199)
    kind(data, text)
    assert all(
        isinstance(each, (Piece, LeftOut))
        for each in notebooks("x.zip", lambda limit: data[:limit], Budget())
    )


@settings(max_examples=400, **FIXED)  # type: ignore[arg-type]
@given(dates, st.integers(0, 40), st.integers(-86_399, 86_399))
def test_late_days_are_days_on_the_wall(wall: datetime, days: int, seconds: int) -> None:
    late = Late(per_day=Fraction(1, 100))
    due = wall.replace(tzinfo=BERLIN).astimezone(UTC)
    came = (wall + timedelta(days=days)).replace(tzinfo=BERLIN).astimezone(UTC)
    assert late.share_at(due, came, BERLIN) <= late.per_day * days
    after = came + timedelta(seconds=abs(seconds) + 7201)
    assert late.share_at(due, after, BERLIN) >= min(late.at_most, late.per_day * (days + 1))
    assert late.share_at(due, due + timedelta(seconds=min(0, seconds)), BERLIN) == 0
