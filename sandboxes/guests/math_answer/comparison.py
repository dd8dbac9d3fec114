"""When two answers are the same: by structure here, their values by `agreement`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sympy
from sympy import Rational

from .agreement import Rules, near, proportion, same_function, same_number, valued
from .cases import spelled, turned
from .matrices import laid_out
from .names import bare
from .points import at, is_real
from .quantities import bare_unit, quantity
from .ranges import listed_out, same_range
from .sets import FLIPPED, interval, left_out, line_without, opened, variable
from .shapes import (
    alternatives,
    digits,
    every_sign,
    has_matrix,
    has_series,
    holds_plus_minus,
    inner_parts,
    logarithm_readings,
    matrices_left,
    meant,
    same_names,
    spread_names,
    tuple_of_named,
    unevaluated,
    words,
)
from .spellings import clock, same_time
from .trees import Tree
from .units import half_day, measure
from .vectors import coordinates
from .words import DENIALS, OPERATIONS

_OTHER_SETS = {"builder", "symbol", "without", "relation"}
"""What may be a set of numbers, though it is not written as intervals."""


def same(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Return whether ``answer`` is ``expected``. Raises `UndecidedError`."""
    if expected[0] == "both":
        return same(answer, expected[1], rules) or same(answer, expected[2], rules)
    if answer[0] == "both":
        return same(answer[1], expected, rules) and same(answer[2], expected, rules)
    if (mine := clock(answer)) and (theirs := clock(expected)):
        return same_time(mine, theirs)
    answer, expected = spelled(meant(listed_out(answer))), spelled(meant(listed_out(expected)))
    answer, expected = _punctured(answer, expected, rules), _punctured(expected, answer, rules)
    answer, expected = spread_names(opened(answer), expected), spread_names(opened(expected), answer)
    answer, expected = laid_out(answer, expected, asked=True), laid_out(expected, answer)
    answer, expected = coordinates(answer, expected), coordinates(expected, answer)
    answer, expected = tuple_of_named(answer, expected), tuple_of_named(expected, answer)
    answer = same_names(answer, expected)
    expected = same_names(expected, answer)
    answer, expected = bare(answer, expected, rules, asked=True), bare(expected, answer, rules)
    if answer == expected:
        return True
    if "quantity" in (answer[0], expected[0]):
        return _same_quantity(answer, expected, rules)
    named_set = answer[0] != expected[0] and bool({answer[0], expected[0]} & _OTHER_SETS)
    match answer[0], expected[0]:
        case ("based", _) | (_, "based"):
            return digits(answer) == digits(expected)
        case ("rounded", _) | (_, "rounded"):
            return _same_rounded(answer, expected, rules)
        case ("modulo", _) | (_, "modulo"):
            return _same_residue(answer, expected, rules)
        case ("builder", _) | (_, "builder") if named_set:
            return _same_set(answer, expected, rules)
        case ("group" | "union" | "without", _) | (_, "group" | "union" | "without") if named_set:
            return _same_set(answer, expected, rules)
        case ("cases", _) | (_, "cases"):
            return _same_cases(answer, expected, rules)
        case ("bigcup", "bigcup"):
            return _same_items(answer[2:], expected[2:], rules, ordered=True)
        case ("ratio", "ratio"):
            return _same_ratio(answer[1], expected[1], rules)
        case (("builder" | "intersection" | "without") as kind, other) if kind == other:
            return _same_items(inner_parts(answer), inner_parts(expected), rules, ordered=kind != "intersection")
        case ("text", _) | (_, "text"):
            return _nouns(answer) == _nouns(expected) != ""
        case ("relation", _) | (_, "relation"):
            return _same_relation(answer, expected, rules)
        case ("union", _) | (_, "union"):
            listed = _same_items(_parts(answer), _parts(expected), rules, ordered=False)
            return listed or _holds_same(answer, expected, rules)
        case ("antiderivative", "antiderivative"):
            return answer[1] == expected[1] and same(answer[2], expected[2], rules)
        case ("group", "group"):
            return _same_group(answer, expected, rules)
        case ("list" | "set", _) | (_, "list" | "set"):
            return _same_collection(answer, expected, rules)
    if holds_plus_minus(answer) or holds_plus_minus(expected):
        return _same_items(alternatives(answer), alternatives(expected), rules, ordered=False)
    if answer[0] == "group" or expected[0] == "group":
        return _same_vector(answer, expected, rules)
    return any(_same_value(mine, theirs, rules) for mine, theirs in logarithm_readings(answer, expected))


def _punctured(tree: Tree, other: Tree, rules: Rules) -> Tree:
    """Return the real line without some points as intervals where the other answer is such."""
    points = [reading for point in left_out(tree) for reading in alternatives(point)]
    if not points or not (other[0] == "union" or (other[0] != tree[0] and left_out(other))):
        return tree
    values = [at(valued(point, rules), {}) for point in points]
    if any(value is None or not is_real(value) for value in values):
        return tree
    order = sorted(range(len(points)), key=lambda index: sympy.re(values[index]))
    return line_without([points[index] for index in order])


