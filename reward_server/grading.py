"""Grading task files without a server: the same intake, engine and sandbox, in one process."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reward.v1 import result_pb2, sample_pb2

from reward_server import wire
from reward_server.config import Config
from reward_server.graders import GRADERS
from reward_server.intake import Intake
from reward_server.scoring import Engine, Sample
from reward_server.statuses import RequestError
from sandboxes.base import Sandbox

_AHEAD = 4
"""How many samples are in hand for each box: enough to keep it busy, few enough to keep memory flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One sample's result beside what it answers."""

    task: sample_pb2.Task
    sample: sample_pb2.Sample
    result: result_pb2.Result | None
    problem: str = ""
    """Why there is no result: the sample cannot be sent as it is."""


async def grade_all(
    sandbox: Sandbox,
    config: Config,
    work: Iterable[tuple[sample_pb2.Task, sample_pb2.Sample]],
    report: Callable[[Graded], None],
) -> None:
    """Grade ``work`` in a started ``sandbox`` and ``report`` each result when it is there."""
    engine = Engine(sandbox, max_response_bytes=config.max_response_bytes)
    intake = Intake(default_limits=config.default_limits, max_limits=config.max_limits, max_samples=1)
    room = asyncio.Semaphore(_AHEAD * sandbox.concurrency)
    async with asyncio.TaskGroup() as group:
        for task, sample in work:
            await room.acquire()
            try:
                order = intake.orders([task], [sample], "", distinct=False)[0].sample
            except RequestError as error:
                report(Graded(task=task, sample=sample, result=None, problem=str(error)))
                room.release()
                continue
            group.create_task(_grade(engine, sandbox, task, sample, order, report, room))


async def _grade(
    engine: Engine,
    sandbox: Sandbox,
    task: sample_pb2.Task,
    sample: sample_pb2.Sample,
    order: Sample,
    report: Callable[[Graded], None],
    room: asyncio.Semaphore,
) -> None:
    try:
        graded = await engine.submit([order])[0]
    finally:
        room.release()
    provenance = {"grader": order.task.grader, "grader_version": GRADERS[order.task.grader].grader.version}
    if graded.sandboxed:
        provenance["runtime"] = sandbox.info.runtime
    message = wire.result_message(sample.sample_id, graded.result, provenance, graded.queue_seconds, graded.run_seconds)
    report(Graded(task=task, sample=sample, result=message))
