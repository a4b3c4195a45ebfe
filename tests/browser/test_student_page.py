"""What a student meets: the released notebook in JupyterLab, and `nbgrader validate` on it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lab import ROOT, Lab, NotebookPage, environment

from autogradient.model.assignment import Assignment
from autogradient.sources import release, source

PART = "single-layer-feedforward-blanks-p2"
RIGHT = (
    "def is_feedforward(A):\nreturn bool((np.abs(np.linalg.eigvals((np.asarray(A) != 0) * "
    "1.0)) < 0.5).all())"
)
WRONG = "def is_feedforward(A):\nreturn True"


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return source.load(ROOT / "source" / "perceptrons", seed=2026)


class Student:
    """A folder with a release in it, and the places of its cells."""

    def __init__(self, root: Path, assignment: Assignment) -> None:
        self.root = root
        self.folder = root / assignment.name
        self.path = self.folder / f"{assignment.name}.ipynb"
        release.write(release.build(assignment), self.folder)
        self.place = {
            cell["metadata"].get("nbgrader", {}).get("grade_id"): i
            for i, cell in enumerate(self.read()["cells"])
        }

    def read(self) -> Any:
        """The notebook as it is on disk."""
        return json.loads(self.path.read_text())

    def answer(self, answers: dict[str, str]) -> None:
        """Write answers into the notebook: grade_id → text."""
        notebook = self.read()
        for grade_id, text in answers.items():
            notebook["cells"][self.place[grade_id]]["source"] = text
        self.path.write_text(json.dumps(notebook))


@pytest.fixture
def student(tmp_path: Path, assignment: Assignment) -> Student:
    return Student(tmp_path / "course", assignment)


def test_answer_check_and_locked_cells(
    start_lab: Callable[..., Lab], page: Any, student: Student, tmp_path: Path
) -> None:
    lab = start_lab(student.root)
    page.goto(lab.url("lab/tree/perceptrons/perceptrons.ipynb"))
    notebook = NotebookPage(page)
    notebook.wait()
    page.screenshot(path=tmp_path / "release.png")
    notebook.run(student.place["setup"])
    notebook.run(student.place["grader-setup"])
    answer, check = student.place[f"{PART}-answer"], student.place[PART]

    notebook.type(answer, WRONG)
    notebook.run(answer)
    output = notebook.run(check).locator(".jp-OutputArea")
    output.get_by_text("results:").first.wait_for()
    assert "Try a chain of three units" in output.inner_text()
    page.screenshot(path=tmp_path / "failed.png")

    notebook.type(answer, RIGHT)
    notebook.run(answer)
    output = notebook.run(check).locator(".jp-OutputArea")
    output.get_by_text("passed!").wait_for()
    page.screenshot(path=tmp_path / "passed.png")
    hidden = notebook.press_run(student.place[f"{PART}-hidden"]).locator(".jp-OutputArea")
    hidden.get_by_text("1 more point is checked after you submit.").wait_for()

    # Typing into a locked cell, or deleting it, changes nothing.
    cells = notebook.panel.locator(".jp-Notebook .jp-Cell").count()
    locked = notebook.cell(check).locator(".cm-content")
    before = locked.inner_text()
    notebook.type(check, "1 * 1")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert locked.inner_text() == before
    assert notebook.panel.locator(".jp-Notebook .jp-Cell").count() == cells

    notebook.save()
    saved = ["".join(cell["source"]) for cell in student.read()["cells"]]
    assert saved[answer].startswith("def is_feedforward(A):\n    return bool(")
    assert saved[check] == before.strip()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (RIGHT, "Success! Your notebook passes all the tests."),
        (WRONG, "The following cell failed:"),
    ],
    ids=["right", "wrong"],
)
def test_nbgrader_validate(
    student: Student, assignment: Assignment, tmp_path: Path, typed: str, says: str
) -> None:
    essays = {f"{part.id}-answer": "In my own words." for part in assignment.parts if part.by_hand}
    answers = assignment.reference | essays | {f"{PART}-answer": typed.replace("\n", "\n    ")}
    student.answer(answers)
    command = [sys.executable, "-m", "nbgrader", "validate", student.path.name]
    done = subprocess.run(
        command,
        cwd=student.folder,
        env=environment(tmp_path / "home", tmp_path),
        capture_output=True,
        text=True,
        timeout=200,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert says in said
    assert (PART in said) is (typed == WRONG)
