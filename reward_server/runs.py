"""Jobs on their way to the sandbox: they wait for fair turns, and those that may share a run gather while they wait.

A fork and its layers cost milliseconds, and reading an answer often less than one. So jobs of one party, company and
program, under the same limits, that queue at the same moment are served by one run. Nobody waits for others to come,
but for those that the event loop is about to bring.
"""

import asyncio
import time
from collections.abc import Awaitable, Hashable
from dataclasses import dataclass, field
from typing import TypeVar

from reward_server.memory import plain_weight
from reward_server.turnstile import Turnstile
from sandboxes.base import MIB, Execution, Job, Sandbox
from sandboxes.errors import SandboxError, SandboxUnavailableError

T = TypeVar("T")
_MOST_TOGETHER = 16
"""Jobs in one run: enough to forget what the run costs, and few enough for its turn to stay short."""
_MOST_BYTES = 4 * MIB
"""Of payloads in one run, about."""
_QUIET_ROUNDS = 8
"""So many rounds of the event loop without a newcomer end a gathering: samples of one request are planned one by one,
and each takes some rounds to get here. A round costs microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """An execution and how long it took to come about."""

    execution: Execution
    queue_seconds: float
    run_seconds: float
    """Its share, where it shared a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seat:
    job: Job
    taken: float
    answer: asyncio.Future[Ran]

    def tell(self, result: Execution | SandboxError, *, queue_seconds: float, run_seconds: float) -> None:
        if self.answer.done():  # whoever sat here has gone
            return
        if isinstance(result, SandboxError):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(Ran(execution=result, queue_seconds=queue_seconds, run_seconds=run_seconds))


@dataclass(slots=True)
class _Gathering:
    """Jobs that will share a run once it is their turn."""

    seats: list[_Seat] = field(default_factory=list)
    room_bytes: int = _MOST_BYTES
    task: asyncio.Task[None] | None = None

    def has_room(self, size_bytes: int) -> bool:
        return len(self.seats) < _MOST_TOGETHER and size_bytes <= self.room_bytes

    def waiting(self) -> list[_Seat]:
        return [seat for seat in self.seats if not seat.answer.done()]


class Runs:
    """Runs jobs in a sandbox, as many at once as it has room for."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._turns = Turnstile(sandbox.concurrency)
        self._gatherings: dict[Hashable, _Gathering] = {}

    async def run(self, job: Job, party: Hashable = None) -> Ran:
        """Run ``job`` when it is the turn of ``party``. Raises `SandboxError`.

        Cancelling the call kills what only this job needs.
        """
        if job.company:
            return await self._run_together(job, party)
        asked = time.monotonic()
        async with self._turns.turn(party):
            begun = time.monotonic()
            execution = await _kept(self._sandbox.run(job))
        return Ran(execution=execution, queue_seconds=begun - asked, run_seconds=time.monotonic() - begun)

    async def _run_together(self, job: Job, party: Hashable) -> Ran:
        key, size = (party, job.company, job.program, job.limits), plain_weight(job.payload)
        gathering = self._gatherings.get(key)
        if gathering is None or not gathering.has_room(size):
            gathering = self._gatherings[key] = _Gathering()
            gathering.task = asyncio.create_task(self._conduct(key, party, gathering))
        gathering.room_bytes -= size
        seat = _Seat(job=job, taken=time.monotonic(), answer=asyncio.get_running_loop().create_future())
        gathering.seats.append(seat)
        try:
            return await seat.answer
        except asyncio.CancelledError:
            if not gathering.waiting() and gathering.task is not None and not gathering.task.done():
                self._close(key, gathering)  # a newcomer must not sit down at what is about to end
                gathering.task.cancel()
                await asyncio.wait([gathering.task])
            raise

    async def _conduct(self, key: Hashable, party: Hashable, gathering: _Gathering) -> None:
        try:
            async with self._turns.turn(party):
                await self._settle(gathering)
                self._close(key, gathering)
                seats, begun = gathering.waiting(), time.monotonic()
                results = await _kept(self._sandbox.run_together([seat.job for seat in seats]))
            share = (time.monotonic() - begun) / len(seats)
            for seat, result in zip(seats, results, strict=True):
                seat.tell(result, queue_seconds=begun - seat.taken, run_seconds=share)
        except Exception as error:  # noqa: BLE001 - it belongs to those who wait
            for seat in gathering.waiting():
                seat.answer.set_exception(error)
        finally:
            self._close(key, gathering)

    async def _settle(self, gathering: _Gathering) -> None:
        """Let those sit down who are on their way."""
        quiet = 0
        while quiet < _QUIET_ROUNDS and len(gathering.seats) < _MOST_TOGETHER:
            seated = len(gathering.seats)
            await asyncio.sleep(0)
            quiet = 0 if len(gathering.seats) > seated else quiet + 1

    def _close(self, key: Hashable, gathering: _Gathering) -> None:
        """Let nobody else sit down."""
        if self._gatherings.get(key) is gathering:
            del self._gatherings[key]


async def _kept(run: Awaitable[T]) -> T:
    """Await ``run``; one that the sandbox gives up, though nobody cancelled it, raises `SandboxUnavailableError`."""
    try:
        return await run
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            raise SandboxUnavailableError("the sandbox gave the run up") from None
        raise
