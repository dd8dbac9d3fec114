"""A run's standard streams: input from memory, output through pipes that are read to a limit."""

import os
from contextlib import suppress

_CHUNK = 1 << 16
_TAIL_BYTES = 16 << 10


class Output:
    """What a run writes to one of its streams. Only the first ``limit`` bytes are kept, or the last few for people."""

    def __init__(self, limit: int) -> None:
        self.descriptor, self.write_end = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.descriptor, False)
        self._limit = limit
        self._head = bytearray()
        self._tail = bytearray()
        self._count = self._taken = 0
        self.open = True

    @property
    def over(self) -> bool:
        """Whether more was written than the limit allows."""
        return self._count > self._limit

    def read(self) -> None:
        """Take what is there now; `open` turns false at the end of the stream."""
        try:
            data = os.read(self.descriptor, _CHUNK)
        except BlockingIOError:
            return
        self.open = bool(data)
        self._count += len(data)
        self._head += data[: max(0, self._limit - len(self._head))]
        self._tail = (self._tail + data)[-_TAIL_BYTES:]

    def drain(self) -> None:
        """Take all that is in the pipe, up to the limit, and close it."""
        before = -1
        while self.open and not self.over and before != self._count:
            before = self._count
            self.read()
        os.close(self.descriptor)

    def head(self) -> bytes:
        """Return the stream's beginning, at most the limit."""
        return bytes(self._head)

    def take(self) -> bytes:
        """Return what has come since this was asked last, within the limit."""
        fresh = bytes(self._head[self._taken :])
        self._taken = len(self._head)
        return fresh

    def tail(self) -> str:
        """Return the stream's end as text; undecodable bytes are replaced."""
        return self._tail.decode("utf-8", "replace")


class Input:
    """What is said to a run on its standard input while it lives."""

    def __init__(self) -> None:
        self.read_end, self.descriptor = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.descriptor, False)
        self._pending = bytearray()
        self._ending = False
        self._closed = False

    def write(self, data: bytes) -> None:
        """Say ``data``, as far as the pipe has room; the rest follows with `flush`."""
        if not self._ending:
            self._pending += data
            self.flush()

    def flush(self) -> None:
        """Say what could not yet be said."""
        if self._closed:
            return
        try:
            while self._pending:
                del self._pending[: os.write(self.descriptor, self._pending)]
        except BlockingIOError:
            return
        except OSError:  # nobody reads any more
            self._pending.clear()
        if self._ending:
            self.close()

    def end(self) -> None:
        """Let the run see the end of its input after what was said."""
        self._ending = True
        self.flush()

    def close(self) -> None:
        """Hang up at once."""
        self._ending = True
        if not self._closed:
            self._closed = True
            with suppress(OSError):
                os.close(self.descriptor)


def input_of(data: bytes) -> int:
    """Return a descriptor from which ``data`` is read; the caller closes it."""
    if not data:
        return os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    descriptor = os.memfd_create("stdin")
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
