"""The server process: listening, credentials, health, reflection, and an orderly end."""

import asyncio
import hmac
import logging
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from grpc_health.v1 import aio, health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from reward_server.config import Config, ConfigError
from reward_server.service import SERVICE, RewardService
from sandboxes.base import Sandbox
from sandboxes.errors import SandboxUnsupportedError

_log = logging.getLogger(__name__)
_OPEN_TO_ALL = ("/grpc.health.v1.Health/",)


class RewardServer:
    """Serves one sandbox until it is told to stop."""

    def __init__(self, sandbox: Sandbox, config: Config, token: str = "") -> None:
        """``token``: the bearer token that every call must carry; empty for none."""
        self._sandbox = sandbox
        self._config = config
        self._service = RewardService(sandbox, config)
        self._health = aio.HealthServicer()
        size = config.max_message_bytes
        self._server = grpc.aio.server(
            interceptors=[_TokenCheck(token)] if token else [],
            options=[
                ("grpc.max_receive_message_length", size),
                ("grpc.max_send_message_length", size),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
                ("grpc.keepalive_permit_without_calls", 1),
            ],
        )
        self.port = 0

    async def start(self) -> None:
        """Listen. The sandbox must have been started. Raises `ConfigError`, `SandboxUnsupportedError`."""
        level, least = self._sandbox.info.assurance_level, self._config.minimum_level
        if level < least:
            raise SandboxUnsupportedError(
                f"the sandbox gives the assurance level {level.name.lower()}, and minimum_assurance is "
                f"{least.name.lower()}: see `reward-server doctor`"
            )
        self._server.add_generic_rpc_handlers((self._service.handler(),))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        self.port = self._bind()
        await self._server.start()
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info("listening on %s, sandbox %s", self.address, self._sandbox.info.runtime)

    @property
    def address(self) -> str:
        """Where the server listens."""
        return f"{self._config.listen.rpartition(':')[0]}:{self.port}"

    async def drain(self) -> None:
        """Refuse new calls, answer those accepted, stop."""
        self._service.drain()
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        await self._server.stop(self._config.drain_seconds)

    async def stop(self) -> None:
        """Stop now; calls in flight are cancelled."""
        await self._server.stop(0)

    async def _set_health(self, status: Any) -> None:
        for name in ("", SERVICE):
            await self._health.set(name, status)

    def _bind(self) -> int:
        try:
            if not self._config.tls_certificate:
                return self._server.add_insecure_port(self._config.listen)
            key = Path(self._config.tls_key).read_bytes()
            certificate = Path(self._config.tls_certificate).read_bytes()
            credentials = grpc.ssl_server_credentials([(key, certificate)])
            return self._server.add_secure_port(self._config.listen, credentials)
        except (OSError, RuntimeError) as error:
            raise ConfigError(f"cannot listen on {self._config.listen}: {error}") from error


async def serve(sandbox: Sandbox, config: Config, token: str, ready: Callable[[RewardServer], None]) -> None:
    """Serve until SIGTERM or SIGINT; a second signal ends without waiting for running calls."""
    signals: asyncio.Queue[int] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, signals.put_nowait, number)
    async with sandbox:
        server = RewardServer(sandbox, config, token)
        await server.start()
        ready(server)
        await signals.get()
        _log.info("draining")
        await _first(server.drain(), signals.get())
        await server.stop()


async def _first(*waited: Awaitable[Any]) -> None:
    """Wait for the first of ``waited`` and cancel the others."""
    tasks = [asyncio.ensure_future(item) for item in waited]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


class _TokenCheck(grpc.aio.ServerInterceptor):
    """Refuses calls without the right bearer token; health checks need none."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

        async def refuse(_: Any, context: Any) -> None:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "the bearer token is missing or wrong")

        self._refusal = grpc.unary_unary_rpc_method_handler(refuse)

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        given = dict(details.invocation_metadata).get("authorization", "")
        right = hmac.compare_digest(str(given).encode(), self._expected)
        if right or details.method.startswith(_OPEN_TO_ALL):
            return await continuation(details)
        return self._refusal
