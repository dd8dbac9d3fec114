"""The task of `json_extraction`; see proto/reward/v1/json_extraction.proto for what the fields mean."""

import json
import math
import re
from dataclasses import dataclass
from enum import StrEnum

from reward_server.errors import InvalidTaskError

MAX_CHARACTERS = 1 << 20
MAX_SENT = 3 << 20
"""Characters of the task's texts together, as JSON strings: what reaches the sandbox beside the response."""
MAX_RULES = 1_000
MAX_ACCEPTED = 100
MAX_WEIGHT = 1_000_000.0
_POINTER = re.compile(r"(/([^~/]|~[01])*)*")


class FieldComparison(StrEnum):
    """How two values are compared."""

    EXACT = "exact"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"
    SIMILARITY = "similarity"
    WHOLE = "whole"
    IGNORED = "ignored"


class FieldSimilarity(StrEnum):
    """A measure of how similar two texts are."""

    LEVENSHTEIN = "levenshtein"
    INDEL = "indel"
    JARO_WINKLER = "jaro_winkler"
    SORTED_WORDS = "sorted_words"
    WORD_F1 = "word_f1"


class SchemaVersion(StrEnum):
    """A draft of JSON Schema; the empty one is found by the schema's ``$schema``."""

    BY_SCHEMA = ""
    DRAFT_4 = "4"
    DRAFT_6 = "6"
    DRAFT_7 = "7"
    DRAFT_2019_09 = "2019-09"
    DRAFT_2020_12 = "2020-12"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """How some fields are compared."""

    path: str = ""
    comparison: FieldComparison = FieldComparison.EXACT
    relative_tolerance: float | None = None
    absolute_tolerance: float | None = None
    decimal_comma: bool = False
    day_first: bool | None = None
    measure: FieldSimilarity = FieldSimilarity.LEVENSHTEIN
    min_similarity: float | None = None
    unordered: bool = False
    weight: float | None = None
    optional: bool = False
    also_accepted: tuple[str, ...] = ()

    def check(self, path: str) -> None:
        """Raise `InvalidTaskError` when the rule cannot be applied."""
        if not _POINTER.fullmatch(self.path):
            raise InvalidTaskError(f"{path}.path", f"{self.path!r} is no JSON pointer: it begins with /, and ~ is ~0")
        _check_range(f"{path}.relative_tolerance", self.relative_tolerance, math.inf)
        _check_range(f"{path}.absolute_tolerance", self.absolute_tolerance, math.inf)
        _check_range(f"{path}.min_similarity", self.min_similarity, 1.0)
        _check_range(f"{path}.weight", self.weight, MAX_WEIGHT)
        if len(self.also_accepted) > MAX_ACCEPTED:
            raise InvalidTaskError(f"{path}.also_accepted", f"{len(self.also_accepted)} values, at most {MAX_ACCEPTED}")


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonExtractionTask:
    """A JSON record validated against a schema and compared with a reference.

    That its JSON texts can be read and its schema compiled is found out in the sandbox, once per task.
    """

    schema: str = ""
    expected: str = ""
    rules: tuple[FieldRule, ...] = ()
    check_formats: bool = False
    draft: SchemaVersion = SchemaVersion.BY_SCHEMA
    schema_cost: float | None = None
    extra_field_weight: float | None = None
    null_is_absent: bool = False

    def __post_init__(self) -> None:
        for name in ("schema", "expected"):
            if len(getattr(self, name)) > MAX_CHARACTERS:
                raise InvalidTaskError(name, f"{len(getattr(self, name))} characters, at most {MAX_CHARACTERS}")
        if not self.expected.strip():
            raise InvalidTaskError("expected", "there is none")
        if len(self.rules) > MAX_RULES:
            raise InvalidTaskError("rules", f"{len(self.rules)} rules, at most {MAX_RULES}")
        for i, rule in enumerate(self.rules):
            rule.check(f"rules[{i}]")
        texts = [text for rule in self.rules for text in (rule.path, *rule.also_accepted)]
        if sum(len(json.dumps(text)) for text in (self.schema, self.expected, *texts)) > MAX_SENT:
            raise InvalidTaskError("", f"its texts are longer than {MAX_SENT} characters together")
        _check_range("schema_cost", self.schema_cost, 1.0)
        _check_range("extra_field_weight", self.extra_field_weight, MAX_WEIGHT)


def _check_range(path: str, value: float | None, most: float) -> None:
    if value is not None and not (math.isfinite(value) and 0.0 <= value <= most):
        raise InvalidTaskError(path, f"{value} is not a finite number from 0" + (f" to {most:g}" * math.isfinite(most)))
