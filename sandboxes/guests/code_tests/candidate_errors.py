"""Exceptions as they cross between tests and candidate: as names, text, and attributes read where they are."""

import builtins
import dataclasses
import decimal
from collections.abc import Callable
from typing import Any

_STANDARD = {kind.__name__: kind for kind in (dataclasses.FrozenInstanceError, decimal.InvalidOperation)}


class CandidateError(Exception):
    """The candidate raised something that is no builtin exception, or cannot be reached."""


class OwnError(Exception):
    """Part of every class that stands for an exception class of the candidate."""

    _message_ = ""
    _read_: Callable[[str], Any] | None = None

    def __str__(self) -> str:
        return self._message_ or super().__str__()

    def __getattr__(self, name: str) -> Any:
        if self._read_ is None or name[:2] == "__":
            raise AttributeError(name)
        return self._read_(name)


def builtin_exception(names: list[str]) -> type[BaseException]:
    """Return the class of Python's own that is the most derived of those with these names."""
    for name in names:
        found = _STANDARD.get(name) or getattr(builtins, name, None)
        if isinstance(found, type) and issubclass(found, Exception):
            return found
        if isinstance(found, type) and issubclass(found, BaseException) and name != "BaseException":
            return CandidateError  # SystemExit, KeyboardInterrupt: the examiner must not act on them
    return CandidateError


def said(error: BaseException | None) -> tuple[list[str], str]:
    """Return an exception of the test as names and text."""
    return ([kind.__name__ for kind in type(error).__mro__], str(error)) if error else ([], "")
