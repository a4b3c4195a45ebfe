OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "relu-versus-sigmoid-gradient-p3"
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


@test_case(name='square layers', points=0.5, hidden=False, failure_message='First check the standard deviation of your scaled matrices, then the ratio of first to last gradient.')
def test_square_layers(compare_starts, deep_batch, deep_raw):
    tiny = compare_starts(torch.tensor([[1.0]]), [torch.tensor([[0.5]]), torch.tensor([[2.0]])])
    assert same_norms(tiny["sigmoid"], np.array([0.1266957, 0.1677908])) and same_norms(tiny["relu"], np.array([11.3137085, 2.8284271]))
    got = {act: numbers([numbers(v) for v in norms]) for act, norms in compare_starts(deep_batch, deep_raw).items()}
    assert got["sigmoid"].shape == got["relu"].shape == (20,)
    assert 0 < got["sigmoid"][0] / got["sigmoid"][-1] < 1e-8 and 0.01 < got["relu"][0] / got["relu"][-1] < 100
