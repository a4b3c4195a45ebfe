"""The trusted end: what a test sees of a student's objects.

Plain values are copies. Everything else is a `Proxy`, an object in the student's process that is asked, and believed, as little as possible:

    named     of a class that the test takes from the student: calls, attributes, items, length, iteration, arithmetic
    free      anything else fetched by name: the same without arithmetic
    limited   a model, a figure, an optimizer, … or what hangs on a free object: calls and attributes; iterated once, as a copy
    stranger  anything else that a call returned: using it at all fails the case

Never a comparison, truth or `in`: a check judges plain data that the grader holds.
"""

from __future__ import annotations

import builtins
import inspect
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autogradient.wire import library
from autogradient.wire.channel import Channel
from autogradient.wire.codec import JUDGING, BadFrame, NotPlain
from autogradient.wire.peer import MAX_KEPT, Peer

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
_LIBRARY_CLASSES = ("torch.nn.", "torch.optim.", "torch.utils.", "torch.distributions.", "torch.random", "matplotlib.", "builtins.code", "contextlib.")
_WARNINGS = {w.__name__: w for w in vars(builtins).values() if isinstance(w, type) and issubclass(w, Warning)}
_ERRORS = {e.__name__: e for e in vars(builtins).values() if isinstance(e, type) and issubclass(e, Exception)}

STRANGE = "the answer is an object of type {type}; return plain data: a number, text, a list, tuple or dict, an array or a tensor"
UNNAMED = (
    "'{name}' of an object of type {type} would be the submission's own word; return plain data, name the class in the test, or look at it in a @probe function"
)
NO_COMPARING = (
    "an object of type {type} cannot be compared, tested for truth or searched: its own word is no proof; compare plain data, or do it in a @probe function"
)
NOT_SEEN = "'{name}' of an object of type {type} cannot be seen from a test; look at it, or change it, in a @probe function"
NOT_SENT = "{what} cannot be passed to the submission; make it there, in a @probe function that returns it"


class BoundaryError(TypeError):
    """A test asked something of a student's object that only the object itself could vouch for, or passed what cannot be passed."""


class RemoteError(Exception):
    """An exception of the submission's of a class that only exists there; `name` is its class."""

    name = ""


