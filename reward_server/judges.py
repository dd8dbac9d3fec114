"""Asks models behind OpenAI-compatible endpoints. Only endpoints named in the configuration can be asked.

Whatever goes wrong raises `JudgeUnavailableError`, never a score: an endpoint that cannot be reached, refuses, takes
too long, breaks off or answers out of form.
"""

import asyncio
import json
import logging
import os
import re
import ssl
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import httpx

from reward_server.config import JudgeEndpoint
from reward_server.errors import InvalidTaskError
from reward_server.faults import JudgeOutOfFormError, JudgeUnavailableError
from sandboxes.base import MIB, Ending, Execution, Job, Usage

_MAX_REPLY_BYTES = 4 * MIB
_PASSING_STATUSES = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses that another try may not meet."""
_ABOUT_THE_REQUEST = frozenset({400, 403, 406, 413, 422, 451})
"""Statuses by which filters refuse what a request says: perhaps a response's words."""
_TOO_LONG = re.compile(rb"context[ _](?:length|size|window)|maximum model length", re.IGNORECASE)
"""How endpoints say that a request has more tokens than their model reads."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.25, 20.0
_log = logging.getLogger(__name__)


class _PassingError(Exception):
    """Trouble that another try may not meet."""

    def __init__(self, message: str, pause_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.pause_seconds = pause_seconds


class _NoWholeAnswerError(_PassingError):
    """The model answered something that breaks off, or nothing."""


class _TooLongError(Exception):
    """The model cannot read that much."""


class Judges:
    """The endpoints of a configuration. For use on one event loop."""

    def __init__(self, endpoints: Mapping[str, JudgeEndpoint]) -> None:
        self._endpoints = dict(endpoints)
        self._slots = {name: asyncio.Semaphore(endpoint.concurrency) for name, endpoint in endpoints.items()}

    async def run(self, job: Job) -> Execution:
        """Ask what `model_judge` planned; the report holds the replies in the order of the requests.

        A request with more tokens than the model reads ends in OUTPUT_LIMIT. Raises `InvalidTaskError` for an endpoint
        that is not configured, and `JudgeUnavailableError`.
        """
        payload: Mapping[str, Any] = job.payload
        name = payload["endpoint"]
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            known = ", ".join(sorted(self._endpoints)) or "none"
            raise InvalidTaskError("endpoint", f"{name!r} is not configured on this server; it knows {known}")
        begun = asyncio.get_running_loop().time()
        try:
            replies = await self._ask_all(name, endpoint, payload["requests"])
        except _TooLongError as error:
            return Execution(ending=Ending.OUTPUT_LIMIT, report={}, stderr=str(error))
        took = asyncio.get_running_loop().time() - begun
        tokens = sum(reply["prompt_tokens"] + reply["completion_tokens"] for reply in replies)
        _log.info("judge %s: %d calls, %d tokens, %.2f s", name, len(replies), tokens, took)
        report: dict[str, Any] = {"model": endpoint.model, "replies": replies}
        return Execution(ending=Ending.EXITED, report=report, usage=Usage(wall_seconds=took, runs=len(replies)))

    async def _ask_all(
        self, name: str, endpoint: JudgeEndpoint, requests: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        headers = _headers(endpoint)
        verify = _certificates() if endpoint.url.startswith("https:") else False
        async with httpx.AsyncClient(
            headers=headers, timeout=endpoint.timeout_seconds, verify=verify, trust_env=False
        ) as client:
            asked = [asyncio.ensure_future(self._ask(client, name, endpoint, request)) for request in requests]
            try:
                return await asyncio.gather(*asked)
            finally:
                for one in asked:
                    one.cancel()
                await asyncio.gather(*asked, return_exceptions=True)

    async def _ask(
        self, client: httpx.AsyncClient, name: str, endpoint: JudgeEndpoint, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        for attempt in range(1, endpoint.attempts + 1):
            try:
                async with self._slots[name], asyncio.timeout(endpoint.timeout_seconds):
                    return await _reply(client, endpoint, request)
            except (_PassingError, httpx.TransportError, TimeoutError) as error:
                if attempt == endpoint.attempts:
                    if isinstance(error, _NoWholeAnswerError):
                        raise JudgeOutOfFormError(str(error)) from error
                    message = f"{name} failed {attempt} times, last with {type(error).__name__.strip('_')}: {error}"
                    raise JudgeUnavailableError(message) from error
                wished = error.pause_seconds if isinstance(error, _PassingError) else 0.0
                pause = max(wished, _FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1))
                await asyncio.sleep(min(_LONGEST_PAUSE_SECONDS, pause))
        raise AssertionError("unreachable")


def _headers(endpoint: JudgeEndpoint) -> dict[str, str]:
    if not endpoint.key_variable:
        return {}
    key = os.environ.get(endpoint.key_variable)
    if not key:
        raise JudgeUnavailableError(f"the environment variable {endpoint.key_variable} with its key is not set")
    return {"Authorization": f"Bearer {key}"}


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


async def _reply(client: httpx.AsyncClient, endpoint: JudgeEndpoint, request: Mapping[str, Any]) -> dict[str, Any]:
    """Ask once and return the text and its tokens."""
    body = {"model": endpoint.model, **request}
    async with client.stream("POST", f"{endpoint.url.rstrip('/')}/chat/completions", json=body) as response:
        data = bytearray()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > _MAX_REPLY_BYTES:
                raise JudgeUnavailableError(f"its reply is longer than {_MAX_REPLY_BYTES} bytes")
        if response.status_code in _PASSING_STATUSES:
            raise _PassingError(f"status {response.status_code}", _retry_after(response))
        if response.status_code != httpx.codes.OK:
            said = data[:200].decode("utf-8", "replace")
            if _TOO_LONG.search(data[:4_000]):
                raise _TooLongError(said)
            refused = JudgeOutOfFormError if response.status_code in _ABOUT_THE_REQUEST else JudgeUnavailableError
            raise refused(f"it answered status {response.status_code}: {said}")
    return _content(bytes(data))


def _retry_after(response: httpx.Response) -> float:
    said = response.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else 0.0


def _content(data: bytes) -> dict[str, Any]:
    try:
        message = json.loads(data)
        choice = message["choices"][0]
        text, finish = choice["message"]["content"], choice.get("finish_reason")
        usage = message.get("usage") or {}
        counts = {key: int(usage.get(key) or 0) for key in ("prompt_tokens", "completion_tokens")}
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise _PassingError(f"its reply is no chat completion: {type(error).__name__}") from error
    if not isinstance(text, str) or finish == "length":
        raise _NoWholeAnswerError(f"its reply holds no whole answer (finish_reason {finish!r})")
    return {"text": text, **counts}
