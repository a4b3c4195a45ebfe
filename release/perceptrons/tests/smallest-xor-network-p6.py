OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "smallest-xor-network-p6"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


def plain(got):
    """Tensors, also those in lists, without their gradients."""
    if isinstance(got, (list, tuple)):
        return [plain(item) for item in got]
    return got.detach().numpy() if torch.is_tensor(got) else got


def numbers(got, shape):
    """What the student returned, as a float array of this shape; an AssertionError if it is anything else. A single number may come in an array of one."""
    got = np.asarray(plain(got))
    if shape == () and got.size == 1:
        got = got.reshape(())
    assert got.dtype.kind in "biuf" and got.shape == shape, f"expected the shape {shape}, got {got.shape}"
    got = got.astype(float)
    assert np.isfinite(got).all()
    return got


@probe
def with_tanh(search, nets):
    return search(nets, np.tanh)


def pair(got):
    best, tables = got
    return round(float(numbers(best, ())), 6), float(numbers(tables, ()))


@test_case(name='rising unit', points=1, hidden=False, failure_message='Count rows within one net, and then take the best net. A truth table that turns up twice counts once.')
def test_rising_unit(search, nets):
    assert pair(with_tanh(search, nets[:4000])) == (0.75, 14)
