"""Grading on a Dask cluster: a real scheduler, real workers in processes of their own, of which
some die, dawdle, come late or will not do.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clusters import (
    ENDLESS,
    HOSTILE,
    VARIANTS,
    Machines,
    results_of,
    until,
    without_times,
    write_course,
)
from confined import root_without_capabilities
from cryptography.exceptions import InvalidTag
from distributed import Security
from test_kill import ours

from autogradient.course import config
from autogradient.coursework import grade_course
from autogradient.errors import ClusterError
from autogradient.grading import batch, dask_cluster, dask_worker, find_submissions
from autogradient.grading.batch import Done, Local
from autogradient.grading.dask_cluster import connect
from autogradient.grading.engine import Engine
from autogradient.grading.verdict_cache import Verdicts
from autogradient.model.result import merged

STUDENTS = 16

#: Run first in a worker, it makes it one of another kind.
ANOTHER_VERSION = """
from autogradient.grading import dask_worker
from autogradient.model import environment
dask_worker.environment = lambda: environment.environment() | {"packages": [*environment.environment()["packages"], "strange==1"]}
"""  # noqa: E501
WITH_A_CARD = "from autogradient.grading import judge\njudge.has_gpu = lambda: True\n"


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Path:
    """A course of many small submissions, graded on this machine."""
    root = tmp_path_factory.mktemp("cluster") / "course"
    write_course(root, STUDENTS, [*VARIANTS * 2, ENDLESS, HOSTILE])
    here = config.load(root)
    grade_course.grade_course(here, [here.assignment("small")], Local(engine, 2))
    assert len(results_of(root)) == STUDENTS
    return root


@pytest.fixture
def root(calm: Path, tmp_path: Path) -> Path:
    """The same course, not graded."""
    return Path(
        shutil.copytree(
            calm,
            tmp_path / "course",
            ignore=shutil.ignore_patterns("results", "gradebook.db*", "autograded"),
        )
    )


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    home = tmp_path / "machines"
    home.mkdir()
    with Machines(home) as made:
        yield made


class Events(batch.Watcher):
    """Does something when so many submissions are done."""

    def __init__(self, events: dict[int, Any]) -> None:
        self.events, self.finished = events, list[str]()

    def done(self, done: Done) -> None:
        self.finished.append(done.item.students[0])
        self.events.pop(len(self.finished), lambda: None)()


def test_one_dies_one_dawdles_one_comes_late(machines: Machines, root: Path, calm: Path) -> None:
    address = machines.start()
    machines.worker("dies")
    machines.worker("dawdles")
    here, said = config.load(root), list[str]()
    with connect(address, say=said.append) as grader:
        until(lambda: len(grader.client.nthreads()) == 2, "two workers")
        events = Events(
            {
                3: lambda: machines.signal("dawdles", signal.SIGSTOP),
                4: lambda: machines.worker("late"),
                6: lambda: machines.kill("dies"),  # now there is only the late one
                9: lambda: machines.signal("dawdles", signal.SIGCONT),
                12: lambda: machines.kill("dawdles"),
            }
        )
        graded = grade_course.grade_course(here, [here.assignment("small")], grader, watcher=events)
    assert (graded.new, graded.failed, said) == (STUDENTS, False, []) and not events.events
    assert sorted(events.finished) == sorted(set(events.finished)) and results_of(
        root
    ) == results_of(calm)
    # of what a machine did that stood still nothing is kept
    kept = {path.name for path in (root / "results" / ".verdicts").rglob("*.json")}
    assert kept <= {path.name for path in (calm / "results" / ".verdicts").rglob("*.json")}
    until(lambda: not ours(machines.home), "the workers' engines end")


def test_verdicts_that_are_known_are_not_taken_again(
    machines: Machines, root: Path, calm: Path
) -> None:
    """The workers get what was kept here: only what changed is judged."""
    shutil.copytree(calm / "results" / ".verdicts", root / "results" / ".verdicts")
    address = machines.start()
    machines.worker("one", preload="from autogradient.grading import trial\n")
    here = config.load(root)
    kept = set((root / "results").rglob("*.json"))
    assignment = here.assignment("small")
    with connect(address) as grader:
        items = [
            item
            for item in find_submissions.submissions(here.submitted, [assignment])
            if item.students[0] == "student000"
        ]
        with grader.batch(items):
            data = items[0].path.read_bytes()
            verdicts = Verdicts(here.results / grade_course.VERDICTS)
            info = batch.SubmissionInfo(students=["student000"])
            first = grader.grade(assignment, data, "small.ipynb", info, verdicts, True)
            assert set((root / "results").rglob("*.json")) == kept
            assert without_times(first.result)["points"] == results_of(calm)["student000"]["points"]


def test_a_worker_that_would_grade_otherwise_is_not_used(
    machines: Machines, root: Path, calm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "PATIENCE_S", 1)
    address, here, said = machines.start(), config.load(root), list[str]()
    with (
        pytest.raises(
            ClusterError, match="has had no worker that can grade for 1 s; what was graded is kept"
        ),
        connect(address) as grader,
    ):
        grade_course.grade_course(here, [here.assignment("small")], grader)
    # that much can be said without a worker
    assert {result["outcome"] for result in results_of(root).values()} == {"unreadable"}
    machines.worker("other", preload=ANOTHER_VERSION)
    until(lambda: "Registered to" in machines.log("other"), "a worker")
    differs = "it would grade in another environment: it has strange==1"
    with (
        pytest.raises(ClusterError, match=f"no worker of the Dask cluster can grade: {differs}"),
        connect(address, say=said.append),
    ):
        pass
    monkeypatch.undo()
    machines.worker("like")
    until(lambda: "Registered to" in machines.log("like"), "two workers")
    with connect(address, say=said.append) as grader:
        grade_course.grade_course(here, [here.assignment("small")], grader)
    assert results_of(root) == results_of(calm)
    assert len(said) == 2 and all(f"is not used: {differs}" in sentence for sentence in said)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_a_node_that_cannot_confine_grades_nothing(machines: Machines, root: Path) -> None:
    address = machines.start()
    machines.worker("open", before=root_without_capabilities)
    until(lambda: "Registered to" in machines.log("open"), "the worker comes")
    with (
        pytest.raises(ClusterError, match="student code cannot be confined"),
        connect(address, say=lambda _: None),
    ):
        pass


CUDA = "<!--| question: double, needs: cuda -->"


def test_questions_that_need_a_card_go_where_one_is(
    machines: Machines, root: Path, calm: Path
) -> None:
    """A card that is only pretended: the question's tests do without."""
    source = root / "source" / "small" / "small.py"
    source.write_text(source.read_text().replace("<!--| question: double -->", CUDA))
    for student in sorted((root / "submitted").iterdir())[4:]:
        shutil.rmtree(student)
    here = config.load(root)
    address = machines.start()
    machines.worker("plain")
    with connect(address) as grader:
        grade_course.grade_course(here, [here.assignment("small")], grader)
    without = results_of(root)
    assert {case["outcome"] for result in without.values() for case in cases(result, "double")} == {
        "not_run"
    }
    assert all(
        result["points"]["possible"] == 8 and result["points"]["ungraded"] >= 2
        for result in without.values()
    )
    machines.worker("card", "--resources", "GPU=1", preload=WITH_A_CARD)
    with connect(address) as grader:
        until(lambda: grader.has_card, "a card")
        grade_course.grade_course(here, [here.assignment("small")], grader)
    both = results_of(root)
    for student, result in both.items():
        expected = results_of(calm)[student]
        for part in ("double", "total", "scale", "pick", "why"):
            assert cases(result, part) == cases(expected, part)
        assert result["points"] == expected["points"] and result["outcome"] == "graded"
    for student, result in both.items():  # whichever comes first
        one, other = (batch.Result.model_validate(found[student]) for found in (without, both))
        assert without_times(merged(one, other)) == without_times(merged(other, one)) == result


