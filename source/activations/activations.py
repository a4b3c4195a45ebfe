# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Activation functions
#     minutes: 176
#     prerequisites: [perceptrons]
#     limits: {case_s: 5, cell_s: 10}
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
#
# *How to answer.* As before: numbers as they are, several in a tuple; a letter in quotes (`"b"`), several letters as a set (`{"a", "c"}`); verdicts as a tuple (`(True, False)`).

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
# W_2 = \begin{pmatrix} 2 & 0 \\ 1 & 1 \end{pmatrix},\ b_2 = \begin{pmatrix} 0 \\ -2 \end{pmatrix},$$
# $$W_3 = \begin{pmatrix} 1 & -1 \end{pmatrix},\ b_3 = 0.5$$
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


@test_case(points=0.5, failure_message="What is `layer.bias` of a layer made with bias=False? And is the new layer of the old ones' precision?")
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
# And one about depth. A gradient that crosses ten sigmoid layers is multiplied by ten sigmoid slopes. How large can the **product of these ten slopes** be at best? (Two significant digits will do.)

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
    """Norms of the gradients of mean(output ** 2), one number per weight matrix, first layer
    first.
    """
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
# <!--| question: dead-relu-units, level: M, minutes: 23, covers: [dying-relu-experiment] -->
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
    """Indices of the dead units of an nn.Linear (followed by a ReLU) on the data set X, in
    ascending order.
    """
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


@test_case(points=1, failure_message="Work the four samples through each unit by hand. What does one positive value mean for a unit, and what a 0? The answer is a list also where one unit is dead.")
def test_by_hand(dead_units):
    assert same_list(call_dead_units(dead_units, W_SMALL, np.array([0.0, 0.0, -0.5, 0.2, 0.0]), X_SMALL), [2, 4])
    assert same_list(call_dead_units(dead_units, W_SMALL, np.array([-100.0, 0.0, -0.5, -100.0, 1.0]), X_SMALL), [0, 2, 3])
    assert same_list(call_dead_units(dead_units, W_SMALL, np.array([0.0, 0.0, -0.5, 0.2, 1.0]), X_SMALL), [2])


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
    """Gradient norms of the incoming weights of a unit whose bias is -100: (relu, leaky relu with
    slope 0.01).
    """
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
    """Train a 10-256-1 ReLU network on random labels; return W, b of the first layer and the
    inputs X.
    """
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
    """Return {rate: share of hidden units that are dead on all of X after training with that
    rate}.
    """
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
# Finally the family secret. Find the three constants, with $B > 0$, for which $\tanh(x) = A\,\sigma(B x) + C$ holds for every $x$, and give `(A, B, C)`.

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
    """Gradient with respect to the logits, given probabilities p and the gradient g with respect
    to them.
    """
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
# <!--| question: consecutive-linear-layers, level: M, minutes: 5, optional: true -->
# ## Extra · Two linear layers on purpose
# Two linear layers in a row collapse into one, so stacking them looks like waste. Sometimes it is done deliberately. A big matrix $W$ that is *nearly* of rank $r$ can be
# stored as a product $AB$ with an inner width of only $r$: that is how LoRA fine-tunes large models cheaply.
#
# A bias-free layer maps 1000 inputs to 1000 outputs. How many weights does it have, and how many does its factorisation of rank 16 have (1000 → 16 → 1000)? Answer as a pair.

# %%
#| answer: consecutive-linear-layers-p1
#| kind: number
#| points: 0.5
#| because: {"[1000000, 16000]": "that counts only one of the two factors", "[1000000, 1000000]": "the product has that many entries, but the product is never stored",
#|   "[1001000, 33016]": "these layers have no biases"}
factorised_weights = (1000 * 1000, 1000 * 16 + 16 * 1000)  # SOLUTION

# %% [markdown]
# The functions are the same, but the *training* is not. Take the smallest example: fit the number 1, once with a single weight, $\tfrac12 (w-1)^2$ from $w=0.01$, and once with a
# product, $\tfrac12 (w_1 w_2-1)^2$ from $w_1=w_2=0.1$. Both start at the output 0.01.
#
# Take 40 steps of gradient descent with step size 0.1 (both factors move at once, each with the gradient at the old pair).
# Which outputs do you reach? Answer as the pair ($w_1 w_2$, $w$), to three decimals.

# %%
#| answer: consecutive-linear-layers-p2
#| kind: number
#| points: 0.5
#| tol: 5e-4
#| because: {"[0.98537, 0.98537]": "the function class is the same, the path is not", "[0.97303, 0.98537]": "the second factor was updated with the first one already moved",
#|   "[0.98537, 0.97168]": "these are the right numbers in the wrong order"}
outputs_after_40_steps = ((lambda u: [u := u - 0.1 * (u * u - 1) * u for _ in range(40)][-1] ** 2)(0.1), 1 - 0.99 * 0.9**40)  # SOLUTION

# %% [markdown]
# <!--| hint: consecutive-linear-layers-p2 -->
# The gradient with respect to $w_1$ is $(w_1 w_2 - 1)\, w_2$. Six lines of Python do the forty steps; compute both gradients before you change either weight.

# %% [markdown]
# > **Common myth.** "In two linear layers the first layer's output passes through the second unchanged, so two in a row are always a mistake." It is multiplied by the second matrix; what stays the same is
# > only the *kind* of function. Low-rank factors, bottlenecks and pairs of 1×1 convolutions use that on purpose.

# %% [markdown]
# <!--| question: tanh-saturates-too, level: M, minutes: 15, optional: true -->
# ## Extra · Symmetric, and still stuck
# "tanh is centred on zero, therefore it cannot saturate." Being centred says where the curve sits, not how flat it is far out. Let us build the instrument that settles such claims in any network: a gauge that
# looks at every `nn.Tanh` while data flow through.
#
# Write `saturated_share(net, x, thr=0.99)`: send `x` through `net` once and return the share of all outputs of all `nn.Tanh` modules, wherever they sit, whose size $|a|$ is larger than `thr`.
# All outputs count alike, and a module that is used twice counts twice. Use forward hooks, and take them off again before you leave.

# %%
#| answer: tanh-saturates-too-p1
def saturated_share(net, x, thr=0.99):
    """Return the share (a float from 0 to 1) of outputs a of all nn.Tanh modules in net with |a|
    > thr.

    net: any nn.Module. x: a batch that net accepts. No hook is left behind.
    """
    ### BEGIN SOLUTION
    outputs = []
    hooks = [m.register_forward_hook(lambda module, inputs, out: outputs.append(out.flatten())) for m in net.modules() if isinstance(m, nn.Tanh)]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return (torch.cat(outputs).abs() > thr).double().mean().item()
    ### END SOLUTION

# %%
#| tests: tanh-saturates-too-p1
@probe
def shares_of_plain_tanh(saturated_share, values):
    net = nn.Sequential(nn.Tanh())
    x = torch.tensor(values, dtype=torch.float64)
    return [float(saturated_share(net, x)), float(saturated_share(net, x, 0.5)), float(saturated_share(net, x, thr=0.0))]


@probe
def shares_of_nested_net(saturated_share, first, second, third, x, thr):
    def linear(weight):
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False).double()
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(weight))
        return layer

    twice = nn.Tanh()
    net = nn.Sequential(linear(first), twice, nn.Sequential(linear(second), nn.ReLU(), nn.Sequential(linear(third), nn.Tanh())), twice)
    x = torch.tensor(x)
    shares = [float(saturated_share(net, x, thr)) for _ in range(2)]
    return shares, sum(len(module._forward_hooks) for module in net.modules())


@test_case(points=0.5, failure_message="Put four numbers through a single Tanh and count by hand: how many outputs are beyond the threshold?")
def test_one_layer(saturated_share):
    got = shares_of_plain_tanh(saturated_share, [[-5.0, -0.1, 0.2, 5.0], [2.5, -0.6, 0.0, -3.0]])
    assert np.allclose(np.asarray(got, dtype=float), [3 / 8, 5 / 8, 7 / 8], atol=1e-6)


@test_case(points=1, hidden=True, failure_message="Try layers of different widths, one inside a nested Sequential, and one module used twice.")
def test_every_tanh_counts(saturated_share):
    for thr in (0.3, 0.9):
        first, second, third = secret.normal(size=(7, 4)), secret.normal(size=(12, 7)), secret.normal(size=(5, 12))
        x = secret.normal(size=(9, 4))
        a = np.tanh(x @ first.T)
        b = np.tanh(np.maximum(a @ second.T, 0) @ third.T)
        outputs = np.concatenate([a.ravel(), b.ravel(), np.tanh(b).ravel()])
        shares, _ = shares_of_nested_net(saturated_share, first, second, third, x, thr)
        assert np.allclose(np.asarray(shares[0], dtype=float), np.mean(np.abs(outputs) > thr), atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="Call it twice in a row. Is anything left on the network after the first call?")
def test_leaves_no_trace(saturated_share):
    first, second, third = secret.normal(size=(6, 3)), secret.normal(size=(8, 6)), secret.normal(size=(4, 8))
    shares, left = shares_of_nested_net(saturated_share, first, second, third, secret.normal(size=(20, 3)), 0.4)
    assert left == 0
    assert 0 < shares[0] < 1 and shares[0] == shares[1]

# %%
#| wrong: tanh-saturates-too-p1
#| because: it looks for large positive outputs only, so the negative side is missed
#| earns: 0.5
def saturated_share(net, x, thr=0.99):
    outputs = []
    hooks = [m.register_forward_hook(lambda module, inputs, out: outputs.append(out.flatten())) for m in net.modules() if isinstance(m, nn.Tanh)]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return (torch.cat(outputs) > thr).double().mean().item()

# %%
#| wrong: tanh-saturates-too-p1
#| because: only the output of the last tanh is judged
#| earns: 1
def saturated_share(net, x, thr=0.99):
    outputs = []
    hooks = [m.register_forward_hook(lambda module, inputs, out: outputs.append(out.flatten())) for m in net.modules() if isinstance(m, nn.Tanh)]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return (outputs[-1].abs() > thr).double().mean().item()

# %%
#| wrong: tanh-saturates-too-p1
#| because: the hooks stay on the network, so every further call carries old ones along
#| earns: 1.5
def saturated_share(net, x, thr=0.99):
    outputs = []
    for m in net.modules():
        if isinstance(m, nn.Tanh):
            m.register_forward_hook(lambda module, inputs, out: outputs.append(out.flatten()))
    with torch.no_grad():
        net(x)
    return (torch.cat(outputs).abs() > thr).double().mean().item()

# %%
#| wrong: tanh-saturates-too-p1
#| because: it averages the layers' shares, although a wide layer has more outputs than a narrow one
#| earns: 1
def saturated_share(net, x, thr=0.99):
    shares = []
    hooks = [m.register_forward_hook(lambda module, inputs, out: shares.append((out.abs() > thr).double().mean().item())) for m in net.modules() if isinstance(m, nn.Tanh)]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return sum(shares) / len(shares)

# %%
#| wrong: tanh-saturates-too-p1
#| because: modules inside a nested Sequential are not found
#| earns: 1
def saturated_share(net, x, thr=0.99):
    outputs = []
    hooks = [m.register_forward_hook(lambda module, inputs, out: outputs.append(out.flatten())) for m in net.children() if isinstance(m, nn.Tanh)]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    return (torch.cat(outputs).abs() > thr).double().mean().item()

# %%
#| right: tanh-saturates-too-p1
#| because: the hooks may count as they go, without keeping any output
def saturated_share(net, x, thr=0.99):
    count = {"beyond": 0, "all": 0}

    def look(module, inputs, out):
        count["beyond"] += int(((out > thr) | (out < -thr)).sum())
        count["all"] += out.numel()

    hooks = []
    net.apply(lambda m: hooks.append(m.register_forward_hook(look)) if type(m) is nn.Tanh else None)
    try:
        net(x)
    finally:
        [hook.remove() for hook in hooks]
    return count["beyond"] / count["all"]

# %% [markdown]
# <!--| hint: tanh-saturates-too-p1 -->
# `module.register_forward_hook(f)` calls `f(module, inputs, output)` after each use of the module and returns a handle with a `remove()` method. `net.modules()` walks through nested modules too.

# %% [markdown]
# Now turn the weights up. Below are five tanh layers of 64 units with the friendly weight scale $1/\sqrt{64}$, as a list of pairs `(W, b)`; a layer computes $\tanh(xW + b)$.
#
# Write `tanh_stack_health(x, layers, gain)`. Every weight matrix is multiplied by `gain`, the biases stay as they are. Return two numbers over all units of all layers and all samples: the share with $|a| > 0.99$,
# and the mean slope $\tanh' = 1-a^2$. Then call it with gain 1 and with gain 20.

# %%
#| given: tanh-saturates-too
saturation_rng = np.random.default_rng(seed)
saturation_x = saturation_rng.normal(size=(128, 64))
saturation_layers = [(saturation_rng.normal(size=(64, 64)) / 8, saturation_rng.normal(size=64) / 10) for _ in range(5)]

# %%
#| answer: tanh-saturates-too-p2
def tanh_stack_health(x, layers, gain):
    """Send x through tanh layers with weights gain * W; return (share with |a| > 0.99, mean of 1
    - a**2) over all units of all layers.

    x: array (n, d). layers: list of (W, b) with W of shape (inputs, units) and b of shape (units,).
    """
    ### BEGIN SOLUTION
    outputs = []
    for W, b in layers:
        x = np.tanh(x @ (gain * W) + b)
        outputs.append(x.ravel())
    a = np.concatenate(outputs)
    return (np.abs(a) > 0.99).mean(), (1 - a**2).mean()
    ### END SOLUTION

# %%
#| tests: tanh-saturates-too-p2
@test_case(points=0.5, failure_message="With gain 1 almost no unit should be saturated, with gain 20 most of them.")
def test_gain_one_and_twenty(tanh_stack_health, saturation_x, saturation_layers):
    calm = np.asarray(tanh_stack_health(saturation_x, saturation_layers, 1.0), dtype=float)
    loud = np.asarray(tanh_stack_health(saturation_x, saturation_layers, 20.0), dtype=float)
    assert calm.shape == loud.shape == (2,)
    assert 0 <= calm[0] < 0.05 and 0.8 < loud[0] < 1
    assert 0 < loud[1] < 0.1 < 0.5 < calm[1] < 1


@test_case(points=1.5, hidden=True, failure_message="Try two small layers of different widths with large biases, and work out the two numbers by hand.")
def test_numbers_agree(tanh_stack_health):
    for gain in (0.5, 3.0):
        widths = [4, 9, 3, 6]
        layers = [(secret.normal(size=(m, n)), secret.normal(scale=2.0, size=n)) for m, n in zip(widths, widths[1:])]
        x = secret.normal(size=(40, 4))
        units = []
        h = x
        for weight, bias in layers:
            h = np.tanh(gain * (h @ weight) + bias)
            units.extend(h.ravel().tolist())
        wanted = [sum(abs(u) > 0.99 for u in units) / len(units), 1 - sum(u * u for u in units) / len(units)]
        got = np.asarray(tanh_stack_health(x, layers, gain), dtype=float)
        assert got.shape == (2,) and np.allclose(got, wanted, rtol=1e-4, atol=1e-6)

# %%
#| wrong: tanh-saturates-too-p2
#| because: the gain multiplies the biases as well as the weights
#| earns: 0.5
def tanh_stack_health(x, layers, gain):
    outputs = []
    for W, b in layers:
        x = np.tanh(gain * (x @ W + b))
        outputs.append(x.ravel())
    a = np.concatenate(outputs)
    return (np.abs(a) > 0.99).mean(), (1 - a**2).mean()

# %%
#| wrong: tanh-saturates-too-p2
#| because: the gain goes into the biases only, and the weights stay small
#| earns: 0
def tanh_stack_health(x, layers, gain):
    outputs = []
    for W, b in layers:
        x = np.tanh(x @ W + gain * b)
        outputs.append(x.ravel())
    a = np.concatenate(outputs)
    return (np.abs(a) > 0.99).mean(), (1 - a**2).mean()

# %%
#| wrong: tanh-saturates-too-p2
#| because: the slope is that of the sigmoid at the pre-activation, not that of tanh
#| earns: 0
def tanh_stack_health(x, layers, gain):
    outputs, slopes = [], []
    for W, b in layers:
        z = x @ (gain * W) + b
        s = np.exp(-np.logaddexp(0, -z))
        slopes.append((s * (1 - s)).ravel())
        x = np.tanh(z)
        outputs.append(x.ravel())
    return (np.abs(np.concatenate(outputs)) > 0.99).mean(), np.concatenate(slopes).mean()

# %%
#| wrong: tanh-saturates-too-p2
#| because: only the last layer is measured
#| earns: 0.5
def tanh_stack_health(x, layers, gain):
    for W, b in layers:
        x = np.tanh(x @ (gain * W) + b)
    return (np.abs(x) > 0.99).mean(), (1 - x**2).mean()

