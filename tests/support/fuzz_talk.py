"""The fuzzer at the trusted end of a conversation: another end that says what a tape decides."""

from __future__ import annotations

import contextlib
import copy
import inspect
import io
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import torch
from fuzz_input import (
    INTS,
    MORE,
    PLAIN,
    REACHED,
    Tape,
    frame,
    mutated,
    only_plain,
    packed,
    same,
    tree,
    value,
)

from autogradient.wire import codec, frames
from autogradient.wire.channel import Channel, Closed
from autogradient.wire.exceptions import RemoteError
from autogradient.wire.peer import Gone
from autogradient.wire.proxies import FREE, BoundaryError, Proxy
from autogradient.wire.student import Student


class Script(Channel):
    """The other end as a tape decides: an answer, an error, a request, nonsense."""

    def __init__(self, tape: Tape) -> None:
        self.tape, self.asked = tape, 0
        self.polite = tape.below(4)  # so many messages that a test can do something with come first

    def send_bytes(
        self, *pieces: bytes | memoryview, fds: tuple[int, ...] = (), timeout: float | None = None
    ) -> None:
        message = frames.parts(b"".join(pieces))
        if message.kind == frames.REQUEST:
            self.asked = message.number

    def receive_bytes(
        self, count: int = 0, timeout: float | None = None, most: int = 0
    ) -> tuple[memoryview, list[int]]:
        if self.tape.ended:
            raise Closed("end of stream")
        message = self.message()
        return memoryview(mutated(self.tape, message) if self.tape.below(40) == 39 else message), []

    def message(self) -> bytes:
        """One message, mostly well-formed on the outside; perhaps with raw bytes."""
        tape = self.tape
        if self.polite:
            self.polite -= 1
            return frames.message(frames.ANSWER, self.asked, b"", packed(_tuple([self.known()])))
        what = tape.below(16)
        number = (
            self.asked if tape.below(16) < 15 else tape.of([n for n in INTS[:14] if abs(n) < 2**63])
        )
        if what < 10:
            return frames.message(frames.ANSWER, number, self.state(), self.body()) + bytes(
                8 * tape.below(4)
            )
        if what < 12:
            return frames.message(frames.ERROR, number, self.state(), packed(self.error()))
        if what < 15:
            operation = tape.of(("call", "back", "next", "draw", "other", 3))
            content = [tape.below(12), *tape.some(lambda: self.thing(1), 3)]
            return frames.message(
                frames.REQUEST,
                number,
                self.state(),
                packed([operation, *content] if tape.below(4) else self.thing()),
            )
        return packed(tree(tape))

    def body(self) -> bytes:
        return packed(self.thing()) if self.tape.below(24) < 23 else frame(self.tape)

    def thing(self, depth: int = 0) -> Any:
        """A value in a message: plain, a handle, a shared object, a result with a history, or any
        tree.
        """
        tape = self.tape
        what = tape.below(10)
        if what < 3:
            return self.handle()
        if what == 3:
            return _tuple([self.thing(depth + 1)]) if depth < 4 else None
        if what == 4 and tape.below(2):
            return msgpack.ExtType(
                frames.ARRAY, packed(["<f8", [1], tape.of((8, 8, 16, -8, 2**40, 0))])
            )
        if what == 4:
            return msgpack.ExtType(frames.SHARED, packed(self.number()))
        if what == 5:
            numbers = [self.number() for _ in range(tape.below(3))]
            return msgpack.ExtType(
                frames.GRAPH,
                packed([tape.below(9), numbers, msgpack.ExtType(frames.TENSOR, _TENSOR_BODY)]),
            )
        if what < 8:
            with contextlib.suppress(codec.NotPlain):
                return msgpack.unpackb(codec.encode(value(tape, 2)), strict_map_key=False)
        return tree(tape, 3)

    def number(self) -> Any:
        return self.tape.of((1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, 99, 0))

    def known(self) -> Any:
        """A handle as it should be, or a tensor that needs gradients."""
        tape = self.tape
        number, kind = (
            tape.below(4),
            tape.of(("object", "function", "class", "generator", "tensor")),
        )
        if kind == "tensor":
            return msgpack.ExtType(
                frames.GRAPH, packed([number, [], msgpack.ExtType(frames.TENSOR, _TENSOR_BODY)])
            )
        lines = {
            "object": tape.of(
                (["__main__.Net", "torch.nn.modules.module.Module"], ["__main__.Mine"])
            ),
            "function": ["builtins.function"],
        }.get(kind, [])
        return msgpack.ExtType(
            frames.OTHER, packed(_tuple(["handle", number, kind, "Mine", lines, _tuple([])]))
        )

    def handle(self) -> Any:
        tape = self.tape
        if tape.below(3):
            return self.known()
        kind = tape.of(
            ("object", "object", "function", "class", "generator", "exception", "other", 5)
        )
        name = tape.of(("Net", "f", "", "x" * 300, 7, "__main__"))
        lines = tape.of(
            (
                ["__main__.Net", "torch.nn.modules.module.Module"],
                ["builtins.function"],
                ["torch.Tensor"],
                ["__main__.Mine"],
                [],
                [3],
                "x",
            )
        )
        extra = tape.of(
            ([], [1.5], ["ValueError"], [[4, "E", ["KeyError"]]], None, [[1]], [["x", 2, 3]])
        )
        what = tape.of(
            ("handle", "handle", "handle", "handle", "callback", "plain", "reference", "nothing")
        )
        rest = (
            [
                tape.below(4),
                kind,
                name,
                lines,
                extra
                if kind == "exception" or type(extra) is not list or tape.below(4) == 0
                else _tuple(extra),
            ]
            if what == "handle"
            else tape.of(
                ([5], [[1, 2]], ["torch", "relu"], ["torch.nn", "Linear"], ["os", "system"], [{}])
            )
        )
        return msgpack.ExtType(frames.OTHER, packed(_tuple([what, *rest])))

    def error(self) -> Any:
        tape = self.tape
        names = tape.of(
            (
                ["ValueError"],
                ["SystemExit"],
                ["KeyboardInterrupt"],
                ["StopIteration"],
                ["UnicodeDecodeError"],
                ["NoSuch"],
                3,
                [3],
                ["OSError", "Exception"],
            )
        )
        found = {
            "type": tape.of(("E", 3)),
            "text": tape.of(("no", None)),
            "names": names,
            "class": tape.of((None, self.handle())),
            "where": tape.of(([], ["a"], 3)),
        }
        found |= {
            "boundary": tape.of((False, True, 1)),
            "attributes": tape.of(
                (None, {"n": 1}, {"args": 3}, {"__class__": 3}, {"": 1}, {"with_traceback": None})
            ),
        }
        return found if tape.below(8) else tree(tape, 3)

    def state(self) -> Any:
        tape = self.tape
        if tape.below(4) < 3:
            return packed({})
        if tape.below(12) == 11:
            return packed(tree(tape))
        found: dict[str, Any] = {}
        for _ in range(1 + tape.below(2)):
            key = tape.of(
                (
                    "sync",
                    "sync",
                    "free",
                    "drop",
                    "out",
                    "warnings",
                    "training",
                    "seeds",
                    "errors",
                    "names",
                )
            )
            if key == "sync":
                found[key] = [
                    [self.number(), packed(self.thing(1))] if tape.below(8) else self.thing(3)
                    for _ in range(1 + tape.below(3))
                ]
            elif key in ("free", "drop"):
                found[key] = (
                    [self.number() for _ in range(tape.below(4))]
                    if tape.below(8)
                    else tree(tape, 4)
                )
            else:
                found[key] = tape.of(
                    (
                        [["stdout", "text"]],
                        [["RuntimeWarning", "text"]],
                        [[1, [True, False]]],
                        [],
                        None,
                        3,
                        [[1]],
                        [[[], 2]],
                        tree(tape, 4),
                    )
                )
        return packed(found)


