"""What a whole course does in one go: prove and release its assignments, grade what was handed in,
write marks and feedback.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autogradient import errors, visible
from autogradient.course import marks
from autogradient.course.config import CONFIG, ROSTER, Course, checked_student
from autogradient.course.ledger import read
from autogradient.coursework import gradebook_file, gradebook_penalties
from autogradient.coursework import messages as coursework_messages
from autogradient.coursework.report import _shown, each_mark, take_hand_marks
from autogradient.coursework.stray_files import stray_files
from autogradient.errors import GradebookError, ResultError
from autogradient.grading import batch, find_submissions, results_folder
from autogradient.grading.batch import Done, Grader, Watcher
from autogradient.grading.verdict_cache import Verdicts
from autogradient.model.assignment import Assignment
from autogradient.model.files import digest_of, write_atomically
from autogradient.model.result import Result
from autogradient.proving import proofs
from autogradient.sources import release

#: Where in results/ verdicts are kept that need not be taken again.
VERDICTS = ".verdicts"
#: Bytes of the name of a student's file that are taken over into that of its result.
MAX_STEM = 150
#: Submissions that are written into the gradebook at once.
AT_ONCE = 25
#: Where in results/ it stands from what penalties were last written into the gradebook: a digest.
STAMP = ".penalties"
#: Where in results/ it stands what could not be written into the gradebook yet.
LATE = ".unrecorded"


@dataclass
class Graded:
    """What grading a course came to: which submissions (student, assignment), how many of them were
    graded now, what is to be said of files that were left out or damaged, and whether the grader
    failed.
    """

    submissions: list[tuple[str, str]] = field(default_factory=list)
    new: int = 0
    skipped: list[str] = field(default_factory=list)
    failed: bool = False


def grade_course(
    course: Course, assignments: list[Assignment], grader: Grader, *, watcher: Watcher | None = None
) -> Graded:
    """Grade everything in submitted/, then bring gradebook, autograded/ and results/ up to date.

    A result whose receipt is unchanged, and that the gradebook's folder still has, is not graded
    again. Of several attempts all are graded, and the gradebook shows the one that counts by now.
    No result is kept in memory.
    """
    items, skipped = list[find_submissions.Item](), stray_files(course)
    known, late = gradebook_file.recorded(course.gradebook), _unrecorded(course)
    proved = proofs.proved(assignments)
    for item in find_submissions.submissions(course.submitted, assignments, course.policy.zone):
        try:
            checked_student(item.students[0])
        except GradebookError as error:
            skipped.append(f"{errors.relative(item.path)}: {error}")
            continue
        mine = item.assignment.name, item.students[0]
        shown = mine not in late and _autograded(course, item).exists()
        shown = shown and (known is None or mine in known)
        items.append(replace(item, again=not shown and item.attempt is None))
    items, newer = without_newer(course, items)
    graded = Graded([_whose(item) for item in items], skipped=skipped + newer, failed=bool(newer))

    def run(
        items: list[find_submissions.Item], recorder: _Recorder, watcher: Watcher | None
    ) -> Iterator[Done]:
        options: dict[str, Any] = {
            "release": course.release,
            "proved": proved,
            "verdicts": verdicts,
        }
        with closing(
            batch.grade_each(items, grader, results=course.results, **options, watcher=watcher)
        ) as coming:
            try:
                for done in coming:
                    recorder.add(done)
                    yield done
            finally:  # after an interrupt, too, what was finished need not be graded again
                recorder.record()

    verdicts, troubles = Verdicts(course.results / VERDICTS), defaultdict[str, list[str]](list)
    recorder = _Recorder(course, items)
    for done in run(items, recorder, watcher):
        graded.new += done.again
        graded.failed |= done.graded.result.outcome == "grader_error"
        graded.skipped += [done.remark] if done.remark else []
        if done.trouble:
            troubles[done.trouble].append("/".join(_whose(done.item)))
    for problem, whose in troubles.items():
        graded.skipped.append(
            coursework_messages.NOT_GRADED.format(whose=", ".join(whose), problem=problem)
        )
    if verdicts.problem:
        place = errors.relative(verdicts.folder)
        graded.skipped.append(
            coursework_messages.NOT_KEPT.format(folder=place, problem=verdicts.problem)
        )
    if recorder.unseen:  # graded long ago, but it counts only now: its notebook is wanted once more
        for _ in run(recorder.unseen, _Recorder(course), None):
            pass
    if not recorder.problem:
        try:
            bring_penalties(course, [one.name for one in assignments], anew=graded.new > 0)
        except GradebookError as error:
            recorder.problem = str(error)
    if recorder.problem:
        graded.failed = True
        graded.skipped.append(coursework_messages.NOT_RECORDED_YET.format(problem=recorder.problem))
    return graded


def bring_penalties(course: Course, names: list[str], *, anew: bool = True) -> None:
    """Write what late work costs into the gradebook. Without `anew`, nothing is done where nothing
    has changed since the last time.
    """
    database, stamp = course.gradebook, course.results / STAMP
    if gradebook_file.is_empty(database) or not (
        course.policy.deadlines or gradebook_file.has_penalties(database)
    ):
        return

    def made_from() -> str:
        decided = [course.ledger, course.root / CONFIG, course.root / ROSTER, database]
        results = [
            path
            for name in names
            for pattern in ("*.json", "attempts/*/*.json")
            for path in sorted((course.results / name).glob(pattern))
            if not path.name.endswith(".staff.json")
        ]
        return digest_of(*decided, *results)

    if not anew and stamp.is_file() and stamp.read_text(encoding="ascii") == made_from():
        return
    for name in names:
        known = (one for one in each_mark(course, [name]) if not one.damaged)
        gradebook_penalties.write(course.gradebook_url, name, known)
    write_atomically(stamp, made_from())


def rebuild_gradebook(course: Course) -> tuple[int, list[str], list[str]]:
    """Make nbgrader's gradebook anew from results and ledger alone. Returns the number of
    submissions in it, a sentence for each result that cannot be read or is of no assignment of the
    course, and what became of the gradebook from before. Raises GradebookError, LedgerError.
    """
    from autogradient.coursework import gradebook

    ledger, sections = read(course.ledger), course.sections()
    releases, results, left = [], [], results_folder.stray(course.results, course.names())
    for name in course.names():
        decisions = marks.Decisions(ledger, name, course.former(name))
        for student in results_folder.students(course.results, name):
            rules = (student, course.policy, decisions, sections.get(student, ""))
            try:
                attempts = results_folder.read_attempts(course.results, name, student)
            except ResultError as error:
                left.append(str(error))
                continue
            results += [marks.counting(attempts, *rules)] if attempts else []
        assignment = course.assignment(name)
        releases.append((assignment, _released(assignment)))
    with gradebook_file.held(course.results):
        rebuilt = gradebook.rebuild(course.gradebook_url, releases, results, course.ledger)
        _note_unrecorded(course, set())
    bring_penalties(course, course.names())
    said = []
    if rebuilt.salvaged:
        said.append(coursework_messages.SALVAGED.format(count=rebuilt.salvaged))
    if rebuilt.kept:
        kept = errors.relative(rebuilt.kept)
        said.append(coursework_messages.KEPT_GRADEBOOK.format(file=kept))
    return len(results), left, said


def _released(assignment: Assignment) -> Any:
    """The student notebook as the gradebook wants it; None for nbgrader's and otter's formats."""
    from nbformat import from_dict

    return (
        from_dict(release.load(release.build(assignment)))
        if assignment.format == "autogradient"
        else None
    )


class _Recorder:
    """Brings gradebook and autograded/ up to date while grading goes on, some submissions at a
    time.

    Where a student's attempts are among `items`, the one that counts is shown, once all of them are
    graded; `unseen` are those that count, are not shown yet, and would have to be run again for
    that.
    """

    def __init__(self, course: Course, items: Iterable[find_submissions.Item] = ()) -> None:
        self.course = course
        self.waiting: list[Done] = []
        self.known: set[str] = set()
        self.unseen: list[find_submissions.Item] = []
        self.recorded: dict[str, set[str]] = {}
        self.left = Counter(_whose(item) for item in items if item.attempt is not None)
        self.attempts: dict[tuple[str, str], list[Done]] = {}
        self.chooser = _Chooser(course) if self.left else None
        #: Why the gradebook could not be written; after that nothing more is, in this run.
        self.problem = ""

    def add(self, done: Done) -> None:
        """Write one, now or soon."""
        if self.chooser is not None and done.item.attempt is not None:
            self._attempt(done, self.chooser)
        elif done.again or (
            done.graded.result.outcome == "unreadable" and not self._recorded(done)
        ):
            self.waiting.append(done)
        if len(self.waiting) >= AT_ONCE:
            self.record()

    def _recorded(self, done: Done) -> bool:
        """Whether a submission without a notebook to show is in the gradebook."""
        from autogradient.coursework import gradebook

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
            elif _shown(
                _autograded(self.course, one.item).parent
            ) != number or gradebook_file.is_empty(self.course.gradebook):
                self.unseen.append(replace(one.item, again=True))

    def record(self) -> None:
        """Write what waits; where the gradebook cannot be written, that goes into a list for the
        next run.
        """
        waiting, self.waiting = self.waiting, []
        for assignment in dict.fromkeys(done.item.assignment for done in waiting):
            mine = [done for done in waiting if done.item.assignment is assignment]
            whose = {(assignment.name, done.item.students[0]) for done in mine}
            first = assignment.name not in self.known
            try:
                if not self.problem:
                    with gradebook_file.held(self.course.results):
                        record(self.course, assignment, mine, first=first)
            except GradebookError as error:
                self.problem = str(error)
            if self.problem:
                _note_unrecorded(self.course, _unrecorded(self.course) | whose)
                continue
            self.known.add(assignment.name)
            _note_unrecorded(self.course, _unrecorded(self.course) - whose)


class _Chooser:
    """Says which of a student's attempts counts."""

    def __init__(self, course: Course) -> None:
        take_hand_marks(course)
        self.course, self.sections, self.ledger = course, course.sections(), read(course.ledger)
        self.decisions: dict[str, marks.Decisions] = {}

    def counts(self, student: str, name: str) -> int | None:
        """The number of the attempt; None where that cannot be known."""
        decisions = self.decisions.get(name) or self.decisions.setdefault(
            name, marks.Decisions(self.ledger, name, self.course.former(name))
        )
        try:
            attempts = results_folder.read_attempts(self.course.results, name, student)
        except ResultError:  # one of them is of a newer version
            return None
        return marks.counting(
            attempts, student, self.course.policy, decisions, self.sections.get(student, "")
        ).submission.attempt


