OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "as-fast-as-torch"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


def silu(z):
    return z / (1 + np.exp(-z))


CARD, ANYWHERE = "cuda", "c"  # how the device begins on which results have to be; "c" is any


@probe
def on_the_card(function, x, arguments, turned):
    """What the function returns for an array that was uploaded: numbers, device, shape. `turned`: it gets a view of the transposed array."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.as_tensor(x).to(device)
    before = x.clone()
    y = function(x.T if turned else x, *arguments)
    assert torch.equal(x, before)
    return y.detach().cpu().numpy(), str(y.device), list(y.shape)


def result_there(answer, shape, device):
    """The numbers, if they have this shape and were computed where they should be."""
    y, where, shape_there = answer
    assert where.startswith(device) and shape_there == list(shape)
    y = np.asarray(y)
    assert y.dtype == np.float32 and y.shape == tuple(shape) and np.isfinite(y).all()
    return y.astype(float)


@test_case(name='right', points=1, hidden=False, failure_message='First it has to be right.')
def test_right(fast_scale_silu):
    for shape in ((1000,), (3, 5), (0,), (4097,), (64, 64)):
        x = np.random.default_rng(8).normal(size=shape).astype(np.float32)
        y = result_there(on_the_card(fast_scale_silu, x, [1.25, -0.5], False), shape, ANYWHERE)
        assert np.allclose(y, silu(1.25 * x.astype(float) - 0.5), rtol=1e-4, atol=1e-5)
