"""JSON read strictly: one document, no key twice, no NaN or Infinity, bounded depth and numerals, no lone surrogates.

Numbers with a fraction or an exponent become `Decimal`, so that no two different numerals are equal by rounding.
"""

import json
from decimal import Decimal
from typing import Any

MAX_DEPTH = 64
MAX_NUMERAL = 1_000
MAX_EXPONENT = 1_000


class StrictJsonError(ValueError):
    """The text is no JSON; the message says why."""


def parse(text: str, *, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text; time is linear in its length. Raises `StrictJsonError`."""
    try:
        value = json.loads(
            text, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse, object_pairs_hook=_unique
        )
    except StrictJsonError:
        raise
    except RecursionError:
        raise StrictJsonError(f"it is nested deeper than {max_depth}") from None
    except ValueError as error:
        raise StrictJsonError(str(error)) from None
    _check_depth(value, max_depth)
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise StrictJsonError(f"the key {json.dumps(key[:80])} stands twice in an object")
            seen.add(key)
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_NUMERAL:
        raise StrictJsonError(f"a numeral has {len(text)} characters, more than {MAX_NUMERAL}")
    return int(text)


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_NUMERAL:
        raise StrictJsonError(f"a numeral has {len(text)} characters, more than {MAX_NUMERAL}")
    exponent = text.lower().partition("e")[2]
    if len(exponent) > 8 or abs(int(exponent or 0)) > MAX_EXPONENT:
        raise StrictJsonError(f"the exponent of {text[:40]} is out of range")
    return Decimal(text)


def _refuse(name: str) -> Any:
    raise StrictJsonError(f"{name} is no JSON")


def _check_depth(value: Any, most: int) -> None:
    """Raise for what is nested deeper than ``most``, one level after the other."""
    level = [value]
    for _ in range(most):
        level = [item for outer in level for item in _inside(outer)]
    if any(isinstance(item, dict | list) for item in level):
        raise StrictJsonError(f"it is nested deeper than {most}")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _check_surrogates(value: Any) -> None:
    """Raise for halves of characters: they can be escaped in JSON and are no text."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise StrictJsonError("a string contains a lone surrogate") from None
