"""What could not be graded, told to each protocol's client: the table of docs/gateway.md, line by line."""

import asyncio

import pytest
from http_gateway import HALF, SLOW_TASK, dead, detail_of, gateway

from reward_server.gateway.failures import SANDBOX_FUSION, answer_to

CHAT = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "x"}]
OUTPUT = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}]
PYTHON = {"type": "python", "name": "p", "source": HALF}
BROKEN = {"pythonGrader": {"source": "no python ("}}


def bodies(task):
    """One request of each protocol that needs the sandbox, by path."""
    return {
        "/reward/v1/score": {"tasks": [{"taskId": "t", **task}], "samples": [{"taskId": "t", "response": "x"}]},
        "/reward/v1/score_stream": {"tasks": [{"taskId": "t", **task}], "samples": [{"taskId": "t", "response": "x"}]},
        "/run_code": {"code": "1", "language": "python"},
        "/submit": {
            "dataset": "CommonOJDataset",
            "completion": "```python\n1\n```",
            "config": {"provided_data": {"test": [{"input": {"stdin": ""}, "output": {"stdout": "1"}}]}},
        },
        "/openrlhf": {"query": ["ab", "ac"], "prompts": ["a", "a"], "labels": [task, task]},
        "/slime": {"prompt": "a", "response": "x", "label": task},
        "/nova": {"id": "1", "messages": CHAT, "reference_answer": task},
        "/verify": {"responses_create_params": {"input": []}, "response": {"output": OUTPUT}, "task": task},
        "/evaluate": {"messages": CHAT, "ground_truth": "", "kwargs": {"task": task}},
        "/step": {"action": {"response": "x", "task": task}},
        "/v1/fine_tuning/alpha/graders/run": {"grader": PYTHON, "model_sample": "x", "item": {}},
    }


STATUS_OF_THE_DEAD = {
    "/reward/v1/score": 200,
    "/reward/v1/score_stream": 200,
    "/run_code": 504,
    "/submit": 504,
    "/openrlhf": 503,
    "/slime": 503,
    "/nova": 503,
    "/verify": 503,
    "/evaluate": 200,
    "/step": 503,
    "/v1/fine_tuning/alpha/graders/run": 200,
}
WHEN_FULL = {path: 504 if path in ("/run_code", "/submit") else 429 for path in STATUS_OF_THE_DEAD}


@pytest.mark.parametrize("path", STATUS_OF_THE_DEAD)
async def test_a_dead_sandbox_is_never_a_score(path):
    """Where the answer has no room for a Failure its status says it, with a time to come back."""
    async with gateway(dead) as client:
        answer = await client.post(path, json=bodies(SLOW_TASK)[path])
    assert answer.status_code == STATUS_OF_THE_DEAD[path]
    if answer.status_code == 200:
        assert "daemon is gone" in answer.text or '"python_grader_server_error":true' in answer.text
    else:
        assert "the daemon is gone" in detail_of(answer)
        assert answer.json()["error"]["retryable"] is True
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", WHEN_FULL)
async def test_a_full_queue_is_told_with_a_time_to_come_back(path):
    """Overload is refused in the one way that the protocol's client retries."""
    begun, opened = asyncio.Event(), asyncio.Event()

    async def wait(job):
        begun.set()
        await opened.wait()
        return dead(job)

    async with gateway(wait, max_queued_samples=1, max_samples_per_request=1) as client:
        first = asyncio.ensure_future(client.post("/slime", json={"response": "a", "label": SLOW_TASK}))
        await begun.wait()
        body = bodies(SLOW_TASK)[path]
        if path == "/openrlhf":
            body = {name: items[:1] for name, items in body.items()}
        answer = await client.post(path, json=body)
        opened.set()
        await first
    assert answer.status_code == WHEN_FULL[path]
    assert "do not fit into the queue" in detail_of(answer)
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", STATUS_OF_THE_DEAD)
async def test_a_draining_server_is_told_with_a_time_to_come_back(path):
    """While the server drains, calls are refused in the way that the protocol's client retries."""
    async with gateway() as client:
        client.server._admission.draining = True
        answer = await client.post(path, json=bodies(SLOW_TASK)[path])
    assert answer.status_code == (504 if path in ("/run_code", "/submit") else 503)
    assert detail_of(answer) == "the server is draining"
    assert "retry-after" in answer.headers


@pytest.mark.parametrize("path", ["/openrlhf", "/slime", "/nova", "/step"])
async def test_a_broken_task_is_no_score_either_and_not_worth_a_retry(path):
    """A task that is wrong is told by a status that says so, without a time to come back."""
    async with gateway() as client:
        answer = await client.post(path, json=bodies(BROKEN)[path])
    assert answer.status_code == 422
    assert "python_grader.source: is no Python" in detail_of(answer)
    assert "retry-after" not in answer.headers


async def test_nemo_gym_masks_a_row_that_cannot_be_graded():
    """A row with a broken task comes back masked, with the failure named, and never counts as a metric."""
    async with gateway() as client:
        row = (await client.post("/verify", json=bodies(BROKEN)["/verify"])).json()
        metrics = (await client.post("/aggregate_metrics", json={"verify_responses": [row]})).json()
    assert (row["reward"], row["mask_sample"]) == (0.0, True)
    assert row["failure_kind"] == "reward_server:invalid_task"
    assert (row["_ng_failure_class"], row["_ng_failure_terminal"]) == ("reward_server_invalid_task", True)
    assert "is no Python" in row["failure_reason"]
    assert metrics == {"group_level_metrics": [], "agent_metrics": {"masked": 1}, "key_metrics": {}}


async def test_eval_protocol_is_told_that_the_score_does_not_count():
    """A Failure is a result whose score is not valid."""
    async with gateway(dead) as client:
        said = (await client.post("/evaluate", json=bodies(SLOW_TASK)["/evaluate"])).json()
    assert said["is_score_valid"] is False
    assert "sandbox_unavailable: The sandbox failed" in said["error"]


async def test_our_own_answer_holds_the_failure():
    """In the contract's own JSON the outcome is a failure, without any score."""
    async with gateway(dead) as client:
        answer = await client.post("/reward/v1/score", json=bodies(SLOW_TASK)["/reward/v1/score"])
    (result,) = answer.json()["results"]
    assert result["failure"]["reason"] == "FAILURE_REASON_SANDBOX_UNAVAILABLE"
    assert result["failure"]["retryable"] is True
    assert "score" not in answer.text


async def test_openai_graders_set_the_flag_of_what_failed():
    """A dead sandbox is the server's error, a grader that raises is its own."""
    path = "/v1/fine_tuning/alpha/graders/run"
    async with gateway(dead) as client:
        errors = (await client.post(path, json=bodies({})[path])).json()["metadata"]["errors"]
    assert errors["python_grader_server_error"] is True
    assert errors["python_grader_server_error_type"] == "sandbox_unavailable"
    assert not errors["python_grader_runtime_error"]


def test_an_error_of_no_known_kind_is_an_internal_one(caplog):
    """A defect of the gateway is a 500 that tells nothing of the request, and a line in the log."""
    answer = answer_to(KeyError("secret"), SANDBOX_FUSION)
    assert answer.status_code == 500
    assert b"secret" not in answer.body
    assert "could not be answered" in caplog.text
