"""From what trainers call a label, a ground truth or a reference answer to a task.

The rules, in their order:

1. A task as canonical JSON, as an object or as its text, is that task: ``{"mathAnswer": {"expected": "4"}}``. So is a
   task record (``{"task": {...}}``), and verl's ``{"ground_truth": ..., "style": ...}`` stands for its ground truth.
2. When the call names a template of the configuration's ``label_tasks``, that template with the label in it.
3. A text or a number is the expected answer of `math_answer`; of a text with ``####`` only what follows the last one.
4. Anything else is refused with the path of the label.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from reward.v1 import sample_pb2

from reward_server.config import ConfigError
from reward_server.gateway.templates import TemplateError, fill
from reward_server.statuses import RequestError

_GRADERS = sample_pb2.Task.DESCRIPTOR.oneofs_by_name["grader"].fields
_NAMES = frozenset(name for field in _GRADERS for name in (field.name, field.json_name))
_ANSWER_MARK = "####"
_FIELDS = re.compile(r"Failed to parse (\w+) field: ")
_PLACE = re.compile(r' at "?[A-Z]\w*(?:\.([^"\s]+?))?"?\.*(?=\n|$)')


class Labels:
    """Makes tasks of labels, with the templates of a configuration."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        """Raises `ConfigError` for a template that is no task."""
        self._templates = {name: _template(name, text) for name, text in templates.items()}

    def task(self, label: Any, path: str, *, template: str = "") -> sample_pb2.Task:
        """Return the task that ``label``, found at ``path`` of a request, means. Raises `RequestError`."""
        parsed = _unwrapped(label)
        if isinstance(parsed, dict) and (given := parsed.get("task", parsed)) and is_task(given):
            return task_message(given, path)
        if template:
            return self._filled(template, parsed, path)
        match parsed:
            case bool() | None:
                pass
            case str() if parsed.strip():
                return math_task(parsed.rpartition(_ANSWER_MARK)[2].strip() or parsed.strip())
            case int() | float():
                return math_task(json.dumps(parsed))
        raise RequestError(
            f"{path}: a task as JSON, a text or a number is expected, or a template of label_tasks must be named; "
            f"it is {_shown(label)}"
        )

    def _filled(self, template: str, label: Any, path: str) -> sample_pb2.Task:
        if template not in self._templates:
            known = ", ".join(sorted(self._templates)) or "none"
            raise RequestError(f"label_task: {template[:80]!r} is not configured on this server; it knows {known}")
        try:
            return task_message(fill(self._templates[template], {"label": label}), path)
        except TemplateError as error:
            raise RequestError(f"{path}: the template {template!r} does not fit: {error}") from error


def is_task(value: Any) -> bool:
    """Whether ``value`` looks like a task's canonical JSON: an object with the field of a grader."""
    return isinstance(value, dict) and not _NAMES.isdisjoint(value)


def task_message(value: Any, path: str) -> sample_pb2.Task:
    """Return the task that ``value`` says in canonical JSON. Raises `RequestError`."""
    try:
        task = json_format.ParseDict(value, sample_pb2.Task())
    except UNREADABLE as error:
        raise RequestError(told(error, path)) from error
    if task.WhichOneof("grader") is None:
        raise RequestError(f"{path}: no grader is set; one of {', '.join(sorted(_NAMES))} is expected")
    return task


UNREADABLE = (
    *(json_format.ParseError, UnicodeDecodeError, RecursionError),
    *(ArithmeticError, AttributeError, TypeError, ValueError),  # what the parser lets through
)
"""What protobuf's parser of JSON raises for what it cannot read."""


def told(error: Exception, path: str = "") -> str:
    """Return protobuf's complaint with the path of the field first, below ``path``, as far as it says one."""
    said = str(error)
    place = _PLACE.search(said)
    names = place[1] if place and place[1] else ".".join(_FIELDS.findall(said))
    reason = _PLACE.sub("", _FIELDS.sub("", said)).partition("\n")[0].strip(" .")
    where = ".".join(part for part in (path, names) if part)
    return f"{where}: {reason}" if where else reason


def math_task(expected: str) -> sample_pb2.Task:
    """Return the task of giving a final answer."""
    task = sample_pb2.Task()
    task.math_answer.expected = expected
    return task


def _template(name: str, text: str) -> Any:
    try:
        template = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"label_tasks.{name}: no JSON: {error}") from error
    if not is_task(template):
        raise ConfigError(f"label_tasks.{name}: no task; one of {', '.join(sorted(_NAMES))} is expected in it")
    return template


def _unwrapped(label: Any) -> Any:
    """Return the label without its wrappings: JSON text of an object, and verl's record of a ground truth."""
    if isinstance(label, str) and label.lstrip()[:1] == "{":
        try:
            read = json.loads(label)
        except (ValueError, RecursionError):
            return label
        label = read if isinstance(read, dict) else label
    if isinstance(label, dict) and "ground_truth" in label and not is_task(label):
        return _unwrapped(label["ground_truth"])
    return label


def _shown(value: Any) -> str:
    match value:
        case dict():
            return f"an object of {', '.join(map(repr, list(value)[:8]))}"
        case list():
            return f"an array of {len(value)} items"
    return repr(value)[:80]
