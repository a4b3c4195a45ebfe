"""What a whole course does in one go: prove and release its assignments, grade what was handed in, write marks and feedback."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from autogradient import batch, errors, exports, leaks, marks, penalties, release, visible
from autogradient.assignment import Assignment
from autogradient.batch import Done, Grader, Watcher
from autogradient.course import CONFIG, ROSTER, Course, checked_student
from autogradient.directives import nearest
from autogradient.errors import GradebookError, StaleError, SubmissionError
from autogradient.ledger import read as read_ledger
from autogradient.marks import Marked
from autogradient.prove import require_proof
from autogradient.result import Result, write_atomically
from autogradient.verdicts import Verdicts

#: Results by assignment and student: those of the attempts, oldest first.
Given = Mapping[str, Mapping[str, Sequence[Result]]]
#: Where in results/ verdicts are kept that need not be taken again.
VERDICTS = ".verdicts"
#: Bytes of the name of a student's file that are taken over into that of its result.
MAX_STEM = 150
#: Submissions that are written into the gradebook at once.
AT_ONCE = 25
#: Where in results/ it stands when penalties were last written into the gradebook, by the time of the file.
STAMP = ".penalties"


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

    A result whose receipt is unchanged, and that the gradebook's folder still has, is not graded again. Of several attempts all are graded, and the
    gradebook shows the one that counts by now. No result is kept in memory.
    """
    items, skipped = [], _stray(course)
    for item in batch.submissions(course.submitted, assignments):
        try:
            checked_student(item.students[0])
        except GradebookError as error:
            skipped.append(f"{errors.relative(item.path)}: {error}")
            continue
        shown = _autograded(course, item).exists() and (course.root / "gradebook.db").exists()
        items.append(replace(item, again=not shown and item.attempt is None))
    graded = Graded([_whose(item) for item in items], skipped=skipped)

    def run(items: list[batch.Item], recorder: _Recorder, watcher: Watcher | None) -> Iterator[Done]:
        verdicts = Verdicts(course.results / VERDICTS)
        with closing(batch.grade_each(items, grader, results=course.results, release=course.release, verdicts=verdicts, watcher=watcher)) as coming:
            try:
                for done in coming:
                    recorder.add(done)
                    yield done
            finally:  # after an interrupt, too, what was finished need not be graded again
                recorder.record()

    recorder = _Recorder(course, items)
    for done in run(items, recorder, watcher):
        graded.new += done.again
        graded.failed |= done.graded.result.outcome == "grader_error"
    if recorder.unseen:  # graded long ago, but it counts only now: its notebook is wanted once more
        for _ in run(recorder.unseen, _Recorder(course), None):
            pass
    bring_penalties(course, [assignment.name for assignment in assignments], anew=graded.new > 0)
    return graded


def bring_penalties(course: Course, names: list[str], *, anew: bool = True) -> None:
    """Write what late work costs into the gradebook. Without `anew`, nothing is done where nothing has changed since the last time."""
    database, stamp = course.root / "gradebook.db", course.results / STAMP
    if not database.exists() or not (course.policy.deadlines or penalties.any_set(database)):
        return
    known = [course.ledger, course.root / CONFIG, course.root / ROSTER, database, *course.results.glob("*/*.json"), *course.results.glob("*/attempts/*/*.json")]
    if not anew and _newest([stamp]) > _newest(known):
        return
    for name in names:
        penalties.write(course.gradebook_url, name, each_mark(course, [name]))
    write_atomically(stamp, "")


def rebuild_gradebook(course: Course) -> int:
    """Make nbgrader's gradebook anew from results and ledger alone; returns the number of submissions in it. Raises GradebookError, LedgerError."""
    from autogradient import gradebook

    gradebook.take_hand_marks(course.gradebook_url, course.ledger)
    ledger, sections = read_ledger(course.ledger), course.sections()
    releases, results = [], []
    for name in course.names():
        decisions = marks.Decisions(ledger, name)
        found = batch.read_results(course.results, name)
        results += [marks.counting(attempts, student, course.policy, decisions, sections.get(student, "")) for student, attempts in found.items()]
        assignment = course.assignment(name)
        releases.append((assignment, _released(assignment)))
    gradebook.rebuild(course.gradebook_url, releases, results, course.ledger)
    bring_penalties(course, course.names())
    return len(results)


