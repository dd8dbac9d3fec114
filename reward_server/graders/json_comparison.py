"""How well an extracted record agrees with the reference: one part per field, and what is extra."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from rapidfuzz.distance import Levenshtein

from reward_server.tasks.json_extraction import FieldComparison, FieldRule

_DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y", "%d %b %Y", "%b %d, %Y", "%d.%m.%Y", "%B %d %Y")
_MAX_SIMILAR = 5_000
_MAX_MATCHED = 60
_HALF = 0.5
_DEFAULT = FieldRule()
_ABSENT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field of the reference, or one field too many."""

    pointer: str
    score: float
    weight: float
    detail: str = ""
    missing: bool = False
    extra: bool = False


def compare(actual: Any, expected: Any, rules: Sequence[FieldRule]) -> list[Part]:
    """Return the parts of ``expected``'s leaves, then those of what only ``actual`` has."""
    parts = list(_compare(actual, expected, (), [(rule, _steps(rule.path)) for rule in rules]))
    return [part for part in parts if not part.extra] + [part for part in parts if part.extra]


_Rules = Sequence[tuple[FieldRule, tuple[str, ...]]]


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:])


def _rule(path: tuple[str, ...], rules: _Rules) -> FieldRule:
    for rule, steps in rules:
        if len(steps) == len(path) and all(want in ("*", have) for want, have in zip(steps, path, strict=True)):
            return rule
    return _DEFAULT


def _compare(actual: Any, expected: Any, path: tuple[str, ...], rules: _Rules) -> Iterator[Part]:
    rule = _rule(path, rules)
    weight = 1.0 if rule.weight is None else rule.weight
    if rule.comparison is FieldComparison.IGNORED:
        return
    if actual is _ABSENT:
        yield from _missing(expected, path, rules)
    elif isinstance(expected, dict) and expected:
        yield from _compare_objects(actual, expected, path, rules)
    elif isinstance(expected, list) and expected:
        yield from _compare_arrays(
            actual, expected, path, rules, ordered=rule.comparison is not FieldComparison.UNORDERED
        )
    else:
        score, detail = _agreement(actual, expected, rule)
        yield Part(pointer=_pointer(path), score=score, weight=weight, detail=detail)


def _missing(expected: Any, path: tuple[str, ...], rules: _Rules) -> Iterator[Part]:
    """Yield the leaves below a field that is not there."""
    rule = _rule(path, rules)
    if rule.optional or rule.comparison is FieldComparison.IGNORED:
        return
    below: list[tuple[str, Any]] = []
    if isinstance(expected, dict):
        below = list(expected.items())
    elif isinstance(expected, list):
        below = [(str(i), item) for i, item in enumerate(expected)]
    for key, item in below:
        yield from _missing(item, (*path, key), rules)
    if not below:
        weight = 1.0 if rule.weight is None else rule.weight
        yield Part(pointer=_pointer(path), score=0.0, weight=weight, detail="missing", missing=True)


def _compare_objects(actual: Any, expected: dict[str, Any], path: tuple[str, ...], rules: _Rules) -> Iterator[Part]:
    mine = actual if isinstance(actual, dict) else {}
    for key, item in expected.items():
        yield from _compare(mine.get(key, _ABSENT), item, (*path, key), rules)
    for key in mine:
        if key not in expected and _rule((*path, key), rules).comparison is not FieldComparison.IGNORED:
            yield _extra((*path, key))


def _compare_arrays(
    actual: Any, expected: list[Any], path: tuple[str, ...], rules: _Rules, *, ordered: bool
) -> Iterator[Part]:
    mine = actual if isinstance(actual, list) else []
    order = list(range(len(mine))) if ordered else _assignment(mine, expected, path, rules)
    for i, item in enumerate(expected):
        other = mine[order[i]] if i < len(order) and order[i] is not None else _ABSENT
        yield from _compare(other, item, (*path, str(i)), rules)
    for i in range(len(expected), len(mine)):
        yield _extra((*path, str(i)))


def _extra(path: tuple[str, ...]) -> Part:
    return Part(pointer=_pointer(path), score=0.0, weight=0.0, detail="the reference has no such field", extra=True)


def _assignment(mine: list[Any], expected: list[Any], path: tuple[str, ...], rules: _Rules) -> list[Any]:
    """Return for each expected item the index of the item matched to it, or None; the best total, not the greediest."""
    if len(mine) > _MAX_MATCHED or len(expected) > _MAX_MATCHED:
        return _assign_equal(mine, expected)
    gains = [[_gain(other, item, (*path, str(i)), rules) for other in mine] for i, item in enumerate(expected)]
    return best_assignment(gains)


def _gain(actual: Any, expected: Any, path: tuple[str, ...], rules: _Rules) -> float:
    parts = list(_compare(actual, expected, path, rules))
    total = sum(part.weight for part in parts)
    return sum(part.score * part.weight for part in parts) / total if total else 0.0


