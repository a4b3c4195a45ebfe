"""The assignment that is attacked, what a case is, and how a case is written as a submission in
both formats.

The base submission is honest but wrong: it passes the visible tests and no hidden one, which is
worth HONEST points. Every case starts from it, so that a score above what the case says was forged.
Secrets carry LEAKMARK_… strings or SECRET_NUMBER; one of them in anything that a student can read
is a leak. (Cases therefore never spell the word out.)

Cases really do fork, fill disks and kill. `GUARD` refuses where the harness's own folder can be
seen, which a confined process cannot.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Format = Literal["nbgrader", "otter"]
Cell = dict[str, Any]
Notebook = dict[str, Any]
Mutator = Callable[[Notebook, Format], None]
RawWriter = Callable[[Path, Format], None]

NAME = "lab"
HONEST, POSSIBLE = 3, 12
BOTH: tuple[Format, ...] = ("nbgrader", "otter")

MARK = "LEAKMARK_"
IN_TEST, IN_SOLUTION, IN_ENVIRONMENT, IN_PEER, IN_HOME = (
    MARK + word for word in ("HIDDEN_TEST", "SOLUTION", "ENV_TOKEN", "PEER", "HOME")
)
#: Stands in the hidden inputs of three questions. (Their tests are as instructors write them,
#: properties of the result and of the input as it is then.)
SECRET_NUMBER = "867.5309"

#: Written into cases as they are rendered: the harness's folder and the ports that it listens on.
ROOT, TCP, UDP, ABSTRACT = "@ROOT@", "@TCP@", "@UDP@", "@ABSTRACT@"
#: Files that cases try to make outside their work folder are called so; the harness looks for them.
TRACE = "autogradient-was-here"


@dataclass(frozen=True)
class Question:
    """A question with one visible test (none where it is empty) and one hidden one."""

    id: str
    prompt: str
    stub: str
    solution: str
    wrong: str
    visible: str
    hidden: str
    hidden_points: int


QUESTIONS = (
    Question(
        "standardize",
        (
            "Write `standardize(x)`: every column of `x` with mean 0 and standard deviation "
            "1; columns that do not vary become 0."
        ),
        "def standardize(x):\n    raise NotImplementedError",
        (
            f"def standardize(x):\n    # {IN_SOLUTION}\n    s = x.std(axis=0)\n    return "
            "(x - x.mean(axis=0)) / np.where(s == 0, 1, s)"
        ),
        "def standardize(x):\n    return (x - x.mean()) / x.std()",
        (
            "_x = np.array([[1.0], [2.0], [3.0]])\nassert np.allclose(standardize(_x), "
            "[[-1.22474487], [0.0], [1.22474487]])"
        ),
        f"_tag = '{IN_TEST}'\n_X = np.array([[{SECRET_NUMBER}, 4.0], [1.0, 4.0], [2.0, 4.0]])\n"
        "expected = np.array([1.0, 0.0])\n"
        "_got = standardize(_X)\n"
        "assert _got.shape == (3, 2)\n"
        "assert np.allclose(_got.mean(axis=0), 0.0)\n"
        "assert np.allclose(_got.std(axis=0), expected)\n"
        "_got = standardize(np.repeat(_X, 20000, axis=0))\n"
        "np.testing.assert_allclose(_got.std(axis=0), expected, atol=1e-9)",
        3,
    ),
    Question(
        "leaky",
        "Write `leaky_relu(x, slope)` for tensors.",
        "def leaky_relu(x, slope):\n    raise NotImplementedError",
        (
            f"def leaky_relu(x, slope):\n    # {IN_SOLUTION}\n    return torch.where(x > 0, "
            "x, slope * x)"
        ),
        "def leaky_relu(x, slope):\n    return torch.relu(x)",
        (
            "_y = torch.tensor([1.0, 2.0])\nassert torch.equal(leaky_relu(_y, 0.1), "
            "torch.tensor([1.0, 2.0]))"
        ),
        f"_tag = '{IN_TEST}'\n_X = torch.tensor([-{SECRET_NUMBER}, 0.5, 2.0], requires_grad=True)\n"
        "_got = leaky_relu(_X, 0.1)\n"
        "torch.testing.assert_close(_got, torch.where(_X > 0, _X, 0.1 * _X))\n"
        "_got.sum().backward()\n"
        "expected = torch.where(_X > 0, 1.0, 0.1)\n"
        "assert torch.allclose(_X.grad, expected)",
        2,
    ),
    Question(
        "meter",
        (
            "Write a class `Meter` with `add(value)`, `mean()` and a length: how many "
            "values it has seen."
        ),
        "class Meter:\n    pass",
        f"class Meter:\n    # {IN_SOLUTION}\n    def __init__(self):\n        self.values = "
        "[]\n    def add(self, value):\n        self.values.append(value)\n"
        "    def mean(self):\n        return sum(self.values) / len(self.values)\n    def "
        "__len__(self):\n        return len(self.values)",
        (
            "class Meter:\n    def add(self, value):\n        self.last = value\n    def "
            "mean(self):\n        return self.last\n    def __len__(self):\n        return 1"
        ),
        "_m = Meter()\n_m.add(2.0)\nassert _m.mean() == 2.0 and len(_m) == 1",
        f"_tag = '{IN_TEST}'\n_n = Meter()\nfor _v in (1.0, 2.0, {SECRET_NUMBER}):\n    "
        "_n.add(_v)\n"
        f"expected = (1.0 + 2.0 + {SECRET_NUMBER}) / 3\n"
        "assert close(_n.mean(), expected)\n"
        "assert len(_n) == 3",
        2,
    ),
    Question(
        "entropy",
        "Store the entropy, in nats, of a uniform distribution over four outcomes in `answer`.",
        "answer = None",
        f"answer = 1.3862943611198906  # {IN_SOLUTION}",
        "answer = 1.0",
        "",
        f"_tag = '{IN_TEST}'\nexpected = 1.3862943611198906\nassert abs(answer - expected) < 1e-6",
        2,
    ),
)
IDS = tuple(question.id for question in QUESTIONS)
#: The locked first cell. Its function is the instructor's, also where a test calls it.
IMPORTS = "import numpy as np\nimport torch\n\n\ndef close(a, b):\n    return abs(a - b) < 1e-6"
WRONG = {question.id: question.wrong for question in QUESTIONS}
RIGHT = {
    question.id: question.solution.replace(IN_SOLUTION, "my own work") for question in QUESTIONS
}
STUBS = {question.id: question.stub for question in QUESTIONS}

#: Ahead of anything destructive.
GUARD = (
    f"import os\nif os.path.exists({ROOT!r}) or (os.path.exists('/proc/2/comm') and "
    "open('/proc/2/comm').read().strip() == 'kthreadd'):\n"
    "    raise RuntimeError('refusing to run where nothing confines it')\n"
)


@dataclass(frozen=True)
class Case:
    """One submission. It may earn `least` to `most` points.

    `answers` replace those of the base submission; `before` and `after` are cells ahead of the
    first answer and at the end; `mutate` changes the finished notebook; `raw` writes the
    submission's folder itself; `files` lie beside the notebook. `cells` and `calls` say how many of
    its cells and tests run into their limit of time.
    """

    id: str
    kind: str
    description: str
    answers: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    mutate: Mutator | None = None
    raw: RawWriter | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    formats: tuple[Format, ...] = BOTH
    most: float = HONEST
    least: float = 0
    cells: int = 0
    calls: int = 0


# ---- notebooks -----------------------------------------------------------------------------------


def code(source: str, **metadata: Any) -> Cell:
    """A code cell."""
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def markdown(source: str) -> Cell:
    """A Markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def marking(
    grade_id: str, *, points: float | None = None, solution: bool = False
) -> dict[str, Any]:
    """nbgrader's metadata of an answer cell (`solution`), a test cell (`points`) or a
    locked one.
    """
    data = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": points is not None,
        "solution": solution,
        "locked": not solution,
        "task": False,
    }
    return data | {"cell_type": "code"} | ({} if points is None else {"points": points})


