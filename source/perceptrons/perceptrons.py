# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Perceptrons and sigmoid neurons
#     minutes: 126
#     prerequisites: [numpy-warmup]
#     limits: {case_s: 5, cell_s: 10}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Perceptrons and sigmoid neurons
#
# Every network you will meet in this course, up to the ones that write prose, is made of one small part repeated many times: multiply each input by a weight, add everything up, add a bias, and pass
# the sum through a simple function. This evening you take that part in your hand. You will build logic gates from it by choosing numbers, let it learn such numbers itself, run into the wall that
# took the wind out of the whole field around 1970, and step over it with a second layer.
#
# ![A neuron: three inputs x1, x2, x3 reach one sum through weights w1, w2, w3; a bias b comes in from above; the sum z passes through an output function g and leaves as y.](neuron.svg)
#
# Throughout, $z = w_1x_1 + \dots + w_dx_d + b$ is the sum in the middle, and the **step** fires only above zero: $\mathrm{step}(z) = 1$ if $z > 0$, otherwise $0$. At exactly zero it stays silent.
#
# *How to answer.* Many answers are one line: a number, a letter or a word in quotes (`"b"`), several letters as a set (`{"a", "c"}`), verdicts as a tuple (`(True, False)`). The check below a cell tells at once whether the form is right; whether the answer is, you learn after you hand in.

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
from itertools import product

import numpy as np
import torch
import torch.nn.functional as F

CORNERS = np.array(list(product((0.0, 1.0), repeat=2)))  # rows (0,0), (0,1), (1,0), (1,1)
XOR = np.array([0, 1, 1, 0])

# %%
#| helpers
def plain(got):
    """Tensors, also those in lists, without their gradients."""
    if isinstance(got, (list, tuple)):
        return [plain(item) for item in got]
    return got.detach().numpy() if torch.is_tensor(got) else got


def numbers(got, shape):
    """What the student returned, as a float array of this shape; an AssertionError if it is anything else. A single number may come in an array of one."""
    got = np.asarray(plain(got))
    if shape == () and got.size == 1:
        got = got.reshape(())
    assert got.dtype.kind in "biuf" and got.shape == shape, f"expected the shape {shape}, got {got.shape}"
    got = got.astype(float)
    assert np.isfinite(got).all()
    return got


def yes_or_no(got):
    """What the student returned, as True or False; an AssertionError if it is anything else."""
    got = np.asarray(got)
    assert got.shape == () and got.dtype.kind in "biu" and got in (0, 1)
    return bool(got)

# %% [markdown]
# <!--| question: single-layer-feedforward-blanks, level: E, minutes: 7 -->
# ## 1 · Which way does the signal flow?
# Wire neurons together and you have a network. Its units are usually drawn in columns, the *layers*; each may hold as many units as you like. Begin with the plainest wiring there is: the inputs go straight to the
# outputs, and nothing stands in between.
#
# Complete the sentence with four words, each a string in quotes, in this order:
#
# "The simplest feed-forward net has **[1]** input layer and **[2]** output layer; it has **[3]** hidden layers. No signal ever travels from a later unit back to an earlier one: there are no **[4]** connections."

# %%
#| answer: single-layer-feedforward-blanks-p1
#| kind: text
#| points: 1
#| accept: [
#|   [one, '1', a single, single, exactly one, an, a, just one, only one],
#|   [one, '1', a single, single, exactly one, an, a, just one, only one],
#|   ['no', '0', zero, none, not any],
#|   [feedback, feed back, recurrent, recurrence, recurring, backward, backwards, back, cyclic, cyclical, circular, loop, looped, looping, return, reverse, reversed]]
blanks = ("one", "one", "no", "feedback")  # SOLUTION

# %% [markdown]
# > **Common myth.** "A single-layer net has a single input." It may have a thousand. What people count when they say *single-layer* is layers, not units.

# %% [markdown]
# What makes a net *feed-forward* is not how tidily it is drawn but that no signal can come back to where it started. Let `A[i, j]` be the weight of the connection from unit `i` to unit `j`; zero means there is none.
# Write `is_feedforward(A)`: `True` if you can never return to a unit by following connections, otherwise `False`. A unit wired to itself is a loop too. The units come in no particular order, and a net with no units has no loops.

# %%
#| answer: single-layer-feedforward-blanks-p2
def is_feedforward(A):
    """True if the connections contain no directed cycle, else False.

    A: square array-like; A[i, j] is the weight from unit i to unit j, 0 where they are not connected.
    """
    ### BEGIN SOLUTION
    A = np.asarray(A) != 0
    while len(A):
        fed = A.any(axis=0)
        if fed.all():
            return False
        A = A[fed][:, fed]
    return True
    ### END SOLUTION

# %%
#| tests: single-layer-feedforward-blanks-p2
@test_case(points=1, failure_message="Try a chain of three units, a unit wired to itself, and two units that feed each other, with weights of both signs.")
def test_small_nets(is_feedforward):
    assert yes_or_no(is_feedforward([[0, 1, 0], [0, 0, 1], [0, 0, 0]])) is True
    assert yes_or_no(is_feedforward([[0, 1], [0, 1]])) is False
    assert yes_or_no(is_feedforward([[0, 1], [1, 0]])) is False
    assert yes_or_no(is_feedforward([[1, -1], [1, -1]])) is False


@test_case(points=0.5, hidden=True, failure_message="A net without loops stays one when its units are renumbered, and weights may be negative.")
def test_shuffled_units(is_feedforward):
    for n in (0, 1, 3, 8):
        A = np.triu(secret.normal(size=(n, n)) * (secret.random((n, n)) < 0.5), 1)
        order = secret.permutation(n)
        assert yes_or_no(is_feedforward(A[order][:, order])) is True


@test_case(points=0.5, hidden=True, failure_message="A loop may be long, and it may sit in a corner of the net that most units never reach.")
def test_long_and_remote_loops(is_feedforward):
    for n in (3, 5, 8):
        A = np.triu(secret.normal(size=(n, n)), 1)
        A[0, n - 1] = 0.0
        A[n - 1, 0] = -1.0
        order = secret.permutation(n)
        assert yes_or_no(is_feedforward(A[order][:, order])) is False
        apart = np.zeros((n + 3, n + 3))
        apart[0, 1] = apart[1, 2] = 1.0
        apart[3:, 3:] = A
        assert yes_or_no(is_feedforward(apart)) is False
        assert yes_or_no(is_feedforward(apart[::-1, ::-1])) is False

# %%
#| wrong: single-layer-feedforward-blanks-p2
#| because: it counts walks with their weights, and weights of opposite sign cancel; what matters is whether there is a connection
def is_feedforward(A):
    A = np.asarray(A, dtype=float)
    walks = np.eye(len(A))
    for _ in range(len(A)):
        walks = walks @ A
        if abs(np.trace(walks)) > 1e-9:
            return False
    return True

# %%
#| wrong: single-layer-feedforward-blanks-p2
#| because: it looks only for pairs of units that feed each other; a loop may take more steps than that
def is_feedforward(A):
    A = np.asarray(A) != 0
    return not (A & A.T).any()

# %%
#| wrong: single-layer-feedforward-blanks-p2
#| because: it trusts the numbering of the units; renumber them and a harmless net is turned away
def is_feedforward(A):
    A = np.asarray(A) != 0
    return bool((np.tril(A) == 0).all())

# %%
#| wrong: single-layer-feedforward-blanks-p2
#| because: it sets out from unit 0 only, so it never sees a loop that unit 0 cannot reach
def is_feedforward(A):
    A = np.asarray(A) != 0

    def loops(unit, path):
        return unit in path or any(loops(int(j), path | {unit}) for j in np.flatnonzero(A[unit]))

    return not (len(A) and loops(0, frozenset()))

# %%
#| wrong: single-layer-feedforward-blanks-p2
#| because: it forgets that a unit wired to itself is a loop
def is_feedforward(A):
    A = np.asarray(A) != 0
    A = A & ~np.eye(len(A), dtype=bool)
    while len(A):
        fed = A.any(axis=0)
        if fed.all():
            return False
        A = A[fed][:, fed]
    return True

# %%
#| right: single-layer-feedforward-blanks-p2
#| because: in a net without loops no walk is longer than the number of units
def is_feedforward(A):
    A = (np.asarray(A) != 0).astype(int)
    walks = np.eye(len(A), dtype=int)
    for _ in range(len(A)):
        walks = (walks @ A > 0).astype(int)
    return not walks.any()

# %%
#| right: single-layer-feedforward-blanks-p2
#| because: a depth-first search from every unit meets every loop
def is_feedforward(A):
    A = np.asarray(A)
    state = [0] * len(A)

    def clean(unit):
        state[unit] = 1
        for other in range(len(A)):
            if A[unit][other] != 0 and (state[other] == 1 or (state[other] == 0 and not clean(other))):
                return False
        state[unit] = 2
        return True

    return all(state[unit] == 2 or clean(unit) for unit in range(len(A)))

# %%
#| equivalent: single-layer-feedforward-blanks-p2
#| from: fed = A.any(axis=0)
#| to: fed = A.any(axis=1)
#| because: taking away units that feed nobody empties the same nets as taking away units that nobody feeds

# %% [markdown]
# <!--| hint: single-layer-feedforward-blanks-p2 -->
# In a net without loops there is always a unit that nobody feeds. What may you do with such a unit, and what is left then?

# %% [markdown]
# <!--| question: perceptron-step-and-sigmoid, level: E, minutes: 10, covers: [perceptron-output-range] -->
# ## 2 · Step and sigmoid
# The *perceptron* puts a step behind the sum. The *sigmoid neuron* puts a soft slope there instead:
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# Both compute the same $z$ first. The difference looks cosmetic. It decides what can be learned, as you will see in question 10. Judge the three statements (think of exact arithmetic, where nothing is rounded).

# %%
#| answer: perceptron-step-and-sigmoid-p1
#| kind: true-false
#| points: 1
#| options: [
#|   'When a perceptron is fitted to labelled examples, the training algorithm finds its weights and bias; nobody has to set them by hand.',
#|   'A sigmoid neuron takes real numbers as inputs, for instance from $[0, 1]$, and its output lies strictly between 0 and 1.',
#|   'The derivative of the step function is useful for gradient descent.']
about_both = (True, True, False)  # SOLUTION

# %% [markdown]
# Now the sum itself. Take $w = (1, 1)$, $b = -1.5$ and the input $x = (1, 1)$. Give two numbers: first $z = \sum_j w_jx_j + b$, then what comes out if somebody writes $\sum_j (w_jx_j + b)$ instead.

# %%
#| answer: perceptron-step-and-sigmoid-p2
#| kind: number
#| points: 1
#| because: {
#|   "[-1.0, -1.0]": 'in the first number the bias came in twice; it belongs to the neuron, not to each input',
#|   "[-1.0, 0.5]": 'in the first number the bias came in twice; it belongs to the neuron, not to each input',
#|   "[2, -1.0]": 'the first number has no bias in it',
#|   "[2, 2]": 'neither number has a bias in it'}
two_sums = (1 + 1 - 1.5, (1 - 1.5) + (1 - 1.5))  # SOLUTION

# %% [markdown]
# > **Common myth.** "Whether $b$ stands inside or outside the sum is a matter of taste." Look at your two numbers: would the two neurons answer alike?

# %% [markdown]
# The name of a unit does not always tell you what may come out of it: that depends on the function behind the sum, and papers differ. Three conventions are in use: the step from above, the sign function, and the sigmoid. Judge:

# %%
#| answer: perceptron-step-and-sigmoid-p3
#| kind: true-false
#| points: 1
#| options: [
#|   'A perceptron whose output function is the step ($z > 0$) puts out nothing but 0 and 1.',
#|   'A sigmoid neuron puts out nothing but 0 and 1.',
#|   'A perceptron whose output function is the sign of $z$ puts out nothing but 0 and 1.']
about_outputs = (True, False, False)  # SOLUTION

# %% [markdown]
# Time to write both. `perceptron(X, w, b)` answers for a whole batch, one example per row of `X`; remember that $z = 0$ does not fire. `sigmoid(z)` takes a number or an array of any shape. Let it be *stable*: right for
# $z = \pm 1000$ too, without an overflow on the way. (That $e^{-1000}$ becomes a plain 0 is harmless.)

# %%
#| answer: perceptron-step-and-sigmoid-p4
def perceptron(X, w, b):
    """0 or 1 for each row of X: does the neuron with weights w and bias b fire?

    X: array-like (n, d); w: array-like (d,); b: number. Returns n zeros and ones.
    """
    ### BEGIN SOLUTION
    return (np.dot(X, w) + b > 0).astype(int)
    ### END SOLUTION


def sigmoid(z):
    """1 / (1 + exp(-z)), element by element and without overflow; same shape as z."""
    ### BEGIN SOLUTION
    return np.exp(-np.logaddexp(0.0, np.negative(z)))
    ### END SOLUTION

