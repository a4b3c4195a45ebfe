OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "activation-table-exotic-p2"
points = None


@test_case(name='by hand', points=0.5, hidden=False, failure_message='Work out x = ±1 by hand for alpha = 3.')
def test_by_hand(exotic_isru, exotic_isrlu):
    for got, wanted in (
        (exotic_isru([-1.0, 0.0, 1.0], 3.0), [[-0.5, 0.0, 0.5], [0.125, 1.0, 0.125]]),
        (exotic_isrlu([-1.0, 0.0, 1.0], 3.0), [[-0.5, 0.0, 1.0], [0.125, 1.0, 1.0]]),
    ):
        assert len(got) == 2
        got = np.array([np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)])
        assert got.shape == (2, 3) and np.allclose(got, wanted, atol=1e-6)
