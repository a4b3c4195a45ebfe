# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Activation functions
#     minutes: 176
#     prerequisites: [perceptrons]
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Activation functions
#
# A layer of a network is a matrix and a bias. Put fifty of them in a row and you have, well, a matrix and a bias. What turns the stack into something that can learn is a small function
# squeezed between the layers, applied to one number at a time. It looks like a detail. It decides whether the first layer ever hears from the loss, whether units fall silent for good,
# and whether training takes ten epochs or a hundred.
#
# ![Left: three outputs of five layers with nothing between them are three straight lines. Right: the same layers with a ReLU between them give three bent curves.](stack-of-layers.svg)
#
# Both panels use the same weights. By the end you will have written some twenty of these little functions with their slopes, weighed them against each other, and found the units that died.

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn

# %% [markdown]
# <!--| question: why-nonlinearity-linear-collapse, level: E, minutes: 27, covers: [two-linear-layers-collapse] -->
# ## 1 · Fifty layers that are one
# Start with pencil and paper. Three layers follow one another with nothing in between, $h_1 = W_1 x + b_1$, $h_2 = W_2 h_1 + b_2$, $y = W_3 h_2 + b_3$:
#
# $$W_1 = \begin{pmatrix} 1 & 2 \\ 0 & -1 \end{pmatrix},\ b_1 = \begin{pmatrix} 1 \\ 0 \end{pmatrix},\qquad
# W_2 = \begin{pmatrix} 2 & 0 \\ 1 & 1 \end{pmatrix},\ b_2 = \begin{pmatrix} 0 \\ -2 \end{pmatrix},\qquad
# W_3 = \begin{pmatrix} 1 & -1 \end{pmatrix},\ b_3 = 0.5$$
#
# There is a single map $y = w_1 x_1 + w_2 x_2 + b$ that does the same for every $x$. Give it as `(w1, w2, b)`.

# %%
#| answer: why-nonlinearity-linear-collapse-p1
#| kind: number
#| points: 1
#| because: {"(5, 3, 3.5)": "the matrices were multiplied in the order in which they are written, but the first layer acts first, so it stands next to x",
#|   "(1, 3, -0.5)": "the biases were added up as they are, but all layers that follow act on them too",
#|   "(1, 3, 0.5)": "the biases of the first two layers got lost on the way"}
one_map = (1, 3, 3.5)  # SOLUTION

# %% [markdown]
# Now for any stack. Write `collapse(layers)` for a list of pairs `(W, b)` of NumPy arrays, first layer first; it returns the pair `(W, b)` of the one layer that replaces them all.

# %%
#| answer: why-nonlinearity-linear-collapse-p2
def collapse(layers):
    """One affine layer that does what the whole stack does.

    layers: list of pairs (W, b), first layer first, W of shape (n_out, n_in), b of shape (n_out,).
    Returns a pair (W, b) with the same conventions.
    """
    ### BEGIN SOLUTION
    W, b = layers[0]
    for V, c in layers[1:]:
        W, b = V @ W, V @ b + c
    return W, b
    ### END SOLUTION

# %%
#| helpers
def numbers(got):
    """The value as an array of floats; text, objects and complex numbers are refused."""
    array = np.asarray(got.detach() if isinstance(got, torch.Tensor) else got)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"numbers were expected, not {array.dtype}")
    return array.astype(float)


def random_layers(generator, sizes):
    """A stack of affine layers with the given widths."""
    return [(generator.normal(size=(m, n)), generator.normal(size=m)) for n, m in zip(sizes, sizes[1:])]


def agrees_with_stack(got, layers):
    """Does the pair (W, b) do the same as the layers one after another?"""
    W, b = (numbers(part) for part in got)
    first, last = layers[0][0].shape[1], layers[-1][0].shape[0]
    if W.shape != (last, first) or b.shape != (last,):
        return False
    h = x = np.random.default_rng(5).normal(size=(first, 20))
    for V, c in layers:
        h = V @ h + c[:, None]
    return bool(np.allclose(W @ x + b[:, None], h, rtol=1e-6, atol=1e-6))

# %%
#| tests: why-nonlinearity-linear-collapse-p2
@test_case(points=1, failure_message="Follow one x through the stack: which matrix meets it first, and what happens to a bias after it was added?")
def test_three_layers(collapse):
    layers = random_layers(np.random.default_rng(3), (3, 5, 4, 2))
    assert agrees_with_stack(collapse(layers), layers)


@test_case(points=1, hidden=True, failure_message="Any number of layers from one upwards, square ones included.")
def test_other_depths(collapse):
    for sizes in ((3, 3), (2, 2, 2), (4, 1, 4, 4), (3, 3, 3, 3, 3, 3, 3)):
        layers = random_layers(secret, sizes)
        assert agrees_with_stack(collapse(layers), layers)

# %%
#| wrong: why-nonlinearity-linear-collapse-p2
#| because: it multiplies the matrices in the wrong order
def collapse(layers):
    W, b = layers[0]
    for V, c in layers[1:]:
        W, b = W @ V, V @ b + c
    return W, b

# %%
#| wrong: why-nonlinearity-linear-collapse-p2
#| because: it ignores all biases but the last
def collapse(layers):
    W, b = layers[0]
    for V, c in layers[1:]:
        W, b = V @ W, c
    return W, b

# %%
#| wrong: why-nonlinearity-linear-collapse-p2
#| because: it adds the biases without sending them through the later layers
#| earns: 0
def collapse(layers):
    W, b = layers[0]
    total = b.sum() * 0
    for V, c in layers[1:]:
        W, total = V @ W, total + c.sum()
    return W, layers[-1][1] + total

# %%
#| right: why-nonlinearity-linear-collapse-p2
#| because: one can also ask the stack itself, at the origin and at the unit vectors
def collapse(layers):
    def through(x):
        for W, b in layers:
            x = W @ x + b
        return x

    n = layers[0][0].shape[1]
    b = through(np.zeros(n))
    return np.stack([through(e) - b for e in np.eye(n)], axis=1), b

# %%
#| right: why-nonlinearity-linear-collapse-p2
#| because: in homogeneous coordinates an affine layer is a single matrix
def collapse(layers):
    total = None
    for W, b in layers:
        block = np.zeros((len(b) + 1, W.shape[1] + 1))
        block[:-1, :-1], block[:-1, -1], block[-1, -1] = W, b, 1
        total = block if total is None else block @ total
    return total[:-1, :-1].tolist(), total[:-1, -1].tolist()

# %% [markdown]
# So a stack without activations can do what one affine map can do. That is too little even for XOR: inputs $(0,0), (0,1), (1,0), (1,1)$ with targets $0, 1, 1, 0$.
# Take the affine function $w_1 x_1 + w_2 x_2 + b$ that fits these four points best in the least-squares sense. Give its outputs on the four corners, in this order, and then its mean squared error: five numbers.

# %%
#| answer: why-nonlinearity-linear-collapse-p3
#| kind: number
#| points: 1
#| tol: 1e-6
#| because: {"(0.5, 0.5, 0.5, 0.5, 0.75)": "three of four corners is how many a line can classify; it is not a squared error",
#|   "(0, 1, 1, 0, 0)": "a perfect fit would need a function that is not affine",
#|   "(0.5, 0.5, 0.5, 0.5, 1)": "that is the sum of the squared errors, and the mean was asked for"}
xor_fit = (0.5, 0.5, 0.5, 0.5, 0.25)  # SOLUTION

# %% [markdown]
# One ReLU layer, $\mathrm{relu}(z) = \max(z, 0)$, is enough to fix it. Find weights of a network with two inputs, two hidden ReLU units and one output without activation that computes XOR exactly.
# No training needed: think about $x_1 + x_2$, and about where it should bend.

# %%
#| answer: why-nonlinearity-linear-collapse-p4
def xor_weights():
    """Return (W1, b1, W2, b2) such that W2 @ relu(W1 @ x + b1) + b2 is XOR on the corners.

    W1 has shape (2, 2), b1 shape (2,), W2 shape (1, 2), b2 shape (1,).
    """
    ### BEGIN SOLUTION
    return [[1, 1], [1, 1]], [0, -1], [[1, -2]], [0]
    ### END SOLUTION

# %%
#| helpers
def relu_net_outputs(weights, X):
    """Outputs of a 2-2-1 ReLU network for the rows of X, or None if the shapes are not those of one."""
    W1, b1, W2, b2 = (numbers(w) for w in weights)
    if W1.shape != (2, 2) or b1.shape != (2,) or W2.size != 2 or b2.size != 1:
        return None
    return np.maximum(X @ W1.T + b1, 0) @ W2.reshape(2) + b2.reshape(())

# %%
#| tests: why-nonlinearity-linear-collapse-p4
@test_case(points=1, failure_message="Write down both hidden units for all four corners, then combine them.")
def test_four_corners(xor_weights):
    y = relu_net_outputs(xor_weights(), np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]))
    assert y is not None and np.allclose(y, [0, 1, 1, 0], rtol=0, atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="All corners must come out right, in whichever order they come.")
def test_shuffled_corners(xor_weights):
    X = secret.permutation(np.repeat([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], 3, axis=0))
    y = relu_net_outputs(xor_weights(), X)
    assert y is not None and np.allclose(y, X[:, 0] != X[:, 1], rtol=0, atol=1e-6)

# %%
#| wrong: why-nonlinearity-linear-collapse-p4
#| because: these weights work with a step as activation, not with a ReLU
def xor_weights():
    return [[1, 1], [1, 1]], [-0.5, -1.5], [[1, -1]], [0]

# %%
#| wrong: why-nonlinearity-linear-collapse-p4
#| because: the second unit is subtracted only once, so both inputs on still gives 1
def xor_weights():
    return [[1, 1], [1, 1]], [0, -1], [[1, -1]], [0]

# %%
#| right: why-nonlinearity-linear-collapse-p4
#| because: each hidden unit can also watch for one of the two mixed corners
def xor_weights():
    return np.array([[1.0, -1.0], [-1.0, 1.0]]), np.zeros(2), np.ones((1, 2)), np.zeros(1)

# %%
#| right: why-nonlinearity-linear-collapse-p4
#| because: one can start from 1 and take away at both ends
def xor_weights():
    return torch.tensor([[-1.0, -1.0], [1.0, 1.0]]), torch.tensor([1.0, -1.0]), torch.tensor([[-1.0, -1.0]]), torch.tensor([1.0])

# %% [markdown]
# <!--| hint: why-nonlinearity-linear-collapse-p4 -->
# Let $s = x_1 + x_2$. As a function of $s$, XOR has to be 0, 1, 0 at $s = 0, 1, 2$. One ReLU of $s$ gives the way up. Where must a second one begin, and how steep must it be, to bring the sum down again?

# %% [markdown]
# The same collapse in PyTorch: write `merge(l1, l2)` for two `nn.Linear` layers, `l1` first. Either of them may have been made with `bias=False` (its `bias` is then `None`).
# Return one new `nn.Linear` of the same precision, and leave the two old ones as they are.

# %%
#| answer: why-nonlinearity-linear-collapse-p5
def merge(l1, l2):
    """One nn.Linear that computes l2(l1(x)) for every x. Either bias may be None."""
    ### BEGIN SOLUTION
    merged = nn.Linear(l1.in_features, l2.out_features, dtype=l1.weight.dtype)
    with torch.no_grad():
        merged.weight.copy_(l2.weight @ l1.weight)
        merged.bias.copy_(l2(torch.zeros(l1.out_features, dtype=l1.weight.dtype) if l1.bias is None else l1.bias))
    return merged
    ### END SOLUTION

# %%
#| tests: why-nonlinearity-linear-collapse-p5
@probe
def merge_report(merge, W1, b1, W2, b2, X):
    """Build two layers, merge them, and say what came out."""
    layers = []
    for W, b in ((W1, b1), (W2, b2)):
        layer = nn.Linear(W.shape[1], W.shape[0], bias=b is not None, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W))
            if b is not None:
                layer.bias.copy_(torch.from_numpy(b))
        layers.append(layer)
    merged = merge(*layers)
    return {
        "is_linear": type(merged) is nn.Linear,
        "sizes": [int(merged.in_features), int(merged.out_features)],
        "outputs": merged(torch.from_numpy(X)).detach().numpy(),
        "first": layers[0].weight.detach().numpy().copy(),
        "second": layers[1].weight.detach().numpy().copy(),
    }


def merged_well(merge, generator, sizes, first_bias, second_bias):
    n, k, m = sizes
    W1, W2, X = generator.normal(size=(k, n)), generator.normal(size=(m, k)), generator.normal(size=(9, n))
    b1 = generator.normal(size=k) if first_bias else None
    b2 = generator.normal(size=m) if second_bias else None
    expected = (X @ W1.T + (b1 if first_bias else 0)) @ W2.T + (b2 if second_bias else 0)
    report = merge_report(merge, W1, b1, W2, b2, X)
    outputs = numbers(report["outputs"])
    assert report["is_linear"] is True and report["sizes"] == [n, m]
    assert np.array_equal(report["first"], W1) and np.array_equal(report["second"], W2)
    return outputs.shape == expected.shape and np.allclose(outputs, expected, rtol=1e-9, atol=1e-9)


@test_case(points=0.5, failure_message="With both biases there: the first one has to pass through the second layer.")
def test_with_biases(merge):
    assert merged_well(merge, np.random.default_rng(8), (4, 6, 3), True, True)


@test_case(points=0.5, failure_message="What is `layer.bias` of a layer made with bias=False?")
def test_without_biases(merge):
    for first_bias, second_bias in ((False, True), (True, False), (False, False)):
        assert merged_well(merge, np.random.default_rng(9), (4, 6, 3), first_bias, second_bias)


@test_case(points=1, hidden=True, failure_message="Other sizes, square layers and bottlenecks included.")
def test_other_sizes(merge):
    for sizes in ((3, 3, 3), (7, 2, 7), (1, 5, 1)):
        for first_bias, second_bias in ((True, True), (True, False), (False, True)):
            assert merged_well(merge, secret, sizes, first_bias, second_bias)

# %%
#| wrong: why-nonlinearity-linear-collapse-p5
#| because: it multiplies the weights the wrong way round
def merge(l1, l2):
    merged = nn.Linear(l1.in_features, l2.out_features, dtype=l1.weight.dtype)
    with torch.no_grad():
        merged.weight.copy_(l1.weight @ l2.weight)
        merged.bias.copy_(l2(l1(torch.zeros(l1.in_features, dtype=l1.weight.dtype))))
    return merged

# %%
#| wrong: why-nonlinearity-linear-collapse-p5
#| because: it adds the two biases, although the first one passes through the second layer
def merge(l1, l2):
    merged = nn.Linear(l1.in_features, l2.out_features, dtype=l1.weight.dtype)
    with torch.no_grad():
        merged.weight.copy_(l2.weight @ l1.weight)
        merged.bias.zero_()
        for layer in (l1, l2):
            if layer.bias is not None:
                merged.bias += layer.bias if layer is l2 else layer.bias.mean()
    return merged

# %%
#| wrong: why-nonlinearity-linear-collapse-p5
#| because: it stops with an error when a layer has no bias
#| earns: 0.5
def merge(l1, l2):
    merged = nn.Linear(l1.in_features, l2.out_features, dtype=l1.weight.dtype)
    with torch.no_grad():
        merged.weight.copy_(l2.weight @ l1.weight)
        merged.bias.copy_(l2.weight @ l1.bias + l2.bias)
    return merged

# %%
#| wrong: why-nonlinearity-linear-collapse-p5
#| because: it overwrites the first layer instead of making a new one
def merge(l1, l2):
    W, b = l2.weight @ l1.weight, l2(l1(torch.zeros(l1.in_features, dtype=l1.weight.dtype)))
    l1.weight, l1.bias, l1.out_features = nn.Parameter(W.detach()), nn.Parameter(b.detach()), l2.out_features
    return l1

# %%
#| right: why-nonlinearity-linear-collapse-p5
#| because: the merged layer can be read off from a few inputs
def merge(l1, l2):
    points = torch.cat([torch.zeros(1, l1.in_features), torch.eye(l1.in_features)]).to(l1.weight.dtype)
    values = l2(l1(points)).detach()
    merged = nn.Linear(l1.in_features, l2.out_features).to(l1.weight.dtype)
    merged.weight.data = (values[1:] - values[0]).T.contiguous()
    merged.bias.data = values[0].clone()
    return merged

# %%
#| right: why-nonlinearity-linear-collapse-p5
#| because: a merged layer needs no bias when neither layer had one
def merge(l1, l2):
    keeps_bias = l1.bias is not None or l2.bias is not None
    merged = nn.Linear(l1.in_features, l2.out_features, bias=keeps_bias, dtype=l1.weight.dtype)
    with torch.no_grad():
        merged.weight.copy_(l2.weight @ l1.weight)
        if keeps_bias:
            first = 0 if l1.bias is None else l2.weight @ l1.bias
            merged.bias.copy_(first + (torch.zeros(l2.out_features) if l2.bias is None else l2.bias))
    return merged

# %% [markdown]
# Two linear layers in a row are not always a mistake, though. Send 512 numbers through `nn.Linear(512, 64)` and then `nn.Linear(64, 512)`, with random weights and no activation, and multiply the two weight matrices.
# Which **rank** does the $512 \times 512$ product have? (`torch.linalg.matrix_rank` will tell you, if you would rather run it than think.)

# %%
#| answer: why-nonlinearity-linear-collapse-p6
#| kind: number
#| points: 0.5
#| because: {512: "that is the size of the product; everything had to pass through a narrower place", 1: "that is the rank of a matrix flattened to a single row"}
merged_rank = 64  # SOLUTION

