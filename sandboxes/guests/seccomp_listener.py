"""The supervisor's end of seccomp reports: answers every denied call and remembers what was tried.

Layouts are the kernel's `struct seccomp_notif` and `struct seccomp_notif_resp`.
"""

import errno
import fcntl
import os
import struct

from . import seccomp, watch
from .syscalls import numbers

_RECEIVE, _SEND = 0xC0502100, 0xC0182101
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_RESPONSE = struct.Struct("=QqiI")


class Listener:
    """Reports of one cell."""

    def __init__(self, descriptor: int, flags: dict[str, str]) -> None:
        self.descriptor = descriptor
        self._flags = flags

    def answer(self) -> None:
        """Deny one call, and flag it."""
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.descriptor, _RECEIVE, buffer)
            call, _, _, number, _, _, argument, *_ = _NOTIFICATION.unpack(buffer)
            name, detail = _meaning(number, argument)
            self._flags.setdefault(name, detail)
            fcntl.ioctl(self.descriptor, _SEND, _RESPONSE.pack(call, 0, -errno.EPERM, 0))
        except OSError:
            return  # the process died while it waited

    def close(self) -> None:
        """Stop listening."""
        os.close(self.descriptor)


def _meaning(number: int, argument: int) -> tuple[str, str]:
    """Return the flag, and its detail, for a denied call: the attempt that it was, or the signal that it brings."""
    if number == numbers().calls[watch.REPORTING_CALL] and (signal := watch.signal_of(argument)):
        return signal, watch.SIGNALS[signal]
    return f"{seccomp.reason_of(number)}_attempt", f"system call {number} was denied"
