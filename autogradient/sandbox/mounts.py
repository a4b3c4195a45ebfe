"""The files that student code sees: what Python needs, read-only, and a small file system in memory
that ends with the session.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import sys
from dataclasses import dataclass

from autogradient.sandbox import card, kernel, work_folder

#: Where the notebook runs.
WORK = "/home/student"

#: The folder of this package.
PACKAGE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
#: Folders of the system. What is shown of them: see `selection`.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
#: What compilers, fonts and clocks look up; nothing of it is private on any system.
_SETTINGS = (
    "ld.so.cache",
    "alternatives",
    "fonts",
    "localtime",
    "timezone",
    "mime.types",
    "matplotlibrc",
    f"python3.{sys.version_info.minor}",
    "python3",
)
#: Of /proc: what is a session's own; what is shown as it was when the copies were made; and
#: settings in /proc/sys.
_OF_SESSIONS = ("self", "thread-self", "mounts", "net", "sysvipc")
#: What is always the same: to cover a file takes a session 0.02 ms.
_OF_THE_KERNEL = (
    "cmdline",
    "config.gz",
    "consoles",
    "devices",
    "dma",
    "execdomains",
    "filesystems",
    "iomem",
    "ioports",
    "kallsyms",
    "misc",
    "mtrr",
    "version",
)
_AS_NOW = (
    "cgroups",
    "cpuinfo",
    "diskstats",
    "loadavg",
    "meminfo",
    "stat",
    "swaps",
    "uptime",
    "vmstat",
)
_SETTINGS_AS_NOW = tuple(
    f"{folder}/{name}"
    for folder, names in {
        "kernel": "cap_last_cap hostname ngroups_max osrelease ostype pid_max threads-max version",
        "vm": "max_map_count mmap_min_addr overcommit_memory overcommit_ratio",
        "fs": "file-max nr_open pipe-max-size",
    }.items()
    for name in names.split()
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
#: Folders of programs in which people keep their work.
_PRIVATE = ("/usr/src", "/usr/local/src")
#: What belongs to Python in a prefix that is also a folder of the course.
_PARTS = ("bin", "lib", "lib64", "include", "share", "pyvenv.cfg")
_WRITABLE = (WORK, "/tmp", "/dev/shm")
#: Where the new root is put together; anything that is a folder will do.
_STAGES = ("/tmp", "/mnt", "/run", "/usr")


@dataclass(frozen=True)
class Plan:
    """What to show: real paths, symbolic links on the way to them, and folders in them to cover."""

    trees: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    covers: tuple[str, ...]


def within(path: str, folder: str) -> bool:
    """Whether a path is a folder, or below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _follow(path: str) -> tuple[str, dict[str, str]]:
    """The real path, and every symbolic link met on the way to it."""
    links: dict[str, str] = {}
    done, ahead = "/", path.split("/")
    while ahead:
        name = ahead.pop(0)
        if name in ("", "."):
            continue
        if name == "..":
            done = os.path.dirname(done)
            continue
        step = os.path.join(done, name)
        if os.path.islink(step) and len(links) < 100:
            links[step] = target = os.readlink(step)
            ahead = target.split("/") + ahead
            done = "/" if target.startswith("/") else done
        else:
            done = step
    return done, links


@functools.cache
def plan(hidden: tuple[str, ...] = ()) -> Plan:
    """What to show of this machine to this Python: never `hidden` (folders), nor the folder that
    the package stands in. Found out once.

    Raises OSError where Python is installed so that nothing would be hidden.
    """
    private = {os.path.realpath(path) for path in (*_PRIVATE, *hidden)}
    parent = os.path.dirname(PACKAGE)
    if os.path.basename(parent) not in ("site-packages", "dist-packages"):
        private.add(parent)
    wanted = [*SYSTEM, *(f"/etc/{name}" for name in _SETTINGS), sys.executable, PACKAGE]
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix}:
        shared = any(
            within(path, os.path.realpath(prefix)) for path in private if path not in _PRIVATE
        )
        wanted += (
            [os.path.join(prefix, part) for part in _PARTS]
            if shared and not within(prefix, "/usr")
            else [prefix]
        )
    wanted += [
        path
        for path in sys.path
        if os.path.isabs(path)
        and not any(within(secret, os.path.realpath(path)) for secret in private)
    ]
    links: dict[str, str] = {}
    found = set()
    for path in wanted:
        real, met = _follow(path)
        if not os.path.exists(real):
            continue
        if any(within(ours, real) for ours in (*_WRITABLE, "/dev", "/proc", "/etc")):
            if path in sys.path and path not in (sys.prefix, sys.base_prefix):
                continue
            raise OSError(
                errno.EINVAL,
                f"Python is installed in {real}, where the session's own files have to be",
            )
        links |= met
        found.add(real)
    covers = tuple(
        sorted(
            path
            for path in private
            if os.path.isdir(path) and any(within(path, tree) and path != tree for tree in found)
        )
    )

    def covered(path: str, tree: str) -> bool:
        return any(within(cover, tree) and within(path, cover) for cover in covers)

    trees = tuple(
        sorted(
            path
            for path in found
            if not any(
                within(path, tree) and path != tree and not covered(path, tree) for tree in found
            )
        )
    )
    outside = {
        link: target
        for link, target in links.items()
        if not any(within(link, tree) and not covered(link, tree) for tree in trees)
    }
    return Plan(trees, tuple(sorted(outside.items())), covers)


