OK_FORMAT = False

from itertools import product
import numpy as np
from otter.test_files import test_case
import torch

name = "rosenblatt-vs-backprop-era-p3"
points = None


CORNERS = np.array(list(product((0.0, 1.0), repeat=2)))  # rows (0,0), (0,1), (1,0), (1,1)


XOR = np.array([0, 1, 1, 0])


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


def sums_by_hand(W1, b1, w2, b2, hidden):
    z = CORNERS @ W1.T + b1
    h = 1 / (1 + np.exp(-z)) if hidden == "sigmoid" else np.where(z > 0, 1.0, 0.0)
    a = 1 / (1 + np.exp(-(h @ w2 + b2)))
    delta = (a - XOR) * a * (1 - a) / 4
    back = np.outer(delta, w2) * h * (1 - h)
    return np.abs(back.T @ CORNERS).sum(), np.abs(delta @ h).sum()


def same_sums(gradient_sums, net, hidden):
    got, expected = numbers(gradient_sums(*net, hidden), (2,)), sums_by_hand(*net, hidden)
    return (got[0] > 0) == (hidden == "sigmoid") and np.allclose(got, expected, rtol=1e-4, atol=1e-7)


@test_case(name='one net', points=0.5, hidden=False, failure_message='The two sums belong to two different layers. And what does a missing .grad mean?')
def test_one_net(gradient_sums):
    net = np.array([[1.2, -1.0], [-1.4, 1.2]]), np.array([0.1, -0.4]), np.array([1.4, -0.8]), -0.5
    assert same_sums(gradient_sums, net, "step") and same_sums(gradient_sums, net, "sigmoid")
