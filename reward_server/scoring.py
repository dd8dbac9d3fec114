"""The engine: plans, runs, judges. Identical samples are graded once; nobody's fault is anybody's score."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from reward_server.errors import InvalidTaskError
from reward_server.faults import failure_of
from reward_server.graders import GRADERS
from reward_server.turnstile import Turnstile
from reward_server.verdict import Result, Ruling, Verdict
from sandboxes.base import Execution, Job, Limits, Sandbox
from sandboxes.errors import SandboxError

T = TypeVar("T")
_REMEMBERED_REFERENCES = 1_000
_UNSTABLE = frozenset({Ruling.TIME_LIMIT, Ruling.MEMORY_LIMIT})
"""Rulings that a busy machine may change: never remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as the engine takes it."""

    grader: str
    record: Any
    """A record of the grader's task, or the error that it is invalid."""
    digest: bytes
    """Tells tasks apart by content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One response to one task."""

    task: Task
    response: str
    limits: Limits

    @property
    def key(self) -> Hashable:
        """What identical samples share."""
        text = hashlib.sha256(self.response.encode("utf-8", "surrogatepass")).digest()
        return (self.task.digest, text, self.limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A result and how it came about."""

    result: Result
    sandboxed: bool = False
    """Whether a sandbox took part."""
    queue_seconds: float = 0.0
    run_seconds: float = 0.0
    shared: bool = False


class QueueFullError(Exception):
    """The queue has no room for all of a request."""

    def __init__(self, wanted: int, room: int, retry_seconds: float) -> None:
        super().__init__(f"{wanted} samples do not fit into the queue, which has room for {room}")
        self.retry_seconds = retry_seconds


class Engine:
    """Grades samples in a sandbox."""

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        max_queued: int = 10_000,
        max_response_bytes: int = 1 << 20,
        remembered_verdicts: int = 20_000,
    ) -> None:
        self._sandbox = sandbox
        self._max_queued = max_queued
        self._max_response_bytes = max_response_bytes
        self._turnstile = Turnstile(sandbox.concurrency)
        self._flights: dict[Hashable, _Flight[Graded]] = {}
        self._references: OrderedDict[Hashable, _Flight[Execution]] = OrderedDict()
        self._remembered: OrderedDict[Hashable, Graded] = OrderedDict()
        self._remember_at_most = remembered_verdicts
        self._accepted = 0
        self._recent_seconds = 0.1

    @property
    def accepted(self) -> int:
        """How many samples are accepted and not yet answered."""
        return self._accepted

    def admit(self, count: int) -> None:
        """Accept ``count`` samples or none; each is then graded by `grade`. Raises `QueueFullError`."""
        room = self._max_queued - self._accepted
        if count > room:
            wait = (count - room) * self._recent_seconds / max(1, self._sandbox.concurrency)
            raise QueueFullError(count, room, min(30.0, max(0.1, wait)))
        self._accepted += count

    async def grade(self, sample: Sample, party: Hashable = None) -> Graded:
        """Grade an admitted sample; ``party`` is who shares its turns fairly with others. Never raises a fault."""
        try:
            if remembered := self._remembered.get(key := sample.key):
                self._remembered.move_to_end(key)
                return replace(remembered, shared=True, queue_seconds=0.0, run_seconds=0.0)
            flight = self._flights.get(key)
            if flight is not None:
                return replace(await flight.join(), shared=True)
            flight = _Flight(self._grade_once(sample, party), lambda: self._flights.pop(key, None))
            self._flights[key] = flight
            graded = await flight.join()
            self._remember(key, graded)
            return graded
        finally:
            self._accepted -= 1

    def _remember(self, key: Hashable, graded: Graded) -> None:
        if isinstance(graded.result, Verdict) and graded.result.ruling not in _UNSTABLE:
            self._remembered[key] = graded
            while len(self._remembered) > self._remember_at_most:
                self._remembered.popitem(last=False)

    async def _grade_once(self, sample: Sample, party: Hashable) -> Graded:
        asked = time.monotonic()
        try:
            planned = self._plan(sample)
        except Exception as error:  # noqa: BLE001 - the boundary: faults become Failures here and nowhere else
            return Graded(result=failure_of(error))
        if isinstance(planned, Verdict):
            return Graded(result=planned)
        async with self._turnstile.turn(party):
            begun = time.monotonic()
            try:
                result: Result = await self._run(sample, planned)
            except Exception as error:  # noqa: BLE001 - as above
                result = failure_of(error)
            took = time.monotonic() - begun
        self._recent_seconds += 0.05 * (took - self._recent_seconds)
        return Graded(result=result, sandboxed=True, queue_seconds=begun - asked, run_seconds=took)

    def _plan(self, sample: Sample) -> Job | Verdict:
        if isinstance(sample.task.record, InvalidTaskError):
            raise sample.task.record
        size = len(sample.response.encode("utf-8", "surrogatepass"))
        if size > self._max_response_bytes:
            summary = f"The response has {size} bytes, at most {self._max_response_bytes} are graded."
            return Verdict(score=0.0, ruling=Ruling.OUTPUT_LIMIT, summary=summary)
        return GRADERS[sample.task.grader].grader.plan(sample.task.record, sample.response, sample.limits)

    async def _run(self, sample: Sample, job: Job) -> Result:
        grader = GRADERS[sample.task.grader].grader
        reference = await self._reference(sample)
        execution = await self._sandbox.run(job)
        return grader.judge(sample.task.record, job, execution, reference)

    async def _reference(self, sample: Sample) -> Execution | None:
        """Return what the task's own job did; it runs once per task and is remembered."""
        job = GRADERS[sample.task.grader].grader.prepare(sample.task.record, sample.limits)
        if job is None:
            return None
        key = (sample.task.digest, sample.limits)
        flight = self._references.get(key)
        if flight is None:
            flight = _Flight(self._sandbox.run(job), lambda: None)
            self._references[key] = flight
            while len(self._references) > _REMEMBERED_REFERENCES:
                self._references.popitem(last=False)
        try:
            return await flight.join()
        except (SandboxError, asyncio.CancelledError):
            self._references.pop(key, None)
            raise


class _Flight(Generic[T]):
    """One piece of work that several callers wait for; it is cancelled when the last of them has gone."""

    def __init__(self, work: Coroutine[Any, Any, T], landed: Callable[[], object]) -> None:
        self._task = asyncio.ensure_future(work)
        self._task.add_done_callback(lambda _: landed())
        self._passengers = 0

    async def join(self) -> T:
        """Wait for the result."""
        self._passengers += 1
        try:
            return await asyncio.shield(self._task)
        except asyncio.CancelledError:
            if self._passengers == 1 and not self._task.done():
                self._task.cancel()
                await asyncio.wait([self._task])  # nothing of it runs on when the last caller is told
            raise
        finally:
            self._passengers -= 1
