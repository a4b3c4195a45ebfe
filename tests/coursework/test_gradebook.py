"""On nbgrader's real gradebook, with nbgrader's own commands where they read what we wrote."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import handmade
import nbformat
import pytest
from handmade import NAME, case, cell, question
from nbgrader.api import Gradebook
from nbgrader.preprocessors import SaveCells

from autogradient.course import ledger
from autogradient.coursework import gradebook
from autogradient.coursework.autograded import Autograded
from autogradient.errors import GradebookError
from autogradient.feedback import page, summary
from autogradient.grading import grade
from autogradient.grading.engine import Engine
from autogradient.model.result import Result, SubmissionInfo
from autogradient.sources import release
from autogradient.sources.formats import load_assignment

CELLS = ("and-gate", "and-gate-hidden", "why-answer")


class Course:
    """A course folder with a recorded assignment."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.url = gradebook.url_of(root)
        self.ledger = root / "results" / "ledger.jsonl"
        self.assignment = handmade.assignment()

    def release(self, notebook: Any = None) -> None:
        gradebook.record_assignment(
            self.url, self.assignment, notebook or handmade.release(), self.ledger
        )

    def record(self, result: Any = None, notebook: Any = None) -> None:
        gradebook.record_result(
            self.url, self.assignment, result or handmade.result(), notebook, self.ledger
        )

    @contextmanager
    def open(self) -> Iterator[Gradebook]:
        with Gradebook(self.url) as book:
            yield book

    def grade(self, name: str, student: str = "ada") -> tuple[Any, Any, Any, bool]:
        with self.open() as book:
            grade = book.find_grade(name, NAME, NAME, student)
            return (
                grade.auto_score,
                grade.manual_score,
                grade.extra_credit,
                grade.needs_manual_grade,
            )

    def comment(self, name: str, student: str = "ada") -> Any:
        with self.open() as book:
            return book.find_comment(name, NAME, NAME, student).comment

    def mark(
        self,
        name: str,
        score: float | None,
        extra: float | None = None,
        comment: str | None = None,
        student: str = "ada",
    ) -> None:
        """What the formgrader does when a person types a score and a comment."""
        with self.open() as book:
            grade = book.find_grade(name, NAME, NAME, student)
            grade.manual_score, grade.extra_credit = score, extra
            grade.needs_manual_grade = score is None and grade.auto_score is None
            if comment is not None:
                book.find_comment(name, NAME, NAME, student).manual_comment = comment
            book.db.commit()

    def nbgrader(self, *arguments: str) -> str:
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        }
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stderr


