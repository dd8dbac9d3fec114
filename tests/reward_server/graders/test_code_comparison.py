"""When values and printed texts match."""

import math

import pytest

from reward_server.graders.code_comparison import plain_match, stdout_matches, values_match
from reward_server.tasks.code_tests import StdoutComparison

HUGE = 1 << 40_000


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        (1, 1, True),
        (True, 1, False),
        (1, True, False),
        (1.0, 1, False),
        ((1,), [1], False),
        ([1, [2]], [1, [2]], True),
        (math.nan, math.nan, True),
        ([math.nan], [math.nan], True),
        ({1, 2}, {2, 1}, True),
        ({1.0}, {1}, False),
        ({frozenset({8, 0})}, {frozenset({0, 8})}, True),
        ({(1, True)}, {(1, 1)}, False),
        ({0.0}, {-0.0}, True),
        ({True: 1}, {1: 1}, False),
        ({"a": {1: (2,)}}, {"a": {1: (2,)}}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("1", 1, False),
        (b"a", "a", False),
        (None, False, False),
    ],
)
def test_values_match_by_type_and_value(actual, expected, same):
    """Types count all the way down, and the order of sets and dicts does not."""
    assert values_match(actual, expected) is same


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        (0.30000001, 0.3, True),
        (1, 1.0, True),
        (True, 1.0, False),
        ([1.0000001, (2,)], [1, (2.0,)], True),
        ({0.30000001, 1.0}, {1, 0.3}, True),
        ({0.5}, {0.3}, False),
        (1 + 1e-9j, 1 + 0j, True),
        (math.inf, 1e300, False),
        (math.inf, math.inf, True),
        (math.nan, 1.0, False),
    ],
)
def test_tolerance_is_for_numbers_wherever_they_stand(actual, expected, same):
    """Within 1e-6, absolutely or relatively; never between booleans and numbers."""
    assert values_match(actual, expected, tolerance=1e-6) is same


def test_integers_too_large_to_print_are_compared():
    """Beyond 4,300 digits an integer cannot become text, and nothing here asks for it."""
    assert values_match({HUGE: [HUGE]}, {HUGE: [HUGE]})
    assert not values_match({HUGE}, {1})
    assert not values_match({HUGE: 1}, {1: 1})
    assert not values_match(HUGE, 1.0, tolerance=1e-6)


def test_a_tuple_matches_a_list_where_the_task_allows_it():
    """sequences_match loosens sequences and nothing else."""
    assert values_match(((1, 2), [3]), [[1, 2], (3,)], sequences_match=True)
    assert not values_match({1}, [1], sequences_match=True)


@pytest.mark.parametrize(
    ("comparison", "actual", "expected", "same"),
    [
        ("lines", "a \nb\n\n", "a\nb", True),
        ("lines", "a\r\nb", "a\nb", True),
        ("lines", " a", "a", False),
        ("lines", "a\nb\nc", "a\nb", False),
        ("exact", "a\n", "a", False),
        ("tokens", "1  2\n3", "1 2 3", True),
        ("tokens", "1 2 3", "1 2", False),
        ("tokens", "1_0", "10", False),
        ("unordered_lines", "b\na", "a\nb", True),
        ("unordered_lines", "a\na\nb", "a\nb\nb", False),
    ],
)
def test_outputs_match_under_their_rule(comparison, actual, expected, same):
    """Missing and extra lines and tokens always count."""
    assert stdout_matches(actual, expected, StdoutComparison(comparison), None) is same


def test_numeric_tokens_have_a_tolerance():
    """Only where the task sets one."""
    assert stdout_matches("x 0.3333", "x 0.33333", StdoutComparison.TOKENS, 1e-3)
    assert not stdout_matches("x 0.3333", "x 0.33333", StdoutComparison.TOKENS, None)
    assert not stdout_matches("nan", "0.5", StdoutComparison.TOKENS, 1e-3)


@pytest.mark.parametrize(
    ("actual", "expected", "same"),
    [
        (1, 1.0, True),
        (1.0, 1, True),
        (True, 1, False),
        (1, True, False),
        (math.nan, math.nan, True),
        ((1 << 53) + 1, 1 << 53, False),
        (float(1 << 53), (1 << 53) + 1, False),
        (0.1 + 0.2, 0.3, False),
        ([1, 2], (1, 2), True),
        ([2, 1], {1, 2}, True),
        ([1, 1], {1, 2}, False),
        ([1], {1, 2}, False),
        ({"1": 2}, {1: 2}, True),
        ({"true": 2}, {True: 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (None, None, True),
        ([], {}, False),
        ({}, [], False),
        ("1", 1, False),
        ([[1, 2], [3]], [[1, 2, 3]], False),
        ([1, 2], [1], False),
        ([1], [1, 2], False),
        ("a", b"a", False),
    ],
)
def test_values_of_other_languages_match_by_value(actual, expected, same):
    """Numbers count by value, tuples and sets are lists, keys are text."""
    assert plain_match(actual, expected) is same


def test_an_empty_map_may_be_an_empty_list():
    """Where a language knows no difference, and only there and only when empty."""
    assert plain_match([], {}, arrays_are_maps=True)
    assert plain_match({}, [], arrays_are_maps=True)
    assert not plain_match([1], {}, arrays_are_maps=True)
    assert not plain_match({"1": 1}, [1], arrays_are_maps=True)


def test_numbers_of_other_languages_match_within_a_tolerance():
    """As those of Python do."""
    assert plain_match([0.1 + 0.2], [0.3], tolerance=1e-9)
    assert not plain_match([0.31], [0.3], tolerance=1e-9)
