"""Conducts function guests: one payload in, one report out, in one cell."""

import re
from typing import Any

from .cells import CellEnded, Cells
from .cleaning import TroubleError

_IMPORT_FAILED = re.compile(r"\nModuleNotFoundError: No module named '[\w.]+'\s*\Z")
"""How the traceback of an interpreter ends that misses a library."""


def conduct(cells: Cells, role: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return what ``run(payload)`` of the guest ``role`` returned; empty when it did not get that far."""
    cell = cells.open(role)
    try:
        report = cell.ask(payload)
    except CellEnded as end:
        # what a guest wrote before it met a limit may be a response's words
        if end.ended.ending == "exited" and _IMPORT_FAILED.search(end.ended.stderr):
            raise TroubleError(f"{role} misses a library: {end.ended.stderr[-300:]}") from None
        return {}
    return report if isinstance(report, dict) else {}
