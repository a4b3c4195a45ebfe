"""Essays on their way to the marker: whole, as they were typed, with their pictures."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import homework
import pytest
from commands import Ran
from homework import ANSWERS, Notebook

from autogradient.course import config
from autogradient.coursework.report import all_results
from autogradient.coursework.sheets import answers_of

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # noqa: E501


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with three essays: one with a picture, one in a cell of its own making, one in two
    cells.
    """
    root = tmp_path_factory.mktemp("course")
    (root / "grader_config").mkdir()
    (root / "grader_config" / "course.toml").write_text('format = 1\nname = "A small course"\n')
    small = homework.assignment(root / "source")
    works = {
        name: Notebook(
            small,
            ANSWERS
            if name != "bob"
            else {key: text for key, text in ANSWERS.items() if key != "why"},
        )
        for name in ("ada", "bob", "cyd")
    }
    works["ada"].put("why-answer", "If a<b then <b>two</b> is more: ![seen](attachment:a.png)")
    cell = next(cell for cell in works["ada"].data["cells"] if cell.get("id") == "why-answer")
    cell["attachments"] = {"a.png": {"image/png": PIXEL}}
    for name, text in (
        ("bob", "Two comes later."),
        ("cyd", "And ![here](attachment:b.png) again."),
    ):
        cells = works[name].data["cells"]
        place = next(i for i, cell in enumerate(cells) if cell.get("id") == "why-answer") + 1
        cells.insert(
            place,
            {
                "cell_type": "markdown",
                "id": "mine",
                "metadata": {},
                "source": text,
                "attachments": {"b.png": {"image/png": PIXEL}},
            },
        )
    for name, work in works.items():
        place = root / "submitted" / name / "small" / "small.ipynb"
        place.parent.mkdir(parents=True)
        place.write_text(json.dumps(work.data))
    ran = Ran(
        root,
        "grade",
        "--all",
        *(["--unproved"] if "--unproved" in Ran(root, "grade", "--help").out else []),
    )
    assert ran.code == 0, ran
    return root


def test_each_waits_for_a_person_and_is_whole_on_the_sheet(course: Path) -> None:
    assert Ran(course, "mark", "--split", "1", "small").code == 0
    (sheet,) = (course / "results" / "sheets").glob("*.csv")
    with sheet.open(newline="", encoding="utf-8-sig") as file:
        found = {row["student"]: row["answer"] for row in csv.DictReader(file)}
    assert found["ada"] == (
        "If a<b then <b>two</b> is more: ![seen](attachment:a.png)\n\n[pictures in this "
        "answer: 1; see autograded/]"
    )
    assert found["bob"] == "Two comes later."
    assert found["cyd"].startswith("Two comes after one.\n\n[cell ") and found["cyd"].endswith(
        "again.\n\n[pictures in this answer: 1; see autograded/]"
    )


def test_the_formgrader_shows_the_whole_in_the_essays_own_cell(course: Path) -> None:
    for student, texts in (
        ("bob", ["Two comes later."]),
        ("cyd", ["Two comes after one.", "again."]),
    ):
        book = json.loads((course / "autograded" / student / "small" / "small.ipynb").read_text())
        (cell,) = [
            cell
            for cell in book["cells"]
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "why-answer"
        ]
        assert all(text in "".join(cell["source"]) for text in texts), cell
        assert cell["metadata"]["nbgrader"]["grade"] is True
    assert list(cell["attachments"]) == ["b.png"]


def test_what_the_page_of_a_student_shows_is_the_notebook_all_the_same(course: Path) -> None:
    here = config.load(course)
    marked = {one.student: one for one in all_results(here, ["small"])}
    assert set(answers_of(here, marked["bob"]) or {}) >= {"why-answer"}
    assert Ran(course, "feedback").code == 0
    assert (
        "Two comes later." in (course / "feedback" / "bob" / "small" / "feedback.html").read_text()
    )
