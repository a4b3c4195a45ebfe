"""One private repository for each student or team, made from the release repository, with access
and a standing pull request. What is there is left alone.

Nobody is let into a repository before it is known whose it is: `ownership` says how.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from autogradient import errors
from autogradient.course.config import Course
from autogradient.course.roster import Member
from autogradient.errors import AutogradientError, CourseError, GitHubError
from autogradient.github import messages, ownership
from autogradient.github.accounts import Accounts
from autogradient.github.git import Bare
from autogradient.github.hosting import Collaborator, Hosting, Repository
from autogradient.github.ownership import Run
from autogradient.github.read_commit import shown
from autogradient.github.repository_names import check_names, own_names
from autogradient.github.roster import Group
from autogradient.github.settings import BASE, MAIN

#: What an App has to be allowed for this.
PERMISSIONS = {
    "administration": "write",
    "contents": "write",
    "pull_requests": "write",
    "workflows": "write",
    "metadata": "read",
}
TITLE = "Feedback"
BODY = (
    "This pull request stays open. It shows everything you have changed since you began, and "
    "feedback appears here.\n\n"
    "Push to `main` as often as you like: there is nothing to merge and nothing to close.\n"
)
START = (
    "Begin here\n\nThis commit changes nothing. It lets the Feedback pull request be open "
    "from the first day.\n\n[skip ci]\n"
)


@dataclass
class Enrolled:
    """What became of a group: what was done (or, in a rehearsal, would be), what is to be said, and
    what is in the way.
    """

    group: Group
    repository: str
    done: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


Told = Callable[[Enrolled], None]


def enrol(
    hosting: Hosting,
    course: Course,
    groups: list[Group],
    *,
    revoke: bool = False,
    dry_run: bool = False,
    told: Told = lambda _: None,
) -> list[Enrolled]:
    """Do for each group what is missing; with `revoke`, also take the access of those whom the
    roster does not name.

    One group's trouble does not stop the others; `told` hears of each as it is done. Raises
    CourseError where names are taken or there is no release, GitHubError where GitHub would refuse
    the next one too.
    """
    settings = hosting.settings
    check_names(settings, groups, own_names(course, settings))
    out = []
    with Bare() as git:
        release = _Release(hosting, git)
        start = git.write_commit(
            f"{release.commit}^{{tree}}", [release.commit], START, release.date
        )
        term = _Term(
            hosting,
            release,
            Run.of(course),
            Accounts.load(course.root),
            {m.login.lower() for g in groups for m in g.members if m.login},
            dry_run,
        )
        for group in groups:
            work = _Enrolment(term, group, revoke)
            branches = {MAIN: start, BASE: release.commit}
            out.append(_one(work.enrolled, partial(work.all, branches), told))
        for repository in _left(term, groups):
            work = _Enrolment(
                term,
                Group(repository.full_name.partition("/")[2], ()),
                revoke,
                repository.full_name,
            )
            enrolled = _one(work.enrolled, work.nobodys, lambda _: None)
            if enrolled.done or enrolled.remarks or enrolled.problems:
                told(enrolled)
                out.append(enrolled)
    return out


def archive(
    hosting: Hosting,
    course: Course,
    groups: list[Group],
    *,
    dry_run: bool = False,
    told: Told = lambda _: None,
) -> list[Enrolled]:
    """Archive the repositories of this run: of its groups, and those marked as this run's that are
    no group's any more.

    Raises CourseError and GitHubError as `enrol` does.
    """
    settings = hosting.settings
    check_names(settings, groups, own_names(course, settings))
    with Bare() as git:
        term = _Term(
            hosting,
            _Release(hosting, git),
            Run.of(course),
            Accounts.load(course.root),
            set(),
            dry_run,
        )
        names = [f"{settings.organization}/{settings.repository(group.name)}" for group in groups]
        works = [
            _Enrolment(term, group, False, name) for group, name in zip(groups, names, strict=True)
        ]
        for repository in _left(term, groups):
            works.append(
                _Enrolment(
                    term,
                    Group(repository.full_name.partition("/")[2], ()),
                    False,
                    repository.full_name,
                )
            )
        return [_one(work.enrolled, work.archive, told) for work in works]


def _one(enrolled: Enrolled, work: Callable[[], None], told: Told) -> Enrolled:
    try:
        work()
    except AutogradientError as error:
        if isinstance(error, GitHubError) and error.everywhere:
            raise
        enrolled.problems.append(str(error))
    told(enrolled)
    return enrolled


class _Release:
    """The release repository's history, in a bare repository here."""

    def __init__(self, hosting: Hosting, git: Bare) -> None:
        settings = hosting.settings
        source = f"{settings.organization}/{settings.release}"
        if hosting.repository(source) is None:
            raise CourseError(errors.NO_RELEASE_REPOSITORY.format(repository=source))
        self.git, self.url = git, settings.url(source)
        git.local, git.secrets = self.url.startswith("file:"), hosting.git_configuration(self.url)
        git.fetch(self.url, f"refs/heads/{MAIN}", "refs/release", whole=True)
        self.commit = git.commit("refs/release")
        self.date = git.run("show", "-s", "--format=%cI", self.commit).decode().strip()


