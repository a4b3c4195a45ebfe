"""The ledger: an append-only file of human decisions, one JSON object a line.

Results say what the grader found, the ledger what people decided; marks are made from both. Nothing
in it is ever changed or removed: a later entry stands for an earlier one. Points are exact
decimals, written as strings.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import json
import os
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from autogradient import errors, visible
from autogradient.errors import LedgerError
from autogradient.model.result import NO_VERDICT, CaseResult, PartResult, Result, add_up

#: The `reason` of a case on which a person has spoken: its points or its message come from the
#: ledger.
BY_HAND = "hand"
#: What the name of the ledger is followed by in that of the file which keeps unfinished lines.
TORN = ".torn"


class _Entry(BaseModel):
    """What every decision says: for whom, and who decided it, when and why. `student` is "" where
    it holds for everybody.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    student: str = ""
    assignment: str
    who: str
    when: AwareDatetime = Field(default_factory=lambda: datetime.now(UTC))
    why: str = ""

    @field_validator("student", mode="after", check_fields=False)
    @classmethod
    def _composed(cls, student: str) -> str:
        """The same id, however a keyboard or a file system writes its letters."""
        return unicodedata.normalize("NFC", student)


class Mark(_Entry):
    """A hand mark: points that stand instead of the automatic ones, extra points on top, a comment;
    all None takes a mark back.

    `part` is a part's id or the grade_id of one of its cells (`<part>`, `<part>-hidden`,
    `<part>-answer`). `items` are the points by rubric item.
    """

    kind: Literal["mark"] = "mark"
    student: str
    part: str
    points: Decimal | None = None
    extra: Decimal | None = None
    comment: str | None = None
    items: dict[str, Decimal] = Field(default_factory=dict)


class Adjustment(_Entry):
    """Points added to (or, negative, taken from) a part, or from the whole where `part` is ""."""

    kind: Literal["adjustment"] = "adjustment"
    part: str = ""
    points: Decimal


class Void(_Entry):
    """A part that shall not count as it was graded: everybody gets full credit, or it is dropped;
    "undo" takes that back.
    """

    kind: Literal["void"] = "void"
    part: str
    mode: Literal["full", "drop", "undo"]


class Excuse(_Entry):
    """A student who need not hand in an assignment; with `undo`, who has to after all."""

    kind: Literal["excuse"] = "excuse"
    student: str
    undo: bool = False


class Extension(_Entry):
    """A student who may hand in later; None takes that back."""

    kind: Literal["extension"] = "extension"
    student: str
    until: AwareDatetime | None = None


Entry = Annotated[Mark | Adjustment | Void | Excuse | Extension, Field(discriminator="kind")]
_ENTRY: TypeAdapter[Mark | Adjustment | Void | Excuse | Extension] = TypeAdapter(Entry)


def append(path: Path, *entries: Mark | Adjustment | Void | Excuse | Extension) -> None:
    """Write entries at the end of the ledger, all in one piece and on the disk before this returns.
    Raises LedgerError.

    A line that an earlier crash left unfinished was never acknowledged to anybody: it is moved into
    a file beside the ledger (`TORN`) first. What cannot be written whole is not written at all.
    """
    if not entries:
        return
    data = "".join(entry.model_dump_json(exclude_none=True) + "\n" for entry in entries).encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            tail = _unfinished(handle, size)
            if tail and _is_json(tail):
                data = b"\n" + data
            elif tail:
                with path.with_name(path.name + TORN).open("ab") as file:
                    file.write(tail + b"\n")
                size -= len(tail)
                os.ftruncate(handle, size)
            try:
                while data:
                    data = data[os.write(handle, data) :]
                os.fsync(handle)
            except BaseException:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        folder = os.open(path.parent, os.O_RDONLY)  # the name of a new file must reach the disk too
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise LedgerError(
            errors.NO_LEDGER.format(
                file=errors.relative(path), what="written", problem=error.strerror
            )
        ) from error


