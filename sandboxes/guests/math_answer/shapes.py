"""Other spellings of one answer, as trees: with and without names, both readings of ±. Nothing is computed here."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from .trees import Tree
from .words import MEANINGS

_MAX_COORDINATES = 4
_LEFT_TO_DO = (("sum",), ("prod",), ("integral",), ("antiderivative",), ("limit",))


def unevaluated(tree: Tree) -> bool:
    """Return whether a number's tree leaves a sum or product of plain numbers to do."""
    match tree:
        case ("add", terms):
            return all(_plain(term) for term in terms)
        case ("multiply", factors) if all(_plain(factor) for factor in factors):
            return not (len(factors) == 2 and factors[1][0] == "power" and factors[1][1] == ("number", "10"))
        case ("negate" | "percent" | "degrees", inner):
            return unevaluated(inner)
    return False


def matrices_left(tree: Tree) -> bool:
    """Return whether a sum or product of matrices without letters is left to do; a multiple of a matrix is none."""
    match tree:
        case ("add" | "multiply", parts) if not any(symbols(tree)):
            return sum(map(has_matrix, parts)) > (1 if tree[0] == "multiply" else 0)
    return False


def has_series(tree: Any) -> bool:
    """Return whether a sum, product, integral or limit stands anywhere in a tree, which is left to be worked out."""
    return isinstance(tree, tuple) and (tree[:1] in _LEFT_TO_DO or any(map(has_series, tree)))


def has_percent(tree: Any) -> bool:
    """Return whether a percent sign, or the word, stands anywhere in a tree."""
    return isinstance(tree, tuple) and (tree[:1] == ("percent",) or any(map(has_percent, tree)))


def has_matrix(tree: Any) -> bool:
    """Return whether a matrix stands anywhere in a tree."""
    return isinstance(tree, tuple) and (tree[:1] == ("matrix",) or any(map(has_matrix, tree)))


def _plain(tree: Tree) -> bool:
    match tree:
        case ("number", _):
            return True
        case ("negate", inner) | ("call", "abs", (inner,)):
            return _plain(inner)
        case ("divide" | "power", left, right):
            return _plain(left) and _plain(right)
        case ("multiply" | "add", parts):
            return all(_plain(part) for part in parts)
    return False


def meant(tree: Tree) -> Tree:
    """Return what words stand for, and a system of equations as their list."""
    match tree:
        case ("text", str(said)):
            return MEANINGS.get(said.strip(" .").removeprefix("there is ").removeprefix("there are "), tree)
        case ("relation", ("=",), (("divide", ("multiply", (("symbol", "d"), ("symbol", y))), below), right)) if (
            below[0] == "multiply" and below[1][0] == ("symbol", "d") and len(below[1]) == 2
        ):
            return ("relation", ("=",), (("symbol", f"{y}'"), right))
        case ("multiply", (("symbol", "C"), ("group", "(", (("number", _), ("number", _)) as pair, ")"))):
            return ("call", "binomial", pair)
        case ("builder", ("symbol", _) as letter, ("list", parts)) if all(
            part[:2] == ("relation", ("=",)) and part[2][0] == letter for part in parts
        ):
            return ("set", tuple(part[2][1] for part in parts))
        case ("builder", ("symbol", _) as letter, ("list", (("relation", ("=",), (named, form)), domain))) if (
            named == letter and domain[:2] == ("relation", ("in",))
        ):
            return ("builder", form, domain)
        case ("group", "[", parts, "]") if parts and all(part[:2] == ("relation", ("=",)) for part in parts):
            return ("list", parts)
        case ("cases", rows) if rows and all(len(row) == 1 and row[0][0] == "relation" for row in rows):
            return ("list", tuple(row[0] for row in rows))
    return tree


def spread_names(tree: Tree, other: Tree) -> Tree:
    """Return ``(x, y) = (1, 2)`` as ``x = 1, y = 2`` where the other answer is such a list."""
    match tree:
        case ("relation", ("=",), (("group", _, names, _), ("group", _, values, _))) if other[0] == "list":
            if len(names) == len(values) == len(other[1]):
                return ("list", tuple(("relation", ("=",), pair) for pair in zip(names, values, strict=True)))
    return tree


def names_values(tree: Tree) -> bool:
    """Return whether a list says which value belongs to which name, as in a = 1, b = 2; x = 1, 2 does not."""
    return tree[0] == "list" and all(part[0] == "relation" for part in tree[1])


def same_names(tree: Tree, other: Tree) -> Tree:
    """Return a function's definition as the other answer writes it: ``f(t) = t`` as ``f(x) = x`` or ``f = x``."""
    match tree, other:
        case ("relation", ("=",), (left, right)), ("relation", ("=",), (their_left, _)):
            pass
        case _:
            return tree
    match left, their_left:
        case ("symbol", mine), ("symbol", theirs) if mine != theirs and mine[:-1] == theirs[:-1] and mine[-2:-1] == "_":
            counted = ("symbol", mine[-1]) in symbols(right) and ("symbol", theirs[-1]) not in symbols(right)
            return ("relation", ("=",), (their_left, _renamed(right, mine[-1], theirs[-1]))) if counted else tree
        case ("multiply", (("symbol", name), ("symbol", _))), ("symbol", other_name) if name == other_name:
            return ("relation", ("=",), (their_left, right))
        case ("multiply", (f, ("symbol", mine))), ("multiply", (g, ("symbol", theirs))) if f == g and mine != theirs:
            free = ("symbol", theirs) not in symbols(right)
            return ("relation", ("=",), (their_left, _renamed(right, mine, theirs))) if free else tree
    return tree


def symbols(tree: Any) -> Iterator[Tree]:
    """Yield the letters of a tree."""
    if isinstance(tree, tuple):
        if tree[:1] == ("symbol",):
            yield tree
        else:
            for part in tree:
                yield from symbols(part)


