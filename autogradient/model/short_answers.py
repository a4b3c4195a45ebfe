"""Short answers: their form, their verdict, and the wrong answers that follow from a declaration.

The functions in the first half know nothing of us and import only NumPy: a release copies their text into the public test files,
so that students need no more than otter to check the form of an answer.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from autogradient.model.assignment import Case, Part, Variant
from autogradient.model.testcode import literal, parse


def plain_value(value):
    """An array, tensor or sequence as nested tuples of Python scalars; a scalar stays one."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(plain_value(item) for item in value)
    return value


def is_number(value):
    """Whether a scalar counts as a number; True and False do not."""
    return not isinstance(value, bool) and hasattr(value, "__float__") and not isinstance(value, str)


def choice_form(value, form):
    """Whether a choice is one of its letters, in any case."""
    if not isinstance(value, str) or value.strip().strip("().").lower() not in form["letters"]:
        return "Write one of the letters " + ", ".join(form["letters"]) + " in quotes."
    return None


def choose_all_form(value, form):
    """Whether every chosen letter is an option."""
    if chosen_letters(plain_value(value), form["letters"]) is None:
        return "Write the letters you choose, for example as a set of strings, out of " + ", ".join(form["letters"]) + "."
    return None


def true_false_form(value, form):
    """Whether there is one verdict (count 0) or a tuple of so many."""
    value, count = plain_value(value), form["count"]
    if count == 0 and not isinstance(value, bool):
        return "Write True or False."
    if count and not (isinstance(value, tuple) and len(value) == count and all(isinstance(item, bool) for item in value)):
        return "Write True or False for each of the " + str(count) + " statements, as a tuple or a list."
    return None


def number_form(value, form):
    """Whether there is one number (count 0), so many, or any number of them (count None)."""
    value, count = plain_value(value), form["count"]
    while count == 0 and isinstance(value, tuple) and len(value) == 1:  # one number in an array of one
        value = value[0]
    if count == 0 and not is_number(value):
        return "Write one number."
    if count and not (isinstance(value, tuple) and len(value) == count):
        return "Write " + str(count) + (" rows of numbers, as nested lists or an array." if form.get("rows") else " numbers, as a tuple, a list or an array.")
    flat = [value]
    while any(isinstance(item, tuple) for item in flat):
        flat = [inner for item in flat for inner in (item if isinstance(item, tuple) else (item,))]
    if not flat or not all(is_number(item) for item in flat):
        return "Write numbers only."
    return None


def shape_form(value, form):
    """Whether it is a sequence of whole numbers."""
    value = plain_value(value)
    if not isinstance(value, tuple) or not all(is_number(item) and float(item).is_integer() for item in value):
        return "Write a shape: whole numbers in a tuple."
    return None


def text_form(value, form):
    """Whether there is one word (count 0) or a tuple of so many."""
    value, count = plain_value(value), form["count"]
    blanks = value if count else (value,)
    if not isinstance(blanks, tuple) or len(blanks) != max(count, 1) or not all(isinstance(item, (str, int)) and str(item).strip() for item in blanks):
        return "Write a word in quotes." if count == 0 else "Write " + str(count) + " words in quotes, as a tuple."
    return None


def formula_form(value, form):
    """Whether it can be called."""
    if not callable(value):
        return "Write a function: lambda " + ", ".join(form["parameters"]) + ": ..."
    return None


def chosen_letters(value, letters):
    """The set of letters in a choose-all answer (a set, list, tuple or string, in any case), or None where it is no such answer."""
    if isinstance(value, str):
        value = re.split(r"[\s,;]+", value.strip()) if re.search(r"[\s,;]", value.strip()) else list(value.strip())
        value = [item for item in value if item]
    if not isinstance(value, (set, frozenset, list, tuple)):
        return None
    if not all(isinstance(item, str) and item.strip().strip("().").lower() in letters for item in value):
        return None
    return {item.strip().strip("().").lower() for item in value}


def near(value, expected, tolerance):
    """Whether numbers agree, element by element and in shape. `tolerance` is ("absolute" | "relative" | "default", size).

    By default whole numbers must agree exactly and others to one part in a million.
    """
    value, expected = plain_value(value), plain_value(expected)
    if isinstance(expected, tuple):
        return isinstance(value, tuple) and len(value) == len(expected) and all(near(v, e, tolerance) for v, e in zip(value, expected, strict=True))
    if isinstance(value, tuple) and len(value) == 1:  # a number in an array of one, as a column of a matrix has them
        return near(value[0], expected, tolerance)
    if not is_number(value):
        return False
    value, (how, size) = float(value), tolerance
    if how == "default":
        how, size = ("absolute", 0.0) if isinstance(expected, int) else ("relative", 1e-6)
    expected = float(expected)
    if value == expected:
        return True
    if not np.isfinite(value) or not np.isfinite(expected):
        return bool(np.isnan(value) and np.isnan(expected))
    return abs(value - expected) <= (size if how == "absolute" else max(size * abs(expected), 1e-12)) * (1 + 1e-9)


