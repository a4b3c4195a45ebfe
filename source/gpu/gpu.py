# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: A card of one's own
#     minutes: 190
#     prerequisites: [perceptrons, activations]
#     limits: {case_s: 180, cell_s: 120}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A card of one's own
#
# A graphics card does one thing at a time, ten thousand times over. Everything that made deep learning fast follows from this, and so does everything that goes wrong with it: tensors in the wrong place,
# clocks that stop too early, sums that quietly come out as infinity, and kernels that leave most of the card asleep.
#
# ![Two lanes over time. The program hands over five pieces of work within forty microseconds and is free; the card works on them for two milliseconds. A clock stopped without waiting shows only the first lane.](two-lanes.svg)
#
# You will learn to tell the two lanes of this picture apart. Then you will write kernels in CUDA, the language of these cards, and the last one will beat torch's own.
#
# *Without a card* you can do all but the last two questions here: your kernels run on the processor too, slowly and strictly. The last two want an NVIDIA card with its compiler `nvcc`, as Colab or your cluster
# has them; their checks run anywhere, their points are given on a card.
#
# *How to answer.* As before: numbers as they are, several in a tuple; a letter in quotes (`"b"`), several letters as a set (`{"a", "c"}`).

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import ctypes
import functools
import subprocess
import tempfile
import time
import types
from pathlib import Path

import numpy as np
import torch
from torch.utils import cpp_extension

# %% [markdown]
# <!--| question: where-a-tensor-lives, level: E, minutes: 20 -->
# ## 1 · Two memories
# Your computer has its memory, the card has its own, and between them lies a bus. A tensor lives on one side or the other: `x.device` tells.
#
# Take a batch of 256 images, each of 3 × 224 × 224 numbers in `float32`. How many megabytes are that? (1 MB is a million bytes; one per cent is near enough.)

# %%
#| answer: where-a-tensor-lives-p1
#| kind: number
#| points: 1
#| tol: 1%
#| because: {38.5: "that is how many million numbers there are; each of them takes several bytes", 0.602: "that is one image, and there are 256",
#|   308.3: "that would be float64", 147: "that is in units of 2**20 bytes; here a megabyte is a million", 77.07: "that would be float16"}
megabytes = 256 * 3 * 224 * 224 * 4 / 1e6  # SOLUTION

# %% [markdown]
# The bus moves 25 GB a second, the card's own memory 2,000 GB a second. How many **milliseconds** does the batch take over the bus, and how many does the card take to read it once it is there? Give both, in this order (2 % is near enough).

# %%
#| answer: where-a-tensor-lives-p2
#| kind: number
#| points: 1
#| tol: 2%
#| because: {"(0.00617, 0.0000771)": "those are seconds", "(0.0771, 6.17)": "the bus is the slow one",
#|   "(162.2, 12974.9)": "that is how often it could be done in a second", "(6.17, 6.17)": "once it is there, the card reads it from its own memory"}
milliseconds = (154.140672 / 25, 154.140672 / 2000)  # SOLUTION

# %% [markdown]
# A factor of eighty. So what matters is to know when something crosses. Let `x` be a large tensor on the card and `h` one in the computer's memory. Which of these send data over the bus, be it a single number?

# %%
#| answer: where-a-tensor-lives-p3
#| kind: choose-all
#| points: 1
#| options:
#|   a: '`h.to("cuda")`'
#|   b: '`x.to("cuda")`'
#|   c: '`x[::2]`'
#|   d: '`x.sum().item()`'
#|   e: '`torch.zeros(10**6, device="cuda")`'
#|   f: '`torch.zeros(10**6).to("cuda")`'
#|   g: '`x.shape`'
#|   h: '`if (x > 0).any(): ...`'
#| because: {"{'a', 'f'}": "things cross in the other direction, too: who looks at a single number, and who decides an `if`?",
#|   "{'a', 'd', 'f'}": "who decides whether the branch of the `if` is taken?", "{'a', 'b', 'd', 'f', 'h'}": "`to` gives back the tensor itself where it is there already",
#|   "{'a', 'd', 'e', 'f', 'h'}": "with `device=` a tensor is made where it shall live"}
crossings = {"a", "d", "f", "h"}  # SOLUTION

# %% [markdown]
# Real batches are nested: a dict with a list of tensors, a tuple of two, a name, a length. Write `move_batch(batch, device)`, which returns the same structure with every tensor on `device`. Dicts, lists and tuples may be nested as deep
# as you like; whatever is no tensor stays as it is. What you were given is not changed.
#
# You need no card to try it: the device `"meta"` exists everywhere. Its tensors have a shape and no numbers.

# %%
#| answer: where-a-tensor-lives-p4
def move_batch(batch, device):
    """The same nest of dicts, lists and tuples with every tensor on `device`; anything else stays as it is."""
    ### BEGIN SOLUTION
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: move_batch(value, device) for key, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return type(batch)([move_batch(value, device) for value in batch])
    return batch
    ### END SOLUTION

# %%
#| tests: where-a-tensor-lives-p4
@probe
def moved(move_batch, batch, device):
    """What came out, with each tensor as (device, shape, numbers), and the devices of the batch that was passed in, afterwards."""

    def describe(value):
        if isinstance(value, torch.Tensor):
            return ("tensor", str(value.device), list(value.shape), None if value.device.type == "meta" else value.tolist())
        if type(value) is dict:
            return {key: describe(v) for key, v in value.items()}
        return type(value)([describe(v) for v in value]) if type(value) in (list, tuple) else value

    return describe(move_batch(batch, device)), describe(batch)


def described(value, device):
    """What `moved` should say of this batch."""
    if isinstance(value, torch.Tensor):
        return ("tensor", device, list(value.shape), None if device == "meta" else value.tolist())
    if type(value) is dict:
        return {key: described(v, device) for key, v in value.items()}
    return type(value)([described(v, device) for v in value]) if type(value) in (list, tuple) else value


def moves_well(move_batch, batch):
    """Is it moved to meta, left as it was where it is there already, and itself unchanged?"""
    there, afterwards = moved(move_batch, batch, "meta")
    assert there == described(batch, "meta") and afterwards == described(batch, "cpu")
    here, _ = moved(move_batch, batch, "cpu")
    assert here == described(batch, "cpu")


@test_case(points=1, failure_message="A dict of tensors first; and what is no tensor stays as it is.")
def test_a_dict_of_tensors(move_batch):
    moves_well(move_batch, {"pixels": torch.ones(2, 3), "label": torch.tensor([0, 1]), "name": "cats", "length": 2})


@test_case(points=1, hidden=True, failure_message="How deep may a nest be? Is a tuple still a tuple? And the batch that you were given: is it as it was?")
def test_nests(move_batch):
    x = torch.tensor(secret.normal(size=(2, 2)))
    moves_well(move_batch, [x, (x + 1, {"deep": [x[:, :1], None, (x[0], "text")]}), 3.5, []])
    moves_well(move_batch, x)
    moves_well(move_batch, {"a": {"b": ({"c": x},)}, 7: True})

# %%
#| wrong: where-a-tensor-lives-p4
#| because: it looks only at the first level; tensors in lists inside stay where they are
def move_batch(batch, device):
    return {key: value.to(device) if isinstance(value, torch.Tensor) else value for key, value in batch.items()}

# %%
#| wrong: where-a-tensor-lives-p4
#| because: tuples come out as lists
#| earns: 1
def move_batch(batch, device):
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        return {key: move_batch(value, device) for key, value in batch.items()}
    return [move_batch(value, device) for value in batch] if isinstance(batch, (list, tuple)) else batch

# %%
#| wrong: where-a-tensor-lives-p4
#| because: it changes the batch that it was given
def move_batch(batch, device):
    if isinstance(batch, torch.Tensor):
        return batch.to(device)
    if isinstance(batch, dict):
        for key in batch:
            batch[key] = move_batch(batch[key], device)
    elif isinstance(batch, (list, tuple)):
        return type(batch)([move_batch(value, device) for value in batch])
    return batch

# %%
#| wrong: where-a-tensor-lives-p4
#| because: the device is written into it, whatever was asked for
def move_batch(batch, device):
    if isinstance(batch, torch.Tensor):
        return batch.cuda()
    if isinstance(batch, dict):
        return {key: move_batch(value, device) for key, value in batch.items()}
    return type(batch)([move_batch(value, device) for value in batch]) if isinstance(batch, (list, tuple)) else batch

# %%
#| right: where-a-tensor-lives-p4
#| because: torch knows how to walk through nests
def move_batch(batch, device):
    return torch.utils._pytree.tree_map(lambda value: value.to(device) if torch.is_tensor(value) else value, batch)

# %%
#| right: where-a-tensor-lives-p4
#| because: what has a method `to` can be asked to go
def move_batch(batch, device):
    match batch:
        case dict():
            return dict(zip(batch, move_batch(list(batch.values()), device)))
        case list():
            return list(move_batch(tuple(batch), device))
        case tuple():
            return tuple(move_batch(value, device) for value in batch)
    return batch.to(device=device) if hasattr(batch, "to") else batch

# %% [markdown]
# <!--| hint: where-a-tensor-lives-p4 -->
# A nest holds nests. Which function moves the things inside a list?

# %% [markdown]
# <!--| question: manhattan-distance-on-gpu, level: E, minutes: 25 -->
# ## 2 · Walking in Manhattan
# In a city of blocks the way from one corner to another is as long as its streets: $d(a, b) = \sum_i |a_i - b_i|$. How far is it from $(6, 1, 4, 5)$ to $(2, 8, 3, -1)$?

# %%
#| answer: manhattan-distance-on-gpu-p1
#| kind: number
#| points: 1
#| because: {10.0995: "that is as the crow flies, and the houses are in the way", 4: "differences of different signs cancel, unless each is made positive first",
#|   102: "the squares were added up; here it is the differences themselves", 7: "that is the largest of the four differences"}
blocks_to_walk = 18  # SOLUTION

