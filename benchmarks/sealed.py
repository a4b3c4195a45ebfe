"""Sealed grading against stock tools and against the floor: `python benchmarks/sealed.py [--course
DIR] [--submissions N] [--otter N]`.

One assignment of eight questions in NumPy and torch, 21 points by machine and an essay, with N
submissions that all deserve full marks. Graded by stock `nbgrader autograde` in one batch, by stock
`otter run` (a few), by us sealed, one at a time, warm, and by nobody: the floor is the same work as
a plain script in a fork of a warm process. Prints wall and CPU seconds per submission, and whether
all scores are equal; exits with 1 if they are not.

CPU seconds are those of all processes together. Ours are the grader's own and all that its two warm
interpreters and their children used, from when the interpreters are warm until the last child has
been waited for: a process whose parent ends is handed to its interpreter, so none is lost.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from sealed_course import build

#: One thread each, so that CPU seconds can be compared.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
#: What sealed grading is to reach: times faster than `nbgrader autograde`, times the floor's CPU.
FASTER, OVER_FLOOR = 15, 2

Scores = dict[str, dict[str, float]]


@dataclass
class Measured:
    """What one way of grading took, in seconds for a submission, and gave: points by submission and
    grade cell.
    """

    wall: float
    cpu: float
    count: int
    scores: Scores = field(default_factory=dict)


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--course",
        type=Path,
        help="a stock nbgrader course to use instead of our own: source/NAME, submitted/, "
        "plain.py, otter/NAME.ipynb",
    )
    parser.add_argument("--submissions", type=int, default=20, help="how many; 20 by default")
    parser.add_argument(
        "--otter",
        type=int,
        default=2,
        help="how many of them with otter, which is slow; 2 by default",
    )
    parser.add_argument(
        "--only", choices=("ours", "floor"), action="append", help="leave the stock tools out"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealed-") as folder:
        root = Path(folder) / "course"
        if arguments.course:
            shutil.copytree(arguments.course, root)
        else:
            build(root, arguments.submissions)
        name = next((root / "source").iterdir()).name
        kept = sorted((root / "submitted").iterdir())[: arguments.submissions]
        for student in set((root / "submitted").iterdir()) - set(kept):
            shutil.rmtree(student)
        (root / "nbgrader_config.py").write_text(
            "c = get_config()\nc.CourseDirectory.course_id = "
            f"'bench'\nc.CourseDirectory.root = {str(root)!r}\n"
        )
        found: dict[str, Measured] = {"floor": floor(root), "ours, sealed": sealed(root, name)}
        if not arguments.only:
            found["nbgrader autograde"] = nbgrader(root, name)
            if arguments.otter and shutil.which("otter", path=_bin()):
                found["otter run"] = otter(root, name, arguments.otter)
        return report(found)


def report(found: dict[str, Measured]) -> int:
    """Print the table and what it comes to."""
    ours, base = found["ours, sealed"], found["floor"]
    print(
        f"{'seconds for a submission':<26}{'of':>4}{'wall':>9}{'CPU':>9}{'wall × ours':>13}{'CPU × ours':>12}{'CPU × floor':>13}"  # noqa: E501
    )
    for name, one in found.items():
        ratios = (
            f"{one.wall / ours.wall:>13.1f}{one.cpu / ours.cpu:>12.1f}{one.cpu / base.cpu:>13.2f}"
        )
        print(f"{name:<26}{one.count:>4}{one.wall:>9.3f}{one.cpu:>9.3f}{ratios}")
    equal = True
    if "nbgrader autograde" in found:
        stock = found["nbgrader autograde"]
        equal = ours.scores == stock.scores
        print(
            f"scores: {len(ours.scores)} submissions, "
            f"{'equal to nbgrader in every cell' if equal else 'NOT EQUAL to nbgrader'}"
        )
        for student in sorted(ours.scores.keys() | stock.scores.keys()):
            if ours.scores.get(student) != stock.scores.get(student):
                print(
                    f"  {student}: ours {ours.scores.get(student)}, nbgrader "
                    f"{stock.scores.get(student)}"
                )
        print(
            f"at least {FASTER} times faster: "
            f"{'yes' if stock.wall / ours.wall >= FASTER else 'no'} (wall), "
            f"{'yes' if stock.cpu / ours.cpu >= FASTER else 'no'} (CPU)"
        )
    totals = {sum(cells.values()) for one in found.values() for cells in one.scores.values()}
    print(f"points: {', '.join(f'{total:g}' for total in sorted(totals))}")
    print(
        f"at most {OVER_FLOOR} times the CPU of the floor: "
        f"{'yes' if ours.cpu / base.cpu <= OVER_FLOOR else 'no'}"
    )
    return 0 if equal and len(totals) == 1 else 1


# ---- ours ----------------------------------------------------------------------------------------


def sealed(root: Path, name: str) -> Measured:
    """Grade each submission by itself, interpreters warm; the first is graded once before, for what
    is done once.
    """
    from autogradient.grading.batch import Local, grade_all
    from autogradient.grading.engine import Engine
    from autogradient.grading.find_submissions import submissions
    from autogradient.sources.formats import load_assignment

    assignment = load_assignment(root / "source" / name / f"{name}.ipynb")
    items = list(submissions(root / "submitted", [assignment]))
    with Engine() as engine:
        engine.check()
        if engine.missing:
            sys.exit(f"not sealed here: {', '.join(engine.missing)}")
        engine.wait()
        grade_all(items[:1], Local(engine, 1))
        before, started = cpu_of(engine), time.perf_counter()
        done = grade_all(items, Local(engine, 1), results=root / "results")
        wall = time.perf_counter() - started
        cpu = cpu_of(engine) - before
    scores = {
        one.item.students[0]: {
            p.id: float(p.earned) for p in one.graded.result.parts if p.kind == "code"
        }
        for one in done
    }
    return Measured(wall / len(items), cpu / len(items), len(items), scores)


def cpu_of(engine: object) -> float:
    """CPU seconds of this process, and of the warm interpreters with all that has ended below them;
    waits until nothing is left there.
    """
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    for zygote in engine.warm.values():  # type: ignore[attr-defined]
        pid = zygote.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        while children.read_text().split():  # an interpreter looks after its children once a second
            time.sleep(0.05)
        total += sum(
            map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15])
        ) / os.sysconf("SC_CLK_TCK")
    return total


# ---- the floor -----------------------------------------------------------------------------------

_FLOOR = """
import os, resource, sys, time
import numpy, torch, torch.nn.functional, torch.optim, torch._dynamo, matplotlib.pyplot
torch.set_num_threads(1)
code = compile(open(sys.argv[1]).read(), "plain.py", "exec")
started, cpu = time.perf_counter(), 0.0
for _ in range(int(sys.argv[2])):
    pid = os.fork()
    if pid == 0:
        exec(code, {"__name__": "__main__"})
        os._exit(0)
    _, status, used = os.wait4(pid, 0)
    assert status == 0
    cpu += used.ru_utime + used.ru_stime
