"""Marks as CSV: one row a student for learning platforms, and one row a part for whoever wants to
compute with them.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction

from autogradient import visible
from autogradient.feedback.table import by_student, is_excused
from autogradient.model.result import NO_VERDICT, Result, decimal

#: What begins a formula, in full width and small too, behind white space and quotes.
_BEGINS = r"(?:[^\S\n]|\")*[=+\-@＝＋－＠﹢﹣﹦﹫]"
_FORMULA = re.compile(rf"\A(?={_BEGINS})")
#: Within a cell an item of a list stays as it is: no formula can be made of words.
_FORMULA_WITHIN = re.compile(rf"(\n|;)(?={_BEGINS})(?![ \t]*[-+] [^\n;()|!=@]*(?:[\n;]|\Z))")
_MADE_TEXT = re.compile(rf"(^|;)'(?={_BEGINS})", re.MULTILINE)


def marks_csv(
    results: Iterable[Result], assignments: Sequence[str] = (), students: Sequence[str] = ()
) -> str:
    """One row a student: id, then earned, possible, ungraded and bonus of each assignment.

    Blank means that there is no mark: nothing was handed in, nothing of it has a verdict, or the
    student is excused. Where only some of it waits, `earned` is what is certain so far and
    `ungraded` what may be added. Cells that a spreadsheet would run as a formula are made text.
    """
    grid, assignments, students = by_student(results, assignments, students)
    rows: list[list[str]] = [
        [
            "student",
            *(
                f"{name} {column}"
                for name in assignments
                for column in ("earned", "possible", "ungraded", "bonus")
            ),
        ]
    ]
    for student in students:
        rows.append(
            [
                student,
                *(cell for name in assignments for cell in _totals(grid.get((student, name)))),
            ]
        )
    return _csv(rows)


def parts_csv(
    results: Iterable[Result], assignments: Sequence[str] = (), students: Sequence[str] = ()
) -> str:
    """One row for each part of each submission: student, assignment, question, part, kind,
    optional, attempted, earned, possible, ungraded.

    `earned` is blank where no case of the part has a verdict. A submission that is missing or
    excused has no rows.
    """
    grid, assignments, students = by_student(results, assignments, students)
    rows = [
        [
            "student",
            "assignment",
            "question",
            "part",
            "kind",
            "optional",
            "attempted",
            "earned",
            "possible",
            "ungraded",
        ]
    ]
    for student in students:
        for name in assignments:
            result = grid.get((student, name))
            for question in (
                result.questions
                if result and result.outcome != "missing" and not is_excused(result)
                else ()
            ):
                for part in question.parts:
                    waiting = sum(
                        (case.possible for case in part.cases if case.outcome in NO_VERDICT),
                        Fraction(0),
                    )
                    blank = bool(part.cases) and all(
                        case.outcome in NO_VERDICT for case in part.cases
                    )
                    flags = [
                        "yes" if flag else "no" for flag in (question.optional, part.attempted)
                    ]
                    marks = [
                        "" if blank else _number(part.earned),
                        _number(part.possible),
                        _number(waiting),
                    ]
                    rows.append([student, name, question.id, part.id, part.kind, *flags, *marks])
    return _csv(rows)


def neutral(text: str) -> str:
    """`text` as a spreadsheet shows it rather than runs it: an apostrophe before what would begin a
    formula, nothing that is not seen.

    A formula may begin a cell; and where semicolons separate cells, what stands behind one begins a
    cell, and a line within quotes begins a row. Lines stay lines.
    """
    text = visible.prose(re.sub(r"[\x00-\x09\x0b-\x1f\x7f]", " ", text))
    return _FORMULA.sub("'", _FORMULA_WITHIN.sub(r"\1'", text))


def restored(text: str) -> str:
    """What `neutral` made text, as it was; what is not seen stays as it is shown."""
    return _MADE_TEXT.sub(r"\1", text)


def _totals(result: Result | None) -> list[str]:
    if result is None or result.outcome == "missing" or is_excused(result):
        return ["", "", "", ""]
    totals = result.points
    if not totals.possible:
        return ["", "", "", ""]
    graded = result.outcome != "unreadable" and (
        totals.ungraded < totals.possible or totals.earned > 0
    )
    return [
        _number(totals.earned) if graded else "",
        _number(totals.possible),
        _number(totals.ungraded),
        _number(totals.bonus) if graded else "",
    ]


def _number(points: Fraction) -> str:
    return str(decimal(points))


def _csv(rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    numeric = re.compile(r"-?\d+(\.\d+)?")
    csv.writer(out, lineterminator="\n").writerows(
        [
            [cell if numeric.fullmatch(cell) else neutral(cell.replace("\n", " ")) for cell in row]
            for row in rows
        ]
    )
    return out.getvalue()
