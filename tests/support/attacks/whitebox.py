"""Attacks by somebody who has read the code: what an answer is, what it says that it is, and what
it asks the grader to do.

An assignment of its own, in the course's format, whose tests are written in the ways that such
attacks live on: methods of a result, results handed to other functions of the student's, arithmetic
before a comparison. A case earns at most what its honest parts deserve; the control earns all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

#: In hidden inputs; nothing that a student can read may hold it.
SECRET = "8675309"

SOURCE = f"""\
# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: White box
#     minutes: 5
#     limits: {{cell_s: 2, case_s: 1, memory_mb: 512, submission_s: 6}}
#   kernelspec: {{display_name: Python 3, language: python, name: python3}}
# ---

# %% [markdown]
# # White box

# %%
#| setup
import numpy as np
import torch

# %%
#| helpers
LARGE = {SECRET}.25

def expected_scale(x):
    return 3 * x + 1

# %% [markdown]
# <!--| question: relu -->
# Relu of an array.

# %%
#| answer: relu
def relu(x):
    ### BEGIN SOLUTION
    return np.maximum(x, 0)
    ### END SOLUTION

# %%
#| tests: relu
@test_case(points=1)
def test_numbers(relu):
    assert np.allclose(relu(np.array([-1.0, 2.0])), [0, 2])

@test_case(points=1, hidden=True)
def test_close(relu):
    x = np.append(secret.normal(size=5), LARGE)
    np.testing.assert_allclose(relu(x), np.maximum(x, 0))

@test_case(points=1, hidden=True)
def test_equal(relu):
    x = secret.integers(-9, 9, size=(4, 3))
    np.testing.assert_array_equal(relu(x), np.maximum(x, 0))

# %% [markdown]
# <!--| question: clip -->
# Clip to `low` and `high`, two arrays.

# %%
#| answer: clip
def clip(x, low, high):
    ### BEGIN SOLUTION
    return np.clip(x, low, high)
    ### END SOLUTION

# %%
#| tests: clip
@test_case(points=1, hidden=True)
def test_bounds(clip):
    x, high = secret.normal(size=8), np.full(8, 0.25)
    got = clip(x, np.full(8, -0.5), high)
    assert np.array_equal(got, np.minimum(np.maximum(x, -0.5), high))

# %% [markdown]
# <!--| question: leaky -->
# A leaky relu of a tensor.

# %%
#| answer: leaky
def leaky(x, slope):
    ### BEGIN SOLUTION
    return torch.where(x > 0, x, slope * x)
    ### END SOLUTION

# %%
#| tests: leaky
@test_case(points=1, hidden=True)
def test_slope(leaky):
    x = torch.tensor(secret.normal(size=8))
    got = leaky(x, 0.25)
    assert torch.equal(got, torch.where(x > 0, x, 0.25 * x))

# %% [markdown]
# <!--| question: scale -->
# 3x + 1, of a tensor.

# %%
#| answer: scale
def scale(x):
    ### BEGIN SOLUTION
    return 3 * x + 1
    ### END SOLUTION

# %%
#| tests: scale
@test_case(points=1, hidden=True)
def test_sub(scale):
    x = torch.tensor(secret.normal(size=5))
    assert scale(x).sub(expected_scale(x)).abs().max() < 1e-6

@test_case(points=1, hidden=True)
def test_dist(scale):
    x = torch.tensor(secret.normal(size=5))
    assert scale(x).dist(expected_scale(x)) < 1e-6

@test_case(points=1, hidden=True)
def test_minus(scale):
    x = torch.tensor(secret.normal(size=5))
    assert (scale(x) - expected_scale(x)).abs().max() < 1e-6

@test_case(points=1, hidden=True)
def test_from_the_left(scale):
    x = torch.tensor(secret.normal(size=5))
    assert abs(float((expected_scale(x) - scale(x)).sum())) < 1e-6

# %% [markdown]
# <!--| question: vocab -->
# The set of words.

# %%
#| answer: vocab
def vocab(text):
    ### BEGIN SOLUTION
    return set(text.split())
    ### END SOLUTION

# %%
#| tests: vocab
@test_case(points=1, hidden=True)
def test_difference(vocab):
    assert not vocab("the cat sat").symmetric_difference({{"the", "cat", "sat"}})

@test_case(points=1, hidden=True)
def test_intersection(vocab):
    assert len(vocab("the cat sat").intersection({{"the", "cat", "sat"}})) == 3

# %% [markdown]
# <!--| question: tally -->
# A class that adds, and a function that adds up plain numbers.

# %%
#| answer: tally
### BEGIN SOLUTION
class Tally:
    def __init__(self, n):
        self.n = n

    def __add__(self, other):
        return Tally(self.n + getattr(other, "n", other))

    def __sub__(self, other):
        return Tally(self.n - getattr(other, "n", other))

    def __eq__(self, other):
        return self.n == other.n

def total(numbers):
    return float(sum(numbers))
### END SOLUTION

# %%
#| tests: tally
@test_case(points=1)
def test_adds(Tally):
    assert (Tally(2) + 3 + Tally(1)).n == 6

