"""A proof file without proving, for tests of what comes after: it says of the source as it stands that it was proved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autogradient.model.assignment import Assignment
from autogradient.proving.proofs import proof_path
from autogradient.proving.prove import Proof
from autogradient.sources.formats import load_assignment


def prove_cheaply(assignment: Assignment | Path, *, seed: int = 0, **changes: Any) -> Path:
    """Write the proof of an assignment (or of the one in a folder) that nobody has looked for; `changes` are of the file's keys, None leaves one out."""
    given = load_assignment(assignment, seed=seed) if isinstance(assignment, Path) else assignment
    said = {"digest": given.digest, **Proof(given.name, given.digest).to_dict()} | changes
    path = proof_path(given)
    path.write_text(json.dumps({key: value for key, value in said.items() if value is not None}, indent=1) + "\n")
    return path
