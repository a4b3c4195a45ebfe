"""A class graded on a cluster whose parts are killed at random: `python benchmarks/chaos.py
[--submissions N] [--kills N] [--seed N]`.

Of the submissions 5 % are broken, 2 % endless, 1 % hostile. First they are graded on this machine
and nothing is disturbed. Then with `grade --all --dask` on a scheduler and three workers, of which
one is killed, or the command itself, each time that some more results are there; what was killed is
started again, and the command, as its user would. In the end every result has to be there, once,
and the same as in the calm run, and so has every row of the gradebook. Exits with 1 if not.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import clusters
from clusters import ENDLESS, HOSTILE, Machines, results_of, write_course

WORKERS = 3


def main() -> int:
    """Run both and compare; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--submissions", type=int, default=1000, help="1000 by default")
    parser.add_argument("--kills", type=int, default=30, help="30 by default")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and the victims")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        calm, wild, home = (Path(folder) / name for name in ("calm", "wild", "machines"))
        home.mkdir()
        write_course(calm, arguments.submissions, mixture(rng))
        shutil.copytree(calm, wild)
        started = time.perf_counter()
        command = [sys.executable, "-m", "autogradient", "grade", "--all"]
        subprocess.run(
            command, cwd=calm, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        print(
            f"calm: {arguments.submissions} submissions in {time.perf_counter() - started:.0f} s",
            flush=True,
        )
        started = time.perf_counter()
        moments = sorted(
            rng.sample(
                range(1, arguments.submissions - arguments.submissions // 20), arguments.kills
            )
        )
        killed, runs = chaos(wild, home, command, moments, rng)
        said = ", ".join(f"{count} × {what}" for what, count in sorted(killed.items()))
        print(
            f"chaos: {time.perf_counter() - started:.0f} s, the command started {runs} "
            f"times; killed: {said}"
        )
        return compare(calm, wild)


def mixture(rng: random.Random) -> list[Any]:
    """A hundred submissions: what classes hand in, 5 of them broken, 2 endless, 1 hostile."""
    good = [variant for variant in clusters.VARIANTS if not isinstance(variant, bytes)]
    broken: list[Any] = [b"no notebook", b"", b"{", b'{"cells": 3}', b"<<<<<<< HEAD\n"]
    found = [
        *(good[number % len(good)] for number in range(92)),
        *broken,
        ENDLESS,
        ENDLESS,
        HOSTILE,
    ]
    rng.shuffle(found)
    return found


def chaos(
    root: Path, home: Path, command: list[str], moments: list[int], rng: random.Random
) -> tuple[Counter[str], int]:
    """Grade while something is killed at each of these numbers of results. Returns what was killed,
    and how often the command was started.
    """
    killed, runs, number = Counter[str](), 0, 0
    with Machines(home) as machines:
        address = ""
        while True:
            if "scheduler" not in machines.running:
                for name in list(machines.running):
                    machines.kill(name)
                address = machines.start()
            while len(machines.running) < 1 + WORKERS:
                number += 1
                machines.worker(f"worker-{number}")
            with open(home / "command.log", "ab") as log:
                client = subprocess.Popen(
                    [*command, "--dask", address], cwd=root, stdout=log, stderr=log
                )
            runs += 1
            while client.poll() is None:
                if moments and written(root) >= moments[0]:
                    moments.pop(0)
                    what = rng.choice(["worker", "worker", "worker", "scheduler", "command"])
                    killed[what] += 1
                    if what == "command":
                        client.kill()
                    elif what == "scheduler":
                        machines.kill("scheduler")
                    else:
                        machines.kill(
                            rng.choice([name for name in machines.running if name != "scheduler"])
                        )
                        number += 1
                        machines.worker(f"worker-{number}")
                    if what != "worker":
                        client.wait()
                time.sleep(0.02)
            if client.returncode == 0 and not moments:
                return killed, runs
            if client.returncode == 0:  # it was over before its time
                raise SystemExit(f"all was graded before {len(moments)} more could be killed")


def written(root: Path) -> int:
    """How many results there are."""
    return sum(
        not name.name.endswith(".staff.json")
        for name in (root / "results" / "small").glob("student*.json")
    )


def compare(calm: Path, wild: Path) -> int:
    """Print what is not the same; returns the exit code."""
    expected, found = results_of(calm), results_of(wild)
    lost, more = expected.keys() - found.keys(), found.keys() - expected.keys()
    other = [
        student for student in expected.keys() & found.keys() if expected[student] != found[student]
    ]
    rows = [gradebook(root) for root in (calm, wild)]
    print(
        f"results: {len(found)}; lost {len(lost)}, too many {len(more)}, different "
        f"{len(other)}{': ' + ', '.join(other[:5]) if other else ''}"
    )
    print(
        f"gradebook: {len(rows[1])} submissions, "
        f"{'the same' if rows[0] == rows[1] else 'NOT the same'}"
    )
    outcomes = Counter(result["outcome"] for result in found.values())
    print(
        "outcomes: "
        f"{', '.join(f'{count} {outcome}' for outcome, count in sorted(outcomes.items()))}"
    )
    return 1 if lost or more or other or rows[0] != rows[1] else 0


def gradebook(root: Path) -> list[tuple[str, float]]:
    """Student and score of every submission in it."""
    from nbgrader.api import Gradebook

    with contextlib.closing(Gradebook(f"sqlite:///{root}/gradebook.db")) as book:
        return sorted((one.student.id, one.score) for one in book.assignment_submissions("small"))


if __name__ == "__main__":
    sys.exit(main())
