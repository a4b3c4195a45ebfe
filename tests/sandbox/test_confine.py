"""Each layer of confinement, shown by an attempt that succeeds without the layer and fails with it;
as root and as an ordinary user.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confined import BUDGET, USER, World, as_root, both, in_a_cgroup, world

from autogradient.sandbox import kernel, layers, locks, syscalls
from autogradient.sandbox.confine import WORK

__all__ = ["world"]

LIBC = ctypes.CDLL(None, use_errno=True)


def system(number: int, *arguments: Any) -> int:
    """A system call as student code would make it. Raises OSError."""
    result = int(
        LIBC.syscall(
            ctypes.c_long(number),
            *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments),
        )
    )
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def number(name: str) -> int:
    tables = syscalls.ALLOWED + syscalls.REFUSED + syscalls.BY_ARGUMENT + syscalls.IDLE
    return syscalls.numbers(tables, os.uname().machine)[name]


def shows(
    world: World,
    layer: str,
    attempt: Callable[[], Any],
    besides: set[str] = frozenset(),
    **how: Any,
) -> None:  # type: ignore[assignment]
    """The attempt fails when everything is in force, and when only `besides` is not; it succeeds
    when `layer` is left out, too.
    """
    full = world.run(attempt, **how)
    assert not full.ok, f"succeeded, fully confined: {full.value}"
    assert full.error != "LayerMissing", full.text
    alone = world.run(attempt, besides, **how)
    assert alone.error != "LayerMissing", alone.text
    assert not alone.ok, f"{layer} alone does not stop it: {alone.value}"
    without = world.run(attempt, besides | {layer}, **how)
    assert without.ok, f"stopped by something else than {layer}: {without.error} {without.text}"


# ---- all of it -----------------------------------------------------------------------------------


@both
def test_every_layer_is_in_force_and_known(world: World) -> None:
    came = world.run(lambda: 1)
    assert came.ok, came.text
    assert set(came.layers) <= set(layers.LAYERS)
    expected = (
        set(layers.LAYERS)
        - layers.OPTIONAL
        - ({"user namespace"} if world.who == "root" else set())
    )
    assert expected <= set(came.layers)
    assert [layer for layer in layers.LAYERS if layer in came.layers] == came.layers, (
        "in the order of the table"
    )
    assert {"uid", "capabilities", "no_new_privs", "seccomp"} <= set(came.shed)


@both
def test_ordinary_work_goes_on(world: World) -> None:
    """What students do: libraries, files, programs, threads, processes, compilers."""

    def work() -> dict[str, Any]:
        import multiprocessing
        import tempfile
        import threading

        import matplotlib
        import torch

        matplotlib.use("agg")
        import matplotlib.pyplot as plt

        done: dict[str, Any] = {
            "data": Path("data.txt").read_text(),
            "cwd": os.getcwd(),
            "home": os.path.expanduser("~"),
        }
        plt.plot([1, 2])
        plt.savefig("figure.png")
        torch.save({"a": torch.ones(3)}, "model.pt")
        done["loaded"] = torch.load("model.pt")["a"].tolist()
        answer = subprocess.run(
            [sys.executable, "-c", "import numpy; print(numpy.ones(3).sum())"],
            capture_output=True,
            text=True,
        )
        done["python"] = answer.stdout + answer.stderr
        heard: list[int] = []
        thread = threading.Thread(target=lambda: heard.append(1))
        thread.start()
        thread.join()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            done["pool"] = pool.map(abs, [-1, -2])
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"x")
        Path("hello.c").write_text(
            'int puts(const char*); int main(void) { puts("hi"); return 0; }'
        )
        if shutil_which("gcc"):
            done["gcc"] = subprocess.run(
                "gcc hello.c -o hello && ./hello", shell=True, capture_output=True, text=True
            ).stdout
        from IPython.core.interactiveshell import InteractiveShell

        shell = InteractiveShell.instance()
        done["shell"] = list(shell.getoutput("ls data.txt"))
        shell.system("echo spoken > spoken.txt")
        done["spoken"] = Path("spoken.txt").read_text()
        import getpass
        from multiprocessing import shared_memory

        memory = shared_memory.SharedMemory(create=True, size=10)
        memory.close()
        memory.unlink()
        import fcntl
        import sqlite3

        base = sqlite3.connect("base.db")
        base.execute("create table t (x)")
        base.execute("insert into t values (1)")
        base.commit()
        base.close()
        done["rows"] = sqlite3.connect("base.db").execute("select x from t").fetchall()
        with open("lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            fcntl.lockf(file, fcntl.LOCK_UN)
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        numbers = (ctypes.c_int * 3)(3, 1, 2)
        order = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int)
        )(lambda a, b: a[0] - b[0])
        ctypes.CDLL(None).qsort(numbers, 3, 4, order)
        done["sorted"] = list(numbers)
        torch.set_num_threads(1)
        locks.install()
        event, together = multiprocessing.Event(), multiprocessing.Barrier(2)
        one = multiprocessing.Process(
            target=lambda: (time.sleep(0.05), event.set(), together.wait(60))
        )
        done["locks"] = [event.wait(0.01)]
        one.start()
        done["locks"] += [event.wait(60), together.wait(60) in (0, 1)]
        one.join()
        with multiprocessing.Lock() as held, multiprocessing.RLock():
            done["locks"] += [held]
        taken = multiprocessing.Lock()
        done["locks"] += [
            taken.acquire(),
            taken.acquire(False),
            taken.acquire(timeout=0.01),
            taken.acquire(True, -1.0),
        ]
        done["batches"] = [
            batch.tolist()
            for batch in torch.utils.data.DataLoader(torch.arange(4), batch_size=2, num_workers=2)
        ]
        return done | {"heard": heard, "user": getpass.getuser()}

    from shutil import which as shutil_which

    came = world.run(work, budget=replace(BUDGET, memory_mb=2048, open_files=512))
    assert came.ok, f"{came.error} {came.text}"
    done = came.value
    assert done.pop("gcc", "hi\n") == "hi\n"
    assert done == {
        "data": "data",
        "cwd": WORK,
        "home": WORK,
        "loaded": [1.0, 1.0, 1.0],
        "python": "3.0\n",
        "heard": [1],
        "pool": [1, 2],
        "locks": [False, True, True, True, True, False, False, False],
        "shell": ["data.txt"],
        "spoken": "spoken\n",
        "user": "student",
        "rows": [[1]],
        "sorted": [1, 2, 3],
        "batches": [[0, 1], [2, 3]],
    }
    assert not (world.folder / "figure.png").exists(), "the host's folder was copied, not shared"


# ---- files ---------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("layer, besides", [("files", {"landlock"}), ("landlock", {"files"})])
def test_the_course_cannot_be_read(world: World, layer: str, besides: set[str]) -> None:
    shows(world, layer, world.secret.read_text, besides)


@both
@pytest.mark.parametrize("layer, besides", [("files", {"landlock"}), ("landlock", {"files"})])
def test_nothing_outside_can_be_written(world: World, layer: str, besides: set[str]) -> None:
    shows(world, layer, lambda: (world.course / "mine").write_text("mine"), besides)


@as_root
def test_files_of_other_users_are_out_of_reach(world: World) -> None:
    world.secret.chmod(0o600)
    shows(world, "uid", world.secret.read_text, {"files", "landlock"})


@both
def test_a_link_out_of_the_work_folder_leads_nowhere(world: World) -> None:
    (world.folder / "link").symlink_to(world.secret)
    (world.folder / "inside").symlink_to("data.txt")
    (world.folder / "up").symlink_to("../course")
    shows(world, "files", lambda: Path("link").read_text(), {"landlock"})
    assert world.run(
        lambda: [Path("inside").read_text(), os.path.exists("up/secret.txt"), os.readlink("link")]
    ).value == ["data", False, str(world.secret)]


@both
def test_what_can_be_seen(world: World) -> None:
    def look() -> dict[str, Any]:
        paths = (
            "/var",
            "/run",
            "/sys",
            "/boot",
            "/etc/shadow",
            "/etc/ssh",
            "/dev/kmsg",
            "/dev/mem",
            "/proc/1/environ",
        )
        readable = []
        for path in paths:
            with contextlib.suppress(OSError):
                os.listdir(path) if os.path.isdir(path) else Path(path).read_bytes()
                readable.append(path)
        return {
            "readable": readable,
            "home": sorted(os.listdir("/home")),
            "pids": [name for name in os.listdir("/proc") if name.isdigit()],
        }

    def mounted() -> dict[str, list[str]]:
        with open("/proc/self/mountinfo") as file:
            return {line.split()[4]: line.split()[5].split(",") for line in file}

    seen = world.run(look).value
    options_of = world.run(mounted, {"landlock"}).value
    assert seen["readable"] == []
    assert seen["home"] == ["student"]
    assert seen["pids"] == ["1", "2"]
    assert all("nosuid" in options for options in options_of.values())
    assert all(
        "nodev" in options or path.startswith("/dev/") for path, options in options_of.items()
    )
    assert {
        path
        for path, options in options_of.items()
        if "rw" in options and not path.startswith("/dev/")
    } == {WORK, "/tmp"}


@pytest.mark.promise("P12")
@both
def test_proc_tells_nothing_of_processes(world: World) -> None:
    """Not of one's own either: how many others have mapped a page is what they do."""

    def look() -> list[str]:
        told = []
        for folder, _, names in os.walk("/proc/self"):
            for name in names:
                with contextlib.suppress(OSError):
                    if Path(folder, name).read_bytes():
                        told.append(name)
        return [*told, str(bool(Path("/proc/meminfo").read_text())), str(len(os.listdir("/proc")))]

    *told, memory, count = world.run(look).value
    assert told == [] and memory == "True" and int(count) > 10
    assert {"smaps", "numa_maps", "maps", "autogroup"} & set(world.run(look, {"landlock"}).value)


