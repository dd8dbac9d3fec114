"""Between the records of this package and the contract's messages; `batching` makes requests of them."""

import json
import math
from collections.abc import Iterator
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
