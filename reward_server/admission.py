"""The door that every transport shares: one engine, one bounded queue, one drain, one line in the log for each call.

It knows neither gRPC nor HTTP. What it refuses it says with `RequestError`, `QueueFullError` or `DrainingError`; which
status that becomes is the transport's matter.
"""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from reward.v1 import result_pb2, reward_service_pb2, sample_pb2

from reward_server import wire
from reward_server.config import Config
from reward_server.graders import GRADERS, Entry
from reward_server.intake import Intake, Order
from reward_server.judges import Judges
from reward_server.provenance import result_message
from reward_server.scoring import Engine, Graded
from reward_server.statuses import DrainingError
from reward_server.verdict import Failure, Verdict
from sandboxes.base import Execution, Job, Sandbox

T = TypeVar("T")
Work: TypeAlias = list[tuple[Order, asyncio.Task[Graded]]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who asks for what, and how long they wait."""

    name: str
    """The method or path, for the log."""
    peer: str
    party: Hashable
    """Who shares turns fairly with others."""
    deadline: float | None = None
    """When, on the loop's clock, results that are not there become Failures."""
    begun: float = field(default_factory=time.monotonic)


class Admission:
    """Lets calls in, and says when the last has left."""

    def __init__(self, sandbox: Sandbox, config: Config, graders: Mapping[str, Entry] = GRADERS) -> None:
        self._sandbox = sandbox
        self._config = config
        self._graders = graders
        self._engine = Engine(
            sandbox,
            max_queued=config.max_queued_samples,
            max_response_bytes=config.max_response_bytes,
            verdict_memory_bytes=config.verdict_memory_bytes,
            verdict_runs=config.verdict_runs,
            minimum_assurance=config.minimum_level,
            graders=graders,
            judges=Judges(config.judges),
        )
        self._intake = Intake(
            default_limits=config.default_limits,
            max_limits=config.max_limits,
            max_samples=config.max_samples_per_request,
            graders=graders,
        )
        self.draining = False
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def drain(self) -> None:
        """Accept no further call; return once those accepted are answered."""
        self.draining = True
        await self._idle.wait()

    def accept(
        self,
        call: Call,
        tasks: Sequence[sample_pb2.Task],
        samples: Sequence[sample_pb2.Sample],
        run_id: str = "",
        *,
        distinct: bool = False,
    ) -> "Accepted":
        """Admit a request whole and begin with it. Use what is returned in `async with` at once.

        Raises `RequestError`, `QueueFullError`, `DrainingError`.
        """
        if self.draining:
            raise DrainingError
        orders = self._intake.orders(tasks, samples, run_id, distinct=distinct)
        begun = self._engine.submit([order.sample for order in orders], party=call.party, deadline=call.deadline)
        return Accepted(self, call, run_id, list(zip(orders, begun, strict=True)))

    async def run(self, call: Call, job: Job) -> Execution | Failure:
        """Run a job that grades nothing, in its turn. Raises `QueueFullError`, `DrainingError`."""
        if self.draining:
            raise DrainingError
        task = self._engine.submit_run(job, party=call.party, deadline=call.deadline)
        with self.counted():
            try:
                return await task
            finally:
                await cancel([task])
                _log_run(call, job, task)

    def message(self, order: Order, graded: Graded) -> result_pb2.Result:
        """Return what became of ``order``, with its provenance."""
        grader_version = self._graders[order.sample.task.grader].grader.version
        return result_message(order.sample_id, order.sample, graded, grader_version, self._sandbox.info)

    def capabilities(self) -> reward_service_pb2.GetCapabilitiesResponse:
        """Return what this server can do."""
        config = self._config
        return reward_service_pb2.GetCapabilitiesResponse(
            server_version=version("reward-server"),
            graders=[
                reward_service_pb2.GraderInfo(
                    name=name, version=entry.grader.version, languages=getattr(entry.grader, "languages", ())
                )
                for name, entry in self._graders.items()
            ],
            sandbox=wire.sandbox_message(self._sandbox.info),
            default_limits=wire.limits_message(config.default_limits),
            max_limits=wire.limits_message(config.max_limits),
            max_message_bytes=config.max_message_bytes,
            max_samples_per_request=config.max_samples_per_request,
            max_response_bytes=config.max_response_bytes,
            max_queued_samples=config.max_queued_samples,
            concurrency=self._sandbox.concurrency,
        )

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Keep the drain waiting."""
        self._calls += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()


class Accepted:
    """An admitted request: gives its orders and their work, and leaves nothing running behind."""

    def __init__(self, admission: Admission, call: Call, run_id: str, work: Work) -> None:
        self._counted = admission.counted()
        self._counted.__enter__()
        self._call = call
        self._run_id = run_id
        self._work = work

    async def __aenter__(self) -> Work:
        return self._work

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await cancel([task for _, task in self._work])
        finally:
            self._counted.__exit__(None, None, None)
            _log_call(self._call, self._run_id, self._work)


async def as_finished(work: Work) -> AsyncIterator[tuple[Order, Graded]]:
    """Yield each order with what became of it, as soon as it is known."""
    finished: asyncio.Queue[tuple[Order, asyncio.Task[Graded]]] = asyncio.Queue()
    for pair in work:
        pair[1].add_done_callback(partial(_put, finished, pair))
    for _ in work:
        order, task = await finished.get()
        yield order, task.result()


def _put(queue: asyncio.Queue[T], item: T, _: object) -> None:
    queue.put_nowait(item)


async def cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Stop what the caller no longer waits for."""
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)


def _log_call(call: Call, run_id: str, work: Work) -> None:
    if not _log.isEnabledFor(logging.INFO):
        return
    outcomes = Counter(_outcome(task) for _, task in work)
    texts = [order.sample.response.encode("utf-8", "surrogatepass") for order, _ in work]
    _log.info(
        "%s run=%r peer=%s samples=%d responses=%dB:%s took=%.3fs %s",
        call.name,
        run_id,
        call.peer,
        len(texts),
        sum(map(len, texts)),
        hashlib.sha256(b"\0".join(texts)).hexdigest()[:12],
        time.monotonic() - call.begun,
        " ".join(f"{outcome}={count}" for outcome, count in sorted(outcomes.items())),
    )


def _log_run(call: Call, job: Job, task: asyncio.Task[Execution | Failure]) -> None:
    took = time.monotonic() - call.begun
    _log.info("%s peer=%s program=%s took=%.3fs %s", call.name, call.peer, job.program, took, _outcome(task))


def _outcome(task: asyncio.Task[Any]) -> str:
    if task.cancelled() or not task.done():
        return "cancelled"
    if task.exception() is not None:
        return "raised"
    said = task.result()
    result = said.result if isinstance(said, Graded) else said
    match result:
        case Verdict():
            return result.ruling.value
        case Failure():
            return f"failure:{result.reason.value}"
    return "run"
