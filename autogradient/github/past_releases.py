"""Which cells the releases of an assignment have had: their ids, roles and texts, so that a text of
the course's is known from one of the student's.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autogradient.grading.essays import plain
from autogradient.model.assignment import Assignment
from autogradient.sources.release import build, cell_id, load

#: What a cell without nbgrader's metadata is in a release: a code cell that students may use or
#: delete.
SCRATCH = "scratch"


@dataclass
class Released:
    """A cell as a release has it: its id, role (answer, scratch or locked), and the cell."""

    id: str
    role: str
    cell: dict[str, Any]

    @property
    def text(self) -> str:
        """The cell's text."""
        return source_of(self.cell)


class Past:
    """All releases that there have been, the present one last, under the ids that cells
    have now.
    """

    def __init__(self, releases: Sequence[list[Released]], renamed: Mapping[str, str]) -> None:
        self.releases = [
            {renamed.get(cell.id, cell.id): cell for cell in cells} for cells in releases
        ]
        self.texts: dict[str, set[str]] = {}
        self.kinds: dict[str, set[str]] = {}
        self.roles: dict[str, str] = {}
        self.by_text: dict[tuple[str, str], str] = {}
        for cells in self.releases:
            for name, cell in cells.items():
                kind = str(cell.cell["cell_type"])
                self.texts.setdefault(name, set()).add(plain(cell.text))
                self.kinds.setdefault(name, set()).add(kind)
                self.roles[name] = cell.role
                if cell.role == "locked" and cell.text.strip():
                    self.by_text[kind, plain(cell.text)] = name
        self.by_cell_id = {cell_id(name): name for name in self.roles} | {
            cell_id(old): new for old, new in renamed.items()
        }

    def has(self, name: str, text: str) -> bool:
        """Whether a cell's text is as some release had it."""
        return plain(text) in self.texts.get(name, ())

    def begun(self, cells: Mapping[str, str]) -> dict[str, Released]:
        """The release that a notebook (id → text, in order) was begun from: most cells are as it
        has them, in its order; of several the last.
        """

        def alike(release: dict[str, Released]) -> tuple[int, int]:
            order = {name: number for number, name in enumerate(release)}
            there = [order[name] for name in cells if name in order]
            same = sum(
                name in release and plain(release[name].text) == text
                for name, text in cells.items()
            )
            return same, sum(one < other for one, other in itertools.pairwise(there))

        return max(reversed(self.releases), key=alike)


def released_cells_of(notebook: Mapping[str, Any]) -> list[Released]:
    """The cells of a released notebook that have an id. A release is ours, so it is well formed;
    one that is not has none.
    """
    found = []
    for cell in notebook.get("cells", []):
        nbgrader = metadata_of(cell).get("nbgrader") or {}
        if nbgrader.get("grade_id"):
            found.append(
                Released(
                    str(nbgrader["grade_id"]),
                    "answer" if nbgrader.get("solution") else "locked",
                    cell,
                )
            )
        elif cell.get("id"):
            found.append(Released(str(cell["id"]), SCRATCH, cell))
    return found


@functools.lru_cache(maxsize=20)
def present_notebook(assignment: Assignment) -> dict[str, Any]:
    """The notebook of the present release; not to be changed."""
    return load(build(assignment))


def source_of(cell: Mapping[str, Any]) -> str:
    """A cell's text, whether it stands in one piece or in lines."""
    text = cell.get("source", "")
    return "".join(map(str, text)) if isinstance(text, list) else str(text)


def metadata_of(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's metadata; none where it is no object."""
    found = cell.get("metadata")
    return found if isinstance(found, dict) else {}
