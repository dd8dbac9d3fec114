"""A reward server as a child process: for trainers on one machine, notebooks, demonstrations and tests."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

_ANNOUNCEMENT = "listens on "
_DRAIN_SECONDS = 150.0
_LOG_SHOWN = 2_000


class ServerDiedError(Exception):
    """The server ended before it listened; the message has the end of its log."""


@contextmanager
def child_server(*flags: str) -> Iterator[str]:
    """Run ``reward-server serve`` on a free port of this machine and yield its address; drain and end it at the end.

    ``flags`` are those of the command line, e.g. ``"--sandbox", "docker"``. Raises `ServerDiedError`.
    """
    command = [sys.executable, "-m", "reward_server", "serve", "--listen", "127.0.0.1:0", *flags]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as server,  # noqa: S603 - our own
    ):
        try:
            yield _address(server, log)
        finally:
            server.terminate()
            _wait(server)


def _address(server: subprocess.Popen[str], log: IO[bytes]) -> str:
    assert server.stdout is not None  # noqa: S101 - it was asked for as a pipe
    for line in server.stdout:
        before, announced, address = line.rstrip().rpartition(_ANNOUNCEMENT)
        if announced and before:
            return address
    status = server.wait()
    log.seek(0)
    said = log.read().decode("utf-8", "replace")[-_LOG_SHOWN:]
    raise ServerDiedError(f"the server ended with status {status} before it listened\n{said}")


def _wait(server: subprocess.Popen[str]) -> None:
    try:
        server.wait(_DRAIN_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
