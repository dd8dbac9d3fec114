"""Groups with rewards, drawn by the newest weights: what stands between the engine, the reward server and the loop."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainer_client.training import ranks
from trainer_client.training.policy import Policy
from trainer_client.training.rollout import Rollout, SamplingParameters
from trainer_client.training.scoring import ScoredGroup, Scorer
from trainer_client.training.tasks import Task

_SEEDS = 1 << 62


@dataclass(slots=True)
class Timings:
    """Seconds since they were last taken."""

    generate: float = 0.0
    """From the first prompt to the last group's reward."""
    reward_wait: float = 0.0
    """Of these, how long nothing was generated any more, and rewards were waited for."""
    sync: float = 0.0
    """Bringing the engine to memory, and weights into it."""
    tokens: int = 0
    """Written by the model."""

    def metrics(self) -> dict[str, float]:
        """Return the timings as metrics."""
        return {
            "time/generate": self.generate,
            "time/reward_wait": self.reward_wait,
            "time/sync": self.sync,
            "generate/tokens_per_second": self.tokens / self.generate if self.generate else 0.0,
        }


class Sampler:
    """Draws groups and has them graded while others are still being drawn."""

    def __init__(
        self, rollout: Rollout, scorer: Scorer, scratch: Path, *, sampling: SamplingParameters, seed: int
    ) -> None:
        """``scratch``: where adapters are put for the engine. ``sampling``: that of training."""
        self.sampling = sampling
        self._rollout = rollout
        self._scorer = scorer
        self._scratch = scratch
        self._seed = seed
        self._policy: Policy | None = None
        self._stale = False
        self._asleep = False
        self._timings = Timings()

    def follow(self, policy: Policy) -> None:
        """Generate by ``policy``'s weights from now on, instead of those that the engine was started with."""
        self._policy = policy
        self._stale = True

    def prepare(self) -> None:
        """Bring the engine to memory, and the newest weights into it: before `draw`."""
        begun = time.monotonic()
        if self._asleep:
            self._rollout.wake()
            self._asleep = False
        if self._stale and self._policy is not None:
            self._hand_over(self._policy)
        self._stale = False
        self._timings.sync += time.monotonic() - begun

    def draw(
        self, tasks: Sequence[Task], count: int, sampling: SamplingParameters, purpose: str, *, first: int = 0
    ) -> list[ScoredGroup]:
        """Return the groups of ``count`` responses to each of ``tasks``, in their order, numbered from ``first`` up.

        ``purpose`` names the draw: together with the run's seed it fixes every token. Every process calls with the same
        tasks, draws its share of them, and gets all groups.
        """
        begun = time.monotonic()
        positions = range(ranks.rank(), len(tasks), ranks.count())
        mine = [tasks[position] for position in positions]
        seed = draw_seed(self._seed, purpose, ranks.rank())
        prompts = [task.prompt_token_ids for task in mine]
        drawn = self._rollout.generate(prompts, count, replace(sampling, seed=seed))
        scored = [_renumbered(group, first + positions[group.task_index]) for group in self._scorer.score(drawn, mine)]
        groups = [group for share in ranks.gather(scored) for group in share]
        self._timings.generate += time.monotonic() - begun
        self._timings.reward_wait += self._scorer.idle_seconds
        self._timings.tokens += sum(len(e.completion.token_ids) for group in groups for e in group.episodes)
        return sorted(groups, key=lambda group: group.task_index)

    def abandon(self) -> None:
        """Grade nothing more: a `draw` that waits in another thread ends with an error."""
        self._scorer.close()

    def updated(self) -> None:
        """Take note that the policy has changed."""
        self._stale = True

    def rest(self) -> None:
        """Give the accelerator to the learner."""
        if not self._asleep:
            self._rollout.sleep()
            self._asleep = self._stale = True

    def take_timings(self) -> Mapping[str, float]:
        """Return what was measured since the last call, as metrics."""
        taken, self._timings = self._timings, Timings()
        return taken.metrics()

    def _hand_over(self, policy: Policy) -> None:
        if policy.config.adapter == "none":
            self._rollout.load_weights(policy.weights())
        else:
            policy.save_adapter(self._scratch)
            self._rollout.load_adapter(self._scratch)


def draw_seed(seed: int, purpose: str, rank: int) -> int:
    """Return the seed of a draw."""
    digest = hashlib.blake2b(f"{seed} {purpose} {rank}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) % _SEEDS


def _renumbered(group: ScoredGroup, position: int) -> ScoredGroup:
    """Return ``group`` as that of the task at ``position``."""
    if group.task_index == position:
        return group
    episodes = tuple(replace(episode, task_index=position) for episode in group.episodes)
    return replace(group, task_index=position, episodes=episodes)
