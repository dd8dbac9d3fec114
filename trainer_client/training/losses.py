"""The loss of a policy on what it wrote, as pure functions of tensors: ratio, clipping, KL, corrections, aggregation.

Nothing is padded: T is the number of completion tokens, one after the other, of S sequences, and ``segments`` (T,)
says which sequence a token is of. Masking is selection (`TokenBatch.select`): what is masked is not there.

A loss is a sum over tokens with weights whose denominators, the `Totals`, belong to the whole batch of an update. So
the losses (and gradients) of micro-batches, on one device or many, add up to those of one big batch, exactly.

Sources: PPO (arXiv 1707.06347), dual clip (arXiv 1912.09729), GRPO (2402.03300), DAPO (2503.14476), Dr. GRPO
(2503.20783), GSPO (2507.18071), CISPO (2506.13585), estimators of KL (joschu.net/blog/kl-approx.html). `presets` names
the combinations, and lists where they differ from their papers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, Self, TypeAlias, get_args

import torch
from torch import Tensor

from trainer_client.training.advantages import Baseline, Normalization

Level: TypeAlias = Literal["token", "sequence"]
Surrogate: TypeAlias = Literal["clip", "cispo"]
Aggregation: TypeAlias = Literal["token_mean", "sequence_mean", "constant"]
Estimator: TypeAlias = Literal["k1", "k2", "k3"]
KLPlace: TypeAlias = Literal["loss", "reward"]
Correction: TypeAlias = Literal["none", "token_truncate", "token_mask", "sequence_truncate", "sequence_mask"]

LOG_BOUND = 20.0
"""Of logarithms of ratios: e^20 is far outside of any clipping range, and far inside of float32."""
_CHOICES = {
    "normalization": get_args(Normalization),
    "baseline": get_args(Baseline),
    "ratio": get_args(Level),
    "surrogate": get_args(Surrogate),
    "aggregation": get_args(Aggregation),
    "kl_estimator": get_args(Estimator),
    "kl_in": get_args(KLPlace),
    "rollout_correction": get_args(Correction),
}
_AT_LEAST = {"clip_low": 0.0, "clip_high": 0.0, "aggregation_length": 0, "kl_coefficient": 0.0, "correction_min": 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """Every choice in the loss; `presets.PRESETS` has the combinations with a name."""

    normalization: Normalization = "group"
    """What advantages are divided by: the standard deviation of the group, of the batch, or nothing."""
    baseline: Baseline = "mean"
    """What is subtracted from a reward: the mean of the group, or of the others in the group."""
    ratio: Level = "token"
    """Whether each token has its own probability ratio, or all of a sequence their geometric mean (GSPO)."""
    surrogate: Surrogate = "clip"
    """``clip``: PPO's pessimistic minimum. ``cispo``: the clipped ratio is a constant weight, so no token's gradient
    vanishes."""
    clip_low: float = 0.2
    """The ratio is clipped below at 1 - clip_low; from 1 up there is no lower bound."""
    clip_high: float = 0.2
    """The ratio is clipped above at 1 + clip_high."""
    dual_clip: float | None = None
    """For negative advantages the ratio is also cut at this value, above 1 + clip_high; None for not at all."""
    aggregation: Aggregation = "token_mean"
    """Mean over the tokens of the batch (DAPO), mean over sequences of each one's mean (GRPO), or sum over
    ``aggregation_length`` and mean over sequences (Dr. GRPO)."""
    aggregation_length: int = 0
    """Tokens; for ``constant`` only. 0 takes the longest completion that sampling allows."""
    kl_coefficient: float = 0.0
    """Weight of the KL divergence from the frozen reference; 0 needs no reference at all."""
    kl_estimator: Estimator = "k3"
    """k1: unbiased, may be negative, and as a loss its expected gradient is 0: for the reward. k2: as a loss its
    gradient is that of the KL. k3: never negative, GRPO's."""
    kl_in: KLPlace = "loss"
    """A term of the loss, or subtracted from the rewards (summed over a completion) before advantages."""
    kl_ratio_weighted: bool = False
    """Weigh a token's KL in the loss by its probability ratio: unbiased off-policy (DeepSeek-V3.2, section 3.1)."""
    rollout_correction: Correction = "token_truncate"
    """How the loss is weighted by trainer's over engine's probability of what was sampled: cut at ``correction_max``,
    or 0 outside the bounds; for each token, or by the product over a sequence."""
    correction_min: float = 0.0
    correction_max: float = 2.0
    entropy_coefficient: float = 0.0
    """Weight of the mean entropy that is subtracted from the loss."""
    mask_truncated: bool = False
    """Overlong filtering (DAPO, section 3.4): a completion cut at the length limit gives no gradient. Its reward counts
    in its group all the same."""

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}: {getattr(self, name)!r} is none of {', '.join(choices)}")
        for name, least in _AT_LEAST.items():
            if not getattr(self, name) >= least:
                raise ValueError(f"{name}: {getattr(self, name)} is less than {least}")
        if self.dual_clip is not None and not self.dual_clip > 1 + self.clip_high:
            raise ValueError(f"dual_clip: {self.dual_clip} is not above 1 + clip_high = {1 + self.clip_high}")
        if not self.correction_max > self.correction_min:
            raise ValueError(f"correction_max: {self.correction_max} is not above correction_min")

    @property
    def needs_reference(self) -> bool:
        """Whether the frozen reference has to be asked."""
        return self.kl_coefficient > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBatch:
    """What is known of T completion tokens of some sequences. Only ``policy`` and ``entropy`` carry gradients."""

    segments: Tensor
    """(T,) integers: the sequence of each token, as `advantages` of `policy_loss` counts them."""
    policy: Tensor
    """(T,) log-probabilities under the policy that is trained."""
    old: Tensor
    """(T,) under the trainer's policy when the batch was sampled."""
    rollout: Tensor | None = None
    """(T,) as the engine gave them when it sampled; NaN for a token it could not score."""
    reference: Tensor | None = None
    """(T,) under the frozen reference."""
    entropy: Tensor | None = None
    """(T,) of the distribution each token was drawn from."""

    def select(self, mask: Tensor) -> Self:
        """Return the tokens where ``mask`` (T,) is True, or at the positions in it; the others are gone."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: tensor[mask] for name, tensor in tensors.items() if tensor is not None})


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What an update's loss is divided by: counts over all of its micro-batches, on all devices."""

    tokens: int
    sequences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A share of an update's loss, and of its metrics."""

    value: Tensor
    """() with gradient."""
    means: Mapping[str, Tensor]
    """() each: shares of means over the update's tokens; those of all micro-batches add up to the mean."""
    maxima: Mapping[str, Tensor]
    """() each, of what is never negative: of this micro-batch, 0 where it is empty."""


