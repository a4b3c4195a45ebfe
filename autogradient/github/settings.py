"""grader_config/github.toml → Settings: where on GitHub the course lives."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.errors import CourseError, nearest

CONFIG = Path("grader_config") / "github.toml"
KEYS: dict[str, type] = {
    **dict.fromkeys(
        (
            "organization",
            "release",
            "prefix",
            "staff",
            "shared",
            "marks",
            "course",
            "api",
            "git",
            "raw",
        ),
        str,
    ),
    "app": int,
    "colab": bool,
}
EXPECTED = {str: "text", int: "a whole number", bool: "true or false"}
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_])?")
_FULL_NAME = re.compile(rf"{_NAME.pattern}/{_NAME.pattern}")


@dataclass(frozen=True)
class Settings:
    """Where the course lives on GitHub.

    `release` is the name of the repository that publish writes, `course` of that which holds the
    course itself, `prefix` what the names of students' repositories begin with, `staff` the slug of
    a team that gets access to all of them, `shared` a repository to which students send pull
    requests instead of having one of their own, `marks` the name of the private repository that
    keeps results and what was collected, `app` a GitHub App's id, `colab` whether notebooks are to
    work on Google Colab, `raw` where a public repository's files can be had one by one.
    """

    organization: str
    release: str = "release"
    course: str = "course"
    prefix: str = ""
    staff: str = ""
    shared: str = ""
    marks: str = ""
    app: int = 0
    api: str = "https://api.github.com"
    git: str = "https://github.com"
    colab: bool = False
    raw: str = "https://raw.githubusercontent.com"

    def repository(self, group: str) -> str:
        """The name of the repository of a student or team."""
        return self.prefix + re.sub(r"[^A-Za-z0-9._-]", "-", group)

    def url(self, full_name: str) -> str:
        """Where git finds a repository."""
        return f"{self.git.rstrip('/')}/{full_name}.git"


def load(root: Path) -> Settings:
    """Read a course's settings for GitHub. Raises CourseError naming file and key."""
    path = root / CONFIG

    def bad(where: str, problem: str) -> CourseError:
        return CourseError(
            errors.BAD_COURSE.format(file=errors.relative(path), where=where, problem=problem)
        )

    if not path.is_file():
        raise CourseError(errors.NO_GITHUB_SETTINGS.format(file=errors.relative(path)))
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise bad("this is not TOML", str(error)) from None
    for key, value in data.items():
        if key not in KEYS:
            raise bad(key, errors.GITHUB_UNKNOWN_KEY.format(key=key, nearest=nearest(key, KEYS)))
        if not isinstance(value, KEYS[key]) or isinstance(value, bool) != (KEYS[key] is bool):
            raise bad(key, errors.GITHUB_BAD_VALUE.format(expected=EXPECTED[KEYS[key]]))
    if not data.get("organization"):
        raise bad("organization", errors.GITHUB_NO_ORGANIZATION)
    for key in ("organization", "release", "course", "marks"):
        if not _NAME.fullmatch(data.get(key) or "release"):
            raise bad(key, errors.GITHUB_BAD_VALUE.format(expected="a name as GitHub has them"))
    if data.get("shared") and not _FULL_NAME.fullmatch(data["shared"]):
        raise bad("shared", errors.GITHUB_BAD_VALUE.format(expected="OWNER/NAME of a repository"))
    if not re.fullmatch(r"[A-Za-z0-9._-]*", data.get("prefix", "")):
        raise bad(
            "prefix",
            errors.GITHUB_BAD_VALUE.format(
                expected="letters, digits, dots, hyphens and underscores"
            ),
        )
    for key in ("api", "raw"):
        if not re.fullmatch(
            r"(https://|http://(localhost|127\.0\.0\.1)[:/])[^\s\"\\{}]*", data.get(key, "https://")
        ):
            raise bad(
                key,
                errors.GITHUB_BAD_VALUE.format(expected="an address that begins with https://"),
            )
    if not re.match(r"https://|file:///", data.get("git", "https://")):
        raise bad(
            "git",
            errors.GITHUB_BAD_VALUE.format(
                expected="an address that begins with https:// or file:///"
            ),
        )
    return Settings(**data)


#: The branch that students work on, the one that stays where they began, the one that staff write,
#: and what those begin with that bring corrections.
MAIN, BASE, FEEDBACK, UPDATE = "main", "feedback-base", "feedback", "update/"
