"""Grades an extracted record: is it JSON, is it valid, which fields agree, what was invented."""

from collections.abc import Sequence
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import extract_json_text
from reward_server.graders.json_comparison import Part, compare
from reward_server.graders.strict_json import StrictJsonError, parse
from reward_server.tasks.json_extraction import JsonExtractionTask
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip, ruling_for, weighted_share
from sandboxes.base import Ending, Execution, Job, Limits

_SCHEMA_SHARE = 0.25
_DEFAULT_EXTRA_COST = 0.1
_MOST_EXTRA_COST = 0.5
_ENDINGS = {
    Ending.CPU_LIMIT: Ruling.TIME_LIMIT,
    Ending.WALL_LIMIT: Ruling.TIME_LIMIT,
    Ending.MEMORY_LIMIT: Ruling.MEMORY_LIMIT,
    Ending.OUTPUT_LIMIT: Ruling.OUTPUT_LIMIT,
}


class JsonExtraction:
    """Implements `Grader` for `JsonExtractionTask`."""

    name = "json_extraction"
    version = "1"

    def prepare(self, task: JsonExtractionTask, limits: Limits) -> Job | None:
        """Validate the reference itself: a schema or a reference that is wrong must not become a score."""
        return _job(task, task.expected, limits) if task.schema else None

    def plan(self, task: JsonExtractionTask, response: str, limits: Limits) -> Job | Verdict:
        """Read the response's JSON; have it validated."""
        found = extract_json_text(response)
        if found.text is None:
            return Verdict(score=0.0, ruling=Ruling.NO_ANSWER, summary="The response contains no JSON.")
        try:
            value = parse(found.text)
        except StrictJsonError as error:
            checks = (Check("json", 0.0, 1.0, str(error)),)
            summary = f"The response's JSON cannot be read: {clip(str(error), 300)}"
            return Verdict(score=0.0, ruling=Ruling.WRONG_ANSWER, summary=summary, checks=checks)
        if not task.schema:
            return _verdict(task, value, [], ())
        return _job(task, found.text, limits, value)

    def judge(self, task: JsonExtractionTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Put validity and agreement together."""
        _check_task(reference)
        flags = tuple(Flag(name, detail) for name, detail in execution.flags)
        if "errors" not in execution.report:
            ruling = _ENDINGS.get(execution.ending, Ruling.RUNTIME_ERROR)
            return Verdict(score=0.0, ruling=ruling, summary="The record could not be validated.", flags=flags)
        errors: Any = execution.report["errors"]
        return _verdict(task, job.aside, errors, flags)


GRADER = JsonExtraction()


def _job(task: JsonExtractionTask, text: str, limits: Limits, value: object = None) -> Job:
    payload = {"schema": task.schema, "text": text, "check_formats": task.check_formats}
    return Job(program="json_extraction", payload=payload, limits=limits, aside=value)


def _check_task(reference: Execution | None) -> None:
    """Raise `InvalidTaskError` when the schema is unusable or the reference breaks it."""
    report: Any = reference.report if reference else {}
    if "schema_error" in report:
        raise InvalidTaskError("schema", str(report["schema_error"]))
    if "errors" not in report:
        said = f"{reference.ending} {reference.stderr[-300:]}" if reference else "it did not run"
        raise InvalidTaskError("schema", f"it cannot be used: {said}")
    if report["errors"]:
        pointer, message = report["errors"][0]
        raise InvalidTaskError("expected", f"it breaks the schema at {pointer or '/'}: {message}")


def _verdict(
    task: JsonExtractionTask, value: Any, errors: Sequence[tuple[str, str]], flags: tuple[Flag, ...]
) -> Verdict:
    parts = compare(value, parse(task.expected), task.rules)
    fields = [part for part in parts if not part.extra]
    extra = [part for part in parts if part.extra]
    total = sum(part.weight for part in fields) or 1.0
    checks = [Check(part.pointer, part.score, part.weight, part.detail) for part in fields]
    if task.schema:
        detail = "; ".join(f"{pointer or '/'}: {message}" for pointer, message in errors[:5])
        checks.insert(0, Check("schema", float(not errors), total * _SCHEMA_SHARE, detail))
    checks.append(_extra_check(task, extra, total))
    checks += _summaries(fields)
    score = weighted_share(checks)
    right = sum(part.score == 1.0 for part in fields)
    summary = f"{right} of {len(fields)} fields agree"
    summary += f", {len(extra)} are not in the reference" if extra else ""
    summary += f", and it breaks the schema ({clip(errors[0][1], 200)})" if errors else ""
    if not any(part.score > 0.0 for part in fields) and fields:
        score = 0.0
    return Verdict(score=score, ruling=ruling_for(score), summary=summary + ".", checks=tuple(checks), flags=flags)


def _extra_check(task: JsonExtractionTask, extra: Sequence[Part], total: float) -> Check:
    """Invented fields take their cost off the score, whatever the number of right fields."""
    cost = _DEFAULT_EXTRA_COST if task.extra_field_cost is None else task.extra_field_cost
    share = min(_MOST_EXTRA_COST, cost * len(extra))
    detail = "invented: " + ", ".join(part.pointer for part in extra[:20]) if extra else ""
    # With the weight w beside T of all else, a score of 0 costs w / (T + w): solve for the share to be lost.
    others = total * (1.0 + (_SCHEMA_SHARE if task.schema else 0.0))
    weight = others * share / (1.0 - share)
    return Check("no_extra_fields", float(not extra), weight if extra else 0.0, detail)


def _summaries(fields: Sequence[Part]) -> list[Check]:
    """Accuracy of what is there and completeness, for people; they do not count."""
    present = [part for part in fields if not part.missing]
    accuracy = sum(part.score for part in present) / len(present) if present else 0.0
    completeness = len(present) / len(fields) if fields else 1.0
    return [Check("accuracy", accuracy, 0.0), Check("completeness", completeness, 0.0)]
