"""Stand-ins, in the examiner, for a candidate's objects.

Plain values cross as values. Functions, classes, instances and iterators stay with the candidate; operations on their
stand-ins are requests. What a test asserts must be decided here, on plain values:

- equality with a plain value is False, or for an instance of a class that extends a plain type what its plain content
  says; a candidate's ``__eq__`` is asked only when both sides are its own objects, and believed only if it also says
  that something is not equal (`EqualityTrial`);
- order against a plain value is refused, or decided on that content;
- arithmetic, conversion to numbers, membership and predicates such as ``startswith`` are refused unless the test
  program itself works with classes of the solution (`Link.objects`): else a function could return an object whose
  every difference is zero where a number is expected;
- there too the difference of an object and a plain number is no plain number, and has no size, order or rounding.
"""

import operator
from collections.abc import Callable, Iterator
from numbers import Number
from typing import Any, Protocol

from ..values import PREDICATES, Remote
from .candidate_equality import EqualityTrial
from .candidate_errors import said

_CHUNK = 64
_BUILTINS = ("len", "str", "repr", "bool", "bytes", "reversed", "format")
_NUMERIC_BUILTINS = ("int", "float", "complex", "abs", "round", "divmod")
_COMPARISONS = ("lt", "le", "gt", "ge")
_OPERATORS = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
)
_METHODS = ("setitem", "delitem", "enter", "aiter")
_NUMERIC_METHODS = ("neg", "pos", "invert", "index", "floor", "ceil", "trunc")


