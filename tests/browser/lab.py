"""A JupyterLab server of our own, started as `make lab` starts it, and a notebook open in it as
people see it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
TOKEN = "autogradient-test"


def environment(home: Path, config: Path) -> dict[str, str]:
    """The environment of `make lab` for a course whose configuration is in `config`, with a home of
    its own.
    """
    mine = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY_", "XDG_"))
    }
    return mine | {
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_CONFIG_PATH": os.pathsep.join([str(config / "jupyter"), str(config)]),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Lab:
    """A running JupyterLab."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self.log = log

    def url(self, path: str) -> str:
        """The address of a page, for example `lab/tree/notebook.ipynb`."""
        return f"http://127.0.0.1:{self.port}/{path}?token={TOKEN}"

    def get(self, path: str) -> Any:
        """The JSON that the server's API answers."""
        with urllib.request.urlopen(self.url(path), timeout=60) as answer:
            return json.load(answer)

    def wait(self) -> None:
        """Until its API answers."""
        deadline = time.monotonic() + 120
        while True:
            try:
                self.get("api/status")
                return
            except urllib.error.URLError:
                assert time.monotonic() < deadline, self.log.read_text()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.2)
                raise AssertionError(self.log.read_text())  # it ended


@contextlib.contextmanager
def running(root: Path, home: Path, config: Path) -> Iterator[Lab]:
    """A JupyterLab that listens; on a port that was free just before."""
    settings = home / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # All cells stay in the page, so that the nth cell of the notebook is the nth in the page.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
    ]
    command += [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={root}"]
    log = home / "server.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=environment(home, config),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    lab = Lab(process, port, log)
    try:
        lab.wait()
        yield lab
    finally:
        for kind in (signal.SIGTERM, signal.SIGKILL):  # the first lets it end its kernels
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, kind)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
                break


class NotebookPage:
    """A notebook open in JupyterLab."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel:visible")

    def wait(self) -> None:
        """Until the notebook is shown and its kernel waits. (The circle in the toolbar shows "idle"
        before there is a kernel.)
        """
        self.panel.locator(".jp-Notebook").wait_for()
        self.page.locator("#jp-bottom-panel").get_by_text("| Idle").wait_for()

    def cell(self, number: int) -> Any:
        """The cell at a place, counted from 0; scrolled to, because JupyterLab makes an editor only
        when it is looked at.
        """
        cell = self.panel.locator(".jp-Notebook .jp-Cell").nth(number)
        cell.scroll_into_view_if_needed()
        return cell

    def find(self, text: str) -> int:
        """The place of the first cell with a text in it."""
        count = self.panel.locator(".jp-Notebook .jp-Cell").count()
        return next(i for i in range(count) if text in self.cell(i).inner_text())

    def press_run(self, number: int) -> Any:
        """Select a cell, folded or not, and run it by keyboard. Does not wait for it."""
        cell = self.cell(number)
        cell.click(position={"x": 30, "y": 10})
        self.page.keyboard.press("Control+Enter")
        return cell

    def run(self, number: int) -> Any:
        """Run a code cell that is not folded, until it has run: until its number is a new one."""
        from playwright.sync_api import expect

        prompt = self.cell(number).locator(".jp-InputPrompt")
        before = prompt.inner_text()
        cell = self.press_run(number)
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(re.compile(r"\[\d+\]"))
        return cell

    def type(self, number: int, text: str) -> None:
        """Replace what stands in a code cell, by keyboard."""
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def save(self) -> None:
        """Save by keyboard, and wait until the tab says so."""
        self.page.keyboard.press("Control+S")
        self.page.locator(
            ".lm-DockPanel-tabBar .lm-TabBar-tab.lm-mod-current:not(.jp-mod-dirty)"
        ).wait_for()
