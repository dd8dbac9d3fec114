"""Other values of the same look: what a decoy expects instead of what was written."""

import ast
import builtins
import random
from typing import Any

_CONSTRUCTORS = frozenset(
    (
        *("approx", "array", "asarray", "bytearray", "bytes", "call", "Counter", "date", "datetime", "Decimal"),
        *("deque", "dict", "float", "Fraction", "frozenset", "int", "list", "OrderedDict", "Path", "Series", "set"),
        *("sorted", "str", "tuple"),
    )
)
"""Calls that make a value of the literals they are given."""
_TOLERANT = frozenset({"approx"})
_NEARBY = range(2, 10)
_EXCEPTIONS = ("ArithmeticError", "AttributeError", "LookupError", "OSError", "RuntimeError", "TypeError", "ValueError")
_RARE_EXCEPTIONS = ("BufferError", "EOFError", "ImportError")
"""Instead of a class of the solution, which may extend any of the others, or of all exceptions."""
_CASES = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789")


def is_literal(node: ast.expr) -> bool:
    """Return whether ``node`` is a value written down, perhaps given to a constructor."""
    match node:
        case ast.Constant(value=value):
            return value is not Ellipsis
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return isinstance(operand, ast.Constant) and isinstance(operand.value, int | float)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return all(map(is_literal, items))
        case ast.Dict(keys=keys, values=values):
            return all(key is not None and is_literal(key) for key in keys) and all(map(is_literal, values))
        case ast.Call(args=[first, *_]):
            return callee(node) in _CONSTRUCTORS and is_literal(first)
    return False


def callee(node: ast.expr) -> str:
    """Return the last name of what is called, as ``raises`` of ``pytest.raises(...)``."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def perturb(node: ast.expr, dice: random.Random, *, far: bool = False) -> ast.expr:
    """Return a literal that is not equal to ``node`` and looks like it; ``far``: not within a tolerance either."""
    match node:
        case ast.Constant(value=value):
            return ast.Constant(_other(value, dice, far=far))
        case ast.UnaryOp(op=op, operand=ast.Constant(value=value)):
            return ast.UnaryOp(op, ast.Constant(_other(value, dice, far=far)))
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return _with_items(node, items, dice, far=far)
        case ast.Dict(keys=keys, values=values):
            if not values:
                return ast.Dict([ast.Constant("a")], [ast.Constant(0)])
            return ast.Dict(keys, _one_changed(values, dice, far=far))
        case ast.Call(func=func, args=[first, *rest], keywords=keywords):
            far = far or callee(node) in _TOLERANT
            return ast.Call(func, [perturb(first, dice, far=far), *rest], keywords)
    raise ValueError(f"{ast.unparse(node)} is no literal")


def _with_items(node: ast.expr, items: list[ast.expr], dice: random.Random, *, far: bool) -> ast.expr:
    changed: list[ast.expr] = _one_changed(items, dice, far=far) if items else [ast.Constant(0)]
    if isinstance(node, ast.Set):
        return ast.Set(changed)
    return ast.Tuple(changed, ast.Load()) if isinstance(node, ast.Tuple) else ast.List(changed, ast.Load())


def _one_changed(items: list[ast.expr], dice: random.Random, *, far: bool) -> list[ast.expr]:
    at = dice.randrange(len(items))
    return [perturb(item, dice, far=far) if i == at else item for i, item in enumerate(items)]


def _other(value: Any, dice: random.Random, *, far: bool) -> Any:
    match value:
        case bool():
            return not value
        case int():
            step = dice.choice(_NEARBY) * (max(1, abs(value)) if far else 1)
            return value + step if value < step or dice.random() < 0.5 else value - step
        case float():
            return _other_number(value, dice)
        case complex():
            return value + dice.choice(_NEARBY)
        case str():
            return _other_text(value, dice)
        case bytes():
            return _other_text(value.decode("latin-1"), dice).encode("latin-1")
    return dice.choice((False, 0))  # instead of None


def _other_number(value: float, dice: random.Random) -> float:
    places = len(repr(value).partition(".")[2])
    return round(value + max(1.0, abs(value)) * dice.choice(_NEARBY) * dice.choice((0.5, 1.0)), min(places, 12))


def _other_text(text: str, dice: random.Random) -> str:
    """Change one character for another of its kind; the last where there is only punctuation."""
    places = [i for i, letter in enumerate(text) if any(letter in case for case in _CASES)]
    if not places:
        return text + dice.choice("ax1")
    at = dice.choice(places)
    (case,) = (case for case in _CASES if text[at] in case)
    return text[:at] + dice.choice(case.replace(text[at], "")) + text[at + 1 :]


def other_exception(node: ast.expr, dice: random.Random) -> ast.expr:
    """Return the name of a builtin exception that has nothing to do with those that ``node`` names."""
    named = [callee(part) for part in (node.elts if isinstance(node, ast.Tuple) else [node])]
    known = [getattr(builtins, name, Exception) for name in named]
    choice = _RARE_EXCEPTIONS if Exception in known or BaseException in known else _EXCEPTIONS
    return ast.Name(dice.choice([name for name in choice if not _related(name, known)]), ast.Load())


def _related(name: str, known: list[type]) -> bool:
    kind = getattr(builtins, name)
    return any(issubclass(kind, other) or issubclass(other, kind) for other in known if other is not Exception)
