"""What a test may ask of libraries, and the student's process has to answer: in a judge's process,
seeds, figures, sources and fields of a student's objects go to the other side.

What would run a pickle or a text of a student's here is refused.
"""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import random
import sys
import textwrap
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from autogradient.model.testcode import definition
from autogradient.wire.proxies import LIMITED, Proxy
from autogradient.wire.student import Student

#: Pyplot's functions that look at figures, and the student's process has them.
FIGURES = ("gcf", "gca", "get_fignums", "get_figlabels", "close", "fignum_exists", "axes")

_student: Student | None = None


def patch() -> None:
    """In this process: seeds set by a test reach the student's side, and its sources and figures
    can be looked at as ever.
    """

    def seeding(library: str, seed: Callable[..., Any]) -> Callable[..., Any]:
        def set_seed(value: Any = None, *rest: Any) -> Any:
            if _student is not None and isinstance(value, (int, np.integer)):
                _student.seeds.append([library, int(value)])
            return seed(value, *rest)

        return set_seed

    np.random.seed = seeding("numpy", np.random.seed)
    random.seed = seeding("random", random.seed)
    torch = sys.modules.get("torch")
    if torch is not None:
        replace(torch, "manual_seed", seeding("torch", torch.manual_seed))
    plot = sys.modules.get("matplotlib.pyplot")
    for name in FIGURES if plot is not None else ():
        setattr(plot, name, _asking(name))
    getsource, getsourcelines = inspect.getsource, inspect.getsourcelines
    replace(
        inspect,
        "getsource",
        lambda thing: _source(thing) if issubclass(type(thing), Proxy) else getsource(thing),
    )
    replace(
        inspect,
        "getsourcelines",
        lambda thing: (
            (_source(thing).splitlines(True), 1)
            if issubclass(type(thing), Proxy)
            else getsourcelines(thing)
        ),
    )
    for name in ("is_dataclass", "fields", "asdict", "astuple", "replace"):
        replace(dataclasses, name, _of_dataclass(name, getattr(dataclasses, name)))
    for module, name in (
        (pickle, "load"),
        (pickle, "loads"),
        (pickle, "Unpickler"),
        (torch, "load"),
    ):
        if module is not None:
            replace(module, name, _refusing(f"{module.__name__}.{name}"))


def attend(student: Student) -> None:
    """From now on it is this student's process that answers."""
    global _student
    _student = student


def refuse(what: str) -> Exception | None:
    """The error for something that would run what a submission has written; None where no case is
    being judged.
    """
    return (
        None
        if _student is None
        else _student.violate(
            f"{what} runs what a text or a pickle says; do it in a @probe function, or have "
            "the submission return plain data"
        )
    )


def replace(module: Any, name: str, function: Callable[..., Any]) -> None:
    """Put a function in the place of a library's."""
    setattr(module, name, function)


def _refusing(name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        assert _student is not None
        raise _student.violate(
            f"'{name}' runs what a pickle says; load it in a @probe function, or have the "
            "submission return plain data"
        )

    return refuse


def _of_dataclass(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def ask(thing: Any, *rest: Any, **named: Any) -> Any:
        if not issubclass(type(thing), Proxy):
            return function(thing, *rest, **named)
        assert _student is not None
        found = _student.ask(
            "dataclass",
            name,
            thing,
            tuple(named.items()),
            level=object.__getattribute__(thing, "_level"),
        )
        return (
            tuple(types.SimpleNamespace(name=field) for field in found)
            if name == "fields"
            else found
        )

    return ask


def _asking(name: str) -> Callable[..., Any]:
    def ask(*arguments: Any) -> Any:
        assert _student is not None
        return _student.ask("pyplot", name, arguments, level=LIMITED)

    ask.__name__ = name
    return ask


def _source(proxy: Any) -> str:
    """The text of a student's function or class: where the notebook last defines that name, if the
    student's process says the same.
    """
    student = object.__getattribute__(proxy, "_student")
    name = student.fetched.get(object.__getattribute__(proxy, "_id")) or object.__getattribute__(
        proxy, "_type"
    )
    found = next(filter(None, (definition(text, name) for text in reversed(student.sources))), "")
    said = student.ask("source", proxy)
    if not found or type(said) is not str or textwrap.dedent(said).split() != found.split():
        raise OSError(f"what {name} is in the end is not what a cell defines under this name")
    return found
