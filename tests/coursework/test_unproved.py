"""Tests that were never shown to hold grade nobody silently: where a proof is missing, failed or of
other tests, grading is refused; where it says less, results say so.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import homework
import pytest
from commands import Ran
from homework import Notebook
from proved import prove_cheaply

from autogradient.course import config
from autogradient.course.config import Course
from autogradient.coursework import grade_course, shards
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.model.assignment import Assignment
from autogradient.model.result import Result, merged
from autogradient.proving import proofs

#: A hidden test that the reference itself fails, as it was found in a course: nine of twelve lost a
#: point.
WRONG_TEST = (
    "assert np.allclose(scale([1.0, 3.0]), [0.25, 0.75])",
    "assert np.allclose(scale([1.0, 3.0]), [0.2, 0.8])",
)


@pytest.fixture
def here(tmp_path: Path) -> Course:
    """A proved course with one submission, not graded yet."""
    root = tmp_path / "course"
    (root / "grader_config").mkdir(parents=True)
    (root / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nrelease = "1"\nassignments = ["small"]\n'
    )
    small = homework.assignment(root / "source")
    prove_cheaply(small)
    path = root / "submitted" / "ada" / "small" / "small.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(Notebook(small).bytes())
    return config.load(root)


def edit(here: Course) -> None:
    path = here.source("small") / "small.py"
    path.write_text(path.read_text().replace(*WRONG_TEST))


def result(here: Course, name: str = "small", student: str = "ada") -> Result:
    return Result.from_json((here.results / name / f"{student}.json").read_bytes())


def missing(here: Course) -> None:
    (here.source("small") / "proof.json").unlink()


def damaged(here: Course) -> None:
    (here.source("small") / "proof.json").write_text("<<<<<<< HEAD\n[]\n")


def no_object(here: Course) -> None:
    (here.source("small") / "proof.json").write_text("[]")


def failed(here: Course) -> None:
    prove_cheaply(here.assignment("small"), proved=False)


def failed_long_ago(here: Course) -> None:
    prove_cheaply(here.assignment("small"), proved=False, digest="0f3a", boundary=None)


REFUSED: list[tuple[Callable[[Course], None], str]] = [
    (missing, "small has no proof; run 'autogradient prove small'"),
    (damaged, "small has no proof; run 'autogradient prove small'"),
    (no_object, "small has no proof; run 'autogradient prove small'"),
    (edit, "the proof of small is of another version of it; run 'autogradient prove small'"),
    (failed, "small is not proved; run 'autogradient prove small' to see why"),
    (failed_long_ago, "run 'autogradient prove small'"),
]


@pytest.mark.parametrize(
    ("change", "sentence"), REFUSED, ids=lambda value: getattr(value, "__name__", "")
)
def test_tests_without_a_proof_that_holds_grade_nobody(
    here: Course, change: Callable[[Course], None], sentence: str
) -> None:
    change(here)
    file = "submitted/ada/small/small.ipynb"
    for words in (
        ("grade", "--all"),
        ("regrade",),
        ("regrade", "--preview", "small"),
        ("grade", file),
        ("grade", file, "--assignment", "small"),
    ):
        ran = Ran(here.root, *words)
        assert ran.code == 1 and ran.out == "", ran
        assert (
            sentence in ran.err
            and ran.err.endswith(", or give --unproved to grade by these tests as they are\n")
            and ran.err.count("\n") == 1
        ), ran
    assert not here.results.exists() and not (here.root / "gradebook.db").exists()


def test_a_hidden_test_that_the_reference_fails_is_found_before_it_takes_a_point(
    here: Course,
) -> None:
    """From the author's mistake on, by the commands as they are typed."""
    edit(here)
    assert Ran(here.root, "grade", "--all").code == 1
    proved = Ran(here.root, "prove", "small")
    assert proved.code == 1 and "NOT PROVED" in proved.out
    ran = Ran(here.root, "grade", "--all")
    assert ran.code == 1 and ran.err.startswith(
        "small is not proved; run 'autogradient prove small' to see why"
    )
    check = Ran(here.root, "release", "--check", "--unproved")
    assert check.code == 1 and "is not what the source gives" in check.err  # it was never released
    assert not here.results.exists()


def test_who_wants_to_grades_all_the_same_and_the_results_say_so(here: Course) -> None:
    edit(here)
    ran = Ran(here.root, "grade", "--all", "--unproved")
    assert ran.code == 0 and "1 graded" in ran.out
    sentence = (
        "small: graded by tests that are not proved (the proof of small is of another "
        "version of it); its results say so\n"
    )
    assert ran.err.count(sentence) == 1
    assert result(here).proved is False and result(here).points.earned == 5.5
    prove_cheaply(here.assignment("small"))  # nothing that was graded has changed by that
    again = Ran(here.root, "grade", "--all", "--json")
    assert again.code == 0 and [one["proved"] for one in json.loads(again.out)] == [True]
    assert result(here).proved is True and "not proved" not in again.err
    assert Ran(here.root, "regrade", "--preview").out.startswith("0 of 1 would come out otherwise")


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"boundary": None},
            (
                "small: its proof is in the form of an earlier version, so its results "
                "count as not proved; run 'autogradient prove small'"
            ),
        ),
        (
            {"digest": "9adf00d5e1d24bcf"},
            (
                "small: its proof is in the form of an earlier version, so its results "
                "count as not proved; run 'autogradient prove small'"
            ),
        ),
        (
            {"not_run": ["scale", "why"]},
            (
                "small: scale, why not proved for want of a card, so its results count as "
                "not proved; run 'autogradient prove small' where there is one"
            ),
        ),
    ],
    ids=["fields", "digest", "card"],
)
def test_a_proof_that_says_less_is_not_a_proof_but_no_reason_not_to_grade(
    here: Course, changes: dict[str, object], note: str
) -> None:
    prove_cheaply(here.assignment("small"), **changes)
    assert proofs.worth(here.assignment("small")) == proofs.Worth(
        proved=False, problem="", note=note
    )


