"""Print what comes of every attack.

    python -m tests.attacks [WORD …] [--suite own|shared] [--format nbgrader|otter] [--half] [--jobs
    N] [--list]

WORDs choose cases by what their id or kind begins with.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from .harness import Campaign
from .suites import attacks


def main() -> int:
    """Run the chosen attacks; exits 1 if any of them gets through."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.attacks", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("words", nargs="*", help="beginnings of ids or kinds; all cases by default")
    parser.add_argument("--suite", choices=["own", "shared"])
    parser.add_argument("--format", choices=["nbgrader", "otter"])
    parser.add_argument(
        "--jobs", type=int, default=len(os.sched_getaffinity(0)), help="how many at once"
    )
    parser.add_argument(
        "--half",
        action="store_true",
        help="only what every test run tries: one format where it hardly matters",
    )
    parser.add_argument("--list", action="store_true", help="show the cases and run none")
    options = parser.parse_args()
    words = tuple(options.words)
    chosen = [
        attack
        for attack in attacks().values()
        if options.suite in (None, attack.suite)
        and (attack.every_run or not options.half)
        and options.format in (None, attack.format)
        and (not words or attack.id.startswith(words) or attack.kind.startswith(words))
    ]
    if options.list:
        for attack in chosen:
            print(
                f"{attack.suite:6} {attack.id:32} {attack.format:8} {attack.kind:10} "
                f"{attack.description}"
            )
        print(
            f"{len({(attack.suite, attack.id) for attack in chosen})} cases, {len(chosen)} "
            "in their formats"
        )
        return 0
    started = time.monotonic()
    bad = forged = leaked = 0
    with Campaign((attack.key for attack in chosen), options.jobs) as campaign:
        print(
            f"{'case':40} {'format':8} {'outcome':10} {'points':>6} {'forged':6} "
            f"{'leaked':6} {'seconds':>7}"
        )
        for attack in chosen:
            report = campaign.reports[attack.key].result()
            bad, forged, leaked = (
                bad + bool(report.problems),
                forged + report.forged,
                leaked + report.leaked,
            )
            points = "-" if report.points is None else f"{report.points:g}"
            flags = f"{'YES' if report.forged else '':6} {'YES' if report.leaked else '':6}"
            print(
                f"{attack.suite}/{attack.id:34} {attack.format:8} {report.outcome:10} "
                f"{points:>6} {flags} {report.seconds:7.2f}",
                flush=True,
            )
            for problem in report.problems:
                print(f"    {problem}")
    print(
        f"{len(chosen)} attacks: {forged} forged points, {leaked} leaked, {bad} with "
        f"problems; {time.monotonic() - started:.0f} s"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
