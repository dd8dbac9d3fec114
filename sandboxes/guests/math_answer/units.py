"""Units of measurement: what they measure, and how many base units they are. Words that measure nothing have none."""

from fractions import Fraction
from typing import Any

_POWERS = {"square": "^2", "sq": "^2", "cubic": "^3"}
_NAMES = (
    ("length", "1", "m meter meters metre metres"),
    ("length", "1/100", "cm centimeter centimeters centimetre centimetres"),
    ("length", "1/1000", "mm millimeter millimeters millimetre millimetres"),
    ("length", "1000", "km kilometer kilometers kilometre kilometres"),
    ("length", "0.0254", "in inch inches"),
    ("length", "0.3048", "ft foot feet"),
    ("length", "0.9144", "yd yard yards"),
    ("length", "1609.344", "mi mile miles"),
    ("time", "1", "s sec second seconds"),
    ("time", "60", "min minute minutes"),
    ("time", "3600", "h hr hrs hour hours"),
    ("time", "86400", "day days"),
    ("time", "604800", "week weeks"),
    ("mass", "1", "g gram grams"),
    ("mass", "1000", "kg kilogram kilograms"),
    ("mass", "1/1000", "mg milligram milligrams"),
    ("mass", "453.59237", "lb lbs pound pounds"),
    ("mass", "28.349523125", "oz ounce ounces"),
    ("money", "1", "dollar dollars usd"),
    ("money", "1/100", "cent cents"),
    ("volume", "1", "l liter liters litre litres"),
    ("volume", "1/1000", "ml milliliter milliliters"),
    ("angle", "1", "degree degrees deg"),
    ("angle", "57.29577951308232", "radian radians rad"),
    ("part", "1/100", "percent"),
)
_UNITS = {name: (kind, Fraction(size)) for kind, size, names in _NAMES for name in names.split()}


def measure(unit: str) -> tuple[str, Fraction] | None:
    """Return what ``unit`` measures and its size; None when it is no unit of measurement that is known."""
    text = unit.replace(" per ", "/").replace("mph", "miles/hour").replace("kph", "km/h").strip(" .")
    top, slash, bottom = text.partition("/")
    above = _simple(top)
    below = _simple(bottom) if slash else ("", Fraction(1))
    if above is None or below is None:
        return None
    return f"{above[0]}/{below[0]}" if slash else above[0], above[1] / below[1]


def half_day(unit: str) -> str:
    """Return am or pm where a unit says so, however it is written; nothing else."""
    name = unit.replace(".", "").replace(" ", "").lower()
    return name if name in ("am", "pm") else ""


def compound(number: str, unit: str, rest: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """Return a quantity in two units as the tree of one in the first; None when they measure different things."""
    _, inner, lower = rest
    sizes = measure(unit), measure(lower)
    if sizes[0] is None or sizes[1] is None or sizes[0][0] != sizes[1][0]:
        return None
    match inner:
        case ("number", text):
            total = Fraction(number) + Fraction(text) * sizes[1][1] / sizes[0][1]
        case _:
            return None
    parts = ("number", str(total.numerator)), ("number", str(total.denominator))
    return ("quantity", ("divide", *parts), unit)


def _simple(text: str) -> tuple[str, Fraction] | None:
    first, _, rest = text.strip().partition(" ")
    name, _, power = (f"{rest}{_POWERS[first]}" if first in _POWERS else text.strip()).partition("^")
    if name not in _UNITS or not (power == "" or (len(power) == 1 and power.isdigit())):
        return None
    kind, size = _UNITS[name]
    return (kind, size) if not power else (f"{kind}^{power}", size ** int(power))
