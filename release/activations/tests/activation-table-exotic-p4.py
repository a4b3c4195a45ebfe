OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "activation-table-exotic-p4"
points = None


@test_case(name='by hand', points=0.5, hidden=False, failure_message='Work out the soft exponential for alpha = −1, 0 and 1 at a point or two, and soft clipping in the middle of its ramp.')
def test_by_hand(exotic_soft_exponential, exotic_soft_clipping):
    for got, wanted in (
        (exotic_soft_exponential([1.0, 2.0], -1.0), [[0.0, np.log(2)], [1.0, 0.5]]),
        (exotic_soft_exponential([-3.0, 2.0], 0.0), [[-3.0, 2.0], [1.0, 1.0]]),
        (exotic_soft_exponential([0.0, 1.0], 1.0), [[1.0, np.e], [1.0, np.e]]),
        (exotic_soft_clipping([0.5, 100.0], 2.0), [[0.5, 1.0], [0.4621172, 0.0]]),
    ):
        assert len(got) == 2
        got = np.array([np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)])
        assert got.shape == (2, 2) and np.allclose(got, wanted, atol=1e-6)
