"""What a class costs in minutes of GitHub Actions: `python benchmarks/minutes.py [--students N]
[--assignments N] [--pushes N] [--runs N] [--weeks N] [--setup S]`.

Measures on this machine what a grading command takes with nothing to do, what each of the sample
submissions adds to it, and what the student's check of one takes; with `--measure-setup`, also what
is installed before a job begins. These are seconds of a processor, which do not depend on what else
the machine does; with two processors it takes less. Prints the measured figures and the sum that
docs/github.md explains: jobs, each rounded up to whole minutes.
"""

from __future__ import annotations

import argparse
import math
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "autogradient"]
#: Commands of the collecting and of the publishing job; each starts anew and waits for GitHub.
COMMANDS = {"collect": 6, "publish": 5}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--students", type=int, default=100)
    parser.add_argument("--assignments", type=int, default=12)
    parser.add_argument("--pushes", type=int, default=4, help="for each student and assignment")
    parser.add_argument("--runs", type=int, default=24, help="of the schedule, a day")
    parser.add_argument(
        "--busy", type=float, default=0.5, help="share of them that find something to grade"
    )
    parser.add_argument("--weeks", type=int, default=15)
    parser.add_argument(
        "--setup",
        type=float,
        default=60,
        help="seconds before a job's own work begins: machine, Python, packages",
    )
    parser.add_argument(
        "--measure-setup",
        action="store_true",
        help="measure the packages' share of it here (needs the network)",
    )
    given = parser.parse_args()
    setup = installing() if given.measure_setup else given.setup
    start, one, check = grading()
    print(
        f"a job's set-up     {setup:6.1f} s  "
        f"{'measured here' if given.measure_setup else 'assumed; --measure-setup measures it'}"
    )
    print(f"a command's start  {start:6.1f} s  grade --all with nothing to do")
    print(f"a submission       {one:6.2f} s  more for each that is graded, of perceptrons")
    print(f"a student's check  {check:6.1f} s  of a notebook of perceptrons")
    runs = given.runs * 7 * given.weeks
    busy = int(runs * given.busy)
    pushes = given.students * given.assignments * given.pushes
    rows = {
        "collect": (runs, minutes(setup + COMMANDS["collect"] * start)),
        "grade": (busy, minutes(setup + 2 * start + one * pushes / max(busy, 1))),
        "publish": (busy, minutes(setup + COMMANDS["publish"] * start)),
        "check": (pushes, minutes(setup + check)),
    }
    print(
        f"\n{given.students} students, {given.assignments} assignments, {given.pushes} "
        f"pushes to each, {given.weeks} weeks, {given.runs} runs a day\n"
    )
    print("| job | how often | minutes each | minutes |\n|---|---|---|---|")
    for name, (count, each) in rows.items():
        print(f"| {name} | {count:,} | {each} | {count * each:,} |")
    total = sum(count * each for count, each in rows.values())
    print(f"| together | | | {total:,} |\n\n{total / given.weeks * 52 / 12:,.0f} a month")


def minutes(seconds: float) -> int:
    """As GitHub counts them."""
    return math.ceil(seconds / 60)


def installing() -> float:
    """Seconds that it takes to install what the workflows install, in a copy of this repository."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(
            ROOT,
            copy,
            ignore=shutil.ignore_patterns(".venv", ".git", "build", "results", "submitted"),
        )
        return timed(["make", "setup", "EXTRAS=github"], copy)


def grading() -> tuple[float, float, float]:
    """Seconds of a command with nothing to do, for each submission that is graded, and for the
    check of one.
    """
    with tempfile.TemporaryDirectory() as folder:
        course = Path(folder) / "course"
        for name in (
            "grader_config/course.toml",
            "source/perceptrons",
            "source/activations",
            "release/perceptrons",
        ):
            target = course / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile)(ROOT / name, target)
        for path in (ROOT / "examples" / "submissions").glob("*/perceptrons"):
            shutil.copytree(path, course / "submitted" / path.parent.name / "perceptrons")
        count = len(list((course / "submitted").glob("*")))
        whole = timed([*COMMAND, "grade", "--all", "--assignment", "perceptrons"], course)
        start = timed([*COMMAND, "grade", "--all", "--assignment", "perceptrons"], course)
        work = Path(folder) / "student"
        shutil.copytree(course / "release" / "perceptrons", work)
        notebook = next((course / "submitted").glob("*/perceptrons/*.ipynb"))
        shutil.copyfile(notebook, work / "perceptrons.ipynb")
        check = timed(
            [
                "jupyter",
                "nbconvert",
                "--to",
                "notebook",
                "--execute",
                "--allow-errors",
                "--stdout",
                "perceptrons.ipynb",
            ],
            work,
        )
        return start, max(0.0, whole - start) / count, check


def timed(command: list[str], folder: Path) -> float:
    """Seconds of a processor that a command takes."""
    begun = _spent()
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / command[0])
            if command[0] == "jupyter"
            else command[0],
            *command[1:],
        ],
        cwd=folder,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr.decode()
    return _spent() - begun


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