class Student(Peer):
    """The conversation with the student's process. `named` are the names that the test takes from the student; with `copy_back` changed arguments come back."""

    sign = 1

    def __init__(self, channel: Channel, *, named: frozenset[str] = frozenset(), copy_back: bool = False) -> None:
        super().__init__(channel)
        self.named, self.copy_back = named, copy_back
        self.proxies: dict[int, Proxy] = {}
        self.exceptions: dict[int, type] = {}
        self.callbacks: dict[int, Any] = {}
        self.callback_numbers: dict[int, int] = {}
        self.given: dict[int, int] = {}
        self.kept: list[Any] = []
        self.seeds: list[list[Any]] = []
        self.lasting: list[int] = []  # shared objects whose changes come back in any case
        self.secret: Any = None
        self.level = STRANGER
        self.violation = ""
        self.fetched: dict[int, str] = {}
        self.classes: set[str] = set()  # the student's classes that the test has taken
        self.sources: list[str] = []  # the notebook's cells, for `inspect.getsource`
        self.remote_traceback: list[str] = []

    # ---- asking ------------------------------------------------------------------------------------------------------

    def ask(self, operation: str, *arguments: Any, level: int = STRANGER) -> Any:
        """Have the other side do something; handles in the answer get `level`, or a better one of their own."""
        before, self.level = self.level, level
        try:
            return self.request(operation, *arguments)
        finally:
            self.level = before

    def get(self, name: str) -> Any:
        """The student's object of that name. Raises KeyError."""
        found = self.ask("get", name, level=FREE)
        if type(found) is not tuple or not found:
            raise KeyError(name)
        if isinstance(found[0], Proxy):
            self.fetched.setdefault(object.__getattribute__(found[0], "_id"), name)
            if type(found[0]) is ClassProxy:
                self.classes |= {name, object.__getattribute__(found[0], "_type")}
        return found[0]

    def violate(self, message: str) -> BoundaryError:
        """The error for something that must not be asked; the case fails even if the test catches it."""
        self.violation = self.violation or message
        return BoundaryError(message)

    # ---- what goes along ---------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Ambient state of the test: gradients on or off, default dtype, NumPy's errors, seeds set by the test."""
        torch = sys.modules.get("torch")
        seeds, self.seeds = self.seeds, []
        out: dict[str, Any] = {"errors": dict(np.geterr()), "back": self.copy_back}
        if self.lasting:
            out["lasting"], self.lasting = self.lasting, []
        if torch is not None:
            out["grad"] = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
            out["dtype"] = str(torch.get_default_dtype()).removeprefix("torch.")
        if seeds:
            out["seeds"] = seeds
        return out

    def use_state(self, state: dict[str, Any]) -> None:
        """Print what the student's code printed, warn what it warned, and take over whether the test's models are training."""
        for number, flags in state.get("training", ()):
            model = next((kept for kept in self.kept if self.given.get(id(kept)) == number), None)
            for module, flag in zip(_modules(model), flags, strict=False):
                module.training = flag is True
        for name, text in state.get("out", ())[:1000]:
            if isinstance(text, str):
                (sys.stderr if name == "stderr" else sys.stdout).write(text)
        for category, text in state.get("warnings", ())[:1000]:
            kind = _WARNINGS.get(str(category)) or (np.exceptions.ComplexWarning if category == "ComplexWarning" else UserWarning)
            warnings.warn(str(text), kind, stacklevel=6)

    # ---- shared objects ----------------------------------------------------------------------------------------------

    def shares(self, value: Any) -> bool:
        """Arguments are shared, so that changes come back, only where the test asks for it."""
        return self.copy_back and not self.answering

    def may_change(self, number: int, value: Any) -> bool:
        """The test's own objects change only where the test asks for it, or where they are a model's or an optimizer's."""
        return number * self.sign < 0 or self.copy_back or number in self.standing

    # ---- values ------------------------------------------------------------------------------------------------------

    def lower(self, value: Any) -> Any:
        """What stands for an object that a test passes to student code."""
        kind = type(value)
        if issubclass(kind, Proxy):
            return ("handle", object.__getattribute__(value, "_id"))
        if isinstance(value, type) and id(value) in self.callback_numbers and self.callback_numbers[id(value)] < 0:
            return ("handle", -self.callback_numbers[id(value)])
        if value is self.secret and value is not None:
            return ("generator", self._callback(value))
        found = library.reference(value)
        if found is not None:
            return ("reference", *found)
        number = self.given.get(id(value))
        described = library.describe(value, self) if number is None or not isinstance(value, np.random.Generator) else ()
        if described is not None:
            if number is None:
                self.count += 1
                number = self.given[id(value)] = self.count
                self.kept.append(value)
            self._stand(value)
            return ("given", number, described, tuple(module.training for module in _modules(value)))
        if isinstance(value, (np.random.Generator, np.random.RandomState)) or kind.__name__ == "Random":
            return ("generator", self._callback(value))
        if isinstance(value, BaseException):
            return ("error", kind.__name__, str(value))
        if callable(value):
            return ("callback", self._callback(value), getattr(value, "__name__", "function"))
        if hasattr(kind, "__next__"):
            return ("iterator", self._callback(value))
        raise NotPlain(NOT_SENT.format(what=f"an object of type {kind.__name__}"))

    def _stand(self, value: Any) -> None:
        """A model's and an optimizer's tensors are shared for good."""
        torch = sys.modules.get("torch")
        tensors: list[Any] = []
        if torch is not None and isinstance(value, torch.nn.Module):
            tensors = [*value.parameters(), *value.buffers()]
        elif torch is not None and isinstance(value, torch.optim.Optimizer):
            tensors = [p for group in value.param_groups for p in group["params"]]
        for tensor in tensors:
            if id(tensor) not in self.numbers:
                self.count += 1
                self._keep(self.count, tensor, True)
            self.lasting.append(self.numbers[id(tensor)])
            self.standing.add(self.numbers[id(tensor)])
            self.objects[self.numbers[id(tensor)]] = tensor
            self.touched[self.numbers[id(tensor)]] = None

    def _callback(self, value: Any) -> int:
        number = self.callback_numbers.get(id(value))
        if number is None:
            self.count += 1
            number = self.callback_numbers[id(value)] = self.count
            self.callbacks[number] = value
        return number

    def lift(self, data: Any) -> Any:
        """What the other side's description of an object becomes here."""
        what, *rest = data
        if what == "callback":
            return self.callbacks[rest[0]]
        if what == "plain" and type(rest[0]) is list:
            return rest[0]
        if what == "reference" and library.returned(*rest) is not None:
            return library.returned(*rest)
        if what != "handle" or len(self.proxies) > MAX_KEPT:
            raise BadFrame("a handle that is none")
        number, kind, name, mro, extra = rest
        if type(number) is not int or type(name) is not str or type(mro) is not list or any(type(m) is not str for m in mro[:50]):
            raise BadFrame("a handle that is none")
        if kind == "exception":
            return self._exception(number, name, extra)
        level = max(self.level, self.own_level(kind, mro))
        if extra and level < NAMED and kind == "object":
            return extra[0]  # an instance of a subclass of something plain: a copy of the plain part
        proxy = self.proxies.get(number)
        if proxy is None:
            proxy = self.proxies[number] = _KINDS.get(kind, ObjectProxy)(self, number, name[:200], mro[:50])
        if level > object.__getattribute__(proxy, "_level"):
            object.__setattr__(proxy, "_level", level)
        return proxy

    def own_level(self, kind: str, mro: list[str]) -> int:
        """How far an object of these classes may be asked, wherever it comes from."""
        if kind in ("function", "generator", "class"):
            return LIMITED
        if any(name.startswith("__main__.") and name.removeprefix("__main__.") in self.classes for name in mro):
            return NAMED
        return LIMITED if any(name.startswith(_LIBRARY_CLASSES) for name in mro) else STRANGER

    def _exception(self, number: int, name: str, parents: Any) -> type:
        """A class of the student's as a class of this side, so that `except` and `pytest.raises` know it."""
        if number not in self.exceptions:
            base = next((_ERRORS[p] for p in parents if type(p) is str and p in _ERRORS), Exception)
            inner = next((self._exception(int(p[0]), str(p[1]), p[2]) for p in parents if type(p) is list), None)
            made = type(name if name.isidentifier() else "Error", (inner or base,), {"__module__": "submission"})
            self.exceptions[number] = made
            self.callback_numbers[id(made)] = -number
        return self.exceptions[number]

    # ---- the other side's requests and errors ------------------------------------------------------------------------

    def serve(self, operation: str, arguments: tuple[Any, ...]) -> Any:
        """The few things that student code may ask for: calling a function it was given, its gradients, a draw, the next item."""
        if operation == "call":
            number, positional, named = arguments
            return self._given(number)(*positional, **dict(named))
        if operation == "back":
            return self.backward(*arguments)
        if operation == "next":
            try:
                return (next(self._given(arguments[0])),)
            except StopIteration:
                return ()
        if operation == "draw":
            number, name, positional, named = arguments
            generator = self._given(number)
            if name not in library.DRAWS or not isinstance(generator, (np.random.Generator, np.random.RandomState, type(_random))):
                raise ValueError("no such draw")
            result = getattr(generator, name)(*positional, **dict(named))
            return positional[0] if name == "shuffle" else result
        raise ValueError(f"unknown request {operation!r}")

    def _given(self, number: Any) -> Any:
        if number not in self.callbacks:
            raise ValueError("a function that was never given")
        return self.callbacks[number]

    def fail(self, description: Any) -> Exception:
        """The student's exception: its own class where the test has it, else the nearest built-in one."""
        if type(description) is not dict:
            return RemoteError("an error that is none")
        text = str(description.get("text", ""))
        kind = description.get("class")
        name = str(description.get("type", "Exception"))
        self.remote_traceback = [str(line) for line in description.get("where", ())][:20]
        if isinstance(kind, type) and issubclass(kind, Exception):
            error: Exception = kind(text)
        else:
            base = next((_ERRORS[n] for n in description.get("names", ()) if type(n) is str and n in _ERRORS), Exception)
            if base in (Exception, StopIteration, StopAsyncIteration) or issubclass(base, UnicodeError):
                error = RemoteError(text)
            else:
                error = base(text)
        if description.get("boundary") is True:
            error = self.violate(text)
        attributes = description.get("attributes")
        for key, value in attributes.items() if isinstance(kind, type) and type(attributes) is dict else ():
            if str(key).isidentifier() and not str(key).startswith("__"):
                setattr(error, key, value)
        error.remote_name = name  # type: ignore[attr-defined]
        return error


