OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "dead-relu-units-p3"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


@test_case(name='two units', points=0.5, hidden=False, failure_message='Two units and two examples can be done by hand. With a ReLU the answer is exactly 0, with a leak it is small.')
def test_two_units(silenced_gradients):
    W, b, v = torch.tensor([[1.0], [2.0]]), torch.zeros(2), torch.ones(2)
    X, y = torch.tensor([[1.0], [-1.0]]), torch.zeros(2)
    got = np.array([numbers(norm) for norm in silenced_gradients(W, b, v, X, y, 1)])
    assert got.shape == (2,) and got[0] == 0 and np.isclose(got[1], 0.0105, rtol=1e-3)
