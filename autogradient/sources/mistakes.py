"""The mistakes of one source, collected so that all of them can be told at once, each with its
line and cell.
"""

from __future__ import annotations

import re
from pathlib import Path

from autogradient import errors
from autogradient.errors import Mistake


class Mistakes:
    """What is wrong in a source, as far as it has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = errors.relative(path)
        self.text = ""
        self.found: list[Mistake] = []
        # of the cells' first lines; empty where the file has no useful ones
        self.lines: list[int] = []
        # of each cell, how many lines of a directive stand above its text
        self.above: dict[int, int] = {}

    def wrong(self, cell: int, message: str, offset: int = 0) -> None:
        """A mistake in a cell, `offset` lines below its first."""
        line = (
            self.lines[cell - 1] + offset
            if 0 < cell <= len(self.lines)
            else (1 if self.lines else 0)
        )
        self.found.append(Mistake(self.file, line, cell, message))

    def wrong_front(self, key: str, message: str) -> None:
        """A mistake in the front matter, at the line of its key."""
        found = (
            re.search(rf"^#\s+{re.escape(key)}:", self.text, re.MULTILINE)
            if self.lines and key
            else None
        )
        line = self.text.count("\n", 0, found.start()) + 1 if found else (1 if self.lines else 0)
        self.found.append(Mistake(self.file, line, 0, message))
