OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "tanh-saturates-too-p2"
points = None


@test_case(name='gain one and twenty', points=0.5, hidden=False, failure_message='With gain 1 almost no unit should be saturated, with gain 20 most of them.')
def test_gain_one_and_twenty(tanh_stack_health, saturation_x, saturation_layers):
    calm = np.asarray(tanh_stack_health(saturation_x, saturation_layers, 1.0), dtype=float)
    loud = np.asarray(tanh_stack_health(saturation_x, saturation_layers, 20.0), dtype=float)
    assert calm.shape == loud.shape == (2,)
    assert 0 <= calm[0] < 0.05 and 0.8 < loud[0] < 1
    assert 0 < loud[1] < 0.1 < 0.5 < calm[1] < 1
