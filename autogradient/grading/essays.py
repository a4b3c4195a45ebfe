"""What a student wrote for an essay, wherever it stands: in its own cell, in cells added around it,
or typed into the course's.

1 · In words           the course's text      a line typed into it is found
┌ answer ┐             the essay's own cell
one more cell          the student's own      found, prose in a code cell too
2 · Next question      another question's: the search ends above it
"""

from __future__ import annotations

import ast
import bisect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from autogradient.grading import messages
from autogradient.grading.read_notebook import StudentCell
from autogradient.model.assignment import Assignment, Part
from autogradient.model.testcode import parse
from autogradient.sources.release import ReleasedCell, former_ids

_LOCKED = ("text", "check", "hidden", "setup", "given", "grader")
#: Characters of a code cell that is looked at for prose, 8,000 words; a longer one is code.
MAX_PROSE = 50_000
#: Four words in a row. Where a word begins stands for all places in it, and words and gaps have a
#: length: without that a line of a million letters, as of base64, would be gone through from each.
_WORDS = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]{1,60}+[ ,;.:!?'’-]{1,20}+){4}")


@dataclass(frozen=True)
class Piece:
    """Text of an essay: in which cell it stands (from 0), and whether that is the essay's own."""

    cell: int
    text: str
    own: bool


def plain(text: str) -> str:
    """A text without white space at line ends and around."""
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def composed(pieces: Sequence[Piece]) -> str:
    """An essay as a marker reads it: where it stands in several places, with the cells that are not
    its own.
    """
    if len(pieces) == 1 or all(piece.own for piece in pieces):
        return "\n\n".join(piece.text for piece in pieces)
    return "\n\n".join(
        piece.text
        if piece.own
        else f"{messages.ESSAY_FROM.format(cell=piece.cell + 1)}\n\n{piece.text}"
        for piece in pieces
    )


class Essays:
    """Finds the texts of essays. `claims` are the released cells that the student's are;
    `as_released` says whether a changed one is so by the course's own doing, `answers` whether a
    cell of code binds what another part asks for.
    """

    def __init__(
        self,
        assignment: Assignment,
        released: Sequence[ReleasedCell],
        cells: Sequence[StudentCell],
        claims: Sequence[ReleasedCell | None],
        as_released: Callable[[int], bool],
        answers: Callable[[int], bool],
    ) -> None:
        self.released, self.cells, self.claims, self.as_released, self.answers = (
            released,
            cells,
            claims,
            as_released,
            answers,
        )
        self.order = {cell.grade_id: i for i, cell in enumerate(released)}
        self.order |= {old: self.order[new] for old, new in former_ids(assignment).items()}
        self.instructors = {
            plain(text)
            for cell in assignment.cells
            for text in (cell.source, cell.metadata.get("released", ""))
        }
        self.instructors |= {plain(cell.source) for cell in released}
        self.owners = {
            part.id: question.id for question in assignment.questions for part in question.parts
        }
        self.owners |= {question.id: question.id for question in assignment.questions}
        self.has_code = {
            question.id: any(not part.by_hand for part in question.parts)
            for question in assignment.questions
        }
        self.seen: dict[int, str] = {}

    def find(self, part: Part, own: Sequence[int]) -> list[Piece]:
        """What was written for a part, in the order of the notebook; `own` are the changed cells
        that are its answer's.
        """
        start, end = self.bounds(part)
        pieces = [Piece(i, self.cells[i].source, True) for i in own]
        code: list[Piece] = []
        for i in range(start, end):
            cell, claim = self.cells[i], self.claims[i]
            if i in own or not cell.source.strip():
                continue
            if claim is None:
                if plain(cell.source) in self.instructors:
                    continue
                if cell.kind != "code" or self.is_prose(i):
                    pieces.append(Piece(i, cell.source, False))
                elif not self.has_code[part.question] and not self.answers(i):
                    code.append(Piece(i, cell.source, False))
            elif claim.role in _LOCKED and (added := self.added(i, claim)):
                pieces.append(Piece(i, added, False))
        return sorted(pieces or code, key=lambda piece: piece.cell)

    def is_prose(self, index: int) -> bool:
        """Whether a code cell holds words; not, where there is too much code to look into it."""
        return self.cells[index].looked_into and is_prose(self.cells[index].source)

    def bounds(self, part: Part) -> tuple[int, int]:
        """The student's cells between the question, or the part of it, before and the one after:
        first, and first that is no longer of it.
        """
        answers = [
            i
            for i, cell in enumerate(self.released)
            if cell.role == "answer" and cell.target == part.id
        ]
        before = max(
            (i for i in range(answers[0]) if self.is_elsewhere(self.released[i], part)), default=-1
        )
        after = min(
            (
                i
                for i in range(answers[-1] + 1, len(self.released))
                if self.is_elsewhere(self.released[i], part)
            ),
            default=len(self.released),
        )
        places = [
            (i, self.order.get(claim.grade_id, -1))
            for i, claim in enumerate(self.claims)
            if claim is not None
        ]
        end = min((i for i, order in places if order >= after), default=len(self.cells))
        start = max((i for i, order in places if order <= before and i < end), default=-1) + 1
        return start, end

    def is_elsewhere(self, cell: ReleasedCell, part: Part) -> bool:
        """Whether a released cell is another question's, or the answer or check of another part of
        the same one.
        """
        stem = cell.target or cell.grade_id.rpartition("-n")[0]
        if cell.role in ("answer", "check", "hidden"):
            return cell.target != part.id
        return self.owners.get(stem) != part.question

    def added(self, index: int, claim: ReleasedCell) -> str:
        """The lines that a student typed into a cell of the course's; "" where they are code or
        another release's. Each cell is gone through once, whichever essay asks.
        """
        if index not in self.seen:
            self.seen[index] = self._added(index, claim)
        return self.seen[index]

    def _added(self, index: int, claim: ReleasedCell) -> str:
        # the course's lines in order: those that begin as a student's does stand behind it
        lines = sorted(line.strip() for line in claim.source.split("\n"))
        new = []
        for line in self.cells[index].source.split("\n"):
            start = line.strip()
            place = bisect.bisect_left(lines, start)
            if place == len(lines) or not lines[place].startswith(start):
                new.append(line)
        text = "\n".join(new).strip()
        if (
            not text
            or self.as_released(index)
            or (
                self.cells[index].kind == "code"
                and not (self.cells[index].looked_into and is_prose(text))
            )
        ):
            return ""
        return text


@lru_cache(maxsize=1_000)
def is_prose(source: str) -> bool:
    """Whether a code cell holds words: comments and strings alone, or what is no Python for a dozen
    words in a row.
    """
    if len(source) > MAX_PROSE:
        return False
    try:
        body = parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _WORDS.search(source) is not None
    return all(
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for node in body
    )
