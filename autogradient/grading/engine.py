"""What runs submissions: two warm interpreters, one whose forks run student code and one whose
forks judge it.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autogradient.errors import WorkerError, WorkerTimeout
from autogradient.grading.heartbeat import Heartbeat
from autogradient.model.assignment import Limits
from autogradient.model.files import digest
from autogradient.sandbox import LAYERS, OPTIONAL, Budget, Confinement, Interpreter, Session, Zygote
from autogradient.wire import codec
from autogradient.wire.channel import Channel, Closed, Silent

#: Seconds that a judge gets beyond the time of a case, for what it does itself.
GRACE_S = 3.0
#: What a course has that no student's code may see.
PRIVATE = (
    "source",
    "submitted",
    "autograded",
    "feedback",
    "results",
    "grader_config",
    "generated",
    "release",
)
#: The modules that run in the sessions of the two interpreters.
WORKER, JUDGE = "autogradient.sandbox.worker", "autogradient.grading.trial"
#: Processes and threads that student code may have.
PROCESSES = 128
#: Processes without a judge that are kept for the next one.
IDLE = 16
#: How the folder of an engine begins in the temporary folder.
_FOLDER = "autogradient-"
#: Layers that are in force wherever submissions are graded that nobody vouches for.
REQUIRED = frozenset(LAYERS) - OPTIONAL - {"user namespace"}


class Engine:
    """Use as a context manager. Both interpreters start, side by side, with the first session that
    is asked for.

    With `trusted` it also works where a layer of confinement is missing: `missing`. Then nothing is
    sealed.

    `course` is the root of the course: what it keeps there is hidden even where Python is installed
    in it.
    """

    def __init__(self, *, trusted: bool = False, course: Path | None = None) -> None:
        self.trusted = trusted
        self.hidden = (
            tuple(str(course / name) for name in PRIVATE if (course / name).exists())
            if course
            else ()
        )
        self._missing: list[str] | None = None
        self.lock = threading.Lock()
        self.stopped = False
        self.heartbeat = Heartbeat()
        #: Held while a submission uses the card: one at a time, or neither its memory nor its time
        #: is its own.
        self.card = threading.Lock()
        self.mine = threading.local()
        self.warm: dict[str, Zygote] = {}
        self.ahead = False
        self.spares: dict[Confinement, Session] = {}
        #: Processes with everything loaded that judges are forked from: those that have no judge
        #: now, the one that had one last at the end.
        self.parents: list[tuple[Confinement, Interpreter]] = []
        self.folders: dict[str, Path] = {}
        self.room: tempfile.TemporaryDirectory[str] | None = None
        self.hold = -1

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def settle(self) -> None:
        """Keep this thread for good on one processor that no other grader's thread has taken, if
        there is one, and with it the sessions it asks for.

        A judge and the process it asks take turns: on one processor they wake each other in half
        the time.
        """
        self.mine.claim = _claim()

    @contextlib.contextmanager
    def settled(self) -> Iterator[None]:
        """The same for a while, for a thread that is not ours."""
        before, claim = os.sched_getaffinity(0), _claim()
        try:
            yield
        finally:
            os.sched_setaffinity(0, before)
            if claim is not None:
                claim.close()

    def session(
        self, folder: Path, limits: Limits, *, forks: int = 0, card: bool = False
    ) -> Session:
        """A session whose first process runs in a copy of `folder`, with room for so many `forks`
        that wait; with `card` it can use this machine's cards.

        While `ahead` is set, the next one like it is started meanwhile. Raises ConfinementError,
        WorkerError.
        """
        budget = Budget(
            memory_mb=limits.memory_mb,
            processes=PROCESSES,
            cpu_s=int(limits.submission_s) + 60,
            forks=forks,
        )
        confinement = Confinement(
            folder=str(folder), budget=budget, trusted=self.trusted, hidden=self.hidden, card=card
        )
        with self.lock:
            spare = self.spares.pop(confinement, None)
        try:
            if spare is not None:
                spare.wait()
        except WorkerError:
            spare = None
        session = spare or self.interpreter(WORKER).session(confinement)
        with contextlib.suppress(WorkerError):  # then the next one starts when it is needed
            if self.ahead and confinement not in self.spares:
                spare = self.interpreter(WORKER).begin(confinement)
                with self.lock:
                    before, self.spares[confinement] = self.spares.get(confinement), spare
                if before is not None:  # another thread's
                    before.close()
        return session

    def judge(self, folder: Path, limits: Limits) -> tuple[Interpreter, Interpreter]:
        """A judge who sees a copy of `folder`, read-only, and the process it was forked from, which
        has to be given to `dismiss`. Raises ConfinementError, WorkerError.
        """
        confinement = self._of_a_judge(folder, limits)
        while (parent := self._idle(confinement)) is not None:
            with contextlib.suppress(WorkerError):
                # whatever the judge before may have left is gone
                if parent.session.ask("keep", pids=[parent.pid]) is True:
                    return parent.fork(), parent
            parent.session.close()  # it has died meanwhile
        session = self.interpreter(JUDGE).session(confinement)
        try:
            parent = session.start()
            return parent.fork(), parent
        except WorkerError:
            session.close()
            raise

    def _idle(self, confinement: Confinement) -> Interpreter | None:
        """A process that such judges are forked from and that has none now; it is the caller's."""
        with self.lock:
            index = next(
                (i for i, (like, _) in enumerate(self.parents) if like == confinement), None
            )
            return None if index is None else self.parents.pop(index)[1]

    def dismiss(
        self, folder: Path, limits: Limits, judge: Interpreter, parent: Interpreter
    ) -> None:
        """End a judge. The process it was forked from has seen nothing and is there for the next
        one.
        """
        judge.kill()
        with self.lock:
            self.parents.append((self._of_a_judge(folder, limits), parent))
            surplus = self.parents.pop(0)[1] if len(self.parents) > IDLE else None
        if surplus is not None:
            surplus.session.close()

    def _of_a_judge(self, folder: Path, limits: Limits) -> Confinement:
        budget = Budget(memory_mb=limits.memory_mb, processes=64, disk_mb=16)
        return Confinement(
            folder=str(folder),
            budget=budget,
            writable=False,
            trusted=self.trusted,
            hidden=self.hidden,
        )

    def rest(self) -> None:
        """Start no sessions ahead any more, and end those that wait."""
        self.ahead = False
        with self.lock:
            waiting = [*self.spares.values(), *(parent.session for _, parent in self.parents)]
            self.spares, self.parents = {}, []
        for session in waiting:
            session.close()

    def folder(self, files: Mapping[str, bytes]) -> Path:
        """A folder with these files (path → content), for as long as the engine lives; sessions get
        a copy of it.
        """
        key = digest(
            b"".join(
                name.encode() + b"\0" + digest(data).encode()
                for name, data in sorted(files.items())
            )
        )
        with self.lock:
            if key not in self.folders:
                if self.room is None:
                    _clear_away()
                    self.room = tempfile.TemporaryDirectory(prefix=_FOLDER)
                    self.hold = _lock(Path(self.room.name))
                folder = Path(self.room.name) / str(len(self.folders))
                folder.mkdir()
                for name, data in files.items():
                    place = folder / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(data)
                self.folders[key] = folder
            return self.folders[key]

    def judge_process(self, folder: Path, limits: Limits) -> JudgeProcess:
        """A judge who sees a copy of `folder`, read-only."""
        return JudgeProcess(self, folder, limits)

    def check(self) -> None:
        """Start one process, the first time, to see that it can be confined. Raises
        ConfinementError; with `trusted`, notes what is missing instead.
        """
        if self._missing is None:
            with self.session(self.folder({}), Limits()) as session:
                self._missing = sorted(REQUIRED - set(session.layers))

    @property
    def missing(self) -> list[str]:
        """Layers of confinement that are not in force: none unless `trusted`, for without one
        nothing is run then.
        """
        if not self.trusted:
            return []
        self.check()
        return self._missing or []

    def interpreter(self, role: str) -> Zygote:
        """The warm interpreter of a role; a new one where it has died, or grown."""
        with self.lock:
            for each in () if self.warm or self.stopped else (WORKER, JUDGE):
                self.warm[each] = Zygote(each)
            if self.stopped and not self.warm:
                raise WorkerError("the engine has been stopped")
            if (
                self.warm[role].process.poll() is not None or self.warm[role].grown
            ) and not self.stopped:
                before = self.warm[role]
                before.close()
                self.warm[role] = Zygote(role)
                # those that go on, to be stopped with the rest
                self.warm[role].sessions |= before.sessions
            return self.warm[role]

    def wait(self) -> None:
        """Wait until both interpreters have everything loaded."""
        for role in (WORKER, JUDGE):
            self.interpreter(role).wait()

    def stop(self) -> None:
        """Kill what all sessions are running. For another thread than theirs."""
        with self.lock:
            self.stopped = True
        for zygote in self.warm.values():
            zygote.stop()

    def close(self) -> None:
        """End both interpreters."""
        self.heartbeat.close()
        self.rest()
        if self.room is not None:
            self.room.cleanup()
            os.close(self.hold)
            self.room, self.folders = None, {}
        for zygote in self.warm.values():
            zygote.close()


