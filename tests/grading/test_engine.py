"""Judges, one after the other from one process that knows nothing; and what the warm interpreters
have done before anybody's code runs.
"""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from attacks.wire import FIND

from autogradient.grading import engine
from autogradient.grading.engine import Engine, JudgeProcess
from autogradient.grading.judge import job_of
from autogradient.model.assignment import Assignment, Case, Limits, Part, Question
from autogradient.sandbox.seeds import seed_everything
from autogradient.wire import codec

LIMITS = Limits()


@pytest.fixture(scope="module")
def own() -> Iterator[Engine]:
    with Engine() as warm:
        warm.check()
        yield warm


@pytest.fixture
def fresh(own: Engine) -> Engine:
    own.rest()
    return own


def say(judge_process: JudgeProcess, source: str, folder: Path) -> str:
    """What a test prints that this judge runs."""
    part = Part("p", "p", "code", Fraction(1), "", "", tests=source, style="cell")
    assignment = Assignment(
        "a", "a", "nbgrader", [], [Question("p", [part])], folder, limits=LIMITS
    )
    job = job_of(assignment, part, [Case("p", "p", Fraction(1))], 1, [])
    with judge_process.engine.session(folder, LIMITS) as session:
        (report,) = judge_process.trial(codec.encode(job), session.start(1), 20)
    assert report["error"] is None, report
    return str(report["output"]).strip()


@pytest.mark.promise("P10")
def test_each_submission_has_a_judge_of_its_own_who_knows_nothing_of_the_one_before(
    fresh: Engine, tmp_path: Path
) -> None:
    said = []
    for _ in range(2):
        with fresh.judge_process(tmp_path, LIMITS) as judge_process:
            said.append(
                say(
                    judge_process,
                    (
                        "import os, numpy\nprint(os.getpid(), getattr(numpy, 'left_behind', "
                        "'nothing'))\nnumpy.left_behind = 'a secret'"
                    ),
                    tmp_path,
                )
            )
            assert judge_process.parent is not None
            houses = {judge_process.parent.session}
    (first, found_first), (second, found_second) = (line.split() for line in said)
    assert first != second and found_first == found_second == "nothing"
    with fresh.judge_process(tmp_path, LIMITS) as judge_process:
        say(judge_process, "pass", tmp_path)
        # the same room, that is what makes it cheap
        assert judge_process.parent is not None and judge_process.parent.session in houses


@pytest.mark.promise("P10")
def test_what_a_judge_leaves_behind_is_gone_before_the_next_one_comes(
    fresh: Engine, tmp_path: Path
) -> None:
    lingering = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\n"
    # one that has ended counts until it is cleared away
    count = (
        "import os, time\nfor _ in range(100):\n    found = [n for n in os.listdir('/proc') if "
        "n.isdigit()]\n    if len(found) <= {wanted}: break\n    time.sleep(0.05)\nprint(found)"
    )
    with fresh.judge_process(tmp_path, LIMITS) as judge_process:
        # supervisor, the process judges are forked from, the judge, its child
        assert len(eval(say(judge_process, lingering + count.format(wanted=4), tmp_path))) == 4
    with fresh.judge_process(tmp_path, LIMITS) as judge_process:
        assert len(eval(say(judge_process, count.format(wanted=3), tmp_path))) == 3


def test_judges_at_the_same_time_are_in_different_sessions(fresh: Engine, tmp_path: Path) -> None:
    with (
        fresh.judge_process(tmp_path, LIMITS) as one,
        fresh.judge_process(tmp_path, LIMITS) as other,
    ):
        say(one, "pass", tmp_path)
        say(other, "pass", tmp_path)
        assert one.parent is not None and other.parent is not None
        assert one.parent.session is not other.parent.session


