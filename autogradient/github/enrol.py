"""One private repository for each student or team, made from the release repository, with access and a standing pull request. What is there is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from autogradient import errors
from autogradient.errors import AutogradientError, CourseError, GitHubError
from autogradient.github import messages
from autogradient.github.client import Hub
from autogradient.github.git import Bare
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


def enrol(hub: Hub, groups: list[Group], *, dry_run: bool = False, told: Callable[[Enrolled], None] = lambda _: None) -> list[Enrolled]:
    """Do for each group what is missing. One group's trouble does not stop the others; `told` hears of each as it is done.

    Raises GitHubError where GitHub would refuse the next one too.
    """
    settings = hub.settings
    check_names(settings, groups)
    source = f"{settings.organization}/{settings.release}"
    if hub.find(hub.rest.repos.get, owner=settings.organization, repo=settings.release) is None:
        raise CourseError(errors.NO_RELEASE_REPOSITORY.format(repository=source))
    url = settings.url(source)
    out = []
    with Bare(secrets=hub.for_git(url), local=url.startswith("file:")) as git:
        git.fetch(url, f"refs/heads/{MAIN}", "refs/release", whole=True)
        release = git.commit("refs/release")
        date = git.run("show", "-s", "--format=%cI", release).decode().strip()
        start = git.write_commit(f"{release}^{{tree}}", [release], START, date)
        for group in groups:
            enrolled = Enrolled(group, f"{settings.organization}/{settings.repository(group.name)}")
            try:
                git.secrets = hub.for_git(url)
                _Enrolment(hub, git, enrolled, dry_run).all({MAIN: start, BASE: release})
            except AutogradientError as error:
                if isinstance(error, GitHubError) and error.everywhere:
                    raise
                enrolled.problems.append(str(error))
            told(enrolled)
            out.append(enrolled)
    return out


class _Enrolment:
    def __init__(self, hub: Hub, git: Bare, enrolled: Enrolled, dry_run: bool) -> None:
        self.hub, self.git, self.enrolled, self.dry_run = hub, git, enrolled, dry_run
        self.owner, self.name = enrolled.repository.split("/")
        self.where: dict[str, Any] = {"owner": self.owner, "repo": self.name}

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
        rest = self.hub.rest.repos

        def look() -> Any:
            return self.hub.find(rest.get, **self.where)

        found = look()
        if found is None:
            if not self.does(messages.ENROL_REPOSITORY):
                return False
            description = messages.ENROL_DESCRIPTION.format(group=self.enrolled.group.name)
            found, _ = self.hub.once(
                look, lambda: self.hub.call(rest.create_in_org, org=self.owner, name=self.name, description=description, private=True, has_wiki=False)
            )
        if not found["private"]:
            self.enrolled.problems.append(messages.ENROL_PUBLIC.format(repository=self.enrolled.repository))
        return True

    def content(self, branches: dict[str, str], there: bool) -> None:
        url = self.hub.settings.url(self.enrolled.repository)
        present = self.git.refs(url) if there else {}
        if MAIN in present and BASE in present:
            return
        if MAIN in present:  # somebody deleted the other one, or it was no repository of ours
            self.enrolled.problems.append(messages.ENROL_NO_BASE.format(repository=self.enrolled.repository, branch=BASE))
        elif self.does(messages.ENROL_CONTENT):
            self.git.push(url, branches)

    def access(self, there: bool) -> None:
        hub, rest = self.hub, self.hub.rest
        have: set[str] = set()
        if there:
            have |= {str(user["login"]).lower() for user in hub.pages(rest.repos.list_collaborators, **self.where, affiliation="direct")}
            have |= {str((invitation["invitee"] or {}).get("login", "")).lower() for invitation in hub.pages(rest.repos.list_invitations, **self.where)}
        for member in self.enrolled.group.members:
            if not member.login:
                self.enrolled.problems.append(messages.ENROL_NO_LOGIN.format(student=member.student))
            elif member.login.lower() not in have and self.does(messages.ENROL_ACCESS.format(login=member.login)):
                hub.call(rest.repos.add_collaborator, **self.where, username=member.login, permission="push")
        staff = hub.settings.staff
        if staff:
            place = {"org": self.owner, "team_slug": staff, **self.where}
            if hub.find(rest.teams.check_permissions_for_repo_in_org, **place) is None if there else True:
                if self.does(messages.ENROL_STAFF.format(team=staff)):
                    hub.call(rest.teams.add_or_update_repo_permissions_in_org, **place, permission="maintain")

    def pull_request(self, there: bool) -> None:
        hub, rest = self.hub, self.hub.rest.pulls

        def look() -> Any:
            if not there:
                return None
            mine = hub.pages(rest.list, **self.where, state="all", head=f"{self.owner}:{MAIN}", base=BASE)
            return next((pull for pull in mine if pull["head"]["ref"] == MAIN and pull["base"]["ref"] == BASE), None)

        found = look()
        if found is None:
            if self.enrolled.problems and there and BASE not in self.git.refs(hub.settings.url(self.enrolled.repository)):
                return
            if self.does(messages.ENROL_PULL_REQUEST.format(title=TITLE)):
                hub.once(look, lambda: hub.call(rest.create, **self.where, title=TITLE, head=MAIN, base=BASE, body=BODY))
        elif found["state"] == "closed":
            if found.get("merged_at"):
                self.enrolled.problems.append(messages.ENROL_MERGED.format(repository=self.enrolled.repository, number=found["number"], branch=BASE))
            elif self.does(messages.ENROL_REOPEN.format(title=TITLE)):
                hub.call(rest.update, **self.where, pull_number=found["number"], state="open")
