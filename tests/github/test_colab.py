"""Notebooks that work on Google Colab too: tried with a stand-in for google.colab and with the
release's files served by this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import homework
import pytest
from commands import Ran
from hub.people import Place, git
from hub.server import Server

from autogradient.github import colab
from autogradient.github.settings import Settings
from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.grading.read_notebook import read_notebook
from autogradient.grading.submission import plan_submission
from autogradient.model.assignment import Assignment
from autogradient.model.result import SubmissionInfo
from autogradient.sources import release
from autogradient.sources.source import load

DATA = "numbers of 2026.csv"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        self.asked.append(self.path)

    asked: list[str] = []


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Where raw files are served: address, folder, and what was asked for."""
    folder, asked = tmp_path / "raw", list[str]()
    folder.mkdir()
    handler = type("Handler", (_Quiet,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", folder, asked
        server.shutdown()
        thread.join()


@pytest.fixture
def small(course_root: Path) -> Assignment:
    """The course's one assignment, with data beside it, proved and released."""
    folder = homework.write_source(course_root / "source").parent
    (folder / DATA).write_text("3\n4\n")
    assignment = load(folder / "small.py")
    (folder / "proof.json").write_text(json.dumps({"digest": assignment.digest, "proved": True}))
    release.write(release.build(assignment), course_root / "release" / "small")
    return assignment


def run(notebook: Path, place: Path, on_colab: bool) -> dict[str, str]:
    """Run a notebook in a kernel in a folder of its own; returns what each cell printed or raised,
    by cell id.
    """
    fake = place / "fake"
    (fake / "google" / "colab").mkdir(parents=True)
    for package in ("google", "google/colab"):
        (fake / package / "__init__.py").touch()
    (place / "content").mkdir()
    script = (
        "import json, sys, nbformat\nfrom nbclient import NotebookClient\nnotebook = "
        "nbformat.read(sys.argv[1], 4)\n"
        "NotebookClient(notebook, timeout=120, allow_errors=True, "
        "kernel_name='python3').execute()\n"
        "print('RAN ' + json.dumps({c.id: json.dumps(c.outputs) for c in notebook.cells if "
        "c.cell_type == 'code'}))"
    )
    environment = os.environ | ({"PYTHONPATH": str(fake)} if on_colab else {})
    done = subprocess.run(
        [sys.executable, "-c", script, str(notebook)],
        cwd=place / "content",
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, str] = json.loads(done.stdout.rpartition("RAN ")[2])
    return found


def published(small: Assignment, raw: str, folder: Path) -> Path:
    """The published files, where they are served; returns the student's notebook, answered,
    elsewhere.
    """
    settings = Settings("the-course", colab=True, raw=raw)
    built = colab.published(small, settings)
    for name, data in built.files.items():
        target = folder / "the-course" / "release" / "main" / "small" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    notebook = release.load(built)
    for cell in notebook["cells"]:
        part = cell["id"].removesuffix("-answer")
        cell["source"] = (
            homework.ANSWERS[part]
            if part in homework.ANSWERS and cell["id"] != part
            else cell["source"]
        )
    path = folder.parent / "mine.ipynb"
    path.write_text(json.dumps(notebook))
    return path


@pytest.mark.timeout(600)
def test_on_colab_the_first_cell_brings_what_the_checks_need(
    small: Assignment, raw: tuple[str, Path, list[str]], tmp_path: Path
) -> None:
    address, folder, asked = raw
    outputs = run(published(small, address, folder), tmp_path, on_colab=True)
    assert (
        outputs["colab-setup"] == "[]"
        and "passed" in outputs["double"]
        and "passed" in outputs["pick"]
    ), outputs
    fetched = {
        path.relative_to(tmp_path / "content").as_posix()
        for path in (tmp_path / "content").rglob("*")
        if path.is_file() and path.name != ".OTTER_LOG"
    }
    assert (
        fetched >= {DATA, "tests/double.py", "tests/total.py", "tests/scale.py", "tests/pick.py"}
        and len(asked) == 5
    )
    assert (tmp_path / "content" / DATA).read_text() == "3\n4\n"


@pytest.mark.timeout(600)
def test_elsewhere_it_does_nothing(
    small: Assignment, raw: tuple[str, Path, list[str]], tmp_path: Path
) -> None:
    address, folder, asked = raw
    outputs = run(published(small, address, folder), tmp_path, on_colab=False)
    assert (
        outputs["colab-setup"] == "[]"
        and asked == []
        and not (tmp_path / "content" / "tests").exists()
    )
    assert "_on_colab" not in json.dumps(
        {name: text for name, text in outputs.items() if name != "colab-setup"}
    )


def test_a_grader_knows_the_cell_and_never_runs_it(
    small: Assignment, raw: tuple[str, Path, list[str]], engine: Engine
) -> None:
    data = published(small, raw[0], raw[1]).read_bytes()
    plain = homework.Notebook(small).bytes()
    (with_cell, without) = (
        plan_submission(small, read_notebook(each, "small.ipynb")) for each in (data, plain)
    )
    assert (
        not [step for step in with_cell.steps if "_on_colab" in step.source]
        and with_cell.problems == without.problems == []
    )
    assert [(step.do, step.source, step.part) for step in with_cell.steps] == [
        (step.do, step.source, step.part) for step in without.steps
    ]
    results = [
        grade_bytes(small, each, "small.ipynb", engine, SubmissionInfo()).result
        for each in (data, plain)
    ]
    assert (
        results[0].points == results[1].points
        and results[0].points.earned == 6
        and results[0].sealed
    )


def test_an_answer_typed_into_it_is_not_lost(
    small: Assignment, raw: tuple[str, Path, list[str]]
) -> None:
    notebook = json.loads(published(small, raw[0], raw[1]).read_text())
    notebook["cells"][0]["source"] += "\n" + homework.ANSWERS["double"]
    next(cell for cell in notebook["cells"] if cell["id"] == "double-answer")["source"] = ""
    found = plan_submission(small, read_notebook(json.dumps(notebook).encode(), "small.ipynb"))
    assert found.attempted["double"] and found.answers["double"] == [0]


# ---- publish -------------------------------------------------------------------------------------


def ask_for_colab(place: Place) -> None:
    path = place.root / "grader_config" / "github.toml"
    path.write_text(path.read_text() + "colab = true\n")


def test_published_with_a_badge_where_the_settings_ask_for_it(
    place: Place, small: Assignment, tmp_path: Path
) -> None:
    (place.root / "grader_config" / "course.toml").write_text('format = 1\nname = "Small"\n')
    Ran(place.root, "publish", "--to", str(tmp_path / "plain"))
    assert (
        "colab"
        not in (
            (tmp_path / "plain" / "small" / "small.ipynb").read_text()
            + (tmp_path / "plain" / "README.md").read_text()
        ).lower()
    )
    ask_for_colab(place)
    assert Ran(place.root, "publish", "--to", str(tmp_path / "asked")).code == 0
    notebook = json.loads((tmp_path / "asked" / "small" / "small.ipynb").read_text())
    cell = notebook["cells"][0]
    assert (
        cell["id"] == "colab-setup"
        and cell["metadata"]["editable"] is cell["metadata"]["deletable"] is False
    )
    assert (
        f"otter-grader=={version('otter-grader')}" in cell["source"]
        and "https://raw.githubusercontent.com/the-course/release/main/small/" in cell["source"]
    )
    assert notebook["cells"][1:] == release.load(release.build(small))["cells"]
    readme = (tmp_path / "asked" / "README.md").read_text()
    assert (
        "(https://colab.research.google.com/github/the-course/release/blob/main/small/small.ipynb)"
        in readme
    )
    assert Ran(place.root, "publish", "--to", str(tmp_path / "asked")).out.startswith(
        "nothing to publish"
    )


def test_a_private_release_cannot_be_read_from_colab(
    place: Place, small: Assignment, github: Server
) -> None:
    (place.root / "grader_config" / "course.toml").write_text('format = 1\nname = "Small"\n')
    ask_for_colab(place)
    ran = Ran(place.root, "publish")
    assert (
        ran.code != 0
        and "colab: the-course/release is private, so Colab cannot fetch anything from it"
        in ran.err
    )
    github.state.repositories["the-course/release"] |= {"private": False, "visibility": "public"}
    assert Ran(place.root, "publish").code == 0
    assert "colab-setup" in git(
        github.state.bare("the-course/release"), "show", "main:small/small.ipynb"
    )