def test_another_folder_or_another_limit_has_judges_of_its_own(
    fresh: Engine, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/numbers.txt").write_text("1 2 3")
    with fresh.judge_process(tmp_path, LIMITS) as judge_process:
        assert say(judge_process, "import os\nprint(os.listdir('.'))", tmp_path) == "['data']"
    with fresh.judge_process(tmp_path / "data", LIMITS) as judge_process:
        assert say(judge_process, "print(open('numbers.txt').read())", tmp_path) == "1 2 3"
    assert len(fresh.parents) == 2


@pytest.mark.parametrize("whom", ["the process that judges are forked from", "all of its session"])
def test_a_judge_can_be_had_after_what_it_is_forked_from_has_died(
    fresh: Engine, tmp_path: Path, whom: str
) -> None:
    with fresh.judge_process(tmp_path, LIMITS) as judge_process:
        say(judge_process, "pass", tmp_path)
        assert judge_process.parent is not None
        old = judge_process.parent
    if whom == "all of its session":
        old.session.stop()
    else:
        old.session.control.send({"do": "kill", "pid": old.pid})
    with fresh.judge_process(tmp_path, LIMITS) as judge_process:
        assert say(judge_process, "print('here')", tmp_path) == "here"
        assert judge_process.parent is not None and judge_process.parent.session is not old.session


def test_only_so_many_wait_for_a_judge_and_none_after_a_batch(
    fresh: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "IDLE", 2)
    sessions = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        with fresh.judge_process(tmp_path / name, LIMITS) as judge_process:
            say(judge_process, "pass", tmp_path)
            assert judge_process.parent is not None
            sessions.append(judge_process.parent.session)
    assert [parent.session for _, parent in fresh.parents] == sessions[1:]
    assert sessions[0].ask("threads", pid=1) is None  # it has ended
    fresh.rest()
    assert fresh.parents == [] and all(
        session.ask("threads", pid=1) is None for session in sessions
    )


def test_a_judge_who_dies_costs_its_case_and_the_next_one_is_there(
    fresh: Engine, tmp_path: Path
) -> None:
    with fresh.judge_process(tmp_path, LIMITS) as judge_process:
        with pytest.raises(engine.WorkerError):
            say(judge_process, f"import os\nos.kill(os.getpid(), {int(signal.SIGKILL)})", tmp_path)
        assert say(judge_process, "print('here')", tmp_path) == "here"


# ---- what was done before ------------------------------------------------------------------------


def test_the_rehearsal_leaves_nothing_that_a_notebook_could_meet(
    own: Engine, tmp_path: Path
) -> None:
    look = """
import os, sys, threading
import matplotlib.pyplot as plt
assert len(os.listdir("/proc/self/task")) == threading.active_count() == 1
assert plt.get_fignums() == []
mine = {name for name in globals() if not name.startswith("_")}
print(sorted(mine - {"In", "Out", "get_ipython", "exit", "quit", "open", "os", "sys", "threading", "plt", "grader"}), "_rehearse" in globals(), len(In), Out)
"""  # noqa: E501
    with own.session(tmp_path, LIMITS) as session:
        run = session.start(1).run(look, 20)
    assert run.status == "ok", run
    assert "".join(output["text"] for output in run.outputs) == "[] False 2 {}\n"


def test_what_a_first_cell_shows_does_not_depend_on_the_rehearsal(
    own: Engine, tmp_path: Path
) -> None:
    with own.session(tmp_path, LIMITS) as session:
        main = session.start(1)
        drawn = main.run("import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])", 20)
        number = main.run("plt.gcf().number", 20)
    # as in Jupyter, without plt.show()
    assert [output["output_type"] for output in drawn.outputs] == ["display_data"]
    assert [
        output["data"]["text/plain"]
        for output in number.outputs
        if output["output_type"] == "execute_result"
    ] == ["1"]


@pytest.mark.promise("P17")
def test_cells_go_on_after_exit_and_find_the_python_that_runs_them(
    own: Engine, tmp_path: Path
) -> None:
    with own.session(tmp_path, LIMITS) as session:
        cells = session.start(1)
        for source, shown in (
            ("exit", "exit is passed over"),
            ("quit()", "exit is passed over"),
            ("!python -c 'print(6 * 7)'", "42"),
        ):
            run = cells.run(source, 60)
            assert run.status == "ok" and shown in str(run.outputs)


@pytest.mark.promise("P17")
def test_a_recursion_without_end_costs_its_cell(own: Engine, tmp_path: Path) -> None:
    with own.session(tmp_path, LIMITS) as session:
        cells = session.start(1)
        run = cells.run("def f(n):\n    return f(n + 1)\nf(0)", 60)
        assert (
            run.error == ("RecursionError", "maximum recursion depth exceeded")
            and len(str(run.outputs)) < 30_000
        )
        run = cells.run(
            "def g(n):\n    try:\n        return g(n + 1)\n    except RecursionError as "
            "error:\n        raise ValueError(n) from error\ng(0)",
            60,
        )
        assert run.error is not None and run.error[0] == "ValueError"
        assert cells.run("1 + 1", 60).status == "ok"


@pytest.mark.promise("P17")
@pytest.mark.parametrize("name", ["stdout", "stderr"])
@pytest.mark.parametrize("what", ["None", "5", "object()"])
def test_a_cell_that_takes_a_stream_away_loses_its_own_output_alone(
    own: Engine, tmp_path: Path, name: str, what: str
) -> None:
    with own.session(tmp_path, LIMITS) as session:
        cells = session.start(1)
        assert cells.run(f"import sys\nsys.{name} = {what}", 60).status == "ok"
        run = cells.run("print('here')\nprint('there', file=sys.stderr)", 60)
        assert run.status == "ok" and [output["text"] for output in run.outputs] == [
            "here\n",
            "there\n",
        ]


@pytest.mark.promise("P15")
@pytest.mark.parametrize("said", ["_channel().send(5)", "_channel().send_bytes(bytes(9))"])
def test_a_process_that_answers_nonsense_is_ended_at_once_and_was_not_killed_from_outside(
    own: Engine, tmp_path: Path, said: str
) -> None:
    with own.session(tmp_path, LIMITS) as session:
        cells = session.start(1)
        run = cells.run(FIND + said, 60)
        assert (run.status, run.how) == ("killed", "it did not answer as it should")
        assert not session.was_killed(cells.pid)


def test_a_process_that_lives_and_one_that_was_killed_are_told_apart(
    own: Engine, tmp_path: Path
) -> None:
    with own.session(tmp_path, LIMITS) as session:
        cells = session.start(1)
        assert session.how_it_ended(cells.pid) == "it stopped answering" and not session.was_killed(
            cells.pid
        )
        assert (
            cells.run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 60).status
            == "killed"
        )
        assert session.was_killed(cells.pid)


@pytest.mark.parametrize("seed", [0, 7, 2**40 + 3])
def test_seeds_are_those_that_the_libraries_set(seed: int) -> None:
    def draws(set_seeds: Callable[[], Any]) -> list[float]:
        set_seeds()
        return [
            random.random(),
            float(np.random.random()),
            float(torch.rand(())),
            float(torch.randn(())),
        ]

    def by_hand() -> None:
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)

    assert draws(lambda: seed_everything(seed)) == draws(by_hand)
