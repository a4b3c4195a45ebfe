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
    return tasks


def _functions(source: str) -> list[str]:
    return [node.name for node in parse(source).body if isinstance(node, ast.FunctionDef)]
