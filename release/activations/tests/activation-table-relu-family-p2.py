OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "activation-table-relu-family-p2"
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


@test_case(name='by hand', points=0.5, hidden=False, failure_message='Check -1, 0 and 2 by hand, then try -1000 and 1000 with warnings turned into errors.')
def test_by_hand(curved):
    x = np.array([-1000.0, -1.0, 0.0, 2.0, 1000.0])
    with np.errstate(over="raise", invalid="raise"):
        elu, selu = curved("elu", x.tolist()), curved("selu", x)
    assert same_pair(elu, [-1, -0.63212056, 0, 2, 1000], [0, 0.36787944, 1, 1, 1])
    assert same_pair(selu, [-1.75809428, -1.11132754, 0, 2.1014, 1050.7], [0, 0.64676674, 1.75809428, 1.0507, 1.0507])
