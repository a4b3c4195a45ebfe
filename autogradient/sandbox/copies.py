"""The files that all sessions see, as copies in memory that graders make: nothing a session does to
them is there to be seen by another.

A file on a disk is shared by all who see it. One session can have its pages read or dropped from
memory, or look up names, and a later one can measure which were; that is how a hidden input could
be handed on. In a ramfs all pages and names are there for good, and names that are not there leave
nothing behind.

`enter` gives the calling process a mount namespace in which copies lie over the originals. They are
made once for all graders of a user that run at the same time, and go with the last of them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator

from autogradient.sandbox import card, kernel, mounts, selection

#: Folders that every system has and no session sees: the copies are put together in one of them.
_STAGES = ("/srv", "/media", "/mnt", "/boot", "/opt")
_MARK, _TREES, _STILL, _OUTSIDE = "copies", "trees", "still", "outside"
#: Of the memory that is free, how much the copies may take.
_SHARE = 0.6

#: Why this process has no copies; empty where it has, or has not tried.
_failed = ""


class NoCopies(OSError):
    """The files that sessions see cannot be copied; the text says why."""

    def __init__(self, why: str) -> None:
        super().__init__(0, why)


def enter(key: str = "") -> None:
    """Have copies where the originals are, in this process and what it starts; it must have one
    thread. Raises NoCopies.

    `key` is the `fingerprint` of what there is to copy, where it is known.
    """
    global _failed
    if inside():
        return
    try:
        key = key or selection.fingerprint()
        with _register(key) as members:
            here = os.getcwd()
            if not any(_join(*member, key) for member in members):
                _make(key)
            members.append((os.getpid(), _started(os.getpid())))
            with contextlib.suppress(OSError):
                os.chdir(here)
    except OSError as error:
        _failed = error.strerror or str(error)
        raise NoCopies(_failed) from error


def inside() -> bool:
    """Whether this process sees copies."""
    return place() is not None


def require(trees: tuple[str, ...]) -> None:
    """Raises NoCopies where one of these is not a copy."""
    found = place()
    if found is None:
        raise NoCopies(_failed or "they have not been made")
    device = os.stat(found).st_dev
    for path in trees:
        if os.stat(path).st_dev != device:
            raise NoCopies(f"{path} is not one of those that were copied")


def place(root: str = "") -> str | None:
    """Where the copies were put together, as seen by who has that root."""
    return next(
        (
            root + stage
            for stage in _STAGES
            if os.path.exists(f"{root}{stage}/{_MARK}") and os.path.ismount(root + stage)
        ),
        None,
    )


def still() -> str:
    """Where what stands for files of /proc is (`mounts.make_still`); "" where there are
    no copies.
    """
    found = place()
    return f"{found}/{_STILL}" if found else ""


def originals() -> str:
    """Where the originals can be had on a machine with a card: CUDA's files are many and large. ""
    where they are in their own place.
    """
    found = place()
    return f"{found}/{_OUTSIDE}" if found and os.path.exists(f"{found}/{_OUTSIDE}") else ""


def size_mb(pid: int | None = None) -> float:
    """MB of memory that the copies take which this or another process has; 0 where it has none, or
    cannot be asked.
    """
    try:
        found = place("" if pid is None else f"/proc/{pid}/root")
        return int(_read(f"{found}/{_MARK}").split()[1]) / 1e6 if found else 0.0
    except OSError:
        return 0.0


# ---- found ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def _register(key: str) -> Iterator[list[tuple[int, int]]]:
    """The processes that have such copies, (pid, when it started); what is added is kept. Nobody
    else can look or make any meanwhile.
    """
    folder = os.path.join(tempfile.gettempdir(), f"autogradient-copies-{os.getuid()}")
    with contextlib.suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise NoCopies(f"{folder} is not a folder of ours alone")
    for name in os.listdir(folder):  # of states of the machine that are past
        if (
            name != key
            and (other := _locked(f"{folder}/{name}", fcntl.LOCK_EX | fcntl.LOCK_NB)) is not None
        ):
            if not _living(os.pread(other, 1 << 16, 0).decode()):
                os.unlink(f"{folder}/{name}")
            os.close(other)
    while (fd := _locked(f"{folder}/{key}", fcntl.LOCK_EX)) is None:
        pass
    try:
        members = _living(os.pread(fd, 1 << 16, 0).decode())
        yield members
        os.ftruncate(fd, 0)
        os.pwrite(fd, "".join(f"{pid} {started}\n" for pid, started in members).encode(), 0)
    finally:
        os.close(fd)


def _locked(path: str, how: int) -> int | None:
    """A file that is ours alone now; None where somebody else has it, or has taken it away."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, how)
        if os.fstat(fd).st_nlink:
            return fd
    except BlockingIOError:
        pass
    os.close(fd)
    return None


