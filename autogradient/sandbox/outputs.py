"""Outputs of a cell as a notebook can hold them, made of what an untrusted process sent."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

#: Outputs of one cell that are looked at, and characters of each.
MAX_ITEMS, MAX_TEXT = 1000, 250_000
#: Characters of the name of an error and of its text, of the name of a MIME type; types of one
#: output.
MAX_NAME, MAX_VALUE, MAX_MIME, MAX_MIMES = 200, 10_000, 100, 20
#: Levels of lists and dicts in an output's data.
MAX_LEVELS = 30
#: Characters that all outputs of one cell come to as JSON, and what takes the place of more.
MAX_SHOWN, NOT_SHOWN = 15_000_000, "output left out: this cell shows too much\n"
_MIME = re.compile(r"[\w.+-]+/[\w.+;= -]+", re.ASCII)


def as_shown(found: Any) -> tuple[list[dict[str, Any]], int]:
    """What a cell showed, as a notebook can hold it, and its size: whatever else the process sent
    is left out, and what is too much.
    """
    out: list[dict[str, Any]] = []
    size = 0
    for item in _as_outputs(found):
        size += len(json.dumps(item))
        if size > MAX_SHOWN:
            notice = {"output_type": "stream", "name": "stderr", "text": NOT_SHOWN}
            return [*out, notice], MAX_SHOWN
        out.append(item)
    return out, size


def _as_outputs(found: Any) -> Iterator[dict[str, Any]]:
    for item in found[:MAX_ITEMS] if isinstance(found, list) else ():
        if not isinstance(item, dict):
            continue
        kind = item.get("output_type")
        if (
            kind == "stream"
            and item.get("name") in ("stdout", "stderr")
            and isinstance(item.get("text"), str)
        ):
            yield {"output_type": "stream", "name": item["name"], "text": item["text"][:MAX_TEXT]}
        elif kind == "error" and isinstance(item.get("traceback"), list):
            lines = [line[:MAX_TEXT] for line in item["traceback"][:100] if isinstance(line, str)]
            named = {
                "ename": str(item.get("ename"))[:MAX_NAME],
                "evalue": str(item.get("evalue"))[:MAX_VALUE],
            }
            yield {"output_type": "error", **named, "traceback": lines}
        elif kind in ("display_data", "execute_result") and isinstance(item.get("data"), dict):
            data = {
                mime: value
                for mime, value in itertools.islice(item["data"].items(), MAX_MIMES)
                if _is_mime(mime) and _is_json(value)
            }
            shown: dict[str, Any] = {"output_type": kind, "data": data, "metadata": {}}
            if kind == "execute_result":
                shown["execution_count"] = (
                    item["execution_count"]
                    if isinstance(item.get("execution_count"), int)
                    else None
                )
            yield shown


def _is_mime(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= MAX_MIME and _MIME.fullmatch(name) is not None


def _is_json(value: Any) -> bool:
    """Whether a value is JSON that everything later can walk through."""
    inner = [value]
    for _ in range(MAX_LEVELS):
        inner = [
            item
            for one in inner
            if isinstance(one, (dict, list))
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not inner:
            break
    else:
        return False
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
