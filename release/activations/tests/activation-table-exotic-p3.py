OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "activation-table-exotic-p3"
points = None


@test_case(name='at three points', points=0.5, hidden=False, failure_message='Both are 0 at 0. Compare values at ±1 with `torch.nn.functional`.')
def test_at_three_points(exotic_gelu, exotic_silu):
    for got, wanted in (
        (exotic_gelu([-1.0, 0.0, 1.0]), [-0.158655, 0.0, 0.841345]),
        (exotic_silu([-1.0, 0.0, 1.0]), [-0.268941, 0.0, 0.731059]),
    ):
        assert len(got) == 2
        value, slope = np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)
        assert value.shape == slope.shape == (3,) and np.allclose(value, wanted, atol=1e-5) and np.isclose(slope[1], 0.5, atol=1e-6)
