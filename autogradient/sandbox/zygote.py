"""A warm interpreter: imports what is needed once, single-threaded, then forks a session for each
request.

    grader ──header + 2 descriptors──▶ zygote ──fork──▶ (new namespaces) ──fork──▶ PID 1: supervisor
    ──fork──▶ confined process ──▶ its forks

There are two of them, one for student code and one for judges; neither sees a notebook or a test
pass by. The supervisor is PID 1 of the session's own namespace: when its control socket closes,
whoever was killed, everything in the session dies with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import warnings
from typing import Any

from autogradient.sandbox import confine, copies, kernel
from autogradient.wire.channel import Channel, Closed

#: Loaded before the first fork. `torch._dynamo` is what an optimizer's first step imports;
#: `doctest` comes after IPython on purpose.
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
)
_PR_SET_CHILD_SUBREAPER = 36
#: An ordinary user is told 0 of how any process ended that cannot be looked into.
_ROOT = os.geteuid() == 0


def main(fd: int, role: str) -> None:
    """Serve requests on the socket `fd` until it closes. `role` is the module whose `start` runs in
    the confined process.
    """
    for module in (*PRELOAD, role):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(ImportError):
                importlib.import_module(module)
    with contextlib.suppress(ImportError):
        import torch

        torch.set_num_threads(1)
    with contextlib.suppress(OSError):  # where a layer is missing, every session says so
        confine.prepare()
    getattr(sys.modules.get(role), "prepare", lambda: None)()
    gc.collect()
    gc.freeze()
    kernel.collapse()
    _become_reaper()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    channel = Channel(socket.socket(fileno=fd))
    channel.send({"ready": os.getpid()})
    while True:
        poll = select.poll()
        poll.register(channel.sock, select.POLLIN)
        found = poll.poll(1000)
        _reap()
        if not found:
            confine.sweep()
            continue
        try:
            request, fds = channel.receive_with_fds(2)
        except Closed:
            confine.sweep()
            os._exit(0)
        with contextlib.suppress(OSError):  # found out here once, and not in every session
            confine.prepare(tuple(request["confinement"]["hidden"]))
        if os.fork() == 0:
            channel.close()
            _isolate(request, role, *fds)
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


def _isolate(request: dict[str, Any], role: str, control_fd: int, inner_fd: int) -> None:
    """Enter the session's namespaces and start their PID 1; never returns."""
    control = Channel(socket.socket(fileno=control_fd))
    wanted = confine.Confinement.from_dict(request["confinement"])
    try:
        layers = confine.isolate(wanted)
    except OSError as error:
        _refuse(control, error)
    if os.fork() == 0:
        try:
            layers += confine.enclose(wanted)
        except OSError as error:
            _refuse(control, error)
        _supervise(control, wanted, role, request, inner_fd, layers)
    os._exit(0)


def _refuse(control: Channel, error: OSError) -> None:
    """Say which layer is missing, and end."""
    with contextlib.suppress(Closed):
        control.send(
            {
                "missing": getattr(error, "layer", "confinement"),
                "reason": getattr(error, "reason", None) or str(error),
            }
        )
    os._exit(1)


def _supervise(
    control: Channel,
    wanted: confine.Confinement,
    role: str,
    request: dict[str, Any],
    inner_fd: int,
    layers: list[str],
) -> None:
    """The session's PID 1: starts the confined process, answers the grader's questions about
    processes, and ends them all; never returns.
    """
    os.setsid()
    if os.getpid() != 1:
        _become_reaper()
    report, tell = os.pipe()
    if os.fork() == 0:
        os.close(report)
        control.close()
        _confined(wanted, role, request, inner_fd, tell)
        os._exit(0)
    os.close(tell)
    os.close(inner_fd)
    with os.fdopen(report, "rb") as file:
        said = json.loads(
            file.read() or b'{"missing": "confinement", "reason": "the process did not start"}'
        )
    if "missing" in said:
        with contextlib.suppress(Closed):
            control.send(said)
        _end(control)
    try:
        layers = [*layers, *said["layers"], *confine.shed(wanted)]
    except OSError as error:
        _refuse(control, error)
    ended: dict[int, int] = {}
    try:
        control.send({"layers": layers})
        poll = select.poll()
        poll.register(control.sock, select.POLLIN)
        while True:
            found = control.waiting or poll.poll(500)
            ended |= _reap()
            if not found:
                continue
            question = control.receive()
            if question.get("do") == "end":
                break
            answer = _answer(question, ended)
            if question["do"] != "kill":
                control.send({"answer": answer})
    except Closed:
        pass
    finally:
        _end(control)


