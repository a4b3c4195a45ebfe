"""Many submissions: found in the course folder, graded side by side, written as they are done; what has not changed is not graded again."""

from __future__ import annotations

import itertools
import json
import os
import re
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from autogradient import errors, grade
from autogradient.assignment import Assignment
from autogradient.engine import Engine
from autogradient.errors import ClusterError, SubmissionError, WorkerError
from autogradient.judge import gpu, has_gpu
from autogradient.result import (
    ELSEWHERE,
    MAX_STAFF_BYTES,
    ON_GPU,
    Problem,
    Result,
    SubmissionInfo,
    add_up,
    digest,
    environment_digest,
    first_of,
    left_out,
    merged,
    within,
    write_atomically,
)
from autogradient.submission import Notebook, load, read
from autogradient.verdicts import Verdicts

_ATTEMPT = re.compile(r"attempt-[1-9]\d{0,8}")


@dataclass(frozen=True)
class Item:
    """One submission to grade: whose, of which assignment, which file, and what is to be said about the choice.

    With `again` it is graded even where the result on disk is still good. `attempt` is the number of its folder `attempt-N`, None where
    there is but one submission; `received_at` is when it came, if that is known.
    """

    assignment: Assignment
    path: Path
    students: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    again: bool = False
    attempt: int | None = None
    received_at: str | None = None


@dataclass(frozen=True)
class Done:
    """A graded item. `again` is false where the result on disk was still good, and `moved` is true where it came at another time than that says."""

    item: Item
    graded: grade.Graded
    again: bool = True
    moved: bool = False


class Watcher:
    """Is told how grading goes on. This one does nothing with it."""

    def total(self, number: int) -> None:
        """So many submissions there are."""

    def began(self, item: Item) -> None:
        """One is looked at, in a thread of its own."""

    def done(self, done: Done) -> None:
        """One is done."""


def cpu_count() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def find_notebooks(path: Path) -> list[Path]:
    """The notebooks in a file or folder, checkpoints and hidden folders left out. Raises SubmissionError where there are none."""
    if path.is_file():
        return [path]
    found: list[Path] = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(folder, name) for name in names if name.endswith(".ipynb") and not name.startswith(".")]
    home = path.resolve()
    found = sorted(p for p in found if p.is_file() and (not p.is_symlink() or p.resolve().is_relative_to(home)))  # no links to other people's work, no pipes
    if not found:
        raise SubmissionError(errors.NO_NOTEBOOK.format(name=errors.relative(path)))
    return found


def identify(path: Path, assignments: list[Assignment], students: tuple[str, ...] = ()) -> Item:
    """A file as an item: which assignment it belongs to. Raises SubmissionError where that cannot be told."""
    try:
        notebook = read(load(path), path.name)
    except SubmissionError:
        by_name = {a.name: a for a in assignments}
        for name in (path.stem, path.parent.name):
            if name in by_name:
                return Item(by_name[name], path, students)
        if len(assignments) == 1:
            return Item(assignments[0], path, students)
        raise
    if len(assignments) == 1:
        return Item(assignments[0], path, students, _other(notebook.claims, assignments[0]))
    assignment, how = recognise(notebook, path, assignments)
    remarks = () if path.stem == assignment.name else (errors.RENAMED.format(name=path.name, assignment=assignment.name, how=how),)
    return Item(assignment, path, students, remarks)


def _other(claims: str, assignment: Assignment) -> tuple[str, ...]:
    """The remark that a notebook is graded as something else than it says, if so."""
    return (errors.OTHER_ASSIGNMENT.format(claims=claims, assignment=assignment.name),) if claims not in ("", assignment.name) else ()


def submissions(folder: Path, assignments: list[Assignment]) -> Iterator[Item]:
    """What lies in a `submitted` folder: one item for each student and assignment, or for each attempt; the choice between several notebooks explained."""
    by_name = {assignment.name: assignment for assignment in assignments}
    for student in sorted(p for p in folder.glob("*") if p.is_dir() and not p.name.startswith(".")):
        for place in sorted(p for p in student.glob("*") if p.is_dir() and p.name in by_name):
            one_or_more: Sequence[tuple[int | None, Path]] = attempt_folders(place) or [(None, place)]
            for number, folder_of_one in one_or_more:
                if not folder_of_one.resolve().is_relative_to(student.resolve()):  # a link to somebody else's work
                    continue
                try:
                    paths = find_notebooks(folder_of_one)
                except SubmissionError:
                    continue
                item = _choose(paths, by_name[place.name], student.name)
                yield replace(item, attempt=number, received_at=received_at(folder_of_one))


