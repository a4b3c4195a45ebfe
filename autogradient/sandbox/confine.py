"""Confinement of the processes that run student code, fail closed: `isolate`, fork, `enclose`,
fork, `drop`.

    a fresh fork ── isolate ──fork──▶ PID 1 ── enclose ──fork──▶ worker ── drop ──▶ student code
                                        └─ shed

Each step returns the names of the layers that it put in force. A layer that cannot be had raises
`LayerMissing`, unless the submission is trusted. Works as root, and as an ordinary user where user
namespaces are allowed. What each layer is for: `layers`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import secrets
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from autogradient.sandbox import (
    card,
    cgroup,
    copies,
    kernel,
    landlock,
    mounts,
    syscalls,
    work_folder,
)
from autogradient.sandbox.layers import LayerMissing, missing
from autogradient.sandbox.mounts import WORK

__all__ = [
    "WORK",
    "Budget",
    "Confinement",
    "drop",
    "enclose",
    "isolate",
    "prepare",
    "shed",
    "sweep",
]

_NAMESPACES = {
    "processes": kernel.NEW_PID,
    "files": kernel.NEW_MOUNT,
    "network": kernel.NEW_NET,
    "ipc": kernel.NEW_IPC,
    "hostname": kernel.NEW_UTS,
}
#: All that is kept of the environment.
_KEPT = (
    *("PATH", "LANG", "LC_ALL", "TZ", "MPLBACKEND", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
)
#: MB of a session's memory beyond what is budgeted: copies of the interpreter as student code is
#: forked.
_SESSION_MB = 256
#: MB that CUDA and its libraries take for themselves.
_CUDA_MB = 4096
#: Signals and timers that wait, of all processes of a session.
_SIGNALS = 1024
#: MB of a copy that only waits: what it does not share with the process it was forked from.
_FORK_MB = 25


@dataclass(frozen=True)
class Budget:
    """What a session may use.

    `memory_mb` (MB) is what each process may add to the interpreter's own; with a control group all
    processes together may use that, `disk_mb` and a little more. `processes` counts threads too.
    `disk_mb` (MB): all files together; `file_mb` (MB): one file. `cpu_s` (seconds) and `open_files`
    are for each process. `forks`: copies of the process that only wait, for which there is room
    besides.
    """

    memory_mb: float
    processes: int = 128
    disk_mb: int = 256
    file_mb: int = 256
    open_files: int = 512
    cpu_s: int = 3600
    forks: int = 0


@dataclass(frozen=True)
class Confinement:
    """How to confine a session. `folder`: its files are copied into the work folder. `writable`
    False: nothing at all can be written (judges).

    `trusted`: layers that cannot be had are left out. `hidden`: folders, such as the course, that
    must not be seen even where they lie in a folder of Python's. `card`: the machine's NVIDIA cards
    can be used.
    """

    folder: str
    budget: Budget
    writable: bool = True
    trusted: bool = False
    hidden: tuple[str, ...] = ()
    card: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self) | {"hidden": list(self.hidden)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Confinement:
        """From what `to_dict` gave."""
        return cls(
            **values
            | {"budget": Budget(**values["budget"]), "hidden": tuple(values.get("hidden", ()))}
        )


@dataclass
class _State:
    """What the steps have found and chosen; goes along with forks."""

    uid: int = field(default_factory=os.getuid)
    gid: int = field(default_factory=os.getgid)
    namespaces: set[str] = field(default_factory=set)
    enclosed: bool = False
    proc: int | None = None


_state = _State()


class _Step:
    """Puts layers in force one by one."""

    def __init__(self, c: Confinement, leave_out: Collection[str]) -> None:
        self.trusted, self.leave_out = c.trusted, leave_out
        self.names: list[str] = []

    def put(self, layer: str, action: Callable[[], object], why: str = "") -> bool:
        """Do `action`; whether the layer is in force. Raises LayerMissing."""
        if layer in self.leave_out:
            return False
        try:
            action()
        except work_folder.FolderRefused:
            raise
        except OSError as error:
            if self.trusted:
                return False
            if isinstance(error, LayerMissing):
                raise
            raise missing(layer, why or error.strerror or str(error)) from error
        self.names.append(layer)
        return True


def prepare(hidden: tuple[str, ...] = ()) -> None:
    """Work out once, before the first fork, what every session needs alike. Raises LayerMissing
    where it cannot be.
    """
    cgroup._places()
    for layer, work in (("files", lambda: mounts.plan(hidden)), ("seccomp", syscalls.program)):
        try:
            work()
        except OSError as error:
            raise missing(layer, error.strerror or str(error)) from error


def sweep() -> int:
    """Remove the control groups of sessions that have ended; how many. To be called where sessions
    are started, not in one.
    """
    return cgroup.sweep()


# ---- step 1 --------------------------------------------------------------------------------------


def isolate(c: Confinement, leave_out: Collection[str] = ()) -> list[str]:
    """New namespaces, in a freshly forked process with one thread. The next fork is PID 1 of the
    session.

    `leave_out` names layers to do without, for showing what each is good for: never set it for a
    submission.
    """
    global _state
    _single_threaded()
    _state = _State()
    step = _Step(c, leave_out)
    if "cgroup" not in leave_out:
        budget = c.budget
        room = (
            budget.memory_mb
            + budget.disk_mb
            + _SESSION_MB
            + budget.forks * _FORK_MB
            + c.card * _CUDA_MB
        )
        memory = int(room * 1024 * 1024) + work_folder.size_of(c.folder)
        if cgroup.join(memory, budget.processes + budget.forks + 8):
            step.names.append("cgroup")
    wanted = {layer: flag for layer, flag in _NAMESPACES.items() if layer not in leave_out}
    if os.getuid() == 0 and kernel.capabilities() >> kernel.CAP_SYS_ADMIN & 1:
        _choose_ids()
    else:
        step.put("user namespace", _user_namespace)
    try:
        kernel.unshare(sum(wanted.values()) | kernel.NEW_CGROUP)
        _state.namespaces = set(wanted)
    except OSError:  # which one is it?
        for layer, flag in wanted.items():

            def one(layer: str = layer, flag: int = flag) -> None:
                try:
                    kernel.unshare(flag)
                except OSError as error:
                    raise missing(layer, _why_no_namespace(error)) from None
                _state.namespaces.add(layer)

            _Step(c, ()).put(layer, one)
    step.names += [
        layer
        for layer in wanted
        if layer in _state.namespaces and layer not in ("files", "hostname")
    ]
    if "hostname" in _state.namespaces:
        step.put("hostname", lambda: kernel.sethostname("grader"))
    return step.names


def _single_threaded() -> None:
    if len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("confinement begins in a process with one thread")


def _choose_ids() -> None:
    """As root: a user and a group for this session, random so that sessions of other graders have
    others. 0 where there is none.
    """
    with open("/proc/self/uid_map") as file:
        extents = [tuple(map(int, line.split())) for line in file]
    first, _, count = max(extents, key=lambda extent: extent[2])
    low, high = max(first, 0x70000000), min(first + count, 0x7FFF0000)  # nobody hands these out
    if high - low < 1 << 16:  # a container's small range of ids
        low, high = max(first, 20_000), min(first + count, 65_000)
    # an even number: the next one is for PID 1
    _state.uid = _state.gid = (
        low + 2 * secrets.randbelow((high - low) // 2 - 1) if high - low > 100 else 0
    )


def _user_namespace() -> None:
    """A user namespace in which we have every capability. An ordinary user keeps the id; root gets
    one for the session, too, where that is allowed.
    """
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        _choose_ids()
    try:
        if _state.uid == uid:
            kernel.user_namespace(f"{uid} {uid} 1", f"{gid} {gid} 1")
        elif not kernel.user_namespace(*(f"0 0 1\n{_state.uid} {_state.uid} 2",) * 2, outside=True):
            _state.uid = _state.gid = 0
    except OSError as error:
        raise missing("user namespace", _why_no_namespace(error)) from None
    if not kernel.capabilities() >> kernel.CAP_SYS_ADMIN & 1:
        raise missing("user namespace", "a security module takes the capabilities from it")


def _why_no_namespace(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EUSERS):
        return "no more namespaces are allowed here"
    if error.errno == errno.EINVAL:
        return "the kernel does not have such namespaces"
    return "new namespaces are refused here"


# ---- step 2 --------------------------------------------------------------------------------------


def enclose(c: Confinement, leave_out: Collection[str] = ()) -> list[str]:
    """A root folder of the session's own, in PID 1 of it; the present folder is the work folder
    then.

    Where a trusted submission has to do without, `c.folder` is the present folder. Raises OSError
    where `c.folder` cannot be copied.
    """
    step = _Step(c, leave_out)

    if not c.card:
        step.put("copies", lambda: copies.require(mounts.plan(c.hidden).trees))

    def build() -> None:
        try:
            show = mounts.plan(c.hidden)
            still, originals = copies.still(), copies.originals() if c.card else ""
            disk = c.budget.disk_mb * 1024 * 1024 if c.writable else 1024 * 1024
            _state.proc = mounts.build(
                show,
                c.folder,
                (_state.uid, _state.gid),
                disk,
                c.writable,
                c.trusted,
                still,
                c.card,
                originals,
            )
        except mounts.ProcRefused as error:
            raise missing("proc", f"a new /proc cannot be mounted ({error.strerror})") from None

    if "files" in _state.namespaces and step.put("files", build):
        _state.enclosed = True
        step.names += ["disk"] if _state.proc is None else ["disk", "proc"]
        os.chdir(WORK)
    else:
        os.chdir(c.folder)
    return step.names


# ---- step 3 --------------------------------------------------------------------------------------


def drop(c: Confinement, leave_out: Collection[str] = ()) -> list[str]:
    """Give up every right, for good, in the process that will run student code: a child of PID 1
    with one thread.
    """
    _single_threaded()
    step = _Step(c, leave_out)
    step.put("environment", _forget_environment)
    step.put("memory order", _first_to_go)
    step.put("limits", lambda: _limit(c.budget, c.card))
    os.umask(0o022)
    _step_down(step, 0, 0)
    kernel.undumpable()
    step.put("no_new_privs", kernel.no_new_privileges)
    step.put("landlock", lambda: landlock.enforce(_rules(c)))
    step.put("seccomp", lambda: kernel.seccomp(syscalls.program()))
    return step.names


def shed(c: Confinement, leave_out: Collection[str] = ()) -> list[str]:
    """What PID 1 gives up once it has forked the worker: all but the right to end the session's
    processes and to see how they ended.
    """
    step = _Step(c, leave_out)
    if _state.proc is not None:
        os.close(_state.proc)
        _state.proc = None
    kernel.keep_capabilities()
    _step_down(step, 1, 1 << kernel.CAP_KILL | 1 << kernel.CAP_SYS_PTRACE)
    kernel.undumpable()
    step.put("no_new_privs", kernel.no_new_privileges)
    step.put("seccomp", lambda: kernel.seccomp(syscalls.program()))
    return step.names


def _forget_environment() -> None:
    """Keep a few variables, say where things are, and overwrite the strings that the program was
    started with.
    """
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    home, tmp = os.getcwd(), "/tmp" if _state.enclosed else os.getcwd()
    kept |= {
        "HOME": home,
        "USER": "student",
        "LOGNAME": "student",
        "TMPDIR": tmp,
        "MPLCONFIGDIR": f"{tmp}/.matplotlib",
        "XDG_CACHE_HOME": f"{tmp}/.cache",
    }
    os.environ.clear()
    os.environ.update(kept)
    with open("/proc/self/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    start, end = int(fields[47]), int(fields[48])
    if 0 < start < end:
        ctypes.memset(start, 0, end - start)


def _first_to_go() -> None:
    """The new /proc is read-only, but for the descriptor kept since it was made."""
    if _state.proc is None:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        return
    fd = os.open("self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC, dir_fd=_state.proc)
    os.write(fd, b"1000")
    os.close(fd)
    os.close(_state.proc)
    _state.proc = None


def _limit(budget: Budget, card: bool) -> None:
    with open("/proc/self/statm") as file:
        pages = file.read().split()
    # CUDA reserves addresses for all memory that there is, of the machine and its cards; then only
    # memory of the process's own is bounded
    memory, present, extra = (
        (resource.RLIMIT_DATA, pages[5], _CUDA_MB) if card else (resource.RLIMIT_AS, pages[0], 0)
    )
    limits = {
        memory: int(present) * resource.getpagesize()
        + int((budget.memory_mb + extra) * 1024 * 1024),
        resource.RLIMIT_NPROC: budget.processes + budget.forks,
        resource.RLIMIT_FSIZE: budget.file_mb * 1024 * 1024,
        resource.RLIMIT_NOFILE: budget.open_files,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: budget.cpu_s,
        resource.RLIMIT_MEMLOCK: 64 * 1024,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_SIGPENDING: _SIGNALS,
        resource.RLIMIT_NICE: 0,
        resource.RLIMIT_RTPRIO: 0,
    }
    for what, value in limits.items():
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(what, (value, value))


def _step_down(step: _Step, which: int, keep: int) -> None:
    """Another user, and no capabilities but those of `keep` (bits) that we have."""
    keep, signal = keep & kernel.capabilities(), kernel.death_signal()
    # this needs a capability itself, so it comes first
    if step.put("capabilities", kernel.empty_bounding_set):
        step.names.pop()
    step.put("uid", lambda: _become(which))
    step.put("capabilities", lambda: kernel.set_capabilities(keep))
    kernel.set_death_signal(signal)  # the kernel forgets it when the user changes


def _become(which: int) -> None:
    """Be the session's user (0) or its PID 1's (1); as an ordinary user we are both already, and
    the kernel does not let us leave our groups.
    """
    if os.getuid() != 0:
        if _state.uid != os.getuid():
            raise OSError(errno.EPERM, "another user was chosen")
        return
    if _state.uid == 0:
        raise OSError(errno.EPERM, "there is no user id for the session")
    os.setgroups([])
    os.setresgid(_state.gid + which, _state.gid + which, _state.gid + which)
    os.setresuid(_state.uid + which, _state.uid + which, _state.uid + which)


def _rules(c: Confinement) -> list[tuple[str, int]]:
    """What Landlock is to allow: the trees that are shown, to read and run; the work folder and its
    like, to write.
    """
    rules = [(path, landlock.PROGRAMS) for path in mounts.plan(c.hidden).trees]
    rules += [
        ("/", landlock.LIST),
        ("/etc", landlock.READ),
        ("/dev", landlock.READ),
    ]
    # Never what /proc tells of processes, one's own included: which pages of a library how many
    # others have mapped (smaps, numa_maps) is what a hidden test next door does, and the kernel's
    # counters (autogroup, the addresses in maps) outlive a submission.
    # CUDA wants to know where its own libraries lie, and sessions for a card see the original files
    # anyway.
    if c.card:
        rules.append(("/proc", landlock.READ))
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit() and not entry.is_symlink():
            rules.append((entry.path, landlock.READ))
    rules += [(f"/dev/{name}", landlock.DEVICE) for name in ("null", "zero", "full")]
    if c.card:
        rules += [(f"/dev/{name}", landlock.CARD) for name in card.devices()] + [
            (path, landlock.READ) for path in card.FOLDERS
        ]
    work = [os.getcwd(), *(["/tmp"] if _state.enclosed else [])]
    if c.writable:
        return (
            rules
            + [(path, landlock.WORK) for path in work]
            + [("/dev/shm", landlock.STORE), ("/dev/pts", landlock.TERMINAL)]
        )
    return rules + [(path, landlock.PROGRAMS) for path in work]
