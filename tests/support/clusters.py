"""A real Dask scheduler and real workers on this machine, each a process of its own; and a course
with many small submissions.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import homework
from proved import prove_course

from autogradient.model.result import Result

#: Seconds that anything is waited for.
LONG_S = 120

ENDLESS = homework.ANSWERS | {"scale": "def scale(x):\n    while True:\n        pass"}
HOSTILE = homework.ANSWERS | {
    "double": (
        "import os, signal\ndef double(x):\n    for pid in range(2, 400):\n        "
        "try:\n            os.kill(pid, signal.SIGKILL)\n        except "
        "OSError:\n            pass\n    os._exit(0)"
    )
}
#: Right, partly right, wrong, crashing, empty, broken: what classes hand in.
VARIANTS: list[dict[str, str] | bytes] = [
    homework.ANSWERS,
    homework.ANSWERS | {"double": "def double(x):\n    return 2 * x", "total": "total = 24"},
    homework.ANSWERS
    | {"scale": "def scale(x):\n    raise ValueError('not yet')", "why": "Because."},
    {"double": "def double(x):\n    return x + x if x > 0 else 0"},
    homework.ANSWERS | {"scale": "import os\nos._exit(3)"},
    {},
    b"no notebook",
]


def until(condition: Callable[[], Any], what: str) -> Any:
    """What the condition gives, once it is true."""
    deadline = time.monotonic() + LONG_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {LONG_S} s"
        time.sleep(0.002)
    return found


def write_course(
    root: Path, count: int, variants: list[dict[str, str] | bytes] | None = None
) -> None:
    """A course with one small assignment, and `count` submissions like none other."""
    (root / "grader_config").mkdir(parents=True)
    (root / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nrelease = "1"\nseed = 1\nassignments = ["small"]\n'
    )
    assignment = homework.assignment(root / "source")
    variants = variants or VARIANTS
    for number in range(count):
        path = root / "submitted" / f"student{number:03d}" / "small" / "small.ipynb"
        path.parent.mkdir(parents=True)
        variant = variants[number % len(variants)]
        if isinstance(variant, bytes):
            path.write_bytes(variant)
            continue
        notebook = homework.Notebook(assignment, variant)
        notebook.insert("", f"# written by {number}", "code")
        path.write_bytes(notebook.bytes())
    prove_course(root)


def without_times(result: Result) -> dict[str, Any]:
    """What a result says, times aside."""
    data: dict[str, Any] = result.model_dump(mode="json") | {"graded_at": ""}
    for case in (
        case
        for question in data["questions"]
        for part in question["parts"]
        for case in part["cases"]
    ):
        case["seconds"] = None
    return data


def results_of(root: Path) -> dict[str, Any]:
    """The results of a course by student, times aside; nothing half-written lies beside them."""
    files = [
        path
        for path in (root / "results" / "small").iterdir()
        if not path.name.endswith(".staff.json")
    ]
    assert all(path.suffix == ".json" and not path.name.startswith(".") for path in files), files
    return {path.stem: without_times(Result.from_json(path.read_bytes())) for path in files}


class Machines:
    """A context manager: `start` the scheduler, then workers; each has a log file and a folder of
    its own below `home`.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.options: list[str] = []
        self.file = home / "scheduler.json"

    def __enter__(self) -> Machines:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.kill(name)

    def start(self, *options: str) -> str:
        """The scheduler; `options` are for it and for all workers. Returns its address."""
        self.options = list(options)
        self.file.unlink(missing_ok=True)
        self._run(
            "scheduler",
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--scheduler-file",
            str(self.file),
            "--no-dashboard",
            *options,
        )
        return until(self._address, "the scheduler starts")  # type: ignore[no-any-return]

    def _address(self) -> str:
        try:
            address: str = json.loads(self.file.read_text())["address"]
            return address
        except (OSError, ValueError):
            return ""

    def worker(
        self, name: str, *options: str, preload: str = "", before: Callable[[], None] | None = None
    ) -> None:
        """A worker of one thread. `preload` is Python that runs in it first, `before` runs in the
        fork before it is Python.
        """
        folder = self.home / name
        folder.mkdir()
        more = list(options)
        if preload:
            (folder / "first.py").write_text(preload)
            more += ["--preload", str(folder / "first.py")]
        common = [
            "--scheduler-file",
            str(self.file),
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--local-directory",
            str(folder),
        ]
        self._run(name, "worker", "--name", name, *common, *self.options, *more, before=before)

    def _run(
        self, name: str, what: str, *arguments: str, before: Callable[[], None] | None = None
    ) -> None:
        with open(self.home / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "dask", what, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=before,
                env={
                    **os.environ,
                    "TMPDIR": str(self.home),
                    "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info",
                },
                start_new_session=True,
            )

    def signal(self, name: str, number: int) -> None:
        """Send a signal to one."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.running[name].pid, number)

    def kill(self, name: str) -> None:
        """`kill -9` one, and wait."""
        self.signal(name, signal.SIGCONT)
        self.signal(name, signal.SIGKILL)
        self.running.pop(name).wait()

    def log(self, name: str) -> str:
        """What one has said."""
        return (self.home / f"{name}.log").read_text(errors="replace")
