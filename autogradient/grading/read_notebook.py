"""Untrusted bytes → Notebook, within bounds."""

from __future__ import annotations

import itertools
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
#: Characters of text cells, pasted pictures among them: an essay is copied some times.
MAX_TEXT = 20_000_000
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
_CONFLICT_IN_FILE = re.compile(rb"^(<{7}|={7}|>{7})( |\r?$)", re.MULTILINE)
_WIDE = re.compile(rb"(?<!\\)[\xf0-\xf4][\x80-\xbf]{3}")
_ESCAPED_HALF, _HALF = re.compile(rb"\\u[dD]"), re.compile("[\ud800-\udfff]")


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
    _look(data, name)
    try:
        # an emoji makes a text of four bytes a character, so there is but one copy of it, here
        notebook = json.loads(_text(data, name))
        if _ESCAPED_HALF.search(data):
            notebook = _whole_characters(notebook)
        _measure(notebook)
    except (ValueError, RecursionError) as error:
        if conflict := _CONFLICT_IN_FILE.search(data):
            line = data.count(b"\n", 0, conflict.start()) + 1
            raise SubmissionError(messages.MERGE_CONFLICT.format(name=name, line=line)) from None
        raise SubmissionError(
            messages.UNREADABLE_JSON.format(name=name, line=getattr(error, "lineno", 1))
        ) from None
    return _notebook(notebook, data, name)


def _look(data: bytes, name: str) -> None:
    """Raise SubmissionError where bytes are no notebook, or more than is read of one; without a
    copy of them.
    """
    beginning = data[:8192].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not beginning and not data.strip():
        raise SubmissionError(messages.EMPTY_FILE.format(name=name))
    if other := _what_else(beginning[:200]):
        raise SubmissionError(other.format(name=name))
    for marks, limit in ((b"[{", MAX_BRACKETS), (b',"', MAX_PIECES)):
        if sum(map(data.count, marks)) > limit:
            raise SubmissionError(messages.TOO_MUCH_IN_IT.format(name=name, limit=limit))


def _text(data: bytes, name: str) -> str:
    """A file as text. A single emoji makes four bytes of each of its characters, so a few of them
    are written as JSON's escapes first: then only the cells are wide in which they stand.
    """
    few = sum(map(data.count, (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4"))) * 16 < len(data)
    try:
        return (_WIDE.sub(_escaped, data) if few else data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start
        for wide in _WIDE.finditer(data) if few else ():
            if wide.start() >= start:
                break
            start -= len(_escaped(wide)) - 4
        raise SubmissionError(
            errors.UNREADABLE_NOTEBOOK.format(name=name, problem=f"not UTF-8 text at byte {start}")
        ) from None


def _escaped(wide: re.Match[bytes]) -> bytes:
    try:
        return json.dumps(wide[0].decode())[1:-1].encode()
    except UnicodeDecodeError:  # said with its place in the file
        return wide[0]


def _whole_characters(thing: Any) -> Any:
    """The same with `?` for half a character, which no file or message can hold: only texts that
    have one are copied.
    """
    if isinstance(thing, str):
        return _HALF.sub("?", thing) if _HALF.search(thing) else thing
    if isinstance(thing, list):
        for index, each in enumerate(thing):
            thing[index] = _whole_characters(each)
    elif isinstance(thing, dict):
        for key in [key for key in thing if _HALF.search(key)]:
            thing[_HALF.sub("?", key)] = thing.pop(key)
        for key, each in thing.items():
            thing[key] = _whole_characters(each)
    return thing


def _what_else(beginning: bytes) -> str | None:
    """What a text is that stands in a notebook's place, by its first words; None where that may be
    a notebook.
    """
    if beginning.startswith(b"version https://git-lfs.github.com/spec/"):
        return messages.LFS_POINTER
    if is_web_page(beginning):
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


def _old_cells(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    """A notebook of an older format with what is read of its cells, if they are not too many: to
    convert and to validate one takes longer than to read it. Outputs are made anew.
    """
    sheets = notebook.get("worksheets", [notebook])
    lists = [
        sheet["cells"]
        for sheet in (sheets if isinstance(sheets, list) else ())
        if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
    ]
    _count(max(sum(map(len, lists)), len(lists)), name)
    for cell in itertools.chain.from_iterable(lists):
        if isinstance(cell, dict) and "outputs" in cell:
            cell["outputs"] = []
    return notebook


def _count(cells: int, name: str) -> None:
    if cells > MAX_CELLS:
        raise SubmissionError(
            messages.TOO_MANY_CELLS.format(name=name, count=cells, limit=MAX_CELLS)
        )


def _notebook(notebook: Any, data: bytes, name: str) -> Notebook:
    if not isinstance(notebook, dict) or not isinstance(notebook.get("nbformat", 4), int):
        raise SubmissionError(
            errors.UNREADABLE_NOTEBOOK.format(name=name, problem="no notebook in it")
        )
    if notebook.get("nbformat", 4) < 4:
        notebook = _old_cells(notebook, name)
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
    _count(len(raw), name)
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
    if sum(len(cell.source) for cell in cells if cell.kind != "code") > MAX_TEXT:
        raise SubmissionError(messages.TOO_MUCH_TEXT.format(name=name, limit=MAX_TEXT))
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