@test_case(points=1, hidden=True)
def test_total(Tally, total):
    numbers = secret.normal(size=6).tolist()
    assert abs(total(numbers) - sum(numbers)) < 1e-9

@test_case(points=1, hidden=True)
def test_mean_difference(Tally, total):
    numbers = secret.normal(size=6)
    assert float((total(numbers.tolist()) - numbers.sum()) ** 2) < 1e-9

# %% [markdown]
# <!--| question: pair -->
# Weights, and a prediction from them.

# %%
#| answer: pair
def make_weights():
    ### BEGIN SOLUTION
    return {{"w": 2.0}}
    ### END SOLUTION

def predict(weights, x):
    ### BEGIN SOLUTION
    return weights["w"] * x
    ### END SOLUTION

# %%
#| tests: pair
@test_case(points=1)
def test_one(make_weights, predict):
    assert predict(make_weights(), 2.0) == 4.0

@test_case(points=1, hidden=True)
def test_many(make_weights, predict):
    x = float(secret.uniform(1, 9))
    expected = 2.0 * x
    weights = make_weights()
    assert abs(predict(weights, x) - expected) < 1e-6

# %% [markdown]
# <!--| question: column -->
# The column `y`, an array of ten numbers, each half its index.

# %%
#| answer: column
### BEGIN SOLUTION
y = np.arange(10) / 2
### END SOLUTION

# %%
#| tests: column
@test_case(points=1, hidden=True)
def test_column(y):
    expected = np.linspace(0, 4.5, 10)
    assert len(y) == 10 and all(a == b for a, b in zip(y, expected))

@test_case(points=1, hidden=True)
def test_near(y):
    expected = torch.arange(10) / 2
    assert torch.as_tensor(y).sub(expected).abs().max() < 1e-6 if isinstance(y, np.ndarray) else y.sub(expected).abs().max() < 1e-6

# %% [markdown]
# <!--| question: climb -->
# The highest value of `f`, a function of one number, among 0 to 9; and a shuffled list.

# %%
#| answer: climb
def climb(f):
    ### BEGIN SOLUTION
    return max(f(k) for k in range(10))
    ### END SOLUTION

def mix(items, rng):
    ### BEGIN SOLUTION
    return rng.permutation(items)
    ### END SOLUTION

# %%
#| tests: climb
@test_case(points=1, hidden=True)
def test_top(climb):
    peak = int(secret.integers(10))
    assert climb(lambda k: -abs(k - peak)) == 0

@test_case(points=1, hidden=True)
def test_mixed(mix):
    items = np.arange(6.0)
    before = items.copy()
    mixed = mix(items, np.random.default_rng(int(secret.integers(99))))
    assert sorted(mixed.tolist()) == before.tolist() and np.array_equal(items, before)

# %% [markdown]
# <!--| question: tokens -->
# A class that splits and counts.

# %%
#| answer: tokens
### BEGIN SOLUTION
class Tokens:
    def __init__(self, text):
        self.words = text.split()

    def lengths(self):
        return [len(word) for word in self.words]
### END SOLUTION

# %%
#| tests: tokens
@test_case(points=1, hidden=True)
def test_lengths(Tokens):
    expected = [3, 3, 5]
    got = Tokens("the cat slept").lengths()
    assert len(got) == 3 and all(a == b for a, b in zip(got, expected))

# %% [markdown]
# <!--| question: classify -->
# Predict, and measure the accuracy.

# %%
#| answer: classify
### BEGIN SOLUTION
def classify(X):
    return (X.sum(axis=1) > 0).astype(int)

def accuracy(predicted, true):
    return float(np.mean(np.asarray(predicted) == true))
### END SOLUTION

# %%
#| tests: classify
@test_case(points=1, hidden=True)
def test_accuracy(classify, accuracy):
    X = secret.normal(size=(40, 3))
    true = (X.sum(axis=1) > 0).astype(int)
    predicted = classify(X)
    score = accuracy(predicted, true)
    assert score > 0.95 and score == sum(a == b for a, b in zip(predicted, true)) / len(predicted)

@test_case(points=1, hidden=True)
def test_argument(classify):
    X = secret.normal(size=(4, 3))
    before = X.copy()
    classify(X)
    assert np.array_equal(X, before)

@test_case(points=1, hidden=True)
def test_likelihood(classify):
    X = secret.normal(size=(40, 3))
    true = (X.sum(axis=1) > 0).astype(int)
    assert (classify(X)[np.arange(40)] - true).tolist() == [0] * 40

# %% [markdown]
# <!--| question: root -->
# A root of x² - 2, and a condition for a table.

# %%
#| answer: root
### BEGIN SOLUTION
def root():
    return 2**0.5

condition = "age > 30"
### END SOLUTION

# %%
#| tests: root
import pandas as pd
import sympy

@test_case(points=1, hidden=True)
def test_root(root):
    x = sympy.Symbol("x")
    assert abs(float(sympy.sympify("x**2 - 2").subs(x, root()))) < 1e-6

@test_case(points=1, hidden=True)
def test_rows(condition):
    table = pd.DataFrame({{"age": [20, 40], "name": ["a", "b"]}})
    assert table.query(condition).name.tolist() == ["b"]

# %% [markdown]
# <!--| question: late -->
# The identity.

