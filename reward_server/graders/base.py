"""What a grader is: pure functions from a task and facts to a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, runtime_checkable

from reward_server.verdict import Verdict
from sandboxes.base import Execution, Job, Limits

T_contra = TypeVar("T_contra", contravariant=True)
RESPONSES, REFERENCES = "responses", "references"
"""The companies in which jobs may share runs. What holds a response and what holds a reference never meet."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a composite task, graded as a sample of its own."""

    grader: str
    """The name of the grader in the table."""
    record: Any
    """The record of that grader's task."""
    response: str | None = None
    """What is graded; None for the whole response."""


@runtime_checkable
class CompositeGrader(Protocol[T_contra]):
    """Grades by other graders: the engine grades the parts, in any order, and hands over their verdicts.

    When a part ends in a Failure, so does the whole. Parts may be composite themselves.
    """

    name: str
    version: str

    def parts(self, task: T_contra, response: str) -> Sequence[Part]:
        """Return what is graded, at least one part. Raises `InvalidTaskError`."""
        ...

    def combine(self, task: T_contra, verdicts: Sequence[Verdict]) -> Verdict:
        """Return the verdict on the whole, given one for each part in the order of `parts`."""
        ...
