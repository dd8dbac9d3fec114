"""Reads a JSON text strictly, validates it against a schema and compares it with the reference, field by field.

Payload: ``text``, ``expected``, ``schema`` (JSON texts; an empty schema allows all), ``draft``, ``check_formats``,
``rules``, ``extra_field_weight`` and ``null_is_absent``. Report, one of:

- ``task_error``: the field of the task that cannot be used, and why.
- ``unreadable``: why the text is no JSON.
- ``errors`` (pairs of pointer and message, empty when it is valid), ``fields`` (pointer, score, weight, detail),
  ``rest`` (count, score and weight of the fields not listed), ``extra`` (pointer, weight), ``extra_count``,
  ``extra_weight``, ``right`` and ``count`` (of fields), ``accuracy``, ``completeness`` and ``bounded``.
"""

import math
from typing import Any

from . import schemas, strict_json
from .comparison import Agreement, Comparison, Field
from .rules import Position, TaskError

_SCHEMA_DEPTH = 200
_LISTED = 500


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Grade one text."""
    try:
        validator = _validator(payload)
        expected = _parse("expected", payload["expected"])
        position = Position.top(payload["rules"])
    except TaskError as error:
        return {"task_error": [error.field_path, str(error)]}
    try:
        value = strict_json.parse(payload["text"])
    except strict_json.StrictJsonError as error:
        return {"unreadable": str(error)}
    errors = [] if validator is None else schemas.errors(validator, value)
    comparison = Comparison(extra_weight=payload["extra_field_weight"], null_is_absent=payload["null_is_absent"])
    agreement = comparison.compare(value, expected, position)
    return {"errors": errors, "bounded": comparison.bounded, **_summary(agreement)}


def _validator(payload: dict[str, Any]) -> Any:
    if not payload["schema"]:
        return None
    schema = _parse("schema", payload["schema"], max_depth=_SCHEMA_DEPTH)
    try:
        return schemas.compile_schema(schema, draft=payload["draft"], formats=payload["check_formats"])
    except schemas.SchemaError as error:
        raise TaskError("schema", str(error)) from None


def _parse(name: str, text: str, max_depth: int = strict_json.MAX_DEPTH) -> Any:
    try:
        return strict_json.parse(text, max_depth=max_depth)
    except strict_json.StrictJsonError as error:
        raise TaskError(name, str(error)) from None


def _summary(agreement: Agreement) -> dict[str, Any]:
    fields, rest = agreement.fields[:_LISTED], agreement.fields[_LISTED:]
    present = [part for part in agreement.fields if not part.missing]
    return {
        "fields": [[part.pointer, part.score, part.weight, part.detail] for part in fields],
        "rest": {"count": len(rest), "score": _mean(rest), "weight": _weight(rest)},
        "extra": [list(entry) for entry in agreement.extra],
        "extra_count": agreement.extra_count,
        "extra_weight": agreement.extra_weight,
        "count": len(agreement.fields),
        "right": sum(part.score == 1.0 for part in agreement.fields),
        "accuracy": _mean(present),
        "completeness": _weight(present) / (_weight(agreement.fields) or 1.0),
    }


def _weight(fields: list[Field]) -> float:
    return math.fsum(part.weight for part in fields)


def _mean(fields: list[Field]) -> float:
    """Return the weighted mean score; exactly 1 only when every one that counts is at 1."""
    counted = [part for part in fields if part.weight > 0.0]
    if not counted:
        return 0.0
    if all(part.score == 1.0 for part in counted):
        return 1.0
    mean = math.fsum(part.score * part.weight for part in counted) / _weight(counted)
    return min(mean, math.nextafter(1.0, 0.0))
