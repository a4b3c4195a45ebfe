OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
from torch import nn
import torch

name = "relu-net-as-linear-classifier-p6"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def compared_with_line(compare_with_line, hidden, shift, out, offset, points, w, b):
    net = nn.Sequential(nn.Linear(hidden.shape[1], hidden.shape[0]), nn.ReLU(), nn.Linear(hidden.shape[0], 1)).double()
    net.load_state_dict({"0.weight": torch.tensor(hidden), "0.bias": torch.tensor(shift), "2.weight": torch.tensor(out), "2.bias": torch.tensor(offset)})
    return [float(number) for number in compare_with_line(net, torch.tensor(points), torch.tensor(w), b)]


@test_case(name='trained net', points=0.5, hidden=False, failure_message='A trained net should agree with the line nearly everywhere, although its outputs are not quite on a plane.')
def test_trained_net(compare_with_line, train_line_net):
    net, w, b = train_line_net(3)
    weights = [parameter.detach().numpy() for parameter in net.parameters()]
    points = np.random.default_rng(3).uniform(-1, 1, size=(1000, 2))
    for size in (1.0, 10.0):
        agreement, fit = compared_with_line(compare_with_line, *weights, size * points, w.numpy(), b)
        assert 0.95 < agreement <= 1 and 0.7 < fit < 0.9999
