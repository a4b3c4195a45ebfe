"""A part's cases in one process with the answers, as in a plain notebook: what the sealed verdicts
of known answers are compared with.

Only ever run on the instructor's own answers, in a process of student code's: nothing here keeps an
answer from its tests.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import io
import sys
from typing import Any

import numpy as np

from autogradient.sandbox.seeds import seed_everything


def outcomes(job: dict[str, Any], names: dict[str, Any]) -> dict[str, bool]:
    """Case → whether it passes. `job` is as `judge.job_of` makes it, `names` are the notebook's."""
    namespace: dict[str, Any] = {
        "__name__": "tests",
        "__builtins__": builtins,
        "test_case": lambda *a, **k: (
            a[0] if len(a) == 1 and callable(a[0]) and not k else (lambda function: function)
        ),
        "probe": lambda function: function,
        "display": lambda *a, **k: None,
    }
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        for text in [*job["setup"], *job["given"], job["tests"]]:
            exec(compile(text, "<tests>", "exec", dont_inherit=True), namespace)
        return {name: _passes(job, namespace, names, name, seed) for name, seed in job["cases"]}


def _passes(
    job: dict[str, Any], namespace: dict[str, Any], names: dict[str, Any], name: str, seed: int
) -> bool:
    try:
        for text in job["given"]:
            exec(compile(text, "<given>", "exec", dont_inherit=True), namespace)
        namespace["secret"] = np.random.default_rng(seed)
        seed_everything(seed)
        taken = names | {given: namespace[given] for given in job["given_names"]}
        function = namespace[name]
        function(
            **{
                p: taken[p] if p in taken else namespace[p]
                for p in inspect.signature(function).parameters
            }
        )
    except BaseException:
        return False
    finally:
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")
    return True
