"""What was not judged is not a verdict: processes that are killed from outside, a grader that is
stopped or stands still. Such a try is not kept, and of the one after it nothing is shown that the
student could have had carried over.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import homework
import pytest
from homework import ANSWERS, Notebook
from processes import sessions

from autogradient.grading import batch, heartbeat, judge
from autogradient.grading.engine import WORKER, Engine
from autogradient.grading.find_submissions import Item
from autogradient.grading.grade import Graded, grade_bytes
from autogradient.grading.verdict_cache import Verdicts
from autogradient.model.assignment import Assignment
from autogradient.model.result import SubmissionInfo

#: Points of ANSWERS that no person has to give.
RIGHT = 6


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return homework.assignment(tmp_path_factory.mktemp("starved"))


@pytest.fixture
def own() -> Iterator[Engine]:
    """An engine that is stopped."""
    with Engine() as engine:
        engine.check()
        yield engine


class Tries(batch.Local):
    """A grader that remembers what came of each try."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, 2)
        self.tries: list[Graded] = []

    def grade(self, *arguments: Any) -> Graded:
        graded = super().grade(*arguments)
        self.tries.append(copy.deepcopy(graded))
        return graded


def item(folder: Path, assignment: Assignment, notebook: Notebook) -> Item:
    path = folder / "ada" / "small" / "small.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook.bytes())
    return Item(assignment, path, ("ada",))


def asleep(pid: int) -> bool:
    """Whether a process sleeps in a cell."""
    try:
        return "nanosleep" in Path(f"/proc/{pid}/wchan").read_text()
    except OSError:
        return False


def when_asleep(engine: Engine, does: Any) -> threading.Thread:
    """A thread that does something to the first student's process that sleeps."""

    def work() -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            for pid in sessions(engine, WORKER):
                if asleep(pid):
                    does(pid)
                    return

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def sleeper(assignment: Assignment) -> Notebook:
    """Right answers, and a cell that sleeps between the first and the others."""
    notebook = Notebook(assignment, ANSWERS)
    notebook.insert("double-answer", "import time\ntime.sleep(1.5)\nlate = 1")
    return notebook


@pytest.mark.promise("P17")
def test_a_process_that_is_killed_once_from_outside_costs_nothing(
    engine: Engine, assignment: Assignment, tmp_path: Path
) -> None:
    """Not now, and not in later runs, by what was kept."""
    kept, results = Verdicts(tmp_path / "verdicts"), tmp_path / "results"
    work = item(tmp_path / "submitted", assignment, sleeper(assignment))
    killer = when_asleep(engine, lambda pid: os.kill(pid, signal.SIGKILL))
    tries = Tries(engine)
    (done,) = batch.grade_all([work], tries, results=results, verdicts=kept)
    killer.join()
    assert [one.starved for one in tries.tries] == [True, False], "it was killed, then left alone"
    assert done.graded.result.points.earned == RIGHT
    (results / "small" / "ada.json").unlink()
    (again,) = batch.grade_all([work], batch.Local(engine, 2), results=results, verdicts=kept)
    assert again.graded.result.points.earned == RIGHT


def test_nothing_is_kept_of_what_an_engine_did_that_is_stopped(
    own: Engine, assignment: Assignment, tmp_path: Path
) -> None:
    killer = when_asleep(own, lambda pid: own.stop())
    kept = Verdicts(tmp_path / "verdicts")
    data = sleeper(assignment).bytes()
    grade_bytes(assignment, data, "a.ipynb", own, SubmissionInfo(), verdicts=kept)
    killer.join()
    assert own.stopped and not list(tmp_path.rglob("*.json"))


def test_a_try_that_is_to_be_tried_again_is_not_written(
    engine: Engine, assignment: Assignment, tmp_path: Path
) -> None:
    class Interrupted(batch.Local):
        def grade(self, *arguments: Any) -> Graded:
            if arguments[-1]:
                raise KeyboardInterrupt
            graded = super().grade(*arguments)
            graded.starved, graded.result.questions = True, []
            return graded

    work = item(tmp_path / "submitted", assignment, Notebook(assignment, ANSWERS))
    results = tmp_path / "results"
    with Engine() as other:
        other.check()
        with pytest.raises(KeyboardInterrupt):
            batch.grade_all([work], Interrupted(other, 1), results=results)
    assert not list(results.rglob("*.json"))


SUICIDE = """
import os, signal
def double(x):
    if np.ndim(x):  # as in the hidden case
        os.kill(os.getpid(), signal.SIGKILL)
    return np.array(x) + np.array(x)
"""


