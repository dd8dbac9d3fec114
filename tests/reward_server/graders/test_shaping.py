"""Shapes: monotone where they must be, and bounded for any text."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reward_server.graders.shaping import (
    GRADER,
    cosine_score,
    length_score,
    overlong_score,
    repeated_share,
    repetition_score,
    script_share,
)
from reward_server.tasks.shaping import (
    CosineLength,
    FormatRules,
    LengthRange,
    Repetition,
    Scripts,
    ShapingTask,
    SoftOverlong,
)
from sandboxes.base import Limits

EVERYTHING = ShapingTask(
    length=LengthRange(minimum=2, maximum=50, margin=5),
    overlong=SoftOverlong(maximum=60, buffer=10),
    cosine=CosineLength(maximum=60),
    repetition=Repetition(ngram=2),
    scripts=Scripts(allowed=("latin",)),
    format=FormatRules(tags=("answer",), only_tags=True, boxed=True, nothing_after=True),
)


@given(st.integers(1, 10_000), st.integers(0, 100_000), st.integers(0, 100_000))
def test_longer_never_pays_on_a_falling_cosine(maximum, one, other):
    """Not even beyond twice the limit, where a bare cosine is full again."""
    rule = CosineLength(maximum=maximum)
    short, long = sorted((one, other))
    assert cosine_score(rule, long) <= cosine_score(rule, short) + 1e-12
    assert long <= maximum or cosine_score(rule, long) == 0.0


@given(st.integers(1, 10_000), st.data())
def test_longer_never_pays_with_the_soft_overlong_punishment(maximum, data):
    """It falls from 1 to 0 and stays there."""
    rule = SoftOverlong(maximum=maximum, buffer=data.draw(st.integers(0, maximum)))
    lengths = sorted(data.draw(st.lists(st.integers(0, 3 * maximum), min_size=2, max_size=10)))
    scores = [overlong_score(rule, length) for length in lengths]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 50), st.integers(0, 400))
def test_a_length_within_the_range_is_full(minimum, extra, margin, length):
    """And only such a length."""
    rule = LengthRange(minimum=minimum, maximum=minimum + extra, margin=margin)
    assert (length_score(rule, length) == 1.0) == (minimum <= length <= minimum + extra)


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"]), min_size=8, max_size=30), st.integers(1, 4))
def test_repeating_a_text_never_pays(words, size):
    """The share of repeated n-grams grows, the score falls."""
    once, twice = " ".join(words), " ".join(words + words)
    assert repeated_share(twice, size) >= repeated_share(once, size)
    rule = Repetition(ngram=size)
    assert repetition_score(rule, repeated_share(twice, size)) <= repetition_score(rule, repeated_share(once, size))


@given(st.text())
def test_scripts_share_the_letters(text):
    """A share in [0, 1], and 1 for text in ASCII."""
    share = script_share(text, frozenset({"latin"}))
    assert 0.0 <= share <= 1.0
    assert share == 1.0 or not text.isascii()


@settings(deadline=None)
@given(st.text())
def test_no_response_raises(response):
    """Any text gets a verdict."""
    assert 0.0 <= GRADER.plan(EVERYTHING, response, Limits()).score <= 1.0
