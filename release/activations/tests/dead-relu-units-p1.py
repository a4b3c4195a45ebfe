OK_FORMAT = False

from otter.test_files import test_case

name = "dead-relu-units-p1"
points = None


def choice_form(value, form):
    """Whether a choice is one of its letters, in any case."""
    if not isinstance(value, str) or value.strip().strip("().").lower() not in form["letters"]:
        return "Write one of the letters " + ", ".join(form["letters"]) + " in quotes."
    return None


@test_case(name='form of the answer', points=1, hidden=False, success_message='The form is right. Whether the answer is, you learn after you hand in.')
def test_form(dead_when):
    problem = 'Replace the three dots with your answer.' if dead_when is ... else choice_form(dead_when, {'letters': ['a', 'b', 'c', 'd']})
    assert problem is None, problem
