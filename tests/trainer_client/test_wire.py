"""Records to messages and back, and the splitting of requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reward.v1 import result_pb2, reward_service_pb2, sample_pb2
from scripted_server import graded

from trainer_client import Failure, FailureReason, InvalidRequestError, Limits, Ruling, Sample, ServerError, wire
from trainer_client.results import AssuranceLevel

TASK = {"taskId": "sum", "mathAnswer": {"expected": "4"}}


def limits(message_bytes=1 << 20, samples=1000, response_bytes=1 << 16):
    return wire.capabilities(
        reward_service_pb2.GetCapabilitiesResponse(
            max_message_bytes=message_bytes, max_samples_per_request=samples, max_response_bytes=response_bytes
        )
    )


@given(
    sizes=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3)), max_size=60),
    message_bytes=st.integers(800, 3_000),
    most=st.integers(1, 20),
    run_id=st.text(max_size=20),
)
def test_batches_fit_and_lose_nothing(sizes, message_bytes, most, run_id):
    """Whatever is sent, no request is past the server's limits, all samples are in some request once and in order."""
    tasks = [{"taskId": f"t{i}", "mathAnswer": {"expected": "4" * (50 * i + 1)}} for i in range(4)]
    samples = [Sample(tasks[task], "x" * size) for size, task in sizes]
    got = []
    for batch in wire.batches(samples, limits(message_bytes, most), run_id):
        request = batch.score_request(run_id)
        assert request.ByteSize() <= message_bytes
        assert 1 <= len(request.samples) <= most
        assert {task.task_id for task in request.tasks} == {sample.task_id for sample in request.samples}
        assert len({task.task_id for task in request.tasks}) == len(request.tasks)
        assert batch.offset == len(got)
        got += [(sample.sample_id, sample.response, sample.task_id) for sample in request.samples]
    assert got == [(str(i), "x" * size, f"t{task}") for i, (size, task) in enumerate(sizes)]


def test_a_group_shares_its_task():
    """Samples of one task carry it once, whether it is the same object or an equal one."""
    samples = [Sample(TASK, "4"), Sample(TASK, "5"), Sample(dict(TASK), "6"), Sample(wire.task_message(TASK), "7")]
    (batch,) = wire.batches(samples, limits(), "")
    assert len(batch.tasks) == 1
    assert {sample.task_id for sample in batch.samples} == {"sum"}


def test_unnamed_tasks_get_names():
    """Tasks without a name are told apart by what they say."""
    one, two = {"mathAnswer": {"expected": "1"}}, {"mathAnswer": {"expected": "2"}}
    (batch,) = wire.batches([Sample(one, "1"), Sample(two, "2"), Sample(dict(one), "3")], limits(), "")
    assert [sample.task_id for sample in batch.samples] == ["task-0", "task-1", "task-0"]
    assert one == {"mathAnswer": {"expected": "1"}}


def test_two_tasks_of_one_name_are_refused():
    """Two different tasks of one name are a mistake in the data, named with its place."""
    other = {"taskId": "sum", "mathAnswer": {"expected": "5"}}
    with pytest.raises(InvalidRequestError, match=r"^samples\[1\]\.task: another task .* 'sum'"):
        wire.batches([Sample(TASK, "4"), Sample(other, "5")], limits(), "")


@pytest.mark.parametrize("task", [{"mathAnswers": {}}, {"mathAnswer": {"expected": 4}}, {"mathAnswer": [1]}, {1: 2}])
def test_a_malformed_task_is_refused(task):
    """A dictionary that is no task is refused before anything is sent, with its place."""
    with pytest.raises(InvalidRequestError, match=r"^samples\[0\]\.task: "):
        wire.batches([Sample(task, "4")], limits(), "")


def test_a_sample_past_the_message_limit_is_refused():
    """A sample whose task alone is past the limit is named instead of being refused by the transport."""
    huge = {"mathAnswer": {"expected": "4" * 2_000}}
    with pytest.raises(InvalidRequestError, match=r"^samples\[1\]: .* at most"):
        wire.batches([Sample(TASK, "4"), Sample(huge, "4")], limits(1_000), "")


@pytest.mark.parametrize("letter", ["x", "é", "🙂"])
def test_a_response_past_the_limit_is_cut_and_stays_past_it(letter):
    """A response of any size can be sent: what the server would rule OUTPUT_LIMIT it still does."""
    (batch,) = wire.batches([Sample(TASK, letter * 5_000)], limits(response_bytes=1_000), "")
    assert 1_000 < len(batch.samples[0].response.encode()) <= 4_004


