"""The role that runs a response's code as a whole program, on given standard input."""

import atexit
import gc
import os
import socket
import sys
import threading
import types
from contextlib import suppress
from typing import NoReturn

from .. import task_files
from ..channel import Channel
from ..watch import Watch
from . import script_names

_NOT_WRITTEN = 120
"""The interpreter's exit status when output cannot be written."""


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Receive the source, hang up, and run it. Never returns."""
    del peers
    source = task_files.receive(channel)["source"]
    channel.socket.close()
    run(source)


def run(source: str) -> NoReturn:
    """Run ``source`` as the ``__main__`` of this process and end as an interpreter does.

    The end belongs to the program: threads are waited for, exit handlers run, and what open files hold is written.
    """
    task_files.importable()
    task_files.name_standard_input()
    script_names.complete()
    module = types.ModuleType("__main__")
    module.__file__ = os.path.abspath("solution.py")
    sys.modules["__main__"] = module
    sys.argv = ["solution.py"]
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10_000))
    _end(_run(source, module), module)


def _end(status: int, module: types.ModuleType) -> NoReturn:
    """End as an interpreter does, but for what only frees memory, which would take longer than the start."""
    threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001 - what the interpreter itself calls
    atexit._run_exitfuncs()  # noqa: SLF001 - as above
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except Exception:  # noqa: BLE001 - a program may put anything there
        status = status or _NOT_WRITTEN
    module.__dict__.clear()
    gc.collect()  # what the zygote had loaded is frozen
    with suppress(OSError, ValueError):
        if sys.__stdout__:
            sys.__stdout__.flush()
    os._exit(status)


def _run(source: str, module: types.ModuleType) -> int:
    """Return the exit status with which the program ends; what ends it is told on its standard error."""
    try:
        code = compile(source, "solution.py", "exec")
    except (SyntaxError, ValueError) as error:
        _say(f"{type(error).__name__}: {error}")
        return 1
    watch = Watch()
    watch.start()
    try:
        exec(code, module.__dict__)  # noqa: S102 - this is what the process is for
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        _say(str(end.code))
        return 1
    except BaseException:  # noqa: BLE001 - whatever ends it ends it
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        watch.look()
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 - the program's standard error
