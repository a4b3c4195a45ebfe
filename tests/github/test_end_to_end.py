"""A term of thirty students: from the roster to marks, with work that is honest, late, forgetful,
hostile and broken, a correction while all are half done, and one after everything was graded. All
of it goes by the commands.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import homework
import pytest
from commands import Ran
from homework import ANSWERS, Notebook
from hub.people import Place, git, push
from hub.server import Server

from autogradient.course import config
from autogradient.coursework import report
from autogradient.model.assignment import Assignment
from autogradient.model.points import show_points
from autogradient.sources import release
from autogradient.sources.source import load

WRITES = r"^(POST|PUT|PATCH|DELETE) "
FORGED = {"GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"}
BEGAN, ON_TIME, LATE, TOO_LATE = (
    "2026-02-20T10:00:00Z",
    "2026-03-03T10:00:00Z",
    "2026-03-06T10:00:00Z",
    "2026-03-20T10:00:00Z",
)
POLICY = """format = 1
name = "A small course"
release = "1"
assignments = ["small"]
counts = "best"
hidden_feedback = "count"

[deadlines]
small = 2026-03-05T12:00:00Z

[late]
per_day = "10%"
nothing_after = "7 days"
"""
#: Of the 6 points that need no person: double 2 (1 of them hidden), total 1, scale 2 (1 of them
#: hidden), pick 1.
RIGHT = ANSWERS
NO_ARRAYS = ANSWERS | {
    "double": "def double(x):\n    return 2 * x if not hasattr(x, 'shape') else x"
}
SLIP = ANSWERS | {"total": "total = 24", "pick": 'larger = "a"'}
CRASH = ANSWERS | {"scale": "import os\nos._exit(3)"}
ENDLESS = ANSWERS | {"scale": "def scale(x):\n    while True:\n        pass"}
HALF = {"double": ANSWERS["double"], "total": ANSWERS["total"]}


@dataclass
class Student:
    """What somebody does with a repository, and the points that a person would give for it, without
    the essay; None where nothing can be graded.
    """

    points: float | None
    answers: dict[str, str] | None = None
    data: bytes | None = None
    file: str = "small/small.ipynb"
    branch: str = "main"
    at: str = ON_TIME
    more: dict[str, bytes] = field(default_factory=dict)
    forged: bool = False
    change: Callable[[Notebook], None] | None = None

    def notebook(self, small: Assignment) -> bytes:
        if self.data is not None:
            return self.data
        notebook = Notebook(small, self.answers)
        if self.change:
            self.change(notebook)
        return notebook.bytes()


def forges(notebook: Notebook) -> None:
    """Full marks, says the notebook: in its check cells, in their outputs, in its metadata."""
    notebook.put("double", "1.0 * 99")
    notebook.put("scale-hidden", "99")
    notebook.cells[notebook.at("double")]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "double passed! 99 points"}
    ]
    notebook.data["metadata"]["autogradient"] = {"points": {"earned": 99}}


def shouts(notebook: Notebook) -> None:
    """Workflow commands, markup and mentions, wherever text of a student's may come out."""
    notebook.insert(
        "double-hidden",
        (
            "print('::error::gotcha\\n::set-output name=x::y')\nraise "
            "ValueError('::stop-commands::x <script>alert(1)</script> @everyone')"
        ),
    )


def kills(notebook: Notebook) -> None:
    """Ends every process that it can see, and reads what it can."""
    notebook.insert(
        "scale-hidden",
        (
            "import os, signal\nfor pid in range(2, 500):\n    try:\n        os.kill(pid, "
            "signal.SIGKILL)\n    except OSError:\n        pass"
        ),
    )


def students() -> dict[str, Student]:
    """Thirty of them."""
    tests = {
        "small/tests/double.py": b"OK_FORMAT = False\n",
        ".github/workflows/check.yml": b"on: push\njobs: {}\n",
        "conftest.py": b"raise SystemExit",
    }
    people = [
        *[Student(6, RIGHT) for _ in range(4)],
        *[Student(5, NO_ARRAYS) for _ in range(3)],
        *[Student(4, SLIP) for _ in range(2)],
        *[Student(3, HALF) for _ in range(2)],
        Student(4, CRASH),
        Student(4, ENDLESS),
        # late: 10 % of what was earned for each day begun, and nothing after a week; then what was
        # there at the deadline counts
        *[Student(5.4, RIGHT, at=LATE) for _ in range(2)],
        Student(3, RIGHT, at=TOO_LATE),
        # forgetful: another branch, another name, another folder, the time of a computer that is
        # off by years
        Student(6, RIGHT, branch="my-work"),
        Student(6, RIGHT, file="small/final (2) really.ipynb"),
        Student(5, NO_ARRAYS, file="homework/week 1/small.ipynb"),
        Student(6, RIGHT, forged=True),
        Student(6, RIGHT, change=Notebook.forget),
        # hostile
        Student(5, NO_ARRAYS, more=tests),
        Student(5, NO_ARRAYS, change=forges),
        Student(6, RIGHT, branch="$(touch${IFS}pwned)`id`;&&x"),
        Student(5.4, RIGHT, at=LATE, forged=True),
        Student(6, RIGHT, change=shouts),
        Student(6, RIGHT, change=kills),
        # broken
        Student(None, data=b'{"cells": [', answers=None),
        Student(None, data=b""),
        Student(None, {}),
    ]
    assert len(people) == 30
    return {f"s{number:02d}": who for number, who in enumerate(people)}


@pytest.fixture
def small(course_root: Path) -> Assignment:
    """The course and its one assignment, proved and released."""
    (course_root / "grader_config").mkdir(parents=True)
    (course_root / "grader_config" / "course.toml").write_text(POLICY)
    homework.write_source(course_root / "source")
    return released(course_root)


