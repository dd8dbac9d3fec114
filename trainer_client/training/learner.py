"""Groups with rewards in, steps of the optimizer out.

An update: drop what is masked; advantages over the whole batch; then, for each mini-batch of groups, micro-batches by
a budget of tokens, whose gradients add up to exactly that of the mini-batch at once, and one step.

On several devices every process is given the same groups and takes its own micro-batches, and gradients are summed.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, distributed

from trainer_client.training.advantages import advantages
from trainer_client.training.batches import Batch, MicroBatch, batch_of, demonstrations, micro_batches
from trainer_client.training.learner_metrics import added, means, of_samples
from trainer_client.training.losses import (
    Loss,
    LossConfig,
    TokenBatch,
    Totals,
    kl_divergence,
    policy_loss,
    sequence_sums,
)
from trainer_client.training.optimizer import OptimizerConfig, clip_gradients, learning_rate, make_optimizer
from trainer_client.training.packing import TokenIds
from trainer_client.training.policy import Policy
from trainer_client.training.scoring import ScoredGroup
from trainer_client.training.training_state import load_state, save_state


class Learner:
    """Moves a policy by what its completions were worth."""

    def __init__(
        self,
        policy: Policy,
        optimizer: OptimizerConfig,
        loss: LossConfig,
        *,
        temperature: float = 1.0,
        longest_completion: int = 0,
    ) -> None:
        """Take no step yet.

        ``temperature``: that of sampling; log-probabilities are of the distribution that was drawn from.
        ``longest_completion``: the limit of sampling, in tokens; what a constant length in the loss defaults to.
        """
        if not temperature > 0:
            raise ValueError(
                f"temperature: {temperature} is not above 0, so nothing is drawn that could be learned from"
            )
        self.policy = policy
        self.optimizer_config = optimizer
        self.loss_config = replace(loss, aggregation_length=loss.aggregation_length or longest_completion)
        self.temperature = temperature
        self.optimizer = make_optimizer(policy.trained, optimizer)
        self.steps = 0
        """Optimizer steps taken."""
        self._ranks = distributed.get_world_size() if policy.sharded else 1
        self._rank = distributed.get_rank() if policy.sharded else 0

    def update(self, groups: Sequence[ScoredGroup]) -> dict[str, float]:
        """Learn from a batch of groups; return what to watch. Where nothing has a reward no step is taken.

        What `losses` names is a mean over the tokens of a step, and over the steps of this update.
        """
        batch = batch_of(groups, mask_truncated=self.loss_config.mask_truncated)
        plan = [
            (batch.totals(members), [self._ahead(micro) for micro in self._micro_batches(batch, members)])
            for members in batch.mini_batches(self.optimizer_config.mini_batches)
        ]
        rewards = batch.rewards - self._penalties(batch, [micro for _, part in plan for micro in part])
        worth = advantages(
            rewards,
            batch.groups,
            torch.ones_like(batch.in_loss),
            normalization=self.loss_config.normalization,
            baseline=self.loss_config.baseline,
        )
        steps = [
            self._step(part, partial(self._loss, batch, worth, totals))
            for _ in range(self.optimizer_config.epochs)
            for totals, part in plan
            if totals.tokens
        ]
        return of_samples(groups, batch, rewards) | means(steps)

    def supervise(self, samples: Sequence[tuple[TokenIds, TokenIds]]) -> dict[str, float]:
        """Take one step towards writing these completions to these prompts: mean cross-entropy over their tokens.

        Raises ValueError where there is no token to learn.
        """
        batch = demonstrations(samples)
        everyone = range(len(samples))
        totals = batch.totals(everyone)
        if not totals.tokens:
            raise ValueError("no demonstration has a token to learn")
        return self._step(self._micro_batches(batch, everyone), partial(self._cross_entropy, totals))

    def save(self, directory: Path) -> None:
        """Write trained weights, the optimizer's state and the number of steps. Every process calls."""
        save_state(directory, self.policy.scorer, self.optimizer, self.steps)

    def load(self, directory: Path) -> None:
        """Take up what `save` wrote, by however many processes. Every process calls."""
        self.steps = load_state(directory, self.policy.scorer, self.optimizer)

    def _micro_batches(self, batch: Batch, members: Sequence[int]) -> list[MicroBatch]:
        budget = self.optimizer_config.tokens_per_micro_batch
        return micro_batches(batch, members, max_tokens=budget, ranks=self._ranks, rank=self._rank)

    @torch.no_grad()
    def _ahead(self, micro: MicroBatch) -> MicroBatch:
        """Return the micro-batch with what has to be known before the first step.

        A batch that takes one step needs no old log-probabilities: they are those of the step itself.
        """
        penalized = self.loss_config.needs_reference and self.loss_config.kl_in == "reward"
        if penalized or not self.optimizer_config.on_policy:
            micro = replace(micro, old=self.policy.logprobs(micro.packed, self.temperature)[0])
        if self.loss_config.needs_reference:
            micro = replace(micro, reference=self.policy.reference_logprobs(micro.packed, self.temperature))
        return micro

    def _penalties(self, batch: Batch, micros: Sequence[MicroBatch]) -> Tensor:
        """Return what each sample's reward loses by the KL of its tokens, added up: (N,) float64."""
        penalties = torch.zeros_like(batch.rewards)
        if not (self.loss_config.needs_reference and self.loss_config.kl_in == "reward"):
            return penalties
        for micro in micros:
            if micro.counts and micro.old is not None and micro.reference is not None:
                divergence = kl_divergence(micro.old, micro.reference, self.loss_config.kl_estimator).double().cpu()
                penalties[list(micro.members)] = sequence_sums(divergence, micro.packed.segments, len(micro.members))
        if self._ranks > 1:
            shared = penalties.to(self.policy.device)
            distributed.all_reduce(shared)
            penalties = shared.cpu()
        return self.loss_config.kl_coefficient * penalties

    def _loss(self, batch: Batch, worth: Tensor, totals: Totals, micro: MicroBatch) -> Loss:
        """Return a micro-batch's share of the loss of its mini-batch."""
        policy, entropy = self.policy.logprobs(micro.packed, self.temperature)
        rollout = micro.per_token(batch.rollout).to(policy)
        tokens = TokenBatch(
            segments=micro.packed.segments.to(policy.device),
            policy=policy,
            old=policy.detach() if micro.old is None else micro.old,
            rollout=rollout,
            reference=micro.reference,
            entropy=entropy,
        )
        if micro.counted is not None:
            tokens = tokens.select(micro.counted.to(policy.device))
        return policy_loss(tokens, worth[list(micro.members)].to(policy), self.loss_config, totals)

    def _cross_entropy(self, totals: Totals, micro: MicroBatch) -> Loss:
        """Return a micro-batch's share of the mean cross-entropy of demonstrations."""
        policy, entropy = self.policy.logprobs(micro.packed)
        if micro.counted is not None:
            policy, entropy = policy[micro.counted], entropy[micro.counted]
        return Loss(
            value=-policy.sum() / max(totals.tokens, 1),
            means={"entropy": entropy.detach().sum() / max(totals.tokens, 1)},
            maxima={},
        )

    def _step(self, micros: Sequence[MicroBatch], share: Callable[[MicroBatch], Loss]) -> dict[str, float]:
        """Add up the gradients of ``micros``, step, and return metrics.

        A gradient that is not finite is thrown away: one such step would end the run.
        """
        self.optimizer.zero_grad(set_to_none=True)
        losses = []
        for micro in micros:
            loss = share(micro)
            (loss.value * self._ranks).backward()  # type: ignore[no-untyped-call] # torch's; FSDP2 takes means over ranks
            losses.append(replace(loss, value=loss.value.detach()))
        norm = clip_gradients(self.policy.trained, self.optimizer_config.max_grad_norm)
        rate = learning_rate(self.optimizer_config, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        finite = math.isfinite(norm)
        if finite:
            self.optimizer.step()
            self.steps += 1
        self.optimizer.zero_grad(set_to_none=True)
        rates = {"grad_norm": norm, "learning_rate": rate, "steps_skipped": float(not finite)}
        return added(losses, sharded=self._ranks > 1) | rates
