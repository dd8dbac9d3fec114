"""What all formats share: the result, the options, and reading fields of rows that come from anywhere."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BOXED = "Put the final answer in \\boxed{}."


class RowError(ValueError):
    """A row cannot become a task; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a format cannot know from its rows."""

    databases: Path | None = None
    """Where Spider and BIRD keep their SQLite files: ``DIR/<db_id>/<db_id>.sqlite``."""
    all_or_nothing: bool = False
    """Whether code earns only when every test passes, as in the data sets' own metrics. Default: shares of tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """A row as a task."""

    task: dict[str, Any]
    """`reward.v1.Task` as canonical JSON."""
    prompt: tuple[dict[str, str], ...] = ()
    """What the model is asked, as chat messages."""
    solutions: tuple[str, ...] = ()
    """Responses that the row itself holds to be right."""

    def record(self, *, solutions: bool = False) -> dict[str, Any]:
        """Return `reward.v1.TaskRecord` as canonical JSON; with ``solutions`` they are its samples."""
        record: dict[str, Any] = {"task": self.task, "prompt": list(self.prompt)}
        if solutions:
            record["samples"] = [{"response": text} for text in self.solutions]
        return record


def plain(value: Any) -> Any:
    """Return ``value`` with arrays (of NumPy, say) as lists, at every depth."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return plain(value.tolist()) if hasattr(value, "tolist") else value


def text(row: Mapping[str, Any], *names: str, default: str | None = None) -> str:
    """Return the first of the fields ``names`` that is a text, or a number as text, and not empty.

    Raises `RowError` when there is none and no ``default``.
    """
    for name in names:
        value = plain(row.get(name))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value
    if default is not None:
        return default
    raise RowError(f"has no text in {' or '.join(repr(name) for name in names)}")


def texts(value: Any, name: str) -> list[str]:
    """Return ``value`` as a list of texts. Raises `RowError`."""
    items = plain(value)
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise RowError(f"{name!r} is no list of texts")
    return items


def parsed(value: Any, name: str) -> Any:
    """Return ``value``, read first when it is JSON text. Raises `RowError`."""
    value = plain(value)
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise RowError(f"{name!r} is no JSON: {error}") from None


def mapping(value: Any, name: str) -> dict[str, Any]:
    """Return ``value``, an object or the JSON text of one. Raises `RowError`."""
    value = parsed(value, name)
    if not isinstance(value, dict):
        raise RowError(f"{name!r} is no object")
    return value


def user(content: str) -> tuple[dict[str, str], ...]:
    """Return a prompt of one message."""
    return ({"role": "user", "content": content},)


def messages(value: Any, name: str = "prompt") -> tuple[dict[str, str], ...]:
    """Return ``value``, a text or chat messages, as a prompt. Raises `RowError`."""
    value = plain(value)
    if isinstance(value, str):
        return user(value)
    if not isinstance(value, Sequence) or not all(isinstance(item, dict) for item in value):
        raise RowError(f"{name!r} is neither a text nor chat messages")
    try:
        found = tuple({"role": item["role"], "content": item["content"]} for item in value)
    except KeyError as error:
        raise RowError(f"{name!r}: a message has no {error}") from None
    if not all(isinstance(part, str) for message in found for part in message.values()):
        raise RowError(f"{name!r} holds a message that is no text")
    return found


def named(task: dict[str, Any], name: str) -> dict[str, Any]:
    """Return ``task`` under the name that the row has, if it has one."""
    return {"taskId": name[:256], **task} if name else task


def fenced(code: str) -> str:
    """Return ``code`` as a model would answer with it."""
    return f"```python\n{code.strip(chr(10))}\n```"
