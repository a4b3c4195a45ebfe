"""After a correction, work that began from an older release is graded as before where nothing has
changed, and carried or not comes out the same.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import habits
import pytest
from errata import ADDED, GONE, MENDED, RENAMED, mended, released
from homework import ANSWERS, Notebook, assignment

from autogradient.course import config
from autogradient.coursework import grade_course, regrade
from autogradient.github.carry_over import carry
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.grading.results_folder import read_attempts
from autogradient.model.assignment import Assignment
from autogradient.model.result import Result, SubmissionInfo


@pytest.fixture
def old(tmp_path: Path) -> Assignment:
    return assignment(tmp_path / "source")


def corrected(old: Assignment) -> Assignment:
    """The assignment with a mended text, test, stub and setup, a new question, and `pick` as
    `larger`.
    """
    return mended(old.path, *MENDED, *ADDED, *RENAMED)


def graded(given: Assignment, data: bytes, engine: Engine) -> Result:
    """What a notebook comes to."""
    return grade_bytes(given, data, "small.ipynb", engine, SubmissionInfo()).result


def points(result: Result) -> dict[str, tuple[Fraction, bool]]:
    """What each part earned, and whether it was attempted."""
    return {
        part.id: (sum((case.earned for case in part.cases), Fraction(0)), part.attempted)
        for part in result.parts
    }


def test_an_older_notebook_gets_for_what_has_not_changed_what_it_got_before(
    old: Assignment, engine: Engine
) -> None:
    data = Notebook(old).bytes()
    before = graded(old, data, engine)
    after = graded(corrected(old), data, engine)
    was, now = points(before), points(after)
    assert now == {
        "double": was["double"],
        "total": was["total"],
        "scale": was["scale"],
        "half": (0, False),
        "larger": was["pick"],
        "why": was["why"],
    }
    assert (
        was["pick"] == (1, True)
        and after.points.earned == before.points.earned
        and after.points.possible == before.points.possible + 1
    )
    assert [problem.message for problem in after.problems] == [
        (
            "the answer cell of 'half' is gone and no other cell defines half; add it again "
            "to earn its points"
        ),
        "the check cell of 'half' was missing; the course's own was used",
    ], "nobody is told to have changed what the course has changed"


def test_what_is_gone_is_no_longer_counted(old: Assignment, engine: Engine) -> None:
    after = graded(mended(old.path, *GONE), Notebook(old).bytes(), engine)
    assert (after.points.earned, after.points.possible, after.points.ungraded) == (
        6,
        6,
        0,
    ) and not after.problems


@pytest.mark.parametrize(
    "edit",
    [
        habits.nothing,
        habits.setup_edited,
        habits.setup_deleted,
        habits.given_edited,
        habits.answer_doubled_and_changed,
        habits.untouched_stub_above_a_copy,
        habits.answers_in_new_cells_at_the_end,
        habits.answer_split_with_its_id,
        habits.answers_merged,
        habits.answer_typed_into_the_check,
        habits.questions_in_another_order,
        habits.metadata_lost,
        habits.answer_is_markdown,
        habits.essay_in_a_new_cell,
        habits.uses_what_stands_below,
        habits.deletes_names_below_the_check,
    ],
)
def test_carried_over_or_not_it_is_worth_the_same(
    old: Assignment, engine: Engine, edit: habits.Edit
) -> None:
    work = Notebook(old)
    edit(work)
    new = corrected(old)
    found = carry(new, work.bytes(), "small.ipynb", [released(old)])
    assert found is not None and found.changed
    as_it_was, carried = (graded(new, data, engine) for data in (work.bytes(), found.data))
    assert points(as_it_was) == points(carried)


def test_the_preview_says_what_the_correction_changes_and_no_more(
    tmp_path: Path, old: Assignment, engine: Engine
) -> None:
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nrelease = "1"\nassignments = ["small"]\n'
    )
    for student, answers in {
        "ada": ANSWERS,
        "bob": ANSWERS | {"total": "total = 24"},
        "cyd": {},
    }.items():
        path = tmp_path / "submitted" / student / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(Notebook(old, answers).bytes())
    here = config.load(tmp_path)
    grade_course.grade_course(here, [old], Local(engine, 1))
    text = mended(old.path, ("# ## 2 · Sum\n", "# ## 2 · Sum\n# Add up `data`.\n"))
    assert regrade.preview(here, [text], Local(engine, 1)) == ([], 3), (
        "a corrected text changes nobody's marks"
    )
    wrong = mended(
        old.path,
        ("total = 3 + 4 + 5  # SOLUTION", "total = 2 * (3 + 4 + 5)  # SOLUTION"),
        ('#| because: {"24": "each number went in twice"}\n', ""),
    )
    changes = {
        change.student: change for change in regrade.preview(here, [wrong], Local(engine, 1))[0]
    }
    assert {student: (change.before, change.after) for student, change in changes.items()} == {
        "ada": (6, 5),
        "bob": (5, 6),
    }
    assert all(
        change.why == "the assignment has changed"
        and len(change.cases) == 1
        and change.cases[0].startswith("total: ")
        for change in changes.values()
    )
    grade_course.grade_course(here, [wrong], Local(engine, 1))
    assert [
        read_attempts(here.results, "small", student)[0].points.earned
        for student in ("ada", "bob", "cyd")
    ] == [5, 6, 0]
