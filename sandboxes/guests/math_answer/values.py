"""Trees of answers as SymPy values, within bounds: sizes are checked before anything is computed."""

import functools
import itertools
import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Integer, Rational, Symbol
from sympy.matrices.exceptions import ShapeError

from .series import integral, limit, series
from .trees import Tree

_MAX_EXPONENT = 2_000
_MAX_POWER_BITS = 20_000
_MAX_FACTORIAL = 300
_MAX_ROWS = 5
_CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infinity": sympy.oo}
_FUNCTIONS = {
    name: getattr(sympy, theirs)
    for name, theirs in {
        "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "arcsin": "asin",
        "arccos": "acos", "arctan": "atan", "arccot": "acot", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh",
        "ln": "log", "exp": "exp", "sqrt": "sqrt", "abs": "Abs", "floor": "floor", "ceil": "ceiling", "max": "Max",
        "min": "Min", "gcd": "gcd", "lcm": "lcm", "sech": "sech", "csch": "csch", "coth": "coth", "arcsec": "asec",
        "arccsc": "acsc", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arsinh": "asinh",
        "arcosh": "acosh", "artanh": "atanh", "arg": "arg", "Re": "re", "Im": "im",
    }.items()
}  # fmt: skip

_RELATIONS = {"<": sympy.Lt, ">": sympy.Gt, "<=": sympy.Le, ">=": sympy.Ge, "=": sympy.Eq, "!=": sympy.Ne}

_ANGLES = frozenset(("cis", "sin", "cos", "tan", "cot", "sec", "csc"))
"""Functions of an angle: degrees count as such in them, and as decoration elsewhere."""


class ValueBoundError(Exception):
    """The value is too large to compute, or the tree is no single value."""


def number(text: str) -> Rational:
    """Return a decimal numeral as an exact rational."""
    size = text.lower().partition("e")[2]
    if size and abs(int(size)) > _MAX_EXPONENT:
        raise ValueBoundError("a power of ten is too large")
    return Rational(Fraction(text.rstrip(".") if text[:1] != "." else f"0{text}"))


def _repeating(digits: str, period: str) -> Rational:
    """Return 0.1666… for ``0.1`` and the period ``6``, exactly."""
    places = len(digits.partition(".")[2])
    return number(digits.rstrip(".")) + Rational(int(period), 10**places * (10 ** len(period) - 1))


def value(tree: Tree, *, ignore_percent: bool = False) -> Any:
    """Return the value of an expression's tree. Raises `ValueBoundError`."""

    def of(inner: Tree) -> Any:
        return value(inner, ignore_percent=ignore_percent)

    match tree:
        case ("number", text):
            return number(text)
        case ("symbol", name):
            return Symbol(name)
        case ("constant", name):
            return _CONSTANTS[name]
        case ("add", terms):
            return _combined(sympy.Add, operator.add, [of(term) for term in terms])
        case ("multiply", factors):
            return _combined(sympy.Mul, operator.mul, [of(factor) for factor in factors])
        case ("sum" | "prod" as kind, (_, index), low, high, term):
            return series(kind, of(term), Symbol(index), of(low), of(high))
        case ("integral", (_, letter), low, high, term):
            return integral(of(term), Symbol(letter), of(low), of(high))
        case ("limit", (_, letter), point, side, term):
            if (found := limit(of(term), Symbol(letter), of(point), side)) is None:
                raise ValueBoundError("a limit that could not be taken")
            return found
        case ("negate", inner):
            return -of(inner)
        case ("divide", left, right):
            return _divide(of(left), of(right))
        case ("mixed", whole, top, bottom):
            return of(whole) + _divide(of(top), of(bottom))
        case ("power", base, exponent):
            return _power(of(base), of(exponent))
        case ("percent", ("percent", _)):
            raise ValueBoundError("a percentage of a percentage")
        case ("percent", inner):
            return of(inner) if ignore_percent else of(inner) / 100
        case ("degrees", inner) | ("quantity", inner, _):
            return of(inner)
        case ("repeating", digits, period):
            return _repeating(digits, period)
        case ("ratio", (left, right)):
            return _divide(of(left), of(right))
        case ("call", name, arguments):
            values = [of(argument) for argument in arguments]
            if name in _ANGLES and arguments[0][0] == "degrees":
                values[0] = values[0] * sympy.pi / 180
            return _call(name, values)
        case ("matrix", rows) if len({len(row) for row in rows}) == 1:
            return sympy.ImmutableMatrix([[of(cell) for cell in row] for row in rows])
        case ("cases", rows) if rows and all(len(row) == 2 for row in rows):
            return sympy.Piecewise(*((of(result), _condition(condition, of)) for result, condition in rows))
    raise ValueBoundError(f"a {tree[0]} is no single value")


