"""Proof files without proving, for tests of what comes after: they say of sources as they stand
that these were proved.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autogradient.course import config
from autogradient.model.assignment import Assignment
from autogradient.proving.findings import Proof
from autogradient.proving.proofs import proof_path


def prove_cheaply(assignment: Assignment, **changes: Any) -> Path:
    """Write the proof of an assignment as it would be had everything been found right; `changes`
    are of the file's keys, None leaves one out.
    """
    said = {
        "digest": assignment.digest,
        **Proof(assignment.name, assignment.digest).to_dict(),
    } | changes
    path = proof_path(assignment)
    path.write_text(
        json.dumps({key: value for key, value in said.items() if value is not None}, indent=1)
        + "\n"
    )
    return path


def prove_course(root: Path) -> None:
    """The same for every assignment of a course."""
    here = config.load(root)
    for name in here.names():
        prove_cheaply(here.assignment(name))
