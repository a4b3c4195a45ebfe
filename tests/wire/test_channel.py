"""The two ends of a conversation, and how one learns that the other is gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from autogradient.wire.channel import END, Channel, Closed

LARGE = b"x" * 8_000_000  # more than a socket takes at once


@contextmanager
def child() -> Iterator[tuple[Channel, int]]:
    """A process at the other end that reads nothing, and waits to be killed."""
    near, far = Channel.pair()
    pid = os.fork()
    if pid == 0:
        near.close()
        far.sendall(b"ready")
        signal.pause()
        os._exit(0)
    far.close()
    near.sock.recv(5)
    yield near, pid
    near.close()


def killed(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@pytest.mark.parametrize("unread", [b"", b"something that it never read"])
def test_a_killed_process_is_an_end_however_it_is_found(unread: bytes) -> None:
    """With something unread the system calls it a reset, and a broken pipe where more
    is written.
    """
    with child() as (near, pid):
        if unread:
            near.send_bytes(unread)
        killed(pid)
        with pytest.raises(Closed, match=END):
            near.receive(10)
        with pytest.raises(Closed, match=END):
            near.send_bytes(LARGE)


def test_a_process_that_is_killed_while_it_is_written_to_is_an_end() -> None:
    with child() as (near, pid):
        with pytest.raises(Closed, match="does not listen"):
            near.send_bytes(LARGE, timeout=0.05)
        killed(pid)
        with pytest.raises(Closed, match=END):
            near.send_bytes(LARGE)
