"""The trusted end of the conversation with a student's process: what a test asks, and what becomes
of the answers.

Plain values are copies; everything else is a `Proxy`. What the other side says of itself is never
more than data.
"""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autogradient.wire import allowed, library, questions
from autogradient.wire.channel import Channel
from autogradient.wire.codec import BadFrame, NotPlain
from autogradient.wire.exceptions import Exceptions, RemoteError
from autogradient.wire.holding import Holding
from autogradient.wire.instances import KINDS, ObjectProxy
from autogradient.wire.peer import MAX_KEPT
from autogradient.wire.proxies import (
    FREE,
    LIMITED,
    NAMED,
    STRANGER,
    BoundaryError,
    ClassProxy,
    FunctionProxy,
    GeneratorProxy,
    Proxy,
)

NOT_SENT = (
    "{what} cannot be passed to the submission; make it there, in a @probe function that returns it"
)

NOT_CALLED = (
    "{what} cannot be called by the submission: only functions of the test's own can; wrap "
    "it in one"
)
HOLDS_FUNCTIONS = (
    "the answer is a named tuple whose '{field}' is {what}; return plain data, or functions "
    "in a tuple or a dict"
)
NO_TABLES = (
    "the answer is, or holds, a pandas {kind}, and nothing in this assignment uses pandas; return "
    "a NumPy array or a list"
)

#: Kinds of things that student code may ask for by number, and the request that asks for it.
CALLBACK, ITERATOR, GENERATOR = "call", "next", "draw"
#: Characters of printed text that are taken over from one message.
MAX_PRINTED = 20_000


