"""Attempts to get out: for each layer of confinement one that only this layer stands in the way of,
as far as that can be had.

`autogradient doctor` runs the text of this module as a cell of a student's, and as a test of a
judge's. So it imports nothing of ours, and `facts` holds plain values: what the grader has put up
outside to be found (see `doctor.Outside`), and the session's budget.

An attempt that was stopped raises OSError, MemoryError or Stopped; one that got out returns what it
got.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import mmap
import os
import signal
import socket
import struct
from collections.abc import Callable
from typing import Any

#: What is known outside, and the session's budget: name → plain value.
Facts = dict[str, Any]


class Stopped(Exception):
    """The attempt came to nothing; the text says how."""


def _call(name: str, *arguments: Any) -> int:
    """A function of libc. Raises OSError."""
    result = int(
        getattr(ctypes.CDLL(None, use_errno=True), name)(
            *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
        )
    )
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def cgroup(facts: Facts) -> str:
    """More memory in many processes than the session may have, though no one of them
    has too much.
    """
    share, pids, pipes = facts["memory_mb"] - 8, [], []
    count = (facts["memory_mb"] + facts["disk_mb"] + 256) // share + 3
    hold, go = os.pipe()
    try:
        for _ in range(count):
            heard, say = os.pipe()
            if (pid := os.fork()) == 0:
                os.close(go)
                memory = mmap.mmap(-1, share << 20)
                for page in range(0, share << 20, 4096):
                    memory[page] = 1
                os.write(say, b".")
                # until everybody has it: one that was killed by then does not speak again
                os.read(hold, 1)
                os.write(say, b"!")
                signal.pause()
            os.close(say)
            pids.append(pid)
            pipes.append(heard)
        for heard in pipes:
            os.read(heard, 1)
        os.close(go)
        had = sum(os.read(heard, 1) == b"!" for heard in pipes)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for heard in (*pipes, hold):
            os.close(heard)
    if had < count:
        raise Stopped(f"only {had} of {count} lived")
    return f"{count} have {count * share} MB"


def user_namespace(facts: Facts) -> str:
    """Root, of whatever namespace."""
    os.setresuid(0, 0, 0)
    return "it is root"


def processes(facts: Facts) -> str:
    """A signal to a process outside; 0 does nothing but say whether it could be sent."""
    os.kill(facts["victim"], 0)
    return "it could be sent"


def network(facts: Facts) -> str:
    """A TCP server and an abstract socket of this machine, and its interfaces."""
    stopped = []
    for what, family, address in (
        ("TCP", socket.AF_INET, ("127.0.0.1", facts["port"])),
        ("socket", socket.AF_UNIX, "\0" + facts["abstract"]),
    ):
        try:
            with socket.socket(family) as client:
                client.settimeout(5)
                client.connect(address)
            return f"{what}: connected"
        except OSError as error:
            stopped.append(f"{what}: {error.strerror}")
    with contextlib.suppress(OSError), open("/proc/self/net/dev") as file:
        interfaces = [line.split(":")[0].strip() for line in file if ":" in line]
        if set(interfaces) - {"lo"}:
            return f"there is {', '.join(interfaces)}"
    raise Stopped("; ".join(stopped))


def ipc(facts: Facts) -> str:
    """A segment of shared memory outside."""
    with open("/proc/sysvipc/shm") as file:
        found = [line.split()[0] for line in file][1:]
    if found:
        return f"{len(found)} seen"
    raise Stopped("none to be seen")


def hostname(facts: Facts) -> str:
    """The machine's name."""
    name = socket.gethostname()
    if name == facts["hostname"] and name != "grader":
        return name
    raise Stopped(f"it is told {name!r}")


def copies(facts: Facts) -> str:
    """What would show another session what this one did: pages and names of files on a disk, times
    of devices.
    """
    path = os.__file__
    status = ctypes.create_string_buffer(256)
    _call("statfs", path.encode(), status)
    kind = struct.unpack_from("@l", status)[0]
    if kind != 0x858458F6:  # RAMFS_MAGIC
        return f"{path} is on a disk, or might be (file system {kind:#x})"
    with contextlib.suppress(OSError):
        os.utime("/dev/null")
        return "the times of a device were set"
    raise Stopped("files are in memory for good, devices stay as they are")


def files(facts: Facts) -> str:
    """A file outside that everybody may read, and one of the course's."""
    stopped = ""
    for path in (facts["course"], facts["secret"]):
        try:
            with open(path) as file:
                file.read()
            return f"{path} was read"
        except OSError as error:
            stopped = error.strerror or stopped
    raise Stopped(stopped)