# %% [markdown]
# Write it so that it runs wherever it is told to. `manhattan(a, b, device=None)` takes two sequences or tensors of equal shape and returns a Python `float`. Without `device` it uses `"cuda"` if `torch.cuda.is_available()`, else `"cpu"`.
# Other shapes raise a `ValueError`. Small whole numbers and `float16` are the interesting part: in `uint8`, 200 − 250 is 206, and in `float16` a long sum ends at infinity.

# %%
#| answer: manhattan-distance-on-gpu-p2
def manhattan(a, b, device=None):
    """The Manhattan distance of two sequences or tensors of equal shape, as a float, computed on `device`.

    Raises ValueError where the shapes differ.
    """
    ### BEGIN SOLUTION
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    a, b = (torch.as_tensor(v).to(device, torch.float64) for v in (a, b))
    if a.shape != b.shape:
        raise ValueError(f"shapes differ: {tuple(a.shape)} and {tuple(b.shape)}")
    return (a - b).abs().sum().item()
    ### END SOLUTION

# %%
#| tests: manhattan-distance-on-gpu-p2
@probe
def refusal(manhattan, a, b):
    """The name of the error that these two raise."""
    try:
        manhattan(a, b)
    except Exception as error:
        return type(error).__name__
    return "none"


@probe
def devices_used(manhattan, a, b, device, available):
    """On which devices tensors were made meanwhile, and what was complained about where there is no card although torch says so."""
    from torch.utils._python_dispatch import TorchDispatchMode

    seen = set()

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, op, types, args=(), kwargs=None):
            out = op(*args, **(kwargs or {}))
            seen.update(str(t.device) for t in torch.utils._pytree.tree_leaves(out) if isinstance(t, torch.Tensor))
            return out

    original, complaint = torch.cuda.is_available, ""
    if available:
        torch.cuda.is_available = lambda: True
    try:
        with Watch():
            manhattan(a, b, device) if device else manhattan(a, b)
    except Exception as error:
        complaint = f"{type(error).__name__}: {error}"
    finally:
        torch.cuda.is_available = original
    return sorted(seen), complaint


@test_case(points=1, failure_message="Lists, tensors, whole numbers: all are sequences of numbers. And what must come out is a Python float.")
def test_lists_and_tensors(manhattan):
    for a, b in (([6, 1, 4, 5], (2, 8, 3, -1)), (torch.tensor([6, 1, 4, 5]), torch.tensor([2, 8, 3, -1])), (torch.tensor([[6.0, 1], [4, 5]]), torch.tensor([[2.0, 8], [3, -1]]))):
        d = manhattan(a, b, device="cpu")
        assert type(d) is float and abs(d - 18) < 1e-6
    assert refusal(manhattan, [1.0, 2.0, 3.0], [1.0]) == "ValueError"


@test_case(points=0.5, hidden=True, failure_message="Which numbers can a uint8 hold, and up to where can a float16 count?")
def test_small_types(manhattan):
    a, b = (torch.tensor(secret.integers(low, low + 50, size=300), dtype=torch.uint8) for low in (10, 200))
    assert abs(manhattan(a, b, "cpu") - (b.int() - a.int()).sum().item()) < 1e-6
    a, b = (torch.tensor(secret.normal(scale=3, size=100_000), dtype=torch.float16) for _ in range(2))
    expected = (a.double() - b.double()).abs().sum().item()
    assert expected > 65504 and abs(manhattan(a, b, "cpu") - expected) < 1e-3 * expected
    x, y = secret.normal(size=(2, 1000))
    assert abs(manhattan(x, y, "cpu") - np.abs(x - y).sum()) < 0.01
    assert refusal(manhattan, torch.ones(2, 3), torch.ones(3)) == "ValueError"


@test_case(points=0.5, hidden=True, failure_message="Does it go where it is told to? And where, if it is told nothing?")
def test_devices(manhattan):
    seen, _ = devices_used(manhattan, [1.0, 2.0], [3.0, 5.0], "meta", False)
    assert "meta" in seen
    _, complaint = devices_used(manhattan, [1.0, 2.0], [3.0, 5.0], None, True)
    assert any(word in complaint.lower() for word in ("cuda", "nvidia"))
    assert abs(manhattan([1.0, 2.0], [3.0, 5.0]) - 5) < 1e-6

# %%
#| wrong: manhattan-distance-on-gpu-p2
#| because: the card is written into it, so it fails on every computer without one
def manhattan(a, b, device=None):
    a, b = torch.as_tensor(a, dtype=torch.float64).cuda(), torch.as_tensor(b, dtype=torch.float64).cuda()
    if a.shape != b.shape:
        raise ValueError("shapes differ")
    return (a - b).abs().sum().item()

# %%
#| wrong: manhattan-distance-on-gpu-p2
#| because: it subtracts in the type it was given, and a uint8 cannot go below zero
#| earns: 1.5
def manhattan(a, b, device=None):
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    a, b = torch.as_tensor(a).to(device), torch.as_tensor(b).to(device)
    if a.shape != b.shape:
        raise ValueError("shapes differ")
    return float((a - b).abs().sum(dtype=torch.float64).item())

# %%
#| wrong: manhattan-distance-on-gpu-p2
#| because: it adds the squares of the differences
def manhattan(a, b, device=None):
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    a, b = (torch.as_tensor(v).to(device, torch.float64) for v in (a, b))
    if a.shape != b.shape:
        raise ValueError("shapes differ")
    return ((a - b) ** 2).sum().item()

# %%
#| wrong: manhattan-distance-on-gpu-p2
#| because: it ignores the device and stays on the processor
#| earns: 1.5
def manhattan(a, b, device=None):
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape:
        raise ValueError("shapes differ")
    return float(np.abs(a - b).sum())

# %%
#| wrong: manhattan-distance-on-gpu-p2
#| because: shapes that differ are stretched to fit instead of refused
def manhattan(a, b, device=None):
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    a, b = (torch.as_tensor(v).to(device, torch.float64) for v in (a, b))
    return (a - b).abs().sum().item()

# %%
#| right: manhattan-distance-on-gpu-p2
#| because: it is also the 1-norm of the difference, and float32 does if it starts there
def manhattan(a, b, device=None):
    if device is None:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    corners = [torch.as_tensor(corner).to(device).float() for corner in (a, b)]
    if corners[0].size() != corners[1].size():
        raise ValueError("two corners of the same city, please")
    return float(torch.linalg.vector_norm(corners[0] - corners[1], ord=1))

# %% [markdown]
# <!--| hint: manhattan-distance-on-gpu-p2 -->
# Decide on the type before the first subtraction. `torch.as_tensor` takes lists as well as tensors, and `to` takes a device and a type at once.

# %% [markdown]
# Now in bulk: all distances between the rows of `A`, shape $(n, d)$, and those of `B`, shape $(m, d)$. The one-liner `(A[:, None] - B).abs().sum(-1)` makes a tensor of $n \cdot m \cdot d$ entries on the way; for 20,000 rows of 128 numbers each that is
# 205 GB, and no card has them.
#
# Write `manhattan_matrix(A, B, limit)`, which returns the $(n, m)$ distances without ever making a tensor of more than `limit` entries, unless it is one row of `A` against all of `B`, which may always be made, or the result. The result is where the inputs are, and of their type.

# %%
#| answer: manhattan-distance-on-gpu-p3
def manhattan_matrix(A, B, limit=10_000_000):
    """All Manhattan distances between rows of A (n, d) and rows of B (m, d), on their device: shape (n, m).

    No tensor on the way has more than `limit` entries, or m * d where that is more.
    """
    ### BEGIN SOLUTION
    rows = limit // B.numel() or 1
    return torch.cat([(some[:, None] - B).abs().sum(-1) for some in A.split(rows)])
    ### END SOLUTION

# %%
#| tests: manhattan-distance-on-gpu-p3
@probe
def distances(manhattan_matrix, A, B, limit, device):
    """The result's device, shape and numbers, and the entries of the largest tensor that was made for it, the result's own size left out."""
    from torch.utils._python_dispatch import TorchDispatchMode

    made = [0]

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, op, types, args=(), kwargs=None):
            out = op(*args, **(kwargs or {}))
            for t in torch.utils._pytree.tree_leaves(out):
                if isinstance(t, torch.Tensor) and t.untyped_storage().nbytes() >= t.numel() * t.element_size() and t.numel() != len(A) * len(B):
                    made.append(t.numel())
            return out

    A, B = A.to(device), B.to(device)
    with Watch():
        D = manhattan_matrix(A, B, limit)
    return str(D.device), list(D.shape), None if device == "meta" else D.detach().clone(), max(made)


def right_within(manhattan_matrix, A, B, limit):
    """Are the distances right, and was no tensor larger than it may be?"""
    device, shape, D, largest = distances(manhattan_matrix, A, B, limit, "cpu")
    expected = np.abs(A.double().numpy()[:, None] - B.double().numpy()).sum(-1)
    assert device == "cpu" and shape == list(expected.shape) and isinstance(D, torch.Tensor) and D.dtype == A.dtype
    assert np.isfinite(D.numpy()).all() and np.allclose(D.numpy(), expected, rtol=1e-4, atol=1e-4)
    assert largest <= max(limit, B.numel(), A.numel())
    there, shape, _, _ = distances(manhattan_matrix, A, B, limit, "meta")
    assert there == "meta" and shape == list(expected.shape)


@test_case(points=1, failure_message="First the numbers: is every row of A against every row of B there, the last rows of A included?")
def test_all_pairs(manhattan_matrix):
    A, B = (torch.tensor(np.random.default_rng(k).normal(size=(n, 6))) for k, n in ((1, 23), (2, 11)))
    right_within(manhattan_matrix, A, B, limit=400)


@test_case(points=1, hidden=True, failure_message="How many rows of A may go in one step, if the step must stay within the limit? And at least how many must?")
def test_the_budget(manhattan_matrix):
    for n, m, d, limit, dtype in ((50, 40, 8, 1000, torch.float32), (64, 16, 4, 64 * 16 * 2, torch.float64), (9, 30, 5, 10, torch.float32), (7, 1, 3, 100_000, torch.float64), (101, 13, 7, 910, torch.float64)):
        A, B = (torch.tensor(secret.normal(size=(k, d)), dtype=dtype) for k in (n, m))
        right_within(manhattan_matrix, A, B, limit)

