"""What is handed in costs the grader's own process a bounded amount of work, counted here in
characters, members and copies, whatever is in it.
"""

from __future__ import annotations

import ast
import json
from typing import Any

import pytest
from homework import ANSWERS, Notebook, assignment

from autogradient.grading.read_notebook import MAX_CELL_READ, MAX_READ, read_notebook
from autogradient.grading.submission import plan_submission
from autogradient.model.assignment import Assignment

pytestmark = pytest.mark.promise("P15")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return assignment(tmp_path_factory.mktemp("bounds"))


def test_only_so_much_code_is_looked_into(
    small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred copies of an answer cell, each of 25 kB, are not parsed one and all; a cell of data
    is left out before the small ones, and what begins a line in it is found nevertheless.
    """
    plan_submission(small, read_notebook(Notebook(small).bytes(), "small.ipynb"))
    nb = Notebook(small)
    at = nb.at("double-answer")
    for number in range(100):
        copy = json.loads(json.dumps(nb.cells[at]))
        copy["source"] = f"double = {number}\n" + "a<a\n" * 6_250
        nb.cells.insert(at, copy)
    data = "values = [" + "1," * (MAX_CELL_READ // 2) + "]\n" + ANSWERS["scale"]
    nb.put("scale-answer", "")
    nb.insert("scale-answer", data)
    parsed: list[int] = []
    inner = ast.parse

    def counted(source: Any, *given: Any, **more: Any) -> Any:
        parsed.append(len(source))
        return inner(source, *given, **more)

    monkeypatch.setattr(ast, "parse", counted)
    planned = plan_submission(small, read_notebook(nb.bytes(), "small.ipynb"))
    # twice: for what a cell does, and for the names that it binds
    assert MAX_READ // 2 < sum(parsed) <= 2 * MAX_READ and max(parsed) <= MAX_CELL_READ
    assert planned.attempted == dict.fromkeys(ANSWERS, True)
    assert planned.answers["scale"] == [nb.at("scale-answer") + 1]
    assert [p.message for p in planned.problems if "looked into" in p.message] == [
        f"the notebook holds more code than is looked into ({MAX_CELL_READ:,} characters of a "
        f"cell, {MAX_READ:,} of all): cells 5, 6, 7, … were run, but only names that begin a "
        "line were looked for in them; keep data in files of its own"
    ]
