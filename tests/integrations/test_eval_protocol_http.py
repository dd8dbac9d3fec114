"""eval-protocol's own types against the HTTP gateway."""

import os

import pytest
from http_child import http_child

HALF = {"pythonGrader": {"source": "def grade(sample, item):\n    return 0.5"}}
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it waits for the network when it is imported


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("sandbox", "score", "valid"), [("local", 0.5, True), ("dead", 0.0, False)])
def test_eval_protocol_reads_our_results(sandbox, score, valid):
    """Both a grade and a Failure are eval-protocol's EvaluateResult; only the grade is valid."""
    import requests  # noqa: PLC0415 - slow to import
    from eval_protocol.models import EvaluateResult  # noqa: PLC0415 - as above

    body = {"messages": [{"role": "assistant", "content": "4"}], "ground_truth": "", "kwargs": {"task": HALF}}
    with http_child(sandbox) as url:
        answer = requests.post(f"{url}/evaluate", json=body, timeout=60)
    result = EvaluateResult.model_validate(answer.json())
    assert (result.score, result.is_score_valid) == (score, valid)
    assert bool(result.error) is not valid
