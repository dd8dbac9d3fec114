"""Grading for every protocol: reads bodies into records, and pairs of task and response into results."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from reward.v1 import sample_pb2
from starlette.requests import Request
from starlette.responses import Response

from reward_server.admission import Admission, Call
from reward_server.config import Config
from reward_server.gateway.failures import NotGradedError, Statuses, answer_to
from reward_server.gateway.labels import Labels
from reward_server.scoring import Graded
from reward_server.statuses import DrainingError, RequestError
from reward_server.verdict import Result, Verdict
from sandboxes.base import Execution, Job

R = TypeVar("R")
Handler = Callable[[Request], Awaitable[Response]]
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_ASIDE_BYTES = 1 << 18
"""Longer bodies are read in a thread, so that one request does not hold up the others."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What a protocol's module works with."""

    admission: Admission
    labels: Labels
    config: Config

    async def grade(
        self, request: Request, pairs: Sequence[tuple[sample_pb2.Task, str]], *, seconds: float | None = None
    ) -> list[Result]:
        """Return what became of each pair, in their order.

        ``seconds``: how long the caller waits; results that are not there by then are Failures. Raises `RequestError`,
        `QueueFullError`, `DrainingError`.
        """
        return [graded.result for graded in await self.graded(call_of(request, seconds), pairs)]

    async def graded(self, call: Call, pairs: Sequence[tuple[sample_pb2.Task, str]]) -> list[Graded]:
        """As `grade`, with how each result came about."""
        tasks, samples = [], []
        for i, (task, response) in enumerate(pairs):
            named = sample_pb2.Task()
            named.CopyFrom(task)
            named.task_id = f"t{i}"
            tasks.append(named)
            samples.append(sample_pb2.Sample(sample_id=str(i), task_id=named.task_id, response=sendable(response)))
        async with self.admission.accept(call, tasks, samples) as work:
            await asyncio.wait([task for _, task in work])
            return [task.result() for _, task in work]

    async def verdict(self, request: Request, task: sample_pb2.Task, response: str) -> Verdict:
        """Return the verdict on one response. Raises `NotGradedError` instead of giving a Failure."""
        (result,) = await self.grade(request, [(task, response)])
        if isinstance(result, Verdict):
            return result
        raise NotGradedError(result)

    async def run(self, request: Request, job: Job, seconds: float) -> Execution:
        """Run a job that grades nothing. Raises `NotGradedError`, `QueueFullError`, `DrainingError`."""
        execution = await self.admission.run(call_of(request, seconds), job)
        if isinstance(execution, Execution):
            return execution
        raise NotGradedError(execution)

    def task(self, request: Request, label: Any, path: str) -> sample_pb2.Task:
        """Return the task that ``label`` means; the URL may name a template by ``?label_task=``."""
        return self.labels.task(label, path, template=request.query_params.get("label_task", ""))


def call_of(request: Request, seconds: float | None = None) -> Call:
    """Return who asks, as the admission takes it."""
    client = request.client
    peer = f"{client.host}:{client.port}" if client else "unknown"
    deadline = None if seconds is None else asyncio.get_running_loop().time() + seconds
    return Call(name=f"{request.method} {request.url.path}", peer=peer, party=id(request.scope), deadline=deadline)


async def read(request: Request, kind: type[R]) -> R:
    """Return the body as a record. Raises `RequestError` with the path of what is wrong."""
    body = await request.body()
    if len(body) > _ASIDE_BYTES:
        return await asyncio.to_thread(decoded, body, kind)
    return decoded(body, kind)


def decoded(body: bytes | str, kind: type[R]) -> R:
    """Return JSON as a record. Raises `RequestError`."""
    try:
        return msgspec.json.decode(_without_surrogates(body), type=kind)
    except msgspec.ValidationError as error:
        raise RequestError(_with_path_first(str(error))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(f"the body is no JSON: {error}") from error


def _without_surrogates(body: bytes | str) -> bytes:
    """Return ``body`` with the lone surrogates replaced that Python's JSON can say: what a model wrote must be read."""
    data = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    if not _SURROGATE.search(data):
        return data
    try:
        return json.dumps(json.loads(data), ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return data  # the decoder tells what is wrong


def converted(value: Any, kind: type[R]) -> R:
    """Return plain JSON as a record. Raises `RequestError`."""
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as error:
        raise RequestError(_with_path_first(str(error))) from error


def _with_path_first(message: str) -> str:
    """Turn "Expected `str`, got `int` - at `$.a.b`" into "a.b: Expected `str`, got `int`"."""
    said, found, path = message.rpartition(" - at `$")
    if not found:
        return f"the body: {message}"
    return f"{path.rstrip('`').lstrip('.')}: {said}"


def sendable(text: str) -> str:
    """Return ``text`` as protobuf takes it: lone surrogates, which JSON can say, are replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")


def endpoint(handler: Handler, statuses: Statuses, admission: Admission) -> Handler:
    """Return ``handler`` with its errors turned into answers of its protocol."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except asyncio.CancelledError:
            if admission.draining:  # the time for draining is over
                return answer_to(DrainingError(), statuses)
            raise
        except Exception as error:  # noqa: BLE001 - the boundary
            return answer_to(error, statuses)

    return answer
