"""Sets of real numbers by what they hold: intervals that join up, set-builders over whole numbers, rows with dots."""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import sympy

from .sets import interval, variable
from .trees import Tree

_MAX_ITEMS = 200
_MAX_PARTS = 12
_DOTS: Tree = ("text", "...")


def same_range(mine: Tree, theirs: Tree, valued: Callable[[Tree], Any]) -> bool:
    """Return whether two unions of intervals and points of real numbers hold the same; False where either is none."""
    first, second = _range(mine, valued), _range(theirs, valued)
    return first is not None and second is not None and bool(first == second)


def _range(tree: Tree, valued: Callable[[Tree], Any]) -> Any:
    """Return the set that a tree is; None where it is no union of intervals and points with real ends."""
    match tree:
        case ("union", parts) if len(parts) <= _MAX_PARTS:
            found = [_range(part, valued) for part in parts]
            return None if None in found else functools.reduce(sympy.Union, found, sympy.S.EmptySet)
        case ("set", items) if len(items) <= _MAX_ITEMS:
            values = [valued(item) for item in items]
            return sympy.FiniteSet(*values) if all(map(_is_end, values)) else None
        case ("without", whole, part):
            held, taken = _range(whole, valued), _range(part, valued)
            return None if held is None or taken is None else held - taken
        case ("group", "(" | "[" as opening, (low, high), ")" | "]" as closing):
            ends = valued(low), valued(high)
            if not all(map(_is_end, ends)) or not bool(ends[0] < ends[1]):
                return None
            if (ends[0].is_infinite and opening == "[") or (ends[1].is_infinite and closing == "]"):
                return None
            return sympy.Interval(*ends, left_open=opening == "(", right_open=closing == ")")
    return None


def _is_end(value: Any) -> bool:
    return isinstance(value, sympy.Expr) and not value.free_symbols and value.is_extended_real is True


def listed_out(tree: Tree) -> Tree:
    r"""Return ``\{1,2,\ldots,10\}`` and ``\{x\in\mathbb{Z}: 1\le x\le 10\}`` with every item, unions by "or"."""
    match tree:
        case ("set" | "list" as kind, items) if items.count(_DOTS) == 1:
            return (kind, _filled(items))
        case ("list", (condition, ("relation", ("in",), (letter, ("symbol", "mathbb_Z" | "mathbb_N" as domain))))):
            return _whole(letter, domain, condition) or tree
        case ("builder", ("relation", ("in",), (letter, ("symbol", "mathbb_Z" | "mathbb_N" as domain))), condition):
            return _whole(letter, domain, condition) or tree
        case ("builder", letter, ("either", conditions)):
            named = letter[2][0] if letter[:2] == ("relation", ("in",)) else letter
            parts = [interval(part) for part in conditions if part[0] == "relation" and variable(part) == named]
            if len(parts) == len(conditions) and all(parts):
                return ("union", tuple(parts))
            return ("builder", letter, ("list", conditions))
    return tree


def _filled(items: tuple[Tree, ...]) -> tuple[Tree, ...]:
    """Return a row of whole numbers with what its dots leave out; as it is where they do not say."""
    at = items.index(_DOTS)
    before, after = [_number(item) for item in items[:at]], [_number(item) for item in items[at + 1 :]]
    known = [number for number in (*before, *after) if number is not None]
    if not before or not after or None in before:
        return items
    if None in after:
        return (*items[:2], *items[at:]) if _steady(known[: len(before)]) else items
    step = known[1] - known[0] if len(before) > 1 else 1
    row = [*range(known[0], known[-1] + (1 if step > 0 else -1), step)] if step and _few(known, step) else []
    if row[: len(before)] != before or row[-len(after) :] != after or len(row) < len(known):
        return items
    return tuple(("number", str(number)) if number >= 0 else ("negate", ("number", str(-number))) for number in row)


def _steady(row: list[int]) -> bool:
    return len(row) > 2 and len({later - earlier for earlier, later in itertools.pairwise(row)}) == 1


def _few(known: list[int], step: int) -> bool:
    return abs(known[-1] - known[0]) // abs(step) <= _MAX_ITEMS


def _whole(letter: Tree, domain: str, condition: Tree) -> Tree | None:
    match condition:
        case ("relation", ("<" | "<=" as first, "<" | "<=" as second), (low, middle, high)) if middle == letter:
            ends = _number(low), _number(high)
            if ends[0] is None or ends[1] is None or ends[1] - ends[0] > _MAX_ITEMS:
                return None
            row = range(ends[0] + (first == "<"), ends[1] + (second == "<="))
            if domain == "mathbb_N" and (not row or row[0] < 1):
                return None
            return ("set", tuple(("number", str(n)) if n >= 0 else ("negate", ("number", str(-n))) for n in row))
    return None


def _number(tree: Tree) -> int | None:
    match tree:
        case ("number", digits) if digits.isdigit() and len(digits) <= 9:
            return int(digits)
        case ("negate", ("number", digits)) if digits.isdigit() and len(digits) <= 9:
            return -int(digits)
    return None
