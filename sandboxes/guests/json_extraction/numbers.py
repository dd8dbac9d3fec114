"""Numbers as records give them: JSON numbers, and strings such as ``$1.2 million``."""

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

_MAX_CHARACTERS = 100
_MAX_EXPONENT = 400
_ALIKE = {0x2212: "-", 0x2019: "'"}
"""The minus sign and the typographic apostrophe."""
_CURRENCIES = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR"}
_SCALES = {
    **dict.fromkeys(("thousand", "k", "tsd"), 3),
    **dict.fromkeys(("million", "millions", "mn", "mio", "m"), 6),
    **dict.fromkeys(("billion", "billions", "bn", "b"), 9),
    **dict.fromkeys(("trillion", "trillions", "tn"), 12),
}
_CURRENCY = r"US\$|[$€£¥₹]|[A-Z]{3}\b"
_NUMERAL = re.compile(
    rf"(?P<sign>[-+]?) ?(?P<before>{_CURRENCY})? ?(?P<inner>[-+]?)"
    r"(?P<whole>\d{1,3}(?:(?P<group>[, '])\d{3})(?:(?P=group)\d{3})*|\d+)?"
    r"(?P<fraction>\.\d+)?(?P<exponent>[eE][-+]?\d{1,4})?"
    rf" ?(?P<scale>(?i:{'|'.join(sorted(_SCALES, key=len, reverse=True))})\b\.?)? ?(?P<after>%|percent|{_CURRENCY})?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, and in which currency it was given; empty when it was not."""

    number: Fraction
    currency: str = ""


def amount(value: Any, *, decimal_comma: bool = False) -> Amount | None:
    """Return what ``value`` says, or None when it is no number."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Amount(Fraction(value))
    if not isinstance(value, str) or len(value) > _MAX_CHARACTERS:
        return None
    text = " ".join(value.translate(_ALIKE).split())
    if decimal_comma:
        text = text.translate({ord(","): ".", ord("."): ","})
    found = _NUMERAL.fullmatch(text)
    if found is None or not (found["whole"] or found["fraction"]) or (found["sign"] and found["inner"]):
        return None
    return _amount(found)


def _amount(found: re.Match[str]) -> Amount | None:
    exponent = int((found["exponent"] or "e0")[1:])
    before, after = found["before"] or "", found["after"] or ""
    if abs(exponent) > _MAX_EXPONENT or (before and after):
        return None
    whole = re.sub(r"[, ']", "", found["whole"] or "0")
    number = Fraction(whole + (found["fraction"] or "")) * Fraction(10) ** exponent
    number *= 10 ** _SCALES[found["scale"].lower().rstrip(".")] if found["scale"] else 1
    if after in ("%", "percent"):
        number, after = number / 100, ""
    sign = -1 if "-" in (found["sign"], found["inner"]) else 1
    currency = before or after
    return Amount(sign * number, _CURRENCIES.get(currency, currency))


def close(actual: Amount, expected: Amount, *, relative: float, absolute: float) -> bool:
    """Return whether the two are as near as one of the tolerances wants; two currencies that differ are never."""
    if actual.currency and expected.currency and actual.currency != expected.currency:
        return False
    distance = abs(actual.number - expected.number)
    allowed = max(Fraction(repr(absolute)), Fraction(repr(relative)) * abs(expected.number))
    return distance <= allowed