# %%
#| right: tanh-saturates-too-p2
#| because: torch in single precision, with the slope from autograd
def tanh_stack_health(x, layers, gain):
    h = torch.tensor(np.asarray(x), dtype=torch.float32)
    beyond, slope, count = 0.0, 0.0, 0
    for W, b in layers:
        z = (gain * (h @ torch.tensor(W, dtype=torch.float32)) + torch.tensor(b, dtype=torch.float32)).requires_grad_()
        h = torch.tanh(z)
        slope += torch.autograd.grad(h.sum(), z)[0].sum().item()
        h = h.detach()
        beyond += (h.abs() > 0.99).sum().item()
        count += h.numel()
    return [beyond / count, slope / count]

# %%
#| equivalent: tanh-saturates-too-p2
#| from: return (np.abs(a) > 0.99).mean(), (1 - a**2).mean()
#| to: return (np.abs(a) >= 0.99).mean(), (1 - a**2).mean()
#| because: no output is exactly 0.99

# %% [markdown]
# > **Worth knowing.** A small slope is not yet a small gradient. Backpropagation multiplies by slope *and* weight, layer after layer, and here the weights grew twentyfold: compute the gradient of the first layer for
# > gain 20 and you will find it *larger* than for gain 1, carried by the few units that are not saturated. Saturation blocks most units and makes the rest jumpy; "vanishing" is only one of the ways to go wrong.

# %% [markdown]
# <!--| question: dead-neurons, level: M, minutes: 15, optional: true -->
# ## Extra · Dead, or only asleep?
# A ReLU unit is *dead* on a data set when it outputs exactly 0 for **every** sample in it. Then its gradient is exactly 0 as well, whatever the loss says.
#
# Four samples (rows of $X$) meet a layer of four ReLU units (columns of $W$), $A = \mathrm{ReLU}(XW + b)$:
#
# $$X=\begin{pmatrix}1&2\\2&1\\0&1\\3&0\end{pmatrix},\quad W=\begin{pmatrix}1&-1&-1&0.5\\1&0.5&-1&-2\end{pmatrix},\quad b=(0,\,0,\,-0.5,\,0.2)$$
#
# Work out the 4 × 4 matrix of activations $A$, samples in rows.

# %%
#| given: dead-neurons
dead_x = np.array([[1, 2], [2, 1], [0, 1], [3, 0]])
dead_w = np.array([[1, -1, -1, 0.5], [1, 0.5, -1, -2]])
dead_b = np.array([0, 0, -0.5, 0.2])

# %%
#| answer: dead-neurons-p1
#| kind: number
#| points: 0.5
#| tol: 1e-6
#| because: {"[[3, 0, 0, 0], [3, 0, 0, 0], [1, 0.5, 0, 0], [3, 0, 0, 1.3]]": "the bias was subtracted instead of added",
#|   "[[3, 0, -3.5, -3.3], [3, -1.5, -3.5, -0.8], [1, 0.5, -1.5, -1.8], [3, -3, -3.5, 1.7]]": "that is before the ReLU"}
activation_matrix = np.maximum(dead_x @ dead_w + dead_b, 0)  # SOLUTION

# %% [markdown]
# For which share of the samples is each unit active (output above 0)? Four numbers, unit 0 first.

# %%
#| answer: dead-neurons-p2
#| kind: number
#| points: 0.5
#| tol: 1e-6
#| because: {"[1, 0.5, 0, 0.25]": "an output of exactly 0 is not active"}
active_shares = (dead_x @ dead_w + dead_b > 0).mean(axis=0)  # SOLUTION

# %% [markdown]
# And which units are dead on these data?

# %%
#| answer: dead-neurons-p3
#| kind: choose-all
#| points: 0.5
#| options: {a: "unit 0", b: "unit 1", c: "unit 2", d: "unit 3"}
#| because: {b: "a unit that answers to one sample in four is rarely active, not dead", d: "a unit that answers to one sample in four is rarely active, not dead", a: "this one is active for every sample"}
dead_ones = {"c"}  # SOLUTION

# %% [markdown]
# Can training wake a layer in which *everything* is dead? Build the experiment. `net` is `nn.Sequential(nn.Linear, activation, nn.Linear)`, all hidden biases may start far below zero, and the activation is a ReLU or a leaky ReLU.
#
# Write `revive(net, x, y, steps, lr)`. Call a hidden unit *silent* when its pre-activation is at most 0 for every row of `x`. Train with `steps` steps of plain full-batch gradient descent at rate `lr` on the
# mean squared error. Return the share of silent units before, the share after, and the loss after the last step.
#
# Then try it on `silent_net(0.0)` (ReLU) and `silent_net(0.1)` (leaky ReLU) below, which start with all biases at $-6$: 300 steps at rate 0.05, on `silent_x` and `silent_y`.

# %%
#| given: dead-neurons
silent_rng = np.random.default_rng(7)
silent_w, silent_v = silent_rng.normal(scale=0.5, size=(16, 3)), silent_rng.normal(scale=0.25, size=(1, 16))
silent_x = torch.tensor(silent_rng.normal(size=(64, 3)))
silent_y = silent_x @ torch.tensor([[1.0], [-0.5], [0.25]], dtype=torch.float64)


