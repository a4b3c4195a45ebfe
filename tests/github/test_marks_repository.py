"""The marks repository: what it keeps, what two who write at once end up with, and what it never
takes.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from commands import Ran
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hub.class_room import LATER, Class
from hub.people import Place, git
from hub.server import Server

from autogradient.course import ledger
from autogradient.errors import CourseError, GitError
from autogradient.github import connection
from autogradient.github.git import Bare
from autogradient.github.marks_repository import PERMISSIONS, Store, Stored
from autogradient.github.settings import load

ADA, MARKS = "the-course/dl-ada", "the-course/marks"


@pytest.fixture
def room(begun: Class, place: Place, github: Server) -> Class:
    """A class with a marks repository, in which nothing is yet."""
    settings = place.root / "grader_config" / "github.toml"
    settings.write_text(settings.read_text() + 'marks = "marks"\n')
    place.settings = load(place.root)
    made = Class.copy_of(begun, place, github)
    github.state.create(MARKS)
    return made


def store(room: Class) -> Store:
    return Store(room.place.hub(), room.course)


def files(root: Path) -> dict[str, bytes]:
    """What is in results/ and submitted/."""
    found = [
        path
        for name in ("results", "submitted")
        for path in sorted((root / name).rglob("*"))
        if path.is_file()
    ]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def kept(room: Class) -> set[str]:
    """What is in the repository."""
    return set(room.github.state.git(MARKS, "ls-tree", "-r", "--name-only", "main").splitlines())


def forget(room: Class) -> None:
    """A machine that has nothing yet."""
    for name in ("results", "submitted"):
        shutil.rmtree(room.place.root / name, ignore_errors=True)


class Elsewhere:
    """For as long as it lasts, another machine's results/ and submitted/ are in the course; it
    begins with nothing.
    """

    def __init__(self, room: Class, folder: Path) -> None:
        self.root, self.folder = room.place.root, folder

    def __enter__(self) -> None:
        self.swap()

    def __exit__(self, *_: object) -> None:
        self.swap()

    def swap(self) -> None:
        for name in ("results", "submitted"):
            mine, other, between = (
                self.root / name,
                self.folder / f"other-{name}",
                self.folder / f"between-{name}",
            )
            for path in (mine, other):
                path.mkdir(exist_ok=True, parents=True)
            mine.rename(between)
            other.rename(mine)
            between.rename(other)


def test_what_was_pushed_is_there_on_another_machine(room: Class) -> None:
    room.graded("ada", ADA, {"double": "no"})
    room.graded("bruno", "the-course/dl-gates")
    (room.place.root / "submitted" / "ada" / ".collected.json").write_text("{}\n")
    (room.place.root / "results" / "small" / "attempts" / "ada" / "1.staff.json").write_text("{}\n")
    ledger.append(
        room.course.ledger,
        ledger.Adjustment(student="ada", assignment="small", who="me", points=Decimal(1)),
    )
    for name in ("sheets.key", "marks.csv", ".verdicts/ab/abc.json", "sheets/small-1-of-1.csv"):
        path = room.place.root / "results" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("{}")
    done = store(room).push()
    assert (done.results, done.attempts, done.refused) == (2, 2, [])
    before = {path: data for path, data in files(room.place.root).items() if path in kept(room)}
    assert kept(room) == {
        "results/ledger.jsonl",
        "submitted/ada/.collected.json",
        "results/small/attempts/ada/1.staff.json",
        *(f"results/small/attempts/{student}/1.json" for student in ("ada", "bruno")),
        *(
            f"submitted/{student}/small/attempt-1/{name}"
            for student in ("ada", "bruno")
            for name in ("receipt.json", "small.ipynb", "timestamp.txt")
        ),
    }
    forget(room)
    assert store(room).pull().pulled == len(before) and files(room.place.root) == before
    assert store(room).pull().pulled == 0 and store(room).push().pushed == []
    assert room.github.state.git(MARKS, "rev-list", "--count", "main") == "1"
    assert room.deliver()[1] == [] and room.comments("dl-ada")


def test_two_machines_that_push_lose_nothing(room: Class, tmp_path: Path) -> None:
    first = room.graded("ada", ADA, {"double": "no"})
    ledger.append(
        room.course.ledger,
        ledger.Adjustment(student="ada", assignment="small", who="me", points=Decimal(1)),
    )
    store(room).push()
    with Elsewhere(room, tmp_path):
        room.graded("bruno", "the-course/dl-gates")
        ledger.append(
            room.course.ledger,
            ledger.Adjustment(student="bruno", assignment="small", who="you", points=Decimal(2)),
        )
        store(room).push()
        assert {
            "results/small/attempts/ada/1.json",
            "submitted/ada/small/attempt-1/small.ipynb",
        } <= set(files(room.place.root))
    store(room).pull()
    assert {entry.student for entry in ledger.read(room.course.ledger)} == {"ada", "bruno"}
    assert room.course.ledger.read_text().count("\n") == 2 and first
    assert {f"results/small/attempts/{student}/1.json" for student in ("ada", "bruno")} <= kept(
        room
    ) & set(files(room.place.root))


def test_who_is_pushed_past_tries_again(
    room: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.graded("ada", ADA)
    push, tries = Bare.push, []

    def meanwhile(self: Bare, url: str, refs: dict[str, str]) -> None:
        tries.append(refs)
        if len(tries) < 3:
            work = tmp_path / f"work-{len(tries)}"
            git(tmp_path, "clone", "--quiet", str(room.github.state.bare(MARKS)), str(work))
            git(work, "checkout", "--quiet", "-B", "main")
            git(work, "commit", "--quiet", "--allow-empty", "-m", "Meanwhile")
            git(work, "push", "--quiet", "origin", "main")
        push(self, url, refs)

    monkeypatch.setattr(Bare, "push", meanwhile)
    assert store(room).push().results == 1
    assert len(tries) == 3 and room.github.state.git(
        MARKS, "log", "--format=%s", "main"
    ).splitlines() == ["1 results, 1 attempts", "Meanwhile", "Meanwhile"]


def test_a_push_that_is_never_taken_is_one_sentence(room: Class) -> None:
    room.graded("ada", ADA)
    room.github.state.protect(MARKS, "main")
    with pytest.raises(
        GitError, match="the-course/marks could not be written .*; run the command again"
    ):
        store(room).push()


def test_two_attempts_of_one_number_are_two_attempts(room: Class, tmp_path: Path) -> None:
    one, other = room.notebook("double"), room.notebook()
    room.hand_in("ada", one, ADA)
    room.write(room.result("ada", one))
    with Elsewhere(room, tmp_path):
        room.hand_in("ada", other, ADA)
        room.write(room.result("ada", other))
        store(room).push()
    done = store(room).push()
    assert done.remarks == [
        (
            "ada: attempt 1 of small is another one in the marks repository; the one that "
            "was here is attempt 2 now"
        )
    ]
    small = room.place.root / "submitted" / "ada" / "small"
    assert [(small / f"attempt-{number}" / "small.ipynb").read_bytes() for number in (1, 2)] == [
        other,
        one,
    ]
    result = json.loads(
        (room.place.root / "results" / "small" / "attempts" / "ada" / "1.json").read_text()
    )
    assert (
        result["receipt"]["submission"]
        == json.loads((small / "attempt-1" / "receipt.json").read_text())["digest"]
    )
    assert "submitted/ada/small/attempt-2/small.ipynb" in kept(room)
    with Elsewhere(room, tmp_path):
        assert store(room).push().remarks == [] and files(room.place.root).keys() == kept(room)


def test_of_two_results_the_newer_one_stays_wherever_it_lies(room: Class, tmp_path: Path) -> None:
    room.graded("ada", ADA)
    store(room).push()
    path = room.place.root / "results" / "small" / "attempts" / "ada" / "1.json"
    old, new = (
        room.result("ada", room.notebook(), wrong={"double": "once"}),
        room.result("ada", room.notebook(), wrong={"scale": "now"}),
    )
    old.graded_at, new.graded_at = LATER.isoformat(), (LATER + timedelta(days=1)).isoformat()
    old.receipt.assignment = "sha256:older"
    for first, second in ((old, new), (new, old)):
        room.write(first)
        with Elsewhere(room, tmp_path):
            store(room).pull()
            room.write(second)
            store(room).push()
        store(room).push()
        assert [
            part.id
            for part in room.result("ada", b"").model_validate_json(path.read_bytes()).parts
            if part.cases[0].outcome == "failed"
        ] == ["scale"]
        assert (
            room.github.state.git(MARKS, "show", "main:results/small/attempts/ada/1.json").count(
                '"message": "now"'
            )
            == 3
        )


def test_what_deliver_would_refuse_is_not_kept(room: Class) -> None:
    room.graded("bruno", "the-course/dl-gates")
    room.graded("ada", ADA)
    path = room.place.root / "results" / "small" / "attempts" / "ada" / "1.json"
    data = json.loads(path.read_text())
    data["questions"][0]["parts"][0]["cases"][0]["earned"] = 99
    path.write_text(json.dumps(data))
    ran = Ran(room.place.root, "store", "push")
    assert ran.code == 1 and ran.err == (
        "results/small/attempts/ada/1.json was refused: 'double' has earned points that "
        "cannot be earned\n"
    ), ran
    assert ran.out == "1 results, 2 attempts, 0 other files written to the-course/marks\n"
    assert "results/small/attempts/ada/1.json" not in kept(
        room
    ) and "results/small/attempts/bruno/1.json" in kept(room)


def test_a_commit_that_a_grader_made_up_is_not_kept(room: Class) -> None:
    commit = room.graded("ada", ADA)
    path = room.place.root / "results" / "small" / "attempts" / "ada" / "1.json"
    data = json.loads(path.read_text())
    data["submission"] |= {"commit": "f" * 40, "received_at": "2020-01-01T00:00:00+00:00"}
    path.write_text(json.dumps(data))
    store(room).push()
    said = json.loads(
        room.github.state.git(MARKS, "show", "main:results/small/attempts/ada/1.json")
    )["submission"]
    assert (said["commit"], said["received_at"]) == (commit, "2026-03-03T10:00:00+00:00")


def test_other_files_in_the_repository_stay_and_are_not_brought(
    room: Class, tmp_path: Path
) -> None:
    room.graded("ada", ADA)
    store(room).push()
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", str(room.github.state.bare(MARKS)), str(work))
    for name in (
        "README.md",
        "results/small/.hidden.json",
        "submitted/ada/small/attempt-1/extra.py",
        "source/small/small.py",
    ):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text("by hand")
    (work / "results" / "small" / "attempts" / "bruno").symlink_to("ada")
    git(work, "add", "--all", "--force")
    git(work, "commit", "--quiet", "-m", "By hand")
    git(work, "push", "--quiet")
    before = files(room.place.root)
    assert store(room).pull().pulled == 0 and files(room.place.root) == before
    room.graded("bruno", "the-course/dl-gates")
    store(room).push()
    assert {"README.md", "source/small/small.py"} <= kept(room)


def test_a_repository_that_others_can_read_gets_no_marks(room: Class) -> None:
    room.graded("ada", ADA)
    room.github.state.repositories[MARKS] |= {"private": False, "visibility": "public"}
    with pytest.raises(
        CourseError, match="the-course/marks can be read by others, and it would hold marks"
    ):
        store(room).push()
    assert room.github.state.branches(MARKS) == {}


def test_where_there_is_no_repository_one_sentence_says_what_to_make(
    room: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = room.place.root / "grader_config" / "github.toml"
    config.write_text(config.read_text().replace('"marks"', '"grades"'))
    ran = Ran(room.place.root, "store", "pull")
    assert (
        ran.code == 2
        and "there is no repository the-course/grades" in ran.err
        and "make it, private and empty" in ran.err
    ), ran
    config.write_text(
        "".join(
            line
            for line in config.read_text().splitlines(keepends=True)
            if not line.startswith("marks")
        )
    )
    ran = Ran(room.place.root, "store", "pull")
    assert ran.code == 2 and "github.toml: no repository is named that keeps results" in ran.err, (
        ran
    )


def test_an_app_may_write_to_this_repository_alone(
    room: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    room.github.state.public_key = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    settings = room.place.root / "grader_config" / "github.toml"
    settings.write_text(settings.read_text() + "app = 7\n")
    monkeypatch.delenv("AUTOGRADIENT_GITHUB_TOKEN")
    monkeypatch.setenv(connection.KEY, pem)
    assert Ran(room.place.root, "store", "pull").code == 0
    assert room.github.state.minted == [{"permissions": PERMISSIONS, "repositories": ["marks"]}]
    settings.write_text(settings.read_text().replace('"marks"', '"grades"'))
    assert "there is no repository the-course/grades" in Ran(room.place.root, "store", "pull").err


def test_nobody_is_enrolled_into_the_marks_repository(room: Class) -> None:
    (room.place.root / "grader_config" / "roster.csv").write_text("student\nmarks\n")
    config = room.place.root / "grader_config" / "github.toml"
    config.write_text(config.read_text().replace('prefix = "dl-"', ""))
    before = room.github.asked("PUT .*collaborators")
    ran = Ran(room.place.root, "enrol")
    assert (
        ran.code == 2
        and "would have the repository the-course/marks, which is the course's own" in ran.err
        and room.github.asked("PUT .*collaborators") == before
    ), ran


def test_what_was_delivered_is_remembered_and_github_is_not_asked_again(room: Class) -> None:
    room.graded("ada", ADA, {"double": "no"})
    room.graded("bruno", "the-course/dl-gates")
    room.deliver(changed=True)
    store(room).push()
    forget(room)
    store(room).pull()
    before = len(room.github.log)
    done, _ = room.deliver(changed=True)
    # the list of repositories
    assert [each.done for each in done.values()] == [[], []] and len(room.github.log) == before + 1
    ledger.append(
        room.course.ledger,
        ledger.Adjustment(
            student="ada", assignment="small", who="me", points=Decimal(1), why="kind"
        ),
    )
    done, _ = room.deliver(changed=True)
    assert [bool(each.done) for each in done.values()] == [True, False] and "kind" in room.comments(
        "dl-ada"
    )[0]


def test_what_could_not_be_delivered_is_tried_again(room: Class) -> None:
    room.graded("ada", ADA)
    room.github.state.protect(ADA, "feedback")
    assert (
        room.deliver(changed=True)[0]["dl-ada"].problems
        and room.deliver(changed=True)[0]["dl-ada"].problems
    )


def test_nothing_else_is_taken_along(room: Class) -> None:
    assert store(room).push() == Stored() and room.github.state.branches(MARKS) == {}
