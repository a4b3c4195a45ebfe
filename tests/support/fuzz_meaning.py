"""The fuzzer of meaning: another end whose messages are all well-formed, and never what was asked
for.

Where data is due come references, proxies, claims, callbacks and requests, and the other way round.
While a test does what tests do with what it got, every function that runs here is looked at
(`sys.setprofile`: an audit hook sees none of `globals()`, `vars()` and `getattr`).
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import pickle
import struct
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import numpy as np
import torch
from fuzz_input import MORE, PLAIN, REACHED, Tape, only_plain, packed

from autogradient.sandbox import rehearsal
from autogradient.wire import allowed, codec, frames
from autogradient.wire.channel import Channel, Closed
from autogradient.wire.exceptions import RemoteError
from autogradient.wire.peer import Gone
from autogradient.wire.proxies import FREE, BoundaryError, Proxy
from autogradient.wire.student import Student

#: What a test expects. No message may hold it.
HIDDEN = torch.full((3,), 8675309.25, dtype=torch.float64)
_MARKS = (struct.pack("<d", 8675309.25), struct.pack(">d", 8675309.25))

_TEXT = """
calls = []
def handed(*values, **named):
    calls.append(values)
    return values[0] if values else 1.0
def kept(*values):
    raise SystemExit("a function that was never handed out was called")
def items():
    yield from range(3)