class OtherSide(Protocol):
    """The candidate, as its stand-ins reach it; see `link.Link`."""

    objects: bool
    trial: EqualityTrial

    def request(self, action: str, target: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Have the candidate do ``action``."""


class Proxy:
    """Stands for one object of the candidate."""

    __slots__ = ("__weakref__", "_described_", "_differs_", "_handle_", "_kind_", "_link_")

    def __init__(self, link: OtherSide, remote: Remote) -> None:
        own = (("_link_", link), ("_handle_", remote.handle), ("_kind_", remote.kind), ("_differs_", False))
        for name, value in (*own, ("_described_", remote.description)):
            object.__setattr__(self, name, value)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call it over there."""
        return self._link_.request("call", self._handle_, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in PREDICATES:
            self._need_objects_(name)
        return self._link_.request("attribute", self._handle_, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._link_.request("set_attribute", self._handle_, name, value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Proxy):
            return self._kind_ == "valued" and bool(self._plain_() == other)
        if self._handle_ == other._handle_:
            return True
        equal = self._link_.request("operator", self._handle_, "eq", other) is True
        return equal and self._link_.trial.believes(self._handle_, self._described_)

    def __contains__(self, item: object) -> bool:
        if self._link_.objects:
            return self._link_.request("builtin_contains", self._handle_, item) is True
        return any(item == other for other in self)

    def _plain_(self) -> Any:
        """Return what an object that extends a plain type holds, read by that type's own storage."""
        value = self._link_.request("plain", self._handle_)
        return None if isinstance(value, Proxy) else value

    def _need_objects_(self, what: str) -> None:
        if not self._link_.objects:
            raise TypeError(f"{what} of an object where the tests expect a plain value")

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __getitem__(self, key: Any) -> Any:
        return self._link_.request("item", self._handle_, key)

    def __copy__(self) -> Any:
        return self._link_.request("copy", self._handle_)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._link_.request("deepcopy", self._handle_)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> Any:
        return self._link_.request("exit", self._handle_, *said(error))

    async def __aenter__(self) -> Any:
        return await self._link_.request("method", self._handle_, "__aenter__")

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> Any:
        return await self._link_.request("async_exit", self._handle_, *said(error))

    async def __anext__(self) -> Any:
        return await self._link_.request("method", self._handle_, "__anext__")

    def __hash__(self) -> int:
        return hash(self._link_.request("builtin", self._handle_, "hash"))

    def __iter__(self) -> Iterator[Any]:
        iterator = self._link_.request("iterate", self._handle_)
        if not isinstance(iterator, Proxy):
            yield from iterator
            return
        size = 1  # a generator's side effects must not run far ahead of its consumer
        while True:
            items, ended = self._link_.request("take", iterator._handle_, size)
            yield from items
            if ended:
                return
            size = min(2 * size, _CHUNK)

    def __next__(self) -> Any:
        items, _ = self._link_.request("take", self._handle_, 1)
        if not items:
            raise StopIteration
        return items[0]


class Class(Proxy):
    """Stands for a class of the candidate."""

    __slots__ = ()
    __hash__ = Proxy.__hash__

    def __eq__(self, other: object) -> bool:
        if isinstance(other, type) and issubclass(other, Proxy):  # ``type(x) == Dog``
            return bool(other.__name__ == self.__name__)
        return super().__eq__(other)

    def __instancecheck__(self, instance: Any) -> bool:
        """Ask the candidate, about its own objects only."""
        if not isinstance(instance, Proxy):
            return False
        return self._link_.request("is_instance", self._handle_, instance) is True

    def __subclasscheck__(self, subclass: Any) -> bool:
        """Ask the candidate, about its own classes only."""
        return isinstance(subclass, Proxy) and self._link_.request("is_subclass", self._handle_, subclass) is True


def _forward(action: str, name: str, *, numeric: bool) -> Callable[..., Any]:
    def operate(self: Proxy, *args: Any) -> Any:
        if numeric:
            self._need_objects_(name)
        if self._differs_ and name in ("abs", "round"):
            raise TypeError(f"{name} of the difference between an object of the solution and a number")
        value = self._link_.request(action, self._handle_, name, *args)
        if name in ("sub", "isub") and isinstance(args[0], Number):
            return _difference(self, action, args[0], value)
        return value

    return operate


def _difference(proxy: Proxy, action: str, other: Any, value: Any) -> Any:
    """Let no object say how far it is from a number: ``abs(area - 12.57) < 0.01`` must be decided here."""
    if isinstance(value, Proxy):
        object.__setattr__(value, "_differs_", True)
    elif isinstance(value, Number):
        plain = proxy._plain_() if proxy._kind_ == "valued" else None
        if not isinstance(plain, Number):
            raise TypeError("an object of the solution minus a number is a number")
        return other - plain if action == "swapped" else plain - other
    return value


def _compare(name: str) -> Callable[[Proxy, object], Any]:
    def compare(self: Proxy, other: object) -> Any:
        if not isinstance(other, Proxy) and self._kind_ == "valued" and not self._differs_:
            return getattr(operator, name)(self._plain_(), other)
        if not isinstance(other, Proxy):
            raise TypeError(f"{name} between an object of the solution and {type(other).__name__}")
        return self._link_.request("operator", self._handle_, name, other)

    return compare


for _name in _BUILTINS + _NUMERIC_BUILTINS:
    setattr(Proxy, f"__{_name}__", _forward("builtin", _name, numeric=_name in _NUMERIC_BUILTINS))
for _name in _COMPARISONS:
    setattr(Proxy, f"__{_name}__", _compare(_name))
for _name in _OPERATORS:
    setattr(Proxy, f"__{_name.rstrip('_')}__", _forward("operator", _name, numeric=True))
    setattr(Proxy, f"__r{_name.rstrip('_')}__", _forward("swapped", _name, numeric=True))
    setattr(Proxy, f"__i{_name.rstrip('_')}__", _forward("operator", f"i{_name.rstrip('_')}", numeric=True))
for _name in _METHODS + _NUMERIC_METHODS:
    setattr(Proxy, f"__{_name}__", _forward("method", f"__{_name}__", numeric=_name in _NUMERIC_METHODS))
for _kind in (Proxy, Class):
    _kind.__doc__ = property(lambda self: self._link_.request("attribute", self._handle_, "__doc__"))  # type: ignore[assignment] # instances have the text of what they stand for
