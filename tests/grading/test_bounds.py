"""What is handed in costs the grader's own process a bounded amount of work, counted here in
characters, members and copies, whatever is in it.
"""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import json
import lzma
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from homework import ANSWERS, Notebook, assignment
from packed import tarred, zipped

from autogradient.errors import SubmissionError
from autogradient.grading import archives, find_submissions
from autogradient.grading import read_notebook as reading
from autogradient.grading.archives import (
    MAX_BYTES,
    MAX_ENTRIES,
    MAX_INNER_CONTENTS,
    MAX_LEVELS,
    MAX_LOOKED,
    MAX_STREAMS,
    Budget,
    Piece,
)
from autogradient.grading.read_notebook import (
    MAX_CELL_READ,
    MAX_CELLS,
    MAX_READ,
    MAX_TEXT,
    read_notebook,
)
from autogradient.grading.submission import plan_submission
from autogradient.grading.tar_headers import MAX_HEADER
from autogradient.model.assignment import Assignment

pytestmark = pytest.mark.promise("P15")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return assignment(tmp_path_factory.mktemp("bounds"))


def test_only_so_much_code_is_looked_into(
    small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred copies of an answer cell, each of 25 kB, are not parsed one and all; a cell of data
    is left out before the small ones, and what begins a line in it is found nevertheless.
    """
    plan_submission(small, read_notebook(Notebook(small).bytes(), "small.ipynb"))
    nb = Notebook(small)
    at = nb.at("double-answer")
    for number in range(100):
        copy = json.loads(json.dumps(nb.cells[at]))
        copy["source"] = f"double = {number}\n" + "a<a\n" * 6_250
        nb.cells.insert(at, copy)
    data = "values = [" + "1," * (MAX_CELL_READ // 2) + "]\n" + ANSWERS["scale"]
    nb.put("scale-answer", "")
    nb.insert("scale-answer", data)
    parsed: list[int] = []
    inner = ast.parse

    def counted(source: Any, *given: Any, **more: Any) -> Any:
        parsed.append(len(source))
        return inner(source, *given, **more)

    monkeypatch.setattr(ast, "parse", counted)
    planned = plan_submission(small, read_notebook(nb.bytes(), "small.ipynb"))
    # twice: for what a cell does, and for the names that it binds
    assert MAX_READ // 2 < sum(parsed) <= 2 * MAX_READ and max(parsed) <= MAX_CELL_READ
    assert planned.attempted == dict.fromkeys(ANSWERS, True)
    assert planned.answers["scale"] == [nb.at("scale-answer") + 1]
    assert [p.message for p in planned.problems if "looked into" in p.message] == [
        f"the notebook holds more code than is looked into ({MAX_CELL_READ:,} characters of a "
        f"cell, {MAX_READ:,} of all): cells 5, 6, 7, … were run, but only names that begin a "
        "line were looked for in them; keep data in files of its own"
    ]


# ---- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [1, 2, 3])
def test_cells_of_an_old_notebook_are_counted_before_it_is_converted(
    version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many in one sheet or in many; outputs are not validated, for they are made anew."""
    cells = [{"cell_type": "markdown", "source": "a"}] * (MAX_CELLS // 2 + 1)
    sheets: dict[str, Any] = (
        {"cells": cells * 2} if version == 1 else {"worksheets": [{"cells": cells}] * 2}
    )
    converted: list[Any] = []

    def convert(notebook: Any, to: int) -> Any:
        converted.append(notebook)
        return {}

    monkeypatch.setattr(nbformat, "convert", convert)
    shapes: list[dict[str, Any]] = [sheets, {"worksheets": [{"cells": []}] * (MAX_CELLS + 1)}]
    for data in shapes:
        with pytest.raises(SubmissionError, match=f"cells, more than the {MAX_CELLS} that are"):
            read_notebook(json.dumps({"nbformat": version, **data}).encode(), "n.ipynb")
    assert converted == []
    code = {"cell_type": "code", "input": "x", "language": "python", "outputs": [{}] * 9_000}
    sheets = {"worksheets": [{"cells": [code]}], "metadata": {}}
    with pytest.raises(SubmissionError):
        read_notebook(json.dumps({"nbformat": version, **sheets}).encode(), "n.ipynb")
    assert [cell["outputs"] for cell in converted[0]["worksheets"][0]["cells"]] == [[]]


def test_an_emoji_does_not_make_a_whole_file_four_times_as_large() -> None:
    """Half a character does not make it be copied twice more."""
    size = 2_000_000
    emoji, half = "\U0001f600", "\\ud83d"
    text = '{"cell_type": "markdown", "source": "%s"}'
    for source, times in (
        (text % emoji + "," + text % ("a" * size), 5),
        (text % (emoji + half + "a" * size), 13),
    ):
        data = ('{"cells": [' + source + '], "nbformat": 4}').encode()
        tracemalloc.start()
        found = read_notebook(data, "n.ipynb")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found.cells[0].source.startswith(emoji) and peak < times * size
        assert "\ud83d" not in found.cells[0].source


@pytest.mark.parametrize("many", [1, 1000])
def test_emoji_and_half_characters_are_read_as_they_were(many: int) -> None:
    emoji = "\U0001f600" * many
    text = json.dumps({"cells": [{"source": f"{emoji}\\{emoji}\ud83d", "a\udc00": []}]})
    found = read_notebook(
        text.replace("\\ud83d\\ude00", "\U0001f600").encode() + b" " * 17 * many, "n.ipynb"
    )
    assert found.cells[0].source == f"{emoji}\\{emoji}?" and "a?" in found.data["cells"][0]
    broken = text.replace("\\ud83d\\ude00", "\U0001f600").encode() + b" " * 999
    with pytest.raises(SubmissionError, match=rf"at byte {len(broken)}\)"):
        read_notebook(broken + b"\xf0\x80\x80\x80", "n.ipynb")


def test_text_cells_hold_so_much() -> None:
    def of(size: int) -> bytes:
        return json.dumps({"cells": [{"cell_type": "markdown", "source": "a" * size}]}).encode()

    assert len(read_notebook(of(MAX_TEXT), "n.ipynb").cells[0].source) == MAX_TEXT
    with pytest.raises(SubmissionError, match="text cells hold more than 20,000,000 characters"):
        read_notebook(of(MAX_TEXT + 1), "n.ipynb")


# ---- archives ------------------------------------------------------------------------------------

NOTEBOOK = b'{"cells": [], "nbformat": 4}'


def looked_into(name: str, data: bytes) -> list[str]:
    """What a file holds: paths of notebooks, sentences about what is left out."""
    return [
        each.path if isinstance(each, Piece) else each.reason
        for each in archives.notebooks(name, lambda limit: data[:limit], Budget())
    ]


def header(kind: bytes, size: int, name: str = "x") -> bytes:
    """The first block of something in a tar."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


def filled(kind: bytes, body: bytes, name: str = "x") -> bytes:
    """Something in a tar."""
    return header(kind, len(body), name) + body + bytes(-len(body) % 512)


A_FILE = filled(tarfile.REGTYPE, NOTEBOOK, "n.ipynb")
UNREADABLE = (
    "it cannot be read as an archive ({}); unpack it and put the .ipynb file in its place, "
)
TOO_LONG = UNREADABLE.format("a header in it is too long, or damaged") + "or ask for it again"
DAMAGED = UNREADABLE.format("a header in it is damaged") + "or ask for it again"
TOO_MUCH = "what was handed in unpacks to more than 200 MB; hand in the notebook alone"
HOLES = UNREADABLE.format("a file in it is stored with holes") + "or ask for it again"


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (filled(tarfile.XHDTYPE, b"1" * MAX_HEADER), DAMAGED),
        (filled(tarfile.XHDTYPE, b"1" * (MAX_HEADER + 1)), TOO_LONG),
        (filled(tarfile.XHDTYPE, b"2 " * (MAX_HEADER // 4) + b"="), DAMAGED),
        (filled(tarfile.XHDTYPE, b"0 \n"), DAMAGED),
        (filled(tarfile.XHDTYPE, b"22 GNU.sparse.major=1\n"), HOLES),
        (filled(tarfile.XHDTYPE, b"18 size=" + b"9" * 9 + b"\n"), TOO_MUCH),
        (filled(tarfile.XGLTYPE, b"1" * 5_000_000), TOO_LONG),
        (filled(tarfile.SOLARIS_XHDTYPE, b"1" * 5_000_000), TOO_LONG),
        (filled(tarfile.GNUTYPE_LONGNAME, b"1" * 5_000_000), TOO_LONG),
        (header(tarfile.GNUTYPE_LONGLINK, -1), TOO_LONG),
        (header(tarfile.GNUTYPE_SPARSE, 0), HOLES),
        (header(tarfile.REGTYPE, 2**60), TOO_MUCH),
        (header(tarfile.REGTYPE, -512), TOO_LONG),
        (header(b"Z", 2**80), TOO_MUCH),
        (filled(tarfile.XHDTYPE, b"18 path=b/a.ipynb\n"), "w.tgz/b/a.ipynb"),
        (filled(tarfile.XGLTYPE, b"18 comment=a0b1c2\n"), "w.tgz/n.ipynb"),
        (filled(tarfile.XHDTYPE, b"3000 mac=" + b"1" * 2_990 + b"\n"), "w.tgz/n.ipynb"),
        (b"".join(header(tarfile.XHDTYPE, 0) for _ in range(3_000)), "it is damaged"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else None,
)
def test_headers_of_a_tar_are_read_once_and_within_bounds(headers: bytes, found: str) -> None:
    """Whatever the headers before a file say, also behind a file that is in order."""
    for data in (
        headers + A_FILE,
        filled(tarfile.REGTYPE, NOTEBOOK, "first.ipynb") + headers + A_FILE,
    ):
        last = looked_into("w.tgz", gzip.compress(data + bytes(1024)))[-1]
        assert last == found or (found == "it is damaged" and found in last)


def test_names_of_any_length_are_read_in_every_format_of_tar() -> None:
    path = "ü" * 120 + "/" + "b" * 120 + "/n.ipynb"
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz", format=kind) as tar:
            info = tarfile.TarInfo(path)
            info.size, info.mtime = len(NOTEBOOK), 1.5
            tar.addfile(info, io.BytesIO(NOTEBOOK))
        assert looked_into("w.tgz", out.getvalue()) == [f"w.tgz/{path}"]


@pytest.mark.parametrize("pack", [bz2.compress, gzip.compress, lzma.compress])
def test_streams_of_a_compressed_file_are_counted_of_all_that_a_student_hands_in(
    pack: Callable[[bytes], bytes],
) -> None:
    """Four files of a megabyte of empty streams fit in a zip of 8 kB."""
    many = pack(NOTEBOOK) + pack(b"") * (MAX_STREAMS - 1)
    sentence = f"it was compressed in more than {MAX_STREAMS:,} pieces; hand in the notebook itself"
    assert looked_into("n.ipynb.x", many) == ["n.ipynb.x/n.ipynb.x.ipynb"]
    assert looked_into("n.ipynb.x", many + pack(b"")) == [sentence]
    budget, several = Budget(), zipped({f"{n}.ipynb.x": many for n in range(4)})
    found = list(archives.notebooks("w.zip", lambda limit: several[:limit], budget))
    assert [getattr(each, "reason", "") for each in found] == ["", *[sentence] * 3]
    assert budget.streams >= -4


def test_entries_of_archives_are_counted_folders_and_lists_too() -> None:
    folders = filled(tarfile.DIRTYPE, b"") * (MAX_ENTRIES + 1)
    sentence = "it holds more than {:,} files; hand in the notebook alone"
    assert looked_into("w.tgz", gzip.compress(folders + A_FILE))[-1] == sentence.format(MAX_ENTRIES)
    files = {f"{n}.csv": b"" for n in range(MAX_LOOKED + 1)}
    assert looked_into("w.tgz", tarred(files))[-1] == sentence.format(MAX_LOOKED)
    long = zipped({f"{n:0200}": b"" for n in range(MAX_INNER_CONTENTS // 246 + 1)})
    assert "its list of contents is too long" in looked_into("w.zip", long)[-1]
    short = zipped({f"{n:0200}.csv": b"" for n in range(MAX_INNER_CONTENTS // 260)})
    several = zipped({f"{n}.zip": short for n in range(4)})
    assert looked_into("w.zip", several)[-1] == sentence.format(MAX_ENTRIES)


def test_archives_unpack_to_so_much_and_so_deep() -> None:
    large = zipped({f"{n}.ipynb": bytes(MAX_BYTES // 5) for n in range(6)})
    assert "unpacks to more than 200 MB" in looked_into("w.zip", large)[-1]
    deep = zipped({"n.ipynb": NOTEBOOK})
    for _ in range(MAX_LEVELS - 1):
        deep = zipped({"w.zip": deep})
    assert looked_into("w.zip", deep) == ["w.zip/" * MAX_LEVELS + "n.ipynb"]
    assert "too many others" in looked_into("w.zip", zipped({"w.zip": deep}))[-1]


def test_an_archive_of_many_notebooks_is_gone_through_a_few_times(
    small: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To see what is in it, and to choose; not once for each of the notebooks."""
    place = tmp_path / "ada" / "small" / "work.zip"
    place.parent.mkdir(parents=True)
    place.write_bytes(zipped({f"{n}.ipynb": Notebook(small).bytes() for n in range(50)}))
    opened: list[str] = []
    inner = archives.opened_zip

    def counted(*given: Any) -> Any:
        opened.append("")
        return inner(*given)

    monkeypatch.setattr(archives, "opened_zip", counted)
    (item,) = find_submissions.submissions(tmp_path, [small])
    assert item.path.name == "9.ipynb" and len(opened) <= 2
    assert reading.read_file(item.path) == Notebook(small).bytes()
