"""What Gradescope takes: the autograder gives our scores where otter's own code runs it, and
results.json says what we say, as its specification has it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import handmade
import homework
import pytest
from commands import Ran
from handmade import case, question
from homework import ANSWERS, Notebook

from autogradient.course import marks
from autogradient.course.policy import Deadline, Policy
from autogradient.coursework import export_gradescope
from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.model.result import SubmissionInfo

DUE = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
#: What otter is given by Gradescope, and how it is called there.
RUN = "import sys; from otter.run.run_autograder import main; main(sys.argv[1])"
WRONG = ANSWERS | {
    "scale": "def scale(x):\n    return np.asarray(x)",
    "total": "total = 24",
    "pick": 'larger = "a"',
}
HALF = {
    "double": ANSWERS["double"]
    + "\n\n\ndouble = (lambda f: lambda x: f(x) if np.ndim(x) == 0 else x)(double)"
}


@pytest.fixture(scope="module")
def course_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("gradescope")
    (root / "grader_config").mkdir()
    (root / "grader_config" / "course.toml").write_text(
        'format = 1\nname = "Small"\nhidden_feedback = "count"\n'
    )
    path = homework.write_source(root / "source")
    path.write_text(
        path.read_text().replace(
            "    scale(x)\n    assert x.tolist", "    assert scale(x) is not None and x.tolist"
        )
    )  # a blank earns nothing by it
    (root / "source" / "small" / "data").mkdir()
    (root / "source" / "small" / "data" / "numbers.csv").write_text("1,2\n")
    return root


@pytest.fixture(scope="module")
def exported(course_root: Path) -> Ran:
    return Ran(course_root, "export", "--to", "gradescope")


def graded_by_otter(autograder: Path, notebook: bytes, place: Path) -> dict[str, Any]:
    """results.json as Gradescope's container would find it."""
    for name in ("source", "submission", "results"):
        (place / name).mkdir(parents=True)
    with zipfile.ZipFile(autograder) as archive:
        archive.extractall(place / "source")
    (place / "submission" / "small.ipynb").write_bytes(notebook)
    (place / "submission_metadata.json").write_text("{}")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(place)],
        cwd=place,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads((place / "results" / "results.json").read_text())
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("answers", "points"), [(ANSWERS, 6), (WRONG, 2.5), (HALF, 1), ({}, 0)])
def test_the_autograder_gives_our_scores(
    exported: Ran,
    course_root: Path,
    tmp_path: Path,
    engine: Engine,
    answers: dict[str, str],
    points: float,
) -> None:
    from autogradient.sources.source import load

    assignment = load(course_root / "source" / "small" / "small.py")
    notebook = Notebook(assignment, answers).bytes()
    found = graded_by_otter(
        course_root / "generated" / "gradescope" / "small" / "autograder.zip",
        notebook,
        tmp_path / "autograder",
    )
    theirs = {test["name"]: test["score"] for test in found["tests"] if "score" in test}
    ours = {
        part.id: float(part.earned)
        for part in grade_bytes(
            assignment, notebook, "small.ipynb", engine, SubmissionInfo()
        ).result.parts
        if part.kind != "essay"
    }
    assert theirs == ours and sum(theirs.values()) == points
    assert sum(test.get("max_score", 0) for test in found["tests"]) == 6
    public = found["tests"][0]
    assert public["visibility"] == "visible" and {
        test["visibility"] for test in found["tests"][1:]
    } == {"hidden"}
    assert "proportions" not in public["output"] and "arrays" not in public["output"], (
        "hidden cases are not for students"
    )


def test_what_is_in_the_zip(exported: Ran, course_root: Path) -> None:
    assert exported.code == 0 and exported.out.startswith(
        "generated/gradescope/small/autograder.zip: 6 points; it holds the hidden tests, so "
        "keep it from students; it leaves out why, which a person or a GPU must judge\n"
    )
    with zipfile.ZipFile(
        course_root / "generated" / "gradescope" / "small" / "autograder.zip"
    ) as archive:
        names, environment = set(archive.namelist()), archive.read("environment.yml").decode()
        assert json.loads(archive.read("otter_config.json")) == {"show_hidden": False}
        assert archive.read("tests/pick.py").count(b"hidden=True") == 1
    tests = {f"tests/{part}.py" for part in ("double", "total", "scale", "pick")}
    assert names == {
        "run_autograder",
        "run_otter.py",
        "setup.sh",
        "environment.yml",
        "otter_config.json",
        "files/data/numbers.csv",
        *tests,
    }
    assert (
        "torch" in environment
        and environment.count("otter-grader") == 1
        and f"python={sys.version_info[0]}.{sys.version_info[1]}" in environment
    )


