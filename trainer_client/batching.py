"""Cuts the samples of a call into requests that the server takes, and sees that every sample is answered once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reward.v1 import reward_service_pb2, sample_pb2

from trainer_client import wire
from trainer_client.capabilities import Capabilities
from trainer_client.errors import InvalidRequestError, ServerError
from trainer_client.results import Result
from trainer_client.samples import Sample, TaskLike

_FIELD_OVERHEAD = 8
"""Bytes that tag and length add to a message within another, at most; the messages are far below 2**49 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A run of samples that fits into one request."""

    offset: int
    """The position of its first sample in the call."""
    tasks: tuple[sample_pb2.Task, ...]
    samples: tuple[sample_pb2.Sample, ...]

    def score_request(self, run_id: str) -> reward_service_pb2.ScoreRequest:
        """Return the batch as a unary request."""
        return reward_service_pb2.ScoreRequest(run_id=run_id, tasks=self.tasks, samples=self.samples)


class Progress:
    """How far a streamed batch has come, over all its attempts."""

    def __init__(self, batch: Batch, run_id: str) -> None:
        self._batch = batch
        self._run_id = run_id
        self._waited_for = {sample.sample_id for sample in batch.samples}

    @property
    def complete(self) -> bool:
        """Whether every sample is answered."""
        return not self._waited_for

    def request(self) -> reward_service_pb2.ScoreStreamRequest:
        """Return what is not yet answered as a request."""
        left = [sample for sample in self._batch.samples if sample.sample_id in self._waited_for]
        wanted = {sample.task_id for sample in left}
        tasks = [task for task in self._batch.tasks if task.task_id in wanted]
        return reward_service_pb2.ScoreStreamRequest(run_id=self._run_id, tasks=tasks, samples=left)

    def take(self, response: reward_service_pb2.ScoreStreamResponse) -> Result:
        """Return the result that came. Raises `ServerError` for one nobody waits for."""
        if response.result.sample_id not in self._waited_for:
            raise ServerError(f"a result for {response.result.sample_id!r}, which is unknown or answered already")
        self._waited_for.remove(response.result.sample_id)
        return wire.result(response.result)

    def end(self) -> None:
        """Take note that the stream ended well. Raises `ServerError` when samples were left out."""
        if self._waited_for:
            raise ServerError(f"the server ended the stream without answering {len(self._waited_for)} samples")


def batches(samples: Iterable[Sample], limits: Capabilities, run_id: str, *, distinct: bool = False) -> Iterator[Batch]:
    """Split ``samples`` into batches, in order, that the server takes; each task is sent once a batch.

    ``distinct``: whether sample ids must differ. Raises `InvalidRequestError`, before anything is yielded.
    """
    messages = _messages(samples, limits.max_response_bytes)
    if distinct:
        _check_distinct(sample.sample_id for _, sample in messages)
    room = limits.max_message_bytes - len(run_id.encode()) - _FIELD_OVERHEAD
    split = list(_split(messages, room, limits.max_samples_per_request))
    return iter(split)


def results(response: reward_service_pb2.ScoreResponse, batch: Batch) -> list[Result]:
    """Return the results of ``batch``. Raises `ServerError` unless there is one for each sample."""
    if len(response.results) != len(batch.samples):
        raise ServerError(f"the server answered {len(batch.samples)} samples with {len(response.results)} results")
    for i, (sample, answer) in enumerate(zip(batch.samples, response.results, strict=True)):
        if sample.sample_id != answer.sample_id:
            raise ServerError(f"results[{i}]: of sample {answer.sample_id!r} instead of {sample.sample_id!r}")
    return [wire.result(message) for message in response.results]


def _split(messages: Sequence[tuple[sample_pb2.Task, sample_pb2.Sample]], room: int, count: int) -> Iterator[Batch]:
    offset, left = 0, room
    tasks: dict[str, sample_pb2.Task] = {}
    samples: list[sample_pb2.Sample] = []
    for i, (task, sample) in enumerate(messages):
        own, shared = sample.ByteSize() + _FIELD_OVERHEAD, task.ByteSize() + _FIELD_OVERHEAD
        if own + shared > room:
            raise InvalidRequestError(f"samples[{i}]: with its task it takes {own + shared} bytes, at most {room}")
        need = own if sample.task_id in tasks else own + shared
        if samples and (need > left or len(samples) >= count):
            yield Batch(offset=offset, tasks=tuple(tasks.values()), samples=tuple(samples))
            offset, left, tasks, samples, need = i, room, {}, [], own + shared
        tasks[sample.task_id] = task
        samples.append(sample)
        left -= need
    if samples:
        yield Batch(offset=offset, tasks=tuple(tasks.values()), samples=tuple(samples))


def _messages(samples: Iterable[Sample], max_response_bytes: int) -> list[tuple[sample_pb2.Task, sample_pb2.Sample]]:
    tasks = _Tasks()
    messages = []
    for i, sample in enumerate(samples):
        task = tasks.message(sample.task, f"samples[{i}].task")
        response = _sendable(sample.response, max_response_bytes)
        message = sample_pb2.Sample(sample_id=sample.sample_id or str(i), task_id=task.task_id, response=response)
        if sample.limits is not None:
            message.limits.CopyFrom(wire.limits_message(sample.limits))
        messages.append((task, message))
    return messages


class _Tasks:
    """The tasks of one call, each made a message once."""

    def __init__(self) -> None:
        self._by_object: dict[int, tuple[TaskLike, sample_pb2.Task]] = {}  # the object is kept, so its id stays its own
        self._by_name: dict[str, sample_pb2.Task] = {}
        self._unnamed: dict[bytes, str] = {}

    def message(self, task: TaskLike, path: str) -> sample_pb2.Task:
        """Return ``task`` as a message that has a name. Raises `InvalidRequestError`."""
        known = self._by_object.get(id(task))
        if known is None:
            known = self._by_object[id(task)] = (task, self._named(wire.task_message(task, path), path))
        return known[1]

    def _named(self, message: sample_pb2.Task, path: str) -> sample_pb2.Task:
        if not message.task_id:
            content = message.SerializeToString(deterministic=True)
            message.task_id = self._unnamed.setdefault(content, f"task-{len(self._unnamed)}")
        same_name = self._by_name.setdefault(message.task_id, message)
        if same_name != message:
            raise InvalidRequestError(f"{path}: another task of this call is called {message.task_id!r} too")
        return same_name


def _sendable(response: str, max_bytes: int) -> str:
    """Return ``response`` as UTF-8 can carry it; what is far past the limit is cut, and stays past the limit."""
    short = response[: max_bytes + 1]
    return short if short.isascii() else short.encode("utf-8", "replace").decode("utf-8")


def _check_distinct(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            raise InvalidRequestError(f"samples[{i}].sample_id: {name!r} is already another sample's")
        seen.add(name)