def silent_net(slope):
    """A 3-16-1 net whose hidden biases are all -6, with ReLU (slope 0) or leaky ReLU units."""
    net = nn.Sequential(nn.Linear(3, 16), nn.LeakyReLU(slope) if slope else nn.ReLU(), nn.Linear(16, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor(silent_w))
        net[0].bias.fill_(-6)
        net[2].weight.copy_(torch.tensor(silent_v))
        net[2].bias.zero_()
    return net

# %%
#| answer: dead-neurons-p4
def revive(net, x, y, steps, lr):
    """Train net in place and return (share of silent hidden units before, share after, mean
    squared error after).

    net: nn.Sequential(nn.Linear, activation, nn.Linear). x: (n, d), y: (n, 1).
    """
    ### BEGIN SOLUTION
    def silent():
        return (net[0](x) <= 0).all(dim=0).double().mean().item()

    def mean_squared_error():
        return (net(x) - y).square().mean()

    before = silent()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        mean_squared_error().backward()
        optimizer.step()
    return before, silent(), mean_squared_error().item()
    ### END SOLUTION

# %%
#| tests: dead-neurons-p4
@probe
def revived(revive, slope, w, b, v, x, y, steps, lr):
    """What revive returns for a net with hidden weights w (units, d), hidden biases b and output weights v, and the hidden weights afterwards."""
    net = nn.Sequential(nn.Linear(w.shape[1], w.shape[0]), nn.LeakyReLU(slope) if slope else nn.ReLU(), nn.Linear(w.shape[0], 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor(w))
        net[0].bias.copy_(torch.tensor(b))
        net[2].weight.copy_(torch.tensor(v))
        net[2].bias.zero_()
    report = revive(net, torch.tensor(x), torch.tensor(y), steps, lr)
    return [float(value) for value in report], net[0].weight.detach().numpy()


@test_case(points=0.5, failure_message="From biases of −6 every unit is silent. Which of the two activations still lets the loss fall?")
def test_all_biases_far_below_zero(revive, silent_w, silent_v, silent_x, silent_y):
    data = np.full(16, -6.0), silent_v, silent_x.numpy(), silent_y.numpy(), 300, 0.05
    relu, relu_weights = revived(revive, 0.0, silent_w, *data)
    leaky, leaky_weights = revived(revive, 0.1, silent_w, *data)
    assert relu[:2] == [1.0, 1.0] and relu[2] > 0.5 and np.array_equal(relu_weights, silent_w)
    assert leaky[:2] == [1.0, 1.0] and 0 <= leaky[2] < 0.05 and not np.allclose(leaky_weights, silent_w)


@test_case(points=0.5, hidden=True, failure_message="Try a net in which only some units are silent, few steps, and compare with a step or two by hand.")
def test_a_few_steps(revive):
    for slope in (0.0, 0.2):
        w, v, x = secret.normal(size=(6, 2)), secret.normal(size=(1, 6)), secret.normal(size=(12, 2))
        b = np.array([-9.0, 0.5, 0.0, -9.0, secret.normal(), secret.normal()])
        w[1:3] = 0.0
        y = secret.normal(size=(12, 1))
        got, _ = revived(revive, slope, w, b, v, x, y, 3, 0.3)
        c = np.zeros(1)
        before = np.mean(((x @ w.T + b) <= 0).all(axis=0))
        for _ in range(3):
            z = x @ w.T + b
            gate = np.where(z > 0, 1.0, slope)
            error = 2 * (z * gate @ v.T + c - y) / len(y)
            back = error @ v * gate
            v, c, w, b = v - 0.3 * error.T @ (z * gate), c - 0.3 * error.sum(0), w - 0.3 * back.T @ x, b - 0.3 * back.sum(0)
        z = x @ w.T + b
        after = np.mean((z <= 0).all(axis=0))
        loss = np.mean((np.where(z > 0, z, slope * z) @ v.T + c - y) ** 2)
        assert len(got) == 3 and np.allclose(got, [before, after, loss], rtol=1e-4, atol=1e-7)

# %%
#| wrong: dead-neurons-p4
#| because: a unit counts as silent as soon as it misses one sample
#| earns: 0.5
def revive(net, x, y, steps, lr):
    def silent():
        return (net[0](x) <= 0).any(dim=0).double().mean().item()

    before = silent()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        optimizer.step()
    return before, silent(), nn.functional.mse_loss(net(x), y).item()

# %%
#| wrong: dead-neurons-p4
#| because: the gradients of earlier steps are never cleared
#| earns: 0
def revive(net, x, y, steps, lr):
    before = (net[0](x) <= 0).all(dim=0).double().mean().item()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(steps):
        nn.functional.mse_loss(net(x), y).backward()
        optimizer.step()
    return before, (net[0](x) <= 0).all(dim=0).double().mean().item(), nn.functional.mse_loss(net(x), y).item()

# %%
#| wrong: dead-neurons-p4
#| because: the reported loss is the one before the last step
#| earns: 0.5
def revive(net, x, y, steps, lr):
    before = (net[0](x) <= 0).all(dim=0).double().mean().item()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(net(x), y)
        loss.backward()
        optimizer.step()
    return before, (net[0](x) <= 0).all(dim=0).double().mean().item(), loss.item()

# %%
#| wrong: dead-neurons-p4
#| because: a leaky unit's output is never 0, so counting zeros after the activation finds no silent units there
#| earns: 0
def revive(net, x, y, steps, lr):
    def silent():
        return (net[1](net[0](x)) == 0).all(dim=0).double().mean().item()

    before = silent()
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        optimizer.step()
    return before, silent(), nn.functional.mse_loss(net(x), y).item()

# %%
#| right: dead-neurons-p4
#| because: gradient descent by hand, without an optimizer
def revive(net, x, y, steps, lr):
    def state():
        with torch.no_grad():
            z = net[0](x)
            return sum(float(column.max()) <= 0 for column in z.T) / z.shape[1], float(((net(x) - y) ** 2).mean())

    before, _ = state()
    for _ in range(steps):
        gradients = torch.autograd.grad(((net(x) - y) ** 2).mean(), list(net.parameters()))
        with torch.no_grad():
            for parameter, gradient in zip(net.parameters(), gradients):
                parameter -= lr * gradient
    return (before, *state())

# %% [markdown]
# Look at the two results: after the training both nets are still completely silent, and yet one of them has learned. Which statements are true?

# %%
#| answer: dead-neurons-p5
#| kind: choose-all
#| points: 0.5
#| options: {a: "In the ReLU net the hidden weights are bit for bit what they were.", b: "A leaky ReLU unit whose pre-activations are all negative is dead.",
#|   c: "With weight decay the silent ReLU units would wake up in time.", d: "In the silent ReLU net only the output bias still learns."}
#| because: {b: "negative is not dead: the leaky side passes a gradient, and the units learned", c: "decay shrinks weights and bias towards 0 together, and that never turns a negative pre-activation into a positive one"}
after_revival = {"a", "d"}  # SOLUTION

# %% [markdown]
# > **Common myth.** "A dead unit is one whose output, weights or gradient is close to zero." Close to zero is alive. Dead means exactly zero for every sample of the data set, and you can only tell by looking at all of it.

# %% [markdown]
# <!--| question: tanh-sequential-anatomy, level: E, minutes: 15, optional: true -->
# ## Extra · Reading a model
# You will read far more models than you write. Here is one:
#
# ```python
# nn.Sequential(
#     nn.Linear(200, 512), nn.Tanh(),
#     nn.Linear(512, 512), nn.Tanh(),
#     nn.Linear(512, 10), nn.LogSoftmax(dim=1),
# )
# ```
#
# What is it?

# %%
#| answer: tanh-sequential-anatomy-p1
#| kind: choice
#| points: 0.5
#| options: {a: "a convolutional network", b: "a recurrent network", c: "a fully connected feed-forward classifier", d: "an auto-encoder"}
#| because: {a: "no layer slides over its input", b: "nothing is fed back", d: "it does not try to give back its 200 inputs"}
kind_of_model = "c"  # SOLUTION

# %% [markdown]
# How many hidden layers does it have, and how many trainable parameters? Answer as a pair. (Layers are counted by their linear maps; the layer that produces the ten outputs is not hidden.)

# %%
#| answer: tanh-sequential-anatomy-p2
#| kind: number
#| points: 0.5
#| because: {"[2, 369664]": "the biases are parameters too", "[3, 370698]": "the output layer is not a hidden one", "[5, 370698]": "activations were counted as layers", "[6, 370698]": "activations were counted as layers"}
layers_and_parameters = (2, (200 + 1) * 512 + (512 + 1) * 512 + (512 + 1) * 10)  # SOLUTION

# %% [markdown]
# The targets are class indices. Which loss fits this output exactly, without repeating work the model has already done?

# %%
#| answer: tanh-sequential-anatomy-p3
#| kind: choice
#| points: 0.5
#| options: {a: "`nn.CrossEntropyLoss`", b: "`nn.NLLLoss`", c: "`nn.MSELoss`", d: "`nn.BCELoss`"}
#| because: {a: "it trains correctly, but it takes the log-softmax a second time", c: "log-probabilities and class indices are not on one scale", d: "it wants probabilities of yes or no, not log-probabilities of ten classes"}
fitting_loss = "b"  # SOLUTION

# %% [markdown]
# Now let the machine do the reading. Write `hidden_and_parameters(seq)` for such classifiers (linear layers with activations between them): the number of hidden layers and the number of *trainable* parameters.
# Parts of the model may be wrapped in further `nn.Sequential`s, layers may lack a bias, and some parameters may be frozen (`requires_grad=False`).

# %%
#| answer: tanh-sequential-anatomy-p4
def hidden_and_parameters(seq):
    """Return (number of hidden layers, number of trainable parameters) of an nn.Sequential
    classifier.
    """
    ### BEGIN SOLUTION
    linear = [module for module in seq.modules() if isinstance(module, nn.Linear)]
    return len(linear) - 1, sum(p.numel() for p in seq.parameters() if p.requires_grad)
    ### END SOLUTION

# %%
#| tests: tanh-sequential-anatomy-p4
@probe
def anatomy_of(hidden_and_parameters, widths, bias, nested, frozen):
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        layers += [nn.Linear(inputs, outputs, bias=bias), nn.Tanh()]
    layers[-1] = nn.LogSoftmax(dim=1)
    for parameter in layers[0].parameters():
        parameter.requires_grad = not frozen
    seq = nn.Sequential(nn.Sequential(nn.Sequential(*layers[:2]), *layers[2:-2]), *layers[-2:]) if nested else nn.Sequential(*layers)
    return [int(number) for number in hidden_and_parameters(seq)]


@test_case(points=0.5, failure_message="Begin with the model in the question: its two numbers are known.")
def test_the_model_above(hidden_and_parameters):
    assert anatomy_of(hidden_and_parameters, [200, 512, 512, 10], True, False, False) == [2, 370698]
    assert anatomy_of(hidden_and_parameters, [3, 4], True, False, False) == [0, 16]


@test_case(points=1, hidden=True, failure_message="Try a Sequential inside a Sequential, layers without bias, and a frozen layer.")
def test_nested_frozen_and_without_bias(hidden_and_parameters):
    for nested, bias, frozen in ((True, True, False), (False, False, False), (True, False, True), (True, True, True)):
        widths = [int(n) for n in secret.integers(2, 9, size=secret.integers(4, 7))]
        sizes = [(m + bias) * n for m, n in zip(widths, widths[1:])]
        wanted = [len(widths) - 2, sum(sizes[1:]) if frozen else sum(sizes)]
        assert anatomy_of(hidden_and_parameters, widths, bias, nested, frozen) == wanted

# %%
#| wrong: tanh-sequential-anatomy-p4
#| because: layers inside a nested Sequential are overlooked
#| earns: 0.5
def hidden_and_parameters(seq):
    linear = [module for module in seq if isinstance(module, nn.Linear)]
    return len(linear) - 1, sum(p.numel() for p in seq.parameters() if p.requires_grad)

# %%
#| wrong: tanh-sequential-anatomy-p4
#| because: frozen parameters are counted as trainable
#| earns: 0.5
def hidden_and_parameters(seq):
    linear = [module for module in seq.modules() if isinstance(module, nn.Linear)]
    return len(linear) - 1, sum(p.numel() for p in seq.parameters())

# %%
#| wrong: tanh-sequential-anatomy-p4
#| because: the output layer is counted as hidden
#| earns: 0
def hidden_and_parameters(seq):
    linear = [module for module in seq.modules() if isinstance(module, nn.Linear)]
    return len(linear), sum(p.numel() for p in seq.parameters() if p.requires_grad)

# %%
#| wrong: tanh-sequential-anatomy-p4
#| because: the biases are left out of the count
#| earns: 0
def hidden_and_parameters(seq):
    linear = [module for module in seq.modules() if isinstance(module, nn.Linear)]
    return len(linear) - 1, sum(module.weight.numel() for module in linear if module.weight.requires_grad)

# %%
#| right: tanh-sequential-anatomy-p4
#| because: a walk through the tree works as well
def hidden_and_parameters(seq):
    def walk(module):
        if isinstance(module, nn.Linear):
            tensors = [t for t in (module.weight, module.bias) if t is not None and t.requires_grad]
            return np.array([1, sum(t.shape.numel() for t in tensors)])
        return sum((walk(child) for child in module.children()), np.zeros(2, dtype=int))

    return walk(seq) - np.array([1, 0])

# %% [markdown]
# Why did `nn.CrossEntropyLoss` do no harm a moment ago? Measure it. Write `gaps_of_second_use(z)` for logits `z` of shape $(n, c)$: apply a function along the classes once, then again to its own result, and take the
# largest absolute difference between the two. Return that gap for log-softmax and for softmax, in this order.

# %%
#| answer: tanh-sequential-anatomy-p5
def gaps_of_second_use(z):
    """Return (max |f(f(z)) - f(z)| for f = log-softmax, the same for f = softmax), both along dim
    1. z: tensor (n, c).
    """
    ### BEGIN SOLUTION
    def gap(f):
        once = f(z, dim=1)
        return (f(once, dim=1) - once).abs().max().item()

    return gap(torch.log_softmax), gap(torch.softmax)
    ### END SOLUTION

# %%
#| tests: tanh-sequential-anatomy-p5
@test_case(points=0.5, failure_message="One row of logits is enough to do it by hand: softmax, then softmax of the probabilities.")
def test_one_row(gaps_of_second_use):
    got = np.asarray(gaps_of_second_use(torch.tensor([[2.0, 0.0, 0.0]])), dtype=float)
    assert got.shape == (2,) and np.isfinite(got).all()
    assert 0 <= got[0] < 1e-5 and np.isclose(got[1], 0.2902, atol=2e-4)


@test_case(points=0.5, hidden=True, failure_message="Give it several rows. Each row is one sample: along which dimension do its probabilities run?")
def test_many_rows(gaps_of_second_use):
    z = secret.normal(scale=2.0, size=(6, 4))
    once = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    twice = np.exp(once) / np.exp(once).sum(axis=1, keepdims=True)
    got = np.asarray(gaps_of_second_use(torch.tensor(z)), dtype=float)
    assert got.shape == (2,) and np.isfinite(got).all()
    assert 0 <= got[0] < 1e-5 and np.isclose(got[1], np.abs(twice - once).max(), atol=1e-5)

# %%
#| wrong: tanh-sequential-anatomy-p5
#| because: softmax is applied twice in both places, and softmax does change when it is repeated
#| earns: 0
def gaps_of_second_use(z):
    once = torch.softmax(z, dim=1)
    gap = (torch.softmax(once, dim=1) - once).abs().max().item()
    return gap, gap

# %%
#| wrong: tanh-sequential-anatomy-p5
#| because: it normalises over the samples (dim 0) instead of the classes
#| earns: 0
def gaps_of_second_use(z):
    def gap(f):
        once = f(z, dim=0)
        return (f(once, dim=0) - once).abs().max().item()

    return gap(torch.log_softmax), gap(torch.softmax)

# %%
#| wrong: tanh-sequential-anatomy-p5
#| because: the second use mixes the two functions up
#| earns: 0
def gaps_of_second_use(z):
    logp = torch.log_softmax(z, dim=1)
    p = logp.exp()
    return (torch.log_softmax(p, dim=1) - logp).abs().max().item(), (torch.softmax(logp, dim=1) - p).abs().max().item()

# %%
#| right: tanh-sequential-anatomy-p5
#| because: NumPy and logarithms by hand give the same gaps
def gaps_of_second_use(z):
    z = np.asarray(z, dtype=np.float32)
    log_softmax = lambda a: a - np.log(np.exp(a).sum(axis=-1, keepdims=True))
    softmax = lambda a: np.exp(log_softmax(a))
    return [float(np.max(np.abs(f(f(z)) - f(z)))) for f in (log_softmax, softmax)]

# %% [markdown]
# <!--| question: swish-paper-and-implementation, level: M, minutes: 30, optional: true -->
# ## Extra · An activation found by a machine
# In 2017 three researchers let a computer look for activation functions. What it found is used in many networks today. Read
# [*Searching for Activation Functions*](https://arxiv.org/abs/1710.05941) by Ramachandran, Zoph and Le; sections 2 to 4 are enough for the first three questions.
#
# What did the automatic search look for?

# %%
#| answer: swish-paper-and-implementation-p1
#| kind: choice
#| points: 0.5
#| options: {a: "the depth of a network", b: "scalar activation functions", c: "learning-rate schedules", d: "image augmentations"}
#| because: {a: "the architectures were kept", c: "that is another line of work", d: "that was a later search by some of the same people"}
searched_for = "b"  # SOLUTION

# %% [markdown]
# From which pieces was the search space built?

# %%
#| answer: swish-paper-and-implementation-p2
#| kind: choose-all
#| points: 0.5
#| options: {a: "unary functions", b: "binary functions", c: "core units that compose these, used one after another", d: "convolution kernels"}
#| because: {d: "everything in the search space maps numbers to a number"}
search_space = {"a", "b", "c"}  # SOLUTION

# %% [markdown]
# What did the authors report?

# %%
#| answer: swish-paper-and-implementation-p3
#| kind: choose-all
#| points: 1
#| options: {a: "Simple functions of one or two core units did best.", b: "Many of the best functions use the raw pre-activation $x$ in their last combination.",
#|   c: "A non-monotonic function matched or beat ReLU on deep models.", d: "No function with a sine or cosine in it was among the good ones."}
#| because: {d: "some of the best functions the search found contain a sine or cosine"}
reported = {"a", "b", "c"}  # SOLUTION

# %% [markdown]
# The winner, Swish, is $f(x) = x\,\sigma(\beta x)$: the input, gated by a sigmoid of itself. Write `swish(x, beta=1.0)` and its derivative with respect to $x$, `swish_grad(x, beta=1.0)`, in NumPy, for numbers, lists and arrays.
# Both give one value for each value in $x$, in the same shape. They should be right for $|x|$ up to 1000 without an overflow on the way, not even one that ends in the right number.

# %%
#| answer: swish-paper-and-implementation-p4
def swish(x, beta=1.0):
    """x * sigmoid(beta * x), elementwise."""
    ### BEGIN SOLUTION
    x = np.asarray(x, dtype=float)
    return x * np.exp(-np.logaddexp(0, -beta * x))
    ### END SOLUTION


def swish_grad(x, beta=1.0):
    """The derivative of swish with respect to x, elementwise."""
    ### BEGIN SOLUTION
    z = beta * np.asarray(x, dtype=float)
    s = np.exp(-np.logaddexp(0, -z))
    return s + z * s * (1 - s)
    ### END SOLUTION

# %%
#| tests: swish-paper-and-implementation-p4
@test_case(points=0.5, failure_message="At x = 0 the gate is half open. What are the value and the slope there?")
def test_some_values(swish, swish_grad):
    values = np.asarray(swish([-1.0, 0.0, 2.0]), dtype=float)
    slopes = np.asarray(swish_grad([0.0, 2.0], beta=0.5), dtype=float)
    assert values.shape == (3,) and np.allclose(values, [-0.2689414, 0.0, 1.7615942], atol=1e-5)
    assert slopes.shape == (2,) and np.allclose(slopes, [0.5, 0.9276705], atol=1e-5)


@test_case(points=0.5, hidden=True, failure_message="Compare with `torch.nn.functional.silu` and with a difference quotient, for several values of beta.")
def test_values_for_any_beta(swish):
    x = secret.normal(scale=3.0, size=(4, 5))
    assert np.allclose(np.asarray(swish(x), dtype=float), x / (1 + np.exp(-x)), rtol=1e-4, atol=1e-6)
    for beta in (0.0, 0.3, 5.0, -1.5):
        got = np.asarray(swish(x, beta), dtype=float)
        assert got.shape == x.shape and np.allclose(got, x / (1 + np.exp(-beta * x)), rtol=1e-4, atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="The product rule gives two terms. Compare with a difference quotient, for several values of beta.")
def test_slopes_for_any_beta(swish_grad):
    x = secret.normal(scale=2.0, size=(4, 5))
    f = lambda t, beta: t / (1 + np.exp(-beta * t))
    assert np.allclose(np.asarray(swish_grad(x), dtype=float), (f(x + 1e-5, 1) - f(x - 1e-5, 1)) / 2e-5, rtol=1e-4, atol=1e-6)
    for beta in (0.0, 0.3, 5.0, -1.5):
        got = np.asarray(swish_grad(x, beta), dtype=float)
        assert got.shape == x.shape and np.allclose(got, (f(x + 1e-5, beta) - f(x - 1e-5, beta)) / 2e-5, rtol=1e-4, atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="Call it at −1000 and 1000 under `np.errstate(all='raise', under='ignore')`.")
def test_far_out(swish, swish_grad):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for beta in (1.0, 3.0):
            values = np.asarray(swish(np.array([-1000.0, -800.0, 800.0, 1000.0]), beta), dtype=float)
            slopes = np.asarray(swish_grad(np.array([-1000.0, -800.0, 800.0, 1000.0]), beta), dtype=float)
            assert values.shape == slopes.shape == (4,)
            assert np.allclose(values, [0, 0, 800, 1000]) and np.allclose(slopes, [0, 0, 1, 1])

# %%
#| wrong: swish-paper-and-implementation-p4
#| because: that is the gate alone; the factor x is missing
def swish(x, beta=1.0):
    return np.exp(-np.logaddexp(0, -beta * np.asarray(x, dtype=float)))

# %%
#| wrong: swish-paper-and-implementation-p4
#| because: that is the derivative of the gate, not of the product
def swish_grad(x, beta=1.0):
    s = np.exp(-np.logaddexp(0, -beta * np.asarray(x, dtype=float)))
    return s * (1 - s)

# %%
#| wrong: swish-paper-and-implementation-p4
#| because: the gate is a tanh instead of a sigmoid
def swish(x, beta=1.0):
    x = np.asarray(x, dtype=float)
    return x * np.tanh(beta * x)


def swish_grad(x, beta=1.0):
    t = np.tanh(beta * np.asarray(x, dtype=float))
    return t + beta * np.asarray(x, dtype=float) * (1 - t**2)

# %%
#| wrong: swish-paper-and-implementation-p4
#| because: the exponential overflows for large negative inputs
#| earns: 1.5
def swish(x, beta=1.0):
    x = np.asarray(x, dtype=float)
    return x / (1 + np.exp(-beta * x))

# %%
#| wrong: swish-paper-and-implementation-p4
#| because: the inner derivative, the factor beta, is missing
#| earns: 1
def swish_grad(x, beta=1.0):
    x = np.asarray(x, dtype=float)
    s = np.exp(-np.logaddexp(0, -beta * x))
    return s + x * s * (1 - s)

# %%
#| right: swish-paper-and-implementation-p4
#| because: torch has a stable sigmoid, and autograd does the rest
def swish(x, beta=1.0):
    x = torch.as_tensor(np.asarray(x, dtype=np.float32))
    return x * torch.sigmoid(beta * x)


def swish_grad(x, beta=1.0):
    x = torch.as_tensor(np.asarray(x, dtype=np.float64)).requires_grad_()
    return torch.autograd.grad((x * torch.sigmoid(beta * x)).sum(), x)[0].numpy()

# %%
#| right: swish-paper-and-implementation-p4
#| because: a sigmoid is a shifted tanh
def swish(x, beta=1.0):
    x = np.asarray(x, dtype=float)
    return x * (1 + np.tanh(beta * x / 2)) / 2


def swish_grad(x, beta=1.0):
    x = np.asarray(x, dtype=float)
    t = np.tanh(beta * x / 2)
    return (1 + t) / 2 + beta * x * (1 - t) * (1 + t) / 4

# %%
#| equivalent: swish-paper-and-implementation-p4
#| from: return x * np.exp(-np.logaddexp(0, -beta * x))
#| to: return x * np.exp(-np.logaddexp(-beta * x, 0))
#| because: logaddexp is symmetric

# %%
#| equivalent: swish-paper-and-implementation-p4
#| from: s = np.exp(-np.logaddexp(0, -z))
#| to: s = np.exp(-np.logaddexp(-z, 0))
#| because: logaddexp is symmetric

# %% [markdown]
# <!--| hint: swish-paper-and-implementation-p4 -->
# Only exponentials of numbers that are at most 0 are safe. `np.logaddexp(0, a)` is $\ln(1 + e^{a})$ without the danger; what is $-\ln\sigma(z)$?

# %% [markdown]
# Swish dips below zero before it rises. For $\beta=1$: where is its minimum, and how deep is it? And for which $\beta$ is Swish a linear function? Three numbers, to four decimals.

# %%
#| answer: swish-paper-and-implementation-p5
#| kind: number
#| points: 1
#| tol: 1e-4
#| because: {"[-1.2784645, -0.25, 0]": "a quarter is the largest slope of the sigmoid, not the depth of Swish", "[-1.2784645, -0.2784645, 1]": "with beta = 1 it is curved: that is the case you just minimised",
#|   "[-0.2784645, -1.2784645, 0]": "position first, then value", "[-1, -0.2689414, 0]": "close, but the slope at −1 is not yet 0"}
swish_dip = (-1.2784645, -0.2784645, 0)  # SOLUTION

# %% [markdown]
# Now look at it. Write `plot_swish()`: one axes with three curves, Swish for $\beta = 0.1, 1$ and $10$, on the grid `swish_grid` below, and a legend. Name each curve's $\beta$ in its `label`. Return the figure.

# %%
#| given: swish-paper-and-implementation
swish_grid = np.linspace(-5, 5, 401)

# %%
#| answer: swish-paper-and-implementation-p6
def plot_swish():
    """Return a figure with Swish for beta = 0.1, 1 and 10 over swish_grid, in one axes with a
    legend.
    """
    ### BEGIN SOLUTION
    fig, ax = plt.subplots()
    for beta in (0.1, 1, 10):
        ax.plot(swish_grid, swish(swish_grid, beta), label=f"beta = {beta}")
    ax.legend()
    return fig
    ### END SOLUTION

# %%
#| tests: swish-paper-and-implementation-p6
@probe
def read_swish_figure(plot_swish):
    """The curves of the first axes with their names, and the words of its legend."""
    fig = plot_swish()
    ax = fig.axes[0]
    curves = [(str(line.get_label()), np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)) for line in ax.lines]
    words = [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []
    plt.close(fig)
    return len(fig.axes), curves, words


@test_case(points=0.5, failure_message="Three curves over swish_grid in one axes: one for each beta.")
def test_three_curves(plot_swish, swish_grid):
    panels, curves, _ = read_swish_figure(plot_swish)
    assert panels == 1
    for beta in (0.1, 1.0, 10.0):
        wanted = swish_grid * (1 + np.tanh(beta * swish_grid / 2)) / 2
        assert any(x.shape == y.shape == wanted.shape and np.allclose(x, swish_grid, atol=1e-5) and np.allclose(y, wanted, atol=1e-4) for _, x, y in curves)


@test_case(points=0.5, hidden=True, failure_message="Does the legend say which curve has which beta?")
def test_legend_names_each_curve(plot_swish, swish_grid):
    def numbers(label):
        pieces = "".join(sign if sign.isdigit() or sign == "." else " " for sign in label).split()
        return [float(piece.rstrip(".")) for piece in pieces if piece.strip(".")]

    panels, curves, words = read_swish_figure(plot_swish)
    assert panels == 1
    for beta in (0.1, 1.0, 10.0):
        wanted = swish_grid * (1 + np.tanh(beta * swish_grid / 2)) / 2
        labels = [label for label, x, y in curves if x.shape == y.shape == wanted.shape and np.allclose(y, wanted, atol=1e-4)]
        assert any(label in words and beta in numbers(label) for label in labels)

# %%
#| wrong: swish-paper-and-implementation-p6
#| because: without a legend nobody can tell the curves apart
#| earns: 0.5
def plot_swish():
    fig, ax = plt.subplots()
    for beta in (0.1, 1, 10):
        ax.plot(swish_grid, swish(swish_grid, beta), label=f"beta = {beta}")
    return fig

# %%
#| wrong: swish-paper-and-implementation-p6
#| because: all three curves have the same beta
#| earns: 0
def plot_swish():
    fig, ax = plt.subplots()
    for beta in (0.1, 1, 10):
        ax.plot(swish_grid, swish(swish_grid), label=f"beta = {beta}")
    ax.legend()
    return fig

# %%
#| wrong: swish-paper-and-implementation-p6
#| because: the curves are in three panels, so they cannot be compared
#| earns: 0
def plot_swish():
    fig, axes = plt.subplots(1, 3)
    for ax, beta in zip(axes, (0.1, 1, 10)):
        ax.plot(swish_grid, swish(swish_grid, beta), label=f"beta = {beta}")
        ax.legend()
    return fig

# %%
#| wrong: swish-paper-and-implementation-p6
#| because: the names in the legend belong to other curves
#| earns: 0.5
def plot_swish():
    fig, ax = plt.subplots()
    for beta, name in zip((0.1, 1, 10), ("10", "0.1", "1")):
        ax.plot(swish_grid, swish(swish_grid, beta), label=f"beta = {name}")
    ax.legend()
    return fig

# %%
#| right: swish-paper-and-implementation-p6
#| because: another order, other words, a line at zero besides
def plot_swish():
    fig = plt.figure(figsize=(5, 3))
    ax = fig.add_subplot()
    ax.axhline(0, color="0.7")
    for beta in (10.0, 1.0, 0.1):
        ax.plot(list(swish_grid), [float(x / (1 + np.exp(-beta * x))) for x in swish_grid], "--", label=rf"Swish, $\beta={beta}$")
    ax.legend(loc="upper left", title="gates")
    return fig

# %% [markdown]
# Why was the result surprising at the time? Choose every belief that it spoke against.

# %%
#| answer: swish-paper-and-implementation-p7
#| kind: choose-all
#| points: 1
#| options: {a: "A good activation function has to be monotonic.", b: "Exact zeros for negative inputs (sparsity) are what makes ReLU good.",
#|   c: "An activation function has to be nonlinear to be of any use.", d: "ReLU cannot be replaced with a consistent gain: hand-made rivals had helped here and hurt there."}
#| because: {c: "Swish is nonlinear too, so this belief stands"}
beliefs_shaken = {"a", "b", "d"}  # SOLUTION

# %% [markdown]
# <!--| question: relu-net-as-linear-classifier, level: M, minutes: 25, covers: [relu-network-as-linear-classifier], optional: true -->
# ## Extra · A crooked brick, a straight wall
# ReLU bends. Can a network whose only nonlinearity is ReLU nevertheless compute an exactly linear decision function $w\cdot x + b$? Judge these three statements
# (a tuple of three, `True` or `False` each).

# %%
#| answer: relu-net-as-linear-classifier-p1
#| kind: true-false
#| points: 1
#| options: ['Yes, everywhere: because $z = \mathrm{ReLU}(z) - \mathrm{ReLU}(-z)$, two ReLU units can pass any value on unchanged.',
#|   'On a bounded set of inputs, large positive biases keep all ReLUs active, and the network is affine there.',
#|   'Every ReLU network is affine on the whole input space.']
#| because: {"(True, True, True)": "a single ReLU unit already has a bend somewhere", "(False, True, False)": "try the identity with z = 3 and with z = −3", "(True, False, False)": "an active ReLU passes its input on, shifted or not"}
relu_can_be_linear = (True, True, False)  # SOLUTION

# %% [markdown]
# Build it. Write `linear_as_relu_net(w, b)` for a tensor `w` of length $d$ and a number `b`: an `nn.Sequential` of `nn.Linear`, `nn.ReLU`, `nn.Linear` with **two** hidden units, in double precision,
# whose output (shape $(n, 1)$) is $w\cdot x + b$ for every $x$, near or far.

# %%
#| answer: relu-net-as-linear-classifier-p2
def linear_as_relu_net(w, b):
    """Return nn.Sequential(nn.Linear(d, 2), nn.ReLU(), nn.Linear(2, 1)) in float64 that computes
    w.x + b for all x.

    w: float64 tensor (d,). b: a number.
    """
    ### BEGIN SOLUTION
    net = nn.Sequential(nn.Linear(len(w), 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.stack([w, -w]))
        net[0].bias.copy_(torch.tensor([b, -b], dtype=torch.float64))
        net[2].weight.copy_(torch.tensor([[1, -1]]))
        net[2].bias.zero_()
    return net
    ### END SOLUTION

# %%
#| tests: relu-net-as-linear-classifier-p2
@probe
def built_relu_net(linear_as_relu_net, w, b, points):
    """Names of the layers, widths of the linear ones, and outputs at the points."""
    net = linear_as_relu_net(torch.tensor(w), b)
    with torch.no_grad():
        outputs = net(torch.tensor(points))
    return [type(layer).__name__ for layer in net], [layer.out_features for layer in net if isinstance(layer, nn.Linear)], outputs.numpy()


@test_case(points=0.5, failure_message="Check a point on either side of the line, and one on it.")
def test_either_side(linear_as_relu_net):
    layers, widths, outputs = built_relu_net(linear_as_relu_net, np.array([2.0, -3.0]), 1.0, np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    assert layers == ["Linear", "ReLU", "Linear"] and widths == [2, 1]
    assert outputs.shape == (3, 1) and np.allclose(outputs[:, 0], [3, -2, 0])


@test_case(points=1, hidden=True, failure_message="Try other dimensions, a negative bias, and points a million away from the origin.")
def test_near_and_far(linear_as_relu_net):
    for d, b in ((1, -0.7), (5, 2.5), (3, -40.0)):
        w = secret.normal(size=d)
        points = secret.normal(size=(30, d)) * np.repeat([1.0, 1e3, 1e6], 10)[:, None]
        layers, widths, outputs = built_relu_net(linear_as_relu_net, w, b, points)
        assert layers == ["Linear", "ReLU", "Linear"] and widths == [2, 1] and outputs.shape == (30, 1)
        assert (np.abs(outputs[:, 0] - (points @ w + b)) <= 1e-9 * (np.abs(points) @ np.abs(w) + abs(b))).all()

# %%
#| wrong: relu-net-as-linear-classifier-p2
#| because: the bias reaches only one of the two hidden units
#| earns: 0
def linear_as_relu_net(w, b):
    net = nn.Sequential(nn.Linear(len(w), 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.stack([w, -w]))
        net[0].bias.copy_(torch.tensor([b, 0.0]))
        net[2].weight.copy_(torch.tensor([[1, -1]]))
        net[2].bias.zero_()
    return net

# %%
#| wrong: relu-net-as-linear-classifier-p2
#| because: one hidden unit is the ReLU of the score, and that is 0 on the whole negative side
#| earns: 0
def linear_as_relu_net(w, b):
    net = nn.Sequential(nn.Linear(len(w), 1), nn.ReLU(), nn.Linear(1, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(w[None])
        net[0].bias.fill_(b)
        net[2].weight.fill_(1)
        net[2].bias.zero_()
    return net

# %%
#| wrong: relu-net-as-linear-classifier-p2
#| because: the two halves are added, which gives the absolute value
#| earns: 0
def linear_as_relu_net(w, b):
    net = nn.Sequential(nn.Linear(len(w), 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.stack([w, -w]))
        net[0].bias.copy_(torch.tensor([b, -b]))
        net[2].weight.fill_(1)
        net[2].bias.zero_()
    return net

# %%
#| wrong: relu-net-as-linear-classifier-p2
#| because: a large bias keeps the units active near the origin, but not everywhere
#| earns: 0.5
def linear_as_relu_net(w, b):
    net = nn.Sequential(nn.Linear(len(w), 2), nn.ReLU(), nn.Linear(2, 1)).double()
    with torch.no_grad():
        net[0].weight.copy_(torch.stack([w, w]) / 2)
        net[0].bias.fill_(100)
        net[2].weight.fill_(1)
        net[2].bias.fill_(b - 200)
    return net

# %%
#| right: relu-net-as-linear-classifier-p2
#| because: the bias may wait for the output, and the two units may share the weight unevenly
def linear_as_relu_net(w, b):
    net = nn.Sequential(nn.Linear(w.numel(), 2), nn.ReLU(), nn.Linear(2, 1)).to(torch.float64)
    net.load_state_dict({"0.weight": torch.stack((-4 * w, 0.5 * w)), "0.bias": torch.zeros(2), "2.weight": torch.tensor([[-0.25, 2.0]]), "2.bias": torch.from_numpy(np.array([b]))})
    return net

# %% [markdown]
# <!--| hint: relu-net-as-linear-classifier-p2 -->
# The first statement above is a recipe: one hidden unit for the positive part of the score, one for the negative part. What has to be in their biases?
# If you are off by a hair far out: `torch.tensor([0.7])` is single precision unless you say otherwise.

# %% [markdown]
# How would you notice from outside that a network is affine? Fit the best affine map and look at what is left over. Write `is_affine_on(net, X)`: fit $Xa + c$ to `net(X)` by least squares and return `True` if
# every residual is smaller than $10^{-8}$ in size, else `False`. `X` is a float64 tensor with more rows than the fit has unknowns.

# %%
#| answer: relu-net-as-linear-classifier-p3
def is_affine_on(net, X):
    """Return whether net(X) is an affine function of the rows of X, up to residuals of 1e-8.

    net: a float64 module that maps (n, d) to (n, 1). X: float64 tensor (n, d).
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        y = net(X)
    A, r = X - X.mean(dim=0), y - y.mean()
    return torch.allclose(A @ torch.linalg.lstsq(A, r).solution, r, rtol=0, atol=1e-8)
    ### END SOLUTION

# %%
#| tests: relu-net-as-linear-classifier-p3
@probe
def verdicts_on_nets(is_affine_on, w, b, v, c, points):
    """Verdicts on the ReLU net with these weights, and on the affine map with its first unit only."""
    relu = nn.Sequential(nn.Linear(w.shape[1], w.shape[0]), nn.ReLU(), nn.Linear(w.shape[0], 1)).double()
    line = nn.Sequential(nn.Linear(w.shape[1], 1)).double()
    with torch.no_grad():
        for layer, weight, bias in ((relu[0], w, b), (relu[2], v, c), (line[0], w[:1], c)):
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    X = torch.tensor(points)
    return [bool(is_affine_on(net, X)) for net in (relu, line)]


@test_case(points=0.5, failure_message="A single ReLU with its bend in the middle of the data is not affine; a linear layer with a bias is.")
def test_bend_in_the_middle(is_affine_on):
    points = np.linspace(-1, 1, 21)[:, None]
    assert verdicts_on_nets(is_affine_on, np.ones((1, 1)), np.zeros(1), np.ones((1, 1)), np.full(1, 5.0), points) == [False, True]


@test_case(points=1, hidden=True, failure_message="Try a net that is only bent a little, a bend near the last points, and outputs far from zero.")
def test_small_bends(is_affine_on):
    d = int(secret.integers(2, 5))
    points = secret.uniform(-1, 1, size=(60, d))
    w, b = secret.normal(size=(6, d)), secret.normal(size=6)
    c = np.full(1, 3.0)
    assert verdicts_on_nets(is_affine_on, w, b, secret.normal(size=(1, 6)), c, points) == [False, True]
    bent = np.maximum(points @ w.T + b, 0).sum(axis=1)
    A = np.column_stack([points, np.ones(60)])
    largest = np.abs(A @ np.linalg.lstsq(A, bent, rcond=None)[0] - bent).max()
    assert verdicts_on_nets(is_affine_on, w, b, np.full((1, 6), 1.005e-8 / largest), c, points) == [False, True]
    assert verdicts_on_nets(is_affine_on, w, b, np.full((1, 6), 0.9e-8 / largest), c, points) == [True, True]
    assert verdicts_on_nets(is_affine_on, w, np.full(6, 50.0), secret.normal(size=(1, 6)), c, points) == [True, True]
    assert verdicts_on_nets(is_affine_on, w, np.full(6, -50.0), secret.normal(size=(1, 6)), c, points) == [True, True]
    points[:, 0] = np.linspace(-1, 0, 60)
    points[-1, 0] = 1.0
    assert verdicts_on_nets(is_affine_on, np.eye(d)[:1], np.zeros(1), np.full((1, 1), -1e-6), c, points) == [False, True]

# %%
#| wrong: relu-net-as-linear-classifier-p3
#| because: the fit has no intercept, so a bias looks like a bend
#| earns: 0
def is_affine_on(net, X):
    with torch.no_grad():
        y = net(X)
    return torch.allclose(X @ torch.linalg.lstsq(X, y).solution, y, rtol=0, atol=1e-8)

# %%
#| wrong: relu-net-as-linear-classifier-p3
#| because: with as few samples as unknowns every function looks affine
#| earns: 0
def is_affine_on(net, X):
    X = X[: X.shape[1] + 1]
    with torch.no_grad():
        y = net(X)
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    return torch.allclose(A @ torch.linalg.lstsq(A, y).solution, y, rtol=0, atol=1e-8)

# %%
#| wrong: relu-net-as-linear-classifier-p3
#| because: the default tolerance of allclose is far too generous here
#| earns: 0.5
def is_affine_on(net, X):
    with torch.no_grad():
        y = net(X)
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    return torch.allclose(A @ torch.linalg.lstsq(A, y).solution, y)

# %%
#| right: relu-net-as-linear-classifier-p3
#| because: NumPy's least squares, and the largest residual
def is_affine_on(net, X):
    X = X.numpy()
    y = net(torch.tensor(X)).detach().numpy()
    A = np.hstack([X - X.mean(axis=0), np.ones((len(X), 1))])
    return np.abs(A @ np.linalg.lstsq(A, y, rcond=None)[0] - y).max() < 1e-8

# %%
#| equivalent: relu-net-as-linear-classifier-p3
#| from: return torch.allclose(A @ torch.linalg.lstsq(A, r).solution, r, rtol=0, atol=1e-8)
#| to: return torch.allclose(r, A @ torch.linalg.lstsq(A, r).solution, rtol=0, atol=1e-8)
#| because: without a relative tolerance allclose is symmetric

# %% [markdown]
# Now the second statement, on a box. Inputs are in $[-1,1]^2$ and $w=(2,-3)$. What is the smallest shift $c$ for which $\mathrm{ReLU}(w\cdot x + c) - c$ is linear on the whole box?

# %%
#| answer: relu-net-as-linear-classifier-p4
#| kind: number
#| points: 0.5
#| because: {6: "that multiplies the weights instead of adding their sizes", 1: "signs matter less than sizes: the inputs may be negative too", 3: "both inputs can be at their worst at the same time"}
smallest_shift = 5  # SOLUTION

# %% [markdown]
# One ReLU at the very end does even less harm. Statement: for every $x$ the test $\mathrm{ReLU}(w\cdot x+b) > 0$ gives the same label as the test $w\cdot x + b > 0$. True or false?

# %%
#| answer: relu-net-as-linear-classifier-p5
#| kind: true-false
#| points: 0.5
#| because: {"False": "ReLU changes negative scores to 0, and neither is above 0"}
same_labels = True  # SOLUTION

# %% [markdown]
# So a ReLU net *can* be linear. Does a trained one *become* linear when the data ask for no more than a line? `train_line_net(trial)` below trains a 2-16-1 ReLU net on points that a line separates.
#
# Write `compare_with_line(net, X, w, b)` that returns two numbers. First the agreement: the share of rows of `X` for which `net(X)` and $Xw+b$ give the same label (a score above 0 is label 1, any other is label 0).
# Then $R^2$ of the best affine fit to the net's outputs on `X`: one minus the variance of the residuals over the variance of the outputs.

# %%
#| given: relu-net-as-linear-classifier
def train_line_net(trial):
    """Train a 2-16-1 ReLU net on points that the line w.x + b = 0 separates; return net, w, b."""
    torch.manual_seed(trial)
    w, b = torch.tensor([1.0, -2.0], dtype=torch.float64), 0.3
    X = torch.rand(400, 2, dtype=torch.float64) * 2 - 1
    X = X[(X @ w + b).abs() > 0.1]
    y = (X @ w + b > 0).double()
    net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1)).double()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(net(X).flatten(), y).backward()
        optimizer.step()
    return net, w, b

# %%
#| answer: relu-net-as-linear-classifier-p6
def compare_with_line(net, X, w, b):
    """Return (agreement of the labels of net and line, R^2 of the best affine fit to the net's
    outputs) on the rows of X.

    net maps (n, d) to (n, 1). X: float64 tensor (n, d). w: float64 tensor (d,). b: a number.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        y = net(X)
    agreement = ((y.flatten() > 0) == (X @ w + b > 0)).double().mean()
    A, r = X - X.mean(dim=0), y - y.mean()
    residual = r - A @ torch.linalg.lstsq(A, r).solution
    return agreement.item(), 1 - (residual.square().sum() / r.square().sum()).item()
    ### END SOLUTION

# %%
#| tests: relu-net-as-linear-classifier-p6
@probe
def compared_with_line(compare_with_line, hidden, shift, out, offset, points, w, b):
    net = nn.Sequential(nn.Linear(hidden.shape[1], hidden.shape[0]), nn.ReLU(), nn.Linear(hidden.shape[0], 1)).double()
    net.load_state_dict({"0.weight": torch.tensor(hidden), "0.bias": torch.tensor(shift), "2.weight": torch.tensor(out), "2.bias": torch.tensor(offset)})
    return [float(number) for number in compare_with_line(net, torch.tensor(points), torch.tensor(w), b)]


@test_case(points=0.5, failure_message="A trained net should agree with the line nearly everywhere, although its outputs are not quite on a plane.")
def test_trained_net(compare_with_line, train_line_net):
    net, w, b = train_line_net(3)
    weights = [parameter.detach().numpy() for parameter in net.parameters()]
    points = np.random.default_rng(3).uniform(-1, 1, size=(1000, 2))
    for size in (1.0, 10.0):
        agreement, fit = compared_with_line(compare_with_line, *weights, size * points, w.numpy(), b)
        assert 0.95 < agreement <= 1 and 0.7 < fit < 0.9999


@test_case(points=1, hidden=True, failure_message="Try a small net with random weights, outputs of exactly 0, and a line that the net knows nothing about.")
def test_any_net(compare_with_line):
    for d, k in ((2, 3), (4, 8), (2, 5)):
        hidden, shift, out = secret.normal(size=(k, d)), secret.normal(size=k), secret.normal(size=(1, k))
        points = secret.integers(-3, 4, size=(80, d)).astype(float)
        if k == 5:
            shift, hidden, out = np.array([0.0, -3.0, 0.0, 0.0, -1.0]), np.round(hidden), np.ones((1, k))
        w, b = np.ones(d) * [1, -1] * (d == 2) if d == 2 else secret.normal(size=d), 0.0 if d == 2 else 0.8
        y = np.maximum(points @ hidden.T + shift, 0) @ out[0] + (0.0 if k == 5 else 0.2)
        A = np.column_stack([points, np.ones(80)])
        plane = A @ np.linalg.lstsq(A, y, rcond=None)[0]
        wanted = [np.mean((y > 0) == (points @ w + b > 0)), 1 - np.sum((y - plane) ** 2) / np.sum((y - y.mean()) ** 2)]
        got = compared_with_line(compare_with_line, hidden, shift, out, np.array([0.0 if k == 5 else 0.2]), points, w, b)
        assert len(got) == 2 and np.allclose(got, wanted, rtol=1e-5, atol=1e-7)

# %%
#| wrong: relu-net-as-linear-classifier-p6
#| because: the fit has no intercept
#| earns: 0.5
def compare_with_line(net, X, w, b):
    with torch.no_grad():
        y = net(X)
    agreement = ((y[:, 0] > 0) == (X @ w + b > 0)).double().mean()
    residual = y - X @ torch.linalg.lstsq(X, y).solution
    return agreement.item(), 1 - (residual.var() / y.var()).item()

# %%
#| wrong: relu-net-as-linear-classifier-p6
#| because: outputs are compared with the given line instead of with their own best fit
#| earns: 0
def compare_with_line(net, X, w, b):
    with torch.no_grad():
        y = net(X)[:, 0]
    line = X @ w + b
    return ((y > 0) == (line > 0)).double().mean().item(), (1 - ((y - line) ** 2).sum() / ((y - y.mean()) ** 2).sum()).item()

# %%
#| wrong: relu-net-as-linear-classifier-p6
#| because: the column of outputs is compared with a row of labels, so every sample meets every other
#| earns: 0
def compare_with_line(net, X, w, b):
    with torch.no_grad():
        y = net(X)
    agreement = ((y > 0) == (X @ w + b > 0)).double().mean()
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    residual = y - A @ torch.linalg.lstsq(A, y).solution
    return agreement.item(), 1 - (residual.var() / y.var()).item()

# %%
#| wrong: relu-net-as-linear-classifier-p6
#| because: scores of exactly 0 are given label 1
#| earns: 0.5
def compare_with_line(net, X, w, b):
    with torch.no_grad():
        y = net(X)
    agreement = ((y[:, 0] >= 0) == (X @ w + b >= 0)).double().mean()
    A = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    residual = y - A @ torch.linalg.lstsq(A, y).solution
    return agreement.item(), 1 - (residual.var() / y.var()).item()

# %%
#| right: relu-net-as-linear-classifier-p6
#| because: NumPy, and R² as a squared correlation
def compare_with_line(net, X, w, b):
    y = net(X).detach().numpy().ravel()
    points, line = X.numpy(), X.numpy() @ w.numpy() + b
    A = np.column_stack([np.ones(len(points)), points])
    fit = A @ np.linalg.pinv(A) @ y
    same = sum((p > 0) == (q > 0) for p, q in zip(y, line)) / len(y)
    return [same, np.corrcoef(fit, y)[0, 1] ** 2]

# %% [markdown]
# Try your function on `train_line_net(0)`, `train_line_net(1)` and a few more, on points from $[-1,1]^2$ and from a box ten times as large. Which conclusion do the numbers support?

# %%
#| answer: relu-net-as-linear-classifier-p7
#| kind: choice
#| points: 0.5
#| options: {a: "The net uses ReLU, so its labels must follow a curve rather than the line.", b: "The trained net is exactly linear everywhere.",
#|   c: "It labels almost like the line, although its output is only piecewise linear.", d: "It agrees with the line on the training points and is no better than chance elsewhere."}
#| because: {a: "look at the agreement: labels depend on where the output crosses 0, not on how it bends elsewhere", b: "an R² below 1 says that the outputs do not lie on a plane", d: "look at the agreement on the large box"}
what_training_did = "c"  # SOLUTION

# %% [markdown]
# > **Common myth.** "A network with ReLU cannot be a linear classifier unless all its weights are zero." With zero weights it is a constant. Two units and $z=\mathrm{ReLU}(z)-\mathrm{ReLU}(-z)$ make it any linear function you like.

# %% [markdown]
# <!--| question: which-activations-can-be-backpropagated, level: H, minutes: 25, optional: true -->
# ## Extra · At the kink
# Backpropagation needs derivatives, and ReLU has none at 0. Nobody minds. Where exactly is the border between "a kink, pick a side" and "there is nothing to pick"? Four candidates, all with $f(0)=0$:
#
# | | for $x \ne 0$ |
# |---|---|
# | A | $\lvert x\rvert$ |
# | B | $x$ |
# | C | $x \sin(1/x)$ |
# | D | $-x$ for $x<0$, $x^2$ for $x>0$ |
#
# Which of them are differentiable at 0?

# %%
#| answer: which-activations-can-be-backpropagated-p1
#| kind: choose-all
#| points: 1
#| options: {a: "A", b: "B", c: "C", d: "D"}
#| because: {a: "the two sides have different slopes", c: "continuous, but the slope of the chord never settles", d: "the two sides have different slopes"}
differentiable_at_0 = {"b"}  # SOLUTION

# %% [markdown]
# A derivative *from the right* is the limit of $f(h)/h$ as $h$ falls to 0, from the left likewise. Where both exist, a framework may return one of them, or anything between, and call it a subgradient.
# Which of the four have no one-sided derivative at 0, so that there is nothing to choose from?

# %%
#| answer: which-activations-can-be-backpropagated-p2
#| kind: choose-all
#| points: 1
#| options: {a: "A", b: "B", c: "C", d: "D"}
#| because: {a: "a kink has a slope on either side", b: "a straight line has the same slope on both sides", d: "a kink has a slope on either side"}
no_one_sided_slope = {"c"}  # SOLUTION

# %% [markdown]
# For A, B and D, write down the derivatives at 0 from the left and from the right: six numbers in the order A left, A right, B left, B right, D left, D right.

# %%
#| answer: which-activations-can-be-backpropagated-p3
#| kind: number
#| points: 1
#| tol: 1e-9
#| because: {"[-1, 1, 1, 1, -1, 1]": "D is a parabola on the right: how steep is it at its vertex?", "[0, 0, 1, 1, -1, 0]": "0 is what PyTorch returns for |x|, not the slope of either side", "[1, -1, 1, 1, 0, -1]": "left and right were swapped"}
one_sided_slopes = (-1, 1, 1, 1, -1, 0)  # SOLUTION

# %% [markdown]
# Now C. Write `quotient_of_c(h)`: the difference quotients $(C(h)-C(0))/h$ for an array of steps $h \ne 0$. Then look at it along the two sequences below, which both tend to 0.

# %%
#| given: which-activations-can-be-backpropagated
zigzag_a = 1 / (np.pi / 2 + 2 * np.pi * np.arange(1, 51))
zigzag_b = 1 / (3 * np.pi / 2 + 2 * np.pi * np.arange(1, 51))

# %%
#| answer: which-activations-can-be-backpropagated-p4
def quotient_of_c(h):
    """Return (C(h) - C(0)) / h for C(x) = x sin(1/x), C(0) = 0. h: array-like of nonzero numbers."""
    ### BEGIN SOLUTION
    return np.sin(1 / np.asarray(h))
    ### END SOLUTION

# %%
#| tests: which-activations-can-be-backpropagated-p4
@test_case(points=0.5, failure_message="Along either sequence the quotients stay at one and the same number. Which two numbers are they?")
def test_two_sequences(quotient_of_c, zigzag_a, zigzag_b):
    up, down = np.asarray(quotient_of_c(zigzag_a), dtype=float), np.asarray(quotient_of_c(zigzag_b), dtype=float)
    assert up.shape == down.shape == (50,)
    assert np.allclose(up, 1, atol=1e-9) and np.allclose(down, -1, atol=1e-9)


@test_case(points=1, hidden=True, failure_message="Try steps of either sign, large and small.")
def test_any_step(quotient_of_c):
    h = secret.uniform(0.01, 2.0, size=25) * secret.choice([-1.0, 1.0], size=25)
    got = np.asarray(quotient_of_c(h), dtype=float)
    assert got.shape == (25,) and np.allclose(got, (h * np.sin(1 / h) - 0) / h, atol=1e-9)

# %%
#| wrong: which-activations-can-be-backpropagated-p4
#| because: that is C(h) itself, not yet divided by h
#| earns: 0
def quotient_of_c(h):
    h = np.asarray(h, dtype=float)
    return h * np.sin(1 / h)

# %%
#| wrong: which-activations-can-be-backpropagated-p4
#| because: the angle is taken in degrees
#| earns: 0
def quotient_of_c(h):
    return np.sin(np.deg2rad(1 / np.asarray(h, dtype=float)))

# %%
#| wrong: which-activations-can-be-backpropagated-p4
#| because: that is the derivative of C away from 0, not the slope of the chord to 0
#| earns: 0.5
def quotient_of_c(h):
    h = np.asarray(h, dtype=float)
    return np.sin(1 / h) - np.cos(1 / h) / h

# %%
#| right: which-activations-can-be-backpropagated-p4
#| because: the definition, step by step
def quotient_of_c(h):
    import math

    return [(float(x) * math.sin(1 / float(x)) - 0.0) / float(x) for x in h]

# %% [markdown]
# No limit, so no slope at 0, from either side. Away from 0 the function is perfectly smooth, and autograd should cope with it. The obvious way to write it does not:
#
# ```python
# torch.where(x == 0, 0 * x, x * torch.sin(1 / x))     # right values, but the gradient at 0 is nan
# ```
#
# `torch.where` chooses between two *results*; backward runs through both branches, and $0 \cdot \infty$ is `nan`. Write `xsin(x)` with the same values, the true derivative for $x \ne 0$, and gradient 0 at $x = 0$.

# %%
#| answer: which-activations-can-be-backpropagated-p5
def xsin(x):
    """x sin(1/x) with value 0 and gradient 0 at x = 0, elementwise, for float tensors of any
    shape.
    """
    ### BEGIN SOLUTION
    safe = torch.where(x == 0, torch.ones_like(x), x)
    return torch.where(x == 0, 0, safe * torch.sin(1 / safe))
    ### END SOLUTION

# %%
#| tests: which-activations-can-be-backpropagated-p5
@probe
def xsin_and_gradient(xsin, points):
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y = xsin(x)
    y.sum().backward()
    return y.detach().numpy(), x.grad.numpy()


@test_case(points=1, failure_message="Call backward on xsin of [-1, 0, 2]. Is every gradient a finite number?")
def test_gradient_at_zero(xsin):
    values, gradients = xsin_and_gradient(xsin, [-1.0, 0.0, 2.0])
    assert values.shape == gradients.shape == (3,)
    assert np.allclose(values, [0.8414710, 0.0, 0.9588511], atol=1e-6)
    assert np.allclose(gradients, [-0.3011687, 0.0, 0.0406342], atol=1e-6)


@test_case(points=1.5, hidden=True, failure_message="Compare with the naive version away from 0, also very close to it, and in more than one dimension.")
def test_values_and_gradients(xsin):
    x = secret.uniform(0.1, 3.0, size=(4, 6)) * secret.choice([-1.0, 1.0], size=(4, 6))
    x[0] *= 1e-3
    flat = x.copy()
    values, gradients = xsin_and_gradient(xsin, np.where(secret.permuted(np.arange(24).reshape(4, 6) % 5 == 0, axis=1), 0.0, x))
    again, slopes = xsin_and_gradient(xsin, flat)
    assert values.shape == gradients.shape == again.shape == slopes.shape == (4, 6)
    assert np.allclose(again, x * np.sin(1 / x), rtol=1e-9, atol=1e-12)
    assert np.allclose(slopes, np.sin(1 / x) - np.cos(1 / x) / x, rtol=1e-8, atol=1e-9)
    at_zero = gradients == 0
    assert at_zero.sum() == 5 and (values[at_zero] == 0).all()
    assert np.array_equal(gradients[~at_zero], slopes[~at_zero]) and np.array_equal(values[~at_zero], again[~at_zero])

# %%
#| wrong: which-activations-can-be-backpropagated-p5
#| because: the branch that is not chosen still divides by 0, and its gradient turns into nan
#| earns: 0
def xsin(x):
    return torch.where(x == 0, 0 * x, x * torch.sin(1 / x))

# %%
#| wrong: which-activations-can-be-backpropagated-p5
#| because: adding a small number to x moves every value a little, and close to 0 a lot
#| earns: 0
def xsin(x):
    return x * torch.sin(1 / (x + 1e-8))

# %%
#| wrong: which-activations-can-be-backpropagated-p5
#| because: detaching the input of the sine cuts away part of the gradient
#| earns: 0
def xsin(x):
    safe = torch.where(x == 0, 1, x).detach()
    return x * torch.where(x == 0, 0, torch.sin(1 / safe))

# %%
#| wrong: which-activations-can-be-backpropagated-p5
#| because: the value at 0 is sin 1, that of the stand-in, instead of 0
#| earns: 0
def xsin(x):
    safe = torch.where(x == 0, 1, x)
    return safe * torch.sin(1 / safe)

# %%
#| right: which-activations-can-be-backpropagated-p5
#| because: work on the nonzero entries only and put them back
def xsin(x):
    nonzero = x != 0
    return torch.zeros_like(x).masked_scatter(nonzero, x[nonzero] * torch.sin(x[nonzero].reciprocal()))

# %%
#| right: which-activations-can-be-backpropagated-p5
#| because: a custom autograd function can say what its gradient is
def xsin(x):
    class XSin(torch.autograd.Function):
        @staticmethod
        def forward(ctx, t):
            ctx.save_for_backward(t)
            return torch.nan_to_num(t * torch.sin(1 / t))

        @staticmethod
        def backward(ctx, g):
            (t,) = ctx.saved_tensors
            return torch.where(t == 0, 0, g * (torch.sin(1 / t) - torch.cos(1 / t) / t))

    return XSin.apply(x)

# %% [markdown]
# <!--| hint: which-activations-can-be-backpropagated-p5 -->
# The trouble starts inside the branch, so mend it there: no entry that reaches `1 / …` may be 0. Two `where`s, one before and one after.

# %% [markdown]
# > **Common myth.** "A function with a kink cannot be backpropagated." A and D only have a kink, and frameworks pick a subgradient there. Even C is smooth everywhere but at one point; it is just hopeless *at* that point.

# %% [markdown]
# <!--| question: activation-table-exotic, level: H, minutes: 35, optional: true -->
# ## Extra · The cabinet of curiosities
# Tables of activation functions have a long tail. These eight come from its end: some were made for cheap hardware, one is a soft ramp, one is a bump. Their formulas are often copied with slips,
# so you will implement value *and* slope and check one against the other.
#
# ![Eight small plots on the interval from -4 to 4: SQNL, ISRU, ISRLU, GELU, SiLU, the soft exponential for a positive and a negative alpha, soft clipping and SQ-RBF. In the last one a dotted curve, a misprinted formula, is torn off the solid bump where x is between 1 and 2 in size.](eight-curiosities.svg)
#
# Every function below takes a number, list or array `x` and returns a pair: the values and the derivatives, elementwise. First two curves made of parabolas.
#
# - SQNL, the square nonlinearity: $x - x\lvert x\rvert/4$ for $\lvert x\rvert \le 2$; beyond that the constant $\pm 1$ it has reached.
# - SQ-RBF, a bump: $1 - x^2/2$ for $\lvert x\rvert \le 1$, then $(2-\lvert x\rvert)^2/2$ up to $\lvert x\rvert = 2$, then 0.

# %%
#| answer: activation-table-exotic-p1
def exotic_sqnl(x):
    """Return (value, derivative) of SQNL, elementwise."""
    ### BEGIN SOLUTION
    c = np.clip(x, a_min=-2, a_max=2)
    return c - c * np.abs(c) / 4, 1 - np.abs(c) / 2
    ### END SOLUTION


def exotic_sqrbf(x):
    """Return (value, derivative) of SQ-RBF, elementwise."""
    ### BEGIN SOLUTION
    r = np.abs(np.clip(x, a_min=-2, a_max=2))
    return np.where(r < 1, 1 - r**2 / 2, (2 - r) ** 2 / 2), -np.sign(x) * (1 - np.abs(r - 1))
    ### END SOLUTION

# %%
#| tests: activation-table-exotic-p1
@test_case(points=0.5, failure_message="Check a point in each piece of the formulas, and the points where pieces meet.")
def test_a_point_in_each_piece(exotic_sqnl, exotic_sqrbf):
    for got, wanted in (
        (exotic_sqnl([-1.0, 0.0, 0.5, 2.0]), [[-0.75, 0.0, 0.4375, 1.0], [0.5, 1.0, 0.75, 0.0]]),
        (exotic_sqrbf([-1.5, -0.5, 0.0, 1.0]), [[0.125, 0.875, 1.0, 0.5], [0.5, 0.5, 0.0, -1.0]]),
    ):
        assert len(got) == 2
        got = np.array([np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)])
        assert got.shape == (2, 4) and np.allclose(got, wanted, atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="Compare slopes with difference quotients on both sides of 0, and look beyond |x| = 2.")
def test_everywhere(exotic_sqnl, exotic_sqrbf):
    x = np.concatenate([secret.uniform(-2, 2, size=20), secret.uniform(2, 4, size=4), -secret.uniform(2, 4, size=4), [-2.0, -1.0, 1.0, 2.0, 3.0, -3.0]]).reshape(2, 17)
    r = np.abs(x)
    sqnl = np.where(r > 2, np.sign(x), x - x * r / 4), np.where(r > 2, 0, 1 - r / 2)
    sqrbf = np.select([r <= 1, r <= 2], [1 - x**2 / 2, (2 - r) ** 2 / 2], 0), np.select([r <= 1, r <= 2], [-x, x - 2 * np.sign(x)], 0)
    for function, wanted in ((exotic_sqnl, sqnl), (exotic_sqrbf, sqrbf)):
        value, slope = function(x)
        value, slope = np.asarray(value, dtype=float), np.asarray(slope, dtype=float)
        assert value.shape == slope.shape == x.shape
        assert np.allclose(value, wanted[0], atol=1e-6) and np.allclose(slope, wanted[1], atol=1e-6)

# %%
#| wrong: activation-table-exotic-p1
#| because: the slope of SQNL goes on beyond |x| = 2, although the curve is flat there
#| earns: 0.5
def exotic_sqnl(x):
    x = np.asarray(x, dtype=float)
    c = np.clip(x, -2, 2)
    return c - c * np.abs(c) / 4, 1 - np.abs(x) / 2

# %%
#| wrong: activation-table-exotic-p1
#| because: the absolute value in SQNL got lost, so the negative side bends the wrong way
#| earns: 0
def exotic_sqnl(x):
    c = np.clip(x, -2, 2)
    return c - c**2 / 4, 1 - c / 2

# %%
#| wrong: activation-table-exotic-p1
#| because: the outer slope of the bump has the wrong sign
#| earns: 0
def exotic_sqrbf(x):
    r = np.minimum(np.abs(x), 2)
    return np.where(r <= 1, 1 - r**2 / 2, (2 - r) ** 2 / 2), np.where(r <= 1, -np.asarray(x), (2 - r) * np.sign(x))

# %%
#| wrong: activation-table-exotic-p1
#| because: the misprinted middle branch makes the bump jump
#| earns: 0
def exotic_sqrbf(x):
    x = np.asarray(x, dtype=float)
    r = np.abs(x)
    return np.select([r <= 1, r < 2], [1 - x**2 / 2, 2 - (2 - x**2) / 2], 0), np.select([r <= 1, r < 2], [-x, x - 2 * np.sign(x)], 0)

# %%
#| right: activation-table-exotic-p1
#| because: one number at a time, with plain ifs
def exotic_sqnl(x):
    def one(t):
        if t > 2:
            return 1.0, 0.0
        if t < -2:
            return -1.0, 0.0
        return (t - t * t / 4, 1 - t / 2) if t > 0 else (t + t * t / 4, 1 + t / 2)

    pairs = np.array([one(t) for t in np.ravel(x)])
    return pairs[:, 0].reshape(np.shape(x)), pairs[:, 1].reshape(np.shape(x))


def exotic_sqrbf(x):
    x = torch.as_tensor(x, dtype=torch.float32)
    inner, outer = (x.abs() <= 1).float(), ((x.abs() > 1) & (x.abs() < 2)).float()
    return inner * (1 - x**2 / 2) + outer * (2 - x.abs()) ** 2 / 2, -x * inner + (x - 2 * x.sign()) * outer

# %% [markdown]
# Next a pair made of a square root, with a parameter $\alpha > 0$. ISRU is $x / \sqrt{1+\alpha x^2}$. ISRLU is the same for $x < 0$ and the identity for $x \ge 0$.

# %%
#| answer: activation-table-exotic-p2
def exotic_isru(x, alpha):
    """Return (value, derivative) of ISRU, elementwise."""
    ### BEGIN SOLUTION
    u = 1 + alpha * np.square(x)
    return x / np.sqrt(u), u**-1.5
    ### END SOLUTION


def exotic_isrlu(x, alpha):
    """Return (value, derivative) of ISRLU, elementwise."""
    ### BEGIN SOLUTION
    value, slope = exotic_isru(np.clip(x, a_min=None, a_max=0), alpha)
    return value + np.clip(x, a_min=0, a_max=None), slope
    ### END SOLUTION

# %%
#| tests: activation-table-exotic-p2
@test_case(points=0.5, failure_message="Work out x = ±1 by hand for alpha = 3.")
def test_by_hand(exotic_isru, exotic_isrlu):
    for got, wanted in (
        (exotic_isru([-1.0, 0.0, 1.0], 3.0), [[-0.5, 0.0, 0.5], [0.125, 1.0, 0.125]]),
        (exotic_isrlu([-1.0, 0.0, 1.0], 3.0), [[-0.5, 0.0, 1.0], [0.125, 1.0, 1.0]]),
    ):
        assert len(got) == 2
        got = np.array([np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)])
        assert got.shape == (2, 3) and np.allclose(got, wanted, atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="Try several values of alpha, and compare slopes with difference quotients.")
def test_any_alpha(exotic_isru, exotic_isrlu):
    for alpha in (0.2, 1.0, 2.7):
        x = secret.uniform(-4, 4, size=(3, 7))
        root = np.sqrt(1 + alpha * x**2)
        for function, left in ((exotic_isru, x < 9), (exotic_isrlu, x < 0)):
            value, slope = function(x, alpha)
            value, slope = np.asarray(value, dtype=float), np.asarray(slope, dtype=float)
            assert value.shape == slope.shape == x.shape
            assert np.allclose(value, np.where(left, x / root, x), atol=1e-6) and np.allclose(slope, np.where(left, root**-3, 1), atol=1e-6)

# %%
#| wrong: activation-table-exotic-p2
#| because: the slope forgets the inner derivative and stays too large
#| earns: 0
def exotic_isru(x, alpha):
    u = 1 + alpha * np.square(x)
    return x / np.sqrt(u), u**-0.5

# %%
#| wrong: activation-table-exotic-p2
#| because: alpha is missing in the slope
#| earns: 0
def exotic_isru(x, alpha):
    u = 1 + alpha * np.square(x)
    return x / np.sqrt(u), (1 + np.square(x)) ** -1.5

# %%
#| wrong: activation-table-exotic-p2
#| because: positive inputs are set to 0 instead of being passed on
#| earns: 0
def exotic_isrlu(x, alpha):
    return exotic_isru(np.minimum(x, 0), alpha)

# %%
#| right: activation-table-exotic-p2
#| because: torch writes the slopes
def exotic_isru(x, alpha):
    x = torch.as_tensor(x, dtype=torch.float64).clone().requires_grad_()
    y = x * torch.rsqrt(1 + alpha * x * x)
    return y.detach(), torch.autograd.grad(y.sum(), x)[0]


def exotic_isrlu(x, alpha):
    x = torch.as_tensor(x, dtype=torch.float64).clone().requires_grad_()
    y = torch.where(x < 0, x * torch.rsqrt(1 + alpha * x * x), x)
    return y.detach(), torch.autograd.grad(y.sum(), x)[0]

# %% [markdown]
# Two that made a career in language models. GELU is $x\,\Phi(x)$ with the normal distribution function $\Phi(x) = \tfrac12\bigl(1+\operatorname{erf}(x/\sqrt2)\bigr)$: the exact one, not its approximation by a tanh.
# SiLU is $x\,\sigma(x)$. (`torch.erf` and `torch.special.ndtr` will be welcome; `math.erf` does single numbers.)

# %%
#| answer: activation-table-exotic-p3
def exotic_gelu(x):
    """Return (value, derivative) of the exact GELU, elementwise."""
    ### BEGIN SOLUTION
    x = torch.as_tensor(x, dtype=torch.float64)
    cdf, pdf = torch.special.ndtr(x), torch.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return x * cdf, cdf + x * pdf
    ### END SOLUTION


def exotic_silu(x):
    """Return (value, derivative) of SiLU, elementwise."""
    ### BEGIN SOLUTION
    x = torch.as_tensor(x, dtype=torch.float64)
    s = torch.sigmoid(x)
    return x * s, s * (1 + x * (1 - s))
    ### END SOLUTION

# %%
#| tests: activation-table-exotic-p3
@test_case(points=0.5, failure_message="Both are 0 at 0. Compare values at ±1 with `torch.nn.functional`.")
def test_at_three_points(exotic_gelu, exotic_silu):
    for got, wanted in (
        (exotic_gelu([-1.0, 0.0, 1.0]), [-0.158655, 0.0, 0.841345]),
        (exotic_silu([-1.0, 0.0, 1.0]), [-0.268941, 0.0, 0.731059]),
    ):
        assert len(got) == 2
        value, slope = np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)
        assert value.shape == slope.shape == (3,) and np.allclose(value, wanted, atol=1e-5) and np.isclose(slope[1], 0.5, atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="Compare with torch and autograd to six digits.")
def test_to_six_digits(exotic_gelu, exotic_silu):
    x = secret.uniform(-4, 4, size=(3, 8))
    for function, known in ((exotic_gelu, nn.functional.gelu), (exotic_silu, nn.functional.silu)):
        t = torch.tensor(x, requires_grad=True)
        y = known(t)
        y.sum().backward()
        value, slope = function(x)
        value, slope = np.asarray(value, dtype=float), np.asarray(slope, dtype=float)
        assert value.shape == slope.shape == x.shape
        assert np.allclose(value, y.detach().numpy(), rtol=0, atol=2e-6) and np.allclose(slope, t.grad.numpy(), rtol=0, atol=2e-6)

# %%
#| wrong: activation-table-exotic-p3
#| because: that is the tanh approximation of GELU; the exact one was asked for
#| earns: 0
def exotic_gelu(x):
    x = torch.as_tensor(x, dtype=torch.float64).clone().requires_grad_()
    y = nn.functional.gelu(x, approximate="tanh")
    return y.detach(), torch.autograd.grad(y.sum(), x)[0]

# %%
#| wrong: activation-table-exotic-p3
#| because: the slope of SiLU is that of the gate alone
#| earns: 0
def exotic_silu(x):
    x = torch.as_tensor(x, dtype=torch.float64)
    s = torch.sigmoid(x)
    return x * s, s * (1 - s)

# %%
#| wrong: activation-table-exotic-p3
#| because: the slope of GELU stops after the first term of the product rule
#| earns: 0.5
def exotic_gelu(x):
    x = torch.as_tensor(x, dtype=torch.float64)
    cdf = torch.special.ndtr(x)
    return x * cdf, cdf

# %%
#| right: activation-table-exotic-p3
#| because: the error function of the standard library, one number at a time
def exotic_gelu(x):
    import math

    x = np.asarray(x, dtype=float)
    cdf = np.vectorize(lambda t: (1 + math.erf(t / math.sqrt(2))) / 2)(x)
    return x * cdf, cdf + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def exotic_silu(x):
    x = np.asarray(x, dtype=float)
    t = np.tanh(x / 2)
    return x * (1 + t) / 2, (1 + t) / 2 + x * (1 - t * t) / 4

# %% [markdown]
# Last the two with the most character, both with a parameter $\alpha$.
#
# - The soft exponential slides from logarithm through identity to exponential: $-\ln\bigl(1-\alpha(x+\alpha)\bigr)/\alpha$ for $\alpha<0$, $x$ for $\alpha = 0$, and $(e^{\alpha x}-1)/\alpha + \alpha$ for $\alpha>0$.
# - Soft clipping, $\alpha>0$, is a smooth ramp from 0 to 1: $\frac1\alpha \ln\frac{1+e^{\alpha x}}{1+e^{\alpha(x-1)}}$. It should survive $\alpha x = \pm 2000$.
#
# For negative $\alpha$ you will only be asked for $x$ where the logarithm exists.

# %%
#| answer: activation-table-exotic-p4
def exotic_soft_exponential(x, alpha):
    """Return (value, derivative) of the soft exponential, elementwise."""
    ### BEGIN SOLUTION
    x = np.asarray(x, dtype=float)
    if alpha < 0:
        u = 1 - alpha * (x + alpha)
        return -np.log(u) / alpha, 1 / u
    if alpha == 0:
        return x, np.ones_like(x)
    return (np.exp(alpha * x) - 1) / alpha + alpha, np.exp(alpha * x)
    ### END SOLUTION


def exotic_soft_clipping(x, alpha):
    """Return (value, derivative) of soft clipping, elementwise."""
    ### BEGIN SOLUTION
    z = alpha * np.asarray(x, dtype=float)
    rise, fall = np.logaddexp(0, z), np.logaddexp(0, z - alpha)
    return (rise - fall) / alpha, np.exp(z - rise) - np.exp(z - alpha - fall)
    ### END SOLUTION

# %%
#| tests: activation-table-exotic-p4
@test_case(points=0.5, failure_message="Work out the soft exponential for alpha = −1, 0 and 1 at a point or two, and soft clipping in the middle of its ramp.")
def test_by_hand(exotic_soft_exponential, exotic_soft_clipping):
    for got, wanted in (
        (exotic_soft_exponential([1.0, 2.0], -1.0), [[0.0, np.log(2)], [1.0, 0.5]]),
        (exotic_soft_exponential([-3.0, 2.0], 0.0), [[-3.0, 2.0], [1.0, 1.0]]),
        (exotic_soft_exponential([0.0, 1.0], 1.0), [[1.0, np.e], [1.0, np.e]]),
        (exotic_soft_clipping([0.5, 100.0], 2.0), [[0.5, 1.0], [0.4621172, 0.0]]),
    ):
        assert len(got) == 2
        got = np.array([np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)])
        assert got.shape == (2, 2) and np.allclose(got, wanted, atol=1e-6)


@test_case(points=0.5, hidden=True, failure_message="Try other values of alpha, compare slopes with difference quotients, and send soft clipping far out.")
def test_other_alphas(exotic_soft_exponential, exotic_soft_clipping):
    x = secret.uniform(-1, 1, size=(2, 6))
    for alpha in (-0.6, -0.2, 0.0, 0.3, 1.6):
        f = (lambda t: -np.log(1 - alpha * (t + alpha)) / alpha) if alpha < 0 else (lambda t: np.expm1(alpha * t) / alpha + alpha) if alpha else (lambda t: t)
        value, slope = exotic_soft_exponential(x, alpha)
        value, slope = np.asarray(value, dtype=float), np.asarray(slope, dtype=float)
        assert value.shape == slope.shape == x.shape
        assert np.allclose(value, f(x), atol=1e-6) and np.allclose(slope, (f(x + 1e-6) - f(x - 1e-6)) / 2e-6, atol=1e-5)
    for alpha in (0.7, 5.0):
        f = lambda t: np.log((1 + np.exp(alpha * t)) / (1 + np.exp(alpha * (t - 1)))) / alpha
        value, slope = exotic_soft_clipping(3 * x, alpha)
        value, slope = np.asarray(value, dtype=float), np.asarray(slope, dtype=float)
        assert value.shape == slope.shape == x.shape
        assert np.allclose(value, f(3 * x), atol=1e-6) and np.allclose(slope, (f(3 * x + 1e-6) - f(3 * x - 1e-6)) / 2e-6, atol=1e-5)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, slope = exotic_soft_clipping(np.array([-20.0, 0.5, 20.0]), 100.0)
    assert np.allclose(np.asarray(value, dtype=float), [0, 0.5, 1], atol=1e-6) and np.allclose(np.asarray(slope, dtype=float), [0, 1, 0], atol=1e-6)

# %%
#| wrong: activation-table-exotic-p4
#| because: soft clipping overflows: the exponentials are taken before the logarithm
#| earns: 0.5
def exotic_soft_clipping(x, alpha):
    x = np.asarray(x, dtype=float)
    s = lambda z: 1 / (1 + np.exp(-z))
    return np.log((1 + np.exp(alpha * x)) / (1 + np.exp(alpha * (x - 1)))) / alpha, s(alpha * x) - s(alpha * (x - 1))

# %%
#| wrong: activation-table-exotic-p4
#| because: alpha = 0 divides by zero; that case needs a line of its own
#| earns: 0
def exotic_soft_exponential(x, alpha):
    x = np.asarray(x, dtype=float)
    if alpha < 0:
        return -np.log(1 - alpha * (x + alpha)) / alpha, 1 / (1 - alpha * (x + alpha))
    return (np.exp(alpha * x) - 1) / np.float64(alpha) + alpha, np.exp(alpha * x)

# %%
#| wrong: activation-table-exotic-p4
#| because: the last term of the exponential branch, plus alpha, is missing
#| earns: 0
def exotic_soft_exponential(x, alpha):
    x = np.asarray(x, dtype=float)
    if alpha < 0:
        return -np.log(1 - alpha * (x + alpha)) / alpha, 1 / (1 - alpha * (x + alpha))
    if alpha == 0:
        return x, np.ones_like(x)
    return (np.exp(alpha * x) - 1) / alpha, np.exp(alpha * x)

# %%
#| wrong: activation-table-exotic-p4
#| because: the slope of soft clipping is still divided by alpha, although the inner derivative cancels it
#| earns: 0
def exotic_soft_clipping(x, alpha):
    z = alpha * np.asarray(x, dtype=float)
    rise, fall = np.logaddexp(0, z), np.logaddexp(0, z - alpha)
    return (rise - fall) / alpha, (np.exp(z - rise) - np.exp(z - alpha - fall)) / alpha

# %%
#| right: activation-table-exotic-p4
#| because: torch's softplus and sigmoid are stable, and expm1 is a little more exact
def exotic_soft_exponential(x, alpha):
    x = np.array(x, dtype=float)
    if alpha > 0:
        return alpha + np.expm1(alpha * x) / alpha, 1 + np.expm1(alpha * x)
    if alpha:
        return np.log1p(-alpha * x - alpha**2) / -alpha, (1 - alpha**2 - alpha * x) ** -1
    return x.tolist(), (0 * x + 1).tolist()


def exotic_soft_clipping(x, alpha):
    z = alpha * torch.as_tensor(x, dtype=torch.float64)
    softplus = nn.functional.softplus
    return (softplus(z) - softplus(z - alpha)) / alpha, torch.sigmoid(z) - torch.sigmoid(z - alpha)

# %%
#| equivalent: activation-table-exotic-p4
#| from: rise, fall = np.logaddexp(0, z), np.logaddexp(0, z - alpha)
#| to: rise, fall = np.logaddexp(z, 0), np.logaddexp(0, z - alpha)
#| because: logaddexp is symmetric

# %%
#| equivalent: activation-table-exotic-p4
#| from: rise, fall = np.logaddexp(0, z), np.logaddexp(0, z - alpha)
#| to: rise, fall = np.logaddexp(0, z), np.logaddexp(z - alpha, 0)
#| because: logaddexp is symmetric

# %% [markdown]
# <!--| hint: activation-table-exotic-p4 -->
# $\ln\frac{p}{q}$ is a difference of two logarithms, and `np.logaddexp(0, a)` computes $\ln(1+e^{a})$ safely. For the slope remember what the derivative of $\ln(1+e^z)$ is called.

# %% [markdown]
# GELU and SiLU dip below zero. Where is each minimum, and how deep? Four numbers to four decimals: GELU position, GELU value, SiLU position, SiLU value.

# %%
#| answer: activation-table-exotic-p5
#| kind: number
#| points: 1
#| tol: 1e-4
#| because: {"[0, 0, 0, 0]": "look left of 0: both curves come from below", "[-1, -0.5, -1, -0.5]": "these are round guesses; let a fine grid or a Newton step on the slope find the place",
#|   "[-0.169971, -0.751792, -0.278465, -1.278465]": "position first, then value"}
dips = (-0.751792, -0.169971, -1.278465, -0.278465)  # SOLUTION

# %% [markdown]
# The soft exponential is not defined everywhere. For $\alpha=-0.2$ its domain is $x > a$; for $\alpha = 0.5$ its values stay above $c$. Give the pair $(a, c)$.

# %%
#| answer: activation-table-exotic-p6
#| kind: number
#| points: 0.5
#| tol: 1e-6
#| because: {"[-4.8, 0]": "an exponential stays above 0, but here something is subtracted and something added", "[-5, -1.5]": "the shift by alpha inside the bracket was forgotten", "[-4.8, -2]": "the term plus alpha was forgotten",
#|   "[-1e999, -1.5]": "not all real numbers: the logarithm wants a positive argument"}
domain_and_bound = (1 / -0.2 + 0.2, -1 / 0.5 + 0.5)  # SOLUTION

# %% [markdown]
# And the misprint in the picture. One well-known table gives the middle branch of the SQ-RBF as $2-(2-x^2)/2$. Put $x=1$ into the inner branch $1-x^2/2$, into the misprinted branch, and into the right one, $(2-\lvert x\rvert)^2/2$.
# Three numbers in this order.

# %%
#| answer: activation-table-exotic-p7
#| kind: number
#| points: 0.5
#| tol: 1e-6
#| because: {"[0.5, 0.5, 0.5]": "that would be continuous, but the misprinted branch is not", "[0.5, -0.5, 0.5]": "mind the sign in front of the bracket", "[0.5, 1.5, 1.5]": "the last one is a square over two"}
branches_at_1 = (1 - 1**2 / 2, 2 - (2 - 1**2) / 2, (2 - abs(1)) ** 2 / 2)  # SOLUTION

# %% [markdown]
# > **Common myth.** "It is in the table, so it is right." A much-copied table has SQNL as twice continuously differentiable (its second derivative jumps at 0 and at ±2), the slope of SQNL without its flat ends, a bump that jumps,
# > and the soft exponential with all real numbers as its domain. A few lines of finite differences find most of that.

# %% [markdown]
# <!--| question: activation-table-audit, level: M, minutes: 30, optional: true -->
# ## Extra · The audit
# If tables are wrong, let a machine read them. Below is `audit_table`, twelve activation functions as somebody typed them in: five derivatives and two ranges are wrong. Reading will find some. You will write the tools that find all.
#
# **Derivatives.** Write `audit_derivatives(table, grid)`. Each row of `table` is a dict with a `"name"`, functions `"f"` and `"df"` (they take arrays) and a list `"skip"` of points to leave out: kinks, seams,
# places where a formula divides by 0. Return the names of the rows whose `df` disagrees with the central difference of `f` at some point of `grid` that is not to be skipped. An error of one part in a thousand must be noticed there, and a right row never accused.

# %%
#| given: activation-table-audit
def audit_rows():
    """The table to be audited: name, function, derivative, points to skip, claimed range, and
    which ends of the range are attained.
    """
    sigmoid = lambda x: 1 / (1 + np.exp(-x))
    clipped = lambda x: np.clip(x, -2, 2)
    inf = np.inf
    rows = [
        ("sigmoid", sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)), [], (0, 1), (False, False)),
        ("tanh", np.tanh, lambda x: 1 - np.tanh(x) ** 2, [], (-1, 1), (False, False)),
        ("softsign", lambda x: x / (1 + np.abs(x)), lambda x: 1 / (1 + x**2), [0], (-1, 1), (False, False)),
        ("ReLU", lambda x: np.maximum(x, 0), lambda x: np.where(x > 0, 1.0, 0.0), [0], (0, inf), (True, False)),
        ("ELU", lambda x: np.where(x > 0, x, np.exp(x) - 1), lambda x: np.where(x > 0, 1.0, np.exp(x)), [0], (-1, inf), (False, False)),
        ("SELU", lambda x: np.where(x > 0, 1.0507 * x, 1.7581 * (np.exp(x) - 1)), lambda x: np.where(x > 0, 1.057, 1.7581 * np.exp(x)), [0], (-1.7581, inf), (False, False)),
        ("softplus", lambda x: np.logaddexp(0, x), sigmoid, [], (0, inf), (True, False)),
        ("SQNL", lambda x: clipped(x) - clipped(x) * np.abs(clipped(x)) / 4, lambda x: 1 - np.abs(x) / 2, [-2, 0, 2], (-1, 1), (True, True)),
        ("sinc", lambda x: np.sinc(x / np.pi), lambda x: (np.cos(x) - np.sinc(x / np.pi)) / x, [0], (-0.2172336, 1), (True, True)),
        ("Gaussian", lambda x: np.exp(-(x**2)), lambda x: -x * np.exp(-(x**2)), [], (0, 1), (False, True)),
        ("SiLU", lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x))), [], (-0.25, inf), (True, False)),
        ("ISRU, alpha 1/2", lambda x: x / np.sqrt(1 + x**2 / 2), lambda x: (1 + x**2) ** -1.5, [], (-np.sqrt(2), np.sqrt(2)), (False, False)),
    ]
    return [dict(zip(("name", "f", "df", "skip", "range", "closed"), row)) for row in rows]