# %%
#| tests: perceptron-step-and-sigmoid-p4
@test_case(points=0.5, failure_message="Each row of X gives one answer, 0 or 1; a sum of exactly zero gives 0.")
def test_four_rows(perceptron):
    X = [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert numbers(perceptron(X, [1, 1], -1.5), (4,)).tolist() == [0, 0, 0, 1]
    assert numbers(perceptron(X, [1, 1], -1), (4,)).tolist() == [0, 0, 0, 1]


@test_case(points=0.5, failure_message="Compare with the formula at a few moderate numbers, one at a time and as an array.")
def test_moderate_numbers(sigmoid):
    z = np.array([[-2.0, 0.0, 1.0], [3.0, -0.5, 0.25]])
    assert np.allclose(numbers(sigmoid(z), (2, 3)), 1 / (1 + np.exp(-z)), rtol=0, atol=1e-6)
    assert abs(numbers(sigmoid(0.0), ()) - 0.5) < 1e-6


@test_case(points=0.5, hidden=True, failure_message="Compare with a plain loop over the rows, with more than two inputs.")
def test_random_neurons(perceptron):
    X, w, b = secret.normal(size=(40, 5)), secret.normal(size=5), secret.normal()
    expected = [int(sum(p * q for p, q in zip(row, w)) + b > 0) for row in X]
    assert numbers(perceptron(X, w, b), (40,)).tolist() == expected


@test_case(points=0.5, hidden=True, failure_message="Very negative and very positive z: which power of e is too large to write down?")
def test_far_out(sigmoid):
    z = np.concatenate([[-1000.0, 1000.0], secret.uniform(-1000, 1000, size=50), secret.normal(size=50)])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        left, right = numbers(sigmoid(z), (102,)), numbers(sigmoid(-z), (102,))
    assert np.allclose(left + right, 1.0, rtol=0, atol=1e-6)
    assert left[0] < 1e-6 and left[1] > 1 - 1e-6 and (left[2:] > 0.5).tolist() == (z[2:] > 0).tolist()
    assert np.allclose(left[52:], 1 / (1 + np.exp(-z[52:])), rtol=0, atol=1e-6)

# %%
#| wrong: perceptron-step-and-sigmoid-p4
#| because: it fires at a sum of exactly zero
#| earns: 1.5
def perceptron(X, w, b):
    return np.where(np.asarray(X) @ np.asarray(w) + b >= 0, 1, 0)

# %%
#| wrong: perceptron-step-and-sigmoid-p4
#| because: it asks for the exponential of a huge number when z is very negative, and that overflows
#| earns: 1.5
def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, dtype=float)))

# %%
#| wrong: perceptron-step-and-sigmoid-p4
#| because: the sign function answers -1, 0 or 1, and the step was asked for
#| earns: 1
def perceptron(X, w, b):
    return np.sign(np.asarray(X) @ np.asarray(w) + b)

# %%
#| wrong: perceptron-step-and-sigmoid-p4
#| because: the bias is added once per input
def perceptron(X, w, b):
    return np.where((np.asarray(X) * np.asarray(w) + b).sum(axis=1) > 0, 1, 0)

# %%
#| right: perceptron-step-and-sigmoid-p4
#| because: loops, and the sigmoid as a stretched tanh
def perceptron(X, w, b):
    return [1 if sum(p * q for p, q in zip(row, w)) + b > 0 else 0 for row in X]


def sigmoid(z):
    return 0.5 + 0.5 * np.tanh(0.5 * np.asarray(z, dtype=float))

# %%
#| right: perceptron-step-and-sigmoid-p4
#| because: two cases for the exponential, and torch for the rows
def perceptron(X, w, b):
    return (torch.as_tensor(X, dtype=torch.float64) @ torch.as_tensor(w, dtype=torch.float64) + b > 0).int()


def sigmoid(z):
    z = np.asarray(z, dtype=float)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))

# %%
#| equivalent: perceptron-step-and-sigmoid-p4
#| from: return np.exp(-np.logaddexp(0.0, np.negative(z)))
#| to: return np.exp(-np.logaddexp(np.negative(z), 0.0))
#| because: logaddexp is symmetric

# %% [markdown]
# <!--| hint: perceptron-step-and-sigmoid-p4 -->
# For negative $z$ multiply numerator and denominator of $\sigma(z)$ by $e^{z}$. Which exponential is left, and can it overflow? (There are other ways: look at `np.logaddexp`, or think of `np.tanh`.)

# %% [markdown]
# <!--| question: slp-sums-and-gate, level: E, minutes: 12 -->
# ## 3 · One dial, four machines
# Here is a neuron with both weights nailed to 1. Only the bias can be turned.
#
# ![Inputs x1 and x2 reach node H1 with weights 1 and 1; the bias B1 enters from above; the sum passes through a step and leaves as the output.](threshold-unit.svg)
#
# Feed it $(0,0)$, $(0,1)$, $(1,0)$ and $(1,1)$, in this order. Which four sums (before the step) do you get with the bias at $-2.5$?

# %%
#| answer: slp-sums-and-gate-p1
#| kind: number
#| points: 1
#| because: {
#|   "[2.5, 3.5, 3.5, 4.5]": 'the bias went in with its sign flipped',
#|   "[-5, -4, -4, -3]": 'the bias was added once per input; it is added once per neuron',
#|   "[0, 1, 1, 2]": 'the bias is missing'}
sums_low = (0 + 0 - 2.5, 0 + 1 - 2.5, 1 + 0 - 2.5, 1 + 1 - 2.5)  # SOLUTION

# %% [markdown]
# And with the bias at $-0.25$?

# %%
#| answer: slp-sums-and-gate-p2
#| kind: number
#| points: 1
#| because: {
#|   "[0.25, 1.25, 1.25, 2.25]": 'the bias went in with its sign flipped',
#|   "[0, 1, 1, 2]": 'the bias is missing',
#|   "[-0.5, 0.5, 0.5, 1.5]": 'the bias was added once per input; it is added once per neuron'}
sums_high = (0 + 0 - 0.25, 0 + 1 - 0.25, 1 + 0 - 0.25, 1 + 1 - 0.25)  # SOLUTION

# %% [markdown]
# Send the sums through the step. Which two functions do the neurons with bias $-2.5$ (first) and bias $-0.25$ (second) compute?

# %%
#| answer: slp-sums-and-gate-p3
#| kind: choice
#| points: 1
#| options: {a: "AND and OR", b: "always 0, and OR", c: "always 0, and AND", d: "NOR and OR"}
#| because: {a: "look at the largest sum of the first neuron: is it above zero?", c: "with the second bias a single 1 at the input may already be enough", d: "NOR has to fire at (0, 0); look at the first neuron's sum there"}
two_gates = "b"  # SOLUTION

# %% [markdown]
# Now turn the dial all the way. Write `gate_of(b)` that names what the neuron computes at bias `b`: `'OFF'` (never fires), `'AND'`, `'OR'` or `'ON'` (always fires). Mind the edges: a sum of exactly zero does not fire.

# %%
#| answer: slp-sums-and-gate-p4
def gate_of(b):
    """'OFF', 'AND', 'OR' or 'ON': what step(x1 + x2 + b) computes on two binary inputs."""
    ### BEGIN SOLUTION
    fires = CORNERS.sum(axis=1) + b > 0
    return {0: "OFF", 1: "AND", 3: "OR", 4: "ON"}[fires.sum()]
    ### END SOLUTION

# %%
#| tests: slp-sums-and-gate-p4
def name_of(got):
    assert isinstance(got, str)
    return got.strip().upper()


@test_case(points=1, failure_message="Write down the four sums at this bias and count how many are above zero.")
def test_middle_of_each_range(gate_of):
    assert [name_of(gate_of(b)) for b in (-2.5, -1.5, -0.5, 0.5)] == ["OFF", "AND", "OR", "ON"]


@test_case(points=0.5, hidden=True, failure_message="At the edges: what does a sum of exactly zero do?")
def test_edges(gate_of):
    edges = {-2: "OFF", -1.999: "AND", -1: "AND", -0.999: "OR", 0: "OR", 0.001: "ON"}
    assert {b: name_of(gate_of(b)) for b in edges} == edges


@test_case(points=0.5, hidden=True, failure_message="Compare with the truth table at many biases.")
def test_anywhere(gate_of):
    names = {(0, 0, 0, 0): "OFF", (0, 0, 0, 1): "AND", (0, 1, 1, 1): "OR", (1, 1, 1, 1): "ON"}
    for b in secret.uniform(-4, 2, size=40):
        assert name_of(gate_of(float(b))) == names[tuple(int(v) for v in CORNERS.sum(axis=1) + b > 0)]

# %%
#| wrong: slp-sums-and-gate-p4
#| because: your ranges sit one unit too far up; test each with the four sums
def gate_of(b):
    return "OFF" if b <= -1 else "AND" if b <= 0 else "OR" if b <= 1 else "ON"

# %%
#| wrong: slp-sums-and-gate-p4
#| because: AND and OR have changed places: which of them fires more easily?
def gate_of(b):
    return "OFF" if b <= -2 else "OR" if b <= -1 else "AND" if b <= 0 else "ON"

# %%
#| wrong: slp-sums-and-gate-p4
#| because: it lets a sum of exactly zero fire
#| earns: 1.5
def gate_of(b):
    return "OFF" if b < -2 else "AND" if b < -1 else "OR" if b < 0 else "ON"

# %%
#| right: slp-sums-and-gate-p4
#| because: three thresholds along the dial
def gate_of(b):
    return "OFF" if b <= -2 else "AND" if b <= -1 else "OR" if b <= 0 else "ON"

# %%
#| right: slp-sums-and-gate-p4
#| because: counting with an array of thresholds
def gate_of(b):
    return ["OFF", "AND", "OR", "ON"][int((b > np.array([-2, -1, 0])).sum())]

# %% [markdown]
# <!--| question: perceptron-and-gate, level: E, minutes: 12 -->
# ## 4 · A gate that shrugs off noise
#
# ![Truth table of A and B: rows 0 0, 0 1, 1 0 and 1 1 with the results 0, 0, 0 and 1.](and-table.svg)
#
# Instead of adding a bias one can compare with a **threshold**: the neuron fires if $w \cdot x > \theta$. It is the same neuron with $b = -\theta$. True or false: a single threshold neuron with two inputs can compute AND.

# %%
#| answer: perceptron-and-gate-p1
#| kind: true-false
#| points: 1
one_is_enough = True  # SOLUTION

# %% [markdown]
# Real wires are never exactly 0 or 1. Write `and_weights(n)`: weights and a threshold such that $w \cdot x > \theta$ is the AND of $n$ binary inputs, **even if every input is off by an amount smaller than $0.5/n$**, up or down.
# Any weights that pass this trial are right.

# %%
#| answer: perceptron-and-gate-p2
def and_weights(n):
    """Weights (n numbers) and threshold of one neuron for AND of n inputs, each off by less than
    0.5 / n.

    Returns the pair (w, threshold).
    """
    ### BEGIN SOLUTION
    return np.ones(n), n - 0.5
    ### END SOLUTION

# %%
#| tests: perceptron-and-gate-p2
def fires(and_weights, n, noise):
    """Answers for all 2^n rows; noise: (k, n) to be added to each row. Shape (2^n, k)."""
    w, threshold = and_weights(n)
    w, threshold = numbers(w, (n,)), numbers(threshold, ())
    X = np.array(list(product((0.0, 1.0), repeat=n)))
    return (X[:, None, :] + noise) @ w > threshold


def only_last(answers):
    return not answers[:-1].any() and answers[-1].all()


@test_case(points=1, failure_message="Only the row of all ones may fire. Try three inputs as well as two.")
def test_clean_inputs(and_weights):
    assert all(only_last(fires(and_weights, n, np.zeros((1, n)))) for n in (1, 2, 3, 5))


@test_case(points=1, hidden=True, failure_message="How far is the threshold from the largest sum that must stay silent, and from the one that must fire?")
def test_noisy_inputs(and_weights):
    for n in range(1, 9):
        size = 0.49 / n
        noise = np.vstack([np.full(n, size), np.full(n, -size), size * secret.choice([-1, 1], size=(20, n)), secret.uniform(-size, size, size=(5, n))])
        assert only_last(fires(and_weights, n, noise))

# %%
#| wrong: perceptron-and-gate-p2
#| because: with the threshold at n the full row only just reaches it, and "more than" is asked for: it never fires
def and_weights(n):
    return np.ones(n), n

# %%
#| wrong: perceptron-and-gate-p2
#| because: a single 1 is enough to make it fire, so it is an OR
def and_weights(n):
    return np.ones(n), 0.5

# %%
#| wrong: perceptron-and-gate-p2
#| because: the threshold suits two inputs only
def and_weights(n):
    return np.ones(n), 1.5

# %%
#| wrong: perceptron-and-gate-p2
#| because: it is right for clean inputs, but the threshold sits so close to a sum that a little noise carries it across
#| earns: 1
def and_weights(n):
    return np.ones(n), n - 0.9

# %%
#| right: perceptron-and-gate-p2
#| because: the same line, measured with a longer ruler
def and_weights(n):
    return [2] * n, 2 * n - 1

# %%
#| right: perceptron-and-gate-p2
#| because: weights that add up to one
def and_weights(n):
    return torch.full((n,), 1.0 / n), torch.tensor(1 - 0.5 / n)

# %% [markdown]
# To see what such a neuron does, print its table. Write `truth_table(w, threshold)`: one row for each of the $2^n$ binary inputs, in counting order (the last input changes fastest), and the neuron's answer in one more column at the end.

# %%
#| answer: perceptron-and-gate-p3
def truth_table(w, threshold):
    """Truth table of the neuron w . x > threshold as a (2^n, n + 1) array of zeros and ones.

    w: n numbers. Row k holds the n binary digits of k and then the answer.
    """
    ### BEGIN SOLUTION
    X = np.array(list(product((0, 1), repeat=len(w))))
    return np.column_stack([X, X @ w > threshold])
    ### END SOLUTION

