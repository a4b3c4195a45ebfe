OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "name-the-leaky-relu-p3"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


@test_case(name='values', points=0.5, hidden=False, failure_message='Does your function still follow the definition when a is larger than 1, or negative?')
def test_values(two_slopes):
    x = np.array([[-4.0, -0.5, 0.0], [0.25, 2.0, 10.0]])
    for a in (0.01, 0.0, 1.0, 1.5, -0.5):
        y = numbers(two_slopes(x, a))
        assert y.shape == x.shape and np.allclose(y, [[-4 * a, -0.5 * a, 0], [0.25, 2, 10]])
