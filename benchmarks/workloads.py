"""Responses to grade, of several kinds, without end and no two alike; and the same grading done in this process."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from reward_server import wire
from reward_server.graders import GRADERS
from sandboxes.base import Ending, Execution, Limits
from trainer_client import Sample
from trainer_client.wire import task_message

FLIGHTS = 2
_TASKS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One kind of task, and a right response to it by number."""

    task: Callable[[int], dict[str, Any]]
    """The task number i, of `_TASKS`."""
    response: Callable[[int, int], str]
    """The response number n to the task number i."""
    call: Callable[[int], bool]
    """Grade response n in this process, with nothing around it; return whether it is right."""

    def samples(self, flight: int) -> Iterator[Sample]:
        """Yield different samples for ever, no two of all flights alike."""
        tasks = [self.task(i) for i in range(_TASKS)]
        for number in count(flight, FLIGHTS + 1):
            yield Sample(tasks[number % _TASKS], self.response(number, number % _TASKS))


def _python_task(i: int) -> dict[str, Any]:
    tests = [((1, 2), 3 + i), ((-5, 5), i), ((10, 20), 30 + i)]
    call_tests = [{"args": [str(arg) for arg in args], "expected": str(expected)} for args, expected in tests]
    return {"taskId": f"add-{i}", "codeTests": {"entryPoint": "add", "callTests": call_tests}}


def _python_source(n: int, i: int) -> str:
    return f"def add(a, b):\n    return a + b + {i}  # {n}"


def _python_call(n: int) -> bool:
    """Do in plain Python what grading a sample does: compile, run, call, compare."""
    names: dict[str, Callable[[int, int], int]] = {}
    i = n % _TASKS
    exec(compile(_python_source(n, i), "<response>", "exec"), names)
    return [names["add"](*pair) for pair in ((1, 2), (-5, 5), (10, 20))] == [3 + i, i, 30 + i]


def _graded_here(grader: str, task: Callable[[int], dict[str, Any]], response: Callable[[int, int], str]) -> Any:
    """Return a function that plans, runs the guest in this process, and judges."""
    from importlib import import_module  # noqa: PLC0415 - a guest is loaded only by those who measure it

    entry, guest = GRADERS[grader], import_module(f"sandboxes.guests.{grader}")
    records = [wire.record(getattr(task_message(task(i)), grader), entry.task) for i in range(_TASKS)]

    def executed(job: Any) -> Execution:
        return Execution(ending=Ending.EXITED, report=guest.run(json.loads(json.dumps(job.payload))))

    prepared = [entry.grader.prepare(record, Limits()) for record in records]
    references = [executed(job) if job else None for job in prepared]

    def call(n: int) -> bool:
        i = n % _TASKS
        job = entry.grader.plan(records[i], response(n, i), Limits())
        verdict = entry.grader.judge(records[i], job, executed(job), references[i])
        return bool(verdict.score == 1.0)

    return call


_DATABASE = "CREATE TABLE pets (name TEXT, age INTEGER); INSERT INTO pets VALUES ('Rex', 3), ('Tom', 5), ('Kim', 13);"


def _function(grader: str, task: Callable[[int], dict[str, Any]], response: Callable[[int, int], str]) -> Workload:
    return Workload(task=task, response=response, call=_graded_here(grader, task, response))


def workload(name: str) -> Workload:
    """Return the workload called ``name``, one of `NAMES`."""
    match name:
        case "python":
            return Workload(
                task=_python_task,
                response=lambda n, i: f"Here it is:\n```python\n{_python_source(n, i)}\n```",
                call=_python_call,
            )
        case "math":
            return _function(
                "math_answer",
                lambda i: {"mathAnswer": {"expected": rf"\frac{{\sqrt{{{i + 2}}}}}{{2}}+x^2"}},
                lambda n, i: rf"After {n} tries: \boxed{{x^2+\frac12\sqrt{{{i + 2}}}}}",
            )
        case "sql":
            return _function(
                "sql_query",
                lambda i: {
                    "sqlQuery": {"databaseSql": _DATABASE, "referenceQuery": f"SELECT name FROM pets WHERE age > {i}"}
                },
                lambda n, i: f"SELECT name FROM pets -- {n}\nWHERE NOT age <= {i}",
            )
        case "json":
            return _function(
                "json_extraction",
                lambda i: {
                    "jsonExtraction": {
                        "schema": '{"type": "object", "required": ["name", "age"]}',
                        "expected": json.dumps({"name": "Rex", "age": i, "tags": ["a", "b"]}),
                    }
                },
                lambda n, i: (
                    " " * (n % 97) + json.dumps({"age": i, "name": "Rex", "tags": ["a", "b"]}) + " " * (n // 97)
                ),
            )
    raise ValueError(name)


NAMES = ("python", "math", "sql", "json")
