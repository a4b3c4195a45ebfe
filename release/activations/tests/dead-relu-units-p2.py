OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
from torch import nn
import torch

name = "dead-relu-units-p2"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def call_dead_units(dead_units, W, b, X):
    """Call the student's function with an nn.Linear that has these weights."""
    layer = nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(W))
        layer.bias.copy_(torch.from_numpy(b))
    return dead_units(layer, torch.from_numpy(X))


def same_list(got, expected):
    """A flat list or array of these whole numbers, in this order."""
    got = np.asarray(got)
    return got.shape == (len(expected),) and (not expected or got.dtype.kind in "iuf") and [float(i) for i in got] == expected


X_SMALL = np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])


W_SMALL = np.array([[1.0, 1.0], [-1.0, 0.5], [-1.0, -1.0], [0.5, -2.0], [0.0, 0.0]])


@test_case(name='by hand', points=1, hidden=False, failure_message='Work the four samples through each unit by hand. What does one positive value mean for a unit, and what a 0? The answer is a list also where one unit is dead.')
def test_by_hand(dead_units):
    assert same_list(call_dead_units(dead_units, W_SMALL, np.array([0.0, 0.0, -0.5, 0.2, 0.0]), X_SMALL), [2, 4])
    assert same_list(call_dead_units(dead_units, W_SMALL, np.array([-100.0, 0.0, -0.5, -100.0, 1.0]), X_SMALL), [0, 2, 3])
    assert same_list(call_dead_units(dead_units, W_SMALL, np.array([0.0, 0.0, -0.5, 0.2, 1.0]), X_SMALL), [2])
