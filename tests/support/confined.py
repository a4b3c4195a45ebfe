"""Runs a function confined, as root or as an ordinary user, with layers left out where a test wants
to show what one is good for.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import shutil
import signal
import stat
import sys
import tempfile
import traceback
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from autogradient.sandbox import confine, copies, kernel, mounts, selection

#: Someone who is nobody here.
USER = 23456
BUDGET = confine.Budget(
    memory_mb=256, processes=64, disk_mb=16, file_mb=32, open_files=128, cpu_s=120
)


@dataclass
class Came:
    """What came of it: the value that the function returned or the error that ended it, the layers
    of each step.
    """

    value: Any = None
    error: str = ""
    text: str = ""
    layers: list[str] = field(default_factory=list)
    shed: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.error


@functools.cache
def _copies_of(who: str) -> str:
    """Start a process that has the copies that sessions see for as long as this one lives; what
    they are known by.
    """
    key = selection.fingerprint()
    said, say = os.pipe()
    if os.fork() == 0:
        # a program that some test talks to would wait for this process, too, to hang up
        os.closerange(3, say)
        os.closerange(say + 1, 1 << 16)
        if who == "user":
            become_ordinary()
        kernel.set_death_signal(signal.SIGKILL)
        copies.enter(key)
        os.write(say, b".")
        while True:
            signal.pause()
    os.close(say)
    assert os.read(said, 1) == b".", "the copies could not be made"
    os.close(said)
    return key


class World:
    """A folder on the host for the session, and another one, the course, that it must not see."""

    def __init__(self, who: str) -> None:
        self.who = who
        self.root = Path(tempfile.mkdtemp(prefix="confine-"))
        self.folder, self.course = self.root / "folder", self.root / "course"
        for path in (self.root, self.folder, self.course):
            path.mkdir(exist_ok=True)
            path.chmod(0o777)
        (self.folder / "data.txt").write_text("data")
        self.secret = self.course / "secret.txt"
        self.secret.write_text("the solution")

    def run(
        self,
        function: Callable[[], Any],
        leave_out: Collection[str] = (),
        *,
        budget: confine.Budget = BUDGET,
        writable: bool = True,
        trusted: bool = False,
        hidden: tuple[str, ...] = (),
        card: bool = False,
        before: Callable[[], object] = lambda: None,
        first: Callable[[int], Any] | None = None,
    ) -> Came:
        """Run `function` in a worker. `before` runs in the fresh fork that will isolate; `first`,
        in PID 1 with the worker's pid, gives the value instead.
        """
        c = confine.Confinement(str(self.folder), budget, writable, trusted, hidden, card)
        confine.prepare(hidden)
        key = _copies_of(self.who)
        back, out = os.pipe()
        if (pid := os.fork()) == 0:
            with _reporting(out) as came:
                os.close(back)
                if self.who == "user":
                    become_ordinary()
                if "copies" not in leave_out:
                    copies.enter(key)
                before()
                came.layers += confine.isolate(c, leave_out)
                _wait_for(
                    _fork(out, came, lambda: _first(c, leave_out, out, came, function, first))
                )
                came.error = "silent"  # somebody below has reported
        os.close(out)
        lines = b""
        while more := os.read(back, 1 << 16):
            lines += more
        os.close(back)
        os.waitpid(pid, 0)
        confine.sweep()
        reports = [json.loads(line) for line in lines.splitlines()]
        shed: list[str] = next((report["shed"] for report in reports if report["shed"]), [])
        told = [Came(**report) for report in reports if report["error"] != "silent"]
        return (
            replace(told[0], shed=shed)
            if told
            else Came(error="Ended", text="no report", shed=shed)
        )

    def close(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def _first(
    c: confine.Confinement,
    leave_out: Collection[str],
    out: int,
    came: Came,
    function: Callable[[], Any],
    first: Callable[[int], Any] | None,
) -> None:
    came.layers += confine.enclose(c, leave_out)
    pid = _fork(out, came, lambda: _worker(c, leave_out, came, function))
    came.shed = confine.shed(c, leave_out)
    if first is not None:
        came.value = first(pid)
    else:
        _wait_for(pid)
        came.error = "silent"


def _worker(
    c: confine.Confinement, leave_out: Collection[str], came: Came, function: Callable[[], Any]
) -> None:
    came.layers += confine.drop(c, leave_out)
    came.value = function()


def _fork(out: int, came: Came, work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        with _reporting(out, came):
            work()
    return pid


def _wait_for(pid: int) -> None:
    os.waitpid(pid, 0)


@contextlib.contextmanager
def _reporting(out: int, came: Came | None = None) -> Iterator[Came]:
    """Say what came of it and end this process, whatever happens."""
    came, me = came or Came(), os.getpid()
    try:
        yield came
    except BaseException as error:
        came.error, came.text = type(error).__name__, str(error)
        if os.environ.get("CONFINE_DEBUG"):
            traceback.print_exc(file=sys.__stderr__)
    finally:
        if os.getpid() == me:
            os.write(out, json.dumps(came.__dict__).encode() + b"\n")
        os._exit(0)


def become_ordinary() -> None:
    """Become an ordinary user who can read what Python needs, wherever that is installed."""
    if os.getuid() != 0:
        return
    kernel.unshare(kernel.NEW_MOUNT)
    kernel.mount("", "/", kernel.MS_REC | kernel.MS_PRIVATE)
    needed = [Path(path) for path in mounts.plan().trees]
    closed = {
        next(
            (
                parent
                for parent in reversed(path.parents)
                if not parent.stat().st_mode & stat.S_IXOTH
            ),
            None,
        )
        for path in needed
    }
    for folder in closed - {None}:
        assert folder is not None
        inside = [path for path in needed if folder in path.parents]
        copies = {path: kernel.copy_mount(str(path)) for path in inside}
        kernel.mount("tmpfs", str(folder), 0, "mode=755")
        for path, copy in copies.items():
            path.mkdir(parents=True, mode=0o755)
            kernel.place_mount(copy, str(path))
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # dumpable again, as any program that a user starts


def why_no_user_namespaces() -> str:
    """Why an ordinary user cannot have a user namespace here, or "" where one can."""
    back, out = os.pipe()
    if os.fork() == 0:
        with contextlib.suppress(BaseException):
            become_ordinary()
            try:
                confine._user_namespace()
            except OSError as error:
                os.write(out, str(error).encode())
        os._exit(0)
    os.close(out)
    why = os.read(back, 4096).decode()
    os.close(back)
    os.wait()
    return why


NO_USERS = why_no_user_namespaces()
ROOT = pytest.param("root", marks=pytest.mark.skipif(os.getuid() != 0, reason="needs root"))
USERS = pytest.param(
    "user",
    marks=pytest.mark.skipif(
        bool(NO_USERS), reason=f"an ordinary user cannot be confined here: {NO_USERS}"
    ),
)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(request.param)
    yield made
    made.close()


both = pytest.mark.parametrize("world", [ROOT, USERS], indirect=True)
as_root = pytest.mark.parametrize("world", [ROOT], indirect=True)
as_user = pytest.mark.parametrize("world", [USERS], indirect=True)


def in_a_cgroup(world: World) -> None:
    if "cgroup" not in world.run(lambda: 1).layers:
        pytest.skip("there is no control group here that we may write to")


def root_without_capabilities() -> None:
    """As in a container that allows none: root by name only."""
    kernel.unshare(kernel.NEW_USER)
    for name, text in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        Path(f"/proc/self/{name}").write_text(text)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    kernel.empty_bounding_set()
    kernel.set_capabilities(0)
