"""Finds the equations of a worked solution and reads them; `steps` judges them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sympy

from .grammar import parse
from .tokens import GrammarError
from .trees import Tree
from .values import ValueBoundError, value

FAULTS = (ValueBoundError, ArithmeticError, TypeError, ValueError, AttributeError, NotImplementedError, RecursionError)
"""What computing with somebody else's equations may raise."""

_MAX_STEPS = 100
_MAX_LINE = 500
_MATH = re.compile(r"\$\$?([^$]{1,500})\$\$?|\\\(([^$]{1,500}?)\\\)|\\\[([^$]{1,500}?)\\\]")
_LEADING_WORDS = re.compile(r"^(?:[-*#>\s]|\d+[.)]\s|(?:[A-Za-z]{2,}[ ,:]+))+")
_PROSE = re.compile(r"(?<=[\w)%])[ ,]+[A-Za-z]{2,}[ ,]+[A-Za-z]{2,}\b")
"""Two words in a row: what stands before them is over."""
_BREAKS = re.compile(r"\\\\|\\implies|\\Rightarrow|\\to(?![a-z])|=>|⇒|→|;|\bso\b|\bthus\b|\btherefore\b|\bthen\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Equation:
    """Two sides, as they are written and as values."""

    text: str
    trees: tuple[Tree, Tree]
    left: Any
    right: Any

    @property
    def difference(self) -> Any:
        """What the equation says is zero."""
        return self.left - self.right

    @property
    def size(self) -> tuple[int, Any]:
        """How much is written: leaves, then the sizes of the numbers."""
        found = list(leaves(self.trees))
        return len(found), sum(abs(sympy.N(number, 15)) for number in numbers(self.trees))

    @property
    def solved(self) -> bool:
        """Whether it says what a letter is."""
        return isinstance(self.left, sympy.Symbol) and not self.right.free_symbols


def equations(solution: str) -> Iterator[Equation]:
    """Yield the equations of a solution in order, at most 100; a chain a = b = c is two."""
    count = 0
    for text in _stretches(solution):
        for equation in read(text):
            yield equation
            count += 1
            if count >= _MAX_STEPS:
                return


def read(text: str) -> list[Equation]:
    """Return the equations that a text states; nothing for what is no equation."""
    try:
        return _of(parse(text), text)
    except GrammarError:
        return []


def leaves(tree: Any) -> Iterator[Tree]:
    """Yield the numbers, letters and constants of a tree."""
    if isinstance(tree, tuple):
        if tree[:1] in (("number",), ("symbol",), ("constant",), ("repeating",)):
            yield tree
        else:
            for part in tree:
                yield from leaves(part)


def numbers(tree: Any) -> list[Any]:
    """Return the values of the numerals in a tree; those past the bounds are left out."""
    found = []
    for leaf in leaves(tree):
        if leaf[0] in ("number", "repeating"):
            try:
                found.append(value(leaf))
            except FAULTS:
                continue
    return found


def _stretches(solution: str) -> list[str]:
    """Return the stretches of a solution that hold an equals sign; the answer in its box is none."""
    found = []
    for line in solution.splitlines():
        if "=" not in line or len(line) > 4 * _MAX_LINE:
            continue
        spans = ["".join(groups) for groups in _MATH.findall(line)] or [_LEADING_WORDS.sub("", line)]
        for span in spans:
            parts = [_PROSE.split(part)[0].strip(" .,&") for part in _BREAKS.split(span.replace("&=", "="))]
            found += [part for part in parts if "=" in part and not part.startswith("\\boxed")]
    return [text for text in found if len(text) <= _MAX_LINE][:_MAX_STEPS]


def _of(tree: Tree, text: str) -> list[Equation]:
    if tree[0] == "list":
        return [equation for part in tree[1] for equation in _of(part, text)]
    if tree[0] != "relation" or set(tree[1]) != {"="}:
        return []
    sides = [(side, found) for side in tree[2] if (found := _valued(side)) is not None]
    return [
        Equation(text=text, trees=(first, second), left=left, right=right)
        for (first, left), (second, right) in pairwise(sides)
    ]


def _valued(side: Tree) -> Any:
    """Return the value of a side; None for words, as in "total = 3 + 4"."""
    try:
        found = value(side)
    except FAULTS:
        return None
    return found if isinstance(found, sympy.Expr) else None
