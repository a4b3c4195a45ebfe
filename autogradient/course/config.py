"""grader_config/course.toml → Course: where everything of a course lies, and its policies."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from autogradient import errors
from autogradient.course import policy, roster
from autogradient.course.policy import Policy
from autogradient.errors import CourseError, GradebookError, nearest
from autogradient.model.assignment import Assignment

CONFIG = Path("grader_config") / "course.toml"
ROSTER = Path("grader_config") / "roster.csv"
GRADEBOOK = "gradebook.db"
SOURCES = (".py", ".ipynb")
KEYS: dict[str, type] = {
    "format": int,
    "name": str,
    "release": str,
    "seed": int,
    "assignments": list,
    **policy.KEYS,
}
# NAME.staff.json is what staff see of NAME
_WAS = re.compile(rb"\bwas[\"'\\]*\s*:")
TYPES = {int: "a whole number", str: "text", list: "a list of names", dict: "a table"}

#: What students' repositories hold beside assignments: ours, and the course's own, which stand for
#: them.
TEMPLATES = Path(__file__).parents[1] / "templates" / "student"
OWN = Path("grader_config") / "student"


def address_of(file: Path) -> str:
    """The address of a database in a file, for SQLAlchemy."""
    path = str(file)
    return f"sqlite:///{quote(path) if set(path) & set('?#%') else path}"


@dataclass(frozen=True)
class Course:
    """A course folder. `seed` is drawn into every `given` cell; `order` is the order of the
    assignments, `policy` its deadlines and rules.
    """

    root: Path
    name: str = "course"
    release: str = ""
    seed: int = 0
    order: tuple[str, ...] = field(default=())
    policy: Policy = field(default=Policy())
    #: Why marks of the formgrader could not be taken in, where that was tried.
    troubles: list[str] = field(default_factory=list, compare=False, repr=False)

    @property
    def results(self) -> Path:
        """Results and the ledger."""
        return self.root / "results"

    @property
    def submitted(self) -> Path:
        """What students handed in: {student}/{assignment}/*.ipynb."""
        return self.root / "submitted"

    @property
    def feedback(self) -> Path:
        """What students get back: {student}/{assignment}/."""
        return self.root / "feedback"

    @property
    def gradebook_url(self) -> str:
        """nbgrader's gradebook, as a database's address."""
        return address_of(self.gradebook)

    @property
    def gradebook(self) -> Path:
        """The same, as a file."""
        return self.root / GRADEBOOK

    @property
    def ledger(self) -> Path:
        """Human decisions."""
        return self.results / "ledger.jsonl"

    def student_file(self, name: str) -> bytes:
        """A file of students' repositories, such as requirements.txt: the course's own, or else
        ours.
        """
        own = self.root / OWN / name
        return (own if own.is_file() else TEMPLATES / name).read_bytes()

    def released(self, name: str) -> Path:
        """The release folder of an assignment."""
        return self.root / "release" / name

    def names(self) -> list[str]:
        """The assignments of the course in order."""
        present = dict.fromkeys(
            path.name
            for path in sorted((self.root / "source").glob("*"))
            if self._is_there(path.name)
        )
        ordered = dict.fromkeys(self.order)
        return [
            *(name for name in ordered if name in present),
            *(name for name in present if name not in ordered),
        ]

    def _is_there(self, name: str) -> bool:
        folder = self.root / "source" / name
        return folder.name == name and any(
            (folder / f"{name}{suffix}").is_file() for suffix in SOURCES
        )

    def source(self, name: str) -> Path:
        """The source folder of an assignment. Raises CourseError where there is none."""
        if not self._is_there(name):
            raise CourseError(
                errors.UNKNOWN_ASSIGNMENT.format(
                    name=name,
                    nearest=nearest(name, self.names()),
                    known=", ".join(self.names()) or "none yet",
                )
            )
        return self.root / "source" / name

    def assignment(self, name: str) -> Assignment:
        """Read an assignment's source. Raises CourseError or SourceErrors."""
        from autogradient.sources.formats import load_assignment  # which knows Jupyter's formats

        return load_assignment(self.source(name), seed=self.seed)

    def former(self, name: str) -> Mapping[tuple[str, str], str]:
        """What the parts of an assignment were called before: `Assignment.former`, which see.
        Raises SourceErrors.

        To read a source takes a moment, so one in which no question `was` another is not read, and
        no version of one twice.
        """
        paths = [
            path
            for suffix in SOURCES
            if (path := self.root / "source" / name / f"{name}{suffix}").is_file()
        ]
        texts = [path.read_bytes() for path in paths]
        return (
            _former(self.root / "source" / name, self.seed, tuple(texts))
            if any(_WAS.search(text) for text in texts)
            else {}
        )

    def rows(self) -> list[roster.Member]:
        """The students of grader_config/roster.csv, none where there is no roster. Raises
        CourseError.
        """
        return roster.read(self.root / ROSTER)

    def sections(self) -> dict[str, str]:
        """The section of each student on the roster, "" where it says none."""
        return {row.student: row.section for row in self.rows()}

    def roster(self) -> list[str]:
        """Student ids of grader_config/roster.csv (column `student`), or none where there is no
        roster.
        """
        return [row.student for row in self.rows()]


@lru_cache(maxsize=32)
def _former(folder: Path, seed: int, texts: tuple[bytes, ...]) -> Mapping[tuple[str, str], str]:
    from autogradient.sources.formats import load_assignment

    return load_assignment(folder, seed=seed).former


def checked_student(student: str) -> str:
    """`student`, in composed characters, if it can be a folder's name, else GradebookError."""
    student = unicodedata.normalize("NFC", student)
    if not roster.STUDENT.fullmatch(student):
        raise GradebookError(errors.BAD_STUDENT.format(student=student))
    return student


def find(start: Path | None = None) -> Course:
    """The course that `start` (or the current folder) lies in. Raises CourseError where there is
    none or its configuration is wrong.
    """
    root = root_or_none(start)
    if root is None:
        raise CourseError(errors.NO_COURSE.format(path=(start or Path.cwd()).resolve()))
    return load(root)


def root_or_none(start: Path | None = None) -> Path | None:
    """The root of the course that `start` (or the current folder) lies in; None where there is
    none.
    """
    start = (start or Path.cwd()).resolve()
    return next((folder for folder in (start, *start.parents) if (folder / CONFIG).is_file()), None)


def load(root: Path) -> Course:
    """Read a course's configuration. Raises CourseError naming file, line or key."""
    path = root / CONFIG

    def bad(where: str, problem: str) -> CourseError:
        return CourseError(
            errors.BAD_COURSE.format(file=errors.relative(path), where=where, problem=problem)
        )

    try:
        text = path.read_text(encoding="utf-8-sig")
        data: dict[str, Any] = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise bad(f"byte {error.start}", "this is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise bad(f"line {line.group(1)}" if line else "end of file", str(error)) from None

    def line_of(*keys: str) -> str:
        """The line in which the last of `keys` stands, each in the table of the one before."""
        lines, found = (
            ["" if line.lstrip().startswith("#") else line for line in text.split("\n")],
            -1,
        )
        for depth, key in enumerate(keys):
            name = re.escape(key)
            start = re.compile(
                rf"""\s*\[?\s*["']?{name}\b"""
                if depth == 0
                else rf"""(^|[\s.\[{{,"']){name}["']?\s*[\].=]"""
            )
            found = next(
                (
                    i
                    for i, line in enumerate(lines)
                    if i >= found and (start.search(line) if depth else start.match(line))
                ),
                found,
            )
        return f"line {found + 1}" if found >= 0 else "file"

    for key, value in data.items():
        if key not in KEYS:
            raise bad(line_of(key), f"unknown key '{key}'{nearest(key, KEYS)}")
        if (
            not isinstance(value, KEYS[key])
            or isinstance(value, bool)
            or (isinstance(value, list) and not all(isinstance(name, str) for name in value))
        ):
            raise bad(line_of(key), f"'{key}' must be {TYPES[KEYS[key]]}")
    if data.get("seed", 0) < 0:
        raise bad(line_of("seed"), "'seed' must not be negative")
    if data.get("format") != 1:
        raise bad(line_of("format"), "'format = 1' is missing; this version reads format 1")
    bare = Course(
        root,
        str(data.get("name", root.name)),
        str(data.get("release", "")),
        int(data.get("seed", 0)),
        tuple(map(str, data.get("assignments", []))),
    )
    known = dict.fromkeys([*bare.names(), *bare.order]) if bare.names() else ()
    return replace(
        bare, policy=policy.read(data, lambda problem, *keys: bad(line_of(*keys), problem), known)
    )
