"""What a whole course does in one go: prove and release its assignments, grade what was handed in, write marks and feedback."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autogradient import batch, errors, exports, leaks, release
from autogradient.assignment import Assignment
from autogradient.batch import Done, Grader, Watcher
from autogradient.course import Course, checked_student
from autogradient.errors import GradebookError, StaleError, SubmissionError
from autogradient.ledger import apply_ledger
from autogradient.ledger import read as read_ledger
from autogradient.prove import require_proof
from autogradient.result import Result, write_atomically
from autogradient.verdicts import Verdicts

#: Where in results/ verdicts are kept that need not be taken again.
VERDICTS = ".verdicts"
#: Submissions that are written into the gradebook at once.
AT_ONCE = 25


def write_release(course: Course, assignment: Assignment, *, unproved: bool = False) -> bool:
    """Release one assignment: proved, without leaks, whole or not at all. Returns whether anything changed.

    Raises ProofError (unless `unproved`), LeakError.
    """
    built = release.build(assignment)
    leaks.check(assignment, built)
    if not unproved:
        require_proof(assignment)
    changed = release.write(built, course.released(assignment.name))
    # What nbgrader's Generate button copies: the release, never a source.
    return release.write(built, course.root / "generated" / "source" / assignment.name) or changed


def check_release(course: Course, assignment: Assignment) -> None:
    """Raise StaleError where release/ is not what the source gives, LeakError where the source would leak."""
    built = release.build(assignment)
    leaks.check(assignment, built)
    difference = release.difference(built, course.released(assignment.name))
    if difference:
        raise StaleError(assignment.name, difference)


@dataclass
class Graded:
    """What grading a course came to: which submissions (student, assignment), how many of them were graded now, which files belong to none, and whether the grader failed."""

    submissions: list[tuple[str, str]] = field(default_factory=list)
    new: int = 0
    skipped: list[str] = field(default_factory=list)
    failed: bool = False


def grade_course(course: Course, assignments: list[Assignment], grader: Grader, *, watcher: Watcher | None = None) -> Graded:
    """Grade everything in submitted/, then bring gradebook, autograded/ and results/ up to date.

    A result whose receipt is unchanged, and that the gradebook's folder still has, is not graded again. No result is kept in memory.
    """
    items, skipped = [], _stray(course)
    for item in batch.submissions(course.submitted, assignments):
        try:
            checked_student(item.students[0])
        except GradebookError as error:
            skipped.append(f"{errors.relative(item.path)}: {error}")
            continue
        shown = _autograded(course, item).exists() and (course.root / "gradebook.db").exists()
        items.append(replace(item, again=not shown))
    recorder, graded = _Recorder(course), Graded([(item.students[0], item.assignment.name) for item in items], skipped=skipped)
    verdicts = Verdicts(course.results / VERDICTS)
    with contextlib.closing(batch.grade_each(items, grader, results=course.results, release=course.release, verdicts=verdicts, watcher=watcher)) as coming:
        try:
            for done in coming:
                graded.new += done.again
                graded.failed |= done.graded.result.outcome == "grader_error"
                if done.again:
                    recorder.add(done)
        finally:  # after an interrupt, too, what was finished need not be graded again
            recorder.record()
    return graded


class _Recorder:
    """Brings gradebook and autograded/ up to date while grading goes on, some submissions at a time."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.waiting: list[Done] = []
        self.known: set[str] = set()

    def add(self, done: Done) -> None:
        """Write one, now or soon."""
        self.waiting.append(done)
        if len(self.waiting) >= AT_ONCE:
            self.record()

    def record(self) -> None:
        """Write what waits."""
        waiting, self.waiting = self.waiting, []
        for assignment in dict.fromkeys(done.item.assignment for done in waiting):
            record(self.course, assignment, [done for done in waiting if done.item.assignment is assignment], first=assignment.name not in self.known)
            self.known.add(assignment.name)


def _stray(course: Course) -> list[str]:
    """A sentence for everything in submitted/ that no assignment of the course is meant by, and for folders without a notebook."""
    known = course.names()
    found = [path for path in sorted(course.submitted.glob("*/*")) if path.is_dir() or path.suffix == ".ipynb"]
    sentences = [errors.STRAY_SUBMISSION.format(path=errors.relative(path)) for path in found if path.name not in known and not path.name.startswith(".")]
    for path in (path for path in found if path.name in known and path.is_dir()):
        try:
            batch.find_notebooks(path)
        except SubmissionError as error:
            sentences.append(str(error))
    return sentences


def _autograded(course: Course, item: batch.Item) -> Path:
    name = item.assignment.name
    return course.root / "autograded" / item.students[0] / name / f"{name}.ipynb"


