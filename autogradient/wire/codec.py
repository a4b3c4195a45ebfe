"""Plain data as bytes and back: MessagePack with exact types. Never pickle, never code.

Plain are None, bool, int, float, complex, Fraction, Decimal, str, bytes, list, tuple, named tuples, dict (OrderedDict, Counter, defaultdict), set,
frozenset, deque, slice, range, Ellipsis, NumPy arrays, scalars and dtypes, torch tensors (dense, on the CPU), sizes, dtypes and devices, and pandas
frames, series and indexes: of exactly these types, for a subclass could lie about itself. Depth, count and size are bounded.

What is not plain goes to a `Boundary`, which knows what stands for it; without one it raises `NotPlain`.
"""

from __future__ import annotations

import collections
import decimal
import fractions
import functools
import keyword
import re
import sys
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

#: A frame has at most so many bytes; a value so many levels and (roughly) so many items. Frames for the grader itself are smaller.
MAX_BYTES = 256 * 1024 * 1024
MAX_PLAIN_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 60
MAX_ITEMS = 2_000_000
MAX_CONTAINERS = 100_000

(_DICT, _TUPLE, _SET, _FROZENSET, _COMPLEX, _BIGINT, _SLICE, _ELLIPSIS, _ARRAY, _SCALAR, _DTYPE, _TENSOR) = range(12)
(_RANGE, _FRACTION, _DECIMAL, _NAMED, _ORDERED, _COUNTER, _DEFAULT, _DEQUE, _OBJECTS, _SIZE, _TORCH_DTYPE, _DEVICE) = range(12, 24)
(_FRAME, _SERIES, _INDEX, _TYPE, _SHARED, _GRAPH, _OTHER) = range(24, 31)

_SHAREABLE = (list, dict, set, np.ndarray)
_ATOMS = {bool, float, str, bytes, type(None)}
_DTYPES = re.compile(r"[<>|=]?(b1|[biu][1248]|f(2|4|8|16)|c(8|16|32)|[SU]\d{1,7}|[mM]8(\[\d*\w{1,2}\])?)")
_TENSOR_DTYPES = frozenset(
    [
        "bool",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "complex32",
        "complex64",
        "complex128",
        "float8_e4m3fn",
        "float8_e5m2",
    ]
)
#: Attributes that compare or reduce: never to be answered by the submission itself, whatever object they are asked of.
JUDGING = frozenset(
    [
        "equal",
        "equals",
        "allclose",
        "isclose",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "all",
        "any",
        "sum",
        "mean",
        "max",
        "min",
        "item",
        "tolist",
        "numpy",
        "norm",
        "std",
        "var",
        "prod",
        "median",
        "argmax",
        "argmin",
        "abs",
        "shape",
        "size",
        "dtype",
        "ndim",
        "dim",
        "numel",
        "issubset",
        "issuperset",
        "isdisjoint",
        "startswith",
        "endswith",
        "is_integer",
        "isdigit",
        "isalpha",
        "isnan",
        "isinf",
        "count",
    ]
)
_PLAIN_TYPES = {
    f"{t.__module__}.{t.__qualname__}": t
    for t in (type(None), bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, object, type, np.ndarray)
    + tuple(getattr(np, name) for name in ("bool_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"))
}


class NotPlain(TypeError):
    """A value that does not cross the boundary; the text names its type."""


class BadFrame(ValueError):
    """Bytes that are no value."""


class Boundary:
    """What one side of a conversation adds to plain values: objects that stay where they are, and objects that both sides hold."""

    def share(self, value: Any) -> int | None:
        """The number under which both sides know a list, dict, set, array or tensor; None where it is sent as a copy."""
        return None

    def shared(self, number: int) -> Any:
        """This side's object of that number."""
        raise BadFrame("nothing is shared here")

    def graph(self, tensor: Any) -> list[Any] | None:
        """Where gradients of `tensor` go: [graph, numbers of shared leaves]; None for a tensor without history."""
        return None

    def joined(self, graph: Any, numbers: Any, tensor: Any) -> Any:
        """`tensor` with its gradients going to the other side's graph."""
        raise BadFrame("no gradients cross here")

    def lower(self, value: Any) -> Any:
        """Plain data that stands for `value`. Raises NotPlain."""
        raise NotPlain(f"an object of type {type(value).__name__}")

    def lift(self, data: Any) -> Any:
        """What the plain data of `lower` stands for."""
        raise BadFrame("a handle where none can be")


