"""What may cross beside plain data, by lists: names, claims, errors and callbacks.

A student owns the other end and can send any words. `resolve` alone makes an object of this process
out of them, and only one that is listed here; nothing else on the trusted side looks a name up, and
no list says what is *not* allowed.

    reference   a class or function that the student's object *is*: its own module's, by a name
                without dots                   ("torch", "relu") → torch.relu
    claim       a class that a stand-in may pass for
                                               "torch.nn.modules.linear.Linear" → nn.Linear
    error       a class of exceptions          "numpy.linalg.LinAlgError"
    warning     a category of warnings         "RuntimeWarning"

`may_be_called` says which of the test's objects may be called from over there. Which attributes a
student's object may be asked for: see `questions`.
"""

from __future__ import annotations

import builtins
import collections
import functools
import inspect
import io
import itertools
import os
import random
import re
import sys
import types
import unittest.mock
from collections.abc import Mapping
from typing import Any

import numpy as np

# ---- names and claims ----------------------------------------------------------------------------

#: Functions that compute a new value from their arguments and can do nothing else: no `out`, no
#: `inplace`, no state.
_POINTWISE = """
torch: abs acos acosh add asin asinh atan atan2 atanh ceil clamp clip cos cosh div erf erfc exp exp2
    expm1 floor hypot log log10 log1p log2 logaddexp logit matmul maximum mean minimum mul neg pow
    reciprocal relu round rsqrt sigmoid sign sin sinc sinh softmax log_softmax sqrt square sub sum
    tan tanh trunc
torch.nn.functional: binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss
    cross_entropy gelu glu hinge_embedding_loss huber_loss kl_div l1_loss log_softmax logsigmoid
    mse_loss nll_loss sigmoid smooth_l1_loss softmax softmin softplus softsign tanh tanhshrink
math: acos acosh asin asinh atan atan2 atanh cbrt ceil cos cosh erf erfc exp exp2 expm1 fabs floor
    gamma hypot lgamma log log10 log1p log2 pow sin sinh sqrt tan tanh trunc
"""
#: Those that could also write into an argument: a test holds a stand-in, which equals the function.
_EQUAL_ONLY = """
torch.nn.functional: celu elu hardsigmoid hardswish hardtanh leaky_relu mish relu relu6 rrelu selu
    silu threshold
numpy: abs absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil cos cosh
    divide exp exp2 expm1 fabs floor hypot log log10 log1p log2 logaddexp matmul maximum minimum
    multiply negative positive power reciprocal rint sign sin sinh sqrt square subtract tan tanh
    trunc
"""
_MODELS = """
AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss BatchNorm1d
BatchNorm2d BatchNorm3d Bilinear CELU CTCLoss ConstantPad1d ConstantPad2d Conv1d Conv2d Conv3d
ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss CosineSimilarity
CrossEntropyLoss Dropout Dropout1d Dropout2d Dropout3d ELU Embedding EmbeddingBag Flatten Fold GELU
GLU GRU GRUCell GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh
HingeEmbeddingLoss HuberLoss Identity InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss
LSTM LSTMCell LayerNorm LazyConv1d LazyConv2d LazyLinear LeakyReLU Linear LocalResponseNorm
LogSigmoid LogSoftmax MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d MaxUnpool2d Mish
Module ModuleDict ModuleList MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss
MultiheadAttention NLLLoss PReLU PairwiseDistance ParameterDict ParameterList PixelShuffle
PixelUnshuffle PoissonNLLLoss RMSNorm RNN RNNBase RNNCell RReLU ReLU ReLU6 ReflectionPad1d
ReflectionPad2d ReplicationPad1d ReplicationPad2d SELU Sequential SiLU Sigmoid SmoothL1Loss
SoftMarginLoss Softmax Softmax2d Softmin Softplus Softshrink Softsign Tanh Tanhshrink Threshold
Transformer TransformerDecoder TransformerDecoderLayer TransformerEncoder TransformerEncoderLayer
TripletMarginLoss Unflatten Unfold Upsample UpsamplingBilinear2d UpsamplingNearest2d ZeroPad1d
ZeroPad2d
"""
_OPTIMIZERS = (
    "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam Optimizer RAdam "
    "RMSprop Rprop SGD SparseAdam"
)
_SCHEDULES = """
ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR
LRScheduler LambdaLR LinearLR MultiStepLR MultiplicativeLR OneCycleLR PolynomialLR ReduceLROnPlateau
SequentialLR StepLR
"""
_DATA = """
BatchSampler ChainDataset ConcatDataset DataLoader Dataset IterableDataset RandomSampler Sampler
SequentialSampler StackDataset Subset SubsetRandomSampler TensorDataset WeightedRandomSampler
"""
#: What figures are made of, in Matplotlib: subclasses of these.
_FIGURES = """
matplotlib.artist:Artist matplotlib.axis:Ticker matplotlib.backend_bases:FigureCanvasBase
matplotlib.cm:ScalarMappable matplotlib.colorbar:Colorbar matplotlib.colors:Colormap
matplotlib.colors:Normalize matplotlib.container:Container matplotlib.gridspec:GridSpecBase
matplotlib.gridspec:SubplotSpec matplotlib.spines:Spines matplotlib.ticker:TickHelper
matplotlib.transforms:TransformNode
"""
_ERRORS = """
numpy.linalg: LinAlgError
numpy.exceptions: AxisError DTypePromotionError TooHardError
torch: OutOfMemoryError
torch.linalg: LinAlgError
json: JSONDecodeError
decimal: DecimalException DivisionByZero InvalidOperation Overflow
dataclasses: FrozenInstanceError
pickle: PicklingError UnpicklingError
sklearn.exceptions: NotFittedError
pandas.errors: EmptyDataError MergeError ParserError UndefinedVariableError
"""
#: What a random generator that stays on the trusted side may be asked for: draws, each of them a
#: new value.
_DRAWS = """
beta betavariate binomial binomialvariate bytes chisquare choice choices dirichlet exponential
expovariate f gamma gammavariate gauss geometric getrandbits gumbel hypergeometric integers laplace
lognormal lognormvariate logistic logseries multinomial multivariate_hypergeometric
multivariate_normal negative_binomial noncentral_chisquare noncentral_f normal normalvariate pareto
paretovariate permutation permuted poisson power rand randbytes randint randn randrange random
random_integers random_sample rayleigh sample shuffle standard_cauchy standard_exponential
standard_gamma standard_normal standard_t tomaxint triangular uniform vonmises vonmisesvariate wald
weibull weibullvariate zipf
"""
DRAWS = frozenset(_DRAWS.split())
GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def resolve(kind: str, *words: Any) -> Any:
    """The object of this process that words from the other end stand for; None for whatever is not
    listed. The only place where that is decided.

    `kind` and words: "reference", module, name; "equal", module, name (a function that a stand-in
    may equal); "claim", path of a class; "error", path of a class; "warning", name.
    """
    if any(type(word) is not str for word in words):
        return None
    return _table(kind, loaded_libraries()).get(words[0] if len(words) == 1 else words)