# %%
#| tests: perceptron-and-gate-p3
@test_case(points=0.5, failure_message="Four rows in counting order, two input columns and the answer.")
def test_two_inputs(truth_table):
    assert numbers(truth_table([1, 1], 1.5), (4, 3)).tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 1]]
    assert numbers(truth_table([1, 1], 0.5), (4, 3))[:, 2].tolist() == [0, 1, 1, 1]


@test_case(points=0.5, failure_message="Two of three votes are a majority. Which input changes fastest from row to row?")
def test_majority(truth_table):
    table = numbers(truth_table([1, 1, 1], 1.5), (8, 4))
    assert table[:, 3].tolist() == [0, 0, 0, 1, 0, 1, 1, 1] and (table[:, :3] @ [4, 2, 1]).tolist() == list(range(8))


@test_case(points=1, hidden=True, failure_message="Unequal and negative weights, and sums that meet the threshold exactly.")
def test_other_neurons(truth_table):
    for n in (1, 2, 4, 6):
        w = secret.integers(-2, 3, size=n).astype(float)
        for threshold in (-1.0, 0.0, 1.0, float(secret.normal())):
            table = numbers(truth_table(w, threshold), (2 ** n, n + 1))
            for k, row in enumerate(table):
                digits = [int(d) for d in format(k, f"0{n}b")]
                assert row.tolist() == digits + [int(sum(p * q for p, q in zip(digits, w)) > threshold)]

# %%
#| wrong: perceptron-and-gate-p3
#| because: it fires where the sum only equals the threshold
#| earns: 1
def truth_table(w, threshold):
    X = np.array(list(product((0, 1), repeat=len(w))))
    return np.column_stack([X, X @ w >= threshold])

# %%
#| wrong: perceptron-and-gate-p3
#| because: the row of all zeros is missing
def truth_table(w, threshold):
    X = np.array(list(product((0, 1), repeat=len(w))))[1:]
    return np.column_stack([X, X @ w > threshold])

# %%
#| wrong: perceptron-and-gate-p3
#| because: the first input changes fastest; the last one should
def truth_table(w, threshold):
    X = np.array(list(product((0, 1), repeat=len(w))))[:, ::-1]
    return np.column_stack([X, X @ w > threshold])

# %%
#| right: perceptron-and-gate-p3
#| because: the digits of k by shifting bits
def truth_table(w, threshold):
    n = len(w)
    X = (np.arange(2 ** n)[:, None] >> np.arange(n)[::-1]) & 1
    return np.column_stack([X, (X @ np.asarray(w) > threshold).astype(int)])

# %%
#| right: perceptron-and-gate-p3
#| because: nested lists, row by row
def truth_table(w, threshold):
    table = []
    for k in range(2 ** len(w)):
        digits = [int(d) for d in format(k, f"0{len(w)}b")]
        table.append(digits + [1 if sum(p * q for p, q in zip(digits, w)) > threshold else 0])
    return table

# %% [markdown]
# <!--| question: perceptron-learning-rule, level: M, minutes: 14 -->
# ## 5 · It learns
# In 1958 Frank Rosenblatt let the machine turn its own dials. Show it an example $x$ with target $t \in \{0, 1\}$ and let it predict $y$. Then
#
# $$w \leftarrow w + \eta\,(t - y)\,x, \qquad b \leftarrow b + \eta\,(t - y).$$
#
# A right answer changes nothing. A wrong one moves the weights towards the example if the neuron should have fired, away from it if it should not.
#
# Do one update by hand: $w = (0.2, -0.4)$, $b = 0.1$, $x = (1, 2)$, $t = 1$, $\eta = 0.5$. Give the new $w_1$, $w_2$ and $b$.

# %%
#| answer: perceptron-learning-rule-p1
#| kind: number
#| points: 1
#| tol: 1e-6
#| because: {
#|   "[0.2, -0.4, 0.1]": 'you left everything as it was; work out what the neuron predicts before the update',
#|   "[-0.3, -1.4, -0.4]": 'you moved in the opposite direction, away from an example that should fire'}
after_update = (0.2 + 0.5 * 1, -0.4 + 0.5 * 2, 0.1 + 0.5)  # SOLUTION

# %% [markdown]
# Now the whole training. Write `train_perceptron(X, y, eta=1.0, max_epochs=100)`: start from zeros, take the examples in the order given, update after each one, and count the mistakes of every epoch (one pass through the data).
# Stop after the first epoch without a mistake, or after `max_epochs`.

# %%
#| answer: perceptron-learning-rule-p2
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    """Rosenblatt's rule, one example at a time, from w = 0 and b = 0.

    X: array-like (n, d); y: n targets, 0 or 1. Returns (w, b, mistakes): d weights, the bias, and
    a list with the number of mistakes in each epoch.
    """
    ### BEGIN SOLUTION
    X = np.asarray(X)
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(max_epochs):
        wrong = 0
        for x, t in zip(X, y):
            error = t - (x @ w + b > 0)
            w, b = w + eta * error * x, b + eta * error
            wrong += abs(error)
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, mistakes
    ### END SOLUTION

# %%
#| tests: perceptron-learning-rule-p2
def outcome(got, d):
    """(w, b, mistakes) as plain lists and numbers."""
    w, b, mistakes = got
    return numbers(w, (d,)).tolist(), float(numbers(b, ())), numbers(mistakes, (len(mistakes),)).tolist()


def by_the_rule(X, y, eta, max_epochs):
    theta, history = np.zeros(X.shape[1] + 1), []
    rows = np.column_stack([X, np.ones(len(X))])
    while len(history) < max_epochs and (not history or history[-1]):
        history.append(0.0)
        for row, target in zip(rows, y):
            if (row @ theta > 0) != target:
                theta = theta + eta * row if target else theta - eta * row
                history[-1] += 1
    return theta[:-1].tolist(), float(theta[-1]), history


def separable(rng):
    """Twenty or so points with whole coordinates on both sides of a line, so that every sum is exact."""
    while True:
        w, b = rng.integers(1, 4, size=2) * rng.choice([-1, 1], size=2), int(rng.integers(-2, 3))
        X = rng.integers(-4, 5, size=(24, 2)).astype(float)
        X = X[X @ w + b != 0]
        y = (X @ w + b > 0).astype(int)
        if 5 < y.sum() < len(y) - 5 and by_the_rule(X, y, 1.0, 100)[1] != 0:
            return X, y


@test_case(points=1, failure_message="AND and OR can be learned: the last epoch has no mistakes. Go through the first epoch by hand and compare.")
def test_logic_gates(train_perceptron):
    assert outcome(train_perceptron([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1]), 2) == ([2.0, 1.0], -2.0, [1, 3, 3, 2, 1, 0])
    w, b, mistakes = outcome(train_perceptron(CORNERS, [0, 1, 1, 1]), 2)
    assert mistakes[-1] == 0 and (CORNERS @ w + b > 0).tolist() == [False, True, True, True]


@test_case(points=0.5, failure_message="How long does a run on XOR last? Compare with max_epochs, its default included.")
def test_run_on_xor(train_perceptron):
    mistakes = outcome(train_perceptron(CORNERS, XOR), 2)[2]
    assert len(mistakes) == 100 and mistakes[:4] == [2, 3, 4, 4] and set(mistakes[4:]) == {4}
    assert len(outcome(train_perceptron(CORNERS, XOR, 0.5, 7), 2)[2]) == 7


@test_case(points=1, hidden=True, failure_message="Points on both sides of a line: compare weights, bias and mistakes with a run by hand, with a learning rate other than 1.")
def test_separable_points(train_perceptron):
    for _ in range(3):
        X, y = separable(secret)
        assert outcome(train_perceptron(X, y, eta=0.5, max_epochs=300), 2) == by_the_rule(X, y, 0.5, 300)


@test_case(points=0.5, hidden=True, failure_message="Two runs on the same data are two fresh starts. And a mistake changes the neuron before the next example is seen.")
def test_fresh_start(train_perceptron):
    X, y = separable(secret)
    first, second = outcome(train_perceptron(X, y), 2), outcome(train_perceptron(X, y), 2)
    assert first == second == by_the_rule(X, y, 1.0, 100)

# %%
#| wrong: perceptron-learning-rule-p2
#| because: it updates after every example, whether the answer was right or wrong
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    X = np.asarray(X, float)
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(max_epochs):
        wrong = 0
        for x, t in zip(X, y):
            wrong += int((x @ w + b > 0) != t)
            w, b = w + eta * (2 * t - 1) * x, b + eta * (2 * t - 1)
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, mistakes

# %%
#| wrong: perceptron-learning-rule-p2
#| because: the update has its sign reversed, so every mistake makes the next one more certain
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    X = np.asarray(X, float)
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(max_epochs):
        wrong = 0
        for x, t in zip(X, y):
            error = t - int(x @ w + b > 0)
            w, b, wrong = w - eta * error * x, b - eta * error, wrong + abs(error)
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, mistakes

# %%
#| wrong: perceptron-learning-rule-p2
#| because: the bias never moves, and without it every line has to pass through the origin
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    X = np.asarray(X, float)
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(max_epochs):
        wrong = 0
        for x, t in zip(X, y):
            error = t - int(x @ w + b > 0)
            w, wrong = w + eta * error * x, wrong + abs(error)
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, mistakes

# %%
#| wrong: perceptron-learning-rule-p2
#| because: it saves its updates until the end of the epoch; Rosenblatt's rule applies each one at once
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    X, y = np.asarray(X, float), np.asarray(y)
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(max_epochs):
        error = y - (X @ w + b > 0)
        w, b = w + eta * error @ X, b + eta * error.sum()
        mistakes.append(int(abs(error).sum()))
        if mistakes[-1] == 0:
            break
    return w, b, mistakes

# %%
#| wrong: perceptron-learning-rule-p2
#| because: the learning rate has no effect on the bias
#| earns: 2
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    X = np.asarray(X, float)
    w, b, mistakes = np.zeros(X.shape[1]), 0.0, []
    for _ in range(max_epochs):
        wrong = 0
        for x, t in zip(X, y):
            error = t - int(x @ w + b > 0)
            w, b, wrong = w + eta * error * x, b + error, wrong + abs(error)
        mistakes.append(wrong)
        if wrong == 0:
            break
    return w, b, mistakes

# %%
#| right: perceptron-learning-rule-p2
#| because: plain Python lists and an if
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    w, b, mistakes = [0.0] * len(X[0]), 0.0, [None]
    while mistakes[-1] != 0 and len(mistakes) <= max_epochs:
        mistakes.append(0)
        for x, t in zip(X, y):
            fires = sum(float(p) * q for p, q in zip(x, w)) + b > 0
            if fires != (t == 1):
                sign = -1 if fires else 1
                w = [q + sign * eta * float(p) for p, q in zip(x, w)]
                b += sign * eta
                mistakes[-1] += 1
    return w, b, mistakes[1:]

# %%
#| right: perceptron-learning-rule-p2
#| because: torch in single precision, with the bias as one more weight
def train_perceptron(X, y, eta=1.0, max_epochs=100):
    X = torch.tensor(np.asarray(X), dtype=torch.float32)
    X = torch.cat([X, torch.ones(len(X), 1)], dim=1)
    theta, mistakes = torch.zeros(X.shape[1]), []
    for _ in range(max_epochs):
        before = 0
        for x, t in zip(X, y):
            error = int(t) - int(torch.dot(x, theta) > 0)
            if error:
                theta = theta + eta * error * x
                before += 1
        mistakes.append(before)
        if not before:
            break
    return theta[:-1].numpy(), theta[-1].item(), np.array(mistakes)

# %% [markdown]
# <!--| hint: perceptron-learning-rule-p2 -->
# $t - y$ is 1, 0 or $-1$. If you use it as it is, the case "answer was right" needs no `if`.

# %% [markdown]
# A proof soon followed, and it made the perceptron famous. Count the bias as one more weight, on an input that is always 1. In this enlarged space, where every boundary runs through the origin, let $R$ be the length of the longest example and $\gamma$ the distance from the best separating boundary to the example nearest to it.
# Which of these does the convergence theorem (or the rule itself, started from zeros) really give you? Choose all that are true.

# %%
#| answer: perceptron-learning-rule-p3
#| kind: choose-all
#| points: 2
#| options: {
#|   a: 'If a line separates the two classes, the rule makes only finitely many mistakes, whatever the order of the examples.',
#|   b: 'In that case the number of mistakes is at most $(R/\gamma)^2$.',
#|   c: 'If no line separates the classes, the rule settles on the line with the fewest mistakes.',
#|   d: 'The line it stops at is the one with the widest margin.',
#|   e: 'The promise holds only if the learning rate is small enough.'}
#| because: {
#|   c: 'think of your XOR run: did it settle?',
#|   d: 'it stops at the first line without a mistake, and that may pass very close to an example',
#|   e: 'from a start at zero, doubling the learning rate doubles weights and bias alike; does any prediction change?'}
promises = {"a", "b"}  # SOLUTION