audit_table = audit_rows()
audit_grid = np.linspace(-10, 10, 20001)

# %%
#| answer: activation-table-audit-p1
def audit_derivatives(table, grid):
    """Return the names of the rows whose df disagrees with central differences of f at some grid
    point that is not to be skipped.

    table: list of dicts with "name", "f", "df", "skip". grid: array of numbers.
    """
    ### BEGIN SOLUTION
    h = 1e-5
    accused = []
    for row in table:
        x = np.array([point for point in grid if all(abs(point - kink) > h for kink in row["skip"])])
        quotient = (row["f"](x + h) - row["f"](x - h)) / (2 * h)
        if not np.allclose(row["df"](x), quotient, atol=1e-6):
            accused.append(row["name"])
    return accused
    ### END SOLUTION

# %%
#| tests: activation-table-audit-p1
@probe
def accused_of(audit_derivatives, planted, grid, factor):
    """Names that the audit reports for a table in which the rows named in planted have a wrong derivative."""
    rows = [
        ("ramp", lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0, lambda x: (x < 0) * 1.0, [0.0]),
        ("hat", lambda x: np.abs(x), np.sign, lambda x: np.ones_like(x), [0.0]),
        ("box", lambda x: np.clip(x, -1, 1), lambda x: (np.abs(x) < 1) * 1.0, lambda x: np.ones_like(x), [-1.0, 1.0]),
        ("square", lambda x: x * np.abs(x) / 2, np.abs, lambda x: x, [0.0]),
        ("wave", np.cos, lambda x: -np.sin(x), np.sin, []),
        ("bell", lambda x: np.exp(-(x**2)), lambda x: -2 * x * np.exp(-(x**2)), lambda x: -x * np.exp(-(x**2)), []),
        ("root", lambda x: x / np.sqrt(1 + 3 * x**2), lambda x: (1 + 3 * x**2) ** -1.5, lambda x: (1 + x**2) ** -1.5, []),
        ("stairs", lambda x: (x > 0.5) * 1.0, lambda x: 0 * x, lambda x: 0 * x + 1, [0.5]),
        ("faint", lambda x: 0.02 * np.tanh(x), lambda x: 0.02 / np.cosh(x) ** 2, lambda x: factor * 0.02 / np.cosh(x) ** 2, []),
        ("cube", lambda x: x**3, lambda x: 3 * x**2, lambda x: factor * 3 * x**2, []),
    ]
    table = [{"name": name, "f": f, "df": wrong if name in planted else right, "skip": skip} for name, f, right, wrong, skip in rows]
    return sorted({str(name) for name in audit_derivatives(table, grid)})


