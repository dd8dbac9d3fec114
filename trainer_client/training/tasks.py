"""Task sets: files of task records, their prompts as token ids. What a set has that cannot be used is told by line."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trainer_client.samples import TaskLike
from trainer_client.task_records import BadLine, TaskRecord, read_task_records

logger = logging.getLogger(__name__)
_LINES_SHOWN = 20


class TaskFileError(Exception):
    """A task file cannot be used; the message names file, line and reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSource:
    """A task file."""

    path: str
    """JSON Lines of `reward.v1.TaskRecord` with a `prompt`; relative to the configuration's folder."""
    name: str = ""
    """What metrics call it; default the file's name without its ending."""
    weight: float = 1.0
    """Its share of the prompts, relative to the other files'."""
    system: str = ""
    """A system message for prompts that have none."""
    limit: int = 0
    """Take the first so many tasks; 0 for all."""

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise ValueError(f"weight: {self.weight} is not above 0")
        if "/" in self.called:
            raise ValueError(f"name: {self.name!r} has a slash")

    @property
    def called(self) -> str:
        """`name`, or the file's."""
        return self.name or Path(self.path).stem


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """What is trained on."""

    tasks: tuple[TaskSource, ...] = ()
    max_prompt_tokens: int = 1024
    """Tasks with longer prompts are left out, and counted."""
    bad_lines: Literal["stop", "skip"] = "stop"
    """What becomes of a file with lines that cannot be used."""
    chat_template: str = ""
    """A Jinja file, for a tokenizer that has no chat template of its own or not the one wanted."""
    template_options: dict[str, Any] | None = None
    """Handed to the chat template, e.g. ``{enable_thinking = false}``."""

    def __post_init__(self) -> None:
        names = [source.called for source in self.tasks]
        if len(set(names)) < len(names):
            raise ValueError(f"tasks: two files of one name among {', '.join(names)}; give them names")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task that can be asked."""

    task: TaskLike
    name: str
    """``<source>/<task id>``: distinct within a run."""
    source: str
    grader: str
    prompt_token_ids: tuple[int, ...]
    prompt: str
    """The prompt as text, for people."""
    demonstrations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSet:
    """The tasks of one source."""

    name: str
    weight: float
    tasks: tuple[Task, ...]


class PromptWriter:
    """Chat messages to token ids, by a tokenizer's chat template."""

    def __init__(self, tokenizer: Any, config: DataConfig) -> None:
        self.tokenizer = tokenizer
        self._options = dict(config.template_options or {})
        self._template = Path(config.chat_template).read_text("utf-8") if config.chat_template else None
        if self._template is None and not tokenizer.chat_template:
            raise TaskFileError("the tokenizer has no chat template: name one with data.chat_template")

    def text(self, messages: Iterable[dict[str, str]], system: str = "") -> str:
        """Return the prompt as text, up to where the model begins, or goes on with what the assistant began."""
        asked = list(messages)
        if system and asked[0]["role"] != "system":
            asked.insert(0, {"role": "system", "content": system})
        begun = asked[-1]["role"] == "assistant"
        text: str = self.tokenizer.apply_chat_template(
            asked,
            chat_template=self._template,
            tokenize=False,
            add_generation_prompt=not begun,
            continue_final_message=begun,
            **self._options,
        )
        return text

    def token_ids(self, text: str) -> tuple[int, ...]:
        """Return ``text`` as tokens; the template has put in what is special."""
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def load_task_sets(sources: Iterable[TaskSource], writer: PromptWriter, config: DataConfig) -> tuple[TaskSet, ...]:
    """Return the task sets of ``sources``. Raises `TaskFileError`."""
    return tuple(
        TaskSet(name=source.called, weight=source.weight, tasks=tuple(_tasks(source, writer, config)))
        for source in sources
    )


def training_sources(sources: Sequence[TaskSource]) -> Sequence[TaskSource]:
    """Return ``sources``, which must be there. Raises `TaskFileError`."""
    if not sources:
        raise TaskFileError('there are no tasks to learn from: data.tasks = [{ path = "tasks.jsonl" }]')
    return sources


def _tasks(source: TaskSource, writer: PromptWriter, config: DataConfig) -> Iterator[Task]:
    records, bad = read_source(source)
    if bad:
        _complain(source, bad, config)
    if not records:
        raise TaskFileError(f"{source.path}: not one task that can be used")
    too_long = 0
    for record in records:
        text = writer.text(record.prompt, source.system)
        tokens = writer.token_ids(text)
        if len(tokens) > config.max_prompt_tokens:
            too_long += 1
            continue
        yield Task(
            task=record.task,
            name=record.task_id,
            source=source.called,
            grader=record.grader,
            prompt_token_ids=tokens,
            prompt=text,
            demonstrations=record.responses,
        )
    if too_long == len(records):
        raise TaskFileError(f"{source.path}: every prompt is longer than data.max_prompt_tokens")
    if too_long:
        message = "%s: %d of %d tasks left out: their prompts are longer than data.max_prompt_tokens = %d"
        logger.warning(message, source.path, too_long, len(records), config.max_prompt_tokens)


def read_source(source: TaskSource) -> tuple[list[TaskRecord], list[BadLine]]:
    """Return the usable lines of a file, and the others. Raises `TaskFileError` when it cannot be read."""
    records: list[TaskRecord] = []
    bad: list[BadLine] = []
    try:
        for line in read_task_records(source.path, prefix=f"{source.called}/"):
            if isinstance(line, BadLine):
                bad.append(line)
            elif not line.prompt:
                bad.append(BadLine(line=line.line, reason="prompt: there is none, so the model cannot be asked"))
            else:
                records.append(line)
            if source.limit and len(records) >= source.limit:
                break
    except OSError as error:
        raise TaskFileError(f"{source.path}: {error.strerror or error}") from error
    return records, bad


def _complain(source: TaskSource, bad: list[BadLine], config: DataConfig) -> None:
    lines = [f"{source.path}:{line.line}: {line.reason}" for line in bad[:_LINES_SHOWN]]
    if len(bad) > _LINES_SHOWN:
        lines.append(f"… and {len(bad) - _LINES_SHOWN} more lines")
    if config.bad_lines == "stop":
        raise TaskFileError("\n".join([*lines, 'correct them, or go on without them: data.bad_lines = "skip"']))
    for line in lines:
        logger.warning(line)
