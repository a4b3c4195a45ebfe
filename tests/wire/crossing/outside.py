# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Figures, output, source and globals
#     limits: {cell_s: 20, case_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Figures, output, source and globals

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import matplotlib.pyplot as plt
import numpy as np
import torch

# %% [markdown]
# <!--| question: figure -->
# ## A figure that is returned

# %%
#| answer: figure
def plot_losses(train, val):
    ### BEGIN SOLUTION
    fig, ax = plt.subplots()
    ax.plot(train, label="train")
    ax.plot(val, label="val", linestyle="--")
    ax.set(xlabel="epoch", ylabel="loss", yscale="log", title="Training")
    ax.legend()
    return fig
    ### END SOLUTION

# %%
#| tests: figure
@test_case(points=1)
def test_lines_and_labels(plot_losses):
    fig = plot_losses([1.0, 0.5, 0.2], [1.2, 0.8, 0.9])
    assert len(fig.axes) == 1
    ax = fig.axes[0]
    assert ax.get_xlabel() == "epoch" and ax.get_ylabel() == "loss" and ax.get_yscale() == "log"
    lines = ax.get_lines()
    assert len(lines) == 2 and np.allclose(lines[0].get_ydata(), [1.0, 0.5, 0.2])
    assert [line.get_label() for line in lines] == ["train", "val"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "val"]
    plt.close(fig)

# %%
#| wrong: figure
#| because: both lines show the training loss
def plot_losses(train, val):
    fig, ax = plt.subplots()
    ax.plot(val, label="train")
    ax.plot(train, label="val")
    ax.set(xlabel="epoch", ylabel="loss", yscale="log")
    ax.legend()
    return fig

# %%
#| wrong: figure
#| because: there is no legend
def plot_losses(train, val):
    fig, ax = plt.subplots()
    ax.plot(train, label="train")
    ax.plot(val, label="val")
    ax.set(xlabel="epoch", ylabel="loss", yscale="log")
    return fig

# %% [markdown]
# <!--| question: current-figure -->
# ## The current figure

# %%
#| answer: current-figure
def show_filters(filters):
    ### BEGIN SOLUTION
    plt.figure()
    for i, image in enumerate(filters):
        plt.subplot(1, len(filters), i + 1)
        plt.imshow(image, cmap="gray")
        plt.title(f"filter {i}")
    ### END SOLUTION

# %%
#| tests: current-figure
@test_case(points=1)
def test_one_picture_each(show_filters):
    plt.close("all")
    filters = np.random.default_rng(0).normal(size=(3, 5, 5))
    show_filters(filters)
    assert len(plt.get_fignums()) == 1
    axes = plt.gcf().axes
    assert [ax.get_title() for ax in axes] == ["filter 0", "filter 1", "filter 2"]
    assert np.allclose(axes[2].get_images()[0].get_array(), filters[2])
    assert plt.gca().get_title() == "filter 2"

# %%
#| wrong: current-figure
#| because: each picture has a figure of its own
def show_filters(filters):
    for i, image in enumerate(filters):
        plt.figure()
        plt.imshow(image, cmap="gray")
        plt.title(f"filter {i}")

# %%
#| wrong: current-figure
#| because: each panel shows the first filter
def show_filters(filters):
    fig, axes = plt.subplots(1, len(filters))
    for i, ax in enumerate(axes):
        ax.imshow(filters[0], cmap="gray")
        ax.set_title(f"filter {i}")

# %% [markdown]
# <!--| question: printed -->
# ## Printed output

# %%
#| answer: printed
def report(history):
    ### BEGIN SOLUTION
    for epoch, loss in enumerate(history, start=1):
        print(f"epoch {epoch}: loss {loss:.3f}")
    ### END SOLUTION

# %%
#| tests: printed
import contextlib
import io


@test_case(points=1)
def test_lines(report):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        report([0.5, 0.25])
    assert out.getvalue() == "epoch 1: loss 0.500\nepoch 2: loss 0.250\n"

# %%
#| wrong: printed
#| because: it returns the text
def report(history):
    return "\n".join(f"epoch {i}: loss {loss:.3f}" for i, loss in enumerate(history, start=1))

# %%
#| wrong: printed
#| because: epochs count from one
def report(history):
    for epoch, loss in enumerate(history):
        print(f"epoch {epoch}: loss {loss:.3f}")

# %% [markdown]
# <!--| question: signature -->
# ## A signature

# %%
#| answer: signature
### BEGIN SOLUTION
def conv2d(x, kernel, *, stride: int = 1, padding: int = 0):
    """Slide a kernel over an image."""
    x = np.pad(x, padding)
    k = len(kernel)
    rows, cols = (np.array(x.shape) - k) // stride + 1
    return np.array([[(x[i * stride : i * stride + k, j * stride : j * stride + k] * kernel).sum() for j in range(cols)] for i in range(rows)])

### END SOLUTION

# %%
#| tests: signature
import inspect


