"""Headers of a tar, read within bounds: what stands before a file in it says how the file is
called, and may say so at any length.

Python's own reader goes through a header of half a megabyte of digits for an hour (CVE-2024-6232),
and through the rest of a file that says it has 2⁶⁰ bytes for years.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from typing import Any

#: Bytes of one header beyond its first block: names are as long, and attributes that macOS adds.
MAX_HEADER = 65_536
_LONG = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_PAX = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


def bounded(count: Callable[[int], None]) -> type[tarfile.TarInfo]:
    """The class of the headers of one tar, for `tarfile.open`. `count` is called for each of them
    with the bytes that follow it, and may raise.
    """
    return type("Header", (_Header,), {"count": staticmethod(count)})


class _Header(tarfile.TarInfo):
    count: Callable[[int], None]

    def _proc_member(self, tar: Any) -> Any:
        """Read on behind a header, by its type: the place that `tarfile` has for this."""
        if self.size < 0 or self.type in (*_LONG, *_PAX) and self.size > MAX_HEADER:
            raise tarfile.ReadError("a header in it is too long, or damaged")
        self.count(self.size)
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a file in it is stored with holes")
        if self.type in _PAX:
            return self._pax(tar)
        return super()._proc_member(tar)  # type: ignore[misc]

    def _pax(self, tar: Any) -> Any:
        """The file behind a header of records, which say its path and size where those are long."""
        records = _records(tar.fileobj.read(self._block(self.size))[: self.size])  # type: ignore[attr-defined]
        try:
            following = self.fromtarfile(tar)
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from None
        if self.type == tarfile.XGLTYPE:  # of all files: a comment, as git writes it
            return following
        if any(key.startswith(b"GNU.sparse.") for key in records):
            raise tarfile.ReadError("a file in it is stored with holes")
        if b"path" in records:
            following.name = records[b"path"].decode("utf-8", "surrogateescape").rstrip("/")
        if b"size" in records and following.isreg():
            size = records[b"size"]
            if not size.isdigit() or len(size) > 20:
                raise tarfile.ReadError("a header in it is damaged")
            following.size = int(size)
            self.count(following.size)
            tar.offset = following.offset_data + following._block(following.size)  # type: ignore[attr-defined]
        return following


def _records(block: bytes) -> dict[bytes, bytes]:
    """The records of a header, each `LENGTH KEY=VALUE` and a line's end, gone through once."""
    found, at = dict[bytes, bytes](), 0
    while at < len(block) and block[at]:
        space = block.find(b" ", at, at + 20)
        length = block[at:space] if space > at else b""
        end = at + int(length) if length.isdigit() else 0
        record = block[space + 1 : end]
        if end > len(block) or not record.endswith(b"\n"):
            raise tarfile.ReadError("a header in it is damaged")
        key, _, value = record[:-1].partition(b"=")
        found[key] = value
        at = end
    return found
