OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "softmax-jacobian-and-maxout-p4"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


@test_case(name='forward', points=0.5, hidden=False, failure_message='Neighbours compete: channels 0 to k-1, then k to 2k-1, …')
def test_forward(maxout):
    x = np.array([[1.0, 5.0, 2.0, -3.0, -1.0, -2.0], [0.0, -1.0, 7.0, 4.0, 8.0, 9.0]])
    for k, expected in ((2, [[5, 2, -1], [0, 7, 9]]), (3, [[5, -1], [7, 9]])):
        y = numbers(maxout(x, k))
        assert y.shape == (2, 6 // k) and np.array_equal(y, expected)
