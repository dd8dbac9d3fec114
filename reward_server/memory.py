"""What is kept for later: bounded by weight, the least recently used goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """A dictionary whose values together weigh at most so much. For use by one thread."""

    def __init__(self, most: int) -> None:
        """``most``: the weight of all values together, in the unit of `put`; with 0 nothing is kept."""
        self._most = most
        self._held = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """Return what is kept under ``key``, and make it the most recently used."""
        entry = self._values.get(key)
        if entry is None:
            return None
        self._values.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep ``value``; forget others until it fits. What alone weighs too much is not kept."""
        self.forget(key)
        if weight > self._most:
            return
        self._values[key] = (value, weight)
        self._held += weight
        while self._held > self._most:
            _, (_, freed) = self._values.popitem(last=False)
            self._held -= freed

    def forget(self, key: K) -> None:
        """Drop what is kept under ``key``, if anything."""
        entry = self._values.pop(key, None)
        if entry is not None:
            self._held -= entry[1]


def plain_weight(value: Any) -> int:
    """Return about how many bytes ``value``, as plain as JSON, takes."""
    match value:
        case str():
            return 50 + len(value)
        case dict():
            return 100 + sum(plain_weight(key) + plain_weight(item) for key, item in value.items())
        case list() | tuple():
            return 60 + sum(map(plain_weight, value))
    return 30
