"""Where the solution stands in an answer cell, and the stub that is left without it."""

from __future__ import annotations

import re

from autogradient.model import answer_kind, testcode
from autogradient.model.assignment import Cell, Part
from autogradient.sources import messages
from autogradient.sources.mistakes import Mistakes

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB_COMMENT = "# Your code here"
SOLUTION_COMMENT = re.compile(r"#\s*SOLUTION\s*$")
_SOLUTION_LINE = re.compile(r"^(\s*[\w.\[\], :\"']+?\s*=)(?!=)\s*(.+?)\s*#\s*SOLUTION\s*$")


def strip_solution(source: str) -> str:
    """The stub of a code answer: solution blocks and `# SOLUTION` lines become `...`."""
    out: list[str] = []
    inside = False
    for line in source.split("\n"):
        if line.strip() == BEGIN:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            out += [f"{indent}{STUB_COMMENT}", f"{indent}..."]
        elif line.strip() == END:
            inside = False
        elif not inside:
            match = _SOLUTION_LINE.match(line)
            out.append(f"{match.group(1)} ..." if match else line)
    return "\n".join(out)


def read_solution(part: Part, cell: Cell, mistakes: Mistakes) -> None:
    """Take the stub, the names and for a short answer the solution from an answer cell."""
    inside = 0
    for offset, line in enumerate(cell.source.split("\n"), start=mistakes.above[cell.number]):
        if line.strip() == BEGIN:
            if inside:
                mistakes.wrong(cell.number, messages.UNCLOSED_SOLUTION, inside)
            inside = offset
        elif line.strip() == END:
            if not inside:
                mistakes.wrong(cell.number, messages.UNOPENED_SOLUTION, offset)
            inside = 0
        elif SOLUTION_COMMENT.search(line) and not inside and not _SOLUTION_LINE.match(line):
            mistakes.wrong(cell.number, messages.SOLUTION_LINE, offset)
    if inside:
        mistakes.wrong(cell.number, messages.UNCLOSED_SOLUTION, inside)
    part.stub = strip_solution(cell.source)
    if part.stub == cell.source:
        mistakes.wrong(cell.number, messages.NO_SOLUTION.format(part=part.id))
    part.names = tuple(testcode.bound_names(cell.source))
    if part.is_short:
        code = "\n".join(
            line for line in cell.source.split("\n") if line.strip() not in (BEGIN, END)
        )
        if answer_kind.assigned_value(code) is None:
            mistakes.wrong(cell.number, messages.NO_ASSIGNMENT.format(part=part.id))
            part.names = part.names or ("answer",)
        else:
            part.solution = code