def disk(facts: Facts) -> str:
    """More files than there is room for, over all folders that can be written."""
    places = [folder for folder in (os.getcwd(), "/tmp", "/dev/shm") if os.access(folder, os.W_OK)]
    if not places:
        raise Stopped("no folder can be written")
    made, piece = [], 1 << 20
    try:
        for number in range(3 * (facts["disk_mb"] << 20) // piece):
            made.append(f"{places[number % len(places)]}/filler-{os.getpid()}-{number}")
            with open(made[-1], "wb", buffering=0) as file:
                if file.write(bytes(piece)) < piece:
                    raise Stopped(f"full after {number * piece >> 20} MB")
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                os.unlink(path)
    return f"{3 * facts['disk_mb']} MB"


def nothing_to_write(facts: Facts) -> str:
    """A new file in any folder there is: for a judge, who may write none."""
    for folder in (os.getcwd(), "/tmp", "/dev/shm", "/dev", "/home", "/", "/etc", "/var/tmp"):
        path = f"{folder}/written-{os.getpid()}"
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            os.unlink(path)
            return f"in {folder}"
    raise Stopped("no folder can be written")


def proc(facts: Facts) -> str:
    """A process outside, by its name in /proc, and what all processes of the machine do."""
    seen = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            seen += 1
            with contextlib.suppress(OSError), open(f"/proc/{name}/comm") as file:
                if file.read().strip() == facts["victim_name"]:
                    return f"it is there, among {seen}"
    told = []
    for _ in range(2):
        with open("/proc/stat") as file:
            told.append(file.read())
        if (pid := os.fork()) == 0:
            os._exit(0)
        os.waitpid(pid, 0)
    if told[0] != told[1]:
        return "/proc counts what the whole machine does"
    raise Stopped(f"{seen} processes, all of the session; nothing of the machine's work")


def environment(facts: Facts) -> str:
    """The grader's environment: in Python, in libc, and in memory where the kernel put what the
    interpreter was started with.
    """
    if facts["token"] in os.environ.values():
        return "a variable of the grader's is there"
    with open("/proc/self/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])
    left = ctypes.string_at(start, end - start).strip(b"\0") if 0 < start < end else b""
    if left:
        return f"{len(left)} bytes are left in memory"
    raise Stopped(f"{len(os.environ)} variables of the session's own, nothing in memory")


def memory_order(facts: Facts) -> str:
    """To be spared when memory runs out."""
    how = ""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("0")
    except OSError as error:
        how = f" ({error.strerror})"
    with open("/proc/self/oom_score_adj") as file:
        score = int(file.read())
    if score < 1000:
        return f"its score is {score}"
    raise Stopped(f"it stays the first to go{how}")


def limits(facts: Facts) -> str:
    """Too much memory in one process, too many open files, too many processes."""
    with contextlib.suppress(OSError, MemoryError):
        mmap.mmap(-1, (facts["memory_mb"] + 64) << 20).close()
        return f"{facts['memory_mb'] + 64} MB in one process"
    opened: list[int] = []
    with contextlib.suppress(OSError):
        while len(opened) <= facts["open_files"]:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    for fd in opened:
        os.close(fd)
    if len(opened) > facts["open_files"]:
        return f"{len(opened)} open files"
    pids: list[int] = []
    with contextlib.suppress(OSError):
        while len(pids) <= facts["processes"]:
            if (pid := os.fork()) == 0:
                signal.pause()
            pids.append(pid)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    if len(pids) > facts["processes"]:
        return f"{len(pids)} processes"
    raise Stopped(f"refused; files after {len(opened)}, processes after {len(pids)}")


def uid(facts: Facts) -> str:
    """To be root, or in one of its groups."""
    if os.getuid() == 0:
        return "it is root"
    stopped = []
    for attempt in (lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0])):
        try:
            attempt()
            return "it could be had"
        except OSError as error:
            stopped.append(str(error.strerror))
    raise Stopped("; ".join(stopped))


def capabilities(facts: Facts) -> str:
    """Capabilities: those that are there, and one to be had back."""
    with open("/proc/self/status") as file:
        found = dict(line.rstrip("\n").split(":\t", 1) for line in file)
    # what programs may be given (CapBnd, which an ordinary user cannot empty) comes to nothing
    # where no_new_privs is set
    sets = (
        "CapInh",
        "CapPrm",
        "CapEff",
        "CapAmb",
        *(["CapBnd"] if found["NoNewPrivs"] != "1" else []),
    )
    held = [name for name in sets if int(found[name], 16)]
    if held:
        return f"there are some: {', '.join(held)}"
    bit = 1 << 21  # CAP_SYS_ADMIN
    _call("capset", struct.pack("=Ii", 0x20080522, 0), struct.pack("=6I", bit, bit, 0, 0, 0, 0))
    return "it could be had"