def policy_loss(tokens: TokenBatch, advantages: Tensor, config: LossConfig, totals: Totals | None = None) -> Loss:
    """Return the loss of ``tokens`` (T,) with ``advantages`` (S,), one for each sequence.

    Without ``totals`` these tokens are the whole batch. ``config.aggregation_length`` must be set for ``constant``.
    """
    size = len(advantages)
    lengths = sequence_sums(torch.ones_like(tokens.policy), tokens.segments, size)
    totals = totals or Totals(tokens=len(tokens.policy), sequences=int((lengths > 0).sum()))
    advantage = advantages.to(tokens.policy.dtype)[tokens.segments]
    ratio = probability_ratio(tokens.policy, tokens.old, tokens.segments, lengths, config.ratio)
    loss = surrogate_loss(ratio, tokens.policy, advantage, config)
    correction, outside = rollout_correction(tokens.old, tokens.rollout, tokens.segments, size, config)
    loss = loss * correction
    divergence = None
    if tokens.reference is not None:
        divergence = kl_divergence(tokens.policy, tokens.reference, config.kl_estimator)
        if config.kl_in == "loss":
            weight = ratio if config.kl_ratio_weighted else 1.0
            loss = loss + config.kl_coefficient * weight * divergence
    value = (loss * token_weights(lengths[tokens.segments], totals, config)).sum()
    if config.entropy_coefficient:
        if tokens.entropy is None:
            raise ValueError("entropy_coefficient needs the entropy of each token")
        value = value - config.entropy_coefficient * tokens.entropy.sum() / max(totals.tokens, 1)
    means, maxima = _metrics(tokens, ratio.detach(), advantage, divergence, config)
    if tokens.rollout is not None and config.rollout_correction != "none":
        means |= {"rollout_correction": correction, "rollout_corrected": outside.to(correction.dtype)}
        maxima |= {"rollout_correction_max": correction}
    return Loss(
        value=value,
        means={name: tensor.detach().sum() / max(totals.tokens, 1) for name, tensor in means.items()},
        maxima={name: torch.cat([tensor.detach(), tensor.new_zeros(1)]).max() for name, tensor in maxima.items()},
    )


def probability_ratio(policy: Tensor, old: Tensor, segments: Tensor, lengths: Tensor, level: Level) -> Tensor:
    """Return pi / pi_old of each token (T,): its own, or its sequence's geometric mean (GSPO, equation 7).

    Its logarithm is cut at `LOG_BOUND`, where a token has no gradient: an overflow would cost the whole step.
    """
    log_ratio = (policy - old).clamp(-LOG_BOUND, LOG_BOUND)
    if level == "sequence":
        means = sequence_sums(log_ratio, segments, len(lengths)) / lengths.clamp(min=1)
        log_ratio = means[segments]
    return log_ratio.exp()


