OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "kernels-on-the-card-p1"
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


@test_case(name='a matrix', points=0.5, hidden=False, failure_message='How many blocks does it take for 3000 entries? And is the result a new tensor like x?')
def test_a_matrix(scale_silu):
    x = np.linspace(-3, 3, 3000, dtype=np.float32).reshape(60, 50)
    y = result_there(on_the_card(scale_silu, x, [2.0, -1.0], False), (60, 50), ANYWHERE)
    assert np.allclose(y, silu(2 * x.astype(float) - 1), rtol=1e-4, atol=1e-5)
