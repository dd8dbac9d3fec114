"""How a cell ended, as seen from outside it."""

import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What is left of a cell: how it ended, what it printed, what it used."""

    ending: str
    """A value of `sandboxes.base.Ending`."""
    exit_status: int
    """Of its first process; negative for a signal."""
    stdout: bytes
    stdout_cut: bool
    stderr: str
    cpu_seconds: float
    wall_seconds: float
    peak_memory_bytes: int
    flags: list[tuple[str, str]]
    trusted: bool
    """It ran a program of ours or of the task's author; no response is in it, nor can one reach it."""
    unexplained: bool
    """It was killed or stopped by a signal that neither a limit nor the supervisor sent: by its own, by the kernel's
    memory killer, or by somebody on the host. It deserves a second try elsewhere."""


class CellEnded(Exception):  # noqa: N818 - an event, not an error
    """The cell has nothing more to say."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.ending)
        self.ended = ended


def ending_of(exit_status: int) -> str:
    """Return the ending of a cell that no limit of the supervisor's has ended."""
    if exit_status == -signal.SIGXCPU:
        return "cpu_limit"
    return "killed" if exit_status < 0 else "exited"
