"""Parity: honest work gets the same score here, from stock `otter run` and from stock `nbgrader
autograde`, part by part.

    python -m tests.parity [NAME …] [--jobs N] [--some]

Throw-away courses are made from the same sources, with the hidden tests where stock tools look for
them. Each submission carries another known answer in every part at once: the k-th wrong or right
one of each part stands in submission k.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from autogradient.grading.engine import Engine
from autogradient.grading.grade import grade_bytes
from autogradient.grading.reference_answers import expected_answers
from autogradient.model import short_answers
from autogradient.model.assignment import Assignment, Part
from autogradient.model.points import show_points
from autogradient.model.result import SubmissionInfo
from autogradient.sources import release, source
from autogradient.sources.release import Release
from autogradient.sources.solutions import BEGIN, END, SOLUTION_COMMENT

ROOT = Path(__file__).resolve().parents[2]
SEED = 2026
#: Stock tools add floats; a hundred of them are not off by more than this.
ROUNDING = 1e-6

Scores = dict[str, Fraction | float]
Answers = dict[str, str]


@dataclass(frozen=True)
class Difference:
    """A part that two graders do not agree on."""

    tool: str
    assignment: str
    submission: str
    part: str
    ours: float
    theirs: float
    note: str = ""

    def __str__(self) -> str:
        note = f" ({self.note})" if self.note else ""
        return (
            f"{self.assignment}, {self.submission}, {self.part}: {self.ours:g} here, "
            f"{self.theirs:g} from {self.tool}{note}"
        )


@dataclass
class Stock:
    """What a stock tool gave: scores and totals by submission, and how many points it took from a
    part for cells that wrote to stderr.
    """

    scores: dict[str, Scores] = field(default_factory=dict)
    totals: dict[str, float] = field(default_factory=dict)
    noisy: dict[tuple[str, str], float] = field(default_factory=dict)


# ---- submissions ---------------------------------------------------------------------------------


def variants(part: Part) -> list[str]:
    """The texts of the answer cell that are known for a part, wrong ones first; each stands over
    the reference, as in a proof.
    """
    solution = plain(part.solution)
    texts = [
        variant.source
        for variant in [
            *part.wrong,
            *part.right,
            *(short_answers.kind_of(part).slips(part) if part.is_short else ()),
        ]
    ]
    return [text if part.is_short else f"{solution}\n\n\n{text}" for text in texts]


def plain(text: str) -> str:
    """An answer without the marks of the instructor."""
    return "\n".join(
        SOLUTION_COMMENT.sub("", line).rstrip()
        for line in text.split("\n")
        if line.strip() not in (BEGIN, END)
    )


def submissions(assignment: Assignment) -> dict[str, Answers]:
    """Every known answer of every part in as few notebooks as there can be: what stands in which
    answer cell.
    """
    parts = [part for part in assignment.parts if not part.by_hand]
    essays = {f"{part.id}-answer": part.solution for part in assignment.parts if part.by_hand}
    found: dict[str, Answers] = {
        "reference": {f"{part.id}-answer": plain(part.solution) for part in parts} | essays,
        "blank": {},
    }
    known = {part.id: variants(part) or [plain(part.solution)] for part in parts}
    for k in range(max(map(len, known.values()))):
        found[f"variant-{k + 1}"] = essays | {
            f"{name}-answer": texts[k % len(texts)] for name, texts in known.items()
        }
    return found


def filled(made: Release, answers: Answers) -> bytes:
    """The release's notebook with answers in it, as a student's JupyterLab would save it."""
    notebook = release.load(made)
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell["source"] = answers[grade_id]
    return json.dumps(notebook, indent=1).encode()


# ---- graders -------------------------------------------------------------------------------------


def ours(
    assignment: Assignment, notebooks: dict[str, bytes], engine: Engine, jobs: int = 2
) -> dict[str, Scores]:
    """Our scores: submission → part → points."""

    def grade(data: bytes) -> Scores:
        result = grade_bytes(
            assignment, data, f"{assignment.name}.ipynb", engine, SubmissionInfo()
        ).result
        return {part.id: part.earned for part in result.parts if part.kind != "essay"}

    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(notebooks, pool.map(grade, notebooks.values()), strict=True))


def command(arguments: list[str], folder: Path) -> None:
    """Run a stock tool, with nothing of this machine's settings; its words are in the error where
    it fails.
    """
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
    }
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(arguments)} ended with "
            f"{done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        )


def otter(
    assignment: Assignment, made: Release, notebooks: dict[str, bytes], folder: Path, jobs: int = 2
) -> Stock:
    """The scores of stock `otter run`, from an autograder that stock `otter generate` makes of the
    release's test files.
    """
    for name, data in made.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    support = [name for name in made.files if "/" not in name and not name.endswith(".ipynb")]
    command(
        [
            "otter",
            "generate",
            "-t",
            "tests",
            "-o",
            "autograder.zip",
            "--no-requirements",
            "--no-environment",
            "--no-config",
            *support,
        ],
        folder,
    )

    def run(item: tuple[str, bytes]) -> Scores:
        name, data = item
        place = folder / "runs" / name
        place.mkdir(parents=True)
        (place / f"{assignment.name}.ipynb").write_bytes(data)
        command(
            [
                "otter",
                "run",
                "-a",
                str(folder / "autograder.zip"),
                "-o",
                str(place),
                "--no-logo",
                f"{assignment.name}.ipynb",
            ],
            place,
        )
        found = {
            test["name"]: float(test.get("score", 0))
            for test in json.loads((place / "results.json").read_text())["tests"]
        }
        scores: Scores = {}
        for part in assignment.parts:
            if not part.by_hand:
                visible = (
                    found.get(part.id, 0.0)
                    if part.visible_points or not part.hidden_points
                    else 0.0
                )
                scores[part.id] = visible + found.get(f"{part.id}-hidden", 0.0)
        return scores

    with ThreadPoolExecutor(jobs) as pool:
        return Stock(dict(zip(notebooks, pool.map(run, notebooks.items()), strict=True)))


def nbgrader(
    name: str,
    files: dict[str, bytes],
    notebooks: dict[str, bytes],
    folder: Path,
    part_of: Callable[[str], str] = str,
    jobs: int = 2,
) -> Stock:
    """The scores of stock `nbgrader autograde` in a course of its own. `part_of` says to which part
    a grade cell belongs.
    """
    place(folder / "source" / name, files)
    (folder / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'parity'\n"
    )
    command(["nbgrader", "generate_assignment", name, "--force"], folder)
    # so that each process takes those of one number
    students = {student: f"{k % jobs}-{student}" for k, student in enumerate(notebooks)}
    for student, data in notebooks.items():
        place(folder / "submitted" / students[student] / name, {f"{name}.ipynb": data})
    with ThreadPoolExecutor(jobs) as pool:
        list(
            pool.map(
                lambda k: command(["nbgrader", "autograde", name, "--student", f"{k}-*"], folder),
                range(min(jobs, len(students))),
            )
        )
    return read_gradebook(name, students, folder, part_of)


def read_gradebook(
    name: str, students: dict[str, str], folder: Path, part_of: Callable[[str], str]
) -> Stock:
    """The marks in nbgrader's gradebook, and the cells that it gave nothing for having written to
    stderr.
    """
    import nbformat
    from nbgrader.api import Gradebook

    stock = Stock()
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        for student, folder_name in students.items():
            scores: Scores = {}
            executed = nbformat.read(
                folder / "autograded" / folder_name / name / f"{name}.ipynb", as_version=4
            )
            noisy = {
                cell.metadata.nbgrader.grade_id
                for cell in executed.cells
                if cell.cell_type == "code"
                and "nbgrader" in cell.metadata
                and any(output.get("name") == "stderr" for output in cell.outputs)
            }
            submission = book.find_submission(name, folder_name)
            stock.totals[student] = submission.score
            for grade in submission.notebooks[0].grades:
                part = part_of(grade.name)
                if grade.cell.cell_type == "code" and grade.auto_score is not None:
                    scores[part] = scores.get(part, 0.0) + grade.auto_score
                    if grade.name in noisy:
                        stock.noisy[student, part] = (
                            stock.noisy.get((student, part), 0.0) + grade.max_score
                        )
            stock.scores[student] = scores
    return stock


def place(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


# ---- comparison ----------------------------------------------------------------------------------


def differences(
    tool: str, assignment: str, here: dict[str, Scores], stock: Stock
) -> list[Difference]:
    """The parts that are not the same in both."""
    found = []
    for submission, scores in here.items():
        theirs = stock.scores[submission]
        # stock nbgrader also writes a nought for what is marked by hand and was left as it was
        for part in scores:
            a, b = float(scores[part]), float(theirs.get(part, -1.0))
            if abs(a - b) > ROUNDING:
                noisy = b < a <= b + stock.noisy.get((submission, part), 0.0) + ROUNDING
                found.append(
                    Difference(
                        tool,
                        assignment,
                        submission,
                        part,
                        a,
                        b,
                        "it wrote to stderr" if noisy else "",
                    )
                )
    return sorted(found, key=str)


def base(grade_id: str) -> str:
    """The part that a grade cell of a throw-away course belongs to."""
    return grade_id.removesuffix("-hidden")


@dataclass
class Comparison:
    """What came of comparing one assignment."""

    submissions: int
    parts: int
    earned: dict[str, Fraction]
    found: list[Difference]


def compare(
    assignment: Assignment,
    engine: Engine,
    *,
    only: Callable[[str], bool] = lambda name: True,
    jobs: int = 2,
) -> Comparison:
    """Grade the known answers of an assignment three times."""
    made = release.build(assignment, expected_answers(assignment, engine))
    chosen = {name: answers for name, answers in submissions(assignment).items() if only(name)}
    students = release.build(assignment)
    here = ours(
        assignment,
        {name: filled(students, answers) for name, answers in chosen.items()},
        engine,
        jobs,
    )
    notebooks = {name: filled(made, answers) for name, answers in chosen.items()}
    found: list[Difference] = []
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        found += differences(
            "otter",
            assignment.name,
            here,
            otter(assignment, made, notebooks, make(folder, "otter"), jobs),
        )
        found += differences(
            "nbgrader",
            assignment.name,
            here,
            nbgrader(assignment.name, made.files, notebooks, make(folder, "nbgrader"), base, jobs),
        )
    earned = {
        name: sum((Fraction(points) for points in scores.values()), Fraction(0))
        for name, scores in here.items()
    }
    return Comparison(len(chosen), sum(map(len, here.values())), earned, found)


def make(folder: str, name: str) -> Path:
    """A new folder in another."""
    path = Path(folder).resolve() / name
    path.mkdir()
    return path


def main() -> int:
    """Compare the assignments named on the command line; exits 1 if a difference has no documented
    reason.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", help="assignments of source/; all by default")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="how many stock graders at once"
    )
    parser.add_argument("--some", action="store_true", help="the sample that the tests take")
    options = parser.parse_args()
    names = options.names or sorted(
        path.parent.name
        for path in (ROOT / "source").glob("*/*.py")
        if path.stem == path.parent.name
    )
    bad = 0
    with Engine() as engine:
        for name in names:
            assignment = source.load(ROOT / "source" / name, seed=SEED)
            started = time.monotonic()
            outcome = compare(
                assignment,
                engine,
                only=sampled if options.some else lambda _: True,
                jobs=options.jobs,
            )
            undocumented = [difference for difference in outcome.found if not difference.note]
            bad += len(undocumented)
            print(
                f"{name}: {outcome.submissions} submissions, {outcome.parts} parts compared "
                f"with both, {time.monotonic() - started:.0f} s"
            )
            print(
                "  "
                + ", ".join(
                    f"{student} {show_points(points)}" for student, points in outcome.earned.items()
                )
            )
            print(
                f"  {len(undocumented)} differences, "
                f"{len(outcome.found) - len(undocumented)} documented ones"
            )
            for difference in outcome.found:
                print(f"  {difference}")
    return 1 if bad else 0


def sampled(name: str) -> bool:
    """Whether a submission is among those that every test run compares."""
    return name in ("reference", "blank", "variant-1", "variant-2", "variant-3")


if __name__ == "__main__":
    sys.exit(main())