print(time.perf_counter() - started, cpu)
"""


def floor(root: Path, count: int = 20) -> Measured:
    """The same work, answers and tests, as one script in a fork of a warm process."""
    said = _run([sys.executable, "-c", _FLOOR, "plain.py", str(count)], root)
    wall, cpu = map(float, said.split())
    return Measured(wall / count, cpu / count, count)


# ---- stock tools ---------------------------------------------------------------------------------


def _bin() -> str:
    return str(Path(sys.executable).parent)


def _run(command: list[str], folder: Path) -> str:
    environment = {
        **os.environ,
        **ONE_THREAD,
        "PATH": f"{_bin()}:{os.environ.get('PATH', '')}",
        "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"),
    }
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)[:200]}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


class _Clock:
    """Wall seconds, and CPU seconds of the children that were waited for; to use with `with`."""

    def __enter__(self) -> _Clock:
        self.started, self.used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        return self

    def __exit__(self, *_: object) -> None:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.wall = time.perf_counter() - self.started
        self.cpu = used.ru_utime + used.ru_stime - self.used.ru_utime - self.used.ru_stime


def nbgrader(root: Path, name: str) -> Measured:
    """One `nbgrader autograde` for all submissions."""
    from nbgrader.api import Gradebook

    _run(["nbgrader", "generate_assignment", name, "--create"], root)
    with _Clock() as clock:
        _run(["nbgrader", "autograde", name, "--create"], root)
    with contextlib.closing(Gradebook(f"sqlite:///{root}/gradebook.db")) as book:
        scores = {
            one.student.id: {
                grade.name: grade.auto_score
                for notebook in one.notebooks
                for grade in notebook.grades
                if grade.auto_score is not None
            }
            for one in book.assignment_submissions(name)
        }
    return Measured(clock.wall / len(scores), clock.cpu / len(scores), len(scores), scores)


def otter(root: Path, name: str, count: int) -> Measured:
    """`otter run` of the solution, which is what the submissions come to, so many times."""
    _run(["otter", "assign", "--no-run-tests", f"otter/{name}.ipynb", "dist"], root)
    (archive,) = (root / "dist" / "autograder").glob("*.zip")
    scores: Scores = {}
    for number in range(count):
        (root / f"otter-{number}").mkdir()
    with _Clock() as clock:
        for number in range(count):
            _run(
                [
                    "otter",
                    "run",
                    "-a",
                    str(archive),
                    "-o",
                    f"otter-{number}",
                    f"dist/autograder/{name}.ipynb",
                ],
                root,
            )
    for number in range(count):
        tests = json.loads((root / f"otter-{number}" / "results.json").read_text())["tests"]
        scores[f"{number}"] = {
            test["name"]: test["score"]
            for test in tests
            if test.get("max_score") and "written" not in test["name"]
        }
    return Measured(clock.wall / count, clock.cpu / count, count, scores)


if __name__ == "__main__":
    sys.exit(main())
