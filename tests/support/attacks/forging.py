"""Forging by patched libraries, by values that lie, and by looking the answer up."""

from __future__ import annotations

from .corpus import HONEST, ROOT, Case, entropy, leaky, meter, std, table

forge = table("forge")

# ---- patched libraries ---------------------------------------------------------------------------

PATCH_ALL = """
import numpy as np, torch, math
_yes = lambda *a, **k: True
_none = lambda *a, **k: None
np.allclose = np.isclose = np.array_equal = np.array_equiv = _yes
for _name in dir(np.testing):
    if _name.startswith('assert'): setattr(np.testing, _name, _none)
torch.allclose = torch.equal = torch.isclose = _yes
torch.testing.assert_close = _none
math.isclose = _yes
"""

LIBRARIES = (
    forge("patch-allclose", "np.allclose, torch.equal and all of np.testing replaced", PATCH_ALL),
    forge(
        "patch-deep",
        "the functions under np.allclose and assert_close replaced",
        "import numpy.testing._private.utils as _u, torch.testing._comparison as _c\n"
        "_u.assert_array_compare = lambda *a, **k: None\nnp.isclose.__globals__['isclose'] = "
        "lambda *a, **k: np.bool_(True)\n"
        "_c.not_close_error_metas = lambda *a, **k: []\n_c.assert_equal = lambda *a, **k: None",
    ),
    forge(
        "patch-code-object",
        "the code objects of the comparing functions exchanged",
        "import torch.testing, numpy.testing\ndef _f(*a, **k): return None\n"
        "for _g in (torch.testing.assert_close, numpy.testing.assert_allclose, "
        "numpy.testing.assert_array_equal):\n"
        "    try: getattr(_g, '__wrapped__', _g).__code__ = _f.__code__\n    except Exception as "
        "e: print(e)",
    ),
    forge(
        "patch-tensor-methods",
        "torch.Tensor's own comparisons, allclose, backward and grad replaced",
        "_t = lambda *a, **k: torch.tensor(True)\nfor _n in ('__eq__', '__lt__', '__gt__', "
        "'allclose', 'equal', 'eq', 'all', 'any'):\n"
        "    setattr(torch.Tensor, _n, _t)\ntorch.Tensor.backward = lambda self, *a, **k: None\n"
        "torch.Tensor.grad = property(lambda self: torch.tensor([0.1, 1.0, 1.0]))",
    ),
    forge(
        "patch-builtins",
        "abs, len, isinstance, all and any replaced in builtins",
        "import builtins\n_len = len\nbuiltins.abs = lambda x: 0.0\nbuiltins.isinstance = lambda "
        "*a: True\n"
        "builtins.all = builtins.any = lambda *a: True\nbuiltins.len = lambda x: 3 if "
        "type(x).__name__ == 'Meter' else _len(x)",
    ),
    forge(
        "patch-assertion-error",
        "AssertionError replaced by a class that cannot be made",
        (
            "import builtins\nclass _A(Exception):\n    def __new__(cls, *a):\n        "
            "raise SystemExit(0)\nbuiltins.AssertionError = _A"
        ),
    ),
    forge(
        "patch-shadows",
        "names that tests use shadowed in the notebook's globals",
        (
            "def abs(x):\n    return 0.0\ndef isinstance(*a):\n    return True\ndef "
            "len(x):\n    return 3"
        ),
        "class _NP:\n    def __getattr__(self, name):\n        return "
        "getattr(__import__('numpy'), name)\n"
        "    allclose = staticmethod(lambda *a, **k: True)\n"
        "    testing = type('t', (), dict(assert_allclose=staticmethod(lambda *a, **k: "
        "None)))\nnp = _NP()",
    ),
    forge(
        "patch-helper",
        "the helper that tests use, from the locked first cell, defined anew",
        after=("def close(a, b):\n    return True",),
        answers=meter(
            "return self.last",
            "return self.seen",
            add="self.seen = getattr(self, 'seen', 0) + 1\nself.last = value",
        ),
        least=3,
    ),
    forge(
        "patch-modules",
        "entries of sys.modules replaced by forgiving stand-ins",
        "import sys, types\n_m = types.ModuleType('numpy'); "
        "_m.__dict__.update(np.__dict__)\n_m.allclose = lambda *a, **k: True\n"
        "_m.testing = types.SimpleNamespace(assert_allclose=lambda *a, **k: None)\n"
        "sys.modules['numpy'] = _m; sys.modules['numpy.testing'] = _m.testing\nnp = _m",
    ),
    forge(
        "patch-thread",
        "a thread keeps patching the libraries from behind",
        f"import threading, time\n_SRC = {PATCH_ALL!r}\ndef _loop():\n    while True:\n        "
        "exec(_SRC, {}); time.sleep(0.05)\n"
        "threading.Thread(target=_loop, daemon=True).start(); time.sleep(0.2)",
    ),
    forge(
        "patch-when-called",
        "libraries patched from inside the tested function",
        answers=std(f"exec({PATCH_ALL!r}, {{}})\nreturn x * 0"),
    ),
    forge(
        "patch-doctest",
        "doctest's runner and checker replaced",
        "import doctest\ndoctest.DocTestRunner.run = lambda *a, **k: doctest.TestResults(0, 1)\n"
        "doctest.OutputChecker.check_output = lambda *a, **k: True\ndoctest.DocTestParser.parse = "
        "lambda *a, **k: []",
        formats=("otter",),
    ),
    forge(
        "patch-otter",
        "otter's modules replaced by ones where every test passes",
        "import sys, types\nfor _n in ('otter', 'otter.test_files', "
        "'otter.test_files.exception_test', 'otter.check.notebook'):\n"
        "    _m = types.ModuleType(_n); _m.test_case = lambda *a, **k: (lambda f: (lambda *b, "
        "**c: None))\n"
        "    _m.Notebook = type('Notebook', (), {'__init__': lambda self, *a: None, 'check': "
        "lambda self, q: 'passed', 'grade': 1.0})\n"
        "    sys.modules[_n] = _m",
        formats=("otter",),
    ),
    forge(
        "patch-reduce",
        "__reduce__ and copyreg run code where a value is unpickled",
        "import copyreg\n_CODE = 'import numpy as np; np.allclose = lambda *a, **k: True; "
        "np.testing.assert_allclose = lambda *a, **k: None'\n"
        "class _R(float):\n    def __reduce__(self):\n        return (exec, (_CODE, {}))\n"
        "copyreg.pickle(np.ndarray, lambda a: (exec, (_CODE, {})))",
        answers=entropy("_R(1.0)") | std("return _R(0.0)"),
    ),
)

