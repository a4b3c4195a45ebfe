"""Notebooks from a folder or a zip that a learning platform made, sorted by student. Files are read as data: nothing is unpacked, no name is used as a path."""

from __future__ import annotations

import io
import logging
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

from autogradient import errors
from autogradient.course.roster import Member
from autogradient.errors import CourseError
from autogradient.github import messages as sentences
from autogradient.github.git import MAX_ENTRIES
from autogradient.github.read_commit import MAX_BYTES, MAX_DEPTH, MAX_NOTEBOOKS, is_notebook, printable, shown
from autogradient.github.recognise import File
from autogradient.grading.read_notebook import MAX_MB

#: nbgrader's patterns (named groups student_id, file_id and, if there is one, timestamp): Blackboard, Canvas, Moodle, and a folder for each student.
PATTERNS = (
    r"(?:.*/)?[^/]*?_(?P<student_id>[^/_]+)_attempt_(?P<timestamp>[0-9][0-9-]+)_(?P<file_id>.+)",
    r"(?:.*/)?[^/_]+_(?:LATE_)?(?P<student_id>[0-9]+)_[0-9]+_(?P<file_id>.+)",
    r"(?:.*/)?[^/]*_(?P<student_id>[0-9]+)_assignsubmission_file_?/?(?P<file_id>.+)",
    r"(?P<student_id>[^/]+)/(?P<file_id>.+)",
)
MAX_PATH = 400
#: Bytes of a zip's list of contents: of one that a platform made, and of one that a student handed in.
MAX_CONTENTS, MAX_INNER_CONTENTS = 64_000_000, 2_000_000
TIMESTAMP = "timestamp.txt"


@dataclass(frozen=True)
class Stamped:
    """A file with the time at which it was received, and whose record that is."""

    file: File
    received: datetime
    by: str


@dataclass
class Sorted:
    """Files by student, and sentences about what was left out, by student ("" where nobody is known)."""

    files: dict[str, list[Stamped]] = field(default_factory=dict)
    sentences: dict[str, list[str]] = field(default_factory=dict)

    def say(self, student: str, sentence: str) -> None:
        """Note why something was left out."""
        self.sentences.setdefault(student, []).append(sentence)


class _Refused(Exception):
    """A file is left out; the text says why."""


