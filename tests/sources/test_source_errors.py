"""Broken instructor notebooks, each with the exact sentences that its author reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from small_source import TEXT, changed, read

from autogradient import errors
from autogradient.errors import CourseError, SourceErrors
from autogradient.sources import messages, source

#: What is changed in the small source, and everything that is said about it (each after the file's
#: name).
BROKEN: dict[str, tuple[list[tuple[str, str]], list[str]]] = {
    "unknown key": (
        [("#| tol: 0.1%", "#| tolerance: 0.1%")],
        [
            (
                ":113 (cell 17): unknown key 'tolerance' for a cell with the role 'answer'; "
                "did you mean 'tol'?"
            )
        ],
    ),
    "unknown key, nothing like it": (
        [("#| tol: 0.1%", "#| zzz: 0.1%")],
        [":113 (cell 17): unknown key 'zzz' for a cell with the role 'answer'"],
    ),
    "unknown role": (
        [("#| wrong: and-gate", "#| wrogn: and-gate")],
        [
            (
                ":62 (cell 9): unknown role 'wrogn' (the first key of a directive names the "
                "cell's role); did you mean 'wrong'?"
            )
        ],
    ),
    "unknown part": (
        [("#| wrong: and-gate", "#| wrong: nand-gate")],
        [
            (
                ":62 (cell 9): 'wrong: nand-gate' names a part that has no answer cell; did "
                "you mean 'and-gate'?"
            )
        ],
    ),
    "data for an unknown part": (
        [("#| given: and-gate", "#| given: end-gate")],
        [
            (
                ":37 (cell 6): 'given: end-gate' names a part that has no answer cell; did "
                "you mean 'and-gate'?"
            )
        ],
    ),
    "hint for an unknown part": (
        [("hint: and-gate", "hint: or-gate")],
        [
            (
                ":80 (cell 12): 'hint: or-gate' names a part that has no answer cell; did "
                "you mean 'and-gate'?"
            )
        ],
    ),
    "key twice": (
        [("#| tol: 0.1%", "#| tol: 0.1%\n#| tol: 1e-3")],
        [":114 (cell 17): the key 'tol' is given twice; keep one"],
    ),
    "option twice": (
        [("c: xor}", "b: xor}")],
        [":99 (cell 15): the key 'b' is given twice; keep one"],
    ),
    "key twice in Markdown": (
        [("level: E, minutes: 10", "level: E, minutes: 10, level: M")],
        [":33 (cell 5): the key 'level' is given twice; keep one"],
    ),
    "no colon": (
        [("#| tol: 0.1%", "#| 0.1%")],
        [":113 (cell 17): '0.1%' is no 'key: value' pair; write '#| key: value'"],
    ),
    "role without its part": (
        [("#| wrong: and-gate", "#| wrong")],
        [":62 (cell 9): 'wrong' is no 'key: value' pair; write '#| key: value'"],
    ),
    "broken YAML": (
        [("[[bias, threshold], [weight, weights]]", "[[bias, threshold], [weight, weights]")],
        [
            (
                ":127 (cell 19): the value of 'accept' is not valid YAML (expected ',' or "
                "']', but got '<stream end>'); put it in quotes"
            )
        ],
    ),
    "broken YAML in Markdown": (
        [("question: why, level: H", "question: why, level: {H")],
        [
            (
                ":138 (cell 21): the value of 'question' is not valid YAML (expected ',' or "
                "'}', but got '<stream end>'); put it in quotes"
            )
        ],
    ),
    "marker without its space": (
        [("\n# %%\n#| wrong: and-gate", "\n# %%x\n#| wrong: and-gate")],
        [
            ":61 (cell 8): not valid Python: invalid syntax",
            ":62 (cell 8): a directive stands below other lines; move it to the top of its cell "
            "(a cell marker written '# %%x', without "
            "its space, swallows the cell into the one before it)",
        ],
    ),
    "directive below text": (
        [("# <!--| hint: and-gate -->\n", "# First a word.\n# <!--| hint: and-gate -->\n")],
        [
            ":81 (cell 12): a directive stands below other lines; move it to the top of its cell "
            "(a cell marker written '# %%x', without "
            "its space, swallows the cell into the one before it)",
        ],
    ),
    "Markdown directive in code": (
        [("# %% [markdown]\n# <!--| rubric: why -->", "# %%\n# <!--| rubric: why -->")],
        [
            ":142 (cell 22): essay 'why' has no rubric; add a cell '<!--| rubric: why -->'",
            (
                ":146 (cell 23): '<!--|' is no directive in a code cell; write '#| key: "
                "value', or change the cell's type"
            ),
        ],
    ),
    "code directive in Markdown": (
        [("# <!--| hint: and-gate -->", "# #| hint: and-gate")],
        [
            (
                ":80 (cell 12): '#|' is no directive in a Markdown cell; write '<!--| key: "
                "value -->', or change the cell's type"
            )
        ],
    ),
    "hint in a code cell": (
        [
            (
                "# %% [markdown]\n# <!--| hint: and-gate -->\n# Draw the four corners.",
                "# %%\n#| hint: and-gate\n# Draw the four corners.",
            )
        ],
        [":80 (cell 12): a 'hint' cell is a markdown cell; this one is code"],
    ),
    "rubric in a code cell": (
        [("#| right: and-gate\n#| because: the least of the two decides", "#| rubric: and-gate")],
        [
            ":68 (cell 10): a 'rubric' cell is a markdown cell; this one is code",
            (
                ":68 (cell 10): a 'rubric' cell means nothing to 'and-gate', whose kind is "
                "code; remove it"
            ),
        ],
    ),
    "rubric of a code part": (
        [
            (
                "# <!--| hint: and-gate -->\n# Draw",
                "# <!--| rubric: and-gate -->\n# - [1] a: b\n# Draw",
            )
        ],
        [
            (
                ":80 (cell 12): a 'rubric' cell means nothing to 'and-gate', whose kind is "
                "code; remove it"
            )
        ],
    ),
    "wrong answer of an essay": (
        [("#| wrong: and-gate", "#| wrong: why")],
        [":62 (cell 9): a 'wrong' cell means nothing to 'why', whose kind is essay; remove it"],
    ),
    "question twice": (
        [("question: why,", "question: sums,")],
        [
            (
                ":138 (cell 21): the id 'sums' is used twice (first in cell 13); ids are "
                "permanent and unique"
            ),
            (
                ":142 (cell 22): part 'why' has no question: put a cell '<!--| question: "
                "why, … -->' above it"
            ),
        ],
    ),
    "part twice": (
        [("#| answer: sums-p2", "#| answer: sums-p1")],
        [
            (
                ":96 (cell 15): the id 'sums-p1' is used twice (first in cell 14); ids are "
                "permanent and unique"
            )
        ],
    ),
    "bad id": (
        [
            ("question: why,", "question: Why_not,"),
            ("answer: why,", "answer: Why_not,"),
            ("rubric: why ", "rubric: Why_not "),
        ],
        [
            (
                ":138 (cell 21): 'Why_not' is no valid id; use small letters, digits and "
                "hyphens, beginning with a letter"
            )
        ],
    ),
    "reserved suffix": (
        [
            ("question: why,", "question: why-answer,"),
            ("answer: why,", "answer: why-answer,"),
            ("rubric: why ", "rubric: why-answer "),
        ],
        [":138 (cell 21): 'why-answer' ends in a reserved suffix (-answer); choose another id"],
    ),
    "question named like a part": (
        [
            ("question: why,", "question: why-p2,"),
            ("answer: why,", "answer: why-p2,"),
            ("rubric: why ", "rubric: why-p2 "),
        ],
        [":138 (cell 21): 'why-p2' ends in a reserved suffix (-p2); choose another id"],
    ),
    "reserved word": (
        [
            ("question: why,", "question: setup,"),
            ("answer: why,", "answer: setup,"),
            ("rubric: why ", "rubric: setup "),
        ],
        [":138 (cell 21): 'setup' is the name of a cell that every release has; choose another id"],
    ),
    "part not named like its question": (
        [("#| answer: sums-p7", "#| answer: sums-seven")],
        [
            (
                ":131 (cell 20): part 'sums-seven' must be called 'sums' or 'sums-p1', "
                "'sums-p2', … like its question"
            )
        ],
    ),
    "gap in the parts' numbers": (
        [("#| answer: sums-p7", "#| answer: sums-p8")],
        [
            (
                ":88 (cell 14): the parts of question 'sums' are numbered p1, p2, p3, p4, "
                "p5, p6, p8; number them p1, p2, p3, p4, p5, p6, p7"
            )
        ],
    ),
    "part without question": (
        [("# <!--| question: why, level: H, minutes: 5 -->\n", "")],
        [
            (
                ":141 (cell 22): part 'why' has no question: put a cell '<!--| question: "
                "why, … -->' above it"
            )
        ],
    ),
    "question without parts": (
        [
            (
                "# %% [markdown]\n# <!--| answer: why, kind: essay, points: 2 -->\n"
                "# Its corners lie crosswise, and no straight line parts them.\n\n# %% "
                "[markdown]\n# <!--| rubric: why -->\n"
                "# - [1] crosswise: says how the corners lie\n# - [1] one-line: says that one "
                "line is too few\n",
                "",
            ),
        ],
        [":138 (cell 21): question 'why' has no answer cell; add one or remove the question"],
    ),
    "no solution": (
        [('smooth = "b"  # SOLUTION', "smooth = ...")],
        [
            (
                ":88 (cell 14): the answer of 'sums-p1' has no solution; write 'name = "
                "value  # SOLUTION' or ### BEGIN SOLUTION … ### END SOLUTION"
            )
        ],
    ),
    "return marked as a solution": (
        [
            (
                "    ### BEGIN SOLUTION\n    return int(a + b - 1.5 > 0)\n    ### END SOLUTION",
                "    s = a + b  # SOLUTION\n    return int(s > 1.5)  # SOLUTION",
            )
        ],
        [
            (
                ":46 (cell 7): '# SOLUTION' marks one line 'name = value'; put other lines "
                "between ### BEGIN SOLUTION and ### END SOLUTION"
            )
        ],
    ),
    "short answer of two lines": (
        [
            (
                'smooth = "b"  # SOLUTION',
                '### BEGIN SOLUTION\nsmooth = "b"\nsmooth += ""\n### END SOLUTION',
            )
        ],
        [":88 (cell 14): the answer of 'sums-p1' must be one line 'name = value  # SOLUTION'"],
    ),
    "solution not closed": (
        [("    ### END SOLUTION\n", "")],
        [":45 (cell 7): ### BEGIN SOLUTION without ### END SOLUTION"],
    ),
    "solution not opened": (
        [("    ### BEGIN SOLUTION\n", "")],
        [":46 (cell 7): ### END SOLUTION without ### BEGIN SOLUTION"],
    ),
    "two ends": (
        [("    ### BEGIN SOLUTION\n", "    ### END SOLUTION\n")],
        [
            ":45 (cell 7): ### END SOLUTION without ### BEGIN SOLUTION",
            ":47 (cell 7): ### END SOLUTION without ### BEGIN SOLUTION",
        ],
    ),
    "syntax error in setup": (
        [("import numpy as np", "import numpy as")],
        [":25 (cell 3): not valid Python: invalid syntax"],
    ),
    "syntax error in tests": (
        [("def test_truth_table(and_gate):", "def test_truth_table(and_gate)")],
        [":52 (cell 8): not valid Python: expected ':'"],
    ),
    "syntax error in an answer": (
        [('def and_gate(a, b):\n    """Return', 'def and_gate(a, b:\n    """Return')],
        [":43 (cell 7): not valid Python: '(' was never closed"],
    ),
    "bad kind": (
        [("#| kind: choose-all", "#| kind: choosall")],
        [":96 (cell 15): unknown kind 'choosall'; did you mean 'choose-all'?"],
    ),
    "three decimals": (
        [("#| kind: shape\n#| points: 1", "#| kind: shape\n#| points: 1.005")],
        [
            (
                ":118 (cell 18): '1.005' is no number of points; use a positive number with "
                "at most two decimals"
            )
        ],
    ),
    "no points at all": (
        [("#| kind: shape\n#| points: 1", "#| kind: shape\n#| points: 0")],
        [
            (
                ":118 (cell 18): '0' is no number of points; use a positive number with at "
                "most two decimals"
            )
        ],
    ),
    "points missing": (
        [("#| kind: shape\n#| points: 1\n", "#| kind: shape\n")],
        [":118 (cell 18): part 'sums-p5' needs 'points'"],
    ),
    "negative points": (
        [("@test_case(points=1, ", "@test_case(points=-1, ")],
        [
            (
                ":52 (cell 8): '-1' is no number of points; use a positive number with at "
                "most two decimals"
            )
        ],
    ),
    "points that do not add up": (
        [("#| answer: and-gate\n", "#| answer: and-gate\n#| points: 4\n")],
        [":42 (cell 7): the points of part 'and-gate' are 4, but its cases add up to 3"],
    ),
    "cases worth nothing": (
        [("points=1, ", "points=0, "), ("points=2, ", "points=0, ")],
        [":42 (cell 7): part 'and-gate' needs 'points'"],
    ),
    "tests of a short answer": (
        [
            (
                "rows = (2, 3)  # SOLUTION",
                (
                    "rows = (2, 3)  # SOLUTION\n\n# %%\n#| tests: "
                    "sums-p5\n@test_case(points=1)\ndef test_rows(rows):\n    assert rows"
                ),
            )
        ],
        [
            (
                ":124 (cell 19): 'sums-p5' is a shape answer, and its checks are made from "
                "its declaration; remove this tests cell, or make the answer code"
            )
        ],
    ),
    "no tests": (
        [("#| tests: and-gate", "#| staff")],
        [
            (
                ":42 (cell 7): code part 'and-gate' has no tests cell; add '#| tests: "
                "and-gate' with at least one case"
            )
        ],
    ),
    "case without points": (
        [("@test_case(points=1, ", "@test_case(")],
        [
            (
                ":52 (cell 8): case 'test_truth_table' of 'and-gate' has no points; write "
                "@test_case(points=…)"
            )
        ],
    ),
    "points computed": (
        [("@test_case(points=1, ", "@test_case(points=1 / 2, ")],
        [
            (
                ":52 (cell 8): @test_case of 'test_truth_table' must be given plain values "
                "(points is an expression)"
            )
        ],
    ),
    "unknown argument of a case": (
        [("@test_case(points=1, failure_message", "@test_case(points=1, failuremessage")],
        [
            (
                ":52 (cell 8): @test_case of 'test_truth_table' has an unknown argument "
                "'failuremessage'; did you mean 'failure_message'?"
            )
        ],
    ),
    "case twice": (
        [("def test_noisy_inputs", "def test_truth_table")],
        [
            (
                ":57 (cell 8): two cases of 'and-gate' are called 'test_truth_table'; give "
                "each a name of its own"
            )
        ],
    ),
    "level": ([("level: H", "level: X")], [":138 (cell 21): level 'X' is none of E, M, H"]),
    "minutes": (
        [("level: H, minutes: 5", "level: H, minutes: soon")],
        [":138 (cell 21): minutes 'soon' is no positive number"],
    ),
    "unknown need": (
        [("level: H", "level: H, needs: gpu")],
        [":138 (cell 21): 'needs: gpu' is not known; use cuda or cpp"],
    ),
    "no former id": (
        [("level: H", "level: H, was: [why-not, a/b/c]")],
        [
            (
                ":138 (cell 21): 'was: a/b/c' is no id that a question can have had; write "
                "its old id, or ASSIGNMENT/ID where it stood in another assignment"
            )
        ],
    ),
    "neither true nor false": (
        [("level: H", "level: H, optional: perhaps")],
        [":138 (cell 21): 'optional: perhaps' is neither true nor false"],
    ),
    "optional before the end": (
        [("question: and-gate,", "question: and-gate, optional: true,")],
        [
            (
                ":84 (cell 13): question 'sums' is not optional but stands after an "
                "optional one; move optional questions to the end"
            ),
            (
                ":138 (cell 21): question 'why' is not optional but stands after an "
                "optional one; move optional questions to the end"
            ),
        ],
    ),
    "no options": (
        [("#| options: {a: and, b: or, c: xor}\n", "")],
        [":96 (cell 15): 'sums-p2' is a choose-all question and needs 'options: {a: …, b: …}'"],
    ),
    "not an option": (
        [('smooth = "b"', 'smooth = "d"')],
        [":88 (cell 14): the solution of 'sums-p1' is 'd', which is none of its options a, b, c"],
    ),
    "options no mapping": (
        [("{a: and, b: or, c: xor}", "[and, or, xor]")],
        [":96 (cell 15): the options of 'sums-p2' must be {a: …, b: …} with at least two letters"],
    ),
    "statements no list": (
        [("['a bias moves the line', 'a bias turns the line']", "{a: it moves}")],
        [":103 (cell 16): the options of 'sums-p3' must be a list of statements"],
    ),
    "verdict too many": (
        [("verdicts = (True, False)", "verdicts = (True, False, True)")],
        [
            (
                ":103 (cell 16): the solution of 'sums-p3' is (True, False, True); a "
                "true-false answer is True or False for each of the 2 statements, as a "
                "tuple or a list"
            )
        ],
    ),
    "formula no lambda": (
        [("plane = lambda x, w: w * x", "plane = max")],
        [":131 (cell 20): the solution of 'sums-p7' is max; a formula answer is a lambda"],
    ),
    "solution not accepted": (
        [('words = ("bias", "weights")', 'words = ("bias", "input")')],
        [
            ":124 (cell 19): the solution of 'sums-p6' is ('bias', 'input'); a text answer is one "
            "of those in 'accept' ([['bias', "
            "'threshold'], ['weight', 'weights']])",
        ],
    ),
    "tolerance": (
        [("#| tol: 0.1%", "#| tol: small")],
        [
            (
                ":110 (cell 17): tol 'small' of 'sums-p4' is neither a number ('1e-3') nor "
                "a percentage ('0.1%')"
            )
        ],
    ),
    "accept no list": (
        [("[[bias, threshold], [weight, weights]]", "bias")],
        [
            (
                ":124 (cell 19): 'sums-p6' is a text question and needs 'accept: [word, "
                "…]', one list for each blank"
            )
        ],
    ),
    "accept of two sorts": (
        [("[[bias, threshold], [weight, weights]]", "[[bias, threshold], weight]")],
        [
            (
                ":124 (cell 19): 'sums-p6' is a text question and needs 'accept: [word, "
                "…]', one list for each blank"
            )
        ],
    ),
    "inputs no expression": (
        [("(secret.normal(), secret.normal())", "(secret.normal(), secret.normal(")],
        [
            ":131 (cell 20): 'inputs' of 'sums-p7' is no Python expression ('(' was never "
            "closed); write the arguments as a tuple, such "
            "as '(secret.normal(),)'",
        ],
    ),
    "key of another kind": (
        [("#| kind: shape\n", "#| kind: shape\n#| tol: 1\n")],
        [
            (
                ":118 (cell 18): the key 'tol' means nothing to 'sums-p5', whose kind is "
                "shape; remove it"
            )
        ],
    ),
    "slips no mapping": (
        [('#| because: {1.5: "that is without the bias"}', "#| because: that is without the bias")],
        [
            (
                ":110 (cell 17): 'because' of 'sums-p4' must list wrong answers: 'because: "
                '{"value": "the slip"}\''
            )
        ],
    ),
    "slip no option": (
        [("{a: that one has no slope}", "{d: that one has no slope}")],
        [
            (
                ":88 (cell 14): 'd' in 'because' of 'sums-p1' is no choice answer; write "
                "letters out of a, b, c"
            )
        ],
    ),
    "slip no number": (
        [('{1.5: "that', '{one and a half: "that')],
        [
            (
                ":110 (cell 17): 'one and a half' in 'because' of 'sums-p4' is no number "
                "answer; write it as a Python value in quotes"
            )
        ],
    ),
    "slip that is right": (
        [('{1.5: "that', '{2.5001: "that')],
        [":110 (cell 17): 'because' of 'sums-p4' lists the right answer 2.5001 as a slip"],
    ),
    "rubric sum": (
        [("- [1] one-line", "- [2] one-line")],
        [":142 (cell 22): the points of part 'why' are 2, but its rubric adds up to 3"],
    ),
    "rubric item": (
        [("- [1] one-line: says", "- one-line says")],
        [
            (
                ":148 (cell 23): '- one-line says that one line is too few' is no rubric "
                "item; write '- [2] short-name: what it takes'"
            )
        ],
    ),
    "rubric empty": (
        [
            (
                "# - [1] crosswise: says how the corners lie\n# - [1] one-line: says that "
                "one line is too few\n",
                "# Be kind.\n",
            )
        ],
        [
            (
                ":146 (cell 23): the rubric of 'why' has no items; write '- [1] short-name: "
                "what it takes'"
            )
        ],
    ),
    "no rubric": (
        [("# <!--| rubric: why -->", "# <!--| staff -->")],
        [":142 (cell 22): essay 'why' has no rubric; add a cell '<!--| rubric: why -->'"],
    ),
    "wrong without because": (
        [("#| because: it fires when either input is 1\n", "")],
        [":62 (cell 9): a wrong cell needs 'because: …', which names the slip, for the student"],
    ),
    "right without because": (
        [("#| because: the least of the two decides\n", "")],
        [":68 (cell 10): a right cell needs 'because: …', which names what is different about it"],
    ),
    "earns too much": (
        [("#| because: it fires when", "#| earns: 3\n#| because: it fires when")],
        [":62 (cell 9): 'earns: 3' is not a number of points below the 3 of part 'and-gate'"],
    ),
    "mutant without its text": (
        [("#| to: return int(a + b - 1.5 >= 0)\n", "")],
        [":74 (cell 11): an equivalent cell needs 'from', 'to' and 'because'"],
    ),
    "no front matter": (
        [
            (
                "#   autogradient:\n#     format: 1\n#     title: Gates\n#     minutes: "
                "20\n#     limits: {cell_s: 5, case_s: 2}\n",
                "",
            )
        ],
        [
            (
                ":1: the notebook's metadata has no 'autogradient' section; run "
                "'autogradient new NAME' for a notebook to start from"
            )
        ],
    ),
    "unknown format": (
        [("format: 1", "format: 2")],
        [":4: format 2 is not known; this version reads format 1"],
    ),
    "unknown front key": (
        [("minutes: 20", "minuts: 20")],
        [":6: unknown key 'minuts' in the front matter; did you mean 'minutes'?"],
    ),
    "unknown limit": (
        [("cell_s: 5", "cells: 5")],
        [":7: unknown key 'cells' in the front matter; did you mean 'cell_s'?"],
    ),
    "negative limit": (
        [("cell_s: 5", "cell_s: -5")],
        [":7: limit 'cell_s: -5' must be a positive number"],
    ),
    "limits no mapping": (
        [("{cell_s: 5, case_s: 2}", "five seconds")],
        [
            (
                ":7: 'limits' in the front matter must be a mapping: {cell_s: 30, case_s: "
                "10, memory_mb: 4096, submission_s: 900}"
            )
        ],
    ),
    "allowance without reason": (
        [("minutes: 20", "minutes: 20\n#     allow: [{text: abc}]")],
        [
            (
                ":7: 'allow' in the front matter must be a list of what the leak check may "
                "pass, each with 'text' and 'because'"
            )
        ],
    ),
    "prerequisites a number": (
        [("minutes: 20", "minutes: 20\n#     prerequisites: 5")],
        [":7: 'prerequisites' in the front matter must be a list of assignments: [one, two]"],
    ),
    "another title": (
        [("# # Gates", "# # Doors")],
        [
            (
                ":15 (cell 1): the first heading is 'Doors', but the front matter's title "
                "is 'Gates'; make them equal"
            )
        ],
    ),
    "no title": ([("#     title: Gates\n", "")], [":1: the front matter has no 'title'"]),
    "minutes a word": (
        [("minutes: 20", "minutes: twenty")],
        [":6: minutes 'twenty' is no positive number"],
    ),
    "variable of another answer": (
        [("rows = (2, 3)", "total = (2, 3)")],
        [
            (
                ":118 (cell 18): 'total' is already the answer of 'sums-p4'; give each "
                "short answer a name of its own"
            )
        ],
    ),
    "variable named like a function": (
        [("rows = (2, 3)", "and_gate = (2, 3)")],
        [
            (
                ":118 (cell 18): 'and_gate' is already the answer of 'and-gate'; give each "
                "short answer a name of its own"
            )
        ],
    ),
}


def sentences(text: str, name: str = "gates.py") -> list[str]:
    """What is said about a source, mistake by mistake, without the file's name."""
    with pytest.raises(SourceErrors) as caught:
        source.read(text, Path(name))
    found = [str(mistake) for mistake in caught.value.mistakes]
    assert str(caught.value) == "\n".join(found)
    return [sentence.removeprefix(name) for sentence in found]


def test_the_small_source_is_in_order() -> None:
    assert len(read().parts) == 9


@pytest.mark.parametrize("name", BROKEN)
def test_broken_source(name: str) -> None:
    changes, said = BROKEN[name]
    assert sentences(changed(*changes)) == said


def test_every_sentence_about_sources_is_shown_above() -> None:
    sentences: dict[str, str] = {}
    for room in (errors, messages):
        text = Path(room.__file__).read_text(encoding="utf-8")
        section = text.split("# ---- sources")[1].split("\n# ---- ")[0]
        for name in re.findall(r"^([A-Z_]+) = ", section, re.MULTILINE):
            sentences[name] = getattr(room, name)
    assert len(sentences) > 50
    said = [
        re.sub(r"^:\d+( \(cell \d+\))?: ", "", sentence)
        for _, found in BROKEN.values()
        for sentence in found
    ]
    elsewhere = {"NO_FILE", "NO_FOLDER", "NOT_A_SOURCE"}  # about paths, below
    missing = []
    for name, sentence in sentences.items():
        template = re.escape(sentence.replace("{{", "{").replace("}}", "}"))
        pattern = re.sub(r"\\\{\w+\\\}", "(.+)", template).replace(r"(.+)(.+)", "(.+)")
        # the nearest word is not always there
        pattern = re.sub(r"\(\.\+\)$|\(\.\+\)(?=; )", "(.*)", pattern)
        if not any(re.search(pattern, shown) for shown in said):
            missing.append(name)
    assert sorted(missing) == sorted(elsewhere)


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = changed(
        ("#| tol: 0.1%", "#| tolerance: 0.1%"),
        ("title: Gates", "titel: Gates"),
        ("level: H", "level: X"),
        ('smooth = "b"', 'smooth = "d"'),
    )
    assert sentences(text) == [
        ":1: the front matter has no 'title'",
        ":5: unknown key 'titel' in the front matter; did you mean 'title'?",
        ":88 (cell 14): the solution of 'sums-p1' is 'd', which is none of its options a, b, c",
        (
            ":113 (cell 17): unknown key 'tolerance' for a cell with the role 'answer'; did "
            "you mean 'tol'?"
        ),
        ":138 (cell 21): level 'X' is none of E, M, H",
    ]


def as_notebook(text: str) -> dict[str, Any]:
    """The same source as an .ipynb."""
    import jupytext

    notebook: dict[str, Any] = json.loads(nbformat.writes(jupytext.reads(text, fmt="py:percent")))
    return notebook


def test_a_notebook_file_has_cells_but_no_lines() -> None:
    text = json.dumps(
        as_notebook(changed(("#| tol: 0.1%", "#| tolerance: 0.1%"), ("format: 1", "format: 2")))
    )
    assert sentences(text, "gates.ipynb") == [
        ": format 2 is not known; this version reads format 1",
        (
            " (cell 17): unknown key 'tolerance' for a cell with the role 'answer'; did you "
            "mean 'tol'?"
        ),
    ]


def test_a_file_that_is_no_notebook() -> None:
    (sentence,) = sentences("{", "gates.ipynb")
    assert sentence.startswith(
        ": this file is no notebook that JupyterLab could open ("
    ) and sentence.endswith("; open it there, repair it and save it again")


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "gates.py"
    path.write_bytes(TEXT.replace("Small", "Sm\u00e4ll").encode("latin-1"))
    with pytest.raises(SourceErrors) as caught:
        source.load(path)
    assert str(caught.value) == f"{path}: this file is not UTF-8 text; save it as such"


def test_paths_without_a_source(tmp_path: Path) -> None:
    with pytest.raises(CourseError) as caught:
        source.load(tmp_path / "gates")
    assert str(caught.value) == f"{tmp_path / 'gates'}: no such file or folder"
    (tmp_path / "gates").mkdir()
    with pytest.raises(CourseError) as caught:
        source.load(tmp_path / "gates")
    assert str(caught.value) == (
        f"{tmp_path / 'gates'}: neither an instructor notebook (.py or .ipynb) nor a "
        "folder with one"
    )


@pytest.mark.parametrize(
    "front",
    [
        "[1, 2]",
        "nothing",
        (
            "{format: [1], title: {}, minutes: [], limits: 3, allow: {a: b}, prerequisites: "
            "4, runner: []}"
        ),
        "{format: 1, title: 5, allow: [5]}",
    ],
)
def test_odd_front_matter_is_reported_and_never_crashes(front: str) -> None:
    head = (
        "#   autogradient:\n#     format: 1\n#     title: Gates\n#     minutes: 20\n#     "
        "limits: {cell_s: 5, case_s: 2}\n"
    )
    assert sentences(changed((head, f"#   autogradient: {front}\n")))


@pytest.mark.parametrize(
    "change",
    [
        (
            "level: H, minutes: 5",
            "level: [H], minutes: {a: 1}, needs: 5, covers: 5, optional: 3, was: [x]",
        ),
        ("question: why,", "question: [why],"),
        ("#| points: 0.5\n", "#| points: [1, 2]\n"),
        ("#| kind: shape\n", "#| kind: [shape]\n"),
        ("#| tol: 0.1%", "#| tol: [1]"),
        ("#| tol: 0.1%", "#| tol: nan"),
        ("#| options: {a: and, b: or, c: xor}", "#| options: 5"),
        ("#| kind: formula", "#| kind: number"),
        (
            "plane = lambda x, w: w * x  # SOLUTION",
            "### BEGIN SOLUTION\nplane = 1\nplane = 2\n### END SOLUTION",
        ),
        ("{a: that one has no slope}", "{[1, 2]: that one has no slope}"),
        ("#| answer: sums-p7", "#|\n#| answer: sums-p7\n#| : 5"),
        ("# <!--| hint: and-gate -->", "# <!--| -->"),
        ("# <!--| hint: and-gate -->", "# <!--| hint -->"),
    ],
)
def test_odd_values_are_reported_and_never_crash(change: tuple[str, str]) -> None:
    assert sentences(changed(change))


def test_no_sentence_takes_the_place_of_another() -> None:
    names = re.findall(
        r"^([A-Z_]+) = ", Path(errors.__file__).read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(names) == sorted(set(names))