@test_case(points=0.5, failure_message="ReLU is right away from its kink; a derivative without its minus sign is not.")
def test_one_wrong_row(audit_derivatives):
    assert accused_of(audit_derivatives, ["wave"], np.linspace(-3, 3, 61), 1.0) == ["wave"]


@test_case(points=1, hidden=True, failure_message="Plant errors yourself: a sign, a lost absolute value, a missing factor, a flat region forgotten. And is any innocent row accused?")
def test_planted_errors(audit_derivatives):
    names = ["ramp", "hat", "box", "square", "wave", "bell", "root", "stairs", "faint", "cube"]
    grid = np.linspace(-4, 4, 81)
    order = [str(name) for name in secret.permutation(names)]
    for planted in (order[:5], order[5:]):
        assert accused_of(audit_derivatives, planted, grid, 2.0) == sorted(planted)


@test_case(points=0.5, hidden=True, failure_message="How small an error do you still notice? Try a slope of 0.02 that is wrong by one part in a thousand.")
def test_one_part_in_a_thousand(audit_derivatives):
    grid = np.linspace(-4, 4, 81)
    assert accused_of(audit_derivatives, ["faint"], grid, 1.001) == ["faint"]
    assert accused_of(audit_derivatives, ["cube"], grid, 0.999) == ["cube"]

