"""Hostile input for all that reads what students send, made by Hypothesis, and a child process to
try it in.

An input is a `Tape`: bytes that decide what is built, so that a shorter tape is a simpler input.
`once(NAME, bytes.fromhex(TAPE))` tries one again.
"""

from __future__ import annotations

import contextlib
import copy
import json
import mmap
import os
import resource
import select
import signal
import socket
import struct
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.configuration
from fuzz_input import MORE, PLAIN, REACHED, TAPE, Tape, frame, only_plain, packed, same, value
from fuzz_meaning import try_meaning
from fuzz_talk import try_conversation
from hypothesis import strategies

from autogradient.errors import SubmissionError
from autogradient.grading import read_notebook
from autogradient.wire import codec, frames
from autogradient.wire.channel import Channel, Closed

#: MB that one input may cost, and MB of address space beyond the present for the child.
MOST_MB, ROOM_MB = 64, 3000
#: Processor seconds for one input, on average; and at least so many.
EACH_S, LEAST_S = 0.01, 60

__all__ = ["REACHED", "TAPE", "TARGETS", "Tape", "campaign", "cost", "once", "packed"]


# ---- what must hold ------------------------------------------------------------------------------


def try_frame(tape: Tape) -> None:
    """`decode` gives plain data or raises BadFrame; what it gives can be sent again."""
    try:
        found = codec.decode(frame(tape))
    except codec.BadFrame:
        REACHED["decode: bad"] += 1
        return
    REACHED["decode: good"] += 1
    only_plain(found, PLAIN | MORE)
    # within bounds as a frame, but not as a value; or a tensor that is only said to be on a GPU
    with contextlib.suppress(codec.NotPlain):
        codec.encode(found)


def try_plain(tape: Tape) -> None:
    """`decode_plain` gives numbers, text, bytes, lists and dicts, or raises BadFrame."""
    try:
        found = codec.decode_plain(frame(tape))
    except codec.BadFrame:
        REACHED["plain: bad"] += 1
        return
    REACHED["plain: good"] += 1
    only_plain(found, PLAIN)


def try_round_trip(tape: Tape) -> None:
    """What was encoded comes back equal and of the same types."""
    sent = value(tape)
    came = codec.decode(codec.encode(sent))
    assert same(sent, came), f"{sent!r} came back as {came!r}"


def try_stream(tape: Tape) -> None:
    """A channel's receiving end copes with any bytes, whatever length they claim."""
    channel, far = Channel.pair()
    with contextlib.closing(channel):
        content = frame(tape)
        claimed = tape.of(
            (
                len(content),
                len(content),
                len(content) + 1,
                max(0, len(content) - 1),
                0,
                0xFFFFFFFF,
                frames.MAX_PLAIN_BYTES,
            )
        )
        far.sendall(struct.pack("!I", claimed) + content if tape.below(8) else content[:3])
        far.shutdown(socket.SHUT_WR)
        with contextlib.suppress(Closed, codec.BadFrame):
            only_plain(channel.receive(timeout=30), PLAIN)
        far.close()


# ---- notebooks -----------------------------------------------------------------------------------

