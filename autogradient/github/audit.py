"""Who can read or write what: the access to the organisation's repositories as it stands, and what
has changed between two such looks, in the words of the commands.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from autogradient.github import messages
from autogradient.github.hosting import Collaborator, Hosting


@dataclass(frozen=True)
class Access:
    """Who can do what in one repository: people and teams with what they may do, those who are
    invited, and who else can read it.
    """

    visibility: str
    is_archived: bool
    people: dict[str, str]
    invited: dict[str, Collaborator]
    teams: dict[str, str]


def look(hosting: Hosting, names: Iterable[str] | None = None) -> dict[str, Access]:
    """The access to the repositories of the organisation, or to those of some names, by their full
    names. Raises GitHubError.
    """
    wanted = None if names is None else {name.lower() for name in names}
    return {
        repository.full_name: Access(
            repository.visibility,
            repository.is_archived,
            {each.account.login: each.role for each in hosting.collaborators(repository.full_name)},
            {each.account.login: each for each in hosting.invitations(repository.full_name)},
            hosting.teams(repository.full_name),
        )
        for name, repository in hosting.repositories().items()
        if wanted is None or name in wanted
    }


def difference(before: dict[str, Access], after: dict[str, Access]) -> dict[str, list[str]]:
    """What has changed, by repository, each change as the command that makes it says it."""
    none = Access("", False, {}, {}, {})
    found = {
        name: _changes(before.get(name, none), after.get(name, none))
        for name in sorted({*before, *after})
    }
    return {name: changes for name, changes in found.items() if changes}


def _changes(old: Access, new: Access) -> list[str]:
    out = []
    if old.visibility != new.visibility:
        made = not old.visibility and new.visibility == "private"
        out.append(
            messages.ENROL_REPOSITORY
            if made
            else messages.AUDIT_VISIBILITY.format(
                old=old.visibility or "-", new=new.visibility or "-"
            )
        )
    for login in sorted({*old.people, *new.people, *old.invited, *new.invited}):
        out += _of_person(login, old, new)
    for team in sorted({*old.teams, *new.teams}):
        if team not in old.teams:
            out.append(messages.ENROL_STAFF.format(team=team))
        elif old.teams[team] != new.teams.get(team):
            out.append(
                messages.AUDIT_TEAM.format(
                    team=team, old=old.teams[team], new=new.teams.get(team, "-")
                )
            )
    if old.is_archived != new.is_archived:
        out.append(messages.ENROL_ARCHIVE if new.is_archived else messages.AUDIT_UNARCHIVED)
    return out


def _of_person(login: str, old: Access, new: Access) -> list[str]:
    had, has = old.people.get(login, ""), new.people.get(login, "")
    if had != has:
        if not has:
            return [messages.REVOKE_ACCESS.format(login=login)]
        accepted = not had and login in old.invited
        return [
            messages.AUDIT_PERSON.format(
                login=login, old="invited" if accepted else had or "-", new=has
            )
        ]
    was, is_ = old.invited.get(login), new.invited.get(login)
    if has or (was is None and is_ is None):
        return []
    if is_ is None:
        return [messages.REVOKE_INVITATION.format(login=login)]
    if was is None:
        return [messages.ENROL_ACCESS.format(login=login)]
    return (
        [messages.ENROL_ACCESS_AGAIN.format(login=login)]
        if was.invitation != is_.invitation
        else []
    )