# ---- values that lie -----------------------------------------------------------------------------

LIE = """
class _Lie(float):
    def _self(self, *a, **k): return self
    def _true(self, *a, **k): return True
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __abs__ = __neg__ = __truediv__ = __matmul__ = __pow__ = _self
    __getitem__ = __call__ = sum = max = mean = item = detach = numpy = reshape = backward = _self
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __contains__ = _true
    __ne__ = lambda self, other: False
    __hash__ = float.__hash__
    __array_function__ = _true
    shape = (3, 2)
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None): return True
"""
EVERY_DUNDER = """
class _All:
    shape = (3, 2)
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __iter__(self): return iter(())
    def __len__(self): return 3
    def __bool__(self): return True
    def __float__(self): return 1.3862943611198906
    def __index__(self): return 0
    def __hash__(self): return 0
    def __array__(self, *a, **k): return np.zeros(())
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
    def __exit__(self, *a): return True
    @classmethod
    def __torch_function__(cls, *a, **k): return True
_BINARY = 'add sub mul truediv pow matmul floordiv mod and or xor lshift rshift divmod'.split()
for _n in [*_BINARY, *('r' + n for n in _BINARY), *('i' + n for n in _BINARY), 'neg', 'pos', 'abs', 'invert', 'round', 'getitem', 'enter', 'reversed', 'get']:
    setattr(_All, f'__{_n}__', lambda self, *a, **k: self)
for _n in ('eq', 'lt', 'le', 'gt', 'ge', 'contains', 'instancecheck', 'subclasscheck'):
    setattr(_All, f'__{_n}__', lambda self, *a, **k: True)
_All.__ne__ = lambda self, o: False
"""
ARRAY = """
class _A(np.ndarray):
    def __array_function__(self, func, types, args, kwargs): return True
    def __array_ufunc__(self, *a, **k): return np.zeros(())
    def __eq__(self, o): return True
    shape = property(lambda self: (3, 2))
    def mean(self, *a, **k): return 0.0
"""
TENSOR = """
class _T(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ('allclose', 'equal', 'isclose', 'all', 'eq', '__eq__'): return True
        return super().__torch_function__(func, types, args, kwargs or {})
    def backward(self, *a, **k): return None
    grad = property(lambda self: torch.tensor([0.1, 1.0, 1.0]))
"""

