OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "kernels-on-the-card-p2"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


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


def summed(total, x, device, turned=False):
    y = result_there(on_the_card(total, x, [], turned), (), device)
    exact = x.astype(float)
    assert abs(float(y) - exact.sum()) <= 1e-6 * (1 + np.abs(exact).sum())


@test_case(name='a thousand', points=0.5, hidden=False, failure_message='A thousand ones make four tiles. And four numbers make ...?')
def test_a_thousand(total):
    summed(total, np.ones(1000, dtype=np.float32), ANYWHERE)
    summed(total, np.arange(100, dtype=np.float32).reshape(4, 25), ANYWHERE)
