"""Many submissions: found in the course folder, graded side by side, written as they are done; what
has not changed is not graded again.
"""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from autogradient import errors
from autogradient.errors import ClusterError, ResultError, SubmissionError, WorkerError
from autogradient.grading import grade, messages
from autogradient.grading.engine import Engine
from autogradient.grading.find_submissions import Item
from autogradient.grading.judge import gpu, has_gpu
from autogradient.grading.read_notebook import read_file
from autogradient.grading.results_folder import read_result, result_path, set_aside
from autogradient.grading.verdict_cache import Verdicts
from autogradient.model.assignment import Assignment
from autogradient.model.environment import environment_digest
from autogradient.model.files import digest, write_atomically
from autogradient.model.result import (
    ELSEWHERE,
    MAX_STAFF_BYTES,
    ON_GPU,
    Problem,
    Result,
    SubmissionInfo,
    first_of,
    left_out,
    merged,
    within,
)

#: Submissions that are kept to be graded again; when there are so many, that is done first.
AGAIN = 25


@dataclass(frozen=True)
class Done:
    """A graded item. `again` is false where the result on disk was still good, and `moved` is true
    where it came at another time than that says. `remark` says what became of an old result that
    was damaged, `trouble` why the grader failed, where it did.
    """

    item: Item
    graded: grade.Graded
    again: bool = True
    moved: bool = False
    remark: str = ""
    trouble: str = ""


class Watcher:
    """Is told how grading goes on. This one does nothing with it."""

    def total(self, number: int) -> None:
        """So many submissions there are."""

    def began(self, item: Item) -> None:
        """One is looked at, in a thread of its own."""

    def done(self, done: Done) -> None:
        """One is done."""


class Grader(Protocol):
    """Who grades: this machine's engine, or others."""

    #: How many submissions at a time.
    slots: int
    #: Whether student code is confined.
    sealed: bool
    #: Whether there is an NVIDIA card.
    has_card: bool
    #: Whether only what needs one is judged (True), or only the rest (False); None: all that can
    #: be.
    card: bool | None

    def batch(self, items: list[Item]) -> AbstractContextManager[object]:
        """For as long as these are graded."""

    def settle(self) -> None:
        """Called once in each thread that will ask for grading."""

    def grade(
        self,
        assignment: Assignment,
        data: bytes,
        name: str,
        info: SubmissionInfo,
        verdicts: Verdicts | None,
        last: bool,
    ) -> grade.Graded:
        """Grade one file, for the first time or the `last`. Raises WorkerError where it could not
        be done for no reason of the file's; once more, it may.
        """

    def stop(self) -> None:
        """End what is being graded. For another thread than theirs."""


class Local:
    """This machine's engine, for so many submissions at a time."""

    def __init__(self, engine: Engine, jobs: int, *, card: bool | None = None) -> None:
        self.engine, self.slots, self.card = engine, max(1, jobs), card

    @property
    def sealed(self) -> bool:
        return not self.engine.missing

    @property
    def has_card(self) -> bool:
        return has_gpu()

    @contextmanager
    def batch(self, items: list[Item]) -> Iterator[None]:
        self.engine.check()
        self.engine.ahead = len(items) > 1
        try:
            yield
        finally:
            self.engine.rest()

    def settle(self) -> None:
        self.engine.settle()

    def grade(
        self,
        assignment: Assignment,
        data: bytes,
        name: str,
        info: SubmissionInfo,
        verdicts: Verdicts | None,
        last: bool,
    ) -> grade.Graded:
        options: dict[str, Any] = {"verdicts": verdicts, "card": self.card, "last": last}
        return grade.grade_bytes(assignment, data, name, self.engine, info, **options)

    def stop(self) -> None:
        self.engine.stop()


def grade_all(items: Iterable[Item], grader: Grader, **options: Any) -> list[Done]:
    """Grade so many items as memory has room for; in their order. Options as of `grade_each`."""
    items = list(items)
    places = {id(item): index for index, item in enumerate(items)}
    return sorted(grade_each(items, grader, **options), key=lambda done: places[id(done.item)])


