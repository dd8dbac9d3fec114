"""Between the contract's messages and the server's records; the only module beside the service that knows protobuf.

Records are made from messages by field name and type hints, so that a task's record and its message cannot drift apart
unnoticed: a field that only one of them has is an error when the record is first used.
"""

import dataclasses
import hashlib
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from reward.v1 import result_pb2, reward_service_pb2, sample_pb2

from reward_server.errors import InvalidTaskError
from reward_server.verdict import Failure, Result, Verdict, clip
from sandboxes.base import Limits, SandboxInfo

R = TypeVar("R")
_DURATIONS = {"cpu_time": "cpu_seconds", "wall_time": "wall_seconds", "total_time": "total_seconds"}
_FRAMING_BYTES = 16
"""What a result takes beside its own bytes, at most."""
_COUNTS = ("memory_bytes", "output_bytes", "processes", "file_bytes")


def record(message: Message, kind: type[R]) -> R:
    """Return ``message`` as a record of ``kind``. Raises what the record raises, e.g. `InvalidTaskError`."""
    return kind(
        **{name: read(message) for name, read in _readers(typing.cast("Any", kind), message.DESCRIPTOR.full_name)}
    )


@cache
def _readers(kind: type, full_name: str) -> tuple[tuple[str, Callable[[Message], Any]], ...]:
    """Return how to read each field of the record ``kind`` from the message called ``full_name``."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    hints = typing.get_type_hints(kind)
    described = _descriptor(full_name).fields_by_name
    if missing := set(fields) ^ set(described):
        raise TypeError(f"{kind.__name__} and {full_name} differ in: {', '.join(sorted(missing))}")
    return tuple((name, _reader(described[name], hints[name], fields[name])) for name in fields)


def _descriptor(full_name: str) -> Any:
    return descriptor_pool.Default().FindMessageTypeByName(full_name)


def _reader(descriptor: FieldDescriptor, hint: Any, field: Any) -> Callable[[Message], Any]:
    name = descriptor.name
    if descriptor.message_type and descriptor.message_type.GetOptions().map_entry:
        return lambda message: dict(getattr(message, name))
    if descriptor.is_repeated:
        item = _converter(descriptor, typing.get_args(hint)[0], field)
        return lambda message: tuple(_at(f"{name}[{i}]", item, value) for i, value in enumerate(getattr(message, name)))
    convert = _converter(descriptor, _without_none(hint), field)
    if descriptor.has_presence:
        return lambda message: _at(name, convert, getattr(message, name)) if message.HasField(name) else _default(field)
    return lambda message: convert(getattr(message, name))


def _at(path: str, convert: Callable[[Any], Any], value: Any) -> Any:
    """Return ``value`` converted; what is wrong in a record within a record is told by its path from the outer one."""
    try:
        return convert(value)
    except InvalidTaskError as error:
        raise InvalidTaskError(f"{path}.{error.field}".rstrip("."), error.reason) from error


def _converter(descriptor: FieldDescriptor, hint: Any, field: Any) -> Callable[[Any], Any]:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        members = _members(descriptor, hint)

        def member(number: int) -> Any:
            if number and number not in members:
                raise InvalidTaskError(descriptor.name, f"is {number}, which this server does not know")
            return members[number] if number else _default(field)

        return member
    if hint is timedelta:
        return lambda message: _duration(descriptor.name, message)
    if dataclasses.is_dataclass(hint):
        kind: Any = hint
        return lambda message: record(message, kind)
    return lambda value: value


def _duration(name: str, message: Any) -> timedelta:
    try:
        return timedelta(seconds=message.seconds, microseconds=message.nanos / 1e3)
    except OverflowError:
        raise InvalidTaskError(name, f"{message.seconds} s is no duration") from None


def _members(descriptor: FieldDescriptor, kind: type[StrEnum]) -> dict[int, StrEnum]:
    assert descriptor.enum_type is not None  # noqa: S101 - asked for enum fields only
    values = descriptor.enum_type.values
    prefix = values[0].name.removesuffix("UNSPECIFIED")
    return {value.number: kind[value.name.removeprefix(prefix)] for value in values if value.number}


def _without_none(hint: Any) -> Any:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return next(part for part in typing.get_args(hint) if part is not types.NoneType)
    return hint


def _default(field: Any) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def limits(message: sample_pb2.Limits, base: Limits, largest: Limits, path: str) -> Limits:
    """Return ``base`` with what ``message`` sets. Raises `InvalidTaskError` for a wish past ``largest``."""
    changes: dict[str, Any] = {}
    for theirs, ours in _DURATIONS.items():
        if message.HasField(theirs):
            duration = getattr(message, theirs)
            seconds = duration.seconds + duration.nanos / 1e9
            changes[ours] = _within(seconds, getattr(largest, ours), f"{path}.{theirs}", "s")
    for name in _COUNTS:
        if value := getattr(message, name):
            changes[name] = _within(value, getattr(largest, name), f"{path}.{name}", "")
    return dataclasses.replace(base, **changes) if changes else base


def _within(value: float, largest: float, path: str, unit: str) -> float:
    if not 0 < value <= largest:
        asked = f"{value:g} {unit}".rstrip()
        raise InvalidTaskError(path, f"{asked} is not above 0 and at most {largest:g} (max_limits)")
    return value


def limits_message(value: Limits) -> sample_pb2.Limits:
    """Return ``value`` as a message, every field set."""
    message = sample_pb2.Limits(**{name: getattr(value, name) for name in _COUNTS})
    for theirs, ours in _DURATIONS.items():
        getattr(message, theirs).FromTimedelta(timedelta(seconds=getattr(value, ours)))
    return message


def task_digest(message: sample_pb2.Task) -> bytes:
    """Return what tells one task's content from another's, whatever their ids."""
    content = sample_pb2.Task()
    content.CopyFrom(message)
    content.task_id = ""
    return hashlib.sha256(content.SerializeToString(deterministic=True)).digest()


def result_message(
    sample_id: str, result: Result, provenance: Mapping[str, Any], queue_seconds: float, run_seconds: float
) -> result_pb2.Result:
    """Return one sample's result as a message."""
    message = result_pb2.Result(sample_id=sample_id)
    match result:
        case Verdict():
            message.verdict.CopyFrom(verdict_message(result))
        case Failure():
            message.failure.message = clip(result.message)
            reason = result_pb2.FailureReason.Value(f"FAILURE_REASON_{result.reason.name}")
            message.failure.reason = typing.cast("Any", reason)
            message.failure.retryable = result.retryable
    for name, value in provenance.items():
        setattr(message.provenance, name, value)
    message.provenance.queue_duration.FromTimedelta(timedelta(seconds=queue_seconds))
    message.provenance.run_duration.FromTimedelta(timedelta(seconds=run_seconds))
    return message


