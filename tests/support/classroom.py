"""A small course with a roster, deadlines, attempts and two essays, for what is decided after
grading.
"""

from __future__ import annotations

from pathlib import Path

import homework
from homework import ANSWERS, Notebook

from autogradient.course import config
from autogradient.course.config import Course
from autogradient.model.assignment import Assignment
from autogradient.sources.source import load

POLICY = """format = 1
name = "Small"
release = "1"
assignments = ["small"]
timezone = "Europe/Berlin"

[deadlines]
small = {due = 2026-10-12T12:00:00, sections = {tue = 2026-10-13T12:00:00}}

[late]
per_day = "10%"
at_most = "50%"
"""
ROSTER = (
    "student,section,name,email\nada,mon,Ada Lovelace,ada@example.org\nbob,tue,Bob "
    "Ray,\neve,,Eve Li,\n"
)
#: The essay `why` (two items) and a second one, `how`: 9 points together.
SOURCE = homework.SOURCE.replace(
    "- [2] compares: says which is more",
    "- [1.5] compares: says which is more\n# - [0.5] briefly: in a sentence",
).replace(
    "# %% [markdown]\n# The end.",
    "# %% [markdown]\n# <!--| question: how -->\n# ## 6 · How\n\n# %% [markdown]\n# <!--| answer: "
    "how, kind: essay, points: 1 -->\n# By counting.\n\n"
    "# %% [markdown]\n# <!--| rubric: how -->\n# - [1] counts: says how\n\n# %% [markdown]\n# The "
    "end.",
)
RIGHT = ANSWERS | {"how": "I count."}
#: `scale` does not add up to 1: 1.5 points less.
WEAKER = RIGHT | {"scale": "def scale(x):\n    return np.asarray(x)"}


def make(root: Path, policy: str = POLICY, roster: str = ROSTER) -> Course:
    """The course, without submissions."""
    (root / "grader_config").mkdir(parents=True)
    (root / "grader_config" / "course.toml").write_text(policy)
    (root / "grader_config" / "roster.csv").write_text(roster)
    source = root / "source" / "small" / "small.py"
    source.parent.mkdir(parents=True)
    source.write_text(SOURCE)
    return config.load(root)


def small(here: Course) -> Assignment:
    """Its assignment."""
    return load(here.source("small") / "small.py")


def hand_in(
    here: Course,
    student: str,
    answers: dict[str, str],
    when: str | None = None,
    attempt: int | None = None,
) -> Path:
    """Put a notebook into submitted/, with nbgrader's file of the time at which it came."""
    folder = here.submitted / student / "small"
    folder = folder if attempt is None else folder / f"attempt-{attempt}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "small.ipynb").write_bytes(Notebook(small(here), answers).bytes())
    if when:
        (folder / "timestamp.txt").write_text(f"{when}\n")
    return folder