def _read(path: str) -> str:
    with open(path) as file:
        return file.read()


def _living(text: str) -> list[tuple[int, int]]:
    pairs = [line.split() for line in text.splitlines()]
    return [
        (int(pid), int(started)) for pid, started in pairs if _started(int(pid)) == int(started)
    ]


def _started(pid: int) -> int:
    """When a process of ours started, in ticks; -1 where there is none."""
    try:
        if os.stat(f"/proc/{pid}").st_uid != os.getuid():
            return -1
        return int(_read(f"/proc/{pid}/stat").rpartition(")")[2].split()[19])
    except OSError:
        return -1


def _join(pid: int, started: int, key: str) -> bool:
    """Go where another process of ours has its copies; False where that cannot be done."""
    fds = []
    try:
        for name, kind in (("user", kernel.NEW_USER), ("mnt", kernel.NEW_MOUNT)):
            theirs = f"/proc/{pid}/ns/{name}"
            if os.readlink(theirs) != os.readlink(f"/proc/self/ns/{name}"):
                fds.append((os.open(theirs, os.O_RDONLY | os.O_CLOEXEC), kind))
        if _started(pid) != started:
            return False
        for fd, kind in fds:
            kernel.setns(fd, kind)
    except OSError:
        return False
    finally:
        for fd, _ in fds:
            os.close(fd)
    found = place()
    return found is not None and _read(f"{found}/{_MARK}").split()[0] == key


# ---- made ----------------------------------------------------------------------------------------


def _make(key: str) -> None:
    """Copy everything, in namespaces of our own."""
    _namespaces()
    kernel.mount("", "/", kernel.MS_REC | kernel.MS_PRIVATE)
    show = mounts.plan()
    needed = [*show.trees, os.getcwd(), tempfile.gettempdir(), os.path.expanduser("~")]
    stages = [
        path
        for path in _STAGES
        if os.path.isdir(path)
        and not any(mounts.within(os.path.realpath(other), path) for other in needed)
    ]
    if not stages:
        raise NoCopies(f"none of {', '.join(_STAGES)} is a folder that can be covered")
    stage = stages[0]
    host = kernel.copy_mount("/") if card.is_there() else None
    kernel.mount("ramfs", stage, kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOATIME, "mode=755")
    size = selection.copy(f"{stage}/{_TREES}", int(_free() * _SHARE))
    os.mkdir(f"{stage}/{_STILL}")
    mounts.make_still(f"{stage}/{_STILL}")
    if host is not None:
        os.mkdir(f"{stage}/{_OUTSIDE}")
        kernel.place_mount(host, f"{stage}/{_OUTSIDE}")
    for path in show.trees:
        copy = kernel.copy_mount(f"{stage}/{_TREES}{path}")
        kernel.set_mount(copy, kernel.RDONLY | kernel.NOSUID | kernel.NODEV)
        kernel.place_mount(copy, path)
    with open(f"{stage}/{_MARK}", "w") as file:
        file.write(f"{key} {size}")


def _namespaces() -> None:
    """A mount namespace, in a user namespace with every id that we have where that is needed."""
    if not kernel.capabilities() >> kernel.CAP_SYS_ADMIN & 1:
        lines = []
        for kind in ("uid", "gid"):
            firsts = [
                (fields[0], fields[2])
                for fields in map(str.split, _read(f"/proc/self/{kind}_map").splitlines())
            ]
            lines.append("\n".join(f"{first} {first} {count}" for first, count in firsts))
        uid, gid = os.getuid(), os.getgid()
        if uid == 0:
            kernel.user_namespace(lines[0], lines[1], outside=True)
        else:
            kernel.user_namespace(f"{uid} {uid} 1", f"{gid} {gid} 1")
    kernel.unshare(kernel.NEW_MOUNT)


def _free() -> int:
    """Bytes of memory that could be had."""
    with open("/proc/meminfo") as file:
        return next(
            (int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable:")),
            1 << 30,
        )
