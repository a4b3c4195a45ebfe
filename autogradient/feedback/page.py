"""One submission as one HTML page: the summary, then the notebook as it ran. It needs no network
and runs no script.
"""

from __future__ import annotations

import base64
import html
import mimetypes
from collections.abc import Mapping
from functools import cache
from typing import Any

from pygments.formatters import HtmlFormatter

from autogradient import visible
from autogradient.course.marks import Marked
from autogradient.feedback import summary
from autogradient.feedback.notebooks import notebook_html, summary_html
from autogradient.model.result import Result

#: Even if something active slipped through, the browser would not run or load it.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)

_STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1c1e21; --ground: #ffffff; --soft: #f4f5f7; --line: #d7dade; --link: #0b57a4;
}
@media (prefers-color-scheme: dark) { :root {
  --ink: #e3e5e8; --ground: #17191c; --soft: #22252a; --line: #3a3f46; --link: #7cb7ff;
} }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); overflow-wrap: anywhere; }
body { font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 50rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; } h3 { font-size: 1.05rem; }
a { color: var(--link); }
pre, code { font: .875rem/1.45 ui-monospace, monospace; }
pre { margin: 0; padding: .6rem .8rem; overflow-x: auto; overflow-wrap: normal; }
.summary ul { padding-left: 1.2rem; } .summary li { margin: .3rem 0; }
.notebook { border-top: 2px solid var(--line); margin-top: 2rem; }
.cell { margin: 1rem 0; } .prompt { display: none; }
.input_area pre, .highlight { background: var(--soft); border-radius: .4rem; }
.output { border-left: 3px solid var(--line); margin-top: .3rem; }
.output pre { max-height: 24rem; overflow-y: auto; }
.celltag_verdict pre { white-space: pre-wrap; }
.output_stderr, .output_error { border-left: 3px solid #c4510c; }
img, svg { max-width: 100%; height: auto; } .output img { background: #fff; }
.rendered_html { overflow-x: auto; } table { border-collapse: collapse; }
td, th { border: 1px solid var(--line); padding: .2rem .5rem; }
blockquote { margin-left: 0; padding-left: 1rem; border-left: 3px solid var(--line); }
.ansi-bold { font-weight: bold; } .ansi-red-fg, .ansi-red-intense-fg { color: #c62f2f; }
.ansi-green-fg, .ansi-green-intense-fg { color: #1d8a3f; }
"""


def html_page(
    result: Result,
    notebook: Mapping[str, Any] | None = None,
    title: str = "",
    files: Mapping[str, bytes] | None = None,
    headings: Mapping[str, str] | None = None,
) -> str:
    """The page. `notebook` is the executed submission (nbformat 4 data, None where it could not be
    read).

    `files` are the assignment's pictures by their relative path. Everything in the notebook is
    taken as hostile: active content is removed, nothing is loaded from elsewhere.
    """
    text = summary.markdown(result, title, headings)
    body = [f'<section class="summary">{summary_html(text)}</section>']
    if notebook is not None:
        body.append(
            '<section class="notebook"><h2>Your '
            f"notebook</h2>{_notebook(result, notebook, files or {})}</section>"
        )
    heading = html.escape(visible.line(f"{title or result.assignment}: feedback"))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta '
        'name="referrer" content="no-referrer">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}{_colours()}</style>\n</head>\n<body>\n<main>\n{''.join(body)}\n</main>\n</body>\n</html>\n"
    )


def _notebook(result: Result, notebook: Mapping[str, Any], files: Mapping[str, bytes]) -> str:
    kinds = {name: mimetypes.guess_type(name)[0] or "" for name in files}
    pictures = {
        name: f"data:{kinds[name]};base64,{base64.b64encode(data).decode()}"
        for name, data in files.items()
        if kinds[name].startswith("image/")
    }

    checks = {name for part in result.parts for name in (part.id, f"{part.id}-hidden")}
    hides = isinstance(result, Marked) and result.hides
    with_hidden = [part for part in result.parts if any(case.hidden for case in part.cases)]
    # a check without a hidden cell of its own shows hidden cases too
    kept_back = {name for part in with_hidden for name in (part.id, f"{part.id}-hidden")}
    return notebook_html(  # of a check only its verdict is of interest
        notebook,
        pictures,
        is_verdict=lambda name: name in checks,
        is_quiet=lambda name: hides and name in kept_back,
        quiet_verdicts=hides,
    )


@cache
def _colours() -> str:
    """Syntax colours that can be read on a light and on a dark ground."""
    light, dark = (
        HtmlFormatter(style=name, nobackground=True).get_style_defs(".highlight")
        for name in ("default", "monokai")
    )
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
