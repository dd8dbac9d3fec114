"""Vectors written by unit vectors, as tuples of their coordinates. Nothing is computed here."""

from collections.abc import Iterator
from typing import Any

from .trees import Tree, product_of, sum_of

_MARK = "unitvector"
_PLAIN = {("constant", "i"): "i", ("symbol", "j"): "j", ("symbol", "k"): "k"}
_AXES = "ijk"


def coordinates(tree: Tree, other: Tree) -> Tree:
    r"""Return ``\mathbf i - 2\mathbf j`` as ``(1, -2)``, with as many places as the other answer has, or three.

    Plain letters are unit vectors where the other answer is a vector and one of them is no imaginary unit.
    """
    if other[0] in ("group", "matrix"):
        tree = _written_out(tree, other)
    marked = _holds(tree, marked=True)
    vector = other[0] in ("group", "matrix") or _holds(other, marked=True)
    if not marked and not (vector and _holds(tree, marked=False)):
        return tree
    places = _places(other)
    parts: dict[str, list[Tree]] = {axis: [] for axis in _AXES[:places]}
    for term in tree[1] if tree[0] == "add" else (tree,):
        axis, coefficient = _component(term, marked=marked)
        if axis not in parts:
            return tree
        parts[axis].append(coefficient)
    return ("group", "(", tuple(sum_of(found) if found else ("number", "0") for found in parts.values()), ")")


def _written_out(tree: Tree, other: Tree) -> Tree:
    """Return a multiple of a tuple, a column in round brackets and a list of rows by their places."""
    match tree:
        case ("multiply", (*scales, ("group", "(", items, ")"))) if all(scale[0] != "symbol" for scale in scales):
            return ("group", "(", tuple(product_of([*scales, item]) for item in items), ")")
        case ("call", "binomial", pair):
            return ("group", "(", pair, ")")
        case ("group", "[", rows, "]") if other[0] == "matrix" and all(row[:2] == ("group", "[") for row in rows):
            return ("matrix", tuple(row[2] for row in rows))
    return tree


def _places(other: Tree) -> int:
    if other[0] == "group":
        return len(other[2])
    if other[0] == "matrix":
        return max(len(other[1]), len(other[1][0]) if other[1] else 0)
    return len(_AXES)


def _component(term: Tree, *, marked: bool) -> tuple[str, Tree]:
    """Return a term's axis and its coefficient; no axis unless there is exactly one, as a factor."""
    if term[0] == "negate":
        axis, coefficient = _component(term[1], marked=marked)
        return axis, ("negate", coefficient)
    factors = term[1] if term[0] == "multiply" else (term,)
    axes = [axis for factor in factors if (axis := _axis(factor, marked=marked))]
    rest = [factor for factor in factors if not _axis(factor, marked=marked)]
    if len(axes) != 1 or any(_holds(factor, marked=marked) for factor in rest):
        return "", term
    return axes[0], product_of(rest) if rest else ("number", "1")


def _axis(factor: Tree, *, marked: bool) -> str:
    if marked:
        named = factor[0] == "symbol" and factor[1].startswith(_MARK)
        return factor[1].removeprefix(_MARK) if named else ""
    return _PLAIN.get(factor, "")


def _holds(tree: Any, *, marked: bool) -> bool:
    """Return whether a unit vector stands in a tree; of plain letters, one of j and k."""
    return any(name.startswith(_MARK) if marked else name in ("j", "k") for name in _names(tree))


def _names(tree: Any) -> Iterator[str]:
    if isinstance(tree, tuple):
        if tree[:1] == ("symbol",):
            yield tree[1]
        else:
            for part in tree:
                yield from _names(part)