# ---- to bytes --------------------------------------------------------------------------------------------------------


def encode(value: Any, boundary: Boundary | None = None, *, bare: bool = False) -> bytes:
    """`value` as bytes; with `bare` its content even where it is shared. Raises NotPlain where anything in it is not plain data or is too large."""
    try:
        return _pack(_Lowering(boundary or Boundary()).lower(value, 0, bare))
    except (RecursionError, ValueError, OverflowError) as error:
        raise NotPlain(f"a value that cannot be sent ({error})") from None


def _pack(value: Any) -> bytes:
    data: bytes = msgpack.packb(value, use_bin_type=True)
    if len(data) > MAX_BYTES:
        raise NotPlain(f"a value of {len(data) // 1_000_000} MB")
    return data


def _extension(code: int, value: Any) -> msgpack.ExtType:
    return msgpack.ExtType(code, _pack(value))


class _Lowering:
    """One value on its way to MessagePack: everything that MessagePack lacks becomes an extension type."""

    def __init__(self, boundary: Boundary) -> None:
        self.boundary = boundary
        self.left = MAX_ITEMS

    def lower(self, value: Any, depth: int, bare: bool = False) -> Any:
        kind = type(value)
        self.left -= 1
        if depth > MAX_DEPTH or self.left < 0:
            raise NotPlain("a value that is too deep or too long")
        if value is None or kind in (bool, float, str, bytes):
            return value
        if kind is int:
            return value if -(2**63) <= value < 2**64 else _extension(_BIGINT, hex(value))
        handler = _LOWER.get(kind)
        if handler is not None:
            number = self.boundary.share(value) if kind in _SHAREABLE and not bare else None
            return handler(self, value, depth) if number is None else _extension(_SHARED, number)
        torch = sys.modules.get("torch")
        if torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
            graph = None if bare else self.boundary.graph(value)
            if graph is not None:
                return _extension(_GRAPH, [*graph, _extension(_TENSOR, self.tensor(value))])
            number = None if bare else self.boundary.share(value)
            return _extension(_TENSOR, self.tensor(value)) if number is None else _extension(_SHARED, number)
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
        return _extension(_DICT, self.pairs(value, depth))

    def pairs(self, value: dict[Any, Any], depth: int) -> list[list[Any]]:
        return [[self.lower(key, depth + 1), self.lower(item, depth + 1)] for key, item in value.items()]

    def array(self, value: np.ndarray, depth: int) -> Any:
        if value.dtype.kind == "O":
            return _extension(_OBJECTS, [list(value.shape), self.items(value.ravel().tolist(), depth)])
        return _extension(_ARRAY, _raw(value))

    def tensor(self, value: Any) -> list[Any]:
        torch = sys.modules["torch"]
        if value.layout is not torch.strided or value.device.type != "cpu" or value.is_quantized:
            raise NotPlain(f"a tensor on {value.device} ({value.layout})")
        try:
            flat = value.detach().resolve_conj().resolve_neg().clone(memory_format=torch.contiguous_format)
            raw = flat.reshape(-1).view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        except RuntimeError:  # torch.func's tensors hold no numbers
            raise NotPlain("a tensor without numbers of its own, as torch.func makes them; do this in a @probe function") from None
        name = str(flat.dtype).removeprefix("torch.")
        grad = self.tensor(value.grad.detach()) if value.is_leaf and value.grad is not None else None
        return [name, list(flat.shape), bool(value.requires_grad), type(value) is torch.nn.Parameter, grad, raw]

    def _rare(self, value: Any, kind: type, depth: int) -> Any:
        if isinstance(value, np.generic) and kind.__module__ == "numpy" and value.dtype.kind != "V":
            return _extension(_SCALAR, _raw(np.asarray(value)))
        if isinstance(value, np.dtype):
            if not _DTYPES.fullmatch(value.str):
                raise NotPlain(f"the dtype {value}")
            return _extension(_DTYPE, value.str)
        if value is Ellipsis:
            return _extension(_ELLIPSIS, None)
        names = field_names(value)
        if names is not None:
            return _extension(_NAMED, [kind.__name__, names, self.items(tuple.__getitem__(value, slice(None)), depth)])
        torch = sys.modules.get("torch")
        if torch is not None:
            if kind is torch.Size:
                return _extension(_SIZE, list(value))
            if kind is torch.dtype:
                return _extension(_TORCH_DTYPE, str(value).removeprefix("torch."))
            if kind is torch.device:
                return _extension(_DEVICE, str(value))
        pandas = sys.modules.get("pandas")
        if pandas is not None and str(kind.__module__).split(".")[0] == "pandas":
            found = self._pandas(pandas, value, kind, depth)
            if found is not None:
                return found
        if kind is type and _PLAIN_TYPES.get(f"{value.__module__}.{value.__qualname__}") is value:
            return _extension(_TYPE, f"{value.__module__}.{value.__qualname__}")
        return _extension(_OTHER, self.lower(self.boundary.lower(value), depth + 1))

    def _pandas(self, pandas: Any, value: Any, kind: type, depth: int) -> Any:
        def column(values: Any) -> Any:
            array = values.to_numpy()
            return self.lower(array if array.dtype.kind in "biufcmM" else _object_array(values.tolist()), depth + 1)

        def index(values: Any) -> list[Any]:
            return [column(values), self.items(list(values.names), depth + 1)]

        if kind is pandas.Series:
            return _extension(_SERIES, [column(value), index(value.index), self.lower(value.name, depth + 1)])
        if kind is pandas.DataFrame:
            return _extension(_FRAME, [[column(value.iloc[:, i]) for i in range(value.shape[1])], index(value.index), index(value.columns)])
        if isinstance(value, pandas.Index) and kind.__name__ in ("Index", "RangeIndex", "DatetimeIndex", "MultiIndex"):
            return _extension(_INDEX, index(value))
        return None


