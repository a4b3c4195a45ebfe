"""submitted/STUDENT/ASSIGNMENT/attempt-N/: what was handed in, when it was received and where it
came from. Attempts are added, never changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from autogradient.course.config import checked_student
from autogradient.course.policy import Policy
from autogradient.grading.find_submissions import student_folder
from autogradient.model.files import digest

#: How nbgrader writes a time of receipt.
NBGRADER_TIME = "%Y-%m-%d %H:%M:%S.%f %Z"
RECEIPT, TIMESTAMP = "receipt.json", "timestamp.txt"
#: Records of a time that are the same whenever they are read.
DATED = ("its name", TIMESTAMP)
NO_POLICY = Policy()
_ATTEMPT = re.compile(r"attempt-([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class Receipt:
    """Where an attempt came from. `received_by` says whose record the time is; `received` is None
    where nobody knows.
    """

    received: datetime | None
    received_by: str
    source: str
    file: str
    recognised: str
    digest: str
    repository: str = ""
    commit: str = ""
    branch: str = ""
    pull_request: int = 0
    remarks: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """The receipt as it is kept."""
        return (
            json.dumps(
                {**asdict(self), "received": iso(self.received) if self.received else ""},
                indent=1,
                ensure_ascii=False,
            )
            + "\n"
        )


def iso(when: datetime) -> str:
    """A time as GitHub writes it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def attempts(folder: Path) -> dict[int, dict[str, Any]]:
    """The attempts in submitted/STUDENT/ASSIGNMENT/: number → receipt ({} where it has none that
    can be read).
    """
    found: dict[int, dict[str, Any]] = {}
    for path in folder.glob("attempt-*"):
        match = _ATTEMPT.fullmatch(path.name)
        if match and path.is_dir():
            try:
                receipt = json.loads((path / RECEIPT).read_text(encoding="utf-8"))
            except (OSError, ValueError):
                receipt = {}
            found[int(match[1])] = receipt if isinstance(receipt, dict) else {}
    return dict(sorted(found.items()))


def is_new(folder: Path, receipt: Receipt, policy: Policy) -> bool:
    """Whether there is no attempt yet of this commit, nor the one before is of the same notebook.

    Before is what was received before by GitHub's record, where it is of a push: how things stood
    at a deadline may be collected after what came later. One that was too many of its day does not
    keep the same notebook from being handed in on the next.
    """
    known = attempts(folder)
    same = [old for old in known.values() if old.get("digest") == receipt.digest]
    if receipt.received is None:  # of a notebook that is there, this says nothing new
        return not same
    dated = bool(receipt.commit) or receipt.received_by in DATED
    if dated:  # by the time of receipt, not by number
        known = dict(sorted(known.items(), key=lambda pair: str(pair[1].get("received", ""))))
    earlier = [
        old
        for old in known.values()
        if not dated or "" < str(old.get("received", "")) <= iso(receipt.received)
    ]
    if (
        earlier
        and earlier[-1].get("digest") == receipt.digest
        and not _over_by_now(earlier, receipt.received, policy)
    ):
        return False
    return not any(
        old.get("commit") == receipt.commit
        and (receipt.commit or old.get("received") == iso(receipt.received))
        for old in same
    )


def _over_by_now(earlier: list[dict[str, Any]], now: datetime, policy: Policy) -> bool:
    """Whether the last of some attempts was too many of a day that has ended."""
    try:
        moments = [datetime.fromisoformat(str(old.get("received", ""))) for old in earlier]
        return policy.too_many(moments)[-1] and policy.day_after(moments[-1]) <= now
    except (ValueError, TypeError):  # of some nobody knows when they came
        return False


def add(
    submitted: Path,
    student: str,
    assignment: str,
    data: bytes,
    receipt: Receipt,
    policy: Policy = NO_POLICY,
) -> Path | None:
    """Write the next attempt, whole or not at all. Returns its folder, or None where nothing has
    changed.
    """
    assert receipt.digest == digest(data)
    folder = student_folder(submitted, checked_student(student)) / assignment
    if not is_new(folder, receipt, policy):
        return None
    target = folder / f"attempt-{max(attempts(folder), default=0) + 1}"
    files = {f"{assignment}.ipynb": data, RECEIPT: receipt.to_json().encode()}
    if receipt.received is not None:
        files[TIMESTAMP] = (
            receipt.received.astimezone(UTC).strftime(NBGRADER_TIME) + "\n"
        ).encode()
    place(target, files)
    if receipt.received is not None:
        # Where several notebooks lie side by side the one that was changed last is graded: for us,
        # the one that was received last.
        os.utime(
            target / f"{assignment}.ipynb",
            (receipt.received.timestamp(), receipt.received.timestamp()),
        )
    return target


def place(target: Path, files: Mapping[str, bytes]) -> None:
    """Write the folder of an attempt, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for name, data in files.items():
            (temporary / name).write_bytes(data)
        os.chmod(temporary, 0o755)
        temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
