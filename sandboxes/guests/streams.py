"""A run's standard streams: input from memory, output through pipes that are read to a limit."""

import os

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
        self._count = 0
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

    def tail(self) -> str:
        """Return the stream's end as text; undecodable bytes are replaced."""
        return self._tail.decode("utf-8", "replace")


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