def loaded_libraries() -> tuple[bool, ...]:
    """Which of the libraries that are looked into are there: a table is made anew when one is
    imported.
    """
    return tuple(
        name in sys.modules
        for name in ("torch", "matplotlib.artist", "matplotlib.pyplot", "pandas", "sklearn")
    )


@functools.cache
def _table(kind: str, loaded: tuple[bool, ...]) -> Mapping[Any, Any]:
    """All that `resolve` can give for a kind, by what it is asked with."""
    found: dict[Any, Any]
    if kind == "warning":
        found = {
            w.__name__: w
            for w in vars(builtins).values()
            if isinstance(w, type) and issubclass(w, Warning)
        }
        return found | {"ComplexWarning": np.exceptions.ComplexWarning}
    if kind == "error":
        found = {
            f"builtins.{e.__name__}": e
            for e in vars(builtins).values()
            if isinstance(e, type) and issubclass(e, Exception)
        }
        listed = [e for e in _listed(_ERRORS) if isinstance(e, type) and issubclass(e, Exception)]
        return found | {f"{e.__module__}.{e.__qualname__}": e for e in listed}
    torch = sys.modules.get("torch")
    models, optimizers, schedules, data = ([], [], [], []) if torch is None else _classes(torch)
    if kind == "claim":
        return {
            f"{c.__module__}.{c.__qualname__}": c
            for c in (*models, *optimizers, *schedules, *data, *_artists())
        }
    if kind == "reference":
        safe = [
            c for c in (*models, *optimizers) if "inplace" not in inspect.signature(c).parameters
        ]
        return {
            where: value
            for value in (*safe, *_listed(_POINTWISE))
            if (where := _place(value)) is not None
        }
    if kind == "equal":
        every = (
            *models,
            *optimizers,
            *schedules,
            *data,
            *_listed(_POINTWISE),
            *_listed(_EQUAL_ONLY),
        )
        return {where: value for value in every if (where := _place(value)) is not None}
    return {}


