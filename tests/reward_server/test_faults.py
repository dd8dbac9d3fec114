import logging

import pytest

from reward_server.errors import InvalidTaskError
from reward_server.faults import DeadlineError, JudgeUnavailableError, failure_of
from reward_server.verdict import FailureReason
from sandboxes.errors import BoxDiedError, SandboxUnavailableError, SandboxUnsupportedError


@pytest.mark.parametrize(
    ("error", "reason", "retryable"),
    [
        (InvalidTaskError("call_tests[0]", "is odd"), FailureReason.INVALID_TASK, False),
        (BoxDiedError("x"), FailureReason.SANDBOX_UNAVAILABLE, True),
        (SandboxUnavailableError("x"), FailureReason.SANDBOX_UNAVAILABLE, True),
        (SandboxUnsupportedError("x"), FailureReason.SANDBOX_UNAVAILABLE, True),
        (DeadlineError(), FailureReason.DEADLINE, True),
        (JudgeUnavailableError("x"), FailureReason.JUDGE_UNAVAILABLE, True),
        (ValueError("x"), FailureReason.GRADER_ERROR, False),
        (RecursionError(), FailureReason.GRADER_ERROR, False),
    ],
)
def test_every_exception_has_a_reason(error, reason, retryable):
    """An exception while grading becomes a Failure that says whose trouble it is and whether to retry."""
    failure = failure_of(error)
    assert (failure.reason, failure.retryable) == (reason, retryable)


def test_a_defect_is_logged_without_what_it_quotes(caplog):
    """The log shows where a grader broke, not the text of a response that the exception may carry."""
    response = "se" + "cret"
    try:
        int(response)
    except ValueError as error:
        with caplog.at_level(logging.ERROR):
            failure_of(error)
    assert "test_faults.py" in caplog.text
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text