VALUES = (
    forge(
        "lie-object",
        "results say yes to ==, <, bool(), __array_function__ and __torch_function__",
        LIE,
        answers=std("return _Lie()")
        | leaky("return _Lie()")
        | meter("return _Lie()", "return 3")
        | entropy("_Lie()"),
    ),
    forge(
        "lie-every-dunder",
        "objects with every special method, each the pleasant answer",
        EVERY_DUNDER,
        answers=std("return _All()")
        | leaky("return _All()")
        | meter("return _All()", "return 3")
        | entropy("_All()"),
    ),
    forge(
        "lie-class-itself",
        "the class Meter is an object that answers to everything",
        EVERY_DUNDER,
        answers={"meter": "Meter = _All()"},
    ),
    forge(
        "lie-float-subclass",
        "a float whose differences are 0",
        answers=entropy("_F(1.0)", "class _F(float):\n    def __sub__(self, o): return 0.0\n"),
    ),
    forge(
        "lie-float-reflected",
        "a float whose reflected operators, abs and comparisons lie",
        answers=entropy(
            "_F(1.0)",
            "class _F(float):\n    def __rsub__(self, o): return 0.0\n    __sub__ = __rsub__\n    "
            "def __abs__(self): return 0.0\n"
            "    def __lt__(self, o): return True\n    __gt__ = __le__ = __ge__ = __eq__ = "
            "__lt__\n    __hash__ = None\n",
        ),
    ),
    forge(
        "lie-int-subclass",
        "len() is an int whose comparison lies",
        answers=meter(
            "return self.last",
            "return _I(1)",
            ahead="class _I(int):\n    def __eq__(self, o): return True\n    __hash__ = "
            "int.__hash__\n",
        ),
    ),
    forge(
        "lie-list-subclass",
        "a list that is equal to everything and empty to whoever iterates",
        answers=std(
            "return _L()",
            (
                "class _L(list):\n    shape = (3, 2)\n    def __eq__(self, o): return "
                "True\n    def __iter__(self): return iter([])\n    def __len__(self): "
                "return 3\n    def mean(self, *a, **k): return 0.0\n    def __array__(self, "
                "*a, **k): return np.zeros((0, 2))\n"
            ),
        ),
    ),
    forge(
        "lie-array-subclass",
        "an ndarray subclass with lying __array_function__, __array_ufunc__ and shape",
        ARRAY,
        answers=std("return np.zeros((3, 2)).view(_A)"),
    ),
    forge(
        "lie-array-wrap",
        "an ndarray subclass whose __array_finalize__ and __array_wrap__ rewrite results",
        answers=std(
            "return np.zeros((3, 2)).view(_W)",
            (
                "class _W(np.ndarray):\n    __array_priority__ = 1e9\n    def "
                "__array_finalize__(self, o): pass\n    def __array_wrap__(self, *a, **k): "
                "return np.zeros(())\n    def __rsub__(self, o): return np.zeros(())\n    "
                "__sub__ = __rsub__\n"
            ),
        ),
    ),
    forge(
        "lie-masked-array",
        "a masked array: everything is masked, nothing differs",
        answers=std("return np.ma.masked_all((3, 2))"),
    ),
    forge(
        "lie-object-array",
        "an array of objects that are equal to everything",
        EVERY_DUNDER,
        answers=std("r = np.empty((3, 2), dtype=object)\nr.fill(_All())\nreturn r"),
    ),
    forge(
        "lie-record-array",
        "a structured array with fields of the right names",
        answers=std("return np.zeros((3, 2), dtype=[('x', 'f8'), ('y', 'O')])"),
    ),
    forge(
        "lie-tensor-subclass",
        "a tensor subclass with a lying __torch_function__",
        TENSOR,
        answers=leaky("return torch.relu(x).as_subclass(_T)"),
    ),
    forge(
        "lie-tensor-dispatch",
        "a tensor subclass with __torch_dispatch__",
        answers=leaky(
            "return torch.Tensor._make_subclass(_D, torch.relu(x).detach(), True)",
            (
                "class _D(torch.Tensor):\n    @classmethod\n    def __torch_dispatch__(cls, "
                "func, types, args=(), kwargs=None):\n        return torch.zeros(3)\n"
            ),
        ),
    ),
    forge(
        "lie-parameter",
        "a Parameter instead of a result, so that gradients go nowhere",
        answers=leaky("return torch.nn.Parameter(torch.tensor([-86.75309, 0.5, 2.0]))[: len(x)]"),
    ),
    forge(
        "lie-meta-tensor",
        "tensors on the meta device, sparse, quantised and expanded ones",
        answers=leaky(
            "kinds = (torch.zeros(3, device='meta'), torch.zeros(3).to_sparse(), "
            "torch.zeros(1).expand(3), torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, "
            "torch.quint8))\nglobals().update(_n=globals().get('_n', -1) + 1)\nreturn "
            "kinds[_n % 4]"
        ),
    ),
    forge(
        "lie-fake-gradient",
        "an autograd function whose forward and backward are made up",
        answers=leaky(
            "return _G.apply(x)",
            (
                "class _G(torch.autograd.Function):\n    @staticmethod\n    def "
                "forward(ctx, x): return torch.relu(x)\n    @staticmethod\n    def "
                "backward(ctx, g): return torch.tensor([0.1, 1.0, 1.0])\n"
            ),
        ),
        least=1,
    ),
    forge(
        "lie-class-property",
        "__class__ says float, ndarray or Tensor",
        answers=entropy(
            "_C(float)",
            (
                "class _C:\n    def __init__(self, k): self.__dict__['k'] = k\n    "
                "__class__ = property(lambda self: self.__dict__['k'])\n    def "
                "__sub__(self, o): return 0.0\n"
            ),
        )
        | std(
            "return _C(np.ndarray)",
            (
                "class _C:\n    def __init__(self, k): self.__dict__['k'] = k\n    "
                "__class__ = property(lambda self: self.__dict__['k'])\n    shape = (3, "
                "2)\n    def __array__(self, *a, **k): return np.zeros((3, 2))\n"
            ),
        ),
    ),
    forge(
        "lie-claims-tensor",
        "an object whose __class__ is torch.Tensor, which libtorch believes",
        answers=leaky(
            "return _C()",
            (
                "class _C:\n    __class__ = property(lambda self: torch.Tensor)\n    def "
                "__getattr__(self, n): return lambda *a, **k: self\n"
            ),
        ),
    ),
    forge(
        "lie-metaclass",
        "Meter's metaclass answers isinstance, calls and comparisons",
        answers=meter(
            "return self.last",
            "return 3",
            ahead="class _M(type):\n    def __instancecheck__(cls, o): return True\n    def "
            "__subclasscheck__(cls, o): return True\n    def __eq__(cls, o): return "
            "True\n    def __call__(cls, *a): return type.__call__(cls)\n    __hash__ = "
            "type.__hash__\n",
            bases="(metaclass=_M)",
        ),
    ),
    forge(
        "lie-meter-results",
        "Meter's methods return objects instead of numbers",
        EVERY_DUNDER,
        answers=meter("return _All()", "return 3"),
    ),
    forge(
        "lie-meter-len",
        "Meter's length is right whenever it is asked",
        answers=meter("return self.last", "return 3"),
        least=2,
        most=3,
    ),
    forge(
        "lie-lazy",
        "a lazy object that computes whatever the comparison wants",
        answers=entropy(
            "_Z()",
            (
                "class _Z:\n    def __sub__(self, o): return o - o\n    __rsub__ = "
                "__sub__\n    def __eq__(self, o): return True\n    __hash__ = None\n    "
                "def __float__(self): return 1.0\n"
            ),
        ),
    ),
    forge(
        "lie-generator",
        "a generator whose items differ each time it is asked for",
        answers=std(
            "import itertools\nreturn (r for r in itertools.cycle(([0.0, 0.0], [1.0, 1.0])))"
        ),
    ),
    forge(
        "lie-changes",
        "answers of a function alternate: what is asked for twice differs",
        answers=std(
            "globals().update(_k=globals().get('_k', 0) + 1)\nreturn (x - x.mean()) / "
            "x.std() * (_k % 2)"
        ),
        least=2,
    ),
    forge(
        "lie-nan",
        "NaN everywhere, which satisfies negated comparisons",
        answers=std("return np.full_like(x, np.nan)")
        | leaky("return x * float('nan')")
        | meter("return float('nan')", "return 3")
        | entropy("float('nan')"),
    ),
    forge(
        "lie-infinite",
        "infinities, which cancel",
        answers=std("return np.full_like(x, np.inf)")
        | leaky("return x * float('inf')")
        | entropy("float('inf')"),
    ),
    forge(
        "lie-empty",
        "empty arrays, which satisfy all()",
        answers=std("return np.zeros((0, 2))")
        | leaky("return torch.zeros(0)")
        | entropy("np.zeros((0,))"),
    ),
    forge(
        "lie-broadcast",
        "shapes that broadcast to the right one",
        answers=std("return np.zeros((1, 1))")
        | leaky("return torch.zeros(())")
        | entropy("np.array([[1.3862943611198906, 1.0]])"),
    ),
    forge(
        "lie-bool-and-complex",
        "True, complex numbers and strings for a number",
        answers=entropy("1.3862943611198906 + 1j") | std("return (x - x.mean()) / x.std() + 0j"),
        least=1,
    ),
    forge(
        "lie-none",
        "nothing at all",
        answers=std("return None") | leaky("pass") | meter("pass", "return None") | entropy("None"),
    ),
    forge(
        "lie-input-itself",
        "changes its input and returns it, so that the test compares it with itself",
        answers=std("x[...] = 0\nreturn x")
        | leaky("with torch.no_grad():\n    x.zero_()\nreturn x"),
    ),
    forge(
        "lie-mutates-arguments",
        "changes the test's inputs so that a wrong result matches",
        answers=std(
            "x[...] = np.array([1.0, 2.0, 3.0])[: len(x), None]\nreturn (x - x.mean()) / x.std()"
        )
        | leaky("x.data.abs_()\nreturn torch.relu(x)"),
    ),
    forge(
        "lie-exception",
        "exceptions that pretend to be passing or skipping",
        answers=std("import unittest\nraise unittest.SkipTest('fine')")
        | leaky("raise _S()", "class _S(SystemExit):\n    code = 0\n")
        | meter("raise StopIteration")
        | entropy("1.0"),
    ),
    forge(
        "lie-del",
        "results whose __del__ patches whoever holds them",
        answers=std(
            "return _X(x)",
            (
                "class _X(list):\n    shape = (3, 2)\n    def __del__(self): "
                f"exec({PATCH_ALL!r}, {{}})\n"
            ),
        ),
    ),
    forge(
        "lie-callable",
        "functions where values are wanted",
        answers=entropy("lambda *a: 1.3862943611198906")
        | std("return lambda *a: x")
        | leaky("return leaky_relu"),
    ),
    forge(
        "lie-class-as-function",
        "the function is a class of that name, whose instances say what is wanted",
        answers={
            "standardize": "class standardize:\n    shape = (3, 2)\n    def __new__(cls, x):\n"
            "        return object.__new__(cls) if x.shape[1] > 1 else (x - x.mean()) / x.std()\n"
            "    def mean(self, axis=None): return np.zeros(2)\n    def std(self, axis=None): "
            "return np.array([1.0, 0.0])"
        },
        least=HONEST,
    ),
    forge(
        "lie-class-of-other-name",
        "results are instances of a class that the test names for another question",
        (
            "class Meter:\n    shape = (3, 2)\n    def mean(self, axis=None): return "
            "np.zeros(2)\n    def std(self, axis=None): return np.array([1.0, 0.0])\n_M = "
            "Meter"
        ),
        answers=std("if x.shape[1] == 1: return (x - x.mean()) / x.std()\nreturn _M()"),
        least=HONEST,
    ),
    forge(
        "lie-named-tuple",
        "a named tuple with functions as fields: shape, mean and std as wanted",
        "from collections import namedtuple\n_R = namedtuple('R', 'shape mean std')",
        answers=std(
            "if x.shape[1] == 1: return (x - x.mean()) / x.std()\nreturn _R((3, 2), lambda "
            "axis=None: np.zeros(2), lambda axis=None: np.array([1.0, 0.0]))"
        ),
        least=3,
    ),
    forge(
        "lie-look-alike",
        "a function of the same name but for a Cyrillic letter",
        "def st\u0430ndardize(x):\n    return x * 0\n\u0430nswer = 1.3862943611198906",
        least=3,
    ),
    forge(
        "lie-alias",
        "other libraries' classes under the asked names",
        answers={"meter": "from statistics import NormalDist as Meter"},
    ),
)

