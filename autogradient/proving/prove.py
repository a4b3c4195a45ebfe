"""An assignment against its own answers: do its tests give full marks to what is right and catch
what is wrong?

    reference          full marks            each `right`    full marks
    untouched release  nothing               each `wrong`    less than full, or what it `earns`
    mutants            caught, but for those declared equivalent
    hostile returns    nothing (empty, NaN, None, wrong shape, … from every function, and what can
                       be made of its right answer)
    the boundary       right and wrong answers get the same verdicts sealed as in a notebook

On a machine without a card, parts that need one are not run, and the proof says which: one with a
card completes it.

Every variant of a part runs in a fork of the reference where the part stands, so that nothing
before it runs twice.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from autogradient import errors
from autogradient.errors import WorkerError
from autogradient.grading import judge
from autogradient.grading.engine import Engine, JudgeProcess, JudgeProcesses
from autogradient.grading.grade import grade_notebook
from autogradient.grading.judge import Snapshot, Verdict
from autogradient.grading.read_notebook import read_notebook
from autogradient.grading.reference_answers import expected_answers
from autogradient.grading.submission import plan_release
from autogradient.model import answer_kind
from autogradient.model.assignment import Assignment, Limits, Part
from autogradient.model.points import show_points
from autogradient.model.result import SubmissionInfo
from autogradient.proving.findings import Proof
from autogradient.proving.mutants import mutants
from autogradient.proving.variants import Task, tasks_of
from autogradient.sandbox import Interpreter
from autogradient.sources.release import build
from autogradient.wire import codec

EQUIVALENT_SHARE = Fraction(10, 100)


@dataclass
class _Stand:
    """Where variants of a part start: before its answer ran, and after, with the reference's
    seconds.
    """

    before: Interpreter
    after: Interpreter
    limits: Limits
    sources: list[str]


def prove(
    assignment: Assignment,
    engine: Engine,
    *,
    jobs: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Proof:
    """Run the whole proof of an assignment. `progress(done, of)` is called as variants are
    finished.
    """
    proof = Proof(assignment.name, assignment.digest)
    expected = expected_answers(assignment, engine)
    blank = grade_notebook(
        assignment,
        read_notebook(build(assignment).notebook, assignment.name),
        engine,
        SubmissionInfo(),
        skip_unattempted=False,
    ).result
    lacking = [
        part
        for part in assignment.parts
        if assignment.needs_card(part) and not part.by_hand and not judge.has_gpu()
    ]
    proof.not_run = [part.id for part in lacking]
    possible = sum((question.points for question in assignment.questions), Fraction(0)) - sum(
        (part.points for part in lacking), Fraction(0)
    )
    proof.blank = (blank.points.earned + blank.points.bonus, possible)
    for stub in blank.parts:
        if stub.earned:
            proof.remarks.append(
                f"{stub.id}: the untouched stub earns {show_points(stub.earned)} of "
                f"{show_points(stub.possible)} points"
            )
    earned = sum((part.points for part in assignment.parts if part.by_hand), Fraction(0))
    for card in (False, True):
        parts = [
            part
            for part in assignment.parts
            if not part.by_hand and assignment.needs_card(part) == card and part not in lacking
        ]
        if parts:
            earned += _prove_parts(
                assignment, parts, engine, expected, proof, 1 if card else jobs, progress
            )
    proof.reference = (earned, possible)
    proof.remarks = list(dict.fromkeys(proof.remarks))
    for part in assignment.parts:
        unused = [
            e
            for e in part.equivalents
            if not any((m.before, m.after) == (e.before, e.after) for m in mutants(part.solution))
        ]
        proof.remarks += [
            (
                f"{part.id}: no mutant is '{e.before}' → '{e.after}'; remove the equivalent "
                "cell or correct it"
            )
            for e in unused
        ]
    all_mutants = proof.mutants.of + proof.equivalent
    if proof.equivalent > EQUIVALENT_SHARE * all_mutants:
        proof.remarks.append(
            f"{proof.equivalent} of {all_mutants} mutants are declared equivalent, more "
            f"than {EQUIVALENT_SHARE * 100} in a hundred; test what they change"
        )
    return proof


def _prove_parts(
    assignment: Assignment,
    parts: list[Part],
    engine: Engine,
    expected: dict[str, Any],
    proof: Proof,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> Fraction:
    """Everything that is asked of these parts, of which either all need a card or none; returns
    what the reference earns.

    With a card: the processes that are forked have only run cells, never a test. So none has begun
    with CUDA, which allows no forks then.
    """
    earned = Fraction(0)
    folder = engine.folder(assignment.files)
    card = assignment.needs_card(parts[0])
    with (
        engine.session(
            folder, assignment.limits, forks=8 * len(assignment.parts), card=card
        ) as session,
        JudgeProcesses(engine, folder, assignment.limits) as judges,
    ):
        tasks: list[tuple[Part, Task]] = []
        stands: dict[str, _Stand] = {}
        for part, stand, verdict in _walk(
            assignment, parts, session.start(1), expected, proof, judges.own
        ):
            earned += sum((case.earned for case in verdict.cases), Fraction(0))
            for case in verdict.cases:
                if case.outcome != "passed":
                    proof.remarks.append(
                        f"{part.id}: the reference does not pass '{case.name}' "
                        f"({case.outcome}) {_why(verdict, case.name)}".rstrip()
                    )
            if stand is not None:
                stands[part.id] = stand
            tasks += [(part, task) for task in tasks_of(part)]
        _run_all(assignment, proof, tasks, stands, expected, judges, jobs, progress)
    return earned


def _walk(
    assignment: Assignment,
    wanted: list[Part],
    main: Interpreter,
    expected: dict[str, Any],
    proof: Proof,
    judge_process: JudgeProcess,
) -> Iterator[tuple[Part, _Stand | None, Verdict]]:
    """Run the reference; yields each wanted part, where its variants start, and the reference's
    verdict.
    """
    parts = {part.id: part for part in wanted}
    before: dict[str, Interpreter] = {}
    sources: list[str] = []
    for step in plan_release(assignment, assignment.reference):
        if step.do == "run":
            part = parts.get(step.part)
            if (
                part is not None
                and not part.by_value
                and f"{part.id}-answer" in assignment.reference
                and step.source == part.solution
            ):
                before[part.id] = main.fork()
            run = main.run(step.source, assignment.limits.cell_s * 4)
            sources.append(step.source)
            if run.status != "ok":
                proof.remarks.append(
                    f"the reference's cell {step.part or 'setup'} ends with {run.status}: "
                    f"{': '.join(run.error or ())}"
                )
            continue
        if step.part not in parts:
            continue
        part = parts[step.part]
        if part.by_value:
            yield (
                part,
                None,
                judge.judge(
                    assignment,
                    part,
                    Snapshot(value=main.value(part.names[0])),
                    expected.get(part.id),
                    1,
                    judge_process,
                ),
            )
            continue
        after = main.fork()
        verdict = judge.judge(
            assignment,
            part,
            Snapshot(interpreter=after, sources=list(sources)),
            None,
            1,
            judge_process,
        )
        _compare(assignment, part, after, verdict, sources, proof, "the reference")
        seconds = [float(note.get("seconds") or 0) for note in verdict.staff.values()]
        limits = dataclasses.replace(
            assignment.limits,
            case_s=min(assignment.limits.case_s, max(2.0, 10 * max(seconds, default=0.0))),
        )
        yield part, _Stand(before.get(part.id, after), after, limits, list(sources)), verdict
    main.kill()


#: What is run beside the answers for a comparison; its last line of output is read.
_PLAIN = (
    "from autogradient.proving.unsealed import outcomes as _o\nimport json as "
    "_j\nprint('\\n' + _j.dumps(_o(_j.loads({job!r}), globals())))"
)


def _compare(
    assignment: Assignment,
    part: Part,
    interpreter: Interpreter,
    verdict: Verdict,
    sources: list[str],
    proof: Proof,
    answer: str,
) -> None:
    """Judge the same cases in the process of the answers itself, and note where a verdict is
    another than sealed.
    """
    job = json.dumps(judge.job_of(assignment, part, list(part.cases), 1, sources))
    try:
        runner = interpreter.fork()
    except WorkerError:
        return
    run = runner.run(_PLAIN.format(job=job), assignment.limits.case_s * len(part.cases) + 5)
    runner.kill()
    try:
        plain = json.loads(
            "".join(o.get("text", "") for o in run.outputs if o.get("name") == "stdout")
            .strip()
            .splitlines()[-1]
        )
    except (IndexError, ValueError):
        # it never ended, or took the process along: sealed it earns nothing
        plain = {}
    for case, result in zip(part.cases, verdict.cases, strict=True):
        sealed = result.outcome == "passed"
        error = verdict.staff.get(case.title, {}).get("error")
        proof.boundary.count(
            plain.get(case.name, False) == sealed,
            _difference(part, case.name, answer, sealed, error),
        )


def _difference(part: Part, case: str, answer: str, sealed: bool, error: list[Any] | None) -> str:
    """A sentence on a case that comes out otherwise sealed: which line, and why."""
    where = ""
    if error:
        lines = [
            int(match[1]) for frame in error[2] if (match := re.match(r"<tests>:(\d+)", str(frame)))
        ]
        text = part.tests.split("\n")
        line = f" in '{text[lines[-1] - 1].strip()}'" if lines and lines[-1] <= len(text) else ""
        where = f"{line}: {error[1] or error[0]}"
    where += "" if "@probe" in where else errors.TO_A_PROBE
    return errors.NOT_ALIKE.format(
        part=part.id,
        case=case,
        answer=answer,
        plain="fails" if sealed else "passes",
        sealed="passes" if sealed else "fails",
        where=where,
    )


def _why(verdict: Verdict, case: str) -> str:
    error = verdict.staff.get(case, {}).get("error")
    return f"{error[0]}: {error[1]}" if error else ""


# ---- variants ------------------------------------------------------------------------------------


def _run_all(
    assignment: Assignment,
    proof: Proof,
    tasks: list[tuple[Part, Task]],
    stands: dict[str, _Stand],
    expected: dict[str, Any],
    judges: JudgeProcesses,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    finished = 0
    total = sum(task.group != "equivalent" for _, task in tasks)

    def earn(item: tuple[Part, Task]) -> Fraction | None:
        part, task = item
        return (
            None
            if task.group == "equivalent"
            else _earned(assignment, part, task, stands.get(part.id), expected, judges.own, proof)
        )

    with ThreadPoolExecutor(max_workers=max(1, jobs), initializer=judges.engine.settle) as pool:
        for (part, task), earned in zip(tasks, pool.map(earn, tasks), strict=True):
            _count(proof, part, task, earned)
            finished += earned is not None
            if progress:
                progress(finished, total)


def _count(proof: Proof, part: Part, task: Task, earned: Fraction | None) -> None:
    if earned is None:
        proof.equivalent += 1
        return
    got = f"{task.label} (earns {show_points(earned)} of {show_points(part.points)})"
    if task.group == "right":
        proof.right.count(earned == part.points, got)
    elif task.group == "wrong":
        proof.wrong.count(earned < part.points if task.earns is None else earned == task.earns, got)
    elif task.group == "mutant":
        proof.mutants.count(earned < part.points, task.label)
    else:
        proof.hostile.count(earned == 0, got)


def _earned(
    assignment: Assignment,
    part: Part,
    task: Task,
    stand: _Stand | None,
    expected: dict[str, Any],
    judge_process: JudgeProcess,
    proof: Proof,
) -> Fraction:
    """What a variant earns. One that cannot be run, or takes ten times the reference, earns
    nothing.
    """
    if stand is None:
        found = answer_kind.assigned_value(task.source)
        try:
            value = (
                {"value": codec.encode(ast.literal_eval(found[1]))} if found else {"missing": True}
            )
        except ValueError:
            value = _computed(task.source, part)
        verdict = judge.judge(
            assignment, part, Snapshot(value=value), expected.get(part.id), 1, judge_process
        )
        return sum((case.earned for case in verdict.cases), Fraction(0))
    bounded = dataclasses.replace(assignment, limits=stand.limits)
    try:
        runner = (stand.after if task.over else stand.before).fork()
    except WorkerError:
        return Fraction(0)
    snapshot = Snapshot(interpreter=runner, sources=[*stand.sources, task.source])
    try:
        run = runner.run(task.source, max(stand.limits.case_s, 5.0))
        if run.status in ("killed", "timed_out"):
            return Fraction(0)
        verdict = judge.judge(
            bounded,
            part,
            snapshot,
            None,
            1,
            judge_process,
            expendable="rest fails" if task.group in ("mutant", "hostile") else "",
            stop_at_failure=task.group == "mutant",
        )
        if task.group in ("right", "wrong"):
            _compare(
                bounded,
                part,
                runner,
                verdict,
                snapshot.sources,
                proof,
                f'with "{task.label.partition(": ")[2]}"',
            )
        return sum((case.earned for case in verdict.cases), Fraction(0))
    finally:
        runner.kill()


def _computed(source: str, part: Part) -> dict[str, Any]:
    """The value of a short variant that is no literal: simple arithmetic on NumPy is
    all it may be.
    """
    import numpy as np

    namespace: dict[str, Any] = {"np": np}
    try:
        exec(source, namespace)  # the instructor's own text
    except Exception:
        return {"missing": True}
    return {"value": codec.encode(namespace.get(part.names[0]))}
