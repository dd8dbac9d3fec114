"""OpenAI's graders: `/v1/fine_tuning/alpha/graders/run` and `/validate`.

Texts are compared here; programs and models judge through the engine, as tasks of `python_grader` and `model_judge`.
What a model wrote never becomes part of the instructions of a judging model: in its messages `sample` is a reference
to the quoted text. What could not be graded sets a flag in ``metadata.errors``, and the reward beside it means nothing.
"""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
from reward.v1 import sample_pb2
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from reward_server.admission import cancel
from reward_server.formula import FormulaError, evaluate, parse
from reward_server.gateway.desk import Desk, read
from reward_server.gateway.failures import grader_errors
from reward_server.gateway.labels import task_message
from reward_server.gateway.messages import text_of
from reward_server.gateway.openai_texts import string_check, text_similarity
from reward_server.gateway.openai_types import (
    Grader,
    LabelModel,
    Multi,
    Python,
    RewardTask,
    ScoreModel,
    Single,
    StringCheck,
    TextSimilarity,
    check,
    check_parts,
    endpoint_of,
    type_of,
)
from reward_server.gateway.templates import TemplateError, fill, look_up, render, replace
from reward_server.gateway.templates import text_of as text_of_value
from reward_server.verdict import Failure

ERRORS = (
    "formula_parse_error",
    "sample_parse_error",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "invalid_variable_error",
    "other_error",
    "python_grader_server_error",
    "python_grader_runtime_error",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_parse_error",
)
_DETAILS = (
    "python_grader_server_error_type",
    "python_grader_runtime_error_details",
    "model_grader_server_error_details",
)
_JSON_SPACE = "sample.output_json"


