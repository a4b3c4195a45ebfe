"""A student's notebook with other cells → the file, as the student's editor would write it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Container, Mapping
from typing import Any

from autogradient.github.past_releases import metadata_of, source_of

_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def written(
    cells: list[dict[str, Any]],
    before: Mapping[str, Any],
    file: bytes,
    metadata: Mapping[str, Any],
    ours: Container[str],
) -> bytes:
    """The notebook `before` with these cells as a file, in the manner in which `file` was written.
    `metadata` is the release's; cells whose ids are among `ours` keep them.
    """
    taken = {str(cell["id"]) for cell in cells if cell.get("id") in ours}
    for cell in cells:
        if cell.get("cell_type", "code") == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
        else:
            cell.pop("outputs", None)
            cell.pop("execution_count", None)
        mine = str(cell.get("id", ""))
        if mine in ours:
            continue
        number = 0
        while not _ID.fullmatch(mine) or mine in taken:
            words = f"{number} {source_of(cell)}".encode("utf-8", "replace")
            mine = f"own-{hashlib.sha256(words).hexdigest()[:12]}"
            number += 1
        taken.add(mine)
        cell["id"] = mine
    data = dict(before)
    meta = metadata_of(data)
    minor = data.get("nbformat_minor")
    data |= {
        "cells": cells,
        "metadata": {**metadata, **meta, "autogradient": metadata["autogradient"]},
        "nbformat": 4,
        "nbformat_minor": minor if isinstance(minor, int) and minor >= 5 else 5,
    }
    indent = re.match(rb"\s*\{\r?\n( {1,8})\"", file)
    return (
        json.dumps(data, indent=len(indent[1]) if indent else 1, ensure_ascii=False) + "\n"
    ).encode("utf-8", "replace")
