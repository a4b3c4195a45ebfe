"""What confinement asks of the Linux kernel, by ctypes: calls that Python does not offer, and the
numbers that go with them.

Every function raises OSError with the kernel's own error number where the kernel refuses.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)

# mount(2), umount2(2)
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_BIND, MS_REC, MS_PRIVATE = (
    1,
    2,
    4,
    8,
    1 << 10,
    1 << 12,
    1 << 14,
    1 << 18,
)
MNT_DETACH = 2
# mount_setattr(2)
RDONLY, NOSUID, NODEV, NOEXEC = 1, 2, 4, 8
# unshare(2)
NEW_MOUNT, NEW_CGROUP, NEW_UTS, NEW_IPC, NEW_USER, NEW_PID, NEW_NET = (
    0x20000,
    0x2000000,
    0x4000000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
# capabilities(7)
CAP_KILL, CAP_SYS_PTRACE, CAP_SYS_ADMIN = 5, 19, 21
_CAPABILITY_VERSION = 0x20080522

_PR_SET_PDEATHSIG, _PR_GET_PDEATHSIG = 1, 2
(
    _PR_SET_DUMPABLE,
    _PR_SET_KEEPCAPS,
    _PR_SET_SECCOMP,
    _PR_CAPBSET_READ,
    _PR_CAPBSET_DROP,
    _PR_SET_NO_NEW_PRIVS,
    _PR_CAP_AMBIENT,
) = 4, 8, 22, 23, 24, 38, 47
_AT_FDCWD, _AT_EMPTY_PATH, _AT_RECURSIVE = -100, 0x1000, 0x8000
_OPEN_TREE_CLONE, _MOVE_FROM_FD = 1, 4
#: These have the same numbers on every processor; pivot_root has not.
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR, _LANDLOCK = 428, 429, 442, 444
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}


def _check(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _call(number: int, *arguments: Any) -> int:
    """A system call; integers go as the machine's words."""
    return _check(
        _libc.syscall(
            ctypes.c_long(number),
            *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments),
        )
    )


def _prctl(option: int, *arguments: int) -> int:
    words = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return _check(_libc.prctl(ctypes.c_int(option), *words))


# ---- namespaces and mounts -----------------------------------------------------------------------


def unshare(flags: int) -> None:
    """New namespaces for the calling process (for its children: the PID namespace)."""
    _check(_libc.unshare(ctypes.c_int(flags)))


def user_namespace(uids: str, gids: str, outside: bool = False) -> bool:
    """A new user namespace with these lines of ids; false, and only our own are there, where they
    were refused.

    With `outside` a process that stays outside writes them: only such a one may give more than our
    own.
    """
    uid, gid = os.getuid(), os.getgid()
    said, say = os.pipe()
    child = os.fork() if outside else None
    if child == 0:
        try:
            os.close(say)
            if os.read(said, 1):
                for kind, lines in (("uid", uids), ("gid", gids)):
                    with open(f"/proc/{os.getppid()}/{kind}_map", "w") as file:
                        file.write(lines + "\n")
            os._exit(0)
        except BaseException:
            os._exit(1)
    try:
        unshare(NEW_USER)
        if outside:
            os.write(say, b".")
    finally:
        os.close(say)
        os.close(said)
        failed = child is not None and os.waitpid(child, 0)[1] != 0
    if failed:
        uids, gids = f"{uid} {uid} 1", f"{gid} {gid} 1"
    if failed or not outside:
        for name, text in (("setgroups", "deny"), ("uid_map", uids), ("gid_map", gids)):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    return not failed


def setns(fd: int, kind: int) -> None:
    """Go where another process is: into a namespace of that kind, by a descriptor of it."""
    _check(_libc.setns(ctypes.c_int(fd), ctypes.c_int(kind)))


def sethostname(name: str) -> None:
    """Name the machine in this UTS namespace, and leave its domain empty."""
    _check(_libc.sethostname(name.encode(), ctypes.c_size_t(len(name.encode()))))
    _check(_libc.setdomainname(b"", ctypes.c_size_t(0)))


def mount(what: str, target: str, flags: int, options: str = "") -> None:
    """Mount a file system by its name ("tmpfs", "proc" …) or a file or folder by its path
    (MS_BIND), or change the propagation at `target` where `what` is "".
    """
    kind = what.encode() or None
    _check(
        _libc.mount(
            kind, os.fsencode(target), kind, ctypes.c_ulong(flags), options.encode() or None
        )
    )


def unmount(target: str) -> None:
    """Take the mount at `target` out of sight; it ends when nobody uses it any more."""
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH))


def pivot_root(new: str, old: str) -> None:
    """Make the mount at `new` the root, with the old root at `old`."""
    if os.uname().machine not in _PIVOT_ROOT:
        raise OSError(
            errno.ENOTSUP, f"there is no number for pivot_root on {os.uname().machine} processors"
        )
    _call(_PIVOT_ROOT[os.uname().machine], os.fsencode(new), os.fsencode(old))


