"""What a grader is: pure functions from a task and facts to a verdict."""

from typing import Protocol, TypeVar

from reward_server.verdict import Verdict
from sandboxes.base import Execution, Job, Limits

T_contra = TypeVar("T_contra", contravariant=True)


class Grader(Protocol[T_contra]):
    """Grades responses to one kind of task. Pure: no I/O, no clock, no randomness, no protobuf, no shared state.

    The engine calls `prepare` once per task, `plan` for each response and, when `plan` gave a job, `judge` on what the
    sandbox returned. Each may raise `InvalidTaskError`; any other exception is a defect and becomes GRADER_ERROR.
    Host code must be linear in the response: whatever parses, searches or evaluates belongs into a guest.
    """

    name: str
    """The task's field name in the proto."""
    version: str
    """Changes whenever the same input may get another verdict."""

    def prepare(self, task: T_contra, limits: Limits) -> Job | None:
        """Return the job to run once per task (its reference, say), or None. Its execution reaches `judge`."""
        ...

    def plan(self, task: T_contra, response: str, limits: Limits) -> Job | Verdict:
        """Return what to run to grade ``response``, or the verdict when nothing needs to run."""
        ...

    def judge(self, task: T_contra, job: Job, execution: Execution, reference: Execution | None) -> Verdict:
        """Return the verdict on what ``job``, made by `plan`, did; ``reference`` is what `prepare`'s job did."""
        ...
