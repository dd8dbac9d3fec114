"""Arrays and numbers of NumPy as plain values: a kind, a shape and items. Only kinds that hold numbers or text.

NumPy is imported only where it already is (encoding) or is asked for (decoding inside a box); on the host a number
becomes Python's own, and an array is refused.
"""

import importlib
import sys
from collections.abc import Callable
from typing import Any

_KINDS = frozenset(
    f"{kind}{bits}"
    for kind, sizes in (("int", (8, 16, 32, 64)), ("uint", (8, 16, 32, 64)), ("float", (16, 32, 64)))
    for bits in sizes
) | {"bool", "complex64", "complex128", "str"}
_MAX_DIMENSIONS = 32


def encode(value: Any, items: Callable[[Any], Any]) -> list[Any] | None:
    """Return ``[kind, shape or None, items]`` for an array or number of NumPy; None for anything else."""
    numpy: Any = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray | numpy.generic):
        return None
    array = numpy.asarray(value)
    kind = "str" if array.dtype.kind == "U" else array.dtype.name
    if kind not in _KINDS:
        return None
    if isinstance(value, numpy.generic):
        return [kind, None, items(array.item())]
    return [kind, list(array.shape), items(array.reshape(-1).tolist())]


def decode(body: Any, item: Callable[[Any], Any], *, plain: bool) -> Any:
    """Return the array or number that ``body`` says. Raises TypeError or ValueError."""
    kind, shape, content = body
    if kind not in _KINDS or not (shape is None or _is_shape(shape)):
        raise ValueError("no kind or shape of an array")
    value = item(content)
    if not all(
        isinstance(part, bool | int | float | complex | str) for part in (value if shape is not None else [value])
    ):
        raise TypeError("arrays hold numbers and text")
    if plain:
        if shape is not None:
            raise ValueError("an array is no plain value")
        return value
    try:
        numpy: Any = importlib.import_module("numpy")
    except ImportError:
        raise ValueError("there is no NumPy here") from None
    array = numpy.array(value, dtype=numpy.dtype(kind))
    return array[()] if shape is None else array.reshape(shape)


def _is_shape(shape: Any) -> bool:
    return (
        isinstance(shape, list)
        and len(shape) <= _MAX_DIMENSIONS
        and all(type(size) is int and 0 <= size < 1 << 31 for size in shape)
    )
