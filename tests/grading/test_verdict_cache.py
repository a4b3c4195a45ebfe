"""Verdicts are taken again where they could be others, and only there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import homework
import pytest
from homework import ANSWERS, Notebook

from autogradient.grading import judge
from autogradient.grading.engine import Engine
from autogradient.grading.grade import Graded, grade_bytes
from autogradient.grading.verdict_cache import Verdicts
from autogradient.model.assignment import Assignment
from autogradient.model.environment import environment_digest
from autogradient.model.result import SubmissionInfo


class Counted:
    """An engine, kept verdicts, and how often each was asked."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.verdicts = engine, Verdicts(folder)
        self.judged: list[str] = []
        self.sessions = 0

    def grade(self, assignment: Assignment, data: bytes, **changes: Any) -> Graded:
        """Grade; afterwards `judged` are the parts that were judged anew and `sessions` counts how
        often cells were run.
        """
        self.judged.clear()
        self.sessions = 0
        return grade_bytes(
            assignment,
            data,
            "small.ipynb",
            self.engine,
            SubmissionInfo(students=["ada"]),
            verdicts=self.verdicts,
            **changes,
        )


@pytest.fixture
def counted(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counted]:
    made = Counted(engine, tmp_path / "verdicts")
    true_judge, true_session = judge.judge, Engine.session

    def judging(assignment: Assignment, part: Any, *rest: Any, **named: Any) -> Any:
        made.judged.append(part.id)
        return true_judge(assignment, part, *rest, **named)

    def session(self: Engine, *rest: Any, **named: Any) -> Any:
        made.sessions += 1
        return true_session(self, *rest, **named)

    monkeypatch.setattr(judge, "judge", judging)
    monkeypatch.setattr(Engine, "session", session)
    yield made


@pytest.fixture
def small(tmp_path: Path) -> Assignment:
    return homework.assignment(tmp_path / "source")


def changed(tmp_path: Path, before: str, after: str) -> Assignment:
    """The small assignment with one text replaced by another."""
    assert homework.SOURCE.count(before) == 1
    path = tmp_path / "changed" / "small" / "small.py"
    path.parent.mkdir(parents=True)
    path.write_text(homework.SOURCE.replace(before, after))
    return homework.load(path)


def without_time(graded: Graded) -> dict[str, Any]:
    return json.loads(graded.result.to_json()) | {"graded_at": ""}


def test_the_same_work_is_graded_once(counted: Counted, small: Assignment) -> None:
    first = counted.grade(small, Notebook(small, ANSWERS).bytes())
    assert counted.sessions == 1 and set(counted.judged) == {"double", "total", "scale", "pick"}
    again = counted.grade(small, Notebook(small, ANSWERS).bytes())
    assert counted.sessions == 0 and counted.judged == []
    assert without_time(again) == without_time(first)
    assert (again.staff, again.notebook) == (first.staff, first.notebook)


def test_untouched_notebooks_are_graded_once_whoever_hands_them_in(
    counted: Counted, small: Assignment
) -> None:
    counted.grade(small, Notebook(small, {}).bytes())
    other = Notebook(small, {})
    other.insert("", "A remark of mine.", "markdown")
    assert counted.grade(small, other.bytes()).result.points.earned == 0
    assert counted.judged == []


def test_prose_moves_cells_but_no_verdict(counted: Counted, small: Assignment) -> None:
    counted.grade(small, Notebook(small, ANSWERS).bytes())
    other = Notebook(small, ANSWERS)
    other.insert("", "A remark of mine.", "markdown")
    graded = counted.grade(small, other.bytes())
    assert counted.judged == [] and graded.result.points.earned == 6
    assert [cell.get("outputs") for cell in graded.notebook["cells"] if cell["cell_type"] == "code"]  # type: ignore[index]


@pytest.mark.parametrize("cell", ["UNIT = 2.0", "# only a remark"])
def test_a_cell_of_the_students_own_regrades(
    counted: Counted, small: Assignment, cell: str
) -> None:
    counted.grade(small, Notebook(small, ANSWERS).bytes())
    other = Notebook(small, ANSWERS)
    other.insert("", cell, "code")
    counted.grade(small, other.bytes())
    assert set(counted.judged) == {"double", "total", "scale", "pick"}


