OK_FORMAT = False

from itertools import product
import numpy as np
from otter.test_files import test_case
import torch

name = "smallest-xor-network-p2"
points = None


CORNERS = np.array(list(product((0.0, 1.0), repeat=2)))  # rows (0,0), (0,1), (1,0), (1,1)


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


def layered_answers(net, noise):
    """noise: (k, 6), for the four wires into the hidden units and the two into the output. Returns (4, k)."""
    W1, b1, w2, b2 = net
    W1, b1, w2, b2 = numbers(W1, (2, 2)), numbers(b1, (2,)), numbers(w2, (2,)), numbers(b2, ())
    wires = CORNERS[:, None, None, :] + noise[:, :4].reshape(-1, 2, 2)
    hidden = (wires * W1).sum(axis=-1) + b1 > 0
    return (hidden + noise[:, 4:]) @ w2 + b2 > 0


@test_case(name='truth table', points=1, hidden=False, failure_message='Work out both hidden units for all four rows, then the output unit.')
def test_truth_table(xor_layered):
    assert layered_answers(xor_layered(), np.zeros((1, 6)))[:, 0].tolist() == [False, True, True, False]
