"""The work folder's files: how much room a copy of them takes, and the copy."""

from __future__ import annotations

import contextlib
import os
import stat


class FolderRefused(OSError):
    """The files of the work folder cannot be copied; no matter of layers."""

    def __init__(self, error: OSError | RecursionError) -> None:
        why = error.strerror if isinstance(error, OSError) else "its folders are too deep"
        super().__init__(f"the files for the session cannot be copied: {why}")


def size_of(folder: str) -> int:
    """Bytes that a copy of a folder needs. Raises FolderRefused."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return _size(fd)
        finally:
            os.close(fd)
    except (OSError, RecursionError) as error:
        raise FolderRefused(error) from error


def _size(fd: int) -> int:
    """Bytes that a copy of the folder `fd` needs."""
    total = 0
    with os.scandir(fd) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if stat.S_ISREG(status.st_mode):
                total += (min(status.st_size, status.st_blocks * 512) + 8191) & ~4095
            elif stat.S_ISDIR(status.st_mode):
                below = os.open(
                    entry.name,
                    os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                    dir_fd=fd,
                )
                try:
                    total += 4096 + _size(below)
                finally:
                    os.close(below)
            else:
                total += 4096
    return total


def copy(fd: int, target: str, owner: tuple[int, int]) -> None:
    """Copy the files of the folder `fd` to `target`. Links are copied as links, never followed;
    devices, pipes and sockets are left out.
    """
    with os.scandir(fd) as entries:
        for entry in entries:
            status, to = entry.stat(follow_symlinks=False), f"{target}/{entry.name}"
            if stat.S_ISLNK(status.st_mode):
                os.symlink(os.readlink(entry.name, dir_fd=fd), to)
                os.chown(to, *owner, follow_symlinks=False)
            elif stat.S_ISDIR(status.st_mode):
                below = os.open(
                    entry.name,
                    os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC,
                    dir_fd=fd,
                )
                try:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(to)
                    copy(below, to, owner)
                finally:
                    os.close(below)
            elif stat.S_ISREG(status.st_mode):
                _copy_file(entry.name, fd, to, owner)
    os.chown(target, *owner)


def _copy_file(name: str, folder: int, to: str, owner: tuple[int, int]) -> None:
    source = os.open(
        name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
    )
    try:
        status = os.fstat(source)
        if not stat.S_ISREG(status.st_mode):
            return
        target = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            while os.sendfile(target, source, None, 1 << 24):
                pass
            os.fchmod(target, (status.st_mode & 0o777) | 0o600)
            os.fchown(target, *owner)
        finally:
            os.close(target)
    finally:
        os.close(source)
