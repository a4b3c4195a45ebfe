OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "activation-table-relu-family-p1"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


def same_pair(got, value, slope):
    """Two arrays, of the right shape and close to value and slope."""
    got = [numbers(part) for part in got]
    expected = [np.asarray(value, dtype=float), np.asarray(slope, dtype=float)]
    return len(got) == 2 and all(g.shape == e.shape and np.allclose(g, e, rtol=1e-5, atol=1e-6) for g, e in zip(got, expected))


@test_case(name='small cases', points=0.5, hidden=False, failure_message='Go through one row by hand, kinks included.')
def test_small_cases(straight):
    x = np.array([[-2.0, -2.0, 0.0], [0.0, 3.0, 3.0], [-1.0, 0.0, -1.0]])
    assert same_pair(straight("prelu", x, 0.25), [[-0.5, -0.5, 0], [0, 3, 3], [-0.25, 0, -0.25]], [[0.25, 0.25, 0.25], [0.25, 1, 1], [0.25, 0.25, 0.25]])
    assert same_pair(straight("brelu", x), [[0, -2, 0], [0, 0, 3], [0, 0, 0]], [[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    line = np.array([-3.0, -1.0, 0.5, 2.0, 4.0])
    assert same_pair(straight("srelu", line, -1.0, 0.1, 2.0, 0.5), [-1.2, -1, 0.5, 2, 3], [0.1, 0.1, 1, 0.5, 0.5])
    assert same_pair(straight("apl", [-2.0, 0.0, 1.0, 2.0], [0.5, -1.0], [0.0, 1.0]), [-2, -1, 1, 2], [0.5, 1, 1, 1])
