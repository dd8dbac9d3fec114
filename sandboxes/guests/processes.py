"""What runs in this box, read from /proc by the supervisor."""

import os
from typing import NamedTuple

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


TRUSTED = {1}
"""The supervisor, and the zygotes as they are started."""


class Process(NamedTuple):
    """One process, as the kernel counts it."""

    pid: int
    parent: int
    stopped: bool
    """Whether a signal has stopped it."""
    dead: bool
    """Whether it has ended and only waits to be collected."""
    uid: int
    cpu_seconds: float
    """Its own and that of the children it has waited for."""
    resident_bytes: int


def pids() -> list[int]:
    """Return the ids of all processes in this box."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def look(pid: int) -> Process | None:
    """Return what is known of ``pid``; None when it has gone."""
    try:
        stat, status = _read(f"/proc/{pid}/stat"), _read(f"/proc/{pid}/status")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the name in parentheses, chosen by the process itself.
    fields = stat[stat.rindex(b")") + 2 :].split()
    uid = status[status.index(b"\nUid:") + 5 :].split(None, 1)[0]
    return Process(
        pid=pid,
        parent=int(fields[1]),
        stopped=fields[0] in (b"T", b"t"),
        dead=fields[0] in (b"Z", b"X"),
        uid=int(uid),
        cpu_seconds=sum(int(field) for field in fields[11:15]) / _TICKS_PER_SECOND,
        resident_bytes=int(fields[21]) * _PAGE_BYTES,
    )


def everything() -> list[Process]:
    """Return all processes in this box but the supervisor and its zygotes, which are many and belong to no run."""
    return [process for pid in pids() if pid not in TRUSTED and (process := look(pid))]


def descendants(processes: list[Process], root: int) -> list[Process]:
    """Return those of ``processes`` that stem from ``root``, itself included."""
    children: dict[int, list[Process]] = {}
    for process in processes:
        children.setdefault(process.parent, []).append(process)
    found = [process for process in processes if process.pid == root]
    for process in found:
        found += children.get(process.pid, [])
    return found


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
