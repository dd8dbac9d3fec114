"""How good a model is: pass@1 and pass@k on task sets that are not trained on, with intervals, by grader and by check.

A sample passes when the server accepts it (score 1), whatever the trainer makes a reward of. Failures are in no
denominator: a dead sandbox neither passes nor fails anybody.
"""

import dataclasses
import math
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from trainer_client.results import Verdict
from trainer_client.training.metrics import check_means
from trainer_client.training.rollout import SamplingParameters
from trainer_client.training.sampler import Sampler
from trainer_client.training.scoring import ScoredGroup
from trainer_client.training.tasks import Task, TaskSet, TaskSource

Z = 1.959964
"""Of a 95 % interval."""
_MOST_MASKED = 0.5
"""Of a set's samples. Past it the set was not measured: what an outage left of it makes no best, and no regression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """What is watched while training, how often, and what happens when it falls."""

    held_out: tuple[TaskSource, ...] = ()
    """Tasks like those trained on, that are not trained on; the best model is chosen by their mean pass@1."""
    general: tuple[TaskSource, ...] = ()
    """Tasks of other kinds: what the model must not lose."""
    every: int = 20
    """Updates between evaluations; 0 for before the first and after the last only."""
    samples: int = 4
    """Responses to each task: k of pass@k is at most this."""
    k: tuple[int, ...] = (1, 4)
    """For which k pass@k is estimated."""
    sampling: SamplingParameters | None = None
    """How responses are drawn; default: as for training."""
    regression: float = 0.1
    """By how much pass@1 of a set may fall below its best before something is done: held-out sets against their best,
    general ones against the baseline. The fall must be beyond the noise of both measurements, too."""
    on_regression: Literal["warn", "stop", "rollback"] = "warn"
    """``rollback`` takes the best checkpoint's weights and optimizer up again and goes on with new tasks."""
    max_rollbacks: int = 2
    """After so many the run stops."""

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise ValueError(f"samples: {self.samples} is less than 1")
        for k in self.k:
            if not 1 <= k <= self.samples:
                raise ValueError(f"k: {k} is not between 1 and samples = {self.samples}")
        names = [source.called for source in self.sets]
        if len(set(names)) < len(names):
            raise ValueError(f"two sets of one name among {', '.join(names)}; give them names")

    @property
    def sets(self) -> tuple[TaskSource, ...]:
        """All of them."""
        return self.held_out + self.general


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over tasks with its 95 % interval."""

    mean: float
    low: float
    high: float
    error: float
    """Standard error of the mean, tasks being the independent ones."""
    tasks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReport:
    """What one set showed."""

    name: str
    general: bool
    pass_at: Mapping[int, Estimate]
    score: Estimate
    """The mean score: partial credit counts."""
    masked: float
    """Share of samples without a verdict."""
    length: float
    """Mean tokens of a response."""
    truncated: float
    graders: Mapping[str, float] = field(default_factory=dict)
    """pass@1 by grader."""
    checks: Mapping[str, float] = field(default_factory=dict)
    """Mean score by kind of check."""

    @property
    def pass_1(self) -> Estimate:
        """pass@1."""
        return self.pass_at[1]

    @property
    def measured(self) -> bool:
        """Whether enough has a verdict to decide something by."""
        return bool(self.pass_1.tasks) and self.masked <= _MOST_MASKED

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain values; k of pass@k becomes text."""
        plain: dict[str, Any] = dataclasses.asdict(self)
        plain["pass_at"] = {str(k): found for k, found in plain["pass_at"].items()}
        return plain

    def metrics(self) -> dict[str, float]:
        """Return the report as numbers with names."""
        values = {f"pass@{k}": estimate.mean for k, estimate in self.pass_at.items()}
        values |= {"pass@1/low": self.pass_1.low, "pass@1/high": self.pass_1.high, "score": self.score.mean}
        values |= {"masked": self.masked, "length": self.length, "truncated": self.truncated}
        values |= {f"grader/{name}": value for name, value in self.graders.items()} | dict(self.checks)
        return {f"evaluation/{self.name}/{name}": value for name, value in values.items()}


