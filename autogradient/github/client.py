"""GitHub as the course's `Hosting`: the REST calls behind what it asks for, and GitHub's answers as
what it speaks of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Literal

from autogradient.errors import GitHubError, OnlyAppsError
from autogradient.github.connection import Connection
from autogradient.github.hosting import (
    MOST,
    OURS,
    Account,
    Annotation,
    Branch,
    Check,
    Collaborator,
    Comment,
    PullRequest,
    Push,
    Repository,
)
from autogradient.github.settings import MAIN

#: An object as it comes over the wire, or goes.
Wire = dict[str, Any]
#: Annotations that GitHub takes with one request.
AT_ONCE = 50
#: Permissions as GitHub lists them, the highest first, and the roles that they are.
ROLES = {
    "admin": "admin",
    "maintain": "maintain",
    "push": "write",
    "triage": "triage",
    "pull": "read",
}
#: The `external_id` of a check that is not whole yet.
UNFINISHED = f"{OURS}unfinished"


class GitHubClient(Connection):
    """GitHub as the course's `Hosting`."""

    # ---- repositories ----------------------------------------------------------------------------

    def repositories(self) -> dict[str, Repository]:
        """The organisation's repositories, by their names (without owner) in lower case."""
        listed = self.pages(self.rest.repos.list_for_org, org=self.settings.organization)
        return {str(each["name"]).lower(): _repository(each) for each in listed}

    def repository(self, full_name: str) -> Repository | None:
        """One repository; None where there is none that we may see."""
        try:
            found = self.find(self.rest.repos.get, **_where(full_name))
        except GitHubError as error:
            # no token is made for a repository that is not there
            if error.status != 422 or not self.only:
                raise
            found = None
        return None if found is None else _repository(found)

    def make_repository(self, full_name: str, description: str) -> Repository:
        """A private repository of the organisation's, which is made unless it is there."""
        org, name = full_name.split("/")
        about = {"description": description, "private": True, "has_wiki": False}
        return self.once(
            lambda: self.repository(full_name),
            lambda: _repository(
                self.call(self.rest.repos.create_in_org, org=org, name=name, **about)
            ),
        )

    def describe(self, repository: str, description: str) -> None:
        """Give a repository another description."""
        self.call(self.rest.repos.update, **_where(repository), description=description)

    def archive(self, repository: str) -> None:
        """Let a repository only be read from now on."""
        self.call(self.rest.repos.update, **_where(repository), archived=True)

    def branches(self, repository: str, *, most: int = MOST) -> Iterator[Branch]:
        """The branches as they stand now."""
        for each in self.pages(self.rest.repos.list_branches, most=most, **_where(repository)):
            yield Branch(repository, str(each["name"]), str(each["commit"]["sha"]))

    def pushes(self, repository: str, *, most: int = MOST) -> Iterator[Push]:
        """The record of pushes, newest first."""
        for each in self.pages(self.rest.repos.list_activities, most=most, **_where(repository)):
            yield Push(_time(each["timestamp"]), str(each["ref"]), str(each["after"]))

    # ---- who may do what -------------------------------------------------------------------------

    def collaborators(self, repository: str) -> list[Collaborator]:
        """Those who were given access, each by themselves."""
        listed = self.pages(
            self.rest.repos.list_collaborators, **_where(repository), affiliation="direct"
        )
        return [
            Collaborator(
                _account(user),
                str(user.get("role_name") or _highest(user.get("permissions") or {})),
            )
            for user in listed
        ]

    def invitations(self, repository: str) -> list[Collaborator]:
        """Those who are invited and have not accepted, also where the invitation has expired."""
        listed = self.pages(self.rest.repos.list_invitations, **_where(repository))
        return [
            Collaborator(
                _account(each["invitee"]),
                str(each["permissions"]),
                int(each["id"]),
                bool(each.get("expired")),
            )
            for each in listed
            if each["invitee"]
        ]

    def add_collaborator(self, repository: str, login: str) -> None:
        """Let somebody read and push, or invite them to."""
        self.call(
            self.rest.repos.add_collaborator,
            **_where(repository),
            username=login,
            permission="push",
        )

    def remove_collaborator(self, repository: str, login: str) -> None:
        """Take the access that somebody was given."""
        self.call(self.rest.repos.remove_collaborator, **_where(repository), username=login)

    def withdraw_invitation(self, repository: str, invitation: int) -> None:
        """Take an invitation back."""
        self.find(self.rest.repos.delete_invitation, **_where(repository), invitation_id=invitation)

    def teams(self, repository: str) -> dict[str, str]:
        """The organisation's teams that have access, by their slugs, and what they may do."""
        return {
            str(each["slug"]): str(each["permission"])
            for each in self.pages(self.rest.repos.list_teams, **_where(repository))
        }

    def add_team(self, repository: str, team: str) -> None:
        """Let one of the organisation's teams maintain a repository."""
        self.call(
            self.rest.teams.add_or_update_repo_permissions_in_org,
            **self._of_team(repository, team),
            permission="maintain",
        )

    def account(self, who: str | int) -> Account | None:
        """Somebody by login or by number; None where there is nobody."""
        users = self.rest.users
        found = (
            self.find(users.get_by_id, account_id=who)
            if isinstance(who, int)
            else self.find(users.get_by_username, username=who)
        )
        return None if found is None else _account(found)

    def _of_team(self, repository: str, team: str) -> Wire:
        return {"org": self.settings.organization, "team_slug": team, **_where(repository)}

    # ---- pull requests ---------------------------------------------------------------------------

    def pull_requests(
        self, repository: str, state: Literal["open", "all"], *, most: int = MOST
    ) -> Iterator[PullRequest]:
        """The pull requests to a repository, newest first."""
        return map(
            _pull_request,
            self.pages(self.rest.pulls.list, most=most, **_where(repository), state=state),
        )

    def pull_requests_between(
        self, repository: str, head: str, base: str, *, most: int = MOST
    ) -> Iterator[PullRequest]:
        """Those from one branch of a repository to another, open and closed."""
        where = _where(repository)
        for each in self.pages(
            self.rest.pulls.list,
            most=most,
            **where,
            state="all",
            head=f"{where['owner']}:{head}",
            base=base,
        ):
            pull = _pull_request(each)
            if (pull.head.name, pull.base.name) == (head, base):
                yield pull

    def pull_requests_with(
        self, repository: str, commit: str, *, most: int = MOST
    ) -> list[PullRequest]:
        """Those that a commit is in; none where there is no such commit."""
        try:
            listed = self.pages(
                self.rest.repos.list_pull_requests_associated_with_commit,
                most=most,
                **_where(repository),
                commit_sha=commit,
            )
            return [_pull_request(each) for each in listed]
        except GitHubError as error:
            if error.status not in (404, 409, 422):
                raise
            return []

    def open_pull_request(
        self, repository: str, head: str, base: str, title: str, body: str
    ) -> PullRequest:
        """One from a branch of a repository to another, which is opened unless one is open."""
        return self.once(
            lambda: next(
                (
                    pull
                    for pull in self.pull_requests_between(repository, head, base)
                    if pull.is_open
                ),
                None,
            ),
            lambda: _pull_request(
                self.call(
                    self.rest.pulls.create,
                    **_where(repository),
                    title=title,
                    head=head,
                    base=base,
                    body=body,
                )
            ),
        )

    def change_pull_request(self, repository: str, number: int, title: str, body: str) -> None:
        """Give a pull request another title and text."""
        self.call(
            self.rest.pulls.update, **_where(repository), pull_number=number, title=title, body=body
        )

    def reopen_pull_request(self, repository: str, number: int) -> None:
        """Open a pull request that was closed."""
        self.call(self.rest.pulls.update, **_where(repository), pull_number=number, state="open")

    # ---- comments --------------------------------------------------------------------------------

    def comments(
        self, repository: str, pull_request: int | None = None, *, most: int = MOST
    ) -> Iterator[Comment]:
        """The comments on one pull request, or on all of a repository's."""
        rest, where = self.rest.issues, _where(repository)
        if pull_request is None:
            return map(_comment, self.pages(rest.list_comments_for_repo, most=most, **where))
        return map(
            _comment, self.pages(rest.list_comments, most=most, **where, issue_number=pull_request)
        )

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
        return self.once(
            lambda: next(filter(is_it, self.comments(repository, pull_request, most=most)), None),
            lambda: _comment(
                self.call(
                    self.rest.issues.create_comment,
                    **_where(repository),
                    issue_number=pull_request,
                    body=body,
                )
            ),
        )

    def change_comment(self, repository: str, comment: Comment, body: str) -> None:
        """Give a comment another text."""
        self.call(
            self.rest.issues.update_comment, **_where(repository), comment_id=comment.id, body=body
        )

    # ---- checks ----------------------------------------------------------------------------------

    def check_id(self, repository: str, commit: str, name: str) -> str:
        """The `external_id` of our check at a commit; "" where there is none, or no such commit."""
        run = self._check_run(repository, commit, name)
        return "" if run is None else str(run["external_id"])

    def write_check(self, repository: str, commit: str, check: Check) -> None:
        """Put a check at a commit, in the place of the one by that name, unless it is there. One
        whose writing broke off is gone on with.

        Raises OnlyAppsError where we are none of those who may.
        """
        try:
            self.once(
                lambda: self.check_id(repository, commit, check.name) == check.external_id or None,
                lambda: self._write_check(repository, commit, check),
            )
        except GitHubError as error:
            if error.status == 403 and "GitHub App" in str(error):
                raise OnlyAppsError(str(error), error.status) from None
            raise

    def _check_run(self, repository: str, commit: str, name: str) -> Wire | None:
        """Our check run. Of others by our name, such as a student's own workflow can make, there is
        nothing to be known here.
        """
        app = {"app_id": self.settings.app} if self.settings.app else {}
        try:
            listed = self.call(
                self.rest.checks.list_for_ref,
                **_where(repository),
                ref=commit,
                check_name=name,
                per_page=100,
                **app,
            )["check_runs"]
        except GitHubError as error:
            if error.status not in (404, 422):
                raise
            return None
        return next(
            (run for run in listed if str(run.get("external_id") or "").startswith(OURS)), None
        )

    def _write_check(self, repository: str, commit: str, check: Check) -> bool:
        """Make the check run, or go on with it where that was interrupted. Its `external_id` is
        written last, so that one that is not whole is known.
        """
        rest, where = self.rest.checks, _where(repository)
        run = self._check_run(repository, commit, check.name)
        wanted = [asdict(annotation) for annotation in check.annotations]
        if run is not None and run["output"].get("annotations_count"):
            listed = self.pages(rest.list_annotations, **where, check_run_id=run["id"])
            present = [
                {key.name: annotation.get(key.name) for key in fields(Annotation)}
                for annotation in listed
            ]
            wanted = [annotation for annotation in wanted if annotation not in present]
        pieces = [wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE)] or [
            []
        ]
        for number, piece in enumerate(pieces, start=1):
            about = {
                "status": "completed",
                "conclusion": check.conclusion,
                "external_id": check.external_id if number == len(pieces) else UNFINISHED,
                "output": {
                    "title": check.title,
                    "summary": check.summary,
                    **({"annotations": piece} if piece else {}),
                },
            }
            if run is None:
                run = self.call(rest.create, **where, name=check.name, head_sha=commit, **about)
            else:
                run = self.call(rest.update, **where, check_run_id=run["id"], **about)
        return True


