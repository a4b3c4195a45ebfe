OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "swish-paper-and-implementation-p4"
points = None


@test_case(name='some values', points=0.5, hidden=False, failure_message='At x = 0 the gate is half open. What are the value and the slope there?')
def test_some_values(swish, swish_grad):
    values = np.asarray(swish([-1.0, 0.0, 2.0]), dtype=float)
    slopes = np.asarray(swish_grad([0.0, 2.0], beta=0.5), dtype=float)
    assert values.shape == (3,) and np.allclose(values, [-0.2689414, 0.0, 1.7615942], atol=1e-5)
    assert slopes.shape == (2,) and np.allclose(slopes, [0.5, 0.9276705], atol=1e-5)
