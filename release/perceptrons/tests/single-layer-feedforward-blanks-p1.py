OK_FORMAT = False

from otter.test_files import test_case

name = "single-layer-feedforward-blanks-p1"
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


def text_form(value, form):
    """Whether there is one word (count 0) or a tuple of so many."""
    value, count = plain_value(value), form["count"]
    blanks = value if count else (value,)
    if not isinstance(blanks, tuple) or len(blanks) != max(count, 1) or not all(isinstance(item, (str, int)) and str(item).strip() for item in blanks):
        return "Write a word in quotes." if count == 0 else "Write " + str(count) + " words in quotes, as a tuple."
    return None


@test_case(name='form of the answer', points=1, hidden=False, success_message='The form is right. Whether the answer is, you learn after you hand in.')
def test_form(blanks):
    problem = 'Replace the three dots with your answer.' if blanks is ... else text_form(blanks, {'count': 4})
    assert problem is None, problem
