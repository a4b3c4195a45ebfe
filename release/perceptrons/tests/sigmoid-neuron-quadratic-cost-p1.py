OK_FORMAT = False

from otter.test_files import test_case

name = "sigmoid-neuron-quadratic-cost-p1"
points = None


def formula_form(value, form):
    """Whether it can be called."""
    if not callable(value):
        return "Write a function: lambda " + ", ".join(form["parameters"]) + ": ..."
    return None


@test_case(name='form of the answer', points=1, hidden=False, success_message='The form is right. Whether the answer is, you learn after you hand in.')
def test_form(quadratic_cost):
    problem = 'Replace the three dots with your answer.' if quadratic_cost is ... else formula_form(quadratic_cost, {'parameters': ['y', 'a']})
    assert problem is None, problem
