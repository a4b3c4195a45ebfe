OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "activation-functions-p9"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


@test_case(name='jacobian', points=0.5, hidden=False, failure_message='Output i depends on input i and on nothing else. Where in the matrix does that leave room for numbers?')
def test_jacobian(sigmoid_jacobian):
    J = numbers(sigmoid_jacobian(np.array([0.4, 1.0, -2.0])))
    assert J.shape == (3, 3) and np.allclose(J, [[0.2402607, 0, 0], [0, 0.1966119, 0], [0, 0, 0.1049936]], atol=1e-6)