def _unrecorded(course: Course) -> set[tuple[str, str]]:
    """What an earlier run could not write into the gradebook: assignments and students."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return {
            (name, student) for name, student in json.loads((course.results / LATE).read_bytes())
        }
    return set()


def _note_unrecorded(course: Course, whose: set[tuple[str, str]]) -> None:
    if whose != _unrecorded(course):
        write_atomically(course.results / LATE, json.dumps(sorted(whose)) + "\n")


def without_newer(
    course: Course, items: Iterable[find_submissions.Item]
) -> tuple[list[find_submissions.Item], list[str]]:
    """Submissions but for those whose results a newer version wrote, and a sentence for each of
    these.
    """
    kept, sentences = list[find_submissions.Item](), list[str]()
    for item in items:
        if sentence := results_folder.newer(result_of(course, item)):
            sentences.append(sentence)
        else:
            kept.append(item)
    return kept, sentences


def result_of(course: Course, item: find_submissions.Item) -> Path:
    """Where the result of a submission is kept."""
    return results_folder.result_path(
        course.results, item.assignment.name, item.students[0], item.attempt
    )


def _whose(item: find_submissions.Item) -> tuple[str, str]:
    return item.students[0], item.assignment.name


def _autograded(course: Course, item: find_submissions.Item) -> Path:
    name = item.assignment.name
    return course.root / "autograded" / item.students[0] / name / f"{name}.ipynb"


def record(
    course: Course, assignment: Assignment, done: Iterable[Done], *, first: bool = True
) -> None:
    """Write results that are new into nbgrader's gradebook, and the notebooks it shows into
    autograded/; `first` the assignment itself.
    """
    done = list(done)
    if not done:
        return
    from nbformat import from_dict

    from autogradient.coursework import autograded, gradebook

    if first:
        gradebook.record_assignment(
            course.gradebook_url, assignment, _released(assignment), course.ledger
        )
    rows = [
        (d.graded.result, None if d.graded.notebook is None else from_dict(d.graded.notebook))
        for d in done
    ]
    gradebook.record_results(course.gradebook_url, assignment, rows, course.ledger)
    shown = autograded.Autograded(course.root, assignment.name, course.gradebook_url)
    for (result, executed), graded in zip(rows, (d.graded for d in done), strict=True):
        if executed is not None:
            shown.write(result, executed, graded.answers, graded.essays)


def course_results(course: Course, submissions: Iterable[tuple[str, str]]) -> Iterator[Result]:
    """The results of some submissions (student, assignment), all attempts of each, as they were
    graded, one after the other.
    """
    for student, name in dict.fromkeys(submissions):
        yield from results_folder.read_attempts(course.results, name, student)


def grade_files(
    paths: list[Path],
    assignments: list[Assignment],
    grader: Grader,
    *,
    watcher: Watcher | None = None,
) -> list[Done]:
    """Grade single files or folders of them outside a course tree. Raises SubmissionError where a
    file belongs to no assignment.
    """
    items = [
        find_submissions.identify(path, assignments)
        for given in paths
        for path in find_submissions.find_notebooks(given)
    ]
    return batch.grade_all(
        items,
        grader,
        proved=proofs.proved({item.assignment.name: item.assignment for item in items}.values()),
        watcher=watcher,
    )


def save_results(done: Iterable[Done], folder: Path) -> list[Path]:
    """Write results that belong to no course: a JSON file, a staff file and a summary for each
    notebook, called like it.
    """
    from autogradient.feedback import summary

    paths = []
    for item in done:
        own = visible.line(item.item.path.stem).encode()[:MAX_STEM].decode("utf-8", "ignore")
        stem, number = own, 1
        while folder / f"{stem}.json" in paths:
            number += 1
            stem = f"{own}-{number}"
        write_atomically(folder / f"{stem}.json", item.graded.result.to_json())
        write_atomically(
            folder / f"{stem}.md",
            summary.markdown(
                item.graded.result, item.item.assignment.title, item.item.assignment.headings
            ),
        )
        paths.append(folder / f"{stem}.json")
    return paths
