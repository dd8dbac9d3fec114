"""The loss and its gradients are TRL's, in float64, by running TRL's own code on the same numbers."""

from typing import Any

import pytest
import torch
from torch import Tensor
from trl_stand_in import StandIn, loss_of_trl

from trainer_client.training.advantages import advantages
from trainer_client.training.losses import TokenBatch, policy_loss
from trainer_client.training.presets import loss_config

LENGTHS = (3, 5, 1, 4, 2, 5, 6, 2)
GROUP = 4
LIMIT = 7
TRUNCATED = 3
"""One completion has no end token."""
END, OTHER = 1, 5

GRPO = {"loss_type": "grpo", "beta": 0.04}
DR_GRPO = {"loss_type": "dr_grpo", "scale_rewards": "none"}
DAPO = {"loss_type": "dapo", "epsilon_high": 0.28, "mask_truncated_completions": True}
GSPO = {
    "loss_type": "grpo",
    "importance_sampling_level": "sequence",
    "epsilon_low": 3e-4,
    "epsilon_high": 4e-4,
}
CISPO = {"loss_type": "cispo", "epsilon_high": 5.0}  # the bound itself, where ours is the distance from 1

PRESETS = [
    pytest.param("grpo", {}, GRPO, id="grpo"),
    pytest.param("dr_grpo", {}, DR_GRPO, id="dr_grpo"),
    pytest.param("dapo", {}, DAPO, id="dapo"),
    pytest.param("gspo", {}, GSPO, id="gspo"),
    pytest.param("cispo", {}, CISPO, id="cispo"),
]
VARIANTS = [
    pytest.param("grpo", {"normalization": "batch"}, GRPO | {"scale_rewards": "batch"}, id="batch deviation"),
    pytest.param("dr_grpo", {"dual_clip": 1.5}, DR_GRPO | {"delta": 1.5}, id="dual clip"),
    pytest.param("grpo", {"kl_ratio_weighted": True}, GRPO | {"use_bias_correction_kl": True}, id="weighted KL"),
    pytest.param(
        "gspo",
        {"kl_coefficient": 0.1, "kl_ratio_weighted": True},
        GSPO | {"beta": 0.1, "use_bias_correction_kl": True},
        id="weighted KL, by sequence",
    ),
    pytest.param(
        "cispo",
        {"entropy_coefficient": 0.01},
        CISPO | {"entropy_coef": 0.01, "_entropy_bonus_enabled": True},
        id="entropy",
    ),
    pytest.param(
        "dr_grpo",
        {"entropy_coefficient": 0.01},
        DR_GRPO | {"entropy_coef": 0.01, "_entropy_bonus_enabled": True},
        id="entropy, constant length",
    ),
    *(
        pytest.param(
            preset,
            {"rollout_correction": mode, "correction_min": 0.7, "correction_max": 1.3},
            options
            | {
                "vllm_importance_sampling_mode": mode,
                "vllm_importance_sampling_clip_min": 0.7,
                "vllm_importance_sampling_clip_max": 1.3,
            },
            id=f"{preset}, {mode}",
        )
        for preset, options in (("dapo", DAPO), ("gspo", GSPO))
        for mode in ("token_truncate", "token_mask", "sequence_truncate", "sequence_mask")
    ),
    pytest.param(
        "dapo",
        {"rollout_correction": "none"},
        DAPO | {"vllm_importance_sampling_correction": False, "num_iterations": 2},
        id="no correction",
    ),
]


