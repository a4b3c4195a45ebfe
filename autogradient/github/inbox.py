"""submitted/STUDENT/ASSIGNMENT/attempt-N/: what was handed in, when it was received and where it came from. Attempts are added, never changed."""

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

from autogradient.course import checked_student
from autogradient.result import digest

#: How nbgrader writes a time of receipt.
NBGRADER_TIME = "%Y-%m-%d %H:%M:%S.%f %Z"
RECEIPT, TIMESTAMP = "receipt.json", "timestamp.txt"
_ATTEMPT = re.compile(r"attempt-([1-9][0-9]{0,8})")


@dataclass(frozen=True)
class Receipt:
    """Where an attempt came from. `received_by` says whose record the time is."""

    received: datetime
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
        return json.dumps({**asdict(self), "received": iso(self.received)}, indent=1, ensure_ascii=False) + "\n"


def iso(when: datetime) -> str:
    """A time as GitHub writes it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def attempts(folder: Path) -> dict[int, dict[str, Any]]:
    """The attempts in submitted/STUDENT/ASSIGNMENT/: number → receipt ({} where it has none that can be read)."""
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


def is_new(folder: Path, receipt: Receipt) -> bool:
    """Whether there is no attempt yet of this commit, nor the one before is of the same notebook.

    Before is what was received before by GitHub's record, where it is of a push: how things stood at a deadline may be collected after what came later.
    """
    known = attempts(folder)
    earlier = {number: old for number, old in known.items() if not receipt.commit or str(old.get("received", "")) <= iso(receipt.received)}
    last = earlier[max(earlier, key=lambda number: (str(earlier[number].get("received", "")) if receipt.commit else "", number))] if earlier else {}
    if last.get("digest") == receipt.digest:
        return False
    same = [old for old in known.values() if old.get("digest") == receipt.digest]
    return not any(old.get("commit") == receipt.commit and (receipt.commit or old.get("received") == iso(receipt.received)) for old in same)


def add(submitted: Path, student: str, assignment: str, data: bytes, receipt: Receipt) -> Path | None:
    """Write the next attempt, whole or not at all. Returns its folder, or None where nothing has changed."""
    assert receipt.digest == digest(data)
    folder = submitted / checked_student(student) / assignment
    if not is_new(folder, receipt):
        return None
    target = folder / f"attempt-{max(attempts(folder), default=0) + 1}"
    timestamp = receipt.received.astimezone(UTC).strftime(NBGRADER_TIME) + "\n"
    place(target, {f"{assignment}.ipynb": data, TIMESTAMP: timestamp.encode(), RECEIPT: receipt.to_json().encode()})
    # Where several notebooks lie side by side the one that was changed last is graded: for us, the one that was received last.
    os.utime(target / f"{assignment}.ipynb", (receipt.received.timestamp(), receipt.received.timestamp()))
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
