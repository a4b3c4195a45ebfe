"""Deciding by hand: each function checks what is asked for, writes it into the ledger and says
whose points change.

Marks that wait in the formgrader are taken in first, so that the ledger has everything in the order
in which it was decided.
"""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from autogradient.course import ledger, marks
from autogradient.course.config import Course
from autogradient.course.ledger import Adjustment, Excuse, Extension, Mark, Void
from autogradient.coursework import grade_course, gradebook_file, messages, report
from autogradient.errors import CourseError, GradebookError, ResultError, nearest
from autogradient.feedback import decided
from autogradient.feedback.table import points as as_points
from autogradient.grading import find_submissions, results_folder
from autogradient.model.assignment import Assignment, Part
from autogradient.model.points import points_of, show_points

Entry = Mark | Adjustment | Void | Excuse | Extension


def adjust(
    course: Course, student: str, name: str, part: str, points: str, *, who: str, why: str
) -> list[str]:
    """Add points to a part of a student's submission (the whole where `part` is ""), or take them
    off. Raises CourseError, LedgerError.
    """
    assignment = course.assignment(name)
    where = part_of(assignment, part).id if part else ""
    entry = Adjustment(
        student=known(course, student),
        assignment=name,
        part=where,
        points=signed(points),
        who=who,
        why=why,
    )
    said = write(course, name, [entry])
    one = next((one for one in report.all_results(course, [name]) if one.student == student), None)
    if (
        one is not None
        and entry.points < 0
        and (
            lost := marks.without_effect(
                one, where, marks.Decisions(ledger.read(course.ledger), name, assignment.former)
            )
        )
    ):
        said.append(
            messages.BELOW_ZERO.format(student=student, what=where or name, lost=show_points(lost))
        )
    return said


def void(course: Course, name: str, part: str, mode: str, *, who: str, why: str) -> list[str]:
    """Give everybody full credit for a part ("full"), let it not count ("drop"), or take that back
    ("undo"). Raises CourseError, LedgerError.
    """
    where = part_of(course.assignment(name), part).id
    return write(
        course,
        name,
        [
            Void.model_validate(
                {"assignment": name, "part": where, "mode": mode, "who": who, "why": why}
            )
        ],
    )


def excuse(
    course: Course, student: str, name: str, *, who: str, why: str, undo: bool = False
) -> list[str]:
    """A student need not hand in an assignment, or has to after all. Raises CourseError,
    LedgerError.
    """
    course.source(name)
    return write(
        course,
        name,
        [Excuse(student=known(course, student), assignment=name, who=who, why=why, undo=undo)],
    )


def extend(course: Course, student: str, name: str, until: str, *, who: str, why: str) -> list[str]:
    """A student may hand in until a later moment; "" takes that back. Raises CourseError,
    LedgerError.
    """
    course.source(name)
    moment = course.policy.moment(until) if until else None
    entry = Extension(
        student=known(course, student), assignment=name, until=moment, who=who, why=why
    )
    due = course.policy.due(name, course.sections().get(entry.student, ""))
    if due is not None and moment is not None and moment <= due:
        raise CourseError(
            messages.EXTENSION_TOO_EARLY.format(
                until=decided.moment(moment),
                due=decided.moment(due),
                student=student,
                assignment=name,
            )
        )
    said = write(course, name, [entry])
    return (
        said
        if due is not None
        else [*said, messages.EXTENSION_WITHOUT_DEADLINE.format(assignment=name)]
    )


def mark(
    course: Course,
    student: str,
    name: str,
    part: str,
    points: str = "",
    items: Mapping[str, str] | None = None,
    *,
    comment: str = "",
    who: str,
    why: str,
) -> list[str]:
    """Mark a part (or cell) of a student's submission: by points, by the items of its rubric, or
    with a comment alone. Raises CourseError, LedgerError.
    """
    assignment = course.assignment(name)
    entry = mark_entry(
        assignment,
        known(course, student),
        part,
        points,
        items or {},
        comment=comment,
        who=who,
        why=why,
    )
    return write(course, name, [entry])


def unmark(course: Course, student: str, name: str, part: str, *, who: str, why: str) -> list[str]:
    """Take a hand mark back: the automatic points count again, an essay waits again. Raises
    CourseError, LedgerError.
    """
    where, _, _ = _cell(course.assignment(name), part)
    return write(
        course,
        name,
        [Mark(student=known(course, student), assignment=name, part=where, who=who, why=why)],
    )


def mark_entry(
    assignment: Assignment,
    student: str,
    part: str,
    points: str,
    items: Mapping[str, str],
    *,
    comment: str = "",
    who: str,
    why: str,
) -> Mark:
    """The ledger's entry for a mark, its points within what part and rubric allow. Raises
    CourseError.
    """
    where, most, found = _cell(assignment, part)
    given: dict[str, Decimal] = {}
    total: Decimal | None = None
    if items:
        if points:
            raise CourseError(messages.POINTS_AND_ITEMS)
        rubric = {item.name: item.points for item in found.rubric}
        if not rubric:
            raise CourseError(messages.PART_WITHOUT_RUBRIC.format(part=part))
        for item, text in items.items():
            if item not in rubric:
                raise CourseError(
                    messages.UNKNOWN_ITEM.format(
                        item=item, part=part, known=", ".join(rubric), nearest=nearest(item, rubric)
                    )
                )
            given[item] = within(text, rubric[item], f"{part}: {item}")
        if missing := [item for item in rubric if item not in given]:
            raise CourseError(messages.ITEMS_MISSING.format(part=part, items=", ".join(missing)))
        total = sum(given.values(), Decimal(0))
    elif points:
        if most is None:
            raise CourseError(messages.NO_POINTS_HERE.format(part=part))
        total = within(points, most, part)
    elif not comment:
        raise CourseError(messages.NOTHING_TO_MARK.format(part=part))
    return Mark(
        student=student,
        assignment=assignment.name,
        part=where,
        points=total,
        items=given,
        comment=comment or None,
        who=who,
        why=why,
    )


