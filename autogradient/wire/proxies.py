"""What a test sees of a student's objects.

Plain values are copies. Everything else is a `Proxy`, an object in the student's process that is
asked, and believed, as little as possible:

    named     of a class that the test takes from the student: calls, attributes, items, length,
              iteration, arithmetic
    free      anything else fetched by name: the same without arithmetic
    limited   a model, a figure, an optimizer, … or what hangs on a free object: calls and
              attributes; iterated once, as a copy
    stranger  anything else that a call returned: using it at all fails the case

What may be asked at all is listed in `questions`. Never a comparison, truth or `in`: a check judges
plain data that the grader holds. Nor arithmetic that ends in a plain value, once a value of the
test's own has gone into it: `abs(f(x) - expected)` would be the student's word on what it was just
told. (An attribute of what came of it is its own: whoever writes `(a + 3).data` means an object
with such an attribute.)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from autogradient.wire.questions import claimed, groups, is_scalar, may_be_told, words_of_data

NAMED, FREE, LIMITED, STRANGER = 3, 2, 1, 0
#: Items of an iterable that are copied.
MAX_COPIED = 100_000
_DUNDERS = (
    "__name__",
    "__qualname__",
    "__doc__",
    "__module__",
    "__annotations__",
    "__defaults__",
    "__kwdefaults__",
    "__code__",
    "__closure__",
    "__dict__",
    "__mro__",
)
STRANGE = (
    "the answer is an object of type {type}; return plain data: a number, text, a list, "
    "tuple or dict, an array or a tensor"
)
UNNAMED = (
    "'{name}' of an object of type {type} would be the submission's own word; return plain "
    "data, name the class in the test, or look at it in a @probe function"
)
NO_OPERATOR = (
    "'{name}' with an object of type {type} would be the submission's own word; compute "
    "with plain data, look at its attributes, or do it in a @probe function"
)
NO_ITEM = (
    "an item of an object of type {type} that is a number would be the submission's own "
    "word; return plain data, or look at it in a @probe function"
)
NO_COMPARING = (
    "an object of type {type} cannot be compared, tested for truth or searched: its own "
    "word is no proof; compare plain data, or do it in a @probe function"
)
NOT_SEEN = (
    "'{name}' of an object of type {type} cannot be seen from a test; look at it, or change "
    "it, in a @probe function"
)


class BoundaryError(TypeError):
    """A test asked something of a student's object that only the object itself could vouch for, or
    passed what cannot be passed.
    """


class Conversation(Protocol):
    """Whom a proxy asks: see `student.Student`."""

    def ask(self, operation: str, *arguments: Any, level: int = STRANGER) -> Any:
        """Have the other side do something."""

    def violate(self, message: str) -> BoundaryError:
        """The error for something that must not be asked."""

    def own_level(self, kind: str, mro: list[str]) -> int:
        """How far an object of these classes may be asked."""

    def may_ask(self, mro: list[str], name: str) -> bool:
        """Whether an object of these classes may be asked for an attribute or an operator."""


class Proxy:
    """An object in the student's process."""

    __slots__ = (
        "_student",
        "_id",
        "_type",
        "_mro",
        "_level",
        "_copied",
        "_equals",
        "_made",
        "_shown",
        "_word",
    )

    def __init__(self, student: Conversation, number: int, name: str, mro: list[str]) -> None:
        put = object.__setattr__
        put(self, "_student", student)
        put(self, "_id", number)
        put(self, "_type", name)
        put(self, "_mro", mro)
        put(self, "_level", STRANGER)
        put(self, "_copied", None)
        put(self, "_equals", None)  # the library's function or class that it is
        put(self, "_made", False)  # the test itself has called the class that it is of
        put(self, "_shown", False)  # it came of an operator with a value of the test's
        put(self, "_word", "")  # the word, one that plain data has, too, for which it was asked

    def _ask(self, operation: str, *arguments: Any) -> Any:
        """Ask, if this proxy may be asked at all; what hangs on it is trusted no more than it."""
        if self._level == STRANGER:  # perhaps the test has taken its class only after it
            object.__setattr__(self, "_level", self._student.own_level("object", self._mro))
        if self._level == STRANGER:
            raise self._student.violate(STRANGE.format(type=self._type))
        level = LIMITED if operation in ("attr", "item", "iter", "next", "operator") else STRANGER
        return self._student.ask(operation, self, *arguments, level=level)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return claimed(self._mro) or type(self)

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__":
            return self._signature()
        if name in ("__globals__", "__builtins__", "__subclasses__", "__dataclass_fields__"):
            raise self._student.violate(NOT_SEEN.format(name=name, type=self._type))
        if name.startswith("__") and name.endswith("__") and name not in _DUNDERS:
            raise AttributeError(name)
        if isinstance(self, GeneratorProxy) and not self._student.may_ask(self._mro, name):
            raise AttributeError(name)  # `dict(…)` asks any generator for its keys
        if (
            self._level != STRANGER
            and not self._student.may_ask(self._mro, name)
            and name not in _DUNDERS
        ):
            raise self._student.violate(UNNAMED.format(name=name, type=self._type))
        found = self._ask("attr", name)
        if self._level < NAMED and issubclass(type(found), Proxy) and name in words_of_data():
            object.__setattr__(found, "_word", name)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        self._ask("delattr", name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self._word and not all(map(may_be_told, (*arguments, *named.values()))):
            raise self._student.violate(UNNAMED.format(name=self._word, type=self._type))
        self._has("__call__")
        return self._ask("call", arguments, tuple(named.items()))

    def _has(self, *special: str) -> None:
        """Refuse what the instructor's class of that name does not have: a list that turned into
        such an object would answer for itself.
        """
        if (
            self._level == NAMED
            and not groups(self._mro)
            and not any(self._student.may_ask(self._mro, name) for name in special)
        ):
            raise self._student.violate(NO_OPERATOR.format(name=special[0], type=self._type))

    def _given(self, item: Any) -> Any:
        """An item of this object: of a library's a part, and never a number, which would be its own
        word.
        """
        if self._level == NAMED or issubclass(type(item), Proxy):
            return item
        part = (
            type(item).__name__ == "Parameter"
            if "model" in groups(self._mro)
            else not is_scalar(item)
        )
        if groups(self._mro) and not part:
            raise self._student.violate(NO_ITEM.format(type=self._type))
        return item

    def _signature(self) -> inspect.Signature:
        if self._level == STRANGER:
            raise AttributeError("__signature__")
        found = self._student.ask("signature", self)
        if type(found) is not list:
            raise AttributeError("__signature__")
        empty = inspect.Parameter.empty
        kinds = list(inspect._ParameterKind)
        parameters = [
            inspect.Parameter(
                name,
                kinds[kind],
                default=default[0] if default else empty,
                annotation=note[0] if note else empty,
            )
            for name, kind, default, note in found
        ]
        return inspect.Signature(parameters)

    def __copy__(self) -> Any:
        return self._student.ask("copy", self, level=self._level)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._student.ask("deepcopy", self, level=self._level)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise self._student.violate(
            f"an object of the submission's (type {self._type}) cannot be pickled in a "
            "test; do it in a @probe function"
        )

    def _refuse(self, *_: Any) -> Any:
        raise self._student.violate(
            (STRANGE if self._level == STRANGER else NO_COMPARING).format(type=self._type)
        )

    def __eq__(self, other: object) -> Any:
        if self is other or other is None:
            return self is other
        if self._equals is not None and not isinstance(other, Proxy):
            return self._equals is other
        if (
            not isinstance(other, Proxy)
            and self._level >= FREE
            and isinstance(self, (FunctionProxy, ClassProxy))
        ):
            return False
        # else one could have learnt of the other
        if isinstance(other, Proxy) and self._made and object.__getattribute__(other, "_made"):
            mine, its = self._student.ask("fields", self), self._student.ask("fields", other)
            if type(mine) is list and type(its) is list and mine and mine[0] and mine[0] == its[0]:
                return bool(mine == its)
        return self._refuse()

    def __ne__(self, other: object) -> Any:
        return not self.__eq__(other)

    def __hash__(self) -> int:
        return id(self)

    def __dir__(self) -> list[str]:
        return [name for name in self._student.ask("dir", self) if isinstance(name, str)]

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __contains__ = __array__ = __array_function__ = (
        __array_ufunc__
    ) = _refuse

    def __repr__(self) -> str:
        if self._level >= FREE:
            text = self._student.ask("text", self, "repr")
            if isinstance(text, str):
                return text
        return f"<{self._type} of the submission>"

    def __str__(self) -> str:
        if self._level >= FREE:
            text = self._student.ask("text", self, "str")
            if isinstance(text, str):
                return text
        return repr(self)

    def __format__(self, how: str) -> str:
        return format(str(self), how)


class FunctionProxy(Proxy):
    """A function or method of the student's."""

    __slots__ = ()


class GeneratorProxy(Proxy):
    """A generator or iterator of the student's."""

    __slots__ = ()

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        found = self._ask("next")
        if type(found) is not tuple or not found:
            raise StopIteration
        return found[0]


class ClassProxy(Proxy):
    """A class of the student's."""

    __slots__ = ()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        # a function may have been made a class: only classes that the test names are free
        found = self._student.ask("call", self, arguments, tuple(named.items()))
        if issubclass(type(found), ObjectProxy):
            object.__setattr__(found, "_made", True)
        return found

    def __instancecheck__(self, instance: Any) -> bool:
        return (
            isinstance(instance, Proxy) and self._student.ask("isinstance", instance, self) is True
        )

    def __subclasscheck__(self, subclass: Any) -> bool:
        return (
            isinstance(subclass, Proxy) and self._student.ask("issubclass", subclass, self) is True
        )

    def __mro_entries__(self, bases: Any) -> Any:
        raise self._student.violate(
            f"a class of the submission's ({self._type}) cannot have subclasses in a test; "
            "define them in a @probe function"
        )

    def __iter__(self) -> Iterator[Any]:
        yield from self._student.ask(
            "call",
            self._student.ask("attr", self, "__iter__", level=LIMITED),
            (),
            (),
            level=LIMITED,
        )

    def __getitem__(self, key: Any) -> Any:
        return self._ask("item", key)

    @property
    def __bases__(self) -> tuple[type, ...]:
        return (claimed(self._mro[1:] or self._mro) or object,)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type


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
                found = self._student.ask("next", iterator, level=LIMITED)
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
            found = self._student.ask("next", iterator, level=LIMITED)
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
for _class in (FunctionProxy, GeneratorProxy, ClassProxy):
    for _name in (
        "add",
        "radd",
        "sub",
        "rsub",
        "mul",
        "rmul",
        "truediv",
        "rtruediv",
        "neg",
        "abs",
        "float",
        "int",
        "index",
    ):
        setattr(_class, f"__{_name}__", Proxy._refuse)

KINDS: dict[str, type[Proxy]] = {
    "function": FunctionProxy,
    "generator": GeneratorProxy,
    "class": ClassProxy,
    "object": ObjectProxy,
}


def class_of(value: Any) -> Any:
    """What `type(value)` is to a test: of an object of the student's, the library's class that it
    is, or the student's own.
    """
    if not issubclass(type(value), Proxy):
        return type(value)
    mro = object.__getattribute__(value, "_mro")
    return claimed(mro[:1]) or value._ask("attr", "__class__")


class _Remote:
    """`__doc__`: a proxy's is the student's, a proxy class's its own."""

    def __init__(self, name: str, own: Any) -> None:
        self.name, self.own = name, own

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.own if instance is None else instance._ask("attr", self.name)


for _proxy in (Proxy, FunctionProxy, GeneratorProxy, ClassProxy, ObjectProxy):
    _proxy.__doc__ = _Remote("__doc__", _proxy.__doc__)  # type: ignore[assignment]
