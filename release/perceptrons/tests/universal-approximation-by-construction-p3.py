OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "universal-approximation-by-construction-p3"
points = None


def plain(got):
    """Tensors, also those in lists, without their gradients."""
    if isinstance(got, (list, tuple)):
        return [plain(item) for item in got]
    return got.detach().numpy() if torch.is_tensor(got) else got


def numbers(got, shape):
    """What the student returned, as a float array of this shape; an AssertionError if it is anything else. A single number may come in an array of one."""
    got = np.asarray(plain(got))
    if shape == () and got.size == 1:
        got = got.reshape(())
    assert got.dtype.kind in "biuf" and got.shape == shape, f"expected the shape {shape}, got {got.shape}"
    got = got.astype(float)
    assert np.isfinite(got).all()
    return got


def network(got, m, x):
    w1, b1, w2, b2 = got
    w1, b1, w2, b2 = numbers(w1, (m - 1,)), numbers(b1, (m - 1,)), numbers(w2, (m - 1,)), numbers(b2, ())
    return np.maximum(np.outer(x, w1) + b1, 0.0) @ w2 + b2


@test_case(name='two and three points', points=1, hidden=False, failure_message='Start with two points: one hinge and an offset make a straight line. Then add a third point.')
def test_two_and_three_points(relu_interpolant):
    assert np.allclose(network(relu_interpolant([1.0, 3.0], [5.0, 1.0]), 2, np.array([1.0, 2.0, 3.0])), [5.0, 3.0, 1.0], rtol=0, atol=1e-4)
    assert np.allclose(network(relu_interpolant([-1, 0, 2], [2, 0, 6]), 3, np.array([-1.0, -0.5, 0.0, 1.0, 2.0])), [2.0, 1.0, 0.0, 3.0, 6.0], rtol=0, atol=1e-4)