def _condition(tree: Tree, of: Callable[[Tree], Any]) -> Any:
    """Return a condition between values. Raises `ValueBoundError` where it is words, but for "otherwise"."""
    match tree:
        case ("text", "otherwise"):
            return sympy.true
        case ("relation", signs, sides) if all(sign in _RELATIONS for sign in signs):
            values = [of(side) for side in sides]
            plain = [side for side in values if not side.free_symbols or side.is_Symbol]
            if len(plain) == len(values) and len({side for side in values if side.is_Symbol}) == 1:
                pairs = itertools.pairwise(values)
                return sympy.And(*(_RELATIONS[sign](*pair) for sign, pair in zip(signs, pairs, strict=True)))
    raise ValueBoundError("a condition that does not bound a letter")


def _combined(scalar: Any, pairwise: Any, values: list[Any]) -> Any:
    """Return a sum or product; of matrices from left to right. Raises `ValueBoundError` where shapes do not fit."""
    if not any(isinstance(found, sympy.MatrixBase) for found in values):
        return scalar(*values)
    try:
        return functools.reduce(pairwise, values)
    except (TypeError, ValueError, ShapeError) as error:
        raise ValueBoundError(str(error)) from None


def _divide(left: Any, right: Any) -> Any:
    if right == 0:
        raise ValueBoundError("a division by zero")
    return left / right


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(exponent, Integer) and isinstance(base, Rational):
        bits = max(int(base.p).bit_length(), int(base.q).bit_length())
        if bits * abs(int(exponent)) > _MAX_POWER_BITS:
            raise ValueBoundError("a power is too large")
        if base == 0 and exponent < 0:
            raise ValueBoundError("a division by zero")
        return base**exponent
    if isinstance(exponent, Rational):
        if abs(exponent) > _MAX_EXPONENT or int(exponent.q) > _MAX_EXPONENT:
            raise ValueBoundError("an exponent is too large")
        if (
            isinstance(base, Rational)
            and max(int(base.p).bit_length(), int(base.q).bit_length()) > _MAX_POWER_BITS // 64
        ):
            raise ValueBoundError("a root of a number with too many digits")
        if isinstance(exponent, Integer) and abs(exponent) > 30 and not isinstance(base, Symbol):
            return sympy.Pow(base, exponent, evaluate=False)
        return sympy.Pow(base, exponent)
    if exponent.is_number and abs(sympy.N(exponent, 10)) > _MAX_EXPONENT:
        raise ValueBoundError("an exponent is too large")
    return sympy.Pow(base, exponent)


def _call(name: str, arguments: list[Any]) -> Any:
    if name == "factorial":
        (count,) = arguments
        if not isinstance(count, Integer) or not 0 <= count <= _MAX_FACTORIAL:
            if isinstance(count, Expr) and count.free_symbols:
                return sympy.factorial(count, evaluate=False)
            raise ValueBoundError("a factorial is too large")
        return Integer(math.factorial(int(count)))
    if name == "root":
        radicand, degree = arguments
        if degree == 3 and isinstance(radicand, Rational) and radicand < 0:
            return -_power(-radicand, Rational(1, 3))
        return _power(radicand, _divide(Integer(1), degree))
    if name == "sqrt":
        return _power(arguments[0], Rational(1, 2))
    if name == "cis":
        return sympy.cos(arguments[0]) + sympy.I * sympy.sin(arguments[0])
    if name == "det":
        return _determinant(arguments[0])
    if name == "binomial":
        top, bottom = arguments
        if top.free_symbols | bottom.free_symbols:
            return sympy.binomial(top, bottom, evaluate=False)
        if not all(isinstance(item, Integer) and 0 <= item <= _MAX_FACTORIAL for item in arguments):
            raise ValueBoundError("a binomial coefficient is too large")
        return Integer(math.comb(int(top), int(bottom)))
    if name in ("log", "log10"):
        base = arguments[1] if len(arguments) > 1 else Integer(10) if name == "log10" else None
        return sympy.log(arguments[0]) if base is None else sympy.log(arguments[0]) / sympy.log(base)
    if name not in _FUNCTIONS or not arguments:
        raise ValueBoundError(f"the function {name} is not known")
    try:
        return _FUNCTIONS[name](*arguments)
    except (TypeError, ValueError) as error:
        raise ValueBoundError(str(error)) from None


def _determinant(matrix: Any) -> Any:
    if not isinstance(matrix, sympy.MatrixBase) or matrix.rows != matrix.cols or matrix.rows > _MAX_ROWS:
        raise ValueBoundError("a determinant of no small square matrix")
    return matrix.det()