@test_case(points=1)
def test_parameters(conv2d):
    parameters = inspect.signature(conv2d).parameters
    assert list(parameters) == ["x", "kernel", "stride", "padding"]
    assert parameters["stride"].default == 1 and parameters["stride"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["padding"].annotation in (int, "int")
    assert conv2d.__name__ == "conv2d" and "kernel" in conv2d.__doc__
    assert conv2d(np.ones((4, 4)), np.ones((2, 2)), stride=2).tolist() == [[4.0, 4.0], [4.0, 4.0]]

# %%
#| wrong: signature
#| because: the stride can be given without its name
def conv2d(x, kernel, stride: int = 1, padding: int = 0):
    """Slide a kernel over an image."""
    return np.full((2, 2), 4.0)

# %% [markdown]
# <!--| question: source -->
# ## Source: no loops, and no call of torch.softmax

# %%
#| answer: source
def row_softmax(z):
    ### BEGIN SOLUTION
    e = torch.exp(z - z.amax(dim=1, keepdim=True))
    return e / e.sum(dim=1, keepdim=True)
    ### END SOLUTION

# %%
#| tests: source
import ast
import inspect
import textwrap


@test_case(points=1)
def test_written_out_and_without_loops(row_softmax):
    source = inspect.getsource(row_softmax)
    nodes = list(ast.walk(ast.parse(textwrap.dedent(source))))
    assert not any(isinstance(node, (ast.For, ast.While, ast.comprehension)) for node in nodes), "without loops, please"
    assert not any(isinstance(node, ast.Attribute) and node.attr == "softmax" for node in nodes)
    z = torch.tensor([[1.0, 2.0], [100.0, 0.0]])
    assert torch.allclose(row_softmax(z), torch.softmax(z, dim=1))

# %%
#| wrong: source
#| because: it goes through the rows in a loop
def row_softmax(z):
    rows = []
    for row in z:
        e = torch.exp(row - row.max())
        rows.append(e / e.sum())
    return torch.stack(rows)

# %%
#| wrong: source
#| because: it leaves the work to torch
def row_softmax(z):
    return torch.softmax(z, dim=1)

# %% [markdown]
# <!--| question: patched-global -->
# ## A global of the student's, patched

# %%
#| answer: patched-global
### BEGIN SOLUTION
def load(path):
    return np.loadtxt(path)


def mean_of(paths):
    return [float(load(path).mean()) for path in paths]

### END SOLUTION

# %%
#| tests: patched-global
@probe
def with_fake_files(mean_of, files):
    """What mean_of returns where load reads from a dict, and which files it asked for."""
    asked, names = [], mean_of.__globals__
    original = names["load"]
    names["load"] = lambda path: asked.append(path) or np.array(files[path])
    try:
        return mean_of(list(files)), asked
    finally:
        names["load"] = original


@test_case(points=1)
def test_without_files(mean_of):
    means, asked = with_fake_files(mean_of, {"a.txt": [1.0, 3.0], "b.txt": [5.0]})
    assert means == [2.0, 5.0] and asked == ["a.txt", "b.txt"]

# %%
#| wrong: patched-global
#| because: it reads every file twice
def load(path):
    return np.loadtxt(path)


def mean_of(paths):
    return [float(load(path).sum() / len(load(path))) for path in paths]

# %%
#| wrong: patched-global
#| because: it goes past load
def load(path):
    return np.loadtxt(path)


def mean_of(paths):
    return [float(np.loadtxt(path).mean()) for path in paths]

# %% [markdown]
# <!--| question: pickled -->
# ## An object that survives pickling

# %%
#| answer: pickled
class Memo:
    ### BEGIN SOLUTION
    def __init__(self, scale):
        self.scale, self.cache = scale, {}

    def __call__(self, x):
        return self.cache.setdefault(x, self.scale * x)

    def __getstate__(self):
        return {"scale": self.scale, "cache": {}}
    ### END SOLUTION

# %%
#| tests: pickled
@probe
def through_pickle(Memo, scale, x):
    """What an object returns before and after it was saved and loaded, and how much it remembers then."""
    import pickle

    memo = Memo(scale)
    before = memo(x)
    again = pickle.loads(pickle.dumps(memo))
    return before, len(memo.cache), len(again.cache), again(x)


@test_case(points=1)
def test_saved_without_its_memory(Memo):
    assert through_pickle(Memo, 3, 5) == (15, 1, 0, 15)

# %%
#| wrong: pickled
#| because: the memory is saved, too
class Memo:
    def __init__(self, scale):
        self.scale, self.cache = scale, {}

    def __call__(self, x):
        return self.cache.setdefault(x, self.scale * x)

# %%
#| wrong: pickled
#| because: a lambda cannot be saved
class Memo:
    def __init__(self, scale):
        self.scale, self.cache = lambda x: scale * x, {}

    def __call__(self, x):
        return self.cache.setdefault(x, self.scale(x))