"""
_SPACE: dict[str, Any] = {"__name__": "tests"}
exec(compile(_TEXT, "<tests>", "exec"), _SPACE)

#: Never called for the other end, by whatever way.
FORBIDDEN = {
    id(f)
    for f in (
        exec,
        eval,
        compile,
        open,
        globals,
        locals,
        vars,
        input,
        breakpoint,
        setattr,
        delattr,
        __import__,
    )
}
FORBIDDEN |= {
    id(f)
    for f in (
        os.system,
        os.fork,
        os.execv,
        os.open,
        os.kill,
        os._exit,
        os.remove,
        pickle.loads,
        pickle.load,
        sys.exit,
    )
}
#: Files of libraries that use some of these for their own ends.
_LIBRARIES = (
    "/collections/__init__.py",
    "/typing.py",
    "/warnings.py",
    "/re/",
    "/enum.py",
    "/inspect.py",
    "/torch/",
    "/numpy/",
    "/copy.py",
    "/weakref.py",
    "<frozen importlib",
    "/functools.py",
    "/wire/library.py",
)

MODULES = (
    "torch",
    "torch.nn.functional",
    "torch.nn.modules.linear",
    "torch.nn.modules.activation",
    "numpy",
    "numpy.ma",
    "math",
    "builtins",
    "os",
    "sys",
)
MODULES += (
    "torch.builtins",
    "torch._guards",
    "operator",
    "functools",
    "unittest.mock",
    "autogradient.grading.trial",
    "__main__",
    "tests",
    "torch.optim.sgd",
    "",
)
NAMES = (
    "relu",
    "Linear",
    "ReLU",
    "maximum",
    "tanh",
    "exec",
    "eval",
    "globals",
    "locals",
    "open",
    "system",
    "masked_all_like",
    "ANY",
    "_ANY",
    "attrgetter",
)
NAMES += (
    "torch.os.system",
    "os.system",
    "torch.builtins.globals",
    "__globals__",
    "",
    "partial",
    "SGD",
    "load",
    "sqrt",
    "modules",
    "getattr",
    "kept",
)
GOOD = (
    ("torch", "relu"),
    ("torch.nn.modules.linear", "Linear"),
    ("math", "sqrt"),
    ("torch.optim.sgd", "SGD"),
    ("torch.nn.functional", "mse_loss"),
)
CLAIMS = (
    ["torch.nn.modules.linear.Linear", "torch.nn.modules.module.Module"],
    ["torch.Tensor"],
    ["numpy.ndarray"],
    ["__main__.Mine"],
    ["__main__.Mine", "torch.nn.modules.module.Module"],
    ["matplotlib.figure.Figure"],
    ["torch.utils.data.dataset.Dataset"],
    ["torch.distributions.distribution.Distribution"],
    ["builtins.code"],
    ["builtins.function"],
    ["builtins.dict"],
    ["unittest.mock.MagicMock"],
    [],
)


def _tuple(items: list[Any]) -> msgpack.ExtType:
    return msgpack.ExtType(frames.TUPLE, packed(items))


def _other(*words: Any) -> msgpack.ExtType:
    return msgpack.ExtType(frames.OTHER, packed(_tuple(list(words))))


_TENSOR = msgpack.ExtType(frames.TENSOR, packed(["float64", [3], True, False, None, bytes(24)]))


class Hostile(Channel):
    """Answers each request with something of another kind than it asks for, and asks for what it
    may not.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape, self.asked, self.sent = tape, 0, bytearray()
        self.polite = 1 + tape.below(6)

    def send_bytes(
        self, *pieces: bytes | memoryview, fds: tuple[int, ...] = (), timeout: float | None = None
    ) -> None:
        data = b"".join(pieces)
        self.sent += data
        message = frames.parts(data)
        if message.kind == frames.REQUEST:
            self.asked = message.number

    def receive_bytes(
        self, count: int = 0, timeout: float | None = None, most: int = 0
    ) -> tuple[memoryview, list[int]]:
        if self.tape.ended:
            raise Closed("end of stream")
        if self.polite:  # something that a test can go on with
            self.polite -= 1
            return memoryview(
                frames.message(frames.ANSWER, self.asked, b"", packed(_tuple([self.fitting()])))
            ), []
        what = self.tape.below(8)
        if what == 0:
            body = packed(
                [
                    self.tape.of(("call", "next", "draw", "back", "get", "probe", "attr")),
                    *self.arguments(),
                ]
            )
            return memoryview(frames.message(frames.REQUEST, self.asked, self.state(), body)), []
        if what == 1:
            return memoryview(
                frames.message(frames.ERROR, self.asked, self.state(), packed(self.error()))
            ), []
        answer = _tuple([self.thing()]) if self.tape.below(3) == 0 else self.thing()
        return memoryview(
            frames.message(frames.ANSWER, self.asked, self.state(), packed(answer))
        ), []

    def fitting(self) -> Any:
        """Something that can be taken in: a listed name, an object that claims what it may not be,
        plain data.
        """
        tape = self.tape
        what = tape.below(6)
        if what < 2:
            return _other("reference", *tape.of(GOOD))
        if what < 5:
            kind = tape.of(("object", "object", "function", "class", "generator"))
            return _other(
                "handle",
                1 + tape.below(6),
                kind,
                tape.of(("Mine", "Net", "f")),
                tape.of(CLAIMS),
                _tuple([]),
            )
        return tape.of(
            (
                0.0,
                [1, 2],
                {"w": 2.0},
                _TENSOR,
                msgpack.ExtType(frames.NAMED, packed(["R", ["sub", "dist"], [self.thing(2), 0.0]])),
            )
        )

    def thing(self, depth: int = 0) -> Any:
        """A well-formed value of any kind."""
        tape = self.tape
        what = tape.below(14)
        if what == 0:
            return self.fitting()
        if what < 3:
            return _other("reference", tape.of(MODULES), tape.of(NAMES))
        if what < 6:
            kind = tape.of(("object", "function", "class", "generator", "exception"))
            extra = (
                tape.of(
                    (
                        _tuple([]),
                        _tuple([tape.of(MODULES), tape.of(NAMES)]),
                        _tuple([1.5]),
                        ["ValueError"],
                    )
                )
                if kind != "object"
                else _tuple([])
            )
            return _other(
                "handle",
                1 + tape.below(6),
                kind,
                tape.of(("Mine", "Net", "f")),
                tape.of(CLAIMS),
                extra,
            )
        if what == 6:
            return _other("callback", tape.below(12))
        if what == 7:
            return msgpack.ExtType(frames.SHARED, packed(tape.of((1, 2, 3, 4, 5, -1, -2))))
        if what == 8:
            return msgpack.ExtType(
                frames.GRAPH, packed([tape.below(4), [tape.below(5)] * tape.below(2), _TENSOR])
            )
        if what == 9 and depth < 3:
            fields = tape.of(
                (["sub", "dist"], ["shape", "data"], ["count", "index"], ["loss", "model"])
            )
            return msgpack.ExtType(
                frames.NAMED, packed(["R", fields, [self.thing(depth + 1), self.thing(depth + 1)]])
            )
        if what == 10 and depth < 3:
            return tape.of((list, _tuple))([self.thing(depth + 1), self.thing(depth + 1)])
        if what == 11 and depth < 3:
            return {tape.of(("w", "sub", "exec")): self.thing(depth + 1)}
        if what == 12 and depth < 3:
            code = tape.of(
                (
                    frames.RANGE,
                    frames.SLICE,
                    frames.COMPLEX,
                    frames.DEQUE,
                    frames.INDEX,
                    frames.SERIES,
                    frames.FRACTION,
                    frames.OBJECTS,
                    frames.SIZE,
                )
            )
            return msgpack.ExtType(
                code, packed([self.thing(depth + 1) for _ in range(2 + tape.below(2))])
            )
        return tape.of((0, 1.5, "text", None, True, [1, 2], {"w": 2.0}, _TENSOR))

    def arguments(self) -> list[Any]:
        tape = self.tape
        positional = _tuple([self.thing(1) for _ in range(tape.below(3))])
        named = _tuple(
            [_tuple([tape.of(("out", "key", "self", "__class__")), self.thing(1)])]
            if tape.below(3) == 0
            else []
        )
        return tape.of(
            (
                [tape.below(12)],
                [tape.below(12), positional, named],
                [
                    tape.below(12),
                    tape.of(("normal", "shuffle", "__reduce__", "spawn")),
                    positional,
                    named,
                ],
            )
        )

    def error(self) -> Any:
        tape = self.tape
        names = [
            f"{tape.of(MODULES)}.{tape.of(NAMES)}",
            tape.of(
                (
                    "unittest.case.SkipTest",
                    "_pytest.outcomes.Exit",
                    "builtins.ValueError",
                    "numpy.linalg.LinAlgError",
                )
            ),
        ]
        found = {
            "type": "E",
            "text": "no",
            "names": names,
            "class": self.thing(2),
            "where": [],
            "boundary": bool(tape.below(2)),
            "attributes": {"args": self.thing(2)},
        }
        return found if tape.below(6) else self.thing()

    def state(self) -> bytes:
        tape = self.tape
        if tape.below(4):
            return b""
        key = tape.of(("sync", "free", "drop", "out", "warnings", "training", "names", "seeds"))
        content = {
            "sync": [[tape.of((1, 2, -1, -2, -3)), packed(self.thing(1))]],
            "free": [tape.below(5)],
            "drop": [tape.below(5)],
            "out": [["stdout", "text"]],
            "warnings": [[tape.of(("UserWarning", "os.system", "Warning")), "text"]],
            "training": [[tape.below(4), [True, self.thing(2)]]],
            "names": ["f"],
            "seeds": [["numpy", 3]],
        }
        return packed({key: content[key] if tape.below(4) else self.thing(1)})


