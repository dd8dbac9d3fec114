"""When a returned value or a printed text is what a test expects."""

import builtins
import math
from collections.abc import Sequence
from typing import Any

from reward_server.tasks.code_tests import StdoutComparison


def values_match(actual: Any, expected: Any, *, tolerance: float | None = None, sequences_match: bool = False) -> bool:
    """Return whether ``actual`` is ``expected``: of the same type and value, all the way down.

    With ``tolerance`` numbers match within it, absolutely or relatively, and ints match floats; keys of dicts stay
    exact. With ``sequences_match`` a tuple matches a list of the same items. A NaN matches a NaN. As deep as
    ``expected`` at most.
    """
    match expected:
        case bool() | None:
            return actual is expected
        case int() | float():
            return _numbers_match(actual, expected, tolerance)
        case list() | tuple():
            kinds: tuple[type, ...] = (list, tuple) if sequences_match else (type(expected),)
            return (
                type(actual) in kinds
                and len(actual) == len(expected)
                and all(
                    values_match(mine, theirs, tolerance=tolerance, sequences_match=sequences_match)
                    for mine, theirs in zip(actual, expected, strict=True)
                )
            )
        case dict():
            return _dicts_match(actual, expected, tolerance, sequences_match=sequences_match)
        case set() | frozenset():
            return type(actual) is type(expected) and _sets_match(actual, expected, tolerance)
        case complex() if tolerance is not None and type(actual) is complex:
            difference = actual - expected  # hypot gives infinity where abs raises
            bound = tolerance * max(1.0, math.hypot(expected.real, expected.imag))
            return actual == expected or math.hypot(difference.real, difference.imag) <= bound
    return type(actual) is type(expected) and bool(actual == expected)


def _numbers_match(actual: Any, expected: float, tolerance: float | None) -> bool:
    if isinstance(actual, bool) or not isinstance(actual, int | float):
        return False
    if tolerance is None:
        same = type(actual) is type(expected) and actual == expected
        return same or (actual != actual and expected != expected)  # noqa: PLR0124 - NaN
    try:
        return _close(float(actual), float(expected), tolerance) if actual != expected else True
    except OverflowError:
        return False


def _close(actual: float, expected: float, tolerance: float) -> bool:
    if math.isnan(expected) or math.isinf(expected):
        return actual == expected or (math.isnan(actual) and math.isnan(expected))
    return abs(actual - expected) <= tolerance * max(1.0, abs(expected))


def _dicts_match(actual: Any, expected: dict[Any, Any], tolerance: float | None, *, sequences_match: bool) -> bool:
    if type(actual) is not dict or _typed(actual.keys()) != _typed(expected.keys()):
        return False
    return all(
        key in actual  # a NaN is no key that could be found again
        and values_match(actual[key], item, tolerance=tolerance, sequences_match=sequences_match)
        for key, item in expected.items()
    )


def _sets_match(actual: Any, expected: Any, tolerance: float | None) -> bool:
    if tolerance is None or not all(_is_real(item) for item in (*actual, *expected)):
        return _typed(actual) == _typed(expected)
    pairs = zip(sorted(actual), sorted(expected), strict=False)
    return len(actual) == len(expected) and all(_numbers_match(mine, theirs, tolerance) for mine, theirs in pairs)


def _is_real(item: Any) -> bool:
    return isinstance(item, int | float) and not isinstance(item, bool)


def _typed(items: Any) -> frozenset[Any]:
    """Tell 1, 1.0 and True apart, which hash alike, however deep they stand."""
    return frozenset(_key(item) for item in items)


def _key(item: Any) -> tuple[str, Any]:
    kind = type(item).__name__
    match item:
        case float() if math.isnan(item):
            return kind, "nan"
        case tuple():
            return kind, tuple(_key(part) for part in item)
        case frozenset():
            return kind, _typed(item)
    return kind, item


def plain_match(actual: Any, expected: Any, *, tolerance: float | None = None, arrays_are_maps: bool = False) -> bool:
    """Return whether ``actual``, which JSON said, is what other languages have for ``expected``.

    Numbers count by value: 1 is 1.0, but not true. Tuples are lists; sets are lists in any order; keys are strings.
    With ``arrays_are_maps`` an empty list is an empty map. As deep as ``expected`` at most.
    """
    match expected:
        case bool() | None | str():
            return type(actual) is type(expected) and bool(actual == expected)
        case int() | float():
            return _is_real(actual) and _same_number(actual, expected, tolerance)
        case set() | frozenset():
            return isinstance(actual, list) and _plain_sets_match(actual, sorted(expected, key=repr), tolerance)
        case list() | tuple():
            if not isinstance(actual, list):
                return arrays_are_maps and actual == {} and not expected
            return len(actual) == len(expected) and all(
                plain_match(mine, theirs, tolerance=tolerance, arrays_are_maps=arrays_are_maps)
                for mine, theirs in zip(actual, expected, strict=True)
            )
        case dict():
            if not isinstance(actual, dict):
                return arrays_are_maps and actual == [] and not expected
            wanted = {_key_text(key): item for key, item in expected.items()}
            return actual.keys() == wanted.keys() and all(
                plain_match(actual[key], item, tolerance=tolerance, arrays_are_maps=arrays_are_maps)
                for key, item in wanted.items()
            )
    return False


def _same_number(actual: float, expected: float, tolerance: float | None) -> bool:
    if tolerance is not None:
        return _numbers_match(actual, expected, tolerance)
    return actual == expected or (math.isnan(actual) and math.isnan(expected))


def _plain_sets_match(actual: list[Any], expected: list[Any], tolerance: float | None) -> bool:
    """Return whether each item matches one that no other matches; items are few, and few."""
    if len(actual) != len(expected):
        return False
    left = list(expected)
    for item in actual:
        at = next((i for i, other in enumerate(left) if plain_match(item, other, tolerance=tolerance)), None)
        if at is None:
            return False
        del left[at]
    return True


def _key_text(key: Any) -> str:
    """Return how other languages write a key of a map."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


def classes_of(names: Sequence[str]) -> set[str]:
    """Return what an exception is: its own classes and one builtin's, so that one class is no answer to all tests."""
    for i, name in enumerate(names):
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return {*names[:i], *(base.__name__ for base in kind.__mro__)}
    return set(names)


def stdout_matches(actual: str, expected: str, comparison: StdoutComparison, tolerance: float | None) -> bool:
    """Return whether the printed ``actual`` is ``expected`` under ``comparison``."""
    match comparison:
        case StdoutComparison.EXACT:
            return actual == expected
        case StdoutComparison.LINES:
            return _lines(actual) == _lines(expected)
        case StdoutComparison.UNORDERED_LINES:
            return sorted(_lines(actual)) == sorted(_lines(expected))
        case StdoutComparison.TOKENS:
            mine, theirs = actual.split(), expected.split()
            pairs = zip(mine, theirs, strict=False)
            return len(mine) == len(theirs) and all(_tokens_match(a, b, tolerance) for a, b in pairs)


def _lines(text: str) -> list[str]:
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _tokens_match(actual: str, expected: str, tolerance: float | None) -> bool:
    if actual == expected:
        return True
    if tolerance is None or max(len(actual), len(expected)) > 400:  # noqa: PLR2004 - no number that a test prints
        return False
    try:
        return "_" not in actual and _close(float(actual), float(expected), tolerance)
    except ValueError:
        return False
