"""Running an author's cell without traces: time limits, random states, figures, and the notebook's
names put back.
"""

from __future__ import annotations

import contextlib
import copy
import random
import signal
import sys
import threading
import types
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np


class TimeUp(BaseException):
    """A case took too long. No `except Exception` of an answer can catch it."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the block after so many seconds of wall time, where the system has timers: a
    wrong answer may never end.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def ring(*_: Any) -> None:
        raise TimeUp

    previous = signal.signal(signal.SIGALRM, ring)
    # rings again in case a bare `except:` swallows it
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Leave the global random states as they are, and close the figures that the block opens."""
    torch, plt = sys.modules.get("torch"), sys.modules.get("matplotlib.pyplot")
    states = random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None
    figures = set(plt.get_fignums()) if plt else set()
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch and states[2] is not None:
            torch.set_rng_state(states[2])
        if plt := sys.modules.get("matplotlib.pyplot"):
            for number in set(plt.get_fignums()) - figures:
                plt.close(number)


def _is_data(value: Any) -> bool:
    """Whether an answer could change a value in place: containers, arrays, tensors, models."""
    if isinstance(value, (type, types.ModuleType, types.FunctionType)):
        return False
    torch = sys.modules.get("torch")
    if torch and isinstance(value, torch.nn.Module):
        return True
    return isinstance(value, (list, dict, set, bytearray)) or type(value).__module__.split(".")[
        0
    ] in ("numpy", "torch")


@contextlib.contextmanager
def borrowed(names: dict[str, Any], untouched: Mapping[str, Any]) -> Iterator[None]:
    """Let the block do with the notebook's names what it likes: afterwards they are as they were,
    and so is the data behind them.
    """
    saved = dict(names)
    memo: dict[int, Any] = {}
    for name, value in saved.items():
        if not name.startswith("_") and name not in untouched and _is_data(value):
            with contextlib.suppress(Exception):  # what cannot be copied is lent as it is
                names[name] = copy.deepcopy(value, memo)
    try:
        yield
    finally:
        for name in names.keys() - saved.keys():
            del names[name]
        names.update(saved)
