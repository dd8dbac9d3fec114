"""A task's own grader, and its conductor. The grader sees responses as data, and no untrusted code.

The first half is the role. Payload: ``source`` (defines ``grade(sample, item)``), ``item`` (JSON text), ``samples``,
each with ``response``, ``output_text`` and ``output_json`` (JSON text or None). Report: ``reports``, one for each
sample: ``score``, ``checks``, ``summary``; or ``error`` and its ``kind``.

The second half is the conductor. Payload: as above, and ``probes`` and ``literal_probes``: samples to ask about when
the grader fails on the first. Report: that of the first sample; where it has an ``error``, ``stumbled`` says whether
the response is to blame: the grader does not fail so on every probe, or has read the response and raises on purpose.
"""

import json
import math
from typing import Any

from . import refusals
from .cells import CellEnded, Cells
from .channel import FrameError

_MAX_ERROR = 1_000
_SHARE_OF_TIME = 0.5
"""Of the job's total time, for the response; probes need the rest."""


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Return what the grader says of each sample."""
    space: dict[str, Any] = {"__name__": "grader"}
    try:
        exec(compile(payload["source"], "<grader>", "exec"), space)  # noqa: S102 - the task author's program
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raised
        return {"reports": [_error(error, "loading")] * len(payload["samples"])}
    return {"reports": [_graded(space, sample, payload["item"], payload["source"]) for sample in payload["samples"]]}


def _graded(space: dict[str, Any], sample: dict[str, Any], item: str, source: str) -> dict[str, Any]:
    given = _Sample({**sample, "output_json": _loaded(sample["output_json"])})
    try:
        return _report(space["grade"](given, json.loads(item)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a grader may raise whatever it likes
        refused = given.was_read and refusals.is_meant(error, source)
        return {**_error(error, type(error).__name__), "refused": refused}


class _Sample(dict[str, Any]):
    """What a grader is given; it knows whether it was looked at."""

    was_read = False

    def __getitem__(self, key: str) -> Any:
        self.was_read = True
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Return what is under ``key``."""
        self.was_read = True
        return super().get(key, default)


def _error(error: BaseException, kind: str) -> dict[str, Any]:
    return {"error": f"{type(error).__name__}: {error}"[:_MAX_ERROR], "kind": kind}


def _loaded(text: str | None) -> Any:
    """Return the JSON in ``text``, or None: what is no JSON is the grader's to judge."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def _report(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict):
        return {"score": _share(said)}
    report: dict[str, Any] = {"score": _share(said["score"]), "summary": str(said.get("summary") or "")}
    report["checks"] = [
        {
            "name": str(entry["name"]),
            "score": _share(entry["score"]),
            "weight": _weight(entry.get("weight", 1.0)),
            "detail": str(entry.get("detail") or ""),
        }
        for entry in said.get("checks") or ()
    ]
    return report


def _share(value: Any) -> float:
    number = _number(value)
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{value!r} is not in [0, 1]")
    return number


def _weight(value: Any) -> float:
    number = _number(value)
    if number < 0.0:
        raise ValueError(f"the weight {value!r} is below 0")
    return number


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, str | bytes) or not math.isfinite(number):
        raise TypeError(f"{value!r} is no finite number")
    return number


def conduct(cells: Cells, payload: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    """Return what the grader says of the first sample, and if it fails whether that is the response's doing."""
    part = limits["total_seconds"] * _SHARE_OF_TIME
    first = _ask(cells, payload, payload["samples"], {name: min(limits[name], part) for name in _CLOCKS})[0]
    if "error" not in first or first["kind"] == "loading":
        return first
    return {**first, "stumbled": bool(first.get("refused")) or _fares_otherwise(cells, payload, first["kind"])}


def _fares_otherwise(cells: Cells, payload: dict[str, Any], kind: str) -> bool:
    """Return whether the grader does anything else than fail as ``kind`` on some probe."""
    for probes in (payload["probes"], payload["literal_probes"]):
        probed = _ask(cells, payload, probes, {}) if probes else []
        if any("error" not in probe or probe["kind"] != kind for probe in probed):
            return True
        if probed and "ending" in probed[0]:  # one of them may have ended it for all
            alone = (_ask(cells, payload, [probe], {})[0] for probe in probes)
            if any("error" not in probe or probe["kind"] != kind for probe in alone):
                return True
    return False


_CLOCKS = ("cpu_seconds", "wall_seconds")


def _ask(
    cells: Cells, payload: dict[str, Any], samples: list[dict[str, Any]], limits: dict[str, Any]
) -> list[dict[str, Any]]:
    """Have the grader grade ``samples`` in one cell; one that does not come back has failed on all of them."""
    cell = cells.open("python_grader", limits=limits)
    try:
        reports: list[dict[str, Any]] = cell.ask({**payload, "samples": samples})["reports"]
    except CellEnded as end:
        said = f"{end.ended.ending}, status {end.ended.exit_status}: {end.ended.stderr[-_MAX_ERROR:]}"
        return [{"error": said, "kind": f"ended by {end.ended.ending}", "ending": end.ended.ending}] * len(samples)
    except FrameError as error:
        said = f"the response, or what the grader says of it, is too long: {error}"
        return [{"error": said, "kind": "ended by frame", "ending": "output_limit"}] * len(samples)
    finally:
        cell.end()
    return reports
