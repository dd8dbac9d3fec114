"""How much better a reward is than its group's: the only thing GRPO learns from. Pure functions of tensors.

N is the number of samples in a batch. Masking is selection: a masked sample is taken out before anything is computed,
so whatever stands in its place cannot reach a mean, a deviation or a count.

Where this differs from the papers and from TRL:
- A sample without a kept neighbour in its group has the advantage 0; there is nothing to compare it with.
- `batch` divides by the deviation of all kept rewards of the batch (TRL's `scale_rewards="batch"`), not by that of the
  advantages (REINFORCE++).
"""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

Normalization: TypeAlias = Literal["group", "batch", "none"]
Baseline: TypeAlias = Literal["mean", "leave_one_out"]

EPSILON = 1e-4
"""Added to a deviation before dividing by it, as TRL does: a group of equal rewards divides 0 by this."""


def advantages(
    rewards: Tensor,
    groups: Tensor,
    mask: Tensor,
    *,
    normalization: Normalization = "group",
    baseline: Baseline = "mean",
) -> Tensor:
    """Return the advantages (N,); 0 where masked.

    ``rewards`` (N,): anything where masked, NaN too. ``groups`` (N,): equal integers mark a group. ``mask`` (N,):
    True for samples that count.

    ``baseline``: ``mean`` subtracts the group's mean (DeepSeekMath, arXiv 2402.03300, section 4.1.2);
    ``leave_one_out`` that of the *other* samples of the group (RLOO, arXiv 2402.14740), which is the same
    but for the factor n / (n - 1). ``normalization`` divides by a standard deviation (of a sample: n - 1) plus
    `EPSILON`: the group's (DeepSeekMath), the batch's, or none at all (Dr. GRPO, arXiv 2503.20783, section 3.2).
    """
    kept = mask.nonzero().squeeze(-1)
    values = rewards[kept]
    _, members = torch.unique(groups[kept], return_inverse=True)
    counts, means = _group_means(values, members)
    centred = values - means[members]
    size = counts[members]
    if baseline == "leave_one_out":
        centred = centred * size / (size - 1).clamp(min=1)
    if normalization == "group":
        _, squares = _group_means((values - means[members]) ** 2, members)
        deviation = (squares * counts / (counts - 1).clamp(min=1)).sqrt()
        centred = centred / (deviation[members] + EPSILON)
    elif normalization == "batch" and len(values) > 1:
        centred = centred / (values.std() + EPSILON)
    alone = size < 2  # noqa: PLR2004 - oneself and another
    return torch.zeros_like(rewards).index_put((kept,), centred.masked_fill(alone, 0.0))


def without_spread(rewards: Tensor, groups: Tensor, mask: Tensor) -> Tensor:
    """Return, for each of the groups in ascending order, whether its kept rewards (N,) are all equal: (groups,).

    Such a group gives no gradient; DAPO (arXiv 2503.14476, section 3.2) draws another instead. A group with nothing
    kept has no spread either.
    """
    names, members = torch.unique(groups, return_inverse=True)
    inside = torch.full((len(names),), torch.inf, dtype=rewards.dtype, device=rewards.device)
    lowest = inside.scatter_reduce(0, members[mask], rewards[mask], "amin")
    highest = (-inside).scatter_reduce(0, members[mask], rewards[mask], "amax")
    return lowest >= highest


def _group_means(values: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
    """Return how many of ``values`` (K,) each group has, and their means: both (groups,)."""
    groups = int(members.max()) + 1 if len(members) else 0
    zeros = torch.zeros(groups, dtype=values.dtype, device=values.device)
    counts = zeros.index_add(0, members, torch.ones_like(values))
    return counts, zeros.index_add(0, members, values) / counts
