"""What a Dask worker does for a batch: it starts an engine of its own and grades what it is sent.

Assignments are kept in the worker's memory. Whatever else goes to and fro is encrypted under a key
of the batch, so that what Dask logs, or spills to a disk, says nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import pickle
import threading
import time
import traceback
import zlib
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from distributed import WorkerPlugin, get_worker

from autogradient.errors import AutogradientError, ClusterError, ConfinementError, WorkerError
from autogradient.grading import grade, messages
from autogradient.grading.engine import Engine
from autogradient.grading.reference_answers import computed_answers
from autogradient.grading.verdict_cache import CarriedVerdicts
from autogradient.model.assignment import Assignment
from autogradient.model.environment import environment
from autogradient.model.result import SubmissionInfo

#: Seconds in which a batch has to come to a worker that is sent its tasks.
COME_S = 10.0


def encrypt(key: bytes, message: dict[str, Any]) -> bytes:
    """A message of plain values and bytes, so that only who has the key can read or forge it
    (AES-GCM, NIST SP 800-38D).
    """
    nonce = os.urandom(12)
    return nonce + AESGCM(key).encrypt(nonce, zlib.compress(pickle.dumps(message), 1), None)


def decrypt(key: bytes, data: bytes) -> dict[str, Any]:
    """The message. Raises cryptography.exceptions.InvalidTag where it was made with another key."""
    message: dict[str, Any] = pickle.loads(
        zlib.decompress(AESGCM(key).decrypt(data[:12], data[12:], None))
    )
    return message


def is_private(address: str) -> bool:
    """Whether nobody can listen in on what goes to an address of Dask's: it is encrypted, or does
    not leave the machine.
    """
    scheme, _, rest = address.partition("://")
    if scheme == "tls":
        return True
    host = rest.rpartition(":")[0].strip("[]")
    try:
        return scheme == "tcp" and (host == "localhost" or ipaddress.ip_address(host).is_loopback)
    except ValueError:
        return False


class Material(WorkerPlugin):
    """The assignments of a batch, in a worker's memory."""

    def __init__(self, assignments: list[Assignment]) -> None:
        self.assignments = {assignment.digest: assignment for assignment in assignments}


class Node(WorkerPlugin):
    """An engine in a worker, started when it is first needed. `environment` is that of whoever
    writes the results, `course` what is hidden from student code.
    """

    def __init__(self, key: bytes, environment: dict[str, Any], course: Path | None) -> None:
        self.key, self.environment, self.course = key, environment, course

    def setup(self, worker: Any) -> None:
        """Called by Dask in the worker."""
        self.address = str(worker.contact_address)
        self.lock, self.over = threading.Lock(), False
        self.engine: Engine | None = None

    async def teardown(self, worker: Any) -> None:
        """Called by Dask where the batch is over: whatever still runs is killed."""
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        with self.lock:
            self.over = True
            engine, self.engine = self.engine, None
        if engine is not None:
            engine.stop()
            engine.close()

    def ready(self) -> Engine:
        """The engine. Raises ClusterError or ConfinementError where nothing may be graded here."""
        with self.lock:
            if self.over:
                raise WorkerError("the batch is over")
            if self.engine is None:
                self._examine()
                engine = Engine(course=self.course)
                try:
                    engine.check()
                except BaseException:
                    engine.close()
                    raise
                engine.ahead = True
                self.engine = engine
            return self.engine

    def _examine(self) -> None:
        if not is_private(self.address):
            raise ClusterError(messages.WORKER_NOT_ENCRYPTED)
        here = environment()
        if here != self.environment:
            raise ClusterError(
                messages.WORKER_DIFFERS.format(what=_difference(here, self.environment))
            )

    def answer(self, message: bytes, material: dict[str, Assignment]) -> bytes:
        """Do what an encrypted message asks for; the answer is encrypted, too, and never an
        exception: Dask would log it.
        """
        try:
            job = decrypt(self.key, message)
            return encrypt(self.key, self._answer(job, material[job["assignment"]]))
        except WorkerError as error:
            return encrypt(self.key, {"lost": str(error)})
        except Exception as error:
            return encrypt(self.key, {"failed": "".join(traceback.format_exception(error))})

    def _answer(self, job: dict[str, Any], assignment: Assignment) -> dict[str, Any]:
        try:
            engine = self.ready()
        except (ClusterError, ConfinementError) as error:
            return {"unfit": str(error), "worker": self.address}
        with engine.settled():
            return (
                _compute(engine, assignment, job)
                if "compute" in job
                else _grade(engine, assignment, job)
            )


def _grade(engine: Engine, assignment: Assignment, job: dict[str, Any]) -> dict[str, Any]:
    carried = CarriedVerdicts(job["verdicts"])
    info = SubmissionInfo.model_validate(job["info"])
    options = {
        "verdicts": carried if job["keep"] else None,
        "expected": job["expected"],
        "card": job["card"],
        "last": job["last"],
    }
    graded = grade.grade_bytes(assignment, job["data"], job["name"], engine, info, **options)
    staff = json.loads(json.dumps(graded.staff, default=str))
    rest = {
        "notebook": graded.notebook,
        "answers": graded.answers,
        "starved": graded.starved,
        "essays": graded.essays,
        "begun": graded.begun,
    }
    return {"result": graded.result.to_json(), "staff": staff, "verdicts": carried.new, **rest}


def _compute(engine: Engine, assignment: Assignment, job: dict[str, Any]) -> dict[str, Any]:
    return {
        "values": computed_answers(
            assignment, [assignment.part(name) for name in job["compute"]], engine
        )
    }


def _difference(here: dict[str, Any], there: dict[str, Any]) -> str:
    """In words, what differs between two environments; a few of the packages."""
    mine, theirs = set(here["packages"]), set(there["packages"])
    packages = [f"it has {', '.join(sorted(mine - theirs)[:3])}"] * bool(mine - theirs) + [
        f"it lacks {', '.join(sorted(theirs - mine)[:3])}"
    ] * bool(theirs - mine)
    others = [
        f"{key} {here[key]!r} instead of {there[key]!r}"
        for key in here
        if key != "packages" and here[key] != there.get(key)
    ]
    return "; ".join([*others, *packages])


def work(batch: str, message: bytes) -> bytes:
    """The task that is sent to workers: have the batch's node answer a message."""
    plugins: dict[str, Any] = get_worker().plugins
    since = time.monotonic()
    # a worker that has just come may be sent tasks before it has everything
    while not {batch, f"{batch}-material"} <= set(plugins):
        if time.monotonic() - since > COME_S:
            return b""
        time.sleep(0.05)
    answer: bytes = plugins[batch].answer(message, plugins[f"{batch}-material"].assignments)
    return answer


async def unfit(batch: str, dask_worker: Any) -> str:
    """Why a worker may not grade; empty where it may. Its engine is started, without keeping its
    event loop waiting.
    """
    try:
        await asyncio.to_thread(dask_worker.plugins[batch].ready)
    except AutogradientError as error:
        return str(error)
    return ""
