"""What a course has to show: marks, feedback pages, tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from autogradient import feedback
from autogradient.course import marks
from autogradient.course.config import Course
from autogradient.course.ledger import read, torn
from autogradient.course.marks import Marked
from autogradient.coursework import messages
from autogradient.errors import GradebookError, ResultError, nearest
from autogradient.grading import results_folder
from autogradient.model.assignment import Assignment
from autogradient.model.files import digest, digest_of, write_atomically
from autogradient.model.result import Result

#: Where in results/ it stands for which state of the gradebook hand marks have been taken.
TAKEN = ".hand-marks"
#: The folder in results/ where it stands what feedback pages were made from.
PAGES = ".feedback"
#: Results by assignment and student: those of the attempts, oldest first.
Given = Mapping[str, Mapping[str, Sequence[Result]]]


def _shown(folder: Path) -> int | None:
    """Which of several attempts a folder of autograded/ shows; None where there is but one
    submission, or nothing.
    """
    with suppress(FileNotFoundError, ValueError):
        return int((folder / "attempt.txt").read_text(encoding="ascii"))
    return None


def all_results(course: Course, names: list[str], *, now: datetime | None = None) -> list[Marked]:
    """What each student gets for each assignment, by results, ledger and policy; `missing` for
    students on the roster who handed nothing in.

    With `now`, as students may see it at that time. Marks given in the formgrader are taken into
    the ledger first.
    """
    return list(each_mark(course, names, now=now))


def each_mark(
    course: Course, names: list[str], *, now: datetime | None = None, given: Given | None = None
) -> Iterator[Marked]:
    """The same, one after the other. `given` are the attempts by assignment and student that stand
    for what lies in results/.
    """
    try:
        take_hand_marks(course)
    except GradebookError as error:  # what is known without it is told all the same
        course.troubles.append(messages.NOT_TAKEN.format(problem=error))
    ledger, sections = read(course.ledger), course.sections()
    for name in names:
        decisions = marks.Decisions(ledger, name, course.former(name))
        assignment: Assignment | None = None
        present = (
            results_folder.students(course.results, name) if given is None else given.get(name, {})
        )
        for student in dict.fromkeys([*present, *sections]):
            damaged, attempts = "", list((given or {}).get(name, {}).get(student, ()))
            if given is None:
                try:
                    attempts = results_folder.read_attempts(course.results, name, student)
                except ResultError as error:
                    damaged = str(error)
            if not attempts and (damaged or student in sections):
                assignment = assignment or course.assignment(name)
                attempts = [results_folder.missing(assignment, student)]
            for member in (attempts[0].submission.students or [student]) if attempts else ():
                marked = marks.make(
                    attempts, member, course.policy, decisions, sections.get(member, ""), now=now
                )
                if damaged:
                    marked.outcome, marked.damaged = "missing", damaged
                yield marked


def take_hand_marks(course: Course) -> None:
    """Have marks that were given in the formgrader in the ledger. Nothing is opened where the
    gradebook is as it was the last time. Raises GradebookError, LedgerError.
    """
    database, stamp = course.gradebook, course.results / TAKEN
    if not database.is_file() or not database.stat().st_size:
        return
    # what is not in the file yet is in one beside it
    found = _state(database, *sorted(course.root.glob(f"{database.name}-*")))
    if stamp.is_file() and stamp.read_text(encoding="ascii") == f"{found} {_state(course.ledger)}":
        return
    from autogradient.coursework import gradebook  # which loads nbgrader, a second of its own

    gradebook.take_hand_marks(course.gradebook_url, course.ledger)
    # as it was before: what somebody enters meanwhile is looked at the next time
    write_atomically(stamp, f"{found} {_state(course.ledger)}")


def _state(*paths: Path) -> str:
    """What files are known by as they stand; those that are not there are passed over."""
    return " ".join(
        f"{state.st_mtime_ns}:{state.st_size}"
        for state in (path.stat() for path in paths if path.is_file())
    )


def _first(students: list[str]) -> str:
    """Some of them, and how many more."""
    return ", ".join(students[:3]) + (f" and {len(students) - 3} more" if len(students) > 3 else "")


def unknown_marks(course: Course, marked: Sequence[Marked]) -> list[str]:
    """A sentence for each result that is damaged, for each folder of results that are of no
    assignment of the course, for half a line of the ledger, and where marks of the formgrader could
    not be taken in.
    """
    damaged = dict.fromkeys(one.damaged for one in marked if one.damaged)
    broken = torn(course.ledger)
    stray = results_folder.stray(course.results, course.names())
    troubles = dict.fromkeys(course.troubles)
    return [*troubles, *damaged, *stray, *([broken] if broken else [])]


def notices(course: Course, marked: Sequence[Marked]) -> list[str]:
    """What the reader of marks should know: which results are damaged or of no assignment, whose
    time of receipt is not known, and what in the deadlines has no effect. A sentence each.
    """
    found = unknown_marks(course, marked)
    unknown: dict[str, list[str]] = {}
    for one in marked:
        if one.due is not None and one.outcome != "missing" and marks.received(one) is None:
            unknown.setdefault(one.assignment, []).append(one.student)
    found += [
        messages.NO_TIME_OF_RECEIPT.format(assignment=name, students=_first(students))
        for name, students in unknown.items()
    ]
    for name in dict.fromkeys(one.assignment for one in marked if one.over):
        students = [
            f"{one.student} ({len(one.over)})"
            for one in marked
            if one.over and one.assignment == name
        ]
        found.append(
            messages.OVER_A_DAY.format(
                assignment=name, count=course.policy.attempts_per_day, students=_first(students)
            )
        )
    if course.policy.hidden_feedback == "after_deadline":
        names = dict.fromkeys(one.assignment for one in marked)
        found += [
            messages.HIDDEN_FOR_GOOD.format(assignment=name)
            for name in names
            if course.policy.last_due(name) is None
        ]
    present = {section for section in course.sections().values() if section}
    for section in sorted(
        {section for deadline in course.policy.deadlines.values() for section in deadline.sections}
        - present
    ):
        found.append(
            messages.EMPTY_SECTION.format(section=section, nearest=nearest(section, present))
        )
    return found


class Feedback(NamedTuple):
    """Folders of feedback that were written, those that were up to date, and a sentence for each
    result that is damaged, of which there is none.
    """

    written: list[Path]
    fresh: list[Path]
    damaged: list[str]


def write_feedback(
    course: Course,
    names: list[str],
    *,
    now: datetime | None = None,
    step: Callable[[int, int], None] = lambda done, of: None,
) -> Feedback:
    """feedback/{student}/{assignment}/: a Markdown summary and an HTML page for each result. What
    was made from the same, and still stands as it was written, is not made again. `step` is told
    how many pages are there, of how many.
    """
    from autogradient.model.environment import cpu_count

    now = now or datetime.now(UTC)
    found = Feedback([], [], [])
    due: list[tuple[str, Path, Marked, str]] = []
    known = {name: _MadeFrom(course.results / PAGES / f"{name}.json") for name in names}
    code = digest_of(*sorted(Path(feedback.__file__).parent.glob("*.py")))
    for name in names:
        source = code + digest_of(*sorted(course.source(name).rglob("*")))
        for result in all_results(course, [name], now=now):
            folder = course.feedback / result.student / name
            if result.damaged:
                found.damaged.append(result.damaged)
            elif result.outcome != "missing":
                made_from = digest(f"{source} {result!r} {_shown_digest(course, result)}".encode())
                if known[name].has(folder, made_from):
                    found.fresh.append(folder)
                else:
                    due.append((name, folder, result, made_from))

    def write(one: tuple[str, Path, Marked, str]) -> Path:
        name, folder, result, made_from = one
        _write_feedback(course, assignments[name], folder, result)
        known[name].add(folder, made_from)
        return folder

    assignments = {name: course.assignment(name) for name in dict.fromkeys(one[0] for one in due)}
    step(len(found.fresh), len(found.fresh) + len(due))
    try:
        with ThreadPoolExecutor(cpu_count()) as pool:  # each page is drawn in a process of its own
            for folder in pool.map(write, due):
                found.written.append(folder)
                done = len(found.fresh) + len(found.written)
                step(done, len(found.fresh) + len(due))
    finally:  # what was written before an interrupt, too
        for pages in known.values():
            pages.write()
    return found


class _MadeFrom:
    """What the pages of an assignment were made from, and which they are: digests, by student."""

    def __init__(self, path: Path) -> None:
        self.path, self.changed = path, False
        try:
            found = json.loads(path.read_bytes())
        except (OSError, ValueError):
            found = None
        self.pages: dict[str, Any] = found if isinstance(found, dict) else {}

    def has(self, folder: Path, made_from: str) -> bool:
        """Whether the pages of a folder are there as they were written, and from this."""
        return self.pages.get(folder.parent.name) == [made_from, _pages_digest(folder)]

    def add(self, folder: Path, made_from: str) -> None:
        """Know of the pages of a folder, which were just written."""
        self.pages[folder.parent.name], self.changed = [made_from, _pages_digest(folder)], True

    def write(self) -> None:
        """Keep what is known."""
        if self.changed:
            write_atomically(self.path, json.dumps(self.pages, indent=1, sort_keys=True) + "\n")


def _pages_digest(folder: Path) -> str:
    return digest_of(folder / "feedback.md", folder / "feedback.html")


def _shown_digest(course: Course, result: Marked) -> str:
    """A digest of the notebook that is shown for a result."""
    folder = course.root / "autograded" / result.student / result.assignment
    return digest_of(folder / "attempt.txt", folder / f"{result.assignment}.ipynb")


def _write_feedback(course: Course, assignment: Assignment, folder: Path, result: Marked) -> None:
    from autogradient.feedback import page, summary

    notebook = (
        shown_notebook(course, assignment.name, result.student, result.submission.attempt)
        if result.outcome == "graded"
        else None
    )
    html = page.html_page(result, notebook, assignment.title, assignment.files, assignment.headings)
    write_atomically(
        folder / "feedback.md", summary.markdown(result, assignment.title, assignment.headings)
    )
    write_atomically(folder / "feedback.html", html)


def shown_notebook(
    course: Course, name: str, student: str, attempt: int | None
) -> dict[str, Any] | None:
    """The notebook in autograded/ as it ran; None where there is none, or another
    attempt is shown.
    """
    folder = course.root / "autograded" / student / name
    return _notebook(folder / f"{name}.ipynb") if _shown(folder) == attempt else None


def _notebook(path: Path) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return data
    except (FileNotFoundError, ValueError):
        return None


def write_marks(results: Sequence[Marked], names: list[str], folder: Path) -> list[Path]:
    """marks.csv (a row a student) and parts.csv (a row a part). Returns the paths."""
    from autogradient.coursework import export_csv

    students = sorted({student for result in results for student in result.submission.students})
    paths = [folder / "marks.csv", folder / "parts.csv"]
    write_atomically(paths[0], export_csv.marks_csv(results, names, students))
    write_atomically(paths[1], export_csv.parts_csv(results, names, students))
    return paths