def folded(text):
    """A word as it is compared: no case, no outer or repeated space, no hyphens between letters."""
    return re.sub(r"(?<=\w)[-\u2010\u2011](?=\w)", "", " ".join(str(text).split())).casefold()


def is_right(kind, value, expected, declaration):
    """Whether a short answer of the right form is right: compared with the value the reference computes."""
    plain = plain_value(value)
    if kind == "choice":
        return plain.strip().strip("().").lower() == str(expected).lower()
    if kind == "choose-all":
        letters = declaration["letters"]
        return chosen_letters(plain, letters) == chosen_letters(expected, letters)
    if kind == "text":
        blanks = plain if isinstance(plain, tuple) else (plain,)
        return all(folded(blank) in [folded(word) for word in words] for blank, words in zip(blanks, declaration["accept"], strict=True))
    if kind == "shape":
        return tuple(int(item) for item in plain) == tuple(int(item) for item in plain_value(expected))
    if kind == "number":
        return near(plain, expected, declaration["tolerance"])
    return plain == plain_value(expected)


#: The form check of each kind: (value, form) → what is wrong with the form, as a sentence, or None. They say nothing about right or wrong.
FORMS: dict[str, Callable[[Any, dict[str, Any]], str | None]] = {
    "choice": choice_form,
    "choose-all": choose_all_form,
    "true-false": true_false_form,
    "number": number_form,
    "shape": shape_form,
    "text": text_form,
    "formula": formula_form,
}
#: Everything a test file of a short answer may have to hold.
TEST_FUNCTIONS: tuple[Callable[..., Any], ...] = (plain_value, is_number, chosen_letters, *FORMS.values(), near, folded, is_right)
UNFILLED = "Replace the three dots with your answer."

# ---- what follows from a declaration ---------------------------------------------------------------------------------


def form_problem(kind: str, value: Any, form: dict[str, Any]) -> str | None:
    """What is wrong with the form of a short answer, as a sentence; None where nothing is."""
    return UNFILLED if value is ... else FORMS[kind](value, form)


def form_check(part: Part) -> str:
    """The body of a test function that checks the form of a short answer: two lines."""
    name = part.names[0]
    check = FORMS[part.kind].__name__
    return f"    problem = {UNFILLED!r} if {name} is ... else {check}({name}, {form_of(part)!r})\n    assert problem is None, problem"


FORM_CASE = "test_form"
ANSWER_CASE = "test_answer"
FORM_TITLE, ANSWER_TITLE = "form of the answer", "answer"


@functools.cache
def form_text() -> str:
    """The source of the functions above, for test files that must stand alone; what a file does not reach is left out of it."""
    return "import re\n\nimport numpy as np\n\n\n" + "\n\n".join(inspect.getsource(function) for function in TEST_FUNCTIONS)


def assigned_value(line: str) -> tuple[str, ast.expr] | None:
    """The name and value node of a one-line answer `name = value`; None where the text is no such line."""
    try:
        body = parse(line).body
    except SyntaxError:
        return None
    if len(body) != 1 or not isinstance(body[0], ast.Assign) or len(body[0].targets) != 1 or not isinstance(body[0].targets[0], ast.Name):
        return None
    return body[0].targets[0].id, body[0].value


def literal_answer(part: Part) -> Any:
    """The reference's value where it is written out as a literal; ... where it has to be computed."""
    found = assigned_value(part.solution)
    if found is None:
        return ...
    try:
        return ast.literal_eval(found[1])
    except ValueError:
        return ...


def form_of(part: Part) -> dict[str, Any]:
    """What the form check of a short answer may know: letters, or how many values, or parameter names."""
    options, value = part.declaration.options, assigned_value(part.solution)
    node = value[1] if value else None
    if part.kind in ("choice", "choose-all"):
        return {"letters": list(options)}
    if part.kind == "true-false":
        return {"count": len(options)}
    if part.kind == "text":
        return {"count": len(part.declaration.accept) if isinstance(node, (ast.Tuple, ast.List)) else 0}
    if part.kind == "number":
        return _number_of(part, node)
    if part.kind == "formula" and isinstance(node, ast.Lambda):
        return {"parameters": [argument.arg for argument in node.args.args]}
    return {}


def _number_of(part: Part, node: ast.expr | None) -> dict[str, Any]:
    """How many numbers an answer has, read off the solution where it is written out, else off the listed slips (None where neither tells)."""
    written = literal_answer(part)
    known = [written] if written is not ... else [value for text in part.declaration.slips if (value := _literal(text)) is not ...]
    if written is ... and isinstance(node, (ast.Tuple, ast.List)) and not any(isinstance(item, ast.Starred) for item in node.elts):
        return {"count": len(node.elts)}
    counts = {len(value) if isinstance(value, (tuple, list)) else 0 for value in known}
    rows = any(isinstance(item, (tuple, list)) for value in known if isinstance(value, (tuple, list)) for item in value)
    return {"count": counts.pop() if len(counts) == 1 else None} | ({"rows": True} if rows else {})


