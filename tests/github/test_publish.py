"""`publish`: what students get, in which commits, and what is never written; and the workflow that
runs their checks.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import homework
import pytest
import yaml
from commands import Ran
from hub.people import Place, git, push
from hub.server import Server
from packaging.requirements import Requirement

from autogradient.github.publish import TEMPLATES
from autogradient.model.assignment import Assignment
from autogradient.sources import release
from autogradient.sources.source import load

ROOT = Path(__file__).parents[2]
WORKFLOW = TEMPLATES / "check.yml"
BIN = Path(sys.executable).parent


def proved(root: Path, name: str = "small") -> Assignment:
    """Release an assignment as it stands, with a proof."""
    assignment = load(root / "source" / name / f"{name}.py")
    (root / "source" / name / "proof.json").write_text(
        json.dumps({"digest": assignment.digest, "proved": True})
    )
    release.write(release.build(assignment), root / "release" / name)
    return assignment


@pytest.fixture
def root(course_root: Path) -> Path:
    """A course with two assignments, proved and released."""
    (course_root / "grader_config").mkdir(parents=True)
    (course_root / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "A small course"\nassignments = ["small", "other"]\n'
    )
    for name in ("small", "other"):
        homework.write_source(course_root / "source", name)
        proved(course_root, name)
    return course_root


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An empty repository to publish to."""
    path = tmp_path / "release.git"
    path.mkdir()
    git(path, "init", "--quiet", "--bare", "--initial-branch=main", ".")
    return path


def change(root: Path, old: str, new: str, name: str = "small") -> None:
    """Edit a source, prove and release it."""
    path = root / "source" / name / f"{name}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    proved(root, name)


def files(bare: Path) -> list[str]:
    """What the repository holds."""
    return git(bare, "ls-tree", "-r", "--name-only", "main").splitlines()


# ---- what is written -----------------------------------------------------------------------------


def test_students_get_the_release_its_checks_and_an_environment(root: Path, bare: Path) -> None:
    ran = Ran(root, "publish", "--to", str(bare))
    assert ran.code == 0, ran
    small = load(root / "source" / "small" / "small.py")
    built = release.build(small)
    expected = {
        f"{name}/{path.replace('small.ipynb', f'{name}.ipynb')}"
        for name in ("small", "other")
        for path in built.files
    }
    course_files = {
        ".devcontainer/devcontainer.json",
        ".github/check.py",
        ".github/workflows/check.yml",
        ".gitignore",
        "README.md",
        "environment.yml",
        "requirements.txt",
    }
    assert set(files(bare)) == expected | course_files | {
        ".github/release/small.json",
        ".github/release/other.json",
    }
    assert git(bare, "show", "main:small/small.ipynb") + "\n" == built.notebook.decode()
    assert git(bare, "log", "--reverse", "--format=%s", "main").splitlines() == [
        (
            "Course files: .devcontainer/devcontainer.json, .github/check.py, "
            ".github/workflows/check.yml, .gitignore, README.md, environment.yml, "
            "requirements.txt"
        ),
        "Small numbers (small): new, 5 questions",
        "Small numbers (other): new, 5 questions",
    ]
    readme = git(bare, "show", "main:README.md")
    assert (
        "# A small course" in readme
        and "| [Small numbers](small/small.ipynb) | 5 | 8 | 5 |" in readme
        and "colab" not in readme.lower()
    )
    json.loads(git(bare, "show", "main:.devcontainer/devcontainer.json"))


def test_nothing_secret_is_published(root: Path, bare: Path) -> None:
    Ran(root, "publish", "--to", str(bare))
    everything = git(bare, "grep", "-h", "", "main")
    for secret in ("test_arrays", "test_proportions", "SOLUTION", "BEGIN HIDDEN"):
        assert secret not in everything


def test_nothing_changed_means_no_commit(root: Path, bare: Path) -> None:
    Ran(root, "publish", "--to", str(bare))
    before = git(bare, "rev-parse", "main")
    ran = Ran(root, "publish", "--to", str(bare))
    assert (
        ran.out == "nothing to publish: everything is as it should be\n"
        and git(bare, "rev-parse", "main") == before
    )