_random = random.Random()


def _modules(value: Any) -> list[Any]:
    torch = sys.modules.get("torch")
    return list(value.modules()) if torch is not None and isinstance(value, torch.nn.Module) else []


# ---- proxies -----------------------------------------------------------------------------------------------------------


class Proxy:
    """An object in the student's process."""

    __slots__ = ("_student", "_id", "_type", "_mro", "_level", "_copied")

    def __init__(self, student: Student, number: int, name: str, mro: list[str]) -> None:
        put = object.__setattr__
        put(self, "_student", student)
        put(self, "_id", number)
        put(self, "_type", name)
        put(self, "_mro", mro)
        put(self, "_level", STRANGER)
        put(self, "_copied", None)

    def _ask(self, operation: str, *arguments: Any) -> Any:
        """Ask, if this proxy may be asked at all; what hangs on it is trusted no more than it."""
        if self._level == STRANGER:  # perhaps the test has taken its class only after it
            object.__setattr__(self, "_level", self._student.own_level("object", self._mro))
        if self._level == STRANGER:
            raise self._student.violate(STRANGE.format(type=self._type))
        level = LIMITED if operation in ("attr", "item", "iter", "next", "operator") else STRANGER
        return self._student.ask(operation, self, *arguments, level=level)

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return _claimed(self._mro) or type(self)

    def __getattr__(self, name: str) -> Any:
        if name == "__signature__":
            return self._signature()
        if name in ("__globals__", "__builtins__", "__subclasses__", "__dataclass_fields__"):
            raise self._student.violate(NOT_SEEN.format(name=name, type=self._type))
        if name.startswith("__") and name.endswith("__") and name not in _DUNDERS:
            raise AttributeError(name)
        if self._level < FREE and name in JUDGING and not hasattr(_claimed(self._mro), name):
            raise self._student.violate(UNNAMED.format(name=name, type=self._type))
        return self._ask("attr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("setattr", name, value)

    def __delattr__(self, name: str) -> None:
        self._ask("delattr", name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._ask("call", arguments, tuple(named.items()))

    def _signature(self) -> inspect.Signature:
        if self._level == STRANGER:
            raise AttributeError("__signature__")
        found = self._student.ask("signature", self)
        if type(found) is not list:
            raise AttributeError("__signature__")
        empty = inspect.Parameter.empty
        kinds = list(inspect._ParameterKind)
        parameters = [
            inspect.Parameter(name, kinds[kind], default=default[0] if default else empty, annotation=note[0] if note else empty)
            for name, kind, default, note in found
        ]
        return inspect.Signature(parameters)

    def __copy__(self) -> Any:
        return self._student.ask("copy", self, level=self._level)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._student.ask("deepcopy", self, level=self._level)

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise self._student.violate(f"an object of the submission's (type {self._type}) cannot be pickled in a test; do it in a @probe function")

    def _refuse(self, *_: Any) -> Any:
        raise self._student.violate((STRANGE if self._level == STRANGER else NO_COMPARING).format(type=self._type))

    def __eq__(self, other: object) -> Any:
        if self is other or other is None:
            return self is other
        if not isinstance(other, Proxy) and self._level >= FREE and isinstance(self, (FunctionProxy, ClassProxy)):
            return False
        if isinstance(other, Proxy) and self._level and object.__getattribute__(other, "_level"):
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

    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __contains__ = __array__ = __array_function__ = __array_ufunc__ = _refuse

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
        return self._student.ask("call", self, arguments, tuple(named.items()), level=max(self._level, LIMITED))

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, Proxy) and self._student.ask("isinstance", instance, self) is True

    def __subclasscheck__(self, subclass: Any) -> bool:
        return isinstance(subclass, Proxy) and self._student.ask("issubclass", subclass, self) is True

    def __mro_entries__(self, bases: Any) -> Any:
        raise self._student.violate(f"a class of the submission's ({self._type}) cannot have subclasses in a test; define them in a @probe function")

    def __iter__(self) -> Iterator[Any]:
        yield from self._student.ask("call", self._student.ask("attr", self, "__iter__", level=LIMITED), (), (), level=LIMITED)

    def __getitem__(self, key: Any) -> Any:
        return self._ask("item", key)

    @property
    def __bases__(self) -> tuple[type, ...]:
        return (_claimed(self._mro[1:] or self._mro) or object,)

    @property
    def __class__(self) -> type:  # type: ignore[override]
        return type


class ObjectProxy(Proxy):
    """Any other object: an instance of a class of the student's, a model, a figure."""

    __slots__ = ()

    def _copy(self) -> list[Any]:
        """The items, copied once: an object that is no more than limited cannot give different ones later."""
        if self._copied is None:
            iterator = self._ask("iter")
            items = []
            while len(items) <= MAX_COPIED:
                found = self._student.ask("next", iterator, level=LIMITED)
                if type(found) is not tuple or not found:
                    break
                items.append(found[0])
            else:
                raise self._student.violate(f"an object of type {self._type} has more than {MAX_COPIED} items")
            object.__setattr__(self, "_copied", items)
        return self._copied  # type: ignore[no-any-return]

    def __iter__(self) -> Iterator[Any]:
        if self._level < FREE:
            yield from self._copy()
            return
        iterator = self._ask("iter")
        while True:
            found = self._student.ask("next", iterator, level=LIMITED)
            if type(found) is not tuple or not found:
                return
            yield found[0]

    def __next__(self) -> Any:
        return GeneratorProxy.__next__(self)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self._copy()) if self._level < FREE else int(self._ask("len"))

    def __getitem__(self, key: Any) -> Any:
        return self._ask("item", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._ask("setitem", key, value)

    def __delitem__(self, key: Any) -> None:
        self._ask("delitem", key)

    def named_modules(self, memo: Any = None, prefix: str = "", remove_duplicate: bool = True) -> Iterator[Any]:
        """As torch's, so that a student's model can be part of a test's."""
        seen = set() if memo is None else memo
        if self not in seen or not remove_duplicate:
            seen.add(self)
            yield prefix, self
            for name, child in self._ask("attr", "_modules").items():
                yield from child.named_modules(seen, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def __enter__(self) -> Any:
        return self._ask("enter")

    def __exit__(self, kind: Any, value: Any, trace: Any) -> Any:
        swallowed = self._ask("exit", kind.__name__ if kind else None, str(value) if value else "") is True
        if swallowed and value is not None and not hasattr(value, "remote_name"):
            raise self._student.violate("a context manager of the submission's cannot swallow what the test itself raises")
        return swallowed


def _operator(name: str, reverse: bool = False) -> Callable[..., Any]:
    def operate(self: ObjectProxy, *others: Any) -> Any:
        if self._level < NAMED:
            return self._refuse()
        pair = (*others, self) if reverse else (self, *others)
        return self._student.ask("operator", name, *pair, level=LIMITED)

    return operate


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"):
    setattr(ObjectProxy, f"__{_name}__", _operator(_name))
    setattr(ObjectProxy, f"__r{_name}__", _operator(_name, reverse=True))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(ObjectProxy, f"__{_name}__", _operator(_name))
for _name in ("float", "int", "index", "complex", "round"):
    setattr(ObjectProxy, f"__{_name}__", _operator(_name))
for _class in (FunctionProxy, GeneratorProxy, ClassProxy):
    for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "neg", "abs", "float", "int", "index"):
        setattr(_class, f"__{_name}__", Proxy._refuse)

_KINDS: dict[str, type[Proxy]] = {"function": FunctionProxy, "generator": GeneratorProxy, "class": ClassProxy, "object": ObjectProxy}


def _claimed(mro: list[str]) -> type | None:
    """The class that a proxy may pass for: pure-Python classes of libraries only. Compiled code believes `__class__`, and would crash on a false tensor."""
    for path in mro:
        if path in ("builtins.function", "builtins.method"):
            return types.FunctionType
        if path == "builtins.generator":
            return types.GeneratorType
        if path.startswith(("torch.nn.", "torch.optim.", "torch.utils.data.", "matplotlib.")):
            module, _, name = path.rpartition(".")
            found = getattr(sys.modules.get(module), name, None)
            if isinstance(found, type) and "torch.Tensor" not in path and not issubclass(found, _compiled()):
                return found
    return None


def _compiled() -> tuple[type, ...]:
    torch = sys.modules.get("torch")
    return (np.ndarray, int, float, str, bytes, list, tuple, dict, set, *((torch.Tensor,) if torch else ()))


def class_of(value: Any) -> Any:
    """What `type(value)` is to a test: of an object of the student's, the library's class that it is, or the student's own."""
    if not issubclass(type(value), Proxy):
        return type(value)
    mro = object.__getattribute__(value, "_mro")
    return _claimed(mro[:1]) or value._ask("attr", "__class__")


class _Remote:
    """`__doc__`: a proxy's is the student's, a proxy class's its own."""

    def __init__(self, name: str, own: Any) -> None:
        self.name, self.own = name, own

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.own if instance is None else instance._ask("attr", self.name)


for _proxy in (Proxy, FunctionProxy, GeneratorProxy, ClassProxy, ObjectProxy):
    _proxy.__doc__ = _Remote("__doc__", _proxy.__doc__)  # type: ignore[assignment]
