OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "which-activations-can-be-backpropagated-p4"
points = None


@test_case(name='two sequences', points=0.5, hidden=False, failure_message='Along either sequence the quotients stay at one and the same number. Which two numbers are they?')
def test_two_sequences(quotient_of_c, zigzag_a, zigzag_b):
    up, down = np.asarray(quotient_of_c(zigzag_a), dtype=float), np.asarray(quotient_of_c(zigzag_b), dtype=float)
    assert up.shape == down.shape == (50,)
    assert np.allclose(up, 1, atol=1e-9) and np.allclose(down, -1, atol=1e-9)
