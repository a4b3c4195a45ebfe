OK_FORMAT = False

from itertools import product
import numpy as np
from otter.test_files import test_case
import torch

name = "perceptron-and-gate-p2"
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


def fires(and_weights, n, noise):
    """Answers for all 2^n rows; noise: (k, n) to be added to each row. Shape (2^n, k)."""
    w, threshold = and_weights(n)
    w, threshold = numbers(w, (n,)), numbers(threshold, ())
    X = np.array(list(product((0.0, 1.0), repeat=n)))
    return (X[:, None, :] + noise) @ w > threshold


def only_last(answers):
    return not answers[:-1].any() and answers[-1].all()


@test_case(name='clean inputs', points=1, hidden=False, failure_message='Only the row of all ones may fire. Try three inputs as well as two.')
def test_clean_inputs(and_weights):
    assert all(only_last(fires(and_weights, n, np.zeros((1, n)))) for n in (1, 2, 3, 5))
