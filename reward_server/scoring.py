"""The engine: plans, runs, judges. Identical samples are graded once; nobody's fault is anybody's score."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.faults import DeadlineError, JudgeOutOfFormError, failure_of
from reward_server.flights import Flights
from reward_server.graders import GRADERS, Entry, model_judge
from reward_server.graders.base import CompositeGrader, Grader, Part
from reward_server.judges import Judges
from reward_server.memory import Memory
from reward_server.references import References
from reward_server.runs import Runs
from reward_server.steadiness import steady
from reward_server.turnstile import Turnstile
from reward_server.verdict import Failure, Result, Ruling, Verdict
from sandboxes.base import MIB, AssuranceLevel, Execution, Job, Limits, Sandbox
from sandboxes.errors import SandboxError

_RECORDS_BYTES = 256 * MIB
"""What the tasks kept as records may weigh, as messages."""
_OVERHEAD_BYTES = 1_000
"""About what a kept thing weighs beside its texts."""
_LONG_RESPONSE = 4_000
"""Characters, times the texts that each is compared with; planning for more can hold the event loop too long."""
_UNSTABLE = frozenset({Ruling.TIME_LIMIT, Ruling.MEMORY_LIMIT})
"""Rulings that a busy machine may change: never remembered."""
_MIN_RETRY_SECONDS, _MAX_RETRY_SECONDS = 0.1, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as the engine takes it."""

    grader: str
    read: Callable[[], Any]
    """Makes the record that the grader takes. Raises `InvalidTaskError`."""
    digest: bytes
    """Tells tasks apart by content."""
    size_bytes: int = 0


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
    assurance_level: AssuranceLevel | None = None
    """What the task settled for, where that is less than the sandbox gives."""
    lasting: bool = True
    """Whether the same sample would surely get the same verdict again."""


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
        max_queued: int = 20_000,
        max_response_bytes: int = MIB,
        verdict_memory_bytes: int = 64 * MIB,
        graders: Mapping[str, Entry] = GRADERS,
        judges: Judges | None = None,
        verdict_runs: int = 1,
        minimum_assurance: AssuranceLevel = AssuranceLevel.NAMESPACE,
    ) -> None:
        """``verdict_runs``: how often each job is run; see `steadiness` for what becomes of verdicts that differ.

        ``minimum_assurance``: a task that settles for less is not graded.
        """
        self._sandbox = sandbox
        self._judges = judges or Judges({})
        self._max_queued = max_queued
        self._max_response_bytes = max_response_bytes
        self._graders = graders
        self._planning = Turnstile(1)
        self._runs = Runs(sandbox)
        self._flights: Flights[Graded] = Flights()
        self._verdicts: Memory[Hashable, Graded] = Memory(verdict_memory_bytes)
        self._records: Memory[bytes, Any] = Memory(_RECORDS_BYTES)
        self._references = References(self._runs)
        self._verdict_runs = verdict_runs
        self._minimum_assurance = minimum_assurance
        self._accepted = 0
        self._mean_seconds = 0.1

    @property
    def accepted(self) -> int:
        """How many samples are accepted and not yet answered."""
        return self._accepted

    def submit(
        self, samples: Sequence[Sample], *, party: Hashable = None, deadline: float | None = None
    ) -> list[asyncio.Task[Graded]]:
        """Accept all of ``samples`` or none; return one task for each, which gives its result and raises no fault.

        ``party`` is who shares its turns fairly with others; ``deadline``, on the loop's clock, is when results that
        are not there become Failures. Cancel a task to give its sample up. Raises `QueueFullError`.
        """
        self._reserve(len(samples))
        tasks = [asyncio.create_task(self._answer(sample, party, deadline)) for sample in samples]
        for task in tasks:
            task.add_done_callback(self._answered)  # also for tasks cancelled before they began
        return tasks

    def submit_run(
        self, job: Job, *, party: Hashable = None, deadline: float | None = None
    ) -> asyncio.Task[Execution | Failure]:
        """Accept a job that grades nothing: it waits its turn among the samples. Raises `QueueFullError`."""
        self._reserve(1)
        task = asyncio.create_task(self._run_alone(job, party, deadline))
        task.add_done_callback(self._answered)
        return task

    def _reserve(self, count: int) -> None:
        room = self._max_queued - self._accepted
        if count > room:
            wait = (count - room) * self._mean_seconds / max(1, self._sandbox.concurrency)
            raise QueueFullError(count, room, min(_MAX_RETRY_SECONDS, max(_MIN_RETRY_SECONDS, wait)))
        self._accepted += count

    async def _run_alone(self, job: Job, party: Hashable, deadline: float | None) -> Execution | Failure:
        try:
            async with asyncio.timeout_at(deadline):
                return (await self._runs.run(job, party)).execution
        except TimeoutError:
            return failure_of(DeadlineError())
        except SandboxError as error:
            return failure_of(error)

    def _answered(self, _: asyncio.Task[Any]) -> None:
        self._accepted -= 1

    async def _answer(self, sample: Sample, party: Hashable, deadline: float | None) -> Graded:
        key = sample.key
        if remembered := self._verdicts.get(key):
            return replace(remembered, shared=True, queue_seconds=0.0, run_seconds=0.0)
        try:
            async with asyncio.timeout_at(deadline):
                graded, shared = await self._flights.join(key, lambda: self._grade(sample, key, party))
        except TimeoutError:
            return Graded(result=failure_of(DeadlineError()))
        return replace(graded, shared=True) if shared else graded

    async def _grade(self, sample: Sample, key: Hashable, party: Hashable) -> Graded:
        graded = await self._grade_once(sample, party)
        if graded.lasting and isinstance(graded.result, Verdict):
            self._verdicts.put(key, graded, _weight(graded.result))
        return graded

    async def _grade_once(self, sample: Sample, party: Hashable) -> Graded:
        """Grade a sample, or a part of one. This is the boundary where a fault becomes a Failure."""
        grader = self._graders[sample.task.grader].grader
        try:
            async with self._planning.turn(party):  # one at a time, so that a large request does not stall the rest
                record = self._record(sample.task)
                if refused := self._too_long(sample.response):
                    return Graded(result=refused)
                if isinstance(grader, CompositeGrader):
                    parts = grader.parts(record, sample.response)
                else:
                    planned = await _aside(grader.plan, record, sample.response, sample.limits)
            if isinstance(grader, CompositeGrader):
                return await self._grade_parts(sample, grader, record, parts, party)
            if isinstance(planned, Verdict):
                return Graded(result=planned)
            if planned.program == model_judge.PROGRAM:
                return await self._ask(grader, record, planned)
            return await self._run(sample, grader, record, planned, party)
        except Exception as error:  # noqa: BLE001 - the boundary
            return Graded(result=failure_of(error))

    def _record(self, task: Task) -> Any:
        record = self._records.get(task.digest)
        if record is None:
            record = task.read()
            self._records.put(task.digest, record, task.size_bytes + _OVERHEAD_BYTES)
        return record

    def _too_long(self, response: str) -> Verdict | None:
        size = len(response.encode("utf-8", "surrogatepass"))
        if size <= self._max_response_bytes:
            return None
        summary = f"The response has {size} bytes, at most {self._max_response_bytes} are graded."
        return Verdict(score=0.0, ruling=Ruling.OUTPUT_LIMIT, summary=summary)

    async def _run(self, sample: Sample, grader: Grader[Any], record: Any, job: Job, party: Hashable) -> Graded:
        self._require_assurance(job)
        wanted = self._references.of(sample.task.digest, grader, record, sample.limits, party)
        try:
            async with asyncio.TaskGroup() as group:  # the response's runs do not need the reference, its judge does
                finding = group.create_task(wanted)
                first, *others = [await self._runs.run(job, party) for _ in range(self._verdict_runs)]
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        execution, reference = first.execution, finding.result()
        verdict = await asyncio.to_thread(grader.judge, record, job, execution, reference)
        for again in others:
            if not (execution.pressed or again.execution.pressed):
                other = grader.judge(record, job, again.execution, reference)
                verdict = steady(verdict, other, task_is_steady=reference is not None)
        took = sum(run.run_seconds for run in (first, *others))
        self._mean_seconds += 0.05 * (took - self._mean_seconds)
        return Graded(
            result=verdict,
            sandboxed=True,
            queue_seconds=sum(run.queue_seconds for run in (first, *others)),
            run_seconds=took,
            assurance_level=job.assurance_level,
            lasting=not execution.pressed and verdict.ruling not in _UNSTABLE,
        )

    def _require_assurance(self, job: Job) -> None:
        least = self._minimum_assurance
        if job.assurance_level is not None and job.assurance_level < least:
            level = job.assurance_level.name.lower()
            reason = f"it settles for the assurance level {level}, and this server's minimum_assurance is"
            raise InvalidTaskError("", f"{reason} {least.name.lower()}")

    async def _ask(self, grader: Grader[Any], record: Any, job: Job) -> Graded:
        """Let a model judge; it takes no box, and its endpoint bounds how many are asked at once."""
        begun = time.monotonic()
        try:
            verdict = await self._judged(grader, record, job)
        except JudgeOutOfFormError:
            verdict = await self._judged_again(grader, record, job)
        return Graded(result=verdict, run_seconds=time.monotonic() - begun)

    async def _judged(self, grader: Grader[Any], record: Any, job: Job) -> Verdict:
        return grader.judge(record, job, await self._judges.run(job), None)

    async def _judged_again(self, grader: Grader[Any], record: Any, job: Job) -> Verdict:
        """Find out who is to blame for an answer out of form: the judge, or the response it was about."""
        try:
            return await self._judged(grader, record, job)
        except JudgeOutOfFormError as error:
            await self._judged(grader, record, model_judge.control(record, job.limits))
            return model_judge.out_of_form(error)

    async def _grade_parts(
        self, sample: Sample, grader: CompositeGrader[Any], record: Any, parts: Sequence[Part], party: Hashable
    ) -> Graded:
        """Grade each part as a sample of its own and combine the verdicts; a part's Failure is the whole's."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._grade_once(_part_sample(sample, i, part), party))
                for i, part in enumerate(parts)
            ]
        graded = [task.result() for task in tasks]
        if failed := next((part for part in graded if isinstance(part.result, Failure)), None):
            return failed
        verdicts = [part.result for part in graded if isinstance(part.result, Verdict)]
        return Graded(
            result=grader.combine(record, verdicts),
            sandboxed=any(part.sandboxed for part in graded),
            queue_seconds=max(part.queue_seconds for part in graded),
            run_seconds=sum(part.run_seconds for part in graded),
            assurance_level=min((part.assurance_level for part in graded if part.assurance_level), default=None),
            lasting=all(part.lasting for part in graded),
        )


async def _aside(plan: Callable[..., Job | Verdict], record: Any, response: str, limits: Limits) -> Job | Verdict:
    """Plan; for a long response in a thread, so that one hostile text does not hold up what others wait for."""
    if len(response) * getattr(record, "comparisons", 1) <= _LONG_RESPONSE:
        return plan(record, response, limits)
    return await asyncio.to_thread(plan, record, response, limits)


def _part_sample(whole: Sample, number: int, part: Part) -> Sample:
    digest = hashlib.sha256(b"%b part %d" % (whole.task.digest, number)).digest()
    task = Task(grader=part.grader, read=lambda: part.record, digest=digest)
    response = whole.response if part.response is None else part.response
    return Sample(task=task, response=response, limits=whole.limits)


def _weight(verdict: Verdict) -> int:
    texts = [check.name + check.detail for check in verdict.checks] + [flag.detail for flag in verdict.flags]
    return _OVERHEAD_BYTES + sum(200 + len(text) for text in texts)
