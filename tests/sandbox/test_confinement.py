"""Confinement as a whole: PID 1 and the end of a session, what is said where a layer is missing,
machines of other kinds, the tables.
"""

from __future__ import annotations

import errno
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from confined import World, as_root, as_user, both, in_a_cgroup, world

from autogradient.sandbox import cgroup, confine, kernel, landlock, layers, mounts, syscalls
from autogradient.sandbox.confine import Budget, Confinement
from autogradient.sandbox.layers import LayerMissing

__all__ = ["world"]


# ---- PID 1, and the end --------------------------------------------------------------------------


@both
def test_pid_1_can_end_the_worker_and_see_how_it_ended(world: World) -> None:
    def first(pid: int) -> Any:
        os.kill(pid, signal.SIGUSR1)
        refused = []
        for what, attempt in {
            "mount": lambda: kernel.mount("tmpfs", "/tmp", 0),
            "setuid": lambda: os.setuid(0),
            "write": lambda: Path("/etc/x").touch(),
        }.items():
            try:
                attempt()
            except OSError:
                refused.append(what)
        return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), refused]

    def wait() -> None:
        signal.pause()

    came = world.run(wait, first=first)
    assert came.ok, came.text
    assert came.value == [-signal.SIGUSR1, ["mount", "setuid", "write"]]


@as_root
def test_pid_1_sees_how_a_process_ended_that_is_not_its_child(world: World) -> None:
    def first(pid: int) -> int:
        while True:  # the only process besides: the worker's child, once it has ended
            for name in os.listdir("/proc"):
                if name.isdigit() and int(name) not in (1, pid):
                    state, *rest = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
                    if state == "Z":
                        return os.waitstatus_to_exitcode(int(rest[-1]))

    def leave_a_zombie() -> None:
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGUSR1)
        signal.pause()

    assert world.run(leave_a_zombie, first=first).value == -signal.SIGUSR1


@both
def test_nothing_outlives_pid_1(world: World) -> None:
    back, out = os.pipe()

    def leave_a_daemon() -> None:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.write(out, b"alive")
                while True:
                    signal.pause()
            os._exit(0)
        os.wait()

    assert world.run(leave_a_daemon).ok
    os.close(out)
    assert os.read(back, 5) == b"alive"
    assert os.read(back, 5) == b"", "its end of the pipe is closed: it is gone"
    os.close(back)


@as_root
def test_no_control_group_is_left(world: World) -> None:
    in_a_cgroup(world)
    first, second = cgroup._places()
    places = {*second, *(place for group in first.values() for place in group)}
    confine.sweep()
    assert world.run(lambda: 1).ok
    assert not [
        name
        for place in places
        for name in os.listdir(place)
        if name.startswith(f"autogradient-{os.getpid()}-")
    ]


@as_root
def test_a_control_group_is_not_taken_away_by_another_grader_before_it_is_used(
    world: World,
) -> None:
    in_a_cgroup(world)
    sweeping = []
    try:
        for _ in range(2):
            if (pid := os.fork()) == 0:
                kernel.set_death_signal(signal.SIGKILL)
                while True:
                    confine.sweep()
            sweeping.append(pid)
        joined = 0
        for _ in range(100):
            if (pid := os.fork()) == 0:
                os._exit(0 if cgroup.join(1 << 28, 64) else 1)
            joined += os.waitpid(pid, 0)[1] == 0
        assert joined == 100
    finally:
        for pid in sweeping:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        confine.sweep()


# ---- what is missing is said ---------------------------------------------------------------------