def record(course: Course, assignment: Assignment, done: Iterable[Done], *, first: bool = True) -> None:
    """Write results that are new into nbgrader's gradebook, and the notebooks it shows into autograded/; `first` the assignment itself."""
    done = list(done)
    if not done:
        return
    from nbformat import from_dict

    from autogradient import autograded, gradebook

    if first:
        notebook = from_dict(release.load(release.build(assignment))) if assignment.format == "autogradient" else None
        gradebook.record_assignment(course.gradebook_url, assignment, notebook, course.ledger)
    rows = [(d.graded.result, None if d.graded.notebook is None else from_dict(d.graded.notebook)) for d in done]
    gradebook.record_results(course.gradebook_url, assignment, rows, course.ledger)
    shown = autograded.Autograded(course.root, assignment.name, course.gradebook_url)
    for (result, executed), graded in zip(rows, (d.graded for d in done), strict=True):
        if executed is not None:
            shown.write(result, executed, graded.answers)


def course_results(course: Course, submissions: Iterable[tuple[str, str]]) -> Iterator[Result]:
    """The results of some submissions (student, assignment), as they were graded, one after the other."""
    for student, name in submissions:
        result = batch.read_result(batch.result_path(course.results, name, student))
        if result is not None:
            yield result


def all_results(course: Course, names: list[str]) -> list[Result]:
    """Every result of the course with the ledger's decisions applied, and `missing` ones for students on the roster who handed nothing in."""
    from autogradient.gradebook import take_hand_marks

    take_hand_marks(course.gradebook_url, course.ledger)
    ledger = read_ledger(course.ledger)
    found = []
    for name in names:
        present = {path.stem: batch.read_result(path) for path in sorted((course.results / name).glob("*.json")) if not path.name.endswith(".staff.json")}
        found += [apply_ledger(result, ledger) for result in present.values() if result is not None]
        absent = [student for student in course.roster() if student not in present]
        if absent:
            assignment = course.assignment(name)
            found += [batch.missing(assignment, student) for student in absent]
    return found


def write_feedback(course: Course, names: list[str]) -> tuple[list[Path], list[Path]]:
    """feedback/{student}/{assignment}/: a Markdown summary and an HTML page for each result. Returns the folders written and those up to date."""
    from nbformat import from_dict

    from autogradient.feedback import page, summary

    written: list[Path] = []
    fresh: list[Path] = []
    for name in names:
        results = [result for result in all_results(course, [name]) if result.outcome != "missing"]
        changed = _newest([course.ledger, *course.source(name).rglob("*"), *Path(page.__file__).parent.glob("*.py")])
        assignment: Assignment | None = None
        for result, student in ((each, student) for each in results for student in each.submission.students):
            folder = course.feedback / student / name
            executed = course.root / "autograded" / student / name / f"{name}.ipynb"
            done = _newest([folder / "feedback.html"])
            if done and done > max(changed, _newest([executed, batch.result_path(course.results, name, result.student)])):
                fresh.append(folder)
                continue
            assignment = assignment or course.assignment(name)
            notebook = _notebook(executed) if result.outcome == "graded" else None
            html = page.html_page(result, None if notebook is None else from_dict(notebook), assignment.title, assignment.files, assignment.headings)
            write_atomically(folder / "feedback.md", summary.markdown(result, assignment.title, assignment.headings))
            write_atomically(folder / "feedback.html", html)
            written.append(folder)
    return written, fresh


def _newest(paths: Iterable[Path]) -> int:
    """When the newest of some files was changed, in nanoseconds; 0 where there are none."""
    return max((path.stat().st_mtime_ns for path in paths if path.is_file()), default=0)


def _notebook(path: Path) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return data
    except (FileNotFoundError, ValueError):
        return None


def write_marks(course: Course, names: list[str], folder: Path) -> list[Path]:
    """marks.csv (a row a student) and parts.csv (a row a part). Returns the paths."""
    results = all_results(course, names)
    students = sorted({student for result in results for student in result.submission.students})
    paths = [folder / "marks.csv", folder / "parts.csv"]
    write_atomically(paths[0], exports.marks_csv(results, names, students))
    write_atomically(paths[1], exports.parts_csv(results, names, students))
    return paths


def grade_files(paths: list[Path], assignments: list[Assignment], grader: Grader, *, watcher: Watcher | None = None) -> list[Done]:
    """Grade single files or folders of them outside a course tree. Raises SubmissionError where a file belongs to no assignment."""
    items = [batch.identify(path, assignments) for given in paths for path in batch.find_notebooks(given)]
    return batch.grade_all(items, grader, watcher=watcher)


def save_results(done: Iterable[Done], folder: Path) -> list[Path]:
    """Write results that belong to no course: a JSON file, a staff file and a summary for each notebook, called like it."""
    from autogradient.feedback import summary

    paths = []
    for item in done:
        stem = item.item.path.stem
        number = 1
        while folder / f"{stem}.json" in paths:
            number += 1
            stem = f"{item.item.path.stem}-{number}"
        write_atomically(folder / f"{stem}.json", item.graded.result.to_json())
        write_atomically(folder / f"{stem}.md", summary.markdown(item.graded.result, item.item.assignment.title, item.item.assignment.headings))
        paths.append(folder / f"{stem}.json")
    return paths
