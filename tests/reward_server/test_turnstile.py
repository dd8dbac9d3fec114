import asyncio

from reward_server.turnstile import Turnstile


async def test_no_more_turns_at_once_than_its_width():
    """Every further turn waits for one to end."""
    turnstile, inside, most = Turnstile(3), 0, 0

    async def visit(party):
        nonlocal inside, most
        async with turnstile.turn(party):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(visit(i % 2) for i in range(50)))
    assert (most, inside) == (3, 0)


async def test_parties_alternate():
    """However many turns a party waits for, the others get theirs in between."""
    turnstile, order = Turnstile(1), []

    async def visit(party):
        async with turnstile.turn(party):
            order.append(party)
            await asyncio.sleep(0)

    await asyncio.gather(*(visit("a") for _ in range(6)), *(visit("b") for _ in range(3)))
    assert order[:7] == ["a", "a", "b", "a", "b", "a", "b"]


async def test_a_cancelled_wait_passes_its_turn_on():
    """Whether cancelled while it waits or just when its turn comes, no turn is lost."""
    turnstile = Turnstile(1)
    for steps in range(5):
        async with turnstile.turn("holder"):
            waiting = [asyncio.ensure_future(_pass(turnstile, i)) for i in range(3)]
            await asyncio.sleep(0)
        for _ in range(steps):
            await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        async with asyncio.timeout(60), turnstile.turn("last"):
            pass


async def _pass(turnstile, party):
    async with turnstile.turn(party):
        await asyncio.sleep(0)
