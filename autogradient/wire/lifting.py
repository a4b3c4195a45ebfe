"""From the parts of an extension type to the value, one function each; nothing in a frame is
believed.
"""

from __future__ import annotations

import collections
import decimal
import fractions
import functools
import keyword
import re
from collections.abc import Callable
from typing import Any

import numpy as np

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
    INDEX,
    NAMED,
    OBJECTS,
    ORDERED,
    PLAIN_TYPES,
    RANGE,
    SCALAR,
    SERIES,
    SET,
    SIZE,
    SLICE,
    TENSOR,
    TENSOR_DTYPES,
    TORCH_DTYPE,
    TUPLE,
    TYPE,
    BadFrame,
)


def as_int(value: Any) -> int:
    if type(value) is not int:
        raise BadFrame("a number that is none")
    return value


def _exactly(value: Any, *kinds: type | tuple[type, ...]) -> list[Any]:
    """A list of values of just these types. What a constructor is given must be plain: it would ask
    an object that is not, in the middle of a message.
    """
    if type(value) is not list or len(value) != len(kinds):
        raise BadFrame("parts that do not fit")
    if any(
        type(item) not in (kind if isinstance(kind, tuple) else (kind,))
        for item, kind in zip(value, kinds, strict=True)
    ):
        raise BadFrame("a part that does not fit")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise BadFrame("a text that is none")
    return value


_NUMBER = (int, float)


def _list(value: Any) -> list[Any]:
    if type(value) is not list:  # a range, say, would be 13 bytes that become gigabytes
        raise BadFrame("a list that is none")
    return value


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    return [(key, item) for key, item in (_list(pair) for pair in _list(value))]


def _shape(shape: Any) -> list[int]:
    if (
        type(shape) is not list
        or len(shape) > 32
        or any(type(n) is not int or not 0 <= n < 2**48 for n in shape)
    ):
        raise BadFrame("a shape that is none")
    return shape


def _array(value: Any) -> np.ndarray:
    dtype, shape, raw = value
    if (
        type(dtype) is not str
        or not DTYPES.fullmatch(dtype)
        or type(raw) not in (bytes, memoryview)
    ):
        raise BadFrame("an array that is none")
    kind = np.dtype(dtype)
    array = np.frombuffer(raw, dtype=kind) if kind.itemsize and raw else np.zeros(0, kind)
    return array.reshape(_shape(shape)).copy()


def _objects(value: Any) -> np.ndarray:
    shape, items = value
    return object_array(_list(items)).reshape(_shape(shape))


def object_array(items: list[Any]) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):  # one by one: NumPy would look into them
        array[index] = item
    return array


def _tensor(value: Any) -> Any:
    import torch

    name, shape, requires_grad, parameter, grad, raw = value
    dtype = _torch_dtype(name)
    # torch crashes on raw bytes of quantized types
    if name not in TENSOR_DTYPES or type(raw) not in (bytes, memoryview):
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
    dtype = _torch_dtypes().get(name) if type(name) is str else None
    if dtype is None:
        raise BadFrame("a dtype that is none")
    return dtype


@functools.cache
def _torch_dtypes() -> dict[str, Any]:
    import torch

    return {name: value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}


def _named(value: Any) -> Any:
    name, fields, items = value
    names = [name, *_list(fields)]
    if (
        len(fields) > 200
        or any(type(n) is not str or not n.isidentifier() or keyword.iskeyword(n) for n in names)
        or len(set(fields)) != len(fields)
    ):
        raise BadFrame("a named tuple that is none")
    return _named_class(name, tuple(fields))(*_list(items))


MAX_CLASSES = 1000
_CLASSES: dict[tuple[str, tuple[str, ...]], Any] = {}


def _named_class(name: str, fields: tuple[str, ...]) -> Any:
    """The class of a name and fields, made once; only so many in a process, for each takes
    kilobytes.
    """
    found = _CLASSES.get((name, fields))
    if found is None:
        if len(_CLASSES) >= MAX_CLASSES:
            raise BadFrame("too many kinds of named tuples")
        found = _CLASSES[name, fields] = collections.namedtuple(name, fields, rename=True)
    return found


def _size(value: Any) -> Any:
    import torch

    return torch.Size(_shape(value))


def _device(value: Any) -> Any:
    import torch

    if type(value) is not str or not _DEVICE.fullmatch(value):
        raise BadFrame("a device that is none")
    return torch.device(value)


_DEVICE = re.compile(r"(cpu|cuda|meta|mps|xpu)(:\d{1,3})?")


def _counter(value: Any) -> Any:
    counter: collections.Counter[Any] = collections.Counter()
    counter.update(dict(_pairs(value)))
    return counter


def _frame(value: Any) -> Any:
    import pandas

    columns, index, names = _exactly(value, list, list, list)
    if any(type(column) is not np.ndarray for column in columns):
        raise BadFrame("a column that is none")
    frame = pandas.DataFrame(dict(enumerate(columns)), index=_index(index))
    frame.columns = _index(names)
    return frame


def _series(value: Any) -> Any:
    import pandas

    values, index, name = _list(value)
    if type(values) is not np.ndarray:
        raise BadFrame("a series that is none")
    return pandas.Series(values, index=_index(index), name=name)


def _index(value: Any) -> Any:
    import pandas

    values, names = _exactly(value, np.ndarray, list)
    if len(values) and values.dtype.kind in "iu" and np.array_equal(values, np.arange(len(values))):
        made: Any = pandas.RangeIndex(len(values))
    else:
        made = pandas.Index(values.tolist() if values.dtype.kind == "O" else values)
    made.names = names
    return made


def _type(name: Any) -> type:
    if name not in PLAIN_TYPES:
        raise BadFrame("a type that is not plain")
    return PLAIN_TYPES[name]


def _dtype(name: Any) -> Any:
    if type(name) is not str or not DTYPES.fullmatch(name):
        raise BadFrame("a dtype that is none")
    return np.dtype(name)


LIFT: dict[int, Callable[[Any], Any]] = {
    DICT: lambda v: dict(_pairs(v)),
    TUPLE: lambda v: tuple(_list(v)),
    SET: lambda v: set(_list(v)),
    FROZENSET: lambda v: frozenset(_list(v)),
    COMPLEX: lambda v: complex(*_exactly(v, _NUMBER, _NUMBER)),
    BIGINT: lambda v: int(_text(v), 16),
    SLICE: lambda v: slice(*_list(v)),
    ELLIPSIS: lambda v: ...,
    ARRAY: _array,
    SCALAR: lambda v: _array(v)[()],
    DTYPE: _dtype,
    TENSOR: _tensor,
    RANGE: lambda v: range(*_exactly(v, int, int, int)),
    FRACTION: lambda v: fractions.Fraction(*(int(part, 16) for part in _exactly(v, str, str))),
    DECIMAL: lambda v: decimal.Decimal(_text(v)),
    NAMED: _named,
    ORDERED: lambda v: collections.OrderedDict(_pairs(v)),
    COUNTER: _counter,
    DEFAULT: lambda v: collections.defaultdict(None, _pairs(v)),
    DEQUE: lambda v: collections.deque(*_exactly(v, list, (int, type(None)))),
    OBJECTS: _objects,
    SIZE: _size,
    TORCH_DTYPE: _torch_dtype,
    DEVICE: _device,
    FRAME: _frame,
    SERIES: _series,
    INDEX: _index,
    TYPE: _type,
}