def notebook(cells: list[Cell]) -> Notebook:
    """A notebook whose cells are numbered, so that the corpus has the same bytes every time."""
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}


def nbgrader_cells(answers: Mapping[str, str], *, source: bool = False) -> list[Cell]:
    """The student's cells with `answers`, or with `source` the instructor's."""
    cells = [markdown("# Lab"), code(IMPORTS, nbgrader=marking("imports"))]
    for question in QUESTIONS:
        body = (
            f"### BEGIN SOLUTION\n{question.solution}\n### END SOLUTION"
            if source
            else answers[question.id]
        )
        cells += [
            markdown(question.prompt),
            code(body, nbgrader=marking(question.id, solution=True)),
        ]
        if question.visible:
            cells.append(
                code(question.visible, nbgrader=marking(f"{question.id}-visible", points=1))
            )
        hidden = f"# more tests of {question.id}\n"
        if source:
            hidden += f"### BEGIN HIDDEN TESTS\n{question.hidden}\n### END HIDDEN TESTS"
        cells.append(
            code(hidden, nbgrader=marking(f"{question.id}-hidden", points=question.hidden_points))
        )
    return cells


def otter_cells(answers: Mapping[str, str]) -> list[Cell]:
    """The student's cells in otter's format."""
    cells = [
        markdown("# Lab"),
        code(f"import otter\ngrader = otter.Notebook('{NAME}.ipynb')"),
        code(IMPORTS),
    ]
    for question in QUESTIONS:
        cells += [
            markdown(question.prompt),
            code(answers[question.id]),
            code(f'grader.check("{question.id}")'),
        ]
    return cells


def is_test(cell: Cell, format: Format) -> bool:
    """Whether a cell of the student's notebook is a test."""
    if format == "nbgrader":
        return bool(cell["metadata"].get("nbgrader", {}).get("grade"))
    return cell["source"].startswith("grader.check")


