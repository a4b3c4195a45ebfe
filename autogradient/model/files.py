"""Files that are written whole or not at all, and digests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from pathlib import Path

import platformdirs


def digest(data: bytes) -> str:
    """SHA-256 of bytes as receipts write it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def digest_of(*paths: Path) -> str:
    """A digest of names and contents of files, in this order; of what is no file, of its name."""
    contents = (path.read_bytes() if path.is_file() else b"" for path in paths)
    found = [f"{path.name} {digest(data)}" for path, data in zip(paths, contents, strict=True)]
    return digest("\n".join(found).encode("utf-8", "surrogateescape"))


def write_atomically(path: Path, data: str | bytes, *, secret: bool = False) -> None:
    """Write beside `path`, then rename: a reader sees the old file or the new one, never half of
    one. Who may read and write it is as the umask and the folder have it; what is `secret` nobody
    outside the group.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(6)}")
    # mode 0666 less what the umask, or the folder's access list, takes away
    with temporary.open("xb") as file:
        try:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            if secret:
                os.fchmod(file.fileno(), os.fstat(file.fileno()).st_mode & 0o770)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def cached(*place: str) -> Path | None:
    """Where something that can be computed again is kept, below the user's folder for such files;
    None for a user who has none.
    """
    try:
        folder = platformdirs.user_cache_path("autogradient")
    except RuntimeError:
        return None
    return folder.joinpath(*place) if folder.is_absolute() else None


def read_cached(*place: str) -> bytes | None:
    """What was kept there; None where nothing was, or it cannot be read."""
    path = cached(*place)
    with contextlib.suppress(OSError):
        return path.read_bytes() if path else None
    return None


def keep_cached(data: bytes, *place: str) -> None:
    """Keep something there, where that can be done: without it, it is computed once more."""
    path = cached(*place)
    with contextlib.suppress(OSError):
        if path:
            write_atomically(path, data)
