"""Advantages by hand, by properties, and beside masked samples."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainer_client.training.advantages import EPSILON, advantages, without_spread

NORMALIZATIONS = ("group", "batch", "none")
BASELINES = ("mean", "leave_one_out")
REWARDS = st.floats(-2, 2)


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def all_of(values: Tensor) -> Tensor:
    return torch.ones(len(values), dtype=torch.bool)


@st.composite
def batches(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    """Rewards, groups and a mask of some samples."""
    size = draw(st.integers(1, 12))
    rewards = draw(st.lists(REWARDS, min_size=size, max_size=size))
    groups = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    mask = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    return double(*rewards), torch.tensor(groups), torch.tensor(mask)


@pytest.mark.parametrize(
    ("normalization", "baseline", "expected"),
    [
        ("none", "mean", (-0.5, 0.5, -1.0, -1.0, 2.0)),
        ("none", "leave_one_out", (-1.0, 1.0, -1.5, -1.5, 3.0)),
        ("group", "mean", (-0.5 / math.sqrt(0.5), 0.5 / math.sqrt(0.5), *(x / math.sqrt(3) for x in (-1, -1, 2)))),
        ("batch", "mean", tuple(x / math.sqrt(1.7) for x in (-0.5, 0.5, -1, -1, 2))),
        ("batch", "leave_one_out", tuple(x / math.sqrt(1.7) for x in (-1, 1, -1.5, -1.5, 3))),
    ],
)
def test_by_hand(normalization: str, baseline: str, expected: tuple[float, ...]):
    """Two groups, (0, 1) and (0, 0, 3): means 0.5 and 1, variances 0.5 and 3, and 1.7 over the batch."""
    rewards = double(0, 1, 0, 0, 3)
    found = advantages(
        rewards, torch.tensor([7, 7, 2, 2, 2]), all_of(rewards), normalization=normalization, baseline=baseline
    )
    torch.testing.assert_close(found, double(*expected), rtol=3 * EPSILON, atol=0)


def test_a_masked_sample_by_hand():
    """The mean of (1, masked, 3) is 2, whatever stands in the middle; the masked sample has no advantage."""
    for hidden in (0.0, 1e30, math.inf, math.nan):
        found = advantages(
            double(1, hidden, 3),
            torch.zeros(3, dtype=torch.long),
            torch.tensor([True, False, True]),
            normalization="none",
        )
        assert found.tolist() == [-1, 0, 1]


@pytest.mark.parametrize("baseline", BASELINES)
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_alone_in_its_group_a_sample_has_no_advantage(normalization: str, baseline: str):
    """There is nothing to compare it with, so it is not compared with 0."""
    found = advantages(
        double(1, 0.25, 0.5),
        torch.tensor([0, 1, 1]),
        torch.tensor([True, True, False]),
        normalization=normalization,
        baseline=baseline,
    )
    assert found.tolist() == [0, 0, 0]


@given(batches(), st.sampled_from(NORMALIZATIONS), st.sampled_from(BASELINES), st.floats())
@settings(deadline=None)
def test_a_masked_sample_changes_nothing(batch: tuple, normalization: str, baseline: str, hidden: float):
    """To the last bit: neither its reward matters, nor whether it is there at all."""
    rewards, groups, mask = batch
    options = {"normalization": normalization, "baseline": baseline}
    found = advantages(rewards, groups, mask, **options)
    assert torch.equal(found, advantages(rewards.masked_fill(~mask, hidden), groups, mask, **options))
    assert torch.equal(found[mask], advantages(rewards[mask], groups[mask], mask[mask], **options))
    assert not found[~mask].any()


@given(batches(), st.sampled_from(NORMALIZATIONS), st.sampled_from(BASELINES))
@settings(deadline=None)
def test_a_group_has_nothing_to_win_as_a_whole(batch: tuple, normalization: str, baseline: str):
    """Advantages add up to 0 in each group, and rise with the reward."""
    rewards, groups, mask = batch
    found = advantages(rewards, groups, mask, normalization=normalization, baseline=baseline)
    assert found.isfinite().all()
    for group in groups.unique():
        inside = mask & (groups == group)
        assert found[inside].sum().abs() < 1e-9 / EPSILON
        order = rewards[inside].argsort()
        assert (found[inside][order].diff() >= -1e-12).all()


@given(batches(), st.sampled_from(BASELINES), st.floats(-5, 5))
@settings(deadline=None)
def test_a_constant_added_to_all_rewards_changes_nothing(batch: tuple, baseline: str, constant: float):
    """What counts is the difference within the group."""
    rewards, groups, mask = batch
    found = advantages(rewards, groups, mask, normalization="none", baseline=baseline)
    moved = advantages(rewards + constant, groups, mask, normalization="none", baseline=baseline)
    torch.testing.assert_close(found, moved, rtol=0, atol=1e-12)


def test_an_empty_batch_has_no_advantages():
    """All samples of a step can be masked."""
    nothing = torch.zeros(0, dtype=torch.float64)
    assert len(advantages(nothing, nothing.long(), nothing.bool())) == 0
    assert advantages(double(1, 2), torch.tensor([0, 0]), torch.tensor([False, False])).tolist() == [0, 0]


def test_groups_without_spread_are_found():
    """Equal rewards, one reward, and none at all: nothing to learn from."""
    rewards = double(1, 1, 0, 1, 0, 5, math.nan)
    groups = torch.tensor([0, 0, 1, 1, 2, 2, 3])
    mask = torch.tensor([True, True, True, True, True, False, False])
    assert without_spread(rewards, groups, mask).tolist() == [True, False, True, True]
