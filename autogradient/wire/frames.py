"""What a frame is made of: codes of extension types, bounds, which types are plain, and the two
errors.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

import numpy as np

#: A frame has at most so many bytes; a value so many levels and (roughly) so many items. Frames for
#: the grader itself are smaller.
MAX_BYTES = 256 * 1024 * 1024
MAX_PLAIN_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 60
MAX_ITEMS = 2_000_000
MAX_CONTAINERS = 100_000

(DICT, TUPLE, SET, FROZENSET, COMPLEX, BIGINT, SLICE, ELLIPSIS, ARRAY, SCALAR, DTYPE, TENSOR) = (
    range(12)
)
(
    RANGE,
    FRACTION,
    DECIMAL,
    NAMED,
    ORDERED,
    COUNTER,
    DEFAULT,
    DEQUE,
    OBJECTS,
    SIZE,
    TORCH_DTYPE,
    DEVICE,
) = range(12, 24)
(FRAME, SERIES, INDEX, TYPE, SHARED, GRAPH, OTHER, HANDLE) = range(24, 32)

DTYPES = re.compile(
    r"[<>|=]?(b1|[biu][1248]|f(2|4|8|16)|c(8|16|32)|[SU]\d{1,7}|[mM]8(\[\d*\w{1,2}\])?)"
)
_DTYPE_NAMES = """
bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex32
complex64 complex128 float8_e4m3fn float8_e5m2
"""
TENSOR_DTYPES = frozenset(_DTYPE_NAMES.split())
PLAIN_TYPES = {
    f"{t.__module__}.{t.__qualname__}": t
    for t in (
        type(None),
        bool,
        int,
        float,
        complex,
        str,
        bytes,
        list,
        tuple,
        dict,
        set,
        frozenset,
        object,
        type,
        np.ndarray,
    )
    + tuple(
        getattr(np, name)
        for name in (
            "bool_",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "float16",
            "float32",
            "float64",
        )
    )
}


class NotPlain(TypeError):
    """A value that does not cross the boundary; the text names its type."""


class BadFrame(ValueError):
    """Bytes that are no value."""


# ---- messages of a conversation ------------------------------------------------------------------

#: Kinds of message: a request, its answer, its error. Kind, number and the lengths of state and
#: body stand before state, body and raw numbers.
REQUEST, ANSWER, ERROR = b"?", b"!", b"x"
_HEAD = struct.Struct("!cqII")
#: Where there are no large arrays.
NO_RAWS = memoryview(b"")


class Message(NamedTuple):
    """One message of a conversation. `raws` are the numbers of the body's large arrays, one after
    the other.
    """

    kind: bytes
    number: int
    state: bytes | memoryview
    body: bytes | memoryview
    raws: memoryview


def message(kind: bytes, number: int, state: bytes, body: bytes) -> bytes:
    """What a message begins with; the raw numbers of large arrays follow."""
    return b"".join((_HEAD.pack(kind, number, len(state), len(body)), state, body))


def parts(data: bytes | memoryview) -> Message:
    """A message from its bytes. Raises BadFrame where they are none."""
    if len(data) < _HEAD.size:
        raise BadFrame("a message that is none")
    kind, number, first, second = _HEAD.unpack_from(data)
    rest = memoryview(data)[_HEAD.size :]
    if kind not in (REQUEST, ANSWER, ERROR) or first + second > len(rest):
        raise BadFrame("a message that is none")
    return Message(kind, number, rest[:first], rest[first : first + second], rest[first + second :])
