"""Names of students' repositories: no two groups may share one, and none may be one of the course's
own.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable

from autogradient import errors
from autogradient.course.config import Course
from autogradient.errors import CourseError
from autogradient.github import messages
from autogradient.github.roster import Group
from autogradient.github.settings import Settings


def check_names(settings: Settings, groups: Iterable[Group], own: Iterable[str] = ()) -> None:
    """Raise CourseError where two groups would share a repository, or one would take one of the
    course's: those of the settings, and those called `own`.
    """
    prefix = f"{settings.organization}/".lower()
    shared = settings.shared[len(prefix) :] if settings.shared.lower().startswith(prefix) else ""
    reserved = {
        name.lower(): name
        for name in (settings.release, settings.course, settings.marks, shared, *own)
        if name
    }
    taken: dict[str, str] = {}
    for group in groups:
        name = settings.repository(group.name)
        if name.lower() in reserved:
            raise CourseError(
                messages.ENROL_TAKEN.format(
                    group=group.name,
                    repository=f"{settings.organization}/{name}",
                    what=reserved[name.lower()],
                )
            )
        if name.lower() in taken:
            raise CourseError(
                errors.SAME_REPOSITORY.format(
                    one=taken[name.lower()], other=group.name, repository=name
                )
            )
        taken[name.lower()] = group.name


def own_names(course: Course, settings: Settings) -> set[str]:
    """What the course's own repository is called in its organisation, as far as its remotes or a
    workflow say.
    """
    remotes = ["git", "-C", str(course.root), "config", "--get-regexp", r"^remote\..*\.url$"]
    try:
        said = subprocess.run(
            remotes, capture_output=True, text=True, timeout=30, check=False
        ).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        said = []
    places = [os.environ.get("GITHUB_REPOSITORY", ""), *said]
    found = (
        re.search(
            rf"(?:^|[/:]){re.escape(settings.organization)}/([\w.-]+?)(?:\.git)?/?$",
            place,
            re.IGNORECASE,
        )
        for place in places
    )
    return {match[1] for match in found if match}
