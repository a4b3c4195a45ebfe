OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "why-nonlinearity-linear-collapse-p4"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


def relu_net_outputs(weights, X):
    """Outputs of a 2-2-1 ReLU network for the rows of X, or None if the shapes are not those of one."""
    W1, b1, W2, b2 = (numbers(w) for w in weights)
    if W1.shape != (2, 2) or b1.shape != (2,) or W2.size != 2 or b2.size != 1:
        return None
    return np.maximum(X @ W1.T + b1, 0) @ W2.reshape(2) + b2.reshape(())


@test_case(name='four corners', points=1, hidden=False, failure_message='Write down both hidden units for all four corners, then combine them.')
def test_four_corners(xor_weights):
    y = relu_net_outputs(xor_weights(), np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    assert y is not None and np.allclose(y, [0, 1, 1, 0], rtol=0, atol=1e-6)
