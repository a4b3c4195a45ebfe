"""One Submission against one Assignment → Result.

Two phases. First the notebook's cells run, and where a part's tests stand a snapshot is forked that only waits. Then the running process is
killed, and only now are the snapshots asked, one at a time.
"""

from __future__ import annotations

import copy
import datetime
import os
import tempfile
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autogradient import errors, judge, kinds
from autogradient.assignment import Assignment, Part
from autogradient.errors import SubmissionError, WorkerError
from autogradient.judge import Snapshot, Verdict
from autogradient.result import (
    PartResult,
    Problem,
    QuestionResult,
    Receipt,
    Result,
    SubmissionInfo,
    add_up,
    digest,
    environment_digest,
    write_atomically,
)
from autogradient.sandbox import CellRun, Interpreter, Session, Zygote
from autogradient.submission import Notebook, Step, Submission, plan, plan_release, read
from autogradient.wire import codec

#: Cells that took longer are not run again where a later one kills the process.
SLOW_S = 0.5


@dataclass
class Graded:
    """A result with what goes beside it: what only staff may see, the executed notebook (nbformat 4 data; None where unreadable), and which of its cells hold the answers."""

    result: Result
    staff: dict[str, Any] = field(default_factory=dict)
    notebook: dict[str, Any] | None = None
    answers: dict[str, int] = field(default_factory=dict)


def grade_bytes(assignment: Assignment, data: bytes, name: str, zygote: Zygote, info: SubmissionInfo, *, seed: int = 1) -> Graded:
    """Grade one submitted file. Never raises for what a student did: an unreadable file is a result too."""
    try:
        notebook = read(data, name)
    except SubmissionError as error:
        return Graded(unreadable(assignment, data, str(error), info, seed=seed))
    return grade_notebook(assignment, notebook, zygote, info, seed=seed)


def grade_notebook(assignment: Assignment, notebook: Notebook, zygote: Zygote, info: SubmissionInfo, *, seed: int = 1, skip_unattempted: bool = True) -> Graded:
    """Grade a notebook that has been read. With `skip_unattempted` an untouched stub is not run: it earns nothing, which the proof has shown."""
    submission = plan(assignment, notebook)
    skip_unattempted = skip_unattempted and assignment.format == "autogradient"  # other formats have no proof that a stub earns nothing
    runs = Runs()
    verdicts: dict[str, Verdict] = {}
    expected = expected_answers(assignment, zygote)
    with tempfile.TemporaryDirectory(prefix="autogradient-") as folder:
        lay_out_files(assignment, Path(folder))
        with zygote.session(Path(folder), memory_mb=assignment.limits.memory_mb, seed=seed) as session:
            wanted = {part.id for part in assignment.parts if _can_run(assignment, part) and (submission.attempted[part.id] or not skip_unattempted)}
            snapshots = run_steps(assignment, session, submission.steps, wanted, runs)
            for part in assignment.parts:
                verdicts[part.id] = _verdict(assignment, part, submission, snapshots, expected, seed, skip_unattempted)
                snapshot = snapshots.get(part.id)
                if snapshot and snapshot.interpreter:
                    snapshot.interpreter.kill()
    result = _result(assignment, notebook.digest, info, seed)
    result.questions = _questions(assignment, verdicts, submission.attempted)
    result.points = add_up(result.questions)
    result.problems = submission.problems + runs.problems
    if any(case.outcome == "grader_error" for part in result.parts for case in part.cases):
        result.outcome = "grader_error"
    staff = {part: verdict.staff for part, verdict in verdicts.items() if verdict.staff}
    answers = {f"{part}-answer": cells[0] for part, cells in submission.answers.items() if cells}
    return Graded(result, staff, executed(notebook, runs, _check_outputs(submission, verdicts)), answers)


def unreadable(assignment: Assignment, data: bytes, sentence: str, info: SubmissionInfo, *, seed: int = 1) -> Result:
    """The result of a file that is no notebook: everything ungraded, nothing lost, and the sentence that says what to do."""
    result = _result(assignment, digest(data), info, seed)
    result.outcome = "unreadable"
    result.problems = [Problem(message=sentence)]
    result.questions = _questions(assignment, {part.id: judge.without_verdict(part, "not_run", "unreadable") for part in assignment.parts}, {})
    result.points = add_up(result.questions)
    return result


