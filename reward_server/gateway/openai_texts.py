"""The text graders of OpenAI's shape: string checks and similarities. Pure; both texts are given as they are.

`gleu` is sentence GLEU (Wu et al. 2016) up to 4 words, `meteor` is METEOR (Banerjee and Lavie 2005) with exact matches
only, aligned for few chunks: stems and synonyms need dictionaries. `cosine` needs a model that embeds texts and is not
offered.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from rapidfuzz import fuzz

from reward_server.graders.text_measures import rouge_n, similarity, words
from reward_server.graders.text_normalization import ngrams
from reward_server.tasks.text_match import TextMeasure

MAX_COMPARED_CHARACTERS = 65_536
"""Past it a text is too long to be alike."""
_GLEU_WORDS = 4


def string_check(operation: str, text: str, reference: str) -> float:
    """Return 1 if ``text`` is (``eq``), is not (``ne``), or contains (``like``, ``ilike``) the reference, else 0."""
    match operation:
        case "eq":
            return float(text == reference)
        case "ne":
            return float(text != reference)
        case "like":
            return float(reference in text)
    return float(reference.casefold() in text.casefold())


def text_similarity(metric: str, text: str, reference: str) -> float:
    """Return how alike two texts are, from 0 to 1."""
    if max(len(text), len(reference)) > MAX_COMPARED_CHARACTERS:
        return 0.0
    return min(1.0, max(0.0, METRICS[metric](text, reference)))


def _fuzzy(text: str, reference: str) -> float:
    return float(fuzz.ratio(text, reference)) / 100.0


def _gleu(text: str, reference: str) -> float:
    mine, theirs = words(text), words(reference)
    common = mine_count = theirs_count = 0
    for size in range(1, _GLEU_WORDS + 1):
        ours, wanted = Counter(ngrams(mine, size)), Counter(ngrams(theirs, size))
        common += sum((ours & wanted).values())
        mine_count += sum(ours.values())
        theirs_count += sum(wanted.values())
    return common / max(mine_count, theirs_count, 1)


def _meteor(text: str, reference: str) -> float:
    mine, theirs = words(text.casefold()), words(reference.casefold())
    pairs = _aligned(mine, theirs)
    if not pairs:
        return 0.0
    precision, recall = len(pairs) / len(mine), len(pairs) / len(theirs)
    mean = 10 * precision * recall / (recall + 9 * precision)
    chunks = 1 + sum((b[0] - a[0], b[1] - a[1]) != (1, 1) for a, b in pairwise(pairs))
    return mean * (1 - 0.5 * (chunks / len(pairs)) ** 3)


def _aligned(mine: Sequence[str], theirs: Sequence[str]) -> list[tuple[int, int]]:
    """Return pairs of places of the same word, each place once: next to the pair before where that is possible."""
    free: dict[str, list[int]] = {}
    for place in range(len(theirs) - 1, -1, -1):
        free.setdefault(theirs[place], []).append(place)
    taken: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for place, word in enumerate(mine):
        after = pairs[-1][1] + 1 if pairs else 0
        if after < len(theirs) and theirs[after] == word and after not in taken:
            found = after
        else:
            places = free.get(word, [])
            while places and places[-1] in taken:
                places.pop()
            if not places:
                continue
            found = places.pop()
        taken.add(found)
        pairs.append((place, found))
    return pairs


METRICS: dict[str, Callable[[str, str], float]] = {
    "fuzzy_match": _fuzzy,
    "bleu": lambda text, reference: similarity(TextMeasure.BLEU, text, reference),
    "gleu": _gleu,
    "meteor": _meteor,
    "rouge_l": lambda text, reference: similarity(TextMeasure.ROUGE_L, text, reference),
    **{f"rouge_{size}": rouge_n(size) for size in range(1, 6)},
}
