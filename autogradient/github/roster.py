"""Who shares a repository: the groups of a roster."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autogradient import errors
from autogradient.course import roster
from autogradient.course.config import ROSTER, checked_student
from autogradient.course.roster import Member
from autogradient.errors import CourseError
from autogradient.github import messages
from autogradient.github.accounts import Accounts


@dataclass(frozen=True)
class Group:
    """Those who share a repository: a team, or one student."""

    name: str
    members: tuple[Member, ...]


def read(root: Path) -> list[Member]:
    """The roster of a course, with the logins that accounts have now.

    Raises CourseError where there is none, or two have the same login, GradebookError where an id
    can be no folder's name.
    """
    path = root / ROSTER
    if not path.is_file():
        raise CourseError(errors.NO_ROSTER.format(file=errors.relative(path)))
    members = roster.read(path)
    owners: dict[str, str] = {}
    for member in members:
        checked_student(member.student)
        login = member.login.lower()
        if login and login in owners:
            raise CourseError(
                errors.LOGIN_TWICE.format(
                    file=errors.relative(path),
                    login=member.login,
                    first=owners[login],
                    second=member.student,
                )
            )
        owners[login] = member.student
    return Accounts.load(root).followed(members)


def groups(members: Iterable[Member]) -> list[Group]:
    """Who shares a repository, in the order of the roster. Raises CourseError where a student's id
    is a team's name, too.
    """
    found: dict[str, list[Member]] = {}
    members = list(members)
    teams = {member.team.lower() for member in members if member.team}
    for member in members:
        if member.student.lower() in teams:
            raise CourseError(messages.ENROL_STUDENT_AND_TEAM.format(student=member.student))
        found.setdefault(member.team or member.student, []).append(member)
    return [Group(name, tuple(together)) for name, together in found.items()]
