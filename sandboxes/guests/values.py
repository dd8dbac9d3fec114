"""A codec for Python values that can only build plain ones.

``encode`` reads values by their base class's storage, so that a subclass of list, int or str arrives as what it holds
and none of its methods runs; ``decode`` is total: for any JSON it returns a value or raises `CodecError`.

JSON's null, booleans, strings, lists and finite numbers stand for themselves; everything else is a one-key object:
i (integer in hex), f (inf, -inf, nan), c (complex), b (bytes), y (bytearray), t (tuple), s (set), z (frozenset),
d (dict, as pairs), q (deque), n (an array or number of NumPy, see `arrays`), x (a number or date of the standard
library: ``[class, parts]``), o (an object that stays where it is: ``[handle, kind, description]``).
"""

import datetime as dt
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from . import arrays

MAX_DEPTH = 64
MAX_NODES = 200_000
MAX_INTEGER_BITS = 1 << 19
MAX_COLLISIONS = 200
"""Items of one set or dict whose hashes are equal. More would make building it quadratic, on whoever decodes."""
MAX_EXACT_BITS = 1 << 12
"""Of a Fraction's terms and a Decimal's digits: arithmetic on longer ones is no longer linear."""
_SAFE_INTEGER = 1 << 53


class CodecError(Exception):
    """The value is too deep, too large, or of no plain type; or the JSON says nothing."""


@dataclass(frozen=True, slots=True)
class Remote:
    """An object on the other side: it cannot be looked into, only pointed at."""

    handle: int
    kind: str
    """``function``, ``class``, ``exception``, ``iterator``, ``awaitable``, ``module``, ``object``, or ``valued`` for an
    instance of a class that extends a plain type."""
    description: str


class Encoder:
    """Encodes one message; the budget of nodes is for all its values."""

    def __init__(
        self, opaque: Callable[[Any], list[Any]] | None = None, keep: Callable[[type], bool] | None = None
    ) -> None:
        """``opaque`` gives ``[handle, kind, description]`` for what is not plain; without it that is refused.

        ``keep`` says which classes' instances stay where they are although they extend a plain type.
        """
        self._opaque = opaque
        self._keep = keep
        self._nodes = 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        """Return ``value`` as JSON. Raises `CodecError`."""
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise CodecError("the value is too deep or too large")
        if value is None or value is True or value is False:
            return value
        kind = type(value)
        if self._opaque and self._keep and self._keep(kind):
            return {"o": self._opaque(value)}
        for base, encoder in _ENCODERS:
            if kind is base or (base in kind.__mro__ and not issubclass(kind, type)):
                return encoder(self, value, depth + 1)
        if kind in _EXACT:
            return {"x": [kind.__name__, _parts(value)]}
        if kind.__module__ == "numpy" and (body := arrays.encode(value, lambda item: self.encode(item, depth))):
            return {"n": body}
        if self._opaque is None:
            raise CodecError(f"{kind.__name__} is not plain")
        return {"o": self._opaque(value)}

    def items(self, values: Any, depth: int) -> list[Any]:
        """Encode each of ``values``."""
        return [self.encode(value, depth) for value in values]


def _integer(_: Encoder, value: int, __: int) -> Any:
    plain = int.__pos__(value)
    if -_SAFE_INTEGER <= plain <= _SAFE_INTEGER:
        return plain
    if plain.bit_length() > MAX_INTEGER_BITS:
        raise CodecError(f"an integer of {plain.bit_length()} bits")
    return {"i": hex(plain)}


def _floating(_: Encoder, value: float, __: int) -> Any:
    plain = float.__pos__(value)
    return plain if plain - plain == 0.0 else {"f": float.__repr__(plain)}


def _parts(value: Any) -> list[Any]:
    match value:
        case Fraction(numerator=top, denominator=bottom):
            if max(top.bit_length(), bottom.bit_length()) > MAX_EXACT_BITS:
                raise CodecError("a fraction of too many digits")
            return [hex(top), hex(bottom)]
        case Decimal():
            text = str(value)
            if len(text) > MAX_EXACT_BITS:
                raise CodecError("a decimal of too many digits")
            return [text]
        case dt.timedelta():
            return [value.days, value.seconds, value.microseconds]
    return [value.isoformat()]


def _exact(body: Any) -> Any:
    name, parts = body
    if not all(type(part) is int or (isinstance(part, str) and len(part) <= MAX_EXACT_BITS) for part in parts):
        raise CodecError("numbers and short strings are expected")
    match name:
        case "Fraction":
            top, bottom = (int(part, 16) for part in parts)
            return Fraction(top, bottom)
        case "Decimal":
            number = Decimal(*parts)
            if number.is_snan():
                raise CodecError("a number that raises when it is compared")
            return number
        case "timedelta":
            return dt.timedelta(*parts)
        case "date" | "datetime" | "time":
            return getattr(dt, name).fromisoformat(*parts)
    raise CodecError(f"{name!r} is no class of values")


def _unordered(encoder: Encoder, values: Any, depth: int) -> list[Any]:
    return sorted(encoder.items(values, depth), key=repr)


