"""Rewrites what is notation for the eye rather than structure, as text, in linear time: words around and in answers."""

import re
from fractions import Fraction

from .units import measure
from .words import FUNCTIONS

_LEAD = re.compile(
    r"[^.=<>:;!?\d]{1,120}?\b(?:is|are|equals|be|[Aa]nswer|[Ss]olutions?|[Rr]esult)\b\x03?:?\s*"
    r"(?=[-+$\\(\[{\d]|\.\d|[b-zA-Z]\b)"
)
"""Words before an answer that say what it is: "The mode is", "Solution is:". Mathematics must follow."""
_PROSE = re.compile(r"(?<![\\a-zA-Z])[a-zA-Z]{3,}")
_NEGATIONS = re.compile(
    r"\b(?:not?|never|cannot|neither|nor|either|unless|except|if|or)\b|n't|\\(?:neq?|not)\b", re.IGNORECASE
)
_LETTERS = re.compile(r"[A-Z](?:\s{0,3}(?:,|and|,\s?and|&)\s{0,3}[A-Z])+")
_BRACED_WORD = re.compile(r"(?<![a-zA-Z\\_^}\]*])\{ ?([a-zA-Z]{2,}(?: [a-zA-Z]+)*) ?\}")
_DEGREES = r"(\d+(?:\.\d+)?)\s?\^\s?(?:\{\s?\\circ\s?\}|\\circ)\s?"
_MINUTES = re.compile(_DEGREES + r"(\d+(?:\.\d+)?)\s?'(?!')(?:\s?(\d+(?:\.\d+)?)\s?'')?")
_PRIMES = re.compile(r"\^\s?\{?\s?((?:\\prime\s?)+)\}?")
_SIDES = re.compile(r"(\d+(?:\.\d+)?) ?(\x02?[a-z ]*\x03?) ?(?: by |x|\\times) ?(\d+(?:\.\d+)?) ?(\x02?[a-z ]*\x03?)")
_END_TOKENS = re.compile(r"(?:<\|[a-z_]{1,30}\|>|</s>)\S{0,20}$")
_CONDITION = re.compile(
    r"(?:[\s,;(\x02]{0,8}\b(?:for|where|with)\b(?![^=]{0,80}(?:even|odd|positive|negative|prime|distinct|non))"
    r"[^=<>\d]{0,80}?(?:integers?|reals?|numbers?|constants?|parameters?|all[\s\x02\x03]*[a-z])\b[^=<>\d]{0,20}"
    r"|[,;]\s?[\x02\s(]{0,4}(?:(?:any|all|every)\s)?(?:[a-zA-Z][\s\x02\x03]*(?:is|are)?[\s\x02\x03]*(?:an?y?\s)?)?"
    r"(?:integers?|real numbers?)[\s\x02\x03]*[a-zA-Z]?[\s\x02\x03)]*)$"
)
"""What is said of a letter behind an answer, such as "for any integer k"."""
_UNITS_JOINED = re.compile(r"(?<=[\d)}])(\s?\x02[^\x03]*)\x03\s?(?:-|\\cdot)\s?\x02([^\x03]*\x03)")
_ORDINALS = re.compile(r"(?<=\d)\s?\^?\s?\{?\s?\x02(?:st|nd|rd|th)\x03\s?\}?")


def without_lead(text: str) -> str:
    """Return an answer without the words before it that only say what it is."""
    found = _LEAD.match(text)
    if found is None or _NEGATIONS.search(found.group()) or not set(_PROSE.findall(found.group())) - FUNCTIONS:
        return text
    return text[found.end() :]


def upright(content: str) -> str:
    """Return upright text between marks; numerals and lists of choices as what they are."""
    bare = content.strip()
    if re.match(r"[-+]?\.?\d", bare) or _LETTERS.fullmatch(bare):
        return f" {bare} "
    return f"\x02{content}\x03"


def letters_upright(content: str) -> str:
    """Return two upright letters that are no unit as a product, as some data sets set formulas."""
    bare = content.strip()
    if len(bare) == 2 and bare.isalpha() and bare.islower() and measure(bare) is None and bare not in ("or", "if"):
        return f" {bare[0]} {bare[1]} "
    return upright(content)


def rewritten(text: str) -> str:
    """Return words in plain braces as text, and angles in minutes and seconds as degrees."""
    text = _PRIMES.sub(lambda found: "'" * found[1].count("\\prime"), text)
    text = _MINUTES.sub(_degrees, text)
    text = _UNITS_JOINED.sub(r"\1-\2", _BRACED_WORD.sub(_worded, _ORDINALS.sub("", text)))
    return text[: found.start()] if (found := _CONDITION.search(text)) and found.start() else text


def sides(text: str) -> str:
    """Return ``4 ft by 12 ft`` as a list of two lengths."""
    found = _SIDES.fullmatch(text)
    if found is None:
        return text
    first, second = (found[group].strip("\x02\x03 ") for group in (2, 4))
    return (
        text
        if not second and " by " not in text
        else f"{found[1]} \x02{first or second}\x03, {found[3]} \x02{second}\x03"
    )


def _worded(found: re.Match[str]) -> str:
    word = found[1]
    plain = set(word) <= set("lcr") or word in FUNCTIONS
    return f"\x02{word}\x03" if (len(word) > 2 or measure(word)) and not plain else found.group()


def _degrees(found: re.Match[str]) -> str:
    total = Fraction(found[1]) + Fraction(found[2]) / 60 + Fraction(found[3] or 0) / 3600
    return f"(\\frac{{{total.numerator}}}{{{total.denominator}}})^\\circ "
