"""The trusted handle on the renderer: a process that draws what students wrote, within bounds, so
that no text can hold up a command or bring it down.

Libraries for Markdown, HTML, LaTeX and colours of code have inputs for which they take hours, or
all memory. No signal ends a regular expression in a thread, but a process can be killed. So they
run in one, which starts with the first notebook and forks for each; where a cell is too much, it
ends, and another goes on with the next cell.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from autogradient import errors
from autogradient.errors import WorkerError
from autogradient.feedback import desk

#: Seconds of processor time for all cells of a notebook; after that no more are drawn.
NOTEBOOK_S = 15.0
#: Characters that a notebook may become, as HTML or as cells.
NOTEBOOK_SIZE = 80_000_000
#: Cells that are sent together.
AT_ONCE = 16
#: Seconds in which the process has to be ready.
START_S = 120.0
#: What it sees of the environment.
_KEPT = (
    "PATH",
    "HOME",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "JUPYTER_PATH",
    "JUPYTER_DATA_DIR",
    "JUPYTER_CONFIG_DIR",
    "XDG_DATA_HOME",
)


class Renderer:
    """The process, started where it is needed. For any number of threads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None
        self.owner = 0

    def fork(self) -> socket.socket:
        """A channel to a new fork. Raises WorkerError where the process does not start."""
        with self.lock:
            for _ in range(2):
                control = self._started()
                near, far = socket.socketpair()
                try:
                    with far:
                        socket.send_fds(control, [b"f"], [far.fileno()])
                    return near
                except OSError:  # it is gone, so there will be another
                    near.close()
                    self._close()
        raise WorkerError(errors.NO_RENDERER)

    def stop(self) -> None:
        """Kill the process and its forks, where one does not answer any more; another starts when
        it is needed.
        """
        with self.lock:
            if self.process is not None and self.owner == os.getpid():
                with contextlib.suppress(OSError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            self._close()

    def close(self) -> None:
        """End the process."""
        with self.lock:
            self._close()

    def _started(self) -> socket.socket:
        if self.control is not None and self.owner == os.getpid():
            return self.control
        near, far = socket.socketpair()
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        with far:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "autogradient.feedback.desk", str(far.fileno())],
                pass_fds=[far.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if os.environ.get("AUTOGRADIENT_DEBUG") else subprocess.DEVNULL,
                start_new_session=True,
            )
        self.control, self.owner = near, os.getpid()
        near.settimeout(START_S)
        try:
            ready = near.recv(1)
        except OSError:
            ready = b""
        if not ready:
            self._close()
            raise WorkerError(errors.NO_RENDERER)
        return near

    def _close(self) -> None:
        if self.control is not None:
            self.control.close()
        if self.process is not None and self.owner == os.getpid():
            try:
                self.process.wait(timeout=1)
            except subprocess.TimeoutExpired:  # in the middle of a cell
                with contextlib.suppress(OSError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = self.control = None


@cache
def shared() -> Renderer:
    """The one renderer of this process."""
    renderer = Renderer()
    atexit.register(renderer.close)
    return renderer


class Desk:
    """Where the cells of one notebook are worked on, with what is left for them of time and room.
    Use `at_desk`.
    """

    def __init__(self, renderer: Renderer, pictures: Mapping[str, str]) -> None:
        self.renderer, self.pictures = renderer, json.dumps(dict(pictures)).encode()
        self.channel: socket.socket | None = None
        self.seconds, self.room = NOTEBOOK_S, NOTEBOOK_SIZE

    def do(self, job: Mapping[str, Any]) -> Any:
        """What a job comes to; None where that is too much work, too much altogether, or cannot be
        done. Raises WorkerError where there is no renderer.
        """
        message = json.dumps(job).encode()
        if self.seconds <= 0 or self.room <= 0 or len(message) > desk.MAX_MESSAGE:
            return None
        answer = self._ask(message)
        if answer is None:
            self.close()
            self.seconds -= desk.CELL_S
            return None
        self.seconds -= struct.unpack("!d", answer[:8])[0]
        self.room -= len(answer)
        return json.loads(answer[8:]) if self.room > 0 else None

    def each(self, jobs: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
        """What each of some jobs comes to, as of `do`. They are sent some at a time; where one of
        those is too much, one by one.
        """
        coming = iter(jobs)
        while some := list(itertools.islice(coming, AT_ONCE)):
            done = self.do({"do": "several", "jobs": some})
            yield from map(self.do, some) if done is None else done

    def _ask(self, message: bytes) -> bytes | None:
        try:
            if self.channel is None:
                self.channel = self.renderer.fork()
                self.channel.settimeout(2 * desk.CELL_S * desk.PATIENCE)
                desk.send(self.channel, self.pictures)
            desk.send(self.channel, message)
            return desk.receive(self.channel)
        except TimeoutError:
            self.renderer.stop()
        except OSError:
            pass
        return None

    def close(self) -> None:
        """Let the fork end."""
        if self.channel is not None:
            self.channel.close()
        self.channel = None


@contextlib.contextmanager
def at_desk(pictures: Mapping[str, str] | None = None) -> Iterator[Desk]:
    """A desk for one notebook; `pictures` are those of its assignment, as URLs by the path that
    stands in the notebook.
    """
    found = Desk(shared(), pictures or {})
    try:
        yield found
    finally:
        found.close()
