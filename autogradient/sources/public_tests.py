"""The test files of a release: a part's cases with all that they need of the instructor's cells,
able to stand alone beside the student notebook.
"""

from __future__ import annotations

import hashlib
import re
from fractions import Fraction
from typing import Any

from autogradient.model import answer_kind, short_answers
from autogradient.model.answer_checks import plain_value
from autogradient.model.assignment import Assignment, Cell, Part
from autogradient.model.result import decimal
from autogradient.model.testcode import Statement, reachable, statements, without_magics

NO_PROBE = (
    'def probe(function):\n    """Leave a probe as it is: here it runs beside your code '
    'anyway."""\n    return function'
)


def test_file(
    assignment: Assignment, part: Part, *, hidden: bool | None, expected: Any = None
) -> str:
    """An otter test file (exception format) with the visible or the hidden cases of a part, able to
    stand alone.

    With None it has all of them, each marked as what it is: for a stock grader that keeps the
    hidden ones from students. Never publish that.

    A file without points would show "passed!" for anything, so where the visible cases carry none
    the first one gets a nominal point.
    """
    cases = [case for case in part.cases if hidden is None or case.hidden == hidden]
    pool = _pool(assignment, part)
    # a formula's cases are generated and have no decorator to know them by
    names = {case.name for case in cases}
    by_name = {name: statement for statement in pool for name in statement.binds & names}
    bodies: list[str] = []
    needed: set[str] = set()
    nominal = not any(case.points for case in cases)
    variable = part.names[0] if part.names else "answer"
    if not cases:  # a code part whose cases are all hidden still gets a check of its form
        bodies.append(
            _decorator(
                answer_kind.FORM_TITLE,
                1,
                False,
                f"Define {', '.join(part.names)} in the cell above.",
            )
            + (
                f"def {answer_kind.FORM_CASE}({', '.join(part.names)}):\n    assert None "
                f"not in ({', '.join(part.names)},), 'Run the cell with your answer first.'"
            )
        )
    for case in cases:
        points = Fraction(1) if nominal and case is cases[0] else case.points
        header = _decorator(
            case.title,
            decimal(points),
            hidden is None and case.hidden,
            case.failure_message,
            case.success_message,
        )
        if case.name in by_name:
            statement = by_name[case.name]
            bodies.append(header + _without_decorators(statement.source))
            needed |= statement.needs
            continue
        kind = short_answers.kind_of(part)
        body = f"def {case.name}({variable}):\n{kind.form_check(part)}"
        needed.add(kind.check.__name__)
        if case.name == answer_kind.ANSWER_CASE:
            body += (
                f"\n    assert is_right({part.kind!r}, {variable}, "
                f"{plain_value(expected)!r}, {kind.rules(part)!r})"
            )
            needed.add("is_right")
        bodies.append(header + body)
    if part.by_value:  # a formula's tests bring them along
        pool = statements(short_answers.form_text()) + pool
    used = [statement for statement in reachable(needed, pool) if not statement.case]
    all_needed = needed.union(*(statement.needs for statement in used))
    top: list[str] = []
    definitions: list[str] = []
    for statement in used:
        (top if re.match(r"(import|from) ", statement.source) else definitions).append(
            statement.source
        )
    if "secret" in all_needed:
        if "import numpy as np" not in top:
            top.append("import numpy as np")
        definitions.insert(0, f"secret = np.random.default_rng({_number(part.id)})")
    if "probe" in all_needed:
        definitions.insert(0, NO_PROBE)
    name = f"{part.id}-hidden" if hidden else part.id
    imports = sorted({"from otter.test_files import test_case", *top}, key=_import_order)
    head = ["OK_FORMAT = False", "\n".join(imports), f'name = "{name}"\npoints = None']
    return "\n\n\n".join(["\n\n".join(head), *definitions, *bodies]) + "\n"


def _pool(assignment: Assignment, part: Part) -> list[Statement]:
    """Every statement that a case of `part` may use, from the instructor's cells, in
    their order.
    """
    texts = [cell.source for cell in assignment.with_role("setup")]
    texts += [
        given_source(cell, assignment.seed)
        for cell in assignment.with_role("given")
        if cell.target in (part.question, part.id)
    ]
    texts += [cell.source for cell in assignment.with_role("helpers")]
    return [
        statement
        for text in [*texts, part.tests]
        if text.strip()
        for statement in statements(without_magics(text))
    ]


def _decorator(title: str, points: Any, hidden: bool, failure: str = "", success: str = "") -> str:
    extras = "".join(
        f", {key}={value!r}"
        for key, value in (("success_message", success), ("failure_message", failure))
        if value
    )
    return f"@test_case(name={title!r}, points={points!r}, hidden={hidden!r}{extras})\n"


def _without_decorators(source: str) -> str:
    return source[re.search(r"^(async )?def ", source, re.MULTILINE).start() :]  # type: ignore[union-attr]


def _import_order(line: str) -> tuple[bool, str, str]:
    return (
        "otter" in line or "torch" in line or "numpy" in line or "matplotlib" in line,
        line.split()[1],
        line,
    )


def _number(text: str) -> int:
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def given_source(cell: Cell, seed: int) -> str:
    """A given cell with the course's seed written out at its top."""
    return f"seed = {seed}\n{cell.source}" if re.search(r"\bseed\b", cell.source) else cell.source