# %%
#| wrong: manhattan-distance-on-gpu-p3
#| because: the rows left over at the end are lost
def manhattan_matrix(A, B, limit=10_000_000):
    rows = min(len(A), max(1, limit // B.numel()))
    return torch.cat([(A[i : i + rows, None] - B).abs().sum(-1) for i in range(0, len(A) - rows + 1, rows)])

# %%
#| wrong: manhattan-distance-on-gpu-p3
#| because: those are Euclidean distances
def manhattan_matrix(A, B, limit=10_000_000):
    return torch.cdist(A, B, p=2)

# %%
#| wrong: manhattan-distance-on-gpu-p3
#| because: it makes the whole tensor of all differences at once
def manhattan_matrix(A, B, limit=10_000_000):
    return (A[:, None] - B).abs().sum(-1)

# %%
#| wrong: manhattan-distance-on-gpu-p3
#| because: the limit counts entries, and it was used as a number of rows
def manhattan_matrix(A, B, limit=10_000_000):
    return torch.cat([(some[:, None] - B).abs().sum(-1) for some in A.split(limit)])

# %%
#| wrong: manhattan-distance-on-gpu-p3
#| because: the result comes back to the processor, wherever the inputs were
def manhattan_matrix(A, B, limit=10_000_000):
    rows = max(1, limit // max(1, B.numel()))
    return torch.from_numpy(np.concatenate([(some[:, None] - B).abs().sum(-1).numpy() for some in A.split(rows)]))

# %%
#| right: manhattan-distance-on-gpu-p3
#| because: torch.cdist knows this distance, and needs no tensor of three dimensions
def manhattan_matrix(A, B, limit=10_000_000):
    return torch.cdist(A, B, p=1.0)

# %%
#| right: manhattan-distance-on-gpu-p3
#| because: a coordinate at a time needs n times m entries only
def manhattan_matrix(A, B, limit=10_000_000):
    D = A.new_zeros(len(A), len(B))
    for a, b in zip(A.T, B.T):
        D += (a[:, None] - b).abs()
    return D

# %%
#| right: manhattan-distance-on-gpu-p3
#| because: one row at a time is within every limit
def manhattan_matrix(A, B, limit=10_000_000):
    return torch.stack([(B - row).abs().sum(dim=1) for row in A])

# %% [markdown]
# > **Common myth.** "SciPy's `cityblock` is pure Python, so on the card it must be faster." It is compiled code behind a Python name, and for two short vectors it is done long before a card has even been asked. And nothing in this question needs a card:
# > write for *a device*, and the same lines run on all of them.

# %% [markdown]
# <!--| question: honest-timing, level: M, minutes: 25 -->
# ## 3 · A clock that waits
# A friend multiplies two 8192 × 8192 matrices on a card (that is $2 \cdot 8192^3$ operations), looks at the clock before and after, and reads 20 microseconds. How many **teraflops** ($10^{12}$ operations a second) does he believe to have bought? (1 %)

# %%
#| answer: honest-timing-p1
#| kind: number
#| points: 1
#| tol: 1%
#| because: {27488: "each entry takes a multiplication and an addition", 6.71: "that many operations make one matrix-vector product; a matrix product has 8192 of them",
#|   1.0995: "that is how many million million operations there are; now divide by the time", 54975581388.8: "those are operations a microsecond, or so; a teraflop is 10**12 in a second"}
believed_teraflops = 2 * 8192**3 / 20e-6 / 1e12  # SOLUTION

# %% [markdown]
# The best cards do some hundred of these in `float32`. What did the clock show?

# %%
#| answer: honest-timing-p2
#| kind: choice
#| points: 0.5
#| options: {a: "how long one entry of the result took", b: "how long it took to hand the work over", c: "the card was warm already", d: "the time of the copy back"}
#| because: {a: "the card does not stop after an entry", c: "no warmth makes it a thousand times faster", d: "nothing was copied"}
what_was_timed = "b"  # SOLUTION

# %% [markdown]
# A launch puts work into a queue and returns. To read an honest clock you have to wait for the queue, before as well as after. There are three more traps: the first launch of a kernel loads or compiles it, the queue may be full of earlier work when you
# begin, and now and then somebody else uses the card.
#
# To practise, here is a card that never was, with a clock of its own. It does nothing but pass the time, exactly as a real one would. Its three methods are all that you need (on a real card they are `time.perf_counter`, your function, and `torch.cuda.synchronize`).

# %%
#| given: honest-timing
class PretendCard:
    """A card that only passes the time. Its clock shows seconds, and moves only when the program does something."""

    def __init__(self, seed=seed, seconds=0.002, busy=0.0, neighbours=0.15):
        self._random = np.random.default_rng(seed)
        self._seconds, self._neighbours = seconds, neighbours
        self._now, self._free = 0.0, busy
        self._known = set()
        self.launched = 0

    def clock(self):
        """What time it is."""
        self._now += 1e-7
        return self._now

    def launch(self, work):
        """Put work (a name) into the queue; it is done later, when what was there before is done."""
        self._now += 5e-6
        if work not in self._known:  # the first time it has to be compiled, and the program waits for that
            self._known.add(work)
            self._now += 0.4
        seconds = self._seconds * (1 + 0.01 * self._random.random())
        if self._random.random() < self._neighbours:  # somebody else had a turn in between
            seconds *= 8
        self._free = max(self._free, self._now) + seconds
        self.launched += 1

    def synchronize(self):
        """Wait until the queue is empty."""
        self._now = max(self._now, self._free) + 2e-6

# %% [markdown]
# Write `seconds_per_call(card, work, rounds=20)`: how many seconds of the card's clock one `work` takes, without compilation, without what was in the queue before, and without the neighbours' share.
# Launch it `rounds` times or a few more; 4 % is near enough.

# %%
#| answer: honest-timing-p3
def seconds_per_call(card, work, rounds=20):
    """Seconds that one launch of `work` keeps the card busy, as a float."""
    ### BEGIN SOLUTION
    card.launch(work)
    seconds = []
    for _ in range(rounds):
        card.synchronize()
        start = card.clock()
        card.launch(work)
        card.synchronize()
        seconds.append(card.clock() - start)
    return sorted(seconds)[rounds // 2]
    ### END SOLUTION

# %%
#| tests: honest-timing-p3
@probe
def timing(seconds_per_call, rounds, **of_the_card):
    """What was measured on a new card, and how often it was asked to work."""
    card = PretendCard(**of_the_card)
    return seconds_per_call(card, "matmul", rounds), card.launched


def close(answer, seconds, rounds):
    """Within four per cent of what the card really takes, after work enough to know."""
    measured, launched = answer
    assert isinstance(measured, (int, float, np.floating)) and abs(measured - 1.005 * seconds) < 0.04 * seconds
    assert rounds <= launched <= 4 * rounds + 10


@test_case(points=0.5, failure_message="Which launch is unlike all others? And is the work done when you look at the clock?")
def test_a_quiet_card(seconds_per_call):
    close(timing(seconds_per_call, 20, seed=1, seconds=0.003, neighbours=0.0), 0.003, 20)


@test_case(points=1, hidden=True, failure_message="Now and then somebody else is on the card. Which number of twenty does that disturb least?")
def test_neighbours(seconds_per_call):
    for k in secret.integers(10**6, size=5):
        seconds = float(secret.uniform(0.001, 0.01))
        close(timing(seconds_per_call, 25, seed=int(k), seconds=seconds), seconds, 25)


@test_case(points=1, hidden=True, failure_message="What if the queue is full when you begin?")
def test_a_busy_queue(seconds_per_call):
    for k in secret.integers(10**6, size=3):
        seconds = float(secret.uniform(0.001, 0.01))
        close(timing(seconds_per_call, 11, seed=int(k), seconds=seconds, busy=3.0, neighbours=0.1), seconds, 11)
        close(timing(seconds_per_call, 1, seed=int(k), seconds=seconds, busy=3.0, neighbours=0.0), seconds, 1)

# %%
#| wrong: honest-timing-p3
#| because: it never waits, so it times the handing over
def seconds_per_call(card, work, rounds=20):
    card.launch(work)
    seconds = []
    for _ in range(rounds):
        start = card.clock()
        card.launch(work)
        seconds.append(card.clock() - start)
    return sorted(seconds)[rounds // 2]

# %%
#| wrong: honest-timing-p3
#| because: it waits after the work but not before, so the first round pays for what was in the queue
#| earns: 1.5
def seconds_per_call(card, work, rounds=20):
    card.launch(work)
    seconds = []
    for _ in range(rounds):
        start = card.clock()
        card.launch(work)
        card.synchronize()
        seconds.append(card.clock() - start)
    return sorted(seconds)[rounds // 2]

# %%
#| wrong: honest-timing-p3
#| because: the first launch, with its compilation, is in the mean
def seconds_per_call(card, work, rounds=20):
    card.synchronize()
    start = card.clock()
    for _ in range(rounds):
        card.launch(work)
    card.synchronize()
    return (card.clock() - start) / rounds

# %%
#| wrong: honest-timing-p3
#| because: a mean counts the rounds in which somebody else was on the card
#| earns: 0.5
def seconds_per_call(card, work, rounds=20):
    card.launch(work)
    card.synchronize()
    start = card.clock()
    for _ in range(rounds):
        card.launch(work)
    card.synchronize()
    return (card.clock() - start) / rounds

# %%
#| wrong: honest-timing-p3
#| because: it takes the longest round, which is the neighbours'
#| earns: 0.5
def seconds_per_call(card, work, rounds=20):
    card.launch(work)
    seconds = []
    for _ in range(rounds):
        card.synchronize()
        start = card.clock()
        card.launch(work)
        card.synchronize()
        seconds.append(card.clock() - start)
    return max(seconds)

# %%
#| right: honest-timing-p3
#| because: others only ever add time, so the shortest round is a good answer, too
def seconds_per_call(card, work, rounds=20):
    for _ in range(3):
        card.launch(work)
    best = float("inf")
    for _ in range(rounds):
        card.synchronize()
        start = card.clock()
        card.launch(work)
        card.synchronize()
        best = min(best, card.clock() - start)
    return best

# %%
#| right: honest-timing-p3
#| because: one may launch three at a time and take the median of the thirds
def seconds_per_call(card, work, rounds=20):
    card.launch(work)
    card.synchronize()
    times = []
    for _ in range(rounds):
        marks = []
        for _ in range(3):
            before = card.clock()
            card.launch(work)
            card.synchronize()
            marks.append(card.clock() - before)
        times.append(min(marks))
    return float(np.median(times))

# %%
#| equivalent: honest-timing-p3
#| from: return sorted(seconds)[rounds // 2]
#| to: return sorted(seconds)[rounds // 3]
#| because: a third of the way up is still a quiet round

# %% [markdown]
# <!--| hint: honest-timing-p3 -->
# Draw the two lanes of the picture at the top for two rounds, with the moments at which you look at the clock. Is the card's lane empty at each of them?

# %% [markdown]
# <!--| question: mixed-precision, level: M, minutes: 25 -->
# ## 4 · Sixteen bits
# Numbers of 16 bits take half the way over every bus, and cards multiply them many times faster. There are two kinds. `float16` is fine and short: 11 significant bits, up to about $10^5$. `bfloat16` is coarse and long: 8 significant bits, up to $10^{38}$.
#
# What is the largest finite `float16`, and the smallest positive whole number that `float16` cannot hold exactly? Give both.

# %%
#| answer: mixed-precision-p1
#| kind: number
#| points: 1
#| because: {"(65504, 2048)": "2048 is a power of two, which is the easiest of numbers; look one further", "(65535, 2049)": "that is for whole numbers of 16 bits", "(65536, 2049)": "that one is infinite already",
#|   "(65504, 65505)": "whole numbers get lost long before: 11 bits do not tell all of them apart", "(65504, 257)": "that is where bfloat16 loses count"}
edges_of_float16 = (65504, 2049)  # SOLUTION

# %% [markdown]
# A weight of 1 receives a thousand updates of +0.001, each rounded to the weight's own type. Where does it end in `bfloat16`, and where in `float16`? (A loop of three lines tells; give both, to three decimals or better.)

# %%
#| answer: mixed-precision-p2
#| kind: number
#| points: 1
#| tol: 1e-3
#| because: {"(2, 2)": "that is where it should end", "(1, 2)": "float16 does better, but its steps near 1 are not quite 0.001", "(1, 1)": "in float16 each step is still seen",
#|   "(1.9765625, 1)": "the other way round"}
after_a_thousand = (1.0, 1.9765625)  # SOLUTION

# %% [markdown]
# This is why weights stay in `float32` and only the work is done in 16 bits. Some of the work wants 32 bits as well. For which of these would you **not** trust 16 bits from end to end, inputs, running total and output?

# %%
#| answer: mixed-precision-p3
#| kind: choose-all
#| points: 1
#| options:
#|   a: the mean of a million activations
#|   b: a ReLU
#|   c: the variance in a layer norm
#|   d: the largest entry of a row
#|   e: the loss, summed over all tokens of a batch
#|   f: turning a picture upside down
#| because: {"{'a', 'e'}": "a variance is a sum, too, and of squares at that", "{'a', 'c', 'd', 'e'}": "a maximum picks one of the numbers that are there, so nothing can get lost",
#|   "{'c', 'e'}": "a mean begins with a sum"}
wants_float32 = {"a", "c", "e"}  # SOLUTION

# %% [markdown]
# Gradients have the opposite trouble: below about $6 \cdot 10^{-8}$ a `float16` is zero. So the loss is multiplied by a large `scale` before the backward pass, and all gradients come out larger by it. One step of such a training:
#
# * if an entry of the gradients is infinite or `nan`, the scale was too large: leave the weights as they are, and halve the scale;
# * else divide the gradients by the scale **in `float32`**, take a step of gradient descent, and keep the scale.
#
# Write `scaled_step(w, g, lr, scale)`. `w` are the weights in `float32`, `g` the scaled gradients in `float16`. It returns `(w, scale)`, a new tensor in `float32` and a number. The arguments stay as they are.

# %%
#| answer: mixed-precision-p4
def scaled_step(w, g, lr, scale):
    """One step with scaled gradients: the new weights (float32, a new tensor) and the scale for the next step."""
    ### BEGIN SOLUTION
    if not torch.isfinite(g).all():
        return w.clone(), scale / 2
    return w - lr * (g.float() / scale), scale
    ### END SOLUTION

# %%
#| tests: mixed-precision-p4
def step(scaled_step, w, g, lr, scale):
    """The new weights and scale, of the right kind; and the arguments are as they were."""
    before, gradient = w.clone(), g.clone()
    new, factor = scaled_step(w, g, lr, scale)
    assert torch.equal(w, before) and torch.equal(g.nan_to_num(), gradient.nan_to_num())
    assert isinstance(new, torch.Tensor) and new.dtype == torch.float32 and new.shape == before.shape and torch.isfinite(new).all()
    return new, float(factor)


@test_case(points=1, failure_message="With gradients that are fine: which type must they have before they are divided?")
def test_an_ordinary_step(scaled_step):
    w, g = torch.tensor([1.0, -2.0, 0.5]), torch.tensor([512.0, 0.0, -1024.0], dtype=torch.float16)
    new, scale = step(scaled_step, w, g, 0.1, 1024.0)
    assert scale == 1024 and torch.allclose(new, torch.tensor([0.95, -2.0, 0.6]))


@test_case(points=1, hidden=True, failure_message="What would a division in float16 make of a very small gradient? And what would an addition in float16 make of a small step?")
def test_small_gradients(scaled_step):
    w = torch.tensor(secret.normal(size=(4, 5)), dtype=torch.float32)
    g = torch.tensor(secret.uniform(0.5, 1.5, size=(4, 5)) * secret.choice([-1, 1], size=(4, 5)) * 1e-3, dtype=torch.float16)
    new, scale = step(scaled_step, w, g, 2000.0, 2.0**16)
    moved = 2000.0 * g.double() / 2.0**16
    assert scale == 2**16 and np.allclose((w.double() - new.double()).numpy(), moved.numpy(), rtol=0.02, atol=2e-7)


@test_case(points=1, hidden=True, failure_message="One bad entry is enough. What happens to the weights then, and what to the scale?")
def test_overflow(scaled_step):
    for bad in (float("inf"), float("-inf"), float("nan")):
        w, g = torch.tensor(secret.normal(size=7), dtype=torch.float32), torch.tensor(secret.normal(size=7), dtype=torch.float16)
        g[int(secret.integers(7))] = bad
        new, scale = step(scaled_step, w, g, 0.1, 4096.0)
        assert scale == 2048 and torch.equal(new, w)

# %%
#| wrong: mixed-precision-p4
#| because: it divides in float16, where the small gradients become zero
#| earns: 2
def scaled_step(w, g, lr, scale):
    if not torch.isfinite(g).all():
        return w.clone(), scale / 2
    return w - lr * (g / scale).float(), scale

# %%
#| wrong: mixed-precision-p4
#| because: it takes the step in float16, where small steps are swallowed
def scaled_step(w, g, lr, scale):
    if not torch.isfinite(g).all():
        return w.clone(), scale / 2
    return (w.half() - lr * (g.float() / scale).half()).float(), scale

# %%
#| wrong: mixed-precision-p4
#| because: it never looks whether the gradients are finite
#| earns: 2
def scaled_step(w, g, lr, scale):
    return w - lr * g.float() / scale, scale

# %%
#| wrong: mixed-precision-p4
#| because: it looks for infinities and forgets nan
#| earns: 2
def scaled_step(w, g, lr, scale):
    if torch.isinf(g).any():
        return w.clone(), scale / 2
    return w - lr * g.float() / scale, scale

# %%
#| wrong: mixed-precision-p4
#| because: the gradients are never made smaller again
def scaled_step(w, g, lr, scale):
    if not torch.isfinite(g).all():
        return w.clone(), scale / 2
    return w - lr * g.float(), scale

# %%
#| wrong: mixed-precision-p4
#| because: it changes the weights that it was given
def scaled_step(w, g, lr, scale):
    if not torch.isfinite(g).all():
        return w, scale / 2
    w -= lr * g.float() / scale
    return w, scale

# %%
#| right: mixed-precision-p4
#| because: double precision does no harm, and a finite sum of doubles has finite terms
def scaled_step(w, g, lr, scale):
    g = g.double() / scale
    if not np.isfinite(g.sum().item()):
        return torch.clone(w), scale * 0.5
    return torch.add(w.double(), g, alpha=-lr).float(), scale

# %% [markdown]
# > **Common myth.** "`bfloat16` is the better `float16`." It hardly ever overflows where `float32` does not, so it needs no scaling. For that it has three bits less: your thousand updates got lost in it without a trace.

# %% [markdown]
# ## Kernels
# The rest is about writing what runs on the card. A *kernel* is a function in C++ that a great many threads run at once, each with a number of its own. This one doubles an array:
#
# ```cpp
# __global__ void twice(const float *x, float *y, int n) {
#     int i = blockIdx.x * blockDim.x + threadIdx.x;
#     if (i < n) y[i] = 2.0f * x[i];
# }
# ```
#
# Threads come in *blocks* of `blockDim.x` threads, blocks in a *grid* of `gridDim.x` blocks. Nobody says in which order they run. The next cell is the workbench: a `Kernel` is made from its text and launched with a grid, a block and arguments.
# Where the tensors are, there it runs: on a card by way of torch's inline extensions and `nvcc`, on the processor by way of `g++` and the file `cuda_anywhere.h` beside this notebook.

# %%
#| setup
BLOCK = 256  # threads
KINDS = {"p": ctypes.c_void_p, "i": ctypes.c_int, "l": ctypes.c_longlong, "f": ctypes.c_float, "d": ctypes.c_double}


@functools.lru_cache(maxsize=None)
def compiled(source, name, card):
    """The kernel as a loaded library, for the card or for the processor. RuntimeError with the compiler's words where it refuses."""
    folder = tempfile.mkdtemp()
    text = f'#include "{Path("cuda_anywhere.h").resolve()}"\n#line 1 "your kernel"\n{source}\nLAUNCHER({name})\n'
    library = f"{folder}/kernel.so"
    if card:
        try:
            library = cpp_extension.load_inline(name, "", text, is_python_module=False, no_implicit_headers=True, with_cuda=True, build_directory=folder)
        except (ImportError, OSError, RuntimeError):  # nvcc alone will do; and if it is the kernel's fault, it says so more clearly
            major, minor = torch.cuda.get_device_capability()
            _compile(["nvcc", f"-arch=sm_{major}{minor}", "-O3", "-shared", "-Xcompiler", "-fPIC"], text, f"{folder}/kernel.cu", library)
    else:
        _compile(["g++", "-std=c++17", "-O1", "-w", "-shared", "-fPIC"], text, f"{folder}/kernel.cpp", library)
    loaded = ctypes.CDLL(str(library))
    loaded.signature.restype = loaded.launch.restype = ctypes.c_char_p
    return loaded


def _compile(command, text, file, library):
    Path(file).write_text(text)
    made = subprocess.run([*command, "-o", library, file], capture_output=True, text=True)
    if made.returncode:
        raise RuntimeError(f"this does not compile:\n{made.stderr[:3000]}")


class Kernel:
    """A CUDA kernel, made from its text. `kernel(grid, block, *arguments)` launches it; arguments are tensors and numbers.

    On the processor `only` runs a single block of the grid, and `order` (0, 1, 2 …) says in which order threads have their turn.
    """

    def __init__(self, source, name):
        self.source, self.name = source, name

    def __call__(self, grid, block, *arguments, only=-1, order=0):
        card = any(isinstance(a, torch.Tensor) and a.is_cuda for a in arguments)
        library = compiled(self.source, self.name, card)
        kinds = library.signature().decode()
        if len(kinds) != len(arguments):
            raise TypeError(f"{self.name} takes {len(kinds)} arguments, not {len(arguments)}")
        values = [KINDS[kind](a.data_ptr() if kind == "p" else a) for kind, a in zip(kinds, arguments)]
        places = (ctypes.c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        stream = ctypes.c_void_p(torch.cuda.current_stream().cuda_stream if card else None)
        problem = library.launch(places, grid, block, stream, only, order)
        if problem:
            raise RuntimeError(f"{self.name}: {problem.decode()}")

# %% [markdown]
# Try it: change the 2, leave out the `if`, launch fewer blocks. (Where `x` is on a card, so is the work: `device="cuda"`.)

# %%
text = """
__global__ void twice(const float *x, float *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 2.0f * x[i];
}
"""
x = torch.arange(1000.0)
y = torch.zeros_like(x)
Kernel(text, "twice")(4, 256, x, y, x.numel())
y

# %% [markdown]
# <!--| question: fused-kernel, level: M, minutes: 25, needs: cpp -->
# ## 5 · Three in one
# An array has a million entries, and you launch `twice` in blocks of 256 threads, one thread for each entry. How many blocks does it take, and how many of their threads have nothing to do? Give both.

# %%
#| answer: fused-kernel-p1
#| kind: number
#| points: 1
#| because: {"(3906, 64)": "then the last 64 entries would be left out; round up", "(3907, 64)": "64 threads of the last block do have work", "(3906.25, 0)": "there are no quarters of a block",
#|   "(4096, 48576)": "it need not be a power of two"}
blocks_and_idlers = (3907, 192)  # SOLUTION

# %% [markdown]
# Torch computes `silu(a * x + b)` with three kernels, one after another: one multiplies, one adds, one takes $\mathrm{silu}(z) = z\,/\,(1 + e^{-z})$. Each reads its input from the card's memory and writes its result there. How many **bytes** are read and
# written for each `float32` entry of `x`, all three together? And how many if one kernel does all three, and keeps what is in between to itself? Give both.

# %%
#| answer: fused-kernel-p2
#| kind: number
#| points: 1
#| because: {"(12, 4)": "each kernel reads, and it writes as well", "(6, 2)": "those are accesses; each is four bytes", "(24, 24)": "what is in between need never leave the thread", "(16, 8)": "the result of one kernel is written by it, and then read by the next"}
bytes_per_entry = (24, 8)  # SOLUTION

# %% [markdown]
# Element-wise kernels do so little that memory is all that counts: *fusing* three into one makes them three times as fast. Write that one. `scale_silu_source()` returns the text of
#
# ```cpp
# __global__ void scale_silu(const float *x, float *y, float a, float b, int n)
# ```
#
# which puts $\mathrm{silu}(a x_i + b)$ into `y[i]` for all $i < n$ and writes nowhere else. There are at least as many threads as entries.

# %%
#| answer: fused-kernel-p3
def scale_silu_source():
    """The text of the kernel scale_silu, in CUDA C++."""
    ### BEGIN SOLUTION
    return r"""
__global__ void scale_silu(const float *x, float *y, float a, float b, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float z = a * x[i] + b;
        y[i] = z / (1.0f + expf(-z));
    }
}
"""
    ### END SOLUTION

# %%
#| helpers
GUARD = 1024  # entries before and after an output, which nobody may touch


@probe
def fill(source, name, inputs, outputs, numbers, grid, block, only=-1, order=0):
    """What the kernel leaves of an output that was full of 777, and of the fields before and after it."""
    text = source()
    x = torch.tensor(np.concatenate([inputs, np.zeros(GUARD)]), dtype=torch.float32)
    y = torch.full((outputs + 2 * GUARD,), 777.0)
    Kernel(text, name)(grid, block, x, y[GUARD : GUARD + outputs], *numbers, only=only, order=order)
    return y.numpy()


def output_of(answer, outputs):
    """The output, after a look at the fields around it."""
    y = np.asarray(answer)
    assert y.dtype == np.float32 and y.shape == (outputs + 2 * GUARD,)
    assert (y[:GUARD] == 777).all() and (y[GUARD + outputs :] == 777).all(), "the kernel writes beyond its output"
    return y[GUARD : GUARD + outputs].astype(float)


def silu(z):
    return z / (1 + np.exp(-z))

# %%
#| tests: fused-kernel-p3
def fused(scale_silu_source, x, a, b, grid, block, **how):
    y = fill(scale_silu_source, "scale_silu", x, len(x), [a, b, len(x)], grid, block, **how)
    return output_of(y, len(x))


@test_case(points=1, failure_message="Print the first entries of the output beside what you expect. Does every thread know its own i?")
def test_values(scale_silu_source):
    x = np.linspace(-4, 4, 1000).astype(np.float32)
    y = fused(scale_silu_source, x, 1.5, -0.25, 4, 256)
    assert np.allclose(y, silu(1.5 * x.astype(float) - 0.25), rtol=1e-4, atol=1e-5)


@test_case(points=1, hidden=True, failure_message="What do the threads do for which there is no entry?")
def test_sizes_that_do_not_fit(scale_silu_source):
    for n, block in ((1, 256), (255, 256), (256, 256), (257, 256), (1000, 32), (300, 128), (0, 64)):
        x = secret.normal(size=n).astype(np.float32)
        a, b = secret.normal(size=2)
        y = fused(scale_silu_source, x, a, b, max(1, -(-n // block)) + int(secret.integers(3)), block)
        assert np.isfinite(y).all() and np.allclose(y, silu(a * x.astype(float) + b), rtol=1e-4, atol=1e-5)


@test_case(points=1, hidden=True, failure_message="Does every block do its own share, or one of them everything?")
def test_work_is_shared_out(scale_silu_source):
    n, grid, block = 4000, 16, 256
    x = secret.normal(size=n).astype(np.float32)
    alone = [fused(scale_silu_source, x, 0.5, 3.0, grid, block, only=k) != 777 for k in range(grid)]
    assert (np.sum(alone, axis=0) == 1).all() and max(np.sum(alone, axis=1)) < n / 2

# %%
#| wrong: fused-kernel-p3
#| because: threads without an entry write all the same, beyond the end of the array
def scale_silu_source():
    return """
__global__ void scale_silu(const float *x, float *y, float a, float b, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float z = a * x[i] + b;
    y[i] = z / (1.0f + expf(-z));
}
"""

# %%
#| wrong: fused-kernel-p3
#| because: every block starts again at the first entry
def scale_silu_source():
    return """
__global__ void scale_silu(const float *x, float *y, float a, float b, int n) {
    int i = threadIdx.x;
    if (i < n) {
        float z = a * x[i] + b;
        y[i] = z / (1.0f + expf(-z));
    }
}
"""

# %%
#| wrong: fused-kernel-p3
#| because: the last entry is left out
def scale_silu_source():
    return """
__global__ void scale_silu(const float *x, float *y, float a, float b, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n - 1) {
        float z = a * x[i] + b;
        y[i] = z / (1.0f + expf(-z));
    }
}
"""

# %%
#| wrong: fused-kernel-p3
#| because: that is the sigmoid; silu is z times the sigmoid of z
def scale_silu_source():
    return """
__global__ void scale_silu(const float *x, float *y, float a, float b, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = 1.0f / (1.0f + expf(-(a * x[i] + b)));
}
"""

# %%
#| wrong: fused-kernel-p3
#| because: one thread does all the work while the others look on
#| earns: 2
def scale_silu_source():
    return """
__global__ void scale_silu(const float *x, float *y, float a, float b, int n) {
    if (blockIdx.x == 0 && threadIdx.x == 0)
        for (int i = 0; i < n; ++i) {
            float z = a * x[i] + b;
            y[i] = z / (1.0f + expf(-z));
        }
}
"""

# %%
#| wrong: fused-kernel-p3
#| because: a block has blockDim.x threads, whatever number is usual
#| earns: 2
def scale_silu_source():
    return """
__global__ void scale_silu(const float *x, float *y, float a, float b, int n) {
    int i = blockIdx.x * 256 + threadIdx.x;
    if (i < n) {
        float z = a * x[i] + b;
        y[i] = z / (1.0f + expf(-z));
    }
}
"""

# %%
#| right: fused-kernel-p3
#| because: a loop that strides over the whole grid serves any number of threads
def scale_silu_source():
    return """
__device__ float silu(float z) { return z * __fdividef(1.0f, 1.0f + __expf(-z)); }

extern "C" __global__ void __launch_bounds__(256) scale_silu(const float *__restrict__ x, float *__restrict__ y, const float a, const float b, int n) {
    for (int i = threadIdx.x + blockIdx.x * blockDim.x; i < n; i += gridDim.x * blockDim.x) y[i] = silu(fmaf(a, __ldg(x + i), b));
}
"""

# %%
#| right: fused-kernel-p3
#| because: half of z times (1 + tanh of half z) is the same function
def scale_silu_source():
    return "\n".join([
        "__global__ void scale_silu(float const *x, float *y, float a, float b, int n)",
        "{",
        "    unsigned i = threadIdx.x; i += blockDim.x * blockIdx.x;",
        "    if (i >= n) return;",
        "    float half = 0.5f * (a * x[i] + b);",
        "    y[i] = half * (1.0f + tanhf(half));",
        "}",
    ])

# %% [markdown]
# <!--| hint: fused-kernel-p3 -->
# Start from `twice` and change one line. What lies between two operations can be a variable, say `float z`: it stays in the thread.

# %% [markdown]
# <!--| question: tiled-reduction, level: H, minutes: 30, needs: cpp -->
# ## 6 · Together
# In a sum every thread's result depends on the others'. Threads of one block can meet: they share a small fast memory, and at `__syncthreads()` each waits until all have come. So 256 numbers are added up in a tree: in the first step 128 threads
# each add one number to another, then 64 threads do, and so on. How many steps until one number is left? And how many steps if one thread added them all, one after another?

# %%
#| answer: tiled-reduction-p1
#| kind: number
#| points: 1
#| because: {"(8, 256)": "the first number is there already when the adding begins", "(7, 255)": "the last step, from two numbers to one, counts, too", "(128, 255)": "those are the additions of the first step, and they happen at once", "(16, 255)": "every step halves what is left"}
steps = (8, 255)  # SOLUTION

# %% [markdown]
# Write the tree. `tile_sums_source()` returns the text of
#
# ```cpp
# __global__ void tile_sums(const float *x, float *sums, int n)
# ```
#
# Block $k$ adds up its own tile, the entries from `k * blockDim.x` to `(k + 1) * blockDim.x - 1` (as far as they are below `n`), and puts the sum into `sums[k]`, in which there may have been anything. A tile without entries sums to 0.
# `blockDim.x` is 32, 64, 128 or 256. Shared memory is declared with a fixed size, `__shared__ float tile[256];`, and holds anything at first.
#
# **Every** thread of a block has to come to a `__syncthreads()`, also one that has nothing to do. The workbench tells you if one does not; `order=1` or `order=2` lets threads run in another order and brings a forgotten barrier to light.

# %%
#| answer: tiled-reduction-p2
def tile_sums_source():
    """The text of the kernel tile_sums, in CUDA C++."""
    ### BEGIN SOLUTION
    return r"""
__global__ void tile_sums(const float *x, float *sums, int n) {
    __shared__ float tile[256];
    int t = threadIdx.x;
    int i = blockIdx.x * blockDim.x + t;
    tile[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (t < half) tile[t] += tile[t + half];
        __syncthreads();
    }
    if (t == 0) sums[blockIdx.x] = tile[0];
}
"""
    ### END SOLUTION

# %%
#| tests: tiled-reduction-p2
def tiled(tile_sums_source, x, grid, block, **how):
    """Are the sums of all tiles right? Rounding may cost a millionth or so of the numbers' size."""
    sums = output_of(fill(tile_sums_source, "tile_sums", x, grid, [len(x)], grid, block, **how), grid)
    padded = np.zeros(grid * block)
    padded[: len(x)] = x
    tiles = padded.reshape(grid, block)
    assert np.isfinite(sums).all() and (np.abs(sums - tiles.sum(1)) <= 1e-7 + 1e-5 * np.abs(tiles).sum(1)).all()


@test_case(points=1, failure_message="Take x full of ones and look at the sums. Which tile is wrong: all, or the last one only?")
def test_four_tiles(tile_sums_source):
    tiled(tile_sums_source, np.random.default_rng(4).normal(size=1000).astype(np.float32), 4, 256)


@test_case(points=1, hidden=True, failure_message="Smaller blocks, and tiles with one entry or none: what do the threads put into the tile for which there is no entry?")
def test_other_sizes(tile_sums_source):
    for n, grid, block in ((1, 1, 256), (257, 2, 256), (100, 4, 32), (64, 1, 64), (300, 3, 128), (70, 4, 64), (0, 1, 32)):
        tiled(tile_sums_source, secret.uniform(1, 2, size=n).astype(np.float32), grid, block)


@test_case(points=2, hidden=True, failure_message="Threads run in any order. Who reads what another one has perhaps not written yet, or writes what another one still has to read?")
def test_any_order(tile_sums_source):
    for order in (0, 1, *(int(k) for k in secret.integers(2, 10**6, size=4))):
        tiled(tile_sums_source, secret.normal(size=700).astype(np.float32), 3, 256, order=order)

# %%
#| wrong: tiled-reduction-p2
#| because: it does not wait between the steps of the tree
def tile_sums_source():
    return """
__global__ void tile_sums(const float *x, float *sums, int n) {
    __shared__ float tile[256];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    tile[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2)
        if (t < half) tile[t] += tile[t + half];
    __syncthreads();
    if (t == 0) sums[blockIdx.x] = tile[0];
}
"""

# %%
#| wrong: tiled-reduction-p2
#| because: it begins to add before the tile is full
#| earns: 0
def tile_sums_source():
    return """
__global__ void tile_sums(const float *x, float *sums, int n) {
    __shared__ float tile[256];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    tile[t] = i < n ? x[i] : 0.0f;
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (t < half) tile[t] += tile[t + half];
        __syncthreads();
    }
    if (t == 0) sums[blockIdx.x] = tile[0];
}
"""

# %%
#| wrong: tiled-reduction-p2
#| because: threads without an entry go home, and the others wait for them at the barrier
#| earns: 0
def tile_sums_source():
    return """
__global__ void tile_sums(const float *x, float *sums, int n) {
    __shared__ float tile[256];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    if (i >= n) return;
    tile[t] = x[i];
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (t < half) tile[t] += tile[t + half];
        __syncthreads();
    }
    if (t == 0) sums[blockIdx.x] = tile[0];
}
"""

# %%
#| wrong: tiled-reduction-p2
#| because: the tile is always 256 wide, also where the block is smaller
#| earns: 3
def tile_sums_source():
    return """
__global__ void tile_sums(const float *x, float *sums, int n) {
    __shared__ float tile[256];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    tile[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int half = 128; half > 0; half /= 2) {
        if (t < half) tile[t] += tile[t + half];
        __syncthreads();
    }
    if (t == 0) sums[blockIdx.x] = tile[0];
}
"""

# %%
#| wrong: tiled-reduction-p2
#| because: it adds to what happened to stand in the output
def tile_sums_source():
    return """
__global__ void tile_sums(const float *x, float *sums, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(&sums[blockIdx.x], x[i]);
}
"""

# %%
#| wrong: tiled-reduction-p2
#| because: of a tile with an odd number of entries one gets lost
def tile_sums_source():
    return """
__global__ void tile_sums(const float *x, float *sums, int n) {
    __shared__ float tile[256];
    int t = threadIdx.x, first = blockIdx.x * blockDim.x;
    int count = max(0, min((int)blockDim.x, n - first));
    tile[t] = t < count ? x[first + t] : 0.0f;
    __syncthreads();
    for (; count > 1; count /= 2) {
        if (t < count / 2) tile[t] += tile[t + count / 2];
        __syncthreads();
    }
    if (t == 0) sums[blockIdx.x] = tile[0];
}
"""

# %%
#| right: tiled-reduction-p2
#| because: threads of a warp can hand numbers to each other without shared memory
def tile_sums_source():
    return """
__global__ void tile_sums(const float *x, float *sums, int n) {
    __shared__ float parts[8];
    int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    float v = i < n ? x[i] : 0.0f;
    for (int by = 16; by > 0; by /= 2) v += __shfl_down_sync(0xffffffffu, v, by);
    if (t % warpSize == 0) parts[t / warpSize] = v;
    __syncthreads();
    if (t == 0) {
        for (int w = 1; w < blockDim.x / warpSize; ++w) v += parts[w];
        sums[blockIdx.x] = v;
    }
}
"""

# %%
#| right: tiled-reduction-p2
#| because: the tree may also grow from neighbours outwards, and start from a cleared output with atomics
def tile_sums_source():
    return """
__global__ void tile_sums(const float *x, float *sums, int n) {
    __shared__ float tile[256];
    const unsigned t = threadIdx.x;
    unsigned i = blockIdx.x * blockDim.x + t;
    if (t == 0) sums[blockIdx.x] = 0.0f;
    tile[t] = (i < n) ? x[i] : 0;
    for (unsigned gap = 1; gap < 32; gap *= 2) {
        __syncthreads();
        if (t % (2 * gap) == 0) tile[t] += tile[t + gap];
    }
    __syncthreads();
    if (t % 32 == 0) atomicAdd(sums + blockIdx.x, tile[t]);
}
"""

# %% [markdown]
# <!--| hint: tiled-reduction-p2 -->
# Three acts: every thread puts one number into the tile (which one, if it has no entry?); the tree; one thread writes the sum. Between acts, and between the steps of the tree, everybody has to be there.

# %% [markdown]
# > **Common myth.** "A sum is a sum." A thousand numbers added one after another, and the same added in a tree, differ in the last digits, because rounding depends on the order. The tree's error is the smaller one: no number goes through more than ten additions.

# %% [markdown]
# <!--| question: kernels-on-the-card, level: M, minutes: 20, needs: cuda -->
# ## 7 · On the card
# Now the same two texts on a card. Your kernels are functions of numbers and pointers; wrap them, so that others can use them as they use torch.
#
# `scale_silu(x, a, b)` returns $\mathrm{silu}(a x + b)$ as a new tensor of the same shape, computed by your kernel on the device where `x` is. `x` is `float32` of any shape, also empty, and may be a view with gaps, such as a transposed matrix.
#
# (Everything in this question runs on the processor as well, so you can try it there. Points are given on a card.)

# %%
#| answer: kernels-on-the-card-p1
def scale_silu(x, a, b):
    """silu(a * x + b) by the kernel of question 5: a new tensor like x (float32, any shape), on the device of x."""
    ### BEGIN SOLUTION
    x = x.contiguous()
    y = torch.empty_like(x)
    if x.numel():
        Kernel(scale_silu_source(), "scale_silu")(-(-x.numel() // BLOCK), BLOCK, x, y, a, b, x.numel())
    return y
    ### END SOLUTION

# %%
#| helpers
CARD, ANYWHERE = "cuda", "c"  # how the device begins on which results have to be; "c" is any


@probe
def on_the_card(function, x, arguments, turned):
    """What the function returns for an array that was uploaded: numbers, device, shape. `turned`: it gets a view of the transposed array."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = torch.as_tensor(x).to(device)
    before = x.clone()
    y = function(x.T if turned else x, *arguments)
    assert torch.equal(x, before)
    return y.detach().cpu().numpy(), str(y.device), list(y.shape)


def result_there(answer, shape, device):
    """The numbers, if they have this shape and were computed where they should be."""
    y, where, shape_there = answer
    assert where.startswith(device) and shape_there == list(shape)
    y = np.asarray(y)
    assert y.dtype == np.float32 and y.shape == tuple(shape) and np.isfinite(y).all()
    return y.astype(float)

# %%
#| tests: kernels-on-the-card-p1
@test_case(points=0.5, failure_message="How many blocks does it take for 3000 entries? And is the result a new tensor like x?")
def test_a_matrix(scale_silu):
    x = np.linspace(-3, 3, 3000, dtype=np.float32).reshape(60, 50)
    y = result_there(on_the_card(scale_silu, x, [2.0, -1.0], False), (60, 50), ANYWHERE)
    assert np.allclose(y, silu(2 * x.astype(float) - 1), rtol=1e-4, atol=1e-5)


@test_case(points=0.5, hidden=True, failure_message="Any number of entries, none included.")
def test_sizes(scale_silu):
    for shape in ((1,), (257,), (0,), (3, 0), (), (300_007,), (5, 7, 11)):
        x = secret.normal(size=shape).astype(np.float32)
        a, b = (float(v) for v in secret.normal(size=2))
        y = result_there(on_the_card(scale_silu, x, [a, b], False), shape, CARD)
        assert np.allclose(y, silu(a * x.astype(float) + b), rtol=1e-4, atol=1e-5)


@test_case(points=1, hidden=True, failure_message="In which order do the entries of a transposed matrix lie in memory?")
def test_views(scale_silu):
    for shape in ((70, 30), (1, 9), (256, 3)):
        x = secret.normal(size=shape).astype(np.float32)
        y = result_there(on_the_card(scale_silu, x, [0.7, 0.2], True), shape[::-1], CARD)
        assert np.allclose(y, silu(0.7 * x.T.astype(float) + 0.2), rtol=1e-4, atol=1e-5)

# %%
#| wrong: kernels-on-the-card-p1
#| because: the number of blocks is rounded down, so the last entries are left out
def scale_silu(x, a, b):
    x = x.contiguous()
    y = torch.zeros_like(x)
    if x.numel() >= 256:
        Kernel(scale_silu_source(), "scale_silu")(x.numel() // 256, 256, x, y, a, b, x.numel())
    return y

# %%
#| wrong: kernels-on-the-card-p1
#| because: the kernel sees memory, not shape; a view has to be made contiguous first
#| earns: 1
def scale_silu(x, a, b):
    y = torch.empty(x.shape, device=x.device)
    if x.numel():
        Kernel(scale_silu_source(), "scale_silu")(-(-x.numel() // 256), 256, x, y, a, b, x.numel())
    return y

# %%
#| wrong: kernels-on-the-card-p1
#| because: it works in place, and the caller's tensor is gone
def scale_silu(x, a, b):
    if x.numel():
        Kernel(scale_silu_source(), "scale_silu")(-(-x.numel() // 256), 256, x, x, a, b, x.numel())
    return x

# %%
#| wrong: kernels-on-the-card-p1
#| because: a grid of no blocks cannot be launched
#| earns: 1.5
def scale_silu(x, a, b):
    x = x.contiguous()
    y = torch.empty_like(x)
    Kernel(scale_silu_source(), "scale_silu")(-(-x.numel() // 256), 256, x, y, a, b, x.numel())
    return y

# %%
#| right: kernels-on-the-card-p1
#| because: one block more than needed does no harm, and blocks may have any size
def scale_silu(x, a, b):
    flat = x.reshape(-1).clone()
    out = torch.zeros(len(flat), dtype=torch.float32, device=x.device)
    kernel = Kernel(scale_silu_source(), "scale_silu")
    kernel(len(flat) // 128 + 1, 128, flat, out, float(a), float(b), len(flat))
    return out.view(x.shape)

# %% [markdown]
# And the sum: `total(x)` returns the sum of all entries as a tensor without dimensions (`shape` is `()`), still on the device of `x`. Your `tile_sums` makes one number of 256. What makes one of those?

# %%
#| answer: kernels-on-the-card-p2
def total(x):
    """The sum of all entries of x (float32, any shape) by the kernel of question 6: a tensor of shape () on the device of x."""
    ### BEGIN SOLUTION
    x = x.reshape(-1)
    kernel = Kernel(tile_sums_source(), "tile_sums")
    while x.numel() != 1:
        sums = x.new_empty(-(-x.numel() // BLOCK) or 1)
        kernel(sums.numel(), BLOCK, x, sums, x.numel())
        x = sums
    return x[0].clone()
    ### END SOLUTION

# %%
#| tests: kernels-on-the-card-p2
def summed(total, x, device, turned=False):
    y = result_there(on_the_card(total, x, [], turned), (), device)
    exact = x.astype(float)
    assert abs(float(y) - exact.sum()) <= 1e-6 * (1 + np.abs(exact).sum())


@test_case(points=0.5, failure_message="A thousand ones make four tiles. And four numbers make ...?")
def test_a_thousand(total):
    summed(total, np.ones(1000, dtype=np.float32), ANYWHERE)
    summed(total, np.arange(100, dtype=np.float32).reshape(4, 25), ANYWHERE)


@test_case(points=1, hidden=True, failure_message="How many rounds does it take? One entry, none, a few hundred thousand: it depends.")
def test_sizes(total):
    for shape in ((1,), (256,), (257,), (65_537,), (150, 500), (0,), ()):
        summed(total, secret.uniform(-1, 2, size=shape).astype(np.float32), CARD)
    summed(total, secret.normal(size=(90, 40)).astype(np.float32), CARD, turned=True)


@test_case(points=0.5, hidden=True, failure_message="Is it exact enough for many numbers? A tree of sums is; one running float32 is not.")
def test_many(total):
    summed(total, secret.uniform(0, 1, size=200_000).astype(np.float32) + np.float32(1000), CARD)

# %%
#| wrong: kernels-on-the-card-p2
#| because: one round makes a number of every 256 entries; a second one is needed, and then perhaps a third
def total(x):
    x = x.reshape(-1)
    sums = torch.empty(max(1, -(-x.numel() // 256)), device=x.device)
    Kernel(tile_sums_source(), "tile_sums")(sums.numel(), 256, x, sums, x.numel())
    return sums[0].clone()

# %%
#| wrong: kernels-on-the-card-p2
#| because: two rounds are enough for 65,536 entries, and there are larger tensors
#| earns: 0.5
def total(x):
    x = x.reshape(-1)
    for _ in range(2):
        sums = torch.empty(max(1, -(-x.numel() // 256)), device=x.device)
        Kernel(tile_sums_source(), "tile_sums")(sums.numel(), 256, x, sums, x.numel())
        x = sums
    return x[0].clone()

# %%
#| wrong: kernels-on-the-card-p2
#| because: the numbers are taken back to Python and added there; the result is no tensor
def total(x):
    x = x.reshape(-1)
    sums = torch.empty(max(1, -(-x.numel() // 256)), device=x.device)
    Kernel(tile_sums_source(), "tile_sums")(sums.numel(), 256, x, sums, x.numel())
    return sum(sums.tolist())

# %%
#| right: kernels-on-the-card-p2
#| because: it may call itself
def total(x):
    if x.dim() != 1 or not x.is_contiguous():
        return total(x.contiguous().view(x.numel()))
    sums = torch.zeros((x.numel() + 127) // 128 or 1, device=x.device)
    Kernel(tile_sums_source(), "tile_sums")(len(sums), 128, x, sums, len(x))
    return total(sums) if len(sums) > 1 else sums.squeeze()

# %% [markdown]
# <!--| question: as-fast-as-torch, level: H, minutes: 20, needs: cuda -->
# ## 8 · Faster than torch
# Here is what all this was for. Torch needs three kernels for `torch.nn.functional.silu(a * x + b)`. Yours is one.
#
# Write `fast_scale_silu(x, a, b)` for contiguous `float32` tensors of any size on a card. It must be right, and take at most **two thirds of the time** that torch takes. The clock is honest: 150 million entries, new numbers in every round, other `a` and `b` in
# every call, and it stops when the card has done everything and the result has been looked at.
#
# Your kernel of question 5 will do, if it is launched with care. It may also be improved upon: `float4` reads four numbers at once, and a thread may stride through the array.

# %%
#| answer: as-fast-as-torch
def fast_scale_silu(x, a, b):
    """silu(a * x + b) as a new tensor, in at most two thirds of torch's time. x: contiguous, float32, any shape."""
    ### BEGIN SOLUTION
    y = torch.empty_like(x)
    n = x.numel()
    if n:
        Kernel(scale_silu_source(), "scale_silu")(-(-n // BLOCK), BLOCK, x, y, a, b, n)
    return y
    ### END SOLUTION

# %%
#| helpers
SIDE, CALLS, ROUNDS = 12288, 12, 5  # x has SIDE * SIDE entries; calls in a round with other a and b each; rounds
FACTOR = 2 / 3  # of torch's time
# Student code may have slowed torch down in its own process, so its time counts as at most what the slowest card takes that we reckon with. Torch moves 6 * 4 bytes an
# entry, and the look at the results 4 more; a T4 moves 320 GB a second, and we grant a third of that.
CAP = CALLS * SIDE * SIDE * (6 + 1) * 4 / 100e9  # seconds


@probe
def uploaded(seed, side):
    """A new matrix of normal numbers, where the card is: drawn there from its seed, for it is large."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    x = np.random.default_rng(seed).standard_normal((side, side), dtype=np.float32)
    return types.SimpleNamespace(x=torch.from_numpy(x).to(device))


@probe
def looked_at(function, held, a, b, left, right):
    """Call it once and look at all of the result: the product left · y · right, and where it is. Ends when all streams have.

    Without a function it is torch's own expression.
    """
    x = held.x
    left, right = (torch.from_numpy(v).to(x.device) for v in (left, right))
    y = torch.nn.functional.silu(a * x + b) if function is None else function(x, a, b)
    if type(y) is not torch.Tensor or y.shape != x.shape or y.dtype != x.dtype or y.device != x.device:
        return None, ""
    found = left @ (y @ right)
    if x.is_cuda:
        torch.cuda.synchronize()
    return float(found), str(x.device)


def a_round(function, secret, device):
    """Seconds for the function and for torch, on new inputs. One of the results, which one nobody knows beforehand, is compared with our own.

    Student code could have put its hands on the product, too, and do all of a round's calls in one kernel once it is asked for the last. So the numbers of the next call
    are not on that side before the answer to this one is here.
    """
    seed = int(secret.integers(2**62))
    held = uploaded(seed, SIDE)
    seconds = []
    for which in (function, None) if secret.random() < 0.5 else (None, function):
        k, spent = int(secret.integers(CALLS)), 0.0
        for call in range(CALLS):
            a, b = (float(np.float32(v)) for v in secret.uniform(0.3, 2.0, size=2))
            left, right = secret.normal(size=(2, SIDE)).astype(np.float32)
            start = time.perf_counter()
            found, where = looked_at(which, held, a, b, left, right)
            spent += time.perf_counter() - start
            if which is not None:
                assert where.startswith(device)
            if which is not None and call == k:
                y = np.random.default_rng(seed).standard_normal((SIDE, SIDE), dtype=np.float32)
                y *= np.float32(a)
                y += np.float32(b)
                y /= 1 + np.exp(-y)
                expected = left.astype(float) @ (y @ right.astype(float))
                assert abs(found - expected) < 5e-5 * SIDE  # rounding costs a hundredth of that
        seconds.append((which is None, spent))
    return [s for _, s in sorted(seconds)]

# %%
#| tests: as-fast-as-torch
@test_case(points=1, failure_message="First it has to be right.")
def test_right(fast_scale_silu):
    for shape in ((1000,), (3, 5), (0,), (4097,), (64, 64)):
        x = np.random.default_rng(8).normal(size=shape).astype(np.float32)
        y = result_there(on_the_card(fast_scale_silu, x, [1.25, -0.5], False), shape, ANYWHERE)
        assert np.allclose(y, silu(1.25 * x.astype(float) - 0.5), rtol=1e-4, atol=1e-5)


@test_case(points=3, hidden=True, failure_message="Right in every round, on new numbers, and in two thirds of torch's time. Is the whole card at work? How many launches does one call make?")
def test_fast(fast_scale_silu):
    a_round(fast_scale_silu, secret, CARD)  # compiles, and is not counted
    times = np.array([a_round(fast_scale_silu, secret, CARD) for _ in range(ROUNDS)])
    mine, torchs = np.median(times, axis=0)
    assert mine < FACTOR * min(torchs, CAP)

# %%
#| wrong: as-fast-as-torch
#| because: those are torch's own three kernels, and they take torch's own time
#| earns: 1
def fast_scale_silu(x, a, b):
    return torch.nn.functional.silu(a * x + b)

# %%
#| wrong: as-fast-as-torch
#| because: thousands of small launches cost more than the work
#| earns: 1
def fast_scale_silu(x, a, b):
    y = torch.empty_like(x)
    kernel = Kernel(scale_silu_source(), "scale_silu")
    for part, out in zip(x.view(-1).chunk(4096), y.view(-1).chunk(4096)):
        if part.numel():
            kernel((part.numel() + 255) // 256, 256, part, out, a, b, part.numel())
    return y

# %%
#| wrong: as-fast-as-torch
#| because: the clock is the grader's; one that stands still in the notebook changes nothing
#| earns: 1
def fast_scale_silu(x, a, b):
    time.perf_counter = time.monotonic = time.time = lambda: 0.0
    y = torch.empty_like(x)
    kernel = Kernel(scale_silu_source(), "scale_silu")
    for part, out in zip(x.view(-1).chunk(4096), y.view(-1).chunk(4096)):
        if part.numel():
            kernel((part.numel() + 255) // 256, 256, part, out, a, b, part.numel())
    return y

# %%
#| wrong: as-fast-as-torch
#| because: events that lie and a synchronise that does not wait change nothing; the results are waited for
#| earns: 1
def fast_scale_silu(x, a, b):
    torch.cuda.synchronize = lambda *_, **__: None
    torch.cuda.Event.elapsed_time = lambda *_: 0.0
    torch.cuda.Event.synchronize = lambda *_: None
    y = torch.empty_like(x)
    kernel = Kernel(scale_silu_source(), "scale_silu")
    for part, out in zip(x.view(-1).chunk(4096), y.view(-1).chunk(4096)):
        if part.numel():
            kernel((part.numel() + 255) // 256, 256, part, out, a, b, part.numel())
    return y

# %%
#| wrong: as-fast-as-torch
#| because: an answer kept from an earlier call is the answer to other numbers
#| earns: 1
def fast_scale_silu(x, a, b, kept={}):
    if x.shape not in kept:
        kept[x.shape] = torch.nn.functional.silu(a * x + b)
    return kept[x.shape]

# %%
#| wrong: as-fast-as-torch
#| because: a recorded graph plays again what was recorded, with the old numbers
def fast_scale_silu(x, a, b, kept={}):
    if not x.numel():
        return torch.empty_like(x)
    if x.shape not in kept:
        y = torch.nn.functional.silu(a * x + b)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            y = torch.nn.functional.silu(a * x + b)
        kept[x.shape] = graph, x, y
    graph, _, y = kept[x.shape]
    graph.replay()
    return y

# %%
#| wrong: as-fast-as-torch
#| because: it leaves the work on a stream of its own, where nobody waits for it before the result is read
def fast_scale_silu(x, a, b, kept={}):
    side = kept.setdefault("stream", torch.cuda.Stream())
    y = torch.full_like(x, 0.5)
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        torch.cuda._sleep(10_000_000)
        y.copy_(torch.nn.functional.silu(a * x + b))
    return y

# %%
#| wrong: as-fast-as-torch
#| because: it looks at a few numbers only and fills in the rest
#| earns: 0
def fast_scale_silu(x, a, b):
    y = torch.zeros_like(x)
    y.view(-1)[::16] = torch.nn.functional.silu(a * x.view(-1)[::16] + b)
    return y

# %%
#| right: as-fast-as-torch
#| because: a thread may stride through the array and take four numbers at a time
def fast_scale_silu(x, a, b):
    text = """
__device__ float silu(float z) { return z / (1.0f + __expf(-z)); }

__global__ void by_four(const float *x, float *y, float a, float b, int n) {
    int first = blockIdx.x * blockDim.x + threadIdx.x, step = gridDim.x * blockDim.x;
    const float4 *from = reinterpret_cast<const float4 *>(x);
    float4 *to = reinterpret_cast<float4 *>(y);
    for (int i = first; i < n / 4; i += step) {
        float4 v = from[i];
        to[i] = make_float4(silu(a * v.x + b), silu(a * v.y + b), silu(a * v.z + b), silu(a * v.w + b));
    }
    for (int i = n / 4 * 4 + first; i < n; i += step) y[i] = silu(a * x[i] + b);
}
"""
    y = torch.empty_like(x)
    Kernel(text, "by_four")(min(8192, x.numel() // 1024 + 1), 256, x, y, a, b, x.numel())
    return y

# %% [markdown]
# <!--| hint: as-fast-as-torch -->
# Count how often the card's memory is read and written in one call, and how often something is launched. Everything that is not the kernel (making it, copying, converting) should cost next to nothing.

# %% [markdown]
# Hold the race yourself, with your clock of question 3:

# %%
class RealCard:
    """The card in this machine, with the methods of the one that never was."""

    def clock(self):
        return time.perf_counter()

    def launch(self, work):
        work()

    def synchronize(self):
        torch.cuda.synchronize()


if torch.cuda.is_available():
    x = torch.randn(6144, 6144, device="cuda")
    print("torch", seconds_per_call(RealCard(), lambda: torch.nn.functional.silu(1.5 * x - 0.5)))
    print("mine ", seconds_per_call(RealCard(), lambda: fast_scale_silu(x, 1.5, -0.5)))

# %% [markdown]
# ### You can now
# say where a tensor lives and what it costs to move it, read a clock that waits, keep a sum from overflowing, and write kernels that a whole card works on. Think about it: `torch.compile` writes fused kernels of its own. Which of today's wrong answers could it give?
