"""The lists at the boundary are the whole truth: over every public attribute of every class that
may cross, every name of every module, every kind of callable.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import copy
import fractions
import functools
import operator
import socket
import sys
import types
import unittest.mock
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from autogradient.grading import judge as grading_side
from autogradient.grading import library_patches
from autogradient.grading import trial as judging_side
from autogradient.grading.trial import Trial
from autogradient.sandbox.mounts import WORK
from autogradient.wire import allowed, codec, frames, questions
from autogradient.wire.channel import Channel
from autogradient.wire.instances import ObjectProxy
from autogradient.wire.proxies import (
    FREE,
    LIMITED,
    NAMED,
    BoundaryError,
    ClassProxy,
    FunctionProxy,
    GeneratorProxy,
    Proxy,
)
from autogradient.wire.student import Student

LAYER = ["__main__.Net", "torch.nn.modules.linear.Linear", "torch.nn.modules.module.Module"]
CLAIMS = {
    "model": LAYER,
    "optimizer": ["torch.optim.sgd.SGD", "torch.optim.optimizer.Optimizer"],
    "schedule": ["torch.optim.lr_scheduler.StepLR", "torch.optim.lr_scheduler.LRScheduler"],
    "data": ["torch.utils.data.dataset.TensorDataset", "torch.utils.data.dataset.Dataset"],
    "figure": ["matplotlib.figure.Figure", "matplotlib.artist.Artist"],
    "distribution": [
        "torch.distributions.normal.Normal",
        "torch.distributions.distribution.Distribution",
    ],
    "nothing": ["__main__.Own"],
}
PLAIN: list[Any] = [
    torch.Tensor,
    torch.nn.Parameter,
    torch.Size,
    np.ndarray,
    np.float64,
    list,
    tuple,
    dict,
    set,
    frozenset,
    str,
    bytes,
    int,
    float,
    complex,
]
PLAIN += [
    fractions.Fraction,
    collections.deque,
    collections.Counter,
    collections.defaultdict,
    pd.DataFrame,
    pd.Series,
    pd.Index,
]
PLAIN += [collections.namedtuple("R", ["first"])]


SILENT, _FAR = socket.socketpair()


class Nobody(Student):
    """A conversation that notes what is asked and answers nothing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Channel(SILENT), **options)
        self.asked: list[tuple[Any, ...]] = []

    def request(self, operation: str, *arguments: Any) -> Any:
        """Note it."""
        self.asked.append((operation, *arguments))
        return 0.0


def proxy(student: Student, mro: list[str], level: int, kind: type[Proxy] = ObjectProxy) -> Proxy:
    """A stand-in at a level of trust."""
    made = kind(student, 1, "Net", mro)
    object.__setattr__(made, "_level", level)
    return made


def words(kind: type) -> list[str]:
    """The public attributes of a class, and a named tuple's own."""
    return [
        name for name in dir(kind) if not name.startswith("_") or name in ("_asdict", "_replace")
    ]


# ---- what an object may be asked -----------------------------------------------------------------


@pytest.mark.promise("P5")
@pytest.mark.parametrize("kind", PLAIN, ids=lambda kind: kind.__name__)
def test_a_students_object_answers_for_no_attribute_of_plain_data(kind: type) -> None:
    """None at all, but for the few of each group that say nothing of a result."""
    missed = []
    for group, mro in CLAIMS.items():
        may = questions._OWN_WORDS.get(group, frozenset())
        for level in (LIMITED, FREE, NAMED):
            for proxies in (ObjectProxy, FunctionProxy, ClassProxy):
                student = Nobody(named=frozenset({"Own"}), members={"Own": []})
                student.classes = {"Own"}
                for name in words(kind):
                    try:
                        getattr(proxy(student, mro, level, proxies), name)
                    except (BoundaryError, AttributeError):
                        continue
                    if name not in may and name != "first" and student.asked:
                        missed.append((group, level, proxies.__name__, name))
    assert not missed


