OK_FORMAT = False

from itertools import product
import numpy as np
from otter.test_files import test_case
import torch

name = "perceptron-learning-rule-p2"
points = None


CORNERS = np.array(list(product((0.0, 1.0), repeat=2)))  # rows (0,0), (0,1), (1,0), (1,1)


XOR = np.array([0, 1, 1, 0])


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


def outcome(got, d):
    """(w, b, mistakes) as plain lists and numbers."""
    w, b, mistakes = got
    return numbers(w, (d,)).tolist(), float(numbers(b, ())), numbers(mistakes, (len(mistakes),)).tolist()


@test_case(name='logic gates', points=1, hidden=False, failure_message='AND and OR can be learned: the last epoch has no mistakes. Go through the first epoch by hand and compare.')
def test_logic_gates(train_perceptron):
    assert outcome(train_perceptron([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]), 2) == ([2.0, 1.0], -2.0, [1, 3, 3, 2, 1, 0])
    w, b, mistakes = outcome(train_perceptron(CORNERS, [0, 1, 1, 1]), 2)
    assert mistakes[-1] == 0 and (CORNERS @ w + b > 0).tolist() == [False, True, True, True]


@test_case(name='run on xor', points=0.5, hidden=False, failure_message='How long does a run on XOR last? Compare with max_epochs, its default included.')
def test_run_on_xor(train_perceptron):
    mistakes = outcome(train_perceptron(CORNERS, XOR), 2)[2]
    assert len(mistakes) == 100 and mistakes[:4] == [2, 3, 4, 4] and set(mistakes[4:]) == {4}
    assert len(outcome(train_perceptron(CORNERS, XOR, 0.5, 7), 2)[2]) == 7
