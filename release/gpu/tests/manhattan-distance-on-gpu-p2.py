OK_FORMAT = False

from otter.test_files import test_case
import torch

name = "manhattan-distance-on-gpu-p2"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def refusal(manhattan, a, b):
    """The name of the error that these two raise."""
    try:
        manhattan(a, b)
    except Exception as error:
        return type(error).__name__
    return "none"


@test_case(name='lists and tensors', points=1, hidden=False, failure_message='Lists, tensors, whole numbers: all are sequences of numbers. And what must come out is a Python float.')
def test_lists_and_tensors(manhattan):
    for a, b in (([6, 1, 4, 5], (2, 8, 3, -1)), (torch.tensor([6, 1, 4, 5]), torch.tensor([2, 8, 3, -1])), (torch.tensor([[6.0, 1], [4, 5]]), torch.tensor([[2.0, 8], [3, -1]]))):
        d = manhattan(a, b, device="cpu")
        assert type(d) is float and abs(d - 18) < 1e-6
    assert refusal(manhattan, [1.0, 2.0, 3.0], [1.0]) == "ValueError"
