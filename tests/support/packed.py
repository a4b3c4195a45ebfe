"""Archives as platforms and students make them."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Mapping

#: A zip that does not know when its files were changed says the first day that it can.
UNDATED = (1980, 1, 1, 0, 0, 0)


def zipped(entries: Mapping[str, bytes], when: tuple[int, ...] = UNDATED) -> bytes:
    """A zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in entries.items():
            opened.writestr(zipfile.ZipInfo(name, when), data, zipfile.ZIP_DEFLATED)  # type: ignore[arg-type]
    return out.getvalue()


def tarred(entries: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    """A tar, compressed by default."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as opened:  # type: ignore[call-overload]
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return out.getvalue()