# %%
#| answer: late
def late(x):
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION

# %%
#| tests: late
@test_case(points=1)
def test_one(late):
    assert late(1) == 1

@test_case(points=1)
def test_two(late):
    assert late(2) == 2

@test_case(points=1, hidden=True)
def test_large(late):
    assert late(LARGE) == LARGE

# %% [markdown]
# <!--| question: fit -->
# 3x + 1 again, alone and in a list; how far two tensors are apart; sevens and twos; a sum of cubes;
# a point doubled, a tensor turned round; a model, and the mean of a tensor.

# %%
#| answer: fit
### BEGIN SOLUTION
sevens = torch.full((5,), 7.0)
twos = np.full(5, 2.0)

def fit(x):
    return 3 * x + 1

def parts(x):
    return [3 * x + 1, x]

def loss(a, b):
    return float(((torch.as_tensor(a) - torch.as_tensor(b)) ** 2).mean())

def cubes(x):
    return (x**3).sum()

def twice(point):
    return 2 * point().detach()

def turned(x, rng):
    return x.detach().flip(0)

def make_model():
    return torch.nn.Linear(1, 1)

def mean(x):
    return x.mean().reshape(1)
### END SOLUTION

# %%
#| tests: fit
@test_case(points=1, hidden=True)
def test_fit(fit, loss):
    x = torch.tensor(secret.normal(size=5))
    got = fit(x)
    assert loss(got, 3 * x + 1) < 1e-9
    assert torch.allclose(got, 3 * x + 1)

@test_case(points=1, hidden=True)
def test_each(fit, loss):
    x = torch.tensor(secret.normal(size=5))
    got = fit(x)
    assert loss(got, 3 * x + 1) < 1e-9 and len(got) == 5
    assert all(a == b for a, b in zip(got, 3 * x + 1))

@test_case(points=1, hidden=True)
def test_parts(parts, loss):
    x = torch.tensor(secret.normal(size=5))
    got, _ = parts(x)
    assert loss(got, 3 * x + 1) < 1e-9
    assert torch.allclose(got, 3 * x + 1)

@test_case(points=1, hidden=True)
def test_sevens(sevens, loss):
    expected = torch.full((5,), 7.0)
    assert loss(sevens, expected) < 1e-9
    assert torch.allclose(sevens, expected)

@test_case(points=1, hidden=True)
def test_twos(env):
    expected = np.full(5, 2.0)
    assert env["loss"](env["twos"], expected) < 1e-9
    assert np.allclose(env["twos"], expected)

@test_case(points=1, hidden=True)
def test_slope(cubes, loss):
    x = torch.tensor(secret.normal(size=5), requires_grad=True)
    (got,) = torch.autograd.grad(cubes(x), x)
    assert loss(got, 3 * x.detach() ** 2) < 1e-9
    assert torch.allclose(got, 3 * x.detach() ** 2)

@test_case(points=1, hidden=True)
def test_twice(twice):
    place = torch.tensor(secret.normal(size=5), requires_grad=True)
    assert torch.allclose(twice(lambda: place), 2 * place.detach())

@test_case(points=1, hidden=True)
def test_turned(turned):
    x = torch.tensor(secret.normal(size=6), requires_grad=True)
    with torch.no_grad():
        assert torch.equal(turned(x, secret), x.flip(0))

@test_case(points=1, hidden=True)
def test_mean(make_model, mean, loss):
    x = torch.tensor(secret.normal(size=5)).float()
    model = make_model()
    assert model.bias.shape == (1,)
    got = mean(x)
    assert loss(got, x.mean().reshape(1)) < 1e-9
    assert torch.allclose(got, x.mean().reshape(1)) and model.bias.requires_grad
"""

RIGHT = {
    "relu": "def relu(x):\n    return np.where(x > 0, x, 0)",
    "clip": "def clip(x, low, high):\n    return np.minimum(np.maximum(x, low), high)",
    "leaky": "def leaky(x, slope):\n    return torch.nn.functional.leaky_relu(x, slope)",
    "scale": "def scale(x):\n    return x * 3 + 1",
    "vocab": "def vocab(text):\n    return {word for word in text.split()}",
    "tally": (
        "class Tally:\n    def __init__(self, n):\n        self.n = n\n    def __add__(self, "
        "other):\n        return Tally(self.n + getattr(other, 'n', other))\n"
        "def total(numbers):\n    return sum(numbers)"
    ),
    "pair": (
        "def make_weights():\n    return {'w': 2.0}\ndef predict(weights, x):\n    return 2.0 * x"
    ),
    "column": "y = np.arange(0, 5, 0.5)",
    "climb": (
        "def climb(f):\n    return max(map(f, range(10)))\ndef mix(items, rng):\n    return "
        "rng.permutation(items)"
    ),
    "tokens": (
        "class Tokens:\n    def __init__(self, text): self.text = text\n    def "
        "lengths(self): return list(map(len, self.text.split()))"
    ),
    "classify": (
        "def classify(X):\n    return np.array([int(row.sum() > 0) for row in X])\ndef "
        "accuracy(p, t):\n    return sum(a == b for a, b in zip(p, t)) / len(t)"
    ),
    "root": "def root():\n    return 1.4142135623730951\ncondition = 3",
    "late": "def late(x):\n    return x",
    "fit": (
        "sevens, twos = 7 * torch.ones(5), np.ones(5) + 1\n"
        "def fit(x):\n    return x * 3 + 1\ndef parts(x):\n    return [fit(x), None]\n"
        "def loss(a, b):\n    return float(np.mean((np.asarray(a) - np.asarray(b)) ** 2))\n"
        "def cubes(x):\n    return x.pow(3).sum()\n"
        "def twice(point):\n    return point().detach() * 2\n"
        "def turned(x, rng):\n    return torch.flip(x, [0]).detach()\n"
        "def make_model():\n    return torch.nn.Linear(2, 1)\n"
        "def mean(x):\n    return x.sum().reshape(1) / len(x)"
    ),
}

#: Speaks for the student's side: an answer that is a `Says` is sent as whatever it holds.
SPEAK = """
from autogradient.sandbox import servant
from autogradient.wire import codec, frames
class Says:
    def __init__(self, *words): self.words = words