def _same_rounded(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Take either of an exact value and its decimal in the answer; the decimal must be the value, rounded or cut."""
    if expected[0] == "rounded":
        return same(answer, expected[1], rules) or same(answer, expected[2], rules)
    exact, decimal = valued(answer[1], rules), valued(answer[2], rules)
    if exact.free_symbols or exact.is_real is False:
        return False
    unit = Rational(1, 10 ** len(answer[2][1].partition(".")[2]))
    return bool(abs(exact - decimal) < unit) and (same(answer[1], expected, rules) or same(answer[2], expected, rules))


def _same_residue(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Compare congruences: the same letter, modulus and residue."""
    if answer[0] != expected[0] or not same(answer[2], expected[2], rules):
        return False
    mine, theirs = answer[1], expected[1]
    if mine[0] != "relation" or theirs[0] != "relation" or mine[2][0] != theirs[2][0]:
        return same(mine, theirs, rules)
    modulus = valued(answer[2], rules)
    distance = valued(mine[2][-1], rules) - valued(theirs[2][-1], rules)
    return bool(distance.is_Integer and modulus.is_Integer and modulus != 0 and distance % modulus == 0)


def _same_set(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Compare a set of real numbers that has a name or a condition with intervals."""
    mine, theirs = (interval(tree) or tree for tree in (answer, expected))
    if mine[0] not in ("group", "union") or theirs[0] not in ("group", "union"):
        return _holds_same(mine, theirs, rules)
    return same(mine, theirs, rules)


def _holds_same(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Compare unions of intervals and points by what they hold."""
    mine, theirs = interval(answer) or answer, interval(expected) or expected
    return same_range(mine, theirs, lambda tree: valued(tree, rules))


def _same_quantity(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Compare values with units: one that measures is converted, words that measure nothing are decoration.

    Where the task demands the unit, a word of the reference that measures nothing is demanded too.
    """
    mine, my_unit = quantity(answer, expected)
    theirs, their_unit = quantity(expected, answer)
    if DENIALS & set(my_unit.split()) or (not measure(my_unit) and OPERATIONS & set(my_unit.split())):
        return False
    if my_unit[:1] == "°" == their_unit[:1] and my_unit != their_unit:
        return False
    mine, my_unit = bare_unit(mine, my_unit, their_unit)
    theirs, their_unit = bare_unit(theirs, their_unit, my_unit)
    measured, wanted = measure(my_unit), measure(their_unit)
    if {half_day(my_unit), half_day(their_unit)} == {"am", "pm"}:
        return False
    if rules.unit_required and their_unit and not (measured if wanted else _noun(my_unit) == _noun(their_unit)):
        return False
    if not (measured and wanted) or measured == wanted:
        return same(mine, theirs, rules)
    if measured[0] != wanted[0]:
        return False
    scale = ("divide", ("number", str(measured[1].numerator)), ("number", str(measured[1].denominator)))
    back = ("divide", ("number", str(wanted[1].denominator)), ("number", str(wanted[1].numerator)))
    evaluated = not unevaluated(mine) or rules.allow_unevaluated
    return evaluated and same(("multiply", (mine, scale, back)), theirs, replace(rules, allow_unevaluated=True))


def _nouns(tree: Tree) -> str:
    return " ".join(map(_noun, words(tree).split()))


def _noun(word: str) -> str:
    """Return a counted noun whether one or many are counted."""
    return word.removesuffix("s")


def _same_ratio(mine: Sequence[Tree], theirs: Sequence[Tree], rules: Rules) -> bool:
    if len(mine) != len(theirs):
        return False
    pairs = zip(mine[1:], theirs[1:], strict=True)
    return all(same(("divide", a, mine[0]), ("divide", b, theirs[0]), rules) for a, b in pairs)


def _same_cases(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Compare definitions by cases: each value with its condition, in any order of rows; or with one for all cases."""
    if answer[0] != expected[0]:
        sides = (answer, expected), (turned(answer), turned(expected))
        return all(_same_value(mine, theirs, rules) for mine, theirs in sides)
    if len(answer[1]) != len(expected[1]):
        return False
    rows = [("group", "(", row, ")") for row in answer[1]]
    return _same_items(rows, [("group", "(", row, ")") for row in expected[1]], rules, ordered=False)


def _parts(tree: Tree) -> Sequence[Tree]:
    if tree[0] == "relation":
        tree = interval(tree) or tree
    return tree[1] if tree[0] in ("union", "list", "set") else (tree,)


def _same_items(answer: Sequence[Tree], expected: Sequence[Tree], rules: Rules, *, ordered: bool) -> bool:
    if len(answer) != len(expected):
        return False
    if ordered:
        return all(same(a, b, rules) for a, b in zip(answer, expected, strict=True))
    left = list(expected)
    for item in answer:
        found = next((i for i, other in enumerate(left) if same(item, other, rules)), None)
        if found is None:
            return False
        del left[found]
    return True


def _same_collection(answer: Tree, expected: Tree, rules: Rules) -> bool:
    mine, theirs = _expanded(answer), _expanded(expected)
    if len(mine) != len(theirs):
        mine, theirs = every_sign(answer), every_sign(expected)
    if answer[0] == "set" or expected[0] == "set":
        mine, theirs = _distinct(mine, rules), _distinct(theirs, rules)
    ordered = rules.ordered and "set" not in (answer[0], expected[0])
    if not ordered and any(tree[0] == "group" for tree in theirs):
        mine, theirs = _distinct(mine, rules), _distinct(theirs, rules)
    if len(mine) == 1 == len(theirs) and (mine[0] != answer or theirs[0] != expected):
        return same(mine[0], theirs[0], rules)
    return _same_items(mine, theirs, rules, ordered=ordered)


def _expanded(tree: Tree) -> list[Tree]:
    if tree[0] == "group" and tree[1] == "(":
        return [tree]
    parts = tree[1] if tree[0] in ("list", "set") else (tree,)
    return [alternative for part in parts for alternative in alternatives(part)]


def _distinct(trees: list[Tree], rules: Rules) -> list[Tree]:
    kept: list[Tree] = []
    for tree in trees:
        if not any(same(tree, other, rules) for other in kept):
            kept.append(tree)
    return kept


def _same_group(answer: Tree, expected: Tree, rules: Rules) -> bool:
    _, opening, items, closing = answer
    _, their_opening, their_items, their_closing = expected
    if len(items) == 2 == len(their_items) and (opening, closing) != (their_opening, their_closing):
        return False
    return _same_items(items, their_items, rules, ordered=True)


def _same_vector(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """A tuple may be written as a column or a row matrix."""
    group, other = (answer, expected) if answer[0] == "group" else (expected, answer)
    if other[0] != "matrix":
        shapes = tuple((item,) for item in group[2]), (tuple(group[2]),)
        return has_matrix(other) and any(_same_value(("matrix", rows), other, rules) for rows in shapes)
    rows = other[1]
    cells = [row[0] for row in rows] if all(len(row) == 1 for row in rows) else list(rows[0]) if len(rows) == 1 else []
    return _same_items(group[2], cells, rules, ordered=True)


def _same_relation(answer: Tree, expected: Tree, rules: Rules) -> bool:
    if answer[0] != "relation" or expected[0] != "relation":
        return False
    mine, theirs = interval(answer), interval(expected)
    if mine and theirs and variable(answer) == variable(expected):
        return same(mine, theirs, rules)
    if len(answer[1]) != 1 or len(expected[1]) != 1:
        return answer[1] == expected[1] and _same_items(answer[2], expected[2], rules, ordered=True)
    return _same_single(answer, expected, rules)


def _same_single(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Two equations are the same if their differences are proportional; inequalities if by a positive factor."""
    (sign,), (left, right) = answer[1], answer[2]
    (other,), (their_left, their_right) = expected[1], expected[2]
    if sign == other and all(same(a, b, rules) for a, b in ((left, their_left), (right, their_right))):
        return True
    if sign in (">", ">=") and other in FLIPPED:
        sign, left, right = FLIPPED[sign], right, left
    if other in (">", ">="):
        other, their_left, their_right = FLIPPED[other], their_right, their_left
    if sign != other:
        return False
    ratio = proportion(
        valued(left, rules) - valued(right, rules), valued(their_left, rules) - valued(their_right, rules)
    )
    return ratio is not None and (sign in ("=", "!=") or bool(ratio > 0))


def _same_value(answer: Tree, expected: Tree, rules: Rules) -> bool:
    if not rules.allow_unevaluated and has_series(answer) and not has_series(expected):
        return False
    mine, theirs = valued(answer, rules), valued(expected, rules)
    if isinstance(mine, sympy.MatrixBase) or isinstance(theirs, sympy.MatrixBase):
        left = not rules.allow_unevaluated and matrices_left(answer) and not matrices_left(expected)
        return not left and _same_matrix(mine, theirs, rules)
    if mine.has(sympy.nan, sympy.zoo) or theirs.has(sympy.nan, sympy.zoo):
        return False
    if (
        isinstance(theirs, Rational)
        and not rules.allow_unevaluated
        and unevaluated(answer)
        and not (unevaluated(expected) or has_series(expected))
    ):
        return False
    if mine == theirs:
        return True
    if mine.is_infinite or theirs.is_infinite:
        return False
    if isinstance(mine, Rational) and isinstance(theirs, Rational):
        return near(mine, theirs, rules)
    if mine.free_symbols != theirs.free_symbols:
        return not (mine.free_symbols ^ theirs.free_symbols) or same_function(mine, theirs)
    if mine.free_symbols:
        return same_function(mine, theirs)
    return same_number(mine, theirs, rules)


def _same_matrix(mine: Any, theirs: Any, rules: Rules) -> bool:
    if not (isinstance(mine, sympy.MatrixBase) and isinstance(theirs, sympy.MatrixBase)) or mine.shape != theirs.shape:
        return False
    return all(a == b or _same_cell(a, b, rules) for a, b in zip(mine, theirs, strict=True))


def _same_cell(mine: Any, theirs: Any, rules: Rules) -> bool:
    if mine.free_symbols or theirs.free_symbols:
        return same_function(mine, theirs)
    return same_number(mine, theirs, rules)
