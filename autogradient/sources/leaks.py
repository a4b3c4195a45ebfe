"""The leak check: search a finished release for lines and literals that stand only in the secret
parts of its source.

It does not trust the stripper. What it searches is every byte students get: cells, metadata,
outputs, attachments, public tests, figures and files.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import io
import json
import re
import tokenize
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autogradient.errors import LeakError
from autogradient.model.assignment import Assignment, Cell, Part
from autogradient.model.testcode import statements, without_magics
from autogradient.sources import messages
from autogradient.sources.public_tests import given_source, test_file
from autogradient.sources.release import Release
from autogradient.sources.solutions import BEGIN, END, SOLUTION_COMMENT

#: Shorter lines and literals mean nothing by themselves: `else:`, `"mean"`, `0.5`.
MIN_LINE, MIN_STRING, MIN_DIGITS = 8, 8, 4


@dataclass(frozen=True)
class Secret:
    """A piece of text that no student may see, and where it stands."""

    text: str
    what: str
    cell: int
    role: str


def squeeze(text: str) -> str:
    """Text as it is searched: every run of white space, comment sign and quote style made one."""
    return re.sub(
        r"[\s#]+", " ", text.replace("'", '"').replace('\\"', '"').replace("\\n", " ")
    ).strip()


def secrets(assignment: Assignment) -> list[Secret]:
    """Lines and literals that stand in secret parts of the source and nowhere in its
    public parts.
    """
    public = squeeze("\n".join(_public(assignment)))
    allowed = {squeeze(text) for text, _ in assignment.allow}
    found: dict[str, Secret] = {}
    for cell in assignment.cells:
        for text, role in _secret_texts(assignment, cell):
            for what, piece in _pieces(text, cell.kind):
                squeezed = squeeze(piece)
                if (
                    squeezed not in allowed
                    and squeezed not in found
                    and not _stands_in(squeezed, public, what)
                ):
                    found[squeezed] = Secret(squeezed, what, cell.number, role)
    return list(found.values())


def find_leaks(assignment: Assignment, release: Release) -> list[str]:
    """One sentence for every secret that stands in the release."""
    out = []
    texts = [
        (file, place, {squeeze(text), squeeze(html.unescape(re.sub(r"<[^>]*>", "", text)))})
        for file, place, text in readable(release)
    ]
    together = "\0".join(view for _, _, views in texts for view in views)
    # hardly ever one
    found = [item for item in secrets(assignment) if _stands_in(item.text, together, item.what)]
    for file, place, views in texts:
        for item in found:
            if any(_stands_in(item.text, view, item.what) for view in views):
                out.append(
                    messages.LEAK_LINE.format(
                        file=file,
                        place=place,
                        what=item.what,
                        cell=item.cell,
                        role=item.role,
                        excerpt=item.text[:60],
                    )
                )
    return out


def check(assignment: Assignment, release: Release) -> None:
    """Raise LeakError where anything secret would reach the student."""
    leaks = find_leaks(assignment, release)
    if leaks:
        raise LeakError(assignment.name, leaks)


def _stands_in(piece: str, text: str, what: str) -> bool:
    if what == "the number":
        return re.search(r"(?<![\w.])" + re.escape(piece) + r"(?![\w.]*\d)", text) is not None
    return piece in text


def _public(assignment: Assignment) -> Iterator[str]:
    yield assignment.title
    for cell in assignment.cells:
        if cell.role in ("text", "question", "setup", "hint", "scratch"):
            yield cell.source
        elif cell.role == "given":
            yield given_source(cell, assignment.seed)
        elif cell.role == "answer" and cell.kind == "code":
            yield "\n".join(line for line, is_secret in _answer_lines(cell.source) if not is_secret)
    for part in assignment.parts:
        yield from part.names
        options = part.declaration.options
        yield from options.values() if isinstance(options, dict) else options
        if not part.by_hand:
            yield from _public_tests(assignment, part)


def _public_tests(assignment: Assignment, part: Part) -> Iterator[str]:
    """The visible cases of a part, and what its public test file holds of the functions around
    them; never a hidden case, whatever stands in the file.
    """
    public = test_file(assignment, part, hidden=False)
    hidden = {case.name for case in part.cases if case.hidden}
    for cell in assignment.with_role("tests", "helpers"):
        if cell.role == "helpers" or cell.target == part.id:
            yield from (
                s.source
                for s in statements(without_magics(cell.source))
                if s.case not in hidden and (s.case or s.source in public)
            )


def _answer_lines(source: str) -> Iterator[tuple[str, bool]]:
    """The lines of a code answer but for markers, each with whether it is the solution's: read here
    once more, not taken from what released the stub.
    """
    inside = False
    for line in source.split("\n"):
        if line.strip() in (BEGIN, END):
            inside = line.strip() == BEGIN
        else:
            yield SOLUTION_COMMENT.sub("", line), inside or bool(SOLUTION_COMMENT.search(line))


def _secret_texts(assignment: Assignment, cell: Cell) -> Iterator[tuple[str, str]]:
    """The texts of a cell that are secret, each with the words for what it is."""
    if cell.role == "answer":
        if cell.kind == "markdown":
            yield cell.source, "an essay's sample answer"
            return
        for line, is_secret in _answer_lines(cell.source):
            if is_secret:
                yield line, "a solution"
        part = next((part for part in assignment.parts if part.id == cell.target), None)
        if part:
            for slip in part.declaration.slips.values():
                yield slip, "a slip's explanation"
    elif cell.role in ("wrong", "right"):
        yield cell.source, f"a {cell.role} answer"
        yield str(cell.keys.get("because", "")), f"why an answer is {cell.role}"
    elif cell.role == "tests":
        yield cell.source, "a hidden test"
    elif cell.role == "helpers":
        yield cell.source, "a helper of the tests"
    elif cell.role == "rubric":
        yield cell.source, "a rubric"
    elif cell.role == "equivalent":
        yield "\n".join(str(value) for value in cell.keys.values()), "a mutant"
    elif cell.role == "staff":
        yield cell.source, "a staff note"


def _pieces(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """Lines long enough to mean something, and string and number literals."""
    for line in text.split("\n"):
        line = line.strip().lstrip("-# ").strip()
        if len(re.sub(r"[^\w]", "", line)) >= MIN_LINE - 2 and len(line) >= MIN_LINE:
            yield "the line", line
    if kind != "code":
        return
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return
    for token in tokens:
        if token.type == tokenize.STRING:
            inner = token.string.strip("rbfuRBFU").strip("\"'")
            if len(inner) >= MIN_STRING and "\n" not in inner:
                yield "the text", inner
        elif (
            token.type == tokenize.NUMBER
            and len(re.sub(r"\D", "", token.string).strip("0")) >= MIN_DIGITS
        ):
            yield "the number", token.string


# ---- what students get, as text ------------------------------------------------------------------


def readable(release: Release) -> Iterator[tuple[str, str, str]]:
    """Every text in a release as (file, place, text): a notebook cell by cell, everything else
    whole.
    """
    for name, data in release.files.items():
        if name.endswith(".ipynb"):
            yield from _notebook_texts(name, data)
        else:
            yield name, "the file", _text_of(data)


def _notebook_texts(name: str, data: bytes) -> Iterator[tuple[str, str, str]]:
    notebook = json.loads(data)
    for number, cell in enumerate(notebook.get("cells", []), start=1):
        yield name, f"cell {number}", _join(cell.get("source", ""))
        for key, place in (
            ("metadata", "the metadata"),
            ("outputs", "an output"),
            ("attachments", "an attachment"),
        ):
            if cell.get(key):
                yield name, f"{place} of cell {number}", "\n".join(_strings(cell[key]))
    yield name, "the notebook's metadata", "\n".join(_strings(notebook.get("metadata", {})))
    rest = {key: value for key, value in notebook.items() if key not in ("cells", "metadata")}
    yield name, "the notebook", "\n".join(_strings(rest))


def _strings(value: Any) -> Iterator[str]:
    """All strings in JSON data, keys included, base64 decoded; lists of lines joined."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        if value and all(isinstance(item, str) for item in value):
            yield _join(value)
        else:
            for item in value:
                yield from _strings(item)
    elif isinstance(value, str):
        yield value
        compact = re.sub(r"\s", "", value)
        if len(compact) >= 16 and re.fullmatch(r"[A-Za-z0-9+/]+=*", compact):
            with contextlib.suppress(binascii.Error, ValueError):
                yield _text_of(base64.b64decode(compact, validate=True))
    elif value is not None:
        yield str(value)


def _join(source: Any) -> str:
    return source if isinstance(source, str) else "".join(map(str, source))


def _text_of(data: bytes) -> str:
    """The text in a file; for a picture its written metadata too, for an archive (such as .npz)
    that of its members.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return "\n".join(
                    [text, *(_text_of(archive.read(name)) for name in archive.namelist())]
                )
        from PIL import Image

        with Image.open(io.BytesIO(data)) as picture:
            picture.load()
            text += "\n" + "\n".join(f"{key} {value}" for key, value in picture.info.items())
    except Exception:  # neither, or damaged: the bytes are searched as they are
        pass
    return text
