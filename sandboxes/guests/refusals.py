"""Tells an author's program that refuses what it is given from one that is broken.

Authors of checkers, judges and graders raise to say that a response is no good: `raise ValueError("no answer")`, an
`assert`, `sys.exit(1)`. Such words are meant. A program that fails in what it calls (a missing key, a name that nobody
defined), or that always raises, may be broken instead, and no response is to pay for that.
"""

import ast
import dis
import os
import signal
import sys
import sysconfig
from types import TracebackType
from typing import Any

_RAISES = dis.opmap["RAISE_VARARGS"]
_LIBRARY = sysconfig.get_paths()["stdlib"]
_DEADLY = (signal.SIGKILL, signal.SIGSTOP)


class SuicideError(Exception):
    """The author's program wants to kill itself."""


def forbid_suicide() -> None:
    """Let an author's program fail where it would kill or stop itself.

    A trusted run that ends so looks like one killed by the host, which is the sandbox's trouble and nobody's fault.
    """
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("os.kill", "os.killpg", "signal.pthread_kill") and arguments[1] in _DEADLY:
        own = event == "signal.pthread_kill" or arguments[0] in (os.getpid(), os.getpgrp(), 0, -1)
        if own:
            raise SuicideError(f"the program tried to end itself by signal {arguments[1]}")


def is_meant(error: BaseException, source: str) -> bool:
    """Return whether the author's program ``source`` raised ``error`` itself, by ``raise``, ``assert`` or an exit.

    `NotImplementedError` says that the program is not done.
    """
    last = _innermost(error.__traceback__)
    if last is None or isinstance(error, NotImplementedError | SuicideError):
        return False
    if last.tb_frame.f_code.co_filename.startswith("<") and _is_inevitable(source, last.tb_lineno):
        return False
    if isinstance(error, SystemExit):
        return True
    code = last.tb_frame.f_code
    is_library = code.co_filename.startswith((_LIBRARY, "<frozen"))
    return not is_library and "site-packages" not in code.co_filename and code.co_code[last.tb_lasti] == _RAISES


def _is_inevitable(source: str, line: int) -> bool:
    """Return whether whoever calls the function around ``line`` gets there: no condition, and no way out before."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        for place, statement in enumerate(function.body):
            if isinstance(statement, ast.Raise | ast.Expr) and statement.lineno <= line <= (statement.end_lineno or 0):
                before = (node for earlier in function.body[:place] for node in ast.walk(earlier))
                return not any(isinstance(node, ast.Return) for node in before)
    return False


def _innermost(trace: TracebackType | None) -> TracebackType | None:
    """Return the frame that raised; the first is the caller's own."""
    last = None
    while trace is not None and trace.tb_next is not None:
        last = trace = trace.tb_next
    return last