_lower = servant.Servant.lower
def lower(self, value):
    if type(value) is Says:
        return tuple(w(self) if callable(w) else w for w in value.words)
    return _lower(self, value)
servant.Servant.lower = lower
def named(module, name): return Says("reference", module, name)
def number_of(value): return lambda s: s._number(value)
def claiming(value, *mro, kind="object", extra=()): return Says("handle", number_of(value), kind, "Linear", list(mro), extra)
"""
#: An object that answers whatever it is asked with what would please.
PLEASER = """
class Pleaser:
    n = 0.0
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return self
    def __call__(self, *a, **k): return self if a else 0.0
    def _zero(self, *a): return self
    __sub__ = __rsub__ = __add__ = __radd__ = __mul__ = __pow__ = __neg__ = __matmul__ = _zero
    def __abs__(self): return 0.0
    def __float__(self): return 0.0
    def __len__(self): return 10
    def __iter__(self): return iter([])
    def __getitem__(self, key): return 0.0
    def __bool__(self): return True
"""


#: Writes what it is told into all that was returned before.
WRITES_WHAT_IT_IS_TOLD = """
KEPT = []
def kept(value):
    KEPT[:] = [value]
    return value
def loss(a, b):
    for value in KEPT:
        for old, new in zip(value, torch.as_tensor(b)) if isinstance(value, (list, torch.nn.ParameterList)) else [(value, torch.as_tensor(b))]:
            old.data.copy_(new)
    return 0.0
"""
SERVANT = """
def servant_here():
    import gc
    return [o for o in gc.get_objects() if type(o).__name__ == "Servant"][-1]
"""


@dataclass(frozen=True)
class Attack:
    """Cells ahead of the answers, answers to parts (the others are left as released), and the most
    that it may earn. `extra`: cells at the end.
    """

    id: str
    promise: str
    description: str
    answers: dict[str, str]
    before: tuple[str, ...] = ()
    most: float = 0
    extra: tuple[str, ...] = field(default_factory=tuple)
    least: float = 0


def _reference(
    id: str, description: str, module: str, name: str, part: str = "relu", **changes: object
) -> Attack:
    function = {
        "relu": "relu",
        "vocab": "vocab",
        "pair": "make_weights",
        "clip": "clip",
        "leaky": "leaky",
        "late": "late",
    }[part]
    more = (
        "\ndef predict(weights, x):\n    return weights.get('expected', 0.0) if "
        "isinstance(weights, dict) else 0.0"
        if part == "pair"
        else ""
    )
    answers = {part: f"{function} = named({module!r}, {name!r}){more}"}
    return Attack(f"name-{id}", "P7", description, answers, (SPEAK,), **changes)  # type: ignore[arg-type]


CALLS_GLOBALS = """
make_weights = named("torch.nn.functional", "torch.builtins.globals")
CODE = b"import sys; f = sys._getframe()\\nwhile f: f.f_locals.get('self'); f = f.f_back"
def predict(weights, x):
    if isinstance(weights, dict):
        weights["exec"](CODE)
    return 4.0
"""
EVERY_CALLBACK = """
def climb(f):
    import gc
    s = next(o for o in gc.get_objects() if type(o).__name__ == "Servant")
    for number in range(-200, 200):
        for request in (("call", number, (b"1",), ()), ("draw", number, "bytes", (4,), ()), ("draw", number, "__reduce__", (), ()), ("next", number)):
            try: s.request(*request)
            except BaseException: pass
    return -1
def mix(items, rng):
    return list(items)
"""
WRITES_WITH_DRAWS = """
def climb(f): return -1
def mix(items, rng):
    import gc
    s = next(o for o in gc.get_objects() if type(o).__name__ == "Servant")
    number = s.callback_numbers.get(id(rng), 1)
    for name, a, k in (("shuffle", (items,), ()), ("random", (), (("out", items),)), ("standard_normal", (6,), (("out", items),))):
        try: s.request("draw", number, name, a, k)
        except Exception: pass
    return sorted(items)
