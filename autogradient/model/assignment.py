"""The model of an assignment: what a source, an nbgrader notebook and an otter folder are all read
into.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

Format = Literal["autogradient", "nbgrader", "otter"]

#: Words for hidden points' cells and answers; ids of parts may not end in them.
RESERVED_SUFFIXES = ("-text", "-hidden", "-answer")

#: Files that only show something: no verdict depends on them.
PICTURES = (".svg", ".png", ".jpg", ".gif")


@dataclass(frozen=True)
class Case:
    """One test function of a part: a case. `name` is its function's name, `title` what students
    read.
    """

    name: str
    title: str
    points: Fraction
    hidden: bool = False
    failure_message: str = ""
    success_message: str = ""


@dataclass(frozen=True)
class Variant:
    """An answer that is known: a wrong one (with what it may earn at most) or another right one.

    `source` replaces the answer cell and runs over the reference. `earns` is exact where given;
    otherwise "fewer than full".
    """

    source: str
    because: str
    cell: int
    earns: Fraction | None = None


@dataclass(frozen=True)
class Equivalent:
    """A declared mutant that changes nothing: the stripped line before and after, and
    the reason.
    """

    before: str
    after: str
    because: str


@dataclass(frozen=True)
class RubricItem:
    """One line of an essay's rubric."""

    points: Fraction
    name: str
    text: str


@dataclass
class Declaration:
    """What a short answer declares: everything its form check and its verdict are made from.

    `tolerance` is ("absolute" | "relative" | "default", value). `options` is a dict for choices, a
    list of statements for true-false. `slips` maps a Python literal of a wrong answer to the
    sentence that names the slip.
    """

    options: dict[str, str] | list[str] = field(default_factory=dict)
    tolerance: tuple[str, float] = ("default", 0.0)
    accept: list[list[str]] = field(default_factory=list)
    slips: dict[str, str] = field(default_factory=dict)
    inputs: str = ""


@dataclass(eq=False)
class Part:
    """One answer with its check and points. Its `kind` is "code", "essay" or one of
    `short_answers.KINDS`.

    `names` are what the answer cell binds (the first is the short answer's variable); `solution`
    and `stub` are whole cell texts. `tests` is the text of the test code without directives: case
    functions, probes and what they need. Where `style` is "cell" it is one cell of asserts that
    runs in the student's names, and its last value may be partial credit (nbgrader's format).
    """

    id: str
    question: str
    kind: str
    points: Fraction
    solution: str
    stub: str
    names: tuple[str, ...] = ()
    cases: tuple[Case, ...] = ()
    tests: str = ""
    style: Literal["functions", "cell"] = "functions"
    all_or_nothing: bool = False
    declaration: Declaration = field(default_factory=Declaration)
    wrong: list[Variant] = field(default_factory=list)
    right: list[Variant] = field(default_factory=list)
    equivalents: list[Equivalent] = field(default_factory=list)
    rubric: list[RubricItem] = field(default_factory=list)
    rubric_text: str = ""
    cell: int = 0

    @property
    def is_short(self) -> bool:
        """Whether the answer is one declared value rather than code or prose."""
        return self.kind not in ("code", "essay")

    @property
    def by_value(self) -> bool:
        """Whether its value alone is judged, copied out of the process that ran the notebook: so is
        every short answer but a formula, which is called.
        """
        return self.is_short and self.kind != "formula"

    @property
    def by_hand(self) -> bool:
        """Whether a person marks it."""
        return self.kind == "essay"

    @property
    def visible_points(self) -> Fraction:
        """Points of the cases that students can run themselves."""
        return sum((case.points for case in self.cases if not case.hidden), Fraction(0))

    @property
    def hidden_points(self) -> Fraction:
        """Points of the cases that only the grader runs."""
        return sum((case.points for case in self.cases if case.hidden), Fraction(0))


@dataclass
class Question:
    """What a student reads as one task; its parts carry the points.

    `was` are the ids that it had before, as the source has them: `ID`, or `ASSIGNMENT/ID` where it
    stood in another assignment.
    """

    id: str
    parts: list[Part] = field(default_factory=list)
    level: str = "M"
    minutes: float = 0
    covers: tuple[str, ...] = ()
    optional: bool = False
    needs: tuple[str, ...] = ()
    was: tuple[str, ...] = ()
    cell: int = 0

    @property
    def points(self) -> Fraction:
        """The sum of its parts' points."""
        return sum((part.points for part in self.parts), Fraction(0))


