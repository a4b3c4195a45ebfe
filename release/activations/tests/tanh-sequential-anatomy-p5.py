OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "tanh-sequential-anatomy-p5"
points = None


@test_case(name='one row', points=0.5, hidden=False, failure_message='One row of logits is enough to do it by hand: softmax, then softmax of the probabilities.')
def test_one_row(gaps_of_second_use):
    got = np.asarray(gaps_of_second_use(torch.tensor([[2.0, 0.0, 0.0]])), dtype=float)
    assert got.shape == (2,) and np.isfinite(got).all()
    assert 0 <= got[0] < 1e-5 and np.isclose(got[1], 0.2902, atol=2e-4)
