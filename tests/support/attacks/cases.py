"""All cases, table by table."""

from __future__ import annotations

from . import cells, faults, forging, frames, inputs, interpreter, leaks, outputs, smuggling, wire
from .corpus import HONEST, POSSIBLE, RIGHT, STUBS, Case, std, table

control = table("control")
CONTROLS = (
    control("control-right", "a correct submission", answers=RIGHT, least=POSSIBLE, most=POSSIBLE),
    control("control-wrong", "honest but wrong: the base of all other cases", least=HONEST),
    control("control-blank", "the stubs as released", answers=STUBS, most=0),
    control(
        "control-hard-coded",
        "hard-codes what a visible test expects",
        answers=std("return np.array([[-1.22474487], [0.0], [1.22474487]])"),
        least=HONEST,
    ),
)

CASES: tuple[Case, ...] = (
    *CONTROLS,
    *forging.CASES,
    *interpreter.CASES,
    *cells.CASES,
    *leaks.CASES,
    *faults.CASES,
    *inputs.CASES,
    *smuggling.CASES,
    *wire.CASES,
    *frames.CASES,
    *outputs.CASES,
)
