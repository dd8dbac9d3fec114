"""Conventions of writing that are no part of an answer: clock times, names of constants, conditions. Trees alone."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

from .shapes import symbols
from .trees import Tree
from .units import half_day

_CONSTANT = re.compile(r"(?:[CcKkAB]|[CcKkAa]_\{?\d\}?)")
_NUMBERED = re.compile(r"[CcKk]_\d")
_COUNTING = frozenset("knmlj")
_FUNCTION_LETTERS = frozenset("fghuvFGHP")
_MAX_CONSTANTS = 4
_NUMBER_SETS = (
    ("symbol", "mathbb_Z"),
    ("symbol", "mathbb_R"),
    ("symbol", "mathbb_N"),
    ("symbol", "mathbb_P"),
    ("symbol", "Z"),
    ("symbol", "R"),
)
_POSITIVE = {"mathbb_P", "mathbb_N"}
_WHOLE = {"mathbb_Z", "Z"}


def clock(tree: Tree) -> tuple[int, int, int, str] | None:
    """Return ``9 a.m.`` or ``4:30`` as hour, minute, second and half of the day, if any; None when it is no time."""
    half, parts = "", tree[1] if tree[0] == "ratio" else (tree,)
    if parts[-1][0] == "quantity" and (half := half_day(parts[-1][2])):
        parts = (*parts[:-1], parts[-1][1])
    texts = [part[1] for part in parts if part[0] == "number" and part[1].isdigit()]
    if len(texts) != len(parts) or not (half or len(parts) > 1) or len(parts) > 3 or len(texts[0]) > 2:
        return None
    if any(len(text) != 2 or int(text) > 59 for text in texts[1:]) or int(texts[0]) > 24:
        return None
    hour, minute, second = (*(int(text) for text in texts), 0, 0)[:3]
    return (hour, minute, second, half)


def same_time(mine: tuple[int, int, int, str], theirs: tuple[int, int, int, str]) -> bool:
    """Compare times of day; half of the day counts where both say it, or one counts to 24."""
    if mine[3] and theirs[3]:
        return mine == theirs
    halves = mine[3] or theirs[3]
    return mine[:3] == theirs[:3] or (bool(halves) and _of_24(mine) == _of_24(theirs))


def _of_24(time: tuple[int, int, int, str]) -> tuple[int, int, int]:
    hour, minute, second, half = time
    return (hour if not half else hour % 12 + (12 if half == "pm" else 0), minute, second)


def unconditional(tree: Tree) -> Tree:
    r"""Return ``x = 2\pi k, k \in \mathbb{Z}`` without what is said of the letter that counts."""
    if tree[0] != "list":
        return tree
    kept = tuple(part for part in tree[1] if not (part[:2] == ("relation", ("in",)) and part[2][1] in _NUMBER_SETS))
    if not kept or len(kept) == len(tree[1]):
        return tree
    return kept[0] if len(kept) == 1 else ("list", kept)


def whole_and_positive(tree: Tree, other: Tree) -> bool:
    """Return whether a letter is said to be any whole number in one answer, and a positive one in the other."""
    domains = [{part[2][1][1] for part in _domains(side)} for side in (tree, other)]
    return any(mine & _POSITIVE and theirs & _WHOLE for mine, theirs in (domains, domains[::-1]))


def _domains(tree: Tree) -> list[Tree]:
    parts = tree[1] if tree[0] == "list" else ()
    return [part for part in parts if part[:2] == ("relation", ("in",)) and part[2][1] in _NUMBER_SETS]


def renamings(answer: Tree, expected: Tree, *, counting: bool) -> Iterator[Tree]:
    """Yield the answer with its arbitrary constants under the names that the reference gives them, in every order.

    Numbered constants may change places; others only their names. Without a further letter nothing is arbitrary. A
    letter that counts the members of a family has any name too: where it is said to be whole (``counting``), or counts
    turns.
    """
    mine, theirs = _letters(_unnamed(answer)), _letters(_unnamed(expected))
    counted = mine - theirs, theirs - mine
    counting = counting or (_turns(answer) and _turns(expected))
    if (
        counting
        and counted[0]
        and all(letters <= _COUNTING for letters in counted)
        and len(counted[0]) == len(counted[1]) == 1
    ):
        yield _replaced(answer, dict(zip(*counted, strict=True)))
    ours, other = _constants(mine), _constants(theirs)
    if mine - ours != theirs - other or not theirs - other or len(ours) != len(other) or len(ours) > _MAX_CONSTANTS:
        return
    new, old = sorted(ours - other), sorted(other - ours)
    if not new:
        new = old = sorted(letter for letter in ours if _NUMBERED.fullmatch(letter))
    for order in itertools.permutations(old):
        if new != list(order):
            yield _replaced(answer, dict(zip(new, order, strict=True)))


def without_constant(tree: Tree, other: Tree) -> Tree | None:
    """Return an antiderivative without its constant; None when it has none, or its name stands elsewhere too.

    It may have a name; where the other answer has one too, the same.
    """
    if tree[0] == "relation" and tree[1] == ("=",):
        left, tree = tree[2]
        if left != other[2][0] if other[:2] == ("relation", ("=",)) else not _names_function(left):
            return None
    if tree[0] != "add":
        return None
    constants = [term for term in tree[1] if term[0] == "symbol" and _CONSTANT.fullmatch(term[1])]
    rest = tuple(term for term in tree[1] if term not in constants)
    if len(constants) != 1 or not rest or _constants(_letters(rest)):
        return None
    return rest[0] if len(rest) == 1 else ("add", rest)


def _unnamed(tree: Tree) -> Tree:
    """Return what stands behind ``y =`` or ``f(x) =``."""
    if tree[:2] == ("relation", ("=",)) and len(tree[2]) == 2 and _names_function(tree[2][0]):
        return tuple(tree[2][1])
    return tree


def _names_function(left: Tree) -> bool:
    """Return whether the left side is ``y`` or ``f(x)``, which is read as a product, and no product of unknowns."""
    if left[0] == "multiply" and len(left[1]) == 2 and left[1][0][0] == "symbol":
        return left[1][0][1] in _FUNCTION_LETTERS
    return bool(left[0] == "symbol")


def _letters(tree: Any) -> set[str]:
    return {name for _, name in symbols(tree)}


def _turns(tree: Any) -> bool:
    return isinstance(tree, tuple) and (tree == ("constant", "pi") or any(map(_turns, tree)))


def _constants(letters: set[str]) -> set[str]:
    return {letter for letter in letters if _CONSTANT.fullmatch(letter)}


def _replaced(tree: Any, names: dict[str, str]) -> Any:
    if not isinstance(tree, tuple):
        return tree
    if tree[:1] == ("symbol",):
        return ("symbol", names.get(tree[1], tree[1]))
    return tuple(_replaced(part, names) for part in tree)