def _tuple(items: list[Any]) -> msgpack.ExtType:
    return msgpack.ExtType(frames.TUPLE, packed(items))


_TENSOR_BODY = packed(["float32", [2], True, False, None, b"\0" * 8])

#: What a test may do with what it got.
USES: tuple[Callable[[Any, Any], Any], ...] = (
    lambda p, s: p.weight,
    lambda p, s: p[0],
    lambda p, s: len(p),
    lambda p, s: [item for item, _ in zip(p, range(20), strict=False)],
    lambda p, s: p(3, key=[1]),
    lambda p, s: p + 1,
    lambda p, s: 1 - p,
    lambda p, s: p == p,
    lambda p, s: p != 3,
    lambda p, s: str(p),
    lambda p, s: f"{p!r:>10}",
    lambda p, s: bool(p),
    lambda p, s: float(p),
    lambda p, s: next(p),
    lambda p, s: copy.copy(p),
    lambda p, s: copy.deepcopy(p),
    lambda p, s: inspect.signature(p),
    lambda p, s: isinstance(p, s),
    lambda p, s: isinstance(p, torch.nn.Module) and list(p.named_modules()),
    lambda p, s: setattr(p, "x", np.ones(2)),
    lambda p, s: p.__setitem__(0, 1),
    lambda p, s: p.__enter__() and p.__exit__(None, None, None),
    lambda p, s: p.sum().backward(),
    lambda p, s: np.asarray(p) if isinstance(p, (list, tuple, np.ndarray)) else p.__doc__,
    lambda p, s: torch.autograd.grad(p.sum(), [s], allow_unused=True),
    lambda p, s: hash(p),
    lambda p, s: p @ s,
)