def failed(assignment: Assignment, data: bytes, error: Exception, info: SubmissionInfo, *, seed: int = 1) -> Graded:
    """What is left where the grader itself failed: everything ungraded, and the error for the staff."""
    result = unreadable(assignment, data, errors.GRADER_FAILED, info, seed=seed)
    result.outcome = "grader_error"
    for case in (case for part in result.parts for case in part.cases):
        case.outcome, case.reason = "grader_error", None
    return Graded(result, {"error": traceback.format_exception(error)})


def _questions(assignment: Assignment, verdicts: dict[str, Verdict], attempted: dict[str, bool]) -> list[QuestionResult]:
    """The manifest: every question and part of the assignment, with its verdict; what is not in `attempted` was not."""
    return [
        QuestionResult(
            id=question.id,
            optional=question.optional,
            possible=question.points,
            parts=[
                PartResult(id=part.id, kind=part.kind, attempted=attempted.get(part.id, False), possible=part.points, cases=verdicts[part.id].cases)
                for part in question.parts
            ],
        )
        for question in assignment.questions
    ]


def _result(assignment: Assignment, submission_digest: str, info: SubmissionInfo, seed: int) -> Result:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    receipt = Receipt(submission=submission_digest, assignment=assignment.digest, environment=environment_digest(), seed=seed)
    return Result(assignment=assignment.name, submission=info, graded_at=now, sealed=False, outcome="graded", receipt=receipt)


def _can_run(assignment: Assignment, part: Part) -> bool:
    return not part.by_hand and not ("cuda" in assignment.question_of(part.id).needs and not judge.has_gpu())


def _verdict(
    assignment: Assignment, part: Part, submission: Submission, snapshots: dict[str, Snapshot], expected: dict[str, Any], seed: int, skip_unattempted: bool
) -> Verdict:
    attempted = submission.attempted[part.id]
    if part.by_hand:
        return judge.without_verdict(part, "not_run", judge.BY_HAND) if attempted else judge.without_verdict(part, "failed", None, judge.NOT_FILLED)
    if not attempted and skip_unattempted:
        return judge.without_verdict(part, "failed", None, judge.NOT_FILLED)
    if not _can_run(assignment, part):
        return judge.without_verdict(part, "not_run", judge.ON_GPU)
    return judge.judge(assignment, part, snapshots.get(part.id, Snapshot()), expected.get(part.id), seed)


def lay_out_files(assignment: Assignment, folder: Path) -> None:
    """The data files of the release in the folder the notebook runs in."""
    for name, data in assignment.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


# ---- phase one -------------------------------------------------------------------------------------------------------


@dataclass
class Runs:
    """What came of the student's cells: run by cell index, and what to tell the student about them."""

    cells: dict[int, CellRun] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def keep(self, step: Step, run: CellRun, limit: float) -> None:
        """Keep a run and, where the cell failed, say so."""
        if step.cell is None:
            return
        self.cells[step.cell] = run
        if run.status == "timed_out":
            message = errors.CELL_STOPPED.format(seconds=limit)
        elif run.status == "killed":
            message = errors.CELL_KILLED.format(how=run.how)
        elif run.status == "error" and run.error:
            message = errors.CELL_ERROR.format(name=run.error[0], value=run.error[1][:300]).rstrip(": ")
        else:
            return
        self.problems.append(Problem(cell=step.cell + 1, message=message))
        if run.status != "error":  # an error shows its own traceback
            run.outputs = [*run.outputs, {"output_type": "stream", "name": "stderr", "text": f"{message[:1].upper()}{message[1:]}.\n"}]


def run_steps(assignment: Assignment, session: Session, steps: list[Step], wanted: set[str], runs: Runs) -> dict[str, Snapshot]:
    """Run the cells in order; returns a snapshot for each wanted part. Afterwards the main process is dead.

    A cell that kills its process is left out: the cells since the last snapshot run again in a fork of that one.
    """
    parts = {part.id: part for part in assignment.parts}
    limit = assignment.limits.cell_s
    snapshots: dict[str, Snapshot] = {}
    lost = Snapshot(lost=judge.DIED.format(how="it stopped answering"))
    main = session.main
    last, since = main.fork(), list[Step]()
    for step in steps:
        try:
            if step.do == "run":
                run = main.run(step.source, limit)
                runs.keep(step, run, limit)
                if run.status == "killed" or run.how == "killed":
                    main = _recover(last, since, limit)
                elif run.seconds > SLOW_S:
                    last, since = main.fork(), []
                else:
                    since.append(step)
            elif step.part in wanted:
                part = parts[step.part]
                snapshots[part.id] = lost
                if part.is_short and part.kind != "formula":
                    snapshots[part.id] = Snapshot(value=main.value(part.names[0]))
                else:
                    last, since = main.fork(), []
                    snapshots[part.id] = Snapshot(interpreter=last)
        except WorkerError:
            try:
                main = _recover(last, since, limit)
            except WorkerError:  # nothing is left to go on from
                break
    main.kill()
    return dict.fromkeys(wanted, lost) | snapshots


