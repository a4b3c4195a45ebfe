"""The gradebook is expendable, people's marks in it are not: damaged, empty, in use, in a folder
with a strange name, rebuilt while people mark.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import classroom
import pytest
from classroom import RIGHT, WEAKER, hand_in
from commands import Ran
from nbgrader.api import Gradebook
from proved import prove_course

from autogradient.course import config, ledger
from autogradient.course.config import Course
from autogradient.coursework import grade_course, gradebook, gradebook_file
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    here = classroom.make(tmp_path_factory.mktemp("gradebook"))
    when = "2026-10-12 09:00:00 UTC"
    for student, answers in (("ada", RIGHT), ("bob", WEAKER), ("cyd", {"why": "Because."})):
        hand_in(here, student, answers, when)
    prove_course(here.root)
    grade_course.grade_course(here, [classroom.small(here)], Local(engine, 2))
    return here.root


@pytest.fixture
def here(graded: Path, tmp_path: Path) -> Course:
    shutil.copytree(graded, tmp_path / "course")
    return config.load(tmp_path / "course")


def grade(here: Course, engine: Engine) -> grade_course.Graded:
    return grade_course.grade_course(here, [classroom.small(here)], Local(engine, 2))


def mark_by_hand(url: str, student: str, score: float) -> None:
    """As nbgrader's formgrader saves it."""
    with Gradebook(url) as book:
        found = book.find_grade("why-answer", "small", "small", student)
        found.manual_score, found.needs_manual_grade = score, False
        book.db.commit()


def hand_mark(here: Course, student: str) -> float | None:
    with Gradebook(here.gradebook_url) as book:
        score: float | None = book.find_grade("why-answer", "small", "small", student).manual_score
        return score


def students(here: Course) -> set[str]:
    with Gradebook(here.gradebook_url) as book:
        return {one.student.id for one in book.assignment_submissions("small")}


