"""Which deadlines have passed for a student or team: the times at which `collect` looks at what had
been pushed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from autogradient.course import marks, times
from autogradient.course.config import Course
from autogradient.course.ledger import read
from autogradient.github.roster import Group


class Deadlines:
    """The deadlines of some assignments that have passed at a time, sections and extensions counted
    in.
    """

    def __init__(self, course: Course, names: Iterable[str], now: datetime) -> None:
        self.policy, self.sections, self.now = course.policy, course.sections(), now
        self.passed = any(
            due <= now
            for deadline in self.policy.deadlines.values()
            for due in (deadline.due, *deadline.sections.values())
            if due
        )
        ledger = read(course.ledger) if self.passed else []
        self.decisions = {
            name: marks.Decisions(ledger, name) for name in names if name in self.policy.deadlines
        }

    def of(self, group: Group) -> dict[datetime, frozenset[str]]:
        """When work on which assignments had to be there to be on time, grace counted in, and when
        to count for anything at all.

        The times of all members are looked at: each of a team has every attempt, and which one
        counts is the policy's to say.
        """
        found: dict[datetime, frozenset[str]] = {}
        for name, decisions in self.decisions.items() if self.passed else ():
            for member in group.members:
                for moment in self._moments(member.student, decisions):
                    if moment <= self.now:
                        found[moment] = found.get(moment, frozenset()) | {name}
        return found

    def _moments(self, student: str, decisions: marks.Decisions) -> list[datetime]:
        due, _ = marks.due_of(self.policy, student, decisions, self.sections.get(student, ""))
        if due is None:
            return []
        late, zone = self.policy.late, self.policy.zone
        return [
            times.later(due, span, zone)
            for span in (late.grace, late.nothing_after)
            if span is not None
        ]