# %% [markdown]
# > **Common myth.** "Two linear layers in a row are a bug." They add no new functions, but a narrow pair has far fewer weights than one wide layer, and that can be the whole point: low-rank factorisations, and the adapters (LoRA)
# > with which large models are fine-tuned, are just that.

# %% [markdown]
# <!--| question: name-the-leaky-relu, level: E, minutes: 7 -->
# ## 2 · Two slopes
# The ReLU has a flat left half. Give that half a small slope instead:
#
# $$f(x) = \begin{cases} x & x > 0 \\ a\,x & x \le 0 \end{cases} \qquad \text{with a fixed } a,\ 0 < a < 1.$$
#
# What is this function called?

# %%
#| answer: name-the-leaky-relu-p1
#| kind: choice
#| points: 0.5
#| options: {a: 'exponential linear unit (ELU)', b: 'leaky ReLU', c: 'Maxout', d: 'softplus'}
#| because: {a: "an ELU bends along an exponential on the left; this one is straight", c: "Maxout takes the largest of several inputs", d: "softplus is smooth and never negative"}
name_if_fixed = "b"  # SOLUTION

# %% [markdown]
# And if $a$ is a weight like any other, learned by gradient descent?

# %%
#| answer: name-the-leaky-relu-p2
#| kind: choice
#| points: 0.5
#| options: {a: 'PReLU', b: 'RReLU', c: 'SELU', d: 'GELU'}
#| because: {b: "there the slope is drawn at random, not learned", c: "SELU has fixed constants and an exponential", d: "GELU weighs its input with a normal distribution function and has no slope to learn"}
name_if_learned = "a"  # SOLUTION

# %% [markdown]
# Write it, as `two_slopes(x, a)`, with its backward pass. With $g$ the gradient of the loss with respect to the output, `two_slopes_backward(g, x, a)` returns the gradients with respect to the input (an array) and with respect to $a$ (one number, since one $a$ serves all entries).
# Any real $a$ is allowed, also 0, 1, 1.5 or a negative one. At $x = 0$ use the left slope.

# %%
#| answer: name-the-leaky-relu-p3
def two_slopes(x, a):
    """x where x > 0, else a * x. x: array of any shape, a: a number."""
    ### BEGIN SOLUTION
    return x.clip(min=0) + a * x.clip(max=0)
    ### END SOLUTION


def two_slopes_backward(g, x, a):
    """Return (dx, da): dx has the shape of x, da is a number."""
    ### BEGIN SOLUTION
    return np.where(x > 0, g, a * g), float(np.sum(g * x.clip(max=0)))
    ### END SOLUTION

# %%
#| tests: name-the-leaky-relu-p3
@test_case(points=0.5, failure_message="Does your function still follow the definition when a is larger than 1, or negative?")
def test_values(two_slopes):
    x = np.array([[-4.0, -0.5, 0.0], [0.25, 2.0, 10.0]])
    for a in (0.01, 0.0, 1.0, 1.5, -0.5):
        y = numbers(two_slopes(x, a))
        assert y.shape == x.shape and np.allclose(y, [[-4 * a, -0.5 * a, 0], [0.25, 2, 10]])


@test_case(points=0.5, hidden=True, failure_message="Nudge one entry of x, or nudge a: by how much does sum(g * f) change?")
def test_gradients(two_slopes_backward):
    for shape, a in (((5,), 0.2), ((3, 4), 1.5), ((2, 3, 2), 0.0), ((6, 2), -0.7)):
        x, g = secret.normal(size=shape), secret.normal(size=shape)
        x.flat[0] = 0.0
        dx, da = two_slopes_backward(g, x, a)
        dx, da = numbers(dx), numbers(da)
        assert dx.shape == shape and np.allclose(dx, np.where(x > 0, 1.0, a) * g)
        assert da.shape in ((), (1,)) and np.allclose(da, (g * x)[x < 0].sum())

# %%
#| wrong: name-the-leaky-relu-p3
#| because: the gradient for a sums the positive entries, and those do not contain a
#| earns: 0.5
def two_slopes_backward(g, x, a):
    return np.where(x > 0, g, a * g), float(np.sum(g * np.maximum(x, 0)))

# %%
#| wrong: name-the-leaky-relu-p3
#| because: the gradient for a forgets that the input, where it is negative, is a factor
#| earns: 0.5
def two_slopes_backward(g, x, a):
    return np.where(x > 0, g, a * g), float(np.sum(g[x > 0]))

# %%
#| wrong: name-the-leaky-relu-p3
#| because: the maximum of x and a*x is this function only while a lies between 0 and 1
#| earns: 0.5
def two_slopes(x, a):
    return np.maximum(x, a * x)

# %%
#| wrong: name-the-leaky-relu-p3
#| because: one number a serves all entries, so its gradient is a sum over them
#| earns: 0.5
def two_slopes_backward(g, x, a):
    return np.where(x > 0, g, a * g), g * np.minimum(x, 0)

# %%
#| right: name-the-leaky-relu-p3
#| because: autograd may do the work
def two_slopes(x, a):
    return nn.functional.prelu(torch.tensor(x), torch.tensor(float(a), dtype=torch.float64)).numpy()


def two_slopes_backward(g, x, a):
    x = torch.tensor(x, requires_grad=True)
    a = torch.tensor([float(a)], dtype=torch.float64, requires_grad=True)
    return torch.autograd.grad(nn.functional.prelu(x, a), (x, a), torch.tensor(g))

# %%
#| right: name-the-leaky-relu-p3
#| because: an entry at a time works too
def two_slopes(x, a):
    return np.array([v if v > 0 else a * v for v in x.ravel()]).reshape(x.shape)


def two_slopes_backward(g, x, a):
    dx, da = np.empty(x.shape), 0.0
    for i in np.ndindex(x.shape):
        dx[i] = g[i] if x[i] > 0 else a * g[i]
        da += 0.0 if x[i] > 0 else g[i] * x[i]
    return dx, da

# %% [markdown]
# <!--| hint: name-the-leaky-relu-p3 -->
# For $a$: write down $\partial f / \partial a$ for one positive and one negative $x$. Then remember the chain rule for a number that is used in many places.

# %% [markdown]
# <!--| question: activation-functions, level: M, minutes: 35, covers: [four-activations-overview] -->
# ## 3 · Four curves and their slopes
# In the forward pass you see the left picture. Training sees the right one: in the backward pass every layer multiplies the gradient by these slopes. (The leak is drawn with slope 0.1, so that you can see it; 0.01 is more usual.)
#
# ![Left panel: sigmoid, tanh, ReLU and leaky ReLU between minus six and six. Right panel: their slopes; two are bells, two are steps.](four-activations.svg)
#
# Draw it yourself. `plot_activations(a)` returns a Matplotlib figure with two panels over $[-6, 6]$: on the left sigmoid $\sigma(x) = 1 / (1 + e^{-x})$, tanh, ReLU and leaky ReLU with slope `a`, on the right their derivatives.
# Give both panels a title and a legend, and every curve at least 200 points. At 0 two of the slopes jump, and a line drawn through the jump would show a ramp that is not there: break the curve, for example with a `np.nan` at $x = 0$.

# %%
#| answer: activation-functions-p1
def plot_activations(a):
    """Figure with two panels on [-6, 6]: four activations (left), their derivatives (right)."""
    ### BEGIN SOLUTION
    x = np.linspace(-6, 6, 401)
    s, t, h = 1 / (1 + np.exp(-x)), np.tanh(x), np.heaviside(x, np.nan)
    values = {"sigmoid": s, "tanh": t, "ReLU": x.clip(min=0), "leaky ReLU": x.clip(min=0) + a * x.clip(max=0)}
    slopes = {"sigmoid": s * (1 - s), "tanh": 1 - t**2, "ReLU": h, "leaky ReLU": a + (1 - a) * h}
    fig, axes = plt.subplots(1, 2)
    for ax, curves, title in zip(axes, (values, slopes), ("activations", "slopes")):
        for name, y in curves.items():
            ax.plot(x, y, label=name)
        ax.set_title(title)
        ax.legend()
    return fig
    ### END SOLUTION

# %%
#| tests: activation-functions-p1
@probe
def read_panels(plot_activations, a):
    """What the figure shows, as plain data, one entry per panel, from left to right."""
    fig = plot_activations(a)
    panels = []
    for ax in fig.axes:
        legend = ax.get_legend()
        panels.append({
            "title": ax.get_title(),
            "place": float(ax.get_position().x0),
            "names": [text.get_text() for text in legend.get_texts()] if legend else [],
            "curves": [
                (np.array(line.get_xdata(orig=False), dtype=float), np.array(line.get_ydata(orig=False), dtype=float), line.get_drawstyle())
                for line in ax.get_lines()
            ],
        })
    plt.close(fig)
    return sorted(panels, key=lambda panel: panel["place"])


def shows(panel, f, jumps=False):
    """Do the curves that agree with f cover [-6, 6] densely, and, if f jumps at 0, without a ramp?"""
    seen = []
    for x, y, style in panel["curves"]:
        good = np.isfinite(x) & np.isfinite(y)
        if jumps:
            step = (np.diff(np.sign(x)) != 0) & (np.abs(np.diff(y)) > 1e-3)
            if step.any() and not style.startswith("steps"):
                continue
            good &= x != 0
        if good.sum() > 2 and np.allclose(y[good], f(x[good]), rtol=0, atol=1e-5):
            seen.extend(x[good])
    seen = np.sort(seen)
    return len(seen) >= 200 and abs(seen[0] + 6) < 0.05 and abs(seen[-1] - 6) < 0.05 and np.diff(seen).max() < 0.2


@test_case(points=0.5, failure_message="Left panel: all four functions over the whole of [-6, 6], with at least 200 points each, a title and a legend.")
def test_functions_on_the_left(plot_activations):
    panels = read_panels(plot_activations, 0.01)
    assert len(panels) == 2 and panels[0]["place"] < panels[1]["place"] and panels[0]["title"].strip() and len(panels[0]["names"]) >= 4
    for f in (lambda x: 1 / (1 + np.exp(-x)), np.tanh, lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, x, 0.01 * x)):
        assert shows(panels[0], f)


@test_case(points=0.5, hidden=True, failure_message="Right panel: the derivative of each curve, for any a. Is there a slanted line where a slope should jump?")
def test_slopes_on_the_right(plot_activations):
    a = secret.uniform(0.05, 0.4)
    panels = read_panels(plot_activations, a)
    assert len(panels) == 2 and panels[1]["title"].strip() and len(panels[1]["names"]) >= 4
    assert shows(panels[0], lambda x: np.where(x > 0, x, a * x))
    assert shows(panels[1], lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2)
    assert shows(panels[1], lambda x: 1 / np.cosh(x) ** 2)
    assert shows(panels[1], lambda x: np.where(x > 0, 1.0, 0.0), jumps=True)
    assert shows(panels[1], lambda x: np.where(x > 0, 1.0, a), jumps=True)

# %%
#| equivalent: activation-functions-p1
#| from: x = np.linspace(-6, 6, 401)
#| to: x = np.linspace(6, -6, 401)
#| because: the same curves, drawn from right to left

# %%
#| wrong: activation-functions-p1
#| because: the leak sits on the positive side
def plot_activations(a):
    x = np.linspace(-6, 6, 401)
    s, t, h = 1 / (1 + np.exp(-x)), np.tanh(x), np.heaviside(x, np.nan)
    fig, axes = plt.subplots(1, 2)
    for ax, curves in zip(axes, ((s, t, np.maximum(x, 0), np.minimum(x, 0) + a * np.maximum(x, 0)), (s * (1 - s), 1 - t**2, h, 1 - (1 - a) * h))):
        for name, y in zip(("sigmoid", "tanh", "ReLU", "leaky ReLU"), curves):
            ax.plot(x, y, label=name)
        ax.set_title("activations")
        ax.legend()
    return fig

# %%
#| wrong: activation-functions-p1
#| because: the slope of tanh is one minus the square of tanh, not of x
#| earns: 0.5
def plot_activations(a):
    x = np.linspace(-6, 6, 401)
    s, t, h = 1 / (1 + np.exp(-x)), np.tanh(x), np.heaviside(x, np.nan)
    fig, axes = plt.subplots(1, 2)
    for ax, curves in zip(axes, ((s, t, np.maximum(x, 0), np.maximum(x, a * x)), (s * (1 - s), 1 - x**2, h, a + (1 - a) * h))):
        for name, y in zip(("sigmoid", "tanh", "ReLU", "leaky ReLU"), curves):
            ax.plot(x, y, label=name)
        ax.set_title("activations")
        ax.legend()
    return fig

# %%
#| wrong: activation-functions-p1
#| because: the jumps of the two step-shaped slopes are drawn as ramps
#| earns: 0.5
def plot_activations(a):
    x = np.linspace(-6, 6, 400)
    s, t, h = 1 / (1 + np.exp(-x)), np.tanh(x), np.heaviside(x, 0)
    fig, axes = plt.subplots(1, 2)
    for ax, curves in zip(axes, ((s, t, np.maximum(x, 0), np.maximum(x, a * x)), (s * (1 - s), 1 - t**2, h, a + (1 - a) * h))):
        for name, y in zip(("sigmoid", "tanh", "ReLU", "leaky ReLU"), curves):
            ax.plot(x, y, label=name)
        ax.set_title("activations")
        ax.legend()
    return fig

# %%
#| right: activation-functions-p1
#| because: a step can also be drawn as two separate pieces, and slopes can come from autograd
def plot_activations(a):
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    functions = {"logistic": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "leaky": lambda x: nn.functional.leaky_relu(x, a)}
    for name, f in functions.items():
        colour = None
        for piece in (torch.linspace(-6, -1e-9, 300), torch.linspace(1e-9, 6, 300)):
            x = piece.double().requires_grad_()
            y = f(x)
            (slope,) = torch.autograd.grad(y.sum(), x)
            (line,) = left.plot(piece, y.detach(), color=colour, label=name if colour is None else None)
            right.plot(piece, slope, color=line.get_color(), label=name if colour is None else None)
            colour = line.get_color()
    for ax, title in ((left, "f"), (right, "f'")):
        ax.axhline(0, color="grey")
        ax.set_title(title)
        ax.legend()
    return fig

# %% [markdown]
# Put numbers to the bells. Give the five derivatives $\sigma'(0),\ \sigma'(3),\ \sigma'(5),\ \tanh'(0),\ \tanh'(3)$, in this order. For the small ones three significant digits are enough.

# %%
#| answer: activation-functions-p2
#| kind: number
#| points: 1
#| tol: 0.5%
#| because: {"(0.5, 0.045177, 0.006648, 1, 0.009866)": "one half is the value of the sigmoid at 0; its slope there is smaller",
#|   "(0.25, 0.045177, 0.006648, 1, 0)": "tanh is nearly flat at 3, but not quite",
#|   "(0.5, 0.952574, 0.993307, 0, 0.995055)": "those are the values of the functions; the derivatives were asked for"}
five_slopes = tuple(1 / (2 + np.exp(z) + np.exp(-z)) for z in (0, 3, 5)) + tuple(1 / np.cosh(z) ** 2 for z in (0, 3))  # SOLUTION

# %% [markdown]
# > **Common myth.** "Beyond $|x| = 3$ a sigmoid is flat." Hold your $\sigma'(3)$ against your $\sigma'(0)$ and decide how flat that is.
#
# One more thing hides in the left panel. A layer's pre-activations are often close to a standard normal, $\mathcal{N}(0, 1)$, with mean 0. What is the **mean** after a ReLU? (Integrate, or average a million samples: 0.5 % is near enough.)

# %%
#| answer: activation-functions-p3
#| kind: number
#| points: 0.5
#| tol: 0.5%
#| because: {0: "the mean before the ReLU is 0, but the ReLU removes only negative numbers", 0.5: "that is the share of positive inputs; their mean size counts as well", 0.797885: "that is the mean of |x|; half of the inputs become 0"}
relu_mean = 1 / np.sqrt(2 * np.pi)  # SOLUTION

# %% [markdown]
# And one about depth. A gradient that crosses ten sigmoid layers is multiplied by ten sigmoid slopes. How large can the **product of these ten slopes** be at best?

# %%
#| answer: activation-functions-p4
#| kind: number
#| points: 0.5
#| tol: 0.5%
#| because: {0.0009765625: "that takes one half for the largest slope; one half is the value at 0", 2.5: "slopes multiply through layers, they do not add up", 1: "no sigmoid slope is as large as 1", 0: "small, but not 0"}
ten_sigmoids = 0.25**10  # SOLUTION

# %% [markdown]
# Now the same as a function that survives real data. `value_and_slope(name, x, a=0.01)` returns two arrays, $f(x)$ and $f'(x)$, for the names `"sigmoid"`, `"tanh"`, `"relu"` and `"leaky_relu"` (which uses slope `a`, any real number). It should
#
# - take arrays of any shape, and lists; give `float32` back for `float32`, and `float64` for everything else, whole numbers included;
# - stay finite and silent (no NumPy warnings) for $|x| = 1000$;
# - use the left slope at the kink, and leave its argument alone.

# %%
#| answer: activation-functions-p5
def value_and_slope(name, x, a=0.01):
    """Return (f(x), f'(x)) for f in sigmoid, tanh, relu, leaky_relu."""
    ### BEGIN SOLUTION
    x = np.asarray(x)
    x = x.astype(np.float32 if x.dtype == np.float32 else np.float64)
    if name == "sigmoid":
        s = np.exp(-np.logaddexp(0, -x))
        return s, s * (1 - s)
    if name == "tanh":
        return np.tanh(x), 1 - np.tanh(x) ** 2
    leak = {"relu": 0, "leaky_relu": a}[name]
    slope = np.where(x > 0, 1, leak).astype(x.dtype)
    return slope * x, slope
    ### END SOLUTION

