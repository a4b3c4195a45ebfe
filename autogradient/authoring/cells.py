"""The cells of a notebook that were run so far, and the part that a source of them alone would
have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat

from autogradient import errors
from autogradient.authoring import messages
from autogradient.errors import CellError, SourceErrors
from autogradient.model.assignment import Cell, Part
from autogradient.model.testcode import bound_names
from autogradient.sources import source
from autogradient.sources.directives import Directive, parse
from autogradient.sources.public_tests import given_source

_STAND_IN = "#| answer: {part}\nanswer = ...  # SOLUTION"
_EARLIER = "#| answer: {part}\n#| kind: true-false\n#| points: 1\nearlier{n} = True  # SOLUTION"
_ANY_TEST = "#| tests: {part}\n@test_case(points={points})\ndef test_it(answer):\n    pass"


@dataclass(frozen=True)
class Kept:
    """A cell that was run and that later cells need."""

    role: str
    target: str
    raw: str
    body: str
    cell_id: str | None

    def replaces(self, other: Kept) -> bool:
        """Whether this is a newer version of the other cell."""
        if (self.role, self.target) != (other.role, other.target):
            return self.cell_id is not None and self.cell_id == other.cell_id
        if (
            self.cell_id is not None
            and self.cell_id == other.cell_id
            or self.raw == other.raw
            or self.role == "answer"
        ):
            return True
        return self.role in ("tests", "given") and bool(
            set(bound_names(self.body)) & set(bound_names(other.body))
        )


class Cells:
    """The cells that later ones need: setup, helpers, given, answer and tests cells. `seed` is the
    course's.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.cell_id: str | None = None
        self._cells: list[Kept] = []

    def keep(self, directive: Directive, raw: str) -> None:
        """Remember a cell in place of its older version."""
        new = Kept(directive.role, directive.target, raw, directive.body, self.cell_id)
        place = next(
            (i for i, old in enumerate(self._cells) if new.replaces(old)), len(self._cells)
        )
        self._cells = (
            [old for old in self._cells[:place] if not new.replaces(old)]
            + [new]
            + [old for old in self._cells[place:] if not new.replaces(old)]
        )

    def kept(self, role: str, *targets: str) -> list[Kept]:
        """The cells of a role that were run, in order."""
        return [
            cell
            for cell in self._cells
            if cell.role == role and (not targets or cell.target in targets)
        ]

    def model(self, directive: Directive, raw: str) -> Part | None:
        """The part as a source of the cells run so far would have it, `raw` included. Raises
        CellError with what is wrong with `raw`.

        None where the cell is no valid Python: then Python itself says it best.
        """
        part, role = directive.target, directive.role
        question, _, number = (
            part.rpartition("-p") if re.search(r"-p\d+$", part) else (part, "", "1")
        )
        answers = [raw] if role == "answer" else [kept.raw for kept in self.kept("answer", part)]
        keys = parse(answers[0], "code").keys if answers else {}
        is_code = keys.get("kind", "code") == "code"
        mine = Kept(role, part, raw, directive.body, self.cell_id)
        tests = [
            kept.raw
            for kept in self.kept("tests", part)
            if role != "tests" or not mine.replaces(kept)
        ]
        if is_code and role == "answer":
            tests = [_ANY_TEST.format(part=part, points=keys.get("points", 1))]
        elif is_code:
            answers = [_STAND_IN.format(part=part)]
            if not tests and role != "tests":
                tests = [_ANY_TEST.format(part=part, points=1)]
        earlier = [
            _EARLIER.format(part=f"{question}-p{n}", n=n) for n in range(1, min(int(number), 100))
        ]
        texts = [*earlier, *answers, *tests, *([] if role == "answer" else [raw])]
        here = len(earlier) + 2 if role == "answer" else len(texts) + 1
        text = _as_source(question, texts)
        try:
            return source.read(text, Path(f"{question}.py"), seed=self.seed).part(part)
        except SourceErrors as found:
            syntax = errors.BAD_SYNTAX.split("{")[0]
            if role == "answer" and any(
                mistake.cell == here and mistake.message.startswith(syntax)
                for mistake in found.mistakes
            ):
                return None
            first = source.cell_lines(text)[here - 1]
            said = [
                messages.CELL_MISTAKE.format(line=max(m.line - first + 1, 1), message=m.message)
                if m.cell == here
                else m.message
                for m in found.mistakes
            ]
            raise CellError("\n".join(dict.fromkeys(said))) from None

    def given(self, part: Part) -> list[str]:
        """The texts of a part's given cells, with the course's seed in them."""
        cells = [
            Cell("given", kept.target, "code", kept.body, 0)
            for kept in self.kept("given", part.question, part.id)
        ]
        return [given_source(cell, self.seed) for cell in cells]


def _as_source(question: str, texts: list[str]) -> str:
    """A source with one question and these code cells."""
    cells = [
        nbformat.v4.new_markdown_cell(f"<!--| question: {question} -->"),
        *(nbformat.v4.new_code_cell(text) for text in texts),
    ]
    front = {
        "autogradient": {"format": 1, "title": question},
        "jupytext": {"notebook_metadata_filter": "autogradient"},
    }
    text: str = jupytext.writes(
        nbformat.v4.new_notebook(cells=cells, metadata=front), fmt="py:percent"
    )
    return text
