"""The commands as people type them: what they print, where, and what they exit with, on a small
course.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest
from commands import Ran

from autogradient import __version__
from autogradient.model import result

CONFIG = 'format = 1\nname = "A small course"\nrelease = "2026.1"\nseed = 7\n'
ENDLESS = "while True:\n    pass\n"


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one assignment, made, proved and released by the commands themselves."""
    root = tmp_path_factory.mktemp("course")
    (root / "grader_config").mkdir()
    (root / "grader_config" / "course.toml").write_text(CONFIG)
    for arguments in (("new", "losses", "--title", "Two losses"), ("prove",), ("release",)):
        ran = Ran(root, *arguments)
        assert ran.code == 0, ran
    return root


def answered(course: Path, answers: dict[str, str]) -> dict[str, Any]:
    """The student notebook with some answer cells filled in."""
    notebook: dict[str, Any] = json.loads(
        (course / "release" / "losses" / "losses.ipynb").read_text()
    )
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        cell["source"] = answers.get(grade_id, cell["source"])
    return notebook


def hand_in(course: Path, student: str, answers: dict[str, str]) -> Path:
    """Put a submission into submitted/."""
    path = course / "submitted" / student / "losses" / "losses.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(answered(course, answers)))
    return path


GOOD = {
    "losses-sign-answer": 'which_way = "a"',
    "losses-mse-answer": "def mse(p, t):\n    return float(((np.asarray(p) - np.asarray(t)) ** 2).mean())",  # noqa: E501
}


# ---- before anything is graded -------------------------------------------------------------------


