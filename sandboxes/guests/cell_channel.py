"""The supervisor's end of a cell's channel: frames both ways, without ever waiting for the cell."""

import socket
from collections.abc import Callable
from typing import Any, Protocol

from .channel import FrameError, FrameReader, encode
from .seccomp_listener import Listener

_MAX_RECEIVED_BYTES = 32 << 20


class Watching(Protocol):
    """Who calls back when descriptors have something to say."""

    def watch(self, descriptor: Any, callback: Any) -> None:
        """Call ``callback`` when ``descriptor`` can be read."""

    def watch_writable(self, sock: socket.socket, *, on: bool) -> None:
        """Also call the socket's callback when it can be written, or no longer."""

    def unwatch(self, descriptor: Any) -> None:
        """Watch ``descriptor`` no longer."""


class CellChannel:
    """One cell's channel. What the cell says is data: all it can do here is to be long, to be malformed, or to stop."""

    def __init__(self, around: Watching, flags: dict[str, str], converse: Callable[[], None]) -> None:
        """``converse`` is called when there may be something for `exchange` to do; ``flags`` gets what is noticed."""
        self._around = around
        self._flags = flags
        self._socket, self.theirs = socket.socketpair()
        self._socket.setblocking(False)
        self._reader = FrameReader()
        self._outgoing = bytearray()
        self._received = 0
        self._listener: Listener | None = None
        self.ready = False
        """Whether the cell's layers are on and its role has begun."""
        self.hung_up = False
        """Whether the cell will say no more."""
        around.watch(self._socket, converse)

    @property
    def has_message(self) -> bool:
        """Whether a message of the cell is waiting."""
        return len(self._reader) > 0

    @property
    def flooded(self) -> bool:
        """Whether the cell has said more than any cell may."""
        return self._received > _MAX_RECEIVED_BYTES

    def take(self) -> Any:
        """Return the message that waits."""
        return self._reader.take()

    def send(self, message: Any) -> None:
        """Send ``message``, as much of it as the cell takes now. Raises `FrameError`."""
        self._outgoing += encode(message)
        self._flush()

    def exchange(self) -> None:
        """Read what the cell says and write what it has not yet taken."""
        if self._outgoing:
            self._flush()
        try:
            data = self._socket.recv(1 << 18) if self.ready else self._first_words()
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        self._received += len(data)
        try:
            self._reader.feed(data)
        except FrameError as error:
            self._flags.setdefault("malformed_frame", str(error))
            data = b""
        if not data:
            self.hung_up = True
            self._around.unwatch(self._socket)
        if not self.ready and self.has_message:
            self.ready = self.take() is True

    def ignore_reports(self) -> None:
        """Leave denied system calls unanswered: the cell is about to be killed."""
        if self._listener:
            self._around.unwatch(self._listener.descriptor)

    def close(self) -> None:
        """Close the channel, and the seccomp listener that may have come while the cell was being killed."""
        self._around.unwatch(self._socket)
        self._socket.close()
        if self._listener:
            self.ignore_reports()
            self._listener.close()

    def _first_words(self) -> bytes:
        """Read as long as the role has not started; a seccomp listener may come along."""
        data, listeners, _, _ = socket.recv_fds(self._socket, 1 << 16, 1)
        for descriptor in listeners:
            self._listener = Listener(descriptor, self._flags)
            self._around.watch(descriptor, self._listener.answer)
        return data

    def _flush(self) -> None:
        try:
            while self._outgoing:
                sent = self._socket.send(self._outgoing)
                del self._outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._outgoing.clear()  # it hung up; reading will tell
        self._around.watch_writable(self._socket, on=bool(self._outgoing))
