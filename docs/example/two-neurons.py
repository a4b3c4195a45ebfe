# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Two neurons make a bump
#     minutes: 30
#     prerequisites: [perceptrons]
#     limits: {cell_s: 20, case_s: 5}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Two neurons make a bump
#
# A neuron that fires above a threshold can say one thing: "further right than this". That sounds like little. But subtract one such neuron from another
# and something new appears, a *bump*; and out of enough bumps you can lay any curve you like. In half an hour you will have done it.

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import numpy as np

# %%
#| helpers
def curve(got, shape):
    """What was returned, as finite floats of this shape; an AssertionError if it is anything else."""
    got = np.asarray(got)
    assert got.dtype.kind in "biuf" and got.shape == shape
    assert np.isfinite(got).all()
    return got.astype(float)

# %% [markdown]
# <!--| question: one-edge, level: E, minutes: 5 -->
# ## 1 · One edge
# The neuron $y = \mathrm{step}(wx + b)$ fires where $wx + b > 0$. Take $w = 2$ and $b = -3$. At which $x$ does it begin to fire?

# %%
#| answer: one-edge-p1
#| kind: number
#| points: 1
#| because: {-1.5: "the bias moves the edge the other way", 3: "the weight has a say in it too"}
edge = 3 / 2  # SOLUTION

# %% [markdown]
# Now turn both signs round: $w = -2$ and $b = 3$. What has become of it?

# %%
#| answer: one-edge-p2
#| kind: choice
#| points: 1
#| options:
#|   a: it fires left of the same edge
#|   b: it fires right of the same edge
#|   c: its edge has moved to the other side of zero
#| because: {b: "the weight is negative now", c: "look at where the sum is zero"}
turned = "a"  # SOLUTION

# %% [markdown]
# <!--| hint: one-edge-p2 -->
# Where is the sum zero? And on which side of that place is it positive? One number from each side will tell.

# %% [markdown]
# <!--| question: bump, level: M, minutes: 10, covers: [difference-of-steps] -->
# ## 2 · A bump
# One neuron fires right of `left`, another right of `right`. The first minus the second is 1 between the two edges and 0 elsewhere.
#
# Write `bump(x, left, right)` for an array of numbers `x`. As the step is silent at its own edge, `left` itself lies outside and `right` inside.

# %%
#| given: bump
rng = np.random.default_rng(seed)
points = rng.uniform(-3.0, 3.0, size=6)

# %%
#| answer: bump
def bump(x, left, right):
    """1 where left < x <= right, else 0.

    x: array-like of numbers. Returns an array of the same shape.
    """
    ### BEGIN SOLUTION
    x = np.asarray(x)
    return 1 * (x > left) - (x > right)
    ### END SOLUTION

# %%
#| tests: bump
@test_case(points=1, failure_message="Between the edges it is 1, elsewhere 0.")
def test_inside_and_outside(bump, points):
    expected = [float(-1 < x < 2) for x in points]
    assert np.array_equal(curve(bump(points, -1, 2), (6,)), expected)


@test_case(points=0.5, hidden=True, failure_message="What happens exactly at the edges?")
def test_edges(bump):
    assert np.array_equal(curve(bump([0, 1, 2, 3], 1, 2), (4,)), [0.0, 0.0, 1.0, 0.0])


@test_case(points=0.5, hidden=True, failure_message="Try an array with rows and columns.")
def test_any_shape(bump):
    x = secret.normal(size=(4, 5))
    assert np.array_equal(curve(bump(x, -0.5, 0.5), (4, 5)), (x > -0.5) & (x <= 0.5))

# %%
#| wrong: bump
#| because: it adds the two neurons, so right of both edges it is 2
def bump(x, left, right):
    x = np.asarray(x)
    return 1 * (x > left) + (x > right)

# %%
#| wrong: bump
#| because: its second neuron fires at its own edge already
#| earns: 1.5
def bump(x, left, right):
    x = np.asarray(x)
    return 1 * (x > left) - (x >= right)

# %%
#| right: bump
#| because: number by number, without neurons
def bump(x, left, right):
    if np.ndim(x):
        return [bump(item, left, right) for item in x]
    return 1.0 if left < x <= right else 0.0

# %% [markdown]
# > **Common myth.** "A bump needs a neuron with a bump-shaped output." It needs two quite ordinary ones and a minus sign.

# %% [markdown]
# <!--| question: any-curve, level: H, minutes: 12 -->
# ## 3 · Any curve
# Cut an interval into `n` strips of equal width. Over each strip put a bump as high as the curve is in the strip's middle, and add them all up: a network
# with $2n$ neurons that nobody had to train.
#
# Write `approximate(f, left, right, n)`, which returns that network as a function of one number.

# %%
#| answer: any-curve-p1
def approximate(f, left, right, n):
    """A function of one number: the sum of n bumps between left and right, each as high as f in its middle."""
    ### BEGIN SOLUTION
    edges = np.linspace(left, right, n + 1)
    heights = [f((a + b) / 2) for a, b in zip(edges, edges[1:])]
    return lambda x: sum(h * bump(x, a, b) for h, a, b in zip(heights, edges, edges[1:]))
    ### END SOLUTION

# %%
#| tests: any-curve-p1
@probe
def values(approximate, power, n, xs):
    """Runs beside the student's code: it returns plain numbers, so that the test need not hold the student's function."""
    network = approximate(lambda x: x**power, 0.0, 2.0, n)
    return [float(network(x)) for x in xs]


