"""A student's notebook, cell by cell through the renderer: cleaned for staff's tools, or as HTML.
What cannot be drawn is shown as it was typed.

All that is done here itself takes time and room in proportion to the text, and is bounded.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from typing import Any

import nbformat
from nbformat import NotebookNode

from autogradient import errors, visible
from autogradient.feedback.renderer import at_desk
from autogradient.feedback.sanitize import as_dict, as_list, escaped, fenced, grade_id_of, text_of

#: Characters of a cell that are shown as they were typed, head and tail, and of all such cells of a
#: page.
MAX_TYPED, MAX_TYPED_TOGETHER = 20_000, 2_000_000
#: Characters of outputs of such a cell in autograded/, and how many outputs.
MAX_PLAIN, MAX_OUTPUTS = 100_000, 50


def clean_notebook(notebook: Mapping[str, Any]) -> NotebookNode:
    """A new, valid notebook with the cells of `notebook` (nbformat 4 data, however broken; same
    number and order), of their metadata only the grade_id.

    Outputs keep plain text, pictures and cleaned HTML. Tags in Markdown become text. Markdown that
    cannot be rendered, or that would take whoever opens it too long, is shown as it was typed.
    """
    given = _cells(notebook)
    with at_desk() as desk:
        cleaned = desk.each({"do": "clean", "cell": cell} for cell in given)
        cells = [done or _as_typed(cell) for cell, done in zip(given, cleaned, strict=True)]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.from_dict(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}
    )


def notebook_html(
    notebook: Mapping[str, Any],
    pictures: Mapping[str, str],
    *,
    is_verdict: Callable[[str], bool],
    is_quiet: Callable[[str], bool],
    quiet_verdicts: bool,
) -> str:
    """The cells as HTML. `pictures` as of `at_desk`; by its grade_id, a cell is a verdict or shows
    no output (see `cells.show`).
    """
    given, found, left = _cells(notebook), [], MAX_TYPED_TOGETHER

    def job(cell: Mapping[str, Any]) -> dict[str, Any]:
        name = grade_id_of(cell)
        verdict = cell.get("cell_type") == "code" and is_verdict(name)
        return {
            "do": "show",
            "cell": cell,
            "verdict": verdict,
            "quiet": is_quiet(name),
            "quiet_verdicts": quiet_verdicts,
        }

    with at_desk(pictures) as desk:
        for cell, shown in zip(given, desk.each(map(job, given)), strict=True):
            if shown is None:
                shown = typed(
                    cell, left, outputs=not (quiet_verdicts or is_quiet(grade_id_of(cell)))
                )
                left -= len(shown)
            found.append(shown)
    return "".join(found)


def summary_html(markdown: str) -> str:
    """A summary of ours as HTML."""
    with at_desk() as desk:
        return (
            desk.do({"do": "summary", "text": markdown})
            or f"<pre>{html.escape(visible.code(_cut(markdown)))}</pre>"
        )


def typed(cell: Mapping[str, Any], left: int, *, outputs: bool = True) -> str:
    """A cell as HTML that shows it as it was typed, and says so; without its text where no room is
    `left`.
    """
    said = errors.AS_TYPED if left > 0 else errors.LEFT_OUT
    texts = [text_of(cell.get("source")), *(_plain(cell) if outputs else ())] if left > 0 else []
    shown = "".join(f"<pre>{html.escape(visible.code(_cut(text)))}</pre>" for text in texts if text)
    return f'\n<div class="cell"><p><em>{html.escape(said)}</em></p>{shown}</div>\n'


def _cells(notebook: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cells with ids that are valid and differ."""
    seen: set[str] = set()
    cells = []
    for cell in map(as_dict, as_list(notebook.get("cells"))):
        name = cell.get("id", "")
        while not isinstance(name, str) or not _is_id(name) or name in seen:
            name = nbformat.v4.new_raw_cell().id
        seen.add(name)
        cells.append({**cell, "id": name})
    return cells


def _is_id(name: str) -> bool:
    return (
        1 <= len(name) <= 64
        and name.isascii()
        and name.replace("-", "").replace("_", "a").isalnum()
    )


def _as_typed(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell for staff's tools that shows its text as it was typed, and of its outputs plain text
    alone.
    """
    kind = cell.get("cell_type") if cell.get("cell_type") in ("code", "markdown") else "raw"
    found = {
        "cell_type": kind,
        "id": cell["id"],
        "metadata": {"nbgrader": {"grade_id": grade_id_of(cell)}} if grade_id_of(cell) else {},
    }
    source = text_of(cell.get("source"))
    if kind != "code":
        return found | {
            "source": fenced(escaped(source)) if kind == "markdown" else escaped(source)
        }
    shown = [
        {"output_type": "stream", "name": "stdout", "text": visible.code(_cut(text, MAX_PLAIN))}
        for text in _plain(cell)
    ]
    return found | {"source": source, "execution_count": None, "outputs": shown}


def _plain(cell: Mapping[str, Any]) -> list[str]:
    """The text of a cell's outputs."""
    found = []
    for output in map(as_dict, as_list(cell.get("outputs"))[:MAX_OUTPUTS]):
        lines = [str(line) for line in as_list(output.get("traceback"))]
        found.append(
            text_of(output.get("text"))
            or "\n".join(lines)
            or text_of(as_dict(output.get("data")).get("text/plain"))
        )
    return [text for text in found if text]


def _cut(text: str, most: int = MAX_TYPED) -> str:
    """Head and tail of a text that is long, and how much is left out between them."""
    if len(text) <= most:
        return text
    return (
        f"{text[: most // 2]}\n… {len(text) - most} characters left out …\n{text[-(most // 2) :]}"
    )