def test_a_question_with_other_tests_is_judged_anew_and_no_other(
    counted: Counted, small: Assignment, tmp_path: Path
) -> None:
    data = Notebook(small, ANSWERS).bytes()
    counted.grade(small, data)
    stricter = changed(
        tmp_path,
        "assert np.allclose(scale([1.0, 3.0]), [0.25, 0.75])",
        "assert np.allclose(scale([1.0, 4.0]), [0.25, 0.75])",
    )
    graded = counted.grade(stricter, data)
    assert set(counted.judged) == {"scale"}
    assert {p.id: p.earned for p in graded.result.parts} == {
        "double": 2,
        "total": 1,
        "scale": 1.5,
        "pick": 1,
        "why": 0,
    }
    afresh = grade_bytes(stricter, data, "small.ipynb", counted.engine, SubmissionInfo())
    assert [(c.name, c.outcome, c.message) for p in graded.result.parts for c in p.cases] == [
        (c.name, c.outcome, c.message) for p in afresh.result.parts for c in p.cases
    ]


@pytest.mark.parametrize(
    ("before", "after", "judged"),
    [
        # a cell that runs
        (
            "import numpy as np\n\nUNIT = 1.0",
            "import numpy as np\n\nUNIT = 1.5",
            {"double", "total", "scale", "pick"},
        ),
        ("data = np.arange(3, 6)", "data = np.arange(3, 7)", {"double", "total", "scale", "pick"}),
        (
            '@test_case(points=1, failure_message="Try 3 and -1.")',
            '@test_case(points=2, failure_message="Try 3 and -1.")',
            {"double"},
        ),
        ("total = 3 + 4 + 5  # SOLUTION", "total = 3 + 4 + 6  # SOLUTION", {"total"}),
        ('{"24": "each number went in twice"}', '{"24": "each was counted twice"}', {"total"}),
        ("Divide by the sum.", "Divide by the sum of all.", set()),  # prose
        ("cell_s: 2", "cell_s: 3", {"double", "total", "scale", "pick"}),
    ],
)
def test_what_a_verdict_depends_on(
    counted: Counted, small: Assignment, tmp_path: Path, before: str, after: str, judged: set[str]
) -> None:
    data = Notebook(small, ANSWERS).bytes()
    counted.grade(small, data)
    counted.grade(changed(tmp_path, before, after), data)
    assert set(counted.judged) == judged


def test_another_seed_is_another_verdict(counted: Counted, small: Assignment) -> None:
    counted.grade(small, Notebook(small, ANSWERS).bytes())
    counted.grade(small, Notebook(small, ANSWERS).bytes(), seed=2)
    assert set(counted.judged) == {"double", "total", "scale", "pick"}


def test_a_timeout_does_not_stick(counted: Counted, small: Assignment) -> None:
    data = Notebook(small, ANSWERS | {"double": "def double(x):\n    while True: pass"}).bytes()
    outcomes = []
    for _ in range(2):
        graded = counted.grade(small, data)
        outcomes.append([case.outcome for case in graded.result.parts[0].cases])
        assert "double" in counted.judged
    assert "timed_out" in outcomes[0] and outcomes[0] == outcomes[1]
    assert set(counted.judged) == {"double"}  # the others are known


def test_a_stopped_cell_is_run_again(counted: Counted, small: Assignment) -> None:
    notebook = Notebook(small, ANSWERS)
    notebook.insert("", "while True: pass", "code")
    for _ in range(2):
        graded = counted.grade(small, notebook.bytes())
        assert counted.sessions and any(
            "stopped" in problem.message for problem in graded.result.problems
        )


def test_a_damaged_entry_is_as_good_as_none(counted: Counted, small: Assignment) -> None:
    data = Notebook(small, ANSWERS).bytes()
    first = counted.grade(small, data)
    entries = list(counted.verdicts.folder.rglob("*.json"))
    assert len(entries) == 5, "four parts, and what the cells showed"
    for number, path in enumerate(entries):
        path.write_text(path.read_text()[:-20] if number % 2 else "")
    again = counted.grade(small, data)
    assert set(counted.judged) == {"double", "total", "scale", "pick"}
    assert again.result.points == first.result.points


@pytest.mark.parametrize(
    "before",
    [
        "",
        "import setuptools, torch.utils.cpp_extension",
        "import sys; sys.path.insert(0, 'elsewhere')",
    ],
)
def test_the_environment_is_what_is_installed_not_what_happens_to_be_imported(
    before: str, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere" / "strange-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Name: strange\nVersion: 1.0\n")
    program = (
        f"{before}\nfrom autogradient.model.environment import "
        "environment_digest\nprint(environment_digest())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=True,
    )
    assert run.stdout.strip() == environment_digest()
