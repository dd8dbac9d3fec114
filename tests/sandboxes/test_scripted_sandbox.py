"""The double behaves like a sandbox towards its callers."""

import asyncio

import pytest

from sandboxes.base import Ending, Execution, Job
from sandboxes.errors import BoxDiedError, SandboxUnavailableError
from sandboxes.scripted_sandbox import ScriptedSandbox

DONE = Execution(ending=Ending.EXITED, report={"said": "done"})
JOB = Job(program="anything", payload={})


async def test_the_handler_s_execution_is_returned() -> None:
    """What the handler returns is what happened, and the job is kept."""
    async with ScriptedSandbox(lambda _: DONE) as sandbox:
        assert await sandbox.run(JOB) is DONE
        assert sandbox.jobs == [JOB]


async def test_the_handler_may_wait() -> None:
    """A handler that is a coroutine function takes its time, at most ``concurrency`` at once."""
    active = most = 0

    async def handler(_: Job) -> Execution:
        nonlocal active, most
        active += 1
        most = max(most, active)
        await asyncio.sleep(0.01)
        active -= 1
        return DONE

    async with ScriptedSandbox(handler, concurrency=3) as sandbox:
        await asyncio.gather(*(sandbox.run(JOB) for _ in range(10)))
    assert most == 3


async def test_the_handler_s_error_is_raised() -> None:
    """A handler plays the sandbox's trouble by raising it."""

    def handler(_: Job) -> Execution:
        raise BoxDiedError("played")

    async with ScriptedSandbox(handler) as sandbox:
        with pytest.raises(BoxDiedError, match="played"):
            await sandbox.run(JOB)


async def test_cancelling_cancels_the_handler() -> None:
    """A cancelled call leaves no handler running."""
    cancelled = asyncio.Event()

    async def handler(_: Job) -> Execution:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return DONE

    async with ScriptedSandbox(handler) as sandbox:
        call = asyncio.create_task(sandbox.run(JOB))
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert cancelled.is_set()


async def test_it_refuses_jobs_unless_it_is_open() -> None:
    """Before start and after close it is unavailable, and closing ends what runs and what waits."""

    async def handler(_: Job) -> Execution:
        await asyncio.sleep(60)
        return DONE

    sandbox = ScriptedSandbox(handler, concurrency=1)
    with pytest.raises(SandboxUnavailableError):
        await sandbox.run(JOB)
    await sandbox.start()
    calls = [asyncio.create_task(sandbox.run(JOB)) for _ in range(2)]
    await asyncio.sleep(0.01)
    await sandbox.close()
    async with asyncio.timeout(30):
        ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(end) for end in ends] == [SandboxUnavailableError] * 2