# %% [markdown]
# <!--| question: smallest-xor-network, level: M, minutes: 29, covers: [xor-minimal-network] -->
# ## 6 · The wall, and the way over it
# XOR fires if exactly one of its two inputs is 1. Take a ruler and look: in which of these pictures can one straight line keep the circles on one side and the squares on the other?
#
# ![Three unit squares for AND, OR and XOR. A circle marks a corner where the gate fires, an open square one where it does not. XOR has circles at two opposite corners.](ruler.svg)
#
# Judge the three statements. All units are threshold units with the step $z > 0$.

# %%
#| answer: smallest-xor-network-p1
#| kind: true-false
#| points: 1
#| options: [
#|   'No choice of $w_1, w_2, b$ makes $\mathrm{step}(w_1x_1 + w_2x_2 + b)$ equal to XOR.',
#|   'In a strictly layered net, two hidden units and one output unit are enough for XOR.',
#|   'If the inputs may also be wired straight to the output unit, one hidden unit is enough.']
about_xor = (True, True, True)  # SOLUTION

# %% [markdown]
# **Over the wall with two hidden units.** Choose the weights of a strictly layered net by hand:
#
# $$h = \mathrm{step}(W_1 x + b_1), \qquad y = \mathrm{step}(w_2 \cdot h + b_2).$$
#
# Make it sturdy: it still has to be right if **every number that enters a unit**, an input or a hidden value, is off by up to $0.2$, up or down and each wire on its own.

# %%
#| answer: smallest-xor-network-p2
def xor_layered():
    """(W1, b1, w2, b2) with shapes (2, 2), (2,), (2,) and a number: a layered net of step units
    for XOR.
    """
    ### BEGIN SOLUTION
    return [[1, 1], [1, 1]], [-0.5, -1.5], [1, -1], -0.5
    ### END SOLUTION

# %%
#| tests: smallest-xor-network-p2
def layered_answers(net, noise):
    """noise: (k, 6), for the four wires into the hidden units and the two into the output. Returns (4, k)."""
    W1, b1, w2, b2 = net
    W1, b1, w2, b2 = numbers(W1, (2, 2)), numbers(b1, (2,)), numbers(w2, (2,)), numbers(b2, ())
    wires = CORNERS[:, None, None, :] + noise[:, :4].reshape(-1, 2, 2)
    hidden = (wires * W1).sum(axis=-1) + b1 > 0
    return (hidden + noise[:, 4:]) @ w2 + b2 > 0


@test_case(points=1, failure_message="Work out both hidden units for all four rows, then the output unit.")
def test_truth_table(xor_layered):
    assert layered_answers(xor_layered(), np.zeros((1, 6)))[:, 0].tolist() == [False, True, True, False]


@test_case(points=2, hidden=True, failure_message="How far from zero are the sums of each unit? Noise of 0.2 on a wire with weight w moves the sum by 0.2 |w|.")
def test_noisy_wires(xor_layered):
    corners = 0.1999 * np.array(list(product((-1, 1), repeat=6)))
    noise = np.vstack([corners, secret.uniform(-0.1999, 0.1999, size=(30, 6))])
    assert (layered_answers(xor_layered(), noise) == (XOR == 1)[:, None]).all()

# %%
#| wrong: smallest-xor-network-p2
#| because: both hidden units say the same (OR), so the second layer has nothing to tell them apart by
def xor_layered():
    return [[1, 1], [1, 1]], [-0.5, -0.5], [1, 1], -0.5

# %%
#| wrong: smallest-xor-network-p2
#| because: these weights do it with sigmoid units; with steps the first hidden unit is always on
def xor_layered():
    return [[4, 4], [4, 4]], [2, -2], [200, -10], -190.4

# %%
#| wrong: smallest-xor-network-p2
#| because: it is right on clean wires, but one sum lies exactly on the edge and any noise tips it
#| earns: 1
def xor_layered():
    return [[1, 1], [1, 1]], [0, -1], [1, -1], 0

# %%
#| wrong: smallest-xor-network-p2
#| because: the output unit adds both hidden units instead of letting one veto the other
def xor_layered():
    return [[1, 1], [1, 1]], [-0.5, -1.5], [1, 1], -0.5

# %%
#| right: smallest-xor-network-p2
#| because: "only the first" or "only the second"
def xor_layered():
    return np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([-0.5, -0.5]), np.array([1.0, 1.0]), -0.5

# %%
#| right: smallest-xor-network-p2
#| because: OR and NAND, joined by AND, in large numbers and in torch
def xor_layered():
    return torch.tensor([[20.0, 20.0], [-20.0, -20.0]]), torch.tensor([-10.0, 30.0]), torch.tensor([20.0, 20.0]), torch.tensor(-30.0)

# %% [markdown]
# <!--| hint: smallest-xor-network-p2 -->
# Say XOR in words with "or", "and" and "not": "at least one, but …". Each half of that sentence is a gate you have already built.

# %% [markdown]
# <!--| hint: smallest-xor-network-p2 -->
# To be sturdy, put each threshold halfway between the sums that must fire and the sums that must not.

# %% [markdown]
# **With one hidden unit.** Now let the inputs skip the hidden layer as well:
#
# $$h = \mathrm{step}(w_h \cdot x + b_h), \qquad y = \mathrm{step}(w_o \cdot x + v\,h + b_o).$$
#
# This net is a little more delicate: let it stand noise of up to $0.12$ on each of its five wires.

# %%
#| answer: smallest-xor-network-p3
def xor_skip():
    """(w_h, b_h, w_o, v, b_o): two numbers, a number, two numbers, a number, a number; a net with
    one hidden step unit for XOR.
    """
    ### BEGIN SOLUTION
    return [1, 1], -1.5, [1, 1], -2, -0.5
    ### END SOLUTION

# %%
#| tests: smallest-xor-network-p3
def skip_answers(net, noise):
    """noise: (k, 5), for the two wires into the hidden unit and the three into the output. Returns (4, k)."""
    w_h, b_h, w_o, v, b_o = net
    w_h, b_h, w_o, v, b_o = numbers(w_h, (2,)), numbers(b_h, ()), numbers(w_o, (2,)), numbers(v, ()), numbers(b_o, ())
    hidden = (CORNERS[:, None, :] + noise[:, :2]) @ w_h + b_h > 0
    return (CORNERS[:, None, :] + noise[:, 2:4]) @ w_o + v * (hidden + noise[:, 4]) + b_o > 0


@test_case(points=1, failure_message="Work out the hidden unit for all four rows, then the output unit with its three wires.")
def test_truth_table(xor_skip):
    assert skip_answers(xor_skip(), np.zeros((1, 5)))[:, 0].tolist() == [False, True, True, False]


@test_case(points=1, hidden=True, failure_message="Which of the four sums at the output comes closest to zero? Noise on a wire is multiplied by its weight.")
def test_noisy_wires(xor_skip):
    corners = 0.1199 * np.array(list(product((-1, 1), repeat=5)))
    noise = np.vstack([corners, secret.uniform(-0.1199, 0.1199, size=(30, 5))])
    assert (skip_answers(xor_skip(), noise) == (XOR == 1)[:, None]).all()

# %%
#| wrong: smallest-xor-network-p3
#| because: the hidden unit pulls too weakly: with both inputs on, the output's sum is still above zero
def xor_skip():
    return [1, 1], -1.5, [1, 1], -1, -0.5

# %%
#| wrong: smallest-xor-network-p3
#| because: the hidden unit is an OR, so it holds the output down wherever an input is on
def xor_skip():
    return [1, 1], -0.5, [1, 1], -2, -0.5

# %%
#| wrong: smallest-xor-network-p3
#| because: it is right on clean wires, but with both inputs on the output's sum is exactly zero and noise tips it
#| earns: 1
def xor_skip():
    return [1, 1], -1.5, [1, 1], -1.5, -0.5

# %%
#| right: smallest-xor-network-p3
#| because: a hidden unit that fires unless both are on
def xor_skip():
    return [-1, -1], 1.5, [1, 1], 2, -2.5

# %%
#| right: smallest-xor-network-p3
#| because: a hidden OR, and inputs that hold the output back
def xor_skip():
    return np.array([2.0, 2.0]), -1.0, torch.tensor([-3.0, -3.0]), 6.0, np.float32(-1.5)

# %% [markdown]
# Count. How many adjustable numbers, weights **and** biases, does the layered net have, and how many the net with the skip? Give both, in this order.

# %%
#| answer: smallest-xor-network-p4
#| kind: number
#| points: 1
#| because: {
#|   "[6, 5]": 'those are the weights; the biases are forgotten',
#|   "[13, 7]": 'the first is the count for three hidden units',
#|   "[13, 9]": 'the first is the count for three hidden units; then check the skip net wire by wire',
#|   "[9, 5]": 'the second count has no biases',
#|   "[9, 9]": 'the second net has only one hidden unit'}
parameters = (4 + 2 + 2 + 1, 2 + 1 + 2 + 1 + 1)  # SOLUTION

# %% [markdown]
# **A proof that a computer can check.** You may believe that one neuron cannot do XOR because you tried a ruler. Here is how to be certain. Each row of the truth table demands something of $\vartheta = (w_1, w_2, b)$. Write every demand as
# *row* $\cdot\, \vartheta > 0$ (where the neuron must fire) or *row* $\cdot\, \vartheta \ge 0$ (where it must not). Then find multipliers $m_i \ge 0$, not all zero, for which the four left-hand sides, each times its multiplier, add up to zero **whatever $\vartheta$ is**.
# If the four demands could all be met, the same sum would have to be greater than zero. That is the contradiction.
#
# Return the four rows as `G` (in the order $(0,0), (0,1), (1,0), (1,1)$) and the four multipliers.

# %%
#| answer: smallest-xor-network-p5
def xor_contradiction():
    """(G, m): G has shape (4, 3), one demand G[i] . (w1, w2, b) per row of the truth table; m
    holds four multipliers.
    """
    ### BEGIN SOLUTION
    return [[0, 0, -1], [0, 1, 1], [1, 0, 1], [-1, -1, -1]], [1, 1, 1, 1]
    ### END SOLUTION

# %%
#| tests: smallest-xor-network-p5
def demands_met(G, theta):
    """For each neuron and each row: does G say it is right, and is it? Sums of (nearly) zero are left out."""
    says = theta @ G.T
    z = theta @ np.column_stack([CORNERS, np.ones(4)]).T
    right = (z > 0) == (XOR == 1)
    clear = np.abs(z) > 1e-9
    return ((says > 0) == right)[clear]


@test_case(points=1, failure_message="Take some neuron and one row of the table. Your demand has to be met exactly when the neuron is right there; where it must stay silent, that means minus its sum. And there is one multiplier for each row.")
def test_demands(xor_contradiction):
    G, m = xor_contradiction()
    numbers(m, (4,))
    theta = np.array(list(product((-1.5, -0.5, 0.5, 1.5), repeat=3)))
    assert demands_met(numbers(G, (4, 3)), theta).all()


@test_case(points=1, hidden=True, failure_message="Add up the four rows with your multipliers, column by column. No multiplier may be negative.")
def test_sum_vanishes(xor_contradiction):
    G, m = xor_contradiction()
    G, m = numbers(G, (4, 3)), numbers(m, (4,))
    theta = secret.normal(size=(200, 3))
    assert demands_met(G, theta).all()
    assert (m >= 0).all() and m[1] + m[2] > 1e-6 and np.allclose(theta @ G.T @ m, 0.0, rtol=0, atol=1e-5 * m.max())

# %%
#| wrong: smallest-xor-network-p5
#| because: with these multipliers the bias does not cancel: the row of (0, 0) is left out
#| earns: 1
def xor_contradiction():
    return [[0, 0, -1], [0, 1, 1], [1, 0, 1], [-1, -1, -1]], [0, 1, 1, 1]

# %%
#| wrong: smallest-xor-network-p5
#| because: a row that must stay silent demands that minus its sum is not negative
def xor_contradiction():
    return [[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]], [1, -1, -1, 1]

# %%
#| wrong: smallest-xor-network-p5
#| because: multipliers that are all zero prove nothing
#| earns: 1
def xor_contradiction():
    return [[0, 0, -1], [0, 1, 1], [1, 0, 1], [-1, -1, -1]], [0, 0, 0, 0]

# %%
#| right: smallest-xor-network-p5
#| because: demands and multipliers may be scaled, as long as they fit together
def xor_contradiction():
    return np.array([[0, 0, -2], [0, 0.5, 0.5], [1, 0, 1], [-3, -3, -3]], dtype=np.float32), np.array([1.5, 6, 3, 1])

# %%
#| right: smallest-xor-network-p5
#| because: the rows built from the truth table
def xor_contradiction():
    signs = 2 * XOR - 1
    return torch.tensor(signs[:, None] * np.column_stack([CORNERS, np.ones(4)])), torch.full((4,), 7)

# %% [markdown]
# <!--| hint: smallest-xor-network-p5 -->
# The row of $(0,0)$ must not fire: $b \le 0$, that is $-b \ge 0$, so the first row of `G` is $(0, 0, -1)$. Now look at the middle two rows together, and at the outer two.

# %% [markdown]
# **A search.** Could one hidden unit do it *without* the skip, if its activation is something other than a step? Take nets $y = \mathrm{step}\big(v\,g(w_1x_1 + w_2x_2 + b) + c\big)$ and throw dice: `nets` holds 20,000 of them, one in each row as $(w_1, w_2, b, v, c)$.
#
# Write `search(nets, activation)`, where `activation` is the function $g$. Return two things: the best share of XOR's four rows, between 0 and 1, that any single net gets right, and how many different truth tables turn up among all the nets. There are 16 truth tables of two inputs. Try it with `np.tanh`, which only ever rises, and then with `np.abs`.

