OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "saturated-logistic-units-under-sgd-p5"
points = None


def is_count(got, expected):
    """A single whole number, as Python or NumPy have it."""
    return np.ndim(got) == 0 and not isinstance(got, (str, bytes)) and got == expected


@test_case(name='counting', points=0.5, hidden=False, failure_message='Count whole passes over the data, starting from 1: with target=100 one epoch is enough. With tanh, a dozen or two should do.')
def test_counting(epochs_to):
    assert is_count(epochs_to("tanh", 2, 300, target=100.0), 1) and 5 <= epochs_to("tanh", 2, 300) <= 30


@test_case(name='giving up', points=0.5, hidden=False, failure_message='What comes back when max_epochs is just enough, and when it is one too few?')
def test_giving_up(epochs_to):
    enough = epochs_to("tanh", 5, 300)
    assert enough > 1 and is_count(epochs_to("tanh", 5, enough), enough) and epochs_to("tanh", 5, enough - 1) is None
