"""Results on disk that cannot be read: said, never taken for work that was not handed in; and
feedback and penalties, which are made anew when what they were made from has changed, whatever the
times of files say.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import classroom
import pytest
from classroom import RIGHT, WEAKER, hand_in
from commands import Ran
from proved import prove_course

from autogradient.course import config
from autogradient.course.config import Course
from autogradient.coursework import grade_course
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """ada, bob and cyd handed in, eve did not; feedback is written."""
    here = classroom.make(tmp_path_factory.mktemp("damaged"))
    when = "2026-10-12 09:00:00 UTC"
    for student, answers in (("ada", RIGHT), ("bob", WEAKER), ("cyd", {"why": "Because."})):
        hand_in(here, student, answers, when)
    grade_course.grade_course(here, [classroom.small(here)], Local(engine, 2))
    prove_course(here.root)
    assert Ran(here.root, "feedback").code == 0
    return here.root


@pytest.fixture
def here(graded: Path, tmp_path: Path) -> Course:
    """A copy of it, with the times of its files, as from a backup."""
    shutil.copytree(graded, tmp_path / "course")
    return config.load(tmp_path / "course")


def result(here: Course, student: str = "bob") -> Path:
    return here.results / "small" / f"{student}.json"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:700])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def nothing(path: Path) -> None:
    path.write_bytes(bytes(4096))


def led_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("gone.json")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def strange(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"outcome": "perhaps"}))


def newer(path: Path) -> None:
    data = json.loads(path.read_bytes())
    path.write_text(json.dumps({**data, "schema": 2, "mood": "good"}, indent=1))


DAMAGES: dict[str, Callable[[Path], None]] = {
    function.__name__: function for function in (cut, empty, nothing, led_nowhere, folder, strange)
}
ALL = DAMAGES | {"newer": newer}


@pytest.mark.parametrize("how", ALL)
def test_report_export_and_feedback_name_the_file_and_go_on(here: Course, how: str) -> None:
    ALL[how](result(here))
    (here.ledger).write_text("")  # nothing else has changed for the others
    report, export = Ran(here.root, "report"), Ran(here.root, "export")
    feedback = Ran(here.root, "feedback")
    for ran in (report, export, feedback):
        assert ran.code == 1 and "results/small/bob.json" in ran.err, ran
        assert "Traceback" not in ran.err
        assert ("newer version" if how == "newer" else "damaged") in ran.err
    rows = {line.split()[0]: line for line in report.out.splitlines()}
    assert "result damaged" in rows["bob"]
    assert "8/9" in rows["ada"] or "6/9" in rows["ada"], report
    assert rows["eve"].split()[2] == "–", "who handed nothing in is not told from the damaged one"
    marks = (here.results / "marks.csv").read_text().splitlines()
    assert [line for line in marks if line.startswith("bob")] == ["bob,,,,"]
    assert [line for line in marks if line.startswith("ada")][0] != "ada,,,,"


@pytest.mark.parametrize(
    "hows", [("cut", "empty", "folder"), ("nothing", "led_nowhere", "strange")]
)
def test_grading_again_keeps_damaged_files_and_makes_new_ones(
    here: Course, hows: tuple[str, ...]
) -> None:
    before = {}
    for student, how in zip(("ada", "bob", "cyd"), hows, strict=True):
        before[student] = json.loads(result(here, student).read_bytes())
        DAMAGES[how](result(here, student))
    ran = Ran(here.root, "grade", "--all")
    assert ran.code == 0, ran
    for student, old in before.items():
        assert f"results/small/{student}.json.damaged" in ran.err
        after = json.loads(result(here, student).read_bytes())
        assert after["points"] == old["points"] and after["receipt"] == old["receipt"]
        kept = result(here, student).with_name(f"{student}.json.damaged")
        assert kept.is_symlink() or kept.exists()
    assert Ran(here.root, "report").code == 0


def test_a_result_of_a_newer_version_is_left_as_it_is(here: Course) -> None:
    newer(result(here))
    before = result(here).read_bytes()
    for arguments in (("grade", "--all"), ("regrade",)):
        ran = Ran(here.root, *arguments)
        assert ran.code == 1 and "upgrade Autogradient" in ran.err
        assert result(here).read_bytes() == before


def test_one_damaged_attempt_makes_the_mark_unknown(here: Course) -> None:
    attempts = here.results / "small" / "attempts" / "bob"
    attempts.mkdir(parents=True)
    for number in (1, 2):
        data = json.loads(result(here).read_bytes())
        data["submission"]["attempt"] = number
        (attempts / f"{number}.json").write_text(json.dumps(data, indent=1))
    assert Ran(here.root, "report").code == 0
    cut(attempts / "1.json")
    ran = Ran(here.root, "report")
    assert ran.code == 1 and "attempts/bob/1.json" in ran.err and "result damaged" in ran.out


def test_decisions_can_be_made_while_a_result_is_damaged(here: Course) -> None:
    cut(result(here))
    ran = Ran(here.root, "adjust", "ada", "small", "1", "--why", "kind", "--who", "tia")
    assert ran.code == 0 and "ada: small" in ran.out, ran
    ran = Ran(here.root, "mark", "bob", "small", "why", "1", "--who", "tia")
    assert "Traceback" not in ran.err


def test_a_rebuilt_gradebook_says_whom_it_lacks(here: Course) -> None:
    cut(result(here))
    ran = Ran(here.root, "gradebook", "--rebuild")
    assert ran.code == 1 and "results/small/bob.json" in ran.err
    assert "submissions in a new gradebook.db: 2" in ran.out


def test_results_of_an_assignment_that_has_another_name_now_are_named(here: Course) -> None:
    shutil.copytree(here.results / "small", here.results / "smal")
    for command in (("report",), ("export",), ("gradebook", "--rebuild")):
        ran = Ran(here.root, *command)
        assert "results/smal has results of 3 students" in ran.err, ran
        assert "did you mean 'small'?" in ran.err
    assert Ran(here.root, "report").code == 0


# ---- what is current -----------------------------------------------------------------------------

OLD, SOON = 1_000_000_000, 4_000_000_000


def page(here: Course, student: str = "ada") -> str:
    return (here.feedback / student / "small" / "feedback.md").read_text()


def written(here: Course) -> int:
    ran = Ran(here.root, "feedback")
    assert ran.code == 0, ran
    return int(ran.out.split()[1])


def test_nothing_changed_means_nothing_written(here: Course) -> None:
    assert written(here) == 0
    for path in here.root.rglob("*"):
        os.utime(path, (SOON, SOON))
    assert written(here) == 0


@pytest.mark.parametrize("when", [OLD, SOON], ids=["old", "of the future"])
def test_a_ledger_that_comes_back_from_a_backup_is_seen(here: Course, when: int) -> None:
    before = here.ledger.read_bytes() if here.ledger.exists() else b""
    Ran(here.root, "adjust", "ada", "small", "-5", "--why", "wrong", "--who", "tia")
    assert written(here) == 1 and "wrong" in page(here)
    here.ledger.write_bytes(before)
    os.utime(here.ledger, (when, when))
    assert written(here) == 1 and "wrong" not in page(here)


def test_pages_that_are_newer_than_the_clock_are_made_anew(here: Course) -> None:
    for path in here.feedback.rglob("*"):
        os.utime(path, (SOON, SOON))
    Ran(here.root, "adjust", "ada", "small", "-5", "--why", "a slip", "--who", "tia")
    assert written(here) == 1 and "a slip" in page(here)


def test_a_result_that_comes_back_from_a_backup_is_seen(here: Course) -> None:
    data = json.loads(result(here, "ada").read_bytes())
    data["questions"][0]["parts"][0]["cases"][0]["message"] = "Look again at the sign."
    result(here, "ada").write_text(json.dumps(data, indent=1))
    os.utime(result(here, "ada"), (OLD, OLD))
    assert written(here) == 1


def test_a_page_that_was_changed_or_lost_is_made_anew(here: Course) -> None:
    path = here.feedback / "ada" / "small" / "feedback.html"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    os.utime(path, (SOON, SOON))
    assert written(here) == 1 and path.read_bytes() == whole
    shutil.rmtree(path.parent)
    assert written(here) == 1 and path.read_bytes() == whole
    (here.results / ".feedback" / "small.json").write_text("{broken")
    assert written(here) == 3


def test_penalties_follow_the_deadline_whatever_the_times_of_files(here: Course) -> None:
    from nbgrader.api import Gradebook

    settings = here.root / "grader_config" / "course.toml"
    late = '\n[late]\nper_day = "10%"\n[deadlines]\nsmall = 2026-10-{day}T08:00:00Z\n'
    text = settings.read_text().partition("\n[deadlines]")[0].partition("\n[late]")[0]

    def penalty(day: int) -> float | None:
        settings.write_text(text + late.format(day=f"{day:02d}"))
        os.utime(settings, (OLD, OLD))
        os.utime(here.results / ".penalties", (SOON, SOON))
        ran = Ran(here.root, "grade", "--all")
        assert ran.code == 0, ran
        with Gradebook(here.gradebook_url) as book:
            found = book.find_submission("small", "ada").notebooks[0].late_submission_penalty
            return None if found is None else float(found)

    (here.results / ".penalties").write_text("")
    three_days, two_days, on_time = penalty(10), penalty(11), penalty(20)
    assert (three_days, two_days) == (pytest.approx(1.8), pytest.approx(1.2)) and not on_time
