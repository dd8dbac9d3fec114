"""A cell: one run, a fresh isolated process tree, seen from the supervisor.

Everything it could use to disturb (silence, floods, forks, leftovers) is handled here; what it says is data.
"""

import itertools
import os
import signal
import socket
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from . import cleaning, processes
from .cell_channel import CellChannel, Watching
from .ended import CellEnded, Ended, ending_of
from .imitation import imitated
from .meter import Meter
from .nursery import Zygote
from .streams import Input, Output, input_of

TICK_SECONDS = 0.02
CANDIDATE_PLACE, EXAMINER_PLACE = "/tmp", "/examiner"
EXAMINER_GID = 900
_numbers = itertools.count(1)
_SHARED_MEMORY = "/dev/shm"
_DYING_SECONDS = 5.0
_LAST_WORDS_SECONDS = 2.0
"""How long a run that has hung up may take to exit: on a busy machine its exit status is late, not lost."""
_READY_SECONDS = 20.0


class Surroundings(Watching, Protocol):
    """What a cell needs of its `Cells`."""

    def pump(self) -> None:
        """Let events happen."""

    def wait_quietly(self) -> None:
        """As `pump`, but the host's wishes wait."""

    def reap(self) -> None:
        """Collect orphans."""

    def deadline_passed(self, now: float) -> bool:
        """Whether the job's total time is spent."""

    def ended(self, cell: "Cell", ended: Ended) -> None:
        """The cell lives no longer."""

    def trouble(self, message: str) -> None:
        """The box should end after this job."""