#: What a test may do with what it got, that shows nothing of what is expected to anybody.
JUDGES: tuple[Callable[[Any], Any], ...] = (
    lambda p: p.sub(HIDDEN).abs().max() < 1e-6,
    lambda p: p.dist(HIDDEN) < 1e-6,
    lambda p: (p - HIDDEN).abs().max(),
    lambda p: abs(float((HIDDEN - p).sum())),
    lambda p: p == HIDDEN,
    lambda p: HIDDEN in p,
    lambda p: p.symmetric_difference({8675309.25}),
    lambda p: p.intersection({8675309.25}),
    lambda p: p.count(8675309.25),
    lambda p: torch.allclose(p, HIDDEN),
    lambda p: torch.equal(p, HIDDEN),
    lambda p: np.testing.assert_allclose(p, HIDDEN.numpy()),
    lambda p: np.array_equal(p, HIDDEN.numpy()),
    lambda p: p.isclose(HIDDEN).all(),
    lambda p: p < HIDDEN,
    lambda p: p[0].sub(HIDDEN),
    lambda p: p.shape == HIDDEN.shape and p.allclose(HIDDEN),
    lambda p: sorted([p, HIDDEN]),
    lambda p: (lambda f: f(HIDDEN))(p.sub),
    lambda p: p.index(8675309.25),
    lambda p: p.data.equal(HIDDEN),
)
#: What it may do beside: call, look, count.
USES: tuple[Callable[[Any], Any], ...] = (
    lambda p: p(3.0, key=[1]),
    lambda p: p.weight,
    lambda p: p.sub,
    lambda p: p[0],
    lambda p: len(p),
    lambda p: list(zip(p, range(20), strict=False)),
    lambda p: p + 1,
    lambda p: -p,
    lambda p: str(p),
    lambda p: next(p),
    lambda p: isinstance(p, torch.nn.Module) and list(p.named_modules()),
    lambda p: p.w if hasattr(p, "w") else p["w"],
    lambda p: p.sum().backward(),
    lambda p: p.__class__.__name__,
)