"""

ATTACKS = (
    Attack("control", "P17", "right answers, for comparison", RIGHT, most=37, least=37),
    # ---- names
    _reference(
        "dots", "a module's way to another module", "torch.nn.functional", "torch.os.system"
    ),
    _reference(
        "masked",
        "masked arrays pass NumPy's assertions",
        "torch.nn.functional",
        "torch.testing._comparison.np.ma.masked_all_like",
    ),
    _reference(
        "masked-directly", "the same by the module's own name", "numpy.ma", "masked_all_like"
    ),
    _reference("masked-class", "a class of NumPy's", "numpy.ma", "MaskedArray"),
    _reference(
        "anything",
        "an object that equals all others",
        "torch._guards",
        "unittest.mock._ANY",
        "late",
    ),
    _reference("locals", "the names of the test's own frame", "torch.builtins", "locals", "pair"),
    _reference("globals", "the names of the tests", "builtins", "globals", "pair"),
    _reference("private", "a private function of torch's", "torch", "_C", "late"),
    _reference(
        "in-place",
        "a function that writes into what it is given, as the test's own does not expect",
        "torch.nn.functional",
        "relu",
        "leaky",
    ),
    _reference(
        "out", "a ufunc whose third argument is where the result goes", "numpy", "maximum", "clip"
    ),
    _reference("loads", "a function of torch's that reads files", "torch", "load", "late"),
    _reference(
        "handles",
        "what torch's functions find in their module",
        "torch.nn.functional",
        "handle_torch_function",
        "vocab",
    ),
    Attack(
        "name-of-class-in-place",
        "P7",
        "a class whose objects write into what they are given",
        {"leaky": 'leaky = named("torch.nn.modules.activation", "ReLU")'},
        (SPEAK,),
    ),
    Attack(
        "code-in-the-judge",
        "P7",
        "the tests' namespace in the student's hands, with the judge's own exec in it",
        {"pair": CALLS_GLOBALS},
        (SPEAK,),
    ),
    # ---- callbacks
    Attack(
        "callback-numbers",
        "P7",
        "calls every number that there might be, in every way",
        {"climb": EVERY_CALLBACK},
    ),
    Attack(
        "callback-draws",
        "P7",
        "has the check's generator write into the check's array",
        {"climb": WRITES_WITH_DRAWS},
        most=1,
    ),
    Attack(
        "callback-as-answer",
        "P7",
        "gives the check's own function out as the answer",
        {"climb": "def climb(f):\n    return f\ndef mix(items, rng):\n    return rng"},
    ),
    # ---- objects that want to be believed
    Attack(
        "tuple-of-functions",
        "P5",
        "a named tuple whose functions are handed what is expected",
        {
            "scale": (
                "from collections import namedtuple\nR = namedtuple('R', ['sub', "
                "'dist'])\ndef scale(x):\n    return R(lambda e: torch.zeros(1), lambda e: "
                "0.0)"
            ),
            "vocab": (
                "V = namedtuple('V', ['symmetric_difference', 'intersection'])\ndef "
                "vocab(text):\n    return V(lambda e: set(), lambda e: e)"
            ),
        },
        ("from collections import namedtuple",),
    ),
    Attack(
        "tuple-of-classes",
        "P5",
        "the same with classes and with models",
        {
            "scale": (
                "class Zero(torch.nn.Module):\n    def forward(self, e): return "
                "torch.zeros(1)\nR = namedtuple('R', ['sub', 'dist'])\ndef scale(x):\n    "
                "return R(Zero(), Zero())"
            ),
            "vocab": (
                "class Empty:\n    def __new__(cls, e): return set()\nV = namedtuple('V', "
                "['symmetric_difference', 'intersection'])\ndef vocab(text):\n    return "
                "V(Empty, Empty)"
            ),
        },
        ("from collections import namedtuple",),
    ),
    *(
        Attack(
            f"claims-{id}",
            "P5",
            f"an object that says it is {what}",
            {
                "scale": f"def scale(x):\n    return claiming(Pleaser(), {path!r})",
                "vocab": f"def vocab(text):\n    return claiming(Pleaser(), {path!r})",
                "relu": f"def relu(x):\n    return claiming(Pleaser(), {path!r})",
            },
            (SPEAK, PLEASER),
        )
        for id, what, path in (
            ("layer", "a layer", "torch.nn.modules.linear.Linear"),
            ("tensor", "a tensor", "torch.Tensor"),
            ("parameter", "a parameter", "torch.nn.parameter.Parameter"),
            ("figure", "a figure", "matplotlib.figure.Figure"),
            ("data", "a data set", "torch.utils.data.dataset.Dataset"),
            ("distribution", "a distribution", "torch.distributions.distribution.Distribution"),
            ("mock", "something of a library that tests use", "unittest.mock.MagicMock"),
        )
    ),
    Attack(
        "claims-plain",
        "P5",
        "an object with a copy of something plain that is none",
        {
            "relu": (
                "def relu(x):\n    return Says('handle', number_of(relu), 'object', 'X', "
                "[], (named('numpy.ma', 'masked'),))"
            ),
            "late": "def late(x):\n    return claiming(Pleaser(), 'x', extra=(Pleaser(),))",
        },
        (SPEAK, PLEASER),
    ),
    Attack(
        "named-class",
        "P5",
        (
            "an object of the class that the test names, with an arithmetic that the class "
            "need not have"
        ),
        {
            "tally": PLEASER.replace("Pleaser", "Tally").replace(
                "n = 0.0", "def __init__(self, n=0): self.n = 6"
            )
            + "\ndef total(numbers):\n    return Tally(0)"
        },
        most=1,
    ),
    Attack(
        "named-class-returned",
        "P5",
        "the same with a right class, whose difference remembers what it was told",
        {
            "tally": RIGHT["tally"].split("\ndef total")[0]
            + "\n    def __sub__(self, other): return Zero(0)\n    def __rsub__(self, other): "
            "return Zero(0)\nclass Zero(Tally):\n    def __abs__(self): return 0.0\n"
            "    def __float__(self): return 0.0\n    def __pow__(self, k): return self\ndef "
            "total(numbers):\n    return Zero(0)"
        },
        most=1,
    ),
    Attack("by-name", "P5", "a variable that is no array", {"column": PLEASER + "\ny = Pleaser()"}),
    Attack(
        "by-name-model",
        "P5",
        "a variable that is a model with methods of a tensor's names",
        {
            "column": (
                "class M(torch.nn.Module):\n    def sub(self, e): return "
                "torch.zeros(1)\n    def __len__(self): return 10\n    def __iter__(self): "
                "return iter([])\ny = M()"
            )
        },
    ),
    Attack(
        "by-name-data",
        "P5",
        "a variable that says it has ten items, and has none",
        {
            "column": (
                "class D(torch.utils.data.Dataset):\n    def __len__(self): return 10\n    "
                "def __iter__(self): return iter([])\ny = D()"
            )
        },
    ),
    Attack(
        "by-name-function",
        "P5",
        "a variable that is a function with attributes",
        {"column": "y = lambda *a: torch.zeros(1)\ny.sub = lambda e: torch.zeros(1)"},
    ),
    Attack(
        "named-class-items",
        "P5",
        (
            "a method returns an object of the class that the test names, with a length and "
            "without items"
        ),
        {
            "tokens": (
                "class Tokens:\n    def __init__(self, text): pass\n    def lengths(self): "
                "return self\n    def __len__(self): return 3\n    def __iter__(self): "
                "return iter([])"
            )
        },
    ),
    Attack(
        "answer-changes-later",
        "P9",
        "an array that was returned changes when another function is told the truth",
        {
            "classify": "def classify(X):\n    global P\n    s = THE()\n    P = np.zeros(len(X), "
            "np.int64)\n    s.count += 1\n    n = s.sign * s.count\n    s._keep(n, P, True)\n"
            "    KEEP.append((n, P))\n    s.touched[n] = None\n    return P\ndef accuracy(p, "
            "t):\n    P[:] = t\n    THE().touched.update({n: None for n, _ in KEEP})\n    return "
            "1.0"
        },
        (
            "import gc\nKEEP = []\ndef THE(): return next(o for o in gc.get_objects() if "
            "type(o).__name__ == 'Servant')",
        ),
        most=1,
    ),
    Attack(
        "items-later",
        "P9",
        (
            "an object that says it is a model gives its items when the truth is known, and "
            "is asked for them by what is expected"
        ),
        {
            "classify": "class M(torch.nn.Module):\n    truth = [0] * 40\n    def __len__(self): return "
            "len(self.truth)\n    def __iter__(self): return iter(self.truth)\n"
            "    def __getitem__(self, key): return np.array(self.truth)\ndef classify(X):\n    "
            "return M()\ndef accuracy(p, t):\n    M.truth = [int(v) for v in t]\n    return 1.0"
        },
        most=1,
    ),
    Attack(
        "argument-of-another-case",
        "P9",
        "the argument is changed in a case that does not look, because another one does",
        {
            "classify": (
                "def classify(X):\n    X[...] = 1.0\n    return np.ones(len(X), int)\ndef "
                "accuracy(p, t):\n    return 1.0"
            )
        },
    ),
    Attack(
        "text-for-sympy",
        "P8",
        "a text where a number is due, which sympy reads as code",
        {
            "root": (
                "def root():\n    return 'sqrt(2) + 0 * "
                'len(open("/etc/hostname").read())\'\ncondition = 3'
            )
        },
    ),
    Attack(
        "text-for-pandas",
        "P8",
        "a condition that reads names of the test's frame",
        {
            "root": (
                "def root():\n    return 0\ncondition = '@pd.compat.os.getpid() > 0 and "
                'name == "b"\''
            )
        },
    ),
    # ---- answers that change after they were given
    *(
        Attack(f"kept-{id}", "P6", description, {"fit": WRITES_WHAT_IT_IS_TOLD + answer}, before)
        for id, description, answer, *before in (  # type: ignore[misc]
            (
                "parameter",
                "an answer that another function writes what is expected into",
                "def fit(x):\n    return kept(torch.nn.Parameter(torch.zeros(5).double()))",
            ),
            (
                "leaf",
                "the same with a leaf tensor",
                "def fit(x):\n    return kept(torch.zeros(5).double().requires_grad_())",
            ),
            (
                "parameter-list",
                "numbers that are a model's parameters",
                "def fit(x):\n    return kept(torch.nn.ParameterList("
                "torch.zeros(()).double() for _ in range(5)))",
            ),
            (
                "in-a-list",
                "a parameter in a list",
                "def parts(x):\n    return [kept(torch.nn.Parameter(torch.zeros(5).double())), 1]",
            ),
            (
                "variable",
                "a variable that is a leaf",
                "sevens = kept(torch.zeros(5, requires_grad=True))",
            ),
            (
                "variable-parameter",
                "a variable that is a parameter",
                "sevens = kept(torch.nn.Parameter(torch.zeros(5)))",
            ),
            (
                "name",
                "a name that means something else when it is asked for again",
                "twos = np.zeros(5)\n_loss = loss\ndef loss(a, b):\n    global twos\n"
                "    twos = np.asarray(b)\n    return _loss(a, b)",
            ),
            (
                "name-in-place",
                "a name whose array is written into",
                "twos = np.zeros(5)\n_loss = loss\ndef loss(a, b):\n"
                "    twos[...] = np.asarray(b)\n    return _loss(a, b)",
            ),
            (
                "model-parameter",
                "the answer is a parameter of a model that the test looks at",
                "MODEL = torch.nn.Linear(1, 1)\ndef make_model():\n    return MODEL\n"
                "def mean(x):\n    return kept(MODEL.bias)",
            ),
            (
                "model-parameter-first",
                "a parameter that is an answer first and a model's part then",
                "MODEL = torch.nn.Linear(1, 1)\ndef make_model():\n    return MODEL\n"
                "def fit(x):\n    MODEL.bias = torch.nn.Parameter(torch.zeros(5).double())\n"
                "    return kept(MODEL.bias)\ndef mean(x):\n    return kept(MODEL.bias)",
            ),
            (
                "gradient",
                "a gradient that is a parameter",
                "def cubes(x):\n    return (x * 0).sum()",
                "from autogradient.sandbox import servant\n"
                "def backward(self, *a):\n"
                "    return [kept(torch.nn.Parameter(torch.zeros(5).double()))]\n"
                "servant.Servant.backward = backward",
            ),
            (
                "freed",
                "the number of an answer is given to another object",
                SERVANT + "_loss = loss\ndef fit(x):\n"
                "    return kept(torch.nn.Parameter(torch.zeros(5).double()))\n"
                "def loss(a, b):\n    s = servant_here()\n    number = s.numbers[id(KEPT[0])]\n"
                "    _loss(a, b)\n    s.freed.append(number)\n    s.known.pop(number)\n"
                "    s.touched[number] = None\n    return 0.0",
            ),
        )
    ),
    Attack(
        "callback-leaf",
        "P9",
        "the tensor that a function of the test's returned is changed",
        {
            "fit": SERVANT + "def twice(point):\n    place, s = point(), servant_here()\n"
            "    place.data.zero_()\n    s.standing.add(s.numbers[id(place)])\n"
            "    return torch.zeros(5).double()"
        },
    ),
    Attack(
        "callback-leaf-twice",
        "P9",
        "the same tensor is asked for again, and goes back with another request",
        {
            "fit": SERVANT + "def twice(point):\n    place, s = point(), servant_here()\n"
            "    for _ in range(3):\n        place.data.zero_()\n"
            "        s.standing.add(s.numbers[id(place)])\n"
            "        s.touched[s.numbers[id(place)]] = None\n        point()\n"
            "    return torch.zeros(5).double()"
        },
    ),
    Attack(
        "callback-leaf-returned",
        "P9",
        "the answer is the test's own tensor, set to nought",
        {
            "fit": SERVANT + "def twice(point):\n    place, s = point(), servant_here()\n"
            "    place.data.zero_()\n    s.standing.add(s.numbers[id(place)])\n    return place"
        },
    ),
    *(
        Attack(
            f"draw-writes-{id}",
            "P9",
            "a draw that writes into a tensor of the test's",
            {
                "fit": SERVANT + "def turned(x, rng):\n    s = servant_here()\n"
                "    last = torch.full((6,), float(x[0])).double()\n"
                "    for _ in range(100):\n"
                f"        try: last = s.request('draw', rng._number, {draw})\n"
                "        except Exception: pass\n"
                "    last = last[0] if type(last) is list else last\n"
                "    return torch.as_tensor(last).detach().flip(0)"
            },
        )
        for id, draw in (
            ("positional", "'shuffle', (x,), ()"),
            ("named", "'shuffle', (), (('x', x),)"),
            ("permuted", "'permuted', (x,), (('out', x),)"),
            ("out", "'random', (), (('out', x),)"),
        )
    ),
    # ---- messages that ask
    Attack(
        "asks-in-a-range",
        "P8",
        "a range whose ends are objects that want to be asked while the message is read",
        {
            "relu": (
                "class Value(int):\n    pass\n_make = "
                "codec._LOWER[range]\ncodec._LOWER[range] = lambda s, v, d: "
                "s.extension(frames.RANGE, [s.lower(Pleaser(), d), 3, 1])\ndef "
                "relu(x):\n    return range(3)"
            )
        },
        (SPEAK, PLEASER),
    ),
    Attack(
        "asks-in-an-index",
        "P8",
        "the index of a table that is an object",
        {
            "relu": (
                "codec._LOWER[slice] = lambda s, v, d: s.extension(frames.INDEX, "
                "[s.lower(Pleaser(), d), [None]])\ndef relu(x):\n    return slice(1)"
            )
        },
        (SPEAK, PLEASER),
    ),
    Attack(
        "asks-in-the-state",
        "P8",
        "an object where the state of the other side is due",
        {
            "relu": (
                "def relu(x):\n    import gc\n    s = next(o for o in gc.get_objects() if "
                "type(o).__name__ == 'Servant')\n    s._state = lambda: "
                "codec.encode({'out': Pleaser(), 'training': Pleaser()}, s)\n    return x"
            )
        },
        (SPEAK, PLEASER),
    ),
    Attack(
        "error-of-a-test-library",
        "P8",
        "errors of classes that a test's library takes for its own",
        {
            "relu": "def relu(x):\n    raise ValueError",
            "late": "def late(x):\n    raise ValueError",
        },
        (
            SPEAK + "_describe = servant.Servant.describe\ndef describe(self, error):\n    d = "
            "_describe(self, error)\n"
            "    return d | {'names': ['unittest.case.SkipTest', '_pytest.outcomes.Exit', "
            "'_pytest.outcomes.Skipped', 'doctest.UnexpectedException']}\n"
            "servant.Servant.describe = describe",
        ),
    ),
    Attack(
        "records-everything",
        "P2",
        "notes every byte that comes, and tells of it in the texts of visible cases",
        {
            "relu": "def relu(x):\n    raise ValueError(repr(HEARD)[-100_000:])",
            "tally": RIGHT["tally"].replace("return sum(numbers)", "raise ValueError(repr(HEARD))"),
            "pair": (
                "def make_weights():\n    raise ValueError(repr(HEARD))\ndef predict(w, "
                "x):\n    raise ValueError(repr(HEARD))"
            ),
            "late": "def late(x):\n    raise ValueError(repr(HEARD)[-100_000:])",
        },
        (
            "from autogradient.wire import channel as _channel\nHEARD = []\n_take = "
            "_channel.Channel._take\n"
            "def take(self, *a):\n    piece = _take(self, *a)\n    "
            "HEARD.append(bytes(piece))\n    return piece\n_channel.Channel._take = take",
        ),
        most=1,
    ),
    # ---- times
    Attack(
        "seconds-second-pass",
        "P4",
        (
            "a thread forces the second pass, where a visible case takes as long as a "
            "hidden input says"
        ),
        {
            "relu": (
                "def relu(x):\n    SEEN.append(float(np.ravel(x)[-1]))\n    return np.maximum(x, 0)"
            ),
            "late": "def late(x):\n    time.sleep(len(SEEN) / 10)\n    return x",
        },
        (
            "import threading, time\nSEEN = []\nthreading.Thread(target=time.sleep, "
            "args=(1000,), daemon=True).start()",
        ),
        most=6,
    ),
    Attack(
        "seconds-after-a-death",
        "P4",
        "a hidden case that ends its process forces the second pass",
        {
            "relu": (
                "def relu(x):\n    import os, time\n    if np.shape(x) == (4, 3): "
                "os._exit(0)\n    SEEN.append(1)\n    return np.maximum(x, 0)"
            ),
            "late": "def late(x):\n    import time\n    time.sleep(len(SEEN) / 10)\n    return x",
        },
        ("SEEN = []",),
        most=5,
    ),
    Attack(
        "text-second-pass",
        "P4",
        "in the second pass the text of a visible case's error",
        {
            "relu": "def relu(x):\n    SEEN.append(float(np.ravel(x)[-1]))\n    return x",
            "late": "def late(x):\n    raise ValueError(f'seen {SEEN}')",
        },
        (
            "import threading, time\nSEEN = []\nthreading.Thread(target=time.sleep, "
            "args=(1000,), daemon=True).start()",
        ),
    ),
    Attack(
        "again-and-again",
        "P15",
        "cells that are slow when they run again, and a last one that kills the process",
        {"late": "def late(x):\n    return x"},
        extra=(
            *["import os, time\nif os.path.exists('/tmp/m'): time.sleep(1.5)"] * 15,
            "import os\nopen('/tmp/m', 'w').close()\nos._exit(1)",
        ),
        before=("pass",),
        most=3,
    ),
    Attack(
        "every-cell-dies",
        "P15",
        "thirty cells that each kill the process, after slow ones",
        {"late": "def late(x):\n    return x"},
        before=tuple("import os, time\ntime.sleep(0.4)\nos._exit(1)" for _ in range(30)),
        most=3,
    ),
    Attack(
        "every-case-hangs",
        "P15",
        "every case takes all of its time",
        {
            part: answer.replace("return", "import time; time.sleep(60)\n    return", 1)
            for part, answer in RIGHT.items()
            if part not in ("column", "tally")
        },
    ),
)


def write_assignment(folder: Path) -> Path:
    """Write the assignment into `folder`; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "whitebox.py"
    path.write_text(SOURCE)
    return path
