"""grader_config/accounts.csv: which account each student accepted with. Logins change hands; the
number of an account does not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from autogradient import errors
from autogradient.course.roster import Member
from autogradient.errors import CourseError
from autogradient.github import messages
from autogradient.model.files import write_atomically

FILE = Path("grader_config") / "accounts.csv"
COLUMNS = ("student", "login", "id", "now")


@dataclass(frozen=True)
class Known:
    """The account that somebody accepted with: the login that the roster gave then, the account's
    number, and its login as it was seen last.
    """

    login: str
    id: int
    now: str


@dataclass
class Accounts:
    """The accounts of a course by student, as they are on file."""

    path: Path
    known: dict[str, Known] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> Accounts:
        """Read the file of a course; there need be none. Raises CourseError naming the line that is
        none of ours.
        """
        path = root / FILE
        found = cls(path)
        if not path.is_file():
            return found
        for number, row in enumerate(
            csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig", errors="replace"))),
            start=2,
        ):
            values = [str(row.get(name) or "").strip() for name in COLUMNS]
            student, login, id_, now = values
            if not (student and login and id_.isascii() and id_.isdigit()):
                raise CourseError(
                    errors.BAD_COURSE.format(
                        file=errors.relative(path),
                        where=f"line {number}",
                        problem=messages.ACCOUNTS_BAD_LINE,
                    )
                )
            found.known[student] = Known(login, int(id_), now or login)
        return found

    def of(self, member: Member) -> Known | None:
        """The account of a student; None where nobody has accepted with the login that the roster
        gives now.
        """
        known = self.known.get(member.student)
        return (
            known
            if known and member.login.lower() in (known.login.lower(), known.now.lower())
            else None
        )

    def accepted(self, member: Member, id: int, now: str) -> None:
        """Remember which account a student has, and write it down where that is new."""
        known = self.of(member)
        fresh = replace(known, id=id, now=now) if known else Known(member.login, id, now)
        if fresh != self.known.get(member.student):
            self.known[member.student] = fresh
            self._write()

    def followed(self, members: Iterable[Member]) -> list[Member]:
        """A roster with the logins that accounts have now."""
        return [
            replace(member, login=known.now) if (known := self.of(member)) else member
            for member in members
        ]

    def _write(self) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(
            (student, known.login, known.id, known.now)
            for student, known in sorted(self.known.items())
        )
        write_atomically(self.path, text.getvalue())
