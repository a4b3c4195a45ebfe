"""A million hostile inputs for all that reads what students send: `python benchmarks/fuzz.py
[INPUTS] [SEED]`.

Each campaign of ten thousand runs in a child of limited memory; the first input that breaks what
must hold ends the run with exit code 1, and is printed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import fuzzing

#: Inputs of one campaign, and each target's share of all.
CAMPAIGN = 10_000
SHARES = {
    "decode": 0.3,
    "decode_plain": 0.2,
    "round trip": 0.1,
    "stream": 0.1,
    "notebook": 0.1,
    "conversation": 0.1,
    "meaning": 0.1,
}


def main(inputs: int, seed: int) -> int:
    """Try so many inputs and print a line for each target; returns the exit code."""
    print(f"{'target':<16}{'inputs':>10}{'seconds':>10}   seed {seed}", flush=True)
    tried = 0
    for name in fuzzing.TARGETS:
        started, left, campaign = time.perf_counter(), round(inputs * SHARES[name]), 0
        while left > 0:
            now = min(CAMPAIGN, left)
            try:
                fuzzing.campaign(name, now, seed + campaign)
            except AssertionError as error:
                print(f"{name}: seed {seed + campaign}: {error}", flush=True)
                return 1
            left, tried, campaign = left - now, tried + now, campaign + 1
        print(
            f"{name:<16}{round(inputs * SHARES[name]):>10}{time.perf_counter() - started:>10.0f}   "
            "nothing found",
            flush=True,
        )
    print(f"{'together':<16}{tried:>10}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(
        main(
            int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000,
            int(sys.argv[2]) if len(sys.argv) > 2 else 1,
        )
    )
