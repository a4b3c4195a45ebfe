"""Untrusted notebook → Submission: its answers found, and put in the order it will be run in.

What a student broke outside the answers does not matter: the instructor's cells run from the
instructor's copy wherever the student left, moved, edited, doubled or deleted them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from autogradient.grading import messages
from autogradient.grading.claims import (
    Matching,
    behaviour,
    binds,
    defined_in,
    does,
    names_asked,
    same_text,
)
from autogradient.grading.essays import Essays, composed
from autogradient.grading.read_notebook import (
    CONFLICT,
    MAX_CELL_READ,
    MAX_READ,
    Notebook,
    StudentCell,
)
from autogradient.model.assignment import Assignment, Part
from autogradient.model.result import Problem
from autogradient.model.testcode import bound_names, loaded_names
from autogradient.sources.release import ReleasedCell, cell_id, checksum, released_cells

#: Problems of one kind that are told one by one; more are told in one sentence.
MANY = 3


@dataclass
class Step:
    """One thing to do in order: run a cell ("run", with the student's cell index or None for the
    instructor's) or look at a part ("part").
    """

    do: str
    source: str = ""
    cell: int | None = None
    part: str = ""


@dataclass
class Submission:
    """A notebook against its assignment: what to run in which order, and what was found where."""

    notebook: Notebook
    steps: list[Step]
    attempted: dict[str, bool]
    essays: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    #: part id → indices of the student's cells that are its answer, the graded one first; empty
    #: where there is none
    answers: dict[str, list[int]] = field(default_factory=dict)
    #: index of a check cell → the part it belongs to and whether it stands for the hidden cases
    checks: dict[int, tuple[str, bool]] = field(default_factory=dict)
    #: those of `essays` of which some stands outside the essay's own cell
    elsewhere: dict[str, str] = field(default_factory=dict)


# ---- finding answers and places ------------------------------------------------------------------


def plan_submission(assignment: Assignment, notebook: Notebook) -> Submission:
    """Match a notebook with its assignment: what runs, in which order, and where each part's cases
    look.
    """
    return _Planner(assignment, notebook).plan()


def plan_release(assignment: Assignment, fill: dict[str, str]) -> list[Step]:
    """The steps of the release itself with the answer cells of `fill` (grade_id → cell text); for
    proofs and expected values.
    """
    released = released_cells(assignment)
    steps = [Step("run", cell.source) for cell in released if cell.role == "setup"]
    for cell in released:
        if cell.role == "given":
            steps.append(Step("run", cell.source, part=cell.target))
        elif cell.role == "answer" and cell.kind == "code":
            steps.append(Step("run", fill.get(cell.grade_id, cell.source), part=cell.target))
        elif cell.role == "check":
            steps.append(Step("part", part=cell.target))
    return steps


class _Planner:
    def __init__(self, assignment: Assignment, notebook: Notebook) -> None:
        self.assignment = assignment
        self.cells = notebook.cells
        self.notebook = notebook
        matching = Matching(assignment)
        self.released, self.order = matching.released, matching.order
        self.former, self.part_names = matching.former, matching.part_names
        self.problems: list[Problem] = []
        self.claims: list[ReleasedCell | None] = [matching.claim(cell) for cell in self.cells]
        self.texts = Essays(
            assignment,
            self.released,
            self.cells,
            self.claims,
            self.is_of_a_release,
            self.binds_an_answer,
        )
        self.answers: dict[str, list[int]] = {}
        self.attempted: dict[str, bool] = {}
        self.essays: dict[str, str] = {}
        self.elsewhere: dict[str, str] = {}
        self.skip: set[int] = set()
        self.found: dict[str, int] = {}
        self.missing: dict[str, str] = {}
        self.deleted: list[str] = []

    def problem(self, cell: int | None, message: str) -> None:
        self.problems.append(Problem(cell=None if cell is None else cell + 1, message=message))

    def where(self, grade_id: str) -> list[int]:
        return [
            i
            for i, claim in enumerate(self.claims)
            if claim is not None and claim.grade_id == grade_id
        ]

    def plan(self) -> Submission:
        for i, cell in enumerate(self.cells):
            if CONFLICT.search(cell.source):
                self.problem(i, messages.CONFLICT_MARKERS)
        if unread := [cell for cell in self.cells if not cell.looked_into]:
            self.problem(
                unread[0].index,
                messages.NOT_LOOKED_INTO.format(
                    cells=", ".join(str(cell.number) for cell in unread[:MANY])
                    + (", …" if len(unread) > MANY else ""),
                    one=MAX_CELL_READ,
                    limit=MAX_READ,
                ),
            )
        for part in self.assignment.parts:
            self.find_answer(part)
        places = {part.id: self.place(part) for part in self.assignment.parts if not part.by_hand}
        self.report_gathered()
        steps = self.steps(places)
        self.problems.sort(key=lambda problem: (problem.cell is None, problem.cell or 0))
        checks = {
            i: (claim.target, claim.role == "hidden")
            for i, claim in enumerate(self.claims)
            if claim is not None and claim.role in ("check", "hidden")
        }
        return Submission(
            self.notebook,
            steps,
            self.attempted,
            self.essays,
            self.problems,
            self.answers,
            checks,
            self.elsewhere,
        )

    # ---- answers ---------------------------------------------------------------------------------

    def answer_cells(self, part: Part) -> list[ReleasedCell]:
        return [cell for cell in self.released if cell.role == "answer" and cell.target == part.id]

    def find_answer(self, part: Part) -> None:
        """Fill in `answers` and `attempted` for a part."""
        released = self.answer_cells(part)
        # a format whose answers have no ids (otter): everything the student wrote counts
        if not released:
            self.answers[part.id], self.attempted[part.id] = [], True
            return
        chosen: list[int] = []
        texts: list[int] = []
        for answer in released:
            candidates = self.where(answer.grade_id)
            changed = [
                i
                for i in candidates
                if self.cells[i].source.strip() and not self.is_as(self.cells[i], answer)
            ]
            if len(candidates) > 1:
                pick = (changed or candidates)[-1]
                numbers = ", ".join(str(i + 1) for i in candidates)
                self.problem(
                    pick,
                    messages.ANSWER_TWICE.format(
                        part=part.id, count=len(candidates), cells=numbers, chosen=pick + 1
                    ),
                )
                self.skip |= {i for i in candidates if i not in changed and i != pick}
                chosen.append(pick)
            else:
                chosen += candidates
            texts += changed
            self.attempted[part.id] = bool(texts)
        if part.by_hand:
            self.find_essay(part, chosen, texts)
            return
        defined = {name for i in chosen if self.attempted[part.id] for name in binds(self.cells[i])}
        missing = [name for name in names_asked(part) if name not in defined]
        found = sorted(
            {
                max(
                    (i for i in range(len(self.cells)) if self.may_answer(i, name, part)),
                    default=-1,
                )
                for name in missing
            }
            - {-1}
        )
        if found and not self.attempted[part.id]:
            self.attempted[part.id] = True
            self.skip |= set(chosen)
            self.found[part.id] = found[-1]
            chosen = []
        elif not chosen and not self.attempted[part.id]:
            self.explain_missing(part, released)
        self.answers[part.id] = [*chosen, *found]

    def is_as(self, cell: StudentCell, answer: ReleasedCell) -> bool:
        """Whether an answer cell is still the stub that was released."""
        if answer.kind != "code":
            return same_text(cell.source, answer.source)
        return same_text(cell.source, answer.source) or does(cell) == behaviour(answer.source)

    def may_answer(self, i: int, name: str, part: Part) -> bool:
        """Whether a student's cell that is not the answer cell of `part` binds one of its names."""
        claim = self.claims[i]
        if self.cells[i].kind != "code" or name not in binds(self.cells[i]):
            return False
        return claim is None or (
            claim.role == "answer"
            and claim.kind == "code"
            and claim.target != part.id
            and name not in defined_in(claim.source)
        )

    def explain_missing(self, part: Part, released: list[ReleasedCell]) -> None:
        """Say why there is no answer: it stands in a cell that is not run, or nowhere."""
        ids = {name for cell in released for name in (cell.grade_id, f"#{cell_id(cell.grade_id)}")}
        for cell in self.cells:
            if cell.grade_id in ids and cell.kind != "code":
                self.attempted[part.id] = all(
                    not same_text(cell.source, answer.source) for answer in released
                )
                self.problem(
                    cell.index, messages.ANSWER_NOT_CODE.format(part=part.id, kind=cell.kind)
                )
                return
        self.missing[part.id] = " or ".join(names_asked(part)) or "it"

    def find_essay(self, part: Part, chosen: list[int], texts: list[int]) -> None:
        """An essay is what was written between its question and the next, whatever became of its
        cell.
        """
        pieces = self.texts.find(part, texts)
        elsewhere = [piece.cell for piece in pieces if not piece.own]
        self.attempted[part.id] = bool(pieces)
        self.answers[part.id] = chosen or elsewhere[:1]
        self.essays[part.id] = composed(pieces)
        if elsewhere:
            self.elsewhere[part.id] = self.essays[part.id]
        if elsewhere and not chosen and len(elsewhere) == 1:  # its own cell has lost its id
            self.found[part.id] = elsewhere[0]
        elif elsewhere:
            sentence = messages.ESSAY_ELSEWHERE if texts else messages.ESSAY_FOUND
            self.problem(
                elsewhere[0],
                sentence.format(part=part.id, cells=", ".join(str(i + 1) for i in elsewhere)),
            )
        elif not chosen:
            self.missing[part.id] = "it"

    def binds_an_answer(self, index: int) -> bool:
        """Whether a cell binds a name that some part asks for."""
        return bool(binds(self.cells[index]) & self.part_names)

    # ---- places ----------------------------------------------------------------------------------

    def place(self, part: Part) -> int:
        """After which of the student's cells the cases of a part look (−1: before the first)."""
        answers, checks = self.answers[part.id], self.where(part.id)
        if len(checks) > 1:
            self.problem(
                checks[1],
                messages.LOCKED_REPEATED.format(what="check", part=part.id, count=len(checks)),
            )
        if not checks and self.assignment.format != "otter":
            self.deleted.append(part.id)
        if self.assignment.format == "autogradient":
            for i in checks:  # another version of the course may word its checks otherwise
                names = [part.id, *(old for old, new in self.former.items() if new == part.id)]
                if not any(f'"{name}"' in self.cells[i].source for name in names):
                    self.problem(i, messages.LOCKED_EDITED.format(what="check", part=part.id))
        last = max(answers, default=-1)
        after = [i for i in checks if i > last]
        if after:
            return after[0]
        if last < 0:
            return self.preceding(part)
        while last + 1 < len(self.cells) and self.claims[last + 1] is None:
            last += 1
        return last

    def report_gathered(self) -> None:
        """Say what was found elsewhere and what is gone, in one sentence where it is a lot."""
        if len(self.found) > MANY:
            cells = ", ".join(str(i + 1) for i in sorted(set(self.found.values())))
            self.problem(None, messages.ANSWERS_FOUND.format(count=len(self.found), cells=cells))
        elif self.found:
            for name, i in self.found.items():
                self.problem(i, messages.ANSWER_FOUND.format(part=name, cell=i + 1))
        if len(self.missing) > MANY:
            self.problem(
                None,
                messages.ANSWERS_MISSING.format(
                    count=len(self.missing), parts=", ".join(f"'{name}'" for name in self.missing)
                ),
            )
        else:
            for name, names in self.missing.items():
                self.problem(None, messages.ANSWER_MISSING.format(part=name, names=names))
        if len(self.deleted) > MANY:
            self.problem(
                None, messages.CHECKS_DELETED.format(count=len(self.deleted), first=self.deleted[0])
            )
        else:
            for name in self.deleted:
                self.problem(None, messages.LOCKED_DELETED.format(what="check", part=name))

    def preceding(self, part: Part) -> int:
        """Where a part without answer and check belongs: after the last cell that stands before it
        in the release; for a free format, the end.
        """
        if part.id not in self.order or self.assignment.format == "otter":
            return len(self.cells) - 1
        return self.last_before(part.id)

    def last_before(self, grade_id: str) -> int:
        """The last of the student's cells that stands before `grade_id` in the release; −1 where
        there is none.
        """
        return max(
            (
                i
                for i, claim in enumerate(self.claims)
                if claim is not None and self.order[claim.grade_id] < self.order[grade_id]
            ),
            default=-1,
        )

    # ---- order -----------------------------------------------------------------------------------

    def steps(self, places: dict[str, int]) -> list[Step]:
        """The instructor's setup first, then the student's cells in their order with the
        instructor's given cells at the latest before they are needed.
        """
        before: dict[int, list[Step]] = {}
        for cell in self.released:
            if cell.kind != "code" or cell.role not in ("setup", "given"):
                continue
            stands = self.where(cell.grade_id)
            self.report_locked(cell, stands)
            position = 0
            if cell.role == "given":
                below = {
                    later.target
                    for later in self.released[self.order[cell.grade_id] :]
                    if later.role == "answer"
                }
                needed = [
                    min(self.answers[p.id])
                    for p in self.assignment.parts
                    if cell.target in (p.id, p.question)
                    and p.id in below
                    and self.answers.get(p.id)
                ]
                position = min([*(stands[:1] or [self.last_before(cell.grade_id) + 1]), *needed])
            before.setdefault(position, []).append(
                Step("run", cell.source, stands[0] if stands else None)
            )
        steps = []
        for i, student in enumerate(self.cells):
            steps += before.get(i, [])
            claim = self.claims[i]
            if (
                student.kind == "code"
                and (
                    claim is None
                    or (claim.role == "answer" and claim.kind == "code")
                    or self.assignment.format == "otter"
                )
                and i not in self.skip
                and student.source.strip()
            ):
                steps.append(Step("run", student.source, i))
            elif (
                student.kind == "code"
                and claim is not None
                and claim.role == "check"
                and self.assignment.format == "nbgrader"
                and claim.target in places
            ):
                names = self.needed_later(claim)
                if names:
                    steps.append(Step("run", self.released_text(claim), i))
            steps += [Step("part", part=part) for part, place in places.items() if place == i]
        head = [Step("part", part=part) for part, place in places.items() if place < 0]
        return [
            *(before.get(0, []) if not self.cells else []),
            *head,
            *steps,
            *(
                s
                for position, found in before.items()
                if position >= max(1, len(self.cells))
                for s in found
            ),
        ]

    def is_of_a_release(self, index: int) -> bool:
        """Whether a cell is as some release had it, by the checksum that came with it: then it was
        the course that changed it.
        """
        raw = self.notebook.data["cells"][index]
        try:
            return bool(
                raw["metadata"]["nbgrader"]["checksum"]
                == checksum({**raw, "source": self.cells[index].source})
            )
        except Exception:  # a student's metadata may be anything
            return False

    def report_locked(self, cell: ReleasedCell, stands: list[int]) -> None:
        what = {"setup": "setup", "given": "data"}[cell.role]
        name = cell.target or self.assignment.name
        if not stands:
            self.problem(None, messages.LOCKED_DELETED.format(what=what, part=name))
        elif not same_text(self.cells[stands[0]].source, cell.source) and not self.is_of_a_release(
            stands[0]
        ):
            self.problem(stands[0], messages.LOCKED_EDITED.format(what=what, part=name))
        if len(stands) > 1:
            self.problem(
                stands[1], messages.LOCKED_REPEATED.format(what=what, part=name, count=len(stands))
            )

    # ---- nbgrader's format: a check cell may define names that later cells use -------------------

    def released_text(self, cell: ReleasedCell) -> str:
        return next(
            (
                c.metadata.get("released", c.source)
                for c in self.assignment.cells
                if c.grade_id == cell.grade_id
            ),
            cell.source,
        )

    def needed_later(self, cell: ReleasedCell) -> set[str]:
        names = set(bound_names(self.released_text(cell)))
        later = self.released[self.order[cell.grade_id] + 1 :]
        return names & {name for c in later if c.kind == "code" for name in loaded_names(c.source)}
