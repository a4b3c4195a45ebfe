"""What becomes of one cell of a student's: cleaned for staff's tools, or drawn for a page.

All of this runs in the renderer's process (`desk`), which is ended where a cell takes too long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import TagRemovePreprocessor
from nbformat import from_dict

from autogradient import visible
from autogradient.feedback.formulas import Formulas
from autogradient.feedback.sanitize import (
    as_dict,
    as_list,
    clean_html,
    escaped,
    fenced,
    grade_id_of,
    is_inert,
    pictures,
    text_of,
)

#: Characters of Markdown or HTML, and of code, that are drawn; more is shown as it was typed.
MAX_MARKDOWN, MAX_CODE = 100_000, 300_000
#: Characters of HTML that a cell may become, its pictures counted in.
MAX_HTML = 25_000_000
#: Colours cost their number times the length of the text: where that is more, they are not drawn.
MAX_COLOURING = 500_000_000
#: Of a notebook's metadata only this is of use.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class TooLarge(Exception):
    """A cell that is not drawn."""


def prepare() -> None:
    """Load what the first cell would have to wait for."""
    warm = {
        "cell_type": "markdown",
        "id": "warm",
        "metadata": {},
        "source": "# Warm\n\n`x` and $x$\n\n```python\nx\n```",
    }
    show(warm, {})
    show(
        {
            "cell_type": "code",
            "id": "warm",
            "metadata": {},
            "source": "x = 1",
            "outputs": [],
            "execution_count": 1,
        },
        {},
    )


def do(job: Mapping[str, Any], pages: Mapping[str, str]) -> Any:
    """What a job comes to, as JSON can hold it. `pages` are the assignment's pictures. Raises all
    sorts of errors for what cannot be drawn.
    """
    if job["do"] == "several":
        return [do(one, pages) for one in job["jobs"]]
    if job["do"] == "clean":
        return clean(job["cell"])
    if job["do"] == "summary":
        return clean_html(render_markdown(job["text"]))
    return show(
        job["cell"],
        pages,
        verdict=job["verdict"],
        quiet=job["quiet"],
        quiet_verdicts=job["quiet_verdicts"],
    )


# ---- cleaning ------------------------------------------------------------------------------------


def clean(cell: Mapping[str, Any], keep_tags: bool = False) -> dict[str, Any]:
    """A valid cell, however broken the given one is; of its metadata only the grade_id. Its `id`
    has been looked at.

    Outputs keep plain text, pictures and cleaned HTML. Tags in Markdown become text unless
    `keep_tags`, for callers that clean the HTML made from it; and Markdown that cannot be rendered
    is shown as it was typed.
    """
    kind = cell.get("cell_type") if cell.get("cell_type") in ("code", "markdown") else "raw"
    found: dict[str, Any] = {
        "cell_type": kind,
        "id": cell["id"],
        "metadata": {"nbgrader": {"grade_id": grade_id_of(cell)}} if grade_id_of(cell) else {},
        "source": text_of(cell.get("source")),
    }
    if kind == "code":
        found["execution_count"] = _count(cell.get("execution_count"))
        found["outputs"] = _outputs(as_list(cell.get("outputs")))
        return found
    if not keep_tags:
        found["source"] = escaped(found["source"])
    if kind == "markdown":
        attachments = {
            str(name): bundle
            for name, data in as_dict(cell.get("attachments")).items()
            if (bundle := pictures(as_dict(data)))
        }
        found["source"] = _with_pictures(found["source"], attachments)
        if not keep_tags:
            found["source"] = _renderable(found["source"], attachments)
        if attachments:
            found["attachments"] = attachments
    return found


def render_markdown(text: str, attachments: Mapping[str, dict[str, str]] | None = None) -> str:
    """Markdown as HTML the way notebooks show it, without anchors at headings. HTML in it stays:
    use `clean_html` afterwards.
    """
    return str(
        MarkdownWithMath(
            renderer=IPythonRenderer(
                escape=False, exclude_anchor_links=True, attachments=dict(attachments or {})
            )
        ).render(text)
    )


def _with_pictures(source: str, attachments: dict[str, dict[str, str]]) -> str:
    """Markdown without pasted pictures that are missing: nbconvert gives up on a whole notebook
    where one is.
    """
    return re.sub(
        r"\battachment:([^)\s]*)",
        lambda match: match[0] if match[1] in attachments else f"missing-picture:{match[1]}",
        source,
    )


def _renderable(source: str, attachments: dict[str, dict[str, str]]) -> str:
    """Markdown that nbconvert can render, and that neither runs nor fetches anything: pictures from
    elsewhere become links.

    What cannot be had so is shown as it was typed: `[a](javascript:…)` is a link that whoever
    clicks it would run.
    """
    if len(source) > MAX_MARKDOWN:
        return fenced(source)
    for found in (source, re.sub(r"!(?=\[)", "", source)):
        try:
            if is_inert(render_markdown(found, attachments)):
                return found
        except Exception:
            break
    return fenced(source)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _outputs(given: list[Any]) -> list[dict[str, Any]]:
    """Outputs that can be shown; without colours where there are too many."""
    found = [output for output in (_output(as_dict(output)) for output in given) if output]
    texts = [text for output in found for text in _texts(output)]
    if sum(text.count("\x1b[") * len(text) for text in texts) <= MAX_COLOURING:
        return found
    return [_without_colours(output) for output in found]


def _texts(output: dict[str, Any]) -> list[str]:
    return [
        output.get("text", ""),
        as_dict(output.get("data")).get("text/plain", ""),
        *output.get("traceback", []),
    ]


def _without_colours(output: dict[str, Any]) -> dict[str, Any]:
    if "text" in output:
        output["text"] = visible.code(output["text"])
    if "traceback" in output:
        output["traceback"] = [visible.code(line) for line in output["traceback"]]
    if "text/plain" in output.get("data", {}):
        output["data"]["text/plain"] = visible.code(output["data"]["text/plain"])
    return output


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        return {
            "output_type": "stream",
            "name": "stderr" if output.get("name") == "stderr" else "stdout",
            "text": text_of(output.get("text")),
        }
    if kind == "error":
        texts = {key: str(output.get(key, "")) for key in ("ename", "evalue")}
        return {
            "output_type": "error",
            **texts,
            "traceback": [str(line) for line in as_list(output.get("traceback"))],
        }
    if kind not in ("display_data", "execute_result"):
        return None
    given = as_dict(output.get("data"))
    data: dict[str, Any] = dict(pictures(given))
    if "text/plain" in given:
        data["text/plain"] = text_of(given["text/plain"])
    if "text/html" in given:
        data["text/html"] = clean_html(text_of(given["text/html"]))
    if not data:
        return None
    if kind == "display_data":
        return {"output_type": kind, "data": data, "metadata": {}}
    return {
        "output_type": kind,
        "data": data,
        "metadata": {},
        "execution_count": _count(output.get("execution_count")),
    }


# ---- drawing -------------------------------------------------------------------------------------


def show(
    cell: Mapping[str, Any],
    pages: Mapping[str, str],
    *,
    verdict: bool = False,
    quiet: bool = False,
    quiet_verdicts: bool = False,
) -> str:
    """A cell as HTML without anything active. Of a `verdict` only the output is of interest; a
    `quiet` cell shows none.

    With `quiet_verdicts` a copy that a student made of a check does not say either what it found.
    Raises TooLarge, and other errors.
    """
    shown = clean(cell, keep_tags=True)
    if len(shown["source"]) > (MAX_CODE if shown["cell_type"] == "code" else MAX_MARKDOWN):
        raise TooLarge
    if verdict:
        shown["metadata"]["tags"] = ["verdict"]
    if shown["cell_type"] == "code" and (quiet or (quiet_verdicts and _like_a_verdict(shown))):
        shown["outputs"] = []
    try:
        html = _draw(shown, pages)
    except Exception:
        if shown["cell_type"] != "markdown":
            raise
        html = _draw(shown | {"source": fenced(shown["source"])}, pages)
    if len(html) > MAX_HTML:
        raise TooLarge
    return visible.code(html) if shown["cell_type"] == "code" else visible.prose(html)


def _like_a_verdict(cell: dict[str, Any]) -> bool:
    """Whether a cell shows what a check would: a copy that a student made of a check has lost its
    id, but says the same.
    """
    return any(
        str(output.get("text", "")).startswith(("✓ ", "✗ ", "○ ")) for output in cell["outputs"]
    )


def _draw(cell: dict[str, Any], pages: Mapping[str, str]) -> str:
    drawing = _drawing()
    drawing.formulas, drawing.pages = Formulas(), pages
    notebook = from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": METADATA, "cells": [cell]}
    )
    html, _ = drawing.exporter.from_notebook_node(notebook)
    return drawing.formulas.put_back(str(html))


class _Drawing:
    """nbconvert's exporter with our own filters, and what they need for the cell that is drawn."""

    def __init__(self) -> None:
        self.formulas = Formulas()
        self.pages: Mapping[str, str] = {}
        self.exporter = HTMLExporter(
            template_name="basic",
            sanitize_html=True,
            exclude_anchor_links=True,
            default_preprocessors=["nbconvert.preprocessors.HighlightMagicsPreprocessor"],
            optimistic_validation=True,
        )
        self.exporter.register_filter("markdown2html", self.markdown)
        # nbconvert's own knows neither paragraphs nor headings and shows their tags as text
        self.exporter.register_filter("clean_html", self.clean)
        self.exporter.register_preprocessor(
            TagRemovePreprocessor(remove_input_tags={"verdict"}), enabled=True
        )

    @pass_context
    def markdown(self, context: Any, source: str) -> str:
        return self.formulas.markdown(
            source, attachments=context.get("cell", {}).get("attachments", {})
        )

    def clean(self, text: object) -> str:
        return clean_html(
            re.sub(
                r'(?<= src=")[^"]+',
                lambda match: self.pages.get(unquote(match[0]), match[0]),
                str(text),
            )
        )


@cache
def _drawing() -> _Drawing:
    return _Drawing()
