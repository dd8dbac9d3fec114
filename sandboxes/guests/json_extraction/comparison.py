"""How well a record agrees with its reference: every field of the reference, and what is extra."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from .fields import agreement, key_of
from .matching import alignment, assignment, equal_ends, equal_first
from .rules import Position

_MAX_PAIRS = 10_000
_MAX_STEPS = 300_000
"""Values compared while matching; a similarity of long texts counts for as many as it takes time."""
_SIMILAR_SHIFT = 15
_NAMED_EXTRA = 20
_ABSENT: Final = object()


@dataclass(slots=True)
class Field:
    """One field of the reference."""

    pointer: str
    score: float
    weight: float
    detail: str = ""
    missing: bool = False


@dataclass(slots=True)
class Agreement:
    """The fields of a part of the reference, and what the response has there beyond it."""

    fields: list[Field] = field(default_factory=list)
    extra: list[tuple[str, float]] = field(default_factory=list)
    """The first extra fields: pointer and weight."""
    extra_count: int = 0
    extra_weight: float = 0.0

    def add(self, other: "Agreement") -> None:
        """Take in what was found elsewhere."""
        self.fields += other.fields
        self.extra += other.extra[: _NAMED_EXTRA - len(self.extra)]
        self.extra_count += other.extra_count
        self.extra_weight += other.extra_weight

    def add_extra(self, pointer: str, weight: float) -> None:
        """Note a field that the reference does not have."""
        if len(self.extra) < _NAMED_EXTRA:
            self.extra.append((pointer, weight))
        self.extra_count += 1
        self.extra_weight += weight

    def weigh(self, total: float) -> None:
        """Make the fields weigh ``total`` together, and the extra ones in proportion."""
        now = sum(part.weight for part in self.fields)
        factor = total / now if now else total
        for part in self.fields:
            part.weight *= factor
        self.extra = [(pointer, weight * factor) for pointer, weight in self.extra]
        self.extra_weight *= factor

    @property
    def gain(self) -> float:
        """What it contributes to the score, in the weight of its fields."""
        weight = sum(part.weight for part in self.fields)
        credit = sum(part.weight * part.score for part in self.fields)
        return credit * weight / (weight + self.extra_weight) if weight else 0.0


class Comparison:
    """Compares one record with one reference, in bounded time."""

    def __init__(self, *, extra_weight: float = 1.0, null_is_absent: bool = False) -> None:
        self._extra_weight = extra_weight
        self._null_is_absent = null_is_absent
        self._steps = 0
        self.bounded = False
        """Whether some arrays were too long to look for the best match."""

    def compare(self, actual: Any, expected: Any, position: Position, pointer: str = "") -> Agreement:
        """Return how ``actual`` agrees with ``expected``, both as `strict_json.parse` gives them."""
        self._steps += 1
        rule, found = position.rule, Agreement()
        if self._null_is_absent and actual is None:
            actual = _ABSENT
        if rule.comparison == "ignored" or (actual is _ABSENT and rule.optional):
            return found
        if rule.comparison == "whole" or not expected or not isinstance(expected, dict | list):
            self._compare_value(actual, expected, position, pointer, found)
        elif isinstance(expected, dict):
            self._compare_objects(actual, expected, position, pointer, found)
        else:
            self._compare_arrays(actual, expected, position, pointer, found)
        if rule.weight is not None:
            found.weigh(rule.weight)
        return found

    def _compare_value(self, actual: Any, expected: Any, position: Position, pointer: str, found: Agreement) -> None:
        if actual is _ABSENT and expected is None and self._null_is_absent:
            actual = None
        if actual is _ABSENT:
            found.fields.append(Field(pointer, 0.0, 1.0, "missing", missing=True))
            return
        if position.rule.comparison == "similarity" and isinstance(actual, str) and isinstance(expected, str):
            self._steps += len(actual) * len(expected) >> _SIMILAR_SHIFT
        score, detail = agreement(actual, expected, position.rule)
        found.fields.append(Field(pointer, score, 1.0, detail))
        if score == 0.0 and position.rule.comparison != "whole":
            self._note_inside(actual, position, pointer, found)

    def _compare_objects(
        self, actual: Any, expected: dict[str, Any], position: Position, pointer: str, found: Agreement
    ) -> None:
        mine = actual if isinstance(actual, dict) else {}
        for key, item in expected.items():
            found.add(self.compare(mine.get(key, _ABSENT), item, position.down(key), f"{pointer}/{_step(key)}"))
        for key, item in mine.items():
            if key not in expected:
                self._note_extra(item, position.down(key), f"{pointer}/{_step(key)}", found)
        if mine is not actual:
            self._note_inside(actual, position, pointer, found)

    def _compare_arrays(
        self, actual: Any, expected: list[Any], position: Position, pointer: str, found: Agreement
    ) -> None:
        mine = actual if isinstance(actual, list) else []
        pairs = self._pairs(mine, expected, position, pointer)
        for i, item in enumerate(expected):
            matched = pairs.get(i)
            known = matched[1] if matched else None
            other = mine[matched[0]] if matched else _ABSENT
            found.add(known or self.compare(other, item, position.down(str(i)), f"{pointer}/{i}"))
        used = {matched[0] for matched in pairs.values()}
        for j, item in enumerate(mine):
            if j not in used:
                self._note_extra(item, position.down(str(j)), f"{pointer}/{j}", found)
        if mine is not actual:
            self._note_inside(actual, position, pointer, found)

    def _pairs(
        self, mine: list[Any], expected: list[Any], position: Position, pointer: str
    ) -> dict[int, tuple[int, Agreement | None]]:
        """Return for the items of ``expected`` the index of their counterparts, and how these agree where known.

        Unordered items are looked at in an order of their own, so that no permutation of them changes the outcome.
        """
        unordered, below = position.rule.unordered, position.down("*")
        order = list(range(len(mine)))
        if unordered:
            order.sort(key=[key_of(item, below) for item in mine].__getitem__)
        table = self._table([mine[j] for j in order], expected, position, pointer)
        if table is None:
            self.bounded = True
            match = equal_first if unordered else equal_ends
            keys, others = ([key_of(item, below) for item in items] for items in (expected, [mine[j] for j in order]))
            return {i: (order[j], None) for i, j in enumerate(match(keys, others)) if j is not None}
        gains = [[pair.gain for pair in row] for row in table]
        chosen = assignment(gains) if unordered else alignment(gains)
        return {i: (order[j], table[i][j]) for i, j in enumerate(chosen) if j is not None}

    def _table(
        self, mine: list[Any], expected: list[Any], position: Position, pointer: str
    ) -> list[list[Agreement]] | None:
        """Compare every item with every other; None when that is too much."""
        if len(mine) * len(expected) > _MAX_PAIRS:
            return None
        table: list[list[Agreement]] = []
        for i, item in enumerate(expected):
            below, name = position.down(str(i)), f"{pointer}/{i}"
            table.append([])
            for other in mine:
                if self._steps > _MAX_STEPS:
                    return None
                table[-1].append(self.compare(other, item, below, name))
        return table

    def _note_inside(self, value: Any, position: Position, pointer: str, found: Agreement) -> None:
        for key, item in _items(value):
            self._note_extra(item, position.down(key), f"{pointer}/{_step(key)}", found)

    def _note_extra(self, value: Any, position: Position, pointer: str, found: Agreement) -> None:
        """Note each leaf of ``value``."""
        self._steps += 1
        rule = position.rule
        if rule.comparison == "ignored" or (self._null_is_absent and value is None):
            return
        if value and isinstance(value, dict | list) and rule.comparison != "whole":
            self._note_inside(value, position, pointer, found)
        else:
            weight = 1.0 if rule.weight is None else rule.weight
            found.add_extra(pointer, weight * self._extra_weight)


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(i), item) for i, item in enumerate(value))


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
