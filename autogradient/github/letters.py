"""What is to be said about each assignment, sorted by the repositories that it goes to: a student's
or team's own, or the pull requests of a shared one, which everybody there can read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autogradient.course.config import Course
from autogradient.course.marks import Marked, Over
from autogradient.course.roster import Member
from autogradient.github import feedback_text
from autogradient.github.check_results import Accepted, Origin
from autogradient.github.feedback_text import Note
from autogradient.github.hosting import Repository
from autogradient.model.assignment import Assignment


@dataclass(frozen=True)
class Letter:
    """What is to be said about an assignment in a repository: `commit` is what it is about, ""
    where that is not there; `author` whose pull request it belongs to.
    """

    assignment: Assignment
    note: Note
    commit: str = ""
    author: str = ""
    #: A later commit that came, but does not count.
    other: str = ""
    number: int | None = None
    #: Why not, where there were too many attempts that day.
    over: Over | None = None

    @property
    def said(self) -> list[str | int | None]:
        """What tells whether something has changed."""
        return [
            self.assignment.name,
            self.assignment.title,
            self.note.digest,
            self.note.out,
            self.commit,
            self.author,
            self.other,
            self.number,
            str(self.over or ""),
        ]


@dataclass
class Sorter:
    """Sorts what is to be said by repositories."""

    course: Course
    assignments: Iterable[Assignment]
    accepted: Accepted
    marked: dict[tuple[str, str], Marked]
    shared: str

    def of(self, assignment: Assignment, member: Member) -> tuple[Marked, Origin] | None:
        """What a student gets and where it came from; None where nothing was handed in."""
        marked = self.marked.get((assignment.name, member.student))
        origin = (
            self.accepted.origins.get(
                (assignment.name, member.student, marked.submission.attempt or 0)
            )
            if marked
            else None
        )
        return (marked, origin) if marked and origin else None

    def latest(
        self, assignment: Assignment, member: Member, origin: Origin
    ) -> tuple[str, int | None]:
        """Commit ("" where it is the one that counts) and number of the last attempt."""
        last = self.accepted.results[assignment.name][member.student][-1]
        found = self.accepted.origins[assignment.name, member.student, last.submission.attempt or 0]
        return (
            found.commit
            if found.repository == origin.repository and found.commit != origin.commit
            else "",
            last.submission.attempt,
        )

    def own(
        self, members: Iterable[Member], repository: Repository | None, full_name: str
    ) -> list[Letter]:
        """What goes to the repository of a student or team. Of a commit that is in another one, as
        after a change of team, only the words go there.
        """
        full_name = repository.full_name if repository else full_name
        private = repository is None or repository.is_private
        out = []
        for assignment in self.assignments:
            found = [
                (member, *what)
                for member in members
                if (what := self.of(assignment, member)) and not self.is_shared(what[1])
            ]
            if not found:
                continue
            several = [
                feedback_text.note(assignment, marked, origin, self.course.policy)
                for _, marked, origin in found
            ]
            note = (
                several[0]
                if all(one == several[0] for one in several)
                else feedback_text.differing(assignment)
            )
            member, marked, origin = found[0]
            here = origin.repository.lower() == full_name.lower()
            other, last = self.latest(assignment, member, origin) if here else ("", None)
            over = next((one for one in marked.over if one.attempt == last), None)
            shown = note if private else feedback_text.public(assignment)
            out.append(
                Letter(
                    assignment,
                    shown,
                    origin.commit if here else "",
                    other=other,
                    number=marked.submission.attempt,
                    over=over,
                )
            )
        return out

    def is_shared(self, origin: Origin) -> bool:
        """Whether what was handed in came from the shared repository."""
        return bool(self.shared) and origin.repository.lower() == self.shared.lower()

    def to_shared(self, members: Iterable[Member]) -> list[Letter]:
        """What goes to the pull requests in a shared repository: everybody there can read them."""
        found = [
            (member, assignment, what[1])
            for assignment in self.assignments
            for member in members
            if (what := self.of(assignment, member))
        ]
        return [
            Letter(assignment, feedback_text.public(assignment), origin.commit, member.login)
            for member, assignment, origin in found
            if self.is_shared(origin)
        ]
