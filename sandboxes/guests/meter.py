"""What a cell has used so far, and which of its limits that passes."""

import time
from typing import Any

from .processes import Process


class Meter:
    """The CPU time, memory and wall-clock time of one cell's whole tree."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._limits = limits
        self.loaded_bytes = 0
        """What the cell's zygote had loaded: shared by all its children, and none of theirs."""
        self.orphans_cpu_seconds = 0.0
        """What processes used that the cell let go of, and that have been collected since."""
        self.stopped = False
        """Whether a process was stopped by a signal when last looked at."""
        self._cpu_seconds = self._cpu_before = 0.0
        self._resident = self._peak = 0
        self.opened = self._started = time.monotonic()

    def begin(self) -> None:
        """Start the wall clock: the role begins."""
        self._started = time.monotonic()

    def restart(self) -> None:
        """Give CPU and wall-clock time anew."""
        self._cpu_before, self._started = self._cpu_seconds, time.monotonic()

    def forgive(self, seconds: float) -> None:
        """Take ``seconds`` off the wall clock: the supervisor was not running, or the cell was waiting for another."""
        self._started += seconds

    def running_seconds(self, now: float) -> float:
        """Return how long the clock has been running at ``now``."""
        return now - self._started

    def measure(self, processes: list[Process]) -> None:
        """Take the readings of the cell's ``processes``."""
        self.stopped = any(process.stopped for process in processes)
        cpu = sum(process.cpu_seconds for process in processes) + self.orphans_cpu_seconds
        self._cpu_seconds = max(self._cpu_seconds, cpu)
        self._resident = sum(max(0, process.resident_bytes - self.loaded_bytes) for process in processes)
        self._peak = max(self._peak, self._resident)

    def exceeded(self, now: float, *, out_of_time: bool, written_bytes: int) -> str | None:
        """Return the limit that is passed, as an ending; ``out_of_time`` says that the whole job's is."""
        if self._cpu_seconds - self._cpu_before > self._limits["cpu_seconds"]:
            return "cpu_limit"
        if out_of_time or self.running_seconds(now) > self._limits["wall_seconds"]:
            return "wall_limit"
        if self._resident > self._limits["memory_bytes"]:
            return "memory_limit"
        if written_bytes > self._limits["file_bytes"]:
            return "output_limit"
        return None

    def totals(self, report: dict[str, Any]) -> dict[str, Any]:
        """Return all that the cell has used, by these readings or the kernel's ``report`` of its first process."""
        return {
            "cpu_seconds": max(self._cpu_seconds, report.get("cpu_seconds", 0.0) + self.orphans_cpu_seconds),
            "wall_seconds": time.monotonic() - self.opened,
            "peak_memory_bytes": max(self._peak, report.get("peak_memory_bytes", 0)),
        }
