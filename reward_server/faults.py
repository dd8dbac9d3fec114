"""The one place where an exception becomes a Failure. A fault is never a score."""

import logging
import traceback

from reward_server.errors import InvalidTaskError
from reward_server.verdict import Failure, FailureReason
from sandboxes.errors import SandboxError

_log = logging.getLogger(__name__)


class DeadlineError(Exception):
    """The caller's deadline comes before the result."""


class JudgeUnavailableError(Exception):
    """A model that judges could not be reached or did not answer in form."""


class JudgeOutOfFormError(JudgeUnavailableError):
    """A model that judges answered, but not in the form asked for; perhaps a response talked it out of that."""


def failure_of(error: Exception) -> Failure:
    """Return what ``error``, raised while a sample was graded, means for its caller."""
    match error:
        case InvalidTaskError():
            return Failure(reason=FailureReason.INVALID_TASK, message=f"The task is wrong: {error}")
        case SandboxError():
            message = f"The sandbox failed: {error}"
            return Failure(reason=FailureReason.SANDBOX_UNAVAILABLE, message=message, retryable=True)
        case DeadlineError():
            message = "The caller's deadline came before the result; send the sample again with more time."
            return Failure(reason=FailureReason.DEADLINE, message=message, retryable=True)
        case JudgeUnavailableError():
            message = f"The judging model failed: {error}"
            return Failure(reason=FailureReason.JUDGE_UNAVAILABLE, message=message, retryable=True)
    frames = "".join(traceback.format_tb(error.__traceback__))
    _log.error("a grader is defective: %s at\n%s", type(error).__name__, frames)  # its message may quote a response
    message = f"The grader is defective; please report it: {type(error).__name__}: {error}"
    return Failure(reason=FailureReason.GRADER_ERROR, message=message)