# %%
#| tests: activation-functions-p5
def exact_pair(name, x, a):
    """Value and slope in float64 for |x| up to about 30."""
    x = np.asarray(x, dtype=float)
    if name == "sigmoid":
        return 1 / (1 + np.exp(-x)), 1 / (2 + np.exp(x) + np.exp(-x))
    if name == "tanh":
        return np.tanh(x), 1 / np.cosh(x) ** 2
    leak = a if name == "leaky_relu" else 0.0
    return np.where(x > 0, x, leak * x), np.where(x > 0, 1.0, leak)


def pair_is_right(got, name, x, a, tol=1e-6):
    """Two arrays of the right shape, finite and close to the exact ones."""
    expected = exact_pair(name, x, a)
    got = [numbers(part) for part in got]
    return len(got) == 2 and all(
        part.shape == right.shape and np.isfinite(part).all() and np.allclose(part, right, rtol=tol, atol=tol) for part, right in zip(got, expected)
    )


@probe
def leaves_alone(value_and_slope, name, x):
    """Is x after the call what it was before?"""
    before = x.copy()
    value_and_slope(name, x)
    return bool(np.array_equal(x, before))


SOME_VALUES = {
    "sigmoid": ([-2.0, 0.7, 1.5], [0.1192029, 0.6681878, 0.8175745], [0.1049936, 0.2217129, 0.1491465]),
    "tanh": ([-2.0, 0.7, 1.5], [-0.9640276, 0.6043678, 0.9051483], [0.0706508, 0.6347396, 0.1807066]),
    "relu": ([-2.0, 0.0, 0.7], [0.0, 0.0, 0.7], [0.0, 0.0, 1.0]),
    "leaky_relu": ([-2.0, 0.0, 0.7], [-0.02, 0.0, 0.7], [0.01, 0.01, 1.0]),
}


@test_case(points=0.5, failure_message="Compare with your picture at -2, 0 and 0.7, for values and slopes.")
def test_values_and_slopes(value_and_slope):
    for name, (x, *expected) in SOME_VALUES.items():
        got = [numbers(part) for part in value_and_slope(name, np.array(x))]
        assert len(got) == 2 and all(part.shape == (3,) and np.allclose(part, right, rtol=0, atol=1e-6) for part, right in zip(got, expected))


@test_case(points=0.5, failure_message="For x = -1000 and x = 1000: which exponential overflows? Nothing may warn, and everything must be finite.")
def test_far_out(value_and_slope):
    x = np.array([-1000.0, 1000.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        ends = {name: np.concatenate([numbers(part) for part in value_and_slope(name, x)]) for name in SOME_VALUES}
    assert all(four.shape == (4,) for four in ends.values())
    assert np.allclose(ends["sigmoid"], [0, 1, 0, 0]) and np.allclose(ends["tanh"], [-1, 1, 0, 0])
    assert np.allclose(ends["relu"], [0, 1000, 0, 1]) and np.allclose(ends["leaky_relu"], [-10, 1000, 0.01, 1])


@test_case(points=0.5, hidden=True, failure_message="Any leak, any shape; and does your function leave x as it was?")
def test_any_leak_and_shape(value_and_slope):
    for shape, a in (((4, 3), 0.2), ((2, 1, 5), 1.5), ((7,), -0.3), ((), 0.1)):
        x = np.asarray(secret.normal(scale=2, size=shape))
        for name in SOME_VALUES:
            assert leaves_alone(value_and_slope, name, x) is True and pair_is_right(value_and_slope(name, x, a), name, x, a)


@test_case(points=0.5, hidden=True, failure_message="float32 in, float32 out, for values and slopes; lists and whole numbers become float64.")
def test_number_types(value_and_slope):
    x = secret.normal(size=(3, 4)).astype(np.float32)
    whole = secret.integers(-3, 4, size=6)
    for name in SOME_VALUES:
        assert pair_is_right(value_and_slope(name, x, 0.25), name, x, 0.25)
        assert all(np.asarray(part).dtype == np.float32 for part in value_and_slope(name, x, 0.25))
        for numbers in (whole, whole.tolist()):
            assert pair_is_right(value_and_slope(name, numbers, 0.25), name, numbers, 0.25)
            assert all(np.asarray(part).dtype == np.float64 for part in value_and_slope(name, numbers, 0.25))

# %%
#| equivalent: activation-functions-p5
#| from: s = np.exp(-np.logaddexp(0, -x))
#| to: s = np.exp(-np.logaddexp(-x, 0))
#| because: the logarithm of a sum does not depend on the order of its terms

# %%
#| wrong: activation-functions-p5
#| because: the exponential overflows for large negative x and NumPy warns
#| earns: 1.5
def value_and_slope(name, x, a=0.01):
    x = np.asarray(x)
    x = x.astype(np.float32 if x.dtype == np.float32 else np.float64)
    if name == "sigmoid":
        s = 1 / (1 + np.exp(-x))
        return s, s * (1 - s)
    if name == "tanh":
        return np.tanh(x), 1 - np.tanh(x) ** 2
    slope = np.where(x > 0, 1, a if name == "leaky_relu" else 0).astype(x.dtype)
    return slope * x, slope

# %%
#| wrong: activation-functions-p5
#| because: in s(1-s) the s is the value of the sigmoid, not x itself
def value_and_slope(name, x, a=0.01):
    x = np.asarray(x)
    x = x.astype(np.float32 if x.dtype == np.float32 else np.float64)
    if name == "sigmoid":
        return np.exp(-np.logaddexp(0, -x)), x * (1 - x)
    if name == "tanh":
        return np.tanh(x), 1 - np.tanh(x) ** 2
    slope = np.where(x > 0, 1, a if name == "leaky_relu" else 0).astype(x.dtype)
    return slope * x, slope

# %%
#| wrong: activation-functions-p5
#| because: the larger of x and a*x is a leaky ReLU only while a lies between 0 and 1
#| earns: 1.5
def value_and_slope(name, x, a=0.01):
    x = np.asarray(x)
    x = x.astype(np.float32 if x.dtype == np.float32 else np.float64)
    if name == "sigmoid":
        s = np.exp(-np.logaddexp(0, -x))
        return s, s * (1 - s)
    if name == "tanh":
        return np.tanh(x), 1 - np.tanh(x) ** 2
    leak = a if name == "leaky_relu" else 0
    return np.maximum(x, leak * x), np.where(x > 0, 1, leak).astype(x.dtype)

# %%
#| wrong: activation-functions-p5
#| because: it turns float32 into float64
#| earns: 1.5
def value_and_slope(name, x, a=0.01):
    x = np.array(x, dtype=float)
    if name == "sigmoid":
        s = np.exp(-np.logaddexp(0, -x))
        return s, s * (1 - s)
    if name == "tanh":
        return np.tanh(x), 1 - np.tanh(x) ** 2
    slope = np.where(x > 0, 1, a if name == "leaky_relu" else 0)
    return slope * x, slope * 1.0

# %%
#| right: activation-functions-p5
#| because: autograd knows the slopes
def value_and_slope(name, x, a=0.01):
    x = np.asarray(x)
    x = torch.tensor(x if x.dtype == np.float32 else x.astype(float), requires_grad=True)
    f = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "leaky_relu": lambda x: torch.where(x > 0, x, a * x)}[name]
    y = f(x)
    return y.detach().numpy(), torch.autograd.grad(y.sum(), x)[0].numpy()

# %%
#| right: activation-functions-p5
#| because: the sigmoid can be written with an exponential of a number that is never positive
def value_and_slope(name, x, a=0.01):
    x = np.asarray(x)
    kind = x.dtype if x.dtype == np.float32 else float
    x = np.array(x, dtype=kind)
    if name == "sigmoid":
        e = np.exp(-abs(x))
        y, d = np.where(x > 0, 1, e) / (1 + e), e / (1 + e) ** 2
    elif name == "tanh":
        e = np.exp(-2 * abs(x))
        y, d = np.sign(x) * (1 - e) / (1 + e), 4 * e / (1 + e) ** 2
    else:
        leak = a if name == "leaky_relu" else 0.0
        d = np.ones(x.shape)
        d[x <= 0] = leak
        y = x * d
    return np.asarray(y, dtype=kind), np.asarray(d, dtype=kind)

# %% [markdown]
# <!--| hint: activation-functions-p5 -->
# For the sigmoid: $\sigma(x) = e^{-\log(1 + e^{-x})}$, and `np.logaddexp` computes that logarithm without overflow. For the types: what is the dtype of `np.where(x > 0, 1, 0.01)`, whatever `x` is?

# %% [markdown]
# At $x = 0$ the ReLU has a kink: slope 0 on one side, 1 on the other. PyTorch has to return *something*. Guess before you run it: what is the gradient of `torch.relu(x)` at exactly $x = 0$?

# %%
#| answer: activation-functions-p6
#| kind: choice
#| points: 0.5
#| options: {a: '`nan`, since the derivative does not exist', b: 'an error', c: '`0`', d: '`1`'}
#| because: {a: "mathematics may refuse, but a training run could not live with nan; the library picks a number", b: "then a single exact zero would stop a training run", d: "another way of writing a ReLU gives that; this one does not"}
relu_at_kink = "c"  # SOLUTION

# %% [markdown]
# There are several ways to write a kink. Measure the gradient at $x = 0$ of `torch.clamp(x, min=0)`, of `torch.maximum(x, torch.zeros_like(x))`, of `torch.abs(x)` and of `nn.functional.leaky_relu(x, 0.1)`, and then compute
# the central difference $\frac{f(h) - f(-h)}{2h}$ of the ReLU at 0 for a small $h$. Five numbers, in this order.

# %%
#| answer: activation-functions-p7
#| kind: number
#| points: 0.5
#| because: {"(0, 0, 0, 0, 0)": "these functions share a kink but not a convention: measure each of them"}
kink_slopes = (1, 0.5, 0, 0.1, 0.5)  # SOLUTION

# %% [markdown]
# Which of these statements about the kink are true? Answer with a tuple of three.

# %%
#| answer: activation-functions-p8
#| kind: true-false
#| points: 1
#| options: ['The ReLU is differentiable at 0.',
#|   'At 0, any number from 0 to 1 is a subgradient of the ReLU, and a framework is free to fix one of them.',
#|   'The choice matters a great deal in practice, because most pre-activations are exactly 0.']
about_the_kink = (False, True, False)  # SOLUTION

# %% [markdown]
# A sigmoid layer maps a vector to a vector, so its derivative is a matrix, the Jacobian $J_{ij} = \partial \sigma(x)_i / \partial x_j$. Write `sigmoid_jacobian(x)` for a vector $x$.
# Backpropagation never builds that matrix; it only needs the product $v^\top J$ with the gradient $v$ from above. Write `sigmoid_vjp(x, v)` so that it works for vectors with hundreds of thousands of entries.

# %%
#| answer: activation-functions-p9
def sigmoid_jacobian(x):
    """Matrix of shape (n, n) with entries d sigmoid(x)_i / d x_j, for a vector x of length n."""
    ### BEGIN SOLUTION
    return np.diag(sigmoid_vjp(x, 1))
    ### END SOLUTION


def sigmoid_vjp(x, v):
    """The vector v @ J of length n, without building J."""
    ### BEGIN SOLUTION
    return v / (2 + 2 * np.cosh(x))
    ### END SOLUTION

# %%
#| tests: activation-functions-p9
@test_case(points=0.5, failure_message="Output i depends on input i and on nothing else. Where in the matrix does that leave room for numbers?")
def test_jacobian(sigmoid_jacobian):
    J = numbers(sigmoid_jacobian(np.array([0.4, 1.0, -2.0])))
    assert J.shape == (3, 3) and np.allclose(J, [[0.2402607, 0, 0], [0, 0.1966119, 0], [0, 0, 0.1049936]], atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="The product must agree with v @ J, for a J found by finite differences.")
def test_product(sigmoid_jacobian, sigmoid_vjp):
    x, v = secret.normal(size=5), secret.normal(size=5)
    step = 1e-5 * np.eye(5)
    columns = [(1 / (1 + np.exp(-x - e)) - 1 / (1 + np.exp(-x + e))) / 2e-5 for e in step]
    J, got = numbers(sigmoid_jacobian(x)), numbers(sigmoid_vjp(x, v))
    assert J.shape == (5, 5) and np.allclose(J, np.stack(columns, axis=1), rtol=0, atol=1e-6)
    assert got.shape == (5,) and np.allclose(got, v @ np.stack(columns, axis=1), rtol=0, atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="For 300 000 entries a matrix would take 720 GB.")
def test_long_vectors(sigmoid_vjp):
    x, v = secret.normal(size=300_000), secret.normal(size=300_000)
    got = numbers(sigmoid_vjp(x, v))
    assert got.shape == x.shape and np.allclose(got, v / (2 + np.exp(x) + np.exp(-x)), rtol=0, atol=1e-6)

# %%
#| wrong: activation-functions-p9
#| because: it returns the vector of slopes, but a vector-valued function has a matrix as derivative
#| earns: 0.5
def sigmoid_jacobian(x):
    s = 1 / (1 + np.exp(-x))
    return s * (1 - s)

# %%
#| wrong: activation-functions-p9
#| because: that is the Jacobian of a softmax, in which every output depends on every input
#| earns: 0.5
def sigmoid_jacobian(x):
    p = np.exp(x) / np.exp(x).sum()
    return np.diag(p) - np.outer(p, p)

# %%
#| wrong: activation-functions-p9
#| because: it mixes the inputs as if the outputs had to add up to one
#| earns: 0.5
def sigmoid_jacobian(x):
    s = 1 / (1 + np.exp(-x))
    return np.diag(s) - np.outer(s, s)

# %%
#| wrong: activation-functions-p9
#| because: the product is right, but it still builds the whole matrix
#| earns: 1
def sigmoid_vjp(x, v):
    s = 1 / (1 + np.exp(-x))
    return v @ (np.eye(len(x)) * (s * (1 - s)))


def sigmoid_jacobian(x):
    s = 1 / (1 + np.exp(-x))
    return np.diag(s * (1 - s))

# %%
#| right: activation-functions-p9
#| because: autograd, once for the matrix and once for the product
def sigmoid_jacobian(x):
    return torch.autograd.functional.jacobian(torch.sigmoid, torch.tensor(x))


def sigmoid_vjp(x, v):
    return torch.autograd.functional.vjp(torch.sigmoid, torch.tensor(x), torch.tensor(v))[1].numpy()

# %% [markdown]
# Time to build an instrument. `gradient_norms(weights, act, x)` gets a list of PyTorch weight matrices, the name of an activation (`"sigmoid"`, `"tanh"` or `"relu"`, each of them a function in `torch`) and a batch `x` with one example per row.
# The network has no biases: every layer computes `act(h @ W.T)`, the last one too. The loss is the mean of the squared outputs. Return a list with the norm of the loss's gradient with respect to each weight matrix, first layer first.
# Use `torch.autograd`, and leave the matrices you were given as they are.

# %%
#| given: activation-functions
rng = np.random.default_rng(seed)
batch = torch.from_numpy(rng.normal(size=(32, 64)))
stack = [torch.from_numpy(rng.normal(size=(64, 64)) / 8) for _ in range(20)]

# %%
#| answer: activation-functions-p10
def gradient_norms(weights, act, x):
    """Norms of the gradients of mean(output ** 2), one number per weight matrix, first layer first."""
    ### BEGIN SOLUTION
    weights = [nn.Parameter(W) for W in weights]
    h = x
    for W in weights:
        h = getattr(torch, act)(h @ W.T)
    gradients = torch.autograd.grad((h**2).mean(), weights)
    return [g.norm().item() for g in gradients]
    ### END SOLUTION

# %%
#| helpers
def norms_by_hand(weights, act, x):
    """Norms of all weight gradients of mean(output ** 2), by backpropagation in NumPy."""
    f = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh, "relu": lambda z: np.maximum(z, 0)}[act]
    slope = {"sigmoid": lambda h: h * (1 - h), "tanh": lambda h: 1 - h * h, "relu": lambda h: (h > 0) * 1.0}[act]
    weights, hidden = [np.asarray(W, dtype=float) for W in weights], [np.asarray(x, dtype=float)]
    for W in weights:
        hidden.append(f(hidden[-1] @ W.T))
    norms, upstream = [], 2 * hidden[-1] / hidden[-1].size
    for W, before, after in zip(weights[::-1], hidden[-2::-1], hidden[:0:-1]):
        delta = upstream * slope(after)
        norms.append(float(np.linalg.norm(delta.T @ before)))
        upstream = delta @ W
    return np.array(norms[::-1])


def same_norms(got, expected):
    """A list of the right length whose numbers agree to 0.1 %."""
    got = np.array([numbers(v) for v in got])
    return got.shape == expected.shape and np.allclose(got, expected, rtol=1e-3, atol=0)

# %%
#| tests: activation-functions-p10
@probe
def leaves_weights_alone(gradient_norms, weights, act, x):
    """Are the matrices after the call what they were before?"""
    before = [W.clone() for W in weights]
    gradient_norms(weights, act, x)
    return all(torch.equal(W, old) for W, old in zip(weights, before))