def _classes(torch: Any) -> tuple[list[type], ...]:
    """Models, optimizers, schedules and what has to do with data, as far as this version of torch
    has them.
    """
    rooms = (
        (torch.nn, _MODELS),
        (torch.optim, _OPTIMIZERS),
        (torch.optim.lr_scheduler, _SCHEDULES),
        (torch.utils.data, _DATA),
    )
    return tuple(
        [vars(room)[name] for name in names.split() if isinstance(vars(room).get(name), type)]
        for room, names in rooms
    )


def _artists() -> list[type]:
    """The classes of `_FIGURES` and their subclasses, as far as they are imported."""
    bases = tuple(
        found
        for module, name in (place.split(":") for place in _FIGURES.split())
        if isinstance(found := vars(sys.modules.get(module, types)).get(name), type)
    )
    rooms = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith("matplotlib.") and isinstance(module, types.ModuleType)
    ]
    found = (
        {
            item
            for room in rooms
            for item in list(vars(room).values())
            if isinstance(item, type) and issubclass(item, bases)
        }
        if bases
        else set()
    )
    return [item for item in found if item.__module__.startswith("matplotlib.")]


def _listed(text: str) -> list[Any]:
    """The objects of a list "module: name name …", those that are there."""
    lists = re.findall(r"^(\S+): ((?:.*\n)(?:    .*\n)*)", text, re.MULTILINE)
    rooms = [(sys.modules.get(module), names.split()) for module, names in lists]
    return [
        getattr(room, name)
        for room, names in rooms
        if room is not None
        for name in names
        if hasattr(room, name)
    ]


#: Where classes and functions are the same on both sides, so that their names are enough.
LIBRARIES = (
    "builtins",
    "torch",
    "numpy",
    "math",
    "operator",
    "functools",
    "itertools",
    "collections",
    "random",
    "statistics",
    "scipy",
    "pandas",
    "matplotlib",
)


def reference(value: Any) -> tuple[str, str] | None:
    """A library's class, function or module by name, for the other end: (module, name); None for
    anything else. Of the test's objects or one's own.
    """
    if isinstance(value, types.ModuleType):
        return (
            (value.__name__, "")
            if value.__name__.split(".")[0] in LIBRARIES
            and sys.modules.get(value.__name__) is value
            else None
        )
    module: Any = getattr(value, "__module__", None)
    own: Any = getattr(value, "__name__", None)
    # torch's are qualified by a class that stands nowhere
    for name in (getattr(value, "__qualname__", None), own, f"Tensor.{own}"):
        for place in (
            module,
            "torch",
            "torch.nn.functional",
            "numpy",
            "math",
            "operator",
            "builtins",
        ):
            if (
                type(place) is not str
                or type(name) is not str
                or place.split(".")[0] not in LIBRARIES
                or place not in sys.modules
            ):
                continue
            if look_up(place, name) is value:
                return place, name
    return None


def _place(value: Any) -> tuple[str, str] | None:
    """As `reference`, of something that stands under a name without dots in its module."""
    found = reference(value)
    return None if found is None or "." in found[1] else found


