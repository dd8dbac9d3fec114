"""Texts made comparable. Linear in the text, which is hostile."""

import re
import unicodedata
from itertools import pairwise

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f"
    "\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters that show nothing: control and format characters, fillers, blanks, variation selectors, tags."""
_MAX_MARKS = 30
"""How many combining marks may follow each other, as in Unicode's stream-safe text format: ordering them into NFC takes
quadratic time."""
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
"""Scripts that put no spaces between words, as the inside of a character class."""
_UNSPACED = re.compile(f"[{UNSPACED}]")
_GAP = re.compile(rf"(?<!\d)[.,]|[.,](?!\d)|[^\w.,]|[_{UNSPACED}]")
"""Where a word may begin or end: at all but letters, digits, and a point or comma between digits."""
_MINUS = ("-", "\u2212")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b", re.IGNORECASE)


def without_invisible(text: str) -> str:
    """Return ``text`` in NFC, without characters that show nothing."""
    seen = _INVISIBLE.sub("", text)
    return seen if seen.isascii() else unicodedata.normalize("NFC", _stream_safe(seen))


def shows_nothing(text: str) -> bool:
    """Return whether ``text`` is empty but for white space and characters that show nothing."""
    return not _INVISIBLE.sub("", text).strip()


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
    """Return whether ``wanted`` occurs in ``text`` without cutting a word or a number at either end."""
    position = text.find(wanted)
    while position != -1:
        following = position + 1
        if cuts_word(text, position, wanted):  # so does each start within this word: skip it, or time is quadratic
            gap = _GAP.search(text, following)
            following = gap.start() if gap else len(text)
        elif not cuts_word(text, position + len(wanted), wanted):
            return True
        position = text.find(wanted, following)
    return False


def cuts_word(text: str, position: int, wanted: str) -> bool:
    """Return whether a word or number goes on from before ``position`` to after it.

    A mark belongs to the letter before it, a point or comma between digits and a minus before them to the number.
    Scripts without spaces have no ends of words: what is ``wanted`` there may stand anywhere if it is longer than a
    character.
    """
    before, after = text[position - 1 : position], text[position : position + 1]
    if not before or not after:
        return False
    if not after.isascii() and unicodedata.category(after)[0] == "M":
        return True
    if len(wanted) > 1 and (_UNSPACED.match(before) or _UNSPACED.match(after)):
        return False
    if before.isalnum() or unicodedata.category(before)[0] == "M":
        return after.isalnum() or (after in ".," and _is_digit(before) and _is_digit(text[position + 1 : position + 2]))
    if not _is_digit(after):
        return False
    ahead = text[position - 2 : position - 1]
    return _is_digit(ahead) if before in ".," else before in _MINUS and not (ahead.isalnum() or ahead in (")", "]"))


def _is_digit(character: str) -> bool:
    return character.isdecimal()


def ngrams(items: list[str], size: int) -> list[tuple[str, ...]]:
    """Return every stretch of ``size`` neighbours."""
    if size == 2:  # noqa: PLR2004 - a pair
        return list(pairwise(items))
    return list(zip(*(items[i:] for i in range(size)), strict=False))