_NOTEBOOK: dict[str, Any] = {
    "cells": [
        {
            "cell_type": "code",
            "id": "a-answer",
            "metadata": {"nbgrader": {"grade_id": "a-answer"}},
            "source": ["def a():\n", "    return 1"],
            "outputs": [],
        },
        {"cell_type": "markdown", "metadata": {}, "source": "words \\ud83d\N{GRINNING FACE}"},
    ],
    "metadata": {"autogradient": {"assignment": "small"}, "kernelspec": {"name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}
_OLD = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": "x"},
    "worksheets": [
        {
            "metadata": {},
            "cells": [
                {"cell_type": "code", "input": "1", "outputs": [], "language": "python"},
                {"cell_type": "heading", "level": 1, "source": "H"},
            ],
        }
    ],
}
_NOTEBOOKS = [
    json.dumps(_NOTEBOOK),
    json.dumps(_NOTEBOOK, ensure_ascii=False, indent=1),
    json.dumps(_OLD),
    json.dumps({"nbformat": 2, "worksheets": []}),
]
_KEYS = (
    "cells",
    "metadata",
    "nbformat",
    "nbformat_minor",
    "worksheets",
    "cell_type",
    "source",
    "nbgrader",
    "grade_id",
    "autogradient",
    "assignment",
    "id",
    "input",
)
_PIECES = (
    b"[",
    b"{",
    b"]",
    b"}",
    b'"',
    b"\\ud800",
    b"\\u0000",
    b"1e999",
    b"NaN",
    b"-",
    b"<<<<<<< HEAD\n",
    b"\xff",
    b"\xef\xbb\xbf",
    b"null",
    b'"cells":',
    b"9" * 5000,
    b":",
    b",",
)


def _json(tape: Tape, depth: int = 0) -> Any:
    what = tape.below(6 if depth > 5 else 9)
    if what < 4:
        return tape.of(
            (
                None,
                True,
                3,
                4,
                2,
                5,
                0,
                -1,
                1.5,
                float("nan"),
                10**40,
                "code",
                "markdown",
                "raw",
                "\ud83d",
                "\udc00x",
                "<<<<<<< a\n",
                "a-answer",
                {},
                [],
            )
        )
    if what < 7:
        return tape.some(lambda: _json(tape, depth + 1))
    return {tape.of(_KEYS): _json(tape, depth + 1) for _ in range(tape.below(5))}


def _changed(tape: Tape, thing: Any, depth: int = 0) -> Any:
    """A notebook with something of it replaced, left out or put in."""
    if tape.below(10) == 9 or tape.ended:
        return _json(tape, 3) if not tape.ended else thing
    if isinstance(thing, dict):
        made = {
            key: _changed(tape, item, depth + 1)
            for key, item in thing.items()
            if tape.below(12) != 11
        }
        return made | {tape.of(_KEYS): _json(tape, 4) for _ in range(tape.below(8) // 7)}
    return [_changed(tape, item, depth + 1) for item in thing] if isinstance(thing, list) else thing


def file(tape: Tape) -> bytes:
    """Bytes that may be a notebook."""
    what = tape.below(8)
    if what == 0:
        return tape.raw(TAPE)
    if what < 3:
        made = bytearray(tape.of(_NOTEBOOKS).encode())
        for _ in range(1 + tape.below(4)):
            at = tape.below(len(made) + 1)
            made[at : at + tape.below(6)] = tape.of(
                (tape.raw(1), tape.of(_PIECES), made[at : at + 40], b"")
            )
        return bytes(made)
    if what == 3:
        return bytes(tape.of(_PIECES) * (1 + tape.below(3000)) + tape.of(_PIECES))
    if what == 4:
        nested = tape.of((400, 480, 900, 1100, 20_000))
        return b'{"nbformat": 4, "cells": [{"source": ' + b"[" * nested + b"]" * nested + b"}]}"
    found = _changed(tape, tape.of((_NOTEBOOK, _OLD))) if what < 7 else _json(tape)
    return json.dumps(found, ensure_ascii=bool(tape.below(2))).encode("utf-8", "surrogatepass")


def try_notebook(tape: Tape) -> None:
    """`read` gives a notebook that can be written again, or raises SubmissionError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = read_notebook.read_notebook(file(tape), "small.ipynb")
        except SubmissionError:
            REACHED["notebook: refused"] += 1
            return
    REACHED["notebook: read"] += 1
    assert all(
        type(cell.source) is str and type(cell.kind) is str and type(cell.grade_id) is str
        for cell in found.cells
    )
    assert len(found.cells) == len(found.data["cells"]) <= read_notebook.MAX_CELLS
    json.dumps(found.data, ensure_ascii=False).encode()
    copy.deepcopy(found.data)


# ---- trying --------------------------------------------------------------------------------------

TARGETS: dict[str, Callable[[Tape], None]] = {
    "decode": try_frame,
    "decode_plain": try_plain,
    "round trip": try_round_trip,
    "stream": try_stream,
    "notebook": try_notebook,
    "conversation": try_conversation,
    "meaning": try_meaning,
}


def once(name: str, data: bytes) -> None:
    """Try one tape. Raises AssertionError where it breaks what must hold, or costs more memory than
    it may.
    """
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak is counted anew
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    TARGETS[name](Tape(data))
    cost = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert cost < MOST_MB, f"it cost {cost:.0f} MB"


def campaign(name: str, inputs: int, seed: int) -> None:
    """Try so many tapes in a child of limited memory. Raises AssertionError with the smallest tape
    that fails, or the one that ended the child.
    """
    last = mmap.mmap(-1, 2 + TAPE)
    report, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(report)
        text = "the child did not begin"
        try:
            text = _child(name, inputs, seed, last)
        except BaseException:
            text = traceback.format_exc()
        with contextlib.suppress(OSError):
            os.write(tell, text.encode("utf-8", "replace")[-60_000:])
        os._exit(0)
    os.close(tell)
    try:
        said = b""
        deadline = time.monotonic() + 20 * (LEAST_S + EACH_S * inputs)
        while select.select([report], [], [], max(0.0, deadline - time.monotonic()))[0]:
            piece = os.read(report, 65536)
            if not piece:
                break
            said += piece
    finally:
        os.close(report)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL) if not said else None
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if said == b"fine":
        return
    tape = last[2 : 2 + struct.unpack("!H", last[:2])[0]]
    why = (
        said.decode()
        or f"the process ended ({status}: a crash, too much processor time or no answer)"
    )
    raise AssertionError(f"{name}: {why}\nthe last tape: {tape.hex()}")


def cost(work: Callable[[], Any]) -> float:
    """MB that `work` needs at most, in a child that may have 3 GB and 60 s. Raises AssertionError
    where it ends otherwise.
    """
    report, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            _limits(LEAST_S)
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            work()
            os.write(
                tell,
                struct.pack(
                    "!d", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
                ),
            )
        os._exit(0)
    os.close(tell)
    with os.fdopen(report, "rb") as file_of_report:
        said = file_of_report.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert len(said) == 8, f"the child did not come to the end ({status})"
    found: float = struct.unpack("!d", said)[0]
    return found


def _limits(seconds: float) -> None:
    present = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (present + ROOM_MB * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds),) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _child(name: str, inputs: int, seed: int, last: mmap.mmap) -> str:
    for data in (bytes(40), bytes(range(200)), b"\x05" * 60):  # whatever is imported late
        for target in TARGETS.values():
            with contextlib.suppress(Exception):
                target(Tape(data))
    _limits(LEAST_S + EACH_S * inputs)

    def check(data: bytes) -> None:
        last[: 2 + len(data)] = struct.pack("!H", len(data)) + data
        once(name, data)

    with tempfile.TemporaryDirectory() as folder:
        hypothesis.configuration.set_hypothesis_home_dir(folder)
        settings = hypothesis.settings(
            max_examples=inputs,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
            report_multiple_bugs=False,
        )
        hypothesis.seed(seed)(settings(hypothesis.given(strategies.binary(max_size=TAPE))(check)))()
    return "fine"