def _where(repository: str) -> Wire:
    owner, name = repository.split("/")
    return {"owner": owner, "repo": name}


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _login(user: Wire | None) -> str:
    return str((user or {}).get("login", ""))


def _account(user: Wire) -> Account:
    return Account(int(user["id"]), _login(user))


def _highest(permissions: Wire) -> str:
    """The most that somebody may do; GitHub calls the two that are most common by other
    names here.
    """
    return next((name for key, name in ROLES.items() if permissions.get(key)), "")


def _repository(data: Wire) -> Repository:
    return Repository(
        full_name=str(data["full_name"]),
        visibility="public"
        if not data.get("private")
        else "private"
        if data.get("visibility", "private") == "private"
        else "internal",
        default_branch=str(data.get("default_branch") or MAIN),
        description=str(data.get("description") or ""),
        is_archived=bool(data.get("archived")),
    )


def _branch(data: Wire) -> Branch:
    return Branch(
        str((data.get("repo") or {}).get("full_name", "")), str(data["ref"]), str(data["sha"])
    )


def _pull_request(data: Wire) -> PullRequest:
    return PullRequest(
        number=int(data["number"]),
        title=str(data["title"]),
        body=str(data.get("body") or ""),
        author=_login(data.get("user")),
        head=_branch(data["head"]),
        base=_branch(data["base"]),
        is_open=data["state"] == "open",
        is_merged=bool(data.get("merged_at")),
        created=_time(data["created_at"]),
        updated=_time(data["updated_at"]),
        closed=_time(data["closed_at"]) if data.get("closed_at") else None,
    )


def _comment(data: Wire) -> Comment:
    return Comment(
        id=int(data["id"]),
        pull_request=int(str(data["issue_url"]).rpartition("/")[2]),
        body=str(data.get("body") or ""),
        author=_login(data.get("user")),
        app=int((data.get("performed_via_github_app") or {}).get("id") or 0),
    )