def _lock(folder: Path) -> int:
    """Hold a folder, for as long as what is returned is open. Whether somebody holds it can be told
    from other containers too, where this process has another number.
    """
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def _clear_away() -> None:
    """Remove what graders that were killed have left in the temporary folder."""
    for path in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with contextlib.suppress(OSError):
            if path.is_symlink() or path.stat().st_uid != os.getuid():
                continue
            handle = os.open(path / ".lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)


class _Claim:
    """A processor that this thread has moved to, taken until this is closed or let go."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def close(self) -> None:
        self.sock.close()

    __del__ = close


def _claim() -> _Claim | None:
    """Move this thread to a processor that is free; None where all are taken: then
    nothing changes.
    """
    for processor in sorted(os.sched_getaffinity(0)):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            # a name that only one process of the machine can have, and loses when it ends
            claim.bind(f"\0autogradient-processor-{processor}")
        except OSError:
            claim.close()
            continue
        os.sched_setaffinity(0, {processor})
        return _Claim(claim)
    return None


class JudgeProcess:
    """One judge's process: forked when first needed, and anew after one died. Not for two threads
    at once.
    """

    def __init__(self, engine: Engine, folder: Path, limits: Limits) -> None:
        self.engine, self.folder, self.limits = engine, folder, limits
        self.judge: Interpreter | None = None
        self.parent: Interpreter | None = None

    def __enter__(self) -> JudgeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _channel(self) -> Channel:
        if self.judge is None:
            self.judge, self.parent = self.engine.judge(self.folder, self.limits)
        return self.judge.channel

    def trial(
        self, job: bytes, runner: Interpreter | None, limit: float, until: float = math.inf
    ) -> Iterator[dict[str, Any]]:
        """Have the judge do a job, given `runner` to ask; yields each report as it comes.

        Raises WorkerTimeout where none comes for `limit` seconds and some, or until the moment
        `until` (of the monotonic clock); WorkerError where the judge dies: the case it was at is
        lost, the judge is not to blame for the rest.
        """
        channel = self._channel()
        try:
            if runner is None:
                channel.send_bytes(job)
            else:
                with runner.talk() as end:
                    channel.send_bytes(job, fds=(end.fileno(),))
            while True:
                report = channel.receive(min(limit + GRACE_S, max(0.0, until - time.monotonic())))
                if not isinstance(report, dict):
                    raise WorkerError("a report that is none")
                if report.get("end"):
                    return
                yield report
        except Silent:
            self.close()
            raise WorkerTimeout("the judge did not come to an end") from None
        except (Closed, codec.BadFrame) as error:
            self.close()
            raise WorkerError(str(error)) from None
        except GeneratorExit:  # the rest is not wanted
            self.close()
            raise

    def close(self) -> None:
        """End the judge."""
        if self.judge is not None and self.parent is not None:
            self.engine.dismiss(self.folder, self.limits, self.judge, self.parent)
        self.judge = self.parent = None


class JudgeProcesses:
    """A judge's process for each thread that asks."""

    def __init__(self, engine: Engine, folder: Path, limits: Limits) -> None:
        self.engine, self.folder, self.limits = engine, folder, limits
        self.lock, self.all, self.mine = threading.Lock(), list[JudgeProcess](), threading.local()

    def __enter__(self) -> JudgeProcesses:
        return self

    def __exit__(self, *_: object) -> None:
        for judge_process in self.all:
            judge_process.close()

    @property
    def own(self) -> JudgeProcess:
        """This thread's."""
        if not hasattr(self.mine, "judge_process"):
            self.mine.judge_process = self.engine.judge_process(self.folder, self.limits)
            with self.lock:
                self.all.append(self.mine.judge_process)
        judge_process: JudgeProcess = self.mine.judge_process
        return judge_process
