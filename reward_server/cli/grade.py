"""`reward-server grade`: progress, a table, and results as JSON Lines."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from google.protobuf import json_format
from reward.v1 import result_pb2, sample_pb2
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from reward_server.config import Config
from reward_server.graders import GRADERS
from reward_server.grading import Graded, grade_all
from reward_server.sandbox_choice import choose
from reward_server.task_files import BadLine, read, read_responses

_console = Console(stderr=True, emoji=False)  # ":100:" is a line number


@dataclass
class _Tally:
    """What became of one grader's samples."""

    scores: list[float] = field(default_factory=list)
    accepted: int = 0
    failures: int = 0


class _InOrder:
    """Writes results in the order of the work, whatever the order in which they come."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._waiting: dict[int, Graded] = {}
        self._next = 0

    def put(self, graded: Graded) -> None:
        """Write ``graded`` once everything before it has been written."""
        self._waiting[graded.number] = graded
        while (ready := self._waiting.pop(self._next, None)) is not None:
            self._next += 1
            if ready.result is not None:
                self._file.write(_json(ready.result) + "\n")


def _json(result: result_pb2.Result) -> str:
    """Return ``result`` as a line of JSON in which a score of 0 is written out."""
    return json_format.MessageToJson(result, indent=None, always_print_fields_with_no_presence=True)


async def run_grade(config: Config, file: Path, responses: Path | None, out: Path | None) -> bool:
    """Grade ``file``; return whether every line and sample got a verdict."""
    problems: list[str] = []
    work = list(_work(file, responses, problems))
    graders = sorted({task.WhichOneof("grader") or "" for task, _ in work} & set(GRADERS))
    tallies: dict[str, _Tally] = defaultdict(_Tally)
    with ExitStack() as stack:
        sink = _InOrder(stack.enter_context(out.open("w", encoding="utf-8"))) if out else None
        progress = stack.enter_context(_progress())
        bar = progress.add_task("grading", total=len(work))

        def report(graded: Graded) -> None:
            progress.advance(bar)
            if sink:
                sink.put(graded)
            if graded.result is None:
                problems.append(f"sample {graded.sample.sample_id}: {graded.problem}")
            else:
                _count(tallies[graded.task.WhichOneof("grader") or ""], graded.result, problems)

        async with await choose(config, graders) as sandbox:
            await grade_all(sandbox, config, work, report)
    _print(tallies, problems)
    return not problems


def _work(
    file: Path, responses: Path | None, problems: list[str]
) -> Iterator[tuple[sample_pb2.Task, sample_pb2.Sample]]:
    tasks: dict[str, sample_pb2.Task] = {}
    for line in read(file):
        if isinstance(line, BadLine):
            problems.append(f"{file}:{line.number}: {line.reason}")
            continue
        tasks[line.record.task.task_id] = line.record.task
        for sample in line.record.samples:
            yield line.record.task, sample
    for response in read_responses(responses) if responses else ():
        if isinstance(response, BadLine):
            problems.append(f"{responses}:{response.number}: {response.reason}")
        elif response.task_id not in tasks:
            problems.append(f"{responses}: no task is called {response.task_id!r}")
        else:
            yield tasks[response.task_id], response


def _count(tally: _Tally, result: result_pb2.Result, problems: list[str]) -> None:
    if result.WhichOneof("outcome") == "failure":
        tally.failures += 1
        reason = result_pb2.FailureReason.Name(result.failure.reason).removeprefix("FAILURE_REASON_")
        problems.append(f"sample {result.sample_id}: {reason}: {result.failure.message}")
        return
    tally.scores.append(result.verdict.score)
    tally.accepted += result.verdict.ruling == result_pb2.RULING_ACCEPTED


def _print(tallies: dict[str, _Tally], problems: list[str]) -> None:
    table = Table("grader", "samples", "mean score", "accepted", "not graded", title="Grades")
    for name, tally in sorted(tallies.items()):
        count = len(tally.scores)
        mean = f"{sum(tally.scores) / count:.3f}" if count else "-"
        table.add_row(name, str(count + tally.failures), mean, str(tally.accepted), str(tally.failures))
    _console.print(table)
    for problem in problems[:50]:
        _console.print(problem, style="red", markup=False, soft_wrap=True)
    if len(problems) > 50:  # noqa: PLR2004 - as above
        _console.print(f"… and {len(problems) - 50} more", style="red")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=_console)
