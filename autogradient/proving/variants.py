"""The variants of a part that a proof tries: the author's right and wrong answers, mutants of the
reference, and functions with hostile returns.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from fractions import Fraction

from autogradient.model import short_answers
from autogradient.model.assignment import Part, Variant
from autogradient.model.testcode import parse
from autogradient.proving.mutants import Mutant, mutants

#: What a hostile function returns, as Python; `a` are its positional arguments.
HOSTILE = {
    "None": "None",
    "an empty array": "np.zeros((0, 3))",
    "an empty list": "[]",
    "NaN": "float('nan')",
    "an array of NaN": "np.full(np.shape(a[0]) if a else (3,), np.nan)",
    "infinity": "float('inf')",
    "the wrong shape": "np.zeros((7, 11))",
    "a string": "'right'",
    "the input itself": "a[0] if a else None",
    "an empty dict": "{}",
}

#: What else one returns is made of the reference's own answer: each number and each array in it
#: becomes this. An empty array over the right shape equals everything where it is compared item by
#: item, and pandas leaves NaN out of its sums.
SHAPED = {
    "an empty array over the right shape": "right[None][:0]",
    "a Series of NaN": "_series(_np.shape(right))",
    "an object array of NaN": (
        "right * float('nan') if _is_tensor(right) else _np.full(right.shape, _np.nan, object)"
    ),
    "one number for a whole array": (
        "right.reshape(-1)[0] if right.ndim and _math.prod(right.shape) > 1 else None"
    ),
}

#: Stands before such functions. The reference's answer is computed on copies, so that what it does
#: to its arguments earns nothing, and by the reference's own functions alone. Where it has none
#: that a number could be seen in, the function fails; where the reference does, it answers.
_TURN = """\
import copy as _copy
import math as _math
import numpy as _np


def _is_tensor(right):
    return hasattr(right, "detach")


def _series(shape):
    try:
        import pandas
    except ImportError:
        return _np.full(shape, _np.nan)
    if len(shape) == 2:
        return pandas.DataFrame(_np.full(shape, _np.nan))
    return pandas.Series(_np.full(shape[0] if shape else 1, _np.nan))


def _turn(right):
    return {turned}


def _turned(right):
    if isinstance(right, (tuple, set)):
        make = getattr(right, "_make", tuple)
        return make([_turned(item) for item in right])
    if isinstance(right, dict):
        return {{key: _turned(item) for key, item in right.items()}}
    if _is_tensor(right):
        return _turn(right)
    try:
        array = _np.asarray(right)
    except Exception:
        array = _np.asarray(None)
    if array.dtype.kind in "biufc":
        return _turn(array)
    return [_turned(item) for item in right] if isinstance(right, list) else None


def _in_its_place(reference):
    def function(*a, **k):
        if _inside:
            return reference(*a, **k)
        _inside.append(reference)
        try:
            try:
                a, k = _copy.deepcopy((a, k))
            except Exception:
                pass
            right = reference(*a, **k)
        except Exception:
            return None
        finally:
            _inside.clear()
        turned = _turned(right)
        if turned is None:
            raise TypeError("no number to be seen")
        return turned

    return function


_inside = []
"""


@dataclass
class Task:
    """One variant to try: the cell, whether it runs over the reference, and what has to
    come of it.
    """

    group: str
    source: str
    label: str
    over: bool = True
    earns: Fraction | None = None
    mutant: Mutant | None = None


def tasks_of(part: Part) -> list[Task]:
    """Everything that is tried in a part's place, kind by kind."""
    tasks = [Task("right", v.source, f"{part.id}: {v.because}") for v in part.right]
    wrongs: list[Variant] = [
        *part.wrong,
        *(short_answers.kind_of(part).slips(part) if part.is_short else ()),
    ]
    tasks += [Task("wrong", v.source, f"{part.id}: {v.because}", earns=v.earns) for v in wrongs]
    if part.kind == "code":
        declared = {(e.before, e.after) for e in part.equivalents}
        for mutant in mutants(part.solution):
            group = "equivalent" if (mutant.before, mutant.after) in declared else "mutant"
            tasks.append(
                Task(
                    group,
                    mutant.source,
                    f"{part.id}: {mutant.before}  →  {mutant.after}",
                    over=False,
                    mutant=mutant,
                )
            )
        functions = _functions(part.solution)
        for name, value in HOSTILE.items() if functions else ():
            text = "import numpy as np\n" + "\n".join(
                f"def {function}(*a, **k):\n    return {value}" for function in functions
            )
            tasks.append(Task("hostile", text, f"{part.id}: {name} from {', '.join(functions)}"))
        for name, turned in SHAPED.items() if functions else ():
            text = _TURN.format(turned=turned) + "\n".join(
                f"{function} = _in_its_place({function})" for function in functions
            )
            tasks.append(Task("hostile", text, f"{part.id}: {name} from {', '.join(functions)}"))
    return tasks


def _functions(source: str) -> list[str]:
    return [node.name for node in parse(source).body if isinstance(node, ast.FunctionDef)]
