"""Solutions of equations: roots of polynomials in one letter, linear systems, and equations up to a factor."""

from collections.abc import Sequence
from typing import Any

import sympy

_MAX_DEGREE = 8
_MAX_LETTERS = 6
_MAX_OPERATIONS = 100
_TOLERANCE = 1e-8


def proportional(new: Any, old: Any) -> bool:
    """Return whether two differences are equal up to a constant factor."""
    if new.free_symbols != old.free_symbols or sympy.count_ops(new) + sympy.count_ops(old) > _MAX_OPERATIONS:
        return False
    ratio = sympy.cancel(new / old)
    return bool(not ratio.free_symbols and ratio != 0)


def roots(expression: Any) -> list[complex]:
    """Return the roots of a polynomial equation in one letter; nothing where there is no such list."""
    (symbol,) = expression.free_symbols
    numerator = sympy.numer(sympy.together(expression))
    if not numerator.is_polynomial(symbol):
        return []
    polynomial = sympy.Poly(numerator, symbol)
    if not 1 <= polynomial.degree() <= _MAX_DEGREE:
        return []
    return [complex(root) for root in sympy.Poly(polynomial.sqf_part(), symbol).nroots(n=20, maxsteps=100)]


def within(some: Sequence[complex], others: Sequence[complex]) -> bool:
    """Return whether every number is among the others, but for rounding."""
    return all(any(abs(a - b) <= _TOLERANCE * max(1.0, abs(b)) for b in others) for a in some)


def system_implies(system: Sequence[Any], new: Any) -> bool | None:
    """Return whether a linear system implies an equation, or not; None where it is not linear or says nothing of it."""
    letters = sorted({letter for equation in system for letter in equation.free_symbols}, key=str)
    if not 1 <= len(letters) <= _MAX_LETTERS or not new.free_symbols <= set(letters):
        return None
    if not all(_linear(equation, letters) for equation in (*system, new)):
        return None
    solutions = list(sympy.linsolve(list(system), letters))
    if not solutions:
        return None
    return all(new.subs(dict(zip(letters, point, strict=True))).expand() == 0 for point in solutions)


def _linear(equation: Any, letters: Sequence[Any]) -> bool:
    return bool(equation.is_polynomial(*letters) and sympy.Poly(equation, *letters).total_degree() <= 1)
