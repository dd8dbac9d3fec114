"""A NeMo Gym resources server: `/verify` and what goes with it. It keeps no sessions and declares itself stateless.

A Failure that another try may not meet is a 503; any other is a row that is masked and names its failure, with the
reward 0 that the row must have.
"""

import json
import math
import statistics
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from reward.v1 import sample_pb2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reward_server.gateway.desk import Desk, read
from reward_server.gateway.failures import NotGradedError, nemo_gym_row
from reward_server.gateway.messages import text_of
from reward_server.statuses import RequestError
from reward_server.verdict import Failure, Verdict

_LABELS = ("task", "expected_answer", "ground_truth", "label", "answer")
"""Where a row's label is looked for, in this order, at its top and then in its ``verifier_metadata``."""
_TASK_INDEX = "_ng_task_index"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregate:
    """The body of `/aggregate_metrics`."""

    verify_responses: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class NemoGym:
    """The handlers."""

    desk: Desk

    async def verify(self, request: Request) -> Response:
        """Grade a row; answer with the row and its reward."""
        row = await read(request, dict[str, Any])
        task = self._task(request, row)
        (result,) = await self.desk.grade(request, [(task, _response(row))])
        if isinstance(result, Failure) and result.retryable:
            raise NotGradedError(result)
        return JSONResponse({**row, **_graded(result)})

    async def seed_session(self, request: Request) -> Response:
        """Begin a session, of which nothing needs to be kept."""
        asked = await read(request, dict[str, Any])
        kept = {key: asked[key] for key in ("resources_session_id",) if key in asked}
        return JSONResponse(kept)

    async def reverify_mode(self, _: Request) -> Response:
        """Say that a row may be verified again, anywhere."""
        return JSONResponse("stateless")

    async def aggregate_metrics(self, request: Request) -> Response:
        """Return means over rows, without those that are masked."""
        asked = await read(request, Aggregate)
        rows = [row for row in asked.verify_responses if not row.get("mask_sample")]
        groups: dict[Any, list[dict[str, Any]]] = {}
        for row in rows:
            groups.setdefault(str(row.get(_TASK_INDEX, 0)), []).append(row)
        overall = _means(rows)
        return JSONResponse(
            {
                "group_level_metrics": [
                    {_TASK_INDEX: members[0].get(_TASK_INDEX, 0), **_means(members)} for members in groups.values()
                ],
                "agent_metrics": {**overall, "masked": len(asked.verify_responses) - len(rows)},
                "key_metrics": {key: value for key, value in overall.items() if key == "mean/reward"},
            }
        )

    def _task(self, request: Request, row: dict[str, Any]) -> sample_pb2.Task:
        metadata = row.get("verifier_metadata")
        places = [("", row), ("verifier_metadata.", metadata if isinstance(metadata, dict) else {})]
        for prefix, place in places:
            for name in _LABELS:
                if place.get(name) is not None:
                    return self.desk.task(request, place[name], prefix + name)
        tests = places[1][1].get("unit_tests")
        if isinstance(tests, dict):
            return _unit_tests(tests)
        looked = ", ".join(_LABELS)
        raise RequestError(f"verifier_metadata: no task: {looked} or verifier_metadata.unit_tests is expected")


def _response(row: dict[str, Any]) -> str:
    response = row.get("response")
    output = response.get("output") if isinstance(response, dict) else None
    if not isinstance(output, list):
        raise RequestError("response.output: a list of items is expected")
    said = [
        text_of(item.get("content"), f"response.output[{i}].content")
        for i, item in enumerate(output)
        if isinstance(item, dict) and item.get("type") == "message" and item.get("role", "assistant") == "assistant"
    ]
    return said[-1] if said else ""


def _unit_tests(tests: dict[str, Any]) -> sample_pb2.Task:
    """Return the task of tests as competition data sets have them: whole programs, or calls of ``fn_name``."""
    path = "verifier_metadata.unit_tests"
    inputs, outputs, function = tests.get("inputs"), tests.get("outputs"), tests.get("fn_name")
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs) or not inputs:
        raise RequestError(f"{path}: inputs and outputs of the same length are expected")
    if function:
        try:
            cases = [_call(str(function), args, out) for args, out in zip(inputs, outputs, strict=True)]
        except (ValueError, TypeError, RecursionError) as error:
            wanted = "a list of arguments, or their JSON, one a line"
            raise RequestError(f"{path}.inputs: for calls of {function!r} each is {wanted}: {error}") from error
        said: dict[str, Any] = {"callTests": cases}
    else:
        said = {"stdioTests": [{"stdin": i, "expectedStdout": o} for i, o in zip(inputs, outputs, strict=True)]}
    said["scoring"] = "TEST_SCORING_ALL_OR_NOTHING"
    try:
        return json_format.ParseDict({"codeTests": said}, sample_pb2.Task())
    except (json_format.ParseError, TypeError, ValueError) as error:
        raise RequestError(f"{path}: {error}") from error


def _call(function: str, args: Any, expected: Any) -> dict[str, Any]:
    if isinstance(args, str):  # as LiveCodeBench has them
        args = [json.loads(line) for line in args.split("\n") if line.strip()]
        expected = json.loads(expected)
    if not isinstance(args, list):
        raise TypeError(f"not a {type(args).__name__}")
    return {
        "function": function,
        "args": [repr(value) for value in args],
        "expected": repr(expected),
        "sequencesMatch": True,
    }


def _graded(result: Verdict | Failure) -> dict[str, Any]:
    if isinstance(result, Failure):
        return nemo_gym_row(result)
    return {
        "reward": result.score,
        "mask_sample": False,
        "accepted": float(result.score == 1.0),
        "ruling": result.ruling.value,
        "summary": result.summary,
    }


def _means(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the mean of every field that is a number in all rows that have it."""
    numbers: dict[str, list[float]] = {}
    for row in rows:
        for key, value in row.items():
            if isinstance(value, int | float) and math.isfinite(value) and not key.startswith("_"):
                numbers.setdefault(key, []).append(float(value))
    return {f"mean/{key}": statistics.fmean(values) for key, values in sorted(numbers.items()) if key != "mask_sample"}
