"""Files that were handed in, whatever they are called → the notebooks in them, and why each other
file was left out.

A notebook may have been saved as .json or .txt, or lie in an archive, or in one in that. All of it
is read as data and within bounds: nothing is unpacked, no name in an archive is used as a path, and
sizes are measured while reading.
"""

from __future__ import annotations

import bz2
import io
import lzma
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO, Any

from autogradient.grading import messages
from autogradient.grading.file_kinds import (
    NOTEBOOK,
    OTHERS,
    is_archive,
    is_ignored,
    is_web_page,
    kind,
    like_notebook,
)
from autogradient.grading.tar_headers import bounded

#: Of a file; of all that is read of one student's work; files in it that are looked at; archives
#: within archives.
MAX_MB, MAX_BYTES, MAX_LOOKED, MAX_LEVELS = 50, 200_000_000, 20_000, 3
#: Files, folders and headers in archives, those that are not looked at, too; streams that a
#: compressed file is made of, one after the other, as of a tool that compresses on many cores.
MAX_ENTRIES, MAX_STREAMS = 40_000, 1_000
#: Files whose beginning is read to see what they are, where their name does not say.
MAX_OPENED = 2_000
#: Bytes of a zip's list of contents: of one that a platform made, and of one that a student handed
#: in. Bytes of memory that xz may ask for.
MAX_CONTENTS, MAX_INNER_CONTENTS, MAX_XZ = 64_000_000, 2_000_000, 128_000_000
#: Files that are named in sentences of the same reason.
MAX_NAMED = 5
_HEAD = 8192
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OSError,
    struct.error,
)

#: At most so many bytes of a file, from its beginning. Raises Refused.
Reader = Callable[[int], bytes]


class Refused(Exception):
    """A file is left out; the text says why and what to do."""


@dataclass(frozen=True)
class Piece:
    """A file that is, or should be, a notebook: its path, that of the archive before it, and its
    bytes.
    """

    path: str
    data: bytes


@dataclass(frozen=True)
class LeftOut:
    """A file that was left out, and why."""

    path: str
    reason: str