class Student(Holding):
    """The conversation with the student's process.

    `named` are the classes that the test may take from the student, `members` the words of each in
    the instructor's own answer (None where there is none to look at); with `copy_back` changed
    arguments come back. `folder` holds the assignment's own modules. Without `tables` nothing of
    pandas may come: its sums leave NaN out, which a test for arrays does not expect.
    """

    sign = 1

    def __init__(
        self,
        channel: Channel,
        *,
        named: frozenset[str] = frozenset(),
        members: Mapping[str, Sequence[str]] | None = None,
        copy_back: bool = False,
        folder: str = "",
        tables: bool = True,
    ) -> None:
        super().__init__(channel)
        self.tables, self.copy_back = tables, copy_back
        self.named, self.members, self.folder = named, members, folder
        self.proxies: dict[int, Proxy] = {}
        self.exceptions = Exceptions()
        self.callbacks: dict[int, tuple[str, Any]] = {}  # what student code may ask for, and how
        self.callback_numbers: dict[int, int] = {}
        self.given: dict[int, int] = {}
        self.kept: list[Any] = []
        self.seeds: list[list[Any]] = []
        self.told: dict[str, Any] = {}
        self.secret: Any = None
        self.level = STRANGER
        self.violation = ""
        self.fetched: dict[int, str] = {}
        # what a case has of a name, and how much student code had been told by then
        self.taken: dict[str, tuple[Any, int]] = {}
        # functions and classes, until the other side says that the name means another
        self.by_name: dict[str, Proxy] = {}
        self.classes: set[str] = set()  # the student's classes that the test has taken
        self.sources: list[str] = []  # the notebook's cells, for `inspect.getsource`
        self.remote_traceback: list[str] = []

    # ---- asking ----------------------------------------------------------------------------------

    def begin_case(self, copy_back: bool, effects: bool) -> None:
        """As in `Holding`; names are looked up anew, and no class was taken."""
        super().begin_case(copy_back, effects)
        self.violation, self.classes, self.taken = "", set(), {}

    def ask(
        self, operation: str, *arguments: Any, level: int = STRANGER, reach: bool = False
    ) -> Any:
        """Have the other side do something; handles in the answer get `level`, or a better one of
        their own. With `reach` the answer is a part of a model.
        """
        before, self.level = self.level, level
        try:
            with self.asking(operation, arguments, reach):
                return self.request(operation, *arguments)
        finally:
            self.level = before

    def get(self, name: str) -> Any:
        """The student's object of that name. Raises KeyError.

        A case has one value of a name, unless it calls something of the student's for its effect:
        a function that is told what is expected could give the name another one. Where nothing was
        told since, it is looked up anew.
        """
        if name in self.taken and not self.effects and self.taken[name][1] != self.told_of:
            return self.taken[name][0]
        found = self._found(name)
        self.taken[name] = (found, self.told_of)
        return found

    def _found(self, name: str) -> Any:
        if name in self.by_name:
            if type(self.by_name[name]) is ClassProxy and name in self.named:
                self.classes |= {name, object.__getattribute__(self.by_name[name], "_type")}
            return self.by_name[name]
        found = self.ask("get", name, level=FREE)
        if type(found) is not tuple or not found:
            raise KeyError(name)
        if isinstance(found[0], Proxy):
            # whatever else it may be tells on its own when its name is given to another
            if type(found[0]) in (FunctionProxy, ClassProxy):
                self.by_name[name] = found[0]
            self.fetched.setdefault(object.__getattribute__(found[0], "_id"), name)
            if type(found[0]) is ClassProxy and name in self.named:
                self.classes |= {name, object.__getattribute__(found[0], "_type")}
        return found[0]

    def violate(self, message: str) -> BoundaryError:
        """The error for something that must not be asked; the case fails even if the test catches
        it.
        """
        self.violation = self.violation or message
        return BoundaryError(message)

    # ---- what goes along -------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Ambient state of the test: gradients on or off, default dtype, NumPy's errors, seeds set
        by the test.
        """
        torch = sys.modules.get("torch")
        now: dict[str, Any] = {"errors": np.geterr(), "back": self.copy_back}
        if torch is not None:
            now["grad"] = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
            now["dtype"] = torch.get_default_dtype()
        out = {}
        if now != self.told:  # it is remembered over there
            self.told = now
            out = {
                key: str(value).removeprefix("torch.") if key == "dtype" else value
                for key, value in now.items()
            }
        if self.lasting:
            out["lasting"], self.lasting = self.lasting, []
        if self.seeds:
            out["seeds"], self.seeds = self.seeds, []
        return out

    def use_state(self, state: dict[str, Any]) -> None:
        """Print what the student's code printed, warn what it warned, and take over whether the
        test's models are training.
        """
        for name in state.get("names", ()):
            self.by_name.pop(name, None)
        for number, flags in state.get("training", ()):
            model = next((kept for kept in self.kept if self.given.get(id(kept)) == number), None)
            for module, flag in zip(library.modules(model), flags, strict=False):
                module.training = flag is True
        for name, text in state.get("out", ())[:1000]:
            if isinstance(text, str):
                (sys.stderr if name == "stderr" else sys.stdout).write(text[:MAX_PRINTED])
        for category, text in state.get("warnings", ())[:1000]:
            warnings.warn(
                str(text)[:MAX_PRINTED],
                allowed.resolve("warning", category) or UserWarning,
                stacklevel=6,
            )

    # ---- values ----------------------------------------------------------------------------------

    def handle(self, value: Any) -> int | None:
        """The student's own objects, and classes of exceptions that stand for the student's."""
        if issubclass(type(value), Proxy):
            number: int = object.__getattribute__(value, "_id")
            return number
        known = self.exceptions.number(value)
        return known if known > 0 else None

    def lower(self, value: Any) -> Any:
        """What stands for an object that a test passes to student code."""
        kind = type(value)
        if value is self.secret and value is not None:
            return ("generator", self._callback(value, GENERATOR))
        found = allowed.reference(value)
        if found is not None:
            return ("reference", *found)
        number = self.given.get(id(value))
        described = (
            library.describe(value, self)
            if number is None or not isinstance(value, np.random.Generator)
            else ()
        )
        if described is not None:
            if number is None:
                self.count += 1
                number = self.given[id(value)] = self.count
                self.kept.append(value)
            self._stand(value)
            return (
                "given",
                number,
                described,
                tuple(module.training for module in library.modules(value)),
            )
        if isinstance(value, allowed.GENERATORS):
            return ("generator", self._callback(value, GENERATOR))
        if isinstance(value, BaseException):
            return ("error", kind.__name__, str(value))
        if hasattr(kind, "__next__"):
            if not allowed.may_be_iterated(value, self.folder):
                raise NotPlain(NOT_SENT.format(what=f"an iterator of type {kind.__name__}"))
            return ("iterator", self._callback(value, ITERATOR))
        if callable(value):
            if not allowed.may_be_called(value, self.folder):
                raise NotPlain(
                    NOT_CALLED.format(what=f"'{getattr(value, '__name__', kind.__name__)}'")
                )
            return (
                "callback",
                self._callback(value, CALLBACK),
                getattr(value, "__name__", "function"),
            )
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
            self.hand_out(tensor)

    def _callback(self, value: Any, request: str) -> int:
        number = self.callback_numbers.get(id(value))
        if number is None:
            self.count += 1
            number = self.callback_numbers[id(value)] = self.count
            self.callbacks[number] = (request, value)
        return number

    def lift(self, data: Any) -> Any:
        """What the other side's description of an object becomes here: an object that was handed
        out, one that is listed, or a proxy.
        """
        if type(data) is not tuple or not data or type(data[0]) is not str:
            raise BadFrame("a description that is none")
        what, *rest = data
        if (
            what == "callback"
            and len(rest) == 1
            and type(rest[0]) is int
            and rest[0] in self.callbacks
        ):
            return self.callbacks[rest[0]][1]
        if what == "plain" and len(rest) == 1 and type(rest[0]) is list:
            return rest[0]
        if (
            what == "reference"
            and len(rest) == 2
            and (found := allowed.resolve("reference", *rest)) is not None
        ):
            return found
        if what != "handle" or len(rest) != 5 or len(self.proxies) > MAX_KEPT:
            raise BadFrame("a handle that is none")
        number, kind, name, mro, extra = rest
        if (
            type(number) is not int
            or type(kind) is not str
            or type(name) is not str
            or type(mro) is not list
            or any(type(m) is not str for m in mro[:50])
        ):
            raise BadFrame("a handle that is none")
        if kind == "exception":
            return self.exceptions.class_of(number, name, extra)
        if type(extra) is not tuple:
            raise BadFrame("a handle that is none")
        level = max(self.level, self.own_level(kind, mro))
        if extra and level < NAMED and kind == "object":
            if len(extra) != 1 or type(extra[0]) not in _PLAIN_BASES and not _is_array(extra[0]):
                raise BadFrame("a copy that is none")
            # an instance of a subclass of something plain: a copy of the plain part
            return extra[0]
        proxy = self.proxies.get(number)
        if proxy is None:
            proxy = self.proxies[number] = KINDS.get(kind, ObjectProxy)(
                self, number, name[:200], mro[:50]
            )
            if extra and kind in ("function", "class") and len(extra) == 2:
                object.__setattr__(proxy, "_equals", allowed.resolve("equal", *extra))
        if level > object.__getattribute__(proxy, "_level"):
            object.__setattr__(proxy, "_level", level)
        return proxy

    def own_level(self, kind: str, mro: list[str]) -> int:
        """How far an object of these classes may be asked, wherever it comes from."""
        if kind in ("function", "generator", "class"):
            return LIMITED
        if self._taken(mro):
            return NAMED
        return LIMITED if questions.groups(mro) else STRANGER

    def _taken(self, mro: Sequence[str]) -> list[str]:
        """Those of an object's classes that the test has taken from the student."""
        return [
            name.removeprefix("__main__.")
            for name in mro
            if name.startswith("__main__.") and name.removeprefix("__main__.") in self.classes
        ]

    def may_ask(self, mro: Sequence[str], name: str) -> bool:
        """Whether an object of these classes may be asked for an attribute, or for an operator by
        its special method.
        """
        taken = self._taken(mro)
        if taken and self.members is None:
            return True
        members = {word for found in taken for word in (self.members or {}).get(found, ())}
        if "*" in members:
            return True
        return (
            name in members if name.startswith("__") else questions.may_be_asked(name, mro, members)
        )

    def named_tuple(self, value: Any) -> None:
        """A named tuple is plain data: what in it could be called for an array's method would be
        believed.
        """
        for field, item in zip(value._fields, value, strict=True):
            function = isinstance(
                item, (type, types.FunctionType, types.BuiltinFunctionType)
            ) or type(item) in (FunctionProxy, GeneratorProxy, ClassProxy)
            if function or (callable(item) and field in questions.words_of_data()):
                what = (
                    f"an object of type {object.__getattribute__(item, '_type')}"
                    if issubclass(type(item), Proxy)
                    else "a function or class"
                )
                self.violate(HOLDS_FUNCTIONS.format(field=field, what=what))

    def table(self, value: Any) -> None:
        """A test that was written without pandas in mind cannot judge what pandas compares."""
        if not self.tables:
            self.violate(NO_TABLES.format(kind=type(value).__name__))

    # ---- the other side's requests and errors ----------------------------------------------------

    def serve(self, operation: str, arguments: Sequence[Any]) -> Any:
        """The few things that student code may ask for: calling a function it was given, its
        gradients, a draw, the next item.
        """
        if operation == CALLBACK:
            number, positional, named = arguments
            return self._given(number, CALLBACK)(*positional, **dict(named))
        if operation == "back":
            return self.backward(*arguments)
        if operation == ITERATOR:
            try:
                return (next(self._given(arguments[0], ITERATOR)),)
            except StopIteration:
                return ()
        if operation == GENERATOR:
            number, name, positional, named = arguments
            generator = self._given(number, GENERATOR)
            return library.draw(generator, name, positional, dict(named))
        raise ValueError(f"unknown request {operation!r}")

    def _given(self, number: Any, request: str) -> Any:
        """What was handed out under a number, for this request."""
        found = self.callbacks.get(number) if type(number) is int else None
        if found is None or found[0] != request:
            raise ValueError("something that was never given")
        return found[1]

    def fail(self, description: Any) -> Exception:
        """The student's exception: its own class where the test has it, else the nearest built-in
        one.
        """
        if type(description) is not dict:
            return RemoteError("an error that is none")
        where = description.get("where")
        self.remote_traceback = (
            [str(line)[:500] for line in where[:20]] if type(where) is list else []
        )
        text = str(description.get("text", ""))[:MAX_PRINTED]
        return self.exceptions.raised(description, text, self.violate)


#: What an instance of a subclass may arrive as.
_PLAIN_BASES = (int, float, complex, str, bytes, list, tuple, dict, set, frozenset)


def _is_array(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return type(value) is np.ndarray or (torch is not None and type(value) is torch.Tensor)
