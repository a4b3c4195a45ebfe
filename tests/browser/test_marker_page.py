"""What a marker meets: an essay in nbgrader's formgrader, and the mark on its way into the ledger
and the totals.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from lab import ROOT, Lab

from autogradient.course import config, ledger
from autogradient.course.config import Course
from autogradient.coursework import grade_course, release_course, report
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.model.assignment import Assignment
from autogradient.sources import release, scaffold


def graded_course(root: Path, engine: Engine) -> Course:
    """A course with one assignment and one graded submission, whose essay waits for a person."""
    shutil.copytree(ROOT / "grader_config", root / "grader_config")
    (root / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Tiny"\nrelease = "1"\nseed = 3\n'
    )
    scaffold.new(root, "losses", "How far off?")
    course = config.load(root)
    assignment = course.assignment("losses")
    release_course.write_release(course, assignment, unproved=True)
    submit(course, assignment, "ada")
    graded = grade_course.grade_course(course, [assignment], Local(engine, 1))
    assert [
        result.points.ungraded for result in grade_course.course_results(course, graded.submissions)
    ] == [2]
    return course


def submit(course: Course, assignment: Assignment, student: str) -> None:
    """Hand in the reference's answers with an essay."""
    notebook = release.load(release.build(assignment))
    answers = assignment.reference | {
        "losses-outlier-answer": "The square blows one error up. I would try the absolute error."
    }
    for cell in notebook["cells"]:
        cell["source"] = answers.get(
            cell["metadata"].get("nbgrader", {}).get("grade_id"), cell["source"]
        )
    path = course.submitted / student / "losses" / "losses.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(notebook))


def test_essay_is_marked_by_hand(
    start_lab: Callable[..., Lab], page: Any, tmp_path: Path, engine: Engine
) -> None:
    course = graded_course(tmp_path / "course", engine)
    lab = start_lab(course.root, course.root / "grader_config")
    page.goto(lab.url("lab"))
    page.get_by_role("menuitem", name="Nbgrader", exact=True).click()
    page.get_by_role("menuitem", name="Formgrader", exact=True).click()
    formgrader = page.frame_locator('iframe[src*="formgrader"]')
    formgrader.get_by_role("link", name="losses").first.wait_for()
    page.screenshot(path=tmp_path / "assignments.png")
    formgrader.get_by_role("link", name="Manual Grading").click()
    formgrader.get_by_role("link", name="losses").first.click()
    formgrader.get_by_role("link", name="losses").first.click()
    formgrader.get_by_role("link", name="Submission #1").click()
    formgrader.get_by_text("The square blows one error up.").wait_for()
    essay = formgrader.locator(
        ".panel", has=formgrader.locator(".score"), has_text="The square blows one error up."
    ).last
    essay.locator(".score.needs_manual_grade").wait_for()
    assert formgrader.locator(".score.needs_manual_grade").count() == 1
    with page.expect_response(
        lambda answer: "/api/grade/" in answer.url and answer.request.method == "PUT"
    ):
        essay.locator(".score").fill("1.5")
        page.keyboard.press("Tab")
    with page.expect_response(
        lambda answer: "/api/comment/" in answer.url and answer.request.method == "PUT"
    ):
        essay.locator(".comment").fill("Say why the absolute error helps.")
        page.keyboard.press("Tab")
    page.screenshot(path=tmp_path / "marked.png")

    (result,) = report.all_results(course, ["losses"])
    assert (result.points.earned, result.points.ungraded) == (Fraction(11, 2), 0)
    (case,) = next(part for part in result.parts if part.id == "losses-outlier").cases
    assert (case.earned, case.message) == (Fraction(3, 2), "Say why the absolute error helps.")
    assert [type(entry) for entry in ledger.read(course.ledger)] == [ledger.Mark]
