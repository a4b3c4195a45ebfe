"""A command, run as a person runs it, in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from autogradient.cli.main import main


class Ran:
    """What came of a command."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.args = arguments
        self.code = 0
        out, err = io.StringIO(), io.StringIO()
        argv, sys.argv = sys.argv, ["autogradient", *arguments]
        try:
            with (
                contextlib.chdir(folder),
                contextlib.redirect_stdout(out),
                contextlib.redirect_stderr(err),
            ):
                main()
        except SystemExit as end:
            self.code = end.code if isinstance(end.code, int) else 0
        finally:
            sys.argv = argv
        self.out, self.err = out.getvalue(), err.getvalue()

    def __repr__(self) -> str:
        return f"autogradient {' '.join(self.args)}: exit code {self.code}\n{self.out}{self.err}"
