OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "activation-table-audit-p2"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def orders_of_known(continuity_order, names):
    def sqnl(x):
        c = np.clip(x, -2, 2)
        return c - c * np.abs(c) / 4

    def bump(x):
        r = np.minimum(np.abs(x), 2)
        return np.where(r <= 1, 1 - r**2 / 2, (2 - r) ** 2 / 2)

    known = {
        "step": (lambda x: np.where(x > 0, 1.0, 0.0), 0.0),
        "ReLU": (lambda x: np.maximum(x, 0), 0.0),
        "hat": (lambda x: np.abs(x), 0.0),
        "softsign": (lambda x: x / (1 + np.abs(x)), 0.0),
        "SQNL": (sqnl, 0.0),
        "SQNL end": (sqnl, 2.0),
        "bump": (bump, 1.0),
        "SELU": (lambda x: 1.0507 * np.where(x > 0, x, 1.6733 * (np.exp(x) - 1)), 0.0),
        "ISRLU": (lambda x: np.where(x < 0, x / np.sqrt(1 + x**2), x), 0.0),
        "sine": (np.sin, 0.7),
    }
    return [int(continuity_order(*known[name])) for name in names]


@test_case(name='functions you know', points=0.5, hidden=False, failure_message='Begin with functions you know: a step, ReLU, softsign and a sine.')
def test_functions_you_know(continuity_order):
    assert orders_of_known(continuity_order, ["step", "ReLU", "softsign", "sine"]) == [-1, 0, 1, 2]
