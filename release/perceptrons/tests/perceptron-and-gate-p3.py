OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "perceptron-and-gate-p3"
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


@test_case(name='two inputs', points=0.5, hidden=False, failure_message='Four rows in counting order, two input columns and the answer.')
def test_two_inputs(truth_table):
    assert numbers(truth_table([1, 1], 1.5), (4, 3)).tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1]]
    assert numbers(truth_table([1, 1], 0.5), (4, 3))[:, 2].tolist() == [0, 1, 1, 1]


@test_case(name='majority', points=0.5, hidden=False, failure_message='Two of three votes are a majority. Which input changes fastest from row to row?')
def test_majority(truth_table):
    table = numbers(truth_table([1, 1, 1], 1.5), (8, 4))
    assert table[:, 3].tolist() == [0, 0, 0, 1, 0, 1, 1, 1] and (table[:, :3] @ [4, 2, 1]).tolist() == list(range(8))
