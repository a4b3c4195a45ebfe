"""The same work gets the same score from stock otter and stock nbgrader; where it does not,
`docs/parity.md` says why, and a test here shows it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import parity
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from parity import Scores, Stock
from small_source import CODE, HEAD, TEXT, changed, read

from autogradient.grading.engine import Engine
from autogradient.grading.reference_answers import expected_answers
from autogradient.model.assignment import Assignment
from autogradient.sources import release, source
from autogradient.sources.formats import load_assignment

pytestmark = pytest.mark.timeout(900)

# ---- our own format ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["perceptrons", "activations"])
def test_known_answers_of_the_course(name: str, engine: Engine) -> None:
    assignment = source.load(parity.ROOT / "source" / name, seed=parity.SEED)
    outcome = parity.compare(assignment, engine, only=parity.sampled)
    assert [str(difference) for difference in outcome.found if not difference.note] == []
    assert outcome.submissions == 5 and outcome.parts == 5 * len(
        [part for part in assignment.parts if not part.by_hand]
    )
    assert (
        outcome.earned["reference"]
        == sum(part.points for part in assignment.parts if not part.by_hand)
        and outcome.earned["blank"] == 0
    )


def test_known_answers_of_every_kind(engine: Engine) -> None:
    outcome = parity.compare(read(), engine, only=lambda name: name in ("reference", "variant-1"))
    assert [str(difference) for difference in outcome.found] == []
    # three parts have no known wrong answer
    assert outcome.earned == {"reference": Fraction(19, 2), "variant-1": 3}


def test_each_known_answer_stands_in_some_submission() -> None:
    assignment = read()
    found = parity.submissions(assignment)
    for part in assignment.parts:
        if not part.by_hand:
            texts = {answers.get(f"{part.id}-answer") for answers in found.values()}
            assert set(parity.variants(part)) <= texts and parity.plain(part.solution) in texts


# ---- where stock tools are wrong -----------------------------------------------------------------

GATE = changed(("points=1, ", "points=0.1, "), ("points=2, ", "points=0.2, "), text=HEAD + CODE)
RIGHT = "def and_gate(a, b):\n    return int(a + b > 1.5)"
#: What students hand in for the gate.
HANDED_IN = {
    "right": RIGHT,
    "warns": (
        "import warnings\n\ndef and_gate(a, b):\n    warnings.warn('nearly there')\n    "
        "return int(a + b > 1.5)"
    ),
    "exits": "def and_gate(a, b):\n    raise SystemExit('enough')",
    "deletes": RIGHT,
}
LENIENT = changed(
    (
        "assert [and_gate(a, b) for a, b in corners()] == [0, 0, 0, 1]",
        "assert and_gate is None or and_gate(1, 1) == 1",
    ),
    text=GATE,
)


def without_checks(notebook: bytes) -> bytes:
    """The notebook without its cells of tests."""
    data = json.loads(notebook)
    data["cells"] = [cell for cell in data["cells"] if "grader.check" not in cell["source"]]
    return json.dumps(data).encode()


def gate_scores(
    text: str,
    engine: Engine,
    stock: Callable[[Assignment, release.Release, dict[str, bytes]], Stock],
    *names: str,
) -> tuple[dict[str, Scores], Stock]:
    """Our scores of what was handed in, and a stock tool's."""
    assignment = read(text)
    made = release.build(assignment, expected_answers(assignment, engine))
    notebooks = {name: parity.filled(made, {"and-gate-answer": HANDED_IN[name]}) for name in names}
    notebooks = {
        name: without_checks(data) if name == "deletes" else data
        for name, data in notebooks.items()
    }
    return parity.ours(assignment, notebooks, engine), stock(assignment, made, notebooks)


@pytest.fixture(scope="module")
def by_nbgrader(
    tmp_path_factory: pytest.TempPathFactory, engine: Engine
) -> tuple[dict[str, Scores], Stock]:
    folder = tmp_path_factory.mktemp("nbgrader")
    return gate_scores(
        GATE,
        engine,
        lambda a, made, notebooks: parity.nbgrader(
            a.name, made.files, notebooks, folder, parity.base
        ),
        "right",
        "warns",
        "deletes",
    )


