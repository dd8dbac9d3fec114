"""Cleans the text of an answer and cuts it into tokens, both in linear time. Nothing is understood here."""

import re
from typing import TypeAlias

from .notation import letters_upright, rewritten, sides, upright, without_lead
from .units import measure, unit_name
from .words import FUNCTIONS

MAX_CHARACTERS = 10_000
MAX_TOKENS = 2_000

_SPACING = re.compile(
    r"(?<!\\)\\(?:[,;:! ]|q?quad|(?:left|right|middle|displaystyle|textstyle|limits|[bB]igg?[lr]?)(?![a-zA-Z]))"
)
_TEXT = re.compile(
    r"\\(text|textrm|textnormal|textbf|textit|mathrm|mathbf|mathit|operatorname|mbox|hbox|textsf|boldsymbol|rm|bf)"
    r"\s*\*?\s*\{([^{}]*)\}"
)
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+|[₀₁₂₃₄₅₆₇₈₉]+")
_LEVEL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻₀₁₂₃₄₅₆₇₈₉", "0123456789-0123456789")
_DEGREE = re.compile(r"\\degree(?![a-zA-Z])")
_ELLIPSIS = re.compile(r"(?<=\d)(?:\.\.\.|\u2026)")
_HALF_DAY = re.compile(r"\b([AaPp])\. ?[Mm]\b\.?")
_STOP_IN_CASES = re.compile(r"\.(?= ?\\end ?\{)")
_LINE_END = re.compile(r"(?<!\\)\\cr(?![a-zA-Z])")
_MODULO = re.compile(r"(?:\(|(?<=\s))\s?(?:\\text\{ ?mod ?\}|\\b?mod|mod) ?\{?(\w+)\}?\)?$")
_TRANSPOSED = re.compile(r"\^ ?\{? ?(?:\\(?:top|intercal)(?![a-z])|\\(?:mathsf|mathrm|text|mathbf) ?\{ ?T ?\}) ?\}?")
_NAMED_CALL = re.compile(r"\\(?:text|mathrm)\s*\{\s*(gcd|lcm|max|min)\s*\}(?=\s*\()")
_NAMED = re.compile(r"\\operatorname\s*\*?\s*\{\s*([a-zA-Z]+)\s*\}")
_UNIT_VECTOR = re.compile(
    r"\\(?:mathbf|boldsymbol|bm|vec|hat|widehat|textbf)\s*(?:\{\s*(?:\\(?:hat|vec|mathbf|bm)\s*)?"
    r"(?:\{\s*(?P<twice>[ijk]|\\[ij]math)\s*\}|(?P<once>[ijk]|\\[ij]math))\s*\}|(?P<bare>\s[ijk]|\\[ij]math)(?![a-zA-Z]))"
)
_UNIT_FRACTION = re.compile(
    r"\\[dt]?frac\s*\{\s*\\(?:text|mathrm)\s*\{([^{}]*)\}\s*\}\s*\{\s*\\(?:text|mathrm)\s*\{([^{}]*)\}"
    r"\s*(?:\^\{?(\d)\}?\s*)?\}"
)
_UNIT_GROUP = re.compile(r"\\(?:text|mathrm)\s*\{((?:[^{}]|\{[^{}]{0,9}\}){1,60})\}")
_UNIT_DOTS = re.compile(r"\\(?:,|;|!| |cdot(?![a-z]))|~|\u00b7")
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|(?:\d+\.\d+|\.\d+|\d+)[eE][+-]?\d{1,6}(?!\d)|\d+\.\d+|\.\d+|\d+\.?)
    |(?P<command>\\[a-zA-Z]+|\\[{}|%$\\&])|(?P<word>[a-zA-Z]+)|(?P<text>\x02[^\x03]*\x03)
    |(?P<operator><=|>=|!=|\*\*|\+-|[-+*/^_=<>()\[\]{}|,;:!%&']))""",
    re.VERBOSE,
)
_ALIASES = re.compile(r"\\(?:bigcup(?! ?_)|bigcap|oslash|slash|mid|hbar)(?![a-zA-Z])")
_PLAIN_ALIASES = {
    "\\bigcup": "\\cup ",
    "\\bigcap": "\\cap ",
    "\\oslash": "\\emptyset ",
    "\\slash": "/",
    "\\hbar": "h_{bar} ",
}
_UNICODE = {
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "π": "\\pi ", "∞": "\\infty ", "√": "\\sqrt ",
    "≤": "<=", "≥": ">=", "≠": "!=", "±": "\\pm ", "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "°": "^\\circ ",
    "½": "\\frac{1}{2}", "¼": "\\frac{1}{4}", "¾": "\\frac{3}{4}", "∅": "\\emptyset ",
    "ℝ": "\\mathbb{R}", "θ": "\\theta ", "α": "\\alpha ", "β": "\\beta ", "，": ",", "（": "(", "）": ")",
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "′": "'",
}  # fmt: skip
_BETWEEN = re.compile(r"\$\s?(or|and|,|;)\s?\$")
_CURRENCY = "€£¥₹$"
_GROUPS = re.compile(r"(?<=\d)(?:\\,|\\!|\\ |\\;|~| (?=\d{3}(?!\d)(?! ?/)))(?=\d{3}(?!\d))")
_DECIMAL_COMMA = re.compile(r"\d+(?:\.\d{3})*(?:\{,\}|,)\d+|\d{1,3}(?:\.\d{3})+(?!\d)")


Token: TypeAlias = tuple[str, str, bool]
"""Kind, text, and whether white space stood before."""


class GrammarError(Exception):
    """The text is no answer that this grammar knows."""


def clean(text: str, *, comma_locale: bool = False) -> str:
    """Strip what surrounds and decorates an answer: delimiters, spacing, currency, a final full stop."""
    text = _DEGREE.sub("^\\\\circ ", _RAISED.sub(_script, text))
    for symbol, plain in _UNICODE.items():
        text = text.replace(symbol, plain)
    text = _HALF_DAY.sub(r"\1m", _ELLIPSIS.sub(r"\\ldots ", text))
    text = _ALIASES.sub(lambda found: _PLAIN_ALIASES.get(found.group(), "\\mid " if "\\{" in text else "|"), text)
    text = _MODULO.sub(r"\\pmod{\1}", _STOP_IN_CASES.sub("", _LINE_END.sub(r"\\\\ ", text)))
    text = text.strip().strip("`*").strip()
    if comma_locale:
        text = _DECIMAL_COMMA.sub(_pointed, text)
    for opening, closing in (("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$")):
        if len(text) > len(opening + closing) and text.startswith(opening) and text.endswith(closing):
            text = text[len(opening) : -len(closing)].strip()
    text = _BETWEEN.sub(r" \1 ", text)
    text = text.replace("{,}", ",").replace(",\\!", ",").replace("\\$", "")
    for symbol in _CURRENCY:
        text = text.replace(symbol, "")
    text = _GROUPS.sub("", text)
    text = _TRANSPOSED.sub("^T ", _NAMED_CALL.sub(r"\\\1 ", text))
    text = _NAMED.sub(_function, _UNIT_VECTOR.sub(_unit_vector, _UNIT_FRACTION.sub(_unit_fraction, text)))
    text = _SPACING.sub(" ", _UNIT_GROUP.sub(_unit_group, text)).replace("~", " ")
    text = without_lead(rewritten(_TEXT.sub(_upright, text)))
    text = re.sub(r"\s+", " ", text).strip()
    return sides(text.removesuffix("\\\\").rstrip(" .") if not text.endswith("\\.") else text[:-2])


def _function(found: re.Match[str]) -> str:
    """Return a function that is named letter by letter as the command of that name."""
    return f"\\{found[1]} " if found[1] in FUNCTIONS else found.group()


def _unit_vector(found: re.Match[str]) -> str:
    letter = (found["twice"] or found["once"] or found["bare"]).strip(" \\")[0]
    return f"\\unitvector{letter} "


def _unit_fraction(found: re.Match[str]) -> str:
    """Return a fraction of two units as one unit."""
    power = f"^{found[3]}" if found[3] else ""
    return f"\\text{{{found[1].strip()}/{found[2].strip()}{power}}}"


def _unit_group(found: re.Match[str]) -> str:
    r"""Return upright units with powers, such as ``\mathrm{m\,s^{-2}}``, as one unit; other upright text as it is."""
    if "^" not in found[1] and "\\" not in found[1]:
        return found.group()
    unit = " ".join(unit_name(_UNIT_DOTS.sub(" ", found[1]).replace("{", "").replace("}", "")).split())
    return f"\\text{{ {unit} }}" if measure(unit) else found.group()


def _script(found: re.Match[str]) -> str:
    """Return raised or lowered digits as TeX writes them."""
    return f"{'_' if found.group()[0] in '₀₁₂₃₄₅₆₇₈₉' else '^'}{{{found.group().translate(_LEVEL)}}}"


def _upright(found: re.Match[str]) -> str:
    """Return upright text between marks, where it is not mathematics set upright."""
    begins = not found.string[: found.start()].rstrip(" ~")[-1:].isdigit()
    return letters_upright(found[2]) if found[1] == "mathrm" and begins else upright(found[2])


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
