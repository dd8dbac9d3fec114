"""A server on a loopback port, and raw calls to it."""

from contextlib import asynccontextmanager

import grpc.aio
import toy
from google.protobuf import descriptor_pool
from reward.v1 import reward_service_pb2 as pb
from reward.v1 import sample_pb2

from reward_server.config import Config
from reward_server.server import RewardServer
from sandboxes.base import AssuranceLevel, SandboxInfo
from sandboxes.scripted_sandbox import ScriptedSandbox

assert descriptor_pool.Default().FindServiceByName("reward.v1.RewardService")
INFO = SandboxInfo(runtime="scripted", image_digest="sha256:0", assurance_level=AssuranceLevel.NAMESPACE)


@asynccontextmanager
async def serving(handler=toy.said, *, token="", graders=toy.GRADERS, concurrency=2, **config):
    """Yield a started server over a scripted sandbox."""
    settings = Config(listen="127.0.0.1:0", **config)
    async with ScriptedSandbox(handler, concurrency=concurrency, info=INFO) as sandbox:
        server = RewardServer(sandbox, settings, token, graders=graders)
        await server.start()
        try:
            yield server
        finally:
            await server.stop()


@asynccontextmanager
async def calls(server, *, metadata=()):
    """Yield functions for the service's methods."""
    async with grpc.aio.insecure_channel(server.address, options=[("grpc.enable_retries", 0)]) as channel:
        yield Calls(channel, metadata)


class Calls:
    def __init__(self, channel, metadata):
        self.channel, self._metadata = channel, metadata

    def score(self, request, **options):
        return self._unary("Score", pb.ScoreResponse)(_bytes(request), metadata=self._metadata, **options)

    def capabilities(self, request=b"", **options):
        call = self._unary("GetCapabilities", pb.GetCapabilitiesResponse)
        return call(_bytes(request), metadata=self._metadata, **options)

    def stream(self, request, **options):
        call = self.channel.unary_stream(
            "/reward.v1.RewardService/ScoreStream", response_deserializer=pb.ScoreStreamResponse.FromString
        )
        return call(_bytes(request), metadata=self._metadata, **options)

    def _unary(self, name, answer):
        return self.channel.unary_unary(f"/reward.v1.RewardService/{name}", response_deserializer=answer.FromString)


def _bytes(request):
    return request if isinstance(request, bytes) else request.SerializeToString()


def toy_task(expected):
    return {"prefix": expected, "call_tests": [{"function": "f", "expected": "1"}]}


def request(*responses, expected="right", kind=pb.ScoreRequest, **fields):
    """A request of samples `s0`, `s1` … that answer one task."""
    task = sample_pb2.Task(task_id="t", code_tests=toy_task(expected))
    samples = [{"sample_id": f"s{i}", "task_id": "t", "response": text} for i, text in enumerate(responses)]
    return kind(tasks=[task], samples=samples, **fields)


def stream_request(*responses, **fields):
    return request(*responses, kind=pb.ScoreStreamRequest, **fields)