_ENCODERS: tuple[tuple[type, Callable[[Encoder, Any, int], Any]], ...] = (
    (str, lambda _, value, __: str.__getitem__(value, slice(None))),
    (int, _integer),
    (float, _floating),
    (list, lambda encoder, value, depth: encoder.items(list.__iter__(value), depth)),
    (tuple, lambda encoder, value, depth: {"t": encoder.items(tuple.__iter__(value), depth)}),
    (
        dict,
        lambda encoder, value, depth: {
            "d": [[encoder.encode(key, depth), encoder.encode(item, depth)] for key, item in dict.items(value)]
        },
    ),
    (set, lambda encoder, value, depth: {"s": _unordered(encoder, set.__iter__(value), depth)}),
    (frozenset, lambda encoder, value, depth: {"z": _unordered(encoder, frozenset.__iter__(value), depth)}),
    (deque, lambda encoder, value, depth: {"q": encoder.items(deque.__iter__(value), depth)}),
    (bytes, lambda _, value, __: {"b": bytes.hex(value)}),
    (bytearray, lambda _, value, __: {"y": bytearray.hex(value)}),
    (
        complex,
        lambda encoder, value, depth: {
            "c": encoder.items((complex.__pos__(value).real, complex.__pos__(value).imag), depth)
        },
    ),
)
PLAIN_TYPES = tuple(base for base, _ in _ENCODERS)
_CONTAINERS = ("add", "clear", "copy", "count", "discard", "index", "pop", "remove", "update")
PREDICATES = frozenset(
    name
    for kind in (str, bytes, int, float, set, frozenset)
    for name in dir(kind)
    if name[0] != "_" and name not in _CONTAINERS and callable(getattr(kind, name))
)
"""Methods of plain values that are told what is expected, or might be: ``symmetric_difference``, ``startswith``."""
_EXACT = frozenset((Fraction, Decimal, dt.date, dt.datetime, dt.time, dt.timedelta))


def encode(value: Any) -> Any:
    """Return plain ``value`` as JSON. Raises `CodecError`."""
    return Encoder().encode(value)


def _unresolved(remote: Remote) -> Remote:
    """Leave what is on the other side there: so the host decodes, which also leaves NumPy to the boxes."""
    return remote


def decode(data: Any, resolve: Callable[[Remote], Any] = _unresolved, depth: int = 0) -> Any:
    """Return the value that ``data`` says; objects of the other side become what ``resolve`` makes of them.

    Raises `CodecError`.
    """
    if depth > MAX_DEPTH + 1:
        raise CodecError("the value is too deep")
    if data is None or isinstance(data, bool | int | float | str):
        return data
    if isinstance(data, list):
        return [decode(item, resolve, depth + 1) for item in data]
    if not isinstance(data, dict) or len(data) != 1:
        raise CodecError("an object with one key is expected")
    ((tag, body),) = data.items()
    decoder = _DECODERS.get(tag)
    if decoder is None:
        raise CodecError(f"{tag!r} is no tag")
    try:
        return decoder(body, lambda item: decode(item, resolve, depth + 1), resolve)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CodecError(f"{tag!r} cannot hold that: {error}") from None


def _remote(body: Any, resolve: Callable[[Remote], Any]) -> Any:
    handle, kind, description = body
    if not (type(handle) is int and isinstance(kind, str) and isinstance(description, str)):
        raise CodecError("a reference is a number and two strings")
    return resolve(Remote(handle, kind, description))


def _hashable(items: list[Any]) -> list[Any]:
    """Refuse items chosen to collide."""
    if len(items) > MAX_COLLISIONS:
        counts: dict[int, int] = {}
        for item in items:
            code = hash(item)
            counts[code] = counts.get(code, 0) + 1
            if counts[code] > MAX_COLLISIONS:
                raise CodecError("too many items of one set or dict have equal hashes")
    return items


def _special(body: Any) -> float:
    if body not in ("inf", "-inf", "nan"):
        raise CodecError("inf, -inf or nan is expected")
    return float(body)


_DECODERS: dict[str, Callable[[Any, Callable[[Any], Any], Callable[[Remote], Any]], Any]] = {
    "i": lambda body, _, __: int(body, 16),
    "f": lambda body, _, __: _special(body),
    "c": lambda body, item, __: complex(*(item(part) for part in body)),
    "b": lambda body, _, __: bytes.fromhex(body),
    "y": lambda body, _, __: bytearray.fromhex(body),
    "t": lambda body, item, __: tuple([item(part) for part in body]),
    "s": lambda body, item, __: set(_hashable([item(part) for part in body])),
    "z": lambda body, item, __: frozenset(_hashable([item(part) for part in body])),
    "d": lambda body, item, __: dict(
        zip(_hashable([item(key) for key, _ in body]), [item(value) for _, value in body], strict=True)
    ),
    "q": lambda body, item, __: deque([item(part) for part in body]),
    "n": lambda body, item, resolve: arrays.decode(body, item, plain=resolve is _unresolved),
    "x": lambda body, _, __: _exact(body),
    "o": lambda body, _, resolve: _remote(body, resolve),
}
