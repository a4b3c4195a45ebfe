"""Whose a repository is: the mark of one run of a course in its description, and what is asked of a
repository without one before anybody is let in.

A description can be changed by those alone who maintain a repository, which no student does; so
whoever reads it can believe it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from autogradient.course.config import Course
from autogradient.course.roster import Member
from autogradient.errors import GitError
from autogradient.github import messages
from autogradient.github.accounts import Accounts
from autogradient.github.git import Bare
from autogradient.github.hosting import Collaborator, Repository
from autogradient.github.read_commit import shown
from autogradient.github.settings import BASE, MAIN

#: Ours; another run's, course's or group's; or not to be told by its description.
Standing = Literal["ours", "another's", "unmarked"]
#: What stands between the words of a mark, and how much of each there is room for.
BETWEEN, LONGEST = " · ", 100
_MARK = re.compile(rf"Work of (?P<key>[^·]+){BETWEEN}(?P<course>[^·]*){BETWEEN}(?P<release>[^·]*)")
#: What only a course's own repository holds.
_COURSE = b"grader_config/course.toml"


@dataclass(frozen=True)
class Run:
    """One run of a course: its name and the label of the run, each "" where
    grader_config/course.toml does not say.
    """

    course: str
    release: str

    @classmethod
    def of(cls, course: Course) -> Run:
        """The run that a course folder is set to."""
        return cls(
            _word("" if course.name == course.root.name else course.name), _word(course.release)
        )

    def mark(self, key: str) -> str:
        """The description of the repository of a student or team."""
        return BETWEEN.join(
            (
                messages.ENROL_DESCRIPTION.format(group=_word(key)),
                self.course or "-",
                self.release or "-",
            )
        )

    def standing(self, repository: Repository, key: str = "") -> Standing:
        """Whose a repository is by its mark: of a student or team of this run, or with no key of
        any.
        """
        found = _MARK.fullmatch(" ".join(repository.description.split()))
        if found is None:
            return "unmarked"
        course, release = (found[name].strip("-") for name in ("course", "release"))
        if key and found["key"].lower() != _word(key).lower():
            return "another's"
        if (course and self.course and course != self.course) or (
            release and release != self.release
        ):
            return "another's"
        return "ours" if release else "unmarked"


def refusal(course: Course, repository: Repository, key: str) -> str:
    """Why nothing is read from or written to the repository of a student or team: its mark says
    that it is another run's. "" where it does not.
    """
    another = Run.of(course).standing(repository, key) == "another's"
    return (
        messages.COLLECT_ANOTHERS.format(
            repository=repository.full_name, mark=shown(repository.description)
        )
        if another
        else ""
    )


def _word(text: str) -> str:
    return " ".join(text.replace("·", "-").split()).strip("-")[:LONGEST].strip()


# ---- who is let in -------------------------------------------------------------------------------


def is_account_of(collaborator: Collaborator, member: Member, accounts: Accounts) -> bool:
    """Whether somebody is a student: by the number of the account that they accepted with, else by
    the login of the roster.
    """
    known = accounts.of(member)
    return (
        collaborator.account.id == known.id
        if known
        else bool(member.login) and collaborator.is_called(member.login)
    )


def outsiders(
    people: Iterable[Collaborator], members: Iterable[Member], accounts: Accounts
) -> list[Collaborator]:
    """Those with access who are neither of a group nor staff."""
    mine = list(members)
    return [
        each
        for each in people
        if not each.is_staff and not any(is_account_of(each, member, accounts) for member in mine)
    ]


def is_somebody_elses(
    people: Iterable[Collaborator], members: Iterable[Member], accounts: Accounts
) -> bool:
    """Whether others have access and nobody of a group has, as in a repository that an earlier
    group left behind.
    """
    present, mine = [each for each in people if not each.is_staff], list(members)
    return bool(present) and len(outsiders(present, mine, accounts)) == len(present)


# ---- what is in it -------------------------------------------------------------------------------


def holds_release(release: Bare, released: str, url: str, branches: dict[str, str]) -> bool:
    """Whether a repository began from the course's release, or holds notebooks of it at their
    places. Raises GitError where it cannot be read.

    `release` has the release's history, up to the commit `released`.
    """
    if not branches:
        return True  # it holds nothing at all
    history = set(release.run("rev-list", released).decode().split())
    if branches.get(BASE) in history:
        return True
    head = branches.get(MAIN) or branches.get(BASE) or next(iter(branches.values()))
    with Bare(secrets=release.secrets, local=release.local) as theirs:
        theirs.fetch(url, head, "refs/theirs", files=False)
        paths = {entry.path for entry in theirs.entries(head)[0]}
    if _COURSE in paths:
        return False
    if paths & {
        entry.path for entry in release.entries(released)[0] if entry.path.endswith(b".ipynb")
    }:
        return True
    # as where every notebook was renamed
    with Bare(secrets=release.secrets, local=release.local) as theirs:
        theirs.fetch_history(url, {"refs/theirs": head})
        return bool(history & set(theirs.run("rev-list", "refs/theirs").decode().split()))


def has_work(release: Bare, url: str, branches: dict[str, str], start: str) -> bool:
    """Whether somebody has gone on from where everybody begins: from the commit `start`, or one
    like it of an earlier release.
    """
    head = branches.get(MAIN, "")
    if not head or head == start:
        return False
    with Bare(secrets=release.secrets, local=release.local) as theirs:
        try:
            theirs.fetch(url, head, "refs/theirs", files=False)
            parents = theirs.run("cat-file", "-p", head).decode("utf-8", "replace").split("\n\n")[0]
        except GitError:
            return True
    return not (
        f"parent {branches.get(BASE)}" in parents
        and f"tree {_tree(release, branches.get(BASE, ''))}" in parents
    )


def _tree(git: Bare, commit: str) -> str:
    try:
        return (
            git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{tree}}")
            .decode()
            .strip()
        )
    except GitError:
        return "-"