@both
def test_a_hidden_folder_is_covered_even_where_python_is_installed(world: World) -> None:
    inside = Path(os.path.realpath(os.__file__)).parent
    look = lambda: os.listdir(inside / "email")  # noqa: E731
    assert "charset.py" in world.run(look).value
    came = world.run(look, hidden=(str(inside / "email"),))
    assert came.value == []


@both
def test_a_judge_can_write_nowhere(world: World) -> None:
    def write() -> list[str]:
        written = []
        for folder in (WORK, "/tmp", "/dev/shm", "/dev", "/", "/etc", "/home", "/proc/self"):
            with contextlib.suppress(OSError):
                os.close(os.open(f"{folder}/x", os.O_CREAT | os.O_WRONLY))
                written.append(folder)
        Path("/dev/null").write_text("x")
        return [*written, Path("data.txt").read_text()]

    assert world.run(write, writable=False).value == ["data"]
    assert world.run(write, {"landlock"}, writable=False).value == ["data"], "the mounts alone"
    assert world.run(write).value == [WORK, "/tmp", "/dev/shm", "data"]


@both
def test_the_disk_is_bounded_over_all_folders(world: World) -> None:
    def fill() -> list[float]:
        written = []
        for folder in (WORK, "/tmp", "/dev/shm") if mine else ("/tmp", "/dev/shm", os.getcwd()):
            size = 0
            path = f"{folder}/filler-{os.getpid()}"
            try:
                with contextlib.suppress(OSError), open(path, "wb", buffering=0) as file:
                    while size < 40 << 20:
                        size += file.write(bytes(1 << 20))
            finally:
                if not mine:
                    os.unlink(path)
            written.append(size / (1 << 20))
        return written

    mine = True
    bounded = world.run(fill, {"limits"}).value
    assert 14 <= sum(bounded) <= 16.1, bounded
    mine = False
    assert world.run(fill, {"limits", "files", "landlock"}).value == [40.0] * 3


