"""A reward server as a child process: for trainers on one machine, notebooks, demonstrations and tests."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ANNOUNCEMENT = "listens on "
_DRAIN_SECONDS = 150.0


class ServerDiedError(Exception):
    """The server ended before it listened; its standard error says why."""


@contextmanager
def child_server(*flags: str) -> Iterator[str]:
    """Run ``reward-server serve`` on a free port of this machine and yield its address; drain and end it at the end.

    ``flags`` are those of the command line, e.g. ``"--sandbox", "docker"``. Raises `ServerDiedError`.
    """
    command = [sys.executable, "-m", "reward_server", "serve", "--listen", "127.0.0.1:0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603 - our own program
        try:
            yield _address(server)
        finally:
            server.terminate()
            _wait(server)


def _address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None  # noqa: S101 - it was asked for as a pipe
    for line in server.stdout:
        before, announced, address = line.rstrip().rpartition(_ANNOUNCEMENT)
        if announced and before:
            return address
    raise ServerDiedError(f"the server ended with status {server.wait()} before it listened")


def _wait(server: subprocess.Popen[str]) -> None:
    try:
        server.wait(_DRAIN_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
