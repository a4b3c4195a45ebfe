"""`kill -9` of whatever takes part in grading, at random moments of a batch: afterwards every
result is there, right, once, and nothing is left behind.

Ten moments here; with AUTOGRADIENT_KILLS=50 fifty.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import homework
import pytest
from clusters import LONG_S, until
from nbgrader.api import Gradebook
from processes import below, parents, sessions
from proved import prove_course

from autogradient.course import config
from autogradient.coursework import grade_course
from autogradient.grading import batch, find_submissions
from autogradient.grading.engine import JUDGE, WORKER, Engine
from autogradient.model.assignment import Assignment
from autogradient.model.result import Result

#: Kills in all.
KILLS = int(os.environ.get("AUTOGRADIENT_KILLS", "10"))
STUDENTS = 40

VARIANTS: list[dict[str, str] | bytes] = [
    homework.ANSWERS,
    homework.ANSWERS | {"double": "def double(x):\n    return 2 * x", "total": "total = 24"},
    homework.ANSWERS
    | {"scale": "def scale(x):\n    raise ValueError('not yet')", "why": "Because."},
    {"double": "def double(x):\n    return x + x if x > 0 else 0"},
    homework.ANSWERS | {"scale": "import os\nos._exit(3)"},
    homework.ANSWERS
    | {"double": "def double(x):\n    print('twice ' * 1000)\n    return np.asarray(x) * 2"},
    {},
    b"no notebook",
]


# ---- processes -----------------------------------------------------------------------------------


def ours(home: Path) -> set[int]:
    """Warm interpreters and supervisors whose home is this folder, and all below them."""
    found: set[int] = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if (
                f"HOME={home}\0".encode() in Path(f"/proc/{name}/environ").read_bytes()
                and b"sandbox.zygote" in Path(f"/proc/{name}/cmdline").read_bytes()
            ):
                found |= {int(name), *below(int(name))}
    return found & set(parents())


# ---- a course ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with forty submissions to one small assignment."""
    root = tmp_path_factory.mktemp("kill") / "course"
    (root / "grader_config").mkdir(parents=True)
    (root / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nrelease = "1"\nseed = 1\nassignments = ["small"]\n'
    )
    assignment = homework.assignment(root / "source")
    for number in range(STUDENTS):
        path = root / "submitted" / f"student{number:02d}" / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        variant = VARIANTS[number % len(VARIANTS)]
        if isinstance(variant, bytes):
            path.write_bytes(variant)
            continue
        notebook = homework.Notebook(assignment, variant)
        notebook.insert("", f"# written by {number}", "code")
        path.write_bytes(notebook.bytes())
    prove_course(root)
    return root


@pytest.fixture(scope="module")
def assignment(course: Path) -> Assignment:
    return homework.load(course / "source" / "small" / "small.py")


def verdicts(result: Result | dict[str, Any]) -> Any:
    """What a result says, its times aside."""
    data = json.loads(result.to_json()) if isinstance(result, Result) else result
    cases = [
        [p["id"], p["attempted"], c["name"], c["outcome"], c["earned"], c["message"]]
        for q in data["questions"]
        for p in q["parts"]
        for c in p["cases"]
    ]
    return data["outcome"], data["points"], cases, [p["message"] for p in data["problems"]]


@pytest.fixture(scope="module")
def expected(course: Path, assignment: Assignment, engine: Engine) -> dict[str, Any]:
    """What undisturbed grading gives, by student."""
    done = batch.grade_all(
        find_submissions.submissions(course / "submitted", [assignment]), batch.Local(engine, 2)
    )
    found = {one.item.students[0]: verdicts(one.graded.result) for one in done}
    assert (
        len(found) == STUDENTS
        and {v[0] for v in found.values()} == {"graded", "unreadable"}
        and len({str(v) for v in found.values()}) >= len(VARIANTS) - 1
    )
    return found


def check(results: Path, expected: dict[str, Any]) -> None:
    """Every result is there, right, once, and nothing half-written."""
    files = sorted(path.name for path in (results / "small").iterdir())
    assert [name for name in files if not name.endswith(".staff.json")] == [
        f"{student}.json" for student in sorted(expected)
    ]
    assert all(name.removesuffix(".staff.json").removesuffix(".json") in expected for name in files)
    found = {
        path.stem: verdicts(json.loads(path.read_text()))
        for path in (results / "small").glob("*.json")
        if not path.name.endswith(".staff.json")
    }
    wrong = {
        student: (found[student], expected[student])
        for student in expected
        if found[student] != expected[student]
    }
    assert not wrong, "\n".join(
        f"{student}:\n{is_}\ninstead of\n{should}" for student, (is_, should) in wrong.items()
    )


# ---- parts of the engine -------------------------------------------------------------------------


class Killer:
    """Kills one process each time that some more submissions are done: of these kinds, in this
    order.
    """

    def __init__(self, rng: random.Random, engine: Engine, kinds: list[str]) -> None:
        self.rng, self.engine, self.kinds = rng, engine, kinds
        self.moments = sorted(rng.sample(range(STUDENTS - 4), len(kinds)))
        self.done, self.killed, self.over = 0, list[str](), False
        self.thread = threading.Thread(target=self.work)

    def __enter__(self) -> Killer:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True
        self.thread.join()

    def work(self) -> None:
        for moment, kind in zip(self.moments, self.kinds, strict=True):
            while not self.over and self.done < moment:
                time.sleep(0.001)
            # some way into a submission; each look takes a moment
            for _ in range(self.rng.randrange(1, 60)):
                found = VICTIMS[kind](self.engine)
            while not self.over and not found:
                found = VICTIMS[kind](self.engine)
            for pid in found and self.rng.sample(found, 1):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    self.killed.append(kind)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that marks the interpreters that are started."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


