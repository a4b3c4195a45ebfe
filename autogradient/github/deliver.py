"""Bring feedback to students' repositories: one comment and one check run for each assignment, and
a branch of Markdown. What is there already is left alone.

Nothing of a student's is run here, and what a grader wrote is believed as far as `accepting` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from autogradient.course.config import Course
from autogradient.course.roster import Member
from autogradient.coursework import report
from autogradient.errors import (
    AutogradientError,
    GitError,
    GitHubError,
    OnlyAppsError,
    UncertainError,
)
from autogradient.github import feedback_text, messages, ownership
from autogradient.github.attempt_folders import iso
from autogradient.github.check_results import accept
from autogradient.github.feedback_text import Note
from autogradient.github.git import Bare
from autogradient.github.hosting import Check, Comment, Hosting, PullRequest, Repository
from autogradient.github.letters import Letter, Sorter
from autogradient.github.roster import groups
from autogradient.github.settings import BASE, FEEDBACK, MAIN
from autogradient.model.assignment import Assignment
from autogradient.model.files import digest, write_atomically

#: What an App has to be allowed for this.
PERMISSIONS = {"checks": "write", "contents": "write", "pull_requests": "write", "metadata": "read"}
#: Comments of a repository, and pull requests with a commit or between two branches, that are
#: looked through.
MOST_COMMENTS, MOST_PULLS = 5000, 200
#: Bytes of a file on the branch, and files there, that are kept.
MOST_KEPT, MOST_FILES = 5_000_000, 1000
#: In results/: what was said last in each repository, so that GitHub need not be asked where that
#: has not changed.
MEMORY = ".delivered.json"


@dataclass
class Delivered:
    """What became of a repository: what was done (or, in a rehearsal, would be), what is to be
    said, and what went wrong.
    """

    repository: str
    done: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def deliver(
    hosting: Hosting,
    course: Course,
    members: list[Member],
    assignments: list[Assignment],
    now: datetime,
    *,
    dry_run: bool = False,
    changed: bool = False,
    told: Callable[[Delivered], None] = lambda _: None,
) -> tuple[list[Delivered], list[str]]:
    """Deliver what students may read at a time. Returns what became of each repository, and a
    sentence for each result that was refused.

    With `changed`, GitHub is asked nothing about repositories in which the same was said the last
    time, without trouble. One repository's trouble does not stop the others. Raises GitHubError
    where GitHub would refuse the next one too.
    """
    memory = _Memory(course.results / MEMORY)
    accepted = accept(course, assignments, [member.student for member in members])
    marked = {
        (one.assignment, one.student): one
        for one in report.each_mark(
            course, [a.name for a in assignments], now=now, given=accepted.results
        )
    }
    settings, there = hosting.settings, hosting.repositories()
    sorter = Sorter(course, assignments, accepted, marked, settings.shared)
    mail: list[tuple[str, Repository | None, list[Letter]]] = []
    refusals: dict[str, str] = {}
    for group in groups(members):
        name = settings.repository(group.name)
        repository = there.get(name.lower())
        letters = sorter.own(group.members, repository, f"{settings.organization}/{name}")
        if letters:
            mail.append((f"{settings.organization}/{name}", repository, letters))
            refusals[f"{settings.organization}/{name}"] = (
                ownership.refusal(course, repository, group.name) if repository else ""
            )
    if settings.shared and (letters := sorter.to_shared(members)):
        mail.append((settings.shared, hosting.repository(settings.shared), letters))
    logins = {member.login.lower() for member in members if member.login}
    if accepted.left:
        told(Delivered(settings.organization, remarks=accepted.remarks))
    office, out = _Office(hosting, course, logins, now, dry_run), []
    for full_name, repository, letters in mail:
        done = Delivered(full_name)
        private = repository is not None and repository.is_private
        if changed and memory.knows(full_name, letters, private):
            out.append(done)
            continue
        try:
            if repository is None:
                done.problems.append(messages.DELIVER_NO_REPOSITORY.format(repository=full_name))
            elif refusals.get(full_name):
                done.problems.append(refusals[full_name])
            else:
                office.post(
                    done,
                    repository.full_name,
                    letters,
                    shared=full_name == settings.shared,
                    private=private,
                )
        except AutogradientError as error:
            if isinstance(error, GitHubError) and error.everywhere:
                raise
            done.problems.append(str(error))
        if not dry_run:
            memory.keep(full_name, letters, private, good=not done.problems)
        told(done)
        out.append(done)
    return out, accepted.refused


class _Memory:
    """What was said last in each repository, as a digest by its name and the assignment's."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            said = json.loads(path.read_bytes())
        except (OSError, ValueError):
            said = {}
        self.said: dict[str, str] = said if isinstance(said, dict) else {}

    def knows(self, repository: str, letters: list[Letter], private: bool) -> bool:
        """Whether all of it was said before."""
        return all(
            self.said.get(key) == said
            for key, said in self.entries(repository, letters, private).items()
        )

    def keep(self, repository: str, letters: list[Letter], private: bool, *, good: bool) -> None:
        """Remember what was said, or that something was in the way. Written at once, since the next
        repository may be one too many for GitHub.
        """
        for key, said in self.entries(repository, letters, private).items():
            self.said[key] = said if good else ""
        write_atomically(self.path, json.dumps(self.said, indent=0, sort_keys=True) + "\n")

    def entries(self, repository: str, letters: list[Letter], private: bool) -> dict[str, str]:
        return {
            f"{repository} {letter.assignment.name}": digest(
                json.dumps([private, letter.said]).encode()
            )
            for letter in letters
        }