# %%
#| wrong: activation-table-audit-p1
#| because: the tolerance is too loose: errors of a tenth of a per cent slip through
#| earns: 1.5
def audit_derivatives(table, grid):
    accused = []
    for row in table:
        x = np.array([p for p in grid if all(abs(p - kink) > 1e-5 for kink in row["skip"])])
        quotient = (row["f"](x + 1e-5) - row["f"](x - 1e-5)) / 2e-5
        if np.abs(row["df"](x) - quotient).max() > 0.005:
            accused.append(row["name"])
    return accused

# %%
#| wrong: activation-table-audit-p1
#| because: it accuses right functions of having a kink
#| earns: 0
def audit_derivatives(table, grid):
    grid = np.asarray(grid)
    return [row["name"] for row in table if not np.allclose(row["df"](grid), (row["f"](grid + 1e-5) - row["f"](grid - 1e-5)) / 2e-5, rtol=1e-4, atol=1e-7)]

# %%
#| wrong: activation-table-audit-p1
#| because: with h = 1e-12 the difference drowns in rounding errors
#| earns: 0
def audit_derivatives(table, grid):
    accused = []
    for row in table:
        x = np.array([p for p in grid if all(abs(p - kink) > 1e-5 for kink in row["skip"])])
        quotient = (row["f"](x + 1e-12) - row["f"](x - 1e-12)) / 2e-12
        if not np.allclose(row["df"](x), quotient, rtol=1e-4, atol=1e-7):
            accused.append(row["name"])
    return accused

