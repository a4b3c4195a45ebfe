# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Functions, generators, exceptions and classes
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Functions, generators, exceptions and classes

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import numpy as np
import torch

# %% [markdown]
# <!--| question: generator -->
# ## A generator

# %%
#| answer: generator
def batches(X, size):
    ### BEGIN SOLUTION
    for i in range(0, len(X), size):
        yield X[i : i + size]
    ### END SOLUTION

# %%
#| tests: generator
import inspect
import itertools


@test_case(points=1)
def test_pieces(batches):
    X = np.arange(14).reshape(7, 2)
    assert inspect.isgeneratorfunction(batches)
    pieces = list(batches(X, 3))
    assert [len(piece) for piece in pieces] == [3, 3, 1]
    assert np.array_equal(np.concatenate(pieces), X)
    assert next(batches(X, 2)).tolist() == [[0, 1], [2, 3]]
    assert len(list(itertools.islice(batches(X, 1), 4))) == 4

# %%
#| wrong: generator
#| because: the last, smaller batch is lost
def batches(X, size):
    for i in range(len(X) // size):
        yield X[i * size : (i + 1) * size]

# %%
#| wrong: generator
#| because: a list holds everything at once
def batches(X, size):
    return [X[i : i + size] for i in range(0, len(X), size)]

# %% [markdown]
# <!--| question: exception -->
# ## An expected exception

# %%
#| answer: exception
def layer(x, W):
    ### BEGIN SOLUTION
    if x.shape[1] != W.shape[0]:
        raise ValueError(f"{x.shape[1]} inputs, but weights for {W.shape[0]}")
    return x @ W
    ### END SOLUTION

# %%
#| tests: exception
import pytest


@test_case(points=1)
def test_shapes_that_do_not_fit(layer):
    try:
        layer(np.ones((2, 3)), np.ones((4, 5)))
    except ValueError as error:
        assert "3" in str(error) and "4" in str(error)
    else:
        raise AssertionError("no ValueError")
    with pytest.raises(ValueError, match="weights for 7"):
        layer(np.ones((1, 2)), np.ones((7, 1)))
    assert layer(np.ones((2, 3)), np.ones((3, 1))).tolist() == [[3.0], [3.0]]

# %%
#| wrong: exception
#| because: it raises another exception
def layer(x, W):
    assert x.shape[1] == W.shape[0], f"{x.shape[1]} inputs, but weights for {W.shape[0]}"
    return x @ W

# %%
#| wrong: exception
#| because: it returns nothing instead of raising
def layer(x, W):
    return x @ W if x.shape[1] == W.shape[0] else None

# %% [markdown]
# <!--| question: own-exception -->
# ## An exception of the student's own

# %%
#| answer: own-exception
### BEGIN SOLUTION
class NotFittedError(RuntimeError):
    pass


class Mean:
    def fit(self, x):
        self.mean = float(np.mean(x))
        return self

    def predict(self, n):
        if not hasattr(self, "mean"):
            raise NotFittedError("call fit first")
        return [self.mean] * n

### END SOLUTION

# %%
#| tests: own-exception
@test_case(points=1)
def test_asks_for_fit(Mean, NotFittedError):
    assert issubclass(NotFittedError, Exception)
    try:
        Mean().predict(2)
    except NotFittedError as error:
        assert "fit" in str(error)
    else:
        raise AssertionError("predict before fit should raise")
    assert Mean().fit([1.0, 3.0]).predict(2) == [2.0, 2.0]

# %%
#| wrong: own-exception
#| because: an AttributeError comes instead
class NotFittedError(RuntimeError):
    pass


class Mean:
    def fit(self, x):
        self.mean = float(np.mean(x))
        return self

    def predict(self, n):
        return [self.mean] * n

# %% [markdown]
# <!--| question: object-with-state -->
# ## An object that remembers

# %%
#| answer: object-with-state
class EarlyStopping:
    ### BEGIN SOLUTION
    def __init__(self, patience):
        self.patience, self.best, self.waited = patience, float("inf"), 0

    def update(self, loss):
        self.waited = 0 if loss < self.best else self.waited + 1
        self.best = min(self.best, loss)
        return self.waited >= self.patience
    ### END SOLUTION

# %%
#| tests: object-with-state
@test_case(points=1)
def test_patience(EarlyStopping):
    stopper = EarlyStopping(patience=2)
    assert [stopper.update(loss) for loss in (1.0, 0.8, 0.9, 0.7, 0.8, 0.9)] == [False, False, False, False, False, True]
    assert stopper.best == 0.7 and stopper.waited == 2
    other = EarlyStopping(1)
    assert other.best == float("inf") and not hasattr(other, "loss")

# %%
#| wrong: object-with-state
#| because: a better loss does not start the waiting anew
class EarlyStopping:
    def __init__(self, patience):
        self.patience, self.best, self.waited = patience, float("inf"), 0

    def update(self, loss):
        self.waited += loss >= self.best
        self.best = min(self.best, loss)
        return self.waited >= self.patience

# %%
#| wrong: object-with-state
#| because: all objects share one memory
class EarlyStopping:
    best, waited = float("inf"), 0

    def __init__(self, patience):
        self.patience = patience

    def update(self, loss):
        cls = EarlyStopping
        cls.waited = 0 if loss < cls.best else cls.waited + 1
        cls.best = min(cls.best, loss)
        return cls.waited >= self.patience

# %% [markdown]
# <!--| question: operators -->
# ## A class with operators

# %%
#| answer: operators
class Value:
    ### BEGIN SOLUTION
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self, g=1.0):
        self.grad += g
        for parent, slope in self.parents:
            parent.backward(g * slope)
    ### END SOLUTION

