"""What a server says of itself, as frozen records; `reward/v1/reward_service.proto` explains every field."""

from dataclasses import dataclass

from trainer_client.results import AssuranceLevel
from trainer_client.samples import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class GraderInfo:
    """One grader that the server runs."""

    name: str
    version: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationLayer:
    """One isolation layer, as probed when the server started."""

    name: str
    active: bool
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxInfo:
    """Where untrusted code runs."""

    runtime: str
    image_digest: str
    assurance_level: AssuranceLevel
    layers: tuple[IsolationLayer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the server can grade, within which limits, and how well its sandbox isolates."""

    server_version: str
    graders: tuple[GraderInfo, ...]
    sandbox: SandboxInfo
    default_limits: Limits
    max_limits: Limits
    max_message_bytes: int
    max_samples_per_request: int
    max_response_bytes: int
    max_queued_samples: int
    concurrency: int
