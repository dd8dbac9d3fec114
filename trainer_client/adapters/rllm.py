"""rLLM: a reward function, `fn(task_info, action) -> RewardOutput`.

`task_info` has the task, as `task`, or a `ground_truth` with a `data_source`. rLLM has no mask: a Failure raises
`UngradableError`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from trainer_client.adapters.source import OnFailure, RewardSource, scored
from trainer_client.adapters.stacks import needed
from trainer_client.results import Failure


def reward_function(
    address: str = "", *, on_failure: OnFailure = "raise", failure_score: float = 0.0, **settings: Any
) -> Callable[[Mapping[str, Any], Any], Any]:
    """Return the function. ``settings``: those of `RewardSource`."""
    source = RewardSource(address=address, **settings)

    def reward_server(task_info: Mapping[str, Any], action: Any) -> Any:
        output = needed("rllm.rewards.reward_types", "install rllm from its repository").RewardOutput
        answer = action if isinstance(action, str) else str(getattr(action, "action", action))
        (result,) = source.grade([task_info], [answer])
        metadata = scored(result, on_failure, failure_score)
        why = result.reason if isinstance(result, Failure) else result.ruling
        return output(
            reward=metadata.pop("score"),
            is_correct=None if isinstance(result, Failure) else bool(metadata["accepted"]),
            metadata={**metadata, "reason": str(why)},
        )

    return reward_server
