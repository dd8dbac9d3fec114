"""Texts made comparable. Linear in the text, which is hostile."""

import re
import unicodedata
from itertools import pairwise

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that show nothing: format characters, fillers, variation selectors, tags."""
_MAX_MARKS = 30
"""How many combining marks may follow each other, as in Unicode's stream-safe text format: ordering them into NFC takes
quadratic time."""
_GAP = re.compile(r"[\W_]")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)


def without_invisible(text: str) -> str:
    """Return ``text`` in NFC, without characters that show nothing."""
    seen = _INVISIBLE.sub("", text)
    return seen if seen.isascii() else unicodedata.normalize("NFC", _stream_safe(seen))


def _stream_safe(text: str) -> str:
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= _MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def normalized(
    text: str, *, ignore_case: bool, ignore_punctuation: bool, ignore_articles: bool, keep_white_space: bool
) -> str:
    """Return ``text`` as it is compared."""
    result = without_invisible(text)
    if ignore_case:
        result = without_invisible(result.casefold())
    if ignore_punctuation:
        result = "".join(character for character in result if unicodedata.category(character)[0] not in "PS")
    if ignore_articles:
        result = _ARTICLES.sub(" ", result)
    return result if keep_white_space else " ".join(result.split())


def script_of(character: str) -> str:
    """Return the script of a letter as its Unicode name begins, in lower case: ``latin``, ``cjk``."""
    return unicodedata.name(character, "").partition(" ")[0].partition("-")[0].lower()


def occurs_as_words(text: str, wanted: str) -> bool:
    """Return whether ``wanted`` occurs in ``text`` without cutting a word at either end."""
    position = text.find(wanted)
    while position != -1:
        end = position + len(wanted)
        following = position + 1
        if cuts_word(text, position):  # so does every start within this word: skip it, or this takes quadratic time
            gap = _GAP.search(text, following)
            following = gap.start() if gap else len(text)
        elif not cuts_word(text, end):
            return True
        position = text.find(wanted, following)
    return False


def cuts_word(text: str, position: int) -> bool:
    """Return whether a word goes on from before ``position`` to after it."""
    return all(side.isalnum() for side in (text[position - 1 : position], text[position : position + 1]))


def ngrams(items: list[str], size: int) -> list[tuple[str, ...]]:
    """Return every stretch of ``size`` neighbours."""
    if size == 2:  # noqa: PLR2004 - a pair
        return list(pairwise(items))
    return list(zip(*(items[i:] for i in range(size)), strict=False))
