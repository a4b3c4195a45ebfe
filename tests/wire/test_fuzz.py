"""Ten thousand hostile inputs for the decoders, the reader of notebooks and the trusted end of a
conversation; benchmarks/fuzz.py tries a million.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import struct
from typing import Any

import fuzzing
import msgpack
import pytest
from fuzzing import packed

from autogradient.errors import SubmissionError
from autogradient.grading import read_notebook
from autogradient.wire import codec, frames
from autogradient.wire.channel import Channel

INPUTS = {
    "decode": 2500,
    "decode_plain": 2500,
    "round trip": 1000,
    "stream": 1000,
    "notebook": 1500,
    "conversation": 1500,
    "meaning": 1200,
}


@pytest.mark.promise("P8")
@pytest.mark.parametrize("name", fuzzing.TARGETS)
def test_nothing_comes_out_but_what_is_declared(name: str) -> None:
    fuzzing.campaign(name, INPUTS[name], seed=1)


def test_the_inputs_are_ten_thousand_and_get_far() -> None:
    """Else the test above would show little."""
    assert sum(INPUTS.values()) >= 10_000 and set(INPUTS) == set(fuzzing.TARGETS)
    fuzzing.REACHED.clear()
    rng = random.Random(1)
    for _ in range(400):
        for target in fuzzing.TARGETS.values():
            target(fuzzing.Tape(rng.randbytes(rng.randrange(fuzzing.TAPE))))
    for what in (
        "decode: good",
        "decode: bad",
        "plain: good",
        "plain: bad",
        "notebook: read",
        "notebook: refused",
    ):
        assert fuzzing.REACHED[what] > 20, (what, fuzzing.REACHED)
    for what in ("proxy", "value", "declared", "of the test"):
        assert fuzzing.REACHED[f"meaning: {what}"] > 20, (what, fuzzing.REACHED)
    for what in (
        "proxy at 0",
        "value at 1",
        "value at 2",
        "proxy at 2",
        "Gone",
        "BoundaryError",
        "RemoteError",
    ):
        assert fuzzing.REACHED[f"conversation: {what}"] > 5, (what, fuzzing.REACHED)


def test_a_target_that_fails_is_reported_with_its_smallest_input(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fragile(tape: fuzzing.Tape) -> None:
        assert tape.below(256) < 7, "it broke"

    monkeypatch.setitem(fuzzing.TARGETS, "decode", fragile)
    with pytest.raises(AssertionError, match=r"it broke(.|\n)*the last tape: 07\b"):
        fuzzing.campaign("decode", 300, seed=1)


def test_a_target_that_crashes_is_reported_with_its_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def deadly(tape: fuzzing.Tape) -> None:
        if tape.below(256) == 9 and len(tape.data) < 40:
            os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setitem(fuzzing.TARGETS, "decode", deadly)
    with pytest.raises(AssertionError, match=r"the process ended \(-9(.|\n)*the last tape: 09"):
        fuzzing.campaign("decode", 3000, seed=1)


def test_a_target_that_takes_memory_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        fuzzing.TARGETS,
        "decode",
        lambda tape: (bytearray(b"x") * (80_000_000 if len(tape.data) > 3 else 1))[0],
    )
    with pytest.raises(AssertionError, match="it cost"):
        fuzzing.campaign("decode", 300, seed=1)


# ---- what the fuzzer found, or cannot find because it is large -----------------------------------


def extension(code: int, content: Any) -> msgpack.ExtType:
    """A piece of a frame."""
    return msgpack.ExtType(code, packed(content))


MANY = extension(frames.RANGE, [0, 10**8, 1])
SMALL = {
    "a tuple of a range": extension(frames.TUPLE, MANY),
    "a set of a range": extension(frames.SET, MANY),
    "a frozenset of a range": extension(frames.FROZENSET, MANY),
    "a queue of a range": extension(frames.DEQUE, [extension(frames.RANGE, [0, 10**11, 1]), 1]),
    "an array of a range": extension(frames.OBJECTS, [[10**8], MANY]),
    "a series of a range": extension(frames.SERIES, [MANY, [MANY, [None]], None]),
    "an index of a range": extension(frames.INDEX, [MANY, [None]]),
    "a frame of a range": extension(frames.FRAME, [[MANY], [MANY, [None]], [MANY, [None]]]),
    "a named tuple of a range": extension(frames.NAMED, ["a", ["b"], MANY]),
    "a tensor of quantized numbers": extension(
        frames.TENSOR, ["quint8", [4], False, False, None, b"abcd"]
    ),
    "a tensor of bits": extension(frames.TENSOR, ["bits8", [4], False, False, None, b"abcd"]),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_frame_cannot_cost_much(name: str) -> None:
    def work() -> None:
        with pytest.raises(codec.BadFrame):
            codec.decode(packed(SMALL[name]))

    assert fuzzing.cost(work) < 32


def test_a_time_stamp_is_nothing_that_crosses() -> None:
    """msgpack has one extension of its own."""
    for decode in (codec.decode, codec.decode_plain):
        with contextlib.suppress(codec.BadFrame):
            assert type(decode(b"\xd6\xff\0\0\0\5")) is float


@pytest.mark.parametrize("unit", [b"\x90", b"\x80", b"\x91\x90", b"\xc0"])
def test_a_large_plain_frame_costs_little(unit: bytes) -> None:
    count = 2_000_000 // len(unit)
    frame = b"\xdd" + struct.pack("!I", count) + unit * count
    assert fuzzing.cost(lambda: _quietly(codec.decode_plain, frame)) < 64


def _quietly(decode: Any, frame: bytes) -> None:
    with contextlib.suppress(codec.BadFrame):
        decode(frame)


def test_many_named_tuples_cost_little() -> None:
    """Each has a class of its own, if it must."""
    frame = packed([extension(frames.NAMED, ["a", [f"b{i % 1000}"], [1]]) for i in range(20_000)])
    assert fuzzing.cost(lambda: _quietly(codec.decode, frame)) < 64


def test_a_length_that_is_a_lie_costs_nothing() -> None:
    def work() -> None:
        channel, far = Channel.pair()
        far.sendall(struct.pack("!I", frames.MAX_PLAIN_BYTES) + b"\xc6\xff\xff\xff\xff")
        far.close()
        with pytest.raises(EOFError):
            channel.receive(timeout=30)

    assert fuzzing.cost(work) < 8


@pytest.mark.parametrize("unit", ["[],", "{},", "[[]],", '{"":{}},', "1,", '"",'])
@pytest.mark.parametrize("half", [False, True])
def test_a_large_notebook_costs_little(unit: str, half: bool) -> None:
    """5 MB of it at most thirty times that: a notebook is read in the grader's own process."""
    text = (
        '{"nbformat": 4, "cells": [], "a": ['
        + unit * (5_000_000 // len(unit))
        + "0]"
        + (', "b": "\\ud800"' if half else "")
        + "}"
    )

    def work() -> None:
        with contextlib.suppress(SubmissionError):
            read_notebook.read_notebook(text.encode(), "large.ipynb")

    assert fuzzing.cost(work) < 150
