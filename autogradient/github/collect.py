"""Bring what students handed in into submitted/, an attempt for each notebook that is new. One student's trouble does not stop the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.course import Course
from autogradient.errors import AutogradientError, GitHubError
from autogradient.github import heads, inbox
from autogradient.github.archive import Sorter
from autogradient.github.client import Hub
from autogradient.github.enrol import BASE, UPDATE
from autogradient.github.git import EMAIL, Bare
from autogradient.github.heads import Head
from autogradient.github.inbox import Receipt
from autogradient.github.recognition import Found, Recogniser
from autogradient.github.roster import Group, Member, groups
from autogradient.github.taking import few, shown, take
from autogradient.result import digest, write_atomically

#: What an App has to be allowed for this.
PERMISSIONS = {"contents": "read", "pull_requests": "read", "metadata": "read"}
#: In submitted/STUDENT/: which heads were looked at last, so that nothing is fetched where none has moved.
SEEN = ".collected.json"


@dataclass
class Collected:
    """What came of one student or team: the new attempts, what is to be said about what was left out, and what went wrong."""

    who: str
    attempts: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Candidate:
    head: Head
    found: Found


class Collector:
    """Collects for one course. `at` takes what had been pushed at that time; `told` hears of each student or team as it is done."""

    def __init__(self, course: Course, members: list[Member], recogniser: Recogniser, told: Callable[[Collected], None] = lambda _: None) -> None:
        self.course, self.members, self.recogniser, self.told = course, members, recogniser, told
        self.now = datetime.now(UTC)

    # ---- GitHub ------------------------------------------------------------------------------------------------------

    def from_repositories(self, hub: Hub, at: datetime | None = None) -> list[Collected]:
        """From each student's or team's own repository."""
        owner = hub.settings.organization
        there = {str(each["name"]).lower(): each for each in hub.pages(hub.rest.repos.list_for_org, org=owner)}
        out = []
        for group in groups(self.members):
            name = hub.settings.repository(group.name)

            def work(done: Collected, group: Group = group, name: str = name) -> None:
                repository = there.get(name.lower())
                if repository is None:
                    done.remarks.append(errors.COLLECT_NO_REPOSITORY.format(repository=f"{owner}/{name}"))
                else:
                    self._repository(hub, repository, group, at, done)

            out.append(self._one(group.name, work))
        return out

    def from_pulls(self, hub: Hub, at: datetime | None = None) -> list[Collected]:
        """From the pull requests to one shared repository."""
        full_name = hub.settings.shared
        owner, name = full_name.split("/")
        by_login = {member.login.lower(): member for member in self.members if member.login}
        pulls: dict[str, list[dict[str, Any]]] = {}
        strangers = Collected(full_name)
        for pull in hub.pages(hub.rest.pulls.list, owner=owner, repo=name, state="open" if at is None else "all"):
            login = str((pull.get("user") or {}).get("login", ""))
            if login.lower() in by_login:
                pulls.setdefault(by_login[login.lower()].student, []).append(pull)
            else:
                strangers.remarks.append(errors.COLLECT_STRANGER.format(number=pull["number"], login=shown(login)))
        out = [strangers] if strangers.remarks else []
        if strangers.remarks:
            self.told(strangers)
        for member in self.members:
            mine = pulls.get(member.student, [])

            def work(done: Collected, member: Member = member, mine: list[dict[str, Any]] = mine) -> None:
                found = [head for head in (heads.of_pull(hub, pull, at) for pull in mine) if head is not None]
                found.sort(key=lambda head: (head.received or self.now, head.pull_request), reverse=True)
                self._heads(hub, full_name, found, Group(member.student, (member,)), done, at, "pull request")

            if mine:
                out.append(self._one(member.student, work))
        return out

    def _repository(self, hub: Hub, repository: dict[str, Any], group: Group, at: datetime | None, done: Collected) -> None:
        found = heads.of_repository(hub, repository, at)
        if at is not None:
            for head in [head for head in found if head.received is None]:
                done.remarks.append(errors.COLLECT_NO_RECORD.format(branch=shown(head.branch)))
            found = [head for head in found if head.received is not None]
        self._heads(hub, str(repository["full_name"]), found, group, done, at, "repository")

    def _heads(self, hub: Hub, repository: str, found: list[Head], group: Group, done: Collected, at: datetime | None, source: str) -> None:
        state = self._state(repository, found)
        marks = [self.course.submitted / member.student / SEEN for member in group.members]
        if at is None and all(_seen(mark) == state for mark in marks):
            return
        url = hub.settings.url(repository)
        candidates: dict[str, list[_Candidate]] = {}
        trouble = False
        with Bare(secrets=hub.for_git(url), local=url.startswith("file:")) as git:
            begun = self._begun(git, url, source)
            for head in _first_of_each(found):
                place = errors.COLLECT_PLACE.format(branch=shown(head.branch), commit=head.commit[:10])
                try:
                    files, sentences = take(git, url, head.commit)
                    if head.branch.startswith(UPDATE) and git.committer("refs/taken") == EMAIL:
                        continue  # a correction that nobody has taken yet; it holds what the student's own branch does
                except AutogradientError as error:
                    done.problems.append(f"{place}: {error}")
                    trouble = True
                    continue
                chosen, more = self.recogniser.sort_out(file for file in files if digest(file.data) not in begun)
                done.remarks += [f"{place}: {sentence}" for sentence in few([*sentences, *more])]
                for name, each in chosen.items():
                    candidates.setdefault(name, []).append(_Candidate(head, each))
        for name, several in sorted(candidates.items()):
            candidate, remark = _choose(several)
            self._add(group, name, candidate, source, repository, remark, done)
        if at is None and not trouble:
            for mark in marks:
                write_atomically(mark, json.dumps(state) + "\n")

    def _begun(self, git: Bare, url: str, source: str) -> set[str]:
        """The notebooks as the student got them, which may be of an older release: their digests."""
        if source != "repository":
            return set()
        try:
            return {digest(file.data) for file in take(git, url, f"refs/heads/{BASE}")[0]}
        except AutogradientError:  # it is a help, no more
            return set()

    def _add(self, group: Group, name: str, candidate: _Candidate, source: str, repository: str, remark: str, done: Collected) -> None:
        head, found = candidate.head, candidate.found
        receipt = Receipt(
            received=head.received or self.now,
            received_by=head.by if head.received else "collection",
            source=source,
            file=found.file.path,
            recognised=found.how,
            digest=digest(found.file.data),
            repository=repository,
            commit=head.commit,
            branch=shown(head.branch),
            pull_request=head.pull_request,
            remarks=[remark] if remark else [],
        )
        self._write(group.members, name, found.file.data, receipt, done)

    # ---- folders and archives ----------------------------------------------------------------------------------------

    def from_path(self, path: Path, pattern: str = "", received: datetime | None = None) -> list[Collected]:
        """From a folder, or a zip that a learning platform made."""
        sorted_out = Sorter(self.members, pattern).sort(path, received)
        out = []
        for student in ["", *(member.student for member in self.members)]:
            files, sentences = sorted_out.files.get(student, []), sorted_out.sentences.get(student, [])

            def work(done: Collected, files: list[Any] = files, sentences: list[str] = sentences) -> None:
                chosen, more = self.recogniser.sort_out(stamped.file for stamped in files)
                done.remarks += few([*sentences, *more])
                for name, found in sorted(chosen.items()):
                    stamped = next(each for each in files if each.file is found.file)
                    source = "folder" if path.is_dir() else "archive"
                    receipt = Receipt(stamped.received, stamped.by, source, found.file.path, found.how, digest(found.file.data), repository=path.name)
                    (member,) = [member for member in self.members if member.student == done.who]
                    self._write((member,), name, found.file.data, receipt, done)

            if files or sentences:
                out.append(self._one(student or path.name, work))
        return out

    # ---- shared ------------------------------------------------------------------------------------------------------

    def _one(self, who: str, work: Callable[[Collected], None]) -> Collected:
        done = Collected(who)
        try:
            work(done)
        except AutogradientError as error:
            if isinstance(error, GitHubError) and error.everywhere:
                raise
            done.problems.append(str(error))
        self.told(done)
        return done

    def _write(self, members: Iterable[Member], name: str, data: bytes, receipt: Receipt, done: Collected) -> None:
        for member in members:
            attempt = inbox.add(self.course.submitted, member.student, name, data, receipt)
            if attempt is not None:
                done.attempts.append(attempt)

    def _state(self, repository: str, found: Sequence[Head]) -> dict[str, str]:
        """What the outcome depends on: heads and their places, and the assignments."""
        moved = sorted(f"{head.order} {head.branch} {head.commit} {head.pull_request}" for head in found)
        known = sorted(f"{assignment.name} {assignment.digest}" for assignment in self.recogniser.assignments)
        return {"repository": repository, "heads": digest("\n".join(moved).encode()), "assignments": digest("\n".join(known).encode())}


def _first_of_each(found: list[Head]) -> list[Head]:
    """Heads without those whose commit came earlier in the list."""
    return list({head.commit: head for head in reversed(found)}.values())[::-1]


def _choose(several: list[_Candidate]) -> tuple[_Candidate, str]:
    """The head that counts: the first, unless somebody went on elsewhere: a later push in which all of it is answered and more.

    Where the very same notebook was pushed to several branches, it counts from when it first arrived.
    """
    best, remark = several[0], ""
    for other in several[1:]:
        later = best.head.received is not None and other.head.received is not None and other.head.received > best.head.received
        if later and best.found.attempted < other.found.attempted:
            best, remark = other, errors.COLLECT_WENT_ON.format(branch=shown(other.head.branch))
        elif later and not remark and other.found.file.data != best.found.file.data:
            remark = errors.COLLECT_NEWER.format(branch=shown(other.head.branch), chosen=shown(best.head.branch))
    same = [each for each in several if each.found.file.data == best.found.file.data and each.head.received is not None]
    return min(same, key=lambda each: each.head.received or datetime.max, default=best), remark


def _seen(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
