OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
from torch import nn
import torch

name = "tanh-saturates-too-p1"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def shares_of_plain_tanh(saturated_share, values):
    net = nn.Sequential(nn.Tanh())
    x = torch.tensor(values, dtype=torch.float64)
    return [float(saturated_share(net, x)), float(saturated_share(net, x, 0.5)), float(saturated_share(net, x, thr=0.0))]


@test_case(name='one layer', points=0.5, hidden=False, failure_message='Put four numbers through a single Tanh and count by hand: how many outputs are beyond the threshold?')
def test_one_layer(saturated_share):
    got = shares_of_plain_tanh(saturated_share, [[-5.0, -0.1, 0.2, 5.0], [2.5, -0.6, 0.0, -3.0]])
    assert np.allclose(np.asarray(got, dtype=float), [3 / 8, 5 / 8, 7 / 8], atol=1e-6)