def tests(book: Notebook, format: Format) -> list[Cell]:
    """The test cells of a notebook."""
    return [cell for cell in book["cells"] if is_test(cell, format)]


def build(case: Case, format: Format) -> Notebook:
    """The notebook of a case."""
    answers = WRONG | dict(case.answers)
    cells = nbgrader_cells(answers) if format == "nbgrader" else otter_cells(answers)
    at = 2 if format == "nbgrader" else 3
    book = notebook([*cells[:at], *map(code, case.before), *cells[at:], *map(code, case.after)])
    if case.mutate:
        case.mutate(book, format)
    return book


def write_case(case: Case, format: Format, folder: Path, words: Mapping[str, str]) -> None:
    """Write the submission of a case into the empty `folder`. `words` are what ROOT, TCP … stand
    for here.
    """

    def fill(text: str) -> str:
        for word, value in words.items():
            text = text.replace(word, value)
        return text

    if case.raw:
        case.raw(folder, format)
    else:
        # json.dumps, not nbformat: some notebooks are invalid on purpose
        (folder / f"{NAME}.ipynb").write_text(fill(json.dumps(build(case, format), indent=1)))
    for name, text in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(fill(text))


# ---- the assignment on disk ----------------------------------------------------------------------


def _doctest_file(question: Question) -> str:
    def case(text: str, hidden: bool, points: int) -> dict[str, Any]:
        lines = [f"... {line}" if line[:1] == " " else f">>> {line}" for line in text.split("\n")]
        return {"code": "\n".join(lines), "hidden": hidden, "locked": False, "points": points}

    cases = [case(question.visible, False, 1)] if question.visible else []
    cases.append(case(question.hidden, True, question.hidden_points))
    suite = {"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
    test = {"name": question.id, "points": None, "suites": [suite]}
    return f"OK_FORMAT = True\n\ntest = {test!r}\n"


def _function_file(question: Question, parameter: str) -> str:
    def case(name: str, text: str, keys: str) -> str:
        body = "\n".join(f"    {line}" for line in text.split("\n"))
        return f"@test_case({keys})\ndef {name}({parameter}):\n{body}\n"

    parts = [
        (
            "from otter.test_files import test_case\nimport numpy as np\n\nOK_FORMAT = "
            f'False\nname = "{question.id}"\n'
        ),
        IMPORTS.split("\n\n\n")[1],
    ]
    # ahead of the visible one, on purpose
    parts.append(
        case("test_second", question.hidden, f"points={question.hidden_points}, hidden=True")
    )
    if question.visible:
        parts.append(case("test_first", question.visible, "points=1"))
    return "\n\n".join(parts)


def write_assignment(format: Format, folder: Path) -> Path:
    """Write what the instructor has into `folder`; returns what `autogradient grade --assignment`
    takes. Otter's tests are half doctests, half functions.
    """
    folder.mkdir(parents=True)
    if format == "nbgrader":
        path = folder / f"{NAME}.ipynb"
        path.write_text(json.dumps(notebook(nbgrader_cells(RIGHT, source=True)), indent=1))
        return path
    (folder / "tests").mkdir()
    parameters = {"meter": "Meter", "entropy": "answer"}
    for question in QUESTIONS:
        text = (
            _function_file(question, parameters[question.id])
            if question.id in parameters
            else _doctest_file(question)
        )
        (folder / "tests" / f"{question.id}.py").write_text(text)
    (folder / "otter_config.json").write_text("{}")
    return folder


# ---- words for tables of cases -------------------------------------------------------------------


def table(kind: str) -> Callable[..., Case]:
    """A function that makes cases of a kind: id, description, what the base submission is changed
    by.
    """

    def case(id: str, description: str, *before: str, **changes: Any) -> Case:
        return Case(id, kind, description, before=before, **changes)

    return case


def _indented(body: str) -> str:
    return "\n".join(f"    {line}" for line in body.split("\n"))


def std(body: str, ahead: str = "") -> dict[str, str]:
    """An answer to `standardize` with this body, after the lines `ahead`."""
    return {"standardize": f"{ahead}def standardize(x):\n{_indented(body)}"}


def leaky(body: str, ahead: str = "") -> dict[str, str]:
    """An answer to `leaky`."""
    return {"leaky": f"{ahead}def leaky_relu(x, slope):\n{_indented(body)}"}


def meter(
    mean: str,
    length: str = "return 1",
    add: str = "self.last = value",
    ahead: str = "",
    bases: str = "",
) -> dict[str, str]:
    """An answer to `meter` with these bodies."""
    methods = ("add(self, value)", add), ("mean(self)", mean), ("__len__(self)", length)
    text = "".join(f"    def {head}:\n{_indented(_indented(body))}\n" for head, body in methods)
    return {"meter": f"{ahead}class Meter{bases}:\n{text}".rstrip()}


def entropy(value: str, ahead: str = "") -> dict[str, str]:
    """An answer to `entropy`."""
    return {"entropy": f"{ahead}answer = {value}"}
