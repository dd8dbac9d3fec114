"""The trainer's side of a reward server: responses in, verdicts out. Its base needs grpcio and protobuf only."""

from trainer_client.async_client import AsyncRewardClient
from trainer_client.capabilities import Capabilities
from trainer_client.client import RewardClient
from trainer_client.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    OverloadedError,
    RewardError,
    ServerError,
    UnauthenticatedError,
    UnavailableError,
)
from trainer_client.results import Check, Failure, FailureReason, Flag, Provenance, Result, Ruling, Verdict
from trainer_client.retries import RetryPolicy
from trainer_client.rewards import reward
from trainer_client.samples import Limits, Sample
from trainer_client.wire import read_samples

__all__ = [
    "AsyncRewardClient",
    "Capabilities",
    "Check",
    "DeadlineExceededError",
    "Failure",
    "FailureReason",
    "Flag",
    "InvalidRequestError",
    "Limits",
    "OverloadedError",
    "Provenance",
    "Result",
    "RetryPolicy",
    "RewardClient",
    "RewardError",
    "Ruling",
    "Sample",
    "ServerError",
    "UnauthenticatedError",
    "UnavailableError",
    "Verdict",
    "read_samples",
    "reward",
]
