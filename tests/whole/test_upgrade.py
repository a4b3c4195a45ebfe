"""An upgrade in the middle of a term loses nothing: a course as version 0.1 left it goes through
everything that is still to come.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Ran
from errata import ADDED, MENDED, mended
from hub.description import Description, NotToBeHad, description
from hub.people import laid_out, push, small_github

from autogradient.course import config
from autogradient.course.ledger import read as read_ledger
from autogradient.github.enrol import enrol
from autogradient.github.roster import groups, read

KEPT = Path(__file__).parent / "kept" / "course-0.1"
#: What `report` said; since then an essay of which a person gave some points is not listed under
#: "failed".
REPORT = "".join(
    line.removesuffix("why\n").rstrip() + "\n"
    for line in (KEPT / "report.txt").read_text().splitlines(keepends=True)
)

#: What proving has found since: an empty array over the right shape passed these tests.
SHAPES = [
    (
        "assert np.allclose(double(x), x + x)",
        "assert np.shape(double(x)) == x.shape and np.allclose(double(x), x + x)",
    ),
    (
        "assert np.allclose(scale([1.0, 3.0]), [0.25, 0.75])",
        "assert len(scale([1.0, 3.0])) == 2 and np.allclose(scale([1.0, 3.0]), [0.25, 0.75])",
    ),
]


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A copy of it."""
    root = tmp_path / "course"
    shutil.copytree(KEPT, root)
    return root


def ran(root: Path, *arguments: str) -> Ran:
    """A command that has to end well."""
    done = Ran(root, *arguments)
    assert done.code == 0, done
    return done


def marks(root: Path) -> list[dict[str, str]]:
    """What everybody has, as it is exported."""
    ran(root, "export", "--to", "csv")
    with (root / "results" / "marks.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def report(root: Path) -> str:
    return ran(root, "report").out


def test_everything_is_read_as_it_was(course: Path) -> None:
    kept = (KEPT / "results" / "marks.csv").read_text()
    assert report(course) == REPORT
    ran(course, "export", "--to", "csv")
    assert (course / "results" / "marks.csv").read_text() == kept
    assert ran(course, "prove", "--check").code == 0
    ran(course, "release", "--check")
    assert len(read_ledger(course / "results" / "ledger.jsonl")) == len(
        (KEPT / "results" / "ledger.jsonl").read_text().splitlines()
    )


def test_grading_anew_changes_no_mark_and_nothing_waits_again(course: Path) -> None:
    """The environment is another one, so everything is graded once more."""
    before = marks(course)
    looked = ran(course, "regrade", "--preview")
    assert looked.out.startswith("0 of 5 would come out otherwise"), looked
    ran(course, "grade", "--all")
    assert report(course) == REPORT and marks(course) == before
    again = ran(course, "grade", "--all")
    assert again.out.startswith("0 graded, 5 up to date"), again
    ran(course, "feedback")
    assert (
        "Say which is more."
        in (course / "feedback" / "bruno" / "small" / "feedback.md").read_text()
    )
    (course / "gradebook.db").unlink()
    ran(course, "gradebook", "--rebuild")
    assert report(course) == REPORT and marks(course) == before


def test_decisions_of_before_can_be_taken_back(course: Path) -> None:
    assert (
        ran(course, "extend", "bruno", "small", "--undo", "--why", "not ill", "--who", "staff").out
        == "bruno: small: 7/8 → 5/8\n"
    )
    assert (
        ran(course, "excuse", "emil", "small", "--undo", "--why", "here", "--who", "staff").out
        == "emil: small: excused → –\n"
    )
    assert ran(course, "mark", "ada", "small", "why", "2").out.startswith("ada: small: ")


def test_a_correction_reaches_work_that_was_begun_from_the_release_of_before(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        openapi: Description = description()
    except NotToBeHad as reason:
        pytest.skip(str(reason))
    roster = (course / "grader_config" / "roster.csv").read_text()
    with small_github(tmp_path / "github", openapi) as github:
        place = laid_out(course, github, monkeypatch)
        (course / "grader_config" / "roster.csv").write_text(
            "".join(roster.splitlines(keepends=True)[:3])
        )
        ran(course, "publish")
        enrol(place.hub(), config.load(course), groups(read(course)))
        path, begun = "small/small.ipynb", (KEPT / "notebooks" / "half-done.ipynb").read_bytes()
        push(github, "the-course/dl-ada", {path: begun})
        mended(course / "source" / "small" / "small.py", *MENDED[:2], *ADDED)
        weak = Ran(course, "prove")
        assert weak.code == 1 and "an empty array over the right shape from double" in weak.out
        mended(course / "source" / "small" / "small.py", *SHAPES)
        ran(course, "prove")
        ran(course, "release")
        told = ran(course, "publish", "--update")
        assert "the-course/dl-ada: small: branch update/small, small: pull request" in told.out, (
            told
        )
        after = json.loads(github.state.git("the-course/dl-ada", "show", f"update/small:{path}"))
    texts = {"".join(cell["source"]) for cell in after["cells"]}
    mine = {
        "".join(cell["source"])
        for cell in json.loads(begun)["cells"]
        if cell["cell_type"] == "code" and "mine = 12 + 1" in "".join(cell["source"])
    }
    answers = {"def double(x):\n    return np.array(x) + np.array(x)", "total = data.sum()"}
    assert (
        mine | answers <= texts and "half = ..." in texts and "## 2 · Sum\nAdd up `data`." in texts
    )


def test_in_an_ascii_locale_names_are_what_they_are(course: Path) -> None:
    for name in ("ada.json", "ada.staff.json"):
        path = course / "results" / "small" / name
        path.with_name(name.replace("ada", "jörg")).write_text(
            path.read_text().replace('"ada"', '"jörg"')
        )
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "autogradient", "report"],
        cwd=course,
        capture_output=True,
        env=environment,
        timeout=200,
    )
    assert done.returncode == 0 and "\njörg" in done.stdout.decode(), done
