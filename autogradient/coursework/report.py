"""What a course has to show: marks, feedback pages, tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.course import marks
from autogradient.course.config import CONFIG, ROSTER, Course
from autogradient.course.ledger import read
from autogradient.course.marks import Marked
from autogradient.errors import nearest
from autogradient.grading import results_folder
from autogradient.model.assignment import Assignment
from autogradient.model.files import write_atomically
from autogradient.model.result import Result

#: Where in results/ it stands for which state of the gradebook hand marks have been taken.
TAKEN = ".hand-marks"
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
    take_hand_marks(course)
    ledger, sections = read(course.ledger), course.sections()
    for name in names:
        decisions = marks.Decisions(ledger, name, course.former(name))
        assignment: Assignment | None = None
        present = (
            results_folder.students(course.results, name) if given is None else given.get(name, {})
        )
        for student in dict.fromkeys([*present, *sections]):
            attempts = (
                results_folder.read_attempts(course.results, name, student)
                if given is None
                else list(given.get(name, {}).get(student, ()))
            )
            if not attempts and student in sections:
                assignment = assignment or course.assignment(name)
                attempts = [results_folder.missing(assignment, student)]
            for member in (attempts[0].submission.students or [student]) if attempts else ():
                yield marks.make(
                    attempts, member, course.policy, decisions, sections.get(member, ""), now=now
                )


def take_hand_marks(course: Course) -> None:
    """Have marks that were given in the formgrader in the ledger. Nothing is opened where the
    gradebook is as it was the last time. Raises GradebookError, LedgerError.
    """
    database, stamp = course.root / "gradebook.db", course.results / TAKEN
    if not database.is_file():
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


def notices(course: Course, marked: Sequence[Marked]) -> list[str]:
    """What the reader of marks should know: whose time of receipt is not known, and what in the
    deadlines has no effect. A sentence each.
    """
    unknown: dict[str, list[str]] = {}
    for one in marked:
        if one.due is not None and one.outcome != "missing" and marks.received(one) is None:
            unknown.setdefault(one.assignment, []).append(one.student)
    found = []
    found += [
        errors.NO_TIME_OF_RECEIPT.format(assignment=name, students=_first(students))
        for name, students in unknown.items()
    ]
    for name in dict.fromkeys(one.assignment for one in marked if one.over):
        students = [
            f"{one.student} ({len(one.over)})"
            for one in marked
            if one.over and one.assignment == name
        ]
        found.append(
            errors.OVER_A_DAY.format(
                assignment=name, count=course.policy.attempts_per_day, students=_first(students)
            )
        )
    if course.policy.hidden_feedback == "after_deadline":
        names = dict.fromkeys(one.assignment for one in marked)
        found += [
            errors.HIDDEN_FOR_GOOD.format(assignment=name)
            for name in names
            if course.policy.last_due(name) is None
        ]
    present = {section for section in course.sections().values() if section}
    for section in sorted(
        {section for deadline in course.policy.deadlines.values() for section in deadline.sections}
        - present
    ):
        found.append(
            errors.EMPTY_SECTION.format(section=section, nearest=nearest(section, present))
        )
    return found


def write_feedback(
    course: Course, names: list[str], *, now: datetime | None = None
) -> tuple[list[Path], list[Path]]:
    """feedback/{student}/{assignment}/: a Markdown summary and an HTML page for each result.
    Returns the folders written and those up to date.
    """
    from autogradient.feedback import page
    from autogradient.model.environment import cpu_count

    now = now or datetime.now(UTC)
    written: list[Path] = []
    fresh: list[Path] = []
    for name in names:
        results = [
            result for result in all_results(course, [name], now=now) if result.outcome != "missing"
        ]
        settings = [course.root / CONFIG, course.root / ROSTER]
        changed = _newest(
            [
                course.ledger,
                *settings,
                *course.source(name).rglob("*"),
                *Path(page.__file__).parent.glob("*.py"),
            ]
        )
        end = marks.end_of_silence(course.policy, marks.Decisions(read(course.ledger), name))
        if end is not None and end < now:  # from then on there is more to be shown
            changed = max(changed, int(end.timestamp() * 1e9))
        due: list[tuple[Path, Marked]] = []
        for result in results:
            student, first = result.student, result.team[0]
            folder = course.feedback / student / name
            shown = course.root / "autograded" / student / name
            attempts = (course.results / name / "attempts" / first).glob("*.json")
            done = _newest([folder / "feedback.html"])
            if done and done > max(
                changed,
                _newest(
                    [
                        *shown.glob("*"),
                        results_folder.result_path(course.results, name, first),
                        *attempts,
                    ]
                ),
            ):
                fresh.append(folder)
                continue
            due.append((folder, result))
        if due:
            write = partial(_write_feedback, course, course.assignment(name))
            # each page is drawn in a process of its own
            with ThreadPoolExecutor(cpu_count()) as pool:
                written += pool.map(write, *zip(*due, strict=True))
    return written, fresh


def _write_feedback(course: Course, assignment: Assignment, folder: Path, result: Marked) -> Path:
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
    return folder


def _newest(paths: Iterable[Path]) -> int:
    """When the newest of some files was changed, in nanoseconds; 0 where there are none."""
    return max((path.stat().st_mtime_ns for path in paths if path.is_file()), default=0)


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


def write_marks(course: Course, names: list[str], folder: Path) -> list[Path]:
    """marks.csv (a row a student) and parts.csv (a row a part). Returns the paths."""
    from autogradient.coursework import export_csv

    results = all_results(course, names)
    students = sorted({student for result in results for student in result.submission.students})
    paths = [folder / "marks.csv", folder / "parts.csv"]
    write_atomically(paths[0], export_csv.marks_csv(results, names, students))
    write_atomically(paths[1], export_csv.parts_csv(results, names, students))
    return paths
