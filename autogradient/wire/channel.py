"""Messages over a Unix socket: a four-byte length and a MessagePack frame; file descriptors can
ride along.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from typing import Any

from autogradient.wire import codec

#: Seconds that a send waits for the other side to take something.
SEND_S = 30.0
#: How it is said that the other side's end of the socket is closed.
END = "end of stream"


class Closed(EOFError):
    """The other side is gone."""


class Silent(TimeoutError):
    """The other side did not answer in time."""


class Channel:
    """One end of a conversation. Not thread-safe."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.waiting = b""  # read, and not yet asked for
        self.poll = select.poll()
        self.poll.register(sock, select.POLLIN)

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """A channel and the socket of its other end."""
        near, far = socket.socketpair()
        return cls(near), far

    def send(self, message: Any, fds: tuple[int, ...] = ()) -> None:
        """Send one message. Raises Closed where the other side is gone, NotPlain where the message
        is no plain data.
        """
        self.send_bytes(codec.encode(message), fds=fds)

    def send_bytes(
        self, *pieces: bytes | memoryview, fds: tuple[int, ...] = (), timeout: float | None = SEND_S
    ) -> None:
        """Send one frame as it is, from its pieces. Raises Closed too where the other side takes
        nothing for `timeout` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        rest = [struct.pack("!I", sum(map(len, pieces))), *pieces]
        try:
            if fds:
                socket.send_fds(self.sock, rest[:1], list(fds))
                del rest[0]
            while rest:
                try:
                    sent = self.sock.sendmsg(rest[:100], (), socket.MSG_DONTWAIT)
                except BlockingIOError:
                    self._wait_to_send(deadline)
                    continue
                while rest and sent >= len(rest[0]):
                    sent -= len(rest.pop(0))
                if sent:
                    rest[0] = memoryview(rest[0])[sent:]
        except OSError as error:
            raise _closed(error) from None

    def receive(self, timeout: float | None = None) -> Any:
        """The next message: numbers, text, bytes, lists and dicts only. Raises Silent after
        `timeout` seconds, Closed at the end, codec.BadFrame for nonsense.
        """
        return codec.decode_plain(self.receive_bytes(0, timeout, codec.MAX_PLAIN_BYTES)[0])

    def receive_with_fds(self, count: int, timeout: float | None = None) -> tuple[Any, list[int]]:
        """The next message, of the grader's own and of any plain value, and up to `count`
        descriptors that came with it.
        """
        data, fds = self.receive_bytes(count, timeout)
        return codec.decode(data), fds

    def receive_bytes(
        self, count: int = 0, timeout: float | None = None, most: int = codec.MAX_BYTES
    ) -> tuple[memoryview, list[int]]:
        """The next frame of at most `most` bytes as it is, and up to `count` descriptors that came
        with it.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        fds: list[int] = []
        late = False  # a drop at a time, it would never end
        while len(self.waiting) < 4:
            if late:
                raise Silent
            self.waiting += self._take(deadline, count, fds, 4 - len(self.waiting))
            late = deadline is not None and time.monotonic() > deadline
        end = 4 + struct.unpack_from("!I", self.waiting)[0]
        if end - 4 > most:
            raise codec.BadFrame(f"a frame of {end - 4} bytes")
        missing = end - len(self.waiting)
        if missing > 0:
            pieces = [self.waiting]
            try:
                while missing > 0:
                    if late:
                        raise Silent
                    pieces.append(self._take(deadline, count, fds, missing))
                    missing -= len(pieces[-1])
                    late = deadline is not None and time.monotonic() > deadline
            finally:
                self.waiting = b"".join(pieces)
        frame, self.waiting = memoryview(self.waiting)[4:end], self.waiting[end:]
        return frame, fds

    def _take(self, deadline: float | None, count: int, fds: list[int], missing: int) -> bytes:
        """What has come, once something has. Where descriptors may come, no more than is `missing`:
        they belong to the next frame's bytes.
        """
        if not self.poll.poll(
            None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        ):
            raise Silent
        try:
            if count:
                piece, new, _, _ = socket.recv_fds(self.sock, min(missing, 1 << 20), count)
                fds += new
            else:
                piece = self.sock.recv(min(max(missing, 1 << 16), 1 << 20))
        except OSError as error:
            raise _closed(error) from None
        if not piece:
            raise Closed(END)
        return piece

    def _wait_to_send(self, deadline: float | None) -> None:
        poll = select.poll()
        poll.register(self.sock, select.POLLOUT)
        if not poll.poll(
            None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        ):
            raise Closed("the other side does not listen")

    def close(self) -> None:
        """Close this end."""
        self.sock.close()


def _closed(error: OSError) -> Closed:
    """What went wrong with a socket. One that is killed while it reads or is written to leaves a
    reset or a broken pipe: the same end as one of which all was read.
    """
    return Closed(END if isinstance(error, ConnectionError) else str(error))