def test_a_change_is_one_commit_that_says_which_questions(root: Path, bare: Path) -> None:
    Ran(root, "publish", "--to", str(bare))
    before = git(bare, "rev-parse", "main")
    change(root, "# Small numbers\n", "# Small numbers\n#\n# Now with a word of welcome.\n")
    ran = Ran(root, "publish", "--to", str(bare))
    assert ran.out == "Small numbers (small): changed\npublished in 1 steps\n"
    assert git(bare, "rev-parse", "main^") == before
    message = git(bare, "log", "-1", "--format=%B", "main")
    assert (
        re.search(r"^Cells of the notebook: \S+$", message, re.MULTILINE)
        and "Files: small/small.ipynb" in message
    )


def test_what_is_no_longer_released_goes_and_what_others_added_stays(
    root: Path, bare: Path, tmp_path: Path
) -> None:
    Ran(root, "publish", "--to", str(bare))
    work = tmp_path / "work"
    git(tmp_path, "clone", "--quiet", str(bare), str(work))
    (work / "small" / "tests" / "old.py").write_text("x")
    (work / "LICENSE").write_text("MIT")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "By hand")
    git(work, "push", "--quiet")
    Ran(root, "publish", "--to", str(bare))
    assert (
        "small/tests/old.py" not in files(bare)
        and "LICENSE" in files(bare)
        and "By hand" in git(bare, "log", "--format=%s")
    )


def test_one_assignment_can_be_published_and_the_others_stay(root: Path, bare: Path) -> None:
    Ran(root, "publish", "small", "--to", str(bare))
    assert not [path for path in files(bare) if path.startswith("other/")]
    Ran(root, "publish", "other", "--to", str(bare))
    readme = git(bare, "show", "main:README.md")
    assert (
        "small/small.ipynb" in readme
        and "other/other.ipynb" in readme
        and "small/small.ipynb" in files(bare)
    )


def test_students_are_told_how_often_they_may_hand_in(root: Path, bare: Path) -> None:
    Ran(root, "publish", "--to", str(bare))
    assert "Push as often as you like: to" in git(bare, "show", "main:README.md")
    with (root / "grader_config" / "course.toml").open("a") as file:
        file.write('timezone = "Europe/Berlin"\nattempts_per_day = 4\n')
    Ran(root, "publish", "--to", str(bare))
    assert (
        "(what is handed in more than 4 times a day, by the clock of Europe/Berlin, is received"
        in git(bare, "show", "main:README.md")
    )


def test_the_courses_own_files_stand_for_ours(root: Path, bare: Path) -> None:
    own = root / "grader_config" / "student"
    own.mkdir()
    (own / "README.md").write_text("# Ours\n")
    (own / "LICENSE").write_text("CC\n")
    Ran(root, "publish", "--to", str(bare))
    assert (
        git(bare, "show", "main:README.md") == "# Ours"
        and git(bare, "show", "main:LICENSE") == "CC"
    )


@pytest.mark.parametrize("fault", ["unproved", "another version", "stale", "leaking"])
def test_what_is_not_proved_stale_or_leaking_is_not_published_nor_anything_with_it(
    root: Path, bare: Path, fault: str
) -> None:
    source = root / "source" / "other"
    if fault == "unproved":
        (source / "proof.json").unlink()
    elif fault == "another version":
        (source / "proof.json").write_text('{"digest": "sha256:0", "proved": true}')
    elif fault == "stale":
        (root / "release" / "other" / "other.ipynb").write_text("{}")
    else:
        (source / "data.txt").write_text(
            "    assert np.allclose(scale([1.0, 3.0]), [0.25, 0.75])\n"
        )
        proved(root, "other")
    ran = Ran(root, "publish", "--to", str(bare))
    assert ran.code == 1 and not ran.out and "Traceback" not in ran.err, ran
    assert git(bare, "for-each-ref") == ""


