OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "softmax-jacobian-and-maxout-p3"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


@test_case(name='softmax', points=0.5, hidden=False, failure_message='Large logits, and both axes: what must be subtracted, and along which axis?')
def test_softmax(softmax):
    z = np.array([[1e4, 1e4, 0.0], [-1e4, 0.0, -1e4]])
    with np.errstate(over="raise", invalid="raise"):
        rows, columns = numbers(softmax(z)), numbers(softmax(z, axis=0))
    assert rows.shape == z.shape and np.allclose(rows, [[0.5, 0.5, 0], [0, 1, 0]])
    assert columns.shape == z.shape and np.allclose(columns, [[1, 1, 1], [0, 0, 0]])
