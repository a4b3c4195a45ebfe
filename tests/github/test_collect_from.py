"""`collect` from elsewhere: pull requests to a shared repository, folders, and zips that a learning
platform made; and the command itself.
"""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import homework
import pytest
from commands import Ran
from hub.people import Place, push
from hub.server import Server

from autogradient.course import config as course
from autogradient.github import platform_attempts
from autogradient.github.collect import Collected, Collector
from autogradient.github.recognise import Recogniser
from autogradient.github.roster import read
from autogradient.github.settings import Settings
from autogradient.model.assignment import Assignment
from autogradient.sources import release

ROSTER = "student,login,lms_id,email\nada,ada-l,17,ada@uni.example\nbruno,bruno-k,18,\nchloe,chloe-m,19,\n"  # noqa: E501
DAY = "2026-03-0{}T10:00:00Z"


@pytest.fixture
def small(course_root: Path) -> Assignment:
    """The course's one assignment, released; the course has a roster."""
    assignment = homework.assignment(course_root / "source")
    release.write(release.build(assignment), course_root / "release" / "small")
    config = course_root / "grader_config"
    config.mkdir(exist_ok=True)
    (config / "course.toml").write_text("format = 1\n")
    (config / "roster.csv").write_text(ROSTER)
    return assignment


@pytest.fixture
def notebook(small: Assignment) -> bytes:
    """A notebook with every answer."""
    return homework.Notebook(small).bytes()


@pytest.fixture
def collect(course_root: Path, small: Assignment) -> Callable[..., dict[str, Collected]]:
    """Collect from a folder or zip."""

    def run(source: Path, pattern: str = "") -> dict[str, Collected]:
        here = course.load(course_root)
        return {
            each.who: each
            for each in Collector(here, read(course_root), Recogniser(here)).from_path(
                source, pattern
            )
        }

    return run


def receipt(root: Path, student: str, number: int = 1) -> dict[str, object]:
    """The receipt of an attempt."""
    found: dict[str, object] = json.loads(
        (root / "submitted" / student / "small" / f"attempt-{number}" / "receipt.json").read_text()
    )
    return found


