"""The role of a task's own grader: it sees the response as data, and no untrusted code.

Payload: ``source`` (defines ``grade(sample, item)``), ``item`` (JSON text), ``response``, ``output_text`` and
``output_json`` (JSON text or None). Report: ``score``, ``checks``, ``summary``; or ``error``.
"""

import json
import math
from typing import Any

_MAX_ERROR = 1_000


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what the grader says of the response."""
    sample = {
        "output_text": payload["output_text"],
        "output_json": _loaded(payload["output_json"]),
        "response": payload["response"],
    }
    space: dict[str, Any] = {"__name__": "grader"}
    try:
        exec(compile(payload["source"], "<grader>", "exec"), space)  # noqa: S102 - the task author's program
        said = space["grade"](sample, json.loads(payload["item"]))
        return _report(said)
    except Exception as error:  # noqa: BLE001 - a broken grader makes the task invalid, whatever it raised
        return {"error": f"{type(error).__name__}: {error}"[:_MAX_ERROR]}


def _loaded(text: str | None) -> Any:
    """Return the JSON in ``text``, or None: what is no JSON is the grader's to judge."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def _report(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        return {"score": _number(said)}
    report: dict[str, Any] = {"score": _number(said["score"]), "summary": str(said.get("summary") or "")}
    report["checks"] = [
        {
            "name": str(entry["name"]),
            "score": _number(entry["score"]),
            "weight": _number(entry.get("weight", 1.0)),
            "detail": str(entry.get("detail") or ""),
        }
        for entry in said.get("checks") or ()
    ]
    return report


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, str | bytes) or not math.isfinite(number):
        raise TypeError(f"{value!r} is no finite number")
    return number
