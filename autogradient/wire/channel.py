"""Messages over a Unix socket: a four-byte length and a MessagePack frame; file descriptors can ride along."""

from __future__ import annotations

import select
import socket
import struct
import time
from typing import Any

from autogradient.wire import codec


class Closed(EOFError):
    """The other side is gone."""


class Silent(TimeoutError):
    """The other side did not answer in time."""


class Channel:
    """One end of a conversation. Not thread-safe."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    @classmethod
    def pair(cls) -> tuple[Channel, socket.socket]:
        """A channel and the socket of its other end."""
        near, far = socket.socketpair()
        return cls(near), far

    def send(self, message: Any, fds: tuple[int, ...] = ()) -> None:
        """Send one message. Raises Closed where the other side is gone, NotPlain where the message is no plain data."""
        data = codec.encode(message)
        header = struct.pack("!I", len(data))
        try:
            if fds:
                socket.send_fds(self.sock, [header], list(fds))
            else:
                self.sock.sendall(header)
            self.sock.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from None

    def receive(self, timeout: float | None = None) -> Any:
        """The next message. Raises Silent after `timeout` seconds, Closed at the end, codec.BadFrame for nonsense."""
        return self.receive_with_fds(0, timeout)[0]

    def receive_with_fds(self, count: int, timeout: float | None = None) -> tuple[Any, list[int]]:
        """The next message and up to `count` descriptors that came with it."""
        deadline = None if timeout is None else time.monotonic() + timeout
        fds: list[int] = []
        header = b""
        while len(header) < 4:
            self._wait(deadline)
            try:
                if count:
                    piece, new, _, _ = socket.recv_fds(self.sock, 4 - len(header), count)
                    fds += new
                else:
                    piece = self.sock.recv(4 - len(header))
            except OSError as error:
                raise Closed(str(error)) from None
            if not piece:
                raise Closed("end of stream")
            header += piece
        size = struct.unpack("!I", header)[0]
        if size > codec.MAX_BYTES:
            raise codec.BadFrame(f"a frame of {size} bytes")
        parts: list[bytes] = []
        while size:
            self._wait(deadline)
            try:
                piece = self.sock.recv(min(size, 1 << 20))
            except OSError as error:
                raise Closed(str(error)) from None
            if not piece:
                raise Closed("end of stream")
            parts.append(piece)
            size -= len(piece)
        return codec.decode(b"".join(parts)), fds

    def _wait(self, deadline: float | None) -> None:
        if deadline is None:
            return
        if not select.select([self.sock], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise Silent

    def close(self) -> None:
        """Close this end."""
        self.sock.close()
