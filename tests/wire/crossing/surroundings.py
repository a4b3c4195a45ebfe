# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Chance, changes and surroundings
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Chance, changes and surroundings

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import warnings

import numpy as np
import torch

# %% [markdown]
# <!--| question: numpy-seed -->
# ## NumPy's global seed

# %%
#| answer: numpy-seed
def shuffled(X, y):
    ### BEGIN SOLUTION
    order = np.random.permutation(len(X))
    return X[order], y[order]
    ### END SOLUTION

# %%
#| tests: numpy-seed
@test_case(points=1)
def test_the_seed_decides(shuffled):
    X, y = np.arange(10).reshape(5, 2), np.arange(5)
    np.random.seed(4)
    order = np.random.permutation(5)
    np.random.seed(4)
    A, b = shuffled(X, y)
    assert np.array_equal(A, X[order]) and np.array_equal(b, y[order])
    np.random.seed(4)
    assert np.array_equal(shuffled(X, y)[0], A)

# %%
#| wrong: numpy-seed
#| because: examples and labels are shuffled apart
def shuffled(X, y):
    return X[np.random.permutation(len(X))], y[np.random.permutation(len(y))]

# %%
#| wrong: numpy-seed
#| because: it sets a seed of its own
def shuffled(X, y):
    np.random.seed(0)
    order = np.random.permutation(len(X))
    return X[order], y[order]

# %% [markdown]
# <!--| question: torch-seed -->
# ## torch.manual_seed

# %%
#| answer: torch-seed
def dropout(x, p):
    ### BEGIN SOLUTION
    return x * (torch.rand(x.shape) >= p) / (1 - p)
    ### END SOLUTION

# %%
#| tests: torch-seed
@test_case(points=1)
def test_same_seed_same_mask(dropout):
    x = torch.randn(4, 5)
    torch.manual_seed(7)
    mask = torch.rand(4, 5) >= 0.3
    torch.manual_seed(7)
    first = dropout(x, 0.3)
    assert torch.allclose(first, x * mask / 0.7)
    assert not torch.equal(dropout(x, 0.3), first)

# %%
#| wrong: torch-seed
#| because: it draws from NumPy
def dropout(x, p):
    return x * torch.from_numpy(np.random.rand(*x.shape) >= p) / (1 - p)

# %%
#| wrong: torch-seed
#| because: the same mask comes each time
def dropout(x, p):
    torch.manual_seed(7)
    return x * (torch.rand(x.shape) >= p) / (1 - p)

# %% [markdown]
# <!--| question: generator-passed -->
# ## A random generator as an argument

# %%
#| answer: generator-passed
def bootstrap(x, rng):
    ### BEGIN SOLUTION
    return x[rng.integers(len(x), size=len(x))]
    ### END SOLUTION

# %%
#| tests: generator-passed
@test_case(points=1)
def test_draws_from_the_generator(bootstrap):
    x = np.arange(20.0)
    got = bootstrap(x, np.random.default_rng(5))
    assert np.array_equal(got, x[np.random.default_rng(5).integers(20, size=20)])


@test_case(points=1, hidden=True)
def test_goes_on_where_it_stopped(bootstrap):
    x, rng, same = np.arange(20.0), np.random.default_rng(6), np.random.default_rng(6)
    assert not np.array_equal(bootstrap(x, rng), bootstrap(x, rng))
    bootstrap(x, same), bootstrap(x, same)
    assert rng.random() == same.random()

# %%
#| wrong: generator-passed
#| because: it makes a generator of its own
def bootstrap(x, rng):
    return x[np.random.default_rng(5).integers(len(x), size=len(x))]

# %%
#| wrong: generator-passed
#| because: it draws without putting back
def bootstrap(x, rng):
    return rng.permutation(x)

# %% [markdown]
# <!--| question: changed-in-place -->
# ## Changes in place

# %%
#| answer: changed-in-place
def clip_gradients(grads, limit):
    ### BEGIN SOLUTION
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    if norm > limit:
        for g in grads.values():
            g *= limit / norm
    ### END SOLUTION

# %%
#| tests: changed-in-place
@test_case(points=1)
def test_clipped(clip_gradients):
    grads = {"W": np.array([[3.0, 0.0]]), "b": np.array([4.0])}
    clip_gradients(grads, 1.0)
    assert np.allclose(grads["W"], [[0.6, 0.0]]) and np.allclose(grads["b"], [0.8])
    clip_gradients(grads, 5.0)
    assert np.allclose(grads["b"], [0.8])

# %%
#| wrong: changed-in-place
#| because: it changes copies
def clip_gradients(grads, limit):
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    for g in grads.values():
        g = g * min(1, limit / norm)

# %%
#| wrong: changed-in-place
#| because: each array is clipped by itself
def clip_gradients(grads, limit):
    for g in grads.values():
        g *= min(1, limit / np.sqrt((g**2).sum()))

# %% [markdown]
# <!--| question: inputs-unchanged -->
# ## Proof that inputs stay as they were