def cases(result: dict[str, Any], part: str) -> list[Any]:
    return [
        found["cases"]
        for question in result["questions"]
        for found in question["parts"]
        if found["id"] == part
    ][0]


def test_nothing_secret_is_logged_or_spilled(
    machines: Machines, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that keeps nothing in memory, and results that are never fetched away."""
    source = root / "source" / "small" / "small.py"
    source.write_text(
        source.read_text().replace(
            "x = secret.normal(size=4)",
            'x = secret.normal(size=4)  # LEAKMARK\n    print("LEAKMARK")',
        )
    )
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__MEMORY__TARGET", "1e-9")
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__MEMORY__SPILL", "1e-9")
    address = machines.start()
    machines.worker("small", "--memory-limit", "4GB")
    here = config.load(root)
    assignment = here.assignment("small")
    with connect(address) as grader:
        futures, submit = [], grader.client.submit

        def keeping(*arguments: Any, **options: Any) -> Any:
            futures.append(submit(*arguments, **options))
            return futures[-1]

        monkeypatch.setattr(grader.client, "submit", keeping)
        items = list(find_submissions.submissions(here.submitted, [assignment]))[:3]
        done = list(batch.grade_each(items, grader))
        # the test has something to find
        assert any("LEAKMARK" in str(one.graded.staff) for one in done)
        spilled = [
            path
            for path in (machines.home / "small").rglob("*")
            if path.is_file() and path.name != "first.py" and "storage" in path.parts
        ]
        assert len(spilled) >= len(items), "nothing was spilled"
        with pytest.raises(RuntimeError), grader.batch(items):
            grader._ask(assignment, {"nonsense": "LEAKMARK"})
    for path in machines.home.rglob("*"):
        assert not path.is_file() or b"LEAKMARK" not in path.read_bytes(), path


def test_a_client_that_dies_leaves_nothing_on_the_workers(machines: Machines, root: Path) -> None:
    address = machines.start()
    machines.worker("one")
    command = [sys.executable, "-m", "autogradient", "grade", "--all", "--dask", address]
    client = subprocess.Popen(
        command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until(lambda: list(root.glob("results/small/student*.json")), "results are written")
    assert ours(machines.home)
    client.kill()
    client.wait()
    until(lambda: not ours(machines.home), "the workers' engines end")
    until(lambda: "Removing Worker plugin autogradient" in machines.log("one"), "the plugin goes")


def test_where_the_scheduler_dies_the_same_command_goes_on(
    machines: Machines, root: Path, calm: Path
) -> None:
    address = machines.start()
    machines.worker("one")
    machines.worker("two")
    command = [sys.executable, "-m", "autogradient", "grade", "--all", "--dask"]
    first = subprocess.Popen(
        [*command, address], cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    until(lambda: len(list(root.glob("results/small/student*.json"))) > 5, "results are written")
    machines.kill("scheduler")
    _, said = first.communicate(timeout=120)
    last = said.decode().splitlines()[-1]
    assert (
        first.returncode == 2
        and last.startswith("the Dask scheduler is gone")
        and last.endswith("the same command goes on from there")
    ), said.decode()
    written = len(list(root.glob("results/small/student*.json")))
    for name in ("one", "two"):
        machines.kill(name)
    address = machines.start()
    machines.worker("three")
    second = subprocess.run(
        [*command, address], cwd=root, capture_output=True, text=True, timeout=120
    )
    assert (
        second.returncode == 0
        and 0 < int(second.stdout.split(" graded, ")[1].split(" ")[0]) <= written
    ), (second.stdout, second.stderr)
    assert results_of(root) == results_of(calm)


def test_over_a_network_only_encrypted(
    machines: Machines, root: Path, calm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, sentence in (
        ("tcp://192.0.2.1:8786", "only encrypted"),
        ("tls://192.0.2.1", "not a scheduler's address"),
        ("here", "not a scheduler's address"),
    ):
        with pytest.raises(ClusterError, match=sentence), connect(address):
            pass
    with pytest.raises(ClusterError, match="no certificates"), connect("tls://127.0.0.1:1"):
        pass
    made = Security.temporary()
    files = {"ca-file": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for role in ("CLIENT", "SCHEDULER", "WORKER"):
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT", str(tmp_path / "cert"))
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY", str(tmp_path / "key"))
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TLS__CA_FILE", str(tmp_path / "ca-file"))
    address = machines.start("--protocol", "tls")
    assert address.startswith("tls://")
    machines.worker("one")
    run = subprocess.run(
        [sys.executable, "-m", "autogradient", "grade", "--all", "--dask", address],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ,
    )
    assert run.returncode == 0, run.stderr
    assert results_of(root) == results_of(calm)


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("tls://192.0.2.1:1", True),
        ("tcp://192.0.2.1:1", False),
        ("tcp://127.0.0.1:1", True),
        ("tcp://[::1]:1", True),
        ("tcp://localhost:1", True),
        ("tcp://127.0.0.1.example.org:1", False),
        ("ws://127.0.0.1:1", False),
    ],
)
def test_what_nobody_can_listen_to(address: str, private: bool) -> None:
    assert dask_worker.is_private(address) is private


def test_a_cluster_of_this_machines_own_is_interrupted_and_goes_on(
    root: Path, calm: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "autogradient",
        "grade",
        "--all",
        "--dask",
        "local",
        "--jobs",
        "2",
    ]
    mine = {**os.environ, "TMPDIR": str(tmp_path)}
    first = subprocess.Popen(
        command,
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=mine,
    )
    until(lambda: len(list(root.glob("results/small/student*.json"))) > 4, "results are written")
    os.killpg(first.pid, signal.SIGINT)  # as Ctrl-C does: to the workers, too
    _, said = first.communicate(timeout=120)
    # 0 or 2 where Python delivers the interrupt inside a callback that cannot raise it; whatever it
    # says, what follows must hold
    assert first.returncode in (0, 2, 130) and (
        first.returncode != 130 or b"run the command again to go on" in said
    ), said.decode()
    until(lambda: not ours(tmp_path), "the workers' engines end")
    results_of(root)  # nothing half-written
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=200)
    assert run.returncode == 0 and " up to date" in run.stdout, run.stderr
    assert results_of(root) == results_of(calm)


def test_what_was_made_with_another_key_is_not_believed() -> None:
    message = dask_worker.encrypt(b"k" * 32, {"points": 10})
    assert dask_worker.decrypt(b"k" * 32, message) == {"points": 10} and b"points" not in message
    for bad in (
        dask_worker.encrypt(b"j" * 32, {"points": 10}),
        message[:-1],
        message[:-1] + bytes([message[-1] ^ 1]),
    ):
        with pytest.raises(InvalidTag):
            dask_worker.decrypt(b"k" * 32, bad)
