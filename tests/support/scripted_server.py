"""A real gRPC server whose answers a test writes: each call takes the next line of the script."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from reward.v1 import result_pb2, reward_service_pb2, reward_service_pb2_grpc

Line = Callable[[Any, grpc.ServicerContext], Any]


@dataclass
class ScriptedServer(reward_service_pb2_grpc.RewardServiceServicer):
    """Grades a response that is a number as that score, and anything else as a failure, once its script is used up."""

    address: str = ""
    script: deque[Line] = field(default_factory=deque)
    requests: list[Any] = field(default_factory=list)
    metadata: list[dict[str, Any]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    health: bytes | None = b"\x08\x01"
    max_message_bytes: int = 1 << 20
    max_samples: int = 100
    max_response_bytes: int = 1 << 16

    def GetCapabilities(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the contract's name
        return reward_service_pb2.GetCapabilitiesResponse(
            server_version="1",
            graders=[reward_service_pb2.GraderInfo(name="math_answer", version="7", languages=["latex"])],
            max_message_bytes=self.max_message_bytes,
            max_samples_per_request=self.max_samples,
            max_response_bytes=self.max_response_bytes,
        )

    def Score(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - the contract's name
        self._note(request, context)
        if self.script:
            return self.script.popleft()(request, context)
        return reward_service_pb2.ScoreResponse(results=[graded(sample) for sample in request.samples])

    def ScoreStream(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802 - the contract's name
        self._note(request, context)
        context.add_callback(self.cancelled.set)
        if self.script:
            yield from self.script.popleft()(request, context)
            return
        for sample in reversed(request.samples):
            yield reward_service_pb2.ScoreStreamResponse(result=graded(sample))

    def _note(self, request: Any, context: grpc.ServicerContext) -> None:
        self.requests.append(request)
        self.metadata.append(dict(context.invocation_metadata()) | {"seconds": context.time_remaining()})


def graded(sample: Any) -> Any:
    """Return the result of a sample by the rule of `ScriptedServer`."""
    try:
        score = float(sample.response)
    except ValueError:
        failure = result_pb2.Failure(reason="FAILURE_REASON_GRADER_ERROR", message="no number", retryable=True)
        return result_pb2.Result(sample_id=sample.sample_id, failure=failure)
    ruling = "RULING_ACCEPTED" if score == 1 else "RULING_PARTIAL"
    check = result_pb2.Check(name="number", score=score, weight=2, detail="as told")
    verdict = result_pb2.Verdict(score=score, ruling=ruling, summary="a number", checks=[check])
    message = result_pb2.Result(sample_id=sample.sample_id, verdict=verdict)
    message.provenance.grader = "math_answer"
    message.provenance.assurance_level = 3
    message.provenance.run_duration.FromMilliseconds(1500)
    return message


def refusing(code: grpc.StatusCode, details: str = "no", pushback: str | None = None) -> Line:
    """Return a line of a script that ends the call with ``code``."""

    def refuse(request: Any, context: grpc.ServicerContext) -> Any:
        if pushback is not None:
            context.set_trailing_metadata((("grpc-retry-pushback-ms", pushback),))
        context.abort(code, details)

    return refuse


@contextmanager
def serving(**settings: Any) -> Iterator[ScriptedServer]:
    """Run a scripted server on a free port."""
    servicer = ScriptedServer(**settings)
    server = grpc.server(futures.ThreadPoolExecutor(8))
    reward_service_pb2_grpc.add_RewardServiceServicer_to_server(servicer, server)
    if servicer.health is not None:
        check = grpc.unary_unary_rpc_method_handler(lambda request, context: servicer.health)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": check}),)
        )
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield servicer
    finally:
        server.stop(0).wait()
