OK_FORMAT = False

from otter.test_files import test_case

name = "total"
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


def is_number(value):
    """Whether a scalar counts as a number; True and False do not."""
    return not isinstance(value, bool) and hasattr(value, "__float__") and not isinstance(value, str)


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


@test_case(name='form of the answer', points=1, hidden=False, success_message='The form is right. Whether the answer is, you learn after you hand in.')
def test_form(total):
    problem = 'Replace the three dots with your answer.' if total is ... else number_form(total, {'count': 0})
    assert problem is None, problem
