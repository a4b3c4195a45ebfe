"""What a grader wrote, as an attacker would have it: each forgery is one sentence, changes nobody's
mark and stops nobody else's feedback.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hub.class_room import Class
from hub.description import Description
from hub.people import Place, laid_out, small_github
from hub.server import Server

from autogradient.cli.main import cli
from autogradient.github.check_results import MAX_RESULT, accept
from autogradient.github.roster import read
from autogradient.model.result import Result

ADA, GATES = "the-course/dl-ada", "the-course/dl-gates"


@pytest.fixture(scope="module")
def graded(begun: Class, tmp_path_factory: pytest.TempPathFactory, openapi: Description) -> Class:
    """Ada and Bruno have handed in and were graded."""
    root = tmp_path_factory.mktemp("graded")
    with (
        pytest.MonkeyPatch.context() as monkeypatch,
        small_github(root / "github", openapi) as server,
    ):
        made = Class.copy_of(begun, laid_out(root / "course", server, monkeypatch), server)
    made.graded("ada", ADA)
    made.graded("bruno", GATES)
    return made


@pytest.fixture
def room(graded: Class, place: Place, github: Server) -> Class:
    """A copy of it."""
    return Class.copy_of(graded, place, github)


def refusals(room: Class) -> list[str]:
    return accept(
        room.course, [room.small], [member.student for member in read(room.place.root)]
    ).refused


def path_of(room: Class, student: str = "ada") -> Path:
    return room.place.root / "results" / "small" / "attempts" / student / "1.json"


def case(data: dict[str, Any], question: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = data["questions"][question]["parts"][0]["cases"][0]
    return found


def more(data: dict[str, Any], **values: Any) -> None:
    data |= values


FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "points over maximum": (
        lambda data: more(case(data), earned=100),
        "'double' has earned points that cannot be earned",
    ),
    "negative points": (
        lambda data: more(case(data), earned=-1),
        "'double' has earned points that cannot be earned",
    ),
    "points of something else": (
        lambda data: more(case(data), possible=50, earned=50),
        "the cases of 'double', or what they are worth, are not those",
    ),
    "totals out of the air": (
        lambda data: more(data["points"], earned=8, ungraded=0),
        "its points are not the sum of its cases",
    ),
    "a larger assignment": (
        lambda data: more(data["points"], possible=80),
        "its points are not the sum of its cases",
    ),
    "an essay that marks itself": (
        lambda data: more(case(data, 4), outcome="passed", earned=2, reason=None),
        "'why' has a mark by a person",
    ),
    "a mark by a person": (
        lambda data: more(case(data), reason="hand"),
        "'double' has a mark by a person",
    ),
    "a voided part": (
        lambda data: more(case(data), reason="void"),
        "'double' has a mark by a person",
    ),
    "points without a verdict": (
        lambda data: more(case(data, 4), earned=2),
        "'why' has earned points that cannot be earned",
    ),
    "another student": (
        lambda data: more(data["submission"], students=["bruno"]),
        "assignment, student or attempt are others than its folder and name say",
    ),
    "two students": (
        lambda data: more(data["submission"], students=["ada", "bruno"]),
        "assignment, student or attempt are others",
    ),
    "another attempt": (
        lambda data: more(data["submission"], attempt=2),
        "assignment, student or attempt are others",
    ),
    "another assignment": (
        lambda data: more(data, assignment="large"),
        "assignment, student or attempt are others",
    ),
    "another notebook": (
        lambda data: more(data["receipt"], submission="sha256:" + "0" * 64),
        "it is about another notebook than the one that was collected",
    ),
    "nothing handed in": (
        lambda data: more(data, outcome="missing"),
        "it says that nothing was handed in",
    ),
    "a script for a name": (
        lambda data: more(case(data), name="<script>steal()</script>"),
        "the cases of 'double', or what they are worth",
    ),
    "a hidden case shown": (
        lambda data: more(data["questions"][0]["parts"][0]["cases"][1], hidden=False),
        "the cases of 'double', or what they are worth",
    ),
    "ten thousand cases": (
        lambda data: data["questions"][0]["parts"][0].update(cases=[case(data)] * 10_000),
        "the cases of 'double'|more than 2,000,000 bytes",
    ),
    "a part left out": (
        lambda data: data["questions"].pop(),
        "its questions and parts are not those of the assignment",
    ),
    "a part twice": (
        lambda data: data["questions"].append(data["questions"][0]),
        "its questions and parts are not those of the assignment",
    ),
    "an optional question": (
        lambda data: more(data["questions"][4], optional=True),
        "its questions and parts are not those of the assignment",
    ),
    "an unknown key": (
        lambda data: more(data, **{"\n::set-output name=x::y": 1}),
        r"it does not fit the schema of results \(\?::set-output",
    ),
    "an outcome of one's own": (
        lambda data: more(case(data), outcome="brilliant"),
        r"it does not fit the schema of results \(questions\.0\.parts\.0",
    ),
    "a number that never ends": (
        lambda data: more(case(data), earned="1e999999999"),
        "it has points that are no number",
    ),
    "a fraction by nothing": (
        lambda data: more(case(data), earned="1/0"),
        "it has points that are no number",
    ),
    "not a number": (
        lambda data: more(case(data), earned=float("nan")),
        "it has points that are no number",
    ),
    "far too many remarks": (
        lambda data: more(data, problems=[{"cell": 1, "message": ""}] * 301),
        "it has more than 300 remarks",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_result_is_refused_with_one_sentence_and_the_others_go_on(
    room: Class, forgery: str
) -> None:
    change, reason = FORGERIES[forgery]
    data = json.loads(path_of(room).read_text())
    change(data)
    path_of(room).write_text(json.dumps(data))
    (sentence,) = refusals(room)
    assert re.search(
        r"results/small/attempts/ada/1\.json was refused: (" + reason + ")", sentence
    ), sentence
    assert "\n" not in sentence and sentence.isprintable()
    accepted = accept(room.course, [room.small], ["ada", "bruno"])
    assert list(accepted.results["small"]) == ["bruno"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON"),
        ("<html>", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("null", "does not fit the schema"),
        ("9" * 10_000, "no JSON"),
        (" " * (MAX_RESULT + 1), "more than 2,000,000 bytes"),
        ('"\\ud800"', "schema|no JSON"),
    ],
)
def test_what_is_no_result_is_refused(room: Class, text: str, reason: str) -> None:
    path_of(room).write_text(text)
    (sentence,) = refusals(room)
    assert re.search(reason, sentence), sentence


def test_links_and_pipes_are_not_read(room: Class, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    path_of(room).rename(elsewhere)
    path_of(room).symlink_to(elsewhere)
    assert "is a link or no ordinary file" in refusals(room)[0]
    path_of(room).unlink()
    os.mkfifo(path_of(room))
    assert "is a link or no ordinary file" in refusals(room)[0]
    path_of(room).unlink()
    folder = path_of(room).parent
    folder.rmdir()
    folder.symlink_to(path_of(room, "bruno").parent)
    assert "is a link or no ordinary file" in refusals(room)[0]


def test_whoever_is_not_on_the_roster_and_what_is_no_assignment_is_refused(room: Class) -> None:
    result = Result.from_json(path_of(room).read_bytes())
    result.submission.students = ["mallory"]
    room.write(result)
    (room.place.root / "results" / "<img src=x>").mkdir()
    (room.place.root / "results" / "sheets").mkdir()
    foreign, stranger = sorted(refusals(room))
    assert stranger.endswith(
        "attempts/mallory/1.json was refused: nobody on the roster has this id"
    )
    assert foreign.endswith("<img src=x> was refused: the course has no assignment of this name")


@pytest.mark.parametrize(
    "change",
    [
        {"commit": "; rm -rf /"},
        {"commit": "--upload-pack=x"},
        {"received": "yesterday"},
        {"received": "2026-03-03T10:00:00"},
    ],
)
def test_without_a_good_receipt_of_collect_nobody_knows_where_it_came_from(
    room: Class, change: dict[str, str]
) -> None:
    path = room.place.root / "submitted" / "ada" / "small" / "attempt-1" / "receipt.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert "there is no receipt of 'autogradient collect'" in refusals(room)[0]
    path.unlink()
    assert "there is no receipt of 'autogradient collect'" in refusals(room)[0]


def test_commit_repository_and_time_are_those_of_collect(room: Class) -> None:
    data = json.loads(path_of(room).read_text())
    data["submission"] |= {"commit": "f" * 40, "received_at": "2001-01-01T00:00:00+00:00"}
    path_of(room).write_text(json.dumps(data))
    room.deliver()
    assert "f" * 10 not in room.comments("dl-ada")[0] and "2001" not in room.comments("dl-ada")[0]
    assert [check["head_sha"] for check in room.checks("dl-ada")] == [
        room.github.state.branches(ADA)["main"]
    ]


def test_points_that_are_no_decimals_are_those_of_the_assignment(room: Class) -> None:
    result = Result.from_json(path_of(room).read_bytes())
    part = room.small.parts[0]
    assert part.cases
    third = Fraction(1, 3)
    part.cases = tuple(type(one)(one.name, one.title, third, one.hidden) for one in part.cases)
    for one in result.parts[0].cases:
        one.earned = one.possible = third
    from autogradient.model.result import add_up

    result.points = add_up(result.questions)
    room.write(result)
    accepted = accept(room.course, [room.small], ["ada"])
    (taken,) = accepted.results["small"]["ada"]
    assert taken.parts[0].possible == Fraction(2, 3)


def test_what_students_wrote_is_shown_and_does_nothing(room: Class) -> None:
    words = (
        "<script>alert(1)</script> @everyone [click](https://evil.example) "
        "![](https://evil.example/x.png) \x1b[31m \u202e #1\n\n# Full marks\n::set-output "
        "name=a::b"
    )
    data = room.notebook()
    room.write(room.result("ada", data, wrong={"double": words}))
    room.deliver()
    (comment,) = room.comments("dl-ada")
    (check,) = room.checks("dl-ada")
    (annotation,) = room.github.state.annotations[int(str(check["id"]))]
    for text in (comment, str(check["output"]["summary"]), room.branch("dl-ada")["small.md"]):
        assert "alert" in text  # nothing of it is kept from them
        assert not re.search(
            r"<script|@everyone|\]\(|https://evil|\x1b|\u202e|^# Full|^::", text, re.MULTILINE
        )
    assert not re.search(r"\x1b|\u202e|^# Full|^::", annotation["message"], re.MULTILINE)


def test_a_refused_attempt_changes_nothing_that_was_delivered(room: Class) -> None:
    data = room.notebook("double")
    room.hand_in("ada", data, ADA, at="2026-03-04T10:00:00Z")
    second = room.result("ada", data, attempt=2, blank=("total", "scale", "pick"))
    room.write(second)
    room.deliver()
    before, branch = room.comments("dl-ada"), room.branch("dl-ada")
    assert "2 of 8 points" in before[0]
    forged = json.loads(second.to_json())
    forged["points"]["earned"] = 80
    room.write(second, json.dumps(forged))
    _, refused = room.deliver()
    assert "ada/2.json was refused" in refused[0]
    assert room.comments("dl-ada") == before and room.branch("dl-ada") == branch


def test_the_command_says_what_it_did_and_what_it_refused(
    room: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    data = json.loads(path_of(room).read_text())
    data["points"]["earned"] = 80
    path_of(room).write_text(json.dumps(data))
    monkeypatch.chdir(room.place.root)
    done = CliRunner().invoke(cli, ["deliver", "small"])
    assert done.exit_code == 1
    assert done.stdout.splitlines()[-1] == "1 changed, 0 as they should be, 1 results refused"
    assert done.stdout.startswith(
        "the-course/dl-gates: small: comment on #1, small: check run for "
    )
    assert done.stderr == (
        "results/small/attempts/ada/1.json was refused: its points are not the sum of its cases\n"
    )
    path_of(room).unlink()
    again = CliRunner().invoke(cli, ["deliver"])
    assert (again.exit_code, again.stdout) == (
        0,
        "0 changed, 1 as they should be, 0 results refused\n",
    )
