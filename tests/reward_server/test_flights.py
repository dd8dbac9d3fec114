import asyncio

import pytest

from reward_server.flights import Flights


async def test_work_under_way_is_shared():
    """Callers of one key get the result of one piece of work; the first is told it was its own."""
    flights, begun = Flights(), []

    async def work():
        begun.append(1)
        await asyncio.sleep(0)
        return "done"

    answers = await asyncio.gather(*(flights.join("key", work) for _ in range(3)))
    assert answers == [("done", False), ("done", True), ("done", True)]
    assert len(begun) == 1
    assert len(flights) == 0


async def test_an_error_reaches_every_caller():
    """When the work fails, it fails for all who wait, and the next call begins anew."""

    async def fail():
        await asyncio.sleep(0)
        raise ValueError("broken")

    async def succeed():
        return "done"

    flights = Flights()
    errors = await asyncio.gather(*(flights.join("key", fail) for _ in range(2)), return_exceptions=True)
    assert [str(error) for error in errors] == ["broken"] * 2
    assert await flights.join("key", succeed) == ("done", False)


async def test_work_outlives_the_caller_that_began_it():
    """The work ends with its last caller, not with its first."""
    flights, go = Flights(), asyncio.Event()

    async def work():
        await go.wait()
        return "done"

    first, second = (asyncio.ensure_future(flights.join("key", work)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    go.set()
    assert await second == ("done", True)
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_the_last_caller_s_cancellation_waits_for_the_work_to_end():
    """Once the last caller is told of its cancellation nothing of the work runs any more."""
    flights, ended = Flights(), []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append(1)

    caller = asyncio.ensure_future(flights.join("key", work))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller])
    assert ended == [1]
    assert len(flights) == 0
