"""`collect` from GitHub: what of it becomes an attempt, when it was received, and what
is left out.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import homework
import pytest
from hub.people import Place, git, push
from hub.server import Server

from autogradient.course import config, ledger
from autogradient.coursework import report
from autogradient.github.collect import Collected, Collector
from autogradient.github.git import CONFIG, Bare
from autogradient.github.recognise import Recogniser
from autogradient.github.roster import read
from autogradient.github.settings import BASE
from autogradient.grading import find_submissions, results_folder
from autogradient.grading.grade import unreadable
from autogradient.model.assignment import Assignment
from autogradient.model.files import write_atomically
from autogradient.model.result import SubmissionInfo
from autogradient.sources import release
from autogradient.sources.source import load

DAY = "2026-03-0{}T10:00:00Z"
ADA = "the-course/dl-ada"


@pytest.fixture
def small(course_root: Path) -> Assignment:
    """The course's one assignment, released."""
    assignment = homework.assignment(course_root / "source")
    release.write(release.build(assignment), course_root / "release" / "small")
    return assignment


@pytest.fixture
def blank(small: Assignment) -> bytes:
    """The notebook as released."""
    return release.build(small).notebook


@pytest.fixture
def collect(
    place: Place, small: Assignment, github: Server, blank: bytes
) -> Callable[..., dict[str, Collected]]:
    """Collect from the repositories of a class in which everybody has the release."""
    for name in ("dl-ada", "dl-gates", "dl-daria"):
        github.state.create(f"the-course/{name}")
        push(github, f"the-course/{name}", {"small/small.ipynb": blank}, at=DAY.format(1))
        push(github, f"the-course/{name}", {}, BASE, at=DAY.format(1))

    def run(at: str | None = None) -> dict[str, Collected]:
        here = config.load(place.root)
        collector = Collector(here, read(place.root), Recogniser(here))
        when = datetime.fromisoformat(at.replace("Z", "+00:00")) if at else None
        return {each.who: each for each in collector.from_repositories(place.hub(), when)}

    return run


def work(small: Assignment, *parts: str) -> bytes:
    """A notebook in which some parts are answered (all by default)."""
    answers = {part: homework.ANSWERS[part] for part in parts} if parts else None
    return homework.Notebook(small, answers).bytes()


def attempts(place: Place, student: str = "ada") -> dict[str, dict[str, object]]:
    """The attempts of a student: name → receipt."""
    folder = place.root / "submitted" / student / "small"
    return {
        path.name: json.loads((path / "receipt.json").read_text())
        for path in sorted(folder.glob("*"))
    }


def entries(
    server: Server,
    full_name: str,
    lines: list[tuple[str, bytes, str]],
    branch: str = "main",
    at: str | None = None,
    nest: str = "",
) -> str:
    """Push a commit with a tree of any modes and names, put into a folder `nest`; contents are
    bytes, or an id for what is no blob.
    """
    bare = server.state.bare(full_name)

    def feed(data: bytes, *arguments: str) -> str:
        return (
            subprocess.run(
                ["git", *arguments],
                cwd=bare,
                input=data,
                capture_output=True,
                check=True,
                timeout=120,
            )
            .stdout.decode()
            .strip()
        )

    made = {}
    text = b""
    for mode, data, name in lines:
        if data not in made:
            made[data] = (
                data.decode() if mode == "160000" else feed(data, "hash-object", "-w", "--stdin")
            )
        text += (
            f"{mode} {'commit' if mode == '160000' else 'blob'} {made[data]}\t".encode()
            + os.fsencode(name)
            + b"\0"
        )
    tree = feed(text, "mktree", "-z", "--missing")
    for folder in reversed(nest.split("/") if nest else []):
        tree = feed(f"040000 tree {tree}\t{folder}\0".encode(), "mktree", "-z")
    who = ["-c", "user.name=S", "-c", "user.email=s@e"]
    commit = feed(b"Work\n", *who, "commit-tree", tree)
    old = server.state.branches(full_name).get(branch, "0" * 40)
    feed(b"", "update-ref", f"refs/heads/{branch}", commit)
    with (bare / "pushes.log").open("a") as log:
        log.write(f"{at or DAY.format(5)} {old} {commit} refs/heads/{branch}\n")
    return commit


