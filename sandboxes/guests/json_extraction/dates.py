"""Dates as records give them, by their precision: a year, a month, a day, a time, an instant."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

Moment = tuple[str, Any]
"""The precision and the value: equal moments are equal tuples."""

_MAX_CHARACTERS = 60
_FIRST_HALF = ("january", "february", "march", "april", "may", "june")
_MONTHS = (*_FIRST_HALF, "july", "august", "september", "october", "november", "december")
_NAMES = {name[:size]: i for i, name in enumerate(_MONTHS, start=1) for size in (3, len(name))} | {"sept": 9}
_WEEKDAYS = {
    name for day in ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun") for name in (day[:3], day + "day")
}
_ISO = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d))?|([-/.])(\d{1,2})\4(\d{1,2})|(\d\d)(\d\d))?"
    r"(?:[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?(.*))?",
    re.ASCII,
)
_NUMERIC = re.compile(r"(\d{1,2})([./-]) ?(\d{1,2})\2 ?(\d{4})", re.ASCII)
_ZONE = re.compile(r"([-+])(\d\d):?(\d\d)", re.ASCII)
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?", re.ASCII)


def moment(value: Any, *, day_first: bool | None = None) -> Moment | None:
    """Return what ``value`` says, or None when it is no date or can be read in two ways."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if 1000 <= value <= 9999 else ""
    if not isinstance(value, str) or len(value) > _MAX_CHARACTERS:
        return None
    text = " ".join(value.split())
    try:
        if found := _ISO.fullmatch(text):
            return _iso(found)
        if found := _NUMERIC.fullmatch(text):
            return _numeric(found, day_first=day_first)
        return _worded(text)
    except (ValueError, OverflowError):
        return None


def _iso(found: re.Match[str]) -> Moment | None:
    month, day = found[2] or found[5] or found[7], found[3] or found[6] or found[8]
    said = _moment(int(found[1]), month and int(month), day and int(day))
    if found[9] is None:
        return said
    return _timed(said[1], found[9], found[10]) if said[0] == "day" else None


def _moment(year: int, month: Any, day: Any) -> Moment:
    whole = date(year, month or 1, day or 1)
    if day:
        return "day", whole
    return ("month", (year, month)) if month else ("year", year)


def _timed(day: date, clock: str, zone: str) -> Moment | None:
    """Midnight without a zone is the day itself: that is how many programs write a date."""
    at = datetime.combine(day, time.fromisoformat(clock.replace(",", ".")))
    if not zone:
        return ("day", day) if at.time() == time() else ("time", at)
    if zone.upper() in ("Z", "UTC", "GMT"):
        return "instant", at.replace(tzinfo=UTC)
    found = _ZONE.fullmatch(zone)
    if found is None:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3])) * (-1 if found[1] == "-" else 1)
    return "instant", at.replace(tzinfo=timezone(offset)).astimezone(UTC)


def _numeric(found: re.Match[str], *, day_first: bool | None) -> Moment | None:
    """``05.03.2020`` is the fifth of March; with slashes and dashes the order must be known or evident."""
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    if found[2] == ".":
        day_first = True
    elif day_first is None:
        if first <= 12 and second <= 12 and first != second:
            return None
        day_first = first > 12
    return _moment(year, second, first) if day_first else _moment(year, first, second)


def _worded(text: str) -> Moment | None:
    words = [word for word in re.split(r"[\s,.-]+", text.lower()) if word and word != "of"]
    if words and words[0] in _WEEKDAYS:
        del words[0]
    months = [i for i, word in enumerate(words) if word in _NAMES]
    if len(months) != 1 or len(words) not in (2, 3) or not re.fullmatch(r"\d{4}", words[-1], re.ASCII):
        return None
    month = _NAMES[words[months[0]]]
    rest = [word for i, word in enumerate(words[:-1]) if i != months[0]]
    day = _ORDINAL.fullmatch(rest[0]) if rest else None
    if rest and (day is None or int(day[1]) == 0):
        return None
    return _moment(int(words[-1]), month, int(day[1]) if day else None)
