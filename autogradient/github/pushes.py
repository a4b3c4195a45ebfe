"""What a student has pushed: the heads of their repository, now or at some time, with GitHub's own
record of when each arrived.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from autogradient.github.hosting import Hosting, PullRequest, Push, Repository
from autogradient.github.settings import BASE, FEEDBACK, UPDATE

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
#: In which order heads are looked at: a pull request of the student's own says what is handed in.
PULL, DEFAULT, OTHER = 0, 1, 2
#: Pushes, branches and pull requests of one repository that are read.
MOST_PUSHES, MOST_HEADS = 5000, 200


@dataclass(frozen=True)
class Head:
    """A commit that somebody handed in. `received` is None where GitHub has no record
    of its push.
    """

    commit: str
    branch: str
    order: int
    received: datetime | None
    pull_request: int = 0
    #: Whose record the time is.
    by: str = "push"

    @property
    def commit_is_one(self) -> bool:
        """Whether it is an id of a commit, fit for a command line."""
        return bool(_COMMIT.fullmatch(self.commit))


@dataclass(frozen=True)
class Record:
    """GitHub's record of the pushes to a repository, oldest first."""

    pushes: tuple[Push, ...]

    @classmethod
    def of(cls, hosting: Hosting, repository: str) -> Record:
        """Ask for it. Raises GitHubError."""
        return cls(tuple(hosting.pushes(repository, most=MOST_PUSHES))[::-1])

    def received(self, commit: str) -> datetime | None:
        """When a commit was first the head of a branch."""
        return next((push.received for push in self.pushes if push.commit == commit), None)

    def heads(self, at: datetime) -> dict[str, str]:
        """The branches as they stood at some time."""
        found: dict[str, str] = {}
        for push in self.pushes:
            if push.received <= at and push.ref.startswith("refs/heads/"):
                found[push.ref.removeprefix("refs/heads/")] = push.commit
        return {branch: commit for branch, commit in found.items() if set(commit) != {"0"}}


@dataclass(frozen=True)
class Standing:
    """A student's repository, at any time: what was asked of GitHub once. `branches` are those of
    now.
    """

    repository: Repository
    record: Record
    branches: dict[str, str]
    pulls: tuple[PullRequest, ...]

    @classmethod
    def of(
        cls, hosting: Hosting, repository: Repository, *, now: bool = True, past: bool = False
    ) -> Standing:
        """Ask for it: how it stands now, how it stood at earlier times, or both. Raises
        GitHubError.
        """
        name = repository.full_name
        record = Record.of(hosting, name)
        branches = (
            {branch.name: branch.commit for branch in hosting.branches(name, most=MOST_HEADS)}
            if now
            else {}
        )
        return cls(
            repository,
            record,
            branches,
            tuple(hosting.pull_requests(name, "all" if past else "open", most=MOST_HEADS)),
        )

    def heads(self, at: datetime | None = None) -> list[Head]:
        """The heads, now or at some time, in the order in which they count."""
        branches = (
            self.branches if at is None else dict(list(self.record.heads(at).items())[:MOST_HEADS])
        )
        pulls: dict[str, int] = {}
        for pull in self.pulls:
            if (
                is_open(pull, at)
                and pull.base.name != BASE
                and pull.head.repository == self.repository.full_name
            ):
                pulls.setdefault(pull.head.name, pull.number)
        found = []
        for branch, commit in branches.items():
            if branch not in (BASE, FEEDBACK):
                order = (
                    PULL
                    if branch in pulls and not branch.startswith(UPDATE)
                    else DEFAULT
                    if branch == self.repository.default_branch
                    else OTHER
                )
                found.append(
                    Head(commit, branch, order, self.record.received(commit), pulls.get(branch, 0))
                )
        return sorted(
            (head for head in found if head.commit_is_one),
            key=lambda head: (head.order, -_seconds(head.received), head.branch),
        )


def record_of_pull(hosting: Hosting, pull: PullRequest) -> Record:
    """The record of the repository that a pull request comes from, its author's own; empty where we
    may not read it. Raises GitHubError.
    """
    source = pull.head.repository
    return (
        Record.of(hosting, source)
        if source and hosting.repository(source) is not None
        else Record(())
    )


def of_pull(pull: PullRequest, record: Record, at: datetime | None) -> Head | None:
    """The head of a pull request to a shared repository, now or at some time; None where it had
    none then.

    The push went to the author's own repository. Where its record is not to be had, the pull
    request's last change is the time: the push was no later.
    """
    branch, commit = pull.head.name, pull.head.commit
    if at is not None and record.pushes:
        commit = record.heads(at).get(branch, "")
    received, by = record.received(commit), "push"
    if received is None:
        received, by = pull.updated, "the pull request's last change"
    if not commit or not is_open(pull, at) or (at is not None and received > at):
        return None
    head = Head(commit, branch, PULL, received, pull.number, by)
    return head if head.commit_is_one else None


def is_open(pull: PullRequest, at: datetime | None) -> bool:
    """Whether a pull request is open, or was at some time."""
    if at is None:
        return pull.is_open
    return pull.created <= at and (pull.closed is None or pull.closed > at)


def _seconds(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
