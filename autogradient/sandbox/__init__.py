"""The untrusted side: warm interpreters that fork, and the confined processes that run a student's
cells.
"""

from autogradient.sandbox.confine import Budget, Confinement
from autogradient.sandbox.interpreter import CellRun, Interpreter, Session, Zygote
from autogradient.sandbox.layers import LAYERS, OPTIONAL

__all__ = [
    "LAYERS",
    "OPTIONAL",
    "Budget",
    "CellRun",
    "Confinement",
    "Interpreter",
    "Session",
    "Zygote",
]
