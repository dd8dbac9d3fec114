"""Whether a candidate's ``__eq__`` tells things apart: one that is always true would pass every positive comparison.

It is asked about a plain value, and about an object of its own class that holds nothing. This finds the equality that
is written to be true; an equality written to pass the trial as well remains the candidate's word.
"""

from collections.abc import Callable
from typing import Any

_STRANGER = "a text that no object of a solution equals"


class EqualityTrial:
    """Tries each class of the candidate once, when its equality first matters."""

    def __init__(self, request: Callable[..., Any]) -> None:
        self._request = request
        self._believed: dict[str, bool] = {}

    @property
    def guilty(self) -> list[str]:
        """The classes whose objects are equal to everything."""
        return sorted(kind for kind, believed in self._believed.items() if not believed)

    def clear(self) -> None:
        """Forget; another candidate is loaded."""
        self._believed.clear()

    def believes(self, handle: int, kind: str) -> bool:
        """Return True for an object whose equality may be believed. Raises TypeError for one that equals everything.

        It raises because "not equal" would be an answer, too, and pass a test that wants it.
        """
        if kind not in self._believed:
            self._believed[kind] = not (
                self._says_true("operator", handle, "eq", _STRANGER) or self._says_true("equal_to_blank", handle)
            )
        if not self._believed[kind]:
            raise TypeError(f"an object of {kind} equals everything")
        return True

    def _says_true(self, action: str, handle: int, *args: Any) -> bool:
        try:
            return self._request(action, handle, *args) is True
        except Exception:  # noqa: BLE001 - honest equality may raise on strangers
            return False


def equal_to_blank(subject: Any) -> bool:
    """Return whether ``subject`` holds something and equals an empty object of its class. Runs with the candidate."""
    kind = type(subject)
    slots = [vars(base).get("__slots__", ()) for base in kind.__mro__]
    names = [name for part in slots for name in ([part] if isinstance(part, str) else part)]
    if not (getattr(subject, "__dict__", None) or any(hasattr(subject, name) for name in names)):
        return False
    try:
        blank = object.__new__(kind)
    except TypeError:  # it extends a builtin type
        return False
    return bool(subject == blank)
