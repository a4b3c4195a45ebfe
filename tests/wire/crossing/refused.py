# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: What does not cross
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What does not cross

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import pickle

import matplotlib.pyplot as plt
import torch
from torch import nn

# %% [markdown]
# <!--| question: odd-object -->
# ## An object where plain data belongs

# %%
#| answer: odd-object
def ranks(x):
    ### BEGIN SOLUTION
    return [sorted(x).index(v) for v in x]
    ### END SOLUTION

# %%
#| tests: odd-object
@test_case(points=1, hidden=True)
def test_ranks(ranks):
    got = ranks([0.5, 0.1, 0.9])
    assert len(got) == 3 and all(a == b for a, b in zip(got, [1, 0, 2]))

# %%
#| wrong: odd-object
#| because: its length is three, but there is nothing in it
class Ranks:
    def __len__(self):
        return 3

    def __iter__(self):
        return iter([])


def ranks(x):
    return Ranks()

# %% [markdown]
# <!--| question: compared -->
# ## Two objects compared

# %%
#| answer: compared
class Word:
    ### BEGIN SOLUTION
    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return self.text.lower() == other.text.lower()
    ### END SOLUTION

# %%
#| tests: compared
@test_case(points=1)
def test_equal(Word):
    assert Word("Cat") == Word("cat")

# %% [markdown]
# <!--| question: own-model -->
# ## A model of a class of the test's own

# %%
#| answer: own-model
def in_eval_mode(model, x):
    ### BEGIN SOLUTION
    return model.eval()(x)
    ### END SOLUTION

# %%
#| tests: own-model
@test_case(points=1)
def test_mode(in_eval_mode):
    class Doubles(nn.Module):
        def forward(self, x):
            return x if self.training else 2 * x

    assert in_eval_mode(Doubles(), torch.ones(2)).tolist() == [2.0, 2.0]

# %% [markdown]
# <!--| question: own-object -->
# ## An object of the test's own

# %%
#| answer: own-object
def total(basket):
    ### BEGIN SOLUTION
    return sum(item.price for item in basket)
    ### END SOLUTION

# %%
#| tests: own-object
class Item:
    def __init__(self, price):
        self.price = price


@test_case(points=1)
def test_total(total):
    assert total([Item(2), Item(3)]) == 5

# %% [markdown]
# <!--| question: subclass -->
# ## A subclass, in the test, of the student's class

# %%
#| answer: subclass
class Layer:
    ### BEGIN SOLUTION
    def __call__(self, x):
        return self.forward(x)
    ### END SOLUTION

# %%
#| tests: subclass
@test_case(points=1)
def test_subclass(Layer):
    class Doubles(Layer):
        def forward(self, x):
            return 2 * x

    assert Doubles()(2) == 4

# %% [markdown]
# <!--| question: globals -->
# ## The student's globals

# %%
#| answer: globals
### BEGIN SOLUTION
def load(path):
    return open(path).read()


def words(path):
    return load(path).split()
### END SOLUTION

# %%
#| tests: globals
@test_case(points=1)
def test_words(words):
    words.__globals__["load"] = lambda path: "one two"
    assert words("a.txt") == ["one", "two"]

# %% [markdown]
# <!--| question: pickle-loaded -->
# ## A pickle of the student's

# %%
#| answer: pickle-loaded
def save(state):
    ### BEGIN SOLUTION
    return pickle.dumps(state)
    ### END SOLUTION

# %%
#| tests: pickle-loaded
@test_case(points=1)
def test_saved(save):
    assert pickle.loads(save({"lr": 0.1})) == {"lr": 0.1}

# %% [markdown]
# <!--| question: pickle-made -->
# ## An object pickled

# %%
#| answer: pickle-made
class Config:
    ### BEGIN SOLUTION
    def __init__(self):
        self.lr = 0.1
    ### END SOLUTION

# %%
#| tests: pickle-made
@test_case(points=1)
def test_pickled(Config):
    assert len(pickle.dumps(Config())) > 10

# %% [markdown]
# <!--| question: torch-func -->
# ## torch.func

# %%
#| answer: torch-func
def squares(x):
    ### BEGIN SOLUTION
    return (x**2).sum()
    ### END SOLUTION

# %%
#| tests: torch-func
@test_case(points=1)
def test_slope(squares):
    assert torch.func.grad(squares)(torch.tensor([1.0, 2.0])).tolist() == [2.0, 4.0]

# %% [markdown]
# <!--| question: tests-axes -->
# ## Axes that the test made

# %%
#| answer: tests-axes
def draw(ax):
    ### BEGIN SOLUTION
    ax.plot([1, 2, 3])
    ### END SOLUTION

# %%
#| tests: tests-axes
@test_case(points=1)
def test_line(draw):
    fig, ax = plt.subplots()
    draw(ax)
    assert len(ax.get_lines()) == 1

# %% [markdown]
# <!--| question: own-word -->
# ## What only the object itself could vouch for

# %%
#| answer: own-word
def prior():
    ### BEGIN SOLUTION
    return torch.distributions.Normal(0.0, 1.0)
    ### END SOLUTION

# %%
#| tests: own-word
@test_case(points=1)
def test_centre(prior):
    assert prior().mean == 0.0
