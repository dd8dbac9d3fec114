"""Groups and their rewards: each finished group goes to the reward server while the engine generates the next.

A fault never becomes a reward. What the server cannot grade is masked; while the server itself is away, the run waits,
masks or stops, as it was told.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Literal, Protocol, Self

from trainer_client.async_client import AsyncRewardClient
from trainer_client.errors import InvalidRequestError, RewardError, ServerError, UnauthenticatedError
from trainer_client.results import Result
from trainer_client.retries import RetryPolicy, growing_wait_seconds
from trainer_client.rewards import Shaping, shaped
from trainer_client.samples import Limits, Sample, TaskLike
from trainer_client.training.rollout import Completion

_log = logging.getLogger(__name__)
_OURS_TO_MEND = (InvalidRequestError, UnauthenticatedError)
"""Calls that fail again however long one waits."""
_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_LEAST_SECONDS_OF_A_GROUP = 5.0
"""How long a group is tried before it is masked, however long the server has been away: else a run whose model is small
would use up its steps in one outage."""


class OutageError(Exception):
    """The reward server was away for longer than the run may wait; what was learned so far is worth saving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardsConfig:
    """The section `[rewards]`: the reward server, and what is made of its results."""

    address: str = "127.0.0.1:50051"
    """Of the reward server; the token is in REWARD_SERVER_TOKEN."""
    tls: bool = False
    tls_roots: str | None = None
    """A PEM file of certificates to trust; implies `tls`."""
    timeout_seconds: float = 600.0
    """How long the server may take for one group; past it the server counts as away."""
    on_outage: Literal["wait", "mask", "stop"] = "wait"
    """What happens while the server is away: wait until it is back; go on with its samples masked; or stop the run. One
    that answers, but breaks on the same samples each time, is not waited for: there the run stops."""
    patience_seconds: float = 30.0
    """An absence as short as this is waited out whatever `on_outage` says."""
    groups_in_flight: int = 64
    """Groups at the server at once; more wait here."""
    shaping: Shaping = field(default_factory=Shaping)

    def __post_init__(self) -> None:
        for name in ("timeout_seconds", "groups_in_flight"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: {getattr(self, name)} is not above 0")


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


class Scorable(Protocol):
    """What `Scorer` needs of a task."""

    @property
    def task(self) -> TaskLike: ...  # noqa: D102 - as `Sample.task`
    @property
    def prompt_token_ids(self) -> tuple[int, ...]: ...  # noqa: D102 - what the model was given


class Scorer:
    """Asks the reward server from a thread of its own, so that the caller's is free to generate."""

    def __init__(self, config: RewardsConfig, *, run_id: str = "", limits: Limits | None = None) -> None:
        """``run_id`` names the run in the server's logs. Nothing is connected yet."""
        self._config = config
        self._limits = limits
        self._client = AsyncRewardClient(
            config.address,
            run_id=run_id,
            tls=config.tls,
            tls_roots=config.tls_roots,
            timeout_seconds=config.timeout_seconds,
            retries=RetryPolicy(attempts=1),  # an absence is dealt with here; a full queue still is there
        )
        self._loop = asyncio.new_event_loop()
        self._slots = asyncio.Semaphore(config.groups_in_flight)
        self._away_since: float | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="scoring", daemon=True)
        self._thread.start()

    def submit(self, position: int, task: Scorable, completions: Sequence[Completion]) -> "Future[ScoredGroup]":
        """Have the ``completions`` to ``task`` graded; return at once. Cancelling the future cancels the grading.

        ``position`` becomes the group's `task_index`. The future raises `OutageError`; and `RewardError` for calls that
        waiting does not mend.
        """
        return asyncio.run_coroutine_threadsafe(self._scored(position, task, completions), self._loop)

    def close(self) -> None:
        """Cancel what is being graded, close the connection and end the thread. Twice is once."""
        if not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _end(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._client.close()

    async def _scored(self, position: int, task: Scorable, completions: Sequence[Completion]) -> ScoredGroup:
        samples = [
            Sample(task.task, completion.text, f"{position}.{i}", self._limits)
            for i, completion in enumerate(completions)
        ]
        async with self._slots:
            results = await self._results(samples)
        episodes = []
        for completion, result in zip(completions, results, strict=True):
            value, masked = None, "outage"
            if result is not None:
                made = shaped(result, self._config.shaping, tokens=len(completion.token_ids))
                value, masked = made.value, made.masked
            episodes.append(
                Episode(
                    task_index=position,
                    prompt_token_ids=task.prompt_token_ids,
                    completion=completion,
                    result=result,
                    reward=value,
                    masked=masked,
                )
            )
        return ScoredGroup(task_index=position, episodes=tuple(episodes))

    async def _results(self, samples: Sequence[Sample]) -> list[Result | None]:
        """Return one result for each sample; None where the server is away and the run goes on without."""
        known: dict[str, Result] = {}
        begun = time.monotonic()
        for attempt in count(1):
            try:
                async for result in self._client.stream([each for each in samples if each.sample_id not in known]):
                    known[result.sample_id] = result
            except _OURS_TO_MEND:
                raise
            except RewardError as error:
                if self._patience_ends(begun, error):
                    break
                wait = growing_wait_seconds(attempt, first=_FIRST_WAIT_SECONDS, longest=_LONGEST_WAIT_SECONDS)
                await asyncio.sleep(wait)
            else:
                self._note_return()
                break
        return [known.get(sample.sample_id) for sample in samples]

    def _patience_ends(self, begun: float, error: RewardError) -> bool:
        """Take note that a group, at the server since ``begun``, failed; return whether to go on without its results.

        Raises `OutageError` when the run shall stop.
        """
        if self._away_since is None:
            self._away_since = begun
            _log.warning("the reward server at %s is away: %s", self._config.address, error)
        gone = time.monotonic() - min(begun, self._away_since)
        if gone <= self._config.patience_seconds:
            return False
        if self._config.on_outage == "mask":
            own = time.monotonic() - begun
            return own >= min(self._config.patience_seconds, _LEAST_SECONDS_OF_A_GROUP)
        if self._config.on_outage == "wait" and not isinstance(error, ServerError):
            return False
        raise OutageError(f"no grades from the reward server at {self._config.address} for {gone:.0f} s: {error}")

    def _note_return(self) -> None:
        if self._away_since is not None:
            gone = time.monotonic() - self._away_since
            self._away_since = None
            _log.warning("the reward server at %s is back after %.0f s", self._config.address, gone)
