"""The role of a task's judge program, which talks to a response's program. It runs no untrusted code.

The task's source defines ``judge(program, data)``; `Program` is what it talks to. What it returns is the verdict: True,
False, a share in [0, 1], or a pair of one of these and a message. It is told of the response's faults by exceptions,
which it need not catch.
"""

import os
import socket
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from .. import refusals, task_files
from ..channel import Channel, FrameError
from .checker import STUMBLES

_MAX_TEXT = 500
_PROBES = ("0", "1", "2", "x", "0 0", "! 1")
"""What programs may say that a judge must survive, or fail on in different ways."""
_PROBED_LINES = 50
_NEVER_THE_RESPONSE = (NameError, ImportError, SyntaxError)
"""What no word of a response can cause."""


class Fault(Exception):  # noqa: N818 - an event of the conversation
    """The response's program did not do its part: it ended, said too much, or something out of form."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


class _NoShare(Exception):  # noqa: N818 - what a judge said, not an error of ours
    """The judge returned a number that is no share in [0, 1]."""


class Program:
    """The response's program, as its judge sees it. Lines are text without their end."""

    Fault = Fault

    def __init__(
        self, exchange: Callable[[dict[str, Any]], dict[str, Any]], say: Callable[[dict[str, Any]], None]
    ) -> None:
        self._exchange = exchange
        self._say = say
        self.lines_read = 0
        """How many lines the program has been asked for."""

    def write(self, *values: object, sep: str = " ", end: str = "\n") -> None:
        """Say ``values`` on the program's standard input, as ``print`` would."""
        self._say({"say": sep.join(map(str, values)) + end})

    def close(self) -> None:
        """End the program's standard input."""
        self._say({"hang_up": True})

    def read_line(self) -> str:
        """Return the next line that the program prints. Raises `Fault` when none comes."""
        reply = self._exchange({"want": "line"})
        if "fault" in reply:
            raise Fault(*reply["fault"])
        self.lines_read += 1
        return str(reply["line"])

    def read_rest(self) -> str:
        """End the program's input, wait until it has ended by itself and return what it still printed.

        Raises `Fault` when it does not end well: a limit, a signal, an exit status other than 0.
        """
        reply = self._exchange({"want": "rest"})
        if "fault" in reply:
            raise Fault(*reply["fault"])
        return str(reply["rest"])

    def read_tokens(self, count: int | None = None) -> list[str]:
        """Return the words of the next line. Raises `Fault` when they are not ``count``."""
        words = self.read_line().split()
        if count is not None and len(words) != count:
            self.refuse(f"{len(words)} words on a line, expected {count}")
        return words

    def read_ints(self, count: int | None = None) -> list[int]:
        """Return the integers of the next line. Raises `Fault` when it holds something else."""
        return [self._integer(word) for word in self.read_tokens(count)]

    def read_int(self, low: int | None = None, high: int | None = None) -> int:
        """Return the one integer of the next line. Raises `Fault` when it is none or out of range."""
        (value,) = self.read_ints(1)
        if (low is not None and value < low) or (high is not None and value > high):
            self.refuse(f"{value} is not between {low} and {high}")
        return value

    def read_float(self) -> float:
        """Return the one finite number of the next line. Raises `Fault` when it is none."""
        (word,) = self.read_tokens(1)
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        if value - value != 0.0:
            self.refuse(f"{word[:50]!r} is no finite number")
        return value

    def refuse(self, why: str) -> NoReturn:
        """Raise the `Fault` of a program that says something out of form."""
        raise Fault("nonsense", why[:_MAX_TEXT])

    def _integer(self, word: str) -> int:
        digits = word.removeprefix("-").removeprefix("+")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 4_000 or len(word) - len(digits) > 1:
            self.refuse(f"{word[:50]!r} is no integer")
        return int(word)


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Judge one conversation: first comes the judge's source, last goes what it said."""
    del peers
    order = task_files.receive(channel)
    task_files.importable()
    refusals.forbid_suicide()
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - as long as the process; nobody reads it

    def exchange(message: dict[str, Any]) -> dict[str, Any]:
        channel.send(message)
        reply: dict[str, Any] = channel.receive()
        return reply

    channel.send(_outcome(order, Program(exchange, channel.send)))


def _outcome(order: dict[str, Any], program: Program) -> dict[str, Any]:
    try:
        judge = _defined(order["source"])
    except BaseException as error:  # noqa: BLE001 - whatever the author's program raises
        return {"error": _describe(error)}
    try:
        return _said(judge(program, order["data"]))
    except Fault as fault:
        return {"fault": fault.kind, "detail": str(fault)}
    except FrameError as error:
        return {"error": f"it says too much at once: {error}"}
    except (EOFError, OSError):
        raise
    except BaseException as error:  # noqa: BLE001 - whose fault it is is found out
        if program.lines_read == 0 or _is_broken(order, error):
            return {"error": _describe(error)}
        return {"fault": "nonsense", "detail": f"the judge could not make sense of it: {_describe(error)}"}


def _is_broken(order: dict[str, Any], error: BaseException) -> bool:
    """Tell a broken judge from one that stumbles over what a program said, or refuses it."""
    if isinstance(error, _NEVER_THE_RESPONSE) and not isinstance(error, UnboundLocalError):
        return True
    if refusals.is_meant(error, order["source"]) and not isinstance(error, _NoShare):
        return False
    if isinstance(error, STUMBLES) and not isinstance(error, ZeroDivisionError):
        return False
    return _always_raises(order, type(error))


def _defined(source: str) -> Callable[..., Any]:
    space: dict[str, Any] = {"__name__": "judge", "Fault": Fault}
    exec(compile(source, "<judge>", "exec"), space)  # noqa: S102 - the task author's program
    judge: Callable[..., Any] = space["judge"]
    return judge


def _said(verdict: Any) -> dict[str, Any]:
    share, message = verdict if isinstance(verdict, tuple) and len(verdict) == 2 else (verdict, "")
    if not isinstance(share, bool | int | float):
        return {"error": f"it returned {verdict!r}"[:_MAX_TEXT]}
    if not 0.0 <= share <= 1.0:  # what a program says may be in that number
        raise _NoShare(f"it returned {verdict!r}"[:_MAX_TEXT])
    return {"share": float(share), "detail": str(message)[:_MAX_TEXT]}


def _always_raises(order: dict[str, Any], kind: type[BaseException]) -> bool:
    """Return whether the judge fails as ``kind`` whatever a program says: then it is broken, and no response at fault.

    One that returns no share has not shown that it can, where a program's faults only end the talk.
    """
    kinds = (kind, Fault) if kind is _NoShare else (kind,)
    return all(_raised(order, word) in kinds for word in _PROBES)


def _raised(order: dict[str, Any], word: str) -> type[BaseException] | None:
    """Return what the judge raises when a program says ``word`` again and again."""
    left = [_PROBED_LINES]

    def reply(message: dict[str, Any]) -> dict[str, Any]:
        left[0] -= 1
        if left[0] < 0 or message.get("want") == "rest":
            return {"fault": ["ended", "a probe has ended"]}
        return {"line": word}

    try:
        _said(_defined(order["source"])(Program(reply, lambda _: None), order["data"]))
    except BaseException as error:  # noqa: BLE001 - its class is what is asked for
        return type(error)
    return None


def _describe(error: BaseException) -> str:
    if isinstance(error, _NoShare):
        return str(error)
    return f"{type(error).__name__}: {error}"[:_MAX_TEXT]
