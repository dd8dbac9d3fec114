"""JSON Schema by jsonschema-rs, which neither hangs nor crashes on hostile schemas; nothing is fetched.

Patterns run in linear time, those with look-around or back-references under a limit on backtracking: past it a text
counts as one that does not match.
"""

from itertools import islice
from typing import Any

import jsonschema_rs

_BACKTRACKS = 100_000
_MAX_ERRORS = 20
_MAX_MESSAGE = 300
_DRAFTS = {
    "4": jsonschema_rs.Draft4Validator,
    "6": jsonschema_rs.Draft6Validator,
    "7": jsonschema_rs.Draft7Validator,
    "2019-09": jsonschema_rs.Draft201909Validator,
    "2020-12": jsonschema_rs.Draft202012Validator,
}


class SchemaError(ValueError):
    """The schema cannot be used; the message says why."""


def compile_schema(schema: Any, *, draft: str = "", formats: bool = False, retrieve: Any = None) -> Any:
    """Return a validator for ``schema`` (as `strict_json.parse` gives it). Raises `SchemaError`.

    ``draft`` holds for a schema without ``$schema``; ``retrieve`` gives the documents that may be referred to.
    """
    if not isinstance(schema, dict | bool):
        raise SchemaError("a schema is an object, true or false")
    options: dict[str, Any] = {
        "validate_formats": formats,
        "pattern_options": jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS),
        "retriever": retrieve or _refuse,
    }
    try:
        kind = _class_of(schema, draft)
        return kind(schema, **options) if kind else jsonschema_rs.validator_for(schema, **options)
    except SchemaError:
        raise
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError, RecursionError) as error:
        raise SchemaError(_why(error)) from None


def errors(validator: Any, value: Any) -> list[list[str]]:
    """Return how ``value`` breaks the schema: the first pairs of JSON pointer and message."""
    found = islice(validator.iter_errors(value), _MAX_ERRORS)
    return [[_pointer(error.instance_path), error.message[:_MAX_MESSAGE]] for error in found]


def _class_of(schema: Any, draft: str) -> Any:
    """Return the validator class of ``draft``, or None to go by ``$schema``."""
    if not draft:
        return None
    kind = _DRAFTS[draft]
    if isinstance(schema, dict) and "$schema" in schema and jsonschema_rs.validator_cls_for(schema) is not kind:
        raise SchemaError(f"its $schema is {str(schema['$schema'])[:100]!r}, the task says draft {draft}")
    return kind


def _why(error: Exception) -> str:
    message: str = getattr(error, "message", "") or str(error)
    path = _pointer(getattr(error, "instance_path", ()))
    return f"{path}: {message}"[:_MAX_MESSAGE] if path else message[:_MAX_MESSAGE]


def _pointer(path: Any) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is outside the schema and is not fetched")
