"""Grades attacks in a place full of secrets and looks at what came of it: points, leaks, hangs,
other people's results, processes, files.

`Campaign` runs attacks in worker processes with an engine each; a worker adopts every orphan of its
engine, so that nothing escapes its count.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import html
import json
import multiprocessing
import os
import queue
import re
import shutil
import signal
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

import autogradient
from autogradient.coursework import grade_course
from autogradient.errors import SubmissionError
from autogradient.feedback import page, renderer, summary
from autogradient.grading import batch
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.model.assignment import Assignment
from autogradient.model.result import MAX_BYTES, MAX_STAFF_BYTES, Result, within
from autogradient.sources.formats import load_assignment

from . import corpus
from .suites import LIMITS, Attack, Key, attacks, name_of, shared_corpus

#: Seconds over its budget after which a case hangs.
OVER_S = 5.0
#: Kinds of cases after each of which a peer is graded; after the others now and then.
HURTING, EVERY = ("fault", "wire", "smuggle"), 5
#: MB by which a submission may make the grader's own process grow for a moment.
MOST_MB = 600
#: MB that an executed notebook may have: feedback is made of it.
MOST_NOTEBOOK_MB = 60
#: Seconds in which its page is to be there.
MOST_PAGE_S = 4 * renderer.NOTEBOOK_S
PEER, ATTACKER = "zoe", "eve"


@dataclass
class Report:
    """What came of an attack. `problems` is empty where the grader held."""

    key: Key
    kind: str
    outcome: str = ""
    points: float | None = None
    seconds: float = 0.0
    forged: bool = False
    leaked: bool = False
    problems: list[str] = field(default_factory=list)


# ---- the place -----------------------------------------------------------------------------------


class Listener:
    """Sockets on this machine that nobody should reach; `heard` is what came."""

    def __init__(self) -> None:
        self.heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self.abstract = socket.socket(socket.AF_UNIX)
        self.name = f"autogradient-attacks-{os.getpid()}-{self.tcp.getsockname()[1]}"
        self.abstract.bind(f"\0{self.name}")
        self.abstract.listen()
        for sock in (self.tcp, self.abstract):
            threading.Thread(target=self._accept, args=(sock,), daemon=True).start()
        threading.Thread(target=self._datagrams, daemon=True).start()

    def _accept(self, sock: socket.socket) -> None:
        while True:
            connection, _ = sock.accept()
            self.heard.put(f"a connection to {sock.getsockname()!r}")
            connection.close()

    def _datagrams(self) -> None:
        while True:
            self.heard.put(f"a datagram with {self.udp.recv(200)!r}")

    def take(self) -> list[str]:
        """What was heard since it was last asked for."""
        found = []
        while not self.heard.empty():
            found.append(self.heard.get())
        return found

    def words(self) -> dict[str, str]:
        """What the ports are called in cases."""
        return {
            corpus.TCP: str(self.tcp.getsockname()[1]),
            corpus.UDP: str(self.udp.getsockname()[1]),
            corpus.ABSTRACT: self.name,
        }


def write_secrets(root: Path) -> None:
    """A home with credentials and a course with a gradebook, results and keys, all of
    them marked.
    """
    home, course = root / "home", root / "course"
    for file in (
        ".git-credentials",
        ".netrc",
        ".config/gh/hosts.yml",
        ".ssh/id_ed25519",
        ".bash_history",
    ):
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(f"{corpus.IN_HOME}\n")
    (course / "results").mkdir()
    (course / "results" / f"{PEER}.json").write_text(f'{{"mark": "{corpus.IN_PEER}"}}\n')
    (course / "results" / "ledger.jsonl").write_text(f'{{"why": "{corpus.IN_PEER}"}}\n')
    (course / ".env").write_text(f"TOKEN={corpus.IN_ENVIRONMENT}\n")
    with contextlib.closing(sqlite3.connect(course / "gradebook.db")) as db, db:
        db.execute("create table source_cell (source text)")
        db.execute("create table grade (student text, auto_score real, manual_score real)")
        db.execute("insert into source_cell values (?)", (corpus.IN_TEST,))
        db.executemany("insert into grade values (?, 1.0, null)", [(PEER,), (ATTACKER,)])


class Place:
    """A course folder, an engine and a listener; tries one attack after another."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "course").mkdir()
        write_secrets(root)
        self.listener = Listener()
        self.words = {corpus.ROOT: str(root), **self.listener.words()}
        self.assignments: dict[tuple[str, str], Assignment] = {}
        self.usual: dict[tuple[str, str], str] = {}
        self.engine: Engine | None = None
        self.tried = 0

    def submitted(self, attack: Attack, student: str) -> Path:
        """Where a student's submission lies."""
        return self.root / "course" / "submitted" / student / name_of(attack.suite)

    def assignment(self, attack: Attack) -> Assignment:
        """The assignment, with short limits."""
        key = (attack.suite, attack.format)
        if key not in self.assignments:
            folder = (
                self.root
                / "course"
                / ("source" if attack.format == "nbgrader" else "otter")
                / name_of(attack.suite)
            )
            path = folder / f"{folder.name}.ipynb" if attack.format == "nbgrader" else folder
            if attack.suite == "shared":
                shared_corpus().write_assignment(attack.format, folder)
            else:
                corpus.write_assignment(
                    "nbgrader" if attack.format == "nbgrader" else "otter", folder
                )
            self.assignments[key] = replace(load_assignment(path), limits=LIMITS)
        return self.assignments[key]

    def grade(self, attack: Attack, student: str) -> list[batch.Done]:
        """Grade as the command does. Raises ConfinementError where something is missing: these
        submissions are not to be run then.
        """
        if self.engine is None:
            self.engine = Engine()
            self.engine.check()
        return grade_course.grade_files(
            [self.submitted(attack, student)], [self.assignment(attack)], Local(self.engine, 1)
        )

    def peer(self, attack: Attack) -> str:
        """What the peer's submission comes to."""
        (done,) = self.grade(attack, PEER)
        return verdicts(done.graded.result)

    def lay_out(self, attack: Attack) -> None:
        """Write the peer's submission and the attacker's."""
        peer, mine = self.submitted(attack, PEER), self.submitted(attack, ATTACKER)
        for folder in (peer, mine):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        if attack.suite == "shared":
            right = next(case for case in shared_corpus().CASES if case.id == "control-correct")
            shared_corpus().write_case(right, attack.format, peer)
        else:
            right = corpus.Case("", "", "", answers=corpus.RIGHT)
            corpus.write_case(
                right, "nbgrader" if attack.format == "nbgrader" else "otter", peer, {}
            )
        file = peer / f"{peer.name}.ipynb"
        book = json.loads(file.read_text())
        book["cells"].append(corpus.markdown(corpus.IN_PEER) | {"id": "peer"})
        file.write_text(json.dumps(book))
        attack.write(mine, self.words)

    # ---- one attack ------------------------------------------------------------------------------

    def attempt(self, attack: Attack) -> Report:
        """Grade an attack, then a peer, and say what is wrong."""
        report = Report(attack.key, attack.kind)
        assignment, kind = self.assignment(attack), (attack.suite, attack.format)
        self.lay_out(attack)
        if kind not in self.usual:
            self.usual[kind] = self.peer(attack)
        renderer.shared().fork().close()  # so that it is there before processes are counted
        files, processes = self.files(), descendants()
        self.listener.take()
        done: list[list[batch.Done] | Exception] = []

        def work() -> None:
            try:
                done.append(self.grade(attack, ATTACKER))
            except Exception as error:
                done.append(error)

        memory = forget_peak()
        started = time.monotonic()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(attack.budget_s + OVER_S)
        report.seconds = time.monotonic() - started
        if thread.is_alive():
            report.problems.append(
                f"hangs: not ended after {report.seconds:.0f} s, its budget is "
                f"{attack.budget_s:.0f} s"
            )
            self.abandon()
            thread.join(OVER_S)
        elif isinstance(done[0], SubmissionError):
            report.outcome = "refused"
            self.look(report, attack, 0, [str(done[0])])
        elif isinstance(done[0], Exception):
            report.problems.append(f"raises {type(done[0]).__name__}: {str(done[0])[:300]}")
        else:
            for one in done[0]:
                self.judge(report, attack, assignment, one)
        if peak() - memory > MOST_MB:
            report.problems.append(f"bloats the grader by {peak() - memory} MB")
        heard = self.listener.take()
        report.problems += [f"leaks: {message}" for message in heard]
        report.leaked |= bool(heard)
        self.aftermath(report, attack, files, processes)
        return report

    def judge(
        self, report: Report, attack: Attack, assignment: Assignment, done: batch.Done
    ) -> None:
        """Look at the result and at all that its student can read."""
        graded = done.graded
        result = graded.result
        report.outcome, points = result.outcome, result.points
        if not result.sealed:
            report.problems.append("not sealed")
        if result.outcome not in ("graded", "unreadable"):
            report.problems.append(
                f"outcome: {result.outcome}; {json.dumps(graded.staff, default=str)[-600:]}"
            )
        if result.outcome == "graded" and (points.ungraded or points.possible != assignment.points):
            report.problems.append(
                f"escapes: {points.ungraded} points ungraded of {points.possible}"
            )
        written, staff = len(result.to_json().encode()), len(within(graded.staff, MAX_STAFF_BYTES))
        if written > MAX_BYTES or staff > MAX_STAFF_BYTES:
            report.problems.append(f"result of {written} bytes, {staff} beside it")
        readable = [
            result.to_json(),
            summary.markdown(result, assignment.title, assignment.headings),
            json.dumps(graded.notebook, ensure_ascii=False),
        ]
        if len(readable[-1]) > MOST_NOTEBOOK_MB * 1_000_000:
            report.problems.append(f"executed notebook of {len(readable[-1]) // 1_000_000} MB")
            graded.notebook = None
        began = time.monotonic()
        try:
            readable.append(
                page.html_page(
                    result, graded.notebook, assignment.title, assignment.files, assignment.headings
                )
            )
        except Exception as error:
            report.problems.append(
                f"feedback fails with {type(error).__name__}: {str(error)[:200]}"
            )
        if time.monotonic() - began > MOST_PAGE_S:
            report.problems.append(f"feedback takes {time.monotonic() - began:.0f} s")
        self.look(report, attack, float(points.earned), readable)
        stale = [
            problem.message
            for problem in result.problems
            if re.search(r"'?autogradient\.|has no attribute '(_[A-Z]|[A-Z]+')", problem.message)
        ]
        if attack.kind == "wire" and stale:
            report.problems.append(f"does not attack any more: {stale[0]}")

    def look(self, report: Report, attack: Attack, points: float, readable: Iterable[str]) -> None:
        """Compare points with what is deserved, and search for secrets."""
        report.points = points
        if points > attack.most:
            report.forged = True
            report.problems.append(
                f"forged: {points:g} points where at most {attack.most:g} are deserved"
            )
        if points < attack.least:
            report.problems.append(
                f"loses honest points: {points:g} where {attack.least:g} are deserved"
            )
        found = sorted({secret for text in readable for secret in secrets_in(text, attack.suite)})
        if found:
            report.leaked = True
            report.problems.append(f"leaks: {', '.join(found)}")

    def aftermath(
        self,
        report: Report,
        attack: Attack,
        files: Mapping[str, tuple[int, ...]],
        processes: set[int],
    ) -> None:
        """What a submission must leave as it was: others' results, processes, files."""
        if self.engine is not None:
            left = left_over(processes, OVER_S)
            if left:
                report.problems.append(f"leaves processes: {describe(left)}")
        now = self.files()
        changed = sorted(
            name for name in files.keys() | now.keys() if files.get(name) != now.get(name)
        )
        if changed:
            report.problems.append(f"changes files: {', '.join(changed[:5])}")
        found = traces()
        if found:
            report.problems.append(f"leaves files: {', '.join(found)}")
        self.tried += 1
        if attack.kind not in HURTING and self.tried % EVERY and not report.problems:
            return
        try:
            if self.peer(attack) != self.usual[attack.suite, attack.format]:
                report.problems.append("changes a peer's result")
        except Exception as error:
            report.problems.append(
                f"a peer cannot be graded: {type(error).__name__}: {str(error)[:300]}"
            )
            self.abandon()

    def files(self) -> dict[str, tuple[int, ...]]:
        """Every file of the place, as it stands; but for the grader's own cache."""
        found = {}
        for folder, folders, names in os.walk(self.root):
            if Path(folder) == self.root:
                folders[:] = [name for name in folders if name != "cache"]
            for name in (*names, *folders):
                path = os.path.join(folder, name)
                with contextlib.suppress(FileNotFoundError):
                    state = os.lstat(path)
                    is_file = not os.path.isdir(path)
                    found[os.path.relpath(path, self.root)] = (
                        state.st_mode,
                        state.st_uid,
                        *((state.st_size, state.st_mtime_ns) if is_file else ()),
                    )
        return found

    def abandon(self) -> None:
        """Give the engine up, with all below it."""
        if self.engine is not None:
            self.engine.stop()
        for child in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                child.kill()
        self.engine = None


