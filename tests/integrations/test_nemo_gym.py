"""NeMo Gym's own types against the HTTP gateway."""

import pytest
from http_child import http_child

pytestmark = pytest.mark.timeout(300)
TEXT = {"type": "output_text", "text": "The answer is 4.", "annotations": []}
MESSAGE = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [TEXT]}
RESPONSE = {
    "id": "r",
    "object": "response",
    "created_at": 0.0,
    "model": "m",
    "output": [MESSAGE],
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "tools": [],
}
PARAMETERS = {"input": [{"role": "user", "content": "2+2?"}]}


def verified(url, **fields):
    """Send a row as NeMo Gym's agents do, and read the answer into its own type."""
    import requests  # noqa: PLC0415 - slow to import
    from nemo_gym.base_resources_server import BaseVerifyRequest, BaseVerifyResponse  # noqa: PLC0415 - as above

    row = {"responses_create_params": PARAMETERS, "response": RESPONSE}
    BaseVerifyRequest.model_validate(row)
    answer = requests.post(f"{url}/verify", json={**row, **fields, "_ng_task_index": 0}, timeout=60)
    if answer.status_code != 200:
        return answer.status_code, answer.json()
    return BaseVerifyResponse.model_validate(answer.json()).reward, answer.json()


def test_rows_come_back_as_nemo_gym_reads_them():
    """Grades, metrics and the session are what its own classes expect."""
    import requests  # noqa: PLC0415 - slow to import
    from nemo_gym.base_resources_server import AggregateMetrics, BaseSeedSessionResponse  # noqa: PLC0415 - as above

    with http_child("local") as url:
        right, row = verified(url, expected_answer="4")
        wrong, other = verified(url, task={"mathAnswer": {"expected": "5"}})
        rows = {"verify_responses": [row, other]}
        metrics = requests.post(f"{url}/aggregate_metrics", json=rows, timeout=60).json()
        seeded = requests.post(f"{url}/seed_session", json={}, timeout=60).json()
    assert (right, wrong) == (1.0, 0.0)
    assert AggregateMetrics.model_validate(metrics).key_metrics == {"mean/reward": 0.5}
    BaseSeedSessionResponse.model_validate(seeded)


def test_failures_are_set_aside_as_nemo_gym_does():
    """A dead sandbox is a status; a broken task is a row with the class by which rollouts go to the sidecar file."""
    from nemo_gym.rollout_collection import NG_FAILURE_CLASS_KEY, NG_TERMINAL_KEY  # noqa: PLC0415 - slow to import

    with http_child("dead") as url:
        status, _ = verified(url, task={"pythonGrader": {"source": "def grade(sample, item): return 1"}})
        reward, row = verified(url, task={"pythonGrader": {"source": "no python ("}})
    assert status == 503
    assert (reward, row[NG_FAILURE_CLASS_KEY], row[NG_TERMINAL_KEY]) == (0.0, "reward_server_invalid_task", True)
