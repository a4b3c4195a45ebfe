"""A class spread over several machines that share nothing: which of them grades what, and their
results brought together.

Each machine has the whole course, what was handed in and the results so far; so each finds out for
itself what is its share, and all find the same.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.course.config import Course, checked_student
from autogradient.coursework import messages
from autogradient.coursework.grade_course import VERDICTS, Graded, result_of, without_newer
from autogradient.errors import CourseError, GradebookError, ResultError
from autogradient.grading import batch, find_submissions, results_folder
from autogradient.grading.batch import Grader, Watcher
from autogradient.grading.find_submissions import Item
from autogradient.grading.verdict_cache import Verdicts
from autogradient.model.assignment import Assignment
from autogradient.model.files import write_atomically
from autogradient.model.result import Result, merged
from autogradient.proving import proofs

#: Submissions that are worth a machine of their own.
WORTH = 10
#: Submissions that one machine is given at most, so that it is done before its time is up; and
#: machines that a workflow may start in one run.
LARGEST, MOST_JOBS = 2_000, 256
#: Bytes of a result that is read.
MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class Shard:
    """The share of one of several machines: number `number` of `of`, from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """As it is written: 2/8. Raises CourseError."""
        found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
        if not found or int(found[1]) > int(found[2]):
            raise CourseError(messages.BAD_SHARD.format(text=text))
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True)
class _Machine:
    """One that grades sealed, in this environment; as far as it matters to what is up to date."""

    has_card: bool
    card: bool | None
    sealed: bool = True
    slots: int = 1


def outdated(course: Course, assignments: list[Assignment], card: bool | None) -> list[Item]:
    """What is to be graded, in order: what needs a card (`card` true) where anything of it does, or
    what needs none (false), or everything (None).
    """
    machine: Any = _Machine(has_card=bool(card), card=card)
    concerned = [a for a in assignments if not card or any(a.needs_card(part) for part in a.parts)]
    return list(batch.outdated(_submissions(course, concerned), machine, course.results))


def _submissions(course: Course, assignments: list[Assignment]) -> Iterator[Item]:
    for item in find_submissions.submissions(course.submitted, assignments, course.policy.zone):
        try:
            checked_student(item.students[0])
        except GradebookError:  # grade --all says so
            continue
        yield item


def plan(
    course: Course,
    assignments: list[Assignment],
    most: int,
    card: bool | None = None,
    *,
    left: Callable[[int], None] = lambda _: None,
) -> dict[str, list[str]]:
    """The shards that are worth starting, at most so many on machines of a kind: {"cpu": ["1/2",
    "2/2"], "card": []}.

    With `card`, only those on machines with a card (true) or without (false); the other list is
    empty then. Both lists together are no longer than a workflow may have machines, those without a
    card first. What is too much for them waits for the next run: `left` hears how many submissions
    that are.
    """
    found: dict[str, list[str]] = {}
    waiting, free = 0, MOST_JOBS
    for kind, has_card in (("cpu", False), ("card", True)):
        count = len(outdated(course, assignments, has_card)) if card in (None, has_card) else 0
        places = min(most, free)
        of = max(min(places, -(-count // WORTH)), -(-count // LARGEST))
        started = min(of, places)
        found[kind] = [f"{number}/{of}" for number in range(1, started + 1)]
        waiting += sum(len(range(number, count, of)) for number in range(started, of))
        free -= started
    if waiting:
        left(waiting)
    return found


def grade_shard(
    course: Course,
    assignments: list[Assignment],
    grader: Grader,
    shard: Shard,
    out: Path,
    *,
    watcher: Watcher | None = None,
) -> Graded:
    """Grade a machine's share; results, also of a submission's other attempts, and staff files go
    to `out`, laid out as results/. Nothing else is written.
    """
    share = outdated(course, assignments, grader.card)[shard.number - 1 :: shard.of]
    items, said = without_newer(course, share)
    whose = [(item.students[0], item.assignment.name) for item in items]
    graded = Graded(whose, skipped=said, failed=bool(said))
    verdicts = Verdicts(course.results / VERDICTS)
    known: dict[str, Any] = {
        "release": course.release,
        "proved": proofs.proved(assignments),
        "verdicts": verdicts,
    }
    with closing(
        batch.grade_each(items, grader, results=course.results, **known, watcher=watcher)
    ) as coming:
        for done in coming:
            graded.new += done.again
            graded.failed |= done.graded.result.outcome == "grader_error"
            item = done.item
            path = result_of(course, item)
            for written in (path, path.with_suffix(".staff.json")):
                target = out / written.relative_to(course.results)
                target.parent.mkdir(parents=True, exist_ok=True)
                if written.exists():
                    shutil.copyfile(written, target)
    return graded


def merge(course: Course, folders: list[Path]) -> tuple[int, list[str]]:
    """Bring what other machines graded into results/; returns how many results changed, and a
    sentence for each file that was refused.

    Two results of one submission, from a machine with a card and from one without, become one,
    whichever comes first. What is no result, or of a student, an assignment or an attempt that its
    path does not say, is refused.
    """
    changed, refused = 0, []
    for folder in folders:
        for path in sorted(folder.rglob("*.json")):
            if path.name.endswith(".staff.json"):
                continue
            try:
                changed += _merge(course, folder, path)
            except (ValueError, OSError, GradebookError, ResultError) as error:
                refused.append(
                    messages.NOT_MERGED.format(
                        file=errors.relative(path), problem=str(error).split("\n")[0]
                    )
                )
    return changed, refused


def _merge(course: Course, folder: Path, path: Path) -> bool:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise ValueError(messages.NO_PLAIN_RESULT)
    result = Result.from_json(path.read_bytes())
    student = checked_student(result.student)
    if result.assignment not in course.names() or path.relative_to(
        folder
    ) != results_folder.result_path(Path(), result.assignment, student, result.submission.attempt):
        raise ValueError(messages.ANOTHERS_RESULT)
    target = results_folder.result_path(
        course.results, result.assignment, student, result.submission.attempt
    )
    try:
        old = results_folder.read_result(target)
    except ResultError as error:
        if not error.problem:  # of a newer version
            raise
        results_folder.set_aside(target)
        old = None
    same = old is not None and old.receipt.work == result.receipt.work
    late = old is not None and old.graded_at > result.graded_at
    if late and not same:
        return False  # of an earlier submission, by a machine that was slow
    new = result
    if same and old:
        new = merged(old, result) if late else merged(result, old)
    if old is not None and (
        said(new) == said(old) or (same and old.outcome == new.outcome == "unreadable")
    ):
        return False
    write_atomically(target, new.to_json())
    staff, mine = (place.with_suffix(".staff.json") for place in (path, target))
    if staff.is_file() and not staff.is_symlink() and staff.stat().st_size <= MAX_BYTES:
        write_atomically(
            mine,
            _staff(mine, staff)
            if late and mine.is_file()
            else _staff(staff, mine if same else None),
        )
    return True


def said(result: Result) -> dict[str, Any]:
    """What a result says, however its halves came together."""
    data = result.model_dump(mode="json", exclude={"graded_at"})
    return data | {"problems": sorted(data["problems"], key=json.dumps)}


def _staff(new: Path, old: Path | None) -> str:
    before = json.loads(old.read_text(encoding="utf-8")) if old and old.is_file() else {}
    return (
        json.dumps(
            before | json.loads(new.read_text(encoding="utf-8")), indent=1, ensure_ascii=False
        )
        + "\n"
    )
