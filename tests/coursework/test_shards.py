"""A class spread over machines that share nothing, some with a card and some without: everything is
graded, once, and comes out the same.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from clusters import VARIANTS, results_of, without_times, write_course
from proved import prove_course

from autogradient.cli.main import cli
from autogradient.course import config
from autogradient.course.config import Course
from autogradient.coursework import grade_course, shards
from autogradient.coursework.shards import Shard
from autogradient.errors import CourseError
from autogradient.grading import batch, find_submissions, judge
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.model.result import Result, merged

STUDENTS = 2 * len(VARIANTS)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course in which the first question needs a card; that its tests do without,
    nobody knows.
    """
    root = tmp_path_factory.mktemp("shards") / "course"
    write_course(root, STUDENTS)
    source = root / "source" / "small" / "small.py"
    source.write_text(
        source.read_text().replace(
            "<!--| question: double -->", "<!--| question: double, needs: cuda -->"
        )
    )
    prove_course(root)
    return root


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Gives this machine a card, or takes it away."""

    def have(found: bool) -> None:
        for module in (judge, batch):
            monkeypatch.setattr(module, "has_gpu", lambda: found)

    have(False)
    yield have


@pytest.fixture
def machine(written: Path, tmp_path: Path) -> Any:
    """Another machine with the same course, and what it had graded before."""

    def make(name: str, results: Path | None = None) -> Course:
        root = Path(shutil.copytree(written, tmp_path / name))
        if results:
            shutil.copytree(results, root / "results")
        return config.load(root)

    return make


def everything(here: Course, engine: Engine) -> dict[str, Any]:
    """What grading all of it on one machine with a card gives, receipts aside."""
    grade_course.grade_course(here, [here.assignment("small")], Local(engine, 2))
    return {student: comparable(result) for student, result in results_of(here.root).items()}


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    return result | {"receipt": result["receipt"] | {"card": "", "environment": ""}}


@pytest.mark.parametrize("card_first", [False, True])
def test_all_shares_together_are_the_whole(
    machine: Any, engine: Engine, card: Any, tmp_path: Path, card_first: bool
) -> None:
    card(True)
    whole = everything(machine("whole"), engine)
    home: Course = machine("home")
    small = home.assignment("small")
    assert shards.plan(home, [small], 8) == {"cpu": ["1/2", "2/2"], "card": ["1/2", "2/2"]}
    outs, seen = [], list[tuple[str, str]]()
    for kind in (True, False) if card_first else (False, True):
        card(kind)
        for share in ("1/2", "2/2"):
            there = machine(f"machine-{len(outs)}")
            outs.append(tmp_path / f"out-{len(outs)}")
            graded = shards.grade_shard(
                there,
                [there.assignment("small")],
                Local(engine, 2, card=kind),
                Shard.parse(share),
                outs[-1],
            )
            assert graded.new == len(graded.submissions) == STUDENTS // 2
            seen += graded.submissions
    assert sorted(seen) == sorted([(student, "small") for student in whole] * 2)
    changed, refused = shards.merge(home, outs)
    assert refused == [] and changed == 2 * STUDENTS - sum(
        result["outcome"] == "unreadable" for result in whole.values()
    )
    assert {
        student: comparable(result) for student, result in results_of(home.root).items()
    } == whole
    assert shards.merge(home, outs) == (0, []) and shards.plan(home, [small], 8) == {
        "cpu": [],
        "card": [],
    }
    card(False)
    # elsewhere a card's environment is another one, which cannot be compared here
    for path in (home.results / "small").glob("student*[0-9].json"):
        path.write_text(
            re.sub(r'"card": "sha256:\w+"', '"card": "sha256:elsewhere"', path.read_text())
        )
    assert shards.plan(home, [small], 8) == {"cpu": [], "card": []}
    receipts = [
        Result.from_json(path.read_bytes()).receipt
        for path in (home.results / "small").glob("student00[0-5].json")
    ]
    assert len(receipts) == 6 and all(receipt.environment and receipt.card for receipt in receipts)
    staff = json.loads((home.results / "small" / "student003.staff.json").read_text())
    assert "double" in staff  # what staff may see of the half that had the card


def test_halves_merge_either_way(machine: Any, engine: Engine, card: Any) -> None:
    here: Course = machine("here")
    small = here.assignment("small")
    halves = []
    for kind in (True, False):
        card(kind)
        halves.append(
            [
                done.graded.result
                for done in batch.grade_all(
                    list(find_submissions.submissions(here.submitted, [small]))[:3],
                    Local(engine, 1, card=kind),
                )
            ]
        )
    for one, other in zip(*halves, strict=True):
        assert without_times(merged(one, other)) == without_times(merged(other, one))
        assert {part.id for part in one.parts if part.cases[0].reason == "elsewhere"} == {
            "total",
            "scale",
            "pick",
        } & {p.id for p in one.parts if p.attempted}
    with pytest.raises(ValueError, match="different submissions"):
        merged(halves[0][0], halves[1][1])


def test_a_card_that_comes_later_is_used_and_what_it_found_stays(
    machine: Any, engine: Engine, card: Any
) -> None:
    here: Course = machine("here")
    small = here.assignment("small")
    first = grade_course.grade_course(here, [small], Local(engine, 2))
    waiting = {
        student
        for student, result in results_of(here.root).items()
        if result["outcome"] == "graded" and result["points"]["ungraded"] > 2
    }
    assert first.new == STUDENTS and len(waiting) > STUDENTS // 2
    assert grade_course.grade_course(here, [small], Local(engine, 2)).new == 0
    card(True)
    again = grade_course.grade_course(here, [small], Local(engine, 2))
    ungraded = [
        result["points"]["ungraded"]
        for result in results_of(here.root).values()
        if result["outcome"] == "graded"
    ]
    assert again.new >= len(waiting) and max(ungraded) <= 2
    known = results_of(here.root)
    card(False)
    assert (
        grade_course.grade_course(here, [small], Local(engine, 2)).new == 0
        and results_of(here.root) == known
    )


def test_what_is_up_to_date_is_nobodys_share(
    machine: Any, engine: Engine, card: Any, tmp_path: Path
) -> None:
    here: Course = machine("here")
    small = here.assignment("small")
    card(True)
    grade_course.grade_course(here, [small], Local(engine, 2))
    shutil.copyfile(
        here.submitted / "student000" / "small" / "small.ipynb",
        here.submitted / "student003" / "small" / "small.ipynb",
    )
    assert shards.plan(here, [small], 8) == {"cpu": ["1/1"], "card": ["1/1"]}
    graded = shards.grade_shard(
        here, [small], Local(engine, 1, card=False), Shard(1, 1), tmp_path / "out"
    )
    assert graded.submissions == [("student003", "small")]
    assert sorted(path.name for path in (tmp_path / "out").rglob("*.json")) == [
        "student003.json",
        "student003.staff.json",
    ]


def test_what_is_no_result_of_who_it_says_is_refused(
    machine: Any, engine: Engine, card: Any, tmp_path: Path
) -> None:
    here: Course = machine("here")
    small = here.assignment("small")
    item = next(iter(find_submissions.submissions(here.submitted, [small])))
    (done,) = batch.grade_all([item], Local(engine, 1))
    good = done.graded.result.to_json()
    folder = tmp_path / "forged" / "small"
    folder.mkdir(parents=True)
    (folder / "student001.json").write_text(good)  # another's place
    (folder / "student002.json").write_text("{")
    (folder / "student003.json").write_text(
        good.replace('"earned": 1,', '"earned": 1, "bonus": 3,', 1)
    )
    (folder / "student004.json").symlink_to(here.root / "grader_config" / "course.toml")
    (folder / "student005.json").write_text(good.replace('"student000"', '"../../student005"'))
    os.mkfifo(folder / "student006.json")
    (folder / "large.json").write_bytes(b" " * (shards.MAX_BYTES + 1))
    (tmp_path / "forged" / "ledger.json").write_text(good)
    changed, refused = shards.merge(here, [tmp_path / "forged"])
    assert changed == 0 and len(refused) == 8 and not list(here.results.rglob("*.json")), refused
    (folder / "student000.json").write_text(good)
    assert shards.merge(here, [tmp_path / "forged"])[0] == 1
    older = json.loads(good) | {"graded_at": "2020-01-01T00:00:00+00:00"}
    older["receipt"]["submission"] = "sha256:of an earlier one"
    (folder / "student000.json").write_text(json.dumps(older))
    assert shards.merge(here, [tmp_path / "forged"])[0] == 0


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "1/x", "1/2/3", "-1/2"])
def test_no_share(text: str) -> None:
    with pytest.raises(CourseError, match="is no share of the work; write 2/8"):
        Shard.parse(text)


def test_the_commands(machine: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    here: Course = machine("here")
    monkeypatch.chdir(here.root)
    run = CliRunner().invoke
    assert run(cli, ["plan", "--shards", "1"]).stdout == 'cpu=["1/1"]\ncard=["1/1"]\n'
    for student in sorted(here.submitted.iterdir())[3:]:
        shutil.rmtree(student)
    graded = run(
        cli, ["grade", "--all", "--card", "none", "--shard", "1/1", "--out", str(tmp_path / "out")]
    )
    assert graded.exit_code == 0 and "3 graded" in graded.stdout, graded.output
    fresh = machine("fresh")
    monkeypatch.chdir(fresh.root)
    done = run(cli, ["merge", str(tmp_path / "out")])
    assert done.exit_code == 0 and "3 results new or changed" in done.stdout, done.output
    assert run(cli, ["grade", "--all", "--out", str(tmp_path / "out")]).exit_code == 2
    assert run(cli, ["grade", "x.ipynb", "--shard", "1/2"]).exit_code == 2


@pytest.mark.parametrize(
    ("most", "cpu", "card", "started", "left"),
    [
        # both kinds together are no more than a workflow may have
        (256, 5000, 2000, (256, 0), 2000),
        (200, 5000, 2000, (200, 56), 0),
        # a machine gets no more than it can do before its time is up
        (8, 40_000, 0, (8, 0), 24_000),
        (2, 3 * shards.LARGEST, 11, (2, 2), shards.LARGEST),
        (8, 25, 0, (3, 0), 0),
    ],
)
def test_no_more_machines_are_named_than_a_workflow_may_have_and_what_waits_is_said(
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    cpu: int,
    card: int,
    started: tuple[int, int],
    left: int,
) -> None:
    monkeypatch.setattr(
        shards,
        "outdated",
        lambda course, assignments, has_card: [None] * (card if has_card else cpu),
    )
    said = [0]
    here: Any = None
    found = shards.plan(here, [], most, left=said.append)
    assert (
        (len(found["cpu"]), len(found["card"])) == started
        and sum(started) <= shards.MOST_JOBS
        and sum(said) == left
    )
    for names, count in ((found["cpu"], cpu), (found["card"], card)):
        shares = [range(shard.number - 1, count, shard.of) for shard in map(Shard.parse, names)]
        assert all(0 < len(share) <= shards.LARGEST for share in shares)
    done = sum(
        len(range(shard.number - 1, cpu, shard.of)) for shard in map(Shard.parse, found["cpu"])
    )
    assert (
        done
        + sum(
            len(range(shard.number - 1, card, shard.of))
            for shard in map(Shard.parse, found["card"])
        )
        == cpu + card - left
    )
