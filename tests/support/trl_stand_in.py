"""TRL's own code for advantages, corrections and the loss, run on tensors of ours without a model.

`GRPOTrainer`'s methods are called on a stand-in that carries what they read. Names are TRL's.
"""

import warnings
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of versions of libraries that are not used here
    from trl.trainer.grpo_trainer import GRPOTrainer


class Accelerator(SimpleNamespace):
    device = torch.device("cpu")
    num_processes = 1
    process_index = 0
    sync_gradients = True

    def gather(self, tensor: Tensor) -> Tensor:
        return tensor

    def reduce(self, tensor: Tensor, reduction: str = "sum") -> Tensor:
        return tensor


class Metrics(dict[str, list[float]]):
    def __missing__(self, name: str) -> list[float]:
        return self.setdefault(name, [])


class StandIn(SimpleNamespace):
    """What `GRPOTrainer` would be for samples whose log-probabilities are given as padded tensors (N, T)."""

    get_off_policy_mask = staticmethod(GRPOTrainer.get_off_policy_mask)

    def __init__(self, *, policy: Tensor, old: Tensor, reference: Tensor | None, entropy: Tensor, **options: Any):
        options = dict(DEFAULTS) | options
        super().__init__(**options)
        self.args = SimpleNamespace(**options)
        self.scored = [(policy, entropy)]
        self.ahead = [old] if reference is None else [old, reference]
        self._metrics = {"train": Metrics()}
        self._logs = {"prompt": [], "completion": [], "rewards": {"reward": []}, "advantages": [], "extra": {}}
        self._pending_extra_logs: dict[str, Any] = {}
        self._pending_metrics: dict[str, Any] = {}
        self.accelerator = Accelerator()
        self.model = SimpleNamespace(training=True, is_gradient_checkpointing=False)
        self.ref_model = object()
        self._tokenizer = SimpleNamespace(pad_token_id=0)

    def _get_per_token_logps_and_entropies(self, *_: Any, compute_entropy: bool = False, **__: Any) -> Any:
        if compute_entropy:
            return (*self.scored[0], None)
        return self.ahead.pop(0), None, None

    def _generate(self, prompts: Any) -> Any:
        return self.prompts, self.completions, None, self.completions, self.rollout, {}, None, []

    def _calculate_rewards(self, *_: Any) -> Tensor:
        return self.rewards[:, None]


DEFAULTS = {
    "aux_loss_enabled": False,
    "beta": 0.0,
    "current_gradient_accumulation_steps": 1,
    "delta": None,
    "entropy_coef": 0.0,
    "_entropy_bonus_enabled": False,
    "environment_factories": None,
    "environments": None,
    "epsilon_high": 0.2,
    "epsilon_low": 0.2,
    "eos_token_ids": [1],
    "gradient_accumulation_steps": 1,
    "gradient_checkpointing_kwargs": None,
    "importance_sampling_level": "token",
    "log_multimodal": False,
    "mask_truncated_completions": False,
    "multi_objective_aggregation": "sum_then_normalize",
    "num_iterations": 1,
    "off_policy_mask_threshold": None,
    "pad_to_multiple_of": None,
    "per_device_train_batch_size": 64,
    "reward_func_names": ["reward"],
    "reward_funcs": [None],
    "reward_weights": torch.ones(1, dtype=torch.float64),
    "scale_rewards": "group",
    "steps_per_generation": 1,
    "tools": None,
    "top_entropy_quantile": 1.0,
    "use_adaptive_entropy": False,
    "use_bias_correction_kl": False,
    "use_vllm": True,
    "vllm_importance_sampling_correction": True,
    "vllm_importance_sampling_mode": "token_truncate",
    "vllm_importance_sampling_clip_min": 0.0,
    "vllm_importance_sampling_clip_max": 2.0,
}


def loss_of_trl(stand_in: StandIn) -> Tensor:
    """Return TRL's loss, by way of its own advantages, masks, corrections and counts; in float64 throughout."""
    inputs = [{"prompt": str(number)} for number in range(len(stand_in.completions))]
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        batch = GRPOTrainer._generate_and_score_completions(stand_in, inputs)
        return GRPOTrainer._compute_loss(stand_in, stand_in.model, batch)
    finally:
        torch.set_default_dtype(default)
