"""The task of `composite`; see proto/reward/v1/composite.proto for what the fields mean."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reward_server.errors import InvalidTaskError
from reward_server.formula import FormulaError, evaluate, names_in, parse
from reward_server.tasks.code_tests import CodeTestsTask
from reward_server.tasks.json_extraction import JsonExtractionTask
from reward_server.tasks.math_answer import MathAnswerTask
from reward_server.tasks.model_judge import ModelJudgeTask
from reward_server.tasks.python_grader import PythonGraderTask
from reward_server.tasks.shaping import ShapingTask
from reward_server.tasks.sql_query import SqlQueryTask
from reward_server.tasks.text_match import TextMatchTask
from sandboxes.base import Limits

MAX_PARTS = 32
MAX_DEPTH = 4
MAX_NAME_CHARACTERS = 64

_GRADERS = (
    "code_tests",
    "sql_query",
    "math_answer",
    "json_extraction",
    "text_match",
    "model_judge",
    "python_grader",
    "composite",
    "shaping",
)


class Combination(StrEnum):
    """How the parts' scores become one."""

    WEIGHTED_MEAN = "weighted_mean"
    MINIMUM = "minimum"
    PRODUCT = "product"
    FORMULA = "formula"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositePart:
    """One grader of several."""

    name: str = ""
    weight: float | None = None
    gate: bool = False
    gate_at: float | None = None
    code_tests: CodeTestsTask | None = None
    sql_query: SqlQueryTask | None = None
    math_answer: MathAnswerTask | None = None
    json_extraction: JsonExtractionTask | None = None
    text_match: TextMatchTask | None = None
    model_judge: ModelJudgeTask | None = None
    python_grader: PythonGraderTask | None = None
    composite: "CompositeTask | None" = None
    shaping: ShapingTask | None = None

    @property
    def grader(self) -> str:
        """The name of the grader that is set; empty without one."""
        return next((name for name in _GRADERS if getattr(self, name) is not None), "")

    @property
    def record(self) -> Any:
        """The task of that grader."""
        return getattr(self, self.grader)

    @property
    def share(self) -> float:
        """The weight, or its default."""
        if self.weight is not None:
            return self.weight
        return 0.0 if self.gate else 1.0

    @property
    def opens_at(self) -> float:
        """The score that opens the gate."""
        return 1.0 if self.gate_at is None else self.gate_at


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeTask:
    """A response graded by several graders."""

    parts: tuple[CompositePart, ...] = ()
    combination: Combination = Combination.WEIGHTED_MEAN
    formula: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.parts) <= MAX_PARTS:
            raise InvalidTaskError("parts", f"{len(self.parts)} parts, at least 1, at most {MAX_PARTS}")
        names = [part.name for part in self.parts]
        for i, part in enumerate(self.parts):
            _check_part(part, f"parts[{i}]")
            if names.index(part.name) != i:
                raise InvalidTaskError(f"parts[{i}].name", f"{part.name!r} is the name of an earlier part")
        if _depth(self) > MAX_DEPTH:
            raise InvalidTaskError("parts", f"parts are nested more than {MAX_DEPTH} deep")
        if self.combination is Combination.FORMULA:
            self._check_formula(set(names))
        elif self.formula:
            raise InvalidTaskError("formula", "needs COMBINATION_FORMULA")
        elif not any(part.share > 0 for part in self.parts):
            raise InvalidTaskError("parts", "no part has a weight above 0")

    def check_within(self, largest: Limits, path: str = "") -> None:
        """Raise `InvalidTaskError` for a part whose tests want more than ``largest``."""
        for i, part in enumerate(self.parts):
            if isinstance(part.record, CodeTestsTask | CompositeTask):
                part.record.check_within(largest, f"{path}parts[{i}].{part.grader}.")

    def _check_formula(self, names: set[str]) -> None:
        try:
            formula = parse(self.formula)
            if unknown := names_in(formula) - names:
                raise InvalidTaskError("formula", f"there is no part called {', '.join(sorted(unknown))}")
            for scores in _corners(sorted(names)):
                evaluate(formula, scores)
        except FormulaError as error:
            raise InvalidTaskError("formula", str(error)) from error


def _corners(names: list[str]) -> Iterator[dict[str, float]]:
    """Yield scores for which every formula must have a value: all equal, and one part unlike the rest."""
    for rest, one in ((0.0, 1.0), (1.0, 0.0)):
        yield dict.fromkeys(names, rest)
        for name in names:
            yield {**dict.fromkeys(names, rest), name: one}


def _check_part(part: CompositePart, path: str) -> None:
    if not 1 <= len(part.name) <= MAX_NAME_CHARACTERS or "/" in part.name:
        raise InvalidTaskError(f"{path}.name", f"{part.name!r} is empty, too long or has a slash")
    if not part.grader:
        raise InvalidTaskError(path, "no grader is set")
    if part.weight is not None and not (math.isfinite(part.weight) and part.weight >= 0):
        raise InvalidTaskError(f"{path}.weight", f"{part.weight} is not a finite number >= 0")
    if part.gate_at is not None and not (part.gate and 0.0 < part.gate_at <= 1.0):
        raise InvalidTaskError(f"{path}.gate_at", f"{part.gate_at} is not above 0 and at most 1, or gate is not set")


def _depth(task: CompositeTask) -> int:
    return 1 + max((_depth(part.composite) for part in task.parts if part.composite), default=0)
