"""What a trainer makes of a result: a number to learn from, or None, which masks the sample.

`reward` is the whole rule for most. `shaped` adds what a run may want besides: other weights for checks, a punishment
for length, and a policy for signs of cheating. Nothing here makes a number out of a `Failure`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from trainer_client.results import Check, Failure, Result, Verdict

FlagPolicy: TypeAlias = Literal["count", "zero", "mask"]


def reward(result: Result) -> float | None:
    """Return the score of a verdict, and None for a failure: mask that sample, never train on it as a 0."""
    match result:
        case Verdict(score=score):
            return score
        case Failure():
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaping:
    """How a reward is made of a verdict. The defaults leave the server's score as it is."""

    checks: Mapping[str, float] = field(default_factory=dict)
    """Weights of checks instead of the server's, by name or shell pattern; the first that fits counts, 0 leaves a check
    out, and checks that none fits keep theirs. The reward is then the weighted mean of the checks, where the server
    gave something: what it scored 0 stays 0. Some graders name checks after what the response says."""
    flagged: FlagPolicy = "count"
    """What becomes of a sample with a sign of cheating: its score counts all the same, counts as 0, or is masked."""
    flags: Mapping[str, FlagPolicy] = field(default_factory=dict)
    """The same for flags by name; of several flags the strictest policy holds: mask, then zero, then count."""
    overlong_start: int = 0
    """Length in tokens beyond which a response is punished (DAPO, section 3.4: the maximum less the cache)."""
    overlong_limit: int = 0
    """Length in tokens from which on the punishment is whole; normally `rollout.sampling.max_tokens`. 0: none."""
    overlong_penalty: float = 1.0
    """The whole punishment, subtracted from the reward."""
    low: float | None = None
    """Rewards below are raised to this; None leaves them."""
    high: float | None = None
    """Rewards above are lowered to this; None leaves them."""

    def __post_init__(self) -> None:
        if any(weight < 0 for weight in self.checks.values()):
            raise ValueError("checks: a weight is negative")
        if self.overlong_limit and not 0 <= self.overlong_start < self.overlong_limit:
            raise ValueError(f"overlong_start: {self.overlong_start} is not in 0 … {self.overlong_limit - 1}")
        if self.overlong_penalty < 0:
            raise ValueError(f"overlong_penalty: {self.overlong_penalty} is negative")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low: {self.low} is above high = {self.high}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """What one sample is worth."""

    value: float | None
    """None: masked."""
    masked: str = ""
    """Why there is no value, e.g. "sandbox_unavailable" or "flag"; empty when there is one."""


def shaped(result: Result, shaping: Shaping, *, tokens: int) -> Reward:
    """Return the reward of a response of ``tokens`` tokens."""
    if isinstance(result, Failure):
        return Reward(value=None, masked=result.reason.value)
    policy = flag_policy(result, shaping)
    if policy == "mask":
        return Reward(value=None, masked="flag")
    value = 0.0 if policy == "zero" else weighted_score(result, shaping.checks)
    return Reward(value=_clipped(value - overlong_punishment(tokens, shaping), shaping.low, shaping.high))


def weighted_score(verdict: Verdict, weights: Mapping[str, float]) -> float:
    """Return the mean of the checks' scores under ``weights``; the verdict's own score where they change nothing."""
    if not verdict.score or not any(_weight(check, weights) != check.weight for check in verdict.checks):
        return verdict.score
    weighed = [(_weight(check, weights), check.score) for check in verdict.checks]
    total = sum(weight for weight, _ in weighed)
    return sum(weight * score for weight, score in weighed) / total if total > 0 else verdict.score


def overlong_punishment(tokens: int, shaping: Shaping) -> float:
    """Return what is subtracted for the length: 0 up to the start, the whole from the limit on, a line between.

    DAPO (arXiv 2503.14476), equation 13, with its sign turned.
    """
    if not shaping.overlong_limit:
        return 0.0
    share = (tokens - shaping.overlong_start) / (shaping.overlong_limit - shaping.overlong_start)
    return shaping.overlong_penalty * min(1.0, max(0.0, share))


def flag_policy(verdict: Verdict, shaping: Shaping) -> FlagPolicy:
    """Return the strictest policy among those of the verdict's flags; "count" without flags."""
    found = {shaping.flags.get(flag.name, shaping.flagged) for flag in verdict.flags}
    if "mask" in found:
        return "mask"
    return "zero" if "zero" in found else "count"


def _weight(check: Check, weights: Mapping[str, float]) -> float:
    return next((weight for pattern, weight in weights.items() if fnmatchcase(check.name, pattern)), check.weight)


def _clipped(value: float, low: float | None, high: float | None) -> float:
    value = value if low is None else max(low, value)
    return value if high is None else min(high, value)
