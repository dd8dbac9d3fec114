"""Tasks whose tests share a process with the response: the task asks, the server allows, the result tells."""

import pytest
from google.protobuf import json_format
from reward.v1 import result_pb2, sample_pb2

from reward_server.config import Config
from reward_server.grading import grade_all
from sandboxes.local_sandbox import LocalSandbox

FILE = "import solution\nfrom unittest import mock\ndef test_f():\n    assert solution.f(2) == 4\n"
RIGHT = "def f(x):\n    return 2 * x\n"


def shared(code=FILE, **more):
    return {"codeTests": {"testFiles": [{"code": code}], "sharedProcess": True, **more}}


async def grade(task, response, minimum="low"):
    record = json_format.ParseDict({"taskId": "t", **task}, sample_pb2.Task())
    sample = sample_pb2.Sample(sample_id="s", task_id="t", response=response)
    found = []
    async with LocalSandbox(boxes=1) as sandbox:
        await grade_all(sandbox, Config(minimum_assurance=minimum), [(record, sample)], found.append)
    return found[0].result


async def test_its_verdicts_say_that_their_assurance_is_low():
    """The provenance of a right and of a wrong response's verdict is LOW, whatever the sandbox gives."""
    for response, score in ((RIGHT, 1.0), ("def f(x):\n    return x\n", 0.0)):
        result = await grade(shared(), response)
        assert result.verdict.score == score
        assert result.provenance.assurance_level == result_pb2.ASSURANCE_LEVEL_LOW


async def test_a_composite_is_no_surer_than_its_parts():
    """One part of low assurance makes the whole's assurance low."""
    task = {"composite": {"parts": [{"name": "tests", **shared()}, {"name": "text", "textMatch": {"expected": "f"}}]}}
    result = await grade(task, RIGHT)
    assert result.WhichOneof("outcome") == "verdict"
    assert result.provenance.assurance_level == result_pb2.ASSURANCE_LEVEL_LOW


@pytest.mark.parametrize("minimum", ["namespace", Config().minimum_assurance])
async def test_a_server_grades_nothing_below_its_minimum(minimum):
    """By default such tasks are refused, with the reason."""
    result = await grade(shared(), RIGHT, minimum)
    assert result.failure.reason == result_pb2.FAILURE_REASON_INVALID_TASK
    assert "minimum_assurance" in result.failure.message


async def test_what_runs_apart_keeps_the_sandboxes_level():
    """The same file without the option is graded at the level of the sandbox."""
    task = {"codeTests": {"testFiles": [{"code": FILE}]}}
    result = await grade(task, RIGHT, "namespace")
    assert result.verdict.score == 1.0
    assert result.provenance.assurance_level == result_pb2.ASSURANCE_LEVEL_NAMESPACE


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import solution\ndef test_f():\n    solution.f(1)\n", "compares nothing"),
        ("import solution\nx = 1\n", "0 tests"),
        ("import nowhere_to_be_found\ndef test_f():\n    assert 1 == 1\n", "nowhere_to_be_found"),
        ("import solution\nraise ValueError('broken')\ndef test_f():\n    assert 1 == 1\n", "broken"),
    ],
)
async def test_a_file_that_proves_nothing_is_an_invalid_task(code, said):
    """Tests that cannot be listed, or cannot be told from decoys, are the task's fault."""
    result = await grade(shared(code), RIGHT)
    assert result.failure.reason == result_pb2.FAILURE_REASON_INVALID_TASK
    assert said in result.failure.message


@pytest.mark.parametrize("option", [True, False])
async def test_a_task_whose_own_solution_fails_is_invalid(option):
    """A reference solution that is wrong is found out before any response is judged; a right one changes nothing."""
    task = {"codeTests": {"testFiles": [{"code": FILE}], "sharedProcess": option}}
    task["codeTests"]["referenceSolution"] = "def f(x):\n    return x + 1\n"
    result = await grade(task, RIGHT)
    assert result.failure.reason == result_pb2.FAILURE_REASON_INVALID_TASK
    assert "reference_solution" in result.failure.message
    task["codeTests"]["referenceSolution"] = RIGHT
    assert (await grade(task, RIGHT)).verdict.score == 1.0
