"""The contract's calls, over the engine. Statuses are chosen in `statuses`, results in `scoring` and `faults`."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from reward.v1 import reward_service_pb2

from reward_server import wire
from reward_server.admission import Accepted, Admission, Call, as_finished
from reward_server.config import Config
from reward_server.statuses import RequestError, refuse

M = TypeVar("M", bound=Message)
Context = Any
SERVICE = reward_service_pb2.DESCRIPTOR.services_by_name["RewardService"].full_name
_ANSWER_BEFORE_SECONDS, _ANSWER_BEFORE_SHARE = 0.3, 0.2
"""How long before the caller's deadline the answer leaves, in seconds or as a share of the time given, whichever is
shorter: results that are not there by then are Failures."""


class RewardService:
    """Answers the calls of `reward.v1.RewardService`."""

    def __init__(self, admission: Admission, config: Config) -> None:
        self._admission = admission
        self._config = config

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

    async def score(self, request: Any, context: Context) -> reward_service_pb2.ScoreResponse:
        """Grade a batch; answer in its order."""
        async with await self._accepted("Score", request, context, distinct=False) as work:
            await asyncio.wait([task for _, task in work])
            results = [self._admission.message(order, task.result()) for order, task in work]
        wire.fit(results, self._config.max_message_bytes)
        return reward_service_pb2.ScoreResponse(results=results)

    async def score_stream(self, request: Any, context: Context) -> None:
        """Grade a batch; answer each sample when it is graded."""
        async with await self._accepted("ScoreStream", request, context, distinct=True) as work:
            async for order, graded in as_finished(work):
                result = self._admission.message(order, graded)
                wire.fit([result], self._config.max_message_bytes)
                await context.write(reward_service_pb2.ScoreStreamResponse(result=result))

    async def get_capabilities(self, request: Any, context: Context) -> reward_service_pb2.GetCapabilitiesResponse:
        """Say what this server can do."""
        if isinstance(request, DecodeError):
            await refuse(context, RequestError(f"the request cannot be read: {request}"))
        return self._admission.capabilities()

    async def _accepted(self, name: str, request: Any, context: Context, *, distinct: bool) -> Accepted:
        """Admit a request whole, or end the call with the status that says why not."""
        call = Call(name=name, peer=context.peer(), party=id(context), deadline=_deadline(context))
        try:
            if isinstance(request, DecodeError):
                raise RequestError(f"the request cannot be read: {request}")
            return self._admission.accept(call, request.tasks, request.samples, request.run_id, distinct=distinct)
        except Exception as error:  # noqa: BLE001 - the boundary: `refuse` raises again what it does not know
            await refuse(context, error)


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
