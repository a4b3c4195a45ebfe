OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "relu-versus-sigmoid-gradient-p4"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


@test_case(name='eight numbers', points=0.5, hidden=False, failure_message='Write down what a ReLU makes of each of the eight. Which outputs does the computer hold as exactly 0?')
def test_eight_numbers(zero_share):
    got = numbers(zero_share(np.array([-2.0, -0.1, 0.0, 0.1, -60.0, 3.0, -1000.0, 60.0])))
    assert got.shape == (2,) and np.allclose(got, [0.625, 0.125], rtol=0, atol=1e-9)
