import asyncio
import subprocess
from dataclasses import replace

import grpc
import pytest
import toy
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from reward.v1 import reward_service_pb2 as pb
from serving import INFO, calls, request, serving

from reward_server.config import Config, ConfigError
from reward_server.server import RewardServer
from sandboxes.base import AssuranceLevel
from sandboxes.errors import SandboxUnsupportedError
from sandboxes.scripted_sandbox import ScriptedSandbox


async def code_of(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code()


async def health(client, service=""):
    stub = health_pb2_grpc.HealthStub(client.channel)
    return (await stub.Check(health_pb2.HealthCheckRequest(service=service))).status


async def test_health_tells_whether_the_server_serves():
    """The health service answers for the server and for the reward service."""
    async with serving() as server, calls(server) as client:
        assert await health(client) == health_pb2.HealthCheckResponse.SERVING
        assert await health(client, "reward.v1.RewardService") == health_pb2.HealthCheckResponse.SERVING


async def test_health_tells_the_assurance_level():
    """A probe can ask for a level: the sandbox's and weaker ones are served, stronger ones are not."""
    async with serving() as server, calls(server) as client:
        served = {level: await health(client, f"assurance-{level}") for level in ("low", "namespace", "container")}
    status = health_pb2.HealthCheckResponse
    assert served == {"low": status.SERVING, "namespace": status.SERVING, "container": status.NOT_SERVING}


async def test_reflection_lists_the_services():
    """Tools without the protos can ask what is served."""
    async with serving() as server, calls(server) as client:
        stub = reflection_pb2_grpc.ServerReflectionStub(client.channel)
        asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])
        answers = [answer async for answer in stub.ServerReflectionInfo(asked)]
    names = {service.name for answer in answers for service in answer.list_services_response.service}
    assert {"reward.v1.RewardService", "grpc.health.v1.Health"} <= names


async def test_draining_answers_what_was_accepted_and_refuses_the_rest():
    """After the signal running samples finish, health says so, and new calls are UNAVAILABLE with a pushback."""
    gate = toy.Gate()
    async with serving(gate) as server, calls(server) as client:
        running = client.score(request("right"))
        await gate.begun.wait()
        drain = asyncio.ensure_future(server.drain())
        await asyncio.sleep(0.05)
        assert await health(client) == health_pb2.HealthCheckResponse.NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await client.score(request("x"))
        gate.opened.set()
        answer = await running
        await asyncio.wait_for(drain, 60)
    assert answer.results[0].verdict.score == 1.0
    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "grpc-retry-pushback-ms" in [key for key, _ in refusal.value.trailing_metadata()]


async def test_a_health_watch_does_not_hold_up_the_drain():
    """A client that only watches the health does not keep the server from ending."""
    async with serving() as server, calls(server) as client:
        watch = health_pb2_grpc.HealthStub(client.channel).Watch(health_pb2.HealthCheckRequest())
        await watch.read()
        await asyncio.wait_for(server.drain(), 60)


async def test_a_drain_ends_in_time():
    """Calls that outlast the time for draining are cancelled, and their runs with them."""
    gate = toy.Gate()
    async with serving(gate, drain_seconds=0.1) as server, calls(server) as client:
        running = client.score(request("right"))
        await gate.begun.wait()
        await asyncio.wait_for(server.drain(), 60)
        assert await code_of(running) in {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
    assert gate.cancelled == 1


@pytest.mark.parametrize("given", [(), (("authorization", "Bearer wrong"),), (("authorization", "secret"),)])
async def test_calls_without_the_token_are_refused(given):
    """With a token set, every method wants it; only health answers anyone."""
    async with serving(token="secret") as server, calls(server, metadata=given) as client:
        codes = [
            await code_of(client.score(request("x"))),
            await code_of(client.capabilities()),
            await code_of(client.stream(pb.ScoreStreamRequest()).read()),
        ]
        assert await health(client) == health_pb2.HealthCheckResponse.SERVING
    assert codes == [grpc.StatusCode.UNAUTHENTICATED] * 3


async def test_the_token_opens_the_server():
    """A call that carries the bearer token is served."""
    given = (("authorization", "Bearer secret"),)
    async with serving(token="secret") as server, calls(server, metadata=given) as client:
        assert (await client.score(request("right"))).results[0].verdict.score == 1.0


async def test_a_sandbox_below_the_wanted_level_is_refused():
    """The server does not start in a sandbox that isolates less than the configuration asks for."""
    with pytest.raises(SandboxUnsupportedError, match="minimum_assurance is container"):
        async with serving(minimum_assurance="container"):
            pass


async def test_a_taken_port_is_an_error_that_names_it():
    """Two servers do not share a port; the second says which."""
    async with serving() as server, ScriptedSandbox(toy.said, info=INFO) as sandbox:
        second = RewardServer(sandbox, Config(listen=server.address))
        with pytest.raises(ConfigError, match=server.address):
            await second.start()


@pytest.fixture
def certificate(tmp_path):
    """A fresh key and a certificate for localhost that it signed itself."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return key, certificate


async def test_tls(certificate):
    """With certificate and key the server speaks TLS, and only TLS."""
    key, certificate = certificate
    async with serving(tls_key=str(key), tls_certificate=str(certificate)) as server:
        credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
        async with grpc.aio.secure_channel(f"localhost:{server.port}", credentials) as channel:
            assert (
                await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
            ).status == health_pb2.HealthCheckResponse.SERVING
        async with calls(server) as client:
            assert await code_of(client.capabilities(timeout=2)) is grpc.StatusCode.UNAVAILABLE


async def test_listening_to_all_without_protection_is_said(caplog):
    """A server that anyone could reach without token or TLS warns."""
    info = replace(INFO, assurance_level=AssuranceLevel.CONTAINER)
    async with ScriptedSandbox(toy.said, info=info) as sandbox:
        server = RewardServer(sandbox, Config(listen="0.0.0.0:0"))
        await server.start()
        await server.stop()
    assert "without a token" in caplog.text


async def test_a_message_past_the_size_is_refused():
    """A request larger than published is refused by the transport and harms nobody."""
    async with serving(max_message_bytes=64 << 10) as server, calls(server) as client:
        assert await code_of(client.score(request("x" * 100_000))) is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await client.score(request("right"))).results[0].verdict.score == 1.0
