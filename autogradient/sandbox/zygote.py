"""The warm interpreter: imports what submissions need once, single-threaded, then forks a session for each request.

    grader ──"session" + 2 descriptors──▶ zygote ──fork──▶ supervisor ──fork──▶ worker ──fork──▶ snapshots …

The supervisor of a session is the reaper of everything below it. When its control socket closes, or asks for it, it kills all of it:
so nothing outlives a grader that was killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import select
import signal
import socket
import sys
import time
import warnings
from typing import Any

from autogradient.wire.channel import Channel, Closed

#: Loaded before the first fork. `torch._dynamo` is what an optimizer's first step imports; `doctest` comes after IPython on purpose.
PRELOAD = (
    "numpy",
    "torch",
    "torch.nn.functional",
    "torch.optim",
    "torch.utils.data",
    "torch.autograd.gradcheck",
    "torch._dynamo",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "IPython.core.interactiveshell",
    "IPython.core.completer",
    "unittest.mock",
    "doctest",
    "autogradient.sandbox.worker",
)
_PR_SET_CHILD_SUBREAPER = 36


def main(fd: int) -> None:
    """Serve requests on the socket `fd` until it closes."""
    for module in PRELOAD:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)
    gc.collect()
    gc.freeze()
    _become_reaper()
    channel = Channel(socket.socket(fileno=fd))
    channel.send({"ready": os.getpid()})
    while True:
        readable, _, _ = select.select([channel.sock], [], [], 1.0)
        _reap()
        if not readable:
            continue
        try:
            request, fds = channel.receive_with_fds(2)
        except Closed:
            os._exit(0)
        if os.fork() == 0:
            channel.close()
            _supervise(request, *fds)
        for descriptor in fds:
            os.close(descriptor)


def _become_reaper() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap() -> dict[int, int]:
    """Collect every child that has ended: pid → exit code (negative: the signal)."""
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended


def _exit_code(pid: int) -> int | None:
    """How a process ended whose parent, a snapshot that waits, has not asked; None where it has not ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            state, *rest = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return os.waitstatus_to_exitcode(int(rest[-1])) if state == "Z" else None


def _supervise(request: dict[str, Any], control_fd: int, worker_fd: int) -> None:
    """The session's supervisor: never returns."""
    _become_reaper()
    os.setsid()
    control = Channel(socket.socket(fileno=control_fd))
    pid = os.fork()
    if pid == 0:
        control.close()
        from autogradient.sandbox.worker import start

        start(request, worker_fd)
        os._exit(0)
    os.close(worker_fd)
    ended: dict[int, int] = {}
    try:
        while True:
            readable, _, _ = select.select([control.sock], [], [], 0.5)
            ended |= _reap()
            if not readable:
                continue
            question = control.receive()
            if question.get("do") != "how":
                break
            deadline = time.monotonic() + 1.0
            while (code := ended.get(question["pid"], _exit_code(question["pid"]))) is None and time.monotonic() < deadline:
                ended |= _reap()
                time.sleep(0.005)
            control.send({"code": code})
    except Closed:
        pass
    finally:
        _kill_everything()
        with contextlib.suppress(Closed):
            control.send({"done": True})
        os._exit(0)


def _kill_everything() -> None:
    """Kill children until there are none: orphans of the killed become our children, so that nothing below escapes."""
    while True:
        for pid in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]


if __name__ == "__main__":
    main(int(sys.argv[1]))