def _released(assignment: Assignment) -> Any:
    """The student notebook as the gradebook wants it; None for nbgrader's and otter's formats."""
    from nbformat import from_dict

    return from_dict(release.load(release.build(assignment))) if assignment.format == "autogradient" else None


class _Recorder:
    """Brings gradebook and autograded/ up to date while grading goes on, some submissions at a time.

    Where a student's attempts are among `items`, the one that counts is shown, once all of them are graded; `unseen` are those that count, are not
    shown yet, and would have to be run again for that.
    """

    def __init__(self, course: Course, items: Iterable[batch.Item] = ()) -> None:
        self.course = course
        self.waiting: list[Done] = []
        self.known: set[str] = set()
        self.unseen: list[batch.Item] = []
        self.recorded: dict[str, set[str]] = {}
        self.left = Counter(_whose(item) for item in items if item.attempt is not None)
        self.attempts: dict[tuple[str, str], list[Done]] = {}
        self.chooser = _Chooser(course) if self.left else None

    def add(self, done: Done) -> None:
        """Write one, now or soon."""
        if self.chooser is not None and done.item.attempt is not None:
            self._attempt(done, self.chooser)
        elif done.again or (done.graded.result.outcome == "unreadable" and not self._recorded(done)):
            self.waiting.append(done)
        if len(self.waiting) >= AT_ONCE:
            self.record()

    def _recorded(self, done: Done) -> bool:
        """Whether a submission without a notebook to show is in the gradebook."""
        from autogradient import gradebook

        name = done.item.assignment.name
        if name not in self.recorded:
            self.recorded[name] = gradebook.recorded(self.course.gradebook_url, name)
        return done.item.students[0] in self.recorded[name]

    def _attempt(self, done: Done, chooser: _Chooser) -> None:
        whose = _whose(done.item)
        graded = self.attempts.setdefault(whose, [])
        graded.append(done)
        if len(graded) < self.left[whose]:
            return
        number = chooser.counts(*whose)
        for one in self.attempts.pop(whose):
            if one.item.attempt != number:
                continue
            if one.again:
                self.waiting.append(one)
            elif _shown(_autograded(self.course, one.item).parent) != number or not (self.course.root / "gradebook.db").exists():
                self.unseen.append(replace(one.item, again=True))

    def record(self) -> None:
        """Write what waits."""
        waiting, self.waiting = self.waiting, []
        for assignment in dict.fromkeys(done.item.assignment for done in waiting):
            record(self.course, assignment, [done for done in waiting if done.item.assignment is assignment], first=assignment.name not in self.known)
            self.known.add(assignment.name)


class _Chooser:
    """Says which of a student's attempts counts."""

    def __init__(self, course: Course) -> None:
        from autogradient.gradebook import take_hand_marks

        take_hand_marks(course.gradebook_url, course.ledger)
        self.course, self.sections, self.ledger = course, course.sections(), read_ledger(course.ledger)
        self.decisions: dict[str, marks.Decisions] = {}

    def counts(self, student: str, name: str) -> int | None:
        """The number of the attempt."""
        decisions = self.decisions.setdefault(name, marks.Decisions(self.ledger, name))
        attempts = batch.read_attempts(self.course.results, name, student)
        return marks.counting(attempts, student, self.course.policy, decisions, self.sections.get(student, "")).submission.attempt


def _whose(item: batch.Item) -> tuple[str, str]:
    return item.students[0], item.assignment.name


def _shown(folder: Path) -> int | None:
    """Which of several attempts a folder of autograded/ shows; None where there is but one submission, or nothing."""
    with suppress(FileNotFoundError, ValueError):
        return int((folder / "attempt.txt").read_text(encoding="ascii"))
    return None


