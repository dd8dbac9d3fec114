"""Units of measurement: what they measure, and how many base units they are. Words that measure nothing have none."""

import functools
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "squared": 2, "cubed": 3}
_NAMES = (
    ("length", "1", "m meter meters metre metres"),
    ("length", "1/100", "cm centimeter centimeters centimetre centimetres"),
    ("length", "1/1000", "mm millimeter millimeters millimetre millimetres"),
    ("length", "1/1000000000", "nm nanometer nanometers nanometre nanometres"),
    ("length", "1000", "km kilometer kilometers kilometre kilometres"),
    ("length", "0.0254", "in inch inches"),
    ("length", "0.3048", "ft foot feet"),
    ("length", "0.9144", "yd yard yards"),
    ("length", "1609.344", "mi mile miles"),
    ("time", "1", "s sec second seconds"),
    ("time", "1/1000", "ms millisecond milliseconds"),
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
    ("length^3", "1/1000", "l liter liters litre litres"),
    ("length^3", "1/1000000", "ml milliliter milliliters"),
    ("angle", "1", "degree degrees deg"),
    ("angle", "57.29577951308232", "radian radians rad"),
    ("part", "1/100", "percent"),
    ("current", "1", "ampere amperes amp amps"),
    ("temperature", "1", "k kelvin kelvins"),
    ("amount", "1", "mol mole moles"),
    ("mass length time^-2", "1000", "n newton newtons"),
    ("mass length^2 time^-2", "1000", "j joule joules"),
    ("mass length^2 time^-2", "1000000", "kj kilojoule kilojoules"),
    ("mass length^2 time^-2", "4184", "cal calorie calories"),
    ("mass length^2 time^-3", "1000", "w watt watts"),
    ("mass length^2 time^-3", "1000000", "kw kilowatt kilowatts"),
    ("mass length^-1 time^-2", "1000", "pa pascal pascals"),
    ("mass length^-1 time^-2", "1000000", "kpa kilopascal kilopascals"),
    ("mass length^2 time^-2", "1.602176634e-16", "electronvolt electronvolts"),
    ("time^-1", "1", "hz hertz"),
    ("current time", "1", "coulomb coulombs"),
    ("mass length^2 time^-3 current^-1", "1000", "v volt volts"),
    ("mass length^2 time^-3 current^-2", "1000", "ohm ohms"),
)
_MAX_POWER = 9
_Dimension = dict[str, int]
_PER = re.compile(r"(?:^| )per ")
_PARTS = re.compile(r"[ *·-]+(?![\d-])")


def _dimension(text: str) -> _Dimension:
    """Return the powers of base quantities that a name like ``mass length time^-2`` stands for."""
    return {base: int(power or 1) for base, _, power in (part.partition("^") for part in text.split())}


_UNITS = {name: (_dimension(kind), Fraction(size)) for kind, size, names in _NAMES for name in names.split()}
_PREFIXES = (
    ("G", "giga", 9),
    ("M", "mega", 6),
    ("k", "kilo", 3),
    ("m", "milli", -3),
    ("n", "nano", -9),
    ("p", "pico", -12),
)
_PREFIXED = {
    f"{short}{symbol}": (f"{long}{base}", size)
    for short, long, size in _PREFIXES
    for symbol, base in {
        "N": "n", "J": "j", "W": "w", "Pa": "pa", "Hz": "hz", "V": "v", "A": "ampere", "C": "coulomb", "L": "l",
        "mol": "mol", "s": "s", "eV": "electronvolt",
    }.items()
}  # fmt: skip
_UNITS |= {
    name: (_UNITS[base][0], _UNITS[base][1] * Fraction(10) ** size)
    for name, size in _PREFIXED.values()
    if (base := name.removeprefix(next(long for _, long, _ in _PREFIXES if name.startswith(long))))
}
_NAMED = {
    "Nm": "n m",
    "kWh": "kilow h",
    "eV": "electronvolt",
    **{short: name for short, (name, _) in _PREFIXED.items()},
}
"""Units whose capitals say what they are."""
_WORDS = re.compile(r"[A-Za-z]+")


def unit_name(text: str) -> str:
    """Return a unit in small letters, where capitals tell units apart by a name of its own."""
    return _WORDS.sub(lambda found: _NAMED.get(found.group(), found.group().lower()), text)


@functools.lru_cache(maxsize=256)
def measure(unit: str) -> tuple[str, Fraction] | None:
    """Return what ``unit`` measures and its size; None when it is no unit of measurement that is known."""
    text = _PER.sub("/", f" {unit}".replace("mph", "miles/hour").replace("kph", "km/h")).strip(" .")
    kinds: _Dimension = {}
    size = Fraction(1)
    for place, side in enumerate(text.split("/")):
        for name, power in _powers(_PARTS.split(side.strip())):
            if name not in _UNITS or not 0 < abs(power) <= _MAX_POWER:
                return None
            sign = power if place == 0 else -power
            size *= _UNITS[name][1] ** sign
            for base, times in _UNITS[name][0].items():
                kinds[base] = kinds.get(base, 0) + times * sign
    kind = " ".join(f"{base}^{power}" for base, power in sorted(kinds.items()) if power)
    return (kind, size) if kind else None


def _powers(words: list[str]) -> Iterator[tuple[str, int]]:
    """Yield units with their powers, be they said before, behind or by a number; a power of 0 where it is none."""
    ahead = 1
    for place, word in enumerate(words):
        name, _, digits = word.partition("^")
        behind = words[place + 1] if place + 1 < len(words) else ""
        if word in ("square", "sq", "cubic", "cu"):
            ahead = _POWERS[word]
        elif word not in _POWERS:
            power = _POWERS[behind] if behind in ("squared", "cubed") else ahead
            plain = digits.lstrip("-").isdigit() and len(digits) <= 3
            yield name, power * int(digits or 1) if plain or not digits else 0
            ahead = 1


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
