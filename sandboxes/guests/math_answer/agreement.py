"""When two values are the same: exactly, or as functions at seeded random points with high precision."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy
from sympy import Expr, Rational

from .points import at, is_real, samples
from .shapes import symbols
from .trees import Tree
from .values import ValueBoundError, value

_ROUNDED = 0.02
"""How far apart two numbers may be, in proportion, of which one stands for the other in a chain of equations."""
_MAX_OPERATIONS = 60
_SMALLEST = sympy.Float("1e-30")
_RELATIVE = sympy.Float("1e-25")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How strictly to compare; see proto/reward/v1/math_answer.proto."""

    tolerance: float | None = None
    decimal_places: int | None = None
    ordered: bool = False
    ignore_percent: bool = False
    optional_percent: bool = False
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
    ratios = [a / b for a, b in samples(mine, theirs) if a is not None and b is not None and b != 0]
    if len(ratios) < 3 or any(not _close(ratio, ratios[0]) for ratio in ratios) or ratios[0] == 0:
        return None
    return sympy.re(ratios[0]) if is_real(ratios[0]) else None


def same_but_for_constant(mine: Any, theirs: Any) -> bool:
    """Return whether two functions of the same letters differ by a constant, as antiderivatives do."""
    if isinstance(mine, sympy.MatrixBase) or isinstance(theirs, sympy.MatrixBase):
        return False
    if mine.free_symbols != theirs.free_symbols or not mine.free_symbols:
        return False
    differences = [a - b for a, b in samples(mine, theirs) if a is not None and b is not None]
    return len(differences) > 2 and all(_close(1 + found, 1 + differences[0]) for found in differences)


def holds(sides: Sequence[Tree], rules: Rules) -> bool:
    """Return whether sides between equals signs are numbers, and all the same, as in ``48 + 24 = 72``."""
    if any(any(symbols(side)) for side in sides) or any(side[0] in ("text", "group", "list", "set") for side in sides):
        return False
    try:
        first, *others = (valued(side, rules) for side in sides)
        return all(isinstance(other, Expr) and identical(other, first, Rules()) for other in others)
    except (UndecidedError, TypeError, AttributeError):
        return False


def contradicts(sides: Sequence[Tree], rules: Rules) -> bool:
    """Return whether neighbours between equals signs are numbers that nobody rounds to each other, as in ``4 = 5``."""
    try:
        numbers = [at(valued(side, rules), {}) for side in sides if not any(symbols(side)) and not _measures(side)]
    except (UndecidedError, TypeError, AttributeError):
        return False
    known = [number for number in numbers if number is not None]
    return any(abs(a - b) > _ROUNDED * max(abs(a), abs(b)) for a, b in pairwise(known))


def _measures(tree: Any) -> bool:
    """Return whether there is a unit in a tree, so that its number alone says little."""
    if not isinstance(tree, tuple):
        return False
    return tree[:1] in (("quantity",), ("degrees",), ("percent",), ("text",)) or any(map(_measures, tree))


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
    a, b = at(mine, {}), at(theirs, {})
    if a is None or b is None:
        raise UndecidedError("a number could not be computed")
    if _close(a, b):
        return True
    if rules.tolerance is None and rules.decimal_places is None:
        return False
    if not (is_real(a) and is_real(b)):
        return False
    return near(Rational(sympy.re(a)), Rational(sympy.re(b)), rules)


def same_function(mine: Any, theirs: Any) -> bool:
    """Compare functions at random points with high precision; points where both are undefined say nothing."""
    compared = 0
    for a, b in samples(mine, theirs):
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


def _close(a: Any, b: Any) -> bool:
    return bool(abs(a - b) <= _RELATIVE * max(abs(a), abs(b), _SMALLEST))
