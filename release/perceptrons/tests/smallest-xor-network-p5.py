OK_FORMAT = False

from itertools import product
import numpy as np
from otter.test_files import test_case
import torch

name = "smallest-xor-network-p5"
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


def demands_met(G, theta):
    """For each neuron and each row: does G say it is right, and is it? Sums of (nearly) zero are left out."""
    says = theta @ G.T
    z = theta @ np.column_stack([CORNERS, np.ones(4)]).T
    right = (z > 0) == (XOR == 1)
    clear = np.abs(z) > 1e-9
    return ((says > 0) == right)[clear]


@test_case(name='demands', points=1, hidden=False, failure_message='Take some neuron and one row of the table. Your demand has to be met exactly when the neuron is right there; where it must stay silent, that means minus its sum. And there is one multiplier for each row.')
def test_demands(xor_contradiction):
    G, m = xor_contradiction()
    numbers(m, (4,))
    theta = np.array(list(product((-1.5, -0.5, 0.5, 1.5), repeat=3)))
    assert demands_met(numbers(G, (4, 3)), theta).all()
