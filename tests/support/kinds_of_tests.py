"""The 62 kinds of test that a deep-learning course writes, each with a right answer and wrong ones
that it must catch.

They stand in the notebooks of `tests/wire/crossing`, ordinary sources of the course's format: one
question is one kind. `docs/writing-tests.md` lists them for instructors. `plain` runs them as a
notebook does, tests and answers in one process; the grader runs them sealed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from autogradient.model.assignment import Assignment, Part
from autogradient.sources import source

FOLDER = Path(__file__).parents[1] / "wire" / "crossing"
#: The notebooks in the order of the table.
NOTEBOOKS = (
    "values",
    "gradients",
    "modules",
    "models",
    "training",
    "objects",
    "surroundings",
    "outside",
)
RIGHT = "right"


@dataclass(frozen=True)
class Kind:
    """One kind of test: `answers` maps "right", "wrong 1", "wrong 2" … to the whole text of the
    answer cell.
    """

    id: str
    title: str
    notebook: str
    answers: dict[str, str]
    tests: str
    cases: tuple[str, ...]

    @property
    def needs_probe(self) -> bool:
        """Whether a part of the test runs beside the student's code."""
        return "@probe" in self.tests

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of the wrong answers."""
        return tuple(name for name in self.answers if name != RIGHT)


@cache
def assignment(notebook: str) -> Assignment:
    """One of the notebooks, read."""
    return source.load(FOLDER / f"{notebook}.py", seed=7)


def _kind(notebook: str, part: Part, title: str) -> Kind:
    lines = [
        line
        for line in part.solution.split("\n")
        if line.strip() not in ("### BEGIN SOLUTION", "### END SOLUTION")
    ]
    answers = {RIGHT: "\n".join(lines)} | {
        f"wrong {number}": variant.source for number, variant in enumerate(part.wrong, start=1)
    }
    return Kind(
        part.id, title, notebook, answers, part.tests, tuple(case.name for case in part.cases)
    )


@cache
def kinds() -> tuple[Kind, ...]:
    """All kinds, in order."""
    return tuple(
        _kind(notebook, part, assignment(notebook).headings[part.question])
        for notebook in NOTEBOOKS
        for part in assignment(notebook).parts
    )


@cache
def refused() -> tuple[Kind, ...]:
    """Tests that a plain notebook passes, of the right answer or, where there is one, the wrong
    one, and that cannot cross.
    """
    found = [_kind("refused", part, "") for part in assignment("refused").parts]
    return tuple(
        replace(kind, answers={"given": kind.answers.get("wrong 1", kind.answers[RIGHT])})
        for kind in found
    )


# ---- in a plain notebook -------------------------------------------------------------------------

#: Reads jobs from stdin and runs each as a notebook would: setup, answer and tests are cells, the
#: test functions get the names they ask for.
_NOTEBOOK = """
import inspect, json, os, sys
jobs = json.load(sys.stdin)
answers = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
from IPython.core.interactiveshell import InteractiveShell
import numpy, torch
torch.set_num_threads(1)
shell = InteractiveShell.instance(colors="NoColor")
names, verdicts = shell.user_ns, {}
empty = dict(names)
for name, cells, cases in jobs:
    names.clear()
    names.update(empty)
    torch.set_grad_enabled(True)
    names.update(test_case=lambda **keys: lambda function: function, probe=lambda function: function)
    failed = [f"cell {number}" for number, cell in enumerate(cells) if not shell.run_cell(cell).success]
    for case in cases:
        numpy.random.seed(1)
        torch.manual_seed(1)
        try:
            function = names[case]
            function(**{parameter: names[parameter] for parameter in inspect.signature(function).parameters})
        except BaseException as error:
            failed.append(case)
            print(name, case, f"{type(error).__name__}: {error}"[:300], file=sys.stderr)
    verdicts[name] = failed
os.write(answers, json.dumps(verdicts).encode())
"""  # noqa: E501


def plain(wanted: Iterable[Kind]) -> dict[tuple[str, str], set[str]]:
    """The cases that fail in a plain notebook: (kind, name of the answer) → names of cases. One
    fresh interpreter runs them all.
    """
    jobs = []
    for kind in wanted:
        setup = [cell.source for cell in assignment(kind.notebook).with_role("setup")]
        jobs += [
            (f"{kind.id}/{name}", [*setup, text, kind.tests], kind.cases)
            for name, text in kind.answers.items()
        ]
    command = [sys.executable, "-W", "ignore", "-c", _NOTEBOOK]
    environment = {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "HOME": "/nonexistent",
        "IPYTHONDIR": "/nonexistent",
    }
    done = subprocess.run(
        command,
        input=json.dumps(jobs),
        env=environment,
        capture_output=True,
        text=True,
        timeout=250,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-4000:])
    verdicts = {
        tuple(name.split("/")): set(failed) for name, failed in json.loads(done.stdout).items()
    }
    return {(kind, answer): failed for (kind, answer), failed in verdicts.items()}
