"""What the server says of a sample, as frozen records; `reward/v1/result.proto` explains every field."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TypeAlias


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
    UNRECOGNIZED = "unrecognized"
    """A ruling that a newer server knows and this client does not; the score holds all the same."""


class FailureReason(StrEnum):
    """Why no grade could be given."""

    INVALID_TASK = "invalid_task"
    SANDBOX_UNAVAILABLE = "sandbox_unavailable"
    DEADLINE = "deadline"
    GRADER_ERROR = "grader_error"
    JUDGE_UNAVAILABLE = "judge_unavailable"
    UNRECOGNIZED = "unrecognized"
    """A reason, or an outcome, that a newer server knows and this client does not."""


class AssuranceLevel(IntEnum):
    """How well untrusted code was kept apart; larger is stronger."""

    UNSPECIFIED = 0
    LOW = 1
    NAMESPACE = 2
    CONTAINER = 3
    VIRTUALIZED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One named part of a verdict: a test, a column, a field, a step."""

    name: str
    score: float
    weight: float
    detail: str
    """For a person; may quote the response, so untrusted text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A signal beside the score, e.g. of cheating."""

    name: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a result comes from: enough to give the same verdict again."""

    grader: str = ""
    grader_version: str = ""
    runtime: str = ""
    image_digest: str = ""
    assurance_level: AssuranceLevel = AssuranceLevel.UNSPECIFIED
    queue_seconds: float = 0.0
    run_seconds: float = 0.0
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A grade: the model's doing. The score is in [0, 1], and 1 if and only if the ruling is ACCEPTED."""

    score: float
    ruling: Ruling
    summary: str = ""
    checks: tuple[Check, ...] = ()
    flags: tuple[Flag, ...] = ()
    sample_id: str = ""
    provenance: Provenance = Provenance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No grade could be given: never the model's doing. It has no score, so that none can be trained on."""

    reason: FailureReason
    message: str = ""
    retryable: bool = False
    sample_id: str = ""
    provenance: Provenance = Provenance()


Result: TypeAlias = Verdict | Failure
