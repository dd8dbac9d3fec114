"""Conducts function guests: a payload in, a report out.

They read a response as data and run none of it, so that several payloads may have their turns in one cell.
"""

import re
from typing import Any

from .cells import Cell, CellEnded, Cells
from .cleaning import TroubleError

_IMPORT_FAILED = re.compile(r"\nModuleNotFoundError: No module named '[\w.]+'\s*\Z")
"""How the traceback of an interpreter ends that misses a library."""


def conduct(cells: Cells, role: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return what ``run(payload)`` of the guest ``role`` returned; empty when it did not get that far."""
    try:
        return _report(cells.open(role), payload)
    except CellEnded as end:
        # what a guest wrote before it met a limit may be a response's words
        if end.ended.ending == "exited" and _IMPORT_FAILED.search(end.ended.stderr):
            raise TroubleError(f"{role} misses a library: {end.ended.stderr[-300:]}") from None
        return {}


def conduct_in_turn(cells: Cells, role: str, payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the reports on the first of ``payloads``, all in one cell, as far as nothing out of the ordinary happened.

    A payload that ends the cell, meets a limit or raises a flag is where it stops: it deserves a cell of its own, and
    those after it another to share.
    """
    cell = cells.open(role)
    reports: list[dict[str, Any]] = []
    for payload in payloads:
        cell.restart_clock()
        try:
            report = _report(cell, payload)
        except CellEnded:
            break
        if not report or cell.has_flags:
            break
        reports.append(report)
    return reports


def _report(cell: Cell, payload: dict[str, Any]) -> dict[str, Any]:
    report = cell.ask(payload)
    return report if isinstance(report, dict) else {}
