"""What the fuzzer feeds on: tapes of bytes that decide what is built, values and frames, and what
may come out.
"""

from __future__ import annotations

import collections
import contextlib
import decimal
import fractions
import struct
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pandas
import torch

from autogradient.wire import codec, frames
from autogradient.wire.proxies import Proxy

#: Bytes of a tape.
TAPE = 300


#: How far the inputs got that were tried in this process.
REACHED: collections.Counter[str] = collections.Counter()


class Tape:
    """Bytes that decide; where they end, the simplest choice is taken."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    @property
    def ended(self) -> bool:
        return self.at >= len(self.data)

    def raw(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        self.at += count
        return piece

    def below(self, count: int) -> int:
        return int.from_bytes(self.raw(1 if count <= 256 else 4), "big") % count

    def of(self, items: Any) -> Any:
        return items[self.below(len(items))]

    def some(self, make: Callable[[], Any], most: int = 6) -> list[Any]:
        return [make() for _ in range(self.below(most + 1)) if not self.ended]


# ---- values and frames ---------------------------------------------------------------------------

INTS = (
    0,
    1,
    -1,
    2,
    3,
    7,
    40,
    200,
    65_536,
    -(2**31),
    2**31,
    2**48,
    2**63,
    -(2**63),
    2**64,
    10**30,
    10**9,
)
_FLOATS = (0.0, -0.0, 1.5, 1e308, 5e-324, float("inf"), float("-inf"), float("nan"))
_WORDS = (
    "",
    "a",
    "ä",
    "\N{GRINNING FACE}",
    "\ud800",
    "x" * 70_000,
    "None",
    "__class__",
    "inf",
    "sNaN",
    "1e9",
    "-0x1f",
    "b1",
    "<f8",
    ">i4",
    "|O",
    "<U9999999",
)
_NAMES = (
    "float32",
    "float64",
    "int64",
    "bool",
    "quint8",
    "bits8",
    "complex64",
    "cpu",
    "cuda:99",
    "meta",
    "nn",
    "numpy.ndarray",
    "builtins.type",
    "M8[ns]",
    "V8",
)
_DTYPES = ("<f8", ">f4", "|b1", "<i8", "|u1", "<c16", "<U3", "|S2", "<M8[ns]", "<f2")
_TORCH = (
    torch.float32,
    torch.float64,
    torch.int64,
    torch.bool,
    torch.complex64,
    torch.bfloat16,
    torch.uint8,
)
_Point = collections.namedtuple("_Point", "x y")
_CODES = frames.OTHER + 1


def value(tape: Tape, depth: int = 0) -> Any:
    """Plain data, of every kind that crosses."""
    deeper = lambda: value(tape, depth + 1)  # noqa: E731

    def key() -> Any:
        return tape.of((tape.of(_WORDS[:4]), tape.below(9), (tape.below(3), None), True, b"k", 1.5))

    makers: list[Callable[[], Any]] = [
        lambda: None,
        lambda: tape.of(INTS),
        lambda: tape.of(_FLOATS),
        lambda: tape.of([w for w in _WORDS if w != "\ud800"]),
        lambda: tape.raw(tape.below(20)),
        lambda: tape.of(
            (
                True,
                False,
                ...,
                slice(1, None, 2),
                range(0, 9, 2),
                complex(0, float("inf")),
                fractions.Fraction(1, 3),
                decimal.Decimal("-1.50"),
            )
        ),
        lambda: _array(tape),
        lambda: _tensor(tape),
        lambda: tape.of(
            (
                np.float32(1.5),
                np.int8(-3),
                np.datetime64("2020-01-01"),
                np.dtype("<f4"),
                torch.float16,
                torch.Size([2, 3]),
                torch.device("cpu"),
                int,
            )
        ),
    ]
    if depth < 4:
        makers += [
            lambda: tape.some(deeper),
            lambda: tuple(tape.some(deeper)),
            lambda: {key(): deeper() for _ in range(tape.below(4))},
            lambda: collections.OrderedDict((key(), deeper()) for _ in range(tape.below(4))),
            lambda: collections.Counter({key(): tape.below(9) for _ in range(tape.below(4))}),
            lambda: tape.of((set, frozenset))(key() for _ in range(tape.below(4))),
            lambda: collections.deque(tape.some(deeper), tape.of((None, 9))),
            lambda: _Point(deeper(), deeper()),
            lambda: _objects(tape.some(deeper)),
            lambda: pandas.Series(_numbers(tape), name=tape.of((None, "a"))),
            lambda: pandas.DataFrame(
                {"a": (numbers := _numbers(tape)), "b": [str(n) for n in numbers]}
            ),
        ]
    return tape.of(makers)()


def _numbers(tape: Tape) -> list[float]:
    return [float(tape.below(9)) for _ in range(tape.below(4))]


def _array(tape: Tape) -> np.ndarray:
    shape = tape.of(((), (0,), (3,), (2, 2), (1, 0, 2)))
    return (
        np.frombuffer(bytes(tape.raw(1)) * 512, np.uint8)[: int(np.prod(shape))]
        .reshape(shape)
        .astype(tape.of(_DTYPES))
        if not tape.ended
        else np.zeros(shape)
    )


def _tensor(tape: Tape) -> torch.Tensor:
    made = torch.ones(tape.of(((), (0,), (3,), (2, 2)))).to(tape.of(_TORCH))
    return torch.nn.Parameter(made) if tape.below(4) == 3 and made.is_floating_point() else made


def _objects(items: list[Any]) -> np.ndarray:
    made = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        made[index] = item
    return made


def tree(tape: Tape, depth: int = 0) -> Any:
    """What msgpack can hold: extensions of every code with anything in them."""
    deeper = lambda: tree(tape, depth + 1)  # noqa: E731
    kind = tape.below(8 if depth > 6 else 14)
    if kind < 2:
        return tape.of(INTS[:14])
    if kind < 4:
        return tape.of(
            (tape.of(_WORDS[:4]), tape.of(_WORDS[6:]), tape.of(_NAMES), tape.of(_DTYPES))
        )
    if kind < 8:
        return tape.of(
            (
                None,
                True,
                tape.of(_FLOATS),
                tape.raw(tape.below(20)),
                [],
                [tape.below(9) for _ in range(tape.below(4))],
                {},
            )
        )
    if kind < 10:
        return tape.some(deeper)
    if kind == 10:
        return {tape.of(("a", "b", "type", "text")): deeper() for _ in range(tape.below(4))}
    code = tape.below(_CODES) if tape.below(12) else tape.of((-1, 31, 127, -128))
    content = (
        deeper()
        if code in (frames.DTYPE, frames.BIGINT, frames.TYPE, frames.SHARED)
        else tape.some(deeper)
    )
    # it does not like codes below 0
    made: Any = tuple.__new__(msgpack.ExtType, (code, packed(content)))
    return made


def packed(thing: Any) -> bytes:
    """As msgpack; half characters as they are."""
    data: bytes = msgpack.packb(thing, use_bin_type=True, unicode_errors="surrogatepass")
    return data


def _seeds() -> list[bytes]:
    """Valid frames, a few of each kind."""
    rng = np.random.default_rng(0)
    found: dict[tuple[int, int], bytes] = {}
    for _ in range(3000):
        with contextlib.suppress(codec.NotPlain):
            data = codec.encode(value(Tape(rng.bytes(40))))
            if len(data) < 400:
                found.setdefault((data[0], data[2] if len(data) > 2 else 0), data)
    return list(found.values())


SEEDS = _seeds()


def mutated(tape: Tape, data: bytes) -> bytes:
    """`data` with some bytes changed, cut out, doubled or put in."""
    made = bytearray(data)
    for _ in range(1 + tape.below(4)):
        at = tape.below(len(made) + 1)
        what = tape.below(6)
        if what == 0:
            made[at : at + 1] = tape.raw(1)
        elif what == 1:
            del made[at : at + 1 + tape.below(8)]
        elif what == 2:
            made[at:at] = made[at : at + 1 + tape.below(32)]
        elif what == 3:
            made[at:at] = _lie(tape)
        elif what == 4:
            made[at : at + 4] = tape.of(
                (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x10\0\0\0")
            )
        else:
            made[at:at] = tape.of(SEEDS)[: 1 + tape.below(40)]
    return bytes(made)


def _lie(tape: Tape) -> bytes:
    """The beginning of something that says it is larger than it is."""
    head = tape.of(
        (b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9", b"\xdc", b"\xde", b"\xda", b"\xc5", b"\xc8")
    )
    size = tape.of((0xFFFFFFFF, 0x7FFFFFFF, 2_000_001, 2_000_000, 100_001, 0xFFFF, 70, 1))
    number = (
        struct.pack("!I", size)
        if head[0] in b"\xdd\xdf\xdb\xc6\xc9"
        else struct.pack("!H", min(size, 0xFFFF))
    )
    return bytes(head + number + (bytes([tape.below(32)]) if head[0] in b"\xc9\xc8" else b""))


def frame(tape: Tape) -> bytes:
    """Bytes that may be a frame: noise, a changed valid one, any tree, a lie about its size."""
    what = tape.below(8)
    if what == 0:
        return tape.raw(TAPE)
    if what < 3:
        return mutated(tape, tape.of(SEEDS))
    if what == 3:
        return mutated(tape, packed(tree(tape)))
    if what == 4:
        return _lie(tape) + tape.raw(20)
    if what == 5:
        return bytes(tape.of((b"\x91", b"\x81\xa1a", b"\xd4\x01", b"\xc7\x01\x00"))) * (
            1 + tape.below(3000)
        ) + tape.raw(9)
    return packed(tree(tape))


# ---- what must hold ------------------------------------------------------------------------------

PLAIN = {type(None), bool, int, float, str, bytes, list, dict}
MORE = {
    complex,
    tuple,
    set,
    frozenset,
    slice,
    range,
    type(...),
    fractions.Fraction,
    decimal.Decimal,
    collections.OrderedDict,
    collections.Counter,
}
MORE |= {
    collections.defaultdict,
    collections.deque,
    np.ndarray,
    torch.Tensor,
    torch.nn.Parameter,
    torch.Size,
    torch.dtype,
    torch.device,
    type,
}
MORE |= {pandas.DataFrame, pandas.Series, np.bool_, object}


def only_plain(thing: Any, allowed: set[type]) -> None:
    """Assert that there is nothing in it but the types allowed."""
    queue = [thing]
    while queue:
        item = queue.pop()
        kind = type(item)
        # callable: a library's function, by its name, or the test's own again
        if Proxy in allowed and (issubclass(kind, Proxy) or callable(item)):
            continue
        if len(allowed) > len(PLAIN) and (
            isinstance(item, (np.generic, np.dtype, pandas.Index))
            or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
        ):
            assert kind.__module__.split(".")[0] in ("numpy", "pandas", "autogradient"), kind
        elif isinstance(item, type) and len(allowed) > len(PLAIN):
            # the latter: the student's exceptions
            assert item in frames.PLAIN_TYPES.values() or item.__module__ == "submission", item
            continue
        else:
            assert kind in allowed, f"{kind} came out"
        if isinstance(item, dict):
            queue += [*item.keys(), *item.values()]
        elif isinstance(item, (list, tuple, set, frozenset, collections.deque)):
            queue += list(item)
        elif isinstance(item, np.ndarray) and item.dtype == object:
            queue += item.ravel().tolist()


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal, their types too and bit for bit."""
    if isinstance(a, _Point):
        return type(b).__name__ == "_Point" and b._fields == a._fields and same(tuple(a), tuple(b))
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple, collections.deque)):
        return (
            len(a) == len(b)
            and all(map(same, a, b))
            and getattr(a, "maxlen", None) == getattr(b, "maxlen", None)
        )
    if isinstance(a, dict):
        return same(list(a), list(b)) and same(list(a.values()), list(b.values()))
    if isinstance(a, torch.Tensor):
        alike = (a.dtype, a.shape, a.requires_grad) == (b.dtype, b.shape, b.requires_grad)
        return alike and torch.equal(a, b)
    if isinstance(a, (np.ndarray, np.generic)):
        if a.dtype == object:
            return a.shape == b.shape and same(a.ravel().tolist(), b.ravel().tolist())
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, (pandas.Series, pandas.DataFrame)):
        return (
            bool(a.equals(b))
            and same(getattr(a, "name", None), getattr(b, "name", None))
            and list(a.index) == list(b.index)
        )
    return repr(a) == repr(b) if isinstance(a, (float, complex)) else bool(a == b)