def numbers(seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    shape = (len(LENGTHS), max(LENGTHS))

    def near(center: Tensor, spread: float) -> Tensor:
        return center + spread * torch.randn(shape, generator=generator, dtype=torch.float64)

    old = -3 * torch.rand(shape, generator=generator, dtype=torch.float64)
    return {
        "policy": near(old, 0.3),
        "old": old,
        "rollout": near(old, 0.3),
        "reference": near(old, 0.5),
        "entropy": torch.rand(shape, generator=generator, dtype=torch.float64),
        "rewards": torch.rand(len(LENGTHS), generator=generator, dtype=torch.float64),
    }


def ours(preset: str, changes: dict[str, Any], given: dict[str, Tensor]) -> Tensor:
    config = loss_config(preset, aggregation_length=LIMIT, **changes)
    groups = torch.arange(len(LENGTHS)) // GROUP
    worth = advantages(
        given["rewards"],
        groups,
        torch.ones_like(groups, dtype=torch.bool),
        normalization=config.normalization,
        baseline=config.baseline,
    )
    inside = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    if config.mask_truncated:
        inside[TRUNCATED] = False
    tokens = TokenBatch(
        segments=inside.nonzero()[:, 0],
        policy=given["policy"][inside],
        old=given["old"][inside],
        rollout=given["rollout"][inside],
        reference=given["reference"][inside] if config.needs_reference else None,
        entropy=given["entropy"][inside],
    )
    return policy_loss(tokens, worth, config).value


def theirs(options: dict[str, Any], given: dict[str, Tensor]) -> Tensor:
    completions = [[OTHER] * (length - 1) + [END] for length in LENGTHS]
    completions[TRUNCATED][-1] = OTHER
    stand_in = StandIn(
        policy=given["policy"],
        old=given["old"],
        reference=given["reference"] if options.get("beta") else None,
        entropy=given["entropy"],
        rewards=given["rewards"],
        rollout=[row[:length].tolist() for row, length in zip(given["rollout"], LENGTHS, strict=True)],
        completions=completions,
        prompts=[[OTHER]] * len(LENGTHS),
        num_generations=GROUP,
        max_completion_length=LIMIT,
        **options,
    )
    return loss_of_trl(stand_in)


def gradients(loss: Tensor, given: dict[str, Tensor]) -> list[Tensor]:
    wanted = [given["policy"], given["entropy"]]
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    return [torch.zeros_like(of) if gradient is None else gradient for of, gradient in zip(wanted, found, strict=True)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("preset", "changes", "options"), PRESETS + VARIANTS)
def test_loss_and_gradients_are_those_of_trl(preset: str, changes: dict, options: dict, seed: int):
    """From rewards and log-probabilities to the gradient, by TRL's code and by ours, to 1e-10."""
    given = numbers(seed)
    for name in ("policy", "entropy"):
        given[name].requires_grad_()
    one, other = ours(preset, changes, given), theirs(options, given)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-10)
    mine, yours = gradients(one, given), gradients(other, given)
    torch.testing.assert_close(mine, yours, rtol=0, atol=1e-10)
    assert mine[0].abs().sum() > 0


@pytest.mark.parametrize(("normalization", "scale"), [("group", "group"), ("batch", "batch"), ("none", "none")])
def test_masked_rewards_leave_advantages_as_in_trl(normalization: str, scale: str):
    """A reward that could not be had is in no mean and no deviation, as TRL's is that is None."""
    given = numbers(0)
    unknown = torch.tensor([False, True, False, False, False, False, True, True])
    given["rewards"][unknown] = torch.nan
    stand_in = StandIn(
        policy=given["policy"],
        old=given["old"],
        reference=None,
        entropy=given["entropy"],
        rewards=given["rewards"],
        rollout=[row[:length].tolist() for row, length in zip(given["rollout"], LENGTHS, strict=True)],
        completions=[[OTHER] * (length - 1) + [END] for length in LENGTHS],
        prompts=[[OTHER]] * len(LENGTHS),
        num_generations=GROUP,
        scale_rewards=scale,
        loss_type="dapo",
    )
    loss_of_trl(stand_in)
    groups = torch.arange(len(LENGTHS)) // GROUP
    mine = advantages(given["rewards"], groups, ~unknown, normalization=normalization)
    torch.testing.assert_close(
        mine, torch.tensor(stand_in._logs["advantages"], dtype=torch.float64), rtol=0, atol=1e-10
    )
