"""The samples of an update: which count, in which mini-batch and micro-batch, on which device. Numbers only.

Everything here is decided from the same groups in the same way on every device, so nothing has to be communicated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from trainer_client.training.losses import Totals
from trainer_client.training.packing import Packed, TokenIds, pack, shares
from trainer_client.training.scoring import ScoredGroup


@dataclass(frozen=True, kw_only=True)
class Batch:
    """N samples that have a reward; those that are masked are not among them."""

    samples: tuple[tuple[TokenIds, TokenIds], ...]
    """Prompt and completion of each."""
    rollout: tuple[tuple[float, ...], ...]
    """The engine's log-probabilities of each completion token."""
    rewards: Tensor
    """(N,) float64."""
    groups: Tensor
    """(N,): the group of each, from 0 up, ascending."""
    in_loss: Tensor
    """(N,): False for a sample whose reward counts in its group and whose tokens give no gradient."""

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each sample, prompt and completion."""
        return tuple(len(prompt) + len(completion) for prompt, completion in self.samples)

    def totals(self, members: Sequence[int]) -> Totals:
        """Return the denominators of a loss over ``members``."""
        counted = [member for member in members if self.in_loss[member]]
        return Totals(tokens=sum(len(self.samples[member][1]) for member in counted), sequences=len(counted))

    def mini_batches(self, count: int) -> list[list[int]]:
        """Return the samples in ``count`` parts of about equally many whole groups; fewer where groups are fewer."""
        groups = int(self.groups[-1]) + 1 if len(self.groups) else 0
        part = (self.groups * count).div(max(groups, 1), rounding_mode="floor")
        parts = [part.eq(number).nonzero().flatten().tolist() for number in range(count)]
        return [members for members in parts if members]


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """Samples that go through the model at once."""

    members: tuple[int, ...]
    """Their numbers in the batch, ascending."""
    counts: bool
    """False for a turn without work."""
    packed: Packed
    counted: Tensor | None
    """Positions among the packed completion tokens of those in the loss; None for all."""
    old: Tensor | None = None
    """(T,): log-probabilities under the policy before the update, where they were needed."""
    reference: Tensor | None = None
    """(T,): under the frozen reference, where there is one."""

    def per_token(self, values: Sequence[Sequence[float]]) -> Tensor:
        """Return what is known of each token of each sample of the batch, for the completion tokens here: (T,)."""
        return torch.tensor([value for member in self.members for value in values[member]], dtype=torch.float64)


def batch_of(groups: Sequence[ScoredGroup], *, mask_truncated: bool) -> Batch:
    """Return what has a reward. Raises ValueError where engine's log-probabilities and tokens are not as many."""
    kept = [[episode for episode in group.episodes if episode.reward is not None] for group in groups]
    numbered = [(number, episode) for number, group in enumerate(filter(None, kept)) for episode in group]
    episodes = [episode for _, episode in numbered]
    for episode in episodes:
        if len(episode.completion.token_ids) != len(episode.completion.logprobs):
            raise ValueError(
                f"a completion of {len(episode.completion.token_ids)} tokens has "
                f"{len(episode.completion.logprobs)} log-probabilities"
            )
    in_loss = [
        bool(episode.completion.token_ids) and not (mask_truncated and episode.completion.finish_reason == "length")
        for episode in episodes
    ]
    return Batch(
        samples=tuple((episode.prompt_token_ids, episode.completion.token_ids) for episode in episodes),
        rollout=tuple(episode.completion.logprobs for episode in episodes),
        rewards=torch.tensor([episode.reward for episode in episodes], dtype=torch.float64),
        groups=torch.tensor([number for number, _ in numbered], dtype=torch.long),
        in_loss=torch.tensor(in_loss, dtype=torch.bool),
    )


def micro_batches(batch: Batch, members: Sequence[int], *, max_tokens: int, ranks: int, rank: int) -> list[MicroBatch]:
    """Return this device's share of ``members``; equally many micro-batches on every device.

    A turn without work takes the shortest sample through the model all the same, and counts none of its tokens:
    the other devices wait for this one in every collective.
    """
    lengths = [batch.lengths[member] for member in members]
    shortest = min(members, key=lambda member: batch.lengths[member])
    mine = [[members[place] for place in places] for places in shares(lengths, max_tokens, ranks)[rank]]
    return [_micro_batch(batch, part or [shortest], counted=bool(part)) for part in mine]


def _micro_batch(batch: Batch, members: Sequence[int], *, counted: bool) -> MicroBatch:
    packed = pack([batch.samples[member] for member in members])
    inside = batch.in_loss[list(members)] & counted
    chosen = None if bool(inside.all()) else inside[packed.segments].nonzero().flatten()
    return MicroBatch(members=tuple(members), counts=counted, packed=packed, counted=chosen)


def demonstrations(samples: Sequence[tuple[TokenIds, TokenIds]]) -> Batch:
    """Return samples to imitate: no rewards, and each a group of its own."""
    return Batch(
        samples=tuple(samples),
        rollout=(),
        rewards=torch.zeros(len(samples), dtype=torch.float64),
        groups=torch.arange(len(samples)),
        in_loss=torch.tensor([bool(completion) for _, completion in samples], dtype=torch.bool),
    )
