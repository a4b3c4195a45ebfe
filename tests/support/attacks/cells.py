"""Forging by cells and metadata: locked cells edited, deleted, doubled, renamed, moved, tagged."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .corpus import (
    HONEST,
    IDS,
    Case,
    Cell,
    Format,
    Mutator,
    Notebook,
    code,
    is_test,
    marking,
    table,
    tests,
)

forge = table("forge")
NBGRADER: tuple[Format, ...] = ("nbgrader",)


def each_test(change: Callable[[Cell], Any]) -> Mutator:
    """Changes every test cell."""

    def mutate(book: Notebook, format: Format) -> None:
        for cell in tests(book, format):
            change(cell)

    return mutate


def every(change: Callable[[Cell], Any]) -> Mutator:
    """Changes every code cell."""

    def mutate(book: Notebook, format: Format) -> None:
        for cell in book["cells"]:
            if cell["cell_type"] == "code":
                change(cell)

    return mutate


def order(arrange: Callable[[list[Cell], Callable[[Cell], bool]], list[Cell]]) -> Mutator:
    """Arranges the cells anew; gets them with a function that says which are tests."""

    def mutate(book: Notebook, format: Format) -> None:
        book["cells"] = arrange(book["cells"], lambda cell: is_test(cell, format))

    return mutate


def nbgrader(cell: Cell) -> dict[str, Any]:
    """A cell's nbgrader metadata, made where there is none."""
    found: dict[str, Any] = cell["metadata"].setdefault("nbgrader", {})
    return found


def _swap(book: Notebook, format: Format) -> None:
    """Visible and hidden tests exchange their ids."""
    for cell in tests(book, format):
        question, _, what = nbgrader(cell)["grade_id"].partition("-")
        nbgrader(cell)["grade_id"] = f"{question}-{'hidden' if what == 'visible' else 'visible'}"


def _add_cells(*sources: str) -> Mutator:
    def mutate(book: Notebook, format: Format) -> None:
        for number, source in enumerate(sources):
            for question in IDS:
                added = code(
                    source.replace("QUESTION", question),
                    nbgrader=marking(f"{question}-hidden", points=100),
                    tags=["autogradient"],
                )
                book["cells"].append(added | {"id": f"added-{question}-{number}"})

    return mutate


def _solve_in(name: str, source: str) -> Mutator:
    """Puts `source` into the test cells of a question."""

    def mutate(book: Notebook, format: Format) -> None:
        for cell in tests(book, format):
            if name in (cell["metadata"].get("nbgrader", {}).get("grade_id", "") + cell["source"]):
                cell["source"] = source

    return mutate


_YES = (
    "abs = lambda x: 0.0\nall = any = lambda *a: True\nnp.allclose = lambda *a, **k: "
    "True\nassert True\n12"
)