# %%
#| given: smallest-xor-network
nets = np.random.default_rng(seed).normal(size=(20_000, 5))

# %%
#| answer: smallest-xor-network-p6
def search(nets, activation):
    """Best share of XOR rows that one net gets right, and the number of different truth tables
    among all nets.

    nets: array (k, 5) with rows (w1, w2, b, v, c); activation: works on arrays, element by element.
    """
    ### BEGIN SOLUTION
    z = nets[:, :2] @ CORNERS.T + nets[:, 2:3]
    fires = nets[:, 3:4] * activation(z) + nets[:, 4:] > 0
    return (fires == XOR).mean(axis=1).max(), len(np.unique(fires, axis=0))
    ### END SOLUTION

# %%
#| tests: smallest-xor-network-p6
@probe
def with_tanh(search, nets):
    return search(nets, np.tanh)


@probe
def with_abs(search, nets):
    return search(nets, np.abs)


def pair(got):
    best, tables = got
    return round(float(numbers(best, ())), 6), float(numbers(tables, ()))


def by_hand(nets, activation):
    tables = {tuple(bool(v * activation(w1 * x1 + w2 * x2 + b) + c > 0) for x1, x2 in CORNERS) for w1, w2, b, v, c in nets}
    return max(sum(a == bool(t) for a, t in zip(table, XOR)) / 4 for table in tables), len(tables)


@test_case(points=1, failure_message="Count rows within one net, and then take the best net. A truth table that turns up twice counts once.")
def test_rising_unit(search, nets):
    assert pair(with_tanh(search, nets[:4000])) == (0.75, 14)


@test_case(points=0.5, hidden=True, failure_message="Try a few nets only, so that you can count by hand what should come out; one of them may have a sum of exactly zero.")
def test_few_nets(search):
    assert pair(with_tanh(search, np.array([[1.0, 1.0, 0.0, 1.0, 0.0]]))) == (0.75, 1)
    for k in (1, 2, 3, 5, 9):
        some = secret.normal(size=(k, 5))
        assert pair(with_tanh(search, some)) == by_hand(some, np.tanh)


@test_case(points=0.5, hidden=True, failure_message="Use the activation you are given: one that falls and rises again reaches more.")
def test_folded_unit(search):
    some = secret.normal(size=(3000, 5))
    assert pair(with_abs(search, some)) == (1.0, 16)
    assert pair(with_abs(search, some[:6])) == by_hand(some[:6], np.abs)

# %%
#| wrong: smallest-xor-network-p6
#| because: it asks for each row whether any net gets it right, and so reports 1.0; one net has to get them right together
def search(nets, activation):
    z = nets[:, :2] @ CORNERS.T + nets[:, 2:3]
    fires = nets[:, 3:4] * activation(z) + nets[:, 4:] > 0
    return (fires == XOR).any(axis=0).mean(), len(np.unique(fires, axis=0))

# %%
#| wrong: smallest-xor-network-p6
#| because: 16 is the number of truth tables there are, not of those that turned up
#| earns: 0
def search(nets, activation):
    z = nets[:, :2] @ CORNERS.T + nets[:, 2:3]
    fires = nets[:, 3:4] * activation(z) + nets[:, 4:] > 0
    return (fires == XOR).mean(axis=1).max(), 2 ** fires.shape[1]

# %%
#| wrong: smallest-xor-network-p6
#| because: it leaves out the activation, so it can only see what a straight line can do
#| earns: 1.5
def search(nets, activation):
    z = nets[:, :2] @ CORNERS.T + nets[:, 2:3]
    fires = nets[:, 3:4] * np.tanh(z) + nets[:, 4:] > 0
    return (fires == XOR).mean(axis=1).max(), len(np.unique(fires, axis=0))

# %%
#| wrong: smallest-xor-network-p6
#| because: it reports the average net, not the best one
def search(nets, activation):
    z = nets[:, :2] @ CORNERS.T + nets[:, 2:3]
    fires = nets[:, 3:4] * activation(z) + nets[:, 4:] > 0
    return (fires == XOR).mean(), len(np.unique(fires, axis=0))

# %%
#| right: smallest-xor-network-p6
#| because: truth tables as binary numbers, collected in a set
def search(nets, activation):
    code = np.zeros(len(nets), dtype=int)
    right = np.zeros(len(nets))
    for (x1, x2), target in zip(CORNERS, XOR):
        out = nets[:, 3] * activation(nets[:, 0] * x1 + nets[:, 1] * x2 + nets[:, 2]) + nets[:, 4] > 0
        code = 2 * code + out
        right += out == target
    return float(right.max() / 4), len(set(code.tolist()))

# %%
#| right: smallest-xor-network-p6
#| because: it collects the different tables first and scores only those
def search(nets, activation):
    hidden = activation(np.column_stack([nets[:, 0] * 0, nets[:, 1], nets[:, 0], nets[:, 0] + nets[:, 1]]) + nets[:, [2]])
    tables = set(map(tuple, (nets[:, [3]] * hidden + nets[:, [4]] > 0).astype(int).tolist()))
    return max(4 - sum(abs(a - t) for a, t in zip(table, (0, 1, 1, 0))) for table in tables) / 4, len(tables)

# %% [markdown]
# Look at what your search found with the two activations. And where the activation itself already answers 0 or 1, the step behind it is not even needed. So a **single** unit, with no hidden layer at all, can compute XOR if …

# %%
#| answer: smallest-xor-network-p7
#| kind: choice
#| points: 1
#| options: {
#|   a: 'its activation is not monotone, for instance $|x_1 - x_2|$ or $(1 - \cos(\pi(x_1 + x_2)))/2$',
#|   b: 'it has a bias',
#|   c: 'it is trained for longer',
#|   d: 'never'}
#| because: {
#|   b: 'your proof by contradiction had a bias in it',
#|   c: 'training can only find weights that exist',
#|   d: 'you proved that for a unit that fires on one side of a line; other units exist'}
single_unit = "a"  # SOLUTION

# %% [markdown]
# > **Common myth.** "The smallest network for XOR is a single-layer perceptron with two hidden units." A net with hidden units is not single-layer, and *smallest* means nothing until somebody says what is allowed. You have just seen the answer change with the rules.

# %% [markdown]
# <!--| question: sigmoid-neuron-quadratic-cost, level: M, minutes: 15 -->
# ## 7 · How wrong, and which way is better?
# Rosenblatt's rule needs no calculus, but it works for one layer only. To go further we measure *how* wrong a neuron is, smoothly. Let $a_i = \sigma(w \cdot x_i + b)$ be the sigmoid neuron's answer to example $i$ of $n$, and take the classic quadratic cost
#
# $$C = \frac{1}{2n} \sum_{i=1}^{n} (y_i - a_i)^2 .$$
#
# Write $C$ as a one-line function of two arrays `y` and `a` of equal length.

# %%
#| answer: sigmoid-neuron-quadratic-cost-p1
#| kind: formula
#| points: 1
#| inputs: tuple(secret.random((2, int(secret.integers(2, 9)))))
quadratic_cost = lambda y, a: ((y - a) ** 2).sum() / (2 * len(y))  # SOLUTION

# %% [markdown]
# Now by hand, with one example: $x = 0.5$, $w = 2$, $b = -0.5$, $y = 1$. You need one fact, $\sigma'(z) = \sigma(z)\,(1 - \sigma(z))$, and the chain rule. Give $a$, $C$, $\partial C/\partial w$ and $\partial C/\partial b$, to five decimals or better.

# %%
#| answer: sigmoid-neuron-quadratic-cost-p2
#| kind: number
#| points: 1
#| tol: 1e-5
#| because: {
#|   "[0.6224593, 0.1425370, -0.0443617, -0.0887235]": 'the factor one half is missing from the cost',
#|   "[0.6224593, 0.1425370, -0.0887235, -0.1774469]": 'the factor one half is missing from the cost, and so from its derivatives',
#|   "[0.6224593, 0.0712685, -0.1887703, -0.3775407]": "the derivative of the sigmoid is missing from the chain",
#|   "[0.6224593, 0.0712685, 0.0443617, 0.0887235]": 'the derivatives have the wrong sign: would a larger weight make this cost larger or smaller?'}
one_example = ((a := 1 / (1 + np.exp(-0.5))), (a - 1) ** 2 / 2, (a - 1) * a * (1 - a) * 0.5, (a - 1) * a * (1 - a))  # SOLUTION

# %% [markdown]
# Then for a whole data set: write `cost_and_grad(w, b, X, y)`.

# %%
#| answer: sigmoid-neuron-quadratic-cost-p3
def cost_and_grad(w, b, X, y):
    """Quadratic cost of a sigmoid neuron on n examples, and its derivatives.

    w: (d,), b: number, X: (n, d), y: (n,). Returns (C, dC/dw, dC/db): a number, d numbers, a number.
    """
    ### BEGIN SOLUTION
    a = 1 / (1 + np.exp(-(X @ w + b)))
    delta = (a - y) * a * (1 - a) / len(y)
    return ((y - a) ** 2).mean() / 2, delta @ X, delta.sum()
    ### END SOLUTION

# %%
#| tests: sigmoid-neuron-quadratic-cost-p3
def trusted_cost(w, b, X, y):
    return float(np.mean((y - 1 / (1 + np.exp(-(X @ w + b)))) ** 2) / 2)


def agrees(cost_and_grad, w, b, X, y):
    """Compare with the cost itself, and with its central differences."""
    d, h = len(w), 1e-5
    cost, dw, db = cost_and_grad(w, b, X, y)
    cost, dw, db = numbers(cost, ()), numbers(dw, (d,)), numbers(db, ())
    slopes = [(trusted_cost(w + e, b, X, y) - trusted_cost(w - e, b, X, y)) / (2 * h) for e in h * np.eye(d)]
    slope = (trusted_cost(w, b + h, X, y) - trusted_cost(w, b - h, X, y)) / (2 * h)
    close = dict(rtol=1e-4, atol=1e-6)
    return np.allclose(cost, trusted_cost(w, b, X, y), **close) and np.allclose(dw, slopes, **close) and np.allclose(db, slope, **close)


@test_case(points=1, failure_message="Compare with the example you worked out by hand.")
def test_one_example(cost_and_grad):
    assert agrees(cost_and_grad, np.array([2.0]), -0.5, np.array([[0.5]]), np.array([1.0]))


@test_case(points=0.5, failure_message="Showing every example twice changes neither the mean nor its derivatives.")
def test_every_example_twice(cost_and_grad):
    X, y, w = np.array([[1.0, -2.0], [0.5, 0.0], [-1.0, 1.5]]), np.array([1.0, 0.0, 0.0]), np.array([0.3, -0.8])
    assert agrees(cost_and_grad, w, 0.2, X, y) and agrees(cost_and_grad, w, 0.2, np.vstack([X, X]), np.concatenate([y, y]))


@test_case(points=1.5, hidden=True, failure_message="Change one weight by a tiny amount and see how much the cost changes: does your derivative predict it?")
def test_slopes(cost_and_grad):
    for n, d in ((1, 3), (6, 1), (7, 4)):
        assert agrees(cost_and_grad, secret.normal(size=d), float(secret.normal()), secret.normal(size=(n, d)), secret.integers(0, 2, size=n))
        assert agrees(cost_and_grad, secret.normal(size=d), float(secret.normal()), secret.normal(size=(n, d)), secret.random(n))

# %%
#| wrong: sigmoid-neuron-quadratic-cost-p3
#| because: it adds the examples up where the cost asks for their mean
#| earns: 1
def cost_and_grad(w, b, X, y):
    a = 1 / (1 + np.exp(-(X @ w + b)))
    delta = (a - y) * a * (1 - a)
    return ((y - a) ** 2).sum() / 2, delta @ X, delta.sum()

# %%
#| wrong: sigmoid-neuron-quadratic-cost-p3
#| because: that gradient belongs to the cross-entropy; the derivative of the sigmoid is missing here
#| earns: 0
def cost_and_grad(w, b, X, y):
    a = 1 / (1 + np.exp(-(X @ w + b)))
    delta = (a - y) / len(y)
    return ((y - a) ** 2).mean() / 2, delta @ X, delta.sum()

# %%
#| wrong: sigmoid-neuron-quadratic-cost-p3
#| because: the factor one half is missing from the cost
#| earns: 0
def cost_and_grad(w, b, X, y):
    a = 1 / (1 + np.exp(-(X @ w + b)))
    delta = (a - y) * a * (1 - a) / len(y)
    return ((y - a) ** 2).mean(), delta @ X, delta.sum()

# %%
#| wrong: sigmoid-neuron-quadratic-cost-p3
#| because: there is an extra factor two in the derivatives; the one half was meant to cancel it
#| earns: 0
def cost_and_grad(w, b, X, y):
    a = 1 / (1 + np.exp(-(X @ w + b)))
    delta = 2 * (a - y) * a * (1 - a) / len(y)
    return ((y - a) ** 2).mean() / 2, delta @ X, delta.sum()

# %%
#| wrong: sigmoid-neuron-quadratic-cost-p3
#| because: the derivatives have the wrong sign
#| earns: 0
def cost_and_grad(w, b, X, y):
    a = 1 / (1 + np.exp(-(X @ w + b)))
    delta = (y - a) * a * (1 - a) / len(y)
    return ((y - a) ** 2).mean() / 2, delta @ X, delta.sum()

