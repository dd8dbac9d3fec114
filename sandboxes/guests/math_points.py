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

_DIGITS = 40
_NEAR = ((1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 1000))
"""Sign (0: either, by chance) and size of points where letters are positive."""
_SIGNED = ((0, 1), (0, 30), (0, 1), (-1, 1), (-1, 30), (-1, 1000))
"""The same for further points, where letters may be negative."""
_REAL = sympy.Float("1e-20")


def samples(mine: Any, reference: Any) -> Iterator[tuple[Any, Any]]:
    """Yield both values at each point; None for one that is undefined there.

    Points where the reference is not real are left out, unless it is real at fewer than two of them.
    """
    letters = sorted(mine.free_symbols | reference.free_symbols, key=str)
    points = _points(letters, _positive(mine, reference))
    values = [(at(reference, point), point) for point in points]
    real = [(found, point) for found, point in values if found is not None and is_real(found)]
    for found, point in real if len(real) >= 2 else values:
        yield at(mine, point), found


def at(expression: Any, point: dict[Any, Any]) -> Any:
    """Return a value to many digits; None where there is none."""
    try:
        number = expression.evalf(_DIGITS, subs=point or None, maxn=200)
    except (ArithmeticError, TypeError, ValueError, RecursionError, NotImplementedError):
        return None
    return number if number.is_number and number.is_finite and not number.has(sympy.nan, sympy.zoo) else None


def is_real(number: Any) -> bool:
    """Return whether a computed number has no imaginary part, but for the last digits."""
    return bool(abs(sympy.im(number)) <= _REAL * max(1, abs(sympy.re(number))))


def _points(letters: list[Any], positive: set[Any]) -> list[dict[Any, Any]]:
    dice = random.Random(7)  # noqa: S311 - the same points for the same answer
    rows = _NEAR + _SIGNED if set(letters) - positive else _NEAR
    return [
        {
            letter: Rational(dice.randint(10, 400), dice.randint(101, 199))
            * size
            * (1 if letter in positive else sign or dice.choice((-1, 1)))
            for letter in letters
        }
        for sign, size in rows
    ]


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
