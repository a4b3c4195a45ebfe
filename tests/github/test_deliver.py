"""`deliver`: what students find in their repositories, when, and that it is there once whatever
goes wrong.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import homework
import pytest
from hub.class_room import BEFORE, CAME, DUE, LATER, Class
from hub.people import push
from hub.state import ANSWERS, Refusal

from autogradient.course import ledger
from autogradient.coursework import grade_course
from autogradient.errors import GitHubError
from autogradient.github import feedback_text
from autogradient.github.client import AT_ONCE
from autogradient.github.hosting import Annotation
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.model.result import Problem

WRITES = r"^(POST|PUT|PATCH|DELETE) "
ADA = "the-course/dl-ada"


def test_after_the_deadline_there_is_one_comment_one_check_run_and_a_branch(room: Class) -> None:
    commit = room.graded("ada", ADA, {"double": "Try 3 and -1."})
    done, refused = room.deliver()
    assert refused == [] and done["dl-ada"].problems == [] and list(done) == ["dl-ada"]
    (comment,) = room.comments("dl-ada")
    assert comment.startswith("<!-- autogradient: small -->\n# Small numbers\n")
    assert f"Commit {commit[:10]} was received 3 March 2026, 11:00 CET, on time" in comment
    assert (
        "**4 of 8 points, 2 wait to be marked**" in comment
        and "Try 3 and -1." in comment
        and "a person will mark this" in comment
    )
    (check,) = room.checks("dl-ada")
    assert (check["head_sha"], check["name"], check["conclusion"]) == (
        commit,
        "Autogradient: small",
        "failure",
    )
    assert check["output"]["title"] == "4 of 8 points, 2 wait to be marked"
    assert list(room.branch("dl-ada")) == ["small.md"] and room.branch("dl-ada")[
        "small.md"
    ].startswith("# Small numbers")
    assert room.github.state.git(ADA, "rev-list", "--count", "feedback") == "1"


def test_a_second_run_sends_no_request_that_writes(room: Class) -> None:
    room.graded("ada", ADA, {"double": "no"})
    room.graded("bruno", "the-course/dl-gates")
    room.deliver()
    before, heads = room.github.asked(WRITES), room.github.state.branches(ADA)
    done, _ = room.deliver(LATER + timedelta(days=3))
    assert [each.done for each in done.values()] == [[], []] and room.github.asked(WRITES) == before
    assert room.github.state.branches(ADA) == heads


def test_what_changed_is_changed_in_place(room: Class) -> None:
    room.graded("ada", ADA, {"double": "no"})
    room.deliver()
    ledger.append(
        room.course.ledger,
        ledger.Mark(student="ada", assignment="small", part="why", points=Decimal(2), who="staff"),
    )
    room.deliver()
    (comment,) = room.comments("dl-ada")
    (check,) = room.checks("dl-ada")
    assert "**6 of 8 points**" in comment and check["output"]["title"] == "6 of 8 points"
    assert (
        "6 of 8" in room.branch("dl-ada")["small.md"]
        and room.github.state.git(ADA, "rev-list", "--count", "feedback") == "2"
    )


def test_before_the_policy_lets_points_out_there_is_an_acknowledgement_only(room: Class) -> None:
    data = room.notebook("double", "total", "why")
    commit = room.hand_in("ada", data, ADA)
    room.write(
        room.result("ada", data, wrong={"double": "Look at arrays."}, blank=("scale", "pick"))
    )
    room.deliver(BEFORE)
    (comment,) = room.comments("dl-ada")
    for words in (
        commit[:10],
        "3 March 2026, 11:00 CET",
        "on time (the deadline is 5 March 2026, 13:00 CET)",
        "3 of 5 parts attempted.",
    ):
        assert words in comment
    assert (
        "Still to come: points and feedback, after 5 March 2026, 13:00 CET, marks by a "
        "person for 1 of them." in comment
    )
    (check,) = room.checks("dl-ada")
    assert (check["conclusion"], check["output"]["annotations_count"]) == ("neutral", 0)
    everything = comment + json.dumps(check["output"])
    assert not [
        word
        for word in ("Look at arrays", "points,", "of 8", "hidden", "1 point")
        if word in everything
    ]
    assert room.branch("dl-ada") == {}


def test_feedback_waits_for_the_latest_extension_of_anybody(room: Class) -> None:
    room.graded("ada", ADA, {"double": "Look at arrays."})
    until = datetime(2026, 3, 20, tzinfo=UTC)
    ledger.append(
        room.course.ledger,
        ledger.Extension(student="daria", assignment="small", until=until, who="staff"),
    )
    room.deliver(until - timedelta(hours=1))
    assert (
        "Look at arrays" not in room.comments("dl-ada")[0]
        and "20 March 2026" in room.comments("dl-ada")[0]
    )
    room.deliver(until + timedelta(hours=1))
    assert "Look at arrays" in room.comments("dl-ada")[0]


@pytest.mark.parametrize(("policy", "named"), [("count", False), ("full", True)])
def test_a_policy_that_does_not_wait_shows_points_at_once(
    room: Class, policy: str, named: bool
) -> None:
    config = room.place.root / "grader_config" / "course.toml"
    config.write_text(config.read_text().replace("after_deadline", policy))
    room.graded("ada", ADA, {"double": "Look at arrays."})
    room.deliver(BEFORE)
    (comment,) = room.comments("dl-ada")
    assert "4 of 8 points" in comment and ("**arrays**" in comment) is named


def test_late_work_is_said_to_be_late_by_the_record_of_collect_and_not_by_the_result(
    room: Class,
) -> None:
    data = room.notebook()
    room.hand_in("ada", data, ADA, at="2026-03-06T12:00:00Z")
    result = room.result("ada", data)
    assert result.submission.received_at == CAME < DUE
    room.write(result)
    room.deliver()
    assert (
        "received 6 March 2026, 13:00 CET, 1 day after the deadline" in room.comments("dl-ada")[0]
    )


# ---- where it goes -------------------------------------------------------------------------------


def test_the_comment_goes_to_the_pull_request_that_github_finds_the_commit_in(room: Class) -> None:
    data = room.notebook()
    push(room.github, ADA, {"note.txt": b"mine"}, "try")
    pull = room.github.state.open_pull(ADA, "try", "main", "My answers", author="ada-l")
    room.hand_in("ada", data, ADA, branch="try")
    room.write(room.result("ada", data))
    room.deliver()
    assert (
        pull["number"] == 2
        and len(room.comments("dl-ada", 2)) == 1
        and room.comments("dl-ada", 1) == []
    )
    pull["state"] = "closed"  # from now on there is the standing one
    room.deliver()
    assert len(room.comments("dl-ada", 1)) == 1 and "8 points" in room.comments("dl-ada", 1)[0]
    (moved,) = room.comments("dl-ada", 2)
    assert "The feedback on Small numbers is now on #1." in moved and "points" not in moved
    before = room.github.asked(WRITES)
    room.deliver()
    assert room.github.asked(WRITES) == before


def test_a_commit_that_is_gone_has_its_comment_on_the_standing_pull_request(room: Class) -> None:
    data = room.notebook()
    room.collected("ada", data, ADA, "1" * 40)
    room.write(room.result("ada", data))
    done, _ = room.deliver()
    assert len(room.comments("dl-ada", 1)) == 1
    (problem,) = done["dl-ada"].problems
    assert "422 (No commit found for SHA" in problem and list(room.branch("dl-ada")) == ["small.md"]


def test_where_github_lets_only_apps_make_check_runs_all_else_is_delivered(
    room: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_apps(*_: object) -> tuple[int, object]:
        raise Refusal(403, "You must authenticate via a GitHub App.")

    monkeypatch.setitem(ANSWERS, "checks/create", only_apps)
    room.graded("ada", ADA)
    room.graded("bruno", "the-course/dl-gates")
    done, _ = room.deliver()
    assert [each.problems for each in done.values()] == [[], []] and room.github.asked(
        "POST .*check-runs"
    ) == 1
    assert done["dl-ada"].remarks == [
        "check runs are left out: GitHub lets only an App make them, and this is a personal token"
    ]
    assert len(room.comments("dl-ada")) == 1 and list(room.branch("dl-ada")) == ["small.md"]


def test_annotations_stand_at_the_lines_of_the_failing_cells(room: Class) -> None:
    data = json.dumps(json.loads(room.notebook()), indent=1).encode()
    room.hand_in("ada", data, ADA, file="week 1/mine.ipynb")
    room.write(room.result("ada", data, wrong={"double": "Try 3.", "pick": "Count."}))
    room.deliver()
    (check,) = room.checks("dl-ada")
    found = room.github.state.annotations[int(str(check["id"]))]
    assert [(one["path"], one["title"], one["annotation_level"]) for one in found] == [
        ("week 1/mine.ipynb", "double", "warning"),
        ("week 1/mine.ipynb", "pick", "warning"),
    ]
    lines = data.decode().split("\n")
    for one, first, last in zip(
        found,
        ("def double(x):", 'larger = \\"B\\"'),
        ("return np.array(x)", 'larger = \\"B\\"'),
        strict=True,
    ):
        assert first in lines[one["start_line"] - 1] and last in lines[one["end_line"] - 1]
    assert found[0]["message"].startswith("✗ numbers: Try 3.")


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("source", ['"a\\n\\"}]{["', '["one\\n",\n "two"]', "[]", '""'])
def test_lines_of_cells_are_found_in_any_layout(indent: int | None, source: str) -> None:
    cell = (
        '{"metadata": {"source": ["not this"], "cells": [{"source": "nor this"}]},\n '
        f'"outputs": [{{"text": "source"}}],\n "source": {source}}}'
    )
    text = f'{{"metadata": {{"cells": []}},\n"cells": [\n{cell},\n{cell}\n],\n"nbformat": 4}}'
    if indent is None:
        text = json.dumps(json.loads(text))
        assert feedback_text.cell_lines(text) == [(1, 1), (1, 1)]
        return
    found = feedback_text.cell_lines(text)
    height = source.count("\n")
    assert found == [(5, 5 + height), (8 + height, 8 + 2 * height)]


def test_more_annotations_than_a_request_takes_are_sent_in_several_and_never_twice(
    room: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    def many(*_: object) -> list[Annotation]:
        return [
            Annotation("a.ipynb", line, line, "warning", f"part {line}", "✗")
            for line in range(1, 131)
        ]

    monkeypatch.setattr(feedback_text, "_annotations", many)
    room.graded("ada", ADA, {"double": "no"})
    room.github.fault("PATCH .*check-runs", "lost")
    done, _ = room.deliver()
    (check,) = room.checks("dl-ada")
    sent = room.github.state.annotations[int(str(check["id"]))]
    assert (
        done["dl-ada"].problems == []
        and [one["start_line"] for one in sent] == list(range(1, 131))
        and AT_ONCE == 50
    )
    before = room.github.asked(WRITES)
    room.deliver()
    assert room.github.asked(WRITES) == before


def test_what_is_too_long_for_github_is_cut_and_stands_whole_on_the_branch(room: Class) -> None:
    data = room.notebook()
    room.hand_in("ada", data, ADA)
    result = room.result("ada", data)
    result.problems = [Problem(cell=1, message=f"{number} " + "ä" * 500) for number in range(100)]
    room.write(result)
    room.deliver()
    (comment,) = room.comments("dl-ada")
    (check,) = room.checks("dl-ada")
    assert len(comment.encode()) < 65_535 and len(str(check["output"]["summary"]).encode()) < 65_535
    assert "too long for here" in comment and comment.rstrip().endswith(
        "on the branch `feedback`, in `small.md`."
    )
    # a result holds a hundred problems
    assert "99 ä" in room.branch("dl-ada")["small.md"] and "99 ä" not in comment


# ---- who may read it -----------------------------------------------------------------------------


@pytest.mark.parametrize("visibility", ["public", "internal"])
def test_where_others_can_read_it_says_graded_and_no_more(room: Class, visibility: str) -> None:
    room.graded("ada", ADA, {"double": "Look at arrays."})
    room.github.state.repositories[ADA] |= {
        "visibility": visibility,
        "private": visibility == "internal",
    }
    done, _ = room.deliver()
    assert room.comments("dl-ada") == ["<!-- autogradient: small -->\n**Small numbers**: graded.\n"]
    (check,) = room.checks("dl-ada")
    assert (
        check["conclusion"],
        check["output"]["title"],
        check["output"]["annotations_count"],
    ) == ("neutral", "Graded", 0)
    assert room.branch("dl-ada") == {} and "can be read by others" in done["dl-ada"].remarks[0]


def test_pull_requests_to_a_shared_repository_are_read_by_the_whole_class(room: Class) -> None:
    state = room.github.state
    settings = room.place.root / "grader_config" / "github.toml"
    settings.write_text(settings.read_text() + 'shared = "the-course/work"\n')
    from autogradient.github.settings import load

    room.place.settings = load(room.place.root)
    state.create("the-course/work")
    push(room.github, "the-course/work", {"README.md": b"hello"})
    commit = room.hand_in("ada", room.notebook(), "the-course/work", branch="ada")
    room.write(room.result("ada", room.notebook(), wrong={"double": "Look at arrays."}))
    push(room.github, "the-course/work", {"other.txt": b"hello"}, "other")
    state.open_pull("the-course/work", "ada", "other", "Copied", author="bruno-k")
    state.open_pull("the-course/work", "ada", "main", "Mine", author="ada-l")
    done, _ = room.deliver()
    assert list(done) == ["work"] and done["work"].problems == []
    assert room.comments("work", 1) == [] and room.comments("work", 2) == [
        "<!-- autogradient: small -->\n**Small numbers**: graded.\n"
    ]
    assert (
        [check["head_sha"] for check in room.checks("work")] == [commit]
        and room.branch("work") == {}
        and room.branch("dl-ada") == {}
    )
    before = room.github.asked(WRITES)
    room.deliver()
    assert room.github.asked(WRITES) == before


def test_a_team_reads_one_comment_and_what_was_decided_about_one_is_not_for_the_others(
    room: Class,
) -> None:
    data, gates = room.notebook(), "the-course/dl-gates"
    commit = room.hand_in("bruno", data, gates)
    room.collected("chloe", data, gates, commit)
    for student in ("bruno", "chloe"):
        room.write(room.result(student, data))
    room.deliver()
    (comment,) = room.comments("dl-gates")
    assert "6 of 8 points" in comment and len(room.checks("dl-gates")) == 1
    ledger.append(
        room.course.ledger,
        ledger.Adjustment(
            student="chloe",
            assignment="small",
            points=Decimal(-1),
            why="private matters",
            who="staff",
        ),
    )
    room.deliver()
    (comment,) = room.comments("dl-gates")
    assert (
        "not the same for all of you" in comment
        and "private matters" not in comment
        and "of 8" not in comment
    )


def test_whoever_left_a_team_has_nothing_more_written_there(room: Class) -> None:
    room.graded("ada", "the-course/dl-gates")
    done, _ = room.deliver()
    assert (
        done["dl-ada"].problems == []
        and room.comments("dl-gates") == []
        and room.checks("dl-gates") == []
    )
    (comment,) = room.comments("dl-ada")
    assert "6 of 8 points" in comment and room.checks("dl-ada") == []


# ---- once, whatever goes wrong -------------------------------------------------------------------


def whole(room: Class) -> None:
    """Everything is there once."""
    assert len(room.comments("dl-ada")) == len(room.checks("dl-ada")) == 1
    assert len(room.github.state.annotations[int(str(room.checks("dl-ada")[0]["id"]))]) == 1
    assert (
        list(room.branch("dl-ada")) == ["small.md"]
        and room.github.state.git(ADA, "rev-list", "--count", "feedback") == "1"
    )


@pytest.mark.parametrize("lives", range(1, 9))
def test_when_github_dies_half_way_a_second_run_completes_it(room: Class, lives: int) -> None:
    room.graded("ada", ADA, {"double": "no"})
    room.github.lives = lives
    try:
        room.deliver()
    except GitHubError as error:
        assert "run the command again" in str(error)
    room.github.lives = None
    room.deliver()
    whole(room)


@pytest.mark.parametrize("kind", ["error", "secondary", "too many", "lost", "cut"])
def test_whatever_fails_once_nothing_is_doubled(room: Class, kind: str) -> None:
    room.graded("ada", ADA, {"double": "no"})
    for pattern in (
        "GET .*commits/.*/pulls",
        "GET .*issues/comments",
        "POST .*comments",
        "GET .*check-runs",
        "POST .*check-runs",
    ):
        room.github.fault(pattern, kind)
    done, _ = room.deliver()
    assert done["dl-ada"].problems == [] and not [
        fault for fault in room.github.faults if fault.times
    ]
    whole(room)


def test_short_pages_are_read_to_the_end(room: Class) -> None:
    room.graded("ada", ADA, {"double": "no"})
    for number in range(3):
        room.github.state.say(ADA, 1, f"thanks {number}", "ada-l")
    room.github.longest_page = 1
    room.deliver()
    before = room.github.asked(WRITES)
    room.deliver()
    assert room.github.asked(WRITES) == before and len(room.comments("dl-ada")) == 4
    ledger.append(
        room.course.ledger,
        ledger.Mark(student="ada", assignment="small", part="why", points=Decimal(2), who="staff"),
    )
    room.deliver()
    assert len(room.comments("dl-ada")) == 4 and "6 of 8 points" in room.comments("dl-ada")[3]


def test_a_copy_of_our_mark_by_a_student_is_not_taken_for_ours(room: Class) -> None:
    room.github.state.say(ADA, 1, "<!-- autogradient: small -->\n**100 of 8 points**", "ada-l")
    room.graded("ada", ADA)
    room.deliver()
    theirs, ours = room.comments("dl-ada")
    assert "100 of 8" in theirs and "6 of 8" in ours


def test_one_repositorys_trouble_does_not_stop_the_others(room: Class) -> None:
    room.graded("ada", ADA)
    room.graded("bruno", "the-course/dl-gates")
    room.github.fault("POST .*dl-ada/issues", "error", 50)
    done, _ = room.deliver()
    assert (
        "with 502 (Server Error)" in done["dl-ada"].problems[0]
        and done["dl-gates"].problems == []
        and len(room.comments("dl-gates")) == 1
    )


# ---- the branch ----------------------------------------------------------------------------------


def test_the_branch_holds_feedback_and_nothing_else_and_is_never_forced(room: Class) -> None:
    room.graded("ada", ADA)
    theirs = push(
        room.github, ADA, {"small.md": b"100 of 8 points", "evil/run.sh": b"rm -rf /"}, "feedback"
    )
    room.deliver()
    assert (
        list(room.branch("dl-ada")) == ["small.md"]
        and "6 of 8" in room.branch("dl-ada")["small.md"]
    )
    assert room.github.state.git(ADA, "rev-parse", "feedback^") == theirs


def test_a_protected_branch_is_one_sentence_and_the_rest_is_delivered(room: Class) -> None:
    room.graded("ada", ADA)
    room.github.state.protect(ADA, "feedback")
    done, _ = room.deliver()
    (problem,) = done["dl-ada"].problems
    assert problem.startswith(
        "the-course/dl-ada: the branch 'feedback' could not be written (git push failed"
    )
    assert len(room.comments("dl-ada")) == len(room.checks("dl-ada")) == 1


def test_a_rehearsal_writes_nothing(room: Class) -> None:
    room.graded("ada", ADA)
    before = room.github.asked(WRITES)
    done, _ = room.deliver(dry_run=True)
    assert (
        len(done["dl-ada"].done) == 3
        and room.github.asked(WRITES) == before
        and room.branch("dl-ada") == {}
    )
    room.deliver()
    ledger.append(
        room.course.ledger,
        ledger.Mark(student="ada", assignment="small", part="why", points=Decimal(2), who="staff"),
    )
    before, branch = room.github.asked(WRITES), room.branch("dl-ada")
    done, _ = room.deliver(dry_run=True)
    assert (
        len(done["dl-ada"].done) == 3
        and room.github.asked(WRITES) == before
        and room.branch("dl-ada") == branch
    )


def test_an_attempt_that_does_not_count_is_acknowledged_at_its_commit(room: Class) -> None:
    room.graded("ada", ADA)
    data = room.notebook("double")
    late = room.hand_in("ada", data, ADA, at="2026-03-09T12:00:00Z")
    room.write(room.result("ada", data, attempt=2, blank=("total", "scale", "pick", "why")))
    room.deliver()
    by_commit = {str(check["head_sha"]): check for check in room.checks("dl-ada")}
    assert (
        len(by_commit) == 2
        and "attempt 1 is the one that counts" in by_commit[late]["output"]["summary"]
    )
    (comment,) = room.comments("dl-ada")
    assert "6 of 8 points" in comment and "Of 2 attempts, attempt 1 counts." in comment


def test_an_attempt_too_many_of_its_day_is_acknowledged_and_no_more(room: Class) -> None:
    path = room.place.root / "grader_config" / "course.toml"
    path.write_text(path.read_text().replace("[deadlines]", "attempts_per_day = 1\n[deadlines]"))
    room.graded("ada", ADA)
    data = room.notebook("double")
    later = room.hand_in("ada", data, ADA, at="2026-03-03T12:00:00Z")
    room.write(room.result("ada", data, attempt=2, blank=("total", "scale", "pick", "why")))
    too_many = "1 attempt a day counts, the next one from 4 March 2026, 00:00 UTC+01:00."
    room.deliver(BEFORE)
    (comment,) = room.comments("dl-ada")
    assert (
        "5 of 5 parts attempted" in comment
        and f"Attempt 2 was received and does not count: {too_many}" in comment
    )
    by_commit = {
        str(check["head_sha"]): check["output"]["summary"] for check in room.checks("dl-ada")
    }
    assert (
        f"This was received; {too_many} Attempt 1 is the one that counts." in by_commit[later]
        and len(by_commit) == 2
    )
    room.deliver()
    (comment,) = room.comments("dl-ada")
    assert "6 of 8 points" in comment and too_many in comment
    assert len(room.checks("dl-ada")) == 2 and "points" not in by_commit[later]


def test_what_was_really_graded_is_accepted_and_delivered(room: Class, engine: Engine) -> None:
    room.hand_in(
        "ada",
        homework.Notebook(
            room.small, homework.ANSWERS | {"scale": "def scale(x):\n    return np.asarray(x)"}
        ).bytes(),
        ADA,
    )
    room.hand_in("bruno", b"<<<<<<< HEAD\n", "the-course/dl-gates")
    room.hand_in("daria", room.notebook("total"), "the-course/dl-daria")
    grade_course.grade_course(room.course, [room.small], Local(engine, 1))
    done, refused = room.deliver()
    assert refused == [] and [each.problems for each in done.values()] == [[], [], []]
    assert (
        "4.5 of 8 points, 2 wait" in room.comments("dl-ada")[0]
        and "The entries should add up to 1." in room.comments("dl-ada")[0]
    )
    assert (
        "could not be read" in room.comments("dl-gates")[0]
        and "a merge conflict" in room.comments("dl-gates")[0]
    )
    assert "1 of 8 points" in room.comments("dl-daria")[0]
    (check,) = room.checks("dl-ada")
    (annotation,) = room.github.state.annotations[int(str(check["id"]))]
    assert (annotation["title"], annotation["start_line"]) == ("scale", 1)
    assert [
        str(check["conclusion"])
        for name in ("dl-ada", "dl-gates", "dl-daria")
        for check in room.checks(name)
    ] == ["failure", "failure", "neutral"]
