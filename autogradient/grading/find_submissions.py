"""Files and folders → what there is to grade."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path

from autogradient import errors
from autogradient.course import times
from autogradient.errors import SubmissionError
from autogradient.grading import messages
from autogradient.grading.archives import Budget, LeftOut, Piece, Refused
from autogradient.grading.file_kinds import NOTEBOOK, is_ignored, kind
from autogradient.grading.read_notebook import (
    Notebook,
    file_reader,
    inside,
    read_file,
    read_files,
    read_notebook,
)
from autogradient.model.assignment import Assignment

#: nbgrader's file with the time of receipt.
TIMESTAMP = "timestamp.txt"
#: In submitted/: all that the last collection left out, where that was too much to be said.
LEFT_OUT_FILE = "left-out.txt"
_HEAD, _UNPACKED = 512, ("zip", "gzip", "bzip2", "xz", "tar")
_ATTEMPT = re.compile(r"attempt-[1-9]\d{0,8}")


@dataclass(frozen=True)
class Item:
    """One submission to grade: whose, of which assignment, which file, and what is to be said about
    the choice.

    With `again` it is graded even where the result on disk is still good. `attempt` is the number
    of its folder `attempt-N`, None where there is but one submission; `received_at` is when it
    came, if that is known.
    """

    assignment: Assignment
    path: Path
    students: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    again: bool = False
    attempt: int | None = None
    received_at: str | None = None


def find_notebooks(path: Path) -> list[Path]:
    """The notebooks in a file or folder, checkpoints and hidden folders left out. Raises
    SubmissionError where there are none.

    Where no file is called a notebook, those count that are one under another name or lie in an
    archive; the path of such a one leads through the archive.
    """
    if path.is_file():
        if (
            path.suffix.lower() == NOTEBOOK
            and kind(file_reader(path)(_HEAD) if not path.is_symlink() else b"") not in _UNPACKED
        ):
            return [path]
        return [path.parent / each.path for each in inside(path) if isinstance(each, Piece)] or [
            path
        ]
    files = list(_files(path))
    home = path.resolve()
    found = sorted(p for p in files if p.suffix.lower() == NOTEBOOK and p.is_file())
    # no links to other people's work, no pipes
    found = [p for p in found if not p.is_symlink() or p.resolve().is_relative_to(home)]
    if not found or any(
        kind(file_reader(p)(_HEAD)) in _UNPACKED for p in found if not p.is_symlink()
    ):
        found = [p.parent / each.path for p, each in _looked_into(files) if isinstance(each, Piece)]
    if not found:
        raise SubmissionError(messages.NO_NOTEBOOK.format(name=errors.relative(path)))
    return found


def left_out(folder: Path) -> list[tuple[Path, str]]:
    """The files in a folder without a notebook, and why each is none."""
    return [
        (path.parent / each.path, each.reason)
        for path, each in _looked_into(_files(folder))
        if isinstance(each, LeftOut)
    ]


def _files(folder: Path) -> Iterator[Path]:
    """All files of a folder but hidden ones and those that systems add; links to folders stand as
    they are.
    """
    for place, folders, names in os.walk(folder):
        for name in sorted(names) + [name for name in folders if Path(place, name).is_symlink()]:
            if not is_ignored(name):
                yield Path(place, name)
        folders[:] = sorted(name for name in folders if not name.startswith("."))


def _looked_into(files: Iterable[Path]) -> Iterator[tuple[Path, Piece | LeftOut]]:
    budget = Budget()
    for path in sorted(files, key=lambda path: (NOTEBOOK not in path.name.lower(), path)):
        for each in inside(path, budget):
            yield path, each


def identify(path: Path, assignments: list[Assignment], students: tuple[str, ...] = ()) -> Item:
    """A file as an item: which assignment it belongs to. Raises SubmissionError where that cannot
    be told.
    """
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
    remarks = (
        ()
        if path.stem == assignment.name
        else (messages.RENAMED.format(name=path.name, assignment=assignment.name, how=how),)
    )
    return Item(assignment, path, students, remarks)


def _other(claims: str, assignment: Assignment) -> tuple[str, ...]:
    """The remark that a notebook is graded as something else than it says, if so."""
    return (
        (messages.OTHER_ASSIGNMENT.format(claims=claims, assignment=assignment.name),)
        if claims not in ("", assignment.name)
        else ()
    )


def submissions(
    folder: Path, assignments: list[Assignment], zone: tzinfo | None = None
) -> Iterator[Item]:
    """What lies in a `submitted` folder: one item for each student and assignment, or for each
    attempt; the choice between several notebooks explained.

    What is no notebook is an item, too, where nothing else was handed in. `zone` is the course's,
    by which times of receipt are understood.
    """
    by_name = {assignment.name: assignment for assignment in assignments}
    for name, student in student_folders(folder).items():
        for place in sorted(p for p in student.glob("*") if p.is_dir() and p.name in by_name):
            one_or_more: Sequence[tuple[int | None, Path]] = attempt_folders(place) or [
                (None, place)
            ]
            for number, folder_of_one in one_or_more:
                # a link to somebody else's work
                if not folder_of_one.resolve().is_relative_to(student.resolve()):
                    continue
                try:
                    item = _choose(find_notebooks(folder_of_one), by_name[place.name], name)
                except SubmissionError:
                    files = [
                        path
                        for path in map(_on_disk, (path for path, _ in left_out(folder_of_one)))
                        if path.is_file() and not path.is_symlink()
                    ]
                    if not files:
                        continue
                    item = Item(by_name[place.name], files[0], (name,))
                yield replace(item, attempt=number, received_at=received_at(folder_of_one, zone))


def student_folders(folder: Path) -> dict[str, Path]:
    """The folders of students in `submitted` by their ids; links are not followed. Of two whose
    names are the same text, the one that is written as the roster is.
    """
    found: dict[str, Path] = {}
    places = sorted(
        p
        for p in folder.glob("*")
        if not p.name.startswith(".") and not p.is_symlink() and p.is_dir()
    )
    for path in sorted(
        places, key=lambda path: (path.name != unicodedata.normalize("NFC", path.name), path)
    ):
        found.setdefault(unicodedata.normalize("NFC", path.name), path)
    return dict(sorted(found.items()))


def student_folder(folder: Path, student: str) -> Path:
    """The folder of a student in `submitted`, whichever way a file system writes its name."""
    path = folder / student
    if student.isascii() or path.exists():
        return path
    return next(
        (each for each in folder.glob("*") if unicodedata.normalize("NFC", each.name) == student),
        path,
    )


def attempt_folders(place: Path) -> list[tuple[int, Path]]:
    """The folders `attempt-N` of a submission by their numbers, the first one first; none where
    there is but one submission.
    """
    found = [
        (int(path.name.removeprefix("attempt-")), path)
        for path in place.iterdir()
        if _ATTEMPT.fullmatch(path.name) and path.is_dir()
    ]
    return sorted(found)


def received_at(folder: Path, zone: tzinfo | None = None) -> str | None:
    """When a submission came, by nbgrader's timestamp.txt in its folder (ISO 8601, UTC); None where
    that is not known.
    """
    moment = times.parse(timestamp(folder) or "", zone)
    return moment.isoformat(timespec="seconds") if moment else None


def unread_time(folder: Path, zone: tzinfo | None = None) -> str:
    """A sentence where a folder's timestamp.txt says no time that can be told for certain; "" where
    it does, or where there is none.
    """
    text = timestamp(folder)
    return (
        messages.NO_TIME_READ.format(path=errors.relative(folder / TIMESTAMP), text=text[:60])
        if text and times.parse(text, zone) is None
        else ""
    )


def timestamp(folder: Path) -> str | None:
    """What a folder's timestamp.txt says; None where there is none that can be read."""
    try:
        return times.decoded(file_reader(folder / TIMESTAMP)(times.MAX_BYTES))
    except Refused:
        return None


