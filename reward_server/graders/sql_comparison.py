"""When two query results are the same: the rule of `sql_query`, in one place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandboxes.values import decode

DEFAULT_TOLERANCE = 1e-9
_KEY_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Table:
    """What a query returned."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    @classmethod
    def of(cls, result: Any) -> "Table":
        """Return the table in a guest's result."""
        return cls(tuple(result["columns"]), tuple(tuple(row) for row in decode(result["rows"])))

    def arranged(self, columns: Sequence[str]) -> "Table | None":
        """Return the table with its columns in the order of ``columns``, by name; None when the names differ."""
        mine = [name.lower() for name in self.columns]
        theirs = [name.lower() for name in columns]
        if sorted(mine) != sorted(theirs) or len(set(mine)) != len(mine):
            return None
        order = [mine.index(name) for name in theirs]
        return Table(tuple(columns), tuple(tuple(row[i] for i in order) for row in self.rows))


def same(actual: Table, expected: Table, *, ordered: bool, tolerance: float) -> bool:
    """Return whether both hold the same rows, duplicates counted, in the same order if ``ordered``."""
    if actual.rows and expected.rows and len(actual.rows[0]) != len(expected.rows[0]):
        return False
    if len(actual.rows) != len(expected.rows) or len(actual.columns) != len(expected.columns):
        return False
    mine, theirs = actual.rows, expected.rows
    if not ordered:
        mine, theirs = tuple(sorted(mine, key=_key)), tuple(sorted(theirs, key=_key))
    return all(_same_row(a, b, tolerance) for a, b in zip(mine, theirs, strict=True))


def overlap(actual: Table, expected: Table) -> tuple[float, float]:
    """Return precision and recall of the rows as multisets; both 1 when both are empty."""
    mine, theirs = Counter(map(_key, actual.rows)), Counter(map(_key, expected.rows))
    shared = sum((mine & theirs).values())
    if not mine and not theirs:
        return 1.0, 1.0
    return (shared / mine.total() if mine else 0.0), (shared / theirs.total() if theirs else 0.0)


def _same_row(actual: tuple[Any, ...], expected: tuple[Any, ...], tolerance: float) -> bool:
    return all(_same_cell(a, b, tolerance) for a, b in zip(actual, expected, strict=True))


def _same_cell(actual: Any, expected: Any, tolerance: float) -> bool:
    """Compare two cells: NULL only with NULL, text only with text, numbers as numbers whatever their storage."""
    if isinstance(actual, int | float) and isinstance(expected, int | float):
        if isinstance(actual, int) and isinstance(expected, int):
            return actual == expected
        return actual == expected or abs(actual - expected) <= tolerance * max(1.0, abs(expected))
    return type(actual) is type(expected) and bool(actual == expected)


def _key(row: tuple[Any, ...]) -> tuple[tuple[int, Any], ...]:
    """Order rows so that those which may be the same stand together."""
    return tuple(_cell_key(cell) for cell in row)


def _cell_key(cell: Any) -> tuple[int, Any]:
    match cell:
        case None:
            return (0, 0)
        case int() | float():
            return (1, float(f"{cell:.{_KEY_DIGITS}g}"))
        case str():
            return (2, cell)
    return (3, bytes(cell))
