"""A sandbox for tests: a function plays the box. Nothing untrusted may be given to it."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self, TypeAlias

from sandboxes.base import Execution, Job, SandboxInfo
from sandboxes.errors import SandboxError, SandboxUnavailableError

Handler: TypeAlias = Callable[[Job], Execution | Awaitable[Execution]]
"""Says what happened in a job, at once or after awaiting something; or raises what the sandbox should raise."""


class ScriptedSandbox:
    """Implements `Sandbox` by asking ``handler``; keeps the jobs it was given, in the order in which they started."""

    def __init__(
        self,
        handler: Handler,
        *,
        concurrency: int = 2,
        info: SandboxInfo = SandboxInfo(runtime="scripted"),  # noqa: B008 - frozen
    ) -> None:
        self._handler = handler
        self._concurrency = concurrency
        self._info = info
        self._turns = asyncio.Semaphore(concurrency)
        self._running: set[asyncio.Future[Execution]] = set()
        self._open = False
        self.jobs: list[Job] = []

    @property
    def info(self) -> SandboxInfo:
        """What this sandbox pretends to be."""
        return self._info

    @property
    def concurrency(self) -> int:
        """How many handlers run at the same time."""
        return self._concurrency

    async def start(self) -> None:
        """Accept jobs."""
        self._open = True

    async def run(self, job: Job) -> Execution:
        """Return what the handler says about ``job``, or raise what it raises."""
        async with self._turns:
            if not self._open:
                raise SandboxUnavailableError("the sandbox is closed")
            self.jobs.append(job)
            said = self._handler(job)
            if not inspect.isawaitable(said):
                return said
            running = asyncio.ensure_future(said)
            self._running.add(running)
            try:
                return await running
            except asyncio.CancelledError:
                if self._open:
                    raise
                raise SandboxUnavailableError("the sandbox was closed") from None
            finally:
                self._running.discard(running)

    async def run_together(self, jobs: Sequence[Job]) -> list[Execution | SandboxError]:
        """Return what the handler says about each of ``jobs``, one after another."""
        return [await self._run_or_error(job) for job in jobs]

    async def _run_or_error(self, job: Job) -> Execution | SandboxError:
        try:
            return await self.run(job)
        except SandboxError as error:
            return error

    async def close(self) -> None:
        """Accept no more jobs and end those that run."""
        self._open = False
        for running in tuple(self._running):
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
