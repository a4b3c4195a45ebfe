OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
from torch import nn
import torch

name = "why-nonlinearity-linear-collapse-p5"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


@probe
def merge_report(merge, W1, b1, W2, b2, X):
    """Build two layers, merge them, and say what came out."""
    layers = []
    for W, b in ((W1, b1), (W2, b2)):
        layer = nn.Linear(W.shape[1], W.shape[0], bias=b is not None, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W))
            if b is not None:
                layer.bias.copy_(torch.from_numpy(b))
        layers.append(layer)
    merged = merge(*layers)
    return {
        "is_linear": type(merged) is nn.Linear,
        "sizes": [int(merged.in_features), int(merged.out_features)],
        "outputs": merged(torch.from_numpy(X)).detach().numpy(),
        "first": layers[0].weight.detach().numpy().copy(),
        "second": layers[1].weight.detach().numpy().copy(),
    }


def merged_well(merge, generator, sizes, first_bias, second_bias):
    n, k, m = sizes
    W1, W2, X = generator.normal(size=(k, n)), generator.normal(size=(m, k)), generator.normal(size=(9, n))
    b1 = generator.normal(size=k) if first_bias else None
    b2 = generator.normal(size=m) if second_bias else None
    expected = (X @ W1.T + (b1 if first_bias else 0)) @ W2.T + (b2 if second_bias else 0)
    report = merge_report(merge, W1, b1, W2, b2, X)
    outputs = numbers(report["outputs"])
    assert report["is_linear"] is True and report["sizes"] == [n, m]
    assert np.array_equal(report["first"], W1) and np.array_equal(report["second"], W2)
    return outputs.shape == expected.shape and np.allclose(outputs, expected, rtol=1e-9, atol=1e-9)


@test_case(name='with biases', points=0.5, hidden=False, failure_message='With both biases there: the first one has to pass through the second layer.')
def test_with_biases(merge):
    assert merged_well(merge, np.random.default_rng(8), (4, 6, 3), True, True)


@test_case(name='without biases', points=0.5, hidden=False, failure_message="What is `layer.bias` of a layer made with bias=False? And is the new layer of the old ones' precision?")
def test_without_biases(merge):
    for first_bias, second_bias in ((False, True), (True, False), (False, False)):
        assert merged_well(merge, np.random.default_rng(9), (4, 6, 3), first_bias, second_bias)
