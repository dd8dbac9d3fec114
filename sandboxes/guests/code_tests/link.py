"""The examiner's link to the candidate: requests go there, values and stand-ins come back."""

import builtins
from collections.abc import Callable
from typing import Any

from ..values import CodecError, Encoder, Remote, decode
from .candidate_equality import EqualityTrial
from .candidate_errors import StandInErrors, said
from .proxies import Class, Proxy
from .trusted_names import is_public

_MAX_KINDS = 1_000


class Link:
    """Requests to the candidate, and what comes back."""

    def __init__(self, exchange: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """``exchange`` sends a message to the candidate and returns its next one."""
        self._exchange = exchange
        self.objects = False
        """Whether the test program works with classes of the solution."""
        self._callbacks: list[Any] = []
        self._proxies: dict[int, Proxy] = {}
        self._kinds: dict[str, type[Proxy]] = {}
        self._errors = StandInErrors(self.request, self.decode)
        self.trial = EqualityTrial(self.request)

    def load(self, source: str) -> dict[str, Any]:
        """Load the response's code and return the module's public names. Raises what loading raised."""
        self._proxies.clear()
        names = self._value(self._exchange({"load": source, "objects": self.objects}))
        return {name: self.decode(value) for name, value in names if is_public(name)}

    def request(self, action: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Have the candidate do ``action``; mutable arguments are changed here as they were changed there."""
        encoder = Encoder(self._point_at)
        message = {
            "do": action,
            "on": target,
            "args": [encoder.encode(item) for item in args],
            "kwargs": {name: encoder.encode(item) for name, item in kwargs.items()},
            "objects": self.objects,
        }
        reply = self._exchange(message)
        while "callback" in reply:
            reply = self._call_back(reply)
        for argument, content in zip((*args, *kwargs.values()), reply.get("changed") or (), strict=False):
            if content:
                _restore(argument, self.decode(content[0]))
        value = self._value(reply)
        same = reply.get("same")  # the very object that was passed
        if type(same) is int and 0 <= same < len(args) and isinstance(args[same], list | dict | set | bytearray):
            return args[same]
        return self.decode(value)

    def decode(self, data: Any) -> Any:
        """Return the value that ``data`` says, with stand-ins."""
        return decode(data, self._stand_in)

    def _value(self, reply: dict[str, Any]) -> Any:
        if "raised" in reply:
            raise self._errors.error(reply["raised"])
        return reply["value"]

    def _call_back(self, message: dict[str, Any]) -> dict[str, Any]:
        function = self._callbacks[message["callback"]]
        keywords = {name: self.decode(item) for name, item in message["kwargs"].items()}
        try:
            value = function(*(self.decode(item) for item in message["args"]), **keywords)
            answer = {"returned": Encoder(self._point_at).encode(value)}
        except Exception as error:  # noqa: BLE001 - the candidate may have asked for it, to try again
            answer = {"raising": said(error)}
        return self._exchange(answer)

    def _point_at(self, value: Any) -> list[Any]:
        if isinstance(value, Proxy):
            return [value._handle_, "object", ""]
        handle = getattr(value, "_handle_", None) if isinstance(value, type) else None
        if handle is not None:
            return [handle, "object", ""]
        name = getattr(value, "__name__", "")
        if isinstance(name, str) and name and getattr(builtins, name, None) is value:
            return [0, "builtin", name]
        if callable(value):
            self._callbacks.append(value)
            return [len(self._callbacks) - 1, "callback", ""]
        raise CodecError(f"{type(value).__name__} cannot be passed to the candidate")

    def _stand_in(self, remote: Remote) -> Any:
        if remote.kind == "exception":
            names = [str(name) for name in self.request("mro", remote.handle)]
            return self._errors.class_for(names, remote.handle)
        if remote.kind == "awaitable":
            return self._coroutine(remote.handle)
        if remote.handle not in self._proxies:  # one stand-in for one object, so that `is` holds where it should
            kind = Class if remote.kind == "class" else self._named(remote.description)
            self._proxies[remote.handle] = kind(self, remote)
        return self._proxies[remote.handle]

    def _named(self, description: str) -> "type[Proxy]":
        """Return the stand-ins' class for objects of a class: tests read the name of an object's type."""
        name = description.rpartition(".")[2].rstrip("'>")
        if name not in self._kinds and name.isidentifier() and len(self._kinds) < _MAX_KINDS:
            self._kinds[name] = type(name, (Proxy,), {"__slots__": ()})
        return self._kinds.get(name, Proxy)

    async def _coroutine(self, handle: int) -> Any:
        """Await, over there, what a coroutine function of the candidate returned."""
        return self.request("await", handle)


def _restore(argument: Any, content: Any) -> None:
    match argument:
        case list() | bytearray():
            argument[:] = content
        case dict() | set():
            argument.clear()
            argument.update(content)
