"""Which notebooks are in what was pushed, and of several of an assignment the one that counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from autogradient.errors import AutogradientError
from autogradient.github import messages
from autogradient.github.attempt_folders import iso
from autogradient.github.git import EMAIL, Bare
from autogradient.github.pushes import Head
from autogradient.github.read_commit import few, shown, take
from autogradient.github.recognise import Found, Recogniser
from autogradient.github.settings import UPDATE
from autogradient.model.files import digest

#: Commits of one repository that are looked at in one go.
MOST_COMMITS = 400


@dataclass(frozen=True)
class Candidate:
    """A notebook of an assignment, and the head that it was found in."""

    head: Head
    found: Found


@dataclass(frozen=True)
class State:
    """The heads at some time (None: now), and which assignments are taken from them (None: all)."""

    at: datetime | None
    names: frozenset[str] | None
    heads: tuple[Head, ...]

    @property
    def name(self) -> str:
        """The time, as it is remembered."""
        return iso(self.at) if self.at else "now"

    @property
    def digest(self) -> str:
        """Tells whether something has changed."""
        moved = sorted(
            f"{head.order} {head.branch} {head.commit} {head.pull_request}" for head in self.heads
        )
        return digest("\n".join([*sorted(self.names or ()), "", *moved]).encode())


class Looking:
    """Looks at commits of one repository, at each once. `begun` are digests of notebooks as the
    student got them; what there is to say goes to `remarks` and `problems`.
    """

    def __init__(
        self,
        git: Bare,
        url: str,
        recogniser: Recogniser,
        begun: set[str],
        remarks: list[str],
        problems: list[str],
    ) -> None:
        self.git, self.url, self.recogniser, self.begun = git, url, recogniser, begun
        self.remarks, self.problems = remarks, problems
        self.trouble = False
        self._looked: dict[str, dict[str, Found]] = {}

    def candidates(self, state: State) -> dict[str, list[Candidate]]:
        """The notebooks of each assignment, by head in their order."""
        found: dict[str, list[Candidate]] = {}
        for head in _first_of_each(state.heads):
            for name, each in self._look(head).items():
                if state.names is None or name in state.names:
                    found.setdefault(name, []).append(Candidate(head, each))
        return found

    def _look(self, head: Head) -> dict[str, Found]:
        if head.commit in self._looked:
            return self._looked[head.commit]
        place = messages.COLLECT_PLACE.format(branch=shown(head.branch), commit=head.commit[:10])
        chosen: dict[str, Found] = {}
        if len(self._looked) == MOST_COMMITS:
            self.remarks.append(messages.COLLECT_ENOUGH.format(limit=MOST_COMMITS))
        elif len(self._looked) < MOST_COMMITS:
            try:
                files, left_out = take(self.git, self.url, head.commit)
                if not (
                    head.branch.startswith(UPDATE) and self.git.committer("refs/taken") == EMAIL
                ):
                    chosen, more = self.recogniser.sort_out(
                        file for file in files if digest(file.data) not in self.begun
                    )
                    self.remarks += [f"{place}: {sentence}" for sentence in few([*left_out, *more])]
                # else it is a correction that nobody has taken yet; it holds what the student's own
                # branch does
            except AutogradientError as error:
                self.problems.append(f"{place}: {error}")
                self.trouble = True
        self._looked[head.commit] = chosen
        return chosen


def choose(several: list[Candidate]) -> tuple[Candidate, str]:
    """The head that counts: the first, unless somebody went on elsewhere: a later push in which all
    of it is answered and more.

    Where the very same notebook was pushed to several branches, it counts from when it first
    arrived.
    """
    best, remark = several[0], ""
    for other in several[1:]:
        later = (
            best.head.received is not None
            and other.head.received is not None
            and other.head.received > best.head.received
        )
        if later and best.found.attempted < other.found.attempted:
            best, remark = other, messages.COLLECT_WENT_ON.format(branch=shown(other.head.branch))
        elif later and not remark and other.found.file.data != best.found.file.data:
            remark = messages.COLLECT_NEWER.format(
                branch=shown(other.head.branch), chosen=shown(best.head.branch)
            )
    same = [
        each
        for each in several
        if each.found.file.data == best.found.file.data and each.head.received is not None
    ]
    return min(same, key=lambda each: each.head.received or datetime.max, default=best), remark


def _first_of_each(found: Sequence[Head]) -> list[Head]:
    """Heads without those whose commit came earlier in the list."""
    return list({head.commit: head for head in reversed(found)}.values())[::-1]
