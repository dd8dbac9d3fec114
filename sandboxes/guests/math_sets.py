"""Sets of real numbers in one spelling, as trees: inequalities and the real line as intervals. Nothing is computed."""

from .math_trees import Tree

FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
"""Signs of inequalities, seen from the other side."""

_INFINITY = ("constant", "infinity")
_LINE: Tree = ("group", "(", (("negate", _INFINITY), _INFINITY), ")")


def interval(tree: Tree) -> Tree | None:
    """Return ``a < x <= b``, ``x > a``, ``|x| < a`` or the real line as an interval; None when it is something else."""
    match tree:
        case ("relation", (first, second), (low, ("symbol", _), high)):
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
        case ("builder", ("symbol", _) as letter, ("relation", _, _) as condition) if variable(condition) == letter:
            return interval(condition)
        case ("symbol", "mathbb_R"):
            return _LINE
    return None


def _half_line(sign: str, bound: Tree) -> Tree:
    if sign in (">", ">="):
        return ("group", "[" if sign == ">=" else "(", (bound, _INFINITY), ")")
    return ("group", "(", (("negate", _INFINITY), bound), "]" if sign == "<=" else ")")


def variable(tree: Tree) -> Tree | None:
    """Return the first letter that is a side of a relation, or stands alone between bars there."""
    sides = [part[2][0] if part[:2] == ("call", "abs") else part for part in tree[2]]
    return next((part for part in sides if part[0] == "symbol"), None)


def union_without(tree: Tree) -> Tree | None:
    """Return the real line without one point as two half lines; None when it is something else."""
    match tree:
        case ("without", ("symbol", "mathbb_R"), ("set", (point,))) | ("relation", ("!=",), (("symbol", _), point)):
            return ("union", (_half_line("<", point), _half_line(">", point)))
    return None
