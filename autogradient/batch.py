"""Many submissions: found in the course folder, graded side by side, written as they are done; what has not changed is not graded again."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from autogradient import errors, grade
from autogradient.assignment import Assignment
from autogradient.engine import Engine
from autogradient.errors import SubmissionError, WorkerError
from autogradient.result import Problem, Result, SubmissionInfo, add_up, digest, environment_digest, write_atomically
from autogradient.submission import Notebook, load, read
from autogradient.verdicts import Verdicts

#: What `collect` calls the folders of a student's attempts at an assignment.
_ATTEMPT = re.compile(r"attempt-[1-9][0-9]*")


@dataclass(frozen=True)
class Item:
    """One submission to grade: whose, of which assignment, which file, and what is to be said about the choice.

    With `again` it is graded even where the result on disk is still good.
    """

    assignment: Assignment
    path: Path
    students: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    again: bool = False


@dataclass(frozen=True)
class Done:
    """A graded item. `again` is false where the result on disk was still good."""

    item: Item
    graded: grade.Graded
    again: bool = True


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
    """What lies in a `submitted` folder: one item for each student and assignment, the choice between several notebooks explained."""
    by_name = {assignment.name: assignment for assignment in assignments}
    for student in sorted(p for p in folder.glob("*") if p.is_dir() and not p.name.startswith(".")):
        for place in sorted(p for p in student.glob("*") if p.is_dir() and p.name in by_name):
            try:
                paths = find_notebooks(place)
            except SubmissionError:
                continue
            yield _choose(paths, by_name[place.name], student.name)


def _choose(paths: list[Path], assignment: Assignment, student: str) -> Item:
    readable = []
    unreadable = {}
    for path in paths:
        try:
            notebook = read(load(path), path.name)
            readable.append((path, notebook.claims))
        except SubmissionError as error:
            unreadable[path] = str(error)
    ours = [path for path, claims in readable if claims in ("", assignment.name)] or [path for path, _ in readable] or paths
    chosen, reason = choose(ours, assignment.name)
    remarks = []
    beside = [path for path in paths if path.parent == chosen.parent] if _ATTEMPT.fullmatch(chosen.parent.name) else paths
    if len(beside) > 1:
        remarks.append(errors.TWO_NOTEBOOKS.format(names=" and ".join(p.name for p in beside), chosen=chosen.name, reason=reason))
    last = max(paths, key=lambda path: path.stat().st_mtime_ns)
    if last in unreadable and chosen not in unreadable and last not in beside:  # a later attempt
        remarks.append(errors.FALLEN_BACK.format(problem=unreadable[last]))
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


def result_path(results: Path, assignment: str, student: str) -> Path:
    """Where a result is kept."""
    return results / assignment / f"{student}.json"


def read_result(path: Path) -> Result | None:
    """A result on disk; None where there is none that is valid."""
    try:
        return Result.from_json(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def grade_all(
    items: Iterable[Item],
    engine: Engine,
    *,
    jobs: int,
    results: Path | None = None,
    release: str = "",
    verdicts: Verdicts | None = None,
    write: bool = True,
    watcher: Watcher | None = None,
) -> list[Done]:
    """Grade items side by side. With `results` each is written as soon as it is done, and one whose receipt is unchanged is taken from there.

    What `verdicts` knows of a changed one is taken from there. Without `write` nothing is written to `results`.
    """
    items = list(items)
    finished: dict[int, Done] = {}
    stopped = threading.Event()
    watcher = watcher or Watcher()
    watcher.total(len(items))
    for index, item in enumerate(items):
        kept = _kept(item, engine, results) if results else None
        if kept is not None:
            finished[index] = kept
            watcher.done(kept)
    left = [index for index in range(len(items)) if index not in finished]
    engine.ahead = len(left) > 1

    def one(item: Item) -> Done:
        watcher.began(item)
        return _grade_one(item, engine, results, release, verdicts, write, stopped)

    with ThreadPoolExecutor(max_workers=max(1, jobs), initializer=engine.settle) as pool:
        futures = {pool.submit(one, items[index]): index for index in left}
        try:
            for future in as_completed(futures):
                finished[futures[future]] = future.result()
                if not finished[futures[future]].graded.starved:
                    watcher.done(finished[futures[future]])
            for index in [index for index in left if finished[index].graded.starved]:  # once more, alone
                finished[index] = one(items[index])
                watcher.done(finished[index])
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            engine.stop()
            raise
        finally:
            engine.rest()
    return [finished[index] for index in range(len(items))]


def _kept(item: Item, engine: Engine, results: Path) -> Done | None:
    """What was made of an item before, if it is still good."""
    old = read_result(result_path(results, item.assignment.name, item.students[0])) if item.students else None
    if old is None or not (old.outcome == "unreadable" or (old.outcome == "graded" and not item.again)):
        return None
    try:
        data = load(item.path)
    except SubmissionError:
        data = b""
    receipt = old.receipt
    told = {problem.message for problem in old.problems}
    unchanged = set(item.remarks) <= told and (receipt.submission, receipt.assignment, receipt.environment) == (
        digest(data),
        item.assignment.digest,
        environment_digest(not engine.missing),
    )
    return Done(item, grade.Graded(old), again=False) if unchanged else None


def _grade_one(item: Item, engine: Engine, results: Path | None, release: str, verdicts: Verdicts | None, write: bool, stopped: threading.Event) -> Done:
    try:
        data, problem = load(item.path), ""
    except SubmissionError as error:
        data, problem = b"", str(error)
    student = item.students[0] if item.students else ""
    target = result_path(results, item.assignment.name, student) if results and student else None
    old = read_result(target) if target else None
    info = SubmissionInfo(students=list(item.students), file=item.path.name)
    try:
        graded = grade.Graded(grade.unreadable(item.assignment, data, problem, info)) if problem else _grade_bytes(item, data, engine, info, verdicts, stopped)
    except Exception as error:  # one submission's trouble must not end the others'
        graded = grade.failed(item.assignment, data, error, info)
    if stopped.is_set():  # its processes were killed under it: that is no verdict
        raise WorkerError("interrupted")
    graded.result.release = release
    graded.result.problems = [*(Problem(message=remark) for remark in item.remarks), *graded.result.problems]
    if graded.result.outcome == "unreadable" and old is not None and old.outcome == "graded":
        before, graded = old.to_json(), _fall_back(old, graded)
        if graded.result.to_json() == before:
            return Done(item, graded, again=False)
    if target is not None and write:
        write_atomically(target, graded.result.to_json())
        if graded.notebook is not None or graded.result.outcome == "grader_error":  # else nothing was run, and what staff may see of an earlier run still holds
            write_atomically(target.with_suffix(".staff.json"), json.dumps(graded.staff, indent=1, ensure_ascii=False, default=str) + "\n")
    return Done(item, graded)


def _grade_bytes(item: Item, data: bytes, engine: Engine, info: SubmissionInfo, verdicts: Verdicts | None, stopped: threading.Event) -> grade.Graded:
    """Grade a file; where a process of the grader's own died under it, once more."""
    try:
        return grade.grade_bytes(item.assignment, data, item.path.name, engine, info, verdicts=verdicts)
    except WorkerError:
        if stopped.is_set():
            raise
        return grade.grade_bytes(item.assignment, data, item.path.name, engine, info, verdicts=verdicts)


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
