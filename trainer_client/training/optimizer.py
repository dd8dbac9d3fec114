"""AdamW, its learning rate over time, and the size of steps and micro-batches."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import torch
from torch import nn
from torch.distributed.tensor import DTensor

Schedule: TypeAlias = Literal["constant", "linear", "cosine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerConfig:
    """How gradients become steps."""

    learning_rate: float = 1e-6
    """The largest. About 1e-6 for every weight of a large model, 1e-5 to 1e-4 for adapters and tiny models."""
    betas: tuple[float, float] = (0.9, 0.99)
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    warmup_steps: int = 0
    """Optimizer steps over which the learning rate rises linearly from nothing."""
    schedule: Schedule = "constant"
    """After the warm-up: as it is, or down to ``final_share`` at step ``total_steps``, in a line or half a cosine."""
    total_steps: int = 0
    """Optimizer steps; needed by ``linear`` and ``cosine``."""
    final_share: float = 0.1
    max_grad_norm: float = 1.0
    """A gradient whose norm is larger is scaled down to it; 0 for never."""
    tokens_per_micro_batch: int = 16_384
    """Prompts and completions that go through the model at once, on each device; memory grows with it, and nothing
    else changes. A longer sample goes alone."""
    mini_batches: int = 1
    """Optimizer steps per pass over a batch of groups; whole groups stay together."""
    epochs: int = 1
    """Passes over a batch of groups."""

    def __post_init__(self) -> None:
        if self.schedule not in get_args(Schedule):
            raise ValueError(f"schedule: {self.schedule!r} is none of {', '.join(get_args(Schedule))}")
        if self.schedule != "constant" and self.total_steps <= self.warmup_steps:
            raise ValueError(f'schedule: "{self.schedule}" needs total_steps above warmup_steps = {self.warmup_steps}')
        for name in ("tokens_per_micro_batch", "mini_batches", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is less than 1")
        for name in ("learning_rate", "epsilon", "weight_decay", "warmup_steps", "max_grad_norm"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: {getattr(self, name)} is less than 0")
        if not 0 <= self.final_share <= 1:
            raise ValueError(f"final_share: {self.final_share} is not between 0 and 1")

    @property
    def on_policy(self) -> bool:
        """Whether each batch takes one step, so that the policy that steps is the one that sampled."""
        return self.mini_batches * self.epochs == 1


def learning_rate(config: OptimizerConfig, step: int) -> float:
    """Return the learning rate of optimizer step ``step``, counted from 0."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    if config.schedule == "constant":
        return config.learning_rate
    progress = min((step - config.warmup_steps) / (config.total_steps - config.warmup_steps), 1.0)
    left = 1 - progress if config.schedule == "linear" else (1 + math.cos(math.pi * progress)) / 2
    return config.learning_rate * (config.final_share + (1 - config.final_share) * left)


def make_optimizer(parameters: Sequence[nn.Parameter], config: OptimizerConfig) -> torch.optim.AdamW:
    """Return AdamW over ``parameters``."""
    return torch.optim.AdamW(
        parameters,
        lr=config.learning_rate,
        betas=config.betas,
        eps=config.epsilon,
        weight_decay=config.weight_decay,
        fused=all(parameter.is_cuda for parameter in parameters),
    )


def clip_gradients(parameters: Sequence[nn.Parameter], max_norm: float) -> float:
    """Scale gradients down to ``max_norm`` (0: leave them); return the norm before. It may be infinite or NaN.

    Over shards on several devices the norm is that of the whole: every process calls.
    """
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_norm or math.inf)
    return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)