def look_up(module: str, name: str) -> Any:
    """What `reference` found there. Never for words of the other end on the trusted side: those go
    to `resolve`.
    """
    found: Any = sys.modules.get(module)
    for piece in name.split(".") if name else []:
        found = getattr(found, piece, None)
    return found


# ---- callbacks -----------------------------------------------------------------------------------

#: What the code of tests, of the instructor's own cells and of data cells is compiled as.
OWN_CODE = ("<tests>", "<instructor's setup>", "<given>", "<doctest the test[")
_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + "/"
#: Methods of plain containers of the test's, with which it records what it is told.
_RECORDERS: dict[type, frozenset[str]] = {
    list: frozenset(["append", "extend", "insert"]),
    set: frozenset(["add", "update"]),
    dict: frozenset(["get", "setdefault", "update", "__getitem__", "__setitem__"]),
    collections.deque: frozenset(["append", "appendleft", "extend"]),
    collections.Counter: frozenset(["update"]),
    collections.OrderedDict: frozenset(
        ["get", "setdefault", "update", "__getitem__", "__setitem__"]
    ),
    collections.defaultdict: frozenset(
        ["get", "setdefault", "update", "__getitem__", "__setitem__"]
    ),
}
_ITERATORS = (
    *map(
        type,
        (
            iter([]),
            iter(()),
            iter({}),
            iter(set()),
            iter(""),
            iter(b""),
            iter(range(0)),
            iter({}.items()),
            iter({}.values()),
            iter(collections.deque()),
        ),
    ),
    *(enumerate, zip, map, filter, reversed, io.StringIO, io.BytesIO),
    *(kind for kind in vars(itertools).values() if isinstance(kind, type)),
)


#: Built-in functions that do nothing but compute.
_COMPUTE = (abs, divmod, len, max, min, pow, round, sorted, sum)


def may_be_called(value: Any, folder: str) -> bool:
    """Whether student code may call an object of the test's: functions, methods and classes of the
    test's own cells, or of a module in the assignment's `folder`; what they were wrapped in;
    recorders of plain containers; draws; polynomials and mocks.
    """
    kind = type(value)
    owner = None if isinstance(value, type) else getattr(value, "__self__", None)
    if isinstance(owner, GENERATORS):
        return value.__name__ in DRAWS
    if kind is types.FunctionType:
        return _is_own(value, folder) or (
            hasattr(value, "__wrapped__") and may_be_called(value.__wrapped__, folder)
        )
    if kind is types.MethodType:
        return may_be_called(value.__func__, folder)
    if kind is types.BuiltinMethodType:
        return value.__name__ in _RECORDERS.get(type(owner), ())
    if kind is functools.partial:
        return (
            may_be_called(value.func, folder)
            or reference(value.func) in _table("equal", loaded_libraries())
            or value.func in _COMPUTE
        )
    if kind is np.vectorize:
        return may_be_called(value.pyfunc, folder)
    if kind is np.poly1d or kind.__module__.startswith("numpy.polynomial."):
        return True
    if issubclass(kind, unittest.mock.Mock):  # each mock has a class of its own
        return True
    if isinstance(value, type):
        return value.__module__ == "tests"
    if isinstance(value, functools._lru_cache_wrapper):
        return may_be_called(value.__wrapped__, folder)
    return _is_own(_method(kind, "__call__"), folder)


def may_be_iterated(value: Any, folder: str) -> bool:
    """Whether student code may take the next item of an iterator of the test's."""
    kind = type(value)
    if kind is types.GeneratorType:
        return _is_own_code(value.gi_code, folder)
    if kind in _ITERATORS or kind.__module__ == "torch.utils.data.dataloader":
        return True
    return _is_own(_method(kind, "__next__"), folder)


def _method(kind: type, name: str) -> Any:
    return next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)


def _is_own(function: Any, folder: str) -> bool:
    return type(function) is types.FunctionType and _is_own_code(function.__code__, folder)


def _is_own_code(code: types.CodeType, folder: str) -> bool:
    name = code.co_filename
    return name.startswith(OWN_CODE) or (
        bool(folder) and name.startswith(folder.rstrip("/") + "/") and not name.startswith(_PACKAGE)
    )
