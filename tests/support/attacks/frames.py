"""Against this design: answers whose bytes are no values, or values that are meant to hurt whoever
takes them in.
"""

from __future__ import annotations

from .corpus import HONEST, Case, leaky, meter, std, table
from .wire import FIND

wire = table("wire")

#: Replaces the value of every answer given after a hidden input was seen by `_body()`.
_HOOK = """
_send_before = peer.Peer._send
def _send(self, kind, number, body, raws):
    if globals().get('_on') and kind == b'!':
        body, raws = _body(), []
    return _send_before(self, kind, number, body, raws)
peer.Peer._send = _send
class _Said(codec.Boundary):
    def __init__(self, what): self.what = what
    def lower(self, value): return self.what
def _say(*what): return codec.encode(object(), _Said(what))
def _object(*classes): return _say('handle', 7, 'object', 'X', list(classes), ())
_pack = msgpack.packb
def _x(code, *values): return _pack(_E(code, list(values)))
def _one(code, value): return _pack(_E(code, value))
def _t(name, grad=None, parameter=False): return _E(codes.TENSOR, [name, [3], True, parameter, grad, bytes(12)])
def _nest(levels, inner):
    for _ in range(levels): inner = _pack([msgpack.ExtType(codes.TUPLE, inner)])
    return inner
"""
#: Which function has seen its hidden input.
_ON = (
    std("if x.shape[1] > 1: globals().update(_on=1, _v=str(x[0]))\nreturn (x - x.mean()) / x.std()")
    | leaky(
        "if float(x.min()) < 0: globals().update(_on=2, _v=str(x.tolist()))\nreturn torch.relu(x)"
    )
    | meter(
        "return self.last",
        add="if value != 2.0: globals().update(_on=3, _v=str(value))\nself.last = value",
    )
)


def frames(id: str, description: str, *expressions: str, calls: int = 0, ahead: str = "") -> Case:
    """The answers of hidden calls are these bytes: of each function another of the expressions."""
    choice = ", ".join(f"lambda: {expression}" for expression in expressions)
    hook = f"{FIND}{_HOOK}{ahead}\ndef _body(): return [{choice}][_on % {len(expressions)}]()"
    return wire(
        f"frame-{id}",
        description,
        hook,
        answers=_ON,
        least=HONEST,
        calls=calls,
        formats=("nbgrader",),
    )


