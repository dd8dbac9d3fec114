"""What grading ends in: a `Verdict` (the model's doing) or a `Failure` (ours, or the data set's).

Scoring rules live in the graders; here is only what holds for every verdict.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

MAX_DETAIL = 2_000
"""Characters of a detail or summary; what is over is cut, with an ellipsis."""


class Ruling(StrEnum):
    """Why a score is what it is."""

    ACCEPTED = "accepted"
    PARTIAL = "partial"
    WRONG_ANSWER = "wrong_answer"
    NO_ANSWER = "no_answer"
    RUNTIME_ERROR = "runtime_error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    OUTPUT_LIMIT = "output_limit"
    FORBIDDEN = "forbidden"


class FailureReason(StrEnum):
    """Why no grade could be given."""

    INVALID_TASK = "invalid_task"
    SANDBOX_UNAVAILABLE = "sandbox_unavailable"
    DEADLINE = "deadline"
    GRADER_ERROR = "grader_error"
    JUDGE_UNAVAILABLE = "judge_unavailable"


def clip(text: str, limit: int = MAX_DETAIL) -> str:
    """Cut ``text`` to ``limit`` characters and replace what UTF-8 cannot carry (lone surrogates)."""
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return short.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True)
class Check:
    """One named part of a verdict: a test, a column, a field, a step."""

    name: str
    score: float
    weight: float = 1.0
    detail: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"check {self.name!r}: score {self.score} is not in [0, 1]")
        if not (math.isfinite(self.weight) and self.weight >= 0.0):
            raise ValueError(f"check {self.name!r}: weight {self.weight} is not a finite number >= 0")
        object.__setattr__(self, "detail", clip(self.detail))


@dataclass(frozen=True, slots=True)
class Flag:
    """A signal beside the score, e.g. of cheating."""

    name: str
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "detail", clip(self.detail))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A grade. The score is 1 if and only if the ruling is ACCEPTED."""

    score: float
    ruling: Ruling
    summary: str
    checks: tuple[Check, ...] = ()
    flags: tuple[Flag, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"score {self.score} is not in [0, 1]")
        if (self.score == 1.0) != (self.ruling is Ruling.ACCEPTED):
            raise ValueError(f"score {self.score} does not go with {self.ruling}")
        object.__setattr__(self, "summary", clip(self.summary))


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No grade could be given; never the model's doing."""

    reason: FailureReason
    message: str
    retryable: bool = False


Result: TypeAlias = Verdict | Failure


def weighted_share(checks: Iterable[Check]) -> float:
    """Return the weighted mean score of ``checks``, in [0, 1]; exactly 1 only if every check that counts is at 1."""
    counted = [check for check in checks if check.weight > 0.0]
    if not counted:
        return 0.0
    if all(check.score == 1.0 for check in counted):
        return 1.0
    heaviest = max(check.weight for check in counted)
    weights = [check.weight / heaviest for check in counted]  # so that no sum overflows
    share = math.fsum(check.score * weight for check, weight in zip(counted, weights, strict=True)) / math.fsum(weights)
    return min(share, math.nextafter(1.0, 0.0))


def ruling_for(score: float, otherwise: Ruling = Ruling.WRONG_ANSWER) -> Ruling:
    """Return ACCEPTED for 1, PARTIAL for what lies between, and ``otherwise`` for 0."""
    if score == 1.0:
        return Ruling.ACCEPTED
    return Ruling.PARTIAL if score > 0.0 else otherwise
