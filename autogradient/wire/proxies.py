"""What a test sees of a student's objects: functions, generators, classes, and (in `instances`) all
others.

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
from collections.abc import Iterator
from typing import Any, Protocol

from autogradient.wire.questions import claimed, groups, is_scalar, may_be_told, words_of_data

NAMED, FREE, LIMITED, STRANGER = 3, 2, 1, 0
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
#: Methods of a model whose answers are parts of it, and not results.
GIVE_PARTS = ("parameters", "named_parameters", "buffers", "named_buffers")
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

    def ask(
        self, operation: str, *arguments: Any, level: int = STRANGER, reach: bool = False
    ) -> Any:
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
        "_part",
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
        put(self, "_part", "")  # the name by which it was reached from a model or an optimizer
        put(self, "_word", "")  # the word, one that plain data has, too, for which it was asked

    def _ask(self, operation: str, *arguments: Any) -> Any:
        """Ask, if this proxy may be asked at all; what hangs on it is trusted no more than it."""
        if self._level == STRANGER:  # perhaps the test has taken its class only after it
            object.__setattr__(self, "_level", self._student.own_level("object", self._mro))
        if self._level == STRANGER:
            raise self._student.violate(STRANGE.format(type=self._type))
        level = LIMITED if operation in ("attr", "item", "iter", "next", "operator") else STRANGER
        reach = (operation in ("attr", "item", "next") and self._holds()) or (
            operation == "call" and self._part in GIVE_PARTS
        )
        return self._student.ask(operation, self, *arguments, level=level, reach=reach)

    def _holds(self) -> bool:
        """Whether it is a model or an optimizer, or hangs on one: what is reached through it is
        live.
        """
        return self._part != "" or not groups(self._mro).isdisjoint(("model", "optimizer"))

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
        if issubclass(type(found), Proxy) and self._holds():
            object.__setattr__(found, "_part", name)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        self._ask("delattr", name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self._word and not all(map(may_be_told, (*arguments, *named.values()))):
            raise self._student.violate(UNNAMED.format(name=self._word, type=self._type))
        self._has("__call__")
        found = self._ask("call", arguments, tuple(named.items()))
        if type(found) is GeneratorProxy and self._part in GIVE_PARTS:
            object.__setattr__(found, "_part", self._part)
        return found

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
            type(item).__name__ == "Parameter" and self._part != ""
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
        # an instance: see `instances.ObjectProxy`
        if issubclass(type(found), Proxy) and not issubclass(type(found), _DEFINED):
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


_DEFINED = (FunctionProxy, GeneratorProxy, ClassProxy)
for _class in _DEFINED:
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


def class_of(value: Any) -> Any:
    """What `type(value)` is to a test: of an object of the student's, the library's class that it
    is, or the student's own.
    """
    if not issubclass(type(value), Proxy):
        return type(value)
    mro = object.__getattribute__(value, "_mro")
    return claimed(mro[:1]) or value._ask("attr", "__class__")


class Remote:
    """`__doc__`: a proxy's is the student's, a proxy class's its own."""

    def __init__(self, name: str, own: Any) -> None:
        self.name, self.own = name, own

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.own if instance is None else instance._ask("attr", self.name)


for _proxy in (Proxy, FunctionProxy, GeneratorProxy, ClassProxy):
    _proxy.__doc__ = Remote("__doc__", _proxy.__doc__)  # type: ignore[assignment]
