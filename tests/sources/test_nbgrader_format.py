from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from autogradient import errors
from autogradient.errors import SourceErrors
from autogradient.sources import messages, nbgrader_format
from autogradient.sources.formats import load_assignment

INSTALLED = Path(nbgrader.__file__).parent
SQUARES = (
    "def squares(n):\n    ### BEGIN SOLUTION\n    return [i**2 for i in range(1, n + "
    "1)]\n    ### END SOLUTION"
)
CHECK = (
    "assert squares(1) == [1]\n### BEGIN HIDDEN TESTS\nassert squares(2) == [1, 4]\n### END "
    "HIDDEN TESTS"
)


def marking(grade_id: str, schema: int = 3, **keys: Any) -> dict[str, Any]:
    data = {
        "grade": False,
        "solution": False,
        "locked": False,
        "grade_id": grade_id,
        "schema_version": schema,
        **keys,
    }
    return {"nbgrader": data | ({"task": data.get("task", False)} if schema == 3 else {})}


def answer(source: str, grade_id: str, **keys: Any) -> Any:
    return new_code_cell(source, metadata=marking(grade_id, solution=True, **keys))


def check(source: str, grade_id: str, points: Any = 1, **keys: Any) -> Any:
    return new_code_cell(
        source, metadata=marking(grade_id, grade=True, locked=True, points=points, **keys)
    )


def essay(source: str, grade_id: str, points: Any = 1, **keys: Any) -> Any:
    return new_markdown_cell(
        source, metadata=marking(grade_id, grade=True, solution=True, points=points, **keys)
    )


def write(folder: Path, *cells: Any, **metadata: Any) -> Path:
    path = folder / "homework.ipynb"
    nbformat.write(new_notebook(cells=list(cells), metadata=metadata), path)
    return path


def mistakes(folder: Path, *cells: Any, **metadata: Any) -> list[tuple[int, str]]:
    with pytest.raises(SourceErrors) as caught:
        nbgrader_format.load(write(folder, *cells, **metadata))
    assert all(
        mistake.file.endswith("homework.ipynb") and mistake.line == 0
        for mistake in caught.value.mistakes
    )
    return [(mistake.cell, mistake.message) for mistake in caught.value.mistakes]


def whole(schema: int) -> list[Any]:
    scheme = "Do it.\n### BEGIN MARK SCHEME\nOne point each.\n### END MARK SCHEME"
    task = [new_markdown_cell(scheme, metadata=marking("a-task", task=True, locked=True, points=4))]
    return [
        new_markdown_cell("# Squares and sums"),
        new_code_cell("import numpy as np"),
        new_code_cell("n = 3", metadata=marking("data", schema, locked=True)),
        answer(SQUARES, "squares-answer", schema=schema),
        check(CHECK, "squares_right", 0.1, schema=schema),
        check("assert squares(0) == []", "squares-empty", 0.5, schema=schema),
        essay("The sum is n(n+1)(2n+1)/6.", "formula", 2, schema=schema),
        new_code_cell(
            "x = 3\nplot(x)", metadata=marking("plot", schema, grade=True, solution=True, points=3)
        ),
        *(task if schema == 3 else []),
    ]