def test_what_models_and_figures_may_be_asked_is_written_down() -> None:
    """Of each public attribute of each class that may be claimed: either no plain data has it, or
    it stands in the list of its group, or it is refused.
    """
    refused = set()
    for path, kind in allowed._table("claim", allowed.loaded_libraries()).items():
        (group,) = questions.groups([path])
        for name in words(kind):
            student = Nobody()
            try:
                getattr(proxy(student, [path], LIMITED), name)
                assert (
                    name not in questions.words_of_data() or name in questions._OWN_WORDS[group]
                ), (
                    path,
                    name,
                )
            except BoundaryError:
                assert name in questions.words_of_data() - questions._OWN_WORDS[group]
                refused.add((group, name))
    doing = {name for group, name in refused if group == "model"}
    assert not doing & {"forward", "parameters", "state_dict", "train", "eval", "to", "zero_grad"}
    assert {("figure", "max"), ("figure", "count")} <= refused or not refused & {("figure", "plot")}


@pytest.mark.parametrize(
    "name",
    [
        "sub",
        "dist",
        "symmetric_difference",
        "equals",
        "__eq__",
        "__contains__",
        "__bool__",
        "__lt__",
        "__array__",
        "__array_ufunc__",
    ],
)
def test_expected_values_are_shown_to_no_object(name: str) -> None:
    student = Nobody()
    for mro in CLAIMS.values():
        with pytest.raises((BoundaryError, AttributeError, TypeError)):
            getattr(proxy(student, mro, FREE), name)(torch.ones(2))
    assert not [asked for asked in student.asked if asked[0] in ("call", "operator")]


def test_operators_are_those_of_the_instructors_class_and_end_in_no_plain_value() -> None:
    student = Nobody(members={"Own": ["__add__", "__neg__", "data"]})
    student.classes = {"Own"}
    value: Any = proxy(student, ["__main__.Own"], NAMED)
    for use in (
        lambda: value - 1.0,
        lambda: 1.0 - value,
        lambda: abs(value),
        lambda: float(value),
        lambda: value @ value,
        lambda: round(value),
    ):
        with pytest.raises(BoundaryError, match="would be the submission's own word"):
            use()
    assert student.asked == []
    # it was told 1.0, and a number came back
    with pytest.raises(BoundaryError, match=r"'__add__' with an object of type Net"):
        value + 1.0
    assert -value == 0.0 and value.data == 0.0  # nothing of the test's went into these


def test_what_an_operator_was_shown_stays_in_all_that_comes_of_it() -> None:
    class Echo(Nobody):
        def request(self, operation: str, *arguments: Any) -> Any:
            made = proxy(self, ["__main__.Own"], NAMED)
            return made if operation == "operator" and arguments[0] != "abs" else 0.0

    student = Echo(members={"Own": ["__sub__", "__abs__", "__neg__"]})
    student.classes = {"Own"}
    value: Any = proxy(student, ["__main__.Own"], NAMED)
    assert abs(-value) == 0.0
    with pytest.raises(BoundaryError):
        abs(-(value - 3.0))
    with pytest.raises(BoundaryError):
        (value - 3.0) < 1e-6  # noqa: B015 - what is refused


def test_two_objects_are_compared_only_where_the_test_made_both() -> None:
    student = Nobody()
    made, other = proxy(student, ["__main__.Own"], NAMED), proxy(student, ["__main__.Own"], NAMED)
    with pytest.raises(BoundaryError):
        assert made == other
    assert student.asked == []


def test_an_object_fetched_by_name_cannot_have_ten_items_and_none() -> None:
    answers = {"len": 10, "iter": 0.0, "next": ()}

    class Lies(Nobody):
        def request(self, operation: str, *arguments: Any) -> Any:
            return answers[operation]

    for mro in (["__main__.Own"], CLAIMS["data"]):
        student = Lies()
        lying: Any = proxy(student, mro, FREE)
        with contextlib.suppress(BoundaryError):
            assert not (len(lying) == 10 and list(lying) == [])
        assert student.violation or len(lying) == 0


