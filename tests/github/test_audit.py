"""Who can read or write what, before and after the commands that write to GitHub and are not
`enrol`: what they change of it is what they print, and most change nothing.
"""

from __future__ import annotations

import pytest
from commands import Ran
from errata import MENDED, mended
from hub.class_room import Class
from hub.people import push
from test_publish import proved

from autogradient.github import messages
from autogradient.github.audit import difference, look
from autogradient.github.settings import load

CHANGES = r"^(POST|PUT|PATCH|DELETE) "
ADA, GATES, MARKS = "the-course/dl-ada", "the-course/dl-gates", "the-course/marks"


@pytest.fixture
def room(room: Class) -> Class:
    """A class in mid-term: ada and the team have accepted and pushed, somebody reads along, and the
    assignment is released.
    """
    proved(room.place.root)
    state = room.github.state
    state.accept(ADA, "ada-l")
    state.accept(GATES, "bruno-k")
    state.collaborators[ADA]["a-tutor"] = "pull"
    push(room.github, ADA, {"small/small.ipynb": room.notebook("double")})
    return room


def says(room: Class, **values: str) -> None:
    """More lines of settings."""
    path = room.place.root / "grader_config" / "github.toml"
    path.write_text(path.read_text() + "".join(f'{key} = "{it}"\n' for key, it in values.items()))
    room.place.settings = load(room.place.root)


def changed_by(room: Class, *command: str, code: int = 0) -> tuple[dict[str, list[str]], Ran]:
    """How access differs after a command, and what it said."""
    before = look(room.place.hub())
    ran = Ran(room.place.root, *command)
    assert ran.code == code, ran
    return difference(before, look(room.place.hub())), ran


def printed(ran: Ran) -> dict[str, list[str]]:
    """What a command says of access, by repository, as it is said of what was done."""
    lines = [line.replace(": would ", ": ").partition(": ") for line in ran.out.splitlines()]
    known = (messages.ENROL_REPOSITORY, messages.ENROL_STAFF.format(team="staff"))
    return {name: [what] for name, _, what in lines if what in known}


def corrections(ran: Ran) -> list[str]:
    """What a command says of students' repositories, as it is said of what was done."""
    lines = [line.replace("would write ", "") for line in ran.out.splitlines()]
    return [line for line in lines if "small: branch update/small" in line]


def test_an_update_gives_nobody_access_and_takes_nobodys(room: Class) -> None:
    mended(room.place.root / "source" / "small" / "small.py", *MENDED)
    proved(room.place.root)
    asked = room.github.asked(CHANGES)
    changed, said = changed_by(room, "publish", "--update", "--dry-run")
    assert changed == printed(said) == {} and room.github.asked(CHANGES) == asked
    changed, done = changed_by(room, "publish", "--update")
    assert changed == printed(done) == {}
    # and it did something
    assert corrections(said) == corrections(done)
    branches = [name for name in (ADA, GATES) if "update/small" in room.github.state.branches(name)]
    assert branches == [ADA, GATES] and "update/small" in said.out and "update/small" in done.out


def test_where_an_update_makes_the_release_repository_the_rehearsal_says_so_too(
    room: Class,
) -> None:
    says(room, release="anew")
    changed, said = changed_by(room, "publish", "--update", "--dry-run")
    made = {"the-course/anew": [messages.ENROL_REPOSITORY]}
    assert changed == {} and printed(said) == made
    changed, done = changed_by(room, "publish", "--update")
    assert changed == printed(done) == made
    assert corrections(said) == corrections(done) != []
    changed, again = changed_by(room, "publish", "--update")
    assert changed == printed(again) == {}


def test_delivering_gives_nobody_access_and_takes_nobodys(room: Class) -> None:
    room.graded("ada", ADA, {"double": "no"})
    room.graded("bruno", GATES)
    asked = room.github.asked(CHANGES)
    changed, said = changed_by(room, "deliver", "--dry-run")
    assert changed == {} and room.github.asked(CHANGES) == asked
    changed, done = changed_by(room, "deliver")
    assert changed == {}
    assert said.out.replace("would write ", "").replace("would be ", "") == done.out
    assert room.comments("dl-ada") and "feedback" in room.github.state.branches(ADA)
    assert changed_by(room, "deliver", "--changed")[0] == {}


def test_storing_marks_gives_nobody_access_and_takes_nobodys(room: Class) -> None:
    room.github.state.create(MARKS)
    room.github.state.teams["staff"].add(MARKS)
    says(room, marks="marks")
    room.graded("ada", ADA)
    changed, done = changed_by(room, "store", "push")
    assert changed == {} and "main" in room.github.state.branches(MARKS), done
    assert changed_by(room, "store", "pull")[0] == {}


@pytest.mark.parametrize("how", ["public", "not there"])
def test_a_marks_repository_that_is_public_or_not_there_is_left_as_it_is(
    room: Class, how: str
) -> None:
    if how == "public":
        room.github.state.create(MARKS, private=False)
    says(room, marks="marks")
    room.graded("ada", ADA)
    for way in ("push", "pull"):
        changed, said = changed_by(room, "store", way, code=2)
        assert changed == {} and "the-course/marks" in said.err, said
    assert how == "not there" or room.github.state.branches(MARKS) == {}
