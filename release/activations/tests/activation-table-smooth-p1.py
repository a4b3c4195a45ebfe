OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "activation-table-smooth-p1"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


PRINTED = {
    "identity": [-2, 0, 0.7],
    "step": [0, 1, 1],
    "sigmoid": [0.1192029, 0.5, 0.6681878],
    "tanh": [-0.9640276, 0, 0.6043678],
    "softsign": [-0.6666667, 0, 0.4117647],
    "arctan": [-1.1071487, 0, 0.610726],
    "arsinh": [-1.4436355, 0, 0.6526666],
    "softplus": [0.126928, 0.6931472, 1.103186],
    "bent_identity": [-1.381966, 0, 0.8103278],
    "sine": [-0.9092974, 0, 0.6442177],
    "sinc": [0.4546487, 1, 0.920311],
    "gaussian": [0.0183156, 1, 0.6126264],
}


@test_case(name='three points', points=0.5, hidden=False, failure_message='Check each function at -2, 0 and 0.7, and each slope there against a central difference of your own act.')
def test_three_points(act, dact):
    x, away = np.array([-2.0, 0.0, 0.7]), np.array([-2.0, 0.7])
    for name, expected in PRINTED.items():
        value, slope = numbers(act(name, x)), numbers(dact(name, away))
        assert value.shape == (3,) and np.allclose(value, expected, rtol=0, atol=1e-6)
        rise = numbers(act(name, away + 1e-4)) - numbers(act(name, away - 1e-4))
        assert slope.shape == (2,) and np.allclose(slope, rise / 2e-4, rtol=0, atol=1e-6)


@test_case(name='far out', points=0.5, hidden=False, failure_message='At 800 and -800 some exponentials overflow, and one function divides by 0 at 0. Nothing may warn.')
def test_far_out(act, dact):
    x = np.array([-800.0, 0.0, 800.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values, slopes = ({name: numbers(f(name, x)) for name in PRINTED} for f in (act, dact))
    assert all(y.shape == (3,) and np.isfinite(y).all() for y in [*values.values(), *slopes.values()])
    assert np.allclose(values["sigmoid"], [0, 0.5, 1]) and np.allclose(values["softplus"], [0, 0.6931472, 800])
    assert np.allclose(values["sinc"], [0.0011172, 1, 0.0011172], atol=1e-6) and np.allclose(values["gaussian"], [0, 1, 0])