@both
def test_files_of_the_folder_do_not_count_against_the_disk_and_odd_ones_are_left_out(
    world: World,
) -> None:
    (world.folder / "big").write_bytes(os.urandom(20 << 20))
    os.mkfifo(world.folder / "pipe")
    (world.folder / "sub/deep").mkdir(parents=True)
    (world.folder / "sub/deep/x").write_text("deep")

    def look() -> Any:
        Path("new").write_bytes(bytes(8 << 20))
        Path("sub/deep/x").write_text("changed")
        return sorted(os.listdir(".")), os.path.getsize("big"), Path("sub/deep/x").read_text()

    assert world.run(look).value == [["big", "data.txt", "new", "sub"], 20 << 20, "changed"]
    assert (world.folder / "sub/deep/x").read_text() == "deep"


# ---- other processes, and the network ------------------------------------------------------------


@pytest.fixture
def victim(world: World) -> Iterator[int]:
    """A process of the same user as the one who confines."""
    pid = os.fork()
    if pid == 0:
        if world.who == "user" and os.getuid() == 0:
            os.setresgid(USER, USER, USER)
            os.setresuid(USER, USER, USER)
        while True:
            signal.pause()
    yield pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@both
@pytest.mark.parametrize(
    "layer, besides",
    [("processes", {"uid", "landlock", "files"}), ("landlock", {"uid", "processes", "files"})],
)
def test_processes_outside_cannot_be_signalled(
    world: World, victim: int, layer: str, besides: set[str]
) -> None:
    if layer == "landlock" and kernel.landlock_abi() < 6:
        pytest.skip("this kernel's Landlock does not know signals")
    shows(world, layer, lambda: os.kill(victim, 0), besides)


