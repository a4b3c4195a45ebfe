"""The untrusted end of a conversation with a test: describes the student's objects, and has
`operations` look them up and call them. Nothing it says is believed.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import random
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autogradient.sandbox import shell
from autogradient.sandbox.operations import FUNCTIONS, Operations
from autogradient.sandbox.seeds import seed_torch
from autogradient.wire import allowed, library
from autogradient.wire.channel import Channel
from autogradient.wire.codec import NotPlain, encode
from autogradient.wire.peer import Peer

#: What an instance of a subclass is a copy of, by the base's own methods.
_PLAIN_BASES: dict[type, Callable[[Any], Any]] = {
    int: int.__int__,
    float: float.__float__,
    complex: complex.__complex__,
    str: str.__str__,
    bytes: bytes.__bytes__,
    list: lambda v: list(list.__iter__(v)),
    tuple: lambda v: tuple(tuple.__iter__(v)),
    dict: lambda v: dict(dict.items(v)),
    set: lambda v: set(set.__iter__(v)),
    frozenset: lambda v: frozenset(frozenset.__iter__(v)),
}
NOT_PLAIN = (
    "the answer is {what}; return plain data: a number, text, a list, tuple or dict, an "
    "array or a tensor"
)


class Servant(Operations, Peer):
    """The student's side. `namespace` is where the student's names are."""

    sign = -1

    def __init__(self, channel: Channel, namespace: dict[str, Any], pid: int) -> None:
        Peer.__init__(self, channel)
        Operations.__init__(self, namespace)
        self.pid = pid
        self.handles: dict[int, Any] = {}
        self.handle_numbers: dict[int, int] = {}
        self.callbacks: dict[int, Any] = {}
        self.callback_numbers: dict[int, int] = {}
        self.given: dict[int, Any] = {}
        self.training: dict[int, Any] = {}
        self.lasting: set[int] = set()
        # leaf tensors that were given out in this case: after `params = init()` nobody else may
        # have them, and the test passes them back
        self.kept: collections.deque[Any] = collections.deque(maxlen=1000)
        self.giving = False
        self.back = False
        self.ambient: dict[str, Any] = {}
        self.printed: list[list[str]] = []
        self.caught: list[Any] = []  # warnings

    # ---- what goes along -------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What was printed and warned since the last message."""
        only(self.pid)
        out: dict[str, Any] = {}
        if self.printed:
            out["out"], self.printed = self.printed, []
        if self.caught:
            out["warnings"] = [
                [_known_warning(w.category), shell.whole(str(w.message))[:2000]]
                for w in self.caught[:1000]
            ]
            self.caught.clear()
        other = [
            name for name, value in self.known_by.items() if self.namespace.get(name) is not value
        ]
        if other:
            out["names"] = other
            for name in other:
                del self.known_by[name]
        flags = {
            number: [module.training for module in library.modules(value)]
            for number, value in self.given.items()
        }
        changed = {
            number: now
            for number, now in flags.items()
            if now != list(self.training.get(number, ()))
        }
        if changed:
            out["training"] = [[number, now] for number, now in changed.items()]
            self.training |= changed
        return out

    def use_state(self, state: dict[str, Any]) -> None:
        """The test's ambient state, for the request that comes with it."""
        if "errors" in state:
            self.ambient = state
        for library_name, seed in state.get("seeds", ()):
            setters: dict[str, Any] = {
                "random": random.seed,
                "numpy": np.random.seed,
                "torch": seed_torch,
            }
            with contextlib.suppress(Exception):
                setters[library_name](seed)

    def announced(self, state: dict[str, Any]) -> None:
        """Whether changes go back, and of what in any case."""
        self.lasting |= set(state.get("lasting", ()))
        if "back" in state:
            self.back = state["back"] is True

    def adopted(self, number: int, content: Any) -> bool:
        """Changes to what the test passed go back where it asks for them, and of a model always."""
        return self.back or number in self.lasting

    def shares(self, value: Any) -> bool:
        """A leaf tensor that is given out stays shared; so does what is asked for by name, where
        the test asks for changes.
        """
        return self.back and self.giving and self.answering

    def keeps(self, value: Any) -> bool:
        """A leaf tensor that is given out stays here as long as the test may pass it back."""
        self.kept.append(value)
        return True

    def do_forget(self) -> None:
        """Between cases: nothing is passed back any more."""
        super().do_forget()
        self.kept.clear()

    # ---- values ----------------------------------------------------------------------------------

    def lower(self, value: Any) -> Any:
        """A handle for an object that is no plain data: number, kind, name, the names of its
        classes, and what it is a copy of.
        """
        if id(value) in self.callback_numbers:
            return ("callback", self.callback_numbers[id(value)])
        kind = type(value)
        found = allowed.reference(value) if isinstance(value, (type, *FUNCTIONS)) else None
        if found is not None and allowed.resolve("reference", *found) is value:
            return ("reference", *found)
        equal = found if found is not None and allowed.resolve("equal", *found) is value else ()
        if isinstance(value, type):
            if issubclass(value, BaseException):
                return (
                    "handle",
                    self._number(value),
                    "exception",
                    value.__name__,
                    [],
                    self._parents(value),
                )
            return (
                "handle",
                self._number(value),
                "class",
                value.__name__,
                _names(value.__mro__),
                equal,
            )
        if isinstance(value, FUNCTIONS):
            own = getattr(value, "__qualname__", None) or getattr(value, "__name__", "function")
            return (
                "handle",
                self._number(value),
                "function",
                str(own),
                ["builtins.function"],
                equal,
            )
        if isinstance(value, types.ModuleType):
            raise NotPlain(NOT_PLAIN.format(what=f"the module {value.__name__}"))
        generator = isinstance(value, types.GeneratorType)
        if generator or (hasattr(kind, "__next__") and kind.__module__ != "__main__"):
            return (
                "handle",
                self._number(value),
                "generator",
                kind.__name__,
                ["builtins.generator"] if generator else [],
                (),
            )
        if _is_list_like(value):
            return ("plain", list(value))
        return (
            "handle",
            self._number(value),
            "object",
            kind.__name__,
            _names(kind.__mro__),
            _plain_part(value),
        )

    def _number(self, value: Any) -> int:
        number = self.handle_numbers.get(id(value))
        if number is None:
            self.count += 1
            number = self.handle_numbers[id(value)] = self.count
            self.handles[number] = value
        return number

    def _parents(self, value: type) -> list[Any]:
        """Where an exception's class comes from: its next class of the student's own, and its
        built-in ones.
        """
        out: list[Any] = []
        for parent in value.__mro__[1:]:
            if parent.__module__ == "builtins":
                out.append(parent.__name__)
            elif not any(isinstance(p, list) for p in out):
                out.append([self._number(parent), parent.__name__, self._parents(parent)])
        return out

    def handled(self, number: int) -> Any:
        """The student's object of that number."""
        return self.handles[number]

    def lift(self, data: Any) -> Any:
        """What the test passes."""
        what, *rest = data
        if what == "reference":
            return library.build(data, self)
        if what == "given":
            given, described, training = rest
            if given not in self.given:
                self.given[given] = library.build(described, self)
            for module, flag in zip(library.modules(self.given[given]), training, strict=False):
                module.training = flag
            self.training[given] = training
            return self.given[given]
        if what == "error":
            return getattr(builtins, str(rest[0]), Exception)(rest[1])
        number = int(rest[0])
        if number in self.callbacks:
            return self.callbacks[number]
        if what == "callback":
            return self._ours(self._callback(number, rest[1]), number)
        if what == "iterator":
            return self._ours(self._iterator(number), number)
        if what == "generator":
            return self._ours(library.RemoteGenerator(self, number), number)
        raise ValueError(f"unknown description {what!r}")

    def _ours(self, value: Any, number: int) -> Any:
        self.callbacks[number] = value
        self.callback_numbers[id(value)] = number
        return value

    def _callback(self, number: int, name: str) -> Any:
        def function(*arguments: Any, **named: Any) -> Any:
            return self.request("call", number, arguments, tuple(named.items()))

        function.__name__ = function.__qualname__ = str(name)
        return function

    def _iterator(self, number: int) -> Iterator[Any]:
        while True:
            found = self.request("next", number)
            if not found:
                return
            yield found[0]

    # ---- requests --------------------------------------------------------------------------------

    def listen(self) -> None:
        """Serve requests until the other end closes; warnings are kept for it meanwhile."""
        shell.OUTPUTS.take()
        with warnings.catch_warnings(record=True) as caught:
            assert caught is not None
            warnings.simplefilter("always")
            self.caught = caught
            super().listen()

    def serve(self, operation: str, arguments: Sequence[Any]) -> Any:
        """Carry out a request under the test's ambient state, and note what is printed and warned
        meanwhile.
        """
        if operation == "back":
            return self.backward(*arguments)
        _be_ambient(self.ambient)
        perform: Any = getattr(self, f"do_{operation}")
        try:
            # what a student's object holds; a call's answer is a copy
            self.giving = operation in ("get", "attr", "item")
            return perform(*arguments)
        finally:
            only(self.pid)
            for output in shell.OUTPUTS.take():
                if output.get("output_type") == "stream":
                    self.printed.append([output["name"], output["text"]])

    def fail(self, description: Any) -> Exception:
        """An error in a function of the test's."""
        name = description[0] if type(description) is list and description else "RuntimeError"
        kind = getattr(builtins, str(name), RuntimeError)
        return (
            kind("in a function of the check")
            if isinstance(kind, type) and issubclass(kind, Exception)
            else RuntimeError("in a function of the check")
        )

    def describe(self, error: BaseException) -> Any:
        """An exception of the student's, or one of the boundary's."""
        kind = type(error)
        out: dict[str, Any] = {
            "type": kind.__name__,
            "names": [f"{c.__module__}.{c.__qualname__}" for c in kind.__mro__],
            "text": text_of(error),
            "where": [
                f"{frame.filename}:{frame.lineno} in {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)[-4:]
            ],
            "boundary": isinstance(error, NotPlain),
        }
        if kind.__module__ == "__main__":
            out["class"] = kind
            out["attributes"] = {
                name: item for name, item in list(vars(error).items())[:50] if _is_plain(item)
            }
        return out


