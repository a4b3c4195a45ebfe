OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "activation-functions-p5"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


SOME_VALUES = {
    "sigmoid": ([-2.0, 0.7, 1.5], [0.1192029, 0.6681878, 0.8175745], [0.1049936, 0.2217129, 0.1491465]),
    "tanh": ([-2.0, 0.7, 1.5], [-0.9640276, 0.6043678, 0.9051483], [0.0706508, 0.6347396, 0.1807066]),
    "relu": ([-2.0, 0.0, 0.7], [0.0, 0.0, 0.7], [0.0, 0.0, 1.0]),
    "leaky_relu": ([-2.0, 0.0, 0.7], [-0.02, 0.0, 0.7], [0.01, 0.01, 1.0]),
}


@test_case(name='values and slopes', points=0.5, hidden=False, failure_message='Compare with your picture at -2, 0 and 0.7, for values and slopes.')
def test_values_and_slopes(value_and_slope):
    for name, (x, *expected) in SOME_VALUES.items():
        got = [numbers(part) for part in value_and_slope(name, np.array(x))]
        assert len(got) == 2 and all(part.shape == (3,) and np.allclose(part, right, rtol=0, atol=1e-6) for part, right in zip(got, expected))


@test_case(name='far out', points=0.5, hidden=False, failure_message='For x = -1000 and x = 1000: which exponential overflows? Nothing may warn, and everything must be finite.')
def test_far_out(value_and_slope):
    x = np.array([-1000.0, 1000.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        ends = {name: np.concatenate([numbers(part) for part in value_and_slope(name, x)]) for name in SOME_VALUES}
    assert all(four.shape == (4,) for four in ends.values())
    assert np.allclose(ends["sigmoid"], [0, 1, 0, 0]) and np.allclose(ends["tanh"], [-1, 1, 0, 0])
    assert np.allclose(ends["relu"], [0, 1000, 0, 1]) and np.allclose(ends["leaky_relu"], [-10, 1000, 0.01, 1])