CASES: tuple[Case, ...] = (
    forge(
        "cell-delete-tests",
        "test cells deleted",
        mutate=order(lambda cells, test: [c for c in cells if not test(c)]),
        least=HONEST,
    ),
    forge(
        "cell-edit-tests",
        "test cells rewritten",
        mutate=each_test(lambda c: c.update(source=_YES)),
        least=HONEST,
    ),
    forge(
        "cell-empty-tests",
        "test cells emptied",
        mutate=each_test(lambda c: c.update(source="")),
        least=HONEST,
    ),
    forge(
        "cell-unlock-tests",
        "test cells unlocked and rewritten, with a checksum",
        mutate=each_test(
            lambda c: (nbgrader(c).update(locked=False, checksum="0" * 32), c.update(source="pass"))
        ),
        formats=NBGRADER,
        least=HONEST,
    ),
    forge(
        "cell-tests-as-solutions",
        "test cells marked as solutions",
        mutate=each_test(
            lambda c: (nbgrader(c).update(locked=False, solution=True), c.update(source="pass"))
        ),
        formats=NBGRADER,
        least=HONEST,
    ),
    forge(
        "cell-tests-as-tasks",
        "test cells marked as tasks for a person",
        mutate=each_test(lambda c: nbgrader(c).update(task=True, grade=False, locked=False)),
        formats=NBGRADER,
        least=HONEST,
    ),
    forge(
        "cell-points",
        "test cells worth a thousand points",
        mutate=each_test(
            lambda c: (
                nbgrader(c).update(points=1000),
                c["metadata"].update(otter={"points": 1000}),
            )
        ),
        formats=NBGRADER,
        least=HONEST,
    ),
    forge(
        "cell-negative-points",
        "test cells with negative, infinite and textual points",
        mutate=each_test(
            lambda c: nbgrader(c).update(points=[-5, "NaN", 1e308, None][len(c["source"]) % 4])
        ),
        formats=NBGRADER,
        least=HONEST,
    ),
    forge(
        "cell-double-tests",
        "test cells doubled, the copies empty",
        mutate=order(
            lambda cells, test: [
                *cells,
                *(
                    copy.deepcopy(c) | {"source": "pass", "id": f"copy-{c['id']}"}
                    for c in cells
                    if test(c)
                ),
            ]
        ),
        least=HONEST,
    ),
    forge(
        "cell-double-tests-before",
        "empty copies of the tests above everything",
        mutate=order(
            lambda cells, test: [
                *(
                    copy.deepcopy(c) | {"source": "pass", "id": f"copy-{c['id']}"}
                    for c in cells
                    if test(c)
                ),
                *cells,
            ]
        ),
        least=HONEST,
    ),
    forge(
        "cell-tests-first",
        "test cells moved to the top",
        mutate=order(
            lambda cells, test: [*(c for c in cells if test(c)), *(c for c in cells if not test(c))]
        ),
        least=0,
    ),
    forge("cell-reversed", "all cells in reverse", mutate=order(lambda cells, test: cells[::-1])),
    forge(
        "cell-markdown-tests",
        "test cells turned into Markdown",
        mutate=each_test(
            lambda c: (c.update(cell_type="markdown"), c.pop("outputs"), c.pop("execution_count"))
        ),
        least=HONEST,
    ),
    forge(
        "cell-raw-tests",
        "test cells turned into raw cells",
        mutate=each_test(
            lambda c: (c.update(cell_type="raw"), c.pop("outputs"), c.pop("execution_count"))
        ),
        least=HONEST,
    ),
    forge(
        "cell-swap-ids",
        "visible and hidden tests exchange their ids",
        mutate=_swap,
        formats=NBGRADER,
        least=HONEST,
    ),
    forge(
        "cell-same-ids",
        "all cells have one grade_id",
        mutate=every(lambda c: nbgrader(c).update(grade_id="standardize-visible")),
        formats=NBGRADER,
    ),
    forge(
        "cell-rename-ids",
        "ids of another assignment",
        mutate=every(
            lambda c: nbgrader(c).update(grade_id="x" + str(nbgrader(c).get("grade_id", "")))
        ),
        formats=NBGRADER,
    ),
    forge(
        "cell-tag-raises",
        "test cells tagged raises-exception",
        mutate=each_test(lambda c: c["metadata"].update(tags=["raises-exception"])),
        least=HONEST,
    ),
    forge(
        "cell-tag-skip",
        "test cells tagged skip-execution and remove-cell",
        mutate=each_test(
            lambda c: c["metadata"].update(
                tags=["skip-execution", "remove_cell", "otter_ignore"], otter={"ignore": True}
            )
        ),
        least=HONEST,
    ),
    forge(
        "cell-tag-everything",
        "every cell tagged raises-exception and skip-execution",
        mutate=every(lambda c: c["metadata"].update(tags=["raises-exception", "skip-execution"])),
        least=HONEST,
    ),
    forge(
        "cell-added-tests",
        "cells of its own that claim to be worth a hundred points",
        mutate=_add_cells("assert True", "100"),
        least=HONEST,
    ),
    forge(
        "cell-added-checks",
        "checks of its own: grader.check that prints passed",
        mutate=_add_cells(
            "grader.check('QUESTION')", "print('QUESTION results: All test cases passed!')"
        ),
        least=HONEST,
    ),
    forge(
        "cell-answer-in-test",
        "patches stand in the test cells of each question",
        mutate=_solve_in("visible", _YES),
        formats=NBGRADER,
        least=HONEST,
    ),
    forge(
        "cell-imports-edited",
        "the locked imports cell patches NumPy",
        mutate=lambda book, format: (
            [
                c.update(
                    source=c["source"] + "\nnp.allclose = lambda *a, **k: True\nabs = lambda x: 0.0"
                )
                for c in book["cells"]
                if c["source"].startswith("import numpy")
            ]
            and None
        ),
        least=HONEST,
    ),
    forge(
        "cell-saved-outputs",
        "saved outputs say that everything passed",
        mutate=every(
            lambda c: c.update(
                outputs=[
                    {
                        "output_type": "execute_result",
                        "execution_count": 1,
                        "metadata": {},
                        "data": {"text/plain": "12.0"},
                    }
                ],
                execution_count=1,
            )
        ),
        least=HONEST,
    ),
    forge(
        "cell-hidden-markers",
        "hidden-test markers of its own around its code",
        (
            "### BEGIN HIDDEN TESTS\nassert True\n### END HIDDEN TESTS\n### BEGIN "
            "SOLUTION\nanswer = 1.0\n### END SOLUTION"
        ),
        least=HONEST,
    ),
    forge(
        "cell-same-text",
        "answers twice, the second as a copy of a locked cell",
        after=("import numpy as np\nimport torch", "# more tests of entropy\n"),
        least=HONEST,
    ),
)
