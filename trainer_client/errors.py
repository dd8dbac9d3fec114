"""What a call can raise.

    RewardError
    ├── InvalidRequestError      the request is malformed; the message begins with the field path
    ├── UnauthenticatedError     the bearer token is missing, wrong, or may not do this
    ├── OverloadedError          the queue stayed full until the deadline
    ├── UnavailableError         the server could not be reached, or drains
    ├── DeadlineExceededError    the deadline passed without an answer
    └── ServerError              the server broke, or broke the contract

These are about calls. What became of a sample is in its `Result`; nothing about a sample is ever raised.
"""


class RewardError(Exception):
    """A call failed."""


class InvalidRequestError(RewardError):
    """The request is malformed: correct the data."""


class UnauthenticatedError(RewardError):
    """The server does not accept the token."""


class OverloadedError(RewardError):
    """The server's queue stayed full until the deadline."""


class UnavailableError(RewardError):
    """The server could not be reached, or drains."""


class DeadlineExceededError(RewardError):
    """The deadline passed without an answer."""


class ServerError(RewardError):
    """The server broke, or what it sent breaks the contract."""