@dataclass
class Budget:
    """What may still be read of one student's work: bytes, files that are looked at, files that
    are opened to see what they are, entries of archives, and streams of compressed files.
    """

    size: int = field(default_factory=lambda: MAX_BYTES)
    looked: int = field(default_factory=lambda: MAX_LOOKED)
    opened: int = field(default_factory=lambda: MAX_OPENED)
    entries: int = field(default_factory=lambda: MAX_ENTRIES)
    streams: int = field(default_factory=lambda: MAX_STREAMS)

    def spend(self, data: bytes) -> bytes:
        """Count what was read. Raises Refused where nothing more may be."""
        self.size -= len(data)
        if self.size < 0:
            raise Refused(messages.LEFT_TOO_MUCH.format(limit=MAX_BYTES // 1_000_000))
        return data

    def enter(self, count: int = 1) -> None:
        """Count entries of an archive. Raises Refused where there may be no more."""
        self.entries -= count
        if self.entries < 0:
            raise Refused(messages.LEFT_TOO_MANY.format(limit=MAX_ENTRIES))

    def header(self, size: int) -> None:
        """Count a header of a tar with the bytes behind it: those are gone through even where the
        file is not looked at. Raises Refused where there may be no more.
        """
        self.enter()
        if size > MAX_BYTES:
            raise Refused(messages.LEFT_TOO_MUCH.format(limit=MAX_BYTES // 1_000_000))

    def stream(self) -> None:
        """Count a stream of a compressed file: one that holds nothing takes time, too. Raises
        Refused where there may be no more.
        """
        self.streams -= 1
        if self.streams < 0:
            raise Refused(messages.LEFT_PIECES.format(limit=MAX_STREAMS))


def notebooks(path: str, read: Reader, budget: Budget, level: int = 0) -> Iterator[Piece | LeftOut]:
    """The notebooks that a file is or holds, and what else there is, as files left out."""
    try:
        yield from _notebooks(path, read, budget, level)
    except Refused as reason:
        yield LeftOut(path, str(reason))
    except MemoryError:
        yield LeftOut(path, messages.LEFT_TOO_MUCH.format(limit=MAX_BYTES // 1_000_000))


def _notebooks(path: str, read: Reader, budget: Budget, level: int) -> Iterator[Piece | LeftOut]:
    name = PurePosixPath(path).name.lower()
    if name.endswith(OTHERS):
        raise Refused(messages.LEFT_NO_NOTEBOOK)
    if not (NOTEBOOK in name or is_archive(name)):
        budget.opened -= 1
        if budget.opened < 0:
            raise Refused(messages.LEFT_NO_NOTEBOOK)
    head = read(_HEAD)
    what = kind(head, name)
    if what in ("zip", "gzip", "bzip2", "xz", "tar"):
        if level >= MAX_LEVELS:
            raise Refused(messages.LEFT_TOO_DEEP)
        yield from _inside(path, _whole(read, budget), what, budget, level)
    elif what in ("RAR", "7z", "Zstandard"):
        raise Refused(messages.LEFT_ARCHIVE.format(kind=what))
    elif name.endswith(NOTEBOOK):
        yield Piece(path, _whole(read, budget))
    elif what == "PDF" and not head.lstrip().startswith(b"{"):
        raise Refused(messages.LEFT_PDF)
    elif what == "office":
        raise Refused(messages.LEFT_OFFICE)
    elif is_archive(name):
        raise Refused(
            messages.LEFT_BAD_ARCHIVE.format(
                problem="its content is that of no archive" if head else "it is empty"
            )
        )
    else:
        beginning = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
        if NOTEBOOK in name or beginning.startswith(b"{"):
            data = _whole(read, budget)
            if NOTEBOOK in name and not beginning.startswith(b"<") or like_notebook(data):
                yield Piece(path, data)
                return
        raise Refused(
            messages.LEFT_WEB_PAGE
            if is_web_page(beginning)
            else messages.LEFT_EMPTY
            if not head
            else messages.LEFT_NO_NOTEBOOK
        )


def _whole(read: Reader, budget: Budget) -> bytes:
    data = budget.spend(read(MAX_MB * 1_000_000 + 1))
    if len(data) > MAX_MB * 1_000_000:
        raise Refused(messages.LEFT_LARGE.format(limit=MAX_MB))
    return data


def _inside(
    path: str, data: bytes, what: str, budget: Budget, level: int
) -> Iterator[Piece | LeftOut]:
    """What lies in an archive. Raises Refused where it cannot be read as one."""
    seen, known = False, set[str]()
    for inner, read in members(data, path, what, budget, MAX_INNER_CONTENTS):
        budget.looked -= 1
        if budget.looked < 0:
            raise Refused(messages.LEFT_TOO_MANY.format(limit=MAX_LOOKED))
        if is_ignored(inner):
            continue
        seen = True
        if inner in known:
            yield LeftOut(f"{path}/{inner}", messages.LEFT_TWICE)
            continue
        known.add(inner)
        yield from notebooks(f"{path}/{inner}", read, budget, level + 1)
    if not seen:
        raise Refused(messages.LEFT_EMPTY)


def members(
    data: bytes, name: str, what: str, budget: Budget, most: int
) -> Iterator[tuple[str, Reader]]:
    """The files in an archive by their paths, folders parted by `/`. Raises Refused where it cannot
    be read as one.
    """
    try:
        if what == "zip":
            with opened_zip(io.BytesIO(data), most, budget) as opened:
                for info in _notebooks_first(opened.infolist()):
                    yield info.filename.replace("\\", "/"), zip_reader(opened, info)
            return
        stream: IO[bytes] = (
            io.BytesIO(data)
            if what == "tar"
            else io.BufferedReader(_Unpacked(data, what, budget), 1 << 18)
        )
        beginning = stream.peek(512) if isinstance(stream, io.BufferedReader) else b""
        plain = re.sub(r"\.(gz|bz2|xz)$", "", PurePosixPath(name).name, flags=re.IGNORECASE)
        if (
            what != "tar"
            and beginning[257:262] != b"ustar"
            and not re.search(r"\.(tar\.\w+|tgz|tbz2?|txz)$", name.lower())
        ):
            yield (
                plain if plain != PurePosixPath(name).name else f"{plain}.ipynb",
                _stream_reader(stream),
            )
            return
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=bounded(budget.header)) as tar:
            for member in tar:
                path = member.name.replace("\\", "/").removeprefix("./")
                if member.isreg():
                    yield path, _stream_reader(tar.extractfile(member))
                elif not member.isdir():
                    yield path, refuse(messages.LEFT_LINK)
    except RecursionError:
        raise Refused(messages.LEFT_BAD_ARCHIVE.format(problem="it is damaged")) from None
    except _BROKEN as error:
        raise Refused(messages.LEFT_BAD_ARCHIVE.format(problem=_short(error))) from None


def _notebooks_first(infos: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The files of a zip in its order, those that are called notebooks before the others: what has
    bounds is to be spent on them.
    """
    return sorted(
        (info for info in infos if not info.is_dir()),
        key=lambda info: NOTEBOOK not in info.filename.lower(),
    )


def refuse(reason: str) -> Reader:
    """A reader of what is not to be read."""

    def read(limit: int) -> bytes:
        raise Refused(reason)

    return read


def opened_zip(file: IO[bytes], most: int, budget: Budget | None = None) -> zipfile.ZipFile:
    """A zip, if the list of its contents is no longer than `most` bytes: it is read before anything
    else can be asked. Counts what is in it in a budget. Raises Refused.
    """
    try:
        size = _look(file, most)
        if budget is not None:
            budget.enter(size // 100)  # as long as an entry with a path is
        return zipfile.ZipFile(file)
    except _BROKEN as error:
        raise Refused(messages.LEFT_BAD_ARCHIVE.format(problem=_short(error))) from None


def _look(file: IO[bytes], most: int) -> int:
    """The bytes of a zip's list of contents. Raises ValueError where that alone would take too much
    memory.
    """
    length = file.seek(0, io.SEEK_END)
    file.seek(max(0, length - 65_600))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise ValueError("it has no list of contents")
    (size,) = struct.unpack_from("<L", tail, end + 12)
    # a large zip says so once more, in a record that stands before
    if tail[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        if end < 76:
            raise ValueError("it has no list of contents")
        (size,) = struct.unpack_from("<Q", tail, end - 76 + 40)
    if size > most:
        raise ValueError("its list of contents is too long")
    return int(size)


def zip_reader(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Reader:
    """A reader of one file of a zip, bounded whatever the zip says about its size."""

    def read(limit: int) -> bytes:
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Refused(messages.LEFT_LINK)
        if info.flag_bits & 1:
            raise Refused(messages.LEFT_ENCRYPTED)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused(messages.LEFT_BAD_ARCHIVE.format(problem="compressed in an unusual way"))
        try:
            with opened.open(info) as file:
                return file.read(limit)
        except _BROKEN as error:
            raise Refused(messages.LEFT_BAD_ARCHIVE.format(problem=_short(error))) from None

    return read


def zip_time(info: zipfile.ZipInfo) -> datetime | None:
    """When a zip says that a file was changed, as UTC; None where it does not know."""
    with suppress(ValueError):
        moment = datetime(*info.date_time, tzinfo=UTC)
        return moment if moment.year > 1980 else None
    return None


def _stream_reader(stream: Any) -> Reader:
    """A reader of what can be read but once."""
    kept = bytearray()

    def read(limit: int) -> bytes:
        try:
            while len(kept) < limit and (more := stream.read(min(1 << 20, limit - len(kept)))):
                kept.extend(more)
        except _BROKEN as error:
            raise Refused(messages.LEFT_BAD_ARCHIVE.format(problem=_short(error))) from None
        return bytes(kept[:limit])

    return read


class _Unpacked(io.RawIOBase):
    """What a compressed file holds, as far as the budget goes. Reading raises Refused beyond it."""

    def __init__(self, data: bytes, what: str, budget: Budget) -> None:
        self.data, self.at, self.what, self.budget = memoryview(data), 0, what, budget
        self.engine: Any = self._new()

    def _new(self) -> Any:
        self.budget.stream()
        if self.what == "gzip":
            return zlib.decompressobj(wbits=31)
        return (
            bz2.BZ2Decompressor()
            if self.what == "bzip2"
            else lzma.LZMADecompressor(memlimit=MAX_XZ)
        )

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer with what comes next."""
        while True:
            if self.engine.eof:  # several may stand one after the other, and zeros after the last
                self.at -= len(self.engine.unused_data)
                if not bytes(self.data[self.at : self.at + 512]).strip(b"\x00"):
                    return 0
                self.engine = self._new()
            given = self.engine.unconsumed_tail if self.what == "gzip" else b""
            if not given and (self.what == "gzip" or self.engine.needs_input):
                given = bytes(self.data[self.at : self.at + (1 << 16)])
                self.at += len(given)
            found = self.engine.decompress(given, len(buffer))
            if found:
                buffer[: len(found)] = self.budget.spend(found)
                return len(found)
            if not given and not self.engine.eof:
                raise EOFError("it ends too early")


def left_out(files: Iterable[tuple[str, str]]) -> tuple[list[str], bool]:
    """Sentences for files that were left out, one for those of the same reason, and whether some
    are only counted in them.
    """
    by_reason: dict[str, list[str]] = {}
    for path, reason in files:
        by_reason.setdefault(reason, []).append(path)
    found, short = [], False
    for reason, paths in by_reason.items():
        short |= len(paths) > MAX_NAMED
        if len(paths) > MAX_NAMED:
            found.append(
                messages.LEFT_OUT_MANY.format(
                    path=", ".join(paths[: MAX_NAMED - 1]),
                    count=len(paths) - MAX_NAMED + 1,
                    reason=reason,
                )
            )
        else:
            found += [messages.LEFT_OUT.format(path=path, reason=reason) for path in paths]
    return found, short


def _short(error: BaseException) -> str:
    return str(error)[:200] or type(error).__name__
