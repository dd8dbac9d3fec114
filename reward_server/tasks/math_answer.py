"""The task of `math_answer`; see proto/reward/v1/math_answer.proto for what the fields mean."""

import math
from dataclasses import dataclass

from reward_server.errors import InvalidTaskError

MAX_CHARACTERS = 10_000
MAX_ACCEPTED = 64
MAX_DECIMAL_PLACES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class MathAnswerTask:
    """A final answer compared with a reference."""

    expected: str = ""
    accepted: tuple[str, ...] = ()
    tolerance: float | None = None
    decimal_places: int | None = None
    ordered: bool = False
    ignore_percent: bool = False
    allow_unevaluated: bool = False

    def __post_init__(self) -> None:
        if len(self.accepted) > MAX_ACCEPTED:
            raise InvalidTaskError("accepted", f"{len(self.accepted)} answers, at most {MAX_ACCEPTED}")
        for path, text in [("expected", self.expected), *((f"accepted[{i}]", t) for i, t in enumerate(self.accepted))]:
            if not text.strip():
                raise InvalidTaskError(path, "is empty")
            if len(text) > MAX_CHARACTERS:
                raise InvalidTaskError(path, f"{len(text)} characters, at most {MAX_CHARACTERS}")
        if self.tolerance is not None and not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise InvalidTaskError("tolerance", f"{self.tolerance} is not a finite number >= 0")
        if self.decimal_places is not None and self.decimal_places > MAX_DECIMAL_PLACES:
            raise InvalidTaskError("decimal_places", f"{self.decimal_places} is more than {MAX_DECIMAL_PLACES}")
