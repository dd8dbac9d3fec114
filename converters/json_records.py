"""Records to extract: `expected` (or `record`, `output`), a `schema` if there is one, and `prompt` or `text`."""

import json
from collections.abc import Mapping
from typing import Any

from converters.records import Converted, Options, RowError, messages, named, plain, text, user

_EXPECTED = ("expected", "record", "output")


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `json_extraction`; fields compare exactly, and `rules` are taken as they stand."""
    del options
    name = next((name for name in _EXPECTED if row.get(name) is not None), "")
    if not name:
        raise RowError(f"has no {' or '.join(repr(name) for name in _EXPECTED)}")
    expected = _json_text(row[name], name)
    schema = _json_text(row["schema"], "schema") if row.get("schema") is not None else ""
    task: dict[str, Any] = {"expected": expected}
    task |= {"schema": schema} if schema else {}
    task |= {"rules": plain(row["rules"])} if row.get("rules") else {}
    asked = row.get("prompt") or row.get("messages")
    return Converted(
        task=named({"jsonExtraction": task}, text(row, "id", default="")),
        prompt=messages(asked) if asked is not None else user(_asked(text(row, "text", "input"), schema)),
        solutions=(f"```json\n{expected}\n```",),
    )


def _asked(document: str, schema: str) -> str:
    form = f"\n\nThe record's JSON Schema:\n{schema}" if schema else ""
    return f"Extract the record from this text.\n\n{document}{form}\n\nAnswer with the JSON record in a code block."


def _json_text(value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RowError(f"{name!r} cannot be written as JSON: {error}") from None