def read(path: Path) -> list[Mark | Adjustment | Void | Excuse | Extension]:
    """All entries, oldest first; none where there is no file. Raises LedgerError on a damaged line,
    but a torn last line is left out.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LedgerError(
            errors.NO_LEDGER.format(file=errors.relative(path), what="read", problem=error.strerror)
        ) from error
    *lines, tail = data.removeprefix(codecs.BOM_UTF8).split(b"\n")
    if _is_json(tail):
        lines.append(tail)
    entries = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entries.append(_ENTRY.validate_json(line))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            problem = ": ".join([*map(str, first["loc"]), first["msg"]])
            raise LedgerError(
                errors.BAD_LEDGER_LINE.format(
                    file=errors.relative(path), line=number, problem=problem
                )
            ) from error
    return entries


def torn(path: Path) -> str:
    """A sentence where the ledger ends in half a line, which counts for nothing; else ""."""
    with contextlib.suppress(OSError):
        tail = path.read_bytes().rpartition(b"\n")[2].strip()
        if tail and not _is_json(tail):
            return errors.TORN_LEDGER.format(
                file=errors.relative(path), start=visible.line(tail[:60].decode("utf-8", "replace"))
            )
    return ""


def resolved(
    entries: Iterable[Any], assignment: str, former: Mapping[tuple[str, str], str]
) -> list[Any]:
    """Those of some entries that are on an assignment, in their order and by the ids that its parts
    have now.

    `former` says what its parts were called before, here or in another assignment
    (`Assignment.former`): what was decided about them then holds for them now. The entries
    themselves are not changed.
    """
    places: dict[str, dict[str, str]] = {}
    for (place, old), new in former.items():
        places.setdefault(place, {})[old] = new
    found = []
    for entry in entries:
        name = _renamed(getattr(entry, "part", ""), places.get(entry.assignment, {}))
        if name:
            found.append(entry.model_copy(update={"assignment": assignment, "part": name}))
        elif entry.assignment == assignment:
            found.append(entry)
    return found


def as_graded(
    entries: Iterable[Any], result: Result, former: Mapping[tuple[str, str], str]
) -> list[Any]:
    """Entries by the ids that parts have in a result, which may be from before they were given
    others.
    """
    present = {part.id for part in result.parts}
    before = {
        new: old
        for (assignment, old), new in former.items()
        if assignment == result.assignment and old in present and new not in present
    }
    found = []
    for entry in entries:
        name = _renamed(getattr(entry, "part", ""), before)
        found.append(entry.model_copy(update={"part": name}) if name else entry)
    return found


def _renamed(name: str, others: Mapping[str, str]) -> str:
    """What a part, or the cell of one, is called by `others`; "" where that knows nothing of it."""
    stem, _, suffix = name.rpartition("-")
    if suffix in ("hidden", "answer") and name not in others:
        return f"{others[stem]}-{suffix}" if stem in others else ""
    return others.get(name, "")


def marks(entries: Iterable[object], assignment: str, students: Collection[str]) -> dict[str, Mark]:
    """The newest hand mark of each part (or cell) of a submission, the oldest of them first. A
    team's members share their marks.
    """
    found: dict[str, Mark] = {}
    for entry in entries:
        if isinstance(entry, Mark) and entry.assignment == assignment and entry.student in students:
            found.pop(entry.part, None)
            found[entry.part] = entry
    return found


def locate(parts: Iterable[PartResult], name: str) -> tuple[PartResult, list[CaseResult]] | None:
    """The part that a part's id or a cell's grade_id means, and the cases whose points that cell
    carries; None where there is none.

    `<part>` carries the visible cases (all, where none is visible), `<part>-hidden` the hidden
    ones, `<part>-answer` an essay's; that of a code part carries no points, only comments. An id
    that is itself a part's goes before one that is made from a part's.
    """
    by_id = {part.id: part for part in parts}
    if name in by_id:
        part = by_id[name]
        return part, part.cases if part.kind == "essay" else [
            case for case in part.cases if not case.hidden
        ] or part.cases
    stem, _, suffix = name.rpartition("-")
    if stem not in by_id or suffix not in ("hidden", "answer"):
        return None
    part = by_id[stem]
    if suffix == "hidden":
        return part, [case for case in part.cases if case.hidden]
    return part, part.cases if part.kind == "essay" else []


def apply_ledger(result: Result, entries: Iterable[object]) -> Result:
    """A copy of `result` with the hand marks of its students filled in and added up anew. The other
    decisions are applied by `marks`.

    A case marked by hand has the reason "hand" and the comment as its message.
    """
    result = result.model_copy(deep=True)
    for name, mark in marks(entries, result.assignment, result.submission.students).items():
        found = locate(result.parts, name)
        if found is not None:
            _mark(found[0], found[1], mark)
    result.points = add_up(result.questions)
    return result


def _mark(part: PartResult, cases: list[CaseResult], mark: Mark) -> None:
    if cases and mark.points is not None:
        rest = Fraction(mark.points)
        for case in cases:
            last = case is cases[-1]
            case.earned = rest if last else min(rest, case.possible)
            rest -= case.earned
            case.outcome = (
                "passed" if part.kind == "essay" or case.earned >= case.possible else "failed"
            )
            case.reason = BY_HAND
    if cases and mark.extra is not None:
        cases[-1].earned += Fraction(mark.extra)
        if cases[-1].outcome not in NO_VERDICT:
            cases[-1].reason = BY_HAND
    words = ", ".join(f"{name} {points}" for name, points in mark.items.items())
    comment = ". ".join(text for text in (words, mark.comment) if text)
    if comment and part.cases:
        target = (cases or part.cases)[0]
        target.message = f"{target.message} {comment}".strip() if part.kind != "essay" else comment
        if target.outcome not in NO_VERDICT:
            target.reason = BY_HAND


def _unfinished(handle: int, size: int) -> bytes:
    """What stands after the last newline."""
    tail = b""
    while size > len(tail):
        step = min(4096, size - len(tail))
        block = os.pread(handle, step, size - len(tail) - step)
        end = block.rfind(b"\n")
        tail = block[end + 1 :] + tail
        if end >= 0:
            break
    return tail


def _is_json(line: bytes) -> bool:
    with contextlib.suppress(ValueError):
        return isinstance(json.loads(line), dict)
    return False
