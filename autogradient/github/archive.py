"""What lies in a folder or a zip that a learning platform made, sorted by student. Files are read
as data: nothing is unpacked, no name is used as a path.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path

from autogradient import errors
from autogradient.course import times
from autogradient.course.identity import People
from autogradient.course.roster import Member
from autogradient.errors import CourseError
from autogradient.github import messages as sentences
from autogradient.github.git import MAX_ENTRIES
from autogradient.github.read_commit import MAX_DEPTH, shown
from autogradient.github.whose import BLACKBOARD, CANVAS, MOODLE, Whose
from autogradient.grading import messages
from autogradient.grading.archives import (
    MAX_BYTES,
    MAX_CONTENTS,
    Reader,
    Refused,
    opened_zip,
    refuse,
    zip_reader,
    zip_time,
)
from autogradient.grading.file_kinds import is_ignored
from autogradient.grading.find_submissions import TIMESTAMP, timestamp
from autogradient.grading.read_notebook import file_reader

MAX_PATH = 400
GIVEN, ITS_NAME, THE_ARCHIVE, THE_FILE = "given", "its name", "the archive", "the file's time"


@dataclass(frozen=True)
class Placed:
    """A file where it lies: how to read it, when it was received (None: nobody knows) and whose
    record that is.

    `submission` is the same for files that were handed in together; "" where nothing says when each
    of a student's files was handed in.
    """

    path: str
    read: Reader
    received: datetime | None
    by: str
    submission: str = ""
    stated: datetime | None = None


@dataclass
class HandedIn:
    """The files of one student (of nobody, where `student` is ""), which were left out, and what
    else is to be said.
    """

    student: str
    files: list[Placed] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    path: str
    read: Reader
    changed: datetime | None
    by: str
    stamp: str | None = None
    place: Path | None = None


class Sorter:
    """Sorts what lies in a folder or zip by student, in the order of the roster; what is nobody's
    comes first.
    """

    def __init__(
        self,
        members: list[Member],
        pattern: str = "",
        *,
        names: dict[str, str] | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        self.members, self.zone = members, zone
        self.whose = Whose(People(members, names), pattern, zone)

    def students(self, source: Path, received: datetime | None = None) -> Iterator[HandedIn]:
        """What each student handed in; files can be read until the next one is asked for. Raises
        CourseError where there is no such folder or zip.
        """
        if not source.exists():
            raise CourseError(errors.NO_FILE.format(path=source))
        found = {member.student: HandedIn(member.student) for member in self.members}
        nobody = HandedIn("")
        with ExitStack() as stack:
            try:
                entries = self._entries(source, stack)
            except Refused as reason:
                nobody.left_out.append((shown(source.name), str(reason)))
                entries = []
            if len(entries) > MAX_ENTRIES:
                nobody.remarks.append(sentences.TAKE_TOO_MANY.format(limit=MAX_ENTRIES))
            for number, entry in enumerate(entries):
                student = ""
                try:
                    if number >= MAX_ENTRIES:
                        raise Refused(sentences.TAKE_TOO_MANY.format(limit=MAX_ENTRIES))
                    if len(entry.path) > MAX_PATH or entry.path.count("/") > MAX_DEPTH:
                        raise Refused(sentences.TAKE_DEEP.format(limit=MAX_DEPTH))
                    owner = self.whose.owner(entry.path)
                    student = owner.student
                    found[student].files.append(
                        self._placed(entry, owner.time, owner.chosen, received, found[student])
                    )
                except Refused as reason:
                    found.get(student, nobody).left_out.append((shown(entry.path), str(reason)))
            yield from (
                each
                for each in [nobody, *found.values()]
                if each.files or each.left_out or each.remarks
            )

    def _placed(
        self,
        entry: _Entry,
        named: datetime | None,
        chosen: bool,
        received: datetime | None,
        handed: HandedIn,
    ) -> Placed:
        when, by, submission = entry.changed, entry.by, ""
        if entry.stamp is not None:
            time = times.parse(entry.stamp, self.zone)
            if time is None:
                text = messages.NO_TIME_READ.format(
                    path=shown(f"{entry.path.rpartition('/')[0]}/{TIMESTAMP}"),
                    text=entry.stamp[:60],
                )
                handed.remarks += [] if text in handed.remarks else [text]
            else:
                when, by, submission = time, TIMESTAMP, f"in {entry.path.rpartition('/')[0]}"
        if named is not None:
            when, by, submission = named, ITS_NAME, f"of {entry.path}"
            if chosen and received is None:
                handed.remarks.append(
                    sentences.TAKE_NAMED_TIME.format(
                        path=shown(entry.path), time=times.shown(named, self.zone)
                    )
                )
        stated = when if submission else None
        return Placed(
            entry.path, entry.read, received or when, GIVEN if received else by, submission, stated
        )

    def _entries(self, source: Path, stack: ExitStack) -> list[_Entry]:
        """The files of the source, folders that hold all of it taken off; in a folder, zips that
        are nobody's are looked into, for they may be a platform's.
        """
        entries: list[_Entry] = []
        for entry in list(_folder(source) if source.is_dir() else _zip(source, stack)):
            if source.is_dir() and _may_be_a_platforms(entry.path) and not self._knows(entry.path):
                try:
                    entries += _zip(entry, stack)
                    continue
                except Refused:  # no zip, so it is named as what it is: a file that is nobody's
                    pass
            entries.append(entry)
        inner = entries
        while (
            self.whose.plugin is None
            and len({entry.path.partition("/")[0] for entry in inner}) == 1
            and all("/" in entry.path for entry in inner)
        ):
            if any(self._knows(entry.path) for entry in inner):
                return inner
            inner = [replace(entry, path=entry.path.partition("/")[2]) for entry in inner]
        return inner if any(self._knows(entry.path) for entry in inner) else entries

    def _knows(self, path: str) -> bool:
        try:
            return bool(self.whose.owner(path))
        except Refused as reason:
            return not str(reason).startswith(sentences.TAKE_NOBODY.split("{")[0])


def _may_be_a_platforms(path: str) -> bool:
    """Whether a file beside students' folders may be a platform's zip, and is not what a student
    handed in on one: there names of others would be believed.
    """
    return (
        "/" not in path
        and path.lower().endswith(".zip")
        and not any(pattern.fullmatch(path) for pattern in (MOODLE, CANVAS, BLACKBOARD))
    )


def _folder(root: Path) -> Iterator[_Entry]:
    """The files below a folder; links are not followed."""
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if not is_ignored(name))
        stamp = timestamp(Path(folder)) if TIMESTAMP in names else None
        for name in sorted(name for name in names if not is_ignored(name)) + [
            name for name in folders if os.path.islink(os.path.join(folder, name))
        ]:
            path = Path(folder, name)
            relative = os.fsencode(path.relative_to(root)).decode("utf-8", "replace")
            if path.is_symlink():
                yield _Entry(relative, refuse(sentences.TAKE_LINK), None, "")
            else:
                yield _Entry(
                    relative,
                    file_reader(path),
                    times.from_seconds(path.stat().st_mtime),
                    THE_FILE,
                    stamp,
                    path,
                )


def _zip(source: Path | _Entry, stack: ExitStack) -> list[_Entry]:
    """The files in a zip. Raises Refused where it is none."""
    path = source if isinstance(source, Path) else source.place
    try:
        if path is not None:
            file = stack.enter_context(path.open("rb"))
        else:
            assert isinstance(source, _Entry)
            data = source.read(MAX_BYTES + 1)
            if len(data) > MAX_BYTES:
                raise Refused(messages.LEFT_LARGE.format(limit=MAX_BYTES // 1_000_000))
            file = io.BytesIO(data)  # type: ignore[assignment]
    except OSError as error:
        raise Refused(str(error.strerror)) from None
    opened = stack.enter_context(opened_zip(file, MAX_CONTENTS))
    stamps, found = dict[str, str](), []
    for info in opened.infolist():
        plain = info.filename.replace("\\", "/")
        folder, _, name = plain.rpartition("/")
        if name.lower() == TIMESTAMP and not info.is_dir():
            try:
                stamps[folder] = times.decoded(zip_reader(opened, info)(times.MAX_BYTES))
            except Refused:
                continue
    for info in opened.infolist():
        plain = info.filename.replace("\\", "/")
        if info.is_dir() or plain.endswith("/") or is_ignored(plain):
            continue
        outside = plain.startswith("/") or ":" in plain.split("/")[0] or ".." in plain.split("/")
        read = refuse(sentences.TAKE_OUTSIDE) if outside else zip_reader(opened, info)
        found.append(
            _Entry(
                plain.removeprefix("./"),
                read,
                zip_time(info),
                THE_ARCHIVE,
                stamps.get(plain.rpartition("/")[0]),
            )
        )
    return found
