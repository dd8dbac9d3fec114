"""The role that holds a response's code: loads it as a module and does with its objects what it is asked to.

It runs untrusted code in its own process, so nothing it says proves anything; it only ever says values. It knows
neither tests nor expected values: a call's arguments arrive, a value or an exception's names go back.
"""

import asyncio
import builtins
import copy
import functools
import inspect
import operator as _operator
import os
import socket
import sys
import traceback
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .. import task_files
from ..channel import Channel, FrameError
from ..values import PLAIN_TYPES, CodecError, Encoder, Remote, decode
from ..watch import Watch
from . import script_names
from .candidate_equality import equal_to_blank

MODULE = "solution"
_MAX_HANDLES = 100_000
_MAX_TEXT = 2_000
_MUTABLE = (list, dict, set, bytearray)
_CACHE_INFO = type(functools.cache(len).cache_info())
_CHANNEL_GONE = (EOFError, OSError)


class Candidate:
    """The loaded module and the objects that the other side points at."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._objects: list[Any] = []
        self._handles: dict[int, int] = {}
        self._module = types.ModuleType(MODULE)
        self._module.__file__ = os.path.abspath(f"{MODULE}.py")
        self._keep: Callable[[type], bool] | None = None
        self._watch = Watch()

    def serve(self) -> None:
        """Answer requests until the other side hangs up."""
        self._watch.start()
        while True:
            self.answer(task_files.receive(self._channel))

    def answer(self, request: dict[str, Any]) -> None:
        """Do what one request asks and send what came of it: a value, or the names of an exception."""
        self._keep = _is_own if request.get("objects") else _is_cache_info
        try:
            reply = self._do(request)
        except BaseException as error:  # noqa: BLE001 - whatever the code raises is part of its answer
            reply = {"raised": {**describe(error), **self._content(error)}}
        self._watch.look()
        with suppress(Exception):  # what it printed is a signal, too; it may have closed or replaced the stream
            sys.stdout.flush()
        try:
            self._channel.send(reply)
        except FrameError as error:
            self._channel.send({"raised": {"mro": ["ValueError"], "message": f"the value cannot be sent: {error}"}})

    def _content(self, error: BaseException) -> dict[str, Any]:
        """Return what an exception holds; its attributes are read where they are."""
        try:
            arguments = [_or_reference(self._encoder(), item, self._point_at) for item in error.args]
            return {"args": arguments, "handle": self._point_at(error)[0]}
        except BaseException:  # noqa: BLE001 - a hostile class
            return {"args": []}

    def _do(self, request: dict[str, Any]) -> dict[str, Any]:
        match request:
            case {"load": source}:
                return {"value": self._load(source)}
            case {"do": action, "on": target, "args": args, "kwargs": kwargs}:
                return self._perform(_ACTIONS[action], target, args, kwargs)
        raise ValueError("the request is not understood")

    def _load(self, source: str) -> Any:
        module = self._module
        sys.modules[MODULE] = module
        code = compile(source, "<response>", "exec")
        exec(code, module.__dict__)  # noqa: S102 - this is what the process is for
        public = {name: value for name, value in vars(module).items() if not (name[:2] == "__" == name[-2:])}
        encoder = self._encoder()
        return [[name, _or_reference(encoder, value, self._point_at)] for name, value in public.items()]

    def _perform(self, action: Callable[..., Any], target: Any, args: Any, kwargs: Any) -> dict[str, Any]:
        arguments = [self._decode(item) for item in args]
        keywords = {name: self._decode(item) for name, item in kwargs.items()}
        subject = self._named(target) if isinstance(target, str) else self._objects[target]
        value = action(subject, *arguments, **keywords)
        encoder = Encoder(self._point_at) if action is _itself else self._encoder()
        reply: dict[str, Any] = {"value": encoder.encode(value)}
        same = [i for i, item in enumerate(arguments) if item is value and type(item) in _MUTABLE]
        if same:
            reply["same"] = same[0]
        pairs = zip([*args, *kwargs.values()], [*arguments, *keywords.values()], strict=True)
        changed = [self._after(before, now) for before, now in pairs]
        if any(item is not None for item in changed):
            reply["changed"] = changed
        return reply

    def _named(self, name: str) -> Any:
        """Return what the module calls ``name``; a method of a class ``Solution`` of its own does as well."""
        holder = getattr(self._module, "Solution", None)
        if not hasattr(self._module, name) and isinstance(holder, type) and hasattr(holder, name):
            return getattr(holder(), name)
        return getattr(self._module, name)

    def _after(self, before: Any, now: Any) -> Any:
        """Return a mutable argument's content after the call where it has changed, else None."""
        if type(now) not in _MUTABLE:
            return None
        after = Encoder(self._point_at).encode(now)
        return None if after == before else [after]

    def _encoder(self) -> Encoder:
        return Encoder(self._point_at, self._keep)

    def _decode(self, data: Any) -> Any:
        return decode(data, self._resolve)

    def _resolve(self, remote: Remote) -> Any:
        if remote.kind == "builtin":
            return getattr(builtins, remote.description)
        if remote.kind == "callback":
            return self._callback(remote.handle)
        return self._objects[remote.handle]

    def _callback(self, number: int) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            encoder = self._encoder()
            keywords = {name: encoder.encode(item) for name, item in kwargs.items()}
            self._channel.send(
                {"callback": number, "args": [encoder.encode(item) for item in args], "kwargs": keywords}
            )
            while not (message := self._channel.receive()).keys() & {"returned", "raising"}:
                self.answer(message)
            if "raising" in message:
                raise _error(*message["raising"])[1] or Exception
            return self._decode(message["returned"])

        return call

    def _point_at(self, value: Any) -> list[Any]:
        handle = self._handles.get(id(value))  # the object lives as long as its handle, so its id is its own
        if handle is None:
            if len(self._objects) >= _MAX_HANDLES:
                raise CodecError("too many objects are pointed at")
            self._objects.append(value)
            handle = self._handles[id(value)] = len(self._objects) - 1
        return [handle, _kind(value), type.__repr__(type(value))[:200]]


