"""Grades an extracted record: is it JSON, is it valid, which fields agree, what was invented.

The host finds the JSON text in the response and weighs what the guest reports; reading, validating and comparing it
is the guest's, `sandboxes/guests/json_extraction`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.graders.answers import extract_json_text
from reward_server.graders.base import RESPONSES
from reward_server.tasks.json_extraction import FieldRule, JsonExtractionTask
from reward_server.verdict import Check, Flag, Ruling, Verdict, clip, ruling_for, weighted_share
from sandboxes.base import Ending, Execution, Job, Limits

_DEFAULT_SCHEMA_COST = 0.25
_MAX_SENT = 4 << 20
"""Characters of the response's JSON, as a JSON string: with the task's own it fits a frame."""
_SUMMARY_ERROR = 200
_SHOWN_ERRORS = 5
_ENDINGS = {
    Ending.CPU_LIMIT: Ruling.TIME_LIMIT,
    Ending.WALL_LIMIT: Ruling.TIME_LIMIT,
    Ending.MEMORY_LIMIT: Ruling.MEMORY_LIMIT,
    Ending.OUTPUT_LIMIT: Ruling.OUTPUT_LIMIT,
}


class JsonExtraction:
    """Implements `Grader` for `JsonExtractionTask`."""

    name = "json_extraction"
    version = "2"

    def prepare(self, task: JsonExtractionTask, limits: Limits) -> Job | None:
        """Grade the reference itself: a task whose own reference fails must not become a score."""
        return _job(task, task.expected, limits)

    def plan(self, task: JsonExtractionTask, response: str, limits: Limits) -> Job | Verdict:
        """Find the response's JSON; have it graded."""
        found = extract_json_text(response)
        if found.text is None:
            return Verdict(
                score=0.0, ruling=Ruling.NO_ANSWER, summary="The response contains no JSON.", flags=found.flags
            )
        if len(json.dumps(found.text)) > _MAX_SENT:
            return Verdict(score=0.0, ruling=Ruling.OUTPUT_LIMIT, summary="The JSON is too long.", flags=found.flags)
        return _job(task, found.text, limits, (*found.flags, *_several(found.candidates)))

    def judge(self, task: JsonExtractionTask, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Put validity and agreement together."""
        _check_task(reference)
        aside: Any = job.aside
        flags = (*aside, *(Flag(name, detail) for name, detail in execution.flags))
        report: Any = execution.report
        if "unreadable" in report:
            why = str(report["unreadable"])
            summary = f"The JSON cannot be read: {clip(why, _SUMMARY_ERROR)}."
            checks = (Check("json", 0.0, 1.0, why),)
            return Verdict(score=0.0, ruling=Ruling.WRONG_ANSWER, summary=summary, checks=checks, flags=flags)
        if "fields" not in report:
            ruling = _ENDINGS.get(execution.ending, Ruling.RUNTIME_ERROR)
            return Verdict(score=0.0, ruling=ruling, summary="Comparing the record was ended.", flags=flags)
        if report["bounded"]:
            flags += (Flag("bounded_matching", "arrays too long to look for the best match of their items"),)
        return _verdict(task, report, flags)


GRADER = JsonExtraction()


def _several(candidates: Sequence[str]) -> tuple[Flag, ...]:
    """Several different JSON texts are one answer, the last; it is said that there were more."""
    number = len(set(candidates))
    return (Flag("several_documents", f"{number} different JSON texts"),) if number > 1 else ()


def _job(task: JsonExtractionTask, text: str, limits: Limits, flags: tuple[Flag, ...] = ()) -> Job:
    payload = {
        "text": text,
        "expected": task.expected,
        "schema": task.schema,
        "draft": task.draft.value,
        "check_formats": task.check_formats,
        "rules": [_rule(rule) for rule in task.rules],
        "extra_field_weight": 1.0 if task.extra_field_weight is None else task.extra_field_weight,
        "null_is_absent": task.null_is_absent,
    }
    return Job(program="json_extraction", payload=payload, limits=limits, aside=flags, company=RESPONSES)


def _rule(rule: FieldRule) -> dict[str, Any]:
    """Return ``rule`` as the guest takes it: what is unset is left to its defaults."""
    said = {
        "path": rule.path,
        "comparison": rule.comparison.value,
        "relative_tolerance": rule.relative_tolerance,
        "absolute_tolerance": rule.absolute_tolerance,
        "decimal_comma": rule.decimal_comma,
        "day_first": rule.day_first,
        "measure": rule.measure.value,
        "min_similarity": rule.min_similarity,
        "unordered": rule.unordered,
        "weight": rule.weight,
        "optional": rule.optional,
        "accepted": list(rule.also_accepted),
    }
    return {name: value for name, value in said.items() if value is not None}


def _check_task(reference: Execution | None) -> None:
    """Raise `InvalidTaskError` when the task cannot be used, or its own reference is not perfect by its own rules."""
    report: Any = reference.report if reference else {}
    if "task_error" in report:
        field, message = report["task_error"]
        raise InvalidTaskError(str(field), str(message))
    if "fields" not in report:
        said = f"{reference.ending} {reference.stderr[-300:]}" if reference else "it did not run"
        raise InvalidTaskError("", f"its own reference cannot be graded: {said.strip()}")
    if report["errors"]:
        pointer, message = report["errors"][0]
        raise InvalidTaskError("expected", f"it breaks the schema at {pointer or 'the top'}: {message}")
    for pointer, score, _, detail in report["fields"]:
        if score != 1.0:
            raise InvalidTaskError("expected", f"by its own rule {pointer or 'the record'} is not right: {detail}")
    if _counted(report) <= 0.0 or (report["rest"]["count"] and report["rest"]["score"] != 1.0):
        raise InvalidTaskError("expected", "no field counts, or some are not right by their own rules")


def _counted(report: Mapping[str, Any]) -> float:
    """Return what the fields of the reference weigh together."""
    return math.fsum(weight for *_, weight, _ in report["fields"]) + float(report["rest"]["weight"])


def _verdict(task: JsonExtractionTask, report: Mapping[str, Any], flags: tuple[Flag, ...]) -> Verdict:
    errors: Sequence[tuple[str, str]] = report["errors"]
    checks = [*_field_checks(report), *_extra_checks(report)]
    if task.schema:
        cost = _DEFAULT_SCHEMA_COST if task.schema_cost is None else task.schema_cost
        checks = _with_schema(checks, errors, cost)
    score = weighted_share(checks)
    summary = f"{report['right']} of {report['count']} fields agree"
    summary += f", {report['extra_count']} are not in the reference" if report["extra_count"] else ""
    summary += f", and it breaks the schema ({clip(errors[0][1], _SUMMARY_ERROR)})" if errors else ""
    checks += _aspects(report)
    return Verdict(score=score, ruling=ruling_for(score), summary=summary + ".", checks=tuple(checks), flags=flags)


def _field_checks(report: Mapping[str, Any]) -> list[Check]:
    checks = [Check(pointer or "record", score, weight, detail) for pointer, score, weight, detail in report["fields"]]
    rest = report["rest"]
    if rest["count"]:
        checks.append(Check("further_fields", rest["score"], rest["weight"], f"{rest['count']} fields not listed"))
    return checks


def _extra_checks(report: Mapping[str, Any]) -> list[Check]:
    checks = [Check(pointer or "record", 0.0, weight, "not in the reference") for pointer, weight in report["extra"]]
    more = report["extra_count"] - len(checks)
    if more:
        weight = max(0.0, report["extra_weight"] - math.fsum(check.weight for check in checks))
        checks.append(Check("further_extra_fields", 0.0, weight, f"{more} extra fields not listed"))
    return checks


def _with_schema(checks: list[Check], errors: Sequence[tuple[str, str]], cost: float) -> list[Check]:
    """Put the check of validity in front. It only costs: it weighs nothing while it holds.

    Beside others of weight T, a check with score 0 and weight w leaves T / (T + w) of the score: w is such that this is
    one less ``cost``. A cost of 1 leaves nothing to weigh.
    """
    detail = "; ".join(f"{pointer or 'the top'}: {message}" for pointer, message in errors[:_SHOWN_ERRORS])
    weight = 0.0
    if errors and cost >= 1.0:
        checks, weight = [Check(check.name, check.score, 0.0, check.detail) for check in checks], 1.0
    elif errors:
        weight = math.fsum(check.weight for check in checks) * cost / (1.0 - cost)
    return [Check("schema", float(not errors), weight, detail), *checks]


def _aspects(report: Mapping[str, Any]) -> list[Check]:
    """Accuracy, completeness and invention apart; they inform and do not count."""
    known = report["count"]
    extra = report["extra_count"]
    return [
        Check("accuracy", report["accuracy"], 0.0, "mean score of the fields that are there"),
        Check("completeness", report["completeness"], 0.0, "share of the reference's fields that are there"),
        Check("no_extra_fields", known / (known + extra) if known else 0.0, 0.0, f"{extra} extra fields"),
    ]
