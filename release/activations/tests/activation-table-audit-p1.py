OK_FORMAT = False

import numpy as np
from otter.test_files import test_case

name = "activation-table-audit-p1"
points = None


def probe(function):
    """Leave a probe as it is: here it runs beside your code anyway."""
    return function


@probe
def accused_of(audit_derivatives, planted, grid, factor):
    """Names that the audit reports for a table in which the rows named in planted have a wrong derivative."""
    rows = [
        ("ramp", lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0, lambda x: (x < 0) * 1.0, [0.0]),
        ("hat", lambda x: np.abs(x), np.sign, lambda x: np.ones_like(x), [0.0]),
        ("box", lambda x: np.clip(x, -1, 1), lambda x: (np.abs(x) < 1) * 1.0, lambda x: np.ones_like(x), [-1.0, 1.0]),
        ("square", lambda x: x * np.abs(x) / 2, np.abs, lambda x: x, [0.0]),
        ("wave", np.cos, lambda x: -np.sin(x), np.sin, []),
        ("bell", lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2)), lambda x: -x * np.exp(-(x**2)), []),
        ("root", lambda x: x / np.sqrt(1 + 3 * x**2), lambda x: (1 + 3 * x**2) ** -1.5, lambda x: (1 + x**2) ** -1.5, []),
        ("stairs", lambda x: (x > 0.5) * 1.0, lambda x: 0 * x, lambda x: 0 * x + 1, [0.5]),
        ("faint", lambda x: 0.02 * np.tanh(x), lambda x: 0.02 / np.cosh(x) ** 2, lambda x: factor * 0.02 / np.cosh(x) ** 2, []),
        ("cube", lambda x: x**3, lambda x: 3 * x**2, lambda x: factor * 3 * x**2, []),
    ]
    table = [{"name": name, "f": f, "df": wrong if name in planted else right, "skip": skip} for name, f, right, wrong, skip in rows]
    return sorted({str(name) for name in audit_derivatives(table, grid)})


@test_case(name='one wrong row', points=0.5, hidden=False, failure_message='ReLU is right away from its kink; a derivative without its minus sign is not.')
def test_one_wrong_row(audit_derivatives):
    assert accused_of(audit_derivatives, ["wave"], np.linspace(-3, 3, 61), 1.0) == ["wave"]