@pytest.mark.parametrize("schema", [1, 2, 3])
def test_every_schema_gives_the_same_assignment(tmp_path: Path, schema: int) -> None:
    assignment = nbgrader_format.load(write(tmp_path, *whole(schema)), seed=7)
    assert (assignment.name, assignment.title, assignment.format, assignment.seed) == (
        "homework",
        "Squares and sums",
        "nbgrader",
        7,
    )
    assert [(c.role, c.target, c.grade_id) for c in assignment.cells[:8]] == [
        ("text", "", ""),
        ("scratch", "", ""),
        ("given", "", "data"),
        ("answer", "squares_right", "squares-answer"),
        ("check", "squares_right", "squares_right"),
        ("check", "squares-empty", "squares-empty"),
        ("answer", "formula", "formula"),
        ("answer", "plot", "plot"),
    ]
    found = [
        (p.id, p.kind, p.points, p.names, [(c.name, c.title, c.hidden, c.points) for c in p.cases])
        for p in assignment.parts[:4]
    ]
    assert found == [
        (
            "squares_right",
            "code",
            Fraction(1, 10),
            ("squares",),
            [("cell", "squares right", True, Fraction(1, 10))],
        ),
        (
            "squares-empty",
            "code",
            Fraction(1, 2),
            ("squares",),
            [("cell", "squares empty", False, Fraction(1, 2))],
        ),
        ("formula", "essay", Fraction(2), (), []),
        ("plot", "essay", Fraction(3), ("x",), []),
    ]
    assert [question.id for question in assignment.questions] == [
        part.id for part in assignment.parts
    ]
    assert not any(question.optional for question in assignment.questions)


def test_texts_are_the_instructors_and_what_students_get(tmp_path: Path) -> None:
    assignment = nbgrader_format.load(write(tmp_path, *whole(3)))
    part = assignment.part("squares_right")
    stub = "def squares(n):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert (part.style, part.solution, part.stub) == ("cell", SQUARES, stub)
    assert part.tests == "assert squares(1) == [1]\nassert squares(2) == [1, 4]"
    cells = {cell.grade_id: cell for cell in assignment.cells}
    assert cells["squares_right"].source == CHECK == cells["squares_right"].metadata["solution"]
    assert cells["squares_right"].metadata["released"] == "assert squares(1) == [1]"
    assert cells["squares-answer"].metadata == {"released": stub, "solution": SQUARES}
    assert assignment.part("formula").stub == "YOUR ANSWER HERE"
    assert assignment.part("plot").stub == "# YOUR CODE HERE\nraise NotImplementedError()"
    task = assignment.part("a-task")
    assert (task.kind, task.points, task.stub.strip(), task.rubric_text) == (
        "essay",
        4,
        "Do it.",
        "One point each.",
    )
    assert (cells["a-task"].role, cells["a-task"].target) == ("text", "a-task")
    assert (assignment.part("squares-empty").solution, assignment.part("squares-empty").stub) == (
        "",
        "",
    )


def test_several_answer_cells_belong_to_the_check_after_them(tmp_path: Path) -> None:
    first, second = "a = 1 ### BEGIN SOLUTION\n### END SOLUTION", "def b():\n    return 2"
    cells = [
        answer(first, "s1"),
        essay("Why?", "why"),
        answer(second, "s2"),
        check("assert a + b() == 3", "both"),
        answer("z = 1", "last"),
    ]
    assignment = nbgrader_format.load(write(tmp_path, *cells))
    assert [cell.role for cell in assignment.cells] == [
        "answer",
        "answer",
        "answer",
        "check",
        "answer",
    ]
    assert [cell.target for cell in assignment.cells] == ["both", "why", "both", "both", ""]
    assert assignment.part("both").names == ("a", "b")
    assert assignment.part("both").solution == f"{first}\n\n{second}"


def test_a_released_notebook_loads_with_its_stubs(tmp_path: Path) -> None:
    from nbgrader.utils import compute_checksum

    stub = "def squares(n):\n    # write me\n    pass"
    cells = [
        answer(stub, "s"),
        check("assert squares(1) == [1]", "c", 2),
        essay("YOUR ANSWER HERE\n\n(in two sentences)", "e"),
    ]
    cells[0].metadata.nbgrader["checksum"] = compute_checksum(cells[0])
    assignment = nbgrader_format.load(write(tmp_path, *cells))
    assert assignment.part("c").stub == assignment.part("c").solution == stub
    assert assignment.part("e").stub == "YOUR ANSWER HERE\n\n(in two sentences)"
    cells[0].source += "\n    return 3"  # solved since: not what was released
    assert (
        nbgrader_format.load(write(tmp_path, *cells)).part("c").stub.startswith("# YOUR CODE HERE")
    )


