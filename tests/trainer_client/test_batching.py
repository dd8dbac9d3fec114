"""The splitting of a call's samples into requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reward.v1 import reward_service_pb2

from trainer_client import InvalidRequestError, Limits, Sample, batching, wire

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
    for batch in batching.batches(samples, limits(message_bytes, most), run_id):
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
    (batch,) = batching.batches(samples, limits(), "")
    assert len(batch.tasks) == 1
    assert {sample.task_id for sample in batch.samples} == {"sum"}


def test_unnamed_tasks_get_names():
    """Tasks without a name are told apart by what they say."""
    one, two = {"mathAnswer": {"expected": "1"}}, {"mathAnswer": {"expected": "2"}}
    (batch,) = batching.batches([Sample(one, "1"), Sample(two, "2"), Sample(dict(one), "3")], limits(), "")
    assert [sample.task_id for sample in batch.samples] == ["task-0", "task-1", "task-0"]
    assert one == {"mathAnswer": {"expected": "1"}}


def test_two_tasks_of_one_name_are_refused():
    """Two different tasks of one name are a mistake in the data, named with its place."""
    other = {"taskId": "sum", "mathAnswer": {"expected": "5"}}
    with pytest.raises(InvalidRequestError, match=r"^samples\[1\]\.task: another task .* 'sum'"):
        batching.batches([Sample(TASK, "4"), Sample(other, "5")], limits(), "")


@pytest.mark.parametrize("task", [{"mathAnswers": {}}, {"mathAnswer": {"expected": 4}}, {"mathAnswer": [1]}, {1: 2}])
def test_a_malformed_task_is_refused(task):
    """A dictionary that is no task is refused before anything is sent, with its place."""
    with pytest.raises(InvalidRequestError, match=r"^samples\[0\]\.task: "):
        batching.batches([Sample(task, "4")], limits(), "")


def test_a_sample_past_the_message_limit_is_refused():
    """A sample whose task alone is past the limit is named instead of being refused by the transport."""
    huge = {"mathAnswer": {"expected": "4" * 2_000}}
    with pytest.raises(InvalidRequestError, match=r"^samples\[1\]: .* at most"):
        batching.batches([Sample(TASK, "4"), Sample(huge, "4")], limits(1_000), "")


@pytest.mark.parametrize("letter", ["x", "é", "🙂"])
def test_a_response_past_the_limit_is_cut_and_stays_past_it(letter):
    """A response of any size can be sent: what the server would rule OUTPUT_LIMIT it still does."""
    (batch,) = batching.batches([Sample(TASK, letter * 5_000)], limits(response_bytes=1_000), "")
    assert 1_000 < len(batch.samples[0].response.encode()) <= 4_004


def test_lone_surrogates_are_replaced():
    """A response that UTF-8 cannot carry is sent all the same."""
    (batch,) = batching.batches([Sample(TASK, "4\ud800")], limits(), "")
    assert batch.samples[0].response == "4?"


def test_sample_ids_must_differ_in_a_stream():
    """The same sample id twice is refused for streams, which tell results apart by it, and taken otherwise."""
    samples = [Sample(TASK, "4", "a"), Sample(TASK, "5", "a")]
    with pytest.raises(InvalidRequestError, match=r"^samples\[1\]\.sample_id: 'a'"):
        batching.batches(samples, limits(), "", distinct=True)
    assert len(list(batching.batches(samples, limits(), ""))) == 1


def test_limits_travel():
    """Limits go out field by field; what is None stays unset."""
    wish = Limits(cpu_seconds=1.5, memory_bytes=1 << 20)
    (batch,) = batching.batches([Sample(TASK, "4", limits=wish)], limits(), "")
    message = batch.samples[0].limits
    assert message.cpu_time.ToMilliseconds() == 1500
    assert not message.HasField("wall_time")
    assert (message.memory_bytes, message.processes) == (1 << 20, 0)
