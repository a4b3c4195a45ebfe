# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Values that cross by copy
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Values that cross by copy

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
from collections import namedtuple
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch

# %% [markdown]
# <!--| question: array-function -->
# ## A function of arrays

# %%
#| answer: array-function
def softmax(z):
    ### BEGIN SOLUTION
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    ### END SOLUTION

# %%
#| tests: array-function
@test_case(points=1)
def test_rows_add_up(softmax):
    p = softmax(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]))
    assert p.shape == (2, 3)
    assert np.allclose(p.sum(axis=1), 1)
    assert np.allclose(p[1], 1 / 3)


@test_case(points=1, hidden=True)
def test_large_numbers(softmax):
    p = softmax(np.array([[1000.0, 0.0]]))
    np.testing.assert_allclose(p, [[1.0, 0.0]], atol=1e-6)

# %%
#| wrong: array-function
#| because: the columns add up to one, not the rows
def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum(axis=0)

# %%
#| wrong: array-function
#| because: exp of a large number overflows
def softmax(z):
    e = np.exp(z)
    return e / e.sum(axis=1, keepdims=True)

# %% [markdown]
# <!--| question: tensor-function -->
# ## A function of tensors

# %%
#| answer: tensor-function
def cross_entropy(logits, target):
    ### BEGIN SOLUTION
    log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -log_p[torch.arange(len(target)), target].mean()
    ### END SOLUTION

# %%
#| tests: tensor-function
@test_case(points=1)
def test_agrees_with_torch(cross_entropy):
    torch.manual_seed(0)
    logits, target = torch.randn(6, 4), torch.tensor([0, 3, 1, 1, 2, 0])
    loss = cross_entropy(logits, target)
    assert isinstance(loss, torch.Tensor) and loss.shape == torch.Size([])
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, target))


@test_case(points=1, hidden=True)
def test_keeps_the_dtype(cross_entropy):
    logits = torch.zeros(2, 5, dtype=torch.float64)
    assert cross_entropy(logits, torch.tensor([1, 2])).dtype == torch.float64

# %%
#| wrong: tensor-function
#| because: it is the sum, not the mean
def cross_entropy(logits, target):
    log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -log_p[torch.arange(len(target)), target].sum()

# %%
#| wrong: tensor-function
#| because: a Python number is no tensor
def cross_entropy(logits, target):
    log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    return -log_p[torch.arange(len(target)), target].mean().item()

# %% [markdown]
# <!--| question: tuple -->
# ## A tuple of results

# %%
#| answer: tuple
def standardise(X):
    ### BEGIN SOLUTION
    mean, std = X.mean(axis=0), X.std(axis=0)
    return (X - mean) / std, mean, std
    ### END SOLUTION

# %%
#| tests: tuple
@test_case(points=1)
def test_three_results(standardise):
    X = np.random.default_rng(1).normal(3.0, 2.0, size=(50, 2))
    result = standardise(X)
    assert isinstance(result, tuple) and len(result) == 3
    Z, mean, std = standardise(X)
    assert np.allclose(Z.mean(axis=0), 0) and np.allclose(Z.std(axis=0), 1)
    assert np.allclose(Z * std + mean, X)

# %%
#| wrong: tuple
#| because: mean and deviation come in the other order
def standardise(X):
    mean, std = X.mean(axis=0), X.std(axis=0)
    return (X - mean) / std, std, mean

# %% [markdown]
# <!--| question: dict -->
# ## A dict of results

# %%
#| answer: dict
def evaluate(truth, guess):
    ### BEGIN SOLUTION
    confusion = np.zeros((2, 2), dtype=int)
    for t, g in zip(truth, guess):
        confusion[t, g] += 1
    return {"accuracy": float(np.trace(confusion) / len(truth)), "confusion": confusion}
    ### END SOLUTION

# %%
#| tests: dict
@test_case(points=1)
def test_metrics(evaluate):
    metrics = evaluate([0, 1, 1, 0, 1], [0, 1, 0, 0, 1])
    assert set(metrics) == {"accuracy", "confusion"}
    assert metrics["accuracy"] == 0.8
    assert metrics["confusion"].tolist() == [[2, 0], [1, 2]]

# %%
#| wrong: dict
#| because: rows and columns are exchanged
def evaluate(truth, guess):
    confusion = np.zeros((2, 2), dtype=int)
    for t, g in zip(truth, guess):
        confusion[g, t] += 1
    return {"accuracy": float(np.trace(confusion) / len(truth)), "confusion": confusion}

# %%
#| wrong: dict
#| because: the key has another name
def evaluate(truth, guess):
    return {"acc": 0.8, "confusion": np.array([[2, 0], [1, 2]])}

# %% [markdown]
# <!--| question: named-tuple -->
# ## A named tuple

# %%
#| answer: named-tuple
### BEGIN SOLUTION
Split = namedtuple("Split", ["train", "val", "test"])


def split(n):
    order = np.random.default_rng(0).permutation(n)
    a, b = n * 6 // 10, n * 8 // 10
    return Split(order[:a], order[a:b], order[b:])

### END SOLUTION

