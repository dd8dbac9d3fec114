"""What generates: the records and the protocol that the loop speaks to; `vllm_engine` and `vllm_server` implement it.

Prompts and completions are token ids: what the trainer scores is exactly what the engine sampled, never text that was
decoded and encoded again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import torch


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingParameters:
    """How tokens are drawn."""

    temperature: float = 1.0
    """0 takes the likeliest token each time."""
    top_p: float = 1.0
    """Keep the likeliest tokens that together have this probability."""
    top_k: int = 0
    """Keep this many of the likeliest tokens; 0 for all."""
    min_p: float = 0.0
    """Keep the tokens that have this share of the likeliest token's probability."""
    max_tokens: int = 512
    """A completion that has not ended by then is cut, with finish_reason "length"."""
    stop: tuple[str, ...] = ()
    """Texts that end a completion; they stay out of the text, and their tokens stay in the token ids."""
    stop_token_ids: tuple[int, ...] = ()
    """Tokens that end a completion, beside the model's own end token."""
    seed: int | None = None
    """The same seed, prompts and weights draw the same completions; None draws others each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What the model wrote to one prompt."""

    token_ids: tuple[int, ...]
    """With the end token, when the model wrote one."""
    logprobs: tuple[float, ...]
    """Of each sampled token, under the distribution it was drawn from: after temperature, top-p and the like."""
    text: str
    """Without the end token and without the stop text."""
    finish_reason: Literal["stop", "length"]


class Rollout(Protocol):
    """An engine that draws groups of completions. One thread uses it at a time."""

    def generate(
        self, prompts: Sequence[Sequence[int]], group_size: int, sampling: SamplingParameters
    ) -> Iterator[tuple[int, tuple[Completion, ...]]]:
        """Yield (position of the prompt, its ``group_size`` completions) as each group finishes, in any order.

        Blocks between groups. Closing the iterator early aborts what still runs.
        """

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Take over ``weights``, by their names in the checkpoint, in place; drop what was cached of the old."""

    def load_adapter(self, path: Path) -> None:
        """Generate with the LoRA adapter saved at ``path`` from now on, in place of the one before."""

    def sleep(self) -> None:
        """Give the accelerator's memory back until `wake`; nothing can be generated meanwhile. Twice is once."""

    def wake(self) -> None:
        """Take the memory again. Where `sleep` gave up the weights, load them before the next `generate`."""

    def close(self) -> None:
        """End the engine and every process of it. Twice is once."""
