"""What one student handed in on a platform → the attempts in it, in the order in which they came,
and a sentence for everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from autogradient import errors
from autogradient.errors import SubmissionError
from autogradient.github import messages as sentences
from autogradient.github.archive import HandedIn, Placed
from autogradient.github.read_commit import MAX_BYTES, MAX_NOTEBOOKS, printable, shown
from autogradient.github.recognise import File, Found, Recogniser, choose
from autogradient.grading import archives, messages
from autogradient.grading.archives import MAX_MB, Budget, LeftOut, Refused
from autogradient.grading.file_kinds import NOTEBOOK
from autogradient.grading.find_submissions import named
from autogradient.grading.read_notebook import read_notebook

#: Blackboard's own record beside what was handed in.
_RECORD = re.compile(r".*_attempt_[\d-]+\.txt", re.DOTALL)
#: Bytes that are kept of a file that is too large.
_BEGINNING = 8192
_NOBODY_KNOWS = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Attempt:
    """A notebook that was handed in, and the file that it was or lay in."""

    found: Found
    placed: Placed
    received: datetime | None


@dataclass
class Taken:
    """What came of one student: attempts, oldest first; sentences; and all of them in full where
    some files are only counted. `unread` are files that could not be read as a notebook.
    """

    attempts: list[Attempt]
    remarks: list[str]
    in_full: list[str]
    unread: list[Placed] = field(default_factory=list)


@dataclass(frozen=True)
class Unread:
    """What somebody handed in for an assignment instead of a notebook, and how it is known of
    which one it is.
    """

    assignment: str
    placed: Placed
    data: bytes
    how: str


def take(handed: HandedIn, recogniser: Recogniser) -> Taken:
    """Read what a student handed in, within bounds. No file is left without an attempt or a
    sentence.
    """
    found, left, said, unread = _read(handed, recogniser)
    attempts: list[Attempt] = []
    for name in dict.fromkeys(one.found.assignment for one in found):
        attempts += _in_order([one for one in found if one.found.assignment == name], name, said)
    beside: list[str] = []
    if attempts:  # whoever handed in a notebook may have put other things beside it
        left = [(path, reason) for path, reason in left if not _RECORD.fullmatch(path)]
        beside = [path for path, reason in left if reason == messages.LEFT_NO_NOTEBOOK]
        left = [(path, reason) for path, reason in left if reason != messages.LEFT_NO_NOTEBOOK]
    short, counted = archives.left_out(left)
    most = archives.MAX_NAMED
    if beside:
        counted |= len(beside) > most
        names = (
            beside
            if len(beside) <= most
            else [*beside[: most - 1], sentences.TAKE_AND_MORE.format(count=len(beside) - most + 1)]
        )
        short.append(messages.LEFT_BESIDE.format(names=", ".join(names)))
    full = [messages.LEFT_OUT.format(path=path, reason=reason) for path, reason in left]
    full += [messages.LEFT_BESIDE.format(names=path) for path in beside]
    remarks = [*handed.remarks, *said]
    if len(remarks) > 2 * most:
        counted = True
    cut = (
        remarks
        if len(remarks) <= 2 * most
        else [
            *remarks[: 2 * most - 1],
            sentences.TAKE_AND_MORE.format(count=len(remarks) - 2 * most + 1),
        ]
    )
    return Taken(attempts, [*short, *cut], [*full, *remarks] if counted else [], unread)


def instead(taken: Taken, source: Path, names: Sequence[str]) -> list[Unread]:
    """What stands for a hand-in that could not be read: at most one file for each assignment of
    which the student handed in no notebook.

    The assignment is that of the file's folder; where no notebook came at all also the one that
    the file's name or that of the source says, or the only one of `names`.
    """
    found: dict[str, Unread] = {}
    there = {one.found.assignment for one in taken.attempts}
    for placed in taken.unread:
        *folders, name = PurePosixPath(placed.path).parts
        said = [(folder, "its folder") for folder in reversed(folders) if folder in names]
        if not taken.attempts:
            words = ((PurePosixPath(name).stem, "its file name"), (source.stem, "the archive"))
            said += [(meant, how) for word, how in words if (meant := named(word, names))]
            said += [(only, "no other is collected") for only in names if len(names) == 1]
        assignment, how = next(iter(said), ("", ""))
        if not assignment or assignment in there or assignment in found:
            continue
        try:
            data = placed.read(MAX_MB * 1_000_000 + 1)
        except Refused:
            continue
        if len(data) > MAX_MB * 1_000_000:
            data = data[:_BEGINNING]
        found[assignment] = Unread(assignment, placed, data, how)
    return list(found.values())


def _read(
    handed: HandedIn, recogniser: Recogniser
) -> tuple[list[Attempt], list[tuple[str, str]], list[str], list[Placed]]:
    found: list[Attempt] = []
    unread: dict[str, Placed] = {}
    left, said, budget, looked = list(handed.left_out), list[str](), Budget(size=MAX_BYTES), 0
    for placed in sorted(
        handed.files, key=lambda placed: (NOTEBOOK not in placed.path.lower(), placed.path)
    ):
        for each in archives.notebooks(placed.path, placed.read, budget):
            if isinstance(each, LeftOut):
                left.append((shown(each.path), each.reason))
                if not _RECORD.fullmatch(placed.path):
                    unread[placed.path] = placed
                continue
            looked += 1
            if looked > MAX_NOTEBOOKS:
                left.append(
                    (
                        shown(each.path),
                        sentences.TAKE_FULL.format(
                            notebooks=MAX_NOTEBOOKS, limit=MAX_BYTES // 1_000_000
                        ),
                    )
                )
                continue
            try:
                one = recogniser.look(File(printable(each.path), each.data))
            except SubmissionError as error:
                said.append(_with_path(str(error), each.path))
                if not _is_notebook(each.data):
                    unread[placed.path] = placed
                continue
            if one is None:
                left.append((shown(each.path), sentences.TAKE_BLANK))
            else:
                found.append(Attempt(one, placed, placed.received))
    return found, left, said, list(unread.values())


def _with_path(sentence: str, path: str) -> str:
    """A sentence about a file that begins with its name, with its whole path instead: a student
    may have handed in several of one name.
    """
    name = PurePosixPath(path).name
    return f"{shown(path)}{sentence[len(name) :]}" if sentence.startswith(name) else sentence


def _is_notebook(data: bytes) -> bool:
    try:
        read_notebook(data, "")
    except SubmissionError:
        return False
    return True


def _in_order(found: list[Attempt], name: str, said: list[str]) -> list[Attempt]:
    """The attempts at one assignment. Files of one submission are one; so are equal ones that
    follow each other.
    """
    submissions: dict[str, list[Attempt]] = {}
    for one in found:
        submissions.setdefault(one.placed.submission, []).append(one)
    chosen = [_one_of(several, name, said) for several in submissions.values()]
    stated = [one for one in chosen if one.placed.submission]
    # the time of a file says nothing where others say when they were handed in
    if stated and len(stated) < len(chosen):
        rest = next(one for one in chosen if not one.placed.submission)
        if rest.received is not None and rest.placed.by != "given":
            said.append(sentences.TAKE_NO_TIME.format(path=shown(rest.found.file.path)))
            chosen[chosen.index(rest)] = Attempt(rest.found, rest.placed, None)
    elif not stated and chosen[0].received is None:
        said.append(sentences.TAKE_NO_TIME.format(path=shown(chosen[0].found.file.path)))
    chosen.sort(key=lambda one: (one.placed.stated or _NOBODY_KNOWS, one.found.file.path))
    kept: list[Attempt] = []
    for one in chosen:
        same = next((old for old in kept[-1:] if old.found.file.data == one.found.file.data), None)
        untimed = next(
            (
                old
                for old in kept
                if old.received is None and old.found.file.data == one.found.file.data
            ),
            None,
        )
        if untimed is not None and one.received is not None:
            kept.remove(untimed)
            said.append(
                sentences.TAKE_SAME.format(
                    one=shown(untimed.found.file.path), other=shown(one.found.file.path)
                )
            )
        elif same is not None:
            said.append(
                sentences.TAKE_SAME.format(
                    one=shown(one.found.file.path), other=shown(same.found.file.path)
                )
            )
            continue
        kept.append(one)
    for before, after in zip(kept, kept[1:], strict=False):
        if before.placed.stated is not None and before.placed.stated == after.placed.stated:
            said.append(
                sentences.TAKE_SAME_SECOND.format(
                    one=shown(before.found.file.path), other=shown(after.found.file.path)
                )
            )
    return kept


def _one_of(several: list[Attempt], name: str, said: list[str]) -> Attempt:
    """The notebook that counts of those that were handed in together."""
    if len(several) == 1:
        return several[0]
    best, reason = choose([one.found for one in several], name)
    names = " and ".join(shown(one.found.file.path) for one in several[:10])
    said.append(
        errors.TWO_NOTEBOOKS_COLLECTED.format(names=names, chosen=best.file.path, reason=reason)
    )
    said += _rest(several[10:])
    return next(one for one in several if one.found is best)


def _rest(several: Iterable[Attempt]) -> list[str]:
    return [
        sentences.TAKE_ANOTHER.format(path=PurePosixPath(one.found.file.path)) for one in several
    ]
