"""The task of `math_answer`; see proto/reward/v1/math_answer.proto for what the fields mean."""

import math
from dataclasses import dataclass
from enum import StrEnum

from reward_server.errors import InvalidTaskError

MAX_CHARACTERS = 10_000
MAX_ACCEPTED = 64
MAX_CHOICES = 26
MAX_GIVENS = 64
MAX_DECIMAL_PLACES = 15


class MathForm(StrEnum):
    """The form in which an answer must be given."""

    EVALUATED = "evaluated"
    ANY = "any"
    EXACT = "exact"
    SIMPLIFIED = "simplified"
    FACTORED = "factored"
    EXPANDED = "expanded"
    DECIMAL = "decimal"


class MathPercent(StrEnum):
    """What a percent sign means."""

    FACTOR = "factor"
    IGNORED = "ignored"
    OPTIONAL = "optional"


class MathLocale(StrEnum):
    """How numerals are punctuated."""

    POINT = "point"
    COMMA = "comma"


@dataclass(frozen=True, slots=True, kw_only=True)
class MathAnswerTask:
    """A final answer, and perhaps its derivation, compared with a reference."""

    expected: str = ""
    accepted: tuple[str, ...] = ()
    tolerance: float | None = None
    decimal_places: int | None = None
    ordered: bool = False
    percent: MathPercent = MathPercent.FACTOR
    form: MathForm = MathForm.EVALUATED
    locale: MathLocale = MathLocale.POINT
    unit_required: bool = False
    choices: tuple[str, ...] = ()
    steps: bool = False
    steps_share: float | None = None
    givens: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_text("expected", self.expected)
        for name, texts, most in (
            ("accepted", self.accepted, MAX_ACCEPTED),
            ("choices", self.choices, MAX_CHOICES),
            ("givens", self.givens, MAX_GIVENS),
        ):
            if len(texts) > most:
                raise InvalidTaskError(name, f"{len(texts)} texts, at most {most}")
            for position, text in enumerate(texts):
                _check_text(f"{name}[{position}]", text)
        if self.tolerance is not None and not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise InvalidTaskError("tolerance", f"{self.tolerance} is not a finite number >= 0")
        if self.decimal_places is not None and not 0 <= self.decimal_places <= MAX_DECIMAL_PLACES:
            raise InvalidTaskError("decimal_places", f"{self.decimal_places} is not in 0 to {MAX_DECIMAL_PLACES}")
        if self.form is MathForm.DECIMAL and self.decimal_places is None:
            raise InvalidTaskError("decimal_places", "is needed by the form DECIMAL")
        if self.steps_share is not None and not 0.0 < self.steps_share <= 1.0:
            raise InvalidTaskError("steps_share", f"{self.steps_share} is not in (0, 1]")


def _check_text(path: str, text: str) -> None:
    if not text.strip():
        raise InvalidTaskError(path, "is empty")
    if len(text) > MAX_CHARACTERS:
        raise InvalidTaskError(path, f"{len(text)} characters, at most {MAX_CHARACTERS}")
