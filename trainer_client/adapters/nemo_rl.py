"""NeMo RL: an environment of one turn, graded a batch a call.

    env = ray.remote(RewardServerEnvironment).remote({"address": "127.0.0.1:50051"})
    task_to_env = {"reward_server": env}

Metadata (`extra_env_info`) has the task, as `task`, or a `ground_truth` with a `data_source`. NeMo RL's own
environments cannot mask; a Failure gets reward 0, and `mask_sample` in its metadata. `mask_ungraded(batch)` carries
that to where GRPO reads it: call it on the batch of a rollout, before the loss.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from trainer_client.adapters.rows import numbers, text_of
from trainer_client.adapters.source import RewardSource
from trainer_client.adapters.stacks import needed
from trainer_client.results import Result, Verdict
from trainer_client.rewards import reward

_INSTALL = "follow NeMo RL's installation; it brings torch"
_SETTINGS = tuple(RewardSource.__dataclass_fields__)


class EnvironmentReturn(NamedTuple):
    """What NeMo RL's interface calls by this name, field by field."""

    observations: list[dict[str, str]]
    metadata: list[dict[str, Any] | None]
    next_stop_strings: list[None]
    rewards: Any
    terminateds: Any
    answers: list[str | None] | None


class RewardServerEnvironment:
    """Grades the last reply of each conversation. NeMo RL asks for the two methods, not for a base class."""

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """``config``: the settings of `RewardSource`; other keys are left alone."""
        self._source = RewardSource(**{name: value for name, value in (config or {}).items() if name in _SETTINGS})

    def step(
        self, message_log_batch: Sequence[Sequence[Mapping[str, Any]]], metadata: Sequence[Any]
    ) -> EnvironmentReturn:
        """Return rewards (B,), all terminated (B,), and metadata with `mask_sample` and numbers."""
        torch = needed("torch", _INSTALL)
        rows = [dict(each or {}) for each in metadata]
        results = self._source.grade(rows, [text_of(log) for log in message_log_batch])
        scores = [reward(result) or 0.0 for result in results]
        return EnvironmentReturn(
            observations=[{"role": "environment", "content": _told(result)} for result in results],
            metadata=[
                {**row, **numbers(result), "mask_sample": reward(result) is None}
                for row, result in zip(rows, results, strict=True)
            ],
            next_stop_strings=[None] * len(results),
            rewards=torch.tensor(scores, dtype=torch.float32),
            terminateds=torch.ones(len(results), dtype=torch.bool),
            answers=None,
        )

    def global_post_process_and_metrics(self, batch: Any) -> tuple[Any, dict[str, float]]:
        """Return the batch with `mask_sample`, and means over it."""
        batch = mask_ungraded(batch)
        infos = [info for info in batch["extra_env_info"] if isinstance(info, Mapping)]
        names = ("gradable", "accepted", "flags")
        return batch, {name: sum(info.get(name, 0.0) for info in infos) / max(1, len(infos)) for name in names}


def mask_ungraded(batch: Any) -> Any:
    """Set `mask_sample` in ``batch`` (a BatchedDataDict) from its metadata, so that GRPO drops what was not graded."""
    infos = [info if isinstance(info, Mapping) else {} for info in batch["extra_env_info"]]
    flags = [bool(info.get("mask_sample", False)) for info in infos]
    batch["mask_sample"] = needed("torch", _INSTALL).tensor(flags)
    return batch


def _told(result: Result) -> str:
    return "Environment: " + (result.summary if isinstance(result, Verdict) else "not graded")
