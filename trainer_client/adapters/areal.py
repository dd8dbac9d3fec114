"""AReaL: a reward function for `RLVRWorkflow`, picklable as its process pool asks.

    workflow = RLVRWorkflow(reward_fn=reward_fn, ...)

The data set has a field `task` with tasks as JSON text, or `answer`s of REWARD_SERVER_DATA_SOURCE. AReaL gives a
reward function 15 s and then scores 0, so a call gives up before that. A Failure raises `UngradableError`: AReaL
tries again three times, and then the workflow rejects the trajectory.
"""

from dataclasses import dataclass, field
from typing import Any

from trainer_client.adapters.rows import without_end_marks
from trainer_client.adapters.source import RewardSource, UngradableError
from trainer_client.results import Failure

TIMEOUT_SECONDS = 12.0
"""Within AReaL's 15, so that a slow server is an error and not its 0."""


@dataclass(frozen=True, slots=True)
class RewardFunction:
    """Grades one completion; an instance can be pickled, and each worker process has a client of its own."""

    source: RewardSource = field(default_factory=lambda: RewardSource(timeout_seconds=TIMEOUT_SECONDS))

    def __call__(self, prompt: Any, completions: str, prompt_ids: Any, completion_ids: Any, **columns: Any) -> float:
        """Return the score; ``columns`` are the row's."""
        del prompt_ids, completion_ids
        row = {"prompt": prompt, "ground_truth": columns.get("answer"), **columns}
        (result,) = self.source.grade([row], [without_end_marks(completions)])
        if isinstance(result, Failure):
            raise UngradableError(result)
        return result.score


def reward_fn(prompt: Any, completions: str, prompt_ids: Any, completion_ids: Any, **columns: Any) -> float:
    """Return the score from the server that REWARD_SERVER_ADDRESS names."""
    return RewardFunction()(prompt, completions, prompt_ids, completion_ids, **columns)
