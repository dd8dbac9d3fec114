"""Files that a task brings into a run: sent by a conductor, laid out by the role in its own directory."""

import base64
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

STANDARD_INPUT = "/tmp/.stdin"
_MESSAGE_CHARACTERS = 6 << 20
"""Of files in one message: well within a frame."""


class Receiver(Protocol):
    """A cell, as far as sending files to it goes."""

    def send(self, message: Any) -> None:
        """Send ``message`` without waiting for it to be read."""


def send(cell: Receiver, files: Mapping[str, str]) -> None:
    """Send ``files``, base64 by path, in as many messages as they need. Raises `CellEnded`, `FrameError`."""
    for batch in _batches(files):
        cell.send({"files": batch})


def _batches(files: Mapping[str, str]) -> Iterator[dict[str, str]]:
    batch: dict[str, str] = {}
    size = 0
    for path, content in files.items():
        if batch and size + len(content) > _MESSAGE_CHARACTERS:
            yield batch
            batch, size = {}, 0
        batch[path] = content
        size += len(content)
    if batch:
        yield batch


def receive(channel: Any) -> Any:
    """Lay out the files that come over ``channel`` and return the first message that brings none."""
    message = channel.receive()
    while isinstance(message, dict) and message.keys() == {"files"}:
        lay_out(message["files"])
        message = channel.receive()
    return message


def lay_out(files: Mapping[str, str], mode: int = 0o444) -> None:
    """Write ``files`` below the working directory; each run has copies of its own, so nothing it does to them stays."""
    for path, content in files.items():
        if directory := os.path.dirname(path):
            os.makedirs(directory, mode=0o755, exist_ok=True)
        with open(path, "wb") as file:
            file.write(base64.b64decode(content))
        os.chmod(path, mode)


def name_standard_input() -> None:
    """Let ``/dev/stdin`` be opened where there is no /proc, which it leads to elsewhere: it is a link to a copy."""
    if not os.path.lexists("/proc/self") and os.path.isfile(0):
        size = os.fstat(0).st_size
        with open(STANDARD_INPUT, "wb") as copy:
            copied = 0
            while copied < size and (chunk := os.pread(0, 1 << 20, copied)):
                copied += copy.write(chunk)


def importable() -> None:
    """Let modules in the working directory be imported, as a script's neighbours are."""
    sys.path.insert(0, os.getcwd())
    importlib.invalidate_caches()