def _stray(course: Course) -> list[str]:
    """A sentence for everything in submitted/ that no assignment of the course is meant by, and for folders without a notebook."""
    known = course.names()
    found = [path for path in sorted(course.submitted.glob("*/*")) if path.is_dir() or path.suffix == ".ipynb"]
    sentences = [errors.STRAY_SUBMISSION.format(path=errors.relative(path)) for path in found if path.name not in known and not path.name.startswith(".")]
    for place in (path for path in found if path.name in known and path.is_dir()):
        attempts = [path for _, path in batch.attempt_folders(place)]
        for path in attempts or [place]:
            try:
                batch.find_notebooks(path)
            except SubmissionError as error:
                sentences.append(str(error))
        if attempts and any(path.suffix == ".ipynb" for path in place.iterdir()):
            sentences.append(errors.BESIDE_ATTEMPTS.format(path=errors.relative(place)))
        before = course.results / place.name / "attempts" / place.parent.name
        if not attempts and any(before.glob("*.json")):
            sentences.append(errors.ATTEMPTS_BEFORE.format(path=errors.relative(place), results=errors.relative(before)))
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
        gradebook.record_assignment(course.gradebook_url, assignment, _released(assignment), course.ledger)
    rows = [(d.graded.result, None if d.graded.notebook is None else from_dict(d.graded.notebook)) for d in done]
    gradebook.record_results(course.gradebook_url, assignment, rows, course.ledger)
    shown = autograded.Autograded(course.root, assignment.name, course.gradebook_url)
    for (result, executed), graded in zip(rows, (d.graded for d in done), strict=True):
        if executed is not None:
            shown.write(result, executed, graded.answers)


def course_results(course: Course, submissions: Iterable[tuple[str, str]]) -> Iterator[Result]:
    """The results of some submissions (student, assignment), all attempts of each, as they were graded, one after the other."""
    for student, name in dict.fromkeys(submissions):
        yield from batch.read_attempts(course.results, name, student)


def all_results(course: Course, names: list[str], *, now: datetime | None = None) -> list[Marked]:
    """What each student gets for each assignment, by results, ledger and policy; `missing` for students on the roster who handed nothing in.

    With `now`, as students may see it at that time. Marks given in the formgrader are taken into the ledger first.
    """
    return list(each_mark(course, names, now=now))


def each_mark(course: Course, names: list[str], *, now: datetime | None = None, given: Given | None = None) -> Iterator[Marked]:
    """The same, one after the other. `given` are the attempts by assignment and student that stand for what lies in results/."""
    from autogradient.gradebook import take_hand_marks

    take_hand_marks(course.gradebook_url, course.ledger)
    ledger, sections = read_ledger(course.ledger), course.sections()
    for name in names:
        decisions = marks.Decisions(ledger, name)
        assignment: Assignment | None = None
        present = batch.students(course.results, name) if given is None else given.get(name, {})
        for student in dict.fromkeys([*present, *sections]):
            attempts = batch.read_attempts(course.results, name, student) if given is None else list(given.get(name, {}).get(student, ()))
            if not attempts and student in sections:
                assignment = assignment or course.assignment(name)
                attempts = [batch.missing(assignment, student)]
            for member in (attempts[0].submission.students or [student]) if attempts else ():
                yield marks.make(attempts, member, course.policy, decisions, sections.get(member, ""), now=now)


def _first(students: list[str]) -> str:
    """Some of them, and how many more."""
    return ", ".join(students[:3]) + (f" and {len(students) - 3} more" if len(students) > 3 else "")