def build(
    show: Plan,
    folder: str,
    owner: tuple[int, int],
    disk: int,
    writable: bool,
    trusted: bool,
    still: str = "",
    cards: bool = False,
    originals: str = "",
) -> int | None:
    """Make a new root and go there: a copy of `folder` for `owner` (uid, gid) and `disk` bytes to
    write, for the work folder, /tmp and /dev/shm together.

    `still` is what `make_still` has made. With `cards` the machine's NVIDIA cards are shown, and
    files as they are below `originals`.

    Needs a mount namespace, in PID 1 of a PID namespace. Returns a descriptor of a /proc that can
    still be written, or None where /proc could not be had and `trusted` let that pass. Raises
    ProcRefused, work_folder.FolderRefused, or OSError; then everything is as it was.
    """
    kernel.mount("", "/", kernel.MS_REC | kernel.MS_PRIVATE)
    mask = os.umask(0o022)
    size = disk + work_folder.size_of(folder)
    source = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    trees = {path: kernel.copy_mount(originals + path) for path in show.trees}
    trees |= {
        path: kernel.copy_mount(path)
        for path in (filter(os.path.isdir, card.FOLDERS) if cards else ())
    }
    hold = kernel.copy_mount(still) if still else None
    devices = {
        name: kernel.copy_mount(f"/dev/{name}")
        for name in (*_DEVICES, *(card.devices() if cards else ()))
    }
    stage = next(path for path in _STAGES if os.path.isdir(path))
    old_proc = kernel.copy_mount("/proc") if trusted else None
    kernel.mount(
        "tmpfs",
        stage,
        kernel.MS_NOSUID | kernel.MS_NODEV,
        f"size={size >> 10}k,nr_inodes={size // 4096 + 2000},mode=755",
    )
    back = os.open(".", os.O_PATH | os.O_CLOEXEC)
    try:
        os.chdir(stage)
        proc = _fill(show, trees, devices, source, owner, writable, old_proc, hold, cards)
        kernel.pivot_root(".", ".")
        kernel.unmount(".")
    except BaseException:
        os.fchdir(back)
        kernel.unmount(stage)
        raise
    finally:
        for fd in (source, back, *(fd for fd in (old_proc, hold) if fd is not None)):
            with contextlib.suppress(OSError):
                os.close(fd)
        os.umask(mask)
    os.chdir("/")
    return proc


class ProcRefused(OSError):
    """A new /proc cannot be mounted here."""


