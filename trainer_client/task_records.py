"""Task files as records: JSON Lines of `reward.v1.TaskRecord`. A bad line is named, and spoils no other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf import json_format
from reward.v1 import sample_pb2

from trainer_client.samples import TaskLike

_ROLES = ("system", "user", "assistant")
_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One line: what the model is asked, and what its responses are checked against."""

    task: TaskLike
    task_id: str
    """Its own, or ``line-<number>``."""
    grader: str
    """The field of `reward.v1.Task` that is set, e.g. ``math_answer``."""
    prompt: tuple[dict[str, str], ...]
    """Messages as chat templates take them: ``role`` and ``content``."""
    responses: tuple[str, ...]
    """What stands in the line's samples: demonstrations, for a warm start."""
    line: int
    """Counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that cannot be used."""

    line: int
    reason: str


def read_task_records(path: Path | str, *, prefix: str = "") -> Iterator[TaskRecord | BadLine]:
    """Yield every line that is not blank. Raises OSError when the file cannot be read.

    ``prefix`` is put before each task's id, so that tasks of several files may stand in one request.
    """
    seen: dict[str, int] = {}
    with Path(path).open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            read = _parse(number, raw, prefix)
            if isinstance(read, TaskRecord) and (first := seen.setdefault(read.task_id, number)) != number:
                read = BadLine(line=number, reason=f"taskId: {read.task_id!r} is the task of line {first} already")
            yield read


def _parse(number: int, raw: bytes, prefix: str) -> TaskRecord | BadLine:
    message = sample_pb2.TaskRecord()
    try:
        json_format.Parse(raw.decode("utf-8"), message)
    except (UnicodeDecodeError, json_format.ParseError, RecursionError) as error:
        return BadLine(line=number, reason=str(error))
    grader = message.task.WhichOneof("grader")
    message.task.task_id = prefix + (message.task.task_id or f"line-{number}")
    if grader is None:
        return BadLine(line=number, reason="task: no grader is set")
    if len(message.task.task_id) > _LONGEST_NAME:
        return BadLine(line=number, reason=f"taskId: longer than {_LONGEST_NAME} characters, with {prefix!r} before it")
    for i, said in enumerate(message.prompt):
        if said.role not in _ROLES:
            return BadLine(line=number, reason=f"prompt[{i}].role: {said.role!r} is none of {', '.join(_ROLES)}")
    return TaskRecord(
        task=message.task,
        task_id=message.task.task_id,
        grader=grader,
        prompt=tuple({"role": said.role, "content": said.content} for said in message.prompt),
        responses=tuple(sample.response for sample in message.samples),
        line=number,
    )
