OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
from torch import nn
import torch

name = "relu-net-as-linear-classifier-p3"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def verdicts_on_nets(is_affine_on, w, b, v, c, points):
    """Verdicts on the ReLU net with these weights, and on the affine map with its first unit only."""
    relu = nn.Sequential(nn.Linear(w.shape[1], w.shape[0]), nn.ReLU(), nn.Linear(w.shape[0], 1)).double()
    line = nn.Sequential(nn.Linear(w.shape[1], 1)).double()
    with torch.no_grad():
        for layer, weight, bias in ((relu[0], w, b), (relu[2], v, c), (line[0], w[:1], c)):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    X = torch.tensor(points)
    return [bool(is_affine_on(net, X)) for net in (relu, line)]


@test_case(name='bend in the middle', points=0.5, hidden=False, failure_message='A single ReLU with its bend in the middle of the data is not affine; a linear layer with a bias is.')
def test_bend_in_the_middle(is_affine_on):
    points = np.linspace(-1, 1, 21)[:, None]
    assert verdicts_on_nets(is_affine_on, np.ones((1, 1)), np.zeros(1), np.ones((1, 1)), np.full(1, 5.0), points) == [False, True]
