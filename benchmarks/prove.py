"""How long proving the course's assignments takes: `python benchmarks/prove.py [NAME…]` proves each
anew and prints a table.

Nothing is written; the proof files stay as they are.
"""

from __future__ import annotations

import sys
import time

from autogradient.course import config
from autogradient.grading.engine import Engine
from autogradient.model.environment import cpu_count
from autogradient.proving.prove import prove


def main(names: list[str]) -> None:
    """Prove and print seconds, variants tried and variants a second."""
    here = config.find()
    jobs = cpu_count()
    total = 0.0
    print(
        f"{'assignment':<24}{'seconds':>9}{'variants':>10}{'a second':>10}   on {jobs} processors"
    )
    with Engine() as engine:
        engine.wait()
        for name in names or here.names():
            assignment = here.assignment(name)
            started = time.perf_counter()
            proof = prove(assignment, engine, jobs=jobs)
            seconds = time.perf_counter() - started
            tried = proof.right.of + proof.wrong.of + proof.mutants.of + proof.hostile.of
            total += seconds
            print(
                f"{name:<24}{seconds:>9.1f}{tried:>10}{tried / seconds:>10.1f}   "
                f"{'proved' if proof.proved else 'NOT proved'}"
            )
    print(f"{'together':<24}{total:>9.1f}")


if __name__ == "__main__":
    main(sys.argv[1:])
