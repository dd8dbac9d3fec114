"""What stands before every path: who may ask, how much they may send, and an end to work that nobody waits for.

Plain ASGI. A browser page of another site must not reach a server on loopback: calls with a foreign ``Origin`` are
refused, and so are, while there is no token, calls to a loopback listener under a name that is not this machine's.
"""

import asyncio
import base64
import binascii
import hmac
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reward_server.gateway.failures import problem

OPEN_PATHS = frozenset(
    {"/", "/openapi.json", "/health", "/reward/v1/health", "/openenv/health", "/v1/ping", "/sandbox_fusion/v1/ping"}
)
"""What needs no token: the page, the description of the API, and whether the server is up."""
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_BODY_SECONDS = 60.0
"""How long a request's body may take to arrive."""
_POLICY_VIOLATION = 1008


class Guards:
    """Wraps an application."""

    def __init__(self, app: ASGIApp, *, token: str, max_body_bytes: int, loopback_only: bool) -> None:
        """``token``: what calls must carry, as bearer token or as the password of basic authentication; empty: none.

        ``loopback_only``: whether the server listens on loopback.
        """
        self._app = app
        self._token = token.encode()
        self._max_body_bytes = max_body_bytes
        self._check_host = loopback_only and not token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or WebSocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        if refusal := self._refusal(Headers(scope=scope), scope["path"]):
            status, message = refusal
            await _refuse(scope, receive, send, status, message)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    def _refusal(self, headers: Headers, path: str) -> tuple[HTTPStatus, str] | None:
        host = headers.get("host", "")
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.casefold() != host.casefold():
            return HTTPStatus.FORBIDDEN, "calls from pages of other sites are refused"
        if self._check_host and _name_of(host) not in LOOPBACK_NAMES:
            return HTTPStatus.FORBIDDEN, f"without a token this server answers to localhost only, not to {host[:80]!r}"
        if self._token and path not in OPEN_PATHS and not self._knows(headers):
            return HTTPStatus.UNAUTHORIZED, "the bearer token is missing or wrong"
        return None

    def _knows(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        secret = given.strip().encode("utf-8", "replace")
        if scheme.casefold() == "basic":  # what clients make of http://any:TOKEN@host/
            with suppress(binascii.Error, ValueError):
                return hmac.compare_digest(base64.b64decode(secret, validate=True).partition(b":")[2], self._token)
            return False
        return scheme.casefold() == "bearer" and hmac.compare_digest(secret, self._token)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take the body whole, then work; stop when the client goes."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await self._body(Headers(scope=scope), receive)
        except TimeoutError:
            await problem(HTTPStatus.REQUEST_TIMEOUT, "the body came too slowly", "slow_body")(scope, receive, send)
            return
        except _RefusedBodyError as error:
            await problem(error.status, str(error), "body_refused")(scope, receive, send)
            return
        if body is not None:
            await _while_there(self._app, scope, body, receive, send)

    async def _body(self, headers: Headers, receive: Receive) -> bytes | None:
        """Return the body, or None when the client has gone."""
        if headers.get("content-encoding", "identity") != "identity":
            raise _RefusedBodyError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "compressed bodies are not taken")
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._max_body_bytes:
            raise self._too_large()
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self._max_body_bytes:
                raise self._too_large()
            if not message.get("more_body"):
                return b"".join(parts)

    def _too_large(self) -> "_RefusedBodyError":
        text = f"the body has more than max_message_bytes = {self._max_body_bytes} bytes"
        return _RefusedBodyError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)


class _RefusedBodyError(Exception):
    """The body is not taken."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def _name_of(host: str) -> str:
    with suppress(ValueError):
        return urlsplit(f"//{host}").hostname or ""
    return ""


async def _refuse(scope: Scope, receive: Receive, send: Send, status: HTTPStatus, message: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION, "reason": message[:100]})
        return
    answer = problem(status, message, "unauthenticated" if status is HTTPStatus.UNAUTHORIZED else "forbidden")
    if status is HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = "Bearer"
    await answer(scope, receive, send)


async def _while_there(app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
    """Run ``app`` on ``body`` until it has answered or the client has gone; then nothing of it runs any more."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await _forever()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    work: asyncio.Future[Any] = asyncio.ensure_future(_call(app, scope, replay, send))
    gone = asyncio.ensure_future(_gone(receive))
    ended = False
    try:
        await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        ended = work.done()
    except asyncio.CancelledError:
        pass  # the server ends; the handler, when it is cancelled, tells the client
    finally:
        work.cancel()
        gone.cancel()
        await asyncio.gather(work, gone, return_exceptions=True)
    if ended:
        work.result()


async def _call(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _forever() -> Message:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("unreachable")