# ---- results.json --------------------------------------------------------------------------------


def mark(policy: Policy | None = None, **more: Any) -> marks.Marked:
    parts = question(
        "and-gate",
        "code",
        case("truth <b>table", "passed", 1),
        case("noise", "failed", 2, hidden=True, message="One line, *please*.\nYes."),
    )
    essay = question("why", "essay", handmade.case("marked by hand", "not_run", 2, reason="hand"))
    return marks.make(
        [handmade.result(parts, essay, **more)],
        "ada",
        policy or Policy(),
        marks.Decisions([], "gates"),
    )


#: What Gradescope's specification knows of results.json: key → type.
KEYS = {
    "score": (int, float),
    "output": str,
    "output_format": str,
    "test_output_format": str,
    "test_name_format": str,
    "stdout_visibility": str,
}
TEST = {
    "score": (int, float),
    "max_score": (int, float),
    "status": str,
    "name": str,
    "output": str,
    "visibility": str,
}


def test_a_mark_as_gradescope_has_it() -> None:
    found = export_gradescope.results_json(mark(), "after_published")
    assert found.keys() == {*KEYS, "tests", "extra_data"} and all(
        isinstance(found[key], kind) for key, kind in KEYS.items()
    )
    for test in found["tests"]:
        assert test.keys() <= TEST.keys() and all(isinstance(test[key], TEST[key]) for key in test)
    assert found["score"] == 1 and {
        found["output_format"],
        found["test_output_format"],
        found["test_name_format"],
    } == {"text"}
    assert found["tests"] == [
        {
            "name": "and-gate: truth <b>table",
            "visibility": "visible",
            "score": 1,
            "max_score": 1,
            "status": "passed",
            "output": "",
        },
        {
            "name": "and-gate: noise",
            "visibility": "after_published",
            "score": 0,
            "max_score": 2,
            "status": "failed",
            "output": "One line, *please*. Yes.",
        },
        {
            "name": "why: marked by hand",
            "visibility": "visible",
            "max_score": 2,
            "output": "A person will mark this.",
        },
    ]


@pytest.mark.parametrize(
    ("policy", "hours", "visibility"),
    [
        (Policy(), 0, "visible"),
        (Policy(hidden_feedback="count"), 0, "hidden"),
        (
            Policy(hidden_feedback="after_deadline", deadlines={"gates": Deadline(DUE)}),
            -1,
            "after_published",
        ),
        (
            Policy(hidden_feedback="after_deadline", deadlines={"gates": Deadline(DUE)}),
            1,
            "visible",
        ),
        (Policy(hidden_feedback="after_deadline"), 1, "after_published"),
    ],
)
def test_hidden_cases_are_shown_as_the_policy_says(
    policy: Policy, hours: int, visibility: str
) -> None:
    assert (
        export_gradescope.visibility_of_hidden(
            policy, marks.Decisions([], "gates"), DUE + timedelta(hours=hours)
        )
        == visibility
    )


def test_the_score_counts_everything_in() -> None:
    from autogradient.course.policy import Late

    policy = Policy(deadlines={"gates": Deadline(DUE)}, late=Late(per_day=Fraction(1, 4)))
    found = export_gradescope.results_json(
        mark(policy, received_at=(DUE + timedelta(hours=2)).isoformat()), "hidden"
    )
    assert found["score"] == 0.75 and "25 % of what was earned is taken off" in found["output"]


def test_results_are_written_for_those_who_have_a_mark(
    course_root: Path, exported: Ran, tmp_path: Path
) -> None:
    from autogradient.course import config
    from autogradient.model.files import write_atomically

    write_atomically(
        course_root / "results" / "small" / "ada.json", handmade.result(name="small").to_json()
    )
    write_atomically(
        course_root / "results" / "small" / "bob.json",
        handmade.result(name="small", outcome="missing", students=["bob"]).to_json(),
    )
    written = export_gradescope.write_results(config.load(course_root), "small", tmp_path, DUE)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == ["ada/results.json"]
    assert json.loads(written[0].read_text())["extra_data"]["student"] == "ada"