def attempt_folders(place: Path) -> list[tuple[int, Path]]:
    """The folders `attempt-N` of a submission by their numbers, the first one first; none where there is but one submission."""
    found = [(int(path.name.removeprefix("attempt-")), path) for path in place.iterdir() if _ATTEMPT.fullmatch(path.name) and path.is_dir()]
    return sorted(found)


def received_at(folder: Path) -> str | None:
    """When a submission came, by nbgrader's timestamp.txt in its folder (ISO 8601, UTC); None where that is not known."""
    path = folder / "timestamp.txt"
    if path.is_symlink() or not path.is_file():
        return None
    from nbgrader.utils import parse_utc

    try:
        with path.open(encoding="utf-8") as file:
            moment: datetime = parse_utc(file.read(200).strip())
    except (ValueError, OverflowError, TypeError, AttributeError, OSError):
        return None
    return moment.replace(tzinfo=UTC).isoformat(timespec="seconds")


def _choose(paths: list[Path], assignment: Assignment, student: str) -> Item:
    readable = []
    for path in paths:
        try:
            notebook = read(load(path), path.name)
            readable.append((path, notebook.claims))
        except SubmissionError:
            continue
    ours = [path for path, claims in readable if claims in ("", assignment.name)] or [path for path, _ in readable] or paths
    chosen, reason = choose(ours, assignment.name)
    remarks = []
    if len(paths) > 1:
        remarks.append(errors.TWO_NOTEBOOKS.format(names=" and ".join(p.name for p in paths), chosen=chosen.name, reason=reason))
    claims = dict(readable).get(chosen, "")
    if chosen.stem != assignment.name:
        how = "its metadata" if claims == assignment.name else "its folder"
        remarks.append(errors.RENAMED.format(name=chosen.name, assignment=assignment.name, how=how))
    remarks += _other(claims, assignment)
    return Item(assignment, chosen, (student,), tuple(remarks))


def recognise(notebook: Notebook, path: Path, assignments: Sequence[Assignment]) -> tuple[Assignment, str]:
    """Which assignment a notebook belongs to and how that is known: by its metadata, its cells' ids, its file's name, its folder's name.

    Raises SubmissionError where it belongs to none.
    """
    by_name = {assignment.name: assignment for assignment in assignments}
    if notebook.claims in by_name:
        return by_name[notebook.claims], "its metadata"
    claimed = {cell.grade_id.removeprefix("#") for cell in notebook.cells}
    scores = {a.name: len(claimed & {part_id for part in a.parts for part_id in (part.id, f"{part.id}-answer")}) for a in assignments}
    best = max(scores, key=lambda name: scores[name], default="")
    if best and scores[best] > 0:
        return by_name[best], "the ids of its cells"
    for word, how in ((path.stem, "its file name"), (path.parent.name, "its folder")):
        simple = re.sub(r"[\s_]+", "-", word.lower())
        for name in sorted(by_name, key=len, reverse=True):
            if simple == name or re.search(rf"(^|[^a-z0-9]){re.escape(name)}($|[^a-z])", simple):
                return by_name[name], how
    raise SubmissionError(errors.NOT_RECOGNISED.format(name=path.name))


def choose(paths: Iterable[Path], name: str) -> tuple[Path, str]:
    """Which of several notebooks of one assignment is graded, and the reason: its own name, then the most recent change, then the alphabet."""
    candidates = sorted(paths)
    exact = [path for path in candidates if path.stem == name]
    if len(exact) == 1:
        return exact[0], "it has the assignment's name"
    newest = max(candidates, key=lambda path: (path.stat().st_mtime_ns, path.name))
    return newest, "it was changed last"


def result_path(results: Path, assignment: str, student: str, attempt: int | None = None) -> Path:
    """Where a result is kept."""
    folder = results / assignment
    return folder / f"{student}.json" if attempt is None else folder / "attempts" / student / f"{attempt}.json"


