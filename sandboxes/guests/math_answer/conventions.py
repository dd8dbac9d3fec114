"""Answers that are the same but for a convention: names of arbitrary constants, which antiderivative, conditions."""

from .agreement import Rules, UndecidedError, same_but_for_constant, valued
from .comparison import same
from .spellings import renamings, unconditional, without_constant
from .trees import Tree


def alike(answer: Tree, expected: Tree, rules: Rules) -> bool:
    """Return whether an answer is the expected one, also under other names of constants. Raises `UndecidedError`."""
    said = answer, expected
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
    mine, theirs = without_constant(answer, expected), without_constant(expected, answer)
    if mine and theirs and same_but_for_constant(valued(mine, rules), valued(theirs, rules)):
        return True
    if doubt:
        raise doubt
    return False
