OK_FORMAT = False

import numpy as np
from otter.test_files import test_case
import torch

name = "manhattan-distance-on-gpu-p3"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def distances(manhattan_matrix, A, B, limit, device):
    """The result's device, shape and numbers, and the entries of the largest tensor that was made for it, the result's own size left out."""
    from torch.utils._python_dispatch import TorchDispatchMode

    made = [0]

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, op, types, args=(), kwargs=None):
            out = op(*args, **(kwargs or {}))
            for t in torch.utils._pytree.tree_leaves(out):
                if isinstance(t, torch.Tensor) and t.untyped_storage().nbytes() >= t.numel() * t.element_size() and t.numel() != len(A) * len(B):
                    made.append(t.numel())
            return out

    A, B = A.to(device), B.to(device)
    with Watch():
        D = manhattan_matrix(A, B, limit)
    return str(D.device), list(D.shape), None if device == "meta" else D.detach().clone(), max(made)


def right_within(manhattan_matrix, A, B, limit):
    """Are the distances right, and was no tensor larger than it may be?"""
    device, shape, D, largest = distances(manhattan_matrix, A, B, limit, "cpu")
    expected = np.abs(A.double().numpy()[:, None] - B.double().numpy()).sum(-1)
    assert device == "cpu" and shape == list(expected.shape) and isinstance(D, torch.Tensor) and D.dtype == A.dtype
    assert np.isfinite(D.numpy()).all() and np.allclose(D.numpy(), expected, rtol=1e-4, atol=1e-4)
    assert largest <= max(limit, B.numel(), A.numel())
    there, shape, _, _ = distances(manhattan_matrix, A, B, limit, "meta")
    assert there == "meta" and shape == list(expected.shape)


@test_case(name='all pairs', points=1, hidden=False, failure_message='First the numbers: is every row of A against every row of B there, the last rows of A included?')
def test_all_pairs(manhattan_matrix):
    A, B = (torch.tensor(np.random.default_rng(k).normal(size=(n, 6))) for k, n in ((1, 23), (2, 11)))
    right_within(manhattan_matrix, A, B, limit=400)
