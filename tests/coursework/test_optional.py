"""Optional questions are a bonus in nbgrader's gradebook, too: its totals are those of
the report.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import homework
import pytest
from commands import Ran
from nbgrader.api import Gradebook

from autogradient.course import config
from autogradient.coursework import grade_course, report
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine

#: A choice, code with hidden cases and an essay that nobody has to do: 3 points are asked for, 5
#: are a bonus.
OPTIONAL = [f"question: {name} -->" for name in ("scale", "pick", "why")]


@pytest.fixture
def bonus(tmp_path: Path, engine: Engine) -> config.Course:
    """Such a course, graded: ada has all, bob one of the optional points."""
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nrelease = "1"\nassignments = ["small"]\n'
    )
    path = homework.write_source(tmp_path / "source")
    text = path.read_text()
    for line in OPTIONAL:
        text = text.replace(line, line.replace(" -->", ", optional: true -->"))
    path.write_text(text)
    here = config.load(tmp_path)
    small = here.assignment("small")
    for student, answers in {
        "ada": homework.ANSWERS,
        "bob": {"pick": homework.ANSWERS["pick"]},
    }.items():
        folder = here.submitted / student / "small"
        folder.mkdir(parents=True)
        (folder / "small.ipynb").write_bytes(homework.Notebook(small, answers).bytes())
    grade_course.grade_course(here, [small], Local(engine, 2))
    return here


def totals(here: config.Course) -> dict[str, tuple[float, float]]:
    """By nbgrader and by the report: what somebody has, and of how much. They must agree."""
    found = {}
    with contextlib.closing(Gradebook(here.gradebook_url)) as book:
        for one in book.assignment_submissions("small"):
            found[one.student.id] = (one.score, one.max_score)
    said = {
        one.student: (float(one.points.earned + one.points.bonus), float(one.points.possible))
        for one in report.all_results(here, ["small"])
    }
    assert said == found
    return found


def test_totals_of_the_formgrader_are_those_of_the_report(bonus: config.Course) -> None:
    assert totals(bonus) == {"ada": (6.0, 3.0), "bob": (1.0, 3.0)}
    with contextlib.closing(Gradebook(bonus.gradebook_url)) as book:
        assert book.find_assignment("small").max_score == 3
        cells = {
            cell.name: cell.max_score for cell in book.find_notebook("small", "small").grade_cells
        }
        assert {name for name, most in cells.items() if most} == {
            "double",
            "double-hidden",
            "total-hidden",
        }


def test_a_person_gives_points_for_an_optional_essay_as_extra_credit(bonus: config.Course) -> None:
    with contextlib.closing(Gradebook(bonus.gradebook_url)) as book:
        grade = book.find_grade("why-answer", "small", "small", "ada")
        grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 0.0, 1.5, False
        book.db.commit()
    assert totals(bonus)["ada"] == (7.5, 3.0)
    # the command's points go the other way, to the same end
    assert Ran(bonus.root, "mark", "ada", "small", "why", "2").code == 0
    assert totals(bonus)["ada"] == (8.0, 3.0)


def test_a_gradebook_of_before_is_put_right(bonus: config.Course, engine: Engine) -> None:
    with contextlib.closing(Gradebook(bonus.gradebook_url)) as book:
        for cell in book.find_notebook("small", "small").grade_cells:
            cell.max_score = 2.0
        book.db.commit()
    grade_course.rebuild_gradebook(bonus)
    assert totals(bonus) == {"ada": (6.0, 3.0), "bob": (1.0, 3.0)}
