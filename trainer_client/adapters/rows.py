"""What trainers hand over: rows become tasks, completions become texts, verdicts become numbers. No I/O."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from reward.v1 import sample_pb2

import converters
from converters import RowError, verl
from trainer_client.errors import InvalidRequestError
from trainer_client.results import Failure, FailureReason, Result, Ruling, Verdict
from trainer_client.wire import task_message

_END_MARK = re.compile(r"\s*(?:<\|[^<>|]{1,32}\|>|</s>|<eos>|<end_of_turn>|<pad>)\s*\Z")
_MAX_END_MARKS = 64
MAX_NAMED_CHECKS = 16
"""More check names than these are tests of one task, not components of a reward."""


def task_of(row: Mapping[str, Any], convert: str = "", data_source: str = "") -> sample_pb2.Task | Failure:
    """Return the task of a row, or why it has none.

    Its `task` field, canonical JSON as text or dictionary, counts first, alone or within a task record; then the
    format named ``convert``; then `ground_truth`, which is a task too, or is read by the row's `data_source`, else by
    ``data_source``, as verl has them. The task has no name, so that rows of one name cannot be mistaken for each other.
    """
    try:
        task = task_message(_json_of(row, convert, data_source))
    except (RowError, InvalidRequestError) as error:
        return invalid(str(error))
    except RecursionError:
        return invalid("the task is nested too deeply")
    if task.WhichOneof("grader") is None:
        return invalid("task: no grader is set")
    task.task_id = ""
    return task


def _json_of(row: Mapping[str, Any], convert: str, data_source: str) -> Any:
    task = row.get("task")
    if task is None and convert:
        return converters.convert(convert, row).task
    if task is None and isinstance(row.get("reward_model"), Mapping) and "data_source" in row:
        return converters.convert("verl", row).task
    if task is None and row.get("ground_truth") is not None:
        return verl.task_for(str(row.get("data_source") or data_source), row["ground_truth"])
    if isinstance(task, str):
        task = _parsed(task)
    if isinstance(task, Mapping) and isinstance(task.get("task"), Mapping):
        task = task["task"]
    if task is None:
        raise RowError("the row has no 'task', no 'ground_truth', and no format to convert it from")
    return _without_nulls(task)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RowError(f"'task' is no JSON: {error}") from None


def _without_nulls(value: Any) -> Any:
    """Return ``value`` without nulls: data set libraries fill the fields of other rows' structures with them."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list | tuple) else value


def invalid(message: str) -> Failure:
    """Return what a row without a usable task is answered with, as a server would."""
    return Failure(reason=FailureReason.INVALID_TASK, message=message)


def text_of(completion: Any) -> str:
    """Return the text of a completion: itself, or the content of the last assistant message in a conversation."""
    if completion is None:
        return ""
    if isinstance(completion, str):
        return completion
    if isinstance(completion, Mapping):
        return _content(completion.get("content"))
    if hasattr(completion, "content"):
        return _content(completion.content)
    spoken = [message for message in completion if _role(message) == "assistant"] or list(completion)[-1:]
    return text_of(spoken[-1]) if spoken else ""


def without_end_marks(text: str) -> str:
    """Return ``text`` without the special tokens at its end, for trainers that decode them with it."""
    for _ in range(_MAX_END_MARKS):
        start = max(0, len(text) - 64)
        mark = _END_MARK.search(text, start)
        if not mark:
            break
        text = text[: mark.start()]
    return text


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, Mapping) else getattr(message, "role", None)


def _content(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    parts = [part if isinstance(part, Mapping) else vars(part) for part in content]
    return "".join(str(part.get("text") or "") for part in parts if part.get("type", "text") == "text")


def numbers(result: Result) -> dict[str, float]:
    """Return what a trainer can log of one result; the same keys for every result, and no score for a Failure."""
    if not isinstance(result, Verdict):
        return {"gradable": 0.0, "accepted": 0.0, "flags": 0.0}
    return {"gradable": 1.0, "accepted": float(result.ruling is Ruling.ACCEPTED), "flags": float(len(result.flags))}


def shares(results: Sequence[Result]) -> dict[str, float]:
    """Return what a trainer can log of a batch: shares of rulings and failures, means of the checks that all have.

    Every ruling and reason is there, also those that did not occur, so that means over batches are right.
    """
    verdicts = [result for result in results if isinstance(result, Verdict)]
    if not results:
        return {}
    logged = {"gradable": len(verdicts) / len(results)}
    logged |= {str(ruling): 0.0 for ruling in Ruling if ruling is not Ruling.UNRECOGNIZED}
    logged |= {f"failure_{reason}": 0.0 for reason in FailureReason if reason is not FailureReason.UNRECOGNIZED}
    for result in results:
        name = str(result.ruling) if isinstance(result, Verdict) else f"failure_{result.reason}"
        logged[name] = logged.get(name, 0.0) + 1 / len(results)
    scores = [{check.name: check.score for check in verdict.checks if check.weight > 0} for verdict in verdicts]
    common = set.intersection(*(set(checks) for checks in scores)) if scores else set()
    if len(common) <= MAX_NAMED_CHECKS:
        logged |= {f"check/{name}": sum(checks[name] for checks in scores) / len(scores) for name in sorted(common)}
    return logged
