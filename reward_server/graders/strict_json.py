"""JSON read strictly: one document, no duplicate keys, no NaN or Infinity, bounded depth and digits.

Numbers with a fraction or an exponent become `Decimal`, so that no two different numerals are equal by rounding.
"""

import json
from decimal import Decimal
from typing import Any

MAX_DEPTH = 64
MAX_DIGITS = 1_000
MAX_EXPONENT = 1_000


class StrictJsonError(ValueError):
    """The text is no JSON; the message says why."""


def parse(text: str) -> Any:
    """Return the value of a JSON text. Raises `StrictJsonError`."""
    _check_depth(text)
    try:
        return json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_unique
        )
    except StrictJsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise StrictJsonError(str(error)) from None


def _check_depth(text: str) -> None:
    depth, in_string, escaped = 0, False, False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "{[":
            depth += 1
            if depth > MAX_DEPTH:
                raise StrictJsonError(f"nested deeper than {MAX_DEPTH}")
        elif character in "}]":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise StrictJsonError(f"the key {twice[:80]!r} stands twice")
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise StrictJsonError(f"a number of {len(text)} digits")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise StrictJsonError(f"a number of {len(text)} digits")
    number = Decimal(text)
    if number and abs(number.adjusted()) > MAX_EXPONENT:
        raise StrictJsonError(f"the number {text[:40]} is out of range")
    return number


def _refuse(name: str) -> Any:
    raise StrictJsonError(f"{name} is no JSON")
