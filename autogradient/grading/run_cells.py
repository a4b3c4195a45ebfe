"""Phase one: a notebook's cells run in order, and where a part's tests stand a snapshot is forked
that only waits.

No hidden byte is near while this goes on. Where a snapshot would be unsafe, because the process has
threads that a fork lacks, or CUDA, which allows no forks, there is a second pass (`replay`): the
cells again in a fresh process, with the tests in place, and nothing of it shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from autogradient.errors import WorkerError
from autogradient.grading import messages
from autogradient.grading.case_results import DIED
from autogradient.grading.engine import Engine
from autogradient.grading.judge import Snapshot
from autogradient.grading.submission import Step
from autogradient.model.assignment import Assignment, Case, Part
from autogradient.model.result import Problem
from autogradient.sandbox import CellRun, Interpreter, Session
from autogradient.sandbox.interpreter import HELLO_S

#: Characters that all cells together may show.
MAX_SHOWN = 25_000_000
#: Cells that took longer are not run again where a later one kills the process.
SLOW_S = 0.5


#: What needs a second pass: part → cases (None: all).
Again = dict[str, list[Case] | None]


class Decide(Protocol):
    """Takes a verdict on some cases of a part, or on all of it; returns the cases left for a second
    pass where the snapshot is gone, else None.
    """

    def __call__(
        self, part: Part, snapshot: Snapshot, cases: list[Case] | None, first: bool = False
    ) -> list[Case] | None:
        """`first`: there can be a second pass."""


class Beginnings:
    """Sessions in which a submission's cells can run from the first on: one at a time. A context
    manager that ends the last.
    """

    def __init__(
        self, engine: Engine, assignment: Assignment, seed: int, *, card: bool = False
    ) -> None:
        self.engine, self.assignment, self.seed, self.card = engine, assignment, seed, card
        self.session: Session | None = None

    def __enter__(self) -> Beginnings:
        return self

    def __exit__(self, *_: object) -> None:
        if self.session is not None:
            self.session.close()

    def begin(self) -> Interpreter:
        """The first process of a new session; the one before is ended. Raises WorkerError,
        ConfinementError.
        """
        self.__exit__()
        assignment = self.assignment
        self.session = self.engine.session(
            self.engine.folder(assignment.files),
            assignment.limits,
            forks=len(assignment.parts),
            card=self.card,
        )
        return self.session.start(self.seed)


class TimeBudget:
    """Seconds of wall time for a whole submission."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; negative when it is over."""
        return self.end - time.monotonic()


@dataclass
class Runs:
    """What came of the student's cells: run by cell index, and what to tell the student about them.

    `killers` are the steps that killed their process or had to be stopped. `starved`: one was
    stopped that hardly got a processor. `out_of_time`: not all were run.
    """

    cells: dict[int, CellRun] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    killers: set[int] = field(default_factory=set)
    shown: int = 0
    starved: bool = False
    out_of_time: bool = False

    def keep(self, step: Step, run: CellRun, limit: float) -> None:
        """Keep a run and, where the cell failed, say so."""
        if run.status in ("killed", "timed_out"):
            self.killers.add(id(step))
        if step.cell is None:
            return
        self.shown += run.size
        if self.shown > MAX_SHOWN and run.outputs:
            run.outputs = [{"output_type": "stream", "name": "stderr", "text": messages.NOT_SHOWN}]
        self.cells[step.cell] = run
        if run.status == "timed_out":
            message = messages.CELL_STOPPED.format(seconds=limit)
        elif run.status == "killed":
            message = messages.CELL_KILLED.format(how=run.how)
        elif run.status == "error" and run.error:
            message = messages.CELL_ERROR.format(
                name=run.error[0], value=run.error[1][:300]
            ).rstrip(": ")
        else:
            return
        self.problems.append(Problem(cell=step.cell + 1, message=message))
        if run.status != "error":  # an error shows its own traceback
            run.outputs = [
                *run.outputs,
                {
                    "output_type": "stream",
                    "name": "stderr",
                    "text": f"{message[:1].upper()}{message[1:]}.\n",
                },
            ]

    def add(self, other: Runs) -> None:
        """Take in what came of the same cells elsewhere; what they showed there holds."""
        self.cells |= other.cells
        self.problems += [problem for problem in other.problems if problem not in self.problems]
        self.killers |= other.killers
        self.starved |= other.starved
        self.out_of_time |= other.out_of_time


