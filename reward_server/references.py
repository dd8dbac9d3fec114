"""What a task's own reference does in the sandbox: found out once per task, and twice to be sure of it."""

import asyncio
from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.flights import Flights
from reward_server.graders.base import Grader
from reward_server.memory import Memory, plain_weight
from reward_server.runs import Ran, Runs
from sandboxes.base import MIB, Execution, Job, Limits

_KEPT_BYTES = 256 * MIB
_OVERHEAD_BYTES = 1_000


class References:
    """The executions of tasks' references, remembered."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._flights: Flights[Execution] = Flights()
        self._kept: Memory[Hashable, Execution] = Memory(_KEPT_BYTES)

    async def of(
        self, digest: bytes, grader: Grader[Any], record: Any, limits: Limits, party: Hashable
    ) -> Execution | None:
        """Return what the reference of the task with ``digest`` does, or None when the grader needs none.

        It is run in turns of ``party``, so the caller must hold none. Raises `InvalidTaskError` for a reference that
        does one thing and then another, and `SandboxError`.
        """
        key = (digest, limits)
        if kept := self._kept.get(key):
            return kept
        job = grader.prepare(record, limits)
        if job is None:
            return None
        execution, _ = await self._flights.join(key, lambda: self._run(job, party))
        if not execution.pressed:
            self._kept.put(key, execution, _OVERHEAD_BYTES + plain_weight(execution.report))
        return execution

    async def _run(self, job: Job, party: Hashable) -> Execution:
        # In two runs at the same time; two of one company could be one run, which shows nothing.
        alike = (replace(job, company=f"{job.company} {i}" if job.company else "") for i in (1, 2))
        runs = await asyncio.gather(*(self._runs.run(each, party) for each in alike), return_exceptions=True)
        first, second = [_execution(run) for run in runs]
        if first.pressed or second.pressed:
            return first if second.pressed else second
        if first.report != second.report:
            raise InvalidTaskError("", "its own reference gave different results when it was run twice")
        return second


def _execution(run: Ran | BaseException) -> Execution:
    if isinstance(run, BaseException):
        raise run
    return run.execution