def test_lone_surrogates_are_replaced():
    """A response that UTF-8 cannot carry is sent all the same."""
    (batch,) = wire.batches([Sample(TASK, "4\ud800")], limits(), "")
    assert batch.samples[0].response == "4?"


def test_sample_ids_must_differ_in_a_stream():
    """The same sample id twice is refused for streams, which tell results apart by it, and taken otherwise."""
    samples = [Sample(TASK, "4", "a"), Sample(TASK, "5", "a")]
    with pytest.raises(InvalidRequestError, match=r"^samples\[1\]\.sample_id: 'a'"):
        wire.batches(samples, limits(), "", distinct=True)
    assert len(list(wire.batches(samples, limits(), ""))) == 1


def test_limits_travel():
    """Limits go out field by field; what is None stays unset."""
    wish = Limits(cpu_seconds=1.5, memory_bytes=1 << 20)
    (batch,) = wire.batches([Sample(TASK, "4", limits=wish)], limits(), "")
    message = batch.samples[0].limits
    assert message.cpu_time.ToMilliseconds() == 1500
    assert not message.HasField("wall_time")
    assert (message.memory_bytes, message.processes) == (1 << 20, 0)


def test_every_ruling_and_reason_is_known():
    """Each ruling and reason of the contract has a member here of its name."""
    for value in result_pb2.Ruling.values()[1:]:
        message = result_pb2.Result(verdict=result_pb2.Verdict(score=0.5, ruling=value))
        assert f"RULING_{wire.result(message).ruling.name}" == result_pb2.Ruling.Name(value)
    for value in result_pb2.FailureReason.values()[1:]:
        message = result_pb2.Result(failure=result_pb2.Failure(reason=value))
        assert f"FAILURE_REASON_{wire.result(message).reason.name}" == result_pb2.FailureReason.Name(value)


def test_verdict_becomes_a_record():
    """A verdict's record says all that the message says."""
    verdict = wire.result(graded(sample_pb2.Sample(sample_id="a", response="0.5")))
    assert (verdict.score, verdict.ruling, verdict.summary, verdict.sample_id) == (0.5, Ruling.PARTIAL, "a number", "a")
    assert [(check.name, check.score, check.weight, check.detail) for check in verdict.checks] == [
        ("number", 0.5, 2.0, "as told")
    ]
    assert verdict.provenance.assurance_level is AssuranceLevel.CONTAINER
    assert verdict.provenance.run_seconds == 1.5


def test_what_a_newer_server_says_is_never_a_number():
    """An outcome unknown to this client is a Failure; an unknown ruling keeps its score."""
    assert wire.result(result_pb2.Result(sample_id="a")) == Failure(
        reason=FailureReason.UNRECOGNIZED,
        message="the server sent an outcome that this client does not know: upgrade the client",
        sample_id="a",
    )
    ruling = wire.result(result_pb2.Result(verdict=result_pb2.Verdict(score=0.5, ruling=99)))
    assert (ruling.score, ruling.ruling) == (0.5, Ruling.UNRECOGNIZED)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.1])
def test_no_score_outside_the_unit_interval_passes(score):
    """A score that the contract rules out is an error of the server, not a reward."""
    with pytest.raises(ServerError, match="not in"):
        wire.result(result_pb2.Result(verdict=result_pb2.Verdict(score=score, ruling=2)))


def test_task_files(tmp_path):
    """A task file gives its samples in order, named after their tasks."""
    path = tmp_path / "tasks.jsonl"
    path.write_text(
        '{"task": {"taskId": "a", "mathAnswer": {"expected": "4"}}, '
        '"samples": [{"response": "4"}, {"sampleId": "mine", "response": "5", "limits": {"cpuTime": "2s"}}]}\n'
        '\n{"task": {"mathAnswer": {"expected": "5"}}, "samples": [{"response": "6"}]}\n'
    )
    first, second, third = wire.read_samples(path)
    assert (first.sample_id, first.response, first.task) == ("a#0", "4", second.task)
    assert (second.sample_id, second.limits) == ("mine", Limits(cpu_seconds=2.0))
    assert third.sample_id == "line-3#0"


def test_a_bad_line_of_a_task_file_is_named(tmp_path):
    """A line that is no task record is reported with file and number."""
    path = tmp_path / "tasks.jsonl"
    path.write_text('\n{"task": 3}\n')
    with pytest.raises(InvalidRequestError, match=r"tasks\.jsonl:2: "):
        list(wire.read_samples(path))