def test_somebody_elses_push_is_never_overwritten(
    root: Path, bare: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from autogradient.github.git import Bare

    Ran(root, "publish", "--to", str(bare))
    change(root, "# Small numbers\n", "# Small numbers\n#\n# Welcome.\n")
    ours = Bare.push

    def meanwhile(self: Bare, url: str, refs: dict[str, str]) -> None:
        work = tmp_path / "work"
        git(tmp_path, "clone", "--quiet", str(bare), str(work))
        git(work, "commit", "--quiet", "--allow-empty", "-m", "Meanwhile")
        git(work, "push", "--quiet")
        ours(self, url, refs)

    monkeypatch.setattr(Bare, "push", meanwhile)
    ran = Ran(root, "publish", "--to", str(bare))
    assert (
        ran.code == 1
        and "if somebody pushed there meanwhile, run 'autogradient publish' again" in ran.err
    )
    assert git(bare, "log", "-1", "--format=%s", "main") == "Meanwhile"
    monkeypatch.undo()
    assert Ran(root, "publish", "--to", str(bare)).code == 0
    assert (
        git(bare, "log", "-2", "--format=%s", "main") == "Small numbers (small): changed\nMeanwhile"
    )


def test_a_folder_gets_the_same_files(root: Path, bare: Path, tmp_path: Path) -> None:
    Ran(root, "publish", "--to", str(bare))
    folder = tmp_path / "folder"
    assert Ran(root, "publish", "--to", str(folder)).code == 0
    assert sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    ) == files(bare)
    (folder / "mine.txt").write_text("x")
    assert Ran(root, "publish", "--to", str(folder)).out.startswith("nothing to publish")
    (tmp_path / "file").write_text("")
    ran = Ran(root, "publish", "--to", str(tmp_path / "file"))
    assert ran.code == 2 and "is neither a folder nor a bare repository" in ran.err


def test_on_github_the_repository_is_made_private_and_a_class_can_be_enrolled(
    root: Path, place: Place, github: Server
) -> None:
    github.fault("POST /orgs/the-course/repos", "lost")
    ran = Ran(root, "publish")
    assert ran.code == 0 and github.state.repositories["the-course/release"]["private"] is True, ran
    assert Ran(root, "publish").out == "nothing to publish: everything is as it should be\n"
    (root / "grader_config" / "roster.csv").write_text("student,login\nada,ada-l\n")
    assert Ran(root, "enrol").code == 0
    release_head = github.state.branches("the-course/release")["main"]
    assert github.state.git("the-course/dl-ada", "rev-parse", "main^") == release_head
    assert "[skip ci]" in github.state.git("the-course/dl-ada", "log", "-1", "--format=%B", "main")
    answers = homework.Notebook(load(root / "source" / "small" / "small.py")).bytes()
    push(github, "the-course/dl-ada", {"small/Kopie von small.ipynb": answers})
    assert Ran(root, "collect").out.startswith("submitted/ada/small/attempt-1\n")


# ---- the workflow --------------------------------------------------------------------------------


def test_the_workflow_may_do_no_more_than_read() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    (job,) = workflow["jobs"].values()
    assert (
        workflow["permissions"] == {}
        and job["permissions"] == {"contents": "read"}
        and job["timeout-minutes"] <= 30
        and "concurrency" in workflow
    )
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) for action in used)
    assert (
        "secrets" not in WORKFLOW.read_text()
        and job["steps"][0]["with"]["persist-credentials"] is False
    )


def test_students_install_what_the_course_was_tested_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    tested = {
        Requirement(line).name: str(Requirement(line).specifier) for line in project["dependencies"]
    }
    for line in (TEMPLATES / "requirements.txt").read_text().splitlines():
        asked = Requirement(line)
        assert str(asked.specifier) in ("", tested.get(asked.name)), line
    conda = yaml.safe_load((TEMPLATES / "environment.yml").read_text())["dependencies"]
    names = {
        entry.split()[0].replace("matplotlib-base", "matplotlib").replace("pytorch", "torch")
        for entry in conda
    }
    assert {
        Requirement(line).name for line in (TEMPLATES / "requirements.txt").read_text().splitlines()
    } <= names