def grade_each(
    items: Iterable[Item],
    grader: Grader,
    *,
    results: Path | None = None,
    release: str = "",
    proved: Mapping[str, bool] | None = None,
    verdicts: Verdicts | None = None,
    write: bool = True,
    watcher: Watcher | None = None,
) -> Generator[Done]:
    """Grade items side by side; yields each as it is done, and keeps none. With `results` each is
    written first, and one whose receipt is unchanged is taken from there.

    What `verdicts` knows of a changed one is taken from there. Without `write` nothing is written
    to `results`. `proved` says which assignments' tests are proved.
    """
    items, left = list(items), list[Item]()
    watcher = watcher or Watcher()
    watcher.total(len(items))
    for item in items:
        kept = (
            _kept(item, grader, results, write, (proved or {}).get(item.assignment.name))
            if results
            else None
        )
        if kept is None:
            left.append(item)
        else:
            watcher.done(kept)
            yield kept
    if left:
        yield from _graded(
            left, _Grading(grader, results, release, proved or {}, verdicts, write, watcher)
        )


def _graded(left: list[Item], grading: _Grading) -> Generator[Done]:
    """What is not up to date, graded; no more of it at a time than keeps everybody busy."""
    slots, waiting, again = grading.grader.slots, set[Future[Done]](), list[Done]()
    coming = iter(left)
    with (
        grading.grader.batch(left),
        ThreadPoolExecutor(
            max_workers=min(slots, len(left)), initializer=grading.grader.settle
        ) as pool,
    ):
        try:
            while True:
                room = 2 * slots - len(waiting) if len(again) < AGAIN else 0
                waiting |= {
                    pool.submit(grading.one, item) for item in itertools.islice(coming, room)
                }
                if not waiting:
                    for first in again:  # once more, alone
                        done = pool.submit(grading.one, first.item, first.graded).result()
                        grading.watcher.done(done)
                        yield done
                    if not again:
                        break
                    again = []
                    continue
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                # what is done is not lost
                for done in (
                    future.result()
                    for future in sorted(
                        finished, key=lambda future: future.exception() is not None
                    )
                ):
                    if done.graded.starved:
                        again.append(done)
                    else:
                        grading.watcher.done(done)
                        yield done
        except BaseException:
            grading.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            grading.grader.stop()
            raise


def outdated(items: Iterable[Item], grader: Grader, results: Path) -> Iterator[Item]:
    """Those of some items that such a grader would have to grade."""
    return (item for item in items if _kept(item, grader, results, write=False) is None)


def _kept(
    item: Item, grader: Grader, results: Path, write: bool, proved: bool | None = None
) -> Done | None:
    """What was made of an item before, if it is still good; the time at which it came may be
    another, and so may be what is known of its tests.
    """
    path = (
        result_path(results, item.assignment.name, item.students[0], item.attempt)
        if item.students
        else None
    )
    try:
        old = read_result(path) if path else None
    except ResultError:
        old = None
    if old is None or not (
        old.outcome == "unreadable" or (old.outcome == "graded" and not item.again)
    ):
        return None
    waits = ([ELSEWHERE] if grader.card is not True else []) + (
        [ON_GPU] if grader.card is not False and grader.has_card else []
    )
    if any(left_out(part, waits) for part in old.parts):  # what had to wait for this machine
        return None
    try:
        data = read_file(item.path)
    except SubmissionError:
        data = b""
    receipt = old.receipt
    known = [receipt.submission, receipt.assignment]
    now = [digest(data), item.assignment.digest]
    if grader.card is not True or not receipt.card:
        known, now = [*known, receipt.environment], [*now, environment_digest(grader.sealed)]
    # what a machine with a card has, only that one can tell
    if grader.card is not False and receipt.card and has_gpu():
        known, now = [*known, receipt.card], [*now, environment_digest(grader.sealed, gpu())]
    unchanged = known == now
    moved = unchanged and old.submission.received_at != item.received_at
    learnt = unchanged and None not in (proved, old.proved) and proved != old.proved
    if moved or learnt:
        old.submission.received_at = item.received_at
        old.proved = proved if learnt else old.proved
        if write and path:
            write_atomically(path, old.to_json())
    return Done(item, grade.Graded(old), again=False, moved=moved) if unchanged else None


