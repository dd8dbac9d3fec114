"""The loss by hand and by properties; `test_losses_like_trl` compares it with TRL's."""

import math
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainer_client.training.losses import (
    LossConfig,
    TokenBatch,
    Totals,
    kl_divergence,
    policy_loss,
    probability_ratio,
    rollout_correction,
    surrogate_loss,
)
from trainer_client.training.presets import PRESETS, loss_config

EVERYTHING = LossConfig(
    kl_coefficient=0.1, entropy_coefficient=0.01, clip_high=0.28, dual_clip=3.0, rollout_correction="sequence_truncate"
)
CONFIGS = [*(replace(config, aggregation_length=9) for config in PRESETS.values()), EVERYTHING]


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def tokens(lengths: list[int], seed: int) -> TokenBatch:
    generator = torch.Generator().manual_seed(seed)
    size = sum(lengths)
    old = -3 * torch.rand(size, generator=generator, dtype=torch.float64)

    def near() -> Tensor:
        return old + 0.4 * torch.randn(size, generator=generator, dtype=torch.float64)

    return TokenBatch(
        segments=torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths)),
        policy=near().requires_grad_(),
        old=old,
        rollout=near(),
        reference=near(),
        entropy=torch.rand(size, generator=generator, dtype=torch.float64).requires_grad_(),
    )


def worth(size: int) -> Tensor:
    return torch.linspace(-1, 1.5, size, dtype=torch.float64)


def value_and_gradient(batch: TokenBatch, advantages: Tensor, config: LossConfig, totals: Totals | None = None):
    value = policy_loss(batch, advantages, config, totals).value
    return value.detach(), torch.autograd.grad(value, batch.policy)[0]


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected", "moves"),
    [
        (1.1, 1.0, -1.1, True),
        (1.5, 1.0, -1.28, False),  # clipped above
        (0.5, 1.0, -0.5, True),  # a good token that became rare is pulled back
        (0.5, -1.0, 0.8, False),  # clipped below
        (1.5, -1.0, 1.5, True),
        (4.0, -1.0, 3.0, False),  # the dual clip
        (4.0, 1.0, -1.28, False),
    ],
)
def test_clipping_by_hand(ratio: float, advantage: float, expected: float, moves: bool):  # noqa: FBT001 - a case
    """With clip_low 0.2, clip_high 0.28 and dual_clip 3: value, and whether the token has a gradient."""
    config = LossConfig(clip_low=0.2, clip_high=0.28, dual_clip=3.0)
    log_ratio = double(math.log(ratio)).requires_grad_()
    loss = surrogate_loss(log_ratio.exp(), log_ratio, double(advantage), config)
    assert loss.item() == pytest.approx(expected)
    assert bool(torch.autograd.grad(loss, log_ratio)[0]) is moves


@pytest.mark.parametrize(("ratio", "weight"), [(0.01, 0.01), (1.5, 1.5), (9.0, 5.0)])
def test_cispo_by_hand(ratio: float, weight: float):
    """Every token has a gradient, weighted by its clipped ratio."""
    policy = double(-0.7).requires_grad_()
    loss = surrogate_loss(double(ratio), policy, double(2), loss_config("cispo"))
    assert loss.item() == pytest.approx(2 * 0.7 * weight)
    assert torch.autograd.grad(loss, policy)[0].item() == pytest.approx(-2 * weight)


def test_a_sequence_has_the_geometric_mean_of_its_ratios():
    """Log-ratios (1, 3) and (0.5): ratios e^2 for both tokens of the first, e^0.5 for the second."""
    segments, lengths = torch.tensor([0, 0, 1]), double(2, 1)
    ratio = probability_ratio(double(1, 3, 0.5), double(0, 0, 0), segments, lengths, "sequence")
    torch.testing.assert_close(ratio.log(), double(2, 2, 0.5))


@pytest.mark.parametrize(
    ("estimator", "expected"), [("k1", -math.log(2)), ("k2", math.log(2) ** 2 / 2), ("k3", 1 - math.log(2))]
)
def test_kl_by_hand(estimator: str, expected: float):
    """A token that the reference finds twice as likely as the policy does."""
    found = kl_divergence(double(math.log(0.25)), double(math.log(0.5)), estimator)
    assert found.item() == pytest.approx(expected)


