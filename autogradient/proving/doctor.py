"""What keeps student code in on this machine: every layer of confinement, shown by an attempt to
break it that is made as student code.

A layer that is claimed and does not hold is *broken*; one that is missing comes with the reason and
with what to set.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import inspect
import json
import os
import platform
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import psutil

from autogradient import __version__, errors
from autogradient.course import config
from autogradient.errors import ConfinementError, CourseError, WorkerError
from autogradient.grading.engine import PROCESSES, REQUIRED, WORKER, Engine
from autogradient.grading.judge import job_of
from autogradient.model.assignment import Assignment, Case, Limits, Part, Question
from autogradient.proving import escapes
from autogradient.sandbox import (
    LAYERS,
    OPTIONAL,
    Budget,
    Confinement,
    Session,
    card,
    confine,
    copies,
    kernel,
)
from autogradient.sandbox.layers import LayerMissing
from autogradient.wire import codec

IN_FORCE, BROKEN, MISSING, NOT_NEEDED = "in force", "broken", "missing", "not needed"
#: Layers that are missing where another one is.
NEEDS = {"disk": "files", "proc": "files", "memory order": "proc"}
#: Small, so that each bound is reached in a moment.
BUDGET = Budget(memory_mb=64, processes=32, disk_mb=8, open_files=128, cpu_s=60)
#: Of a judge: what `Engine.judge_process` allows.
JUDGING = Limits(memory_mb=256, case_s=60)
#: What is said of a machine without control groups.
NO_GROUP = (
    "optional: there is no control group here that we may write to; each process has its limits, "
    "and a session may hold up to"
    f" {PROCESSES} processes × {Limits().memory_mb:.0f} MB by an assignment's usual limits"
)
#: Seconds for one attempt.
LIMIT_S = 60.0


@dataclass(frozen=True)
class Finding:
    """One layer here. `state` is "in force", "broken", "missing" or "not needed"; `tried` and
    `came` tell of the attempt, `reason` why it is missing and what to set.
    """

    layer: str
    purpose: str
    state: str
    tried: str = ""
    came: str = ""
    reason: str = ""


@dataclass
class LayerReport:
    """What was found: the machine, how sessions are confined here, the layers around student code
    and those around a judge.
    """

    machine: dict[str, str]
    path: str
    layers: list[Finding] = field(default_factory=list)
    judge: list[Finding] = field(default_factory=list)

    @property
    def sealed(self) -> bool:
        """Whether work that nobody vouches for can be graded here."""
        found = {finding.layer: finding.state for finding in self.layers}
        broken = any(finding.state == BROKEN for finding in (*self.layers, *self.judge))
        return not broken and all(found.get(layer) == IN_FORCE for layer in REQUIRED)

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {"sealed": self.sealed, **asdict(self)}

    def text(self) -> str:
        """For people: the machine, a line for each layer, and the verdict."""
        lines = [f"{name}: {value}" for name, value in self.machine.items()]
        lines += [f"confined: {self.path}", "", "student code:", *map(_line, self.layers)]
        told = [finding for finding in self.judge if finding.state != NOT_NEEDED]
        lines += [
            "",
            (
                f"a judge (holds the tests, runs no student code): {len(told)} layers in "
                "force, each tried, none of the attempts got out"
            ),
        ]
        if any(finding.state != IN_FORCE for finding in told):
            lines[-1] = "a judge (holds the tests, runs no student code):"
            lines += map(_line, told)
        return "\n".join(
            [*lines, "", errors.DOCTOR_SEALED if self.sealed else errors.DOCTOR_NOT_SEALED]
        )


def _line(finding: Finding) -> str:
    mark = {IN_FORCE: "ok", BROKEN: "BROKEN", MISSING: "MISSING", NOT_NEEDED: "-"}[finding.state]
    if finding.state == MISSING and finding.layer in OPTIONAL:
        mark = "-"
    said = f"{finding.tried}: {finding.came}" if finding.tried else finding.reason
    return f"  {mark:8} {finding.layer:15} {said}"


def examine() -> LayerReport:
    """Try every layer here. Takes some seconds; leaves nothing behind. Raises WorkerError where not
    even an interpreter can be started.
    """
    with (
        tempfile.TemporaryDirectory(prefix="autogradient-") as name,
        Outside() as outside,
        Engine(course=config.root_or_none()) as engine,
    ):
        folder = Path(name)
        folder.chmod(0o755)
        try:
            claimed = _claimed(engine, folder)
            reasons: dict[str, str] = {}
        except ConfinementError:
            engine.trusted = True
            claimed, reasons = _claimed(engine, folder), why_missing(folder)
        report = LayerReport(machine(), how(claimed))
        if "copies" in claimed:
            size = copies.size_mb(engine.interpreter(WORKER).process.pid)
            report.machine["copies"] = (
                f"{size:.0f} MB of memory, shared by the graders of a user that run at the "
                "same time"
            )
        facts = outside.facts | {
            "memory_mb": BUDGET.memory_mb,
            "disk_mb": BUDGET.disk_mb,
            "open_files": BUDGET.open_files,
            "processes": BUDGET.processes,
        }
        came = _as_student(engine, folder, facts, claimed)
        report.layers = [
            _finding(layer, claimed, came, reasons, escapes.ATTEMPTS) for layer in LAYERS
        ]
        try:
            held, came = _as_judge(
                engine,
                folder,
                outside.facts
                | {
                    "memory_mb": JUDGING.memory_mb,
                    "open_files": 512,
                    "processes": 64,
                    "judge": True,
                },
            )
        except WorkerError as error:
            held, came = (
                claimed,
                {layer: [True, f"the judge could not try it: {error}"] for layer in claimed},
            )
        report.judge = [
            _finding(layer, held, came, reasons, escapes.ATTEMPTS | escapes.OF_A_JUDGE)
            for layer in LAYERS
            if layer not in OPTIONAL
        ]
    return report


def _finding(
    layer: str,
    claimed: list[str],
    came: dict[str, list[Any]],
    reasons: dict[str, str],
    tried: dict[str, Any],
) -> Finding:
    purpose = LAYERS[layer]
    if layer in claimed:
        broken, text = came[layer]
        return Finding(layer, purpose, BROKEN if broken else IN_FORCE, tried[layer][0], text)
    if layer == "user namespace" and layer not in reasons:
        return Finding(
            layer, purpose, NOT_NEEDED, reason="root has the other namespaces without it"
        )
    if layer in OPTIONAL:
        return Finding(layer, purpose, MISSING, reason=NO_GROUP)
    return Finding(
        layer,
        purpose,
        MISSING,
        reason=reasons.get(
            layer, f"it comes with '{NEEDS[layer]}'" if layer in NEEDS else "it could not be had"
        ),
    )


def how(claimed: list[str]) -> str:
    """Which way sessions are confined here."""
    if "user namespace" in claimed:
        who = (
            "as root without CAP_SYS_ADMIN"
            if os.getuid() == 0
            else "as an ordinary user (sessions have your user id)"
        )
        return f"{who}, in a user namespace"
    return "as root" if "processes" in claimed else "not as it should be"


def machine() -> dict[str, str]:
    """What this machine is."""
    try:
        abi = f"Landlock {kernel.landlock_abi()}"
    except OSError:
        abi = "no Landlock"
    versions = []
    for name in ("torch", "numpy"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    found = {
        "autogradient": ", ".join([__version__, f"Python {platform.python_version()}", *versions]),
        "machine": (
            f"Linux {platform.release()}, {abi}, {len(os.sched_getaffinity(0))} processors "
            f"({platform.machine()}), {psutil.virtual_memory().total / 1e9:.0f} GB"
        ),
    }
    return found | ({"card": card.describe()} if card.is_there() else {})


# ---- what stands outside, to be found ------------------------------------------------------------


class Outside:
    """Things of the grader's that student code must not reach: a file, a server, a process, shared
    memory, a variable. `facts` says where they are.
    """

    def __enter__(self) -> Outside:
        self.close = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            token = secrets.token_hex(8)
            folder = Path(tempfile.mkdtemp(prefix="autogradient-doctor-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            folder.chmod(0o755)
            secret = folder / "secret.txt"
            secret.write_text(token)
            secret.chmod(0o644)
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            local = stack.enter_context(socket.socket(socket.AF_UNIX))
            local.bind(f"\0autogradient-{token}")
            local.listen()
            stack.callback(_forget_memory, _shared_memory())
            victim = _victim(f"doctor-{token[:6]}")
            stack.callback(_end, victim)
            os.environ["AUTOGRADIENT_DOCTOR"] = token
            stack.callback(os.environ.pop, "AUTOGRADIENT_DOCTOR", None)
            self.facts: escapes.Facts = {
                "secret": str(secret),
                "course": _of_the_course(),
                "port": server.getsockname()[1],
                "abstract": f"autogradient-{token}",
                "victim": victim,
                "victim_name": f"doctor-{token[:6]}",
                "token": token,
                "hostname": socket.gethostname(),
            }
            self.close = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close.close()


def _of_the_course() -> str:
    """A file of the course that the command was given in, or "": where Python is installed in the
    course itself, sessions may see more than they should.
    """
    try:
        return str(config.find().root / "grader_config" / "course.toml")
    except CourseError:
        return ""


def _victim(name: str) -> int:
    """A process that only waits, under a name of its own; it ends with this one."""
    said, say = os.pipe()
    if (pid := os.fork()) == 0:
        with contextlib.suppress(BaseException):
            kernel.set_death_signal(signal.SIGKILL)
            Path("/proc/self/comm").write_text(name)
            os.write(say, b".")
            while True:
                signal.pause()
        os._exit(1)
    os.close(say)
    os.read(said, 1)
    os.close(said)
    return pid


def _end(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def _shared_memory() -> int:
    """A segment of System V shared memory for everybody; -1 where there can be none."""
    return int(ctypes.CDLL(None).shmget(0, ctypes.c_size_t(4096), 0o1666))


def _forget_memory(segment: int) -> None:
    if segment >= 0:
        ctypes.CDLL(None).shmctl(segment, 0, None)


# ---- as student code, and as a judge -------------------------------------------------------------


def _confinement(folder: Path, trusted: bool) -> Confinement:
    return Confinement(folder=str(folder), budget=BUDGET, trusted=trusted)


def _claimed(engine: Engine, folder: Path) -> list[str]:
    with engine.interpreter(WORKER).session(_confinement(folder, engine.trusted)) as session:
        return session.layers


def _as_student(
    engine: Engine, folder: Path, facts: escapes.Facts, layers: list[str]
) -> dict[str, list[Any]]:
    """What came of an attempt at each layer, made in a cell; those that may end the session's
    processes come last.
    """
    came: dict[str, list[Any]] = {}
    left = sorted(layers, key=lambda layer: layer in OPTIONAL)
    while left:
        with engine.interpreter(WORKER).session(_confinement(folder, engine.trusted)) as session:
            left = _in_one_session(session, facts, left, came)
    return came


def _in_one_session(
    session: Session, facts: escapes.Facts, layers: list[str], came: dict[str, list[Any]]
) -> list[str]:
    """Attempts in one session, until there are none left or one ends it; those that are left."""
    interpreter = session.start(1)
    interpreter.run(inspect.getsource(escapes), LIMIT_S)
    left = list(layers)
    while left:
        layer = left.pop(0)
        run = interpreter.run(f"came = attempt({layer!r}, {facts!r})", LIMIT_S)
        if run.status == "ok":
            try:
                broken, text = codec.decode(interpreter.value("came")["value"])
                came[layer] = [broken is not False, str(text)]
                continue
            except (KeyError, ValueError, TypeError, codec.BadFrame, WorkerError):
                came[layer] = [True, "the attempt gave no answer"]
        else:  # to be ended for it is what a control group does
            came[layer] = [
                layer not in OPTIONAL,
                f"its process was ended ({run.how or run.status})",
            ]
        break
    return left


def _as_judge(
    engine: Engine, folder: Path, facts: escapes.Facts
) -> tuple[list[str], dict[str, list[Any]]]:
    """The layers that a judge has, and what came of an attempt at each, made as a test. Raises
    WorkerError.
    """
    layers = [layer for layer in LAYERS if layer not in OPTIONAL]
    test = (
        f"{inspect.getsource(escapes)}\n\nfor layer in {layers!r}:\n    "
        f"print(json.dumps([layer, *attempt(layer, {facts!r})]))\n"
    )
    part = Part("doctor", "doctor", "code", Fraction(1), "", "", tests=test, style="cell")
    assignment = Assignment(
        "doctor", "doctor", "nbgrader", [], [Question("doctor", [part])], folder, limits=JUDGING
    )
    job = job_of(assignment, part, [Case("doctor", "doctor", Fraction(1))], 1, [])
    with (
        engine.interpreter(WORKER).session(_confinement(folder, engine.trusted)) as session,
        engine.judge_process(folder, JUDGING) as judge_process,
    ):
        (report,) = judge_process.trial(codec.encode(job), session.start(1), LIMIT_S)
        held = judge_process.parent.session.layers if judge_process.parent else []
        came = {}
        for line in str(report["output"]).splitlines():
            layer, broken, text = json.loads(line)
            came[layer] = [broken, text]
    if not set(layers) <= set(came):
        raise WorkerError(str(report.get("error") or "it did not come to an end"))
    return held, came


# ---- why a layer is missing ----------------------------------------------------------------------


def why_missing(folder: Path) -> dict[str, str]:
    """Layer → why it cannot be had and what to set, for every one that cannot: each is left out in
    turn, to hear of the next.
    """
    confinement = _confinement(folder, False)
    found: dict[str, str] = {}
    while True:
        said = _in_a_fork(
            lambda: _all_steps(confinement, set(found) | ({"files"} if "proc" in found else set()))
        )
        if said is None or said[0] in found or said[0] not in LAYERS:
            return found
        found[said[0]] = said[1]


def _all_steps(c: Confinement, leave_out: set[str]) -> None:
    """What a session goes through, and its interpreter before: see `confine`, `copies`."""
    if "copies" not in leave_out:
        with contextlib.suppress(OSError):  # said when a session needs them
            copies.enter()
    confine.isolate(c, leave_out)
    _next_process(lambda: _inside(c, leave_out))


def _inside(c: Confinement, leave_out: set[str]) -> None:
    confine.enclose(c, leave_out)
    _next_process(lambda: confine.drop(c, leave_out))
    confine.shed(c, leave_out)


def _next_process(work: Callable[[], object]) -> None:
    said = _in_a_fork(work)
    if said is not None:
        raise LayerMissing(*said)


def _in_a_fork(work: Callable[[], object]) -> tuple[str, str] | None:
    """Do something in a process of its own: None, or the layer and the reason where one was
    missing.
    """
    heard, say = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            work()
            answer: list[str] = []
        except BaseException as error:
            answer = [
                getattr(error, "layer", "confinement"),
                getattr(error, "reason", None) or str(error),
            ]
        with contextlib.suppress(OSError):
            os.write(say, json.dumps(answer).encode())
        os._exit(0)
    os.close(say)
    with os.fdopen(heard, "rb") as file:
        said = json.loads(file.read() or b'["confinement", "the process did not start"]')
    os.waitpid(pid, 0)
    return (said[0], said[1]) if said else None