def _choose(paths: list[Path], assignment: Assignment, student: str) -> Item:
    readable = []
    for path, data in read_files(paths):
        with suppress(SubmissionError):
            readable.append((path, read_notebook(data, path.name).claims))
    ours = (
        [path for path, claims in readable if claims in ("", assignment.name)]
        or [path for path, _ in readable]
        or paths
    )
    chosen, reason = choose(ours, assignment.name)
    remarks = []
    if len(paths) > 1:
        remarks.append(
            messages.TWO_NOTEBOOKS.format(
                names=" and ".join(p.name for p in paths), chosen=chosen.name, reason=reason
            )
        )
    claims = dict(readable).get(chosen, "")
    if chosen.stem != assignment.name:
        how = "its metadata" if claims == assignment.name else "its folder"
        remarks.append(
            messages.RENAMED.format(name=chosen.name, assignment=assignment.name, how=how)
        )
    remarks += _other(claims, assignment)
    return Item(assignment, chosen, (student,), tuple(remarks))


def recognise(
    notebook: Notebook, path: Path, assignments: Sequence[Assignment]
) -> tuple[Assignment, str]:
    """Which assignment a notebook belongs to and how that is known: by its metadata, its cells'
    ids, its file's name, its folder's name.

    Raises SubmissionError where it belongs to none.
    """
    by_name = {assignment.name: assignment for assignment in assignments}
    if notebook.claims in by_name:
        return by_name[notebook.claims], "its metadata"
    claimed = {cell.grade_id.removeprefix("#") for cell in notebook.cells}
    scores = {
        a.name: len(
            claimed & {part_id for part in a.parts for part_id in (part.id, f"{part.id}-answer")}
        )
        for a in assignments
    }
    best = max(scores, key=lambda name: scores[name], default="")
    if best and scores[best] > 0:
        return by_name[best], "the ids of its cells"
    for word, how in ((path.stem, "its file name"), (path.parent.name, "its folder")):
        if name := named(word, by_name):
            return by_name[name], how
    raise SubmissionError(messages.NOT_RECOGNISED.format(name=path.name))


def named(text: str, assignments: Iterable[str]) -> str:
    """The assignment that the name of a file or folder says; "" where it says none."""
    simple = re.sub(r"[\s_]+", "-", text.lower())
    for name in sorted(assignments, key=len, reverse=True):
        if simple == name or re.search(rf"(^|[^a-z0-9]){re.escape(name)}($|[^a-z])", simple):
            return name
    return ""


def choose(paths: Iterable[Path], name: str) -> tuple[Path, str]:
    """Which of several notebooks of one assignment is graded, and the reason: its own name, then
    the most recent change, then the alphabet.
    """
    candidates = sorted(paths)
    exact = [path for path in candidates if path.stem == name]
    if len(exact) == 1:
        return exact[0], "it has the assignment's name"
    newest = max(candidates, key=lambda path: (_changed(path), path.name))
    return newest, "it was changed last"


def _on_disk(path: Path) -> Path:
    """A file, or the archive that a path leads into."""
    return next(
        (each for each in (path, *path.parents) if each.is_symlink() or each.exists()), path
    )


def _changed(path: Path) -> int:
    """When a file, or the archive that a path leads into, was changed last."""
    return _on_disk(path).stat().st_mtime_ns
