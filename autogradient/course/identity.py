"""Whom a platform means: ids and full names as platforms write them → students of the roster, and
grader_config/names.csv where those do not tell.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from autogradient import errors
from autogradient.course.roster import Member
from autogradient.course.tables import rows_of
from autogradient.errors import CourseError

NAMES = Path("grader_config") / "names.csv"
#: Columns of the roster that name one student, the course's own id first.
_IDS = ("student", "lms_id", "login", "email")


class AmbiguousName(Exception):
    """Several students have a name; `students` are their ids."""

    def __init__(self, students: Iterable[str]) -> None:
        self.students = sorted(students)
        super().__init__(" and ".join(self.students))


def folded(text: str) -> str:
    """A text as it is compared: composed, without case, with single spaces."""
    return " ".join(
        unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold()).split()
    )


def _words(text: str) -> list[str]:
    """The words of a full name; apostrophes join, every other sign parts."""
    return re.findall(
        r"[^\W_]+",
        re.sub(
            r"['’‘`´ʼ]",
            "",
            unicodedata.normalize("NFC", unicodedata.normalize("NFKC", text).casefold()),
        ),
    )


def _plain(text: str) -> str:
    """Without accents, as platforms that know ASCII alone write it."""
    return "".join(
        character
        for character in unicodedata.normalize("NFKD", text)
        if not unicodedata.combining(character)
    )


class People:
    """The students of a roster, found by id or by name, with what names.csv says beforehand."""

    def __init__(self, members: Iterable[Member], names: dict[str, str] | None = None) -> None:
        self.members = list(members)
        self.names = names or {}
        self._ids: list[dict[str, set[str]]] = []
        for column in _IDS:
            for key in (str, folded):
                found: dict[str, set[str]] = {}
                for member in self.members:
                    if value := getattr(member, column):
                        found.setdefault(key(value), set()).add(member.student)
                self._ids.append(found)

    def mapped(self, *texts: str) -> str | None:
        """The student that names.csv gives for the first of some texts that it has."""
        return next(
            (self.names[folded(text)] for text in texts if text and folded(text) in self.names),
            None,
        )

    def by_id(self, text: str) -> str | None:
        """The student with an id, LMS id, login or e-mail address. Raises AmbiguousName where
        several have it.
        """
        composed = unicodedata.normalize("NFC", text.strip())
        for number, ids in enumerate(self._ids):
            found = ids.get(folded(composed) if number % 2 else composed, set())
            if len(found) > 1:
                raise AmbiguousName(found)
            if found:
                return next(iter(found))
        return None

    def by_name(self, text: str) -> str | None:
        """The student with a full name, in whichever order, with accents or without. Raises
        AmbiguousName where several have it.
        """
        words = _words(text)
        if not words:
            return None
        for plain, joined in ((False, False), (True, False), (False, True), (True, True)):
            if joined and len(words) > 1:
                break
            key = "".join(words) if joined else " ".join(sorted(words))
            found = self._by_name[plain, joined].get(_plain(key) if plain else key, set())
            if len(found) > 1:
                raise AmbiguousName(found)
            if found:
                return next(iter(found))
        return None

    @cached_property
    def _by_name(self) -> dict[tuple[bool, bool], dict[str, set[str]]]:
        """Names without and with accents taken off; by their words, and as one word that begins
        with any of them, as in Canvas's lists.
        """
        found: dict[tuple[bool, bool], dict[str, set[str]]] = {
            (plain, joined): {} for plain in (False, True) for joined in (False, True)
        }
        for member in self.members:
            words = _words(member.name)
            if not words:
                continue
            turned = ["".join(words[start:] + words[:start]) for start in range(len(words))]
            for plain in (False, True):
                for joined, keys in ((False, [" ".join(sorted(words))]), (True, turned)):
                    for key in keys:
                        found[plain, joined].setdefault(_plain(key) if plain else key, set()).add(
                            member.student
                        )
        return found

    def agree(self, student: str, text: str) -> bool:
        """Whether a text has a word of what the roster says about a student."""
        member = next(member for member in self.members if member.student == student)
        known = {
            word
            for value in (member.student, member.login, member.email.partition("@")[0], member.name)
            for word in _words(value)
        }
        return bool(known & set(_words(text)))

    def nearest(self, text: str, count: int = 3) -> list[str]:
        """The students whose id or name is most like a text, the most alike first."""
        wanted = _pairs(text)
        scored = []
        for label, pairs in self._labels:
            scored.append((-2 * len(wanted & pairs) / (len(wanted) + len(pairs) or 1), label))
        return [label for _, label in sorted(scored)[:count]]

    @cached_property
    def _labels(self) -> list[tuple[str, set[str]]]:
        return [
            (
                f"{member.student} ({member.name})" if member.name else member.student,
                _pairs(f"{member.student} {member.name} {member.login}"),
            )
            for member in self.members
        ]


def _pairs(text: str) -> set[str]:
    """The pairs of letters in the words of a text."""
    return {
        word[at : at + 2] for word in _words(_plain(text)) for at in range(max(1, len(word) - 1))
    }


def read_names(path: Path, members: Iterable[Member]) -> dict[str, str]:
    """The rows of names.csv (`name` as the platform writes it, `student`), {} where there is no
    file. Raises CourseError naming the line.
    """
    if not path.is_file():
        return {}

    def bad(line: int, problem: str) -> CourseError:
        return CourseError(
            errors.BAD_COURSE.format(
                file=errors.relative(path), where=f"line {line}", problem=problem
            )
        )

    known = {member.student for member in members}
    try:
        rows = rows_of(path.read_bytes(), "student")
    except UnicodeDecodeError:
        raise bad(1, errors.NOT_UTF8) from None
    except csv.Error as error:
        raise bad(error.args[0], str(error.args[1])) from None
    heading = [name.strip().lower() for name in rows[0][1]] if rows else []
    if not {"name", "student"} <= set(heading):
        raise bad(1, errors.NAMES_COLUMNS)
    found: dict[str, str] = {}
    for line, cells in rows[1:]:
        given = {column: cell.strip() for column, cell in zip(heading, cells, strict=False)}
        name, student = (
            folded(given.get("name", "")),
            unicodedata.normalize("NFC", given.get("student", "")),
        )
        if not name and not student:
            continue
        if student not in known:
            raise bad(
                line,
                errors.NAMES_STRANGER.format(
                    student=student, nearest=errors.nearest(student, known)
                ),
            )
        if not name or found.get(name, student) != student:
            raise bad(line, errors.NAMES_TWICE.format(name=given.get("name", "")))
        found[name] = student
    return found
