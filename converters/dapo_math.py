"""DAPO-Math-17k: chat messages in `prompt`; the integer in `reward_model.ground_truth`, or in `solution`."""

from collections.abc import Mapping
from typing import Any

from converters.records import Converted, Options, RowError, mapping, messages, named, text


def convert(row: Mapping[str, Any], options: Options) -> Converted:
    """Return the row as a task of `math_answer`."""
    del options
    spec = mapping(row["reward_model"], "reward_model") if row.get("reward_model") is not None else {}
    expected = text(spec, "ground_truth", default="") or text(row, "answer", "solution", default="")
    if not expected:
        raise RowError("has no 'reward_model.ground_truth', 'answer' or 'solution'")
    asked = row.get("source_prompt") or row.get("prompt")
    extra = row.get("extra_info")
    name = text(extra, "index", default="") if isinstance(extra, Mapping) else ""
    return Converted(
        task=named({"mathAnswer": {"expected": expected}}, name),
        prompt=messages(asked) if asked is not None else (),
        solutions=(f"Answer: {expected}",),
    )
