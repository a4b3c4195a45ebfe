"""Plain data as bytes and back: MessagePack with exact types. Never pickle, never code.

Plain are None, bool, int, float, complex, Fraction, Decimal, str, bytes, list, tuple, named tuples,
dict (OrderedDict, Counter, defaultdict), set, frozenset, deque, slice, range, Ellipsis, NumPy
arrays, scalars and dtypes, torch tensors (dense; from a card they come as copies on the CPU),
sizes, dtypes and devices, and pandas frames, series and indexes: of exactly these types, for a
subclass could lie about itself. Depth, count and size are bounded.

What is not plain goes to a `Boundary`, which knows what stands for it; without one it raises
`NotPlain`.
"""

from __future__ import annotations

import collections
import decimal
import fractions
import sys
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

from autogradient.wire.boundary import Boundary
from autogradient.wire.frames import (
    ARRAY,
    BIGINT,
    COMPLEX,
    COUNTER,
    DECIMAL,
    DEFAULT,
    DEQUE,
    DEVICE,
    DICT,
    DTYPE,
    DTYPES,
    ELLIPSIS,
    FRACTION,
    FRAME,
    FROZENSET,
    GRAPH,
    HANDLE,
    INDEX,
    MAX_BYTES,
    MAX_CONTAINERS,
    MAX_DEPTH,
    MAX_ITEMS,
    MAX_PLAIN_BYTES,
    NAMED,
    NO_RAWS,
    OBJECTS,
    ORDERED,
    OTHER,
    PLAIN_TYPES,
    RANGE,
    SCALAR,
    SERIES,
    SET,
    SHARED,
    SIZE,
    SLICE,
    TENSOR,
    TORCH_DTYPE,
    TUPLE,
    TYPE,
    BadFrame,
    NotPlain,
)
from autogradient.wire.lifting import LIFT, as_int, object_array

__all__ = [
    "MAX_BYTES",
    "MAX_PLAIN_BYTES",
    "BadFrame",
    "Boundary",
    "NotPlain",
    "decode",
    "decode_plain",
    "encode",
    "field_names",
]

#: Bytes of an array that go along by themselves; fewer are copied in less time.
MIN_RAW = 16 * 1024
#: Without the checks that `msgpack.ExtType(…)` makes: codes and bytes are ours.
_extension = msgpack.ExtType._make
#: Most calls have no named arguments.
_NO_ITEMS = _extension((TUPLE, msgpack.packb([])))
_SHAREABLE = (list, dict, set, np.ndarray)
_ATOMS = {bool, float, str, bytes, type(None)}

# ---- to bytes ------------------------------------------------------------------------------------


def encode(
    value: Any,
    boundary: Boundary | None = None,
    *,
    bare: bool = False,
    raws: list[memoryview] | None = None,
) -> bytes:
    """`value` as bytes; with `bare` its content even where it is shared. Raises NotPlain where
    anything in it is not plain data or is too large.

    The numbers of large arrays and tensors are not copied but added to `raws`, where that is given.
    """
    try:
        return _Lowering(boundary or Boundary(), raws).pack(value, bare)
    except (RecursionError, ValueError, OverflowError) as error:
        raise NotPlain(f"a value that cannot be sent ({error})") from None


