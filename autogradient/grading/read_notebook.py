"""Untrusted bytes → Notebook, within bounds."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autogradient import errors
from autogradient.errors import SubmissionError
from autogradient.grading import archives, messages
from autogradient.grading.archives import MAX_MB, Budget, LeftOut, Piece
from autogradient.grading.file_kinds import NOTEBOOK, is_web_page, kind
from autogradient.model.files import digest

# an empty list takes eighty times as much memory as room in the file
MAX_CELLS, MAX_BRACKETS = 3000, 1_000_000
#: Commas and quotation marks (each text and each number takes some sixty bytes of memory);
#: characters of code; levels.
MAX_PIECES, MAX_CODE, MAX_DEPTH = 5_000_000, 3_000_000, 100
#: Characters of code that are looked into as Python, of a cell and of all: Python's parser keeps
#: every other submission waiting, and takes a second for 100,000 characters such as `a<a`.
MAX_CELL_READ, MAX_READ = 60_000, 200_000
#: Characters of an id, a cell's type or an assignment's name: no release has longer ones.
MAX_NAME = 200
_KINDS = {
    "PDF": "a PDF",
    "office": "an office document",
    "RAR": "a RAR archive",
    "7z": "a 7z archive",
}
CONFLICT = re.compile(r"^(<{7}|={7}|>{7})( |$)", re.MULTILINE)


@dataclass
class StudentCell:
    """A cell of the submitted notebook: 0-based `index`, `kind` (code, markdown or raw), text and
    the id it claims ("" if none). Code is not `looked_into` where there is too much of it.
    """

    index: int
    kind: str
    source: str
    grade_id: str = ""
    looked_into: bool = True

    @property
    def number(self) -> int:
        """1-based, as people count."""
        return self.index + 1


@dataclass
class Notebook:
    """A submitted notebook within bounds: its cells, its raw data (nbformat 4) and the assignment
    it says it is.
    """

    cells: list[StudentCell]
    data: dict[str, Any]
    claims: str = ""
    digest: str = ""


def read_file(path: Path) -> bytes:
    """A submitted file, or the one in an archive that a path leads into. Raises SubmissionError
    where it cannot be read or is larger than anything that would be.
    """
    archive = next((folder for folder in path.parents if folder.is_file()), None)
    if archive is not None:
        inner = path.relative_to(archive.parent)
        for each in inside(archive):
            if Path(each.path) == inner and isinstance(each, Piece):
                return each.data
        raise SubmissionError(
            messages.CANNOT_READ.format(name=path.name, problem="it is not in its archive any more")
        )
    if not path.name.lower().endswith(NOTEBOOK) and path.is_file():
        found = list(inside(path))
        whole = next(
            (each.data for each in found if isinstance(each, Piece) and each.path == path.name),
            None,
        )
        if whole is None:
            reason = next(
                (each.reason for each in found if isinstance(each, LeftOut)),
                messages.LEFT_NO_NOTEBOOK,
            )
            raise SubmissionError(messages.LEFT_OUT.format(path=path.name, reason=reason))
        return whole
    try:
        size = path.stat().st_size
        if size > MAX_MB * 1_000_000:
            raise SubmissionError(
                messages.TOO_LARGE.format(name=path.name, size=size / 1e6, limit=MAX_MB)
            )
        return path.read_bytes()
    except OSError as error:
        raise SubmissionError(
            messages.CANNOT_READ.format(name=path.name, problem=error.strerror)
        ) from None


def read_files(paths: Iterable[Path]) -> Iterator[tuple[Path, bytes]]:
    """Those of several files that can be read, as of `read_file`; an archive is gone through once,
    however many of them lie in it.
    """
    wanted: dict[Path, set[Path]] = {}
    for path in paths:
        archive = next((folder for folder in path.parents if folder.is_file()), None)
        if archive is not None:
            wanted.setdefault(archive, set()).add(path)
            continue
        with suppress(SubmissionError):
            yield path, read_file(path)
    for archive, inner in wanted.items():
        for each in inside(archive):
            path = archive.parent / each.path
            if isinstance(each, Piece) and path in inner:
                yield path, each.data


def inside(path: Path, budget: Budget | None = None) -> Iterator[Piece | LeftOut]:
    """The notebooks that a file is or holds, by paths that begin with its name, and what else is in
    it.
    """
    yield from archives.notebooks(path.name, file_reader(path), budget or Budget())


def file_reader(path: Path) -> archives.Reader:
    """A reader of an ordinary file; links are not followed, and nothing is waited for."""

    def read(limit: int) -> bytes:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise archives.Refused(
                messages.LEFT_LINK if path.is_symlink() else str(error.strerror)
            ) from None
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise archives.Refused(messages.LEFT_NO_FILE)
        with os.fdopen(handle, "rb") as file:
            return file.read(limit)

    return read


def read_notebook(data: bytes, name: str) -> Notebook:
    """A submitted file as a notebook. Raises SubmissionError with a sentence for the student where
    it is none.
    """
    if len(data) > MAX_MB * 1_000_000:
        raise SubmissionError(
            messages.TOO_LARGE.format(name=name, size=len(data) / 1e6, limit=MAX_MB)
        )
    if (what := kind(data[:8192])) in _KINDS:
        raise SubmissionError(messages.NOT_A_NOTEBOOK.format(name=name, what=_KINDS[what]))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SubmissionError(
            errors.UNREADABLE_NOTEBOOK.format(
                name=name, problem=f"not UTF-8 text at byte {error.start}"
            )
        ) from None
    if not text.strip():
        raise SubmissionError(messages.EMPTY_FILE.format(name=name))
    if other := _what_else(text.lstrip()[:200]):
        raise SubmissionError(other.format(name=name))
    for marks, limit in (("[{", MAX_BRACKETS), (',"', MAX_PIECES)):
        if sum(map(text.count, marks)) > limit:
            raise SubmissionError(messages.TOO_MUCH_IN_IT.format(name=name, limit=limit))
    try:
        notebook = json.loads(text)
        if "\\ud" in text.lower():  # half a character, which no file or message can hold
            notebook = json.loads(
                json.dumps(notebook, ensure_ascii=False).encode("utf-8", "replace")
            )
        _measure(notebook)
    except (ValueError, RecursionError) as error:
        conflict = CONFLICT.search(text)
        if conflict:
            line = text.count("\n", 0, conflict.start()) + 1
            raise SubmissionError(messages.MERGE_CONFLICT.format(name=name, line=line)) from None
        raise SubmissionError(
            messages.UNREADABLE_JSON.format(name=name, line=getattr(error, "lineno", 1))
        ) from None
    return _notebook(notebook, data, name)


def _what_else(beginning: str) -> str | None:
    """What a text is that stands in a notebook's place, by its first words; None where that may be
    a notebook.
    """
    if beginning.startswith("version https://git-lfs.github.com/spec/"):
        return messages.LFS_POINTER
    if is_web_page(beginning.encode("utf-8", "replace")):
        return messages.WEB_PAGE
    return None


def _measure(notebook: Any) -> None:
    """Raise RecursionError where it is nested too deep for what is done with it later."""
    level, depth = [notebook], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise RecursionError
        inner = [
            child
            for thing in level
            for child in (
                thing.values()
                if isinstance(thing, dict)
                else thing
                if isinstance(thing, list)
                else ()
            )
        ]
        level = [child for child in inner if isinstance(child, (dict, list))]


def _notebook(notebook: Any, data: bytes, name: str) -> Notebook:
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat", 4), int):
        raise SubmissionError(
            errors.UNREADABLE_NOTEBOOK.format(name=name, problem="no notebook in it")
        )
    if notebook.get("nbformat", 4) < 4:
        try:
            import nbformat

            notebook = nbformat.convert(nbformat.from_dict(notebook), 4)
        except Exception as error:
            raise SubmissionError(
                errors.UNREADABLE_NOTEBOOK.format(
                    name=name, problem=f"old format, {str(error)[:MAX_NAME]}"
                )
            ) from None
    raw = notebook.get("cells")
    if not isinstance(raw, list):
        raise SubmissionError(
            errors.UNREADABLE_NOTEBOOK.format(name=name, problem="it has no list of cells")
        )
    if len(raw) > MAX_CELLS:
        raise SubmissionError(
            messages.TOO_MANY_CELLS.format(name=name, count=len(raw), limit=MAX_CELLS)
        )
    cells = []
    for index, cell in enumerate(raw):
        if not isinstance(cell, dict):
            raise SubmissionError(
                errors.UNREADABLE_NOTEBOOK.format(name=name, problem=f"cell {index + 1} is no cell")
            )
        source = cell.get("source", "")
        source = "".join(map(str, source)) if isinstance(source, list) else str(source)
        meta = cell.get("metadata") if isinstance(cell.get("metadata"), dict) else {}
        nbgrader = meta.get("nbgrader") if meta and isinstance(meta.get("nbgrader"), dict) else {}
        grade_id = str(nbgrader.get("grade_id", "")) if nbgrader else ""
        kind, own_id = (
            str(cell.get("cell_type", "code"))[:MAX_NAME],
            (grade_id or f"#{cell.get('id', '')}")[:MAX_NAME],
        )
        cells.append(StudentCell(index, kind, source, own_id))
    if sum(len(cell.source) for cell in cells if cell.kind == "code") > MAX_CODE:
        raise SubmissionError(messages.TOO_MUCH_CODE.format(name=name, limit=MAX_CODE))
    _choose(cells)
    meta = notebook.get("metadata") if isinstance(notebook.get("metadata"), dict) else {}
    ours = meta.get("autogradient") if meta and isinstance(meta.get("autogradient"), dict) else {}
    return Notebook(
        cells, notebook, str(ours.get("assignment", ""))[:MAX_NAME] if ours else "", digest(data)
    )


def _choose(cells: list[StudentCell]) -> None:
    """Note which cells of code are looked into: the smaller ones first, since a large one holds
    data, as a rule, and no answer.
    """
    left = MAX_READ
    for cell in sorted(cells, key=lambda cell: len(cell.source)):
        if cell.kind == "code":
            left -= len(cell.source)
            cell.looked_into = left >= 0 and len(cell.source) <= MAX_CELL_READ
