"""Formulas over named scores: a small expression language with its own parser. Nothing is ever evaluated as code.

    expression := or;  or := and ("or" and)*;  and := not ("and" not)*;  not := "not" not | comparison
    comparison := sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)?
    sum := product (("+" | "-") product)*;  product := unary (("*" | "/") unary)*;  unary := "-" unary | power
    power := atom ("^" unary)?
    atom := number | name | function "(" expression ("," expression)* ")" | "(" expression ")"

Comparisons and the words give 1 or 0; what is not 0 is true.
"""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

MAX_CHARACTERS = 4_096
MAX_DEPTH = 32
MAX_TOKENS = 300

_TOKEN = re.compile(
    r"\s*(?:(\d+(?:\.\d*)?(?:[eE][-+]?\d{1,3})?|\.\d+)|([A-Za-z_]\w*)|(<=|>=|==|!=|[-+*/^(),<>]))", re.ASCII
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_FUNCTIONS: dict[str, tuple[int, int, Callable[..., float]]] = {
    "min": (1, 32, lambda *values: min(values)),
    "max": (1, 32, lambda *values: max(values)),
    "abs": (1, 1, abs),
    "clip": (3, 3, lambda value, low, high: min(max(value, low), high)),
    "if": (3, 3, lambda condition, then, otherwise: then if condition else otherwise),
}
"""By name: the fewest and the most arguments, and what it computes."""
_CALLED: dict[str, tuple[int, int, Callable[..., float]]] = {
    "floor": (1, 1, math.floor),
    "ceil": (1, 1, math.ceil),
    "exp": (1, 1, math.exp),
    "sqrt": (1, 1, math.sqrt),
    "log": (1, 1, math.log),
}
"""More of them, which are names of scores unless a bracket follows."""
_ALL = _FUNCTIONS | _CALLED
_WORDS = frozenset({"and", "or", "not", *_FUNCTIONS})


class FormulaError(Exception):
    """The formula cannot be read, or its value is no finite number."""


@dataclass(frozen=True, slots=True)
class Name:
    """A score by its name."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or a function over its operands."""

    function: str
    operands: tuple["Expression", ...]


Expression: TypeAlias = float | Name | Call


def parse(text: str) -> Expression:
    """Return the expression that ``text`` says. Raises `FormulaError`."""
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(f"{len(text)} characters, at most {MAX_CHARACTERS}")
    tokens = _tokens(text)
    if len(tokens) > MAX_TOKENS:  # so that no tree is too deep for recursion
        raise FormulaError(f"{len(tokens)} names, numbers and signs, at most {MAX_TOKENS}")
    return _Parser(tokens).all()


def names_in(expression: Expression) -> set[str]:
    """Return the names that ``expression`` uses."""
    match expression:
        case Name(text):
            return {text}
        case Call(_, operands):
            return {name for operand in operands for name in names_in(operand)}
    return set()


def evaluate(expression: Expression, scores: Mapping[str, float]) -> float:
    """Return the value for ``scores``. Raises `FormulaError` when it is no finite number."""
    try:
        value = _value(expression, scores)
    except (ArithmeticError, KeyError, ValueError) as error:
        raise FormulaError(f"it has no value for {dict(scores)}: {error}") from error
    if not math.isfinite(value):
        raise FormulaError(f"its value for {dict(scores)} is not finite")
    return value


def _value(expression: Expression, scores: Mapping[str, float]) -> float:
    match expression:
        case Name(text):
            return scores[text]
        case Call("if", (condition, then, otherwise)):  # only the branch that counts: it may guard a division
            return _value(then if _value(condition, scores) else otherwise, scores)
        case Call(function, operands):
            return _applied(function, [_value(operand, scores) for operand in operands])
        case number:
            return float(number)


def _applied(function: str, values: Sequence[float]) -> float:
    if function in _ALL:
        return float(_ALL[function][2](*values))
    if function == "^":
        return math.pow(*values)
    if function in _COMPARISONS:
        return float(_COMPARISONS[function](values[0], values[1]))
    match function:
        case "and":
            return float(all(values))
        case "or":
            return float(any(values))
        case "not":
            return float(not values[0])
        case "negative":
            return -values[0]
    return _ARITHMETIC[function](values[0], values[1])


def _tokens(text: str) -> list[str]:
    tokens, position, end = [], 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if found is None:
            raise FormulaError(f"{text[position : position + 20]!r} is not understood")
        tokens.append(found[0].strip())
        position = found.end()
    return tokens


class _Parser:
    """Reads an expression by recursive descent, at most `MAX_DEPTH` deep."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0
        self._depth = 0

    def all(self) -> Expression:
        expression = self._or()
        if self._next:
            raise FormulaError(f"{self._next!r} stands where the formula should end")
        return expression

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _take(self, *wanted: str) -> str:
        """Return the next token and go on, if it is one of ``wanted``; else the empty string."""
        token = self._next
        if token and token in wanted:
            self._at += 1
            return token
        return ""

    def _chain(self, operand: Callable[[], Expression], *operators: str) -> Expression:
        left = operand()
        while found := self._take(*operators):
            left = Call(found, (left, operand()))
        return left

    def _or(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError(f"it is nested more than {MAX_DEPTH} deep")
        expression = self._chain(lambda: self._chain(self._not, "and"), "or")
        self._depth -= 1
        return expression

    def _not(self) -> Expression:
        inverted = 0
        while self._take("not"):
            inverted += 1
        left = self._sum()
        if found := self._take(*_COMPARISONS):
            left = Call(found, (left, self._sum()))
        for _ in range(2 - inverted % 2 if inverted else 0):
            left = Call("not", (left,))
        return left

    def _sum(self) -> Expression:
        return self._chain(lambda: self._chain(self._unary, "*", "/"), "+", "-")

    def _unary(self) -> Expression:
        negative = False
        while self._take("-"):
            negative = not negative
        power = self._power()
        return Call("negative", (power,)) if negative else power

    def _power(self) -> Expression:
        base = self._atom()
        return Call("^", (base, self._unary())) if self._take("^") else base

    def _atom(self) -> Expression:
        token = self._next
        self._at += bool(token)
        if token[:1].isdigit() or token[:1] == ".":
            return float(token)
        if token == "(":  # noqa: S105 - a bracket
            inside = self._or()
            self._close()
            return inside
        if token in _FUNCTIONS or (token in _CALLED and self._next == "("):
            return self._call(token)
        if token in _WORDS or not token.isidentifier():
            raise FormulaError(f"{token or 'the end'!r} stands where a value should")
        return Name(token)

    def _call(self, function: str) -> Expression:
        if not self._take("("):
            raise FormulaError(f"{function} needs arguments in brackets")
        operands = [self._or()]
        while self._take(","):
            operands.append(self._or())
        self._close()
        fewest, most, _ = _ALL[function]
        if not fewest <= len(operands) <= most:
            raise FormulaError(f"{function} has {len(operands)} arguments")
        return Call(function, tuple(operands))

    def _close(self) -> None:
        if not self._take(")"):
            raise FormulaError(f"{self._next or 'the end'!r} stands where a bracket should close")
