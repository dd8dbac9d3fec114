"""The listener of the gateway: uvicorn, on the event loop of the server it belongs to."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from reward_server.admission import Admission
from reward_server.config import Config, ConfigError
from reward_server.gateway.app import application
from reward_server.gateway.desk import Desk
from reward_server.gateway.guards import LOOPBACK_NAMES
from reward_server.gateway.labels import Labels

_BACKLOG = 1_024
_KEEP_ALIVE_SECONDS = 30
_LEAST_PATIENCE_SECONDS = 0.2
"""For closing connections on which nothing runs."""


class HttpServer:
    """Serves the gateway until it is told to stop."""

    def __init__(self, admission: Admission, config: Config, token: str) -> None:
        """Raises `ConfigError`."""
        host, _, port = config.http.rpartition(":")
        self._host = host.strip("[]")
        if not self._host or not port.isdigit():
            raise ConfigError(f"http: {config.http!r} is no host and port, e.g. 127.0.0.1:8080")
        self._port = int(port)
        self._config = config
        self.loopback_only = self._host in LOOPBACK_NAMES
        desk = Desk(admission, Labels(config.label_tasks), config)
        self._app = application(desk, token=token, loopback_only=self.loopback_only)
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen. Raises `ConfigError`."""
        settings = uvicorn.Config(
            self._app,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=self._config.max_message_bytes,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            ssl_certfile=self._config.tls_certificate or None,
            ssl_keyfile=self._config.tls_key or None,
        )
        try:
            settings.load()
            listener = self._listener()
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot listen on {self._config.http}: {error}") from error
        self.port = listener.getsockname()[1]
        self._server = _Server(settings)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        listening = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait({self._serving, listening}, return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
        if self._serving.done():
            self._serving.result()

    @property
    def url(self) -> str:
        """Where the gateway is reached."""
        scheme = "https" if self._config.tls_certificate else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self.port}"

    async def stop(self, seconds: float) -> None:
        """Close the listener; answer what runs, at most ``seconds`` long, and cancel the rest."""
        if self._server is None or self._serving is None:
            return
        patience: Any = max(seconds, _LEAST_PATIENCE_SECONDS)  # declared as a whole number, used as any
        self._server.config.timeout_graceful_shutdown = patience
        self._server.should_exit = True
        await self._serving
        await asyncio.gather(*self._server.server_state.tasks, return_exceptions=True)

    def _listener(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        return listener


class _Server(uvicorn.Server):
    """Leaves the signals to the server that it is a part of, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
