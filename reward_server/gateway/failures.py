"""The one place where what could not be graded becomes an answer of HTTP; the counterpart of `statuses` for gRPC.

A Failure is never a score of zero that nobody can tell from a grade. Protocols with room for one put it into their
answer (a flag, a mask, an error field); for the others the status of the call says it, in the way that their client
retries or gives the sample up. docs/gateway.md has the table for users.
"""

import logging
import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse, Response

from reward_server.scoring import QueueFullError
from reward_server.statuses import DrainingError, RequestError
from reward_server.verdict import Failure, FailureReason, clip

_DRAINING_RETRY_SECONDS = 1.0
_log = logging.getLogger(__name__)


class NotGradedError(Exception):
    """A Failure that this protocol's answer has no room for: the status must say it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """What a protocol's client is told by status."""

    overloaded: HTTPStatus = HTTPStatus.TOO_MANY_REQUESTS
    """The queue is full."""
    draining: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
    passing: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
    """A Failure that another try may not meet, where the answer has no room for it."""
    lasting: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    """A Failure that another try will meet again."""


USUAL = Statuses()
"""For clients that retry any status but 2xx (OpenRLHF, slime), or 429 and 5xx (OpenAI's)."""
SANDBOX_FUSION = Statuses(
    overloaded=HTTPStatus.GATEWAY_TIMEOUT,
    draining=HTTPStatus.GATEWAY_TIMEOUT,
    passing=HTTPStatus.GATEWAY_TIMEOUT,
    lasting=HTTPStatus.BAD_REQUEST,
)
"""verl's client retries 504 alone; anything else it counts as a failed test at once."""


def answer_to(error: Exception, statuses: Statuses) -> Response:
    """Return the answer that ``error`` asks for; errors of no known kind are logged and are 500."""
    match error:
        case RequestError():
            return problem(HTTPStatus.BAD_REQUEST, str(error), "invalid_request")
        case QueueFullError():
            return problem(statuses.overloaded, str(error), "queue_full", retry_seconds=error.retry_seconds)
        case DrainingError():
            seconds = _DRAINING_RETRY_SECONDS
            return problem(statuses.draining, "the server is draining", "draining", retry_seconds=seconds)
        case NotGradedError(failure=Failure(retryable=True) as failure):
            return problem(statuses.passing, failure.message, failure.reason.value, retry_seconds=1.0)
        case NotGradedError(failure=failure):
            return problem(statuses.lasting, failure.message, failure.reason.value)
    _log.error("a call could not be answered: %s", type(error).__name__, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, f"the gateway is defective: {type(error).__name__}", "internal")


def problem(status: HTTPStatus, message: str, code: str, *, retry_seconds: float | None = None) -> Response:
    """Return an error in the shapes that clients look for: ``detail`` as FastAPI's, ``error`` as OpenAI's."""
    message = clip(message)
    error = {"message": message, "type": code, "code": code, "param": None, "retryable": retry_seconds is not None}
    headers = {} if retry_seconds is None else {"Retry-After": str(max(1, math.ceil(retry_seconds)))}
    return JSONResponse({"detail": message, "error": error}, status, headers)


NEMO_GYM_CLASS = "reward_server"
"""What NeMo Gym calls the class of our failures."""


def nemo_gym_row(failure: Failure) -> dict[str, Any]:
    """Return what a row of NeMo Gym says instead of a grade: masked, set aside by its class, and not tried again."""
    return {
        "reward": 0.0,
        "mask_sample": True,
        "failure_kind": f"{NEMO_GYM_CLASS}:{failure.reason.value}",
        "failure_reason": failure.message,
        "_ng_failure_class": f"{NEMO_GYM_CLASS}_{failure.reason.value}",
        "_ng_failure_terminal": True,
    }


def eval_protocol_result(failure: Failure) -> dict[str, Any]:
    """Return an EvaluateResult whose score does not count."""
    reason = f"{failure.reason.value}: {failure.message}"
    return {"score": 0.0, "is_score_valid": False, "reason": reason, "error": reason, "metrics": {}}


def grader_errors(failure: Failure, kind: str) -> dict[str, Any]:
    """Return the flags of OpenAI's ``metadata.errors`` for a Failure of a grader of the type ``kind``."""
    said, reason = failure.message, failure.reason
    if reason is FailureReason.JUDGE_UNAVAILABLE:
        out_of_form = "did not answer" in said or "it answered" in said
        name = "model_grader_parse_error" if out_of_form else "model_grader_server_error"
        return {name: True, "model_grader_server_error_details": said}
    if kind == "python" and reason is FailureReason.INVALID_TASK:
        return {"python_grader_runtime_error": True, "python_grader_runtime_error_details": said}
    if kind == "python":
        return {"python_grader_server_error": True, "python_grader_server_error_type": reason.value}
    return {"other_error": True}
