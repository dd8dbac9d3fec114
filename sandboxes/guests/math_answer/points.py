"""Values of two functions at seeded random points: of both signs, where the reference is defined as a real function.

Letters that the reference's functions bind to positive values, by the conventions of textbooks, are tried there only:
those under a logarithm, in a base under a power with letters, and under an odd root. Letters between absolute bars are
tried with both signs whatever else they stand in.
"""

import random
from collections.abc import Iterator
from typing import Any

import sympy
from sympy import Rational

from .series import endless, finite, integrated

_DIGITS = 40
_DIGITS_OF_INTEGRALS = 28
_NEAR = ((1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1000))
"""Sign (0: either, by chance) and size of points where letters are positive."""
_SIGNED = ((0, 1), (0, 30), (0, 1), (-1, 1), (-1, 30), (-1, 1000))
"""The same for further points, where letters may be negative."""
_WHOLE = tuple(sympy.Integer(number) for number in (7, 4, 9, 5, 12, 3, 10, 6, 8, 11, 2, 13))
_COUNTING = frozenset("nmkrjpqN")
_MAX_BREAKS = 12
_FEW_POINTS = 4
"""As many as there is time for where each takes an integration."""
_MIN_BITS = 80
"""A sum may come out with fewer digits than were asked for."""
_REAL = sympy.Float("1e-20")


def samples(mine: Any, reference: Any) -> Iterator[tuple[Any, Any]]:
    """Yield both values at each point; None for one that is undefined there.

    Points where the reference is not real are left out, unless it is real at fewer than two of them.
    """
    letters = sorted(mine.free_symbols | reference.free_symbols, key=str)
    scale = Rational(1, 9) if endless(mine) or endless(reference) else 1
    points = _points(letters, _positive(mine, reference), _whole(reference), scale)
    if mine.has(sympy.Integral) or reference.has(sympy.Integral):
        points = points[:_FEW_POINTS]
    points = [*_breaks(mine, reference), *points]
    for found, point in _wanted((at(reference, point), point) for point in points):
        computed = at(mine, point)
        if scale == 1 or (computed is not None and found is not None):  # a series converges where it will
            yield computed, found


def _wanted(values: Iterator[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield the values that are real, and all where fewer than two are; as soon as it is known."""
    seen, real = [], []
    for found, point in values:
        seen.append((found, point))
        if found is not None and is_real(found):
            real.append((found, point))
            if len(real) >= 2:
                yield from real[0 if len(real) == 2 else -1 :]
    if len(real) < 2:
        yield from seen


def at(expression: Any, point: dict[Any, Any]) -> Any:
    """Return a value to many digits; None where there is none."""
    try:
        if expression.has(sympy.Sum, sympy.Product):
            expression = finite(expression.subs(point))
        if expression.has(sympy.Integral):
            filled = expression.subs(point)
            found = _number(integrated(filled).evalf(_DIGITS_OF_INTEGRALS))
            return _number(filled.doit().evalf(_DIGITS)) if found is None else found
        return _number(expression.evalf(_DIGITS, subs=point or None, maxn=200))
    except (ArithmeticError, TypeError, ValueError, RecursionError, NotImplementedError):
        return None


def _number(number: Any) -> Any:
    """Return a computed number; None where it is none, or has too few digits."""
    defined = number.is_number and number.is_finite and not number.has(sympy.nan, sympy.zoo)
    return number if defined and not (number.is_Float and number._prec < _MIN_BITS) else None  # noqa: SLF001 - no other way


def is_real(number: Any) -> bool:
    """Return whether a computed number has no imaginary part, but for the last digits."""
    return bool(abs(sympy.im(number)) <= _REAL * max(1, abs(sympy.re(number))))


def _points(letters: list[Any], positive: set[Any], whole: set[Any], scale: Any) -> list[dict[Any, Any]]:
    dice = random.Random(7)  # noqa: S311 - the same points for the same answer
    rows = _NEAR + _SIGNED if set(letters) - positive or whole else _NEAR
    return [
        {
            letter: _WHOLE[(row + place) % len(_WHOLE)]
            if letter in whole
            else Rational(dice.randint(10, 400), dice.randint(101, 199))
            * (size if scale == 1 else scale)
            * (1 if letter in positive else sign or dice.choice((-1, 1)))
            for place, letter in enumerate(letters)
        }
        for row, (sign, size) in enumerate(rows)
    ]


def _breaks(mine: Any, reference: Any) -> list[dict[Any, Any]]:
    """Return the points at which definitions by cases change, and some beside them."""
    cases = mine.atoms(sympy.Piecewise) | reference.atoms(sympy.Piecewise)
    conditions = {part for case in cases for part in case.atoms(sympy.core.relational.Relational)}
    found = {(part.lhs, part.rhs) for part in sorted(conditions, key=str)}
    pairs = [(a, b) for a, b in sorted(found, key=str) if a.is_Symbol and b.is_number]
    return [{letter: number + step} for letter, number in pairs[:_MAX_BREAKS] for step in (0, -1, 1)]


def _whole(reference: Any) -> set[Any]:
    """Return the letters that are whole numbers: in powers of -1, factorials, binomials, floors and bounds of sums."""
    parts = [part.exp for part in reference.atoms(sympy.Pow) if part.base.is_Integer and part.base < 0]
    parts += reference.atoms(sympy.factorial, sympy.binomial, sympy.floor, sympy.ceiling)
    parts += [bound for part in reference.atoms(sympy.Sum, sympy.Product) for bound in part.limits[0][1:]]
    named = {letter for part in parts for letter in part.free_symbols}
    return {letter for letter in named if str(letter) in _COUNTING}


def _positive(mine: Any, reference: Any) -> set[Any]:
    bound = {letter for part in reference.atoms(sympy.log) for letter in part.args[0].free_symbols}
    for part in mine.atoms(sympy.Pow) | reference.atoms(sympy.Pow):
        if part.exp.is_Rational and part.exp.q > 1 and part.exp.q % 2 == 1:
            bound |= part.base.free_symbols
    for part in reference.atoms(sympy.Pow):
        if part.exp.free_symbols:
            bound |= part.base.free_symbols
    barred = {letter for side in (mine, reference) for part in side.atoms(sympy.Abs) for letter in part.free_symbols}
    return bound - barred
