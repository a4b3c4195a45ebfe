"""The cells of a source that belong to a part beside its answer: tests, right and wrong variants,
declared mutants, rubrics. Each goes to its part, and the part is checked as a whole.
"""

from __future__ import annotations

import re
from collections import defaultdict
from fractions import Fraction

from autogradient import errors
from autogradient.errors import nearest
from autogradient.model import short_answers, testcode
from autogradient.model.assignment import (
    Case,
    Cell,
    Equivalent,
    Part,
    Question,
    RubricItem,
    Variant,
)
from autogradient.model.points import points_of, show_points
from autogradient.sources import messages
from autogradient.sources.mistakes import Mistakes


def attach(cells: list[Cell], questions: list[Question], mistakes: Mistakes) -> None:
    """Give each part its tests, variants, declared mutants and rubric."""
    parts = {part.id: part for question in questions for part in question.parts}
    known = {*parts, *(question.id for question in questions)}
    tests: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        if cell.role in ("tests", "wrong", "right", "equivalent", "rubric", "hint") and cell.target:
            # A broken answer cell has its mistake already; do not report its followers too.
            if cell.target not in parts and not any(
                c.role == "answer" and c.target == cell.target for c in cells
            ):
                if not (cell.role == "hint" and cell.target in known):
                    mistakes.wrong(
                        cell.number,
                        messages.UNKNOWN_PART.format(
                            role=cell.role,
                            part=cell.target,
                            nearest=nearest(cell.target, parts),
                        ),
                    )
                continue
        if cell.role == "given" and cell.target and cell.target not in known:
            mistakes.wrong(
                cell.number,
                messages.UNKNOWN_PART.format(
                    role="given", part=cell.target, nearest=nearest(cell.target, known)
                ),
            )
        part = parts.get(cell.target)
        if part is None:
            continue
        by_code = cell.role in ("tests", "wrong", "right", "equivalent")
        if (
            (by_code and part.by_hand)
            or (cell.role == "rubric" and not part.by_hand)
            or (cell.role == "equivalent" and part.kind != "code")
        ):
            mistakes.wrong(
                cell.number,
                messages.NOT_FOR_KIND.format(role=cell.role, part=part.id, kind=part.kind),
            )
            continue
        if cell.role == "tests":
            tests[part.id].append(cell)
        elif cell.role in ("wrong", "right"):
            _variant(part, cell, mistakes)
        elif cell.role == "equivalent":
            if {"from", "to", "because"} <= set(cell.keys):
                part.equivalents.append(
                    Equivalent(
                        str(cell.keys["from"]), str(cell.keys["to"]), str(cell.keys["because"])
                    )
                )
            else:
                mistakes.wrong(cell.number, messages.NO_EQUIVALENT)
        elif cell.role == "rubric":
            _rubric(part, cell, mistakes)
    for part in parts.values():
        _tests(part, tests[part.id], mistakes)


def _variant(part: Part, cell: Cell, mistakes: Mistakes) -> None:
    because = cell.keys.get("because")
    if not because or isinstance(because, dict):
        mistakes.wrong(
            cell.number,
            messages.NO_BECAUSE.format(
                role=cell.role,
                what="the slip, for the student"
                if cell.role == "wrong"
                else "what is different about it",
            ),
        )
    earns = None
    if "earns" in cell.keys:
        earns = points_of(cell.keys["earns"])
        if earns is None:
            mistakes.wrong(cell.number, errors.BAD_POINTS.format(points=cell.keys["earns"]))
    (part.wrong if cell.role == "wrong" else part.right).append(
        Variant(cell.source, str(because or ""), cell.number, earns)
    )


def _rubric(part: Part, cell: Cell, mistakes: Mistakes) -> None:
    part.rubric_text, broken = cell.source, False
    for offset, line in enumerate(cell.source.split("\n"), start=mistakes.above[cell.number]):
        if not line.lstrip().startswith("- "):
            continue
        match = re.match(r"\s*- \[([^\]]*)\]\s*([\w-]+):\s*(.+)", line)
        points = points_of(match.group(1)) if match else None
        if match is None or points is None:
            mistakes.wrong(cell.number, messages.RUBRIC_ITEM.format(text=line.strip()), offset)
            broken = True
        else:
            part.rubric.append(RubricItem(points, match.group(2), match.group(3).strip()))
    if broken:
        part.rubric = []  # its sum says nothing
    elif not part.rubric:
        mistakes.wrong(cell.number, messages.RUBRIC_EMPTY.format(part=part.id))


def _tests(part: Part, cells: list[Cell], mistakes: Mistakes) -> None:
    if part.is_short:
        for cell in cells:
            mistakes.wrong(
                cell.number, messages.SHORT_WITH_TESTS.format(part=part.id, kind=part.kind)
            )
        part.cases = short_answers.kind_of(part).cases(part)
        return
    cases: list[Case] = []
    numbers = {cell.number for cell in cells}
    taken: set[str] = set()
    for cell in cells:
        found, problems = testcode.read_cases(cell.source, part.id, taken)
        for offset, message in problems:
            mistakes.wrong(cell.number, message, mistakes.above[cell.number] + offset)
        cases += found
    part.tests = "\n\n\n".join(cell.source.strip() for cell in cells)
    if part.kind == "code":
        declared, total = part.points, sum((case.points for case in cases), Fraction(0))
        if not cases and not any(mistake.cell in numbers for mistake in mistakes.found):
            mistakes.wrong(part.cell, messages.NO_TESTS.format(part=part.id))
        elif declared and declared != total:
            mistakes.wrong(
                part.cell,
                messages.POINTS_SUM.format(
                    part=part.id, declared=show_points(declared), sum=show_points(total)
                ),
            )
        elif cases and not total and not any(mistake.cell in numbers for mistake in mistakes.found):
            mistakes.wrong(part.cell, messages.NO_POINTS.format(part=part.id))
        part.points, part.cases = total, tuple(cases)


def finish(part: Part, mistakes: Mistakes) -> None:
    """Check a part as a whole."""
    if part.kind == "essay":
        if not part.rubric_text:
            mistakes.wrong(part.cell, messages.NO_RUBRIC.format(part=part.id))
        elif part.rubric and part.points != sum(item.points for item in part.rubric):
            total = sum((item.points for item in part.rubric), Fraction(0))
            mistakes.wrong(
                part.cell,
                messages.RUBRIC_SUM.format(
                    part=part.id, sum=show_points(total), declared=show_points(part.points)
                ),
            )
    for variant in part.wrong:
        if variant.earns is not None and variant.earns >= part.points:
            mistakes.wrong(
                variant.cell,
                messages.BAD_EARNS.format(
                    earns=show_points(variant.earns),
                    points=show_points(part.points),
                    part=part.id,
                ),
            )
    # made from the solution and the inputs, which must be in order
    if part.is_short and not mistakes.found:
        part.tests = short_answers.kind_of(part).tests(part)