class Runner:
    """A student's repository, and the steps of its workflow in a shell, with the environment that
    GitHub gives them.
    """

    def __init__(self, folder: Path, bare: Path) -> None:
        self.folder, self.home = folder / "clone", folder / "runner"
        self.home.mkdir()
        git(folder, "clone", "--quiet", str(bare), str(self.folder))
        self.steps = {
            step["name"]: step
            for step in yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"]
        }

    def push(self, files: dict[str, bytes]) -> dict[str, str]:
        """Commit files; returns the event."""
        before = git(self.folder, "rev-parse", "HEAD")
        for name, data in files.items():
            (self.folder / name).write_bytes(data)
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", "Work")
        return {
            "ref": "refs/heads/main",
            "before": before,
            "after": git(self.folder, "rev-parse", "HEAD"),
        }

    def step(self, name: str, event: dict[str, str]) -> tuple[int, dict[str, str], str]:
        """Run a step; returns exit code, outputs and summary."""
        paths = {
            key: self.home / key
            for key in ("GITHUB_EVENT_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        for key, path in paths.items():
            path.write_text(json.dumps(event) if key == "GITHUB_EVENT_PATH" else "")
        environment = {
            "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
        }
        environment |= {key: str(path) for key, path in paths.items()} | {
            key: os.environ[key] for key in ("OMP_NUM_THREADS",) if key in os.environ
        }
        shell = [
            "bash",
            "--noprofile",
            "--norc",
            "-e",
            "-o",
            "pipefail",
            "-c",
            self.steps[name]["run"],
        ]
        done = subprocess.run(
            shell, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=200
        )
        assert "Traceback" not in done.stderr, done.stderr
        outputs = dict(
            line.split("=", 1) for line in paths["GITHUB_OUTPUT"].read_text().splitlines()
        )
        return done.returncode, outputs, paths["GITHUB_STEP_SUMMARY"].read_text()


@pytest.fixture
def runner(root: Path, bare: Path, tmp_path: Path) -> Runner:
    """A student's clone of what is published."""
    assert Ran(root, "publish", "--to", str(bare)).code == 0
    return Runner(tmp_path, bare)


@pytest.fixture
def fill(root: Path) -> Callable[..., bytes]:
    """A notebook with some answers."""
    small = load(root / "source" / "small" / "small.py")
    return lambda **answers: homework.Notebook(small, answers).bytes()


def test_a_push_that_changes_no_notebook_installs_nothing(
    runner: Runner, fill: Callable[..., bytes]
) -> None:
    code, outputs, summary = runner.step(
        "See what has changed", runner.push({"notes.txt": b"hello"})
    )
    assert (code, outputs, summary) == (
        0,
        {"count": "0"},
        "Nothing to check: no notebook has changed.\n",
    )
    assert {
        name
        for name, step in runner.steps.items()
        if step.get("if") == "steps.plan.outputs.count != '0'"
    } == {"Set up Python", "Install", "Check"}
    runner.push({"small/small.ipynb": fill(**homework.ANSWERS)})
    assert runner.step("See what has changed", runner.push({"notes.txt": b"more"}))[1] == {
        "count": "0"
    }
    assert runner.step("See what has changed", {"before": "0" * 40, "after": "1" * 40})[1] == {
        "count": "1"
    }


def test_a_push_is_checked_and_the_summary_says_what_came_of_it(
    runner: Runner, fill: Callable[..., bytes]
) -> None:
    code, outputs, summary = runner.step(
        "Check", runner.push({"small/small.ipynb": fill(**homework.ANSWERS)})
    )
    assert (code, outputs) == (0, {"passed": "4", "of": "4"}), summary
    assert "4 of 4 checks pass" in summary and "| question |" not in summary
    half = fill(
        double="def double(x):\n    return 3 * np.array(x)", total=homework.ANSWERS["total"]
    )
    code, outputs, summary = runner.step("Check", runner.push({"small/small.ipynb": half}))
    assert code == 1 and outputs == {"passed": "1", "of": "4"}, summary
    assert (
        "| double | not yet |" in summary
        and "| scale | not tried |  |" in summary
        and "More is checked after you hand in" in summary
    )


def test_half_done_work_without_a_mistake_is_no_failure(
    runner: Runner, fill: Callable[..., bytes]
) -> None:
    code, outputs, _ = runner.step(
        "Check", runner.push({"small/small.ipynb": fill(double=homework.ANSWERS["double"])})
    )
    assert code == 0 and outputs["passed"] == "1"


def test_a_damaged_notebook_and_one_that_ends_python_are_said_to_be_so(
    runner: Runner, fill: Callable[..., bytes]
) -> None:
    code, _, summary = runner.step("Check", runner.push({"small/small.ipynb": b"<<<<<<< HEAD\n"}))
    assert code == 1 and "look for a merge conflict in it" in summary
    code, outputs, summary = runner.step(
        "Check", runner.push({"small/small.ipynb": fill(double="import os\nos._exit(1)")})
    )
    assert code == 1 and outputs["passed"] == "0" and "A cell ended Python" in summary


def test_a_message_is_shown_as_text(runner: Runner, fill: Callable[..., bytes]) -> None:
    hostile = fill(
        double='def double(x):\n    raise ValueError("<script>alert(1)</script> | **bold** '
        '\\n::error::x")'
    )
    _, outputs, summary = runner.step("Check", runner.push({"small/small.ipynb": hostile}))
    assert (
        "<script>" not in summary and "**bold**" not in summary and set(outputs) == {"passed", "of"}
    )
