"""What a task's own reference does in the sandbox: found out once per task, and twice to be sure of it."""

import asyncio
from collections.abc import Hashable
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.flights import Flights
from reward_server.graders.base import Grader
from reward_server.memory import Memory
from sandboxes.base import MIB, Execution, Job, Limits, Sandbox
from sandboxes.errors import SandboxUnavailableError

_KEPT_BYTES = 256 * MIB
_OVERHEAD_BYTES = 1_000


class References:
    """The executions of tasks' references, remembered."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._flights: Flights[Execution] = Flights()
        self._kept: Memory[Hashable, Execution] = Memory(_KEPT_BYTES)

    async def of(self, digest: bytes, grader: Grader[Any], record: Any, limits: Limits) -> Execution | None:
        """Return what the reference of the task with ``digest`` does, or None when the grader needs none.

        Raises `InvalidTaskError` for a reference that does one thing and then another, and `SandboxError`.
        """
        key = (digest, limits)
        if kept := self._kept.get(key):
            return kept
        job = grader.prepare(record, limits)
        if job is None:
            return None
        execution, _ = await self._flights.join(key, lambda: self._run(job))
        if not execution.pressed:
            self._kept.put(key, execution, _OVERHEAD_BYTES + _weight(execution.report))
        return execution

    async def _run(self, job: Job) -> Execution:
        first, second = await run_in(self._sandbox, job), await run_in(self._sandbox, job)
        if first.pressed or second.pressed:
            return first if second.pressed else second
        if first.report != second.report:
            raise InvalidTaskError("", "its own reference gave different results when it was run twice")
        return second


async def run_in(sandbox: Sandbox, job: Job) -> Execution:
    """Run ``job``; a run that the sandbox gives up, though nobody cancelled it, raises `SandboxUnavailableError`."""
    try:
        return await sandbox.run(job)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            raise SandboxUnavailableError("the sandbox gave the run up") from None
        raise


def _weight(value: Any) -> int:
    """Return about how many bytes ``value``, as plain as JSON, takes."""
    match value:
        case str():
            return 50 + len(value)
        case dict():
            return 100 + sum(_weight(key) + _weight(item) for key, item in value.items())
        case list() | tuple():
            return 60 + sum(map(_weight, value))
    return 30