# %%
#| wrong: activation-table-audit-p1
#| because: forward differences with a large step are too coarse, and innocent rows are accused
#| earns: 0
def audit_derivatives(table, grid):
    accused = []
    for row in table:
        x = np.array([p for p in grid if all(abs(p - kink) > 0.01 for kink in row["skip"])])
        if not np.allclose(row["df"](x), (row["f"](x + 0.01) - row["f"](x)) / 0.01, rtol=1e-4, atol=1e-7):
            accused.append(row["name"])
    return accused

# %%
#| right: activation-table-audit-p1
#| because: another step, another tolerance, one point at a time, and a set of names
def audit_derivatives(table, grid):
    def agrees(row, p, h=1e-4):
        p = np.array([float(p)])
        quotient = (8 * (row["f"](p + h) - row["f"](p - h)) - (row["f"](p + 2 * h) - row["f"](p - 2 * h))) / (12 * h)
        return abs(float((quotient - row["df"](p))[0])) <= 2e-4 * abs(float(quotient[0])) + 1e-6

    return {row["name"] for row in table if not all(agrees(row, p) for p in grid if min([abs(p - k) for k in row["skip"]], default=1) > 1e-3)}

# %%
#| equivalent: activation-table-audit-p1
#| from: x = np.array([point for point in grid if all(abs(point - kink) > h for kink in row["skip"])])
#| to: x = np.array([point for point in grid if all(abs(point - kink) >= h for kink in row["skip"])])
#| because: no grid point is exactly h away from a point to skip

