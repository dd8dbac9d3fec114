"""The contract's calls, over the engine. Statuses are chosen in `statuses`, results in `scoring` and `faults`."""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from importlib.metadata import version
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from reward.v1 import result_pb2, reward_service_pb2

from reward_server import wire
from reward_server.config import Config
from reward_server.faults import DeadlineError, failure_of
from reward_server.graders import GRADERS
from reward_server.intake import Intake, Order
from reward_server.scoring import Engine, Graded
from reward_server.statuses import DrainingError, RequestError, refuse
from sandboxes.base import Sandbox

M = TypeVar("M", bound=Message)
Context = Any
SERVICE = reward_service_pb2.DESCRIPTOR.services_by_name["RewardService"].full_name
_ANSWER_BEFORE_SECONDS = 0.1
"""How long before the caller's deadline the answer leaves: results that are not there by then are Failures."""
_log = logging.getLogger(__name__)


class RewardService:
    """Answers the calls of `reward.v1.RewardService`."""

    def __init__(self, sandbox: Sandbox, config: Config) -> None:
        self._sandbox = sandbox
        self._config = config
        self._engine = Engine(
            sandbox,
            max_queued=config.max_queued_samples,
            max_response_bytes=config.max_response_bytes,
            remembered_verdicts=config.remembered_verdicts,
        )
        self._intake = Intake(
            default_limits=config.default_limits,
            max_limits=config.max_limits,
            max_samples=config.max_samples_per_request,
        )
        self._draining = False

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

    def drain(self) -> None:
        """Accept no further call; those accepted are answered."""
        self._draining = True

    async def score(self, request: Any, context: Context) -> reward_service_pb2.ScoreResponse:
        """Grade a batch; answer in its order."""
        orders = await self._accept(request, context, distinct=False)
        deadline = _deadline(context)
        begun = time.monotonic()
        tasks = [asyncio.ensure_future(self._grade(order, id(context), deadline)) for order in orders]
        try:
            results = await asyncio.gather(*tasks)
        finally:
            await _cancel(tasks)
            _log_call("Score", request, context, begun, [task for task in tasks if not task.cancelled()])
        return reward_service_pb2.ScoreResponse(results=results)

    async def score_stream(
        self, request: Any, context: Context
    ) -> AsyncIterator[reward_service_pb2.ScoreStreamResponse]:
        """Grade a batch; answer each sample when it is graded."""
        orders = await self._accept(request, context, distinct=True)
        deadline = _deadline(context)
        begun = time.monotonic()
        tasks = [asyncio.ensure_future(self._grade(order, id(context), deadline)) for order in orders]
        try:
            for graded in asyncio.as_completed(tasks):
                yield reward_service_pb2.ScoreStreamResponse(result=await graded)
        finally:
            await _cancel(tasks)
            _log_call("ScoreStream", request, context, begun, [task for task in tasks if not task.cancelled()])

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
                for name, entry in GRADERS.items()
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

    async def _accept(self, request: Any, context: Context, *, distinct: bool) -> list[Order]:
        """Return the request's orders, admitted all together, or end the call with the status that says why not."""
        try:
            if isinstance(request, DecodeError):
                raise RequestError(f"the request cannot be read: {request}")
            if self._draining:
                raise DrainingError
            orders = self._intake.orders(request.tasks, request.samples, request.run_id, distinct=distinct)
            self._engine.admit(len(orders))
        except Exception as error:  # noqa: BLE001 - the boundary: `refuse` raises again what it does not know
            await refuse(context, error)
        return orders

    async def _grade(self, order: Order, party: int, deadline: float | None) -> result_pb2.Result:
        try:
            async with asyncio.timeout_at(deadline):
                graded = await self._engine.grade(order.sample, party)
        except TimeoutError:
            graded = Graded(result=failure_of(DeadlineError()))
        return wire.result_message(
            order.sample_id,
            graded.result,
            self._provenance(order, graded),
            graded.queue_seconds,
            graded.run_seconds,
        )

    def _provenance(self, order: Order, graded: Graded) -> dict[str, Any]:
        name = order.sample.task.grader
        known = {"grader": name, "grader_version": GRADERS[name].grader.version, "shared": graded.shared}
        if graded.sandboxed:
            info = self._sandbox.info
            known |= {
                "runtime": info.runtime,
                "image_digest": info.image_digest,
                "assurance_level": int(info.assurance_level),
            }
        return known


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
    return asyncio.get_running_loop().time() + max(0.0, remaining - _ANSWER_BEFORE_SECONDS)


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Stop what the caller no longer waits for."""
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)


def _log_call(name: str, request: Any, context: Context, begun: float, tasks: Sequence[asyncio.Future[Any]]) -> None:
    if not _log.isEnabledFor(logging.INFO):
        return
    results = [task.result() for task in tasks if task.done() and not task.exception()]
    outcomes = Counter(
        result_pb2.Ruling.Name(result.verdict.ruling)[7:].lower()
        if result.WhichOneof("outcome") == "verdict"
        else result_pb2.FailureReason.Name(result.failure.reason)[15:].lower()
        for result in results
    )
    digest = hashlib.sha256(b"".join(sample.response.encode() for sample in request.samples)).hexdigest()[:12]
    _log.info(
        "%s run=%r peer=%s samples=%d responses=%s took=%.3fs %s",
        name,
        request.run_id,
        context.peer(),
        len(request.samples),
        digest,
        time.monotonic() - begun,
        " ".join(f"{outcome}={count}" for outcome, count in sorted(outcomes.items())),
    )
