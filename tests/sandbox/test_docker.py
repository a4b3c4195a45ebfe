"""Grading in a container of a real Docker engine, with the options that docs/security.md names. The
container has this machine's Python, read-only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import homework
import pytest
from proved import prove_course

import autogradient

ROOT = Path(autogradient.__file__).parents[1]
IMAGE = "autogradient-test"
READY_S = 60
#: Folders of this machine that a Python in the container needs, and single files.
SHOWN = dict.fromkeys(["/usr", "/opt", sys.base_prefix, sys.prefix, str(ROOT)])
COPIED = (
    "/etc/passwd",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
)


def documented() -> list[str]:
    """The options of the command in docs/security.md."""
    text = (ROOT / "docs/security.md").read_text()
    words = shlex.split(
        next(line for line in text.splitlines() if line.startswith("    docker run "))
    )
    return words[2 : words.index("IMAGE")]


class Docker:
    """An engine, and containers of it."""

    def __init__(self, host: str | None) -> None:
        self.environment = os.environ | ({"DOCKER_HOST": host} if host else {})

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["docker", *words], env=self.environment, capture_output=True, text=True, timeout=200
        )

    def runs(self) -> bool:
        return self.command("info", "--format", "{{.ServerVersion}}").returncode == 0

    def build(self, folder: Path) -> None:
        """An image with nothing in it but what is no folder of `SHOWN`."""
        with tarfile.open(folder / "image.tar", "w") as tar:
            for path in filter(os.path.lexists, COPIED):
                tar.add(path, recursive=not os.path.islink(path))
        made = self.command("import", str(folder / "image.tar"), IMAGE)
        assert made.returncode == 0, made.stderr

    def autogradient(
        self, options: list[str], course: Path, *words: str
    ) -> subprocess.CompletedProcess[str]:
        """`autogradient` in a container that has `course` as its folder."""
        shown = [f"--volume={path}:{path}:ro" for path in SHOWN if os.path.isdir(path)]
        place = [
            f"--volume={course}:{course}",
            f"--workdir={course}",
            "--tmpfs=/tmp:exec",
            "--env=HOME=/tmp",
            "--network=none",
        ]
        return self.command(
            "run",
            "--rm",
            *shown,
            *place,
            *options,
            IMAGE,
            f"{sys.prefix}/bin/python",
            "-m",
            "autogradient",
            *words,
        )


@pytest.fixture(scope="module")
def docker() -> Iterator[Docker]:
    """The engine that runs here, or one of our own."""
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="docker-", ignore_cleanup_errors=True)
            )
        )
        engine = Docker(None)
        if not engine.runs():
            if os.geteuid() != 0 or shutil.which("dockerd") is None:
                pytest.skip(
                    "no Docker engine runs here, and there is no dockerd that we could start"
                )
            engine = Docker(f"unix://{folder}/docker.sock")
            places = [
                f"--data-root={folder}/data",
                f"--exec-root={folder}/exec",
                f"--pidfile={folder}/pid",
                f"--host=unix://{folder}/docker.sock",
            ]
            log = stack.enter_context((folder / "log").open("wb"))
            # no network for containers, and so nothing to change in this machine's
            daemon = subprocess.Popen(
                ["dockerd", *places, "--bridge=none", "--iptables=false", "--ip6tables=false"],
                stdout=log,
                stderr=log,
            )
            stack.callback(daemon.wait, 60)
            stack.callback(daemon.terminate)
            deadline = time.monotonic() + READY_S
            while not engine.runs():
                if daemon.poll() is not None or time.monotonic() > deadline:
                    pytest.skip(
                        "dockerd does not start here: "
                        f"{(folder / 'log').read_text().strip().splitlines()[-1][:300]}"
                    )
                time.sleep(0.2)
        engine.build(folder)
        yield engine


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with one assignment and a right answer to it. Everybody may write there."""
    (tmp_path / "grader_config").mkdir()
    (tmp_path / "grader_config/course.toml").write_text(
        'format = 1\nname = "A small course"\nrelease = "2026.1"\n'
    )
    small = homework.assignment(tmp_path / "source")
    handed_in = tmp_path / "submitted/ada/small/small.ipynb"
    handed_in.parent.mkdir(parents=True)
    handed_in.write_bytes(homework.Notebook(small).bytes())
    prove_course(tmp_path)
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return tmp_path


def test_with_the_documented_options_all_layers_hold(docker: Docker, course: Path) -> None:
    said = docker.autogradient(documented(), course, "doctor")
    assert said.returncode == 0, said
    assert "confined: as root" in said.stdout
    assert "work that nobody vouches for can be graded here" in said.stdout
    assert "MISSING" not in said.stdout and "BROKEN" not in said.stdout


def test_an_ordinary_user_can_grade_in_a_container_too(docker: Docker, course: Path) -> None:
    options = [
        "--user=12345:12345",
        "--security-opt=seccomp=unconfined",
        "--security-opt=apparmor=unconfined",
        "--security-opt=systempaths=unconfined",
    ]
    said = docker.autogradient(options, course, "doctor")
    assert said.returncode == 0, said
    assert "confined: as an ordinary user" in said.stdout


def test_a_class_is_graded_sealed_in_a_container(docker: Docker, course: Path) -> None:
    said = docker.autogradient(documented(), course, "grade", "--all")
    assert said.returncode == 0, said
    (path,) = (
        path
        for path in (course / "results/small").glob("*.json")
        if not path.name.endswith(".staff.json")
    )
    result = json.loads(path.read_text())
    assert (result["outcome"], result["sealed"], result["points"]["earned"]) == ("graded", True, 6)


def test_without_the_options_nothing_is_graded_and_the_message_says_what_to_set(
    docker: Docker, course: Path
) -> None:
    said = docker.autogradient([], course, "doctor")
    assert (
        said.returncode == 1
        and "work that nobody vouches for cannot be graded here; docs/security.md says what to set"
        in said.stdout
    )
    refused = docker.autogradient([], course, "grade", "--all")
    assert (
        refused.returncode != 0
        and "in a container: --cap-add SYS_ADMIN --security-opt seccomp=unconfined"
        in refused.stderr
    )
    assert not list(course.glob("results/small/*.json"))