def test_files_beside_it_come_along_but_nothing_private(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in (
        "data/x.csv",
        "picture.png",
        "other.ipynb",
        ".hidden",
        "gradebook.db",
        "hw-autograder_1.zip",
    ):
        (tmp_path / name).write_text("1")
    assert nbgrader_format.load(write(tmp_path, *whole(3))).files == {
        "data/x.csv": b"1",
        "picture.png": b"1",
    }


def test_too_much_beside_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autogradient.sources.foreign.MOST_FILES", 1)
    for name in "ab":
        (tmp_path / name).write_text("1")
    with pytest.raises(SourceErrors, match="more than 1 files beside the assignment"):
        nbgrader_format.load(write(tmp_path, *whole(3)))


def drop(cell: Any, key: str) -> Any:
    del cell.metadata.nbgrader[key]
    return cell


BROKEN: list[tuple[Any, list[str]]] = [
    ([check("1", "a"), check("2", "a")], [messages.NB_REPEATED_ID.format(id="a", first=1)]),
    ([drop(check("1", "a"), "points")], [messages.NB_NO_POINTS.format(id="a")]),
    ([drop(check("1", "a"), "grade_id")], [messages.NB_NO_ID]),
    ([check("1", "")], [messages.NB_NO_ID]),
    ([check("1", "a", -1)], [messages.NB_BAD_POINTS.format(points=-1, id="a")]),
    ([check("1", "a", "two")], [messages.NB_BAD_POINTS.format(points="two", id="a")]),
    ([check("1", "a", True)], [messages.NB_BAD_POINTS.format(points=True, id="a")]),
    ([check("1", "a", float("nan"))], [messages.NB_BAD_POINTS.format(points="nan", id="a")]),
    (
        [new_markdown_cell("x", metadata=marking("a", grade=True, points=1))],
        [messages.NB_NO_ANSWER.format(id="a", got="Markdown")],
    ),
    (
        [new_raw_cell("x", metadata=marking("a", grade=True, points=1))],
        [messages.NB_NO_ANSWER.format(id="a", got="raw")],
    ),
    (
        [new_markdown_cell("x", metadata=marking("a", solution=True))],
        [messages.NB_NO_MARKS.format(id="a", got="Markdown")],
    ),
    (
        [new_code_cell("x", metadata=marking("a", task=True, points=1))],
        [messages.NB_TASK_TYPE.format(id="a", got="code")],
    ),
    (
        [new_markdown_cell("x", metadata=marking("a", task=True))],
        [messages.NB_NO_POINTS.format(id="a")],
    ),
    ([check("1", "a", schema=4)], [messages.NB_TOO_NEW.format(version=4, newest=3)]),
    (
        [check("1", "a b")],
        [messages.NB_BAD_METADATA.format(problem=r"'a b' does not match '^[a-zA-Z0-9_\\-]*$'")],
    ),
    (
        [new_code_cell("x", metadata={"nbgrader": ["a"]})],
        [
            messages.NB_BAD_METADATA.format(
                problem="list indices must be integers or slices, not str"
            )
        ],
    ),
    ([answer("### BEGIN SOLUTION\n1", "a")], [messages.NB_UNCLOSED.format(what="SOLUTION")]),
    ([answer("1\n### END SOLUTION", "a")], [messages.NB_UNOPENED.format(what="SOLUTION")]),
    (
        [answer("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "a")],
        [messages.NB_NESTED.format(what="SOLUTION")],
    ),
    (
        [new_code_cell("### BEGIN SOLUTION\n### END SOLUTION")],
        [messages.NB_MISPLACED.format(what="solution lines", expected="an answer")],
    ),
    (
        [answer("### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS", "a")],
        [messages.NB_MISPLACED.format(what="hidden tests", expected="graded")],
    ),
    ([check("### BEGIN HIDDEN TESTS\n1", "a")], [messages.NB_UNCLOSED.format(what="HIDDEN TESTS")]),
    ([check("assert (", "a")], [errors.BAD_SYNTAX.format(problem="'(' was never closed")]),
    (
        [check("### HASHED AUTOTEST f(1)", "a")],
        [messages.NB_AUTOTEST.format(marker="### HASHED AUTOTEST")],
    ),
]


@pytest.mark.parametrize(("cells", "expected"), BROKEN)
def test_mistakes(tmp_path: Path, cells: list[Any], expected: list[str]) -> None:
    assert mistakes(tmp_path, *cells) == [(len(cells), message) for message in expected]


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        drop(check("assert (", "a"), "points"),
        answer("### BEGIN SOLUTION", "b"),
        check("1", "b"),
    )
    assert [cell for cell, _ in found] == [1, 1, 2, 3]


def test_what_is_no_python_notebook(tmp_path: Path) -> None:
    kernel = {"name": "ir", "language": "R", "display_name": "R"}
    assert mistakes(tmp_path, *whole(3), kernelspec=kernel) == [
        (0, messages.FOREIGN_NOT_PYTHON.format(language="R"))
    ]
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    with pytest.raises(SourceErrors, match="no notebook that JupyterLab could open"):
        nbgrader_format.load(broken)


def test_magics_in_a_check_are_no_mistake(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        answer("%matplotlib inline\nf = abs", "s"),
        check("%matplotlib inline\nfiles = !ls\nassert f(-1) == 1", "a"),
    )
    assert nbgrader_format.load(path).part("a").names == ("f",)


def test_what_counts_as_an_nbgrader_notebook(tmp_path: Path) -> None:
    assert nbgrader_format.is_nbgrader(write(tmp_path, *whole(1)))
    assert not nbgrader_format.is_nbgrader(
        write(tmp_path, *whole(3), autogradient={"format": 1, "assignment": "x"})
    )
    assert not nbgrader_format.is_nbgrader(write(tmp_path, new_code_cell("1")))
    assert not nbgrader_format.is_nbgrader(tmp_path / "nothing.ipynb")
    assert not nbgrader_format.is_nbgrader(tmp_path)
    (tmp_path / "homework.ipynb").write_text("{")
    assert not nbgrader_format.is_nbgrader(tmp_path / "homework.ipynb")


EXAMPLES = sorted((INSTALLED / "docs/source/user_guide").glob("*/ps1/problem1.ipynb"))


@pytest.mark.skipif(not EXAMPLES, reason="nbgrader is installed without its examples")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.parent.name)
def test_nbgraders_own_example_with_its_release(path: Path) -> None:
    assignment = load_assignment(path)
    assert [(part.id, part.points) for part in assignment.parts] == [
        ("correct_squares", 1),
        ("squares_invalid_input", 1),
        ("correct_sum_of_squares", Fraction(1, 2)),
        ("sum_of_squares_uses_squares", Fraction(1, 2)),
        ("sum_of_squares_equation", 1),
        ("sum_of_squares_application", 2),
        ("cell-938593c4a215c6cc", 4),
    ]
    released = nbformat.read(
        INSTALLED / "docs/source/user_guide/release/ps1/problem1.ipynb", as_version=4
    )
    texts = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in released.cells
        if "nbgrader" in cell.metadata
    }
    assert {
        cell.grade_id: cell.metadata["released"] for cell in assignment.cells if cell.grade_id
    } == texts


FILES = sorted((INSTALLED / "tests/apps/files").glob("test-v[012].ipynb"))


@pytest.mark.skipif(not FILES, reason="nbgrader is installed without its tests")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nbgraders_old_schemas(path: Path) -> None:
    assert nbgrader_format.load(path).points == 6
