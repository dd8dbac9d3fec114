"""The contract's calls, over the engine. Statuses are chosen in `statuses`, results in `scoring` and `faults`."""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from reward.v1 import result_pb2, reward_service_pb2

from reward_server import wire
from reward_server.config import Config
from reward_server.graders import GRADERS, Entry
from reward_server.intake import Intake, Order
from reward_server.judges import Judges
from reward_server.provenance import result_message
from reward_server.scoring import Engine, Graded
from reward_server.statuses import DrainingError, RequestError, refuse
from reward_server.verdict import Verdict
from sandboxes.base import Sandbox

M = TypeVar("M", bound=Message)
T = TypeVar("T")
Context = Any
SERVICE = reward_service_pb2.DESCRIPTOR.services_by_name["RewardService"].full_name
_ANSWER_BEFORE_SECONDS, _ANSWER_BEFORE_SHARE = 0.3, 0.2
"""How long before the caller's deadline the answer leaves, in seconds or as a share of the time given, whichever is
shorter: results that are not there by then are Failures."""
_log = logging.getLogger(__name__)


class RewardService:
    """Answers the calls of `reward.v1.RewardService`."""

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
        self._draining = False
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def handler(self) -> Any:
        """Return the service as gRPC takes it; malformed messages reach us instead of an INTERNAL error."""
        requests = reward_service_pb2
        handlers = {
            "Score": grpc.unary_unary_rpc_method_handler(self.score, _lenient(requests.ScoreRequest), _serialize),
            "ScoreStream": grpc.unary_stream_rpc_method_handler(
                self.score_stream, _lenient(requests.ScoreStreamRequest), _serialize
            ),
            "GetCapabilities": grpc.unary_unary_rpc_method_handler(
                self.get_capabilities, _lenient(requests.GetCapabilitiesRequest), _serialize
            ),
        }
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    async def drain(self) -> None:
        """Accept no further call; return once those accepted are answered."""
        self._draining = True
        await self._idle.wait()

    async def score(self, request: Any, context: Context) -> reward_service_pb2.ScoreResponse:
        """Grade a batch; answer in its order."""
        async with self._accepted("Score", request, context, distinct=False) as work:
            await asyncio.wait([task for _, task in work])
            results = [self._message(order, task.result()) for order, task in work]
        wire.fit(results, self._config.max_message_bytes)
        return reward_service_pb2.ScoreResponse(results=results)

    async def score_stream(self, request: Any, context: Context) -> None:
        """Grade a batch; answer each sample when it is graded."""
        async with self._accepted("ScoreStream", request, context, distinct=True) as work:
            finished: asyncio.Queue[tuple[Order, asyncio.Task[Graded]]] = asyncio.Queue()
            for pair in work:
                pair[1].add_done_callback(partial(_put, finished, pair))
            for _ in work:
                order, task = await finished.get()
                result = self._message(order, task.result())
                wire.fit([result], self._config.max_message_bytes)
                await context.write(reward_service_pb2.ScoreStreamResponse(result=result))

    async def get_capabilities(self, request: Any, context: Context) -> reward_service_pb2.GetCapabilitiesResponse:
        """Say what this server can do."""
        if isinstance(request, DecodeError):
            await refuse(context, RequestError(f"the request cannot be read: {request}"))
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

    @asynccontextmanager
    async def _accepted(
        self, name: str, request: Any, context: Context, *, distinct: bool
    ) -> AsyncIterator[list[tuple[Order, asyncio.Task[Graded]]]]:
        """Admit a request whole, or end the call with the status that says why not; leave nothing running behind."""
        begun = time.monotonic()
        try:
            if isinstance(request, DecodeError):
                raise RequestError(f"the request cannot be read: {request}")
            if self._draining:
                raise DrainingError
            orders = self._intake.orders(request.tasks, request.samples, request.run_id, distinct=distinct)
            samples = [order.sample for order in orders]
            tasks = self._engine.submit(samples, party=id(context), deadline=_deadline(context))
        except Exception as error:  # noqa: BLE001 - the boundary: `refuse` raises again what it does not know
            await refuse(context, error)
        self._calls += 1
        self._idle.clear()
        try:
            yield list(zip(orders, tasks, strict=True))
        finally:
            await _cancel(tasks)
            self._calls -= 1
            if not self._calls:
                self._idle.set()
            _log_call(name, request, context, begun, tasks)

    def _message(self, order: Order, graded: Graded) -> result_pb2.Result:
        version = self._graders[order.sample.task.grader].grader.version
        return result_message(order.sample_id, order.sample, graded, version, self._sandbox.info)


def _put(queue: asyncio.Queue[T], item: T, _: object) -> None:
    queue.put_nowait(item)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()


def _lenient(kind: type[M]) -> Callable[[bytes], M | DecodeError]:
    def parse(data: bytes) -> M | DecodeError:
        try:
            return kind.FromString(data)
        except DecodeError as error:
            return error

    return parse


def _deadline(context: Context) -> float | None:
    """Return when, on the loop's clock, results must be ready; None without a deadline."""
    remaining: float | None = context.time_remaining()
    if remaining is None:
        return None
    margin = min(_ANSWER_BEFORE_SECONDS, _ANSWER_BEFORE_SHARE * remaining)
    return asyncio.get_running_loop().time() + max(0.0, remaining - margin)


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Stop what the caller no longer waits for."""
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)


def _log_call(name: str, request: Any, context: Context, begun: float, tasks: Sequence[asyncio.Task[Graded]]) -> None:
    if not _log.isEnabledFor(logging.INFO):
        return
    outcomes = Counter(
        "cancelled" if task.cancelled() else _outcome(task.result()) for task in tasks if not _raised(task)
    )
    texts = [sample.response.encode() for sample in request.samples]
    _log.info(
        "%s run=%r peer=%s samples=%d responses=%dB:%s took=%.3fs %s",
        name,
        request.run_id,
        context.peer(),
        len(texts),
        sum(map(len, texts)),
        hashlib.sha256(b"\0".join(texts)).hexdigest()[:12],
        time.monotonic() - begun,
        " ".join(f"{outcome}={count}" for outcome, count in sorted(outcomes.items())),
    )


def _raised(task: asyncio.Task[Graded]) -> bool:
    return not task.cancelled() and task.exception() is not None


def _outcome(graded: Graded) -> str:
    result = graded.result
    return result.ruling.value if isinstance(result, Verdict) else f"failure:{result.reason.value}"