# %%
#| equivalent: activation-table-audit-p1
#| from: if not np.allclose(row["df"](x), quotient, atol=1e-6):
#| to: if not np.allclose(quotient, row["df"](x), atol=1e-6):
#| because: the two differ only in what the relative tolerance is relative to

# %% [markdown]
# <!--| hint: activation-table-audit-p1 -->
# The step $h$ must be small, but not too small: the formula's error falls with $h^2$, the rounding error grows with $1/h$. Where do the two meet in double precision?

# %% [markdown]
# **Smoothness.** Tables also claim that a function is "$C^1$" at its seam: continuous, with a continuous first derivative. Write `continuity_order(f, point)` that finds out from values on either side: $-1$ if $f$ itself jumps there, 0 if only the
# slope jumps, 1 if value and slope agree but the second derivative jumps, and 2 if even that agrees. `f` takes arrays and may be undefined at `point` itself. You may rely on this: whatever jumps, jumps by at least 0.25, and near the point nothing else changes quickly.

# %%
#| answer: activation-table-audit-p2
def continuity_order(f, point):
    """Return -1, 0, 1 or 2: the highest derivative of f (0: the value) that is continuous at
    point, -1 if none, 2 at most.
    """
    ### BEGIN SOLUTION
    steps = 1e-3 * np.arange(1, 4)
    right = np.polyfit(steps, f(point + steps), 2)
    left = np.polyfit(-steps, f(point - steps), 2)
    jumps = np.abs(right - left)[::-1] > 0.1
    return int(np.argmax(jumps)) - 1 if jumps.any() else 2
    ### END SOLUTION

# %%
#| tests: activation-table-audit-p2
@probe
def orders_of_known(continuity_order, names):
    def sqnl(x):
        c = np.clip(x, -2, 2)
        return c - c * np.abs(c) / 4

    def bump(x):
        r = np.minimum(np.abs(x), 2)
        return np.where(r <= 1, 1 - r**2 / 2, (2 - r) ** 2 / 2)

    known = {
        "step": (lambda x: np.where(x > 0, 1.0, 0.0), 0.0),
        "ReLU": (lambda x: np.maximum(x, 0), 0.0),
        "hat": (lambda x: np.abs(x), 0.0),
        "softsign": (lambda x: x / (1 + np.abs(x)), 0.0),
        "SQNL": (sqnl, 0.0),
        "SQNL end": (sqnl, 2.0),
        "bump": (bump, 1.0),
        "SELU": (lambda x: 1.0507 * np.where(x > 0, x, 1.6733 * (np.exp(x) - 1)), 0.0),
        "ISRLU": (lambda x: np.where(x < 0, x / np.sqrt(1 + x**2), x), 0.0),
        "sine": (np.sin, 0.7),
    }
    return [int(continuity_order(*known[name])) for name in names]


@probe
def orders_of_seams(continuity_order, lefts, rights, points):
    """Orders at the seams of pairs of parabolas, whose coefficients are given by falling powers of x - point."""
    orders = []
    for left, right, point in zip(lefts, rights, points):
        f = lambda x: np.where(x > point, np.polyval(right, x - point), np.polyval(left, x - point))
        orders.append(int(continuity_order(f, float(point))))
    return orders


@test_case(points=0.5, failure_message="Begin with functions you know: a step, ReLU, softsign and a sine.")
def test_functions_you_know(continuity_order):
    assert orders_of_known(continuity_order, ["step", "ReLU", "softsign", "sine"]) == [-1, 0, 1, 2]


@test_case(points=0.5, hidden=True, failure_message="Try symmetric functions, a seam away from 0, and one whose third derivative is the first to jump.")
def test_rows_of_the_table(continuity_order):
    assert orders_of_known(continuity_order, ["hat", "SQNL", "SQNL end", "bump", "SELU", "ISRLU"]) == [0, 1, 1, 1, 0, 2]


@test_case(points=0.5, hidden=True, failure_message="Glue two parabolas together at a point of your choice.")
def test_two_parabolas(continuity_order):
    wanted = secret.permutation([-1, 0, 1, 2, -1, 0, 1, 2])
    lefts = secret.uniform(-2, 2, size=(8, 3))
    jumps = secret.uniform(0.25, 0.35, size=(8, 3)) * secret.choice([-1, 1], size=(8, 3))
    rights = np.array([[a + (order < 2) * j / 2, b + (order < 1) * k, c + (order < 0) * m] for order, (a, b, c), (j, k, m) in zip(wanted, lefts, jumps)])
    points = secret.uniform(-3, 3, size=8)
    assert orders_of_seams(continuity_order, lefts, rights, points) == [int(order) for order in wanted]

# %%
#| wrong: activation-table-audit-p2
#| because: differences taken across the point cancel for a symmetric kink
#| earns: 0
def continuity_order(f, point):
    value = lambda h: f(np.array([point + h]))[0]
    h = 1e-3
    slopes = [(value(k * h) - value(-k * h)) / (2 * k * h) for k in (1, 2, 4)]
    if abs(value(h) - value(-h)) > 0.05:
        return -1
    if abs(slopes[0] - slopes[2]) > 0.05:
        return 0
    return 1 if abs(slopes[0] - slopes[1]) > 0.01 else 2

# %%
#| wrong: activation-table-audit-p2
#| because: the threshold does not know the step, so an ordinary slope looks like a jump
#| earns: 0
def continuity_order(f, point):
    value = lambda h: f(np.array([point + h]))[0]
    h = 1e-2
    slope = lambda s: (value(2 * s * h) - value(s * h)) / (s * h)
    bend = lambda s: (value(3 * s * h) - 2 * value(2 * s * h) + value(s * h)) / h**2
    if abs(value(h) - value(-h)) > 1e-3:
        return -1
    if abs(slope(1) - slope(-1)) > 1e-3:
        return 0
    return 1 if abs(bend(1) - bend(-1)) > 1e-3 else 2

# %%
#| wrong: activation-table-audit-p2
#| because: it stops at the slope and never looks at the second derivative
#| earns: 0
def continuity_order(f, point):
    steps = 1e-3 * np.arange(1, 4)
    right = np.polyfit(steps, f(point + steps), 2)
    left = np.polyfit(-steps, f(point - steps), 2)
    return -1 if abs(right[2] - left[2]) > 0.05 else 0 if abs(right[1] - left[1]) > 0.05 else 1

# %%
#| right: activation-table-audit-p2
#| because: one-sided difference formulas, written out
def continuity_order(f, point):
    h = 5e-4

    def side(s):
        a, b, c = (float(f(np.asarray(point + s * k * h))) for k in (1, 2, 3))
        return 3 * a - 3 * b + c, s * (-5 * a + 8 * b - 3 * c) / (2 * h), (a - 2 * b + c) / h**2

    for order, (p, q) in enumerate(zip(side(1), side(-1))):
        if abs(p - q) > 0.1:
            return order - 1
    return 2

# %%
#| equivalent: activation-table-audit-p2
#| from: steps = 1e-3 * np.arange(1, 4)
#| to: steps = 1e-3 * np.arange(1, 5)
#| because: a fourth point on either side does no harm

# %%
#| equivalent: activation-table-audit-p2
#| from: steps = 1e-3 * np.arange(1, 4)
#| to: steps = 1e-3 / np.arange(1, 4)
#| because: three other points close by

# %%
#| equivalent: activation-table-audit-p2
#| from: jumps = np.abs(right - left)[::-1] > 0.1
#| to: jumps = np.abs(right - left)[::-1] >= 0.1
#| because: no jump is exactly 0.1

# %% [markdown]
# <!--| hint: activation-table-audit-p2 -->
# Three values on one side of the point determine a parabola. What do its three coefficients tell you about the value, the slope and the second derivative when you arrive from that side?

# %% [markdown]
# **Ranges.** Write `check_range(f, lo, hi, closed, grid)`: is the claim that the values of `f` run from `lo` to `hi` compatible with its values on `grid`? `closed` is a pair of bools, one for each end.
# A closed end must be attained: the extreme value on the grid equals it to within $10^{-6}$. An open end may not be reached at all: every value lies strictly inside. Open ends may be infinite. Return `True` or `False`.

# %%
#| answer: activation-table-audit-p3
def check_range(f, lo, hi, closed, grid):
    """Return whether f's values on grid fit the claimed range. closed: (bool for lo, bool for hi)."""
    ### BEGIN SOLUTION
    y = f(grid)
    low = abs(y.min() - lo) < 1e-6 if closed[0] else y.min() > lo
    high = abs(y.max() - hi) < 1e-6 if closed[1] else y.max() < hi
    return bool(low and high)
    ### END SOLUTION

# %%
#| tests: activation-table-audit-p3
@probe
def range_verdicts(check_range, claims, shift, grid):
    """Verdicts on claims (name, lo, hi, closed) about functions that are shifted upwards."""
    functions = {
        "tanh": np.tanh,
        "ramp": lambda x: np.maximum(x, 0),
        "misprint": lambda x: x / (1 + x),
        "softsign": lambda x: x / (1 + np.abs(x)),
        "SQNL": lambda x: np.clip(x, -2, 2) - np.clip(x, -2, 2) * np.abs(np.clip(x, -2, 2)) / 4,
        "sinc": lambda x: np.sinc(x / np.pi),
    }
    return [bool(check_range(lambda x: functions[name](x) + shift, lo + shift, hi + shift, closed, grid)) for name, lo, hi, closed in claims]


@test_case(points=0.5, failure_message="tanh stays strictly between −1 and 1; a closed end would have to be attained.")
def test_open_and_closed_ends(check_range):
    claims = [("tanh", -1, 1, (False, False)), ("tanh", -1, 1, (True, False)), ("SQNL", -1, 1, (True, True)), ("SQNL", -1, 1, (True, False))]
    assert range_verdicts(check_range, claims, 0.0, np.linspace(-6, 6, 12001)) == [True, False, True, False]


@test_case(points=1, hidden=True, failure_message="Try infinite ends, values far from the middle of the grid, and claims that are only slightly wrong.")
def test_claims_of_many_kinds(check_range):
    inf = float("inf")
    claims = [
        (("ramp", 0, inf, (True, False)), True),
        (("ramp", 0, inf, (False, False)), False),
        (("ramp", -inf, 9, (False, False)), True),
        (("ramp", 0, 7, (True, False)), False),
        (("softsign", -1, 1, (False, False)), True),
        (("softsign", -1, 0.8, (False, False)), False),
        (("softsign", -0.8, 1, (False, False)), False),
        (("misprint", -1, 1, (False, False)), False),
        (("sinc", -0.2172336, 1, (True, True)), True),
        (("sinc", -0.2, 1, (True, True)), False),
        (("sinc", -0.2172336, 0.999, (True, True)), False),
        (("sinc", -0.3, 1, (True, True)), False),
        (("SQNL", -1, 1, (False, True)), False),
        (("SQNL", -1, 1 - 0.6e-6, (True, True)), True),
        (("SQNL", -1, 1 + 1.005e-6, (True, True)), False),
        (("SQNL", -1 + 0.6e-6, 1, (True, True)), True),
        (("SQNL", -1 - 1.005e-6, 1, (True, True)), False),
    ]
    shift = float(secret.integers(-3, 4))
    grid = np.linspace(-8.5, 8.5, 17001)
    order = secret.permutation(len(claims))
    got = range_verdicts(check_range, [claims[i][0] for i in order], shift, grid)
    assert got == [claims[i][1] for i in order]

# %%
#| wrong: activation-table-audit-p3
#| because: it looks only between −1 and 1, where nothing has happened yet
#| earns: 0
def check_range(f, lo, hi, closed, grid):
    y = f(grid[np.abs(grid) <= 1])
    low = abs(y.min() - lo) < 1e-6 if closed[0] else y.min() > lo
    high = abs(y.max() - hi) < 1e-6 if closed[1] else y.max() < hi
    return bool(low and high)

# %%
#| wrong: activation-table-audit-p3
#| because: open and closed are mixed up
#| earns: 0
def check_range(f, lo, hi, closed, grid):
    y = f(grid)
    low = y.min() > lo if closed[0] else abs(y.min() - lo) < 1e-6
    high = y.max() < hi if closed[1] else abs(y.max() - hi) < 1e-6
    return bool(low and high)

# %%
#| wrong: activation-table-audit-p3
#| because: closed ends need not be attained here: it only looks for values outside
#| earns: 0
def check_range(f, lo, hi, closed, grid):
    y = f(grid)
    return bool((y >= lo - 1e-6).all() and (y <= hi + 1e-6).all())

# %%
#| wrong: activation-table-audit-p3
#| because: the flag of the lower end is used for both ends
#| earns: 0
def check_range(f, lo, hi, closed, grid):
    y = f(grid)
    low = abs(y.min() - lo) < 1e-6 if closed[0] else y.min() > lo
    high = abs(y.max() - hi) < 1e-6 if closed[0] else y.max() < hi
    return bool(low and high)

# %%
#| right: activation-table-audit-p3
#| because: turn the function over and ask the same question twice
def check_range(f, lo, hi, closed, grid):
    def below(values, end, attained):
        top = max(values)
        return (-1e-6 < top - end < 1e-6) if attained else all(v < end for v in values)

    values = [float(v) for v in f(np.asarray(grid))]
    return below(values, hi, closed[1]) and below([-v for v in values], -lo, closed[0])

# %%
#| equivalent: activation-table-audit-p3
#| from: low = abs(y.min() - lo) < 1e-6 if closed[0] else y.min() > lo
#| to: low = abs(y.min() - lo) <= 1e-6 if closed[0] else y.min() > lo
#| because: no value is off by exactly 1e-6

# %%
#| equivalent: activation-table-audit-p3
#| from: high = abs(y.max() - hi) < 1e-6 if closed[1] else y.max() < hi
#| to: high = abs(y.max() - hi) <= 1e-6 if closed[1] else y.max() < hi
#| because: no value is off by exactly 1e-6

# %% [markdown]
# Now let them loose on `audit_table` with `audit_grid`. Whose derivatives are wrong?

# %%
#| answer: activation-table-audit-p4
#| kind: choose-all
#| points: 0.5
#| options: {a: "sigmoid", b: "tanh", c: "softsign", d: "ReLU", e: "ELU", f: "SELU", g: "softplus", h: "SQNL", i: "sinc", j: "Gaussian", k: "SiLU", l: "ISRU"}
#| because: {d: "it only has a kink, and kinks are to be skipped", i: "its formula divides by 0 at 0, which is listed as a point to skip"}
wrong_derivatives = {"c", "f", "h", "j", "l"}  # SOLUTION

# %% [markdown]
# And whose claimed ranges?

# %%
#| answer: activation-table-audit-p5
#| kind: choose-all
#| points: 0.5
#| options: {a: "sigmoid", b: "tanh", c: "softsign", d: "ReLU", e: "ELU", f: "SELU", g: "softplus", h: "SQNL", i: "sinc", j: "Gaussian", k: "SiLU", l: "ISRU"}
#| because: {h: "it is flat beyond 2, so it attains both ends", i: "its lowest value is where the table says"}
wrong_ranges = {"g", "k"}  # SOLUTION

# %% [markdown]
# > **Common myth.** "Numerical derivatives are too crude to judge a formula." Central differences in double precision are good to about ten digits. The right rows of this table agree with theirs to better than one part in ten million, and no wrong one comes close.

# %% [markdown]
# ### You can now
# say why depth without bends is no depth, write some twenty activation functions with slopes that survive $\pm 1000$, measure which layers hear from the loss, and find the units that have died.
#
# Something to chew on: your `gradient_norms` blamed the sigmoid's gentle slopes. Could you rescue a deep sigmoid network with *larger* weights, and what would that do to the saturation of section 5?
