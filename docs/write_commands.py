"""Writes what is made from elsewhere; `make docs` runs it.

docs/commands.md from the commands' own help, docs/result.schema.json from the model, and the example into docs/source-format.md.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from autogradient import result
from autogradient.cli import cli

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
    context = click.Context(command, info_name=name, terminal_width=100, help_option_names=["-h", "--help"])
    return command.get_help(context).rstrip()


def schema() -> str:
    """The JSON schema of a result."""
    return json.dumps(result.schema(), indent=1, ensure_ascii=False) + "\n"


def source_format() -> str:
    """The page of the source format with the example as it stands in its file."""
    before, start, _ = (HERE / "source-format.md").read_text(encoding="utf-8").rpartition("```python\n# ---\n")
    assert start, "docs/source-format.md has no example to replace"
    example = (HERE / "example" / "two-neurons.py").read_text(encoding="utf-8")
    return f"{before}```python\n{example}```\n"


FILES = {"commands.md": commands, "result.schema.json": schema, "source-format.md": source_format}

if __name__ == "__main__":
    for name, write in FILES.items():
        (HERE / name).write_text(write(), encoding="utf-8")
