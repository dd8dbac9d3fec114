"""Frames: length-prefixed JSON between a cell, the supervisor and the host. Never pickle.

A frame is four bytes of big-endian length and that many bytes of ASCII JSON; lone surrogates survive as escapes.
"""

import json
import socket
from collections import deque
from typing import Any

HEADER_BYTES = 4
MAX_FRAME_BYTES = 8 << 20
"""What a cell may send at once. Between box and host it is `MAX_BOX_FRAME_BYTES`."""
MAX_BOX_FRAME_BYTES = 64 << 20


class FrameError(Exception):
    """The peer sent something that is no frame, or wants one that is too long."""


def encode(message: Any, limit: int = MAX_FRAME_BYTES) -> bytes:
    """Return ``message`` as a frame. Raises `FrameError` when it is not plain or longer than ``limit``."""
    try:
        body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise FrameError(f"not plain: {error}") from None
    if len(body) > limit:
        raise FrameError(f"a frame of {len(body)} bytes, the limit is {limit}")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def decode(body: bytes | bytearray) -> Any:
    """Return what the body of a frame says. Raises `FrameError` and nothing else, whatever the bytes are."""
    try:
        return json.loads(bytes(body), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"not JSON: {error}") from None


def _refuse(name: str) -> None:
    raise FrameError(f"not JSON: {name}")


class FrameReader:
    """Takes bytes as they come and gives whole messages."""

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._messages: deque[Any] = deque()

    def feed(self, data: bytes) -> None:
        """Add ``data``. Raises `FrameError`; what came before stays readable."""
        self._buffer += data
        while len(self._buffer) >= HEADER_BYTES:
            length = int.from_bytes(self._buffer[:HEADER_BYTES], "big")
            if length > self._limit:
                raise FrameError(f"a frame of {length} bytes, the limit is {self._limit}")
            end = HEADER_BYTES + length
            if len(self._buffer) < end:
                return
            body = self._buffer[HEADER_BYTES:end]
            del self._buffer[:end]
            self._messages.append(decode(body))

    def take(self) -> Any:
        """Return the oldest message. Raises `IndexError` when there is none."""
        return self._messages.popleft()

    def __len__(self) -> int:
        return len(self._messages)


class Channel:
    """A blocking end of frames, as roles use it inside a cell."""

    def __init__(self, sock: socket.socket, limit: int = MAX_FRAME_BYTES) -> None:
        self.socket = sock
        self._limit = limit

    def send(self, message: Any) -> None:
        """Send ``message``. Raises `FrameError` when it cannot be said, OSError when nobody listens."""
        self.socket.sendall(encode(message, self._limit))

    def receive(self) -> Any:
        """Return the next message. Raises EOFError when the peer has gone, `FrameError` on nonsense."""
        length = int.from_bytes(self._exactly(HEADER_BYTES), "big")
        if length > self._limit:
            raise FrameError(f"a frame of {length} bytes, the limit is {self._limit}")
        return decode(self._exactly(length))

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            chunk = self.socket.recv(min(count - len(data), 1 << 20))
            if not chunk:
                raise EOFError("the peer closed the channel")
            data += chunk
        return bytes(data)