def write_autograded(root: Path, result: Result, notebook: Any, **more: Any) -> list[Path]:
    """Write one submission into autograded/."""
    return Autograded(root, result.assignment).write(result, notebook, **more)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gradebook with the assignment; made once, since nbgrader takes a second to make one."""
    course = Course(tmp_path_factory.mktemp("course"))
    course.release()
    return course.root / "gradebook.db"


@pytest.fixture
def course(tmp_path: Path, empty: Path) -> Course:
    (tmp_path / "gradebook.db").write_bytes(empty.read_bytes())
    return Course(tmp_path)


# ---- the assignment ------------------------------------------------------------------------------


def test_the_rows_are_those_that_nbgrader_would_write(course: Course, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path / 'stock.db'}"
    with gradebook.open_gradebook(other) as book:
        book.add_assignment(NAME)
    SaveCells().preprocess(
        handmade.release(), {"nbgrader": {"notebook": NAME, "assignment": NAME, "db_url": other}}
    )

    def rows(url: str) -> list[Any]:
        with Gradebook(url) as book:
            notebook = book.find_notebook(NAME, NAME)
            lists = (
                notebook.grade_cells,
                notebook.solution_cells,
                notebook.task_cells,
                notebook.source_cells,
            )
            found = [
                [{k: v for k, v in row.to_dict().items() if k != "id"} for row in rows]
                for rows in lists
            ]
            return [
                *[sorted(rows, key=lambda row: row["name"]) for rows in found[:3]],
                found[3],
                notebook.kernelspec,
                notebook.max_score,
            ]

    assert rows(course.url) == rows(other)


def test_recording_twice_changes_nothing(course: Course) -> None:
    course.record()
    before = [course.grade(name) for name in CELLS]
    course.release()
    assert [course.grade(name) for name in CELLS] == before


def test_a_changed_release_keeps_the_grades_of_cells_that_remain(course: Course) -> None:
    course.record()
    course.mark("why-answer", 1.5, comment="Nice.")
    course.release(
        handmade.release(cell("code", "1", "extra", points=4), drop=("and-gate",), points=5)
    )
    assert course.grade("and-gate-hidden") == (0, None, None, False)
    assert course.grade("why-answer") == (None, 1.5, None, False)
    assert course.grade("extra") == (None, None, None, True)
    assert course.comment("why-answer") == "Nice."
    with course.open() as book:
        assert book.find_grade_cell("and-gate-hidden", NAME, NAME).max_score == 5
        assert book.find_assignment(NAME).max_score == 11
        assert [source.name for source in book.find_notebook(NAME, NAME).source_cells][
            -1
        ] == "extra"
        assert not [
            grade
            for grade in book.find_submission_notebook(NAME, NAME, "ada").grades
            if grade.cell is None
        ]


def test_the_mark_of_a_cell_that_went_and_came_back_is_found_in_the_ledger(course: Course) -> None:
    course.record()
    course.mark("and-gate", 0.5)
    course.release(handmade.release(drop=("and-gate",)))
    course.release()
    course.record()
    assert course.grade("and-gate")[1] == 0.5
    assert [entry.points for entry in ledger.read(course.ledger)] == [Decimal("0.5")]


def test_a_cell_that_becomes_hand_graded_is_one(course: Course) -> None:
    course.record()
    changed = handmade.release(drop=("and-gate",))
    changed.cells.append(
        cell("markdown", "Your words.", "and-gate", points=1, solution=True, locked=False)
    )
    course.release(changed)
    with course.open() as book:
        assert book.find_grade_cell("and-gate", NAME, NAME).cell_type == "markdown"
        assert book.find_solution_cell("and-gate", NAME, NAME)


# ---- results -------------------------------------------------------------------------------------


def test_each_cell_gets_its_points_and_the_essay_waits(course: Course) -> None:
    course.record(notebook=handmade.submission())
    assert [course.grade(name) for name in CELLS] == [
        (1, None, None, False),
        (0, None, None, False),
        (None, None, None, True),
    ]
    with course.open() as book:
        submission = book.find_submission(NAME, "ada")
        assert (submission.score, submission.max_score, submission.needs_manual_grade) == (
            1,
            5,
            True,
        )
        assert submission.timestamp.isoformat() == "2026-09-01T10:00:00"


@pytest.mark.parametrize("outcome", ["not_run", "grader_error"])
def test_what_has_no_verdict_gets_no_score(course: Course, outcome: str) -> None:
    part = question(
        "and-gate",
        "code",
        case("truth table", "passed"),
        case("a", "passed", 1, hidden=True),
        case("b", outcome, 1, hidden=True),
    )
    course.record(handmade.result(part))
    assert course.grade("and-gate") == (1, None, None, False)
    assert course.grade("and-gate-hidden") == (None, None, None, True)


def test_an_unreadable_submission_waits_as_a_whole(course: Course) -> None:
    course.record(handmade.result(outcome="unreadable"))
    assert course.comment("why-answer") is None
    assert [course.grade(name) for name in CELLS] == [(None, None, None, True)] * 3


def test_a_missing_submission_writes_nothing(course: Course) -> None:
    course.record(handmade.result(outcome="missing"))
    with course.open() as book:
        assert book.students == []


@pytest.mark.parametrize("outcome", ["not_run", "failed"])
def test_an_essay_that_nobody_wrote_is_worth_nothing(course: Course, outcome: str) -> None:
    course.record(
        handmade.result(
            question("why", "essay", case("why", outcome, 2, reason="hand"), attempted=False)
        )
    )
    assert course.grade("why-answer") == (0, None, None, False)
    assert course.comment("why-answer") == "No response."


def test_an_answer_as_released_has_no_response(course: Course) -> None:
    course.record(notebook=handmade.release())
    assert course.comment("and-gate-answer") == "No response."
    course.record(notebook=handmade.submission())
    assert course.comment("and-gate-answer") is None


def test_exact_points_reach_the_gradebook(course: Course) -> None:
    tenths = [case(str(n), "passed", 0.1, hidden=True) for n in range(3)]
    course.record(handmade.result(question("and-gate", "code", *tenths)))
    assert course.grade("and-gate-hidden")[0] == 0.3


def test_every_student_of_a_team_gets_the_submission(course: Course) -> None:
    course.record(handmade.result(students=["ada", "bob"]))
    assert course.grade("and-gate", "bob") == course.grade("and-gate", "ada")


def test_in_an_nbgrader_notebook_a_part_is_a_grade_cell(tmp_path: Path, empty: Path) -> None:
    course = Course(tmp_path)
    (tmp_path / "gradebook.db").write_bytes(empty.read_bytes())
    course.assignment = handmade.assignment("stock", "nbgrader")
    cells = [
        cell("code", "assert 1", "test-1", points=2),
        cell("markdown", "Say.", "words-answer", points=3, solution=True, locked=False),
    ]
    task = cell("markdown", "Draw.", "drawing", locked=True)
    task.metadata.nbgrader |= {"task": True, "points": 4}
    course.release(nbformat.v4.new_notebook(cells=[*cells, task]))
    parts = [
        question("test-1", "code", case("test-1", "failed", 2, earned=0.5, hidden=True)),
        question("words-answer", "essay", case("words-answer", "not_run", 3, reason="hand")),
    ]
    course.record(handmade.result(*parts, name="stock"))
    with course.open() as book:
        scores = [
            book.find_grade(name, "stock", "stock", "ada").auto_score
            for name in ("test-1", "words-answer", "drawing")
        ]
        assert scores == [0.5, None, None]
        assert book.find_submission("stock", "ada").max_score == 9


def test_an_nbgrader_notebook_needs_no_release_of_ours(course: Course, tmp_path: Path) -> None:
    source = nbformat.v4.new_notebook(
        cells=[
            cell(
                "code",
                "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION",
                "f-answer",
                solution=True,
                locked=False,
            ),
            cell(
                "code",
                "assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(2) == 2\n### END HIDDEN TESTS",
                "f-tests",
                points=2,
            ),
            cell("markdown", "Say why.", "words", points=3, solution=True, locked=False),
        ]
    )
    (tmp_path / "own").mkdir()
    nbformat.write(source, tmp_path / "own" / "own.ipynb")
    course.assignment = load_assignment(tmp_path / "own" / "own.ipynb")
    gradebook.record_assignment(course.url, course.assignment, None, course.ledger)
    answers = (
        question("f-tests", "code", case("f tests", "passed", 2, hidden=True)),
        question("words", "essay", case("words", "not_run", 3, reason="hand")),
    )
    result = handmade.result(*answers, name="own")
    source.cells[0].source = "def f(x):\n    return x"
    source.cells[2].source = "Because."
    course.record(result, source)
    (path,) = write_autograded(course.root, result, source)
    written = nbformat.read(path, as_version=4)
    assert [c.metadata.nbgrader.grade_id for c in written.cells] == ["f-answer", "f-tests", "words"]
    assert "HIDDEN" not in written.cells[1].source
    with course.open() as book:
        scores = [
            book.find_grade(name, "own", "own", "ada").auto_score for name in ("f-tests", "words")
        ]
        assert scores == [2, None]
        assert book.find_notebook("own", "own").kernelspec != "{}"
    course.nbgrader("generate_feedback", "own")
    assert (
        "(Score: 2.0 / 5.0)" in (course.root / "feedback" / "ada" / "own" / "own.html").read_text()
    )


def test_an_otter_notebook_gets_a_row_for_each_part(course: Course, tmp_path: Path) -> None:
    test = "OK_FORMAT = False\nfrom otter.test_files import test_case\nname = 'q1'\npoints = None\n"
    cases = (
        "@test_case(points=1)\ndef test_a(x):\n    assert x\n@test_case(points=2, "
        "hidden=True)\ndef test_b(x):\n    assert x == 2\n"
    )
    (tmp_path / "own" / "tests").mkdir(parents=True)
    (tmp_path / "own" / "tests" / "q1.py").write_text(test + cases)
    sent = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_code_cell("grader.check('q1')")]
    )
    nbformat.write(sent, tmp_path / "own" / "own.ipynb")
    course.assignment = load_assignment(tmp_path / "own")
    gradebook.record_assignment(course.url, course.assignment, None, course.ledger)
    result = handmade.result(
        question("q1", "code", case("a", "passed", 1), case("b", "failed", 2, hidden=True)),
        name="own",
    )
    course.record(result, sent)
    with course.open() as book:
        assert (
            book.find_submission("own", "ada").score,
            book.find_submission("own", "ada").max_score,
        ) == (1, 3)
    (path,) = write_autograded(course.root, result, sent)
    assert [
        c.metadata.get("nbgrader", {}).get("grade_id")
        for c in nbformat.read(path, as_version=4).cells
    ] == [None, "q1", "q1-hidden"]
    course.nbgrader("generate_feedback", "own")


@pytest.mark.parametrize("student", ["../eve", "", ".hidden", "a/b", "a\\b", "a\nb", "x" * 200])
def test_a_student_id_that_is_no_folder_name_is_refused(course: Course, student: str) -> None:
    with pytest.raises(GradebookError, match="cannot be a student's id"):
        course.record(handmade.result(student=student))
    with pytest.raises(GradebookError, match="cannot be a student's id"):
        write_autograded(course.root, handmade.result(student=student), handmade.submission())
    assert not (course.root / "autograded").exists()


def test_an_assignment_that_was_never_released_is_named(course: Course) -> None:
    course.assignment = handmade.assignment("other")
    with pytest.raises(GradebookError, match="run 'autogradient release other' first"):
        course.record(handmade.result(name="other"))


def test_a_gradebook_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_text("no database" * 100)
    with pytest.raises(GradebookError, match="is damaged"):
        Course(tmp_path).release()


def test_a_gradebook_in_use_is_said(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradebook, "WAIT_S", 0.1)
    holder = sqlite3.connect(course.root / "gradebook.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(GradebookError, match="another program has been writing"):
        course.record()
    holder.close()


def test_nobody_enters_a_mark_between_our_looking_and_our_writing(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.record()
    other = sqlite3.connect(course.root / "gradebook.db", timeout=0)
    locked = []

    def locate(*arguments: Any) -> Any:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE grade SET manual_score = 1")
        locked.append(True)
        return real(*arguments)

    real = ledger.locate
    monkeypatch.setattr(ledger, "locate", locate)
    course.record()
    other.close()
    assert locked


# ---- hand marks ----------------------------------------------------------------------------------


def test_a_hand_mark_goes_to_the_ledger_once(course: Course) -> None:
    course.record()
    course.mark("why-answer", 1.1, 0.5, "Say why.")
    (taken,) = gradebook.take_hand_marks(course.url, course.ledger)
    assert (taken.student, taken.assignment, taken.part) == ("ada", NAME, "why-answer")
    assert (taken.points, taken.extra, taken.comment) == (
        Decimal("1.1"),
        Decimal("0.5"),
        "Say why.",
    )
    assert gradebook.take_hand_marks(course.url, course.ledger) == []
    assert ledger.read(course.ledger) == [taken]


def test_a_regrade_takes_hand_marks_first_and_keeps_them(course: Course) -> None:
    course.record()
    course.mark("why-answer", 1.5, comment="Nice.")
    course.record()
    assert course.grade("why-answer") == (None, 1.5, None, False)
    assert course.comment("why-answer") == "Nice."
    assert len(ledger.read(course.ledger)) == 1


def test_a_mark_against_another_verdict_asks_for_a_second_look(course: Course) -> None:
    course.record()
    course.mark("and-gate-hidden", 1)
    course.record()
    assert course.grade("and-gate-hidden") == (0, 1, None, False)
    course.record(
        handmade.result(question("and-gate", "code", case("noisy", "passed", 2, hidden=True)))
    )
    assert course.grade("and-gate-hidden") == (2, 1, None, True)


def test_a_mark_changed_and_then_cleared_is_followed(course: Course) -> None:
    course.record()
    for score in (1.0, 2.0, None):
        course.mark("why-answer", score)
        course.record()
        assert course.grade("why-answer")[1] == score
    assert [entry.points for entry in ledger.read(course.ledger)] == [1, 2, None]
    assert course.grade("why-answer")[3] is True


def test_a_mark_written_into_the_ledger_reaches_the_gradebook(course: Course) -> None:
    course.record()
    course.mark("why-answer", 1)
    gradebook.take_hand_marks(course.url, course.ledger)
    ledger.append(
        course.ledger,
        ledger.Mark(
            student="ada",
            assignment=NAME,
            part="why",
            points="2",
            comment="After a talk.",
            who="staff",
        ),
    )
    course.record()
    assert course.grade("why-answer") == (None, 2, None, False)
    assert course.comment("why-answer") == "After a talk."
    assert gradebook.take_hand_marks(course.url, course.ledger) == []


def test_rebuilding_needs_results_and_ledger_alone(course: Course) -> None:
    course.record()
    course.record(handmade.result(student="bob"))
    course.mark("why-answer", 1.5, 0.25, "Nice.")
    course.mark("and-gate", 0.5, student="bob")
    gradebook.take_hand_marks(course.url, course.ledger)
    (course.root / "gradebook.db").unlink()
    releases = [(course.assignment, handmade.release())]
    gradebook.rebuild(
        course.url, releases, [handmade.result(), handmade.result(student="bob")], course.ledger
    )
    assert course.grade("why-answer") == (None, 1.5, 0.25, False)
    assert course.comment("why-answer") == "Nice."
    assert course.grade("and-gate", "bob") == (1, 0.5, None, False)
    assert gradebook.take_hand_marks(course.url, course.ledger) == [], (
        "marks that we put there are nobody's new decision"
    )
    assert sorted(path.name for path in course.root.iterdir()) == ["gradebook.db", "results"]


def test_rebuilding_takes_marks_of_the_old_gradebook_along(course: Course) -> None:
    course.record()
    course.mark("why-answer", 2)
    gradebook.rebuild(
        course.url, [(course.assignment, handmade.release())], [handmade.result()], course.ledger
    )
    assert course.grade("why-answer")[1] == 2


def test_a_rebuild_that_fails_leaves_the_old_gradebook(course: Course) -> None:
    course.record()
    with pytest.raises(GradebookError):
        gradebook.rebuild(
            course.url,
            [(course.assignment, handmade.release())],
            [handmade.result(student="../eve")],
            course.ledger,
        )
    assert course.grade("and-gate")[0] == 1
    assert [path.name for path in course.root.glob("*gradebook*")] == ["gradebook.db"]


def test_no_gradebook_has_no_marks_and_none_is_made(tmp_path: Path) -> None:
    assert gradebook.take_hand_marks(gradebook.url_of(tmp_path), tmp_path / "ledger.jsonl") == []
    assert list(tmp_path.iterdir()) == []


# ---- nbgrader's own commands ---------------------------------------------------------------------


def test_stock_feedback_and_export_work_on_what_is_written(course: Course) -> None:
    outputs = [
        nbformat.v4.new_output(
            "display_data",
            data={"text/html": "<table><tr><td>7</td></tr></table><script>steal()</script>"},
        )
    ]
    for student in ("ada", "bob"):
        result = handmade.result(student=student)
        course.record(result, handmade.submission())
        (path,) = write_autograded(course.root, result, handmade.submission(outputs=outputs))
        assert path == course.root / "autograded" / student / NAME / f"{NAME}.ipynb"
    course.mark("why-answer", 1.5, comment="Say why.")
    course.nbgrader("generate_feedback", NAME)
    page = (course.root / "feedback" / "ada" / NAME / f"{NAME}.html").read_text()
    assert "(Score: 2.5 / 5.0)" in page
    assert "Say why." in page
    assert "<td>7</td>" in page and "steal()</script>" not in page
    course.nbgrader("export")
    with (course.root / "grades.csv").open() as file:
        scores = {
            row["student_id"]: (row["score"], row["max_score"]) for row in csv.DictReader(file)
        }
    assert scores == {"ada": ("2.5", "5.0"), "bob": ("1.0", "5.0")}


def test_an_autograded_notebook_is_put_right(course: Course) -> None:
    sent = handmade.submission()
    del sent.cells[3], sent.cells[0]  # the hidden check and the question's text
    sent.cells[1].source = "assert True"
    sent.cells[1].metadata.nbgrader.points = 100
    sent.cells.append(cell("code", "1", "unheard-of", points=50))
    sent.cells.append(sent.cells[0].copy())
    sent.cells[2].source = "I think <script>steal()</script> that `a < b`."
    course.record(notebook=handmade.submission())
    (path,) = write_autograded(course.root, handmade.result(), sent)
    written = nbformat.read(path, as_version=4)
    nbformat.validate(written)
    names = [c.metadata.get("nbgrader", {}).get("grade_id") for c in written.cells]
    assert names == [None, "and-gate", "and-gate-hidden", "why-answer", None, "and-gate-answer"]
    assert written.cells[1].source == handmade.release().cells[2].source
    assert written.cells[1].metadata.nbgrader.points == 1
    assert written.cells[3].source == "I think &lt;script>steal()&lt;/script> that `a < b`."
    assert (path.parent / "timestamp.txt").read_text() == "2026-09-01 10:00:00 UTC\n"
    course.nbgrader("generate_feedback", NAME)


def test_an_essay_turned_into_code_can_still_be_marked(course: Course) -> None:
    sent = handmade.submission()
    sent.cells[4] = cell("code", "# my words", "why-answer", points=2, solution=True, locked=False)
    (path,) = write_autograded(course.root, handmade.result(), sent)
    essay = nbformat.read(path, as_version=4).cells[4]
    assert (essay.cell_type, essay.source, essay.metadata.nbgrader.grade) == (
        "markdown",
        "# my words",
        True,
    )


def test_an_answer_that_lost_its_id_is_shown_to_the_marker(course: Course) -> None:
    sent = handmade.submission()
    sent.cells[4].metadata = {}
    (path,) = write_autograded(course.root, handmade.result(), sent, answers={"why-answer": 4})
    written = nbformat.read(path, as_version=4).cells
    assert len(written) == 5 and written[4].source == "Because one line is enough."
    assert written[4].metadata.nbgrader.grade_id == "why-answer"


def test_of_two_answers_with_one_id_the_changed_one_is_marked(course: Course) -> None:
    sent = handmade.submission()
    sent.cells.append(handmade.release().cells[4])
    (path,) = write_autograded(course.root, handmade.result(), sent)
    written = nbformat.read(path, as_version=4).cells
    assert (
        written[4].metadata.nbgrader.grade_id == "why-answer"
        and "nbgrader" not in written[5].metadata
    )


def test_a_notebook_as_it_came_from_disk_will_do(course: Course) -> None:
    sent = json.loads(nbformat.writes(handmade.submission()))
    sent["cells"][1]["source"] = ["def and_gate(a, b):\n", "    ..."]
    sent["cells"].append({"cell_type": "code", "metadata": {"nbgrader": 3}})
    course.record(notebook=sent)
    assert course.comment("and-gate-answer") == "No response."
    (path,) = write_autograded(course.root, handmade.result(), sent)
    nbformat.validate(nbformat.read(path, as_version=4))


def test_a_missing_submission_leaves_no_notebook(course: Course) -> None:
    assert (
        write_autograded(course.root, handmade.result(outcome="missing"), handmade.release()) == []
    )


SOURCE = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
#   autogradient:
#     format: 1
#     title: Gates
# ---

# %% [markdown]
# # Gates

# %% [markdown]
# <!--| question: and-gate, level: E, minutes: 5 -->
# Write a gate.

# %%
#| answer: and-gate
def and_gate(a, b):
    ### BEGIN SOLUTION
    return a and b
    ### END SOLUTION

# %%
#| tests: and-gate
@test_case(points=1)
def test_truth_table(and_gate):
    assert [and_gate(a, b) for a in (0, 1) for b in (0, 1)] == [0, 0, 0, 1]

@test_case(points=2, hidden=True, failure_message="Try it on other truths.")
def test_other_truths(and_gate):
    assert and_gate(2, 3) == 3

# %% [markdown]
# <!--| question: why, level: M, minutes: 5 -->
# Why?

# %% [markdown]
# <!--| answer: why, kind: essay, points: 2 -->
# *Your answer.*

# %% [markdown]
# <!--| rubric: why -->
# - [2] names-the-cause: it names the cause
"""


