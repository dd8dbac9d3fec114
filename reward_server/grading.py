"""Grading task files without a server: the same intake, engine and sandbox, in one process."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from reward.v1 import result_pb2, sample_pb2

from reward_server.config import Config
from reward_server.graders import GRADERS
from reward_server.intake import Intake
from reward_server.judges import Judges
from reward_server.provenance import result_message
from reward_server.scoring import Engine, Sample
from reward_server.statuses import RequestError
from sandboxes.base import Sandbox

_AHEAD = 4
"""How many samples are in hand for each box: enough to keep it busy, few enough to keep memory flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """One sample's result beside what it answers."""

    number: int
    """Its place in the work, from 0."""
    task: sample_pb2.Task
    sample: sample_pb2.Sample
    result: result_pb2.Result | None = None
    problem: str = ""
    """Why there is no result: the sample cannot be sent as it is."""


async def grade_all(
    sandbox: Sandbox,
    config: Config,
    work: Iterable[tuple[sample_pb2.Task, sample_pb2.Sample]],
    report: Callable[[Graded], None],
) -> None:
    """Grade ``work`` in a started ``sandbox`` and ``report`` each result when it is there."""
    engine = Engine(
        sandbox,
        max_response_bytes=config.max_response_bytes,
        judges=Judges(config.judges),
        verdict_runs=config.verdict_runs,
        minimum_assurance=config.minimum_level,
    )
    intake = Intake(default_limits=config.default_limits, max_limits=config.max_limits, max_samples=1)
    room = asyncio.Semaphore(_AHEAD * sandbox.concurrency)

    async def grade(blank: Graded, sample: Sample) -> None:
        try:
            (graded,) = await asyncio.gather(*engine.submit([sample]))
        finally:
            room.release()
        version = GRADERS[sample.task.grader].grader.version
        result = result_message(blank.sample.sample_id, sample, graded, version, sandbox.info)
        report(replace(blank, result=result))

    async with asyncio.TaskGroup() as group:
        for number, (task, sample) in enumerate(work):
            blank = Graded(number=number, task=task, sample=sample)
            await room.acquire()
            try:
                (order,) = intake.orders([task], [sample], "", distinct=False)
            except RequestError as error:
                room.release()
                report(replace(blank, problem=str(error)))
            else:
                group.create_task(grade(blank, order.sample))
