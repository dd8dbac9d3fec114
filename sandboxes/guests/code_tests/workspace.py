"""The role that runs a program among files: it lays them out, runs or becomes the program, and may bring files back.

Order: ``files`` (base64 by relative path), ``fetch`` (relative paths), ``environment``, and either ``source`` (Python)
or ``command``. With ``fetch`` the program runs as a child, and the answer is ``status`` and ``files``.
"""

import base64
import os
import shutil
import socket
import stat
from typing import Any, NoReturn

from ..channel import Channel
from . import program

_MAX_FETCHED_BYTES = 4 << 20
"""Of all files together, so that they fit into a frame as base64."""


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Receive an order and carry it out."""
    del peers
    order = channel.receive()
    for path, content in order["files"].items():
        _write(path, base64.b64decode(content))
    os.environ.update(order["environment"])
    child = os.fork() if order["fetch"] else 0
    if child == 0:
        channel.socket.close()
        _become(order)
    else:
        _, status = os.waitpid(child, 0)
        channel.send({"status": os.waitstatus_to_exitcode(status), "files": _fetch(order["fetch"])})


def _become(order: dict[str, Any]) -> NoReturn:
    if order["source"] is not None:
        program.run(order["source"])
    command = order["command"]
    if shutil.which(command[0]) is None:
        os.write(2, f"{command[0]}: not found\n".encode())
        os._exit(127)
    os.execvp(command[0], command)  # noqa: S606 - this is what the process is for


def _write(path: str, content: bytes) -> None:
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, 0o700)


def _fetch(paths: list[str]) -> dict[str, str]:
    """Return those of ``paths`` that are plain files, as long as they fit; nothing follows a link or waits for one."""
    found: dict[str, str] = {}
    room = _MAX_FETCHED_BYTES
    for path in paths:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            continue
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(room + 1)
        if len(content) > room:
            continue
        room -= len(content)
        found[path] = base64.b64encode(content).decode("ascii")
    return found
