"""Every notebook gets the score it must get, and its student is told what was wrong with it; no
case, grade or process is lost.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import homework
import psutil
import pytest
from habits import (
    NEVER,
    TABLE,
    Edit,
    answer_deleted,
    answer_emptied,
    answer_is_raw,
    crashes,
    deletes_names,
    dies_when_called,
    draws,
    endless_recursion,
    essay_untouched,
    exits_when_called,
    falls_for_a_known_slip,
    metadata_and_questions_lost,
    never_ends,
    never_ends_sometimes,
    never_ends_when_called,
    nothing,
    prints_a_lot,
    prints_the_answer_only,
    run_out_of_order,
    shows_a_lot,
    stub_without_its_comments,
)
from homework import Notebook

from autogradient.grading import batch, find_submissions, grade, judge
from autogradient.grading.engine import JUDGE, WORKER, Engine
from autogradient.model.assignment import Assignment, Limits
from autogradient.model.result import PartResult, Result, SubmissionInfo
from autogradient.model.testcode import bound_names
from autogradient.sandbox import interpreter


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return homework.assignment(tmp_path_factory.mktemp("source"))


def graded(small: Assignment, notebook: Notebook, engine: Engine) -> Result:
    return grade.grade_bytes(
        small, notebook.bytes(), "small.ipynb", engine, SubmissionInfo(students=["ada"])
    ).result


def told(result: Result) -> list[str]:
    """The problems as a student reads them."""
    return [f"cell {p.cell}: {p.message}" if p.cell else p.message for p in result.problems]


def part(result: Result, name: str) -> PartResult:
    return next(part for part in result.parts if part.id == name)


# ---- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "earned", "waiting", "problems"), TABLE, ids=[row[0].__name__ for row in TABLE]
)
def test_a_notebook_gets_exactly_this(
    small: Assignment,
    engine: Engine,
    edit: Edit,
    earned: float,
    waiting: float,
    problems: list[str],
) -> None:
    notebook = Notebook(small)
    edit(notebook)
    result = graded(small, notebook, engine)
    assert told(result) == problems
    assert (result.points.earned, result.points.possible, result.points.ungraded) == (
        Fraction(earned),
        8,
        waiting,
    )
    assert result.outcome == "graded"
    assert [(p.id, [(c.name, c.possible) for c in p.cases]) for p in result.parts] == manifest(
        small
    )


def manifest(small: Assignment) -> list[tuple[str, list[tuple[str, Fraction]]]]:
    """Every case that must be accounted for."""
    return [
        (p.id, [(c.title, c.points) for c in p.cases] or [("marked by hand", p.points)])
        for p in small.parts
    ]


# ---- what the student is told about a case -------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "name", "outcomes", "message"),
    [
        (
            falls_for_a_known_slip,
            "total",
            ["passed", "failed"],
            "Not quite: each number went in twice.",
        ),
        (prints_the_answer_only, "total", ["failed", "failed"], ""),
        (
            deletes_names,
            "double",
            ["failed", "failed"],
            (
                "`double` is not defined when the check runs: the cell that defines it is "
                "missing, stands below the check, or stopped with an error."
            ),
        ),
        (
            endless_recursion,
            "double",
            ["failed", "failed"],
            (
                "Arrays are doubled element by element. Your code raised an error, or its "
                "process ended."
            ),
        ),
        (
            exits_when_called,
            "double",
            ["failed", "failed"],
            (
                "Arrays are doubled element by element. Your code raised an error, or its "
                "process ended."
            ),
        ),
        (
            never_ends_when_called,
            "scale",
            ["timed_out"] * 3,
            "It took too long; look for a loop that never ends.",
        ),
        (
            never_ends_sometimes,
            "double",
            ["passed", "timed_out"],
            "It took too long; look for a loop that never ends.",
        ),
        (dies_when_called, "scale", ["failed", "failed", "passed"], ""),
        (essay_untouched, "why", ["failed"], "Not attempted yet."),
        (nothing, "why", ["not_run"], ""),
        (answer_emptied, "scale", ["failed"] * 3, "Not attempted yet."),
    ],
)
def test_the_last_case_of_a_part_says_why(
    small: Assignment, engine: Engine, edit: Edit, name: str, outcomes: list[str], message: str
) -> None:
    notebook = Notebook(small)
    edit(notebook)
    found = part(graded(small, notebook, engine), name)
    assert [case.outcome for case in found.cases] == outcomes
    assert found.cases[-1].message == message


@pytest.mark.promise("P16")
def test_a_dying_process_costs_its_own_case_only(small: Assignment, engine: Engine) -> None:
    notebook = Notebook(small)
    dies_when_called(notebook)
    assert [case.message for case in part(graded(small, notebook, engine), "scale").cases[:2]] == [
        "The Python process ended while this check ran (exit code 0).",
        # hidden: not which, it could tell of the input
        "The proportions should stay. Your code raised an error, or its process ended.",
    ]


def test_nothing_of_a_hidden_case_is_told(small: Assignment, engine: Engine) -> None:
    secret = (
        "def double(x):\n    if np.ndim(x):\n        raise ValueError(f'seen: {x}')\n    "
        "print(x)\n    return 2 * x"
    )
    notebook = Notebook(small, homework.ANSWERS | {"double": secret})
    done = grade.grade_bytes(small, notebook.bytes(), "small.ipynb", engine, SubmissionInfo())
    hidden = part(done.result, "double").cases[1]
    assert (
        hidden.message
        == "Arrays are doubled element by element. Your code raised an error, or its process ended."
    )
    assert hidden.seconds is None
    assert "seen" not in done.result.to_json()
    assert "seen: [" in done.staff["double"]["arrays"]["error"][1]


@pytest.mark.parametrize(
    "edit",
    [
        nothing,
        essay_untouched,
        answer_deleted,
        stub_without_its_comments,
        answer_is_raw,
        metadata_and_questions_lost,
    ],
)
def test_attempted_is_what_differs_from_the_stub(
    small: Assignment, engine: Engine, edit: Edit
) -> None:
    notebook = Notebook(small)
    edit(notebook)
    result = graded(small, notebook, engine)
    untouched = {
        essay_untouched: ["why"],
        answer_deleted: ["scale"],
        stub_without_its_comments: ["scale"],
        metadata_and_questions_lost: ["why"],
    }.get(edit, [])
    assert [p.id for p in result.parts if not p.attempted] == untouched


def test_the_untouched_release_earns_nothing_and_is_told_nothing(
    small: Assignment, engine: Engine
) -> None:
    result = graded(small, Notebook(small, {}), engine)
    assert (result.points.earned, result.points.ungraded, told(result)) == (0, 0, [])
    assert not any(p.attempted for p in result.parts)


# ---- what is kept of the run ---------------------------------------------------------------------


def cell_output(
    small: Assignment, notebook: Notebook, engine: Engine, index: int
) -> list[dict[str, object]]:
    done = grade.grade_bytes(small, notebook.bytes(), "small.ipynb", engine, SubmissionInfo())
    assert done.notebook is not None
    outputs: list[dict[str, object]] = done.notebook["cells"][index]["outputs"]
    return outputs


def test_of_a_flood_head_and_tail_are_kept(small: Assignment, engine: Engine) -> None:
    notebook = Notebook(small)
    prints_a_lot(notebook)
    (stream,) = cell_output(small, notebook, engine, notebook.at("double-answer"))
    text = str(stream["text"])
    written = sum(len(f"number {i}\n") for i in range(30_000))
    assert text.startswith("number 0\nnumber 1\n") and text.endswith("number 29998\nnumber 29999\n")
    assert f"… {written - 100_000} characters left out …" in text
    assert len(text) < 101_000


def test_what_shows_too_much_is_left_out(small: Assignment, engine: Engine) -> None:
    notebook = Notebook(small)
    shows_a_lot(notebook)
    outputs = cell_output(small, notebook, engine, notebook.at("double-answer"))
    assert len(outputs) == 60
    assert len(json.dumps(outputs)) < 25_000_000
    assert outputs[-1]["data"] == {"text/plain": "<output left out: this cell shows too much>"}


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (
            crashes,
            (
                "This cell ended the Python process (a crash in compiled code); the cells "
                "after it were run without it.\n"
            ),
        ),
        (never_ends, f"This cell was stopped after 2 s; {NEVER}.\n"),
    ],
)
def test_a_cell_that_was_stopped_says_so(
    small: Assignment, engine: Engine, edit: Edit, text: str
) -> None:
    notebook = Notebook(small)
    edit(notebook)
    index = notebook.at("total-answer") if edit is never_ends else notebook.at("double-hidden") + 1
    assert cell_output(small, notebook, engine, index)[-1] == {
        "output_type": "stream",
        "name": "stderr",
        "text": text,
    }


def test_old_outputs_are_replaced(small: Assignment, engine: Engine) -> None:
    notebook = Notebook(
        small, homework.ANSWERS | {"double": homework.ANSWERS["double"] + "\ndouble(4)"}
    )
    run_out_of_order(notebook)
    done = grade.grade_bytes(small, notebook.bytes(), "small.ipynb", engine, SubmissionInfo())
    assert done.notebook is not None
    assert "an old output" not in json.dumps(done.notebook)
    cell = done.notebook["cells"][notebook.at("double-answer")]
    assert cell["outputs"][0]["data"]["text/plain"] in ("8", "np.int64(8)")
    counts = [c["execution_count"] for c in done.notebook["cells"] if c.get("execution_count")]
    assert counts == sorted(counts)


def test_a_figure_is_kept(small: Assignment, engine: Engine) -> None:
    notebook = Notebook(small)
    draws(notebook)
    outputs = cell_output(small, notebook, engine, notebook.at("double-hidden") + 1)
    assert any("image/png" in output.get("data", {}) for output in outputs)  # type: ignore[operator]


def test_no_path_of_the_grader_is_shown(small: Assignment, engine: Engine) -> None:
    notebook = Notebook(small, homework.ANSWERS | {"total": "total = 12\n1 / 0"})
    outputs = cell_output(small, notebook, engine, notebook.at("total-answer"))
    never = Notebook(small)
    never_ends(never)
    outputs += cell_output(small, never, engine, never.at("total-answer"))
    assert [output["ename"] for output in outputs if "ename" in output] == [
        "ZeroDivisionError",
        "KeyboardInterrupt",
    ]
    assert "autogradient" not in json.dumps(outputs)


def test_notebooks_can_be_read_in_many_threads() -> None:
    """Older interpreters cannot parse in two threads at once if something lets go of the lock
    meanwhile, as a collection of garbage may.
    """
    source = "\n".join(f"def f{i}(x):\n    return [x + {i} for x in range(10)]" for i in range(300))

    def let_go(*_: object) -> None:
        time.sleep(0)

    thresholds = gc.get_threshold()
    gc.callbacks.append(let_go)
    gc.set_threshold(50)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(bound_names, [source] * 40))
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(let_go)
    assert {len(names) for names in found} == {300}


# ---- the same work, the same result --------------------------------------------------------------


def timeless(result: Result) -> dict[str, object]:
    data: dict[str, object] = json.loads(result.to_json())
    data.pop("graded_at")
    for p in (p for q in data["questions"] for p in q["parts"]):  # type: ignore[attr-defined]
        for case in p["cases"]:
            case.pop("seconds")
    return data


@pytest.mark.parametrize("edit", [nothing, crashes, deletes_names])
def test_two_gradings_differ_in_their_times_only(
    small: Assignment, engine: Engine, edit: Edit
) -> None:
    notebook = Notebook(
        small,
        homework.ANSWERS
        | {
            "double": (
                "r = np.random.rand()\n\ndef double(x):\n    return 2 * x if r < 0.5 else 2 "
                "* x + np.random.rand()"
            )
        },
    )
    edit(notebook)
    assert timeless(graded(small, notebook, engine)) == timeless(graded(small, notebook, engine))


def hand_in(folder: Path, data: bytes, student: str = "ada", name: str = "small.ipynb") -> Path:
    path = folder / student / "small" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def run(small: Assignment, folder: Path, engine: Engine, jobs: int = 1) -> list[batch.Done]:
    items = list(find_submissions.submissions(folder / "submitted", [small]))
    return batch.grade_all(items, batch.Local(engine, jobs), results=folder / "results")


def test_what_has_not_changed_is_not_graded_again(
    small: Assignment, engine: Engine, tmp_path: Path
) -> None:
    for student in ("ada", "grace"):
        hand_in(tmp_path / "submitted", Notebook(small).bytes(), student)
    assert [done.again for done in run(small, tmp_path, engine, jobs=2)] == [True, True]
    before = (tmp_path / "results/small/ada.json").read_bytes()
    hand_in(
        tmp_path / "submitted",
        Notebook(small, homework.ANSWERS | {"total": "total = 1"}).bytes(),
        "grace",
    )
    again = run(small, tmp_path, engine, jobs=2)
    assert [
        (done.item.students, done.again, done.graded.result.points.earned) for done in again
    ] == [(("ada",), False, 6), (("grace",), True, 5)]
    assert (tmp_path / "results/small/ada.json").read_bytes() == before


def test_a_changed_test_grades_again(small: Assignment, engine: Engine, tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    run(small, tmp_path, engine)
    path = homework.write_source(tmp_path / "source")
    path.write_text(path.read_text().replace("double(3) == 6", "double(4) == 8"))
    changed = homework.load(path)
    assert [done.again for done in run(changed, tmp_path, engine)] == [True]


def test_an_unreadable_newer_file_falls_back(
    small: Assignment, engine: Engine, tmp_path: Path
) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    run(small, tmp_path, engine)
    staff = (tmp_path / "results/small/ada.staff.json").read_bytes()
    hand_in(tmp_path / "submitted", b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> main\n")
    for _ in range(2):  # told once, however often it is graded
        (done,) = run(small, tmp_path, engine)
        assert (done.graded.result.outcome, done.graded.result.points.earned) == ("graded", 6)
        (sentence,) = told(done.graded.result)
        assert sentence.startswith(
            "small.ipynb: a merge conflict was left in the file (line 1); keep one side of it"
        )
        assert "last readable submission" in sentence
    assert (tmp_path / "results/small/ada.staff.json").read_bytes() == staff
    hand_in(tmp_path / "submitted", Notebook(small, {}).bytes())
    (done,) = run(small, tmp_path, engine)
    assert (done.graded.result.points.earned, told(done.graded.result)) == (0, [])


def test_an_unreadable_file_loses_nothing(
    small: Assignment, engine: Engine, tmp_path: Path
) -> None:
    hand_in(tmp_path / "submitted", b"")
    (done,) = run(small, tmp_path, engine)
    result = done.graded.result
    assert result.outcome == "unreadable"
    assert (result.points.earned, result.points.possible, result.points.ungraded) == (0, 8, 8)
    assert [(p.id, [(c.name, c.possible) for c in p.cases]) for p in result.parts] == manifest(
        small
    )


def test_a_grader_that_fails_on_one_grades_the_others(
    small: Assignment, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes(), "ada")
    hand_in(tmp_path / "submitted", Notebook(small, {}).bytes(), "grace")
    real = grade.plan_submission

    def plan(assignment: Assignment, notebook: object) -> object:
        if "double(x):\\n    return" in json.dumps(notebook.data):  # type: ignore[attr-defined]
            raise RuntimeError("a slip of ours")
        return real(assignment, notebook)  # type: ignore[arg-type]

    monkeypatch.setattr(grade, "plan_submission", plan)
    broken, fine = run(small, tmp_path, engine)
    assert (broken.graded.result.outcome, fine.graded.result.outcome) == ("grader_error", "graded")
    assert broken.graded.result.points.ungraded == 8
    assert told(broken.graded.result) == [
        "the grader failed on this notebook; the course staff will look at it"
    ]
    assert "a slip of ours" in (tmp_path / "results/small/ada.staff.json").read_text()
    monkeypatch.undo()
    assert [
        (done.again, done.graded.result.points.earned) for done in run(small, tmp_path, engine)
    ] == [(True, 6), (False, 0)]


@pytest.mark.parametrize("role", [WORKER, JUDGE])
def test_an_interpreter_that_died_is_started_anew(
    small: Assignment, tmp_path: Path, role: str
) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    with Engine() as own:
        own.wait()
        own.warm[role].process.kill()
        own.warm[role].process.wait()
        (done,) = run(small, tmp_path, own)
    assert (done.graded.result.outcome, done.graded.result.points.earned) == ("graded", 6)


@pytest.mark.parametrize("role", [WORKER, JUDGE])
def test_an_interpreter_that_has_grown_is_replaced_and_its_sessions_go_on(
    small: Assignment, tmp_path: Path, role: str
) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    with Engine() as own:
        own.wait()
        old = own.warm[role]
        with own.session(own.folder({}), small.limits) as before:
            main = before.start()
            old.first_mb -= 2 * interpreter.GROWTH_MB
            (done,) = run(small, tmp_path, own)
            assert (
                own.warm[role] is not old
                and old.process.poll() is not None
                and not own.warm[role].grown
            )
            assert main.run("1 + 1", 5).status == "ok"
            if role == WORKER:
                own.stop()
                assert main.run("1 + 1", 5).status == "killed"
    assert (done.graded.result.outcome, done.graded.result.points.earned) == ("graded", 6)


# ---- several files, other people's files ---------------------------------------------------------


def test_of_two_notebooks_the_one_with_the_name_is_graded(
    small: Assignment, engine: Engine, tmp_path: Path
) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    hand_in(tmp_path / "submitted", Notebook(small, {}).bytes(), name="small-Copy1.ipynb")
    (done,) = run(small, tmp_path, engine)
    assert done.graded.result.points.earned == 6
    assert told(done.graded.result) == [
        (
            "small-Copy1.ipynb and small.ipynb are both notebooks of this assignment; "
            "small.ipynb was graded because it has the assignment's name"
        )
    ]


def test_of_two_other_names_the_one_changed_last_is_graded(
    small: Assignment, engine: Engine, tmp_path: Path
) -> None:
    old = hand_in(tmp_path / "submitted", Notebook(small, {}).bytes(), name="b.ipynb")
    new = hand_in(tmp_path / "submitted", Notebook(small).bytes(), name="a.ipynb")
    os.utime(old, (1000, 1000))
    os.utime(new, (2000, 2000))
    (done,) = run(small, tmp_path, engine)
    assert done.graded.result.points.earned == 6
    assert told(done.graded.result) == [
        (
            "a.ipynb and b.ipynb are both notebooks of this assignment; a.ipynb was graded "
            "because it was changed last"
        ),
        "the notebook is called a.ipynb; it was recognised as small by its metadata",
    ]


def test_the_readable_one_of_two_is_graded(
    small: Assignment, engine: Engine, tmp_path: Path
) -> None:
    hand_in(tmp_path / "submitted", b"{", name="small.ipynb")
    hand_in(tmp_path / "submitted", Notebook(small).bytes(), name="small_final_FINAL.ipynb")
    (done,) = run(small, tmp_path, engine)
    assert (done.graded.result.outcome, done.graded.result.points.earned) == ("graded", 6)


def test_a_notebook_of_another_assignment_is_pointed_out(
    small: Assignment, engine: Engine, tmp_path: Path
) -> None:
    notebook = Notebook(small, {})
    notebook.data["metadata"]["autogradient"]["assignment"] = "large"
    hand_in(tmp_path / "submitted", notebook.bytes())
    (done,) = run(small, tmp_path, engine)
    assert told(done.graded.result) == [
        (
            "the notebook says that it is 'large', but was graded as 'small'; check that "
            "the right file was handed in"
        )
    ]


def test_a_link_to_another_student_is_not_followed(small: Assignment, tmp_path: Path) -> None:
    theirs = hand_in(tmp_path / "submitted", Notebook(small).bytes(), "ada")
    folder = tmp_path / "submitted" / "mallory" / "small"
    folder.mkdir(parents=True)
    (folder / "small.ipynb").symlink_to(theirs)
    assert [
        item.students for item in find_submissions.submissions(tmp_path / "submitted", [small])
    ] == [("ada",)]


# ---- nothing is left running ---------------------------------------------------------------------

LEAVES = (
    "import os, subprocess, threading\nsubprocess.Popen(['sleep', '1000'], "
    "start_new_session=True)\nif os.fork() == 0:\n    while True: pass"
)


def test_when_a_session_ends_its_processes_are_gone(tmp_path: Path) -> None:
    with Engine() as own:
        with own.session(tmp_path, Limits(memory_mb=512)) as session:
            main = session.start(1)
            main.fork()
            main.run(LEAVES, 10)
            family = psutil.Process(own.warm[WORKER].process.pid).children(recursive=True)
            assert len(family) >= 5, "supervisor, worker, snapshot, the student's sleep and fork"
        gone, alive = psutil.wait_procs(family, timeout=60)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
        assert own.warm[WORKER].process.poll() is None


def name_of(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def test_when_the_grader_is_killed_everything_is_gone(small: Assignment, tmp_path: Path) -> None:
    notebook = Notebook(small)
    notebook.put("total-answer", LEAVES + "\nwhile True:\n    pass")
    (tmp_path / "n.ipynb").write_bytes(notebook.bytes())
    source = homework.write_source(tmp_path)
    source.write_text(source.read_text().replace("cell_s: 2", "cell_s: 250"))
    script = (
        "import sys; from autogradient.cli.main import main; sys.argv[1:] = ['grade', "
        "'n.ipynb', '--assignment', 'small/small.py']; main()"
    )
    grader = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    family: list[psutil.Process] = []
    while not any("sleep" in name_of(process) for process in family):
        assert grader.poll() is None, "the grader ended before the student's code ran"
        family = psutil.Process(grader.pid).children(recursive=True)
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    gone, alive = psutil.wait_procs(family, timeout=60)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    assert len(gone) + len(alive) >= 4


# ---- the second pass, and once more alone --------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        (
            "import threading\nthreading.Thread(target=threading.Event().wait, "
            "daemon=True).start()\ntotal = 12"
        ),
        (
            "import torch\ntorch.set_num_threads(2)\n(torch.ones(600, 600) @ "
            "torch.ones(600, 600)).sum()\ntotal = 12"
        ),
        (
            "from concurrent.futures import ThreadPoolExecutor\npool = "
            "ThreadPoolExecutor(2)\nlist(pool.map(abs, range(4)))\ntotal = 12"
        ),
    ],
)
def test_parts_after_a_thread_get_a_second_pass_and_their_points(
    small: Assignment, engine: Engine, cell: str
) -> None:
    result = graded(small, Notebook(small, homework.ANSWERS | {"total": cell}), engine)
    assert (result.replayed, result.sealed, result.points.earned) == (True, True, 6)


def test_cases_after_one_that_dies_get_a_second_pass(small: Assignment, engine: Engine) -> None:
    notebook = Notebook(small)
    dies_when_called(notebook)
    result = graded(small, notebook, engine)
    assert result.replayed and [case.outcome for case in part(result, "scale").cases] == [
        "failed",
        "failed",
        "passed",
    ]
    assert not graded(small, Notebook(small), engine).replayed


def test_what_timed_out_for_want_of_a_processor_is_graded_once_more_alone(
    small: Assignment, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Notebook(small)
    never_ends_when_called(slow)
    hand_in(tmp_path / "submitted", slow.bytes(), student="ada")
    hand_in(tmp_path / "submitted", Notebook(small).bytes(), student="bob")
    graded_now: list[str] = []
    once = grade.grade_bytes

    def noting(
        assignment: Assignment, data: bytes, name: str, *rest: Any, **named: Any
    ) -> grade.Graded:
        graded_now.append(rest[1].students[0])
        return once(assignment, data, name, *rest, **named)

    monkeypatch.setattr(grade, "grade_bytes", noting)
    monkeypatch.setattr(judge, "_starved", lambda runner, limit: True)
    first, second = run(small, tmp_path, engine)
    assert sorted(graded_now[:2]) == ["ada", "bob"] and graded_now[2:] == ["ada"]
    assert (
        "timed_out" in {case.outcome for case in part(first.graded.result, "scale").cases}
        and second.graded.result.points.earned == 6
    )
