"""A server's troubles: caches that cannot be written, a full disk. They cost time, never verdicts;
and what could not be graded is named, with its cause.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import classroom
import pytest
from classroom import RIGHT, WEAKER, hand_in
from commands import Ran
from proved import prove_course

from autogradient.course import config
from autogradient.course.config import Course
from autogradient.coursework import grade_course
from autogradient.grading.batch import Local
from autogradient.grading.engine import Engine
from autogradient.model import files

MARKS = {"ada": 6, "bob": 4.5}


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    here = classroom.make(tmp_path_factory.mktemp("troubles"))
    for student, answers in (("ada", RIGHT), ("bob", WEAKER)):
        hand_in(here, student, answers, "2026-10-12 09:00:00 UTC")
    prove_course(here.root)
    return here.root


@pytest.fixture
def here(handed_in: Path, tmp_path: Path) -> Course:
    shutil.copytree(handed_in, tmp_path / "course")
    return config.load(tmp_path / "course")


def marks(here: Course) -> dict[str, float]:
    found = {
        path.stem: json.loads(path.read_text()) for path in here.results.glob("small/???.json")
    }
    return {student: result["points"]["earned"] for student, result in found.items()}


def test_caches_that_cannot_be_written_cost_no_verdict(
    here: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/1/nope")
    here.results.mkdir(exist_ok=True)
    (here.results / ".verdicts").write_text("a file")
    ran = Ran(here.root, "grade", "--all")
    assert ran.code == 0 and marks(here) == MARKS, ran
    assert ran.err.count("cannot be written") == 1 and "results/.verdicts" in ran.err


def test_a_folder_that_is_gone_and_a_proof_of_bytes_are_said_in_a_sentence(
    here: Course, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    line = "rmdir ../gone && exec $0 -m autogradient.cli.main report"
    ran = subprocess.run(
        ["bash", "-c", line, sys.executable], cwd=tmp_path / "gone", capture_output=True, text=True
    )
    assert ran.returncode == 2 and "change to another one" in ran.stderr, ran
    assert len(ran.stderr.splitlines()) == 1
    (here.source("small") / "proof.json").write_bytes(bytes(range(256)))
    refused = Ran(here.root, "grade", "--all")
    assert refused.code == 1 and "Traceback" not in refused.err and "prove small" in refused.err


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT"])
def test_a_signal_that_asks_to_end_leaves_nothing_behind(
    here: Course, tmp_path: Path, name: str
) -> None:
    hand_in(here, "cyd", RIGHT | {"double": "import time\ntime.sleep(60)"}, "2026-10-12 09:00")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    left = temporary / "autogradient-killed"
    left.mkdir()
    (left / ".lock").touch()
    with subprocess.Popen(
        [sys.executable, "-m", "autogradient.cli.main", "grade", "--all", "--jobs", "1"],
        cwd=here.root,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(getattr(signal, name), signal.SIG_DFL) and None,
    ) as process:
        while not [path for path in temporary.glob("autogradient-*") if path != left]:
            assert process.poll() is None
        assert not left.exists() or not process.poll(), "what a killed one left goes"
        process.send_signal(getattr(signal, name))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + getattr(signal, name) and "interrupted" in said, said
    assert not list(temporary.glob("autogradient-*"))


@pytest.mark.parametrize("home", ["/nonexistent", "", None])
def test_a_user_without_a_home_has_a_cache_nowhere_or_elsewhere(
    home: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if home is None:
        monkeypatch.delenv("HOME")
        monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])  # as with docker run -u 4711
    else:
        monkeypatch.setenv("HOME", home)
    if home != "/nonexistent":  # which root could make
        files.keep_cached(b"something", "autogradient-test", "entry")
    assert files.read_cached("autogradient-test", "nothing") is None
    assert not list(tmp_path.iterdir()), "nothing is written where one happens to stand"
    if (kept := files.cached("autogradient-test")) and kept.exists():
        shutil.rmtree(kept)


def test_what_was_not_graded_is_named_once_for_each_cause(
    here: Course, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/autogradient-x")

    monkeypatch.setattr(Local, "grade", full)
    graded = grade_course.grade_course(here, [classroom.small(here)], Local(engine, 2))
    assert graded.failed
    (sentence,) = graded.skipped
    assert "No space left on device (/tmp/autogradient-x)" in sentence
    assert "ada/small" in sentence and "bob/small" in sentence
    monkeypatch.undo()
    graded = grade_course.grade_course(here, [classroom.small(here)], Local(engine, 2))
    assert not graded.failed and not graded.skipped and marks(here) == MARKS
