OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "scale"
points = None


@test_case(name='sum', points=1, hidden=False, failure_message='The entries should add up to 1.')
def test_sum(scale):
    assert np.isclose(np.sum(scale([1.0, 3.0])), 1)
