"""What is sent: samples and their limits, as frozen records."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from reward.v1 import sample_pb2

TaskLike: TypeAlias = "sample_pb2.Task | Mapping[str, Any]"
"""A `reward.v1.Task` message, or its JSON as a dictionary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on each run of untrusted code; None takes the server's default. `reward.v1.Limits` explains them."""

    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    total_seconds: float | None = None
    memory_bytes: int | None = None
    output_bytes: int | None = None
    processes: int | None = None
    file_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One response to one task. Samples of a group share the task object, and it is sent once."""

    task: TaskLike
    response: str
    """The model's text exactly as it was generated, thinking and markdown included."""
    sample_id: str = ""
    """Names the sample in its result; empty for its position in the call, counted from 0."""
    limits: Limits | None = None
    """Bounds for this sample alone, over those of its task."""
