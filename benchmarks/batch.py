"""A whole class against stock tools, and what it costs by size: `python benchmarks/batch.py
[--submissions N] [--otter N] [--sizes 1,10,100,1000] [--plot FILE]`.

The assignment is that of sealed.py. First N submissions that deserve full marks, graded by stock
`nbgrader autograde` in one batch, by stock `otter run` (a few), by us sealed with one worker and
with as many as there are processors, and as a plain script in a fork of a warm process (the floor);
scores are compared. Then classes of several sizes, a mix of 50 notebooks made distinct, with the
command a user types: start-up, gradebook and all; each graded once, and once more with nothing
changed. Prints a table of what was to be reached and what was, and draws both curves. Exits with 1
if scores differ.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import sealed
import sealed_course
from sealed import Measured

#: Different notebooks in a class.
DISTINCT = 50
COURSE = 'format = 1\nname = "Benchmark"\nrelease = "1"\n'


@dataclass
class Class:
    """What a class of a size took: the command's wall and CPU seconds and the most memory that one
    of its processes had in MB, first and with nothing changed.
    """

    size: int
    wall: float
    cpu: float
    memory: float
    again: float


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--submissions",
        type=int,
        default=100,
        help="against stock nbgrader; 100 by default, which takes ten minutes",
    )
    parser.add_argument(
        "--otter", type=int, default=3, help="how many of them with otter; 3 by default"
    )
    parser.add_argument(
        "--sizes", default="1,10,100,1000", help="class sizes; 1,10,100,1000 by default"
    )
    parser.add_argument("--only", choices=("stock", "sizes"), help="one half of it")
    parser.add_argument("--plot", type=Path, help="draw the curves to this file (.png or .svg)")
    arguments = parser.parse_args()
    right, workers = True, dict[int, Measured]()
    with tempfile.TemporaryDirectory(prefix="batch-") as folder:
        if arguments.only != "sizes":
            right, workers = against_stock(
                Path(folder) / "stock", arguments.submissions, arguments.otter
            )
        classes = (
            []
            if arguments.only == "stock"
            else by_size(Path(folder), [int(size) for size in arguments.sizes.split(",")])
        )
    if arguments.plot:
        plot(workers, classes, arguments.plot)
    return 0 if right else 1


# ---- against stock tools -------------------------------------------------------------------------


def against_stock(root: Path, count: int, otters: int) -> tuple[bool, dict[int, Measured]]:
    """Grade the same submissions with everything; print the table. Returns whether all scores are
    equal, and what each number of workers took.
    """
    sealed_course.build(root, count)
    name = next((root / "source").iterdir()).name
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'bench'\nc.CourseDirectory.root = "
        f"{str(root)!r}\n"
    )
    floor = sealed.floor(root)
    many = len(os.sched_getaffinity(0))
    workers = {jobs: ours(root, name, jobs) for jobs in sorted({1, many})}
    stock = sealed.nbgrader(root, name)
    otter = sealed.otter(root, name, otters) if otters else None
    best = workers[many]
    print(f"{'seconds for a submission':<28}{'of':>5}{'wall':>9}{'CPU':>9}")
    rows = {
        "floor": floor,
        **{f"ours, {jobs} at a time": one for jobs, one in workers.items()},
        "nbgrader autograde": stock,
    }
    for label, one in (rows | ({"otter run": otter} if otter else {})).items():
        print(f"{label:<28}{one.count:>5}{one.wall:>9.3f}{one.cpu:>9.3f}")
    equal = all(one.scores == stock.scores for one in workers.values())
    totals = {
        sum(cells.values())
        for one in (*rows.values(), *([otter] if otter else []))
        for cells in one.scores.values()
    }
    print(
        f"scores: {len(stock.scores)} submissions, "
        f"{'equal in every cell' if equal else 'NOT EQUAL'}; points "
        f"{', '.join(f'{t:g}' for t in sorted(totals))}\n"
    )
    print(f"{'what':<58}{'to reach':>10}{'seen':>9}")
    reached("times faster than nbgrader autograde, wall", 20, stock.wall / best.wall)
    reached("the same, CPU", None, stock.cpu / best.cpu)
    if otter:
        reached("times faster than otter run, wall", 40, otter.wall / best.wall)
    reached("grader's CPU over the floor", 1.5, best.cpu / floor.cpu, most=True)
    if many > 1:
        reached(f"{many} workers over one", 1.8 if many == 2 else None, workers[1].wall / best.wall)
    print()
    return equal and len(totals) == 1, workers


def reached(what: str, goal: float | None, seen: float, *, most: bool = False) -> None:
    """Print a row of the table."""
    print(
        f"{what:<58}{'' if goal is None else f'{chr(0x2264) if most else chr(0x2265)} {goal:g}':>10}{seen:>9.2f}"  # noqa: E501
    )


def ours(root: Path, name: str, jobs: int) -> Measured:
    """All submissions, so many at a time, interpreters warm; the first is graded once before, for
    what is done once.
    """
    from autogradient.grading.batch import Local, grade_each
    from autogradient.grading.engine import Engine
    from autogradient.grading.find_submissions import submissions
    from autogradient.sources.formats import load_assignment

    assignment = load_assignment(root / "source" / name / f"{name}.ipynb")
    items = list(submissions(root / "submitted", [assignment]))
    scores: sealed.Scores = {}
    with Engine() as engine, tempfile.TemporaryDirectory() as results:
        engine.check()
        engine.wait()
        list(grade_each(items[:1], Local(engine, 1)))
        before, started = sealed.cpu_of(engine), time.perf_counter()
        for done in grade_each(items, Local(engine, jobs), results=Path(results)):
            scores[done.item.students[0]] = {
                part.id: float(part.earned)
                for part in done.graded.result.parts
                if part.kind == "code"
            }
        wall = time.perf_counter() - started
        return Measured(
            wall / len(items), (sealed.cpu_of(engine) - before) / len(items), len(items), scores
        )


# ---- by size -------------------------------------------------------------------------------------


def by_size(folder: Path, sizes: list[int]) -> list[Class]:
    """Grade classes of these sizes with `autogradient grade --all`, each twice; print
    what it took.
    """
    print(
        f"{'class of':>8}{'seconds':>9}{'for each':>10}{'CPU each':>10}{'MB at most':>12}{'nothing changed':>17}"  # noqa: E501
    )
    found = []
    for size in sizes:
        root = folder / f"class-{size}"
        write_class(root, size)
        wall, cpu, memory = command(root)
        again, _, _ = command(root)
        found.append(Class(size, wall, cpu, memory, again))
        print(
            f"{size:>8}{wall:>9.1f}{wall / size:>10.3f}{cpu / size:>10.3f}{memory:>12.0f}{again:>15.2f} "  # noqa: E501
            "s",
            flush=True,
        )
    first = found[0]
    print(
        f"{first.again:.2f} s of each second run is start-up: the same command on "
        f"{first.size} submission{'s' if first.size > 1 else ''}"
    )
    return found


def write_class(root: Path, size: int) -> None:
    """A course with `size` submissions: 50 different ones, each with a comment of its own, so that
    no two are the same.
    """
    source = sealed_course.nbgrader_source()
    for place in (root / "source" / sealed_course.NAME, root / "grader_config"):
        place.mkdir(parents=True)
    nbformat.write(source, root / "source" / sealed_course.NAME / f"{sealed_course.NAME}.ipynb")
    (root / "grader_config" / "course.toml").write_text(COURSE)
    texts = [json.dumps(variant(source, number)) for number in range(min(size, DISTINCT))]
    for number in range(size):
        path = (
            root
            / "submitted"
            / f"student{number:05d}"
            / sealed_course.NAME
            / f"{sealed_course.NAME}.ipynb"
        )
        path.parent.mkdir(parents=True)
        path.write_text(texts[number % DISTINCT].replace("# by student", f"# by {number}"))


def variant(source: Any, number: int) -> Any:
    """One of the different submissions: of each the questions whose bits are set in its number are
    left as they were given.
    """
    made = sealed_course.submission(source, number)
    given = copy.deepcopy(source)
    left = {
        question.id for bit, question in enumerate(sealed_course.QUESTIONS) if number >> bit & 1
    }
    for cell, old in zip(made.cells, given.cells, strict=True):
        if cell.metadata.get("nbgrader", {}).get("grade_id") in left and cell.metadata.nbgrader.get(
            "solution"
        ):
            cell.source = (
                "raise NotImplementedError  # by student"
                if "def " in old.source or "class " in old.source
                else "verdict = None  # by student"
            )
    return made


def command(root: Path) -> tuple[float, float, float]:
    """`autogradient grade --all`: wall seconds, CPU seconds with its children, MB that the largest
    process had.
    """
    started = time.perf_counter()
    pid = os.posix_spawn(
        sys.executable,
        [
            sys.executable,
            "-c",
            f"import os; os.chdir({str(root)!r}); from autogradient.cli import main; main()",
            "grade",
            "--all",
        ],
        {**os.environ, **sealed.ONE_THREAD},
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_WRONLY, 0) for fd in (1, 2)],
    )
    most = 0.0
    while True:
        ended, status, used = os.wait4(pid, os.WNOHANG)
        if ended:
            break
        # the parent's own; its interpreters have torch
        with contextlib.suppress(OSError, IndexError, ValueError):
            most = max(
                most,
                int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1000,
            )
        time.sleep(0.02)
    if status:
        sys.exit(f"grade --all ended with {status} in a class of {root.name}")
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, most


def plot(workers: dict[int, Measured], classes: list[Class], path: Path) -> None:
    """Throughput against workers, and what a submission costs against the size of the class."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.6), facecolor="white", layout="constrained"
    )
    if workers:
        counts = sorted(workers)
        left.plot(
            counts,
            [60 / workers[count].wall for count in counts],
            "o-",
            color="#0072B2",
            label="seen",
        )
        left.plot(
            counts,
            [60 / workers[counts[0]].wall * count / counts[0] for count in counts],
            "--",
            color="#999999",
            label="in proportion",
        )
        left.set(xlabel="workers", ylabel="submissions a minute", xticks=counts, ylim=(0, None))
        left.legend()
    if classes:
        sizes = [one.size for one in classes]
        right.loglog(
            sizes,
            [one.wall / one.size for one in classes],
            "o-",
            color="#D55E00",
            label="first time",
        )
        right.loglog(
            sizes,
            [one.again / one.size for one in classes],
            "s-",
            color="#009E73",
            label="nothing changed",
        )
        right.set(xlabel="submissions", ylabel="seconds for each")
        right.legend()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


if __name__ == "__main__":
    sys.exit(main())
