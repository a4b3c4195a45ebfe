"""What a student's commit lacks of the present release: files, and the student's own notebook with
the correction in it.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from autogradient.course.config import Course
from autogradient.errors import SubmissionError
from autogradient.github import messages
from autogradient.github.carry_over import Carried, carry
from autogradient.github.colab import published
from autogradient.github.git import Bare
from autogradient.github.publish import MANIFESTS, manifest
from autogradient.github.read_commit import shown
from autogradient.github.recognise import File, Found, Recogniser
from autogradient.github.settings import Settings
from autogradient.model.assignment import Assignment

#: Former releases of a notebook that are looked at.
MOST_RELEASES = 50


@dataclass(frozen=True)
class Release:
    """An assignment as it is released now (path in a repository → content, the notebook apart), and
    as it was.

    `versions` are the ids of all contents that a path ever had, `earlier` the notebooks of former
    releases, oldest first.
    """

    assignment: Assignment
    files: dict[str, bytes]
    blank: bytes
    versions: dict[str, set[str]]
    earlier: list[dict[str, Any]]

    @property
    def path(self) -> str:
        """Where the notebook is released."""
        return f"{self.assignment.name}/{self.assignment.name}.ipynb"

    @functools.cached_property
    def notebook(self) -> dict[str, Any]:
        """The notebook as it was published."""
        found: dict[str, Any] = json.loads(self.blank)
        return found

    @classmethod
    def of(cls, git: Bare, assignment: Assignment, settings: Settings) -> Release:
        """Ask the release repository, of which `refs/release` has been fetched."""
        name = assignment.name
        about = f"{MANIFESTS}{name}.json"
        files = {
            f"{name}/{path}": data for path, data in published(assignment, settings).files.items()
        } | {about: manifest(assignment, settings)}
        blank = files.pop(f"{name}/{name}.ipynb")
        listed = git.run(
            "log",
            "-m",
            "--format=",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            "--reverse",
            "refs/release",
            "--",
            f"{name}/",
            about,
        )
        words = [word.strip("\n") for word in listed.decode("utf-8", "surrogateescape").split("\0")]
        versions: dict[str, set[str]] = {path: {blob_id(data)} for path, data in files.items()}
        notebooks: dict[str, None] = {}
        for head, path in zip(words, words[1:], strict=False):
            if head.startswith(":"):
                oid = head.split(" ")[3]
                if set(oid) != {"0"}:
                    versions.setdefault(path, set()).add(oid)
                    if path == f"{name}/{name}.ipynb" and oid != blob_id(blank):
                        notebooks[oid] = None
        oids = list(notebooks)[-MOST_RELEASES:]
        earlier = [json.loads(data) for data in (git.blobs(oids) if oids else []) if data]
        versions.pop(f"{name}/{name}.ipynb", None)
        return cls(assignment, files, blank, versions, earlier)


def blob_id(data: bytes) -> str:
    """The id that git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass
class Correction:
    """What a student's branch lacks: files to be written (None: to be deleted), notebooks that were
    carried over, and what the student should know.
    """

    files: dict[str, bytes | None] = field(default_factory=dict)
    carried: dict[str, Carried] = field(default_factory=dict)
    fresh: bool = False
    kept: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Commit:
    """A commit of a student's as data: what is in it (path → id of the content), the notebooks that
    can be read, and a sentence for each that was left out.
    """

    oid: str
    entries: dict[str, str]
    files: list[File]
    left_out: list[str]
    complete: bool


class Recognisers:
    """Knows which notebook of a student's is the one of an assignment: as `collect` does, and among
    those in which nothing is answered.
    """

    def __init__(self, course: Course) -> None:
        self.recognisers = Recogniser(course), Recogniser(course, blank=True)
        self.known: tuple[str, dict[str, Found], dict[str, Found]] = ("", {}, {})

    def mine(self, release: Release, commit: Commit) -> list[File]:
        """The notebook that would be collected, and the one that stands in the release's place."""
        name = release.assignment.name
        files = [file for file in commit.files if file.path == release.path]
        if self.known[0] != commit.oid:
            answered, blank = (
                recogniser.sort_out(commit.files)[0] for recogniser in self.recognisers
            )
            self.known = (commit.oid, answered, blank)
        chosen = self.known[1].get(name)
        if chosen is None and not files:
            chosen = self.known[2].get(name)
        # One that only lies in the assignment's folder is a student's own.
        return (
            files
            if chosen is None or chosen.file in files or not _is_of(release, chosen.file)
            else [*files, chosen.file]
        )


def correct(release: Release, commit: Commit, recognisers: Recognisers) -> Correction:
    """What a commit lacks of a release."""
    found = Correction()
    name = release.assignment.name
    for path in sorted(release.versions):
        data, oid = release.files.get(path), commit.entries.get(path)
        if (data is None and oid is None) or (data is not None and oid == blob_id(data)):
            continue
        if (
            oid is None
            or oid in release.versions[path]
            or path.startswith((f"{name}/tests/", MANIFESTS))
        ):
            found.files[path] = data
        elif data is not None:
            found.kept.append(path)
    stale = {PurePosixPath(path).stem for path in found.files if path.startswith(f"{name}/tests/")}
    mine = recognisers.mine(release, commit)
    for file in mine:
        _notebook(release, commit, file, stale, found)
    if not mine and release.path not in commit.entries:
        found.files[release.path] = release.blank
        found.fresh = True
    found.problems += [
        sentence for sentence in commit.left_out if sentence.startswith(release.path)
    ]
    return found


def _notebook(
    release: Release, commit: Commit, file: File, stale: Iterable[str], found: Correction
) -> None:
    """Carry one notebook over, or say why not."""
    try:
        carried = carry(
            release.assignment,
            file.data,
            shown(file.path),
            release.earlier,
            stale,
            release.notebook,
        )
    except SubmissionError as error:
        found.problems.append(messages.UPDATE_UNREADABLE.format(problem=error))
        return
    except Exception as error:  # nothing of one student's may stop the others
        found.problems.append(
            messages.UPDATE_UNREADABLE.format(problem=f"{shown(file.path)}: {type(error).__name__}")
        )
        return
    if carried is None:
        found.problems.append(
            messages.UPDATE_ANOTHER.format(path=shown(file.path), name=release.assignment.name)
        )
    elif file.path not in commit.entries:
        # its name cannot be printed, so it was changed for us to read
        found.problems.append(messages.UPDATE_ODD_NAME.format(path=shown(file.path)))
    elif carried.changed:
        found.files[file.path] = carried.data
        found.carried[file.path] = carried


def _is_of(release: Release, file: File) -> bool:
    """Whether a file cannot be read, or has a cell of the assignment's in it."""
    try:
        return (
            carry(
                release.assignment,
                file.data,
                shown(file.path),
                release.earlier,
                present=release.notebook,
            )
            is not None
        )
    except Exception:  # it will be said why
        return True
