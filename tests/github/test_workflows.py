"""The workflows: what they may do, and a walk through those of a course, step by step in a shell,
with a small GitHub.

check.yml is walked through in test_publish.py. The scripts of ci.yml install everything and run
this very suite, so they are not run here.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import actions
import homework
import pytest
from actions import BIN, Actions, Expression, Job
from commands import Ran
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hub.class_room import Class
from hub.people import Place
from hub.server import Server
from proved import prove_course

from autogradient.github import connection
from autogradient.github.publish import TEMPLATES
from autogradient.github.settings import load

ROOT = Path(__file__).parents[2]
FLOWS = ROOT / ".github" / "workflows"
GRADE, RELEASE = FLOWS / "grade.yml", FLOWS / "release.yml"
WORKFLOWS = [*sorted(FLOWS.glob("*.yml")), TEMPLATES / "check.yml"]
ADA, MARKS, KEY = "the-course/dl-ada", "the-course/marks", "AUTOGRADIENT_APP_KEY"
#: Jobs of grade.yml in which student code runs.
GRADERS = ("cpu", "card")
DUE = "Deliver what is due by now, where there is nothing to grade"


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = actions.load(path)["jobs"]
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in jobs(path).values() for step in job["steps"]]


# ---- what they may do ----------------------------------------------------------------------------


def test_a_failure_in_a_pipe_is_one() -> None:
    for path in WORKFLOWS:
        shell = actions.load(path).get("defaults", {}).get("run", {}).get("shell")
        assert shell == "bash" or not any("|" in step.get("run", "") for step in steps(path)), (
            path.name
        )


def test_there_are_five() -> None:
    assert [path.name for path in WORKFLOWS] == [
        "ci.yml",
        "grade.yml",
        "prove.yml",
        "release.yml",
        "check.yml",
    ]


def test_they_fit_githubs_schema_and_have_no_finding() -> None:
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    done = subprocess.run(
        [BIN / "zizmor", "--offline", "--persona", "pedantic", *WORKFLOWS],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and "No findings to report" in done.stdout + done.stderr, (
        done.stdout
    )


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_they_may_do_no_more_than_read_and_every_job_ends(path: Path) -> None:
    workflow = actions.load(path)
    assert workflow["permissions"] == {} and "group" in workflow["concurrency"]
    for name, job in jobs(path).items():
        assert (
            job["permissions"] in ({}, {"contents": "read"}) and 0 < job["timeout-minutes"] < 360
        ), name
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", step["uses"]), step
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
    for line in path.read_text().splitlines():
        if "uses:" in line:
            assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_where_student_code_runs_there_is_no_credential_and_what_publishes_never_ran_any() -> None:
    for name, job in jobs(GRADE).items():
        text = json.dumps(job)
        runs_students = bool(re.search(r"autogradient grade\b", text))
        assert runs_students == (name in GRADERS)
        if runs_students:
            assert (
                job["permissions"] == {}
                and "environment" not in job
                and "secrets" not in text
                and "checkout" not in text
                and "cache/save" not in text
            )
        else:
            assert job["environment"] == "autogradient" and job["concurrency"] == {
                "group": "marks",
                "cancel-in-progress": False,
            }
    for path in WORKFLOWS:
        for name, job in jobs(path).items():
            given = [step for step in job["steps"] if "secrets" in json.dumps(step)]
            assert "secrets" not in json.dumps(
                {key: value for key, value in job.items() if key != "steps"}
            ), name
            assert not given or job["environment"] == "autogradient"
            for step in given:
                assert list(step["env"]) == [KEY] and "run" in step
                assert set(re.findall(r"autogradient (\w+)", step["run"])) <= {
                    "store",
                    "collect",
                    "deliver",
                    "publish",
                }, step


def test_what_a_grader_could_have_written_into_the_cache_is_not_read_where_there_is_a_key() -> None:
    for path in (GRADE, RELEASE):
        for job in jobs(path).values():
            for step in job["steps"]:
                if "cache" in step.get("uses", "") and job.get("environment"):
                    assert (
                        step["uses"].startswith("actions/cache/save@")
                        or step["with"]["lookup-only"] is True
                    )


def test_all_jobs_that_compare_environments_install_the_same_one() -> None:
    of_job = {
        name: [step for step in job["steps"] if step["name"] in ("Set up Python", "Install")]
        for name, job in jobs(GRADE).items()
    }
    pythons = {json.dumps(found[0]) for found in of_job.values()}
    assert len(pythons) == 1 and of_job["collect"] == of_job["cpu"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("vars.there && 'yes' || 'no'", "yes"),
        ("vars.missing && 'yes' || 'no'", "no"),
        ("!(inputs.card || github.event.schedule == 'a * b') && vars.there != '[]'", True),
        ("vars.missing.more == ''", True),
        ("fromJSON('[1, 2]')", [1, 2]),
    ],
)
def test_expressions_are_evaluated_as_github_does(text: str, value: object) -> None:
    contexts = {"vars": {"there": "x"}, "inputs": {}, "github": {"event": {}}}
    assert Expression(text, contexts, {"fromJSON": json.loads}).value() == value


# ---- grade.yml -----------------------------------------------------------------------------------


@pytest.fixture
def course(
    place: Place, github: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Actions:
    """A course with an App on the small GitHub, as its repository holds it. One of its questions
    needs a card.
    """
    monkeypatch.setattr(
        homework,
        "SOURCE",
        homework.SOURCE.replace(
            "<!--| question: total -->", "<!--| question: total, needs: cuda -->"
        ),
    )
    config = place.root / "grader_config" / "github.toml"
    config.write_text(config.read_text() + 'marks = "marks"\napp = 7\n')
    place.settings = load(place.root)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    github.state.public_key = (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, place.root / name)
    (place.root / "autogradient").mkdir()
    (place.root / "autogradient" / "__init__.py").write_text("")
    folder = tmp_path / "actions"
    folder.mkdir()
    monkeypatch.delenv(connection.TOKENS[0])
    monkeypatch.setenv(KEY, pem)
    return Actions(folder, place.root, {"AUTOGRADIENT": "on"}, {KEY: pem})


def kept(github: Server) -> list[str]:
    """Paths in the marks repository."""
    return github.state.git(MARKS, "ls-tree", "-r", "--name-only", "main").splitlines()


def all_ran(path: Path, *walks: dict[str, Job]) -> bool:
    """Whether each script of a workflow was run in one of the walks."""
    ran = {(name, step) for walk in walks for name, job in walk.items() for step in job.logs}
    return ran == {
        (name, step["name"])
        for name, job in jobs(path).items()
        for step in job["steps"]
        if "run" in step
    }


@pytest.mark.timeout(900)  # some thirty commands, each of which starts anew
def test_a_walk_through_grading(course: Actions, place: Place, github: Server) -> None:
    room = Class.make(place, github)
    prove_course(place.root)
    github.state.create(MARKS)
    commit = room.hand_in("ada", room.notebook(), ADA)
    shutil.rmtree(place.root / "submitted")  # pushed, and not collected yet
    github.state.minted.clear()

    first = course.run(GRADE, {"schedule": "7 * * * *"}, "schedule")
    assert {name: job.result for name, job in first.items()} == {
        "collect": "success",
        "cpu": "success",
        "card": "skipped",
        "publish": "success",
    }, first
    assert first["collect"].outputs == {"cpu": '["1/1"]', "card": "[]"}
    assert (
        "pip -m pip install uv" in course.calls
        and "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" in course.calls
    )
    assert any(
        re.search(
            r"^uv pip install --torch-backend=cpu -q -c constraints.txt -e .\[github\]$", call
        )
        for call in course.calls
    ), course.calls
    assert not any(
        KEY in environment or "TOKEN" in "".join(environment)
        for environment in first["cpu"].environments.values()
    )
    holders = {
        name
        for job in first.values()
        for name, environment in job.environments.items()
        if KEY in environment
    }
    assert holders == {
        step["name"]
        for name in ("collect", "publish")
        for step in jobs(GRADE)[name]["steps"]
        if KEY in step.get("env", {})
    } - {DUE}
    asked = {json.dumps(minted, sort_keys=True) for minted in github.state.minted}
    assert {tuple(minted.get("repositories", ())) for minted in github.state.minted} == {
        ("marks",),
        (),
    } and len(asked) == 3, asked
    (artifact,) = course.folder.glob("artifacts-*/course")
    assert (
        not list(artifact.rglob("roster.csv"))
        and not list(artifact.rglob("github.toml"))
        and not list(artifact.rglob("ledger.jsonl"))
    )
    (comment,) = room.comments("dl-ada")
    assert commit[:10] in comment and "5 of 8 points" in comment
    (check,) = room.checks("dl-ada")
    assert check["head_sha"] == commit and {
        "results/small/attempts/ada/1.json",
        "submitted/ada/small/attempt-1/small.ipynb",
    } <= set(kept(github))
    assert (
        "Everything that was pushed was collected." in first["collect"].summary
        and "left out" not in first["publish"].summary
    )
    result = json.loads(github.state.git(MARKS, "show", "main:results/small/attempts/ada/1.json"))
    assert result["sealed"] is True and result["points"] == {
        "earned": 5,
        "possible": 8,
        "ungraded": 3,
        "bonus": 0,
    }

    head, requests = github.state.branches(MARKS)["main"], len(github.log)
    second = course.run(GRADE, {"schedule": "7 * * * *"}, "schedule")
    assert {name: job.result for name, job in second.items()} == {
        "collect": "success",
        "cpu": "skipped",
        "card": "skipped",
        "publish": "skipped",
    }, second
    assert (
        second["collect"].outputs == {"cpu": "[]", "card": "[]"}
        and github.state.branches(MARKS)["main"] == head
    )
    assert room.comments("dl-ada") == [comment] and not [
        line for line in github.log[requests:] if not re.match("GET|POST .*access_tokens", line)
    ]

    course.variables["AUTOGRADIENT_CARDS"] = "1"
    third = course.run(GRADE, {"inputs": {"card": True}}, "workflow_dispatch", {"card": True})
    assert {name: job.result for name, job in third.items()} == {
        "collect": "success",
        "cpu": "skipped",
        "card": "success",
        "publish": "success",
    }, third
    assert any("--torch-backend=auto" in call for call in course.calls)
    result = json.loads(github.state.git(MARKS, "show", "main:results/small/attempts/ada/1.json"))
    assert result["points"]["earned"] == 5, "what was judged before stays"
    assert all_ran(GRADE, first, second, third)


@pytest.mark.timeout(600)
def test_where_something_cannot_be_collected_the_run_is_red_and_the_rest_is_graded_and_delivered(
    course: Actions, place: Place, github: Server
) -> None:
    room = Class.make(place, github)
    prove_course(place.root)
    github.state.create(MARKS)
    room.hand_in("ada", room.notebook(), ADA)
    shutil.rmtree(place.root / "submitted")
    github.state.repositories["the-course/dl-gates"]["description"] = (
        "Work of gates · A small course · 2019"
    )
    done = course.run(GRADE, {"schedule": "7 * * * *"}, "schedule")
    assert {name: job.result for name, job in done.items()} == {
        "collect": "failure",
        "cpu": "success",
        "card": "skipped",
        "publish": "success",
    }, done
    assert (
        done["collect"].outcomes["Collect"] == "failure"
        and "5 of 8 points" in room.comments("dl-ada")[0]
    )
    said = done["collect"].summary
    assert (
        "**Not everything could be collected.**" in said
        and "    gates: the-course/dl-gates is another run's" in said
    ), said


@pytest.mark.timeout(600)
def test_where_nothing_can_be_collected_what_is_due_is_delivered_and_the_run_is_red(
    course: Actions, place: Place, github: Server
) -> None:
    room = Class.make(place, github)
    prove_course(place.root)
    github.state.create(MARKS)
    github.fault("GET /orgs/the-course/repos", "error", 5)
    done = course.run(GRADE, {"schedule": "7 * * * *"}, "schedule")
    assert {name: job.result for name, job in done.items()} == {
        "collect": "failure",
        "cpu": "skipped",
        "card": "skipped",
        "publish": "skipped",
    }
    assert (
        done["collect"].outcomes["Collect"] == "failure"
        and done["collect"].outcomes[DUE] == "success"
        and room.comments("dl-ada") == []
    )
    assert "GitHub refused GET /orgs/the-course/repos with 502" in done["collect"].summary


@pytest.mark.timeout(300)
def test_where_what_is_known_cannot_be_had_nothing_is_collected_or_graded(
    course: Actions, place: Place, github: Server
) -> None:
    Class.make(place, github)  # and there is no marks repository
    prove_course(place.root)
    done = course.run(GRADE, {"schedule": "7 * * * *"}, "schedule")
    assert {name: job.result for name, job in done.items()} == {
        "collect": "failure",
        "cpu": "skipped",
        "card": "skipped",
        "publish": "skipped",
    }
    assert (
        done["collect"].outcomes["Plan"] == "skipped"
        and "**Nothing was collected**" in done["collect"].summary
    )


def test_dependabot_reads_every_folder_with_workflows_once_a_month() -> None:
    (entry,) = actions.load(FLOWS.parent / "dependabot.yml")["updates"]
    folders = {
        FLOWS if folder == "/" else ROOT / folder.strip("/") for folder in entry["directories"]
    }
    assert (
        folders == {path.parent for path in WORKFLOWS}
        and entry["schedule"] == {"interval": "monthly"}
        and list(entry["groups"].values()) == [{"patterns": ["*"]}]
    )


def test_without_a_card_nothing_waits_for_one_and_without_the_switch_nothing_begins(
    course: Actions,
) -> None:
    assert {
        job.result for job in course.run(GRADE, {"schedule": "37 */3 * * *"}, "schedule").values()
    } == {"skipped"}
    course.variables.clear()
    for path, event in ((GRADE, {"schedule": "7 * * * *"}), (RELEASE, {"ref": "refs/heads/main"})):
        assert {job.result for job in course.run(path, event, "schedule").values()} == {"skipped"}


def test_the_schedules_that_are_named_are_those_that_there_are() -> None:
    crons = [entry["cron"] for entry in actions.load(GRADE)["on"]["schedule"]]
    named = set(re.findall(r"github\.event\.schedule == '([^']+)'", GRADE.read_text()))
    assert len(crons) == 2 and named == {crons[1]}


# ---- release.yml ---------------------------------------------------------------------------------

TINY = """\
# ---
# jupyter:
#   autogradient: {format: 1, title: Tiny, minutes: 1}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Tiny

