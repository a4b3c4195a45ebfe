"""Form and verdict of short answers, as functions that know nothing of us: a release copies them into the public test files.

So students need no more than otter to check the form of an answer. What stands below is copied as it is, and formulas' tests hold all of it:
a change, be it of a comment, is a change of every assignment with a formula. There are no types, since students read it.
"""

import re

import numpy as np


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
