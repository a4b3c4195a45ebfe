"""What a stand-in for a student's object passes for, what it may be asked, and what it may be told.

What the object says of its classes is believed only as far as `allowed.resolve` knows them.
`may_be_asked` says which attributes a student's object may be asked for, `may_be_told` which
arguments go along.
"""

from __future__ import annotations

import collections
import decimal
import fractions
import functools
import sys
import types
from collections.abc import Iterable
from typing import Any

import numpy as np

from autogradient.wire import allowed

#: Classes of which a stand-in says that it is one, without passing for it: what it may be asked is
#: listed below, under the group.
_SAID = {
    "builtins.code": "code",
    "contextlib._GeneratorContextManager": "context",
    "contextlib.ContextDecorator": "context",
    "contextlib.nullcontext": "context",
    "contextlib.ExitStack": "context",
    "torch.utils.hooks.RemovableHandle": "hook",
    "torch.distributions.distribution.Distribution": "distribution",
}


def claimed(mro: Iterable[str]) -> type | None:
    """The class that a stand-in may pass for: pure-Python classes only. Compiled code believes
    `__class__`, and would crash on a false tensor.
    """
    for path in mro:
        if path in ("builtins.function", "builtins.method"):
            return types.FunctionType
        if path == "builtins.generator":
            return types.GeneratorType
        found = allowed.resolve("claim", path)
        if found is not None and not issubclass(found, _compiled()):
            kind: type = found
            return kind
    return None


def _compiled() -> tuple[type, ...]:
    torch = sys.modules.get("torch")
    return (
        np.ndarray,
        int,
        float,
        str,
        bytes,
        list,
        tuple,
        dict,
        set,
        *((torch.Tensor,) if torch else ()),
    )


def groups(mro: Iterable[str]) -> set[str]:
    """To which groups of a library an object says it belongs: model, optimizer, schedule, data,
    figure, distribution, code, context, hook.
    """
    found = set()
    for path in mro:
        if path in _SAID:
            found.add(_SAID[path])
        elif allowed.resolve("claim", path) is not None:
            found.add(next(group for start, group in _GROUPS if path.startswith(start)))
    return found


_GROUPS = (
    ("torch.nn.", "model"),
    ("torch.optim.lr_scheduler", "schedule"),
    ("torch.optim.", "optimizer"),
    ("torch.utils.data.", "data"),
    ("matplotlib.", "figure"),
)
#: What plain data has, too, and an object of a group may be asked for all the same: it shows
#: nothing of the test's but a model's input, a mode, a place.
_OWN_WORDS: dict[str, frozenset[str]] = {
    group: frozenset(words.split())
    for group, words in {
        "model": (
            "apply bfloat16 cpu cuda dim double eval float half items keys mode "
            "requires_grad_ size stride to type values"
        ),
        "optimizer": "step",
        "schedule": "step",
        "data": "data indices values",
        "figure": (
            "angle axes boxplot clear copy get hist items keys name norm plot remove "
            "scatter size title update values"
        ),
        "distribution": "loc sample",
        "code": "",
        "context": "",
        "hook": "remove",
    }.items()
}


@functools.cache
def _words_of_data(loaded: tuple[bool, ...]) -> frozenset[str]:
    """Every public attribute of a type that crosses as plain data: whoever asks for one means such
    data, which a student's object must not answer for.
    """
    kinds: list[Any] = [
        np.ndarray,
        np.float64,
        np.int64,
        list,
        tuple,
        dict,
        set,
        frozenset,
        str,
        bytes,
        int,
        float,
        complex,
    ]
    kinds += [
        fractions.Fraction,
        decimal.Decimal,
        collections.deque,
        collections.Counter,
        collections.OrderedDict,
        collections.defaultdict,
    ]
    torch, pandas = sys.modules.get("torch"), sys.modules.get("pandas")
    if torch is not None:
        kinds += [torch.Tensor, torch.nn.Parameter, torch.Size]
    if pandas is not None:
        kinds += [pandas.DataFrame, pandas.Series, pandas.Index]
    named = {"_asdict", "_replace", "_make", "_fields", "_field_defaults"}
    return (
        frozenset(name for kind in kinds for name in dir(kind) if not name.startswith("_")) | named
    )


def words_of_data() -> frozenset[str]:
    """See `_words_of_data`."""
    return _words_of_data(allowed.loaded_libraries())


def may_be_asked(name: str, mro: Iterable[str], members: Iterable[str]) -> bool:
    """Whether a student's object, which says that it has the classes `mro`, may be asked for an
    attribute.

    `members` are the words of its class in the instructor's own answer. What no plain data has can
    only be meant for such an object.
    """
    return (
        name not in words_of_data()
        or name in members
        or any(name in _OWN_WORDS[group] for group in groups(mro))
    )


def is_scalar(value: Any) -> bool:
    """Whether a value is one number or text, whatever it is wrapped in."""
    if isinstance(
        value,
        (bool, int, float, complex, str, bytes, fractions.Fraction, decimal.Decimal, np.generic),
    ):
        return True
    return hasattr(value, "ndim") and value.ndim == 0


def may_be_told(value: Any) -> bool:
    """Whether a word that plain data has, too, may be said with this argument: a mode, a type, a
    place, a function; no data that could be what is expected.
    """
    torch = sys.modules.get("torch")
    if isinstance(value, tuple):  # a shape
        return all(type(item) is int for item in value)
    plain = (
        bool,
        int,
        str,
        type(None),
        np.dtype,
        type,
        *((torch.dtype, torch.device) if torch is not None else ()),
    )
    return isinstance(value, plain) or (
        callable(value)
        and not isinstance(value, (np.ndarray, *((torch.Tensor,) if torch is not None else ())))
    )
