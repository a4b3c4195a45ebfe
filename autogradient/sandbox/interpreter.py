"""The trusted handle on untrusted processes: start a warm interpreter, open a session, run cells,
fork, end it all.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.errors import ConfinementError, WorkerError, WorkerNonsense, WorkerTimeout
from autogradient.sandbox import outputs
from autogradient.sandbox.confine import Confinement
from autogradient.wire import codec
from autogradient.wire.channel import Channel, Closed, Silent

#: Seconds a cell gets to end after it was interrupted, and a fork to say hello or a value to come.
GRACE_S, HELLO_S = 2.0, 6.0
#: Bytes that may be on their way between a test and the student's process.
TALK_BYTES, _SO_SNDBUFFORCE = 4 * 1024 * 1024, 32
#: MB that a warm interpreter may grow by.
GROWTH_MB = 200.0
#: Seconds in which a session has to be ready.
START_S = 60.0

#: All that a worker sees of the environment: one thread each, figures without a screen, hashes that
#: repeat.
ENVIRONMENT = {
    "PATH": f"{os.path.dirname(sys.executable)}:/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    # arrays of some MB again and again in the same memory: new memory comes a page fault at a time
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # fewer, where the system has huge pages
}


@dataclass
class CellRun:
    """What came of running one cell. `status` is ok, error, timed_out (interrupted, the worker
    lives) or killed (the worker is gone).

    `size` is how many characters its outputs come to as JSON.
    """

    status: str
    outputs: list[dict[str, Any]] = field(default_factory=list)
    error: tuple[str, str] | None = None
    seconds: float = 0.0
    how: str = ""
    size: int = 0


class Zygote:
    """A warm interpreter. Use as a context manager; sessions outlive it only until they are closed.
    `role` is the module that runs in its sessions.
    """

    def __init__(self, role: str = "autogradient.sandbox.worker") -> None:
        # descriptors on their way are counted for each user, and whoever sends one is held to its
        # own limit: sessions, with less, cannot use up ours
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.channel, far = Channel.pair()
        home = os.environ.get("TMPDIR", "/tmp")
        # nobody outside may know a judge's hashes
        hashes = {} if role == "autogradient.sandbox.worker" else {"PYTHONHASHSEED": "random"}
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "autogradient.sandbox.zygote", str(far.fileno()), role],
            pass_fds=[far.fileno()],
            env={
                **ENVIRONMENT,
                **hashes,
                "HOME": home,
                "MPLCONFIGDIR": str(Path(home) / f"autogradient-mpl-{os.getuid()}"),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not os.environ.get("AUTOGRADIENT_DEBUG") else None,
            start_new_session=True,
        )
        far.close()
        self.ready = self.stopped = False
        self.first_mb = 0.0
        self.lock = threading.Lock()
        self.sessions: weakref.WeakSet[Session] = weakref.WeakSet()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self) -> None:
        """Wait until everything is loaded. Raises WorkerError where the interpreter
        does not start.
        """
        with self.lock:
            if not self.ready:
                try:
                    self.channel.receive(timeout=120)
                except (Closed, Silent) as error:
                    raise WorkerError(
                        f"the interpreter for submissions did not start ({error}); set "
                        "AUTOGRADIENT_DEBUG=1 to see why"
                    ) from None
                self.ready = True
                self.first_mb = self._mb()

    @property
    def grown(self) -> bool:
        """Whether it holds much more memory than when it was ready: a long batch goes on with a new
        one.
        """
        return self.ready and self._mb() > self.first_mb + GROWTH_MB

    def _mb(self) -> float:
        try:
            with open(f"/proc/{self.process.pid}/statm") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        except OSError:  # it has ended, which its user will notice
            return 0.0

    def session(self, confinement: Confinement) -> Session:
        """Fork a session and wait for it. Raises ConfinementError where a layer of its confinement
        cannot be had, WorkerError where it does not start.
        """
        session = self.begin(confinement)
        session.wait()
        return session

    def begin(self, confinement: Confinement) -> Session:
        """Have a session forked; it is ready when it has been waited for. Raises WorkerError."""
        self.wait()
        control, control_far = Channel.pair()
        channel, worker_far = Channel.pair()
        try:
            with self.lock:
                self.channel.send(
                    {"confinement": confinement.to_dict()},
                    fds=(control_far.fileno(), worker_far.fileno()),
                )
        except Closed as error:
            control.close()
            channel.close()
            raise WorkerError(f"the interpreter for submissions is gone ({error})") from None
        finally:
            control_far.close()
            worker_far.close()
        session = Session(control, channel)
        with self.lock:
            self.sessions.add(session)
            if self.stopped:
                session.stop()
        return session

    def stop(self) -> None:
        """Kill what all sessions are running. For another thread than theirs, which get a
        WorkerError where they wait for an answer.
        """
        with self.lock:
            self.stopped = True
            for session in self.sessions:
                session.stop()

    def close(self) -> None:
        """End the interpreter. Sessions go on until they are closed."""
        self.channel.close()
        if not self.ready:  # still loading, for nobody
            self.process.kill()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Session:
    """All processes of one submission, or of one judge: a first one, and every fork of it.
    `layers`, once it is ready, are the layers of confinement in force.
    """

    def __init__(self, control: Channel, channel: Channel) -> None:
        self.control, self.channel = control, channel
        self.lock = threading.Lock()
        self.open: set[Channel] = {channel}
        self.killed: set[int] = set()
        self.layers: list[str] = []

    def wait(self) -> None:
        """Wait until its first process is there and confined. Raises ConfinementError where a layer
        cannot be had, WorkerError where it does not start: then it is closed.
        """
        try:
            self.layers = self.layers or self._layers()
        except BaseException:
            self.close()
            raise

    def _layers(self) -> list[str]:
        try:
            said = self.control.receive(START_S)
        except (Closed, Silent, codec.BadFrame) as error:
            raise WorkerError(f"no process could be started for a submission ({error})") from None
        if "missing" in said:
            raise ConfinementError(
                errors.NOT_CONFINED.format(layer=said["missing"], reason=said.get("reason", ""))
            )
        layers: list[str] = said["layers"]
        return layers

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, seed: int = 0) -> Interpreter:
        """The interpreter of the session's first process, seeded. Raises WorkerError."""
        try:
            self.channel.send({"seed": seed})
        except Closed as error:
            raise WorkerError(str(error)) from None
        return Interpreter(self, self.channel)

    def ask(self, do: str, **what: Any) -> Any:
        """Ask the session's supervisor about a process; None where it does not answer."""
        try:
            with self.lock:
                self.control.send({"do": do, **what})
                return self.control.receive(timeout=10)["answer"]
        except (Closed, Silent, codec.BadFrame, KeyError, TypeError):
            return None

    def how_it_ended(self, pid: int) -> str:
        """In words, how a process of this session ended."""
        code = self.ask("how", pid=pid)
        if code == "alive":
            return "it stopped answering"
        if not isinstance(code, int):
            return "it disappeared"
        if code < 0:
            names = {
                signal.SIGSEGV: "a crash in compiled code",
                signal.SIGKILL: "it was killed, perhaps for want of memory",
                signal.SIGABRT: "an abort in compiled code",
                signal.SIGXCPU: "it used too much processor time",
            }
            return names.get(signal.Signals(-code), f"signal {signal.Signals(-code).name}")
        return f"exit code {code}"

    def was_killed(self, pid: int) -> bool:
        """Whether a process of this session was ended from outside: by SIGKILL that was not ours,
        for want of memory or by somebody, or nobody knows how.
        """
        return pid not in self.killed and self.ask("how", pid=pid) in (None, -signal.SIGKILL)

    def stop(self) -> None:
        """Have every process of the session killed, without waiting for it."""
        with contextlib.suppress(OSError):
            self.control.sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Kill every process of the session and wait until they are gone."""
        with contextlib.suppress(Closed, Silent, codec.BadFrame), self.lock:
            self.control.send({"do": "end"})
            self.control.receive(timeout=30)
        self.control.close()
        for channel in list(self.open):
            channel.close()
        self.open.clear()


class Interpreter:
    """One untrusted process that waits for requests. Its answers are data, never trusted to be
    well-formed.
    """

    def __init__(self, session: Session, channel: Channel, within: float = HELLO_S) -> None:
        self.session, self.channel = session, channel
        session.open.add(channel)
        self.lock = threading.Lock()
        pid = self._receive(within).get("pid")
        if type(pid) is not int:
            raise WorkerError("a process without a number")
        self.pid = pid

    def _receive(self, timeout: float) -> dict[str, Any]:
        try:
            message = self.channel.receive(timeout)
        except Silent:
            raise WorkerTimeout("no answer in time") from None
        except codec.BadFrame as error:
            raise WorkerNonsense(str(error)) from None
        except Closed as error:
            raise WorkerError(str(error)) from None
        if not isinstance(message, dict):
            raise WorkerNonsense("an answer that is none")
        return message

    def _send(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        try:
            self.channel.send(message, fds)
        except Closed as error:
            raise WorkerError(str(error)) from None

    def fork(self, within: float = HELLO_S) -> Interpreter:
        """A copy of this process as it stands, which waits. Raises WorkerError where there is none
        `within` some seconds.
        """
        near, far = socket.socketpair()
        try:
            with far, self.lock:
                self._send({"do": "fork", "processors": _own_processors()}, fds=(far.fileno(),))
            return Interpreter(self.session, Channel(near), within)
        except WorkerError:
            near.close()
            raise

    def run(self, source: str, timeout: float, seed: int | None = None) -> CellRun:
        """Run a cell. After `timeout` seconds it is interrupted; where that does not help the
        process is killed.
        """
        request: dict[str, Any] = {"do": "run", "source": source}
        if seed is not None:
            request["seed"] = seed
        late = False
        try:
            self._send(request)
            try:
                answer = self._receive(timeout)
            except WorkerTimeout:
                late = True
                self.session.ask("interrupt", pid=self.pid)
                answer = self._receive(GRACE_S)
        except WorkerTimeout:
            self.kill()
            return CellRun("timed_out", seconds=timeout, how="killed")
        except WorkerNonsense:
            self.kill()
            return CellRun("killed", how="it did not answer as it should")
        except WorkerError:
            return CellRun("killed", how=self.session.how_it_ended(self.pid))
        shown, size = outputs.as_shown(answer.get("outputs"))
        error = answer.get("error")
        pair = (
            (str(error[0])[: outputs.MAX_NAME], str(error[1])[: outputs.MAX_VALUE])
            if isinstance(error, list) and len(error) == 2
            else None
        )
        seconds = answer.get("seconds")
        status = "timed_out" if late else "error" if pair else "ok"
        return CellRun(
            status, shown, pair, float(seconds) if isinstance(seconds, float) else 0.0, size=size
        )

    def value(self, name: str, within: float = HELLO_S) -> dict[str, Any]:
        """A copy of a variable: {"value": …}, {"missing": True} or {"not_plain": why}."""
        self._send({"do": "value", "name": name})
        return self._receive(within)

    def lacks(self, names: Sequence[str], within: float = HELLO_S) -> list[str]:
        """Those of the names that are not defined here, as this process says."""
        self._send({"do": "names", "names": list(names)})
        found = self._receive(within).get("missing")
        return [name for name in names if isinstance(found, list) and name in found]

    def talk(self) -> socket.socket:
        """The judge's end of a conversation with this process, which does nothing else until that
        end is closed, on the processors of the thread that asks.

        Raises WorkerError.
        """
        near, far = socket.socketpair()
        # room for an array at a time; more than the system's usual limit where we may
        for end in (near, far):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, TALK_BYTES)
                end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, TALK_BYTES)
        try:
            with self.lock:
                self._send({"do": "talk", "processors": _own_processors()}, fds=(far.fileno(),))
        except WorkerError:
            near.close()
            raise
        finally:
            far.close()
        return near

    @property
    def threads(self) -> int:
        """How many threads it has, as seen from outside."""
        found = self.session.ask("threads", pid=self.pid)
        return found if isinstance(found, int) else 0

    def usage(self) -> tuple[float, float]:
        """Seconds that it was on a processor, and that it waited for one; as seen from outside."""
        found = self.session.ask("usage", pid=self.pid)
        return (found[0], found[1]) if isinstance(found, list) else (0.0, 0.0)

    def starved(self, error: WorkerError) -> bool:
        """Whether what became of it may say nothing about the submission: it was killed from
        outside, or gave no answer and hardly got a processor.
        """
        return (
            self.usage()[1] > HELLO_S / 4
            if isinstance(error, WorkerTimeout)
            else self.session.was_killed(self.pid)
        )

    def kill(self) -> None:
        """End this process."""
        self.session.killed.add(self.pid)
        self.channel.close()
        self.session.open.discard(self.channel)
        with contextlib.suppress(Closed), self.session.lock:
            self.session.control.send({"do": "kill", "pid": self.pid})


def _own_processors() -> list[int]:
    """The processors that the calling thread may use."""
    return sorted(os.sched_getaffinity(0))
