"""Python values as they travel: the codec shared with the guests, and literals as tasks write them."""

import ast
from typing import Any

from sandboxes.guests.values import CodecError, Remote, decode, encode

__all__ = ["CodecError", "Remote", "decode", "encode", "parse_literal"]

MAX_LITERAL_CHARACTERS = 1 << 20


def parse_literal(text: str) -> Any:
    """Return the value of a Python literal; also ``inf``, ``nan``, ``set()`` and ``frozenset({...})``.

    Raises ValueError.
    """
    if len(text) > MAX_LITERAL_CHARACTERS:
        raise ValueError(f"a literal of {len(text)} characters, the limit is {MAX_LITERAL_CHARACTERS}")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body)
    except (SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise ValueError(f"not a Python literal: {text[:80]!r}: {error}") from None


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value) if value is not ...:
            return value
        case ast.Name(id="inf" | "nan" as name):
            return float(name)
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Set(elts=items):
            return {_value(item) for item in items}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {_value(key): _value(item) for key, item in zip(keys, values, strict=True) if key is not None}
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _number(operand)
            return -number if isinstance(sign, ast.USub) else number
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as sign, right=ast.Constant(value=complex(imag=part))):
            return _number(left) + (part * 1j if isinstance(sign, ast.Add) else -part * 1j)
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return set()
        case ast.Call(func=ast.Name(id="frozenset"), args=args, keywords=[]) if len(args) <= 1:
            return frozenset(_value(args[0])) if args else frozenset()
    raise ValueError(f"not a Python literal: {ast.unparse(node)[:80]}")


def _number(node: ast.expr) -> Any:
    value = _value(node)
    if isinstance(value, bool) or not isinstance(value, int | float | complex):
        raise ValueError(f"a sign before {value!r}")  # noqa: TRY004 - callers expect one kind of error
    return value
