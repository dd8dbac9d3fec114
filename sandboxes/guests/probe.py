"""The self-test of a box: from inside a cell, try what no run may do, and report what held.

The first half is the role (it runs in the cell and is believed only because it is ours), the second its conductor.
"""

import ctypes
import io
import os
import resource
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .cells import CellEnded, Cells
from .cleaning import TroubleError
from .syscalls import CLONE_NEWUSER, numbers

_PR_GET_SECCOMP, _PR_GET_NO_NEW_PRIVS, _SECCOMP_MODE_FILTER = 21, 39, 2
_CALLS = ("unshare", "keyctl", "ptrace")
_KNOWN_ENVIRONMENT = {
    "HOME",
    "LANG",
    "LC_CTYPE",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "PATH",
    "PYTHONHASHSEED",
    "TMPDIR",
}
_LIMITS: dict[str, Any] = {"processes": 6, "memory_bytes": 64 << 20, "file_bytes": 1 << 20, "output_bytes": 1 << 16}
_LIMITS |= {"cpu_seconds": 10.0, "wall_seconds": 30.0, "total_seconds": 60.0}


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Return for each layer whether it held, and what was seen."""
    return {name: _attempt(probe, payload) for name, probe in _PROBES.items()}


def _attempt(probe: Callable[[dict[str, Any]], str], payload: dict[str, Any]) -> list[Any]:
    try:
        return [True, probe(payload)]
    except _Hole as hole:
        return [False, str(hole)]
    except OSError as error:
        return [False, f"the probe failed: {error}"]


class _Hole(Exception):  # noqa: N818 - what a probe finds
    """Something was possible that must not be."""


def _denied(what: str, action: Callable[..., object], *arguments: object) -> str:
    try:
        action(*arguments)
    except (OSError, MemoryError) as error:
        return f"{what}: {getattr(error, 'strerror', None) or 'no memory'}"
    raise _Hole(f"{what} is possible")


def _identity(_: dict[str, Any]) -> str:
    if os.getuid() == 0 or os.geteuid() == 0:
        raise _Hole("runs are root")
    return f"uid {os.getuid()}, " + _denied("becoming root", os.setuid, 0)


def _no_new_privileges(_: dict[str, Any]) -> str:
    if ctypes.CDLL(None).prctl(_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1:
        raise _Hole("exec may gain privileges")
    return "set"


def _seccomp(_: dict[str, Any]) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_GET_SECCOMP, 0, 0, 0, 0) != _SECCOMP_MODE_FILTER:
        raise _Hole("no filter is on")
    possible = _attempted_calls(libc)
    if possible:
        raise _Hole(f"{', '.join(possible)} possible")
    return f"{', '.join(_CALLS)} are denied"


def _attempted_calls(libc: ctypes.CDLL) -> list[str]:
    """Try the calls in a child, which they would change for good, and return those that were possible."""
    child = os.fork()
    if child == 0:
        keyctl = ctypes.c_long(numbers().calls["keyctl"])
        results = (libc.unshare(CLONE_NEWUSER), libc.syscall(keyctl, 0, 0, 0, 0, 0), libc.ptrace(0, 0, 0, 0))
        os._exit(sum(1 << bit for bit, result in enumerate(results) if result != -1))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return [name for bit, name in enumerate(_CALLS) if status & (1 << bit)]


def _landlock(_: dict[str, Any]) -> str:
    return _denied("listing /", os.listdir, "/")


def _file_system(payload: dict[str, Any]) -> str:
    for directory in ("/", "/usr", "/etc", "/dev", payload["other_place"]):
        _denied(f"writing to {directory}", os.open, f"{directory}/probe", os.O_CREAT | os.O_WRONLY)
    return "only the run's own directory can be written"


def _process_view(_: dict[str, Any]) -> str:
    """What another process holds, the supervisor first of all, must be out of reach."""
    for name in ("mem", "environ", "maps", "root", "fd"):
        _denied(f"/proc/1/{name}", os.open, f"/proc/1/{name}", os.O_RDONLY)
    return "nothing of other processes can be read"


def _descriptors(_: dict[str, Any]) -> str:
    """Only the standard streams and the run's own channel are open: nothing of the supervisor was handed down."""
    if strangers := [number for number in range(4, 1024) if _is_open(number)]:
        raise _Hole(f"descriptors {strangers[:5]} are open")
    return "the standard streams and the channel"


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _network(_: dict[str, Any]) -> str:
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
        _denied(f"a socket of {family.name}", socket.socket, family, socket.SOCK_DGRAM)
    return "only unix sockets can be made"


def _signals(_: dict[str, Any]) -> str:
    """Process 1 is the supervisor, or the init of the run's own namespace; if it dies, so does the probe."""
    try:
        os.kill(1, signal.SIGKILL)
    except OSError as error:
        return f"signalling process 1: {error.strerror}"
    time.sleep(0.002)
    return "signals do not reach process 1"


def _processes(payload: dict[str, Any]) -> str:
    children: list[int] = []
    try:
        return _denied("unbounded forking", _fork_often, children, payload["processes"])
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _fork_often(children: list[int], limit: int) -> None:
    while len(children) <= limit:
        child = os.fork()
        if child == 0:
            signal.pause()
            os._exit(0)
        children.append(child)


def _memory(payload: dict[str, Any]) -> str:
    return _denied("unbounded memory", bytearray, 4 * payload["memory_bytes"])


def _file_size(payload: dict[str, Any]) -> str:
    with open("probe", "wb", buffering=0) as file:
        try:
            return _denied("an unbounded file", _write_much, file, payload["file_bytes"])
        finally:
            with suppress(OSError):
                os.unlink("probe")


def _write_much(file: io.RawIOBase, limit: int) -> None:
    chunk = bytes(1 << 18)
    file.writelines(chunk for _ in range(limit // len(chunk) + 1))


def _environment(_: dict[str, Any]) -> str:
    if strangers := set(os.environ) - _KNOWN_ENVIRONMENT:
        raise _Hole(f"runs see {', '.join(sorted(strangers))}")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != 0:
        raise _Hole("core dumps can be written")
    return "no variable but ours, no core dumps"


_PROBES = {
    "identity": _identity,
    "no_new_privs": _no_new_privileges,
    "seccomp": _seccomp,
    "landlock": _landlock,
    "file_system": _file_system,
    "process_view": _process_view,
    "descriptors": _descriptors,
    "network": _network,
    "signals": _signals,
    "processes": _processes,
    "memory": _memory,
    "file_size": _file_size,
    "environment": _environment,
}


def conduct(cells: Cells) -> list[dict[str, Any]]:
    """Return the layers as probed: name, active, detail. Raises `TroubleError` when the probe itself cannot run."""
    cells.begin(_LIMITS)
    cell = cells.open("probe")
    payload = {**_LIMITS, "other_place": "/examiner"}
    try:
        found = cell.ask(payload)
    except CellEnded as event:
        raise TroubleError(f"the self-test ended: {event.ended.ending} {event.ended.stderr}") from None
    flags = dict(cell.end().flags)
    cells.close()
    layers = [{"name": name, "active": active, "detail": detail} for name, (active, detail) in found.items()]
    interfaces = [name for _, name in socket.if_nameindex() if name != "lo"]
    layers.append(
        {
            "name": "network_namespace",
            "active": not interfaces,
            "detail": "interfaces: " + (", ".join(interfaces) or "none but loopback"),
        }
    )
    layers.append(
        {
            "name": "seccomp_reports",
            "active": "tracing_attempt" in flags,
            "detail": "denied calls become flags" if flags else "denied calls are not reported",
        }
    )
    return layers
