# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Small numbers
#     minutes: 5
#     limits: {cell_s: 2, case_s: 2, memory_mb: 512}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Small numbers

# %%
#| setup
import numpy as np

UNIT = 1.0

# %% [markdown]
# <!--| question: double -->
# ## 1 · Twice

# %%
#| answer: double
def double(x):
    """Twice x, element by element."""
    ### BEGIN SOLUTION
    return 2 * np.asarray(x)
    ### END SOLUTION

# %%
#| tests: double
@test_case(points=1, failure_message="Try 3 and -1.")
def test_numbers(double):
    assert double(3) == 6 and double(-1) == -2


@test_case(points=1, hidden=True, failure_message="Arrays are doubled element by element.")
def test_arrays(double):
    x = secret.normal(size=4)
    assert np.allclose(double(x), x + x)

# %% [markdown]
# <!--| question: total -->
# ## 2 · Sum

# %%
#| given: total
data = np.arange(3, 6)

# %%
#| answer: total
#| kind: number
#| points: 1
#| because: {"24": "each number went in twice"}
total = 3 + 4 + 5  # SOLUTION

# %% [markdown]
# <!--| question: scale -->
# ## 3 · Scale
# Divide by the sum.

# %%
#| answer: scale
def scale(x):
    """x divided by the sum of its entries."""
    ### BEGIN SOLUTION
    return np.asarray(x) / np.sum(x)
    ### END SOLUTION

# %%
#| tests: scale
@test_case(points=1, failure_message="The entries should add up to 1.")
def test_sum(scale):
    assert np.isclose(np.sum(scale([1.0, 3.0])), 1)


@test_case(points=0.5, hidden=True, failure_message="The proportions should stay.")
def test_proportions(scale):
    assert np.allclose(scale([1.0, 3.0]), [0.25, 0.75])


@test_case(points=0.5, hidden=True, failure_message="The argument should stay as it was.")
def test_argument(scale):
    x = np.array([1.0, 3.0])
    assert np.isclose(np.sum(scale(x)), 1)
    assert x.tolist() == [1.0, 3.0]

# %% [markdown]
# <!--| question: pick -->
# ## 4 · Which is larger?

# %%
#| answer: pick
#| kind: choice
#| points: 1
#| options: {a: "one", b: "two"}
#| because: {a: "count again"}
larger = "b"  # SOLUTION

# %% [markdown]
# <!--| question: why -->
# ## 5 · Now in words

# %% [markdown]
# <!--| answer: why, kind: essay, points: 2 -->
# Two is one more than one.

# %% [markdown]
# <!--| rubric: why -->
# - [2] compares: says which is more

# %% [markdown]
# The end.