def cut(path: Path) -> None:
    """The end is missing, as after a copy that broke off; the marks stand in front of it."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 9 // 10 // 4096 * 4096])


def noise(path: Path) -> None:
    path.write_bytes(os.urandom(50_000))


@pytest.mark.parametrize("damage", [cut, noise])
def test_a_damaged_gradebook_is_mended_by_rebuilding(here: Course, damage: Any) -> None:
    Ran(here.root, "mark", "bob", "small", "why", "2", "--who", "tia")
    mark_by_hand(here.gradebook_url, "ada", 1.5)
    whole = here.gradebook.read_bytes()
    damage(here.gradebook)
    report = Ran(here.root, "report")
    assert "gradebook --rebuild" in report.err and "ada" in report.out, report
    adjust = Ran(here.root, "adjust", "cyd", "small", "1", "--why", "kind", "--who", "tia")
    assert adjust.code == 0 and "cyd: small" in adjust.out, adjust
    rebuilt = Ran(here.root, "gradebook", "--rebuild")
    assert rebuilt.code == 0 and "submissions in a new gradebook.db: 3" in rebuilt.out, rebuilt
    (kept,) = here.root.glob("gradebook.db.before-*")
    assert kept.name in rebuilt.out and len(kept.read_bytes()) < len(whole)
    assert students(here) == {"ada", "bob", "cyd"} and hand_mark(here, "bob") == 2
    assert Ran(here.root, "report").err == ""
    if "hand marks found in the damaged gradebook" in rebuilt.out:
        assert hand_mark(here, "ada") == 1.5


def test_hand_marks_that_can_be_read_in_a_damaged_gradebook_are_saved(here: Course) -> None:
    """Here a table that has nothing to do with them is unreadable."""
    mark_by_hand(here.gradebook_url, "ada", 1.5)
    with sqlite3.connect(here.gradebook) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'autogradient_hand_marks'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with here.gradebook.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(os.urandom(size))
    rebuilt = Ran(here.root, "gradebook", "--rebuild")
    assert rebuilt.code == 0 and "taken into the ledger: 1" in rebuilt.out, rebuilt
    assert hand_mark(here, "ada") == 1.5
    (mark,) = ledger.read(here.ledger)
    assert (mark.student, mark.part, mark.points) == ("ada", "why-answer", Decimal("1.5"))


def test_an_empty_gradebook_is_filled(here: Course, engine: Engine) -> None:
    here.gradebook.write_bytes(b"")
    graded = grade(here, engine)
    assert graded.new == 3 and students(here) == {"ada", "bob", "cyd"}


def test_a_submission_that_the_gradebook_lacks_is_brought_there(
    here: Course, engine: Engine
) -> None:
    with Gradebook(here.gradebook_url) as book:
        book.remove_submission("small", "bob")
    assert grade(here, engine).new == 1 and students(here) == {"ada", "bob", "cyd"}


def test_a_gradebook_in_use_costs_nothing_but_itself(
    here: Course, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradebook, "WAIT_S", 0.1)
    hand_in(here, "bob", RIGHT, "2026-10-12 10:00:00 UTC")
    holder = sqlite3.connect(here.gradebook, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    graded = grade(here, engine)
    holder.close()
    assert graded.failed and any("another program" in one for one in graded.skipped)
    result = json.loads((here.results / "small" / "bob.json").read_text())
    assert result["points"]["earned"] == 6, "the result is there"
    again = grade(here, engine)
    assert not again.failed
    with Gradebook(here.gradebook_url) as book:
        assert book.find_submission("small", "bob").score == 6
    assert grade(here, engine).new == 0


def test_a_mark_that_is_given_during_a_rebuild_is_not_lost(
    here: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = gradebook_file.keep

    def meanwhile(path: Path) -> Path | None:
        mark_by_hand(here.gradebook_url, "cyd", 0.5)
        return keep(path)

    mark_by_hand(here.gradebook_url, "ada", 1.5)
    monkeypatch.setattr(gradebook_file, "keep", meanwhile)
    assert Ran(here.root, "gradebook", "--rebuild").code == 0
    assert (hand_mark(here, "ada"), hand_mark(here, "cyd")) == (1.5, 0.5)
    given = {(entry.student, entry.points) for entry in ledger.read(here.ledger)}
    assert given == {("ada", Decimal("1.5")), ("cyd", Decimal("0.5"))}


def test_two_rebuilds_wait_for_each_other(here: Course) -> None:
    entered, ended = threading.Event(), list[str]()

    def second() -> None:
        entered.set()
        with gradebook_file.held(here.results):
            ended.append("second")

    with gradebook_file.held(here.results):
        thread = threading.Thread(target=second)
        thread.start()
        entered.wait()
        grade_course.results_folder.stray(here.results, here.names())
        ended.append("first")
    thread.join()
    assert ended == ["first", "second"]


@pytest.mark.parametrize("name", ["a?b#c%20d", "50% + x"])
def test_a_course_may_lie_in_a_folder_with_any_name(
    graded: Path, tmp_path: Path, engine: Engine, name: str
) -> None:
    shutil.copytree(graded, tmp_path / name)
    here = config.load(tmp_path / name)
    here.gradebook.unlink()
    assert grade(here, engine).new == 3 and grade(here, engine).new == 0
    assert here.gradebook.stat().st_size > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]
    mark_by_hand(here.gradebook_url, "ada", 1.5)
    assert Ran(here.root, "gradebook", "--rebuild").code == 0 and hand_mark(here, "ada") == 1.5


@pytest.mark.parametrize(("umask", "mode"), [(0o002, 0o664), (0o077, 0o600), (0o022, 0o644)])
def test_files_have_the_mode_that_the_umask_says(
    here: Course, engine: Engine, umask: int, mode: int
) -> None:
    for path in (here.results, here.feedback, here.root / "autograded"):
        shutil.rmtree(path, ignore_errors=True)
    here.gradebook.unlink()
    before = os.umask(umask)
    try:
        grade(here, engine)
        for arguments in (
            ("feedback",),
            ("adjust", "ada", "small", "1", "--why", "kind", "--who", "tia"),
            ("mark", "small", "--split", "2", "--anonymous"),
            ("gradebook", "--rebuild"),
        ):
            assert Ran(here.root, *arguments).code == 0
    finally:
        os.umask(before)
    known = [
        here.gradebook,
        here.ledger,
        here.results / "small" / "ada.json",
        here.results / "small" / "ada.staff.json",
        here.feedback / "ada" / "small" / "feedback.html",
        here.root / "autograded" / "ada" / "small" / "small.ipynb",
    ]
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in known} == {
        path.name: mode for path in known
    }
    assert stat.S_IMODE((here.results / "sheets.key").stat().st_mode) == mode & 0o770
