"""Cleans the text of an answer and cuts it into tokens, both in linear time. Nothing is understood here."""

import re
from typing import TypeAlias

MAX_CHARACTERS = 10_000
MAX_TOKENS = 2_000

_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|(?:quad|qquad|left|right|middle|displaystyle|textstyle|limits|[bB]igg?[lr]?)(?![a-zA-Z]))"
)
_TEXT = re.compile(
    r"\\(?:text|textrm|textnormal|textbf|textit|mathrm|mathbf|mathit|operatorname|mbox|hbox|textsf|boldsymbol|rm|bf)"
    r"\s*\*?\s*\{([^{}]*)\}"
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:,\d{3})+(?!\d)(?:\.\d+)?|(?:\d+\.\d+|\.\d+|\d+)[eE][+-]?\d{1,6}(?!\d)|\d+\.\d+|\.\d+|\d+\.?)
    |(?P<command>\\[a-zA-Z]+|\\[{}|%$\\&])|(?P<word>[a-zA-Z]+)|(?P<text>\x02[^\x03]*\x03)
    |(?P<operator><=|>=|!=|\*\*|\+-|[-+*/^_=<>()\[\]{}|,;:!%&']))""",
    re.VERBOSE,
)
_UNICODE = {
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "π": "\\pi ", "∞": "\\infty ", "√": "\\sqrt ",
    "≤": "<=", "≥": ">=", "≠": "!=", "±": "\\pm ", "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "°": "^\\circ ",
    "²": "^2", "³": "^3", "½": "\\frac{1}{2}", "¼": "\\frac{1}{4}", "¾": "\\frac{3}{4}", "∅": "\\emptyset ",
    "ℝ": "\\mathbb{R}", "θ": "\\theta ", "α": "\\alpha ", "β": "\\beta ", "，": ",", "（": "(", "）": ")",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "′": "'",
}  # fmt: skip
_CURRENCY = "€£¥₹$"
_GROUPS = re.compile(r"(?<=\d)(?:\\,|\\!|\\ |\\;|~| (?=\d{3}(?!\d)(?! ?/)))(?=\d{3}(?!\d))")
_DECIMAL_COMMA = re.compile(r"\d+(?:\.\d{3})*(?:\{,\}|,)\d+|\d{1,3}(?:\.\d{3})+(?!\d)")


Token: TypeAlias = tuple[str, str, bool]
"""Kind, text, and whether white space stood before."""


class GrammarError(Exception):
    """The text is no answer that this grammar knows."""


def clean(text: str, *, comma_locale: bool = False) -> str:
    """Strip what surrounds and decorates an answer: delimiters, spacing, currency, a final full stop."""
    for symbol, plain in _UNICODE.items():
        text = text.replace(symbol, plain)
    text = text.strip().strip("`*").strip()
    if comma_locale:
        text = _DECIMAL_COMMA.sub(_pointed, text)
    for opening, closing in (("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$")):
        if len(text) > len(opening + closing) and text.startswith(opening) and text.endswith(closing):
            text = text[len(opening) : -len(closing)].strip()
    text = text.replace("{,}", ",").replace(",\\!", ",").replace("\\$", "").replace("^{\\prime}", "'")
    for symbol in _CURRENCY:
        text = text.replace(symbol, "")
    text = _GROUPS.sub("", text)
    text = _SPACING.sub(" ", text).replace("~", " ")
    text = _TEXT.sub(_upright, text)
    text = re.sub(r"\s+", " ", text).strip()
    return text.removesuffix("\\\\").rstrip(" .") if not text.endswith("\\.") else text[:-2]


def _upright(found: re.Match[str]) -> str:
    """Return upright text between marks; numerals, bold or with words behind them, as they are."""
    return f" {found[1]} " if found[1].strip()[:1].isdigit() else f"\x02{found[1]}\x03"


def _pointed(found: re.Match[str]) -> str:
    """Return a numeral with a decimal comma as one with a decimal point."""
    return found.group().replace(".", "").replace("{,}", ".").replace(",", ".")


def tokens(text: str) -> list[Token]:
    """Cut the text into tokens."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.end() == position:
            if not text[position:].strip():
                break
            raise GrammarError(f"{text[position : position + 10]!r} is not understood")
        kind = match.lastgroup or ""
        spaced = match.start(kind) > match.start() if kind else False
        found.append((kind, match.group(kind), spaced))
        position = match.end()
        if len(found) > MAX_TOKENS:
            raise GrammarError("it has too many parts")
    return found
