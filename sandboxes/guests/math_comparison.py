"""When two answers are the same: by structure first, then exactly, then at points with high precision."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Expr, Rational

from .math_expressions import Tree
from .math_units import measure
from .math_values import ValueBoundError, value

_DIGITS = 40
_POINTS = 6
_MAX_OPERATIONS = 60
_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_INFINITY = ("constant", "infinity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How strictly to compare; see proto/reward/v1/math_answer.proto."""

    tolerance: float | None = None
    decimal_places: int | None = None
    ordered: bool = False
    ignore_percent: bool = False
    allow_unevaluated: bool = False
    unit_required: bool = False


class UndecidedError(Exception):
    """Neither equality nor its opposite could be shown within the bounds."""


def same(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Return whether ``answer`` is ``expected``. Raises `UndecidedError`."""
    answer, expected = _bare(answer, expected), _bare(expected, answer)
    if answer == expected:
        return True
    if "quantity" in (answer[0], expected[0]):
        return _same_quantity(answer, expected, rules)
    match answer[0], expected[0]:
        case ("based", _) | (_, "based"):
            return _digits(answer) == _digits(expected)
        case ("cases", _) | (_, "cases"):
            return _same_cases(answer, expected, rules)
        case ("ratio", "ratio"):
            return _same_ratio(answer[1], expected[1], rules)
        case (("builder" | "intersection" | "without") as kind, other) if kind == other:
            return _same_items(_inner(answer), _inner(expected), rules, ordered=kind != "intersection")
        case ("text", _) | (_, "text"):
            return _words(answer) == _words(expected) != ""
        case ("relation", _) | (_, "relation"):
            return _same_relation(answer, expected, rules)
        case ("union", _) | (_, "union"):
            return _same_items(_parts(answer), _parts(expected), rules, ordered=False)
        case ("group", "group"):
            return _same_group(answer, expected, rules)
        case ("list" | "set", _) | (_, "list" | "set"):
            return _same_collection(answer, expected, rules)
    if _holds_plus_minus(answer) or _holds_plus_minus(expected):
        return _same_items(_alternatives(answer), _alternatives(expected), rules, ordered=False)
    if answer[0] == "group" or expected[0] == "group":
        return _same_vector(answer, expected, rules)
    return _same_value(answer, expected, rules)


def identical(mine: Any, theirs: Any, rules: Rules) -> bool:
    """Return whether two values agree, as numbers or as functions. Raises `UndecidedError`."""
    if mine == theirs:
        return True
    if mine.free_symbols | theirs.free_symbols:
        return _same_at_points(mine, theirs)
    if isinstance(mine, Rational) and isinstance(theirs, Rational):
        return _near(mine, theirs, rules)
    return _same_number(mine, theirs, rules)


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


def _plain(tree: Tree) -> bool:
    match tree:
        case ("number", _):
            return True
        case ("negate", inner):
            return _plain(inner)
        case ("divide" | "power", left, right):
            return _plain(left) and _plain(right)
        case ("multiply" | "add", parts):
            return all(_plain(part) for part in parts)
    return False


def _bare(tree: Tree, other: Tree) -> Tree:
    """Take the right side of ``x = 3`` or of "x in S" when the other answer is no relation."""
    match tree:
        case ("relation", signs, (left, *_, right)) if set(signs) == {"="} and other[0] != "relation":
            chosen: Tree = right if left[0] in ("symbol", "call", "multiply", "power", "constant") else tree
            return chosen
        case ("relation", ("in",), (_, right)):
            within: Tree = right
            return within
        case ("list", parts) if other[0] != "relation" and not _names_values(other):
            return ("list", tuple(_bare(part, ("number", "0")) for part in parts))
        case ("group", "(" | "[", (only,), ")" | "]") if other[0] != "group":
            return _bare(only, other)
    return tree


def _names_values(tree: Tree) -> bool:
    """Return whether a list says which value belongs to which name, as in a = 1, b = 2."""
    return tree[0] == "list" and any(part[0] == "relation" for part in tree[1])


def _same_quantity(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Compare values with units: one that measures is converted, words that measure nothing are decoration."""
    mine, my_unit = _quantity(answer)
    theirs, their_unit = _quantity(expected)
    measured, wanted = measure(my_unit), measure(their_unit)
    if rules.unit_required and wanted and not measured:
        return False
    if not (measured and wanted) or measured == wanted:
        return same(mine, theirs, rules)
    if measured[0] != wanted[0]:
        return False
    scale = ("divide", ("number", str(measured[1].numerator)), ("number", str(measured[1].denominator)))
    back = ("divide", ("number", str(wanted[1].denominator)), ("number", str(wanted[1].numerator)))
    evaluated = not unevaluated(mine) or rules.allow_unevaluated
    return evaluated and same(("multiply", (mine, scale, back)), theirs, replace(rules, allow_unevaluated=True))


def _quantity(tree: Tree) -> tuple[Tree, str]:
    """Return value and unit; a single letter behind a number is a unit where the other answer has one."""
    match tree:
        case ("quantity", inner, unit):
            return inner, unit
        case ("multiply", (("number", _) as inner, ("symbol", unit))) if measure(unit):
            return inner, unit
    return tree, ""


def _digits(tree: Tree) -> Tree:
    """Return a numeral in a base as it is written: another base is another answer, whatever the value."""
    return (tree[1].lstrip("0"), tree[2]) if tree[0] == "based" else (str(tree),)


def _inner(tree: Tree) -> Sequence[Tree]:
    return tree[1] if tree[0] == "intersection" else tree[1:]


def _same_ratio(mine: Sequence[Tree], theirs: Sequence[Tree], rules: Rules) -> bool:
    if len(mine) != len(theirs):
        return False
    pairs = zip(mine[1:], theirs[1:], strict=True)
    return all(same(("divide", a, mine[0]), ("divide", b, theirs[0]), rules) for a, b in pairs)


def _same_cases(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Compare definitions by cases: each value with its condition, in any order of rows."""
    if answer[0] != expected[0] or len(answer[1]) != len(expected[1]):
        return False
    rows = [("group", "(", row, ")") for row in answer[1]]
    return _same_items(rows, [("group", "(", row, ")") for row in expected[1]], rules, ordered=False)


def _words(tree: Tree) -> str:
    if tree[0] == "text":
        return str(tree[1]).strip(" .")
    if tree[0] == "symbol":
        return str(tree[1]).lower()
    return "e" if tree == ("constant", "e") else "i" if tree == ("constant", "i") else ""


def _parts(tree: Tree) -> Sequence[Tree]:
    if tree[0] == "relation":
        tree = _interval(tree) or tree
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
    if answer[0] == "set" or expected[0] == "set":
        mine, theirs = _distinct(mine, rules), _distinct(theirs, rules)
    ordered = rules.ordered and "set" not in (answer[0], expected[0])
    if len(mine) == 1 == len(theirs) and (mine[0] != answer or theirs[0] != expected):
        return same(mine[0], theirs[0], rules)
    return _same_items(mine, theirs, rules, ordered=ordered)


def _expanded(tree: Tree) -> list[Tree]:
    if tree[0] == "group" and tree[1] == "(":
        return [tree]
    parts = tree[1] if tree[0] in ("list", "set") else (tree,)
    return [alternative for part in parts for alternative in _alternatives(part)]


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
        return False
    rows = other[1]
    cells = [row[0] for row in rows] if all(len(row) == 1 for row in rows) else list(rows[0]) if len(rows) == 1 else []
    return _same_items(group[2], cells, rules, ordered=True)


def _holds_plus_minus(tree: Tree) -> bool:
    return (
        any(
            part[0] == "plus_minus" or _holds_plus_minus(part)
            for part in tree
            if isinstance(part, tuple) and part and isinstance(part[0], str)
        )
        or tree[0] == "plus_minus"
        or any(
            _holds_plus_minus(inner)
            for part in tree
            if isinstance(part, tuple) and part and isinstance(part[0], tuple)
            for inner in part
        )
    )


def _alternatives(tree: Tree) -> list[Tree]:
    """Return both readings of an answer with one ±, as two answers."""
    if not _holds_plus_minus(tree):
        return [tree]
    return [_with_sign(tree, positive=True), _with_sign(tree, positive=False)]


def _with_sign(tree: Any, *, positive: bool) -> Any:
    if not isinstance(tree, tuple):
        return tree
    if tree and tree[0] == "plus_minus":
        left, right = (_with_sign(part, positive=positive) for part in tree[1:])
        signed = right if positive else ("negate", right)
        return signed if left is None else ("add", (left, signed))
    return tuple(_with_sign(part, positive=positive) for part in tree)


def _interval(tree: Tree) -> Tree | None:
    """Return ``a < x <= b`` or ``x > a`` as an interval; None when it is something else."""
    match tree:
        case ("relation", (first, second), (low, ("symbol", _), high)):
            if first in (">", ">=") and second in (">", ">="):
                first, second, low, high = _FLIPPED[second], _FLIPPED[first], high, low
            if first in ("<", "<=") and second in ("<", "<="):
                return ("group", "[" if first == "<=" else "(", (low, high), "]" if second == "<=" else ")")
        case ("relation", (sign,), (("symbol", _), bound)) if sign in _FLIPPED:
            return _half_line(sign, bound)
        case ("relation", (sign,), (bound, ("symbol", _))) if sign in _FLIPPED:
            return _half_line(_FLIPPED[sign], bound)
    return None


def _half_line(sign: str, bound: Tree) -> Tree:
    if sign in (">", ">="):
        return ("group", "[" if sign == ">=" else "(", (bound, _INFINITY), ")")
    return ("group", "(", (("negate", _INFINITY), bound), "]" if sign == "<=" else ")")


def _same_relation(answer: Tree, expected: Tree, rules: Rules) -> bool:
    if answer[0] != "relation" or expected[0] != "relation":
        relation, other = (answer, expected) if answer[0] == "relation" else (expected, answer)
        as_interval = _interval(relation)
        return as_interval is not None and other[0] in ("group", "union") and same(as_interval, other, rules)
    mine, theirs = _interval(answer), _interval(expected)
    if mine and theirs and _variable(answer) == _variable(expected):
        return _same_group(mine, theirs, rules)
    if len(answer[1]) != 1 or len(expected[1]) != 1:
        return answer[1] == expected[1] and _same_items(answer[2], expected[2], rules, ordered=True)
    return _same_single(answer, expected, rules)


def _variable(tree: Tree) -> Tree | None:
    return next((part for part in tree[2] if part[0] == "symbol"), None)


def _same_single(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Two equations are the same if their differences are proportional; inequalities if by a positive factor."""
    (sign,), (left, right) = answer[1], answer[2]
    (other,), (their_left, their_right) = expected[1], expected[2]
    if sign == other and all(same(a, b, rules) for a, b in ((left, their_left), (right, their_right))):
        return True
    if sign in (">", ">=") and other in _FLIPPED:
        sign, left, right = _FLIPPED[sign], right, left
    if other in (">", ">="):
        other, their_left, their_right = _FLIPPED[other], their_right, their_left
    if sign != other:
        return False
    ratio = _ratio(_value(left, rules) - _value(right, rules), _value(their_left, rules) - _value(their_right, rules))
    return ratio is not None and (sign in ("=", "!=") or bool(ratio > 0))


def _ratio(mine: Expr, theirs: Expr) -> Any:
    """Return the constant by which two expressions differ; None when they differ by more than a constant."""
    if mine.free_symbols != theirs.free_symbols or not mine.free_symbols:
        return None
    ratios = []
    for point in _points(mine.free_symbols):
        a, b = _at(mine, point), _at(theirs, point)
        if a is None or b is None or b == 0:
            continue
        ratios.append(a / b)
    if len(ratios) < 3 or any(not _close(ratio, ratios[0]) for ratio in ratios) or ratios[0] == 0:
        return None
    return sympy.re(ratios[0]) if abs(sympy.im(ratios[0])) < sympy.Float("1e-20") else None


def _value(tree: Tree, rules: Rules) -> Any:
    try:
        return value(tree, ignore_percent=rules.ignore_percent)
    except ValueBoundError as error:
        raise UndecidedError(str(error)) from None


def _same_value(answer: Tree, expected: Tree, rules: Rules) -> bool:
    mine, theirs = _value(answer, rules), _value(expected, rules)
    if isinstance(mine, sympy.MatrixBase) or isinstance(theirs, sympy.MatrixBase):
        return _same_matrix(mine, theirs, rules)
    if mine.has(sympy.nan, sympy.zoo) or theirs.has(sympy.nan, sympy.zoo):
        return False
    if (
        isinstance(theirs, Rational)
        and not rules.allow_unevaluated
        and unevaluated(answer)
        and not unevaluated(expected)
    ):
        return False
    if mine == theirs:
        return True
    if mine.is_infinite or theirs.is_infinite:
        return False
    if isinstance(mine, Rational) and isinstance(theirs, Rational):
        return _near(mine, theirs, rules)
    if mine.free_symbols != theirs.free_symbols:
        return not (mine.free_symbols ^ theirs.free_symbols) or _same_at_points(mine, theirs)
    if mine.free_symbols:
        return _same_at_points(mine, theirs)
    return _same_number(mine, theirs, rules)


def _same_matrix(mine: Any, theirs: Any, rules: Rules) -> bool:
    if not (isinstance(mine, sympy.MatrixBase) and isinstance(theirs, sympy.MatrixBase)) or mine.shape != theirs.shape:
        return False
    return all(a == b or _same_cell(a, b, rules) for a, b in zip(mine, theirs, strict=True))


def _same_cell(mine: Any, theirs: Any, rules: Rules) -> bool:
    if mine.free_symbols or theirs.free_symbols:
        return _same_at_points(mine, theirs)
    return _same_number(mine, theirs, rules)


def _near(mine: Any, theirs: Any, rules: Rules) -> bool:
    """Apply the task's tolerance to two real numbers."""
    if rules.decimal_places is not None and _rounded(mine, rules.decimal_places) == _rounded(
        theirs, rules.decimal_places
    ):
        return True
    if rules.tolerance is None:
        return False
    return bool(abs(mine - theirs) <= Rational(rules.tolerance) * max(1, abs(theirs)))


def _rounded(number: Any, places: int) -> int:
    scaled = abs(number) * 10**places + Rational(1, 2)
    return int(sympy.floor(scaled)) * (-1 if number < 0 else 1)


def _same_number(mine: Any, theirs: Any, rules: Rules) -> bool:
    a, b = _at(mine, {}), _at(theirs, {})
    if a is None or b is None:
        raise UndecidedError("a number could not be computed")
    if _close(a, b):
        return True
    if rules.tolerance is None and rules.decimal_places is None:
        return False
    if abs(sympy.im(a)) > sympy.Float("1e-20") or abs(sympy.im(b)) > sympy.Float("1e-20"):
        return False
    return _near(Rational(sympy.re(a)), Rational(sympy.re(b)), rules)


def _same_at_points(mine: Any, theirs: Any) -> bool:
    """Compare functions at random points with high precision; points where both are undefined say nothing."""
    compared = 0
    for point in _points(mine.free_symbols | theirs.free_symbols):
        a, b = _at(mine, point), _at(theirs, point)
        if a is None and b is None:
            continue
        if a is None or b is None or not _close(a, b):
            return False
        compared += 1
    return compared >= 2 or _same_by_simplification(mine, theirs)


def _same_by_simplification(mine: Any, theirs: Any) -> bool:
    """Ask SymPy, where points say nothing. Raises `UndecidedError` when it cannot tell either."""
    if sympy.count_ops(mine) + sympy.count_ops(theirs) <= _MAX_OPERATIONS:
        difference = sympy.simplify(mine - theirs)
        if difference == 0:
            return True
    raise UndecidedError("the expressions are undefined at the points tried, and do not simplify to each other")


def _points(symbols: Any) -> list[dict[Any, Any]]:
    dice = random.Random(7)  # noqa: S311 - the same points for the same answer
    ordered = sorted(symbols, key=str)
    return [
        {symbol: Rational(dice.randint(10, 400), dice.randint(101, 199)) for symbol in ordered} for _ in range(_POINTS)
    ]


def _at(expression: Any, point: dict[Any, Any]) -> Any:
    try:
        number = sympy.N(expression.subs(point) if point else expression, _DIGITS, maxn=200)
    except (ArithmeticError, TypeError, ValueError, RecursionError, NotImplementedError):
        return None
    return number if number.is_number and number.is_finite and not number.has(sympy.nan, sympy.zoo) else None


def _close(a: Any, b: Any) -> bool:
    size = max(abs(a), abs(b), sympy.Float("1e-30"))
    return bool(abs(a - b) <= sympy.Float("1e-25") * size)