# %%
#| tests: operators
@test_case(points=1)
def test_a_small_graph(Value):
    a, b = Value(2.0), Value(-3.0)
    c = a * b + 3 * a + 1.0
    assert isinstance(c, Value) and c.data == 1.0
    c.backward()
    assert a.grad == 0.0 and b.grad == 2.0


@test_case(points=1, hidden=True)
def test_a_value_used_twice(Value):
    x = Value(3.0)
    y = x * x + x
    y.backward()
    assert (y.data, x.grad) == (12.0, 7.0)

# %%
#| wrong: operators
#| because: a value that is used twice keeps the last gradient only
class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    __radd__, __rmul__ = __add__, __mul__

    def backward(self, g=1.0):
        self.grad = g
        for parent, slope in self.parents:
            parent.backward(g * slope)

# %%
#| wrong: operators
#| because: a number may not stand on the left
class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents = data, 0.0, parents

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def backward(self, g=1.0):
        self.grad += g
        for parent, slope in self.parents:
            parent.backward(g * slope)

# %% [markdown]
# <!--| question: equality -->
# ## A class with an equality of its own

# %%
#| answer: equality
class Vocabulary:
    ### BEGIN SOLUTION
    def __init__(self, words):
        self.words = sorted(set(words))

    def __eq__(self, other):
        return isinstance(other, Vocabulary) and self.words == other.words

    def __hash__(self):
        return hash(tuple(self.words))
    ### END SOLUTION

# %%
#| tests: equality
@probe
def compared(Vocabulary, first, second):
    """Whether two vocabularies are equal, whether one equals its list of words, and how many a set keeps of them."""
    a, b = Vocabulary(first), Vocabulary(second)
    return a == b, a == first, len({a, b})


@test_case(points=1)
def test_same_words(Vocabulary):
    assert compared(Vocabulary, ["b", "a"], ["a", "b", "a"]) == (True, False, 1)
    assert compared(Vocabulary, ["b", "a"], ["a", "c"]) == (False, False, 2)

