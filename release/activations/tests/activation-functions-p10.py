OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "activation-functions-p10"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


def same_norms(got, expected):
    """A list of the right length whose numbers agree to 0.1 %."""
    got = np.array([numbers(v) for v in got])
    return got.shape == expected.shape and np.allclose(got, expected, rtol=1e-3, atol=0)


@test_case(name='two layers', points=0.5, hidden=False, failure_message='Two layers, three examples: write out a loss and a .backward() line by line and compare.')
def test_two_layers(gradient_norms):
    weights = [torch.tensor([[1.0, -1.0], [0.5, 2.0]]), torch.tensor([[2.0, 1.0]])]
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert same_norms(gradient_norms(weights, "tanh", x), np.array([0.5222858, 0.2269494]))
    assert same_norms(gradient_norms(weights, "sigmoid", x), np.array([0.0886019, 0.1962516]))
    assert same_norms(gradient_norms(weights, "relu", x), np.array([5.5876849, 7.8457349]))