# %% [markdown]
# <!--| question: sum -->
# ## One and one

# %%
#| answer: sum
#| kind: number
#| points: 1
#| because: {3: "one too many"}
total = 1 + 1  # SOLUTION
"""


@pytest.mark.timeout(900)
def test_a_walk_through_release(course: Actions, place: Place, github: Server) -> None:
    source = place.root / "source" / "tiny" / "tiny.py"
    source.parent.mkdir(parents=True)
    source.write_text(TINY)
    for command in (("fmt",), ("prove",), ("release",)):
        ran = Ran(place.root, *command)
        assert ran.code == 0, ran
    first = done = course.run(RELEASE, {"ref": "refs/heads/main"}, "push")
    assert {name: job.result for name, job in done.items()} == {
        "prove": "success",
        "publish": "success",
    }, done
    assert (
        "Nothing was published" not in done["publish"].summary
        and "published in" in done["publish"].summary
    )
    assert not any(KEY in environment for environment in done["prove"].environments.values())
    assert [
        name for name, environment in done["publish"].environments.items() if KEY in environment
    ] == ["Publish"]
    assert "tiny/tiny.ipynb" in github.state.git(
        "the-course/release", "ls-tree", "-r", "--name-only", "main"
    )
    source.write_text(source.read_text().replace("One and one", "Two ones"))
    done = course.run(RELEASE, {"ref": "refs/heads/main"}, "push")
    assert {name: job.result for name, job in done.items()} == {
        "prove": "failure",
        "publish": "skipped",
    }
    assert done["prove"].outcomes["See that what is released is up to date"] == "failure"
    assert "**Nothing is published.**" in done["prove"].summary and all_ran(RELEASE, first, done)
