"""One Submission against one Assignment → Result.

Two phases. First the notebook's cells run, and where a part's tests stand a snapshot is forked that
only waits. Then everything else of the session is killed, and only now are the snapshots asked, one
at a time, by a judge in another process. Parts of which no snapshot could be had get a second pass.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from autogradient.errors import SubmissionError
from autogradient.grading import judge, messages
from autogradient.grading.engine import Engine
from autogradient.grading.executed_notebook import check_outputs, executed, stream
from autogradient.grading.judge import Snapshot, Verdict
from autogradient.grading.read_notebook import Notebook, read_notebook
from autogradient.grading.reference_answers import expected_answers
from autogradient.grading.run_cells import (
    Again,
    Beginnings,
    Decide,
    Runs,
    TimeBudget,
    replay,
    run_steps,
)
from autogradient.grading.submission import Submission, plan_submission
from autogradient.grading.verdict_cache import Known, Verdicts
from autogradient.model.assignment import Assignment, Case, Part
from autogradient.model.environment import environment_digest
from autogradient.model.files import digest
from autogradient.model.result import (
    ELSEWHERE,
    ON_GPU,
    PartResult,
    Problem,
    QuestionResult,
    Receipt,
    Result,
    SubmissionInfo,
    add_up,
    first_of,
)


@dataclass
class Graded:
    """A result with what goes beside it: what only staff may see, the executed notebook (nbformat 4
    data; None where unreadable), and which of its cells hold the answers.

    `essays`: what the marker reads for the cell of an essay, where some of it stands in other
    cells. `starved`: a process was killed from outside, hardly got a processor or stood still, so
    that this may be no verdict; graded again alone, it is taken for one. `begun`: tests had begun,
    so hidden inputs may have been seen.
    """

    result: Result
    staff: dict[str, Any] = field(default_factory=dict)
    notebook: dict[str, Any] | None = None
    answers: dict[str, int] = field(default_factory=dict)
    starved: bool = False
    essays: dict[str, str] = field(default_factory=dict)
    begun: bool = True


def grade_bytes(
    assignment: Assignment,
    data: bytes,
    name: str,
    engine: Engine,
    info: SubmissionInfo,
    *,
    seed: int = 1,
    **options: Any,
) -> Graded:
    """Grade one submitted file. Never raises for what a student did: an unreadable file is a result
    too. Options as of `grade_notebook`.
    """
    try:
        notebook = read_notebook(data, name)
    except SubmissionError as error:
        return Graded(unreadable(assignment, data, str(error), info, seed=seed))
    return grade_notebook(assignment, notebook, engine, info, seed=seed, **options)


def grade_notebook(
    assignment: Assignment,
    notebook: Notebook,
    engine: Engine,
    info: SubmissionInfo,
    *,
    seed: int = 1,
    skip_unattempted: bool = True,
    verdicts: Verdicts | None = None,
    expected: dict[str, Any] | None = None,
    card: bool | None = None,
    last: bool = True,
) -> Graded:
    """Grade a notebook that has been read. With `skip_unattempted` an untouched stub is not run: it
    earns nothing, which the proof has shown.

    What `verdicts` knows is taken from there, and what is new kept there. `expected` are the
    reference's answers, where they are known. `card`: judge only what needs a card (True) or only
    the rest (False); by default all that this machine can. Unless this is the `last` try, no test
    is begun after cells that were starved.
    """
    began = time.monotonic()
    # its time is that of the start: the end would tell how long hidden cases took
    result = _result(assignment, notebook.digest, info, seed, engine)
    submission = plan_submission(assignment, notebook)
    # other formats have no proof that a stub earns nothing
    skip_unattempted = skip_unattempted and assignment.format == "autogradient"
    wanted = {
        part.id
        for part in assignment.parts
        if _can_run(assignment, part, card)
        and (submission.attempted[part.id] or not skip_unattempted)
    }
    expected = expected_answers(assignment, engine) if expected is None else expected
    gpu = (
        judge.gpu()
        if card
        or any(
            assignment.needs_card(part) and _can_run(assignment, part, card)
            for part in assignment.parts
        )
        else ""
    )
    known = (
        verdicts.of(assignment, submission, expected, seed, not engine.missing, gpu)
        if verdicts
        else None
    )
    trials = _Trials(assignment, submission, expected, seed, skip_unattempted, known, last)
    runs = trials.take(engine, wanted)
    found = {part.id: judge.together(part, trials.found[part.id]) for part in assignment.parts}
    if gpu:
        result.receipt.card, result.receipt.gpu = environment_digest(result.sealed, gpu), gpu
    if card:
        result.receipt.environment = ""
    result.replayed = bool(trials.replayed)
    result.questions = _questions(assignment, found, submission.attempted)
    result.points = add_up(result.questions)
    result.problems = first_of(submission.problems + runs.problems)
    if any(case.outcome == "grader_error" for part in result.parts for case in part.cases):
        result.outcome = "grader_error"
    staff = {part: verdict.staff for part, verdict in found.items() if verdict.staff}
    answers = {f"{part}-answer": cells[0] for part, cells in submission.answers.items() if cells}
    starved = runs.starved or any(verdict.starved for verdict in found.values())
    late = runs.out_of_time or any(
        case.outcome == "timed_out" for verdict in found.values() for case in verdict.cases
    )
    starved = starved or ((late or bool(runs.killers)) and engine.heartbeat.stood_still(began))
    essays = {
        cell: text
        for part, text in submission.elsewhere.items()
        for cell in (f"{part}-answer", part)
    }
    return Graded(
        result,
        staff,
        executed(notebook, runs, check_outputs(submission, found)),
        answers,
        starved,
        essays,
        trials.begun,
    )


def of_both(
    assignment: Assignment, data: bytes, name: str, first: Graded, second: Graded
) -> Graded:
    """What counts of a submission that was graded twice, since the first time it was starved: the
    verdicts of the second time, and what is shown of the first.

    A process can have itself killed in a hidden test, and what it does then can depend on what it
    has just seen, even across its end (by a counter of the kernel's, or by how long it takes). So
    of the second time no output, text or time is shown.
    """
    if not first.begun or first.notebook is None or second.notebook is None:
        return second
    result, before = second.result, first.result
    result.graded_at, result.problems = before.graded_at, before.problems
    old = {(part.id, case.name): case for part in before.parts for case in part.cases}
    for part in result.parts:
        for case in part.cases:
            was = old.get((part.id, case.name))
            if case.hidden or was is None:
                continue
            case.message = was.message if case.outcome != "passed" != was.outcome else ""
            case.seconds = was.seconds if case.outcome == was.outcome else None
    submission = plan_submission(assignment, read_notebook(data, name))
    verdicts = {part.id: Verdict(part.cases) for part in result.parts}
    notebook = copy.deepcopy(first.notebook)
    for index, text in check_outputs(submission, verdicts).items():
        cell = notebook["cells"][index]
        if cell.get("execution_count") is None:  # its own output, where it was run, stands
            cell["outputs"] = [stream(text)] if text else []
    return replace(second, result=result, notebook=notebook, essays=first.essays)


class _Trials:
    """The verdicts on one submission as they are taken. `replayed` are the parts that needed the
    second pass.
    """

    def __init__(
        self,
        assignment: Assignment,
        submission: Submission,
        expected: dict[str, Any],
        seed: int,
        skip_unattempted: bool,
        known: Known | None,
        last: bool,
    ) -> None:
        self.assignment, self.submission, self.expected = assignment, submission, expected
        self.seed, self.skip_unattempted, self.known = seed, skip_unattempted, known
        self.last, self.begun, self.began = last, False, time.monotonic()
        self.found: dict[str, list[Verdict]] = {part.id: [] for part in assignment.parts}
        self.replayed: set[str] = set()
        self.budget = TimeBudget(assignment.limits.submission_s)

    def take(self, engine: Engine, wanted: set[str]) -> Runs:
        """Have verdicts on all parts, those of the `wanted` ones by running cells and tests where
        they are not known; returns what the cells showed.
        """
        kept = (
            {
                part.id: self.known.verdict(part)
                for part in self.assignment.parts
                if part.id in wanted
            }
            if self.known
            else {}
        )
        for name, found in kept.items():
            if found is not None:
                self.found[name].append(found[0])
                self.replayed |= {name} if found[1] else set()
        new = {name for name in wanted if not self.found[name]}
        runs = self.known.runs() if self.known and not new else None
        if runs is None:
            runs = Runs()
            on_card = {
                name for name in new if self.assignment.needs_card(self.assignment.part(name))
            }
            for names, card in ((new - on_card, False), (on_card, True)):
                if names or card is bool(on_card):  # to show what cells do takes a run, too
                    with self._turn(engine) if card else contextlib.nullcontext():
                        runs.add(self._run(engine, names, card))
            if self.known and self._sound(engine, runs):
                self.known.keep_runs(runs)
                for part in self.assignment.parts:
                    if part.id in new:
                        self.known.keep_verdict(
                            part,
                            judge.together(part, self.found[part.id]),
                            part.id in self.replayed,
                        )
        for part in self.assignment.parts:
            if part.id not in wanted:
                skipped = self.skip_unattempted and not self.submission.attempted[part.id]
                self.found[part.id].append(
                    _without_running(
                        self.assignment, part, self.submission.attempted[part.id], skipped
                    )
                )
        return runs

    def _sound(self, engine: Engine, runs: Runs) -> bool:
        """Whether what came of the cells is certain to come of them again. Only then it is kept,
        and with it the verdicts, each of which can be starved by itself.

        A process that somebody killed in a cell (an interrupt, the kernel for want of memory) takes
        the names along that later parts are judged by: their "failed" says nothing about the work.
        """
        still = engine.heartbeat.stood_still(self.began)
        return not (runs.starved or runs.out_of_time or engine.stopped or still)

    @contextlib.contextmanager
    def _turn(self, engine: Engine) -> Iterator[None]:
        """Have the card for itself; the wait for it does not count."""
        began = time.monotonic()
        with engine.card:
            self.budget.end += time.monotonic() - began
            yield

    def _run(self, engine: Engine, wanted: set[str], card: bool) -> Runs:
        """Run cells and tests where there is no card, or where there is one: CUDA allows no forks,
        so there every part needs the second pass.
        """
        assignment, steps, seed, runs = self.assignment, self.submission.steps, self.seed, Runs()
        with engine.judge_process(
            engine.folder(assignment.files), assignment.limits
        ) as judge_process:

            def decide(
                part: Part, snapshot: Snapshot, cases: list[Case] | None, first: bool = False
            ) -> list[Case] | None:
                if self.budget.left <= 0:
                    verdict = judge.out_of_time(assignment, part, snapshot, cases)
                else:
                    expendable: Literal["rest is left", ""] = "rest is left" if first else ""
                    found = self.expected.get(part.id)
                    verdict = judge.judge(
                        assignment,
                        part,
                        snapshot,
                        found,
                        seed,
                        judge_process,
                        cases=cases,
                        expendable=expendable,
                        until=self.budget.end,
                    )
                self.found[part.id].append(verdict)
                return verdict.left if verdict.gone else None

            # after an error on a card nothing more can be done with it in this process
            def spoilt(part: Part) -> bool:
                return card and any(
                    case.outcome != "passed"
                    for verdict in self.found[part.id]
                    for case in verdict.cases
                )

            with Beginnings(engine, assignment, seed, card=card) as beginnings:
                snapshots = run_steps(
                    assignment, beginnings.begin, steps, wanted, runs, self.budget
                )
                if runs.starved and not self.last:  # before a hidden input has been seen
                    for name in wanted:
                        part = assignment.part(name)
                        self.found[name].append(judge.without_verdict(part, "not_run", None))
                    return runs
                self.begun = True
                again = _ask(
                    [part for part in assignment.parts if part.id in wanted], snapshots, decide
                )
            self.replayed |= set(again)
            while again:
                with Beginnings(engine, assignment, seed, card=card) as beginnings:
                    again = replay(
                        assignment,
                        beginnings.begin(),
                        steps,
                        again,
                        runs,
                        self.budget,
                        decide,
                        spoilt,
                    )
        return runs


def _without_running(assignment: Assignment, part: Part, attempted: bool, skipped: bool) -> Verdict:
    """The verdict on a part of which nothing is run."""
    if skipped or (part.by_hand and not attempted):
        return judge.without_verdict(part, "failed", None, judge.NOT_FILLED)
    return judge.without_verdict(
        part,
        "not_run",
        judge.BY_HAND if part.by_hand else ON_GPU if assignment.needs_card(part) else ELSEWHERE,
    )


def _ask(parts: list[Part], snapshots: dict[str, Snapshot], decide: Decide) -> Again:
    """Phase two, in two rounds: what students may see an error's text of, and only then what must
    stay hidden, so that no text can carry that out.

    Returns what is left for a second pass.
    """
    again: Again = {part: None for part, snapshot in snapshots.items() if snapshot.unsafe}
    for hidden in (False, True):
        for part in parts:
            snapshot = snapshots[part.id]
            if snapshot.unsafe:
                continue
            cases = (
                [case for case in part.cases if case.hidden == hidden]
                if snapshot.interpreter
                else None
            )
            if part.id in again:  # its process is gone
                again[part.id] = [*(again[part.id] or ()), *(cases or ())]
            elif cases or (cases is None and hidden):
                left = decide(part, snapshot, cases, True)
                if left is not None:
                    again[part.id] = left
            if hidden and snapshot.interpreter:
                snapshot.interpreter.kill()
    return {part: cases for part, cases in again.items() if cases != []}


def unreadable(
    assignment: Assignment, data: bytes, sentence: str, info: SubmissionInfo, *, seed: int = 1
) -> Result:
    """The result of a file that is no notebook: everything ungraded, nothing lost, and the sentence
    that says what to do.
    """
    result = _result(assignment, digest(data), info, seed)
    result.outcome = "unreadable"
    result.problems = [Problem(message=sentence)]
    result.questions = _questions(
        assignment,
        {
            part.id: judge.without_verdict(part, "not_run", "unreadable")
            for part in assignment.parts
        },
        {},
    )
    result.points = add_up(result.questions)
    return result


def failed(
    assignment: Assignment, data: bytes, error: Exception, info: SubmissionInfo, *, seed: int = 1
) -> Graded:
    """What is left where the grader itself failed: everything ungraded, and the error for the
    staff.
    """
    result = unreadable(assignment, data, messages.GRADER_FAILED, info, seed=seed)
    result.outcome = "grader_error"
    for case in (case for part in result.parts for case in part.cases):
        case.outcome, case.reason = "grader_error", None
    return Graded(result, {"error": traceback.format_exception(error)})


def _questions(
    assignment: Assignment, verdicts: dict[str, Verdict], attempted: dict[str, bool]
) -> list[QuestionResult]:
    """The manifest: every question and part of the assignment, with its verdict; what is not in
    `attempted` was not.
    """
    return [
        QuestionResult(
            id=question.id,
            optional=question.optional,
            possible=question.points,
            parts=[
                PartResult(
                    id=part.id,
                    kind=part.kind,
                    attempted=attempted.get(part.id, False),
                    possible=part.points,
                    cases=verdicts[part.id].cases,
                )
                for part in question.parts
            ],
        )
        for question in assignment.questions
    ]


def _result(
    assignment: Assignment,
    submission_digest: str,
    info: SubmissionInfo,
    seed: int,
    engine: Engine | None = None,
) -> Result:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    sealed = engine is None or not engine.missing  # where nothing was run, nothing could get out
    receipt = Receipt(
        submission=submission_digest,
        assignment=assignment.digest,
        environment=environment_digest(sealed),
        seed=seed,
    )
    return Result(
        assignment=assignment.name,
        submission=info,
        graded_at=now,
        sealed=sealed,
        outcome="graded",
        receipt=receipt,
    )


def _can_run(assignment: Assignment, part: Part, card: bool | None) -> bool:
    needed = assignment.needs_card(part)
    return not part.by_hand and card in (None, needed) and (judge.has_gpu() or not needed)