@as_root
def test_processes_of_other_users_cannot_be_signalled(world: World, victim: int) -> None:
    shows(world, "uid", lambda: os.kill(victim, 0), {"processes", "landlock", "files"})


@both
def test_processes_outside_are_not_in_proc(world: World, victim: int) -> None:
    shows(
        world, "files", lambda: Path(f"/proc/{victim}/cmdline").read_bytes().decode(), {"landlock"}
    )


@both
@pytest.mark.parametrize("layer", ["network", "landlock", "seccomp"])
def test_no_connection_to_this_machine(world: World, layer: str) -> None:
    if layer == "landlock" and kernel.landlock_abi() < 4:
        pytest.skip("this kernel's Landlock does not know TCP")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        shows(
            world,
            layer,
            lambda: socket.create_connection(address, 5).close(),
            {"network", "landlock", "seccomp"} - {layer},
        )


@both
@pytest.mark.parametrize("layer", ["network", "landlock"])
def test_no_abstract_socket_of_this_machine(world: World, layer: str) -> None:
    if layer == "landlock" and kernel.landlock_abi() < 6:
        pytest.skip("this kernel's Landlock does not know abstract sockets")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0confine-{os.getpid()}")
        server.listen()
        name = server.getsockname()

        def connect() -> None:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(name)

        shows(world, layer, connect, {"network", "landlock"} - {layer})


@both
@pytest.mark.parametrize("layer", ["ipc", "seccomp"])
def test_no_shared_memory_of_this_machine(world: World, layer: str) -> None:
    key = 0x5EC0 + os.getpid()
    segment = system({"x86_64": 29, "aarch64": 194}[os.uname().machine], key, 4096, 0o1666)
    try:
        shows(
            world,
            layer,
            lambda: system({"x86_64": 29, "aarch64": 194}[os.uname().machine], key, 0, 0),
            {"ipc", "seccomp"} - {layer},
        )
    finally:
        LIBC.shmctl(segment, 0, None)


