"""The role of a task's own judge: it sees inputs, outputs and expected outputs as data, and no untrusted code."""

from typing import Any


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Return for each case what ``check(stdin, stdout, expected)`` says: a share in [0, 1], or its error."""
    space: dict[str, Any] = {"__name__": "checker"}
    exec(compile(payload["source"], "<checker>", "exec"), space)  # noqa: S102 - the task author's program
    return {"checked": [_case(space["check"], case) for case in payload["cases"]]}


def _is_broken(check: Any, case: list[str], error: Exception) -> bool:
    """Tell a broken checker from one that stumbled over nonsense: only the former fails on the expected output too.

    Without an expected output an exception of parsing is put down to the response.
    """
    stdin, _, expected = case
    if not expected:
        return not isinstance(error, ValueError | LookupError | AssertionError)
    try:
        check(stdin, expected, expected)
    except Exception:  # noqa: BLE001 - any exception on its own expected output convicts the checker
        return True
    return False


def _case(check: Any, case: list[str]) -> dict[str, Any]:
    try:
        said = check(*case)
    except Exception as error:  # noqa: BLE001 - whatever it raised is judged below
        said = f"{type(error).__name__}: {error}"[:500]
        return {"error": said} if _is_broken(check, case, error) else {"score": 0.0, "detail": said}
    return {"score": float(said)} if isinstance(said, bool | int | float) else {"error": f"it returned {said!r}"[:500]}
