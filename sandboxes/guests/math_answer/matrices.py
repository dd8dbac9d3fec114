"""Matrices by their entries: transposed ones, the identity and zero by name. Trees alone, nothing is computed."""

import re
from typing import Any

from .trees import Tree

_IDENTITY = re.compile(r"I(?:_\{?(\d|n)\}?)?")
_ZERO = ("number", "0")
_ONE = ("number", "1")
_MAX_ROWS = 8


def laid_out(tree: Tree, other: Tree, *, asked: bool = False) -> Tree:
    """Return a tree with its transposed matrices turned, and I as a matrix where the other answer is one.

    An answer (``asked``) may also say 0 where a matrix is expected.
    """
    found: Tree = _turned(tree)
    if other[0] != "matrix" or not 0 < len(other[1]) <= _MAX_ROWS:
        return found
    rows, columns = len(other[1]), len(other[1][0])
    if asked and found in (_ZERO, ("symbol", "O")) and all(len(row) == columns for row in other[1]):
        return ("matrix", ((_ZERO,) * columns,) * rows)
    return _with_identity(found, rows) if rows == columns else found


def _turned(tree: Any) -> Any:
    if not isinstance(tree, tuple):
        return tree
    match tree:
        case ("power", ("matrix", rows), ("symbol", "T")) if len({len(row) for row in rows}) == 1:
            return ("matrix", tuple(zip(*rows, strict=True)))
        case ("power", ("group", _, items, _), ("symbol", "T")):
            return ("matrix", tuple((item,) for item in items))
    return tuple(map(_turned, tree))


def _with_identity(tree: Tree, size: int) -> Tree:
    """Return ``2I`` with the identity written out; only products and sums of it with plain factors are read."""
    match tree:
        case ("symbol", name) if (found := _IDENTITY.fullmatch(name)) and found[1] in (None, "n", str(size)):
            return ("matrix", tuple(tuple(_ONE if i == j else _ZERO for j in range(size)) for i in range(size)))
        case ("negate", inner):
            return ("negate", _with_identity(inner, size))
        case ("multiply" | "add" as kind, parts):
            return (kind, tuple(_with_identity(part, size) for part in parts))
        case ("divide", top, bottom):
            return ("divide", _with_identity(top, size), bottom)
    return tree
