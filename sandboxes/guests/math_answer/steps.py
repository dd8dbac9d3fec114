"""Judges the equations of a worked solution: right, wrong, or worth nothing either way.

Only what moves the solution on is right: a numeric equation whose result is used later or is the reference; one with
letters that follows from an *anchored* one (given, or satisfied by the reference) and says it with less. Identities,
repetitions, restated answers, longer rewritings and what nobody needs are worth nothing, so that padding never pays.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import sympy

from .agreement import Rules, UndecidedError, identical
from .equations import FAULTS, Equation, equations, leaves, numbers, read
from .grammar import parse
from .roots import proportional, roots, system_implies, within
from .tokens import GrammarError
from .values import value

_MAX_ANCHORED = 12
_COMMON = tuple(
    map(sympy.Rational, ("1", "2", "7", "10", "12", "24", "52", "60", "100", "365", "1000", "1/2", "1/100"))
)
"""Numbers that need no source: halves, pairs, percent, and the units of time and money."""
_NUMERAL = re.compile(r"(?<![\d.])\d+(?:,\d{3})*(?:\.\d+)?")
_MAX_STATED = 200


def check_steps(solution: str, givens: Sequence[str], expected: Sequence[str], findings: list[dict[str, Any]]) -> None:
    """Append one finding for each equation: ``text``, ``right`` (None: it counts neither way) and ``detail``.

    What was found stays found when the caller's time is up.
    """
    stated = [number for given in givens for number in _numbers_said(given)]
    given_equations = [equation for given in givens for equation in read(given)]
    derivation = _Derivation(reference=_Reference.of(expected), from_givens=bool(given_equations), stated=stated)
    for equation in given_equations:
        derivation.anchor(equation)
    try:
        for equation in equations(solution):
            finding: dict[str, Any] = {"text": equation.text[:200], "right": None, "detail": "it could not be decided"}
            findings.append(finding)
            derivation.take(equation, finding)
    finally:
        derivation.finish()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    """What the reference says of letters, by name, and of numbers."""

    named: dict[Any, list[Any]]
    values: list[Any]

    @classmethod
    def of(cls, expected: Sequence[str]) -> "_Reference":
        """Read the accepted answers, as far as they are numbers or say what letters are."""
        named: dict[Any, list[Any]] = {}
        values: list[Any] = []
        for text in expected:
            for equation in read(text):
                if equation.solved:
                    named.setdefault(equation.left, []).append(equation.right)
            values += _numbers_in(text)
        return cls(named=named, values=values)

    def solutions(self, letter: Any) -> list[Any]:
        """Return what a letter may be; any letter may be what the reference gives without a name."""
        return self.named.get(letter, []) if self.named else self.values

    def satisfies(self, equation: Equation) -> bool:
        """Return whether the reference solves an equation: by its names, or all its values by the only letter."""
        letters = equation.difference.free_symbols
        if len(letters) == 1:
            points = [dict.fromkeys(letters, found) for found in self.solutions(next(iter(letters)))]
        elif letters <= self.named.keys():
            points = [{letter: self.named[letter][0] for letter in letters}]
        else:
            points = []
        return bool(points) and all(
            identical(equation.left.subs(point), equation.right.subs(point), Rules()) for point in points
        )


def _numbers_in(text: str) -> list[Any]:
    """Return the numbers in an answer: itself, the items of a list or tuple, the sides of an equation."""
    try:
        tree = parse(text)
        parts = tree[1] if tree[0] in ("list", "set") else tree[2] if tree[0] in ("group", "relation") else (tree,)
        found = [value(part) for part in parts]
        return [number for number in found if isinstance(number, sympy.Expr) and not number.free_symbols]
    except (GrammarError, *FAULTS):
        return []


@dataclass(slots=True, kw_only=True)
class _Step:
    """An equation of the solution, with what is said of it."""

    equation: Equation
    finding: dict[str, Any]
    result: Any = None
    """What comes out, where it is a true equation between numbers in which something is computed."""


@dataclass(slots=True, kw_only=True)
class _Derivation:
    """What a solution has established so far."""

    reference: _Reference
    from_givens: bool
    stated: list[Any]
    """The numbers of the problem, where it is given: a calculation with others comes from nowhere."""
    anchored: list[Equation] = field(default_factory=list)
    values: dict[Any, Any] = field(default_factory=dict)
    seen: set[frozenset[Any]] = field(default_factory=set)
    taken: list[_Step] = field(default_factory=list)
    derived: list[Any] = field(default_factory=list)
    cases: list[tuple[list[complex], list[complex], dict[str, Any]]] = field(default_factory=list)

    def anchor(self, equation: Equation) -> None:
        """Let later equations follow from this one."""
        self.seen.add(frozenset(equation.trees))
        if len(self.anchored) < _MAX_ANCHORED:
            self.anchored.append(equation)
        if equation.solved:
            self.values.setdefault(equation.left, equation.right)

    def take(self, equation: Equation, finding: dict[str, Any]) -> None:
        """Judge the next equation."""
        if frozenset(equation.trees) in self.seen:
            finding["detail"] = "it repeats an equation before it"
            return
        step = _Step(equation=equation, finding=finding)
        self.taken.append(step)
        try:
            finding["right"], finding["detail"] = self._judge(step)
        except (UndecidedError, *FAULTS):
            finding["detail"] = "it could not be decided"
        if finding["right"] is not None:
            self.seen.add(frozenset(equation.trees))

    def finish(self) -> None:
        """Complete case distinctions, then go back from the reference: what it needs is right, and what that needs."""
        for mine, parent, finding in self.cases:
            covered = [root for roots_, other, _ in self.cases if other == parent for root in roots_]
            if within(parent, covered) and mine:
                finding["right"], finding["detail"] = True, "with the other cases it is all that follows"
        needed = [*self.reference.values, *chain.from_iterable(self.reference.named.values())]
        for step in reversed(self.taken):
            if step.result is not None and _among(step.result, needed):
                step.finding["right"], step.finding["detail"] = True, "it holds and leads on"
            if step.finding["right"] is not None:
                needed += numbers(step.equation.trees)

    def _judge(self, step: _Step) -> tuple[bool | None, str]:
        equation = step.equation
        if equation.left.free_symbols | equation.right.free_symbols and identical(
            equation.left, equation.right, Rules()
        ):
            return None, "it is an identity"
        left, right = equation.left.subs(self.values), equation.right.subs(self.values)
        if not (left - right).free_symbols:
            if not identical(left, right, Rules()):
                return False, "it does not hold"
            if _works(equation):
                return self._computed(step, right)
            return None, "it holds, and nothing needs it"
        right_or_not, detail = self._follows(equation, (left - right).free_symbols)
        if right_or_not:
            self.anchor(equation)
        return right_or_not, detail

    def _computed(self, step: _Step, result: Any) -> tuple[None, str]:
        """Keep a calculation for the use of its result; where the problem's numbers are known, only one from them."""
        used = [abs(number) for number in numbers(step.equation.trees)]
        sources = [*self.stated, *self.derived]
        rests = any(_among(number, sources) for number in used if not _among(number, [result]))
        if self.stated and not (rests and all(_among(number, [*sources, *_COMMON, result]) for number in used)):
            return None, "its numbers are not the problem's"
        step.result = result
        self.derived.append(result)
        return None, "it holds, and nothing needs it"

    def _follows(self, equation: Equation, letters: set[Any]) -> tuple[bool | None, str]:
        alone = [(other, found) for other in self.anchored if (found := self._roots(other, letters))]
        if len(letters) == 1 and alone and (mine := self._roots(equation, letters)):
            return self._by_roots(equation, mine, alone)
        for other in self.anchored:
            if proportional(equation.difference, other.difference):
                return self._rewritten(equation, [other])
        implied = system_implies([other.difference for other in self.anchored], equation.difference)
        if implied:
            fewer = any(len(letters) < len(other.difference.free_symbols) for other in self.anchored)
            return (
                (True, "it follows from the equations before it")
                if fewer
                else (None, "it says no more than those before")
            )
        if implied is False:
            return False, "it does not follow from the equations before it"
        return self._begins(equation, letters)

    def _by_roots(
        self, equation: Equation, mine: list[complex], alone: list[tuple[Equation, list[complex]]]
    ) -> tuple[bool | None, str]:
        equal = [other for other, theirs in alone if within(mine, theirs) and within(theirs, mine)]
        if equal:
            return self._rewritten(equation, equal)
        for _, theirs in alone:
            if within(mine, theirs):
                return self._dropped(equation, mine, theirs)
        if any(within(theirs, mine) for _, theirs in alone):
            return None, "it has further solutions"
        return False, "it does not follow from the equations before it"

    def _rewritten(self, equation: Equation, others: list[Equation]) -> tuple[bool | None, str]:
        if equation.solved or all(equation.size < other.size for other in others):
            return True, "it follows from an equation before it"
        return None, "it is an equation before it, no simpler"

    def _dropped(self, equation: Equation, mine: list[complex], theirs: list[complex]) -> tuple[bool | None, str]:
        """Rule on an equation that has some of the solutions only: the reference may say that they are the ones."""
        (letter,) = equation.difference.free_symbols - self.values.keys()
        wanted = [complex(found) for found in self.reference.solutions(letter)]
        if wanted and within(wanted, mine):
            return True, "it keeps the reference's solutions"
        self.cases.append((mine, theirs, self.taken[-1].finding))
        return (False, "it drops solutions") if wanted and within(wanted, theirs) else (None, "it drops solutions")

    def _begins(self, equation: Equation, letters: set[Any]) -> tuple[bool | None, str]:
        """Rule on an equation that nothing before it speaks of."""
        known = {letter for other in self.anchored for letter in other.difference.free_symbols}
        if _introduces(equation, known):
            self.anchor(equation)
            return None, "it introduces a letter"
        if self.from_givens:
            return None, "it could not be decided" if letters <= known else "its letters are not introduced"
        if equation.solved or not self.reference.satisfies(equation):
            return None, "neither the problem's equations nor the reference bear it out"
        return True, "the reference satisfies it"

    def _roots(self, equation: Equation, letters: set[Any]) -> list[complex]:
        filled = equation.difference.subs(self.values)
        return roots(filled) if filled.free_symbols == letters and len(letters) == 1 else []


def _numbers_said(given: str) -> list[Any]:
    """Return the numerals of a given, be it an equation or a sentence."""
    return [sympy.Rational(found.replace(",", "")) for found in _NUMERAL.findall(given)[:_MAX_STATED]]


def _introduces(equation: Equation, known: set[Any]) -> bool:
    """Return whether a new letter is defined by known ones."""
    named = isinstance(equation.left, sympy.Symbol) and equation.left not in known and not equation.solved
    return named and equation.right.free_symbols <= known


def _works(equation: Equation) -> bool:
    """Return whether something is computed: 72 = 72.0 and 72 * 1 = 72 compute nothing."""
    if len(list(leaves(equation.trees))) < 3:
        return False
    sides = zip((equation.left, equation.right), equation.trees, strict=True)
    simple = [side for side, tree in sides if len(list(leaves(tree))) == 1]
    other = [tree for tree in equation.trees if len(list(leaves(tree))) > 1]
    return not any(_among(result, numbers(tree)) for result in simple for tree in other)


def _among(found: Any, values: Sequence[Any]) -> bool:
    for other in values:
        try:
            if identical(found, other, Rules()):
                return True
        except (UndecidedError, *FAULTS):
            continue
    return False