# %%
#| answer: inputs-unchanged
def relu_backward(grad, z):
    ### BEGIN SOLUTION
    return np.where(z > 0, grad, 0.0)
    ### END SOLUTION

# %%
#| tests: inputs-unchanged
@test_case(points=1)
def test_inputs_stay(relu_backward):
    grad, z = np.array([1.0, 2.0, 3.0]), np.array([-1.0, 0.5, 0.0])
    before = grad.copy()
    assert relu_backward(grad, z).tolist() == [0.0, 2.0, 0.0]
    assert np.array_equal(grad, before), "relu_backward changes its argument"

# %%
#| wrong: inputs-unchanged
#| because: it writes into the argument
def relu_backward(grad, z):
    grad[z <= 0] = 0
    return grad

# %%
#| wrong: inputs-unchanged
#| because: the slope at zero is taken as one
def relu_backward(grad, z):
    return np.where(z >= 0, grad, 0.0)

# %% [markdown]
# <!--| question: errstate -->
# ## np.errstate

# %%
#| answer: errstate
def sigmoid(z):
    ### BEGIN SOLUTION
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))
    ### END SOLUTION

# %%
#| tests: errstate
@test_case(points=1)
def test_no_overflow(sigmoid):
    z = np.array([-1000.0, 0.0, 1000.0])
    with np.errstate(over="raise", invalid="raise"):
        assert np.allclose(sigmoid(z), [0.0, 0.5, 1.0])

# %%
#| wrong: errstate
#| because: exp overflows on the way to a right result
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

# %% [markdown]
# <!--| question: no-grad -->
# ## torch.no_grad

# %%
#| answer: no-grad
def predict(x, w):
    ### BEGIN SOLUTION
    return torch.sigmoid(x @ w)
    ### END SOLUTION

# %%
#| tests: no-grad
@test_case(points=1)
def test_the_caller_decides(predict):
    x, w = torch.randn(3, 2), torch.randn(2, requires_grad=True)
    with torch.no_grad():
        assert not predict(x, w).requires_grad
    assert predict(x, w).requires_grad
    assert torch.is_grad_enabled()

# %%
#| wrong: no-grad
#| because: it switches gradients off for good
def predict(x, w):
    torch.set_grad_enabled(False)
    return torch.sigmoid(x @ w)

# %%
#| wrong: no-grad
#| because: it switches gradients on although the caller does not want them
@torch.enable_grad()
def predict(x, w):
    return torch.sigmoid(x @ w)

# %% [markdown]
# <!--| question: default-dtype -->
# ## The default dtype

# %%
#| answer: default-dtype
def positions(n, d):
    ### BEGIN SOLUTION
    k = torch.arange(d // 2)
    angle = torch.arange(n).unsqueeze(1) / 10000 ** (2 * k / d)
    return torch.cat([angle.sin(), angle.cos()], dim=1)
    ### END SOLUTION

# %%
#| tests: default-dtype
@test_case(points=1)
def test_follows_the_default(positions):
    assert positions(3, 4).dtype == torch.float32
    torch.set_default_dtype(torch.float64)
    try:
        p = positions(3, 4)
        assert p.shape == (3, 4) and p.dtype == torch.float64
        angle = torch.tensor([2.0, 0.02])
        assert torch.allclose(p[2], torch.cat([angle.sin(), angle.cos()]))
    finally:
        torch.set_default_dtype(torch.float32)

# %%
#| wrong: default-dtype
#| because: it is float32 whatever the default is
def positions(n, d):
    k = torch.arange(d // 2, dtype=torch.float32)
    angle = torch.arange(n, dtype=torch.float32).unsqueeze(1) / 10000 ** (2 * k / d)
    return torch.cat([angle.sin(), angle.cos()], dim=1)

# %% [markdown]
# <!--| question: warnings -->
# ## Recorded warnings

# %%
#| answer: warnings
def checked_rate(lr):
    ### BEGIN SOLUTION
    if lr > 1:
        warnings.warn(f"a learning rate of {lr} is large", UserWarning, stacklevel=2)
    return lr
    ### END SOLUTION

# %%
#| tests: warnings
@test_case(points=1)
def test_one_warning(checked_rate):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert checked_rate(3.0) == 3.0
        assert checked_rate(0.1) == 0.1
    assert [w.category for w in caught] == [UserWarning]
    assert "3.0" in str(caught[0].message)


@test_case(points=1, hidden=True)
def test_warnings_as_errors(checked_rate):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert checked_rate(0.1) == 0.1
        try:
            checked_rate(2.0)
        except UserWarning:
            return
    raise AssertionError("no warning")

# %%
#| wrong: warnings
#| because: it prints instead of warning
def checked_rate(lr):
    if lr > 1:
        print(f"a learning rate of {lr} is large")
    return lr

# %%
#| wrong: warnings
#| because: it warns of everything
def checked_rate(lr):
    warnings.warn(f"a learning rate of {lr} is large", UserWarning, stacklevel=2)
    return lr
