"""JSON read strictly."""

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.guests.json_extraction.strict_json import StrictJsonError, parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x, max_size=4) | st.dictionaries(st.text(), x, max_size=4),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_what_json_writes_is_read_back(value, ascii_only):
    """A value written as JSON, with escapes or without, is read as the same value."""
    assert parse(json.dumps(value, ensure_ascii=ascii_only)) == value


@given(st.text(max_size=60) | st.text(alphabet='{}[]",:0123456789.eE+-truefalsn\\u ', max_size=60))
def test_no_text_raises_anything_else(text):
    """Any text is read or refused; what is read is JSON by the standard library too."""
    with contextlib.suppress(StrictJsonError):
        parse(text)
        json.loads(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a":1,"a":1}', "stands twice"),
        ('[{"b":{"a":1,"\\u0061":2}}]', "stands twice"),
        ("NaN", "NaN"),
        ("[-Infinity]", "Infinity"),
        ("[1,]", "Expecting|trailing comma"),
        ("{} {}", "Extra data"),
        ("", "Expecting"),
        ("\ufeff{}", "BOM"),
        ("[" * 65 + "]" * 65, "deeper than 64"),
        ("[" * 100_000 + "]" * 100_000, "deeper than 64"),
        ("1" * 1001, "1001 characters"),
        ("0." + "1" * 1000, "1002 characters"),
        ("1e1001", "exponent"),
        ("1e" + "9" * 900, "exponent"),
        ('"\\ud800"', "surrogate"),
        ('{"\\udc00":1}', "surrogate"),
        ('"\x00"', "control character"),
        ("\u0661", "Expecting"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_the_reason(text, why):
    """Duplicate keys, NaN, trailing text, depth, long numerals and halves of characters are each named."""
    with pytest.raises(StrictJsonError, match=why):
        parse(text)


def test_the_bounds_themselves_are_allowed():
    """64 levels, 1,000 characters of a numeral, an exponent of 1,000 and a pair of surrogates are read."""
    assert parse("[" * 64 + "]" * 64)
    assert parse("9" * 1000) == 10**1000 - 1
    assert parse("1e1000") == Decimal("1e1000")
    assert parse('"\\ud83d\\ude00"') == "😀"


def test_fractions_are_exact():
    """No two different numerals become equal by rounding."""
    assert parse("0.1") + parse("0.2") == parse("0.3")
    assert parse("9007199254740993.0") != parse("9007199254740992.0")


@pytest.mark.parametrize("text", ['{"a":' * 200_000, "[" + "1," * 500_000 + "1]", '"' + "\\u0041" * 150_000 + '"'])
def test_a_megabyte_is_read_or_refused(text):
    """Long texts of any shape end as a value or a refusal; in quadratic time they would not end."""
    with contextlib.suppress(StrictJsonError):
        assert isinstance(parse(text), str | list)