@both
def test_the_name_of_the_machine_is_not_shown(world: World) -> None:
    assert world.run(socket.gethostname).value == "grader"
    assert world.run(socket.gethostname, {"hostname"}).value == socket.gethostname()


@both
def test_one_process_cannot_look_into_another_of_the_session(world: World) -> None:
    def look() -> list[str]:
        pid = os.fork()
        if pid == 0:
            signal.pause()
        opened = []
        for target in (pid, 1):
            for name in ("mem", "environ", "fd", "maps"):
                with contextlib.suppress(OSError):
                    os.listdir(f"/proc/{target}/{name}") if name == "fd" else os.close(
                        os.open(f"/proc/{target}/{name}", os.O_RDONLY)
                    )
                    opened.append(f"{target}/{name}")
        os.kill(pid, signal.SIGKILL)
        return opened

    assert world.run(look).value == []


# ---- privileges ----------------------------------------------------------------------------------


@both
def test_no_right_to_mount(world: World) -> None:
    shows(
        world,
        "capabilities",
        lambda: kernel.mount("tmpfs", "/tmp", 0),
        {"uid", "seccomp", "landlock"},
    )


@as_root
def test_no_other_user_can_be_had(world: World) -> None:
    shows(world, "capabilities", lambda: os.setuid(12345), {"uid"})
    assert world.run(lambda: [*os.getresuid(), os.getgroups()]).value[0] not in (0, USER)


@as_root
def test_two_sessions_are_two_users(world: World) -> None:
    assert world.run(os.getuid).value != world.run(os.getuid).value


@as_root
def test_a_set_uid_program_gives_nothing(world: World) -> None:
    program = world.folder / "id"
    program.write_bytes(Path("/usr/bin/id").read_bytes())
    program.chmod(0o4755)

    def become() -> str:
        shown = subprocess.run([program, "-u"], capture_output=True, text=True).stdout.strip()
        if shown != "0":
            raise PermissionError(shown)
        return shown

    shows(world, "no_new_privs", become, {"files", "landlock", "seccomp"})


SPEECHES: dict[str, Callable[[], Any]] = {
    "ptrace": lambda: system(number("ptrace"), 0, 0, 0, 0),
    "unshare": lambda: system(number("unshare"), kernel.NEW_USER),
    "clone": lambda: os.waitpid(
        system(number("clone"), kernel.NEW_USER | signal.SIGCHLD, 0, 0, 0, 0) or os._exit(0), 0
    ),
    "io_uring": lambda: system(number("io_uring_setup"), 1, ctypes.create_string_buffer(120)),
    "chmod u+s": lambda: os.chmod("data.txt", 0o4755),
    "fchmod g+s": lambda: os.fchmod(os.open("data.txt", os.O_RDONLY), 0o2755),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close(),
    "socketpair": lambda: system(
        number("socketpair"), 40, socket.SOCK_STREAM, 0, ctypes.create_string_buffer(8)
    ),
    "personality": lambda: system(number("personality"), 0xFFFFFFFF),
    "dumpable": lambda: system(number("prctl"), 4, 1, 0, 0, 0),
    "keyring": lambda: system(number("keyctl"), 0, -3, 1),
    "another process's memory": lambda: system(
        number("process_vm_readv"), os.getpid(), 0, 0, 0, 0, 0
    ),
}


@both
@pytest.mark.parametrize("speech", SPEECHES)
def test_dangerous_system_calls_are_refused(world: World, speech: str) -> None:
    without = world.run(SPEECHES[speech], {"seccomp"})
    if without.error == "PermissionError" and speech == "io_uring":
        pytest.skip("io_uring is switched off on this machine")
    # where the kernel was not built with it, another error than ours
    assert without.ok or without.error == "OSError", without.text
    came = world.run(SPEECHES[speech])
    assert came.error == "PermissionError", (came.error, came.text, came.value)


def _from_now_on(path: str) -> None:
    """Hear of whoever opens a file."""
    fd = LIBC.inotify_init1(0)
    if fd < 0 or LIBC.inotify_add_watch(fd, path.encode(), 0x20) < 0:
        raise OSError(ctypes.get_errno(), "no watch")


