OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "activation-table-exotic-p1"
points = None


@test_case(name='a point in each piece', points=0.5, hidden=False, failure_message='Check a point in each piece of the formulas, and the points where pieces meet.')
def test_a_point_in_each_piece(exotic_sqnl, exotic_sqrbf):
    for got, wanted in (
        (exotic_sqnl([-1.0, 0.0, 0.5, 2.0]), [[-0.75, 0.0, 0.4375, 1.0], [0.5, 1.0, 0.75, 0.0]]),
        (exotic_sqrbf([-1.5, -0.5, 0.0, 1.0]), [[0.125, 0.875, 1.0, 0.5], [0.5, 0.5, 0.0, -1.0]]),
    ):
        assert len(got) == 2
        got = np.array([np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)])
        assert got.shape == (2, 4) and np.allclose(got, wanted, atol=1e-6)