def verdicts(result: Result) -> str:
    """A result without what may differ from time to time."""
    data = json.loads(result.to_json())
    data.pop("graded_at")
    for question in data["questions"]:
        for part in question["parts"]:
            for case in part["cases"]:
                case.pop("seconds")
    return json.dumps(data)


def left_over(before: set[int], seconds: float) -> set[int]:
    """Processes below this one that were not there before, and have not ended after
    some seconds.
    """
    deadline = time.monotonic() + seconds
    while (left := descendants() - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def peak() -> int:
    """The most memory that this process, the grader, has held since `forget_peak`; in MB."""
    (line,) = [
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) // 1024


def forget_peak() -> int:
    """Begin to measure anew; returns what is held now, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def descendants() -> set[int]:
    """Every process below this one. Orphans come to us, too: see `_start`."""
    return {child.pid for child in psutil.Process().children(recursive=True)}


def describe(pids: Iterable[int]) -> str:
    """Processes in words."""
    words = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            words.append(
                f"{pid} ({process.status()}, child of {process.ppid()}: "
                f"{' '.join(process.cmdline())[-80:]})"
            )
    return "; ".join(words[:5])


def traces() -> list[str]:
    """Files that cases made where they should not be able to; removed, so that the next case is not
    blamed.
    """
    package = Path(autogradient.__file__).parent
    found = []
    for folder in (
        Path("/"),
        Path("/tmp"),
        Path("/var/tmp"),
        Path("/dev/shm"),
        Path("/run"),
        package,
        package / "wire",
        package / "sandbox",
        package.parent,
    ):
        with contextlib.suppress(OSError):
            for path in folder.glob(f"{corpus.TRACE}*"):
                found.append(str(path))
                path.unlink()
    return found


def secrets_in(text: str, suite: str) -> set[str]:
    """The secrets that a text holds, plain or in the encodings that come to mind."""
    found = set()
    plain = html.unescape(text)
    for word in (corpus.MARK, *([corpus.SECRET_NUMBER] if suite == "own" else [])):
        encoded = {
            word,
            word[::-1],
            word.encode().hex(),
            *(_base64_core(word, shift) for shift in range(3)),
        }
        if any(form in text or form in plain for form in encoded):
            found.add(word if word in plain else f"{word} (encoded)")
    return found


def _base64_core(word: str, shift: int) -> str:
    """What base64 makes of a word wherever it stands, but for its edges."""
    return (
        base64.b64encode(b"\0" * shift + word.encode())
        .decode()[4 if shift else 0 :]
        .rstrip("=")[:-1]
    )


# ---- many attacks --------------------------------------------------------------------------------

_place: Place
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def _start(base: str) -> None:
    """Prepare a worker process: a folder of its own, which is also its home; orphans below it
    become its children.
    """
    global _place
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    # nobody waits for the reports of a run that was killed
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    root = Path(base) / str(os.getpid())
    (root / "tmp").mkdir(parents=True)
    os.environ |= {
        "HOME": str(root / "home"),
        "TMPDIR": str(root / "tmp"),
        "XDG_CACHE_HOME": str(root / "cache"),
    }
    tempfile.tempdir = None
    _place = Place(root)
    os.chdir(root / "course")


def _attempt(key: Key) -> Report:
    return _place.attempt(attacks()[key])


class Campaign:
    """Runs attacks side by side, each worker with a folder, an environment with a token and an
    engine of its own. Use as a context manager.
    """

    def __init__(self, keys: Iterable[Key], jobs: int) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="attacks-", ignore_cleanup_errors=True)
        self.keys, self.jobs = list(keys), jobs
        self.reports: dict[Key, Future[Report]] = {}

    def __enter__(self) -> Campaign:
        with _environment(
            GITHUB_TOKEN=corpus.IN_ENVIRONMENT, AWS_SECRET_ACCESS_KEY=corpus.IN_ENVIRONMENT
        ):
            self.pool = ProcessPoolExecutor(
                self.jobs, multiprocessing.get_context("spawn"), _start, (self.folder.name,)
            )
            self.reports = {key: self.pool.submit(_attempt, key) for key in self.keys}
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.shutdown(cancel_futures=True)
        self.folder.cleanup()


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Environment variables that processes started now inherit."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
