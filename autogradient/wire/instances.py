"""Instances as a test sees them, of the student's classes and of a library's: items, length,
arithmetic.

`KINDS` has every kind of stand-in by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from autogradient.wire.proxies import (
    FREE,
    LIMITED,
    NAMED,
    NO_ITEM,
    NO_OPERATOR,
    ClassProxy,
    FunctionProxy,
    GeneratorProxy,
    Proxy,
    Remote,
)
from autogradient.wire.questions import groups

#: Items of an iterable that are copied.
MAX_COPIED = 100_000


class ObjectProxy(Proxy):
    """Any other object: an instance of a class of the student's, a model, a figure."""

    __slots__ = ()

    def _copy(self) -> list[Any]:
        """The items, copied once: an object that is no more than limited cannot give different ones
        later.
        """
        if self._copied is None:
            iterator = self._ask("iter")
            items: list[Any] = []
            while len(items) <= MAX_COPIED:
                found = self._student.ask("next", iterator, level=LIMITED, reach=self._holds())
                if type(found) is not tuple or not found:
                    break
                items.append(self._given(found[0]))
            else:
                raise self._student.violate(
                    f"an object of type {self._type} has more than {MAX_COPIED} items"
                )
            object.__setattr__(self, "_copied", items)
        copied: list[Any] = self._copied
        return copied

    @property
    def _alive(self) -> bool:
        """Whether it is asked anew each time, for its items and its length; else both come of one
        copy and cannot contradict each other.

        A loader of the notebook's gives other batches in each epoch; but as many as it says.
        """
        return self._level == NAMED or (self._level == FREE and "data" in groups(self._mro))

    def __iter__(self) -> Iterator[Any]:
        self._has("__iter__", "__getitem__")
        if not self._alive:
            yield from self._copy()
            return
        iterator = self._ask("iter")
        count = 0
        while True:
            found = self._student.ask("next", iterator, level=LIMITED, reach=self._holds())
            if type(found) is not tuple or not found:
                break
            count += 1
            yield self._given(found[0])
        self._keep_to(count)

    def _keep_to(self, count: int) -> int:
        """How many items there are; it may not be this many now and that many then."""
        if self._level < NAMED and self._copied not in (None, count):
            raise self._student.violate(
                f"an object of type {self._type} says that it has {self._copied} items, and "
                f"has {count}"
            )
        object.__setattr__(self, "_copied", count)
        return count

    def __next__(self) -> Any:
        self._has("__next__")
        return GeneratorProxy.__next__(self)  # type: ignore[arg-type]

    def __len__(self) -> int:
        self._has("__len__")
        return self._keep_to(int(self._ask("len"))) if self._alive else len(self._copy())

    def __getitem__(self, key: Any) -> Any:
        self._has("__getitem__")
        if self._level != NAMED and groups(self._mro) and type(key) not in (int, str, slice):
            raise self._student.violate(NO_ITEM.format(type=self._type))
        return self._given(self._ask("item", key))

    def __setitem__(self, key: Any, value: Any) -> None:
        self._ask("setitem", key, value)

    def __delitem__(self, key: Any) -> None:
        self._ask("delitem", key)

    def named_modules(
        self, memo: Any = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[Any]:
        """As torch's, so that a student's model can be part of a test's."""
        seen = set() if memo is None else memo
        if self not in seen or not remove_duplicate:
            seen.add(self)
            yield prefix, self
            for name, child in self._ask("attr", "_modules").items():
                yield from child.named_modules(
                    seen, f"{prefix}.{name}" if prefix else name, remove_duplicate
                )

    def __enter__(self) -> Any:
        return self._ask("enter")

    def __exit__(self, kind: Any, value: Any, trace: Any) -> Any:
        # a text of the test's own may tell what it expects
        text = str(value) if hasattr(value, "remote_name") else ""
        swallowed = self._ask("exit", kind.__name__ if kind else None, text) is True
        if swallowed and value is not None:  # what stands below in the block would not be tested
            raise self._student.violate(
                "a context manager of the submission's cannot swallow an error in a test; "
                "do it in a @probe function"
            )
        return swallowed


def _operator(name: str, reverse: bool = False) -> Callable[..., Any]:
    special = f"__{'r' if reverse else ''}{name}__"

    def operate(self: ObjectProxy, *others: Any) -> Any:
        if self._level < NAMED:
            return self._refuse()
        refusal = NO_OPERATOR.format(name=special, type=self._type)
        if not self._student.may_ask(self._mro, special) and not self._student.may_ask(
            self._mro, f"__i{name}__"
        ):
            raise self._student.violate(refusal)
        pair = (*others, self) if reverse else (self, *others)
        begins = name == "add" and type(others[0]) is int and others[0] == 0  # as `sum` does
        shown = not begins and any(
            not issubclass(type(one), Proxy) or object.__getattribute__(one, "_shown")
            for one in pair
        )
        found = self._student.ask("operator", name, *pair, level=LIMITED)
        if shown and not issubclass(type(found), Proxy):
            raise self._student.violate(refusal)
        if shown:
            object.__setattr__(found, "_shown", True)
        return found

    return operate


for _name in (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
):
    setattr(ObjectProxy, f"__{_name}__", _operator(_name))
    setattr(ObjectProxy, f"__r{_name}__", _operator(_name, reverse=True))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(ObjectProxy, f"__{_name}__", _operator(_name))
for _name in ("float", "int", "index", "complex", "round"):
    setattr(ObjectProxy, f"__{_name}__", _operator(_name))

KINDS: dict[str, type[Proxy]] = {
    "function": FunctionProxy,
    "generator": GeneratorProxy,
    "class": ClassProxy,
    "object": ObjectProxy,
}

ObjectProxy.__doc__ = Remote("__doc__", ObjectProxy.__doc__)  # type: ignore[assignment]
