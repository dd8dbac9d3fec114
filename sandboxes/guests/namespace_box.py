"""The doorway of the embedded box: builds a root of its own, enters namespaces, and becomes the box's first process.

Run on the host as ``python -I -S -c "…namespace_box.start(…)"``. As root it gives up root for good before anything else
of the box starts; as an ordinary user it needs unprivileged user namespaces.
"""

import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from . import syscalls
from .isolation import DEVICES, NOBODY
from .syscalls import MS_BIND, MS_NODEV, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_REC, MS_REMOUNT, mount
from .task_files import STANDARD_INPUT

_PR_SET_DUMPABLE = 4
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_CONFIGURATION = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/alternatives", "/etc/localtime", "/etc/java-17-openjdk")
_KEPT_MOUNT_FLAGS = {1: 1, 2: 2, 4: 4, 8: 8, 1024: 1 << 10, 2048: 1 << 11, 4096: 1 << 21}
_ALL_NAMESPACES = (
    syscalls.CLONE_NEWUSER
    | syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
    | syscalls.CLONE_NEWCGROUP
)
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


REFUSED = 75
"""The exit status when the host does not give what the box needs; standard error says what."""


def start(argument: str) -> NoReturn:
    """Become the box described by ``argument``: JSON of root (an empty directory), read (paths), command."""
    try:
        _become(json.loads(argument))
    except OSError as error:
        sys.stderr.write(f"the embedded sandbox cannot start: {error}")
        sys.exit(REFUSED)


def _become(settings: dict[str, Any]) -> NoReturn:
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.geteuid() == 0:
        syscalls.unshare(syscalls.CLONE_NEWNS)
        mount("none", "/", flags=MS_REC | MS_PRIVATE)
        _build(settings)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        syscalls.prctl(_PR_SET_DUMPABLE, 1)  # else /proc/self/uid_map is root's
        _enter_and_fork()
    else:
        _enter_and_fork()
        mount("none", "/", flags=MS_REC | MS_PRIVATE)
        _build(settings)
    _settle(settings)


def _enter_and_fork() -> None:
    """Return as process 1 of new namespaces; the calling process waits outside."""
    uid, gid = os.geteuid(), os.getegid()
    syscalls.unshare(_ALL_NAMESPACES)
    for name, line in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)
    if child := os.fork():
        os.closerange(0, 3)
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    syscalls.prctl(syscalls.PR_SET_PDEATHSIG, signal.SIGKILL)


def _build(settings: dict[str, Any]) -> None:
    """Lay out the box's root: the system and the interpreter read-only, and nothing else of the host."""
    root = settings["root"]
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=4m,mode=0755")
    for path in (*_SYSTEM, *_CONFIGURATION):
        _show(path, root + path)
    for path, place in settings["shown"].items():
        _show(path, root + place)
    for directory in ("/dev", "/dev/shm", "/proc", "/run", "/tmp", "/examiner", "/etc"):
        os.makedirs(root + directory, exist_ok=True)
    for device in DEVICES:
        _touch(root + device)
        mount(device, root + device, flags=MS_BIND)
    os.symlink(STANDARD_INPUT, f"{root}/dev/stdin")
    with open(f"{root}/etc/passwd", "w") as file:
        file.write("root:x:0:0::/:/bin/false\nnobody:x:65534:65534::/tmp:/bin/false\n")


def _show(path: str, target: str) -> None:
    """Make the host's ``path`` visible and read-only at ``target``; links are made anew."""
    if os.path.lexists(target) or not os.path.lexists(path):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target)
    else:
        _touch(target)
    mount(path, target, flags=MS_BIND | MS_REC)
    flags = sum(ours for theirs, ours in _KEPT_MOUNT_FLAGS.items() if os.statvfs(target).f_flag & theirs)
    mount("none", target, flags=MS_BIND | MS_REMOUNT | flags | MS_RDONLY | MS_NOSUID)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def _settle(settings: dict[str, Any]) -> NoReturn:
    """Make the new root the only one and start the supervisor in it."""
    root = settings["root"]
    mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV)
    mount("tmpfs", f"{root}/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=16m,mode=0700")
    mount(root, root, flags=MS_BIND | MS_REC)  # a mount of our own may be pivoted to, an inherited one may not
    os.chdir(root)
    syscalls.pivot_root(".", ".")
    syscalls.unmount(".")
    os.chdir("/")
    mount("none", "/", flags=MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    socket.sethostname("box")
    os.execve(settings["command"][0], settings["command"], _ENVIRONMENT)  # noqa: S606 - our own program
