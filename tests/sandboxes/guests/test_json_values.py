"""Numbers, dates and texts as records give them."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.guests.json_extraction.dates import moment
from sandboxes.guests.json_extraction.numbers import amount
from sandboxes.guests.json_extraction.texts import plain, same_but_for_form, similarity

DAYS = st.dates(date(1000, 1, 1))
SPELLINGS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%b %d, %Y",
    "%A, %d %B %Y",
    "%Y-%m-%dT00:00:00",
)


@given(DAYS, st.sampled_from(SPELLINGS))
def test_every_spelling_of_a_day_is_that_day(day, spelling):
    """Whichever way a day is written, it is the same day."""
    assert moment(day.strftime(spelling)) == ("day", day)


@given(DAYS)
def test_slashes_are_read_as_told_or_not_at_all(day):
    """With the order told the day is found; without, only where there is one reading."""
    assert moment(day.strftime("%d/%m/%Y"), day_first=True) == ("day", day)
    assert moment(day.strftime("%m/%d/%Y"), day_first=False) == ("day", day)
    evident = day.day > 12 or day.day == day.month
    assert moment(day.strftime("%d/%m/%Y")) == (("day", day) if evident else None)


@given(st.text(max_size=70) | st.text(alphabet="0123456789/-.: TZMarchy", max_size=30))
def test_any_text_is_a_date_or_none(text):
    """Nothing that a record holds raises."""
    assert moment(text) is None or moment(text)[0] in ("year", "month", "day", "time", "instant")


@given(st.integers(-(10**12), 10**12), st.integers(0, 4))
def test_every_spelling_of_a_number_is_that_number(number, places):
    """Thousands separators, currencies and scales do not change the value."""
    value = Fraction(number, 10**places)
    text = f"{abs(number) // 10**places:,}" + (f".{abs(number) % 10**places:0{places}d}" if places else "")
    sign = "-" if number < 0 else ""
    for spelling in (sign + text, f"{sign}${text}", f"{sign}{text} EUR", (sign + text).replace(",", " ")):
        assert amount(spelling).number == value
    assert amount(f"{sign}{text} million").number == value * 10**6
    assert amount(f"{sign}{text}%").number == value / 100
    swapped = (sign + text).translate({ord(","): ".", ord("."): ","})
    assert amount(swapped, decimal_comma=True).number == value


@given(st.text(max_size=110) | st.text(alphabet="0123456789,.' eE+-%$kmbn", max_size=40))
def test_any_text_is_a_number_or_none(text):
    """Nothing that a record holds raises or takes long."""
    assert amount(text) is None or isinstance(amount(text).number, Fraction)


@given(st.text(max_size=40))
def test_form_is_taken_away_once(text):
    """What is plain stays as it is, and a text is the same as itself whatever its case."""
    assert plain(plain(text)) == plain(text)
    assert same_but_for_form(f" {text} ", text)


@pytest.mark.parametrize("measure", ["levenshtein", "indel", "jaro_winkler", "sorted_words", "word_f1"])
@given(st.text(alphabet="ab c", max_size=12), st.text(alphabet="ab c", max_size=12))
def test_measures_are_symmetric_and_in_range(measure, one, other):
    """Each measure is 1 for the same text, between 0 and 1 for others, and the same both ways."""
    assert similarity(one, one, measure) == 1.0
    assert 0.0 <= similarity(one, other, measure) <= 1.0
    assert similarity(one, other, measure) == pytest.approx(similarity(other, one, measure))


def test_long_texts_are_similar_only_when_equal():
    """Past 100,000 characters there is no measuring."""
    long = "x" * 100_001
    assert similarity(long, long, "levenshtein") == 1.0
    assert similarity(long, long[1:], "levenshtein") == 0.0
