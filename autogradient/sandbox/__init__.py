"""The untrusted side: warm interpreters that fork, and the confined processes that run a student's
cells.
"""

from autogradient.sandbox.confine import LAYERS, OPTIONAL, Budget, Confinement
from autogradient.sandbox.interpreter import CellRun, Interpreter, Session, Zygote

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