def within(text: str, most: Fraction, what: str) -> Decimal:
    """A number of points from 0 to `most`, as typed (2, 1.5, 1,5). Raises CourseError."""
    points = points_of(text.strip().replace(",", "."))
    if points is None or points > most:
        raise CourseError(
            messages.POINTS_OUT_OF_RANGE.format(
                points=text.strip(), what=what, most=show_points(most)
            )
        )
    return Decimal(text.strip().replace(",", "."))


def signed(text: str) -> Decimal:
    """Points to be added or taken off, as typed: 1, +0.5, -2. Raises CourseError."""
    plain = text.strip().replace("−", "-").replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,6}(\.\d{1,2})?", plain) or not Decimal(plain):
        raise CourseError(messages.BAD_CHANGE.format(points=text))
    return Decimal(plain)


def default_who(course: Course) -> str:
    """Who decides, where nobody says: AUTOGRADIENT_WHO, git's user, or the name one is logged in
    by; at last the number that stands for it.
    """
    if name := os.environ.get("AUTOGRADIENT_WHO", "").strip():
        return name
    try:
        done = subprocess.run(
            ["git", "config", "user.name"],
            cwd=course.root,
            capture_output=True,
            text=True,
            timeout=10,
        )
        name = done.stdout.strip() if done.returncode == 0 else ""
    except (OSError, subprocess.SubprocessError):
        name = ""
    if name:
        return name
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # nobody in the list of users has this number
        return f"user {os.getuid()}"


def students(course: Course) -> list[str]:
    """Everybody that the course knows: on the roster, with a submission or with a result."""
    folders = list(find_submissions.student_folders(course.submitted))
    graded = [
        student
        for name in course.names()
        for student in results_folder.students(course.results, name)
    ]
    return sorted({*course.roster(), *folders, *graded})


def known(course: Course, student: str) -> str:
    """`student`, as the roster writes the id, if the course knows them. Raises CourseError."""
    student = unicodedata.normalize("NFC", student)
    everybody = students(course)
    if student not in everybody:
        raise CourseError(
            messages.UNKNOWN_STUDENT.format(student=student, nearest=nearest(student, everybody))
        )
    return student


def part_of(assignment: Assignment, name: str) -> Part:
    """The part called `name`. Raises CourseError."""
    parts = {part.id: part for part in assignment.parts}
    if name not in parts:
        now = assignment.former.get((assignment.name, re.sub("-(hidden|answer)$", "", name)))
        hint = messages.CALLED_NOW.format(name=now) if now in parts else nearest(name, parts)
        raise CourseError(
            messages.NO_SUCH_PART.format(part=name, assignment=assignment.name, nearest=hint)
        )
    return parts[name]


def _cell(assignment: Assignment, name: str) -> tuple[str, Fraction | None, Part]:
    """The part or cell that a mark can stand for, the most points there (None where it takes
    comments only), and the part. Raises CourseError.
    """
    parts = {part.id: part for part in assignment.parts}
    stem, _, suffix = name.rpartition("-")
    if (
        name not in parts
        and stem in parts
        and (suffix == "answer" or (suffix == "hidden" and parts[stem].hidden_points))
    ):
        part = parts[stem]
        return (
            name,
            part.hidden_points if suffix == "hidden" else part.points if part.by_hand else None,
            part,
        )
    part = part_of(assignment, name)
    return name, part.points if part.by_hand else part.visible_points or part.points, part


def write(course: Course, name: str, entries: Sequence[Entry]) -> list[str]:
    """Write decisions on one assignment into the ledger, bring the gradebook up to date, and say
    whose points change.
    """
    before = {one.student: one for one in report.all_results(course, [name])}
    ledger.append(course.ledger, *entries)
    said = []
    try:
        _show(course, name, {entry.student for entry in entries if isinstance(entry, Mark)})
        grade_course.bring_penalties(course, [name])
    except (GradebookError, ResultError) as error:
        said.append(messages.IN_THE_LEDGER_ONLY.format(problem=error))
    after = report.all_results(course, [name])
    changed = [
        f"{one.student}: {name}: {_said(before.get(one.student))} → {_said(one)}"
        for one in after
        if _said(before.get(one.student)) != _said(one)
    ]
    return [*(changed or [messages.NO_CHANGE]), *said]


def _said(one: marks.Marked | None) -> str:
    if one is None:
        return "–"
    waits = (
        f", {show_points(one.points.ungraded)} wait"
        if one.points.ungraded and not one.counts_for_nothing
        else ""
    )
    return as_points(one) + waits


def _show(course: Course, name: str, whose: Iterable[str]) -> None:
    """Write the newest hand marks of some students into the gradebook, where they are in it
    already.
    """
    from autogradient.coursework import gradebook

    if not whose or gradebook_file.is_empty(course.gradebook):
        return
    entries, sections = (
        marks.Decisions(ledger.read(course.ledger), name, course.former(name)),
        course.sections(),
    )
    rows = []
    for student in sorted(whose):
        attempts = results_folder.read_attempts(course.results, name, student)
        if attempts:
            result = marks.counting(
                attempts, student, course.policy, entries, sections.get(student, "")
            )
            rows.append(
                (result, report.shown_notebook(course, name, student, result.submission.attempt))
            )
    gradebook.record_results(course.gradebook_url, course.assignment(name), rows, course.ledger)
