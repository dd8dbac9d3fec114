"""From a request's tasks and samples to what the engine grades. The contract's rules for requests are checked here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reward.v1 import sample_pb2

from reward_server import wire
from reward_server.errors import InvalidTaskError
from reward_server.graders import GRADERS, Entry
from reward_server.scoring import Sample, Task
from reward_server.statuses import RequestError
from reward_server.tasks.code_tests import CodeTestsTask
from reward_server.tasks.composite import CompositeTask
from sandboxes.base import Limits

MAX_ID_CHARACTERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A sample of a request, ready to be graded."""

    sample_id: str
    sample: Sample


class Intake:
    """Checks requests and makes orders of them. What is wrong inside a task becomes its samples' Failure, later."""

    def __init__(
        self,
        *,
        default_limits: Limits,
        max_limits: Limits,
        max_samples: int,
        graders: Mapping[str, Entry] = GRADERS,
    ) -> None:
        self._default_limits = default_limits
        self._max_limits = max_limits
        self._max_samples = max_samples
        self._graders = graders

    def orders(
        self, tasks: Sequence[sample_pb2.Task], samples: Sequence[sample_pb2.Sample], run_id: str, *, distinct: bool
    ) -> list[Order]:
        """Return the orders of a request. Raises `RequestError` with the path of what is wrong.

        ``distinct``: whether the samples' ids must differ from each other.
        """
        if len(run_id) > MAX_ID_CHARACTERS:
            raise RequestError(f"run_id: {len(run_id)} characters, at most {MAX_ID_CHARACTERS}")
        if not 1 <= len(samples) <= self._max_samples:
            raise RequestError(f"samples: {len(samples)} samples, at least 1 and at most {self._max_samples}")
        known = self._known_tasks(tasks)
        seen: set[str] = set()
        orders = []
        for i, sample in enumerate(samples):
            path = f"samples[{i}]"
            self._check_ids(sample, path, known, seen if distinct else None)
            task, limits = known[sample.task_id]
            orders.append(Order(sample_id=sample.sample_id, sample=self._sample(sample, task, limits, path)))
        return orders

    def _task(self, message: sample_pb2.Task, path: str) -> Task:
        grader = message.WhichOneof("grader")
        if grader is None:
            raise RequestError(f"{path}.grader: no grader is set; one of {', '.join(self._graders)} is expected")
        if grader not in self._graders:
            raise RequestError(f"{path}.{grader}: this server has no such grader, but {', '.join(self._graders)}")
        kind, inner = self._graders[grader].task, getattr(message, grader)

        def read() -> object:
            try:
                record = wire.record(inner, kind)
                if isinstance(record, CodeTestsTask | CompositeTask):  # the only ones that hold limits of their own
                    record.check_within(self._max_limits)
            except InvalidTaskError as error:
                raise InvalidTaskError(f"{grader}.{error.field}".rstrip("."), error.reason) from error
            else:
                return record

        return Task(grader=grader, read=read, digest=wire.task_digest(message), size_bytes=message.ByteSize())

    def _known_tasks(self, tasks: Sequence[sample_pb2.Task]) -> dict[str, tuple[Task, Limits]]:
        known: dict[str, tuple[Task, Limits]] = {}
        for i, message in enumerate(tasks):
            path = f"tasks[{i}]"
            if not 1 <= len(message.task_id) <= MAX_ID_CHARACTERS:
                raise RequestError(f"{path}.task_id: 1 to {MAX_ID_CHARACTERS} characters are expected")
            if message.task_id in known:
                raise RequestError(f"{path}.task_id: {message.task_id!r} is already another task's")
            limits = self._limits(message.limits, self._default_limits, path)
            known[message.task_id] = (self._task(message, path), limits)
        return known

    def _check_ids(
        self, sample: sample_pb2.Sample, path: str, known: dict[str, tuple[Task, Limits]], seen: set[str] | None
    ) -> None:
        if len(sample.sample_id) > MAX_ID_CHARACTERS:
            raise RequestError(f"{path}.sample_id: {len(sample.sample_id)} characters, at most {MAX_ID_CHARACTERS}")
        if sample.task_id not in known:
            raise RequestError(f"{path}.task_id: no task of this request is called {sample.task_id[:80]!r}")
        if seen is not None:
            if sample.sample_id in seen:
                raise RequestError(f"{path}.sample_id: {sample.sample_id!r} is already another sample's")
            seen.add(sample.sample_id)

    def _sample(self, message: sample_pb2.Sample, task: Task, base: Limits, path: str) -> Sample:
        limits = self._limits(message.limits, base, path) if message.HasField("limits") else base
        return Sample(task=task, response=message.response, limits=limits)

    def _limits(self, message: sample_pb2.Limits, base: Limits, path: str) -> Limits:
        try:
            return wire.limits(message, base, self._max_limits, f"{path}.limits")
        except InvalidTaskError as error:
            raise RequestError(str(error)) from None
