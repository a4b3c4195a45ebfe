"""The one place where commands print: whatever a student wrote into it, a terminal or a log shows
it and obeys nothing in it.
"""

from __future__ import annotations

import json
from typing import Any

import click

from autogradient import visible


def say(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print lines, on standard error with `err`."""
    click.echo(visible.lines(text), err=err, nl=nl)


def say_json(data: Any) -> None:
    """Print data as JSON."""
    click.echo(visible.written(json.dumps(data, indent=1, ensure_ascii=False)))