@dataclass(frozen=True)
class _Grading:
    """What it takes to grade an item of a batch and to write what came of it."""

    grader: Grader
    results: Path | None
    release: str
    proved: Mapping[str, bool]
    verdicts: Verdicts | None
    write: bool
    watcher: Watcher
    stopped: threading.Event = field(default_factory=threading.Event)

    def one(self, item: Item, first: grade.Graded | None = None) -> Done:
        """Grade one; for the last time where there is what came of the `first`. What is to be tried
        again is not written. Raises WorkerError where it was stopped meanwhile.
        """
        self.watcher.began(item)
        try:
            data, problem = read_file(item.path), ""
        except SubmissionError as error:
            data, problem = b"", str(error)
        student = item.students[0] if item.students else ""
        target = (
            result_path(self.results, item.assignment.name, student, item.attempt)
            if self.results and student
            else None
        )
        old, remark = self._before(target) if target else (None, "")
        info = SubmissionInfo(
            students=list(item.students),
            attempt=item.attempt,
            received_at=item.received_at,
            file=item.path.name,
        )
        trouble = ""
        try:
            graded = (
                grade.Graded(grade.unreadable(item.assignment, data, problem, info))
                if problem
                else self._grade(item, data, info, last=first is not None)
            )
        except ClusterError:  # for all that are left, too
            raise
        except Exception as error:  # one submission's trouble must not end the others'
            graded, trouble = grade.failed(item.assignment, data, error, info), cause(error)
        if first is not None and not problem:
            graded = grade.of_both(item.assignment, data, item.path.name, first, graded)
        if graded.starved and first is None:
            return Done(item, graded)
        if self.stopped.is_set():  # its processes were killed under it: that is no verdict
            raise WorkerError("interrupted")
        graded.result.release, graded.result.proved = (
            self.release,
            self.proved.get(item.assignment.name),
        )
        graded.result.problems = first_of(
            [*(Problem(message=remark) for remark in item.remarks), *graded.result.problems]
        )
        if graded.result.outcome == "unreadable" and old is not None and old.outcome == "graded":
            before, graded = old.to_json(), _fall_back(old, graded)
            if graded.result.to_json() == before:
                return Done(item, graded, again=False, remark=remark)
        elif (
            target is not None
            and old is not None
            and (self.grader.card is not None or old.receipt.card)
        ):
            graded = _completed(graded, old, target.with_suffix(".staff.json"))
        if target is not None and self.write:
            write_atomically(target, graded.result.to_json())
            if (
                graded.notebook is not None or graded.result.outcome == "grader_error"
            ):  # else nothing was run, and what staff may see of an earlier run still holds
                write_atomically(
                    target.with_suffix(".staff.json"), within(graded.staff, MAX_STAFF_BYTES)
                )
        return Done(item, graded, remark=remark, trouble=trouble)

    def _before(self, path: Path) -> tuple[Result | None, str]:
        """The result from before, and a sentence where that was damaged: then it is set aside."""
        try:
            return read_result(path), ""
        except ResultError as error:
            if not self.write:
                return None, str(error)
            kept = errors.relative(set_aside(path))
            file, problem = errors.relative(path), error.problem
            return None, messages.SET_ASIDE.format(file=file, problem=problem, kept=kept)

    def _grade(self, item: Item, data: bytes, info: SubmissionInfo, *, last: bool) -> grade.Graded:
        """Grade a file; where a process of the grader's own died under it, once more."""
        name = item.path.name
        for final in (False, True):
            try:
                return self.grader.grade(item.assignment, data, name, info, self.verdicts, last)
            except WorkerError:
                if final or self.stopped.is_set():
                    raise
        raise AssertionError("not reached")


def cause(error: Exception) -> str:
    """Why something failed, in a line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror + (f" ({error.filename})" if error.filename else "")
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def _completed(graded: grade.Graded, old: Result, staff: Path) -> grade.Graded:
    """A result with what an older one of the same submission has from another machine."""
    if (
        "unreadable" in (graded.result.outcome, old.outcome)
        or graded.result.receipt.work != old.receipt.work
    ):
        return graded
    others = {part.id for part in graded.result.parts if left_out(part)}
    with suppress(OSError, ValueError):
        graded.staff = {
            part: said for part, said in json.loads(staff.read_bytes()).items() if part in others
        } | graded.staff
    graded.result = merged(graded.result, old)
    return graded


def _fall_back(old: Result, graded: grade.Graded) -> grade.Graded:
    """The last readable submission counts, and the student is told."""
    sentences = [
        messages.FALLEN_BACK.format(problem=problem.message) for problem in graded.result.problems
    ]
    ending = messages.FALLEN_BACK.format(problem="")
    old.problems = [
        *(Problem(message=sentence) for sentence in sentences),
        *(p for p in old.problems if not p.message.endswith(ending)),
    ]
    return grade.Graded(old)
