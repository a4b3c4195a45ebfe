"""Exceptions of the student's as exceptions of this side: classes that `except` and `pytest.raises`
know, and the one to raise for what the other side says of an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autogradient.wire import allowed
from autogradient.wire.frames import BadFrame

#: Classes of exceptions that a conversation may make.
MAX_CLASSES = 1000


class RemoteError(Exception):
    """An exception of the submission's of a class that only exists there; `name` is its class."""

    name = ""


def _make(kind: type[Exception], text: str) -> Exception:
    """An exception with a text, even of a class that wants more."""
    try:
        return kind(text)
    except Exception:
        error = kind.__new__(kind)
        error.args = (text,)
        return error


class Exceptions:
    """The classes of one conversation, by the other side's numbers."""

    def __init__(self) -> None:
        self.classes: dict[int, type] = {}
        self.numbers: dict[int, int] = {}

    def number(self, value: Any) -> int:
        """The other side's number of a class that was made here; 0 for anything else."""
        return self.numbers.get(id(value), 0) if isinstance(value, type) else 0

    def class_of(self, number: int, name: str, parents: Any) -> type:
        """A class of the student's as a class of this side, so that `except` and `pytest.raises`
        know it.
        """
        if number not in self.classes:
            if type(parents) is not list or len(self.classes) >= MAX_CLASSES:
                raise BadFrame("a class of exceptions that is none")
            base = next(
                filter(
                    None,
                    (allowed.resolve("error", f"builtins.{p}") for p in parents if type(p) is str),
                ),
                Exception,
            )
            inner = next((self.class_of(*_parent(p)) for p in parents if type(p) is list), None)
            made = type(
                name[:200] if name.isidentifier() else "Error",
                (inner or base,),
                {"__module__": "submission"},
            )
            self.classes[number] = made
            self.numbers[id(made)] = number
        return self.classes[number]

    def raised(
        self, description: dict[Any, Any], text: str, violate: Callable[[str], Exception]
    ) -> Exception:
        """The exception that a description stands for, with its text; `violate` makes the
        boundary's own.
        """
        names = description.get("names")
        known = next(
            filter(
                None,
                (
                    allowed.resolve("error", name)
                    for name in (names[:50] if type(names) is list else ())
                ),
            ),
            Exception,
        )
        kind = description.get("class")
        name = str(description.get("type", "Exception"))[:200]
        own: Any = next((made for made in self.classes.values() if made is kind), None)
        if own is not None:
            error: Exception = _make(own, text)
        else:
            error = (
                RemoteError(text)
                if known in (Exception, StopIteration, StopAsyncIteration)
                else _make(known, text)
            )
        if description.get("boundary") is True:
            error = violate(text)
        attributes = description.get("attributes")
        for key, value in (
            attributes.items() if own is not None and type(attributes) is dict else ()
        ):
            if (
                type(key) is str
                and key.isidentifier()
                and not key.startswith("__")
                and not callable(value)
            ):
                setattr(error, key, value)
        error.remote_name = name  # type: ignore[attr-defined]
        return error


def _parent(found: list[Any]) -> tuple[int, str, Any]:
    """Number, name and parents of a class of exceptions, from what the other side says of it."""
    if len(found) != 3 or type(found[0]) is not int or type(found[1]) is not str:
        raise BadFrame("a class of exceptions that is none")
    return found[0], found[1], found[2]
