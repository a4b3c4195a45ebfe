"""Corrections reach students: for each assignment a pull request with the corrected files and the
student's own notebook, in which their work stands as it was.

Nothing is pushed to a branch of the student's, and nothing over what is there. What a student has
is data: it is read out of the object store and never run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from autogradient import errors
from autogradient.course.config import Course
from autogradient.errors import AutogradientError, CourseError, GitHubError
from autogradient.github import correction_text, messages, ownership
from autogradient.github.attempt_folders import iso
from autogradient.github.corrections import Commit, Correction, Recognisers, Release, correct
from autogradient.github.git import EMAIL, Bare
from autogradient.github.hosting import Hosting, Repository
from autogradient.github.read_commit import shown, take
from autogradient.github.roster import Group
from autogradient.github.settings import MAIN, UPDATE
from autogradient.model.assignment import Assignment

#: What an App has to be allowed for this.
PERMISSIONS = {"contents": "write", "pull_requests": "write", "metadata": "read"}
#: Branches with corrections of one assignment, and pull requests from one of them, that are looked
#: at.
MOST_BRANCHES, MOST_PULLS = 20, 200


@dataclass
class Updated:
    """What became of a repository: what was done (or, in a rehearsal, would be), what is to be
    said, and what went wrong.
    """

    repository: str
    done: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def update(
    hosting: Hosting,
    course: Course,
    groups: list[Group],
    assignments: list[Assignment],
    *,
    dry_run: bool = False,
    told: Callable[[Updated], None] = lambda _: None,
) -> list[Updated]:
    """Open in each group's repository a pull request for each assignment of which it has not the
    present release.

    One repository's trouble does not stop the others. Raises GitHubError where GitHub would refuse
    the next one too.
    """
    settings = hosting.settings
    source = f"{settings.organization}/{settings.release}"
    url = settings.url(source)
    there = hosting.repositories()
    is_there = settings.release.lower() in there
    if not is_there and not dry_run:
        raise CourseError(errors.NO_RELEASE_REPOSITORY.format(repository=source))
    with Bare(secrets=hosting.git_configuration(url), local=url.startswith("file:")) as git:
        if is_there:
            git.fetch(url, f"refs/heads/{MAIN}", "refs/release", whole=True)
        else:  # it would be made, and has no history
            empty = git.write_commit(git.change_tree("", {}), [], "", iso(datetime.now(UTC)))
            git.run("update-ref", "refs/release", empty)
        releases = [Release.of(git, assignment, settings) for assignment in assignments]
    recognisers = Recognisers(course)
    out = []
    for group in groups:
        name = settings.repository(group.name)
        repository = there.get(name.lower())
        done = Updated(
            f"{settings.organization}/{name}" if repository is None else repository.full_name
        )
        try:
            if repository is None:
                done.problems.append(
                    messages.COLLECT_NO_REPOSITORY.format(repository=done.repository)
                )
            elif refusal := ownership.refusal(course, repository, group.name):
                done.problems.append(refusal)
            else:
                _repository(hosting, repository, releases, recognisers, done, dry_run)
        except AutogradientError as error:
            if isinstance(error, GitHubError) and error.everywhere:
                raise
            done.problems.append(str(error))
        told(done)
        out.append(done)
    return out


def _repository(
    hosting: Hosting,
    repository: Repository,
    releases: list[Release],
    recognisers: Recognisers,
    done: Updated,
    dry_run: bool,
) -> None:
    """All assignments of one repository."""
    url, default = hosting.settings.url(done.repository), repository.default_branch
    with Bare(secrets=hosting.git_configuration(url), local=url.startswith("file:")) as git:
        heads = git.refs(url)
        if default not in heads:
            done.problems.append(
                messages.UPDATE_NO_BRANCH.format(repository=done.repository, branch=shown(default))
            )
            return
        work = _Repository(hosting, git, url, default, heads, recognisers, done, dry_run)
        main = work.look(heads[default])
        for release in releases:
            try:
                work.one(release, main)
            except AutogradientError as error:
                if isinstance(error, GitHubError) and error.everywhere:
                    raise
                done.problems.append(f"{done.repository}: {release.assignment.name}: {error}")


@dataclass
class _Branch:
    """Where a correction goes: the branch, its head ("" where there is none), the commit that it is
    made from, and the parents of the new one.
    """

    name: str
    head: str
    base: str
    parents: list[str]
    #: Whether its head has all of the student's main branch.
    is_ahead: bool = False


@dataclass
class _Repository:
    """One student's or team's repository."""

    hosting: Hosting
    git: Bare
    url: str
    default: str
    heads: dict[str, str]
    recognisers: Recognisers
    done: Updated
    dry_run: bool

    def does(self, what: str) -> bool:
        """Note what is done; whether it is to be done now."""
        self.done.done.append(what)
        return not self.dry_run

    def look(self, oid: str) -> Commit:
        """Fetch a commit, and nothing of its history."""
        files, left_out = take(self.git, self.url, oid)
        entries, complete = self.git.entries(oid)
        return Commit(
            oid,
            {entry.path.decode("utf-8", "surrogateescape"): entry.oid for entry in entries},
            files,
            left_out,
            complete,
        )

    def one(self, release: Release, main: Commit) -> None:
        """Bring one assignment up to date."""
        if not main.complete:
            self.done.problems.append(
                messages.UPDATE_TOO_MANY.format(repository=self.done.repository)
            )
            return
        name = release.assignment.name
        correction = correct(release, main, self.recognisers)
        self.done.problems += [
            f"{self.done.repository}: {problem}" for problem in correction.problems
        ]
        if not correction.files:
            return
        branch = self.branch(name)
        if branch.base != main.oid:
            theirs = correct(release, self.look(branch.base), self.recognisers)
            correction.files = theirs.files
        pushed = self.push(release, branch, correction)
        self.pull_request(release, branch, correction, pushed)

    # ---- the branch ------------------------------------------------------------------------------

    def branch(self, name: str) -> _Branch:
        """Where a correction is to be written. On top of what is there; beside it where a student
        has gone on there and elsewhere, too.
        """
        main = self.heads[self.default]
        for number in range(1, MOST_BRANCHES + 1):
            branch = f"{UPDATE}{name}" if number == 1 else f"{UPDATE}{name}-{number}"
            head = self.heads.get(branch, "")
            if not head:
                return _Branch(branch, "", main, [main])
            with Bare(secrets=self.git.secrets, local=self.git.local) as history:
                history.fetch_history(self.url, {"refs/main": main, "refs/head": head})
                theirs = (
                    history.run("log", "--format=%ce", "refs/main..refs/head")
                    .decode("utf-8", "replace")
                    .split()
                )
                behind = bool(
                    history.run("rev-list", "--max-count=1", "refs/head..refs/main").strip()
                )
            # it was merged; git knows by the second parent that nothing is overwritten
            if not theirs:
                return _Branch(branch, head, main, [main, head])
            if set(theirs) == {EMAIL}:
                return _Branch(
                    branch, head, main, [head, main] if behind else [head], is_ahead=not behind
                )
            if not behind:
                return _Branch(branch, head, head, [head], is_ahead=True)
        raise CourseError(messages.UPDATE_BRANCHES.format(branch=f"{UPDATE}{name}"))

    def push(self, release: Release, branch: _Branch, correction: Correction) -> bool:
        """Write the commit and push it, unless it is there. Returns whether it was pushed (or, in a
        rehearsal, would be).
        """
        for oid in {branch.head, branch.base} - {""}:
            if oid != self.heads[self.default]:
                self.git.fetch(self.url, oid, f"refs/update/{oid}")
        tree = self.git.change_tree(branch.base, correction.files)
        if (
            branch.is_ahead
            and tree == self.git.run("rev-parse", f"{branch.head}^{{tree}}").decode().strip()
        ):
            return False
        if self.does(
            messages.UPDATE_BRANCH.format(name=release.assignment.name, branch=branch.name)
        ):
            message = correction_text.message(release.assignment, sorted(correction.files))
            branch.head = self.git.write_commit(
                tree, branch.parents, message, iso(datetime.now(UTC))
            )
            self.git.push(self.url, {branch.name: branch.head})
        return True

    # ---- the pull request ------------------------------------------------------------------------

    def pull_request(
        self, release: Release, branch: _Branch, correction: Correction, pushed: bool
    ) -> None:
        """One that is open for the branch, with a text that says what it brings. What was closed by
        hand stays closed until there is more to bring.
        """
        title, body = (
            correction_text.title(release.assignment, correction.fresh),
            correction_text.body(release.assignment, correction),
        )
        name, repository = release.assignment.name, self.done.repository
        pulls = list(
            self.hosting.pull_requests_between(
                repository, branch.name, self.default, most=MOST_PULLS
            )
        )
        opened = next((pull for pull in pulls if pull.is_open), None)
        number = next((pull.number for pull in pulls if pull.head.commit == branch.head), None)
        if opened is not None:
            if pushed and (opened.body.replace("\r\n", "\n").rstrip(), opened.title) != (
                body.rstrip(),
                title,
            ):
                if self.does(messages.UPDATE_PULL_TEXT.format(name=name, number=opened.number)):
                    self.hosting.change_pull_request(repository, opened.number, title, body)
        elif not pushed and number is not None:
            self.done.remarks.append(
                messages.UPDATE_CLOSED.format(repository=repository, number=number, name=name)
            )
        elif self.does(messages.UPDATE_PULL.format(name=name)):
            self.hosting.open_pull_request(repository, branch.name, self.default, title, body)