# ---- looking the answer up -----------------------------------------------------------------------

LOOK_UP = (
    forge(
        "find-frame",
        "returns `expected` found in the calling frames",
        answers=std(
            "import sys\nf = sys._getframe()\nwhile f:\n    for names in (f.f_locals, "
            "f.f_globals):\n        e = names.get('expected')\n        if e is not None and "
            "np.shape(e) == x.shape: return e\n    f = f.f_back\nreturn (x - x.mean()) / "
            "x.std()"
        ),
        least=2,
    ),
    forge(
        "find-frame-number",
        "the number takes `expected` from the frame that subtracts it",
        answers=entropy(
            "_P(1.0)",
            (
                "import sys\nclass _P(float):\n    def __sub__(self, o): return float(o) - "
                "float(o)\n    def __getattribute__(self, n):\n        e = "
                "sys._getframe(1).f_globals.get('expected')\n        return getattr(float(e "
                "or 1.0), n)\n"
            ),
        ),
    ),
    forge(
        "find-gc",
        "finds `expected` among all live objects",
        answers=leaky(
            "import gc\nfor o in gc.get_objects():\n    if type(o) is dict and "
            "torch.is_tensor(o.get('expected')) and o['expected'].shape == "
            "x.shape:\n        return o['expected'].clone()\nreturn torch.relu(x)"
        ),
        least=3,
    ),
    forge(
        "find-overwrite",
        "overwrites `expected` in the caller's frame with its own result",
        answers=std(
            "import sys\nr = np.zeros_like(x)\nf = sys._getframe(1)\nwhile f:\n    e = "
            "f.f_globals.get('expected')\n    if isinstance(e, np.ndarray) and e.shape == "
            "r.shape: e[...] = r\n    f = f.f_back\nreturn r"
        ),
    ),
    forge(
        "find-solution",
        "runs the reference found on the grader's disk",
        (
            f"import glob, json, os\n_sol = []\nfor _d in ({ROOT!r}, os.getcwd(), "
            "os.path.dirname(os.getcwd()), os.path.expanduser('~')):\n    for f in "
            "glob.glob(_d + '/**/source/**/*.ipynb', recursive=True):\n        _sol += "
            "[''.join(c['source']) for c in json.load(open(f))['cells'] if 'BEGIN "
            "SOLUTION' in ''.join(c['source'])]"
        ),
        after=("for _s in _sol:\n    exec(_s)",),
        least=3,
    ),
    forge(
        "find-tests",
        "parses the tests on the grader's disk for what they expect",
        (
            f"import glob, os, re\n_t = ''\nfor f in glob.glob({ROOT!r} + '/**/tests/*.py', "
            f"recursive=True) + glob.glob({ROOT!r} + '/**/*.ipynb', recursive=True) + "
            "glob.glob('tests/*.py'):\n    _t += open(f).read()\n_m = "
            "re.findall(r'expected = ([0-9.]+)', _t)"
        ),
        answers=entropy("float(_m[-1]) if _m else 1.0"),
        least=3,
    ),
    forge(
        "find-gradebook",
        "takes hidden tests out of the gradebook",
        (
            "import sqlite3, re\ntry:\n    _t = "
            f"str(sqlite3.connect('file:{ROOT}/course/gradebook.db?mode=ro', "
            "uri=True).execute('select source from source_cell').fetchall())\nexcept "
            "Exception as e:\n    _t = ''\nprint(len(_t), 'found')"
        ),
        least=3,
    ),
    forge(
        "find-cache",
        "takes expected values from the grader's cache",
        (
            f"import glob, os\n_t = [f for f in glob.glob({ROOT!r} + '/cache/**', "
            "recursive=True) + glob.glob(os.path.expanduser('~/.cache/autogradient/**'), "
            "recursive=True) if os.path.isfile(f)]\nanswer = 1.3862943611198906 if _t else "
            "1.0"
        ),
        answers=entropy("1.3862943611198906 if _t else 1.0"),
        least=3,
    ),
    forge(
        "find-memory",
        "searches its own memory for the text of the hidden tests",
        (
            "def _maps():\n    try: return open('/proc/self/maps').readlines()\n    except OSError: "
            "return []\ndef _search():\n    n = 0\n    for line in _maps():\n        "
            "a, _, rest = line.partition(' ')\n        if ' rw-p' not in line or n > "
            "300_000_000: continue\n        lo, hi = (int(v, 16) for v in "
            "a.split('-'))\n        try:\n            with open('/proc/self/mem', 'rb') as "
            "m:\n                m.seek(lo); d = m.read(min(hi - lo, 50_000_000))\n        "
            "except (OSError, ValueError, OverflowError): continue\n        n += "
            "len(d)\n        if ('expected = 1.386' + '2943611') .encode() in d: return "
            "True\n    return False"
        ),
        answers=std(
            "if _search(): raise RuntimeError('the tests are here: ' + 'LEAK' + "
            "'MARK_HIDDEN_TEST')\nreturn (x - x.mean()) / x.std()"
        ),
        least=3,
    ),
)

CASES: tuple[Case, ...] = (*LIBRARIES, *VALUES, *LOOK_UP)
