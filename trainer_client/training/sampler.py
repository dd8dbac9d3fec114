"""Groups with rewards, drawn by the newest weights: what stands between the engine, the reward server and the loop."""

import hashlib
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from trainer_client.training import ranks
from trainer_client.training.occupancy import Occupancy
from trainer_client.training.policy import Policy
from trainer_client.training.rollout import Rollout, SamplingParameters
from trainer_client.training.scoring import ScoredGroup, Scorer
from trainer_client.training.tasks import Task

_SEEDS = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Where the time of a drawing went, in seconds."""

    generate: float = 0.0
    """From the first prompt to the last token."""
    reward_wait: float = 0.0
    """How long its groups were waited for when all of them were written, and only rewards were missing."""
    tokens: int = 0
    """Written by the model, in all processes."""

    def __add__(self, other: "Timings") -> "Timings":
        """Return the timings of both, one after the other."""
        return Timings(
            generate=self.generate + other.generate,
            reward_wait=self.reward_wait + other.reward_wait,
            tokens=self.tokens + other.tokens,
        )

    def metrics(self) -> dict[str, float]:
        """Return the timings as metrics."""
        return {
            "time/generate": self.generate,
            "time/reward_wait": self.reward_wait,
            "generate/tokens_per_second": self.tokens / self.generate if self.generate else 0.0,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    """What this process has generated: the groups at the reward server, by the tasks they answer."""

    scored: tuple["Future[ScoredGroup]", ...]
    seconds: float


class Drawing:
    """Groups under way: the engine writes them, and each is graded as soon as it is there."""

    def __init__(self, written: "Future[_Written]") -> None:
        self._written = written
        self.timings = Timings()
        """Known once `groups` has returned."""

    def wait_written(self) -> None:
        """Wait until the engine is done with it; the last groups are still being graded then. Raises as `groups`."""
        self._written.result()

    def groups(self) -> list[ScoredGroup]:
        """Wait for all rewards; return the groups of all processes in the order of their tasks.

        Every process calls this on the same drawings in the same order. Raises what generating and grading raised.
        """
        written = self._written.result()
        begun = time.monotonic()
        mine = [scored.result() for scored in written.scored]
        waited = time.monotonic() - begun
        groups = [group for share in ranks.gather(mine) for group in share]
        tokens = sum(len(episode.completion.token_ids) for group in groups for episode in group.episodes)
        self.timings = Timings(generate=written.seconds, reward_wait=waited, tokens=tokens)
        return sorted(groups, key=lambda group: group.task_index)


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
        self.busy = Occupancy()
        """By the engine, and by whoever else enters it: the learner."""
        self._engine = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._closing = threading.Event()

    def follow(self, policy: Policy) -> None:
        """Generate by ``policy``'s weights from now on, instead of those that the engine was started with."""
        self._policy = policy
        self._stale = True

    def prepare(self) -> float:
        """Bring the engine to memory, and the newest weights into it: before `begin`, and when nothing is written.

        Return the seconds that it took.
        """
        begun = time.monotonic()
        with self.busy:
            if self._asleep:
                self._rollout.wake()
                self._asleep = False
            if self._stale and self._policy is not None:
                self._hand_over(self._policy)
        self._stale = False
        return time.monotonic() - begun

    def begin(
        self, tasks: Sequence[Task], count: int, sampling: SamplingParameters, purpose: str, *, first: int = 0
    ) -> Drawing:
        """Begin to draw ``count`` responses to each of ``tasks``, numbered from ``first`` up.

        The engine takes up one drawing after another.
        ``purpose`` names the drawing: together with the run's seed it fixes every token. Every process calls with the
        same tasks, and draws its share of them.
        """
        mine = range(ranks.rank(), len(tasks), ranks.count())
        sampling = replace(sampling, seed=draw_seed(self._seed, purpose, ranks.rank()))
        asked = {first + position: tasks[position] for position in mine}
        return Drawing(self._engine.submit(self._write, asked, count, sampling))

    def updated(self) -> None:
        """Take note that the policy has changed."""
        self._stale = True

    def rest(self) -> None:
        """Give the accelerator to the learner; nothing may be under way."""
        if not self._asleep:
            self._rollout.sleep()
            self._asleep = self._stale = True

    def close(self) -> None:
        """Give up what is under way, as soon as the engine can be stopped. Twice is once."""
        self._closing.set()
        self._engine.shutdown(cancel_futures=True)

    def _write(self, asked: Mapping[int, Task], count: int, sampling: SamplingParameters) -> _Written:
        """Generate in the engine's thread; hand each group to the reward server at once."""
        with self.busy:
            return self._generated(asked, count, sampling)

    def _generated(self, asked: Mapping[int, Task], count: int, sampling: SamplingParameters) -> _Written:
        begun = time.monotonic()
        places = list(asked)
        scored: list[Future[ScoredGroup]] = []
        graded: queue.SimpleQueue[Future[ScoredGroup]] = queue.SimpleQueue()
        drawn = self._rollout.generate([task.prompt_token_ids for task in asked.values()], count, sampling)
        try:
            for position, completions in drawn:
                place = places[position]
                scored.append(self._scorer.submit(place, asked[place], completions))
                scored[-1].add_done_callback(graded.put)
                while not graded.empty():
                    graded.get().result()  # what grading raises ends the drawing early
                if self._closing.is_set():
                    raise CancelledError
        except BaseException:
            for each in scored:
                each.cancel()
            raise
        finally:
            drawn.close()
        return _Written(scored=tuple(scored), seconds=time.monotonic() - begun)

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