def field_names(value: Any) -> list[str] | None:
    """The fields of an instance of a class that `collections.namedtuple`, `typing.NamedTuple` or torch (`torch.return_types`) made; None for anything else."""
    kind = type(value)
    if not issubclass(kind, tuple) or kind is tuple:
        return None
    names = getattr(kind, "_fields", None) or getattr(kind, "__match_args__", None)
    if type(names) is tuple and names and len(names) == tuple.__len__(value) and all(type(name) is str for name in names):
        return list(names)
    return None


def _raw(value: np.ndarray) -> list[Any]:
    if not _DTYPES.fullmatch(value.dtype.str):
        raise NotPlain(f"an array of dtype {value.dtype}")
    return [value.dtype.str, list(value.shape), np.ascontiguousarray(value).tobytes()]


_LOWER: dict[type, Callable[[_Lowering, Any, int], Any]] = {
    list: lambda s, v, d: s.items(v, d),
    tuple: lambda s, v, d: _extension(_TUPLE, s.items(v, d)),
    set: lambda s, v, d: _extension(_SET, s.items(v, d)),
    frozenset: lambda s, v, d: _extension(_FROZENSET, s.items(v, d)),
    dict: lambda s, v, d: s.mapping(v, d),
    collections.OrderedDict: lambda s, v, d: _extension(_ORDERED, s.pairs(v, d)),
    collections.Counter: lambda s, v, d: _extension(_COUNTER, s.pairs(v, d)),
    collections.defaultdict: lambda s, v, d: _extension(_DEFAULT, s.pairs(v, d)),
    collections.deque: lambda s, v, d: _extension(_DEQUE, [s.items(v, d), v.maxlen]),
    type({}.keys()): lambda s, v, d: s.items(list(v), d),
    type({}.values()): lambda s, v, d: s.items(list(v), d),
    type({}.items()): lambda s, v, d: s.items(list(v), d),
    complex: lambda s, v, d: _extension(_COMPLEX, [v.real, v.imag]),
    slice: lambda s, v, d: _extension(_SLICE, [s.lower(part, d + 1) for part in (v.start, v.stop, v.step)]),
    range: lambda s, v, d: _extension(_RANGE, [s.lower(part, d + 1) for part in (v.start, v.stop, v.step)]),
    fractions.Fraction: lambda s, v, d: _extension(_FRACTION, [hex(v.numerator), hex(v.denominator)]),
    decimal.Decimal: lambda s, v, d: _extension(_DECIMAL, str(v)),
    np.ndarray: lambda s, v, d: s.array(v, d),
}


