"""Files and folders → what there is to grade."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from autogradient import errors
from autogradient.errors import SubmissionError
from autogradient.grading.read_notebook import Notebook, read_file, read_notebook
from autogradient.model.assignment import Assignment

_ATTEMPT = re.compile(r"attempt-[1-9]\d{0,8}")


@dataclass(frozen=True)
class Item:
    """One submission to grade: whose, of which assignment, which file, and what is to be said about the choice.

    With `again` it is graded even where the result on disk is still good. `attempt` is the number of its folder `attempt-N`, None where
    there is but one submission; `received_at` is when it came, if that is known.
    """

    assignment: Assignment
    path: Path
    students: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    again: bool = False
    attempt: int | None = None
    received_at: str | None = None


def find_notebooks(path: Path) -> list[Path]:
    """The notebooks in a file or folder, checkpoints and hidden folders left out. Raises SubmissionError where there are none."""
    if path.is_file():
        return [path]
    found: list[Path] = []
    for folder, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(folder, name) for name in names if name.endswith(".ipynb") and not name.startswith(".")]
    home = path.resolve()
    found = sorted(p for p in found if p.is_file() and (not p.is_symlink() or p.resolve().is_relative_to(home)))  # no links to other people's work, no pipes
    if not found:
        raise SubmissionError(errors.NO_NOTEBOOK.format(name=errors.relative(path)))
    return found


def identify(path: Path, assignments: list[Assignment], students: tuple[str, ...] = ()) -> Item:
    """A file as an item: which assignment it belongs to. Raises SubmissionError where that cannot be told."""
    try:
        notebook = read_notebook(read_file(path), path.name)
    except SubmissionError:
        by_name = {a.name: a for a in assignments}
        for name in (path.stem, path.parent.name):
            if name in by_name:
                return Item(by_name[name], path, students)
        if len(assignments) == 1:
            return Item(assignments[0], path, students)
        raise
    if len(assignments) == 1:
        return Item(assignments[0], path, students, _other(notebook.claims, assignments[0]))
    assignment, how = recognise(notebook, path, assignments)
    remarks = () if path.stem == assignment.name else (errors.RENAMED.format(name=path.name, assignment=assignment.name, how=how),)
    return Item(assignment, path, students, remarks)


def _other(claims: str, assignment: Assignment) -> tuple[str, ...]:
    """The remark that a notebook is graded as something else than it says, if so."""
    return (errors.OTHER_ASSIGNMENT.format(claims=claims, assignment=assignment.name),) if claims not in ("", assignment.name) else ()


def submissions(folder: Path, assignments: list[Assignment]) -> Iterator[Item]:
    """What lies in a `submitted` folder: one item for each student and assignment, or for each attempt; the choice between several notebooks explained."""
    by_name = {assignment.name: assignment for assignment in assignments}
    for student in sorted(p for p in folder.glob("*") if p.is_dir() and not p.name.startswith(".")):
        for place in sorted(p for p in student.glob("*") if p.is_dir() and p.name in by_name):
            one_or_more: Sequence[tuple[int | None, Path]] = attempt_folders(place) or [(None, place)]
            for number, folder_of_one in one_or_more:
                if not folder_of_one.resolve().is_relative_to(student.resolve()):  # a link to somebody else's work
                    continue
                try:
                    paths = find_notebooks(folder_of_one)
                except SubmissionError:
                    continue
                item = _choose(paths, by_name[place.name], student.name)
                yield replace(item, attempt=number, received_at=received_at(folder_of_one))


def attempt_folders(place: Path) -> list[tuple[int, Path]]:
    """The folders `attempt-N` of a submission by their numbers, the first one first; none where there is but one submission."""
    found = [(int(path.name.removeprefix("attempt-")), path) for path in place.iterdir() if _ATTEMPT.fullmatch(path.name) and path.is_dir()]
    return sorted(found)


def received_at(folder: Path) -> str | None:
    """When a submission came, by nbgrader's timestamp.txt in its folder (ISO 8601, UTC); None where that is not known."""
    path = folder / "timestamp.txt"
    if path.is_symlink() or not path.is_file():
        return None
    from nbgrader.utils import parse_utc

    try:
        with path.open(encoding="utf-8") as file:
            moment: datetime = parse_utc(file.read(200).strip())
    except (ValueError, OverflowError, TypeError, AttributeError, OSError):
        return None
    return moment.replace(tzinfo=UTC).isoformat(timespec="seconds")


def _choose(paths: list[Path], assignment: Assignment, student: str) -> Item:
    readable = []
    for path in paths:
        try:
            notebook = read_notebook(read_file(path), path.name)
            readable.append((path, notebook.claims))
        except SubmissionError:
            continue
    ours = [path for path, claims in readable if claims in ("", assignment.name)] or [path for path, _ in readable] or paths
    chosen, reason = choose(ours, assignment.name)
    remarks = []
    if len(paths) > 1:
        remarks.append(errors.TWO_NOTEBOOKS.format(names=" and ".join(p.name for p in paths), chosen=chosen.name, reason=reason))
    claims = dict(readable).get(chosen, "")
    if chosen.stem != assignment.name:
        how = "its metadata" if claims == assignment.name else "its folder"
        remarks.append(errors.RENAMED.format(name=chosen.name, assignment=assignment.name, how=how))
    remarks += _other(claims, assignment)
    return Item(assignment, chosen, (student,), tuple(remarks))


def recognise(notebook: Notebook, path: Path, assignments: Sequence[Assignment]) -> tuple[Assignment, str]:
    """Which assignment a notebook belongs to and how that is known: by its metadata, its cells' ids, its file's name, its folder's name.

    Raises SubmissionError where it belongs to none.
    """
    by_name = {assignment.name: assignment for assignment in assignments}
    if notebook.claims in by_name:
        return by_name[notebook.claims], "its metadata"
    claimed = {cell.grade_id.removeprefix("#") for cell in notebook.cells}
    scores = {a.name: len(claimed & {part_id for part in a.parts for part_id in (part.id, f"{part.id}-answer")}) for a in assignments}
    best = max(scores, key=lambda name: scores[name], default="")
    if best and scores[best] > 0:
        return by_name[best], "the ids of its cells"
    for word, how in ((path.stem, "its file name"), (path.parent.name, "its folder")):
        simple = re.sub(r"[\s_]+", "-", word.lower())
        for name in sorted(by_name, key=len, reverse=True):
            if simple == name or re.search(rf"(^|[^a-z0-9]){re.escape(name)}($|[^a-z])", simple):
                return by_name[name], how
    raise SubmissionError(errors.NOT_RECOGNISED.format(name=path.name))


def choose(paths: Iterable[Path], name: str) -> tuple[Path, str]:
    """Which of several notebooks of one assignment is graded, and the reason: its own name, then the most recent change, then the alphabet."""
    candidates = sorted(paths)
    exact = [path for path in candidates if path.stem == name]
    if len(exact) == 1:
        return exact[0], "it has the assignment's name"
    newest = max(candidates, key=lambda path: (path.stat().st_mtime_ns, path.name))
    return newest, "it was changed last"