def _confined(
    wanted: confine.Confinement, role: str, request: dict[str, Any], inner_fd: int, tell: int
) -> None:
    """Give up everything, say so, and go on as the role."""
    try:
        layers = confine.drop(wanted)
    except OSError as error:
        os.write(
            tell,
            json.dumps(
                {
                    "missing": getattr(error, "layer", "confinement"),
                    "reason": getattr(error, "reason", None) or str(error),
                }
            ).encode(),
        )
        os._exit(1)
    for standard in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_RDWR), standard)
    os.write(tell, json.dumps({"layers": layers}).encode())
    os.dup2(inner_fd, 3)
    os.closerange(4, 65536)
    try:
        importlib.import_module(role).start(request, 3)
    except BaseException:  # an interpreter that ends as usual takes its time
        os._exit(1)


def _end(control: Channel) -> None:
    """Kill everything in the session, wait for it, say so, and end."""
    _kill_everything()
    with contextlib.suppress(Closed):
        control.send({"done": True})
    os._exit(0)


def _answer(question: dict[str, Any], ended: dict[int, int]) -> Any:
    """What the grader wants to know or have done about a process of the session."""
    pid = int(question.get("pid", 0))
    do = question.get("do")
    if do == "how":
        deadline = time.monotonic() + 1.0
        while (
            (code := ended.get(pid, _exit_code(pid))) is None
            and time.monotonic() < deadline
            and not _is_zombie(pid)
        ):
            ended |= _reap()
            time.sleep(0.005)
        ended |= _reap()
        code = ended.get(pid, code)
        return (
            "alive"
            if code is None and os.path.exists(f"/proc/{pid}") and not _is_zombie(pid)
            else code
        )
    if do == "interrupt" and pid > 1:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        return True
    if do == "kill" and pid > 1:  # nobody waits for an answer
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return None
    if do == "threads":
        with contextlib.suppress(OSError):
            return len(os.listdir(f"/proc/{pid}/task"))
        return 0
    if do == "usage":  # seconds on a processor, and seconds waiting for one
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/schedstat") as file:
            return [int(n) / 1e9 for n in file.read().split()[:2]]
        return None
    if do == "keep":
        _kill_others({int(p) for p in question["pids"]})
        return True
    return None


def _exit_code(pid: int) -> int | None:
    """How a process ended whose parent, a snapshot that waits, has not asked; None where it has not
    ended.
    """
    try:
        with open(f"/proc/{pid}/stat") as file:
            state, *rest = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    status = int(rest[-1])
    return os.waitstatus_to_exitcode(status) if state == "Z" and (status or _ROOT) else None


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended; also true of one that is gone altogether."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def _kill_others(keep: set[int]) -> None:
    """Kill every process of the session but these, until no new one shows up."""
    while True:
        others = [pid for pid in _descendants() if pid not in keep]
        if not others:
            return
        for pid in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(0.001)


def _descendants() -> list[int]:
    """The living processes of the session but this one."""
    found, queue = [], [os.getpid()]
    if os.getpid() == 1:
        queue = []
        found = [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]
    while queue:
        for task in _children(queue.pop()):
            found.append(task)
            queue.append(task)
    return [pid for pid in found if not _is_zombie(pid)]


def _kill_everything() -> None:
    """Kill children until there are none: orphans of the killed become our children, so that
    nothing below escapes.
    """
    while True:
        if os.getpid() == 1:
            with contextlib.suppress(OSError):
                os.kill(-1, signal.SIGKILL)
        else:
            for pid in _children(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:
        return []


def _settle() -> None:
    """See copies of what is shown to sessions, and start anew there: what is loaded from now on is
    shared with sessions, too.
    """
    if not copies.inside():
        with contextlib.suppress(OSError):  # every session says so
            copies.enter()
            os.execv(sys.executable, sys.orig_argv)


if __name__ == "__main__":
    _settle()
    main(int(sys.argv[1]), sys.argv[2])
