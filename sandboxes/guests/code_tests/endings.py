"""How runs ended, as conductors report it."""

import json
from typing import Any

from ..cells import Ended

MAX_LIMITS_PASSED = 3
"""After so many runs past a limit the rest is not tried: a response that hangs would cost the time of all tests."""
_MAX_REPORT_CHARACTERS = 40 << 20
"""For all values and outputs together, as JSON has them: an output's byte may take six characters there."""
OUT_OF_TIME = {"ended": "wall_limit", "detail": "the time for all tests was used up"}


class Room:
    """What is left of a report for a response's words, so that it fits into its frame whatever they are."""

    def __init__(self) -> None:
        self._left = _MAX_REPORT_CHARACTERS

    def take(self, facts: dict[str, Any], key: str) -> dict[str, Any]:
        """Return ``facts``, or what stands for them when there is no room for the text under ``key``."""
        self._left -= len(json.dumps(facts.get(key, "")))
        if self._left >= 0:
            return facts
        self._left = 0
        return {"ended": "output_limit", "exit_status": 0, "detail": "its answers are too long, all tests together"}


def facts_of(ended: Ended) -> dict[str, Any]:
    """Return what a report says of a run."""
    return {
        "ended": ended.ending,
        "exit_status": ended.exit_status,
        "detail": sentence(ended),
        "stderr": ended.stderr[-1000:],
    }


def not_tried(last: dict[str, Any]) -> dict[str, Any]:
    """Return what stands for a run that is not tried, like the ``last`` one that passed a limit."""
    return {**last, "detail": f"not tried: {MAX_LIMITS_PASSED} runs before it passed a limit"}


def sentence(ended: Ended) -> str:
    """Say for people how a run ended."""
    match ended.ending:
        case "cpu_limit":
            return f"it used more than its CPU time ({ended.cpu_seconds:.1f} s)"
        case "wall_limit":
            return f"it took longer than its time ({ended.wall_seconds:.1f} s)"
        case "memory_limit":
            return f"it used more than its memory ({ended.peak_memory_bytes >> 20} MiB)"
        case "output_limit":
            return "it wrote more than its output limit"
        case "killed":
            return f"it was killed by signal {-ended.exit_status}"
    return f"it exited with status {ended.exit_status} without an answer"
