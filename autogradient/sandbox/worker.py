"""The process that runs a student's notebook: cells, forks of itself where it stands, copies of
values, and a conversation with a test.

It answers one request at a time on its channel and is trusted with nothing.

    run     source → outputs, error           value   name → a copy in bytes, or why there is none
    fork    + a descriptor → a copy of this process that serves on it
    talk    + a descriptor → a conversation with a judge on it (`servant`), until it is closed
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import sys
import time
import types
from typing import Any

from autogradient.sandbox import locks, rehearsal
from autogradient.sandbox import shell as shells
from autogradient.sandbox.seeds import seed_everything
from autogradient.sandbox.servant import Servant, only, reap, text_of
from autogradient.wire import codec
from autogradient.wire.channel import Channel, Closed


class QuietGrader:
    """Stands in for otter's `grader` in a student's cells: checks have no say while grading."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take whatever `otter.Notebook` takes."""

    grade = 0.0

    def check(self, *_: Any, **__: Any) -> QuietGrader:
        """Do nothing; what comes back has a `grade`, as otter's has."""
        return self

    def __repr__(self) -> str:
        return "(checked when the notebook is graded)"

    check_all = export = run_tests = submit = check


@functools.cache
def prepare() -> shells.Shell:
    """The shell, made once in the warm interpreter: every session has a copy of it."""
    shell = shells.make()
    locks.install()
    shell.run_cell(rehearsal.CELL, store_history=False, silent=True)
    shells.OUTPUTS.take()
    rehearsal.crossing()
    return shell


def start(request: dict[str, Any], fd: int) -> None:
    """Become the worker of a session; returns when its channel closes."""
    os.setpgid(0, 0)  # a cell that kills its process group ends itself, not the snapshots
    # but for cells: an interrupt that comes late must not end the worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.insert(0, "")
    channel = Channel(socket.socket(fileno=fd))
    first, _ = channel.receive_with_fds(1)  # the seed comes here, and not by way of the zygote
    seed_everything(int(first["seed"]))
    shell = prepare()
    shell.user_ns["grader"] = QuietGrader()
    otter: Any = types.ModuleType("otter")
    otter.Notebook = QuietGrader
    sys.modules["otter"] = otter
    serve(channel, shell)


def serve(channel: Channel, shell: shells.Shell) -> None:
    """Answer requests until the channel closes."""
    me, processors = os.getpid(), os.sched_getaffinity(0)
    forks: list[int] = []
    channel.send({"pid": me})
    while True:
        try:
            request, fds = channel.receive_with_fds(1)
        except (Closed, codec.BadFrame):
            return
        do = request["do"]
        if do == "fork":
            # what has ended would count as a process still
            forks = [pid for pid in forks if not _reaped(pid)]
            child = _fork()
            if child == 0:
                forks = []
                os.setpgid(0, 0)
                channel.close()
                channel = Channel(socket.socket(fileno=fds[0]))
                me = os.getpid()
            else:
                forks += [child] if child else []
                with socket.socket(fileno=fds[0]) as far, contextlib.suppress(Closed):
                    if child:  # told from here: nobody has to wait until the copy gets a processor
                        Channel(far).send({"pid": child})
        elif do == "run":
            answer = _run(shell, request)
            only(me)
            channel.send(answer)
        elif do == "value":
            answer = _value(shell, request["name"])
            only(me)
            channel.send(answer)
        elif do == "names":
            missing = [name for name in request["names"] if name not in shell.user_ns]
            only(me)
            channel.send({"missing": missing})
        elif do == "talk":
            os.sched_setaffinity(0, request["processors"])
            with shell.builtin_trap, socket.socket(fileno=fds[0]) as sock:
                Servant(Channel(sock), shell.user_ns, me).listen()
            only(me)
            os.sched_setaffinity(0, processors)


def _fork() -> int | None:
    """Fork; None where there are too many processes, even after those that have ended are cleared
    away.
    """
    try:
        return os.fork()
    except OSError:
        reap()
    try:
        return os.fork()
    except OSError:
        return None


def _reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:  # a cell has waited for everything
        return True


def _run(shell: shells.Shell, request: dict[str, Any]) -> dict[str, Any]:
    """Run one cell. An interrupt ends the cell, not the worker."""
    started = time.perf_counter()
    error = None
    if "seed" in request:
        seed_everything(request["seed"])
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        result = shell.run_cell(request["source"], store_history=True, silent=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raised = result.error_before_exec or result.error_in_exec
        if raised is not None:
            error = [type(raised).__name__, text_of(raised)]
    except KeyboardInterrupt:
        error = ["KeyboardInterrupt", ""]
    except BaseException as raised:  # whatever escapes IPython's own net
        error = [type(raised).__name__, text_of(raised)]
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        shells.restore_streams()
    return {
        "outputs": shells.OUTPUTS.take(),
        "error": error,
        "seconds": time.perf_counter() - started,
    }


def _value(shell: shells.Shell, name: str) -> dict[str, Any]:
    """A copy of a variable if it is plain data, in bytes: only a judge reads it."""
    if name not in shell.user_ns:
        return {"missing": True}
    value = shell.user_ns[name]
    try:
        return {"value": codec.encode(value)}
    except codec.NotPlain as error:
        return {"not_plain": str(error)}
    except Exception as error:
        return {"not_plain": f"a value that cannot be read ({type(error).__name__})"}
