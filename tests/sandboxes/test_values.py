"""The codec: values as plain data, whatever class they claim, and decoding that is total."""

import math
from collections import deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.values import CodecError, decode, encode, parse_literal

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers()
HASHABLE = st.recursive(SCALARS, lambda item: st.tuples(item, item) | st.frozensets(item, max_size=4), max_leaves=8)
VALUES = st.recursive(
    HASHABLE | st.sets(HASHABLE, max_size=4) | st.builds(bytearray, st.binary()),
    lambda item: st.lists(item, max_size=4) | st.dictionaries(HASHABLE, item, max_size=4),
    max_leaves=12,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda item: st.lists(item, max_size=4) | st.dictionaries(st.sampled_from("ifcbytszdoqxwn"), item, max_size=2),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_encoded_comes_back(value):
    """A plain value survives the journey with its types."""
    assert repr(encode(decode(encode(value)))) == repr(encode(value))


@given(JSON)
def test_decoding_is_total(data):
    """Any JSON is a value or a CodecError."""
    try:
        decode(data)
    except CodecError:
        return


@pytest.mark.parametrize(
    "value", [[1, (2.5, b"x")], {1: {2}}, frozenset({(1, True)}), 1 + 2j, bytearray(b"a"), -math.inf]
)
def test_types_are_kept(value):
    """Tuples stay tuples, keys stay numbers, True stays True."""
    back = decode(encode(value))
    assert (type(back), repr(back)) == (type(value), repr(value))


@pytest.mark.parametrize(
    "value",
    [
        Fraction(-1, 3),
        Decimal("1.50"),
        date(2024, 2, 29),
        datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC),
        timedelta(-1, 2, 3),
        deque([1, (2,)]),
    ],
)
def test_numbers_and_dates_of_the_standard_library_are_values(value):
    """Fractions, decimals, dates and deques cross as what they are."""
    back = decode(encode(value))
    assert (type(back), back) == (type(value), value)


@pytest.mark.parametrize(
    "body",
    [
        ["Fraction", ["0x1", "0x0"]],
        ["Decimal", ["1" * 9_000]],
        ["date", ["no"]],
        ["system", ["ls"]],
        ["Decimal", [[]]],
        ["Decimal", ["sNaN"]],
        3,
    ],
)
def test_numbers_and_dates_that_are_none_are_refused(body):
    """Only short parts, and only of the classes named."""
    with pytest.raises(CodecError):
        decode({"x": body})


def test_subclasses_arrive_as_what_they_hold():
    """No method of a subclass runs, and none of its claims counts."""

    class Liar(list):
        def __iter__(self):
            return iter([9])

        def __len__(self):
            return 99

    class Number(int):
        def __format__(self, spec):
            return "7"

        def __index__(self):
            return 7

    assert encode(Liar([Number(1), 2])) == [1, 2]
    assert type(encode(Number(1))) is int


def test_deep_and_large_values_are_refused():
    """Depth, number of items and size of integers are bounded."""
    deep = []
    for _ in range(100):
        deep = [deep]
    for value in (deep, [0] * 300_000, 1 << 1_000_000, object()):
        with pytest.raises(CodecError):
            encode(value)


def test_items_that_collide_are_refused():
    """Integers chosen to have one hash would make a set quadratic for whoever decodes it."""
    colliding = [{"i": hex(k * ((1 << 61) - 1))} for k in range(1, 1_000)]
    with pytest.raises(CodecError, match="equal hashes"):
        decode({"s": colliding})
    with pytest.raises(CodecError, match="equal hashes"):
        decode({"d": [[item, 0] for item in colliding]})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, -2.5, 'a', b'b', None]", [1, -2.5, "a", b"b", None]),
        ("{'k': (1, 2), 3: {4}}", {"k": (1, 2), 3: {4}}),
        ("-inf", -math.inf),
        ("set()", set()),
        ("frozenset({1})", frozenset({1})),
        ("1-2j", 1 - 2j),
    ],
)
def test_literals_are_read(text, value):
    """What tasks write is read without evaluating it."""
    assert parse_literal(text) == value


@pytest.mark.parametrize("text", ["", "f(1)", "1 + 1", "...", "[1", "__import__('os')", "{**{}}", "(" * 5_000, "-True"])
def test_what_is_no_literal_is_refused(text):
    """Expressions, names and nonsense raise ValueError."""
    with pytest.raises(ValueError, match=r"literal|sign"):
        parse_literal(text)