@test_case(points=0.5, failure_message="Two layers, three examples: write out a loss and a .backward() line by line and compare.")
def test_two_layers(gradient_norms):
    weights = [torch.tensor([[1.0, -1.0], [0.5, 2.0]]), torch.tensor([[2.0, 1.0]])]
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    assert same_norms(gradient_norms(weights, "tanh", x), np.array([0.5222858, 0.2269494]))
    assert same_norms(gradient_norms(weights, "sigmoid", x), np.array([0.0886019, 0.1962516]))
    assert same_norms(gradient_norms(weights, "relu", x), np.array([5.5876849, 7.8457349]))


@test_case(points=0.5, hidden=True, failure_message="Twenty layers, all three activations. Nothing but the weights you are given should enter.")
def test_twenty_layers(gradient_norms):
    x = torch.from_numpy(secret.normal(size=(16, 64)))
    for act, scale in (("sigmoid", 1 / 8), ("tanh", 1 / 8), ("relu", 2**0.5 / 8)):
        weights = [torch.from_numpy(scale * secret.normal(size=(64, 64))) for _ in range(20)]
        assert leaves_weights_alone(gradient_norms, weights, act, x) is True
        got = [numbers(v) for v in gradient_norms(weights, act, x)]
        assert same_norms(got, norms_by_hand(weights, act, x))
        assert got[0] / got[-1] < 1e-9 if act == "sigmoid" else 0.2 < got[0] / got[-1] < 5

# %%
#| wrong: activation-functions-p10
#| because: it adds large random biases that nobody asked for
def gradient_norms(weights, act, x):
    weights = [W.clone().requires_grad_() for W in weights]
    generator, h = torch.Generator().manual_seed(0), x
    for W in weights:
        h = getattr(torch, act)(h @ W.T + 3 * torch.randn(len(W), generator=generator))
    return [g.norm().item() for g in torch.autograd.grad((h**2).mean(), weights)]

# %%
#| wrong: activation-functions-p10
#| because: it measures the activations of the layers instead of the gradients of their weights
def gradient_norms(weights, act, x):
    norms, h = [], x
    for W in weights:
        h = getattr(torch, act)(h @ W.T)
        norms.append(h.norm().item())
    return norms

# %%
#| wrong: activation-functions-p10
#| because: it measures the size of the weights
def gradient_norms(weights, act, x):
    return [W.norm().item() for W in weights]

# %%
#| wrong: activation-functions-p10
#| because: the list starts at the last layer
def gradient_norms(weights, act, x):
    weights = [W.clone().requires_grad_() for W in weights]
    h = x
    for W in weights:
        h = getattr(torch, act)(h @ W.T)
    return [g.norm().item() for g in torch.autograd.grad((h**2).mean(), weights)][::-1]

# %%
#| right: activation-functions-p10
#| because: layers of a module and .backward() measure the same
def gradient_norms(weights, act, x):
    layers = []
    for W in weights:
        layer = nn.Linear(W.shape[1], W.shape[0], bias=False, dtype=W.dtype)
        layer.weight.data = W.detach().clone()
        layers += [layer, {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}[act]()]
    nn.Sequential(*layers)(x).pow(2).mean().backward()
    return torch.stack([layer.weight.grad.norm() for layer in layers[::2]])

# %% [markdown]
# <!--| hint: activation-functions-p10 -->
# Wrap each matrix so that it asks for a gradient, keep the wrapped ones in a list, and use them in the forward pass. `torch.autograd.grad(loss, that_list)` returns one gradient per matrix.

# %% [markdown]
# Try it before you go on: `gradient_norms(stack, "sigmoid", batch)` lists twenty numbers. Do the same with `"tanh"`, and with `"relu"` and weights that are $\sqrt 2$ times as large. Which of the three first layers hears from the loss?
#
# Which of these statements hold?

# %%
#| answer: activation-functions-p11
#| kind: choose-all
#| points: 0.5
#| options: {a: 'The outputs of a sigmoid layer are not centred around zero.',
#|   b: 'tanh saturates.',
#|   c: 'A ReLU never saturates, on either side.',
#|   d: 'A ReLU unit can die.',
#|   e: 'A leaky ReLU passes a gradient on for negative inputs.',
#|   f: 'A sigmoid is cheaper to evaluate than a ReLU.'}
about_the_four = {"a", "b", "d", "e"}  # SOLUTION

# %% [markdown]
# <!--| hint: activation-functions-p11 -->
# Look at the right panel for "saturates": a function saturates wherever its slope goes to zero and stays there.

# %% [markdown]
# <!--| question: relu-versus-sigmoid-gradient, level: E, minutes: 20, covers: [sigmoid-vs-tanh-depth] -->
# ## 4 · Who hears from the loss?
# For some twenty years the S-curves, sigmoid and tanh, were *the* activations. Around 2010 the ReLU took over, and networks grew from three layers to thirty and more. What does it really have over sigmoid and tanh?

# %%
#| answer: relu-versus-sigmoid-gradient-p1
#| kind: choose-all
#| points: 1
#| options: {a: 'Its derivative is 1 for every positive input, so nothing saturates there.',
#|   b: 'It costs next to nothing to compute.',
#|   c: 'Its activations are sparse: many are exactly 0.',
#|   d: 'Its output is bounded.',
#|   e: 'It is differentiable everywhere.'}
relu_advantages = {"a", "b", "c"}  # SOLUTION

# %% [markdown]
# Give the largest value that $\sigma'$ takes anywhere, and its 20th power: a pair of numbers (the second to four significant digits).

# %%
#| answer: relu-versus-sigmoid-gradient-p2
#| kind: number
#| points: 1
#| tol: 1e-15
#| because: {"(1, 1)": "tanh and ReLU reach a slope of 1; a sigmoid stays well below",
#|   "(0.5, 9.5367431640625e-07)": "one half is the sigmoid's value at 0, not its slope",
#|   "(0.25, 9.5367431640625e-07)": "the second number is the 10th power of the first, or the 20th of one half"}
best_case = (0.25, 0.25**20)  # SOLUTION

# %% [markdown]
# That was the best case for slopes alone; the weights have a say too, so compare fairly: every activation with the starting weights that were designed for it. **Xavier** draws weights with standard deviation $\sqrt{2 / (n_\text{in} + n_\text{out})}$
# for sigmoid and tanh, **Kaiming** with $\sqrt{2 / n_\text{in}}$ for ReLU.
#
# `compare_starts(x, raw)` gets a batch and a list of matrices of shape $(n_\text{out}, n_\text{in})$ that hold standard normal numbers. Scale *the same* numbers once by Xavier, once by Kaiming, and return a dict with the keys `"sigmoid"` and `"relu"`:
# the gradient norms of all layers (as from `gradient_norms`, which you may use) of the sigmoid network with Xavier weights and of the ReLU network with Kaiming weights.

# %%
#| given: relu-versus-sigmoid-gradient
rng4 = np.random.default_rng(seed + 4)
deep_batch = torch.from_numpy(rng4.normal(size=(16, 128)))
deep_raw = [torch.from_numpy(rng4.normal(size=(128, 128))) for _ in range(20)]

rng30 = np.random.default_rng(30)  # for the last number of this section
batch30 = torch.from_numpy(rng30.normal(size=(32, 64)))
stack30 = [torch.from_numpy(rng30.normal(size=(64, 64)) / 8) for _ in range(30)]

# %%
#| answer: relu-versus-sigmoid-gradient-p3
def compare_starts(x, raw):
    """Return {"sigmoid": norms with Xavier scaling, "relu": norms with Kaiming scaling}."""
    ### BEGIN SOLUTION
    xavier = [W * (2 / (W.shape[0] + W.shape[1])) ** 0.5 for W in raw]
    kaiming = [W * (2 / W.shape[1]) ** 0.5 for W in raw]
    return {"sigmoid": gradient_norms(xavier, "sigmoid", x), "relu": gradient_norms(kaiming, "relu", x)}
    ### END SOLUTION

# %%
#| tests: relu-versus-sigmoid-gradient-p3
def expected_norms(x, raw):
    """The two lists of gradient norms, from the helper that knows backpropagation by hand."""
    scales = {"sigmoid": lambda W: np.sqrt(2 / sum(W.shape)), "relu": lambda W: np.sqrt(2 / W.shape[1])}
    return {act: norms_by_hand([W.numpy() * scale(W) for W in raw], act, x.numpy()) for act, scale in scales.items()}


@test_case(points=0.5, failure_message="First check the standard deviation of your scaled matrices, then the ratio of first to last gradient.")
def test_square_layers(compare_starts, deep_batch, deep_raw):
    tiny = compare_starts(torch.tensor([[1.0]]), [torch.tensor([[0.5]]), torch.tensor([[2.0]])])
    assert same_norms(tiny["sigmoid"], np.array([0.1266957, 0.1677908])) and same_norms(tiny["relu"], np.array([11.3137085, 2.8284271]))
    got = {act: numbers([numbers(v) for v in norms]) for act, norms in compare_starts(deep_batch, deep_raw).items()}
    assert got["sigmoid"].shape == got["relu"].shape == (20,)
    assert 0 < got["sigmoid"][0] / got["sigmoid"][-1] < 1e-8 and 0.01 < got["relu"][0] / got["relu"][-1] < 100


@test_case(points=1, hidden=True, failure_message="Layers need not be square. Which number of the shape is n_in? And are both networks made from the same numbers?")
def test_changing_widths(compare_starts):
    x = torch.from_numpy(secret.normal(size=(8, 12)))
    raw = [torch.from_numpy(secret.normal(size=shape)) for shape in ((30, 12), (30, 30), (7, 30), (20, 7))]
    got, expected = compare_starts(x, raw), expected_norms(x, raw)
    assert same_norms(got["sigmoid"], expected["sigmoid"]) and same_norms(got["relu"], expected["relu"])

# %%
#| wrong: relu-versus-sigmoid-gradient-p3
#| because: it reports norms of weights; the gradients were asked for
def compare_starts(x, raw):
    return {
        "sigmoid": [(W * (2 / sum(W.shape)) ** 0.5).norm().item() for W in raw],
        "relu": [(W * (2 / W.shape[1]) ** 0.5).norm().item() for W in raw],
    }

# %%
#| wrong: relu-versus-sigmoid-gradient-p3
#| because: both networks start from the Xavier scale
def compare_starts(x, raw):
    xavier = [W * (2 / sum(W.shape)) ** 0.5 for W in raw]
    return {"sigmoid": gradient_norms(xavier, "sigmoid", x), "relu": gradient_norms(xavier, "relu", x)}

# %%
#| wrong: relu-versus-sigmoid-gradient-p3
#| because: the second network gets fresh random numbers instead of the same ones
def compare_starts(x, raw):
    xavier = [W * (2 / sum(W.shape)) ** 0.5 for W in raw]
    generator = torch.Generator().manual_seed(0)
    fresh = [torch.randn(W.shape, generator=generator, dtype=W.dtype) * (2 / W.shape[1]) ** 0.5 for W in raw]
    return {"sigmoid": gradient_norms(xavier, "sigmoid", x), "relu": gradient_norms(fresh, "relu", x)}

# %%
#| wrong: relu-versus-sigmoid-gradient-p3
#| because: it takes the number of outputs for the number of inputs
#| earns: 0.5
def compare_starts(x, raw):
    xavier = [W * (2 / sum(W.shape)) ** 0.5 for W in raw]
    kaiming = [W * (2 / W.shape[0]) ** 0.5 for W in raw]
    return {"sigmoid": gradient_norms(xavier, "sigmoid", x), "relu": gradient_norms(kaiming, "relu", x)}

# %%
#| right: relu-versus-sigmoid-gradient-p3
#| because: it can be done without the function from before
def compare_starts(x, raw):
    answer = {}
    for act, f in (("sigmoid", torch.sigmoid), ("relu", torch.relu)):
        weights = []
        for W in raw:
            n_out, n_in = W.shape
            variance = 2 / (n_in + n_out) if act == "sigmoid" else 2 / n_in
            weights.append(nn.Parameter(W * variance**0.5))
        h = x
        for W in weights:
            h = f(nn.functional.linear(h, W))
        (h * h).mean().backward()
        answer[act] = torch.tensor([W.grad.norm() for W in weights]).numpy()
    return answer

# %% [markdown]
# Next, sparsity. `zero_share(z)` takes an array of pre-activations and returns two numbers: the share of ReLU **activations** that are exactly 0, and the share of sigmoid activations that are exactly 0, both computed in `float64`. On paper a sigmoid never reaches 0. Does it in the computer, for $z$ as far out as $-1000$?

# %%
#| answer: relu-versus-sigmoid-gradient-p4
def zero_share(z):
    """Return (share of zeros in relu(z), share of zeros in sigmoid(z)) for an array z."""
    ### BEGIN SOLUTION
    z = torch.as_tensor(z)
    return tuple((f(z) == 0).double().mean().item() for f in (torch.relu, torch.sigmoid))
    ### END SOLUTION

# %%
#| tests: relu-versus-sigmoid-gradient-p4
@test_case(points=0.5, failure_message="Write down what a ReLU makes of each of the eight. Which outputs does the computer hold as exactly 0?")
def test_eight_numbers(zero_share):
    got = numbers(zero_share(np.array([-2.0, -0.1, 0.0, 0.1, -60.0, 3.0, -1000.0, 60.0])))
    assert got.shape == (2,) and np.allclose(got, [0.625, 0.125], rtol=0, atol=1e-9)


@test_case(points=0.5, hidden=True, failure_message="Try 100 000 standard normal numbers, and some large ones; count zeros of the output, not of its slope.")
def test_many_numbers(zero_share):
    z = secret.normal(size=(100, 1000))
    got = numbers(zero_share(z))
    assert got.shape == (2,) and abs(got[0] - 0.5) < 0.01 and got[1] == 0
    far = secret.permutation(np.concatenate([secret.uniform(20, 100, size=50), secret.uniform(-100, -20, size=10), np.zeros(20), secret.uniform(-1000, -800, size=20)]))
    got = numbers(zero_share(far))
    assert got.shape == (2,) and np.allclose(got, [0.5, 0.2], rtol=0, atol=1e-9)

# %%
#| wrong: relu-versus-sigmoid-gradient-p4
#| because: it counts small activations; a zero is a zero
def zero_share(z):
    return np.mean(np.maximum(z, 0) < 0.5), np.mean(np.exp(-np.logaddexp(0, -z)) < 0.5)

# %%
#| wrong: relu-versus-sigmoid-gradient-p4
#| because: it counts where the slope is zero, which for a sigmoid happens long before the output is
def zero_share(z):
    s = np.exp(-np.logaddexp(0, -z))
    return np.mean(z <= 0), np.mean(s * (1 - s) == 0)

# %%
#| wrong: relu-versus-sigmoid-gradient-p4
#| because: it rounds the sigmoid to zero where it is merely tiny
def zero_share(z):
    return np.mean(np.maximum(z, 0) == 0), np.mean(np.isclose(np.exp(-np.logaddexp(0, -z)), 0))

# %%
#| right: relu-versus-sigmoid-gradient-p4
#| because: NumPy counts just as well
def zero_share(z):
    with np.errstate(over="ignore"):
        relu, sigmoid = np.maximum(z, 0), 1 / (1 + np.exp(-z))
    return np.array([np.count_nonzero(y == 0) / z.size for y in (relu, sigmoid)])

# %% [markdown]
# And tanh, the sigmoid's symmetric sister? `stack30` and `batch30`, in the cell above `compare_starts`, hold a network of 30 layers of width 64 with Xavier weights and a batch for it. Divide the gradient norm of the **first** layer by that of the **last** (your `gradient_norms` has both). How many powers of ten is that? Give $\log_{10}$ of the ratio, to one decimal, for `"sigmoid"` and for `"tanh"`.

# %%
#| answer: relu-versus-sigmoid-gradient-p5
#| kind: number
#| points: 1
#| tol: 0.06
#| because: {"(18.8107, -0.1448)": "that is the last layer divided by the first",
#|   "(0.0444, 0.6605)": "those are ratios of activations; gradients were asked for"}
powers_of_ten = tuple(np.log10(norms[0] / norms[-1]) for norms in (gradient_norms(stack30, "sigmoid", batch30), gradient_norms(stack30, "tanh", batch30)))  # SOLUTION

# %% [markdown]
# One reason to prefer tanh has nothing to do with slopes. The input of an activation is symmetric around 0 and has mean 0. Whose output has mean 0 as well?

# %%
#| answer: relu-versus-sigmoid-gradient-p6
#| kind: choice
#| points: 0.5
#| options: {a: "tanh's, because tanh is an odd function", b: "the sigmoid's, because it is monotone", c: "both, since both are S-shaped", d: "neither"}
#| because: {b: "a monotone function may still sit above zero everywhere", c: "one of the two never goes below zero", d: "what does an odd function do to x and -x?"}
keeps_the_mean = "a"  # SOLUTION

# %% [markdown]
# <!--| question: saturated-logistic-units-under-sgd, level: M, minutes: 16 -->
# ## 5 · Stuck in the flat
# Logistic units, another name for sigmoid units, have two flat ends, and a unit that lands there learns slowly. Write $z$ for the pre-activation. When do we call a logistic unit **saturated**?

# %%
#| answer: saturated-logistic-units-under-sgd-p1
#| kind: choice
#| points: 0.5
#| options: {a: 'when its output is close to 0.5',
#|   b: 'when |z| is large, so that its output is close to 0 or 1 and its slope almost 0',
#|   c: 'when all of its weights are zero',
#|   d: 'when its bias is negative'}
#| because: {a: "there the slope is at its largest", c: "then z is just the bias, which may be anywhere", d: "a negative bias alone says little about z"}
saturated_when = "b"  # SOLUTION