# ---- from bytes ------------------------------------------------------------------------------------------------------


def decode(data: bytes, boundary: Boundary | None = None) -> Any:
    """The value that `encode` made the bytes from. Raises BadFrame for anything else; nothing in the bytes is run."""
    try:
        return _Lifting(boundary or Boundary()).unpack(data, 0)
    except BadFrame:
        raise
    except (Exception, MemoryError) as error:
        raise BadFrame(f"{type(error).__name__}: {error}"[:300]) from None


def decode_plain(data: bytes) -> Any:
    """Like `decode`, for None, bool, numbers, str, bytes, lists and dicts with text as keys only: all that may come to the grader itself."""

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


class _Lifting:
    def __init__(self, boundary: Boundary) -> None:
        self.boundary = boundary

    def unpack(self, data: bytes, depth: int) -> Any:
        if depth > 2 * MAX_DEPTH:
            raise BadFrame("too deep")
        return msgpack.unpackb(
            data,
            raw=False,
            strict_map_key=True,
            timestamp=1,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
            ext_hook=lambda code, inner: self.lift(code, self.unpack(inner, depth + 1)),
        )

    def lift(self, code: int, value: Any) -> Any:
        if code == _SHARED:
            return self.boundary.shared(_int(value))
        if code == _GRAPH:
            return self.boundary.joined(*value)
        if code == _OTHER:
            return self.boundary.lift(value)
        handler = _LIFT.get(code)
        if handler is None:
            raise BadFrame(f"unknown extension {code}")
        return handler(value)


def _int(value: Any) -> int:
    if type(value) is not int:
        raise BadFrame("a number that is none")
    return value


def _list(value: Any) -> list[Any]:
    if type(value) is not list:  # a range, say, would be 13 bytes that become gigabytes
        raise BadFrame("a list that is none")
    return value


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    return [(key, item) for key, item in (_list(pair) for pair in _list(value))]


def _shape(shape: Any) -> list[int]:
    if type(shape) is not list or len(shape) > 32 or any(type(n) is not int or not 0 <= n < 2**48 for n in shape):
        raise BadFrame("a shape that is none")
    return shape


def _array(value: Any) -> np.ndarray:
    dtype, shape, raw = value
    if type(dtype) is not str or not _DTYPES.fullmatch(dtype) or type(raw) is not bytes:
        raise BadFrame("an array that is none")
    kind = np.dtype(dtype)
    array = np.frombuffer(raw, dtype=kind) if kind.itemsize and raw else np.zeros(0, kind)
    return array.reshape(_shape(shape)).copy()


def _objects(value: Any) -> np.ndarray:
    shape, items = value
    return _object_array(_list(items)).reshape(_shape(shape))


def _object_array(items: list[Any]) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):  # one by one: NumPy would look into them
        array[index] = item
    return array


def _tensor(value: Any) -> Any:
    import torch

    name, shape, requires_grad, parameter, grad, raw = value
    dtype = _torch_dtype(name)
    if name not in _TENSOR_DTYPES or type(raw) is not bytes:  # torch crashes on raw bytes of quantized types
        raise BadFrame("a tensor that is none")
    flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    tensor = flat.reshape(_shape(shape))
    differentiable = bool(requires_grad) and (dtype.is_floating_point or dtype.is_complex)
    if parameter is True:
        tensor = torch.nn.Parameter(tensor, requires_grad=differentiable)
    else:
        tensor.requires_grad_(differentiable)
    if grad is not None:
        tensor.grad = _tensor(grad)  # made here: never an object that is known already
    return tensor


