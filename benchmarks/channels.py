"""How many bits one session can hand to another: `python benchmarks/channels.py [--rounds N]`.

A sender and a receiver in two sessions of an engine, one after the other and side by side, by every
means in `tests/attacks/shared.py`; then by what cannot be taken from them: numbers that the kernel
counts for the whole machine, and the load of its processors. Prints how many of 64 bits were right,
or what came of the numbers. 32 of 64 is what guessing gives.
"""

from __future__ import annotations

import argparse
import inspect
import math
import os
import secrets
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from attacks import shared

from autogradient.grading.engine import Engine
from autogradient.model.assignment import Limits
from autogradient.sandbox import Interpreter, Session, interpreter

BITS = 64
#: A number of the kernel's that a session can raise, and read: the text of `raise_to(value)`, until
#: its lowest bits are that, and of `read()`.
COUNTERS = {
    "numbers of inodes (pipes)": (
        12,
        8,
        """
def read():
    seen = set()
    while len(seen) < 3:  # each processor has a supply of 1024 numbers
        ends = os.pipe()
        number = os.fstat(ends[0]).st_ino
        seen.add(number >> 10)
        for end in ends:
            os.close(end)
    return number
def step():
    for end in os.pipe():
        os.close(end)
    ends = os.pipe()
    number = os.fstat(ends[0]).st_ino
    for end in ends:
        os.close(end)
    return number
""",
    ),
}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--rounds", type=int, default=3, help="how often each is tried; 3 by default"
    )
    rounds = parser.parse_args().rounds
    if "PYTHONPATH" in os.environ:  # for measuring another version
        interpreter.ENVIRONMENT["PYTHONPATH"] = os.environ["PYTHONPATH"]
    with Engine() as engine:
        engine.check()
        for name, (_, _, held) in shared.CHANNELS.items():
            for beside in (True,) if held else (False, True):
                right = [carried(engine, name, beside) for _ in range(rounds)]
                print(
                    f"{name:32} {'side by side' if beside else 'one after the other':20} "
                    f"{' '.join(map(str, right))} of {BITS} bits right",
                    flush=True,
                )
        for name, (low, count, text) in COUNTERS.items():
            print(
                f"{name:32} {'one after the other':20} {counted(engine, low, count, text, rounds)}",
                flush=True,
            )
        print(f"{'load of the processors':32} {'side by side':20} {loaded(engine)}")
    return 0


def run(one: Interpreter, text: str, seconds: float = 60.0) -> str:
    """What a cell prints. Raises RuntimeError where it fails."""
    done = one.run(text, seconds)
    if done.status != "ok":
        raise RuntimeError(f"{done.status}: {done.error} {done.how}")
    return "".join(
        output.get("text", "") for output in done.outputs if output["output_type"] == "stream"
    )


def open_one(engine: Engine) -> tuple[Session, Interpreter]:
    """A session with the means at hand."""
    session = engine.session(engine.folder({}), Limits())
    first = session.start(1)
    run(first, inspect.getsource(shared))
    return session, first


def carried(engine: Engine, name: str, beside: bool) -> int:
    """How many of 64 random bits arrive."""
    bits, tag = [secrets.randbelow(2) for _ in range(2 * BITS)], secrets.token_hex(4)
    sender, first = open_one(engine)
    run(first, f"CHANNELS[{name!r}][0]({bits!r}, {tag!r})")
    if not beside:
        sender.close()
    receiver, second = open_one(engine)
    measured = [
        float(word)
        for word in run(second, f"print(*CHANNELS[{name!r}][1]({2 * BITS}, {tag!r}))").split()
    ]
    receiver.close()
    sender.close()
    return sum(
        a == b for a, b in zip(bits[BITS:], shared.decoded(bits[:BITS], measured), strict=True)
    )


def counted(engine: Engine, low: int, count: int, text: str, rounds: int) -> str:
    """Have a sender raise a number until some of its bits are the message; how far off the
    receiver's are.
    """
    off, took = [], []
    for _ in range(rounds):
        message, started = secrets.randbelow(1 << count), time.perf_counter()
        sender, first = open_one(engine)
        try:
            run(
                first,
                (
                    f"import os\n{text}\nwhile (step() >> {low}) & {(1 << count) - 1} != "
                    f"{message}: pass"
                ),
                120,
            )
        except RuntimeError as error:
            sender.close()
            return f"not to be had ({error})"
        sender.close()
        took.append(time.perf_counter() - started)
        receiver, second = open_one(engine)
        found = int(run(second, f"import os\n{text}\nprint(read())"))
        receiver.close()
        off.append(((found >> low) - message) % (1 << count))
    spread = max(off) - min(off) + 1
    return (
        f"off by {min(off)} to {max(off)} of {1 << count}: about "
        f"{math.log2((1 << count) / spread):.0f} bits in {sum(took) / rounds:.0f} s"
    )


def loaded(engine: Engine, slot: float = 0.05) -> str:
    """Have a sender keep all processors busy, or not, for a slot of time each; how many bits a
    receiver that counts gets right.
    """
    bits = [secrets.randbelow(2) for _ in range(2 * BITS)]
    sender, first = open_one(engine)
    receiver, second = open_one(engine)
    start = time.time() + 1
    first._send(
        {
            "do": "run",
            "source": _SEND.format(bits=bits, start=start, slot=slot, processors=os.cpu_count()),
        }
    )
    measured = [
        float(word)
        for word in run(second, _COUNT.format(count=2 * BITS, start=start, slot=slot)).split()
    ]
    first._receive(60)
    receiver.close()
    sender.close()
    right = sum(
        a == b for a, b in zip(bits[BITS:], shared.decoded(bits[:BITS], measured), strict=True)
    )
    return f"{right} of {BITS} bits right, {1 / slot:.0f} a second"


_SEND = """
import os, time
for _ in range({processors}):
    if os.fork() == 0:
        for at, bit in enumerate({bits}):
            end = {start} + (at + 1) * {slot}
            time.sleep(max(0, {start} + at * {slot} - time.time()))
            while bit and time.time() < end: pass
        os._exit(0)
for _ in range({processors}): os.wait()
"""
_COUNT = """
import time
found = []
for at in range({count}):
    time.sleep(max(0, {start} + at * {slot} - time.time()))
    done = 0
    while time.time() < {start} + (at + 1) * {slot}: done += 1
    found.append(done)
print(*found)
"""


if __name__ == "__main__":
    sys.exit(main())