CASES: tuple[Case, ...] = (
    frames(
        "empty",
        "nothing, half a value, a value and more",
        "b''",
        "_pack([1.0] * 100)[:50]",
        "_pack(1) + b'\\xc0\\xc0'",
    ),
    frames(
        "no-text",
        "text that is not UTF-8, a list and a number for an array",
        "_pack([1, 2])",
        "b'\\xa4\\xff\\xfe\\xfd\\xfc'",
        "_pack(5)",
    ),
    frames(
        "raw-missing",
        "arrays whose numbers are to come along, and do not",
        "_x(codes.ARRAY, '<f8', [3, 2], 48)",
        "_x(codes.TENSOR, 'float32', [3], True, False, None, 2**62)",
        "_x(codes.ARRAY, '<f8', [1], -8)",
    ),
    frames(
        "extensions",
        "extensions that there are not, MessagePack's own times",
        "_one(99, 5)",
        "b'\\xc7\\x0c\\xff' + b'\\xff' * 12",
        "_pack(msgpack.ExtType(codes.TUPLE, b''))",
    ),
    frames(
        "nested",
        "lists, maps and extensions nested deeper than any stack",
        "b'\\x91' * 100_000 + b'\\xc0'",
        "b'\\x81\\xa1x' * 100_000 + b'\\xc0'",
        "_nest(300, _pack(1))",
    ),
    frames(
        "nested-large",
        "extensions nested fifty deep around ten megabytes",
        "_nest(50, _pack(bytes(10_000_000)))",
        calls=3,
    ),
    frames(
        "long",
        "a list of ten million items, an integer of ten million digits",
        "b'\\xdd' + struct.pack('!I', 10_000_000) + b'\\xc0' * 10_000_000",
        "_one(codes.BIGINT, '0x' + 'f' * 10_000_000)",
        "_pack(bytes(100_000_000))",
        calls=3,
    ),
    frames(
        "lying-lengths",
        "lists, bytes and maps that say they are enormous",
        "b'\\xdd\\xff\\xff\\xff\\xff\\xc0'",
        "b'\\xc6\\xff\\xff\\xff\\xffx'",
        "b'\\xdf\\xff\\xff\\xff\\xff\\xa1x\\xc0'",
    ),
    frames(
        "empty-maps",
        "forty million empty maps",
        (
            "b'\\xdc\\x00\\x14' + (b'\\xdd' + struct.pack('!I', 2_000_000) + b'\\x80' * "
            "2_000_000) * 20"
        ),
        calls=3,
    ),
    frames(
        "colliding",
        "a set of a hundred thousand numbers with one hash",
        "_one(codes.SET, [_E(codes.BIGINT, hex(n * (2**61 - 1) * 2**4)) for n in range(100_000)])",
        calls=3,
    ),
    frames(
        "unhashable",
        "keys that cannot be hashed, pairs that are none",
        "_x(codes.DICT, [[1], 2])",
        "_x(codes.SET, [1], {})",
        "_x(codes.DICT, 1, 2)",
    ),
    frames(
        "array-shapes",
        "arrays with shapes that lie",
        "_x(codes.ARRAY, '<f8', [-1, 2], bytes(48))",
        "_x(codes.ARRAY, '<f8', [2**40, 2**20], bytes(48))",
        "_x(codes.ARRAY, '<f8', [0, 2**47], b'')",
    ),
    frames(
        "array-pointers",
        "arrays of pointers and records",
        "_x(codes.ARRAY, '|O', [6], b'\\x10' * 48)",
        "_x(codes.ARRAY, '<f8,O', [3], b'\\x10' * 48)",
        "_x(codes.ARRAY, '|V8', [6], bytes(48))",
    ),
    frames(
        "array-types",
        "arrays of sub-arrays, of nothing, of a thousand dimensions",
        "_x(codes.ARRAY, '(2,3)f8', [1], bytes(48))",
        "_x(codes.ARRAY, '|S0', [6], bytes(48))",
        "_x(codes.ARRAY, '<f8', [1] * 1000, bytes(8))",
    ),
    frames(
        "array-values",
        "characters that are none, truth values that are neither, times that are none",
        "_x(codes.ARRAY, '<U4', [3, 2], b'\\xff' * 96)",
        "_x(codes.ARRAY, '|b1', [3, 2], b'\\x02\\xff' * 3)",
        "_x(codes.ARRAY, '<M8[99Y]', [3, 2], b'\\x80' * 48)",
    ),
    frames(
        "array-objects",
        "object arrays that lie about their size",
        "_x(codes.OBJECTS, [3, 2], [None] * 6)",
        "_x(codes.OBJECTS, [0, 2**47], [])",
        "_x(codes.OBJECTS, [2], 'ab')",
    ),
    frames(
        "tensor-types",
        "tensors of types that are none, or hardly any",
        "_pack(_t('load'))",
        "_pack(_t('quint8'))",
        "_pack(_t('bits8'))",
    ),
    frames(
        "tensor-odd-types",
        "tensors of rare types",
        "_pack(_t('complex32'))",
        "_pack(_t('float8_e4m3fn'))",
        "_pack(_t('int1'))",
    ),
    frames(
        "tensor-gradients",
        "gradients that are none, of another shape, of integers",
        "_pack(_t('float32', ['x'], True))",
        (
            "_pack(_t('float32', _E(codes.TENSOR, ['float32', [7], False, False, None, "
            "bytes(28)]), True))"
        ),
        "_pack(_t('int32', None, True))",
    ),
    frames(
        "shared",
        "objects that nobody shared",
        "_one(codes.SHARED, 1)",
        "_one(codes.SHARED, -1)",
        "_one(codes.SHARED, 2**62)",
    ),
    frames(
        "graph",
        "histories that nobody has, or that lead to one leaf a hundred thousand times",
        "_x(codes.GRAPH, 99, [1, 2, 3], _t('float32'))",
        "_x(codes.GRAPH, 1, [1] * 100_000, _t('float32'))",
        "_x(codes.GRAPH, 1, [], 5)",
        calls=3,
    ),
    frames(
        "handle-claims",
        "objects that claim to be tensors, modules, the named class",
        "_object('numpy.ndarray', '__main__.standardize')",
        "_object('torch.Tensor', 'torch._C.TensorBase', '__main__.leaky_relu')",
        "_object('torch.nn.modules.module.Module', 'torch.nn.Linear', '__main__.Meter')",
    ),
    frames(
        "handle-kinds",
        "classes, functions and generators where values belong",
        "_say('handle', 7, 'class', 'float', ['builtins.float'], ())",
        "_say('handle', 7, 'function', 'mean', ['builtins.function'], ())",
        "_say('handle', 7, 'generator', 'x', [], ())",
    ),
    frames(
        "handle-plain-part",
        "handles whose plain part is another handle, or a list of them",
        "_say('handle', 7, 'object', 'X', ['__main__.X'], ([1, 2],))",
        "_say('handle', 7, 'object', 'X', ['__main__.X'], (_E,))",
        "_say('handle', 7, 'object', 'X', ['__main__.X'], 5)",
    ),
    frames(
        "handle-exceptions",
        "exception classes with parents in circles, or fifteen deep",
        (
            "_say('handle', 7, 'exception', 'E', [], [[7, 'E', [[7, 'E', ['SystemExit', "
            "'Exception']]]]])"
        ),
        "_say('handle', 7, 'exception', 'E', [], _deep)",
        "_say('handle', 7, 'exception', 'AssertionError', [], 5)",
        ahead="_deep = ['Exception']\nfor _i in range(15): _deep = [[_i, 'E', _deep]]",
    ),
    frames(
        "handle-nonsense",
        "handles of wrong kinds",
        "_say('handle', 'x', 1, 2, 3, 4)",
        "_say('handle')",
        "_say('nothing')",
    ),
    frames(
        "handle-callbacks",
        "functions of the test's that were never given",
        "_say('callback', 10**6)",
        "_say('callback', [1])",
        "_say('plain', 5)",
    ),
    frames(
        "types",
        "types that are not plain",
        "_one(codes.TYPE, 'os.system')",
        "_one(codes.TYPE, 'builtins.exec')",
        "_one(codes.TYPE, 5)",
    ),
    frames(
        "named-tuples",
        "named tuples with words for names, with the names of methods",
        "_x(codes.NAMED, 'class', ['__class__', 'def'], [1, 2])",
        (
            "_x(codes.NAMED, 'R', ['shape', 'requires_grad', 'grad'], [_E(codes.TUPLE, "
            "[3]), True, 1.0])"
        ),
        "_x(codes.NAMED, '__import__(\"os\")', ['a'], [1])",
    ),
    frames(
        "numbers",
        "a fraction over zero, a decimal beyond bounds, a range without end",
        "_x(codes.FRACTION, '0x1', '0x0')",
        "_one(codes.DECIMAL, '1e999999999999')",
        "_x(codes.RANGE, 0, 2**62, 1)",
        calls=1,
    ),
    frames(
        "containers",
        "a deque of negative length, a counter of words, devices that are not there",
        "_x(codes.DEQUE, [1], -5)",
        "_one(codes.COUNTER, [['a', 'b']])",
        "_one(codes.DEVICE, 'cuda:99')",
    ),
    frames(
        "telling",
        "bytes whose error tells the hidden input: numbers, devices and handles that are none",
        "_one(codes.BIGINT, _v)",
        "_one(codes.DEVICE, _v)",
        "_one(codes.DECIMAL, _v + 'x')",
    ),
    frames(
        "telling-more",
        "types, dtypes and operations called like the hidden input",
        "_one(codes.TYPE, _v)",
        "_x(codes.NAMED, _v, ['a'], [1, 2])",
        "_say(_v)",
    ),
)