def read_result(path: Path) -> Result | None:
    """A result on disk; None where there is none that is valid."""
    try:
        return Result.from_json(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def read_results(results: Path, assignment: str) -> dict[str, list[Result]]:
    """All valid results of an assignment on disk: student → those of the attempts in order, or the one of a single submission."""
    return {student: found for student in students(results, assignment) if (found := read_attempts(results, assignment, student))}


def students(results: Path, assignment: str) -> list[str]:
    """Who has a result of an assignment on disk."""
    folder = results / assignment
    single = {path.stem for path in folder.glob("*.json") if not path.name.endswith(".staff.json")}
    return sorted(single | {path.name for path in folder.glob("attempts/*") if path.is_dir()})


def read_attempts(results: Path, assignment: str, student: str) -> list[Result]:
    """A student's valid results of an assignment: those of the attempts in the order in which they came, or else the one of a single submission."""
    numbers = sorted(int(path.stem) for path in (results / assignment / "attempts" / student).glob("*.json") if path.stem.isdigit())
    paths = [result_path(results, assignment, student, number) for number in numbers] or [result_path(results, assignment, student)]
    found = [result for path in paths if (result := read_result(path)) is not None]
    # a snapshot of an earlier time may have been collected later
    return sorted(found, key=lambda result: result.submission.received_at or "") if all(result.submission.received_at for result in found) else found


class Grader(Protocol):
    """Who grades: this machine's engine, or others."""

    #: How many submissions at a time.
    slots: int
    #: Whether student code is confined.
    sealed: bool
    #: Whether there is an NVIDIA card.
    has_card: bool
    #: Whether only what needs one is judged (True), or only the rest (False); None: all that can be.
    card: bool | None

    def batch(self, items: list[Item]) -> AbstractContextManager[object]:
        """For as long as these are graded."""

    def settle(self) -> None:
        """Called once in each thread that will ask for grading."""

    def grade(self, assignment: Assignment, data: bytes, name: str, info: SubmissionInfo, verdicts: Verdicts | None) -> grade.Graded:
        """Grade one file. Raises WorkerError where it could not be done for no reason of the file's; once more, it may."""

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
        self.engine.ahead = len(items) > 1
        try:
            yield
        finally:
            self.engine.rest()

    def settle(self) -> None:
        self.engine.settle()

    def grade(self, assignment: Assignment, data: bytes, name: str, info: SubmissionInfo, verdicts: Verdicts | None) -> grade.Graded:
        return grade.grade_bytes(assignment, data, name, self.engine, info, verdicts=verdicts, card=self.card)

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
    verdicts: Verdicts | None = None,
    write: bool = True,
    watcher: Watcher | None = None,
) -> Generator[Done]:
    """Grade items side by side; yields each as it is done, and keeps none. With `results` each is written first, and one whose receipt is unchanged is taken from there.

    What `verdicts` knows of a changed one is taken from there. Without `write` nothing is written to `results`.
    """
    items, left = list(items), list[Item]()
    watcher = watcher or Watcher()
    watcher.total(len(items))
    for item in items:
        kept = _kept(item, grader, results, write) if results else None
        if kept is None:
            left.append(item)
        else:
            watcher.done(kept)
            yield kept
    if left:
        yield from _graded(left, _Grading(grader, results, release, verdicts, write, watcher))


def _graded(left: list[Item], grading: _Grading) -> Generator[Done]:
    """What is not up to date, graded; no more of it at a time than keeps everybody busy."""
    slots, waiting, again = grading.grader.slots, set[Future[Done]](), list[Item]()
    coming = iter(left)
    with grading.grader.batch(left), ThreadPoolExecutor(max_workers=min(slots, len(left)), initializer=grading.grader.settle) as pool:
        try:
            while True:
                waiting |= {pool.submit(grading.one, item) for item in itertools.islice(coming, 2 * slots - len(waiting))}
                if not waiting:
                    break
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for done in (future.result() for future in sorted(finished, key=lambda future: future.exception() is not None)):  # what is done is not lost
                    if done.graded.starved:
                        again.append(done.item)
                    else:
                        grading.watcher.done(done)
                        yield done
            for item in again:  # once more, alone
                done = pool.submit(grading.one, item).result()
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


def _kept(item: Item, grader: Grader, results: Path, write: bool) -> Done | None:
    """What was made of an item before, if it is still good; the time at which it came may be another."""
    path = result_path(results, item.assignment.name, item.students[0], item.attempt) if item.students else None
    old = read_result(path) if path else None
    if old is None or not (old.outcome == "unreadable" or (old.outcome == "graded" and not item.again)):
        return None
    waits = ([ELSEWHERE] if grader.card is not True else []) + ([ON_GPU] if grader.card is not False and grader.has_card else [])
    if any(left_out(part, waits) for part in old.parts):  # what had to wait for this machine
        return None
    try:
        data = load(item.path)
    except SubmissionError:
        data = b""
    receipt = old.receipt
    known = [receipt.submission, receipt.assignment]
    now = [digest(data), item.assignment.digest]
    if grader.card is not True or not receipt.card:
        known, now = [*known, receipt.environment], [*now, environment_digest(grader.sealed)]
    if grader.card is not False and receipt.card and has_gpu():  # what a machine with a card has, only that one can tell
        known, now = [*known, receipt.card], [*now, environment_digest(grader.sealed, gpu())]
    unchanged = known == now
    moved = unchanged and old.submission.received_at != item.received_at
    if moved:
        old.submission.received_at = item.received_at
        if write and path:
            write_atomically(path, old.to_json())
    return Done(item, grade.Graded(old), again=False, moved=moved) if unchanged else None


