"""The zygotes of one box: started when first needed, kept warm, watched."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from . import processes
from .cleaning import TroubleError
from .zygote import MAX_DATAGRAM

_START = (
    "import sys; sys.path[:0] = sys.argv[3:]; from guests import zygote; zygote.main(sys.argv[1], int(sys.argv[2]))"
)
# A fixed hash seed: the same response iterates its sets in the same order, in every box.
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}


class Newborn(Protocol):
    """What a zygote tells the cell it forked."""

    def forked(self, pid: int) -> None:
        """The cell is process ``pid``."""

    def exited(self, report: dict[str, Any]) -> None:
        """The cell's main process has ended."""

    def told(self, report: dict[str, Any]) -> None:
        """What the init of the cell's namespace saw when the main process ended."""


class Zygote:
    """One warm interpreter, seen from the supervisor."""

    def __init__(self, role: str, library: list[str]) -> None:
        self.role = role
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-s", "-S", "-P", "-c", _START, role, str(theirs.fileno()), *library]
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        self.pid = self._process.pid
        processes.TRUSTED.add(self.pid)
        self._cells: dict[int, Newborn] = {}
        self._pids: dict[int, int] = {}
        self._receive()
        loaded = processes.look(self.pid)
        self.resident_bytes = loaded.resident_bytes if loaded else 0

    def fork(self, settings: dict[str, Any], descriptors: list[int], cell: Newborn) -> None:
        """Have a child forked; ``cell`` learns its pid, and later its end, from `read`."""
        self._cells[settings["number"]] = cell
        try:
            socket.send_fds(self.control, [json.dumps(settings).encode()], descriptors)
        except OSError as error:
            raise TroubleError(f"the zygote of {self.role} is gone: {error}") from error

    def read(self) -> None:
        """Take one message from the zygote, or from the init of a run's namespace."""
        message = self._receive()
        if pid := message.get("forked"):
            self._pids[pid] = message["number"]
            self._cells[message["number"]].forked(pid)
        elif pid := message.get("ended"):
            self._cells.pop(self._pids.pop(pid)).exited(message)
        else:
            self._cells[message["number"]].told(message)

    def _receive(self) -> dict[str, Any]:
        try:
            data = self.control.recv(MAX_DATAGRAM)
        except ConnectionResetError:  # it was killed while a message to it was under way
            data = b""
        if not data:
            raise TroubleError(f"the zygote of {self.role} has ended")
        message: dict[str, Any] = json.loads(data)
        return message


class Nursery:
    """Starts zygotes and collects orphans."""

    def __init__(self, library: list[str], watch: Callable[[socket.socket, Callable[[], None]], None]) -> None:
        """``library``: directories for `sys.path`; ``watch`` calls back when a zygote has a message."""
        self._library = library
        self._watch = watch
        self._zygotes: dict[str, Zygote] = {}

    def zygote(self, role: str) -> Zygote:
        """Return the zygote of ``role``, started now if it must be. Raises `TroubleError`."""
        if role not in self._zygotes:
            zygote = Zygote(role, self._library)
            self._zygotes[role] = zygote
            self._watch(zygote.control, zygote.read)
        return self._zygotes[role]

    def pids(self) -> set[int]:
        """Return the zygotes' process ids."""
        return {zygote.pid for zygote in self._zygotes.values()}

    def reap_orphans(self) -> Iterator[tuple[int, float]]:
        """Collect dead children of this process: (uid, CPU seconds) each. Raises `TroubleError` for a zygote."""
        while True:
            try:
                info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if info is None:
                return
            if info.si_pid in self.pids():
                raise TroubleError("a zygote has died")
            _, _, usage = os.wait4(info.si_pid, 0)
            yield info.si_uid, usage.ru_utime + usage.ru_stime