def _duplicates() -> None:
    """Have memory merged with whoever has the same."""
    memory = mmap.mmap(-1, 8192)
    memory.madvise(12)


NOT_THERE: dict[str, Callable[[], Any]] = {
    "a file in memory that no limit counts": lambda: os.memfd_create("x"),
    "a watch on a file": lambda: _from_now_on(os.__file__),
    "how a file is read": lambda: os.preadv(
        os.open("data.txt", os.O_RDONLY), [bytearray(1)], 0, os.RWF_HIPRI
    ),
    "which pages are in memory": lambda: system(
        {"x86_64": 27, "aarch64": 232}[os.uname().machine],
        _page(),
        4096,
        ctypes.create_string_buffer(1),
    ),
    "memory put aside": lambda: mmap.mmap(-1, 8192).madvise(21),
    "a pipe of another size": lambda: fcntl.fcntl(os.pipe()[0], 1031, 1 << 18),
    "a notice of changes": lambda: fcntl.fcntl(os.open(".", os.O_RDONLY), 1026, 1),
    "a lock of somebody's": lambda: len(fcntl.fcntl(os.open("data.txt", os.O_RDWR), 5, bytes(32))),
    "a process's number on the machine": lambda: os.fstat(os.pidfd_open(os.getpid())).st_ino,
    "a socket's number on the machine": lambda: len(
        socket.socket(socket.AF_UNIX).getsockopt(socket.SOL_SOCKET, 57, 8)
    ),
    "what the machine has free": lambda: system(
        {"x86_64": 99, "aarch64": 179}[os.uname().machine], ctypes.create_string_buffer(256)
    ),
}


def _page() -> int:
    memory = mmap.mmap(-1, 4096)
    held.append(memory)
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))


#: Memory that is looked at.
held: list[mmap.mmap] = []


@both
@pytest.mark.parametrize("what", NOT_THERE)
def test_what_tells_of_others_or_is_not_counted_is_not_there(world: World, what: str) -> None:
    shows(world, "seccomp", NOT_THERE[what])


@both
def test_locks_and_advice_are_taken_and_do_nothing(world: World) -> None:
    def lock() -> int:
        one, other = (os.open("data.txt", os.O_RDWR) for _ in range(2))
        fcntl.flock(one, fcntl.LOCK_EX)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.lockf(one, fcntl.LOCK_EX)
        os.posix_fadvise(one, 0, 0, os.POSIX_FADV_DONTNEED)
        return os.pread(one, 4, 0) == b"data"

    shows_not = world.run(lock)
    assert shows_not.value is True, shows_not.text
    assert world.run(lock, {"seccomp"}).error == "BlockingIOError"


@both
def test_files_in_memory_are_bounded_without_a_control_group(world: World) -> None:
    """Every way to have a file that is in memory: what is not in one of the folders that are
    bounded together is not to be had.
    """

    def fill() -> int:
        made, count = [], 0
        with contextlib.suppress(OSError):
            for folder in (WORK, "/tmp", "/dev/shm") * 100:
                made.append(os.open(folder, os.O_TMPFILE | os.O_RDWR))
                count += os.write(made[-1], bytes(1 << 20))
        with contextlib.suppress(OSError):
            for _ in range(100):
                made.append(os.memfd_create("x"))
                count += os.write(made[-1], bytes(1 << 20))
        return count >> 20

    budget = replace(BUDGET, open_files=500)
    assert world.run(fill, {"cgroup"}, budget=budget).value <= BUDGET.disk_mb
    assert world.run(fill, {"cgroup", "seccomp"}, budget=budget).value > 3 * BUDGET.disk_mb


@both
def test_signals_that_wait_are_bounded_for_each_session(world: World) -> None:
    assert world.run(lambda: resource.getrlimit(resource.RLIMIT_SIGPENDING)).value == [1024, 1024]