# %% [markdown]
# True or false? Answer with a tuple of three.

# %%
#| answer: saturated-logistic-units-under-sgd-p2
#| kind: true-false
#| points: 0.5
#| options: ['tanh units saturate as well.',
#|   'tanh is a stretched and shifted sigmoid: with the right constants, tanh(z) = A σ(Bz) + C for every z.',
#|   'The outputs of tanh are centred around zero, and that usually speeds up gradient descent.']
about_tanh = (True, True, True)  # SOLUTION

# %% [markdown]
# Where does the flat part begin? Take the smallest $|z|$ at which the slope has fallen to **1 % of its own maximum**. Give it for the logistic function and for tanh, to three decimals.

# %%
#| answer: saturated-logistic-units-under-sgd-p3
#| kind: number
#| points: 1
#| tol: 1e-3
#| because: {"(5.98645, 5.98645)": "the two functions do not have the same width",
#|   "(4.58486, 2.99322)": "for the logistic function that is where the slope is 0.01; one percent of its maximum is less"}
one_percent = (2 * np.arccosh(10), np.arccosh(10))  # SOLUTION

# %% [markdown]
# Now feel it. A unit gives $a = \sigma(z)$ at $z = -8$, but the target is $y = 1$: it could hardly be more wrong. With the loss $\tfrac12 (a - y)^2$, what is the derivative of the loss with respect to $z$? Give at least five significant digits.

# %%
#| answer: saturated-logistic-units-under-sgd-p4
#| kind: number
#| points: 1
#| tol: 0.01%
#| because: {-0.9996646498695336: "that is the gradient with cross-entropy, which does not have this problem",
#|   -0.0003353501304664781: "that is just minus a; both factors of (1 - a) are missing",
#|   -0.00033523767075647424: "one factor is missing: the error and the slope each bring one",
#|   0.00033512524875984874: "the sign: a larger z would lower the loss"}
stuck_gradient = -(1 - 1 / (1 + np.exp(8))) ** 2 / (1 + np.exp(8))  # SOLUTION

# %% [markdown]
# <!--| hint: saturated-logistic-units-under-sgd-p4 -->
# By the chain rule the derivative is the error times the slope of the sigmoid. Write both in terms of $a$, and let the computer work out $a$.

# %% [markdown]
# What does that cost in training time? The next cell makes a small task (is the product of two coordinates positive?) and a network with two hidden layers of 64 units in Xavier's scale. `one_epoch` runs one pass of mini-batch SGD over the data.
#
# Write `epochs_to(act, seed, max_epochs, target=0.1)`: make the task and the network from the same `seed`, train with `torch.optim.SGD`, learning rate 0.3 and momentum 0.9, and return the number of epochs after which `loss_of` on the whole task is below `target`.
# Return `None` if that has not happened after `max_epochs` epochs.

# %%
#| given: saturated-logistic-units-under-sgd
def make_task(task_seed):
    """64 points with 5 features; the label says whether the product of the first two is positive."""
    generator = torch.Generator().manual_seed(task_seed)
    X = torch.randn(64, 5, generator=generator)
    return X, (X[:, 0] * X[:, 1] > 0).float()


def make_net(act, net_seed):
    """A 5-64-64-1 network with the activation "tanh" or "sigmoid" and Xavier weights."""
    generator = torch.Generator().manual_seed(net_seed)
    layers = []
    for n_in, n_out in ((5, 64), (64, 64), (64, 1)):
        layers += [nn.Linear(n_in, n_out), {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid}[act]()]
        nn.init.xavier_normal_(layers[-2].weight, generator=generator)
        nn.init.zeros_(layers[-2].bias)
    return nn.Sequential(*layers[:-1])


def loss_of(net, X, y):
    return nn.functional.binary_cross_entropy_with_logits(net(X).squeeze(1), y)


def one_epoch(net, optimizer, X, y):
    """Four updates with 16 points each."""
    for i in range(0, len(X), 16):
        optimizer.zero_grad()
        loss_of(net, X[i : i + 16], y[i : i + 16]).backward()
        optimizer.step()

