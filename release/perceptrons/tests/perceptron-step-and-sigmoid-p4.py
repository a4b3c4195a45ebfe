OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "perceptron-step-and-sigmoid-p4"
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


@test_case(name='four rows', points=0.5, hidden=False, failure_message='Each row of X gives one answer, 0 or 1; a sum of exactly zero gives 0.')
def test_four_rows(perceptron):
    X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert numbers(perceptron(X, [1, 1], -1.5), (4,)).tolist() == [0, 0, 0, 1]
    assert numbers(perceptron(X, [1, 1], -1), (4,)).tolist() == [0, 0, 0, 1]


@test_case(name='moderate numbers', points=0.5, hidden=False, failure_message='Compare with the formula at a few moderate numbers, one at a time and as an array.')
def test_moderate_numbers(sigmoid):
    z = np.array([[-2.0, 0.0, 1.0], [3.0, -0.5, 0.25]])
    assert np.allclose(numbers(sigmoid(z), (2, 3)), 1 / (1 + np.exp(-z)), rtol=0, atol=1e-6)
    assert abs(numbers(sigmoid(0.0), ()) - 0.5) < 1e-6