@dataclass
class Cell:
    """One cell of the source in its place.

    `role` is a role of the source format, or "text" (Markdown without a role) or "scratch" (code
    without one); `target` the question or part it names. `grade_id` is the nbgrader id of the cell
    that this one becomes in the release ("" where it becomes none or several).
    """

    role: str
    target: str
    kind: Literal["code", "markdown"]
    source: str
    number: int
    line: int = 0
    keys: dict[str, Any] = field(default_factory=dict)
    grade_id: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class Limits:
    """What a submission may use: seconds of wall time for a cell, for a case and for all its cells
    together, and memory in MB.
    """

    cell_s: float = 30.0
    case_s: float = 10.0
    memory_mb: float = 4096.0
    submission_s: float = 900.0


@dataclass(frozen=True, eq=False)
class Assignment:
    """A whole assignment, whatever format it was written in. Not to be changed: what is worked out
    from it is kept.

    `files` are the data files and pictures that students get beside the notebook (relative path →
    content).
    """

    name: str
    title: str
    format: str
    cells: list[Cell]
    questions: list[Question]
    path: Path
    minutes: float = 0
    prerequisites: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    allow: list[tuple[str, str]] = field(default_factory=list)
    seed: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    kernelspec: dict[str, str] = field(default_factory=dict)
    runner: str = ""

    @cached_property
    def parts(self) -> list[Part]:
        """All parts in order."""
        return [part for question in self.questions for part in question.parts]

    @property
    def points(self) -> Fraction:
        """Points of the whole assignment without its optional questions."""
        return sum(
            (question.points for question in self.questions if not question.optional), Fraction(0)
        )

    @property
    def headings(self) -> dict[str, str]:
        """Question id → the heading students read above it; questions without one are left out."""
        found = {}
        for cell in self.cells:
            match = (
                re.search(r"^#+[ \t]+(.+)$", cell.source, re.MULTILINE)
                if cell.role == "question"
                else None
            )
            if match:
                found[cell.target] = match.group(1).strip()
        return found

    @property
    def reference(self) -> dict[str, str]:
        """The instructor's own answers: grade_id of the answer cell → cell text."""
        if self.format == "autogradient":
            return {f"{part.id}-answer": part.solution for part in self.parts if not part.by_hand}
        return {
            cell.grade_id: cell.metadata.get("solution", cell.source)
            for cell in self.cells
            if cell.role == "answer" and cell.kind == "code"
        }

    @cached_property
    def former(self) -> dict[tuple[str, str], str]:
        """(assignment, id that a question or a part had there before) → its present id, by the
        `was` of questions.

        An id that something has now is left out: it means that.
        """
        if self.format != "autogradient":
            return {}
        present = {
            (self.name, name)
            for question in self.questions
            for name in (question.id, *(part.id for part in question.parts))
        }
        found: dict[tuple[str, str], str] = {}
        for question in self.questions:
            for old in question.was:
                assignment, _, stem = old.rpartition("/")
                for name in (question.id, *(part.id for part in question.parts)):
                    found.setdefault(
                        (assignment or self.name, stem + name.removeprefix(question.id)), name
                    )
        return {key: name for key, name in found.items() if key not in present}

    def part(self, part_id: str) -> Part:
        """The part called `part_id`; KeyError where there is none."""
        for part in self.parts:
            if part.id == part_id:
                return part
        raise KeyError(part_id)

    def question_of(self, part_id: str) -> Question:
        """The question that `part_id` belongs to."""
        return next(
            question
            for question in self.questions
            if any(part.id == part_id for part in question.parts)
        )

    def needs_card(self, part: Part) -> bool:
        """Whether a part can only be judged where there is an NVIDIA card."""
        return "cuda" in self.question_of(part.id).needs

    def with_role(self, *roles: str, target: str | None = None) -> Iterator[Cell]:
        """The cells with one of `roles` (and `target`, where given), in order."""
        return (
            cell
            for cell in self.cells
            if cell.role in roles and (target is None or cell.target == target)
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that can change a verdict: roles, code, declarations, data, seed
        and limits; not prose.
        """
        prose = {"text", "question", "hint", "staff", "rubric"}
        content = {
            "format": self.format,
            "cells": [
                [c.role, c.target, c.source, _plain(c.keys)]
                for c in self.cells
                if c.role not in prose
            ],
            "questions": [
                [
                    q.id,
                    q.optional,
                    list(q.needs),
                    [[p.id, p.kind, str(p.points), p.tests] for p in q.parts],
                ]
                for q in self.questions
            ],
            "seed": self.seed,
            "limits": [
                self.limits.cell_s,
                self.limits.case_s,
                self.limits.memory_mb,
                self.limits.submission_s,
            ],
            "files": {
                name: hashlib.sha256(data).hexdigest()
                for name, data in sorted(self.files.items())
                if not name.endswith(PICTURES)
            },
        }
        return "sha256:" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """`value` as JSON can hold it, dict keys of any type included."""
    if isinstance(value, dict):
        return [[repr(key), _plain(item)] for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
