"""Proofs on file, beside the sources that they are of: written, asked for, and which of them are
made anew first.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autogradient import errors
from autogradient.errors import ProofError
from autogradient.model.assignment import Assignment
from autogradient.model.environment import environment_digest
from autogradient.model.files import cached, keep_cached, write_atomically

if TYPE_CHECKING:
    from autogradient.proving.findings import Proof


#: The form of a proof's digest, and what a proof has to say; those of earlier versions may have
#: others.
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_FIELDS = {
    "digest",
    "assignment",
    "proved",
    "reference",
    "blank",
    "right",
    "wrong",
    "mutants",
    "hostile",
    "boundary",
    "remarks",
    "not_run",
}


@dataclass(frozen=True)
class Standing:
    """An assignment, and what there is of its proof: `problem` says why there is none that holds;
    `when` it was last seen to hold, here or by its commit.
    """

    assignment: Assignment
    problem: str
    here: bool
    when: datetime | None


@dataclass(frozen=True)
class Worth:
    """What an assignment's proof says of verdicts by its tests: `problem` why nobody should be
    graded by them, or else `note` why they do not count as `proved`.
    """

    proved: bool = False
    problem: str = ""
    note: str = ""


def proof_path(assignment: Assignment) -> Path:
    """Where an assignment's proof is kept: beside its source."""
    return assignment.path.parent / "proof.json"


def read_proof(assignment: Assignment) -> dict[str, Any] | None:
    """The proof file's content, or None where there is none that can be read."""
    try:
        content = json.loads(proof_path(assignment).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_proof(assignment: Assignment, proof: Proof) -> None:
    """Write the proof file, and remember that this machine has seen it hold. A whole proof of the
    same version is not replaced by one that lacks what needs a card.
    """
    old = read_proof(assignment) or {}
    whole = (
        old.get("digest") == proof.digest and old.get("proved") is True and not old.get("not_run")
    )
    if not (whole and proof.proved and proof.not_run):
        write_atomically(
            proof_path(assignment),
            json.dumps({"digest": proof.digest, **proof.to_dict()}, indent=1, ensure_ascii=False)
            + "\n",
        )
    if proof.proved:
        keep_cached(b"", *_marker(assignment))


def worth(assignment: Assignment) -> Worth:
    """What the proof of an assignment is worth when its tests grade students.

    A proof in the form of an earlier version cannot be compared with the tests, one on a machine
    without a card says nothing of the parts that need one, and other formats have none: those are
    no reason not to grade, but not proved either.
    """
    if assignment.format != "autogradient":
        return Worth(
            note=errors.NOTHING_PROVES.format(assignment=assignment.name, format=assignment.format)
        )
    content = read_proof(assignment)
    if (
        content is not None
        and content.get("proved") is True
        and not (_DIGEST.fullmatch(str(content.get("digest"))) and content.keys() >= _FIELDS)
    ):
        return Worth(note=errors.OLDER_PROOF.format(assignment=assignment.name))
    try:
        require_proof(assignment)
    except ProofError as error:
        return Worth(problem=str(error))
    not_run = (content or {}).get("not_run") or []
    return (
        Worth(
            note=errors.PART_PROOF.format(
                assignment=assignment.name, parts=", ".join(map(str, not_run))
            )
        )
        if not_run
        else Worth(proved=True)
    )


def proved(assignments: Iterable[Assignment]) -> dict[str, bool]:
    """Whether the tests of assignments are proved, by their names."""
    return {assignment.name: worth(assignment).proved for assignment in assignments}


def require_proof(assignment: Assignment) -> None:
    """Raise ProofError unless the assignment has a proof of exactly this version that holds."""
    content = read_proof(assignment)
    if content is None:
        raise ProofError(errors.NO_PROOF.format(assignment=assignment.name))
    if content.get("digest") != assignment.digest:
        raise ProofError(errors.OLD_PROOF.format(assignment=assignment.name))
    if content.get("proved") is not True:
        raise ProofError(errors.FAILED_PROOF.format(assignment=assignment.name))


def proved_here(assignment: Assignment) -> bool:
    """Whether this version of the assignment was proved on this machine with this environment, and
    the file says so.
    """
    try:
        require_proof(assignment)
    except ProofError:
        return False
    marker = cached(*_marker(assignment))
    if marker is None or not marker.exists():
        return False
    if not (read_proof(assignment) or {}).get("not_run"):
        return True
    from autogradient.grading.judge import has_gpu

    return not has_gpu()


def standing(assignment: Assignment) -> Standing:
    """What there is of an assignment's proof."""
    problem = ""
    try:
        require_proof(assignment)
    except ProofError as error:
        problem = str(error)
    here = not problem and proved_here(assignment)
    return Standing(assignment, problem, here, None if problem else _when(assignment, here))


def by_need(assignments: Iterable[Assignment]) -> list[Standing]:
    """Those without a proof that holds first, then those that were seen to hold longest ago."""
    return sorted(
        map(standing, assignments),
        key=lambda one: (
            not one.problem,
            one.when or datetime.min.replace(tzinfo=UTC),
            one.assignment.name,
        ),
    )


def as_time_allows(wanted: Iterable[Standing], minutes: float) -> Iterator[Assignment]:
    """Those that have no proof that holds, and of the rest as many as are begun within
    that time.
    """
    end = time.monotonic() + 60 * minutes
    for one in wanted:
        if one.problem or time.monotonic() < end:
            yield one.assignment


def _when(assignment: Assignment, here: bool) -> datetime | None:
    """When this machine last saw a proof hold, or else when it was committed; None where neither is
    known.
    """
    path, marker = proof_path(assignment), cached(*_marker(assignment))
    if here and marker is not None:
        return datetime.fromtimestamp(marker.stat().st_mtime, UTC)
    said = subprocess.run(
        ["git", "log", "-1", "--format=%ct", "--", path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
    )
    return datetime.fromtimestamp(int(said.stdout), UTC) if said.stdout.strip().isdigit() else None


def _marker(assignment: Assignment) -> tuple[str, str]:
    """What stands in the cache for a proof that held on this machine."""
    return "proved", f"{assignment.digest}-{environment_digest()}".replace("sha256:", "")
