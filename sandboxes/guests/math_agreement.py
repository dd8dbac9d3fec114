"""When two values are the same: exactly, or as functions at seeded random points with high precision."""

import random
from dataclasses import dataclass
from typing import Any

import sympy
from sympy import Expr, Rational

from .math_trees import Tree
from .math_values import ValueBoundError, value

_DIGITS = 40
_POINTS = 6
_MAX_OPERATIONS = 60


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


def identical(mine: Any, theirs: Any, rules: Rules) -> bool:
    """Return whether two values agree, as numbers or as functions. Raises `UndecidedError`."""
    if mine == theirs:
        return True
    if mine.free_symbols | theirs.free_symbols:
        return same_function(mine, theirs)
    if isinstance(mine, Rational) and isinstance(theirs, Rational):
        return near(mine, theirs, rules)
    return same_number(mine, theirs, rules)


def proportion(mine: Expr, theirs: Expr) -> Any:
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


def valued(tree: Tree, rules: Rules) -> Any:
    """Return the value of a tree. Raises `UndecidedError` where it is too large."""
    try:
        return value(tree, ignore_percent=rules.ignore_percent)
    except ValueBoundError as error:
        raise UndecidedError(str(error)) from None


def near(mine: Any, theirs: Any, rules: Rules) -> bool:
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


def same_number(mine: Any, theirs: Any, rules: Rules) -> bool:
    """Return whether two numbers agree, to many digits or within the task's tolerance. Raises `UndecidedError`."""
    a, b = _at(mine, {}), _at(theirs, {})
    if a is None or b is None:
        raise UndecidedError("a number could not be computed")
    if _close(a, b):
        return True
    if rules.tolerance is None and rules.decimal_places is None:
        return False
    if abs(sympy.im(a)) > sympy.Float("1e-20") or abs(sympy.im(b)) > sympy.Float("1e-20"):
        return False
    return near(Rational(sympy.re(a)), Rational(sympy.re(b)), rules)


def same_function(mine: Any, theirs: Any) -> bool:
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