@test_case(points=1, failure_message="With two strips over [0, 2] the curve x has the heights 0.5 and 1.5.")
def test_two_strips(approximate):
    assert np.allclose(curve(values(approximate, 1, 2, [0.3, 0.9, 1.1, 1.9]), (4,)), [0.5, 0.5, 1.5, 1.5])


@test_case(points=1, hidden=True, failure_message="How high is it outside the interval, and at the last edge?")
def test_ends(approximate):
    assert np.allclose(curve(values(approximate, 1, 2, [-0.1, 0.0, 2.0, 2.1]), (4,)), [0.0, 0.0, 1.5, 0.0])


@test_case(points=1, hidden=True, failure_message="Try a curve that bends, and more strips.")
def test_many_strips(approximate):
    xs = secret.uniform(0.0, 2.0, size=20)
    middles = (np.ceil(10 * xs) - 0.5) / 10
    assert np.allclose(curve(values(approximate, 2, 20, xs), (20,)), middles**2)

# %%
#| wrong: any-curve-p1
#| because: its bumps are as high as the curve at their left edges
def approximate(f, left, right, n):
    edges = np.linspace(left, right, n + 1)
    return lambda x: sum(f(a) * bump(x, a, b) for a, b in zip(edges, edges[1:]))

# %%
#| wrong: any-curve-p1
#| because: n edges make one strip too few
def approximate(f, left, right, n):
    edges = np.linspace(left, right, n)
    return lambda x: sum(f((a + b) / 2) * bump(x, a, b) for a, b in zip(edges, edges[1:]))

# %%
#| right: any-curve-p1
#| because: it looks up the strip in which x lies
def approximate(f, left, right, n):
    width = (right - left) / n

    def network(x):
        strip = np.ceil((x - left) / width)
        return f(left + (strip - 0.5) * width) if 1 <= strip <= n else 0.0

    return network

# %%
#| equivalent: any-curve-p1
#| from: heights = [f((a + b) / 2) for a, b in zip(edges, edges[1:])]
#| to: heights = [f((a + b) / 2) for a, b in zip(edges[1:], edges)]
#| because: the middle of two edges is the same whichever comes first

# %% [markdown]
# Steps have no slope to learn from, so real networks use something gentler. With $r(z) = \max(0, z)$ in place of the step, write a *hat* as one line: 1 at
# $x = 0$, straight down to 0 at $x = \pm 1$, and 0 beyond.

# %%
#| answer: any-curve-p2
#| kind: formula
#| points: 1
#| because:
#|   "lambda x: max(0, x + 1) - max(0, x)": "that goes up to 1 and stays there"
#| inputs: (secret.uniform(-2.0, 2.0),)
hat = lambda x: max(0, x + 1) - 2 * max(0, x) + max(0, x - 1)  # SOLUTION

# %%
#| right: any-curve-p2
#| because: a single bend round the absolute value
hat = lambda x: max(0, 1 - abs(x))

# %% [markdown]
# <!--| question: in-your-words, level: M, minutes: 5 -->
# ## 4 · In your own words
# A friend lays 50 bumps over $\sin x$ between 0 and 10 and is delighted. Then she asks her network about $x = 12$. What does it say, and what does that tell you about
# networks that are asked about things unlike their training data? Two or three sentences.

# %% [markdown]
# <!--| answer: in-your-words, kind: essay, points: 2 -->
# It says 0, because no bump reaches that far, and it says so without any sign of doubt. Where there was no data a network follows its shape, not the curve.

# %% [markdown]
# <!--| rubric: in-your-words -->
# - [1] value: says that the network returns 0 there (no bump is on)
# - [1] lesson: says that outside the data nothing binds the network to the curve

# %% [markdown]
# <!--| question: for-the-curious, level: E, minutes: 4, optional: true -->
# ## 5 · For the curious
# Four quick ones. First: which of these can a single step neuron do with one input?

# %%
#| answer: for-the-curious-p1
#| kind: choose-all
#| points: 0.5
#| options: {a: fire right of an edge, b: fire left of an edge, c: fire between two edges, d: never fire}
can_do = {"a", "b", "d"}  # SOLUTION

# %% [markdown]
# True or false?

# %%
#| answer: for-the-curious-p2
#| kind: true-false
#| points: 0.5
#| options:
#|   - Two bumps that do not touch need four neurons.
#|   - Narrower bumps need larger weights.
verdicts = (True, False)  # SOLUTION

# %% [markdown]
# In one word each: what we call the number that is added to the weighted sum, and what we call the numbers it is weighted with.

# %%
#| answer: for-the-curious-p3
#| kind: text
#| points: 0.5
#| accept: [[bias, the bias], [weights, the weights, weight]]
words = ("bias", "weights")  # SOLUTION

# %% [markdown]
# Two hundred strips, one input: what is the shape of the matrix of the first layer's weights, neurons first?

# %%
#| answer: for-the-curious-p4
#| kind: shape
#| points: 0.5
#| because: {"(200, 1)": "each strip needs two neurons", "(1, 400)": "that is inputs first"}
first_layer = (400, 1)  # SOLUTION

# %% [markdown]
# ### You can now
# build any curve you like from neurons that only know "further right than this". What would you need for a *surface*?