@pytest.mark.parametrize("estimator", ["k1", "k3"])
def test_kl_estimators_are_unbiased(estimator: str):
    """Over the whole vocabulary, weighted by the policy, k1 and k3 give the divergence itself."""
    policy, reference = (torch.randn(50, dtype=torch.float64).log_softmax(0) for _ in range(2))
    exact = (policy.exp() * (policy - reference)).sum()
    torch.testing.assert_close((policy.exp() * kl_divergence(policy, reference, estimator)).sum(), exact)


def test_k2_has_the_gradient_of_the_divergence():
    """And k1 has none: as a loss it is of no use."""
    logits = torch.randn(50, dtype=torch.float64, requires_grad=True)
    reference = torch.randn(50, dtype=torch.float64).log_softmax(0)
    policy = logits.log_softmax(0)
    (exact,) = torch.autograd.grad((policy.exp() * (policy - reference)).sum(), logits, retain_graph=True)
    drawn = policy.detach().exp()
    for estimator, expected in {"k2": exact, "k1": torch.zeros_like(exact)}.items():
        loss = (drawn * kl_divergence(policy, reference, estimator)).sum()
        torch.testing.assert_close(torch.autograd.grad(loss, logits, retain_graph=True)[0], expected)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", (1, 1, 1)),
        ("token_truncate", (0.5, 2, 1)),
        ("token_mask", (0.5, 0, 1)),
        ("sequence_truncate", (1.5, 1.5, 1)),
        ("sequence_mask", (1.5, 1.5, 1)),
    ],
)
def test_corrections_by_hand(kind: str, expected: tuple[float, ...]):
    """Ratios 0.5 and 3 in one sequence, 1.5 together; a token in another that the engine could not score."""
    config = LossConfig(rollout_correction=kind, correction_min=0.25, correction_max=2.0)
    engine = double(-math.log(0.5), -math.log(3), math.nan)
    found, outside = rollout_correction(double(0, 0, 0), engine, torch.tensor([0, 0, 1]), 2, config)
    torch.testing.assert_close(found, double(*expected))
    assert outside.tolist() == [False, kind.startswith("token"), False]


@pytest.mark.parametrize(
    ("aggregation", "expected"),
    [("token_mean", (1 + 2 * 3) / 4), ("sequence_mean", (1 + 2) / 2), ("constant", (1 + 2 * 3) / (2 * 10))],
)
def test_aggregation_by_hand(aggregation: str, expected: float):
    """A sequence of one token with loss 1, and one of three with loss 2 each."""
    zeros = torch.zeros(4, dtype=torch.float64)
    batch = TokenBatch(segments=torch.tensor([0, 1, 1, 1]), policy=zeros, old=zeros)
    config = LossConfig(aggregation=aggregation, aggregation_length=10)
    assert policy_loss(batch, double(-1, -2), config).value.item() == pytest.approx(expected)


@pytest.mark.parametrize("config", CONFIGS)
@given(
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    seed=st.integers(0, 99),
    hidden=st.sampled_from([0.0, -700.0, math.inf, math.nan]),
    data=st.data(),
)
@settings(max_examples=25, deadline=None)
def test_a_masked_sequence_changes_nothing(config: LossConfig, lengths: list, seed: int, hidden: float, data):
    """To the last bit, in value and gradient: not by its numbers, not by being there."""
    batch = tokens(lengths, seed)
    kept = torch.tensor(data.draw(st.lists(st.booleans(), min_size=len(lengths), max_size=len(lengths))))
    inside = kept[batch.segments]
    value, gradient = value_and_gradient(batch.select(inside), worth(len(lengths)), config)
    spoiled = {
        field.name: getattr(batch, field.name).detach().masked_fill(~inside, hidden).requires_grad_()
        for field in fields(batch)
        if field.name != "segments"
    }
    other = replace(batch, **spoiled).select(inside)
    assert all(map(torch.equal, (value, gradient), value_and_gradient(other, worth(len(lengths)), config)))
    renumbered = replace(batch.select(inside), segments=(kept.cumsum(0) - 1)[batch.segments[inside]])
    alone = value_and_gradient(renumbered, worth(len(lengths))[kept], config)
    assert all(map(torch.equal, (value, gradient), alone))


