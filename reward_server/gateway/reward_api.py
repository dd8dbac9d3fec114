"""The contract's own calls over HTTP, in the canonical JSON of its messages, with a description and a page.

What the proto says holds here too: a call that was accepted answers every sample with exactly one result.
"""

import asyncio
import json
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from importlib.resources import files
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from reward.v1 import reward_service_pb2
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from reward_server import wire
from reward_server.admission import Accepted, as_finished
from reward_server.gateway.desk import Desk, call_of
from reward_server.gateway.labels import UNREADABLE, told
from reward_server.statuses import RequestError

M = TypeVar("M", bound=Message)
_ASIDE_BYTES = 1 << 18
_MAX_SECONDS = 86_400.0
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"


@dataclass(frozen=True, slots=True)
class RewardApi:
    """The handlers."""

    desk: Desk

    async def score(self, request: Request) -> Response:
        """Grade a batch; answer in its order."""
        asked = await _read(request, reward_service_pb2.ScoreRequest)
        accepted = self.desk.admission.accept(
            call_of(request, _patience(request)), asked.tasks, asked.samples, asked.run_id
        )
        async with accepted as work:
            await asyncio.wait([task for _, task in work])
            results = [self.desk.admission.message(order, task.result()) for order, task in work]
        wire.fit(results, self.desk.config.max_message_bytes)
        return Response(_json(reward_service_pb2.ScoreResponse(results=results)), media_type="application/json")

    async def score_stream(self, request: Request) -> Response:
        """Grade a batch; send each result when it is there: JSON Lines, or events where the client accepts those."""
        asked = await _read(request, reward_service_pb2.ScoreStreamRequest)
        accepted = self.desk.admission.accept(
            call_of(request, _patience(request)), asked.tasks, asked.samples, asked.run_id, distinct=True
        )
        events = "text/event-stream" in request.headers.get("accept", "")
        return _Stream(self.desk, accepted, events=events)

    async def capabilities(self, _: Request) -> Response:
        """Say what this server can do."""
        return Response(_json(self.desk.admission.capabilities()), media_type="application/json")

    async def health(self, _: Request) -> Response:
        """Say whether the server takes work, in OpenEnv's words too."""
        if self.desk.admission.draining:
            return JSONResponse({"status": "unhealthy", "reason": "draining"}, HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse({"status": "healthy"})

    async def openapi(self, _: Request) -> Response:
        """Describe these calls; the description is made from the protos."""
        return Response(resource("openapi.json"), media_type="application/json")

    async def page(self, _: Request) -> Response:
        """Return a page on which a person tries tasks and responses."""
        return HTMLResponse(resource("page.html"), headers={"Content-Security-Policy": _PAGE_POLICY})


class _Stream(Response):
    """Results as they come. Enters what was accepted before anything is sent, so that no client leaves it behind."""

    def __init__(self, desk: Desk, accepted: Accepted, *, events: bool) -> None:
        super().__init__(media_type="text/event-stream" if events else "application/x-ndjson")
        del self.headers["content-length"]
        self._desk = desk
        self._accepted = accepted
        self._before, self._after = ("data: ", "\n\n") if events else ("", "\n")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, a line or event for each result, and the end."""
        del scope, receive
        async with self._accepted as work:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async for order, graded in as_finished(work):
                result = self._desk.admission.message(order, graded)
                wire.fit([result], self._desk.config.max_message_bytes)
                line = _json(reward_service_pb2.ScoreStreamResponse(result=result))
                body = f"{self._before}{line}{self._after}".encode()
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


@cache
def resource(name: str) -> str:
    """Return a file that lies beside this module."""
    return (files("reward_server.gateway") / name).read_text("utf-8")


async def _read(request: Request, kind: type[M]) -> M:
    body = await request.body()
    if len(body) > _ASIDE_BYTES:
        return await asyncio.to_thread(_parsed, body, kind)
    return _parsed(body, kind)


def _parsed(body: bytes, kind: type[M]) -> M:
    try:
        return json_format.Parse(body.decode("utf-8"), kind())
    except UNREADABLE as error:
        raise RequestError(told(error)) from error


def _patience(request: Request) -> float | None:
    """Return how long the caller waits, by ``?timeout_seconds=``."""
    said = request.query_params.get("timeout_seconds")
    if said is None:
        return None
    try:
        seconds = float(said)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _MAX_SECONDS:
        raise RequestError(f"timeout_seconds: {said[:40]!r} is not above 0 and at most {_MAX_SECONDS:g}")
    return seconds


def _json(message: Message) -> str:
    """Return canonical JSON in which a score of 0 is written out."""
    said: dict[str, Any] = json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
    return json.dumps(said, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
