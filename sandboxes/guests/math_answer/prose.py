"""Rewrites answers in words as the formulas they stand for: numbers, spans of time, sets and their exceptions.

Whole answers only: words around a formula are decoration elsewhere. Everything is linear in the text.
"""

import itertools
import re
from fractions import Fraction

from .units import measure

_MAX_WORDS = 200
_SMALL = {
    word: number
    for number, word in enumerate(
        """
        zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        eighteen nineteen
        """.split()  # noqa: SIM905 - a list of words
    )
}
_TENS = {
    word: 10 * tens
    for tens, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)  # noqa: SIM905 - a list of words
}
_PARTS = {
    "half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "thirds": 3, "quarters": 4, "fourths": 4, "fifths": 5, "sixths": 6, "sevenths": 7,
    "eighths": 8, "ninths": 9, "tenths": 10,
}  # fmt: skip
_NO_NOUNS = frozenset((*_SMALL, *_TENS, *_PARTS, "hundred", "thousand", "million", "billion", "point", "and", "or"))
"""Words behind a number in words that are not what is counted."""
_EXCEPT = re.compile(
    r"(?:the set of )?(?:all )?(real numbers?|reals?|integers)(?: [a-z])? ?"
    r"(?:except|other than|but|besides|excluding)(?: for)? (?:[a-z] ?(?:=|\\in) ?)?(.{1,100})"
)
_WORD = re.compile(r"(?<![a-z\\])[a-z]{2,}")
_SETS = {
    "integers": "\\mathbb{Z}",
    "integer": "\\mathbb{Z}",
    "natural numbers": "\\mathbb{N}",
    "rational numbers": "\\mathbb{Q}",
    "rationals": "\\mathbb{Q}",
    "complex numbers": "\\mathbb{C}",
    "irrational numbers": "\\mathbb{R}\\setminus\\mathbb{Q}",
    "irrationals": "\\mathbb{R}\\setminus\\mathbb{Q}",
    "positive integers": "\\mathbb{P}",
    "positive real numbers": "(0,\\infty)",
    "positive reals": "(0,\\infty)",
    "negative real numbers": "(-\\infty,0)",
    "negative reals": "(-\\infty,0)",
    "nonnegative real numbers": "[0,\\infty)",
    "non-negative real numbers": "[0,\\infty)",
    "nonnegative reals": "[0,\\infty)",
}
_NOTHING = re.compile(
    r"(?:(?:there (?:is|are)|has|have|the (?:equation|system|inequality) has) )?no (?:real )?solutions?"
    r"(?: exists?)?|has no solutions?"
)
_MISSING = re.compile(r"(?:the )?(?:limit |value )?(?:does not|doesn't) exist|(?:the )?(?:limit )?dne")
_BEHAVES = re.compile(r"(?:the|this) (?:series|sequence|(?:improper )?integral) (diverges|converges)")
_AFFIRMED = re.compile(r"(yes|no|true|false)[,.;] [a-z ]{1,60}")
_SPAN = re.compile(r"(\d+(?:\.\d+)?) ?([a-z]+\.?)(?:,? (?:and )?|$)")
_FEET = re.compile(r"(\d+) ?'(?: ?(\d+) ?(?:''|\"))?")
_LETTER = r"\\mathbb ?\{? ?%s ?\}? ?"
_SIGNED_SETS = tuple(
    (re.compile(_LETTER % letter + rf"(?:(?:\^|_) ?\{{? ?\{sign} ?\}}?|_ ?\{{ ?{relation} ?0 ?\}})"), meaning)
    for letter, sign, relation, meaning in (
        ("R", "+", ">", "(0,\\infty)"),
        ("R", "-", "<", "(-\\infty,0)"),
        ("R", "+", r"(?:\\geq?(?:slant)?|>=)", "[0,\\infty)"),
        ("Z", "+", ">", "\\mathbb{P}"),
    )
)
"""Positive numbers and the like by an index."""
_FRENCH = re.compile(r"([\[\]])([^\[\]()]{1,200}[,;][^\[\]()]{1,200})([\[\]])")
_PLAIN_WORDS = re.compile(r"(?:the set of )?all (?:the )?([a-z][a-z -]*)")
_SCALED = re.compile(
    r"(?<![\d,.])((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?) ?(\x02?) ?(hundred|thousand|million|billion|trillion|dozen)s?\b"
)
_SCALES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12
}  # fmt: skip
_TIMES_TEN = re.compile(r"(?<=\d) ?x ?(?=10 ?\^)")


