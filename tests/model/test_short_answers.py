"""Short answers: what has the right form, what is right, and what is neither, for every kind."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_source import changed, read

from autogradient.grading.engine import Engine, JudgeProcess
from autogradient.grading.judge import Snapshot, judge
from autogradient.model import answer_checks, short_answers
from autogradient.model.answer_kind import literal_answer
from autogradient.model.assignment import Limits, Part
from autogradient.model.short_answers import KINDS, Judged, kind_of
from autogradient.wire import codec

LETTERS = {"letters": ["a", "b", "c"]}


def verdict(kind: str, value: Any, expected: Any, form: dict[str, Any], **rules: Any) -> str:
    """ "form" where the form is wrong, else "right" or "wrong"."""
    declared = {
        "letters": form.get("letters", []),
        "accept": [],
        "tolerance": ("default", 0.0),
    } | rules
    if KINDS[kind].form(value, form) is not None:
        return "form"
    return "right" if KINDS[kind].right(value, expected, declared) else "wrong"


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("b", "right"),
        ("B", "right"),
        (" b ", "right"),
        ("(b)", "right"),
        ("b.", "right"),
        ("a", "wrong"),
        ("C", "wrong"),
    ]
    + [
        (value, "form")
        for value in ("d", "", "ab", 1, None, ..., True, ["b"], {"b"}, b"b", float("nan"))
    ],
)
def test_choice(value: Any, outcome: str) -> None:
    assert verdict("choice", value, "b", LETTERS) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (value, "right")
        for value in (
            {"a", "c"},
            ["c", "a"],
            ("a", "c"),
            "ac",
            "CA",
            "a, c",
            "a c",
            "a;c",
            frozenset("ac"),
            ["A", " c "],
            "(a) (c)",
            ["a", "a", "c"],
        )
    ]
    + [(value, "wrong") for value in ({"a"}, {"a", "b", "c"}, "ab", [], "", set(), "b")]
    + [
        (value, "form")
        for value in ({"a", "d"}, "xyz", 5, None, ..., [1, 2], {"a": 1}, True, np.array([1, 2]))
    ],
)
def test_choose_all(value: Any, outcome: str) -> None:
    assert verdict("choose-all", value, {"a", "c"}, LETTERS) == outcome


def test_choose_all_of_nothing() -> None:
    assert (
        verdict("choose-all", set(), set(), LETTERS) == "right"
        and verdict("choose-all", "a", set(), LETTERS) == "wrong"
    )


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (value, "right")
        for value in (
            (True, False),
            [True, False],
            np.array([True, False]),
            torch.tensor([True, False]),
            (np.True_, np.False_),
        )
    ]
    + [((False, False), "wrong"), ([True, True], "wrong")]
    + [
        (value, "form")
        for value in (
            (1, 0),
            (True,),
            (True, False, True),
            True,
            "True, False",
            ("True", "False"),
            None,
            ...,
            np.array([1.0, 0.0]),
            [[True, False]],
        )
    ],
)
def test_true_false_of_two_statements(value: Any, outcome: str) -> None:
    assert verdict("true-false", value, (True, False), {"count": 2}) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (True, "right"),
        (np.True_, "right"),
        (torch.tensor(True), "right"),
        (False, "wrong"),
        (1, "form"),
        ("True", "form"),
        ((True,), "form"),
        (None, "form"),
        (..., "form"),
    ],
)
def test_true_false_of_one(value: Any, outcome: str) -> None:
    assert verdict("true-false", value, True, {"count": 0}) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (value, "right")
        for value in (
            2.5,
            np.float32(2.5),
            np.float64(2.5),
            np.array(2.5),
            np.array([2.5]),
            (2.5,),
            torch.tensor(2.5),
            torch.tensor(2.5, requires_grad=True),
            2.5 * (1 + 9e-7),
        )
    ]
    + [
        (value, "wrong")
        for value in (
            2.5 * (1 + 2e-6),
            2,
            -2.5,
            math.nan,
            math.inf,
            0.0,
            np.float32("nan"),
            torch.tensor(float("inf")),
        )
    ]
    + [
        (value, "form")
        for value in (
            True,
            False,
            np.True_,
            "2.5",
            None,
            ...,
            (True,),
            [2.5, 2.5],
            np.zeros(0),
            [[2.5, 2.5]],
            {2.5},
            {"x": 2.5},
            b"2",
        )
    ],
)
def test_one_number(value: Any, outcome: str) -> None:
    assert verdict("number", value, 2.5, {"count": 0}) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (3, "right"),
        (3.0, "right"),
        (np.int64(3), "right"),
        (torch.tensor(3), "right"),
        (3.0000001, "wrong"),
        (4, "wrong"),
        (True, "form"),
        (math.nan, "wrong"),
    ],
)
def test_whole_numbers_are_exact(value: Any, outcome: str) -> None:
    assert verdict("number", value, 3, {"count": 0}) == outcome


@pytest.mark.parametrize(
    ("tolerance", "value", "outcome"),
    [
        (("absolute", 0.01), 2.51, "right"),
        (("absolute", 0.01), 2.49, "right"),
        (("absolute", 0.01), 2.5101, "wrong"),
        (("relative", 0.001), 2.5025, "right"),
        (("relative", 0.001), 2.5026, "wrong"),
        (("absolute", 0.01), math.nan, "wrong"),
        (("absolute", 1e308), math.inf, "wrong"),
    ],
)
def test_tolerances(tolerance: tuple[str, float], value: float, outcome: str) -> None:
    assert verdict("number", value, 2.5, {"count": 0}, tolerance=tolerance) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (value, "right")
        for value in (
            (1, 2.5),
            [1, 2.5],
            np.array([1, 2.5]),
            np.array([1, 2.5], dtype=np.float32),
            torch.tensor([1, 2.5]),
            (np.float32(1), torch.tensor(2.5)),
        )
    ]
    + [
        ((1, 2.4), "wrong"),
        ((2.5, 1), "wrong"),
        ([1, math.nan], "wrong"),
        ((1, (2.5,)), "right"),
        ((1, (2.5, 2.5)), "wrong"),
    ]
    + [
        (value, "form")
        for value in (
            (1,),
            (1, 2.5, 3),
            [],
            np.zeros((0, 3)),
            "1, 2.5",
            (True, 2.5),
            (None, 2.5),
            (1, "2.5"),
            1,
            {1, 2.5},
            np.zeros((3, 2)),
        )
    ],
)
def test_two_numbers(value: Any, outcome: str) -> None:
    assert verdict("number", value, (1, 2.5), {"count": 2}) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ([[1, 2], [3, 4]], "right"),
        (np.array([[1, 2], [3, 4.0]]), "right"),
        ([1, 2, 3, 4], "wrong"),
        ([[1, 2]], "wrong"),
        (np.zeros((0, 2)), "form"),
        (1, "wrong"),
        ([], "form"),
    ],
)
def test_computed_arrays_must_agree_in_shape(value: Any, outcome: str) -> None:
    assert verdict("number", value, np.array([[1, 2], [3, 4]]), {"count": None}) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (value, "right")
        for value in (
            (2, 3),
            [2, 3],
            torch.Size([2, 3]),
            np.array([2, 3]),
            (2.0, 3.0),
            np.zeros((2, 3)).shape,
        )
    ]
    + [((3, 2), "wrong"), ((2, 3, 1), "wrong"), ((), "wrong"), ([2], "wrong")]
    + [
        (value, "form")
        for value in (
            6,
            "2, 3",
            (2.5, 3),
            (True, 3),
            (None, 3),
            (math.nan, 3),
            (math.inf, 3),
            {2, 3},
            None,
            ...,
            np.zeros((2, 3)),
        )
    ],
)
def test_shape(value: Any, outcome: str) -> None:
    assert verdict("shape", value, (2, 3), {}) == outcome


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (value, "right")
        for value in (
            "back-propagation",
            "backpropagation",
            "Backpropagation ",
            "BACK-PROPAGATION",
            "  reverse   mode ",
            "back\u2011propagation",
        )
    ]
    + [(value, "wrong") for value in ("back propagation", "propagation", "forward", 5)]
    + [
        (value, "form")
        for value in ("", "  ", None, ..., ("backpropagation",), ["x"], 2.5, b"backpropagation")
    ],
)
def test_one_blank(value: Any, outcome: str) -> None:
    assert (
        verdict(
            "text",
            value,
            "backpropagation",
            {"count": 0},
            accept=[["back-propagation", "reverse mode"]],
        )
        == outcome
    )


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (("bias", "2"), "right"),
        (["Bias", 2], "right"),
        (("bias", "3"), "wrong"),
        (("2", "bias"), "wrong"),
        (("bias",), "form"),
        (("bias", ""), "form"),
        ("bias 2", "form"),
    ],
)
def test_two_blanks(value: Any, outcome: str) -> None:
    assert verdict("text", value, ("bias", "2"), {"count": 2}, accept=[["bias"], ["2"]]) == outcome


def test_a_formula_is_something_to_call() -> None:
    form = {"parameters": ["x", "w"]}
    assert KINDS["formula"].form(lambda x, w: x, form) is None
    assert KINDS["formula"].form(2.5, form) == "Write a function: lambda x, w: ..."
    assert KINDS["formula"].form(..., form) == "Replace the three dots with your answer."


# ---- the kinds -----------------------------------------------------------------------------------


def test_every_kind_has_a_name_a_check_and_a_sentence() -> None:
    assert list(KINDS) == [
        "choice",
        "choose-all",
        "true-false",
        "number",
        "shape",
        "text",
        "formula",
    ]
    short = [part for part in read().parts if part.is_short]
    assert [part.kind for part in short] == list(KINDS)
    assert all(
        getattr(answer_checks, kind.check.__name__) is kind.check and kind_of(part) is kind
        for part, kind in zip(short, KINDS.values(), strict=True)
    )
    assert len({kind_of(part).message(part) for part in short}) == len(KINDS)


def test_all_short_answers_but_formulas_are_judged_by_their_value() -> None:
    assert [part.kind for part in read().parts if not part.by_value] == ["code", "formula", "essay"]


def test_the_checks_stand_alone() -> None:
    alone: dict[str, Any] = {}
    exec(short_answers.form_text(), alone)
    assert {kind.check.__name__ for kind in KINDS.values()} | {"is_right", "near"} <= alone.keys()
    assert "autogradient" not in short_answers.form_text()


class Odd(str):
    """A word that cannot be compared."""

    def strip(self, *_: Any) -> str:
        raise OSError


@pytest.mark.parametrize(
    ("part", "value", "expected", "outcome"),
    [
        ("sums-p4", 2.5, 2.5, Judged(right=True)),
        ("sums-p4", 1.5, 2.5, Judged(slip="that is without the bias")),
        ("sums-p4", 7, 2.5, Judged()),
        ("sums-p4", ..., 2.5, Judged("Replace the three dots with your answer.")),
        ("sums-p4", "2.5", 2.5, Judged("Write one number.")),
        ("sums-p4", 2.5, ..., Judged(error="TypeError")),
        (
            "sums-p1",
            Odd("b"),
            "b",
            Judged("This is not a value that can be read; write it out plainly.", error="OSError"),
        ),
    ],
)
def test_an_answer_is_judged_however_odd_it_is(
    part: str, value: Any, expected: Any, outcome: Judged
) -> None:
    assert (
        short_answers.judge(value, expected, short_answers.criteria(read().part(part))) == outcome
    )


# ---- what follows from a declaration -------------------------------------------------------------


def test_a_short_answer_is_worth_what_it_declares() -> None:
    cases = read().part("sums-p1").cases
    assert [(c.title, c.points, c.hidden) for c in cases] == [
        ("form of the answer", 0, False),
        ("answer", Fraction(1, 2), True),
    ]


def test_declarations() -> None:
    assignment = read()
    assert assignment.part("sums-p1").declaration.options == {
        "a": "the step",
        "b": "the sigmoid",
        "c": "no function at all",
    }
    assert assignment.part("sums-p1").declaration.slips == {"a": "that one has no slope"}
    assert assignment.part("sums-p3").declaration.options == [
        "a bias moves the line",
        "a bias turns the line",
    ]
    assert assignment.part("sums-p4").declaration.tolerance == ("relative", 0.001)
    assert assignment.part("sums-p4").declaration.slips == {"1.5": "that is without the bias"}
    assert assignment.part("sums-p6").declaration.accept == [
        ["bias", "threshold"],
        ["weight", "weights"],
    ]
    assert assignment.part("sums-p7").declaration.inputs == "(secret.normal(), secret.normal())"


def test_absolute_tolerance_and_one_blank() -> None:
    text = changed(
        ("tol: 0.1%", "tol: 1e-3"),
        ("[[bias, threshold], [weight, weights]]", "[bias, threshold]"),
        ('words = ("bias", "weights")', 'word = "bias"'),
    )
    assert read(text).part("sums-p4").declaration.tolerance == ("absolute", 0.001)
    assert read(text).part("sums-p6").declaration.accept == [["bias", "threshold"]]
    assert KINDS["text"].form_of(read(text).part("sums-p6")) == {"count": 0}


def test_the_failure_message_of_statements_differs_from_that_of_one() -> None:
    one = changed(
        ("#| options: ['a bias moves the line', 'a bias turns the line']\n", ""),
        ("verdicts = (True, False)", "verdict = True"),
    )
    assert (
        read().part("sums-p3").cases[-1].failure_message
        == "At least one of your verdicts does not hold; test each statement on an example."
    )
    assert (
        read(one).part("sums-p3").cases[-1].failure_message == "Test the statement on an example."
    )


def test_a_formula_without_inputs_gets_some() -> None:
    tests = (
        read(changed(("#| inputs: (secret.normal(), secret.normal())\n", ""))).part("sums-p7").tests
    )
    assert "arguments = (secret.uniform(0.5, 2.0), secret.uniform(0.5, 2.0), )" in tests
    assert "arguments = (secret.normal(), secret.normal())" in read().part("sums-p7").tests


def derived(part: str, *changes: tuple[str, str]) -> dict[str, str]:
    """The derived wrong answers of a part of the small source: their value and what they are."""
    changed_part = read(changed(*changes)).part(part)
    found = kind_of(changed_part).slips(changed_part)
    return {variant.source.split(" = ")[1]: variant.because for variant in found}


def test_every_other_option_is_a_wrong_answer() -> None:
    assert derived("sums-p1") == {"'a'": "that one has no slope", "'c'": "option c"}


def test_slips_may_name_options_in_capitals() -> None:
    assert derived("sums-p1", ("{a: that one", "{A: that one")) == {
        "'a'": "that one has no slope",
        "'c'": "option c",
    }


def test_every_set_that_differs_in_one_letter_is_wrong() -> None:
    assert derived("sums-p2") == {
        "['b']": "option a left out",
        "['a']": "option b left out",
        "['a', 'b', 'c']": "option c included",
    }


def test_every_verdict_turned_round_is_wrong() -> None:
    assert derived("sums-p3") == {
        "(False, False)": "statement 1 turned round",
        "(True, True)": "statement 2 turned round",
    }


def test_listed_slips_of_numbers_shapes_and_words() -> None:
    assert derived("sums-p4") == {"1.5": "that is without the bias"}
    assert derived(
        "sums-p5", ("#| kind: shape\n", '#| kind: shape\n#| because: {"(3, 2)": turned}\n')
    ) == {"(3, 2)": "turned"}
    assert derived(
        "sums-p6",
        (
            "[weight, weights]]\n",
            "[weight, weights]]\n#| because: {\"('slope', 'weight')\": the slope}\n",
        ),
    ) == {"('slope', 'weight')": "the slope"}


def part_with(kind: str, solution: str) -> Part:
    """A short part with one line as its solution."""
    part = read().part("sums-p4")
    part.kind, part.solution = kind, solution
    part.declaration.slips = {}
    return part


@pytest.mark.parametrize(
    ("solution", "count"),
    [
        ("x = 2.5", 0),
        ("x = (1, 2, 3)", 3),
        ("x = [1 + 1, 2]", 2),
        ("x = np.arange(3)", None),
        ("x = [*range(3)]", None),
        ("x = 1 / 3", None),
        ("x = -2", 0),
    ],
)
def test_how_many_numbers_a_form_asks_for(solution: str, count: int | None) -> None:
    assert KINDS["number"].form_of(part_with("number", solution)) == {"count": count}


@pytest.mark.parametrize(
    ("slips", "form"),
    [
        ({"1.5": "", "0": ""}, {"count": 0}),
        ({"(1, 2)": "", "[3, 4]": ""}, {"count": 2}),
        ({"(1, 2)": "", "3": ""}, {"count": None}),
        ({"[[1, 2], [3, 4], [5, 6]]": ""}, {"count": 3, "rows": True}),
    ],
)
def test_a_computed_number_has_the_form_of_its_slips(
    slips: dict[str, str], form: dict[str, Any]
) -> None:
    part = part_with("number", "x = np.arange(3)")
    part.declaration.slips = slips
    assert KINDS["number"].form_of(part) == form


@pytest.fixture
def judge_process(engine: Engine, tmp_path: Path) -> Iterator[JudgeProcess]:
    with engine.judge_process(tmp_path, Limits()) as judge_of_its_own:
        yield judge_of_its_own


def test_the_reference_is_right_and_each_derived_answer_is_not(judge_process: JudgeProcess) -> None:
    assignment = read()
    for part in (part for part in assignment.parts if part.by_value):
        expected = literal_answer(part)
        assert (
            judge(
                assignment,
                part,
                Snapshot(value={"value": codec.encode(expected)}),
                expected,
                1,
                judge_process,
            )
            .cases[-1]
            .outcome
            == "passed"
        )
        for variant in kind_of(part).slips(part):
            value = ast.literal_eval(variant.source.split(" = ")[1])
            assert (
                judge(
                    assignment,
                    part,
                    Snapshot(value={"value": codec.encode(value)}),
                    expected,
                    1,
                    judge_process,
                )
                .cases[-1]
                .outcome
                == "failed"
            ), variant.source


def test_a_known_slip_is_named(judge_process: JudgeProcess) -> None:
    assignment = read()
    cases = judge(
        assignment,
        assignment.part("sums-p4"),
        Snapshot(value={"value": codec.encode(np.float32(1.5))}),
        2.5,
        1,
        judge_process,
    ).cases
    assert [(case.name, case.outcome, case.message) for case in cases] == [
        ("form of the answer", "passed", ""),
        ("answer", "failed", "Not quite: that is without the bias."),
    ]
    other = judge(
        assignment,
        assignment.part("sums-p4"),
        Snapshot(value={"value": codec.encode(7.0)}),
        2.5,
        1,
        judge_process,
    ).cases
    assert other[1].message == "The number is off; work it through once more, step by step."


def test_a_wrong_form_fails_both_cases_and_says_once_what_to_write(
    judge_process: JudgeProcess,
) -> None:
    assignment = read()
    cases = judge(
        assignment,
        assignment.part("sums-p1"),
        Snapshot(value={"value": codec.encode("z")}),
        "b",
        1,
        judge_process,
    ).cases
    assert [(case.outcome, case.earned) for case in cases] == [("failed", 0), ("failed", 0)]
    assert [case.message for case in cases if case.message][
        0
    ] == "Write one of the letters a, b, c in quotes."
