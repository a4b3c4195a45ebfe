OK_FORMAT = False

from otter.test_files import test_case

name = "pick"
points = None


def choice_form(value, form):
    """Whether a choice is one of its letters, in any case."""
    if not isinstance(value, str) or value.strip().strip("().").lower() not in form["letters"]:
        return "Write one of the letters " + ", ".join(form["letters"]) + " in quotes."
    return None


@test_case(name='form of the answer', points=1, hidden=False, success_message='The form is right. Whether the answer is, you learn after you hand in.')
def test_form(larger):
    problem = 'Replace the three dots with your answer.' if larger is ... else choice_form(larger, {'letters': ['a', 'b']})
    assert problem is None, problem
