"""Conducts function guests: one payload in, one report out, in one cell."""

from typing import Any

from .cells import CellEnded, Cells


def conduct(cells: Cells, role: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return what ``run(payload)`` of the guest ``role`` returned; empty when it did not get that far."""
    cell = cells.open(role)
    try:
        report = cell.ask(payload)
    except CellEnded:
        return {}
    return report if isinstance(report, dict) else {}
