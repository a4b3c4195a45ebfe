"""The trusted end of the conversation with a student's process: what a test asks, and what becomes of the answers.

Plain values are copies; everything else is a `Proxy`. What the other side says of itself is never more than data.
"""

from __future__ import annotations

import builtins
import random
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from autogradient.wire import library
from autogradient.wire.channel import Channel
from autogradient.wire.codec import BadFrame, NotPlain
from autogradient.wire.peer import MAX_KEPT, Peer
from autogradient.wire.proxies import FREE, KINDS, LIMITED, NAMED, STRANGER, BoundaryError, ClassProxy, FunctionProxy, ObjectProxy, Proxy

_LIBRARY_CLASSES = ("torch.nn.", "torch.optim.", "torch.utils.", "torch.distributions.", "torch.random", "matplotlib.", "builtins.code", "contextlib.")
_WARNINGS = {w.__name__: w for w in vars(builtins).values() if isinstance(w, type) and issubclass(w, Warning)}
_ERRORS = {e.__name__: e for e in vars(builtins).values() if isinstance(e, type) and issubclass(e, Exception)}

NOT_SENT = "{what} cannot be passed to the submission; make it there, in a @probe function that returns it"


_random = random.Random()


class RemoteError(Exception):
    """An exception of the submission's of a class that only exists there; `name` is its class."""

    name = ""


def _exception(path: Any) -> type[Exception] | None:
    """An exception class of Python's or of a library's that is loaded here, by its path; None for anything else."""
    if type(path) is not str:
        return None
    module, _, name = path.rpartition(".")
    found: Any = vars(sys.modules[module]).get(name) if module in sys.modules and not module.startswith(("autogradient", "__main__")) else None
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def _make(kind: type[Exception], text: str) -> Exception:
    """An exception with a text, even of a class that wants more."""
    try:
        return kind(text)
    except Exception:
        error = kind.__new__(kind)
        error.args = (text,)
        return error


class Student(Peer):
    """The conversation with the student's process. `named` are the classes that the test may take from the student; with `copy_back` changed arguments come back."""

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
        self.told: dict[str, Any] = {}
        self.lasting: list[int] = []  # shared objects whose changes come back in any case
        self.secret: Any = None
        self.level = STRANGER
        self.violation = ""
        self.fetched: dict[int, str] = {}
        self.by_name: dict[str, Proxy] = {}  # functions and classes, until the other side says that the name means another
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
        if name in self.by_name:
            return self.by_name[name]
        found = self.ask("get", name, level=FREE)
        if type(found) is not tuple or not found:
            raise KeyError(name)
        if isinstance(found[0], Proxy):
            if type(found[0]) in (FunctionProxy, ClassProxy):  # whatever else it may be tells on its own when its name is given to another
                self.by_name[name] = found[0]
            self.fetched.setdefault(object.__getattribute__(found[0], "_id"), name)
            if type(found[0]) is ClassProxy and name in self.named:
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
        now: dict[str, Any] = {"errors": np.geterr(), "back": self.copy_back}
        if torch is not None:
            now["grad"] = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
            now["dtype"] = torch.get_default_dtype()
        out = {}
        if now != self.told:  # it is remembered over there
            self.told = now
            out = {key: str(value).removeprefix("torch.") if key == "dtype" else value for key, value in now.items()}
        if self.lasting:
            out["lasting"], self.lasting = self.lasting, []
        if self.seeds:
            out["seeds"], self.seeds = self.seeds, []
        return out

    def use_state(self, state: dict[str, Any]) -> None:
        """Print what the student's code printed, warn what it warned, and take over whether the test's models are training."""
        for name in state.get("names", ()):
            self.by_name.pop(name, None)
        for number, flags in state.get("training", ()):
            model = next((kept for kept in self.kept if self.given.get(id(kept)) == number), None)
            for module, flag in zip(library.modules(model), flags, strict=False):
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

    def handle(self, value: Any) -> int | None:
        """The student's own objects, and classes of exceptions that stand for the student's."""
        if issubclass(type(value), Proxy):
            number: int = object.__getattribute__(value, "_id")
            return number
        if isinstance(value, type) and self.callback_numbers.get(id(value), 0) < 0:
            return -self.callback_numbers[id(value)]
        return None

    def lower(self, value: Any) -> Any:
        """What stands for an object that a test passes to student code."""
        kind = type(value)
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
            return ("given", number, described, tuple(module.training for module in library.modules(value)))
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
            proxy = self.proxies[number] = KINDS.get(kind, ObjectProxy)(self, number, name[:200], mro[:50])
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

    def serve(self, operation: str, arguments: Sequence[Any]) -> Any:
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
        known = next(filter(None, map(_exception, description.get("names", ()))), Exception)
        kind = description.get("class")
        name = str(description.get("type", "Exception"))
        self.remote_traceback = [str(line) for line in description.get("where", ())][:20]
        if isinstance(kind, type) and issubclass(kind, Exception):
            error: Exception = kind(text)
        else:
            error = RemoteError(text) if known in (Exception, StopIteration, StopAsyncIteration) else _make(known, text)
        if description.get("boundary") is True:
            error = self.violate(text)
        attributes = description.get("attributes")
        for key, value in attributes.items() if isinstance(kind, type) and type(attributes) is dict else ():
            if str(key).isidentifier() and not str(key).startswith("__"):
                setattr(error, key, value)
        error.remote_name = name  # type: ignore[attr-defined]
        return error
