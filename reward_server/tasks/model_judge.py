"""The task of `model_judge`; see proto/reward/v1/model_judge.proto for what the fields mean."""

import math
from dataclasses import dataclass
from enum import StrEnum

from reward_server.errors import InvalidTaskError

MAX_TEXT_CHARACTERS = 1 << 16
MAX_LABELS = 32
MAX_LABEL_CHARACTERS = 64
MAX_VOTES = 16
MAX_TEMPERATURE = 2.0
MAX_TOKENS = 32_768


class VoteAggregation(StrEnum):
    """How votes become a score."""

    MEAN = "mean"
    MEDIAN = "median"
    MAJORITY = "majority"
    MINIMUM = "minimum"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeLabel:
    """One judgement to choose from."""

    name: str = ""
    score: float = 0.0
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelJudgeTask:
    """A language model as judge."""

    endpoint: str = ""
    rubric: str = ""
    question: str = ""
    reference: str = ""
    labels: tuple[JudgeLabel, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    votes: int = 0
    aggregation: VoteAggregation = VoteAggregation.MEAN
    compare: bool = False
    temperature: float | None = None
    max_tokens: int = 0

    def __post_init__(self) -> None:
        for path in ("endpoint", "rubric"):
            if not getattr(self, path).strip():
                raise InvalidTaskError(path, "is empty")
        for path in ("rubric", "question", "reference"):
            if (size := len(getattr(self, path))) > MAX_TEXT_CHARACTERS:
                raise InvalidTaskError(path, f"{size} characters, at most {MAX_TEXT_CHARACTERS}")
        self._check_scale()
        self._check_labels()
        if self.votes > MAX_VOTES:
            raise InvalidTaskError("votes", f"{self.votes}, at most {MAX_VOTES}")
        if self.max_tokens > MAX_TOKENS:
            raise InvalidTaskError("max_tokens", f"{self.max_tokens}, at most {MAX_TOKENS}")
        if self.temperature is not None and not 0.0 <= self.temperature <= MAX_TEMPERATURE:
            raise InvalidTaskError("temperature", f"{self.temperature} is not from 0 to {MAX_TEMPERATURE:g}")
        if self.compare and not self.reference.strip():
            raise InvalidTaskError("compare", "needs a reference")

    @property
    def scale(self) -> tuple[float, float]:
        """The lowest and the highest number."""
        return (0.0 if self.lowest is None else self.lowest, 10.0 if self.highest is None else self.highest)

    def _check_scale(self) -> None:
        ranged = self.lowest is not None or self.highest is not None
        if sum((bool(self.labels), ranged, self.compare)) > 1:
            raise InvalidTaskError("", "labels, a range and compare exclude each other")
        low, high = self.scale
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise InvalidTaskError("highest", f"{high} is not a finite number above the lowest, {low}")

    def _check_labels(self) -> None:
        if len(self.labels) == 1 or len(self.labels) > MAX_LABELS:
            raise InvalidTaskError("labels", f"{len(self.labels)} labels, at least 2, at most {MAX_LABELS}")
        names = [label.name for label in self.labels]
        for i, label in enumerate(self.labels):
            if not 1 <= len(label.name) <= MAX_LABEL_CHARACTERS or names.count(label.name) > 1:
                raise InvalidTaskError(f"labels[{i}].name", f"{label.name!r} is empty, too long or there twice")
            if not 0.0 <= label.score <= 1.0:
                raise InvalidTaskError(f"labels[{i}].score", f"{label.score} is not from 0 to 1")