def only(pid: int) -> None:
    """End here if this is a copy that a student's own `os.fork()` made: it must not answer, too."""
    import os

    if os.getpid() != pid:
        os._exit(0)


def reap() -> None:
    """Clear away the children of this process that have ended: until then they count as
    processes.
    """
    import os

    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def text_of(error: BaseException) -> str:
    """The text of an exception, whatever its class does when asked for it."""
    try:
        if isinstance(error, SyntaxError) and error.msg:
            return shell.whole(f"{error.msg} (line {error.lineno})")
        return shell.whole(str(error)[:2000])
    except Exception:
        return ""


def _is_plain(value: Any) -> bool:
    try:
        encode(value)
    except Exception:
        return False
    return True


def _names(classes: tuple[type, ...]) -> list[str]:
    return [f"{kind.__module__}.{kind.__qualname__}" for kind in classes[:50] if kind is not object]


def _known_warning(category: type[Warning]) -> str:
    for kind in category.__mro__:
        if kind.__module__ == "builtins" or kind.__name__ == "ComplexWarning":
            return kind.__name__
    return "UserWarning"


def _is_list_like(value: Any) -> bool:
    """Matplotlib's lists of artists, and the like."""
    return (
        type(value).__module__.startswith("matplotlib.")
        and hasattr(type(value), "__getitem__")
        and type(value).__name__ in ("ArtistList", "silent_list")
    )