# %%
#| tests: named-tuple
@test_case(points=1)
def test_split(split):
    s = split(20)
    assert s._fields == ("train", "val", "test")
    assert (len(s.train), len(s.val), len(s.test)) == (12, 4, 4)
    train, val, test = s
    assert sorted(np.concatenate([train, val, test]).tolist()) == list(range(20))
    assert isinstance(s, tuple) and np.array_equal(s[0], s.train)

# %%
#| wrong: named-tuple
#| because: a plain tuple has no names
def split(n):
    order = np.random.default_rng(0).permutation(n)
    return order[: n * 6 // 10], order[n * 6 // 10 : n * 8 // 10], order[n * 8 // 10 :]

# %%
#| wrong: named-tuple
#| because: an example lies in two sets
Split = namedtuple("Split", ["train", "val", "test"])


def split(n):
    order = np.random.default_rng(0).permutation(n)
    return Split(order[:12], order[11:15], order[16:])

# %% [markdown]
# <!--| question: dataclass -->
# ## A dataclass

# %%
#| answer: dataclass
### BEGIN SOLUTION
@dataclass
class Config:
    lr: float = 0.1
    layers: list = field(default_factory=lambda: [32])

    def widen(self):
        return Config(self.lr, [2 * n for n in self.layers])

### END SOLUTION

# %%
#| tests: dataclass
from dataclasses import asdict, is_dataclass


@test_case(points=1)
def test_fields(Config):
    assert is_dataclass(Config)
    config = Config(lr=0.5)
    assert config.lr == 0.5 and config.layers == [32]
    assert asdict(config.widen()) == {"lr": 0.5, "layers": [64]}


@test_case(points=1, hidden=True)
def test_equal_configurations(Config):
    assert Config(0.2, [8]) == Config(0.2, [8])
    assert Config(0.2) != Config(0.3)

# %%
#| wrong: dataclass
#| because: the class compares by identity
@dataclass(eq=False)
class Config:
    lr: float = 0.1
    layers: list = field(default_factory=lambda: [32])

    def widen(self):
        return Config(self.lr, [2 * n for n in self.layers])

# %%
#| wrong: dataclass
#| because: a wider configuration forgets the learning rate
@dataclass
class Config:
    lr: float = 0.1
    layers: list = field(default_factory=lambda: [32])

    def widen(self):
        return Config(layers=[2 * n for n in self.layers])

# %% [markdown]
# <!--| question: data-frame -->
# ## A DataFrame

# %%
#| answer: data-frame
def per_class(df):
    ### BEGIN SOLUTION
    return df.groupby("label")[["loss"]].mean().sort_index()
    ### END SOLUTION

# %%
#| tests: data-frame
@test_case(points=1)
def test_means(per_class):
    df = pd.DataFrame({"label": ["b", "a", "b"], "loss": [1.0, 0.5, 3.0]})
    table = per_class(df)
    assert isinstance(table, pd.DataFrame) and list(table.columns) == ["loss"]
    assert table.loc["b", "loss"] == 2.0
    expected = pd.DataFrame({"loss": [0.5, 2.0]}, index=pd.Index(["a", "b"], name="label"))
    pd.testing.assert_frame_equal(table, expected)

# %%
#| wrong: data-frame
#| because: it is the sum of each class
def per_class(df):
    return df.groupby("label")[["loss"]].sum()

# %%
#| wrong: data-frame
#| because: the label should be the index
def per_class(df):
    return df.groupby("label", as_index=False)[["loss"]].mean()

# %% [markdown]
# <!--| question: lists-of-words -->
# ## Nested lists and dicts of text

# %%
#| answer: lists-of-words
def vocabulary(texts):
    ### BEGIN SOLUTION
    tokens = [text.lower().split() for text in texts]
    words = sorted({word for line in tokens for word in line})
    return tokens, {word: i for i, word in enumerate(words)}
    ### END SOLUTION

# %%
#| tests: lists-of-words
@test_case(points=1)
def test_words(vocabulary):
    tokens, index = vocabulary(["The cat sat", "the mat"])
    assert tokens == [["the", "cat", "sat"], ["the", "mat"]]
    assert index == {"cat": 0, "mat": 1, "sat": 2, "the": 3}
    assert all(isinstance(word, str) for word in index)

# %%
#| wrong: lists-of-words
#| because: capital letters make new words
def vocabulary(texts):
    tokens = [text.split() for text in texts]
    words = sorted({word for line in tokens for word in line})
    return tokens, {word: i for i, word in enumerate(words)}

# %% [markdown]
# <!--| question: variable -->
# ## A variable of the notebook

# %%
#| answer: variable
X = torch.tensor([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
y = torch.tensor([[1.0], [3.0], [5.0]])
### BEGIN SOLUTION
weights = torch.linalg.lstsq(X, y).solution
### END SOLUTION

# %%
#| tests: variable
@test_case(points=1)
def test_weights(weights):
    assert weights.shape == (2, 1)
    assert torch.allclose(weights, torch.tensor([[-1.0], [2.0]]), atol=1e-4)

# %%
#| wrong: variable
#| because: the offset is missing
X = torch.tensor([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
y = torch.tensor([[1.0], [3.0], [5.0]])
weights = torch.tensor([[0.0], [1.6]])
