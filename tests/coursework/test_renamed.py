"""A question that gets another id (`was:`), or moves to another assignment, keeps what people
decided about it.
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import homework
import pytest
from commands import Ran
from errata import mended
from homework import Notebook
from nbgrader.api import Gradebook

from autogradient.course import config, ledger
from autogradient.course.config import Course
from autogradient.coursework import grade_course
from autogradient.coursework import regrade as regrading
from autogradient.errors import SourceErrors
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.model.assignment import Assignment
from autogradient.sources.source import load

WHY_NOW = [
    ("question: why", "question: because, was: why"),
    ("answer: why,", "answer: because,"),
    ("rubric: why", "rubric: because"),
]
SCALE_NOW = [
    ("question: scale", "question: shares, was: scale"),
    ("answer: scale\n", "answer: shares\n"),
    ("tests: scale\n", "tests: shares\n"),
]
PICK_NOW = [
    ("question: pick -->", "question: larger, was: [choose, pick] -->"),
    ("answer: pick\n", "answer: larger\n"),
]
BY = ("--who", "tia", "--why", "so it is")


def ran(here: Course, *arguments: str) -> str:
    """What a command that ends well says."""
    done = Ran(here.root, *arguments)
    assert done.code == 0, done
    return done.out


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """A course with two assignments, `small` and `other`, graded for ada and bob; fay is on the
    roster and handed nothing in.
    """
    tmp_path = tmp_path_factory.mktemp("graded")
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nrelease = "1"\nassignments = ["small", "other"]\n'
    )
    (tmp_path / "grader_config" / "roster.csv").write_text("student\nada\nbob\nfay\n")
    for name in ("small", "other"):
        assignment = homework.assignment(tmp_path / "source", name)
        for student in ("ada", "bob"):
            hand_in(tmp_path, assignment, student)
    regrade(config.find(tmp_path), engine)
    return tmp_path


@pytest.fixture
def here(tmp_path: Path, graded: Path) -> Course:
    """A copy of it."""
    return config.find(shutil.copytree(graded, tmp_path / "course"))


def regrade(here: Course, engine: Engine) -> list[str]:
    """What `regrade` would say, and then does."""
    assignments = [here.assignment(name) for name in here.names()]
    changes, _ = regrading.preview(here, assignments, Local(engine, 1))
    grade_course.grade_course(here, assignments, Local(engine, 1))
    return [change.text for change in changes]


def hand_in(
    root: Path, assignment: Assignment, student: str, answers: dict[str, str] | None = None
) -> None:
    folder = root / "submitted" / student / assignment.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{assignment.name}.ipynb").write_bytes(Notebook(assignment, answers).bytes())


def change(here: Course, *changes: tuple[str, str], name: str = "small") -> None:
    """Correct the source."""
    mended(here.source(name) / f"{name}.py", *changes)


def points(here: Course, name: str = "small") -> dict[str, str]:
    """What `report` says of each student: points, and what waits."""
    rows = [line.split() for line in ran(here, "report", name).splitlines()[1:]]
    return {row[0]: " ".join(row[2:]) for row in rows}


def decided(here: Course) -> str:
    """The ledger as it stands on the disk."""
    return here.ledger.read_text()


# ---- the same assignment -------------------------------------------------------------------------


def test_every_kind_of_decision_holds_under_the_new_id_before_and_after_regrading(
    here: Course, engine: Engine
) -> None:
    ran(
        here,
        "mark",
        "ada",
        "small",
        "why",
        "--item",
        "compares=1.5",
        "--comment",
        "Nearly.",
        "--who",
        "tia",
    )
    ran(here, "mark", "bob", "small", "scale-hidden", "0.5", "--who", "tia")
    ran(here, "adjust", "bob", "small", "scale", "0.25", *BY)
    ran(here, "void", "small", "pick", "--drop", *BY)
    ran(here, "excuse", "fay", "small", *BY)
    before, entries = points(here), decided(here)
    assert before == {"ada": "6.5/7", "bob": "4.75/7 scale why", "fay": "excused"}
    change(here, *WHY_NOW, *SCALE_NOW, *PICK_NOW)
    assert points(here) == before  # results are still by the old ids
    assert regrade(here, engine) == []
    assert (
        points(here) == {"ada": "6.5/7", "bob": "4.75/7 shares because", "fay": "excused"}
        and decided(here) == entries
    )
    ran(here, "feedback", "small")
    assert "Nearly." in (here.feedback / "ada" / "small" / "feedback.md").read_text()
    data = json.loads((here.results / "small" / "ada.json").read_text())
    assert [question["id"] for question in data["questions"]] == [
        "double",
        "total",
        "shares",
        "larger",
        "because",
    ]


def test_nothing_is_carried_without_was(here: Course, engine: Engine) -> None:
    ran(here, "mark", "ada", "small", "why", "2", "--who", "tia")
    change(here, ("question: why", "question: because"), *WHY_NOW[1:])
    regrade(here, engine)
    assert points(here)["ada"] == "6/8 because"


def test_the_gradebook_shows_the_mark_at_the_new_cell_and_it_is_taken_once(
    here: Course, engine: Engine
) -> None:
    # given in the formgrader, and not taken yet when the question is renamed
    with Gradebook(here.gradebook_url) as book:
        grade = book.find_grade("why-answer", "small", "small", "ada")
        grade.manual_score, grade.needs_manual_grade = 1.0, False
        book.db.commit()
    change(here, *WHY_NOW)
    regrade(here, engine)
    with Gradebook(here.gradebook_url) as book:
        assert book.find_grade("because-answer", "small", "small", "ada").manual_score == 1.0
        assert book.find_submission("small", "ada").score == 7.0
        assert book.find_submission("small", "bob").needs_manual_grade
    assert points(here)["ada"].startswith("7/8")
    assert [entry.part for entry in ledger.read(here.ledger)] == ["why-answer"]
    (here.root / "gradebook.db").unlink()
    ran(here, "gradebook", "--rebuild")
    with Gradebook(here.gradebook_url) as book:
        assert book.find_grade("because-answer", "small", "small", "ada").manual_score == 1.0


def test_a_later_mark_under_the_new_id_wins_and_taking_back_works(
    here: Course, engine: Engine
) -> None:
    ran(here, "mark", "ada", "small", "why", "2", "--who", "tia")
    ran(here, "mark", "bob", "small", "why", "2", "--who", "tia")
    ran(here, "void", "small", "pick", "--drop", *BY)
    change(here, *WHY_NOW, *PICK_NOW)
    regrade(here, engine)
    assert (
        ran(here, "mark", "ada", "small", "because", "0.5", "--who", "tia")
        == "ada: small: 7/7 → 5.5/7\n"
    )
    assert (
        ran(here, "mark", "bob", "small", "because", "--undo", "--who", "tia")
        == "bob: small: 7/7 → 5/7, 2 wait\n"
    )
    with Gradebook(here.gradebook_url) as book:
        assert book.find_grade("because-answer", "small", "small", "ada").manual_score == 0.5
        assert book.find_grade("because-answer", "small", "small", "bob").manual_score is None
    assert (
        ran(here, "void", "small", "larger", "--undo", *BY)
        == "ada: small: 5.5/7 → 6.5/8\nbob: small: 5/7, 2 wait → 6/8, 2 wait\n"
    )
    refused = Ran(here.root, "mark", "ada", "small", "why", "1")
    assert refused.code == 2 and "it is called 'because' now" in refused.err


def test_a_mark_is_taken_back_under_the_new_name_before_anything_is_graded_anew(
    here: Course, engine: Engine
) -> None:
    ran(here, "mark", "ada", "small", "why", "2", "--who", "tia")
    change(here, *WHY_NOW)
    assert (
        ran(here, "mark", "ada", "small", "because", "--undo", "--who", "tia")
        == "ada: small: 8/8 → 6/8, 2 wait\n"
    )
    assert (
        ran(here, "mark", "ada", "small", "because", "1", "--who", "tia")
        == "ada: small: 6/8, 2 wait → 7/8\n"
    )
    regrade(here, engine)
    assert points(here)["ada"].startswith("7/8")


def test_a_chain_of_names(here: Course, engine: Engine) -> None:
    ran(here, "mark", "ada", "small", "why", "1", "--who", "tia")
    change(here, *WHY_NOW)
    regrade(here, engine)
    ran(here, "mark", "bob", "small", "because", "2", "--who", "tia")
    change(
        here,
        ("question: because, was: why", "question: words, was: [because, why]"),
        ("answer: because,", "answer: words,"),
        ("rubric: because", "rubric: words"),
    )
    assert regrade(here, engine) == []
    assert {student: said.split()[0] for student, said in points(here).items()} == {
        "ada": "7/8",
        "bob": "8/8",
        "fay": "–",
    }


def test_an_id_that_is_in_use_means_what_it_says(here: Course, engine: Engine) -> None:
    """`was` names a question that is there: none of its decisions goes away."""
    ran(here, "mark", "ada", "small", "why", "1", "--who", "tia")
    change(here, ("question: pick -->", "question: pick, was: why -->"))
    regrade(here, engine)
    assert points(here)["ada"].startswith("7/8")


def test_a_sheet_that_was_given_out_before_is_read_after(here: Course, engine: Engine) -> None:
    ran(here, "mark", "--split", "1", "small")
    sheet = here.results / "sheets" / "small-1-of-1.csv"
    change(here, *WHY_NOW)
    regrade(here, engine)
    heading, *rows = csv.reader(sheet.read_text(encoding="utf-8-sig").splitlines())
    with sheet.open("w", newline="") as file:
        csv.writer(file).writerows([heading, *([*row[:4], "1", row[5]] for row in rows)])
    assert "marks read: 2" in ran(here, "mark", "--read", str(sheet))
    assert points(here)["ada"].startswith("7/8")
    assert {entry.part for entry in ledger.read(here.ledger)} == {"because"}


def test_a_preview_says_sums_first_and_nothing_of_the_name(here: Course, engine: Engine) -> None:
    ran(here, "mark", "ada", "small", "why", "2", "--who", "tia")
    change(here, *WHY_NOW, ("[0.25, 0.75]", "[0.2, 0.8]"))
    ada = regrade(here, engine)[0].splitlines()
    assert ada == [
        "ada: small: 8 → 7.5 of 8 points (the assignment has changed)",
        "    scale: 'proportions' passed → failed (−0.5) The proportions should stay.",
    ]


# ---- another assignment --------------------------------------------------------------------------


def moved(here: Course) -> None:
    """The essay of `other` becomes a question of `small` beside its own, and is no longer in
    `other`.
    """
    text = homework.SOURCE
    essay = text[
        text.index("# %% [markdown]\n# <!--| question: why -->") : text.index(
            "# %% [markdown]\n# The end."
        )
    ]
    own = (
        essay.replace("question: why", "question: reason, was: other/why")
        .replace("answer: why,", "answer: reason,")
        .replace("rubric: why", "rubric: reason")
    )
    change(
        here,
        (
            "# %% [markdown]\n# The end.",
            own.replace("## 5", "## 6") + "# %% [markdown]\n# The end.",
        ),
    )
    change(here, (essay, ""), name="other")


def test_a_question_that_moves_takes_its_decisions_along(here: Course, engine: Engine) -> None:
    ran(here, "mark", "ada", "other", "why", "1.5", "--who", "tia")
    ran(here, "adjust", "bob", "other", "why", "0.5", *BY)
    # another question of that name, which stays
    ran(here, "mark", "ada", "small", "why", "1", "--who", "tia")
    entries = decided(here)
    moved(here)
    small = load(here.source("small") / "small.py")
    for student in ("ada", "bob"):
        hand_in(here.root, small, student, homework.ANSWERS | {"reason": "As before."})
    looked = [text.splitlines()[0] for text in regrade(here, engine)]
    assert (
        "ada: small: 7 → 8.5 of 10 points (another notebook was handed in, the assignment "
        "has changed)" in looked
    )
    assert "ada: other: 7.5 → 6 of 6 points (the assignment has changed)" in looked
    assert decided(here) == entries
    assert points(here, "other") == {"ada": "6/6", "bob": "6/6", "fay": "–"}
    assert (
        ran(here, "mark", "bob", "small", "reason", "1", "--who", "tia")
        == "bob: small: 6.5/10, 4 wait → 7.5/10, 2 wait\n"
    )
    with Gradebook(here.gradebook_url) as book:
        assert book.find_grade("reason-answer", "small", "small", "ada").manual_score == 1.5
    assert (
        ran(here, "mark", "ada", "small", "reason", "--undo", "--who", "tia")
        == "ada: small: 8.5/10 → 7/10, 2 wait\n"
    )


# ---- the source ----------------------------------------------------------------------------------


def test_notebooks_of_every_former_release_are_found(here: Course, engine: Engine) -> None:
    """A notebook that was begun under the first name, and one under the second."""
    path = here.source("small") / "small.py"
    first = load(path)
    second = mended(
        path,
        ("question: pick -->", "question: choose, was: pick -->"),
        ("answer: pick\n", "answer: choose\n"),
    )
    change(
        here,
        ("question: choose, was: pick", "question: larger, was: [choose, pick]"),
        ("answer: choose\n", "answer: larger\n"),
    )
    answers = {name: text for name, text in homework.ANSWERS.items() if name != "pick"}
    hand_in(here.root, first, "ada", answers | {"pick": 'larger = "b"'})
    hand_in(here.root, second, "bob", answers | {"choose": 'larger = "b"'})
    regrade(here, engine)
    for student in ("ada", "bob"):
        data = json.loads((here.results / "small" / f"{student}.json").read_text())
        assert data["points"]["earned"] == 6 and data["problems"] == []


@pytest.mark.parametrize("was", ["a b", "x/y/z", "small/"])
def test_what_cannot_have_been_an_id_is_refused(tmp_path: Path, was: str) -> None:
    path = homework.write_source(tmp_path)
    path.write_text(
        path.read_text().replace("question: pick -->", f'question: pick, was: "{was}" -->')
    )
    with pytest.raises(SourceErrors, match="is no id that a question can have had"):
        load(path)


def test_former_names_of_parts(tmp_path: Path) -> None:
    path = homework.write_source(tmp_path)
    path.write_text(
        path.read_text().replace(
            "question: pick -->", "question: pick, was: [choose, 'other/pick'] -->"
        )
    )
    assert load(path).former == {("small", "choose"): "pick", ("other", "pick"): "pick"}
