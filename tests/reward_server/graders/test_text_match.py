"""Texts against references: the measures against their libraries, and properties of them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from reward_server.graders.text_match import GRADER
from reward_server.graders.text_measures import similarity, words
from reward_server.graders.text_normalization import without_invisible
from reward_server.tasks.text_match import TextMatchTask, TextMeasure
from reward_server.verdict import Ruling
from sandboxes.base import Limits

SIMILARITIES = [
    TextMeasure.EDIT_SIMILARITY,
    TextMeasure.SORTED_WORDS,
    TextMeasure.WORD_F1,
    TextMeasure.BLEU,
    TextMeasure.CHRF,
    TextMeasure.ROUGE_1,
    TextMeasure.ROUGE_2,
    TextMeasure.ROUGE_L,
]
SENTENCES = st.lists(
    st.sampled_from(["the", "cat", "sat", "on", "a", "mat", "and", "the", "dog", "ran", ",", "."]),
    min_size=1,
    max_size=12,
)
WORDY = SENTENCES.map(" ".join)


@settings(deadline=None)
@given(WORDY, WORDY)
def test_bleu_and_chrf_are_those_of_sacrebleu(text, reference):
    """On text whose words are plain its own tokenizer gives the same."""
    bleu = BLEU(tokenize="13a", effective_order=True).sentence_score(text, [reference]).score / 100
    assert similarity(TextMeasure.BLEU, text, reference) == pytest.approx(1.0 if text == reference else bleu, abs=1e-9)
    chrf = CHRF().sentence_score(text, [reference]).score / 100
    assert similarity(TextMeasure.CHRF, text, reference) == pytest.approx(chrf, abs=1e-9)


@settings(deadline=None)
@given(WORDY, WORDY)
def test_rouge_l_is_the_longest_common_subsequence(text, reference):
    """Against the plain recurrence."""
    mine, theirs = words(text), words(reference)
    lengths = [[0] * (len(theirs) + 1) for _ in range(len(mine) + 1)]
    for i, one in enumerate(mine):
        for j, other in enumerate(theirs):
            longest = max(lengths[i][j + 1], lengths[i + 1][j])
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if one == other else longest
    expected = 2 * lengths[-1][-1] / (len(mine) + len(theirs))
    assert similarity(TextMeasure.ROUGE_L, text, reference) == pytest.approx(expected)


@pytest.mark.parametrize("measure", SIMILARITIES)
@settings(deadline=None, max_examples=50)
@given(text=st.text(max_size=60), reference=st.text(max_size=60))
def test_a_similarity_is_a_share(measure, text, reference):
    """From 0 to 1 for any two texts, and 1 for equal ones."""
    assert 0.0 <= similarity(measure, text, reference) <= 1.0
    assert similarity(measure, text, text) == 1.0


@pytest.mark.parametrize("measure", SIMILARITIES)
def test_more_of_the_reference_is_never_worth_less(measure):
    """Right words, one after the other, raise the score or leave it."""
    reference = "the quick brown fox jumps over the lazy dog"
    scores = [similarity(measure, " ".join(reference.split()[:n]), reference) for n in range(1, 10)]
    assert scores == sorted(scores)
    assert scores[-1] == 1.0


@settings(deadline=None)
@given(st.text())
def test_normalizing_twice_changes_nothing(text):
    """What is shown is in its final form."""
    assert without_invisible(without_invisible(text)) == without_invisible(text)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=200).filter(lambda text: "<" not in text and without_invisible(text).split()))
def test_a_text_equals_itself_with_invisible_characters_strewn_in(text):
    """Equal by construction is ACCEPTED."""
    response = "\u200b".join(text.split(" ")) if " " not in text else text + "\u200b"
    verdict = GRADER.plan(TextMatchTask(expected=text), response, Limits())
    assert verdict.ruling is Ruling.ACCEPTED


@settings(deadline=None)
@given(st.text(max_size=300), st.sampled_from(TextMeasure))
def test_no_response_raises(response, measure):
    """Any text gets a verdict by any measure."""
    assert 0.0 <= GRADER.plan(TextMatchTask(expected="a+", measure=measure), response, Limits()).score <= 1.0


@pytest.mark.timeout(10)
def test_a_long_pattern_of_groups_on_a_long_response_takes_no_time():
    """Nobody asks what groups hold; finding it out took half a minute for a megabyte."""
    task = TextMatchTask(expected="(a|b)*" * 200, measure=TextMeasure.REGEX)
    assert GRADER.plan(task, "a" * 1_000_000, Limits()).ruling is Ruling.ACCEPTED


@pytest.mark.parametrize("measure", list(TextMeasure))
def test_half_a_character_is_graded_like_any_other_text(measure):
    """JSON can escape a lone surrogate; a response must not break its grader by one."""
    verdict = GRADER.plan(TextMatchTask(expected="Paris", measure=measure), "Par\ud800is", Limits())
    assert verdict.ruling in (Ruling.WRONG_ANSWER, Ruling.PARTIAL)