# %%
#| right: sigmoid-neuron-quadratic-cost-p3
#| because: torch does the calculus
def cost_and_grad(w, b, X, y):
    w = torch.tensor(w, requires_grad=True)
    b = torch.tensor(float(b), dtype=w.dtype, requires_grad=True)
    cost = ((torch.sigmoid(torch.tensor(X) @ w + b) - torch.tensor(y)) ** 2).mean() / 2
    cost.backward()
    return cost.item(), w.grad, b.grad

# %%
#| right: sigmoid-neuron-quadratic-cost-p3
#| because: a plain loop, example by example
def cost_and_grad(w, b, X, y):
    n, cost, dw, db = len(y), 0.0, [0.0] * len(w), 0.0
    for x, t in zip(X, y):
        a = 1 / (1 + np.exp(-(sum(p * q for p, q in zip(x, w)) + b)))
        cost += (t - a) ** 2 / (2 * n)
        slope = (a - t) * a * (1 - a) / n
        dw = [old + slope * p for old, p in zip(dw, x)]
        db += slope
    return cost, dw, db

# %% [markdown]
# <!--| hint: sigmoid-neuron-quadratic-cost-p3 -->
# Find $\partial C/\partial z_i$ for every example first, an array of length $n$. Both derivatives follow from it: $z_i$ depends on $w$ through $x_i$, and on $b$ through 1.

# %% [markdown]
# > **Common myth.** "*The* cost of a sigmoid neuron is the quadratic one." No cost comes built in. Whoever reports one should say which.

# %% [markdown]
# Which cost is usually preferred today when the target is 0 or 1?

# %%
#| answer: sigmoid-neuron-quadratic-cost-p4
#| kind: choice
#| points: 1
#| options: {a: "the quadratic cost", b: "binary cross-entropy", c: "a hinge on $a$", d: "the number of errors"}
#| because: {a: "its gradient carries a factor that nearly vanishes when the neuron is confidently wrong", c: "the hinge is meant for a raw score, not for a probability", d: "it is flat almost everywhere, so it has no useful gradient"}
preferred_cost = "b"  # SOLUTION

# %% [markdown]
# <!--| question: training-as-minimisation, level: E, minutes: 8 -->
# ## 8 · Downhill
# You have the cost and its slopes. What, put as mathematics, is training?

# %%
#| answer: training-as-minimisation-p1
#| kind: choice
#| points: 0.5
#| options: {a: "finding $w, b$ with $C(w, b) = 1$", b: "finding the $w, b$ for which $C(w, b)$ is smallest", c: "finding the largest eigenvalue of the data matrix", d: "finding the zeros of the sigmoid"}
#| because: {a: "a cost of one would be nothing to be proud of", c: "the data stay as they are; what is it that may change?", d: "the sigmoid has none"}
training_is = "b"  # SOLUTION

# %% [markdown]
# Fill in a word and a sign (both as strings): "The usual iterative way is gradient **[1]**: $w \leftarrow w$ **[2]** $\eta\,\partial C/\partial w$."

# %%
#| answer: training-as-minimisation-p2
#| kind: text
#| points: 0.5
#| accept: [[descent, descend], ['-', minus, '−', '–', a minus, minus sign, a minus sign]]
#| because: {"('ascent', '+')": "that walks uphill, to a larger cost"}
update_rule = ("descent", "-")  # SOLUTION

# %% [markdown]
# Put it together. Write `train(X, y, eta, steps)`: start from zeros and take `steps` steps, each using **all** examples (full batch), on the quadratic cost of question 7. Also return the costs, each taken **before** its step. You are welcome to call your `cost_and_grad`.

# %%
#| answer: training-as-minimisation-p3
def train(X, y, eta, steps):
    """Full-batch gradient descent for a sigmoid neuron with the quadratic cost, from w = 0 and b = 0.

    X: (n, d) array; y: (n,) array. Returns (w, b, costs): d weights, the bias, and a list of
    `steps` costs, each before its step.
    """
    ### BEGIN SOLUTION
    w, b, costs = np.zeros(X.shape[1]), 0.0, []
    for _ in range(steps):
        cost, dw, db = cost_and_grad(w, b, X, y)
        costs.append(cost)
        w, b = w - eta * dw, b - eta * db
    return w, b, costs
    ### END SOLUTION

# %%
#| tests: training-as-minimisation-p3
def walk(X, y, eta, steps):
    """The same walk, with the bias as one more weight."""
    X, theta, costs = np.column_stack([X, np.ones(len(X))]), np.zeros(X.shape[1] + 1), []
    for _ in range(steps):
        a = 1 / (1 + np.exp(-X @ theta))
        costs.append(((y - a) ** 2).mean() / 2)
        theta = theta - eta * ((a - y) * a * (1 - a)) @ X / len(y)
    return theta[:-1], theta[-1], np.array(costs)


def same_walk(got, expected):
    w, b, costs = got
    w, b, costs = numbers(w, expected[0].shape), numbers(b, ()), numbers(costs, expected[2].shape)
    return all(np.allclose(p, q, rtol=1e-4, atol=1e-6) for p, q in zip((w, b, costs), expected))


@test_case(points=0.5, failure_message="At the start every answer is one half, so the first cost is 1/8. From there the cost falls with every step.")
def test_first_steps(train):
    w, b, costs = train(CORNERS, np.array([0.0, 1.0, 1.0, 1.0]), 0.5, 20)
    costs = numbers(costs, (20,))
    assert abs(costs[0] - 0.125) < 1e-6 and (np.diff(costs) < 0).all()


@test_case(points=0.5, failure_message="After a few hundred steps the neuron should know OR, and AND as well: does the bias move too?")
def test_learns_gates(train):
    for gate in ([0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]):
        w, b, costs = train(CORNERS, np.array(gate), 2.0, 300)
        assert (CORNERS @ numbers(w, (2,)) + numbers(b, ()) > 0).tolist() == [target == 1.0 for target in gate]


@test_case(points=1, hidden=True, failure_message="Follow the first three steps on a small data set by hand: weights, bias, and the cost before each step.")
def test_same_walk(train):
    for n, d, steps in ((5, 2, 1), (8, 3, 12)):
        X, y, eta = secret.normal(size=(n, d)), secret.integers(0, 2, size=n), float(secret.uniform(0.3, 1.0))
        assert same_walk(train(X, y, eta, steps), walk(X, y, eta, steps))

# %%
#| wrong: training-as-minimisation-p3
#| because: it walks uphill
def train(X, y, eta, steps):
    w, b, costs = np.zeros(X.shape[1]), 0.0, []
    for _ in range(steps):
        cost, dw, db = cost_and_grad(w, b, X, y)
        costs.append(cost)
        w, b = w + eta * dw, b + eta * db
    return w, b, costs

# %%
#| wrong: training-as-minimisation-p3
#| because: it notes each cost after the step, so the list is shifted by one
#| earns: 0.5
def train(X, y, eta, steps):
    w, b, costs = np.zeros(X.shape[1]), 0.0, []
    for _ in range(steps):
        cost, dw, db = cost_and_grad(w, b, X, y)
        w, b = w - eta * dw, b - eta * db
        costs.append(cost_and_grad(w, b, X, y)[0])
    return w, b, costs

# %%
#| wrong: training-as-minimisation-p3
#| because: the bias never moves
#| earns: 0.5
def train(X, y, eta, steps):
    w, b, costs = np.zeros(X.shape[1]), 0.0, []
    for _ in range(steps):
        cost, dw, db = cost_and_grad(w, b, X, y)
        costs.append(cost)
        w = w - eta * dw
    return w, b, costs

# %%
#| wrong: training-as-minimisation-p3
#| because: it moves the weights first and then works out the bias's slope at the new weights; a step uses one gradient
#| earns: 1
def train(X, y, eta, steps):
    w, b, costs = np.zeros(X.shape[1]), 0.0, []
    for _ in range(steps):
        cost, dw, db = cost_and_grad(w, b, X, y)
        costs.append(cost)
        w = w - eta * dw
        b = b - eta * cost_and_grad(w, b, X, y)[2]
    return w, b, costs

# %%
#| right: training-as-minimisation-p3
#| because: torch, with the gradient from autograd
def train(X, y, eta, steps):
    X, y = torch.tensor(X), torch.tensor(y)
    w = torch.zeros(X.shape[1], dtype=X.dtype, requires_grad=True)
    b = torch.zeros((), dtype=X.dtype, requires_grad=True)
    costs = []
    for _ in range(steps):
        cost = ((y - torch.sigmoid(X @ w + b)) ** 2).mean() / 2
        costs.append(cost.item())
        dw, db = torch.autograd.grad(cost, (w, b))
        with torch.no_grad():
            w -= eta * dw
            b -= eta * db
    return w.detach(), b.item(), costs

# %%
#| right: training-as-minimisation-p3
#| because: single precision and an array of costs
def train(X, y, eta, steps):
    X, y = X.astype(np.float32), y.astype(np.float32)
    w, b, costs = np.zeros(X.shape[1], dtype=np.float32), np.float32(0), np.zeros(steps)
    for step in range(steps):
        a = 1 / (1 + np.exp(-(X @ w + b)))
        costs[step] = ((a - y) ** 2).mean() / 2
        slope = (a - y) * a * (1 - a) / len(y)
        w, b = w - np.float32(eta) * (X.T @ slope), b - np.float32(eta) * slope.sum()
    return w, b, costs

# %% [markdown]
# <!--| question: mlp-is-trained-with-labels, level: E, minutes: 6 -->
# ## 9 · Where does the target come from?
# Neurons in several layers make a *multi-layer perceptron* (MLP). People like to file it under one kind of learning. Before you do, ask what it is trained *on*. Judge:

# %%
#| answer: mlp-is-trained-with-labels-p1
#| kind: true-false
#| points: 1
#| options: [
#|   'Fitting an MLP to pairs of input and label by making a prediction loss small is supervised learning.',
#|   'An MLP can be used in supervised settings only.',
#|   'Training an MLP to reproduce its own input needs no labels from people.']
about_labels = (True, False, True)  # SOLUTION

# %% [markdown]
# Check it by experiment. Below are 16 samples of eight numbers with a label from 0 to 7 each, an 8-3-8 MLP, and one gradient step. The same net can be trained in two ways:
#
# - task `"classify"`: the loss is `F.cross_entropy(net(X), labels)`;
# - task `"copy"`: the loss is `F.mse_loss(net(X), X)`, so the net is asked to reproduce its input through three numbers.
#
# Write `loss_curve(task, X, labels, seed, steps=20)`, the list of losses before each step of a freshly made net. Then write `labels_matter(task, X, labels, order, seed)`: `True` if that curve changes in any way when the labels are shuffled to `labels[order]`, with everything else as before.

# %%
#| given: mlp-is-trained-with-labels
rng = np.random.default_rng(seed)
samples = torch.tensor(rng.normal(size=(16, 8)), dtype=torch.float32)
labels = torch.tensor(rng.integers(8, size=16))


def make_net(seed):
    """An 8-3-8 MLP; the same seed gives the same weights."""
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(8, 3), torch.nn.Sigmoid(), torch.nn.Linear(3, 8))


def descend(net, loss, eta=0.5):
    """One step of gradient descent on the loss; changes the net."""
    weights = list(net.parameters())
    slopes = torch.autograd.grad(loss, weights)
    with torch.no_grad():
        for weight, slope in zip(weights, slopes):
            weight -= eta * slope

# %%
#| answer: mlp-is-trained-with-labels-p2
def loss_curve(task, X, labels, seed, steps=20):
    """Losses before each of `steps` steps of `descend`, for the net `make_net(seed)` and the task
    "classify" or "copy".
    """
    ### BEGIN SOLUTION
    net, curve = make_net(seed), []
    for _ in range(steps):
        loss = F.cross_entropy(net(X), labels) if task == "classify" else F.mse_loss(net(X), X)
        curve.append(loss.item())
        descend(net, loss)
    return curve
    ### END SOLUTION


def labels_matter(task, X, labels, order, seed):
    """True if shuffling the labels to labels[order] changes the loss curve, else False."""
    ### BEGIN SOLUTION
    return loss_curve(task, X, labels, seed) != loss_curve(task, X, labels[order], seed)
    ### END SOLUTION

# %%
#| tests: mlp-is-trained-with-labels-p2
def trusted_curve(task, X, labels, seed, steps):
    torch.manual_seed(seed)
    net, curve = torch.nn.Sequential(torch.nn.Linear(8, 3), torch.nn.Sigmoid(), torch.nn.Linear(3, 8)), []
    for _ in range(steps):
        out = net(X)
        loss = ((out - X) ** 2).mean() if task == "copy" else -out.log_softmax(1)[torch.arange(len(X)), labels].mean()
        curve.append(loss.item())
        slopes = torch.autograd.grad(loss, list(net.parameters()))
        with torch.no_grad():
            for weight, slope in zip(net.parameters(), slopes):
                weight -= 0.5 * slope
    return curve


@test_case(points=0.5, failure_message="Twenty losses, the first of them before any step. Compare with a loop written out by hand.")
def test_two_curves(loss_curve, samples, labels):
    for task in ("classify", "copy"):
        curve = numbers(loss_curve(task, samples, labels, 1), (20,))
        assert np.allclose(curve, trusted_curve(task, samples, labels, 1, 20), rtol=1e-3, atol=1e-5)


