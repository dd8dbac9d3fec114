"""The role that runs a test file in one process with the response: only for tasks that chose so.

Nothing it says is believed by itself. It is run twice, on versions of the file in which each test is either as written
or a decoy; it does not know which, and credit is for tests that passed where their decoys failed.
"""

import importlib
import io
import socket
from contextlib import redirect_stderr, redirect_stdout, suppress

from .. import task_files
from ..channel import Channel
from . import file_examiner, test_files
from .candidate import MODULE

__all__ = ["main"]

del file_examiner  # imported for what it has loaded ahead
_MAX_TEXT = 1_000


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Receive the solution and a test file; send what pytest says of each test."""
    del peers
    order = task_files.receive(channel)
    with open(f"{MODULE}.py", "w", encoding="utf-8") as file:  # tests may read the source of what they test
        file.write(order["source"])
    recorder = test_files.Recorder()
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        importlib.invalidate_caches()
        with suppress(SystemExit):
            test_files.run_pytest(order["code"], order["file"], recorder)
    tests = [{**outcome, "failed": recorder.failed[name]} for name, outcome in recorder.outcomes.items()]
    channel.send({"problem": recorder.problem[-_MAX_TEXT:], "tests": tests})