# %%
#| answer: saturated-logistic-units-under-sgd-p5
def epochs_to(act, seed, max_epochs, target=0.1):
    """Number of epochs until the training loss is below target, or None."""
    ### BEGIN SOLUTION
    X, y = make_task(seed)
    net = make_net(act, seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
    for epoch in range(1, max_epochs + 1):
        one_epoch(net, optimizer, X, y)
        if loss_of(net, X, y) < target:
            return epoch
    ### END SOLUTION

# %%
#| tests: saturated-logistic-units-under-sgd-p5
def count_epochs(make_task, make_net, loss_of, one_epoch, act, task_seed, most):
    """Losses after each epoch until the first below 0.1."""
    X, y = make_task(task_seed)
    net, losses = make_net(act, task_seed), []
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
    while len(losses) < most and not (losses and losses[-1] < 0.1):
        one_epoch(net, optimizer, X, y)
        with torch.no_grad():
            losses.append(loss_of(net, X, y).item())
    return losses


def is_count(got, expected):
    """A single whole number, as Python or NumPy have it."""
    return np.ndim(got) == 0 and not isinstance(got, (str, bytes)) and got == expected


@test_case(points=0.5, failure_message="Count whole passes over the data, starting from 1: with target=100 one epoch is enough. With tanh, a dozen or two should do.")
def test_counting(epochs_to):
    assert is_count(epochs_to("tanh", 2, 300, target=100.0), 1) and 5 <= epochs_to("tanh", 2, 300) <= 30


@test_case(points=0.5, failure_message="What comes back when max_epochs is just enough, and when it is one too few?")
def test_giving_up(epochs_to):
    enough = epochs_to("tanh", 5, 300)
    assert enough > 1 and is_count(epochs_to("tanh", 5, enough), enough) and epochs_to("tanh", 5, enough - 1) is None


@test_case(points=1, hidden=True, failure_message="Both activations should get the same data, and one optimizer, the one of the text, for the whole run.")
def test_tanh_against_sigmoid(epochs_to, make_task, make_net, loss_of, one_epoch):
    task_seed = int(secret.integers(10, 10_000))
    losses = {act: count_epochs(make_task, make_net, loss_of, one_epoch, act, task_seed, 30) for act in ("tanh", "sigmoid")}
    assert is_count(epochs_to("tanh", task_seed, 30), len(losses["tanh"])) or losses["tanh"][-1] >= 0.1
    for act, curve in losses.items():
        target = min(curve) + 1e-3
        first = next(i for i, value in enumerate(curve, start=1) if value < target)
        assert is_count(epochs_to(act, task_seed, 30, target), first)

# %%
#| equivalent: saturated-logistic-units-under-sgd-p5
#| from: if loss_of(net, X, y) < target:
#| to: if loss_of(net, X, y) <= target:
#| because: a float loss does not hit the target exactly

# %%
#| wrong: saturated-logistic-units-under-sgd-p5
#| because: it counts updates; there are several in one epoch
def epochs_to(act, seed, max_epochs, target=0.1):
    X, y = make_task(seed)
    net, updates = make_net(act, seed), 0
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
    for _ in range(max_epochs):
        one_epoch(net, optimizer, X, y)
        updates += 4
        if loss_of(net, X, y) < target:
            return updates

# %%
#| wrong: saturated-logistic-units-under-sgd-p5
#| because: every activation gets a task of its own, so the comparison is unfair
def epochs_to(act, seed, max_epochs, target=0.1):
    X, y = make_task(seed + 100 * len(act))
    net = make_net(act, seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
    for epoch in range(1, max_epochs + 1):
        one_epoch(net, optimizer, X, y)
        if loss_of(net, X, y) < target:
            return epoch

# %%
#| wrong: saturated-logistic-units-under-sgd-p5
#| because: the momentum is missing
def epochs_to(act, seed, max_epochs, target=0.1):
    X, y = make_task(seed)
    net = make_net(act, seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
    for epoch in range(1, max_epochs + 1):
        one_epoch(net, optimizer, X, y)
        if loss_of(net, X, y) < target:
            return epoch

# %%
#| wrong: saturated-logistic-units-under-sgd-p5
#| because: it makes a new optimizer in every epoch, and the momentum is forgotten each time
def epochs_to(act, seed, max_epochs, target=0.1):
    X, y = make_task(seed)
    net = make_net(act, seed)
    for epoch in range(1, max_epochs + 1):
        one_epoch(net, torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9), X, y)
        if loss_of(net, X, y) < target:
            return epoch

# %%
#| right: saturated-logistic-units-under-sgd-p5
#| because: a while loop does as well
def epochs_to(act, seed, max_epochs, target=0.1):
    (X, y), net, done = make_task(seed), make_net(act, seed), 0
    optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
    while done < max_epochs:
        one_epoch(net, optimizer, X, y)
        done += 1
        with torch.no_grad():
            if loss_of(net, X, y).item() < target:
                return done
    return None

# %% [markdown]
# Run `epochs_to` with both activations for four seeds and 300 epochs at most, and compare the medians. That gap is what a centred output and a steeper slope are worth on 64 points.

# %% [markdown]
# <!--| question: dead-relu-units, level: M, minutes: 23 -->
# ## 6 · Finding the dead
# The ReLU pays for its simplicity. Half of it is perfectly flat, and a unit can slide into that half and never come back. When is a ReLU unit **dead** on a data set?

# %%
#| answer: dead-relu-units-p1
#| kind: choice
#| points: 0.5
#| options: {a: 'when all of its weights are zero',
#|   b: 'when its pre-activation is at most 0 for every sample, so that no gradient reaches its weights',
#|   c: 'when it outputs 1 whatever the input',
#|   d: 'when it overfits'}
#| because: {a: "with a positive bias such a unit is constant, but it still learns", c: "a constant 1 needs a positive pre-activation, and there the slope is 1", d: "overfitting is about a whole model and data it has not seen"}
dead_when = "b"  # SOLUTION

# %% [markdown]
# > **Common myth.** "'Dead' is just another word for saturated, and the ReLU is the cure." They are two illnesses. A saturated unit still learns, only slowly; and the ReLU, far from being the cure of the other one, is how most units catch it.
#
# Write `dead_units(layer, X)` for an `nn.Linear` (the ReLU comes after it) and a data set `X`, one sample per row. Return the indices of the dead units in ascending order, or an empty list.

# %%
#| answer: dead-relu-units-p2
def dead_units(layer, X):
    """Indices of the dead units of an nn.Linear (followed by a ReLU) on the data set X, in ascending order."""
    ### BEGIN SOLUTION
    alive = (layer(X) > 0).any(dim=0)
    return [i for i, lives in enumerate(alive) if not lives]
    ### END SOLUTION

# %%
#| tests: dead-relu-units-p2
@probe
def call_dead_units(dead_units, W, b, X):
    """Call the student's function with an nn.Linear that has these weights."""
    layer = nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(W))
        layer.bias.copy_(torch.from_numpy(b))
    return dead_units(layer, torch.from_numpy(X))


def same_list(got, expected):
    """A flat list or array of these whole numbers, in this order."""
    got = np.asarray(got)
    return got.shape == (len(expected),) and (not expected or got.dtype.kind in "iuf") and [float(i) for i in got] == expected


def finds(dead_units, W, b, X):
    """Is the answer the list of units whose pre-activation is never positive?"""
    expected = [unit for unit in range(len(b)) if max(x @ W[unit] + b[unit] for x in X) <= 0]
    return same_list(call_dead_units(dead_units, W, b, X), expected)


X_SMALL = np.array([[1.0, 2.0], [2.0, 1.0], [0.0, 1.0], [3.0, 0.0]])
W_SMALL = np.array([[1.0, 1.0], [-1.0, 0.5], [-1.0, -1.0], [0.5, -2.0], [0.0, 0.0]])


@test_case(points=1, failure_message="Work the four samples through each unit by hand. What does one positive value mean for a unit, and what a 0?")
def test_by_hand(dead_units):
    assert same_list(call_dead_units(dead_units, W_SMALL, np.array([0.0, 0.0, -0.5, 0.2, 0.0]), X_SMALL), [2, 4])
    assert same_list(call_dead_units(dead_units, W_SMALL, np.array([-100.0, 0.0, -0.5, -100.0, 1.0]), X_SMALL), [0, 2, 3])


@test_case(points=0.5, hidden=True, failure_message="Units that sit exactly at 0 give nothing. And what if all are dead, or none?")
def test_borders(dead_units):
    assert finds(dead_units, W_SMALL, np.full(5, -100.0), X_SMALL)
    assert finds(dead_units, np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([-3.0, 0.0]), X_SMALL)
    assert finds(dead_units, W_SMALL, np.full(5, 100.0), X_SMALL)


@test_case(points=0.5, hidden=True, failure_message="A random layer with biases that differ, and one unit that wakes up for the very last sample only.")
def test_random_layers(dead_units):
    W, X = secret.normal(size=(12, 3)), secret.normal(size=(40, 3))
    highest = np.sort(X @ W.T, axis=0)[-1]
    b = -highest + np.where(np.arange(12) % 3 == 0, -0.01, 0.01)
    assert finds(dead_units, W, b, X)
    assert finds(dead_units, np.array([[1.0], [-1.0]]), np.array([-1.0, -1.0]), np.array([[0.0], [0.5], [2.0]]))

# %%
#| wrong: dead-relu-units-p2
#| because: it calls a unit dead as soon as one sample leaves it silent
#| earns: 0.5
def dead_units(layer, X):
    return torch.nonzero((layer(X) <= 0).any(dim=0)).flatten().tolist()

# %%
#| wrong: dead-relu-units-p2
#| because: it looks at the weights, but whether a unit fires depends on the data and the bias too
#| earns: 0
def dead_units(layer, X):
    return torch.nonzero((layer.weight <= 0).all(dim=1)).flatten().tolist()

# %%
#| wrong: dead-relu-units-p2
#| because: a small mean is not silence; a unit may fire rarely
#| earns: 1.5
def dead_units(layer, X):
    return torch.nonzero(torch.relu(layer(X)).mean(dim=0) < 0.1).flatten().tolist()

# %%
#| wrong: dead-relu-units-p2
#| because: a pre-activation of exactly 0 gives output 0 and slope 0, so it does not keep a unit alive
#| earns: 0.5
def dead_units(layer, X):
    return torch.nonzero((layer(X) < 0).all(dim=0)).flatten().tolist()

# %%
#| right: dead-relu-units-p2
#| because: the largest pre-activation decides
def dead_units(layer, X):
    with torch.no_grad():
        return torch.nonzero(layer(X).max(dim=0).values <= 0).flatten()

# %%
#| right: dead-relu-units-p2
#| because: a loop over units and NumPy find the same
def dead_units(layer, X):
    W, b, X = layer.weight.detach().numpy(), layer.bias.detach().numpy(), X.numpy()
    return np.array([u for u in range(len(b)) if np.maximum(X @ W[u] + b[u], 0).sum() == 0], dtype=int)

# %% [markdown]
# Now kill one on purpose. The network is $\hat y = v^\top \mathrm{act}(W x + b)$ with the loss $\frac1N \sum (\hat y - y)^2$. Write `silenced_gradients(W, b, v, X, y, unit)`, all of them tensors but `unit`, an index: set the bias of that unit to $-100$ (in a copy), compute the gradient
# of the loss with respect to $W$, and return the norm of the **row that belongs to the unit**, first for a ReLU, then for a leaky ReLU with slope 0.01.

# %%
#| answer: dead-relu-units-p3
def silenced_gradients(W, b, v, X, y, unit):
    """Gradient norms of the incoming weights of a unit whose bias is -100: (relu, leaky relu with slope 0.01)."""
    ### BEGIN SOLUTION
    W, b, norms = nn.Parameter(W), b.clone(), []
    b[unit] = -100
    for slope in (0, 0.01):
        prediction = nn.functional.leaky_relu(X @ W.T + b, slope) @ v
        (gradient,) = torch.autograd.grad(((prediction - y) ** 2).mean(), W)
        norms.append(gradient[unit].norm().item())
    return norms
    ### END SOLUTION

# %%
#| tests: dead-relu-units-p3
def row_norms(generator, unit):
    """A random network with its data, and the two norms by hand."""
    W, b, v, X, y = (generator.normal(size=shape) for shape in ((6, 4), 6, 6, (30, 4), 30))
    silenced = np.where(np.arange(6) == unit, -100.0, b)
    norms = []
    for leak in (0.0, 0.01):
        Z = X @ W.T + silenced
        error = np.where(Z > 0, Z, leak * Z) @ v - y
        delta = 2 / 30 * error * v[unit] * np.where(Z[:, unit] > 0, 1.0, leak)
        norms.append(np.linalg.norm(delta @ X))
    return [torch.from_numpy(part) for part in (W, b, v, X, y)], norms


@probe
def leaves_bias_alone(silenced_gradients, arguments):
    """Is the bias after the call what it was before?"""
    before = arguments[1].clone()
    silenced_gradients(*arguments)
    return torch.equal(arguments[1], before)


@test_case(points=0.5, failure_message="Two units and two examples can be done by hand. With a ReLU the answer is exactly 0, with a leak it is small.")
def test_two_units(silenced_gradients):
    W, b, v = torch.tensor([[1.0], [2.0]]), torch.zeros(2), torch.ones(2)
    X, y = torch.tensor([[1.0], [-1.0]]), torch.zeros(2)
    got = np.array([numbers(norm) for norm in silenced_gradients(W, b, v, X, y, 1)])
    assert got.shape == (2,) and got[0] == 0 and np.isclose(got[1], 0.0105, rtol=1e-3)


@test_case(points=1, hidden=True, failure_message="Any unit; the row of W that feeds it; and b should be left alone.")
def test_any_unit(silenced_gradients):
    for unit in (0, 2, 5):
        tensors, expected = row_norms(secret, unit)
        assert leaves_bias_alone(silenced_gradients, [*tensors, unit]) is True
        got = np.array([numbers(norm) for norm in silenced_gradients(*tensors, unit)])
        assert got.shape == (2,) and got[0] == 0 and np.isclose(got[1], expected[1], rtol=1e-4)

# %%
#| wrong: dead-relu-units-p3
#| because: it takes the outgoing weight of the unit; the incoming ones were asked for
def silenced_gradients(W, b, v, X, y, unit):
    v, b, norms = v.clone().requires_grad_(), b.clone(), []
    b[unit] = -100
    for slope in (0, 0.01):
        prediction = nn.functional.leaky_relu(X @ W.T + b, slope) @ v
        norms.append(torch.autograd.grad(((prediction - y) ** 2).mean(), v)[0][unit].norm().item())
    return norms

# %%
#| wrong: dead-relu-units-p3
#| because: the second activation is an ELU, whose slope at -100 is as good as 0
def silenced_gradients(W, b, v, X, y, unit):
    W, b, norms = W.clone().requires_grad_(), b.clone(), []
    b[unit] = -100
    for act in (torch.relu, nn.functional.elu):
        gradient = torch.autograd.grad(((act(X @ W.T + b) @ v - y) ** 2).mean(), W)[0]
        norms.append(gradient[unit].norm().item())
    return norms

# %%
#| wrong: dead-relu-units-p3
#| because: it measures the gradient of the whole matrix, in which the other units live on
def silenced_gradients(W, b, v, X, y, unit):
    W, b, norms = W.clone().requires_grad_(), b.clone(), []
    b[unit] = -100
    for slope in (0, 0.01):
        prediction = nn.functional.leaky_relu(X @ W.T + b, slope) @ v
        norms.append(torch.autograd.grad(((prediction - y) ** 2).mean(), W)[0].norm().item())
    return norms

# %%
#| wrong: dead-relu-units-p3
#| because: it changes the bias vector it was given
#| earns: 0.5
def silenced_gradients(W, b, v, X, y, unit):
    W, norms = W.clone().requires_grad_(), []
    b[unit] = -100
    for slope in (0, 0.01):
        prediction = nn.functional.leaky_relu(X @ W.T + b, slope) @ v
        norms.append(torch.autograd.grad(((prediction - y) ** 2).mean(), W)[0][unit].norm().item())
    return norms

# %%
#| right: dead-relu-units-p3
#| because: a module and its .grad do the same
def silenced_gradients(W, b, v, X, y, unit):
    layer, norms = nn.Linear(W.shape[1], W.shape[0], dtype=W.dtype), []
    layer.weight.data, layer.bias.data = W.clone(), b.clone()
    layer.bias.data[unit] = -100.0
    for act in (nn.ReLU(), nn.LeakyReLU(0.01)):
        layer.zero_grad()
        nn.functional.mse_loss(act(layer(X)) @ v, y).backward()
        norms.append(layer.weight.grad[unit].norm())
    return tuple(norms)

# %% [markdown]
# Which of these help to **prevent** dead units?

# %%
#| answer: dead-relu-units-p4
#| kind: choose-all
#| points: 1
#| options: {a: 'leaky ReLU or ELU in place of ReLU',
#|   b: 'a smaller learning rate',
#|   c: 'Kaiming (He) weights at the start, and no large negative biases',
#|   d: 'normalising the pre-activations',
#|   e: 'a larger learning rate'}
prevention = {"a", "b", "c", "d"}  # SOLUTION

# %% [markdown]
# Last, a census. `train_hidden(lr, run_seed)` trains a small ReLU network with 256 hidden units for 100 steps of SGD, on inputs with mean 1 and random labels, and returns the trained first layer `(W, b)` and the data `X`. (Unit 0 has been pruned: its weights and its bias are 0 and stay so.)
# Write `dead_shares(rates, run_seed)`: for a list of learning rates, a dict that maps each rate to the share of dead hidden units after training with it, judged on all of `X`.

# %%
#| given: dead-relu-units
def train_hidden(lr, run_seed):
    """Train a 10-256-1 ReLU network on random labels; return W, b of the first layer and the inputs X."""
    generator = torch.Generator().manual_seed(run_seed)
    X = torch.randn(128, 10, generator=generator) + 1
    y = (torch.rand(128, generator=generator) < 0.5).float()
    W = torch.randn(256, 10, generator=generator) * (2 / 10) ** 0.5
    b = torch.zeros(256)
    v = torch.randn(256, generator=generator) / 16
    W[0] = v[0] = 0
    weights = [W.requires_grad_(), b.requires_grad_(), v.requires_grad_()]
    for _ in range(100):
        rows = torch.randint(0, 128, (32,), generator=generator)
        logits = torch.relu(X[rows] @ W.T + b) @ v
        gradients = torch.autograd.grad(nn.functional.binary_cross_entropy_with_logits(logits, y[rows]), weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients):
                weight -= lr * gradient
    return W.detach(), b.detach(), X

# %%
#| answer: dead-relu-units-p5
def dead_shares(rates, run_seed):
    """Return {rate: share of hidden units that are dead on all of X after training with that rate}."""
    ### BEGIN SOLUTION
    shares = {}
    for lr in rates:
        W, b, X = train_hidden(lr, run_seed)
        shares[lr] = (X @ W.T + b <= 0).all(dim=0).float().mean().item()
    return shares
    ### END SOLUTION

# %%
#| tests: dead-relu-units-p5
def census(train_hidden, rates, run_seed):
    """Dead shares, counted one unit at a time."""
    shares = {}
    for lr in rates:
        W, b, X = (np.asarray(part) for part in train_hidden(lr, run_seed))
        shares[lr] = sum(not np.any(X @ w + c > 0) for w, c in zip(W, b)) / len(W)
    return shares


def same_shares(got, expected):
    return set(got) == set(expected) and all(np.ndim(got[lr]) == 0 and np.abs(numbers(got[lr]) - share) < 1e-3 for lr, share in expected.items())


@test_case(points=1, failure_message="Expect next to none at 0.01, and many at 5. Do you count units, and on all samples?")
def test_small_and_large(dead_shares):
    got = {lr: float(numbers(share)) for lr, share in dead_shares([0.01, 5.0], 1).items()}
    assert set(got) == {0.01, 5.0} and 0 <= got[0.01] < 0.1 and got[0.01] + 0.2 < got[5.0] <= 1


@test_case(points=1, hidden=True, failure_message="Other learning rates, another seed; pruned units are dead too.")
def test_other_rates(dead_shares, train_hidden):
    run_seed = int(secret.integers(10, 10_000))
    assert same_shares(dead_shares([2.0, 0.05, 6.0], run_seed), census(train_hidden, [2.0, 0.05, 6.0], run_seed))

# %%
#| wrong: dead-relu-units-p5
#| because: it judges each unit by a single sample
def dead_shares(rates, run_seed):
    shares = {}
    for lr in rates:
        W, b, X = train_hidden(lr, run_seed)
        shares[lr] = (X[0] @ W.T + b <= 0).float().mean().item()
    return shares

# %%
#| wrong: dead-relu-units-p5
#| because: it counts zero activations; a unit that is silent for half of the samples is alive
def dead_shares(rates, run_seed):
    shares = {}
    for lr in rates:
        W, b, X = train_hidden(lr, run_seed)
        shares[lr] = (X @ W.T + b <= 0).float().mean().item()
    return shares

# %%
#| wrong: dead-relu-units-p5
#| because: a unit that is exactly 0 for all samples is dead as well
#| earns: 1
def dead_shares(rates, run_seed):
    shares = {}
    for lr in rates:
        W, b, X = train_hidden(lr, run_seed)
        shares[lr] = (X @ W.T + b < 0).all(dim=0).float().mean().item()
    return shares

# %%
#| right: dead-relu-units-p5
#| because: the function from above finds them too
def dead_shares(rates, run_seed):
    def share(lr):
        W, b, X = train_hidden(lr, run_seed)
        layer = nn.Linear(10, len(b))
        layer.load_state_dict({"weight": W, "bias": b})
        return len(dead_units(layer, X)) / len(b)

    return {lr: share(lr) for lr in rates}

# %% [markdown]
# <!--| question: activation-table-smooth, level: M, minutes: 14 -->
# ## 7 · Twelve curves
# Textbooks print activation functions in long tables, and long tables have misprints. So write your own, and let it be checked. Here are twelve functions and their slopes, without their names; see how many you recognise.
#
# ![Twelve numbered panels, each with a function as a full line and its slope as a dashed line: S-shaped curves, bells, waves, a step, straight lines and bends.](twelve-curves.svg)
#
# | name | $f(x)$ | name | $f(x)$ |
# |---|---|---|---|
# | `identity` | $x$ | `arsinh` | $\operatorname{arsinh} x$ |
# | `step` | 1 if $x \ge 0$, else 0 | `softplus` | $\ln(1 + e^x)$ |
# | `sigmoid` | $1 / (1 + e^{-x})$ | `bent_identity` | $(\sqrt{x^2 + 1} - 1) / 2 + x$ |
# | `tanh` | $\tanh x$ | `sine` | $\sin x$ |
# | `softsign` | $x / (1 + \lvert x \rvert)$ | `sinc` | $\sin(x) / x$, and 1 at 0 |
# | `arctan` | $\arctan x$ | `gaussian` | $e^{-x^2}$ |
#
# Write `act(name, x)` and `dact(name, x)` for the values and the derivatives, as `float64` arrays of the shape of `x` (take 0 for the derivative of the step everywhere, and of sinc at 0). They should work for any array, empty ones and single numbers included, stay finite and
# silent up to $|x| = 800$, leave `x` alone, and raise a `ValueError` for a name they do not know.

# %%
#| answer: activation-table-smooth-p1
def act(name, x):
    """Value of the named activation, elementwise."""
    ### BEGIN SOLUTION
    x = np.asarray(x, dtype=float)
    table = {
        "identity": lambda: x,
        "step": lambda: np.heaviside(x, 1),
        "sigmoid": lambda: np.exp(-np.logaddexp(0, -x)),
        "tanh": lambda: np.tanh(x),
        "softsign": lambda: x / (1 + np.abs(x)),
        "arctan": lambda: np.arctan(x),
        "arsinh": lambda: np.arcsinh(x),
        "softplus": lambda: np.logaddexp(0, x),
        "bent_identity": lambda: (np.sqrt(x**2 + 1) - 1) / 2 + x,
        "sine": lambda: np.sin(x),
        "sinc": lambda: np.sinc(x / np.pi),
        "gaussian": lambda: np.exp(-(x**2)),
    }
    if name not in table:
        raise ValueError(f"no activation is called {name!r}")
    return table[name]()
    ### END SOLUTION


def dact(name, x):
    """Derivative of the named activation, elementwise."""
    ### BEGIN SOLUTION
    x = np.asarray(x, dtype=float)
    table = {
        "identity": lambda: np.ones(x.shape),
        "step": lambda: np.zeros(x.shape),
        "sigmoid": lambda: act("sigmoid", x) * act("sigmoid", -x),
        "tanh": lambda: 1 - np.tanh(x) ** 2,
        "softsign": lambda: 1 / (1 + np.abs(x)) ** 2,
        "arctan": lambda: 1 / (1 + x**2),
        "arsinh": lambda: 1 / np.sqrt(x**2 + 1),
        "softplus": lambda: act("sigmoid", x),
        "bent_identity": lambda: x / (2 * np.sqrt(x**2 + 1)) + 1,
        "sine": lambda: np.cos(x),
        "sinc": lambda: np.divide(np.cos(x) - act("sinc", x), x, out=np.zeros(x.shape), where=x != 0),
        "gaussian": lambda: -2 * x * np.exp(-(x**2)),
    }
    if name not in table:
        raise ValueError(f"no activation is called {name!r}")
    return table[name]()
    ### END SOLUTION

# %%
#| tests: activation-table-smooth-p1
TORCH_TABLE = {
    "identity": lambda x: x * 1.0,
    "step": lambda x: (x >= 0) + 0.0 * x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softsign": nn.functional.softsign,
    "arctan": torch.arctan,
    "arsinh": torch.arcsinh,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "bent_identity": lambda x: ((x * x + 1).sqrt() - 1) / 2 + x,
    "sine": torch.sin,
    "sinc": lambda x: torch.sinc(x / torch.pi),
    "gaussian": lambda x: torch.exp(-x * x),
}


def follows_table(act, dact, x, tol=1e-6):
    """Values and slopes of all twelve agree with PyTorch at the points x."""
    for name, f in TORCH_TABLE.items():
        points = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        right = f(points)
        (slope,) = torch.autograd.grad(right.sum(), points)
        value, derivative = numbers(act(name, x)), numbers(dact(name, x))
        if not (value.shape == derivative.shape == np.shape(x)):
            return False
        if not (np.allclose(value, right.detach().numpy(), rtol=tol, atol=tol) and np.allclose(derivative, slope.numpy(), rtol=tol, atol=tol)):
            return False
    return True


@probe
def leaves_alone(act, dact, name, x):
    """Is x after both calls what it was before?"""
    before = x.copy()
    act(name, x), dact(name, x)
    return bool(np.array_equal(x, before))


PRINTED = {
    "identity": [-2, 0, 0.7],
    "step": [0, 1, 1],
    "sigmoid": [0.1192029, 0.5, 0.6681878],
    "tanh": [-0.9640276, 0, 0.6043678],
    "softsign": [-0.6666667, 0, 0.4117647],
    "arctan": [-1.1071487, 0, 0.610726],
    "arsinh": [-1.4436355, 0, 0.6526666],
    "softplus": [0.126928, 0.6931472, 1.103186],
    "bent_identity": [-1.381966, 0, 0.8103278],
    "sine": [-0.9092974, 0, 0.6442177],
    "sinc": [0.4546487, 1, 0.920311],
    "gaussian": [0.0183156, 1, 0.6126264],
}


@test_case(points=0.5, failure_message="Check each function at -2, 0 and 0.7, and each slope there against a central difference of your own act.")
def test_three_points(act, dact):
    x, away = np.array([-2.0, 0.0, 0.7]), np.array([-2.0, 0.7])
    for name, expected in PRINTED.items():
        value, slope = numbers(act(name, x)), numbers(dact(name, away))
        assert value.shape == (3,) and np.allclose(value, expected, rtol=0, atol=1e-6)
        rise = numbers(act(name, away + 1e-4)) - numbers(act(name, away - 1e-4))
        assert slope.shape == (2,) and np.allclose(slope, rise / 2e-4, rtol=0, atol=1e-6)


@test_case(points=0.5, failure_message="At 800 and -800 some exponentials overflow, and one function divides by 0 at 0. Nothing may warn.")
def test_far_out(act, dact):
    x = np.array([-800.0, 0.0, 800.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        values, slopes = ({name: numbers(f(name, x)) for name in PRINTED} for f in (act, dact))
    assert all(y.shape == (3,) and np.isfinite(y).all() for y in [*values.values(), *slopes.values()])
    assert np.allclose(values["sigmoid"], [0, 0.5, 1]) and np.allclose(values["softplus"], [0, 0.6931472, 800])
    assert np.allclose(values["sinc"], [0.0011172, 1, 0.0011172], atol=1e-6) and np.allclose(values["gaussian"], [0, 1, 0])


@test_case(points=0.5, hidden=True, failure_message="Random points, other shapes: compare your slopes with central differences.")
def test_random_points(act, dact):
    x = secret.uniform(0.3, 6, size=(10, 20)) * secret.choice([-1.0, 1.0], size=(10, 20))
    assert all(leaves_alone(act, dact, name, x) is True for name in PRINTED) and follows_table(act, dact, x)


@test_case(points=0.5, hidden=True, failure_message="Empty arrays, single numbers, lists; and a ValueError for a name that is not in the table, in both functions.")
def test_edges(act, dact):
    assert follows_table(act, dact, float(secret.uniform(1, 2))) and follows_table(act, dact, np.zeros((0, 3)))
    assert follows_table(act, dact, np.array([-800.0, 0.0, 800.0]))
    assert follows_table(act, dact, [-3, 0, 1])
    for f in (act, dact):
        for x in ([-3, 0, 1], np.ones(2, dtype=np.float32)):
            assert all(np.asarray(f(name, x)).dtype == np.float64 for name in TORCH_TABLE)
    for f in (act, dact):
        try:
            f("no such function", np.ones(2))
        except ValueError:
            continue
        raise AssertionError("an unknown name was accepted")

# %%
#| wrong: activation-table-smooth-p1
#| because: the softsign has lost its absolute values, so it has a pole at -1
def act(name, x):
    x = np.asarray(x, dtype=float)
    if name == "softsign":
        return x / (1 + x)
    return _table(name, x)


def _table(name, x):
    points = {"sigmoid": lambda: np.exp(-np.logaddexp(0, -x)), "softplus": lambda: np.logaddexp(0, x), "step": lambda: np.heaviside(x, 1), "arsinh": lambda: np.arcsinh(x)}
    points |= {"identity": lambda: x * 1, "sine": lambda: np.sin(x), "sinc": lambda: np.sinc(x / np.pi), "gaussian": lambda: np.exp(-(x**2)), "tanh": lambda: np.tanh(x)}
    points |= {"arctan": lambda: np.arctan(x), "bent_identity": lambda: (np.hypot(x, 1) - 1) / 2 + x}
    if name not in points:
        raise ValueError(name)
    return points[name]()

# %%
#| wrong: activation-table-smooth-p1
#| because: the sigmoid overflows for large negative x and NumPy warns
#| earns: 1.5
def act(name, x, _others=act):
    if name == "sigmoid":
        return 1 / (1 + np.exp(-np.asarray(x, dtype=float)))
    return _others(name, x)

# %%
#| wrong: activation-table-smooth-p1
#| because: sinc divides 0 by 0 at the origin
#| earns: 0.5
def act(name, x, _others=act):
    if name == "sinc":
        with np.errstate(invalid="ignore"):
            return np.sin(x) / np.asarray(x, dtype=float)
    return _others(name, x)

# %%
#| wrong: activation-table-smooth-p1
#| because: the softplus is infinite for large x, because its exponential overflows first
#| earns: 1
def act(name, x, _others=act):
    if name == "softplus":
        with np.errstate(over="ignore"):
            return np.log(1 + np.exp(np.asarray(x, dtype=float)))
    return _others(name, x)

# %%
#| wrong: activation-table-smooth-p1
#| because: an unknown name goes through without an error
#| earns: 1.5
def dact(name, x, _others=dact):
    try:
        return _others(name, x)
    except ValueError:
        return np.zeros(np.shape(x))

# %%
#| right: activation-table-smooth-p1
#| because: PyTorch and its autograd can fill the whole table
def _curve(name, x):
    x = torch.as_tensor(np.asarray(x, dtype=float)).clone().requires_grad_()
    e = lambda z: torch.exp(z)
    curves = {
        "identity": lambda: x + 0, "step": lambda: torch.where(x >= 0, 1.0, 0.0) + 0 * x, "sigmoid": lambda: torch.sigmoid(x), "tanh": lambda: torch.tanh(x),
        "softsign": lambda: x / (1 + x.abs()), "arctan": lambda: torch.atan(x), "arsinh": lambda: torch.asinh(x), "softplus": lambda: nn.functional.softplus(x, threshold=40),
        "bent_identity": lambda: (torch.sqrt(x**2 + 1) - 1) / 2 + x, "sine": lambda: torch.sin(x), "sinc": lambda: torch.sinc(x / np.pi), "gaussian": lambda: e(-x * x),
    }
    if name not in curves:
        raise ValueError("unknown")
    return x, curves[name]()


def act(name, x):
    return _curve(name, x)[1].detach().numpy()


def dact(name, x):
    if name == "softsign":
        return 1 / (1 + np.abs(np.asarray(x, dtype=float))) ** 2
    x, y = _curve(name, x)
    return torch.autograd.grad(y.sum(), x)[0]

# %% [markdown]
# > **Common myth.** "Softsign is $x / (1 + x)$." A widespread table says so; the bars of $\lvert x \rvert$ fell off in print. Without them the function has a pole at $-1$, and no derivative that fits it fits the softsign.
#
# When both functions work, draw your own table of curves and find the number of each name.

# %%
# for name in ("identity", "step", "sigmoid", "tanh", "softsign", "arctan", "arsinh", "softplus", "bent_identity", "sine", "sinc", "gaussian"):
#     grid = np.linspace(-4, 4, 401)
#     plt.plot(grid, act(name, grid), grid, dact(name, grid), "--")
#     plt.title(name)
#     plt.show()

# %% [markdown]
# Which of the twelve are **odd**, that is $f(-x) = -f(x)$ for every $x$? (Being 0 at 0, or taking values of both signs, is not enough.)

# %%
#| answer: activation-table-smooth-p2
#| kind: choose-all
#| points: 0.5
#| options: {a: identity, b: step, c: sigmoid, d: tanh, e: softsign, f: arctan, g: arsinh, h: softplus, i: bent identity, j: sine, k: sinc, l: Gaussian}
odd_ones = {"a", "d", "e", "f", "g", "j"}  # SOLUTION

# %% [markdown]
# And where do they live? True or false, with $x$ running over all real numbers:

# %%
#| answer: activation-table-smooth-p3
#| kind: true-false
#| points: 0.5
#| options: ['The sigmoid comes arbitrarily close to 0 and to 1 but reaches neither.',
#|   'The range of arctan is the open interval from -1 to 1.',
#|   'The Gaussian reaches the upper end of its range, but not the lower one.',
#|   'The bent identity is bounded below.',
#|   'The smallest value of sinc is -1.',
#|   'The softplus is positive everywhere.',
#|   'The step takes exactly two values.']
where_they_live = (True, False, True, False, False, True, True)  # SOLUTION

# %% [markdown]
# Six numbers, to four decimals: $\sigma(0.5),\ \tanh(0.5),\ \sigma'(0.5),\ \tanh'(0.5)$, the largest value of $\sigma'$ and the largest value of $\tanh'$.

# %%
#| answer: activation-table-smooth-p4
#| kind: number
#| points: 0.5
#| tol: 1e-4
#| because: {"(0.622459, 0.462117, 0.235004, 0.537883, 0.25, 1)": "the slope of tanh is one minus the square of tanh",
#|   "(0.5, 0.462117, 0.25, 0.786448, 0.25, 1)": "one half is the sigmoid's value at 0, not at 0.5",
#|   "(0.5, 0.462117, 0.235004, 0.786448, 0.25, 1)": "one half is the sigmoid's value at 0, not at 0.5"}
six_numbers = (1 / (1 + np.exp(-0.5)), np.tanh(0.5), 1 / (2 + np.exp(0.5) + np.exp(-0.5)), 1 - np.tanh(0.5) ** 2, 0.25, 1)  # SOLUTION

# %% [markdown]
# Finally the family secret. Find the three constants for which $\tanh(x) = A\,\sigma(B x) + C$ holds for every $x$, and give `(A, B, C)`.

# %%
#| answer: activation-table-smooth-p5
#| kind: number
#| points: 0.5
#| tol: 1e-6
#| because: {"(2, 1, -1)": "that has the right ends, but at 0 it is only half as steep as tanh",
#|   "(1, 2, -1)": "that runs from -1 to 0; tanh runs from -1 to 1"}
tanh_constants = (2, 2, -1)  # SOLUTION

# %% [markdown]
# <!--| hint: activation-table-smooth-p5 -->
# Three conditions are enough: the limits for $x \to \pm\infty$, and the slope at 0.

# %% [markdown]
# <!--| question: activation-table-relu-family, level: M, minutes: 16 -->
# ## 8 · The ReLU's relatives
# The flat half of the ReLU has provoked a whole family of repairs. Some keep straight pieces, some bend.
#
# ![Left: ReLU, PReLU and an S-shaped ReLU, made of straight pieces with their slopes written on them. Right: ELU and SELU, straight on the right side and levelling off to a floor on the left.](relu-family.svg)
#
# First the straight ones. `straight(name, x, *params)` returns value and slope, two arrays of the shape of `x` (an array, or a list):
#
# - `"prelu"`, parameter `alpha`: $x$ for $x > 0$, else $\alpha x$. `alpha` is a number, or an array with one entry per channel; channels are axis 1 of `x`, as in $(N, C)$ or $(N, C, H, W)$.
# - `"brelu"`, bipolar ReLU, no parameter: channels 0, 2, 4, … use $\mathrm{relu}(x)$, channels 1, 3, 5, … use $-\mathrm{relu}(-x)$. Channels are axis 1 again.
# - `"srelu"`, S-shaped ReLU, parameters $t_l, a_l, t_r, a_r$ with $t_l < t_r$: slope 1 between the thresholds, where it equals $x$; slope $a_l$ from $t_l$ downwards and $a_r$ from $t_r$ upwards, without a jump.
# - `"apl"`, adaptive piecewise linear, parameters `a`, `b` (lists of equal length): $\max(0, x) + \sum_s a_s \max(0, b_s - x)$.
#
# At a kink: PReLU uses $\alpha$ at 0; a ReLU or any other $\max(0, \cdot)$ has slope 0 where its argument is 0; SReLU uses $a_l$ at $t_l$ and $a_r$ at $t_r$.

# %%
#| answer: activation-table-relu-family-p1
def straight(name, x, *params):
    """Return (value, slope) of prelu, brelu, srelu or apl, elementwise."""
    ### BEGIN SOLUTION
    x = np.asarray(x)

    def per_channel(p):
        return np.reshape(p, np.shape(p) + (1,) * (x.ndim - 2))

    if name == "prelu":
        slope = np.where(x > 0, 1, per_channel(params[0]))
        return slope * x, slope
    if name == "brelu":
        odd = per_channel(np.arange(x.shape[1]) % 2)
        slope = (np.where(odd, -x, x) > 0).astype(float)
        return slope * x, slope
    if name == "srelu":
        t_l, a_l, t_r, a_r = params
        middle = x.clip(t_l, t_r)
        slope = np.where(x >= t_r, a_r, np.where(x <= t_l, a_l, 1))
        return middle + slope * (x - middle), slope
    value, slope = x.clip(min=0), (x > 0).astype(float)
    for a, b in zip(*params):
        value = value + a * (b - x).clip(min=0)
        slope = slope - a * (b > x)
    return value, slope
    ### END SOLUTION

# %%
#| helpers
def same_pair(got, value, slope):
    """Two arrays, of the right shape and close to value and slope."""
    got = [numbers(part) for part in got]
    expected = [np.asarray(value, dtype=float), np.asarray(slope, dtype=float)]
    return len(got) == 2 and all(g.shape == e.shape and np.allclose(g, e, rtol=1e-5, atol=1e-6) for g, e in zip(got, expected))

# %%
#| tests: activation-table-relu-family-p1
@test_case(points=0.5, failure_message="Go through one row by hand, kinks included.")
def test_small_cases(straight):
    x = np.array([[-2.0, -2.0, 0.0], [0.0, 3.0, 3.0], [-1.0, 0.0, -1.0]])
    assert same_pair(straight("prelu", x, 0.25), [[-0.5, -0.5, 0], [0, 3, 3], [-0.25, 0, -0.25]], [[0.25, 0.25, 0.25], [0.25, 1, 1], [0.25, 0.25, 0.25]])
    assert same_pair(straight("brelu", x), [[0, -2, 0], [0, 0, 3], [0, 0, 0]], [[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    line = np.array([-3.0, -1.0, 0.5, 2.0, 4.0])
    assert same_pair(straight("srelu", line, -1.0, 0.1, 2.0, 0.5), [-1.2, -1, 0.5, 2, 3], [0.1, 0.1, 1, 0.5, 0.5])
    assert same_pair(straight("apl", [-2.0, 0.0, 1.0, 2.0], [0.5, -1.0], [0.0, 1.0]), [-2, -1, 1, 2], [0.5, 1, 1, 1])


@test_case(points=0.5, hidden=True, failure_message="Images with several channels, a slope per channel, more terms: does each channel get its own rule?")
def test_channels_and_many_terms(straight):
    for shape in ((4, 5), (2, 5, 3, 2), (5, 4, 6)):
        x = secret.normal(size=shape)
        alpha = secret.uniform(-1, 2, size=shape[1])
        value, slope = np.empty(shape), np.empty(shape)
        odd_value, odd_slope = np.empty(shape), np.empty(shape)
        for c in range(shape[1]):
            z, sign = x[:, c], -1 if c % 2 else 1
            value[:, c], slope[:, c] = np.where(z > 0, z, alpha[c] * z), np.where(z > 0, 1.0, alpha[c])
            odd_value[:, c], odd_slope[:, c] = sign * np.maximum(0, sign * z), (sign * z > 0) * 1.0
        assert same_pair(straight("prelu", x, alpha), value, slope) and same_pair(straight("brelu", x), odd_value, odd_slope)
    x = secret.normal(scale=3, size=(6, 7))
    t_l, t_r, a_l, a_r = -secret.uniform(1, 2), secret.uniform(0.5, 1), secret.uniform(0.1, 0.4), secret.uniform(1.5, 2)
    value = np.where(x > t_r, t_r + a_r * (x - t_r), np.where(x < t_l, t_l + a_l * (x - t_l), x))
    assert same_pair(straight("srelu", x, t_l, a_l, t_r, a_r), value, np.where(x > t_r, a_r, np.where(x < t_l, a_l, 1.0)))
    a, b = secret.normal(size=4), secret.normal(size=4)
    value = np.maximum(x, 0) + sum(u * np.maximum(0, w - x) for u, w in zip(a, b))
    slope = (x > 0) * 1.0 - sum(u * (x < w) for u, w in zip(a, b))
    assert same_pair(straight("apl", x, a.tolist(), b.tolist()), value, slope)

# %%
#| wrong: activation-table-relu-family-p1
#| because: it alternates along the batch instead of along the channels
def straight(name, x, *params, _others=straight):
    x = np.asarray(x, dtype=float)
    if name == "brelu":
        sign = np.resize([1.0, -1.0], len(x)).reshape((-1,) + (1,) * (x.ndim - 1))
        slope = (sign * x > 0) * 1.0
        return slope * x, slope
    return _others(name, x, *params)

# %%
#| wrong: activation-table-relu-family-p1
#| because: the slope of each extra term has the wrong sign: max(0, b - x) falls as x grows
def straight(name, x, *params, _others=straight):
    value, slope = _others(name, x, *params)
    if name == "apl":
        for a, b in zip(*params):
            slope = slope + 2 * a * (b > np.asarray(x))
    return value, slope

# %%
#| wrong: activation-table-relu-family-p1
#| because: beyond its thresholds it multiplies x itself by the slope, so the curve jumps there
def straight(name, x, *params, _others=straight):
    value, slope = _others(name, x, *params)
    return (slope * np.asarray(x), slope) if name == "srelu" else (value, slope)

# %%
#| wrong: activation-table-relu-family-p1
#| because: one slope per channel ends up along the last axis of an image
#| earns: 0.5
def straight(name, x, *params, _others=straight):
    x = np.asarray(x, dtype=float)
    if name == "prelu":
        slope = np.where(x > 0, 1.0, np.resize(params[0], x.shape[-1]))
        return slope * x, slope
    return _others(name, x, *params)

# %%
#| right: activation-table-relu-family-p1
#| because: with channels moved to the end, broadcasting needs no reshaping
def straight(name, x, *params):
    x = np.array(x, dtype=float)
    if name in ("prelu", "brelu"):
        z = np.moveaxis(x, 1, -1)
        if name == "prelu":
            d = np.where(z > 0, 1.0, params[0])
        else:
            odd = np.arange(z.shape[-1]) % 2 == 1
            d = np.where(odd, z < 0, z > 0).astype(float)
        return np.moveaxis(z * d, -1, 1), np.moveaxis(d, -1, 1)
    if name == "srelu":
        low, a_low, high, a_high = params
        y, d = x.copy(), np.ones(x.shape)
        y[x >= high], d[x >= high] = (high + a_high * (x - high))[x >= high], a_high
        y[x <= low], d[x <= low] = (low + a_low * (x - low))[x <= low], a_low
        return y, d
    a, b = (np.asarray(p, dtype=float) for p in params)
    gap = b - x[..., None]
    return np.maximum(x, 0) + np.maximum(gap, 0) @ a, (x > 0) - (gap > 0) @ a

# %% [markdown]
# <!--| hint: activation-table-relu-family-p1 -->
# One number per channel meets an array of shape $(N, C, H, W)$: which shape must the numbers have so that broadcasting lines them up with axis 1? For the S-shape: clip first, then add what lies beyond the threshold.

# %% [markdown]
# Then the curved ones. `curved(name, x, alpha=1.0)` returns value and slope, for an array or a list, of
#
# - `"elu"`: $x$ for $x > 0$, else $\alpha\,(e^x - 1)$;
# - `"selu"`: $\lambda$ times an ELU, with the constants $\lambda = 1.0507$ and $\alpha = 1.67326$ (the argument `alpha` is ignored).
#
# At 0 take the left slope. For $x = \pm 1000$ nothing may warn: think about what `np.where` computes before it chooses.

# %%
#| answer: activation-table-relu-family-p2
def curved(name, x, alpha=1.0):
    """Return (value, slope) of elu or selu, elementwise."""
    ### BEGIN SOLUTION
    x = np.asarray(x)
    scale, alpha = (1.0507, 1.67326) if name == "selu" else (1, alpha)
    low = x.clip(max=0)
    return scale * (x.clip(min=0) + alpha * np.expm1(low)), scale * np.where(x > 0, 1, alpha * np.exp(low))
    ### END SOLUTION

# %%
#| tests: activation-table-relu-family-p2
@test_case(points=0.5, failure_message="Check -1, 0 and 2 by hand, then try -1000 and 1000 with warnings turned into errors.")
def test_by_hand(curved):
    x = np.array([-1000.0, -1.0, 0.0, 2.0, 1000.0])
    with np.errstate(over="raise", invalid="raise"):
        elu, selu = curved("elu", x.tolist()), curved("selu", x)
    assert same_pair(elu, [-1, -0.63212056, 0, 2, 1000], [0, 0.36787944, 1, 1, 1])
    assert same_pair(selu, [-1.75809428, -1.11132754, 0, 2.1014, 1050.7], [0, 0.64676674, 1.75809428, 1.0507, 1.0507])


@test_case(points=0.5, hidden=True, failure_message="Any alpha for the ELU; the SELU ignores it. Compare with torch's functions and their gradients.")
def test_against_torch(curved):
    for shape in ((7,), (3, 4), ()):
        x, alpha = np.asarray(secret.normal(scale=2, size=shape)), secret.uniform(0.2, 3)
        for name, f in (("elu", lambda z: nn.functional.elu(z, alpha)), ("selu", nn.functional.selu)):
            z = torch.tensor(x, requires_grad=True)
            y = f(z)
            assert same_pair(curved(name, x, alpha), y.detach().numpy(), torch.autograd.grad(y.sum(), z)[0].numpy())

# %%
#| wrong: activation-table-relu-family-p2
#| because: np.where computes both branches, so the exponential of 1000 overflows and warns
#| earns: 0.5
def curved(name, x, alpha=1.0):
    x = np.asarray(x, dtype=float)
    scale, alpha = (1.0507, 1.67326) if name == "selu" else (1.0, alpha)
    return scale * np.where(x > 0, x, alpha * (np.exp(x) - 1)), scale * np.where(x > 0, 1.0, alpha * np.exp(x))

# %%
#| wrong: activation-table-relu-family-p2
#| because: the factor lambda is missing on the positive side
def curved(name, x, alpha=1.0):
    x = np.asarray(x, dtype=float)
    alpha = 1.0507 * 1.67326 if name == "selu" else alpha
    low = np.minimum(x, 0)
    return np.maximum(x, 0) + alpha * np.expm1(low), np.where(x > 0, 1.0, alpha * np.exp(low))

# %%
#| wrong: activation-table-relu-family-p2
#| because: alpha is forgotten in the slope
def curved(name, x, alpha=1.0):
    x = np.asarray(x, dtype=float)
    scale, alpha = (1.0507, 1.67326) if name == "selu" else (1.0, alpha)
    low = np.minimum(x, 0)
    return scale * (np.maximum(x, 0) + alpha * np.expm1(low)), scale * np.exp(low)

# %%
#| right: activation-table-relu-family-p2
#| because: PyTorch has both, and on the left the slope is the value plus the height of the floor
def curved(name, x, alpha=1.0):
    z = torch.tensor(np.asarray(x, dtype=float))
    y = nn.functional.selu(z) if name == "selu" else nn.functional.elu(z, alpha)
    scale, alpha = (1.0507009873554805, 1.6732632423543772) if name == "selu" else (1.0, alpha)
    return y, torch.where(z > 0, scale, y + scale * alpha)

# %%
#| right: activation-table-relu-family-p2
#| because: a loop with two cases cannot overflow
def curved(name, x, alpha=1.0):
    lam, alpha = (1.0507, 1.67326) if name == "selu" else (1.0, alpha)
    x = np.asarray(x, dtype=float)
    y = [lam * v if v > 0 else lam * alpha * (np.exp(v) - 1) for v in x.ravel()]
    d = [lam if v > 0 else lam * alpha * np.exp(v) for v in x.ravel()]
    return np.array(y).reshape(x.shape), np.array(d).reshape(x.shape)

# %% [markdown]
# A PReLU learns its $\alpha$. For $x = (-2, -0.5, 0, 3)$ and one shared $\alpha$, what is the derivative of the **sum** of the four outputs with respect to $\alpha$?

# %%
#| answer: activation-table-relu-family-p3
#| kind: number
#| points: 0.5
#| because: {3: "the positive entry does not contain alpha", -0.625: "that is the derivative of the mean; the sum was asked for", 2.5: "the size is right; look at the sign of the inputs"}
prelu_alpha = -2.5  # SOLUTION

# %% [markdown]
# The *randomised* leaky ReLU, `nn.RReLU()` in PyTorch, has two bounds, $1/8$ and $1/3$ by default. What happens to its negative slope?

# %%
#| answer: activation-table-relu-family-p4
#| kind: choice
#| points: 0.5
#| options: {a: 'It is learned between the bounds during training and kept for evaluation.',
#|   b: 'It is drawn uniformly between the bounds during training; evaluation uses the mean of the bounds, about 0.229.',
#|   c: 'It is drawn uniformly between the bounds in training and in evaluation.',
#|   d: 'It is drawn uniformly between the bounds during training; evaluation uses the lower bound, 0.125.'}
#| because: {a: "that would be a PReLU; here nothing is learned", c: "then the same input could give two different predictions", d: "evaluation should use a typical slope, not the smallest"}
rrelu_slope = "b"  # SOLUTION

# %% [markdown]
# A function is $C^0$ at a point if it is continuous there, and $C^1$ if its derivative exists and is continuous too. How smooth are, at 0 and in this order, ReLU, ELU with $\alpha = 1$, ELU with $\alpha = 0.5$, and SELU? Take the highest order that holds.

# %%
#| answer: activation-table-relu-family-p5
#| kind: choice
#| points: 0.5
#| options: {a: 'C⁰, C⁰, C⁰, C⁰', b: 'C⁰, C¹, C⁰, C⁰', c: 'C⁰, C¹, C¹, C¹', d: 'C⁰, C¹, C⁰, C¹'}
#| because: {a: "for one of them the two slopes at 0 agree", c: "compare the slopes on both sides of 0: alpha matters", d: "put SELU's constants into its two slopes at 0"}
smoothness = "b"  # SOLUTION

# %% [markdown]
# How many trainable parameters do `nn.RReLU()` and `nn.PReLU(16)` have? A pair of numbers.

# %%
#| answer: activation-table-relu-family-p6
#| kind: number
#| points: 0.5
#| because: {"(1, 16)": "is a number that is drawn at random trainable?", "(2, 16)": "the two bounds are settings that you choose; training does not touch them", "(0, 1)": "16 stands for the number of channels, each with a slope of its own"}
parameter_counts = (sum(p.numel() for p in nn.RReLU().parameters()), sum(p.numel() for p in nn.PReLU(16).parameters()))  # SOLUTION

# %% [markdown]
# <!--| question: softmax-jacobian-and-maxout, level: M, minutes: 18 -->
# ## 9 · Activations of many numbers
# So far every output depended on one input. Two activations look at a whole vector: **softmax**, $p_i = e^{z_i} / \sum_j e^{z_j}$, and the **maximum**. For the softmax every output depends on every input, and its Jacobian $J_{ij} = \partial p_i / \partial z_j$ is a full matrix.
#
# > **Common myth.** "Softmax is used because its outputs lie between 0 and 1." So do a sigmoid's. Ask what else is true of the outputs when you take them *together*.
#
# Give the $3 \times 3$ Jacobian at $z = (2, 1, 0.1)$ to four decimals, as a nested list or an array.

# %%
#| answer: softmax-jacobian-and-maxout-p1
#| kind: number
#| points: 1
#| tol: 1e-4
#| because: {"[[0.2247186, 0, 0], [0, 0.1836592, 0], [0, 0, 0.0888507]]": "raising one logit lowers the other probabilities too: the entries off the diagonal are missing",
#|   "[[0.2247186, 0.1597636, 0.0649550], [0.1597636, 0.1836592, 0.0238956], [0.0649550, 0.0238956, 0.0888507]]": "raising one logit lowers the other probabilities: look at the signs off the diagonal"}
softmax_jacobian = (lambda p: np.diag(p) - np.outer(p, p))(np.exp([2, 1, 0.1]) / np.exp([2, 1, 0.1]).sum())  # SOLUTION

# %% [markdown]
# What do the entries of each row of that matrix add up to, and which rank has the matrix? A pair of numbers.

# %%
#| answer: softmax-jacobian-and-maxout-p2
#| kind: number
#| points: 0.5
#| tol: 1e-6
#| because: {"(0, 3)": "a matrix whose rows all add up to the same 0 sends (1, 1, 1) to zero", "(1, 2)": "the probabilities add up to 1; their changes do not"}
row_sum_and_rank = (0, 2)  # SOLUTION

# %% [markdown]
# Write `softmax(z, axis=-1)`, safe for logits up to $\pm 10^4$, and `softmax_vjp(p, g, axis=-1)`: from the probabilities `p` and a gradient `g` of the same shape, the product $g^\top J$ along that axis, without building any matrix.

# %%
#| answer: softmax-jacobian-and-maxout-p3
def softmax(z, axis=-1):
    """Softmax along one axis of an array."""
    ### BEGIN SOLUTION
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)
    ### END SOLUTION


def softmax_vjp(p, g, axis=-1):
    """Gradient with respect to the logits, given probabilities p and the gradient g with respect to them."""
    ### BEGIN SOLUTION
    return p * (g - np.sum(p * g, axis=axis, keepdims=True))
    ### END SOLUTION

# %%
#| tests: softmax-jacobian-and-maxout-p3
@test_case(points=0.5, failure_message="Large logits, and both axes: what must be subtracted, and along which axis?")
def test_softmax(softmax):
    z = np.array([[1e4, 1e4, 0.0], [-1e4, 0.0, -1e4]])
    with np.errstate(over="raise", invalid="raise"):
        rows, columns = numbers(softmax(z)), numbers(softmax(z, axis=0))
    assert rows.shape == z.shape and np.allclose(rows, [[0.5, 0.5, 0], [0, 1, 0]])
    assert columns.shape == z.shape and np.allclose(columns, [[1, 1, 1], [0, 0, 0]])


@test_case(points=0.5, hidden=True, failure_message="Compare the product with one that uses the whole matrix, row by row.")
def test_product_with_matrix(softmax, softmax_vjp):
    z, g = secret.normal(size=(4, 5)), secret.normal(size=(4, 5))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    got, product = numbers(softmax(z)), numbers(softmax_vjp(p, g))
    assert got.shape == product.shape == p.shape and np.allclose(got, p)
    assert np.allclose(product, [row_g @ (np.diag(row) - np.outer(row, row)) for row, row_g in zip(p, g)])


@test_case(points=0.5, hidden=True, failure_message="Any axis of an array with three axes; without an axis, the last one.")
def test_every_axis(softmax, softmax_vjp):
    for axis in (0, 1, 2, -1):
        z, g = torch.tensor(secret.normal(size=(2, 3, 4)), requires_grad=True), torch.tensor(secret.normal(size=(2, 3, 4)))
        p = torch.softmax(z, dim=axis)
        (expected,) = torch.autograd.grad(p, z, g)
        p = p.detach().numpy()
        got, product = numbers(softmax(z.detach().numpy(), axis=axis)), numbers(softmax_vjp(p, g.numpy(), axis=axis))
        assert got.shape == product.shape == p.shape and np.allclose(got, p) and np.allclose(product, expected.numpy())
    assert np.array_equal(numbers(softmax(z.detach().numpy())), got) and np.array_equal(numbers(softmax_vjp(p, g.numpy())), product)

# %%
#| wrong: softmax-jacobian-and-maxout-p3
#| because: it uses only the diagonal, as if every probability depended on its own logit alone
#| earns: 0.5
def softmax_vjp(p, g, axis=-1):
    return p * (1 - p) * g

# %%
#| wrong: softmax-jacobian-and-maxout-p3
#| because: nothing is subtracted, so large logits overflow
#| earns: 1
def softmax(z, axis=-1):
    e = np.exp(z)
    return e / np.sum(e, axis=axis, keepdims=True)

# %%
#| wrong: softmax-jacobian-and-maxout-p3
#| because: it subtracts the largest logit of the whole array, so that small rows vanish
#| earns: 1
def softmax(z, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(z - np.max(z))
        return e / np.sum(e, axis=axis, keepdims=True)

# %%
#| wrong: softmax-jacobian-and-maxout-p3
#| because: it always works along the last axis
#| earns: 0.5
def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

# %%
#| right: softmax-jacobian-and-maxout-p3
#| because: PyTorch does both
def softmax(z, axis=-1):
    return torch.softmax(torch.tensor(z), dim=axis)


def softmax_vjp(p, g, axis=-1):
    z = torch.tensor(p).log().requires_grad_()
    return torch.autograd.grad(torch.softmax(z, dim=axis), z, torch.tensor(g))[0].numpy()

# %%
#| right: softmax-jacobian-and-maxout-p3
#| because: a logarithm of a sum in between, and one slice at a time for the product
def softmax(z, axis=-1):
    z = np.moveaxis(np.asarray(z, dtype=float), axis, 0)
    return np.moveaxis(np.exp(z - np.logaddexp.reduce(z, axis=0)), 0, axis)


def softmax_vjp(p, g, axis=-1):
    p, g = np.moveaxis(p, axis, 0), np.moveaxis(g, axis, 0)
    mean = sum(p[i] * g[i] for i in range(len(p)))
    return np.moveaxis(np.stack([p[i] * (g[i] - mean) for i in range(len(p))]), 0, axis)

# %% [markdown]
# <!--| hint: softmax-jacobian-and-maxout-p3 -->
# Write out $\sum_i g_i\, \partial p_i / \partial z_j$ with $J_{ij} = p_i (\delta_{ij} - p_j)$. One of the two sums has a single term; the other is the same number for every $j$.

# %% [markdown]
# **Maxout** keeps the largest of each group of $k$ neighbouring channels: with $k = 2$, channels 0 and 1 compete, then 2 and 3, and so on. Write `maxout(x, k)` for `x` of shape $(N, C)$ with $C$ divisible by $k$, which returns shape $(N, C/k)$, and `maxout_backward(g, x, k)`: the gradient `g` of the output
# goes back to the winner of each group, the others get 0. In a tie the first one wins.

# %%
#| answer: softmax-jacobian-and-maxout-p4
def maxout(x, k):
    """Largest of each group of k neighbouring channels: (N, C) -> (N, C / k)."""
    ### BEGIN SOLUTION
    return x.reshape(len(x), x.shape[1] // k, k).max(axis=2)
    ### END SOLUTION


def maxout_backward(g, x, k):
    """Gradient with respect to x, shape (N, C), given the gradient g of shape (N, C / k)."""
    ### BEGIN SOLUTION
    winner = x.reshape(*g.shape, k).argmax(axis=2)
    return (np.eye(k)[winner] * g[..., None]).reshape(x.shape)
    ### END SOLUTION

# %%
#| tests: softmax-jacobian-and-maxout-p4
@test_case(points=0.5, failure_message="Neighbours compete: channels 0 to k-1, then k to 2k-1, …")
def test_forward(maxout):
    x = np.array([[1.0, 5.0, 2.0, -3.0, -1.0, -2.0], [0.0, -1.0, 7.0, 4.0, 8.0, 9.0]])
    for k, expected in ((2, [[5, 2, -1], [0, 7, 9]]), (3, [[5, -1], [7, 9]])):
        y = numbers(maxout(x, k))
        assert y.shape == (2, 6 // k) and np.array_equal(y, expected)


@test_case(points=0.5, hidden=True, failure_message="Each gradient goes to one winner; in a tie that is the first.")
def test_backward(maxout, maxout_backward):
    x, g = secret.normal(size=(5, 12)), secret.normal(size=(5, 4))
    x[0, 3:6], x[1, 1] = 2.0, x[1].max() + 1
    x[1, 2] = x[1, 1]
    expected = np.zeros((5, 12))
    for n, j in np.ndindex(5, 4):
        expected[n, max(range(3 * j, 3 * j + 3), key=lambda c: (x[n, c], -c))] = g[n, j]
    got, y = numbers(maxout_backward(g, x, 3)), numbers(maxout(x, 3))
    assert got.shape == (5, 12) and np.allclose(got, expected)
    assert y.shape == (5, 4) and np.array_equal(y, [[max(row[3 * j : 3 * j + 3]) for j in range(4)] for row in x])

# %%
#| wrong: softmax-jacobian-and-maxout-p4
#| because: it spreads the gradient evenly, as an average would
#| earns: 0.5
def maxout_backward(g, x, k):
    return np.repeat(g, k, axis=1) / k

# %%
#| wrong: softmax-jacobian-and-maxout-p4
#| because: in a tie every winner gets the whole gradient
#| earns: 0.5
def maxout_backward(g, x, k):
    return np.where(x == np.repeat(maxout(x, k), k, axis=1), np.repeat(g, k, axis=1), 0.0)

# %%
#| wrong: softmax-jacobian-and-maxout-p4
#| because: the groups are made of every k-th channel instead of neighbours
#| earns: 0
def maxout(x, k):
    return x.reshape(len(x), k, -1).max(axis=1)

# %%
#| right: softmax-jacobian-and-maxout-p4
#| because: loops over groups are fine
def maxout(x, k):
    return [[max(row[j : j + k]) for j in range(0, len(row), k)] for row in x.tolist()]


def maxout_backward(g, x, k):
    dx = np.zeros(x.shape)
    for n in range(x.shape[0]):
        for j in range(x.shape[1] // k):
            dx[n, j * k + int(np.argmax(x[n, j * k : j * k + k]))] = g[n, j]
    return dx

# %% [markdown]
# <!--| hint: softmax-jacobian-and-maxout-p4 -->
# `x.reshape(N, C // k, k)` puts each group on an axis of its own. `np.argmax` already prefers the first of several equal maxima.

# %% [markdown]
# True or false? Answer with a tuple of four.

# %%
#| answer: softmax-jacobian-and-maxout-p5
#| kind: true-false
#| points: 1
#| options: ['The outputs of a softmax add up to 1; those of independent sigmoids need not.',
#|   'The softmax of (1, 2) equals the softmax of (101, 102).',
#|   'Doubling all logits leaves the probabilities as they are.',
#|   'With two classes, the first softmax output is the sigmoid of the first logit minus the second.']
about_softmax = (True, True, False, True)  # SOLUTION

# %% [markdown]
# ## Further afield
# The core ends here. If you liked it, the questions below go on: they count as a bonus, none of them is needed later, and you can take them in any order.

# %% [markdown]
# ### You can now
# say why depth without bends is no depth, write some twenty activation functions with slopes that survive $\pm 1000$, measure which layers hear from the loss, and find the units that have died.
#
# Something to chew on: your `gradient_norms` blamed the sigmoid's gentle slopes. Could you rescue a deep sigmoid network with *larger* weights, and what would that do to the saturation of section 5?
