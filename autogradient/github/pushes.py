"""What a student has pushed: the heads of their repository, now or at some time, with GitHub's own record of when each arrived."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from autogradient.github.client import Hub
from autogradient.github.settings import BASE, FEEDBACK, MAIN, UPDATE

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
#: In which order heads are looked at: a pull request of the student's own says what is handed in.
PULL, DEFAULT, OTHER = 0, 1, 2
#: Pushes, branches and pull requests of one repository that are read.
MOST_PUSHES, MOST_HEADS = 5000, 200


@dataclass(frozen=True)
class Head:
    """A commit that somebody handed in. `received` is None where GitHub has no record of its push."""

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


def when(text: str) -> datetime:
    """A time as GitHub writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass(frozen=True)
class Record:
    """GitHub's record of the pushes to a repository, oldest first: time, ref, commit."""

    pushes: tuple[tuple[datetime, str, str], ...]

    @classmethod
    def of(cls, hub: Hub, owner: str, name: str) -> Record:
        """Ask for it."""
        listed = hub.pages(hub.rest.repos.list_activities, most=MOST_PUSHES, owner=owner, repo=name)
        return cls(tuple((when(entry["timestamp"]), str(entry["ref"]), str(entry["after"])) for entry in listed)[::-1])

    def received(self, commit: str) -> datetime | None:
        """When a commit was first the head of a branch."""
        return next((time for time, _, after in self.pushes if after == commit), None)

    def heads(self, at: datetime) -> dict[str, str]:
        """The branches as they stood at some time."""
        found: dict[str, str] = {}
        for time, ref, after in self.pushes:
            if time <= at and ref.startswith("refs/heads/"):
                found[ref.removeprefix("refs/heads/")] = after
        return {branch: commit for branch, commit in found.items() if set(commit) != {"0"}}


@dataclass(frozen=True)
class Standing:
    """A student's repository, at any time: what was asked of GitHub once. `branches` are those of now."""

    full_name: str
    default: str
    record: Record
    branches: dict[str, str]
    pulls: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, hub: Hub, repository: dict[str, Any], *, now: bool = True, past: bool = False) -> Standing:
        """Ask for it: how it stands now, how it stood at earlier times, or both."""
        owner, name = repository["full_name"].split("/")
        where = {"owner": owner, "repo": name}
        record = Record.of(hub, owner, name)
        listed = hub.pages(hub.rest.repos.list_branches, most=MOST_HEADS, **where) if now else ()
        branches = {str(branch["name"]): str(branch["commit"]["sha"]) for branch in listed}
        pulls = tuple(hub.pages(hub.rest.pulls.list, most=MOST_HEADS, **where, state="all" if past else "open"))
        return cls(str(repository["full_name"]), str(repository.get("default_branch") or MAIN), record, branches, pulls)

    def heads(self, at: datetime | None = None) -> list[Head]:
        """The heads, now or at some time, in the order in which they count."""
        branches = self.branches if at is None else dict(list(self.record.heads(at).items())[:MOST_HEADS])
        pulls: dict[str, int] = {}
        for pull in self.pulls:
            if is_open(pull, at) and pull["base"]["ref"] != BASE and ((pull["head"].get("repo") or {}).get("full_name") == self.full_name):
                pulls.setdefault(str(pull["head"]["ref"]), int(pull["number"]))
        found = []
        for branch, commit in branches.items():
            if branch not in (BASE, FEEDBACK):
                order = PULL if branch in pulls and not branch.startswith(UPDATE) else DEFAULT if branch == self.default else OTHER
                found.append(Head(commit, branch, order, self.record.received(commit), pulls.get(branch, 0)))
        return sorted((head for head in found if head.commit_is_one), key=lambda head: (head.order, -_seconds(head.received), head.branch))


def record_of_pull(hub: Hub, pull: dict[str, Any]) -> Record:
    """The record of the repository that a pull request comes from, its author's own; empty where we may not read it."""
    source = (pull["head"].get("repo") or {}).get("full_name", "")
    if source and hub.find(hub.rest.repos.get, owner=source.split("/")[0], repo=source.split("/")[1]) is not None:
        return Record.of(hub, *source.split("/"))
    return Record(())


def of_pull(pull: dict[str, Any], record: Record, at: datetime | None) -> Head | None:
    """The head of a pull request to a shared repository, now or at some time; None where it had none then.

    The push went to the author's own repository. Where its record is not to be had, the pull request's last change is the time: the push was no later.
    """
    branch, commit, number = str(pull["head"]["ref"]), str(pull["head"]["sha"]), int(pull["number"])
    if at is not None and record.pushes:
        commit = record.heads(at).get(branch, "")
    received, by = record.received(commit), "push"
    if received is None:
        received, by = when(pull["updated_at"]), "the pull request's last change"
    if not commit or not is_open(pull, at) or (at is not None and received > at):
        return None
    head = Head(commit, branch, PULL, received, number, by)
    return head if head.commit_is_one else None


def is_open(pull: dict[str, Any], at: datetime | None) -> bool:
    """Whether a pull request is open, or was at some time."""
    if at is None:
        return pull["state"] == "open"
    return when(pull["created_at"]) <= at and (not pull.get("closed_at") or when(pull["closed_at"]) > at)


def _seconds(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
