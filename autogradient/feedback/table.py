"""Student × assignment in one table: points, what failed, what waits. For a terminal and as plain
text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from autogradient import visible
from autogradient.course.marks import Marked, is_void
from autogradient.model.points import show_points
from autogradient.model.result import NO_VERDICT, PartResult, Result

NOTHING = "–"
#: So many ids of parts are named; the feedback of a submission has them all.
NAMED = 3


def failed_parts(result: Result) -> list[str]:
    """Ids of the parts that were tried and lost points, in order; of an essay all of them, since a
    person marks it and part of its points is no failure.
    """
    return [part.id for part in result.parts if part.attempted and _failed(part)]


def _failed(part: PartResult) -> bool:
    lost = [
        case
        for case in part.cases
        if case.outcome not in NO_VERDICT and case.earned < case.possible
    ]
    return bool(lost) and (part.kind != "essay" or part.earned <= 0)


def waiting_parts(result: Result) -> list[str]:
    """Ids of the parts of which something has no verdict yet, in order."""
    return [
        part.id for part in result.parts if any(case.outcome in NO_VERDICT for case in part.cases)
    ]


def untried_parts(result: Result) -> list[str]:
    """Ids of the parts that stand as released, in order."""
    return [part.id for part in result.parts if not part.attempted and not is_void(part)]


def points(result: Result) -> str:
    """The points as they stand in a table: "7.5/12", "7.5/12 +1" with a bonus, "6/12 late", else
    what became of the submission.
    """
    if is_excused(result):
        return "excused"
    if isinstance(result, Marked) and result.damaged:
        return "result damaged"
    if result.outcome in ("missing", "unreadable"):
        return NOTHING if result.outcome == "missing" else "unreadable"
    if not result.questions:
        return "grader error"
    bonus = f" +{show_points(result.points.bonus)}" if result.points.bonus else ""
    late = " late" if isinstance(result, Marked) and result.late is not None else ""
    return f"{show_points(result.points.earned)}/{show_points(result.points.possible)}{bonus}{late}"


def is_excused(result: Result) -> bool:
    """Whether the student need not have handed it in."""
    return isinstance(result, Marked) and result.excused is not None


def table(
    results: Iterable[Result], assignments: Sequence[str] = (), students: Sequence[str] = ()
) -> Table:
    """A rich table, a row for each student and a column for each assignment (those given first,
    then those that turn up).
    """
    grid, assignments, students = by_student(results, assignments, students)
    shown = Table(show_lines=True)
    shown.add_column("student", no_wrap=True)
    for assignment in assignments:
        shown.add_column(Text(visible.line(assignment)))
    for student in students:
        shown.add_row(
            Text(visible.line(student)),
            *(_cell(grid.get((student, assignment))) for assignment in assignments),
        )
    return shown


def plain(
    results: Iterable[Result], assignments: Sequence[str] = (), students: Sequence[str] = ()
) -> str:
    """The same without colours and borders: one line for each student and assignment, columns
    aligned, short enough for a terminal.
    """
    grid, assignments, students = by_student(results, assignments, students)
    rows = [("student", "assignment", "points", "failed", "untried", "waits")]
    for student in students:
        for assignment in assignments:
            result = grid.get((student, assignment))
            failed, untried, waits = _lists(result)
            columns = (_named(failed, 1), _counted(untried), _named(waits, 1))
            rows.append(
                (
                    visible.line(student),
                    visible.line(assignment),
                    points(result) if result else NOTHING,
                    *columns,
                )
            )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return (
        "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )
        + "\n"
    )


def by_student(
    results: Iterable[Result], assignments: Sequence[str] = (), students: Sequence[str] = ()
) -> tuple[dict[tuple[str, str], Result], list[str], list[str]]:
    """Results by (student, assignment), the last one where there are several, with all assignments
    and all students in order.
    """
    grid = {
        (student, result.assignment): result
        for result in results
        for student in result.submission.students
    }
    found = (
        sorted({assignment for _, assignment in grid} - set(assignments)),
        sorted({student for student, _ in grid} - set(students)),
    )
    return grid, [*assignments, *found[0]], [*students, *found[1]]


def _lists(result: Result | None) -> tuple[list[str], list[str], list[str]]:
    """What failed, what was not tried, what waits; nothing of a submission that was not graded."""
    if result is None or result.outcome not in ("graded", "grader_error") or is_excused(result):
        return [], [], []
    return failed_parts(result), untried_parts(result), waiting_parts(result)


def _named(ids: Sequence[str], named: int = NAMED) -> str:
    """The first few ids and how many more there are."""
    more = f" +{len(ids) - named} more" if len(ids) > named else ""
    return ", ".join(map(visible.line, ids[:named])) + more


def _counted(ids: Sequence[str]) -> str:
    return "" if not ids else "1 part" if len(ids) == 1 else f"{len(ids)} parts"


def _cell(result: Result | None) -> Text:
    if result is None:
        return Text(NOTHING, style="dim")
    if is_excused(result):
        return Text(points(result), style="dim")
    complete = result.outcome == "graded" and result.points.earned >= result.points.possible
    text = Text(
        points(result),
        style="bold green" if complete else "bold" if result.outcome == "graded" else "bold red",
    )
    for word, ids, style in zip(
        ("failed", "untried", "waits"), _lists(result), ("red", "dim", "yellow"), strict=True
    ):
        if ids:
            text.append(
                f"\n{word}: {_counted(ids) if word == 'untried' else _named(ids)}", style=style
            )
    return text