@test_case(points=0.5, failure_message="Shuffle the labels for the classifier. Then 'shuffle' them without moving any: nothing may change.")
def test_classifier(labels_matter, samples, labels):
    assert yes_or_no(labels_matter("classify", samples, labels, [*range(1, 16), 0], 1)) is True
    assert yes_or_no(labels_matter("classify", samples, labels, list(range(16)), 1)) is False


@test_case(points=0.5, hidden=True, failure_message="Other data, another seed, another number of steps.")
def test_other_curves(loss_curve):
    X, labels, start = torch.tensor(secret.normal(size=(12, 8)), dtype=torch.float32), torch.tensor(secret.integers(8, size=12)), int(secret.integers(100, 1000))
    for task in ("classify", "copy"):
        curve = numbers(loss_curve(task, X, labels, start, steps=6), (6,))
        assert np.allclose(curve, trusted_curve(task, X, labels, start, 6), rtol=1e-3, atol=1e-5)


@test_case(points=0.5, hidden=True, failure_message="Does anything but the target differ between your two runs? And which target does each task use?")
def test_both_tasks(labels_matter):
    X, labels, start = torch.tensor(secret.normal(size=(16, 8)), dtype=torch.float32), torch.arange(16) % 8, int(secret.integers(100, 1000))
    shuffled = secret.permutation(16)
    there, back, still = shuffled.tolist(), np.argsort(shuffled).tolist(), list(range(16))
    for task in ("classify", "copy"):
        answers = [yes_or_no(labels_matter(task, X, *pair, start)) for pair in ((labels, there), (labels[there], back), (labels, still))]
        assert answers == [task == "classify", task == "classify", False]

# %%
#| wrong: mlp-is-trained-with-labels-p2
#| because: the labels leak into the loss of the copying task
#| earns: 0.5
def loss_curve(task, X, labels, seed, steps=20):
    net, curve = make_net(seed), []
    for _ in range(steps):
        loss = F.cross_entropy(net(X), labels)
        if task == "copy":
            loss = F.mse_loss(net(X), X) + 0.1 * loss
        curve.append(loss.item())
        descend(net, loss)
    return curve

# %%
#| wrong: mlp-is-trained-with-labels-p2
#| because: the two runs start from different random weights, so something always changes
#| earns: 1
def labels_matter(task, X, labels, order, seed):
    return loss_curve(task, X, labels, seed) != loss_curve(task, X, labels[order], seed + 1)

# %%
#| wrong: mlp-is-trained-with-labels-p2
#| because: it notes the loss after each step, so the curve is shifted by one
#| earns: 1
def loss_curve(task, X, labels, seed, steps=20):
    net, curve = make_net(seed), []
    for _ in range(steps):
        descend(net, F.cross_entropy(net(X), labels) if task == "classify" else F.mse_loss(net(X), X))
        curve.append((F.cross_entropy(net(X), labels) if task == "classify" else F.mse_loss(net(X), X)).item())
    return curve

# %%
#| wrong: mlp-is-trained-with-labels-p2
#| because: it answers from the name of the task without looking at the order
#| earns: 1
def labels_matter(task, X, labels, order, seed):
    return task == "classify"

# %%
#| right: mlp-is-trained-with-labels-p2
#| because: the losses written out, and the curves compared as arrays
def loss_curve(task, X, labels, seed, steps=20):
    net, curve = make_net(seed), []
    for _ in range(steps):
        out = net(X)
        if task == "copy":
            loss = torch.mean((X - out) ** 2)
        else:
            loss = (out.logsumexp(dim=1) - out.gather(1, labels[:, None])[:, 0]).mean()
        curve.append(loss.detach())
        descend(net, loss)
    return torch.stack(curve)


def labels_matter(task, X, labels, order, seed):
    before, after = (loss_curve(task, X, some, seed) for some in (labels, labels[order]))
    return not torch.equal(before, after)

# %%
#| right: mlp-is-trained-with-labels-p2
#| because: its own gradient steps, with backward
def loss_curve(task, X, labels, seed, steps=20):
    net = make_net(seed)
    curve = np.zeros(steps)
    for step in range(steps):
        net.zero_grad()
        loss = {"classify": lambda: F.nll_loss(F.log_softmax(net(X), dim=1), labels), "copy": lambda: F.mse_loss(net(X), X)}[task]()
        loss.backward()
        curve[step] = float(loss)
        for weight in net.parameters():
            weight.data -= 0.5 * weight.grad
    return curve


def labels_matter(task, X, labels, order, seed):
    return bool(np.abs(loss_curve(task, X, labels, seed) - loss_curve(task, X, labels[order], seed)).max() > 1e-9)

# %%
#| equivalent: mlp-is-trained-with-labels-p2
#| from: loss = F.cross_entropy(net(X), labels) if task == "classify" else F.mse_loss(net(X), X)
#| to: loss = F.cross_entropy(net(X), labels) if task == "classify" else F.mse_loss(X, net(X))
#| because: the squared difference is symmetric

# %% [markdown]
# > **Common myth.** "This architecture *is* that kind of learning." A drawing of layers does not say where the target comes from; the loss does.

# %% [markdown]
# <!--| question: rosenblatt-vs-backprop-era, level: M, minutes: 13 -->
# ## 10 · 1958, 1986, 2012
# Three papers mark the road: Rosenblatt's perceptron (1958), back-propagation (Rumelhart, Hinton and Williams, 1986) and the ImageNet network of Krizhevsky, Sutskever and Hinton (2012). What was the decisive new ability in 1986?

# %%
#| answer: rosenblatt-vs-backprop-era-p1
#| kind: choice
#| points: 1
#| options: {a: "using bias terms", b: "training hidden layers, with differentiable activations and the chain rule", c: "learning from labelled data", d: "running on graphics processors"}
#| because: {a: "Rosenblatt's rule already has one, see question 5", c: "the perceptron of 1958 learned from labelled examples too", d: "that came two decades later"}
new_in_1986 = "b"  # SOLUTION

# %% [markdown]
# And which of these were ingredients of the 2012 network? Choose all.

# %%
#| answer: rosenblatt-vs-backprop-era-p2
#| kind: choose-all
#| points: 1
#| options: {a: "rectified linear units (ReLU)", b: "training on graphics processors", c: "dropout and data augmentation", d: "hard-threshold units", e: "several convolutional layers"}
#| because: {d: "how would a gradient have passed through them?"}
in_2012 = {"a", "b", "c", "e"}  # SOLUTION

# %% [markdown]
# > **Common myth.** "These were one man's papers." Count the authors above. And the steps are 26 years apart: what was new in one was old in the next.

# %% [markdown]
# See the decisive difference with your own eyes. Take the layered net of question 6 with a sigmoid output, $a = \sigma(w_2 \cdot h + b_2)$ and $h = g(W_1x + b_1)$, on the four rows of XOR, with the quadratic cost of question 7. Let torch differentiate: a tensor made with
# `requires_grad=True` collects $\partial C/\partial(\cdot)$ in its `.grad` when you call `cost.backward()`; if no path leads from it to the cost, `.grad` stays `None`, and that means zero.
#
# Write `gradient_sums(W1, b1, w2, b2, hidden)`: the sum of $|\partial C/\partial W_1|$ and the sum of $|\partial C/\partial w_2|$. With `hidden="sigmoid"` the hidden units are sigmoids; with `hidden="step"` they are hard thresholds, `(z > 0)` turned into zeros and ones. `CORNERS` and `XOR` from the top of the notebook are at hand.

# %%
#| answer: rosenblatt-vs-backprop-era-p3
def gradient_sums(W1, b1, w2, b2, hidden):
    """(sum of |dC/dW1|, sum of |dC/dw2|) on XOR, for hidden units of the kind "sigmoid" or "step".

    W1: (2, 2), b1: (2,), w2: (2,) NumPy arrays; b2: number. Row j of W1 belongs to hidden unit j.
    """
    ### BEGIN SOLUTION
    W1, w2 = torch.tensor(W1, requires_grad=True), torch.tensor(w2, requires_grad=True)
    z = torch.tensor(CORNERS) @ W1.T + torch.tensor(b1)
    h = torch.sigmoid(z) if hidden == "sigmoid" else (z > 0).double()
    a = torch.sigmoid(h @ w2 + b2)
    cost = ((a - torch.tensor(XOR)) ** 2).mean() / 2
    cost.backward()
    return 0.0 if W1.grad is None else W1.grad.abs().sum().item(), w2.grad.abs().sum().item()
    ### END SOLUTION

# %%
#| tests: rosenblatt-vs-backprop-era-p3
def sums_by_hand(W1, b1, w2, b2, hidden):
    z = CORNERS @ W1.T + b1
    h = 1 / (1 + np.exp(-z)) if hidden == "sigmoid" else np.where(z > 0, 1.0, 0.0)
    a = 1 / (1 + np.exp(-(h @ w2 + b2)))
    delta = (a - XOR) * a * (1 - a) / 4
    back = np.outer(delta, w2) * h * (1 - h)
    return np.abs(back.T @ CORNERS).sum(), np.abs(delta @ h).sum()


def same_sums(gradient_sums, net, hidden):
    got, expected = numbers(gradient_sums(*net, hidden), (2,)), sums_by_hand(*net, hidden)
    return (got[0] > 0) == (hidden == "sigmoid") and np.allclose(got, expected, rtol=1e-4, atol=1e-7)


@test_case(points=0.5, failure_message="The two sums belong to two different layers. And what does a missing .grad mean?")
def test_one_net(gradient_sums):
    net = np.array([[1.2, -1.0], [-1.4, 1.2]]), np.array([0.1, -0.4]), np.array([1.4, -0.8]), -0.5
    assert same_sums(gradient_sums, net, "step") and same_sums(gradient_sums, net, "sigmoid")


@test_case(points=0.5, hidden=True, failure_message="Compare the gradients of both layers with the chain rule written out, also where z is exactly zero.")
def test_other_nets(gradient_sums):
    for first_bias in (0.0, 0.5):
        net = secret.normal(size=(2, 2)), np.array([first_bias, secret.normal()]), secret.normal(size=2), float(secret.normal())
        assert same_sums(gradient_sums, net, "step") and same_sums(gradient_sums, net, "sigmoid")

# %%
#| wrong: rosenblatt-vs-backprop-era-p3
#| because: it sends the gradient straight through the threshold, as if the step had slope one; a clever trick, but not its derivative
def gradient_sums(W1, b1, w2, b2, hidden):
    W1, w2 = torch.tensor(W1, requires_grad=True), torch.tensor(w2, requires_grad=True)
    z = torch.tensor(CORNERS) @ W1.T + torch.tensor(b1)
    h = torch.sigmoid(z) if hidden == "sigmoid" else (z > 0).double() + z - z.detach()
    a = torch.sigmoid(h @ w2 + b2)
    (((a - torch.tensor(XOR)) ** 2).mean() / 2).backward()
    return W1.grad.abs().sum().item(), w2.grad.abs().sum().item()

# %%
#| wrong: rosenblatt-vs-backprop-era-p3
#| because: what it reports for the first layer is the gradient of the output layer
def gradient_sums(W1, b1, w2, b2, hidden):
    w2 = torch.tensor(w2, requires_grad=True)
    z = torch.tensor(CORNERS) @ torch.tensor(W1).T + torch.tensor(b1)
    h = torch.sigmoid(z) if hidden == "sigmoid" else (z > 0).double()
    a = torch.sigmoid(h @ w2 + b2)
    (((a - torch.tensor(XOR)) ** 2).mean() / 2).backward()
    return w2.grad.abs().sum().item(), w2.grad.abs().sum().item()

# %%
#| wrong: rosenblatt-vs-backprop-era-p3
#| because: it adds up the gradients with their signs, so that they partly cancel
def gradient_sums(W1, b1, w2, b2, hidden):
    W1, w2 = torch.tensor(W1, requires_grad=True), torch.tensor(w2, requires_grad=True)
    z = torch.tensor(CORNERS) @ W1.T + torch.tensor(b1)
    h = torch.sigmoid(z) if hidden == "sigmoid" else (z > 0).double()
    a = torch.sigmoid(h @ w2 + b2)
    (((a - torch.tensor(XOR)) ** 2).mean() / 2).backward()
    return 0.0 if W1.grad is None else W1.grad.sum().item(), w2.grad.sum().item()

# %%
#| right: rosenblatt-vs-backprop-era-p3
#| because: the chain rule in NumPy
def gradient_sums(W1, b1, w2, b2, hidden):
    z = CORNERS @ W1.T + b1
    h = 1 / (1 + np.exp(-z)) if hidden == "sigmoid" else (z > 0) * 1.0
    a = 1 / (1 + np.exp(-(h @ w2 + b2)))
    delta = (a - XOR) * a * (1 - a) / 4
    slope = h * (1 - h)
    return float(np.abs((delta[:, None] * w2 * slope).T @ CORNERS).sum()), float(np.abs(h.T @ delta).sum())