# ---- what becomes an attempt ---------------------------------------------------------------------


def test_what_nobody_answered_is_no_attempt(
    collect: Callable[..., dict[str, Collected]], place: Place
) -> None:
    done = collect()
    assert not (place.root / "submitted" / "ada" / "small").exists()
    assert [(each.attempts, each.remarks, each.problems) for each in done.values()] == [
        ([], [], [])
    ] * 3


def test_a_push_becomes_an_attempt_with_its_time_and_place(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    forged = {
        "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z",
        "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z",
    }
    commit = push(github, ADA, {"small/my best try.ipynb": work(small)}, at=DAY.format(3), **forged)
    collect()
    folder = place.root / "submitted" / "ada" / "small" / "attempt-1"
    assert sorted(path.name for path in folder.iterdir()) == [
        "receipt.json",
        "small.ipynb",
        "timestamp.txt",
    ]
    assert (folder / "small.ipynb").read_bytes() == work(small)
    assert (folder / "timestamp.txt").read_text() == "2026-03-03 10:00:00.000000 UTC\n"
    from nbgrader.utils import parse_utc

    assert parse_utc((folder / "timestamp.txt").read_text()) == datetime(2026, 3, 3, 10)
    (receipt,) = attempts(place).values()
    assert (
        receipt["repository"],
        receipt["commit"],
        receipt["branch"],
        receipt["pull_request"],
    ) == (ADA, commit, "main", 0)
    assert (receipt["received"], receipt["received_by"], receipt["file"]) == (
        "2026-03-03T10:00:00Z",
        "push",
        "small/my best try.ipynb",
    )
    assert receipt["recognised"] == "its metadata" and receipt["source"] == "repository"


def test_unchanged_heads_are_not_fetched_again_and_a_new_one_counts_up(
    collect: Callable[..., dict[str, Collected]],
    place: Place,
    small: Assignment,
    github: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at=DAY.format(3))
    collect()
    with monkeypatch.context() as patched:
        patched.setattr(Bare, "fetch", lambda *_: pytest.fail("nothing has moved"))
        assert [each.attempts for each in collect().values()] == [[], [], []]
    # the same notebook in a new commit
    push(github, ADA, {"notes.txt": b"hello"}, at=DAY.format(4))
    collect()
    assert list(attempts(place)) == ["attempt-1"]
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(5))
    collect()
    # back to the first
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at=DAY.format(6))
    collect()
    assert {name: receipt["received"] for name, receipt in attempts(place).items()} == {
        "attempt-1": DAY.format(3),
        "attempt-2": DAY.format(5),
        "attempt-3": DAY.format(6),
    }