# %%
#| wrong: equality
#| because: it compares by identity
class Vocabulary:
    def __init__(self, words):
        self.words = sorted(set(words))

# %%
#| wrong: equality
#| because: equal vocabularies have different hashes
class Vocabulary:
    def __init__(self, words):
        self.words = sorted(set(words))

    def __eq__(self, other):
        return isinstance(other, Vocabulary) and self.words == other.words

    def __hash__(self):
        return id(self)

# %% [markdown]
# <!--| question: returned-function -->
# ## A function that returns a function

# %%
#| answer: returned-function
def make_schedule(base, every):
    ### BEGIN SOLUTION
    def rate(step):
        return base * 0.5 ** (step // every)

    return rate
    ### END SOLUTION

# %%
#| tests: returned-function
@test_case(points=1)
def test_halves(make_schedule):
    rate = make_schedule(0.8, 10)
    assert callable(rate)
    assert [rate(step) for step in (0, 9, 10, 25)] == [0.8, 0.8, 0.4, 0.2]
    slow = make_schedule(1.0, 100)
    assert slow(25) == 1.0 and rate(25) == 0.2

# %%
#| wrong: returned-function
#| because: all schedules share the last one's numbers
def make_schedule(base, every):
    global _base, _every
    _base, _every = base, every
    return lambda step: _base * 0.5 ** (step // _every)

# %% [markdown]
# <!--| question: passed-function -->
# ## A function that takes the test's function

# %%
#| answer: passed-function
def minimise(f, x0, lr, steps):
    ### BEGIN SOLUTION
    x = x0.clone().requires_grad_()
    for _ in range(steps):
        (g,) = torch.autograd.grad(f(x), x)
        x = (x - lr * g).detach().requires_grad_()
    return x.detach()
    ### END SOLUTION

# %%
#| tests: passed-function
@test_case(points=1)
def test_finds_the_bottom(minimise):
    target = torch.tensor([1.0, -2.0])
    x = minimise(lambda x: ((x - target) ** 2).sum(), torch.zeros(2), lr=0.25, steps=2)
    assert torch.allclose(x, 0.75 * target)
    x = minimise(lambda x: (x**4).sum(), torch.tensor([1.0]), lr=0.1, steps=1)
    assert torch.allclose(x, torch.tensor([0.6]))

# %%
#| wrong: passed-function
#| because: it takes one step whatever was asked
def minimise(f, x0, lr, steps):
    x = x0.clone().requires_grad_()
    (g,) = torch.autograd.grad(f(x), x)
    return (x - lr * g).detach()

# %%
#| wrong: passed-function
#| because: it believes that every function is a square
def minimise(f, x0, lr, steps):
    c = torch.tensor([1.0, -2.0])[: len(x0)]
    for _ in range(steps):
        x0 = x0 - lr * 2 * (x0 - c)
    return x0

# %% [markdown]
# <!--| question: callbacks -->
# ## Callbacks that record

# %%
#| answer: callbacks
def run(epochs, on_epoch):
    ### BEGIN SOLUTION
    loss = 8.0
    for epoch in range(epochs):
        loss /= 2
        if on_epoch(epoch, loss=loss):
            break
    return loss
    ### END SOLUTION

# %%
#| tests: callbacks
@test_case(points=1)
def test_calls(run):
    calls = []

    def on_epoch(epoch, loss):
        calls.append((epoch, loss))
        return loss < 1.5

    assert run(5, on_epoch) == 1.0
    assert calls == [(0, 4.0), (1, 2.0), (2, 1.0)]

# %%
#| wrong: callbacks
#| because: it does not listen to what the callback says
def run(epochs, on_epoch):
    loss = 8.0
    for epoch in range(epochs):
        loss /= 2
        on_epoch(epoch, loss=loss)
    return loss

# %%
#| wrong: callbacks
#| because: it calls at the end only
def run(epochs, on_epoch):
    on_epoch(2, loss=1.0)
    return 1.0
