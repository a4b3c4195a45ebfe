"""Attacks by somebody who has read the code earn nothing, tell nothing, and end in time; see
`attacks/whitebox.py`.
"""

from __future__ import annotations

import json
import time

import pytest
from attacks.whitebox import ATTACKS, SECRET, Attack, write_assignment
from homework import Notebook

from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.model.assignment import Assignment
from autogradient.model.result import SubmissionInfo
from autogradient.sources.source import load

pytestmark = pytest.mark.timeout(240)
#: What a submission may take beyond its own time: a fork that is waited for, ends of sessions.
OVER_S = 5.0


@pytest.fixture(scope="module")
def whitebox(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """The assignment that is attacked."""
    return load(write_assignment(tmp_path_factory.mktemp("whitebox")))


def submitted(assignment: Assignment, attack: Attack) -> bytes:
    """The attack as a notebook."""
    notebook = Notebook(assignment, attack.answers)
    data = json.loads(notebook.bytes())
    first = next(
        i
        for i, cell in enumerate(data["cells"])
        if cell["metadata"].get("nbgrader", {}).get("solution")
    )
    new = [
        {
            "cell_type": "code",
            "source": text,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for text in (*attack.before, *attack.extra)
    ]
    data["cells"][first:first] = new[: len(attack.before)]
    data["cells"] += new[len(attack.before) :]
    for number, cell in enumerate(data["cells"]):
        cell["id"] = f"cell-{number}"
    return json.dumps(data).encode()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_an_attack_gains_nothing(attack: Attack, whitebox: Assignment, engine: Engine) -> None:
    started = time.monotonic()
    graded = grade_bytes(
        whitebox,
        submitted(whitebox, attack),
        "whitebox.ipynb",
        engine,
        SubmissionInfo(students=["eve"]),
    )
    spent = time.monotonic() - started
    result = graded.result
    assert result.sealed and result.outcome == "graded", graded.staff
    lost = {
        case.name: case.message
        for part in result.parts
        if part.attempted
        for case in part.cases
        if case.outcome != "passed"
    }
    assert attack.least <= float(result.points.earned) <= attack.most, (attack.description, lost)
    assert SECRET not in result.to_json() and SECRET not in json.dumps(graded.notebook)
    assert spent < whitebox.limits.submission_s + OVER_S
    replayed = [
        case
        for part in result.parts
        for case in part.cases
        if result.replayed and case.seconds is not None
    ]
    assert attack.promise != "P4" or not [case for case in replayed if case.name in ("one", "two")]
