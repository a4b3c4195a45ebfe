OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
from torch import nn
import torch

name = "dead-neurons-p4"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def revived(revive, slope, w, b, v, x, y, steps, lr):
    """What revive returns for a net with hidden weights w (units, d), hidden biases b and output weights v, and the hidden weights afterwards."""
    net = nn.Sequential(nn.Linear(w.shape[1], w.shape[0]), nn.LeakyReLU(slope) if slope else nn.ReLU(), nn.Linear(w.shape[0], 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor(w))
        net[0].bias.copy_(torch.tensor(b))
        net[2].weight.copy_(torch.tensor(v))
        net[2].bias.zero_()
    report = revive(net, torch.tensor(x), torch.tensor(y), steps, lr)
    return [float(value) for value in report], net[0].weight.detach().numpy()


@test_case(name='all biases far below zero', points=0.5, hidden=False, failure_message='From biases of −6 every unit is silent. Which of the two activations still lets the loss fall?')
def test_all_biases_far_below_zero(revive, silent_w, silent_v, silent_x, silent_y):
    data = np.full(16, -6.0), silent_v, silent_x.numpy(), silent_y.numpy(), 300, 0.05
    relu, relu_weights = revived(revive, 0.0, silent_w, *data)
    leaky, leaky_weights = revived(revive, 0.1, silent_w, *data)
    assert relu[:2] == [1.0, 1.0] and relu[2] > 0.5 and np.array_equal(relu_weights, silent_w)
    assert leaky[:2] == [1.0, 1.0] and 0 <= leaky[2] < 0.05 and not np.allclose(leaky_weights, silent_w)
