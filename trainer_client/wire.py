"""Between the records of this package and the contract's messages; requests are split to the server's limits here."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from reward.v1 import result_pb2, reward_service_pb2, sample_pb2

from trainer_client.capabilities import Capabilities, GraderInfo, IsolationLayer, SandboxInfo
from trainer_client.errors import InvalidRequestError, ServerError
from trainer_client.results import (
    AssuranceLevel,
    Check,
    Failure,
    FailureReason,
    Flag,
    Provenance,
    Result,
    Ruling,
    Verdict,
)
from trainer_client.samples import Limits, Sample, TaskLike

_DURATIONS = {"cpu_seconds": "cpu_time", "wall_seconds": "wall_time", "total_seconds": "total_time"}
_COUNTS = ("memory_bytes", "output_bytes", "processes", "file_bytes")
_FIELD_OVERHEAD = 8
"""Bytes that tag and length add to a message within another, at most; the messages are far below 2**49 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A run of samples that fits into one request."""

    offset: int
    """The position of its first sample in the call."""
    tasks: tuple[sample_pb2.Task, ...]
    samples: tuple[sample_pb2.Sample, ...]

    def score_request(self, run_id: str) -> reward_service_pb2.ScoreRequest:
        """Return the batch as a unary request."""
        return reward_service_pb2.ScoreRequest(run_id=run_id, tasks=self.tasks, samples=self.samples)


class Progress:
    """How far a streamed batch has come, over all its attempts."""

    def __init__(self, batch: Batch, run_id: str) -> None:
        self._batch = batch
        self._run_id = run_id
        self._waited_for = {sample.sample_id for sample in batch.samples}

    @property
    def complete(self) -> bool:
        """Whether every sample is answered."""
        return not self._waited_for

    def request(self) -> reward_service_pb2.ScoreStreamRequest:
        """Return what is not yet answered as a request."""
        left = [sample for sample in self._batch.samples if sample.sample_id in self._waited_for]
        wanted = {sample.task_id for sample in left}
        tasks = [task for task in self._batch.tasks if task.task_id in wanted]
        return reward_service_pb2.ScoreStreamRequest(run_id=self._run_id, tasks=tasks, samples=left)

    def take(self, response: reward_service_pb2.ScoreStreamResponse) -> Result:
        """Return the result that came. Raises `ServerError` for one nobody waits for."""
        if response.result.sample_id not in self._waited_for:
            raise ServerError(f"a result for {response.result.sample_id!r}, which is unknown or answered already")
        self._waited_for.remove(response.result.sample_id)
        return result(response.result)

    def end(self) -> None:
        """Take note that the stream ended well. Raises `ServerError` when samples were left out."""
        if self._waited_for:
            raise ServerError(f"the server ended the stream without answering {len(self._waited_for)} samples")


def batches(samples: Iterable[Sample], limits: Capabilities, run_id: str, *, distinct: bool = False) -> Iterator[Batch]:
    """Split ``samples`` into batches, in order, that the server takes; each task is sent once a batch.

    ``distinct``: whether sample ids must differ. Raises `InvalidRequestError`, before anything is yielded.
    """
    messages = _messages(samples, limits.max_response_bytes)
    if distinct:
        _check_distinct(sample.sample_id for _, sample in messages)
    room = limits.max_message_bytes - len(run_id.encode()) - _FIELD_OVERHEAD
    split = list(_split(messages, room, limits.max_samples_per_request))
    return iter(split)


def _split(messages: Sequence[tuple[sample_pb2.Task, sample_pb2.Sample]], room: int, count: int) -> Iterator[Batch]:
    offset, left = 0, room
    tasks: dict[str, sample_pb2.Task] = {}
    samples: list[sample_pb2.Sample] = []
    for i, (task, sample) in enumerate(messages):
        own, shared = sample.ByteSize() + _FIELD_OVERHEAD, task.ByteSize() + _FIELD_OVERHEAD
        if own + shared > room:
            raise InvalidRequestError(f"samples[{i}]: with its task it takes {own + shared} bytes, at most {room}")
        need = own if sample.task_id in tasks else own + shared
        if samples and (need > left or len(samples) >= count):
            yield Batch(offset=offset, tasks=tuple(tasks.values()), samples=tuple(samples))
            offset, left, tasks, samples, need = i, room, {}, [], own + shared
        tasks[sample.task_id] = task
        samples.append(sample)
        left -= need
    if samples:
        yield Batch(offset=offset, tasks=tuple(tasks.values()), samples=tuple(samples))


def _messages(samples: Iterable[Sample], max_response_bytes: int) -> list[tuple[sample_pb2.Task, sample_pb2.Sample]]:
    tasks = _Tasks()
    messages = []
    for i, sample in enumerate(samples):
        task = tasks.message(sample.task, f"samples[{i}].task")
        response = _sendable(sample.response, max_response_bytes)
        message = sample_pb2.Sample(sample_id=sample.sample_id or str(i), task_id=task.task_id, response=response)
        if sample.limits is not None:
            message.limits.CopyFrom(limits_message(sample.limits))
        messages.append((task, message))
    return messages


class _Tasks:
    """The tasks of one call, each made a message once."""

    def __init__(self) -> None:
        self._by_object: dict[int, tuple[TaskLike, sample_pb2.Task]] = {}  # the object is kept, so its id stays its own
        self._by_name: dict[str, sample_pb2.Task] = {}
        self._unnamed: dict[bytes, str] = {}

    def message(self, task: TaskLike, path: str) -> sample_pb2.Task:
        """Return ``task`` as a message that has a name. Raises `InvalidRequestError`."""
        known = self._by_object.get(id(task))
        if known is None:
            known = self._by_object[id(task)] = (task, self._named(task_message(task, path), path))
        return known[1]

    def _named(self, message: sample_pb2.Task, path: str) -> sample_pb2.Task:
        if not message.task_id:
            content = message.SerializeToString(deterministic=True)
            message.task_id = self._unnamed.setdefault(content, f"task-{len(self._unnamed)}")
        same_name = self._by_name.setdefault(message.task_id, message)
        if same_name != message:
            raise InvalidRequestError(f"{path}: another task of this call is called {message.task_id!r} too")
        return same_name


def task_message(task: TaskLike, path: str = "task") -> sample_pb2.Task:
    """Return a copy of ``task`` as a message. Raises `InvalidRequestError`."""
    message = sample_pb2.Task()
    if isinstance(task, sample_pb2.Task):
        message.CopyFrom(task)
        return message
    try:
        return json_format.ParseDict(dict(task), message)
    except (json_format.ParseError, TypeError, ValueError) as error:
        raise InvalidRequestError(f"{path}: {error}") from error


def _sendable(response: str, max_bytes: int) -> str:
    """Return ``response`` as UTF-8 can carry it; what is far past the limit is cut, and stays past the limit."""
    short = response[: max_bytes + 1]
    return short if short.isascii() else short.encode("utf-8", "replace").decode("utf-8")


def _check_distinct(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            raise InvalidRequestError(f"samples[{i}].sample_id: {name!r} is already another sample's")
        seen.add(name)


def read_samples(path: Path | str) -> Iterator[Sample]:
    """Yield the samples of a task file: JSON Lines of `reward.v1.TaskRecord`. Raises `InvalidRequestError`, OSError."""
    with Path(path).open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json_format.ParseDict(json.loads(line), sample_pb2.TaskRecord())
            except (json_format.ParseError, ValueError) as error:
                raise InvalidRequestError(f"{path}:{number}: {error}") from error
            for i, sample in enumerate(record.samples):
                yield Sample(
                    record.task,
                    sample.response,
                    sample.sample_id or f"{record.task.task_id or f'line-{number}'}#{i}",
                    _limits(sample.limits) if sample.HasField("limits") else None,
                )


def limits_message(limits: Limits) -> sample_pb2.Limits:
    """Return ``limits`` as a message; None stays unset."""
    counts: dict[str, Any] = {name: getattr(limits, name) or 0 for name in _COUNTS}
    message = sample_pb2.Limits(**counts)
    for ours, theirs in _DURATIONS.items():
        if (seconds := getattr(limits, ours)) is not None:
            getattr(message, theirs).FromTimedelta(timedelta(seconds=seconds))
    return message


def _limits(message: sample_pb2.Limits) -> Limits:
    values: dict[str, Any] = {name: getattr(message, name) or None for name in _COUNTS}
    for ours, theirs in _DURATIONS.items():
        if message.HasField(theirs):
            values[ours] = getattr(message, theirs).ToTimedelta().total_seconds()
    return Limits(**values)


def results(response: reward_service_pb2.ScoreResponse, batch: Batch) -> list[Result]:
    """Return the results of ``batch``. Raises `ServerError` unless there is one for each sample."""
    if len(response.results) != len(batch.samples):
        raise ServerError(f"the server answered {len(batch.samples)} samples with {len(response.results)} results")
    for i, (sample, answer) in enumerate(zip(batch.samples, response.results, strict=True)):
        if sample.sample_id != answer.sample_id:
            raise ServerError(f"results[{i}]: of sample {answer.sample_id!r} instead of {sample.sample_id!r}")
    return [result(message) for message in response.results]


def result(message: result_pb2.Result) -> Result:
    """Return ``message`` as a record. An outcome this client does not know is a Failure, never a number."""
    provenance = _provenance(message.provenance)
    match message.WhichOneof("outcome"):
        case "verdict":
            return _verdict(message, provenance)
        case "failure":
            return Failure(
                reason=FailureReason(_member(result_pb2.FailureReason, message.failure.reason, FailureReason)),
                message=message.failure.message,
                retryable=message.failure.retryable,
                sample_id=message.sample_id,
                provenance=provenance,
            )
        case _:
            text = "the server sent an outcome that this client does not know: upgrade the client"
            reason = FailureReason.UNRECOGNIZED
            return Failure(reason=reason, message=text, sample_id=message.sample_id, provenance=provenance)


def _verdict(message: result_pb2.Result, provenance: Provenance) -> Verdict:
    verdict = message.verdict
    if not (math.isfinite(verdict.score) and 0.0 <= verdict.score <= 1.0):
        raise ServerError(f"sample {message.sample_id!r}: the score {verdict.score} is not in [0, 1]")
    return Verdict(
        score=verdict.score,
        ruling=Ruling(_member(result_pb2.Ruling, verdict.ruling, Ruling)),
        summary=verdict.summary,
        checks=tuple(
            Check(name=check.name, score=check.score, weight=check.weight, detail=check.detail)
            for check in verdict.checks
        ),
        flags=tuple(Flag(name=flag.name, detail=flag.detail) for flag in verdict.flags),
        sample_id=message.sample_id,
        provenance=provenance,
    )


def _provenance(message: result_pb2.Provenance) -> Provenance:
    return Provenance(
        grader=message.grader,
        grader_version=message.grader_version,
        runtime=message.runtime,
        image_digest=message.image_digest,
        assurance_level=_assurance_level(message.assurance_level),
        queue_seconds=message.queue_duration.ToTimedelta().total_seconds(),
        run_seconds=message.run_duration.ToTimedelta().total_seconds(),
        shared=message.shared,
    )


def _member(wrapper: EnumTypeWrapper, number: int, kind: type[Ruling | FailureReason]) -> str:
    """Return the value in ``kind`` of an enum's ``number``; ``unrecognized`` for what it does not have."""
    prefix = wrapper.DESCRIPTOR.values_by_number[0].name.removesuffix("UNSPECIFIED")
    known = wrapper.DESCRIPTOR.values_by_number.get(number)
    name = known.name.removeprefix(prefix).lower() if known else ""
    return name if name in {member.value for member in kind} else "unrecognized"


def _assurance_level(number: int) -> AssuranceLevel:
    try:
        return AssuranceLevel(number)
    except ValueError:
        return AssuranceLevel.UNSPECIFIED


def capabilities(message: reward_service_pb2.GetCapabilitiesResponse) -> Capabilities:
    """Return ``message`` as a record."""
    sandbox = message.sandbox
    return Capabilities(
        server_version=message.server_version,
        graders=tuple(
            GraderInfo(name=grader.name, version=grader.version, languages=tuple(grader.languages))
            for grader in message.graders
        ),
        sandbox=SandboxInfo(
            runtime=sandbox.runtime,
            image_digest=sandbox.image_digest,
            assurance_level=_assurance_level(sandbox.assurance_level),
            layers=tuple(
                IsolationLayer(name=layer.name, active=layer.active, detail=layer.detail) for layer in sandbox.layers
            ),
        ),
        default_limits=_limits(message.default_limits),
        max_limits=_limits(message.max_limits),
        max_message_bytes=message.max_message_bytes,
        max_samples_per_request=message.max_samples_per_request,
        max_response_bytes=message.max_response_bytes,
        max_queued_samples=message.max_queued_samples,
        concurrency=message.concurrency,
    )
