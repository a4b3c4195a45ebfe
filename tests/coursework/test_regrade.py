"""Grading anew: what would change is said before anything is written, and a result can be had again
from its receipt.
"""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import homework
import pytest
from click.testing import CliRunner
from homework import ANSWERS, Notebook
from proved import prove_course

from autogradient.cli import output
from autogradient.cli.main import cli
from autogradient.course import config, ledger
from autogradient.course.config import Course
from autogradient.coursework import grade_course, regrade
from autogradient.errors import CourseError, SubmissionError
from autogradient.grading.batch import Done, Local, Watcher
from autogradient.grading.engine import Engine
from autogradient.grading.find_submissions import Item
from autogradient.model.assignment import Assignment

#: Right, half right, untouched.
CLASS = {
    "ada": ANSWERS,
    "bob": ANSWERS | {"scale": "def scale(x):\n    return np.asarray(x)"},
    "cyd": {},
}
STRICTER = (
    "assert np.allclose(scale([1.0, 3.0]), [0.25, 0.75])",
    "assert np.allclose(scale([1.0, 4.0]), [0.25, 0.75])",
)


@pytest.fixture
def here(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Course:
    """A course with three graded submissions."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nrelease = "1"\nassignments = ["small"]\n'
    )
    small = homework.assignment(tmp_path / "source")
    for student, answers in CLASS.items():
        path = tmp_path / "submitted" / student / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(Notebook(small, answers).bytes())
    found = config.find()
    prove_course(tmp_path)
    grade_course.grade_course(found, [small], Local(engine, 2))
    return found


def edit(here: Course, before: str, after: str) -> Assignment:
    path = here.source("small") / "small.py"
    assert path.read_text().count(before) == 1
    path.write_text(path.read_text().replace(before, after))
    prove_course(here.root)
    return here.assignment("small")


def files(here: Course) -> dict[str, bytes]:
    """Everything in results/ but kept verdicts, and the gradebook."""
    found = [
        path
        for path in here.results.rglob("*")
        if path.is_file() and grade_course.VERDICTS not in path.parts
    ]
    return {
        str(path.relative_to(here.root)): path.read_bytes()
        for path in [*found, here.root / "gradebook.db"]
    }


def test_where_nothing_has_changed_nothing_would(here: Course, engine: Engine) -> None:
    changes, looked_at = regrade.preview(here, [here.assignment("small")], Local(engine, 1))
    assert changes == [] and looked_at == 3


def test_what_would_change_is_said_case_by_case_and_nothing_is_written(
    here: Course, engine: Engine
) -> None:
    before = files(here)
    small = edit(here, *STRICTER)
    changes, looked_at = regrade.preview(here, [small], Local(engine, 1))
    assert files(here) == before
    assert looked_at == 3
    assert [change.text for change in changes] == [
        (
            "ada: small: 6 → 5.5 of 8 points (the assignment has changed)\n    scale: "
            "'proportions' passed → failed (−0.5) The proportions should stay."
        )
    ]


def test_hand_marks_count_before_and_after(here: Course, engine: Engine) -> None:
    ledger.append(
        here.ledger,
        ledger.Mark(
            student="ada", assignment="small", part="scale-hidden", points=Decimal(1), who="tia"
        ),
    )
    changes, _ = regrade.preview(here, [edit(here, *STRICTER)], Local(engine, 1))
    assert changes == []


def test_another_notebook_and_another_maximum(here: Course, engine: Engine) -> None:
    small = edit(
        here,
        '@test_case(points=1, failure_message="Try 3 and -1.")',
        '@test_case(points=3, failure_message="Try 3 and -1.")',
    )
    (here.submitted / "cyd" / "small" / "small.ipynb").write_bytes(
        Notebook(small, {"pick": 'larger = "b"'}).bytes()
    )
    changes = {
        change.student: change for change in regrade.preview(here, [small], Local(engine, 1))[0]
    }
    assert (changes["ada"].before, changes["ada"].after, changes["ada"].possible) == (6, 8, 10)
    assert changes["cyd"].why == "another notebook was handed in, the assignment has changed"
    assert "double: 'numbers' passed (+2)" in changes["ada"].cases


def test_a_first_grading_is_a_change(here: Course, engine: Engine) -> None:
    path = here.submitted / "dan" / "small" / "small.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(Notebook(here.assignment("small")).bytes())
    (change,) = regrade.preview(here, [here.assignment("small")], Local(engine, 1))[0]
    assert change.text == "dan: small: no result → 6 of 8 points (graded for the first time)"


def test_the_command_previews_then_writes(here: Course) -> None:
    edit(here, *STRICTER)
    before = files(here)
    run = CliRunner().invoke(cli, ["regrade", "--preview"], catch_exceptions=False)
    assert run.stdout.splitlines()[-1] == "1 of 3 would come out otherwise, 2 the same"
    assert files(here) == before
    run = CliRunner().invoke(cli, ["regrade", "--json"], catch_exceptions=False)
    assert [
        (change["student"], change["before"], change["after"]) for change in json.loads(run.stdout)
    ] == [("ada", 6, 5.5)]
    assert json.loads((here.results / "small" / "ada.json").read_text())["points"]["earned"] == 5.5
    run = CliRunner().invoke(cli, ["regrade"], catch_exceptions=False)
    assert run.stdout.splitlines() == ["0 of 3 came out otherwise, 3 the same"]


# ---- verify --------------------------------------------------------------------------------------


def test_a_result_is_had_again_from_its_receipt(here: Course, engine: Engine) -> None:
    for student in CLASS:
        assert regrade.verify(
            here, here.results / "small" / f"{student}.json", engine
        ) == regrade.Verified(True, [])


def test_kept_verdicts_are_not_believed(here: Course, engine: Engine) -> None:
    for path in (here.results / grade_course.VERDICTS).rglob("*.json"):
        path.write_text(path.read_text().replace('"failed"', '"passed"'))
    assert regrade.verify(here, here.results / "small" / "bob.json", engine).same


def test_a_result_that_was_edited_is_found_out(here: Course, engine: Engine) -> None:
    path = here.results / "small" / "bob.json"
    data = json.loads(path.read_text())
    case = next(
        case
        for question in data["questions"]
        for part in question["parts"]
        for case in part["cases"]
        if case["outcome"] == "failed"
    )
    case |= {"outcome": "passed", "earned": case["possible"]}
    path.write_text(json.dumps(data))
    verified = regrade.verify(here, path, engine)
    assert (
        verified.same is False
        and len(verified.sentences) == 1
        and f"'{case['name']}' passed → failed" in verified.sentences[0]
    )


def test_what_cannot_be_compared_is_said(here: Course, engine: Engine) -> None:
    path = here.results / "small" / "ada.json"
    edit(here, *STRICTER)
    verified = regrade.verify(here, path, engine)
    assert (
        verified.same is None
        and "has changed since" in verified.sentences[0]
        and "proportions" in verified.sentences[1]
    )
    (here.submitted / "ada" / "small" / "small.ipynb").write_text("{}")
    with pytest.raises(SubmissionError, match="put the notebook back"):
        regrade.verify(here, path, engine)
    with pytest.raises(CourseError, match="is no result"):
        regrade.verify(here, here.results / "small" / "nobody.json", engine)


def test_the_command_says_same_or_different(here: Course) -> None:
    paths = [str(here.results / "small" / f"{student}.json") for student in CLASS]
    run = CliRunner().invoke(cli, ["verify", *paths], catch_exceptions=False)
    assert (
        run.exit_code == 0
        and [line.rpartition(": ")[2] for line in run.stdout.splitlines()] == ["same"] * 3
    )
    data = json.loads(Path(paths[0]).read_text())
    data["questions"][0]["parts"][0]["cases"][0]["message"] = "well done"
    Path(paths[0]).write_text(json.dumps(data))
    run = CliRunner().invoke(cli, ["verify", *paths], catch_exceptions=False)
    assert (
        run.exit_code == 1
        and run.stdout.splitlines()[0].endswith("different")
        and "well done" in run.stdout
    )


# ---- what is shown meanwhile ---------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_shows_what_failed_and_what_is_slow(
    here: Course, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(output, "SLOW_S", -1.0)
    (here.submitted / "bob" / "small" / "small.ipynb").write_text("no notebook")
    with output.Bar("grading") as bar:
        notes = []

        class Listening(Watcher):
            def total(self, number: int) -> None:
                bar.total(number)

            def began(self, item: Item) -> None:
                bar.began(item)
                notes.append(bar.note)

            def done(self, done: Done) -> None:
                bar.done(done)
                notes.append(bar.note)

        for path in (here.results / "small").glob("*.json"):
            path.unlink()
        grade_course.grade_course(
            here, [here.assignment("small")], Local(engine, 1), watcher=Listening()
        )
    assert (bar.finished, bar.of, bar.failed) == (3, 3, 1)
    assert any(note.startswith("ada/small: ") for note in notes) and notes[-1] == "1 not graded"
    assert "3/3" in screen.getvalue()


def test_elsewhere_it_is_a_line_at_every_quarter(capsys: pytest.CaptureFixture[str]) -> None:
    with output.Bar("grading") as bar:
        for number in range(9):
            bar.step(number, 8)
    assert capsys.readouterr().err.splitlines() == [
        f"grading: {number} of 8" for number in (0, 2, 4, 6, 8)
    ]
    with output.Bar("grading", quiet=True) as bar:
        bar.step(1, 8)
    assert capsys.readouterr().err == ""
