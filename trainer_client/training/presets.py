"""Losses with a name: what their papers say, as `LossConfig`s, and where we differ.

All: advantages of a group whose rewards are equal are 0, so no preset learns from it; the weights between vLLM's and
the trainer's probabilities (`rollout_correction`) are in no paper but the truncated ones are on, for without them the
samples are not from the policy they are taken for; masked samples are in no denominator.

- ``grpo`` (DeepSeekMath, arXiv 2402.03300, equations 3 and 4): as the paper, with its KL coefficient of 0.04.
- ``dr_grpo`` (arXiv 2503.20783): no deviation, no KL; the length that sums are divided by is a constant, the longest
  completion that sampling allows, as in its authors' code (the equation has none).
- ``dapo`` (arXiv 2503.14476): token mean over the batch of the update, clip-higher, overlong filtering. Its dynamic
  sampling is the loop's, its soft overlong punishment the rewards'.
- ``gspo`` (arXiv 2507.18071): sequence ratios with the paper's clipping range; no KL, which the paper leaves out too.
- ``cispo`` (MiniMax-M1, arXiv 2506.13585): no lower bound, and an upper bound of the ratio of 5, which the paper leaves
  open and ScaleRL (arXiv 2510.13786) found to work; no overlong filtering.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from trainer_client.training.losses import LossConfig

PRESETS: Mapping[str, LossConfig] = {
    "grpo": LossConfig(
        aggregation="sequence_mean", clip_low=0.2, clip_high=0.2, kl_coefficient=0.04, kl_estimator="k3"
    ),
    "dr_grpo": LossConfig(normalization="none", aggregation="constant", clip_low=0.2, clip_high=0.2),
    "dapo": LossConfig(aggregation="token_mean", clip_low=0.2, clip_high=0.28, mask_truncated=True),
    "gspo": LossConfig(ratio="sequence", aggregation="sequence_mean", clip_low=3e-4, clip_high=4e-4),
    "cispo": LossConfig(surrogate="cispo", aggregation="token_mean", clip_low=1.0, clip_high=4.0),
}
DEFAULT = "dapo"


def loss_config(preset: str = DEFAULT, **changes: Any) -> LossConfig:
    """Return the preset called ``preset`` with ``changes`` to it. Raises ValueError."""
    if preset not in PRESETS:
        raise ValueError(f"preset: {preset!r} is none of {', '.join(PRESETS)}")
    return dataclasses.replace(PRESETS[preset], **changes)
