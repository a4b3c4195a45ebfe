"""A judge runs nothing that a submission wrote, whatever library a test hands it to."""

from __future__ import annotations

import subprocess
import sys

import pytest

TRIES = {
    "pickle": "pickle._Unpickler(io.BytesIO(DATA)).load()",
    "pandas": "pd.read_pickle(io.BytesIO(DATA))",
    "a library's own unpickler": "type('U', (pickle._Unpickler,), {})(io.BytesIO(DATA)).load()",
    "sympy": "sympy.sympify('open(1)')",
    "sympy, in passing": "sympy.Symbol('x').subs(sympy.Symbol('x'), 'open(1)')",
    "a query": "pd.DataFrame({'a': [1]}).query('a > 0')",
}
ALLOWED = {
    "sympy with a text of the test": "sympy.sympify('x + 1')",
    "a function made of an expression": "sympy.lambdify(sympy.Symbol('x'), sympy.Symbol('x') + 1)(2)",  # noqa: E501
    "a named tuple": "__import__('collections').namedtuple('P', 'x y')(1, 2)",
    "a dataclass": "__import__('dataclasses').make_dataclass('P', ['x'])(1)",
    "an import": "__import__('colorsys')",
    "a table": "pd.DataFrame({'a': [1, 2]}).groupby('a').sum()",
}
PROGRAM = """
import io, os, pickle, types
import pandas as pd, sympy
from autogradient.grading import guard
class Pwn:
    def __reduce__(self): return os.getcwd, ()
DATA = pickle.dumps(Pwn())
class Refused(Exception): pass
guard.watch(lambda what: Refused(what))
guard.read_texts(lambda text: text == "x + 1", lambda what: Refused(what))
try:
    {what}
    print("done")
except Refused:
    print("refused")
"""


@pytest.mark.promise("P8")
@pytest.mark.parametrize("what", [*TRIES, *ALLOWED])
def test_what_reads_code_out_of_data_is_refused_and_the_rest_goes_on(what: str) -> None:
    program = PROGRAM.format(what={**TRIES, **ALLOWED}[what])
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120
    )
    assert ran.stdout.split() == ["refused" if what in TRIES else "done"], ran.stderr[-2000:]