def _recover(last: Interpreter, since: list[Step], limit: float) -> Interpreter:
    """The state just before a cell that killed its process; a cell that does so the second time it runs is left out, too."""
    while True:
        interpreter = last.fork()
        for step in since:
            run = interpreter.run(step.source, limit)
            if run.status == "killed" or run.how == "killed":
                since.remove(step)
                break
        else:
            return interpreter


def _check_outputs(submission: Submission, verdicts: dict[str, Verdict]) -> dict[int, str]:
    """What the check cells show in the executed notebook: a line for each of their cases. A check without hidden cell of its own shows all."""
    with_hidden = {part for part, hidden in submission.checks.values() if hidden}
    shown = {}
    for index, (part, hidden) in submission.checks.items():
        cases = [case for case in verdicts[part].cases if case.hidden == hidden or part not in with_hidden]
        shown[index] = "".join(
            f"{'✓' if case.outcome == 'passed' else '✗' if case.outcome != 'not_run' else '○'} {case.name}{': ' + case.message if case.message else ''}\n"
            for case in cases
        )
    return shown


def executed(notebook: Notebook, runs: Runs, checks: dict[int, str]) -> dict[str, Any]:
    """The student's notebook with the outputs of this run in place of whatever was saved in it; check cells show their verdict."""
    data = copy.deepcopy(notebook.data)
    count = 0
    for index, cell in enumerate(data["cells"]):
        if cell.get("cell_type") != "code":
            continue
        run = runs.cells.get(index)
        cell["outputs"], cell["execution_count"] = [], None
        if checks.get(index):
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": checks[index]}]
        if run is not None:
            count += 1
            cell["outputs"], cell["execution_count"] = run.outputs, count
    return data


# ---- what the reference says -----------------------------------------------------------------------------------------


def expected_answers(assignment: Assignment, zygote: Zygote) -> dict[str, Any]:
    """The reference's value of every short answer. Computed ones are run once per version of the assignment and kept in the user's cache."""
    short = [part for part in assignment.parts if part.is_short and part.kind != "formula"]
    values = {part.id: kinds.literal_answer(part) for part in short}
    computed = [part for part in short if values[part.id] is ...]
    if not computed:
        return values
    cache = cache_folder() / "expected" / assignment.digest.removeprefix("sha256:")
    if cache.is_file():
        try:
            return values | codec.decode(cache.read_bytes())
        except codec.BadFrame:
            cache.unlink(missing_ok=True)
    values |= _compute(assignment, computed, zygote)
    write_atomically(cache, codec.encode({part.id: values[part.id] for part in computed}))
    return values


def _compute(assignment: Assignment, computed: list[Part], zygote: Zygote) -> dict[str, Any]:
    steps = plan_release(assignment, assignment.reference)
    last = max(i for i, step in enumerate(steps) if step.do == "part" and step.part in {part.id for part in computed})
    with tempfile.TemporaryDirectory(prefix="autogradient-") as folder:
        lay_out_files(assignment, Path(folder))
        with zygote.session(Path(folder), memory_mb=assignment.limits.memory_mb, seed=1) as session:
            runs = Runs()
            snapshots = run_steps(assignment, session, steps[: last + 1], {part.id for part in computed}, runs)
    values = {}
    for part in computed:
        value = (snapshots[part.id].value or {}).get("value", ...)
        if value is ...:
            raise errors.ProofError(f"{assignment.name}: the reference's answer to '{part.id}' has no plain value; look at its cell")
        values[part.id] = value
    return values


def cache_folder() -> Path:
    """Where what can be computed again is kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autogradient"
