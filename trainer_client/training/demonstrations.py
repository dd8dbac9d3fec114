"""Demonstrations for a warm start: the responses that stand in task records, as pairs of prompt and response tokens."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from trainer_client.training.tasks import Task, TaskFileError, TaskSet, TaskSource

Pair: TypeAlias = tuple[tuple[int, ...], tuple[int, ...]]
"""Prompt and response tokens, the end token included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SftConfig:
    """A warm start. The optimizer is that of the run, but for the learning rate."""

    tasks: tuple[TaskSource, ...] = ()
    """Files whose records have samples: the responses to learn from. Default: those of `[data]`."""
    epochs: int = 1
    """How often each demonstration is seen."""
    samples_per_step: int = 64
    """Demonstrations that an update learns from."""
    learning_rate: float = 1e-5
    """The largest: it rises for a twentieth of the steps and then falls to nothing in a line."""
    max_tokens: int = 4096
    """Demonstrations that are longer, with their prompt, are left out, and counted."""

    def __post_init__(self) -> None:
        for name in ("epochs", "samples_per_step"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is less than 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstrations:
    """What can be learned from."""

    pairs: tuple[Pair, ...]
    too_long: int
    without: int
    """Tasks that have no response."""


def demonstrations(sets: Sequence[TaskSet], tokenizer: Any, config: SftConfig) -> Demonstrations:
    """Return the demonstrations of ``sets``. Raises `TaskFileError` when there is none."""
    tasks = [task for task_set in sets for task in task_set.tasks]
    pairs = [pair for task in tasks for pair in _pairs(task, tokenizer)]
    short = tuple(pair for pair in pairs if len(pair[0]) + len(pair[1]) <= config.max_tokens)
    if not short:
        names = ", ".join(task_set.name for task_set in sets)
        raise TaskFileError(
            f"{names}: no demonstration of at most sft.max_tokens = {config.max_tokens} in any `samples`"
        )
    without = sum(not task.demonstrations for task in tasks)
    return Demonstrations(pairs=short, too_long=len(pairs) - len(short), without=without)


def batches(found: Demonstrations, config: SftConfig, seed: int) -> Iterator[list[Pair]]:
    """Yield what each update learns from: every pair once an epoch, in another order each; the last may be smaller."""
    for epoch in range(config.epochs):
        order = list(found.pairs)
        random.Random(f"{seed}/sft/{epoch}").shuffle(order)  # noqa: S311 - an order, no secret
        for start in range(0, len(order), config.samples_per_step):
            yield order[start : start + config.samples_per_step]


def steps(found: Demonstrations, config: SftConfig) -> int:
    """Return how many updates `batches` gives."""
    return config.epochs * -(-len(found.pairs) // config.samples_per_step)


def _pairs(task: Task, tokenizer: Any) -> Iterator[Pair]:
    for response in task.demonstrations:
        tokens = tokenizer(response, add_special_tokens=False)["input_ids"]
        yield task.prompt_token_ids, (*tokens, tokenizer.eos_token_id)
