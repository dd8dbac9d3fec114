"""When two query results are the same, and how much of them is: the rule of `sql_query`, in one place."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sandboxes.values import decode

DEFAULT_TOLERANCE = 1e-9
_MAX_MATCHED = 100
"""Rows that are matched pair by pair; more are compared in sorted order."""

Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What a query returned, or what a table holds."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    ties: tuple[int, ...] | None = None
    """For each row the number of its group: rows of one group may stand in any order. None: each row is one."""

    @classmethod
    def of(cls, table: Mapping[str, Any], ties: Sequence[int] | None = None) -> "Table":
        """Return the table in a guest's result."""
        rows = tuple(tuple(decode(cell) for cell in row) for row in table["rows"])
        return cls(tuple(table["columns"]), rows, None if ties is None else tuple(ties))

    def arranged(self, columns: Sequence[str]) -> "Table | None":
        """Return the table with its columns in the order of ``columns``, by name; None when the names differ.

        Columns of the same name stay in their order.
        """
        left: dict[str, list[int]] = {}
        for i, name in enumerate(self.columns):
            left.setdefault(name.lower(), []).append(i)
        order = [left[name.lower()].pop(0) for name in columns if left.get(name.lower())]
        if not len(order) == len(columns) == len(self.columns):
            return None
        return Table(tuple(columns), tuple(tuple(row[i] for i in order) for row in self.rows))


def same(actual: Table, expected: Table, *, ordered: bool, tolerance: float) -> bool:
    """Return whether both hold the same rows, duplicates counted, in the same order if ``ordered``.

    Rows that the expected table holds for tied may be permuted among themselves.
    """
    if len(actual.rows) != len(expected.rows) or len(actual.columns) != len(expected.columns):
        return False
    if not ordered:
        return _matching(actual.rows, expected.rows, tolerance) == len(expected.rows)
    if expected.ties is None:
        return all(_same_row(a, b, tolerance) for a, b in zip(actual.rows, expected.rows, strict=True))
    return all(
        _matching(actual.rows[start:end], expected.rows[start:end], tolerance) == end - start
        for start, end in _groups(expected.ties)
    )


def overlap(actual: Table, expected: Table, tolerance: float) -> tuple[float, float]:
    """Return precision and recall of the rows as multisets; both 1 when both are empty."""
    if not actual.rows and not expected.rows:
        return 1.0, 1.0
    if len(actual.columns) != len(expected.columns) or not actual.rows or not expected.rows:
        return 0.0, 0.0
    shared = _matching(actual.rows, expected.rows, tolerance)
    return shared / len(actual.rows), shared / len(expected.rows)


def shared_columns(actual: Table, expected: Table) -> int:
    """Return how many columns hold the same cells, each as a multiset, matched one to one."""
    return sum((_columns(actual) & _columns(expected)).values())


def _columns(table: Table) -> Counter[Hashable]:
    keys = [_key(row) for row in table.rows]
    return Counter(tuple(sorted(row[i] for row in keys)) for i in range(len(table.columns)))


def _groups(ties: Sequence[int]) -> list[tuple[int, int]]:
    starts = [i for i, group in enumerate(ties) if i == 0 or group != ties[i - 1]]
    return list(zip(starts, [*starts[1:], len(ties)], strict=True))


def _matching(actual: Sequence[Row], expected: Sequence[Row], tolerance: float) -> int:
    """Return how many rows can be paired within ``tolerance``; of many rows the equal ones are paired first."""
    mine, theirs = Counter(map(_key, actual)), Counter(map(_key, expected))
    exact = sum((mine & theirs).values())
    rest_mine = _rest(actual, mine - theirs)
    rest_theirs = _rest(expected, theirs - mine)
    if not rest_mine or not rest_theirs or tolerance == 0.0:
        return exact
    if max(len(actual), len(expected)) <= _MAX_MATCHED:
        return _matching_pairwise(actual, expected, tolerance)  # an exact pair may block two near ones
    if min(len(rest_mine), len(rest_theirs)) > _MAX_MATCHED:
        return exact + _matching_sorted(rest_mine, rest_theirs, tolerance)
    return exact + _matching_pairwise(rest_mine[: 4 * _MAX_MATCHED], rest_theirs[: 4 * _MAX_MATCHED], tolerance)


def _rest(rows: Sequence[Row], left: Counter[Any]) -> list[Row]:
    rest, left = [], left.copy()
    for row in rows:
        key = _key(row)
        if left[key] > 0:
            left[key] -= 1
            rest.append(row)
    return sorted(rest, key=_key)


def _matching_sorted(actual: Sequence[Row], expected: Sequence[Row], tolerance: float) -> int:
    """Pair rows sorted by their texts first and their numbers last, so that noise in a number moves no row far."""
    pairs = zip(sorted(actual, key=_noise_last), sorted(expected, key=_noise_last), strict=False)
    return sum(_same_row(a, b, tolerance) for a, b in pairs)


def _noise_last(row: Row) -> tuple[Any, ...]:
    keys = _key(row)
    return tuple([key for key in keys if key[0] != 1] + [key for key in keys if key[0] == 1])


def _matching_pairwise(actual: Sequence[Row], expected: Sequence[Row], tolerance: float) -> int:
    """Return the size of a largest one-to-one matching of rows that are the same within ``tolerance``."""
    partners = [[j for j, other in enumerate(expected) if _same_row(row, other, tolerance)] for row in actual]
    taken: dict[int, int] = {}
    for start in range(len(actual)):
        _augment(start, partners, taken)
    return len(taken)


def _augment(start: int, partners: Sequence[Sequence[int]], taken: dict[int, int]) -> None:
    """Find a place for row ``start``, moving others if need be (an augmenting path, breadth first)."""
    came_from: dict[int, int] = {}
    queue = [start]
    for row in queue:
        for place in partners[row]:
            if place in came_from:
                continue
            came_from[place] = row
            if place not in taken:
                _shift(place, start, came_from, taken)
                return
            queue.append(taken[place])


def _shift(place: int, start: int, came_from: Mapping[int, int], taken: dict[int, int]) -> None:
    held = {row: place for place, row in taken.items()}
    while True:
        row = came_from[place]
        taken[place] = row
        if row == start:
            return
        place = held[row]


def _same_row(actual: Row, expected: Row, tolerance: float) -> bool:
    return all(_same_cell(a, b, tolerance) for a, b in zip(actual, expected, strict=True))


def _same_cell(actual: Any, expected: Any, tolerance: float) -> bool:
    """Compare two cells: NULL only with NULL, text only with text, numbers as numbers whatever their storage."""
    if isinstance(actual, int | float) and isinstance(expected, int | float):
        if isinstance(actual, int) and isinstance(expected, int):
            return actual == expected
        return actual == expected or _is_close(actual, expected, tolerance)
    return type(actual) is type(expected) and bool(actual == expected)


def _is_close(actual: float, expected: float, tolerance: float) -> bool:
    try:
        a, b = float(actual), float(expected)
    except OverflowError:
        return False
    return math.isfinite(a) and math.isfinite(b) and abs(a - b) <= tolerance * max(1.0, abs(b))


def _key(row: Row) -> tuple[tuple[int, Any], ...]:
    """Return what equal rows share and others do not, and what sorts rows of any types."""
    return tuple([_cell_key(cell) for cell in row])


def _cell_key(cell: Any) -> tuple[int, Any]:
    match cell:
        case None:
            return (0, 0)
        case int() | float():
            return (1, cell)
        case str():
            return (2, cell)
    return (3, bytes(cell))
