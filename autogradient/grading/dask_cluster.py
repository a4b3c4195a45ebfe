"""Grading on a Dask cluster: submissions go to its workers, results come back, and only this
process writes anything.

The scheduler is the department's, or one of this machine's own for the moment. Nothing of a batch
outlives its client: a plugin in the scheduler takes the workers' engines and assignments away when
the client is gone, however it went.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

from autogradient.errors import ClusterError, SubmissionError, WorkerError
from autogradient.grading import messages
from autogradient.grading.find_submissions import Item
from autogradient.grading.grade import Graded, unreadable
from autogradient.grading.read_notebook import read_notebook
from autogradient.grading.reference_answers import known_answers
from autogradient.grading.submission import plan_submission
from autogradient.grading.verdict_cache import Verdicts
from autogradient.model.assignment import Assignment, Part
from autogradient.model.environment import cpu_count, environment
from autogradient.model.result import Result, SubmissionInfo, left_out, merged

try:
    import distributed
    from distributed import Client, KilledWorker, LocalCluster, SchedulerPlugin

    from autogradient.grading.dask_worker import (
        Material,
        Node,
        decrypt,
        encrypt,
        is_private,
        unfit,
        work,
    )
except ImportError:
    raise ClusterError(messages.NO_DASK) from None

#: Seconds between looks at the cluster while an answer is awaited, and without any worker until it
#: is given up.
LOOK_S, PATIENCE_S = 2.0, 120.0
#: Times that a job is sent to workers that are unfit, gone, or do not have the batch yet.
MANY = 20
#: Seconds in which a connection is closed.
CLOSE_S = 5
#: Submissions on their way at least, and for each thread of the workers: a worker that comes late
#: finds some waiting.
ON_THEIR_WAY, PER_THREAD = 32, 3


class _Farewell(SchedulerPlugin):
    """Ends a batch on the workers when its client is gone."""

    def __init__(self, client: str, batch: str) -> None:
        self.client, self.batch = client, batch
        self.name = f"{batch}-farewell"

    def remove_client(self, scheduler: Any, client: str) -> None:
        """Called by Dask in the scheduler."""
        if client == self.client:
            scheduler.loop.add_callback(self._end, scheduler)

    async def _end(self, scheduler: Any) -> None:
        for name in (self.batch, f"{self.batch}-material"):
            with contextlib.suppress(ValueError):  # it said goodbye itself
                await scheduler.unregister_worker_plugin(None, name)
        await scheduler.unregister_scheduler_plugin(self.name)


@contextlib.contextmanager
def connect(
    address: str,
    *,
    workers: int | None = None,
    course: Path | None = None,
    say: Callable[[str], None] = print,
) -> Iterator[Cluster]:
    """A cluster by its scheduler's address, or "local": `workers` processes on this machine,
    encrypted. `say` is told what a person should know.

    `course` is the root of the course. Raises ClusterError where there is none, or nobody there can
    grade.
    """
    for name in [
        name
        for name in logging.root.manager.loggerDict
        if name.split(".")[0] in ("distributed", "tornado", "asyncio")
    ]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said by us
    with contextlib.ExitStack() as stack:
        if address == "local":
            local = _local(workers or cpu_count())
            stack.enter_context(local)
            client = Client(local, set_as_default=False)
        else:
            client = _client(address)
        stack.callback(client.close, timeout=CLOSE_S)
        yield stack.enter_context(contextlib.closing(Cluster(client, course, say)))


def _local(workers: int) -> LocalCluster:
    """A cluster of this machine's own. A Ctrl-C is for us alone, its processes are ended in order:
    what they ignore from the first they ignore for good.
    """
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            security=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        )
    finally:
        if main:
            signal.signal(signal.SIGINT, before)


def _client(address: str) -> Client:
    scheme, separator, rest = address.partition("://")
    if not separator or scheme not in ("tcp", "tls") or not rest.rpartition(":")[2].isdigit():
        raise ClusterError(messages.BAD_ADDRESS.format(address=address))
    if not is_private(address):
        raise ClusterError(messages.NOT_ENCRYPTED.format(address=address))
    security = (
        distributed.Security(require_encryption=True) if scheme == "tls" else distributed.Security()
    )
    if scheme == "tls" and security.get_connection_args("client")["ssl_context"] is None:
        raise ClusterError(messages.NO_CERTIFICATES.format(address=address))
    try:
        return Client(address, timeout=20, set_as_default=False, security=security)
    except (OSError, ValueError) as error:
        raise ClusterError(
            messages.NO_CLUSTER.format(address=address, problem=str(error).split("\n")[0])
        ) from None


class Cluster:
    """A Grader whose work is done by Dask's workers. Close it at the end."""

    sealed = True  # a worker that is not grades nothing
    card = None

    def __init__(self, client: Client, course: Path | None, say: Callable[[str], None]) -> None:
        self.client, self.say = client, say
        self.name = f"autogradient-{secrets.token_hex(8)}"
        self.key = secrets.token_bytes(32)
        self.numbers = itertools.count()
        self.lock = threading.Lock()
        self.unfit: dict[str, str] = {}
        self.expected: dict[str, dict[str, Any]] = {}
        self.stopped = False
        with self._talking():
            client.register_plugin(_Farewell(client.id, self.name))
            client.register_plugin(Node(self.key, environment(), course), name=self.name)
            for worker, why in client.run(unfit, self.name).items():
                if why:
                    self._exclude(worker, why)
            threads = client.nthreads()
        self.slots = max(ON_THEIR_WAY, PER_THREAD * sum(threads.values()))
        if threads and not set(threads) - set(self.unfit):
            raise ClusterError(
                messages.NO_FIT_WORKER.format(why="; ".join(sorted(set(self.unfit.values()))))
            )

    def close(self) -> None:
        """Take everything of ours from the workers."""
        self._take_away(self.name)

    def _take_away(self, plugin: str) -> None:
        if self.client.status == "running":  # a scheduler that is gone has nothing of ours
            with contextlib.suppress(Exception):
                self.client.unregister_worker_plugin(plugin)

    @contextlib.contextmanager
    def batch(self, items: Iterable[Item]) -> Iterator[None]:
        material = f"{self.name}-material"
        with self._talking():
            self.client.register_plugin(
                Material(list(dict.fromkeys(item.assignment for item in items))), name=material
            )
        try:
            yield
        finally:
            self._take_away(material)

    @property
    def has_card(self) -> bool:
        """Whether one of the workers has a card, by its resources."""
        workers = self.client.scheduler_info(n_workers=-1)["workers"]
        return any(
            worker["resources"].get("GPU")
            for address, worker in workers.items()
            if address not in self.unfit
        )

    def settle(self) -> None:
        pass  # its threads only wait

    def stop(self) -> None:
        self.stopped = True

    def grade(
        self,
        assignment: Assignment,
        data: bytes,
        name: str,
        info: SubmissionInfo,
        verdicts: Verdicts | None,
        last: bool,
    ) -> Graded:
        try:
            submission = plan_submission(assignment, read_notebook(data, name))
        except SubmissionError as error:
            return Graded(unreadable(assignment, data, str(error), info))
        expected = self._expected(assignment)
        known = (
            verdicts.of(assignment, submission, expected, 1, self.sealed).entries()
            if verdicts
            else {}
        )
        job = {
            "data": data,
            "name": name,
            "info": info.model_dump(),
            "last": last,
            "expected": expected,
            "verdicts": known,
            "keep": verdicts is not None,
        }
        on_card = [part.id for part in assignment.parts if assignment.needs_card(part)]
        graded = self._graded(assignment, job | {"card": False if on_card else None}, verdicts)
        if on_card and self.has_card:
            other = self._graded(assignment, job | {"card": True}, verdicts, card=True)
            graded = _merged(
                graded,
                other,
                [index for index, (part, _) in submission.checks.items() if part in on_card],
            )
        return graded

    def _graded(
        self,
        assignment: Assignment,
        job: dict[str, Any],
        verdicts: Verdicts | None,
        *,
        card: bool = False,
    ) -> Graded:
        answer = self._ask(assignment, job, card=card)
        if verdicts:
            for name, entry in answer["verdicts"].items():
                verdicts.write(name, entry)
        return Graded(
            Result.from_json(answer["result"]),
            answer["staff"],
            answer["notebook"],
            answer["answers"],
            answer["starved"],
            answer["essays"],
            answer["begun"],
        )

    def _expected(self, assignment: Assignment) -> dict[str, Any]:
        """The reference's answers, those that must be computed by a worker; here they are kept,
        there not.
        """

        def compute(computed: list[Part]) -> dict[str, Any]:
            values: dict[str, Any] = self._ask(
                assignment, {"compute": [part.id for part in computed]}
            )["values"]
            return values

        with self.lock:
            if assignment.digest not in self.expected:
                self.expected[assignment.digest] = known_answers(assignment, compute)
            return self.expected[assignment.digest]

    def _ask(
        self, assignment: Assignment, job: dict[str, Any], *, card: bool = False
    ) -> dict[str, Any]:
        """Have a worker do a job; another one where the first turns out to be unfit. Raises
        WorkerError, ClusterError.
        """
        message = encrypt(self.key, job | {"assignment": assignment.digest})
        for _ in range(MANY):
            data = self._sent(message, card)
            answer = decrypt(self.key, data) if data else {}
            if "unfit" in answer:
                self._exclude(answer["worker"], answer["unfit"])
            elif "lost" in answer:
                raise WorkerError(answer["lost"])
            elif "failed" in answer:
                raise RuntimeError(answer["failed"])
            elif answer:
                return answer
        raise WorkerError("no worker kept what it takes")

    def _sent(self, message: bytes, card: bool) -> bytes | None:
        """What a worker answers to a message; nothing where it must be sent again."""
        with self._talking():
            among = self._among()
            resources = {"GPU": 1} if card else None
            future = self.client.submit(
                work,
                self.name,
                message,
                key=f"{self.name}-{next(self.numbers)}",
                workers=among,
                resources=resources,
                pure=False,
            )
            while not self.stopped:
                try:
                    data: bytes = future.result(timeout=LOOK_S)
                    return data
                except TimeoutError:
                    if not self._alive(among):
                        future.cancel()
                        return None
                except KilledWorker:
                    raise WorkerError(
                        "the workers it was sent to died, one after the other"
                    ) from None
            raise WorkerError("interrupted")

    def _among(self) -> list[str] | None:
        """The workers that may have a task; None: any. Waits where there is nobody for now."""
        since = time.monotonic()
        while not (fit := set(self.client.nthreads()) - set(self.unfit)):
            if time.monotonic() - since > PATIENCE_S or self.stopped:
                why = f" ({'; '.join(sorted(set(self.unfit.values())))})" if self.unfit else ""
                raise ClusterError(messages.NO_WORKERS.format(seconds=PATIENCE_S, why=why))
            time.sleep(LOOK_S / 4)
        return sorted(fit) if self.unfit else None

    def _alive(self, among: list[str] | None) -> bool:
        """Whether one of the workers that a task may go to is there."""
        if self.client.status != "running":
            raise ClusterError(messages.CLUSTER_GONE.format(problem=self.client.status))
        present = set(self.client.nthreads())
        return bool(present) if among is None else not present.isdisjoint(among)

    def _exclude(self, worker: str, why: str) -> None:
        with self.lock:
            new, self.unfit[worker] = worker not in self.unfit, why
        if new:
            self.say(messages.UNFIT_WORKER.format(worker=worker, why=why))

    @contextlib.contextmanager
    def _talking(self) -> Iterator[None]:
        """What goes wrong between us and the scheduler ends the batch, not a submission."""
        try:
            yield
        except (OSError, CancelledError, TimeoutError) as error:
            if self.stopped:
                raise WorkerError("interrupted") from None
            raise ClusterError(
                messages.CLUSTER_GONE.format(
                    problem=str(error).split("\n")[0] or type(error).__name__
                )
            ) from None


def _merged(graded: Graded, other: Graded, checks: list[int]) -> Graded:
    """What a worker without and one with a card found; of the notebook's check cells these are the
    other's.
    """
    if graded.notebook and other.notebook:
        for index in checks:
            graded.notebook["cells"][index]["outputs"] = other.notebook["cells"][index]["outputs"]
    result = merged(graded.result, other.result)
    staff = graded.staff | {
        part.id: other.staff[part.id]
        for part in other.result.parts
        if part.id in other.staff and not left_out(part)
    }
    return Graded(
        result,
        staff,
        graded.notebook,
        graded.answers,
        graded.starved or other.starved,
        graded.essays,
        graded.begun or other.begun,
    )
