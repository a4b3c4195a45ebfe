"""Plain data as bytes and back: MessagePack with exact types. Never pickle, never code.

Plain are None, bool, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, slice, Ellipsis, NumPy arrays, scalars and dtypes,
and torch tensors (dense, on the CPU), of exactly these types. Everything else raises `NotPlain`. Depth, count and size are bounded.
"""

from __future__ import annotations

import sys
from typing import Any

import msgpack
import numpy as np

MAX_BYTES = 256 * 1024 * 1024
MAX_DEPTH = 60
MAX_ITEMS = 2_000_000

_TUPLE, _SET, _FROZENSET, _COMPLEX, _BIGINT, _SLICE, _ELLIPSIS, _ARRAY, _SCALAR, _DTYPE, _TENSOR = range(1, 12)


class NotPlain(TypeError):
    """A value that does not cross the boundary; the text names its type."""


class BadFrame(ValueError):
    """Bytes that are no value."""


def encode(value: Any) -> bytes:
    """`value` as bytes. Raises NotPlain where it, or anything in it, is not plain data or is too large."""
    budget = [MAX_ITEMS]
    try:
        return _pack(_lower(value, 0, budget))
    except (RecursionError, ValueError, OverflowError) as error:
        raise NotPlain(f"a value that cannot be sent ({error})") from None


def _pack(value: Any) -> bytes:
    data: bytes = msgpack.packb(value, use_bin_type=True)
    if len(data) > MAX_BYTES:
        raise NotPlain(f"a value of {len(data) // 1_000_000} MB")
    return data


def _extension(code: int, value: Any) -> msgpack.ExtType:
    return msgpack.ExtType(code, _pack(value))


def _lower(value: Any, depth: int, budget: list[int]) -> Any:
    """`value` with everything that MessagePack lacks as extension types."""
    kind = type(value)
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise NotPlain("a value that is too deep or too long")
    if value is None or kind in (bool, float, str, bytes):
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**64 else _extension(_BIGINT, hex(value))
    if kind is list:
        return [_lower(item, depth + 1, budget) for item in value]
    if kind is dict:
        return _extension(0, [[_lower(k, depth + 1, budget), _lower(v, depth + 1, budget)] for k, v in value.items()])
    if kind in (tuple, set, frozenset):
        code = _TUPLE if kind is tuple else _SET if kind is set else _FROZENSET
        return _extension(code, [_lower(item, depth + 1, budget) for item in value])
    if kind is complex:
        return _extension(_COMPLEX, [value.real, value.imag])
    if kind is slice:
        return _extension(_SLICE, [_lower(part, depth + 1, budget) for part in (value.start, value.stop, value.step)])
    if value is Ellipsis:
        return _extension(_ELLIPSIS, None)
    if kind is np.ndarray:
        return _extension(_ARRAY, _array(value))
    if isinstance(value, np.generic) and kind.__module__ == "numpy":
        return _extension(_SCALAR, _array(np.asarray(value)))
    if isinstance(value, np.dtype):
        return _extension(_DTYPE, value.str)
    torch = sys.modules.get("torch")
    if torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
        if value.layout is not torch.strided or value.device.type != "cpu" or value.is_quantized:
            raise NotPlain(f"a tensor on {value.device} ({value.layout})")
        flat = value.detach().contiguous()
        name = str(flat.dtype).removeprefix("torch.")
        raw = flat.reshape(-1).view(torch.uint8).numpy().tobytes() if flat.numel() else b""
        return _extension(_TENSOR, [name, list(flat.shape), bool(value.requires_grad), raw])
    if torch is not None and kind is torch.Size:
        return _extension(_TUPLE, list(value))
    raise NotPlain(f"an object of type {kind.__name__}")


def _array(value: np.ndarray) -> list[Any]:
    if value.dtype.hasobject or value.dtype.names:
        raise NotPlain(f"an array of dtype {value.dtype}")
    return [value.dtype.str, list(value.shape), np.ascontiguousarray(value).tobytes()]


def decode(data: bytes) -> Any:
    """The value that `encode` made the bytes from. Raises BadFrame for anything else; nothing in the bytes is run."""
    try:
        return _unpack(data, 0)
    except BadFrame:
        raise
    except Exception as error:
        raise BadFrame(f"{type(error).__name__}: {error}") from None


def _unpack(data: bytes, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise BadFrame("too deep")
    return msgpack.unpackb(
        data,
        raw=False,
        strict_map_key=True,
        ext_hook=lambda code, inner: _raise_value(code, _unpack(inner, depth + 1)),
    )


def _raise_value(code: int, value: Any) -> Any:
    if code == 0:
        return dict(map(tuple, value))
    if code in (_TUPLE, _SET, _FROZENSET):
        return {_TUPLE: tuple, _SET: set, _FROZENSET: frozenset}[code](value)
    if code == _COMPLEX:
        return complex(*value)
    if code == _BIGINT:
        return int(value, 16)
    if code == _SLICE:
        return slice(*value)
    if code == _ELLIPSIS:
        return ...
    if code in (_ARRAY, _SCALAR):
        dtype, shape, raw = value
        array = np.frombuffer(raw, dtype=np.dtype(str(dtype))).reshape([int(n) for n in shape]).copy()
        return array if code == _ARRAY else array[()]
    if code == _DTYPE:
        return np.dtype(str(value))
    if code == _TENSOR:
        return _tensor(*value)
    raise BadFrame(f"unknown extension {code}")


def _tensor(name: str, shape: list[int], requires_grad: bool, raw: bytes) -> Any:
    import torch

    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise BadFrame(f"unknown dtype {name!r}")
    shape = [int(n) for n in shape]
    flat = torch.frombuffer(bytearray(raw), dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    return flat.reshape(shape).requires_grad_(bool(requires_grad) and (dtype.is_floating_point or dtype.is_complex))
