"""Small assignments, releases, submissions and results made by hand, so that what stands after
grading is tested without grading.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import compute_checksum

from autogradient.model.assignment import Assignment, Case, Part, Question
from autogradient.model.result import (
    CaseResult,
    PartResult,
    Problem,
    QuestionResult,
    Result,
    SubmissionInfo,
    add_up,
)

NAME = "gates"


def assignment(name: str = NAME, form: str = "autogradient") -> Assignment:
    """Two questions: `and-gate` (code, 1 visible and 2 hidden points) and `why` (an essay of 2
    points).
    """
    code = Part(
        "and-gate",
        "and-gate",
        "code",
        Fraction(3),
        "",
        "",
        cases=(Case("a", "truth table", Fraction(1)), Case("b", "noisy", Fraction(2), True)),
    )
    essay = Part("why", "why", "essay", Fraction(2), "", "")
    return Assignment(
        name,
        "Gates",
        form,
        [],
        [Question("and-gate", [code]), Question("why", [essay])],
        Path(f"{name}.py"),
    )


def cell(
    kind: str,
    source: str,
    grade_id: str,
    *,
    points: float | None = None,
    solution: bool = False,
    locked: bool = True,
    outputs: Any = (),
) -> NotebookNode:
    """A cell with nbgrader's metadata, checksum included."""
    marking: dict[str, Any] = {
        "grade_id": grade_id,
        "grade": points is not None,
        "solution": solution,
        "locked": locked,
        "task": False,
        "schema_version": 3,
    }
    marking |= {"cell_type": kind} | ({"points": points} if points is not None else {})
    make = new_code_cell if kind == "code" else new_markdown_cell
    made = make(source, metadata={"nbgrader": marking}, id=grade_id)
    made.metadata.nbgrader["checksum"] = compute_checksum(made)
    if outputs:
        made.outputs = list(outputs)
    return made


def release(*more: NotebookNode, drop: tuple[str, ...] = (), points: float = 2) -> NotebookNode:
    """The released notebook of `assignment()`; `more` cells at the end, cells called in `drop` left
    out, `points` of the hidden cell.
    """
    cells = [
        cell("markdown", "Write an **and** gate.", "and-gate-text"),
        cell(
            "code", "def and_gate(a, b):\n    ...", "and-gate-answer", solution=True, locked=False
        ),
        cell("code", "1 * grader.check('and-gate').grade", "and-gate", points=1),
        cell("code", "print('2 more points')", "and-gate-hidden", points=points),
        cell("markdown", "Your answer.", "why-answer", points=2, solution=True, locked=False),
        *more,
    ]
    kept = [c for c in cells if c.metadata.nbgrader.grade_id not in drop]
    return new_notebook(
        cells=kept,
        metadata={
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
        },
    )


def submission(
    answer: str = "def and_gate(a, b):\n    return a and b",
    essay: str = "Because one line is enough.",
    outputs: Any = (),
) -> NotebookNode:
    """The release, answered."""
    notebook = release()
    notebook.cells[1].source = answer
    notebook.cells[1].outputs = [*outputs] or [new_output("stream", name="stdout", text="hello\n")]
    notebook.cells[4].source = essay
    return notebook


def case(
    name: str,
    outcome: str,
    possible: float = 1,
    *,
    hidden: bool = False,
    earned: float | None = None,
    **more: Any,
) -> CaseResult:
    """A case; it earns all or nothing unless `earned` says otherwise."""
    return CaseResult(
        name=name,
        outcome=outcome,
        hidden=hidden,
        possible=possible,
        earned=earned if earned is not None else possible * (outcome == "passed"),
        **more,
    )


def question(
    part: str, kind: str, *cases: CaseResult, attempted: bool = True, optional: bool = False
) -> QuestionResult:
    """A question of one part."""
    return QuestionResult(
        id=part,
        optional=optional,
        possible=0,
        parts=[PartResult(id=part, kind=kind, attempted=attempted, possible=0, cases=list(cases))],
    )


def result(
    *questions: QuestionResult,
    student: str = "ada",
    name: str = NAME,
    outcome: str = "graded",
    problems: Any = (),
    **info: Any,
) -> Result:
    """A result with its totals; without `questions`, the visible case passed, the hidden one failed
    and the essay waits.
    """
    listed = list(questions) or [
        question(
            "and-gate",
            "code",
            case("truth table", "passed"),
            case(
                "noisy",
                "failed",
                2,
                hidden=True,
                message="One line must separate (1, 1) from the rest.",
            ),
        ),
        question("why", "essay", case("why", "not_run", 2, reason="hand")),
    ]
    if outcome == "unreadable":  # as the grader writes it: nothing tried, nothing lost
        for part in (part for q in listed for part in q.parts):
            part.attempted = False
            part.cases = [
                CaseResult(
                    name=c.name,
                    hidden=c.hidden,
                    outcome="not_run",
                    reason="unreadable",
                    possible=c.possible,
                )
                for c in part.cases
            ]
    info = {"students": [student], "received_at": "2026-09-01T10:00:00Z"} | info
    found = [Problem(cell=number, message=text) for number, text in problems]
    return Result(
        assignment=name,
        outcome=outcome,
        submission=SubmissionInfo(**info),
        points=add_up(listed),
        questions=listed,
        problems=found,
    )
