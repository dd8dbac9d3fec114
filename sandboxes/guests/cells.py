"""The cells of one job: opened by a conductor, watched by one event loop. One thread, one job at a time."""

import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from . import cleaning, processes
from .cell import EXAMINER_PLACE, TICK_SECONDS, Cell
from .ended import CellEnded, Ended
from .nursery import Nursery

__all__ = ["Cancelled", "Cell", "CellEnded", "Cells", "Ended", "OutOfTime"]

_STALL_SECONDS = 0.25
_PLENTY_OF_UIDS = 1 << 15
"""Half of a box's block: what one job takes further still fits in."""


class OutOfTime(Exception):  # noqa: N818 - an event, not an error
    """The job's total time is spent."""


class Cancelled(Exception):  # noqa: N818 - an event, not an error
    """The host does not want the job any more."""


class Host(Protocol):
    """The host's end of the box, as far as a running job cares."""

    cancelled: bool

    def fileno(self) -> int:
        """What to watch."""

    def read(self) -> None:
        """Take what the host has sent."""


class Cells:
    """Opens cells and waits for them."""

    def __init__(
        self, host: Host, *, library: list[str], first_uid: int | None, read: list[str], without: list[str]
    ) -> None:
        """``first_uid``: the block from which every cell takes a fresh uid, or None for namespaces.

        ``library``: directories of Python modules; ``read``: what cells may read; ``without``: layers to leave out.
        """
        self._host = host
        self._selector = selectors.DefaultSelector()
        self._nursery = Nursery(library, self.watch)
        self._first_uid = self._uid = first_uid
        self._read = _without_duplicates(read)
        self._without = without
        self._live: list[Cell] = []
        self._deadline = 0.0
        self.limits: dict[str, Any] = {}
        self.all_ended: list[Ended] = []
        self.troubles: list[str] = []
        if first_uid is not None:
            os.chmod(EXAMINER_PLACE, 0o770)  # a container's tmpfs takes the mode of the image's directory
        self.watch(host, host.read)

    def begin(self, limits: dict[str, Any]) -> None:
        """Start a job: nothing is left of the one before."""
        self.limits = limits
        self.all_ended = []
        self._deadline = time.monotonic() + limits["total_seconds"]

    def time_left(self) -> float:
        """Return the seconds left for the whole job."""
        return self._deadline - time.monotonic()

    def hold_to(self, seconds: float) -> None:
        """Leave the job ``seconds`` from now on, if it had more."""
        self._deadline = min(self._deadline, time.monotonic() + seconds)

    def deadline_passed(self, now: float) -> bool:
        """Return whether the job's total time is spent at ``now``."""
        return now >= self._deadline

    def warm(self, role: str) -> None:
        """Load the libraries of ``role`` ahead of its first cell."""
        self._nursery.zygote(role)

    def open(
        self,
        role: str,
        *,
        stdin: bytes | None = b"",
        peers: Sequence[socket.socket] = (),
        limits: dict[str, Any] | None = None,
        trusted: bool = False,
        address_space: bool = True,
    ) -> Cell:
        """Start a cell of ``role``. Raises `OutOfTime`.

        ``trusted`` roles (examiners, checkers, judges) live in a directory of their own that candidates cannot enter.
        ``stdin`` is what the run may read; None opens it for `Cell.tell`. ``address_space`` bounds virtual memory too;
        switch it off for runtimes that reserve more than they use.
        """
        if self.time_left() <= 0:
            raise OutOfTime
        if any(cell.trusted == trusted for cell in self._live):
            raise cleaning.TroubleError("two cells would share a directory")
        zygote = self._nursery.zygote(role)
        cell = Cell(
            self,
            {**self.limits, **(limits or {})},
            trusted=trusted,
            uid=self._next_uid(),
            cpu_backstop=self.limits["total_seconds"],
        )
        self._live.append(cell)
        cell.start(
            zygote, stdin=stdin, peers=peers, read=self._read, without=self._without, address_space=address_space
        )
        return cell

    def close(self) -> None:
        """End every cell that still lives, and see that no process stays. Raises `TroubleError`."""
        for cell in list(self._live):
            cell.end()
        self.reap()
        patience = time.monotonic() + 1.0
        while strangers := [pid for pid in processes.pids() if pid not in processes.TRUSTED]:
            if time.monotonic() > patience:
                raise cleaning.TroubleError(f"processes {strangers} stay")
            self.reap()

    def pump(self) -> None:
        """Wait for one round of events, at most a tick, and hold every cell to its limits. Raises `Cancelled`."""
        self.wait_quietly()
        if self._host.cancelled:
            raise Cancelled
        now = time.monotonic()
        due = [cell for cell in self._live if now >= cell.next_look]
        if due:
            self.reap()
            everything = processes.everything()
            for cell in due:
                cell.look(everything, now)

    def wait_quietly(self) -> None:
        """Wait for one round of events, at most a tick."""
        asked = time.monotonic()
        events = self._selector.select(TICK_SECONDS)
        self._forgive(time.monotonic() - asked - TICK_SECONDS)
        for key, _ in events:
            if key.fd in self._selector.get_map():  # an earlier callback may have closed it
                key.data()

    def _forgive(self, lost_seconds: float) -> None:
        """Take time off all clocks when this process itself was stopped or starved: wall clocks must not judge that."""
        if lost_seconds > _STALL_SECONDS:
            self._deadline += lost_seconds
            for cell in self._live:
                cell.meter.forgive(lost_seconds)

    def reap(self) -> None:
        """Collect orphans; their CPU time counts for the cell that let go of them."""
        for uid, cpu_seconds in self._nursery.reap_orphans():
            for cell in self._live:
                if cell.uid == uid:
                    cell.meter.orphans_cpu_seconds += cpu_seconds

    def watch(self, descriptor: Any, callback: Callable[[], None]) -> None:
        """Call ``callback`` when ``descriptor`` can be read."""
        self._selector.register(descriptor, selectors.EVENT_READ, callback)

    def watch_writable(self, sock: socket.socket, *, on: bool) -> None:
        """Also call the socket's callback when it can be written, or no longer."""
        key = self._selector.get_map().get(sock)
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if on else 0)
        if key and key.events != events:
            self._selector.modify(sock, events, key.data)

    def unwatch(self, descriptor: Any) -> None:
        """Watch ``descriptor`` no longer."""
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)

    def ended(self, cell: Cell, ended: Ended) -> None:
        """Note that ``cell`` lives no longer."""
        self._live.remove(cell)
        self.all_ended.append(ended)

    def trouble(self, message: str) -> None:
        """Note that the box should end after this job."""
        self.troubles.append(message)

    @property
    def used_up(self) -> bool:
        """Whether its block of uids comes to an end: another box's begins behind it."""
        return self._uid is not None and self._first_uid is not None and self._uid - self._first_uid > _PLENTY_OF_UIDS

    def _next_uid(self) -> int | None:
        if self._uid is not None:
            self._uid += 1
        return self._uid


def _without_duplicates(paths: list[str]) -> list[str]:
    """Return the existing directories among ``paths`` that lie in no other: each costs every run a system call."""
    real = {os.path.realpath(path) for path in paths if os.path.exists(path)}
    return sorted(path for path in real if not any(path.startswith(f"{other}/") for other in real))
