"""Messages over a Unix socket: a four-byte length and a MessagePack frame; file descriptors can ride along."""

from __future__ import annotations

import select
import socket
import struct
import time
from typing import Any

from autogradient.wire import codec

#: Seconds that a send waits for the other side to take something.
SEND_S = 30.0


class Closed(EOFError):
    """The other side is gone."""


class Silent(TimeoutError):
    """The other side did not answer in time."""


class Channel:
    """One end of a conversation. Not thread-safe."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.waiting = bytearray()  # read, and not yet asked for

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """A channel and the socket of its other end."""
        near, far = socket.socketpair()
        return cls(near), far

    def send(self, message: Any, fds: tuple[int, ...] = ()) -> None:
        """Send one message. Raises Closed where the other side is gone, NotPlain where the message is no plain data."""
        self.send_bytes(codec.encode(message), fds)

    def send_bytes(self, data: bytes, fds: tuple[int, ...] = (), timeout: float | None = SEND_S) -> None:
        """Send one frame as it is. Raises Closed too where the other side takes nothing for `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        rest = memoryview(struct.pack("!I", len(data)) + data)
        try:
            if fds:
                socket.send_fds(self.sock, [rest[:4]], list(fds))
                rest = rest[4:]
            while rest:
                try:
                    rest = rest[self.sock.send(rest[: 1 << 20], socket.MSG_DONTWAIT) :]
                except BlockingIOError:
                    self._wait(deadline, select.POLLOUT)
        except Silent:
            raise Closed("the other side does not listen") from None
        except OSError as error:
            raise Closed(str(error)) from None

    def receive(self, timeout: float | None = None) -> Any:
        """The next message: numbers, text, bytes, lists and dicts only. Raises Silent after `timeout` seconds, Closed at the end, codec.BadFrame for nonsense."""
        return codec.decode_plain(self.receive_bytes(0, timeout, codec.MAX_PLAIN_BYTES)[0])

    def receive_with_fds(self, count: int, timeout: float | None = None) -> tuple[Any, list[int]]:
        """The next message, of the grader's own and of any plain value, and up to `count` descriptors that came with it."""
        data, fds = self.receive_bytes(count, timeout)
        return codec.decode(data), fds

    def receive_bytes(self, count: int = 0, timeout: float | None = None, most: int = codec.MAX_BYTES) -> tuple[bytes, list[int]]:
        """The next frame of at most `most` bytes as it is, and up to `count` descriptors that came with it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        fds: list[int] = []
        while len(self.waiting) < 4:
            self._take(deadline, count, fds, 4)
        size = struct.unpack_from("!I", self.waiting)[0]
        if size > most:
            raise codec.BadFrame(f"a frame of {size} bytes")
        while len(self.waiting) < 4 + size:
            self._take(deadline, count, fds, 4 + size)
        data = bytes(memoryview(self.waiting)[4 : 4 + size])
        del self.waiting[: 4 + size]
        return data, fds

    def _take(self, deadline: float | None, count: int, fds: list[int], wanted: int) -> None:
        """Read what has come, and wait for it where nothing has. Where descriptors may come, no further than `wanted`: they belong to the next frame's bytes."""
        while True:
            try:
                if count:
                    piece, new, _, _ = socket.recv_fds(self.sock, min(wanted - len(self.waiting), 1 << 20), count, socket.MSG_DONTWAIT)
                    fds += new
                else:
                    piece = self.sock.recv(1 << 20, socket.MSG_DONTWAIT)
                break
            except BlockingIOError:
                self._wait(deadline)
            except OSError as error:
                raise Closed(str(error)) from None
        if not piece:
            raise Closed("end of stream")
        if deadline is not None and time.monotonic() > deadline:  # a drop at a time, it would never end
            raise Silent
        self.waiting += piece

    def _wait(self, deadline: float | None, event: int = select.POLLIN) -> None:
        poll = select.poll()
        poll.register(self.sock, event)
        if not poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000):
            raise Silent

    def close(self) -> None:
        """Close this end."""
        self.sock.close()
