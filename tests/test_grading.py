"""What students do to their notebooks, the score that each must get, and what they are told; and that no case, grade or process is lost."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import homework
import psutil
import pytest
from homework import Notebook

from autogradient import batch, grade
from autogradient.assignment import Assignment
from autogradient.result import PartResult, Result, SubmissionInfo
from autogradient.sandbox import Zygote
from autogradient.testcode import bound_names

Edit = Callable[[Notebook], None]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return homework.assignment(tmp_path_factory.mktemp("source"))


def graded(small: Assignment, notebook: Notebook, zygote: Zygote) -> Result:
    return grade.grade_bytes(small, notebook.bytes(), "small.ipynb", zygote, SubmissionInfo(students=["ada"])).result


def told(result: Result) -> list[str]:
    """The problems as a student reads them."""
    return [f"cell {p.cell}: {p.message}" if p.cell else p.message for p in result.problems]


def part(result: Result, name: str) -> PartResult:
    return next(part for part in result.parts if part.id == name)


# ---- what students do, the points it comes to (6 of 8 for a right notebook, 2 wait), and what they are told -------------


def nothing(n: Notebook) -> None:
    pass


def never_run(n: Notebook) -> None:
    for cell in n.cells:
        cell.pop("execution_count", None)


def run_out_of_order(n: Notebook) -> None:
    for i, cell in enumerate(n.cells):
        if cell["cell_type"] == "code":
            cell["execution_count"] = 100 - i
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "an old output"}]


def uses_what_stands_below(n: Notebook) -> None:
    n.put("total-answer", "total = add_up(data)")
    n.insert("", "def add_up(numbers):\n    return sum(numbers)")


def check_deleted(n: Notebook) -> None:
    n.drop("double", "double-hidden")


def all_checks_deleted(n: Notebook) -> None:
    for name in ("double", "total", "scale", "pick"):
        n.drop(name, f"{name}-hidden")


def check_doubled(n: Notebook) -> None:
    n.cells.insert(n.at("double"), json.loads(json.dumps(n.cells[n.at("double")])))


def check_moved_up(n: Notebook) -> None:
    n.move("double", 2)


def check_moved_to_the_end(n: Notebook) -> None:
    n.move("double", len(n.cells) - 1)


def check_edited(n: Notebook) -> None:
    n.put("double", "print('I am sure this is right')\n1")


def check_worded_as_last_year(n: Notebook) -> None:
    n.put("double", '# Run this cell to check your answer.\ngrader.check("double")')


def check_split(n: Notebook) -> None:
    first, second = n.cells[n.at("double")]["source"].split("\n")
    n.put("double", first)
    n.insert("double", second)


def setup_deleted(n: Notebook) -> None:
    n.drop("setup")


def setup_at_the_end(n: Notebook) -> None:
    n.move("setup", len(n.cells) - 1)


def setup_edited(n: Notebook) -> None:
    n.put("setup", "import numpy\n\nUNIT = 7.0")


def setup_doubled(n: Notebook) -> None:
    n.cells.append(json.loads(json.dumps(n.cells[n.at("setup")])))


def given_deleted(n: Notebook) -> None:
    n.drop("total-given")


def given_edited(n: Notebook) -> None:
    n.put("total-given", "data = np.array([100.0])")


def given_moved_below(n: Notebook) -> None:
    n.move("total-given", n.at("scale-text"))


def answer_deleted(n: Notebook) -> None:
    n.drop("scale-answer")


def question_deleted(n: Notebook) -> None:
    n.drop("scale-text", "scale-answer", "scale", "scale-hidden")


def answer_emptied(n: Notebook) -> None:
    n.put("scale-answer", "  \n")


def stub_without_its_comments(n: Notebook) -> None:
    n.put("scale-answer", "def scale(x):\n    ...  # no idea")


def answer_doubled_and_changed(n: Notebook) -> None:
    n.put("total-answer", "total = 24")
    copy = json.loads(json.dumps(n.cells[n.at("total-answer")]))
    copy["source"] = "total = 12"
    n.cells.insert(n.at("total-answer") + 1, copy)


def untouched_stub_above_a_copy(n: Notebook) -> None:
    copy = json.loads(json.dumps(n.cells[n.at("total-answer")]))
    n.put("total-answer", "total = ...")
    n.cells.insert(n.at("total-answer") + 1, copy)


def answer_in_a_new_cell_below_the_stub(n: Notebook) -> None:
    n.put("scale-answer", "def scale(x):\n    ...")
    n.insert("scale-answer", homework.ANSWERS["scale"])


def answers_in_new_cells_at_the_end(n: Notebook) -> None:
    for name in ("double", "total", "scale", "pick"):
        n.drop(f"{name}-answer")
        n.insert("", homework.ANSWERS[name])


def answer_split(n: Notebook) -> None:
    n.put("scale-answer", "def helper(x):\n    return sum(x)")
    n.insert("scale-answer", "def scale(x):\n    return np.array(x) / helper(x)")


def answer_split_with_its_id(n: Notebook) -> None:
    n.put("scale-answer", "def helper(x):\n    return sum(x)")
    second = json.loads(json.dumps(n.cells[n.at("scale-answer")]))
    second["source"] = "def scale(x):\n    return np.array(x) / helper(x)"
    n.cells.insert(n.at("scale-answer") + 1, second)


def answers_merged(n: Notebook) -> None:
    n.put("total-answer", homework.ANSWERS["total"] + "\n\n" + homework.ANSWERS["scale"])
    n.drop("scale-answer")


def answer_merged_with_its_check(n: Notebook) -> None:
    n.put("double-answer", homework.ANSWERS["double"] + '\ndisplay(_check := grader.check("double"))\n1 * _check.grade')
    n.drop("double")


def answer_typed_into_the_check(n: Notebook) -> None:
    n.put("total-answer", "total = ...")
    n.put("total", 'total = 12\ngrader.check("total")')


def answer_moved_to_the_top(n: Notebook) -> None:
    n.move("total-answer", 0)


def questions_in_another_order(n: Notebook) -> None:
    for name in ("double-text", "double-answer", "double", "double-hidden"):
        n.move(name, len(n.cells) - 1)


def metadata_lost(n: Notebook) -> None:
    n.forget()


def metadata_and_questions_lost(n: Notebook) -> None:
    n.data["cells"] = [homework.new_cell(text) for name, text in homework.ANSWERS.items() if name != "why"]
    n.data["metadata"] = {}


def only_cell_ids_lost(n: Notebook) -> None:
    for cell in n.cells:
        cell.pop("id")


def only_nbgrader_metadata_lost(n: Notebook) -> None:
    for cell in n.cells:
        cell["metadata"] = {}


def answer_is_markdown(n: Notebook) -> None:
    n.cells[n.at("total-answer")]["cell_type"] = "markdown"


def answer_is_raw(n: Notebook) -> None:
    n.cells[n.at("double-answer")]["cell_type"] = "raw"


def text_is_code(n: Notebook) -> None:
    n.cells[n.at("double-text")]["cell_type"] = "code"


def essay_is_code(n: Notebook) -> None:
    n.cells[n.at("why-answer")]["cell_type"] = "code"


def essay_in_a_new_cell(n: Notebook) -> None:
    n.drop("why-answer")
    n.insert("why-text", "Two is what comes next.", "markdown")


def all_answers_deleted(n: Notebook) -> None:
    n.drop(*(f"{name}-answer" for name in homework.ANSWERS))


def essay_untouched(n: Notebook) -> None:
    n.put("why-answer", "*Write your answer here.*\n")


def essay_deleted(n: Notebook) -> None:
    n.drop("why-answer")


def magics(n: Notebook) -> None:
    n.put("double-answer", "%matplotlib inline\n" + homework.ANSWERS["double"] + "\n%timeit -n1 -r1 double(1)")


def magics_without_an_id(n: Notebook) -> None:
    n.drop("double-answer")
    n.insert("double-text", "%time\n" + homework.ANSWERS["double"])


def shell_commands(n: Notebook) -> None:
    n.put("double-answer", "!echo hello\nfiles = !ls\n" + homework.ANSWERS["double"])


def asks_for_input(n: Notebook) -> None:
    n.put("total-answer", "total = int(input('how many? '))")


def prints_a_lot(n: Notebook) -> None:
    n.put("double-answer", "for i in range(30_000):\n    print('number', i)\n" + homework.ANSWERS["double"])


def shows_a_lot(n: Notebook) -> None:
    n.put("double-answer", "for i in range(60):\n    display({'text/html': 'x' * 1_000_000}, raw=True)\n" + homework.ANSWERS["double"])


def old_output_is_huge(n: Notebook) -> None:
    n.cells[n.at("double-answer")]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 5_000_000}]


def half_a_character(n: Notebook) -> None:
    n.put("double-answer", "print('\ud83d')\nprint(chr(0xD83D))\n" + homework.ANSWERS["double"])


def stops_with_exit(n: Notebook) -> None:
    n.put("total-answer", "total = 12\nimport sys\nsys.exit()")


def stops_the_process(n: Notebook) -> None:
    n.put("total-answer", "total = 12\nimport os\nos._exit(3)")


def crashes(n: Notebook) -> None:
    n.insert("double-hidden", "import ctypes\nctypes.string_at(0)")


def kills_its_process_group(n: Notebook) -> None:
    n.insert("double-hidden", "import os\nos.kill(0, 9)")


def closes_all_files(n: Notebook) -> None:
    n.insert("double-hidden", "import os\nos.closerange(0, 1000)")


def talks_over_the_grader(n: Notebook) -> None:
    n.insert("double-hidden", "import os, stat\nfor fd in range(3, 100):\n    try:\n        if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b'nonsense')\n    except OSError:\n        pass")


def awaits(n: Notebook) -> None:
    n.put("total-answer", "import asyncio\nawait asyncio.sleep(0)\ntotal = await asyncio.sleep(0, 12)")


def takes_away_the_streams(n: Notebook) -> None:
    n.insert("double-hidden", "import sys\nsys.stdout.close()\nsys.stdin = None\nsys.stdout = open('log.txt', 'w')")


def forks(n: Notebook) -> None:
    n.insert("double-hidden", "import os\nchild = os.fork()")


def never_ends(n: Notebook) -> None:
    n.put("total-answer", "total = 12\nwhile True:\n    pass")


def never_ends_and_will_not_be_stopped(n: Notebook) -> None:
    n.put("total-answer", "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntotal = 12\nwhile True:\n    pass")


def never_ends_when_called(n: Notebook) -> None:
    n.put("scale-answer", "def scale(x):\n    while True:\n        x = x")


def never_ends_sometimes(n: Notebook) -> None:
    n.put("double-answer", "def double(x):\n    while np.ndim(x):\n        pass\n    return 2 * x")


def exits_when_called(n: Notebook) -> None:
    n.put("double-answer", "def double(x):\n    raise SystemExit(0)")


def dies_when_called(n: Notebook) -> None:
    n.put("scale-answer", "import os\n\ndef scale(x):\n    if isinstance(x, list):\n        os._exit(0)\n    return x")


def endless_recursion(n: Notebook) -> None:
    n.put("double-answer", "def double(x):\n    return double(x)")


def takes_all_memory(n: Notebook) -> None:
    n.put("total-answer", "total = 12\nx = bytearray(10**12)")


def deletes_names(n: Notebook) -> None:
    n.insert("double-answer", "del double")


def deletes_names_below_the_check(n: Notebook) -> None:
    n.insert("double-hidden", "del double, np")


def shadows_builtins(n: Notebook) -> None:
    n.insert("setup", "list = [1, 2]\nisinstance = 3\nAssertionError = str\nprint = None")


def redefines_numpy(n: Notebook) -> None:
    n.insert("double-hidden", "np = None")


def redefines_an_answer_below(n: Notebook) -> None:
    n.insert("double-hidden", "def double(x):\n    return 'two'")


def has_a_syntax_error(n: Notebook) -> None:
    n.put("total-answer", "total = (3 + 4 + 5")


def merge_conflict_in_a_cell(n: Notebook) -> None:
    n.put("total-answer", "<<<<<<< HEAD\ntotal = 12\n=======\ntotal = 13\n>>>>>>> main")


def draws(n: Notebook) -> None:
    n.insert("double-hidden", "import matplotlib.pyplot as plt\nplt.figure()\nplt.plot([1, 2])\nplt.show()")


def leaves_threads_running(n: Notebook) -> None:
    n.insert("double-hidden", "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin).start()")


def leaves_processes_running(n: Notebook) -> None:
    n.insert("double-hidden", "import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)")


def warns(n: Notebook) -> None:
    n.put("double-answer", "import sys, warnings\n\ndef double(x):\n    warnings.warn('hm')\n    print('oh', file=sys.stderr)\n    return np.multiply(2, x)")


def reads_a_file_that_is_not_there(n: Notebook) -> None:
    n.put("total-answer", "total = 12\nopen('my_notes.txt').read()")


def prints_the_answer_only(n: Notebook) -> None:
    n.put("total-answer", "print(12)")


def answers_with_a_word(n: Notebook) -> None:
    n.put("total-answer", "total = 'twelve'")


def falls_for_a_known_slip(n: Notebook) -> None:
    n.put("total-answer", "total = 2 * data.sum()")


def changes_the_argument(n: Notebook) -> None:
    n.put("scale-answer", "def scale(x):\n    x /= np.sum(x)\n    return x")


NEVER = "look for a loop that never ends"
TABLE: list[tuple[Edit, float, float, list[str]]] = [
    (nothing, 6, 2, []),
    (never_run, 6, 2, []),
    (run_out_of_order, 6, 2, []),
    (uses_what_stands_below, 5, 2, ["cell 10: this cell ended with NameError: name 'add_up' is not defined"]),
    (check_deleted, 6, 2, ["the check cell of 'double' was missing; the course's own was used"]),
    (all_checks_deleted, 6, 2, ["the check cells of 4 parts ('double' and others) were missing; the course's own were used"]),
    (check_doubled, 6, 2, ["cell 7: the check cell of 'double' stands 2 times; the course's own was used once"]),
    (check_moved_up, 6, 2, []),
    (check_moved_to_the_end, 6, 2, []),
    (check_edited, 6, 2, ["cell 6: the check cell of 'double' had been changed; the course's own was used"]),
    (check_worded_as_last_year, 6, 2, []),
    (
        check_split,
        6,
        2,
        ["cell 7: this cell ended with NameError: name '_check' is not defined"],
    ),
    (setup_deleted, 6, 2, ["the setup cell of 'small' was missing; the course's own was used"]),
    (setup_at_the_end, 6, 2, []),
    (setup_edited, 6, 2, ["cell 2: the setup cell of 'small' had been changed; the course's own was used"]),
    (setup_doubled, 6, 2, ["cell 25: the setup cell of 'small' stands 2 times; the course's own was used once"]),
    (given_deleted, 6, 2, ["the data cell of 'total' was missing; the course's own was used"]),
    (given_edited, 6, 2, ["cell 9: the data cell of 'total' had been changed; the course's own was used"]),
    (given_moved_below, 6, 2, []),
    (answer_deleted, 4, 2, ["the answer cell of 'scale' is gone and no other cell defines scale; add it again to earn its points"]),
    (
        question_deleted,
        4,
        2,
        [
            "the answer cell of 'scale' is gone and no other cell defines scale; add it again to earn its points",
            "the check cell of 'scale' was missing; the course's own was used",
        ],
    ),
    (all_answers_deleted, 0, 0, ["the answer cells of 5 parts are gone ('double', 'total', 'scale', 'pick', 'why'); add them again to earn their points"]),
    (answer_emptied, 4, 2, []),
    (stub_without_its_comments, 4, 2, []),
    (answer_doubled_and_changed, 6, 2, ["cell 11: 'total' has 2 answer cells (10, 11); the last one that was changed, cell 11, was graded"]),
    (untouched_stub_above_a_copy, 6, 2, ["cell 11: 'total' has 2 answer cells (10, 11); the last one that was changed, cell 11, was graded"]),
    (answer_in_a_new_cell_below_the_stub, 6, 2, ["cell 15: the answer of 'scale' had lost its id and was found in cell 15"]),
    (
        answers_in_new_cells_at_the_end,
        6,
        2,
        ["4 answers had lost their ids and were found by what they define and where they stand (cells 21, 22, 23, 24)"],
    ),
    (answer_split, 6, 2, []),
    (answer_split_with_its_id, 6, 2, ["cell 15: 'scale' has 2 answer cells (14, 15); the last one that was changed, cell 15, was graded"]),
    (answers_merged, 6, 2, ["cell 10: the answer of 'scale' had lost its id and was found in cell 10"]),
    (answer_merged_with_its_check, 6, 2, ["the check cell of 'double' was missing; the course's own was used"]),
    (
        answer_typed_into_the_check,
        6,
        2,
        ["cell 11: the answer of 'total' had lost its id and was found in cell 11", "the check cell of 'total' was missing; the course's own was used"],
    ),
    (answer_moved_to_the_top, 6, 2, []),
    (questions_in_another_order, 6, 2, []),
    (
        metadata_lost,
        6,
        2,
        ["5 answers had lost their ids and were found by what they define and where they stand (cells 5, 10, 14, 19, 23)"],
    ),
    (
        metadata_and_questions_lost,
        6,
        0,
        [
            "4 answers had lost their ids and were found by what they define and where they stand (cells 1, 2, 3, 4)",
            "the answer cell of 'why' is gone and no other cell defines it; add it again to earn its points",
            "the check cells of 4 parts ('double' and others) were missing; the course's own were used",
            "the setup cell of 'small' was missing; the course's own was used",
            "the data cell of 'total' was missing; the course's own was used",
        ],
    ),
    (only_cell_ids_lost, 6, 2, []),
    (only_nbgrader_metadata_lost, 6, 2, []),
    (answer_is_markdown, 5, 2, ["cell 10: the answer of 'total' stands in a markdown cell, which is not run; turn it into a code cell"]),
    (answer_is_raw, 4, 2, ["cell 5: the answer of 'double' stands in a raw cell, which is not run; turn it into a code cell"]),
    (text_is_code, 6, 2, []),
    (essay_is_code, 6, 2, []),
    (essay_in_a_new_cell, 6, 2, ["cell 23: the answer of 'why' had lost its id and was found in cell 23"]),
    (essay_untouched, 6, 0, []),
    (essay_deleted, 6, 0, ["the answer cell of 'why' is gone and no other cell defines it; add it again to earn its points"]),
    (magics, 6, 2, []),
    (magics_without_an_id, 6, 2, ["cell 5: the answer of 'double' had lost its id and was found in cell 5"]),
    (shell_commands, 6, 2, []),
    (asks_for_input, 5, 2, ["cell 10: this cell ended with StdinNotImplementedError: input() cannot be answered while grading; put the value into the cell instead"]),
    (prints_a_lot, 6, 2, []),
    (shows_a_lot, 6, 2, []),
    (old_output_is_huge, 6, 2, []),
    (half_a_character, 6, 2, []),
    (stops_with_exit, 6, 2, ["cell 10: this cell ended with SystemExit"]),
    (stops_the_process, 5, 2, ["cell 10: this cell ended the Python process (exit code 3); the cells after it were run without it"]),
    (crashes, 6, 2, ["cell 8: this cell ended the Python process (a crash in compiled code); the cells after it were run without it"]),
    (
        kills_its_process_group,
        6,
        2,
        ["cell 8: this cell ended the Python process (it was killed, perhaps for want of memory); the cells after it were run without it"],
    ),
    (closes_all_files, 6, 2, ["cell 8: this cell ended the Python process (exit code 1); the cells after it were run without it"]),
    (talks_over_the_grader, 6, 2, ["cell 8: this cell ended the Python process (it disappeared); the cells after it were run without it"]),
    (awaits, 6, 2, []),
    (takes_away_the_streams, 6, 2, []),
    (forks, 6, 2, []),
    (never_ends, 6, 2, [f"cell 10: this cell was stopped after 2 s; {NEVER}"]),
    (never_ends_and_will_not_be_stopped, 5, 2, [f"cell 10: this cell was stopped after 2 s; {NEVER}"]),
    (never_ends_when_called, 4, 2, []),
    (never_ends_sometimes, 5, 2, []),
    (exits_when_called, 4, 2, []),
    (dies_when_called, 4.5, 2, []),
    (endless_recursion, 4, 2, []),
    (takes_all_memory, 6, 2, ["cell 10: this cell ended with MemoryError"]),
    (deletes_names, 4, 2, []),
    (
        deletes_names_below_the_check,
        3,
        2,
        ["cell 10: this cell ended with NameError: name 'np' is not defined", "cell 11: this cell ended with NameError: name 'data' is not defined"],
    ),
    (shadows_builtins, 6, 2, []),
    (
        redefines_numpy,
        3,
        2,
        [
            "cell 10: this cell ended with AttributeError: 'NoneType' object has no attribute 'arange'",
            "cell 11: this cell ended with NameError: name 'data' is not defined",
        ],
    ),
    (redefines_an_answer_below, 6, 2, []),
    (has_a_syntax_error, 5, 2, ["cell 10: this cell ended with SyntaxError: incomplete input (line 1)"]),
    (
        merge_conflict_in_a_cell,
        5,
        2,
        [
            "cell 10: this cell has merge-conflict markers in it; keep one side and remove the lines that begin with <<<<<<<, ======= and >>>>>>>",
            "cell 10: this cell ended with SyntaxError: invalid syntax (line 1)",
        ],
    ),
    (draws, 6, 2, []),
    (leaves_threads_running, 6, 2, []),
    (leaves_processes_running, 6, 2, []),
    (warns, 6, 2, []),
    (reads_a_file_that_is_not_there, 6, 2, ["cell 10: this cell ended with FileNotFoundError: [Errno 2] No such file or directory: 'my_notes.txt'"]),
    (prints_the_answer_only, 5, 2, []),
    (answers_with_a_word, 5, 2, []),
    (falls_for_a_known_slip, 5, 2, []),
    (changes_the_argument, 5.5, 2, []),
]


@pytest.mark.parametrize(("edit", "earned", "waiting", "problems"), TABLE, ids=[row[0].__name__ for row in TABLE])
def test_a_notebook_gets_exactly_this(small: Assignment, zygote: Zygote, edit: Edit, earned: float, waiting: float, problems: list[str]) -> None:
    notebook = Notebook(small)
    edit(notebook)
    result = graded(small, notebook, zygote)
    assert told(result) == problems
    assert (result.points.earned, result.points.possible, result.points.ungraded) == (Fraction(earned), 8, waiting)
    assert result.outcome == "graded"
    assert [(p.id, [(c.name, c.possible) for c in p.cases]) for p in result.parts] == manifest(small)


def manifest(small: Assignment) -> list[tuple[str, list[tuple[str, Fraction]]]]:
    """Every case that must be accounted for."""
    return [(p.id, [(c.title, c.points) for c in p.cases] or [("marked by hand", p.points)]) for p in small.parts]


# ---- what the student is told about a case ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "name", "outcomes", "message"),
    [
        (falls_for_a_known_slip, "total", ["passed", "failed"], "Not quite: each number went in twice."),
        (prints_the_answer_only, "total", ["failed", "failed"], ""),
        (deletes_names, "double", ["failed", "failed"], "`double` is not defined when the check runs; run the cell that defines it in its place, above the check."),
        (endless_recursion, "double", ["failed", "failed"], "Arrays are doubled element by element. Your code raised a RecursionError."),
        (exits_when_called, "double", ["failed", "failed"], "Arrays are doubled element by element. Your code raised a SystemExit."),
        (never_ends_when_called, "scale", ["timed_out"] * 3, "It may take 2 s; look for a loop that never ends."),
        (never_ends_sometimes, "double", ["passed", "timed_out"], "It may take 2 s; look for a loop that never ends."),
        (dies_when_called, "scale", ["failed", "failed", "passed"], ""),
        (essay_untouched, "why", ["failed"], "Not attempted yet."),
        (nothing, "why", ["not_run"], ""),
        (answer_emptied, "scale", ["failed"] * 3, "Not attempted yet."),
    ],
)
def test_the_last_case_of_a_part_says_why(small: Assignment, zygote: Zygote, edit: Edit, name: str, outcomes: list[str], message: str) -> None:
    notebook = Notebook(small)
    edit(notebook)
    found = part(graded(small, notebook, zygote), name)
    assert [case.outcome for case in found.cases] == outcomes
    assert found.cases[-1].message == message


def test_a_dying_process_costs_its_own_case_only(small: Assignment, zygote: Zygote) -> None:
    notebook = Notebook(small)
    dies_when_called(notebook)
    assert [case.message for case in part(graded(small, notebook, zygote), "scale").cases[:2]] == ["The Python process ended while this check ran (exit code 0)."] * 2


def test_nothing_of_a_hidden_case_is_told(small: Assignment, zygote: Zygote) -> None:
    secret = "def double(x):\n    if np.ndim(x):\n        raise ValueError(f'seen: {x}')\n    print(x)\n    return 2 * x"
    notebook = Notebook(small, homework.ANSWERS | {"double": secret})
    done = grade.grade_bytes(small, notebook.bytes(), "small.ipynb", zygote, SubmissionInfo())
    hidden = part(done.result, "double").cases[1]
    assert hidden.message == "Arrays are doubled element by element. Your code raised a ValueError."
    assert hidden.seconds is None
    assert "seen" not in done.result.to_json()
    assert "seen: [" in done.staff["double"]["arrays"]["error"][1]


@pytest.mark.parametrize("edit", [nothing, essay_untouched, answer_deleted, stub_without_its_comments, answer_is_raw, metadata_and_questions_lost])
def test_attempted_is_what_differs_from_the_stub(small: Assignment, zygote: Zygote, edit: Edit) -> None:
    notebook = Notebook(small)
    edit(notebook)
    result = graded(small, notebook, zygote)
    untouched = {essay_untouched: ["why"], answer_deleted: ["scale"], stub_without_its_comments: ["scale"], metadata_and_questions_lost: ["why"]}.get(edit, [])
    assert [p.id for p in result.parts if not p.attempted] == untouched


def test_the_untouched_release_earns_nothing_and_is_told_nothing(small: Assignment, zygote: Zygote) -> None:
    result = graded(small, Notebook(small, {}), zygote)
    assert (result.points.earned, result.points.ungraded, told(result)) == (0, 0, [])
    assert not any(p.attempted for p in result.parts)


# ---- what is kept of the run -----------------------------------------------------------------------------------------


def cell_output(small: Assignment, notebook: Notebook, zygote: Zygote, index: int) -> list[dict[str, object]]:
    done = grade.grade_bytes(small, notebook.bytes(), "small.ipynb", zygote, SubmissionInfo())
    assert done.notebook is not None
    outputs: list[dict[str, object]] = done.notebook["cells"][index]["outputs"]
    return outputs


def test_of_a_flood_head_and_tail_are_kept(small: Assignment, zygote: Zygote) -> None:
    notebook = Notebook(small)
    prints_a_lot(notebook)
    (stream,) = cell_output(small, notebook, zygote, notebook.at("double-answer"))
    text = str(stream["text"])
    written = sum(len(f"number {i}\n") for i in range(30_000))
    assert text.startswith("number 0\nnumber 1\n") and text.endswith("number 29998\nnumber 29999\n")
    assert f"… {written - 100_000} characters left out …" in text
    assert len(text) < 101_000


def test_what_shows_too_much_is_left_out(small: Assignment, zygote: Zygote) -> None:
    notebook = Notebook(small)
    shows_a_lot(notebook)
    outputs = cell_output(small, notebook, zygote, notebook.at("double-answer"))
    assert len(outputs) == 60
    assert len(json.dumps(outputs)) < 25_000_000
    assert outputs[-1]["data"] == {"text/plain": "<output left out: this cell shows too much>"}


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (crashes, "This cell ended the Python process (a crash in compiled code); the cells after it were run without it.\n"),
        (never_ends, f"This cell was stopped after 2 s; {NEVER}.\n"),
    ],
)
def test_a_cell_that_was_stopped_says_so(small: Assignment, zygote: Zygote, edit: Edit, text: str) -> None:
    notebook = Notebook(small)
    edit(notebook)
    index = notebook.at("total-answer") if edit is never_ends else notebook.at("double-hidden") + 1
    assert cell_output(small, notebook, zygote, index)[-1] == {"output_type": "stream", "name": "stderr", "text": text}


def test_old_outputs_are_replaced(small: Assignment, zygote: Zygote) -> None:
    notebook = Notebook(small, homework.ANSWERS | {"double": homework.ANSWERS["double"] + "\ndouble(4)"})
    run_out_of_order(notebook)
    done = grade.grade_bytes(small, notebook.bytes(), "small.ipynb", zygote, SubmissionInfo())
    assert done.notebook is not None
    assert "an old output" not in json.dumps(done.notebook)
    cell = done.notebook["cells"][notebook.at("double-answer")]
    assert cell["outputs"][0]["data"]["text/plain"] in ("8", "np.int64(8)")
    counts = [c["execution_count"] for c in done.notebook["cells"] if c.get("execution_count")]
    assert counts == sorted(counts)


def test_a_figure_is_kept(small: Assignment, zygote: Zygote) -> None:
    notebook = Notebook(small)
    draws(notebook)
    outputs = cell_output(small, notebook, zygote, notebook.at("double-hidden") + 1)
    assert any("image/png" in output.get("data", {}) for output in outputs)  # type: ignore[operator]


def test_no_path_of_the_grader_is_shown(small: Assignment, zygote: Zygote) -> None:
    notebook = Notebook(small, homework.ANSWERS | {"total": "total = 12\n1 / 0"})
    outputs = cell_output(small, notebook, zygote, notebook.at("total-answer"))
    never = Notebook(small)
    never_ends(never)
    outputs += cell_output(small, never, zygote, never.at("total-answer"))
    assert [output["ename"] for output in outputs if "ename" in output] == ["ZeroDivisionError", "KeyboardInterrupt"]
    assert "autogradient" not in json.dumps(outputs)


def test_notebooks_can_be_read_in_many_threads() -> None:
    """Older interpreters cannot parse in two threads at once if something lets go of the lock meanwhile, as a collection of garbage may."""
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


# ---- the same work, the same result ----------------------------------------------------------------------------------


def timeless(result: Result) -> dict[str, object]:
    data: dict[str, object] = json.loads(result.to_json())
    data.pop("graded_at")
    for p in (p for q in data["questions"] for p in q["parts"]):  # type: ignore[attr-defined]
        for case in p["cases"]:
            case.pop("seconds")
    return data


@pytest.mark.parametrize("edit", [nothing, crashes, deletes_names])
def test_two_gradings_differ_in_their_times_only(small: Assignment, zygote: Zygote, edit: Edit) -> None:
    notebook = Notebook(small, homework.ANSWERS | {"double": "r = np.random.rand()\n\ndef double(x):\n    return 2 * x if r < 0.5 else 2 * x + np.random.rand()"})
    edit(notebook)
    assert timeless(graded(small, notebook, zygote)) == timeless(graded(small, notebook, zygote))


def hand_in(folder: Path, data: bytes, student: str = "ada", name: str = "small.ipynb") -> Path:
    path = folder / student / "small" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def run(small: Assignment, folder: Path, zygote: Zygote, jobs: int = 1) -> list[batch.Done]:
    items = list(batch.submissions(folder / "submitted", [small]))
    return batch.grade_all(items, zygote, jobs=jobs, results=folder / "results")


def test_what_has_not_changed_is_not_graded_again(small: Assignment, zygote: Zygote, tmp_path: Path) -> None:
    for student in ("ada", "grace"):
        hand_in(tmp_path / "submitted", Notebook(small).bytes(), student)
    assert [done.again for done in run(small, tmp_path, zygote, jobs=2)] == [True, True]
    before = (tmp_path / "results/small/ada.json").read_bytes()
    hand_in(tmp_path / "submitted", Notebook(small, homework.ANSWERS | {"total": "total = 1"}).bytes(), "grace")
    again = run(small, tmp_path, zygote, jobs=2)
    assert [(done.item.students, done.again, done.graded.result.points.earned) for done in again] == [(("ada",), False, 6), (("grace",), True, 5)]
    assert (tmp_path / "results/small/ada.json").read_bytes() == before


def test_a_changed_test_grades_again(small: Assignment, zygote: Zygote, tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    run(small, tmp_path, zygote)
    path = homework.write_source(tmp_path / "source")
    path.write_text(path.read_text().replace("double(3) == 6", "double(4) == 8"))
    changed = homework.load(path)
    assert [done.again for done in run(changed, tmp_path, zygote)] == [True]


def test_an_unreadable_newer_file_falls_back(small: Assignment, zygote: Zygote, tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    run(small, tmp_path, zygote)
    staff = (tmp_path / "results/small/ada.staff.json").read_bytes()
    hand_in(tmp_path / "submitted", b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> main\n")
    for _ in range(2):  # told once, however often it is graded
        (done,) = run(small, tmp_path, zygote)
        assert (done.graded.result.outcome, done.graded.result.points.earned) == ("graded", 6)
        (sentence,) = told(done.graded.result)
        assert sentence.startswith("small.ipynb: a merge conflict was left in the file (line 1); keep one side of it")
        assert "last readable submission" in sentence
    assert (tmp_path / "results/small/ada.staff.json").read_bytes() == staff
    hand_in(tmp_path / "submitted", Notebook(small, {}).bytes())
    (done,) = run(small, tmp_path, zygote)
    assert (done.graded.result.points.earned, told(done.graded.result)) == (0, [])


def test_an_unreadable_file_loses_nothing(small: Assignment, zygote: Zygote, tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", b"")
    (done,) = run(small, tmp_path, zygote)
    result = done.graded.result
    assert result.outcome == "unreadable"
    assert (result.points.earned, result.points.possible, result.points.ungraded) == (0, 8, 8)
    assert [(p.id, [(c.name, c.possible) for c in p.cases]) for p in result.parts] == manifest(small)


def test_a_grader_that_fails_on_one_grades_the_others(small: Assignment, zygote: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes(), "ada")
    hand_in(tmp_path / "submitted", Notebook(small, {}).bytes(), "grace")
    real = grade.plan

    def plan(assignment: Assignment, notebook: object) -> object:
        if "double(x):\\n    return" in json.dumps(notebook.data):  # type: ignore[attr-defined]
            raise RuntimeError("a slip of ours")
        return real(assignment, notebook)  # type: ignore[arg-type]

    monkeypatch.setattr(grade, "plan", plan)
    broken, fine = run(small, tmp_path, zygote)
    assert (broken.graded.result.outcome, fine.graded.result.outcome) == ("grader_error", "graded")
    assert broken.graded.result.points.ungraded == 8
    assert told(broken.graded.result) == ["the grader failed on this notebook; the course staff will look at it"]
    assert "a slip of ours" in (tmp_path / "results/small/ada.staff.json").read_text()
    monkeypatch.undo()
    assert [(done.again, done.graded.result.points.earned) for done in run(small, tmp_path, zygote)] == [(True, 6), (False, 0)]


def test_a_session_without_an_interpreter_is_an_error_of_the_grader(small: Assignment, tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    with Zygote() as own:
        own.wait()
        own.process.kill()
        own.process.wait()
        (done,) = run(small, tmp_path, own)
    assert done.graded.result.outcome == "grader_error"


# ---- several files, other people's files -----------------------------------------------------------------------------


def test_of_two_notebooks_the_one_with_the_name_is_graded(small: Assignment, zygote: Zygote, tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", Notebook(small).bytes())
    hand_in(tmp_path / "submitted", Notebook(small, {}).bytes(), name="small-Copy1.ipynb")
    (done,) = run(small, tmp_path, zygote)
    assert done.graded.result.points.earned == 6
    assert told(done.graded.result) == [
        "small-Copy1.ipynb and small.ipynb are both notebooks of this assignment; small.ipynb was graded because it has the assignment's name"
    ]


def test_of_two_other_names_the_one_changed_last_is_graded(small: Assignment, zygote: Zygote, tmp_path: Path) -> None:
    old = hand_in(tmp_path / "submitted", Notebook(small, {}).bytes(), name="b.ipynb")
    new = hand_in(tmp_path / "submitted", Notebook(small).bytes(), name="a.ipynb")
    os.utime(old, (1000, 1000))
    os.utime(new, (2000, 2000))
    (done,) = run(small, tmp_path, zygote)
    assert done.graded.result.points.earned == 6
    assert told(done.graded.result) == [
        "a.ipynb and b.ipynb are both notebooks of this assignment; a.ipynb was graded because it was changed last",
        "the notebook is called a.ipynb; it was recognised as small by its metadata",
    ]


def test_the_readable_one_of_two_is_graded(small: Assignment, zygote: Zygote, tmp_path: Path) -> None:
    hand_in(tmp_path / "submitted", b"{", name="small.ipynb")
    hand_in(tmp_path / "submitted", Notebook(small).bytes(), name="small_final_FINAL.ipynb")
    (done,) = run(small, tmp_path, zygote)
    assert (done.graded.result.outcome, done.graded.result.points.earned) == ("graded", 6)


def test_a_notebook_of_another_assignment_is_pointed_out(small: Assignment, zygote: Zygote, tmp_path: Path) -> None:
    notebook = Notebook(small, {})
    notebook.data["metadata"]["autogradient"]["assignment"] = "large"
    hand_in(tmp_path / "submitted", notebook.bytes())
    (done,) = run(small, tmp_path, zygote)
    assert told(done.graded.result) == ["the notebook says that it is 'large', but was graded as 'small'; check that the right file was handed in"]


def test_a_link_to_another_student_is_not_followed(small: Assignment, tmp_path: Path) -> None:
    theirs = hand_in(tmp_path / "submitted", Notebook(small).bytes(), "ada")
    folder = tmp_path / "submitted" / "mallory" / "small"
    folder.mkdir(parents=True)
    (folder / "small.ipynb").symlink_to(theirs)
    assert [item.students for item in batch.submissions(tmp_path / "submitted", [small])] == [("ada",)]


# ---- nothing is left running -----------------------------------------------------------------------------------------

LEAVES = "import os, subprocess, threading\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)\nif os.fork() == 0:\n    while True: pass"


def test_when_a_session_ends_its_processes_are_gone(tmp_path: Path) -> None:
    with Zygote() as own:
        with own.session(tmp_path, memory_mb=512, seed=1) as session:
            session.main.fork()
            session.main.run(LEAVES, 10)
            family = psutil.Process(own.process.pid).children(recursive=True)
            assert len(family) >= 5, "supervisor, worker, snapshot, the student's sleep and fork"
        gone, alive = psutil.wait_procs(family, timeout=60)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
        assert own.process.poll() is None


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
    script = "import sys; from autogradient.cli import main; sys.argv[1:] = ['grade', 'n.ipynb', '--assignment', 'small/small.py']; main()"
    grader = subprocess.Popen([sys.executable, "-c", script], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    family: list[psutil.Process] = []
    while not any("sleep" in name_of(process) for process in family):
        assert grader.poll() is None, "the grader ended before the student's code ran"
        family = psutil.Process(grader.pid).children(recursive=True)
    grader.send_signal(signal.SIGKILL)
    grader.wait()
    gone, alive = psutil.wait_procs(family, timeout=60)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
    assert len(gone) + len(alive) >= 4