def test_each_attempt_is_graded_with_the_time_at_which_it_was_pushed(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    from autogradient.grading.find_submissions import submissions

    for day, data in ((3, work(small, "double")), (5, work(small)), (6, b"<<<<<<< HEAD\n")):
        push(github, ADA, {"small/small.ipynb": data}, at=DAY.format(day))
        collect()
    found = [
        (item.students, item.attempt, item.received_at, item.remarks)
        for item in submissions(place.root / "submitted", [small])
    ]
    assert found == [
        (("ada",), number, moment(day), ()) for number, day in ((1, 3), (2, 5), (3, 6))
    ]


def moment(day: int) -> str:
    return datetime.fromisoformat(DAY.format(day)).isoformat()


def test_a_team_shares_its_attempts(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    push(github, "the-course/dl-gates", {"small/small.ipynb": work(small)}, at=DAY.format(3))
    assert len(collect()["gates"].attempts) == 2
    assert attempts(place, "bruno") == attempts(place, "chloe") != {}


def test_the_pull_request_comes_first_then_the_default_branch_then_others(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, "try", at=DAY.format(2))
    collect()
    assert attempts(place)["attempt-1"]["branch"] == "try"  # nothing else is answered anywhere
    push(github, ADA, {"small/small.ipynb": work(small, "total")}, "main", at=DAY.format(3))
    collect()
    assert attempts(place)["attempt-2"]["branch"] == "main"
    github.state.open_pull(ADA, "try", "main", "My answers", author="ada-l")
    push(github, ADA, {"small/small.ipynb": work(small, "scale")}, "try", at=DAY.format(4))
    collect()
    assert (
        attempts(place)["attempt-3"]["branch"],
        attempts(place)["attempt-3"]["pull_request"],
    ) == ("try", 1)


def test_whoever_went_on_in_another_branch_loses_nothing(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at=DAY.format(3))
    push(
        github,
        ADA,
        {"small/small.ipynb": work(small, "double", "total")},
        "week-2",
        at=DAY.format(4),
    )
    push(github, ADA, {"small/small.ipynb": work(small, "scale")}, "experiment", at=DAY.format(5))
    collect()
    (receipt,) = attempts(place).values()
    assert receipt["branch"] == "week-2" and receipt["remarks"] == [
        "taken from week-2, which was pushed later and answers more"
    ]


def test_a_commit_counts_from_when_it_was_first_pushed(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    commit = push(github, ADA, {"small/small.ipynb": work(small)}, "try", at=DAY.format(3))
    github.state.clock(DAY.format(7))
    git(
        github.state.folder / "work",
        "push",
        "--quiet",
        str(github.state.bare(ADA)),
        "HEAD:refs/heads/main",
    )
    collect()
    (receipt,) = attempts(place).values()
    assert (receipt["commit"], receipt["branch"], receipt["received"]) == (
        commit,
        "main",
        DAY.format(3),
    )


def test_the_older_release_that_a_student_began_with_is_no_answer(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    path = place.root / "source" / "small" / "small.py"
    text = path.read_text()
    path.write_text(text.replace("def double(x):", "def double(x, out=None):"))
    assert path.read_text() != text
    newer = load(path)
    release.write(release.build(newer), place.root / "release" / "small")
    assert [each.attempts for each in collect().values()] == [[], [], []]


def test_where_github_has_no_record_the_time_of_collection_is_said_to_be_one(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(3))
    github.state.unlogged.add(ADA)
    assert collect(at=DAY.format(9))["ada"].attempts == []
    collect()
    (receipt,) = attempts(place).values()
    assert receipt["received_by"] == "collection" and str(receipt["received"]) > DAY.format(3)


def test_the_same_notebook_in_several_branches_counts_from_when_it_first_arrived(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    push(github, ADA, {"small/small.ipynb": work(small)}, "try", at=DAY.format(3))
    push(
        github,
        ADA,
        {"small/small.ipynb": work(small), "notes.txt": b"merged"},
        "main",
        at=DAY.format(7),
    )
    collect()
    (receipt,) = attempts(place).values()
    assert (receipt["branch"], receipt["received"], receipt["remarks"]) == (
        "try",
        DAY.format(3),
        [],
    )


# ---- the deadline --------------------------------------------------------------------------------


def test_a_snapshot_holds_what_had_been_pushed_by_then(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    early = push(github, ADA, {"small/small.ipynb": work(small, "double")}, at=DAY.format(3))
    forged = {
        "GIT_AUTHOR_DATE": "2026-03-02T00:00:00Z",
        "GIT_COMMITTER_DATE": "2026-03-02T00:00:00Z",
    }
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(6), **forged)
    collect(at=DAY.format(5))
    (receipt,) = attempts(place).values()
    assert (receipt["commit"], receipt["received"]) == (early, DAY.format(3))
    collect(at=DAY.format(5))
    assert list(attempts(place)) == ["attempt-1"]
    collect()
    collect(at=DAY.format(5))
    assert [receipt["received"] for receipt in attempts(place).values()] == [
        DAY.format(3),
        DAY.format(6),
    ]


def test_a_snapshot_taken_late_does_not_go_before_what_was_received_later(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:

    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at=DAY.format(3))
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(6))
    collect()
    collect(at=DAY.format(5))
    assert [receipt["received"] for receipt in attempts(place).values()] == [
        DAY.format(6),
        DAY.format(3),
    ]
    for item in find_submissions.submissions(place.root / "submitted", [small]):
        info = SubmissionInfo(students=["ada"], attempt=item.attempt, received_at=item.received_at)
        write_atomically(
            results_folder.result_path(place.root / "results", "small", "ada", item.attempt),
            unreadable(small, b"", "", info).to_json(),
        )
    assert [
        result.submission.attempt
        for result in results_folder.read_attempts(place.root / "results", "small", "ada")
    ] == [2, 1]


def test_a_force_push_after_the_deadline_does_not_change_the_snapshot(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    early = push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(3))
    entries(github, ADA, [("100644", b"{}", "nothing.txt")], at=DAY.format(6))
    collect(at=DAY.format(5))
    assert [receipt["commit"] for receipt in attempts(place).values()] == [early]


DEADLINES = """format = 1
timezone = "UTC"
counts = "{counts}"
[deadlines]
small = {{due = 2026-03-04T10:00:00, sections = {{b = 2026-03-06T12:00:00}}}}
[late]
grace = "1 hour"
"""


def policy(place: Place, counts: str = "last_on_time", more: str = "") -> None:
    (place.root / "grader_config" / "course.toml").write_text(
        DEADLINES.format(counts=counts) + more
    )


def received(place: Place, student: str = "ada") -> list[object]:
    return [receipt["received"] for receipt in attempts(place, student).values()]


def test_what_came_after_the_deadline_does_not_hide_what_was_there_on_time(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    policy(place)
    push(github, ADA, {"small/small.ipynb": work(small, "total")}, at=DAY.format(2))
    # to the second within grace
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at="2026-03-04T11:00:00Z")
    push(github, ADA, {"small/small.ipynb": work(small)}, at="2026-03-04T11:00:01Z")
    collect()
    assert received(place) == ["2026-03-04T11:00:00Z", "2026-03-04T11:00:01Z"]
    first, second = attempts(place).values()
    assert (
        first["remarks"] == ["as it stood at 4 March 2026, 11:00 UTC, a deadline"]
        and second["remarks"] == []
    )
    collect()
    assert len(received(place)) == 2


def test_the_state_at_the_deadline_is_taken_also_where_a_later_one_was_collected_before(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(3))
    push(github, ADA, {"small/small.ipynb": work(small), "notes.txt": b"more"}, at=DAY.format(6))
    collect()
    assert received(place) == [DAY.format(6)]  # and so it would be late
    policy(place)
    collect()
    assert received(place) == [DAY.format(6), DAY.format(3)]
    collect()
    assert len(received(place)) == 2


def test_sections_extensions_and_teams_have_deadlines_of_their_own(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    policy(place)
    for day, parts in ((3, ["total"]), (5, ["double"]), (7, ["scale"]), (8, ["pick"])):
        for name in ("dl-ada", "dl-gates", "dl-daria"):
            push(
                github,
                f"the-course/{name}",
                {"small/small.ipynb": work(small, *parts)},
                at=DAY.format(day),
            )
    collect()
    assert received(place) == [DAY.format(3), DAY.format(8)]
    assert received(place, "daria") == [DAY.format(5), DAY.format(8)]  # of section b
    # one of each section
    assert (
        received(place, "bruno")
        == received(place, "chloe")
        == [DAY.format(3), DAY.format(5), DAY.format(8)]
    )
    ledger.append(
        config.load(place.root).ledger,
        ledger.Extension(
            student="ada",
            assignment="small",
            until=datetime.fromisoformat(DAY.format(7)),
            who="tia",
        ),
    )
    collect()
    assert received(place) == [DAY.format(3), DAY.format(8), DAY.format(7)]
    policy(place, more='nothing_after = "36 hours"\n')
    collect()
    assert received(place, "daria") == [DAY.format(5), DAY.format(8), DAY.format(7)], (
        "of work that is late, the last that counts for something"
    )


def test_what_was_too_many_of_its_day_is_handed_in_by_any_push_of_the_next(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    (place.root / "grader_config" / "course.toml").write_text(
        'format = 1\ntimezone = "UTC"\nattempts_per_day = 1\n'
    )
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at="2026-03-03T10:00:00Z")
    collect()
    push(github, ADA, {"small/small.ipynb": work(small)}, at="2026-03-03T11:00:00Z")
    collect()
    push(github, ADA, {"notes.txt": b"a"}, at="2026-03-03T12:00:00Z")
    collect()
    assert len(received(place)) == 2
    for hour in (13, 14):
        push(github, ADA, {"notes.txt": str(hour).encode()}, at=f"2026-03-04T{hour}:00:00Z")
        collect()
    assert received(place) == [
        "2026-03-03T10:00:00Z",
        "2026-03-03T11:00:00Z",
        "2026-03-04T13:00:00Z",
    ]


def test_a_deadline_is_looked_at_once(
    collect: Callable[..., dict[str, Collected]],
    place: Place,
    small: Assignment,
    github: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy(place)
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at=DAY.format(3))
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(6))
    fetched: list[tuple[str, str]] = []
    fetch = Bare.fetch
    monkeypatch.setattr(
        Bare,
        "fetch",
        lambda self, url, what, *more, **named: (
            fetched.append((url, what)),
            fetch(self, url, what, *more, **named),
        )[1],
    )
    collect()
    assert len(set(fetched)) == len(fetched)
    fetched.clear()
    collect()
    assert fetched == []
    late = push(github, ADA, {"small/small.ipynb": work(small, "total")}, at=DAY.format(7))
    collect()
    assert [what for _, what in fetched] == [f"refs/heads/{BASE}", late]


def test_what_was_deleted_or_forced_away_after_the_deadline_is_taken_as_it_stood(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    policy(place)
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(3))
    entries(github, ADA, [("100644", b"{}", "nothing.txt")], at=DAY.format(6))
    collect()
    assert received(place) == [DAY.format(3)]


def test_before_the_deadline_only_what_stands_now_is_taken(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    text = DEADLINES.format(counts="last").replace("2026-", "2996-")
    (place.root / "grader_config" / "course.toml").write_text(text)
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at=DAY.format(3))
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(6))
    collect()
    assert received(place) == [DAY.format(6)]


def test_the_policy_says_which_of_the_two_counts(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:

    policy(place)
    push(github, ADA, {"small/small.ipynb": work(small, "double")}, at=DAY.format(3))
    push(github, ADA, {"small/small.ipynb": work(small)}, at=DAY.format(6))
    collect()
    for item in find_submissions.submissions(place.root / "submitted", [small]):
        info = SubmissionInfo(students=["ada"], attempt=item.attempt, received_at=item.received_at)
        write_atomically(
            results_folder.result_path(place.root / "results", "small", "ada", item.attempt),
            unreadable(small, b"", "", info).to_json(),
        )
    for counts, day in (("last_on_time", 3), ("last", 6)):
        policy(place, counts)
        (one,) = [
            each
            for each in report.all_results(config.load(place.root), ["small"])
            if each.student == "ada"
        ]
        assert one.submission.received_at == moment(day)


# ---- hostile -------------------------------------------------------------------------------------


def left_out(done: Collected) -> list[str]:
    """Remarks without the place that they begin with."""
    return [remark.partition(": ")[2] for remark in done.remarks]


def test_a_link_is_not_followed(
    collect: Callable[..., dict[str, Collected]], place: Place, github: Server
) -> None:
    entries(
        github,
        ADA,
        [
            ("120000", b"/etc/passwd", "small.ipynb"),
            ("120000", b"../../../../grader_config/roster.csv", "other.ipynb"),
        ],
    )
    assert left_out(collect()["ada"]) == [
        (
            "other.ipynb was left out: it is a link, and links are not followed; commit the "
            "notebook itself"
        ),
        (
            "small.ipynb was left out: it is a link, and links are not followed; commit the "
            "notebook itself"
        ),
    ]
    assert attempts(place) == {}


def test_a_huge_notebook_is_left_where_it_is(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    entries(
        github,
        ADA,
        [
            ("100644", b"[" + b" " * 200_000_000 + b"]", "small.ipynb"),
            ("100644", work(small), "small2.ipynb"),
        ],
    )
    assert left_out(collect()["ada"]) == [
        "small.ipynb was left out: it has more than 50 MB; clear its outputs and hand it in again"
    ]
    assert [receipt["file"] for receipt in attempts(place).values()] == ["small2.ipynb"]


def test_what_is_too_large_is_not_even_fetched(place: Place, github: Server) -> None:
    github.state.create(ADA)
    commit = entries(
        github,
        ADA,
        [
            ("100644", b"[" + b" " * 200_000_000 + b"]", "small.ipynb"),
            ("100644", b"{}", "other.ipynb"),
        ],
    )
    with Bare(local=True) as bare:
        bare.fetch(place.settings.url(ADA), commit, "refs/taken")
        found, complete = bare.entries(commit)
        assert complete and {entry.path: entry.size for entry in found} == {
            b"other.ipynb": 2,
            b"small.ipynb": None,
        }
        assert bare.blobs([entry.oid for entry in found]) == [b"{}", None]


def test_thousands_of_files_are_bounded(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    lines = [("100644", b"x", f"f{number:05}.txt") for number in range(25_000)]
    entries(
        github,
        ADA,
        [("100644", work(small), "a.ipynb"), *lines, ("100644", work(small), "z.ipynb")],
    )
    assert left_out(collect()["ada"]) == [
        "there are more than 20,000 files; those after were not looked at"
    ]
    assert [receipt["file"] for receipt in attempts(place).values()] == ["a.ipynb"]


def test_a_tree_that_unfolds_without_end_is_bounded(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    bare = github.state.bare(ADA)

    def feed(data: bytes, *arguments: str) -> str:
        return (
            subprocess.run(
                ["git", *arguments],
                cwd=bare,
                input=data,
                capture_output=True,
                check=True,
                timeout=60,
            )
            .stdout.decode()
            .strip()
        )

    oid, kind = feed(b"{}", "hash-object", "-w", "--stdin"), "100644 blob"
    for _ in range(12):
        oid, kind = (
            feed("".join(f"{kind} {oid}\tn{i}\n" for i in range(10)).encode(), "mktree"),
            "040000 tree",
        )
    commit = feed(
        b"", "-c", "user.name=S", "-c", "user.email=s@e", "commit-tree", oid, "-m", "bomb"
    )
    feed(b"", "update-ref", "refs/heads/main", commit)
    assert left_out(collect()["ada"]) == [
        "there are more than 20,000 files; those after were not looked at"
    ]


def test_names_that_differ_in_case_only_and_strange_names_harm_nobody(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    lines = [
        ("100644", work(small, "double"), "SMALL.ipynb"),
        ("100644", work(small), "small.ipynb"),
        ("100644", work(small, "total"), "Small.IPYNB"),
    ]
    lines += [
        ("100644", b"nonsense", "a\n::set-output name=x::y.ipynb"),
        ("100644", b"nonsense", "$(touch pwned)`id`;.ipynb"),
        ("100644", b"x", "\udcff.ipynb"),
    ]
    entries(github, ADA, lines)
    done = collect()["ada"]
    assert [receipt["file"] for receipt in attempts(place).values()] == ["small.ipynb"]
    assert len(done.remarks) == 4 and not any("\n" in remark for remark in done.remarks)
    assert any(
        "small.ipynb was taken because it has the assignment's name" in remark
        for remark in done.remarks
    )
    assert not list(place.root.rglob("pwned"))


def test_a_git_folder_in_a_tree_is_refused_and_the_others_are_collected(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    entries(
        github, ADA, [("100755", b"#!/bin/sh\ntouch pwned\n", "post-checkout")], nest=".git/hooks"
    )
    push(github, "the-course/dl-gates", {"small/small.ipynb": work(small)}, at=DAY.format(3))
    done = collect()
    assert (
        done["ada"].problems[0].startswith("main at ")
        and "git fetch failed (error: object " in done["ada"].problems[0]
        and ".git" in done["ada"].problems[0]
    )
    assert list(attempts(place, "bruno")) == ["attempt-1"]


def test_submodules_filters_hooks_lfs_tests_and_workflows_are_nothing_to_us(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    marker = place.root.parent / "pwned"
    lines = [
        ("100644", b"*.ipynb filter=evil diff=evil\n", ".gitattributes"),
        (
            "100644",
            f'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c "touch {marker}"\n'.encode(),
            "modules",
        ),
        ("160000", b"a" * 40, "sub.ipynb"),
        (
            "100644",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12\n",
            "small (lfs).ipynb",
        ),
        ("100644", work(small), "small.ipynb"),
        ("100644", b"raise SystemExit", "conftest.py"),
        ("100644", b"on: push", "check.yml"),
    ]
    entries(github, ADA, lines)
    done = collect()["ada"]
    assert left_out(done) == [
        "sub.ipynb was left out: it is no ordinary file",
        "small (lfs).ipynb was left out: it is kept in Git LFS; commit the notebook itself",
    ]
    (attempt,) = done.attempts
    assert (
        sorted(path.name for path in attempt.iterdir())
        == ["receipt.json", "small.ipynb", "timestamp.txt"]
        and not marker.exists()
    )


@pytest.mark.parametrize(
    "branch",
    ["$(touch${IFS}pwned)", "`id`", "--upload-pack=touch", "a;touch-pwned", "x|y", "été", "-x"],
)
def test_a_branch_may_be_called_anything(
    collect: Callable[..., dict[str, Collected]],
    place: Place,
    small: Assignment,
    github: Server,
    branch: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(place.root)
    commit = push(github, ADA, {"small/small.ipynb": work(small)}, "plain", at=DAY.format(3))
    github.state.git(ADA, "update-ref", f"refs/heads/{branch}", commit)
    github.state.git(ADA, "update-ref", "-d", "refs/heads/plain")
    done = collect()["ada"]
    assert [receipt["branch"] for receipt in attempts(place).values()] == [
        branch
    ] and not done.problems
    assert not list(place.root.rglob("*pwned*"))


def test_a_deep_path_and_too_many_notebooks_are_left_out(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    entries(github, ADA, [("100644", work(small), "small.ipynb")], nest="/".join("abcdefghij"))
    assert "it lies below more than 8 folders" in collect()["ada"].remarks[0]
    entries(
        github,
        ADA,
        [("100644", b"{}" + b" " * number, f"n{number:04}.ipynb") for number in range(300)],
    )
    done = collect()["ada"]
    assert len(done.remarks) == 11 and done.remarks[-1].endswith("more")


def test_a_damaged_notebook_is_handed_on_to_the_grader(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    broken = work(small)[:-500] + b"<<<<<<< HEAD\n"
    push(github, ADA, {"small/small.ipynb": broken}, at=DAY.format(3))
    collect()
    (receipt,) = attempts(place).values()
    assert receipt["recognised"] == "its file name"
    assert (
        place.root / "submitted" / "ada" / "small" / "attempt-1" / "small.ipynb"
    ).read_bytes() == broken


def test_nothing_of_ours_or_of_the_users_configuration_reaches_git(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(
        f'[core]\n\tfsmonitor = "touch {tmp_path}/pwned"\n[alias]\n\tx = !touch {tmp_path}/pwned\n'
    )
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    with Bare() as bare:
        listed = bare.run("config", "--list").decode()
        assert "pwned" not in listed and all(
            f"{key.lower()}={value}" in listed.lower() for key, value in CONFIG.items()
        )
        assert (
            "AUTOGRADIENT_GITHUB_TOKEN" not in bare.environment()
            and "GIT_DIR" not in bare.environment()
        )
        with pytest.raises(Exception, match="transport 'file' not allowed"):
            bare.fetch(f"file://{tmp_path}", "HEAD", "refs/x")


def test_a_student_whose_repository_is_gone_is_named(
    collect: Callable[..., dict[str, Collected]], github: Server
) -> None:
    del github.state.repositories["the-course/dl-daria"]
    assert collect()["daria"].remarks == [
        "the-course/dl-daria is not there; run 'autogradient enrol'"
    ]


def test_short_pages_and_errors_lose_nothing(
    collect: Callable[..., dict[str, Collected]], place: Place, small: Assignment, github: Server
) -> None:
    for number in range(2, 8):
        push(
            github,
            ADA,
            {"small/small.ipynb": work(small, *list(homework.ANSWERS)[: number - 1])},
            f"b{number}",
            at=DAY.format(number),
        )
    github.longest_page = 2
    for pattern in ("GET /orgs", "GET .*dl-ada/activity", "GET .*dl-ada/branches", "GET .*pulls"):
        for kind in ("error", "secondary", "cut", "lost"):
            github.fault(pattern, kind)
    collect()
    (receipt,) = attempts(place).values()
    assert receipt["received"] == DAY.format(1 + len(homework.ANSWERS))