@dataclass
class _Term:
    """What holds for all groups. `logins` are those of everybody on the roster."""

    hosting: Hosting
    release: _Release
    run: Run
    accounts: Accounts
    logins: set[str]
    dry_run: bool


def _left(term: _Term, groups: list[Group]) -> list[Repository]:
    """The repositories that are marked as this run's and that no group has any more."""
    settings = term.hosting.settings
    names = {settings.repository(group.name).lower() for group in groups}
    listed = sorted(term.hosting.repositories().items())
    return [
        found
        for name, found in listed
        if name not in names and not found.is_archived and term.run.standing(found) == "ours"
    ]


class _Enrolment:
    """The repository of one group. In a rehearsal everything is looked at and noted, and nothing
    done.
    """

    def __init__(self, term: _Term, group: Group, revoke: bool, repository: str = "") -> None:
        self.term, self.hosting, self.git, self.revoke = (
            term,
            term.hosting,
            term.release.git,
            revoke,
        )
        settings = self.hosting.settings
        self.name = repository or f"{settings.organization}/{settings.repository(group.name)}"
        self.url, self.group, self.enrolled = (
            settings.url(self.name),
            group,
            Enrolled(group, self.name),
        )
        self.present: list[Collaborator] = []
        self.invited: list[Collaborator] = []
        self.branches: dict[str, str] = {}

    def all(self, branches: dict[str, str]) -> None:
        """Do what is missing, once it is known that the repository is this group's."""
        self.git.secrets = self.hosting.git_configuration(self.url)
        found = self.hosting.repository(self.name)
        if found is None and self.does(messages.ENROL_REPOSITORY):
            found = self.hosting.make_repository(self.name, self.term.run.mark(self.group.name))
        if found is not None and not self.is_ours(found, branches[MAIN]):
            return
        there = found is not None
        if found is not None and found.is_public:
            self.enrolled.problems.append(messages.ENROL_PUBLIC.format(repository=self.name))
        self.content(branches)
        self.access()
        self.outsiders()
        self.staff(there)
        self.pull_request(there)

    def nobodys(self) -> None:
        """Say who has access to a repository that no group has any more."""
        self.look()
        self.outsiders()
        if not self.enrolled.done and (self.present or self.invited):
            self.enrolled.remarks.append(messages.ENROL_NOBODYS.format(repository=self.name))

    def archive(self) -> None:
        """Archive the repository, if it is this group's."""
        self.git.secrets = self.hosting.git_configuration(self.url)
        found = self.hosting.repository(self.name)
        if (
            found is None
            or found.is_archived
            or (self.group.members and not self.is_ours(found, "", mark=False))
        ):
            return
        if self.does(messages.ENROL_ARCHIVE):
            self.hosting.archive(self.name)

    def does(self, what: str) -> bool:
        """Note what is done; whether it is to be done now."""
        self.enrolled.done.append(what)
        return not self.term.dry_run

    def refuses(self, sentence: str, **more: str) -> bool:
        """Note why nothing is done here."""
        self.enrolled.problems.append(sentence.format(repository=self.name, **more))
        return False

    def look(self) -> None:
        """See who has access, and who is invited."""
        self.present, self.invited = (
            self.hosting.collaborators(self.name),
            self.hosting.invitations(self.name),
        )

    # ---- whose it is -----------------------------------------------------------------------------

    def is_ours(self, found: Repository, start: str, *, mark: bool = True) -> bool:
        """Whether a repository is this group's in this run; else the reason is noted. One that
        bears no mark yet is given it, if `mark`.
        """
        standing = self.term.run.standing(found, self.group.name)
        if standing == "another's":
            return self.refuses(messages.ENROL_ANOTHERS, mark=shown(found.description))
        if found.is_archived:
            return self.refuses(messages.ENROL_ARCHIVED)
        self.branches = self.git.refs(self.url)
        self.look()
        for each in self.present:
            if each.is_staff and each.account.login.lower() in self.term.logins:
                return self.refuses(messages.ENROL_STUDENT_IN_CHARGE, login=each.account.login)
        if standing == "ours":
            return True
        if not ownership.holds_release(self.git, self.term.release.commit, self.url, self.branches):
            return self.refuses(messages.ENROL_NOT_OURS)
        people = [*self.present, *self.invited]
        if ownership.is_somebody_elses(people, self.group.members, self.term.accounts):
            return self.refuses(
                messages.ENROL_SOMEBODY_ELSES,
                logins=", ".join(
                    sorted(each.account.login for each in people if not each.is_staff)
                ),
            )
        mine = any(
            ownership.is_account_of(each, member, self.term.accounts)
            for each in people
            for member in self.group.members
        )
        if not mine and start and ownership.has_work(self.git, self.url, self.branches, start):
            return self.refuses(messages.ENROL_HAS_WORK, group=self.group.name)
        wanted = self.term.run.mark(self.group.name)
        if (
            mark
            and " ".join(found.description.split()) != wanted
            and self.does(messages.ENROL_MARK)
        ):
            self.hosting.describe(self.name, wanted)
        return True

    # ---- what it holds ---------------------------------------------------------------------------

    def content(self, branches: dict[str, str]) -> None:
        """The release's content and history, where nothing is there yet."""
        if MAIN in self.branches and BASE in self.branches:
            return
        if MAIN in self.branches:  # somebody deleted the other one
            self.enrolled.problems.append(
                messages.ENROL_NO_BASE.format(repository=self.name, branch=BASE)
            )
        else:
            if self.does(messages.ENROL_CONTENT):
                self.git.push(self.url, branches)
            self.branches = {**self.branches, **branches}

    def pull_request(self, there: bool) -> None:
        """The standing pull request, open."""
        found = (
            next(self.hosting.pull_requests_between(self.name, MAIN, BASE), None) if there else None
        )
        if found is None:
            if BASE not in self.branches:
                return
            if self.does(messages.ENROL_PULL_REQUEST.format(title=TITLE)):
                self.hosting.open_pull_request(self.name, MAIN, BASE, TITLE, BODY)
        elif found.is_merged:
            self.enrolled.problems.append(
                messages.ENROL_MERGED.format(repository=self.name, number=found.number, branch=BASE)
            )
        elif not found.is_open and self.does(messages.ENROL_REOPEN.format(title=TITLE)):
            self.hosting.reopen_pull_request(self.name, found.number)

    # ---- who is let in ---------------------------------------------------------------------------

    def access(self) -> None:
        """Invitations for those who have no access yet, or whose invitation has expired."""
        for member in self.group.members:
            if not member.login:
                self.enrolled.problems.append(
                    messages.ENROL_NO_LOGIN.format(student=member.student)
                )
            else:
                self.let_in(member)

    def let_in(self, member: Member) -> None:
        """Invite one student: the account that accepted before, whatever it is called now, and no
        other one.
        """
        accounts, known = self.term.accounts, self.term.accounts.of(member)
        called = [each for each in [*self.present, *self.invited] if each.is_called(member.login)]
        if known and any(each.account.id != known.id for each in called):
            self.enrolled.problems.append(
                messages.ENROL_ANOTHER_ACCOUNT.format(student=member.student, login=member.login)
            )
            return
        for each in self.present:
            if ownership.is_account_of(each, member, accounts):
                if not each.is_called(known.now if known else member.login):
                    self.renamed(member, each.account.login)
                if not self.term.dry_run:
                    accounts.accepted(member, each.account.id, each.account.login)
                return
        pending = [each for each in self.invited if ownership.is_account_of(each, member, accounts)]
        if any(not each.is_expired for each in pending):
            return
        login = self.login_now(member) if known else member.login
        if not login:
            return
        if pending and self.does(messages.ENROL_ACCESS_AGAIN.format(login=login)):
            for each in pending:
                self.hosting.withdraw_invitation(self.name, each.invitation)
            self.hosting.add_collaborator(self.name, login)
        elif not pending and self.does(messages.ENROL_ACCESS.format(login=login)):
            self.hosting.add_collaborator(self.name, login)

    def login_now(self, member: Member) -> str:
        """What the account that a student accepted with is called now; "" where it is gone, which
        is noted.
        """
        known = self.term.accounts.of(member)
        assert known is not None
        account = self.hosting.account(known.id)
        if account is not None:
            if account.login.lower() != known.now.lower():
                self.renamed(member, account.login)
                if not self.term.dry_run:
                    self.term.accounts.accepted(member, account.id, account.login)
            return account.login
        said = (
            messages.ENROL_ACCOUNT_GONE
            if self.hosting.account(member.login) is None
            else messages.ENROL_ANOTHER_ACCOUNT
        )
        self.enrolled.problems.append(said.format(student=member.student, login=member.login))
        return ""

    def renamed(self, member: Member, now: str) -> None:
        """Note that an account is called otherwise now."""
        self.enrolled.remarks.append(
            messages.ENROL_RENAMED.format(student=member.student, old=member.login, new=now)
        )

    def outsiders(self) -> None:
        """Those who have access and are not on the roster for it: said, or taken away."""
        for each in ownership.outsiders(
            [*self.present, *self.invited], self.group.members, self.term.accounts
        ):
            login = each.account.login
            if not self.revoke:
                role = "invited" if each.invitation else each.role
                self.enrolled.remarks.append(
                    messages.ENROL_OUTSIDER.format(repository=self.name, login=login, role=role)
                )
            elif each.invitation and self.does(messages.REVOKE_INVITATION.format(login=login)):
                self.hosting.withdraw_invitation(self.name, each.invitation)
            elif not each.invitation and self.does(messages.REVOKE_ACCESS.format(login=login)):
                self.hosting.remove_collaborator(self.name, login)

    def staff(self, there: bool) -> None:
        """Access for the staff's team."""
        team = self.hosting.settings.staff
        if (
            team
            and not (there and team in self.hosting.teams(self.name))
            and self.does(messages.ENROL_STAFF.format(team=team))
        ):
            self.hosting.add_team(self.name, team)