def formula(text: str) -> str:
    """Return a cleaned answer as a formula where it is words for one; else as it is."""
    for pattern, meaning in _SIGNED_SETS:
        text = pattern.sub(meaning.replace("\\", r"\\"), text)
    if french := _FRENCH.fullmatch(text):
        text = _outward(*french.groups())
    if feet := _FEET.fullmatch(text):
        return f"\\frac{{{12 * int(feet[1]) + int(feet[2] or 0)}}}{{12}} \x02feet\x03"
    text = _SCALED.sub(_scaled, _TIMES_TEN.sub("*", text)).replace("\x02\x03", "")
    said = " ".join(text.replace("\x02", " ").replace("\x03", " ").split()).lower()
    return _meaning(said.rstrip(".")) or text if len(said) <= _MAX_WORDS else text


def _scaled(found: re.Match[str]) -> str:
    """Return ``3.5 million`` as a numeral, with what stood before the word."""
    number = Fraction(found[1].replace(",", "")) * _SCALES[found[3]]
    return f"{number}{found[2]}" if number.denominator == 1 else found.group()


def _meaning(said: str) -> str:
    if _NOTHING.fullmatch(said):
        return "\\emptyset"
    if _MISSING.fullmatch(said):
        return "\x02does not exist\x03"
    if found := _BEHAVES.fullmatch(said):
        return f"\x02{found[1]}\x03"
    if found := _AFFIRMED.fullmatch(said):
        others = {"yes", "true"} if found[1] in ("no", "false") else {"no", "not", "false", "never"}
        return "" if {*others, "or", "but"} & set(re.findall("[a-z]+", said)) else f"\x02{found[1]}\x03"
    if found := _EXCEPT.fullmatch(said):
        line = "\\mathbb{Z}" if found[1] == "integers" else "\\mathbb{R}"
        points = found[2].replace(", and ", ",").replace(" and ", ",").replace(" or ", ",").strip()
        points = points.removeprefix("\\{").removesuffix("\\}")
        return "" if _WORD.search(points) else f"{line}\\setminus\\{{{points}\\}}"
    plain = said.removeprefix("the set of ").removeprefix("the ").removeprefix("all ").removeprefix("any ")
    if meaning := _SETS.get(plain, "") or _counted(said) or _span(said):
        return meaning
    every = _PLAIN_WORDS.fullmatch(said)
    return f"\x02{every[1]}\x03" if every and not every[1].startswith("real") else ""


def _counted(said: str) -> str:
    """Return a number in words, perhaps with what is counted, as a numeral; a fraction in words as a fraction."""
    words = said.replace("-", " ").removeprefix("a ").split()
    if len(words) > 1 and words[-1] in _PARTS and (top := _whole(words[:-1])):
        return f"\\frac{{{top}}}{{{_PARTS[words[-1]]}}}"
    if words == ["half"]:
        return "\\frac{1}{2}"
    if len(words) > 1 and words[-1] not in _NO_NOUNS and (number := _whole(words[:-1])):
        return f"{number} \x02{words[-1]}\x03"
    return _whole(words)


def _whole(words: list[str]) -> str:
    """Return a number in words below a hundred, or hundreds and thousands, as a numeral."""
    match words:
        case [word] if word in _SMALL or word in _TENS:
            return str({**_SMALL, **_TENS}[word])
        case [tens, ones] if tens in _TENS and 0 < _SMALL.get(ones, 0) < 10:
            return str(_TENS[tens] + _SMALL[ones])
        case [ones, "hundred"] if 0 < _SMALL.get(ones, 0) < 10:
            return str(100 * _SMALL[ones])
        case [ones, "thousand"] if 0 < _SMALL.get(ones, 0) < 20:
            return str(1000 * _SMALL[ones])
    return ""


def _span(said: str) -> str:
    """Return ``3 hours and 20 minutes`` as a quantity in the first unit; nothing where the units do not go down."""
    parts = _SPAN.findall(said)
    if len(parts) < 2 or "".join(_SPAN.split(said)[::3]):
        return ""
    sizes = [measure(unit.strip(".")) for _, unit in parts]
    known = [size for size in sizes if size is not None]
    if len(known) != len(parts) or len({kind for kind, _ in known}) != 1:
        return ""
    if any(later >= earlier for (_, earlier), (_, later) in itertools.pairwise(known)):
        return ""
    total = sum((Fraction(number) * size for (number, _), (_, size) in zip(parts, known, strict=True)), Fraction(0))
    total /= known[0][1]
    return f"\\frac{{{total.numerator}}}{{{total.denominator}}} \x02{parts[0][1]}\x03"


def _outward(opening: str, ends: str, closing: str) -> str:
    """Return an interval with brackets that open outward as one with round ones; ``[a, b]`` as it is."""
    return f"{'(' if opening == ']' else '['}{ends}{')' if closing == '[' else ']'}"
