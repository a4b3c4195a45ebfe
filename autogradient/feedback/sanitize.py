"""Taking everything active out of what students wrote, before a browser shows it to them or, with more rights, to staff."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

import bleach
import nbformat
from bleach.css_sanitizer import CSSSanitizer
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

_TAGS = frozenset(
    ["a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "details", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i"]
    + ["img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul"]
)
_PICTURES = ("image/png", "image/jpeg", "image/gif")
#: SVG is inert inside <img>: a browser runs no script of it and loads nothing for it.
_PICTURE_URL = re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]+")
_OWN_CLASSES = re.compile(r"[a-z][a-z0-9]{0,2}|(highlight|hl-|ansi-)[\w -]*")
_CELL_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_STYLES = CSSSanitizer(allowed_css_properties=["color", "background-color", "font-weight", "font-style", "text-align", "text-decoration"])


def clean_html(text: object) -> str:
    """HTML without anything active, foreign or unknown: such tags are dropped (their text stays), pictures must stand in the page itself."""
    return bleach.clean(
        text.decode() if isinstance(text, bytes) else str(text),
        tags=_TAGS,
        attributes=_may_stay,
        protocols=["http", "https", "mailto", "data"],
        css_sanitizer=_STYLES,
        strip=True,
    )


def _may_stay(tag: str, name: str, value: str) -> bool:
    if name == "src":
        return tag == "img" and _PICTURE_URL.fullmatch(value) is not None
    if name == "href":
        return tag == "a" and re.match(r"(https?://|mailto:)", value.strip(), re.IGNORECASE) is not None
    if name == "class":
        return _OWN_CLASSES.fullmatch(value.strip()) is not None
    return name in ("alt", "colspan", "open", "rowspan", "scope", "style", "title")


def render_markdown(text: str, attachments: Mapping[str, dict[str, str]] | None = None) -> str:
    """Markdown as HTML the way notebooks show it, without anchors at headings. HTML in it stays: use `clean_html` afterwards."""
    return str(MarkdownWithMath(renderer=IPythonRenderer(escape=False, exclude_anchor_links=True, attachments=dict(attachments or {}))).render(text))


def text_of(value: Any) -> str:
    """Text as notebooks store it: a string or a list of its lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def grade_id_of(cell: Any) -> str:
    """The nbgrader id that a cell claims, "" where it claims none."""
    marking = _dict(_dict(_dict(cell).get("metadata")).get("nbgrader"))
    return marking["grade_id"] if isinstance(marking.get("grade_id"), str) else ""


def clean_notebook(notebook: Mapping[str, Any], keep_tags: bool = False) -> NotebookNode:
    """A new, valid notebook with the cells of `notebook` (nbformat 4 data, however broken; same number and order), of their metadata only the grade_id.

    Outputs keep plain text, pictures and cleaned HTML. Tags in Markdown become text unless `keep_tags`, for callers that clean the HTML made
    from it. Markdown that cannot be rendered is shown as it was typed.
    """
    cells = [_cell(_dict(cell), keep_tags) for cell in _list(notebook.get("cells"))]
    seen: set[str] = set()
    for cell in cells:
        if cell["id"] in seen:
            cell["id"] = nbformat.v4.new_raw_cell().id
        seen.add(cell["id"])
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _cell(cell: dict[str, Any], keep_tags: bool) -> dict[str, Any]:
    kind = cell.get("cell_type") if cell.get("cell_type") in ("code", "markdown") else "raw"
    cell_id = str(cell.get("id", ""))
    clean: dict[str, Any] = {
        "cell_type": kind,
        "id": cell_id if _CELL_ID.fullmatch(cell_id) else nbformat.v4.new_raw_cell().id,
        "metadata": {"nbgrader": {"grade_id": grade_id_of(cell)}} if grade_id_of(cell) else {},
        "source": text_of(cell.get("source")),
    }
    if kind == "code":
        clean["execution_count"] = _count(cell.get("execution_count"))
        clean["outputs"] = [output for output in (_output(_dict(output)) for output in _list(cell.get("outputs"))) if output]
        return clean
    if not keep_tags:
        clean["source"] = re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", clean["source"])
    if kind == "markdown":
        attachments = {str(name): bundle for name, data in _dict(cell.get("attachments")).items() if (bundle := _pictures(_dict(data)))}
        clean["source"] = _renderable(clean["source"], attachments)
        if attachments:
            clean["attachments"] = attachments
    return clean


def _renderable(source: str, attachments: dict[str, dict[str, str]]) -> str:
    """Markdown that nbconvert can render: it gives up on a whole notebook where one pasted picture is missing."""
    source = re.sub(r"\battachment:([^)\s]*)", lambda match: match[0] if match[1] in attachments else f"missing-picture:{match[1]}", source)
    try:
        render_markdown(source, attachments)
    except Exception:
        fence = "`" * (3 + max((len(run) for run in re.findall("`+", source)), default=0))
        return f"{fence}\n{source}\n{fence}"
    return source


def _output(output: dict[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        return {"output_type": "stream", "name": "stderr" if output.get("name") == "stderr" else "stdout", "text": text_of(output.get("text"))}
    if kind == "error":
        texts = {key: str(output.get(key, "")) for key in ("ename", "evalue")}
        return {"output_type": "error", **texts, "traceback": [str(line) for line in _list(output.get("traceback"))]}
    if kind not in ("display_data", "execute_result"):
        return None
    given = _dict(output.get("data"))
    data: dict[str, Any] = _pictures(given)
    if "text/plain" in given:
        data["text/plain"] = text_of(given["text/plain"])
    if "text/html" in given:
        data["text/html"] = clean_html(text_of(given["text/html"]))
    if not data:
        return None
    if kind == "display_data":
        return {"output_type": kind, "data": data, "metadata": {}}
    return {"output_type": kind, "data": data, "metadata": {}, "execution_count": _count(output.get("execution_count"))}


def _pictures(data: dict[str, Any]) -> dict[str, str]:
    """The pictures of a MIME bundle that really are base64."""
    found = {}
    for mime in _PICTURES:
        text = "".join(text_of(data.get(mime)).split())
        try:
            if text and base64.b64decode(text, validate=True):
                found[mime] = text
        except (binascii.Error, ValueError):
            continue
    return found
