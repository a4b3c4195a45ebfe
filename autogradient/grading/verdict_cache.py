"""Verdicts that need not be taken again: each is kept under a digest of all that it depends on, in
a folder that can be deleted at any time.

A part's verdict depends on every cell that is run, in order, the files beside them, the part's own
tests with what stands around them, the environment, the seed and the limits; not on who handed it
in. So identical submissions are graded once, and changing one question's tests regrades that
question. What time or chance had a hand in is never kept: a verdict with a timeout, without a
result, or by a grader's error.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from autogradient.grading.judge import Verdict, standing
from autogradient.grading.run_cells import Runs
from autogradient.grading.submission import Submission
from autogradient.model import short_answers
from autogradient.model.assignment import Assignment, Part
from autogradient.model.environment import environment_digest
from autogradient.model.files import digest, write_atomically
from autogradient.model.result import CaseResult, Problem
from autogradient.sandbox import CellRun
from autogradient.wire import codec

Model = TypeVar("Model", bound=BaseModel)

#: Outcomes that are never kept.
PASSING = ("timed_out", "not_run", "grader_error")
#: Characters of a kept entry: pictures and long outputs are made anew.
MAX_KEPT = 4_000_000


class _Verdict(BaseModel):
    cases: list[CaseResult]
    staff: dict[str, Any] = Field(default_factory=dict)
    replayed: bool = False


class _Run(BaseModel):
    problems: list[Problem]
    outputs: dict[int, list[dict[str, Any]]]


class Verdicts:
    """The verdicts in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Why an entry could not be written, if one could not.
        self.problem = ""

    def read(self, name: str) -> bytes | None:
        """An entry as it was written; None where there is none."""
        try:
            return (self.folder / name[:2] / f"{name}.json").read_bytes()
        except OSError:
            return None

    def write(self, name: str, entry: str) -> None:
        """Keep an entry, where that can be done: without it, the verdict is taken once more."""
        try:
            write_atomically(self.folder / name[:2] / f"{name}.json", entry)
        except OSError as error:
            self.problem = error.strerror or str(error)

    def of(
        self,
        assignment: Assignment,
        submission: Submission,
        expected: dict[str, Any],
        seed: int,
        sealed: bool,
        gpu: str = "",
    ) -> Known:
        """What is known of a submission, or will be; with a card, where there is one."""
        return Known(self, assignment, submission, expected, seed, sealed, gpu)


class CarriedVerdicts(Verdicts):
    """Some verdicts without a folder: those that were given, and in `new` those that are kept."""

    def __init__(self, given: dict[str, str]) -> None:
        self.given, self.problem = given, ""
        self.new: dict[str, str] = {}

    def read(self, name: str) -> bytes | None:
        found = self.given.get(name)
        return None if found is None else found.encode()

    def write(self, name: str, entry: str) -> None:
        self.given[name] = self.new[name] = entry


class Known:
    """The kept verdicts on one submission, and what its cells showed."""

    def __init__(
        self,
        kept: Verdicts,
        assignment: Assignment,
        submission: Submission,
        expected: dict[str, Any],
        seed: int,
        sealed: bool,
        gpu: str = "",
    ) -> None:
        self.kept, self.assignment, self.expected = kept, assignment, expected
        limits = assignment.limits
        around = [
            assignment.format,
            _files(assignment),
            environment_digest(sealed, gpu),
            seed,
            [limits.cell_s, limits.case_s, limits.memory_mb, limits.submission_s],
        ]
        self.cells = _digest(
            [around, [[step.do, step.source, step.part] for step in submission.steps]]
        )
        self.places = _digest([step.cell for step in submission.steps])

    def entries(self) -> dict[str, str]:
        """All that is kept: name → entry."""
        names = [self._part(part) for part in self.assignment.parts] + [self._cells()]
        return {
            name: found.decode() for name in names if (found := self.kept.read(name)) is not None
        }

    def verdict(self, part: Part) -> tuple[Verdict, bool] | None:
        """The verdict on a part and whether it needed the second pass; None where it must be taken,
        as where an entry has not just the part's cases.
        """
        found = self._read(self._part(part), _Verdict)
        wanted = sorted(case.title for case in part.cases)
        if found is None or sorted(case.name for case in found.cases) != wanted:
            return None
        return Verdict(found.cases, found.staff), found.replayed

    def keep_verdict(self, part: Part, verdict: Verdict, replayed: bool) -> None:
        """Keep a verdict, unless another time it might be another."""
        if not verdict.starved and not any(case.outcome in PASSING for case in verdict.cases):
            staff = json.loads(json.dumps(verdict.staff, default=str))
            self._write(
                self._part(part), _Verdict(cases=verdict.cases, staff=staff, replayed=replayed)
            )

    def runs(self) -> Runs | None:
        """What the cells showed; None where they must be run."""
        found = self._read(self._cells(), _Run)
        return (
            Runs(
                cells={index: CellRun("ok", outputs) for index, outputs in found.outputs.items()},
                problems=found.problems,
            )
            if found
            else None
        )

    def keep_runs(self, runs: Runs) -> None:
        """Keep what the cells showed, unless one was stopped or took its process along."""
        if not runs.starved and not runs.killers and not runs.out_of_time:
            self._write(
                self._cells(),
                _Run(
                    problems=runs.problems,
                    outputs={i: run.outputs for i, run in runs.cells.items()},
                ),
            )

    def _part(self, part: Part) -> str:
        expected = digest(codec.encode(self.expected[part.id])) if part.id in self.expected else ""
        return _digest([self.cells, part.id, _part(self.assignment, part) + expected])

    def _cells(self) -> str:
        return _digest([self.cells, "cells", self.places])

    def _read(self, name: str, model: type[Model]) -> Model | None:
        found = self.kept.read(name)
        try:
            return None if found is None else model.model_validate_json(found)
        except ValidationError:  # damaged: as if it were not there
            return None

    def _write(self, name: str, entry: BaseModel) -> None:
        text = entry.model_dump_json()
        if len(text) <= MAX_KEPT:
            self.kept.write(name, text)


@lru_cache(maxsize=1000)
def _part(assignment: Assignment, part: Part) -> str:
    """A digest of all in an assignment by which a part is judged, the reference's computed value
    aside.
    """
    cases = [
        [case.name, case.title, str(case.points), case.hidden, case.failure_message]
        for case in part.cases
    ]
    criteria = short_answers.criteria(part) if part.by_value else {}
    short = [criteria[what] for what in ("form", "rules", "slips") if criteria]
    needs = list(assignment.question_of(part.id).needs)
    return _digest(
        [part.kind, part.all_or_nothing, needs, cases, standing(assignment, part), short]
    )


@lru_cache(maxsize=100)
def _files(assignment: Assignment) -> list[str]:
    return [f"{name} {digest(data)}" for name, data in sorted(assignment.files.items())]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return sorted(map(repr, value)) if isinstance(value, (set, frozenset)) else repr(value)
