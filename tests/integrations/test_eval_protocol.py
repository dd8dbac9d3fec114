"""eval-protocol's own rows and results."""

import json

from eval_protocol.models import EvaluationRow, Message

from trainer_client.adapters.eval_protocol import evaluated
from trainer_client.adapters.source import RewardSource

CODE = json.dumps({"codeTests": {"stdioTests": [{"name": "two", "stdin": "2", "expectedStdout": "4"}]}})


def row(answer):
    messages = [Message(role="user", content="Double it."), Message(role="assistant", content=answer)]
    return EvaluationRow(messages=messages, ground_truth=CODE)


async def test_results(address):
    """A row gets its score, why, and a metric for each check."""
    for answer, score in (("print(2 * int(input()))", 1.0), ("print(5)", 0.0)):
        result = (await evaluated(row(answer), RewardSource(address=address))).evaluation_result
        assert (result.score, result.is_score_valid, result.metrics["two"].score) == (score, True, score)


async def test_a_dead_sandbox(dead):
    """A Failure is a score that is not valid, with its reason."""
    result = (await evaluated(row("print(4)"), RewardSource(address=dead))).evaluation_result
    assert not result.is_score_valid
    assert result.error.startswith("sandbox_unavailable")