def test_version_and_help(tmp_path: Path) -> None:
    started = subprocess.run(
        [sys.executable, "-m", "autogradient", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (started.returncode, started.stdout) == (0, f"autogradient, version {__version__}\n")
    shown = Ran(tmp_path, "--help")
    assert shown.code == 0 and "Exit codes" in shown.out
    # every command is described whole
    assert not any(line.endswith("...") for line in shown.out.split("\n")[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("grade", "--nonsense"),
        ("grade",),
        ("export", "--to", "paper"),
        ("prove", "--jobs", "0"),
        ("new",),
    ],
)
def test_bad_usage_exits_with_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ran = Ran(tmp_path, *arguments)
    assert ran.code == 2 and not ran.out and "Error:" in ran.err and "Traceback" not in ran.err, ran


DECIDING = [
    "mark a b c 1",
    "mark --split 2 b",
    "mark --read s.csv",
    "adjust a b 1 --why x",
    "void b c --full --why x",
    "excuse a b --why x",
    "gradebook",
]


@pytest.mark.parametrize(
    "command",
    ["new x", "fmt", "prove", "release", "grade --all", "feedback", "report", "export", *DECIDING],
)
def test_without_a_course_one_sentence_says_so(tmp_path: Path, command: str) -> None:
    ran = Ran(tmp_path, *command.split())
    assert ran.code == 2 and not ran.out
    assert ran.err.strip().split("\n")[-1] == (
        f"{tmp_path}: no course here (no grader_config/course.toml in this folder or "
        "above); run the command inside a course, or give --assignment PATH"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("format = 1\nname = \n", "line 2: Invalid value (at line 2, column 8)"),
        ("format = 1\nsede = 3\n", "line 2: unknown key 'sede'; did you mean 'seed'?"),
        ("format = 1\n\nseed = 'x'\n", "line 3: 'seed' must be a whole number"),
        ("format = 1\nseed = true\n", "line 2: 'seed' must be a whole number"),
        ("format = 1\nseed = -1\n", "line 2: 'seed' must not be negative"),
        ("format = 1\nname = 7\n", "line 2: 'name' must be text"),
        ("format = 1\nassignments = ['a', 1]\n", "line 2: 'assignments' must be a list of names"),
        (
            "name = 'x'\nformat = 2\n",
            "line 2: 'format = 1' is missing; this version reads format 1",
        ),
        ("name = 'x'\n", "file: 'format = 1' is missing; this version reads format 1"),
    ],
)
def test_a_bad_configuration_is_named_with_its_line(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(text)
    ran = Ran(tmp_path, "report")
    assert (ran.code, ran.err) == (2, f"grader_config/course.toml: {sentence}\n")


def test_a_configuration_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_bytes(b"name = '\xff'\n")
    ran = Ran(tmp_path, "report")
    assert (ran.code, ran.err) == (2, "grader_config/course.toml: byte 8: this is not UTF-8 text\n")


@pytest.mark.parametrize(
    "command",
    ["fmt", "prove", "release", "feedback", "report", "export", "grade --all --assignment"],
)
def test_a_wrong_name_brings_the_nearest_one(course: Path, command: str) -> None:
    ran = Ran(course, *command.split(), "loses")
    assert ran.code == 2
    assert (
        ran.err.strip().split("\n")[-1]
        == "no assignment is called 'loses' (the course has: losses); did you mean 'losses'?"
    )


def test_new_refuses_what_exists_and_what_is_no_id(course: Path) -> None:
    assert (Ran(course, "new", "losses").code, Ran(course, "new", "losses").err) == (
        2,
        "source/losses exists already; choose another name\n",
    )
    ran = Ran(course, "new", "Week 1")
    assert ran.code == 2 and ran.err == (
        "'Week 1' is no valid id; use small letters, digits and hyphens, beginning with a letter\n"
    )
    assert sorted(path.name for path in (course / "source").iterdir()) == ["losses"]


def test_commands_work_from_a_folder_below(course: Path) -> None:
    ran = Ran(course / "source" / "losses", "release", "--check")
    assert (ran.code, ran.out) == (0, "losses: up to date\n")


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "grader_config" / "course.toml").mkdir(parents=True)
    (tmp_path / "folder.ipynb").mkdir()
    ran = Ran(tmp_path, "fmt", "folder.ipynb/none.py")
    assert ran.code == 2 and "Traceback" not in ran.err and ran.err.count("\n") == 1, ran


# ---- fmt, prove, release -------------------------------------------------------------------------


def test_fmt_check_names_what_would_change_and_writes_nothing(course: Path, tmp_path: Path) -> None:
    text = (course / "source" / "losses" / "losses.py").read_text()
    untidy = tmp_path / "losses.py"
    untidy.write_text(
        text.replace("#| kind: choice\n#| points: 1\n", "#| points:  1\n#| kind: choice\n")
        + "\n\n\n"
    )
    before = untidy.read_text()
    checked = Ran(tmp_path, "fmt", "--check", "losses.py")
    assert (checked.code, checked.out) == (
        1,
        "would tidy losses.py\n",
    ) and untidy.read_text() == before
    assert Ran(tmp_path, "fmt", "losses.py").code == 0 and untidy.read_text() == text
    assert Ran(tmp_path, "fmt", "--check", "losses.py").code == 0


def test_prove_says_what_holds_and_does_not_do_it_twice(course: Path) -> None:
    ran = Ran(course, "prove")
    assert (ran.code, ran.out) == (
        0,
        "losses: proved already on this machine; nothing has changed\n",
    )
    (proof,) = json.loads(Ran(course, "prove", "--json").out)
    assert proof["assignment"] == "losses" and proof["proved"] is True
    assert proof["reference"] == {"earned": 6, "possible": 6} and proof["blank"]["earned"] == 0
    assert (
        proof["wrong"]["caught"] == proof["wrong"]["of"] == 5 and proof["mutants"]["survived"] == []
    )
    assert set(proof) == {
        "assignment",
        "proved",
        "reference",
        "blank",
        "right",
        "wrong",
        "mutants",
        "hostile",
        "boundary",
        "remarks",
        "not_run",
    }


def test_a_weak_test_is_not_proved_and_not_released(course: Path, tmp_path: Path) -> None:
    text = (course / "source" / "losses" / "losses.py").read_text()
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(CONFIG)
    (tmp_path / "source" / "losses").mkdir(parents=True)
    source = tmp_path / "source" / "losses" / "losses.py"
    source.write_text(text.replace("abs(got - expected) < 1e-9", "got is not None"))
    unproved = Ran(tmp_path, "release")
    assert (unproved.code, unproved.err) == (
        1,
        "losses has no proof; run 'autogradient prove losses'\n",
    )
    proof = Ran(tmp_path, "prove")
    assert (
        proof.code == 1
        and proof.out.startswith("losses: NOT PROVED\n")
        and "wrong, but not caught: losses-mse:" in proof.out
    )
    refused = Ran(tmp_path, "release")
    assert (refused.code, refused.err) == (
        1,
        "losses is not proved; run 'autogradient prove losses' to see why\n",
    )
    assert not (tmp_path / "release").exists()
    source.write_text(source.read_text().replace("got is not None", "got == got"))
    assert (
        Ran(tmp_path, "release").err
        == "the proof of losses is of another version of it; run 'autogradient prove losses'\n"
    )
    assert (
        Ran(tmp_path, "release", "--unproved").code == 0
        and (tmp_path / "release" / "losses" / "losses.ipynb").exists()
    )


def test_a_stale_release_is_shown_as_a_difference(course: Path) -> None:
    notebook = course / "release" / "losses" / "losses.ipynb"
    whole = notebook.read_text()
    assert "Two losses" in whole
    notebook.write_text(whole.replace("Two losses", "Two gains"))
    try:
        ran = Ran(course, "release", "--check")
        assert ran.code == 1 and not ran.out
        lines = ran.err.split("\n")
        assert (
            lines[0]
            == "release/losses is not what the source gives; run 'autogradient release losses'"
        )
        assert any(line.startswith("-") and "Two gains" in line for line in lines) and any(
            line.startswith("+") and "Two losses" in line for line in lines
        )
        assert "Two gains" in notebook.read_text()
        assert (
            Ran(course, "release").out == "losses: written to release/losses\n"
            and notebook.read_text() == whole
        )
        assert Ran(course, "release").out == "losses: up to date\n"
    finally:
        notebook.write_text(whole)


# ---- grade ---------------------------------------------------------------------------------------


def test_grading_without_any_course_tree(course: Path, tmp_path: Path) -> None:
    """One file, the assignment by path: an object; a folder: a list. Nothing else is written."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "homework.ipynb").write_text(json.dumps(answered(course, GOOD)))
    source = str(course / "source" / "losses" / "losses.py")
    one = Ran(tmp_path, "grade", "work/homework.ipynb", "--assignment", source, "--json")
    assert one.code == 0, one
    data = json.loads(one.out)
    jsonschema.validate(data, result.schema())
    assert data["sealed"] is True and data["replayed"] is False and one.err.count("note: ") == 0
    assert data["points"] == {"earned": 4, "possible": 6, "ungraded": 0, "bonus": 0}
    assert data["submission"]["file"] == "homework.ipynb"
    several = Ran(tmp_path, "grade", "work", "--assignment", source, "--json", "--out", "out")
    assert several.code == 0 and [item["points"]["earned"] for item in json.loads(several.out)] == [
        4
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "work"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "homework.json",
        "homework.md",
    ]


def test_a_summary_for_people(course: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.ipynb").write_text(json.dumps(answered(course, GOOD)))
    ran = Ran(tmp_path, "grade", "mine.ipynb", "--assignment", str(course / "source" / "losses"))
    assert ran.code == 0 and ran.out.split()[:6] == ["Two", "losses", "4", "of", "6", "points"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("grade", "nowhere.ipynb"), "nowhere.ipynb: no such file or folder"),
        (("grade", ".", "--assignment", "nowhere.py"), "nowhere.py: no such file or folder"),
        (
            ("grade", "empty", "--assignment", "SOURCE"),
            "empty: no notebook (.ipynb) in this folder",
        ),
    ],
)
def test_paths_that_lead_nowhere(
    course: Path, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    source = str(course / "source" / "losses" / "losses.py")
    ran = Ran(tmp_path, *(source if argument == "SOURCE" else argument for argument in arguments))
    assert ran.code == 2 and ran.err.strip().split("\n")[-1] == sentence, ran


def test_grading_a_course_and_what_comes_after(course: Path) -> None:
    hand_in(
        course,
        "ada",
        GOOD | {"losses-outlier-answer": "It outweighs the others; try the absolute value."},
    )
    hand_in(course, "grace", {})
    hand_in(course, "not a name", GOOD)
    stray = course / "submitted" / "ada" / "loses"
    stray.mkdir()
    first = Ran(course, "grade", "--all")
    assert first.code == 0 and first.out == "2 graded, 0 up to date; results in results\n", first
    assert "submitted/ada/loses: the course has no assignment of this name" in first.err
    assert (
        "submitted/not a name/losses/losses.ipynb: 'not a name' cannot be a student's id here"
        in first.err
    )
    again = Ran(course, "grade", "--all", "--json")
    found = json.loads(again.out)
    for item in found:
        jsonschema.validate(item, result.schema())
    assert [
        (item["submission"]["students"], item["points"]["earned"], item["points"]["ungraded"])
        for item in found
    ] == [(["ada"], 4, 2), (["grace"], 0, 0)]
    assert {item["release"] for item in found} == {"2026.1"}
    assert Ran(course, "grade", "--all").out == "0 graded, 2 up to date; results in results\n"

    assert Ran(course, "feedback").out == "feedback: 2 written, 0 up to date; in feedback\n"
    assert Ran(course, "feedback").out == "feedback: 0 written, 2 up to date; in feedback\n"
    assert (
        "4 of 6 points, 2 wait"
        in (course / "feedback" / "ada" / "losses" / "feedback.md").read_text()
    )
    table = Ran(course, "report").out.split("\n")
    assert table[0].split() == ["student", "assignment", "points", "failed", "untried", "waits"]
    assert table[1].split()[:3] == ["ada", "losses", "4/6"] and table[1].endswith("losses-outlier")
    assert Ran(course, "export").out == "results/marks.csv\nresults/parts.csv\n"
    assert (course / "results" / "marks.csv").read_text().split("\n")[1] == "ada,4,6,2,0"


def test_a_file_that_cannot_be_read_leaves_the_last_good_result_standing(course: Path) -> None:
    path = hand_in(course, "alan", GOOD)
    assert Ran(course, "grade", "--all").code == 0
    path.write_text("<<<<<<< HEAD\n{}\n=======\n")
    for _ in range(2):  # the second time must not say it twice
        assert Ran(course, "grade", "--all").code == 0
        kept = json.loads((course / "results" / "losses" / "alan.json").read_text())
        assert kept["outcome"] == "graded" and kept["points"]["earned"] == 4
        (problem,) = kept["problems"]
        assert "merge conflict" in problem["message"] and problem["message"].endswith(
            "(your last readable submission counts until then)"
        )
    assert json.loads((course / "results" / "losses" / "alan.staff.json").read_text())


def test_files_and_all_do_not_go_together(course: Path) -> None:
    assert Ran(course, "grade", "--all", "release").code == 2
    assert Ran(course, "grade", "--all", "--out", "elsewhere").code == 2


def test_an_nbgrader_notebook_in_the_course_is_graded_but_not_released(tmp_path: Path) -> None:
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config" / "course.toml").write_text(CONFIG)
    meta = {"schema_version": 3, "locked": False, "task": False}
    answer = {"grade_id": "double", "grade": False, "solution": True, **meta}
    test = {"grade_id": "double-test", "grade": True, "solution": False, "points": 2, **meta}
    sources = (
        "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
        "assert double(3) == 6",
    )
    cells = [
        {
            "cell_type": "code",
            "id": m["grade_id"],
            "metadata": {"nbgrader": m},
            "source": s,
            "outputs": [],
            "execution_count": None,
        }
        for m, s in zip((answer, test), sources, strict=True)
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for folder in ("source/doubling", "submitted/ada/doubling"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "doubling.ipynb").write_text(json.dumps(notebook))
    for command, done in (("prove", "proved"), ("release", "released")):
        ran = Ran(tmp_path, command)
        assert (
            (ran.code, ran.out) == (0, "")
            and ran.err
            == f"doubling: in nbgrader's format, so it can be graded but not {done} here\n"
        )
    assert Ran(tmp_path, "grade", "--all").code == 0
    assert "2/2" in Ran(tmp_path, "report").out


def test_an_interrupt_ends_everything_and_keeps_what_was_finished(course: Path) -> None:
    hand_in(course, "aaron", GOOD)
    path = hand_in(course, "loop", {"losses-mse-answer": ENDLESS})
    finished, target = (
        course / "results" / "losses" / f"{student}.json" for student in ("aaron", "loop")
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "autogradient", "grade", "--all"],
        cwd=course,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell that runs the tests in the background has it that Ctrl-C is nothing
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
    )
    try:
        _wait_until(finished.exists)
        busy = _wait_for_busy_child(process.pid)
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=25)  # the cell alone would run for 30 s
    finally:
        process.kill()
        path.unlink()
    assert (
        process.returncode == 130
        and err.strip().split("\n")[-1]
        == "interrupted; what was finished is kept, run the command again to go on"
    )
    assert "Traceback" not in err and not target.exists()
    assert busy in below
    gone, alive = psutil.wait_procs(below, timeout=20)
    assert not alive
    again = Ran(course, "grade", "--all")
    assert again.code == 0 and again.out.startswith("0 graded, "), again


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _wait_for_busy_child(pid: int) -> psutil.Process:
    """A process below `pid` that computes without end: the submission's."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        for child in psutil.Process(pid).children(recursive=True):
            try:
                parents = [parent.pid for parent in child.parents()]
                if (
                    parents.index(pid) >= 2
                    and child.status() == psutil.STATUS_RUNNING
                    and child.cpu_percent(interval=0.5) > 20
                ):
                    return child
            except (psutil.NoSuchProcess, ValueError):
                continue
        time.sleep(0.05)
    raise AssertionError("the submission did not begin to run")


def test_output_that_nobody_reads_is_no_error(course: Path) -> None:
    """As in `autogradient prove --help | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "autogradient", "report"],
        cwd=course,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    os.close(writer)
    assert done.returncode == 1 and done.stderr == ""