# %%
#| right: rosenblatt-vs-backprop-era-p3
#| because: torch.autograd.grad in single precision, unused tensors allowed
def gradient_sums(W1, b1, w2, b2, hidden):
    W1, b1, w2, X = (torch.tensor(np.asarray(v), dtype=torch.float32) for v in (W1, b1, w2, CORNERS))
    W1.requires_grad_()
    w2.requires_grad_()
    z = X @ W1.T + b1
    h = z.sigmoid() if hidden == "sigmoid" else torch.where(z > 0, 1.0, 0.0)
    cost = ((torch.sigmoid(h @ w2 + b2) - torch.tensor([0.0, 1.0, 1.0, 0.0])) ** 2).sum() / 8
    first, second = torch.autograd.grad(cost, (W1, w2), allow_unused=True)
    return [0.0 if g is None else g.abs().sum().item() for g in (first, second)]

# %% [markdown]
# Now say it. In two sentences: why could hidden layers of threshold units not be trained, neither by gradient descent nor by Rosenblatt's rule?

# %% [markdown]
# <!--| answer: rosenblatt-vs-backprop-era-p4, kind: essay, points: 2 -->
# The derivative of a step is zero wherever it exists, so the chain rule multiplies whatever the output layer reports by zero, and the earlier weights learn nothing about which way to move. Rosenblatt's rule does not help out, because it needs a target for every unit that it corrects, and nobody knows what a hidden unit should have said.

# %% [markdown]
# <!--| rubric: rosenblatt-vs-backprop-era-p4 -->
# - [1] zero-derivative: says that the step's derivative is zero (or undefined at the jump), so no gradient reaches the earlier weights
# - [1] no-target: says that the perceptron rule compares with a target, and hidden units have none

# %% [markdown]
# ### You can now
# compute any neuron by hand and in one line of NumPy, choose weights for a gate and say how much noise it will stand, let a perceptron and a sigmoid neuron learn, *prove* what one neuron cannot do, and step over that wall with a hidden layer. You have also seen why the soft slope of the
# sigmoid mattered so much more than it looked: it lets the error travel backwards. Following it all the way down is what *Backpropagation* is about. If you have an hour to spare, the question below turns the last claim about hidden layers around and builds a network for a curve without any training at all.

# %% [markdown]
# <!--| question: universal-approximation-by-construction, level: H, minutes: 19, optional: true -->
# ## Optional · Any curve you like
# "A multi-layer perceptron can approximate any function." Said like that, it is a slogan. Which of these is what the classical theorem states?

# %%
#| answer: universal-approximation-by-construction-p1
#| kind: choice
#| points: 1
#| options: {
#|   a: 'One hidden layer with enough units and an activation that is not a polynomial comes as close as you like to any continuous function on a compact set.',
#|   b: 'Gradient descent always finds the best network.',
#|   c: 'Ten hidden units are enough for any function.',
#|   d: 'Such networks are right on any data they have not seen.'}
#| because: {
#|   b: 'the theorem is about what exists, not about how to find it',
#|   c: 'how many are enough depends on the function and on how close you want to be',
#|   d: 'between and beyond the data a network may do as it pleases'}
theorem = "a"  # SOLUTION

# %% [markdown]
# Judge:

# %%
#| answer: universal-approximation-by-construction-p2
#| kind: true-false
#| points: 1
#| options: [
#|   'The theorem says how many units are needed in practice.',
#|   'It holds for identity activations.',
#|   'It says nothing about whether training finds the weights.']
about_theorem = (False, False, True)  # SOLUTION

# %% [markdown]
# In one dimension you can build the network outright. A rectified linear unit, $\mathrm{relu}(z) = \max(z, 0)$, is a hinge: flat up to a knot, a straight slope after it. Add enough hinges and you can follow any polygon.
#
# Write `relu_interpolant(xs, ys)` for $m \ge 2$ points with increasing `xs`: weights of one hidden layer with $m - 1$ units such that
#
# $$\sum_j w_{2j}\, \mathrm{relu}(w_{1j}\,x + b_{1j}) + b_2$$
#
# runs in straight lines from point to point, for every $x$ from the first to the last of the `xs`.

# %%
#| answer: universal-approximation-by-construction-p3
def relu_interpolant(xs, ys):
    """(w1, b1, w2, b2): three arrays of length m - 1 and a number; the network joins the m points
    by straight lines.

    xs: m increasing numbers, not necessarily evenly spaced; ys: m numbers.
    """
    ### BEGIN SOLUTION
    slopes = np.diff(ys) / np.diff(xs)
    return np.ones(len(slopes)), -np.asarray(xs)[:-1], np.diff(slopes, prepend=0.0), ys[0]
    ### END SOLUTION

# %%
#| tests: universal-approximation-by-construction-p3
def network(got, m, x):
    w1, b1, w2, b2 = got
    w1, b1, w2, b2 = numbers(w1, (m - 1,)), numbers(b1, (m - 1,)), numbers(w2, (m - 1,)), numbers(b2, ())
    return np.maximum(np.outer(x, w1) + b1, 0.0) @ w2 + b2


@test_case(points=1, failure_message="Start with two points: one hinge and an offset make a straight line. Then add a third point.")
def test_two_and_three_points(relu_interpolant):
    assert np.allclose(network(relu_interpolant([1.0, 3.0], [5.0, 1.0]), 2, np.array([1.0, 2.0, 3.0])), [5.0, 3.0, 1.0], rtol=0, atol=1e-4)
    assert np.allclose(network(relu_interpolant([-1, 0, 2], [2, 0, 6]), 3, np.array([-1.0, -0.5, 0.0, 1.0, 2.0])), [2.0, 1.0, 0.0, 3.0, 6.0], rtol=0, atol=1e-4)


@test_case(points=2, hidden=True, failure_message="Points that are not evenly spaced: at which x must each hinge begin to bend, and by how much must the slope change there?")
def test_uneven_points(relu_interpolant):
    for m in (2, 5, 12):
        xs, ys = secret.normal() + np.cumsum(secret.uniform(0.2, 2.0, size=m)), secret.normal(size=m)
        x = np.linspace(xs[0], xs[-1], 300)
        assert np.allclose(network(relu_interpolant(xs, ys), m, x), np.interp(x, xs, ys), rtol=0, atol=1e-4)

# %%
#| wrong: universal-approximation-by-construction-p3
#| because: each hinge begins one knot too late
def relu_interpolant(xs, ys):
    slopes = np.diff(ys) / np.diff(xs)
    return np.ones(len(slopes)), -np.asarray(xs)[1:], np.diff(slopes, prepend=0.0), ys[0]

# %%
#| wrong: universal-approximation-by-construction-p3
#| because: without an offset at the output the curve starts at zero instead of at the first point
def relu_interpolant(xs, ys):
    slopes = np.diff(ys) / np.diff(xs)
    return np.ones(len(slopes)), -np.asarray(xs)[:-1], np.diff(slopes, prepend=0.0), 0.0

# %%
#| wrong: universal-approximation-by-construction-p3
#| because: it takes the points to be evenly spaced
def relu_interpolant(xs, ys):
    slopes = np.diff(ys) / (xs[1] - xs[0])
    return np.ones(len(slopes)), -np.asarray(xs)[:-1], np.diff(slopes, prepend=0.0), ys[0]

# %%
#| wrong: universal-approximation-by-construction-p3
#| because: every hinge adds to the slopes of the ones before it, so it has to bring only the change
def relu_interpolant(xs, ys):
    slopes = np.diff(ys) / np.diff(xs)
    return np.ones(len(slopes)), -np.asarray(xs)[:-1], slopes, ys[0]

# %%
#| right: universal-approximation-by-construction-p3
#| because: hinges that open to the left, counted from the last point
def relu_interpolant(xs, ys):
    xs, ys = list(xs)[::-1], list(ys)[::-1]
    w2, before = [], 0.0
    for k in range(len(xs) - 1):
        slope = (ys[k + 1] - ys[k]) / (xs[k] - xs[k + 1])
        w2.append(slope - before)
        before = slope
    return [-1.0] * len(w2), xs[:-1], w2, ys[0]

# %%
#| right: universal-approximation-by-construction-p3
#| because: a linear system for the heights at the knots, in torch
def relu_interpolant(xs, ys):
    xs, ys = torch.as_tensor(xs, dtype=torch.float64), torch.as_tensor(ys, dtype=torch.float64)
    hinges = torch.clamp(xs[1:, None] - xs[None, :-1], min=0)
    return torch.ones(len(xs) - 1), -xs[:-1], torch.linalg.solve(hinges, ys[1:] - ys[0]), ys[0]

# %% [markdown]
# <!--| hint: universal-approximation-by-construction-p3 -->
# To the right of the first point only the first hinge is open, so it alone makes the first slope. At the next knot a second hinge opens: what must it contribute, given that the first one goes on?

# %% [markdown]
# How good is it? Write `max_error(m, x)`: for an increasing array `x`, build the network for $\sin$ from $m$ evenly spaced points between the first and the last number of `x` (both included), and return the largest $|\text{network} - \sin|$ over the numbers in `x`. Run it on `dense`, which covers $[-\pi, \pi]$, for 11, 21 and 41 points. By what factor does the error fall each time, and can you say why?

# %%
#| given: universal-approximation-by-construction
dense = np.linspace(-np.pi, np.pi, 4001)

# %%
#| answer: universal-approximation-by-construction-p4
def max_error(m, x):
    """Largest absolute error over the increasing numbers x of the ReLU network through m points
    of the sine from x[0] to x[-1].
    """
    ### BEGIN SOLUTION
    xs = np.linspace(x[0], x[-1], m)
    w1, b1, w2, b2 = relu_interpolant(xs, np.sin(xs))
    net = (np.outer(x, w1) + b1).clip(min=0) @ w2 + b2
    return np.abs(net - np.sin(x)).max()
    ### END SOLUTION

# %%
#| tests: universal-approximation-by-construction-p4
@test_case(points=1, failure_message="With straight lines over steps of width h the error of the sine is at most h²/8. What happens to that when there are twice as many?")
def test_error_falls(max_error, dense):
    errors = [float(numbers(max_error(m, dense), ())) for m in (11, 21, 41)]
    assert all(0.9 * bound < error <= bound + 1e-6 for error, bound in zip(errors, [(2 * np.pi / k) ** 2 / 8 for k in (10, 20, 40)]))
    assert all(3.6 < before / after < 4.3 for before, after in zip(errors, errors[1:]))


@test_case(points=1, hidden=True, failure_message="Measure at the numbers you are given, wherever they begin and end, and take the difference as it is.")
def test_elsewhere(max_error):
    for m in (2, 6, 15):
        start = secret.normal() + np.cumsum(secret.uniform(0.3, 1.0, size=9))
        for x in (start, start + np.pi):
            xs = np.linspace(x[0], x[-1], m)
            expected = np.abs(np.interp(x, xs, np.sin(xs)) - np.sin(x)).max()
            assert abs(numbers(max_error(m, x), ()) - expected) < 1e-5

# %%
#| wrong: universal-approximation-by-construction-p4
#| because: it measures only at the knots, where the network is right by construction
def max_error(m, x):
    xs = np.linspace(x[0], x[-1], m)
    w1, b1, w2, b2 = relu_interpolant(xs, np.sin(xs))
    net = np.maximum(np.outer(xs, w1) + b1, 0) @ w2 + b2
    return np.abs(net - np.sin(xs)).max()

# %%
#| wrong: universal-approximation-by-construction-p4
#| because: it divides by the sine, which is zero in places; the plain difference was asked for
def max_error(m, x):
    xs = np.linspace(x[0], x[-1], m)
    w1, b1, w2, b2 = relu_interpolant(xs, np.sin(xs))
    net = np.maximum(np.outer(x, w1) + b1, 0) @ w2 + b2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs((net - np.sin(x)) / np.sin(x)).max()

# %%
#| wrong: universal-approximation-by-construction-p4
#| because: errors below the sine are lost without the absolute value
#| earns: 1
def max_error(m, x):
    xs = np.linspace(x[0], x[-1], m)
    w1, b1, w2, b2 = relu_interpolant(xs, np.sin(xs))
    net = np.maximum(np.outer(x, w1) + b1, 0) @ w2 + b2
    return (net - np.sin(x)).max()

# %%
#| wrong: universal-approximation-by-construction-p4
#| because: it builds the network from m intervals, which takes one point more than m
def max_error(m, x):
    xs = np.linspace(x[0], x[-1], m + 1)
    w1, b1, w2, b2 = relu_interpolant(xs, np.sin(xs))
    net = np.maximum(np.outer(x, w1) + b1, 0) @ w2 + b2
    return np.abs(net - np.sin(x)).max()

# %%
#| right: universal-approximation-by-construction-p4
#| because: one number at a time
def max_error(m, x):
    xs = [x[0] + (x[-1] - x[0]) * k / (m - 1) for k in range(m)]
    w1, b1, w2, b2 = relu_interpolant(np.array(xs), np.sin(xs))
    worst = 0.0
    for value in np.asarray(x).tolist():
        worst = max(worst, abs(float(np.maximum(w1 * value + b1, 0) @ w2 + b2) - float(np.sin(value))))
    return worst

# %%
#| right: universal-approximation-by-construction-p4
#| because: torch throughout
def max_error(m, x):
    x = torch.as_tensor(x)
    xs = torch.linspace(float(x[0]), float(x[-1]), m, dtype=torch.float64)
    w1, b1, w2, b2 = (torch.as_tensor(v) for v in relu_interpolant(xs.numpy(), xs.sin().numpy()))
    return (torch.relu(x[:, None] * w1 + b1) @ w2 + b2 - x.sin()).abs().max()
