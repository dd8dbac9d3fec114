import asyncio
import logging

import grpc
import pytest
import toy
from google.protobuf import duration_pb2
from reward.v1 import result_pb2, sample_pb2
from reward.v1 import reward_service_pb2 as pb
from serving import calls, request, serving, stream_request

from reward_server.graders import Entry
from reward_server.tasks.code_tests import CodeTestsTask
from reward_server.verdict import Check, Ruling, Verdict
from sandboxes.base import AssuranceLevel, Limits
from sandboxes.errors import SandboxUnavailableError


async def refused(call):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return error.value.code(), error.value.details(), dict(iter(error.value.trailing_metadata() or ()))


async def test_results_come_in_the_order_of_the_samples():
    """A batch is answered with one result for each sample, in their order, with where it comes from."""
    async with serving() as server, calls(server) as client:
        answer = await client.score(request("right", "wrong", "", "right"))
    assert [result.sample_id for result in answer.results] == ["s0", "s1", "s2", "s3"]
    assert [result.verdict.score for result in answer.results] == [1.0, 0.0, 0.0, 1.0]
    provenance = answer.results[1].provenance
    assert (provenance.grader, provenance.grader_version, provenance.runtime) == ("code_tests", "toy", "scripted")
    assert provenance.assurance_level == AssuranceLevel.NAMESPACE
    assert answer.results[2].provenance.runtime == ""
    assert answer.results[3].provenance.shared


async def test_a_stream_sends_each_result_when_it_is_ready():
    """A quick sample does not wait for a slow one; each sample comes exactly once."""
    slow = asyncio.Event()

    async def handler(job):
        if job.payload["response"] == "slow":
            await slow.wait()
        return toy.said(job)

    async with serving(handler) as server, calls(server) as client:
        stream = client.stream(stream_request("slow", "right", ""))
        first = [(await stream.read()).result.sample_id for _ in range(2)]
        slow.set()
        last = (await stream.read()).result.sample_id
        assert await stream.read() is grpc.aio.EOF
    assert sorted(first) == ["s1", "s2"]
    assert last == "s0"


async def test_capabilities_say_what_the_server_can_do():
    """Graders, sandbox, limits and sizes are published."""
    async with serving(max_response_bytes=1234, max_samples_per_request=7) as server, calls(server) as client:
        told = await client.capabilities()
    assert [(info.name, info.version) for info in told.graders] == [("code_tests", "toy"), ("halves", "toy")]
    assert (told.max_response_bytes, told.max_samples_per_request, told.concurrency) == (1234, 7, 2)
    assert told.sandbox.runtime == "scripted"
    assert told.default_limits.memory_bytes == Limits().memory_bytes
    assert told.max_limits.cpu_time.seconds == 120
    assert told.server_version


def long_id(kind=pb.ScoreRequest):
    wrong = request("x", kind=kind)
    wrong.samples[0].sample_id = "x" * 257
    return wrong


def with_limits(**limits):
    wrong = request("x")
    wrong.samples[0].limits.CopyFrom(sample_pb2.Limits(**limits))
    return wrong


def twice_the_task():
    wrong = request("x")
    wrong.tasks.append(wrong.tasks[0])
    return wrong


def with_task(**task):
    return pb.ScoreRequest(tasks=[task], samples=[{"task_id": task.get("task_id", "")}])


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (pb.ScoreRequest(), "samples:"),
        (request(*["x"] * 11), "samples: 11 samples"),
        (request("x", run_id="x" * 257), "run_id:"),
        (long_id(), "samples[0].sample_id:"),
        (pb.ScoreRequest(samples=[{"task_id": "t"}]), "samples[0].task_id: no task"),
        (twice_the_task(), "tasks[1].task_id: 't' is already"),
        (with_task(code_tests={}), "tasks[0].task_id: 1 to 256"),
        (with_task(task_id="t"), "tasks[0].grader: no grader"),
        (with_task(task_id="t", sql_query={}), "tasks[0].sql_query: this server has no such grader"),
        (with_limits(memory_bytes=1 << 50), "samples[0].limits.memory_bytes:"),
        (with_limits(cpu_time=duration_pb2.Duration(seconds=-1)), "samples[0].limits.cpu_time:"),
        (with_limits(cpu_time=duration_pb2.Duration()), "samples[0].limits.cpu_time:"),
        (with_limits(wall_time=duration_pb2.Duration(seconds=1 << 62)), "samples[0].limits.wall_time:"),
        (b"\xff\xff\xff", "the request cannot be read"),
        (request("x").SerializeToString().replace(b"x", b"\xff"), "the request cannot be read"),
    ],
)
async def test_a_malformed_request_is_refused_with_the_path(wrong, path):
    """What contradicts the contract is INVALID_ARGUMENT, and the message names the field; nothing is graded."""
    async with serving(max_samples_per_request=10) as server, calls(server) as client:
        code, details, _ = await refused(client.score(wrong))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith(path)


async def test_malformed_bytes_are_refused_by_every_method():
    """Bytes that are no message, or no UTF-8, are the caller's mistake for streams and capabilities too."""
    async with serving() as server, calls(server) as client:
        codes = [
            (await refused(client.stream(b"\xff\xff").read()))[0],
            (await refused(client.capabilities(b"\xff\xff")))[0],
        ]
    assert codes == [grpc.StatusCode.INVALID_ARGUMENT] * 2


async def test_ids_must_differ_where_they_tell_results_apart():
    """A stream needs distinct sample ids; a batch does not, its results have an order."""
    same = request("right", "wrong")
    same.samples[1].sample_id = "s0"
    streamed = pb.ScoreStreamRequest(tasks=same.tasks, samples=same.samples)
    async with serving() as server, calls(server) as client:
        answer = await client.score(same)
        code, details, _ = await refused(client.stream(streamed).read())
    assert [result.verdict.score for result in answer.results] == [1.0, 0.0]
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("samples[1].sample_id: 's0' is already")


async def test_limits_of_the_sample_win_over_the_task_s():
    """A limit set on the sample wins over the task's, and the task's over the server's default."""
    wanted = request("x")
    wanted.tasks[0].limits.CopyFrom(sample_pb2.Limits(memory_bytes=1 << 20, processes=3))
    wanted.samples[0].limits.CopyFrom(sample_pb2.Limits(memory_bytes=2 << 20))
    jobs = []

    def handler(job):
        jobs.append(job)
        return toy.said(job)

    async with serving(handler) as server, calls(server) as client:
        await client.score(wanted)
    assert jobs[0].limits == Limits(memory_bytes=2 << 20, processes=3)


async def test_a_wrong_task_is_a_failure_of_its_samples():
    """What is wrong inside a task does not end the call: its samples fail, the others are graded."""
    mixed = request("right")
    mixed.tasks.add(task_id="bad").code_tests.prefix = "no tests"
    mixed.samples.add(sample_id="s1", task_id="bad", response="x")
    async with serving() as server, calls(server) as client:
        answer = await client.score(mixed)
    good, bad = answer.results
    assert good.verdict.score == 1.0
    assert bad.failure.reason == result_pb2.FAILURE_REASON_INVALID_TASK
    assert "code_tests" in bad.failure.message


async def test_a_dead_sandbox_gives_failures_only():
    """When no box can be had every sample is a retryable Failure, none a score."""

    def handler(job):
        raise SandboxUnavailableError("the daemon is gone")

    async with serving(handler) as server, calls(server) as client:
        answer = await client.score(request(*(str(i) for i in range(20))))
    assert {result.WhichOneof("outcome") for result in answer.results} == {"failure"}
    assert all(result.failure.retryable for result in answer.results)


async def test_a_full_queue_refuses_with_a_time_to_wait():
    """A request that does not fit is RESOURCE_EXHAUSTED with a pushback, and the one in hand is answered."""
    gate = toy.Gate()
    async with serving(gate, max_queued_samples=3, max_samples_per_request=3) as server, calls(server) as client:
        running = client.score(request("a", "b"))
        await gate.begun.wait()
        code, _, trailing = await refused(client.score(request("c", "d")))
        gate.opened.set()
        assert len((await running).results) == 2
        assert len((await client.score(request("c", "d"))).results) == 2
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert int(trailing["grpc-retry-pushback-ms"]) >= 100


@pytest.mark.parametrize("method", ["score", "stream"])
async def test_cancelling_a_call_ends_its_runs(method):
    """A cancelled call leaves nothing running and nothing in the queue."""
    gate = toy.Gate()
    make = request if method == "score" else stream_request
    async with serving(gate) as server, calls(server) as client:
        call = getattr(client, method)(make(*(str(i) for i in range(50))))
        reading = asyncio.ensure_future(call.read() if method == "stream" else call.code())
        await gate.begun.wait()
        call.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        engine = server._admission._engine
        async with asyncio.timeout(60):
            while engine.accepted:  # noqa: ASYNC110 - the engine has no event for it
                await asyncio.sleep(0.01)
        assert gate.cancelled == 2
        assert len(engine._flights) == 0


@pytest.mark.parametrize("seconds", [2.0, 0.5])
async def test_what_misses_the_deadline_is_a_failure(seconds):
    """Shortly before the caller's deadline the answer leaves, with Failures for what is not there."""

    async def handler(job):
        if job.payload["response"] == "slow":
            await asyncio.Event().wait()
        return toy.said(job)

    async with serving(handler) as server, calls(server) as client:
        await client.capabilities()
        answer = await client.score(request("right", "slow"), timeout=seconds)
        streamed = [item.result async for item in client.stream(stream_request("right", "slow"), timeout=seconds)]
    for results in (answer.results, streamed):
        assert results[0].verdict.score == 1.0
        assert results[1].failure.reason == result_pb2.FAILURE_REASON_DEADLINE


async def test_a_response_that_would_be_too_large_loses_its_details():
    """A batch whose results exceed the message size keeps scores and rulings, and loses the details of checks."""

    class Talkative(toy.Toy):
        def plan(self, task, response, limits):
            checks = tuple(Check(f"c{i}", 0.0, 1.0, "x" * 2000) for i in range(10))
            return Verdict(score=0.0, ruling=Ruling.WRONG_ANSWER, summary="no", checks=checks)

    graders = {"code_tests": Entry(Talkative(), CodeTestsTask, ())}
    async with serving(graders=graders, max_message_bytes=64 << 10) as server, calls(server) as client:
        small = await client.score(request("a"))
        large = await client.score(request(*(str(i) for i in range(20))))
    assert len(small.results[0].verdict.checks[0].detail) == 2000
    assert len(large.results) == 20
    assert all(len(result.verdict.checks) == 10 for result in large.results)
    assert not any(check.detail for result in large.results for check in result.verdict.checks)


async def test_one_line_is_logged_for_each_call_without_the_responses(caplog):
    """The log tells run, sizes, a digest and the outcomes of a call; never what a model wrote."""
    with caplog.at_level(logging.INFO, "reward_server.admission"):
        async with serving() as server, calls(server) as client:
            await client.score(request("right", "secret", run_id="run 7"))
    (line,) = [record.getMessage() for record in caplog.records if record.name == "reward_server.admission"]
    assert "run='run 7'" in line
    assert "samples=2 responses=11B:" in line
    assert "accepted=1 wrong_answer=1" in line
    assert "secret" not in line


async def test_a_large_batch_is_answered_whole():
    """Thousands of samples in one call come back complete and in order."""
    async with serving(concurrency=8) as server, calls(server) as client:
        answer = await client.score(request(*(str(i) for i in range(4096)), expected="77"))
    assert [result.sample_id for result in answer.results] == [f"s{i}" for i in range(4096)]
    assert [result.sample_id for result in answer.results if result.verdict.score] == ["s77"]