@pytest.mark.parametrize("config", CONFIGS)
@given(lengths=st.lists(st.integers(1, 5), min_size=2, max_size=6), seed=st.integers(0, 99), data=st.data())
@settings(max_examples=25, deadline=None)
def test_micro_batches_add_up(config: LossConfig, lengths: list, seed: int, data):
    """However the sequences are split, losses, gradients and metrics add up to those of all at once."""
    batch, advantages = tokens(lengths, seed), worth(len(lengths))
    second = torch.tensor(data.draw(st.lists(st.booleans(), min_size=len(lengths), max_size=len(lengths))))
    totals = Totals(tokens=sum(lengths), sequences=len(lengths))
    whole = policy_loss(batch, advantages, config)
    parts = [
        policy_loss(batch.select((second == which)[batch.segments]), advantages, config, totals)
        for which in (False, True)
    ]
    torch.testing.assert_close(whole.value, parts[0].value + parts[1].value)
    gradient = torch.autograd.grad(whole.value, batch.policy, retain_graph=True)[0]
    torch.testing.assert_close(gradient, torch.autograd.grad(parts[0].value + parts[1].value, batch.policy)[0])
    for name, mean in whole.means.items():
        torch.testing.assert_close(mean, parts[0].means[name] + parts[1].means[name])
    for name, largest in whole.maxima.items():
        assert largest == max(part.maxima[name] for part in parts)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("gap", [-1e4, 1e4])
def test_a_freak_token_does_not_spoil_the_others(config: LossConfig, gap: float):
    """Where a ratio would overflow, value and gradients stay finite, and the other sequences have theirs."""
    batch = tokens([2, 2], 0)
    freak = torch.tensor([gap, 0, 0, 0], dtype=torch.float64)
    for advantage in (1.0, -1.0):
        before = batch.policy.detach() - freak
        far = replace(batch, old=before, rollout=before - freak, reference=batch.reference + freak)
        value, gradient = value_and_gradient(far, double(advantage, 1), config)
        assert value.isfinite()
        assert gradient.isfinite().all()
        assert gradient[2:].any()


def test_metrics_by_hand():
    """Two tokens of a good sequence: one ratio of 1, one of 2, which is clipped."""
    batch = TokenBatch(
        segments=torch.tensor([0, 0]),
        policy=double(0, math.log(2)),
        old=double(0, 0),
        rollout=double(0, math.log(0.25)),
        entropy=double(1, 3),
    )
    loss = policy_loss(batch, double(1), LossConfig(correction_max=2.0))
    assert {name: value.item() for name, value in loss.means.items()} == pytest.approx(
        {
            "ratio": 1.5,
            "clip_low": 0,
            "clip_high": 0.5,
            "kl_old": (0.5 + math.log(2) - 1) / 2,
            "entropy": 2,
            "rollout_correction": 1.5,
            "rollout_corrected": 0.5,
            "rollout_gap": math.log(4) / 2,
            "kl_rollout": (4 - math.log(4) - 1) / 2,
        }
    )
    assert loss.maxima["ratio_max"] == 2
    assert loss.maxima["rollout_correction_max"] == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"aggregation": "mean"}, "aggregation"),
        ({"clip_low": -0.1}, "clip_low"),
        ({"dual_clip": 1.1}, "dual_clip"),
        ({"correction_min": 3.0}, "correction_max"),
        ({"kl_coefficient": math.nan}, "kl_coefficient"),
    ],
)
def test_a_choice_that_makes_no_sense_is_named(changes: dict, named: str):
    """The message starts with the field."""
    with pytest.raises(ValueError, match=f"^{named}: "):
        LossConfig(**changes)


def test_a_constant_needs_a_length():
    """Dr. GRPO divides by a length that the run has to say."""
    with pytest.raises(ValueError, match="aggregation_length"):
        policy_loss(tokens([2], 0), worth(1), PRESETS["dr_grpo"])


def test_entropy_that_is_asked_for_must_be_there():
    """No silent zero."""
    with pytest.raises(ValueError, match="entropy"):
        policy_loss(replace(tokens([2], 0), entropy=None), worth(1), EVERYTHING)


def test_presets_take_changes_and_have_names():
    """A preset is a start, and a wrong name is told apart."""
    assert loss_config("gspo", clip_high=0.1) == replace(PRESETS["gspo"], clip_high=0.1)
    with pytest.raises(ValueError, match="grpo, dr_grpo, dapo, gspo, cispo"):
        loss_config("ppo")