def _assign_equal(mine: list[Any], expected: list[Any]) -> list[Any]:
    """For long arrays: match equal items, then the rest in order. Linear."""
    places: dict[str, list[int]] = {}
    for i, item in enumerate(mine):
        places.setdefault(repr(item), []).append(i)
    chosen = [places[key].pop(0) if places.get(key := repr(item)) else None for item in expected]
    rest = iter(sorted(i for left in places.values() for i in left))
    return [next(rest, None) if place is None else place for place in chosen]


def best_assignment(gains: list[list[float]]) -> list[Any]:
    """Return for each row the column that maximizes the total gain, each column used once; None for rows left over.

    The Hungarian method with potentials, O(rows² · columns); H. W. Kuhn, 1955, in the form of E. Lawler.
    """
    rows, columns = len(gains), len(gains[0]) if gains else 0
    width = max(rows, columns)
    row_potential, column_potential = [0.0] * (rows + 1), [0.0] * (width + 1)
    owner = [0] * (width + 1)
    for row in range(1, rows + 1):
        owner[0], column = row, 0
        least, previous, used = [float("inf")] * (width + 1), [0] * (width + 1), [False] * (width + 1)
        while owner[column]:
            used[column] = True
            current, delta, following = owner[column], float("inf"), 0
            for j in range(1, width + 1):
                if used[j]:
                    continue
                gain = gains[current - 1][j - 1] if j <= columns else 0.0
                slack = -gain - row_potential[current] - column_potential[j]
                if slack < least[j]:
                    least[j], previous[j] = slack, column
                if least[j] < delta:
                    delta, following = least[j], j
            for j in range(width + 1):
                if used[j]:
                    row_potential[owner[j]] += delta
                    column_potential[j] -= delta
                else:
                    least[j] -= delta
            column = following
        while column:
            owner[column] = owner[previous[column]]
            column = previous[column]
    chosen: list[Any] = [None] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            chosen[owner[column] - 1] = column - 1
    return chosen


def _agreement(actual: Any, expected: Any, rule: FieldRule) -> tuple[float, str]:
    match rule.comparison:
        case FieldComparison.NUMBER:
            agrees = _same_number(actual, expected, rule.tolerance or 0.0)
        case FieldComparison.DATE:
            mine, theirs = _as_date(actual), _as_date(expected)
            agrees = mine is not None and mine == theirs
        case FieldComparison.TEXT:
            agrees = isinstance(actual, str) and isinstance(expected, str) and _words(actual) == _words(expected)
        case FieldComparison.SIMILARITY if isinstance(actual, str) and isinstance(expected, str):
            return _similarity(actual, expected)
        case _:
            agrees = same(actual, expected)
    return (1.0, "") if agrees else (0.0, f"{_show(actual)}, expected {_show(expected)}")


def same(actual: Any, expected: Any) -> bool:
    """Return whether two JSON values are equal; true is not 1, and 1.0 is 1."""
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    if isinstance(actual, int | Decimal) and isinstance(expected, int | Decimal):
        return actual == expected
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(same(a, b) for a, b in zip(actual, expected, strict=True))
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(same(actual[key], item) for key, item in expected.items())
    return type(actual) is type(expected) and bool(actual == expected)


def _same_number(actual: Any, expected: Any, tolerance: float) -> bool:
    mine, theirs = _as_number(actual), _as_number(expected)
    if mine is None or theirs is None:
        return False
    return abs(mine - theirs) <= Decimal(repr(tolerance)) * max(Decimal(1), abs(theirs))


def _as_number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*[-+]?\d[\d, ]{0,60}(?:\.\d{1,60})?\s*", value):
        return None
    try:
        return Decimal(value.replace(",", "").replace(" ", "") if isinstance(value, str) else value)
    except InvalidOperation:
        return None


def _as_date(value: Any) -> date | None:
    if not isinstance(value, str) or len(value) > 40:  # noqa: PLR2004 - no date is longer
        return None
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(value.strip(), form).date()  # noqa: DTZ007 - a calendar date has no zone
        except ValueError:
            continue
    return None


def _words(text: str) -> list[str]:
    return "".join(character if character.isalnum() else " " for character in text.casefold()).split()


def _similarity(actual: str, expected: str) -> tuple[float, str]:
    mine, theirs = (" ".join(text[:_MAX_SIMILAR].casefold().split()) for text in (actual, expected))
    if len(actual) > _MAX_SIMILAR + len(expected):
        return 0.0, f"{len(actual)} characters, expected {len(expected)}"
    score = Levenshtein.normalized_similarity(mine, theirs)
    return (1.0, "") if score == 1.0 else (score if score > _HALF else 0.0, f"similarity {score:.2f}: {_show(actual)}")


def _show(value: Any) -> str:
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 100 else text[:99] + "…"  # noqa: PLR2004 - enough to recognize it


def _pointer(path: tuple[str, ...]) -> str:
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in path) or "/"