class _Office:
    """Writes to GitHub what is not there yet."""

    def __init__(
        self, hosting: Hosting, course: Course, logins: set[str], now: datetime, dry_run: bool
    ) -> None:
        self.hosting, self.course, self.logins, self.now, self.dry_run = (
            hosting,
            course,
            logins,
            now,
            dry_run,
        )
        self.checks = True

    def post(
        self,
        done: Delivered,
        full_name: str,
        letters: list[Letter],
        *,
        shared: bool,
        private: bool,
    ) -> None:
        """All that is to be said in one repository."""
        if not private and not shared:
            done.remarks.append(messages.DELIVER_PUBLIC.format(repository=full_name))
        box = _Box(self, done, full_name, shared)
        for letter in letters:
            box.comment(letter)
            box.check(letter.assignment, letter.commit, letter.note)
            if letter.other and private:
                box.check(
                    letter.assignment,
                    letter.other,
                    feedback_text.superseded(letter.assignment, letter.number, letter.over),
                )
        if private and not shared:
            box.branch({letter.assignment.name: letter.note for letter in letters})


@dataclass
class _Box:
    """One repository."""

    office: _Office
    done: Delivered
    full_name: str
    shared: bool
    _comments: list[Comment] | None = None

    @property
    def hosting(self) -> Hosting:
        return self.office.hosting

    def does(self, what: str) -> bool:
        """Note what is done; whether it is to be done now."""
        self.done.done.append(what)
        return not self.office.dry_run

    # ---- the comment -----------------------------------------------------------------------------

    def comment(self, letter: Letter) -> None:
        """One comment on the pull request that a commit is in; one on another pull request says
        where it went.
        """
        name = letter.assignment.name
        number = self.pull(letter)
        if number is None:
            self.done.problems.append(
                messages.DELIVER_NO_PULL.format(repository=self.full_name, name=name)
            )
            return
        mark = f"<!-- autogradient: {name} -->"
        more = (
            messages.WHERE_ELSE.format(branch=FEEDBACK, path=f"{name}.md")
            if letter.note.out
            else ""
        )
        body = f"{mark}\n{feedback_text.cut(letter.note.text, more)}"

        def is_mine(comment: Comment) -> bool:
            return comment.body.startswith(mark) and self.is_ours(comment)

        mine = [comment for comment in self.comments(number) if is_mine(comment)]
        here = [comment for comment in mine if comment.pull_request == number]
        for comment in [] if self.shared else mine:
            title = feedback_text.escape(letter.assignment.title or name)
            moved = f"{mark}\n{messages.MOVED.format(title=title, number=number)}\n"
            self.write(comment, body if comment in here[:1] else moved, name)
        if self.shared and here:
            self.write(here[0], body, name)
        if not here and self.does(messages.DELIVER_COMMENT.format(name=name, number=number)):
            self.hosting.write_comment(
                self.full_name, number, body, is_it=is_mine, most=MOST_COMMENTS
            )

    def write(self, comment: Comment, body: str, name: str) -> None:
        """Change a comment that says something else."""
        if not _same(comment.body, body) and self.does(
            messages.DELIVER_COMMENT.format(name=name, number=comment.pull_request)
        ):
            self.hosting.change_comment(self.full_name, comment, body)

    def comments(self, number: int) -> list[Comment]:
        """The comments that may be ours: of the whole repository where it is a student's, of one
        pull request where it is shared.
        """
        if self.shared:
            return list(self.hosting.comments(self.full_name, number, most=MOST_COMMENTS))
        if self._comments is None:
            self._comments = list(self.hosting.comments(self.full_name, most=MOST_COMMENTS))
        return self._comments

    def is_ours(self, comment: Comment) -> bool:
        """Whether a comment that bears our mark is ours: a student can copy the mark."""
        app = self.hosting.settings.app
        return (
            not (app and comment.app not in (0, app))
            and comment.author.lower() not in self.office.logins
        )

    def pull(self, letter: Letter) -> int | None:
        """The pull request that a commit is in, by GitHub's own word; else the standing one."""
        found: list[PullRequest] = []
        if letter.commit:
            found = self.hosting.pull_requests_with(self.full_name, letter.commit, most=MOST_PULLS)
        found = [
            pull
            for pull in found
            if (pull.base.repository or self.full_name).lower() == self.full_name.lower()
        ]
        if self.shared:
            found = [pull for pull in found if pull.author.lower() == letter.author.lower()]
        found.sort(
            key=lambda pull: (
                not pull.is_open,
                pull.base.name == BASE,
                pull.head.commit != letter.commit,
                pull.number,
            )
        )
        if self.shared or (found and found[0].is_open):
            return found[0].number if found else None
        standing = self.hosting.pull_requests_between(self.full_name, MAIN, BASE, most=MOST_PULLS)
        mine = sorted(standing, key=lambda pull: (not pull.is_open, pull.number)) + found
        return mine[0].number if mine else None

    # ---- the check run ---------------------------------------------------------------------------

    def check(self, assignment: Assignment, commit: str, note: Note) -> None:
        """One check run for a commit and an assignment."""
        if not commit or not self.office.checks:
            return
        name = messages.CHECK_NAME.format(name=assignment.name)
        if self.hosting.check_id(self.full_name, commit, name) == note.digest:
            return
        if not self.does(messages.DELIVER_CHECK.format(name=assignment.name, commit=commit[:10])):
            return
        wanted = Check(
            name,
            note.digest,
            note.conclusion,
            note.title[:200],
            feedback_text.cut(note.text),
            note.annotations,
        )
        try:
            self.hosting.write_check(self.full_name, commit, wanted)
        except OnlyAppsError:
            self.done.done.pop()
            self.office.checks = False
            self.done.remarks.append(messages.DELIVER_NO_CHECKS)
        except GitHubError as error:
            if error.everywhere or isinstance(error, UncertainError):
                raise
            self.done.done.pop()
            # as where the commit is gone; what else there is to be said can be said all the same
            self.done.problems.append(str(error))

    # ---- the branch ------------------------------------------------------------------------------

    def branch(self, by_name: dict[str, Note]) -> None:
        """The feedback as Markdown, on a branch that holds nothing else. Once more where somebody
        pushed there meanwhile.
        """
        for last in (False, True):
            try:
                self.write_branch(by_name)
                return
            except GitError as error:
                if last:
                    self.done.problems.append(
                        messages.DELIVER_BRANCH_REFUSED.format(
                            repository=self.full_name, branch=FEEDBACK, problem=error
                        )
                    )

    def write_branch(self, by_name: dict[str, Note]) -> None:
        url = self.hosting.settings.url(self.full_name)
        files = {f"{name}.md": note.text.encode() for name, note in by_name.items() if note.out}
        with Bare(
            secrets=self.hosting.git_configuration(url), local=url.startswith("file:")
        ) as git:
            parent, before = git.refs(url).get(FEEDBACK, ""), ""
            if parent:
                git.fetch(url, f"refs/heads/{FEEDBACK}", "refs/feedback")
                parent = git.commit("refs/feedback")
                before = git.run("rev-parse", f"{parent}^{{tree}}").decode().strip()
                files |= self.kept(git, parent, by_name)
            if not parent and not files:
                return
            tree = git.change_tree("", dict(files))
            if tree == before:
                return
            names = ", ".join(path.removesuffix(".md") for path in sorted(files))
            what = messages.DELIVER_BRANCH.format(branch=FEEDBACK, names=names)
            if what in self.done.done or self.does(what):
                commit = git.write_commit(
                    tree,
                    [parent] if parent else [],
                    messages.COMMIT_MESSAGE.format(names=names),
                    iso(self.office.now),
                )
                git.push(url, {FEEDBACK: commit})

    def kept(self, git: Bare, commit: str, by_name: dict[str, Note]) -> dict[str, bytes]:
        """The feedback on assignments that are not delivered now."""
        names = {
            f"{name}.md".encode() for name in self.office.course.names() if name not in by_name
        }
        entries = [
            entry
            for entry in git.entries(commit)[0]
            if entry.path in names and entry.kind == "blob" and (entry.size or 0) <= MOST_KEPT
        ][:MOST_FILES]
        contents = git.blobs([entry.oid for entry in entries]) if entries else []
        return {
            entry.path.decode(): data
            for entry, data in zip(entries, contents, strict=True)
            if data is not None
        }


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").rstrip() == other.rstrip()