class Sorter:
    """Knows whose file is whose by its path."""

    def __init__(self, members: list[Member], pattern: str = "") -> None:
        from nbgrader.plugins.zipcollect import FileNameCollectorPlugin

        try:
            re.compile(pattern)
        except re.error as error:
            raise CourseError(errors.BAD_PATTERN.format(pattern=pattern, problem=error)) from None
        if pattern and "(?P<student_id>" not in pattern:
            raise CourseError(errors.BAD_PATTERN.format(pattern=pattern, problem="there is no group (?P<student_id>…)"))
        log = logging.getLogger("autogradient.collect")
        log.propagate = False
        log.addHandler(logging.NullHandler())
        self.plugins = [FileNameCollectorPlugin(named_regexp=each, valid_ext=[".ipynb"], log=log) for each in ((pattern,) if pattern else PATTERNS)]
        self.known: dict[str, str] = {}
        for name in ("email", "login", "lms_id", "student"):  # the course's own id last, so that it wins
            self.known |= {str(getattr(member, name)).lower(): member.student for member in members if getattr(member, name)}

    def whose(self, path: str) -> tuple[str, datetime | None]:
        """The student that a path names, and the time in it. Raises _Refused where it names nobody of the roster."""
        for plugin in self.plugins:
            match: dict[str, str] | None = plugin.collect(path if path.endswith(".ipynb") else f"{path}.ipynb")
            student = self.known.get(str((match or {}).get("student_id") or "").strip().lower())
            if match and student:
                return student, _time(str(match.get("timestamp") or ""))
        raise _Refused(sentences.TAKE_NOBODY)

    def sort(self, source: Path, received: datetime | None = None) -> Sorted:
        """The notebooks in a folder or zip, by student."""
        if not source.exists():
            raise CourseError(errors.NO_FILE.format(path=source))
        out = Sorted()
        totals: dict[str, tuple[int, int]] = {}
        entries = _folder(source) if source.is_dir() else _zip(source.read_bytes, source.name, MAX_CONTENTS)
        for number, (path, read) in enumerate(entries):
            if number >= MAX_ENTRIES:
                out.say("", sentences.TAKE_TOO_MANY.format(limit=MAX_ENTRIES))
                break
            student = ""
            try:
                if len(path) > MAX_PATH or path.count("/") > MAX_DEPTH:
                    raise _Refused(sentences.TAKE_DEEP.format(limit=MAX_DEPTH))
                student, time = self.whose(path)
                files, size = totals.get(student, (0, 0))
                if files >= MAX_NOTEBOOKS or size >= MAX_BYTES:
                    raise _Refused(sentences.TAKE_FULL.format(notebooks=MAX_NOTEBOOKS, limit=MAX_BYTES // 1_000_000))
                data, recorded, by = read()
            except _Refused as reason:
                out.say(student, sentences.TAKE_LEFT_OUT.format(path=shown(path), reason=reason))
                continue
            totals[student] = (files + 1, size + len(data))
            when, by = (received, "given") if received else (time, "its name") if time else (recorded, by)
            out.files.setdefault(student, []).append(Stamped(File(printable(path), data), when, by))
        return out


#: Gives a file's bytes, the time at which it was received and whose record that is, or raises _Refused.
Reader = Callable[[], tuple[bytes, datetime, str]]


def _refuse(reason: str) -> Reader:
    def read() -> NoReturn:
        raise _Refused(reason)

    return read


def _folder(root: Path) -> Iterator[tuple[str, Reader]]:
    """The notebooks and zips below a folder; links are not followed."""
    for folder, folders, names in os.walk(root, followlinks=False):
        for name in [name for name in folders if os.path.islink(os.path.join(folder, name))]:
            yield f"{os.path.relpath(os.path.join(folder, name), root)}", _refuse(sentences.TAKE_LINK)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            relative = os.fsencode(path.relative_to(root)).decode("utf-8", "replace")
            if name.lower().endswith(".zip") and path.is_file() and not path.is_symlink():
                yield from ((_below(relative, inner), read) for inner, read in _zip(path.read_bytes, "", MAX_INNER_CONTENTS, path.stat().st_mtime))
            elif is_notebook(relative):
                yield relative, partial(_file, path)


def _file(path: Path) -> tuple[bytes, datetime, str]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _Refused(sentences.TAKE_LINK if path.is_symlink() else str(error.strerror)) from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise _Refused(sentences.TAKE_NO_FILE)
        if status.st_size > MAX_MB * 1_000_000:
            raise _Refused(sentences.TAKE_LARGE.format(limit=MAX_MB))
        data = file.read(MAX_MB * 1_000_000 + 1)
    stamp = path.with_name(TIMESTAMP)
    if stamp.is_file() and not stamp.is_symlink() and stamp.stat().st_size < 200:
        time = _time(stamp.read_text(encoding="utf-8", errors="replace").strip())
        if time:
            return data, time, TIMESTAMP
    return data, datetime.fromtimestamp(status.st_mtime, UTC), "the file's time"


def _zip(load: Callable[[], bytes], name: str, most: int, changed: float | None = None, inner: bool = False) -> Iterator[tuple[str, Reader]]:
    """The notebooks in a zip, and in zips in it, one level deep."""
    try:
        data = load()
        _look(data, most)
        opened = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError, struct.error) as error:
        yield name, _refuse(sentences.TAKE_NO_ZIP.format(problem=error))
        return
    with opened:
        for info in opened.infolist():
            path = info.filename
            if info.is_dir() or not path.lower().endswith((".ipynb", ".zip")) or _hidden(path):
                continue
            if path.startswith("/") or "\\" in path or ":" in path.split("/")[0] or ".." in path.split("/"):
                yield path, _refuse(sentences.TAKE_OUTSIDE)
            elif path.lower().endswith(".zip"):
                if inner:
                    yield path, _refuse(sentences.TAKE_ZIP_IN_ZIP)
                else:
                    try:
                        content = _member(opened, info)
                    except _Refused as reason:
                        yield path, _refuse(str(reason))
                        continue
                    stamp = _zip_time(info).timestamp()
                    found = _zip(io.BytesIO(content).getvalue, "", MAX_INNER_CONTENTS, stamp, inner=True)
                    yield from ((_below(path, inside), read) for inside, read in found)
            else:
                time = datetime.fromtimestamp(changed, UTC) if changed is not None else _zip_time(info)
                yield path, partial(_zipped, opened, info, time)


def _zipped(opened: zipfile.ZipFile, info: zipfile.ZipInfo, time: datetime) -> tuple[bytes, datetime, str]:
    return _member(opened, info), time, "the archive"


def _below(path: str, inner: str) -> str:
    return f"{path}/{inner}" if inner else path


def _hidden(path: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in path.split("/")) or path.startswith("__MACOSX/")


def _look(data: bytes, most: int) -> None:
    """Raise ValueError where a zip's list of contents alone would take too much memory: it is read before anything else can be asked."""
    tail = data[-65_600:]
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise ValueError("it has no list of contents")
    (size,) = struct.unpack_from("<L", tail, end + 12)
    if tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):  # a large zip says so once more, in a record that stands before
        if end < 76:
            raise ValueError("it has no list of contents")
        (size,) = struct.unpack_from("<Q", tail, end - 76 + 40)
    if size > most:
        raise ValueError("its list of contents is too long")


def _member(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """One file of a zip, bounded whatever the zip says about its size."""
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _Refused(sentences.TAKE_LINK)
    if info.flag_bits & 1:
        raise _Refused(sentences.TAKE_ENCRYPTED)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Refused(sentences.TAKE_NO_ZIP.format(problem="compressed in an unusual way"))
    limit = MAX_MB * 1_000_000
    try:
        with opened.open(info) as file:
            data = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError, struct.error) as error:
        raise _Refused(sentences.TAKE_NO_ZIP.format(problem=error)) from None
    if len(data) > limit:
        raise _Refused(sentences.TAKE_LARGE.format(limit=MAX_MB))
    return data


def _zip_time(info: zipfile.ZipInfo) -> datetime:
    try:
        return datetime(*info.date_time, tzinfo=UTC)
    except ValueError:
        return datetime(1980, 1, 1, tzinfo=UTC)


def _time(text: str) -> datetime | None:
    """A time as nbgrader and platforms write it; UTC where it does not say."""
    from nbgrader.utils import parse_utc

    numbers = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)(?:-(\d\d))?", text)
    try:
        found = datetime(*(int(number or 0) for number in numbers.groups())) if numbers else parse_utc(text) if text else None  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found else None
