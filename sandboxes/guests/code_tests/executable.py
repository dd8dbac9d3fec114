"""The role that runs programs of any language: it lays out their files, then builds them or becomes them."""

import base64
import os
import shutil
import socket
import subprocess
from typing import Any

from .. import task_files
from ..channel import Channel

_MAX_DEPTH = 8
"""Of directories that a compiler makes, e.g. for packages."""


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Receive files, environment and a command; answer with what the command made, or hang up and become it."""
    del peers
    order = task_files.receive(channel)
    task_files.lay_out(order["programs"], 0o700)
    os.environ.update(order["environment"])
    tool = shutil.which(order["command"][0])
    if tool is None:
        channel.send({"missing": order["command"][0]})
        return
    if not os.path.lexists("/proc/self"):  # where the loader would learn what ``$ORIGIN`` is, as a JDK's tools need
        os.environ["LD_ORIGIN_PATH"] = os.path.dirname(os.path.realpath(tool))
    if order["build"]:
        channel.send(_build(order["command"], order["given"]))
    else:
        task_files.name_standard_input()
        channel.send({})
        channel.socket.close()
        os.execvp(order["command"][0], order["command"])  # noqa: S606 - this is what the process is for


def _build(command: list[str], given: list[str]) -> dict[str, Any]:
    # Compilers explain themselves on either stream; both belong to the run's standard error.
    status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, check=False).returncode  # noqa: S603 - as above
    return {"status": status, "files": _made(".", set(given), 0)}


def _made(directory: str, given: set[str], depth: int) -> dict[str, str]:
    """Return what lies below ``directory`` but hidden files, links, and what was ``given``."""
    files: dict[str, str] = {}
    for entry in os.scandir(directory):
        path = os.path.relpath(entry.path)
        if entry.name.startswith(".") or path in given:
            continue
        if entry.is_dir(follow_symlinks=False) and depth < _MAX_DEPTH:
            files |= _made(entry.path, given, depth + 1)
        elif entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:
                files[path] = base64.b64encode(file.read()).decode("ascii")
    return files
