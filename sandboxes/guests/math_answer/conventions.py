"""Answers that are the same but for a convention: names of arbitrary constants, which antiderivative, conditions."""

from dataclasses import replace

import sympy

from .agreement import Rules, UndecidedError, identical, same_but_for_constant, valued
from .comparison import same
from .ranges import listed_out
from .shapes import has_percent
from .spellings import renamings, unconditional, whole_and_positive, without_constant
from .trees import Tree


def alike(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Return whether an answer is the expected one, also under other names of constants. Raises `UndecidedError`."""
    if rules.optional_percent and has_percent(answer) != has_percent(expected):
        without = replace(rules, optional_percent=False)
        return alike(answer, expected, without) or alike(answer, expected, replace(without, ignore_percent=True))
    said = answer, expected
    if whole_and_positive(answer, expected):
        return False
    answer, expected = unconditional(answer), unconditional(expected)
    doubt: UndecidedError | None = None
    try:
        if same(answer, expected, rules):
            return True
    except UndecidedError as error:
        doubt = error
    if any(
        same(renamed, expected, rules) for renamed in renamings(answer, expected, counting=said != (answer, expected))
    ):
        return True
    if expected[0] == "antiderivative" != answer[0]:
        return _is_antiderivative(answer, expected, rules)
    if (listed := (listed_out(said[0]), listed_out(said[1]))) != said and same(*listed, rules):
        return True
    mine, theirs = without_constant(answer, expected), without_constant(expected, answer)
    if mine and theirs and same_but_for_constant(valued(mine, rules), valued(theirs, rules)):
        return True
    if doubt:
        raise doubt
    return False


def _is_antiderivative(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Return whether an answer with its constant has the reference's integrand as derivative."""
    function = without_constant(answer, expected)
    if function is None:
        return False
    letter, real = sympy.Symbol(expected[1][1]), sympy.Symbol(expected[1][1], real=True)
    derivative = sympy.diff(valued(function, rules).subs(letter, real), real).subs(real, letter)
    return identical(derivative, valued(expected[2], rules), rules)
