OK_FORMAT = False

import re
from otter.test_files import test_case

name = "where-a-tensor-lives-p3"
points = None


def plain_value(value):
    """An array, tensor or sequence as nested tuples of Python scalars; a scalar stays one."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return tuple(plain_value(item) for item in value)
    return value


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


def choose_all_form(value, form):
    """Whether every chosen letter is an option."""
    if chosen_letters(plain_value(value), form["letters"]) is None:
        return "Write the letters you choose, for example as a set of strings, out of " + ", ".join(form["letters"]) + "."
    return None


@test_case(name='form of the answer', points=1, hidden=False, success_message='The form is right. Whether the answer is, you learn after you hand in.')
def test_form(crossings):
    problem = 'Replace the three dots with your answer.' if crossings is ... else choose_all_form(crossings, {'letters': ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']})
    assert problem is None, problem
