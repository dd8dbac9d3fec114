"""The role of a task's own judge: it sees inputs, outputs and expected outputs as data, and no untrusted code."""

import inspect
import socket
from typing import Any

from .. import refusals, task_files
from ..channel import Channel

PROBES = ("", "1", "a b")
"""Outputs that a checker must survive, or fail on in different ways, where no expected output tells."""
STUMBLES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TypeError,
    UnboundLocalError,
    ValueError,
)
"""What reading nonsense raises."""


class _NoShare(Exception):  # noqa: N818 - what a checker said, not an error of ours
    """The checker returned something that is no share in [0, 1]."""


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Check all cases of one response, with the task's files around."""
    del peers
    payload = task_files.receive(channel)
    task_files.importable()
    refusals.forbid_suicide()
    channel.send(run(payload))


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Return for each case what ``check(stdin, stdout, expected)`` says: a share in [0, 1], or its error."""
    space: dict[str, Any] = {"__name__": "checker"}
    exec(compile(payload["source"], "<checker>", "exec"), space)  # noqa: S102 - the task author's program
    inspect.signature(space["check"]).bind("", "", "")
    return {"checked": [_case(space["check"], case, payload["source"]) for case in payload["cases"]]}


def _case(check: Any, case: list[str], source: str) -> dict[str, Any]:
    try:
        return {"score": _share(check, case)}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raised is judged here
        said = f"{type(error).__name__}: {error}"[:500] if not isinstance(error, _NoShare) else str(error)[:500]
        return {"error": said} if _is_broken(check, case, error, source) else {"score": 0.0, "detail": said}


def _share(check: Any, case: list[str]) -> float:
    said = check(*case)
    if not isinstance(said, bool | int | float) or not 0.0 <= said <= 1.0:
        raise _NoShare(f"it returned {said!r}")
    return float(said)


def _is_broken(check: Any, case: list[str], error: BaseException, source: str) -> bool:
    """Tell a broken checker from one that stumbled over nonsense: only the former fails on the expected output too.

    Without an expected output what parsing raises is put down to the response, and what the checker raises itself;
    anything else too, unless every output raises the same.
    """
    stdin, _, expected = case
    if expected:
        return _raised(check, [stdin, expected, expected]) is not None
    if refusals.is_meant(error, source) or (isinstance(error, STUMBLES) and not isinstance(error, ZeroDivisionError)):
        return False
    return all(_raised(check, [stdin, probe, ""]) is type(error) for probe in PROBES)


def _raised(check: Any, case: list[str]) -> type[BaseException] | None:
    try:
        _share(check, case)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - its class is what is asked for
        return type(error)
    return None
