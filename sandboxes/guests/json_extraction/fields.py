"""How well one value agrees with another: the comparisons that a rule can name."""

import json
from decimal import Decimal
from typing import Any

from .dates import moment
from .numbers import amount, close
from .rules import Position, Rule
from .texts import same_but_for_form, similarity

_SHOWN = 100


def agreement(actual: Any, expected: Any, rule: Rule) -> tuple[float, str]:
    """Return a score in [0, 1] and, below 1, what differs."""
    best = 0.0
    for value in (expected, *rule.accepted):
        best = max(best, _agreement(actual, value, rule))
        if best == 1.0:
            return 1.0, ""
    similar = f"similarity {best:.2f} ({rule.measure}): " if best else ""
    return best, f"{similar}{shown(actual)}, expected {shown(expected)}"


def _agreement(actual: Any, expected: Any, rule: Rule) -> float:
    if actual is None or expected is None:
        return float(actual is expected)
    texts = isinstance(actual, str) and isinstance(expected, str)
    match rule.comparison:
        case "number":
            return float(_same_number(actual, expected, rule))
        case "date":
            mine = moment(actual, day_first=rule.day_first)
            return float(mine is not None and mine == moment(expected, day_first=rule.day_first))
        case "text" if texts:
            return float(same_but_for_form(actual, expected))
        case "similarity" if texts:
            return similarity(actual, expected, rule.measure, rule.min_similarity)
    return float(same(actual, expected))


def _same_number(actual: Any, expected: Any, rule: Rule) -> bool:
    mine, theirs = (amount(value, decimal_comma=rule.decimal_comma) for value in (actual, expected))
    if mine is None or theirs is None:
        return False
    return close(mine, theirs, relative=rule.relative_tolerance, absolute=rule.absolute_tolerance)


def same(actual: Any, expected: Any) -> bool:
    """Return whether two JSON values are equal: true is not 1, 1.0 is 1, 2^53 is not 2^53 + 1."""
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    if isinstance(actual, int | Decimal) and isinstance(expected, int | Decimal):
        return actual == expected
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(same(actual[key], item) for key, item in expected.items())
    return type(actual) is type(expected) and bool(actual == expected)


def key_of(value: Any, position: Position) -> str:
    """Return a text that two values share if and only if they are the `same` but for the order of unordered items."""
    match value:
        case bool() | None | str():
            return json.dumps(value)
        case int() | Decimal():
            return _numeral(Decimal(value))
        case dict():
            pairs = (f"{json.dumps(key)}:{key_of(value[key], position.down(key))}" for key in sorted(value))
            return "{" + ",".join(pairs) + "}"
    below = position.down("*")
    keys = [key_of(item, below) for item in value]
    return "[" + ",".join(sorted(keys) if position.rule.unordered else keys) + "]"


def _numeral(number: Decimal) -> str:
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    short = text.rstrip("0")
    return f"{'-' if sign else ''}{short}e{int(exponent) + len(text) - len(short)}" if short else "0"


def shown(value: Any) -> str:
    """Return ``value`` as a person reads it, cut where it is long."""
    if isinstance(value, dict):
        return f"an object of {len(value)}" if value else "{}"
    if isinstance(value, list):
        return f"an array of {len(value)}" if value else "[]"
    text = str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
