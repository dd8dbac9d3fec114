"""Exceptions as they cross between tests and candidate: as names, text, and attributes read where they are."""

import builtins
import dataclasses
import decimal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from ..values import CodecError

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


class StandInErrors:
    """The candidate's exceptions as the tests see them: classes of their names, made as they are met."""

    def __init__(self, request: Callable[..., Any], decode: Callable[[Any], Any]) -> None:
        """``request`` asks the candidate, ``decode`` reads its values: those of `link.Link`."""
        self._request, self._decode = request, decode
        self._classes: dict[str, type[BaseException]] = {}

    def class_for(self, names: list[str], handle: int | None = None) -> type[BaseException]:
        """Return the class that stands for an exception with these names in its MRO, the most derived first."""
        base = builtin_exception(names)
        if names[:1] == [base.__name__]:
            return base
        known = self._classes.get(names[0])
        if known is None:
            parent = self.class_for(names[1:]) if len(names) > 1 else base
            above = parent if issubclass(parent, Exception) else Exception
            known = type(names[0], (above,) if issubclass(above, OwnError) else (OwnError, above), {})
            self._classes[names[0]] = known
        if handle is not None:
            known._handle_ = handle  # type: ignore[attr-defined] # by which it can be passed back
        return known

    def error(self, raised: dict[str, Any]) -> BaseException:
        """Return the exception that stands for what was ``raised`` over there."""
        names = [str(name) for name in raised.get("mro", [])] or ["Exception"]
        kind, message = self.class_for(names), str(raised.get("message", ""))
        try:
            error = kind(message)
        except TypeError:  # it wants other arguments, as UnicodeDecodeError does
            error = kind(*(self._decode(item) for item in raised["args"]))
        with suppress(CodecError, TypeError):
            arguments = tuple(self._decode(item) for item in raised["args"])
            if str(kind(*arguments)) == message or kind.__name__ == names[0]:
                error.args = arguments
        if isinstance(error, OwnError):
            error._message_, error._read_ = message, partial(self._request, "attribute", raised.get("handle"))
        return error


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
