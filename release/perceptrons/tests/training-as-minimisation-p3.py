OK_FORMAT = False

from itertools import product
import numpy as np
from otter.test_files import test_case
import torch

name = "training-as-minimisation-p3"
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


@test_case(name='first steps', points=0.5, hidden=False, failure_message='At the start every answer is one half, so the first cost is 1/8. From there the cost falls with every step.')
def test_first_steps(train):
    w, b, costs = train(CORNERS, np.array([0.0, 1.0, 1.0, 1.0]), 0.5, 20)
    costs = numbers(costs, (20,))
    assert abs(costs[0] - 0.125) < 1e-6 and (np.diff(costs) < 0).all()


@test_case(name='learns gates', points=0.5, hidden=False, failure_message='After a few hundred steps the neuron should know OR, and AND as well: does the bias move too?')
def test_learns_gates(train):
    for gate in ([0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]):
        w, b, costs = train(CORNERS, np.array(gate), 2.0, 300)
        assert (CORNERS @ numbers(w, (2,)) + numbers(b, ()) > 0).tolist() == [target == 1.0 for target in gate]
