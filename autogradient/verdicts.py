"""Verdicts that need not be taken again: each is kept under a digest of all that it depends on, in a folder that can be deleted at any time.

A part's verdict depends on every cell that is run, in order, the files beside them, the part's own tests with what stands around them, the environment,
the seed and the limits; not on who handed it in. So identical submissions are graded once, and changing one question's tests regrades that question.
What time or chance had a hand in is never kept: a verdict with a timeout, without a result, or by a grader's error.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from autogradient import kinds
from autogradient.assignment import Assignment, Part
from autogradient.judge import Verdict, slips_of, standing
from autogradient.result import CaseResult, Problem, digest, environment_digest, write_atomically
from autogradient.running import Runs
from autogradient.sandbox import CellRun
from autogradient.submission import Submission
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

    def of(self, assignment: Assignment, submission: Submission, expected: dict[str, Any], seed: int, sealed: bool) -> Known:
        """What is known of a submission, or will be."""
        return Known(self.folder, assignment, submission, expected, seed, sealed)


class Known:
    """The kept verdicts on one submission, and what its cells showed."""

    def __init__(self, folder: Path, assignment: Assignment, submission: Submission, expected: dict[str, Any], seed: int, sealed: bool) -> None:
        self.folder, self.assignment, self.expected = folder, assignment, expected
        limits = assignment.limits
        around = [
            assignment.format,
            _files(assignment),
            environment_digest(sealed),
            seed,
            [limits.cell_s, limits.case_s, limits.memory_mb, limits.submission_s],
        ]
        self.cells = _digest([around, [[step.do, step.source, step.part] for step in submission.steps]])
        self.places = _digest([step.cell for step in submission.steps])

    def _path(self, *key: str) -> Path:
        name = _digest(key)
        return self.folder / name[:2] / f"{name}.json"

    def verdict(self, part: Part) -> tuple[Verdict, bool] | None:
        """The verdict on a part and whether it needed the second pass; None where it must be taken."""
        found = _read(self._path(self.cells, part.id, self._part(part)), _Verdict)
        return (Verdict(found.cases, found.staff), found.replayed) if found else None

    def keep_verdict(self, part: Part, verdict: Verdict, replayed: bool) -> None:
        """Keep a verdict, unless another time it might be another."""
        if not verdict.starved and not any(case.outcome in PASSING for case in verdict.cases):
            staff = json.loads(json.dumps(verdict.staff, default=str))
            _write(self._path(self.cells, part.id, self._part(part)), _Verdict(cases=verdict.cases, staff=staff, replayed=replayed))

    def runs(self) -> Runs | None:
        """What the cells showed; None where they must be run."""
        found = _read(self._path(self.cells, "cells", self.places), _Run)
        return Runs(cells={index: CellRun("ok", outputs) for index, outputs in found.outputs.items()}, problems=found.problems) if found else None

    def keep_runs(self, runs: Runs) -> None:
        """Keep what the cells showed, unless one was stopped or took its process along."""
        if not runs.starved and not runs.killers and not runs.out_of_time:
            _write(self._path(self.cells, "cells", self.places), _Run(problems=runs.problems, outputs={i: run.outputs for i, run in runs.cells.items()}))

    def _part(self, part: Part) -> str:
        return _part(self.assignment, part) + (digest(codec.encode(self.expected[part.id])) if part.id in self.expected else "")


@lru_cache(maxsize=1000)
def _part(assignment: Assignment, part: Part) -> str:
    """A digest of all in an assignment by which a part is judged, the reference's computed value aside."""
    cases = [[case.name, case.title, str(case.points), case.hidden, case.failure_message] for case in part.cases]
    short = [kinds.form_of(part), kinds.verdict_rules(part), slips_of(part)] if part.is_short and part.kind != "formula" else []
    needs = list(assignment.question_of(part.id).needs)
    return _digest([part.kind, part.all_or_nothing, needs, cases, standing(assignment, part), short])


@lru_cache(maxsize=100)
def _files(assignment: Assignment) -> list[str]:
    return [f"{name} {digest(data)}" for name, data in sorted(assignment.files.items())]


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return sorted(map(repr, value)) if isinstance(value, (set, frozenset)) else repr(value)


def _read(path: Path, model: type[Model]) -> Model | None:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError):  # damaged: as if it were not there
        return None


def _write(path: Path, entry: BaseModel) -> None:
    text = entry.model_dump_json()
    if len(text) <= MAX_KEPT:
        write_atomically(path, text)
