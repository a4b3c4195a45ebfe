"""Bring what students handed in into submitted/, an attempt for each notebook that is new. One
student's trouble does not stop the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from autogradient.course import times
from autogradient.course.config import Course
from autogradient.course.roster import Member
from autogradient.errors import AutogradientError, GitHubError, relative
from autogradient.github import attempt_folders, messages, ownership
from autogradient.github import pushes as heads
from autogradient.github.accounts import Accounts
from autogradient.github.archive import HandedIn, Sorter
from autogradient.github.attempt_folders import Receipt
from autogradient.github.candidates import Candidate, Looking, State, choose
from autogradient.github.deadlines import Deadlines
from autogradient.github.git import Bare
from autogradient.github.hosting import Hosting, PullRequest, Repository
from autogradient.github.ownership import Run
from autogradient.github.platform_attempts import Taken, instead
from autogradient.github.platform_attempts import take as take_attempts
from autogradient.github.pushes import Head
from autogradient.github.read_commit import shown, take
from autogradient.github.recognise import Recogniser
from autogradient.github.roster import Group, groups
from autogradient.github.settings import BASE
from autogradient.grading import messages as left_out_messages
from autogradient.grading.find_submissions import LEFT_OUT_FILE, student_folder
from autogradient.model.files import digest, write_atomically

#: What an App has to be allowed for this.
PERMISSIONS = {"contents": "read", "pull_requests": "read", "metadata": "read"}
#: In submitted/STUDENT/: which heads were looked at last, so that nothing is fetched where none has
#: moved.
SEEN = ".collected.json"


@dataclass
class Collected:
    """What came of one student or team: the new attempts, what is to be said about what was left
    out, and what went wrong.
    """

    who: str
    attempts: list[Path] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Collector:
    """Collects for one course: how things stand now, and how they stood at each deadline that has
    passed since, so that a later push hides nothing.

    `at` takes what had been pushed at that time instead; `told` hears of each student or team as it
    is done.
    """

    def __init__(
        self,
        course: Course,
        members: list[Member],
        recogniser: Recogniser,
        told: Callable[[Collected], None] = lambda _: None,
    ) -> None:
        self.course, self.members, self.recogniser, self.told = course, members, recogniser, told
        self.now = datetime.now(UTC)
        self.deadlines = Deadlines(
            course, [assignment.name for assignment in recogniser.assignments], self.now
        )

    # ---- GitHub ----------------------------------------------------------------------------------

    def from_repositories(self, hosting: Hosting, at: datetime | None = None) -> list[Collected]:
        """From each student's or team's own repository. Raises GitHubError where GitHub would
        refuse the next one too.
        """
        there = hosting.repositories()
        out = []
        for group in groups(self.members):
            name = hosting.settings.repository(group.name)

            def work(done: Collected, group: Group = group, name: str = name) -> None:
                repository = there.get(name.lower())
                if repository is None:
                    done.remarks.append(
                        messages.COLLECT_NO_REPOSITORY.format(
                            repository=f"{hosting.settings.organization}/{name}"
                        )
                    )
                elif refusal := self._refusal(hosting, repository, group):
                    done.problems.append(refusal)
                else:
                    self._repository(hosting, repository, group, at, done)

            out.append(self._one(group.name, work))
        return out

    def _refusal(self, hosting: Hosting, repository: Repository, group: Group) -> str:
        """Why nothing is taken from a repository: another run's mark, or that others can write to
        it and nobody of the group. "" where it is the group's.
        """
        if Run.of(self.course).standing(repository, group.name) == "unmarked":
            accounts = Accounts.load(self.course.root)
            if ownership.is_somebody_elses(
                hosting.collaborators(repository.full_name), group.members, accounts
            ):
                return messages.COLLECT_SOMEBODY_ELSES.format(
                    repository=repository.full_name, group=group.name
                )
        return ownership.refusal(self.course, repository, group.name)

    def from_pulls(self, hosting: Hosting, at: datetime | None = None) -> list[Collected]:
        """From the pull requests to one shared repository. Raises GitHubError where GitHub would
        refuse the next one too.
        """
        full_name = hosting.settings.shared
        by_login = {member.login.lower(): member for member in self.members if member.login}
        pulls: dict[str, list[PullRequest]] = {}
        strangers = Collected(full_name)
        past = at is not None or self.deadlines.passed
        for pull in hosting.pull_requests(full_name, "all" if past else "open"):
            if pull.author.lower() in by_login:
                pulls.setdefault(by_login[pull.author.lower()].student, []).append(pull)
            elif at is not None or pull.is_open:
                strangers.remarks.append(
                    messages.COLLECT_STRANGER.format(number=pull.number, login=shown(pull.author))
                )
        out = [strangers] if strangers.remarks else []
        if strangers.remarks:
            self.told(strangers)
        for member in self.members:
            mine = pulls.get(member.student, [])

            def work(
                done: Collected, member: Member = member, mine: list[PullRequest] = mine
            ) -> None:
                group, records = Group(member.student, (member,)), dict[str, heads.Record]()

                def found(moment: datetime | None) -> list[Head]:
                    there = [
                        self._of_pull(hosting, pull, moment, records)
                        for pull in mine
                        if heads.is_open(pull, moment)
                    ]
                    return sorted(
                        (head for head in there if head),
                        key=lambda head: (head.received or self.now, head.pull_request),
                        reverse=True,
                    )

                self._heads(
                    hosting,
                    full_name,
                    self._states(group, found, at),
                    group,
                    done,
                    at,
                    "pull request",
                )

            if mine:
                out.append(self._one(member.student, work))
        return out

    def _of_pull(
        self,
        hosting: Hosting,
        pull: PullRequest,
        at: datetime | None,
        records: dict[str, heads.Record],
    ) -> Head | None:
        """The head of a pull request; the record of one repository is asked for once."""
        source = pull.head.repository
        if source not in records:
            records[source] = heads.record_of_pull(hosting, pull)
        return heads.of_pull(pull, records[source], at)

    def _repository(
        self,
        hosting: Hosting,
        repository: Repository,
        group: Group,
        at: datetime | None,
        done: Collected,
    ) -> None:
        past = at is not None or bool(self.deadlines.of(group))
        standing = heads.Standing.of(hosting, repository, now=at is None, past=past)

        def found(moment: datetime | None) -> list[Head]:
            there = standing.heads(moment)
            for head in [head for head in there if head.received is None and at is not None]:
                done.remarks.append(messages.COLLECT_NO_RECORD.format(branch=shown(head.branch)))
            return [head for head in there if moment is None or head.received is not None]

        self._heads(
            hosting,
            repository.full_name,
            self._states(group, found, at),
            group,
            done,
            at,
            "repository",
        )

    def _states(
        self, group: Group, found: Callable[[datetime | None], list[Head]], at: datetime | None
    ) -> list[State]:
        """What is to be looked at: how it stood at each deadline that has passed, and how it stands
        now; or, with `at`, how it stood then.
        """
        if at is not None:
            return [State(at, None, tuple(found(at)))]
        passed = self.deadlines.of(group)
        return [
            *(
                State(moment, names, tuple(found(moment)))
                for moment, names in sorted(passed.items())
            ),
            State(None, None, tuple(found(None))),
        ]

    def _heads(
        self,
        hosting: Hosting,
        repository: str,
        states: list[State],
        group: Group,
        done: Collected,
        at: datetime | None,
        source: str,
    ) -> None:
        assignments = self._assignments()
        marks = [
            student_folder(self.course.submitted, member.student) / SEEN for member in group.members
        ]
        seen = [_seen(mark, repository, assignments) for mark in marks] if at is None else [{}]
        todo = [
            state
            for state in states
            if not all(before.get(state.name) == state.digest for before in seen)
        ]
        if not todo:
            return
        url = hosting.settings.url(repository)
        with Bare(secrets=hosting.git_configuration(url), local=url.startswith("file:")) as git:
            looking = Looking(
                git,
                url,
                self.recogniser,
                self._begun(git, url, source),
                done.remarks,
                done.problems,
            )
            found = [(state, looking.candidates(state)) for state in todo]
        for state, candidates in found:
            for name, several in sorted(candidates.items()):
                candidate, remark = choose(several)
                remarks = (
                    [
                        messages.COLLECT_AS_IT_STOOD.format(
                            moment=times.shown(state.at, self.course.policy.zone)
                        )
                    ]
                    if state.at and at is None
                    else []
                )
                self._add(
                    group,
                    name,
                    candidate,
                    source,
                    repository,
                    [*remarks, *([remark] if remark else [])],
                    done,
                )
        if at is None and not looking.trouble:
            known = {
                "repository": repository,
                "assignments": assignments,
                "states": {state.name: state.digest for state in states},
            }
            for mark in marks:
                write_atomically(mark, json.dumps(known) + "\n")

    def _begun(self, git: Bare, url: str, source: str) -> set[str]:
        """The notebooks as the student got them, which may be of an older release:
        their digests.
        """
        if source != "repository":
            return set()
        try:
            return {digest(file.data) for file in take(git, url, f"refs/heads/{BASE}")[0]}
        except AutogradientError:  # it is a help, no more
            return set()

    def _add(
        self,
        group: Group,
        name: str,
        candidate: Candidate,
        source: str,
        repository: str,
        remarks: list[str],
        done: Collected,
    ) -> None:
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
            remarks=remarks,
        )
        self._write(group.members, name, found.file.data, receipt, done)

    # ---- folders and archives --------------------------------------------------------------------

    def from_path(
        self,
        path: Path,
        pattern: str = "",
        received: datetime | None = None,
        names: dict[str, str] | None = None,
    ) -> list[Collected]:
        """From a folder, or a zip that a learning platform made. `names` are whom it means by names
        that the roster does not tell.
        """
        out, in_full = [], list[str]()
        by_id = {member.student: member for member in self.members}
        for handed in Sorter(
            self.members, pattern, names=names, zone=self.course.policy.zone
        ).students(path, received):

            def work(done: Collected, handed: HandedIn = handed) -> None:
                taken = take_attempts(handed, self.recogniser)
                done.remarks += taken.remarks
                in_full.extend(f"{done.who}: {sentence}" for sentence in taken.in_full)
                for one in taken.attempts:
                    source, by, found = (
                        "folder" if path.is_dir() else "archive",
                        one.placed.by if one.received else "nobody",
                        one.found,
                    )
                    receipt = Receipt(
                        one.received,
                        by,
                        source,
                        found.file.path,
                        found.how,
                        digest(found.file.data),
                        repository=path.name,
                    )
                    self._write(
                        (by_id[handed.student],), found.assignment, found.file.data, receipt, done
                    )
                if handed.student:
                    self._unread(by_id[handed.student], taken, path, done)

            out.append(self._one(handed.student or path.name, work))
        if in_full:
            file = self.course.submitted / LEFT_OUT_FILE
            write_atomically(file, "\n".join(in_full) + "\n")
            said = Collected(
                path.name, remarks=[left_out_messages.LEFT_ALL_IN.format(file=relative(file))]
            )
            self.told(said)
            out = [*out, said] if not any(each.who == path.name for each in out) else out
        return out

    def _unread(self, member: Member, taken: Taken, path: Path, done: Collected) -> None:
        """Who handed in something that is no notebook, and nothing else, has handed in: it is
        kept as an attempt that cannot be read.
        """
        names = [assignment.name for assignment in self.recogniser.assignments]
        kept = instead(taken, path, names)
        if taken.unread and not taken.attempts and not kept:
            done.remarks.append(messages.TAKE_WHICH)
        for one in kept:
            folder = student_folder(self.course.submitted, member.student) / one.assignment
            if folder.is_dir() and any(folder.iterdir()):
                continue
            receipt = Receipt(
                one.placed.received,
                one.placed.by if one.placed.received else "nobody",
                "folder" if path.is_dir() else "archive",
                shown(one.placed.path),
                one.how,
                digest(one.data),
                repository=path.name,
            )
            self._write((member,), one.assignment, one.data, receipt, done)

    # ---- shared ----------------------------------------------------------------------------------

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

    def _write(
        self, members: Iterable[Member], name: str, data: bytes, receipt: Receipt, done: Collected
    ) -> None:
        for member in members:
            attempt = attempt_folders.add(
                self.course.submitted, member.student, name, data, receipt, self.course.policy
            )
            if attempt is not None:
                done.attempts.append(attempt)

    def _assignments(self) -> str:
        """What recognition depends on."""
        known = sorted(
            f"{assignment.name} {assignment.digest}" for assignment in self.recogniser.assignments
        )
        return digest("\n".join(known).encode())


def _seen(path: Path, repository: str, assignments: str) -> dict[str, str]:
    """The states that were looked at last, as digests by their names; none where that was another
    repository or of other assignments.
    """
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    is_same = isinstance(before, dict) and (
        before.get("repository"),
        before.get("assignments"),
    ) == (repository, assignments)
    return before["states"] if is_same and isinstance(before.get("states"), dict) else {}
