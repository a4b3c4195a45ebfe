"""Taking everything active out of what students wrote, before a browser shows it to them or, with more rights, to staff."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

import bleach
import nbformat
from bleach.css_sanitizer import CSSSanitizer
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
        return _OWN_CLASSES.fullmatch(value) is not None
    return name in ("alt", "colspan", "open", "rowspan", "scope", "style", "title")


def clean_notebook(notebook: NotebookNode, trusted: Iterable[str] = ()) -> NotebookNode:
    """A new notebook with the cells of `notebook` (same number and order) and of their metadata only nbgrader's.

    Outputs keep plain text, pictures and cleaned HTML; tags in Markdown become text, except in cells whose nbgrader grade_id is `trusted`.
    """
    trusted = frozenset(trusted)
    cells = [_cell(cell, trusted) for cell in notebook.cells]
    seen: set[str] = set()
    for cell in cells:
        if cell["id"] in seen:
            cell["id"] = nbformat.v4.new_raw_cell().id
        seen.add(cell["id"])
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})


def _cell(cell: NotebookNode, trusted: frozenset[str]) -> dict[str, Any]:
    marking = cell.get("metadata", {}).get("nbgrader")
    marking = dict(marking) if isinstance(marking, dict) else {}
    kind = cell.cell_type if cell.cell_type in ("code", "markdown") else "raw"
    source = str(cell.source)
    if kind != "code" and marking.get("grade_id") not in trusted:
        source = re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", source)
    cell_id = str(cell.get("id", ""))
    clean: dict[str, Any] = {
        "cell_type": kind,
        "id": cell_id if _CELL_ID.fullmatch(cell_id) else nbformat.v4.new_raw_cell().id,
        "metadata": {"nbgrader": marking} if marking else {},
        "source": source,
    }
    if kind == "code":
        count = cell.get("execution_count")
        clean["execution_count"] = count if isinstance(count, int) else None
        clean["outputs"] = [output for output in map(_output, cell.get("outputs", [])) if output]
    elif attachments := {name: bundle for name, data in cell.get("attachments", {}).items() if (bundle := _pictures(data))}:
        clean["attachments"] = attachments
    return clean


def _output(output: NotebookNode) -> dict[str, Any] | None:
    if output.output_type == "stream":
        return {"output_type": "stream", "name": "stderr" if output.get("name") == "stderr" else "stdout", "text": str(output.get("text", ""))}
    if output.output_type == "error":
        texts = {key: str(output.get(key, "")) for key in ("ename", "evalue")}
        return {"output_type": "error", **texts, "traceback": [str(line) for line in output.get("traceback", [])]}
    if output.output_type not in ("display_data", "execute_result"):
        return None
    data: dict[str, Any] = _pictures(output.get("data", {}))
    plain, html = (output.get("data", {}).get(mime) for mime in ("text/plain", "text/html"))
    if plain is not None:
        data["text/plain"] = str(plain)
    if html is not None:
        data["text/html"] = clean_html(html)
    if not data:
        return None
    if output.output_type == "display_data":
        return {"output_type": "display_data", "data": data, "metadata": {}}
    count = output.get("execution_count")
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": count if isinstance(count, int) else None}


def _pictures(data: Any) -> dict[str, str]:
    """The pictures of a MIME bundle that really are base64."""
    found = {}
    for mime in _PICTURES:
        text = data.get(mime) if isinstance(data, dict) else None
        try:
            if isinstance(text, str) and base64.b64decode("".join(text.split()), validate=True):
                found[mime] = "".join(text.split())
        except (binascii.Error, ValueError):
            continue
    return found
