"""A small instructor notebook with every role and kind in it, and a way to change it."""

from __future__ import annotations

from pathlib import Path

from autogradient.course import config
from autogradient.model.assignment import Assignment
from autogradient.sources import source

HEAD = """\
# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Gates
#     minutes: 20
#     limits: {cell_s: 5, case_s: 2}
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Gates
#
# Small networks, one neuron at a time.

# %%
#| staff
# %load_ext autogradient.authoring

# %%
#| setup
import numpy as np

# %%
#| helpers
def corners():
    return [(0, 0), (0, 1), (1, 0), (1, 1)]
"""

CODE = """
# %% [markdown]
# <!--| question: and-gate, level: E, minutes: 10 -->
# **A gate from one neuron.** Fire when both inputs are 1.

# %%
#| given: and-gate
rng = np.random.default_rng(seed)
margin = float(rng.uniform(0.1, 0.2))

# %%
#| answer: and-gate
def and_gate(a, b):
    \"\"\"Return 1 if both inputs are 1, else 0.\"\"\"
    ### BEGIN SOLUTION
    return int(a + b - 1.5 > 0)
    ### END SOLUTION

# %%
#| tests: and-gate
@test_case(points=1, failure_message="Only (1, 1) may fire.")
def test_truth_table(and_gate):
    assert [and_gate(a, b) for a, b in corners()] == [0, 0, 0, 1]


@test_case(points=2, hidden=True, failure_message="One line must separate (1, 1) from the rest.")
def test_noisy_inputs(and_gate, margin):
    low, high = secret.uniform(-margin, margin, size=2)
    assert and_gate(1 + low, 1 + high) == 1 and and_gate(low, 1 + high) == 0

# %%
#| wrong: and-gate
#| because: it fires when either input is 1
def and_gate(a, b):
    return int(a + b - 0.5 > 0)

# %%
#| right: and-gate
#| because: the least of the two decides
def and_gate(a, b):
    return int(min(a, b) > 0.5)

# %%
#| equivalent: and-gate
#| from: return int(a + b - 1.5 > 0)
#| to: return int(a + b - 1.5 >= 0)
#| because: no input lies exactly on the line

# %% [markdown]
# <!--| hint: and-gate -->
# Draw the four corners.
"""

SHORT = """
# %% [markdown]
# <!--| question: sums, level: M, minutes: 5, covers: [adding] -->
# **Seven small ones.**

# %%
#| answer: sums-p1
#| kind: choice
#| points: 0.5
#| options: {a: the step, b: the sigmoid, c: no function at all}
#| because: {a: that one has no slope}
smooth = "b"  # SOLUTION

# %%
#| answer: sums-p2
#| kind: choose-all
#| points: 1
#| options: {a: and, b: or, c: xor}
separable = {"a", "b"}  # SOLUTION

# %%
#| answer: sums-p3
#| kind: true-false
#| points: 1
#| options: ['a bias moves the line', 'a bias turns the line']
verdicts = (True, False)  # SOLUTION

# %%
#| answer: sums-p4
#| kind: number
#| points: 1
#| tol: 0.1%
#| because: {1.5: "that is without the bias"}
total = 2.5  # SOLUTION

# %%
#| answer: sums-p5
#| kind: shape
#| points: 1
rows = (2, 3)  # SOLUTION

# %%
#| answer: sums-p6
#| kind: text
#| points: 1
#| accept: [[bias, threshold], [weight, weights]]
words = ("bias", "weights")  # SOLUTION

# %%
#| answer: sums-p7
#| kind: formula
#| points: 1
#| inputs: (secret.normal(), secret.normal())
plane = lambda x, w: w * x  # SOLUTION
"""

ESSAY = """
# %% [markdown]
# <!--| question: why, level: H, minutes: 5 -->
# **Why not XOR?**

# %% [markdown]
# <!--| answer: why, kind: essay, points: 2 -->
# Its corners lie crosswise, and no straight line parts them.

# %% [markdown]
# <!--| rubric: why -->
# - [1] crosswise: says how the corners lie
# - [1] one-line: says that one line is too few
"""

TEXT = HEAD + CODE + SHORT + ESSAY


def changed(*changes: tuple[str, str], text: str = TEXT) -> str:
    """The source with each (old, new) replaced; every old text must stand in it exactly once."""
    for old, new in changes:
        assert text.count(old) == 1, f"{text.count(old)} times: {old!r}"
        text = text.replace(old, new)
    return text


def read(text: str = TEXT, name: str = "gates", seed: int = 7) -> Assignment:
    """The assignment that a text is."""
    return source.read(text, Path(f"{name}.py"), seed=seed)


def write(folder: Path, text: str = TEXT, name: str = "gates") -> Path:
    """Write the source into a folder of its own below `folder`; returns the notebook's path."""
    path = folder / name / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def new_course(folder: Path, text: str = TEXT) -> config.Course:
    """A course in `folder` with the source in it."""
    settings = folder / "grader_config" / "course.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        'format = 1\nname = "Gates"\nrelease = "2026.1"\nseed = 2026\nassignments = ["gates"]\n',
        encoding="utf-8",
    )
    write(folder / "source", text)
    return config.find(folder)
