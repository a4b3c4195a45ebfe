"""Nothing that one session does can be read by another, by what both see: attempts of
`attacks.shared`, one after the other and side by side.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from attacks import shared
from confined import World, as_root, both, world

__all__ = ["world"]

#: Bits that are sent, and how many of them may be right: by guessing more are with a chance of one
#: in 10⁹.
BITS, CHANCE = 64, 55


def carried(world: World, name: str, beside: bool, leave_out: Collection[str] = ()) -> int:
    """How many of 64 random bits get from one session to another."""
    send, receive, _ = shared.CHANNELS[name]
    bits, tag = [secrets.randbelow(2) for _ in range(2 * BITS)], secrets.token_hex(4)
    (said, say), (heard, go) = os.pipe(), os.pipe()

    def sender() -> None:
        send(bits, tag)
        os.write(say, b".")
        if beside:
            os.read(heard, 1)

    if (pid := os.fork()) == 0:
        came = world.run(sender, leave_out)
        os._exit(0 if came.ok else 1)
    os.close(say)
    sent = os.read(said, 1)
    if not beside:
        os.waitpid(pid, 0)
    came = world.run(lambda: receive(2 * BITS, tag), leave_out)
    if beside:
        os.write(go, b".")
        os.waitpid(pid, 0)
    for fd in (said, heard, go):
        os.close(fd)
    assert sent == b".", "nothing was sent"
    assert came.ok, came.text
    return sum(
        a == b for a, b in zip(bits[BITS:], shared.decoded(bits[:BITS], came.value), strict=True)
    )


WAYS = [
    (name, beside)
    for name, (_, _, held) in shared.CHANNELS.items()
    for beside in ((True,) if held else (False, True))
]


@both
@pytest.mark.promise("P12")
@pytest.mark.parametrize(
    ("name", "beside"),
    WAYS,
    ids=lambda value: (
        value if isinstance(value, str) else "side by side" if value else "in sequence"
    ),
)
def test_no_more_arrives_than_by_guessing(world: World, name: str, beside: bool) -> None:
    assert carried(world, name, beside) < CHANCE


OPEN = {
    "names, with a clock": {"copies"},
    "locks of files": {"seccomp"},
    "locks of records": {"seccomp"},
    "who has mapped what": {"landlock"},
    "futexes": {"seccomp"},
}


@as_root
@pytest.mark.parametrize("name", OPEN)
def test_it_would_arrive_without_the_layer_that_stops_it(world: World, name: str) -> None:
    """Where the clock is disturbed it is tried again."""
    assert any(carried(world, name, True, OPEN[name]) >= CHANCE for _ in range(5))


@both
def test_what_proc_says_of_the_whole_machine_is_the_same_for_all(world: World) -> None:
    def look() -> dict[str, str]:
        for _ in range(20):
            if (pid := os.fork()) == 0:
                os._exit(0)
            os.waitpid(pid, 0)
        said = {}
        for name in os.listdir("/proc"):
            if not name.isdigit() and name not in (
                "self",
                "thread-self",
                "mounts",
                "net",
                "sysvipc",
            ):
                for folder, _, names in os.walk(f"/proc/{name}"):
                    said |= {f"{folder}/{inside}": text(f"{folder}/{inside}") for inside in names}
                said[name] = text(f"/proc/{name}")
        return said

    def text(path: str) -> str:
        try:
            with open(path, errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    first, second = world.run(look).value, world.run(look).value
    assert first == second
    assert (
        "MemTotal" in first["meminfo"]
        and "processor" in first["cpuinfo"]
        and first["/proc/sys/kernel/hostname"] == "grader\n"
    )
    loads = world.run(
        lambda: [
            Path("/proc/stat").read_text(),
            os.waitpid(os.fork() or os._exit(0), 0)[1],
            Path("/proc/stat").read_text(),
        ]
    ).value
    assert loads[0] == loads[2]


@both
@pytest.mark.promise("P12")
def test_nothing_of_what_all_sessions_see_can_be_changed(world: World) -> None:
    """The times of devices neither: whoever may write to a file may set its times to now."""

    def attempts() -> list[str]:
        done = []
        for path in (
            "/dev/null",
            "/dev/zero",
            "/dev/full",
            "/dev/urandom",
            os.__file__,
            "/usr",
            "/etc/ld.so.cache",
        ):
            changes: dict[str, Callable[[], Any]] = {
                "times": lambda path=path: os.utime(path),
                "mode": lambda path=path: os.chmod(path, 0o777),
                "attribute": lambda path=path: os.setxattr(path, "user.x", b"x"),
            }
            for what, change in changes.items():
                try:
                    change()
                    done.append(f"{path}: {what}")
                except OSError:
                    pass
            before = os.stat(path)
            if not path.startswith("/dev"):
                os.listdir(path) if os.path.isdir(path) else Path(path).read_bytes()
            if os.stat(path) != before:
                done.append(f"{path}: read")
        Path("/dev/null").write_bytes(b"x")
        return done

    assert world.run(attempts).value == []


@both
def test_only_what_grading_needs_is_seen(world: World) -> None:
    def look() -> Any:
        return (
            sorted(os.listdir("/usr")),
            os.statvfs("/usr").f_blocks,
            os.statvfs(os.__file__).f_blocks,
        )

    folders, *blocks = world.run(look).value
    assert set(folders) <= {
        "bin",
        "sbin",
        "lib",
        "lib32",
        "lib64",
        "libexec",
        "include",
        "share",
        "local",
    }
    assert blocks == [0, 0], "memory, and not a part of some disk"
