"""How both clients reach the server: channel options, credentials, health on the wire, and failed calls translated.

Nothing else turns an `RpcError` into a `RewardError`.
"""

import math
import os
from pathlib import Path
from typing import Any, Protocol

import grpc
from reward.v1 import reward_service_pb2

from trainer_client.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    OverloadedError,
    RewardError,
    ServerError,
    UnauthenticatedError,
    UnavailableError,
)
from trainer_client.retries import Deadline, RetryPolicy

TOKEN_VARIABLE = "REWARD_SERVER_TOKEN"  # noqa: S105 - the name of the variable
SERVICE = reward_service_pb2.DESCRIPTOR.services_by_name["RewardService"].full_name
OPTIONS = (
    ("grpc.max_receive_message_length", -1),  # the server keeps to its published limit
    ("grpc.enable_retries", 0),  # retried here, with the contract's rules
    ("grpc.enable_http_proxy", 0),  # a proxy for the web is none for a server on this machine or in this cluster
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)
HEALTH_METHOD = "/grpc.health.v1.Health/Check"
HEALTH_REQUEST = b"\x0a" + bytes([len(SERVICE)]) + SERVICE.encode()
"""`HealthCheckRequest(service=SERVICE)`: one string is not worth a dependency."""
_SERVING = b"\x08\x01"
"""`HealthCheckResponse(status=SERVING)`."""
_PUSHBACK = "grpc-retry-pushback-ms"
_NOT_THERE = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
_ERRORS: dict[grpc.StatusCode, type[RewardError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: UnauthenticatedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
}


class FailedCall(Protocol):
    """What the errors of `grpc` and of `grpc.aio` have in common."""

    def code(self) -> grpc.StatusCode: ...  # noqa: D102 - gRPC's words
    def details(self) -> str | None: ...  # noqa: D102
    def trailing_metadata(self) -> Any: ...  # noqa: D102


def serves(answer: bytes) -> bool:
    """Return whether a health check was answered SERVING."""
    return answer == _SERVING


def absent(error: FailedCall) -> bool:
    """Return whether nobody answered."""
    return error.code() in _NOT_THERE


def call_metadata(token: str | None) -> tuple[tuple[str, str], ...]:
    """Return what every call carries; without ``token`` that of the environment is used."""
    secret = os.environ.get(TOKEN_VARIABLE, "") if token is None else token
    return (("authorization", f"Bearer {secret}"),) if secret else ()


def channel_credentials(tls_roots: Path | str | None) -> grpc.ChannelCredentials:
    """Return credentials that trust the PEM file ``tls_roots``, or gRPC's own roots."""
    return grpc.ssl_channel_credentials(Path(tls_roots).read_bytes() if tls_roots else None)


def wait_after(error: FailedCall, attempt: int, deadline: Deadline, retries: RetryPolicy, offset: int = 0) -> float:
    """Return how many seconds to wait before the next attempt; raise the `RewardError` when there is none.

    ``offset``: the position in the caller's samples of the request's first, for the message.
    """
    wait = retries.wait_seconds(attempt, _pushback_seconds(error)) if _worth_a_retry(error) else None
    if wait is None or not deadline.allows(wait):
        raise reward_error(error, offset)
    return wait


def reward_error(error: FailedCall, offset: int = 0) -> RewardError:
    """Translate a failed call."""
    code = error.code()
    kind = _ERRORS.get(code, ServerError)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and _pushback_seconds(error) is None:
        kind = ServerError  # gRPC's own: a message past a limit, which more patience does not shrink
    text = error.details() or code.name
    if offset and kind is InvalidRequestError:
        text += f" (positions in this request count from sample {offset} of the call)"
    return kind(text if kind is not ServerError else f"{code.name}: {text}")


def _worth_a_retry(error: FailedCall) -> bool:
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return _pushback_seconds(error) is not None
    return error.code() is grpc.StatusCode.UNAVAILABLE


def _pushback_seconds(error: FailedCall) -> float | None:
    """Return what the server asked to wait; -1 when what it sent is no number, as gRPC wants it read."""
    values = [value for key, value in error.trailing_metadata() or () if key == _PUSHBACK]
    if not values:
        return None
    try:
        seconds = float(values[0]) / 1000.0
    except ValueError:
        return -1.0
    return seconds if math.isfinite(seconds) else -1.0