def run_steps(
    assignment: Assignment,
    begin: Callable[[], Interpreter],
    steps: list[Step],
    wanted: set[str],
    runs: Runs,
    budget: TimeBudget,
) -> dict[str, Snapshot]:
    """Run the cells in order in a process that `begin` starts; returns a snapshot for each wanted
    part. Afterwards nothing else of its session is alive.

    A cell that kills its process is left out: the cells since the last snapshot run again in a fork
    of that one, or, where there is none yet, in a new session.
    """
    parts = {part.id: part for part in assignment.parts}
    limit = assignment.limits.cell_s
    snapshots: dict[str, Snapshot] = {}
    lost = Snapshot(lost=DIED.format(how="it stopped answering"))
    main, since = begin(), list[Step]()
    last: Interpreter | None = None
    sources: list[str] = []
    final = max(
        (i for i, step in enumerate(steps) if step.do == "run" or step.part in wanted), default=0
    )
    for index, step in enumerate(steps):
        if budget.left <= 0:
            runs.out_of_time = True
            runs.problems.append(
                Problem(message=messages.OUT_OF_TIME.format(seconds=assignment.limits.submission_s))
            )
            break
        try:
            if step.do == "run":
                run = _run(main, step, min(limit, budget.left), runs)
                sources.append(step.source)
                if run.status == "killed" or run.how == "killed":
                    main = _recover(last, begin, since, limit, budget)
                elif run.seconds > SLOW_S and main.threads == 1:
                    if last is not None and all(
                        last is not snapshot.interpreter for snapshot in snapshots.values()
                    ):
                        last.kill()
                    last, since = main.fork(_within(budget)), []
                else:
                    since.append(step)
            elif step.part in wanted:
                part = parts[step.part]
                snapshots[part.id] = lost
                if part.by_value:
                    snapshots[part.id] = Snapshot(value=main.value(part.names[0], _within(budget)))
                elif main.threads > 1 or assignment.needs_card(part):
                    snapshots[part.id] = Snapshot(unsafe=True)
                else:  # nothing is run after the final part, so it needs no copy
                    # told now: later the process could choose what to say
                    missing = main.lacks(part.names, _within(budget))
                    last, since = main if index == final else _fork(main, snapshots, budget), []
                    snapshots[part.id] = Snapshot(
                        interpreter=last, sources=list(sources), missing=missing
                    )
        except WorkerError as error:
            # it ended, or fell silent, while no cell ran: that need not be the student's doing
            runs.starved |= main.starved(error)
            try:
                main = _recover(last, begin, since, limit, budget)
            except WorkerError:  # nothing is left to go on from
                break
    main.session.ask("keep", pids=[s.interpreter.pid for s in snapshots.values() if s.interpreter])
    return dict.fromkeys(wanted, lost) | snapshots


def _within(budget: TimeBudget) -> float:
    """Seconds to wait for something that is a matter of milliseconds."""
    return min(HELLO_S, max(1.0, budget.left))


def _fork(main: Interpreter, snapshots: dict[str, Snapshot], budget: TimeBudget) -> Interpreter:
    """A copy of the process that runs the cells; where its own children leave no room for one, they
    are killed.
    """
    try:
        return main.fork(_within(budget))
    except WorkerError:
        main.session.ask(
            "keep",
            pids=[main.pid, *(s.interpreter.pid for s in snapshots.values() if s.interpreter)],
        )
        return main.fork(_within(budget))


def _run(main: Interpreter, step: Step, limit: float, runs: Runs) -> CellRun:
    run = main.run(step.source, limit)
    runs.keep(step, run, limit)
    if run.status == "timed_out" and run.how != "killed":
        runs.starved |= main.usage()[1] > limit / 4
    if run.status == "killed":
        runs.starved |= main.session.was_killed(main.pid)
    return run


def _recover(
    last: Interpreter | None,
    begin: Callable[[], Interpreter],
    since: list[Step],
    limit: float,
    budget: TimeBudget,
) -> Interpreter:
    """The state just before a cell that killed its process; a cell that does so the second time it
    runs is left out, too.

    Where the budget ends meanwhile, what has been run until then.
    """
    while True:
        interpreter = last.fork(_within(budget)) if last else begin()
        for step in since:
            if budget.left <= 0:
                return interpreter
            run = interpreter.run(step.source, min(limit, budget.left))
            if run.status == "killed" or run.how == "killed":
                since.remove(step)
                break
        else:
            return interpreter


def replay(
    assignment: Assignment,
    main: Interpreter,
    steps: list[Step],
    again: Again,
    runs: Runs,
    budget: TimeBudget,
    decide: Decide,
    spoilt: Callable[[Part], bool],
) -> Again:
    """The second pass: run the cells once more, those that killed or hung left out, and have what
    is in `again` judged where it stands.

    Nothing is shown of it: hidden inputs may have been in this process. Returns what is left for
    another pass, because the process was `spoilt` by a part.
    """
    parts = {part.id: part for part in assignment.parts}
    limit = assignment.limits.cell_s
    left = dict(again)
    sources: list[str] = []
    try:
        for step in steps:
            if not left or budget.left <= 0:
                break
            if step.do == "run":
                if id(step) not in runs.killers:
                    main.run(step.source, min(limit, budget.left))
                sources.append(step.source)
            elif step.part in left:
                part, cases = parts[step.part], left.pop(step.part)
                decide(
                    part,
                    Snapshot(
                        interpreter=main,
                        sources=list(sources),
                        unsafe=main.threads > 1 or assignment.needs_card(part),
                        quiet=True,
                    ),
                    cases,
                )
                if spoilt(part):
                    return left
    except WorkerError as error:
        runs.starved |= main.starved(error)
    for name, cases in left.items():
        lost = Snapshot(lost=DIED.format(how="it stopped answering"), quiet=True)
        decide(parts[name], lost, cases)
    return {}
