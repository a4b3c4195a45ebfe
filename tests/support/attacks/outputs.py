"""Outputs: texts that hold up or deceive whoever shows them: Markdown, HTML, formulas, colours,
names of errors, MIME types and files.

The answers are the base submission's, so HONEST points stay whatever stands around them. Whole
commands over such texts are tried in `tests/feedback/test_rendering.py` and
`tests/coursework/test_output_safety.py`.
"""

from __future__ import annotations

from pathlib import Path

from .corpus import (
    HONEST,
    NAME,
    RIGHT,
    WRONG,
    Case,
    Format,
    Notebook,
    RawWriter,
    code,
    markdown,
    std,
    table,
)
from .inputs import _text

shown = table("output")


def page(id: str, description: str, *texts: str) -> Case:
    """Markdown cells at the end."""

    def mutate(book: Notebook, format: Format) -> None:
        book["cells"] += [
            markdown(text) | {"id": f"bomb-{number}"} for number, text in enumerate(texts)
        ]

    return shown(id, description, mutate=mutate, least=HONEST)


def _named(name: str) -> RawWriter:
    """The base submission under another name."""

    def raw(folder: Path, format: Format) -> None:
        _text(lambda text: text, name)(folder, format)

    return raw


_display = "from IPython.display import display\n"
CASES: tuple[Case, ...] = (
    page(
        "markdown-environments",
        "LaTeX environments that never end, more than are drawn",
        r"\begin{a}" * 45_000,
    ),
    page(
        "markdown-environments-small",
        "the same, just few enough to be tried",
        r"\begin{a}" * 11_000,
    ),
    page("markdown-dollars", "very many formulas", "$x$" * 33_000),
    page("markdown-brackets", "links that never end", "[" * 95_000),
    page("markdown-emphasis", "emphasis that never ends", "*_" * 47_000),
    page("markdown-quotes", "quotations within quotations", ">" * 95_000),
    page(
        "markdown-table",
        "a table with very many columns",
        "|a" * 20_000 + "|\n" + "|-" * 20_000 + "|\n",
    ),
    page(
        "markdown-references",
        "a long address that is referred to again and again",
        f"[a]: {'x' * 50_000}\n\n" + "[a]" * 12_000,
    ),
    page("markdown-nested-html", "elements nested very deep", "<div>" * 18_000),
    page("markdown-one-line", "ten million characters on one line", "x" * 10_000_000),
    page("markdown-many", "hundreds of cells, each just small enough", *["*_" * 20_000] * 300),
    shown(
        "html-nested",
        "an output of HTML nested very deep, and one of ampersands",
        _display
        + (
            "display({'text/html': '<div>' * 900_000}, raw=True)\ndisplay({'text/html': '&' "
            "* 3_000_000}, raw=True)"
        ),
        least=HONEST,
    ),
    shown(
        "colours-many",
        "very many colours in long texts",
        (
            "import sys\nfor _ in range(40):\n    print('\\x1b[31m' * 15_000)\n    "
            "print('.', file=sys.stderr)"
        ),
        least=HONEST,
    ),
    shown(
        "code-brackets",
        "code that makes lexers slow",
        "if 0:\n    f = '''" + "{" * 250_000 + "'''\n    g = f'''{1:" + "x" * 40_000 + "}'''",
        least=HONEST,
    ),
    shown(
        "name-of-error",
        "errors whose names have millions of characters",
        *['raise type("A" * 8_000_000, (Exception,), {})("x")'] * 5,
        least=HONEST,
    ),
    shown(
        "name-of-error-called",
        "such an error where a test calls",
        answers=WRONG | std('raise type("B" * 8_000_000, (Exception,), {})("y" * 8_000_000)'),
        least=HONEST - 1,
    ),
    shown(
        "name-of-error-hidden",
        "such names from a class that is renamed",
        (
            "class E(Exception): pass\nE.__name__ = E.__qualname__ = 'C' * 5_000_000\nraise "
            "E('\\n' * 5_000_000)"
        ),
        least=HONEST,
    ),
    shown(
        "mime-long",
        "MIME types with long names",
        _display + "for i in range(400): display({f'x/{i}' + 'y' * 20_000: ''}, raw=True)",
        least=HONEST,
    ),
    shown(
        "mime-many",
        "very many MIME types",
        _display + "for i in range(400): display({f'x{i}/{j}': '' for j in range(900)}, raw=True)",
        least=HONEST,
    ),
    shown(
        "mime-steering",
        "MIME types that are commands",
        _display
        + "display({'\\n::error::x/\\x1b[2J': 'x', 'text/plain': '\\x1b]0;t\\x07'}, raw=True)",
        least=HONEST,
    ),
    shown(
        "file-name-steering",
        "a file whose name steers terminals",
        raw=_named(f"{NAME}\x1b[2J\x1b]0;owned\x07.ipynb"),
        least=HONEST,
    ),
    shown(
        "file-name-command",
        "a file whose name is a command to a runner",
        raw=_named(f"{NAME}\n::stop-commands::x\n##[error]y.ipynb"),
        least=HONEST,
    ),
    shown(
        "file-name-long",
        "a file whose name is as long as can be",
        raw=_named("n" * 249 + ".ipynb"),
        least=HONEST,
    ),
    shown(
        "file-name-no-text",
        "a file whose name is no text",
        raw=_named(b"\xff\xfe.ipynb".decode("utf-8", "surrogateescape")),
        least=HONEST,
    ),
    shown(
        "unseen-characters",
        "code and output that read otherwise than they are",
        "x = 'a\u202eb\u2066c\u200b'\nprint(x, '\\u202e\\u2067\\ufeff')",
        least=HONEST,
    ),
    shown(
        "problems-many",
        "three hundred cells that fail, each with much to say",
        answers=RIGHT,
        mutate=lambda book, format: book["cells"].extend(
            code(f"raise ValueError('{i} ' * 500)") | {"id": f"fails-{i}"} for i in range(300)
        ),
        least=12,
        most=12,
        cells=8,
    ),
)
