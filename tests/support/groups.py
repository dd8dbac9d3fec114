"""Groups of made-up completions with rewards, as a learner is given them."""

from collections.abc import Sequence
from random import Random

from trainer_client.training.rollout import Completion
from trainer_client.training.scoring import Episode, ScoredGroup

WORDS = 250
FLAT = -5.5
"""About the log-probability of any token under random weights."""


def episode(
    prompt: Sequence[int],
    tokens: Sequence[int],
    reward: float | None,
    *,
    cut: bool = False,
    logprobs: Sequence[float] | None = None,
) -> Episode:
    return Episode(
        task_index=0,
        prompt_token_ids=tuple(prompt),
        completion=Completion(
            token_ids=tuple(tokens),
            logprobs=tuple(logprobs or [FLAT] * len(tokens)),
            text="",
            finish_reason="length" if cut else "stop",
        ),
        result=None,
        reward=reward,
    )


def group(*episodes: Episode) -> ScoredGroup:
    return ScoredGroup(task_index=0, episodes=episodes)


def random_groups(seed: int, *, groups: int = 3, size: int = 4, longest: int = 12) -> list[ScoredGroup]:
    """Groups with some spread: lengths, rewards, engine's log-probabilities, completions cut at the limit."""
    random = Random(seed)

    def tokens(most: int) -> list[int]:
        return [random.randrange(WORDS) for _ in range(random.randint(1, most))]

    def one(prompt: list[int]) -> Episode:
        completion = tokens(longest)
        return episode(
            prompt,
            completion,
            random.choice([0.0, 0.25, 1.0]),
            cut=random.random() < 0.2,
            logprobs=[FLAT + random.uniform(-0.3, 0.3) for _ in completion],
        )

    return [group(*(one(prompt) for _ in range(size))) for prompt in (tokens(8) for _ in range(groups))]
