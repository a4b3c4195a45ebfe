"""A course of sixty assignments: each step takes as long as there is work, and never grows faster
than the course.
"""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

import pytest
from commands import Ran
from proved import prove_course

from autogradient.sources import release
from autogradient.sources.source import load

SOURCE = """\
# ---
# jupyter:
#   autogradient:
#     format: 1
#     title: Number {number}
#     minutes: 5
#   kernelspec: {{display_name: Python 3, language: python, name: python3}}
# ---

# %% [markdown]
# # Number {number}

# %% [markdown]
# <!--| question: times -->
# ## 1 · Times {number}

# %%
#| answer: times
def times(x):
    \"\"\"{number} times x.\"\"\"
    ### BEGIN SOLUTION
    return {number} * x
    ### END SOLUTION

# %%
#| tests: times
@test_case(points=1, failure_message="Try 1.")
def test_one(times):
    assert times(1) == {number}


@test_case(points=1, hidden=True, failure_message="Try 2.")
def test_two(times):
    assert times(2) == 2 * {number}

# %% [markdown]
# <!--| question: next -->
# ## 2 · The next number

# %%
#| answer: next
#| kind: number
#| points: 1
following = {number} + 1  # SOLUTION
"""
SMALL, LARGE = 10, 60


def made(root: Path, count: int) -> Path:
    """A course of so many assignments, and one student who has handed all of them in, right."""
    (root / "grader_config").mkdir(parents=True)
    (root / "grader_config" / "course.toml").write_text('format = 1\nname = "A large course"\n')
    for number in range(1, count + 1):
        path = root / "source" / f"n{number}" / f"n{number}.py"
        path.parent.mkdir(parents=True)
        path.write_text(SOURCE.format(number=number))
        data = release.build(load(path)).notebook.decode()
        data = data.replace("...", f"return {number} * x", 1).replace(
            "following = ...", f"following = {number} + 1"
        )
        place = root / "submitted" / "ada" / f"n{number}" / f"n{number}.ipynb"
        place.parent.mkdir(parents=True)
        place.write_text(data)
    prove_course(root)
    return root


def calls(root: Path, *arguments: str) -> int:
    """How many functions a command calls in its own process, once what it imports is there."""
    profile = cProfile.Profile()
    profile.enable()
    ran = Ran(root, *arguments)
    profile.disable()
    assert ran.code == 0, ran
    return int(getattr(pstats.Stats(profile), "total_calls"))  # noqa: B009 (unknown to the type's stub)


@pytest.mark.timeout(600)
def test_no_step_grows_faster_than_the_course(tmp_path: Path) -> None:
    steps = (
        ("release",),
        ("release", "--check"),
        ("grade", "--all"),
        ("grade", "--all"),
        ("report",),
        ("feedback",),
        ("feedback",),
        ("export",),
    )
    counted = {}
    for name, count in (("warm", 2), ("small", SMALL), ("large", LARGE)):
        root = made(tmp_path / name, count)
        counted[name] = [calls(root, *step) for step in steps]
    for step, small, large in zip(steps, counted["small"], counted["large"], strict=True):
        assert large <= 1.25 * LARGE / SMALL * small, (
            f"{' '.join(step)}: {small} calls for {SMALL} assignments, {large} for {LARGE}"
        )
    assert Ran(tmp_path / "large", "report").out.count("3/3") == LARGE
