"""Task files: JSON Lines of `reward.v1.TaskRecord`. A bad line is reported with its number and spoils no other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format
from reward.v1 import sample_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that cannot be used."""

    number: int
    """Counted from 1."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that can."""

    number: int
    record: sample_pb2.TaskRecord


def read(path: Path) -> Iterator[Line | BadLine]:
    """Yield every line that is not blank. Raises OSError when the file cannot be read."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if raw.strip():
                yield _parse(number, raw)


def _parse(number: int, raw: bytes) -> Line | BadLine:
    record = sample_pb2.TaskRecord()
    try:
        json_format.Parse(raw.decode("utf-8"), record)
    except (UnicodeDecodeError, json_format.ParseError, RecursionError) as error:
        return BadLine(number=number, reason=str(error))
    if not record.task.task_id:
        record.task.task_id = f"line-{number}"
    for i, sample in enumerate(record.samples):
        sample.sample_id = sample.sample_id or f"{record.task.task_id}#{i}"
        if sample.task_id and sample.task_id != record.task.task_id:
            return BadLine(number=number, reason=f"samples[{i}].taskId is not this line's task")
        sample.task_id = record.task.task_id
    if record.task.WhichOneof("grader") is None:
        return BadLine(number=number, reason="task: no grader is set")
    return Line(number=number, record=record)


def read_responses(path: Path) -> Iterator[sample_pb2.Sample | BadLine]:
    """Yield responses from a file of `reward.v1.Sample` lines. Raises OSError when the file cannot be read."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            sample = sample_pb2.Sample()
            try:
                json_format.Parse(raw.decode("utf-8"), sample)
            except (UnicodeDecodeError, json_format.ParseError, RecursionError) as error:
                yield BadLine(number=number, reason=str(error))
                continue
            sample.sample_id = sample.sample_id or f"{sample.task_id}#{number}"
            yield sample
