"""Rewards from a server: order, bad rows, outages, processes and loops."""

import asyncio
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import grpc
import pytest
from scripted_server import refusing

from trainer_client import Failure, FailureReason, UnauthenticatedError, UnavailableError, reward
from trainer_client.adapters import source as source_module
from trainer_client.adapters.areal import RewardFunction
from trainer_client.adapters.source import RewardSource, UngradableError, scored

TASK = {"taskId": "same", "mathAnswer": {"expected": "4"}}
OTHER = {"taskId": "same", "mathAnswer": {"expected": "5"}}
NOBODY = "127.0.0.1:1"


def rewards(results):
    return [reward(result) for result in results]


def test_results_come_in_order_and_a_bad_row_spoils_no_other(server):
    """Each response gets its own result, also where tasks share a name; a row without a task is a Failure alone."""
    source = RewardSource(address=server.address)
    results = source.grade([{"task": TASK}, {"task": OTHER}, {}, {"task": TASK}], ["0.25", "0.5", "1", "no number"])
    assert rewards(results) == [0.25, 0.5, None, None]
    assert [result.reason for result in results[2:]] == [FailureReason.INVALID_TASK, FailureReason.GRADER_ERROR]


async def test_the_same_awaited(server):
    """Awaited, results are the same."""
    source = RewardSource(address=server.address)
    results = await source.grade_async([{"task": TASK}, {}, {"task": OTHER}], ["0.25", "1", "0.5"])
    assert rewards(results) == [0.25, None, 0.5]


def test_a_task_that_rows_repeat_is_sent_once(server):
    """Rows of a group carry the same text, which is read once and travels once."""
    text = json.dumps(TASK)
    RewardSource(address=server.address).grade([{"task": text}] * 8 + [{"task": OTHER}], ["1"] * 9)
    assert [len(request.tasks) for request in server.requests] == [2]


def test_without_usable_rows_nobody_is_asked():
    """A batch of bad rows needs no server."""
    assert rewards(RewardSource(address=NOBODY).grade([{}], ["1"])) == [None]
    assert RewardSource(address=NOBODY).grade([], []) == []


def test_an_outage_is_raised_or_masked():
    """A server that cannot be reached stops training, or masks the call, as the policy says; it is never a score."""
    impatient = {"address": NOBODY, "timeout_seconds": 0.3}
    with pytest.raises(UnavailableError):
        RewardSource(**impatient).grade([{"task": TASK}], ["1"])
    masked = RewardSource(**impatient, on_outage="mask")
    for results in (masked.grade([{"task": TASK}], ["1"]), asyncio.run(masked.grade_async([{"task": TASK}], ["1"]))):
        assert isinstance(results[0], Failure)
        assert results[0].retryable
        assert "could not be asked" in results[0].message


def test_what_came_before_an_outage_is_kept(server):
    """Of a call that breaks off, the results that came stay; only the rest is masked."""
    server.max_samples = 1
    server.script.append(lambda request, context: iter([answer(request.samples[0])]))
    server.script.append(refusing(grpc.StatusCode.INTERNAL))
    source = RewardSource(address=server.address, on_outage="mask")
    assert rewards(source.grade([{"task": TASK}, {"task": OTHER}], ["0.5", "0.5"])) == [0.5, None]


def answer(sample):
    from reward.v1 import reward_service_pb2  # noqa: PLC0415 - only the script needs the wire
    from scripted_server import graded  # noqa: PLC0415

    return reward_service_pb2.ScoreStreamResponse(result=graded(sample))


def test_a_wrong_token_is_never_masked(server):
    """Configuration that cannot work is raised whatever the policy."""
    server.script.append(refusing(grpc.StatusCode.UNAUTHENTICATED))
    with pytest.raises(UnauthenticatedError):
        RewardSource(address=server.address, on_outage="mask").grade([{"task": TASK}], ["1"])


def test_the_environment_says_where_and_what(server, monkeypatch):
    """Without settings the address and the kind of ground truths come from the environment."""
    monkeypatch.setenv("REWARD_SERVER_ADDRESS", server.address)
    monkeypatch.setenv("REWARD_SERVER_DATA_SOURCE", "openai/gsm8k")
    assert rewards(RewardSource().grade([{"ground_truth": "4"}], ["0.5"])) == [0.5]


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_source_goes_into_other_processes(server, method):
    """A reward function is pickled into worker processes, each of which makes a client of its own."""
    function = pickle.loads(pickle.dumps(RewardFunction(RewardSource(address=server.address))))
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context, initializer=forget) as pool:
        futures = [pool.submit(function, "?", f"0.{i}<|im_end|>", [], [], task=TASK) for i in range(1, 5)]
        assert [future.result(60) for future in futures] == [0.1, 0.2, 0.3, 0.4]
        with pytest.raises(UngradableError, match="no number"):
            pool.submit(function, "?", "none", [], [], task=TASK).result(60)


def forget():
    """A forked child of this test process inherits its calls; a trainer's workers are forked before the first one."""
    from trainer_client import processes  # noqa: PLC0415 - in the worker

    processes._used_by.clear()


def test_one_client_for_many_calls_and_none_for_closed_loops(server):
    """A process keeps one client for a source, a loop one of its own, and a closed loop none."""
    source = RewardSource(address=server.address, run_id="loops")
    for _ in range(3):
        asyncio.run(source.grade_async([{"task": TASK}], ["1"]))
        source.grade([{"task": TASK}], ["1"])
    loops = [key for key in source_module._async_clients if "loops" in key]
    assert len(loops) == 1


def test_scored():
    """For trainers without a mask a Failure raises, or is a number with a mark beside it; the keys stay the same."""
    failure = Failure(reason=FailureReason.DEADLINE, message="too late")
    with pytest.raises(UngradableError, match="deadline: too late"):
        scored(failure)
    assert scored(failure, "number", -1.0) == {"score": -1.0, "gradable": 0.0, "accepted": 0.0, "flags": 0.0}


def test_settings_are_checked():
    """A policy or format that does not exist is refused at once; it never means another."""
    for wrong in ({"on_outage": "zero"}, {"convert": "gsm9k"}):
        with pytest.raises(ValueError, match="is expected"):
            RewardSource(**wrong)
    with pytest.raises(ValueError, match="is expected"):
        scored(Failure(reason=FailureReason.DEADLINE), "zero")