def no_new_privs(facts: Facts) -> str:
    """To take it back."""
    with contextlib.suppress(OSError):
        _call("prctl", 38, 0, 0, 0, 0)
    if _call("prctl", 39, 0, 0, 0, 0) != 1:
        return "it is not set"
    raise Stopped("it stays")


def landlock(facts: Facts) -> str:
    """What the mounts and the file's own mode would allow: a device, and a file outside."""
    stopped = []
    for path, how in (("/dev/urandom", os.O_WRONLY), (facts["secret"], os.O_RDONLY)):
        try:
            os.close(os.open(path, how))
            return f"{path} could be opened"
        except OSError as error:
            stopped.append(str(error.strerror))
    raise Stopped(stopped[0])


def _read_at_once(path: str) -> None:
    """Whether a page is in memory."""
    with open(path, "rb") as file:
        os.preadv(file.fileno(), [bytearray(1)], 0, os.RWF_NOWAIT)


def _lock_twice(path: str) -> None:
    """Whether a lock on a file is one. Raises OSError where it is none."""
    with open(path, "rb") as one, open(path, "rb") as other:
        fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        raise OSError(errno.ENOLCK, "it locks nothing")


def seccomp(facts: Facts) -> str:
    """Calls that nothing else refuses; in a fork, for what they might do."""
    calls: dict[str, Callable[[], object]] = {
        "socket (internet)": lambda: socket.socket(socket.AF_INET).close(),
        "socket (netlink)": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
        "personality": lambda: _call("personality", 0xFFFFFFFF),
        "ptrace": lambda: _call("ptrace", 0, 0, 0, 0),
        "io_uring_setup": lambda: _call("syscall", 425, 1, ctypes.create_string_buffer(120)),
        "unshare": lambda: _call("unshare", 0x10000000),
        "memfd_create": lambda: os.close(os.memfd_create("x")),
        "inotify_init": lambda: os.close(_call("inotify_init1", 0)),
        "preadv2 (without waiting)": lambda: _read_at_once(os.__file__),
        "flock": lambda: _lock_twice(os.__file__),
    }
    heard, say = os.pipe()
    if (pid := os.fork()) == 0:
        done = []
        for name, call in calls.items():
            with contextlib.suppress(OSError):
                call()
                done.append(name)
        os.write(say, json.dumps(done).encode())
        os._exit(0)
    os.close(say)
    os.waitpid(pid, 0)
    with os.fdopen(heard, "rb") as file:
        done = json.loads(file.read() or b'["the process that tried it, which is gone"]')
    if done:
        return f"allowed: {', '.join(done)}"
    raise Stopped(f"{len(calls)} of {len(calls)} refused")


#: Layer → what is tried, in words, and how.
ATTEMPTS: dict[str, tuple[str, Callable[[Facts], str]]] = {
    "cgroup": ("fill memory from many processes at once", cgroup),
    "user namespace": ("become root", user_namespace),
    "processes": ("send a signal to a process of the grader's", processes),
    "network": ("reach a TCP server and an abstract socket of this machine", network),
    "ipc": ("find shared memory of this machine", ipc),
    "hostname": ("learn the machine's name", hostname),
    "copies": ("leave traces in what all sessions see", copies),
    "files": ("read a file outside, and the course", files),
    "disk": ("write more than there is room for", disk),
    "proc": ("find a process of the grader's in /proc, or what the machine does", proc),
    "environment": ("find the grader's environment", environment),
    "memory order": ("be spared when memory runs out", memory_order),
    "limits": ("have too much memory, too many open files, too many processes", limits),
    "uid": ("become root, or join its group", uid),
    "capabilities": ("have a capability", capabilities),
    "no_new_privs": ("take back that programs gain nothing", no_new_privs),
    "landlock": ("open what the mounts would allow", landlock),
    "seccomp": ("make system calls that are dangerous", seccomp),
}
#: What a judge tries instead.
OF_A_JUDGE: dict[str, tuple[str, Callable[[Facts], str]]] = {
    "disk": ("write a file anywhere", nothing_to_write)
}


def attempt(layer: str, facts: Facts) -> list[Any]:
    """Whether an attempt got out, and what came of it. One that fails for a reason of its own shows
    nothing, and counts as if it had.
    """
    _, how = (OF_A_JUDGE if facts.get("judge") else {}).get(layer) or ATTEMPTS[layer]
    try:
        return [True, how(facts)]
    except Stopped as stopped:
        return [False, str(stopped)]
    except (OSError, MemoryError) as error:
        return [False, getattr(error, "strerror", None) or type(error).__name__]
    except Exception as error:
        return [True, f"the attempt itself failed: {type(error).__name__}: {error}"]
