"""The role of a task's own judge: it sees inputs, outputs and expected outputs as data, and no untrusted code."""

from typing import Any


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Return for each case what ``check(stdin, stdout, expected)`` says: a share in [0, 1], or its error."""
    space: dict[str, Any] = {"__name__": "checker"}
    exec(compile(payload["source"], "<checker>", "exec"), space)  # noqa: S102 - the task author's program
    return {"checked": [_case(space["check"], case) for case in payload["cases"]]}


def _case(check: Any, case: list[str]) -> dict[str, Any]:
    try:
        said = check(*case)
    except Exception as error:  # noqa: BLE001 - a broken checker makes the task invalid, whatever it raised
        return {"error": f"{type(error).__name__}: {error}"[:500]}
    return {"score": float(said)} if isinstance(said, bool | int | float) else {"error": f"it returned {said!r}"[:500]}
