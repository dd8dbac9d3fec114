"""The layers around one run, put on from inside by the forked child before anything untrusted is read.

Two identities exist. ``uid``: a fresh uid of its own, for containers whose supervisor may change uids. ``namespaces``:
a user, pid, mount and ipc namespace of its own, for hosts where an ordinary user starts everything. The other layers
(session, limits, no_new_privs, Landlock, seccomp) are the same for both.
"""

import json
import os
import resource
import signal
import socket
from typing import Any, NamedTuple

from . import landlock, seccomp
from .syscalls import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    MS_NODEV,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    empty_capabilities,
    mount,
    prctl,
    setns,
    unshare,
)

NOBODY = 65534
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
OPEN_FILES = 256
_STACK_BYTES = 64 << 20
_ADDRESS_SPACE_SLACK = 128 << 20


class Kernel(NamedTuple):
    """What this kernel offers; found once per zygote."""

    landlock_abi: int
    seccomp_notify: bool
    seccomp_filter: bytes
    address_space_bytes: int
    """What a forked child has mapped before it allocates anything."""


def probe_kernel() -> Kernel:
    """Return what this kernel offers. Raises OSError where even seccomp is missing."""
    notify = _can_notify()
    return Kernel(
        landlock_abi=landlock.abi(),
        seccomp_notify=notify,
        seccomp_filter=seccomp.compile_filter(notify=notify),
        address_space_bytes=_mapped_bytes(),
    )


class PidNamespaces:
    """Lets a zygote fork children into pid namespaces of their own without following them there."""

    def __init__(self) -> None:
        self._own = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)

    def fork(self) -> int:
        """Fork a child that is process 1 of a new pid namespace. Raises OSError."""
        unshare(CLONE_NEWPID)
        if child := os.fork():
            setns(self._own, CLONE_NEWPID)
        return child


def enter_namespaces(settings: dict[str, Any], control: socket.socket) -> None:
    """Go on as the first ordinary process of a user, mount and ipc namespace of its own. Raises OSError.

    The calling process, forked by `PidNamespaces`, stays behind as the init that no signal from inside can reach. On
    ``control``, the zygote's socket, it tells the supervisor how the run ended.
    """
    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{NOBODY} 0 1")
    _write("/proc/self/gid_map", f"{NOBODY} 0 1")
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    flags, size = MS_NOSUID | MS_NODEV, settings["limits"]["file_bytes"]
    mount("tmpfs", settings["place"], "tmpfs", flags, f"size={size},nr_inodes=8192,mode=0700")
    mount("tmpfs", "/dev/shm", "tmpfs", flags, f"size={size},nr_inodes=1024,mode=0700")
    mount("tmpfs", "/proc", "tmpfs", flags | MS_RDONLY, "size=0,mode=0555")
    if run := os.fork():
        _be_init(run, settings["number"], control)


def _be_init(run: int, number: int, control: socket.socket) -> None:
    """Reap until the run's main process has ended, say how, and take everything else along. Never returns."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _close_all_but(control.fileno())
    status, pid = 0, -1
    while pid != run:
        pid, status = os.waitpid(-1, 0)
    report = {"number": number, "exit_status": os.waitstatus_to_exitcode(status), "leftovers": _alone() is False}
    control.send(json.dumps(report).encode())
    os._exit(0)


def _alone() -> bool:
    try:
        os.kill(-1, 0)
    except ProcessLookupError:
        return True
    return False


def _close_all_but(*kept: int) -> None:
    previous = -1
    for descriptor in (*sorted(kept), OPEN_FILES):
        os.closerange(previous + 1, descriptor)
        previous = descriptor


def become(settings: dict[str, Any], kernel: Kernel) -> int | None:
    """Put every other layer on this process, which must be a fresh child with one thread. Raises OSError.

    The result is the seccomp listener to hand to the supervisor, if there is one.
    """
    os.setsid()
    _limit(settings, kernel)
    if settings["uid"] is not None:
        _write("/proc/self/oom_score_adj", "1000")
        os.setgroups([])
        os.setresgid(settings["gid"], settings["gid"], settings["gid"])
        os.setresuid(settings["uid"], settings["uid"], settings["uid"])
    os.umask(0o077)
    os.chdir(settings["place"])
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if kernel.landlock_abi and "landlock" not in settings["without"]:
        write = [settings["place"], "/dev/shm", *DEVICES]
        landlock.restrict(kernel.landlock_abi, settings["read"], write)
    if settings["uid"] is None:
        empty_capabilities()
    if "seccomp" in settings["without"]:
        return None
    return seccomp.install(kernel.seccomp_filter, notify=kernel.seccomp_notify)


def _limit(settings: dict[str, Any], kernel: Kernel) -> None:
    limits = settings["limits"]
    # The supervisor decides about CPU time with better resolution; this holds should it be late.
    cpu = int(settings["cpu_backstop_seconds"]) + 2
    bounds = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_NPROC: limits["processes"],
        resource.RLIMIT_MEMLOCK: 1 << 16,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_STACK: _STACK_BYTES,
    }
    if settings["address_space"]:
        bounds[resource.RLIMIT_AS] = kernel.address_space_bytes + limits["memory_bytes"] + _ADDRESS_SPACE_SLACK
    for which, bound in bounds.items():
        hard = resource.getrlimit(which)[1]
        value = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        # Programs raise the limit on their stack in good faith; it comes out of their memory like all else.
        resource.setrlimit(which, (value, hard if which == resource.RLIMIT_STACK else value))


def _can_notify() -> bool:
    """Try the filter with reports in a child: older kernels and some runtimes refuse it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            prctl(PR_SET_NO_NEW_PRIVS, 1)
            seccomp.install(seccomp.compile_filter(notify=True), notify=True)
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def _mapped_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