def without_namespaces() -> None:
    """As in a container: no capabilities, no new user namespaces."""
    uid, gid = os.getuid(), os.getgid()
    kernel.unshare(kernel.NEW_USER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    kernel.set_capabilities(0)


@both
def test_without_namespaces_it_says_what_to_set(world: World) -> None:
    came = world.run(lambda: 1, before=without_namespaces)
    assert came.error == "LayerMissing"
    assert (
        "'user namespace'" in came.text
        and "user.max_user_namespaces" in came.text
        and "CAP_SYS_ADMIN" in came.text
    )


@both
def test_trusted_work_does_with_the_layers_there_are(world: World) -> None:
    came = world.run(
        lambda: [os.getcwd(), Path("data.txt").read_text()], before=without_namespaces, trusted=True
    )
    assert came.ok, came.text
    assert came.value == [str(world.folder), "data"]
    assert {"limits", "no_new_privs", "landlock", "seccomp"} <= set(came.layers)
    assert not {"files", "processes", "network", "user namespace"} & set(came.layers)


@as_user
def test_a_covered_proc_is_said(world: World) -> None:
    def cover() -> None:
        # as container engines do; in a user namespace, since the helper is an ordinary user by now
        confine._user_namespace()
        kernel.unshare(kernel.NEW_MOUNT)
        kernel.mount("tmpfs", "/proc/bus", 0)

    came = world.run(lambda: 1, before=cover)
    assert came.error == "LayerMissing", came
    assert "'proc'" in came.text and "systempaths=unconfined" in came.text
    trusted = world.run(lambda: os.path.exists("/proc/self/stat"), before=cover, trusted=True)
    assert trusted.value is True and "files" in trusted.layers and "proc" not in trusted.layers


@both
@pytest.mark.promise("P18")
@pytest.mark.parametrize(
    "layer, function",
    [("landlock", "landlock_abi"), ("seccomp", "seccomp"), ("no_new_privs", "no_new_privileges")],
)
def test_a_layer_that_the_kernel_lacks_is_said(
    world: World, layer: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lacking(*_: object) -> int:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    def before() -> None:
        monkeypatch.setattr(kernel, function, lacking)

    came = world.run(lambda: 1, before=before)
    assert came.error == "LayerMissing" and f"'{layer}'" in came.text
    assert layer not in world.run(lambda: 1, before=before, trusted=True).layers


def test_the_error_is_one_sentence_with_layer_and_reason() -> None:
    error = layers.missing("landlock", "the kernel has none")
    assert isinstance(error, LayerMissing) and isinstance(error, OSError)
    assert error.layer == "landlock" and error.reason in str(error) and "\n" not in str(error)


# ---- machines of other kinds ---------------------------------------------------------------------


@as_root
def test_root_without_the_right_to_mount_uses_a_user_namespace(world: World) -> None:
    """As in a container with default capabilities, where user namespaces are allowed."""

    def before() -> None:
        kernel.set_capabilities(kernel.capabilities() & ~(1 << kernel.CAP_SYS_ADMIN))

    came = world.run(lambda: [os.getuid(), Path("data.txt").read_text()], before=before)
    assert came.ok, came.text
    assert came.value[0] >= 0x70000000 and came.value[1] == "data"
    assert set(layers.LAYERS) - layers.OPTIONAL <= set(came.layers)


def as_root_of(ids: int) -> None:
    """Become root of a user namespace with so many ids, as in a container without real root."""
    ready, say = os.pipe()
    back, done = os.pipe()
    me = os.getpid()
    if os.fork() == 0:
        os.read(ready, 1)
        for kind in ("uid", "gid"):
            Path(f"/proc/{me}/{kind}_map").write_text(f"0 0 {ids}\n")
        os.write(done, b".")
        os._exit(0)
    kernel.unshare(kernel.NEW_USER)
    os.write(say, b".")
    os.read(back, 1)
    os.wait()


@as_root
def test_a_container_with_few_ids_gives_one_of_them(world: World) -> None:
    came = world.run(lambda: [os.getuid(), os.getgid()], before=lambda: as_root_of(65536))
    assert came.ok, came.text
    assert 20_000 <= came.value[0] == came.value[1] < 65_000


@as_root
def test_a_container_with_one_id_is_said(world: World) -> None:
    came = world.run(os.getuid, before=lambda: as_root_of(1))
    assert came.error == "LayerMissing" and "'uid'" in came.text


@both
def test_a_folder_that_cannot_be_copied_is_said(world: World) -> None:
    came = world.run(
        os.getcwd, before=lambda: world.folder.rename(world.folder.with_name("elsewhere"))
    )
    assert came.error == "FolderRefused" and "No such file" in came.text


# ---- tables --------------------------------------------------------------------------------------


def verdict(program: bytes, arch: int, nr: int, *arguments: int) -> int:
    """Run the filter as the kernel does."""
    data = struct.pack("=IIQ6Q", nr, arch, 0, *(arguments + (0,) * 6)[:6])
    code = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at = word = 0
    while True:
        what, yes, no, value = code[at]
        at += 1
        if what == 0x20:
            word = struct.unpack_from("=I", data, value)[0]
        elif what == 0x06:
            return value
        elif what == 0x05:
            at += value
        else:
            at += (
                yes
                if {0x15: word == value, 0x35: word >= value, 0x45: bool(word & value)}[what]
                else no
            )


@pytest.mark.parametrize("machine, arch", [("x86_64", 0xC000003E), ("aarch64", 0xC00000B7)])
def test_the_filter_says_what_the_tables_say(machine: str, arch: int) -> None:
    program = syscalls.program(machine)
    tables = (syscalls.ALLOWED, syscalls.REFUSED, syscalls.BY_ARGUMENT, syscalls.IDLE)
    allowed, refused, special, idle = (set(syscalls.numbers(t, machine).values()) for t in tables)
    assert len(allowed | refused | special | idle) == sum(
        map(len, (allowed, refused, special, idle))
    )
    for nr in set(range(700)) - special:
        expected = (
            0x7FFF0000
            if nr in allowed
            else 0x50000 | (errno.EPERM if nr in refused else 0 if nr in idle else errno.ENOSYS)
        )
        assert verdict(program, arch, nr) == expected, nr
    by_name = syscalls.numbers(syscalls.BY_ARGUMENT, machine)
    assert verdict(program, arch, by_name["clone"], 0x3D0F00) == 0x7FFF0000
    assert verdict(program, arch, by_name["clone"], kernel.NEW_USER | 17) == 0x50001
    assert verdict(program, arch, by_name["socket"], socket.AF_UNIX) == 0x7FFF0000
    assert (
        verdict(program, arch, by_name["socket"], socket.AF_INET)
        == verdict(program, arch, by_name["socket"], 1 << 32 | 2)
        == 0x50001
    )
    direct = {"x86_64": 0x4000, "aarch64": 0x10000}[machine]
    for name, arguments, expected in (
        ("openat", (0, 0, 0x80000), None),
        ("openat", (0, 0, 0x80000 | direct), errno.EINVAL),
        *(("fcntl", (3, lock), 0) for lock in (6, 7, 37, 38)),
        *(
            ("fcntl", (3, command), errno.EINVAL)
            for command in (5, 36, 1024, 1025, 1026, 1031, 1035, 1036, 1037, 1038, 2000)
        ),
        *(
            ("fcntl", (3, command), None)
            for command in (0, 1, 2, 3, 4, 8, 9, 10, 11, 15, 16, 1030, 1032)
        ),
        *(
            (name, (3, 0, 1, 0, 0, flags), None if flags == 0 else errno.EOPNOTSUPP)
            for name in ("preadv2", "pwritev2")
            for flags in (0, 1, 8, 0x80)
        ),
        ("mmap", (0, 0, 3, 0x22), None),
        ("mmap", (0, 0, 3, 0x40022), errno.ENOMEM),
        *(("madvise", (0, 0, advice), None) for advice in (0, 3, 4, 8, 14, 15, 18)),
        *(("madvise", (0, 0, advice), errno.EINVAL) for advice in (12, 20, 21, 22, 23, 25, 100)),
        ("clone", (0x1011,), errno.EPERM),
        ("prctl", (67, 1), errno.EPERM),
        *(
            (name, (3, 1, option), errno.ENOPROTOOPT)
            for name in ("getsockopt", "setsockopt")
            for option in (57, 71, 76, 77)
        ),
        ("getsockopt", (3, 1, 4), None),
        *(("futex", (0, wait), errno.EAGAIN) for wait in (0, 9, 256, 265)),
        *(("futex", (0, wake), 0) for wake in (1, 3, 4, 5, 10)),
        *(("futex", (0, other), errno.ENOSYS) for other in (2, 6, 7, 8, 11, 12, 13, 257, 99)),
        *(("futex", (0, 128 | command), None) for command in (0, 1, 3, 5, 9, 10, 265)),
    ):
        assert verdict(program, arch, by_name[name], *arguments) == (
            0x7FFF0000 if expected is None else 0x50000 | expected
        ), (name, arguments)
    assert verdict(program, 0x40000003, 1) == 0x80000000, "32-bit calls end the process"
    if machine == "x86_64":
        assert verdict(program, arch, 0x40000000 | 1) == 0x50001


def test_landlock_rules_for_files_are_rights_that_files_have() -> None:
    assert landlock.DEVICE & ~landlock._OF_FILES == 0
    assert landlock.WORK & landlock._MAKE_DEVICES == 0


def test_a_python_in_the_place_of_the_work_folder_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "prefix", "/home")
    mounts.plan.cache_clear()
    try:
        with pytest.raises(OSError, match="installed in /home"):
            mounts.plan()
    finally:
        mounts.plan.cache_clear()


def test_a_confinement_travels_as_plain_values() -> None:
    c = Confinement(
        "/x", Budget(512.0, disk_mb=7), writable=False, trusted=True, hidden=("/course",)
    )
    assert Confinement.from_dict(c.to_dict()) == c
    assert type(c.to_dict()["budget"]) is dict and type(c.to_dict()["hidden"]) is list
