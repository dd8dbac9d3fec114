"""Where rewards come from: a server, how rows become its tasks, and what an outage means. All adapters share it.

A source is plain settings: it can be pickled, forked and sent to workers, and each process has one client for it, made
at the first call.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from reward.v1 import sample_pb2

from converters import FORMATS
from trainer_client.adapters.rows import numbers, task_of
from trainer_client.async_client import AsyncRewardClient
from trainer_client.client import RewardClient
from trainer_client.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    RewardError,
    ServerError,
    UnauthenticatedError,
)
from trainer_client.results import Failure, FailureReason, Result
from trainer_client.samples import Sample

ADDRESS_VARIABLE = "REWARD_SERVER_ADDRESS"
DATA_SOURCE_VARIABLE = "REWARD_SERVER_DATA_SOURCE"
DEFAULT_ADDRESS = "127.0.0.1:50051"
OutagePolicy = Literal["raise", "mask"]
OnFailure = Literal["raise", "number"]


class UngradableError(RewardError):
    """A sample got no grade, and its trainer has no way to leave one sample out; the failure says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.reason}: {failure.message}")
        self.failure = failure

    def __reduce__(self) -> tuple[type["UngradableError"], tuple[Failure]]:
        return type(self), (self.failure,)


def scored(result: Result, on_failure: OnFailure = "raise", failure_score: float = 0.0) -> dict[str, float]:
    """Return `score` beside numbers to log, the same keys for every result, for trainers that cannot leave one out.

    A Failure raises `UngradableError`; with ``number`` it scores ``failure_score``, and its `gradable` is 0.
    """
    if on_failure not in get_args(OnFailure):
        raise ValueError(f"on_failure is {on_failure!r}, but one of {', '.join(get_args(OnFailure))} is expected")
    if isinstance(result, Failure):
        if on_failure == "raise":
            raise UngradableError(result)
        return {"score": failure_score, **numbers(result)}
    return {"score": result.score, **numbers(result)}


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardSource:
    """A reward server as a trainer sees it."""

    address: str = ""
    """Host and port; default what is in REWARD_SERVER_ADDRESS, else 127.0.0.1:50051."""
    convert: str = ""
    """The format, one of `converters.FORMATS`, of rows that have no `task`."""
    data_source: str = ""
    """What a bare ground truth is, where a row does not say it: verl's name of a data set, e.g. ``openai/gsm8k``.

    Default what is in REWARD_SERVER_DATA_SOURCE. Without any, a ground truth must be a task; nothing is guessed.
    """
    on_outage: OutagePolicy = "raise"
    """When the server cannot be reached in time: ``raise`` the `RewardError`, or ``mask`` every sample of the call.

    A wrong token or a malformed request is raised in any case.
    """
    timeout_seconds: float = 600.0
    """The deadline of a call, retries included."""
    run_id: str = ""
    """Names the training run in the server's logs."""

    def __post_init__(self) -> None:
        if self.on_outage not in get_args(OutagePolicy):
            raise ValueError(
                f"on_outage is {self.on_outage!r}, but one of {', '.join(get_args(OutagePolicy))} is expected"
            )
        if self.convert and self.convert not in FORMATS:
            raise ValueError(f"convert is {self.convert!r}, but one of {', '.join(FORMATS)} is expected")

    def grade(self, rows: Sequence[Mapping[str, Any]], responses: Sequence[str]) -> list[Result]:
        """Return one result for each row's response, in order; a row without a usable task gets a Failure."""
        order = self._order(rows, responses)
        try:
            for result in self._client().stream(order.samples) if order.samples else ():
                order.take(result)
        except RewardError as error:
            order.give_up(error, self.on_outage)
        return order.results()

    async def grade_async(self, rows: Sequence[Mapping[str, Any]], responses: Sequence[str]) -> list[Result]:
        """The same, awaited; one client for each event loop."""
        order = self._order(rows, responses)
        try:
            if order.samples:
                async for result in self._async_client().stream(order.samples):
                    order.take(result)
        except RewardError as error:
            order.give_up(error, self.on_outage)
        return order.results()

    def _order(self, rows: Sequence[Mapping[str, Any]], responses: Sequence[str]) -> "_Order":
        data_source = self.data_source or os.environ.get(DATA_SOURCE_VARIABLE, "")
        known: dict[str, sample_pb2.Task | Failure] = {}  # rows of a group repeat their task, which may be long
        tasks = []
        for row in rows:
            text = row.get("task")
            task = known.get(text) if isinstance(text, str) else None
            if task is None:
                task = task_of(row, self.convert, data_source)
            if isinstance(text, str):
                known[text] = task
            tasks.append(task)
        return _Order(tasks, responses)

    def _client(self) -> RewardClient:
        return _client(os.getpid(), *self._settings())

    def _async_client(self) -> AsyncRewardClient:
        return _async_client(asyncio.get_running_loop(), *self._settings())

    def _settings(self) -> tuple[str, str, float]:
        address = self.address or os.environ.get(ADDRESS_VARIABLE, "") or DEFAULT_ADDRESS
        return address, self.run_id, self.timeout_seconds


class _Order:
    """The samples of one call, and the results that have come."""

    def __init__(self, tasks: Sequence[sample_pb2.Task | Failure], responses: Sequence[str]) -> None:
        self._results: list[Result | None] = [None] * len(responses)
        self.samples: list[Sample] = []
        for i, (task, response) in enumerate(zip(tasks, responses, strict=True)):
            if isinstance(task, Failure):
                self._results[i] = task
            else:
                self.samples.append(Sample(task, response, str(i)))

    def take(self, result: Result) -> None:
        self._results[int(result.sample_id)] = result

    def give_up(self, error: RewardError, policy: OutagePolicy) -> None:
        """Mask what has not come, or raise ``error``."""
        if policy == "raise" or isinstance(error, InvalidRequestError | UnauthenticatedError):
            raise error
        late = isinstance(error, DeadlineExceededError)
        reason = FailureReason.DEADLINE if late else FailureReason.SANDBOX_UNAVAILABLE
        missing = Failure(reason=reason, message=f"the server could not be asked: {error}", retryable=True)
        self._results = [missing if result is None else result for result in self._results]

    def results(self) -> list[Result]:
        results = [result for result in self._results if result is not None]
        if len(results) != len(self._results):
            raise ServerError("some samples were not answered")
        return results


@cache
def _client(process: int, address: str, run_id: str, timeout_seconds: float) -> RewardClient:
    del process  # a fork gets a client of its own
    return RewardClient(address, run_id=run_id, timeout_seconds=timeout_seconds)


_async_clients: dict[tuple[asyncio.AbstractEventLoop, str, str, float], AsyncRewardClient] = {}


def _async_client(
    loop: asyncio.AbstractEventLoop, address: str, run_id: str, timeout_seconds: float
) -> AsyncRewardClient:
    key = (loop, address, run_id, timeout_seconds)
    if key not in _async_clients:
        for closed in [known for known in list(_async_clients) if known[0].is_closed()]:
            _async_clients.pop(closed, None)
        _async_clients[key] = AsyncRewardClient(address, run_id=run_id, timeout_seconds=timeout_seconds)
    return _async_clients[key]


def columns_to_rows(columns: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """Return ``count`` rows of those ``columns`` that have one item a row."""
    usable = {name: values for name, values in columns.items() if _is_column(values, count)}
    return [{name: values[i] for name, values in usable.items()} for i in range(count)]


def _is_column(values: Any, count: int) -> bool:
    return isinstance(values, Sized) and not isinstance(values, str | bytes | Mapping) and len(values) == count
