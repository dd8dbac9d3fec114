"""The server process: listening, credentials, health, reflection, and an orderly end."""

import asyncio
import hmac
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from reward_server.admission import Admission
from reward_server.config import Config, ConfigError
from reward_server.graders import GRADERS, Entry
from reward_server.service import SERVICE, RewardService
from sandboxes.base import AssuranceLevel, Sandbox
from sandboxes.errors import SandboxUnsupportedError

if TYPE_CHECKING:
    from reward_server.gateway.http_server import HttpServer

_log = logging.getLogger(__name__)
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]", "unix")
_LAST_WORDS_SECONDS = 1.0
"""How long answers already given may take to leave; health watches end with it."""
_OPEN_TO_ALL = ("/grpc.health.v1.Health/",)


class RewardServer:
    """Serves one sandbox until it is told to stop."""

    def __init__(
        self, sandbox: Sandbox, config: Config, token: str = "", *, graders: Mapping[str, Entry] = GRADERS
    ) -> None:
        """``token``: the bearer token that every call must carry; empty for none."""
        self._sandbox = sandbox
        self._config = config
        self._open = not token
        self._admission = Admission(sandbox, config, graders)
        self._service = RewardService(self._admission, config)
        self._health = health.aio.HealthServicer()  # type: ignore[attr-defined] # chosen at import
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
        self._http = _gateway(self._admission, config, token) if config.http else None
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
        host = self._config.listen.rpartition(":")[0]
        if host not in _LOOPBACK and (self._open or not self._config.tls_certificate):
            _log.warning("listening beyond this machine without a token or without TLS: anyone who connects can grade")
        await self._server.start()
        if self._http:
            await self._http.start()
            if not self._http.loopback_only and (self._open or not self._config.tls_certificate):
                _log.warning("HTTP reaches beyond this machine without a token or without TLS")
        await self._set_health(health_pb2.HealthCheckResponse.SERVING)
        _log.info("listening on %s, sandbox %s", self.address, self._sandbox.info.runtime)

    @property
    def address(self) -> str:
        """Where the server listens."""
        return f"{self._config.listen.rpartition(':')[0]}:{self.port}"

    @property
    def http_url(self) -> str:
        """Where the HTTP gateway is reached; empty without one."""
        return self._http.url if self._http else ""

    async def drain(self) -> None:
        """Refuse new calls, answer those accepted, at most `drain_seconds` long; then stop."""
        await self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        try:
            async with asyncio.timeout(self._config.drain_seconds):
                await self._admission.drain()
        except TimeoutError:
            _log.warning("calls still run after %g s; they are cancelled", self._config.drain_seconds)
        await self._stop(_LAST_WORDS_SECONDS)

    async def stop(self) -> None:
        """Stop now; calls in flight are cancelled."""
        await self._stop(0)

    async def _stop(self, seconds: float) -> None:
        """End both listeners."""
        self._admission.draining = True
        stops = [self._server.stop(seconds), *([self._http.stop(seconds)] if self._http else [])]
        await asyncio.gather(*stops)

    async def _set_health(self, status: Any) -> None:
        for name in ("", SERVICE):
            await self._health.set(name, status)
        for level in AssuranceLevel:  # so that a probe can ask for a level: `assurance-container`
            held = status if level <= self._sandbox.info.assurance_level else health_pb2.HealthCheckResponse.NOT_SERVING
            await self._health.set(f"assurance-{level.name.lower()}", held)

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


async def serve(
    sandbox: Sandbox,
    config: Config,
    token: str,
    ready: Callable[[RewardServer], None],
    *,
    graders: Mapping[str, Entry] = GRADERS,
) -> None:
    """Serve until SIGTERM or SIGINT; a second signal ends without waiting for running calls.

    A signal that comes before ``ready`` was called cancels the start.
    """
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    assert me is not None  # noqa: S101 - a coroutine runs in a task
    told, told_again = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        if server is None:
            me.cancel()
        elif told.is_set():
            told_again.set()
        told.set()

    server: RewardServer | None = None
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    async with sandbox:
        starting = RewardServer(sandbox, config, token, graders=graders)
        await starting.start()
        server = starting
        ready(server)
        await told.wait()
        _log.info("draining")
        await _first(server.drain(), told_again.wait())
        await server.stop()


async def _first(*waited: Awaitable[Any]) -> None:
    """Wait for the first of ``waited`` and cancel the others."""
    tasks = [asyncio.ensure_future(item) for item in waited]
    _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)


def _gateway(admission: Admission, config: Config, token: str) -> "HttpServer":
    from reward_server.gateway.http_server import HttpServer  # noqa: PLC0415 - most servers speak gRPC alone

    return HttpServer(admission, config, token)


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
