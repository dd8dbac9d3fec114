"""The role that runs programs of any language: it lays out their files, then builds them or becomes them."""

import base64
import os
import shutil
import socket
import subprocess
from typing import Any

from .channel import Channel


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Receive files, environment and a command; answer with what the command made, or hang up and become it."""
    del peers
    order = channel.receive()
    for name, content in order["files"].items():
        with open(name, "wb") as file:
            file.write(base64.b64decode(content))
        os.chmod(name, 0o700)
    os.environ.update(order["environment"])
    if shutil.which(order["command"][0]) is None:
        channel.send({"missing": order["command"][0]})
    elif order["build"]:
        channel.send(_build(order["command"]))
    else:
        channel.send({})
        channel.socket.close()
        os.execvp(order["command"][0], order["command"])  # noqa: S606 - this is what the process is for


def _build(command: list[str]) -> dict[str, Any]:
    # Compilers explain themselves on either stream; both belong to the run's standard error.
    status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, check=False).returncode  # noqa: S603 - as above
    files = {}
    for entry in os.scandir("."):
        if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
            with open(entry.path, "rb") as file:
                files[entry.name] = base64.b64encode(file.read()).decode("ascii")
    return {"status": status, "files": files}
