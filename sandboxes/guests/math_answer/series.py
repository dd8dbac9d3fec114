"""Sums, products, integrals and limits: sums are written out where they are short, limits are taken, the rest waits."""

from typing import Any

import sympy

_MAX_TERMS = 200


def series(kind: str, term: Any, index: Any, low: Any, high: Any) -> Any:
    """Return a sum or product as a value; a short one term by term."""
    if low.is_Integer and high.is_Integer and high - low < _MAX_TERMS:
        return _written_out(kind, term, index, int(low), int(high))
    return (sympy.Sum if kind == "sum" else sympy.Product)(term, (index, low, high))


def integral(integrand: Any, letter: Any, low: Any, high: Any) -> Any:
    """Return a definite integral, which is computed when its value at a point is asked for; an inner one at once."""
    inner = integrand.doit() if integrand.has(sympy.Integral) else integrand
    return sympy.Integral(inner, (letter, low, high))


def integrated(expression: Any) -> Any:
    """Return an expression with its integrals over unbounded ranges worked out if possible: digits are slow there."""
    unbounded = [
        part for part in expression.atoms(sympy.Integral) if any(end.is_infinite for end in part.limits[0][1:])
    ]
    return expression.xreplace({part: part.doit() for part in unbounded})


def limit(term: Any, letter: Any, point: Any, side: str) -> Any:
    """Return the limit of a term; None where SymPy finds none."""
    try:
        found = sympy.limit(term, letter, point, side if point.is_finite else "+")
    except (NotImplementedError, ValueError):
        return None
    return None if found.has(sympy.Limit, sympy.AccumBounds) else found


def finite(expression: Any) -> Any:
    """Return an expression with its sums of a known, small number of terms written out."""
    found = expression.atoms(sympy.Sum, sympy.Product) if expression.has(sympy.Sum, sympy.Product) else ()
    for part in found:
        ((index, low, high),) = part.limits
        if low.is_Integer and high.is_Integer and high - low < _MAX_TERMS:
            kind = "sum" if isinstance(part, sympy.Sum) else "prod"
            expression = expression.xreplace({part: _written_out(kind, part.function, index, int(low), int(high))})
    return expression


def endless(expression: Any) -> bool:
    """Return whether a series stands in an expression."""
    return any(part.limits[0][2].is_infinite for part in expression.atoms(sympy.Sum, sympy.Product))


def _written_out(kind: str, term: Any, index: Any, low: int, high: int) -> Any:
    terms = [term.subs(index, number) for number in range(low, high + 1)]
    return sympy.Add(*terms) if kind == "sum" else sympy.Mul(*terms)