def surrogate_loss(ratio: Tensor, policy: Tensor, advantage: Tensor, config: LossConfig) -> Tensor:
    """Return the loss of each token (T,) before corrections: all arguments (T,).

    ``clip``: -min(r A, clip(r) A) (PPO, equation 7; asymmetric in DAPO, equation 10), and for A < 0 at most
    -dual_clip A. ``cispo``: -stop_gradient(clip(r)) A log pi (MiniMax-M1, equation 4).
    """
    clipped = ratio.clamp(1 - config.clip_low, 1 + config.clip_high)
    if config.surrogate == "cispo":
        return -clipped.detach() * advantage * policy
    if config.dual_clip is not None:
        ratio = ratio.clamp(max=config.dual_clip)
    return -torch.min(ratio * advantage, clipped * advantage)


def rollout_correction(
    old: Tensor, rollout: Tensor | None, segments: Tensor, size: int, config: LossConfig
) -> tuple[Tensor, Tensor]:
    """Return the weight of each token (T,), and whether its ratio was out of bounds (T,). No gradient.

    The weight is the trainer's over the engine's probability, bounded: the engine's kernels and dtypes give other
    probabilities for the same weights, so its samples are slightly off-policy. In the literature: truncated by token is
    TIS (fengyao.notion.site/off-policy-rl), masked by token IcePop, masked by sequence MIS. A token that the engine
    could not score (NaN) has the ratio 1.
    """
    kind = config.rollout_correction
    if rollout is None or kind == "none":
        return torch.ones_like(old), torch.zeros_like(old, dtype=torch.bool)
    gap = (old - rollout).detach().nan_to_num(nan=0.0)
    if kind.startswith("sequence"):
        gap = sequence_sums(gap, segments, size)[segments]
    ratio = gap.exp()
    outside = (ratio < config.correction_min) | (ratio > config.correction_max)
    if kind.endswith("truncate"):
        return ratio.clamp(config.correction_min, config.correction_max), outside
    return ratio.masked_fill(outside, 0.0), outside


def kl_divergence(policy: Tensor, reference: Tensor, estimator: Estimator) -> Tensor:
    """Return an estimate of KL(pi || reference) at each token (T,) that pi wrote; with gradient.

    With d = log reference - log pi, cut at `LOG_BOUND`: k1 = -d, k2 = d^2 / 2, k3 = exp(d) - d - 1.
    """
    difference = (reference - policy).clamp(-LOG_BOUND, LOG_BOUND)
    match estimator:
        case "k1":
            return -difference
        case "k2":
            return difference**2 / 2
        case "k3":
            return difference.exp() - difference - 1


def token_weights(lengths: Tensor, totals: Totals, config: LossConfig) -> Tensor:
    """Return what each token's loss is multiplied by (T,), given the length (T,) of its sequence."""
    match config.aggregation:
        case "token_mean":
            return torch.ones_like(lengths) / max(totals.tokens, 1)
        case "sequence_mean":
            return 1 / (lengths.clamp(min=1) * max(totals.sequences, 1))
        case "constant":
            if not config.aggregation_length:
                raise ValueError('aggregation = "constant" needs an aggregation_length')
            return torch.ones_like(lengths) / (config.aggregation_length * max(totals.sequences, 1))


def sequence_sums(values: Tensor, segments: Tensor, size: int) -> Tensor:
    """Return the sum over each sequence's tokens (size,) of ``values`` (T,)."""
    return torch.zeros(size, dtype=values.dtype, device=values.device).index_add(0, segments, values)


def _metrics(
    tokens: TokenBatch,
    ratio: Tensor,
    advantage: Tensor,
    divergence: Tensor | None,
    config: LossConfig,
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return what is worth watching at each token (T,): quantities to average, and quantities to take maxima of."""
    low, high = ratio < 1 - config.clip_low, ratio > 1 + config.clip_high
    if config.surrogate == "clip":
        low, high = low & (advantage < 0), high & (advantage > 0)
    means = {
        "ratio": ratio,
        "clip_low": low.to(ratio.dtype),
        "clip_high": high.to(ratio.dtype),
        "kl_old": kl_divergence(tokens.policy, tokens.old, "k3"),
    }
    maxima = {"ratio_max": ratio}
    if config.dual_clip is not None:
        means["clip_dual"] = ((ratio > config.dual_clip) & (advantage < 0)).to(ratio.dtype)
    if tokens.entropy is not None:
        means["entropy"] = tokens.entropy
    if divergence is not None:
        means["kl"] = divergence
    if tokens.rollout is not None:
        gap = (tokens.old - tokens.rollout).detach().nan_to_num(nan=0.0)
        means |= {"rollout_gap": gap.abs(), "kl_rollout": gap.exp() - gap - 1}
        maxima |= {"rollout_gap_max": gap.abs()}
    return means, maxima
