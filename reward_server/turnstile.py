"""A bounded number of turns at a time, shared fairly between those who queue."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turnstile:
    """Gives ``width`` turns at once; waiting parties take turns one by one, however many turns each waits for."""

    def __init__(self, width: int) -> None:
        self._free = width
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, party: Hashable) -> AsyncIterator[None]:
        """Hold a turn for ``party``, in the order of asking among its own."""
        await self._enter(party)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, party: Hashable) -> None:
        if self._free > 0:
            self._free -= 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(party, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._leave()  # the turn came together with the cancellation
            raise

    def _leave(self) -> None:
        while self._waiting:
            party, places = self._waiting.popitem(last=False)
            place = places.popleft()
            if places:
                self._waiting[party] = places  # to the end of the line
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