def released(root: Path) -> Assignment:
    """Release the assignment as it stands, with a proof."""
    assignment = load(root / "source" / "small" / "small.py")
    (root / "source" / "small" / "proof.json").write_text(
        json.dumps({"digest": assignment.digest, "proved": True})
    )
    release.write(release.build(assignment), root / "release" / "small")
    return assignment


def command(place: Place, *arguments: str, code: int = 0) -> Ran:
    """Run a command in the course."""
    ran = Ran(place.root, *arguments)
    assert ran.code == code, ran
    return ran


def marks(place: Place) -> dict[str, float | None]:
    """Points as the report has them; None where there is nothing that can be graded."""
    here = config.load(place.root)
    return {
        mark.student: float(mark.points.earned) if mark.outcome == "graded" else None
        for mark in report.each_mark(here, ["small"])
    }


def test_a_term(small: Assignment, place: Place, github: Server) -> None:
    people = students()
    github.state.people |= set(people)
    rows = [f"{student},{student},,,," for student in people]
    (place.root / "grader_config" / "roster.csv").write_text(
        "\n".join(["student,login,lms_id,email,section,team", *rows]) + "\n"
    )
    command(place, "publish")
    command(place, "enrol")
    assert (
        len(github.state.repositories) == 31 and "0 changed, 30 as" in command(place, "enrol").out
    )

    began = begin_and_correct(small, place, github, people)
    for student, who in people.items():
        push(
            github,
            f"the-course/dl-{student}",
            {who.file: who.notebook(began[student]), **who.more},
            who.branch,
            at=who.at,
            **(FORGED if who.forged else {}),
        )
    command(place, "collect")
    command(place, "grade", "--all")
    assert marks(place) == {student: who.points for student, who in people.items()}
    delivered(place, github, people)

    # a test turns out to ask for too much: whose marks change is said before they do
    change(
        place.root,
        "assert np.allclose(double(x), x + x)",
        "assert np.allclose(double(float(x[0])), x[0] + x[0])",
    )
    gain = {student for student, who in people.items() if who.answers == NO_ARRAYS}
    said = command(place, "regrade", "--preview").out
    assert {student for student in people if student in said} == gain and len(gain) == 6
    assert marks(place) == {student: who.points for student, who in people.items()}
    command(place, "regrade")
    assert marks(place) == {
        student: 6 if student in gain else who.points for student, who in people.items()
    }


def change(root: Path, old: str, new: str) -> Assignment:
    """Correct the source, prove and release it."""
    path = root / "source" / "small" / "small.py"
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    return released(root)


def begin_and_correct(
    small: Assignment, place: Place, github: Server, people: dict[str, Student]
) -> dict[str, Assignment]:
    """All have begun when a mistake is found. Most take the correction; returns the release that
    each goes on with.
    """
    half = Notebook(small, HALF).bytes()
    for student in people:
        push(github, f"the-course/dl-{student}", {"small/small.ipynb": half}, at=BEGAN)
    mended = change(
        place.root, "# Divide by the sum.", "# Divide each entry by the sum of all of them."
    )
    github.state.clock(BEGAN)
    command(place, "publish", "--update")
    writes = github.asked(WRITES)
    command(place, "publish", "--update")
    assert github.asked(WRITES) == writes
    began = {}
    for number, student in enumerate(people):
        repository = f"the-course/dl-{student}"
        (pull,) = [
            pull for pull in github.state.pulls[repository] if pull["head"]["ref"] == "update/small"
        ]
        began[student] = small
        if number % 5:  # the others go on with what they have
            merge(github, repository)
            pull |= {"state": "closed", "merged_at": BEGAN, "closed_at": BEGAN, "merged": True}
            notebook = json.loads(github.state.git(repository, "show", "main:small/small.ipynb"))
            texts = ["".join(cell["source"]) for cell in notebook["cells"]]
            assert {
                *HALF.values(),
                "## 3 · Scale\nDivide each entry by the sum of all of them.",
            } <= set(texts)
            began[student] = mended
    github.state.clock(None)
    return began


def merge(github: Server, repository: str) -> None:
    """As GitHub's button does; a conflict fails the test."""
    work = github.state.folder / "merging"
    git(github.state.folder, "clone", "--quiet", str(github.state.bare(repository)), str(work))
    git(work, "merge", "--quiet", "--no-ff", "-m", "Merge", "origin/update/small")
    git(work, "push", "--quiet", "origin", "HEAD:main")
    shutil.rmtree(work)


def delivered(place: Place, github: Server, people: dict[str, Student]) -> None:
    """Deliver twice: each who handed in has one comment, and one check run for a commit, with the
    points that are theirs and nothing of what was smuggled in.
    """
    command(place, "deliver")
    writes = github.asked(WRITES)
    command(place, "deliver")
    assert github.asked(WRITES) == writes
    for student, who in people.items():
        repository = f"the-course/dl-{student}"
        comments = [
            comment["body"]
            for key, found in github.state.comments.items()
            if key.startswith(f"{repository}#")
            for comment in found
        ]
        checks = github.state.checks.get(repository, [])
        if who.answers == {}:
            assert (comments, checks) == ([], [])
            continue
        assert (
            len(comments) == 1 and len({check["head_sha"] for check in checks}) == len(checks) > 0
        ), student
        if who.points is not None:
            assert f"**{show_points(Fraction(str(who.points)))} of 8 points" in comments[0], (
                student,
                comments[0],
            )
        everything = json.dumps([comments, [check["output"] for check in checks]])
        assert not [
            word for word in ("<script", "@everyone", "\\n::", "99 points") if word in everything
        ], everything
