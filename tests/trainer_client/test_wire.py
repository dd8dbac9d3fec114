"""Records to messages and back."""

import pytest
from reward.v1 import result_pb2, sample_pb2
from scripted_server import graded

from trainer_client import Failure, FailureReason, InvalidRequestError, Limits, Ruling, ServerError, wire
from trainer_client.results import AssuranceLevel


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
