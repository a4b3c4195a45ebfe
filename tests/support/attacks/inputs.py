"""Bad input: files that are no notebooks, notebooks that are no submissions, folders that are no
folders.
"""

from __future__ import annotations

import json
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .corpus import HONEST, NAME, Case, Format, Notebook, RawWriter, build, markdown, table

bad = table("input")
FILE = f"{NAME}.ipynb"


def _text(make: Callable[[str], str | bytes], name: str = FILE) -> RawWriter:
    """Writes one file made of the base submission's text."""

    def raw(folder: Path, format: Format) -> None:
        data = make(json.dumps(build(Case("", "", ""), format), indent=1))
        (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    return raw


def _json(change: Callable[[Notebook], Any]) -> RawWriter:
    """As above; `change` edits the notebook, or returns another."""

    def make(text: str) -> str:
        book = json.loads(text)
        new = change(book)
        return json.dumps(
            new if isinstance(new, (dict, list, str, int)) and new is not None else book
        )

    return _text(make)


def _cells(change: Callable[[dict[str, Any]], Any]) -> RawWriter:
    """Edits every cell."""
    return _json(lambda book: [change(cell) for cell in book["cells"]] and None)


def _old_format(book: Notebook) -> Notebook:
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": c["source"]}
        if c["cell_type"] == "markdown"
        else {
            "cell_type": "code",
            "collapsed": False,
            "input": c["source"],
            "language": "python",
            "metadata": c["metadata"],
            "outputs": [],
        }
        for c in book["cells"]
    ]
    return {
        "metadata": {"name": NAME},
        "nbformat": 3,
        "nbformat_minor": 0,
        "worksheets": [{"cells": cells, "metadata": {}}],
    }


def _nested(levels: int) -> str:
    return "[" * levels + "]" * levels


def _links(folder: Path, format: Format) -> None:
    target = folder.parents[1] / "zoe" / NAME / FILE
    (folder / FILE).symlink_to(target)


def _fifo(folder: Path, format: Format) -> None:
    os.mkfifo(folder / FILE)


def _device(folder: Path, format: Format) -> None:
    (folder / FILE).symlink_to("/dev/zero")


def _folder(folder: Path, format: Format) -> None:
    (folder / FILE).mkdir()


def _two(folder: Path, format: Format) -> None:
    _text(lambda text: text)(folder, format)
    _text(
        lambda text: text.replace("answer = 1.0", "answer = 1.3862943611198906"),
        f"{NAME} (1).ipynb",
    )(folder, format)


def _loop(folder: Path, format: Format) -> None:
    _text(lambda text: text)(folder, format)
    (folder / "again").symlink_to(".")
    (folder / "up").symlink_to("..")


def _zip(folder: Path, format: Format) -> None:
    with zipfile.ZipFile(folder / "submission.zip", "w") as archive:
        archive.writestr("../../../source/lab/lab.ipynb", "{}")
        archive.writestr(FILE, json.dumps(build(Case("", "", ""), format)))