def describe(error: BaseException) -> dict[str, Any]:
    """Return an exception as names and text."""
    try:
        message = str(error)[:_MAX_TEXT]
    except BaseException:  # noqa: BLE001 - a hostile __str__
        message = ""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == "<response>"]
    line = own[-1].lineno if own else getattr(error, "lineno", None) if isinstance(error, SyntaxError) else None
    return {"mro": [kind.__name__ for kind in type(error).__mro__], "message": message, "line": line}


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return "exception" if issubclass(value, BaseException) else "class"
    if inspect.isroutine(value):
        return "function"
    if isinstance(value, types.ModuleType):
        return "module"
    if inspect.isawaitable(value):
        return "awaitable"
    if isinstance(value, PLAIN_TYPES):
        return "valued"
    return "iterator" if hasattr(type(value), "__next__") else "object"


def _is_own(kind: type) -> bool:
    """Return whether a class is the response's own: where the tests work with classes, its instances stay objects."""
    return kind.__module__ == MODULE


def _is_cache_info(kind: type) -> bool:
    """Return whether a class is what ``lru_cache`` counts in: tests of memoization read its fields by name."""
    return kind is _CACHE_INFO


def _itself(subject: Any) -> Any:
    return subject


def _or_reference(encoder: Encoder, value: Any, point_at: Callable[[Any], list[Any]]) -> Any:
    try:
        return encoder.encode(value)
    except CodecError:
        return {"o": point_at(value)}


def _attribute(subject: Any, name: str) -> Any:
    return getattr(subject, name)


def _method(subject: Any, name: str, /, *args: Any, **kwargs: Any) -> Any:
    return getattr(subject, name)(*args, **kwargs)


def _take(subject: Any, count: int) -> tuple[list[Any], bool]:
    """Return up to ``count`` items of an iterator, and whether it has ended.

    It is not asked for its iterator again: a class may begin anew then. What it raises is raised when it is asked next,
    after the items before it.
    """
    items: list[Any] = []
    if id(subject) in _RAISED:
        raise _RAISED.pop(id(subject))[1]
    try:
        while len(items) < count:
            items.append(next(subject))
    except StopIteration:
        return items, True
    except BaseException as error:
        if not items:
            raise
        _RAISED[id(subject)] = (subject, error)
    return items, False


def _await(subject: Any) -> Any:
    async def wait() -> Any:
        return await subject

    if not _LOOPS:  # one for all: what `asyncio.run` leaves behind it closes, such as generators
        _LOOPS.append(asyncio.new_event_loop())
    return _LOOPS[0].run_until_complete(wait())


def _error(names: list[str], message: str) -> tuple[Any, Any, Any]:
    """Return, as ``__exit__`` takes it, an exception that the tests raised."""
    for name in names:
        kind = getattr(sys.modules[MODULE], name, None) or getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            error = kind.__new__(kind, message)  # without `__init__`, which may want other arguments
            return kind, error, None
    return None, None, None


_RAISED: dict[int, tuple[Any, BaseException]] = {}
"""What iterators raised beyond the items that were handed over; each is kept alive, so that its id stays its own."""
_LOOPS: list[asyncio.AbstractEventLoop] = []
_ACTIONS: dict[str, Callable[..., Any]] = {
    "plain": _itself,
    "call": lambda subject, /, *args, **kwargs: subject(*args, **kwargs),
    "attribute": _attribute,
    "set_attribute": setattr,
    "method": _method,
    "item": lambda subject, key: subject[key],
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "exit": lambda subject, names, message: subject.__exit__(*_error(names, message)),
    "async_exit": lambda subject, names, message: subject.__aexit__(*_error(names, message)),
    "mro": lambda subject: [kind.__name__ for kind in subject.__mro__],
    "builtin_contains": lambda subject, item: item in subject,
    "iterate": iter,
    "take": _take,
    "await": _await,
    "is_instance": lambda subject, value: isinstance(value, subject),
    "is_subclass": lambda subject, value: issubclass(value, subject),
    "equal_to_blank": equal_to_blank,
    "builtin": lambda subject, name, *args: getattr(builtins, name)(subject, *args),
    "operator": lambda subject, name, other: getattr(_operator, name)(subject, other),
    "swapped": lambda subject, name, other: getattr(_operator, name)(other, subject),
}


def main(channel: Channel, peers: list[socket.socket]) -> None:
    """Serve one candidate."""
    del peers
    task_files.importable()
    script_names.complete()
    try:
        Candidate(channel).serve()
    except _CHANNEL_GONE:
        return