class GraderRun(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `/run`."""

    grader: Grader
    model_sample: str
    item: Any = None


class GraderCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `/validate`."""

    grader: Grader


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one grader gave."""

    reward: float = 0.0
    errors: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenAIGraders:
    """The handlers."""

    desk: Desk

    async def run(self, request: Request) -> Response:
        """Grade one sample."""
        begun = time.monotonic()
        asked = await read(request, GraderRun)
        grader = asked.grader
        if isinstance(grader, Multi):
            check_parts(grader, self.desk.config, "grader")  # a formula that cannot be read is a flag
        else:
            check(grader, self.desk.config)
        run = _Run(self.desk, request, asked.model_sample, _values(asked))
        outcome = await run.of(grader)
        said = {
            "reward": outcome.reward,
            "sub_rewards": outcome.parts,
            "model_grader_token_usage_per_model": {},
            "metadata": {
                "name": grader.name,
                "type": type_of(grader),
                "errors": dict.fromkeys(ERRORS, False) | dict.fromkeys(_DETAILS) | outcome.errors,
                "execution_time": time.monotonic() - begun,
                "scores": outcome.parts or {grader.name or type_of(grader): outcome.reward},
                "token_usage": None,
                "sampled_model_name": None,
            },
        }
        return JSONResponse(said)

    async def validate(self, request: Request) -> Response:
        """Say whether a grader could run; 400 with the path of what is wrong if not."""
        asked = await read(request, GraderCheck)
        check(asked.grader, self.desk.config)
        return JSONResponse({"grader": json.loads(await request.body())["grader"]})


@dataclass(frozen=True, slots=True)
class _Run:
    """One sample being graded."""

    desk: Desk
    request: Request
    sample: str
    values: dict[str, Any]

    async def of(self, grader: Grader) -> Outcome:
        if isinstance(grader, Multi):
            return await self._combined(grader)
        return await self._single(grader)

    async def _combined(self, grader: Multi) -> Outcome:
        tasks = [asyncio.ensure_future(self._single(part)) for part in grader.graders.values()]
        try:
            outcomes = dict(zip(grader.graders, await asyncio.gather(*tasks), strict=True))
        finally:
            await cancel(tasks)
        parts = {name: outcome.reward for name, outcome in outcomes.items() if not outcome.errors}
        errors = {name: said for outcome in outcomes.values() for name, said in outcome.errors.items()}
        if errors:
            return Outcome(errors=errors, parts=parts)
        try:
            return Outcome(evaluate(parse(grader.calculate_output), parts), parts=parts)
        except FormulaError:
            return Outcome(errors={"formula_parse_error": True}, parts=parts)

    async def _single(self, grader: Single) -> Outcome:
        try:
            match grader:
                case StringCheck() | TextSimilarity():
                    return Outcome(await asyncio.to_thread(_compared, grader, self.values))
                case Python():
                    task = sample_pb2.Task()
                    task.python_grader.source = grader.source
                    task.python_grader.item = json.dumps(self.values["item"])
                    return await self._judged(grader, task)
                case ScoreModel():
                    outcome = await self._judged(grader, self._judge_task(grader))
                    low, high = grader.range or (0.0, 1.0)
                    return outcome if outcome.errors else Outcome(low + outcome.reward * (high - low))
                case LabelModel():
                    return await self._judged(grader, self._judge_task(grader))
                case RewardTask():
                    return await self._judged(grader, task_message(fill(grader.task, self.values), "grader.task"))
        except TemplateError as error:
            unread = error.path.startswith(_JSON_SPACE) and "output_json" not in self.values["sample"]
            return Outcome(errors={"sample_parse_error" if unread else "invalid_variable_error": True})

    async def _judged(self, grader: Single, task: sample_pb2.Task) -> Outcome:
        (result,) = await self.desk.grade(self.request, [(task, self.sample)])
        if isinstance(result, Failure):
            return Outcome(errors=grader_errors(result, type_of(grader)))
        return Outcome(result.score)

    def _judge_task(self, grader: ScoreModel | LabelModel) -> sample_pb2.Task:
        """Return the task of a judging model: its messages are the rubric, in which the sample is only referred to."""
        task = sample_pb2.Task()
        judge = task.model_judge
        judge.endpoint, _ = endpoint_of(grader.model, self.desk.config, "grader")
        spoken = [(one.role, text_of(one.content, "grader.input")) for one in grader.input]
        judge.rubric = "\n\n".join(f"[{role}]\n{self._referring(text)}" for role, text in spoken)
        if isinstance(grader, LabelModel):
            for label in dict.fromkeys(grader.labels):
                judge.labels.add(name=label, score=float(label in grader.passing_labels))
        else:
            judge.lowest, judge.highest = grader.range or (0.0, 1.0)
        if grader.sampling_params and grader.sampling_params.temperature is not None:
            judge.temperature = grader.sampling_params.temperature
        if grader.sampling_params and grader.sampling_params.max_completions_tokens:
            judge.max_tokens = grader.sampling_params.max_completions_tokens
        return task

    def _referring(self, template: str) -> str:
        """Return ``template`` with the item's values in it, and words for the sample's."""

        def text_at(path: str) -> str:
            value = look_up(path, self.values)
            if path.startswith("item"):
                return text_of_value(value)
            return "(the text to grade)" if path == "sample.output_text" else f"(the text to grade: its {path})"

        return replace(template, text_at)


def _compared(grader: StringCheck | TextSimilarity, values: dict[str, Any]) -> float:
    text, reference = render(grader.input, values), render(grader.reference, values)
    if isinstance(grader, StringCheck):
        return string_check(grader.operation, text, reference)
    score = text_similarity(grader.evaluation_metric, text, reference)
    return score if grader.pass_threshold is None else float(score >= grader.pass_threshold)


def _values(asked: GraderRun) -> dict[str, Any]:
    """Return what templates may name. ``output_json`` is there only where the sample is JSON."""
    sample: dict[str, Any] = {"output_text": asked.model_sample, "output_tools": []}
    with suppress(msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        sample["output_json"] = msgspec.json.decode(asked.model_sample)
    return {"item": {} if asked.item is None else asked.item, "sample": sample}
