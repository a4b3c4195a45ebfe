"""What the small GitHub knows, and what it answers. Repositories are bare ones on disk; who pushed
what and when is recorded as it arrives.
"""

from __future__ import annotations

import base64
import copy
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt

from hub.description import Description

#: GitHub's own record of a push: its clock, not the commit's.
HOOK = """#!/bin/sh
now=$(cat ../../clock 2>/dev/null || date -u +%Y-%m-%dT%H:%M:%SZ)
while read old new ref; do echo "$now $old $new $ref" >> pushes.log; done
"""
NOBODY = "0" * 40
#: What GitHub calls permissions elsewhere.
ROLES = {"pull": "read", "push": "write"}
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
}


class Refusal(Exception):
    """GitHub says no."""

    def __init__(self, status: int, message: str, *errors: dict[str, str]) -> None:
        self.status, self.message, self.errors = status, message, list(errors)


@dataclass
class Request:
    """The values of a path's parameters, of the query and of the body."""

    path: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]


@dataclass
class State:
    """Everything there is. `members` are the logins of people who exist."""

    folder: Path
    description: Description
    organization: str = "the-course"
    people: set[str] = field(default_factory=set)
    teams: dict[str, set[str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {"a-token"})
    public_key: str = ""
    minted: list[dict[str, Any]] = field(default_factory=list)
    repositories: dict[str, dict[str, Any]] = field(default_factory=dict)
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    comments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    checks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    collaborators: dict[str, dict[str, str]] = field(default_factory=dict)
    invitations: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Numbers of accounts by login, and of invitations by "repository login"; invitations that have
    #: expired.
    ids: dict[str, int] = field(default_factory=dict)
    invitation_ids: dict[str, int] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    unlogged: set[str] = field(default_factory=set)
    #: Annotations by the id of their check run.
    annotations: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    #: Who asks, as it signs its comments.
    asks: str = "the-app[bot]"
    last_id: int = 1000

    def number(self) -> int:
        """A fresh id."""
        self.last_id += 1
        return self.last_id

    def become(self, other: State) -> None:
        """Know and hold what another one does, as a copy: its repositories, people and numbers."""
        shutil.copytree(other.folder, self.folder, dirs_exist_ok=True, symlinks=True)
        for each in fields(self):
            if each.name not in ("folder", "description"):
                setattr(self, each.name, copy.deepcopy(getattr(other, each.name)))

    def clock(self, now: str | None) -> None:
        """Set GitHub's clock, which pushes are recorded by; None lets it run."""
        path = self.folder / "clock"
        path.unlink(missing_ok=True) if now is None else path.write_text(now)

    def now(self) -> str:
        """GitHub's time."""
        path = self.folder / "clock"
        return (
            path.read_text() if path.is_file() else datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )

    def knows(self, authorization: str, *, app: bool) -> bool:
        """Whether a token, or an App's signature, is good."""
        secret = authorization.partition(" ")[2]
        if not app:
            return secret in self.tokens
        try:
            return bool(
                jwt.decode(
                    secret, self.public_key, algorithms=["RS256"], options={"verify_iat": False}
                )
            )
        except jwt.InvalidTokenError:
            return False

    # ---- repositories ----------------------------------------------------------------------------

    def bare(self, full_name: str) -> Path:
        """A repository on disk."""
        return self.folder / f"{full_name}.git"

    def git(self, full_name: str, *arguments: str) -> str:
        """Run git in a repository."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.bare(full_name),
            capture_output=True,
            text=True,
            check=True,
            env=ENVIRONMENT,
            timeout=60,
        )
        return done.stdout.strip()

    def create(
        self, full_name: str, *, private: bool = True, owner_is_user: bool = False
    ) -> dict[str, Any]:
        """Make a repository, empty."""
        owner, name = full_name.split("/")
        path = self.bare(full_name)
        path.mkdir(parents=True)
        self.git(full_name, "init", "--quiet", "--bare", "--initial-branch=main", ".")
        for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            self.git(full_name, "config", key, "true")
        hook = path / "hooks" / "post-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(HOOK)
        hook.chmod(0o755)
        data = self.description.example("repos/get")
        data |= {
            "id": self.number(),
            "name": name,
            "full_name": full_name,
            "private": private,
            "visibility": "private" if private else "public",
        }
        data |= {"default_branch": "main", "archived": False, "fork": False, "language": None}
        data["owner"] |= {"login": owner, "type": "User" if owner_is_user else "Organization"}
        for key in ("parent", "source", "template_repository", "organization"):
            data.pop(key, None)
        self.repositories[full_name.lower()] = data
        return data

    def repository(self, request: Request) -> str:
        """The full name of the repository that a request is about."""
        key = f"{request.path['owner']}/{request.path['repo']}".lower()
        if key not in self.repositories:
            raise Refusal(404, "Not Found")
        return str(self.repositories[key]["full_name"])

    def branches(self, full_name: str) -> dict[str, str]:
        """Branch → commit."""
        lines = self.git(
            full_name, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads"
        ).splitlines()
        return {
            ref.removeprefix("refs/heads/"): oid
            for oid, ref in (line.split(" ", 1) for line in lines)
        }

    def pushes(self, full_name: str) -> list[dict[str, Any]]:
        """The record of pushes, newest first."""
        if full_name in self.unlogged or not (self.bare(full_name) / "pushes.log").is_file():
            return []
        out = []
        for number, line in enumerate(
            (self.bare(full_name) / "pushes.log").read_text().splitlines(), start=1
        ):
            when, old, new, ref = line.split(" ", 3)
            kind = (
                "branch_creation"
                if old == NOBODY
                else "branch_deletion"
                if new == NOBODY
                else "push"
            )
            entry = self.description.example("repos/list-activities")[0]
            out.append(
                entry
                | {
                    "id": number,
                    "before": old,
                    "after": new,
                    "ref": ref,
                    "timestamp": when,
                    "activity_type": kind,
                    "actor": None,
                }
            )
        return sorted(out, key=lambda entry: (entry["timestamp"], entry["id"]), reverse=True)

    def person(self, login: str, permission: str = "push") -> dict[str, Any]:
        """Somebody, as GitHub shows them in lists, with what they may do."""
        user = self.description.example("repos/list-collaborators")[0]
        ladder = ("pull", "triage", "push", "maintain", "admin")
        may = {each: ladder.index(each) <= ladder.index(permission) for each in ladder}
        return {
            **user,
            "login": login,
            "id": self.account(login),
            "permissions": may,
            "role_name": ROLES.get(permission, permission),
        }

    def user(self, login: str) -> dict[str, Any]:
        """Somebody, as GitHub shows them to others."""
        shown: dict[str, Any] = self.description.example("users/get-by-username")
        return {**shown, "login": login, "id": self.account(login), "user_view_type": "public"}

    def account(self, login: str) -> int:
        """The number of somebody's account."""
        if login not in self.ids:
            self.ids[login] = self.number()
        return self.ids[login]

    def accept(self, full_name: str, login: str) -> None:
        """Somebody accepts an invitation."""
        self.collaborators.setdefault(full_name, {})[login] = self.invitations[full_name].pop(login)

    def rename(self, old: str, new: str) -> None:
        """Somebody gives their account another login; the old one is free then."""
        self.ids[new] = self.account(old)
        del self.ids[old]
        self.people = (self.people - {old}) | {new}
        for places in (self.collaborators, self.invitations):
            for people in places.values():
                if old in people:
                    people[new] = people.pop(old)

    def invitation(self, full_name: str, login: str) -> dict[str, Any]:
        """An invitation, as GitHub shows it."""
        example = self.description.example("repos/list-invitations")[0]
        key, permission = f"{full_name} {login}", self.invitations[full_name][login]
        if key not in self.invitation_ids:
            self.invitation_ids[key] = self.number()
        about = {
            "id": self.invitation_ids[key],
            "permissions": ROLES.get(permission, permission),
            "expired": key in self.expired,
        }
        return {
            **example,
            **about,
            "invitee": {**example["invitee"], "login": login, "id": self.account(login)},
        }

    def writable(self, request: Request) -> str:
        """The full name of a repository that is not archived."""
        name = self.repository(request)
        if self.repositories[name.lower()]["archived"]:
            raise Refusal(403, "Repository was archived so is read-only.")
        return name

    def pull(self, full_name: str, number: int) -> dict[str, Any]:
        """A pull request with its commits as they are now."""
        for pull in self.pulls.get(full_name, []):
            if pull["number"] == number:
                if pull["state"] == "open" and pull["head"]["repo"]:
                    self.take_head(
                        full_name, number, pull["head"]["repo"]["full_name"], pull["head"]["ref"]
                    )
                for end in ("head", "base"):
                    where = (pull[end].get("repo") or {}).get("full_name", full_name)
                    pull[end]["sha"] = (
                        self.branches(where).get(pull[end]["ref"], pull[end]["sha"])
                        if pull["state"] == "open"
                        else pull[end]["sha"]
                    )
                return pull
        raise Refusal(404, "Not Found")

    def take_head(self, full_name: str, number: int, source: str, head: str) -> None:
        """GitHub keeps the head of a pull request in the repository that it goes to."""
        self.git(
            full_name,
            "fetch",
            "--quiet",
            str(self.bare(source)),
            f"+refs/heads/{head}:refs/pull/{number}/head",
        )

    def open_pull(
        self,
        full_name: str,
        head: str,
        base: str,
        title: str,
        author: str = "the-app[bot]",
        source: str = "",
    ) -> dict[str, Any]:
        """Open a pull request; from a branch of `source`, which is the repository itself unless it
        is a fork.
        """
        source = source or full_name
        heads, bases = self.branches(source), self.branches(full_name)
        if head not in heads or base not in bases:
            raise Refusal(
                422,
                "Validation Failed",
                {
                    "resource": "PullRequest",
                    "field": "head" if head not in heads else "base",
                    "code": "invalid",
                },
            )
        same = [
            p
            for p in self.pulls.get(full_name, [])
            if p["state"] == "open"
            and p["head"]["ref"] == head
            and p["base"]["ref"] == base
            and source == full_name
        ]
        if same:
            raise Refusal(
                422,
                "Validation Failed",
                {
                    "resource": "PullRequest",
                    "code": "custom",
                    "message": f"A pull request already exists for {head}.",
                },
            )
        if source == full_name and not self.git(
            full_name, "rev-list", "--max-count=1", f"{bases[base]}..{heads[head]}"
        ):
            raise Refusal(
                422,
                "Validation Failed",
                {
                    "resource": "PullRequest",
                    "code": "custom",
                    "message": f"No commits between {base} and {head}",
                },
            )
        pull = self.description.example("pulls/create", 201)
        number = len(self.pulls.get(full_name, [])) + 1
        pull |= {
            "id": self.number(),
            "number": number,
            "title": title,
            "state": "open",
            "merged_at": None,
            "closed_at": None,
            "merged": False,
            "created_at": self.now(),
        }
        pull |= {"requested_teams": [], "requested_reviewers": []}
        pull["user"] |= {"login": author}
        for end, ref, where, oid in (
            ("head", head, source, heads[head]),
            ("base", base, full_name, bases[base]),
        ):
            owner = where.split("/")[0]
            pull[end] |= {
                "ref": ref,
                "sha": oid,
                "label": f"{owner}:{ref}",
                "repo": self.repositories.get(where.lower()),
            }
        self.take_head(full_name, number, source, head)
        self.pulls.setdefault(full_name, []).append(pull)
        return pull

    def has(self, full_name: str, commit: str) -> bool:
        """Whether a commit is in a repository."""
        return (
            subprocess.run(
                ["git", "cat-file", "-e", f"{commit}^{{commit}}"],
                cwd=self.bare(full_name),
                env=ENVIRONMENT,
                timeout=60,
            ).returncode
            == 0
        )

    def commits_of(self, full_name: str, pull: dict[str, Any]) -> list[str]:
        """The commits that a pull request brings."""
        return self.git(
            full_name, "rev-list", f"{pull['base']['sha']}..refs/pull/{pull['number']}/head"
        ).splitlines()

    def say(self, full_name: str, number: int, body: str, author: str) -> dict[str, Any]:
        """Write a comment on a pull request or issue."""
        comment: dict[str, Any] = self.description.example("issues/create-comment", 201) | {
            "id": self.number(),
            "body": body,
        }
        comment["user"] |= {"login": author}
        comment["issue_url"] = f"https://api.github.com/repos/{full_name}/issues/{number}"
        self.comments.setdefault(f"{full_name}#{number}", []).append(comment)
        return comment

    def take_check(self, run: dict[str, Any], body: dict[str, Any]) -> None:
        """Write into a check run what is sent; annotations are added to those that are there."""
        run |= {
            key: body[key]
            for key in ("status", "conclusion", "external_id", "details_url", "name")
            if key in body
        }
        output = dict(body.get("output", {}))
        kept = self.annotations.setdefault(run["id"], [])
        kept += output.pop("annotations", [])
        run["output"] |= output | {"annotations_count": len(kept)}

    def protect(self, full_name: str, branch: str) -> None:
        """Let nobody push to a branch."""
        hook = self.bare(full_name) / "hooks" / "pre-receive"
        text = (
            '#!/bin/sh\nwhile read old new ref; do test "$ref" != "refs/heads/{branch}" || '
            '{{ echo "protected branch hook declined" >&2; exit 1; }}; done\n'
        )
        hook.write_text(text.format(branch=branch))
        hook.chmod(0o755)


# ---- answers -------------------------------------------------------------------------------------

Answer = Callable[[State, Request], tuple[int, Any]]
ANSWERS: dict[str, Answer] = {}


def answers(name: str) -> Callable[[Answer], Answer]:
    """The function answers an operation."""

    def known(function: Answer) -> Answer:
        ANSWERS[name] = function
        return function

    return known


@answers("apps/get-org-installation")
def _installation(state: State, request: Request) -> tuple[int, Any]:
    if request.path["org"] != state.organization:
        raise Refusal(404, "Not Found")
    return 200, state.description.example("apps/get-org-installation") | {"id": 42}


@answers("apps/create-installation-access-token")
def _token(state: State, request: Request) -> tuple[int, Any]:
    if request.path["installation_id"] != "42":
        raise Refusal(404, "Not Found")
    if any(
        f"{state.organization}/{name}".lower() not in state.repositories
        for name in request.body.get("repositories", [])
    ):
        raise Refusal(
            422,
            (
                "There is at least one repository that does not exist or is not accessible "
                "to the parent installation."
            ),
        )
    state.minted.append(request.body)
    state.tokens.add(token := f"ghs_{len(state.minted)}")
    return 201, {
        "token": token,
        "expires_at": "2099-01-01T00:00:00Z",
        "permissions": request.body.get("permissions", {}),
        "repository_selection": "selected" if "repositories" in request.body else "all",
    }


@answers("repos/get")
def _get(state: State, request: Request) -> tuple[int, Any]:
    return 200, state.repositories[state.repository(request).lower()]


@answers("repos/list-for-org")
def _list(state: State, request: Request) -> tuple[int, Any]:
    mine = [
        data
        for name, data in state.repositories.items()
        if name.startswith(f"{request.path['org']}/".lower())
    ]
    return 200, [
        {
            key: value
            for key, value in data.items()
            if key not in ("network_count", "subscribers_count")
        }
        for data in mine
    ]


@answers("repos/create-in-org")
def _create(state: State, request: Request) -> tuple[int, Any]:
    full_name = f"{request.path['org']}/{request.body['name']}"
    if full_name.lower() in state.repositories:
        problem = {
            "resource": "Repository",
            "code": "custom",
            "field": "name",
            "message": "name already exists on this account",
        }
        raise Refusal(422, "Repository creation failed.", problem)
    data = state.create(full_name, private=request.body.get("private", False))
    data["description"] = request.body.get("description")
    return 201, data


@answers("repos/update")
def _change(state: State, request: Request) -> tuple[int, Any]:
    data = state.repositories[state.writable(request).lower()]
    data |= {key: request.body[key] for key in ("description", "archived") if key in request.body}
    return 200, data


@answers("repos/list-collaborators")
def _collaborators(state: State, request: Request) -> tuple[int, Any]:
    return 200, [
        state.person(login, permission)
        for login, permission in state.collaborators.get(state.repository(request), {}).items()
    ]


@answers("repos/remove-collaborator")
def _remove(state: State, request: Request) -> tuple[int, Any]:
    name, login = state.writable(request), request.path["username"]
    for places in (state.collaborators, state.invitations):
        places.get(name, {}).pop(login, None)
    return 204, None


@answers("repos/list-invitations")
def _invitations(state: State, request: Request) -> tuple[int, Any]:
    name = state.repository(request)
    return 200, [state.invitation(name, login) for login in state.invitations.get(name, {})]


@answers("repos/delete-invitation")
def _withdraw(state: State, request: Request) -> tuple[int, Any]:
    name = state.writable(request)
    for login in list(state.invitations.get(name, {})):
        if str(state.invitation(name, login)["id"]) == request.path["invitation_id"]:
            del state.invitations[name][login], state.invitation_ids[f"{name} {login}"]
            state.expired.discard(f"{name} {login}")
            return 204, None
    raise Refusal(404, "Not Found")


@answers("repos/add-collaborator")
def _invite(state: State, request: Request) -> tuple[int, Any]:
    name, login = state.writable(request), request.path["username"]
    if login not in state.people:
        raise Refusal(404, "Not Found")
    if login in state.collaborators.get(name, {}):
        return 204, None
    state.invitations.setdefault(name, {})[login] = request.body.get("permission", "push")
    example = state.description.example("repos/add-collaborator", 201)
    return 201, {
        **example,
        **{key: value for key, value in state.invitation(name, login).items() if key in example},
    }


@answers("users/get-by-username")
def _user(state: State, request: Request) -> tuple[int, Any]:
    login = request.path["username"]
    if login not in state.people:
        raise Refusal(404, "Not Found")
    return 200, state.user(login)


@answers("users/get-by-id")
def _user_of(state: State, request: Request) -> tuple[int, Any]:
    for login in state.people:
        if str(state.account(login)) == request.path["account_id"]:
            return 200, state.user(login)
    raise Refusal(404, "Not Found")


@answers("repos/list-teams")
def _teams(state: State, request: Request) -> tuple[int, Any]:
    name, example = state.repository(request), state.description.example("repos/list-teams")[0]
    return 200, [
        {
            **example,
            "slug": team,
            "name": team,
            "permission": "maintain",
            "type": "organization",
            "organization_id": 1,
        }
        for team, where in state.teams.items()
        if name in where
    ]


@answers("teams/add-or-update-repo-permissions-in-org")
def _give(state: State, request: Request) -> tuple[int, Any]:
    if request.path["team_slug"] not in state.teams:
        raise Refusal(404, "Not Found")
    state.teams[request.path["team_slug"]].add(state.writable(request))
    return 204, None


@answers("repos/list-branches")
def _branches(state: State, request: Request) -> tuple[int, Any]:
    name = state.repository(request)
    url = f"https://api.github.com/repos/{name}/commits/"
    return 200, [
        {"name": branch, "commit": {"sha": oid, "url": url + oid}, "protected": False}
        for branch, oid in state.branches(name).items()
    ]


@answers("repos/list-activities")
def _activities(state: State, request: Request) -> tuple[int, Any]:
    ref = request.query.get("ref", "")
    full = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    return 200, [
        entry
        for entry in state.pushes(state.repository(request))
        if not ref or entry["ref"] == full
    ]


@answers("pulls/list")
def _pulls(state: State, request: Request) -> tuple[int, Any]:
    name = state.repository(request)
    wanted = {key: request.query.get(key, "") for key in ("state", "head", "base")}
    out = []
    for number in range(len(state.pulls.get(name, [])), 0, -1):
        pull = state.pull(name, number)
        fits = (
            (wanted["state"] or "open") in ("all", pull["state"])
            and wanted["base"] in ("", pull["base"]["ref"])
            and wanted["head"] in ("", pull["head"]["label"])
        )
        if fits:
            out.append(
                {
                    key: value
                    for key, value in pull.items()
                    if key
                    not in ("merged", "mergeable", "comments", "commits", "additions", "deletions")
                }
            )
    return 200, out


@answers("pulls/create")
def _open(state: State, request: Request) -> tuple[int, Any]:
    body = request.body
    pull = state.open_pull(state.repository(request), body["head"], body["base"], body["title"])
    pull["body"] = body.get("body")
    return 201, pull


@answers("pulls/update")
def _update(state: State, request: Request) -> tuple[int, Any]:
    pull = state.pull(state.repository(request), int(request.path["pull_number"]))
    if pull["merged_at"] and request.body.get("state") == "open":
        raise Refusal(
            422,
            "Validation Failed",
            {"resource": "PullRequest", "field": "state", "code": "invalid"},
        )
    pull |= request.body
    return 200, pull


@answers("issues/list-comments")
def _comments(state: State, request: Request) -> tuple[int, Any]:
    return 200, state.comments.get(
        f"{state.repository(request)}#{request.path['issue_number']}", []
    )


@answers("issues/list-comments-for-repo")
def _all_comments(state: State, request: Request) -> tuple[int, Any]:
    name = state.repository(request)
    found = [
        comment
        for place, comments in state.comments.items()
        if place.startswith(f"{name}#")
        for comment in comments
    ]
    return 200, sorted(found, key=lambda comment: comment["id"])


@answers("issues/create-comment")
def _comment(state: State, request: Request) -> tuple[int, Any]:
    return 201, state.say(
        state.repository(request),
        int(request.path["issue_number"]),
        request.body["body"],
        state.asks,
    )


@answers("issues/update-comment")
def _edit(state: State, request: Request) -> tuple[int, Any]:
    name = state.repository(request)
    for place, comments in state.comments.items():
        for comment in comments:
            if place.startswith(f"{name}#") and str(comment["id"]) == request.path["comment_id"]:
                comment["body"] = request.body["body"]
                return 200, comment
    raise Refusal(404, "Not Found")


@answers("repos/list-pull-requests-associated-with-commit")
def _pulls_of(state: State, request: Request) -> tuple[int, Any]:
    name, commit = state.repository(request), request.path["commit_sha"]
    out = []
    for number in range(1, len(state.pulls.get(name, [])) + 1):
        pull = state.pull(name, number)
        if commit in state.commits_of(name, pull):
            out.append(
                {
                    key: value
                    for key, value in pull.items()
                    if key
                    not in ("merged", "mergeable", "comments", "commits", "additions", "deletions")
                }
            )
    if not out and not state.has(name, commit):
        raise Refusal(422, f"No commit found for SHA: {commit}")
    return 200, out


@answers("checks/create")
def _check(state: State, request: Request) -> tuple[int, Any]:
    name, commit = state.repository(request), request.body["head_sha"]
    if not state.has(name, commit):
        raise Refusal(422, f"No commit found for SHA: {commit}")
    run = state.description.example("checks/create", 201) | {
        "id": state.number(),
        "name": request.body["name"],
        "head_sha": commit,
        "external_id": "",
    }
    run["output"] |= {"annotations_count": 0}
    state.checks.setdefault(name, []).append(run)
    state.take_check(run, request.body)
    return 201, run


@answers("checks/update")
def _recheck(state: State, request: Request) -> tuple[int, Any]:
    for run in state.checks.get(state.repository(request), []):
        if str(run["id"]) == request.path["check_run_id"]:
            state.take_check(run, request.body)
            return 200, run
    raise Refusal(404, "Not Found")


@answers("checks/list-annotations")
def _annotations(state: State, request: Request) -> tuple[int, Any]:
    example = state.description.example("checks/list-annotations")[0]
    bare = example | {"start_column": None, "end_column": None, "raw_details": None}
    return 200, [bare | one for one in state.annotations.get(int(request.path["check_run_id"]), [])]


@answers("checks/list-for-ref")
def _checks(state: State, request: Request) -> tuple[int, Any]:
    name = state.repository(request)
    commit = state.branches(name).get(
        request.path["ref"].removeprefix("heads/"), request.path["ref"]
    )
    runs = [
        run
        for run in state.checks.get(name, [])
        if run["head_sha"] == commit and request.query.get("check_name", run["name"]) == run["name"]
    ]
    runs = [
        run
        for run in runs
        if request.query.get("app_id", str(run["app"]["id"])) == str(run["app"]["id"])
    ]
    return 200, {"total_count": len(runs), "check_runs": runs}


@answers("repos/get-content")
def _content(state: State, request: Request) -> tuple[int, Any]:
    name = state.repository(request)
    commit = request.query.get("ref") or "main"
    try:
        oid = state.git(name, "rev-parse", f"{commit}:{request.path['path']}")
        data = subprocess.run(
            ["git", "cat-file", "blob", oid],
            cwd=state.bare(name),
            capture_output=True,
            check=True,
            env=ENVIRONMENT,
            timeout=60,
        ).stdout
    except subprocess.CalledProcessError:
        raise Refusal(404, "Not Found") from None
    example = state.description.example("repos/get-content")
    example = example[0] if isinstance(example, list) else example
    content = {
        "type": "file",
        "encoding": "base64",
        "content": base64.b64encode(data).decode(),
        "size": len(data),
        "sha": oid,
    }
    return 200, {
        **example,
        **content,
        "path": request.path["path"],
        "name": request.path["path"].rpartition("/")[2],
    }