class Counter(batch.Watcher):
    """Tells a killer when a submission is done."""

    def __init__(self, killer: Killer) -> None:
        self.killer = killer

    def done(self, done: batch.Done) -> None:
        self.killer.done += 1


VICTIMS: dict[str, Callable[[Engine], list[int]]] = {
    "worker": lambda engine: sessions(engine, WORKER),
    "judge": lambda engine: sessions(engine, JUDGE),
    "supervisor": lambda engine: (
        sessions(engine, WORKER, supervisors=True) + sessions(engine, JUDGE, supervisors=True)
    ),
    "interpreter": lambda engine: [engine.warm[WORKER].process.pid],
    "judges' interpreter": lambda engine: [engine.warm[JUDGE].process.pid],
}
#: Of every ten kills these hit parts of the engine, in one batch; the others hit the grader.
KINDS = [
    "worker",
    "judge",
    "interpreter",
    "worker",
    "judges' interpreter",
    "judge",
    "supervisor",
    "worker",
]


@pytest.mark.parametrize("number", range(max(1, KILLS // 10)))
def test_parts_of_the_engine_are_killed(
    number: int, course: Path, assignment: Assignment, expected: dict[str, Any], home: Path
) -> None:
    rng = random.Random(number)
    kinds = rng.sample(KINDS, len(KINDS))
    with Engine() as engine:
        engine.check()
        with Killer(rng, engine, kinds) as killer:
            batch.grade_all(
                find_submissions.submissions(course / "submitted", [assignment]),
                batch.Local(engine, 2),
                results=home / "results",
                watcher=Counter(killer),
            )
        # one that was looked for at the very end may find nobody
        assert len(killer.killed) > len(kinds) // 2, killer.killed
        batch.grade_all(
            find_submissions.submissions(course / "submitted", [assignment]),
            batch.Local(engine, 2),
            results=home / "results",
        )
        check(home / "results", expected)
    until(lambda: not ours(home), "processes end")


# ---- the grader itself ---------------------------------------------------------------------------


def grade(course: Path, home: Path) -> subprocess.Popen[bytes]:
    """`autogradient grade --all` in the course."""
    command = [sys.executable, "-m", "autogradient", "grade", "--all", "--jobs", "2"]
    return subprocess.Popen(
        command,
        cwd=course,
        env={**os.environ, "TMPDIR": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def written(course: Path) -> int:
    """How many results there are."""
    return len(
        [
            path
            for path in course.glob("results/small/student*.json")
            if not path.name.endswith(".staff.json")
        ]
    )


def test_the_grader_is_killed(course: Path, expected: dict[str, Any], home: Path) -> None:
    """Again and again, each time a little further on; the last run finds what the others left."""
    rng = random.Random("grader")
    kills = max(1, KILLS // 5)
    for number in range(0, kills, 8):
        mine = home / f"course{number}"
        shutil.copytree(course, mine, ignore=shutil.ignore_patterns("results", "gradebook.db*"))
        for moment in sorted(rng.sample(range(STUDENTS - 4), min(8, kills - number))):
            process = grade(mine, home)
            until(
                lambda process=process, mine=mine, moment=moment: (
                    process.poll() is not None or written(mine) > moment
                ),
                "results are written",
            )  # type: ignore[misc]
            for _ in range(rng.randrange(1, 60)):
                parents()
            process.kill()
            process.communicate()
            until(lambda: not ours(home), "processes end")
        process = grade(mine, home)
        _, said = process.communicate(timeout=LONG_S)
        assert process.returncode == 0, said.decode()
        check(mine / "results", expected)
        with contextlib.closing(Gradebook(f"sqlite:///{mine}/gradebook.db")) as book:
            recorded = sorted(one.student.id for one in book.assignment_submissions("small"))
        readable = sorted(
            student for student, verdict in expected.items() if verdict[0] == "graded"
        )
        assert [student for student in recorded if student in readable] == readable and len(
            set(recorded)
        ) == len(recorded)
        assert not [
            path
            for path in (mine / "results").rglob(".*")
            if re.fullmatch(r"\..*\.[0-9a-f]{12}", path.name)
        ], "half-written files are left"
        until(lambda: not ours(home), "processes end")


def test_an_unreadable_file_that_was_not_recorded_in_time_is(
    course: Path, engine: Engine, tmp_path: Path
) -> None:
    """As after a kill between its result and the gradebook."""
    mine = tmp_path / "course"
    shutil.copytree(
        course,
        mine,
        ignore=shutil.ignore_patterns("results", "gradebook.db*", "student0[0-6]", "student[1-3]*"),
    )
    here = config.load(mine)
    items = list(find_submissions.submissions(here.submitted, [here.assignment("small")]))
    assert [
        done.graded.result.outcome
        for done in batch.grade_all(items, batch.Local(engine, 1), results=here.results)
    ] == ["unreadable", "graded", "graded"]
    grade_course.grade_course(here, [here.assignment("small")], batch.Local(engine, 1))
    with contextlib.closing(Gradebook(here.gradebook_url)) as book:
        assert sorted(one.student.id for one in book.assignment_submissions("small")) == [
            "student07",
            "student08",
            "student09",
        ]