def test_it_is_said_once_when_it_grades(here: Course) -> None:
    prove_cheaply(here.assignment("small"), not_run=["scale"])
    ran = Ran(here.root, "grade", "--all")
    assert (
        ran.code == 0
        and ran.err.count(
            "small: scale not proved for want of a card, so its results count as not proved;"
        )
        == 1
    ), ran
    assert result(here).proved is False and result(here).points.earned == 6


def test_what_nobody_has_handed_in_need_not_be_proved_yet(here: Course) -> None:
    homework.write_source(here.root / "source", "draft")
    assert Ran(here.root, "grade", "--all").code == 0 and result(here).proved is True
    (here.submitted / "bob" / "draft").mkdir(parents=True)
    ran = Ran(here.root, "grade", "--all")
    assert ran.code == 1 and ran.err.startswith(
        "draft has no proof; run 'autogradient prove draft'"
    )
    # of another assignment
    assert Ran(here.root, "grade", "submitted/ada/small/small.ipynb").code == 0
    assert Ran(here.root, "grade", "--all", "--assignment", "small").code == 0


def test_an_assignment_by_its_path_is_never_refused(here: Course, tmp_path: Path) -> None:
    shutil.copytree(here.source("small"), tmp_path / "elsewhere" / "small")
    (tmp_path / "elsewhere" / "small" / "proof.json").unlink()
    shutil.copyfile(here.submitted / "ada" / "small" / "small.ipynb", tmp_path / "mine.ipynb")
    ran = Ran(tmp_path, "grade", "mine.ipynb", "--assignment", "elsewhere/small", "--json")
    assert (
        ran.code == 0
        and json.loads(ran.out)["proved"] is False
        and "small: graded by tests that are not proved (small has no proof)" in ran.err
    )
    ran = Ran(tmp_path, "grade", "mine.ipynb", "--assignment", str(here.source("small")), "--json")
    assert ran.code == 0 and json.loads(ran.out)["proved"] is True and "proved" not in ran.err


def test_other_formats_have_no_proof_and_are_graded(here: Course, tmp_path: Path) -> None:
    meta = {"schema_version": 3, "locked": False, "task": False}
    answer, test = (
        {"grade_id": "a", "grade": False, "solution": True, **meta},
        {"grade_id": "b", "grade": True, "solution": False, "points": 2, **meta},
    )
    texts = (
        "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
        "assert double(3) == 6",
    )
    cells = [
        {
            "cell_type": "code",
            "id": m["grade_id"],
            "metadata": {"nbgrader": m},
            "source": s,
            "outputs": [],
            "execution_count": None,
        }
        for m, s in zip((answer, test), texts, strict=True)
    ]
    for folder in ("source/doubling", "submitted/ada/doubling"):
        (here.root / folder).mkdir(parents=True)
        (here.root / folder / "doubling.ipynb").write_text(
            json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        )
    ran = Ran(here.root, "grade", "--all")
    assert (
        ran.code == 0
        and ran.err.count(
            "doubling: in nbgrader's format nothing proves the tests; its results say so\n"
        )
        == 1
    )
    assert (result(here, "doubling").proved, result(here).proved) == (False, True)


# ---- release --check -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "sentence"),
    REFUSED[:1] + REFUSED[3:5],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_release_check_sees_the_proof(
    here: Course, change: Callable[[Course], None], sentence: str
) -> None:
    assert Ran(here.root, "release").code == 0
    assert Ran(here.root, "release", "--check").out == "small: up to date\n"
    change(here)  # of the hidden tests nothing is in the release
    ran = Ran(here.root, "release", "--check")
    assert (ran.code, ran.out) == (1, "") and ran.err == f"{sentence}\n"
    assert Ran(here.root, "release", "--check", "--unproved").code == 0


# ---- the field -----------------------------------------------------------------------------------


def test_results_of_before_are_read_and_halves_agree() -> None:
    def made(proved: bool | None) -> Result:
        return Result(assignment="small", outcome="graded", proved=proved)

    old = json.loads(made(True).to_json())
    del old["proved"]
    assert Result.from_json(json.dumps(old)).proved is None
    found = {
        (a, b): merged(made(a), made(b)).proved
        for a in (True, False, None)
        for b in (True, False, None)
    }
    assert [pair for pair, proved in found.items() if proved] == [
        (True, True),
        (True, None),
        (None, True),
    ]
    assert found[None, None] is None and found[True, False] is False and found[False, True] is False


def test_calls_below_the_command_refuse_nothing_and_shares_say_it(
    here: Course, engine: Engine, tmp_path: Path
) -> None:
    edit(here)
    small: Assignment = here.assignment("small")
    shards.grade_shard(here, [small], Local(engine, 1), shards.Shard(1, 1), tmp_path / "out")
    shutil.rmtree(here.results)
    assert shards.merge(here, [tmp_path / "out"]) == (1, [])
    assert result(here).proved is False
    shutil.rmtree(here.results)
    grade_course.grade_course(here, [small], Local(engine, 1))
    assert result(here).proved is False
