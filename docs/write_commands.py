"""Writes what is made from elsewhere; `make docs` runs it.

docs/commands.md from the commands' own help, docs/result.schema.json from the model, the example
into docs/source-format.md, and into docs/security.md the table of layers and what its commands
print.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from pathlib import Path

import click

from autogradient.cli.main import cli
from autogradient.model import result
from autogradient.sandbox import LAYERS

HERE = Path(__file__).parent
HEAD = """# The commands

What `autogradient COMMAND --help` says, written by `make docs`; a test fails where the two differ.

"""


def commands() -> str:
    """The page of all commands, each as its help stands in a terminal of 100 columns."""
    blocks = [f"```text\n{_help(cli, 'autogradient')}\n```"]
    for name, command in cli.commands.items():
        blocks.append(f"## {name}\n\n```text\n{_help(command, f'autogradient {name}')}\n```")
    return HEAD + "\n\n".join(blocks) + "\n"


def _help(command: click.Command, name: str) -> str:
    context = click.Context(
        command, info_name=name, terminal_width=100, help_option_names=["-h", "--help"]
    )
    return command.get_help(context).rstrip()


def schema() -> str:
    """The JSON schema of a result."""
    return json.dumps(result.schema(), indent=1, ensure_ascii=False) + "\n"


def source_format() -> str:
    """The page of the source format with the example as it stands in its file."""
    before, start, _ = (
        (HERE / "source-format.md").read_text(encoding="utf-8").rpartition("```python\n# ---\n")
    )
    assert start, "docs/source-format.md has no example to replace"
    example = (HERE / "example" / "two-neurons.py").read_text(encoding="utf-8")
    return f"{before}```python\n{example}```\n"


def security() -> str:
    """The page on security with every layer of confinement in its table, and under each command
    what it prints.
    """
    page = (HERE / "security.md").read_text(encoding="utf-8")
    rows = "".join(f"| {name} | {purpose} |\n" for name, purpose in LAYERS.items())
    page = re.sub(
        r"(\| layer \| what it is for \|\n\|---\|---\|\n)(\|.*\n)+",
        lambda found: found[1] + rows,
        page,
    )
    return re.sub(
        r"^(\$ python -c .*\n).*\n",
        lambda found: found[1] + _printed(found[1]),
        page,
        flags=re.MULTILINE,
    )


def _printed(command: str) -> str:
    """What a line `$ python -c "…"` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(shlex.split(command)[3], {})
    return printed.getvalue()


FILES = {
    "commands.md": commands,
    "result.schema.json": schema,
    "source-format.md": source_format,
    "security.md": security,
}

if __name__ == "__main__":
    for name, write in FILES.items():
        (HERE / name).write_text(write(), encoding="utf-8")
