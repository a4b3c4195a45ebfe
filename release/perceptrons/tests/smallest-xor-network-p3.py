OK_FORMAT = False

from itertools import product
import numpy as np
from otter.test_files import test_case
import torch

name = "smallest-xor-network-p3"
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


def skip_answers(net, noise):
    """noise: (k, 5), for the two wires into the hidden unit and the three into the output. Returns (4, k)."""
    w_h, b_h, w_o, v, b_o = net
    w_h, b_h, w_o, v, b_o = numbers(w_h, (2,)), numbers(b_h, ()), numbers(w_o, (2,)), numbers(v, ()), numbers(b_o, ())
    hidden = (CORNERS[:, None, :] + noise[:, :2]) @ w_h + b_h > 0
    return (CORNERS[:, None, :] + noise[:, 2:4]) @ w_o + v * (hidden + noise[:, 4]) + b_o > 0


@test_case(name='truth table', points=1, hidden=False, failure_message='Work out the hidden unit for all four rows, then the output unit with its three wires.')
def test_truth_table(xor_skip):
    assert skip_answers(xor_skip(), np.zeros((1, 5)))[:, 0].tolist() == [False, True, True, False]
