"""What lies in submitted/ and is no submission: a sentence for each file and folder, so that
nothing that was handed in is passed over in silence.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path

from autogradient import errors
from autogradient.course.config import Course
from autogradient.coursework import messages as coursework_messages
from autogradient.errors import SubmissionError
from autogradient.grading import find_submissions, messages
from autogradient.grading.archives import left_out
from autogradient.grading.file_kinds import NOTEBOOK, is_ignored


def stray_files(course: Course) -> list[str]:
    """A sentence for everything in submitted/ that no assignment or student of the course is meant
    by, and for what is no notebook.
    """
    known, zone = course.names(), course.policy.zone
    students = find_submissions.student_folders(course.submitted)
    sentences = _no_students(course, students)
    found = [
        path
        for student in students.values()
        for path in sorted(student.iterdir())
        if not is_ignored(path.name)
    ]
    sentences += [
        coursework_messages.STRAY_SUBMISSION.format(path=errors.relative(path))
        for path in found
        if path.name not in known
    ]
    for place in (path for path in found if path.name in known):
        if not place.is_dir():
            sentences.append(
                coursework_messages.STRAY_SUBMISSION.format(path=errors.relative(place))
            )
            continue
        attempts = [path for _, path in find_submissions.attempt_folders(place)]
        for path in attempts or [place]:
            sentences += _of_one(path, place.parent, zone)
        if attempts and any(path.suffix.lower() == NOTEBOOK for path in place.iterdir()):
            sentences.append(
                coursework_messages.BESIDE_ATTEMPTS.format(path=errors.relative(place))
            )
        before = course.results / place.name / "attempts" / place.parent.name
        if not attempts and any(before.glob("*.json")):
            sentences.append(
                coursework_messages.ATTEMPTS_BEFORE.format(
                    path=errors.relative(place), results=errors.relative(before)
                )
            )
    return sentences


def _no_students(course: Course, students: Mapping[str, Path]) -> list[str]:
    """A sentence for each file and link where students' folders lie, and for each folder that is
    another one's again.
    """
    sentences = []
    for path in sorted(course.submitted.glob("*")):
        own = students.get(unicodedata.normalize("NFC", path.name))
        if is_ignored(path.name) or path.name == find_submissions.LEFT_OUT_FILE or path == own:
            continue
        if path.is_symlink():
            sentences.append(
                messages.LEFT_OUT.format(path=errors.relative(path), reason=messages.LEFT_LINK)
            )
        elif own is not None:
            sentences.append(
                messages.LEFT_OUT.format(
                    path=errors.relative(path),
                    reason=messages.LEFT_ANOTHERS_NAME.format(other=errors.relative(own)),
                )
            )
        else:
            sentences.append(messages.STRAY_FILE.format(path=errors.relative(path)))
    return sentences


def _of_one(folder: Path, student: Path, zone: tzinfo | None) -> list[str]:
    """What is to be said about the folder of one submission."""
    if not folder.resolve().is_relative_to(student.resolve()):
        return [messages.LEFT_OUT.format(path=errors.relative(folder), reason=messages.LEFT_LINK)]
    time = find_submissions.unread_time(folder, zone)
    sentences = [time] if time else []
    try:
        find_submissions.find_notebooks(folder)
    except SubmissionError as error:
        left = find_submissions.left_out(folder)
        sentences += (
            left_out([(errors.relative(path), reason) for path, reason in left])[0]
            if left
            else [str(error)]
        )
    return sentences