def pass_at_k(samples: int, right: int, k: int) -> float:
    """Return the unbiased estimate of the chance that one of ``k`` samples is right (Codex, arXiv 2107.03374, eq. 1).

    1 - C(n - c, k) / C(n, k), as a product that does not overflow.
    """
    if samples - right < k:
        return 1.0
    return 1.0 - math.prod((samples - right - i) / (samples - i) for i in range(k))


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of one value in [0, 1] for each task, with a 95 % interval.

    The interval is Wilson's with the effective number of tasks p (1 - p) / error^2, so it is never empty, not even
    where all tasks agree, and stays in [0, 1].
    """
    count = len(values)
    if not count:
        return Estimate(mean=math.nan, low=0.0, high=1.0, error=math.inf, tasks=0)
    mean = statistics.fmean(values)
    error = statistics.stdev(values) / math.sqrt(count) if count > 1 else 0.5
    effective = mean * (1 - mean) / error**2 if error > 0 and 0 < mean < 1 else count
    effective = max(effective, 1.0)
    middle = (mean + Z**2 / (2 * effective)) / (1 + Z**2 / effective)
    spread = mean * (1 - mean) / effective + Z**2 / (4 * effective**2)
    half = Z / (1 + Z**2 / effective) * math.sqrt(spread)
    return Estimate(mean=mean, low=max(0.0, middle - half), high=min(1.0, middle + half), error=error, tasks=count)


def report(
    name: str, groups: Sequence[ScoredGroup], tasks: Sequence[Task], ks: Sequence[int], *, general: bool = False
) -> SetReport:
    """Return what ``groups`` show; ``tasks`` by their `task_index`."""
    graded: list[tuple[Task, list[float]]] = []
    episodes = [episode for group in groups for episode in group.episodes]
    for group in groups:
        verdicts = [episode.result for episode in group.episodes if isinstance(episode.result, Verdict)]
        if verdicts:
            graded.append((tasks[group.task_index], [verdict.score for verdict in verdicts]))
    by_grader: dict[str, list[float]] = defaultdict(list)
    for task, scores in graded:
        by_grader[task.grader].append(_right(scores) / len(scores))
    verdict_count = sum(len(scores) for _, scores in graded)
    return SetReport(
        name=name,
        general=general,
        pass_at={
            k: estimate([pass_at_k(len(scores), _right(scores), k) for _, scores in graded if len(scores) >= k])
            for k in sorted({1, *ks})
        },
        score=estimate([statistics.fmean(scores) for _, scores in graded]),
        masked=1.0 - verdict_count / len(episodes) if episodes else 0.0,
        length=statistics.fmean(len(episode.completion.token_ids) for episode in episodes) if episodes else 0.0,
        truncated=sum(e.completion.finish_reason == "length" for e in episodes) / max(len(episodes), 1),
        graders={grader: statistics.fmean(rates) for grader, rates in sorted(by_grader.items())},
        checks=check_means((tasks[episode.task_index].grader, episode.result) for episode in episodes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Regression:
    """A set that fell too far."""

    name: str
    before: float
    now: float

    def __str__(self) -> str:
        return f"pass@1 on {self.name} fell from {self.before:.3f} to {self.now:.3f}"


class Watch:
    """Remembers the baseline and the best, chooses the best step, and notices regressions."""

    def __init__(self, config: EvaluationConfig) -> None:
        self._config = config
        self._baseline: dict[str, tuple[float, float]] = {}
        self._best: dict[str, tuple[float, float]] = {}
        self.best_step: int | None = None
        self.best_mean = -1.0
        self.rollbacks = 0

    def take(self, step: int, reports: Sequence[SetReport]) -> list[Regression]:
        """Take note of an evaluation, as far as it could be measured; return the sets that fell too far."""
        known = [each for each in reports if each.measured]
        fallen = [found for found in map(self._fallen, known) if found is not None]
        for each in known:
            measured = (each.pass_1.mean, each.pass_1.error)
            self._baseline.setdefault(each.name, measured)
            self._best[each.name] = max(measured, self._best.get(each.name, measured))
        mean = self._mean(reports)
        if mean is not None and mean > self.best_mean and not fallen:
            self.best_step, self.best_mean = step, mean
        return fallen

    def state(self) -> dict[str, object]:
        """Return what a resumed run needs, as JSON."""
        return {
            "baseline": {name: list(pair) for name, pair in self._baseline.items()},
            "best": {name: list(pair) for name, pair in self._best.items()},
            "best_step": self.best_step,
            "best_mean": self.best_mean,
            "rollbacks": self.rollbacks,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Go on from where ``state`` was taken."""
        for mine, theirs in ((self._baseline, state["baseline"]), (self._best, state["best"])):
            mine.clear()
            mine.update({name: (mean, error) for name, (mean, error) in theirs.items()})  # type: ignore[attr-defined] # what `state` gave
        self.best_step, self.best_mean = state["best_step"], state["best_mean"]  # type: ignore[assignment] # as above
        self.rollbacks = state["rollbacks"]  # type: ignore[assignment] # as above

    def _fallen(self, now: SetReport) -> Regression | None:
        known = (self._baseline if now.general else self._best).get(now.name)
        if known is None:
            return None
        before, error = known
        noise = Z * math.hypot(error, now.pass_1.error)
        if before - now.pass_1.mean > max(self._config.regression, noise):
            return Regression(name=now.name, before=before, now=now.pass_1.mean)
        return None

    def _mean(self, reports: Sequence[SetReport]) -> float | None:
        held_out = [each for each in reports if not each.general]
        if not held_out or not all(each.measured for each in held_out):  # a mean over fewer sets is another number
            return None
        return statistics.fmean(each.pass_1.mean for each in held_out)


def _right(scores: Sequence[float]) -> int:
    return sum(score >= 1.0 for score in scores)


def evaluate(sampler: Sampler, sets: Sequence[TaskSet], config: EvaluationConfig, step: int) -> list[SetReport]:
    """Draw and grade responses to every task of ``sets``; return a report for each set."""
    general = {source.called for source in config.general}
    sampling = config.sampling or sampler.sampling
    sampler.prepare()
    drawings = [
        sampler.begin(task_set.tasks, config.samples, sampling, f"evaluation {task_set.name} {step}")
        for task_set in sets
    ]
    return [
        report(task_set.name, drawing.groups(), task_set.tasks, config.k, general=task_set.name in general)
        for task_set, drawing in zip(sets, drawings, strict=True)
    ]
