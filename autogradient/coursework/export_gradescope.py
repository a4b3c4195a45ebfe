"""The course on Gradescope: an autograder that it takes, made by otter's own generator, and marks
of ours as `results.json`.

The autograder holds the hidden tests, and runs them as stock otter does, beside the student's code:
it is for courses that live on Gradescope. Its scores are ours, but for what docs/parity.md says.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from autogradient.course.config import Course
from autogradient.course.ledger import read
from autogradient.course.marks import Decisions, Marked, hidden
from autogradient.course.policy import Policy
from autogradient.coursework import messages, report
from autogradient.errors import CourseError
from autogradient.feedback import decided
from autogradient.feedback.summary import plain
from autogradient.model.assignment import Assignment, Part
from autogradient.model.files import write_atomically
from autogradient.model.result import NO_VERDICT, CaseResult, decimal
from autogradient.sources import public_tests

#: Below the course: what is written here is in no repository, since it holds hidden tests and
#: marks.
FOLDER = Path("generated") / "gradescope"
#: What stands where a case has no verdict, by its reason.
WAITS = {
    "hand": "A person will mark this.",
    "gpu": "This needs a GPU and has not been run yet.",
    "elsewhere": "This is still to be run.",
}


# ---- marks of ours -------------------------------------------------------------------------------


def results_json(marked: Marked, visibility: str) -> dict[str, Any]:
    """One mark as Gradescope's autograders write it. `visibility` is that of hidden cases. All text
    is plain: nothing of a student's is markup.

    `score` counts everything in (ledger, late work, bonus), so it may differ from the sum of the
    tests, and stands for it.
    """
    tests = [
        _test(part_id, case, visibility)
        for part_id, case in ((part.id, case) for part in marked.parts for case in part.cases)
    ]
    said = [f"{sentence} {why}".strip() for sentence, why in decided.sentences(marked)]
    said += [
        f"Cell {problem.cell}: {problem.message}" if problem.cell is not None else problem.message
        for problem in marked.problems
    ]
    return {
        "score": decimal(max(Fraction(0), marked.points.earned + marked.points.bonus)),
        "output": "\n".join(plain(sentence) for sentence in said),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "assignment": marked.assignment,
            "student": marked.student,
            "attempt": marked.submission.attempt,
            "commit": marked.submission.commit,
        },
    }


def _test(part: str, case: CaseResult, visibility: str) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": plain(f"{part}: {case.name}"),
        "visibility": visibility if case.hidden else "visible",
    }
    if case.outcome in NO_VERDICT:
        return test | {
            "max_score": decimal(case.possible),
            "output": WAITS.get(case.reason or "", "This could not be checked yet."),
        }
    full = case.outcome == "passed" and case.earned >= case.possible
    return test | {
        "score": decimal(case.earned),
        "max_score": decimal(case.possible),
        "status": "passed" if full else "failed",
        "output": plain(case.message),
    }


def visibility_of_hidden(policy: Policy, decisions: Decisions, now: datetime) -> str:
    """What Gradescope shows of hidden cases: everything, nothing before the marks are published
    there, or nothing ever.
    """
    if not hidden(policy, decisions, now)[0]:
        return "visible"
    return "hidden" if policy.hidden_feedback == "count" else "after_published"


def write_results(course: Course, name: str, folder: Path, now: datetime) -> list[Path]:
    """STUDENT/results.json for everybody who has a mark in an assignment. Returns the paths."""
    visibility = visibility_of_hidden(course.policy, Decisions(read(course.ledger), name), now)
    written = []
    for marked in report.each_mark(course, [name]):
        if not marked.counts_for_nothing and marked.questions:
            path = folder / marked.student / "results.json"
            write_atomically(
                path,
                json.dumps(results_json(marked, visibility), indent=1, ensure_ascii=False) + "\n",
            )
            written.append(path)
    return written


# ---- the autograder ------------------------------------------------------------------------------


def autograder_parts(assignment: Assignment) -> list[Part]:
    """The parts that stock otter can judge: no person, and no card."""
    return [
        part
        for question in assignment.questions
        if "cuda" not in question.needs
        for part in question.parts
        if not part.by_hand
    ]


def autograder(course: Course, assignment: Assignment, expected: Mapping[str, Any]) -> bytes:
    """autograder.zip as `otter generate` makes it, hidden tests included. `expected` are the values
    of short answers by part id. Raises CourseError.
    """
    files = {
        f"tests/{part.id}.py": public_tests.test_file(
            assignment, part, hidden=None, expected=expected.get(part.id)
        ).encode()
        for part in autograder_parts(assignment)
    }
    files |= assignment.files
    given = course.student_file("requirements.txt").decode()
    files["requirements.txt"] = "".join(
        line + "\n" for line in given.splitlines() if not line.startswith("otter-grader")
    ).encode()
    shows = course.policy.hidden_feedback != "count"
    files["otter_config.json"] = json.dumps({"show_hidden": shows}).encode()
    beside = sorted({name.split("/")[0] for name in assignment.files})
    python = ".".join(map(str, sys.version_info[:2]))
    with tempfile.TemporaryDirectory(prefix="gradescope-") as place:
        for name, data in files.items():
            write_atomically(Path(place) / name, data)
        command = [
            "generate",
            "-t",
            "tests",
            "-o",
            "autograder.zip",
            "-c",
            "otter_config.json",
            "-r",
            "requirements.txt",
            "--no-environment",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "otter", *command, "--python-version", python, *beside],
            cwd=place,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise CourseError(
                messages.GRADESCOPE_FAILED.format(
                    name=assignment.name, problem=(done.stderr.strip().splitlines() or ["?"])[-1]
                )
            )
        return (Path(place) / "autograder.zip").read_bytes()


def write_autograder(
    course: Course, assignment: Assignment, expected: Mapping[str, Any], folder: Path
) -> tuple[Path, str]:
    """autograder.zip in a folder. Returns its path, and what is to be said of it: how many points,
    and what it leaves out.
    """
    path = folder / "autograder.zip"
    write_atomically(path, autograder(course, assignment, expected))
    parts = autograder_parts(assignment)
    points, bonus = (
        sum(
            (
                part.points
                for question in assignment.questions
                if question.optional is optional
                for part in question.parts
                if part in parts
            ),
            Fraction(0),
        )
        for optional in (False, True)
    )
    left = [part.id for part in assignment.parts if part not in parts]
    more = messages.GRADESCOPE_LEFT.format(parts=", ".join(left)) if left else ""
    extra = messages.GRADESCOPE_BONUS.format(points=f"{decimal(bonus):g}") if bonus else ""
    return path, messages.GRADESCOPE_POINTS.format(
        points=f"{decimal(points):g}", bonus=extra, more=more
    )