def copy_mount(path: str) -> int:
    """A copy of what is mounted at and below `path`, in no place yet: a descriptor for `set_mount`
    and `place_mount`.
    """
    return _call(
        _OPEN_TREE, _AT_FDCWD, os.fsencode(path), _OPEN_TREE_CLONE | os.O_CLOEXEC | _AT_RECURSIVE
    )


def set_mount(mount: int | str, attributes: int) -> None:
    """Add attributes (`RDONLY` …) to a mount, by descriptor or path, and to all mounts below it."""
    attr = struct.pack("=4Q", attributes, 0, 0, 0)
    if isinstance(mount, str):
        _call(_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(mount), _AT_RECURSIVE, attr, len(attr))
    else:
        _call(_MOUNT_SETATTR, mount, b"", _AT_EMPTY_PATH | _AT_RECURSIVE, attr, len(attr))


def place_mount(mount: int, target: str) -> None:
    """Put a mount at `target`, and close its descriptor."""
    _call(_MOVE_MOUNT, mount, b"", _AT_FDCWD, os.fsencode(target), _MOVE_FROM_FD)
    os.close(mount)


# ---- privileges ----------------------------------------------------------------------------------


def capabilities() -> int:
    """The capabilities in effect, as bits."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    data = ctypes.create_string_buffer(24)
    _check(_libc.capget(header, data))
    low, _, _, high, _, _ = struct.unpack("=6I", data.raw)
    return int(low | high << 32)


def set_capabilities(bits: int) -> None:
    """Have these capabilities permitted and in effect, and none to inherit."""
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    low, high = bits & 0xFFFFFFFF, bits >> 32
    _check(_libc.capset(header, struct.pack("=6I", low, low, 0, high, high, 0)))


def empty_bounding_set() -> None:
    """No program that is started from now on can have a capability, whatever its file says."""
    _prctl(_PR_CAP_AMBIENT, 4)  # clear all
    for capability in range(64):
        try:
            present = _prctl(_PR_CAPBSET_READ, capability)
        except OSError:  # the last one that this kernel knows was the one before
            return
        if present:
            _prctl(_PR_CAPBSET_DROP, capability)


def keep_capabilities() -> None:
    """Let permitted capabilities survive the next change of uid."""
    _prctl(_PR_SET_KEEPCAPS, 1)


def no_new_privileges() -> None:
    """Whatever this process starts gains nothing from set-uid bits or file capabilities."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def death_signal() -> int:
    """The signal that this process gets when its parent ends; 0 for none."""
    number = ctypes.c_int()
    _check(
        _libc.prctl(
            ctypes.c_int(_PR_GET_PDEATHSIG),
            ctypes.byref(number),
            ctypes.c_ulong(0),
            ctypes.c_ulong(0),
            ctypes.c_ulong(0),
        )
    )
    return number.value


def set_death_signal(number: int) -> None:
    """Get a signal when the parent ends."""
    _prctl(_PR_SET_PDEATHSIG, number)


def undumpable() -> None:
    """No core file; memory, environment and descriptors cannot be had through /proc by other
    processes of the same user.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def seccomp(program: bytes) -> None:
    """Put a filter of BPF instructions in force. Needs `no_new_privileges`."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    _check(
        _libc.prctl(
            ctypes.c_int(_PR_SET_SECCOMP),
            ctypes.c_ulong(2),
            header,
            ctypes.c_ulong(0),
            ctypes.c_ulong(0),
        )
    )


# ---- Landlock ------------------------------------------------------------------------------------


def landlock_abi() -> int:
    """The version of Landlock that the kernel speaks. Raises OSError where there is none."""
    return _call(_LANDLOCK, None, 0, 1)


def landlock_create(files: int, network: int, scoped: int, size: int) -> int:
    """A new set of rules: a descriptor. `size` is how many bytes of the three words this kernel
    knows.
    """
    return _call(_LANDLOCK, struct.pack("=3Q", files, network, scoped), size, 0)


def landlock_allow(rules: int, path: int, access: int) -> None:
    """Allow `access` at and below the file that `path`, a descriptor, stands for."""
    _call(_LANDLOCK + 1, rules, 1, struct.pack("=Qi", access, path), 0)


def landlock_enforce(rules: int) -> None:
    """Put the rules in force for this thread and what it starts. Needs `no_new_privileges`."""
    _call(_LANDLOCK + 2, rules, 0)


def collapse() -> int:
    """Have the memory of this process in huge pages as far as the kernel can (Linux 6.1): a fork
    then copies a fraction of the page tables. How many there are.
    """
    size, advice = 2 << 20, 25  # MADV_COLLAPSE
    done = 0
    with open("/proc/self/maps") as file:
        fields = [line.split() for line in file]
    for first, *rest in fields:
        if rest[0] != "rw-p" or (len(rest) > 4 and rest[4] != "[heap]"):
            continue
        start, end = (int(text, 16) for text in first.split("-"))
        for at in range(-(-start // size) * size, end // size * size, size):
            done += _libc.madvise(ctypes.c_void_p(at), ctypes.c_size_t(size), advice) == 0
    return done