def test_from_a_source_to_feedback(tmp_path: Path) -> None:
    course = Course(tmp_path)
    (tmp_path / "gates.py").write_text(SOURCE)
    course.assignment = load_assignment(tmp_path / "gates.py")
    released = nbformat.from_dict(release.load(release.build(course.assignment)))
    course.release(released)
    sent = nbformat.reads(json.dumps(released), as_version=4)
    for c in sent.cells:
        c.source = {
            "and-gate-answer": "def and_gate(a, b):\n    return int(a == b == 1)",
            "why-answer": "Because.",
        }.get(c.id, c.source)
    with Engine() as engine:
        graded = grade.grade_bytes(
            course.assignment,
            nbformat.writes(sent).encode(),
            "gates.ipynb",
            engine,
            SubmissionInfo(students=["ada"]),
        )
    assert graded.notebook is not None
    course.record(graded.result, graded.notebook)
    assert [course.grade(name) for name in CELLS] == [
        (1, None, None, False),
        (0, None, None, False),
        (None, None, None, True),
    ]
    write_autograded(tmp_path, graded.result, graded.notebook)
    course.mark("why-answer", 1.5, comment="Say more.")
    gradebook.take_hand_marks(course.url, course.ledger)
    marked = ledger.apply_ledger(graded.result, ledger.read(course.ledger))
    text = summary.markdown(marked, course.assignment.title)
    assert (
        "**2.5 of 5 points**" in text and "Try it on other truths." in text and "Say more." in text
    )
    html = page.html_page(marked, graded.notebook, course.assignment.title)
    assert "Say more." in html and "Write a gate." in html
    course.nbgrader("generate_feedback", NAME)
    assert (
        "(Score: 2.5 / 5.0)" in (tmp_path / "feedback" / "ada" / NAME / f"{NAME}.html").read_text()
    )
