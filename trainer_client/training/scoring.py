"""Groups and their rewards: what the learner is given."""

from dataclasses import dataclass

from trainer_client.results import Result
from trainer_client.training.rollout import Completion


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One completion with what became of it."""

    task_index: int
    """The position of the task in the batch it was drawn with."""
    prompt_token_ids: tuple[int, ...]
    completion: Completion
    result: Result | None
    """None when the reward server could not be asked, and the run goes on without (`on_outage = "mask"`)."""
    reward: float | None
    """None: masked. The episode takes part in nothing: no mean, no gradient."""
    masked: str = ""
    """Why the reward is None, in a word or two that can be counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredGroup:
    """The episodes of one prompt, in the order they were drawn."""

    task_index: int
    episodes: tuple[Episode, ...]
