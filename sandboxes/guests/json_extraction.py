"""Validates a JSON text against a JSON Schema with jsonschema-rs, whose patterns run in linear time.

Payload: ``schema``, ``text``, ``check_formats``. Report: ``schema_error`` (the schema is unusable), or ``errors``: a list
of (JSON pointer, message), empty when the text is valid. References outside the schema are not followed.
"""

import json
from typing import Any

import jsonschema_rs

_MAX_ERRORS = 20
_MAX_MESSAGE = 300


def run(payload: dict[str, Any]) -> dict[str, Any]:
    """Validate one text."""
    schema = json.loads(payload["schema"])
    try:
        validator = jsonschema_rs.validator_for(
            schema,
            validate_formats=payload["check_formats"],
            retriever=_refuse,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (ValueError, TypeError, RecursionError) as error:
        return {"schema_error": str(error)[:_MAX_MESSAGE]}
    errors = []
    for error, _ in zip(validator.iter_errors(json.loads(payload["text"])), range(_MAX_ERRORS), strict=False):
        pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.instance_path)
        errors.append([pointer, error.message[:_MAX_MESSAGE]])
    return {"errors": errors}


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is outside the schema")
