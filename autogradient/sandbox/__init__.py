"""The untrusted side: warm interpreters that fork, and the processes that run a student's cells."""

from autogradient.sandbox.interpreter import CellRun, Interpreter, Session, Zygote

__all__ = ["CellRun", "Interpreter", "Session", "Zygote"]
