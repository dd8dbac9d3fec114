"""After a run: nothing of it may stay. What cannot be cleaned ends the box."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from . import processes

_PATIENCE_SECONDS = 5.0
_PASSES = 3


class TroubleError(Exception):
    """The box is not what it should be; it reports this and ends, and the host takes another."""


def end_user(uid: int, reap: Callable[[], None]) -> int:
    """Kill all processes of ``uid`` and wait until they are gone; return how many there were at first.

    ``reap`` collects dead orphans.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    first = passes = 0
    while mine := [process.pid for process in processes.everything() if process.uid == uid]:
        first = first or len(mine)
        passes += 1
        if passes > _PASSES:
            _as_user(uid, uid, _kill_everything)  # one atomic sweep: no fork outruns it
            time.sleep(0.001)
        for pid in mine:
            kill(pid)
        reap()
        if time.monotonic() > deadline:
            raise TroubleError(f"{len(mine)} processes of a run do not die")
    return first


def kill(pid: int) -> None:
    """Kill ``pid`` if it still exists."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wipe(directories: list[str], uid: int, gid: int) -> None:
    """Empty ``directories`` of what ``uid`` in the group ``gid`` left. Raises `TroubleError` if something stays."""
    if not any(_remove_entries(directory) for directory in directories):
        return
    for directory in directories:
        _as_user(uid, gid, partial(_remove_tree, directory))
    for directory in directories:
        if left := _remove_entries(directory):
            raise TroubleError(f"{directory} could not be emptied, {left} entries stay")


def _remove_entries(directory: str) -> int:
    """Remove files and empty directories; return how many entries stay."""
    left = 0
    for name in os.listdir(directory):
        path = f"{directory}/{name}"
        try:
            os.unlink(path)
        except (IsADirectoryError, PermissionError):
            try:
                os.rmdir(path)
            except OSError:
                left += 1
    return left


def _remove_tree(directory: str) -> None:
    """Remove all below ``directory``, however deep and whatever its modes; never follows a link, never recurses."""
    pending = [directory]
    found = []
    while pending:
        current = pending.pop()
        try:
            if current != directory:
                os.chmod(current, 0o700)
            entries = list(os.scandir(current))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
                found.append(entry.path)
            else:
                _quietly(os.unlink, entry.path)
    for path in reversed(found):
        _quietly(os.rmdir, path)


def _quietly(action: Callable[[str], None], path: str) -> None:
    with suppress(OSError):  # what stays is counted by the caller
        action(path)


def _kill_everything() -> None:
    with suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def _as_user(uid: int, gid: int, action: Callable[[], object]) -> None:
    """Do ``action`` in a child that is ``uid``, in the group ``gid``."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            action()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
