OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "activation-table-audit-p3"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def range_verdicts(check_range, claims, shift, grid):
    """Verdicts on claims (name, lo, hi, closed) about functions that are shifted upwards."""
    functions = {
        "tanh": np.tanh,
        "ramp": lambda x: np.maximum(x, 0),
        "misprint": lambda x: x / (1 + x),
        "softsign": lambda x: x / (1 + np.abs(x)),
        "SQNL": lambda x: np.clip(x, -2, 2) - np.clip(x, -2, 2) * np.abs(np.clip(x, -2, 2)) / 4,
        "sinc": lambda x: np.sinc(x / np.pi),
    }
    return [bool(check_range(lambda x: functions[name](x) + shift, lo + shift, hi + shift, closed, grid)) for name, lo, hi, closed in claims]


@test_case(name='open and closed ends', points=0.5, hidden=False, failure_message='tanh stays strictly between −1 and 1; a closed end would have to be attained.')
def test_open_and_closed_ends(check_range):
    claims = [("tanh", -1, 1, (False, False)), ("tanh", -1, 1, (True, False)), ("SQNL", -1, 1, (True, True)), ("SQNL", -1, 1, (True, False))]
    assert range_verdicts(check_range, claims, 0.0, np.linspace(-6, 6, 12001)) == [True, False, True, False]
