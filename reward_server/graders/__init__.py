"""The graders, one module each, and the table of them."""

from dataclasses import dataclass
from typing import Any

from reward_server.graders import code_tests
from reward_server.graders.base import Grader
from reward_server.tasks.code_tests import CodeTestsTask

__all__ = ["GRADERS", "Entry", "Grader"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One grader and the record of its tasks."""

    grader: Grader[Any]
    task: type[Any]
    guests: tuple[str, ...]
    """The guests that its jobs use, in the order of their use: what to load ahead."""


GRADERS: dict[str, Entry] = {
    "code_tests": Entry(code_tests.GRADER, CodeTestsTask, ("candidate", "program", "examiner")),
}
"""By the name of the task's field in the proto."""
