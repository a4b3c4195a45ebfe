OK_FORMAT = False

from otter.test_files import test_case

name = "universal-approximation-by-construction-p2"
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


def true_false_form(value, form):
    """Whether there is one verdict (count 0) or a tuple of so many."""
    value, count = plain_value(value), form["count"]
    if count == 0 and not isinstance(value, bool):
        return "Write True or False."
    if count and not (isinstance(value, tuple) and len(value) == count and all(isinstance(item, bool) for item in value)):
        return "Write True or False for each of the " + str(count) + " statements, as a tuple or a list."
    return None


@test_case(name='form of the answer', points=1, hidden=False, success_message='The form is right. Whether the answer is, you learn after you hand in.')
def test_form(about_theorem):
    problem = 'Replace the three dots with your answer.' if about_theorem is ... else true_false_form(about_theorem, {'count': 3})
    assert problem is None, problem
