"""What students do to their notebooks, the score that each must get of the small assignment, and
what they are told.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import homework
from homework import Notebook

Edit = Callable[[Notebook], None]


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
    n.put(
        "double-answer",
        homework.ANSWERS["double"]
        + '\ndisplay(_check := grader.check("double"))\n1 * _check.grade',
    )
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
    n.data["cells"] = [
        homework.new_cell(text) for name, text in homework.ANSWERS.items() if name != "why"
    ]
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
    n.put(
        "double-answer",
        "%matplotlib inline\n" + homework.ANSWERS["double"] + "\n%timeit -n1 -r1 double(1)",
    )


def magics_without_an_id(n: Notebook) -> None:
    n.drop("double-answer")
    n.insert("double-text", "%time\n" + homework.ANSWERS["double"])


def shell_commands(n: Notebook) -> None:
    n.put("double-answer", "!echo hello\nfiles = !ls\n" + homework.ANSWERS["double"])


def asks_for_input(n: Notebook) -> None:
    n.put("total-answer", "total = int(input('how many? '))")


def prints_a_lot(n: Notebook) -> None:
    n.put(
        "double-answer",
        "for i in range(30_000):\n    print('number', i)\n" + homework.ANSWERS["double"],
    )


def shows_a_lot(n: Notebook) -> None:
    n.put(
        "double-answer",
        "for i in range(60):\n    display({'text/html': 'x' * 1_000_000}, raw=True)\n"
        + homework.ANSWERS["double"],
    )


def old_output_is_huge(n: Notebook) -> None:
    n.cells[n.at("double-answer")]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 5_000_000}
    ]


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
    n.insert(
        "double-hidden",
        (
            "import os, stat\nfor fd in range(3, 100):\n    try:\n        if "
            "stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b'nonsense')\n    except "
            "OSError:\n        pass"
        ),
    )


def awaits(n: Notebook) -> None:
    n.put(
        "total-answer", "import asyncio\nawait asyncio.sleep(0)\ntotal = await asyncio.sleep(0, 12)"
    )


def takes_away_the_streams(n: Notebook) -> None:
    n.insert(
        "double-hidden",
        "import sys\nsys.stdout.close()\nsys.stdin = None\nsys.stdout = open('log.txt', 'w')",
    )


def forks(n: Notebook) -> None:
    n.insert("double-hidden", "import os\nchild = os.fork()")


def never_ends(n: Notebook) -> None:
    n.put("total-answer", "total = 12\nwhile True:\n    pass")


def never_ends_and_will_not_be_stopped(n: Notebook) -> None:
    n.put(
        "total-answer",
        (
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntotal = 12\nwhile "
            "True:\n    pass"
        ),
    )


def never_ends_when_called(n: Notebook) -> None:
    n.put("scale-answer", "def scale(x):\n    while True:\n        x = x")


def never_ends_sometimes(n: Notebook) -> None:
    n.put("double-answer", "def double(x):\n    while np.ndim(x):\n        pass\n    return 2 * x")


def exits_when_called(n: Notebook) -> None:
    n.put("double-answer", "def double(x):\n    raise SystemExit(0)")


def dies_when_called(n: Notebook) -> None:
    n.put(
        "scale-answer",
        (
            "import os\n\ndef scale(x):\n    if isinstance(x, list):\n        "
            "os._exit(0)\n    return x"
        ),
    )


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
    n.insert(
        "double-hidden",
        "import matplotlib.pyplot as plt\nplt.figure()\nplt.plot([1, 2])\nplt.show()",
    )


def leaves_threads_running(n: Notebook) -> None:
    n.insert(
        "double-hidden",
        (
            "import threading\ndef spin():\n    while True: "
            "pass\nthreading.Thread(target=spin).start()"
        ),
    )


def leaves_processes_running(n: Notebook) -> None:
    n.insert(
        "double-hidden",
        "import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)",
    )


def warns(n: Notebook) -> None:
    n.put(
        "double-answer",
        (
            "import sys, warnings\n\ndef double(x):\n    warnings.warn('hm')\n    "
            "print('oh', file=sys.stderr)\n    return np.multiply(2, x)"
        ),
    )


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
#: What is done; points earned of 8 (6 for a right notebook), points that wait for a person, and the
#: problems that the student reads.
TABLE: list[tuple[Edit, float, float, list[str]]] = [
    (nothing, 6, 2, []),
    (never_run, 6, 2, []),
    (run_out_of_order, 6, 2, []),
    (
        uses_what_stands_below,
        5,
        2,
        ["cell 10: this cell ended with NameError: name 'add_up' is not defined"],
    ),
    (check_deleted, 6, 2, ["the check cell of 'double' was missing; the course's own was used"]),
    (
        all_checks_deleted,
        6,
        2,
        [
            (
                "the check cells of 4 parts ('double' and others) were missing; the "
                "course's own were used"
            )
        ],
    ),
    (
        check_doubled,
        6,
        2,
        ["cell 7: the check cell of 'double' stands 2 times; the course's own was used once"],
    ),
    (check_moved_up, 6, 2, []),
    (check_moved_to_the_end, 6, 2, []),
    (
        check_edited,
        6,
        2,
        ["cell 6: the check cell of 'double' had been changed; the course's own was used"],
    ),
    (check_worded_as_last_year, 6, 2, []),
    (
        check_split,
        6,
        2,
        ["cell 7: this cell ended with NameError: name '_check' is not defined"],
    ),
    (setup_deleted, 6, 2, ["the setup cell of 'small' was missing; the course's own was used"]),
    (setup_at_the_end, 6, 2, []),
    (
        setup_edited,
        6,
        2,
        ["cell 2: the setup cell of 'small' had been changed; the course's own was used"],
    ),
    (
        setup_doubled,
        6,
        2,
        ["cell 25: the setup cell of 'small' stands 2 times; the course's own was used once"],
    ),
    (given_deleted, 6, 2, ["the data cell of 'total' was missing; the course's own was used"]),
    (
        given_edited,
        6,
        2,
        ["cell 9: the data cell of 'total' had been changed; the course's own was used"],
    ),
    (given_moved_below, 6, 2, []),
    (
        answer_deleted,
        4,
        2,
        [
            (
                "the answer cell of 'scale' is gone and no other cell defines scale; add it "
                "again to earn its points"
            )
        ],
    ),
    (
        question_deleted,
        4,
        2,
        [
            (
                "the answer cell of 'scale' is gone and no other cell defines scale; add it "
                "again to earn its points"
            ),
            "the check cell of 'scale' was missing; the course's own was used",
        ],
    ),
    (
        all_answers_deleted,
        0,
        0,
        [
            (
                "the answer cells of 5 parts are gone ('double', 'total', 'scale', 'pick', "
                "'why'); add them again to earn their points"
            )
        ],
    ),
    (answer_emptied, 4, 2, []),
    (stub_without_its_comments, 4, 2, []),
    (
        answer_doubled_and_changed,
        6,
        2,
        [
            (
                "cell 11: 'total' has 2 answer cells (10, 11); the last one that was "
                "changed, cell 11, was graded"
            )
        ],
    ),
    (
        untouched_stub_above_a_copy,
        6,
        2,
        [
            (
                "cell 11: 'total' has 2 answer cells (10, 11); the last one that was "
                "changed, cell 11, was graded"
            )
        ],
    ),
    (
        answer_in_a_new_cell_below_the_stub,
        6,
        2,
        ["cell 15: the answer of 'scale' had lost its id and was found in cell 15"],
    ),
    (
        answers_in_new_cells_at_the_end,
        6,
        2,
        [
            (
                "4 answers had lost their ids and were found by what they define and where "
                "they stand (cells 21, 22, 23, 24)"
            )
        ],
    ),
    (answer_split, 6, 2, []),
    (
        answer_split_with_its_id,
        6,
        2,
        [
            (
                "cell 15: 'scale' has 2 answer cells (14, 15); the last one that was "
                "changed, cell 15, was graded"
            )
        ],
    ),
    (
        answers_merged,
        6,
        2,
        ["cell 10: the answer of 'scale' had lost its id and was found in cell 10"],
    ),
    (
        answer_merged_with_its_check,
        6,
        2,
        ["the check cell of 'double' was missing; the course's own was used"],
    ),
    (
        answer_typed_into_the_check,
        6,
        2,
        [
            "cell 11: the answer of 'total' had lost its id and was found in cell 11",
            "the check cell of 'total' was missing; the course's own was used",
        ],
    ),
    (answer_moved_to_the_top, 6, 2, []),
    (questions_in_another_order, 6, 2, []),
    (
        metadata_lost,
        6,
        2,
        [
            (
                "5 answers had lost their ids and were found by what they define and where "
                "they stand (cells 5, 10, 14, 19, 23)"
            )
        ],
    ),
    (
        metadata_and_questions_lost,
        6,
        0,
        [
            (
                "4 answers had lost their ids and were found by what they define and where "
                "they stand (cells 1, 2, 3, 4)"
            ),
            (
                "the answer cell of 'why' is gone and no other cell defines it; add it "
                "again to earn its points"
            ),
            (
                "the check cells of 4 parts ('double' and others) were missing; the "
                "course's own were used"
            ),
            "the setup cell of 'small' was missing; the course's own was used",
            "the data cell of 'total' was missing; the course's own was used",
        ],
    ),
    (only_cell_ids_lost, 6, 2, []),
    (only_nbgrader_metadata_lost, 6, 2, []),
    (
        answer_is_markdown,
        5,
        2,
        [
            (
                "cell 10: the answer of 'total' stands in a markdown cell, which is not "
                "run; turn it into a code cell"
            )
        ],
    ),
    (
        answer_is_raw,
        4,
        2,
        [
            (
                "cell 5: the answer of 'double' stands in a raw cell, which is not run; "
                "turn it into a code cell"
            )
        ],
    ),
    (text_is_code, 6, 2, []),
    (essay_is_code, 6, 2, []),
    (
        essay_in_a_new_cell,
        6,
        2,
        ["cell 23: the answer of 'why' had lost its id and was found in cell 23"],
    ),
    (essay_untouched, 6, 0, []),
    (
        essay_deleted,
        6,
        0,
        [
            (
                "the answer cell of 'why' is gone and no other cell defines it; add it "
                "again to earn its points"
            )
        ],
    ),
    (magics, 6, 2, []),
    (
        magics_without_an_id,
        6,
        2,
        ["cell 5: the answer of 'double' had lost its id and was found in cell 5"],
    ),
    (shell_commands, 6, 2, []),
    (
        asks_for_input,
        5,
        2,
        [
            (
                "cell 10: this cell ended with StdinNotImplementedError: input() cannot be "
                "answered while grading; put the value into the cell instead"
            )
        ],
    ),
    (prints_a_lot, 6, 2, []),
    (shows_a_lot, 6, 2, []),
    (old_output_is_huge, 6, 2, []),
    (half_a_character, 6, 2, []),
    (stops_with_exit, 6, 2, ["cell 10: this cell ended with SystemExit"]),
    (
        stops_the_process,
        5,
        2,
        [
            (
                "cell 10: this cell ended the Python process (exit code 3); the cells after "
                "it were run without it"
            )
        ],
    ),
    (
        crashes,
        6,
        2,
        [
            (
                "cell 8: this cell ended the Python process (a crash in compiled code); the "
                "cells after it were run without it"
            )
        ],
    ),
    (
        kills_its_process_group,
        6,
        2,
        [
            (
                "cell 8: this cell ended the Python process (it was killed, perhaps for "
                "want of memory); the cells after it were run without it"
            )
        ],
    ),
    (
        closes_all_files,
        6,
        2,
        [
            (
                "cell 8: this cell ended the Python process (exit code 1); the cells after "
                "it were run without it"
            )
        ],
    ),
    (
        talks_over_the_grader,
        6,
        2,
        [
            (
                "cell 8: this cell ended the Python process (it did not answer as it "
                "should); the cells after it were run without it"
            )
        ],
    ),
    (awaits, 6, 2, []),
    (takes_away_the_streams, 6, 2, []),
    (forks, 6, 2, []),
    (never_ends, 6, 2, [f"cell 10: this cell was stopped after 2 s; {NEVER}"]),
    (
        never_ends_and_will_not_be_stopped,
        5,
        2,
        [f"cell 10: this cell was stopped after 2 s; {NEVER}"],
    ),
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
        [
            "cell 10: this cell ended with NameError: name 'np' is not defined",
            "cell 11: this cell ended with NameError: name 'data' is not defined",
        ],
    ),
    (shadows_builtins, 6, 2, []),
    (
        redefines_numpy,
        3,
        2,
        [
            (
                "cell 10: this cell ended with AttributeError: 'NoneType' object has no "
                "attribute 'arange'"
            ),
            "cell 11: this cell ended with NameError: name 'data' is not defined",
        ],
    ),
    (redefines_an_answer_below, 6, 2, []),
    (
        has_a_syntax_error,
        5,
        2,
        ["cell 10: this cell ended with SyntaxError: incomplete input (line 1)"],
    ),
    (
        merge_conflict_in_a_cell,
        5,
        2,
        [
            (
                "cell 10: this cell has merge-conflict markers in it; keep one side and "
                "remove the lines that begin with <<<<<<<, ======= and >>>>>>>"
            ),
            "cell 10: this cell ended with SyntaxError: invalid syntax (line 1)",
        ],
    ),
    (draws, 6, 2, []),
    (leaves_threads_running, 6, 2, []),
    (leaves_processes_running, 6, 2, []),
    (warns, 6, 2, []),
    (
        reads_a_file_that_is_not_there,
        6,
        2,
        [
            (
                "cell 10: this cell ended with FileNotFoundError: [Errno 2] No such file or "
                "directory: 'my_notes.txt'"
            )
        ],
    ),
    (prints_the_answer_only, 5, 2, []),
    (answers_with_a_word, 5, 2, []),
    (falls_for_a_known_slip, 5, 2, []),
    (changes_the_argument, 5.5, 2, []),
]
