"""The task of `shaping`; see proto/reward/v1/shaping.proto for what the fields mean."""

import math
from dataclasses import dataclass
from enum import StrEnum

from reward_server.errors import InvalidTaskError

MAX_NGRAM = 40
MAX_SCRIPTS = 32
MAX_TAGS = 16


class LengthUnit(StrEnum):
    """What lengths count."""

    CHARACTERS = "characters"
    WORDS = "words"
    LINES = "lines"


def _check_share(path: str, share: float | None) -> None:
    if share is not None and not 0.0 <= share <= 1.0:
        raise InvalidTaskError(path, f"{share} is not from 0 to 1")


def _check_weight(weight: float | None) -> None:
    if weight is not None and not (math.isfinite(weight) and weight >= 0):
        raise InvalidTaskError("weight", f"{weight} is not a finite number >= 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthRange:
    """1 within the range."""

    minimum: int = 0
    maximum: int | None = None
    margin: int = 0
    weight: float | None = None

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        if self.maximum is not None and self.maximum < self.minimum:
            raise InvalidTaskError("maximum", f"{self.maximum} is below the minimum {self.minimum}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftOverlong:
    """The soft overlong punishment."""

    maximum: int = 0
    buffer: int = 0
    weight: float | None = None

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        if self.maximum <= 0:
            raise InvalidTaskError("maximum", "is not above 0")
        if self.buffer > self.maximum:
            raise InvalidTaskError("buffer", f"{self.buffer} is above the maximum {self.maximum}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CosineLength:
    """Half a cosine over the length."""

    maximum: int = 0
    score_at_zero: float | None = None
    score_at_maximum: float | None = None
    weight: float | None = None

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        _check_share("score_at_zero", self.score_at_zero)
        _check_share("score_at_maximum", self.score_at_maximum)
        if self.maximum <= 0:
            raise InvalidTaskError("maximum", "is not above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """Repeated n-grams."""

    ngram: int = 0
    allowed_share: float | None = None
    weight: float | None = None

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        if self.ngram > MAX_NGRAM:
            raise InvalidTaskError("ngram", f"{self.ngram}, at most {MAX_NGRAM}")
        if self.allowed_share is not None and not 0.0 <= self.allowed_share < 1.0:
            raise InvalidTaskError("allowed_share", f"{self.allowed_share} is not from 0 to below 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripts:
    """Letters of the allowed scripts."""

    allowed: tuple[str, ...] = ()
    zero_below: float | None = None
    weight: float | None = None

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        _check_share("zero_below", self.zero_below)
        if not 1 <= len(self.allowed) <= MAX_SCRIPTS:
            raise InvalidTaskError("allowed", f"{len(self.allowed)} scripts, at least 1, at most {MAX_SCRIPTS}")
        for i, script in enumerate(self.allowed):
            if not script.isalpha() or not script.islower():
                raise InvalidTaskError(f"allowed[{i}]", f"{script!r} is no script's name in lower case")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatRules:
    """What form a response must have."""

    tags: tuple[str, ...] = ()
    only_tags: bool = False
    fenced_block: bool = False
    fence_language: str = ""
    boxed: bool = False
    nothing_after: bool = False
    only_json: bool = False
    weight: float | None = None

    def __post_init__(self) -> None:
        _check_weight(self.weight)
        if len(self.tags) > MAX_TAGS or len(set(self.tags)) != len(self.tags):
            raise InvalidTaskError("tags", f"more than {MAX_TAGS}, or one of them twice")
        for i, tag in enumerate(self.tags):
            if not tag.replace("_", "a").replace("-", "a").isalnum():
                raise InvalidTaskError(f"tags[{i}]", f"{tag!r} is no tag's name")
        if self.only_tags and not self.tags:
            raise InvalidTaskError("only_tags", "needs tags")
        if self.fence_language and not self.fenced_block:
            raise InvalidTaskError("fence_language", "needs fenced_block")
        if self.nothing_after and not (self.tags or self.fenced_block or self.boxed):
            raise InvalidTaskError("nothing_after", "needs tags, fenced_block or boxed")
        if not (self.tags or self.fenced_block or self.boxed or self.only_json):
            raise InvalidTaskError("", "sets no rule")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapingTask:
    """Rules on the shape of a response."""

    unit: LengthUnit = LengthUnit.CHARACTERS
    visible_only: bool = False
    length: LengthRange | None = None
    overlong: SoftOverlong | None = None
    cosine: CosineLength | None = None
    repetition: Repetition | None = None
    scripts: Scripts | None = None
    format: FormatRules | None = None

    def __post_init__(self) -> None:
        rules = (self.length, self.overlong, self.cosine, self.repetition, self.scripts, self.format)
        if not any(rules):
            raise InvalidTaskError("", "sets no rule")
        if all(rule.weight == 0 for rule in rules if rule):
            raise InvalidTaskError("", "no rule has a weight above 0")