def _code(book: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


def _noise(text: str) -> bytes:
    dice = random.Random(7)
    data = bytearray(text.encode())
    for _ in range(40):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


CASES: tuple[Case, ...] = (
    bad("file-empty", "no bytes", raw=_text(lambda text: b"")),
    bad("file-space", "only white space", raw=_text(lambda text: b" \n\t" * 1000)),
    bad(
        "file-pdf",
        "a PDF under the notebook's name",
        raw=_text(lambda text: b"%PDF-1.7\n\xff\xfe binary"),
    ),
    bad("file-truncated", "half of a notebook", raw=_text(lambda text: text[: len(text) // 2])),
    bad("file-noise", "a notebook with forty random bytes", raw=_text(_noise)),
    bad(
        "file-conflict",
        "merge-conflict markers",
        raw=_text(lambda text: f"<<<<<<< HEAD\n{text}\n=======\n{text}\n>>>>>>> main\n"),
    ),
    bad("file-utf16", "UTF-16", raw=_text(lambda text: text.encode("utf-16"))),
    bad(
        "file-bom",
        "a byte order mark",
        raw=_text(lambda text: b"\xef\xbb\xbf" + text.encode()),
        least=HONEST,
    ),
    bad(
        "file-nested",
        "JSON nested a hundred thousand deep",
        raw=_text(lambda text: _nested(100_000)),
    ),
    bad(
        "file-nested-cell",
        "metadata nested five hundred deep",
        raw=_text(
            lambda text: text.replace(
                '"metadata": {}', '"metadata": {"x": ' + _nested(500) + "}", 1
            )
        ),
    ),
    bad(
        "file-huge-number",
        "numbers of a hundred thousand digits",
        raw=_text(
            lambda text: text.replace('"nbformat_minor": 5', '"nbformat_minor": ' + "9" * 100_000)
        ),
    ),
    bad(
        "file-duplicate-keys",
        "every key twice",
        raw=_text(
            lambda text: text.replace('"source":', '"source": "raise SystemExit", "source":')
        ),
        least=HONEST,
    ),
    bad("file-list", "a list at the top", raw=_json(lambda book: [book])),
    bad("file-string", "a string at the top", raw=_json(lambda book: "notebook")),
    bad(
        "file-big",
        "sixty megabytes",
        raw=_text(lambda text: text.replace("# Lab", "# Lab" + "z" * 60_000_000)),
    ),
    bad(
        "file-name",
        "saved under another name, with spaces and an emoji",
        raw=_text(lambda text: text, f"Copy of {NAME} (final) \U0001f600.ipynb"),
        least=HONEST,
    ),
    bad(
        "file-name-html",
        "a file name that is HTML and Markdown",
        raw=_text(lambda text: text, "<img src=x onerror=alert(1)> [x](javascript:1).ipynb"),
        least=HONEST,
    ),
    bad("file-link", "the notebook is a link to a peer's", raw=_links),
    bad("file-device", "the notebook is a link to /dev/zero", raw=_device),
    bad("file-fifo", "the notebook is a fifo", raw=_fifo),
    bad("file-folder", "the notebook is a folder", raw=_folder),
    bad("file-two", "two notebooks, the second better", raw=_two, most=5),
    bad("file-loops", "links that lead in circles", raw=_loop, least=HONEST),
    bad("file-zip", "a zip with ../ in its names", raw=_zip),
    bad("file-none", "an empty folder", raw=lambda folder, format: None),
    bad("book-old", "nbformat 3", raw=_json(_old_format)),
    bad("book-new", "nbformat 99", raw=_json(lambda book: book.update(nbformat=99))),
    bad(
        "book-no-metadata",
        "no metadata anywhere",
        raw=_json(lambda book: [cell.pop("metadata") for cell in [*book["cells"], book]] and None),
    ),
    bad(
        "book-wrong-types",
        "metadata of the wrong types",
        raw=_json(
            lambda book: book.update(
                metadata=["x"],
                cells=[cell | {"metadata": 5, "id": ["x"]} for cell in book["cells"]],
            )
        ),
    ),
    bad(
        "book-bad-marking",
        "nbgrader metadata of the wrong types",
        raw=_cells(
            lambda cell: cell["metadata"].update(
                nbgrader={"grade_id": ["x"], "grade": "yes", "points": "NaN"}
            )
        ),
        formats=("nbgrader",),
    ),
    bad(
        "book-kernel",
        "a kernel that is a path",
        raw=_json(
            lambda book: book["metadata"].update(
                kernelspec={"name": "../../tmp/evil", "display_name": "x", "language": "bash"}
            )
        ),
        least=HONEST,
    ),
    bad(
        "book-r",
        "an R notebook",
        raw=_json(
            lambda book: book["metadata"].update(
                kernelspec={"name": "ir", "display_name": "R", "language": "R"},
                language_info={"name": "R"},
            )
        ),
    ),
    bad("cells-none", "no cells", raw=_json(lambda book: book.update(cells=[])), most=0),
    bad(
        "cells-dict", "cells that are a dict", raw=_json(lambda book: book.update(cells={"0": {}}))
    ),
    bad(
        "cells-many",
        "twenty thousand cells",
        raw=_json(
            lambda book: book["cells"].extend(
                {**markdown("x"), "id": f"m{i}"} for i in range(20_000)
            )
        ),
    ),
    bad(
        "cells-same-id",
        "one id for all",
        raw=_cells(lambda cell: cell.update(id="same")),
        least=HONEST,
    ),
    bad(
        "cells-unknown",
        "cells of unknown types",
        raw=_json(
            lambda book: book["cells"].extend(
                [{"cell_type": "sql", "metadata": {}, "source": "x"}, {"cell_type": None}, {}]
            )
        ),
        least=HONEST,
    ),
    bad(
        "cells-sources",
        "sources that are numbers, lists of numbers, null",
        raw=_json(
            lambda book: (
                [
                    cell.update(source=[5, None, [1, [2]], {"x": 1}][i % 4])
                    for i, cell in enumerate(book["cells"])
                ]
                and None
            )
        ),
    ),
    bad(
        "cells-nul",
        "NUL characters in code",
        raw=_json(
            lambda book: (
                [cell.update(source=cell["source"] + "\n# \0") for cell in _code(book)] and None
            )
        ),
    ),
    bad(
        "cells-surrogate",
        "half characters in code",
        raw=_text(lambda text: text.replace("def standardize", "# \\ud800\\ndef standardize", 1)),
        least=2,
    ),
    bad(
        "cells-bidi",
        "bidirectional control characters",
        raw=_text(
            lambda text: text.replace("def standardize", "# \\u202e\\u2066\\ndef standardize", 1)
        ),
        least=HONEST,
    ),
    bad(
        "cells-outputs",
        "saved outputs of the wrong types",
        raw=_cells(
            lambda cell: cell.update(
                outputs=[{"output_type": 5}, None, {"output_type": "stream"}], execution_count="x"
            )
        ),
        least=HONEST,
    ),
    bad(
        "cells-attachments",
        "attachments that are none",
        raw=_cells(
            lambda cell: cell.update(attachments={"x.png": {"image/png": 5}, "../../y": None})
        ),
        least=HONEST,
    ),
    bad(
        "cells-wide",
        "a line of ten million characters",
        raw=_json(lambda book: _code(book)[0].update(source="x = '" + "y" * 10_000_000 + "'")),
    ),
    bad(
        "cells-parser",
        "code that breaks parsers: brackets, encodings, form feeds",
        raw=_json(
            lambda book: _code(book)[0].update(
                source="# coding: utf-7\n\f" + "(" * 150 + ")" * 150 + "\n" + "-" * 5000 + "1"
            )
        ),
    ),
    bad(
        "cells-regular-expressions",
        "text that makes recognisers slow",
        raw=_json(
            lambda book: _code(book)[0].update(
                source="grader.check(" + " " * 50_000 + "\n" + "<" * 50_000 + "\n" + "=" * 50_000
            )
        ),
    ),
)
