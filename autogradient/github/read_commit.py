"""A commit as data: the notebooks in it, read out of the object store within bounds, and a sentence
for each that was left out.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from autogradient.github import messages
from autogradient.github.git import MAX_ENTRIES, Bare, Entry
from autogradient.github.recognise import File
from autogradient.grading.read_notebook import MAX_MB

#: Folders above a notebook, notebooks of one commit or archive and their bytes together, sentences
#: about one.
MAX_DEPTH, MAX_NOTEBOOKS, MAX_BYTES, MAX_SENTENCES = 8, 200, 200_000_000, 10
LINK, FILE_MODES = "120000", ("100644", "100755", "100664")
LFS = b"version https://git-lfs.github.com/spec/"
NOTEBOOK = ".ipynb"


def printable(name: str) -> str:
    """A name on one line, without anything that a terminal or a log would take for a command."""
    return "".join(character if character.isprintable() else "?" for character in name)


def shown(name: str) -> str:
    """A name as it stands in a sentence: printable, and not too long."""
    plain = printable(name)
    return plain if len(plain) <= 120 else f"{plain[:80]}…{plain[-30:]}"


def is_notebook(path: str) -> bool:
    """Whether a path is one that a notebook of a student's could have; hidden folders and
    checkpoints are not looked into.
    """
    return path.lower().endswith(NOTEBOOK) and not any(
        part.startswith(".") for part in PurePosixPath(path).parts
    )


def take(git: Bare, url: str, commit: str) -> tuple[list[File], list[str]]:
    """Fetch one commit, without its history and without what is too large, and read its notebooks.
    Raises GitError.
    """
    git.fetch(url, commit, "refs/taken")
    entries, complete = git.entries("refs/taken")
    remarks = [] if complete else [messages.TAKE_TOO_MANY.format(limit=MAX_ENTRIES)]
    wanted: list[tuple[str, Entry]] = []
    for entry in entries:
        path = entry.path.decode("utf-8", "surrogateescape")
        if not is_notebook(path):
            continue
        reason = _refused(entry, path)
        if reason:
            remarks.append(messages.TAKE_LEFT_OUT.format(path=shown(path), reason=reason))
        else:
            wanted.append((path, entry))
    fits: list[tuple[str, Entry]] = []
    total = 0
    for path, entry in wanted:
        total += entry.size or 0
        if len(fits) >= MAX_NOTEBOOKS or total > MAX_BYTES:
            remarks.append(
                messages.TAKE_ENOUGH.format(
                    path=shown(path), notebooks=MAX_NOTEBOOKS, limit=MAX_BYTES // 1_000_000
                )
            )
            break
        fits.append((path, entry))
    files: list[File] = []
    for (path, _), data in zip(
        fits, git.blobs([entry.oid for _, entry in fits]) if fits else [], strict=True
    ):
        if data is None or data.startswith(LFS):
            remarks.append(
                messages.TAKE_LEFT_OUT.format(
                    path=shown(path), reason=messages.TAKE_LFS if data else messages.TAKE_GONE
                )
            )
        else:
            files.append(File(printable(path), data))
    return files, few(remarks)


def few(remarks: list[str]) -> list[str]:
    """So many sentences that a person reads them."""
    left = len(remarks) - MAX_SENTENCES
    return (
        remarks
        if left <= 0
        else [*remarks[:MAX_SENTENCES], messages.TAKE_AND_MORE.format(count=left)]
    )


def _refused(entry: Entry, path: str) -> str:
    """Why an entry is not read; "" where it is."""
    if entry.mode == LINK:
        return messages.TAKE_LINK
    if entry.kind != "blob" or entry.mode not in FILE_MODES:
        return messages.TAKE_NO_FILE
    if path.count("/") > MAX_DEPTH:
        return messages.TAKE_DEEP.format(limit=MAX_DEPTH)
    if entry.size is None or entry.size > MAX_MB * 1_000_000:
        return messages.TAKE_LARGE.format(limit=MAX_MB)
    return ""
