"""The task of `json_extraction`; see proto/reward/v1/json_extraction.proto for what the fields mean."""

import math
from dataclasses import dataclass
from enum import StrEnum

from reward_server.errors import InvalidTaskError
from reward_server.graders.strict_json import StrictJsonError, parse

MAX_CHARACTERS = 1 << 20
MAX_RULES = 1_000


class FieldComparison(StrEnum):
    """How two values are compared."""

    EXACT = "exact"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    SIMILARITY = "similarity"
    UNORDERED = "unordered"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """How some fields are compared."""

    path: str = ""
    comparison: FieldComparison = FieldComparison.EXACT
    tolerance: float | None = None
    weight: float | None = None
    optional: bool = False

    def check(self, path: str) -> None:
        """Raise `InvalidTaskError` when the rule cannot be applied."""
        if self.path and not self.path.startswith("/"):
            raise InvalidTaskError(f"{path}.path", f"{self.path!r} is no JSON pointer: it begins with /")
        for name in ("tolerance", "weight"):
            number = getattr(self, name)
            if number is not None and not (math.isfinite(number) and number >= 0):
                raise InvalidTaskError(f"{path}.{name}", f"{number} is not a finite number >= 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonExtractionTask:
    """A JSON record validated against a schema and compared with a reference."""

    schema: str = ""
    expected: str = ""
    rules: tuple[FieldRule, ...] = ()
    check_formats: bool = False
    extra_field_cost: float | None = None

    def __post_init__(self) -> None:
        for name in ("schema", "expected"):
            if len(getattr(self, name)) > MAX_CHARACTERS:
                raise InvalidTaskError(name, f"{len(getattr(self, name))} characters, at most {MAX_CHARACTERS}")
        for name in ("schema", "expected") if self.schema else ("expected",):
            try:
                parse(getattr(self, name))
            except StrictJsonError as error:
                raise InvalidTaskError(name, str(error)) from None
        if len(self.rules) > MAX_RULES:
            raise InvalidTaskError("rules", f"{len(self.rules)} rules, at most {MAX_RULES}")
        for i, rule in enumerate(self.rules):
            rule.check(f"rules[{i}]")
        if self.extra_field_cost is not None and not 0.0 <= self.extra_field_cost <= 1.0:
            raise InvalidTaskError("extra_field_cost", f"{self.extra_field_cost} is not between 0 and 1")