@contextlib.contextmanager
def watched(listed: set[int]) -> Iterator[None]:
    """Every call in this thread: none of what is forbidden, of ours nothing but the boundary, of
    the test's nothing but what was handed out; and `resolve` gives nothing but what is `listed`.
    """
    ours = os.path.dirname(os.path.dirname(allowed.__file__))
    true = allowed.resolve
    problems: list[str] = []

    def look(frame: types.FrameType, event: str, what: Any) -> None:
        if event == "c_call" and id(what) in FORBIDDEN:
            caller = frame.f_code.co_filename
            # an attribute of an error of the student's
            error = "/wire/" in caller and what is setattr
            if not error and not any(part in caller for part in _LIBRARIES):
                problems.append(f"{what!r} called from {caller}:{frame.f_lineno}")
        elif event == "call":
            name = frame.f_code.co_filename
            if name.startswith(ours) and "/wire/" not in name:
                problems.append(f"{frame.f_code.co_qualname} of {name} called")
            if name == "<tests>" and frame.f_code.co_name not in ("handed", "items", "<lambda>"):
                problems.append(f"{frame.f_code.co_name} of the test's called")

    def resolve(kind: str, *words: Any) -> Any:
        found = true(kind, *words)
        if found is not None and id(found) not in listed:
            problems.append(f"{kind} {words!r} was resolved to {found!r}")
        return found

    setattr(allowed, "resolve", resolve)  # noqa: B010 - mypy
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
        setattr(allowed, "resolve", true)  # noqa: B010
    assert not problems, problems[:3]


@functools.cache
def warm() -> None:
    """Have libraries do for the first time what they do for the first time, as a judge's
    interpreter does.
    """
    rehearsal.crossing()
    rehearsal.tests()
    codec.decode(codec.encode(torch.float64))
    np.testing.assert_allclose(np.ones(2), np.ones(2))
    for optimizer in (torch.optim.SGD, torch.optim.Adam):
        with contextlib.suppress(Exception):
            optimizer([torch.ones(1, requires_grad=True)], lr=0.1).step()


def _listed() -> set[int]:
    return {
        id(value)
        for kind in ("reference", "equal", "claim", "error", "warning")
        for value in allowed._table(kind, allowed.loaded_libraries()).values()
    }


def try_meaning(tape: Tape) -> None:
    """Whatever well-formed messages mean, only listed objects are resolved or called, and what is
    expected stays here.
    """
    warm()
    channel = Hostile(tape)
    student = Student(
        channel,
        named=frozenset({"f", "Mine"}),
        members={"Mine": ["weight"]},
        copy_back=tape.below(4) == 3,
    )
    student.classes = {"Mine"}
    arguments = (
        np.arange(3.0),
        [1, 2],
        torch.ones(3, requires_grad=True),
        {"w": 1.0},
        _SPACE["handed"],
        np.random.default_rng(4),
        iter([1, 2]),
        torch.nn.Linear(2, 1),
    )
    things: list[Any] = []
    _SPACE["calls"].clear()
    listed = _listed()
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
        watched(listed),
    ):
        warnings.simplefilter("ignore")
        for step in range(12):
            if tape.ended or student.over:
                break
            try:
                if not things:
                    found = student.get("f")
                elif step < 3 and issubclass(type(things[-1]), Proxy):
                    found = student.ask(
                        "call",
                        things[-1],
                        arguments[: 1 + tape.below(len(arguments))],
                        (),
                        level=tape.below(3),
                    )
                elif step < 3:
                    found = student.ask(
                        "probe", "text", "g", (_SPACE["items"](), len), (), level=FREE
                    )
                else:
                    found = tape.of(JUDGES if tape.below(2) else USES)(tape.of(things))
            except RecursionError:
                raise
            except Exception as error:
                declared = isinstance(
                    error, (Gone, BoundaryError, RemoteError, codec.NotPlain)
                ) or hasattr(error, "remote_name")
                REACHED[f"meaning: {'declared' if declared else 'of the test'}"] += 1
                continue
            REACHED[f"meaning: {'proxy' if issubclass(type(found), Proxy) else 'value'}"] += 1
            if step < 3 and not callable(found):
                only_plain(
                    found,
                    PLAIN | MORE | {Proxy, type, types.FunctionType, types.BuiltinFunctionType},
                )
            things.append(found)
    assert not any(mark in channel.sent for mark in _MARKS), "what is expected was sent"