def verdict_message(verdict: Verdict) -> result_pb2.Verdict:
    """Return ``verdict`` as a message."""
    return result_pb2.Verdict(
        score=verdict.score,
        ruling=typing.cast("Any", result_pb2.Ruling.Value(f"RULING_{verdict.ruling.name}")),
        summary=verdict.summary,
        checks=[
            result_pb2.Check(name=clip(check.name), score=check.score, weight=check.weight, detail=check.detail)
            for check in verdict.checks
        ],
        flags=[result_pb2.Flag(name=clip(flag.name), detail=flag.detail) for flag in verdict.flags],
    )


def fit(results: Sequence[result_pb2.Result], most_bytes: int) -> None:
    """Shorten ``results`` until they fit into one message: details of checks go first, then the checks themselves."""
    for shorten in (_clear_details, _clear_checks):
        if sum(result.ByteSize() + _FRAMING_BYTES for result in results) <= most_bytes:
            return
        for result in results:
            shorten(result)


def _clear_details(result: result_pb2.Result) -> None:
    for check in result.verdict.checks:
        check.ClearField("detail")


def _clear_checks(result: result_pb2.Result) -> None:
    if result.verdict.checks:
        result.verdict.ClearField("checks")


def sandbox_message(info: SandboxInfo) -> reward_service_pb2.SandboxInfo:
    """Return ``info`` as a message."""
    return reward_service_pb2.SandboxInfo(
        runtime=info.runtime,
        image_digest=info.image_digest,
        assurance_level=typing.cast("Any", int(info.assurance_level)),
        layers=[
            reward_service_pb2.IsolationLayer(name=layer.name, active=layer.active, detail=layer.detail)
            for layer in info.layers
        ],
    )
