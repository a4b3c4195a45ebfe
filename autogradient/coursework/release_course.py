"""Releases of a course: written, and checked to be up to date."""

from __future__ import annotations

from autogradient.course.config import Course
from autogradient.errors import ProofError, StaleError
from autogradient.model.assignment import Assignment
from autogradient.proving.proofs import require_proof
from autogradient.sources import leaks, release


def write_release(course: Course, assignment: Assignment, *, unproved: bool = False) -> bool:
    """Release one assignment: proved, without leaks, whole or not at all. Returns whether anything
    changed.

    Raises ProofError (unless `unproved`), LeakError.
    """
    built = release.build(assignment)
    leaks.check(assignment, built)
    if not unproved:
        require_proof(assignment)
    changed = release.write(built, course.released(assignment.name))
    # What nbgrader's Generate button copies: the release, never a source.
    return release.write(built, course.root / "generated" / "source" / assignment.name) or changed


def problems(course: Course, assignment: Assignment, *, unproved: bool = False) -> list[str]:
    """What keeps a release from being up to date, in words: a proof that does not hold (unless
    `unproved`), a folder that is stale. Raises LeakError.
    """
    found = []
    try:
        if not unproved:
            require_proof(assignment)
    except ProofError as error:
        found.append(str(error))
    try:
        check_release(course, assignment)
    except StaleError as error:
        found.append(str(error))
    return found


def check_release(course: Course, assignment: Assignment) -> None:
    """Raise StaleError where release/ is not what the source gives, LeakError where the source
    would leak.
    """
    built = release.build(assignment)
    leaks.check(assignment, built)
    difference = release.difference(built, course.released(assignment.name))
    if difference:
        raise StaleError(assignment.name, difference)
