"""One private repository for each student or team, made from the release repository, with access and a standing pull request. What is there is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from autogradient import errors
from autogradient.errors import AutogradientError, CourseError, GitHubError
from autogradient.github import messages
from autogradient.github.git import Bare
from autogradient.github.hosting import Hosting
from autogradient.github.roster import Group
from autogradient.github.settings import BASE, MAIN, Settings

#: What an App has to be allowed for this.
PERMISSIONS = {"administration": "write", "contents": "write", "pull_requests": "write", "workflows": "write", "metadata": "read"}
TITLE = "Feedback"
BODY = """This pull request stays open. It shows everything you have changed since you began, and feedback appears here.

Push to `main` as often as you like: there is nothing to merge and nothing to close.
"""
START = "Begin here\n\nThis commit changes nothing. It lets the Feedback pull request be open from the first day.\n\n[skip ci]\n"


@dataclass
class Enrolled:
    """What became of a group: what was done (or, in a rehearsal, would be), and what is in the way."""

    group: Group
    repository: str
    done: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check_names(settings: Settings, groups: Iterable[Group]) -> None:
    """Raise CourseError where two groups would share a repository, or one would take the release repository or that of the marks."""
    taken = {name.lower(): name for name in (settings.release, settings.marks) if name}
    for group in groups:
        name = settings.repository(group.name)
        if name.lower() in taken:
            raise CourseError(errors.SAME_REPOSITORY.format(one=taken[name.lower()], other=group.name, repository=name))
        taken[name.lower()] = group.name


def enrol(hosting: Hosting, groups: list[Group], *, dry_run: bool = False, told: Callable[[Enrolled], None] = lambda _: None) -> list[Enrolled]:
    """Do for each group what is missing. One group's trouble does not stop the others; `told` hears of each as it is done.

    Raises GitHubError where GitHub would refuse the next one too.
    """
    settings = hosting.settings
    check_names(settings, groups)
    source = f"{settings.organization}/{settings.release}"
    if hosting.repository(source) is None:
        raise CourseError(errors.NO_RELEASE_REPOSITORY.format(repository=source))
    url = settings.url(source)
    out = []
    with Bare(secrets=hosting.git_configuration(url), local=url.startswith("file:")) as git:
        git.fetch(url, f"refs/heads/{MAIN}", "refs/release", whole=True)
        release = git.commit("refs/release")
        date = git.run("show", "-s", "--format=%cI", release).decode().strip()
        start = git.write_commit(f"{release}^{{tree}}", [release], START, date)
        for group in groups:
            enrolled = Enrolled(group, f"{settings.organization}/{settings.repository(group.name)}")
            try:
                git.secrets = hosting.git_configuration(url)
                _Enrolment(hosting, git, enrolled, dry_run).all({MAIN: start, BASE: release})
            except AutogradientError as error:
                if isinstance(error, GitHubError) and error.everywhere:
                    raise
                enrolled.problems.append(str(error))
            told(enrolled)
            out.append(enrolled)
    return out


class _Enrolment:
    def __init__(self, hosting: Hosting, git: Bare, enrolled: Enrolled, dry_run: bool) -> None:
        self.hosting, self.git, self.enrolled, self.dry_run = hosting, git, enrolled, dry_run
        self.name, self.url = enrolled.repository, hosting.settings.url(enrolled.repository)

    def all(self, branches: dict[str, str]) -> None:
        there = self.repository()
        self.content(branches, there)
        self.access(there)
        self.pull_request(there)

    def does(self, what: str) -> bool:
        """Note what is done; whether it is to be done now."""
        self.enrolled.done.append(what)
        return not self.dry_run

    def repository(self) -> bool:
        found = self.hosting.repository(self.name)
        if found is None:
            if not self.does(messages.ENROL_REPOSITORY):
                return False
            found = self.hosting.make_repository(self.name, messages.ENROL_DESCRIPTION.format(group=self.enrolled.group.name))
        if found.is_public:
            self.enrolled.problems.append(messages.ENROL_PUBLIC.format(repository=self.name))
        return True

    def content(self, branches: dict[str, str], there: bool) -> None:
        present = self.git.refs(self.url) if there else {}
        if MAIN in present and BASE in present:
            return
        if MAIN in present:  # somebody deleted the other one, or it was no repository of ours
            self.enrolled.problems.append(messages.ENROL_NO_BASE.format(repository=self.name, branch=BASE))
        elif self.does(messages.ENROL_CONTENT):
            self.git.push(self.url, branches)

    def access(self, there: bool) -> None:
        have = self.hosting.collaborators(self.name) if there else set()
        for member in self.enrolled.group.members:
            if not member.login:
                self.enrolled.problems.append(messages.ENROL_NO_LOGIN.format(student=member.student))
            elif member.login.lower() not in have and self.does(messages.ENROL_ACCESS.format(login=member.login)):
                self.hosting.add_collaborator(self.name, member.login)
        staff = self.hosting.settings.staff
        if staff and not (there and self.hosting.has_team(self.name, staff)) and self.does(messages.ENROL_STAFF.format(team=staff)):
            self.hosting.add_team(self.name, staff)

    def pull_request(self, there: bool) -> None:
        found = next(self.hosting.pull_requests_between(self.name, MAIN, BASE), None) if there else None
        if found is None:
            if self.enrolled.problems and there and BASE not in self.git.refs(self.url):
                return
            if self.does(messages.ENROL_PULL_REQUEST.format(title=TITLE)):
                self.hosting.open_pull_request(self.name, MAIN, BASE, TITLE, BODY)
        elif found.is_merged:
            self.enrolled.problems.append(messages.ENROL_MERGED.format(repository=self.name, number=found.number, branch=BASE))
        elif not found.is_open and self.does(messages.ENROL_REOPEN.format(title=TITLE)):
            self.hosting.reopen_pull_request(self.name, found.number)
