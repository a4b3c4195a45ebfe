"""Where the course's repositories are hosted, as the course speaks of it: what it asks for and what
it has made there, without a word of how that is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from autogradient.github.settings import Settings

Conclusion = Literal["success", "failure", "neutral"]
#: How much of a listing is read, unless less will do.
MOST = 10_000
#: What the `external_id` of a check of ours begins with.
OURS = "autogradient:"


@dataclass(frozen=True)
class Repository:
    """A repository. An internal one can be read by everybody in the organisation's enterprise."""

    full_name: str
    visibility: Literal["public", "internal", "private"]
    default_branch: str
    #: One line about it, which only those can change who maintain it.
    description: str = ""
    #: Whether it can only be read any more.
    is_archived: bool = False

    @property
    def is_public(self) -> bool:
        """Whether everybody can read it."""
        return self.visibility == "public"

    @property
    def is_private(self) -> bool:
        """Whether nobody but those who were let in can read it."""
        return self.visibility == "private"


@dataclass(frozen=True)
class Account:
    """Somebody's account. Its number stays when its login is changed, and a login that was given up
    can be registered by somebody else.
    """

    id: int
    login: str


@dataclass(frozen=True)
class Collaborator:
    """Somebody who was given access to a repository, or, with the number of an invitation, is
    invited to have it.
    """

    account: Account
    role: str
    invitation: int = 0
    is_expired: bool = False

    @property
    def is_staff(self) -> bool:
        """Whether they may do more there than read and push, which students never may."""
        return self.role in ("maintain", "admin")

    def is_called(self, login: str) -> bool:
        """Whether that is their login."""
        return self.account.login.lower() == login.lower()


@dataclass(frozen=True)
class Branch:
    """A branch and the commit at its head; `repository` is "" where that is gone."""

    repository: str
    name: str
    commit: str


@dataclass(frozen=True)
class PullRequest:
    """A pull request, from the branch `head` to the branch `base`; `author` is "" where that
    account is gone.
    """

    number: int
    title: str
    body: str
    author: str
    head: Branch
    base: Branch
    is_open: bool
    is_merged: bool
    created: datetime
    updated: datetime
    closed: datetime | None


@dataclass(frozen=True)
class Comment:
    """A comment on a pull request; `author` is "" where that account is gone, `app` 0 where no App
    wrote it.
    """

    id: int
    pull_request: int
    body: str
    author: str
    app: int


@dataclass(frozen=True)
class Annotation:
    """A remark at some lines of a file."""

    path: str
    start_line: int
    end_line: int
    annotation_level: Literal["notice", "warning", "failure"]
    title: str
    message: str


@dataclass(frozen=True)
class Check:
    """A check run that has ended, of which there is one by its name at a commit; `external_id` is
    our own name for all that it says.
    """

    name: str
    external_id: str
    conclusion: Conclusion
    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True)
class Push:
    """That a ref was moved to a commit (all zeros where it was deleted), and when."""

    received: datetime
    ref: str
    commit: str


class Hosting(Protocol):
    """A place where repositories, pull requests, comments and checks are; repositories are named
    OWNER/NAME.

    Every method raises GitHubError where it is refused, limited or given no answer. What makes
    something makes it once, even where an answer is lost. `most` bounds how much of a listing is
    read.
    """

    @property
    def settings(self) -> Settings:
        """Where the course lives there."""

    def git_configuration(self, url: str) -> dict[str, str]:
        """What lets git in at an address."""

    # ---- repositories ----------------------------------------------------------------------------

    def repositories(self) -> dict[str, Repository]:
        """The organisation's repositories, by their names (without owner) in lower case."""

    def repository(self, full_name: str) -> Repository | None:
        """One repository; None where there is none that we may see."""

    def make_repository(self, full_name: str, description: str) -> Repository:
        """A private repository of the organisation's, which is made unless it is there."""

    def describe(self, repository: str, description: str) -> None:
        """Give a repository another description."""

    def archive(self, repository: str) -> None:
        """Let a repository only be read from now on."""

    def branches(self, repository: str, *, most: int = MOST) -> Iterator[Branch]:
        """The branches as they stand now."""

    def pushes(self, repository: str, *, most: int = MOST) -> Iterator[Push]:
        """The record of pushes, newest first."""

    # ---- who may do what -------------------------------------------------------------------------

    def collaborators(self, repository: str) -> list[Collaborator]:
        """Those who were given access, each by themselves."""

    def invitations(self, repository: str) -> list[Collaborator]:
        """Those who are invited and have not accepted, also where the invitation has expired."""

    def add_collaborator(self, repository: str, login: str) -> None:
        """Let somebody read and push, or invite them to."""

    def remove_collaborator(self, repository: str, login: str) -> None:
        """Take the access that somebody was given."""

    def withdraw_invitation(self, repository: str, invitation: int) -> None:
        """Take an invitation back."""

    def teams(self, repository: str) -> dict[str, str]:
        """The organisation's teams that have access, by their slugs, and what they may do."""

    def add_team(self, repository: str, team: str) -> None:
        """Let one of the organisation's teams maintain a repository."""

    def account(self, who: str | int) -> Account | None:
        """Somebody by login or by number; None where there is nobody."""

    # ---- pull requests ---------------------------------------------------------------------------

    def pull_requests(
        self, repository: str, state: Literal["open", "all"], *, most: int = MOST
    ) -> Iterator[PullRequest]:
        """The pull requests to a repository, newest first."""

    def pull_requests_between(
        self, repository: str, head: str, base: str, *, most: int = MOST
    ) -> Iterator[PullRequest]:
        """Those from one branch of a repository to another, open and closed."""

    def pull_requests_with(
        self, repository: str, commit: str, *, most: int = MOST
    ) -> list[PullRequest]:
        """Those that a commit is in; none where there is no such commit."""

    def open_pull_request(
        self, repository: str, head: str, base: str, title: str, body: str
    ) -> PullRequest:
        """One from a branch of a repository to another, which is opened unless one is open."""

    def change_pull_request(self, repository: str, number: int, title: str, body: str) -> None:
        """Give a pull request another title and text."""

    def reopen_pull_request(self, repository: str, number: int) -> None:
        """Open a pull request that was closed."""

    # ---- comments --------------------------------------------------------------------------------

    def comments(
        self, repository: str, pull_request: int | None = None, *, most: int = MOST
    ) -> Iterator[Comment]:
        """The comments on one pull request, or on all of a repository's."""

    def write_comment(
        self,
        repository: str,
        pull_request: int,
        body: str,
        *,
        is_it: Callable[[Comment], bool],
        most: int = MOST,
    ) -> Comment:
        """A comment on a pull request, which is written unless one is there of which
        `is_it` holds.
        """

    def change_comment(self, repository: str, comment: Comment, body: str) -> None:
        """Give a comment another text."""

    # ---- checks ----------------------------------------------------------------------------------

    def check_id(self, repository: str, commit: str, name: str) -> str:
        """The `external_id` of our check at a commit; "" where there is none, or no such commit."""

    def write_check(self, repository: str, commit: str, check: Check) -> None:
        """Put a check at a commit, in the place of the one by that name, unless it is there. One
        whose writing broke off is gone on with.

        Raises OnlyAppsError where we are none of those who may.
        """