def _plain_part(value: Any) -> Any:
    """For an instance of a subclass of something plain, a copy of the plain part in a tuple; else
    an empty one.
    """
    kind = type(value)
    torch = sys.modules.get("torch")
    try:
        # without its mask it would be another
        if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
            return ()
        if isinstance(value, np.ndarray) and kind is not np.ndarray:
            return (np.array(np.ndarray.view(value, np.ndarray)),)
        if torch is not None and isinstance(value, torch.Tensor):
            return (value.detach().as_subclass(torch.Tensor).clone(),)
        for base, copy_of in _PLAIN_BASES.items():
            if isinstance(value, base) and kind is not base:
                return (copy_of(value),)
    except Exception:
        return ()
    return ()


def _be_ambient(state: dict[str, Any]) -> None:
    """Gradients, default dtype and NumPy's errors as the test has them."""
    torch = sys.modules.get("torch")
    if "errors" in state and np.geterr() != state["errors"]:
        np.seterr(**state["errors"])
    if torch is not None and "grad" in state:
        if torch.is_grad_enabled() != state["grad"]:
            torch.set_grad_enabled(state["grad"])
        if str(torch.get_default_dtype()) != f"torch.{state['dtype']}":
            torch.set_default_dtype(getattr(torch, state["dtype"]))