@pytest.mark.parametrize(
    "item",
    [len, int, torch.relu, FunctionProxy, GeneratorProxy, ClassProxy, ObjectProxy],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_a_named_tuple_holds_no_functions(item: Any) -> None:
    student = Nobody()
    held = (
        proxy(student, LAYER, LIMITED, item)
        if isinstance(item, type) and issubclass(item, Proxy)
        else item
    )
    student.named_tuple(collections.namedtuple("R", ["sub"])(held))
    assert "'sub' is" in student.violation
    student.violation = ""
    student.named_tuple(collections.namedtuple("R", ["loss", "sub"])(1.0, [2]))
    assert not student.violation


# ---- names ---------------------------------------------------------------------------------------


@pytest.mark.promise("P7")
def test_names_stand_for_listed_objects_only() -> None:
    """Over every name of every module that is loaded: what comes out is the object itself, says so
    of itself, and is in the list.
    """
    found = {}
    for module, room in list(sys.modules.items()):
        for name in list(getattr(room, "__dict__", {})):
            for kind in ("reference", "equal"):
                value = allowed.resolve(kind, module, name)
                if value is not None:
                    assert (
                        allowed.reference(value) == (module, name) and getattr(room, name) is value
                    )
                    found[module, name] = value
            assert allowed.resolve("error", f"{module}.{name}") is None or issubclass(
                getattr(room, name), Exception
            )
    assert set(found) == set(allowed._table("equal", allowed.loaded_libraries()))
    kinds = {type(value).__name__ for value in found.values() if not isinstance(value, type)}
    assert kinds <= {"ufunc", "function", "builtin_function_or_method", "method"}
    assert (
        found["torch", "relu"] is torch.relu
        and found["torch.nn.modules.linear", "Linear"] is torch.nn.Linear
    )
    dangerous = {id(v) for v in vars(builtins).values() if callable(v)} | {
        id(torch.load),
        id(torch.save),
        id(np.load),
        id(np.ma.masked_all_like),
    }
    assert not [where for where, value in found.items() if id(value) in dangerous]


@pytest.mark.parametrize(
    "module, name",
    [
        ("torch", "os.system"),
        ("torch.nn.functional", "torch.os"),
        ("torch.os", "system"),
        ("builtins", "exec"),
        ("torch", "load"),
    ],
)
@pytest.mark.parametrize("kind", ["reference", "equal", "claim", "error", "warning", "anything"])
def test_no_way_leads_elsewhere(kind: str, module: str, name: str) -> None:
    assert (
        allowed.resolve(kind, module, name) is None
        and allowed.resolve(kind, f"{module}.{name}") is None
    )
    for odd in (7, None, b"torch", ("torch", "relu"), ["torch"]):
        assert allowed.resolve(kind, odd) is None and allowed.resolve(kind, "torch", odd) is None


@pytest.mark.promise("P9")
def test_what_comes_by_name_writes_into_nothing_that_it_is_given() -> None:
    for (module, name), value in allowed._table("reference", allowed.loaded_libraries()).items():
        if isinstance(value, type):
            continue
        arguments = [np.full((2, 2), 0.25), torch.full((2, 2), 0.25, dtype=torch.float64)][
            0 if module == "math" else 1
        ]
        for count in (1, 2, 3):
            given = [
                copy.copy(arguments) if module == "math" else arguments.clone()
                for _ in range(count)
            ]
            with contextlib.suppress(Exception):
                value(*given)
            assert all((np.asarray(item) == 0.25).all() for item in given), (module, name, count)


def test_a_stand_in_equals_the_function_that_it_is_and_no_other() -> None:
    student = Nobody()
    clip: Any = student.lift(
        ("handle", -1, "function", "maximum", ["builtins.function"], ("numpy", "maximum"))
    )
    assert isinstance(clip, FunctionProxy) and clip == np.maximum and clip != np.minimum
    made: Any = student.lift(
        ("handle", -2, "class", "ReLU", LAYER, ("torch.nn.modules.activation", "ReLU"))
    )
    assert made == torch.nn.ReLU and made != torch.nn.Tanh
    for pair in (
        ("os", "system"),
        ("torch.nn.functional", "torch.os"),
        (3, 4),
        ("numpy",),
        ("numpy", "maximum", "x"),
    ):
        odd: Any = student.lift(
            ("handle", -3 - len(pair), "function", "f", ["builtins.function"], pair)
        )
        assert object.__getattribute__(odd, "_equals") is None


# ---- callbacks -----------------------------------------------------------------------------------


def of_the_test(text: str, name: str = "f", filename: str = "<tests>") -> Any:
    """What a text defines, compiled as a test's."""
    space: dict[str, Any] = {"__name__": "tests", "functools": functools, "torch": torch}
    exec(compile(text, filename, "exec", dont_inherit=True), space)
    return space[name]


OWN = {
    "a function": lambda: of_the_test("def f(x): return x"),
    "a lambda": lambda: of_the_test("f = lambda x: x"),
    "a function of the setup": lambda: of_the_test(
        "def f(x): return x", filename="<instructor's setup>"
    ),
    "a function of a module beside the notebook": lambda: of_the_test(
        "def f(x): return x", filename=f"{WORK}/measures.py"
    ),
    "a closure": lambda: of_the_test("def g():\n    def f(x): return x\n    return f\nf = g()"),
    "a partial of its own": lambda: of_the_test(
        "def g(a, x): return x\nf = functools.partial(g, 1)"
    ),
    "a partial of a library's": lambda: functools.partial(np.power, 2),
    "a function that remembers": lambda: of_the_test("@functools.lru_cache\ndef f(x): return x"),
    "a decorated function": lambda: of_the_test("@torch.no_grad()\ndef f(x): return x"),
    "a method": lambda: of_the_test("class C:\n    def m(self, x): return x\nf = C().m"),
    "an object with a call": lambda: of_the_test(
        "class C:\n    def __call__(self, x): return x\nclass D(C): pass\nf = D()"
    ),
    "a class": lambda: of_the_test("class f: pass"),
    "a list's append": lambda: [].append,
    "a set's add": lambda: set().add,
    "a dict's get": lambda: {}.get,
    "a draw": lambda: np.random.default_rng(1).normal,
    "a vectorised function": lambda: np.vectorize(of_the_test("f = lambda x: x")),
    "a polynomial": lambda: np.poly1d([1, 2]),
    "a newer polynomial": lambda: np.polynomial.Polynomial([1, 2]),
    "a mock": lambda: unittest.mock.Mock(return_value=3),
}


@pytest.mark.parametrize("what", OWN)
def test_functions_of_the_tests_own_may_be_called(what: str) -> None:
    assert allowed.may_be_called(OWN[what](), WORK)


def trial() -> Trial:
    """A judge's work on a test that says `eval('1 + 1')`."""
    job = {
        "tests": "x = eval('1 + 1')",
        "style": "functions",
        "changes": [],
        "sources": [],
        "classes": None,
        "tables": False,
        "takes": [],
        "setup": [],
        "given": [],
        "libraries": {},
    }
    made = Trial(job | {"limit": 1.0}, Channel(SILENT))
    made._prepare()
    return made


def never() -> Iterator[tuple[str, Any]]:
    """Callables of a judge's process that no student may have."""
    judge = trial()
    yield from (
        (f"builtins.{name}", value) for name, value in vars(builtins).items() if callable(value)
    )
    yield from (
        (f"operator.{name}", value) for name, value in vars(operator).items() if callable(value)
    )
    yield from (
        (f"a test's {name}", judge.namespace[name])
        for name in ("eval", "exec", "compile", "type", "probe", "test_case", "display")
    )
    yield "a probe", judge._probe(of_the_test("def f(x): return x"))
    yield "attrgetter", operator.attrgetter("__globals__")
    yield "a partial of getattr", functools.partial(getattr, judge)
    yield "a partial of exec", functools.partial(exec)
    for room in (
        judging_side,
        library_patches,
        grading_side,
        allowed,
        questions,
        codec,
        frames,
    ):
        yield from (
            (f"{room.__name__}.{name}", value)
            for name, value in vars(room).items()
            if callable(value) and not name.startswith("__")
        )
    for owner in (
        judge,
        judge.student,
        judge.student.channel,
        Channel,
        types,
        sys,
        {}.__class__,
        np.ndarray,
        torch.ones(2),
        "text",
        b"bytes",
        judge.namespace,
    ):
        for name in dir(owner):
            with contextlib.suppress(RuntimeError, AttributeError):
                value = getattr(owner, name)
            if callable(value) and not (type(owner) is dict and name in allowed._RECORDERS[dict]):
                yield f"{type(owner).__name__}.{name}", value


@pytest.mark.promise("P7")
def test_nothing_else_of_the_judges_may_be_called() -> None:
    things = list(never())
    assert len(things) > 1000
    given = [what for what, value in things if allowed.may_be_called(value, WORK)]
    assert given == []


@pytest.mark.parametrize("name", ["eval", "exec", "compile", "type", "probe"])
def test_they_are_not_lowered_either(name: str) -> None:
    judge = trial()
    with pytest.raises(codec.NotPlain, match="cannot be called by the submission"):
        judge.student.lower(judge.namespace[name])
    with pytest.raises(codec.NotPlain):
        codec.encode({"all": [judge.namespace]}, judge.student)


@pytest.mark.parametrize(
    "code",
    [
        b"1 + 1",
        bytearray(b"1"),
        "2 + 2",
        compile("1", "<x>", "eval"),
        compile("1", "<tests>", "exec"),
        None,
        3,
    ],
    ids=["bytes", "bytearray", "text", "code of others", "code of the test", "nothing", "a number"],
)
def test_only_texts_of_the_test_are_run(code: Any) -> None:
    judge = trial()
    assert judge.namespace["x"] == 2 and judge.namespace["eval"]("1 + 1") == 2
    for name in ("eval", "exec", "compile"):
        with pytest.raises(BoundaryError, match="does not stand in the test"):
            judge.namespace[name](code)


def test_requests_ask_for_what_was_given_out_in_the_way_that_it_was_given_out() -> None:
    student = Nobody()
    function, rng = of_the_test("def f(x): return x + 1"), np.random.default_rng(3)
    numbers = {
        "call": student.lower(function)[1],
        "next": student.lower(iter([1, 2]))[1],
        "draw": student.lower(rng)[1] if rng.random() else 0,
    }
    assert student.serve("call", [numbers["call"], (1,), ()]) == 2 and student.serve(
        "next", [numbers["next"]]
    ) == (1,)
    assert len(student.serve("draw", [numbers["draw"], "normal", (0.0, 1.0, 3), ()])) == 3
    for request, others in (
        ("call", ("next", "draw")),
        ("next", ("call", "draw")),
        ("draw", ("call", "next")),
    ):
        for other in others:
            with pytest.raises(ValueError, match="never given"):
                student.serve(
                    request,
                    [numbers[other], "normal", (), ()][
                        : 1 if request == "next" else 3 if request == "call" else 4
                    ],
                )
    for name in ("bit_generator", "__reduce__", "spawn", "__getattribute__", 7):
        with pytest.raises(ValueError, match="no such draw"):
            student.serve("draw", [numbers["draw"], name, (), ()])
    mine = np.arange(3.0)
    with pytest.raises(ValueError, match="no such draw"):
        student.serve("draw", [numbers["draw"], "random", (), (("out", mine),)])
    student.serve("draw", [numbers["draw"], "shuffle", (mine,), ()])
    assert mine.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.promise("P8")
def test_a_message_that_asks_while_it_is_read_ends_the_conversation() -> None:
    student = Nobody()
    student.classes = {"Own"}
    handle = codec._extension(
        (frames.OTHER, codec.encode(("handle", -1, "object", "Own", ["__main__.Own"], ())))
    )
    asking: list[tuple[int, Any]] = [
        (frames.RANGE, [handle, 3, 1]),
        (frames.FRACTION, [handle, "1"]),
        (frames.DECIMAL, handle),
        (frames.COMPLEX, [handle, 1.0]),
    ]
    asking += [
        (frames.DEQUE, [[], handle]),
        (frames.INDEX, [handle, []]),
        (frames.SERIES, [handle, [], None]),
        (frames.ARRAY, handle),
        (frames.SIZE, handle),
    ]
    asking += [
        (frames.FRAME, [[handle], [], []]),
        (frames.SCALAR, handle),
        (frames.TENSOR, handle),
        (frames.DEVICE, handle),
        (frames.TORCH_DTYPE, handle),
    ]
    import msgpack

    for code, body in asking:
        with pytest.raises(codec.BadFrame):
            codec.decode(msgpack.packb(msgpack.ExtType(code, msgpack.packb(body))), student)
    assert student.asked == []


CLASSES: list[tuple[str, Callable[[Any], bool]]] = [
    (
        "class Value:\n    __radd__ = __add__ = 3\n    def __init__(self): self.data = 1",
        lambda w: {"__radd__", "__add__", "data", "__init__"} <= w,
    ),
    ("class A:\n    x: int = 3\nclass B(A):\n    pass", lambda w: True),
    ("class L(list):\n    pass", lambda w: "append" in w),
    ("class T(np.ndarray):\n    pass", lambda w: "*" in w),
]


@pytest.mark.parametrize("text, holds", CLASSES)
def test_the_words_of_a_class_are_read_from_the_instructors_text(
    text: str, holds: Callable[[Any], bool]
) -> None:
    from autogradient.model.testcode import class_members

    found = class_members(text)
    assert holds(next(iter(found.values()))) and ("B" not in found or "x" in found["B"])