@pytest.mark.promise("P4")
def test_of_a_second_try_only_verdicts_are_shown(
    engine: Engine, assignment: Assignment, tmp_path: Path
) -> None:
    """Whoever has it begun by what a hidden input says could have something carried over."""
    notebook = Notebook(assignment, ANSWERS | {"double": SUICIDE})
    notebook.insert("total-answer", "import os\nprint('drawn', os.urandom(8).hex())")
    notebook.insert("total-answer", "import os\nraise ValueError(os.urandom(8).hex())")
    tries = Tries(engine)
    work = item(tmp_path / "submitted", assignment, notebook)
    (done,) = batch.grade_all([work], tries, results=tmp_path / "results")
    first, second = tries.tries
    assert first.starved and second.notebook != first.notebook

    def shown(graded: Graded) -> list[str]:
        cells = (graded.notebook or {})["cells"]
        return [json.dumps(cell["outputs"]) for cell in cells if cell.get("execution_count")]

    assert shown(done.graded) == shown(first), "what the first try printed"
    drawn = {text for text in shown(second) if "drawn" in text or "ValueError" in text}
    assert len(drawn) == 2
    written = (tmp_path / "results" / "small" / "ada.json").read_text()
    assert done.graded.result.problems == first.result.problems
    raised = [one.message for one in second.result.problems if "ValueError" in one.message]
    assert raised and not any(message in written for message in raised)
    assert done.graded.result.graded_at == first.result.graded_at


def test_no_test_is_begun_where_cells_were_starved_the_first_time(
    engine: Engine, assignment: Assignment
) -> None:
    killer = when_asleep(engine, lambda pid: os.kill(pid, signal.SIGKILL))
    data = sleeper(assignment).bytes()
    graded = grade_bytes(assignment, data, "a.ipynb", engine, SubmissionInfo(), last=False)
    killer.join()
    assert graded.starved and not graded.begun
    assert all(case.outcome == "not_run" for part in graded.result.parts for case in part.cases)


def test_time_in_which_the_machine_stood_still_is_not_the_students(
    engine: Engine, assignment: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = "def double(x):\n    while True:\n        pass"
    data = Notebook(assignment, ANSWERS | {"double": loop}).bytes()
    kept = Verdicts(tmp_path / "verdicts")

    def starved() -> bool:
        info = SubmissionInfo()
        return grade_bytes(assignment, data, "a.ipynb", engine, info, verdicts=kept).starved

    monkeypatch.setattr(judge, "_starved", lambda runner, limit: False)  # on a busy machine
    with monkeypatch.context() as patch:
        patch.setattr(engine.heartbeat, "stood_still", lambda since: True)
        assert starved() and not list(tmp_path.rglob("*.json"))
    assert not starved() and list(tmp_path.rglob("*.json"))


PAUSED = """
import sys, time
from autogradient.grading import heartbeat
heartbeat.BEAT_S, heartbeat.STILL_S = 0.01, 0.5
beats, began = heartbeat.Heartbeat(), time.monotonic()
print("ready", flush=True)
sys.stdin.readline()
print(beats.stood_still(began), beats.stood_still(time.monotonic()), flush=True)
"""


@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_a_pause_of_the_whole_process_is_noticed(seconds: float) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PAUSED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdin and process.stdout.readline() == "ready\n"
        if seconds:
            process.send_signal(signal.SIGSTOP)
            time.sleep(seconds)  # what is tested is that this is told from the student's time
            process.send_signal(signal.SIGCONT)
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "True False\n"
        else:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline().split()[1] == "False"


def test_the_heart_beats_while_an_engine_lives(own: Engine) -> None:
    assert isinstance(own.heartbeat, heartbeat.Heartbeat)
    own.close()
    assert own.heartbeat.over.is_set()


def test_a_kept_entry_without_its_cases_is_not_believed(
    engine: Engine, assignment: Assignment, tmp_path: Path
) -> None:
    data, kept = Notebook(assignment, ANSWERS).bytes(), Verdicts(tmp_path)
    info = SubmissionInfo()
    before = grade_bytes(assignment, data, "a.ipynb", engine, info, verdicts=kept).result
    for path in tmp_path.rglob("*.json"):
        entry = json.loads(path.read_text())
        if "cases" in entry:
            path.write_text(json.dumps(entry | {"cases": entry["cases"][:-1]}))
    after = grade_bytes(assignment, data, "a.ipynb", engine, info, verdicts=kept).result
    assert after.points == before.points and before.points.earned == RIGHT