def _renamed(tree: Any, old: str, new: str) -> Any:
    if tree == ("symbol", old):
        return ("symbol", new)
    return tuple(_renamed(part, old, new) for part in tree) if isinstance(tree, tuple) else tree


def words(tree: Tree) -> str:
    """Return what a tree says as text; nothing where it is a formula."""
    if tree[0] == "text":
        return str(tree[1]).strip(" .")
    if tree[0] == "symbol":
        return str(tree[1]).lower()
    return "e" if tree == ("constant", "e") else "i" if tree == ("constant", "i") else ""


def digits(tree: Tree) -> Tree:
    """Return a numeral in a base as it is written: another base is another answer, whatever the value."""
    return (tree[1].lstrip("0"), tree[2]) if tree[0] == "based" else (str(tree),)


def inner_parts(tree: Tree) -> Sequence[Tree]:
    """Return the operands of a set-builder, an intersection or a difference of sets."""
    return tree[1] if tree[0] == "intersection" else tree[1:]


def holds_plus_minus(tree: Tree) -> bool:
    """Return whether a ± stands anywhere in a tree."""
    return (
        any(
            part[0] == "plus_minus" or holds_plus_minus(part)
            for part in tree
            if isinstance(part, tuple) and part and isinstance(part[0], str)
        )
        or tree[0] == "plus_minus"
        or any(
            holds_plus_minus(inner)
            for part in tree
            if isinstance(part, tuple) and part and isinstance(part[0], tuple)
            for inner in part
        )
    )


def alternatives(tree: Tree) -> list[Tree]:
    """Return both readings of an answer with one ±, as two answers."""
    if not holds_plus_minus(tree):
        return [tree]
    return [_with_sign(tree, positive=True), _with_sign(tree, positive=False)]


def every_sign(tree: Tree) -> list[Tree]:
    """Return the readings of answers in a row where each coordinate of a tuple has its own ±."""
    parts = tree[1] if tree[0] in ("list", "set") else (tree,)
    return [reading for part in parts for reading in _signs_apart(part)]


def _signs_apart(tree: Tree) -> list[Tree]:
    if tree[0] != "group" or len(tree[2]) > _MAX_COORDINATES:
        return alternatives(tree)
    return [("group", tree[1], items, tree[3]) for items in itertools.product(*map(alternatives, tree[2]))]


def _with_sign(tree: Any, *, positive: bool) -> Any:
    if not isinstance(tree, tuple):
        return tree
    if tree and tree[0] == "plus_minus":
        left, right = (_with_sign(part, positive=positive) for part in tree[1:])
        signed = right if positive else ("negate", right)
        return signed if left is None else ("add", (left, signed))
    return tuple(_with_sign(part, positive=positive) for part in tree)


def tuple_of_named(tree: Tree, other: Tree) -> Tree:
    """Return ``x = 1, y = 2`` as ``(1, 2)`` where the other answer is a tuple and the names are in order."""
    if tree[0] != "list" or other[0] != "group" or other[1] != "(" or other[3] != ")":
        return tree
    equations = [part[2] for part in tree[1] if part[0] == "relation" and part[1] == ("=",)]
    names = [left[1] for left, _ in equations if left[0] == "symbol"]
    if len(names) != len(tree[1]) or names != sorted(set(names)):
        return tree
    return ("group", "(", tuple(right for _, right in equations), ")")


def logarithm_readings(answer: Tree, expected: Tree) -> Iterator[tuple[Tree, Tree]]:
    """Yield both answers as they are, then with a bare log to base 10 where the other has one of the same argument."""
    yield answer, expected
    mine, theirs = list(_logarithms(answer)), list(_logarithms(expected))
    if _bare_among(mine, theirs):
        yield _to_base_ten(answer), expected
    if _bare_among(theirs, mine):
        yield answer, _to_base_ten(expected)


def _logarithms(tree: Any) -> Iterator[Tree]:
    if isinstance(tree, tuple):
        if tree[:1] == ("call",) and tree[1] in ("log", "ln", "log10"):
            yield tree
        for part in tree:
            yield from _logarithms(part)


def _bare_among(mine: list[Tree], others: list[Tree]) -> bool:
    """Return whether some logarithms are bare, and each bare one has its argument in common with another."""
    bare = [call[2] for call in mine if call[1] == "log" and len(call[2]) == 1]
    arguments = [call[2][0] for call in others]
    return bool(bare) and all(argument in arguments for (argument,) in bare)


def _to_base_ten(tree: Any) -> Any:
    if not isinstance(tree, tuple):
        return tree
    if tree[:2] == ("call", "log") and len(tree[2]) == 1:
        return ("call", "log10", tuple(map(_to_base_ten, tree[2])))
    return tuple(_to_base_ten(part) for part in tree)


def is_asked(left: Tree, right: Tree, other: Tree) -> bool:
    """Return whether a sum of at least two letters is said to be a number."""
    return other[0] != "relation" and left[0] == "add" and len(set(symbols(left))) > 1 and not any(symbols(right))


_NAMES = ("symbol", "call", "multiply", "power", "constant", "text", "limit")
"""What may stand before the equals sign of an answer that says what something is."""


def is_name(tree: Tree) -> bool:
    """Return whether a side of an equation names what the other side is."""
    match tree:
        case ("group", _, parts, _):
            return all(part[0] == "symbol" for part in parts)
        case ("multiply", factors):
            return not any(factor[0] == "number" for factor in factors)
        case ("divide", top, bottom):
            return is_name(top) and is_name(bottom)
        case ("ratio", parts):
            return all(is_name(part) for part in parts)
    return tree[0] in _NAMES
