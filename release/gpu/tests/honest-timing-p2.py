OK_FORMAT = False

from otter.test_files import test_case

name = "honest-timing-p2"
points = None


def choice_form(value, form):
    """Whether a choice is one of its letters, in any case."""
    if not isinstance(value, str) or value.strip().strip("().").lower() not in form["letters"]:
        return "Write one of the letters " + ", ".join(form["letters"]) + " in quotes."
    return None


@test_case(name='form of the answer', points=1, hidden=False, success_message='The form is right. Whether the answer is, you learn after you hand in.')
def test_form(what_was_timed):
    problem = 'Replace the three dots with your answer.' if what_was_timed is ... else choice_form(what_was_timed, {'letters': ['a', 'b', 'c', 'd']})
    assert problem is None, problem
