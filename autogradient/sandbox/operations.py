"""Operations that a judge may ask of the student's objects, a method for each."""

from __future__ import annotations

import builtins
import copy
import dataclasses
import inspect
import operator
import sys
import types
from typing import Any

import numpy as np

from autogradient.sandbox import shell
from autogradient.sandbox.seeds import seed_everything

#: Types of functions and methods.
FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    types.ClassMethodDescriptorType,
    np.ufunc,
)


class Operations:
    """All that can be asked, by `do_` and a name. `namespace` is where the student's names are."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.namespace = namespace
        self.probes: dict[str, dict[str, Any]] = {}
        self.known_by: dict[str, Any] = {}  # what was given out by name, by handle

    def do_get(self, name: str) -> Any:
        if name not in self.namespace:
            return ()
        value = self.namespace[name]
        if isinstance(value, (type, *FUNCTIONS)):
            self.known_by[name] = value
        return (value,)

    def do_call(self, function: Any, positional: tuple[Any, ...], named: tuple[Any, ...]) -> Any:
        return function(*positional, **dict(named))

    def do_attr(self, value: Any, name: str) -> Any:
        return getattr(value, name)

    def do_setattr(self, value: Any, name: str, new: Any) -> None:
        setattr(value, name, new)

    def do_delattr(self, value: Any, name: str) -> None:
        delattr(value, name)

    def do_item(self, value: Any, key: Any) -> Any:
        return value[key]

    def do_setitem(self, value: Any, key: Any, new: Any) -> None:
        value[key] = new

    def do_delitem(self, value: Any, key: Any) -> None:
        del value[key]

    def do_len(self, value: Any) -> int:
        return len(value)

    def do_iter(self, value: Any) -> Any:
        return _Iterator(iter(value))

    def do_next(self, value: Any) -> Any:
        try:
            return (next(value),)
        except StopIteration:
            return ()

    def do_enter(self, value: Any) -> Any:
        return value.__enter__()

    def do_exit(self, value: Any, kind: Any, text: str) -> bool:
        error = getattr(builtins, kind, Exception)(text) if kind else None
        return bool(value.__exit__(type(error) if error else None, error, None))

    def do_isinstance(self, value: Any, kind: Any) -> bool:
        return isinstance(value, kind)

    def do_issubclass(self, value: Any, kind: Any) -> bool:
        return issubclass(value, kind)

    def do_operator(self, name: str, *operands: Any) -> Any:
        special: dict[str, Any] = {
            "and": operator.and_,
            "or": operator.or_,
            "float": float,
            "int": int,
            "complex": complex,
            "round": round,
            "pow": pow,
        }
        return (special.get(name) or getattr(operator, name))(*operands)

    def do_text(self, value: Any, how: str) -> str:
        return shell.whole(str(value) if how == "str" else repr(value))

    def do_dir(self, value: Any) -> list[str]:
        return dir(value)

    def do_copy(self, value: Any) -> Any:
        return copy.copy(value)

    def do_deepcopy(self, value: Any) -> Any:
        return copy.deepcopy(value)

    def do_fields(self, value: Any) -> Any:
        """The class and the fields of a dataclass instance, by copy: for a comparison on the other
        side.
        """
        if not dataclasses.is_dataclass(value) or isinstance(value, type):
            return []
        compare = getattr(type(value).__eq__, "__code__", None)
        # not the one that `dataclass` makes
        if compare is None or compare.co_filename != "<string>":
            return []
        return [
            type(value).__qualname__,
            *([f.name, getattr(value, f.name)] for f in dataclasses.fields(value) if f.compare),
        ]

    def do_source(self, value: Any) -> str:
        return inspect.getsource(value)

    def do_signature(self, value: Any) -> Any:
        empty = inspect.Parameter.empty
        kinds = list(inspect._ParameterKind)

        def plain(item: Any) -> Any:
            return (
                [
                    item
                    if isinstance(item, (int, float, str, bool, type(None), tuple, type))
                    else repr(item)
                ]
                if item is not empty
                else []
            )

        return [
            [p.name, kinds.index(p.kind), plain(p.default), plain(p.annotation)]
            for p in inspect.signature(value).parameters.values()
        ]

    def do_dataclass(self, what: str, value: Any, named: tuple[Any, ...]) -> Any:
        """What the functions of `dataclasses` say of an object."""
        if what == "fields":
            return [field.name for field in dataclasses.fields(value)]
        return getattr(dataclasses, what)(value, **dict(named))

    def do_pyplot(self, name: str, arguments: tuple[Any, ...]) -> Any:
        import matplotlib.pyplot as plt

        return getattr(plt, name)(*arguments)

    def do_probe(
        self, source: str, name: str, positional: tuple[Any, ...], named: tuple[Any, ...]
    ) -> Any:
        """Run a function of the test's here, with what its text needs around it."""
        if source not in self.probes:
            space: dict[str, Any] = {
                "__name__": "probes",
                "__builtins__": builtins,
                "probe": lambda function: function,
            }
            exec(compile(source, "<probe>", "exec", dont_inherit=True), space)
            self.probes[source] = space
        return self.probes[source][name](*positional, **dict(named))

    def do_seed(self, seed: int) -> None:
        seed_everything(seed)

    def do_forget(self) -> None:
        """Between cases: no figure stays open."""
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


class _Iterator:
    """Any iterator, as one that is given out by a handle."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __next__(self) -> Any:
        return next(self.inner)
