"""A small assignment in the course's own format, and the notebooks that students make of its
release.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from autogradient.model.assignment import Assignment
from autogradient.sources import release
from autogradient.sources.source import load

#: 8 points: double 2, total 1, scale 2, pick 1, why 2 (by hand).
SOURCE = '''\
# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Small numbers
#     minutes: 5
#     limits: {cell_s: 2, case_s: 2, memory_mb: 512}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Small numbers

# %%
#| setup
import numpy as np

UNIT = 1.0

# %% [markdown]
# <!--| question: double -->
# ## 1 · Twice

# %%
#| answer: double
def double(x):
    """Twice x, element by element."""
    ### BEGIN SOLUTION
    return 2 * np.asarray(x)
    ### END SOLUTION

# %%
#| tests: double
@test_case(points=1, failure_message="Try 3 and -1.")
def test_numbers(double):
    assert double(3) == 6 and double(-1) == -2


@test_case(points=1, hidden=True, failure_message="Arrays are doubled element by element.")
def test_arrays(double):
    x = secret.normal(size=4)
    assert np.allclose(double(x), x + x)

# %% [markdown]
# <!--| question: total -->
# ## 2 · Sum

# %%
#| given: total
data = np.arange(3, 6)

# %%
#| answer: total
#| kind: number
#| points: 1
#| because: {"24": "each number went in twice"}
total = 3 + 4 + 5  # SOLUTION

# %% [markdown]
# <!--| question: scale -->
# ## 3 · Scale
# Divide by the sum.

# %%
#| answer: scale
def scale(x):
    """x divided by the sum of its entries."""
    ### BEGIN SOLUTION
    return np.asarray(x) / np.sum(x) * UNIT
    ### END SOLUTION

# %%
#| tests: scale
@test_case(points=1, failure_message="The entries should add up to 1.")
def test_sum(scale):
    assert np.isclose(np.sum(scale([1.0, 3.0])), 1)


@test_case(points=0.5, hidden=True, failure_message="The proportions should stay.")
def test_proportions(scale):
    assert np.allclose(scale([1.0, 3.0]), [0.25, 0.75])


@test_case(points=0.5, hidden=True, failure_message="The argument should stay as it was.")
def test_argument(scale):
    x = np.array([1.0, 3.0])
    scale(x)
    assert x.tolist() == [1.0, 3.0]

# %% [markdown]
# <!--| question: pick -->
# ## 4 · Which is larger?

# %%
#| answer: pick
#| kind: choice
#| points: 1
#| options: {a: "one", b: "two"}
#| because: {a: "count again"}
larger = "b"  # SOLUTION

# %% [markdown]
# <!--| question: why -->
# ## 5 · Now in words

# %% [markdown]
# <!--| answer: why, kind: essay, points: 2 -->
# Two is one more than one.

# %% [markdown]
# <!--| rubric: why -->
# - [2] compares: says which is more

# %% [markdown]
# The end.
'''

#: Right answers as a student writes them.
ANSWERS = {
    "double": "def double(x):\n    return np.array(x) + np.array(x)",
    "total": "total = data.sum()",
    "scale": "def scale(x):\n    s = sum(x)\n    return np.array([v / s for v in x])",
    "pick": 'larger = "B"',
    "why": "Two comes after one.",
}


def write_source(folder: Path, name: str = "small") -> Path:
    """The source as `<folder>/<name>/<name>.py`; returns that path."""
    path = folder / name / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCE)
    return path


def assignment(folder: Path, name: str = "small") -> Assignment:
    """The small assignment, read from a source below `folder`."""
    return load(write_source(folder, name))


@functools.lru_cache(maxsize=10)
def built(given: Assignment) -> release.Release:
    """The release of an assignment, built once."""
    return release.build(given)


class Notebook:
    """A student's copy of the release that can be edited by the ids of its cells."""

    def __init__(self, given: Assignment, answers: dict[str, str] | None = None) -> None:
        self.data: dict[str, Any] = release.load(built(given))
        for part, text in (ANSWERS if answers is None else answers).items():
            self.put(f"{part}-answer", text)

    @property
    def cells(self) -> list[dict[str, Any]]:
        cells: list[dict[str, Any]] = self.data["cells"]
        return cells

    def at(self, grade_id: str) -> int:
        """Where the first cell with this id stands."""
        return next(
            i
            for i, cell in enumerate(self.cells)
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
        )

    def number(self, grade_id: str) -> int:
        """The cell's number as problems count."""
        return self.at(grade_id) + 1

    def put(self, grade_id: str, text: str) -> None:
        """Type `text` into a cell."""
        self.cells[self.at(grade_id)]["source"] = text

    def drop(self, *grade_ids: str) -> None:
        """Delete cells."""
        for grade_id in grade_ids:
            del self.cells[self.at(grade_id)]

    def move(self, grade_id: str, to: int) -> None:
        """Move a cell so that it stands at index `to`."""
        self.cells.insert(to, self.cells.pop(self.at(grade_id)))

    def insert(self, after: str, text: str, kind: str = "code") -> None:
        """A new cell of the student's own below the cell called `after`; at the end where that is
        "".
        """
        self.cells.insert(self.at(after) + 1 if after else len(self.cells), new_cell(text, kind))

    def forget(self) -> None:
        """Lose all metadata and ids, as some editors do."""
        for cell in self.cells:
            cell["metadata"] = {}
            cell.pop("id", None)
        self.data["metadata"] = {}

    def bytes(self) -> bytes:
        """The file."""
        return json.dumps(self.data).encode()


def new_cell(text: str, kind: str = "code") -> dict[str, Any]:
    """A cell without an id."""
    more = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": text, **more}
