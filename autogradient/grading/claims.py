"""Which cell of the release each of a student's cells is: by nbgrader's id, by the cell's id, or by
its text; and what a cell does and binds, which tells an answer from a stub.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

from autogradient.grading.essays import plain
from autogradient.grading.read_notebook import Notebook, StudentCell
from autogradient.model.assignment import Assignment, Part
from autogradient.model.files import digest
from autogradient.model.testcode import bound_names, parse
from autogradient.sources.release import (
    COLAB_CELL,
    ReleasedCell,
    cell_id,
    former_ids,
    released_cells,
)

_CHECK = re.compile(r"grader\.check\(\s*[\"']([^\"']+)[\"']\s*\)")
_BEGINS_LINE = re.compile(r"^(?:(?:def|class)[ \t]+(\w+)|(\w+)[ \t]*=(?!=))", re.MULTILINE)


def claims(assignment: Assignment, notebook: Notebook) -> list[ReleasedCell | None]:
    """The released cell that each of a student's cells is; None for the student's own."""
    matching = Matching(assignment)
    return [matching.claim(cell) for cell in notebook.cells]


class Matching:
    """What the cells of an assignment's release are known by."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.released = released_cells(assignment)
        # its cells have no ids: a check is known by the test it names
        if assignment.format == "otter":
            self.released = [
                ReleasedCell(part.id, "code", "", "check", part.id) for part in assignment.parts
            ]
        self.known = {cell.grade_id: cell for cell in self.released}
        self.order = {cell.grade_id: i for i, cell in enumerate(self.released)}
        self.former = former_ids(assignment)
        for old, new in self.former.items():
            self.known.setdefault(old, self.known[new])
        self.by_cell_id = {cell_id(grade_id): cell for grade_id, cell in self.known.items()}
        # put there when it was published: no cell of the student's, and nothing to run
        if assignment.format == "autogradient":
            self.by_cell_id[COLAB_CELL], self.order[COLAB_CELL] = (
                ReleasedCell(COLAB_CELL, "code", "", "colab", ""),
                -1,
            )
        self.by_text: dict[str, list[ReleasedCell]] = {}
        for cell in self.released:
            self.by_text.setdefault(plain(cell.source), []).append(cell)
        self.part_names = {name for part in assignment.parts for name in names_asked(part)}

    def claim(self, cell: StudentCell) -> ReleasedCell | None:
        """The released cell that a student's cell is, by nbgrader id, by cell id, or by its text;
        None for one of the student's own.
        """
        found = (
            self.known.get(cell.grade_id)
            or self.by_cell_id.get(cell.grade_id.removeprefix("#"))
            or self.claim_by_text(cell)
        )
        if found is None or (
            found.role == "answer" and found.kind != cell.kind and found.kind == "code"
        ):
            return None
        if (
            found.role in ("check", "hidden", "text", "colab")
            and cell.kind == "code"
            and self.answered_in(cell, found)
        ):
            return None
        return found

    def claim_by_text(self, cell: StudentCell) -> ReleasedCell | None:
        """The released cell whose text a cell has, or whose test it names, where that is one."""
        text = plain(cell.source)
        if not text:
            return None
        # a cell that does more than call a check is the student's
        match = _CHECK.search(text) if cell.kind == "code" and len(text) < 200 else None
        if match and match.group(1) in self.known:
            return self.known[match.group(1)]
        same = [released for released in self.by_text.get(text, []) if released.kind == cell.kind]
        return same[0] if same and (len(same) == 1 or same[0].role != "answer") else None

    def answered_in(self, cell: StudentCell, released: ReleasedCell) -> bool:
        """Whether a student typed an answer into a cell that is no answer cell."""
        ours = self.assignment.format == "autogradient"
        return (
            ours
            and not same_text(cell.source, released.source)
            and bool((binds(cell) - defined_in(released.source)) & self.part_names)
        )


def same_text(a: str, b: str) -> bool:
    """Whether two texts are the same but for white space at line ends and around."""
    return plain(a) == plain(b)


def does(cell: StudentCell) -> str:
    """What a student's cell does, as of `behaviour`; by its text where there is too much code to
    look into it.
    """
    return behaviour(cell.source) if cell.looked_into else _by_text(cell.source)


def binds(cell: StudentCell) -> frozenset[str]:
    """Names that a student's cell binds, as of `defined_in`; those that begin a line where there is
    too much code to look into it.
    """
    return defined_in(cell.source) if cell.looked_into else _by_lines(cell.source)


@lru_cache(maxsize=10_000)
def behaviour(source: str) -> str:
    """What a cell does, whatever its comments and docstrings say: a stub without its comment is
    still a stub.
    """
    try:
        tree = parse(source)
        for node in ast.walk(tree):
            documented = (
                isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
                and ast.get_docstring(node, clean=False) is not None
            )
            if documented and len(node.body) > 1:  # type: ignore[attr-defined]
                del node.body[0]  # type: ignore[attr-defined]
        # not the text, which is kept: it may be large
        return digest(ast.dump(tree).encode("utf-8", "replace"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _by_text(source)


def _by_text(source: str) -> str:
    return digest(plain(source).encode("utf-8", "replace"))


@lru_cache(maxsize=10_000)
def defined_in(source: str) -> frozenset[str]:
    """Names that a student's cell binds; where it is no plain Python (magics, a slip), those that
    begin a line as a definition or an assignment.
    """
    try:
        found = bound_names(source)
    except (ValueError, RecursionError, MemoryError):
        found = []
    return frozenset(found) or _by_lines(source)


@lru_cache(maxsize=10_000)
def _by_lines(source: str) -> frozenset[str]:
    return frozenset(match[1] or match[2] for match in _BEGINS_LINE.finditer(source))


def names_asked(part: Part) -> list[str]:
    """What an answer has to bind: a short answer its variable, code what the stub sketches; the
    reference may bind more than that.
    """
    sketched = set(bound_names(part.stub))
    return (
        list(part.names[:1])
        if part.is_short
        else [name for name in part.names if name in sketched] or list(part.names)
    )