def _literal(text: str) -> Any:
    try:
        return literal(text)
    except (ValueError, SyntaxError):
        return ...


def verdict_rules(part: Part) -> dict[str, Any]:
    """What the verdict of a short answer needs beside the expected value."""
    return {"letters": list(part.declaration.options), "accept": part.declaration.accept, "tolerance": part.declaration.tolerance}


def short_cases(part: Part, points: Fraction) -> tuple[Case, Case]:
    """The two cases of every short answer: its form, visible and worth nothing, and the answer itself, hidden."""
    message = {
        "choice": "Another option fits better; read each one against the text above.",
        "choose-all": "The set is not right yet: something is missing or does not belong.",
        "true-false": "At least one of your verdicts does not hold; test each statement on an example."
        if part.declaration.options
        else "Test the statement on an example.",
        "number": "At least one number is off; work it through once more, step by step."
        if "," in part.solution
        else "The number is off; work it through once more, step by step.",
        "shape": "The shape is not right; follow it layer by layer, axis by axis.",
        "text": "At least one blank is not right; read the sentence aloud with your words in it.",
        "formula": "On some inputs your formula gives another value; try it on numbers you can check by hand.",
    }[part.kind]
    form = Case(FORM_CASE, FORM_TITLE, Fraction(0), success_message="The form is right. Whether the answer is, you learn after you hand in.")
    return form, Case(ANSWER_CASE, ANSWER_TITLE, points, hidden=True, failure_message=message)


def formula_tests(part: Part) -> str:
    """Test code for a formula: the reference and the answer on the same secret inputs, five times."""
    found = assigned_value(part.solution)
    assert found is not None
    name, node = found
    arguments = form_of(part).get("parameters", [])
    inputs = part.declaration.inputs or "(" + "".join("secret.uniform(0.5, 2.0), " for _ in arguments) + ")"
    return (
        f"{form_text()}\n\n"
        f"def {FORM_CASE}({name}):\n{form_check(part)}\n\n\n"
        f"def {ANSWER_CASE}({name}):\n"
        f"    import copy\n\n    reference = {ast.unparse(node)}\n"
        f"    for _ in range(5):\n        arguments = {inputs}\n        expected = reference(*copy.deepcopy(arguments))\n"
        f"        got = {name}(*arguments)\n        assert near(got, expected, {part.declaration.tolerance!r}), (arguments, got, expected)\n"
    )


def stub_with(part: Part, value: str) -> str:
    """The answer cell with `value` (a Python expression) filled in."""
    return f"{part.names[0]} = {value}"


def derived_variants(part: Part) -> list[Variant]:
    """The wrong answers that a declaration implies: every other option, every flipped statement, every listed slip."""
    slips = dict(part.declaration.slips)
    expected = literal_answer(part)
    values: dict[str, str] = {}
    if part.kind == "choice":
        values = {repr(letter): slips.get(letter, f"option {letter}") for letter in part.declaration.options if letter != expected}
    elif part.kind == "choose-all" and expected is not ...:
        letters = list(part.declaration.options)
        right = chosen_letters(plain_value(expected), letters) or set()
        for letter in letters:
            values[repr(sorted(right ^ {letter}))] = f"option {letter} " + ("left out" if letter in right else "included")
        values |= {repr(slip_value(part, text)): slip for text, slip in slips.items()}
    elif part.kind == "true-false" and expected is not ...:
        if isinstance(expected, bool):
            values = {repr(not expected): "the other verdict"}
        else:
            for i in range(len(expected)):
                values[repr(tuple(not v if j == i else v for j, v in enumerate(expected)))] = f"statement {i + 1} turned round"
        values |= slips
    elif part.kind == "text":
        values = {_text_literal(text): slip for text, slip in slips.items()}
    else:
        values = slips
    return [Variant(stub_with(part, value), because, part.cell) for value, because in values.items()]


def _text_literal(text: str) -> str:
    """A slip of a text question as Python: a tuple as it stands, a bare word in quotes."""
    return text if text.startswith("(") else repr(text)


def slip_value(part: Part, text: str) -> Any:
    """The value that a key of `because` stands for; raises ValueError or SyntaxError where it is none."""
    if part.kind == "choice":
        return text
    if part.kind == "choose-all":
        try:
            return literal(text)
        except (ValueError, SyntaxError):
            return text
    if part.kind == "text":
        return literal(_text_literal(text))
    if part.kind == "formula":
        if not text.lstrip().startswith("lambda"):
            raise ValueError(text)
        ast.parse(text, mode="eval")
        return ...
    return literal(text)
