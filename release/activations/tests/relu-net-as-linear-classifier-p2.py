OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
from torch import nn
import torch

name = "relu-net-as-linear-classifier-p2"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def built_relu_net(linear_as_relu_net, w, b, points):
    """Names of the layers, widths of the linear ones, and outputs at the points."""
    net = linear_as_relu_net(torch.tensor(w), b)
    with torch.no_grad():
        outputs = net(torch.tensor(points))
    return [type(layer).__name__ for layer in net], [layer.out_features for layer in net if isinstance(layer, nn.Linear)], outputs.numpy()


@test_case(name='either side', points=0.5, hidden=False, failure_message='Check a point on either side of the line, and one on it.')
def test_either_side(linear_as_relu_net):
    layers, widths, outputs = built_relu_net(linear_as_relu_net, np.array([2.0, -3.0]), 1.0, np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    assert layers == ["Linear", "ReLU", "Linear"] and widths == [2, 1]
    assert outputs.shape == (3, 1) and np.allclose(outputs[:, 0], [3, -2, 0])
