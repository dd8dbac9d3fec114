"""What the learner tells of an update: shares of micro-batches added up, over all devices; lengths and counts."""

from collections.abc import Sequence

import torch
from torch import Tensor, distributed

from trainer_client.training.advantages import without_spread
from trainer_client.training.batches import Batch
from trainer_client.training.losses import Loss
from trainer_client.training.scoring import ScoredGroup


def added(losses: Sequence[Loss], *, sharded: bool) -> dict[str, float]:
    """Return a step's loss and metrics out of the shares of its micro-batches. ``sharded``: those of all processes.

    One transfer from the device in all, whatever their number.
    """
    sums = {"loss": torch.stack([loss.value for loss in losses]).sum()}
    sums |= {name: torch.stack([loss.means[name] for loss in losses]).sum() for name in losses[0].means}
    maxima = {name: torch.stack([loss.maxima[name] for loss in losses]).max() for name in losses[0].maxima}
    return _numbers(sums, "sum", sharded=sharded) | _numbers(maxima, "max", sharded=sharded)


def means(steps: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the means over an update's steps, the maxima of what is a maximum, and how many steps there were."""
    names = steps[0] if steps else ()
    joined = {
        name: max(step[name] for step in steps)
        if name.endswith("_max")
        else sum(step[name] for step in steps) / len(steps)
        for name in names
    }
    return joined | {"steps": float(len(steps))}


def of_samples(groups: Sequence[ScoredGroup], batch: Batch, rewards: Tensor) -> dict[str, float]:
    """Return lengths of completions, shares of samples, and what became of the rewards (N,) before advantages."""
    completions = [episode.completion for group in groups for episode in group.episodes]
    lengths = [len(completion.token_ids) for completion in completions]
    count = max(len(completions), 1)
    counted = len(rewards)
    spreadless = without_spread(rewards, batch.groups, torch.ones_like(batch.in_loss))
    return {
        "completions": float(len(completions)),
        "length_mean": sum(lengths) / count,
        "length_max": float(max(lengths, default=0)),
        "truncated": sum(completion.finish_reason == "length" for completion in completions) / count,
        "masked": 1 - counted / count,
        "in_loss": float(batch.in_loss.sum()) / count,
        "kl_penalty": float((batch.rewards - rewards).sum()) / max(counted, 1),
        "groups_without_spread": float(spreadless.double().sum()) / max(len(spreadless), 1),
    }


def _numbers(values: dict[str, Tensor], reduction: str, *, sharded: bool) -> dict[str, float]:
    if not values:
        return {}
    stacked = torch.stack([value.double() for value in values.values()])
    if sharded:
        distributed.all_reduce(stacked, op=distributed.ReduceOp.SUM if reduction == "sum" else distributed.ReduceOp.MAX)
    return dict(zip(values, stacked.tolist(), strict=True))