def _fill(
    show: Plan,
    trees: dict[str, int],
    devices: dict[str, int],
    source: int,
    owner: tuple[int, int],
    writable: bool,
    old_proc: int | None,
    still: int | None,
    cards: bool,
) -> int | None:
    """Put the new root together in the present folder."""
    made: set[str] = set()

    def folder(path: str, mode: int = 0o755) -> str:
        inside = path.lstrip("/")
        if inside and inside not in made:
            folder(os.path.dirname(inside))
            with contextlib.suppress(FileExistsError):
                os.mkdir(inside)
            made.add(inside)
        if mode != 0o755:
            os.chmod(inside, mode)
        return inside or "."

    def point(path: str, like_folder: bool) -> str:
        folder(path if like_folder else os.path.dirname(path))
        if not like_folder and not os.path.lexists(path.lstrip("/")):
            os.close(os.open(path.lstrip("/"), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o644))
        return path.lstrip("/")

    # outer mounts first, covers and what stands in them after that; what stands in a folder of the
    # session's own waits for that
    later = {}
    for path in sorted({*trees, *show.covers}):
        if path in trees:
            at = point(path, stat.S_ISDIR(os.fstat(trees[path]).st_mode))
            if any(within(path, place) for place in _WRITABLE):
                later[at] = trees[path]
            else:
                kernel.place_mount(trees[path], at)
        elif os.path.isdir(path.lstrip("/")):  # it may not be among the copies
            cover = folder(f"/.covers{path}")
            kernel.place_mount(kernel.copy_mount(cover), path.lstrip("/"))
    for link, target in show.links:
        folder(os.path.dirname(link))
        with contextlib.suppress(FileExistsError):
            os.symlink(target, link.lstrip("/"))
    for name, text in _made_up(owner).items():
        with open(os.path.join(folder("/etc"), name), "w") as file:
            file.write(text)
    folder("/dev")
    for name in devices:
        point(f"/dev/{name}", False)
    for name, target in {
        "fd": "/proc/self/fd",
        "stdin": "/proc/self/fd/0",
        "stdout": "/proc/self/fd/1",
        "stderr": "/proc/self/fd/2",
    }.items():
        os.symlink(target, f"dev/{name}")
    folder(WORK)
    folder("/tmp", 0o1777)
    places = {WORK: kernel.NOSUID | kernel.NODEV, "/tmp": kernel.NOSUID | kernel.NODEV}
    if writable:
        folder("/dev/shm", 0o1777)
        folder("/dev/pts")
        os.symlink("pts/ptmx", "dev/ptmx")
        places["/dev/shm"] = kernel.NOSUID | kernel.NODEV | kernel.NOEXEC
    try:
        work_folder.copy(source, WORK.lstrip("/"), owner)
    except (OSError, RecursionError) as error:
        raise work_folder.FolderRefused(error) from error
    try:
        kernel.mount("proc", folder("/proc"), kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        proc = kernel.copy_mount("proc")
    except OSError as error:
        if old_proc is None:
            raise ProcRefused(error.errno, error.strerror) from None
        kernel.place_mount(os.dup(old_proc), "proc")
        proc = None
    if still is not None and proc is not None:
        _still(os.dup(still), cards)
    to_write = {path: kernel.copy_mount(path.lstrip("/")) for path in places} if writable else {}
    kernel.set_mount(".", kernel.RDONLY | kernel.NOSUID | kernel.NODEV)
    for path, mount in to_write.items():
        kernel.set_mount(mount, places[path])
        kernel.place_mount(mount, path.lstrip("/"))
    for at, mount in later.items():
        kernel.set_mount(mount, kernel.RDONLY | kernel.NOSUID | kernel.NODEV)
        kernel.place_mount(mount, at)
    for name, mount in devices.items():
        # a device can be written all the same, its times cannot be set
        kernel.set_mount(mount, kernel.NOSUID | kernel.NOEXEC | kernel.RDONLY)
        kernel.place_mount(mount, f"dev/{name}")
    if writable:
        # for programs that want a terminal of their own, IPython's `!` among them
        with contextlib.suppress(OSError):
            kernel.mount(
                "devpts",
                "dev/pts",
                kernel.MS_NOSUID | kernel.MS_NOEXEC,
                "newinstance,ptmxmode=0666,mode=0600,max=16",
            )
    return proc


def make_still(folder: str) -> None:
    """Make, in an empty folder, what stands for those files of /proc that tell of the whole
    machine: some as they are now, the others empty.
    """
    for path in (
        *(f"/proc/{name}" for name in _AS_NOW),
        *(f"/proc/sys/{name}" for name in _SETTINGS_AS_NOW),
    ):
        with contextlib.suppress(OSError):  # not every kernel has it
            with open(path) as file:
                text = file.read()
            os.makedirs(os.path.dirname(folder + path), exist_ok=True)
            with open(folder + path, "w") as file:
                file.write("grader\n" if path.endswith("/hostname") else text)
    for name in os.listdir("/proc"):
        inside = f"{folder}/proc/{name}"
        if (
            not name.isdigit()
            and name not in (*_OF_SESSIONS, *_OF_THE_KERNEL)
            and not os.path.exists(inside)
        ):
            with contextlib.suppress(OSError):
                status = os.lstat(f"/proc/{name}")
                if stat.S_ISDIR(status.st_mode):
                    os.mkdir(inside)
                elif stat.S_ISREG(status.st_mode) and status.st_mode & 0o004:
                    os.close(os.open(inside, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))


def _still(still: int, cards: bool) -> None:
    """Cover what tells of the whole machine in the present folder's proc, by what `make_still` has
    made.
    """
    os.mkdir(".still")
    kernel.place_mount(still, ".still")
    for name in os.listdir(".still/proc"):
        if not (cards and name == "driver"):
            # this kernel's, when the copies were made, in another's session: there is nothing to
            # cover
            with contextlib.suppress(FileNotFoundError):
                kernel.mount(f".still/proc/{name}", f"proc/{name}", kernel.MS_BIND)
    kernel.unmount(".still")
    os.rmdir(".still")


def _made_up(owner: tuple[int, int]) -> dict[str, str]:
    uid, gid = owner
    return {
        "passwd": "root:x:0:0:root:/:/usr/sbin/nologin\n"
        f"student:x:{uid}:{gid}:student:{WORK}:/bin/sh\n",
        "group": f"root:x:0:\nstudent:x:{gid}:\n",
        "hosts": "127.0.0.1 localhost grader\n",
        "hostname": "grader\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }
