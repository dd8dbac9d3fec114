"""What both clients do; every test runs against each, over a real connection."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import grpc
import pytest
from reward.v1 import reward_service_pb2
from scripted_server import graded, refusing, serving

from trainer_client import (
    AsyncRewardClient,
    DeadlineExceededError,
    Failure,
    InvalidRequestError,
    OverloadedError,
    RetryPolicy,
    RewardClient,
    RewardError,
    Sample,
    ServerError,
    UnauthenticatedError,
    UnavailableError,
    reward,
)

TASK = {"taskId": "sum", "mathAnswer": {"expected": "4"}}
QUICK = RetryPolicy(attempts=3, first_wait_seconds=0.01)
NOWHERE = "127.0.0.1:9"
Code = grpc.StatusCode


class Awaited:
    """An `AsyncRewardClient` with the verbs of a `RewardClient`, so that one test serves both."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self._client = AsyncRewardClient(*args, **options)

    def stream(self, samples: Any, **options: Any) -> Iterator[Any]:
        results = self._client.stream(samples, **options)
        try:
            while (result := self._runner.run(anext(results, None))) is not None:
                yield result
        finally:
            self._runner.run(results.aclose())

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()

    def __getattr__(self, verb: str) -> Any:
        return lambda *args, **options: self._runner.run(getattr(self._client, verb)(*args, **options))


@pytest.fixture(params=[RewardClient, Awaited], ids=["threads", "asyncio"])
def connect(request):
    """Make a client; all made are closed at the end."""
    made = []

    def connect(address: str, **options: Any) -> Any:
        made.append(request.param(address, **{"retries": QUICK, **options}))
        return made[-1]

    yield connect
    for client in made:
        client.close()


def samples(*responses: str) -> list[Sample]:
    return [Sample(TASK, response) for response in responses]


def test_score_keeps_the_order(connect, server):
    """There is one result for each sample, in the order of the samples, over as many requests as the limits ask for."""
    server.max_samples = 3
    scores = [i / 10 for i in range(11)]
    results = connect(server.address).score(samples(*map(str, scores)))
    assert [reward(result) for result in results] == scores
    assert [result.sample_id for result in results] == [str(i) for i in range(11)]
    assert [len(request.samples) for request in server.requests] == [3, 3, 3, 2]


def test_score_of_nothing(connect, server):
    """No samples give no results, and ask nothing."""
    assert connect(server.address).score([]) == []
    assert server.requests == []


def test_a_failure_is_a_result(connect, server):
    """A failure of one sample is its result, beside the verdicts of the others; nothing is raised."""
    first, second = connect(server.address).score(samples("0.5", "what"))
    assert reward(first) == 0.5
    assert isinstance(second, Failure)
    assert reward(second) is None


def test_stream_answers_everything_once(connect, server):
    """Streamed results come in any order, each sample exactly once, over as many requests as the limits ask for."""
    server.max_samples = 4
    results = list(connect(server.address).stream(samples(*["0.5"] * 10)))
    assert sorted(int(result.sample_id) for result in results) == list(range(10))
    assert results[0].sample_id == "3"


def test_broken_stream_goes_on_where_it_broke(connect, server):
    """After a break only what was not yet answered is asked for again."""

    def breaking(request, context):
        yield reward_service_pb2.ScoreStreamResponse(result=graded(request.samples[1]))
        context.abort(Code.UNAVAILABLE, "gone")

    server.script.append(breaking)
    results = list(connect(server.address).stream(samples("0.1", "0.2", "0.3")))
    assert sorted(result.sample_id for result in results) == ["0", "1", "2"]
    assert [sample.sample_id for sample in server.requests[1].samples] == ["0", "2"]


def test_leaving_a_stream_cancels_it(connect, server):
    """Who leaves the loop early leaves nothing running on the server."""

    def endless(request, context):
        yield reward_service_pb2.ScoreStreamResponse(result=graded(request.samples[0]))
        server.cancelled.wait(60)

    server.script.append(endless)
    with closing(connect(server.address).stream(samples("0.1", "0.2"))) as results:
        assert next(results).sample_id == "0"
    assert server.cancelled.wait(30)


@pytest.mark.parametrize("answers", [0, 1])
def test_stream_with_gaps_is_an_error(connect, server, answers):
    """A server that ends a stream well and leaves samples out breaks the contract."""

    def short(request, context):
        for sample in request.samples[:answers]:
            yield reward_service_pb2.ScoreStreamResponse(result=graded(sample))

    server.script.append(short)
    with pytest.raises(ServerError, match=f"without answering {2 - answers} samples"):
        list(connect(server.address).stream(samples("0.1", "0.2")))


def test_foreign_results_are_an_error(connect, server):
    """A result of a sample that was not asked for breaks the contract, streamed or not."""

    def foreign(request, context):
        request.samples[0].sample_id = "other"
        return reward_service_pb2.ScoreResponse(results=[graded(sample) for sample in request.samples])

    def foreign_stream(request, context):
        request.samples[0].sample_id = "other"
        yield reward_service_pb2.ScoreStreamResponse(result=graded(request.samples[0]))

    server.script.extend([foreign, foreign_stream])
    client = connect(server.address)
    with pytest.raises(ServerError, match="'other'"):
        client.score(samples("0.1"))
    with pytest.raises(ServerError, match="'other'"):
        list(client.stream(samples("0.1")))


def test_missing_results_are_an_error(connect, server):
    """Fewer results than samples break the contract: no result is guessed."""
    server.script.append(lambda request, context: reward_service_pb2.ScoreResponse())
    with pytest.raises(ServerError, match="2 samples with 0 results"):
        connect(server.address).score(samples("0.1", "0.2"))


@pytest.mark.parametrize("pushback", ["30", "0"])
def test_an_overloaded_server_is_asked_again(connect, server, pushback):
    """A full queue is waited for as long as the server says, more often than an absent server is tried."""
    server.script.extend([refusing(Code.RESOURCE_EXHAUSTED, pushback=pushback)] * 5)
    begun = time.monotonic()
    (result,) = connect(server.address).score(samples("0.5"))
    assert reward(result) == 0.5
    assert len(server.requests) == 6
    assert time.monotonic() - begun >= 5 * int(pushback) / 1000


def test_a_restarting_server_is_tried_again(connect, server):
    """A call that a restart interrupted is made again."""
    server.script.extend([refusing(Code.UNAVAILABLE), refusing(Code.UNAVAILABLE, pushback="10")])
    assert [reward(result) for result in connect(server.address).score(samples("0.5"))] == [0.5]
    assert len(server.requests) == 3


def test_an_absent_server_is_given_up(connect):
    """Where nobody listens the call ends after the policy's attempts, with a reason."""
    with pytest.raises(UnavailableError, match="connect"):
        connect(NOWHERE).score(samples("0.5"))


def test_a_wait_past_the_deadline_is_not_begun(connect, server):
    """A server that asks for more patience than the deadline has gets no second call, and the caller an answer."""
    server.script.append(refusing(Code.RESOURCE_EXHAUSTED, "the queue is full", "60000"))
    with pytest.raises(OverloadedError, match="the queue is full"):
        connect(server.address).score(samples("0.5"), timeout_seconds=5)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("code", "pushback", "error"),
    [
        (Code.INVALID_ARGUMENT, None, InvalidRequestError),
        (Code.UNAUTHENTICATED, None, UnauthenticatedError),
        (Code.PERMISSION_DENIED, None, UnauthenticatedError),
        (Code.RESOURCE_EXHAUSTED, "-1", OverloadedError),
        (Code.RESOURCE_EXHAUSTED, "soon", OverloadedError),
        (Code.RESOURCE_EXHAUSTED, None, ServerError),
        (Code.UNAVAILABLE, "-1", UnavailableError),
        (Code.DEADLINE_EXCEEDED, None, DeadlineExceededError),
        (Code.INTERNAL, None, ServerError),
        (Code.UNKNOWN, None, ServerError),
        (Code.UNIMPLEMENTED, None, ServerError),
    ],
)
def test_everything_else_is_raised_at_once(connect, server, code, pushback, error):
    """Only a full queue and an absent server are tried again; all else becomes its error after one call."""
    server.script.append(refusing(code, "for a reason", pushback))
    with pytest.raises(error, match="for a reason") as raised:
        connect(server.address).score(samples("0.5"))
    assert type(raised.value) is error
    assert len(server.requests) == 1


def test_streams_raise_the_same_errors(connect, server):
    """What a stream ends with is translated as any call."""
    server.script.append(refusing(Code.INVALID_ARGUMENT, "samples[0].task_id: no"))
    with pytest.raises(InvalidRequestError, match=r"^samples\[0\]\.task_id: no$"):
        list(connect(server.address).stream(samples("0.5")))


def test_positions_in_later_requests_are_explained(connect, server):
    """When a batch had to be split, an error says where its positions count from."""
    server.max_samples = 2
    server.script.append(
        lambda request, context: reward_service_pb2.ScoreResponse(results=map(graded, request.samples))
    )
    server.script.append(refusing(Code.INVALID_ARGUMENT, "samples[1].task_id: no"))
    with pytest.raises(InvalidRequestError, match=r"count from sample 2 of the call"):
        connect(server.address).score(samples("0", "0", "0", "0"))


def test_deadlines_are_on_by_default(connect, server):
    """Every call carries a deadline, retries included; the caller may choose another."""
    connect(server.address).score(samples("0.5"))
    connect(server.address, timeout_seconds=300).score(samples("0.5"))
    connect(server.address, timeout_seconds=300).score(samples("0.5"), timeout_seconds=100)
    connect(server.address, timeout_seconds=None).score(samples("0.5"))
    first, second, third, none = [call["seconds"] for call in server.metadata]
    assert 540 < first < 610
    assert 240 < second < 310
    assert 40 < third < 110
    assert none is None or none > 1e6


def test_a_silent_server_ends_with_the_deadline(connect, server):
    """A server that never answers costs the deadline, not the night."""
    server.script.append(lambda request, context: threading.Event().wait(3))
    with pytest.raises(DeadlineExceededError):
        connect(server.address).score(samples("0.5"), timeout_seconds=0.5)


def test_token_and_run(connect, server, monkeypatch):
    """The bearer token, from the environment unless given, and the run's name travel with every call."""
    monkeypatch.setenv("REWARD_SERVER_TOKEN", "from-the-environment")
    connect(server.address, run_id="run-7").score(samples("0.5"))
    connect(server.address, token="given").score(samples("0.5"))
    assert [call["authorization"] for call in server.metadata] == ["Bearer from-the-environment", "Bearer given"]
    assert server.requests[0].run_id == "run-7"


def test_capabilities(connect, server):
    """Capabilities are a record of what the server says."""
    capabilities = connect(server.address).capabilities()
    assert capabilities.max_samples_per_request == 100
    assert [(grader.name, grader.version, grader.languages) for grader in capabilities.graders] == [
        ("math_answer", "7", ("latex",))
    ]


@pytest.mark.parametrize(("answer", "healthy"), [(b"\x08\x01", True), (b"\x08\x02", False), (b"", False)])
def test_health(connect, server, answer, healthy):
    """A server is healthy when it says that it serves."""
    server.health = answer
    assert connect(server.address).health() is healthy


def test_health_of_nobody(connect):
    """Where nobody listens nobody is healthy, and nothing is raised."""
    assert connect(NOWHERE).health() is False


def test_health_not_offered(connect):
    """A server without a health service is an error to be told, not ill health."""
    with serving(health=None) as server, pytest.raises(ServerError, match="UNIMPLEMENTED"):
        connect(server.address).health()


def test_large_answers_arrive(connect, server):
    """Answers past gRPC's default limit of 4 MiB arrive."""

    def large(request, context):
        result = graded(request.samples[0])
        result.verdict.summary = "x" * (5 << 20)
        return reward_service_pb2.ScoreResponse(results=[result])

    server.script.append(large)
    (result,) = connect(server.address).score(samples("0.5"))
    assert len(result.summary) == 5 << 20


def test_a_closed_client_connects_anew(connect, server):
    """Closing twice is fine, and a call after it connects again."""
    client = RewardClient(server.address)
    client.close()
    assert client.health()
    client.close()
    client.close()
    assert client.health()
    client.close()


def test_errors_are_one_tree():
    """Whoever catches RewardError catches all of them."""
    kinds = [InvalidRequestError, UnauthenticatedError, OverloadedError, UnavailableError]
    assert all(issubclass(kind, RewardError) for kind in [*kinds, DeadlineExceededError, ServerError])