def _torch_dtype(name: Any) -> Any:
    import torch

    dtype = getattr(torch, name, None) if type(name) is str else None
    if not isinstance(dtype, torch.dtype):
        raise BadFrame("a dtype that is none")
    return dtype


def _named(value: Any) -> Any:
    name, fields, items = value
    names = [name, *_list(fields)]
    if len(fields) > 200 or any(type(n) is not str or not n.isidentifier() or keyword.iskeyword(n) for n in names) or len(set(fields)) != len(fields):
        raise BadFrame("a named tuple that is none")
    if any(callable(item) and field in JUDGING for field, item in zip(fields, _list(items), strict=True)):
        raise BadFrame("a named tuple whose functions would answer for an array")
    return _named_class(name, tuple(fields))(*items)


@functools.lru_cache(maxsize=500)
def _named_class(name: str, fields: tuple[str, ...]) -> Any:
    return collections.namedtuple(name, fields, rename=True)  # type: ignore[misc]


def _size(value: Any) -> Any:
    import torch

    return torch.Size(_shape(value))


def _device(value: Any) -> Any:
    import torch

    return torch.device(value)


def _counter(value: Any) -> Any:
    counter: collections.Counter[Any] = collections.Counter()
    counter.update(dict(_pairs(value)))
    return counter


def _frame(value: Any) -> Any:
    import pandas

    columns, index, names = value
    frame = pandas.DataFrame(dict(enumerate(columns)), index=_index(index))
    frame.columns = _index(names)
    return frame


def _series(value: Any) -> Any:
    import pandas

    values, index, name = value
    return pandas.Series(values, index=_index(index), name=name)


def _index(value: Any) -> Any:
    import pandas

    values, names = value
    if len(values) and values.dtype.kind in "iu" and np.array_equal(values, np.arange(len(values))):
        made: Any = pandas.RangeIndex(len(values))
    else:
        made = pandas.Index(values.tolist() if values.dtype.kind == "O" else values)
    made.names = names
    return made


def _type(name: Any) -> type:
    if name not in _PLAIN_TYPES:
        raise BadFrame("a type that is not plain")
    return _PLAIN_TYPES[name]


def _dtype(name: Any) -> Any:
    if type(name) is not str or not _DTYPES.fullmatch(name):
        raise BadFrame("a dtype that is none")
    return np.dtype(name)


_LIFT: dict[int, Callable[[Any], Any]] = {
    _DICT: lambda v: dict(_pairs(v)),
    _TUPLE: lambda v: tuple(_list(v)),
    _SET: lambda v: set(_list(v)),
    _FROZENSET: lambda v: frozenset(_list(v)),
    _COMPLEX: lambda v: complex(*v),
    _BIGINT: lambda v: int(v, 16),
    _SLICE: lambda v: slice(*v),
    _ELLIPSIS: lambda v: ...,
    _ARRAY: _array,
    _SCALAR: lambda v: _array(v)[()],
    _DTYPE: _dtype,
    _TENSOR: _tensor,
    _RANGE: lambda v: range(*v),
    _FRACTION: lambda v: fractions.Fraction(int(v[0], 16), int(v[1], 16)),
    _DECIMAL: decimal.Decimal,
    _NAMED: _named,
    _ORDERED: lambda v: collections.OrderedDict(_pairs(v)),
    _COUNTER: _counter,
    _DEFAULT: lambda v: collections.defaultdict(None, _pairs(v)),
    _DEQUE: lambda v: collections.deque(_list(v[0]), v[1]),
    _OBJECTS: _objects,
    _SIZE: _size,
    _TORCH_DTYPE: _torch_dtype,
    _DEVICE: _device,
    _FRAME: _frame,
    _SERIES: _series,
    _INDEX: _index,
    _TYPE: _type,
}
