"""The process that runs a student's notebook: cells, forks of itself where it stands, copies of values, and test cases.

It answers one request at a time on its channel and is trusted with nothing.

    run     source → outputs, error           value   name → a copy, or why there is none
    fork    + a descriptor → a copy of this process that serves on it
    cases   a job → one message for each case, then "end"
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import io
import os
import random
import resource
import signal
import socket
import sys
import time
import traceback
import types
from typing import Any

from autogradient.sandbox import shell as shells
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


def start(request: dict[str, Any], fd: int) -> None:
    """Become the worker of a session; returns when its channel closes."""
    os.setpgid(0, 0)  # a cell that kills its process group ends itself, not the snapshots
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # but for cells: an interrupt that comes late must not end the worker
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.chdir(request["cwd"])
    sys.path.insert(0, "")
    _limit(float(request["memory_mb"]))
    seed_everything(int(request["seed"]))
    shell = shells.make()
    shell.user_ns["grader"] = QuietGrader()
    otter: Any = types.ModuleType("otter")
    otter.Notebook = QuietGrader
    sys.modules["otter"] = otter
    serve(Channel(socket.socket(fileno=fd)), shell)


def _limit(memory_mb: float) -> None:
    with open("/proc/self/statm") as file:
        present = int(file.read().split()[0]) * resource.getpagesize()
    size = present + int(memory_mb * 1024 * 1024)
    for limit, value in ((resource.RLIMIT_AS, size), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 512 * 1024 * 1024)):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (value, value))


def seed_everything(seed: int) -> None:
    """Seed `random`, NumPy and torch, so that a verdict can be repeated."""
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def serve(channel: Channel, shell: shells.Shell) -> None:
    """Answer requests until the channel closes."""
    me = os.getpid()
    channel.send({"pid": me})
    while True:
        try:
            request, fds = channel.receive_with_fds(1)
        except (Closed, codec.BadFrame):
            return
        do = request["do"]
        if do == "fork":
            if os.fork() == 0:
                os.setpgid(0, 0)
                channel.close()
                channel = Channel(socket.socket(fileno=fds[0]))
                me = os.getpid()
                channel.send({"pid": me})
            else:
                os.close(fds[0])
        elif do == "run":
            answer = _run(shell, request)
            _only(me)
            channel.send(answer)
        elif do == "value":
            channel.send(_value(shell, request["name"]))
        elif do == "cases":
            for report in _cases(shell, request["job"]):
                _only(me)
                channel.send(report)
            channel.send({"end": True})


def _only(pid: int) -> None:
    """End here if this is a copy that a student's own `os.fork()` made: it must not answer, too."""
    if os.getpid() != pid:
        os._exit(0)


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
            error = [type(raised).__name__, _text(raised)]
    except KeyboardInterrupt:
        error = ["KeyboardInterrupt", ""]
    except BaseException as raised:  # whatever escapes IPython's own net
        error = [type(raised).__name__, _text(raised)]
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return {"outputs": shells.OUTPUTS.take(), "error": error, "seconds": time.perf_counter() - started}


def _text(error: BaseException) -> str:
    try:
        if isinstance(error, SyntaxError) and error.msg:
            return shells.whole(f"{error.msg} (line {error.lineno})")
        return shells.whole(str(error)[:2000])
    except Exception:
        return ""


def _value(shell: shells.Shell, name: str) -> dict[str, Any]:
    """A copy of a variable if it is plain data."""
    if name not in shell.user_ns:
        return {"missing": True}
    value = shell.user_ns[name]
    try:
        codec.encode(value)
    except codec.NotPlain as error:
        return {"not_plain": str(error)}
    except Exception as error:
        return {"not_plain": f"a value that cannot be read ({type(error).__name__})"}
    return {"value": value}


# ---- cases -----------------------------------------------------------------------------------------------------------


def _cases(shell: shells.Shell, job: dict[str, Any]) -> Any:
    """Run the cases of a part against the student's objects; yields a report for each.

    job: `setup` (texts run once), `given` (texts run afresh for each case), `given_names`, `tests` (text), `cases` ([function name, seed] …).
    """
    namespace: dict[str, Any] = {
        "__name__": "tests",
        "__builtins__": builtins,
        "test_case": lambda *a, **k: a[0] if len(a) == 1 and callable(a[0]) and not k else (lambda function: function),
        "probe": lambda function: function,
        "display": lambda *a, **k: None,
    }
    with shell.builtin_trap:
        problem = None
        quiet = io.StringIO()
        try:
            with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
                for text in job["setup"]:
                    exec(compile(text, "<instructor's setup>", "exec", dont_inherit=True), namespace)
                for text in job["given"]:
                    exec(compile(text, "<given>", "exec", dont_inherit=True), namespace)
                exec(compile(job["tests"], "<tests>", "exec", dont_inherit=True), namespace)
        except BaseException as error:
            problem = _explain(error)
        for name, seed in job["cases"]:
            if problem is not None:
                yield {"case": name, "passed": False, "error": problem, "broken": True, "seconds": 0.0, "output": ""}
                continue
            yield _one_case(shell, job, namespace, name, seed)


def _one_case(shell: shells.Shell, job: dict[str, Any], namespace: dict[str, Any], name: str, seed: int) -> dict[str, Any]:
    import numpy as np

    started = time.perf_counter()
    output = io.StringIO()
    error = None
    missing: list[str] = []
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            seed_everything(seed)
            if len(job["cases"]) > 1 or job["given"]:
                for text in job["given"]:
                    exec(compile(text, "<given>", "exec", dont_inherit=True), namespace)
            namespace["secret"] = np.random.default_rng(seed)
            seed_everything(seed)
            function = namespace[name]
            arguments = {}
            for parameter in inspect.signature(function).parameters:
                if parameter == "env":
                    arguments[parameter] = shell.user_ns
                elif parameter in job["given_names"]:
                    arguments[parameter] = namespace[parameter]
                elif parameter in shell.user_ns:
                    arguments[parameter] = shell.user_ns[parameter]
                elif parameter in namespace:
                    arguments[parameter] = namespace[parameter]
                else:
                    missing.append(parameter)
            if missing:
                raise NameError(f"{', '.join(missing)} not defined")
            function(**arguments)
    except BaseException as raised:
        error = _explain(raised)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
    shells.OUTPUTS.take()
    return {
        "case": name,
        "passed": error is None,
        "error": error,
        "missing": missing,
        "seconds": time.perf_counter() - started,
        "output": output.getvalue()[:5000],
    }


def _explain(error: BaseException) -> list[Any]:
    """Type, text and the innermost lines of an error, for staff."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return [type(error).__name__, _text(error), [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]]