class Cell:
    """One run. Made by `Cells.open`."""

    def __init__(
        self, around: Surroundings, limits: dict[str, Any], *, trusted: bool, uid: int | None, cpu_backstop: float
    ) -> None:
        self._around = around
        self.limits = limits
        self.trusted = trusted
        self.uid = uid
        self.cpu_backstop_seconds = cpu_backstop
        self.ended: Ended | None = None
        self.meter = Meter(limits)
        self._pid = 0
        self._report: dict[str, Any] | None = None
        self._inner: dict[str, Any] = {}
        self._flags: dict[str, str] = {}
        self._channel = CellChannel(around, self._flags, self._converse)
        self._stdout, self._stderr = Output(limits["output_bytes"]), Output(limits["output_bytes"])
        self._stdin: Input | None = None
        self._over: str | None = None
        self._killed = False
        self.next_look = self.meter.opened + TICK_SECONDS

    @property
    def place(self) -> str:
        """The directory that is the cell's own."""
        return EXAMINER_PLACE if self.trusted else CANDIDATE_PLACE

    @property
    def has_message(self) -> bool:
        """Whether `receive` would return at once."""
        return self._channel.has_message

    def start(
        self,
        zygote: Zygote,
        *,
        stdin: bytes | None,
        peers: Sequence[socket.socket],
        read: Sequence[str],
        without: Sequence[str],
        address_space: bool,
    ) -> None:
        """Have ``zygote`` fork the cell."""
        if stdin is None:
            self._stdin = Input()
        given = [
            self._stdin.read_end if self._stdin else input_of(stdin or b""),
            self._stdout.write_end,
            self._stderr.write_end,
        ]
        for output in (self._stdout, self._stderr):
            self._around.watch(output.descriptor, partial(self._read_output, output))
        settings = {
            "number": next(_numbers),
            "uid": self.uid,
            "gid": EXAMINER_GID if self.trusted else self.uid,
            "place": self.place,
            "read": read,
            "without": without,
            "limits": self.limits,
            "cpu_backstop_seconds": self.cpu_backstop_seconds,
            "address_space": address_space,
        }
        self.meter.loaded_bytes = zygote.resident_bytes
        theirs = self._channel.theirs
        zygote.fork(settings, [*given, theirs.fileno(), *(peer.fileno() for peer in peers)], self)
        theirs.close()
        for descriptor in given:
            os.close(descriptor)

    def forked(self, pid: int) -> None:
        """The zygote has forked the cell."""
        self._pid = pid

    def told(self, report: dict[str, Any]) -> None:
        """The init of the cell's namespace saw its main process end."""
        self._inner = report

    def exited(self, report: dict[str, Any]) -> None:
        """The zygote saw the cell's first process end."""
        self._report = {**report, **self._inner}
        self.next_look = 0.0

    def send(self, message: Any) -> None:
        """Send ``message`` without waiting for it to be read. Raises `CellEnded`."""
        if self.ended is not None:
            raise CellEnded(self.ended)
        self._channel.send(message)

    def receive(self) -> Any:
        """Return the cell's next message. Raises `CellEnded`."""
        while not self.has_message:
            if self.ended is not None:
                raise CellEnded(self.ended)
            if self._channel.hung_up and self._over is None:
                self._await_exit()
                raise CellEnded(self.end())
            self._around.pump()
        return self._channel.take()

    def ask(self, message: Any) -> Any:
        """Send ``message`` and return the answer. Raises `CellEnded`."""
        self.send(message)
        return self.receive()

    @property
    def has_flags(self) -> bool:
        """Whether anything out of the ordinary was noticed so far."""
        return bool(self._flags)

    def take_output(self) -> bytes:
        """Return what the cell has printed since this was asked last, up to its output limit."""
        return self._stdout.take()

    def tell(self, data: bytes) -> None:
        """Say ``data`` on the cell's standard input, which was opened for that. Never waits."""
        assert self._stdin is not None  # noqa: S101 - the conductor's own mistake
        self._stdin.write(data)

    def hang_up(self) -> None:
        """Let the cell see the end of its standard input."""
        assert self._stdin is not None  # noqa: S101 - as above
        self._stdin.end()

    def restart_clock(self) -> None:
        """Give the cell its CPU and wall-clock limits anew."""
        if self._pid and self._channel.ready and self.meter.running_seconds(time.monotonic()) > TICK_SECONDS:
            self.meter.measure(self._mine(processes.everything()))
        self.meter.restart()

    def wait(self) -> Ended:
        """Wait until the cell has ended by itself or by a limit."""
        while self.ended is None:
            self._around.pump()
        return self.ended

    def end(self) -> Ended:
        """Kill what is left of the cell, clean up after it and return how it ended."""
        if self.ended is None:
            self.ended = self._finish()
            self._around.ended(self, self.ended)
        return self.ended

    def look(self, everything: list[processes.Process], now: float) -> None:
        """Hold the cell to its limits; end it when its main process has exited or a limit is passed."""
        self.next_look = now + TICK_SECONDS
        if not self._channel.ready:
            self._await_ready(now)
            return
        if self._stdin:
            self._stdin.flush()
        self.meter.measure(self._mine(everything))
        self._over = self._over or self.meter.exceeded(
            now, out_of_time=self._around.deadline_passed(now), written_bytes=_used_bytes(self.place)
        )
        if self._over or self._report is not None:
            self.end()

    def _await_ready(self, now: float) -> None:
        if self._report is not None:
            self._converse()
        if self._channel.ready:
            self.next_look = 0.0
        elif self._report is not None or now - self.meter.opened > _READY_SECONDS:
            self._stderr.read()
            raise cleaning.TroubleError(f"a run could not be isolated: {self._stderr.tail()}")

    def _await_exit(self) -> None:
        """Give a cell that has hung up a moment to exit by itself, so that its exit status is its own."""
        patience = time.monotonic() + _LAST_WORDS_SECONDS
        while self._report is None and self.ended is None and time.monotonic() < patience:
            self._around.pump()

    def _mine(self, everything: list[processes.Process]) -> list[processes.Process]:
        if self.uid is not None:
            return [process for process in everything if process.uid == self.uid]
        return processes.descendants(everything, self._pid)

    def _converse(self) -> None:
        """Let both ends of the channel say what they have to say."""
        was_ready = self._channel.ready
        self._channel.exchange()
        if self._channel.ready and not was_ready:
            self.meter.begin()
        if self._channel.flooded:
            self._stop("output_limit")

    def _read_output(self, output: Output) -> None:
        output.read()
        if output.over:
            self._stop("output_limit")
        if output.over or not output.open:
            self._around.unwatch(output.descriptor)

    def _stop(self, ending: str) -> None:
        self._over = self._over or ending
        self.next_look = 0.0

    def _finish(self) -> Ended:
        self._channel.ignore_reports()
        company = self._company()
        if self._kill() or company:
            self._flags.setdefault("leftover_process", "processes still ran when the run had ended")
        self._close_streams()
        if self.uid is not None:
            self._wipe(self.uid)
        return self._account()

    def _company(self) -> bool:
        """Return whether processes run beside the main one of a cell that waits for its next order."""
        if self._report is not None or self._over is not None or not self._channel.ready:
            return False
        living = [process for process in self._mine(processes.everything()) if not process.dead]
        return len(living) > (1 if self.uid is not None else 2)  # in a namespace of its own there is an init, too

    def _kill(self) -> int:
        """Kill the tree, wait for the zygote's report, and return how many outlived the main process."""
        exited_before = self._report is not None
        deadline = time.monotonic() + _DYING_SECONDS
        while self._report is None:
            if self._pid:
                self._killed = True
                cleaning.kill(self._pid)
            self._around.wait_quietly()
            if time.monotonic() > deadline:
                raise cleaning.TroubleError("a run does not die")
        if self.uid is None:
            return int(self._inner.get("leftovers", False))
        others = cleaning.end_user(self.uid, self._around.reap)
        return others if exited_before else 0

    def _close_streams(self) -> None:
        if self._stdin:
            self._stdin.close()
        if not self._channel.hung_up:
            self._converse()
        self._channel.close()
        for output in (self._stdout, self._stderr):
            self._around.unwatch(output.descriptor)
            output.drain()

    def _wipe(self, uid: int) -> None:
        directories = [self.place] if self.trusted else [self.place, _SHARED_MEMORY]
        try:
            cleaning.wipe(directories, uid, EXAMINER_GID if self.trusted else uid)
        except cleaning.TroubleError as error:  # the verdict stands; the box must go
            self._around.trouble(str(error))

    def _account(self) -> Ended:
        report = self._report or {}
        if not self.trusted and (line := imitated(self._stdout.head()) or imitated(self._stderr.head())):
            self._flags.setdefault("imitated_results", f"it printed like a test framework: {line}")
        status = report.get("exit_status", -signal.SIGKILL)
        return Ended(
            ending=self._over or ending_of(status),
            exit_status=status,
            stdout=self._stdout.head(),
            stdout_cut=self._stdout.over,
            stderr=self._stderr.tail(),
            flags=sorted(self._flags.items()),
            trusted=self.trusted,
            unexplained=self._unexplained(status),
            **self.meter.totals(report),
        )

    def _unexplained(self, exit_status: int) -> bool:
        if self._over == "wall_limit":
            return self.meter.stopped
        return exit_status == -signal.SIGKILL and self._over is None and not self._killed


def _used_bytes(directory: str) -> int:
    """Return what lies in the file system of ``directory``."""
    facts = os.statvfs(directory)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize
