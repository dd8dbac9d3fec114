"""What can be wrong with a task.

InvalidTaskError    the task contradicts the contract or itself; becomes Failure INVALID_TASK
"""


class InvalidTaskError(Exception):
    """The task cannot be graded against. Raised by task records, `plan` and `judge`; never the model's fault."""

    def __init__(self, field: str, message: str) -> None:
        """``field`` is the path below the task in the wire's names, e.g. ``call_tests[2].expected``."""
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.reason = message
