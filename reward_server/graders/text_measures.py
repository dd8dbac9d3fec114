"""How alike two texts are, in [0, 1]. Both are normalized and at most some ten thousand characters long.

The measures are those of rapidfuzz and sacrebleu; ROUGE is computed here as rouge-score does without stemming
(Lin 2004), on words of any script.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from typing import Any

from rapidfuzz.distance import LCSseq, Levenshtein

from reward_server.graders.text_normalization import ngrams
from reward_server.tasks.text_match import TextMeasure

_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\w+|[^\w\s]")
_PERCENT = 100.0


def similarity(measure: TextMeasure, text: str, reference: str) -> float:
    """Return how alike ``text`` is to ``reference``; 1 when they are equal."""
    if text == reference:
        return 1.0
    return min(1.0, max(0.0, _MEASURES[measure](text, reference)))


def words(text: str) -> list[str]:
    """Return the words, numbers and signs of ``text``."""
    return _TOKEN.findall(text)


def _edit_similarity(text: str, reference: str) -> float:
    return float(Levenshtein.normalized_similarity(text, reference))


def _sorted_words(text: str, reference: str) -> float:
    return _edit_similarity(" ".join(sorted(text.split())), " ".join(sorted(reference.split())))


def _f1(common: int, mine: int, theirs: int) -> float:
    return 2 * common / (mine + theirs) if common else 0.0


def _overlap(mine: Sequence[Hashable], theirs: Sequence[Hashable]) -> float:
    return _f1(sum((Counter(mine) & Counter(theirs)).values()), len(mine), len(theirs))


def rouge_n(size: int) -> Callable[[str, str], float]:
    """Return the measure ROUGE-``size``."""
    return lambda text, reference: _overlap(ngrams(words(text), size), ngrams(words(reference), size))


def _rouge_l(text: str, reference: str) -> float:
    mine, theirs = words(text), words(reference)
    return _f1(int(LCSseq.similarity(mine, theirs)), len(mine), len(theirs))


@cache
def _sacrebleu() -> tuple[Any, Any]:
    from sacrebleu.metrics.bleu import BLEU  # noqa: PLC0415 - as below
    from sacrebleu.metrics.chrf import CHRF  # noqa: PLC0415 - slow to import, and few tasks ask for it

    # Tokenized here: sacrebleu's own tokenizers remember every text they were given.
    return BLEU(tokenize="none", effective_order=True), CHRF()


def _bleu(text: str, reference: str) -> float:
    bleu, _ = _sacrebleu()
    return float(bleu.sentence_score(" ".join(words(text)), [" ".join(words(reference))]).score) / _PERCENT


def _chrf(text: str, reference: str) -> float:
    _, chrf = _sacrebleu()
    return float(chrf.sentence_score(text, [reference]).score) / _PERCENT


_MEASURES: dict[TextMeasure, Callable[[str, str], float]] = {
    TextMeasure.EDIT_SIMILARITY: _edit_similarity,
    TextMeasure.SORTED_WORDS: _sorted_words,
    TextMeasure.WORD_F1: lambda text, reference: _overlap(text.split(), reference.split()),
    TextMeasure.BLEU: _bleu,
    TextMeasure.CHRF: _chrf,
    TextMeasure.ROUGE_1: rouge_n(1),
    TextMeasure.ROUGE_2: rouge_n(2),
    TextMeasure.ROUGE_L: _rouge_l,
}
