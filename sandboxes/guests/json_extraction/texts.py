"""Texts as records give them: the same but for form, or similar by a named measure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from rapidfuzz.distance import Indel, JaroWinkler, Levenshtein

MAX_CHARACTERS = 100_000
_MARGIN, _ROUNDING = 1e-6, 1e-12
"""The library's own cutoff is off by a rounding; ours is not."""
_FORMLESS = frozenset(".,;:!?\"'`´‘’“”„«»‹›()[]{}…·•¿¡")  # noqa: RUF001 - the marks that it is about
_DASHES = re.compile(r"[-‐‑‒–—―_]+")  # noqa: RUF001 - the dashes that it is about
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[.,:](?=\d)")
_POINT, _COMMA, _COLON = "\ue000", "\ue001", "\ue002"


def plain(text: str) -> str:
    """Return ``text`` without case, compatibility forms, punctuation, dashes and runs of white space."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = _BETWEEN_DIGITS.sub(lambda mark: {".": _POINT, ",": _COMMA, ":": _COLON}[mark[0]], folded)
    spaced = _DASHES.sub(_dash, kept)
    return " ".join("".join(character for character in spaced if character not in _FORMLESS).split())


def _dash(mark: re.Match[str]) -> str:
    """Keep the minus of a number: a dash at the start of a word, before a digit."""
    start, end, text = mark.start(), mark.end(), mark.string
    before, after = text[start - 1 : start], text[end : end + 1]
    return "-" if (not before or before.isspace()) and after.isdigit() else " "


def same_but_for_form(actual: str, expected: str) -> bool:
    """Return whether the texts are equal as `plain` leaves them; what leaves nothing is compared as it stands."""
    mine, theirs = plain(actual), plain(expected)
    return mine == theirs if mine or theirs else actual.strip() == expected.strip()


def similarity(actual: str, expected: str, measure: str, least: float = 0.0) -> float:
    """Return how similar the texts are, in [0, 1], without regard to case and runs of white space.

    What is less similar than ``least`` gives 0, and sooner.
    """
    if max(len(actual), len(expected)) > MAX_CHARACTERS:
        return 1.0 if actual == expected else 0.0
    mine, theirs = (" ".join(text.casefold().split()) for text in (actual, expected))
    if mine == theirs:
        return 1.0
    found = _MEASURES[measure](mine, theirs, max(0.0, least - _MARGIN))
    return found if found >= least - _ROUNDING else 0.0


def _levenshtein(mine: str, theirs: str, least: float) -> float:
    return Levenshtein.normalized_similarity(mine, theirs, score_cutoff=least)


def _indel(mine: str, theirs: str, least: float) -> float:
    return Indel.normalized_similarity(mine, theirs, score_cutoff=least)


def _jaro_winkler(mine: str, theirs: str, least: float) -> float:
    return JaroWinkler.normalized_similarity(mine, theirs, score_cutoff=least)


def _sorted_words(mine: str, theirs: str, least: float) -> float:
    return _indel(" ".join(sorted(mine.split())), " ".join(sorted(theirs.split())), least)


def _word_f1(mine: str, theirs: str, _: float) -> float:
    ours, others = Counter(mine.split()), Counter(theirs.split())
    common = (ours & others).total()
    return 2 * common / (ours.total() + others.total()) if common else 0.0


_MEASURES: dict[str, Callable[[str, str, float], float]] = {
    "levenshtein": _levenshtein,
    "indel": _indel,
    "jaro_winkler": _jaro_winkler,
    "sorted_words": _sorted_words,
    "word_f1": _word_f1,
}
