OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "sigmoid-neuron-quadratic-cost-p3"
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


def trusted_cost(w, b, X, y):
    return float(np.mean((y - 1 / (1 + np.exp(-(X @ w + b)))) ** 2) / 2)


def agrees(cost_and_grad, w, b, X, y):
    """Compare with the cost itself, and with its central differences."""
    d, h = len(w), 1e-5
    cost, dw, db = cost_and_grad(w, b, X, y)
    cost, dw, db = numbers(cost, ()), numbers(dw, (d,)), numbers(db, ())
    slopes = [(trusted_cost(w + e, b, X, y) - trusted_cost(w - e, b, X, y)) / (2 * h) for e in h * np.eye(d)]
    slope = (trusted_cost(w, b + h, X, y) - trusted_cost(w, b - h, X, y)) / (2 * h)
    close = dict(rtol=1e-4, atol=1e-6)
    return np.allclose(cost, trusted_cost(w, b, X, y), **close) and np.allclose(dw, slopes, **close) and np.allclose(db, slope, **close)


@test_case(name='one example', points=1, hidden=False, failure_message='Compare with the example you worked out by hand.')
def test_one_example(cost_and_grad):
    assert agrees(cost_and_grad, np.array([2.0]), -0.5, np.array([[0.5]]), np.array([1.0]))


@test_case(name='every example twice', points=0.5, hidden=False, failure_message='Showing every example twice changes neither the mean nor its derivatives.')
def test_every_example_twice(cost_and_grad):
    X, y, w = np.array([[1.0, -2.0], [0.5, 0.0], [-1.0, 1.5]]), np.array([1.0, 0.0, 0.0]), np.array([0.3, -0.8])
    assert agrees(cost_and_grad, w, 0.2, X, y) and agrees(cost_and_grad, w, 0.2, np.vstack([X, X]), np.concatenate([y, y]))