def try_conversation(tape: Tape) -> None:
    """Whatever the student's end says, a test gets plain data, a proxy or an exception, and its own
    objects stay as they were.
    """
    student = Student(Script(tape), named=frozenset({"f", "Mine"}), copy_back=tape.below(4) == 3)
    ours: list[Any] = [
        [1, [2, 3]],
        {"a": [1]},
        np.arange(3.0),
        torch.ones(2),
        torch.ones(2, requires_grad=True),
        {4, 5},
        bytearray,
    ]
    model = torch.nn.Linear(2, 1)
    numbers = [copy.deepcopy(item) for item in ours[:6]]
    things: list[Any] = []
    with (
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        for step in range(12):
            if tape.ended or student.over:
                break
            try:
                if step == 0 or not things:
                    found = student.get("f")
                elif step == 1:
                    found = student.ask(
                        "call",
                        things[-1],
                        (*ours[: 1 + tape.below(6)], *([model] if tape.below(2) else ())),
                        (),
                        level=tape.below(3),
                    )
                elif step == 2:
                    found = student.ask(
                        "probe",
                        "text",
                        "g",
                        (np.random.default_rng(1), len, iter([1])),
                        (),
                        level=FREE,
                    )
                else:
                    found = tape.of(USES)(tape.of(things), ours[4])
            except RecursionError:
                raise
            except Exception as error:
                _acceptable(error, student)
                continue
            REACHED[
                (
                    "conversation: "
                    f"{'proxy' if issubclass(type(found), Proxy) else 'value'} at "
                    f"{min(step, 2)}"
                )
            ] += 1
            if not isinstance(found, (inspect.Signature, np.random.Generator)):
                only_plain(found, PLAIN | MORE | {Proxy})
            things.append(found)
    for before, now in zip(numbers, ours, strict=False):
        assert student.copy_back or same(before, now), f"the test's own {before!r} became {now!r}"
    assert not any(
        isinstance(thing, torch.Tensor) for thing in things if issubclass(type(thing), Proxy)
    ), "a proxy passes for a tensor"


def _acceptable(error: Exception, student: Student) -> None:
    """An exception that a test may well get: the conversation is over, the student raised
    something, or what was asked cannot be done to such an object.
    """
    REACHED[f"conversation: {type(error).__name__}"] += 1
    if isinstance(error, (Gone, BoundaryError, RemoteError, codec.NotPlain)) or hasattr(
        error, "remote_name"
    ):
        return
    where = traceback.extract_tb(error.__traceback__)[-1]
    files = (
        "/wire/peer.py",
        "/wire/contents.py",
        "/wire/codec.py",
        "/wire/boundary.py",
        "/wire/lifting.py",
        "/wire/channel.py",
        "/wire/autograd.py",
    )
    inside = where.filename.endswith(files) or where.name in (
        "send_bytes",
        "use_state",
        "fail",
        "lift",
        "class_of",
        "raised",
        "serve",
    )
    assert not inside, (
        f"{type(error).__name__} inside {where.filename}:{where.lineno} in {where.name}: {error}"
    )
