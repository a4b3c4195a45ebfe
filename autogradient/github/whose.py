"""Whose a file in a platform's folder or zip is, and when it came, by its path."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from autogradient import errors
from autogradient.course import times
from autogradient.course.identity import AmbiguousName, People
from autogradient.errors import CourseError
from autogradient.github import messages
from autogradient.grading.archives import Refused

#: What Blackboard, Moodle and Canvas write before the name that the student gave the file.
BLACKBOARD = re.compile(
    r"(?P<before>.+?)_attempt_(?P<time>\d{4}-\d\d-\d\d-\d\d-\d\d(?:-\d\d)?)(?P<rest>[_.].*)?",
    re.DOTALL,
)
MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<rest>.*)", re.DOTALL
)
CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<number>\d+)_\d+_(?P<rest>.+)", re.DOTALL)
#: Labels that nobody of the roster has, for which the most similar ones are looked for.
MOST_LOOKED_FOR = 500


@dataclass(frozen=True)
class Owner:
    """The student a path names, the time in it, and whether the platform wrote that time or perhaps
    the student.
    """

    student: str
    time: datetime | None = None
    chosen: bool = False


class Whose:
    """Knows whose file is whose by its path. With `pattern`, nbgrader's regular expression, by that
    alone. Raises CourseError where that is none.
    """

    def __init__(self, people: People, pattern: str = "", zone: tzinfo | None = None) -> None:
        self.people, self.zone = people, zone
        self.plugin = _plugin(pattern) if pattern else None
        self._nearest: dict[str, str] = {}

    def owner(self, path: str) -> Owner:
        """Who a path names, and when. Raises Refused where it names nobody of the roster, or
        several.
        """
        label = path
        try:
            if self.plugin is not None:
                match: dict[str, Any] = (
                    self.plugin.collect(path if path.endswith(".ipynb") else f"{path}.ipynb") or {}
                )
                label = str(match.get("student_id") or path)
                student = (
                    self.people.mapped(label, path)
                    or self.people.by_id(label)
                    or self.people.by_name(label)
                )
                if match and student:
                    return Owner(student, times.parse(str(match.get("timestamp") or ""), self.zone))
            else:
                parts = path.split("/")
                label = _label(parts[0])
                for number, part in enumerate(parts):
                    found = self._by_platform(part) or (
                        self._by_itself(part, is_file=len(parts) == 1) if number == 0 else None
                    )
                    if found:
                        if found.time is None and (time := times.in_name("/".join(parts[number:]))):
                            return Owner(found.student, time, chosen=True)
                        return found
        except AmbiguousName as error:
            raise Refused(messages.TAKE_AMBIGUOUS.format(name=label, students=error)) from None
        raise Refused(messages.TAKE_NOBODY.format(nearest=self._like(label)))

    def _by_itself(self, part: str, *, is_file: bool) -> Owner | None:
        """By a folder that is a student's id or name, or a file of that name."""
        for text in (part, part.rpartition(".")[0]) if is_file else (part,):
            student = (
                self.people.mapped(text) or self.people.by_id(text) or self.people.by_name(text)
            )
            if student:
                return Owner(student)
        return None

    def _by_platform(self, part: str) -> Owner | None:
        """By what a platform wrote."""
        people = self.people
        if match := MOODLE.fullmatch(part):
            name, number = match["name"], match["number"]
            # a group's name and a hyphen may stand before; the number is another one in each
            # assignment, so it counts only together with a name
            names = [
                name,
                *(name[at + 1 :] for at, character in enumerate(name) if character == "-"),
            ]
            student = people.mapped(f"{name}_{number}", name, number) or next(
                (found for each in names if (found := people.by_name(each) or people.by_id(each))),
                None,
            )
            if student is None and not any(member.name for member in people.members):
                student = people.by_id(number)
                student = student if student and people.agree(student, name) else None
            return Owner(student) if student else None
        if match := CANVAS.fullmatch(part):
            student = people.mapped(
                f"{match['name']}_{match['number']}", match["name"], match["number"]
            )
            student = (
                student
                or people.by_id(match["number"])
                or people.by_name(match["name"])
                or people.by_id(match["name"])
            )
            if student:
                return Owner(student)
        if match := BLACKBOARD.fullmatch(part):
            words = match["before"].split("_")
            for start in range(len(words)):
                name = "_".join(words[start:])
                if student := people.mapped(name) or people.by_id(name) or people.by_name(name):
                    return Owner(student, times.parse(match["time"], self.zone))
        return None

    def _like(self, label: str) -> str:
        if label not in self._nearest and len(self._nearest) < MOST_LOOKED_FOR:
            self._nearest[label] = ", ".join(self.people.nearest(label))
        return self._nearest.get(label) or "…"


def _label(part: str) -> str:
    """The part of a name that tells who it is."""
    if match := MOODLE.fullmatch(part) or CANVAS.fullmatch(part):
        return match["name"]
    if match := BLACKBOARD.fullmatch(part):
        return match["before"].rpartition("_")[2]
    return part


def _plugin(pattern: str) -> Any:
    from nbgrader.plugins.zipcollect import FileNameCollectorPlugin

    try:
        re.compile(pattern)
    except re.error as error:
        raise CourseError(errors.BAD_PATTERN.format(pattern=pattern, problem=error)) from None
    if "(?P<student_id>" not in pattern:
        raise CourseError(
            errors.BAD_PATTERN.format(
                pattern=pattern, problem="there is no group (?P<student_id>…)"
            )
        )
    log = logging.getLogger("autogradient.collect")
    log.propagate = False
    log.addHandler(logging.NullHandler())
    return FileNameCollectorPlugin(named_regexp=pattern, valid_ext=[".ipynb"], log=log)