class _Lowering:
    """One value on its way to MessagePack: everything that MessagePack lacks becomes an extension
    type.
    """

    def __init__(self, boundary: Boundary, raws: list[memoryview] | None) -> None:
        self.boundary, self.raws = boundary, raws
        self.left = MAX_ITEMS
        self.room = MAX_BYTES
        self.packer = msgpack.Packer(use_bin_type=True, buf_size=4096)

    def pack(self, value: Any, bare: bool = False) -> bytes:
        return self.bytes_of(self.lower(value, 0, bare))

    def bytes_of(self, lowered: Any) -> bytes:
        data: bytes = self.packer.pack(lowered)
        if len(data) > self.room:
            raise NotPlain(f"a value of {len(data) // 1_000_000} MB")
        return data

    def numbers(self, flat: np.ndarray) -> Any:
        """The bytes of a contiguous array, or, where they go along by themselves, how many they
        are.
        """
        if self.raws is None or flat.nbytes < MIN_RAW:
            return flat.tobytes()
        self.room -= flat.nbytes
        if self.room < 0:
            raise NotPlain(f"a value of {flat.nbytes // 1_000_000} MB and more")
        self.raws.append(flat.reshape(-1).view(np.uint8).data)
        return flat.nbytes

    def raw(self, value: np.ndarray) -> list[Any]:
        if not DTYPES.fullmatch(value.dtype.str):
            raise NotPlain(f"an array of dtype {value.dtype}")
        return [value.dtype.str, list(value.shape), self.numbers(np.ascontiguousarray(value))]

    def extension(self, code: int, lowered: Any) -> msgpack.ExtType:
        return _extension((code, self.bytes_of(lowered)))

    def lower(self, value: Any, depth: int, bare: bool = False) -> Any:
        kind = type(value)
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0:
            raise NotPlain("a value that is too deep or too long")
        if value is None or kind in (bool, float, str, bytes):
            return value
        if kind is int:
            return value if -(2**63) <= value < 2**64 else self.extension(BIGINT, hex(value))
        handler = _LOWER.get(kind)
        if handler is not None:
            number = self.boundary.share(value) if kind in _SHAREABLE and not bare else None
            return handler(self, value, depth) if number is None else self.extension(SHARED, number)
        handle = self.boundary.handle(value)
        if handle is not None:
            return self.extension(HANDLE, handle)
        torch = sys.modules.get("torch")
        if torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
            graph = None if bare else self.boundary.graph(value)
            if graph is not None:
                return self.extension(GRAPH, [*graph, self.extension(TENSOR, self.tensor(value))])
            number = None if bare else self.boundary.share(value)
            return (
                self.extension(TENSOR, self.tensor(value))
                if number is None
                else self.extension(SHARED, number)
            )
        return self._rare(value, kind, depth)

    def items(self, values: Any, depth: int) -> list[Any]:
        """A sequence of lowered items; long ones of simple values cost little."""
        kinds = set(map(type, values))
        if kinds <= _ATOMS or (kinds == {int} and min(values) >= -(2**63) and max(values) < 2**63):
            self.left -= len(values)
            if self.left < 0:
                raise NotPlain("a value that is too long")
            return list(values)
        return [self.lower(item, depth + 1) for item in values]

    def mapping(self, value: dict[Any, Any], depth: int) -> Any:
        if all(type(key) is str for key in value):
            return {key: self.lower(item, depth + 1) for key, item in value.items()}
        return self.extension(DICT, self.pairs(value, depth))

    def pairs(self, value: dict[Any, Any], depth: int) -> list[list[Any]]:
        return [
            [self.lower(key, depth + 1), self.lower(item, depth + 1)] for key, item in value.items()
        ]

    def array(self, value: np.ndarray, depth: int) -> Any:
        if value.dtype.kind == "O":
            return self.extension(
                OBJECTS, [list(value.shape), self.items(value.ravel().tolist(), depth)]
            )
        return self.extension(ARRAY, self.raw(value))

    def tensor(self, value: Any) -> list[Any]:
        torch = sys.modules["torch"]
        if (
            value.layout is not torch.strided
            or value.device.type not in ("cpu", "cuda")
            or value.is_quantized
        ):
            raise NotPlain(f"a tensor on {value.device} ({value.layout})")
        try:
            flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
            raw = self.numbers(flat.reshape(-1).view(torch.uint8).numpy()) if flat.numel() else b""
        except RuntimeError:  # torch.func's tensors hold no numbers
            raise NotPlain(
                "a tensor without numbers of its own, as torch.func makes them; do this in "
                "a @probe function"
            ) from None
        name = str(flat.dtype).removeprefix("torch.")
        grad = (
            self.tensor(value.grad.detach()) if value.is_leaf and value.grad is not None else None
        )
        return [
            name,
            list(flat.shape),
            bool(value.requires_grad),
            type(value) is torch.nn.Parameter,
            grad,
            raw,
        ]

    def _rare(self, value: Any, kind: type, depth: int) -> Any:
        if isinstance(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind != "V":
            return self.extension(SCALAR, self.raw(np.asarray(value)))
        if isinstance(value, np.dtype):
            if not DTYPES.fullmatch(value.str):
                raise NotPlain(f"the dtype {value}")
            return self.extension(DTYPE, value.str)
        if value is Ellipsis:
            return self.extension(ELLIPSIS, None)
        names = field_names(value)
        if names is not None:
            return self.extension(
                NAMED,
                [kind.__name__, names, self.items(tuple.__getitem__(value, slice(None)), depth)],
            )
        torch = sys.modules.get("torch")
        if torch is not None:
            if kind is torch.Size:
                return self.extension(SIZE, list(value))
            if kind is torch.dtype:
                return self.extension(TORCH_DTYPE, str(value).removeprefix("torch."))
            if kind is torch.device:
                return self.extension(DEVICE, str(value))
        pandas: Any = sys.modules.get("pandas")
        if pandas is not None and str(kind.__module__).split(".")[0] == "pandas":
            found = self._pandas(pandas, value, kind, depth)
            if found is not None:
                return found
        if kind is type:
            path = f"{value.__module__}.{value.__qualname__}"
            if PLAIN_TYPES.get(path) is value:
                return self.extension(TYPE, path)
        return self.extension(OTHER, self.lower(self.boundary.lower(value), depth + 1))

    def _pandas(self, pandas: Any, value: Any, kind: type, depth: int) -> Any:
        def column(values: Any) -> Any:
            array = values.to_numpy()
            return self.lower(
                array if array.dtype.kind in "biufcmM" else object_array(values.tolist()), depth + 1
            )

        def index(values: Any) -> list[Any]:
            return [column(values), self.items(list(values.names), depth + 1)]

        if kind is pandas.Series:
            return self.extension(
                SERIES, [column(value), index(value.index), self.lower(value.name, depth + 1)]
            )
        if kind is pandas.DataFrame:
            return self.extension(
                FRAME,
                [
                    [column(value.iloc[:, i]) for i in range(value.shape[1])],
                    index(value.index),
                    index(value.columns),
                ],
            )
        if isinstance(value, pandas.Index) and kind.__name__ in (
            "Index",
            "RangeIndex",
            "DatetimeIndex",
            "MultiIndex",
        ):
            return self.extension(INDEX, index(value))
        return None


def field_names(value: Any) -> list[str] | None:
    """The fields of an instance of a class that `collections.namedtuple`, `typing.NamedTuple` or
    torch (`torch.return_types`) made; None for anything else.
    """
    kind = type(value)
    if not issubclass(kind, tuple) or kind is tuple:
        return None
    names = getattr(kind, "_fields", None) or getattr(kind, "__match_args__", None)
    if (
        type(names) is tuple
        and names
        and len(names) == tuple.__len__(value)
        and all(type(name) is str for name in names)
    ):
        return list(names)
    return None


_LOWER: dict[type, Callable[[_Lowering, Any, int], Any]] = {
    list: lambda s, v, d: s.items(v, d),
    tuple: lambda s, v, d: s.extension(TUPLE, s.items(v, d)) if v else _NO_ITEMS,
    set: lambda s, v, d: s.extension(SET, s.items(v, d)),
    frozenset: lambda s, v, d: s.extension(FROZENSET, s.items(v, d)),
    dict: lambda s, v, d: s.mapping(v, d),
    collections.OrderedDict: lambda s, v, d: s.extension(ORDERED, s.pairs(v, d)),
    collections.Counter: lambda s, v, d: s.extension(COUNTER, s.pairs(v, d)),
    collections.defaultdict: lambda s, v, d: s.extension(DEFAULT, s.pairs(v, d)),
    collections.deque: lambda s, v, d: s.extension(DEQUE, [s.items(v, d), v.maxlen]),
    type({}.keys()): lambda s, v, d: s.items(list(v), d),
    type({}.values()): lambda s, v, d: s.items(list(v), d),
    type({}.items()): lambda s, v, d: s.items(list(v), d),
    complex: lambda s, v, d: s.extension(COMPLEX, [v.real, v.imag]),
    slice: lambda s, v, d: s.extension(
        SLICE, [s.lower(part, d + 1) for part in (v.start, v.stop, v.step)]
    ),
    range: lambda s, v, d: s.extension(
        RANGE, [s.lower(part, d + 1) for part in (v.start, v.stop, v.step)]
    ),
    fractions.Fraction: lambda s, v, d: s.extension(
        FRACTION, [hex(v.numerator), hex(v.denominator)]
    ),
    decimal.Decimal: lambda s, v, d: s.extension(DECIMAL, str(v)),
    np.ndarray: lambda s, v, d: s.array(v, d),
}


# ---- from bytes ----------------------------------------------------------------------------------


def decode(
    data: bytes | memoryview, boundary: Boundary | None = None, *, raws: memoryview = NO_RAWS
) -> Any:
    """The value that `encode` made the bytes from; `raws` are all of its raws joined. Raises
    BadFrame for anything else; nothing in the bytes is run.
    """
    try:
        return _Lifting(boundary or Boundary(), raws).unpack(data)
    except BadFrame:
        raise
    except (Exception, MemoryError) as error:
        raise BadFrame(f"{type(error).__name__}: {error}"[:300]) from None


def decode_plain(data: bytes | memoryview) -> Any:
    """Like `decode`, for None, bool, numbers, str, bytes, lists and dicts with text as keys only:
    all that may come to the grader itself.
    """

    left = [MAX_CONTAINERS]

    def refuse(code: int, _: bytes) -> Any:
        raise BadFrame(f"extension {code} in a plain message")

    def count(container: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise BadFrame("too many lists")
        return container

    try:
        return msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            timestamp=1,
            ext_hook=refuse,
            list_hook=count,
            object_hook=count,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
        )
    except BadFrame:
        raise
    except (Exception, MemoryError) as error:
        raise BadFrame(f"{type(error).__name__}: {error}"[:300]) from None


#: What the body of an extension type is: data that asks nothing when it is taken apart.
_BODIES = (list, str, bytes, type(None))


class _Lifting:
    def __init__(self, boundary: Boundary, raws: memoryview) -> None:
        self.boundary, self.raws = boundary, raws
        self.depth = -1

    def unpack(self, data: bytes | memoryview) -> Any:
        self.depth += 1
        if self.depth > 2 * MAX_DEPTH:
            raise BadFrame("too deep")
        value = msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            timestamp=1,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
            ext_hook=self.lift,
        )
        self.depth -= 1
        return value

    def fill(self, value: Any) -> None:
        """Put the next raw bytes where there is only their number. Each is taken once, so that few
        cannot become many.
        """
        length = value[-1]
        if type(length) is int:
            if not 0 <= length <= len(self.raws):
                raise BadFrame("raw bytes that are not there")
            value[-1], self.raws = self.raws[:length], self.raws[length:]

    def lift(self, code: int, inner: bytes) -> Any:
        value = self.unpack(inner)
        if code == SHARED:
            return self.boundary.shared(as_int(value))
        if code == HANDLE:
            return self.boundary.handled(as_int(value))
        if code == GRAPH:
            return self.boundary.joined(*value)
        if code == OTHER:
            return self.boundary.lift(value)
        handler = LIFT.get(code)
        if handler is None or type(value) not in _BODIES:
            raise BadFrame(f"unknown extension {code}, or one with a body that is none")
        if code in (ARRAY, TENSOR):
            self.fill(value)
            if code == TENSOR and value[-2] is not None:
                self.fill(value[-2])
        made = handler(value)
        if code == NAMED:
            self.boundary.named_tuple(made)
        elif code in (FRAME, SERIES, INDEX):
            self.boundary.table(made)
        return made