@dataclass(frozen=True)
class _Grading:
    """What it takes to grade an item of a batch and to write what came of it."""

    grader: Grader
    results: Path | None
    release: str
    verdicts: Verdicts | None
    write: bool
    watcher: Watcher
    stopped: threading.Event = field(default_factory=threading.Event)

    def one(self, item: Item) -> Done:
        """Grade one. Raises WorkerError where it was stopped meanwhile."""
        self.watcher.began(item)
        try:
            data, problem = load(item.path), ""
        except SubmissionError as error:
            data, problem = b"", str(error)
        student = item.students[0] if item.students else ""
        target = result_path(self.results, item.assignment.name, student, item.attempt) if self.results and student else None
        old = read_result(target) if target else None
        info = SubmissionInfo(students=list(item.students), attempt=item.attempt, received_at=item.received_at, file=item.path.name)
        try:
            graded = grade.Graded(grade.unreadable(item.assignment, data, problem, info)) if problem else self._grade(item, data, info)
        except ClusterError:  # for all that are left, too
            raise
        except Exception as error:  # one submission's trouble must not end the others'
            graded = grade.failed(item.assignment, data, error, info)
        if self.stopped.is_set():  # its processes were killed under it: that is no verdict
            raise WorkerError("interrupted")
        graded.result.release = self.release
        graded.result.problems = first_of([*(Problem(message=remark) for remark in item.remarks), *graded.result.problems])
        if graded.result.outcome == "unreadable" and old is not None and old.outcome == "graded":
            before, graded = old.to_json(), _fall_back(old, graded)
            if graded.result.to_json() == before:
                return Done(item, graded, again=False)
        elif target is not None and old is not None and (self.grader.card is not None or old.receipt.card):
            graded = _completed(graded, old, target.with_suffix(".staff.json"))
        if target is not None and self.write:
            write_atomically(target, graded.result.to_json())
            if (
                graded.notebook is not None or graded.result.outcome == "grader_error"
            ):  # else nothing was run, and what staff may see of an earlier run still holds
                write_atomically(target.with_suffix(".staff.json"), within(graded.staff, MAX_STAFF_BYTES))
        return Done(item, graded)

    def _grade(self, item: Item, data: bytes, info: SubmissionInfo) -> grade.Graded:
        """Grade a file; where a process of the grader's own died under it, once more."""
        for last in (False, True):
            try:
                return self.grader.grade(item.assignment, data, item.path.name, info, self.verdicts)
            except WorkerError:
                if last or self.stopped.is_set():
                    raise
        raise AssertionError("not reached")


def _completed(graded: grade.Graded, old: Result, staff: Path) -> grade.Graded:
    """A result with what an older one of the same submission has from another machine."""
    if "unreadable" in (graded.result.outcome, old.outcome) or graded.result.receipt.work != old.receipt.work:
        return graded
    others = {part.id for part in graded.result.parts if left_out(part)}
    with suppress(OSError, ValueError):
        graded.staff = {part: said for part, said in json.loads(staff.read_bytes()).items() if part in others} | graded.staff
    graded.result = merged(graded.result, old)
    return graded


def _fall_back(old: Result, graded: grade.Graded) -> grade.Graded:
    """The last readable submission counts, and the student is told."""
    sentences = [errors.FALLEN_BACK.format(problem=problem.message) for problem in graded.result.problems]
    ending = errors.FALLEN_BACK.format(problem="")
    old.problems = [*(Problem(message=sentence) for sentence in sentences), *(p for p in old.problems if not p.message.endswith(ending))]
    return grade.Graded(old)


def missing(assignment: Assignment, student: str) -> Result:
    """The result of a student on the roster who handed nothing in."""
    result = grade.unreadable(assignment, b"", "nothing was handed in", SubmissionInfo(students=[student]))
    result.outcome = "missing"
    result.points = add_up(result.questions)
    return result
