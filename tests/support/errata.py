"""A small assignment in which mistakes were found, and the notebooks of a class that had begun with
it.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import habits
import homework
from homework import ANSWERS, Notebook

from autogradient.model.assignment import Assignment
from autogradient.sources import release
from autogradient.sources.source import load

#: What is mended: a text, a visible test, a stub, the setup, a question with another name, one that
#: goes and one that is new.
MENDED = [
    ("# ## 2 · Sum\n", "# ## 2 · Sum\n# Add up `data`.\n"),
    ("assert double(3) == 6 and double(-1) == -2", "assert double(3) == 6 and double(-2) == -4"),
    (
        '"""x divided by the sum of its entries."""',
        '"""x divided by the sum of its entries, as an array."""',
    ),
    ("UNIT = 1.0\n", "UNIT = 1.0\nTWO = 2.0\n"),
]
RENAMED = [
    ("question: pick -->", "question: larger, was: pick -->"),
    ("answer: pick\n", "answer: larger\n"),
]
NEW_QUESTION = """# %% [markdown]
# <!--| question: half -->
# ## 3a · Half

# %%
#| answer: half
#| kind: number
#| points: 1
half = 0.5  # SOLUTION

# %% [markdown]
# <!--| question: pick -->
"""
ADDED = [("# %% [markdown]\n# <!--| question: pick -->\n", NEW_QUESTION)]
ESSAY = homework.SOURCE[
    homework.SOURCE.index("# %% [markdown]\n# <!--| question: why -->") : homework.SOURCE.index(
        "# %% [markdown]\n# The end."
    )
]
GONE = [(ESSAY, "")]


def mended(path: Path, *changes: tuple[str, str]) -> Assignment:
    """The assignment after a correction of its source."""
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{text.count(old)} times: {old!r}"
        text = text.replace(old, new)
    path.write_text(text)
    return load(path)


def before_and_after(folder: Path, *changes: tuple[str, str]) -> tuple[Assignment, Assignment]:
    """The small assignment, and what a correction makes of it."""
    path = homework.write_source(folder)
    return load(path), mended(path, *changes)


def released(given: Assignment) -> dict[str, Any]:
    """The notebook of a release."""
    return release.load(homework.built(given))


def half_done(given: Assignment) -> dict[str, bytes]:
    """Notebooks of a class, each by what its student did to it."""
    found = {}
    for name, edit in inspect.getmembers(habits, inspect.isfunction):
        if edit.__module__ == "habits":
            notebook = Notebook(given)
            edit(notebook)
            found[name] = notebook.bytes()
    for number in range(len(ANSWERS) + 1):
        notebook = Notebook(given, dict(list(ANSWERS.items())[:number]))
        notebook.insert("scale-text", f"mine = {number}")
        notebook.insert("total", "My notes.", "markdown")
        found[f"{number} answered"] = notebook.bytes()
    return found


def texts(data: bytes) -> list[str]:
    """The texts of a notebook's cells."""
    return ["".join(cell["source"]) for cell in json.loads(data)["cells"]]


def ids(data: bytes) -> list[str]:
    """The ids of a notebook's cells, "" for one of the student's own."""
    return [
        cell.get("metadata", {}).get("nbgrader", {}).get("grade_id", "")
        for cell in json.loads(data)["cells"]
    ]