# ---- limits --------------------------------------------------------------------------------------


def no_end_of_forks() -> int:
    """Fork until it is refused, or forty times."""
    pids: list[int] = []
    try:
        while len(pids) < 40:
            pid = os.fork()
            if pid == 0:
                signal.pause()
            pids.append(pid)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return len(pids)


@both
def test_the_number_of_processes_is_bounded_for_each_user(world: World) -> None:
    shows(world, "limits", no_end_of_forks, {"cgroup"}, budget=replace(BUDGET, processes=16))


@as_root
def test_the_number_of_processes_is_bounded_for_the_session(world: World) -> None:
    in_a_cgroup(world)
    shows(world, "cgroup", no_end_of_forks, {"limits"}, budget=replace(BUDGET, processes=16))


@both
def test_the_memory_of_a_process_is_bounded(world: World) -> None:
    shows(world, "limits", lambda: len(bytearray(400 << 20)), {"cgroup"})


@as_root
def test_the_memory_of_the_session_is_bounded(world: World) -> None:
    in_a_cgroup(world)

    def hog() -> None:
        """Eight processes of 60 MB each, all at once; raises where one was killed."""
        pids = []
        ready, done = os.pipe()
        for _ in range(8):
            if (pid := os.fork()) == 0:
                memory = mmap.mmap(-1, 60 << 20)
                for page in range(0, 60 << 20, 4096):
                    memory[page] = 1
                os.write(done, b".")
                signal.pause()
            pids.append(pid)
        os.close(done)
        for _ in pids:
            if os.read(ready, 1) == b"":
                raise MemoryError
            if any(os.waitpid(other, os.WNOHANG)[0] for other in pids):
                raise MemoryError
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    shows(world, "cgroup", hog, {"limits"}, budget=replace(BUDGET, memory_mb=16, disk_mb=8))


@both
def test_the_size_of_a_file_is_bounded(world: World) -> None:
    def write() -> None:
        with open("/tmp/large", "wb", buffering=0) as file:
            while file.tell() < 3 << 20:
                file.write(bytes(1 << 20))

    shows(world, "limits", write, budget=replace(BUDGET, file_mb=1))


@both
def test_open_files_are_bounded(world: World) -> None:
    shows(world, "limits", lambda: len([os.dup(0) for _ in range(200)]))


@both
def test_processor_time_is_bounded(world: World) -> None:
    def spin() -> None:
        if (pid := os.fork()) == 0:
            while time.process_time() < 2:
                pass
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
            raise TimeoutError

    shows(world, "limits", spin, budget=replace(BUDGET, cpu_s=1))


@both
def test_no_core_file(world: World) -> None:
    assert world.run(lambda: resource.getrlimit(resource.RLIMIT_CORE)).value == [0, 0]
    assert not world.run(lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 1))).ok


@both
def test_when_memory_runs_out_student_code_goes_first(world: World) -> None:
    read = Path("/proc/self/oom_score_adj").read_text
    assert world.run(read, {"landlock"}).value == "1000\n"
    assert world.run(read, {"landlock", "memory order"}).value == read()


@both
def test_nothing_of_the_environment_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "the-token")
    secret = next(
        text for text in Path("/proc/self/environ").read_bytes().split(b"\0") if len(text) > 8
    )

    def look() -> list[str]:
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[47]), int(fields[48])
        found = ["memory"] if secret in ctypes.string_at(start, end - start) else []
        LIBC.getenv.restype = ctypes.c_char_p
        found += ["libc"] if LIBC.getenv(b"API_TOKEN") else []
        found += ["python"] if "API_TOKEN" in os.environ else []
        found += (
            ["child"]
            if "the-token" in subprocess.run(["env"], capture_output=True, text=True).stdout
            else []
        )
        return found

    left = world.run(look, {"environment", "landlock"}).value
    assert left == ["memory", "libc", "python", "child"]
    assert world.run(look, {"landlock"}).value == []
