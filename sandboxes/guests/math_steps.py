"""Checks the equations of a worked solution: each must hold, or follow from those before it.

An equation between numbers must be true. One with letters is right if it is an identity, if it defines a letter that
is new, or if its solutions are among, or include, those of an equation before it once known letters are put in.
"""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import sympy

from .math_agreement import Rules, UndecidedError, identical
from .math_grammar import parse
from .math_tokens import GrammarError
from .math_trees import Tree
from .math_values import ValueBoundError, value

_MAX_STEPS = 100
_MAX_LINE = 500
_MAX_DEGREE = 8
_MATH = re.compile(r"\$\$?([^$]{1,500})\$\$?|\\\(([^$]{1,500}?)\\\)|\\\[([^$]{1,500}?)\\\]")
_LEADING_WORDS = re.compile(r"^(?:[-*#>\s]|\d+[.)]\s|(?:[A-Za-z]{2,}[ ,:]+))+")
_BREAKS = re.compile(r"\\\\|\\implies|\\Rightarrow|\\to(?![a-z])|=>|⇒|→|;|\bso\b|\bthus\b|\btherefore\b|\bthen\b")
_FAULTS = (ArithmeticError, TypeError, ValueError, AttributeError, NotImplementedError, RecursionError)


@dataclass(slots=True)
class _Known:
    """What a solution has established so far."""

    values: dict[Any, Any] = field(default_factory=dict)
    equations: list[Any] = field(default_factory=list)
    letters: set[Any] = field(default_factory=set)


def check_steps(solution: str, givens: list[str], findings: list[dict[str, Any]]) -> None:
    """Append one finding for each equation: ``text``, ``right`` (None when it cannot be decided) and ``detail``.

    What was found stays found when the caller's time is up.
    """
    known = _Known()
    for given in givens:
        for left, right in _pairs(_parsed(given)):
            _learn(left - right, left, right, known)
    for text in _equations(solution):
        for left, right in _pairs(_parsed(text)):
            right_or_not, detail = _judged(left, right, known, first=not known.equations and not known.values)
            findings.append({"text": text[:200], "right": right_or_not, "detail": detail})
            if len(findings) >= _MAX_STEPS:
                return


def _equations(solution: str) -> list[str]:
    """Return the stretches of a solution that hold an equals sign."""
    found = []
    for line in solution.splitlines():
        if "=" not in line or len(line) > 4 * _MAX_LINE:
            continue
        spans = ["".join(groups) for groups in _MATH.findall(line)] or [_LEADING_WORDS.sub("", line)]
        for span in spans:
            found += [part.strip(" .,&") for part in _BREAKS.split(span.replace("&=", "=")) if "=" in part]
    return [text for text in found if len(text) <= _MAX_LINE][:_MAX_STEPS]


def _parsed(text: str) -> Tree | None:
    try:
        return parse(text)
    except GrammarError:
        return None


def _pairs(tree: Tree | None) -> list[tuple[Any, Any]]:
    """Return the neighbours of a chain a = b = c as values; nothing for what is no equation."""
    if tree is None:
        return []
    if tree[0] == "list":
        return [pair for part in tree[1] for pair in _pairs(part)]
    if tree[0] != "relation" or set(tree[1]) != {"="}:
        return []
    try:
        sides = [value(side) for side in tree[2]]
    except (ValueBoundError, *_FAULTS):
        return []
    if any(not isinstance(side, sympy.Expr) for side in sides):
        return []
    return list(pairwise(sides))


def _judged(left: Any, right: Any, known: _Known, *, first: bool) -> tuple[bool | None, str]:
    try:
        return _judge(left, right, known, first=first)
    except (UndecidedError, ValueBoundError, *_FAULTS):
        return None, "it could not be decided"


def _judge(left: Any, right: Any, known: _Known, *, first: bool) -> tuple[bool | None, str]:
    difference = left - right
    if not difference.free_symbols:
        return (True, "it holds") if identical(left, right, Rules()) else (False, "it does not hold")
    if identical(left, right, Rules()):
        _learn(difference, left, right, known)
        return True, "it is an identity"
    filled = difference.subs(known.values)
    new = filled.free_symbols - known.letters
    if not filled.free_symbols:
        right_or_not = identical(filled, sympy.Integer(0), Rules())
        return right_or_not, "it holds for the values found" if right_or_not else "it contradicts the values found"
    if first or _defines(left, right, known):
        _learn(difference, left, right, known)
        return True, "it is what the solution starts from" if first else "it introduces a letter"
    if new:
        _learn(difference, left, right, known)
        return False, f"{', '.join(sorted(map(str, new)))} is not introduced"
    if any(_follows(filled, other.subs(known.values)) for other in reversed(known.equations)):
        _learn(difference, left, right, known)
        return True, "it follows from an equation before it"
    if len(filled.free_symbols) > 1 or _solves_system(left, right, known):
        _learn(difference, left, right, known)
        return (True, "it follows from the equations before it") if _solves_system(left, right, known) else (None, "")
    return False, "it does not follow from the equations before it"


def _defines(left: Any, right: Any, known: _Known) -> bool:
    return isinstance(left, sympy.Symbol) and left not in known.letters and left not in right.free_symbols


def _learn(difference: Any, left: Any, right: Any, known: _Known) -> None:
    known.equations.append(difference)
    known.letters |= difference.free_symbols
    if isinstance(left, sympy.Symbol) and not right.free_symbols:
        known.values.setdefault(left, right)


def _follows(new: Any, old: Any) -> bool:
    """Return whether the solutions of one equation include those of the other."""
    if new.free_symbols != old.free_symbols:
        return False
    ratio = sympy.cancel(new / old) if sympy.count_ops(new) + sympy.count_ops(old) < 100 else None
    if ratio is not None and not ratio.free_symbols and ratio != 0:
        return True
    if len(new.free_symbols) != 1:
        return False
    mine, theirs = _roots(new), _roots(old)
    return bool(mine and theirs) and (_within(mine, theirs) or _within(theirs, mine))


def _roots(expression: Any) -> list[complex]:
    (symbol,) = expression.free_symbols
    numerator = sympy.numer(sympy.together(expression))
    if not numerator.is_polynomial(symbol):
        return []
    polynomial = sympy.Poly(numerator, symbol)
    if not 1 <= polynomial.degree() <= _MAX_DEGREE:
        return []
    return [complex(root) for root in polynomial.nroots(n=20, maxsteps=100)]


def _within(some: list[complex], others: list[complex]) -> bool:
    return all(any(abs(a - b) <= 1e-8 * max(1.0, abs(b)) for b in others) for a in some)


def _solves_system(left: Any, right: Any, known: _Known) -> bool:
    """Return whether a linear system established before implies the equation."""
    letters = sorted(known.letters, key=str)
    if not 1 <= len(letters) <= 6 or len(known.equations) > 12:
        return False
    solutions = sympy.linsolve(known.equations, letters) if _linear(known, letters) else sympy.EmptySet
    return any((left - right).subs(dict(zip(letters, point, strict=True))).expand() == 0 for point in solutions)


def _linear(known: _Known, letters: list[Any]) -> bool:
    return all(
        equation.is_polynomial(*letters) and sympy.Poly(equation, *letters).total_degree() <= 1
        for equation in known.equations
    )
