"""Sets of real numbers in one spelling, as trees: inequalities and the real line as intervals. Nothing is computed."""

import itertools

from .trees import Tree

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
"""Signs of inequalities, seen from the other side."""

_INFINITY = ("constant", "infinity")
_LINE: Tree = ("group", "(", (("negate", _INFINITY), _INFINITY), ")")


def interval(tree: Tree) -> Tree | None:
    """Return ``a < x <= b``, ``x > a``, ``|x| < a`` or the real line as an interval; None when it is something else."""
    match tree:
        case ("relation", (first, second), (low, ("symbol", _) | ("multiply", (("symbol", _), ("symbol", _))), high)):
            if first in (">", ">=") and second in (">", ">="):
                first, second, low, high = FLIPPED[second], FLIPPED[first], high, low
            if first in ("<", "<=") and second in ("<", "<="):
                return ("group", "[" if first == "<=" else "(", (low, high), "]" if second == "<=" else ")")
        case ("relation", (sign,), (("symbol", _), bound)) if sign in FLIPPED:
            return _half_line(sign, bound)
        case ("relation", (sign,), (bound, ("symbol", _))) if sign in FLIPPED:
            return _half_line(FLIPPED[sign], bound)
        case ("relation", ("<" | "<=" as sign,), (("call", "abs", (("symbol", _),)), bound)):
            return ("group", "[" if sign == "<=" else "(", (("negate", bound), bound), "]" if sign == "<=" else ")")
        case ("relation", (">" | ">=" as sign,), (("call", "abs", (("symbol", _),)), bound)):
            low, high = _half_line(FLIPPED[sign], ("negate", bound)), _half_line(sign, bound)
            return ("union", (low, high))
        case ("relation", ("<" | "<=" as sign,), (("call", "abs", (("add", (("symbol", _), shift)),)), bound)):
            ends = (_difference(("negate", bound), shift), _difference(bound, shift))
            return ("group", "[" if sign == "<=" else "(", ends, "]" if sign == "<=" else ")")
        case ("builder", ("relation", ("in",), (letter, ("symbol", "mathbb_R"))), condition):
            return interval(("builder", letter, condition))
        case ("builder", ("symbol", _) as letter, ("relation", _, _) as condition) if variable(condition) == letter:
            return interval(condition)
        case ("symbol", "mathbb_R"):
            return _LINE
    return None


def _difference(left: Tree, right: Tree) -> Tree:
    """Return a difference, worked out where both are whole numbers."""
    values = [_whole(left), _whole(right)]
    if None in values:
        return ("add", (left, ("negate", right)))
    found = (values[0] or 0) - (values[1] or 0)
    return ("number", str(found)) if found >= 0 else ("negate", ("number", str(-found)))


def _whole(tree: Tree) -> int | None:
    if tree[0] == "negate":
        return None if (inner := _whole(tree[1])) is None else -inner
    return int(tree[1]) if tree[0] == "number" and tree[1].isdigit() else None


def opened(tree: Tree) -> Tree:
    """Return ``|x| > a`` as the union of its two rays; anything else as it is."""
    found = interval(tree) if tree[0] == "relation" else None
    return found if found and found[0] == "union" else tree


def _half_line(sign: str, bound: Tree) -> Tree:
    if sign in (">", ">="):
        return ("group", "[" if sign == ">=" else "(", (bound, _INFINITY), ")")
    return ("group", "(", (("negate", _INFINITY), bound), "]" if sign == "<=" else ")")


def variable(tree: Tree) -> Tree | None:
    """Return the first letter that is a side of a relation, or stands alone between bars there."""
    sides = [part[2][0] if part[:2] == ("call", "abs") else part for part in tree[2]]
    return next((part for part in sides if part[0] == "symbol"), None)


def both_bounds(parts: list[Tree]) -> Tree | None:
    """Return ``x >= a and x < b`` as ``a <= x < b``; None when it is something else."""
    lows: list[tuple[Tree, str, Tree]] = []
    highs: list[tuple[Tree, str, Tree]] = []
    for part in parts:
        match part:
            case ("relation", (sign,), (("symbol", _) as letter, bound)) if sign in FLIPPED:
                (lows if sign in (">", ">=") else highs).append((letter, sign, bound))
            case _:
                return None
    if len(lows) != 1 or len(highs) != 1 or lows[0][0] != highs[0][0]:
        return None
    (letter, above, low), (_, below, high) = lows[0], highs[0]
    return ("relation", (FLIPPED[above], below), (low, letter, high))


def left_out(tree: Tree) -> tuple[Tree, ...]:
    """Return the points that the real line is without in ``tree``; nothing when it is something else."""
    match tree:
        case ("without", ("symbol", "mathbb_R"), ("set", points)):
            return tuple(points)
        case ("relation", ("!=",), (("symbol", _), point)):
            return (point,)
        case ("builder", ("symbol", _), condition):
            return left_out(condition)
        case ("list", parts) if parts:
            letters = {part[2][0] for part in parts if part[0] == "relation"}
            points = tuple(point for part in parts for point in (left_out(part) if part[0] == "relation" else (part,)))
            return points if len(letters) == 1 and parts[0][:2] == ("relation", ("!=",)) else ()
    return ()


def line_without(points: list[Tree]) -> Tree:
    """Return the real line without points, which are in order, as intervals."""
    ends = [("negate", _INFINITY), *points, _INFINITY]
    return ("union", tuple(("group", "(", pair, ")") for pair in itertools.pairwise(ends)))
