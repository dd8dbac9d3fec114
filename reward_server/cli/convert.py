"""`reward-server convert`: rows in, a task file out; a row that cannot be used is named and spoils no other."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from google.protobuf import json_format
from reward.v1 import sample_pb2
from rich.console import Console

import converters
from converters import Converted, Options, RowError
from converters.files import rows
from reward_server import wire
from reward_server.errors import InvalidTaskError
from reward_server.graders import GRADERS

_console = Console(stderr=True, emoji=False)  # ":100:" is a line number


@dataclass
class _Tally:
    """How many rows were used, and the names that tasks have."""

    used: int = 0
    left_out: int = 0
    names: set[str] = field(default_factory=set)


def run_convert(name: str, file: Path, out: TextIO, options: Options, *, solutions: bool) -> bool:
    """Write a task for every row of ``file`` that can be one; return whether all could.

    Raises `UnreadableFileError`, OSError.
    """
    tally = _Tally()
    for number, line in _lines(name, file, options, tally, solutions=solutions):
        if isinstance(line, RowError):
            tally.left_out += 1
            _console.print(f"{file}:{number}: {line}", style="red", markup=False, soft_wrap=True)
        else:
            tally.used += 1
            out.write(line + "\n")
    _console.print(f"{tally.used} rows became tasks, {tally.left_out} could not", markup=False)
    return tally.left_out == 0


def _lines(
    name: str, file: Path, options: Options, tally: _Tally, *, solutions: bool
) -> Iterator[tuple[int, str | RowError]]:
    for number, row in rows(file):
        if isinstance(row, RowError):
            yield number, row
            continue
        try:
            record = _record(converters.convert(name, row, options), solutions=solutions)
        except RowError as error:
            yield number, error
            continue
        task = record.task
        task.task_id = task.task_id or f"{file.name.split('.')[0][:200]}-{number}"
        if task.task_id in tally.names:
            task.task_id = f"{task.task_id[:230]}@{number}"
        tally.names.add(task.task_id)
        yield number, json_format.MessageToJson(record, indent=None, ensure_ascii=False)


def _record(converted: Converted, *, solutions: bool) -> sample_pb2.TaskRecord:
    """Return the row as a task record that the server takes. Raises `RowError`."""
    try:
        record = json_format.ParseDict(converted.record(solutions=solutions), sample_pb2.TaskRecord())
    except (json_format.ParseError, TypeError, ValueError) as error:
        raise RowError(f"makes no task: {error}") from None
    grader = record.task.WhichOneof("grader")
    if grader not in GRADERS:
        raise RowError("makes a task without a grader")
    try:
        wire.record(getattr(record.task, grader), GRADERS[grader].task)
    except InvalidTaskError as error:
        raise RowError(f"makes an invalid task: {error}") from None
    return record
