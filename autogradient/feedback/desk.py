"""The renderer's process: a fork of it for each notebook, which draws one cell after the other and
is ended by the kernel where one takes too long.

It is started by `renderer` and speaks with it alone; nothing of the course and nothing secret is in
it.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import socket
import struct
import sys
import time
from typing import Any

#: Seconds of processor time for one cell, and by how many times that it may take longer by the
#: clock.
CELL_S, PATIENCE = 2.0, 15
#: MB of memory for all that is done with a cell; bytes that go to and fro at once.
MEMORY_MB, MAX_MESSAGE = 2000, 120_000_000


def send(channel: socket.socket, data: bytes) -> None:
    """Send one message."""
    channel.sendall(struct.pack("!Q", len(data)))
    channel.sendall(data)


def receive(channel: socket.socket) -> bytes | None:
    """The next message; None where there is none, or one that is too large."""
    head = _exactly(channel, 8)
    size = struct.unpack("!Q", head)[0] if head is not None else MAX_MESSAGE + 1
    return _exactly(channel, size) if size <= MAX_MESSAGE else None


def _exactly(channel: socket.socket, size: int) -> bytes | None:
    found = bytearray()
    while len(found) < size:
        more = channel.recv(min(size - len(found), 1 << 20))
        if not more:
            return None
        found += more
    return bytes(found)


def main(control: socket.socket) -> None:
    """Load everything once, say so, then fork for each channel that comes, until nobody is there
    any more.
    """
    from autogradient.feedback import cells

    cells.prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for ends in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(ends, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF, signal.SIGALRM})
    gc.freeze()
    control.sendall(b"!")
    while True:
        message, channels, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            try:
                control.close()
                _bound()
                _work(socket.socket(fileno=channels[0]), cells.do)
            finally:
                os._exit(0)
        os.close(channels[0])


def _bound() -> None:
    """What a fork may use. Its time is bounded cell by cell."""
    memory = MEMORY_MB * 1_000_000
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _work(channel: socket.socket, do: Any) -> None:
    """Do one job after the other. The first message holds the assignment's pictures."""
    pictures = json.loads(receive(channel) or b"{}")
    while (message := receive(channel)) is not None:
        signal.setitimer(signal.ITIMER_REAL, CELL_S * PATIENCE)
        signal.setitimer(signal.ITIMER_PROF, CELL_S)
        began = time.process_time()
        try:
            done = json.dumps(do(json.loads(message), pictures)).encode()
        except Exception:  # whatever a student's text can do to those who read it
            done = b"null"
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(
            channel,
            struct.pack("!d", time.process_time() - began)
            + (done if len(done) < MAX_MESSAGE else b"null"),
        )


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