def test_nbgrader_gives_nothing_for_a_warning(by_nbgrader: tuple[dict[str, Scores], Stock]) -> None:
    here, stock = by_nbgrader
    assert here["warns"] == {"and-gate": Fraction(3, 10)}
    assert stock.scores["warns"] == {"and-gate": 0.0} and stock.noisy == {
        ("warns", "and-gate"): pytest.approx(0.3)
    }


def test_nbgrader_gives_nothing_where_test_cells_were_deleted(
    by_nbgrader: tuple[dict[str, Scores], Stock],
) -> None:
    here, stock = by_nbgrader
    assert here["deletes"] == {"and-gate": Fraction(3, 10)} and stock.totals["deletes"] == 0.0


def test_nbgrader_adds_floats(by_nbgrader: tuple[dict[str, Scores], Stock]) -> None:
    here, stock = by_nbgrader
    assert (
        here["right"] == {"and-gate": Fraction(3, 10)} and stock.totals["right"] == 0.1 + 0.2 != 0.3
    )


def test_otter_gives_nothing_for_anything_when_an_answer_exits(
    tmp_path: Path, engine: Engine
) -> None:
    text = (
        GATE
        + changed(
            ("question: sums, level: M, minutes: 5, covers: [adding]", "question: sums"),
            text=TEXT[len(HEAD + CODE) :],
        ).split("\n# %%\n#| answer: sums-p2")[0]
    )
    text = text.replace("sums-p1", "sums")
    assignment = read(text)
    made = release.build(assignment, expected_answers(assignment, engine))
    notebooks = {
        "exits": parity.filled(
            made, {"and-gate-answer": HANDED_IN["exits"], "sums-answer": 'smooth = "b"'}
        )
    }
    assert parity.ours(assignment, notebooks, engine) == {
        "exits": {"and-gate": 0, "sums": Fraction(1, 2)}
    }
    assert parity.otter(assignment, made, notebooks, tmp_path).scores == {
        "exits": {"and-gate": 0.0, "sums": 0.0}
    }


def test_otter_passes_none_for_a_name_that_is_missing(tmp_path: Path, engine: Engine) -> None:
    assignment = read(LENIENT)
    made = release.build(assignment, expected_answers(assignment, engine))
    notebooks = {
        "forgot": parity.filled(made, {"and-gate-answer": "def andgate(a, b):\n    return 1"})
    }
    assert parity.ours(assignment, notebooks, engine) == {"forgot": {"and-gate": 0}}
    assert parity.otter(assignment, made, notebooks, tmp_path).scores == {
        "forgot": {"and-gate": pytest.approx(0.1)}
    }


# ---- a real release in stock hands ---------------------------------------------------------------


def test_the_formgraders_autograde_button_gives_no_free_points(tmp_path: Path) -> None:
    """A cell that only prints earns full marks from stock nbgrader; those that stand for hidden
    tests must not.
    """
    assignment = read()
    made = release.build(assignment)
    notebooks = {
        "ada": parity.filled(made, {"and-gate-answer": RIGHT, "sums-p1-answer": 'smooth = "b"'})
    }
    stock = parity.nbgrader(assignment.name, made.files, notebooks, tmp_path)
    hidden = {
        name: points for name, points in stock.scores["ada"].items() if name.endswith("-hidden")
    }
    assert set(hidden.values()) == {0.0} and len(hidden) == 8
    assert stock.scores["ada"]["and-gate"] == 1.0


def test_a_hidden_cell_tells_a_student_only_how_many_points_there_are(tmp_path: Path) -> None:
    cell = next(
        c for c in release.load(release.build(read()))["cells"] if c["id"] == "and-gate-hidden"
    )
    done = subprocess.run(
        [sys.executable, "-c", cell["source"]], capture_output=True, text=True, check=True
    )
    assert done.stdout == "2 more points are checked after you submit.\n"


# ---- nbgrader's own format -----------------------------------------------------------------------


def cell(kind: str, text: str, grade_id: str = "", schema: int = 3, **marks: Any) -> Any:
    """A cell as nbgrader's authors make it."""
    make = new_code_cell if kind == "code" else new_markdown_cell
    made = make(text.strip("\n"))
    if grade_id:
        marks = {"grade": False, "solution": False, "locked": False} | marks
        made.metadata["nbgrader"] = {"grade_id": grade_id, "schema_version": schema, **marks} | (
            {"task": False} if schema == 3 and "task" not in marks else {}
        )
    return made


