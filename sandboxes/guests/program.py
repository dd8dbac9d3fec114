"""The role that runs a response's code as a whole program, on given standard input."""

import os
import socket
import sys
import types

from . import script_names, task_files
from .channel import Channel
from .watch import Watch


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Receive the source, hang up, and run it as ``__main__``. The program's exit status is the cell's."""
    del peers
    order = task_files.receive(channel)
    source = order["source"]
    channel.socket.close()
    run(source)


def run(source: str) -> None:
    """Run ``source`` as the program of this process."""
    task_files.importable()
    script_names.complete()
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.argv = ["solution.py"]
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))
    try:
        code = compile(source, "solution.py", "exec")
    except (SyntaxError, ValueError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the program's standard error
        os._exit(1)
    watch = Watch()
    watch.start()
    try:
        exec(code, module.__dict__)  # noqa: S102 - this is what the process is for
    finally:
        watch.look()
