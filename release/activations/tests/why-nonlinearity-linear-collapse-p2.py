OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "why-nonlinearity-linear-collapse-p2"
points = None


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


def random_layers(generator, sizes):
    """A stack of affine layers with the given widths."""
    return [(generator.normal(size=(m, n)), generator.normal(size=m)) for n, m in zip(sizes, sizes[1:])]


def agrees_with_stack(got, layers):
    """Does the pair (W, b) do the same as the layers one after another?"""
    W, b = (numbers(part) for part in got)
    first, last = layers[0][0].shape[1], layers[-1][0].shape[0]
    if W.shape != (last, first) or b.shape != (last,):
        return False
    h = x = np.random.default_rng(5).normal(size=(first, 20))
    for V, c in layers:
        h = V @ h + c[:, None]
    return bool(np.allclose(W @ x + b[:, None], h, rtol=1e-6, atol=1e-6))


@test_case(name='three layers', points=1, hidden=False, failure_message='Follow one x through the stack: which matrix meets it first, and what happens to a bias after it was added?')
def test_three_layers(collapse):
    layers = random_layers(np.random.default_rng(3), (3, 5, 4, 2))
    assert agrees_with_stack(collapse(layers), layers)