def zipped(
    entries: dict[str, bytes], when: tuple[int, ...] = (2026, 3, 4, 12, 30, 0), **special: int
) -> bytes:
    """A zip; `special` gives the external attributes of entries by the first word of
    their names.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name, when)  # type: ignore[arg-type]
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = special.get(name.split(".")[0], 0o644 << 16)
            opened.writestr(info, data)
    return out.getvalue()


# ---- a zip ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "time"),
    [
        ("ada/small.ipynb", "2026-03-04T12:30:00Z"),
        ("17/anything.ipynb", "2026-03-04T12:30:00Z"),
        ("ada@uni.example/small.ipynb", "2026-03-04T12:30:00Z"),
        ("ADA-L/week 1/small.ipynb", "2026-03-04T12:30:00Z"),
        ("lovelaceada_17_998877_small.ipynb", "2026-03-04T12:30:00Z"),
        ("lovelaceada_LATE_17_998877_small-1.ipynb", "2026-03-04T12:30:00Z"),
        ("Ada Lovelace_17_assignsubmission_file_/small.ipynb", "2026-03-04T12:30:00Z"),
        ("small_ada_attempt_2016-01-30-15-00-00_small.ipynb", "2016-01-30T15:00:00Z"),
    ],
)
def test_a_platforms_names_say_whose_it_is(
    collect: Callable[..., dict[str, Collected]],
    course_root: Path,
    notebook: bytes,
    tmp_path: Path,
    name: str,
    time: str,
) -> None:
    (tmp_path / "week.zip").write_bytes(zipped({name: notebook}))
    done = collect(tmp_path / "week.zip")
    assert list(done) == ["ada"] and done["ada"].remarks == []
    found = receipt(course_root, "ada")
    assert (found["received"], found["file"], found["source"]) == (time, name, "archive")
    assert (
        course_root / "submitted" / "ada" / "small" / "attempt-1" / "small.ipynb"
    ).read_bytes() == notebook
    assert collect(tmp_path / "week.zip")["ada"].attempts == []


def test_a_pattern_of_ones_own(
    collect: Callable[..., dict[str, Collected]], course_root: Path, notebook: bytes, tmp_path: Path
) -> None:
    (tmp_path / "week.zip").write_bytes(zipped({"hw-small-by-ada.ipynb": notebook}))
    assert collect(tmp_path / "week.zip")["week.zip"].remarks == [
        "hw-small-by-ada.ipynb was left out: its path names nobody of the roster (the most "
        "similar: ada, bruno, chloe); "
        "say in grader_config/names.csv who it is, complete grader_config/roster.csv, or give "
        "--pattern"
    ]
    assert collect(tmp_path / "week.zip", r"hw-(?P<file_id>\w+)-by-(?P<student_id>\w+)")[
        "ada"
    ].attempts
    with pytest.raises(Exception, match="missing \\)"):
        collect(tmp_path / "week.zip", "(?P<student_id>x")
    with pytest.raises(Exception, match="there is no group"):
        collect(tmp_path / "week.zip", "x")


def unread(course_root: Path, student: str) -> bytes:
    """The one attempt of somebody who handed in nothing that can be read."""
    (attempt,) = (course_root / "submitted" / student / "small").iterdir()
    return (attempt / "small.ipynb").read_bytes()


def test_zips_that_students_handed_in_are_looked_into(
    collect: Callable[..., dict[str, Collected]], course_root: Path, notebook: bytes, tmp_path: Path
) -> None:
    inner = zipped(
        {
            "my work/small.ipynb": notebook,
            ".ipynb_checkpoints/small.ipynb": b"{}",
            "__MACOSX/small.ipynb": b"x",
        },
        when=(1999, 1, 1, 0, 0, 0),
    )
    deeper = zipped({"again.zip": zipped({"once more.zip": zipped({"and more.zip": inner})})})
    (tmp_path / "week.zip").write_bytes(
        zipped({"lovelaceada_17_99_work.zip": inner, "bruno/work.zip": deeper})
    )
    done = collect(tmp_path / "week.zip")
    # the platform's time, not the student's
    assert receipt(course_root, "ada")["received"] == "2026-03-04T12:30:00Z"
    assert done["bruno"].remarks == [
        (
            "bruno/work.zip/again.zip/once more.zip/and more.zip was left out: it is an "
            "archive in too many others; hand in the notebook itself"
        )
    ]
    assert unread(course_root, "bruno") == deeper
    (tmp_path / "week.zip").write_bytes(zipped({"bruno/work.zip": zipped({"again.zip": inner})}))
    assert len(collect(tmp_path / "week.zip")["bruno"].attempts) == 1


def test_paths_that_lead_out_links_bombs_and_damage_are_left_out(
    collect: Callable[..., dict[str, Collected]], course_root: Path, notebook: bytes, tmp_path: Path
) -> None:
    entries = {
        "ada/../../../escaped.ipynb": notebook,
        "/ada/absolute.ipynb": notebook,
        "C:/ada/windows.ipynb": notebook,
        "link.ada/link.ipynb": b"/etc/passwd",
        "ada/bomb.ipynb": b" " * 60_000_000,
        "ada/inner.zip": b"PK no zip",
        "bruno/small.ipynb": notebook,
    }
    data = zipped(
        {name.replace("link.ada", "ada"): content for name, content in entries.items()},
        **{"ada/link": (stat.S_IFLNK | 0o777) << 16},
    )
    (tmp_path / "week.zip").write_bytes(data)
    done = collect(tmp_path / "week.zip")
    reasons = {
        sentence.partition(" was left out: ")[0]: sentence.partition(" was left out: ")[2]
        for each in done.values()
        for sentence in each.remarks
    }
    outside = "its path leads out of the zip"
    assert reasons == {
        "ada/../../../escaped.ipynb": outside,
        "/ada/absolute.ipynb": reasons["/ada/absolute.ipynb"],
        "C:/ada/windows.ipynb": reasons["C:/ada/windows.ipynb"],
        "ada/link.ipynb": (
            "it is a link, and links are not followed; put the file or folder itself in its place"
        ),
        "ada/bomb.ipynb": "it has more than 50 MB; clear its outputs and hand it in again",
        "ada/inner.zip": reasons["ada/inner.zip"],
    }
    assert list(done["bruno"].attempts) == [
        course_root / "submitted" / "bruno" / "small" / "attempt-1"
    ]
    assert not list(tmp_path.rglob("escaped*"))
    # of what cannot be read, it is kept that it came, and no more of it than is needed for that
    assert unread(course_root, "ada") == b" " * 8192


def test_a_zip_that_lies_about_itself(
    collect: Callable[..., dict[str, Collected]], notebook: bytes, tmp_path: Path
) -> None:
    good = zipped({"ada/small.ipynb": notebook})
    end = good.rfind(b"PK\x05\x06")
    lies = {
        "too long a list": good[: end + 12]
        + (200_000_000).to_bytes(4, "little")
        + good[end + 16 :],
        "cut": good[: end - 20],
        "nothing": b"",
        "no zip": b"PK\x05\x06",
    }
    for name, data in lies.items():
        (tmp_path / "week.zip").write_bytes(data)
        (sentence,) = collect(tmp_path / "week.zip")["week.zip"].remarks
        assert sentence.startswith("week.zip was left out: "), name
    broken = bytearray(good)
    broken[60:90] = b"\xff" * 30
    (tmp_path / "week.zip").write_bytes(broken)
    assert "cannot be read as an archive" in collect(tmp_path / "week.zip")["ada"].remarks[0]


# the second is so long that the zip says so in another way
@pytest.mark.parametrize(("count", "name"), [(9_000, "n" * 200), (66_000, "")])
def test_a_zip_with_too_long_a_list_is_not_opened(
    collect: Callable[..., dict[str, Collected]],
    course_root: Path,
    notebook: bytes,
    tmp_path: Path,
    count: int,
    name: str,
) -> None:
    inner = zipped(
        {f"{name}{number}.txt": b"" for number in range(count)} | {"small.ipynb": notebook}
    )
    (tmp_path / "week.zip").write_bytes(
        zipped({"ada/work.zip": inner, "bruno/small.ipynb": notebook})
    )
    done = collect(tmp_path / "week.zip")
    (said,) = done["ada"].remarks
    assert said.startswith(
        "ada/work.zip was left out: it cannot be read as an archive (its list of contents "
        "is too long); unpack it"
    )
    assert unread(course_root, "ada") == inner and len(done["bruno"].attempts) == 1


def test_one_students_bomb_does_not_use_up_what_others_may_hand_in(
    collect: Callable[..., dict[str, Collected]],
    course_root: Path,
    notebook: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform_attempts, "MAX_BYTES", 100_000)
    many = {f"ada/n{number:03}.ipynb": b"[" + b" " * 40_000 for number in range(30)}
    (tmp_path / "week.zip").write_bytes(zipped({**many, "bruno/small.ipynb": notebook}))
    done = collect(tmp_path / "week.zip")
    assert len(done["bruno"].attempts) == 1 and unread(course_root, "ada") == many["ada/n000.ipynb"]
    assert (
        "n003.ipynb, ada/n004.ipynb, ada/n005.ipynb and 24 more were left out: what was "
        "handed in unpacks to more than" in done["ada"].remarks[0]
    )
    assert (
        sum(
            "n029" in line
            for line in (course_root / "submitted" / "left-out.txt").read_text().splitlines()
        )
        == 1
    )


# ---- a folder ------------------------------------------------------------------------------------


def test_a_folder_for_each_student(
    collect: Callable[..., dict[str, Collected]], course_root: Path, notebook: bytes, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    for student in ("ada", "18", "nobody"):
        (inbox / student / "small").mkdir(parents=True)
        (inbox / student / "small" / "small.ipynb").write_bytes(notebook)
    (inbox / "ada" / "small" / "timestamp.txt").write_text(
        "2026-03-01 23:30:00.000000 Europe/Berlin\n"
    )
    os.utime(inbox / "18" / "small" / "small.ipynb", (1_772_000_000, 1_772_000_000))
    done = collect(inbox)
    assert "nobody/small/small.ipynb was left out" in done["inbox"].remarks[0]
    assert (
        receipt(course_root, "ada")["received"],
        receipt(course_root, "ada")["received_by"],
    ) == ("2026-03-01T22:30:00Z", "timestamp.txt")
    assert (
        receipt(course_root, "bruno")["received"],
        receipt(course_root, "bruno")["received_by"],
    ) == ("2026-02-25T06:13:20Z", "the file's time")


def test_links_and_pipes_in_a_folder_are_left_out(
    collect: Callable[..., dict[str, Collected]], course_root: Path, notebook: bytes, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    (secret / "small").mkdir(parents=True)
    (secret / "small" / "small.ipynb").write_bytes(notebook)
    folder = tmp_path / "inbox" / "ada"
    folder.mkdir(parents=True)
    (folder / "link.ipynb").symlink_to(secret / "small" / "small.ipynb")
    (folder / "dir").symlink_to(secret)
    os.mkfifo(folder / "pipe.ipynb")
    (folder / "sock.ipynb").mkdir()
    done = collect(tmp_path / "inbox")
    said = " ".join(sentence for each in done.values() for sentence in each.remarks)
    assert (
        "ada/link.ipynb was left out: it is a link" in said
        and "ada/pipe.ipynb was left out: it is no ordinary file" in said
        and "ada/dir was left out" in said
    )
    assert not (course_root / "submitted").exists()


# ---- pull requests -------------------------------------------------------------------------------


def test_pull_requests_to_one_repository(
    place: Place, small: Assignment, notebook: bytes, github: Server
) -> None:
    (place.root / "grader_config" / "roster.csv").write_text(ROSTER)
    state = github.state
    shared = "the-course/shared"
    state.create(shared)
    push(github, shared, {"small/small.ipynb": release.build(small).notebook}, at=DAY.format(1))
    for login in ("ada-l", "bruno-k", "stranger"):
        state.create(f"{login}/shared", private=False, owner_is_user=True)
        push(
            github,
            f"{login}/shared",
            {"small/small.ipynb": release.build(small).notebook},
            at=DAY.format(1),
        )
        push(
            github, f"{login}/shared", {"small/small.ipynb": notebook}, "answers", at=DAY.format(3)
        )
        state.open_pull(shared, "answers", "main", "Mine", author=login, source=f"{login}/shared")
    del state.repositories["bruno-k/shared"]  # may not be read
    state.pulls[shared][1]["updated_at"] = DAY.format(4)
    settings = Settings(
        organization="the-course", shared=shared, api=github.url, git=place.settings.git
    )
    here = course.load(place.root)
    collector = Collector(here, read(place.root), Recogniser(here))
    done = {each.who: each for each in collector.from_pulls(Place(place.root, settings).hub())}
    assert done[shared].remarks == ["pull request #3 is by stranger, whom the roster does not know"]
    ada, bruno = receipt(place.root, "ada"), receipt(place.root, "bruno")
    assert (ada["received"], ada["received_by"], ada["pull_request"], ada["branch"]) == (
        DAY.format(3),
        "push",
        1,
        "answers",
    )
    assert (bruno["received"], bruno["received_by"], bruno["repository"]) == (
        DAY.format(4),
        "the pull request's last change",
        shared,
    )
    assert sorted(path.name for path in (place.root / "submitted").iterdir()) == ["ada", "bruno"]


def test_pull_requests_to_one_repository_are_taken_as_they_stood_at_the_deadline_too(
    place: Place, small: Assignment, notebook: bytes, github: Server
) -> None:
    (place.root / "grader_config" / "roster.csv").write_text(ROSTER)
    (place.root / "grader_config" / "course.toml").write_text(
        "format = 1\n[deadlines]\nsmall = 2026-03-05T00:00:00Z\n"
    )
    state, shared = github.state, "the-course/shared"
    for name in (shared, "ada-l/shared", "bruno-k/shared"):
        state.create(name, private=name == shared, owner_is_user=name != shared)
        push(github, name, {"small/small.ipynb": release.build(small).notebook}, at=DAY.format(1))
    for login in ("ada-l", "bruno-k"):
        push(
            github, f"{login}/shared", {"small/small.ipynb": notebook}, "answers", at=DAY.format(3)
        )
        state.clock(DAY.format(3))
        state.open_pull(shared, "answers", "main", "Mine", author=login, source=f"{login}/shared")
        state.clock(None)
    push(
        github,
        "ada-l/shared",
        {"small/small.ipynb": homework.Notebook(small, {"double": "double = abs"}).bytes()},
        "answers",
        at=DAY.format(6),
    )
    state.pulls[shared][1] |= {"state": "closed", "closed_at": DAY.format(6)}
    settings = Settings(
        organization="the-course", shared=shared, api=github.url, git=place.settings.git
    )
    here = course.load(place.root)
    for _ in range(2):
        Collector(here, read(place.root), Recogniser(here)).from_pulls(
            Place(place.root, settings).hub()
        )
        for student, days in (("ada", [3, 6]), ("bruno", [3])):
            folders = sorted((place.root / "submitted" / student / "small").glob("attempt-*"))
            assert [
                json.loads((folder / "receipt.json").read_text())["received"] for folder in folders
            ] == [DAY.format(day) for day in days]


# ---- the command ---------------------------------------------------------------------------------


def test_the_commands_say_what_they_do(
    place: Place, small: Assignment, notebook: bytes, github: Server, tmp_path: Path
) -> None:
    github.state.create("the-course/release")
    push(github, "the-course/release", {"small/small.ipynb": release.build(small).notebook})
    (place.root / "grader_config" / "roster.csv").write_text(ROSTER + "daria,,,\n")
    enrolled = Ran(place.root, "enrol", "--dry-run")
    assert (
        enrolled.code == 1
        and "the-course/dl-ada: would make the repository, private, copy the release into it"
        in enrolled.out
    )
    assert enrolled.err == "daria has no login in the roster yet and was not invited\n"
    (place.root / "grader_config" / "roster.csv").write_text(ROSTER)
    assert Ran(place.root, "enrol").out.endswith("3 changed, 0 as they should be\n")
    push(github, "the-course/dl-ada", {"small/small.ipynb": notebook}, at=DAY.format(3))
    ran = Ran(place.root, "collect")
    assert (ran.code, ran.out, ran.err) == (
        0,
        "submitted/ada/small/attempt-1\n1 new in submitted, 2 of 3 without anything new\n",
        "",
    )
    (tmp_path / "week.zip").write_bytes(zipped({"bruno/small.ipynb": notebook}))
    ran = Ran(
        place.root,
        "collect",
        "small",
        "--from",
        str(tmp_path / "week.zip"),
        "--received",
        "2026-03-05T09:00:00+01:00",
    )
    assert ran.code == 0 and receipt(place.root, "bruno")["received"] == "2026-03-05T08:00:00Z"
    assert (receipt(place.root, "bruno")["received_by"]) == "given"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "nowhere"], "nowhere: no such file or folder"),
        (["--at", "tomorrow"], "'tomorrow' is no time; write it with its zone"),
        (
            ["--at", "2026-03-01T10:00:00"],
            "'2026-03-01T10:00:00' is no time; write it with its zone",
        ),
        (["--from", "pulls"], "grader_config/github.toml names no 'shared' repository"),
        (["smal"], "no assignment is called 'smal'"),
        (["--pattern", "x"], "--received, --pattern and --names are for folders and zips"),
        (["--from", ".", "--at", DAY.format(1)], "--at is for GitHub"),
    ],
)
def test_wrong_arguments_are_one_sentence(
    place: Place, small: Assignment, arguments: list[str], sentence: str
) -> None:
    ran = Ran(place.root, "collect", *arguments)
    assert ran.code == 2 and sentence in ran.err and "Traceback" not in ran.err, ran


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "organization: the organisation that the course's repositories belong to is missing"),
        (
            'organisation = "x"',
            "organisation: unknown key 'organisation'; did you mean 'organization'?",
        ),
        ('organization = "a/b"', "organization: this must be a name as GitHub has them"),
        (
            'organization = "a"\napi = "http://evil.example"',
            "api: this must be an address that begins with https://",
        ),
        (
            'organization = "a"\ngit = "ext::sh -c id"',
            "git: this must be an address that begins with https:// or file:///",
        ),
        ('organization = "a"\nshared = "b"', "shared: this must be OWNER/NAME of a repository"),
        ('organization = "a"\napp = "7"', "app: this must be a whole number"),
        ("organization = ", "this is not TOML"),
    ],
)
def test_wrong_settings_are_named(place: Place, text: str, sentence: str) -> None:
    (place.root / "grader_config" / "github.toml").write_text(text)
    ran = Ran(place.root, "enrol")
    assert ran.code == 2 and f"grader_config/github.toml: {sentence}" in ran.err, ran


def test_without_settings_or_roster_one_sentence_says_so(place: Place) -> None:
    (place.root / "grader_config" / "github.toml").unlink()
    assert Ran(place.root, "enrol").err.startswith(
        "grader_config/github.toml: no such file; write 'organization"
    )
    (place.root / "grader_config" / "roster.csv").write_text("student,login\nada,x\nada,y\n")
    assert (
        Ran(place.root, "enrol").err
        == "grader_config/roster.csv: line 3: 'ada' stands twice; keep one row for each student\n"
    )
    (place.root / "grader_config" / "roster.csv").write_text("student,login\nada,x\nbob,X\n")
    assert (
        Ran(place.root, "enrol").err
        == "grader_config/roster.csv: the login X is that of ada and of bob; give each their own\n"
    )
    (place.root / "grader_config" / "roster.csv").unlink()
    assert Ran(place.root, "enrol").err.startswith(
        "grader_config/roster.csv: no such file; list the students in it"
    )