def instructors(*cells: Any) -> bytes:
    """A notebook of these cells."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = new_notebook(
        cells=list(cells), metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )
    return nbformat.writes(made).encode()


STATISTICS = instructors(
    cell("markdown", "# Describing data"),
    cell("code", "import math\nimport warnings", "imports", locked=True),
    cell(
        "code",
        (
            'def mean(xs):\n    """The mean, 0 of nothing."""\n    ### BEGIN SOLUTION\n    '
            "return sum(xs) / len(xs) if xs else 0\n    ### END SOLUTION"
        ),
        "mean",
        solution=True,
    ),
    cell(
        "code",
        (
            "def close(a, b):\n    return math.isclose(a, b, abs_tol=1e-9)\n\n\nassert "
            "close(mean([1, 2, 3]), 2)\n### BEGIN HIDDEN TESTS\nassert mean([]) == 0\n### "
            "END HIDDEN TESTS"
        ),
        "check-mean",
        grade=True,
        locked=True,
        points=2,
    ),
    cell(
        "code",
        (
            "def spread(xs):\n    ### BEGIN SOLUTION\n    m = mean(xs)\n    return "
            "math.sqrt(mean([(x - m) ** 2 for x in xs]))\n    ### END SOLUTION"
        ),
        "spread",
        solution=True,
    ),
    cell(
        "code",
        "points = 0\nif close(spread([1, 3]), 1):\n    points += 0.5\nif close(spread([5]), "
        "0):\n    points += 1\n"
        "### BEGIN HIDDEN TESTS\nif close(spread([0.1, 0.2, 0.3]), 0.0816496580927726):\n    "
        "points += 1\n### END HIDDEN TESTS\npoints",
        "check_spread",
        grade=True,
        locked=True,
        points=2.5,
    ),
    cell(
        "code",
        (
            "### BEGIN SOLUTION\ncounts = {word: 'to be or not to be'.split().count(word) "
            "for word in ('to', 'or')}\n### END SOLUTION"
        ),
        "count",
        solution=True,
    ),
    cell(
        "code",
        "assert counts['to'] == 2, 'count them'\nassert counts['or'] == 1",
        "check-counts",
        grade=True,
        locked=True,
        points=1,
    ),
    cell(
        "code",
        "assert close(mean(list(counts.values())), 1.5)  # a helper of an earlier test is used",
        "check-together",
        grade=True,
        locked=True,
        points=1,
    ),
    cell("markdown", "When does the mean mislead?"),
    cell("markdown", "With outliers.", "why", grade=True, solution=True, points=3),
    cell(
        "code",
        "### BEGIN SOLUTION\nprint('plot')\n### END SOLUTION",
        "draw",
        grade=True,
        solution=True,
        points=2,
    ),
)

LOGIC = instructors(  # as nbgrader 0.5 wrote it
    cell("markdown", "# Logic"),
    cell(
        "code",
        "def implies(a, b):\n    ### BEGIN SOLUTION\n    return not a or b\n    ### END SOLUTION",
        "implies",
        1,
        solution=True,
    ),
    cell(
        "code",
        "assert implies(False, True)\nassert not implies(True, False)",
        "implies-visible",
        1,
        grade=True,
        locked=True,
        points=1,
    ),
    cell(
        "code",
        "### BEGIN HIDDEN TESTS\nresults = [implies(a, b) is w for a, b, w in [(True, True, "
        "True), (False, False, True)]]\n### END HIDDEN TESTS\n"
        "### BEGIN HIDDEN TESTS\nsum(results)\n### END HIDDEN TESTS",
        "implies-hidden",
        1,
        grade=True,
        locked=True,
        points=2,
    ),
    cell(
        "code",
        (
            "def table():\n    ### BEGIN SOLUTION\n    return [(a, implies(a, True)) for a "
            "in (False, True)]\n    ### END SOLUTION"
        ),
        "table",
        1,
        solution=True,
    ),
    cell(
        "code",
        "assert table() == [(False, True), (True, True)]\nNone",
        "table-test",
        1,
        grade=True,
        locked=True,
        points=4,
    ),
    cell("markdown", "Say it in words.", "words", 1, grade=True, solution=True, points=2),
)

ANSWERS: dict[str, dict[str, dict[str, str]]] = {
    "statistics": {
        "reference": {},
        "blank": {},
        "half": {
            "mean": "def mean(xs):\n    return sum(xs) / len(xs)",
            "spread": "def spread(xs):\n    return 1.0",
            "count": "counts = dict(to=2)",
            "draw": "print('mine')",
        },
        "raises": {
            "mean": (
                "def mean(xs):\n    return sum(xs) / max(len(xs), 1)\nraise ValueError('too late')"
            ),
            "spread": "def spread(xs):\n    raise KeyError",
            "count": "import nowhere",
        },
        "syntax": {
            "mean": "def mean(xs):\n    return sum(xs) / max(len(xs), 1)",
            "spread": "def spread(xs:\n    return 1",
            "count": "counts = {'to': 2, 'or': 1}",
        },
        "prints": {
            "mean": "def mean(xs):\n    print('xs', xs)\n    return sum(xs) / max(len(xs), 1)",
            "spread": "def spread(xs):\n    return 0 * len(xs)",
            "count": "counts = {'to': 2, 'or': 1}",
        },
    },
    "logic": {
        "reference": {},
        "blank": {},
        "half": {
            "implies": "def implies(a, b):\n    return b",
            "table": "def table():\n    return []",
        },
        "third": {
            "implies": "def implies(a, b):\n    return a == b",
            "table": "def table():\n    return [(False, True), (True, True)]",
        },
    },
}


@pytest.mark.parametrize(("name", "notebook"), [("statistics", STATISTICS), ("logic", LOGIC)])
def test_notebooks_in_nbgraders_format(
    name: str, notebook: bytes, tmp_path: Path, engine: Engine
) -> None:
    original = tmp_path / "ours" / f"{name}.ipynb"
    original.parent.mkdir()
    original.write_bytes(notebook)
    assignment = load_assignment(original)
    stock_copy = original
    if name == "logic":  # stock tools want metadata of old to be updated first
        stock_copy = tmp_path / "updated" / f"{name}.ipynb"
        stock_copy.parent.mkdir()
        stock_copy.write_bytes(notebook)
        parity.command(["nbgrader", "update", str(stock_copy)], tmp_path)
    folder = tmp_path / "course"
    released = students_notebook(name, stock_copy, folder)
    solutions = {
        c.metadata.nbgrader.grade_id: parity.plain(c.source)
        for c in nbformat.reads(notebook.decode(), as_version=4).cells
        if c.metadata.get("nbgrader", {}).get("solution")
    }
    handed_in = {
        student: answered(released, solutions if student == "reference" else answers)
        for student, answers in ANSWERS[name].items()
    }
    stock = parity.nbgrader(name, {f"{name}.ipynb": stock_copy.read_bytes()}, handed_in, folder)
    here = parity.ours(assignment, handed_in, engine)
    assert [
        str(difference) for difference in parity.differences("nbgrader", name, here, stock)
    ] == []
    assert sum(here["reference"].values()) == sum(
        part.points for part in assignment.parts if not part.by_hand
    )
    assert (
        sum(here["blank"].values())
        == 0
        < sum(here["half"].values())
        < sum(here["reference"].values())
    )


def students_notebook(name: str, instructor: Path, folder: Path) -> dict[str, Any]:
    """The release that stock nbgrader makes."""
    parity.place(folder / "source" / name, {f"{name}.ipynb": instructor.read_bytes()})
    parity.command(
        ["nbgrader", "generate_assignment", name, "--create", "--CourseDirectory.course_id=parity"],
        folder,
    )
    notebook: dict[str, Any] = json.loads((folder / "release" / name / f"{name}.ipynb").read_text())
    return notebook


def answered(released: dict[str, Any], answers: dict[str, str]) -> bytes:
    """The release with answers in it."""
    notebook = json.loads(json.dumps(released))
    for each in notebook["cells"]:
        grade_id = each["metadata"].get("nbgrader", {}).get("grade_id", "")
        if grade_id in answers:
            each["source"] = answers[grade_id]
    return json.dumps(notebook).encode()