def notices(course: Course, marked: Sequence[Marked]) -> list[str]:
    """What the reader of marks should know: whose time of receipt is not known, and what in the deadlines has no effect. A sentence each."""
    unknown: dict[str, list[str]] = {}
    for one in marked:
        if one.due is not None and one.outcome != "missing" and marks.received(one) is None:
            unknown.setdefault(one.assignment, []).append(one.student)
    found = []
    found += [errors.NO_TIME_OF_RECEIPT.format(assignment=name, students=_first(students)) for name, students in unknown.items()]
    for name in dict.fromkeys(one.assignment for one in marked if one.over):
        students = [f"{one.student} ({len(one.over)})" for one in marked if one.over and one.assignment == name]
        found.append(errors.OVER_A_DAY.format(assignment=name, count=course.policy.attempts_per_day, students=_first(students)))
    if course.policy.hidden_feedback == "after_deadline":
        names = dict.fromkeys(one.assignment for one in marked)
        found += [errors.HIDDEN_FOR_GOOD.format(assignment=name) for name in names if course.policy.last_due(name) is None]
    present = {section for section in course.sections().values() if section}
    for section in sorted({section for deadline in course.policy.deadlines.values() for section in deadline.sections} - present):
        found.append(errors.EMPTY_SECTION.format(section=section, nearest=nearest(section, present)))
    return found


def write_feedback(course: Course, names: list[str], *, now: datetime | None = None) -> tuple[list[Path], list[Path]]:
    """feedback/{student}/{assignment}/: a Markdown summary and an HTML page for each result. Returns the folders written and those up to date."""
    from autogradient.feedback import page

    now = now or datetime.now(UTC)
    written: list[Path] = []
    fresh: list[Path] = []
    for name in names:
        results = [result for result in all_results(course, [name], now=now) if result.outcome != "missing"]
        settings = [course.root / CONFIG, course.root / ROSTER]
        changed = _newest([course.ledger, *settings, *course.source(name).rglob("*"), *Path(page.__file__).parent.glob("*.py")])
        end = marks.end_of_silence(course.policy, marks.Decisions(read_ledger(course.ledger), name))
        if end is not None and end < now:  # from then on there is more to be shown
            changed = max(changed, int(end.timestamp() * 1e9))
        due: list[tuple[Path, Marked]] = []
        for result in results:
            student, first = result.student, result.team[0]
            folder = course.feedback / student / name
            shown = course.root / "autograded" / student / name
            attempts = (course.results / name / "attempts" / first).glob("*.json")
            done = _newest([folder / "feedback.html"])
            if done and done > max(changed, _newest([*shown.glob("*"), batch.result_path(course.results, name, first), *attempts])):
                fresh.append(folder)
                continue
            due.append((folder, result))
        if due:
            write = partial(_write_feedback, course, course.assignment(name))
            with ThreadPoolExecutor(batch.cpu_count()) as pool:  # each page is drawn in a process of its own
                written += pool.map(write, *zip(*due, strict=True))
    return written, fresh


def _write_feedback(course: Course, assignment: Assignment, folder: Path, result: Marked) -> Path:
    from autogradient.feedback import page, summary

    notebook = shown_notebook(course, assignment.name, result.student, result.submission.attempt) if result.outcome == "graded" else None
    html = page.html_page(result, notebook, assignment.title, assignment.files, assignment.headings)
    write_atomically(folder / "feedback.md", summary.markdown(result, assignment.title, assignment.headings))
    write_atomically(folder / "feedback.html", html)
    return folder


def _newest(paths: Iterable[Path]) -> int:
    """When the newest of some files was changed, in nanoseconds; 0 where there are none."""
    return max((path.stat().st_mtime_ns for path in paths if path.is_file()), default=0)


def shown_notebook(course: Course, name: str, student: str, attempt: int | None) -> dict[str, Any] | None:
    """The notebook in autograded/ as it ran; None where there is none, or another attempt is shown."""
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
        own = visible.line(item.item.path.stem).encode()[:MAX_STEM].decode("utf-8", "ignore")
        stem, number = own, 1
        while folder / f"{stem}.json" in paths:
            number += 1
            stem = f"{own}-{number}"
        write_atomically(folder / f"{stem}.json", item.graded.result.to_json())
        write_atomically(folder / f"{stem}.md", summary.markdown(item.graded.result, item.item.assignment.title, item.item.assignment.headings))
        paths.append(folder / f"{stem}.json")
    return paths
