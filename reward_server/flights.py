"""Single flight: callers that ask for the same thing at the same time share one piece of work."""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """The pieces of work under way, by key."""

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._under_way)

    async def join(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """Return what ``work`` returns, and whether another caller had already begun it.

        The work is cancelled when its last caller is; that caller is told once nothing of it runs any more.
        """
        flight = self._under_way.get(key)
        shared = flight is not None
        if flight is None:
            flight = self._under_way[key] = _Flight(work())
            flight.task.add_done_callback(lambda _: self._landed(key, flight))
        flight.passengers += 1
        try:
            return await asyncio.shield(flight.task), shared
        except asyncio.CancelledError:
            if flight.passengers == 1 and not flight.task.done():
                self._landed(key, flight)  # a newcomer must not board what is about to end
                flight.task.cancel()
                await asyncio.wait([flight.task])
            raise
        finally:
            flight.passengers -= 1

    def _landed(self, key: Hashable, flight: "_Flight[T]") -> None:
        if self._under_way.get(key) is flight:
            del self._under_way[key]
        if flight.task.done() and not flight.task.cancelled():
            flight.task.exception()  # seen, even when every caller has gone


class _Flight(Generic[T]):
    """One piece of work and how many wait for it."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self.task = asyncio.ensure_future(work)
        self.passengers = 0
