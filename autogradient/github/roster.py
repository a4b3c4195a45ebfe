"""grader_config/roster.csv → who is in the class: student, login, lms_id, email, section, team."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autogradient import errors
from autogradient.course import checked_student
from autogradient.errors import CourseError

ROSTER = Path("grader_config") / "roster.csv"


@dataclass(frozen=True)
class Member:
    """A student: the course's id, and what others call them ("" where the roster does not say)."""

    student: str
    login: str = ""
    lms_id: str = ""
    email: str = ""
    section: str = ""
    team: str = ""

    @property
    def group(self) -> str:
        """What their repository is named after: the team, or the student."""
        return self.team or self.student


@dataclass(frozen=True)
class Group:
    """Those who share a repository: a team, or one student."""

    name: str
    members: tuple[Member, ...]


def read(root: Path) -> list[Member]:
    """The roster of a course. Raises CourseError where there is none, or somebody stands in it twice."""
    path = root / ROSTER
    if not path.is_file():
        raise CourseError(errors.NO_ROSTER.format(file=errors.relative(path)))
    members: list[Member] = []
    seen: dict[str, int] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        if "student" not in (reader.fieldnames or []):
            raise CourseError(errors.BAD_COURSE.format(file=errors.relative(path), where="line 1", problem="there is no column 'student'"))
        for row in reader:
            member = Member(**{name: (row.get(name) or "").strip() for name in Member.__dataclass_fields__})
            if not member.student:
                continue
            checked_student(member.student)
            for key in filter(None, (f"student {member.student}", member.login and f"login {member.login.lower()}")):
                if key in seen:
                    raise CourseError(errors.ROSTER_TWICE.format(file=errors.relative(path), line=reader.line_num, what=key, first=seen[key]))
                seen[key] = reader.line_num
            members.append(member)
    return members


def groups(members: Iterable[Member]) -> list[Group]:
    """Who shares a repository, in the order of the roster."""
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(member.group, []).append(member)
    return [Group(name, tuple(together)) for name, together in found.items()]
